"""Regions of interest of an RT Structure Set as voxel masks of a CT volume (PS3.3 C.8.8.5, C.8.8.6)."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dicom_node.structure_set import read_structure_set
from tumorresp.domain.errors import InvalidGeometry
from tumorresp.domain.geometry import VolumeGeometry

# Writers round contour points to 0.01 mm or so; a contour that leaves its slice by more than this is of another grid.
_PLANE_TOLERANCE = 0.25


@dataclass(frozen=True, eq=False)
class Roi:
    """One region of interest.

    Parameters
    ----------
    number, name
        ROI Number (3006,0022) and ROI Name (3006,0026).
    contours_lps_mm
        One (points, 3) array in LPS mm for each closed planar contour, in the file's order.
    frame_of_reference_uid
        Frame of Reference UID (3006,0024) of the points; empty when the file states none.
    """

    number: int
    name: str
    contours_lps_mm: tuple[NDArray[np.float64], ...]
    frame_of_reference_uid: str


def read_rois(path: Path) -> tuple[Roi, ...]:
    """Read every region of interest that has closed planar contours, in the order of its ROI Number.

    Raises
    ------
    NotDicom
        If the file is no DICOM file, or is cut off.
    InvalidInput
        If it is no RT Structure Set, or a contour's points cannot be understood.
    """
    rois = (
        Roi(
            region.number,
            region.name,
            tuple(contour.points_lps_mm for contour in region.contours if contour.is_outline),
            region.frame_of_reference_uid,
        )
        for region in read_structure_set(path).regions
    )
    return tuple(roi for roi in rois if roi.contours_lps_mm)


def referenced_series(path: Path) -> frozenset[str]:
    """Return the Series Instance UIDs (0020,000E) of the images that an RT Structure Set refers to.

    Raises
    ------
    NotDicom
        If the file is no DICOM file, or is cut off.
    InvalidInput
        If it is no RT Structure Set.
    """
    return read_structure_set(path).referenced_series


def roi_mask(roi: Roi, geometry: VolumeGeometry) -> NDArray[np.bool_]:
    """Return the voxels whose centres lie inside a region, as a (slice, row, column) bool array.

    Raises
    ------
    InvalidGeometry
        If the region is of another frame of reference, or `contours_mask` refuses its contours.
    """
    frames = {roi.frame_of_reference_uid, geometry.frame_of_reference_uid} - {""}
    if len(frames) > 1:
        raise InvalidGeometry("the region and the CT are of different frames of reference", where=f"ROI {roi.number}")
    return contours_mask(roi.contours_lps_mm, geometry)


def contours_mask(contours_lps_mm: Sequence[NDArray[np.float64]], geometry: VolumeGeometry) -> NDArray[np.bool_]:
    """Return the voxels whose centres lie inside closed planar contours.

    Each contour belongs to the slice whose plane it lies on. Contours of one slice are taken together by the even-odd
    rule, so that a contour inside another one is a hole. What reaches beyond the rows and columns is cut off; nothing
    is put between slices that have contours. A voxel whose centre lies on an edge belongs to one side only, so that
    regions that share a border share no voxel (`skimage.draw.polygon2mask` gives such voxels to both).

    Parameters
    ----------
    contours_lps_mm
        (points, 3) arrays in LPS mm; the last point joins the first.

    Returns
    -------
    (slice, row, column) bool array of the grid's shape.

    Raises
    ------
    InvalidGeometry
        If a contour does not lie on a slice: oblique to the slices, between two of them, or beyond the volume.
    """
    crossings = np.zeros((geometry.shape[0], geometry.shape[1], geometry.shape[2] + 1), np.uint8)
    for number, points in enumerate(contours_lps_mm, start=1):
        index = geometry.lps_to_index(points)
        slice_index = round(float(np.median(index[:, 0])))
        if np.abs(index[:, 0] - slice_index).max() > _PLANE_TOLERANCE:
            raise InvalidGeometry(f"contour {number} lies on no slice of the CT volume")
        if not 0 <= slice_index < geometry.shape[0]:
            raise InvalidGeometry(f"contour {number} lies beyond the CT volume's slices")
        _count_edges(crossings[slice_index], index[:, 1], index[:, 2])
    # A voxel is inside when an odd number of edges lies to its left.
    inside: NDArray[np.bool_] = np.bitwise_xor.accumulate(crossings, axis=2)[:, :, :-1].astype(bool)
    return inside


def _count_edges(
    crossings: NDArray[np.uint8], point_rows: NDArray[np.float64], point_columns: NDArray[np.float64]
) -> None:
    """Toggle, for each edge and each row that it crosses, the first column to the right of the crossing."""
    rows, columns = crossings.shape[0], crossings.shape[1] - 1
    edges = zip(point_rows, point_columns, np.roll(point_rows, -1), np.roll(point_columns, -1), strict=True)
    for row_a, column_a, row_b, column_b in edges:
        # Half open, so that a row through a corner is crossed once by the two edges that meet there.
        first, stop = sorted((int(np.ceil(row_a)), int(np.ceil(row_b))))
        row = np.arange(max(first, 0), min(stop, rows))
        if row.size == 0:
            continue
        column = column_a + (row - row_a) * (column_b - column_a) / (row_b - row_a)
        crossings[row, np.clip(np.ceil(column).astype(int), 0, columns)] ^= 1
