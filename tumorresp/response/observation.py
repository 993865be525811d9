"""What the rules see of a lesion at a time point."""

import datetime
from dataclasses import dataclass
from decimal import Decimal

from tumorresp.domain.measurement import LesionRole, LesionState


@dataclass(frozen=True)
class LesionObservation:
    """One lesion at one time point; sizes are exact decimals.

    Parameters
    ----------
    long_axis_mm, short_axis_mm
        As the reader measured; None when not measured.
    volume_mm3
        Of the mask; None when there is none.
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

    @property
    def name(self) -> str:
        """What reasons call the lesion: its ID and organ."""
        return f"{self.lesion_id} {self.organ}".strip()


@dataclass(frozen=True)
class Visit:
    """One time point; a lesion of an earlier visit without an observation here was not assessed."""

    time_point_id: str
    name: str
    date: datetime.date
    observations: tuple[LesionObservation, ...]

    def of(self, lesion_id: str) -> LesionObservation | None:
        """Return the observation of a lesion, or None."""
        return next((item for item in self.observations if item.lesion_id == lesion_id), None)
