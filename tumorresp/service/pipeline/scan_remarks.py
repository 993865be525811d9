"""Remarks on how a time point was scanned beside the ones before: another contrast phase, one shift of all lesions."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from tumorresp.domain.finding import Finding, Severity
from tumorresp.domain.lesion_tracking import Assignment, TrackedTimePoint, TrackingResult
from tumorresp.domain.same_lesion import extent_of
from tumorresp.domain.series_look import SeriesLook

_LEAST_SHIFT_MM = 10.0
_MOST_SPREAD_MM = 5.0
_NO_LOOK = SeriesLook()


def scan_remarks(
    points: Sequence[TrackedTimePoint], followed: Sequence[TrackingResult], looks: Mapping[str, SeriesLook]
) -> list[tuple[Finding, ...]]:
    """Return the remarks of each time point on its lesions' first measurements.

    Parameters
    ----------
    looks
        By Series Instance UID.
    """
    first: dict[str, tuple[Assignment, TrackedTimePoint]] = {}
    remarks: list[tuple[Finding, ...]] = []
    for point, result in zip(points, followed, strict=True):
        drawn = {a.lesion.lesion_id: a for a in result.assignments if a.measurement.long_axis is not None}
        again = [(first[name][0], item, first[name][1]) for name, item in drawn.items() if name in first]
        pairs = [(before, now) for before, now, _ in again]
        remarks.append((*_other_phases(pairs, looks), *_common_shift(again, point, looks)))
        for name, item in drawn.items():
            first.setdefault(name, (item, point))
    return remarks


def _other_phases(pairs: Sequence[tuple[Assignment, Assignment]], looks: Mapping[str, SeriesLook]) -> Iterator[Finding]:
    names: dict[tuple[str, str], list[str]] = {}
    for before, now in pairs:
        series = before.measurement.series_instance_uid, now.measurement.series_instance_uid
        one, other = (looks.get(uid, _NO_LOOK) for uid in series)
        if one.is_other_phase(other):
            names.setdefault(series, []).append(now.lesion.lesion_id)
    for (first, second), lesions in sorted(names.items()):
        one, other = looks[first], looks[second]
        words = (
            f"{', '.join(sorted(lesions))}: measured on {_shown(other)} here and on {_shown(one)} first. In another "
            "contrast phase a lesion can look larger or smaller than it is, or not be seen."
        )
        yield Finding("contrast-phase-differs", Severity.WARNING, words, second)


def _common_shift(
    pairs: Sequence[tuple[Assignment, Assignment, TrackedTimePoint]],
    point: TrackedTimePoint,
    looks: Mapping[str, SeriesLook],
) -> Iterator[Finding]:
    """Say where all lesions lie off in one direction by one distance: it is the table, or the registration."""
    by_series: dict[tuple[str, str], list[np.ndarray]] = {}
    for before, now, earlier in pairs:
        shift = _shift(before, now, earlier, point)
        if shift is not None:
            series = before.measurement.series_instance_uid, now.measurement.series_instance_uid
            by_series.setdefault(series, []).append(shift)
    for (first, second), shifts in sorted(by_series.items()):
        mean = np.mean(shifts, axis=0)
        spread = max(float(np.linalg.norm(shift - mean)) for shift in shifts)
        distance = float(np.linalg.norm(mean))
        if len(shifts) > 1 and distance >= _LEAST_SHIFT_MM and spread <= _MOST_SPREAD_MM:
            one, other = (looks.get(uid, _NO_LOOK) for uid in (first, second))
            words = (
                f"All {len(shifts)} lesions lie {distance:.0f} mm from where they were, in one direction, on "
                f"{_shown(other)} beside {_shown(one)}: another height of the table, or a registration that is off."
            )
            severity = Severity.WARNING if point.maps_of(pairs[0][1].measurement) else Severity.INFO
            yield Finding("common-shift", severity, words, second)


def _shift(
    before: Assignment, now: Assignment, earlier: TrackedTimePoint, point: TrackedTimePoint
) -> np.ndarray | None:
    """Return how far a lesion moved in the coordinates of the baseline, or of the scanners without registration."""
    one, other = extent_of(before.measurement), extent_of(now.measurement)
    if one is None or other is None:
        return None
    maps, former = point.maps_of(now.measurement), earlier.maps_of(before.measurement)
    shared = sorted(maps.keys() & former.keys())
    if not shared:
        return np.asarray(other.midpoint - one.midpoint) if not maps else None
    return np.asarray(other.mapped(maps[shared[0]]).midpoint - one.mapped(former[shared[0]]).midpoint)


def _shown(look: SeriesLook) -> str:
    name = f"“{look.description}”" if look.description else "a series without a name"
    return f"{name} ({look.phase})" if look.phase else name
