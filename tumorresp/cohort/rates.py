"""Objective response, disease control and clinical benefit: shares of an analysis set with exact intervals.

The interval is Clopper and Pearson's (Biometrika 26 (1934) 404-413); that of a difference of two arms is Newcombe's
hybrid score interval without continuity correction (Stat Med 17 (1998) 873-890, method 10).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import sqrt
from types import MappingProxyType

from scipy.stats import binomtest

from tumorresp.domain.assessment import Category
from tumorresp.response.outcome import BestResponse, SubjectOutcome

LEVEL = 0.95


class RateName(StrEnum):
    """Which best responses count."""

    ORR = "ORR"
    DCR = "DCR"
    CBR = "CBR"


_RESPONSES = frozenset((Category.CR, Category.PR, Category.ICR, Category.IPR))
_CONTROL = _RESPONSES | {Category.SD, Category.MR, Category.ISD}
COUNTED: Mapping[RateName, frozenset[Category]] = MappingProxyType(
    {
        RateName.ORR: _RESPONSES,
        RateName.DCR: _CONTROL,
        RateName.CBR: _CONTROL | {Category.NON_CR_NON_PD, Category.NON_ICR_NON_IUPD},
    }
)
"""ORR: CR and PR. DCR: and SD that lasted. CBR: and NON-CR/NON-PD. NE and MISSING never count."""


@dataclass(frozen=True)
class Rate:
    """A share of an analysis set.

    Parameters
    ----------
    arm
        Empty for all subjects.
    count, subjects
        Numerator and denominator; every subject counts in the denominator, whatever its best response.
    share, low, high
        Between 0 and 1; None for an empty set.
    """

    name: RateName
    arm: str
    count: int
    subjects: int
    share: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class RateDifference:
    """A rate of one arm minus that of another, with Newcombe's interval; None where an arm is empty."""

    name: RateName
    arm: str
    reference_arm: str
    difference: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class CriterionRates:
    """All rates by one criterion, by confirmed or unconfirmed responses; ``best`` counts subjects by best response."""

    criterion: str
    confirmed: bool
    best: tuple[tuple[Category, int], ...]
    rates: tuple[Rate, ...]
    differences: tuple[RateDifference, ...]


def rate(name: RateName, best: Sequence[Category], arm: str = "") -> Rate:
    """Return a rate with its exact interval."""
    count, subjects = sum(category in COUNTED[name] for category in best), len(best)
    if not subjects:
        return Rate(name, arm, 0, 0, None, None, None)
    interval = binomtest(count, subjects).proportion_ci(LEVEL, method="exact")
    return Rate(name, arm, count, subjects, count / subjects, float(interval.low), float(interval.high))


def rate_difference(one: Rate, reference: Rate) -> RateDifference:
    """Return the difference of two arms' rates."""
    if one.share is None or reference.share is None:
        return RateDifference(one.name, one.arm, reference.arm, None, None, None)
    low_one, high_one = _wilson(one)
    low_other, high_other = _wilson(reference)
    difference = one.share - reference.share
    return RateDifference(
        one.name,
        one.arm,
        reference.arm,
        difference,
        difference - sqrt((one.share - low_one) ** 2 + (high_other - reference.share) ** 2),
        difference + sqrt((high_one - one.share) ** 2 + (reference.share - low_other) ** 2),
    )


def _wilson(item: Rate) -> tuple[float, float]:
    interval = binomtest(item.count, item.subjects).proportion_ci(LEVEL, method="wilson")
    return float(interval.low), float(interval.high)


def rates_by_criterion(outcomes: Sequence[SubjectOutcome]) -> tuple[CriterionRates, ...]:
    """Return the rates by every criterion, for confirmed and unconfirmed best responses, overall and by arm.

    Where there are several evaluators, rates are by evaluator and the criterion's name carries the evaluator's.
    """
    found: dict[tuple[str, bool], list[tuple[str, Category]]] = {}
    evaluators = {outcome.course.evaluator for outcome in outcomes}
    for outcome in outcomes:
        for item in outcome.outcomes:
            evaluator = outcome.course.evaluator if len(evaluators) > 1 else ""
            name = f"{item.criterion} ({evaluator})" if evaluator else item.criterion
            for confirmed, best in ((False, item.best_response), (True, item.confirmed_response)):
                found.setdefault((name, confirmed), []).append((outcome.course.dates.arm, _category(best)))
    return tuple(_rates(name, confirmed, best) for (name, confirmed), best in found.items())


def _category(best: BestResponse | None) -> Category:
    return Category.MISSING if best is None else best.category


def _rates(criterion: str, confirmed: bool, best: Sequence[tuple[str, Category]]) -> CriterionRates:
    categories = [category for _, category in best]
    arms = sorted({arm for arm, _ in best if arm})
    rates: list[Rate] = []
    differences: list[RateDifference] = []
    for name in RateName:
        rates.append(rate(name, categories))
        if len(arms) > 1:
            by_arm = [rate(name, [c for a, c in best if a == arm], arm) for arm in arms]
            rates += by_arm
            differences += [rate_difference(other, by_arm[0]) for other in by_arm[1:]]
    counts = tuple((category, categories.count(category)) for category in Category if category in categories)
    return CriterionRates(criterion, confirmed, counts, tuple(rates), tuple(differences))
