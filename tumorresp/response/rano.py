"""RANO by size alone (Wen 2010, J Clin Oncol 28:1963-1972): enhancing lesions by the sum of products of diameters.

Steroids, the clinical state and T2/FLAIR lesions are no part of it; ``docs/criteria/rano.md`` says what that means.
"""

from collections.abc import Sequence, Set
from dataclasses import replace
from fractions import Fraction
from functools import partial

from tumorresp.domain.assessment import Assessment, Category, NewLesionStatus
from tumorresp.domain.finding import Finding, Severity
from tumorresp.domain.measurement import LesionRole
from tumorresp.response.course import Course
from tumorresp.response.observation import LesionObservation, Visit, check_order
from tumorresp.response.overall_response import overall_response
from tumorresp.response.parameters import as_pairs
from tumorresp.response.perpendicular_diameters import Diameters, diameters_of, plain, product_criterion
from tumorresp.response.product_assessment import Conclusion, ProductRule, Reading, assess_products
from tumorresp.response.rano_parameters import RanoParameters
from tumorresp.response.reasons import beside_limits, listing, percent_change, ratio_as_percent
from tumorresp.response.sum_criterion import SumCriterion
from tumorresp.response.target_response import (
    CONTRADICTORY,
    NO_PROGRESSION_ALONE,
    TargetResponse,
    alone_words,
    reappeared,
    shown_places,
)
from tumorresp.response.target_sum import TargetSum

CRITERION = "rano"


def assess_rano(visits: Sequence[Visit], parameters: RanoParameters | None = None) -> tuple[Assessment, ...]:
    """Assess every visit of a subject by the size part of RANO.

    Parameters
    ----------
    visits
        In order of date; the first is the baseline.
    parameters
        Thresholds and conventions; those for high-grade glioma by default.

    Returns
    -------
    tuple of Assessment
        One a visit, sums of products in mm2. A visit's assessment depends on no later visit.

    Raises
    ------
    InvalidInput
        If the visits are not in order of date.
    """
    check_order(visits)
    rules = parameters or RanoParameters()
    criterion = product_criterion(
        CRITERION,
        parameters=as_pairs(rules),
        partial_response=rules.partial_response,
        progression=rules.progression,
        too_small_mm=rules.too_small_mm,
        reappearance_after_cr_is_pd=rules.reappearance_after_cr_is_pd,
    )
    return assess_products(
        ProductRule(criterion, _readings(visits, rules), partial(_target, criterion, rules), partial(_conclude, rules))
    )


def _readings(visits: Sequence[Visit], rules: RanoParameters) -> tuple[Reading, ...]:
    """Return the visits with targets that are not measurable at baseline as non-target lesions."""
    if not visits:
        return ()
    targets = [seen for seen in visits[0].observations if seen.role is LesionRole.TARGET]
    small = {seen.lesion_id: size for seen in targets if (size := _not_measurable(seen, rules)) is not None}
    findings = [_as_non_target(seen, small[seen.lesion_id], rules) for seen in targets if seen.lesion_id in small]
    if len(targets) - len(small) > rules.most_targets:
        words = f"{len(targets) - len(small)} targets at baseline; RANO follows {rules.most_targets} at most."
        findings.append(Finding("too-many-targets", Severity.WARNING, words))
    reasons = tuple(item.message for item in findings if item.code == "target-not-measurable")
    first = Reading(_read(visits[0], small.keys()), reasons, tuple(findings))
    return (first, *(Reading(_read(visit, small.keys())) for visit in visits[1:]))


def _not_measurable(seen: LesionObservation, rules: RanoParameters) -> Diameters | None:
    size = None if seen.pending else diameters_of(seen, rules.too_small_mm)
    return size if size is not None and 0 < size.short_mm < rules.least_diameter_mm else None


def _as_non_target(seen: LesionObservation, size: Diameters, rules: RanoParameters) -> Finding:
    words = (
        f"{seen.name} is {size} at baseline, not {plain(rules.least_diameter_mm)} mm in both diameters: "
        "not measurable by RANO, followed as non-target."
    )
    return Finding("target-not-measurable", Severity.WARNING, words, seen.lesion_id)


