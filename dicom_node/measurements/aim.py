"""AIM files, versions 3 and 4, in XML or in ePAD's JSON (AIM Foundation model 3.0 and 4.2)."""

import datetime
import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from dicom_node.measurements.aim_annotation import AimAnnotation, AimLength, AimLine, AimOutline, marked_measurement
from dicom_node.measurements.aim_document import AimNode, is_aim, read_aim
from dicom_node.measurements.axis_concepts import axis_kind
from dicom_node.measurements.document_facts import utc_time
from dicom_node.measurements.pixel_origin import PixelOrigin, shift_to_centres
from tumorresp.domain.errors import InvalidInput
from tumorresp.domain.identity import derived_uid
from tumorresp.domain.measurement import MarkedMeasurement, OutlineShape, SourceDocument
from tumorresp.domain.observers import person_name
from tumorresp.domain.terminology import Code

_SHAPES = {
    "Circle": (OutlineShape.CIRCLE, 2),
    "TwoDimensionCircle": (OutlineShape.CIRCLE, 2),
    "Ellipse": (OutlineShape.ELLIPSE, 4),
    "TwoDimensionEllipse": (OutlineShape.ELLIPSE, 4),
}
_POLYLINES = frozenset({"Polyline", "TwoDimensionPolyline"})
_LINES = frozenset({"Polyline", "MultiPoint", "TwoDimensionMultiPoint", "TwoDimensionPolyline"})


class AimReader:
    """Reads measurements from AIM files."""

    def __init__(self, pixel_origin: PixelOrigin = "dicom") -> None:
        self._shift = shift_to_centres(pixel_origin)

    def can_read(self, path: Path) -> bool:
        """Return whether the file is an AIM image annotation."""
        return is_aim(path)

    def read(self, path: Path) -> tuple[MarkedMeasurement, ...]:
        """Read every annotation that has a line, or says that a lesion is resolved, in the file's order.

        Raises
        ------
        InvalidInput
            If the file is not well-formed, or a number in it is none.
        """
        root = read_aim(path)
        content_uid = derived_uid("document", hashlib.sha256(path.read_bytes()).hexdigest())
        try:
            if root.name == "ImageAnnotationCollection":
                found = list(_version_4(root, content_uid, self._shift))
            elif root.name == "ImageAnnotation":
                found = [_version_3(root, content_uid, self._shift)]
            else:
                found = []
        except (ValueError, OverflowError) as error:
            raise InvalidInput(
                f"a number in the AIM file cannot be understood ({type(error).__name__}).", where=path.name
            ) from error
        return tuple(item for item in found if item is not None)


def _version_3(root: AimNode, content_uid: str, shift: float) -> MarkedMeasurement | None:
    uid = root.text("uniqueIdentifier") or content_uid
    study = next(root.below("ImageStudy"), root)
    series = next(root.below("ImageSeries"), root)
    image = next(root.below("Image"), root)
    base = MarkedMeasurement(
        measurement_uid="",
        source=SourceDocument("aim-v3", uid, root.text("equipment", "Equipment", "manufacturerName")),
        patient_id=root.text("person", "Person", "id"),
        study_instance_uid=study.text("instanceUID"),
        series_instance_uid=series.text("instanceUID"),
        sop_instance_uid=image.text("sopInstanceUID"),
        # The equipment that AIM names is the scanner, so an annotation without a user has no known observer.
        reader=person_name(root.text("user", "User", "name")) or person_name(root.text("user", "User", "loginName")),
        measured_at=_time(root.text("dateTime")),
    )
    entity = root.first("anatomicEntityCollection", "AnatomicEntity")
    annotation = AimAnnotation(
        uid=uid,
        name=root.text("name"),
        comment=root.text("comment"),
        type_meaning=root.text("codeMeaning"),
        tracking_uid="",
        site=_site(entity.text("codeValue"), entity.text("codingSchemeDesignator"), entity.text("codeMeaning")),
        observations=tuple(node.text("codeMeaning") for node in root.below("ImagingObservationCharacteristic")),
        lines=tuple(_version_3_lines(root)),
        outlines=tuple(_version_3_outlines(root)),
        lengths=tuple(_version_3_lengths(root)),
    )
    return marked_measurement(annotation, base, shift)


