"""Prompts for a segmenter and the masks that come back."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tumorresp.domain.finding import Finding
from tumorresp.domain.geometry import Vector3, VolumeGeometry


@dataclass(frozen=True)
class BoxPrompt:
    """A box on the slice that the axes lie on, with the axes in index coordinates.

    Parameters
    ----------
    slice_index
        Key slice: the slice nearest to the axes' midpoints.
    row_min, column_min, row_max, column_max
        Continuous pixel positions (centres at integers), clipped to the slice; the margin is included.
    long_axis_index, short_axis_index
        End points as continuous (slice, row, column); ``short_axis_index`` None when only a long axis was measured.
    long_axis_mm, short_axis_mm
        Lengths; ``short_axis_mm`` is the stated ratio times the long axis when no short axis was measured.
    """

    measurement_uid: str
    slice_index: int
    row_min: float
    column_min: float
    row_max: float
    column_max: float
    long_axis_index: tuple[Vector3, Vector3]
    short_axis_index: tuple[Vector3, Vector3] | None
    long_axis_mm: float
    short_axis_mm: float
    findings: tuple[Finding, ...] = field(default=())

    @property
    def box_xyxy(self) -> tuple[float, float, float, float]:
        """(x0, y0, x1, y1) = (column_min, row_min, column_max, row_max), as box-prompted networks take it."""
        return self.column_min, self.row_min, self.column_max, self.row_max


@dataclass(frozen=True)
class SegmenterIdentity:
    """Which program made a mask: goes into the SEG, the SR and every table.

    ``weights_sha256`` is None for segmenters without weights. ``parameters`` are (name, value) pairs in fixed order.
    """

    name: str
    version: str
    weights_sha256: str | None = None
    parameters: tuple[tuple[str, str], ...] = ()

    @property
    def details(self) -> tuple[tuple[str, str], ...]:
        """What identifies a segmenter beyond name and version: the weights' hash, then its parameters."""
        weights = (("weights_sha256", self.weights_sha256),) if self.weights_sha256 else ()
        return (*weights, *self.parameters)

    def as_pairs(self) -> tuple[tuple[str, str], ...]:
        """Return everything that tells one segmenter from another, as (name, value) in fixed order."""
        return (("name", self.name), ("version", self.version), *self.details)


@dataclass(frozen=True, eq=False)
class LesionMask:
    """A lesion's voxels, stored as the smallest box that holds them.

    Parameters
    ----------
    measurement_uid
        The measurement that prompted the mask.
    voxels
        (slice, row, column) bool array of the box.
    start
        Index (slice, row, column) of the box's first voxel in the volume.
    geometry
        Geometry of the whole volume.
    """

    measurement_uid: str
    voxels: NDArray[np.bool_]
    start: tuple[int, int, int]
    geometry: VolumeGeometry
    segmenter: SegmenterIdentity
    key_slice: int
    findings: tuple[Finding, ...] = field(default=())

    @classmethod
    def from_volume(
        cls,
        voxels: NDArray[np.bool_],
        geometry: VolumeGeometry,
        *,
        measurement_uid: str,
        segmenter: SegmenterIdentity,
        key_slice: int,
        findings: tuple[Finding, ...] = (),
    ) -> "LesionMask":
        """Crop a whole-volume (slice, row, column) bool array to the lesion; an empty array gives an empty mask."""
        occupied = [np.flatnonzero(voxels.any(axis=other)) for other in ((1, 2), (0, 2), (0, 1))]
        if occupied[0].size == 0:
            box, start = np.zeros((0, 0, 0), bool), (key_slice, 0, 0)
        else:
            begin = [int(indices[0]) for indices in occupied]
            end = [int(indices[-1]) + 1 for indices in occupied]
            box = voxels[begin[0] : end[0], begin[1] : end[1], begin[2] : end[2]].copy()
            start = (begin[0], begin[1], begin[2])
        return cls(measurement_uid, box, start, geometry, segmenter, key_slice, findings)

    @property
    def is_empty(self) -> bool:
        """Whether no voxel belongs to the lesion."""
        return not self.voxels.any()

    @property
    def voxel_count(self) -> int:
        """Number of voxels of the lesion."""
        return int(np.count_nonzero(self.voxels))

    def in_volume(self) -> NDArray[np.bool_]:
        """Return the mask as a bool array of the whole volume's shape (slice, row, column)."""
        full = np.zeros(self.geometry.shape, bool)
        k, r, c = self.start
        n, h, w = self.voxels.shape
        full[k : k + n, r : r + h, c : c + w] = self.voxels
        return full
