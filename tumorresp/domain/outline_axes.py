"""The two diameters of a closed outline: the farthest pair of its points, and the greatest chord across that line.

Everything here is in millimetres: distances between pixel coordinates mean nothing where pixels are not square.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# Lines whose lengths differ by less are equally long; far below any measurement, above the noise of a rotation.
_SAME_MM = 1e-6
# A round outline has as many diameters as points: enough of them are tried.
_MOST_DIAMETERS = 16
# The chord of an outline takes quadratic time; a point every 0.1 mm of a lesion of 6 cm gains nothing.
_MOST_POINTS = 2000
# Ends of a cut that lie this near to each other are one place: a pixel of CT.
_WIDEST_CUT_MM = 1.0
_MOST_HOLES = 50
# Contours of one slice are written with rounding; what leaves its plane by more is no planar outline.
_FLAT_MM = 1.0


@dataclass(frozen=True, eq=False)
class Diameters:
    """End points of the long and of the short axis, (2, n) each, in the outline's own coordinates (mm)."""

    long: NDArray[np.float64]
    short: NDArray[np.float64]

    @property
    def length_mm(self) -> float:
        """Length of the long axis."""
        return float(np.linalg.norm(self.long[1] - self.long[0]))


def planar_diameters(points_lps_mm: NDArray[np.float64]) -> Diameters | None:
    """Return the diameters of a closed outline that lies in any plane of the patient.

    Parameters
    ----------
    points_lps_mm
        (N, 3) points; the last one joins the first, and may repeat it. An outline that is cut open to leave out a
        hole (a keyhole contour) measures as its outer border does.

    Returns
    -------
    Diameters or None
        None for points that span no plane, or do not lie in one.
    """
    centre = points_lps_mm.mean(axis=0)
    # The two directions in which the points spread most span the outline's plane, whatever its orientation.
    _, spread, directions = np.linalg.svd(points_lps_mm - centre, full_matrices=False)
    if len(points_lps_mm) < 3 or spread[1] < _SAME_MM or spread[2] / np.sqrt(len(points_lps_mm)) > _FLAT_MM:
        return None
    plane = directions[:2]
    outline = ((points_lps_mm - centre) @ plane.T)[:: 1 + len(points_lps_mm) // _MOST_POINTS]
    found = outline_diameters(without_keyholes(outline))
    return Diameters(found.long @ plane + centre, found.short @ plane + centre)


def outline_diameters(outline_mm: NDArray[np.float64]) -> Diameters:
    """Return the diameters of a closed (N, 2) outline; of equally long lines the one with the longer line across."""
    best: tuple[float, Diameters] | None = None
    for pair in _farthest_pairs(outline_mm):
        chord = greatest_chord_across(outline_mm, pair)
        width = float(np.linalg.norm(chord[1] - chord[0]))
        if best is None or width > best[0] + _SAME_MM:
            best = width, Diameters(pair, chord)
    assert best is not None, "an outline has points"
    return best[1]


def farthest_pair(points_mm: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the two of (N, 2) points that are farthest apart, (2, 2); of equal pairs the first along the hull."""
    return _farthest_pairs(points_mm)[0]


def greatest_chord_across(outline_mm: NDArray[np.float64], axis_mm: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the ends (2, 2) of the longest line inside a closed (N, 2) outline at right angles to an axis."""
    along = (axis_mm[1] - axis_mm[0]) / np.linalg.norm(axis_mm[1] - axis_mm[0])
    across = np.array([-along[1], along[0]])
    s, t = outline_mm @ along, outline_mm @ across
    s_next, t_next = np.roll(s, -1), np.roll(t, -1)
    # Between the heights of two neighbouring vertices chords grow linearly: the longest is at a vertex, approached
    # from either side so that no line runs through a vertex.
    margin = 1e-7 * float(np.ptp(s))
    lines = np.unique(np.concatenate([s - margin, s + margin]))
    crosses = (s[None] < lines[:, None]) != (s_next[None] < lines[:, None])
    line, edge = np.nonzero(crosses)
    heights = t[edge] + (lines[line] - s[edge]) / (s_next[edge] - s[edge]) * (t_next[edge] - t[edge])
    order = np.lexsort((heights, line))
    line, heights = line[order], heights[order]
    # A line crosses a closed outline an even number of times: it enters and leaves in turn.
    low, high = heights[0::2], heights[1::2]
    best = int(np.argmax(high - low))
    middle = lines[line[2 * best]] * along
    return np.stack([middle + low[best] * across, middle + high[best] * across])


def without_keyholes(outline_mm: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the outer border of a closed (N, 2) outline that is cut open to go round a hole inside it.

    Writers that know no holes lead the outline from its outer border to the hole and back on the same way (keyhole
    technique, PS3.3 C.8.8.6.3), or cut a slit as wide as a pixel. A bay of the border stays what it is: only what is
    wider inside than its mouth is a hole.
    """
    # From a corner of the hull, which is no part of a hole, and back to it.
    start = int(np.lexsort(outline_mm.T)[0])
    outline = np.concatenate([outline_mm[start:], outline_mm[: start + 1]])
    while (hole := _largest_hole(outline)) is not None:
        first, last = hole
        outline = np.concatenate([outline[: first + 1], outline[last:]])
    return outline[:-1]


def _farthest_pairs(points: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    """Return the longest lines between (N, 2) points, all of one length; their ends are corners of the hull."""
    corners = _convex_hull(points)
    distances = np.linalg.norm(corners[:, None] - corners[None], axis=-1)
    first, last = np.nonzero(np.triu(distances >= distances.max() - _SAME_MM))
    return [corners[[i, j]] for i, j in zip(first[:_MOST_DIAMETERS], last[:_MOST_DIAMETERS], strict=True)]


def _convex_hull(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the corners of the convex hull of (N, 2) points in order (Andrew's monotone chain)."""
    ordered = [(float(x), float(y)) for x, y in np.unique(points, axis=0)]
    if len(ordered) < 3:
        return np.asarray(ordered, dtype=np.float64)

    def half(way: list[tuple[float, float]]) -> list[tuple[float, float]]:
        chain: list[tuple[float, float]] = []
        for x, y in way:
            while len(chain) > 1:
                (ax, ay), (bx, by) = chain[-2:]
                if (bx - ax) * (y - ay) - (by - ay) * (x - ax) > 0:
                    break
                chain.pop()
            chain.append((x, y))
        return chain

    return np.asarray(half(ordered)[:-1] + half(ordered[::-1])[:-1], dtype=np.float64)


def _largest_hole(outline: NDArray[np.float64]) -> tuple[int, int] | None:
    """Return the points (first, last) between which an outline goes round a hole inside it, None for no hole.

    The outline is split in two loops where two of its points are one place. A loop that runs the other way round than
    the whole, and inside the rest, is a hole with the way to it.
    """
    if len(outline) < 7:
        return None
    travelled = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(outline, axis=0), axis=1))])
    swept = np.concatenate([[0.0], np.cumsum(_cross(outline[:-1], outline[1:]))])
    distances = np.linalg.norm(outline[:, None] - outline[None], axis=-1)
    first, last = np.nonzero(np.triu(distances <= _WIDEST_CUT_MM, k=2))
    # Area and border of the loop from the first point to the last one and straight back.
    area = (swept[last] - swept[first] + _cross(outline[last], outline[first])) / 2
    border = travelled[last] - travelled[first]
    is_hole = (area * swept[-1] < 0) & (np.abs(area) > border * distances[first, last] + _SAME_MM)
    candidates = np.flatnonzero(is_hole)
    # Of equal areas the one with the longer border: it holds the whole way to the hole.
    ranked = np.lexsort((-border[candidates], -np.round(np.abs(area[candidates]), 6)))
    for number in candidates[ranked[:_MOST_HOLES]]:
        i, j = int(first[number]), int(last[number])
        rest = np.concatenate([outline[: i + 1], outline[j:]])
        deepest = int(np.argmax(np.linalg.norm(outline[i : j + 1] - outline[i], axis=1)))
        if _holds(rest, outline[i + deepest]):
            return i, j
    return None


def _holds(outline: NDArray[np.float64], point: NDArray[np.float64]) -> bool:
    """Return whether a point lies inside a closed outline, by the even-odd rule."""
    (x, y), (x_next, y_next) = (outline - point).T, (np.roll(outline, -1, axis=0) - point).T
    spans = (y < 0) != (y_next < 0)
    x, y, x_next, y_next = x[spans], y[spans], x_next[spans], y_next[spans]
    return bool(np.count_nonzero(x - y * (x_next - x) / (y_next - y) > 0) % 2)


def _cross(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(one[:, 0] * other[:, 1] - one[:, 1] * other[:, 0], dtype=np.float64)
