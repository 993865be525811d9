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
        thick, high, wide = self.factors
        missing = [(0, -size % factor) for size, factor in zip(self.box.shape[1:], self.factors[1:], strict=True)]
        box = hu[self.box.region]
        blocks = []
        # Slab by slab: a large lesion on thin slices would need gigabytes at once.
        for first in range(0, box.shape[0], thick):
            slab = box[np.minimum(np.arange(first, first + thick), box.shape[0] - 1)].mean(axis=0, dtype=np.float64)
            slab = np.pad(slab, missing, mode="edge")
            blocks.append(slab.reshape(slab.shape[0] // high, high, slab.shape[1] // wide, wide).mean(axis=(1, 3)))
        return np.stack(blocks)

    def negative(self, values: Floats) -> NDArray[np.bool_]:
        """Return the box's voxels at which the blocks' values, interpolated linearly between middles, are negative."""
        slices, rows, columns = (
            _interpolation(size, factor, count)
            for size, factor, count in zip(self.box.shape, self.factors, values.shape, strict=True)
        )
        result = np.empty(self.box.shape, bool)
        for index, (lower, upper, share) in enumerate(zip(*slices, strict=True)):
            section = _mixed((1 - share) * values[lower] + share * values[upper], rows, 0)
            result[index] = _mixed(section, columns, 1) < 0
        return result


_Interpolation = tuple[NDArray[np.int64], NDArray[np.int64], Floats]


def _interpolation(size: int, factor: int, count: int) -> _Interpolation:
    """Return, for each of ``size`` voxels, the two neighbouring blocks and the share of the second one."""
    position = np.clip((np.arange(size) - (factor - 1) / 2) / factor, 0, count - 1)
    lower = np.floor(position).astype(np.int64)
    return lower, np.minimum(lower + 1, count - 1), position - lower


def _mixed(section: Floats, interpolation: _Interpolation, axis: int) -> Floats:
    lower, upper, share = interpolation
    share = share[:, None] if axis == 0 else share[None, :]
    mixed: Floats = (1 - share) * section.take(lower, axis) + share * section.take(upper, axis)
    return mixed


def working_grid(box: VoxelBox, spacing_mm: tuple[float, float, float], step_mm: float) -> WorkingGrid:
    """Return the grid of blocks whose spacing is nearest to a step, and never finer than the voxels."""
    slices, rows, columns = (max(1, round(step_mm / mm)) for mm in spacing_mm)
    thick, high, wide = spacing_mm
    return WorkingGrid(box, (slices, rows, columns), (thick * slices, high * rows, wide * columns))
