"""A subject with three CT scans of chest and upper abdomen, whose lesions are known exactly.

Between scans the patient lies a little differently (a known rigid motion), breathes differently and has another frame
of reference, as in life. Everything follows from the seed.
"""

import datetime
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from tumorresp.domain.ct_volume import CtVolume
from tumorresp.domain.geometry import ImagePlane, Vector3, VolumeGeometry, vector3
from tumorresp.domain.identity import derived_uid
from tumorresp.domain.measurement import Axis, LesionState
from tumorresp.domain.segmentation import LesionMask, SegmenterIdentity
from tumorresp.phantom.anatomy import paint_anatomy, paint_table
from tumorresp.phantom.canvas import Canvas
from tumorresp.phantom.lesion_shape import LobulatedEllipsoid, farthest_pair, greatest_perpendicular
from tumorresp.phantom.lesions import COURSES, LesionCourse
from tumorresp.phantom.scan import add_noise, add_texture, blur

PATIENT_ID = "TR-PHANTOM-1"
PATIENT_NAME = "PHANTOM^TUMORRESP"
TRUTH = SegmenterIdentity("phantom-truth", "1")
_SUB_SLICES = 3


@dataclass(frozen=True)
class ScanGrid:
    """Rows, columns and slices of a scan; the default covers 384 x 384 x 180 mm."""

    rows: int = 512
    columns: int = 512
    slices: int = 72
    pixel_mm: float = 0.75
    slice_mm: float = 2.5
    noise_hu: float = 12.0


FULL = ScanGrid()
SMALL = ScanGrid(192, 192, 40, 2.0, 4.5, 9.0)


@dataclass(frozen=True)
class _Visit:
    date: datetime.date
    shift_mm: Vector3
    turn_degrees: Vector3
    breath_mm: float
    table_mm: Vector3
    """Where the scanner puts the middle of the body at this visit (its frame of reference)."""


_VISITS = (
    _Visit(datetime.date(2024, 1, 15), (0.0, 0.0, 0.0), (0.0, 0.0, 0.0), 0.0, (0.0, 0.0, -640.0)),
    _Visit(datetime.date(2024, 3, 11), (6.0, -4.0, 7.0), (0.8, -0.5, 2.2), 3.0, (0.0, 0.0, -512.0)),
    _Visit(datetime.date(2024, 5, 6), (-7.5, 5.0, -6.0), (-1.0, 0.7, -3.0), -3.5, (0.0, 0.0, -705.0)),
)


@dataclass(frozen=True, eq=False)
class PhantomLesion:
    """The truth about one lesion at one time point.

    Parameters
    ----------
    volume_mm3
        Of the continuous body; 0 when absent.
    mask
        Voxels whose centre lies inside; None when absent.
    long_axis, short_axis, key_slice
        Longest axis over all slices, found on the true outline, with the reader's jitter if one was asked for; None
        when the reader measures nothing.
    """

    course: LesionCourse
    tracking_uid: str
    state: LesionState
    volume_mm3: float
    centre_lps_mm: Vector3 | None
    mask: LesionMask | None
    long_axis: Axis | None
    short_axis: Axis | None
    key_slice: int | None


@dataclass(frozen=True, eq=False)
class PhantomTimePoint:
    """One scan: HU (slice, row, column) int16, where it lies, and its lesions.

    ``anatomy_to_scan`` is the rigid 4 x 4 matrix from the anatomy's frame to this scan's LPS mm.
    """

    order: int
    date: datetime.date
    hu: NDArray[np.int16]
    geometry: VolumeGeometry
    slice_thickness_mm: float
    study_instance_uid: str
    series_instance_uid: str
    sop_instance_uids: tuple[str, ...]
    anatomy_to_scan: NDArray[np.float64]
    lesions: tuple[PhantomLesion, ...]
    patient_id: str = field(default=PATIENT_ID)
    patient_name: str = field(default=PATIENT_NAME)

    def map_to(self, other: "PhantomTimePoint", points_lps_mm: NDArray[np.float64]) -> NDArray[np.float64]:
        """Map (..., 3) points of this scan to the same places of the resting anatomy in another scan, LPS mm."""
        matrix = other.anatomy_to_scan @ np.linalg.inv(self.anatomy_to_scan)
        return np.asarray(points_lps_mm) @ matrix[:3, :3].T + matrix[:3, 3]

    @cached_property
    def ct_volume(self) -> CtVolume:
        """The scan as the CT reader would give it."""
        planes = tuple(
            ImagePlane(
                uid,
                None,
                self.series_instance_uid,
                self.study_instance_uid,
                self.geometry.frame_of_reference_uid,
                self.patient_id,
                vector3(self.geometry.index_to_lps((k, 0, 0))),
                self.geometry.column_step_lps_mm,
                self.geometry.row_step_lps_mm,
                self.geometry.shape[1],
                self.geometry.shape[2],
                self.slice_thickness_mm,
            )
            for k, uid in enumerate(self.sop_instance_uids)
        )
        return CtVolume(
            self.hu,
            self.geometry,
            planes,
            self.series_instance_uid,
            self.study_instance_uid,
            self.patient_id,
            self.date,
            self.slice_thickness_mm,
        )


