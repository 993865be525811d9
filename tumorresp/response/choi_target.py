"""Target response by size and density (Choi 2007; Nathan 2010)."""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

from tumorresp.domain.assessment import Category
from tumorresp.domain.finding import Finding, Severity
from tumorresp.response.choi_density import Density
from tumorresp.response.choi_parameters import ChoiParameters, ProgressionReference
from tumorresp.response.course import Course
from tumorresp.response.reasons import beside_limits, listing, percent_change
from tumorresp.response.sum_criterion import SumCriterion
from tumorresp.response.target_response import (
    CONTRADICTORY,
    NO_PROGRESSION_ALONE,
    TargetResponse,
    reappeared,
    shown_places,
)
from tumorresp.response.target_sum import TargetSum


def choi_target_response(
    total: TargetSum,
    density: Density,
    course: Course,
    criterion: SumCriterion,
    rules: ChoiParameters,
    *,
    both_needed: bool,
) -> TargetResponse:
    """Return the response of the target lesions at a visit after the baseline.

    The order is CR, back after CR, PR, PD, SD; a density that is low enough excuses growth.

    Parameters
    ----------
    both_needed
        PR takes a decrease of size and density (modified Choi), not of either (Choi).
    """
    baseline, nadir = course.baseline_sum, course.nadir_sum
    assert baseline is not None, "targets have a size at baseline"
    assert nadir is not None, "the baseline is the first nadir"
    from_nadir = rules.progression_reference is ProgressionReference.NADIR
    reference = nadir if from_nadir else baseline
    places = shown_places(total, replace(course, nadir_sum=reference), criterion)
    size = total.assessed
    words = [total.in_words(criterion, places)]
    if total.is_contradictory:
        return TargetResponse(Category.NE, (*words, CONTRADICTORY))
    if total.all_gone(rules.normal_node_mm):
        return _all_gone(total, words)
    back = reappeared(total, course, criterion)
    if back:
        words.append(f"{listing(back)}: back after a complete response → PD.")
        return TargetResponse(Category.PD, tuple(words))
    words.append(_size_words(total, baseline, criterion, rules, places))
    if from_nadir:
        words.append(_growth_words(size, nadir, course.nadir_visit, criterion, rules, places))
    words += filter(None, [density.reason])
    is_grown = criterion.is_progression(size, reference)
    is_smaller = None if total.missing else criterion.is_partial_response(size, baseline)
    category, why, findings = _category(is_grown, is_smaller, density.is_decreased(rules), rules, both_needed)
    return TargetResponse(category, (*words, f"{why} → {category}."), findings)


def _all_gone(total: TargetSum, words: list[str]) -> TargetResponse:
    if total.missing:
        return TargetResponse(Category.NE, (*words, NO_PROGRESSION_ALONE))
    return TargetResponse(Category.CR, (*words, "All target lesions are gone → CR."))


def _category(
    is_grown: bool, is_smaller: bool | None, is_darker: bool | None, rules: ChoiParameters, both_needed: bool
) -> tuple[Category, str, tuple[Finding, ...]]:
    """Return the category with its reason.

    Parameters
    ----------
    is_smaller, is_darker
        The size or density is low enough for PR; None where not known.
    """
    if _is_partial_response(is_grown, is_smaller, is_darker, both_needed):
        return Category.PR, "Size and density are low enough" if is_smaller and is_darker else _either(is_darker), ()
    if is_grown and is_darker is None:
        return _grown_without_density(rules)
    if is_grown and not is_darker:
        return Category.PD, "The size has grown and the density is not low enough for PR", ()
    if is_smaller is None:
        return Category.NE, "The assessed lesions alone are no progression; the sum is not known", ()
    if is_darker is None:
        return Category.NE, "Without the density's change neither PR nor SD can be told", ()
    if is_grown:
        return Category.SD, "The size has grown, which the lower density excuses, but PR takes both", ()
    if both_needed and (is_smaller or is_darker):
        return (
            Category.SD,
            f"Only the {'size' if is_smaller else 'density'} is low enough and PR takes both; no growth",
            (),
        )
    return Category.SD, "Neither PR nor growth", ()


def _is_partial_response(is_grown: bool, is_smaller: bool | None, is_darker: bool | None, both_needed: bool) -> bool:
    if both_needed:
        return bool(is_smaller and is_darker)
    # Growth since a nadir is excused by density alone, not by a sum that is still below the baseline's.
    return bool(is_darker or (is_smaller and not is_grown))


def _either(is_darker: bool | None) -> str:
    return "The density is low enough" if is_darker else "The size is low enough"


def _grown_without_density(rules: ChoiParameters) -> tuple[Category, str, tuple[Finding, ...]]:
    if not rules.growth_alone_is_progression:
        return Category.NE, "The size has grown, but a density that could excuse it is not known", ()
    words = "The size has grown and no density is known that could excuse it"
    finding = Finding("progression-without-density", Severity.WARNING, f"{words}: PD by size alone.", decides=True)
    return Category.PD, words, (finding,)


def _size_words(
    total: TargetSum, baseline: Decimal, criterion: SumCriterion, rules: ChoiParameters, places: int
) -> str:
    """Say the change from baseline and how it stands to the limits."""
    smaller, larger = rules.size_decrease_percent, rules.size_increase_percent
    change = percent_change(total.assessed, baseline)
    is_growth_judged = rules.progression_reference is ProgressionReference.BASELINE
    if change >= larger and is_growth_judged:
        verdict = f"at least {larger} % larger"
    elif total.missing:
        verdict = f"less than {larger} % larger, and missing lesions can only add" if is_growth_judged else "incomplete"
    elif change <= -smaller:
        verdict = f"at least {smaller} % smaller"
    else:
        verdict = f"less than {smaller} % smaller"
        if is_growth_judged:
            verdict += f" and less than {larger} % larger"
    reference = f"the baseline's {criterion.shown(baseline, places)} mm"
    return f"Change from {reference} {_signed(change, -smaller, larger)} %: {verdict}."


def _growth_words(
    size: Decimal, nadir: Decimal, visit: str, criterion: SumCriterion, rules: ChoiParameters, places: int
) -> str:
    """Say the change from the nadir and how it stands to the limit of PD."""
    larger = rules.size_increase_percent
    reference = f"Change from the nadir of {criterion.shown(nadir, places)} mm ({visit})"
    if nadir == 0:
        return f"{reference} {criterion.shown(size, places)} mm: growth from nothing."
    change = percent_change(size, nadir)
    verdict = f"at least {larger} % larger" if change >= larger else f"less than {larger} % larger"
    return f"{reference} {_signed(change, larger)} %: {verdict}."


def _signed(change: Fraction, *limits: Decimal) -> str:
    return beside_limits(change, limits, signed=True)
