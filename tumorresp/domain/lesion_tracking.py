"""Which lesion a measurement belongs to: by identity, then by label, then by position; else a person decides.

Time points are taken in order, so a later one never changes what was decided for an earlier one. Within a time point
the order of the measurements decides nothing but the numbers of new lesion IDs.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tumorresp.domain.evaluation import AmbiguousMatch, Lesion
from tumorresp.domain.finding import Finding, Severity
from tumorresp.domain.identity import derived_uid
from tumorresp.domain.lesion_matching import (
    ROLE_PREFIX,
    KnownLesion,
    Seen,
    TrackingParameters,
    conflict,
    contradiction,
    nearest,
)
from tumorresp.domain.measurement import LesionRole, Measurement
from tumorresp.domain.organ import LYMPH_NODE_ORGAN

__all__ = ["Assignment", "ToBaseline", "TrackedTimePoint", "TrackingParameters", "TrackingResult", "follow_lesions"]

ToBaseline = Callable[[NDArray[np.float64]], NDArray[np.float64]]
"""Maps (N, 3) LPS mm of a time point to LPS mm of the first one."""


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
    """What became of one time point's measurements, in their order."""

    assignments: tuple[Assignment, ...]
    ambiguous: tuple[AmbiguousMatch, ...]


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
        A person's: measurement UID -> lesion ID, or ``T``, ``NT`` or ``NEW`` for a lesion of its own with that role.
        They come before all evidence.

    Returns
    -------
    tuple of TrackingResult
        One a time point. Every measurement is either assigned or ambiguous.
    """
    rules = parameters or TrackingParameters()
    known: tuple[KnownLesion, ...] = ()
    results = []
    for order, point in enumerate(time_points):
        seen = tuple(_located(measurement, point.to_baseline) for measurement in point.measurements)
        matching = _Matching(seen, known, rules)
        matching.by_decision(decisions or {})
        matching.refuse_repeated_identities()
        matching.by_tracking_uid()
        matching.by_label()
        matching.by_position()
        if order == 0:
            matching.begin_at_baseline()
        else:
            matching.begin_at_follow_up(is_registered=point.to_baseline is not None)
        result, known = _settled(subject_key, matching)
        results.append(result)
    return tuple(results)


@dataclass(frozen=True)
class _Beginning:
    """A measurement that starts a lesion of its own."""

    role: LesionRole
    findings: tuple[Finding, ...] = ()


class _Matching:
    """The state of one time point while evidence is gathered; indices are places in ``seen``."""

    def __init__(self, seen: Sequence[Seen], known: Sequence[KnownLesion], rules: TrackingParameters) -> None:
        self.seen = seen
        self.known = known
        self.rules = rules
        self.matches: dict[int, tuple[KnownLesion, str]] = {}
        self.doubts: dict[int, tuple[tuple[str, ...], str]] = {}
        self.beginnings: dict[int, _Beginning] = {}

    def by_decision(self, decisions: Mapping[str, str]) -> None:
        """Take what a person decided."""
        roles = {prefix: role for role, prefix in ROLE_PREFIX.items()}
        claims: dict[int, tuple[KnownLesion, str]] = {}
        for index, seen in enumerate(self.seen):
            wanted = decisions.get(seen.measurement.measurement_uid)
            known = next((k for k in self.known if k.lesion.lesion_id == wanted), None)
            if wanted is None:
                continue
            if known is not None:
                claims[index] = known, "a person's decision"
            elif wanted in roles:
                self.beginnings[index] = _Beginning(roles[wanted])
            else:
                self._doubt(index, (), f"A person decided for {wanted}, which no earlier time point has.")
        self._settle(claims)

    def refuse_repeated_identities(self) -> None:
        """Two measurements with one identity: which of them is the lesion, a person must say."""
        uids = Counter(seen.stable_uid for seen in self.seen)
        documents = Counter(seen.measurement.measurement_uid for seen in self.seen)
        for index, seen in self._open():
            if documents[seen.measurement.measurement_uid] > 1:
                self._doubt(index, (), "The same measurement came more than once at this time point.")
            elif seen.stable_uid and uids[seen.stable_uid] > 1:
                candidates = [k for k in self.known if seen.stable_uid in k.tracking_uids]
                self._doubt(index, candidates, "Several measurements of this time point carry this tracking UID.")

    def by_tracking_uid(self) -> None:
        """Recognise lesions by the identity that their writer keeps."""
        claims: dict[int, tuple[KnownLesion, str]] = {}
        for index, seen in self._open():
            same = [k for k in self.known if seen.stable_uid in k.tracking_uids]
            if len(same) > 1:
                self._doubt(index, same, "Several lesions had this tracking UID before.")
            elif same and not self._contradicted(index, seen, same[0], "tracking UID", by_label=False):
                claims[index] = same[0], "tracking UID"
        self._settle(claims)

    def by_label(self) -> None:
        """Recognise lesions by a label that is one lesion's at both time points, and by the same finding."""
        used = Counter(seen.label for seen in self.seen)
        claims: dict[int, tuple[KnownLesion, str]] = {}
        for index, seen in self._open():
            same = [k for k in self.known if seen.label in k.labels]
            if len(same) != 1 or used[seen.label] > 1 or same[0].findings_differ(seen):
                continue
            words = f"label “{seen.measurement.label.strip()}”"
            if not self._contradicted(index, seen, same[0], words, by_label=True):
                claims[index] = same[0], words
        self._settle(claims)

    def by_position(self) -> None:
        """Recognise lesions by where they lie after registration, if no other pairing is nearly as close."""
        open_ = [(index, seen) for index, seen in self._open() if seen.position is not None]
        found = nearest([seen for _, seen in open_], self._free(), self.rules)
        for (index, _), nearness in zip(open_, found, strict=True):
            if nearness.match is not None:
                words = f"position, {nearness.distance_mm:.0f} mm from where it was after registration"
                self.matches[index] = nearness.match, words
            elif nearness.candidates:
                ids = " or ".join(k.lesion.lesion_id for k in nearness.candidates)
                words = f"By its place it may be {ids}, but no pairing is clearly nearer than every other."
                self._doubt(index, nearness.candidates, words)

    def begin_at_baseline(self) -> None:
        """Let what is left of the first time point start lesions, with the role that the reader states."""
        for index, seen in self._open():
            label = seen.measurement.label
            if seen.role is LesionRole.NEW:
                self._doubt(index, (), "The reader calls it new, but there is no earlier time point.")
            elif seen.is_absent:
                self._doubt(index, (), "The reader calls it absent, but there is no earlier time point.")
            elif seen.role is not None:
                self.beginnings[index] = _Beginning(seen.role)
            elif seen.measurement.long_axis is not None:
                words = "The reader states no role: measured at baseline, it is taken as target."
                self.beginnings[index] = _Beginning(
                    LesionRole.TARGET, (Finding("role-not-stated", Severity.INFO, words, label),)
                )
            else:
                words = "The reader states no role: not measured at baseline, it is taken as non-target."
                self.beginnings[index] = _Beginning(
                    LesionRole.NON_TARGET, (Finding("role-not-stated", Severity.INFO, words, label),)
                )

    def begin_at_follow_up(self, *, is_registered: bool) -> None:
        """Let what is left be new where that is sure; else a person decides."""
        free = self._free()  # before any of the rest is in doubt, so that their order decides nothing
        for index, seen in self._open():
            candidates, reason = self._why_not_new(seen, free, is_registered=is_registered)
            if reason:
                self._doubt(index, candidates, reason)
                continue
            findings: tuple[Finding, ...] = ()
            if seen.role is None:
                words = (
                    "The reader states no role: taken as new, as no lesion of an earlier time point lies within "
                    f"{self.rules.gate_mm:.0f} mm."
                )
                findings = (Finding("taken-as-new", Severity.WARNING, words, seen.measurement.label),)
            self.beginnings[index] = _Beginning(LesionRole.NEW, findings)

    def _why_not_new(
        self, seen: Seen, free: Sequence[KnownLesion], *, is_registered: bool
    ) -> tuple[Iterable[KnownLesion], str]:
        """Return which lesions it may be and why it is not simply new; an empty reason where it is."""
        possible = [k for k in free if not conflict(seen, k)]
        unseen = [k for k in self.known if all(k is not match for match, _ in self.matches.values())]
        if seen.is_absent:
            return possible, "The reader calls it absent, but its tracking UID and label are no known lesion's."
        if seen.role is LesionRole.NEW:
            near = [k for k in unseen if k.is_near(seen, self.rules)]
            return near, f"The reader calls it new, but it lies where {_ids(near)} was." if near else ""
        if seen.role is not None:
            return possible, f"The reader calls it {seen.role}, but no lesion of an earlier time point matches."
        if seen.position is None:
            why = "it has no axes" if is_registered else "the scans could not be registered"
            return possible, f"Neither tracking UID nor label is a known lesion's, and {why}."
        near = [k for k in self.known if k.is_near(seen, self.rules)]
        if near:
            against = [words for k in near if (words := conflict(seen, k))]
            why = against[0] if against else "that lesion is measured already or in doubt"
            return near, f"It lies where {_ids(near)} was, but {why}."
        unseen = [k for k in unseen if not conflict(seen, k)]
        moved = [k for k in unseen if k.is_believable(seen, self.rules)]
        if moved:
            return moved, (
                f"Nothing else is {_ids(moved)} at this time point, and it lies {moved[0].distance_mm(seen):.0f} mm "
                f"from where {moved[0].lesion.lesion_id} was: too far to be the same for sure, too near to be new for "
                "sure."
            )
        unplaced = [k for k in unseen if k.position is None]
        return unplaced, f"It may be {_ids(unplaced)}, of which the place is not known." if unplaced else ""

    def _contradicted(self, index: int, seen: Seen, known: KnownLesion, words: str, *, by_label: bool) -> bool:
        against = contradiction(seen, known, self.known, self.rules, by_label=by_label)
        if against:
            self._doubt(index, [known], f"Recognised as {known.lesion.lesion_id} by {words}, but {against}.")
        return bool(against)

    def _settle(self, claims: Mapping[int, tuple[KnownLesion, str]]) -> None:
        """Turn claims into matches where a lesion has one claim only and is not spoken for or in doubt."""
        claimants: dict[str, list[int]] = defaultdict(list)
        for index, (known, _) in claims.items():
            claimants[known.lesion.lesion_id].append(index)
        free = {k.lesion.lesion_id for k in self._free()}
        for lesion_id, indices in claimants.items():
            for index in indices:
                known, words = claims[index]
                if len(indices) == 1 and lesion_id in free:
                    self.matches[index] = known, words
                else:
                    reason = f"By {words} it is {lesion_id}, but another measurement of this time point may be too."
                    self._doubt(index, [known], reason)

    def _doubt(self, index: int, candidates: Iterable[KnownLesion], reason: str) -> None:
        self.doubts[index] = tuple(k.lesion.lesion_id for k in candidates), reason

    def _open(self) -> list[tuple[int, Seen]]:
        return [
            (index, seen)
            for index, seen in enumerate(self.seen)
            if index not in self.matches and index not in self.doubts and index not in self.beginnings
        ]

    def _free(self) -> list[KnownLesion]:
        """Return the lesions that no measurement is, and that none is suspected of being."""
        taken = {known.lesion.lesion_id for known, _ in self.matches.values()}
        taken |= {lesion_id for ids, _ in self.doubts.values() for lesion_id in ids}
        return [k for k in self.known if k.lesion.lesion_id not in taken]


