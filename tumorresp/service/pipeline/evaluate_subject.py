"""One reading of a subject, assessed: lesions followed, observations made, criteria applied."""

from collections.abc import Callable, Mapping

from tumorresp.domain.ct_volume import CtVolume
from tumorresp.domain.evaluation import LesionEvaluation, SubjectEvaluation, TimePoint, TimePointEvaluation
from tumorresp.domain.finding import Finding, Severity
from tumorresp.domain.identity import derived_uuid
from tumorresp.domain.lesion_tracking import Assignment, TrackingResult, follow_lesions
from tumorresp.domain.mask_agreement import held_against_reader
from tumorresp.domain.measurement import Measurement
from tumorresp.domain.version import SOFTWARE_VERSION
from tumorresp.response import assess_recist_1_1, assess_volumetric
from tumorresp.response.discordance import discordances
from tumorresp.response.subject import SubjectDates
from tumorresp.response.target_choice import check_baseline
from tumorresp.service.pipeline.alignment import tracked_time_points
from tumorresp.service.pipeline.lesion_results import LesionResult
from tumorresp.service.pipeline.observations import visits_of
from tumorresp.service.pipeline.visits import Reading, ReadVisit

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
    tracked, notes = tracked_time_points(reading.visits, volume_of)
    followed = follow_lesions(subject_key, tracked, decisions=decisions)
    points = [
        TimePoint(
            time_point_id_of(subject_key, reading.reader, visit),
            visit.date,
            order,
            visit.first_date,
            is_read=order == 1 or bool(visit.items),
        )
        for order, visit in enumerate(reading.visits, start=1)
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
                _study_of(visit),
                lesions[number],
                followed[number].ambiguous,
                assessed[number],
                (
                    *visit.findings,
                    *notes[number],
                    *(check_baseline(visits, SubjectDates()) if number == 0 else ()),
                    *_not_used(followed[number]),
                ),
                differing.get(point.time_point_id, ()),
            )
            for number, (point, visit) in enumerate(zip(points, reading.visits, strict=True))
        ),
        SOFTWARE_VERSION,
        reading.reader,
    )


def _not_used(result: TrackingResult) -> tuple[Finding, ...]:
    """Say which measurements a person has put aside; those that another one supersedes are said at its lesion."""
    return tuple(
        Finding("not-used", Severity.INFO, f"Not used: {item.reason}.", item.measurement.measurement_uid)
        for item in result.superseded
        if not item.by_uid
    )


def time_point_id_of(subject_key: str, reader: str, visit: ReadVisit) -> str:
    """Return the ID of a time point of a reading; the reader is empty where the subject has one reading only."""
    return str(derived_uuid("time-point", subject_key, reader, visit.first_date.isoformat()))


def _study_of(visit: ReadVisit) -> str:
    """Return the study that results belong to: the one that most measurements lie on, the earliest of several."""
    studies = [item.study_instance_uid for item in visit.items]
    return max(visit.studies, key=studies.count)


def _lesion(assignment: Assignment, result_of: ResultOf) -> LesionEvaluation:
    result = result_of(assignment.measurement)
    findings = assignment.findings
    if result is not None and result.failure:
        words = f"No mask: {result.failure}"
        refused = Finding("not-segmented", Severity.ERROR, words, assignment.lesion.lesion_id)
        findings = (*findings, refused, *result.findings)
    return LesionEvaluation(
        assignment.lesion,
        assignment.measurement,
        result.mask if result else None,
        held_against_reader(result.biomarkers, assignment.measurement) if result and result.biomarkers else None,
        assignment.matched_by,
        findings,
    )
