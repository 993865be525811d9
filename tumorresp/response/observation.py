"""What the rules see of a lesion at a time point."""

import datetime
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from itertools import pairwise

from tumorresp.domain.counted_axis import counted_axis_mm
from tumorresp.domain.errors import InvalidInput
from tumorresp.domain.measurement import LesionRole, LesionState


@dataclass(frozen=True)
class LesionObservation:
    """One lesion at one time point; sizes are exact decimals.

    Parameters
    ----------
    long_axis_mm, short_axis_mm
        As the reader measured; None when not measured.
    third_axis_mm
        Extent perpendicular to both axes, for the volume of an ellipsoid; None when not measured.
    volume_mm3
        Of the mask; None when there is none.
    viable_long_axis_mm
        Longest diameter of the enhancing part, not crossing necrosis (mRECIST).
    mean_density_hu
        Mean CT number of the whole lesion in the portal venous phase (Choi).
    parents
        Lesions that this one came from: one for a fragment of a split lesion, several for a conglomerate.
    irradiated
        The lesion was irradiated or otherwise treated locally before baseline.
    method
        ``CT``, ``MRI``, ``X-RAY``, ``CALIPER``; empty when not stated.
    slice_thickness_mm
        Of the images that it was measured on.
    date
        Of the scan, where it is not the visit's date.
    source
        Where the observation came from: a table's row, a measurement's UID.
    pending
        What of this lesion waits for a person's decision, in words without a full stop ("a part of it, measured
        beside, waits for a decision"); empty where nothing does. The sizes given are what is sure, to which the rest
        can only add: they are shown as provisional, no category but PD is made from them, and they are no baseline
        and no nadir. A pending new lesion keeps CR, PR and SD from its visit.
    volume_doubt
        Why ``volume_mm3`` is not known or must not be believed, in words without a full stop ("its mask touches a gap
        of three slices"); empty where nothing speaks against it. Such a volume is not evaluable in every volumetric
        criterion: no baseline, no nadir, never absent. Diameters count on.
    """

    lesion_id: str
    role: LesionRole
    nodal: bool
    organ: str
    state: LesionState
    long_axis_mm: Decimal | None = None
    short_axis_mm: Decimal | None = None
    volume_mm3: Decimal | None = None
    label: str = ""
    viable_long_axis_mm: Decimal | None = None
    mean_density_hu: Decimal | None = None
    parents: tuple[str, ...] = ()
    irradiated: bool = False
    method: str = ""
    slice_thickness_mm: Decimal | None = None
    date: datetime.date | None = None
    source: str = ""
    pending: str = ""
    volume_doubt: str = ""
    third_axis_mm: Decimal | None = None

    @property
    def counted_mm(self) -> Decimal | None:
        """Length of the axis that counts (of a node the short one), None where it was not measured; mm."""
        return counted_axis_mm(self.long_axis_mm, self.short_axis_mm, nodal=self.nodal)

    @property
    def sure_volume_mm3(self) -> Decimal | None:
        """The volume where nothing speaks against it and no part of the lesion waits; else None."""
        return None if self.volume_doubt or self.pending else self.volume_mm3

    @property
    def name(self) -> str:
        """What reasons call the lesion: its ID and organ."""
        return f"{self.lesion_id} {self.organ}".strip()

    @property
    def has_size(self) -> bool:
        """Whether anything of it was measured to be more than 0."""
        return any((self.long_axis_mm, self.short_axis_mm, self.volume_mm3, self.viable_long_axis_mm))

    @property
    def is_contradictory(self) -> bool:
        """Whether the lesion is called absent and has a size all the same."""
        return self.state is LesionState.ABSENT and self.has_size

    def is_gone(self, normal_node_mm: Decimal) -> bool | None:
        """Return whether the lesion has disappeared or, if a node, is normal; None where that cannot be told.

        A node is normal under ``normal_node_mm`` of short axis (RECIST 1.1, section 4.3.1); the short axis of a node
        that is too small to measure, or of which even the long axis is shorter, is under it too.
        """
        if self.state is LesionState.NOT_EVALUABLE or self.is_contradictory or self.pending:
            return None
        if self.state is LesionState.ABSENT:
            return True
        if not self.nodal:
            return False
        if self.short_axis_mm is not None:
            return self.short_axis_mm < normal_node_mm
        if self.long_axis_mm is not None:
            return True if self.long_axis_mm < normal_node_mm else None
        return self.state is LesionState.TOO_SMALL


