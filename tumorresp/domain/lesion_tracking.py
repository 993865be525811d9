"""Which lesion a measurement belongs to: by identity, then by name, then by position; else a person decides.

Time points are taken in order, so a later one never changes what was decided for an earlier one.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from tumorresp.domain.evaluation import AmbiguousMatch, Lesion
from tumorresp.domain.finding import Finding, Severity
from tumorresp.domain.identity import derived_uid
from tumorresp.domain.measurement import LesionRole, Measurement
from tumorresp.domain.organ import LYMPH_NODE_ORGAN, organ_of

ToBaseline = Callable[[NDArray[np.float64]], NDArray[np.float64]]
"""Maps (N, 3) LPS mm of a time point to LPS mm of the first one."""

_PREFIX = {LesionRole.TARGET: "T", LesionRole.NON_TARGET: "NT", LesionRole.NEW: "NEW"}


@dataclass(frozen=True)
class TrackingParameters:
    """How near is near.

    Parameters
    ----------
    gate_mm
        A measurement can be a lesion of which the last known midpoint is at most this far after registration ...
    gate_share
        ... or this share of the lesion's long axis, whichever is more.
    clearly_nearer
        The second nearest candidate must be this many times farther than the nearest.
    contradiction_mm
        Identity or name does not hold against a distance beyond this, where the registration is reliable.
    """

    gate_mm: float = 15.0
    gate_share: float = 0.5
    clearly_nearer: float = 2.0
    contradiction_mm: float = 80.0


@dataclass(frozen=True)
class TrackedTimePoint:
    """One time point's measurements, in a fixed order.

    ``to_baseline`` is None where the scans could not be registered: position then decides nothing.
    """

    measurements: tuple[Measurement, ...]
    to_baseline: ToBaseline | None


@dataclass(frozen=True)
class Assignment:
    """A measurement and its lesion; ``matched_by`` says in words how it was recognised."""

    measurement: Measurement
    lesion: Lesion
    matched_by: str
    findings: tuple[Finding, ...] = field(default=())


@dataclass(frozen=True)
class TrackingResult:
    """What became of one time point's measurements."""

    assignments: tuple[Assignment, ...]
    ambiguous: tuple[AmbiguousMatch, ...]


@dataclass(frozen=True)
class _Known:
    """A lesion with what was last known of it."""

    lesion: Lesion
    tracking_uids: frozenset[str]
    label: str
    position: NDArray[np.float64] | None
    long_axis_mm: float


@dataclass(frozen=True)
class _Match:
    known: _Known
    by: str


def follow_lesions(
    subject_key: str,
    time_points: Sequence[TrackedTimePoint],
    parameters: TrackingParameters | None = None,
    decisions: Mapping[str, str] | None = None,
) -> tuple[TrackingResult, ...]:
    """Follow a subject's lesions.

    Parameters
    ----------
    subject_key
        Goes into the lesions' tracking UIDs.
    time_points
        In order of date, the baseline first.
    decisions
        A person's: measurement UID -> lesion ID. They come before all evidence.

    Returns
    -------
    tuple of TrackingResult
        One a time point. Every measurement is either assigned or ambiguous.
    """
    rules = parameters or TrackingParameters()
    known: list[_Known] = []
    results = []
    for order, point in enumerate(time_points):
        result, known = _follow_one(subject_key, point, known, rules, decisions or {}, is_baseline=order == 0)
        results.append(result)
    return tuple(results)


