"""One reading of a subject, assessed: lesions followed, observations made, criteria applied."""

import datetime
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from tumorresp.domain.assessment import Assessment
from tumorresp.domain.ct_volume import CtVolume
from tumorresp.domain.eligibility import BaselineRules
from tumorresp.domain.evaluation import LesionEvaluation, SubjectEvaluation, TimePoint, TimePointEvaluation
from tumorresp.domain.finding import Finding, Severity
from tumorresp.domain.identity import derived_uuid
from tumorresp.domain.lesion_tracking import Assignment, TrackingResult, follow_lesions
from tumorresp.domain.mask_agreement import held_against_reader
from tumorresp.domain.measurement import Measurement
from tumorresp.domain.slice_comparison import slice_change_findings
from tumorresp.domain.version import SOFTWARE_VERSION
from tumorresp.response import assess_recist_1_1, assess_volumetric
from tumorresp.response.baseline import BaselineChoice, choose_baseline
from tumorresp.response.discordance import discordances
from tumorresp.response.observation import Visit
from tumorresp.response.recist_1_1 import CRITERION as RECIST
from tumorresp.response.refused import assess_with_refused
from tumorresp.response.subject import SubjectCourse, SubjectDates
from tumorresp.response.target_choice import check_baseline
from tumorresp.response.volumetric import CRITERION as VOLUMETRIC
from tumorresp.service.pipeline.alignment import tracked_time_points
from tumorresp.service.pipeline.left_out import new_lesion_missed
from tumorresp.service.pipeline.lesion_results import LesionResult
from tumorresp.service.pipeline.observations import baseline_lesions, visits_of
from tumorresp.service.pipeline.scan_remarks import scan_remarks
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
    start: datetime.date | None = None,
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
    start
        Of treatment: the baseline is the last valid scan before it; None where it is not known.
    """
    tracked, notes = tracked_time_points(reading.visits, volume_of)
    before = sum(1 for visit in reading.visits if start is not None and visit.first_date <= start)
    followed = follow_lesions(subject_key, tracked, decisions=decisions, before_treatment=before)
    remarks = scan_remarks(tracked, followed, reading.looks)
    lesions = [tuple(_lesion(assignment, result_of) for assignment in result.assignments) for result in followed]
    provisional = _points(subject_key, reading, BaselineChoice(0))
    choice = _baseline(visits_of(provisional, lesions, followed), start)
    points = _points(subject_key, reading, choice)
    assessed = _assessed(subject_key, visits_of(points, lesions, followed), choice, start)
    baseline = baseline_lesions(points, lesions)
    return SubjectEvaluation(
        subject_key,
        patient_id,
        tuple(
            TimePointEvaluation(
                point,
                _study_of(visit),
                lesions[number],
                followed[number].ambiguous,
                assessed.by_point.get(point.time_point_id, ()),
                (
                    *visit.findings,
                    *notes[number],
                    *remarks[number],
                    *(assessed.of_baseline if point.order == 1 else ()),
                    *(() if point.is_counted else (_not_counted(),)),
                    *(() if point.is_read else (_not_read(),)),
                    *_not_used(followed[number]),
                    *(slice_change_findings(lesions[number], baseline) if point.order > 1 else ()),
                ),
                assessed.differing.get(point.time_point_id, ()),
            )
            for number, (point, visit) in enumerate(zip(points, reading.visits, strict=True))
        ),
        SOFTWARE_VERSION,
        reading.reader,
    )


@dataclass(frozen=True)
class _Assessed:
    """Assessments and discordances by time point ID, and what is said of the baseline."""

    by_point: Mapping[str, tuple[Assessment, ...]]
    differing: Mapping[str, tuple[str, ...]]
    of_baseline: tuple[Finding, ...]


def _points(subject_key: str, reading: Reading, choice: BaselineChoice) -> list[TimePoint]:
    """Return the time points with their places: 1 for the baseline, less for other scans before treatment."""
    orders: dict[int, int] = {}
    for place, index in enumerate(sorted(choice.not_counted, reverse=True)):
        orders[index] = -place
    counted = [index for index in range(len(reading.visits)) if index not in choice.not_counted]
    orders |= {index: place for place, index in enumerate(counted, start=1)}
    return [
        TimePoint(
            time_point_id_of(subject_key, reading.reader, visit),
            visit.date,
            orders[index],
            visit.first_date,
            is_read=index == 0 or bool(visit.items),
            new_lesion_missed="" if reading.reader else new_lesion_missed(visit.findings),
        )
        for index, visit in enumerate(reading.visits)
    ]


def _baseline(visits: Sequence[Visit], start: datetime.date | None) -> BaselineChoice:
    """Return which visit is the baseline; without a known start of treatment the first, which is said."""
    if start is None:
        words = (
            "No treatment start is known (setting treatment_starts): the first scan that was read is the baseline, "
            "whether or not it was the last before treatment."
        )
        return BaselineChoice(0, (), (Finding("baseline-is-first-scan", Severity.INFO, words, visits[0].name),))
    return choose_baseline(visits, start)


def _assessed(
    subject_key: str, visits: Sequence[Visit], choice: BaselineChoice, start: datetime.date | None
) -> _Assessed:
    counted = tuple(visit for index, visit in enumerate(visits) if index not in choice.not_counted)
    course = SubjectCourse(
        subject_key,
        "",
        counted,
        SubjectDates(reference=start, first_treatment=start),
        before_treatment=tuple(visits[index] for index in choice.not_counted),
    )
    late = BaselineRules().late_target
    recist = assess_with_refused(course, RECIST, assess_recist_1_1, late)
    volumetric = assess_with_refused(course, VOLUMETRIC, assess_volumetric, late)
    differing = {item.time_point_id: item.why for item in discordances(recist, volumetric, counted)}
    by_point = {visit.time_point_id: pair for visit, *pair in zip(counted, recist, volumetric, strict=True)}
    return _Assessed(
        {name: tuple(pair) for name, pair in by_point.items()},
        differing,
        (*choice.findings, *check_baseline(counted, course.dates)),
    )


def _not_read() -> Finding:
    words = "The CT of this time point was not read: no measurement refers to it, and it is not evaluable."
    return Finding("not-read", Severity.WARNING, words, decides=True)


def _not_counted() -> Finding:
    words = "This scan lies before treatment and is not the baseline: it is shown, and counts in nothing."
    return Finding("before-baseline", Severity.INFO, words)


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
