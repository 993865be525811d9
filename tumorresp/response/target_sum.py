"""The sum of the target lesions at a visit: what counts, what is missing, and how it reads."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from tumorresp.domain.assessment import LesionInput
from tumorresp.domain.finding import Finding, Severity
from tumorresp.domain.measurement import LesionRole, LesionState
from tumorresp.response.observation import LesionObservation, Visit
from tumorresp.response.pending import waits_for_decision
from tumorresp.response.reasons import listing
from tumorresp.response.split_and_merge import NONE_SPLIT, Fragments, standing, twice_at_baseline
from tumorresp.response.sum_criterion import SumCriterion, TargetSize

_DOUBTFUL = frozenset((LesionState.UNEQUIVOCAL_PROGRESSION, LesionState.EQUIVOCAL))


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
            is_provisional = any(part.seen.pending for part in self.parts)
            what, whose = (
                ("not assessed or not decided", "what is known") if is_provisional else ("not assessed", "the others")
            )
            assessed = f" {criterion.sum_name.capitalize()} of {whose} {total}: {parts}." if parts else ""
            return f"Target lesions {what}: {listing(self.missing)}.{assessed}"
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
        twice = twice_at_baseline(lesion, baseline)
        if twice is not None:
            findings.append(twice)
            continue
        size = _size(lesion, criterion)
        is_sized = size.value and lesion.state not in (LesionState.TOO_SMALL, LesionState.ABSENT)
        if is_sized or lesion.pending or size.doubt:  # it has a size, which is not known (yet)
            targets.append(lesion)
            continue
        words = f"Target {lesion.name} has no measured {criterion.size_name} at baseline: it is in no sum."
        findings.append(Finding("target-without-baseline", Severity.ERROR, words, lesion.lesion_id, decides=True))
        if size.finding is not None:
            findings.append(size.finding)
    return tuple(targets), tuple(findings)


def unknown_size(lesion: LesionObservation, criterion: SumCriterion) -> str:
    """Return why the size of a lesion that is there is not known, for a decision that waits or a doubt; else empty."""
    return lesion.pending or _size(lesion, criterion).doubt


def target_sum(
    targets: Sequence[LesionObservation],
    visit: Visit,
    criterion: SumCriterion,
    fragments: Fragments = NONE_SPLIT,
) -> TargetSum:
    """Return the sum of a visit over the targets of the baseline.

    Parameters
    ----------
    fragments
        Of lesions that split or merged, up to this visit; see ``fragments_until``.

    Returns
    -------
    TargetSum
        What is sure of a lesion of which something waits for a decision is among the parts, and the lesion is missing:
        the rest can only add to it.
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
        if not stands.observations:
            missing.append(lesion.name)
            inputs.append(_no_input(lesion.lesion_id, criterion, "contradictory" if stands.finding else "not assessed"))
            continue
        for name in stands.missing:
            missing.append(f"{name} ({fragments.origin(name)})")
            inputs.append(_no_input(name, criterion, "not assessed"))
        for seen in stands.observations:
            if seen.lesion_id in counted:
                inputs.append(_no_input(lesion.lesion_id, criterion, f"counted with {seen.lesion_id}"))
                continue
            counted.add(seen.lesion_id)
            size = _size(seen, criterion)
            origin = "" if seen.lesion_id == lesion.lesion_id else fragments.origin(seen.lesion_id)
            note = ", ".join(filter(None, (origin, size.note, "provisional" if seen.pending else "")))
            inputs.append(_input(seen, size, criterion, note))
            if size.finding is not None:
                findings.append(size.finding)
            if seen.state in _DOUBTFUL:
                findings += _doubts(seen, is_sized=size.value is not None)
            if size.value is not None:
                parts.append(TargetPart(seen, size.value, note))
            if seen.pending:
                findings.append(waits_for_decision(seen))
            if size.value is None or seen.pending:
                why = seen.pending or size.doubt or origin
                missing.append(f"{seen.name if origin else lesion.name}{f' ({why})' if why else ''}")
    return TargetSum(tuple(parts), tuple(missing), tuple(findings), tuple(inputs), is_contradictory)


def _input(seen: LesionObservation, size: TargetSize, criterion: SumCriterion, note: str) -> LesionInput:
    quantity = size.quantity or criterion.size_name
    return LesionInput(seen.lesion_id, quantity, size.value, criterion.unit, note, seen.source)


def _no_input(lesion_id: str, criterion: SumCriterion, note: str) -> LesionInput:
    return LesionInput(lesion_id, criterion.size_name, None, criterion.unit, note)


def _size(seen: LesionObservation, criterion: SumCriterion) -> TargetSize:
    if seen.is_contradictory:
        words = f"{seen.name} is called absent, but has a size: it is not evaluable until one of the two is corrected."
        return TargetSize(
            None, finding=Finding("absent-with-size", Severity.ERROR, words, seen.lesion_id, decides=True)
        )
    return criterion.size(seen)


def _doubts(seen: LesionObservation, *, is_sized: bool) -> Iterator[Finding]:
    if seen.state is LesionState.UNEQUIVOCAL_PROGRESSION:
        words = f"{seen.name} is called progressive; target lesions are judged by their sum alone."
        severity = Severity.INFO
        if not is_sized:
            words, severity = f"{words} Without a size it is not evaluable: measure it.", Severity.WARNING
        yield Finding("progression-of-target-stated", severity, words, seen.lesion_id, decides=not is_sized)
    elif is_sized:
        words = f"{seen.name} is called equivocal; its size counts in the sum."
        yield Finding("equivocal-target", Severity.WARNING, words, seen.lesion_id)
