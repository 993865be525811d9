"""One reading of a subject, assessed: lesions followed, observations made, criteria applied."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from tumorresp.domain.ct_volume import CtVolume
from tumorresp.domain.errors import TumorRespError
from tumorresp.domain.evaluation import LesionEvaluation, SubjectEvaluation, TimePoint, TimePointEvaluation
from tumorresp.domain.finding import Finding, Severity
from tumorresp.domain.identity import derived_uuid
from tumorresp.domain.lesion_tracking import Assignment, TrackedTimePoint, TrackingResult, follow_lesions
from tumorresp.domain.measurement import Measurement
from tumorresp.domain.version import SOFTWARE_VERSION
from tumorresp.quantify.registration import register
from tumorresp.response import assess_recist_1_1, assess_volumetric
from tumorresp.response.discordance import discordances
from tumorresp.response.subject import SubjectDates
from tumorresp.response.target_choice import check_baseline
from tumorresp.service.pipeline.lesion_results import LesionResult
from tumorresp.service.pipeline.observations import visits_of
from tumorresp.service.pipeline.reading_plan import PlacedMeasurement, Reading

ResultOf = Callable[[Measurement], LesionResult | None]
VolumeOf = Callable[[str], CtVolume]


def evaluate_reading(
    subject_key: str,
    patient_id: str,
    reading: Reading,
    result_of: ResultOf,
    volume_of: VolumeOf,
    decisions: Mapping[str, str],
) -> SubjectEvaluation:
    """Follow the lesions of a reading through its time points and assess every time point.

    Parameters
    ----------
    result_of
        Gives a measurement's mask and biomarkers, None where none were asked for.
    volume_of
        Gives the CT volume of a Series Instance UID.
    decisions
        A person's, on matches that waited: measurement UID -> lesion.
    """
    tracked, notes = _tracked_time_points(reading, volume_of)
    followed = follow_lesions(subject_key, tracked, decisions=decisions)
    points = [
        TimePoint(str(derived_uuid("time-point", subject_key, reading.reader, date.isoformat())), date, order)
        for order, (date, _) in enumerate(reading.by_date, start=1)
    ]
    lesions = [tuple(_lesion(assignment, result_of) for assignment in result.assignments) for result in followed]
    visits = visits_of(points, lesions, followed)
    recist, volumetric = assess_recist_1_1(visits), assess_volumetric(visits)
    assessed = list(zip(recist, volumetric, strict=True))
    differing = {item.time_point_id: item.why for item in discordances(recist, volumetric, visits)}
    return SubjectEvaluation(
        subject_key,
        patient_id,
        tuple(
            TimePointEvaluation(
                point,
                _study_of(items),
                lesions[number],
                followed[number].ambiguous,
                assessed[number],
                (
                    *notes[number],
                    *(check_baseline(visits, SubjectDates()) if number == 0 else ()),
                    *_not_used(followed[number]),
                ),
                differing.get(point.time_point_id, ()),
            )
            for number, (point, (_, items)) in enumerate(zip(points, reading.by_date, strict=True))
        ),
        SOFTWARE_VERSION,
    )


def _tracked_time_points(
    reading: Reading, volume_of: VolumeOf
) -> tuple[list[TrackedTimePoint], list[tuple[Finding, ...]]]:
    """Return each time point with its map to the baseline scan, and what was noticed while registering."""
    tracked: list[TrackedTimePoint] = []
    notes: list[tuple[Finding, ...]] = []
    baseline_series = _main_series(reading.by_date[0][1]) if reading.by_date else ""
    for number, (_, items) in enumerate(reading.by_date):
        measurements = tuple(item.measurement for item in items)
        series = _main_series(items)
        if number == 0:
            tracked.append(TrackedTimePoint(measurements, _unmoved))
            notes.append(())
            continue
        to_baseline, findings = _map_between(baseline_series, series, volume_of)
        tracked.append(TrackedTimePoint(measurements, to_baseline))
        notes.append(findings)
    return tracked, notes


def _not_used(result: TrackingResult) -> tuple[Finding, ...]:
    """Say which measurements a person has put aside; those that another one supersedes are said at its lesion."""
    return tuple(
        Finding("not-used", Severity.INFO, f"Not used: {item.reason}.", item.measurement.measurement_uid)
        for item in result.superseded
        if not item.by_uid
    )


def _unmoved(points: NDArray[np.float64]) -> NDArray[np.float64]:
    return points


def _map_between(
    baseline_series: str, series: str, volume_of: VolumeOf
) -> tuple[Callable[[NDArray[np.float64]], NDArray[np.float64]] | None, tuple[Finding, ...]]:
    if not baseline_series or not series:
        return None, ()
    try:
        registration = register(volume_of(baseline_series), volume_of(series))
    except TumorRespError as error:
        return None, (Finding("not-registered", Severity.WARNING, str(error), series),)
    return (registration.map_points if registration.is_reliable else None), registration.findings


def _main_series(items: Sequence[PlacedMeasurement]) -> str:
    """Return the CT series that most of a time point's axes lie on."""
    series = [item.measurement.series_instance_uid for item in items if item.measurement.long_axis is not None]
    return max(sorted(set(series)), key=series.count, default="")


def _study_of(items: Sequence[PlacedMeasurement]) -> str:
    return next((i.measurement.study_instance_uid for i in items if i.measurement.study_instance_uid), "")


def _lesion(assignment: Assignment, result_of: ResultOf) -> LesionEvaluation:
    result = result_of(assignment.measurement)
    findings = assignment.findings
    if result is not None and result.failure:
        words = f"No mask: {result.failure}"
        findings = (*findings, Finding("not-segmented", Severity.ERROR, words, assignment.lesion.lesion_id))
    return LesionEvaluation(
        assignment.lesion,
        assignment.measurement,
        result.mask if result else None,
        result.biomarkers if result else None,
        assignment.matched_by,
        findings,
    )
