"""A lesion's own coordinates: along its long axis, along its short axis and across the slices, in millimetres."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tumorresp.domain.geometry import VolumeGeometry
from tumorresp.domain.segmentation import BoxPrompt

Floats = NDArray[np.float64]
_PARALLEL = 1e-6


@dataclass(frozen=True)
class LesionFrame:
    """Where a prompt's axes lie on their slice, and how far they reach.

    Parameters
    ----------
    centre_mm
        (row, column) on the key slice, in mm from the centre of its first pixel: halfway between the midpoints of the
        two axes.
    long_direction
        Unit (row, column) vector along the long axis.
    half_long_mm, half_short_mm
        Half the lengths of the axes.
    key_slice
        Slice index of the axes.
    spacing_mm
        Distance between (slice planes, rows, columns).
    drift_mm
        (row, column) by which the grid's next slice is displaced in the plane; not zero for tilted gantries only.
    """

    centre_mm: tuple[float, float]
    long_direction: tuple[float, float]
    half_long_mm: float
    half_short_mm: float
    key_slice: int
    spacing_mm: tuple[float, float, float]
    drift_mm: tuple[float, float]

    def coordinates(self, slices: Floats, rows: Floats, columns: Floats) -> tuple[Floats, Floats, Floats]:
        """Return the positions of a grid's voxels in units of the half axes.

        Parameters
        ----------
        slices, rows, columns
            One-dimensional arrays of the grid's slice, row and column indices in the volume; need not be whole.

        Returns
        -------
        along, beside, across
            (slice, row, column) arrays (``across`` (slice, 1, 1)): distance from the centre along the long axis over
            its half, along the short axis over its half, and across the slices over half the long axis.
        """
        height = (slices - self.key_slice)[:, None, None]
        down = rows[None, :, None] * self.spacing_mm[1] + height * self.drift_mm[0] - self.centre_mm[0]
        right = columns[None, None, :] * self.spacing_mm[2] + height * self.drift_mm[1] - self.centre_mm[1]
        row, column = self.long_direction
        along = (down * row + right * column) / self.half_long_mm
        beside = (right * row - down * column) / self.half_short_mm
        return along, beside, height * (self.spacing_mm[0] / self.half_long_mm)

    def ellipse(self, box: "VoxelBox") -> NDArray[np.bool_]:
        """Return the voxels of a box that lie in the axes' ellipse on the key slice, as (slice, row, column) bool."""
        inside = np.zeros(box.shape, bool)
        slices, rows, columns = box.indices()
        key = self.key_slice - box.start[0]
        along, beside, _ = self.coordinates(slices[key : key + 1], rows, columns)
        inside[key] = (along**2 + beside**2 <= 1)[0]
        return inside


@dataclass(frozen=True)
class VoxelBox:
    """A box of voxels in a volume: first voxel and size, both (slice, row, column)."""

    start: tuple[int, int, int]
    shape: tuple[int, int, int]

    @property
    def region(self) -> tuple[slice, slice, slice]:
        """Slices that cut the box out of the volume's array."""
        (k, r, c), (n, h, w) = self.start, self.shape
        return slice(k, k + n), slice(r, r + h), slice(c, c + w)

    def indices(self) -> tuple[Floats, Floats, Floats]:
        """Return the slice, row and column indices in the volume, one array each."""
        k, r, c = (
            np.arange(first, first + size, dtype=np.float64) for first, size in zip(self.start, self.shape, strict=True)
        )
        return k, r, c

    def in_volume(self, voxels: NDArray[np.bool_], volume_shape: tuple[int, int, int]) -> NDArray[np.bool_]:
        """Return a mask of the box as a mask of the volume."""
        whole = np.zeros(volume_shape, bool)
        whole[self.region] = voxels
        return whole

    def limits(self, mask: NDArray[np.bool_]) -> bool:
        """Return whether a mask of the volume touches a face of the box behind which the volume goes on."""
        inside = mask[self.region]
        for axis, (begin, size, whole) in enumerate(zip(self.start, self.shape, mask.shape, strict=True)):
            if begin > 0 and inside.take(0, axis).any():
                return True
            if begin + size < whole and inside.take(size - 1, axis).any():
                return True
        return False


def lesion_frame(prompt: BoxPrompt, geometry: VolumeGeometry) -> LesionFrame:
    """Return the frame of a prompt's axes on a volume."""
    row_spacing, column_spacing = geometry.spacing_mm[1:]
    in_plane = np.array([row_spacing, column_spacing])
    long_ends = np.asarray(prompt.long_axis_index, dtype=np.float64)[:, 1:] * in_plane
    along = long_ends[1] - long_ends[0]
    length = float(np.linalg.norm(along))
    # A long axis that stands on the slice has no direction in it; any one will do.
    direction = along / length if length > _PARALLEL else np.array([0.0, 1.0])
    centre = long_ends.mean(axis=0)
    if prompt.short_axis_index is not None:
        across = np.array([-direction[1], direction[0]])
        short_middle = np.asarray(prompt.short_axis_index, dtype=np.float64)[:, 1:].mean(axis=0) * in_plane
        centre = centre + across * float((short_middle - centre) @ across) / 2
    slice_step = np.asarray(geometry.slice_step_lps_mm)
    return LesionFrame(
        centre_mm=(float(centre[0]), float(centre[1])),
        long_direction=(float(direction[0]), float(direction[1])),
        half_long_mm=prompt.long_axis_mm / 2,
        half_short_mm=prompt.short_axis_mm / 2,
        key_slice=prompt.slice_index,
        spacing_mm=(geometry.slice_distance_mm, row_spacing, column_spacing),
        drift_mm=(
            float(slice_step @ np.asarray(geometry.row_step_lps_mm)) / row_spacing,
            float(slice_step @ np.asarray(geometry.column_step_lps_mm)) / column_spacing,
        ),
    )


def box_around(
    frame: LesionFrame, volume_shape: tuple[int, int, int], reach_mm: float, reach_across_mm: float
) -> VoxelBox:
    """Return the voxels around a lesion's centre, clipped to the volume.

    Parameters
    ----------
    reach_mm, reach_across_mm
        Half size of the box in the plane and across the slices.
    """
    slices = reach_across_mm / frame.spacing_mm[0]
    # The box is widened by what a tilted grid moves until the outermost slice.
    half = (
        slices,
        (reach_mm + slices * abs(frame.drift_mm[0])) / frame.spacing_mm[1],
        (reach_mm + slices * abs(frame.drift_mm[1])) / frame.spacing_mm[2],
    )
    middle = (
        float(frame.key_slice),
        *(mm / step for mm, step in zip(frame.centre_mm, frame.spacing_mm[1:], strict=True)),
    )
    begin = [min(max(int(np.ceil(m - h)), 0), size - 1) for m, h, size in zip(middle, half, volume_shape, strict=True)]
    end = [
        max(min(int(np.floor(m + h)) + 1, size), first + 1)
        for m, h, size, first in zip(middle, half, volume_shape, begin, strict=True)
    ]
    return VoxelBox((begin[0], begin[1], begin[2]), (end[0] - begin[0], end[1] - begin[1], end[2] - begin[2]))
