"""Long and short axis of a mask: the Feret diameter of a slice's outline and the greatest chord across it.

The outline of a slice lies a quarter of a pixel outside the centres of the mask's outermost pixels. The outline
through the centres measures round and oval lesions 0.1 to 0.8 pixel too short on average, the one half a pixel out
0.1 to 0.9 pixel too long; the one between errs by less than 0.4 pixel (``docs/numbers.md`` has the table), and its
points stay inside the mask's pixels.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_fill_holes, label
from skimage.measure import find_contours

from tumorresp.domain.geometry import VolumeGeometry, vector3
from tumorresp.domain.measurement import Axis
from tumorresp.domain.outline_axes import farthest_pair, outline_diameters

# Linear interpolation of a 0/1 image crosses this level a quarter of a pixel outside the last pixel's centre.
_OUTLINE_LEVEL = 0.75
_EIGHT_NEIGHBOURS = np.ones((3, 3), int)


@dataclass(frozen=True)
class MaskAxes:
    """Both axes (LPS mm) of a mask and the index of the slice that they lie in."""

    long_axis: Axis
    short_axis: Axis
    slice_index: int


def mask_axes(voxels: NDArray[np.bool_], geometry: VolumeGeometry) -> MaskAxes | None:
    """Measure a mask as RECIST 1.1 measures a lesion: the longest diameter in any slice, and across it.

    Parameters
    ----------
    voxels
        (slice, row, column) mask.
    geometry
        Where the voxels lie; anisotropic pixels and sheared grids are allowed.

    Returns
    -------
    MaskAxes or None
        None for an empty mask. Of slices with equal long axes the first counts. Holes are ignored; parts that are
        separate in a slice are measured each on its own. ``slice_index`` counts from the first slice of ``voxels``.
    """
    basis = _plane_basis(geometry)
    best: tuple[float, int, NDArray[np.float64]] | None = None
    for k in np.flatnonzero(voxels.any(axis=(1, 2))):
        for outline in _outlines(voxels[k]):
            points = outline @ basis
            pair = farthest_pair(points)
            length = float(np.linalg.norm(pair[1] - pair[0]))
            # Noise of the last digits must not decide between slices.
            if best is None or length > best[0] + 1e-9:
                best = length, int(k), points
    if best is None:
        return None
    _, slice_index, points = best
    diameters = outline_diameters(points)
    to_pixels = np.linalg.inv(basis)
    return MaskAxes(
        _axis(diameters.long @ to_pixels, slice_index, geometry),
        _axis(diameters.short @ to_pixels, slice_index, geometry),
        slice_index,
    )


def _plane_basis(geometry: VolumeGeometry) -> NDArray[np.float64]:
    """Return the (2, 2) matrix that takes (row, column) steps to mm in an orthonormal frame of the slice."""
    row, column = np.asarray(geometry.row_step_lps_mm), np.asarray(geometry.column_step_lps_mm)
    along = column / np.linalg.norm(column)
    across = row - (row @ along) * along
    across /= np.linalg.norm(across)
    return np.array([[row @ along, row @ across], [column @ along, 0.0]])


def _axis(pixels: NDArray[np.float64], slice_index: int, geometry: VolumeGeometry) -> Axis:
    ends = geometry.index_to_lps(np.column_stack([np.full(2, slice_index), pixels]))
    return Axis(vector3(ends[0]), vector3(ends[1]))


def _outlines(section: NDArray[np.bool_]) -> list[NDArray[np.float64]]:
    """Return the closed outer outline, (N, 2) as (row, column), of each part of a (row, column) mask."""
    parts, count = label(section, _EIGHT_NEIGHBOURS)
    outlines = []
    for part in range(1, count + 1):
        filled = np.pad(binary_fill_holes(parts == part), 1).astype(np.float64)
        contours = find_contours(filled, _OUTLINE_LEVEL, fully_connected="high")
        outlines.append(max(contours, key=len)[:-1] - 1)
    return outlines
