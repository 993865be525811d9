"""From a reader's axes to a box on the slice that they lie on."""

import math

import numpy as np
from numpy.typing import NDArray

from tumorresp.domain.errors import InvalidMeasurement
from tumorresp.domain.finding import Finding, Severity
from tumorresp.domain.geometry import Vector3, VolumeGeometry, vector3
from tumorresp.domain.measurement import Axis, Measurement
from tumorresp.domain.segmentation import BoxPrompt

_SHORTEST_AXIS_MM = 0.1
# End points are stored with rounding; a line that leaves its slice by more than this was drawn on a reformat.
_IN_SLICE_MM = 0.5
_OUTSIDE_TOLERANCE_PIXELS = 1.0


def box_prompt(
    measurement: Measurement,
    geometry: VolumeGeometry,
    *,
    margin_mm: float,
    short_to_long_ratio: float,
) -> BoxPrompt:
    """Return the box around the ellipse that the axes span, on the slice nearest to them.

    The box is the tight bounding box of the ellipse centred on the long axis with the axes' lengths, the long one in
    its own direction, united with the end points themselves (the short axis of a real lesion seldom crosses in the
    middle), widened by the margin and clipped to the slice. The ellipse is laid out in patient millimetres, so
    oblique acquisitions and non-square pixels are right. A long axis alone gives an ellipse of the stated ratio.

    Parameters
    ----------
    measurement
        Axes with end points in LPS mm.
    geometry
        Of the CT volume that the axes lie in.
    margin_mm
        Added on every side, in the plane of the slice.
    short_to_long_ratio
        Short axis over long axis where only a long one was measured; more than 0, at most 1.

    Raises
    ------
    InvalidMeasurement
        If there is no long axis, it has no length, or an end point lies outside the volume.
    """
    long_axis = measurement.long_axis
    if long_axis is None or not long_axis.distance_mm >= _SHORTEST_AXIS_MM:
        raise InvalidMeasurement(
            "the measurement has no long axis with a length.",
            where=measurement.measurement_uid,
            remedy="Measure the lesion again.",
        )
    axes = [axis for axis in (long_axis, measurement.short_axis) if axis is not None]
    lines = [_in_volume(axis, geometry, measurement.measurement_uid) for axis in axes]
    short = measurement.short_axis
    short_mm = long_axis.distance_mm * short_to_long_ratio if short is None else short.distance_mm
    middle = np.concatenate(lines).mean(axis=0)
    slice_index = int(np.clip(np.rint(middle[0]), 0, geometry.shape[0] - 1))
    corners = np.concatenate([_ellipse_box(lines[0], short_mm, geometry), *(line[:, 1:] for line in lines)])
    _, row_mm, column_mm = geometry.spacing_mm
    margin = np.array([margin_mm / row_mm, margin_mm / column_mm])
    low = np.maximum(corners.min(axis=0) - margin, -0.5)
    high = np.minimum(corners.max(axis=0) + margin, np.array(geometry.shape[1:]) - 0.5)
    return BoxPrompt(
        measurement_uid=measurement.measurement_uid,
        slice_index=slice_index,
        row_min=float(low[0]),
        column_min=float(low[1]),
        row_max=float(high[0]),
        column_max=float(high[1]),
        long_axis_index=_end_points(lines[0]),
        short_axis_index=_end_points(lines[1]) if len(lines) > 1 else None,
        long_axis_mm=long_axis.distance_mm,
        short_axis_mm=short_mm,
        findings=_off_slice(lines, slice_index, geometry, measurement.measurement_uid),
    )


def _in_volume(axis: Axis, geometry: VolumeGeometry, where: str) -> NDArray[np.float64]:
    """Return the end points as a (2, 3) array of continuous (slice, row, column)."""
    points = geometry.lps_to_index([axis.start_lps_mm, axis.end_lps_mm])
    # In plane one pixel beyond the image is rounding; across, half a slice.
    slack = np.array([0.501, 0.5 + _OUTSIDE_TOLERANCE_PIXELS, 0.5 + _OUTSIDE_TOLERANCE_PIXELS])
    if not (np.all(points >= -slack) and np.all(points <= np.array(geometry.shape) - 1 + slack)):
        raise InvalidMeasurement(
            "an end point lies outside the CT volume.",
            where=where,
            remedy="Check that the measurement refers to this series and that all of its slices arrived.",
        )
    return np.asarray(np.clip(points, -0.5, np.array(geometry.shape) - 0.5), dtype=np.float64)


def _ellipse_box(long_line: NDArray[np.float64], short_mm: float, geometry: VolumeGeometry) -> NDArray[np.float64]:
    """Return two corners (row, column) of the tight box of the ellipse around a line, in the plane of the slice."""
    _, row_mm, column_mm = geometry.spacing_mm
    half = (long_line[1, 1:] - long_line[0, 1:]) / 2 * (row_mm, column_mm)
    length = float(np.linalg.norm(half))
    # Across the slices there is no direction in the plane: the ellipse is a circle of the short axis.
    along = half / length if length > 0 else np.array([1.0, 0.0])
    across = np.array([-along[1], along[0]]) * short_mm / 2
    reach = np.hypot(half, across) / (row_mm, column_mm)
    centre = long_line[:, 1:].mean(axis=0)
    return np.stack([centre - reach, centre + reach])


def _end_points(line: NDArray[np.float64]) -> tuple[Vector3, Vector3]:
    return vector3(line[0]), vector3(line[1])


def _off_slice(
    lines: list[NDArray[np.float64]], slice_index: int, geometry: VolumeGeometry, where: str
) -> tuple[Finding, ...]:
    """Report axes that were drawn on another plane than an acquired slice."""
    slices = np.concatenate(lines)[:, 0]
    extent_mm = float(slices.max() - slices.min()) * geometry.slice_distance_mm
    distance_mm = float(np.abs(slices - slice_index).max()) * geometry.slice_distance_mm
    findings = []
    if extent_mm > _IN_SLICE_MM:
        degrees = math.degrees(math.asin(min(1.0, _steepest(lines, geometry))))
        message = (
            f"The axes do not lie in one slice: they cross {extent_mm:.1f} mm of slices (up to {degrees:.0f} degrees "
            "out of plane). The nearest slice is prompted."
        )
        findings.append(Finding("axes-off-slice", Severity.WARNING, message, where))
    elif distance_mm > _IN_SLICE_MM:
        message = f"The axes lie {distance_mm:.1f} mm beside the nearest slice, which is prompted."
        findings.append(Finding("axes-between-slices", Severity.INFO, message, where))
    return tuple(findings)


def _steepest(lines: list[NDArray[np.float64]], geometry: VolumeGeometry) -> float:
    """Return the largest sine between a line and the slices."""
    sines = []
    for line in lines:
        ends = geometry.index_to_lps(line)
        run = ends[1] - ends[0]
        sines.append(abs(float(np.dot(run, geometry.normal))) / max(float(np.linalg.norm(run)), 1e-9))
    return max(sines)
