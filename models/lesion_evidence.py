"""What the reader's axes and the CT numbers say of each voxel: log odds of its belonging to the lesion.

Three sources are added up. *Shape*: two half ellipsoids on the measured ellipse, whose reach and slant on either side
of the key slice are found in the image; where there is no contrast they are the ellipsoid of the axes. *Tissue*: the
ratio of the CT numbers' densities inside and around the axes. *Prevalence*: a constant.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.special import expit

from models.lesion_frame import LesionFrame

Floats = NDArray[np.float64]

_LOWEST_HU, _HIGHEST_HU, _BIN_HU = -1050.0, 1950.0, 5.0
_RARE = 1e-3
_LARGEST_LOG_RATIO = 4.0


@dataclass(frozen=True)
class EvidenceParameters:
    """Parameters of `lesion_evidence`.

    Parameters
    ----------
    tissue_sigma_mm
        Smoothing of the image whose CT numbers are compared; less for small lesions (a tenth of the short axis).
    tissue_slab
        The tissues are learnt from slices up to this distance from the key slice, in half long axes.
    tissue_weight
        Weight of the tissue's log ratio. Below 1 because neighbouring voxels are not independent.
    prior_weight
        Log odds gained from a unit of relative distance to the shape's surface.
    stretch_weight
        Penalty on ln(reach across / usual reach) squared.
    slant_weight
        Penalty on the slant squared.
    usual_reach
        Usual reach across the slices, in half long axes.
    """

    tissue_sigma_mm: float = 2.0
    tissue_slab: float = 0.6
    tissue_weight: float = 1.0
    prior_weight: float = 6.0
    stretch_weight: float = 2.0
    slant_weight: float = 2.0
    usual_reach: float = 1.12


@dataclass(frozen=True, eq=False)
class LesionEvidence:
    """Relative radius of the shape (1 on its surface) and log odds of belonging to the lesion, (slice, row, column)."""

    shape: Floats
    log_odds: Floats


@dataclass(frozen=True)
class HalfShape:
    """One side of the shape: reach across the slices in half long axes, and slant.

    ``slant_along`` and ``slant_beside`` are displacements of the slice's centre, in half axes, per half long axis of
    height.
    """

    reach: float
    slant_along: float = 0.0
    slant_beside: float = 0.0

    def radius(self, along: Floats, beside: Floats, height: Floats) -> Floats:
        """Return the relative radius, 1 on the half ellipsoid's surface; ``height`` is not negative."""
        squared: Floats = (
            (along - self.slant_along * height) ** 2
            + (beside - self.slant_beside * height) ** 2
            + (height / self.reach) ** 2
        )
        return np.sqrt(squared)


_REACHES = np.exp(np.arange(-0.8, 1.05, 0.07))
_SLANTS = np.arange(-6, 7) / 10
_ROUNDS = 3
_REACH_IN_PLANE = 2.0


def crop_reach_mm(frame: LesionFrame, parameters: EvidenceParameters) -> tuple[float, float]:
    """Return how far from the centre voxels are looked at, in the plane and across the slices, in mm."""
    del parameters
    return _REACH_IN_PLANE * frame.half_long_mm, 2.8 * frame.half_long_mm


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
    for side in (across[:, 0, 0] >= 0, across[:, 0, 0] < 0):
        if side.any():
            height = np.abs(across[side])
            fitted = _fitted_half(ratio[side], along[side], beside[side], height, parameters)
            radius[side] = fitted.radius(along[side], beside[side], height)
    return LesionEvidence(radius, parameters.prior_weight * (1 - radius) + parameters.tissue_weight * ratio)


def _tissue_log_ratio(smooth: Floats, along: Floats, beside: Floats, across: Floats, p: EvidenceParameters) -> Floats:
    radius = np.sqrt(along**2 + beside**2 + (across / p.usual_reach) ** 2)
    near = (np.hypot(along, beside) < 1.8) & (np.abs(across) <= max(p.tissue_slab, float(np.abs(across).min())))
    bins = int((_HIGHEST_HU - _LOWEST_HU) / _BIN_HU)
    bin_of = np.clip(((smooth - _LOWEST_HU) / _BIN_HU).astype(int), 0, bins - 1)
    share = expit(p.prior_weight * (1 - radius))
    inside = _density(bin_of[near], share[near], bins)
    outside = _density(bin_of[near], 1 - share[near], bins)
    ratio = np.log((inside + _RARE) / (outside + _RARE))
    return np.clip(ratio, -_LARGEST_LOG_RATIO, _LARGEST_LOG_RATIO)[bin_of]


def _density(bin_of: NDArray[np.int64], weight: Floats, bins: int) -> Floats:
    counts = np.bincount(bin_of, weights=weight, minlength=bins)
    smooth: Floats = ndimage.gaussian_filter1d(counts, 1.5)
    return smooth / max(float(smooth.sum()), 1e-12)


def _fitted_half(ratio: Floats, along: Floats, beside: Floats, height: Floats, p: EvidenceParameters) -> HalfShape:
    """Return the half ellipsoid that gathers most evidence, by turns of its reach and its slants."""
    usual = HalfShape(p.usual_reach)
    a, b = along[:, ::2, ::2], beside[:, ::2, ::2]
    near = np.hypot(a, b) < 3
    h = np.broadcast_to(height, a.shape)[near]
    a, b, evidence = a[near], b[near], ratio[:, ::2, ::2][near]
    size = max(int(np.count_nonzero(HalfShape(1.0).radius(a, b, h) <= 1)), 1)

    def score(half: HalfShape) -> float:
        gathered = float(evidence[half.radius(a, b, h) <= 1].sum()) / size
        stretch = float(np.log(half.reach / p.usual_reach)) ** 2
        slant = half.slant_along**2 + half.slant_beside**2
        return gathered - p.stretch_weight * stretch - p.slant_weight * slant

    best = usual
    for _ in range(_ROUNDS):
        best = max((HalfShape(float(r), best.slant_along, best.slant_beside) for r in _REACHES), key=score)
        best = max((HalfShape(best.reach, float(s), best.slant_beside) for s in _SLANTS), key=score)
        best = max((HalfShape(best.reach, best.slant_along, float(s)) for s in _SLANTS), key=score)
    return best
