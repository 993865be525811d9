"""The phantom subject as an evaluation with known masks: what the page, PDF and table tests write from."""

from decimal import Decimal
from functools import cache

from tumorresp.domain.assessment import Assessment, Category, NewLesionStatus
from tumorresp.domain.biomarkers import Biomarkers
from tumorresp.domain.ct_volume import CtVolume
from tumorresp.domain.decimal_mm import to_decimal
from tumorresp.domain.evaluation import (
    AmbiguousMatch,
    Lesion,
    LesionEvaluation,
    SubjectEvaluation,
    TimePoint,
    TimePointEvaluation,
)
from tumorresp.domain.finding import Finding, Severity
from tumorresp.domain.measurement import LesionRole, Measurement, SourceDocument
from tumorresp.phantom.thorax_abdomen import SMALL, PhantomLesion, PhantomSubject, PhantomTimePoint


@cache
def phantom() -> tuple[PhantomTimePoint, ...]:
    return tuple(PhantomSubject(SMALL).time_points())


def volumes(series_instance_uid: str) -> CtVolume:
    return next(p.ct_volume for p in phantom() if p.series_instance_uid == series_instance_uid)


@cache
def phantom_evaluation() -> SubjectEvaluation:
    points = []
    for scan in phantom():
        lesions = tuple(_lesion(scan, lesion) for lesion in scan.lesions if lesion.state is not None)
        time_point = TimePoint(f"time-point-{scan.order}", scan.date, scan.order)
        points.append(
            TimePointEvaluation(time_point, scan.study_instance_uid, lesions, (), _assessments(points, lesions, scan))
        )
    return SubjectEvaluation("0123456789ab", "TR-PHANTOM-1", tuple(points), "0.0-test")


def ambiguous_measurement() -> AmbiguousMatch:
    measurement = phantom_evaluation().time_points[1].lesions[0].measurement
    return AmbiguousMatch(measurement, ("T01", "T04"), "Two lesions are <equally> near.")


def _lesion(scan: PhantomTimePoint, truth: PhantomLesion) -> LesionEvaluation:
    course = truth.course
    lesion = Lesion(
        course.lesion_id, truth.tracking_uid, course.role, course.organ == "lymph node", course.organ, course.label
    )
    uid = f"2.25.{scan.order}{sum(course.lesion_id.encode())}"
    measurement = Measurement(
        uid,
        SourceDocument("test", "2.25.7"),
        scan.study_instance_uid,
        scan.series_instance_uid,
        "" if truth.key_slice is None else scan.sop_instance_uids[truth.key_slice],
        None,
        truth.long_axis,
        truth.short_axis,
        truth.state,
        findings=(Finding("stated-length-differs", Severity.WARNING, "Stated 10 mm, measured 12 mm."),)
        if course.lesion_id == "T02"
        else (),
    )
    biomarkers = None
    if truth.mask is not None:
        volume = truth.mask.voxel_count * scan.geometry.voxel_volume_mm3
        biomarkers = Biomarkers(
            uid, volume, None, truth.long_axis, truth.short_axis, truth.key_slice, "", None, 40.0, 8.0, 0.9, 0.2
        )
    return LesionEvaluation(lesion, measurement, truth.mask, biomarkers, "tracking UID" if scan.order > 1 else "")


def _assessments(
    earlier: list[TimePointEvaluation], lesions: tuple[LesionEvaluation, ...], scan: PhantomTimePoint
) -> tuple[Assessment, ...]:
    """Sums as the rules make them; the categories are set by hand, as no rule is under test here."""
    targets = [item for item in lesions if item.lesion.role is LesionRole.TARGET]
    diameters = sum(
        (
            to_decimal((i.measurement.short_axis if i.lesion.nodal else i.measurement.long_axis).length_mm)
            for i in targets
            if i.measurement.long_axis
        ),
        Decimal(0),
    )
    volume = sum((to_decimal(i.biomarkers.voxel_volume_mm3) for i in targets if i.biomarkers), Decimal(0))
    return tuple(
        _assessment(criterion, unit, value, [p.assessments[n].target_sum for p in earlier], category, scan)
        for n, (criterion, unit, value, category) in enumerate(
            (
                ("recist-1.1", "mm", diameters, (Category.BASELINE, Category.SD, Category.PD)[scan.order - 1]),
                ("volume-recist", "mm3", volume, (Category.BASELINE, Category.PR, Category.PD)[scan.order - 1]),
            )
        )
    )


def _assessment(criterion, unit, value, earlier, category, scan) -> Assessment:
    baseline, nadir = (earlier[0], min(earlier)) if earlier else (None, None)
    return Assessment(
        criterion,
        f"time-point-{scan.order}",
        category,
        Category.NON_CR_NON_PD if earlier else Category.BASELINE,
        NewLesionStatus.YES if scan.order == 3 else NewLesionStatus.NO,
        category,
        unit,
        value,
        baseline,
        nadir,
        None if baseline is None else 100 * (value - baseline) / baseline,
        None if nadir is None else 100 * (value - nadir) / nadir,
        None if nadir is None else value - nadir,
        (f"{criterion} reason at time point {scan.order}.",),
        (("pr_fraction", "0.7"),),
        "0.0-test",
    )
