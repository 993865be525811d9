import numpy as np
import pytest

from models.lesion_frame import VoxelBox
from models.working_grid import working_grid

SPACING = (1.0, 0.5, 0.5)


def test_blocks_are_means_and_a_last_block_repeats_its_border():
    hu = np.arange(3 * 5 * 4, dtype=np.int16).reshape(3, 5, 4)
    grid = working_grid(VoxelBox((0, 0, 0), hu.shape), SPACING, 1.0)
    assert grid.factors == (1, 2, 2)
    assert grid.spacing_mm == (1.0, 1.0, 1.0)
    blocks = grid.shrink(hu)
    assert blocks.shape == (3, 3, 2)
    assert blocks[1, 0, 1] == hu[1, 0:2, 2:4].mean()
    assert blocks[2, 2, 0] == hu[2, 4, 0:2].mean()


def test_slices_are_averaged_too_and_the_box_is_cut_out():
    hu = np.random.default_rng(1).integers(-1000, 1000, (9, 12, 12)).astype(np.int16)
    grid = working_grid(VoxelBox((1, 2, 4), (5, 8, 8)), SPACING, 2.0)
    assert grid.factors == (2, 4, 4)
    blocks = grid.shrink(hu)
    assert blocks[0, 1, 0] == pytest.approx(hu[1:3, 6:10, 4:8].mean())
    assert blocks[2, 0, 0] == pytest.approx(hu[5, 2:6, 4:8].mean())


@pytest.mark.parametrize("step_mm", [0.5, 1.0, 2.0, 3.0])
def test_a_plane_comes_back_where_it_was(step_mm):
    """A linear function on the blocks' middles is the same function on the voxels, away from the border."""
    grid = working_grid(VoxelBox((3, 5, 7), (12, 24, 24)), SPACING, step_mm)
    slices, rows, columns = grid.indices()
    values = (slices - 8.3)[:, None, None] + 0.5 * (rows - 16.2)[None, :, None] - 0.7 * (columns - 18.9)[None, None, :]
    k, r, c = grid.box.indices()
    expected = (k - 8.3)[:, None, None] + 0.5 * (r - 16.2)[None, :, None] - 0.7 * (c - 18.9)[None, None, :] < 0
    inner = (slice(2, -2), slice(4, -4), slice(4, -4))
    assert np.array_equal(grid.negative(values)[inner], expected[inner])


def test_voxels_larger_than_the_step_are_kept():
    assert working_grid(VoxelBox((0, 0, 0), (2, 2, 2)), (5.0, 2.0, 2.0), 1.0).factors == (1, 1, 1)
