"""Target response by the sum: the one argument that RECIST 1.1 and its volumetric analogue share.

The order is RECIST 1.1's (sections 4.3 and 4.4): missing lesions, CR, PD (by reappearance or by the sum), PR, SD.
"""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import cache

from tumorresp.domain.assessment import Category
from tumorresp.domain.finding import Finding, Severity
from tumorresp.response.course import Course
from tumorresp.response.reasons import beside_limits, change_beside_limits, listing, ratio_as_percent
from tumorresp.response.sum_criterion import SumCriterion, compared
from tumorresp.response.target_sum import TargetSum

_MOST_PLACES = 12
CONTRADICTORY = "What is said of split or merged lesions contradicts itself; the sum is not known → NE."
NO_PROGRESSION_ALONE = "The assessed lesions alone are no progression; the sum is not known → NE."


@dataclass(frozen=True)
class TargetResponse:
    """A category with its reasons."""

    category: Category
    reasons: tuple[str, ...]
    findings: tuple[Finding, ...] = ()


def target_response(total: TargetSum, course: Course, criterion: SumCriterion) -> TargetResponse:
    """Return the response of the target lesions at a visit after the baseline.

    Parameters
    ----------
    total
        Of the visit; its targets are those with a baseline.
    course
        Of the visits before, with baseline sum and nadir.
    """
    baseline, nadir = course.baseline_sum, course.nadir_sum
    assert baseline is not None, "targets have a size at baseline"
    assert nadir is not None, "the baseline is the first nadir"
    places = shown_places(total, course, criterion)
    summed = total.in_words(criterion, places)
    if total.is_contradictory:
        return TargetResponse(Category.NE, (summed, CONTRADICTORY))
    # Lesions that are all gone or normal may be a complete response with the missing ones: that is no progression.
    is_gone = total.all_gone(criterion.normal_node_mm)
    back = reappeared(total, course, criterion)
    grown = criterion.is_progression(total.assessed, nadir)
    since_nadir = _since_nadir(total.assessed, nadir, course.nadir_visit, criterion, places)
    if total.missing and (is_gone or not (back or grown)):
        return TargetResponse(Category.NE, (summed, NO_PROGRESSION_ALONE))
    if is_gone:
        words = "All target lesions are gone"
        if any(part.seen.nodal for part in total.parts):
            words += f", target nodes under {criterion.normal_node_mm} mm of short axis"
        return TargetResponse(Category.CR, (summed, f"{words} → CR."))
    if back:
        return TargetResponse(Category.PD, (summed, f"{listing(back)}: back after a complete response → PD."))
    if grown:
        return TargetResponse(Category.PD, (summed, f"{since_nadir}{alone_words(total)} → PD."))
    since_baseline = _since_baseline(total.assessed, baseline, criterion, places)
    reasons = (summed, f"{since_nadir}: no PD.")
    if criterion.is_partial_response(total.assessed, baseline):
        return TargetResponse(Category.PR, (*reasons, f"{since_baseline} → PR."))
    if course.is_responding and criterion.pr_carry_forward:
        return TargetResponse(
            Category.PR, (*reasons, f"{since_baseline}, but a partial response lasts until progression → PR.")
        )
    if course.is_responding:
        words = "An earlier response has not progressed; by its own numbers this visit is SD."
        finding = Finding("continuing-response", Severity.INFO, words)
        return TargetResponse(Category.SD, (*reasons, f"{since_baseline} → SD.", words), (finding,))
    return TargetResponse(Category.SD, (*reasons, f"{since_baseline} → SD."))


def shown_places(total: TargetSum, course: Course, criterion: SumCriterion) -> int:
    """Return how many places to show, so that a calculation repeated with the shown numbers comes out the same."""
    places = criterion.shown_places
    if _exact_when_shown(total, course, criterion, places):
        return places
    while places < _MOST_PLACES and not _same_when_shown(total, course, criterion, places):
        places += 1
    return places


def _exact_when_shown(total: TargetSum, course: Course, criterion: SumCriterion, places: int) -> bool:
    """Return whether nothing is rounded at all: so it is where readers measured to a tenth of a millimetre."""
    exponent = criterion.shown_exponent - places
    numbers = [part.value for part in total.parts]
    numbers += [value for value in (course.baseline_sum, course.nadir_sum) if value is not None]
    if criterion.unit == "mm":
        numbers += [part.seen.short_axis_mm for part in total.parts if part.seen.short_axis_mm is not None]
    return not any(number % _unit(exponent) for number in numbers)


