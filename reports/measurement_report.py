"""The structured report of one time point: TID 1500 with measurements, biomarkers and responses (PS3.16).

Per lesion: a TID 1411 group with the SEG's segment as region and everything measured on the mask, and a TID 1501 group
with the reader's axes; both carry one tracking UID. Per criterion: a TID 1501 group with sums, changes, categories and
reasons. The title is 126000 (Imaging Measurement Report): viewers show no measurements under another one.
"""

from collections.abc import Sequence

from highdicom.sr import (
    Comprehensive3DSR,
    ComprehensiveSR,
    DeviceObserverIdentifyingAttributes,
    EnhancedSR,
    LongitudinalTemporalOffsetFromEvent,
    MeasurementReport,
    ObservationContext,
    ObserverContext,
    PersonObserverIdentifyingAttributes,
    TimePointContext,
)
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes

from reports.derived_object import MANUFACTURER, MODEL, SERIAL_NUMBER, ReportContext, concept, settle
from reports.lesion_groups import Group, SegmentedSeries, mask_group, reader_group
from reports.report_concepts import BASELINE_EVENT, BASELINE_TYPE, PROCEDURE
from reports.response_groups import response_group
from tumorresp.domain.evaluation import TimePointEvaluation
from tumorresp.domain.evaluation_findings import PlacedFinding
from tumorresp.domain.identity import derived_uid
from tumorresp.domain.version import SOFTWARE_VERSION

KIND = "SR"
_CLASSES = {"comprehensive": ComprehensiveSR, "comprehensive-3d": Comprehensive3DSR, "enhanced": EnhancedSR}
_PERSON_NAME_LENGTH = 64
_PERSON_NAME_GROUPS = 3


def build_measurement_report(
    series: Sequence[SegmentedSeries],
    study_image: Dataset,
    time_point: TimePointEvaluation,
    days_since_baseline: int,
    context: ReportContext,
    *,
    sop_class: str = "comprehensive",
    deciding: Sequence[PlacedFinding] = (),
    predecessor: Dataset | None = None,
) -> Dataset:
    """Build the structured report of a time point.

    Parameters
    ----------
    series
        Every CT series that a measurement of the time point refers to; may be none.
    study_image
        An instance of the study; the evidence where nothing else is referred to.
    days_since_baseline
        Longitudinal temporal offset.
    sop_class
        ``comprehensive`` or ``enhanced`` with lines on images (SCOORD), ``comprehensive-3d`` with lines in the patient
        (SCOORD3D).
    deciding
        What may have changed a response of this time point; it stands with the responses.
    predecessor
        The report that this one replaces.
    """
    groups = _lesion_groups(series, time_point, days_since_baseline, sop_class)
    groups += [
        response_group(
            assessment,
            str(study_image.get("PatientID") or ""),
            _time_point_context(time_point, days_since_baseline),
            deciding=[item.sentence for item in deciding if item.criterion in ("", assessment.criterion)],
        )
        for assessment in time_point.assessments
    ]
    evidence = {str(item.SOPInstanceUID): item for group in groups for item in group.evidence}
    report = MeasurementReport(
        observation_context=_observers(time_point),
        procedure_reported=concept(PROCEDURE),
        imaging_measurements=[group.content for group in groups],
        title=codes.DCM.ImagingMeasurementReport,
    )
    document = _CLASSES[sop_class](
        evidence=list(evidence.values()) or [study_image],
        content=report,
        series_instance_uid=context.series_uid(KIND),
        series_number=9002,
        sop_instance_uid=context.instance_uid(KIND),
        instance_number=1,
        manufacturer=MANUFACTURER,
        manufacturer_model_name=MODEL,
        software_versions=SOFTWARE_VERSION,
        device_serial_number=SERIAL_NUMBER,
        is_complete=True,
        is_final=False,
        is_verified=False,
        series_description=context.described(f"Response {time_point.time_point.name}"),
        previous_versions=[predecessor] if predecessor is not None else None,
    )
    settle(document, context)
    return document


def _lesion_groups(
    series: Sequence[SegmentedSeries], time_point: TimePointEvaluation, days: int, sop_class: str
) -> list[Group]:
    """Return the groups of all lesions, in order."""
    by_uid = {item.volume.series_instance_uid: item for item in series}
    groups: list[Group] = []
    for item in time_point.lesions:
        held = by_uid.get(item.measurement.series_instance_uid)
        on_mask = mask_group(item, held, _time_point_context(time_point, days))
        if on_mask is not None:
            groups.append(on_mask)
        in_3d = sop_class == "comprehensive-3d"
        groups.append(reader_group(item, held, _time_point_context(time_point, days), in_3d=in_3d))
    return groups


def _observers(time_point: TimePointEvaluation) -> ObservationContext:
    device = ObserverContext(
        observer_type=codes.DCM.Device,
        observer_identifying_attributes=DeviceObserverIdentifyingAttributes(
            uid=derived_uid("device", MANUFACTURER, SOFTWARE_VERSION),
            name="tumorresp",
            manufacturer_name=MANUFACTURER,
            model_name=MODEL,
            serial_number=SERIAL_NUMBER,
        ),
    )
    readers = sorted({item.measurement.reader for item in time_point.lesions if item.measurement.reader})
    if len(readers) != 1:
        return ObservationContext(observer_device_context=device)
    groups = readers[0].replace("\\", " ").split("=")[:_PERSON_NAME_GROUPS]
    name = "=".join(group[:_PERSON_NAME_LENGTH] for group in groups)
    person = ObserverContext(
        observer_type=codes.DCM.Person,
        observer_identifying_attributes=PersonObserverIdentifyingAttributes(name=name if "^" in name else f"{name}^"),
    )
    return ObservationContext(observer_person_context=person, observer_device_context=device)


def _time_point_context(time_point: TimePointEvaluation, days: int) -> TimePointContext:
    """Return TID 1502; whether a follow-up is after treatment is not known here, so only a baseline has a type."""
    point = time_point.time_point
    return TimePointContext(
        time_point=point.name,
        time_point_type=concept(BASELINE_TYPE) if point.order == 1 else None,
        time_point_order=point.order,
        subject_time_point_identifier=point.time_point_id,
        temporal_offset_from_event=LongitudinalTemporalOffsetFromEvent(
            float(days), codes.UCUM.Day, concept(BASELINE_EVENT)
        ),
    )
