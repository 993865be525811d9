"""Several measurements of one lesion at one time point: which of them counts, and where a person must say.

Nothing is added up that lies on each other. Of measurements that are surely one lesion's the newest document's counts;
within one document the longest, since a lesion's diameter is its longest (RECIST 1.1, section 3.1). Where that is not
certain all of them wait.
"""

import datetime
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from tumorresp.domain.finding import Finding, Severity
from tumorresp.domain.label import compared_label, is_called_old
from tumorresp.domain.measurement import Measurement
from tumorresp.domain.organ import organ_of, organs_conflict
from tumorresp.domain.same_lesion import Extent, Relation, relation, relation_of_extents, same_lines, similar_length

_LESION_ID = re.compile(r"(?:new|nt|t)[_-]?\d{1,2}")
Placed = Callable[[Measurement], Mapping[str, Extent]]
"""Gives the ellipsoids of a measurement by region of the baseline."""
NOT_USED = "NONE"
"""What a person decides for a measurement that is to be used nowhere."""


@dataclass(frozen=True)
class Space:
    """The patient coordinates of a series: Frame of Reference UID, empty where not stated, and the day of the scan."""

    frame: str
    day: datetime.date

    def is_shared(self, other: "Space") -> bool:
        """Return whether both are known to be the same coordinates."""
        return bool(self.frame) and self == other


@dataclass(frozen=True)
class Superseded:
    """A measurement that counts no more; ``by_uid`` names the one that does, empty where a person decided."""

    measurement: Measurement
    by_uid: str
    reason: str


@dataclass(frozen=True)
class Undecided:
    """Measurements that lie on each other, where it is not certain which of them is the lesion's size."""

    measurements: tuple[Measurement, ...]
    reason: str


@dataclass(frozen=True)
class Folded:
    """One time point's measurements, each in one of the three; those that count say in a finding what they replace."""

    counting: tuple[Measurement, ...]
    superseded: tuple[Superseded, ...]
    undecided: tuple[Undecided, ...]


def fold_repeated(
    measurements: Sequence[Measurement],
    decisions: Mapping[str, str],
    spaces: Mapping[str, Space] | None = None,
    placed: Placed | None = None,
) -> Folded:
    """Leave one measurement a lesion.

    Parameters
    ----------
    measurements
        Of one reading at one time point.
    decisions
        A person's: measurement UID -> lesion, or ``NONE`` for a measurement that is used nowhere.
    spaces
        Patient coordinates by Series Instance UID; measurements of one study are compared whether or not their series
        are named here.
    placed
        Gives a measurement's ellipsoid by region of the baseline, where its scan was registered; by it scans of one day
        are compared that share no coordinates.

    Returns
    -------
    Folded
        The same whatever the order of the measurements.
    """
    ordered = sorted(measurements, key=_order)
    dropped = [item for item in ordered if decisions.get(item.measurement_uid) == NOT_USED]
    single, copies, contradictory = _copies([item for item in ordered if item not in dropped])
    edges = _edges(single, decisions, _Places(spaces or {}, placed or _nowhere))
    superseded = [Superseded(item, "", "a person decided that it is not used") for item in dropped] + copies
    undecided = list(contradictory)
    counting: list[Measurement] = []
    open_groups: list[tuple[int, ...]] = []
    for group in _groups(len(single), [pair for pair, how in edges.items() if how is Relation.SAME]):
        kept = _one_of([single[index] for index in group], decisions) if _hangs_together(group, edges) else None
        if kept is None:
            open_groups.append(group)
            continue
        losers = [single[index] for index in group if single[index] is not kept.measurement]
        superseded += [Superseded(item, kept.measurement.measurement_uid, kept.reason) for item in losers]
        single[single.index(kept.measurement)] = winner = _with_finding(kept, losers)
        open_groups.append((single.index(winner),))
    for group in _joined(open_groups, edges):
        items = tuple(single[index] for index in group)
        if len(items) == 1:
            counting += items
            continue
        counting += [item for item in items if item.measurement_uid in decisions]
        waiting = tuple(item for item in items if item.measurement_uid not in decisions)
        undecided += [Undecided(waiting, _doubt(items))] if waiting else []
    wanted = {item.measurement_uid: number for number, item in reversed(list(enumerate(measurements)))}
    return Folded(
        tuple(sorted(counting, key=lambda item: wanted[item.measurement_uid])),
        tuple(superseded),
        tuple(undecided),
    )


