"""AIM annotations that were converted to DICOM SR (NCI's AIM toolkit, private scheme 99NCIAIM).

Length and line stand in containers of their own, side by side, unlike in any template of the standard.
"""

from collections.abc import Iterator
from dataclasses import replace

from dicom_node.measurements.aim_annotation import AimAnnotation, AimLength, AimLine, marked_measurement
from dicom_node.measurements.axis_concepts import axis_kind
from dicom_node.measurements.document_facts import utc_time
from dicom_node.measurements.sr_content import ContentItem, measured_value
from dicom_node.measurements.sr_lines import line_of
from tumorresp.domain.measurement import MarkedMeasurement
from tumorresp.domain.terminology import TRACKING_IDENTIFIER, TRACKING_UNIQUE_IDENTIFIER, Code

_SCHEME = "99NCIAIM"
_ANNOTATION = Code("zzz002", _SCHEME, "AIM Annotation")
_ANNOTATION_TYPE = Code("zzz005", _SCHEME, "Annotation Type")
_ANATOMIC_ENTITY = Code("zzz008", _SCHEME, "Anatomic Entity")
_OBSERVATION_CHARACTERISTIC = Code("zzz010", _SCHEME, "Imaging Observation Characteristic")
_CALCULATION = Code("zzz011", _SCHEME, "Calculation")
_METHOD = Code("G-C036", "SRT", "Measurement Method")
_SERIES = Code("112002", "DCM", "Series Instance UID")
_STUDY = Code("110180", "DCM", "Study Instance UID")


def aim_annotations(root: ContentItem) -> list[ContentItem]:
    """Return the containers of AIM annotations; none for other reports."""
    return [item for item in root.walk() if item.is_named(_ANNOTATION)]


def aim_measurements(root: ContentItem, base: MarkedMeasurement, shift: float) -> Iterator[MarkedMeasurement]:
    """Give the measurement of each AIM annotation in a report.

    Parameters
    ----------
    base
        What the report says of patient, study, reader and time. The study and the time of the annotation come first.
    shift
        Subtracted from pixel coordinates, so that integers are pixel centres.
    """
    study = next((item.text() for item in root.walk() if item.is_named(_STUDY)), "")
    series = next((item.text() for item in root.walk() if item.is_named(_SERIES)), "")
    for number, container in enumerate(aim_annotations(root), start=1):
        annotation = _annotation(container, f"{base.source.document_uid}.{number}", shift)
        own = replace(
            base,
            study_instance_uid=study or base.study_instance_uid,
            series_instance_uid=series,
            measured_at=utc_time(str(container.dataset.get("ObservationDateTime") or "")) or base.measured_at,
        )
        marked = marked_measurement(annotation, own, shift)
        if marked is not None:
            yield marked


def _annotation(container: ContentItem, fallback_uid: str, shift: float) -> AimAnnotation:
    def text(concept: Code) -> str:
        return next((child.text() for child in container.children if child.is_named(concept)), "")

    def code(concept: Code) -> Code | None:
        return next((child.code() for child in container.children if child.is_named(concept)), None)

    type_code = code(_ANNOTATION_TYPE)
    return AimAnnotation(
        uid=text(TRACKING_UNIQUE_IDENTIFIER) or fallback_uid,
        name=text(TRACKING_IDENTIFIER),
        comment="",
        type_meaning=type_code.meaning if type_code else "",
        tracking_uid="",
        site=code(_ANATOMIC_ENTITY),
        observations=tuple(item.text() for item in container.walk() if item.is_named(_OBSERVATION_CHARACTERISTIC)),
        lines=tuple(_lines(container, shift)),
        lengths=tuple(_lengths(container)),
    )


def _lines(container: ContentItem, shift: float) -> Iterator[AimLine]:
    for item in container.below("SCOORD"):
        line = line_of(item, shift)
        if line is not None and line.axis.pixels is not None:
            start, end = ((point.column + shift, point.row + shift) for point in line.axis.pixels)
            yield AimLine("", start, end, line.image.sop_instance_uid, line.image.frame_number)


def _lengths(container: ContentItem) -> Iterator[AimLength]:
    for calculation in container.children:
        if not calculation.is_named(_CALCULATION):
            continue
        method = next((child.code() for child in calculation.children if child.is_named(_METHOD)), None)
        kind = axis_kind(method)
        number = next(calculation.below("NUM"), None)
        if kind is not None and number is not None:
            yield AimLength(kind, *measured_value(number))
