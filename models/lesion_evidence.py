"""What the reader's axes and the CT numbers say of each voxel: log odds of its belonging to the lesion.

Three sources are added up. *Shape*: two half ellipsoids on the measured ellipse, whose reach and slant on either side
of the key slice are found in the image; where there is no contrast they are the ellipsoid of the axes. *Tissue*: the
ratio of the CT numbers' densities inside and around the axes. *Prevalence*: a constant.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.special import expit

from models.lesion_frame import LesionFrame

Floats = NDArray[np.float64]

_LOWEST_HU, _HIGHEST_HU, _BIN_HU = -1050.0, 1950.0, 4.0
# Density (per HU) that any CT number has everywhere: a number never seen before says little.
_RARE_PER_HU = 2e-4
_LARGEST_LOG_RATIO = 2.5
# How far from the centre tissues are compared, in half axes.
_SURROUNDINGS = 2.0
# The search grid of the shape's halves: reaches from 0.45 to 2.7 half long axes, slants up to 31 degrees.
_REACHES = np.exp(np.arange(-0.8, 1.02, 0.07))
_SLANTS = np.arange(-6, 7) / 10
_ROUNDS = 3
_STEPS_ACROSS = 16
# Beyond this many half long axes across the slices no voxel is looked at: the longest reach, with its smooth end.
_LARGEST_REACH = 2.8


@dataclass(frozen=True)
class EvidenceParameters:
    """Parameters of `lesion_evidence`.

    Parameters
    ----------
    tissue_sigma_mm
        Smoothing of the image whose CT numbers are compared; at most a tenth of the short axis.
    tissue_spread_hu
        Smoothing of the densities of CT numbers.
    tissue_slab
        The tissues are learnt from slices up to this distance from the key slice, in half long axes.
    tissue_margin
        Distance from the ellipse's edge, in half axes, from which on a voxel mainly teaches one of the tissues.
    tissue_weight
        Weight of the tissue's log ratio. Below 1 because neighbouring voxels are not independent.
    prior_weight
        Log odds gained from a unit of relative distance to the shape's surface.
    tissue_bias
        Log ratio that a voxel must exceed to draw the shape's halves towards it.
    stretch_weight
        Penalty on ln(reach across / usual reach) squared.
    slant_weight
        Penalty on the slant squared.
    usual_reach
        Usual reach across the slices, in half long axes.
    """

    tissue_sigma_mm: float = 1.0
    tissue_spread_hu: float = 6.0
    tissue_slab: float = 0.6
    tissue_margin: float = 0.15
    tissue_weight: float = 0.6
    prior_weight: float = 7.0
    tissue_bias: float = 0.2
    stretch_weight: float = 2.0
    slant_weight: float = 1.5
    usual_reach: float = 1.0


@dataclass(frozen=True, eq=False)
class LesionEvidence:
    """Relative radius of the shape (1 on its surface) and log odds of belonging to the lesion, (slice, row, column).

    ``reach_limited`` says that the shape reaches as far across the slices, on one side, as shapes are tried.
    """

    shape: Floats
    log_odds: Floats
    reach_limited: bool = False


@dataclass(frozen=True)
class HalfShape:
    """One side of the shape: reach across the slices in half long axes, and slant.

    ``slant_along`` and ``slant_beside`` are displacements of the slice's centre, in half axes, per half long axis of
    height.
    """

    reach: float
    slant_along: float = 0.0
    slant_beside: float = 0.0

    def squared_radius(self, along: Any, beside: Any, height: Any) -> Any:
        """Return the squared relative radius, 1 on the half ellipsoid's surface; ``height`` is not negative."""
        return (
            (along - self.slant_along * height) ** 2
            + (beside - self.slant_beside * height) ** 2
            + (height / self.reach) ** 2
        )


def evidence_reach_mm(frame: LesionFrame) -> tuple[float, float]:
    """Return how far from the centre voxels are looked at, in the plane and across the slices, in mm."""
    return _SURROUNDINGS * frame.half_long_mm, _LARGEST_REACH * frame.half_long_mm


