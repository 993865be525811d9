"""Marked measurements placed in the patient: end points in LPS mm, lengths recomputed, doubts noted."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

import numpy as np

from tumorresp.domain.axis_checks import crossing, stated_length
from tumorresp.domain.decimal_mm import DEFAULT_PRECISION_MM, recorded_length
from tumorresp.domain.errors import InvalidMeasurement
from tumorresp.domain.finding import Finding, Severity
from tumorresp.domain.geometry import ImagePlane
from tumorresp.domain.image_of_measurement import name_of, other_series_there, plane_of
from tumorresp.domain.marked_axes import with_axes
from tumorresp.domain.measurement import Axis, LesionState, MarkedAxis, MarkedMeasurement, Measurement
from tumorresp.domain.organ import LYMPH_NODE_ORGAN, organ_of

_SHORTEST_MM = 0.1


def place(
    marked: MarkedMeasurement,
    planes: Mapping[str, Sequence[ImagePlane]],
    *,
    tolerance_mm: float = 1.0,
    tolerance_relative: float = 0.02,
    precision_mm: Decimal = DEFAULT_PRECISION_MM,
) -> Measurement:
    """Place a measurement in the patient.

    The longer line becomes the long axis; which of unnamed lines is longest, and what an outline measures, is found in
    mm. Lengths come from the end points alone; a stated length that differs by
    more than either tolerance is kept beside them and flagged. Where only a short axis was measured, it stands for the
    long axis too: of a lymph node the short axis counts, of anything else the one line that is known.

    Parameters
    ----------
    marked
        As a reader gave it.
    precision_mm
        To what the lengths are rounded, here and nowhere else; see `recorded_length`.
    planes
        All known image planes by SOP Instance UID, one a frame. A statement without lines needs none.

    Raises
    ------
    MissingImages
        If the referenced image (or, for patient coordinates alone, any image of their frame of reference) is not here.
    InvalidMeasurement
        If a line has no length, lies outside its image, or lies on an image without pixel spacing.
    """
    marked = with_axes(marked, planes)
    long_marked = marked.long_axis or marked.short_axis
    if long_marked is None:
        return _statement(marked, planes)
    plane = plane_of(marked, long_marked, planes)
    long_axis = _axis(long_marked, plane, marked, precision_mm)
    findings = [*marked.findings, *_link_findings(marked, plane)]
    findings += _chosen_series(plane, other_series_there(marked, long_marked, plane, planes))
    tolerances = {"tolerance_mm": tolerance_mm, "tolerance_relative": tolerance_relative}
    stated_long, doubts = stated_length(long_marked, long_axis, "long" if marked.long_axis else "short", **tolerances)
    findings += doubts
    nodal = _nodal(marked, findings)
    if marked.long_axis is None:
        words = "Only the short axis was measured; the long axis is not known, and the same line stands for it."
        findings.append(Finding("short-axis-only", Severity.WARNING, words, marked.label, decides=not nodal))
        return _measurement(
            marked, plane, (long_axis, long_axis if nodal else None), (stated_long, None), nodal, findings
        )
    if marked.short_axis is None:
        return _measurement(marked, plane, (long_axis, None), (stated_long, None), nodal, findings)
    short_axis = _axis(marked.short_axis, plane, marked, precision_mm)
    stated_short, doubts = stated_length(marked.short_axis, short_axis, "short", **tolerances)
    findings += doubts
    if short_axis.distance_mm > long_axis.distance_mm:
        words = f"The short axis ({short_axis.size_mm} mm) is longer than the long one: exchanged."
        findings.append(Finding("axes-exchanged", Severity.WARNING, words, marked.label))
        long_axis, short_axis = short_axis, long_axis
        stated_long, stated_short = stated_short, stated_long
    findings += crossing(long_axis, short_axis, marked.label)
    return _measurement(marked, plane, (long_axis, short_axis), (stated_long, stated_short), nodal, findings)


def _chosen_series(plane: ImagePlane, others: Sequence[ImagePlane]) -> list[Finding]:
    """Say which series was taken where several show the place of coordinates that name no image."""
    if not others:
        return []
    names = [f"“{item.look.description}”" if item.look.description else "one without a name" for item in others]
    own = f"“{plane.look.description}”" if plane.look.description else "the one without a name"
    words = (
        f"The coordinates name no image, and {len(others) + 1} series show their place: {own} is taken, whose slice is "
        f"the nearest (of equally near ones the thinnest), beside {', '.join(names)}."
    )
    return [Finding("series-chosen", Severity.INFO, words, plane.series_instance_uid)]


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
        device=marked.device,
        measured_at=marked.measured_at,
        frame_of_reference_uid=plane.frame_of_reference_uid if plane else marked.frame_of_reference_uid,
        slice_normal_lps=plane.normal if plane else None,
        slice_thickness_mm=plane.slice_thickness_mm if plane else None,
        modality=plane.modality if plane else "CT",
        stated_long_mm=stated_mm[0],
        stated_short_mm=stated_mm[1],
        findings=tuple(findings),
    )


def _axis(marked: MarkedAxis, plane: ImagePlane, measurement: MarkedMeasurement, precision_mm: Decimal) -> Axis:
    where = name_of(measurement)
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
    if axis.distance_mm < _SHORTEST_MM:
        raise InvalidMeasurement("a line has no length: both end points are the same.", where=where)
    return replace(axis, recorded_mm=recorded_length(axis.distance_mm, precision_mm))


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
