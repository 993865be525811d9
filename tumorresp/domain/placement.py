"""Marked measurements placed in the patient: end points in LPS mm, lengths recomputed, doubts noted."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from tumorresp.domain.axis_checks import crossing, stated_length
from tumorresp.domain.errors import InvalidMeasurement, MissingImages
from tumorresp.domain.finding import Finding, Severity
from tumorresp.domain.geometry import ImagePlane, Vector3
from tumorresp.domain.measurement import Axis, LesionState, MarkedAxis, MarkedMeasurement, Measurement
from tumorresp.domain.organ import LYMPH_NODE_ORGAN, organ_of

_SHORTEST_MM = 0.1
# Slices can be farther apart than they are thick.
_LEAST_REACH_MM = 5.0


def place(
    marked: MarkedMeasurement,
    planes: Mapping[str, Sequence[ImagePlane]],
    *,
    tolerance_mm: float = 1.0,
    tolerance_relative: float = 0.02,
) -> Measurement:
    """Place a measurement in the patient.

    The longer line becomes the long axis. Lengths come from the end points alone; a stated length that differs by
    more than either tolerance is kept beside them and flagged. Where only a short axis was measured, it stands for the
    long axis too: of a lymph node the short axis counts, of anything else the one line that is known.

    Parameters
    ----------
    marked
        As a reader gave it.
    planes
        All known image planes by SOP Instance UID, one a frame. A statement without lines needs none.

    Raises
    ------
    MissingImages
        If the referenced image (or, for patient coordinates alone, any image of their frame of reference) is not here.
    InvalidMeasurement
        If a line has no length, lies outside its image, or lies on an image without pixel spacing.
    """
    long_marked = marked.long_axis or marked.short_axis
    if long_marked is None:
        return _statement(marked, planes)
    plane = _plane_of(marked, long_marked, planes)
    long_axis = _axis(long_marked, plane, marked)
    findings = [*marked.findings, *_link_findings(marked, plane)]
    tolerances = {"tolerance_mm": tolerance_mm, "tolerance_relative": tolerance_relative}
    stated_long, doubts = stated_length(long_marked, long_axis, "long" if marked.long_axis else "short", **tolerances)
    findings += doubts
    nodal = _nodal(marked, findings)
    if marked.long_axis is None:
        words = "Only the short axis was measured; the long axis is not known, and the same line stands for it."
        findings.append(Finding("short-axis-only", Severity.WARNING, words, marked.label))
        return _measurement(
            marked, plane, (long_axis, long_axis if nodal else None), (stated_long, None), nodal, findings
        )
    if marked.short_axis is None:
        return _measurement(marked, plane, (long_axis, None), (stated_long, None), nodal, findings)
    short_axis = _axis(marked.short_axis, plane, marked)
    stated_short, doubts = stated_length(marked.short_axis, short_axis, "short", **tolerances)
    findings += doubts
    if short_axis.length_mm > long_axis.length_mm:
        words = f"The short axis ({short_axis.length_mm:.1f} mm) is longer than the long one: exchanged."
        findings.append(Finding("axes-exchanged", Severity.WARNING, words, marked.label))
        long_axis, short_axis = short_axis, long_axis
        stated_long, stated_short = stated_short, stated_long
    findings += crossing(long_axis, short_axis, marked.label)
    return _measurement(marked, plane, (long_axis, short_axis), (stated_long, stated_short), nodal, findings)


def check_identities(measurements: Sequence[Measurement]) -> tuple[Finding, ...]:
    """Find measurements of one time point and reader that claim to be the same lesion.

    Parameters
    ----------
    measurements
        Of one time point. Two copies of one measurement (the same measurement UID) are one.

    Returns
    -------
    tuple of Finding
        One ``identity-repeated`` for each measurement of such a group, naming it by its measurement UID.
    """
    holders: dict[tuple[str, str], set[str]] = {}
    for item in measurements:
        if item.tracking_uid and item.tracking_uid_is_stable:
            holders.setdefault((item.tracking_uid, item.reader), set()).add(item.measurement_uid)
    words = "Two measurements of one time point and reader carry the same tracking UID."
    return tuple(
        Finding("identity-repeated", Severity.ERROR, words, uid)
        for uids in holders.values()
        if len(uids) > 1
        for uid in sorted(uids)
    )


def _statement(marked: MarkedMeasurement, planes: Mapping[str, Sequence[ImagePlane]]) -> Measurement:
    if marked.state is LesionState.MEASURED:
        raise InvalidMeasurement("a measured lesion has no line.", where=marked.label or marked.tracking_identifier)
    referenced = planes.get(marked.sop_instance_uid, ())
    plane = referenced[0] if referenced else None
    findings = [*marked.findings, *(_link_findings(marked, plane) if plane is not None else ())]
    placed = _measurement(marked, plane, (None, None), (None, None), _nodal(marked, findings), findings)
    if plane is None and marked.series_instance_uid and not marked.study_instance_uid:
        return replace(placed, study_instance_uid=_study_of_series(marked.series_instance_uid, planes))
    return placed


def _study_of_series(series_instance_uid: str, planes: Mapping[str, Sequence[ImagePlane]]) -> str:
    for frames in planes.values():
        for plane in frames:
            if plane.series_instance_uid == series_instance_uid:
                return plane.study_instance_uid
    return ""


def _nodal(marked: MarkedMeasurement, findings: list[Finding]) -> bool | None:
    """Return whether the lesion is a lymph node; a deduction from site, finding or label is noted."""
    if marked.nodal is not None:
        return marked.nodal
    label = marked.label.replace("_", " ")
    if LYMPH_NODE_ORGAN not in (organ_of(marked.site, label), organ_of(marked.finding_type)):
        return None
    words = "Taken as a lymph node from its site, finding or label."
    findings.append(Finding("nodal-deduced", Severity.INFO, words, marked.label))
    return True


def _measurement(
    marked: MarkedMeasurement,
    plane: ImagePlane | None,
    axes: tuple[Axis | None, Axis | None],
    stated_mm: tuple[float | None, float | None],
    nodal: bool | None,
    findings: Sequence[Finding],
) -> Measurement:
    return Measurement(
        measurement_uid=marked.measurement_uid,
        source=marked.source,
        study_instance_uid=plane.study_instance_uid if plane else marked.study_instance_uid,
        series_instance_uid=plane.series_instance_uid if plane else marked.series_instance_uid,
        sop_instance_uid=plane.sop_instance_uid if plane else marked.sop_instance_uid,
        frame_number=plane.frame_number if plane else marked.frame_number,
        long_axis=axes[0],
        short_axis=axes[1],
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
        stated_long_mm=stated_mm[0],
        stated_short_mm=stated_mm[1],
        findings=tuple(findings),
    )


def _plane_of(marked: MarkedMeasurement, axis: MarkedAxis, planes: Mapping[str, Sequence[ImagePlane]]) -> ImagePlane:
    """Return the plane that a line lies on: the referenced one, or for patient coordinates the one that holds them."""
    frames = planes.get(marked.sop_instance_uid, ())
    if axis.lps_mm is None:
        return _referenced_plane(marked, frames)
    middle = Axis(*axis.lps_mm).midpoint_lps_mm
    if not np.isfinite(middle).all():
        raise InvalidMeasurement("an end point is not a number.", where=_name(marked))
    named = [plane for plane in frames if marked.frame_number in (None, plane.frame_number) or len(frames) == 1]
    if not named:  # no image is named, or one that nobody has: structure sets are copied along with re-written CTs
        return _nearest_plane(marked, middle, planes)
    nearest = min(named, key=lambda plane: abs(plane.lps_to_pixel(middle)[2]))
    distance = abs(nearest.lps_to_pixel(middle)[2])
    stated = {marked.frame_of_reference_uid, nearest.frame_of_reference_uid} - {""}
    if len(stated) > 1:
        raise InvalidMeasurement(
            "the coordinates are of another frame of reference than the image that they refer to.", where=_name(marked)
        )
    if distance <= _reach_mm(nearest):
        return nearest
    try:
        return _nearest_plane(marked, middle, planes)
    except MissingImages:
        raise InvalidMeasurement(
            f"the coordinates lie {distance:.1f} mm beside the image that they refer to, and on no other.",
            where=_name(marked),
        ) from None


def _referenced_plane(marked: MarkedMeasurement, frames: Sequence[ImagePlane]) -> ImagePlane:
    if not marked.sop_instance_uid:
        raise InvalidMeasurement("pixel coordinates need a referenced image.", where=_name(marked))
    if not frames:
        raise MissingImages(
            "the image that a measurement refers to has not arrived.",
            where=marked.sop_instance_uid,
            remedy="Send its CT series.",
        )
    if len(frames) == 1:  # writers give frame 1 for images that have no frames
        return frames[0]
    if marked.frame_number is None:
        raise InvalidMeasurement(
            f"the measurement does not say which of the image's {len(frames)} frames it is on.",
            where=marked.sop_instance_uid,
        )
    for plane in frames:
        if plane.frame_number == marked.frame_number:
            return plane
    raise InvalidMeasurement(
        f"the measurement refers to frame {marked.frame_number}, which the image does not have.",
        where=marked.sop_instance_uid,
    )


def _nearest_plane(
    marked: MarkedMeasurement, point_lps_mm: Vector3, planes: Mapping[str, Sequence[ImagePlane]]
) -> ImagePlane:
    """Return the plane nearest to a point; of equally near ones the thinner, then in the order of UIDs."""
    best: tuple[tuple[float, float, str, str, int], ImagePlane] | None = None
    for plane in _candidates(marked, planes):
        column, row, distance = plane.lps_to_pixel(point_lps_mm)
        if not plane.contains_pixel(column, row) or abs(distance) > _reach_mm(plane):
            continue
        rank = (
            round(abs(distance), 3),
            plane.slice_thickness_mm or np.inf,
            plane.series_instance_uid,
            plane.sop_instance_uid,
            plane.frame_number or 0,
        )
        if best is None or rank < best[0]:
            best = rank, plane
    if best is None:
        raise MissingImages(
            "no image of the measurement's frame of reference holds its coordinates.",
            where=marked.frame_of_reference_uid or _name(marked),
            remedy="Send its CT series.",
        )
    return best[1]


def _candidates(marked: MarkedMeasurement, planes: Mapping[str, Sequence[ImagePlane]]) -> list[ImagePlane]:
    """Return the planes that patient coordinates can lie on.

    Those of the frame of reference, of the series and of the study that are stated. A stated series or study that is
    not here narrows nothing where the frame of reference is stated: reports may be kept in a study of their own.
    """
    every = [plane for frames in planes.values() for plane in frames]
    by_frame = [p for p in every if marked.frame_of_reference_uid in ("", p.frame_of_reference_uid)]
    for wanted, name in (
        (marked.series_instance_uid, "series_instance_uid"),
        (marked.study_instance_uid, "study_instance_uid"),
    ):
        same = [plane for plane in by_frame if wanted and getattr(plane, name) == wanted]
        if same:
            return same
    return by_frame if marked.frame_of_reference_uid else []


def _reach_mm(plane: ImagePlane) -> float:
    return max(plane.slice_thickness_mm or 0.0, _LEAST_REACH_MM)


def _name(marked: MarkedMeasurement) -> str:
    return marked.label or marked.tracking_identifier or marked.sop_instance_uid or marked.measurement_uid


def _axis(marked: MarkedAxis, plane: ImagePlane, measurement: MarkedMeasurement) -> Axis:
    where = _name(measurement)
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


def _link_findings(marked: MarkedMeasurement, plane: ImagePlane) -> list[Finding]:
    findings = []
    if marked.sop_instance_uid and marked.sop_instance_uid != plane.sop_instance_uid:
        words = (
            "The coordinates do not lie on the image that the document names, or it is not here; they lie on this one."
        )
        findings.append(Finding("placed-by-coordinates", Severity.WARNING, words, plane.sop_instance_uid))
    if marked.patient_id and marked.patient_id != plane.patient_id:
        words = "The document's Patient ID differs from the image's; linked by SOP Instance UID."
        findings.append(Finding("patient-id-differs", Severity.WARNING, words, plane.sop_instance_uid))
    if marked.study_instance_uid and marked.study_instance_uid != plane.study_instance_uid:
        words = "The document names another study than the image that it refers to; the image's study counts."
        findings.append(Finding("study-differs", Severity.WARNING, words, plane.sop_instance_uid))
    return findings
