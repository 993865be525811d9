"""Kaplan-Meier estimates of time-to-event end points.

Kaplan and Meier, J Am Stat Assoc 53 (1958) 457-481; the interval is Greenwood's on the log-log scale (Kalbfleisch and
Prentice), that of the median after Brookmeyer and Crowley, Biometrics 38 (1982) 29-41, on the same scale.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import CensoredData, ecdf

from tumorresp.cohort.course_of_sum import by_criterion
from tumorresp.response.outcome import EndPointName, SubjectOutcome

LEVEL = 0.95


@dataclass(frozen=True)
class SurvivalCurve:
    """A Kaplan-Meier curve.

    Parameters
    ----------
    arm
        Empty for all subjects.
    days
        Of the events and censorings, in order, each once.
    survival, low, high
        Share without event just after each day; the interval is NaN where it is not defined.
    censored_days
        Of every censored subject.
    subjects, events
        How many.
    median, median_low, median_high
        Days; None where the curve or the bound does not reach one half.
    """

    arm: str
    days: tuple[int, ...]
    survival: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    censored_days: tuple[int, ...]
    all_days: tuple[int, ...]
    subjects: int
    events: int
    median: int | None
    median_low: int | None
    median_high: int | None

    def at_risk(self, day: int) -> int:
        """Return how many subjects are still observed and without event just before a day."""
        return sum(item >= day for item in self.all_days)


def kaplan_meier(days: Sequence[int], events: Sequence[bool], arm: str = "") -> SurvivalCurve | None:
    """Return the curve of subjects with a time each and whether it is an event or a censoring; None without any."""
    if not days:
        return None
    times = np.asarray(days, dtype=float)
    happened = np.asarray(events, dtype=bool)
    function = ecdf(CensoredData(uncensored=times[happened], right=times[~happened])).sf
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # at 0 and 1 the interval is not defined, which NaN says
        interval = function.confidence_interval(confidence_level=LEVEL, method="log-log") if happened.any() else None
    quantiles = tuple(int(day) for day in function.quantiles)
    shares = np.asarray(function.probabilities)
    low = np.asarray(interval.low.probabilities) if interval else np.full(len(shares), np.nan)
    high = np.asarray(interval.high.probabilities) if interval else np.full(len(shares), np.nan)
    return SurvivalCurve(
        arm=arm,
        days=quantiles,
        survival=tuple(float(share) for share in shares),
        low=tuple(float(share) for share in low),
        high=tuple(float(share) for share in high),
        censored_days=tuple(sorted(int(day) for day in times[~happened])),
        all_days=tuple(sorted(int(day) for day in times)),
        subjects=len(times),
        events=int(happened.sum()),
        median=_first_at_half(quantiles, shares),
        median_low=_first_at_half(quantiles, low),
        median_high=_first_at_half(quantiles, high),
    )


def _first_at_half(days: Sequence[int], shares: np.ndarray) -> int | None:
    reached = [day for day, share in zip(days, shares, strict=True) if share <= 0.5 + 1e-12]
    return reached[0] if reached else None


def survival_curves(
    outcomes: Sequence[SubjectOutcome], criterion: str, end_point: EndPointName
) -> tuple[SurvivalCurve, ...]:
    """Return the curve of every arm, or of all subjects where there are no arms."""
    by_arm: dict[str, list[tuple[int, bool]]] = {}
    for outcome, item in by_criterion(outcomes, criterion):
        for point in item.end_points:
            if point.name is end_point:
                by_arm.setdefault(outcome.course.dates.arm, []).append((point.days, point.event))
    curves = [kaplan_meier([d for d, _ in own], [e for _, e in own], arm) for arm, own in sorted(by_arm.items())]
    return tuple(curve for curve in curves if curve is not None)
