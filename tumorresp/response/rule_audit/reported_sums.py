"""Responses held against the reported sums: one that follows from the sizes may contradict the sums beside it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from itertools import product

from tumorresp.domain.assessment import Category
from tumorresp.domain.measurement import LesionRole
from tumorresp.response.rule_audit.changes import ReportedSums
from tumorresp.response.rule_audit.derivation import Derivation
from tumorresp.response.rule_audit.numbers import follows
from tumorresp.response.rule_audit.reported import Explanation, Mistake, ReportedVisit
from tumorresp.response.rule_audit.target_judgement import by_sums

_RESPONDING = (Category.CR, Category.PR)


@dataclass(frozen=True)
class StatedSums:
    """The sums of a visit, its baseline and its nadir as they were reported, where a response can be made from them.

    Parameters
    ----------
    total, baseline, nadir
        As reported where that was not as derived, else as derived. Incomplete sums are none: they make no response
        and no nadir.
    previous
        The last complete one before the visit.
    as_derived
        Whether all of them are as derived: then they say nothing of their own.
    """

    total: Decimal | None
    baseline: Decimal | None
    nadir: Decimal | None
    previous: Decimal | None
    as_derived: bool


def sums_before_the_reader(
    derivation: Derivation, by_id: Mapping[str, ReportedVisit]
) -> Iterator[tuple[ReportedSums, StatedSums]]:
    """Give what the reader had before him at each visit, with incomplete sums and without them."""
    shown = _References()
    complete = _References()
    for index, (visit, derived) in enumerate(zip(derivation.visits, derivation.sums, strict=True)):
        total = _as_reported(by_id.get(visit.time_point_id), derived)
        usable = total if derived is not None or not derivation.shares(index) else None
        baseline = total if index == 0 else shown.baseline
        yield (
            ReportedSums(total, baseline, shown.nadir),
            StatedSums(
                usable,
                usable if index == 0 else complete.baseline,
                complete.nadir,
                complete.previous,
                as_derived=(usable, complete.baseline, complete.nadir)
                == (derived, derivation.baseline_sum if index else None, derivation.nadir(index) if index else None),
            ),
        )
        shown = shown.after(total, is_baseline=index == 0)
        complete = complete.after(usable, is_baseline=index == 0)


@dataclass(frozen=True)
class _References:
    baseline: Decimal | None = None
    nadir: Decimal | None = None
    previous: Decimal | None = None

    def after(self, total: Decimal | None, *, is_baseline: bool) -> "_References":
        known = [value for value in (total, self.nadir) if value is not None]
        return _References(
            total if is_baseline else self.baseline,
            min(known, default=None),
            self.previous if total is None else total,
        )


def _as_reported(own: ReportedVisit | None, derived: Decimal | None) -> Decimal | None:
    if own is None or own.target_sum is None or follows(own.target_sum.value, derived):
        return derived
    return own.target_sum.value


def possible_responses(derivation: Derivation, index: int, sums: StatedSums) -> frozenset[Category]:
    """Return the target responses that reported sums leave possible; empty where they say nothing of their own.

    Sums alone do not tell whether nodes are normal, nor whether a target is back after a complete response: where the
    lesions leave both open, both are possible. A sum that was reported with fewer decimals than its lesions stands for
    all that round to it.
    """
    if sums.as_derived or sums.total is None or sums.baseline is None or sums.nadir is None:
        return frozenset()
    if sums.total == 0:
        return frozenset((Category.CR,))
    rules = derivation.rules
    targets = [item for item in derivation.visits[0].observations if item.role is LesionRole.TARGET]
    nodes = sum(item.nodal for item in targets)
    stated = (sums.total, sums.baseline, sums.nadir)
    derived = (derivation.sums[index], derivation.baseline_sum, derivation.nadir(index))
    ranges = [
        (value,) if value == own else _rounded_from(derivation, value)
        for value, own in zip(stated, derived, strict=True)
    ]
    possible = {by_sums(total, baseline, nadir, rules) for total, baseline, nadir in product(*ranges)}
    if sums.total < nodes * rules.normal_node_mm:
        possible.add(Category.CR)
    earlier = derivation.assessments[1:index]
    if rules.reappearance_after_cr_is_pd and any(item.overall is Category.CR for item in earlier):
        possible.add(Category.PD)
    if rules.pr_carry_forward and any(item.target in _RESPONDING for item in earlier):
        possible.add(Category.PR)
    return frozenset(possible)


def contradiction(response: Category, derivation: Derivation, sums: StatedSums, words: str) -> tuple[Explanation, ...]:
    """Return why a response does not follow from reported sums, and which other reference would give it.

    Parameters
    ----------
    words
        The sums.
    """
    known = f"It follows from the sizes, but not from the reported sums ({words}); the mistake is in a sum or in it."
    found: list[Explanation] = [(Mistake("contradicts-reported-sums", known),)]
    total, baseline, previous = sums.total, sums.baseline, sums.previous
    assert total is not None, "sums that contradict are known"
    assert baseline is not None, "sums that contradict are known"
    if baseline != sums.nadir and by_sums(total, baseline, baseline, derivation.rules) is response:
        against = "By the reported sums PD was judged against the baseline instead of the nadir."
        found.append((Mistake("baseline-instead-of-nadir", against),))
    is_another = previous is not None and previous not in (baseline, sums.nadir)
    if previous is not None and is_another and by_sums(total, baseline, previous, derivation.rules) is response:
        against = "By the reported sums PD was judged against the previous visit instead of the nadir."
        found.append((Mistake("previous-visit-instead-of-nadir", against),))
    return tuple(found)


def _rounded_from(derivation: Derivation, value: Decimal) -> tuple[Decimal, ...]:
    """Return a sum, and between which it may lie where it has fewer decimals than the lesions' sizes."""
    stated, measured = _last_place(value), min(map(_last_place_in_use, _sizes(derivation)), default=0)
    if stated <= measured:
        return (value,)
    half = Decimal(5).scaleb(stated - 1)
    return (value - half, value, value + half)


def _sizes(derivation: Derivation) -> Iterator[Decimal]:
    for visit in derivation.visits:
        for item in visit.observations:
            if item.role is LesionRole.TARGET:
                yield from (axis for axis in (item.long_axis_mm, item.short_axis_mm) if axis is not None)


def _last_place(value: Decimal) -> int:
    """Return the exponent of the last digit that was stated, at most 0."""
    exponent = value.as_tuple().exponent
    assert isinstance(exponent, int), "sums and sizes are finite"
    return min(exponent, 0)


def _last_place_in_use(value: Decimal) -> int:
    return _last_place(value.normalize())
