"""Every visit of a subject by a criterion with the sum of products of diameters (SPD): what Lugano and RANO share."""

import datetime
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from tumorresp.domain.assessment import Assessment, Category, LesionInput, NewLesionStatus, SecondaryMeasure
from tumorresp.domain.finding import Finding, Severity
from tumorresp.domain.measurement import LesionRole
from tumorresp.domain.version import SOFTWARE_VERSION
from tumorresp.response.course import Course
from tumorresp.response.new_lesions import new_lesions
from tumorresp.response.non_target_response import non_target_response
from tumorresp.response.observation import LesionObservation, Visit
from tumorresp.response.reasons import displayed_percent_change, listing
from tumorresp.response.split_and_merge import Fragments, fragments_until, from_baseline
from tumorresp.response.sum_criterion import SumCriterion
from tumorresp.response.target_response import TargetResponse, shown_places
from tumorresp.response.target_sum import TargetSum, baseline_targets, target_sum


@dataclass(frozen=True)
class Reading:
    """A visit as a criterion reads it, and what a person is told of the difference.

    Parameters
    ----------
    inputs, secondary
        Numbers that count beside the sum.
    """

    visit: Visit
    reasons: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    inputs: tuple[LesionInput, ...] = ()
    secondary: tuple[SecondaryMeasure, ...] = ()


@dataclass(frozen=True)
class Conclusion:
    """What a criterion makes of the parts of a visit."""

    non_target: Category
    overall: Category
    words: str


@dataclass(frozen=True)
class ProductRule:
    """What distinguishes one criterion with a sum of products from another.

    Parameters
    ----------
    target
        Of (index of the visit, its sum, the course before).
    conclude
        Of (index of the visit, target, non-target, new lesions).
    """

    criterion: SumCriterion
    readings: tuple[Reading, ...]
    target: Callable[[int, TargetSum, Course], TargetResponse]
    conclude: Callable[[int, Category, Category, NewLesionStatus], Conclusion]


@dataclass(frozen=True)
class _Baseline:
    """What the first visit fixes for all others."""

    has_targets: bool
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


def assess_products(rule: ProductRule) -> tuple[Assessment, ...]:
    """Assess every visit, first to last; the first is the baseline. The visits are in order of date."""
    visits = [reading.visit for reading in rule.readings]
    if not visits:
        return ()
    baseline = _baseline(visits[0], rule.criterion)
    fragments = fragments_until(visits)
    course = Course()
    assessments: list[Assessment] = []
    for index, visit in enumerate(visits):
        total = target_sum(baseline.targets, visit, rule.criterion, fragments[index])
        if index == 0:
            verdict = _at_baseline(baseline, total, rule)
        else:
            verdict = _at_follow_up(visits, index, baseline, total, course, fragments[index], rule)
        assessment = _assessment(rule.readings[index], total, course, verdict, rule.criterion)
        assessments.append(assessment)
        course = course.after(assessment, visit.name)
    return tuple(assessments)


def _baseline(visit: Visit, criterion: SumCriterion) -> _Baseline:
    targets, findings = baseline_targets(visit, criterion)
    words = "is called new at the baseline, which has no new lesions: it is not used."
    findings += tuple(
        Finding("new-at-baseline", Severity.ERROR, f"{item.name} {words}", item.lesion_id)
        for item in visit.observations
        if item.role is LesionRole.NEW
    )
    return _Baseline(
        any(item.role is LesionRole.TARGET for item in visit.observations),
        targets,
        tuple(item for item in visit.observations if item.role is LesionRole.NON_TARGET),
        findings,
    )


def _at_baseline(baseline: _Baseline, total: TargetSum, rule: ProductRule) -> _Verdict:
    if total.parts:
        reasons = [f"Baseline. {total.in_words(rule.criterion, shown_places(total, Course(), rule.criterion))}"]
    else:
        reasons = ["Baseline. No target lesion with two measured diameters."]
    if baseline.non_targets:
        reasons.append(f"Non-target lesions: {listing([item.name for item in baseline.non_targets])}.")
    return _Verdict(
        Category.BASELINE if baseline.has_targets else Category.NOT_APPLICABLE,
        Category.BASELINE if baseline.non_targets else Category.NOT_APPLICABLE,
        NewLesionStatus.NO,
        Category.BASELINE,
        (*reasons, *rule.readings[0].reasons),
        baseline.findings,
    )


def _at_follow_up(
    visits: Sequence[Visit],
    index: int,
    baseline: _Baseline,
    total: TargetSum,
    course: Course,
    fragments: Fragments,
    rule: ProductRule,
) -> _Verdict:
    normal_node_mm = rule.criterion.normal_node_mm
    target = _target(baseline, index, total, course, rule)
    non_target, non_target_words = non_target_response(baseline.non_targets, visits[index], normal_node_mm, fragments)
    new = new_lesions(visits, index, normal_node_mm, rule.criterion.progression_mm)
    end = rule.conclude(index, target.category, non_target, new.status)
    return _Verdict(
        target.category,
        end.non_target,
        new.status,
        end.overall,
        (
            *target.reasons,
            *filter(None, [non_target_words]),
            *rule.readings[index].reasons,
            *(new.reasons or ("No new lesion.",)),
            f"Overall {end.overall}: {end.words}",
        ),
        (*target.findings, *new.findings, *_without_baseline(visits, index)),
        new.progression_date if end.overall is Category.PD else None,
    )


def _target(baseline: _Baseline, index: int, total: TargetSum, course: Course, rule: ProductRule) -> TargetResponse:
    if not baseline.has_targets:
        return TargetResponse(Category.NOT_APPLICABLE, ("No target lesions at baseline.",))
    if not baseline.targets:
        return TargetResponse(Category.NE, ("No target lesion has two measured diameters at baseline → NE.",))
    return rule.target(index, total, course)


def _without_baseline(visits: Sequence[Visit], index: int) -> Iterator[Finding]:
    """Report target and non-target lesions that the baseline does not have: they are in no category."""
    for seen in visits[index].observations:
        if seen.role is not LesionRole.NEW and not from_baseline(seen, visits[0], visits[1 : index + 1]):
            words = f"{seen.name} is called {seen.role}, but the baseline has no such lesion: it is not used."
            yield Finding("lesion-without-baseline", Severity.ERROR, words, seen.lesion_id)


def _assessment(
    reading: Reading, total: TargetSum, course: Course, verdict: _Verdict, criterion: SumCriterion
) -> Assessment:
    value = total.complete
    return Assessment(
        criterion=criterion.name,
        time_point_id=reading.visit.time_point_id,
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
        reasons=verdict.reasons,
        parameters=criterion.parameters,
        software_version=SOFTWARE_VERSION,
        findings=(*verdict.findings, *total.findings, *reading.findings),
        progression_date=verdict.progression_date,
        inputs=(*total.inputs, *reading.inputs),
        secondary=reading.secondary,
    )
