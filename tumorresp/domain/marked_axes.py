"""The axes of marked lines and outlines, found in the patient: a length in pixels decides nothing.

Pixels need not be square, and lines of one report may lie on images of different spacing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from tumorresp.domain.errors import InvalidMeasurement
from tumorresp.domain.finding import Finding, Severity
from tumorresp.domain.geometry import ImagePlane, Vector3, vector3
from tumorresp.domain.image_of_measurement import name_of, referenced_plane
from tumorresp.domain.measurement import MarkedAxis, MarkedMeasurement, MarkedOutline, OutlineShape, UnnamedLine
from tumorresp.domain.outline_axes import Diameters, planar_diameters

# Far below any measurement, above the noise of double arithmetic.
_SAME_MM = 1e-6

Planes = Mapping[str, Sequence[ImagePlane]]


def with_axes(marked: MarkedMeasurement, planes: Planes) -> MarkedMeasurement:
    """Return a measurement with long and short axis in place of its outlines or its unnamed lines.

    Raises
    ------
    MissingImages
        If an image that an outline or an unnamed line lies on is not here.
    InvalidMeasurement
        If an outline has no extent, or lies on an image without pixel spacing.
    """
    if marked.outlines:
        return _with_diameters(marked, planes)
    return _with_named_lines(marked, planes) if marked.unnamed_lines else marked


def _with_named_lines(marked: MarkedMeasurement, planes: Planes) -> MarkedMeasurement:
    """Give the unnamed lines the places that no named line has, longest first; of equal ones the first counts."""
    lengths = [_length_mm(marked, line, planes) for line in marked.unnamed_lines]
    ranked = [marked.unnamed_lines[i] for i in np.argsort(-np.array(lengths), kind="stable")]
    marked = replace(marked, unnamed_lines=())
    if marked.long_axis is None:
        longest = ranked.pop(0)
        marked = replace(
            marked,
            long_axis=longest.as_long,
            sop_instance_uid=longest.sop_instance_uid,
            frame_number=longest.frame_number,
            frame_of_reference_uid=longest.frame_of_reference_uid,
        )
    if marked.short_axis is not None or not marked.second_is_short or not ranked:
        return marked
    second = ranked[0]
    if (second.sop_instance_uid, second.frame_number) != (marked.sop_instance_uid, marked.frame_number):
        words = "The measurement's lines lie on different images; the short axis was left out."
        finding = Finding("axes-on-different-images", Severity.WARNING, words, marked.label, decides=True)
        return replace(marked, findings=(*marked.findings, finding))
    return replace(marked, short_axis=second.as_short)


def _length_mm(marked: MarkedMeasurement, line: UnnamedLine, planes: Planes) -> float:
    axis = line.as_long
    ends = axis.lps_mm
    if axis.pixels is not None:
        on_image = replace(marked, sop_instance_uid=line.sop_instance_uid, frame_number=line.frame_number)
        plane = referenced_plane(on_image, planes.get(line.sop_instance_uid, ()))
        first, last = (plane.pixel_to_lps(point.column, point.row) for point in axis.pixels)
        ends = first, last
    if ends is None:
        raise InvalidMeasurement("a line has no end points.", where=name_of(marked))
    return float(np.linalg.norm(np.subtract(*ends)))


def _with_diameters(marked: MarkedMeasurement, planes: Planes) -> MarkedMeasurement:
    """Give the diameters of the outline with the greatest one; of equal ones the first counts."""
    best: tuple[MarkedMeasurement, Diameters] | None = None
    for outline in marked.outlines:
        on_image = replace(
            marked,
            outlines=(),
            sop_instance_uid=outline.sop_instance_uid,
            frame_number=outline.frame_number,
            frame_of_reference_uid=outline.frame_of_reference_uid,
        )
        plane = _calibrated_plane(on_image, planes) if outline.pixels is not None else None
        found = _diameters(outline.shape, _points_lps_mm(outline, plane, name_of(marked)), plane)
        if found is None or (best is not None and found.length_mm <= best[1].length_mm + _SAME_MM):
            continue
        long, short = _axis(found.long, outline.stated_long), _axis(found.short, outline.stated_short)
        best = replace(on_image, long_axis=long, short_axis=short), found
    if best is None:
        raise InvalidMeasurement("a region has no extent: its points span no area.", where=name_of(marked))
    return best[0]


def _calibrated_plane(marked: MarkedMeasurement, planes: Planes) -> ImagePlane:
    plane = referenced_plane(marked, planes.get(marked.sop_instance_uid, ()))
    if not plane.calibrated:
        raise InvalidMeasurement(
            "the referenced image has no Pixel Spacing (0028,0030), so lengths in mm are unknown.",
            where=name_of(marked),
        )
    return plane


def _points_lps_mm(outline: MarkedOutline, plane: ImagePlane | None, where: str) -> NDArray[np.float64]:
    """Return the outline's points, (N, 3)."""
    points: Sequence[Vector3] = outline.lps_mm or ()
    if plane is not None:
        pixels = outline.pixels or ()
        if not all(np.isfinite((point.column, point.row)).all() for point in pixels):
            raise InvalidMeasurement("a point of a region is not a number.", where=where)
        points = [plane.pixel_to_lps(point.column, point.row) for point in pixels]
    placed = np.asarray(points, dtype=np.float64).reshape(-1, 3)
    if not np.isfinite(placed).all():
        raise InvalidMeasurement("a point of a region is not a number.", where=where)
    return placed


def _diameters(shape: OutlineShape, points: NDArray[np.float64], plane: ImagePlane | None) -> Diameters | None:
    if shape is OutlineShape.POLYGON:
        return planar_diameters(points)
    if shape is OutlineShape.ELLIPSE:
        return _ellipse_diameters(points)
    return _circle_diameters(points, plane)


def _ellipse_diameters(ends: NDArray[np.float64]) -> Diameters | None:
    """Return the principal axes of the ellipse with four given ends of two lines through its middle.

    Lines at right angles in pixels that are not square are not so in mm: there they are conjugate diameters, and the
    ellipse's axes are the singular vectors of the two half lines.
    """
    centre = ends.mean(axis=0)
    halves = np.stack([(ends[1] - ends[0]) / 2, (ends[3] - ends[2]) / 2])
    if np.linalg.matrix_rank(halves) < 2:
        return None
    _, lengths, directions = np.linalg.svd(halves, full_matrices=False)
    if np.isclose(*lengths):  # a circle has no long axis of its own: the first line is one of its diameters
        directions = np.stack([halves[0], halves[1]]) / lengths[:, None]
    long, short = (np.stack([centre - way, centre + way]) for way in lengths[:, None] * directions)
    return Diameters(long, short)


def _circle_diameters(points: NDArray[np.float64], plane: ImagePlane | None) -> Diameters | None:
    """Return the diameter through the marked point of the rim, and the one across it in the image's plane."""
    if plane is None or len(points) != 2:
        return None
    centre, radius = points[0], points[1] - points[0]
    if not radius.any():
        return None
    across = np.cross(plane.normal, radius)
    return Diameters(np.stack([centre - radius, centre + radius]), np.stack([centre - across, centre + across]))


def _axis(ends_lps_mm: NDArray[np.float64], stated: tuple[float | None, str]) -> MarkedAxis:
    first, last = (vector3(end) for end in ends_lps_mm)
    return MarkedAxis(lps_mm=(first, last), stated_length=stated[0], stated_unit=stated[1])
