"""Choi criteria and their modification: size and density of the target lesions, on portal venous CT.

Choi et al., J Clin Oncol 25 (2007) 1753-1759 (gastrointestinal stromal tumour): PR by size or density. Modified, Nathan
et al., Cancer Biol Ther 9 (2010) 15-19 (renal cell carcinoma): PR by both. ``docs/criteria/choi.md`` has the rules in
a table.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import partial

from tumorresp.domain.assessment import Assessment, Category, LesionInput
from tumorresp.domain.finding import Finding, Severity
from tumorresp.domain.measurement import LesionRole, LesionState
from tumorresp.response.choi_density import Density, baseline_density, density_at, density_of
from tumorresp.response.choi_parameters import ChoiParameters
from tumorresp.response.choi_target import choi_target_response
from tumorresp.response.course import Course
from tumorresp.response.new_lesions import NewLesions, new_lesions_by_visit
from tumorresp.response.non_target_response import non_target_response
from tumorresp.response.observation import LesionObservation, Visit, check_order
from tumorresp.response.overall_response import overall_response, withheld
from tumorresp.response.parameters import as_pairs
from tumorresp.response.reasons import listing
from tumorresp.response.split_and_merge import Fragments, fragments_until
from tumorresp.response.sum_criterion import Remarks, SumCriterion, TargetSize
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

CHOI = "choi"
MODIFIED_CHOI = "choi-modified"


@dataclass(frozen=True)
class _Rule:
    """A Choi criterion: its parameters, its size as a sum, and whether PR takes both size and density."""

    rules: ChoiParameters
    criterion: SumCriterion
    both_needed: bool


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
        return TargetSize(None, finding=Finding("no-long-axis", Severity.ERROR, words, seen.lesion_id, decides=True))
    return TargetSize(None)


def _growth(reference: Decimal, total: Decimal) -> Decimal:
    return total - reference


def _no_remarks(_visits: Sequence[Visit], _index: int) -> Remarks:
    return (), ()


def _assess(visits: Sequence[Visit], rule: _Rule) -> tuple[Assessment, ...]:
    check_order(visits)
    if not visits:
        return ()
    baseline = read_baseline(visits[0], rule.criterion)
    new = new_lesions_by_visit(visits, rule.rules.normal_node_mm, Decimal(0))
    course, first_parts = Course(), {}
    assessments: list[Assessment] = []
    for index, (visit, fragments) in enumerate(zip(visits, fragments_until(visits), strict=True)):
        total = target_sum(baseline.targets, visit, rule.criterion, fragments)
        if index == 0:
            first_parts = {part.seen.lesion_id: part for part in total.parts}
            density = baseline_density(total, rule.rules)
            words = [density.reason] if density.reason else []
            verdict = verdict_at_baseline(baseline, total, rule.criterion, "a measured size", words)
        else:
            density = density_at(total, first_parts, rule.rules)
            verdict = _at_follow_up(visits, index, baseline, total, density, course, fragments, new[index], rule)
        assessment = assessment_of(
            visit,
            total,
            course,
            verdict,
            rule.criterion,
            findings=density.findings,
            inputs=tuple(_densities(total)),
            secondary=(density.measure(),) if total.parts else (),
        )
        assessments.append(assessment)
        course = course.after(assessment, visit.name)
    return tuple(assessments)


def _at_follow_up(
    visits: Sequence[Visit],
    index: int,
    baseline: Baseline,
    total: TargetSum,
    density: Density,
    course: Course,
    fragments: Fragments,
    new: NewLesions,
    rule: _Rule,
) -> Verdict:
    target = _target(baseline, total, density, course, rule)
    non_target, non_target_words = non_target_response(
        baseline.non_targets, visits[index], rule.rules.normal_node_mm, fragments
    )
    overall, words = withheld(*overall_response(target.category, non_target, new.status), new.waits)
    return Verdict(
        target.category,
        non_target,
        new.status,
        overall,
        (
            *target.reasons,
            *filter(None, [non_target_words]),
            *new.words,
            *_intratumoural(visits, index),
            f"Overall {overall}: {words}",
        ),
        (*target.findings, *new.findings, *lesion_findings(visits, index, baseline, fragments)),
        new.progression_date if overall is Category.PD else None,
    )


def _target(baseline: Baseline, total: TargetSum, density: Density, course: Course, rule: _Rule) -> TargetResponse:
    without = target_without_argument(baseline, course, "a measured size")
    if without is not None:
        return without
    return choi_target_response(total, density, course, rule.criterion, rule.rules, both_needed=rule.both_needed)


def _intratumoural(visits: Sequence[Visit], index: int) -> Iterator[str]:
    """Name the new lesions that lie in a lesion of the baseline, as their parents say."""
    for seen in visits[index].observations:
        if seen.role is LesionRole.NEW and seen.parents and visits[0].of(seen.lesion_id) is None:
            hosts = [parent for parent in seen.parents if visits[0].of(parent) is not None]
            if hosts:
                yield f"{seen.name} is a nodule inside {listing(hosts)}: it counts as a new lesion."


def _densities(total: TargetSum) -> Iterator[LesionInput]:
    for part in total.parts:
        density = density_of(part.seen)
        if density is not None:
            yield LesionInput(part.seen.lesion_id, "mean density", density, "HU", "", part.seen.source)