def _follow_one(
    subject_key: str,
    point: TrackedTimePoint,
    known: list[_Known],
    rules: TrackingParameters,
    decisions: Mapping[str, str],
    *,
    is_baseline: bool,
) -> tuple[TrackingResult, list[_Known]]:
    repeated = _repeated_identities(point.measurements)
    positions = {m.measurement_uid: _position(m, point.to_baseline) for m in point.measurements}
    ambiguous = [
        AmbiguousMatch(m, (), repeated[m.measurement_uid]) for m in point.measurements if m.measurement_uid in repeated
    ]
    open_ = [m for m in point.measurements if m.measurement_uid not in repeated]
    matches: dict[str, _Match] = {}
    for find in (_decided(decisions), _by_tracking_uid, _by_label(open_)):
        for measurement in [m for m in open_ if m.measurement_uid not in matches]:
            free = [k for k in known if all(k is not match.known for match in matches.values())]
            match = find(measurement, free)
            if match is None:
                continue
            doubt = _contradiction(measurement, match.known, positions[measurement.measurement_uid], rules)
            if doubt and not match.by.startswith("a person"):
                reason = f"Recognised as {match.known.lesion.lesion_id} by {match.by}, but {doubt}."
                ambiguous.append(AmbiguousMatch(measurement, (match.known.lesion.lesion_id,), reason))
                open_.remove(measurement)
            else:
                matches[measurement.measurement_uid] = match
    free = [k for k in known if all(k is not match.known for match in matches.values())]
    left = [m for m in open_ if m.measurement_uid not in matches]
    near, unclear = _by_position(left, free, positions, rules)
    matches |= near
    ambiguous += unclear
    decided = {item.measurement.measurement_uid for item in ambiguous}
    assignments: list[Assignment] = []
    for measurement in open_:
        uid = measurement.measurement_uid
        if uid in decided:
            continue
        if uid in matches:
            match = matches[uid]
            assignments.append(Assignment(measurement, match.known.lesion, match.by))
            known = [_updated(k, measurement, positions[uid]) if k is match.known else k for k in known]
            continue
        reason = "" if is_baseline else _why_not_new(measurement, positions[uid], has_map=point.to_baseline is not None)
        if reason:
            candidates = tuple(k.lesion.lesion_id for k in free)
            ambiguous.append(AmbiguousMatch(measurement, candidates, reason))
            continue
        assignment = _first_seen(subject_key, measurement, known, rules, is_baseline=is_baseline)
        assignments.append(assignment)
        known = [*known, _remembered(assignment.lesion, measurement, positions[uid])]
    return TrackingResult(tuple(assignments), tuple(ambiguous)), known


def _decided(decisions: Mapping[str, str]) -> Callable[[Measurement, Sequence[_Known]], _Match | None]:
    def find(measurement: Measurement, known: Sequence[_Known]) -> _Match | None:
        lesion_id = decisions.get(measurement.measurement_uid)
        return next((_Match(k, "a person's decision") for k in known if k.lesion.lesion_id == lesion_id), None)

    return find


def _by_tracking_uid(measurement: Measurement, known: Sequence[_Known]) -> _Match | None:
    if not measurement.tracking_uid or not measurement.tracking_uid_is_stable:
        return None
    return next((_Match(k, "tracking UID") for k in known if measurement.tracking_uid in k.tracking_uids), None)


def _by_label(
    measurements: Sequence[Measurement],
) -> Callable[[Measurement, Sequence[_Known]], _Match | None]:
    used = Counter(_normal(m.label) for m in measurements)

    def find(measurement: Measurement, known: Sequence[_Known]) -> _Match | None:
        label = _normal(measurement.label)
        same = [k for k in known if k.label == label]
        if not label or used[label] > 1 or len(same) != 1:
            return None
        return _Match(same[0], f"label “{measurement.label.strip()}”")

    return find


def _by_position(
    measurements: Sequence[Measurement],
    known: Sequence[_Known],
    positions: Mapping[str, NDArray[np.float64] | None],
    rules: TrackingParameters,
) -> tuple[dict[str, _Match], list[AmbiguousMatch]]:
    """Match mutual nearest neighbours that are clearly nearer than any other; report what is near but not clear."""
    located = [m for m in measurements if positions[m.measurement_uid] is not None]
    candidates = [k for k in known if k.position is not None]
    if not located or not candidates:
        return {}, []
    distances = np.array(
        [[_distance(positions[m.measurement_uid], k.position) for k in candidates] for m in located], dtype=np.float64
    )
    for row, measurement in enumerate(located):
        for column, candidate in enumerate(candidates):
            gate = max(rules.gate_mm, rules.gate_share * candidate.long_axis_mm)
            if distances[row, column] > gate or _organs_differ(measurement, candidate.lesion):
                distances[row, column] = np.inf
    matches: dict[str, _Match] = {}
    unclear: list[AmbiguousMatch] = []
    for row, measurement in enumerate(located):
        within = np.flatnonzero(np.isfinite(distances[row]))
        if within.size == 0:
            continue
        column = int(np.argmin(distances[row]))
        nearest = float(distances[row, column])
        rivals = [*np.delete(distances[row], column), *np.delete(distances[:, column], row)]
        if all(rival >= rules.clearly_nearer * max(nearest, 1.0) for rival in rivals):
            by = f"position, {nearest:.0f} mm from where it was after registration"
            matches[measurement.measurement_uid] = _Match(candidates[column], by)
        else:
            ids = tuple(candidates[index].lesion.lesion_id for index in within)
            reason = f"After registration it may be {' or '.join(ids)}: no pairing is clearly nearer than the others."
            unclear.append(AmbiguousMatch(measurement, ids, reason))
    return matches, unclear


