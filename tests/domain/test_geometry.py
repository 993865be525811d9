"""Laws of grids and planes: index <-> LPS, volumes, crops."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tumorresp.domain.errors import InvalidGeometry
from tumorresp.domain.geometry import ImagePlane, VolumeGeometry, vector3

lengths = st.floats(0.3, 8.0)
coordinates = st.floats(-500, 500)


@st.composite
def rotations(draw) -> np.ndarray:
    """Any rotation, from a quaternion."""
    q = np.array(draw(st.tuples(*[st.floats(-1, 1)] * 4)))
    q = q / np.linalg.norm(q) if np.linalg.norm(q) > 1e-3 else np.array([1.0, 0, 0, 0])
    w, x, y, z = q
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    )


@st.composite
def geometries(draw) -> VolumeGeometry:
    """Rotated, mirrored or not, sheared up to 30 degrees."""
    rotation = draw(rotations())
    slice_mm, row_mm, column_mm = draw(st.tuples(lengths, lengths, lengths))
    shear = math.tan(math.radians(draw(st.floats(-30, 30)))) * slice_mm
    sign = draw(st.sampled_from([1, -1]))
    return VolumeGeometry(
        draw(st.tuples(*[st.integers(1, 40)] * 3)),
        vector3(draw(st.tuples(coordinates, coordinates, coordinates))),
        vector3(sign * slice_mm * rotation[:, 2] + shear * rotation[:, 1]),
        vector3(row_mm * rotation[:, 1]),
        vector3(column_mm * rotation[:, 0]),
    )


@given(geometries(), st.tuples(*[st.floats(-50, 50)] * 3))
def test_index_to_lps_and_back(geometry: VolumeGeometry, index: tuple[float, float, float]):
    point = geometry.index_to_lps(index)
    assert geometry.lps_to_index(point) == pytest.approx(index, abs=1e-6)


@given(geometries(), st.floats(0.5, 3))
def test_scaling_all_steps_scales_the_voxel_by_the_cube(geometry: VolumeGeometry, k: float):
    scaled = VolumeGeometry(
        geometry.shape,
        geometry.origin_lps_mm,
        vector3(np.multiply(geometry.slice_step_lps_mm, k)),
        vector3(np.multiply(geometry.row_step_lps_mm, k)),
        vector3(np.multiply(geometry.column_step_lps_mm, k)),
    )
    assert scaled.voxel_volume_mm3 == pytest.approx(k**3 * geometry.voxel_volume_mm3)


@given(geometries())
def test_a_voxel_is_its_area_times_the_slice_distance_sheared_or_not(geometry: VolumeGeometry):
    _, row_mm, column_mm = geometry.spacing_mm
    assert geometry.voxel_volume_mm3 == pytest.approx(row_mm * column_mm * geometry.slice_distance_mm)
    assert geometry.slice_distance_mm <= geometry.spacing_mm[0] + 1e-9


@given(geometries(), st.data())
def test_a_crop_names_the_same_points(geometry: VolumeGeometry, data):
    start = tuple(data.draw(st.integers(0, size - 1)) for size in geometry.shape)
    shape = tuple(data.draw(st.integers(1, size - begin)) for size, begin in zip(geometry.shape, start, strict=True))
    crop = geometry.crop(start, shape)
    assert crop.index_to_lps((0, 0, 0)) == pytest.approx(geometry.index_to_lps(start))
    assert crop.index_to_lps((1, 2, 3)) == pytest.approx(geometry.index_to_lps(np.add(start, (1, 2, 3))))


def test_contains_ends_half_a_voxel_beyond_the_outer_centres():
    geometry = VolumeGeometry((2, 3, 4), (0, 0, 0), (0, 0, 5), (0, 1, 0), (1, 0, 0))
    assert geometry.contains((3.49, 2.49, 7.49))
    assert geometry.contains((-0.49, -0.49, -2.49))
    assert not geometry.contains((3.51, 0, 0))
    assert not geometry.contains((0, 0, 7.51))


@pytest.mark.parametrize(
    ("shape", "slice_step"),
    [((0, 3, 4), (0, 0, 5)), ((2, 3, 4), (0, 0, 0)), ((2, 3, 4), (1, 1, 0)), ((2, 3, 4), (0, 0, math.nan))],
)
def test_a_grid_that_spans_no_space_is_refused(shape, slice_step):
    with pytest.raises(InvalidGeometry):
        VolumeGeometry(shape, (0, 0, 0), slice_step, (0, 1, 0), (1, 0, 0))


@given(
    rotations(), lengths, lengths, st.tuples(coordinates, coordinates, coordinates), st.tuples(*[st.floats(0, 99)] * 2)
)
def test_pixel_to_lps_and_back(rotation, row_mm, column_mm, origin, pixel):
    plane = ImagePlane(
        "1.2",
        None,
        "1.3",
        "1.4",
        "",
        "",
        vector3(origin),
        vector3(column_mm * rotation[:, 0]),
        vector3(row_mm * rotation[:, 1]),
        100,
        100,
    )
    column, row, distance = plane.lps_to_pixel(plane.pixel_to_lps(*pixel))
    assert (column, row, distance) == pytest.approx((*pixel, 0), abs=1e-6)
    assert plane.pixel_spacing_mm == pytest.approx((row_mm, column_mm))
    assert plane.contains_pixel(*pixel)
    assert not plane.contains_pixel(-0.51, 0)