@dataclass(frozen=True)
class _Kept:
    measurement: Measurement
    reason: str


def _order(item: Measurement) -> tuple[str, str, str]:
    return item.source.document_uid, item.measurement_uid, repr(item)


def _copies(items: Sequence[Measurement]) -> tuple[list[Measurement], list[Superseded], list[Undecided]]:
    """Leave one of each measurement that came more than once; those that differ in what they measure wait."""
    by_uid: dict[str, list[Measurement]] = {}
    for item in items:
        by_uid.setdefault(item.measurement_uid, []).append(item)
    single: list[Measurement] = []
    copies: list[Superseded] = []
    undecided: list[Undecided] = []
    for uid, group in by_uid.items():
        if all(same_lines(group[0], item) and item.state is group[0].state for item in group):
            single.append(group[0])
            copies += [Superseded(item, uid, "the same measurement came more than once") for item in group[1:]]
        else:
            words = "One measurement came more than once at this time point, with other content."
            undecided.append(Undecided(tuple(group), words))
    return single, copies, undecided


def _edges(
    items: Sequence[Measurement], decisions: Mapping[str, str], places: "_Places"
) -> dict[tuple[int, int], Relation]:
    """Return how the measurements lie to each other, without the pairs that are apart."""
    labels = Counter((item.source.document_uid, compared_label(item.label)) for item in items)
    repeated = {label for (_, label), count in labels.items() if count > 1}
    edges: dict[tuple[int, int], Relation] = {}
    for first, second in combinations(range(len(items)), 2):
        one, other = items[first], items[second]
        if one.measurement_uid in decisions and other.measurement_uid in decisions:
            continue  # A person knows of both.
        how = _related(one, other, places, repeated)
        if how is not Relation.APART:
            edges[first, second] = how
    return edges


def _related(one: Measurement, other: Measurement, places: "_Places", repeated: set[str]) -> Relation:
    if one.long_axis is None or other.long_axis is None:
        return _related_by_name(one, other, repeated)
    if one.study_instance_uid != other.study_instance_uid and not places.are_shared(one, other):
        return _related_between_studies(one, other, places)
    how = relation(one, other, told_apart=_told_apart(one, other))
    frames = {one.frame_of_reference_uid, other.frame_of_reference_uid} - {""}
    if how is Relation.SAME and len(frames) > 1 and not (_same_name(one, other) or similar_length(one, other)):
        return Relation.UNSURE
    return how


def _related_between_studies(one: Measurement, other: Measurement, places: "_Places") -> Relation:
    """Relate measurements of one time point whose coordinates are not known to be the same: they can only wait.

    One name may be one lesion that was scanned twice; so may lines at one place of two scans of one day, unless both
    have a name that their writers keep.
    """
    organs = [organ_of(item.site, item.label, nodal=item.nodal) for item in (one, other)]
    if organs_conflict(*organs):
        return Relation.APART
    if _same_name(one, other):
        return Relation.UNSURE
    if places.are_of_one_day(one, other) and not (_is_kept_apart(one, other)):
        return Relation.APART if places.relation(one, other) is Relation.APART else Relation.UNSURE
    return Relation.APART


def _is_kept_apart(one: Measurement, other: Measurement) -> bool:
    """Return whether both have stable identities or lesion IDs, which differ."""
    uids = [item.tracking_uid if item.tracking_uid_is_stable else "" for item in (one, other)]
    if all(uids):
        return uids[0] != uids[1]
    labels = [compared_label(item.label) for item in (one, other)]
    return labels[0] != labels[1] and all(_LESION_ID.fullmatch(label) for label in labels)


