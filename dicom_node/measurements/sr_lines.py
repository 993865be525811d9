"""Lines and outlines of a structured report: lengths with the coordinates and the image that they were measured on."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from dicom_node.measurements.axis_concepts import LENGTH_WITHOUT_LINE, REGION_WITHOUT_SIZE, AxisKind, axis_kind
from dicom_node.measurements.sr_content import ContentItem, measured_value, sequence
from tumorresp.domain.errors import InvalidInput
from tumorresp.domain.finding import Finding, Severity
from tumorresp.domain.geometry import Vector3
from tumorresp.domain.measurement import (
    MarkedAxis,
    MarkedMeasurement,
    MarkedOutline,
    OutlineShape,
    PixelPoint,
    UnnamedLine,
)
from tumorresp.domain.terminology import Code

_SEGMENTS = (Code("121191", "DCM", "Referenced Segment"), Code("121214", "DCM", "Referenced Segmentation Frame"))
_IMAGE_REGION = Code("111030", "DCM", "Image Region")
# Where a viewer put the text, and which handles it drew: no part of the lesion.
_NOT_A_LINE = ("textposition", "controlpoints")
# Pixels or mm: far below any drawing, above the rounding of coordinates in the thousands.
_SAME_POINT = 1e-3
_LENGTH_KINDS = (AxisKind.LONG, AxisKind.SINGLE)


@dataclass(frozen=True)
class ImageReference:
    """An image, and a frame of it where one is named."""

    sop_instance_uid: str = ""
    frame_number: int | None = None


@dataclass(frozen=True)
class Line:
    """A length with its end points and the image that they lie on."""

    kind: AxisKind
    axis: MarkedAxis
    image: ImageReference
    frame_of_reference_uid: str


@dataclass(frozen=True)
class MarkedAxes:
    """What a group gives for the axes of its lesion: named lines, outlines, or lines that it does not name.

    ``unnamed`` are two lines or more; ``second_is_short`` as in `MarkedMeasurement`.
    """

    long: Line | None = None
    short: Line | None = None
    unnamed: tuple[Line, ...] = ()
    second_is_short: bool = False
    outlines: tuple[MarkedOutline, ...] = ()
    findings: tuple[Finding, ...] = ()
    passed_over: str = ""

    @property
    def is_empty(self) -> bool:
        """Whether the group has neither a line nor an outline."""
        return not (self.long or self.short or self.unnamed or self.outlines)

    def placed_in(self, base: MarkedMeasurement, image: ImageReference) -> MarkedMeasurement:
        """Return a measurement with these axes; ``image`` is the group's, where no line or outline names one."""
        line = self.long or self.short or next(iter(self.unnamed), None)
        frame_of_reference_uid = line.frame_of_reference_uid if line else ""
        if line is not None:
            image = line.image
        elif self.outlines:
            first = self.outlines[0]
            image = ImageReference(first.sop_instance_uid, first.frame_number)
            frame_of_reference_uid = first.frame_of_reference_uid
        return replace(
            base,
            sop_instance_uid=image.sop_instance_uid,
            frame_number=image.frame_number,
            frame_of_reference_uid=frame_of_reference_uid,
            long_axis=self.long.axis if self.long else None,
            short_axis=self.short.axis if self.short else None,
            unnamed_lines=tuple(_unnamed_line(item) for item in self.unnamed),
            second_is_short=self.second_is_short,
            outlines=self.outlines,
            passed_over=self.passed_over,
            findings=(*base.findings, *self.findings),
        )


def group_axes(group: ContentItem, numbers: Iterable[ContentItem], shift: float) -> MarkedAxes:
    """Return what a measurement group gives for the axes of its lesion.

    Parameters
    ----------
    numbers
        The NUM items that belong to the group.
    shift
        Subtracted from pixel coordinates, so that integers are pixel centres.
    """
    lengths = [item for item in numbers if axis_kind(item.name) is not None]
    lines = [line for item in lengths if (line := _measured_line(item, group, shift)) is not None]
    if lines:
        return _long_and_short(lines)
    regions = [(region, item) for item in lengths for region in item.below("SCOORD", "SCOORD3D")]
    if lengths:
        regions += [(region, group) for region in group.children if _is_region(region)]
    return _region_axes(regions, group, lengths, shift)


def why_without_axes(group: ContentItem, numbers: Sequence[ContentItem]) -> str:
    """Return why a group without axes is passed over: a length without coordinates, or a region without a size.

    Empty for groups that speak of neither, and for those of a mask, whose lengths are measured on it (TID 1411).
    """
    if any(item.is_named(*_SEGMENTS) for item in group.children):
        return ""
    if any(axis_kind(item.name) is not None and measured_value(item)[0] is not None for item in numbers):
        return LENGTH_WITHOUT_LINE
    regions = [child for child in group.children if _is_region(child)]
    regions += [region for item in numbers for region in item.below("SCOORD", "SCOORD3D")]
    is_closed = any(_outline(str(item.dataset.get("GraphicType")), graphic_points(item), 0.0) for item in regions)
    return REGION_WITHOUT_SIZE if is_closed else ""


