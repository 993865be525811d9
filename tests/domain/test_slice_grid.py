"""Planes in any order become a regular grid; what is wrong with a series is found and said."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.domain.test_geometry import rotations
from tumorresp.domain.errors import InvalidGeometry
from tumorresp.domain.geometry import ImagePlane, vector3
from tumorresp.domain.slice_grid import same_position_groups, slice_grid


def plane(z: float, name: str = "", **changes) -> ImagePlane:
    made = ImagePlane(
        name or f"1.{z:g}", None, "2", "3", "4", "", (-50, -40, z), (0.8, 0, 0), (0, 0.7, 0), 90, 100, 5.0
    )
    return replace(made, **changes)


def planes_at(*positions: float) -> list[ImagePlane]:
    return [plane(z) for z in positions]


def codes(grid) -> list[str]:
    return [finding.code for finding in grid.findings]


def test_a_regular_series():
    grid = slice_grid(planes_at(15, 0, 10, 5))
    assert grid.plane_of_slice == (1, 3, 2, 0)
    assert grid.geometry.shape == (4, 90, 100)
    assert grid.geometry.origin_lps_mm == (-50, -40, 0)
    assert grid.geometry.slice_step_lps_mm == pytest.approx((0, 0, 5))
    assert grid.geometry.row_step_lps_mm == (0, 0.7, 0)
    assert grid.geometry.frame_of_reference_uid == "4"
    assert grid.findings == ()


@given(st.permutations(range(9)), rotations(), st.floats(0.5, 7), st.sets(st.integers(1, 7), max_size=1))
def test_the_order_of_the_images_changes_nothing(order, rotation, step, missing):
    planes = [
        ImagePlane(
            f"1.{number}",
            None,
            "2",
            "3",
            "4",
            "",
            vector3(rotation @ (3, 4, step * number)),
            vector3(0.8 * rotation[:, 0]),
            vector3(0.7 * rotation[:, 1]),
            9,
            10,
        )
        for number in range(9)
        if number not in missing
    ]
    shuffled = [planes[i] for i in order if i < len(planes)]
    first, second = slice_grid(planes), slice_grid(shuffled)
    assert first.geometry == second.geometry
    assert first.findings == second.findings
    assert [None if i is None else planes[i] for i in first.plane_of_slice] == [
        None if i is None else shuffled[i] for i in second.plane_of_slice
    ]
    assert first.geometry.shape[0] == 9
    assert first.geometry.slice_distance_mm == pytest.approx(step, rel=1e-6)


def test_positions_rounded_to_a_tenth_are_regular():
    positions = [round(0.625 * number, 1) for number in range(40)]
    grid = slice_grid(planes_at(*positions))
    assert grid.geometry.shape[0] == 40
    assert grid.geometry.slice_distance_mm == pytest.approx(0.625, abs=0.001)
    assert grid.findings == ()


def test_slices_from_feet_to_head_and_back_are_the_same():
    up = slice_grid(planes_at(0, 5, 10))
    down = slice_grid(planes_at(10, 5, 0))
    assert up.geometry == down.geometry


@pytest.mark.parametrize(
    ("missing", "places"),
    [((4,), "20.0"), ((4, 5), "20.0, 25.0"), ((3, 9), "15.0, 45.0")],
)
def test_missing_slices_stay_in_the_grid_and_are_named(missing, places):
    positions = [5.0 * number for number in range(25) if number not in missing]
    grid = slice_grid(planes_at(*positions))
    assert grid.geometry.shape[0] == 25
    assert [slot for slot, index in enumerate(grid.plane_of_slice) if index is None] == list(missing)
    assert codes(grid) == ["missing-slices"]
    assert f"{len(missing)} of 25" in grid.findings[0].message
    assert f"at {places} mm" in grid.findings[0].message


def test_a_long_gap_divides_the_series():
    below, above = [5.0 * n for n in range(6)], [5.0 * n for n in range(12, 22)]
    grid = slice_grid(planes_at(*below, *above))
    assert grid.geometry.shape[0] == 10
    assert grid.geometry.origin_lps_mm[2] == 60
    assert codes(grid) == ["uneven-spacing"]
    assert "6 of 16 images were left out, between 0.0 and 25.0 mm" in grid.findings[0].message
    assert slice_grid(planes_at(*below, *above), must_hold=["1.10"]).geometry.origin_lps_mm[2] == 0


def test_where_the_spacing_changes_the_part_with_more_slices_is_kept():
    thick, thin = [5.0 * n for n in range(8)], [35 + 2.5 * n for n in range(1, 20)]
    grid = slice_grid(planes_at(*thick, *thin))
    assert grid.geometry.slice_distance_mm == pytest.approx(2.5)
    assert grid.geometry.shape[0] == 20  # the slice at 35 mm belongs to both parts
    assert codes(grid) == ["uneven-spacing"]
    held = slice_grid(planes_at(*thick, *thin), must_hold=["1.0"])
    assert held.geometry.slice_distance_mm == pytest.approx(5)
    assert held.geometry.shape[0] == 8


def test_many_missing_slices_are_not_made_up():
    every_other = [3.0 * n for n in range(10)] + [27 + 6.0 * n for n in range(1, 8)]
    grid = slice_grid(planes_at(*every_other))
    assert grid.plane_of_slice.count(None) <= 1
    assert "uneven-spacing" in codes(grid)


@pytest.mark.parametrize("degrees", [-20, 12.5])
def test_gantry_tilt_gives_a_sheared_grid(degrees):
    angle = math.radians(degrees)
    row_step = (0, 0.7 * math.cos(angle), 0.7 * math.sin(angle))
    tilted = [plane(4.0 * n, row_step_lps_mm=row_step) for n in range(6)]
    grid = slice_grid(tilted)
    assert codes(grid) == ["gantry-tilt"]
    assert f"{abs(degrees):.1f} degrees" in grid.findings[0].message
    assert np.abs(grid.geometry.slice_step_lps_mm) == pytest.approx((0, 0, 4))
    assert grid.geometry.slice_distance_mm == pytest.approx(4 * math.cos(angle))
    for slot, index in enumerate(grid.plane_of_slice):
        assert index is not None
        assert grid.geometry.index_to_lps((slot, 0, 0)) == pytest.approx(tilted[index].origin_lps_mm)


def test_one_image_is_a_volume_of_its_thickness():
    grid = slice_grid([plane(7)])
    assert grid.geometry.slice_step_lps_mm == (0, 0, 5)
    assert codes(grid) == ["single-slice"]
    assert "5 mm" in grid.findings[0].message
    unknown = slice_grid([plane(7, slice_thickness_mm=None)])
    assert unknown.geometry.slice_distance_mm == 1
    assert "assumed" in unknown.findings[0].message


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (plane(5, row_step_lps_mm=(0, 0, -0.7)), "orientations"),
        (plane(5, column_step_lps_mm=(-0.8, 0, 0)), "orientations"),
        (plane(5, rows=91), "sizes"),
        (plane(5, row_step_lps_mm=(0, 0.71, 0)), "pixel spacings"),
        (plane(5, frame_of_reference_uid="5"), "frames of reference"),
        (plane(0, "1.99"), "one position"),
        (plane(10, origin_lps_mm=(-20, -40, 10)), "one line"),
    ],
)
def test_images_that_form_no_volume_are_refused_and_named(other, words):
    series = [*planes_at(0, 15, 20, 25, 30), other]
    with pytest.raises(InvalidGeometry, match=words) as caught:
        slice_grid(series)
    assert other.sop_instance_uid in caught.value.where
    assert caught.value.remedy


def test_no_image_is_no_volume():
    with pytest.raises(InvalidGeometry):
        slice_grid([])


def test_images_at_one_position_are_grouped():
    planes = [plane(5, "b"), plane(0, "c"), plane(5.005, "a"), plane(10, "d")]
    assert same_position_groups(planes) == ((1,), (0, 2), (3,))