@dataclass(frozen=True)
class PhantomSubject:
    """The subject; scans are made when asked for.

    Parameters
    ----------
    reader_jitter_mm
        Standard deviation of the reader's hand, added in the slice to each coordinate of each end point.
    breathing
        Scales how differently the patient breathes from scan to scan; 0 leaves the rigid motion alone.
    """

    grid: ScanGrid = FULL
    seed: int = 1
    reader_jitter_mm: float = 0.0
    breathing: float = 1.0

    def time_points(self) -> Iterator[PhantomTimePoint]:
        """Make the scans one after the other, baseline first."""
        for order in range(1, len(_VISITS) + 1):
            yield self.time_point(order)

    def time_point(self, order: int) -> PhantomTimePoint:
        """Make one scan; ``order`` counts from 1 = baseline.

        Raises
        ------
        ValueError
            If there is no such time point.
        """
        if not 1 <= order <= len(_VISITS):
            raise ValueError(f"the phantom has time points 1 to {len(_VISITS)}, not {order}")
        visit = replace(_VISITS[order - 1], breath_mm=self.breathing * _VISITS[order - 1].breath_mm)
        geometry = self._geometry(order)
        motion = _motion(visit)
        hu = self._scan(geometry, motion, visit, order)
        return PhantomTimePoint(
            order,
            visit.date,
            hu,
            geometry,
            self.grid.slice_mm,
            self._uid("study", order),
            self._uid("series", order),
            tuple(self._uid("image", order, k) for k in range(self.grid.slices)),
            motion,
            tuple(
                self._lesion(course, state, order, geometry, motion, visit.breath_mm)
                for course in COURSES
                if (state := course.states[order - 1]) is not None
            ),
        )

    def _uid(self, kind: str, *parts: int) -> str:
        return derived_uid("phantom", repr(self.grid), str(self.seed), str(self.breathing), kind, *map(str, parts))

    def _geometry(self, order: int) -> VolumeGeometry:
        grid = self.grid
        half = np.array([grid.columns - 1, grid.rows - 1]) * grid.pixel_mm / 2
        middle = np.asarray(_VISITS[order - 1].table_mm)
        first_slice = -(grid.slices - 1) * grid.slice_mm / 2
        return VolumeGeometry(
            (grid.slices, grid.rows, grid.columns),
            vector3(middle + np.array([-half[0], -half[1], first_slice])),
            (0.0, 0.0, grid.slice_mm),
            (0.0, grid.pixel_mm, 0.0),
            (grid.pixel_mm, 0.0, 0.0),
            self._uid("frame-of-reference", order),
        )

    def _scan(
        self, geometry: VolumeGeometry, motion: NDArray[np.float64], visit: _Visit, order: int
    ) -> NDArray[np.int16]:
        couch = np.eye(4)
        couch[:3, 3] = visit.table_mm
        canvas = Canvas(geometry, couch)
        paint_table(canvas, 136.0)
        canvas = canvas.moved(motion)
        paint_anatomy(canvas, self.seed, visit.breath_mm)
        for course in COURSES:
            shape = course.shape(order - 1, self.seed, visit.breath_mm)
            if shape is not None:
                _paint_lesion(canvas, shape, course)
        add_texture(canvas, self.seed)
        blur(canvas.hu, self.grid.pixel_mm)
        add_noise(canvas.hu, np.random.default_rng([self.seed, 6, order]), self.grid.noise_hu)
        return np.clip(np.rint(canvas.hu), -1024, 3071).astype(np.int16)

    def _lesion(
        self,
        course: LesionCourse,
        state: LesionState,
        order: int,
        geometry: VolumeGeometry,
        motion: NDArray[np.float64],
        breath_mm: float,
    ) -> PhantomLesion:
        tracking_uid = self._uid(f"lesion {course.lesion_id}")
        shape = course.shape(order - 1, self.seed, breath_mm)
        if shape is None:
            return PhantomLesion(course, tracking_uid, state, 0.0, None, None, None, None, None)
        body = shape.moved(motion)
        axes, key_slice = _longest_axes(body, geometry)
        long_axis = short_axis = None
        if state is LesionState.MEASURED:
            random = np.random.default_rng([self.seed, 7, order, *course.lesion_id.encode()])
            jitter = random.normal(size=(2, 2, 3)) * [1, 1, 0] * self.reader_jitter_mm
            long_axis, short_axis = (Axis(vector3(a), vector3(b)) for a, b in axes + jitter)
        mask = LesionMask.from_volume(
            _inside(body, geometry),
            geometry,
            measurement_uid=self._uid(f"measurement {course.lesion_id}", order),
            segmenter=TRUTH,
            key_slice=key_slice,
        )
        return PhantomLesion(
            course, tracking_uid, state, body.volume_mm3, body.centre_mm, mask, long_axis, short_axis, key_slice
        )


