"""What the criteria see of a time point: its lesions, and what a waiting measurement keeps back.

A measurement that waits may be any of its candidates, or a new lesion: each of these is observed as pending, so that no
category is given that a person's decision could take away.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from tumorresp.domain.decimal_mm import to_decimal
from tumorresp.domain.eligibility import method_of
from tumorresp.domain.evaluation import AmbiguousMatch, Lesion, LesionEvaluation, TimePoint
from tumorresp.domain.lesion_tracking import PendingLesion, TrackingResult
from tumorresp.domain.measurement import Axis, LesionRole, LesionState, Measurement
from tumorresp.domain.slice_comparison import slice_change_doubt
from tumorresp.response.observation import LesionObservation, Visit

_ADDS_NOTHING = (LesionState.ABSENT,)
_THERE = (LesionState.MEASURED, LesionState.PRESENT)


def visits_of(
    points: Sequence[TimePoint], lesions: Sequence[Sequence[LesionEvaluation]], followed: Sequence[TrackingResult]
) -> list[Visit]:
    """Return the visits of a reading, in order of date, the baseline first.

    Parameters
    ----------
    lesions
        Those that were recognised, by time point.
    followed
        What became of all measurements, by time point.
    """
    known: dict[str, Lesion] = {}
    baseline = baseline_lesions(points, lesions)
    visits = []
    for point, items, result in zip(points, lesions, followed, strict=True):
        known |= {item.lesion.lesion_id: item.lesion for item in items}
        known |= {item.lesion.lesion_id: item.lesion for item in result.pending}
        observations = tuple(_observations(point, items, result, known, baseline))
        visits.append(Visit(point.time_point_id, point.name, point.date, observations, point.first_date))
    return visits


def baseline_lesions(
    points: Sequence[TimePoint], lesions: Sequence[Sequence[LesionEvaluation]]
) -> dict[str, LesionEvaluation]:
    """Return the baseline's lesions by their ID."""
    return {
        item.lesion.lesion_id: item
        for point, items in zip(points, lesions, strict=True)
        if point.order == 1
        for item in items
    }


def _observations(
    point: TimePoint,
    items: Sequence[LesionEvaluation],
    result: TrackingResult,
    known: Mapping[str, Lesion],
    baseline: Mapping[str, LesionEvaluation],
) -> Iterator[LesionObservation]:
    waiting = _waiting_by_lesion(result)
    seen = {item.lesion.lesion_id for item in items} | {item.lesion.lesion_id for item in result.pending}
    for item in items:
        yield _observed(item, waiting.get(item.lesion.lesion_id, ""), baseline.get(item.lesion.lesion_id))
    for pending in result.pending:
        yield _pending(pending)
    for normal in result.normal:  # no lesion here; what it measures decides later whether it has become one
        yield _observed(LesionEvaluation(normal.lesion, normal.measurement, None, None), "", None)
    for lesion_id in sorted(waiting.keys() - seen):
        if lesion_id in known:
            yield _observation(known[lesion_id], LesionState.NOT_EVALUABLE, pending=waiting[lesion_id])
    yield from _perhaps_others(point, result)
    if point.new_lesion_missed and point.order > 1:
        missed = Lesion(f"unseen {point.order}", "", LesionRole.NEW, nodal=False, organ="")
        yield _observation(missed, LesionState.PRESENT, pending=point.new_lesion_missed)
    if not point.is_read:
        unread = Lesion(f"scan {point.order}", "", LesionRole.NEW, nodal=False, organ="")
        yield _observation(unread, LesionState.PRESENT, pending="the CT of this time point was not read")


def _waiting_by_lesion(result: TrackingResult) -> dict[str, str]:
    """Return, by lesion, what waits that may be it or a part of it."""
    grouped = {item.measurement_uid for pending in result.pending for item in pending.measurements}
    names: dict[str, list[str]] = {}
    for item in result.ambiguous:
        if item.measurement.measurement_uid not in grouped:
            for lesion_id in item.candidate_lesion_ids:
                names.setdefault(lesion_id, []).append(_shown(item.measurement))
    return {
        lesion_id: f"{' and '.join(sorted(shown))}, which may be it or a part of it, waits for a decision"
        for lesion_id, shown in names.items()
    }


