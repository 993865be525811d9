"""DICOM structured reports: TID 1500 in all its dialects, and the trees of vendors.

TID 1500 (PS3.16): every Measurement Group (125007, DCM) is one lesion; long and short axis are NUM items with
coordinates below them. Elsewhere every NUM that names an axis, a length or a diameter and has coordinates and an image
below it counts, grouped by the container that holds it.
"""

import datetime
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import pydicom
from pydicom.dataset import Dataset
from pydicom.errors import InvalidDicomError

from dicom_node.measurements.axis_concepts import AxisKind, axis_kind
from dicom_node.measurements.sr_content import ContentItem, read_content, sequence
from tumorresp.domain.errors import InvalidInput, NotDicom
from tumorresp.domain.finding import Finding, Severity
from tumorresp.domain.geometry import Vector3
from tumorresp.domain.identity import derived_uid
from tumorresp.domain.measurement import (
    LesionRole,
    LesionState,
    MarkedAxis,
    MarkedMeasurement,
    PixelPoint,
    SourceDocument,
)
from tumorresp.domain.terminology import (
    ABSENT,
    COMMENT,
    FINDING,
    FINDING_SITE,
    FINDING_SITE_SRT,
    LESION_ROLE,
    LESION_STATE,
    PRESENT,
    ROLE_NEW,
    ROLE_NON_TARGET,
    ROLE_TARGET,
    STATE_EQUIVOCAL,
    STATE_NOT_EVALUABLE,
    STATE_TOO_SMALL,
    STATE_UNEQUIVOCAL_PROGRESSION,
    TRACKING_IDENTIFIER,
    TRACKING_UNIQUE_IDENTIFIER,
    Code,
)

PixelOrigin = Literal["dicom", "centre"]
"""``dicom``: (0, 0) is the corner of the first pixel (PS3.3 C.18.6.1.1); ``centre``: its centre."""

_MEASUREMENT_GROUP = Code("125007", "DCM", "Measurement Group")
_IMAGING_MEASUREMENT_REPORTS = frozenset({"126000", "126001", "126010"})
_PERSON_OBSERVER = Code("121008", "DCM", "Person Observer Name")
_NOT_A_LINE = ("textposition", "controlpoints")
_TOOL_NAMES = ("cornerstone3dtools", "cornerstonetools", "cornerstone3dtools@", "dcmjs")
_FREE_TEXT = frozenset({"CORNERSTONEFREETEXT", "CS3DTEXT"})
_ROLES = {
    ROLE_TARGET.value: LesionRole.TARGET,
    ROLE_NON_TARGET.value: LesionRole.NON_TARGET,
    ROLE_NEW.value: LesionRole.NEW,
}
_STATES = (
    (ABSENT, LesionState.ABSENT),
    (PRESENT, LesionState.PRESENT),
    (STATE_TOO_SMALL, LesionState.TOO_SMALL),
    (STATE_NOT_EVALUABLE, LesionState.NOT_EVALUABLE),
    (STATE_UNEQUIVOCAL_PROGRESSION, LesionState.UNEQUIVOCAL_PROGRESSION),
    (STATE_EQUIVOCAL, LesionState.EQUIVOCAL),
)


@dataclass(frozen=True)
class _ImageReference:
    sop_instance_uid: str = ""
    frame_number: int | None = None


@dataclass(frozen=True)
class _Line:
    """A length with its coordinates and the image that they lie on."""

    kind: AxisKind
    axis: MarkedAxis
    image: _ImageReference
    frame_of_reference_uid: str

    @property
    def drawn_length(self) -> float:
        """Length in the writer's coordinates, to sort by."""
        if self.axis.pixels is not None:
            first, second = self.axis.pixels
            return ((first.column - second.column) ** 2 + (first.row - second.row) ** 2) ** 0.5
        if self.axis.lps_mm is not None:
            return sum((a - b) ** 2 for a, b in zip(*self.axis.lps_mm, strict=True)) ** 0.5
        return 0.0


