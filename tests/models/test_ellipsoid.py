import numpy as np
import pytest

from models.ellipsoid import Ellipsoid
from models.lesion_frame import box_around, lesion_frame
from tests.models.synthetic_ct import ct_volume, dice, prompt_at, synthetic_lesion
from tumorresp.domain.errors import SegmentationFailed
from tumorresp.domain.segmentation import BoxPrompt


def rotated_prompt(degrees: float, short_offset_mm: float = 0.0, with_short: bool = True) -> BoxPrompt:
    """Axes of 30 and 20 mm about voxel (10, 40, 40) of 1 mm pixels, turned in the slice."""
    turn = np.deg2rad(degrees)
    along, across = np.array([np.sin(turn), np.cos(turn)]), np.array([np.cos(turn), -np.sin(turn)])
    middle = np.array([40.0, 40.0])

    def ends(centre, direction, half):
        return tuple((10.0, *map(float, centre + side * half * direction)) for side in (-1, 1))

    short = ends(middle + short_offset_mm * across, across, 10) if with_short else None
    return BoxPrompt("lesion", 10, 20, 20, 60, 60, ends(middle, along, 15), short, 30.0, 20.0)


@pytest.mark.parametrize("slice_mm", [1.0, 2.5, 5.0])
def test_volume_is_the_ellipsoid_s(slice_mm):
    lesion = synthetic_lesion(slice_mm, half_mm=(20.0, 12.0, 20.0))
    mask = Ellipsoid().segment(lesion.volume, lesion.prompt)
    volume_mm3 = mask.voxel_count * lesion.volume.geometry.voxel_volume_mm3
    assert volume_mm3 == pytest.approx(4 / 3 * np.pi * 20 * 12 * 20, rel=0.03)
    assert dice(mask.in_volume(), lesion.truth) >= 0.999  # a centre on the surface may fall either side


@pytest.mark.parametrize("degrees", [0, 30, 90, 135])
def test_lies_along_the_axes(degrees):
    volume = ct_volume(np.zeros((21, 81, 81), np.int16), (2.0, 1.0, 1.0))
    key = Ellipsoid().segment(volume, rotated_prompt(degrees)).in_volume()[10]
    rows, columns = np.nonzero(key)
    covariance = np.cov(np.stack([rows, columns]))
    values, vectors = np.linalg.eigh(covariance)
    assert 4 * np.sqrt(values) == pytest.approx([20, 30], rel=0.03)
    turn = np.deg2rad(degrees)
    assert abs(vectors[:, 1] @ [np.sin(turn), np.cos(turn)]) == pytest.approx(1, abs=0.01)


def test_centre_lies_between_the_two_axes():
    volume = ct_volume(np.zeros((21, 81, 81), np.int16), (2.0, 1.0, 1.0))
    frame = lesion_frame(rotated_prompt(0, short_offset_mm=4.0), volume.geometry)
    assert frame.centre_mm == pytest.approx((42.0, 40.0))
    alone = lesion_frame(rotated_prompt(0, with_short=False), volume.geometry)
    assert alone.centre_mm == pytest.approx((40.0, 40.0))


def test_follows_a_tilted_gantry():
    lesion = synthetic_lesion(2.5, half_mm=(20.0, 12.0, 20.0), drift_mm=(1.0, -0.5))
    assert dice(Ellipsoid().segment(lesion.volume, lesion.prompt).in_volume(), lesion.truth) >= 0.999


def test_is_cut_off_at_the_scan_s_ends():
    lesion = synthetic_lesion(2.5, half_mm=(20.0, 12.0, 20.0))
    cut = ct_volume(lesion.volume.hu[: lesion.prompt.slice_index + 1], (2.5, 1.0, 1.0))
    mask = Ellipsoid().segment(cut, lesion.prompt).in_volume()
    assert np.array_equal(mask, lesion.truth[: lesion.prompt.slice_index + 1])


def test_outside_the_volume_there_is_no_lesion():
    volume = ct_volume(np.zeros((5, 20, 20), np.int16), (2.0, 1.0, 1.0))
    with pytest.raises(SegmentationFailed, match="no voxel"):
        Ellipsoid().segment(volume, prompt_at((2, -30.0, -30.0), (4.0, 3.0), (2.0, 1.0, 1.0)))


def test_box_holds_the_lesion_on_a_tilted_grid():
    lesion = synthetic_lesion(2.5, half_mm=(20.0, 12.0, 20.0), drift_mm=(1.5, 0.0))
    frame = lesion_frame(lesion.prompt, lesion.volume.geometry)
    box = box_around(frame, lesion.volume.geometry.shape, 20.0, 20.0)
    outside = lesion.truth.copy()
    outside[box.region] = False
    assert not outside.any()
