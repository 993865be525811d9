"""One reading of a subject, assessed: lesions followed, observations made, criteria applied."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from tumorresp.domain.ct_volume import CtVolume
from tumorresp.domain.decimal_mm import to_decimal
from tumorresp.domain.eligibility import method_of
from tumorresp.domain.errors import TumorRespError
from tumorresp.domain.evaluation import LesionEvaluation, SubjectEvaluation, TimePoint, TimePointEvaluation
from tumorresp.domain.finding import Finding, Severity
from tumorresp.domain.identity import derived_uuid
from tumorresp.domain.lesion_tracking import Assignment, TrackedTimePoint, follow_lesions
from tumorresp.domain.measurement import Axis, Measurement
from tumorresp.domain.version import SOFTWARE_VERSION
from tumorresp.quantify.registration import register
from tumorresp.response import LesionObservation, Visit, assess_recist_1_1, assess_volumetric
from tumorresp.response.discordance import discordances
from tumorresp.response.subject import SubjectDates
from tumorresp.response.target_choice import check_baseline
from tumorresp.service.pipeline.lesion_results import LesionResult
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
    visits = [_visit(point, items) for point, items in zip(points, lesions, strict=True)]
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
                (*notes[number], *(check_baseline(visits, SubjectDates()) if number == 0 else ())),
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


def _visit(point: TimePoint, lesions: Sequence[LesionEvaluation]) -> Visit:
    return Visit(point.time_point_id, point.name, point.date, tuple(_observation(item) for item in lesions))


def _observation(item: LesionEvaluation) -> LesionObservation:
    measurement, lesion = item.measurement, item.lesion
    thickness = measurement.slice_thickness_mm
    has_volume = item.biomarkers is not None and item.mask is not None and not item.mask.is_empty
    return LesionObservation(
        lesion_id=lesion.lesion_id,
        role=lesion.role,
        nodal=lesion.nodal,
        organ=lesion.organ,
        state=measurement.state,
        long_axis_mm=_length(measurement.long_axis),
        short_axis_mm=_length(measurement.short_axis),
        volume_mm3=to_decimal(item.biomarkers.voxel_volume_mm3) if has_volume and item.biomarkers else None,
        label=lesion.label,
        method=method_of(measurement.modality),
        slice_thickness_mm=None if thickness is None else to_decimal(thickness),
        volume_doubt=_volume_doubt(item),
    )


def _volume_doubt(item: LesionEvaluation) -> str:
    """Return why the volume of a measured lesion is not known or not to be believed; empty where it is."""
    if item.biomarkers is not None and item.mask is not None and not item.mask.is_empty:
        return item.biomarkers.volume_doubt
    return "" if item.measurement.long_axis is None else "it has no mask"


def _length(axis: Axis | None) -> Decimal | None:
    return None if axis is None else to_decimal(axis.length_mm)
