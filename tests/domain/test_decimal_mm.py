"""Lengths are rounded once, as people round, and stay the same number."""

import math
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.domain.test_placement import PLANES, line, lps, marked
from tumorresp.domain.decimal_mm import recorded_length, to_decimal
from tumorresp.domain.measurement import Axis
from tumorresp.domain.placement import place


@pytest.mark.parametrize(
    ("length", "precision", "expected"),
    [
        (31.25, "0.1", "31.3"),
        (31.249999999999996, "0.1", "31.3"),  # noise of the arithmetic that gave 31.25
        (31.2499, "0.1", "31.2"),
        (31.35, "0.1", "31.4"),
        (9.95, "0.1", "10.0"),
        (9.9499, "0.1", "9.9"),
        (33.34744, "0.1", "33.3"),
        (33.34744, "1", "33"),
        (33.5, "1", "34"),
        (33.34744, "0.01", "33.35"),
        (33.3, "0.5", "33.5"),
        (33.24, "0.5", "33.0"),
        (33.34744012, "0", "33.347440"),
        (0.04, "0.1", "0.0"),
    ],
)
def test_half_a_step_is_rounded_up(length: float, precision: str, expected: str):
    assert str(recorded_length(length, Decimal(precision))) == expected


@pytest.mark.parametrize("length", [math.nan, math.inf, -math.inf])
def test_what_is_no_length(length: float):
    with pytest.raises(ValueError, match="finite"):
        recorded_length(length, Decimal("0.1"))


LENGTHS = st.floats(0.2, 500)
STEPS = st.sampled_from([Decimal(step) for step in ("0.01", "0.1", "0.2", "0.5", "1")])


@given(LENGTHS, STEPS)
def test_what_is_rounded_is_not_rounded_again(length: float, step: Decimal):
    once = recorded_length(length, step)
    assert recorded_length(float(once), step) == once
    assert abs(once - to_decimal(length)) <= step / 2


@given(LENGTHS, LENGTHS, STEPS)
def test_order_is_kept(one: float, other: float, step: Decimal):
    shorter, longer = sorted((one, other))
    assert recorded_length(shorter, step) <= recorded_length(longer, step)


def test_an_axis_has_one_length_everywhere():
    drawn = Axis((0.0, 0.0, 0.0), (33.34744, 0.0, 0.0))
    assert (drawn.length_mm, drawn.size_mm) == (33.34744, Decimal("33.347440"))
    recorded = replace(drawn, recorded_mm=Decimal("33.3"))
    assert (recorded.length_mm, recorded.size_mm, recorded.distance_mm) == (33.3, Decimal("33.3"), 33.34744)


@pytest.mark.parametrize(
    ("precision", "sizes"), [("0.1", ("30.3", "16.1")), ("1", ("30", "16")), ("0", ("30.250000", "16.080000"))]
)
def test_placing_records_both_axes_once(precision: str, sizes: tuple[str, str]):
    # Pixels of 0.5 by 0.8 mm.
    found = place(
        marked(line((100, 50), (160.5, 50)), line((130, 40), (130, 60.1))), PLANES, precision_mm=Decimal(precision)
    )
    assert (str(found.long_axis.size_mm), str(found.short_axis.size_mm)) == sizes
    assert (found.long_axis.distance_mm, found.short_axis.distance_mm) == pytest.approx((30.25, 16.08))


def test_words_name_the_length_that_is_used():
    found = place(marked(line((100, 50), (160.5, 50), stated=40.0, unit="mm")), PLANES)
    (words,) = (finding.message for finding in found.findings if finding.code == "stated-length-differs")
    assert "30.3 mm, which is used" in words


def test_coordinates_in_the_patient_are_recorded_as_well():
    found = place(marked(lps((-50.0, -40.0, 40.0), (-30.04, -40.0, 40.0))), PLANES)
    assert str(found.long_axis.size_mm) == "20.0"
