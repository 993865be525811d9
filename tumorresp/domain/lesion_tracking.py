"""Which lesion a measurement belongs to: by identity, then by label, then by position; else a person decides.

Time points are taken in order, so a later one never changes what was decided for an earlier one. Within a time point
the order of the measurements decides nothing but the numbers of new lesion IDs. What lies on each other is one lesion's
before it is matched (`repeated_measurements`).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from tumorresp.domain.begun_lesions import begun_lesions
from tumorresp.domain.evaluation import AmbiguousMatch, Lesion
from tumorresp.domain.finding import Finding, Severity
from tumorresp.domain.lesion_matching import KnownLesion, Seen, TrackingParameters
from tumorresp.domain.measurement import Measurement
from tumorresp.domain.repeated_measurements import Folded, Space, Superseded, Undecided, fold_repeated
from tumorresp.domain.same_lesion import Extent, extent_of
from tumorresp.domain.split_and_merged import (
    parts_by_decision,
    parts_by_label,
    parts_by_place,
    taken_up,
    wholes_beside_parts,
)
from tumorresp.domain.time_point_matching import (
    Beginning,
    Doubt,
    Match,
    Matching,
    Parted,
    by_decision,
    by_label,
    by_position,
    by_tracking_uid,
    first_at_baseline,
    new_at_follow_up,
    repeated_identities,
    uncertain_documents,
)

__all__ = ["Assignment", "ToBaseline", "TrackedTimePoint", "TrackingParameters", "TrackingResult", "follow_lesions"]

ToBaseline = Callable[[NDArray[np.float64]], NDArray[np.float64]]
"""Maps (N, 3) LPS mm of a time point to LPS mm of the first one."""


@dataclass(frozen=True)
class TrackedTimePoint:
    """One time point's measurements, in a fixed order.

    Parameters
    ----------
    to_baseline
        None where the scans could not be registered: position then decides nothing.
    spaces
        Patient coordinates by Series Instance UID: several studies may share them.
    regions
        Where the baseline or this time point was scanned region by region: Series Instance UID -> region of the
        baseline -> map to its coordinates. A series that is not among them could not be registered; ``to_baseline``
        is not used.
    """

    measurements: tuple[Measurement, ...]
    to_baseline: ToBaseline | None
    spaces: Mapping[str, Space] = field(default_factory=dict)
    regions: Mapping[str, Mapping[str, ToBaseline]] | None = None

    def maps_of(self, measurement: Measurement) -> Mapping[str, ToBaseline]:
        """Return the maps of a measurement's series, by region of the baseline."""
        if self.regions is not None:
            return self.regions.get(measurement.series_instance_uid, {})
        return {} if self.to_baseline is None else {"": self.to_baseline}

    def extents_of(self, measurement: Measurement) -> Mapping[str, Extent]:
        """Return a measurement's ellipsoids, by region of the baseline."""
        extent = extent_of(measurement)
        if extent is None:
            return {}
        return {region: extent.mapped(to) for region, to in self.maps_of(measurement).items()}


@dataclass(frozen=True)
class Assignment:
    """A measurement and its lesion; ``matched_by`` says in words how it was recognised."""

    measurement: Measurement
    lesion: Lesion
    matched_by: str
    findings: tuple[Finding, ...] = field(default=())


@dataclass(frozen=True)
class PendingLesion:
    """A lesion that is there, while a person must say which of several measurements is its size."""

    lesion: Lesion
    measurements: tuple[Measurement, ...]
    reason: str


@dataclass(frozen=True)
class TrackingResult:
    """What became of one time point's measurements: each is assigned, waits, or is superseded.

    ``pending`` are lesions of which all measurements wait; those are among ``ambiguous``, too. ``normal`` are nodes
    that are no lesions at this time point and may become new ones; they are among ``superseded``, too.
    """

    assignments: tuple[Assignment, ...]
    ambiguous: tuple[AmbiguousMatch, ...]
    superseded: tuple[Superseded, ...] = ()
    pending: tuple[PendingLesion, ...] = ()
    normal: tuple[Assignment, ...] = ()


def follow_lesions(
    subject_key: str,
    time_points: Sequence[TrackedTimePoint],
    parameters: TrackingParameters | None = None,
    decisions: Mapping[str, str] | None = None,
    before_treatment: int = 1,
) -> tuple[TrackingResult, ...]:
    """Follow a subject's lesions.

    Parameters
    ----------
    subject_key
        Goes into the lesions' tracking UIDs.
    time_points
        In order of date, the baseline first.
    decisions
        A person's: measurement UID -> lesion ID, ``T``, ``NT`` or ``NEW`` for a lesion of its own with that role, or
        ``NONE`` for one that is not to be used. They come before all evidence.
    before_treatment
        How many of the time points may be the baseline: lesions that are first seen there get roles and are not new.

    Returns
    -------
    tuple of TrackingResult
        One a time point. Every measurement is assigned, ambiguous or superseded.
    """
    rules = parameters or TrackingParameters()
    known: tuple[KnownLesion, ...] = ()
    results = []
    for order, point in enumerate(time_points):
        folded = fold_repeated(point.measurements, decisions or {}, point.spaces, point.extents_of)
        seen = _seen(folded, known, point)
        last = new_at_follow_up if order >= max(before_treatment, 1) else partial(first_at_baseline, is_first=not order)
        matching = Matching(seen, known, rules)
        for step in (
            partial(parts_by_decision, decisions=decisions or {}),
            partial(by_decision, decisions=decisions or {}, is_first=order == 0),
            uncertain_documents,
            parts_by_label,
            repeated_identities,
            by_tracking_uid,
            by_label,
            wholes_beside_parts,
            parts_by_place,
            by_position,
            taken_up,
            last,
        ):
            matching = matching.after(step)
        result, known = _settled(subject_key, matching, folded)
        results.append(result)
    return tuple(results)


