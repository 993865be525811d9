import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.ct_window import BRAIN, LUNG, SOFT_TISSUE, CtWindow, window_to_uint8
from models.lite_medsam_preprocessing import boxes_to_input, network_input, resized_shape

SIDES = st.integers(16, 2048)


@pytest.mark.parametrize(
    ("window", "hu", "grey"),
    [
        (SOFT_TISSUE, [-1000, -160, -158, 40, 239, 240, 3000], [0, 0, 1, 127, 254, 255, 255]),
        (LUNG, [-1350, -600, 150], [0, 127, 255]),
        (BRAIN, [0, 40, 80], [0, 127, 255]),
    ],
)
def test_worked_examples_of_windows(window: CtWindow, hu: list[float], grey: list[int]) -> None:
    assert window_to_uint8(np.array(hu, dtype=np.int16), window).tolist() == grey


def test_a_volume_with_air_and_bone_gets_upstreams_grey_values() -> None:
    volume = np.random.default_rng(4).integers(-1000, 2000, (3, 20, 20)).astype(np.int16)
    clipped = np.clip(volume, -160, 240).astype(float)
    upstream = (clipped - clipped.min()) / (clipped.max() - clipped.min()) * 255.0
    np.testing.assert_array_equal(window_to_uint8(volume, SOFT_TISSUE), np.uint8(upstream))


@given(st.lists(st.floats(-2000, 4000), min_size=2, max_size=20), st.floats(-700, 100), st.floats(1, 3000))
def test_a_brighter_pixel_never_gets_darker(hu: list[float], level: float, width: float) -> None:
    grey = window_to_uint8(np.sort(np.array(hu)), CtWindow(level, width))
    assert (np.diff(grey.astype(int)) >= 0).all()


@given(SIDES, SIDES)
def test_the_longer_side_becomes_256_and_the_aspect_stays(rows: int, columns: int) -> None:
    new_rows, new_columns = resized_shape((rows, columns))
    assert max(new_rows, new_columns) == 256
    assert abs(new_rows * columns - new_columns * rows) <= max(rows, columns) * 0.5 + 1e-6


@given(SIDES, SIDES, st.data())
def test_boxes_inside_the_slice_stay_inside_its_part_of_the_input(rows: int, columns: int, data: st.DataObject) -> None:
    box = [data.draw(st.floats(0, side - 1)) for side in (columns, rows, columns, rows)]
    scaled = boxes_to_input(np.array([box]), (rows, columns))[0]
    new_rows, new_columns = resized_shape((rows, columns))
    assert (scaled >= 0).all()
    assert (scaled <= [new_columns, new_rows, new_columns, new_rows]).all()


def test_each_slice_is_scaled_to_its_own_range_and_the_padding_is_black() -> None:
    grey = np.full((100, 200), 40, np.uint8)
    grey[:, 100:] = 140
    image = network_input(grey)
    assert image.shape == (256, 256, 3)
    assert (image[:128, :100].max(), image[:128, 200:].min()) == (0, 1)
    assert not image[128:].any()


def test_a_flat_slice_becomes_zeros() -> None:
    assert not network_input(np.full((30, 30), 77, np.uint8)).any()
