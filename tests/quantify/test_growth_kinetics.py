"""Growth rates against worked numbers; the model's parameters found again from its own curves."""

from math import log, sqrt
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import leastsq
from scipy.stats import t

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


FORMS = {
    "gd": (lambda t, g, d: np.exp(-d * t) + np.exp(g * t) - 1, (0.00511, 0.00511)),
    "dx": (lambda t, d: np.exp(-d * t), (0.00511,)),
    "gx": (lambda t, g: np.exp(g * t), (0.00511,)),
    "gdphi": (lambda t, g, d, phi: (1 - phi) * np.exp(g * t) + phi * np.exp(-d * t), (0.00511, 0.00511, 0.9)),
}


def curve(model: str, *rates: float) -> list[float]:
    """Sizes by a model from its day 0 on; the first scan is its day 1."""
    return [80 * float(FORMS[model][0](day + 1, *rates)) for day in DAYS]


def test_growth_and_decay_are_found_again() -> None:
    found = stein_fojo(DAYS, curve("gd", 0.003, 0.01))
    assert found.model is KineticModel.GD
    assert found.growth_per_day == pytest.approx(0.003, rel=0.05)
    assert found.decay_per_day == pytest.approx(0.01, rel=0.05)


def test_decay_alone_and_growth_alone() -> None:
    decay = stein_fojo(DAYS, [round(size, 1) for size in curve("dx", 0.006)])
    assert (decay.model, decay.growth_per_day) == (KineticModel.DX, None)
    assert decay.decay_per_day == pytest.approx(0.006, rel=0.05)
    growth = stein_fojo(DAYS, [round(size) for size in curve("gx", 0.002)])
    assert (growth.model, growth.decay_per_day) == (KineticModel.GX, None)
    assert growth.growth_per_day == pytest.approx(0.002, rel=0.05)


def test_a_share_that_decays() -> None:
    found = stein_fojo(DAYS, curve("gdphi", 0.002, 0.03, 0.4))
    assert found.model is KineticModel.GDPHI
    assert found.phi == pytest.approx(0.4, rel=0.05)
    assert found.growth_per_day == pytest.approx(0.002 * sqrt(0.6), rel=0.05)


@settings(max_examples=20, deadline=None)
@given(st.floats(0.002, 0.01), st.integers(0, 10_000))
def test_noise_moves_the_rate_little(rate: float, seed: int) -> None:
    noise = np.random.default_rng(seed).normal(1, 0.005, len(DAYS))
    found = stein_fojo(DAYS, [size * factor for size, factor in zip(curve("gx", rate), noise, strict=True)])
    assert found.model is not None
    assert found.growth_per_day == pytest.approx(rate, rel=0.2)


def test_the_first_scan_is_day_1() -> None:
    """Of two sizes, g is the least-squares value over exp(g) = 1 and exp(43 g) = 1.6, found here by trying."""
    found = stein_fojo([0, 42], [50.0, 80.0])
    tried = np.arange(0.009, 0.013, 1e-7)
    squares = (np.exp(tried) - 1) ** 2 + (np.exp(43 * tried) - 1.6) ** 2
    assert found.growth_per_day == pytest.approx(float(tried[np.argmin(squares)]), abs=2e-7)
    assert stein_fojo([7, 49], [50.0, 80.0]) == found  # from wherever the days count


def by_minpack(days: list[int], sizes: list[float]) -> str:
    """Return the model as the published program chooses it: MINPACK's Levenberg-Marquardt, p by Student's t, AIC."""
    shares, time = np.array(sizes) / sizes[0], np.array(days, dtype=float) - days[0] + 1
    points = len(sizes)
    chosen = []
    for name, (form, start) in FORMS.items():
        freedom = points - len(start)
        if freedom < 1:
            continue

        def misfit(values, form=form):
            return form(time, *np.clip(values, 0, 1)) - shares

        found = leastsq(misfit, start, ftol=1e-15, xtol=1e-15, factor=0.01, maxfev=2000)[0]
        values = np.clip(found, 0, 1)
        step = 1e-6
        slopes = np.array(
            [(misfit(values + step * unit) - misfit(values - step * unit)) / (2 * step) for unit in np.eye(len(start))]
        )
        squares = float(np.sum(misfit(values) ** 2))
        try:
            errors = np.sqrt(np.diag(np.linalg.inv(slopes @ slopes.T)) * squares / freedom)
        except np.linalg.LinAlgError:
            continue
        if np.all(2 * t.sf(np.abs(values) / errors, freedom) < 0.1):
            chosen.append((points * log(squares / points) + 2 * len(start), name))
    return min(chosen)[1] if chosen else "not fit"


