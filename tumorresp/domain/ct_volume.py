"""A CT series as one array in the patient."""

import datetime
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tumorresp.domain.finding import Finding
from tumorresp.domain.geometry import ImagePlane, VolumeGeometry


@dataclass(frozen=True, eq=False)
class CtVolume:
    """CT numbers on a regular grid, with the images that they came from.

    Parameters
    ----------
    hu
        (slice, row, column) CT numbers in HU, int16 or float32; pixel padding is set to air (-1000 HU).
    geometry
        Where the voxels lie (LPS mm). Slices are sorted by position along the normal, towards growing index.
    planes
        One image plane a slice, in slice order.
    slice_thickness_mm
        Nominal Slice Thickness (0018,0050); None where the images state none.
    findings
        What was noticed: gantry tilt, uneven or missing slices, padding and the like.
    numbers_doubt
        Why the values are no CT numbers to measure or to segment on, in words; empty where they are. The grid and the
        planes are right all the same.
    other_stacks
        (SOP Instance UID, frame number) of the series' images that form other stacks than this one.
    planes_beside
        Planes of the series' images that fill no slice: of other stacks, unreadable, or repeating a position.
    """

    hu: NDArray[np.int16] | NDArray[np.float32]
    geometry: VolumeGeometry
    planes: tuple[ImagePlane, ...]
    series_instance_uid: str
    study_instance_uid: str
    patient_id: str
    acquired_on: datetime.date | None
    slice_thickness_mm: float | None
    findings: tuple[Finding, ...] = field(default=())
    numbers_doubt: str = ""
    other_stacks: frozenset[tuple[str, int | None]] = field(default=frozenset())
    planes_beside: tuple[ImagePlane, ...] = field(default=())

    @property
    def slices_without_image(self) -> tuple[int, ...]:
        """Indices of slices that no usable image fills; their values are interpolated from their neighbours."""
        return tuple(index for index, plane in enumerate(self.planes) if not plane.sop_instance_uid)

    def slice_of(self, sop_instance_uid: str, frame_number: int | None = None) -> int | None:
        """Return the slice index of an image (and frame), or None when the series does not hold it."""
        for index, plane in enumerate(self.planes):
            if plane.sop_instance_uid == sop_instance_uid and frame_number in (None, plane.frame_number):
                return index
        return None

    def plane_of(self, sop_instance_uid: str, frame_number: int | None = None) -> ImagePlane | None:
        """Return where an image (and frame) of the series lies, whether it fills a slice or not; None without it."""
        for plane in (*self.planes, *self.planes_beside):
            if plane.sop_instance_uid == sop_instance_uid and frame_number in (None, plane.frame_number):
                return plane
        return None
