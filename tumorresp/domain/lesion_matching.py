"""What speaks for and against a measurement being a known lesion: identity, label, position, organ, side, role."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from tumorresp.domain.evaluation import Lesion
from tumorresp.domain.label import compared_label
from tumorresp.domain.measurement import LesionRole, LesionState, Measurement
from tumorresp.domain.organ import LYMPH_NODE_ORGAN, organ_of, organs_conflict, side_of
from tumorresp.domain.repeated_measurements import Undecided
from tumorresp.domain.same_lesion import Extent
from tumorresp.domain.terminology import LESION, MORPHOLOGICALLY_ABNORMAL, NEOPLASM, Code

ROLE_PREFIX: Mapping[LesionRole, str] = {LesionRole.TARGET: "T", LesionRole.NON_TARGET: "NT", LesionRole.NEW: "NEW"}
_LESION_ID = re.compile(r"(NEW|NT|T)[\s_-]*0*([1-9]\d?)", re.IGNORECASE)
_GENERIC_FINDINGS = (LESION, NEOPLASM, MORPHOLOGICALLY_ABNORMAL)
# Under a millimetre, which of two is nearer is noise.
_NEARNESS_FLOOR_MM = 1.0


def as_lesion_id(text: str) -> tuple[LesionRole, int] | None:
    """Return role and number where a text has the form of a lesion ID: T01, nt 2, NEW-1."""
    matched = _LESION_ID.fullmatch(text.strip())
    if matched is None:
        return None
    role = next(role for role, prefix in ROLE_PREFIX.items() if prefix == matched[1].upper())
    return role, int(matched[2])


def lesion_id_of(role: LesionRole, number: int) -> str:
    """Return the ID of a lesion: T01, NT02, NEW03."""
    return f"{ROLE_PREFIX[role]}{number:02d}"


@dataclass(frozen=True)
class TrackingParameters:
    """How near is near.

    Parameters
    ----------
    gate_mm
        A measurement can be a lesion whose last known midpoint is at most this far after registration ...
    gate_share
        ... or this share of the long axis of the lesion, before or now, whichever is most.
    clearly_nearer
        Any other pairing of the two must be this many times farther than theirs.
    contradiction_mm
        Identity or label does not hold against a greater distance (or against more than the long axis), where the
        registration is reliable; within it a lesion that nobody mentions may have moved, so nothing is new unasked.
    """

    gate_mm: float = 15.0
    gate_share: float = 0.5
    clearly_nearer: float = 2.0
    contradiction_mm: float = 80.0


@dataclass(frozen=True, eq=False)
class Seen:
    """A measurement with its place in the coordinates of the baseline.

    ``extents`` are its ellipsoids (LPS mm) by region: the baseline may have been scanned region by region, each with
    coordinates of its own. Empty where the scan could not be registered, or nothing was drawn.

    ``group`` holds all that lie on each other, where it is not certain which of them is the lesion's size; the
    measurement speaks for them. ``others`` are those of its group, or those that it supersedes: their identities and
    labels are its own, too.
    """

    measurement: Measurement
    extents: Mapping[str, Extent] = field(default_factory=dict)
    group: Undecided | None = None
    others: tuple[Measurement, ...] = ()

    @property
    def stable_uid(self) -> str:
        """The tracking UID where its writer keeps it, else empty."""
        return self.measurement.tracking_uid if self.measurement.tracking_uid_is_stable else ""

    @property
    def label(self) -> str:
        """The label as compared; empty where it could be any lesion's."""
        return compared_label(self.measurement.label)

    @property
    def all_measurements(self) -> tuple[Measurement, ...]:
        """It, or all of its group."""
        return (self.measurement,) if self.group is None else self.group.measurements

    @property
    def stable_uids(self) -> frozenset[str]:
        """All stable tracking UIDs that it goes by."""
        return frozenset(Seen(item).stable_uid for item in (self.measurement, *self.others)) - {""}

    @property
    def labels(self) -> frozenset[str]:
        """All labels that it goes by, as compared."""
        return frozenset(Seen(item).label for item in (self.measurement, *self.others)) - {""}

    @property
    def labelled_id(self) -> tuple[LesionRole, int] | None:
        """Role and number where the label has the form of a lesion ID: T01, nt 2, NEW-1."""
        return as_lesion_id(self.measurement.label)

    @property
    def role(self) -> LesionRole | None:
        """The role that the reader states, in so many words or by the label."""
        if self.measurement.role is None and self.labelled_id is not None:
            return self.labelled_id[0]
        return self.measurement.role

    @property
    def organ(self) -> str:
        """Organ by site or label, empty when unknown."""
        return organ_of(self.measurement.site, self.measurement.label, nodal=self.measurement.nodal)

    @property
    def nodal(self) -> bool:
        """Whether it is a lymph node, by what the reader says or by its organ."""
        return bool(self.measurement.nodal) or self.organ == LYMPH_NODE_ORGAN

    @property
    def long_axis_mm(self) -> float:
        """0 when not measured."""
        return self.measurement.long_axis.length_mm if self.measurement.long_axis else 0.0

    @property
    def is_placed(self) -> bool:
        """Whether it is known where it lies in the baseline."""
        return bool(self.extents)

    @property
    def is_absent(self) -> bool:
        """Whether the reader says that the lesion is gone."""
        return self.measurement.state is LesionState.ABSENT


