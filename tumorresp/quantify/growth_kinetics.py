"""How fast a tumour grows: growth rate, specific growth rate, and the Stein-Fojo model of decay and growth.

Ferte et al., Clin Cancer Res 20 (2014) 246-252 (TGR); Mehrara et al., Cancer Res 67 (2007) 3970-3975 (specific growth
rate rather than doubling time, whose sign jumps); Stein et al., Oncologist 13 (2008) 1046-1054 and Wilkerson et al.,
Lancet Oncol 18 (2017) 143-154 (rates of decay and growth, and the choice of the model).
"""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import exp, log, sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import OptimizeWarning, curve_fit
from scipy.stats import norm

MONTH_DAYS = 30.4375
_LARGEST_P = 0.1
_UNCHANGED = (0.8, 1.2)
_FEW = 3


@dataclass(frozen=True)
class GrowthRate:
    """Growth between two sizes; every value None where a size is 0 or no time lies between, and ``reason`` says why.

    Parameters
    ----------
    percent_per_month
        TGR: 100 (exp(TG) - 1) with TG = 3 ln(D2/D1) / t for diameters, ln(V2/V1) / t for volumes, t in months.
    specific_per_day
        SGR = ln(V2/V1) / days; of diameters that of the sphere's volume.
    """

    percent_per_month: float | None
    specific_per_day: float | None
    reason: str = ""


def growth_rate(first: float, second: float, days: int, *, diameters: bool) -> GrowthRate:
    """Return the growth from one size to the next.

    Parameters
    ----------
    first, second
        Sums of diameters (mm) or volumes (mm3) of the same lesions; new lesions are not counted.
    days
        Between the two scans.
    """
    if days <= 0:
        return GrowthRate(None, None, "no time lies between the scans")
    if first <= 0 or second <= 0:
        return GrowthRate(None, None, "a size of 0 has no rate")
    change = (3 if diameters else 1) * log(second / first)
    months = days / MONTH_DAYS
    return GrowthRate(100 * (exp(change / months) - 1), change / days)


class KineticModel(StrEnum):
    """The four models; time in days, size over the first size."""

    GD = "gd"
    DX = "dx"
    GX = "gx"
    GDPHI = "gdphi"


@dataclass(frozen=True)
class Kinetics:
    """The model that describes a course best.

    Parameters
    ----------
    model
        None where none fits with every p under 0.1, or the course was left out.
    growth_per_day, decay_per_day
        g and d; of ``gdphi`` g is g sqrt(1 - phi). None where the model has none.
    phi
        Share that decays, of ``gdphi``.
    aic
        Akaike's criterion, by which the model was chosen.
    points
        How many sizes; fewer than 3 are flagged in ``reason``.
    """

    model: KineticModel | None
    growth_per_day: float | None
    decay_per_day: float | None
    phi: float | None
    aic: float | None
    points: int
    reason: str = ""


def _gd(t: NDArray[np.float64], g: float, d: float) -> NDArray[np.float64]:
    return np.exp(-d * t) + np.exp(g * t) - 1


def _dx(t: NDArray[np.float64], d: float) -> NDArray[np.float64]:
    return np.exp(-d * t)


def _gx(t: NDArray[np.float64], g: float) -> NDArray[np.float64]:
    return np.exp(g * t)


def _gdphi(t: NDArray[np.float64], g: float, d: float, phi: float) -> NDArray[np.float64]:
    return (1 - phi) * np.exp(g * t) + phi * np.exp(-d * t)


@dataclass(frozen=True)
class _Form:
    model: KineticModel
    function: Callable[..., NDArray[np.float64]]
    start: tuple[float, ...]
    upper: tuple[float, ...]


_RATE, _START = 1.0, 0.005
_FORMS = (
    _Form(KineticModel.GD, _gd, (_START, _START), (_RATE, _RATE)),
    _Form(KineticModel.DX, _dx, (_START,), (_RATE,)),
    _Form(KineticModel.GX, _gx, (_START,), (_RATE,)),
    _Form(KineticModel.GDPHI, _gdphi, (_START, _START, 0.5), (_RATE, _RATE, 1.0)),
)


@dataclass(frozen=True)
class _Fit:
    form: _Form
    values: tuple[float, ...]
    aic: float


def stein_fojo(days: Sequence[int], sizes: Sequence[float]) -> Kinetics:
    """Return the rates of growth and decay of a course.

    Parameters
    ----------
    days
        Of the scans, rising; the first is the start of treatment or the baseline.
    sizes
        Sum of diameters (or another measure) at each scan.

    Returns
    -------
    Kinetics
        A course of one size, of two that differ by less than 20 %, or that begins with 0 is left out, with the reason.
    """
    points = len(sizes)
    if points < 2:
        return _without(points, "one size is no course")
    if sizes[0] <= 0:
        return _without(points, "the course begins with 0")
    shares = np.asarray(sizes, dtype=float) / float(sizes[0])
    if points == 2 and _UNCHANGED[0] <= shares[1] <= _UNCHANGED[1]:
        return _without(points, "two sizes that differ by less than 20 % tell no rate")
    time = np.asarray(days, dtype=float) - float(days[0])
    fits = [fit for form in _FORMS if (fit := _fit(form, time, shares)) is not None]
    if not fits:
        return _without(points, "no model fits with every p under 0.1")
    best = min(fits, key=lambda fit: (fit.aic, _FORMS.index(fit.form)))
    return _kinetics(best, points)


def _without(points: int, reason: str) -> Kinetics:
    return Kinetics(None, None, None, None, None, points, reason)


def _fit(form: _Form, time: NDArray[np.float64], shares: NDArray[np.float64]) -> _Fit | None:
    """Return a fit whose parameters all differ from 0 (p under 0.1), None where there is none."""
    wanted = len(form.start)
    if len(shares) - 1 < wanted:  # the first share is 1 by definition and tells nothing
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", OptimizeWarning)
            values, covariance = curve_fit(
                form.function, time, shares, p0=form.start, bounds=([0.0] * wanted, form.upper), maxfev=4000
            )
    except (RuntimeError, ValueError):
        return None
    squares = float(np.sum((form.function(time, *values) - shares) ** 2))
    errors = np.sqrt(np.diag(covariance))
    is_exact = squares < 1e-16 * len(shares)
    if not is_exact and not _all_significant(values, errors):
        return None
    if any(value <= 1e-9 for value in values):
        return None
    aic = len(shares) * log(max(squares / len(shares), 1e-30)) + 2 * (wanted + 1)
    return _Fit(form, tuple(float(value) for value in values), aic)


def _all_significant(values: NDArray[np.float64], errors: NDArray[np.float64]) -> bool:
    if not np.all(np.isfinite(errors)):
        return False
    return all(
        2 * norm.sf(abs(value) / max(error, 1e-30)) < _LARGEST_P for value, error in zip(values, errors, strict=True)
    )


def _kinetics(fit: _Fit, points: int) -> Kinetics:
    reason = f"only {points} sizes" if points < _FEW else ""
    growth = decay = phi = None
    if fit.form.model is KineticModel.GD:
        growth, decay = fit.values
    elif fit.form.model is KineticModel.DX:
        (decay,) = fit.values
    elif fit.form.model is KineticModel.GX:
        (growth,) = fit.values
    else:
        growth, decay, phi = fit.values
        growth *= sqrt(max(0.0, 1 - phi))
    return Kinetics(fit.form.model, growth, decay, phi, fit.aic, points, reason)
