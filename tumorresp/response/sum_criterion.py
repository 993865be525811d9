"""A response by the sum of target lesions: the one argument that RECIST 1.1 and its volumetric analogue share.

The order of the argument is RECIST 1.1's (sections 4.3 and 4.4): missing lesions, CR, PD, reappearance, PR, SD; then
non-target, new lesions, and the overall tables.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from tumorresp.domain.assessment import Assessment, Category, NewLesionStatus
from tumorresp.domain.finding import Finding, Severity
from tumorresp.domain.measurement import LesionRole
from tumorresp.domain.version import SOFTWARE_VERSION
from tumorresp.response.course import Course
from tumorresp.response.observation import LesionObservation, Visit
from tumorresp.response.time_point_response import (
    baseline_lesions,
    new_lesion_status,
    non_target_response,
    overall_response,
)
from tumorresp.response.words import change_percent, listing, percent


class SumCriterion(ABC):
    """What is summed, and when a sum is PR or PD."""

    name: str
    unit: str
    what: str
    parameters: tuple[tuple[str, str], ...]
    normal_node_mm: Decimal
    reappearance_after_cr_is_pd: bool
    pr_carry_forward: bool = False

    @abstractmethod
    def size(self, seen: LesionObservation) -> Decimal | None:
        """Return what a lesion adds to the sum; None where it cannot be evaluated."""

    @abstractmethod
    def is_partial_response(self, total: Decimal, baseline: Decimal) -> bool:
        """Return whether a sum is PR against the baseline sum."""

    @abstractmethod
    def is_progression(self, total: Decimal, nadir: Decimal) -> bool:
        """Return whether a sum is PD against the nadir."""

    @abstractmethod
    def in_words(self, value: Decimal) -> str:
        """Return a sum for people."""

    @property
    @abstractmethod
    def partial_response_words(self) -> str:
        """Say the rule of PR."""

    @property
    @abstractmethod
    def progression_words(self) -> str:
        """Say the rule of PD."""

    def no_size_finding(self, seen: LesionObservation) -> Finding | None:  # noqa: ARG002  for those that have one
        """Say why a lesion that is there has no size, if that is not obvious."""
        return None

    def remarks(self, visits: Sequence[Visit], index: int) -> tuple[tuple[str, ...], tuple[Finding, ...]]:  # noqa: ARG002
        """Return further reasons and findings of a visit."""
        return (), ()


@dataclass(frozen=True)
class _TargetSum:
    """The targets of one visit: sizes by lesion, and who is missing."""

    sizes: tuple[tuple[LesionObservation, Decimal], ...]
    missing: tuple[str, ...]
    findings: tuple[Finding, ...]

    @property
    def assessed(self) -> Decimal:
        return sum((size for _, size in self.sizes), Decimal(0))

    @property
    def complete(self) -> Decimal | None:
        return None if self.missing else self.assessed


def assess_sums(visits: Sequence[Visit], criterion: SumCriterion) -> tuple[Assessment, ...]:
    """Assess every visit by a criterion, first to last; the first is the baseline."""
    if not visits:
        return ()
    targets, excluded = _measurable_targets(visits, criterion)
    course = Course()
    assessed: list[Assessment] = []
    for index in range(len(visits)):
        assessment = _assess(visits, index, criterion, targets, course, excluded if index == 0 else ())
        course = course.after(assessment)
        assessed.append(assessment)
    return tuple(assessed)


def _measurable_targets(
    visits: Sequence[Visit], criterion: SumCriterion
) -> tuple[tuple[LesionObservation, ...], tuple[Finding, ...]]:
    """Return the targets with a number at baseline; the others are reported, as no change of theirs can be told."""
    targets, findings = [], []
    for lesion in baseline_lesions(visits, LesionRole.TARGET):
        if criterion.size(lesion) is not None:
            targets.append(lesion)
            continue
        words = f"Target {lesion.name} has no {criterion.what} at baseline and is in no sum."
        findings.append(Finding("target-without-baseline", Severity.ERROR, words, lesion.lesion_id))
        finding = criterion.no_size_finding(lesion)
        if finding is not None:
            findings.append(finding)
    return tuple(targets), tuple(findings)


def _target_sum(targets: Sequence[LesionObservation], visit: Visit, criterion: SumCriterion) -> _TargetSum:
    sizes, missing, findings = [], [], []
    for lesion in targets:
        seen = visit.of(lesion.lesion_id)
        size = criterion.size(seen) if seen is not None else None
        if seen is not None and size is not None:
            sizes.append((seen, size))
            continue
        missing.append(lesion.name)
        finding = criterion.no_size_finding(seen) if seen is not None else None
        if finding is not None:
            findings.append(finding)
    return _TargetSum(tuple(sizes), tuple(missing), tuple(findings))


def _assess(
    visits: Sequence[Visit],
    index: int,
    criterion: SumCriterion,
    targets: Sequence[LesionObservation],
    course: Course,
    findings: tuple[Finding, ...],
) -> Assessment:
    visit = visits[index]
    total = _target_sum(targets, visit, criterion)
    remarks, noticed = criterion.remarks(visits, index)
    reasons = [_sum_words(total, criterion)] if targets else ["There are no target lesions with a size at baseline."]
    new = NewLesionStatus.NO
    new_reasons: tuple[str, ...] = ()
    new_findings: tuple[Finding, ...] = ()
    if index == 0:
        target = Category.BASELINE if targets else Category.NOT_APPLICABLE
        has_non_targets = bool(baseline_lesions(visits, LesionRole.NON_TARGET))
        non_target = Category.BASELINE if has_non_targets else Category.NOT_APPLICABLE
        overall = Category.BASELINE
    else:
        target, why = _target_response(total, targets, criterion, course)
        reasons += why
        non_target, why_non_target = non_target_response(
            baseline_lesions(visits, LesionRole.NON_TARGET), visit, criterion.normal_node_mm
        )
        new, new_reasons, new_findings = new_lesion_status(visits, index)
        overall, why_overall = overall_response(target, non_target, new)
        reasons += [*why_non_target, *new_reasons, f"Overall {overall}: {why_overall}"]
    value = total.complete if targets else None
    return Assessment(
        criterion=criterion.name,
        time_point_id=visit.time_point_id,
        target=target,
        non_target=non_target,
        new_lesions=new,
        overall=overall,
        unit=criterion.unit,
        target_sum=value,
        baseline_sum=course.baseline_sum,
        nadir_sum=course.nadir_sum,
        change_from_baseline_percent=None if value is None else change_percent(value, course.baseline_sum),
        change_from_nadir_percent=None if value is None else change_percent(value, course.nadir_sum),
        change_from_nadir=None if value is None or course.nadir_sum is None else value - course.nadir_sum,
        reasons=(*reasons, *remarks),
        parameters=criterion.parameters,
        software_version=SOFTWARE_VERSION,
        findings=(*findings, *total.findings, *new_findings, *noticed),
    )


def _sum_words(total: _TargetSum, criterion: SumCriterion) -> str:
    parts = " + ".join(f"{seen.name} {criterion.in_words(size)}" for seen, size in total.sizes)
    if total.missing:
        return f"Not assessed: {listing(total.missing)}. The others: {parts or 'none'}."
    return f"Sum of {criterion.what} {criterion.in_words(total.assessed)}: {parts}."


def _target_response(
    total: _TargetSum, targets: Sequence[LesionObservation], criterion: SumCriterion, course: Course
) -> tuple[Category, list[str]]:
    """Return the target response with its reasons."""
    if not targets:
        return Category.NOT_APPLICABLE, []
    baseline, nadir = course.baseline_sum, course.nadir_sum
    assert baseline is not None, "targets have a size at baseline"
    assert nadir is not None, "the baseline is the first nadir"
    if total.missing:
        if total.sizes and criterion.is_progression(total.assessed, nadir):
            rule = f"{criterion.progression_words} of {criterion.in_words(nadir)}"
            return Category.PD, [f"The assessed lesions alone are {rule}; the missing ones can only add → PD."]
        return Category.NE, ["Without the missing lesions the sum is not known → NE."]
    value = total.assessed
    words = [_changes(value, baseline, nadir, criterion)]
    if _all_gone(total, criterion):
        return Category.CR, [*words, "All target lesions are gone and all target nodes are under 10 mm → CR."]
    back = [seen.name for seen, size in total.sizes if not seen.nodal and size > 0]
    if course.had_complete_response and back and criterion.reappearance_after_cr_is_pd:
        return Category.PD, [*words, f"{listing(back)} is back after a complete response → PD."]
    if criterion.is_progression(value, nadir):
        return Category.PD, [*words, f"The sum is {criterion.progression_words} of {criterion.in_words(nadir)} → PD."]
    if criterion.is_partial_response(value, baseline):
        rule = f"{criterion.partial_response_words} of {criterion.in_words(baseline)}"
        return Category.PR, [*words, f"The sum is {rule} → PR."]
    if criterion.pr_carry_forward and course.had_partial_response:
        return Category.PR, [
            *words,
            "Neither PD nor smaller by enough at this visit; an earlier PR lasts until PD → PR.",
        ]
    rules = f"neither {criterion.partial_response_words} nor {criterion.progression_words}"
    return Category.SD, [*words, f"The sum is {rules} → SD."]


def _changes(value: Decimal, baseline: Decimal, nadir: Decimal, criterion: SumCriterion) -> str:
    parts = []
    for name, reference in (("baseline", baseline), ("nadir", nadir)):
        change = change_percent(value, reference)
        words = "undefined" if change is None else percent(change)
        parts.append(f"{words} from the {name} of {criterion.in_words(reference)}")
    return f"Change: {' and '.join(parts)}."


def _all_gone(total: _TargetSum, criterion: SumCriterion) -> bool:
    return all(
        (seen.nodal and seen.short_axis_mm is not None and seen.short_axis_mm < criterion.normal_node_mm) or size == 0
        for seen, size in total.sizes
    )