def _settled(subject_key: str, matching: _Matching) -> tuple[TrackingResult, tuple[KnownLesion, ...]]:
    """Return the result of a time point and what is known after it."""
    known = {k.lesion.lesion_id: k for k in matching.known}
    begun = _new_lesions(subject_key, matching)
    assignments, ambiguous = [], []
    for index, seen in enumerate(matching.seen):
        if index in matching.doubts:
            candidates, reason = matching.doubts[index]
            ambiguous.append(AmbiguousMatch(seen.measurement, candidates, reason))
        elif index in matching.matches:
            matched, words = matching.matches[index]
            known[matched.lesion.lesion_id] = matched.seen_again(seen)
            assignments.append(Assignment(seen.measurement, matched.lesion, words, _differences(seen, matched.lesion)))
        else:
            lesion = begun[index]
            known[lesion.lesion_id] = KnownLesion.first_seen(lesion, seen)
            findings = matching.beginnings[index].findings
            assignments.append(Assignment(seen.measurement, lesion, "first seen here", findings))
    return TrackingResult(tuple(assignments), tuple(ambiguous)), tuple(known.values())


def _new_lesions(subject_key: str, matching: _Matching) -> dict[int, Lesion]:
    """Name the lesions that begin at a time point: by their label where it is an ID, else by the next free number."""
    used = {k.lesion.lesion_id for k in matching.known}
    uids = {k.lesion.tracking_uid for k in matching.known}
    identities = Counter(seen.stable_uid for seen in matching.seen)
    labelled: dict[int, str] = {}
    for index, beginning in matching.beginnings.items():
        named = matching.seen[index].labelled_id
        if named is not None and named[0] is beginning.role:
            lesion_id = f"{ROLE_PREFIX[beginning.role]}{named[1]:02d}"
            if lesion_id not in used:
                labelled[index] = lesion_id
                used.add(lesion_id)
    lesions = {}
    for index in sorted(matching.beginnings):
        seen, role = matching.seen[index], matching.beginnings[index].role
        numbered = (f"{ROLE_PREFIX[role]}{number:02d}" for number in range(1, len(used) + 2))
        lesion_id = labelled.get(index) or next(name for name in numbered if name not in used)
        used.add(lesion_id)
        tracking_uid = derived_uid("lesion", subject_key, seen.stable_uid or seen.measurement.measurement_uid)
        if tracking_uid in uids or identities[seen.stable_uid] > 1:
            tracking_uid = derived_uid("lesion", subject_key, seen.measurement.measurement_uid)
        uids.add(tracking_uid)
        nodal = bool(seen.measurement.nodal) or seen.organ == LYMPH_NODE_ORGAN
        measurement = seen.measurement
        lesions[index] = Lesion(lesion_id, tracking_uid, role, nodal, seen.organ, measurement.label, measurement.site)
    return lesions


