"""Every visit of a subject by one criterion: target, non-target, new lesions, overall."""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

from tumorresp.domain.assessment import Assessment, Category, NewLesionStatus
from tumorresp.domain.finding import Finding, Severity
from tumorresp.domain.measurement import LesionRole
from tumorresp.domain.version import SOFTWARE_VERSION
from tumorresp.response.course import Course
from tumorresp.response.new_lesions import NewLesions, new_lesions_by_visit
from tumorresp.response.non_target_response import non_target_response
from tumorresp.response.observation import LesionObservation, Visit, check_order
from tumorresp.response.overall_response import overall_response
from tumorresp.response.reasons import displayed_percent_change, listing
from tumorresp.response.split_and_merge import Fragments, descent_findings, fragments_until, from_baseline
from tumorresp.response.sum_criterion import SumCriterion
from tumorresp.response.target_response import TargetResponse, shown_places, target_response
from tumorresp.response.target_sum import TargetSum, baseline_targets, target_sum


@dataclass(frozen=True)
class _Baseline:
    """What the first visit fixes for all others."""

    chosen_targets: tuple[LesionObservation, ...]
    targets: tuple[LesionObservation, ...]
    non_targets: tuple[LesionObservation, ...]
    findings: tuple[Finding, ...]


@dataclass(frozen=True)
class _Verdict:
    target: Category
    non_target: Category
    new: NewLesionStatus
    overall: Category
    reasons: tuple[str, ...]
    findings: tuple[Finding, ...]
    progression_date: datetime.date | None = None


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
    baseline = _baseline(visits[0], criterion)
    course = Course()
    assessments: list[Assessment] = []
    new = new_lesions_by_visit(visits, criterion.normal_node_mm, criterion.progression_mm)
    for index, (visit, fragments) in enumerate(zip(visits, fragments_until(visits), strict=True)):
        total = target_sum(baseline.targets, visit, criterion, fragments)
        if index == 0:
            verdict = _at_baseline(baseline, total, criterion)
        else:
            verdict = _at_follow_up(visits, index, baseline, total, course, criterion, fragments, new[index])
        assessment = _assessment(visits, index, total, course, criterion, verdict)
        assessments.append(assessment)
        course = course.after(assessment, visit.name)
    return tuple(assessments)


def _baseline(visit: Visit, criterion: SumCriterion) -> _Baseline:
    targets, findings = baseline_targets(visit, criterion)
    new = [item for item in visit.observations if item.role is LesionRole.NEW]
    findings += tuple(
        Finding(
            "new-at-baseline",
            Severity.ERROR,
            f"{item.name} is called new at the baseline, which has no new lesions: it is not used.",
            item.lesion_id,
        )
        for item in new
    )
    return _Baseline(_of_role(visit, LesionRole.TARGET), targets, _of_role(visit, LesionRole.NON_TARGET), findings)


def _of_role(visit: Visit, role: LesionRole) -> tuple[LesionObservation, ...]:
    return tuple(item for item in visit.observations if item.role is role)


def _at_baseline(baseline: _Baseline, total: TargetSum, criterion: SumCriterion) -> _Verdict:
    reasons = []
    if total.parts:
        reasons.append(f"Baseline. {total.in_words(criterion, shown_places(total, Course(), criterion))}")
    else:
        reasons.append("Baseline. No target lesion with a measured size.")
    if baseline.non_targets:
        reasons.append(f"Non-target lesions: {listing([item.name for item in baseline.non_targets])}.")
    return _Verdict(
        Category.BASELINE if baseline.chosen_targets else Category.NOT_APPLICABLE,
        Category.BASELINE if baseline.non_targets else Category.NOT_APPLICABLE,
        NewLesionStatus.NO,
        Category.BASELINE,
        tuple(reasons),
        baseline.findings,
    )


def _at_follow_up(
    visits: Sequence[Visit],
    index: int,
    baseline: _Baseline,
    total: TargetSum,
    course: Course,
    criterion: SumCriterion,
    fragments: Fragments,
    new: NewLesions,
) -> _Verdict:
    visit = visits[index]
    target = _target(baseline, total, course, criterion)
    non_target, non_target_words = non_target_response(baseline.non_targets, visit, criterion.normal_node_mm, fragments)
    findings = [*target.findings, *new.findings, *_without_baseline(visits, index)]
    findings += descent_findings(visits[0], visit, fragments, baseline.non_targets)
    reasons = [*target.reasons, *filter(None, [non_target_words]), *(new.reasons or ("No new lesion.",))]
    overall, words = overall_response(target.category, non_target, new.status)
    if visit.markers_elevated and criterion.markers_count and Category.CR in (non_target, overall):
        if visits[0].markers_elevated is False:
            finding = Finding("markers-rose", Severity.WARNING, _MARKERS_ROSE, visit.name)
            findings.append(finding)
            reasons.append(finding.message)
        else:
            non_target, overall, words, marker_words = _with_markers(target.category, non_target, new.status, overall)
            reasons.append(marker_words)
    return _Verdict(
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


def _target(baseline: _Baseline, total: TargetSum, course: Course, criterion: SumCriterion) -> TargetResponse:
    if not baseline.chosen_targets:
        return TargetResponse(Category.NOT_APPLICABLE, ("No target lesions at baseline.",))
    if not baseline.targets:
        return TargetResponse(Category.NE, ("No target lesion has a measured size at baseline → NE.",))
    return target_response(total, course, criterion)


def _without_baseline(visits: Sequence[Visit], index: int) -> tuple[Finding, ...]:
    """Report target and non-target lesions that the baseline does not have: they are in no category."""
    return tuple(
        Finding(
            "lesion-without-baseline",
            Severity.ERROR,
            f"{item.name} is called {item.role}, but the baseline has no such lesion: it is not used.",
            item.lesion_id,
        )
        for item in visits[index].observations
        if item.role is not LesionRole.NEW and not from_baseline(item, visits[0], visits[1 : index + 1])
    )


def _assessment(
    visits: Sequence[Visit], index: int, total: TargetSum, course: Course, criterion: SumCriterion, verdict: _Verdict
) -> Assessment:
    value = total.complete
    remarks, noticed = criterion.remarks(visits, index)
    return Assessment(
        criterion=criterion.name,
        time_point_id=visits[index].time_point_id,
        target=verdict.target,
        non_target=verdict.non_target,
        new_lesions=verdict.new,
        overall=verdict.overall,
        unit=criterion.unit,
        target_sum=value,
        baseline_sum=course.baseline_sum,
        nadir_sum=course.nadir_sum,
        change_from_baseline_percent=displayed_percent_change(value, course.baseline_sum),
        change_from_nadir_percent=displayed_percent_change(value, course.nadir_sum),
        change_from_nadir=None if value is None or course.nadir_sum is None else value - course.nadir_sum,
        reasons=(*verdict.reasons, *remarks),
        parameters=criterion.parameters,
        software_version=SOFTWARE_VERSION,
        findings=(*verdict.findings, *total.findings, *noticed),
        progression_date=verdict.progression_date,
        inputs=total.inputs,
    )
