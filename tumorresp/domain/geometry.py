"""Where voxels lie in the patient: regular grids and single image planes.

Patient coordinates are DICOM's LPS in millimetres (PS3.3 C.7.6.2.1.1). Arrays and indices are (slice, row, column).
"""

import datetime
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tumorresp.domain.errors import InvalidGeometry
from tumorresp.domain.scan_times import ScanTimes
from tumorresp.domain.series_look import SeriesLook

Vector3 = tuple[float, float, float]


def vector3(values: ArrayLike) -> Vector3:
    """Return three finite floats as a tuple.

    Raises
    ------
    InvalidGeometry
        If there are not three values or one of them is not finite.
    """
    array = np.asarray(values, dtype=np.float64).reshape(-1)
    if array.shape != (3,) or not np.isfinite(array).all():
        raise InvalidGeometry("expected three finite numbers for a point or direction in the patient")
    return float(array[0]), float(array[1]), float(array[2])


@dataclass(frozen=True)
class ImagePlane:
    """One CT image (or one frame) in the patient.

    Parameters
    ----------
    sop_instance_uid, frame_number
        The image; ``frame_number`` (from 1) is None for single-frame images.
    origin_lps_mm
        Centre of the first pixel: Image Position (Patient), (0020,0032).
    column_step_lps_mm
        Displacement from one column to the next: first triplet of Image Orientation (Patient) x column spacing.
    row_step_lps_mm
        Displacement from one row to the next: second triplet x row spacing.
    rows, columns
        Size in pixels.
    calibrated
        False when Pixel Spacing is absent and 1 mm was put in its place.
    acquired_on
        Study Date, else Series or Acquisition Date.
    times
        All that the image says of when it was made.
    look
        What its series calls itself, and the contrast agent.
    """

    sop_instance_uid: str
    frame_number: int | None
    series_instance_uid: str
    study_instance_uid: str
    frame_of_reference_uid: str
    patient_id: str
    origin_lps_mm: Vector3
    column_step_lps_mm: Vector3
    row_step_lps_mm: Vector3
    rows: int
    columns: int
    slice_thickness_mm: float | None = None
    modality: str = "CT"
    calibrated: bool = True
    acquired_on: datetime.date | None = None
    times: ScanTimes = field(default=ScanTimes())
    look: SeriesLook = field(default=SeriesLook())

    def pixel_to_lps(self, column: float, row: float) -> Vector3:
        """Return the LPS mm of a pixel position; integers are pixel centres, (0, 0) the first pixel's centre."""
        point = (
            np.asarray(self.origin_lps_mm)
            + column * np.asarray(self.column_step_lps_mm)
            + row * np.asarray(self.row_step_lps_mm)
        )
        return vector3(point)

    def lps_to_pixel(self, point_lps_mm: Vector3) -> tuple[float, float, float]:
        """Return (column, row, distance from the plane in mm) of a point; integers are pixel centres."""
        steps = np.column_stack([self.column_step_lps_mm, self.row_step_lps_mm, self.normal])
        column, row, distance = np.linalg.solve(steps, np.subtract(point_lps_mm, self.origin_lps_mm))
        return float(column), float(row), float(distance)

    def contains_pixel(self, column: float, row: float) -> bool:
        """Return whether a pixel position (centres at integers) lies on the image, edges included."""
        return -0.5 <= column <= self.columns - 0.5 and -0.5 <= row <= self.rows - 0.5

    @property
    def pixel_spacing_mm(self) -> tuple[float, float]:
        """(row spacing, column spacing): mm between rows, mm between columns, as in Pixel Spacing (0028,0030)."""
        return float(np.linalg.norm(self.row_step_lps_mm)), float(np.linalg.norm(self.column_step_lps_mm))

    @cached_property
    def normal(self) -> Vector3:
        """Unit normal: column direction x row direction."""
        cross = np.cross(self.column_step_lps_mm, self.row_step_lps_mm)
        return vector3(cross / np.linalg.norm(cross))