def _differences(seen: Seen, lesion: Lesion) -> tuple[Finding, ...]:
    """Report what a recognised measurement says otherwise than the lesion's first; the first counts."""
    findings = []
    if seen.role is not None and seen.role is not lesion.role:
        words = f"The reader calls it {seen.role} here; at first it was {lesion.role}, which counts."
        findings.append(Finding("role-differs", Severity.WARNING, words, lesion.lesion_id))
    if seen.measurement.nodal is not None and seen.measurement.nodal is not lesion.nodal:
        here, first = ("a lymph node", "none") if seen.measurement.nodal else ("no lymph node", "one")
        words = f"The reader calls it {here} here; at first it was {first}, which counts."
        findings.append(Finding("nodal-differs", Severity.WARNING, words, lesion.lesion_id))
    return tuple(findings)


def _located(measurement: Measurement, to_baseline: ToBaseline | None) -> Seen:
    if measurement.long_axis is None or to_baseline is None:
        return Seen(measurement, None)
    mapped = np.asarray(to_baseline(np.array([measurement.long_axis.midpoint_lps_mm])), dtype=np.float64)
    return Seen(measurement, mapped.reshape(3))


def _ids(lesions: Sequence[KnownLesion]) -> str:
    return " or ".join(k.lesion.lesion_id for k in lesions)
