"""Lobulated ellipsoids: lesion shapes whose volume is known exactly and whose axes are found on the true outline."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray
from skimage.measure import find_contours

from tumorresp.domain.geometry import Vector3

_OUTLINE_STEP_MM = 0.25


@dataclass(frozen=True, eq=False)
class LobulatedEllipsoid:
    """An ellipsoid whose radius is modulated by spherical harmonics.

    In the ellipsoid's own frame, scaled to the unit sphere, the surface is ``r(d) = 1 + sum_j w_j P3(d . n_j)`` with
    the Legendre polynomial P3 and unit vectors ``n_j``; the body is star-shaped about its centre.

    Parameters
    ----------
    centre_mm
        Centre, in the frame that the points given to the methods are in.
    half_axes_mm
        Half axes of the ellipsoid before lobulation.
    rotation
        (3, 3) matrix whose columns are the directions of the half axes.
    lobe_directions
        (J, 3) unit vectors ``n_j``, in the ellipsoid's own frame.
    lobe_weights
        (J,) weights ``w_j``; their absolute sum must stay below 1.
    """

    centre_mm: Vector3
    half_axes_mm: Vector3
    rotation: NDArray[np.float64]
    lobe_directions: NDArray[np.float64]
    lobe_weights: NDArray[np.float64]

    @cached_property
    def volume_mm3(self) -> float:
        """Volume: ``abc/3`` times the integral of ``r**3`` over the sphere, by a quadrature that is exact for it."""
        # r**3 is a polynomial of degree 9 on the sphere: 10 Gauss nodes in cos(theta) and 20 equal steps in phi
        # integrate it exactly.
        cosines, weights = np.polynomial.legendre.leggauss(10)
        angles = 2 * np.pi * np.arange(20) / 20
        sines = np.sqrt(1 - cosines**2)
        directions = np.stack(
            [np.outer(sines, np.cos(angles)), np.outer(sines, np.sin(angles)), np.repeat(cosines[:, None], 20, axis=1)],
            axis=-1,
        )
        cubes = self._radius(directions) ** 3
        integral = float(np.sum(weights[:, None] * cubes) * 2 * np.pi / 20)
        return float(np.prod(self.half_axes_mm)) * integral / 3

    @property
    def reach_mm(self) -> float:
        """No point of the body is further from the centre than this."""
        return max(self.half_axes_mm) * (1 + float(np.abs(self.lobe_weights).sum()))

    def depth(self, points_mm: ArrayLike) -> NDArray[np.float64]:
        """Return about how far (mm) points (..., 3) lie outside the surface; negative inside, its sign exact."""
        local = (np.asarray(points_mm, dtype=np.float64) - self.centre_mm) @ self.rotation / self.half_axes_mm
        distance = np.linalg.norm(local, axis=-1)
        direction = local / np.maximum(distance, 1e-9)[..., None]
        scale = float(np.prod(self.half_axes_mm)) ** (1 / 3)
        return np.asarray((distance - self._radius(direction)) * scale)

    def moved(self, matrix: NDArray[np.float64]) -> "LobulatedEllipsoid":
        """Return the body after a rigid 4 x 4 motion."""
        centre = matrix[:3, :3] @ np.asarray(self.centre_mm) + matrix[:3, 3]
        return LobulatedEllipsoid(
            (float(centre[0]), float(centre[1]), float(centre[2])),
            self.half_axes_mm,
            matrix[:3, :3] @ self.rotation,
            self.lobe_directions,
            self.lobe_weights,
        )

    def outline(self, z_mm: float) -> NDArray[np.float64] | None:
        """Return the closed (N, 2) outline (x, y in mm) of the section at height z, sampled every 0.25 mm.

        None when the plane misses the body.
        """
        if abs(z_mm - self.centre_mm[2]) > self.reach_mm:
            return None
        offsets = np.arange(-self.reach_mm - 1, self.reach_mm + 1, _OUTLINE_STEP_MM)
        y, x = np.meshgrid(offsets + self.centre_mm[1], offsets + self.centre_mm[0], indexing="ij")
        outlines = find_contours(self.depth(np.stack([x, y, np.full_like(x, z_mm)], axis=-1)), 0.0)
        if not outlines:
            return None
        row, column = max(outlines, key=len).T
        corner = np.asarray(self.centre_mm[:2]) + offsets[0]
        return np.asarray(corner + _OUTLINE_STEP_MM * np.column_stack([column, row]))

    def _radius(self, directions: NDArray[np.float64]) -> NDArray[np.float64]:
        cosines = directions @ self.lobe_directions.T
        return np.asarray(1 + (0.5 * (5 * cosines**3 - 3 * cosines)) @ self.lobe_weights)


def farthest_pair(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the two of (N, 2) points that are farthest apart, by comparing all pairs: (2, 2)."""
    squared = np.sum((points[:, None] - points[None]) ** 2, axis=-1)
    return points[list(np.unravel_index(int(np.argmax(squared)), squared.shape))]


def greatest_perpendicular(outline: NDArray[np.float64], axis: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the widest extent of a closed (N, 2) outline at right angles to an axis, on lines 0.1 mm apart."""
    along = (axis[1] - axis[0]) / np.linalg.norm(axis[1] - axis[0])
    across = np.array([-along[1], along[0]])
    s, t = outline @ along, outline @ across
    best, width = np.zeros((2, 2)), -1.0
    for line in np.arange(s.min() + 0.05, s.max(), 0.1):
        before, after = s - line, np.roll(s, -1) - line
        crossing = np.flatnonzero((before < 0) != (after < 0))
        share = before[crossing] / (before[crossing] - after[crossing])
        heights = t[crossing] + share * (np.roll(t, -1)[crossing] - t[crossing])
        if heights.size and np.ptp(heights) > width:
            width = float(np.ptp(heights))
            best = np.stack([line * along + heights.min() * across, line * along + heights.max() * across])
    return best
