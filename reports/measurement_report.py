"""The structured report of one time point: TID 1500 with measurements, biomarkers and responses (PS3.16).

Per lesion: a TID 1411 group with the SEG's segment as region and everything measured on the mask, and a TID 1501 group
with the reader's axes; both carry one tracking UID. Per criterion: a TID 1501 group with sums, changes, categories and
reasons. The title is 126000 (Imaging Measurement Report): viewers show no measurements under another one.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from highdicom.sr import (
    AlgorithmIdentification,
    Comprehensive3DSR,
    ComprehensiveSR,
    CoordinatesForMeasurement,
    CoordinatesForMeasurement3D,
    DeviceObserverIdentifyingAttributes,
    EnhancedSR,
    FindingSite,
    LongitudinalTemporalOffsetFromEvent,
    Measurement,
    MeasurementReport,
    MeasurementsAndQualitativeEvaluations,
    ObservationContext,
    ObserverContext,
    PersonObserverIdentifyingAttributes,
    QualitativeEvaluation,
    ReferencedSegment,
    SourceImageForMeasurementGroup,
    SourceImageForRegion,
    SourceSeriesForSegmentation,
    TextContentItem,
    TimePointContext,
    TrackingIdentifier,
    VolumetricROIMeasurementsAndQualitativeEvaluations,
)
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes

from reports.derived_object import (
    MANUFACTURER,
    MODEL,
    SERIAL_NUMBER,
    ReportContext,
    declare_private_scheme,
    settle,
)
from reports.report_concepts import (
    BASELINE_SUM,
    CHANGE_FROM_BASELINE,
    CHANGE_FROM_NADIR,
    MASK_AXIS,
    METHODS,
    NADIR_SUM,
    NEW_LESIONS,
    NON_TARGET_RESPONSE,
    OVERALL_RESPONSE,
    REASON,
    ROLES,
    STATES,
    SUMS,
    TARGET_RESPONSE,
    category_code,
    new_lesions_code,
    non_target_code,
    target_code,
)
from reports.segmentation import algorithm_parameters, concept
from tumorresp.domain.assessment import Assessment
from tumorresp.domain.biomarkers import Biomarker, Biomarkers
from tumorresp.domain.ct_volume import CtVolume
from tumorresp.domain.evaluation import LesionEvaluation, TimePointEvaluation
from tumorresp.domain.identity import derived_uid
from tumorresp.domain.measurement import Axis, LesionState
from tumorresp.domain.terminology import (
    ATTENUATION,
    CURRENT_RESPONSE,
    LESION_ROLE,
    LESION_STATE,
    LONG_AXIS,
    LYMPH_NODE,
    MAXIMUM_3D_DIAMETER,
    MEAN,
    NEOPLASM,
    RECIST_1_1,
    SHORT_AXIS,
    SPHERICITY,
    STANDARD_DEVIATION,
    VOLUME,
    VOLUME_OF_MESH,
    Code,
)
from tumorresp.domain.version import SOFTWARE_VERSION

KIND = "SR"
_PROCEDURE = Code("25045-6", "LN", "CT unspecified body region")
_VOXEL_VOLUME_METHOD = Code("126030", "DCM", "Sum of segmented voxel method for volume")
_BASELINE_TYPE = Code("C1442488", "UMLS", "Baseline")
_FOLLOW_UP_TYPE = Code("126074", "DCM", "Posttreatment")
_BASELINE_EVENT = Code("121079", "DCM", "Baseline")
_UNITS = {
    "mm": Code("mm", "UCUM", "millimeter"),
    "mm2": Code("mm2", "UCUM", "square millimeter"),
    "mm3": Code("mm3", "UCUM", "cubic millimeter"),
    "[hnsf'U]": Code("[hnsf'U]", "UCUM", "Hounsfield unit"),
    "1": Code("1", "UCUM", "no units"),
    "%": Code("%", "UCUM", "percent"),
}
_CLASSES = {"comprehensive": ComprehensiveSR, "comprehensive-3d": Comprehensive3DSR, "enhanced": EnhancedSR}
_LONGEST_REASON = 1024


@dataclass(frozen=True, eq=False)
class SegmentedSeries:
    """A CT series, its instances, and the SEG on it (None where no lesion of the series has a mask)."""

    volume: CtVolume
    images: Mapping[str, Dataset]
    segmentation: Dataset | None


def build_measurement_report(
    series: Sequence[SegmentedSeries],
    time_point: TimePointEvaluation,
    days_since_baseline: int,
    context: ReportContext,
    *,
    sop_class: str = "comprehensive",
    previous_version: Dataset | None = None,
) -> Dataset:
    """Build the structured report of a time point.

    Parameters
    ----------
    series
        Every CT series that a measurement of the time point refers to; at least one.
    days_since_baseline
        Longitudinal temporal offset.
    sop_class
        ``comprehensive`` or ``enhanced`` with lines on images (SCOORD), ``comprehensive-3d`` with lines in the patient
        (SCOORD3D).
    previous_version
        The report that this one replaces.
    """
    builder = _ReportBuilder(series, time_point, days_since_baseline, in_3d=sop_class == "comprehensive-3d")
    report = MeasurementReport(
        observation_context=_observers(time_point),
        procedure_reported=concept(_PROCEDURE),
        imaging_measurements=builder.groups(),
        title=codes.DCM.ImagingMeasurementReport,
    )
    document = _CLASSES[sop_class](
        evidence=builder.evidence(),
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
        previous_versions=[previous_version] if previous_version is not None else None,
        series_description=f"Response {time_point.time_point.name}",
    )
    declare_private_scheme(document)
    settle(document, context)
    return document


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
    name = readers[0] if "^" in readers[0] else f"{readers[0]}^"
    person = ObserverContext(
        observer_type=codes.DCM.Person,
        observer_identifying_attributes=PersonObserverIdentifyingAttributes(name=name),
    )
    return ObservationContext(observer_person_context=person, observer_device_context=device)


class _ReportBuilder:
    """Makes the measurement groups of one time point."""

    def __init__(
        self, series: Sequence[SegmentedSeries], time_point: TimePointEvaluation, days: int, *, in_3d: bool
    ) -> None:
        self._series = {item.volume.series_instance_uid: item for item in series}
        self._time_point = time_point
        self._days = days
        self._in_3d = in_3d
        self._used: dict[str, Dataset] = {}

    def groups(self) -> list[object]:
        """Return all groups: lesions in order, then criteria."""
        groups: list[object] = []
        for item in self._time_point.lesions:
            volumetric = self._volumetric_group(item)
            if volumetric is not None:
                groups.append(volumetric)
            groups.append(self._reader_group(item))
        groups += [self._response_group(assessment) for assessment in self._time_point.assessments]
        return groups

    def evidence(self) -> list[Dataset]:
        """Return every object that the groups refer to; call it after ``groups``."""
        if self._used:
            return list(self._used.values())
        return [next(iter(item.images.values())) for item in self._series.values()][:1]

    def _volumetric_group(self, item: LesionEvaluation) -> VolumetricROIMeasurementsAndQualitativeEvaluations | None:
        held = self._series.get(item.measurement.series_instance_uid)
        number = _segment_number(item, held)
        if held is None or held.segmentation is None or number is None or item.mask is None or item.biomarkers is None:
            return None
        self._used[str(held.segmentation.SOPInstanceUID)] = held.segmentation
        return VolumetricROIMeasurementsAndQualitativeEvaluations(
            tracking_identifier=_tracking(item),
            referenced_segment=ReferencedSegment(
                held.segmentation.SOPClassUID,
                held.segmentation.SOPInstanceUID,
                number,
                source_series=SourceSeriesForSegmentation(held.volume.series_instance_uid),
            ),
            time_point_context=self._context(),
            finding_type=concept(NEOPLASM),
            finding_sites=_sites(item),
            algorithm_id=AlgorithmIdentification(
                name=item.mask.segmenter.name,
                version=item.mask.segmenter.version,
                parameters=[f"{name}={value}" for name, value in algorithm_parameters(item.mask.segmenter)] or None,
            ),
            measurements=self._biomarkers(item.biomarkers),
        )

    @staticmethod
    def _biomarkers(biomarkers: Biomarkers) -> list[Measurement]:
        rows: list[tuple[Code, float | None, str, Code | None, Code | None]] = [
            (VOLUME, biomarkers.voxel_volume_mm3, "mm3", _VOXEL_VOLUME_METHOD, None),
            (VOLUME_OF_MESH, biomarkers.mesh_volume_mm3, "mm3", None, None),
            (MAXIMUM_3D_DIAMETER, biomarkers.maximum_3d_diameter_mm, "mm", None, None),
            (SPHERICITY, biomarkers.sphericity, "1", None, None),
            (ATTENUATION, biomarkers.mean_hu, "[hnsf'U]", None, MEAN),
            (ATTENUATION, biomarkers.sd_hu, "[hnsf'U]", None, STANDARD_DEVIATION),
        ]
        # TID 1411 measures its region: the axes' end points follow from the segment, and no line may stand here.
        for name, axis in ((LONG_AXIS, biomarkers.long_axis), (SHORT_AXIS, biomarkers.short_axis)):
            rows.append((name, axis.length_mm if axis else None, "mm", MASK_AXIS, None))
        measured = [_number(*row) for row in rows if row[1] is not None]
        return [*measured, *(_radiomic(item) for item in _coded_radiomics(biomarkers.radiomics))]

    def _reader_group(self, item: LesionEvaluation) -> MeasurementsAndQualitativeEvaluations:
        measurement = item.measurement
        held = self._series.get(measurement.series_instance_uid)
        image = held.images.get(measurement.sop_instance_uid) if held else None
        evaluations = [QualitativeEvaluation(concept(LESION_ROLE), concept(ROLES[item.lesion.role]))]
        if measurement.state is not LesionState.MEASURED:
            evaluations.append(QualitativeEvaluation(concept(LESION_STATE), concept(STATES[measurement.state])))
        lines, sources = [], None
        if held is not None and image is not None:
            lines = [
                self._line(name, axis, held, image)
                for name, axis in ((LONG_AXIS, measurement.long_axis), (SHORT_AXIS, measurement.short_axis))
                if axis is not None
            ]
            if not lines:
                self._used[str(image.SOPInstanceUID)] = image
                sources = [SourceImageForMeasurementGroup(image.SOPClassUID, image.SOPInstanceUID)]
        return MeasurementsAndQualitativeEvaluations(
            tracking_identifier=_tracking(item),
            time_point_context=self._context(),
            finding_type=concept(NEOPLASM),
            finding_sites=_sites(item),
            measurements=lines or None,
            qualitative_evaluations=evaluations,
            source_images=sources,
        )

    def _line(self, name: Code, axis: Axis, held: SegmentedSeries, image: Dataset) -> Measurement:
        ends = np.array([axis.start_lps_mm, axis.end_lps_mm])
        coordinates: CoordinatesForMeasurement | CoordinatesForMeasurement3D
        if self._in_3d:
            coordinates = CoordinatesForMeasurement3D(
                "POLYLINE", ends, held.volume.geometry.frame_of_reference_uid, purpose=codes.DCM.SourceOfMeasurement
            )
        else:
            self._used[str(image.SOPInstanceUID)] = image
            plane = next(p for p in held.volume.planes if p.sop_instance_uid == str(image.SOPInstanceUID))
            # SCOORD counts from the corner of the first pixel (PS3.3 C.18.6.1.2), planes from its centre.
            pixels = np.array([np.add(plane.lps_to_pixel((end[0], end[1], end[2]))[:2], 0.5) for end in ends])
            limit = np.array([plane.columns, plane.rows], dtype=np.float64)
            frame = [plane.frame_number] if plane.frame_number is not None else None
            coordinates = CoordinatesForMeasurement(
                "POLYLINE",
                np.clip(pixels, 0, limit),
                SourceImageForRegion(image.SOPClassUID, image.SOPInstanceUID, frame),
                purpose=codes.DCM.SourceOfMeasurement,
            )
        return Measurement(
            name=concept(name),
            value=axis.length_mm,
            unit=concept(_UNITS["mm"]),
            method=concept(RECIST_1_1),
            referenced_coordinates=[coordinates],
        )

    def _response_group(self, assessment: Assessment) -> MeasurementsAndQualitativeEvaluations:
        method, unit = METHODS[assessment.criterion], assessment.unit
        values = [
            (SUMS[assessment.criterion], assessment.target_sum, unit),
            (BASELINE_SUM, assessment.baseline_sum, unit),
            (NADIR_SUM, assessment.nadir_sum, unit),
            (CHANGE_FROM_BASELINE, assessment.change_from_baseline_percent, "%"),
            (CHANGE_FROM_NADIR, assessment.change_from_nadir_percent, "%"),
        ]
        evaluations = [
            (CURRENT_RESPONSE, target_code(assessment)),
            (TARGET_RESPONSE, target_code(assessment)),
            (NON_TARGET_RESPONSE, non_target_code(assessment)),
            (NEW_LESIONS, new_lesions_code(assessment.new_lesions)),
            (OVERALL_RESPONSE, category_code(assessment.overall)),
        ]
        group = MeasurementsAndQualitativeEvaluations(
            tracking_identifier=TrackingIdentifier(
                uid=derived_uid("response", self._time_point.time_point.time_point_id, assessment.criterion),
                identifier=f"Response {method.meaning}",
            ),
            time_point_context=self._context(),
            measurements=[
                _number(name, float(value), unit_, method, None) for name, value, unit_ in values if value is not None
            ]
            or None,
            qualitative_evaluations=[
                QualitativeEvaluation(concept(name), concept(value)) for name, value in evaluations
            ],
        )
        for reason in assessment.reasons:
            text = TextContentItem(concept(REASON), reason[:_LONGEST_REASON], relationship_type="CONTAINS")
            group[0].ContentSequence.append(text)
        return group

    def _context(self) -> TimePointContext:
        point = self._time_point.time_point
        return TimePointContext(
            time_point=point.name,
            time_point_type=concept(_BASELINE_TYPE if point.order == 1 else _FOLLOW_UP_TYPE),
            time_point_order=point.order,
            subject_time_point_identifier=point.time_point_id,
            temporal_offset_from_event=LongitudinalTemporalOffsetFromEvent(
                float(self._days), codes.UCUM.Day, concept(_BASELINE_EVENT)
            ),
        )


def _segment_number(item: LesionEvaluation, held: SegmentedSeries | None) -> int | None:
    if held is None or held.segmentation is None:
        return None
    for segment in held.segmentation.SegmentSequence:
        if str(segment.get("TrackingUID", "")) == item.lesion.tracking_uid:
            return int(segment.SegmentNumber)
    return None


def _tracking(item: LesionEvaluation) -> TrackingIdentifier:
    return TrackingIdentifier(uid=item.lesion.tracking_uid, identifier=item.lesion.lesion_id)


def _sites(item: LesionEvaluation) -> list[FindingSite] | None:
    site = item.lesion.site or (LYMPH_NODE if item.lesion.nodal else None)
    return [FindingSite(concept(site))] if site is not None else None


def _number(name: Code, value: float | None, unit: str, method: Code | None, derivation: Code | None) -> Measurement:
    assert value is not None
    return Measurement(
        name=concept(name),
        value=float(value),
        unit=concept(_UNITS[unit]),
        method=concept(method) if method else None,
        derivation=concept(derivation) if derivation else None,
    )


def _coded_radiomics(radiomics: Iterable[Biomarker]) -> list[Biomarker]:
    """Return the features of the original image that have an IBSI code, each code once."""
    chosen: dict[str, Biomarker] = {}
    for item in radiomics:
        written = {VOLUME_OF_MESH.value, MAXIMUM_3D_DIAMETER.value, SPHERICITY.value}
        if item.code is not None and item.value is not None and item.unit in _UNITS and item.code.value not in written:
            chosen.setdefault(item.code.value, item)
    return list(chosen.values())


def _radiomic(item: Biomarker) -> Measurement:
    assert item.code is not None
    return _number(item.code, item.value, item.unit, None, None)