def _perhaps_others(point: TimePoint, result: TrackingResult) -> Iterator[LesionObservation]:
    """Yield what a waiting measurement may be beside its candidates: a new lesion, or one more of the baseline."""
    grouped = {item.measurement_uid for pending in result.pending for item in pending.measurements}
    role = LesionRole.TARGET if point.order <= 1 else LesionRole.NEW
    waiting = [item for item in result.ambiguous if _may_be_another(item, grouped)]
    for number, item in enumerate(sorted(waiting, key=lambda item: item.measurement.measurement_uid), start=1):
        words = f"{_shown(item.measurement)} waits for a decision"
        lesion = Lesion(
            f"undecided {point.order}.{number}", "", role, nodal=False, organ="", label=item.measurement.label
        )
        state = LesionState.NOT_EVALUABLE if role is LesionRole.TARGET else LesionState.PRESENT
        yield _observation(lesion, state, pending=words, source=item.measurement.measurement_uid)


def _may_be_another(item: AmbiguousMatch, grouped: set[str]) -> bool:
    return item.measurement.measurement_uid not in grouped and item.measurement.state not in _ADDS_NOTHING


def _pending(pending: PendingLesion) -> LesionObservation:
    """Return a lesion of which several sizes wait: the least of them is sure.

    That a lesion beside the targets is there is sure whatever its size; of a node the size decides that, too.
    """
    lesion = pending.lesion
    is_there = all(item.state in _THERE for item in pending.measurements)
    if lesion.role is not LesionRole.TARGET and not lesion.nodal and is_there:
        return _observation(lesion, LesionState.PRESENT, pending="")
    measurements = pending.measurements
    names = " and ".join(sorted(_shown(item) for item in measurements))
    return replace(
        _observation(
            pending.lesion,
            LesionState.MEASURED if all(item.long_axis for item in measurements) else LesionState.NOT_EVALUABLE,
            pending=f"{names} lie on each other, and which counts waits for a decision",
        ),
        long_axis_mm=_least([item.long_axis for item in measurements]),
        short_axis_mm=_least([item.short_axis for item in measurements]),
    )


def _least(axes: Sequence[Axis | None]) -> Decimal | None:
    lengths = [axis.size_mm for axis in axes if axis is not None]
    return min(lengths, default=None) if len(lengths) == len(axes) else None


def _observed(item: LesionEvaluation, pending: str, baseline: LesionEvaluation | None) -> LesionObservation:
    measurement = item.measurement
    thickness = measurement.slice_thickness_mm
    has_volume = item.biomarkers is not None and item.mask is not None and not item.mask.is_empty
    return replace(
        _observation(item.lesion, measurement.state, pending=pending, source=measurement.measurement_uid),
        long_axis_mm=_length(measurement.long_axis),
        short_axis_mm=_length(measurement.short_axis),
        volume_mm3=to_decimal(item.biomarkers.voxel_volume_mm3) if has_volume and item.biomarkers else None,
        method=method_of(measurement.modality),
        slice_thickness_mm=None if thickness is None else to_decimal(thickness),
        volume_doubt=_volume_doubt(item, baseline),
    )


def _volume_doubt(item: LesionEvaluation, baseline: LesionEvaluation | None) -> str:
    """Return why a lesion's volume is not known, not to be believed or not to be compared; empty where it is."""
    if item.biomarkers is not None and item.mask is not None and not item.mask.is_empty:
        before = None if baseline is None else baseline.mask
        changed = "" if before is None else slice_change_doubt(item.mask, before)
        return "; ".join(words for words in (item.biomarkers.volume_doubt, changed) if words)
    if item.measurement.long_axis is None:
        return ""
    reasons = [finding.message for finding in item.findings if finding.code == "not-segmented"]
    return reasons[0].replace("No mask", "it has no mask", 1).rstrip(".") if reasons else "it has no mask"


def _observation(lesion: Lesion, state: LesionState, *, pending: str, source: str = "") -> LesionObservation:
    return LesionObservation(
        lesion_id=lesion.lesion_id,
        role=lesion.role,
        nodal=lesion.nodal,
        organ=lesion.organ,
        state=state,
        label=lesion.label,
        parents=lesion.parents,
        source=source,
        pending=pending,
    )


def _length(axis: Axis | None) -> Decimal | None:
    return None if axis is None else axis.size_mm


def _shown(item: Measurement) -> str:
    size = f"{item.long_axis.size_mm:.1f} mm" if item.long_axis is not None else str(item.state)
    return f"“{item.label.strip()}” {size}" if item.label.strip() else f"a measurement ({size})"
