"""What a scanner adds to the anatomy: blur, texture and correlated noise."""

import numpy as np
from scipy.ndimage import gaussian_filter, gaussian_filter1d

from tumorresp.phantom.canvas import Canvas, Floats


def blur(hu: Floats, pixel_mm: float) -> None:
    """Blur (slice, row, column) HU in the slices, in place: a soft-tissue kernel of standard deviation 0.55 mm."""
    sigma = max(0.55 / pixel_mm, 0.25)
    for axis in (1, 2):
        gaussian_filter1d(hu, sigma, axis=axis, output=hu, mode="nearest", truncate=3)


def add_texture(canvas: Canvas, seed: int) -> None:
    """Add smooth unevenness of 5 HU to everything denser than lung; it belongs to the patient and moves with it."""
    random = np.random.default_rng([seed, 4])
    lattice = gaussian_filter(random.normal(size=(48, 48, 48)), 1.2, mode="wrap").astype(np.float32)
    lattice *= 5 / lattice.std()
    # A lattice of 8 mm nodes is sampled trilinearly on each fourth pixel and stretched: fine detail is noise's part.
    n, h, w = canvas.geometry.shape
    step = max(1, round(3.0 / canvas.geometry.spacing_mm[2]))
    coarse = [values[:, ::step, ::step] for values in canvas.coordinates(canvas.whole)]
    nodes = [values / np.float32(8) for values in coarse]
    sampled = _trilinear(lattice, nodes)
    rows, columns = (_stretch(size, step, sampled.shape[i + 1]) for i, size in enumerate((h, w)))
    for k in range(n):
        soft = np.clip((canvas.hu[k] + 300) / 200, 0, 1)
        canvas.hu[k] += soft * (rows @ sampled[k] @ columns.T)


def add_noise(hu: Floats, random: np.random.Generator, sd_hu: float) -> None:
    """Add correlated noise, in place: band-passed in the slices as filtered back-projection makes it.

    It is stronger in the middle of the body, where fewer photons arrive.
    """
    noise = random.standard_normal(hu.shape, dtype=np.float32)
    for axis in (1, 2):
        gaussian_filter1d(noise, 0.75, axis=axis, output=noise, mode="wrap", truncate=3)
    noise[1:] += np.float32(0.35) * noise[:-1]
    noise[:, 1:, 1:] -= np.float32(0.3) * noise[:, :-1, :-1]
    _, h, w = hu.shape
    across = np.hypot(np.linspace(-1, 1, h)[:, None], np.linspace(-1, 1, w)).astype(np.float32)
    profile = np.float32(sd_hu / noise[:: max(1, len(noise) // 8)].std()) * (1.15 - np.float32(0.5) * across)
    noise *= profile
    hu += noise


def _trilinear(lattice: Floats, nodes: list[Floats]) -> Floats:
    """Interpolate a periodic lattice at (x, y, z) node positions."""
    size = lattice.shape[0]
    floors = [np.floor(values).astype(np.int32) for values in nodes]
    shares = [values - floor for values, floor in zip(nodes, floors, strict=True)]
    total = np.zeros(nodes[0].shape, np.float32)
    for corner in np.ndindex(2, 2, 2):
        weight = np.ones(1, np.float32)
        for share, bit in zip(shares, corner, strict=True):
            weight = weight * (share if bit else 1 - share)
        index = tuple((floor + bit) % size for floor, bit in zip(floors, corner, strict=True))
        total += weight * lattice[index]
    return total


def _stretch(size: int, step: int, coarse: int) -> Floats:
    """Return the (size, coarse) matrix of linear interpolation from each ``step``-th sample."""
    position = np.minimum(np.arange(size) / step, coarse - 1)
    lower = np.minimum(position.astype(int), max(coarse - 2, 0))
    matrix = np.zeros((size, coarse), np.float32)
    matrix[np.arange(size), lower] = 1 - (position - lower)
    matrix[np.arange(size), np.minimum(lower + 1, coarse - 1)] += position - lower
    return matrix
