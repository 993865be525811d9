"""Every visit of a subject by a criterion with the sum of products of diameters (SPD): what Lugano and RANO share."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tumorresp.domain.assessment import Assessment, Category, LesionInput, NewLesionStatus, SecondaryMeasure
from tumorresp.domain.finding import Finding
from tumorresp.response.course import Course
from tumorresp.response.new_lesions import NewLesions, new_lesions_by_visit
from tumorresp.response.non_target_response import non_target_response
from tumorresp.response.observation import Visit
from tumorresp.response.overall_response import withheld
from tumorresp.response.split_and_merge import Fragments, fragments_until
from tumorresp.response.sum_criterion import SumCriterion
from tumorresp.response.target_response import TargetResponse
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


def assess_products(rule: ProductRule) -> tuple[Assessment, ...]:
    """Assess every visit, first to last; the first is the baseline. The visits are in order of date."""
    visits = [reading.visit for reading in rule.readings]
    if not visits:
        return ()
    criterion = rule.criterion
    baseline = read_baseline(visits[0], criterion)
    new = new_lesions_by_visit(visits, criterion.normal_node_mm, criterion.progression_mm)
    course = Course()
    assessments: list[Assessment] = []
    for index, (reading, fragments) in enumerate(zip(rule.readings, fragments_until(visits), strict=True)):
        total = target_sum(baseline.targets, reading.visit, criterion, fragments)
        if index == 0:
            verdict = verdict_at_baseline(baseline, total, criterion, "two measured diameters", reading.reasons)
        else:
            verdict = _at_follow_up(visits, index, baseline, total, course, fragments, new[index], rule)
        assessment = assessment_of(
            reading.visit,
            total,
            course,
            verdict,
            criterion,
            findings=reading.findings,
            inputs=reading.inputs,
            secondary=reading.secondary,
        )
        assessments.append(assessment)
        course = course.after(assessment, reading.visit.name)
    return tuple(assessments)


def _at_follow_up(
    visits: Sequence[Visit],
    index: int,
    baseline: Baseline,
    total: TargetSum,
    course: Course,
    fragments: Fragments,
    new: NewLesions,
    rule: ProductRule,
) -> Verdict:
    target = _target(baseline, index, total, course, rule)
    non_target, non_target_words = non_target_response(
        baseline.non_targets, visits[index], rule.criterion.normal_node_mm, fragments
    )
    end = rule.conclude(index, target.category, non_target, new.status)
    overall, words = withheld(end.overall, end.words, new.waits)
    return Verdict(
        target.category,
        end.non_target,
        new.status,
        overall,
        (
            *target.reasons,
            *filter(None, [non_target_words]),
            *rule.readings[index].reasons,
            *new.words,
            f"Overall {overall}: {words}",
        ),
        (*target.findings, *new.findings, *lesion_findings(visits, index, baseline, fragments)),
        new.progression_date if overall is Category.PD else None,
    )


def _target(baseline: Baseline, index: int, total: TargetSum, course: Course, rule: ProductRule) -> TargetResponse:
    without = target_without_argument(baseline, course, "two measured diameters")
    return rule.target(index, total, course) if without is None else without