class StructuredReportReader:
    """Reads measurements from DICOM SR files."""

    def __init__(self, pixel_origin: PixelOrigin = "dicom") -> None:
        self._shift = 0.5 if pixel_origin == "dicom" else 0.0

    def can_read(self, path: Path) -> bool:
        """Return whether the file is a DICOM SR."""
        try:
            header = pydicom.dcmread(path, specific_tags=["Modality", "SOPClassUID"], stop_before_pixels=True)
        except (InvalidDicomError, OSError, ValueError, EOFError, NotImplementedError, LookupError):
            return False
        return str(header.get("Modality")) == "SR"

    def read(self, path: Path) -> tuple[MarkedMeasurement, ...]:
        """Read every measurement of a report, in its order.

        Raises
        ------
        NotDicom
            If the file cannot be read.
        InvalidInput
            If its tree makes no sense.
        """
        try:
            document = pydicom.dcmread(path)
            root = read_content(document, path.name)
            return tuple(self._measurements(document, root))
        except (InvalidDicomError, OSError, EOFError, NotImplementedError) as error:
            raise NotDicom(
                f"the structured report cannot be read ({type(error).__name__}).", where=path.name
            ) from error
        except (ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
            raise InvalidInput(
                f"the structured report's content cannot be understood ({type(error).__name__}).", where=path.name
            ) from error

    def _measurements(self, document: Dataset, root: ContentItem) -> Iterator[MarkedMeasurement]:
        groups = [item for item in root.walk() if item.is_named(_MEASUREMENT_GROUP)]
        is_tid_1500 = bool(groups)
        if not groups:
            groups = list(_vendor_groups(root))
        base = _document_facts(document, root, "dicom-sr-tid1500" if is_tid_1500 else "dicom-sr")
        for number, group in enumerate(groups, start=1):
            marked = self._measurement(base, group, number, in_template=is_tid_1500)
            if marked is not None:
                yield marked

    def _measurement(
        self, base: MarkedMeasurement, group: ContentItem, number: int, *, in_template: bool
    ) -> MarkedMeasurement | None:
        state, role = _state_of(group), _role_of(group)
        lines = [
            line for item in _numbers(group, in_template=in_template) if (line := self._line(item, group)) is not None
        ]
        long_line, short_line, findings = _long_and_short(lines)
        if long_line is None and (state is None or state is LesionState.MEASURED):
            return None
        tracking_identifier = _text_of(group, TRACKING_IDENTIFIER)
        is_tool = tracking_identifier.lower().split(":")[0].split("@")[0] in _TOOL_NAMES
        image = long_line.image if long_line else _ImageReference()
        return replace(
            base,
            measurement_uid=derived_uid("measurement", base.source.document_uid, str(number)),
            sop_instance_uid=image.sop_instance_uid,
            frame_number=image.frame_number,
            frame_of_reference_uid=long_line.frame_of_reference_uid if long_line else "",
            long_axis=long_line.axis if long_line else None,
            short_axis=short_line.axis if short_line else None,
            label=_label(group, "" if is_tool else tracking_identifier),
            tracking_identifier=tracking_identifier,
            tracking_uid=_text_of(group, TRACKING_UNIQUE_IDENTIFIER),
            tracking_uid_is_stable=not is_tool,
            finding_type=_coded(group, FINDING),
            site=_coded(group, FINDING_SITE, FINDING_SITE_SRT),
            role=role,
            state=state or LesionState.MEASURED,
            comment=_text_of(group, COMMENT),
            findings=findings,
        )

    def _line(self, number: ContentItem, group: ContentItem) -> _Line | None:
        kind = axis_kind(number.name)
        if kind is None:
            return None
        value, unit = _measured_value(number)
        for item in number.below("SCOORD", "SCOORD3D"):
            if item.meaning.replace(" ", "") in _NOT_A_LINE or str(item.dataset.get("GraphicType")) != "POLYLINE":
                continue
            data = [float(value) for value in item.dataset.get("GraphicData") or ()]
            image = _image_below(item) or _image_below(number) or _group_image(group)
            if item.value_type == "SCOORD" and len(data) >= 4:
                ends = (
                    PixelPoint(data[0] - self._shift, data[1] - self._shift),
                    PixelPoint(data[-2] - self._shift, data[-1] - self._shift),
                )
                axis = MarkedAxis(pixels=ends, stated_length=value, stated_unit=unit)
                return _Line(kind, axis, image or _ImageReference(), "")
            if item.value_type == "SCOORD3D" and len(data) >= 6:
                first: Vector3 = (data[0], data[1], data[2])
                last: Vector3 = (data[-3], data[-2], data[-1])
                axis = MarkedAxis(lps_mm=(first, last), stated_length=value, stated_unit=unit)
                frame = str(item.dataset.get("ReferencedFrameOfReferenceUID") or "")
                return _Line(kind, axis, image or _ImageReference(), frame)
        return None


def _document_facts(document: Dataset, root: ContentItem, kind: str) -> MarkedMeasurement:
    """Return what all measurements of a report share."""
    writer = str(document.get("Manufacturer") or "").strip()
    reader = next((i.text() for i in root.walk() if i.is_named(_PERSON_OBSERVER)), "")
    return MarkedMeasurement(
        measurement_uid="",
        source=SourceDocument(kind, str(document.SOPInstanceUID), writer),
        patient_id=str(document.get("PatientID") or "").strip(),
        study_instance_uid=str(document.get("StudyInstanceUID") or ""),
        reader="" if reader.lower().replace("^", "") in ("", "unknownunknown", "unknown") else reader,
        measured_at=_content_time(document),
    )


def _content_time(document: Dataset) -> datetime.datetime | None:
    """Return the content date and time as UTC; without a stated offset it is taken as UTC."""
    day, moment = str(document.get("ContentDate") or ""), str(document.get("ContentTime") or "000000")[:6]
    try:
        local = datetime.datetime.strptime(day + moment.ljust(6, "0"), "%Y%m%d%H%M%S")  # noqa: DTZ007  offset below
        offset = str(document.get("TimezoneOffsetFromUTC") or "+0000")
        zone = datetime.datetime.strptime(offset, "%z").tzinfo
    except ValueError:
        return None
    return local.replace(tzinfo=zone).astimezone(datetime.UTC)


def _vendor_groups(root: ContentItem) -> Iterator[ContentItem]:
    """Give the containers that directly or through plain items hold axes with coordinates."""

    def is_axis(item: ContentItem) -> bool:
        return item.value_type == "NUM" and axis_kind(item.name) is not None and any(item.below("SCOORD", "SCOORD3D"))

    for item in root.walk():
        if item.value_type == "CONTAINER" and any(is_axis(child) for child in _within(item)):
            yield item


def _within(container: ContentItem) -> Iterator[ContentItem]:
    """Give the items below a container that are not in a container of their own."""
    for child in container.children:
        if child.value_type != "CONTAINER":
            yield child
            yield from _within(child)


def _numbers(group: ContentItem, *, in_template: bool) -> Iterator[ContentItem]:
    items = group.below("NUM") if in_template else _within(group)
    return (item for item in items if item.value_type == "NUM")


def _long_and_short(lines: Sequence[_Line]) -> tuple[_Line | None, _Line | None, tuple[Finding, ...]]:
    """Choose the two axes; of unnamed lengths the longest is the long axis and a second one the short axis."""
    long_line = next((line for line in lines if line.kind is AxisKind.LONG), None)
    short_line = next((line for line in lines if line.kind is AxisKind.SHORT), None)
    unnamed = sorted((line for line in lines if line.kind is AxisKind.SINGLE), key=lambda line: -line.drawn_length)
    if long_line is None and unnamed:
        long_line = unnamed.pop(0)
        if short_line is None and len(unnamed) == 1:
            short_line = unnamed[0]
            words = "The report names two lengths and no axes: the longer one was taken as long axis."
            return long_line, short_line, (Finding("axes-by-length", Severity.INFO, words),)
    if long_line is None and short_line is not None:
        words = "The report has a short axis only; it was taken as the one line that is known."
        return short_line, None, (Finding("short-axis-only", Severity.WARNING, words),)
    return long_line, short_line, ()


def _measured_value(number: ContentItem) -> tuple[float | None, str]:
    for item in sequence(number.dataset, "MeasuredValueSequence"):
        unit = next(iter(sequence(item, "MeasurementUnitsCodeSequence")), Dataset())
        value = item.get("NumericValue")
        text = str(unit.get("CodeValue") or "").strip()
        return (None if value is None or value == "" else float(value)), text
    return None, ""


def _image_below(item: ContentItem) -> _ImageReference | None:
    for image in item.below("IMAGE"):
        for reference in sequence(image.dataset, "ReferencedSOPSequence"):
            return _reference(reference)
    return None


def _group_image(group: ContentItem) -> _ImageReference | None:
    """Return the source image of a group whose coordinates name none."""
    for child in group.children:
        if child.value_type == "IMAGE":
            for reference in sequence(child.dataset, "ReferencedSOPSequence"):
                return _reference(reference)
    return None


def _reference(reference: Dataset) -> _ImageReference:
    frame = reference.get("ReferencedFrameNumber")
    number = frame[0] if hasattr(frame, "__iter__") and not isinstance(frame, str) and frame else frame
    return _ImageReference(str(reference.get("ReferencedSOPInstanceUID") or ""), int(number) if number else None)


def _text_of(group: ContentItem, concept: Code) -> str:
    return next((child.text() for child in group.children if child.is_named(concept) and child.text()), "")


def _coded(group: ContentItem, *concepts: Code) -> Code | None:
    for child in group.children:
        if child.value_type == "CODE" and child.is_named(*concepts):
            code = child.code()
            if code is not None and code.value not in _FREE_TEXT:
                return code
    return None


def _label(group: ContentItem, fallback: str) -> str:
    """Return what a person called the lesion: comment, free-text finding, or the tracking identifier."""
    comment = _text_of(group, COMMENT)
    if comment:
        return comment
    for child in group.children:
        code = child.code() if child.value_type == "CODE" and child.is_named(FINDING) else None
        if code is not None and code.value in _FREE_TEXT:
            return code.meaning
        if child.value_type == "TEXT" and child.is_named(FINDING):
            return child.text()
    return fallback


def _role_of(group: ContentItem) -> LesionRole | None:
    code = _coded(group, LESION_ROLE)
    return _ROLES.get(code.value) if code is not None and code.scheme == LESION_ROLE.scheme else None


def _state_of(group: ContentItem) -> LesionState | None:
    code = _coded(group, LESION_STATE)
    return next((state for known, state in _STATES if known.same_concept(code)), None)
