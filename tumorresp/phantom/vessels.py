"""Branching vessels: a random tree of tapering tubes."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tumorresp.phantom.canvas import Canvas, Floats


@dataclass(frozen=True)
class TreeShape:
    """How a vessel tree grows: from ``root_mm`` along ``direction``, forking ``generations`` times."""

    root_mm: tuple[float, float, float]
    direction: tuple[float, float, float]
    length_mm: float
    radius_mm: float
    generations: int
    spread: float = 0.75


def vessel_tree(shape: TreeShape, random: np.random.Generator) -> NDArray[np.float64]:
    """Return the (N, 7) segments of a tree: start (3), end (3), radius, all mm.

    Each vessel is a few slightly bent pieces and forks into two; radii follow Murray's law (r0**3 = r1**3 + r2**3).
    """
    segments: list[NDArray[np.float64]] = []
    direction = np.asarray(shape.direction) / np.linalg.norm(shape.direction)
    tips = [(np.asarray(shape.root_mm, float), direction, shape.length_mm, shape.radius_mm)]
    for generation in range(shape.generations):
        pieces = 3 if generation < 5 else 2
        grown: list[tuple[NDArray[np.float64], NDArray[np.float64], float, float]] = []
        for start, heading, length, radius in tips:
            for _ in range(pieces):
                heading = _turned(heading, 0.18, random)
                end = start + heading * length / pieces
                segments.append(np.concatenate([start, end, [radius]]))
                start = end
            share = random.uniform(0.35, 0.65)
            grown.extend(
                (
                    start,
                    _turned(heading, shape.spread, random),
                    length * random.uniform(0.68, 0.92),
                    radius * part ** (1 / 3),
                )
                for part in (share, 1 - share)
            )
        tips = grown
    return np.stack(segments)


def paint_vessels(canvas: Canvas, segments: NDArray[np.float64], hu: float, within: Floats) -> None:
    """Paint tubes; ``within`` (0..1 on the whole grid) bounds them to their organ."""
    for *ends, radius in segments:
        start, end = np.array(ends[:3]), np.array(ends[3:])
        low, high = np.minimum(start, end) - radius - 1, np.maximum(start, end) + radius + 1
        box = canvas.box(low, high)
        if box is None or not within[box].any():
            continue
        along = end - start
        x, y, z = canvas.coordinates(box)
        x, y, z = x - np.float32(start[0]), y - np.float32(start[1]), z - np.float32(start[2])
        a, b, c = (np.float32(v) for v in along)
        t = np.clip((a * x + b * y + c * z) / np.float32(along @ along), 0, 1)
        distance = np.sqrt((x - a * t) ** 2 + (y - b * t) ** 2 + (z - c * t) ** 2)
        # A vessel thinner than a pixel fills part of it only.
        share = canvas.occupancy(distance - np.float32(radius)) * np.float32(min(1.0, 2 * radius / canvas.edge_mm))
        canvas.paint(box, share * within[box], hu)


def _turned(heading: NDArray[np.float64], amount: float, random: np.random.Generator) -> NDArray[np.float64]:
    turned = heading + amount * random.normal(size=3)
    return np.asarray(turned / np.linalg.norm(turned))