@dataclass(frozen=True, eq=False)
class KnownLesion:
    """A lesion with all identities and labels that it had, and where and how large it was last.

    ``went_into`` are the parts or the conglomerate that it became.
    """

    lesion: Lesion
    tracking_uids: frozenset[str]
    labels: frozenset[str]
    finding_type: Code | None
    extents: Mapping[str, Extent]
    long_axis_mm: float
    went_into: tuple[str, ...] = ()

    @property
    def is_placed(self) -> bool:
        """Whether it is known where it lies in the baseline."""
        return bool(self.extents)

    @classmethod
    def first_seen(cls, lesion: Lesion, seen: Seen) -> "KnownLesion":
        """Return a lesion known by one measurement."""
        return cls(
            lesion,
            seen.stable_uids,
            seen.labels,
            seen.measurement.finding_type,
            seen.extents,
            seen.long_axis_mm,
        )

    def seen_again(self, seen: Seen) -> "KnownLesion":
        """Return the lesion with one more measurement."""
        return replace(
            self,
            tracking_uids=self.tracking_uids | seen.stable_uids,
            labels=self.labels | seen.labels,
            finding_type=self.finding_type or seen.measurement.finding_type,
            extents=seen.extents or self.extents,
            long_axis_mm=seen.long_axis_mm or self.long_axis_mm,
            went_into=self.went_into if seen.measurement.long_axis is None else (),
        )

    def distance_mm(self, seen: Seen) -> float:
        """Distance of the long axes' midpoints in baseline coordinates; infinite where they share no region."""
        shared = self.extents.keys() & seen.extents.keys()
        gaps = (self.extents[name].midpoint - seen.extents[name].midpoint for name in shared)
        return min((float(np.linalg.norm(gap)) for gap in gaps), default=float("inf"))

    def gate_mm(self, seen: Seen, rules: TrackingParameters) -> float:
        """How far the measurement may be from the lesion to be it."""
        return max(rules.gate_mm, rules.gate_share * max(self.long_axis_mm, seen.long_axis_mm))

    def is_near(self, seen: Seen, rules: TrackingParameters) -> bool:
        """Return whether the measurement lies within the gate."""
        return self.distance_mm(seen) <= self.gate_mm(seen, rules)

    def is_believable(self, seen: Seen, rules: TrackingParameters) -> bool:
        """Return whether the measurement lies near enough for an identity or a label to be believed."""
        return self.distance_mm(seen) <= max(rules.contradiction_mm, self.long_axis_mm)

    def findings_differ(self, seen: Seen) -> bool:
        """Return whether both have a coded finding that says something, and not the same."""
        one, other = self.finding_type, seen.measurement.finding_type
        if one is None or other is None or one.same_concept(other):
            return False
        return not any(generic.same_concept(code) for generic in _GENERIC_FINDINGS for code in (one, other))


