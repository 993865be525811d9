"""Whether two measurements of one time point lie on each other, so that they can only be one lesion's.

A measurement spans an ellipsoid: its axes in the slice, and across the slices as much as its short axis. A viewer that
saves twice, a lesion drawn on two neighbouring slices or on the thin and the thick series, and the outlines of two
observers all give two ellipsoids that hold each other's centres; two lesions side by side do not.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from tumorresp.domain.axis_checks import segment_distance_mm
from tumorresp.domain.geometry import Vector3, vector3
from tumorresp.domain.measurement import Axis, Measurement

# Of the long axis, where no short one was drawn.
_SHORT_TO_LONG = 0.75
# Lines on slices this many thicknesses apart are on neighbouring slices (slices can be farther apart than thick) ...
_NEIGHBOUR_THICKNESSES = 1.5
# ... and this many mm where the thickness is not known.
_NEIGHBOUR_MM = 5.0
# Lesions that only touch share no more than the rim.
_RIM = 0.9
# One that is less than this share as long as the other may be a part of it.
_LEAST_SIZE_SHARE = 0.5
_CROSSING_MM = 0.1
_POINTS_PER_LINE = 21
_SAME_POINT_MM = 0.05
_SIMILAR_LENGTH = 0.9


class Relation(StrEnum):
    """How two measurements lie to each other."""

    APART = "apart"
    UNSURE = "unsure"
    SAME = "same"


@dataclass(frozen=True, eq=False)
class Extent:
    """The ellipsoid that a measurement spans, LPS mm.

    Parameters
    ----------
    centre
        (3,) where the axes' middles meet.
    arms
        (3, 3) half axes as rows: along the long axis, the short one, and across the slice.
    lines
        (n, 2, 3) the drawn lines.
    reach_mm
        How far across the slices a neighbouring slice can be.
    """

    centre: NDArray[np.float64]
    arms: NDArray[np.float64]
    lines: NDArray[np.float64]
    reach_mm: float

    @property
    def midpoint(self) -> NDArray[np.float64]:
        """(3,) half way along the long axis."""
        return np.asarray(self.lines[0].mean(axis=0), dtype=np.float64)

    def coordinates(self, points: NDArray[np.float64], reach_mm: float) -> NDArray[np.float64]:
        """Return (..., 3) points in half axes from the centre; on a slice within reach the distance across is 0."""
        found = (points - self.centre) @ np.linalg.inv(self.arms)
        across = np.abs(found[..., 2]) * float(np.linalg.norm(self.arms[2]))
        found[..., 2] = np.where(across <= reach_mm, 0.0, found[..., 2])
        return np.asarray(found, dtype=np.float64)

    def holds(self, points: NDArray[np.float64], reach_mm: float = 0.0, share: float = 1.0) -> bool:
        """Return whether any of (..., 3) points lies within this share of the ellipsoid."""
        squared = np.square(self.coordinates(points, reach_mm)).sum(axis=-1)
        return bool(np.any(squared <= share**2 + 1e-9))

    def mapped(self, to: Callable[[NDArray[np.float64]], NDArray[np.float64]]) -> "Extent":
        """Return the ellipsoid under a map of (N, 3) points, which must be affine."""
        points = np.asarray(to(np.concatenate([[self.centre], self.centre + self.arms, self.lines.reshape(-1, 3)])))
        return Extent(points[0], points[1:4] - points[0], points[4:].reshape(-1, 2, 3), self.reach_mm)

    def reaches_into(self, other: "Extent", reach_mm: float) -> bool:
        """Return whether a drawn line, or the middle above or below the slice, lies inside another lesion's rim."""
        steps = np.linspace(0.0, 1.0, _POINTS_PER_LINE)[:, None]
        drawn = np.concatenate([start + steps * (end - start) for start, end in self.lines])
        upright = self.centre + (2 * steps - 1) * self.arms[2]
        return other.holds(drawn, reach_mm, _RIM) or other.holds(upright, 0.0, _RIM)


def extent_of(measurement: Measurement) -> Extent | None:
    """Return the ellipsoid of a measurement, None for a statement without lines."""
    long_axis, short_axis = measurement.long_axis, measurement.short_axis
    if long_axis is None:
        return None
    line = np.subtract(long_axis.end_lps_mm, long_axis.start_lps_mm)
    along = line / long_axis.distance_mm
    normal = _normal(along, short_axis, measurement.slice_normal_lps)
    beside = np.cross(normal, along)
    width = short_axis.length_mm if short_axis is not None else _SHORT_TO_LONG * long_axis.length_mm
    centre = np.asarray(long_axis.midpoint_lps_mm, dtype=np.float64)
    if short_axis is not None:
        centre = centre + float(np.subtract(short_axis.midpoint_lps_mm, centre) @ beside) * beside
    drawn = [axis for axis in (long_axis, short_axis) if axis is not None]
    thickness = measurement.slice_thickness_mm
    return Extent(
        centre,
        np.stack([along * long_axis.distance_mm / 2, beside * width / 2, normal * width / 2]),
        np.array([(axis.start_lps_mm, axis.end_lps_mm) for axis in drawn], dtype=np.float64),
        _NEIGHBOUR_MM if thickness is None else _NEIGHBOUR_THICKNESSES * thickness,
    )