@dataclass(frozen=True)
class VolumeGeometry:
    """A regular voxel grid in the patient; a sheared grid (gantry tilt) is allowed.

    Parameters
    ----------
    shape
        (slices, rows, columns).
    origin_lps_mm
        Centre of voxel (0, 0, 0).
    slice_step_lps_mm, row_step_lps_mm, column_step_lps_mm
        Displacement when the slice, row or column index grows by one.
    frame_of_reference_uid
        Frame of Reference UID (0020,0052); empty when the images state none.

    Raises
    ------
    InvalidGeometry
        If the shape is not positive or the three steps do not span space.
    """

    shape: tuple[int, int, int]
    origin_lps_mm: Vector3
    slice_step_lps_mm: Vector3
    row_step_lps_mm: Vector3
    column_step_lps_mm: Vector3
    frame_of_reference_uid: str = ""

    def __post_init__(self) -> None:
        if len(self.shape) != 3 or min(self.shape) < 1:
            raise InvalidGeometry(f"a volume needs at least one voxel along each axis, got shape {self.shape}")
        if not np.isfinite(self.affine).all() or self.voxel_volume_mm3 < 1e-9:
            raise InvalidGeometry("slice, row and column steps must be finite and span space")

    @cached_property
    def affine(self) -> NDArray[np.float64]:
        """4 x 4 matrix from (slice, row, column, 1) to (L, P, S, 1) in mm."""
        matrix = np.eye(4)
        matrix[:3, 0] = self.slice_step_lps_mm
        matrix[:3, 1] = self.row_step_lps_mm
        matrix[:3, 2] = self.column_step_lps_mm
        matrix[:3, 3] = self.origin_lps_mm
        return matrix

    @cached_property
    def _inverse(self) -> NDArray[np.float64]:
        return np.asarray(np.linalg.inv(self.affine[:3, :3]), dtype=np.float64)

    @cached_property
    def voxel_volume_mm3(self) -> float:
        """Volume of one voxel: the determinant of the steps, right for sheared grids too."""
        return abs(float(np.linalg.det(self.affine[:3, :3])))

    @cached_property
    def spacing_mm(self) -> Vector3:
        """Step lengths (slice, row, column). For a sheared grid the slice step is longer than the slice distance."""
        return vector3(np.linalg.norm(self.affine[:3, :3], axis=0))

    @cached_property
    def slice_distance_mm(self) -> float:
        """Distance between neighbouring slice planes along their normal."""
        return abs(float(np.dot(self.normal, self.slice_step_lps_mm)))

    @cached_property
    def normal(self) -> Vector3:
        """Unit normal of the slices, pointing the way of growing slice index."""
        cross = np.cross(self.column_step_lps_mm, self.row_step_lps_mm)
        unit = cross / np.linalg.norm(cross)
        return vector3(unit if np.dot(unit, self.slice_step_lps_mm) > 0 else -unit)

    def index_to_lps(self, index: ArrayLike) -> NDArray[np.float64]:
        """Map (..., 3) continuous (slice, row, column) to (..., 3) LPS mm; integers are voxel centres."""
        return np.asarray(index, dtype=np.float64) @ self.affine[:3, :3].T + self.affine[:3, 3]

    def lps_to_index(self, points_lps_mm: ArrayLike) -> NDArray[np.float64]:
        """Map (..., 3) LPS mm to (..., 3) continuous (slice, row, column)."""
        return (np.asarray(points_lps_mm, dtype=np.float64) - self.affine[:3, 3]) @ self._inverse.T

    def contains(self, point_lps_mm: ArrayLike) -> bool:
        """Return whether a point lies inside the grid's voxels (half a voxel beyond the outer centres)."""
        index = self.lps_to_index(point_lps_mm)
        return bool(np.all(index >= -0.5) and np.all(index <= np.asarray(self.shape) - 0.5))

    def crop(self, start: tuple[int, int, int], shape: tuple[int, int, int]) -> "VolumeGeometry":
        """Return the geometry of the sub-grid that begins at index ``start`` and has ``shape`` voxels."""
        return VolumeGeometry(
            shape,
            vector3(self.index_to_lps(start)),
            self.slice_step_lps_mm,
            self.row_step_lps_mm,
            self.column_step_lps_mm,
            self.frame_of_reference_uid,
        )
