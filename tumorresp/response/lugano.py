"""Lugano classification of lymphoma on CT (Cheson 2014, J Clin Oncol 32:3059-3068, Table 3, CT-based response).

The sum of products of diameters says CR, PR and SD; progression is that of one lesion from its own nadir, of the
spleen, of a non-measured lesion, or a new one. ``docs/criteria/lugano.md`` has the rules in a table.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from tumorresp.domain.assessment import Assessment, Category, NewLesionStatus
from tumorresp.domain.finding import Finding, Severity
from tumorresp.response.course import Course
from tumorresp.response.lugano_lesion import Nadirs, lesion_growths, nadirs_before
from tumorresp.response.lugano_parameters import LuganoParameters
from tumorresp.response.lugano_reading import read_as_lymphoma
from tumorresp.response.lugano_spleen import Spleen, spleen_course, spleen_of
from tumorresp.response.observation import Visit, check_order
from tumorresp.response.overall_response import overall_response
from tumorresp.response.parameters import as_pairs
from tumorresp.response.perpendicular_diameters import diameters_of, plain, product_criterion
from tumorresp.response.product_assessment import Conclusion, ProductRule, Reading, assess_products
from tumorresp.response.reasons import beside_limits, listing, percent_change, ratio_as_percent
from tumorresp.response.sum_criterion import SumCriterion
from tumorresp.response.target_response import (
    CONTRADICTORY,
    NO_PROGRESSION_ALONE,
    TargetResponse,
    reappeared,
    shown_places,
)
from tumorresp.response.target_sum import TargetPart, TargetSum

CRITERION = "lugano"


def assess_lugano(visits: Sequence[Visit], parameters: LuganoParameters | None = None) -> tuple[Assessment, ...]:
    """Assess every visit of a subject by the Lugano classification on CT.

    The spleen is an observation with organ ``spleen``, a long axis (its vertical length) and no short axis.

    Parameters
    ----------
    visits
        In order of date; the first is the baseline.
    parameters
        Thresholds and conventions; the publication's own by default.

    Returns
    -------
    tuple of Assessment
        One a visit, sums of products in mm2, the length of the spleen beside them (``secondary``). A visit's
        assessment depends on no later visit.

    Raises
    ------
    InvalidInput
        If the visits are not in order of date.
    """
    check_order(visits)
    if not visits:
        return ()
    rules = parameters or LuganoParameters()
    criterion = product_criterion(
        CRITERION,
        parameters=as_pairs(rules),
        partial_response=rules.partial_response,
        progression=rules.lesion_progression,
        too_small_mm=rules.too_small_mm,
        reappearance_after_cr_is_pd=rules.reappearance_after_cr_is_pd,
    )
    spleen, findings = spleen_of(visits[0], rules)
    organ = spleen_course(visits, spleen, rules) if spleen is not None else ()
    readings = read_as_lymphoma(visits, spleen.lesion_id if spleen is not None else "", rules)
    first = replace(readings[0], findings=(*readings[0].findings, *findings))
    rule = ProductRule(
        criterion,
        _with_spleen((first, *readings[1:]), organ),
        partial(_target, criterion, rules, nadirs_before(visits, rules)),
        partial(_conclude, organ),
    )
    return assess_products(rule)


def _with_spleen(readings: tuple[Reading, ...], organ: Sequence[Spleen]) -> tuple[Reading, ...]:
    if not organ:
        return readings
    return tuple(
        replace(
            reading,
            reasons=(*reading.reasons, spleen.reason),
            inputs=spleen.inputs,
            secondary=spleen.secondary,
        )
        for reading, spleen in zip(readings, organ, strict=True)
    )


def _conclude(
    organ: Sequence[Spleen], index: int, target: Category, non_target: Category, new: NewLesionStatus
) -> Conclusion:
    """Conclude from the parts; the spleen counts as a non-target lesion, and PR takes its response too."""
    spleen = organ[index].category if organ else Category.NOT_APPLICABLE
    together = _with_organ(non_target, spleen)
    overall, words = overall_response(target, together, new)
    if overall is Category.PR and spleen is Category.SD:
        return Conclusion(together, Category.SD, f"target {target}, but the spleen has not responded.")
    if overall is Category.PR and spleen is Category.NE:
        return Conclusion(together, Category.NE, f"target {target}, but the spleen was not assessed.")
    return Conclusion(together, overall, words)


def _with_organ(non_target: Category, spleen: Category) -> Category:
    """Return the response of the non-target lesions and the spleen together."""
    if spleen is Category.NOT_APPLICABLE:
        return non_target
    organ = Category.NON_CR_NON_PD if spleen in (Category.PR, Category.SD) else spleen
    known = (organ,) if non_target is Category.NOT_APPLICABLE else (organ, non_target)
    worst_first = (Category.PD, Category.NE, Category.NON_CR_NON_PD, Category.CR)
    return next(category for category in worst_first if category in known)


def _target(
    criterion: SumCriterion,
    rules: LuganoParameters,
    nadirs: Sequence[Nadirs],
    index: int,
    total: TargetSum,
    course: Course,
) -> TargetResponse:
    places = shown_places(total, course, criterion)
    summed = total.in_words(criterion, places)
    if total.is_contradictory:
        return TargetResponse(Category.NE, (summed, CONTRADICTORY))
    if total.parts and not total.missing and all(_is_resolved(part, rules) for part in total.parts):
        return TargetResponse(Category.CR, (summed, f"{_resolved_words(total, rules)} → CR."))
    back = reappeared(total, course, criterion)
    if back:
        return TargetResponse(Category.PD, (summed, f"{listing(back)}: back after a complete response → PD."))
    growths = tuple(lesion_growths(total.parts, nadirs[index], rules))
    grown = "; ".join(growth.words for growth in growths if growth.is_progression)
    if grown:
        return TargetResponse(Category.PD, (summed, f"From its own nadir {grown} → PD."))
    if total.missing:
        return TargetResponse(Category.NE, (summed, NO_PROGRESSION_ALONE))
    said = (summed, f"Each lesion from its own nadir: {'; '.join(growth.words for growth in growths)}: no PD.")
    return _without_progression(criterion, total, course, places, said)


def _is_resolved(part: TargetPart, rules: LuganoParameters) -> bool:
    """Return whether a lesion is gone or, if a node, of normal size."""
    if part.value == 0:
        return True
    size = diameters_of(part.seen, rules.too_small_mm)
    return part.seen.nodal and size is not None and size.long_mm <= rules.normal_node_mm


def _resolved_words(total: TargetSum, rules: LuganoParameters) -> str:
    if all(part.value == 0 for part in total.parts):
        return "All target lesions are gone"
    return f"All target nodes are at most {plain(rules.normal_node_mm)} mm long, other lesions are gone"


def _without_progression(
    criterion: SumCriterion, total: TargetSum, course: Course, places: int, said: tuple[str, ...]
) -> TargetResponse:
    baseline = course.baseline_sum
    assert baseline is not None, "targets have a size at baseline"
    limit = criterion.partial_response
    shown = beside_limits(percent_change(total.assessed, baseline), [100 * (limit - 1)], signed=True)
    reference = f"{ratio_as_percent(limit)} smaller than the baseline's {criterion.shown(baseline, places)} mm²"
    if criterion.is_partial_response(total.assessed, baseline):
        return TargetResponse(Category.PR, (*said, f"Change from baseline {shown} %: at least {reference} → PR."))
    words = f"Change from baseline {shown} %: less than {reference} → SD."
    if course.is_responding:
        note = "An earlier response has not progressed; by its own numbers this visit is SD."
        return TargetResponse(Category.SD, (*said, words, note), (Finding("continuing-response", Severity.INFO, note),))
    return TargetResponse(Category.SD, (*said, words))