def _version_3_lines(root: AimNode) -> Iterator[AimLine]:
    for shape in root.below("GeometricShape"):
        points = _in_order(shape.below("SpatialCoordinate"), "coordinateIndex")
        if shape.text("type") in _LINES and len(points) == 2:
            first, last = points
            yield AimLine(
                "",
                (float(first.text("x")), float(first.text("y"))),
                (float(last.text("x")), float(last.text("y"))),
                first.text("imageReferenceUID"),
                _frame(first.text("referencedFrameNumber")),
            )


def _version_3_outlines(root: AimNode) -> Iterator[AimOutline]:
    for shape in root.below("GeometricShape"):
        nodes = _in_order(shape.below("SpatialCoordinate"), "coordinateIndex")
        points = tuple((float(point.text("x")), float(point.text("y"))) for point in nodes)
        found = _shape(shape.text("type"), points)
        if found is not None:
            first = nodes[0]
            yield AimOutline(
                found, points, first.text("imageReferenceUID"), _frame(first.text("referencedFrameNumber"))
            )


def _shape(kind: str, points: Sequence[tuple[float, float]]) -> OutlineShape | None:
    """Return what the points of a markup are, None where they go round nothing."""
    if kind in _POLYLINES and len(points) > 3 and points[0] == points[-1]:
        return OutlineShape.POLYGON
    shape, count = _SHAPES.get(kind, (None, 0))
    return shape if len(points) == count else None


def _version_3_lengths(root: AimNode) -> Iterator[AimLength]:
    for calculation in root.below("Calculation"):
        concept = Code(
            calculation.text("codeValue"), calculation.text("codingSchemeDesignator"), calculation.text("codeMeaning")
        )
        kind = axis_kind(concept)
        for result in calculation.below("CalculationResult"):
            data = next(result.below("CalculationData"), None)
            if kind is not None and data is not None:
                yield AimLength(kind, _number(data.text("value")), result.text("unitOfMeasure"))


def _version_4(root: AimNode, content_uid: str, shift: float) -> Iterator[MarkedMeasurement | None]:
    document_uid = root.text("uniqueIdentifier", "root") or content_uid
    base = MarkedMeasurement(
        measurement_uid="",
        source=SourceDocument("aim-v4", document_uid, root.text("equipment", "manufacturerName", "value")),
        patient_id=root.text("person", "id", "value"),
        reader=person_name(root.text("user", "name", "value")) or person_name(root.text("user", "loginName", "value")),
        measured_at=_time(root.text("dateTime", "value")),
    )
    for number, node in enumerate(root.first("imageAnnotations").children("ImageAnnotation"), start=1):
        yield marked_measurement(
            _version_4_annotation(node, f"{document_uid}.{number}"), _version_4_base(base, node), shift
        )


def _version_4_base(base: MarkedMeasurement, node: AimNode) -> MarkedMeasurement:
    study = node.first("imageReferenceEntityCollection", "ImageReferenceEntity", "imageStudy")
    image = study.first("imageSeries", "imageCollection", "Image")
    return replace(
        base,
        study_instance_uid=study.text("instanceUid", "root"),
        series_instance_uid=study.text("imageSeries", "instanceUid", "root"),
        sop_instance_uid=image.text("sopInstanceUid", "root"),
        measured_at=_time(node.text("dateTime", "value")) or base.measured_at,
    )


def _version_4_annotation(node: AimNode, fallback_uid: str) -> AimAnnotation:
    return AimAnnotation(
        uid=node.text("uniqueIdentifier", "root") or fallback_uid,
        name=node.text("name", "value"),
        comment=node.text("comment", "value"),
        type_meaning=_code(node.first("typeCode")).meaning,
        tracking_uid=node.text("trackingUniqueIdentifier", "root"),
        site=_version_4_site(node),
        observations=tuple(
            _code(code).meaning
            for observation in node.below("ImagingObservationCharacteristic")
            for code in observation.children("typeCode")
        ),
        lines=tuple(_version_4_lines(node)),
        outlines=tuple(_version_4_outlines(node)),
        lengths=tuple(_version_4_lengths(node)),
    )


