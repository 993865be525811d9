"""The two diameters of a closed outline in its plane: the farthest pair of points, and the greatest chord across it."""

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import ConvexHull, QhullError


def farthest_pair(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the two of (N, 2) points that are farthest apart, (2, 2); they are vertices of the convex hull."""
    try:
        corners = points[ConvexHull(points).vertices]
    except QhullError:  # all points on a line
        corners = points
    squared = np.sum((corners[:, None] - corners[None]) ** 2, axis=-1)
    return corners[list(np.unravel_index(int(np.argmax(squared)), squared.shape))]


def greatest_chord_across(outline: NDArray[np.float64], axis: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the ends (2, 2) of the longest line inside a closed (N, 2) outline at right angles to an axis."""
    along = (axis[1] - axis[0]) / np.linalg.norm(axis[1] - axis[0])
    across = np.array([-along[1], along[0]])
    s, t = outline @ along, outline @ across
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
