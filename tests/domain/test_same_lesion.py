"""Measurements that lie on each other are one lesion's, those side by side are two."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tumorresp.domain.geometry import Vector3
from tumorresp.domain.measurement import Axis, LesionState, Measurement, SourceDocument
from tumorresp.domain.same_lesion import Relation, relation, same_lines

Point = tuple[float, float, float]
SAME, UNSURE, APART = Relation.SAME, Relation.UNSURE, Relation.APART


def crossed(
    at: Point = (0, 0, 0), long: float = 30.0, short: float | None = 24.0, degrees: float = 0.0, **more: Any
) -> Measurement:
    """Return a measurement with axes that cross in the middle, turned in the slice (mm)."""

    def axis(length: float, angle: float) -> Axis:
        x, y = length / 2 * math.cos(angle), length / 2 * math.sin(angle)
        return Axis((at[0] - x, at[1] - y, at[2]), (at[0] + x, at[1] + y, at[2]))

    angle = math.radians(degrees)
    lines = axis(long, angle), None if short is None else axis(short, angle + math.pi / 2)
    given: dict[str, Any] = {"slice_normal_lps": (0.0, 0.0, 1.0), "slice_thickness_mm": 3.0, **more}
    return Measurement("m", SourceDocument("test", "d"), "1", "2", "3", None, *lines, LesionState.MEASURED, **given)


@pytest.mark.parametrize(
    ("what", "other", "expected"),
    [
        ("saved twice", crossed(), SAME),
        ("saved again, corrected by 1 mm", crossed(long=31, short=25), SAME),
        ("drawn on the neighbouring slice", crossed((0, 0, 3), long=29.4), SAME),
        ("drawn on the next but one slice of a large lesion", crossed((0, 0, 6), long=29.4), SAME),
        ("on the thick series", crossed((0.5, 0, 1.5), long=29.97, slice_thickness_mm=5.0), SAME),
        ("the long axis alone", crossed(short=None), SAME),
        ("long and short axis as two lines", crossed(long=24, short=None, degrees=90), SAME),
        ("another observer's outline", crossed((1, -1, 3), long=28, short=28, degrees=45), SAME),
        ("half a lesion away", crossed((0, 11, 0)), SAME),
        ("a nodule inside", crossed((0, 0, 0), long=8, short=8), UNSURE),
        ("a part at the rim", crossed((12, 0, 0), long=12, short=10), UNSURE),
        ("ends that overlap", crossed((26, 0, 0)), UNSURE),
        ("a line that runs through", crossed((0, 20, 0), long=60, short=10, degrees=90), UNSURE),
        ("above it, nearer than both are thick", crossed((0, 0, 18)), UNSURE),
        ("end to end", crossed((30.5, 0, 0)), APART),
        ("side by side", crossed((0, 24.5, 0)), APART),
        ("above it, farther than both are thick", crossed((0, 0, 25)), APART),
        ("far away", crossed((90, 0, 0)), APART),
    ],
)
def test_how_a_lesion_of_30_by_24_mm_and_another_measurement_lie(
    what: str, other: Measurement, expected: Relation
) -> None:
    assert relation(crossed(), other) is expected, what
    assert relation(other, crossed()) is expected, f"{what}, the other way round"


@pytest.mark.parametrize(
    ("thickness", "step", "expected"),
    [(5.0, 5.0, SAME), (5.0, 7.0, SAME), (5.0, 10.0, APART), (1.0, 1.5, SAME), (1.0, 5.0, APART), (None, 5.0, SAME)],
)
def test_small_lesions_on_neighbouring_slices_are_one(thickness: float | None, step: float, expected: Relation) -> None:
    one, other = (crossed((0, 0, z), 6, 5, slice_thickness_mm=thickness) for z in (0.0, step))
    assert relation(one, other) is expected


def test_axial_and_coronal_measurements_of_one_lesion_are_one() -> None:
    upright = Axis((0, 0, -14), (0, 0, 14)), Axis((-13, 0, 0), (13, 0, 0))
    coronal = Measurement("m", SourceDocument("test", "d"), "1", "2", "3", None, *upright, LesionState.MEASURED)
    assert relation(crossed(), coronal) is SAME


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        (crossed((22, 15, 0), degrees=45), APART),
        (crossed((26, 0, 0)), UNSURE),
        (crossed((0, 5, 0)), SAME),
    ],
)
def test_lesions_that_the_reader_tells_apart_may_touch_but_not_cross(other: Measurement, expected: Relation) -> None:
    assert relation(crossed(), other, told_apart=True) is expected
    assert relation(crossed(), other) is not APART


def test_a_statement_without_lines_lies_nowhere() -> None:
    stated = Measurement("m", SourceDocument("test", "d"), "1", "2", "3", None, None, None, LesionState.ABSENT)
    assert relation(stated, crossed()) is APART
    assert relation(stated, stated) is APART


def test_same_lines_do_not_ask_which_end_comes_first() -> None:
    turned = crossed(degrees=180)
    assert same_lines(crossed(), turned)
    assert not same_lines(crossed(), crossed(short=None))
    assert not same_lines(crossed(long=30.0), crossed(long=30.2))


lengths = st.floats(2, 80)
places = st.tuples(*[st.floats(-60, 60)] * 3)


@given(places, lengths, st.floats(0.3, 1.0), st.floats(0, 180), st.floats(0, 360), places)
def test_how_they_lie_does_not_depend_on_order_or_place(
    at: Vector3, long: float, share: float, degrees: float, turn: float, shift: Vector3
) -> None:
    one, other = crossed(), crossed(at, long, long * share, degrees)
    moved = crossed(shift, degrees=turn), crossed(_moved(at, shift, turn), long, long * share, degrees + turn)
    assert relation(one, other) is relation(other, one)
    if relation(*moved) is not relation(one, other):  # a limit may be met exactly: then a hair's breadth decides
        near = {relation(one, crossed(at, long * k, long * k * share, degrees)) for k in (0.999, 1.001)}
        assert len(near | {relation(one, other)}) > 1


@given(places, lengths, st.floats(0.3, 1.0))
def test_every_measurement_lies_on_itself(at: Vector3, long: float, share: float) -> None:
    assert relation(crossed(at, long, long * share), crossed(at, long, long * share)) is SAME


def _moved(at: Vector3, shift: Vector3, degrees: float) -> Vector3:
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return c * at[0] - s * at[1] + shift[0], s * at[0] + c * at[1] + shift[1], at[2] + shift[2]
