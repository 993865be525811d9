"""Writes what a reader measured on the phantom as a TID 1500 structured report."""

import datetime
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from highdicom.sr import (
    CodedConcept,
    ComprehensiveSR,
    CoordinatesForMeasurement,
    FindingSite,
    Measurement,
    MeasurementReport,
    MeasurementsAndQualitativeEvaluations,
    ObservationContext,
    ObserverContext,
    PersonObserverIdentifyingAttributes,
    QualitativeEvaluation,
    SourceImageForMeasurementGroup,
    SourceImageForRegion,
    TrackingIdentifier,
)
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes
from pydicom.uid import CTImageStorage

from dicom_node.phantom_series import MANUFACTURER, MODEL
from tumorresp.domain.identity import derived_uid
from tumorresp.domain.measurement import Axis, LesionRole, LesionState
from tumorresp.domain.terminology import (
    ABSENT,
    LESION_ROLE,
    LESION_STATE,
    LONG_AXIS,
    NEOPLASM,
    PRESENT,
    PRIVATE_SCHEME,
    ROLE_NEW,
    ROLE_NON_TARGET,
    ROLE_TARGET,
    SHORT_AXIS,
    Code,
)
from tumorresp.phantom.thorax_abdomen import PhantomLesion, PhantomTimePoint

_ROLES = {LesionRole.TARGET: ROLE_TARGET, LesionRole.NON_TARGET: ROLE_NON_TARGET, LesionRole.NEW: ROLE_NEW}
_STATES = {LesionState.ABSENT: ABSENT, LesionState.PRESENT: PRESENT}


def write_reading(time_point: PhantomTimePoint, ct_paths: Sequence[Path], folder: Path) -> Path:
    """Write the reader's Comprehensive SR of one scan: a TID 1501 group per lesion.

    A measured lesion has a Long Axis and a Short Axis, each with its line (SCOORD POLYLINE) on the key slice; the
    others have a state only. The role and the state are coded in the private scheme, which the object declares.

    Parameters
    ----------
    ct_paths
        The scan's files as ``write_series`` returns them, in slice order.

    Returns
    -------
    Path
        ``reading-<order>.dcm`` in the folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    images = [dcmread(path, stop_before_pixels=True) for path in ct_paths]
    reader = ObserverContext(
        observer_type=codes.DCM.Person,
        observer_identifying_attributes=PersonObserverIdentifyingAttributes(name="READER^ONE"),
    )
    report = MeasurementReport(
        observation_context=ObservationContext(observer_person_context=reader),
        procedure_reported=CodedConcept("25045-6", "LN", "CT unspecified body region"),
        imaging_measurements=[_group(lesion, time_point, images) for lesion in time_point.lesions],
        title=codes.DCM.ImagingMeasurementReport,
    )
    document = ComprehensiveSR(
        evidence=_evidence(time_point, images),
        content=report,
        series_instance_uid=derived_uid("phantom reading series", time_point.series_instance_uid),
        series_number=90,
        sop_instance_uid=derived_uid("phantom reading", time_point.series_instance_uid, _lines(time_point)),
        instance_number=1,
        manufacturer=MANUFACTURER,
        manufacturer_model_name=MODEL,
        software_versions="1",
        device_serial_number="1",
        is_complete=True,
        series_description="RECIST 1.1 reading (phantom)",
    )
    _settle(document, time_point.date)
    path = folder / f"reading-{time_point.order}.dcm"
    document.save_as(path, enforce_file_format=True)
    return path


def _group(
    lesion: PhantomLesion, time_point: PhantomTimePoint, images: Sequence[Dataset]
) -> MeasurementsAndQualitativeEvaluations:
    course = lesion.course
    evaluations = [QualitativeEvaluation(_concept(LESION_ROLE), _concept(_ROLES[course.role]))]
    if lesion.state in _STATES:
        evaluations.append(QualitativeEvaluation(_concept(LESION_STATE), _concept(_STATES[lesion.state])))
    measurements, sources = [], None
    if lesion.key_slice is not None:
        image = images[lesion.key_slice]
        measurements = [
            _measurement(concept, axis, time_point, lesion.key_slice, image)
            for concept, axis in ((LONG_AXIS, lesion.long_axis), (SHORT_AXIS, lesion.short_axis))
            if axis is not None
        ]
        if not measurements:
            sources = [SourceImageForMeasurementGroup(image.SOPClassUID, image.SOPInstanceUID)]
    return MeasurementsAndQualitativeEvaluations(
        tracking_identifier=TrackingIdentifier(uid=lesion.tracking_uid, identifier=course.lesion_id),
        finding_type=_concept(NEOPLASM),
        finding_sites=[FindingSite(_concept(course.site))],
        measurements=measurements or None,
        qualitative_evaluations=evaluations,
        source_images=sources,
    )


def _measurement(
    concept: Code, axis: Axis, time_point: PhantomTimePoint, key_slice: int, image: Dataset
) -> Measurement:
    index = time_point.geometry.lps_to_index([axis.start_lps_mm, axis.end_lps_mm])
    # SCOORD counts (column, row) from the corner of the first pixel (PS3.3 C.18.6.1.2); ours counts from its centre.
    pixels = index[:, [2, 1]] + 0.5
    if np.abs(index[:, 0] - key_slice).max() > 1e-6:
        raise ValueError("a phantom axis must lie on its key slice")
    return Measurement(
        name=_concept(concept),
        value=round(axis.length_mm, 2),
        unit=codes.UCUM.Millimeter,
        referenced_coordinates=[
            CoordinatesForMeasurement("POLYLINE", pixels, SourceImageForRegion(CTImageStorage, image.SOPInstanceUID))
        ],
    )


def _evidence(time_point: PhantomTimePoint, images: Sequence[Dataset]) -> list[Dataset]:
    """Return the images that are referred to; the first image where none is."""
    slices = sorted({lesion.key_slice for lesion in time_point.lesions if lesion.key_slice is not None})
    return [images[index] for index in slices or [0]]


def _lines(time_point: PhantomTimePoint) -> str:
    return repr([(lesion.course.lesion_id, lesion.long_axis, lesion.short_axis) for lesion in time_point.lesions])


def _concept(code: Code) -> CodedConcept:
    return CodedConcept(code.value, code.scheme, code.meaning)


def _settle(document: Any, day: datetime.date) -> None:
    """Put the phantom's date where the clock's stood, so that a rerun writes the same bytes; declare the scheme."""
    stamp = day.strftime("%Y%m%d")
    document.ContentDate = document.SeriesDate = document.InstanceCreationDate = stamp
    document.ContentTime = document.SeriesTime = document.InstanceCreationTime = "113000"
    for equipment in document.get("ContributingEquipmentSequence", ()):
        equipment.ContributionDateTime = f"{stamp}113000"
    scheme = Dataset()
    scheme.CodingSchemeDesignator = PRIVATE_SCHEME
    scheme.CodingSchemeName = "tumorresp private codes"
    scheme.CodingSchemeResponsibleOrganization = "tumorresp"
    document.CodingSchemeIdentificationSequence = [scheme]