def lesion_evidence(
    image: Floats,
    coordinates: tuple[Floats, Floats, Floats],
    spacing_mm: tuple[float, float, float],
    frame: LesionFrame,
    parameters: EvidenceParameters,
) -> LesionEvidence:
    """Return shape and log odds of the voxels of a grid.

    Parameters
    ----------
    image
        (slice, row, column) CT numbers (HU).
    coordinates
        Of `LesionFrame.coordinates` for the same grid.
    spacing_mm
        Of the grid.
    """
    along, beside, across = coordinates
    sigma = min(parameters.tissue_sigma_mm, frame.half_short_mm / 5)
    smooth = ndimage.gaussian_filter(image, [sigma / step for step in spacing_mm], mode="nearest")
    ratio = _tissue_log_ratio(smooth, along, beside, across, parameters)
    radius = np.empty_like(ratio)
    reach_limited = False
    for side in (across[:, 0, 0] >= 0, across[:, 0, 0] < 0):
        if side.any():
            height = np.abs(across[side])
            fitted = _fitted_half(ratio[side], along[side], beside[side], height, parameters)
            radius[side] = np.sqrt(fitted.squared_radius(along[side], beside[side], height))
            reach_limited |= fitted.reach >= _REACHES[-1]
    log_odds = parameters.prior_weight * (1 - radius) + parameters.tissue_weight * ratio
    return LesionEvidence(radius, log_odds, reach_limited)


def _tissue_log_ratio(smooth: Floats, along: Floats, beside: Floats, across: Floats, p: EvidenceParameters) -> Floats:
    """Return ln(density inside / density around) of every voxel's CT number, learnt near the key slice."""
    radius = np.sqrt(along**2 + beside**2 + (across / p.usual_reach) ** 2)
    nearest = float(np.abs(across).min())
    near = (np.hypot(along, beside) < _SURROUNDINGS) & (np.abs(across) <= max(p.tissue_slab, nearest))
    bins = int((_HIGHEST_HU - _LOWEST_HU) / _BIN_HU)
    bin_of = np.clip(((smooth - _LOWEST_HU) / _BIN_HU).astype(np.int64), 0, bins - 1)
    # Voxels about the ellipse's edge teach neither tissue: they hold both.
    inner = expit(p.prior_weight * (1 - p.tissue_margin - radius))
    outer = expit(p.prior_weight * (radius - 1 - p.tissue_margin))
    inside, outside = (
        _density(np.bincount(bin_of[near], weights=weight[near], minlength=bins), p.tissue_spread_hu)
        for weight in (inner, outer)
    )
    ratio = np.log((inside + _RARE_PER_HU) / (outside + _RARE_PER_HU))
    return np.clip(ratio, -_LARGEST_LOG_RATIO, _LARGEST_LOG_RATIO)[bin_of]


def _density(weights: NDArray[Any], spread_hu: float) -> Floats:
    smooth: Floats = ndimage.gaussian_filter1d(weights, spread_hu / _BIN_HU)
    return smooth / (max(float(smooth.sum()), np.finfo(float).tiny) * _BIN_HU)


def _fitted_half(ratio: Floats, along: Floats, beside: Floats, height: Floats, p: EvidenceParameters) -> HalfShape:
    """Return the half ellipsoid that gathers most evidence, by turns of its reach and its slants."""
    # A coarser grid is enough to place a shape of three numbers.
    stride = max(1, round(2 / (_STEPS_ACROSS * _largest_step(along))))
    a, b, e = (values[:, ::stride, ::stride] for values in (along, beside, ratio - p.tissue_bias))
    near = np.hypot(a, b) < _SURROUNDINGS
    h = np.broadcast_to(height, a.shape)[near].astype(np.float32)
    a32, b32, evidence = (values[near].astype(np.float32) for values in (a, b, e))
    whole = max(int(np.count_nonzero(HalfShape(1.0).squared_radius(a32, b32, h) <= 1)), 1)

    def score(half: HalfShape) -> float:
        gathered = float(evidence[half.squared_radius(a32, b32, h) <= 1].sum(dtype=np.float64)) / whole
        stretch = float(np.log(half.reach / p.usual_reach)) ** 2
        slant = half.slant_along**2 + half.slant_beside**2
        return gathered - p.stretch_weight * stretch - p.slant_weight * slant

    best = HalfShape(p.usual_reach)
    for _ in range(_ROUNDS):
        before = best
        best = max((replace(best, reach=float(reach)) for reach in _REACHES), key=score)
        best = max((replace(best, slant_along=float(slant)) for slant in _SLANTS), key=score)
        best = max((replace(best, slant_beside=float(slant)) for slant in _SLANTS), key=score)
        if best == before:
            break
    return best


def _largest_step(along: Floats) -> float:
    """Return the largest difference between neighbours in the plane, in half axes."""
    steps = [float(np.abs(np.diff(along[0], axis=axis)).max()) for axis in (0, 1) if along.shape[axis + 1] > 1]
    return max(steps, default=1.0)