@cache
def _unit(exponent: int) -> Decimal:
    return Decimal(1).scaleb(exponent)


def _same_when_shown(total: TargetSum, course: Course, criterion: SumCriterion, places: int) -> bool:
    limit = criterion.normal_node_mm
    nodes = [part.seen.short_axis_mm for part in total.parts if part.seen.nodal and part.seen.short_axis_mm is not None]
    if criterion.unit == "mm" and any(
        (criterion.shown_value(node, places) < limit) != (node < limit) for node in nodes
    ):
        return False
    if sum(criterion.shown_value(part.value, places) for part in total.parts) != criterion.shown_value(
        total.assessed, places
    ):
        return False
    if course.baseline_sum is None or course.nadir_sum is None:
        return True
    exact = total.assessed, course.baseline_sum, course.nadir_sum
    value, baseline, nadir = (criterion.shown_value(number, places) for number in exact)
    return _compared(*exact, criterion) == _compared(value, baseline, nadir, criterion)


def _compared(value: Decimal, baseline: Decimal, nadir: Decimal, criterion: SumCriterion) -> tuple[bool | str, ...]:
    """Return all that the reasons say of a sum beside its references: verdicts and changes as shown."""
    return (
        criterion.is_partial_response(value, baseline),
        criterion.is_progression(value, nadir),
        _shown_change(value, baseline, criterion.partial_response),
        _shown_change(value, nadir, criterion.progression),
        beside_limits(criterion.growth_mm(nadir, value), [criterion.progression_mm], signed=True),
    )


def _shown_change(value: Decimal, reference: Decimal, limit: Fraction) -> str:
    if reference == 0:
        return ""
    return change_beside_limits(value, reference, _percent_limit(limit))


@cache
def _percent_limit(ratio: Fraction) -> tuple[Fraction, ...]:
    return (100 * (ratio - 1),)


def alone_words(total: TargetSum) -> str:
    """Say that missing lesions change nothing of a progression, where some are."""
    return " by the assessed lesions alone, to which missing ones can only add" if total.missing else ""


def reappeared(total: TargetSum, course: Course, criterion: SumCriterion) -> list[str]:
    """Return the non-nodal targets that are there again after an overall CR, where that is PD."""
    if not (course.had_complete_response and criterion.reappearance_after_cr_is_pd):
        return []
    return [part.seen.name for part in total.parts if not part.seen.nodal and part.value > 0]


def _since_nadir(value: Decimal, nadir: Decimal, visit: str, criterion: SumCriterion, places: int) -> str:
    """Say the change from the nadir and how it stands to both limits of PD."""
    limits = (criterion.progression, criterion.progression_mm)
    growth = criterion.growth_mm(nadir, value)
    growth_shown = f"{beside_limits(growth, [limits[1]], signed=True)} mm"
    growth_words = f"{criterion.growth_name} {growth_shown}".strip()
    least_percent, least_mm = ratio_as_percent(limits[0]), f"{limits[1]} mm"
    and_mm = f" and {least_mm}" if limits[1] else ""
    reference = f"the nadir of {criterion.shown(nadir, places)} {criterion.shown_unit} ({visit})"
    if nadir == 0:
        enough = "at least" if growth >= limits[1] else "less than"
        return f"Change from nadir {growth_words} (no percentage of 0): {enough} {least_mm} larger than {reference}"
    shown = _shown_change(value, nadir, limits[0])
    by_ratio, by_growth = compared(value, limits[0], nadir) >= 0, growth >= limits[1]
    if by_ratio and by_growth:
        verdict = f"at least {least_percent}{and_mm} larger"
    elif by_ratio:
        verdict = f"at least {least_percent}, but less than {least_mm} larger"
    else:
        verdict = f"less than {least_percent} larger" if value > nadir else "not larger"
    return f"Change from nadir {shown} % ({growth_words}): {verdict} than {reference}"


def _since_baseline(value: Decimal, baseline: Decimal, criterion: SumCriterion, places: int) -> str:
    """Say the change from baseline and how it stands to the limit of PR."""
    shown = _shown_change(value, baseline, criterion.partial_response)
    enough = "at least" if criterion.is_partial_response(value, baseline) else "less than"
    least = ratio_as_percent(criterion.partial_response)
    reference = f"{criterion.shown(baseline, places)} {criterion.shown_unit}"
    return f"Change from baseline {shown} %: {enough} {least} smaller than the baseline's {reference}"