def _version_4_site(node: AimNode) -> Code | None:
    """Return the first physical entity that is a location; ePAD keeps a lesion's status in the same list."""
    for entity in node.first("imagingPhysicalEntityCollection").children("ImagingPhysicalEntity"):
        code = _code(entity.first("typeCode"))
        if code.value and code.scheme != "99EPAD":
            return _site(code.value, code.scheme, code.meaning)
    return None


def _version_4_lines(node: AimNode) -> Iterator[AimLine]:
    for markup in node.below("MarkupEntity"):
        points = _in_order(markup.below("TwoDimensionSpatialCoordinate"), "coordinateIndex", "value")
        if markup.text("type") in _LINES and len(points) == 2:
            first, last = points
            yield AimLine(
                markup.text("uniqueIdentifier", "root"),
                (float(first.text("x", "value")), float(first.text("y", "value"))),
                (float(last.text("x", "value")), float(last.text("y", "value"))),
                markup.text("imageReferenceUid", "root"),
                _frame(markup.text("referencedFrameNumber", "value")),
            )


def _version_4_outlines(node: AimNode) -> Iterator[AimOutline]:
    for markup in node.below("MarkupEntity"):
        nodes = _in_order(markup.below("TwoDimensionSpatialCoordinate"), "coordinateIndex", "value")
        points = tuple((float(point.text("x", "value")), float(point.text("y", "value"))) for point in nodes)
        found = _shape(markup.text("type"), points)
        if found is not None:
            frame = _frame(markup.text("referencedFrameNumber", "value"))
            yield AimOutline(found, points, markup.text("imageReferenceUid", "root"), frame)


def _version_4_lengths(node: AimNode) -> Iterator[AimLength]:
    calculations = list(node.below("CalculationEntity"))
    # Old ePAD files give every calculation the identifier "0": what is not unique names nothing.
    used = Counter(calculation.text("uniqueIdentifier", "root") for calculation in calculations)
    for calculation in calculations:
        kind = next((k for code in calculation.children("typeCode") if (k := axis_kind(_code(code)))), None)
        result = next(calculation.below("CalculationResult"), None)
        if kind is None or result is None:
            continue
        data = next(result.below("CalculationData"), None)
        value = data.text("value", "value") if data is not None else result.text("value", "value")
        uid = calculation.text("uniqueIdentifier", "root")
        linked = _linked_markups(node, uid) if used[uid] == 1 and uid != "0" else frozenset()
        yield AimLength(kind, _number(value), result.text("unitOfMeasure", "value"), linked)


def _linked_markups(node: AimNode, calculation_uid: str) -> frozenset[str]:
    return frozenset(
        statement.text("objectUniqueIdentifier", "root")
        for statement in node.below("ImageAnnotationStatement")
        if statement.text("type") == "CalculationEntityReferencesMarkupEntityStatement"
        and statement.text("subjectUniqueIdentifier", "root") == calculation_uid
    )


def _code(node: AimNode) -> Code:
    return Code(node.text("code"), node.text("codeSystemName"), node.text("displayName", "value"))


def _site(value: str, scheme: str, meaning: str) -> Code | None:
    """Return a site under the designator that DICOM has for its scheme."""
    if not value and not meaning:
        return None
    return Code(value, scheme.upper() if scheme.lower() == "radlex" else scheme, meaning)


def _in_order(points: Iterator[AimNode], *path: str) -> list[AimNode]:
    return sorted(points, key=lambda point: int(point.text(*path) or 0))


def _frame(text: str) -> int | None:
    """Return a frame number from 1; writers put 0 where there are no frames."""
    return int(text) if text and int(text) > 0 else None


def _number(text: str) -> float | None:
    return float(text) if text else None


def _time(text: str) -> datetime.datetime | None:
    """Return an AIM time, ISO 8601 or digits, as UTC."""
    if text.isdigit():
        return utc_time(text)
    try:
        moment = datetime.datetime.fromisoformat(text)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)).astimezone(datetime.UTC)