def group_image(group: ContentItem) -> ImageReference:
    """Return the source image of a group, for coordinates and statements that name none of their own."""
    for child in group.children:
        if child.value_type == "IMAGE":
            for reference in sequence(child.dataset, "ReferencedSOPSequence"):
                return _reference(reference.get("ReferencedSOPInstanceUID"), reference.get("ReferencedFrameNumber"))
    return ImageReference()


def line_of(item: ContentItem, shift: float, fallback: ImageReference | None = None) -> Line | None:
    """Return the line of an SCOORD or SCOORD3D: a POLYLINE from its first to its last point, or a MULTIPOINT of two.

    A closed polyline is an outline and no line.

    Raises
    ------
    InvalidInput
        If the number of coordinates makes no points.
    """
    kind = str(item.dataset.get("GraphicType"))
    if item.meaning.replace(" ", "") in _NOT_A_LINE or kind not in ("POLYLINE", "MULTIPOINT"):
        return None
    points = graphic_points(item)
    is_outline = len(points) > 2 and _is_closed(points)
    if len(points) < 2 or is_outline or (kind == "MULTIPOINT" and len(points) > 2):
        return None
    image = _image_below(item) or fallback or ImageReference()
    return Line(
        AxisKind.SINGLE,
        _marked(points[[0, -1]], shift),
        image,
        str(item.dataset.get("ReferencedFrameOfReferenceUID") or ""),
    )


def graphic_points(item: ContentItem) -> NDArray[np.float64]:
    """Return the Graphic Data of an SCOORD as (N, 2) columns and rows, of an SCOORD3D as (N, 3) LPS mm.

    Raises
    ------
    InvalidInput
        If the number of values is no multiple of two or three.
    """
    data = np.atleast_1d(np.asarray(item.dataset.get("GraphicData") or (), dtype=np.float64))
    size = 3 if item.value_type == "SCOORD3D" else 2
    if data.size % size:
        raise InvalidInput(
            f"Graphic Data (0070,0022) of an {item.value_type} has {data.size} values, expected a multiple of {size}."
        )
    return data.reshape(-1, size)


def _measured_line(number: ContentItem, group: ContentItem, shift: float) -> Line | None:
    kind = axis_kind(number.name)
    fallback = _image_below(number) or group_image(group)
    value, unit = measured_value(number)
    if kind in (None, AxisKind.RADIUS):
        return None
    for item in number.below("SCOORD", "SCOORD3D"):
        line = line_of(item, shift, fallback)
        if line is not None:
            return replace(line, kind=kind, axis=replace(line.axis, stated_length=value, stated_unit=unit))
    return None


def _long_and_short(lines: Sequence[Line]) -> MarkedAxes:
    """Give the named axes; of unnamed lengths the longest is the long axis and a second one the short axis."""
    long_line = next((line for line in lines if line.kind is AxisKind.LONG), None)
    short_line = next((line for line in lines if line.kind is AxisKind.SHORT), None)
    unnamed = [line for line in lines if line.kind is AxisKind.SINGLE] if long_line is None else []
    if len(unnamed) == 1:
        long_line = unnamed.pop()
    if unnamed:
        second_is_short = short_line is None and len(unnamed) == 2
        words = f"The report names {len(unnamed)} lengths and no axes: only the longest one was used."
        finding = Finding("lines-passed-over", Severity.WARNING, words, decides=True)
        if second_is_short:
            words = "The report names two lengths and no axes: the longer one was taken as long axis."
            finding = Finding("axes-by-length", Severity.INFO, words)
        return MarkedAxes(None, short_line, tuple(unnamed), second_is_short, findings=(finding,))
    if long_line is not None and short_line is not None and long_line.image != short_line.image:
        words = "The axes lie on different images; the short axis was left out."
        finding = Finding("axes-on-different-images", Severity.WARNING, words, decides=True)
        return MarkedAxes(long_line, findings=(finding,))
    return MarkedAxes(long_line, short_line)


