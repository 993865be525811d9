"""Growth rates against worked numbers; the model's parameters found again from its own curves."""

from math import exp, log, sqrt
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tumorresp.quantify.growth_kinetics import GrowthRate, KineticModel, growth_rate, stein_fojo

DAYS = [0, 42, 84, 126, 168, 210, 252, 294]


def test_growth_of_diameters_is_that_of_the_sphere() -> None:
    """20 to 25 mm in 60.875 days (two months): (25/20)^3 in two months, 39.75 % a month."""
    found = growth_rate(20, 25, 61, diameters=True)
    assert found.percent_per_month == pytest.approx(100 * ((25 / 20) ** (3 * 30.4375 / 61) - 1))
    assert found.percent_per_month == pytest.approx(39.7, abs=0.1)
    assert found.specific_per_day == pytest.approx(3 * log(1.25) / 61)


def test_growth_of_volumes() -> None:
    found = growth_rate(1000, 2000, 100, diameters=False)
    assert found.specific_per_day == pytest.approx(log(2) / 100)  # doubling time 100 days
    assert found.percent_per_month == pytest.approx(100 * (2 ** (30.4375 / 100) - 1))
    assert growth_rate(2000, 1000, 100, diameters=False).specific_per_day == pytest.approx(-log(2) / 100)


@pytest.mark.parametrize(("first", "second", "days"), [(0, 5, 30), (5, 0, 30), (5, 5, 0), (5, 6, -3)])
def test_rates_that_are_not_defined(first: float, second: float, days: int) -> None:
    found = growth_rate(first, second, days, diameters=True)
    assert (found.percent_per_month, found.specific_per_day) == (None, None)
    assert found.reason


@given(st.floats(1, 200), st.floats(1, 200), st.integers(1, 400))
def test_growth_and_shrinkage_are_mirror_images(one: float, other: float, days: int) -> None:
    there, back = growth_rate(one, other, days, diameters=True), growth_rate(other, one, days, diameters=True)
    assert there.specific_per_day is not None
    assert back.specific_per_day is not None
    assert there.specific_per_day == pytest.approx(-back.specific_per_day, abs=1e-12)
    scaled = growth_rate(3 * one, 3 * other, days, diameters=True)
    assert scaled.specific_per_day == pytest.approx(there.specific_per_day, abs=1e-12)
    assert isinstance(there, GrowthRate)


def curve(model: str, g: float = 0.0, d: float = 0.0, phi: float = 0.0) -> list[float]:
    forms = {
        "gd": lambda t: exp(-d * t) + exp(g * t) - 1,
        "dx": lambda t: exp(-d * t),
        "gx": lambda t: exp(g * t),
        "gdphi": lambda t: (1 - phi) * exp(g * t) + phi * exp(-d * t),
    }
    return [80 * forms[model](day) for day in DAYS]


def test_growth_and_decay_are_found_again() -> None:
    found = stein_fojo(DAYS, curve("gd", g=0.003, d=0.01))
    assert found.model is KineticModel.GD
    assert found.growth_per_day == pytest.approx(0.003, rel=1e-4)
    assert found.decay_per_day == pytest.approx(0.01, rel=1e-4)


def test_decay_alone_and_growth_alone() -> None:
    decay = stein_fojo(DAYS, curve("dx", d=0.006))
    assert (decay.model, decay.growth_per_day) == (KineticModel.DX, None)
    assert decay.decay_per_day == pytest.approx(0.006, rel=1e-4)
    growth = stein_fojo(DAYS, curve("gx", g=0.002))
    assert (growth.model, growth.decay_per_day) == (KineticModel.GX, None)
    assert growth.growth_per_day == pytest.approx(0.002, rel=1e-4)


def test_a_share_that_decays() -> None:
    found = stein_fojo(DAYS, curve("gdphi", g=0.002, d=0.03, phi=0.4))
    assert found.model is KineticModel.GDPHI
    assert found.phi == pytest.approx(0.4, rel=1e-3)
    assert found.growth_per_day == pytest.approx(0.002 * sqrt(0.6), rel=1e-3)


@settings(max_examples=20, deadline=None)
@given(st.floats(0.001, 0.01), st.integers(0, 10_000))
def test_noise_moves_the_rate_little(rate: float, seed: int) -> None:
    noise = np.random.default_rng(seed).normal(1, 0.005, len(DAYS))
    found = stein_fojo(DAYS, [size * factor for size, factor in zip(curve("gx", g=rate), noise, strict=True)])
    assert found.model is not None
    assert found.growth_per_day == pytest.approx(rate, rel=0.2)


@pytest.mark.parametrize(
    ("days", "sizes", "word"),
    [
        ([0], [50.0], "one size"),
        ([], [], "one size"),
        ([0, 42], [50.0, 59.0], "20 %"),
        ([0, 42], [50.0, 41.0], "20 %"),
        ([0, 42, 84], [0.0, 5.0, 6.0], "begins with 0"),
        (DAYS, [50, 51, 49, 50, 51, 49, 50, 50], "no model"),
    ],
)
def test_courses_that_tell_nothing(days: list[int], sizes: list[float], word: str) -> None:
    found = stein_fojo(days, sizes)
    assert found.model is None
    assert word in found.reason


def test_two_sizes_are_flagged() -> None:
    found = stein_fojo([0, 42], [50.0, 80.0])
    assert (found.model, found.reason) == (KineticModel.GX, "only 2 sizes")
    assert found.growth_per_day == pytest.approx(log(1.6) / 42, rel=1e-4)


def test_the_pages_example() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "criteria" / "growth-kinetics.md").read_text("utf-8")
    found = growth_rate(20, 25, 61, diameters=True)
    assert found.percent_per_month is not None
    assert found.specific_per_day is not None
    assert f"TGR = {found.percent_per_month:.1f} % a month" in page
    assert f"= {found.specific_per_day:.4f} a day" in page
    assert f"= {log(1 + found.percent_per_month / 100):.3f} a month" in page