def _seen(folded: Folded, known: Sequence[KnownLesion], point: TrackedTimePoint) -> tuple[Seen, ...]:
    """Return what is matched: each measurement that counts, and one of each group that waits together."""
    groups = [group for group in folded.undecided if len(group.measurements) > 1]
    taken = {(name, value) for item in folded.counting for name, value in _names_of(item)}
    seen = []
    for item in folded.counting:
        replaced = [s.measurement for s in folded.superseded if s.by_uid == item.measurement_uid]
        others = tuple(other for other in replaced if not (_names_of(other) - _names_of(item)) & taken)
        seen.append(replace(_located(item, point), others=others))
    speakers = [
        replace(_located(_speaker(group, known), point), group=group, others=group.measurements) for group in groups
    ]
    return (*seen, *speakers)


def _names_of(item: Measurement) -> frozenset[tuple[str, str]]:
    """Return what a measurement is recognised by: stable tracking UID and label."""
    seen = Seen(item)
    return frozenset(pair for pair in (("uid", seen.stable_uid), ("label", seen.label)) if pair[1])


def _speaker(group: Undecided, known: Sequence[KnownLesion]) -> Measurement:
    """Return the measurement by which a group's lesion is recognised: one with a known label, if any."""
    labels = {label for k in known for label in k.labels}
    return min(group.measurements, key=lambda item: (Seen(item).label not in labels, item.measurement_uid))


def _settled(subject_key: str, matching: Matching, folded: Folded) -> tuple[TrackingResult, tuple[KnownLesion, ...]]:
    """Return the result of a time point and what is known after it."""
    known = {k.lesion.lesion_id: k for k in matching.known}
    begun = begun_lesions(subject_key, matching)
    assignments: list[Assignment] = []
    ambiguous = [
        AmbiguousMatch(group.measurements[0], (), group.reason)
        for group in folded.undecided
        if len(group.measurements) == 1
    ]
    pending: list[PendingLesion] = []
    put_aside: list[Superseded] = []
    normal: list[Assignment] = []
    for index, seen in enumerate(matching.seen):
        verdict = matching.verdicts[index]
        if isinstance(verdict, Doubt):
            ambiguous += _waiting(seen, verdict.candidate_lesion_ids, verdict.reason)
            continue
        if isinstance(verdict, Match):
            lesion, by = verdict.known.lesion, verdict.by
            findings = _differences(seen, lesion)
            known[lesion.lesion_id] = verdict.known.seen_again(seen) if seen.group is None else verdict.known
        elif isinstance(verdict, Parted):
            lesion, by, findings = begun[index], verdict.by, verdict.findings
            known[lesion.lesion_id] = KnownLesion.first_seen(lesion, seen)
            for name in lesion.parents:
                known[name] = replace(known[name], went_into=(*known[name].went_into, lesion.lesion_id))
        else:
            assert isinstance(verdict, Beginning), "claims are settled"
            lesion, by, findings = begun[index], "first seen here", verdict.findings
            known[lesion.lesion_id] = KnownLesion.first_seen(lesion, seen)
            if not verdict.is_lesion:
                put_aside += [Superseded(item, "", findings[0].message) for item in seen.all_measurements]
                normal.append(Assignment(seen.measurement, lesion, by, findings))
                continue
        if seen.group is None:
            assignments.append(Assignment(seen.measurement, lesion, by, findings))
        else:
            ambiguous += _waiting(seen, (lesion.lesion_id,), "")
            pending.append(PendingLesion(lesion, seen.group.measurements, seen.group.reason))
    result = TrackingResult(
        tuple(assignments), tuple(ambiguous), (*folded.superseded, *put_aside), tuple(pending), tuple(normal)
    )
    return result, tuple(known.values())


def _waiting(seen: Seen, candidates: tuple[str, ...], reason: str) -> list[AmbiguousMatch]:
    """Let a measurement wait, or all of a group."""
    if seen.group is None:
        return [AmbiguousMatch(seen.measurement, candidates, reason)]
    words = f"{seen.group.reason} {reason}".strip()
    return [AmbiguousMatch(item, candidates, words) for item in seen.group.measurements]


def _differences(seen: Seen, lesion: Lesion) -> tuple[Finding, ...]:
    """Report what a recognised measurement says otherwise than the lesion's first; the first counts."""
    findings = []
    if seen.role is not None and seen.role is not lesion.role:
        words = f"The reader calls it {seen.role} here; at first it was {lesion.role}, which counts."
        findings.append(Finding("role-differs", Severity.WARNING, words, lesion.lesion_id, decides=True))
    if seen.measurement.nodal is not None and seen.measurement.nodal is not lesion.nodal:
        here, first = ("a lymph node", "none") if seen.measurement.nodal else ("no lymph node", "one")
        words = f"The reader calls it {here} here; at first it was {first}, which counts."
        findings.append(Finding("nodal-differs", Severity.WARNING, words, lesion.lesion_id, decides=True))
    return tuple(findings)


def _located(measurement: Measurement, point: TrackedTimePoint) -> Seen:
    return Seen(measurement, point.extents_of(measurement))
