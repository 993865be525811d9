"""A CT volume being painted: soft-edged bodies given in the patient's own frame, drawn on a scanner's grid."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tumorresp.domain.geometry import VolumeGeometry

Floats = NDArray[np.float32]
Box = tuple[slice, slice, slice]


class Canvas:
    """HU (slice, row, column) on a grid, with the motion from the anatomy's frame to the scanner's.

    Parameters
    ----------
    geometry
        The scan's grid (LPS mm).
    anatomy_to_scan
        Rigid 4 x 4 matrix from anatomy mm to LPS mm of the scan.
    background_hu
        What the grid is filled with.
    """

    def __init__(
        self, geometry: VolumeGeometry, anatomy_to_scan: NDArray[np.float64], background_hu: float = -1000.0
    ) -> None:
        self.geometry = geometry
        self.hu: Floats = np.full(geometry.shape, background_hu, np.float32)
        self._anatomy_to_index = np.linalg.inv(geometry.affine) @ anatomy_to_scan
        self._index_to_anatomy = np.linalg.inv(self._anatomy_to_index)
        self.edge_mm = float(geometry.spacing_mm[2])

    def moved(self, anatomy_to_scan: NDArray[np.float64]) -> "Canvas":
        """Return a canvas over the same pixels for an anatomy that lies elsewhere."""
        other = Canvas(self.geometry, anatomy_to_scan)
        other.hu = self.hu
        return other

    def box(self, low_mm: ArrayLike, high_mm: ArrayLike) -> Box | None:
        """Return the index box that holds the anatomy box between two corners; None when it lies off the grid."""
        corners = np.stack(np.meshgrid(*zip(np.asarray(low_mm), np.asarray(high_mm), strict=True)), -1).reshape(-1, 3)
        index = corners @ self._anatomy_to_index[:3, :3].T + self._anatomy_to_index[:3, 3]
        begin = np.maximum(np.floor(index.min(axis=0)).astype(int) - 1, 0)
        end = np.minimum(np.ceil(index.max(axis=0)).astype(int) + 2, self.geometry.shape)
        if np.any(begin >= end):
            return None
        return slice(begin[0], end[0]), slice(begin[1], end[1]), slice(begin[2], end[2])

    def coordinates(self, box: Box) -> tuple[Floats, Floats, Floats]:
        """Return the anatomy mm (x, y, z) of a box's voxel centres, each (slice, row, column)."""
        k, r, c = (np.arange(side.start, side.stop, dtype=np.float32) for side in box)
        m = self._index_to_anatomy.astype(np.float32)
        x, y, z = ((m[i, 0] * k + m[i, 3])[:, None, None] + (m[i, 1] * r)[:, None] + (m[i, 2] * c) for i in range(3))
        return x, y, z

    @property
    def whole(self) -> Box:
        """The box of the whole grid."""
        n, h, w = self.geometry.shape
        return slice(0, n), slice(0, h), slice(0, w)

    def occupancy(self, distance_mm: Floats) -> Floats:
        """Return how much of a voxel a body fills, from the signed distance of its centre (negative inside)."""
        return np.asarray(np.clip(0.5 - distance_mm / np.float32(self.edge_mm), 0, 1), np.float32)

    def paint(self, box: Box, share: Floats, hu: float | Floats) -> None:
        """Blend a value into a box, ``share`` (0..1) of each voxel."""
        region = self.hu[box]
        change = hu - region
        change *= share
        region += change

    def paint_ellipsoid(
        self, centre_mm: ArrayLike, half_axes_mm: ArrayLike, hu: float, within: Floats | None = None
    ) -> None:
        """Paint an axis-parallel ellipsoid; ``within`` is a whole-grid share that bounds it."""
        centre, half = np.asarray(centre_mm, float), np.asarray(half_axes_mm, float)
        box = self.box(centre - half, centre + half)
        if box is None:
            return
        share = self.occupancy(ellipsoid_distance(self.coordinates(box), centre, half))
        self.paint(box, share if within is None else share * within[box], hu)


def ellipsoid_distance(
    coordinates: tuple[Floats, Floats, Floats], centre_mm: ArrayLike, half_axes_mm: ArrayLike
) -> Floats:
    """Return roughly the signed distance (mm) from an axis-parallel ellipsoid; infinite half axes make cylinders."""
    half = np.asarray(half_axes_mm, np.float32)
    squares = np.float32(0)
    for values, middle, size in zip(coordinates, np.asarray(centre_mm, np.float32), half, strict=True):
        if np.isfinite(size):
            squares = squares + ((values - middle) / size) ** 2
    return np.asarray((np.sqrt(squares) - 1) * half[np.isfinite(half)].min(), np.float32)
