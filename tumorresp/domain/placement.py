"""Marked measurements placed in the patient: end points in LPS mm, lengths recomputed, doubts noted."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from tumorresp.domain.errors import InvalidMeasurement, MissingImages
from tumorresp.domain.finding import Finding, Severity
from tumorresp.domain.geometry import ImagePlane
from tumorresp.domain.measurement import Axis, LesionState, MarkedAxis, MarkedMeasurement, Measurement
from tumorresp.domain.organ import LYMPH_NODE_ORGAN, organ_of

_SHORTEST_MM = 0.1
_UNCALIBRATED = frozenset({"1", "px", "pixel", "pixels", "linear", "no units", "{pixels}"})
_TO_MM = {"mm": 1.0, "millimeter": 1.0, "millimeters": 1.0, "millimetre": 1.0, "cm": 10.0, "centimeter": 10.0, "": 1.0}
_PERPENDICULAR_TOLERANCE_DEGREES = 15.0
_CROSSING_TOLERANCE_MM = 2.0


def place(
    marked: MarkedMeasurement,
    planes: Mapping[str, Sequence[ImagePlane]],
    *,
    tolerance_mm: float = 1.0,
    tolerance_relative: float = 0.02,
) -> Measurement:
    """Place a measurement in the patient.

    The longer line becomes the long axis. Lengths come from the end points alone; a stated length that differs by
    more than either tolerance is kept beside them and flagged.

    Parameters
    ----------
    marked
        As a reader gave it.
    planes
        All known image planes by SOP Instance UID, one a frame.

    Raises
    ------
    MissingImages
        If the referenced image (or, for patient coordinates alone, any image of their frame of reference) is not here.
    InvalidMeasurement
        If a line has no length, lies outside its image, or lies on an image without pixel spacing.
    """
    if marked.long_axis is None:
        return _statement(marked, planes)
    plane = _plane_of(marked, planes)
    long_axis = _axis(marked.long_axis, plane, marked)
    short_axis = _axis(marked.short_axis, plane, marked) if marked.short_axis is not None else None
    findings = [*marked.findings, *_patient_findings(marked, plane)]
    stated_long = _stated(marked.long_axis, long_axis, "long", tolerance_mm, tolerance_relative, findings)
    stated_short = None
    if marked.short_axis is not None and short_axis is not None:
        stated_short = _stated(marked.short_axis, short_axis, "short", tolerance_mm, tolerance_relative, findings)
        if short_axis.length_mm > long_axis.length_mm:
            words = f"The short axis ({short_axis.length_mm:.1f} mm) is longer than the long one: exchanged."
            findings.append(Finding("axes-exchanged", Severity.WARNING, words, marked.label))
            long_axis, short_axis = short_axis, long_axis
            stated_long, stated_short = stated_short, stated_long
        findings += _cross_findings(long_axis, short_axis, marked.label)
    return _measurement(marked, plane, long_axis, short_axis, stated_long, stated_short, findings)


def _statement(marked: MarkedMeasurement, planes: Mapping[str, Sequence[ImagePlane]]) -> Measurement:
    if marked.state is LesionState.MEASURED:
        raise InvalidMeasurement("a measured lesion has no line.", where=marked.label or marked.tracking_identifier)
    referenced = planes.get(marked.sop_instance_uid, ())
    return _measurement(marked, referenced[0] if referenced else None, None, None, None, None, list(marked.findings))


def _measurement(
    marked: MarkedMeasurement,
    plane: ImagePlane | None,
    long_axis: Axis | None,
    short_axis: Axis | None,
    stated_long: float | None,
    stated_short: float | None,
    findings: list[Finding],
) -> Measurement:
    nodal = marked.nodal
    if nodal is None and organ_of(marked.site, marked.label) == LYMPH_NODE_ORGAN:
        nodal = True
        words = "Taken as a lymph node from its site or label."
        findings.append(Finding("nodal-deduced", Severity.INFO, words, marked.label))
    return Measurement(
        measurement_uid=marked.measurement_uid,
        source=marked.source,
        study_instance_uid=plane.study_instance_uid if plane else marked.study_instance_uid,
        series_instance_uid=plane.series_instance_uid if plane else marked.series_instance_uid,
        sop_instance_uid=plane.sop_instance_uid if plane else marked.sop_instance_uid,
        frame_number=plane.frame_number if plane else marked.frame_number,
        long_axis=long_axis,
        short_axis=short_axis,
        state=marked.state,
        label=marked.label,
        tracking_identifier=marked.tracking_identifier,
        tracking_uid=marked.tracking_uid,
        tracking_uid_is_stable=marked.tracking_uid_is_stable,
        finding_type=marked.finding_type,
        site=marked.site,
        nodal=nodal,
        role=marked.role,
        comment=marked.comment,
        reader=marked.reader,
        measured_at=marked.measured_at,
        slice_thickness_mm=plane.slice_thickness_mm if plane else None,
        modality=plane.modality if plane else "CT",
        stated_long_mm=stated_long,
        stated_short_mm=stated_short,
        findings=tuple(findings),
    )


def _plane_of(marked: MarkedMeasurement, planes: Mapping[str, Sequence[ImagePlane]]) -> ImagePlane:
    """Return the referenced plane, or the nearest one of the frame of reference.

    The latter for patient coordinates without an image, or with one that is not here: structure sets that were copied
    along with a re-written CT name images that nobody has.
    """
    if marked.sop_instance_uid:
        frames = planes.get(marked.sop_instance_uid)
        if not frames and marked.long_axis is not None and marked.long_axis.lps_mm is not None:
            return _nearest_plane(marked, planes)
        if not frames:
            raise MissingImages(
                "the image that a measurement refers to has not arrived.",
                where=marked.sop_instance_uid,
                remedy="Send its CT series.",
            )
        for plane in frames:
            if marked.frame_number in (None, plane.frame_number) or len(frames) == 1:
                return plane
        raise InvalidMeasurement(
            f"the measurement refers to frame {marked.frame_number}, which the image does not have.",
            where=marked.sop_instance_uid,
        )
    return _nearest_plane(marked, planes)


def _nearest_plane(marked: MarkedMeasurement, planes: Mapping[str, Sequence[ImagePlane]]) -> ImagePlane:
    assert marked.long_axis is not None
    if marked.long_axis.lps_mm is None:
        raise InvalidMeasurement("pixel coordinates need a referenced image.", where=marked.label)
    middle = Axis(*marked.long_axis.lps_mm).midpoint_lps_mm
    best: tuple[float, ImagePlane] | None = None
    for frames in planes.values():
        for plane in frames:
            if not _may_hold(marked, plane):
                continue
            column, row, distance = plane.lps_to_pixel(middle)
            near = abs(distance) <= (plane.slice_thickness_mm or 5.0)
            if plane.contains_pixel(column, row) and near and (best is None or abs(distance) < best[0]):
                best = abs(distance), plane
    if best is None:
        raise MissingImages(
            "no image of the measurement's frame of reference holds its coordinates.",
            where=marked.frame_of_reference_uid or marked.label,
            remedy="Send its CT series.",
        )
    return best[1]


def _may_hold(marked: MarkedMeasurement, plane: ImagePlane) -> bool:
    stated = (
        (marked.frame_of_reference_uid, plane.frame_of_reference_uid),
        (marked.series_instance_uid, plane.series_instance_uid),
        (marked.study_instance_uid, plane.study_instance_uid),
    )
    named = [(wanted, found) for wanted, found in stated if wanted]
    return bool(named) and all(wanted == found for wanted, found in named)


def _axis(marked: MarkedAxis, plane: ImagePlane, measurement: MarkedMeasurement) -> Axis:
    where = measurement.label or measurement.tracking_identifier or measurement.sop_instance_uid
    if marked.lps_mm is not None:
        axis = Axis(*marked.lps_mm)
        for end in marked.lps_mm:
            column, row, _ = plane.lps_to_pixel(end)
            _check_on_image(plane, column, row, where)
    elif marked.pixels is not None:
        if not plane.calibrated:
            raise InvalidMeasurement(
                "the referenced image has no Pixel Spacing (0028,0030), so lengths in mm are unknown.", where=where
            )
        for point in marked.pixels:
            _check_on_image(plane, point.column, point.row, where)
        first, second = (plane.pixel_to_lps(point.column, point.row) for point in marked.pixels)
        axis = Axis(first, second)
    else:
        raise InvalidMeasurement("a line has no end points.", where=where)
    if axis.length_mm < _SHORTEST_MM:
        raise InvalidMeasurement("a line has no length: both end points are the same.", where=where)
    return axis


def _check_on_image(plane: ImagePlane, column: float, row: float, where: str) -> None:
    if not (np.isfinite(column) and np.isfinite(row)):
        raise InvalidMeasurement("an end point is not a number.", where=where)
    # Writers disagree by half a pixel about the origin; one pixel beyond the edge is no error of the reader.
    if not (-1.5 <= column <= plane.columns + 0.5 and -1.5 <= row <= plane.rows + 0.5):
        raise InvalidMeasurement(
            f"an end point (column {column:.1f}, row {row:.1f}) lies outside its image of {plane.columns} columns and "
            f"{plane.rows} rows.",
            where=where,
        )


def _patient_findings(marked: MarkedMeasurement, plane: ImagePlane) -> list[Finding]:
    findings = []
    if marked.sop_instance_uid and marked.sop_instance_uid != plane.sop_instance_uid:
        words = "The image that the document names is not here; its coordinates lie on this one of the same series."
        findings.append(Finding("placed-by-coordinates", Severity.WARNING, words, plane.sop_instance_uid))
    if marked.patient_id and marked.patient_id != plane.patient_id:
        words = "The document's Patient ID differs from the image's; linked by SOP Instance UID."
        findings.append(Finding("patient-id-differs", Severity.WARNING, words, plane.sop_instance_uid))
    if marked.study_instance_uid and marked.study_instance_uid != plane.study_instance_uid:
        words = "The document names another study than the image that it refers to; the image's study counts."
        findings.append(Finding("study-differs", Severity.WARNING, words, plane.sop_instance_uid))
    return findings


def _stated(
    marked: MarkedAxis, axis: Axis, name: str, tolerance_mm: float, tolerance_relative: float, findings: list[Finding]
) -> float | None:
    """Return the stated length in mm where it must be kept, and note why."""
    if marked.stated_length is None:
        return None
    unit = marked.stated_unit.strip().lower()
    if unit in _UNCALIBRATED or unit not in _TO_MM:
        words = (
            f"The stated {name} axis ({marked.stated_length:.2f}, unit “{marked.stated_unit}”) is uncalibrated; "
            f"{axis.length_mm:.2f} mm was computed from its end points."
        )
        findings.append(Finding("uncalibrated", Severity.WARNING, words))
        return None
    stated = marked.stated_length * _TO_MM[unit]
    difference = abs(stated - axis.length_mm)
    if difference <= tolerance_mm and difference <= tolerance_relative * axis.length_mm:
        return None
    words = (
        f"The stated {name} axis is {stated:.2f} mm; its end points and the image's spacing give "
        f"{axis.length_mm:.2f} mm, which is used."
    )
    findings.append(Finding("stated-length-differs", Severity.WARNING, words))
    return stated


def _cross_findings(long_axis: Axis, short_axis: Axis, label: str) -> list[Finding]:
    findings = []
    long_line, short_line = _line(long_axis), _line(short_axis)
    cosine = abs(np.dot(long_line, short_line)) / (np.linalg.norm(long_line) * np.linalg.norm(short_line))
    angle = float(np.degrees(np.arccos(np.clip(cosine, 0, 1))))
    if 90 - angle > _PERPENDICULAR_TOLERANCE_DEGREES:
        words = f"The axes meet at {angle:.0f} degrees; the short axis should be perpendicular to the long one."
        findings.append(Finding("axes-not-perpendicular", Severity.WARNING, words, label))
    if _segment_distance_mm(long_axis, short_axis) > _CROSSING_TOLERANCE_MM:
        words = "The axes do not cross: they may belong to different lesions."
        findings.append(Finding("axes-do-not-cross", Severity.WARNING, words, label))
    return findings


def _line(axis: Axis) -> NDArray[np.float64]:
    return np.subtract(axis.end_lps_mm, axis.start_lps_mm)


def _segment_distance_mm(one: Axis, other: Axis) -> float:
    """Return the least distance of two segments in space (Ericson, Real-Time Collision Detection, 5.1.9)."""
    p, q = np.asarray(one.start_lps_mm), np.asarray(other.start_lps_mm)
    d1, d2, r = _line(one), _line(other), p - q
    a, e, f = d1 @ d1, d2 @ d2, d2 @ r
    b, c = d1 @ d2, d1 @ r
    denominator = a * e - b * b
    s = float(np.clip((b * f - c * e) / denominator, 0, 1)) if denominator > 1e-12 * a * e else 0.0
    t = (b * s + f) / e
    if not 0 <= t <= 1:
        t = float(np.clip(t, 0, 1))
        s = float(np.clip((b * t - c) / a, 0, 1))
    return float(np.linalg.norm(p + s * d1 - q - t * d2))
