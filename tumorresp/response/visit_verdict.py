"""What every criterion makes of a visit in the same way: the baseline, the verdict, and the assessment from both."""

import datetime
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tumorresp.domain.assessment import Assessment, Category, LesionInput, NewLesionStatus, SecondaryMeasure
from tumorresp.domain.finding import Finding, Severity
from tumorresp.domain.measurement import LesionRole
from tumorresp.domain.version import SOFTWARE_VERSION
from tumorresp.response.course import Course
from tumorresp.response.new_lesions import is_normal_new
from tumorresp.response.observation import LesionObservation, Visit
from tumorresp.response.pending import waits_for_decision
from tumorresp.response.reasons import displayed_percent_change, listing
from tumorresp.response.split_and_merge import Fragments, descent_findings, from_baseline
from tumorresp.response.sum_criterion import SumCriterion
from tumorresp.response.target_response import TargetResponse, shown_places
from tumorresp.response.target_sum import TargetSum, baseline_targets, unknown_size


@dataclass(frozen=True)
class Baseline:
    """What the first visit fixes for all others.

    Parameters
    ----------
    has_targets
        Targets were chosen, measured or not.
    targets
        Those with a size, known or not.
    unknown
        Why the sizes of some are not known.
    """

    visit: Visit
    has_targets: bool
    targets: tuple[LesionObservation, ...]
    non_targets: tuple[LesionObservation, ...]
    findings: tuple[Finding, ...]
    unknown: tuple[str, ...]


@dataclass(frozen=True)
class Verdict:
    """The categories of a visit and why."""

    target: Category
    non_target: Category
    new: NewLesionStatus
    overall: Category
    reasons: tuple[str, ...]
    findings: tuple[Finding, ...]
    progression_date: datetime.date | None = None


def read_baseline(visit: Visit, criterion: SumCriterion) -> Baseline:
    """Return what the first visit fixes; what is called new there is reported."""
    targets, findings = baseline_targets(visit, criterion)
    words = "is called new at the baseline, which has no new lesions: it is not used."
    findings += tuple(
        Finding("new-at-baseline", Severity.ERROR, f"{item.name} {words}", item.lesion_id, decides=True)
        for item in visit.observations
        if item.role is LesionRole.NEW and not is_normal_new(item, criterion.normal_node_mm)
    )
    return Baseline(
        visit,
        any(item.role is LesionRole.TARGET for item in visit.observations),
        targets,
        tuple(item for item in visit.observations if item.role is LesionRole.NON_TARGET),
        findings,
        tuple(f"{item.name}: {why}" for item in targets if (why := unknown_size(item, criterion))),
    )


def verdict_at_baseline(
    baseline: Baseline, total: TargetSum, criterion: SumCriterion, size: str, more: Sequence[str] = ()
) -> Verdict:
    """Return the verdict of the first visit.

    Parameters
    ----------
    size
        What a target lesion must have, in words.
    more
        Reasons that stand after the sum.
    """
    if total.parts:
        first = f"Baseline. {total.in_words(criterion, shown_places(total, Course(), criterion))}"
    else:
        first = f"Baseline. No target lesion with {size}."
    names = [item.name for item in baseline.non_targets]
    non_targets = (f"Non-target lesions: {listing(names)}.",) if names else ()
    return Verdict(
        Category.BASELINE if baseline.has_targets else Category.NOT_APPLICABLE,
        Category.BASELINE if names else Category.NOT_APPLICABLE,
        NewLesionStatus.NO,
        Category.BASELINE,
        (first, *more, *non_targets),
        baseline.findings,
    )


def target_without_argument(baseline: Baseline, course: Course, size: str) -> TargetResponse | None:
    """Return the target response where no sum can be judged: no targets, or no baseline; None where one can.

    Parameters
    ----------
    size
        What a target lesion must have, in words.
    """
    if not baseline.has_targets:
        return TargetResponse(Category.NOT_APPLICABLE, ("No target lesions at baseline.",))
    if not baseline.targets:
        return TargetResponse(Category.NE, (f"No target lesion has {size} at baseline → NE.",))
    if course.baseline_sum is None:
        words = f"The sum of the baseline is not known ({'; '.join(baseline.unknown)}) → NE."
        return TargetResponse(Category.NE, (words,))
    return None


def lesion_findings(visits: Sequence[Visit], index: int, baseline: Baseline, fragments: Fragments) -> Iterator[Finding]:
    """Report lesions of a later visit that are in no category, or wait, and contradictions about their descent."""
    for seen in visits[index].observations:
        if seen.pending and seen.role is LesionRole.NON_TARGET:
            yield waits_for_decision(seen)
        if seen.role is not LesionRole.NEW and not from_baseline(seen, visits[0], visits[1 : index + 1], fragments):
            words = f"{seen.name} is called {seen.role}, but the baseline has no such lesion: it is not used."
            yield Finding("lesion-without-baseline", Severity.ERROR, words, seen.lesion_id, decides=True)
    yield from descent_findings(visits[0], visits[index], fragments, baseline.non_targets)


def assessment_of(
    visit: Visit,
    total: TargetSum,
    course: Course,
    verdict: Verdict,
    criterion: SumCriterion,
    *,
    findings: Sequence[Finding] = (),
    inputs: Sequence[LesionInput] = (),
    secondary: tuple[SecondaryMeasure, ...] = (),
) -> Assessment:
    """Return a visit's assessment.

    Parameters
    ----------
    course
        Up to the visit before.
    findings, inputs
        Beside those of verdict and sum.
    """
    value, is_complete = total.complete, True
    if value is None and criterion.incomplete_sum_shown and total.parts and not total.is_contradictory:
        value, is_complete = total.assessed, False
    return Assessment(
        criterion=criterion.name,
        time_point_id=visit.time_point_id,
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
        findings=(*verdict.findings, *total.findings, *findings),
        progression_date=verdict.progression_date,
        inputs=(*total.inputs, *inputs),
        secondary=secondary,
        sum_is_complete=is_complete,
    )