def _region_axes(
    regions: Sequence[tuple[ContentItem, ContentItem]],
    group: ContentItem,
    lengths: Sequence[ContentItem],
    shift: float,
) -> MarkedAxes:
    """Return the group's regions (TID 1410), for lengths that have no lines of their own.

    Parameters
    ----------
    regions
        Each with the item that holds it: the group, or a length.
    """
    outlines = []
    for region, holder in regions:
        image = _image_below(region) or _image_below(holder) or group_image(group)
        frame = str(region.dataset.get("ReferencedFrameOfReferenceUID") or "")
        points = graphic_points(region)
        if region.dataset.get("GraphicType") == "POLYLINE" and len(points) == 2 and holder is group:
            axis = _stated(_marked(points, shift), lengths, _LENGTH_KINDS)
            return MarkedAxes(Line(AxisKind.LONG, axis, image, frame), findings=(_DERIVED,))
        outline = _outline(str(region.dataset.get("GraphicType")), points, shift)
        if outline is not None:
            outlines.append(
                replace(
                    outline,
                    sop_instance_uid=image.sop_instance_uid,
                    frame_number=image.frame_number,
                    frame_of_reference_uid=frame,
                    stated_long=_stated_diameter(lengths, (*_LENGTH_KINDS, AxisKind.RADIUS)),
                    stated_short=_stated_diameter(lengths, (AxisKind.SHORT,)),
                )
            )
    return MarkedAxes(outlines=tuple(outlines), findings=(_DERIVED,)) if outlines else MarkedAxes()


_DERIVED = Finding(
    "axes-derived",
    Severity.INFO,
    "The report gives lengths without lines; the axes were derived from its image region.",
)


def _is_region(item: ContentItem) -> bool:
    return item.value_type in ("SCOORD", "SCOORD3D") and item.is_named(_IMAGE_REGION)


def _outline(kind: str, points: NDArray[np.float64], shift: float) -> MarkedOutline | None:
    """Return a closed shape (PS3.3 C.18.6.1.2, C.18.9.1.2), None for points and open lines."""
    is_closed = kind == "POLYGON" or (len(points) > 3 and _is_closed(points))
    if kind == "ELLIPSE" and len(points) == 4:
        return MarkedOutline(OutlineShape.ELLIPSE, *_coordinates(points, shift))
    if kind == "CIRCLE" and len(points) == 2 and points.shape[1] == 2:
        return MarkedOutline(OutlineShape.CIRCLE, *_coordinates(points, shift))
    if kind in ("POLYLINE", "POLYGON") and is_closed and np.linalg.matrix_rank(points - points[0]) == 2:
        return MarkedOutline(OutlineShape.POLYGON, *_coordinates(points, shift))
    return None


def _is_closed(points: NDArray[np.float64]) -> bool:
    """Return whether a polyline ends where it began; coordinates are 32-bit floats, which writers compute anew."""
    return bool(np.abs(points[0] - points[-1]).max() <= _SAME_POINT)


def _stated_diameter(lengths: Sequence[ContentItem], kinds: Sequence[AxisKind]) -> tuple[float | None, str]:
    """Return the first length of some kinds, (number, unit); a radius counts twice."""
    for item in lengths:
        kind = axis_kind(item.name)
        if kind in kinds:
            value, unit = measured_value(item)
            return (2 * value if kind is AxisKind.RADIUS and value is not None else value), unit
    return None, ""


def _stated(axis: MarkedAxis, lengths: Sequence[ContentItem], kinds: Sequence[AxisKind]) -> MarkedAxis:
    value, unit = _stated_diameter(lengths, kinds)
    return replace(axis, stated_length=value, stated_unit=unit)


def _marked(ends: NDArray[np.float64], shift: float) -> MarkedAxis:
    pixels, lps_mm = _coordinates(ends, shift)
    if lps_mm is not None:
        return MarkedAxis(lps_mm=(lps_mm[0], lps_mm[1]))
    return MarkedAxis(pixels=(pixels[0], pixels[1]) if pixels else None)


def _coordinates(
    points: NDArray[np.float64], shift: float
) -> tuple[tuple[PixelPoint, ...], None] | tuple[None, tuple[Vector3, ...]]:
    """Return points on an image, or points in the patient."""
    if points.shape[1] == 3:
        return None, tuple((float(x), float(y), float(z)) for x, y, z in points)
    return tuple(PixelPoint(float(column) - shift, float(row) - shift) for column, row in points), None


def _unnamed_line(line: Line) -> UnnamedLine:
    image = line.image
    return UnnamedLine(line.axis, line.axis, image.sop_instance_uid, image.frame_number, line.frame_of_reference_uid)


def _image_below(item: ContentItem) -> ImageReference | None:
    for image in item.below("IMAGE"):
        for reference in sequence(image.dataset, "ReferencedSOPSequence"):
            return _reference(reference.get("ReferencedSOPInstanceUID"), reference.get("ReferencedFrameNumber"))
    return None


def _reference(uid: object, frame: object) -> ImageReference:
    if isinstance(frame, Sequence) and not isinstance(frame, str):
        frame = frame[0] if frame else None
    # Writers put frame 0 where there are no frames.
    number = int(str(frame)) if frame not in (None, "") else 0
    return ImageReference(str(uid or "").strip(), number or None)
