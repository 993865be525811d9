"""How fast a tumour grows: growth rate, specific growth rate, doubling time, the Stein-Fojo model of decay and growth.

Ferte et al., Clin Cancer Res 20 (2014) 246-252 (TGR); Mehrara et al., Cancer Res 67 (2007) 3970-3975 (specific growth
rate rather than doubling time, whose sign jumps); Stein et al., Oncologist 13 (2008) 1046-1054 and Wilkerson et al.,
Lancet Oncol 18 (2017) 143-154 (rates of decay and growth, and the choice of the model: the authors' R package tumgr,
whose conventions are kept); Schwartz, Cancer 14 (1961) 1272-1294 (doubling time).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import exp, log, pi, sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares
from scipy.stats import t as student_t

MONTH_DAYS = 30.4375
LARGEST_P = 0.1
_UNCHANGED = (0.8, 1.2)
_FEW = 3
_TOLERANCE = 1e-12


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

    @property
    def doubling_days(self) -> float | None:
        """Days in which the volume doubles at this rate, ln 2 / SGR; None where it does not grow."""
        rate = self.specific_per_day
        return log(2) / rate if rate is not None and rate > 0 else None


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
    """The four models; time in days from the first scan, which is day 1, size over the first size."""

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


_RATE, _START = 1.0, 0.00511
_FORMS = (
    _Form(KineticModel.GD, _gd, (_START, _START), (_RATE, _RATE)),
    _Form(KineticModel.DX, _dx, (_START,), (_RATE,)),
    _Form(KineticModel.GX, _gx, (_START,), (_RATE,)),
    _Form(KineticModel.GDPHI, _gdphi, (_START, _START, 0.9), (_RATE, _RATE, 1.0)),
)


@dataclass(frozen=True)
class _Fit:
    form: _Form
    values: tuple[float, ...]
    aic: float


def stein_fojo(days: Sequence[int], sizes: Sequence[float], largest_p: float = LARGEST_P) -> Kinetics:
    """Return the rates of growth and decay of a course.

    Parameters
    ----------
    days
        Of the scans, rising; the first is the start of treatment or the baseline.
    sizes
        Sum of diameters (or another measure) at each scan.
    largest_p
        A model takes part where the p-value of each of its parameters is less (the program's ``pval``: 0.05 or 0.1).

    Returns
    -------
    Kinetics
        A course of one size, of two that differ by less than 20 %, of one repeated size, or that begins with 0 is left
        out, with the reason.

    Notes
    -----
    As the published method does it: t = day - first day + 1; least squares from fixed starting values within
    0 <= g, d, phi <= 1; a model needs more sizes than parameters, and of every parameter p < 0.1 by Student's t
    with n - k degrees of freedom; of these the least AIC is taken. The first size is fitted as all others, so that the
    curve need not begin at exactly 1.
    """
    points = len(sizes)
    if points < 2:
        return _without(points, "one size is no course")
    if sizes[0] <= 0:
        return _without(points, "the course begins with 0")
    shares = np.asarray(sizes, dtype=float) / float(sizes[0])
    if points == 2 and _UNCHANGED[0] < shares[1] < _UNCHANGED[1]:
        return _without(points, "two sizes that differ by less than 20 % tell no rate")
    if len(set(sizes)) == 1:
        return _without(points, "all sizes are the same")
    time = np.asarray(days, dtype=float) - float(days[0]) + 1
    fits = [fit for form in _FORMS if (fit := _fit(form, time, shares, largest_p)) is not None]
    if not fits:
        return _without(points, f"no model fits with every p under {largest_p:g}")
    best = min(fits, key=lambda fit: (fit.aic, _FORMS.index(fit.form)))
    return _kinetics(best, points)


def _without(points: int, reason: str) -> Kinetics:
    return Kinetics(None, None, None, None, None, points, reason)


def _fit(form: _Form, time: NDArray[np.float64], shares: NDArray[np.float64], largest_p: float) -> _Fit | None:
    """Return a fit whose parameters all differ from 0, None where there is none."""
    wanted, points = len(form.start), len(shares)
    if points <= wanted:
        return None
    try:
        with np.errstate(over="ignore", invalid="ignore"):  # far from the solution the curve may leave the range
            found = least_squares(
                lambda values: form.function(time, *values) - shares,
                form.start,
                bounds=([0.0] * wanted, form.upper),
                x_scale="jac",
                ftol=_TOLERANCE,
                xtol=_TOLERANCE,
                gtol=_TOLERANCE,
                max_nfev=4000,
            )
    except ValueError:  # the curve leaves the range of doubles
        return None
    if not found.success:
        return None
    values, squares = found.x, float(2 * found.cost)
    errors = _standard_errors(found.jac, squares / (points - wanted))
    is_exact = squares < 1e-16 * points
    if not is_exact and not _all_significant(values, errors, points - wanted, largest_p):
        return None
    if any(value <= 1e-9 for value in values):
        return None
    aic = points * (log(2 * pi) + 1 + log(max(squares / points, 1e-30))) + 2 * wanted
    return _Fit(form, tuple(float(value) for value in values), aic)


def _standard_errors(jacobian: NDArray[np.float64], variance: float) -> NDArray[np.float64]:
    """Return the standard errors of the parameters; infinite where the sizes do not determine them."""
    _, scales, directions = np.linalg.svd(jacobian, full_matrices=False)
    if scales[-1] <= 0:
        return np.full(jacobian.shape[1], np.inf)
    return np.sqrt(np.sum((directions.T / scales) ** 2, axis=1) * variance)


def _all_significant(values: NDArray[np.float64], errors: NDArray[np.float64], freedom: int, largest_p: float) -> bool:
    """Return whether every parameter differs from 0 by Student's t with so many degrees of freedom."""
    if not np.all(np.isfinite(errors)):
        return False
    return all(
        2 * student_t.sf(abs(value) / max(error, 1e-30), freedom) < largest_p
        for value, error in zip(values, errors, strict=True)
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