def conflict(seen: Seen, known: KnownLesion) -> str:
    """Say what forbids that the measurement is the lesion, wherever it lies; empty when nothing does."""
    lesion = known.lesion
    if organs_conflict(seen.organ, lesion.organ):
        return f"it lies in another organ ({seen.organ}, before: {lesion.organ})"
    sides = side_of(seen.measurement.site), side_of(lesion.site)
    if all(sides) and sides[0] != sides[1]:
        return f"it lies on the other side ({sides[0]}, before: {sides[1]})"
    if seen.role is LesionRole.NEW and lesion.role is not LesionRole.NEW:
        return f"the reader calls it new, and {lesion.lesion_id} is not"
    return ""


def contradiction(
    seen: Seen, known: KnownLesion, everyone: Sequence[KnownLesion], rules: TrackingParameters, *, by_label: bool
) -> str:
    """Say what speaks against a match by identity or label; empty when nothing does.

    Parameters
    ----------
    everyone
        All lesions known before this time point.
    by_label
        Labels are often given anew in the order of measuring, so they also fail where another lesion lies clearly
        nearer; an identity fails where the label is another lesion's.
    """
    forbidden = conflict(seen, known)
    if forbidden:
        return forbidden
    distance = known.distance_mm(seen)
    if np.isfinite(distance) and not known.is_believable(seen, rules):
        return f"it lies {distance:.0f} mm from where the lesion was after registration"
    others = [other for other in everyone if other is not known]
    if by_label:
        for other in others if not known.is_near(seen, rules) else ():
            near = other.distance_mm(seen)
            if other.is_near(seen, rules) and near * rules.clearly_nearer <= distance:
                return (
                    f"after registration it lies {near:.0f} mm from {other.lesion.lesion_id} "
                    f"and {distance:.0f} mm from {known.lesion.lesion_id}"
                )
        return ""
    named = [other.lesion.lesion_id for other in others if seen.label in other.labels]
    if named and seen.label not in known.labels:
        return f"its label is that of {' and '.join(named)}"
    return ""


@dataclass(frozen=True)
class Nearness:
    """What positions say of one measurement.

    ``match`` is set where one lesion is clearly the nearest, mutually; else ``candidates`` are those within the gate.
    """

    match: KnownLesion | None
    candidates: tuple[KnownLesion, ...]
    distance_mm: float


def nearest(
    measurements: Sequence[Seen], known: Sequence[KnownLesion], rules: TrackingParameters
) -> tuple[Nearness, ...]:
    """Pair measurements with lesions by distance alone, among those that nothing else forbids.

    Returns
    -------
    tuple of Nearness
        One a measurement.
    """
    distances = np.array(
        [[np.inf if conflict(seen, k) else k.distance_mm(seen) for k in known] for seen in measurements],
        dtype=np.float64,
    ).reshape(len(measurements), len(known))
    found = []
    for row, seen in enumerate(measurements):
        within = [column for column, k in enumerate(known) if distances[row, column] <= k.gate_mm(seen, rules)]
        if not within:
            found.append(Nearness(None, (), float("inf")))
            continue
        column = int(np.argmin(distances[row]))
        distance = float(distances[row, column])
        rivals = [*np.delete(distances[row], column), *np.delete(distances[:, column], row)]
        is_clear = column in within and all(
            rival >= rules.clearly_nearer * max(distance, _NEARNESS_FLOOR_MM) for rival in rivals
        )
        found.append(Nearness(known[column] if is_clear else None, tuple(known[column] for column in within), distance))
    return tuple(found)
