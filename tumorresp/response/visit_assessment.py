"""Every visit of a subject by one criterion: target, non-target, new lesions, overall."""

from collections.abc import Sequence
from dataclasses import replace

from tumorresp.domain.assessment import Assessment, Category, NewLesionStatus
from tumorresp.domain.finding import Finding, Severity
from tumorresp.response.course import Course
from tumorresp.response.new_lesions import NewLesions, new_lesions_by_visit
from tumorresp.response.non_target_response import non_target_response
from tumorresp.response.observation import Visit, check_order
from tumorresp.response.overall_response import overall_response, withheld
from tumorresp.response.split_and_merge import Fragments, fragments_until
from tumorresp.response.sum_criterion import SumCriterion
from tumorresp.response.target_response import TargetResponse, target_response
from tumorresp.response.target_sum import TargetSum, target_sum
from tumorresp.response.visit_verdict import (
    Baseline,
    Verdict,
    assessment_of,
    lesion_findings,
    read_baseline,
    target_without_argument,
    verdict_at_baseline,
)


def assess_visits(visits: Sequence[Visit], criterion: SumCriterion) -> tuple[Assessment, ...]:
    """Assess every visit by a criterion, first to last; the first is the baseline.

    Raises
    ------
    InvalidInput
        If the visits are not in order of date.
    """
    check_order(visits)
    if not visits:
        return ()
    baseline = read_baseline(visits[0], criterion)
    course = Course()
    assessments: list[Assessment] = []
    new = new_lesions_by_visit(visits, criterion.normal_node_mm, criterion.progression_mm)
    for index, (visit, fragments) in enumerate(zip(visits, fragments_until(visits), strict=True)):
        total = target_sum(baseline.targets, visit, criterion, fragments)
        if index == 0:
            verdict = verdict_at_baseline(baseline, total, criterion, "a measured size")
        else:
            verdict = _at_follow_up(visits, index, baseline, total, course, criterion, fragments, new[index])
        remarks, noticed = criterion.remarks(visits, index)
        verdict = replace(verdict, reasons=(*verdict.reasons, *remarks))
        assessment = assessment_of(visit, total, course, verdict, criterion, findings=noticed)
        assessments.append(assessment)
        course = course.after(assessment, visit.name)
    return tuple(assessments)


def _at_follow_up(
    visits: Sequence[Visit],
    index: int,
    baseline: Baseline,
    total: TargetSum,
    course: Course,
    criterion: SumCriterion,
    fragments: Fragments,
    new: NewLesions,
) -> Verdict:
    visit = visits[index]
    target = _target(baseline, total, course, criterion)
    non_target, non_target_words = non_target_response(baseline.non_targets, visit, criterion.normal_node_mm, fragments)
    findings = [*target.findings, *new.findings, *lesion_findings(visits, index, baseline, fragments)]
    reasons = [*target.reasons, *filter(None, [non_target_words]), *new.words]
    overall, words = overall_response(target.category, non_target, new.status)
    if visit.markers_elevated and criterion.markers_count and Category.CR in (non_target, overall):
        if visits[0].markers_elevated is False:
            finding = Finding("markers-rose", Severity.WARNING, _MARKERS_ROSE, visit.name, decides=True)
            findings.append(finding)
            reasons.append(finding.message)
        else:
            non_target, overall, words, marker_words = _with_markers(target.category, non_target, new.status, overall)
            reasons.append(marker_words)
    overall, words = withheld(overall, words, new.waits)
    return Verdict(
        target.category,
        non_target,
        new.status,
        overall,
        (*reasons, f"Overall {overall}: {words}"),
        tuple(findings),
        new.progression_date if overall is Category.PD else None,
    )


_MARKERS_ROSE = (
    "Tumour markers are above the upper limit of normal, but were not at baseline: their rise alone is no progression "
    "and does not stand against CR."
)


def _with_markers(
    target: Category, non_target: Category, new: NewLesionStatus, overall: Category
) -> tuple[Category, Category, str, str]:
    """Return non-target and overall response, why, and what to say, where markers alone stand against CR."""
    high = "Tumour markers are above the upper limit of normal"
    if non_target is Category.CR:
        non_target = Category.NON_CR_NON_PD
    if overall is not Category.CR:
        overall, words = overall_response(target, non_target, new)
        return non_target, overall, words, f"{high}: non-target {non_target}."
    if target is Category.NOT_APPLICABLE:
        overall, words = Category.NON_CR_NON_PD, "all lesions are gone, but tumour markers are not normal."
    else:
        overall, words = Category.PR, "target CR, but tumour markers are not normal."
    return non_target, overall, words, f"{high}: no complete response."


def _target(baseline: Baseline, total: TargetSum, course: Course, criterion: SumCriterion) -> TargetResponse:
    without = target_without_argument(baseline, course, "a measured size")
    return target_response(total, course, criterion) if without is None else without