@dataclass(frozen=True)
class _Places:
    """Where measurements of several studies lie, as far as it is known."""

    spaces: Mapping[str, Space]
    placed: Placed

    def are_shared(self, one: Measurement, other: Measurement) -> bool:
        """Return whether both were drawn in the same coordinates."""
        first, second = (self.spaces.get(item.series_instance_uid) for item in (one, other))
        return first is not None and second is not None and first.is_shared(second)

    def are_of_one_day(self, one: Measurement, other: Measurement) -> bool:
        """Return whether both were scanned on one day."""
        first, second = (self.spaces.get(item.series_instance_uid) for item in (one, other))
        return first is not None and second is not None and first.day == second.day

    def relation(self, one: Measurement, other: Measurement) -> Relation:
        """Return how both lie after registration, or in the coordinates of the scanner where there is none."""
        first, second = self.placed(one), self.placed(other)
        shared = sorted(first.keys() & second.keys())
        if shared:
            return relation_of_extents(first[shared[0]], second[shared[0]])
        return relation(one, other)


def _nowhere(item: Measurement) -> Mapping[str, Extent]:  # noqa: ARG001  a face
    return {}


def _related_by_name(one: Measurement, other: Measurement, repeated: set[str]) -> Relation:
    """Relate a statement without lines to the lesion that it names, where the name is one lesion's."""
    uids = {item.tracking_uid for item in (one, other) if item.tracking_uid_is_stable and item.tracking_uid}
    if _same_name(one, other) and (len(uids) == 1 or compared_label(one.label) not in repeated):
        return Relation.SAME
    return Relation.APART


def _same_name(one: Measurement, other: Measurement) -> bool:
    """Return whether both have the same stable identity or, where none speaks against it, the same label."""
    uids = [item.tracking_uid if item.tracking_uid_is_stable else "" for item in (one, other)]
    if all(uids):
        return uids[0] == uids[1]
    label = compared_label(one.label)
    return bool(label) and label == compared_label(other.label)


def _told_apart(one: Measurement, other: Measurement) -> bool:
    """Return whether the reader calls them two lesions: two names, identities or roles in one document."""
    if one.source.document_uid != other.source.document_uid:
        return False
    if compared_label(one.label) and compared_label(one.label) == compared_label(other.label):
        return False
    uids = {item.tracking_uid if item.tracking_uid_is_stable else "" for item in (one, other)}
    return _named_apart(one, other) or len(uids - {""}) > 1


def _named_apart(one: Measurement, other: Measurement) -> bool:
    """Return whether one document gives them two labels, or two roles."""
    if one.source.document_uid != other.source.document_uid:
        return False
    labels = {compared_label(one.label), compared_label(other.label)} - {""}
    roles = {one.role, other.role} - {None}
    return len(labels) > 1 or len(roles) > 1


def _groups(count: int, pairs: Sequence[tuple[int, int]]) -> list[tuple[int, ...]]:
    """Return the connected groups of a graph, singles included, in order of their first members."""
    group = list(range(count))
    for first, second in pairs:
        old, new = group[second], group[first]
        group = [new if name == old else name for name in group]
    return [tuple(i for i in range(count) if group[i] == name) for name in dict.fromkeys(group)]


def _hangs_together(group: Sequence[int], edges: Mapping[tuple[int, int], Relation]) -> bool:
    """Return whether no two of the group are apart, as both ends of a chain of saves may be."""
    return all(pair in edges for pair in combinations(group, 2))


def _joined(groups: Sequence[tuple[int, ...]], edges: Mapping[tuple[int, int], Relation]) -> list[tuple[int, ...]]:
    """Join groups of which any members are related."""
    home = {index: number for number, group in enumerate(groups) for index in group}
    pairs = [(home[a], home[b]) for a, b in edges if a in home and b in home and home[a] != home[b]]
    return [tuple(sorted(i for number in joined for i in groups[number])) for joined in _groups(len(groups), pairs)]