def _motion(visit: _Visit) -> NDArray[np.float64]:
    """Return the rigid matrix from the anatomy's frame to the visit's LPS mm."""
    rotation = np.eye(3)
    for axis, degrees in enumerate(visit.turn_degrees):
        angle = np.deg2rad(degrees)
        i, j = (axis + 1) % 3, (axis + 2) % 3
        turn = np.eye(3)
        turn[i, i] = turn[j, j] = np.cos(angle)
        turn[i, j], turn[j, i] = -np.sin(angle), np.sin(angle)
        rotation = turn @ rotation
    matrix = np.eye(4)
    matrix[:3, :3] = rotation
    matrix[:3, 3] = np.add(visit.shift_mm, visit.table_mm)
    return matrix


def _paint_lesion(canvas: Canvas, shape: LobulatedEllipsoid, course: LesionCourse) -> None:
    reach = shape.reach_mm + 2
    box = canvas.box(np.subtract(shape.centre_mm, reach), np.add(shape.centre_mm, reach))
    if box is None:
        return
    points = np.stack(canvas.coordinates(box), axis=-1).astype(np.float64)
    # A slice shows what fills its thickness, not what its middle plane cuts.
    thickness = canvas.geometry.slice_distance_mm
    share = np.zeros(points.shape[:-1], np.float32)
    for sub in range(_SUB_SLICES):
        lift = np.array([0, 0, ((sub + 0.5) / _SUB_SLICES - 0.5) * thickness])
        share += canvas.occupancy(shape.depth(points + lift).astype(np.float32)) / _SUB_SLICES
    depth = shape.depth(points).astype(np.float32)
    deepest = max(float(-depth.min()), 1.0)
    core = np.clip(-depth / deepest * 1.6 - 0.6, 0, 1)
    canvas.paint(box, share, course.hu + core * np.float32(course.core_hu - course.hu))


def _inside(body: LobulatedEllipsoid, geometry: VolumeGeometry) -> NDArray[np.bool_]:
    """Return the (slice, row, column) voxels whose centres lie in a body given in LPS mm."""
    inside = np.zeros(geometry.shape, bool)
    centre = geometry.lps_to_index(body.centre_mm)
    reach = body.reach_mm / np.asarray(geometry.spacing_mm) + 1
    begin = np.maximum(np.floor(centre - reach).astype(int), 0)
    end = np.minimum(np.ceil(centre + reach).astype(int) + 1, geometry.shape)
    index = np.stack(np.meshgrid(*map(np.arange, begin, end), indexing="ij"), axis=-1)
    inside[tuple(map(slice, begin, end))] = body.depth(geometry.index_to_lps(index)) < 0
    return inside


def _longest_axes(body: LobulatedEllipsoid, geometry: VolumeGeometry) -> tuple[NDArray[np.float64], int]:
    """Return the (2 axes, 2 ends, 3) end points of the longest axis over the slices, and its slice."""
    middle = float(geometry.lps_to_index(body.centre_mm)[0])
    # The longest section of a mildly lobulated ellipsoid passes near its middle.
    reach = 0.5 * body.reach_mm / geometry.slice_distance_mm + 1
    length, key_slice = 0.0, round(middle)
    longest = outline = np.zeros((2, 2))
    for k in range(max(0, int(middle - reach)), min(geometry.shape[0], int(middle + reach) + 2)):
        section = body.outline(float(geometry.index_to_lps((k, 0, 0))[2]))
        if section is None:
            continue
        pair = farthest_pair(section)
        if (extent := float(np.linalg.norm(pair[1] - pair[0]))) > length:
            longest, length, outline, key_slice = pair, extent, section, k
    axes = np.stack([longest, greatest_perpendicular(outline, longest)])
    height = float(geometry.index_to_lps((key_slice, 0, 0))[2])
    return np.concatenate([axes, np.full((2, 2, 1), height)], axis=-1), key_slice
