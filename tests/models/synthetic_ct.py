"""Small CT volumes with one ellipsoid of known place, size and contrast."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from tumorresp.domain.ct_volume import CtVolume
from tumorresp.domain.geometry import VolumeGeometry
from tumorresp.domain.segmentation import BoxPrompt


@dataclass(frozen=True, eq=False)
class SyntheticLesion:
    """A CT with one lesion, its true voxels and the prompt that a perfect reader would give."""

    volume: CtVolume
    truth: NDArray[np.bool_]
    prompt: BoxPrompt


def ct_volume(
    hu: NDArray, spacing_mm: tuple[float, float, float], drift_mm: tuple[float, float] = (0.0, 0.0)
) -> CtVolume:
    """Return an axial volume; ``drift_mm`` (row, column) shears it as a tilted gantry does."""
    slice_mm, row_mm, column_mm = spacing_mm
    geometry = VolumeGeometry(
        hu.shape, (-40.0, -60.0, 100.0), (drift_mm[1], drift_mm[0], slice_mm), (0.0, row_mm, 0.0), (column_mm, 0.0, 0.0)
    )
    return CtVolume(hu, geometry, (), "1.2.3", "1.2", "", None, slice_mm)


def prompt_at(
    centre: tuple[float, float, float], half_mm: tuple[float, float], spacing_mm: tuple[float, float, float]
) -> BoxPrompt:
    """Return the prompt of an ellipse at a voxel (slice, row, column): long axis along columns, short along rows."""
    k, r, c = centre
    long_half, short_half = half_mm[0] / spacing_mm[2], half_mm[1] / spacing_mm[1]
    return BoxPrompt(
        "lesion",
        round(k),
        r - short_half - 3,
        c - long_half - 3,
        r + short_half + 3,
        c + long_half + 3,
        ((k, r, c - long_half), (k, r, c + long_half)),
        ((k, r - short_half, c), (k, r + short_half, c)),
        2 * half_mm[0],
        2 * half_mm[1],
    )


def synthetic_lesion(
    slice_mm: float,
    *,
    pixel_mm: float = 1.0,
    half_mm: tuple[float, float, float] = (14.0, 14.0, 14.0),
    size_mm: float = 80.0,
    contrast_hu: float = 60.0,
    noise_hu: float = 15.0,
    drift_mm: tuple[float, float] = (0.0, 0.0),
    seed: int = 1,
) -> SyntheticLesion:
    """Make an ellipsoid (half axes along columns, rows, slices) in soft tissue, with blur and noise.

    The middle of the ellipsoid is the middle of a voxel, so the key slice holds its true axes.
    """
    spacing = (slice_mm, pixel_mm, pixel_mm)
    shape = tuple(int(size_mm / step) | 1 for step in spacing)
    centre = tuple(size // 2 for size in shape)
    k, r, c = np.meshgrid(*(np.arange(n) - m for n, m in zip(shape, centre, strict=True)), indexing="ij")
    down, right = r * pixel_mm + k * drift_mm[0], c * pixel_mm + k * drift_mm[1]
    truth = (right / half_mm[0]) ** 2 + (down / half_mm[1]) ** 2 + (k * slice_mm / half_mm[2]) ** 2 <= 1
    hu = 40 + contrast_hu * gaussian_filter(truth.astype(np.float64), [0.5 / step for step in spacing])
    hu += np.random.default_rng(seed).normal(0, noise_hu, shape)
    volume = ct_volume(np.round(hu).astype(np.int16), spacing, drift_mm)
    return SyntheticLesion(volume, truth, prompt_at(centre, half_mm[:2], spacing))


def dice(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> float:
    return 2 * np.count_nonzero(first & second) / (np.count_nonzero(first) + np.count_nonzero(second))
