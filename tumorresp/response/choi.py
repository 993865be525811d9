"""Choi criteria and their modification: size and density of the target lesions, on portal venous CT.

Choi et al., J Clin Oncol 25 (2007) 1753-1759 (gastrointestinal stromal tumour): PR by size or density. Modified, Nathan
et al., Cancer Biol Ther 9 (2010) 15-19 (renal cell carcinoma): PR by both. ``docs/criteria/choi.md`` has the rules in
a table.
"""

import datetime
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import partial

from tumorresp.domain.assessment import Assessment, Category, LesionInput, NewLesionStatus
from tumorresp.domain.finding import Finding, Severity
from tumorresp.domain.measurement import LesionRole, LesionState
from tumorresp.domain.version import SOFTWARE_VERSION
from tumorresp.response.choi_density import Density, baseline_density, density_at, density_of
from tumorresp.response.choi_parameters import ChoiParameters
from tumorresp.response.choi_target import choi_target_response
from tumorresp.response.course import Course
from tumorresp.response.new_lesions import new_lesions
from tumorresp.response.non_target_response import non_target_response
from tumorresp.response.observation import LesionObservation, Visit, check_order
from tumorresp.response.overall_response import overall_response
from tumorresp.response.parameters import as_pairs
from tumorresp.response.reasons import displayed_percent_change, listing
from tumorresp.response.split_and_merge import Fragments, fragments_until, from_baseline
from tumorresp.response.sum_criterion import Remarks, SumCriterion, TargetSize
from tumorresp.response.target_response import TargetResponse, shown_places
from tumorresp.response.target_sum import TargetPart, TargetSum, baseline_targets, target_sum

CHOI = "choi"
MODIFIED_CHOI = "choi-modified"


@dataclass(frozen=True)
class _Rule:
    """A Choi criterion: its parameters, its size as a sum, and whether PR takes both size and density."""

    rules: ChoiParameters
    criterion: SumCriterion
    both_needed: bool


@dataclass(frozen=True)
class _Baseline:
    """What the first visit fixes for all others."""

    has_targets: bool
    targets: tuple[LesionObservation, ...]
    parts: Mapping[str, TargetPart]
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


def assess_choi(visits: Sequence[Visit], parameters: ChoiParameters | None = None) -> tuple[Assessment, ...]:
    """Assess every visit of a subject by the Choi criteria: PR by size or density.

    Parameters
    ----------
    visits
        In order of date; the first is the baseline.
    parameters
        Thresholds and conventions; the publication's own by default.

    Returns
    -------
    tuple of Assessment
        One a visit, sums of longest diameters in mm, the mean density in HU beside them (``secondary``). A visit's
        assessment depends on no later visit.

    Raises
    ------
    InvalidInput
        If the visits are not in order of date.
    """
    return _assess(visits, _rule(CHOI, parameters or ChoiParameters(), both_needed=False))


def assess_modified_choi(visits: Sequence[Visit], parameters: ChoiParameters | None = None) -> tuple[Assessment, ...]:
    """Assess every visit of a subject by the modified Choi criteria: PR by size and density.

    Parameters, result and errors are those of ``assess_choi``.
    """
    return _assess(visits, _rule(MODIFIED_CHOI, parameters or ChoiParameters(), both_needed=True))


def _rule(name: str, rules: ChoiParameters, *, both_needed: bool) -> _Rule:
    criterion = SumCriterion(
        name=name,
        unit="mm",
        sum_name="sum of longest diameters",
        size_name="longest diameter",
        shown_unit="mm",
        shown_exponent=0,
        shown_places=1,
        partial_response=1 - Fraction(rules.size_decrease_percent) / 100,
        progression=1 + Fraction(rules.size_increase_percent) / 100,
        progression_mm=Decimal(0),
        growth_name="",
        normal_node_mm=rules.normal_node_mm,
        reappearance_after_cr_is_pd=rules.reappearance_after_cr_is_pd,
        pr_carry_forward=False,
        parameters=as_pairs(rules),
        size=partial(_longest_diameter, rules),
        growth_mm=_growth,
        remarks=_no_remarks,
    )
    return _Rule(rules, criterion, both_needed)


def _longest_diameter(rules: ChoiParameters, seen: LesionObservation) -> TargetSize:
    """Return the long axis, of nodes too; 0 when absent."""
    if seen.state is LesionState.NOT_EVALUABLE:
        return TargetSize(None)
    if seen.state is LesionState.ABSENT:
        return TargetSize(Decimal(0), "absent")
    if seen.long_axis_mm is not None:
        return TargetSize(seen.long_axis_mm, quantity="long axis")
    if seen.state is LesionState.TOO_SMALL:
        return TargetSize(rules.too_small_mm, "too small to measure")
    if seen.short_axis_mm is not None:
        words = f"{seen.name} has a short axis only; the Choi criteria sum longest diameters: it is not evaluable."
        return TargetSize(None, finding=Finding("no-long-axis", Severity.ERROR, words, seen.lesion_id))
    return TargetSize(None)


def _growth(reference: Decimal, total: Decimal) -> Decimal:
    return total - reference


def _no_remarks(_visits: Sequence[Visit], _index: int) -> Remarks:
    return (), ()


