"""The sum of the target lesions at a visit: what counts, what is missing, and how it reads."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType

from tumorresp.domain.assessment import LesionInput
from tumorresp.domain.finding import Finding, Severity
from tumorresp.domain.measurement import LesionRole, LesionState
from tumorresp.response.observation import LesionObservation, Visit
from tumorresp.response.reasons import listing
from tumorresp.response.split_and_merge import Fragments, Standing, StandsFor, standing
from tumorresp.response.sum_criterion import SumCriterion, TargetSize


@dataclass(frozen=True)
class TargetPart:
    """A target lesion's share of the sum.

    Parameters
    ----------
    seen
        The lesion, one of its fragments, or the conglomerate that it is in.
    """

    seen: LesionObservation
    value: Decimal
    note: str


@dataclass(frozen=True)
class TargetSum:
    """The targets of one visit: sizes by lesion, and which are missing."""

    parts: tuple[TargetPart, ...]
    missing: tuple[str, ...]
    findings: tuple[Finding, ...]
    inputs: tuple[LesionInput, ...] = ()
    is_contradictory: bool = False
    """Lesions split or merged in a way that would count something twice."""

    @property
    def assessed(self) -> Decimal:
        """Sum of the lesions that were assessed."""
        return sum((part.value for part in self.parts), Decimal(0))

    @property
    def complete(self) -> Decimal | None:
        """The sum; None when a lesion is missing or there is none."""
        return None if self.missing or not self.parts else self.assessed

    def all_gone(self, normal_node_mm: Decimal) -> bool:
        """Return whether every assessed target is gone or, if a node, normal."""
        return all(
            part.seen.is_gone(normal_node_mm) or (not part.seen.nodal and part.value == 0) for part in self.parts
        )

    def in_words(self, criterion: SumCriterion, places: int) -> str:
        """Return the sum with its parts, for people."""
        parts = " + ".join(
            f"{part.seen.name} {criterion.shown(part.value, places)}{f' ({part.note})' if part.note else ''}"
            for part in self.parts
        )
        total = f"{criterion.shown(self.assessed, places)} {criterion.shown_unit}"
        if self.missing:
            assessed = f" {criterion.sum_name.capitalize()} of the others {total}: {parts}." if parts else ""
            return f"Target lesions not assessed: {listing(self.missing)}.{assessed}"
        return f"{criterion.sum_name.capitalize()} {total}: {parts}."


def baseline_targets(
    baseline: Visit, criterion: SumCriterion
) -> tuple[tuple[LesionObservation, ...], tuple[Finding, ...]]:
    """Return the targets with a measured size at baseline; the others are reported, as no change of theirs is known."""
    targets: list[LesionObservation] = []
    findings: list[Finding] = []
    for lesion in baseline.observations:
        if lesion.role is not LesionRole.TARGET:
            continue
        size = _size(lesion, criterion)
        if size.value and lesion.state not in (LesionState.TOO_SMALL, LesionState.ABSENT):
            targets.append(lesion)
            continue
        words = f"Target {lesion.name} has no measured {criterion.size_name} at baseline: it is in no sum."
        findings.append(Finding("target-without-baseline", Severity.ERROR, words, lesion.lesion_id))
        if size.finding is not None:
            findings.append(size.finding)
    return tuple(targets), tuple(findings)


def target_sum(
    targets: Sequence[LesionObservation],
    visit: Visit,
    criterion: SumCriterion,
    fragments: Fragments = MappingProxyType({}),
) -> TargetSum:
    """Return the sum of a visit over the targets of the baseline.

    Parameters
    ----------
    fragments
        Of lesions that split, up to this visit; see ``fragments_until``.
    """
    parts: list[TargetPart] = []
    missing: list[str] = []
    findings: list[Finding] = []
    inputs: list[LesionInput] = []
    counted: set[str] = set()
    is_contradictory = False
    for lesion in targets:
        stands = standing(lesion, visit, fragments)
        if stands.finding is not None:
            findings.append(stands.finding)
            is_contradictory = True
        sizes = [(seen, _size(seen, criterion)) for seen in stands.observations if seen.lesion_id not in counted]
        findings += [size.finding for _, size in sizes if size.finding is not None]
        inputs += _inputs(lesion, sizes, criterion)
        if not stands.is_known or any(size.value is None for _, size in sizes):
            missing.append(lesion.name)
            continue
        for seen, size in sizes:
            assert size.value is not None, "checked above"
            parts.append(TargetPart(seen, size.value, _note(lesion, stands, size.note)))
            findings += _doubts(seen)
            counted.add(seen.lesion_id)
    return TargetSum(tuple(parts), tuple(missing), tuple(findings), tuple(inputs), is_contradictory)


def _note(lesion: LesionObservation, stands: Standing, note: str) -> str:
    if stands.how is StandsFor.ITSELF:
        return note
    words = {
        StandsFor.FRAGMENTS: f"fragment of {lesion.lesion_id}",
        StandsFor.CONGLOMERATE: f"conglomerate of {listing(stands.observations[0].parents)}",
    }[stands.how]
    return ", ".join(filter(None, (words, note)))


def _inputs(
    lesion: LesionObservation, sizes: Sequence[tuple[LesionObservation, TargetSize]], criterion: SumCriterion
) -> Iterator[LesionInput]:
    for seen, size in sizes:
        yield LesionInput(
            seen.lesion_id, size.quantity or criterion.size_name, size.value, criterion.unit, size.note, seen.source
        )
    if not sizes:
        yield LesionInput(lesion.lesion_id, criterion.size_name, None, criterion.unit, "not assessed or counted above")


def _size(seen: LesionObservation, criterion: SumCriterion) -> TargetSize:
    if seen.is_contradictory:
        words = f"{seen.name} is called absent, but has a size: it is not evaluable until one of the two is corrected."
        return TargetSize(None, finding=Finding("absent-with-size", Severity.ERROR, words, seen.lesion_id))
    return criterion.size(seen)


def _doubts(seen: LesionObservation) -> tuple[Finding, ...]:
    if seen.state is LesionState.UNEQUIVOCAL_PROGRESSION:
        words = f"{seen.name} is called progressive; target lesions are judged by their sum alone."
        return (Finding("progression-of-target-stated", Severity.INFO, words, seen.lesion_id),)
    if seen.state is LesionState.EQUIVOCAL:
        words = f"{seen.name} is called equivocal; its size counts in the sum."
        return (Finding("equivocal-target", Severity.WARNING, words, seen.lesion_id),)
    return ()
