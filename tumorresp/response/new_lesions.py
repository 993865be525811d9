"""Whether there are new lesions at a time point (RECIST 1.1, section 4.3.5)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from tumorresp.domain.assessment import NewLesionStatus
from tumorresp.domain.finding import Finding, Severity
from tumorresp.domain.measurement import LesionRole, LesionState
from tumorresp.response.observation import LesionObservation, Visit
from tumorresp.response.reasons import beside_limits, listing


@dataclass(frozen=True)
class NewLesions:
    """The status of a visit, with reasons and findings."""

    status: NewLesionStatus
    reasons: tuple[str, ...]
    findings: tuple[Finding, ...]
    progression_date: date | None = None
    """From when progression counts, where a lesion that was equivocal before is confirmed here."""


@dataclass(frozen=True)
class _Judged:
    """One new lesion at one visit."""

    name: str
    status: NewLesionStatus
    finding: Finding | None = None
    since: date | None = None


def new_lesions(visits: Sequence[Visit], index: int, normal_node_mm: Decimal, growth_mm: Decimal) -> NewLesions:
    """Return whether new lesions are seen at a visit.

    An equivocal lesion does not count until a later visit confirms it; progression then dates from its first
    appearance. A new lesion counts until a reader says that it is gone. Roles are those of the baseline: what is
    called new there is not new later.

    Parameters
    ----------
    index
        Of the visit, from 1.
    normal_node_mm
        A node under this short axis is no lesion.
    growth_mm
        A node that was seen normal and has grown by less is equivocal (9 to 11 mm need not be disease).
    """
    old = {item.lesion_id for item in visits[0].observations}
    lesions = {
        item.lesion_id: item
        for visit in visits[1 : index + 1]
        for item in visit.observations
        if item.role is LesionRole.NEW and item.lesion_id not in old
    }
    judged = [_judge(visits, index, lesions[lesion_id], normal_node_mm, growth_mm) for lesion_id in sorted(lesions)]
    definite = [item.name for item in judged if item.status is NewLesionStatus.YES]
    equivocal = [item.name for item in judged if item.status is NewLesionStatus.EQUIVOCAL]
    findings = [item.finding for item in judged if item.finding is not None]
    reasons = []
    if definite:
        reasons.append(f"New lesion: {listing(definite)}.")
    if equivocal:
        reasons.append(f"Equivocal new lesion, not counted until it is confirmed: {listing(equivocal)}.")
    reasons += [item.message for item in findings]
    status = NewLesionStatus.NO
    if judged:
        status = max((item.status for item in judged), key=list(NewLesionStatus).index)
    since = [item.since for item in judged if item.since is not None]
    return NewLesions(status, tuple(reasons), tuple(findings), min(since, default=None))


def _judge(
    visits: Sequence[Visit], index: int, lesion: LesionObservation, normal_node_mm: Decimal, growth_mm: Decimal
) -> _Judged:
    course = [_status(visits, number, lesion, normal_node_mm, growth_mm) for number in range(1, index + 1)]
    known = [(number, status) for number, status in enumerate(course, start=1) if status is not None]
    if not known:
        return _Judged(lesion.name, NewLesionStatus.NO)
    last_number, last = known[-1]
    if last_number < index and last is not NewLesionStatus.NO:
        words = f"{lesion.name}, new at {visits[last_number].name}, was not assessed here; it counts as it did there."
        finding = Finding("new-lesion-not-assessed", Severity.WARNING, words, lesion.lesion_id)
        return _Judged(lesion.name, last, finding)
    if last is NewLesionStatus.YES:
        return _confirmed(visits, lesion, known)
    if last is NewLesionStatus.EQUIVOCAL:
        return _Judged(lesion.name, last, _equivocal(visits, index, lesion, normal_node_mm))
    return _Judged(lesion.name, last)


def _status(
    visits: Sequence[Visit], number: int, lesion: LesionObservation, normal_node_mm: Decimal, growth_mm: Decimal
) -> NewLesionStatus | None:
    """Return what a lesion was at one visit, None when it was not assessed there."""
    seen = visits[number].of(lesion.lesion_id)
    gone = None if seen is None else seen.is_gone(normal_node_mm)
    if seen is None or seen.state is LesionState.NOT_EVALUABLE or seen.is_contradictory:
        return None
    if gone:
        return NewLesionStatus.NO
    if seen.state is LesionState.EQUIVOCAL or _barely_grown(visits[1:number], seen, normal_node_mm, growth_mm):
        return NewLesionStatus.EQUIVOCAL
    return NewLesionStatus.YES


def _barely_grown(
    earlier: Sequence[Visit], seen: LesionObservation, normal_node_mm: Decimal, growth_mm: Decimal
) -> bool:
    """Return whether a node was seen normal before and has grown by less than a measurable amount since."""
    before = [
        item.short_axis_mm
        for visit in earlier
        if (item := visit.of(seen.lesion_id)) is not None and item.short_axis_mm is not None
    ]
    if not seen.nodal or seen.short_axis_mm is None or not before or min(before) >= normal_node_mm:
        return False
    return seen.short_axis_mm - min(before) < growth_mm


def _confirmed(
    visits: Sequence[Visit], lesion: LesionObservation, known: Sequence[tuple[int, NewLesionStatus]]
) -> _Judged:
    """Say at the visit of the confirmation from when progression dates."""
    if len(known) < 2 or known[-2][1] is not NewLesionStatus.EQUIVOCAL:
        return _Judged(lesion.name, NewLesionStatus.YES)
    first = known[-2][0]
    for number, status in reversed(known[:-1]):
        if status is not NewLesionStatus.EQUIVOCAL:
            break
        first = number
    visit = visits[first]
    words = f"{lesion.name}, equivocal at {visit.name}, is confirmed: progression dates from {visit.date}."
    finding = Finding("progression-back-dated", Severity.WARNING, words, lesion.lesion_id)
    return _Judged(lesion.name, NewLesionStatus.YES, finding, visit.first_date or visit.date)


def _equivocal(visits: Sequence[Visit], index: int, lesion: LesionObservation, normal_node_mm: Decimal) -> Finding:
    seen = visits[index].of(lesion.lesion_id)
    if seen is not None and seen.state is not LesionState.EQUIVOCAL and seen.short_axis_mm is not None:
        size = beside_limits(seen.short_axis_mm, [normal_node_mm])
        words = f"{lesion.name} was a normal node and is {size} mm now: too little growth to be sure of new disease."
    else:
        words = f"{lesion.name} is equivocal: look again at the next time point, or decide now."
    return Finding("equivocal-new-lesion", Severity.WARNING, words, lesion.lesion_id)
