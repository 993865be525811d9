"""Where the measurements of each time point lie in the baseline: every study by a registration of its own.

A baseline that was scanned chest one day and abdomen the next has two regions, each with coordinates of its own; a
study of a follow-up is registered to the region that shows what it measures, and to the others where that fails.
"""

from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from tumorresp.domain.ct_volume import CtVolume
from tumorresp.domain.errors import TumorRespError
from tumorresp.domain.finding import Finding, Severity
from tumorresp.domain.lesion_matching import Seen
from tumorresp.domain.lesion_tracking import ToBaseline, TrackedTimePoint
from tumorresp.domain.measurement import Measurement
from tumorresp.quantify.registration import register
from tumorresp.service.pipeline.visits import ReadVisit

VolumeOf = Callable[[str], CtVolume]


def tracked_time_points(
    visits: Sequence[ReadVisit], volume_of: VolumeOf
) -> tuple[list[TrackedTimePoint], list[tuple[Finding, ...]]]:
    """Return each time point with the maps of its series to the baseline, and what was noticed while registering.

    The first time point with a drawn line gives the coordinates.
    """
    tracked: list[TrackedTimePoint] = []
    notes: list[tuple[Finding, ...]] = []
    regions: list[_Scanned] = []
    maps: dict[str, dict[str, ToBaseline]]
    for visit in visits:
        scanned = _scanned(visit)
        if not regions:
            regions = scanned
            maps = {uid: {item.series: _unmoved} for item in scanned for uid in item.all}
            _scanned_twice(scanned, visit, maps, volume_of)
            found: list[Finding] = []
        else:
            maps, found = _maps(scanned, regions, volume_of)
        tracked.append(TrackedTimePoint(visit.measurements, None, visit.spaces, maps))
        notes.append(tuple(found))
    return tracked, notes


def _scanned_twice(
    scanned: Sequence["_Scanned"], visit: ReadVisit, maps: dict[str, dict[str, ToBaseline]], volume_of: VolumeOf
) -> None:
    """Add maps between studies of one day to those of the first time point: they may show the same part of the body."""
    days = {uid: space.day for uid, space in visit.spaces.items()}
    for index, item in enumerate(scanned):
        for earlier in scanned[:index]:
            if days.get(item.series) == days.get(earlier.series):
                to_earlier, _ = _map_between(earlier.series, item.series, volume_of)
                if to_earlier is not None:
                    for uid in item.all:
                        maps[uid][earlier.series] = to_earlier


class _Scanned:
    """Series of one time point that share coordinates; ``series`` holds most lines, ``all`` are its series."""

    def __init__(self, measurements: Sequence[Measurement]) -> None:
        lines = Counter(item.series_instance_uid for item in measurements)
        self.series = max(sorted(lines), key=lambda uid: lines[uid])
        self.all = frozenset(lines)
        seen = [Seen(item) for item in measurements]
        self.names = frozenset(name for item in seen for name in (*item.stable_uids, *item.labels))
        self.organs = frozenset(item.organ for item in seen) - {""}

    def likeness(self, other: "_Scanned") -> tuple[int, int]:
        """Return how many lesions by name, and how many organs, both show."""
        return len(self.names & other.names), len(self.organs & other.organs)


def _scanned(visit: ReadVisit) -> list[_Scanned]:
    """Return a time point's series with drawn lines, by shared coordinates: one study, or one named space."""
    groups: list[tuple[set[str], list[Measurement]]] = []
    for item in visit.measurements:
        if item.long_axis is None or not item.series_instance_uid:
            continue
        space = visit.spaces.get(item.series_instance_uid)
        keys = {f"study {item.study_instance_uid}", str(space) if space is not None and space.frame else ""} - {""}
        meeting = [group for group in groups if group[0] & keys]
        groups = [group for group in groups if group not in meeting]
        groups.append(
            (keys.union(*(group[0] for group in meeting)), [*(m for group in meeting for m in group[1]), item])
        )
    return sorted((_Scanned(measurements) for _, measurements in groups), key=lambda item: item.series)


def _maps(
    scanned: Sequence[_Scanned], regions: Sequence[_Scanned], volume_of: VolumeOf
) -> tuple[dict[str, dict[str, ToBaseline]], list[Finding]]:
    maps: dict[str, dict[str, ToBaseline]] = {}
    findings: list[Finding] = []
    for item in scanned:
        found: dict[str, ToBaseline] = {}
        doubts: list[Finding] = []
        ordered = sorted(regions, key=lambda region: item.likeness(region), reverse=True)
        for region in ordered:
            # Where nothing says what a study shows, it is tried with every region: one may fit by chance.
            if found and item.likeness(region) == (0, 0) != item.likeness(ordered[0]):
                break
            to_baseline, remarks = _map_between(region.series, item.series, volume_of)
            doubts += remarks
            if to_baseline is not None:
                found[region.series] = to_baseline
        maps |= dict.fromkeys(item.all, found)
        findings += [] if found else doubts
    return maps, findings


def _unmoved(points: NDArray[np.float64]) -> NDArray[np.float64]:
    return points


def _map_between(
    baseline_series: str, series: str, volume_of: VolumeOf
) -> tuple[ToBaseline | None, tuple[Finding, ...]]:
    try:
        registration = register(volume_of(baseline_series), volume_of(series))
    except TumorRespError as error:
        return None, (Finding("not-registered", Severity.WARNING, str(error), series),)
    return (registration.map_points if registration.is_reliable else None), registration.findings