def _assess(visits: Sequence[Visit], rule: _Rule) -> tuple[Assessment, ...]:
    check_order(visits)
    if not visits:
        return ()
    total = target_sum(baseline_targets(visits[0], rule.criterion)[0], visits[0], rule.criterion)
    baseline = _baseline(visits[0], total, rule)
    density = baseline_density(total, rule.rules)
    course, fragments = Course(), fragments_until(visits)
    verdict = _at_baseline(baseline, total, density, rule)
    assessments = [_assessment(visits[0], total, density, course, verdict, rule)]
    for index, visit in enumerate(visits[1:], start=1):
        course = course.after(assessments[-1], visits[index - 1].name)
        total = target_sum(baseline.targets, visit, rule.criterion, fragments[index])
        density = density_at(total, baseline.parts, rule.rules)
        verdict = _at_follow_up(visits, index, baseline, total, density, course, fragments[index], rule)
        assessments.append(_assessment(visit, total, density, course, verdict, rule))
    return tuple(assessments)


def _baseline(visit: Visit, total: TargetSum, rule: _Rule) -> _Baseline:
    targets, findings = baseline_targets(visit, rule.criterion)
    new = [item for item in visit.observations if item.role is LesionRole.NEW]
    words = "is called new at the baseline, which has no new lesions: it is not used."
    findings += tuple(
        Finding("new-at-baseline", Severity.ERROR, f"{item.name} {words}", item.lesion_id) for item in new
    )
    return _Baseline(
        any(item.role is LesionRole.TARGET for item in visit.observations),
        targets,
        {part.seen.lesion_id: part for part in total.parts},
        tuple(item for item in visit.observations if item.role is LesionRole.NON_TARGET),
        findings,
    )


def _at_baseline(baseline: _Baseline, total: TargetSum, density: Density, rule: _Rule) -> _Verdict:
    if total.parts:
        reasons = [f"Baseline. {total.in_words(rule.criterion, shown_places(total, Course(), rule.criterion))}"]
    else:
        reasons = ["Baseline. No target lesion with a measured size."]
    reasons += filter(None, [density.reason])
    if baseline.non_targets:
        reasons.append(f"Non-target lesions: {listing([item.name for item in baseline.non_targets])}.")
    return _Verdict(
        Category.BASELINE if baseline.has_targets else Category.NOT_APPLICABLE,
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
    density: Density,
    course: Course,
    fragments: Fragments,
    rule: _Rule,
) -> _Verdict:
    normal_node_mm = rule.rules.normal_node_mm
    target = _target(baseline, total, density, course, rule)
    non_target, non_target_words = non_target_response(baseline.non_targets, visits[index], normal_node_mm, fragments)
    new = new_lesions(visits, index, normal_node_mm, Decimal(0))
    overall, words = overall_response(target.category, non_target, new.status)
    return _Verdict(
        target.category,
        non_target,
        new.status,
        overall,
        (
            *target.reasons,
            *filter(None, [non_target_words]),
            *(new.reasons or ("No new lesion.",)),
            *_intratumoural(visits, index),
            f"Overall {overall}: {words}",
        ),
        (*target.findings, *new.findings, *_without_baseline(visits, index)),
        new.progression_date if overall is Category.PD else None,
    )


def _target(baseline: _Baseline, total: TargetSum, density: Density, course: Course, rule: _Rule) -> TargetResponse:
    if not baseline.has_targets:
        return TargetResponse(Category.NOT_APPLICABLE, ("No target lesions at baseline.",))
    if not baseline.targets:
        return TargetResponse(Category.NE, ("No target lesion has a measured size at baseline → NE.",))
    return choi_target_response(total, density, course, rule.criterion, rule.rules, both_needed=rule.both_needed)


def _intratumoural(visits: Sequence[Visit], index: int) -> Iterator[str]:
    """Name the new lesions that lie in a lesion of the baseline, as their parents say."""
    for seen in visits[index].observations:
        if seen.role is LesionRole.NEW and seen.parents and visits[0].of(seen.lesion_id) is None:
            hosts = [parent for parent in seen.parents if visits[0].of(parent) is not None]
            if hosts:
                yield f"{seen.name} is a nodule inside {listing(hosts)}: it counts as a new lesion."


def _without_baseline(visits: Sequence[Visit], index: int) -> Iterator[Finding]:
    """Report target and non-target lesions that the baseline does not have: they are in no category."""
    for seen in visits[index].observations:
        if seen.role is not LesionRole.NEW and not from_baseline(seen, visits[0], visits[1 : index + 1]):
            words = f"{seen.name} is called {seen.role}, but the baseline has no such lesion: it is not used."
            yield Finding("lesion-without-baseline", Severity.ERROR, words, seen.lesion_id)


def _densities(total: TargetSum) -> Iterator[LesionInput]:
    for part in total.parts:
        density = density_of(part.seen)
        if density is not None:
            yield LesionInput(part.seen.lesion_id, "mean density", density, "HU", "", part.seen.source)


def _assessment(
    visit: Visit, total: TargetSum, density: Density, course: Course, verdict: _Verdict, rule: _Rule
) -> Assessment:
    size = total.complete
    return Assessment(
        criterion=rule.criterion.name,
        time_point_id=visit.time_point_id,
        target=verdict.target,
        non_target=verdict.non_target,
        new_lesions=verdict.new,
        overall=verdict.overall,
        unit=rule.criterion.unit,
        target_sum=size,
        baseline_sum=course.baseline_sum,
        nadir_sum=course.nadir_sum,
        change_from_baseline_percent=displayed_percent_change(size, course.baseline_sum),
        change_from_nadir_percent=displayed_percent_change(size, course.nadir_sum),
        change_from_nadir=None if size is None or course.nadir_sum is None else size - course.nadir_sum,
        reasons=verdict.reasons,
        parameters=rule.criterion.parameters,
        software_version=SOFTWARE_VERSION,
        findings=(*verdict.findings, *total.findings, *density.findings),
        progression_date=verdict.progression_date,
        inputs=(*total.inputs, *_densities(total)),
        secondary=(density.measure(),) if total.parts else (),
    )
