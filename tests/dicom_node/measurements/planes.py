"""Image planes of any pixel spacing, to find in mm what readers give in pixels."""

from collections.abc import Sequence

from tumorresp.domain.geometry import ImagePlane
from tumorresp.domain.marked_axes import with_axes
from tumorresp.domain.measurement import Axis, MarkedMeasurement, Measurement
from tumorresp.domain.placement import place


def plane(uid: str, row_mm: float = 1.0, column_mm: float = 1.0, frame: int | None = None) -> ImagePlane:
    return ImagePlane(
        sop_instance_uid=uid,
        frame_number=frame,
        series_instance_uid="1.2.6",
        study_instance_uid="1.2.5",
        frame_of_reference_uid="",
        patient_id="P",
        origin_lps_mm=(0.0, 0.0, 0.0),
        column_step_lps_mm=(column_mm, 0.0, 0.0),
        row_step_lps_mm=(0.0, row_mm, 0.0),
        rows=2000,
        columns=2000,
        slice_thickness_mm=1.0,
    )


def with_square_pixels(marked: MarkedMeasurement, *uids: str) -> MarkedMeasurement:
    """Return a measurement with its axes chosen on images of 1 mm pixels."""
    return with_axes(marked, {uid: [plane(uid)] for uid in uids or _named(marked)})


def placed(marked: MarkedMeasurement, row_mm: float = 1.0, column_mm: float = 1.0) -> Measurement:
    return place(marked, {uid: [plane(uid, row_mm, column_mm)] for uid in _named(marked)})


def lengths(measurement: Measurement | MarkedMeasurement) -> tuple[float | None, float | None]:
    """Return the distances of both axes' end points, mm."""
    first, second = (
        None if axis is None else axis.distance_mm if isinstance(axis, Axis) else Axis(*axis.lps_mm).distance_mm
        for axis in (measurement.long_axis, measurement.short_axis)
    )
    return first, second


def _named(marked: MarkedMeasurement) -> Sequence[str]:
    images = [line.sop_instance_uid for line in marked.unnamed_lines]
    return [marked.sop_instance_uid, *images, *(outline.sop_instance_uid for outline in marked.outlines)]
