"""A box of a volume, averaged over blocks of voxels so that large lesions cost no more than small ones."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.lesion_frame import VoxelBox

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class WorkingGrid:
    """A box of voxels and the whole numbers of voxels (slice, row, column) that make up one block.

    Parameters
    ----------
    spacing_mm
        Of the blocks, (slice, row, column).
    """

    box: VoxelBox
    factors: tuple[int, int, int]
    spacing_mm: tuple[float, float, float]

    def indices(self) -> tuple[Floats, Floats, Floats]:
        """Return the blocks' middles as slice, row and column indices of the volume, one array each."""
        k, r, c = (
            axis[::factor] + (factor - 1) / 2 for axis, factor in zip(self.box.indices(), self.factors, strict=True)
        )
        return k, r, c

    def shrink(self, hu: NDArray[np.int16] | NDArray[np.float32]) -> Floats:
        """Average the box of a volume's CT numbers over the blocks; a last block cut short repeats its border."""
        crop = np.asarray(hu[self.box.region], dtype=np.float64)
        missing = [(0, -size % factor) for size, factor in zip(self.box.shape, self.factors, strict=True)]
        crop = np.pad(crop, missing, mode="edge")
        (n, a), (h, b), (w, c) = ((size // f, f) for size, f in zip(crop.shape, self.factors, strict=True))
        blocks: Floats = crop.reshape(n, a, h, b, w, c).mean(axis=(1, 3, 5))
        return blocks

    def grow(self, values: Floats) -> Floats:
        """Interpolate the blocks' values linearly at the box's voxels."""
        for axis, (size, factor) in enumerate(zip(self.box.shape, self.factors, strict=True)):
            last = values.shape[axis] - 1
            position = np.clip((np.arange(size) - (factor - 1) / 2) / factor, 0, last)
            lower = np.floor(position).astype(int)
            share = (position - lower).reshape([-1 if other == axis else 1 for other in range(3)])
            values = (1 - share) * values.take(lower, axis) + share * values.take(np.minimum(lower + 1, last), axis)
        return values


def working_grid(box: VoxelBox, spacing_mm: tuple[float, float, float], step_mm: float) -> WorkingGrid:
    """Return the grid of blocks whose spacing is nearest to a step, and never finer than the voxels."""
    slices, rows, columns = (max(1, round(step_mm / mm)) for mm in spacing_mm)
    thick, high, wide = spacing_mm
    return WorkingGrid(box, (slices, rows, columns), (thick * slices, high * rows, wide * columns))