def _normal(along: NDArray[np.float64], short_axis: Axis | None, stated: Vector3 | None) -> NDArray[np.float64]:
    """Return the slice's unit normal: the image's where it fits the line, else across both axes, else any."""
    candidates = [] if stated is None else [np.asarray(stated, dtype=np.float64)]
    if short_axis is not None:
        candidates.append(np.cross(along, np.subtract(short_axis.end_lps_mm, short_axis.start_lps_mm)))
    candidates += list(np.eye(3)[::-1])
    for candidate in candidates:
        across = candidate - (candidate @ along) * along
        length = float(np.linalg.norm(across))
        if length > 0.1 * max(1.0, float(np.linalg.norm(candidate))):
            return np.asarray(across / length, dtype=np.float64)
    raise AssertionError("three directions of space cannot all be along one line")


def relation(one: Measurement, other: Measurement, *, told_apart: bool = False) -> Relation:
    """Return how two measurements in one frame of reference lie to each other.

    Parameters
    ----------
    told_apart
        Their reader calls them two lesions in one document: then only lines that cross, or a centre inside the other
        lesion, speak against it.

    Returns
    -------
    Relation
        ``SAME`` where each centre lies inside the other ellipsoid and they are of similar size; ``UNSURE`` where one
        reaches into the other (a part of it, a line through it); ``APART`` otherwise and for statements without lines.
    """
    first, second = extent_of(one), extent_of(other)
    if first is None or second is None:
        return Relation.APART
    return relation_of_extents(first, second, told_apart=told_apart)


def relation_of_extents(first: Extent, second: Extent, *, told_apart: bool = False) -> Relation:
    """Return how two ellipsoids in one frame of reference lie to each other; see ``relation``."""
    reach = max(first.reach_mm, second.reach_mm)
    inside = first.holds(second.centre, reach), second.holds(first.centre, reach)
    sizes = sorted(float(np.linalg.norm(extent.arms[0])) for extent in (first, second))
    if all(inside):
        return Relation.SAME if sizes[0] >= _LEAST_SIZE_SHARE * sizes[1] else Relation.UNSURE
    if any(inside) or _lines_cross(first, second, reach):
        return Relation.UNSURE
    overlaps = first.reaches_into(second, reach) or second.reaches_into(first, reach)
    return Relation.UNSURE if overlaps and not told_apart else Relation.APART


def same_lines(one: Measurement, other: Measurement) -> bool:
    """Return whether two measurements consist of the same lines to 0.05 mm, whichever end comes first."""
    pairs = ((one.long_axis, other.long_axis), (one.short_axis, other.short_axis))
    return all(a is b if a is None or b is None else _same_line(a, b) for a, b in pairs)


def similar_length(one: Measurement, other: Measurement) -> bool:
    """Return whether the long axes differ by a tenth at most."""
    if one.long_axis is None or other.long_axis is None:
        return False
    lengths = sorted((one.long_axis.length_mm, other.long_axis.length_mm))
    return lengths[0] >= _SIMILAR_LENGTH * lengths[1]


def _same_line(one: Axis, other: Axis) -> bool:
    ends = np.array([other.start_lps_mm, other.end_lps_mm])
    return any(
        float(np.abs(np.array([one.start_lps_mm, one.end_lps_mm]) - order).max()) <= _SAME_POINT_MM
        for order in (ends, ends[::-1])
    )


def _lines_cross(first: Extent, second: Extent, reach_mm: float) -> bool:
    """Return whether a line of one crosses a line of the other, on one slice or on neighbouring ones."""
    scale = np.linalg.norm(first.arms, axis=1)
    mine = first.coordinates(first.lines, reach_mm) * scale
    theirs = first.coordinates(second.lines, reach_mm) * scale
    return any(segment_distance_mm(_axis(a), _axis(b)) <= _CROSSING_MM for a in mine for b in theirs)


def _axis(ends: NDArray[np.float64]) -> Axis:
    return Axis(vector3(ends[0]), vector3(ends[1]))
