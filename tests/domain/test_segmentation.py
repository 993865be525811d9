"""Lesion masks: cropped to the lesion, and back."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tumorresp.domain.geometry import VolumeGeometry
from tumorresp.domain.segmentation import LesionMask, SegmenterIdentity

SHAPE = (4, 5, 6)
GEOMETRY = VolumeGeometry(SHAPE, (0, 0, 0), (0, 0, 3), (0, 1, 0), (1, 0, 0))
SEGMENTER = SegmenterIdentity("test", "1")


def mask_of(voxels: np.ndarray) -> LesionMask:
    return LesionMask.from_volume(voxels, GEOMETRY, measurement_uid="1.2", segmenter=SEGMENTER, key_slice=2)


@given(st.lists(st.tuples(*[st.integers(0, size - 1) for size in SHAPE]), max_size=12))
def test_a_mask_is_what_it_was_made_from(points):
    voxels = np.zeros(SHAPE, bool)
    for point in points:
        voxels[point] = True
    mask = mask_of(voxels)
    assert np.array_equal(mask.in_volume(), voxels)
    assert mask.voxel_count == len(set(points))
    assert mask.is_empty == (not points)


def test_the_box_is_the_smallest_one():
    voxels = np.zeros(SHAPE, bool)
    voxels[1, 2, 3] = voxels[2, 4, 3] = True
    mask = mask_of(voxels)
    assert mask.start == (1, 2, 3)
    assert mask.voxels.shape == (2, 3, 1)


def test_an_empty_mask_keeps_its_key_slice():
    mask = mask_of(np.zeros(SHAPE, bool))
    assert mask.is_empty
    assert mask.voxels.size == 0
    assert mask.key_slice == 2


def test_the_mask_does_not_share_memory_with_the_volume():
    voxels = np.ones(SHAPE, bool)
    mask = mask_of(voxels)
    voxels[:] = False
    assert mask.voxel_count == voxels.size