def _one_of(items: Sequence[Measurement], decisions: Mapping[str, str]) -> _Kept | None:
    """Return which of several measurements of one lesion counts; None where that is not certain."""
    if len(items) == 1:
        return _Kept(items[0], "")
    decided = [item for item in items if item.measurement_uid in decisions]
    if decided:
        return _Kept(decided[0], "a person decided") if len(decided) == 1 else None
    if len({item.reader for item in items}) > 1:
        return None
    left = list(items)
    reason = ""
    for choose, why in _CHOICES:
        chosen = choose(left)
        if 0 < len(chosen) < len(left):
            left, reason = chosen, why
    if len({item.state for item in left}) > 1 or any(item.doubt for item in left):
        return None
    if len(left) == 1:
        return _Kept(left[0], reason)
    if any(_named_apart(*pair) for pair in combinations(left, 2)):
        return None
    if all(same_lines(left[0], item) for item in left):
        return _Kept(left[0], reason or "all are the same lines")
    if any(_told_apart(*pair) for pair in combinations(left, 2)) or len({i.source.document_uid for i in left}) > 1:
        return None
    longest = max(left, key=_length)
    return _Kept(longest, "the longest of one document")


def _newest(items: Sequence[Measurement]) -> list[Measurement]:
    """Return those of the newest document, where every one says when it was made."""
    times: dict[str, datetime.datetime] = {}
    for item in items:
        if item.measured_at is None:
            return []
        document = item.source.document_uid
        times[document] = max(times.get(document, item.measured_at), item.measured_at)
    newest = [document for document, when in times.items() if when == max(times.values())]
    return [item for item in items if item.source.document_uid == newest[0]] if len(newest) == 1 else []


def _not_old(items: Sequence[Measurement]) -> list[Measurement]:
    return [item for item in items if not is_called_old(item.label)]


_CHOICES: tuple[tuple[Callable[[Sequence[Measurement]], list[Measurement]], str], ...] = (
    (_newest, "the newest document"),
    (_not_old, "the one that is not called old"),
)


def _length(item: Measurement) -> float:
    return item.long_axis.length_mm if item.long_axis is not None else 0.0


def _with_finding(kept: _Kept, losers: Sequence[Measurement]) -> Measurement:
    if not losers:
        return kept.measurement
    others = " and ".join(_shown(item) for item in losers)
    words = (
        f"Measured more than once at this time point: {_shown(kept.measurement)} counts ({kept.reason}), "
        f"{others} does not. Nothing is added up twice."
    )
    changes = any(not same_lines(kept.measurement, item) or item.state is not kept.measurement.state for item in losers)
    severity = Severity.WARNING if changes else Severity.INFO
    finding = Finding("measured-twice", severity, words, kept.measurement.measurement_uid, decides=changes)
    return replace(kept.measurement, findings=(*kept.measurement.findings, finding))


def _doubt(items: Sequence[Measurement]) -> str:
    words = (
        f"These are one lesion, or parts of one, by place or name: {' and '.join(_shown(item) for item in items)}. "
        "Which counts is not certain; they are not added up."
    )
    if len({item.study_instance_uid for item in items}) > 1:
        words += " They are of several studies: where the dates are made up, these are several time points."
    return words


def _shown(item: Measurement) -> str:
    """Name a measurement for people: what it is called, how long it is, when it was made and its UID."""
    size = f"{item.long_axis.length_mm:.1f} mm" if item.long_axis is not None else str(item.state)
    when = f" of {item.measured_at:%Y-%m-%d %H:%M}" if item.measured_at is not None else ""
    name = f"“{item.label.strip()}” " if item.label.strip() else ""
    return f"{name}{size}{when} ({item.measurement_uid})"
