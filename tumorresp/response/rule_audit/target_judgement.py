"""A target response made by other ways than RECIST 1.1's: other references, rounding, another order."""

from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal
from enum import Enum, auto
from fractions import Fraction

from tumorresp.domain.assessment import Category
from tumorresp.response.parameters import Recist11Parameters
from tumorresp.response.rule_audit.changes import incomplete_nadir
from tumorresp.response.rule_audit.derivation import Derivation
from tumorresp.response.rule_audit.numbers import percent

_BEYOND_ANY_GROWTH = 10**9


class Reference(Enum):
    """A sum that another is compared with."""

    BASELINE = auto()
    NADIR = auto()
    PREVIOUS_VISIT = auto()
    INCOMPLETE_NADIR = auto()


@dataclass(frozen=True)
class Judgement:
    """A derivation and how target responses are made from it; the defaults are RECIST 1.1's own.

    Parameters
    ----------
    progression_reference, response_reference
        What PD and PR are judged against.
    response_first
        PR is called before PD is looked for.
    missing_is_not_evaluable
        A missing target makes NE, whatever the others show.
    return_is_progression
        A target that is back is PD though there was no overall CR.
    progression_limit_excluded, response_limit_excluded
        Exactly +20 % or 5 mm is no PD, exactly −30 % no PR.
    sums_in_whole_mm
        Sums are rounded before they are compared.
    percentage_places
        Decimals to which percentages are rounded before they are compared; None where they are not.
    """

    derivation: Derivation
    progression_reference: Reference = Reference.NADIR
    response_reference: Reference = Reference.BASELINE
    response_first: bool = False
    missing_is_not_evaluable: bool = False
    return_is_progression: bool = False
    progression_limit_excluded: bool = False
    response_limit_excluded: bool = False
    sums_in_whole_mm: bool = False
    percentage_places: int | None = None

    def category(self, index: int) -> Category:
        """Return the target response of a visit after the baseline."""
        derivation = self.derivation
        as_derived = derivation.assessments[index].target
        if self == Judgement(derivation):
            return as_derived
        if self.missing_is_not_evaluable and derivation.missing(index):
            return Category.NE
        total, nadir = derivation.sums[index], self._reference(self.progression_reference, index)
        baseline = self._reference(self.response_reference, index)
        if total is None or baseline is None or nadir is None or as_derived is Category.CR:
            return as_derived
        if _is_back(derivation, index) or (self.return_is_progression and not derivation.nadir(index) and total > 0):
            return Category.PD
        category = self._by_sums(total, baseline, nadir)
        carried = derivation.rules.pr_carry_forward and _is_responding(derivation, index)
        return Category.PR if category is Category.SD and carried else category

    def _reference(self, reference: Reference, index: int) -> Decimal | None:
        derivation = self.derivation
        if reference is Reference.BASELINE:
            return derivation.baseline_sum
        if reference is Reference.PREVIOUS_VISIT:
            return derivation.previous(index)
        nadir = derivation.nadir(index)
        return incomplete_nadir(derivation, index) or nadir if reference is Reference.INCOMPLETE_NADIR else nadir

    def _by_sums(self, total: Decimal, baseline: Decimal, nadir: Decimal) -> Category:
        if self.sums_in_whole_mm:
            total, baseline, nadir = (in_whole_mm(value) for value in (total, baseline, nadir))
        rules = self.derivation.rules
        is_progression = self._is_progression(total, nadir, rules)
        is_response = self._is_response(total, baseline, rules)
        if is_progression and not (self.response_first and is_response):
            return Category.PD
        return Category.PR if is_response else Category.SD

    def _is_progression(self, total: Decimal, nadir: Decimal, rules: Recist11Parameters) -> bool:
        excluded = self.progression_limit_excluded
        growth, change = Fraction(total - nadir), percent(total, nadir)
        by_growth = _reaches(growth, Fraction(rules.progression_mm), excluded=excluded)
        by_percentage = change is None or _reaches(
            self._shown(change), 100 * (rules.progression - 1), excluded=excluded
        )
        return by_growth and by_percentage

    def _is_response(self, total: Decimal, baseline: Decimal, rules: Recist11Parameters) -> bool:
        change = percent(total, baseline)
        return change is not None and _reaches(
            -self._shown(change), 100 * (1 - rules.partial_response), excluded=self.response_limit_excluded
        )

    def _shown(self, change: Fraction) -> Fraction:
        return change if self.percentage_places is None else Fraction(round(change, self.percentage_places))


def by_sums(total: Decimal, baseline: Decimal, nadir: Decimal, rules: Recist11Parameters) -> Category:
    """Return PD, PR or SD as sums alone give it."""
    grown = Fraction(total) >= rules.progression * Fraction(nadir) and total - nadir >= rules.progression_mm
    if grown:
        return Category.PD
    is_response = Fraction(total) <= rules.partial_response * Fraction(baseline)
    return Category.PR if is_response else Category.SD


def _reaches(change: Fraction, limit: Fraction, *, excluded: bool) -> bool:
    return change > limit if excluded else change >= limit


def in_whole_mm(value: Decimal) -> Decimal:
    """Return a length rounded to whole mm, half a millimetre up."""
    return value.quantize(Decimal(1), rounding=ROUND_HALF_UP)


def _is_back(derivation: Derivation, index: int) -> bool:
    """Return whether a target that is back after an overall CR is PD whatever its size."""
    if not any(item.overall is Category.CR for item in derivation.assessments[:index]):
        return False
    never_grown = replace(
        derivation.rules, progression=Fraction(_BEYOND_ANY_GROWTH), progression_mm=Decimal(_BEYOND_ANY_GROWTH)
    )
    return derivation.supposing(rules=never_grown).assessments[index].target is Category.PD


def _is_responding(derivation: Derivation, index: int) -> bool:
    responding = False
    for item in derivation.assessments[:index]:
        if item.target in (Category.CR, Category.PR):
            responding = True
        elif item.target is Category.PD:
            responding = False
    return responding