def _contradiction(
    measurement: Measurement, known: _Known, position: NDArray[np.float64] | None, rules: TrackingParameters
) -> str:
    """Say what speaks against a match by identity or name; empty when nothing does."""
    if _organs_differ(measurement, known.lesion):
        return f"it lies in another organ ({_organ(measurement)}, before: {known.lesion.organ})"
    if position is not None and known.position is not None:
        distance = _distance(position, known.position)
        if distance > max(rules.contradiction_mm, known.long_axis_mm):
            return f"it lies {distance:.0f} mm from where the lesion was after registration"
    return ""


def _why_not_new(measurement: Measurement, position: NDArray[np.float64] | None, *, has_map: bool) -> str:
    """Say why an unmatched measurement of a follow-up is not simply a new lesion; empty when it is one."""
    if measurement.role is LesionRole.NEW:
        return ""
    if measurement.role is not None:
        return f"The reader calls it {measurement.role}, but no lesion of an earlier time point matches."
    if position is None:
        why = "it has no axes" if has_map else "the scans could not be registered"
        return f"Neither tracking UID nor label matches, and {why}."
    return ""


def _first_seen(
    subject_key: str,
    measurement: Measurement,
    known: Sequence[_Known],
    rules: TrackingParameters,
    *,
    is_baseline: bool,
) -> Assignment:
    findings: tuple[Finding, ...] = ()
    if is_baseline:
        role = measurement.role or LesionRole.TARGET
        if measurement.role is None:
            words = "The reader states no role; a measured lesion at baseline is taken as target."
            findings = (Finding("role-not-stated", Severity.INFO, words, measurement.label),)
        if role is LesionRole.NEW:
            words = "The reader calls it new, but it is at the first time point: a baseline has no new lesions."
            findings = (Finding("new-at-baseline", Severity.WARNING, words, measurement.label),)
    else:
        role = LesionRole.NEW
        if measurement.role is None:
            words = f"Taken as new: no lesion of an earlier time point lies within {rules.gate_mm:.0f} mm."
            findings = (Finding("taken-as-new", Severity.WARNING, words, measurement.label),)
    number = 1 + sum(k.lesion.role is role for k in known)
    stable = measurement.tracking_uid if measurement.tracking_uid_is_stable else ""
    organ = _organ(measurement)
    lesion = Lesion(
        lesion_id=f"{_PREFIX[role]}{number:02d}",
        tracking_uid=derived_uid("lesion", subject_key, stable or measurement.measurement_uid),
        role=role,
        nodal=bool(measurement.nodal) or organ == LYMPH_NODE_ORGAN,
        organ=organ,
        label=measurement.label,
        site=measurement.site,
    )
    return Assignment(measurement, lesion, "first seen here", findings)


def _remembered(lesion: Lesion, measurement: Measurement, position: NDArray[np.float64] | None) -> _Known:
    axis = measurement.long_axis
    uids = frozenset({measurement.tracking_uid} if measurement.tracking_uid_is_stable else ()) - {""}
    return _Known(lesion, uids, _normal(measurement.label), position, axis.length_mm if axis else 0.0)


def _updated(known: _Known, measurement: Measurement, position: NDArray[np.float64] | None) -> _Known:
    fresh = _remembered(known.lesion, measurement, position)
    return replace(
        known,
        tracking_uids=known.tracking_uids | fresh.tracking_uids,
        label=fresh.label or known.label,
        position=known.position if position is None else position,
        long_axis_mm=fresh.long_axis_mm or known.long_axis_mm,
    )


def _repeated_identities(measurements: Sequence[Measurement]) -> dict[str, str]:
    """Return why, for measurements that share a stable tracking UID with another of the same time point."""
    used = Counter(m.tracking_uid for m in measurements if m.tracking_uid and m.tracking_uid_is_stable)
    return {
        m.measurement_uid: "Two measurements of this time point carry the same tracking UID."
        for m in measurements
        if m.tracking_uid_is_stable and used[m.tracking_uid] > 1
    }


def _position(measurement: Measurement, to_baseline: ToBaseline | None) -> NDArray[np.float64] | None:
    if measurement.long_axis is None or to_baseline is None:
        return None
    mapped: NDArray[np.float64] = np.asarray(to_baseline(np.array([measurement.long_axis.midpoint_lps_mm])), np.float64)
    return mapped.reshape(3)


def _distance(one: NDArray[np.float64] | None, other: NDArray[np.float64] | None) -> float:
    return float("inf") if one is None or other is None else float(np.linalg.norm(one - other))


def _organ(measurement: Measurement) -> str:
    return organ_of(measurement.site, measurement.label, nodal=measurement.nodal)


def _organs_differ(measurement: Measurement, lesion: Lesion) -> bool:
    organ = _organ(measurement)
    return bool(organ and lesion.organ and organ != lesion.organ)


def _normal(label: str) -> str:
    return " ".join(label.lower().split())
