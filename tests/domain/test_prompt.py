"""Axes become the box of their ellipse on the slice that they lie on."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.domain.test_geometry import rotations
from tumorresp.domain.errors import InvalidMeasurement
from tumorresp.domain.geometry import VolumeGeometry, vector3
from tumorresp.domain.measurement import Axis, LesionState, Measurement, SourceDocument
from tumorresp.domain.prompt import box_prompt
from tumorresp.domain.segmentation import BoxPrompt

GEOMETRY = VolumeGeometry((20, 200, 300), (0, 0, 0), (0, 0, 5), (0, 0.5, 0), (0.8, 0, 0))


def line(start, end) -> Axis:
    return Axis(vector3(start), vector3(end))


def measurement(long_axis: Axis | None, short_axis: Axis | None = None) -> Measurement:
    source = SourceDocument("csv", "1.2")
    return Measurement("1.2.3", source, "2", "3", "4", None, long_axis, short_axis, LesionState.MEASURED)


def prompt_of(long_axis, short_axis=None, geometry=GEOMETRY, margin_mm=0.0, ratio=0.75) -> BoxPrompt:
    return box_prompt(measurement(long_axis, short_axis), geometry, margin_mm=margin_mm, short_to_long_ratio=ratio)


def test_upright_axes():
    # 40 mm along the columns around x = 80, 20 mm along the rows around y = 50, on slice 6.
    prompt = prompt_of(line((60, 50, 30), (100, 50, 30)), line((80, 40, 30), (80, 60, 30)))
    assert prompt.slice_index == 6
    assert prompt.box_xyxy == pytest.approx((75, 80, 125, 120))
    assert (prompt.long_axis_mm, prompt.short_axis_mm) == (40, 20)
    assert np.array(prompt.long_axis_index) == pytest.approx(np.array([(6, 100, 75), (6, 100, 125)]))
    assert np.array(prompt.short_axis_index) == pytest.approx(np.array([(6, 80, 100), (6, 120, 100)]))
    assert prompt.findings == ()


def test_the_margin_is_in_millimetres_whatever_the_pixels():
    axes = line((60, 50, 30), (100, 50, 30)), line((80, 40, 30), (80, 60, 30))
    prompt = prompt_of(*axes, margin_mm=4)
    assert prompt.box_xyxy == pytest.approx((75 - 5, 80 - 8, 125 + 5, 120 + 8))


def test_slanted_axes_get_the_box_of_their_ellipse_not_of_their_ends():
    # Half axes 20 and 10 mm, turned by 45 degrees: the ellipse reaches sqrt((20^2 + 10^2) / 2) mm each way.
    d = 1 / math.sqrt(2)
    long_axis = line((80 - 20 * d, 50 - 20 * d, 30), (80 + 20 * d, 50 + 20 * d, 30))
    short_axis = line((80 + 10 * d, 50 - 10 * d, 30), (80 - 10 * d, 50 + 10 * d, 30))
    reach = math.sqrt((20**2 + 10**2) / 2)
    prompt = prompt_of(long_axis, short_axis)
    assert prompt.box_xyxy == pytest.approx(
        ((80 - reach) / 0.8, (50 - reach) / 0.5, (80 + reach) / 0.8, (50 + reach) / 0.5)
    )


def test_a_short_axis_off_the_middle_is_inside():
    prompt = prompt_of(line((60, 50, 30), (100, 50, 30)), line((70, 50, 30), (70, 65, 30)))
    assert prompt.row_max == pytest.approx(65 / 0.5)
    assert prompt.row_min == pytest.approx((50 - 7.5) / 0.5)


def test_a_long_axis_alone_gets_the_stated_ratio():
    prompt = prompt_of(line((60, 50, 30), (100, 50, 30)), ratio=0.6)
    assert prompt.short_axis_mm == pytest.approx(24)
    assert prompt.short_axis_index is None
    assert (prompt.row_min, prompt.row_max) == pytest.approx(((50 - 12) / 0.5, (50 + 12) / 0.5))


def test_the_box_is_clipped_to_the_slice():
    prompt = prompt_of(line((0, 50, 30), (20, 50, 30)), line((10, 45, 30), (10, 55, 30)), margin_mm=10)
    assert prompt.column_min == -0.5
    assert prompt.column_max == pytest.approx(30 / 0.8)


def test_axes_between_slices_go_to_the_nearest_one():
    prompt = prompt_of(line((60, 50, 31.5), (100, 50, 31.5)))
    assert prompt.slice_index == 6
    assert [finding.code for finding in prompt.findings] == ["axes-between-slices"]
    assert "1.5 mm" in prompt.findings[0].message


def test_axes_of_a_reformat_go_to_the_slice_of_their_middle():
    # Sagittal: the long axis runs along the patient, from slice 4 to slice 8.
    prompt = prompt_of(line((80, 50, 20), (80, 50, 40)), line((80, 44, 30), (80, 56, 30)))
    assert prompt.slice_index == 6
    assert [finding.code for finding in prompt.findings] == ["axes-off-slice"]
    assert "20.0 mm" in prompt.findings[0].message
    assert "90 degrees" in prompt.findings[0].message
    assert prompt.row_max - prompt.row_min >= 12 / 0.5 - 1e-6
    assert prompt.column_max > prompt.column_min


@pytest.mark.parametrize(
    "axis",
    [
        None,
        line((60, 50, 30), (60, 50, 30)),
        line((60, 50, 30), (60.05, 50, 30)),
        line((60, 50, -20), (100, 50, -20)),
        line((60, 50, 100), (100, 50, 100)),
        line((60, 50, 30), (245, 50, 30)),
        line((60, 50, 30), (60, -3, 30)),
    ],
    ids=["absent", "point", "too short", "below", "above", "beside", "before"],
)
def test_axes_that_cannot_be_placed_are_refused(axis):
    with pytest.raises(InvalidMeasurement, match=r"1\.2\.3"):
        prompt_of(axis)


def test_a_short_axis_outside_the_volume_is_refused():
    with pytest.raises(InvalidMeasurement, match="outside"):
        prompt_of(line((60, 50, 30), (100, 50, 30)), line((80, 50, 30), (80, 120, 30)))


def test_an_end_a_fraction_of_a_pixel_off_the_image_is_rounding():
    prompt = prompt_of(line((-0.9, 50, 30), (30, 50, 30)))
    assert prompt.column_min == -0.5
    assert prompt.long_axis_index[0][2] == -0.5


@st.composite
def drawn_axes(draw) -> tuple[np.ndarray, np.ndarray]:
    """Two perpendicular lines in the plane of slice 10, as (2, 3) index coordinates in mm from the centre."""
    long_mm = draw(st.floats(5, 60))
    short_mm = draw(st.floats(0.2, 1)) * long_mm
    angle = draw(st.floats(0, math.pi))
    along = np.array([math.cos(angle), math.sin(angle)]) / 2
    across = np.array([-along[1], along[0]])
    return long_mm * np.array([-along, along]), short_mm * np.array([-across, across])


@given(drawn_axes(), rotations(), st.floats(0.4, 1.2), st.floats(0.4, 1.2), st.floats(0.6, 6))
def test_an_oblique_scan_gives_the_box_of_the_upright_one(axes, rotation, row_mm, column_mm, slice_mm):
    """Turning patient and scanner together changes nothing, and the box holds the whole ellipse and no more."""
    upright = VolumeGeometry((21, 301, 301), (0, 0, 0), (0, 0, slice_mm), (0, row_mm, 0), (column_mm, 0, 0))
    turned = VolumeGeometry(
        upright.shape,
        (7, -8, 9),
        vector3(rotation @ upright.slice_step_lps_mm),
        vector3(rotation @ upright.row_step_lps_mm),
        vector3(rotation @ upright.column_step_lps_mm),
    )
    boxes = []
    for geometry in (upright, turned):
        lines = []
        for ends in axes:
            index = np.column_stack([np.full(2, 10.0), ends[:, 1] / row_mm + 150, ends[:, 0] / column_mm + 150])
            lines.append(line(*geometry.index_to_lps(index)))
        prompt = prompt_of(*lines, geometry=geometry)
        assert prompt.slice_index == 10
        assert prompt.findings == ()
        boxes.append(prompt.box_xyxy)
    assert boxes[0] == pytest.approx(boxes[1], abs=1e-5)
    (long_ends, short_ends) = axes
    t = np.linspace(0, 2 * math.pi, 721)[:, None]
    ellipse = long_ends[1] * np.cos(t) + short_ends[1] * np.sin(t)
    low, high = ellipse.min(axis=0) / (column_mm, row_mm) + 150, ellipse.max(axis=0) / (column_mm, row_mm) + 150
    assert boxes[0] == pytest.approx((*low, *high), abs=0.02)
