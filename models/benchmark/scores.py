"""How alike two masks are."""

from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.measure import marching_cubes

Mask = NDArray[np.bool_]
Spacing = tuple[float, float, float]
_CELL = 2
_CORNERS = tuple(np.ndindex(_CELL, _CELL, _CELL))


def dice(reference: Mask, mask: Mask) -> float:
    """Return the Dice similarity coefficient, 2 |A and B| / (|A| + |B|); 1 for two empty masks."""
    total = int(np.count_nonzero(reference)) + int(np.count_nonzero(mask))
    return 2 * int(np.count_nonzero(reference & mask)) / total if total else 1.0


def surface_dice(reference: Mask, mask: Mask, spacing_mm: Spacing, tolerance_mm: float) -> float:
    """Return the share of both surfaces that lies within a tolerance of the other one.

    Surfaces are made of the cells between eight voxel centres that hold a boundary; each counts with the area of its
    marching-cubes surface, so that unlike spacings and slanted surfaces are weighed right.

    Parameters
    ----------
    reference, mask
        (slice, row, column) bool arrays of one shape.
    spacing_mm
        Between slices, rows and columns.

    Returns
    -------
    0 to 1; 1 for two empty masks, 0 when one is empty.

    References
    ----------
    Nikolov et al.: Clinically applicable segmentation of head and neck anatomy for radiotherapy, JMIR 2021.
    """
    either = reference | mask
    if not either.any():
        return 1.0
    if not (reference.any() and mask.any()):
        return 0.0
    box = ndimage.find_objects(either.astype(np.uint8))[0]
    areas = [_surface_areas(np.pad(one[box], 1), spacing_mm) for one in (reference, mask)]
    near = [ndimage.distance_transform_edt(area == 0, sampling=spacing_mm) <= tolerance_mm for area in areas]
    apart = float(areas[0][~near[1]].sum() + areas[1][~near[0]].sum())
    within = float(areas[0][near[1]].sum() + areas[1][near[0]].sum())
    return within / (within + apart)  # of two sums, so that rounding leaves it between 0 and 1


def volume_ratio(reference: Mask, mask: Mask) -> float:
    """Return the mask's volume over the reference's, which must not be empty."""
    return int(np.count_nonzero(mask)) / int(np.count_nonzero(reference))


def _surface_areas(mask: Mask, spacing_mm: Spacing) -> NDArray[np.float64]:
    """Return the area (mm2) of boundary in each cell between eight voxel centres; one cell fewer along each axis."""
    pattern = np.zeros([size - 1 for size in mask.shape], np.uint8)
    for bit, corner in enumerate(_CORNERS):
        window = tuple(slice(first, first + size) for first, size in zip(corner, pattern.shape, strict=True))
        pattern |= mask[window].astype(np.uint8) << bit
    return _cell_areas(spacing_mm)[pattern]


def _cell_areas(spacing_mm: Spacing) -> NDArray[np.float64]:
    """Return the marching-cubes area (mm2) of each of the 256 ways in which a cell's corners can be inside."""
    triangles, pattern_of = _cell_triangles()
    sides = np.diff(triangles * np.asarray(spacing_mm), axis=1)
    areas = np.linalg.norm(np.cross(sides[:, 0], sides[:, 1]), axis=1) / 2
    total: NDArray[np.float64] = np.bincount(pattern_of, weights=areas, minlength=256).astype(np.float64)
    return total


@cache
def _cell_triangles() -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the (triangle, corner, axis) surface of all 256 cells of unit size, and the cell of each triangle."""
    triangles, pattern_of = [], []
    for pattern in range(1, 255):
        cell = np.zeros((_CELL,) * 3, np.float32)
        for bit, corner in enumerate(_CORNERS):
            cell[corner] = pattern >> bit & 1
        vertices, faces, _, _ = marching_cubes(cell, 0.5)
        triangles.append(vertices[faces])
        pattern_of.append(np.full(len(faces), pattern))
    return np.concatenate(triangles).astype(np.float64), np.concatenate(pattern_of)
