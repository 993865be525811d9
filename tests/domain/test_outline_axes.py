"""Diameters of closed outlines: laws, and outlines that are cut open to leave out a hole."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from tumorresp.domain.outline_axes import (
    farthest_pair,
    greatest_chord_across,
    outline_diameters,
    planar_diameters,
    without_keyholes,
)


def ring(radius: float, count: int = 180, centre: tuple[float, float] = (0, 0), start: float = 0.0):
    t = start + np.linspace(0, 2 * np.pi, count, endpoint=False)
    return radius * np.column_stack([np.cos(t), np.sin(t)]) + centre


def keyhole(outer: NDArray[np.float64], hole: NDArray[np.float64], begin: int = 0) -> NDArray[np.float64]:
    """Return an outline that goes round the outside, along a cut to the hole, round it, and back on the same way."""
    outer = np.roll(outer, -begin, axis=0)
    nearest = int(np.argmin(np.linalg.norm(hole - outer[0], axis=1)))
    inside = np.roll(hole, -nearest, axis=0)[::-1]
    inside = np.roll(inside, 1, axis=0)
    return np.vstack([outer, outer[:1], inside, inside[:1]])


def in_space(outline: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.column_stack([outline, np.zeros(len(outline))])


def lengths(outline: NDArray[np.float64]) -> tuple[float, float]:
    found = planar_diameters(in_space(outline))
    assert found is not None
    return math.dist(*found.long), math.dist(*found.short)


@pytest.mark.parametrize("hole_radius", [1.0, 5.0, 10.0, 14.0])
@pytest.mark.parametrize("begin", [0, 17, 90])
@pytest.mark.parametrize("turn", [0, 1, 40, 250])
def test_a_ring_cut_open_measures_as_the_ring(hole_radius: float, begin: int, turn: int):
    """Wherever the cut is, and wherever the writer begins."""
    outline = np.roll(keyhole(ring(15), ring(hole_radius), begin), turn, axis=0)
    assert lengths(outline) == pytest.approx((30, 30), abs=0.01)


@pytest.mark.parametrize("turn", [0, 30, 200])
def test_the_way_to_a_hole_cuts_no_chord(turn: int):
    """The cut runs along the long axis, across the short one."""
    oval = ring(16, 180) * (1, 0.5)
    outline = np.roll(keyhole(oval, ring(2, 60, (5, 0)), begin=90), turn, axis=0)
    assert lengths(outline) == pytest.approx((32, 16), abs=0.02)


def test_a_cut_in_an_outline_of_few_points():
    square = np.array([[-10, -10], [10, -10], [10, 10], [-10, 10]], float)
    assert without_keyholes(keyhole(square, square * 0.4)) == pytest.approx(square[[0, 1, 2, 3, 0]])
    assert lengths(keyhole(square, square * 0.4)) == pytest.approx((20 * math.sqrt(2),) * 2)


def test_every_cut_is_taken_away():
    oval = ring(16, 180) * (1, 0.5)
    outline = keyhole(keyhole(oval, ring(2, 60, (0, 4)), begin=45), ring(1.5, 60, (0, -4)), begin=90)
    assert lengths(outline) == pytest.approx((32, 16), abs=0.02)


@pytest.mark.parametrize("mirrored", [False, True])
def test_two_holes_apart_and_one_behind_the_other(mirrored: bool):
    first, second = ring(3, 60, (-6, 0)), ring(4, 60, (6, 0))
    apart = keyhole(keyhole(ring(15), first, 90), second, 0)
    through = keyhole(ring(15), keyhole(first, second[::-1], 0), 90)
    for outline in (apart, through):
        assert lengths(outline * (1, -1) if mirrored else outline) == pytest.approx((30, 30), abs=0.01)


@pytest.mark.parametrize("width", [0.05, 0.5, 0.9])
def test_a_slit_as_wide_as_a_pixel_is_a_cut(width: float):
    half = math.asin(width / 2 / 15), math.asin(width / 2 / 8)
    t_out = np.linspace(half[0], 2 * np.pi - half[0], 200)
    t_in = np.linspace(2 * np.pi - half[1], half[1], 100)
    outline = np.vstack([15 * np.column_stack([np.cos(t), np.sin(t)]) * r for t, r in ((t_out, 1), (t_in, 8 / 15))])
    assert lengths(outline) == pytest.approx((30, 30), abs=0.05)


@pytest.mark.parametrize("mouth", [1.5, 2.5, 6.0, 12.0])
def test_a_horseshoe_stays_one(mouth: float):
    """Its ends are more than a pixel apart: across, it is measured within its arms."""
    gap_out, gap_in = (math.asin(mouth / 2 / radius) for radius in (15, 10))
    t_out = np.linspace(gap_out, 2 * np.pi - gap_out, 200)
    t_in = np.linspace(2 * np.pi - gap_in, gap_in, 200)
    outline = np.vstack([radius * np.column_stack([np.cos(t), np.sin(t)]) for t, radius in ((t_out, 15), (t_in, 10))])
    assert without_keyholes(outline) == pytest.approx(np.roll(outline, -_start(outline), axis=0))
    assert lengths(outline)[1] < 27


def test_bays_waists_and_lobes_stay_what_they_are():
    t = np.linspace(0, 2 * np.pi, 400, endpoint=False)
    lobes = (10 + 4 * np.cos(7 * t))[:, None] * np.column_stack([np.cos(t), np.sin(t)])
    waist = np.column_stack(
        [10 * np.cos(t), (0.2 + 5 * np.cos(t) ** 2) * np.sign(np.sin(t)) * np.abs(np.sin(t)) ** 0.5]
    )
    cleft = np.array([[0, 0], [20, 0], [20, 20], [10.4, 20], [10.3, 5], [10.1, 5], [10, 20], [0, 20]], float)
    crossed = np.array([[0, 0], [10, 10], [10, 0], [0, 10]], float)  # a bow tie, whose lobes run opposite ways
    pinched = np.array([[0, 0], [5, 5], [10, 0], [10, 10], [5, 5], [0, 10]], float)
    beside = np.array([[0, 0], [5, 5], [8, 8], [8, 2], [5, 5], [0, 10]], float)  # a lobe that runs the other way round
    for outline in (lobes, waist, cleft, crossed, pinched, beside):
        assert without_keyholes(outline) == pytest.approx(np.roll(outline, -_start(outline), axis=0))


def _start(outline: NDArray[np.float64]) -> int:
    return int(np.lexsort(outline.T)[0])


@pytest.mark.parametrize("angle", [0.0, 0.7, 2.0, 3.9])
def test_of_equally_long_axes_the_one_with_the_longer_line_across_counts(angle: float):
    outline = np.array([[0, 0], [20, -2], [20, 2], [10, 6]], float)
    across = [greatest_chord_across(outline, outline[[0, end]]) for end in (1, 2)]
    widths = sorted(math.dist(*chord) for chord in across)
    assert widths[1] > widths[0] + 0.1
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    found = outline_diameters(outline @ turn.T)
    assert math.dist(*found.short) == pytest.approx(widths[1], abs=1e-6)


def test_points_that_lie_in_no_plane():
    corners = np.array([[x, y, z] for x in (-5, 5) for y in (-5, 5) for z in (-5, 5)], float)
    assert planar_diameters(corners) is None
    assert planar_diameters(corners * (1, 1, 0.1)) is not None  # rounding of a contour's heights


COORDINATES = st.floats(-50, 50)
OUTLINES = st.lists(st.tuples(COORDINATES, COORDINATES), min_size=3, max_size=30).map(np.array)
ANGLES = st.floats(0, 2 * math.pi)


def _star(radii: list[float]) -> NDArray[np.float64]:
    """Return a simple outline: one corner in each direction."""
    t = np.linspace(0, 2 * np.pi, len(radii), endpoint=False)
    return np.array(radii)[:, None] * np.column_stack([np.cos(t), np.sin(t)])


STARS = st.lists(st.floats(3, 30), min_size=5, max_size=40).map(_star)


@given(STARS, ANGLES)
def test_rotation_leaves_lengths_the_same(outline: NDArray[np.float64], angle: float):
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    one, other = outline_diameters(outline), outline_diameters(outline @ turn.T)
    assert math.dist(*one.long) == pytest.approx(math.dist(*other.long), abs=1e-6)
    assert math.dist(*one.short) == pytest.approx(math.dist(*other.short), abs=1e-4)


@given(STARS, st.integers(0, 39), st.booleans())
def test_where_an_outline_begins_and_which_way_it_runs_changes_nothing(outline, begin: int, backward: bool):
    other = np.roll(outline[::-1] if backward else outline, begin, axis=0)
    assert lengths(other) == pytest.approx(lengths(outline), abs=1e-4)


@given(OUTLINES)
def test_the_farthest_pair_is_the_farthest(points: NDArray[np.float64]):
    pair = farthest_pair(points)
    distances = np.linalg.norm(points[:, None] - points[None], axis=-1)
    assert math.dist(*pair) == pytest.approx(distances.max(), abs=2e-6)


@given(STARS)
def test_the_short_axis_is_the_shorter_one_and_across(outline: NDArray[np.float64]):
    found = outline_diameters(outline)
    assert math.dist(*found.short) <= math.dist(*found.long) + 1e-5
    assert np.dot(found.long[1] - found.long[0], found.short[1] - found.short[0]) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("points", [[[0, 0]], [[0, 0], [1, 1]], [[0, 0], [1, 1], [2, 2]], [[3, 3]] * 5])
def test_points_without_extent(points: list[list[float]]):
    assert planar_diameters(in_space(np.array(points, float))) is None
