"""Whether there are new lesions at a time point (RECIST 1.1, section 4.3.5): the one rule, for every criterion."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from types import MappingProxyType

from tumorresp.domain.assessment import NewLesionStatus
from tumorresp.domain.finding import Finding, Severity
from tumorresp.domain.measurement import LesionRole, LesionState
from tumorresp.response.observation import LesionObservation, Visit
from tumorresp.response.pending import waits_for_decision
from tumorresp.response.reasons import beside_limits, listing

_RANK = {status: rank for rank, status in enumerate(NewLesionStatus)}


@dataclass(frozen=True, slots=True)
class CountedLesion:
    """A lesion that has been called new, as it counts at a visit.

    Parameters
    ----------
    status
        As last seen; of one that split or merged, that of what it went into.
    is_assessed
        At this visit.
    """

    status: NewLesionStatus
    is_assessed: bool


@dataclass(frozen=True)
class NewLesions:
    """The status of a visit, with reasons and findings."""

    status: NewLesionStatus
    reasons: tuple[str, ...]
    findings: tuple[Finding, ...]
    progression_date: date | None = None
    """From when progression counts, where a lesion that was equivocal before is confirmed here."""
    lesions: Mapping[str, CountedLesion] = field(default_factory=lambda: MappingProxyType({}))
    """Every lesion that has been called new up to this visit, by ID."""
    waits: tuple[str, ...] = ()
    """What may turn out to be a new lesion once a person has decided, in words without a full stop."""

    @property
    def words(self) -> tuple[str, ...]:
        """The reasons; that there is no new lesion only where none may turn out to be one."""
        return self.reasons or (() if self.waits else ("No new lesion.",))


@dataclass(frozen=True)
class _Judged:
    """One new lesion at one visit."""

    name: str
    status: NewLesionStatus
    finding: Finding | None = None
    since: date | None = None


@dataclass(frozen=True)
class _Known:
    """What is known of a lesion that the baseline does not have.

    Parameters
    ----------
    status, visit
        Where it was assessed last; None where it never was.
    equivocal_since
        First of the visits in a row at which it was equivocal, up to the last one or to the one that confirmed it.
    smallest_mm
        Its smallest short axis.
    is_new
        It has been called new.
    went_into
        Fragments or conglomerates, called new as well, that it is followed as.
    """

    seen: LesionObservation
    is_new: bool
    status: NewLesionStatus | None = None
    visit: Visit | None = None
    equivocal_since: Visit | None = None
    smallest_mm: Decimal | None = None
    went_into: tuple[str, ...] = ()


def new_lesions_by_visit(visits: Sequence[Visit], normal_node_mm: Decimal, growth_mm: Decimal) -> list[NewLesions]:
    """Return whether new lesions are seen, for every visit; the baseline has none.

    An equivocal lesion does not count until a later visit confirms it; progression then dates from its first
    appearance. A new lesion counts until a reader says that it is gone. Roles are those of the baseline: what is
    called new there is not new later, but for a node that was normal there. A new lesion that splits or merges is
    followed through its parts.

    Parameters
    ----------
    normal_node_mm
        A node under this short axis is no lesion.
    growth_mm
        A node that was seen normal and has grown by less is equivocal (9 to 11 mm need not be disease).
    """
    courses = _known_by_visit(visits, normal_node_mm, growth_mm)
    return [_at_visit(known, visit, normal_node_mm) for known, visit in zip(courses, visits, strict=True)]


def is_normal_new(seen: LesionObservation, normal_node_mm: Decimal) -> bool:
    """Return whether a lesion that is called new is a normal node: at the baseline no lesion, and new once it grows."""
    if seen.role is not LesionRole.NEW or not seen.nodal or seen.state is LesionState.ABSENT:
        return False
    return seen.is_gone(normal_node_mm) is True


def _known_by_visit(
    visits: Sequence[Visit], normal_node_mm: Decimal, growth_mm: Decimal
) -> Iterator[Mapping[str, _Known]]:
    """Yield what is known at every visit of the lesions that the baseline does not have."""
    known: Mapping[str, _Known] = {}
    of_baseline = {seen.lesion_id for seen in visits[0].observations if not is_normal_new(seen, normal_node_mm)}
    for visit in visits:
        here = [seen for seen in visit.observations if seen.lesion_id not in of_baseline]
        if here:
            seen_now = {seen.lesion_id: _with(known, seen, visit, normal_node_mm, growth_mm) for seen in here}
            known = _followed({**known, **seen_now}, visit)
        yield known


_NONE = NewLesions(NewLesionStatus.NO, (), ())


def _with(
    known: Mapping[str, _Known], seen: LesionObservation, visit: Visit, normal_node_mm: Decimal, growth_mm: Decimal
) -> _Known:
    """Return what is known of a lesion after one more visit."""
    earlier = known.get(seen.lesion_id) or _inherited(known, seen)
    status = _status(seen, earlier.smallest_mm, normal_node_mm, growth_mm)
    measured = None if seen.pending else seen.short_axis_mm
    sizes = [size for size in (earlier.smallest_mm, measured) if size is not None]
    lesion = replace(
        earlier,
        seen=seen,
        is_new=earlier.is_new or seen.role is LesionRole.NEW,
        smallest_mm=min(sizes, default=None),
    )
    if status is None:
        return lesion
    since = earlier.equivocal_since if earlier.status is NewLesionStatus.EQUIVOCAL else None
    if status is NewLesionStatus.EQUIVOCAL:
        since = since or visit
    elif status is NewLesionStatus.NO:
        since = None
    return replace(lesion, status=status, visit=visit, equivocal_since=since, went_into=())


def _inherited(known: Mapping[str, _Known], seen: LesionObservation) -> _Known:
    """Return what is known of a lesion that is seen for the first time: what its new parents were, if equivocal."""
    parents = [known[name] for name in seen.parents if name in known]
    is_equivocal = bool(parents) and all(item.status is NewLesionStatus.EQUIVOCAL for item in parents)
    if seen.role is not LesionRole.NEW or not is_equivocal:
        return _Known(seen, is_new=False)
    first = min((item.equivocal_since for item in parents if item.equivocal_since), key=lambda visit: visit.date)
    last = max((item.visit for item in parents if item.visit), key=lambda visit: visit.date)
    return _Known(seen, is_new=False, status=NewLesionStatus.EQUIVOCAL, visit=last, equivocal_since=first)


def _followed(known: Mapping[str, _Known], visit: Visit) -> Mapping[str, _Known]:
    """Return lesions that are no longer seen themselves as followed through what they went into."""
    if not visit.children:
        return known
    changed = {}
    for parent, children in visit.children.items():
        seen, parts = visit.of(parent), tuple(item.lesion_id for item in children if item.role is LesionRole.NEW)
        if parent in known and parts and (seen is None or seen.state is LesionState.MERGED):
            changed[parent] = replace(known[parent], went_into=parts)
    return {**known, **changed}


def _at_visit(known: Mapping[str, _Known], visit: Visit, normal_node_mm: Decimal) -> NewLesions:
    if not known:
        return _NONE
    followed = [name for name, item in known.items() if item.is_new and not item.went_into]
    judged = [item for name in sorted(followed) for item in _judged(known[name], visit, normal_node_mm)]
    definite = [item.name for item in judged if item.status is NewLesionStatus.YES]
    equivocal = [item.name for item in judged if item.status is NewLesionStatus.EQUIVOCAL]
    findings = [item.finding for item in judged if item.finding is not None]
    reasons = []
    if definite:
        reasons.append(f"New lesion: {listing(definite)}.")
    if equivocal:
        reasons.append(f"Equivocal new lesion, not counted until it is confirmed: {listing(equivocal)}.")
    reasons += [item.message for item in findings]
    pending = [known[name].seen for name in sorted(followed) if _is_pending(known[name], visit)]
    waits = tuple(f"{seen.name} may be a new lesion: {seen.pending}" for seen in pending)
    findings += [waits_for_decision(seen) for seen in pending]
    status = max((item.status for item in judged), key=_RANK.__getitem__, default=NewLesionStatus.NO)
    since = [item.since for item in judged if item.since is not None]
    lesions = {name: _counted(name, known, visit, frozenset()) for name, item in known.items() if item.is_new}
    return NewLesions(status, tuple(reasons), tuple(findings), min(since, default=None), lesions, waits)


def _counted(name: str, known: Mapping[str, _Known], visit: Visit, above: frozenset[str]) -> CountedLesion:
    """Return how a lesion counts; ``above`` it are those that it came from."""
    lesion, above = known[name], above | {name}
    parts = [_counted(part, known, visit, above) for part in lesion.went_into if part in known and part not in above]
    if parts:
        status = max((part.status for part in parts), key=_RANK.__getitem__)
        return CountedLesion(status, any(part.is_assessed for part in parts))
    return CountedLesion(lesion.status or NewLesionStatus.NO, lesion.status is not None and lesion.visit is visit)


def _is_pending(lesion: _Known, visit: Visit) -> bool:
    return bool(lesion.seen.pending) and visit.of(lesion.seen.lesion_id) is lesion.seen


def _judged(lesion: _Known, visit: Visit, normal_node_mm: Decimal) -> Iterator[_Judged]:
    name, lesion_id = lesion.seen.name, lesion.seen.lesion_id
    if lesion.status is None or lesion.visit is None or lesion.status is NewLesionStatus.NO:
        return
    if lesion.visit is not visit:
        words = f"{name}, new at {lesion.visit.name}, {_unseen(lesion, visit)}; it counts as it did there."
        yield _Judged(name, lesion.status, Finding("new-lesion-not-assessed", Severity.WARNING, words, lesion_id))
    elif lesion.status is NewLesionStatus.EQUIVOCAL:
        yield _Judged(name, lesion.status, _equivocal(lesion.seen, normal_node_mm))
    elif lesion.equivocal_since is not None:
        first = lesion.equivocal_since
        words = f"{name}, equivocal at {first.name}, is confirmed: progression dates from {first.date}."
        finding = Finding("progression-back-dated", Severity.WARNING, words, lesion_id)
        yield _Judged(name, lesion.status, finding, first.first_date or first.date)
    else:
        yield _Judged(name, lesion.status)


def _unseen(lesion: _Known, visit: Visit) -> str:
    """Say why a lesion has no status of its own at a visit."""
    wholes = [item.lesion_id for item in visit.children.get(lesion.seen.lesion_id, ()) if len(item.parents) > 1]
    return f"merged into {listing(wholes)}" if wholes else "was not assessed here"


def _status(
    seen: LesionObservation, smallest_mm: Decimal | None, normal_node_mm: Decimal, growth_mm: Decimal
) -> NewLesionStatus | None:
    """Return what a lesion is at one visit, None when it was not assessed there.

    Parameters
    ----------
    smallest_mm
        Its smallest short axis at earlier visits.
    """
    if seen.state in (LesionState.NOT_EVALUABLE, LesionState.MERGED) or seen.is_contradictory or seen.pending:
        return None
    if seen.is_gone(normal_node_mm):
        return NewLesionStatus.NO
    if seen.state is LesionState.EQUIVOCAL or _barely_grown(seen, smallest_mm, normal_node_mm, growth_mm):
        return NewLesionStatus.EQUIVOCAL
    return NewLesionStatus.YES


def _barely_grown(
    seen: LesionObservation, smallest_mm: Decimal | None, normal_node_mm: Decimal, growth_mm: Decimal
) -> bool:
    """Return whether a node was seen normal before and has grown by less than a measurable amount since."""
    if not seen.nodal or seen.short_axis_mm is None or smallest_mm is None or smallest_mm >= normal_node_mm:
        return False
    return seen.short_axis_mm - smallest_mm < growth_mm


def _equivocal(seen: LesionObservation, normal_node_mm: Decimal) -> Finding:
    is_computed = seen.state is not LesionState.EQUIVOCAL and seen.short_axis_mm is not None
    if seen.state is not LesionState.EQUIVOCAL and seen.short_axis_mm is not None:
        size = beside_limits(seen.short_axis_mm, [normal_node_mm])
        words = f"{seen.name} was a normal node and is {size} mm now: too little growth to be sure of new disease."
    else:
        words = f"{seen.name} is equivocal: look again at the next time point, or decide now."
    return Finding("equivocal-new-lesion", Severity.WARNING, words, seen.lesion_id, decides=is_computed)