def cohort(seed: int) -> list[tuple[list[int], list[float]]]:
    """Courses of three to six sizes by all four models, with the scatter of real measurements."""
    random = np.random.default_rng(seed)
    ranges = {
        "gd": [(0.0005, 0.01), (0.001, 0.03)],
        "dx": [(0.001, 0.02)],
        "gx": [(0.0005, 0.01)],
        "gdphi": [(0.0005, 0.008), (0.005, 0.05), (0.2, 0.9)],
    }
    made = []
    for model in list(ranges) * 10:
        days = np.cumsum(random.integers(20, 60, random.integers(3, 7)))
        rates = [random.uniform(*limits) for limits in ranges[model]]
        exact = 50 * FORMS[model][0]((days - days[0] + 1).astype(float), *rates)
        sizes = np.maximum(0.5, exact * random.normal(1, random.choice([0.03, 0.1, 0.3]), len(days)))
        made.append(([int(day) for day in days], [float(size) for size in sizes]))
    return made


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_models_are_chosen_as_the_published_program_chooses() -> None:
    courses = cohort(11)
    found = [stein_fojo(days, sizes) for days, sizes in courses]
    names = [item.model.value if item.model else "not fit" for item in found]
    assert names == [by_minpack(days, sizes) for days, sizes in courses]
    assert len(set(names)) == 5  # every model, and courses that none fits


def test_the_level_of_significance_is_the_callers() -> None:
    courses = cohort(11)
    strict, lenient = (
        [stein_fojo(days, sizes, largest_p).model is not None for days, sizes in courses] for largest_p in (0.01, 0.1)
    )
    assert all(at_most <= at_least for at_most, at_least in zip(strict, lenient, strict=True))
    assert sum(strict) < sum(lenient)
    assert "0.01" in stein_fojo([0, 40, 80, 120], [50, 51, 49, 50], 0.01).reason


@pytest.mark.filterwarnings("error")
def test_years_of_growth_stay_in_the_range_of_numbers() -> None:
    found = stein_fojo([0, 900, 1800, 2700], [20.0, 21.0, 26.0, 30.0])
    assert found.model is not None
    assert found.growth_per_day == pytest.approx(1.5e-4, rel=0.2)


def test_few_sizes_need_a_larger_t() -> None:
    """Of 4 sizes and 2 parameters t must exceed 2.92; a normal distribution would be content with 1.645."""
    days, sizes = [0, 50, 100, 150], [80.0, 66.0, 49.0, 73.0]
    found = stein_fojo(days, sizes)
    assert (found.model, found.reason) == (None, "no model fits with every p under 0.1")


@pytest.mark.parametrize(
    ("days", "sizes", "word"),
    [
        ([0], [50.0], "one size"),
        ([], [], "one size"),
        ([0, 42], [50.0, 59.0], "20 %"),
        ([0, 42], [50.0, 41.0], "20 %"),
        ([0, 42, 84], [0.0, 5.0, 6.0], "begins with 0"),
        (DAYS, [50, 51, 49, 50, 51, 49, 50, 50], "no model"),
        ([0, 42, 84], [50.0, 50.0, 50.0], "the same"),
    ],
)
def test_courses_that_tell_nothing(days: list[int], sizes: list[float], word: str) -> None:
    found = stein_fojo(days, sizes)
    assert found.model is None
    assert word in found.reason


@pytest.mark.parametrize(("last", "model"), [(80.0, KineticModel.GX), (20.0, KineticModel.DX), (60.0, KineticModel.GX)])
def test_two_sizes_are_flagged(last: float, model: KineticModel) -> None:
    found = stein_fojo([0, 42], [50.0, last])  # 20 % more is enough
    assert (found.model, found.reason) == (model, "only 2 sizes")


@pytest.mark.parametrize(("first", "second", "days", "expected"), [(1000, 2000, 100, 100.0), (1000, 4000, 100, 50.0)])
def test_doubling_time(first: float, second: float, days: int, expected: float) -> None:
    assert growth_rate(first, second, days, diameters=False).doubling_days == pytest.approx(expected)
    diameters = growth_rate(first ** (1 / 3), second ** (1 / 3), days, diameters=True)
    assert diameters.doubling_days == pytest.approx(expected)
    assert growth_rate(second, first, days, diameters=False).doubling_days is None
    assert growth_rate(first, first, days, diameters=False).doubling_days is None
    assert growth_rate(0, first, days, diameters=False).doubling_days is None


def test_the_pages_example() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "criteria" / "growth-kinetics.md").read_text("utf-8")
    found = growth_rate(20, 25, 61, diameters=True)
    assert found.percent_per_month is not None
    assert found.specific_per_day is not None
    assert f"TGR = {found.percent_per_month:.1f} % a month" in page
    assert f"= {found.specific_per_day:.4f} a day" in page
    assert f"doubles in {found.doubling_days:.1f} days" in page
    assert f"= {log(1 + found.percent_per_month / 100):.3f} a month" in page
