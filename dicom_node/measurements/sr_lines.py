"""The lines of a structured report: lengths with the coordinates and the image that they were measured on."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from dicom_node.measurements.axis_concepts import AxisKind, axis_kind
from dicom_node.measurements.sr_content import ContentItem, measured_value, sequence
from tumorresp.domain.errors import InvalidInput
from tumorresp.domain.finding import Finding, Severity
from tumorresp.domain.measurement import MarkedAxis, PixelPoint
from tumorresp.domain.terminology import Code
from tumorresp.quantify.outline_axes import farthest_pair, greatest_chord_across

_IMAGE_REGION = Code("111030", "DCM", "Image Region")
# Where a viewer put the text, and which handles it drew: no part of the lesion.
_NOT_A_LINE = ("textposition", "controlpoints")
_MOST_POINTS = 2000


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

    @property
    def drawn_length(self) -> float:
        """Length in the writer's coordinates, to sort by."""
        if self.axis.pixels is not None:
            first, second = self.axis.pixels
            return float(np.hypot(first.column - second.column, first.row - second.row))
        if self.axis.lps_mm is not None:
            return float(np.linalg.norm(np.subtract(*self.axis.lps_mm)))
        return 0.0


@dataclass(frozen=True)
class ChosenAxes:
    """Long and short axis of a group; both None when it has no line."""

    long: Line | None
    short: Line | None
    findings: tuple[Finding, ...] = ()


def group_axes(group: ContentItem, numbers: Iterable[ContentItem], shift: float) -> ChosenAxes:
    """Return the axes of a measurement group.

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
    return _region_axes(group, lengths, shift) if lengths else ChosenAxes(None, None)


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
    is_outline = len(points) > 2 and np.array_equal(points[0], points[-1])
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
    for item in number.below("SCOORD", "SCOORD3D"):
        line = line_of(item, shift, fallback)
        if kind is not None and line is not None:
            return replace(line, kind=kind, axis=replace(line.axis, stated_length=value, stated_unit=unit))
    return None


def _long_and_short(lines: Sequence[Line]) -> ChosenAxes:
    """Choose the two axes; of unnamed lengths the longest is the long axis and a second one the short axis."""
    long_line = next((line for line in lines if line.kind is AxisKind.LONG), None)
    short_line = next((line for line in lines if line.kind is AxisKind.SHORT), None)
    unnamed = sorted((line for line in lines if line.kind is AxisKind.SINGLE), key=lambda line: -line.drawn_length)
    findings = []
    if long_line is None and unnamed:
        long_line = unnamed.pop(0)
        if short_line is None and len(unnamed) == 1:
            short_line = unnamed[0]
            words = "The report names two lengths and no axes: the longer one was taken as long axis."
            findings.append(Finding("axes-by-length", Severity.INFO, words))
        elif short_line is None and unnamed:
            words = f"The report names {len(unnamed) + 1} lengths and no axes: only the longest one was used."
            findings.append(Finding("lines-passed-over", Severity.WARNING, words))
    if long_line is not None and short_line is not None and long_line.image != short_line.image:
        words = "The axes lie on different images; the short axis was left out."
        findings.append(Finding("axes-on-different-images", Severity.WARNING, words))
        short_line = None
    return ChosenAxes(long_line, short_line, tuple(findings))


def _region_axes(group: ContentItem, lengths: Sequence[ContentItem], shift: float) -> ChosenAxes:
    """Return axes from the group's image region (TID 1410), for lengths that have no lines of their own."""
    for region in group.children:
        if region.value_type not in ("SCOORD", "SCOORD3D") or not region.is_named(_IMAGE_REGION):
            continue
        ends = _region_ends(str(region.dataset.get("GraphicType")), graphic_points(region))
        if ends is None:
            continue
        image = _image_below(region) or group_image(group)
        frame = str(region.dataset.get("ReferencedFrameOfReferenceUID") or "")
        long_line, short_line = (
            None if line is None else Line(kind, _stated(_marked(line, shift), lengths, kinds), image, frame)
            for kind, kinds, line in (
                (AxisKind.LONG, (AxisKind.LONG, AxisKind.SINGLE), ends[0]),
                (AxisKind.SHORT, (AxisKind.SHORT,), ends[1]),
            )
        )
        words = "The report gives lengths without lines; the axes were derived from its image region."
        return ChosenAxes(long_line, short_line, (Finding("axes-derived", Severity.INFO, words),))
    return ChosenAxes(None, None)


def _region_ends(
    kind: str, points: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64] | None] | None:
    """Return the ends of a region's long and short axis in its own coordinates (PS3.3 C.18.6.1.2)."""
    if kind == "ELLIPSE" and len(points) == 4:
        return points[:2], points[2:]
    if kind == "CIRCLE" and len(points) == 2 and points.shape[1] == 2:
        centre, radius = points[0], points[1] - points[0]
        across = np.array([-radius[1], radius[0]])
        return np.stack([centre - radius, centre + radius]), np.stack([centre - across, centre + across])
    if kind == "POLYLINE" and len(points) == 2:
        return points, None
    is_outline = len(points) > 3 and np.array_equal(points[0], points[-1])
    if kind == "POLYLINE" and is_outline and points.shape[1] == 2:
        outline = points[: -1 : 1 + len(points) // _MOST_POINTS]
        if len(outline) < 3 or np.linalg.matrix_rank(outline - outline[0]) < 2:
            return None
        pair = farthest_pair(outline)
        return pair, greatest_chord_across(outline, pair)
    return None


def _stated(axis: MarkedAxis, lengths: Sequence[ContentItem], kinds: Sequence[AxisKind]) -> MarkedAxis:
    for item in lengths:
        if axis_kind(item.name) in kinds:
            value, unit = measured_value(item)
            return replace(axis, stated_length=value, stated_unit=unit)
    return axis


def _marked(ends: NDArray[np.float64], shift: float) -> MarkedAxis:
    if ends.shape[1] == 3:
        start, end = ((float(x), float(y), float(z)) for x, y, z in ends)
        return MarkedAxis(lps_mm=(start, end))
    first, last = (PixelPoint(float(column) - shift, float(row) - shift) for column, row in ends)
    return MarkedAxis(pixels=(first, last))


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
