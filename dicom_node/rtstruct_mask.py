"""Regions of interest of an RT Structure Set as voxel masks of a CT volume (PS3.3 C.8.8.5, C.8.8.6)."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.errors import InvalidDicomError

from tumorresp.domain.errors import InvalidGeometry, InvalidInput, NotDicom
from tumorresp.domain.geometry import VolumeGeometry

RT_STRUCTURE_SET_STORAGE = "1.2.840.10008.5.1.4.1.1.481.3"
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
        If the file is no DICOM file.
    InvalidInput
        If it is no RT Structure Set, or a contour's points cannot be understood.
    """
    dataset = _structure_set(path)
    contours: dict[int, tuple[NDArray[np.float64], ...]] = {
        int(item.ReferencedROINumber): tuple(
            _contour_points(contour, path.name)
            for contour in item.get("ContourSequence", ())
            if contour.get("ContourGeometricType") == "CLOSED_PLANAR"
        )
        for item in dataset.get("ROIContourSequence", ())
    }
    rois = (
        Roi(
            int(item.ROINumber),
            str(item.get("ROIName", "")),
            contours.get(int(item.ROINumber), ()),
            str(item.get("ReferencedFrameOfReferenceUID", "")),
        )
        for item in dataset.get("StructureSetROISequence", ())
    )
    return tuple(sorted((roi for roi in rois if roi.contours_lps_mm), key=lambda roi: roi.number))


def referenced_series(path: Path) -> frozenset[str]:
    """Return the Series Instance UIDs (0020,000E) of the images that an RT Structure Set refers to.

    Raises
    ------
    NotDicom
        If the file is no DICOM file.
    InvalidInput
        If it is no RT Structure Set.
    """
    return frozenset(
        str(series.SeriesInstanceUID)
        for frame in _structure_set(path).get("ReferencedFrameOfReferenceSequence", ())
        for study in frame.get("RTReferencedStudySequence", ())
        for series in study.get("RTReferencedSeriesSequence", ())
    )


def _structure_set(path: Path) -> Dataset:
    try:
        dataset = pydicom.dcmread(path)
    except (InvalidDicomError, EOFError) as error:
        raise NotDicom("not a DICOM file", where=path.name) from error
    if dataset.get("SOPClassUID") != RT_STRUCTURE_SET_STORAGE:
        raise InvalidInput("expected an RT Structure Set in SOP Class UID (0008,0016)", where=path.name)
    return dataset


def _contour_points(contour: Dataset, file_name: str) -> NDArray[np.float64]:
    numbers = np.asarray(contour.get("ContourData") or (), dtype=np.float64)
    if numbers.size < 9 or numbers.size % 3 or not np.isfinite(numbers).all():
        raise InvalidInput(
            f"Contour Data (3006,0050) holds {numbers.size} values; expected at least three points of three numbers",
            where=file_name,
        )
    return numbers.reshape(-1, 3)


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
    is put between slices that have contours.

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