def _read(visit: Visit, names: Set[str]) -> Visit:
    """Return a visit with these targets as non-target lesions, and no node, for RANO has no limit of nodes."""

    def read(seen: LesionObservation) -> LesionObservation:
        concerned = seen.lesion_id in names or (bool(seen.parents) and all(name in names for name in seen.parents))
        if seen.role is LesionRole.TARGET and concerned:
            return replace(seen, role=LesionRole.NON_TARGET, nodal=False)
        return replace(seen, nodal=False) if seen.nodal else seen

    observations = tuple(read(seen) for seen in visit.observations)
    return visit if observations == visit.observations else replace(visit, observations=observations)


def _conclude(
    rules: RanoParameters, _index: int, target: Category, non_target: Category, new: NewLesionStatus
) -> Conclusion:
    overall, words = overall_response(target, non_target, new)
    if (
        rules.non_measurable_alone_is_stable
        and target is Category.NOT_APPLICABLE
        and overall in (Category.CR, Category.NON_CR_NON_PD)
    ):
        return Conclusion(non_target, Category.SD, "without measurable disease at baseline the best response is SD.")
    return Conclusion(non_target, overall, words)


def _target(
    criterion: SumCriterion, rules: RanoParameters, _index: int, total: TargetSum, course: Course
) -> TargetResponse:
    assert course.baseline_sum is not None, "targets have a size at baseline"
    assert course.nadir_sum is not None, "the baseline is the first nadir"
    places = _places(total, course, criterion, rules)
    summed = total.in_words(criterion, places)
    if total.is_contradictory:
        return TargetResponse(Category.NE, (summed, CONTRADICTORY))
    if total.assessed == 0:
        if total.missing:
            return TargetResponse(Category.NE, (summed, "The sum is not known → NE."))
        return TargetResponse(Category.CR, (summed, "No target lesion enhances any more → CR."))
    if back := reappeared(total, course, criterion):
        return TargetResponse(Category.PD, (summed, f"{listing(back)}: back after a complete response → PD."))
    since_nadir = _since_nadir(total, course, criterion, places)
    if criterion.is_progression(total.assessed, course.nadir_sum):
        return TargetResponse(Category.PD, (summed, f"{since_nadir}{alone_words(total)} → PD."))
    if total.missing:
        return TargetResponse(Category.NE, (summed, NO_PROGRESSION_ALONE))
    return _without_progression(rules, total, course, (summed, f"{since_nadir}: no PD."))


def _places(total: TargetSum, course: Course, criterion: SumCriterion, rules: RanoParameters) -> int:
    places = shown_places(total, course, criterion)
    if not rules.with_minor_response:
        return places
    return max(places, shown_places(total, course, replace(criterion, partial_response=rules.minor_response)))


def _without_progression(
    rules: RanoParameters, total: TargetSum, course: Course, said: tuple[str, ...]
) -> TargetResponse:
    assert course.baseline_sum is not None, "targets have a size at baseline"
    limits = [(Category.PR, rules.partial_response)]
    if rules.with_minor_response:
        limits.append((Category.MR, rules.minor_response))
    change = percent_change(total.assessed, course.baseline_sum)
    shown = beside_limits(change, [100 * (limit - 1) for _, limit in limits], signed=True)
    since = f"Change from baseline {shown} %"
    for category, limit in limits:
        if change <= 100 * (limit - 1):
            return TargetResponse(
                category, (*said, f"{since}: at least {ratio_as_percent(limit)} smaller → {category}.")
            )
    words = f"{since}: less than {ratio_as_percent(limits[-1][1])} smaller → SD."
    if course.is_responding:
        note = "An earlier response has not progressed; by its own numbers this visit is SD."
        return TargetResponse(Category.SD, (*said, words, note), (Finding("continuing-response", Severity.INFO, note),))
    return TargetResponse(Category.SD, (*said, words))


def _since_nadir(total: TargetSum, course: Course, criterion: SumCriterion, places: int) -> str:
    assert course.nadir_sum is not None, "the baseline is the first nadir"
    reference = (
        f"the nadir of {criterion.shown(course.nadir_sum, places)} {criterion.shown_unit} ({course.nadir_visit})"
    )
    if course.nadir_sum == 0:
        return f"Back from {reference}"
    change = percent_change(total.assessed, course.nadir_sum)
    limit: Fraction = 100 * (criterion.progression - 1)
    least = ratio_as_percent(criterion.progression)
    verdict = (
        f"at least {least} larger" if change >= limit else f"less than {least} larger" if change > 0 else "not larger"
    )
    return f"Change from nadir {beside_limits(change, [limit], signed=True)} %: {verdict} than {reference}"