class Hides(StrEnum):
    """What may be hidden by something that could not be read."""

    ANYTHING = "anything"
    NOT_COMPLETE = "what stands against a complete response"


@dataclass(frozen=True)
class Refused:
    """Something of a subject that was given, but could not be read: it is not absent, and may hide progression.

    Parameters
    ----------
    words
        What is wrong with it, without a full stop.
    where
        Row and column, or UID.
    lesion_id, role
        Of the lesion that it is about; empty and None where that is not known.
    criteria
        How the names of the criteria begin that use it (``volume-``); empty for all.
    """

    words: str
    where: str
    lesion_id: str = ""
    role: LesionRole | None = None
    hides: Hides = Hides.ANYTHING
    criteria: str = ""


@dataclass(frozen=True)
class Visit:
    """One time point; a lesion of an earlier visit without an observation here was not assessed.

    Parameters
    ----------
    date
        Of the visit; where its scans were on several days, the latest (what a response dates from).
    first_date
        The earliest scan of the visit (what progression dates from), None where it is ``date``.
    markers_elevated
        Tumour markers are above the upper limit of normal; None when not known or not followed.
    clinically_stable
        Performance status and symptoms allow to go on (iRECIST); None when not stated.
    refused
        What was given of this visit and could not be read (``tumorresp.response.refused``).
    suspicious
        Numbers of this visit that are perhaps wrong (``tumorresp.response.provisional``); they count.

    Raises
    ------
    InvalidInput
        If a lesion is observed twice.
    """

    time_point_id: str
    name: str
    date: datetime.date
    observations: tuple[LesionObservation, ...]
    first_date: datetime.date | None = None
    markers_elevated: bool | None = None
    clinically_stable: bool | None = None
    refused: tuple[Refused, ...] = ()
    suspicious: tuple[Refused, ...] = ()
    _by_id: Mapping[str, LesionObservation] = field(init=False, repr=False, compare=False)
    children: Mapping[str, tuple[LesionObservation, ...]] = field(init=False, repr=False, compare=False)
    """Lesion ID -> observations that came from it by splitting or merging."""

    def __post_init__(self) -> None:
        by_id = {item.lesion_id: item for item in self.observations}
        children: dict[str, tuple[LesionObservation, ...]] = {}
        for item in self.observations:
            for parent in item.parents:
                children[parent] = (*children.get(parent, ()), item)
        object.__setattr__(self, "_by_id", by_id)
        object.__setattr__(self, "children", children)
        if len(by_id) < len(self.observations):
            self._refuse_repeated()

    def _refuse_repeated(self) -> None:
        seen = Counter(item.lesion_id for item in self.observations)
        twice = sorted(lesion_id for lesion_id, count in seen.items() if count > 1)
        raise InvalidInput(
            f"lesion {', '.join(twice)} is observed more than once at {self.name}.",
            where=self.time_point_id,
            remedy="Give one observation a lesion and time point.",
        )

    def of(self, lesion_id: str) -> LesionObservation | None:
        """Return the observation of a lesion, or None."""
        return self._by_id.get(lesion_id)


def check_order(visits: Sequence[Visit]) -> None:
    """Raise InvalidInput unless every visit is later than the one before."""
    for earlier, later in pairwise(visits):
        if later.date <= earlier.date:
            raise InvalidInput(
                f"{later.name} ({later.date}) is not later than {earlier.name} ({earlier.date}).",
                where=later.time_point_id,
                remedy="Give the visits in order of date, one a date.",
            )
