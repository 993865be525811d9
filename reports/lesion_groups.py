"""The measurement groups of one lesion: what the mask gives (TID 1411) and what the reader measured (TID 1501)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from highdicom.sr import (
    AlgorithmIdentification,
    CoordinatesForMeasurement,
    CoordinatesForMeasurement3D,
    FindingSite,
    Measurement,
    MeasurementsAndQualitativeEvaluations,
    QualitativeEvaluation,
    ReferencedSegment,
    SourceImageForMeasurement,
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

from reports.derived_object import concept
from reports.report_concepts import MASK_AXIS, REMARK, ROLES, STATES, SURFACE_VOXEL_SHARE, VOXEL_VOLUME_METHOD
from tumorresp.domain.biomarkers import Biomarker, Biomarkers
from tumorresp.domain.ct_volume import CtVolume
from tumorresp.domain.evaluation import LesionEvaluation
from tumorresp.domain.finding import Finding
from tumorresp.domain.geometry import ImagePlane
from tumorresp.domain.measurement import Axis, LesionState
from tumorresp.domain.terminology import (
    ATTENUATION,
    COMMENT,
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

_UNIT_WORDS = {
    "mm": "millimeter",
    "mm2": "square millimeter",
    "mm3": "cubic millimeter",
    "[hnsf'U]": "Hounsfield unit",
    "1": "no units",
    "%": "percent",
}


@dataclass(frozen=True, eq=False)
class SegmentedSeries:
    """A CT series, its instances by SOP Instance UID, and the SEG on it (None where no lesion has a mask)."""

    volume: CtVolume
    images: Mapping[str, Dataset]
    segmentation: Dataset | None


@dataclass(frozen=True, eq=False)
class Group:
    """A measurement group and the objects that it refers to."""

    content: MeasurementsAndQualitativeEvaluations | VolumetricROIMeasurementsAndQualitativeEvaluations
    evidence: tuple[Dataset, ...] = ()


def number(
    name: Code, value: float, unit: str, *, method: Code | None = None, derivation: Code | None = None
) -> Measurement:
    """Return a measurement without a line; ``unit`` is UCUM.

    The value stands twice: as a decimal of 16 characters and, unrounded, as Floating Point Value (0040,A161).
    """
    return Measurement(
        name=concept(name),
        value=float(value),
        unit=concept(_unit(unit)),
        method=concept(method) if method else None,
        derivation=concept(derivation) if derivation else None,
    )


def mask_group(item: LesionEvaluation, held: SegmentedSeries | None, context: TimePointContext) -> Group | None:
    """Return the TID 1411 group of a lesion's mask, None for a lesion without a segment.

    The mask's axes have no lines here: TID 1411 measures its region, from which their end points follow.
    """
    segment = None if held is None else _segment_number(item, held)
    if held is None or held.segmentation is None or segment is None or item.mask is None or item.biomarkers is None:
        return None
    content = VolumetricROIMeasurementsAndQualitativeEvaluations(
        tracking_identifier=_tracking(item),
        referenced_segment=ReferencedSegment(
            held.segmentation.SOPClassUID,
            held.segmentation.SOPInstanceUID,
            segment,
            source_series=SourceSeriesForSegmentation(held.volume.series_instance_uid),
        ),
        time_point_context=context,
        finding_type=concept(NEOPLASM),
        finding_sites=_sites(item),
        algorithm_id=AlgorithmIdentification(
            name=item.mask.segmenter.name,
            version=item.mask.segmenter.version,
            parameters=[f"{name}={value}" for name, value in item.mask.segmenter.details] or None,
        ),
        measurements=_mask_numbers(item.biomarkers),
    )
    _add_texts(content, REMARK, _messages((*item.mask.findings, *item.biomarkers.findings)))
    return Group(content, (held.segmentation,))


def reader_group(
    item: LesionEvaluation, held: SegmentedSeries | None, context: TimePointContext, *, in_3d: bool
) -> Group:
    """Return the TID 1501 group of what the reader measured or said.

    Parameters
    ----------
    held
        The series that was measured; None when the statement refers to no image that is here.
    in_3d
        Whether lines lie in the patient (SCOORD3D) instead of on an image (SCOORD).
    """
    measurement = item.measurement
    evaluations = [QualitativeEvaluation(concept(LESION_ROLE), concept(ROLES[item.lesion.role]))]
    if measurement.state is not LesionState.MEASURED:
        evaluations.append(QualitativeEvaluation(concept(LESION_STATE), concept(STATES[measurement.state])))
    axes = [
        (name, axis)
        for name, axis in ((LONG_AXIS, measurement.long_axis), (SHORT_AXIS, measurement.short_axis))
        if axis is not None
    ]
    lines = [_reader_axis(name, axis, item, held, in_3d=in_3d) for name, axis in axes]
    evidence = [image for _, image in lines if image is not None]
    named = held.images.get(measurement.sop_instance_uid) if held is not None and not lines else None
    sources = None
    if named is not None:
        evidence.append(named)
        sources = [SourceImageForMeasurementGroup(named.SOPClassUID, named.SOPInstanceUID)]
    content = MeasurementsAndQualitativeEvaluations(
        tracking_identifier=_tracking(item),
        time_point_context=context,
        finding_type=concept(NEOPLASM),
        finding_sites=_sites(item),
        measurements=[line for line, _ in lines] or None,
        qualitative_evaluations=evaluations,
        source_images=sources,
    )
    label = item.lesion.label if item.lesion.label != item.lesion.lesion_id else ""
    _add_texts(content, COMMENT, [text for text in (label, measurement.comment) if text])
    _add_texts(content, REMARK, _messages((*measurement.findings, *item.findings)))
    return Group(content, tuple(evidence))


def _reader_axis(
    name: Code, axis: Axis, item: LesionEvaluation, held: SegmentedSeries | None, *, in_3d: bool
) -> tuple[Measurement, Dataset | None]:
    """Return an axis as a number with its line, and the image that it refers to."""
    plane = None if held is None else _plane_of(axis, item, held)
    image = held.images.get(plane.sop_instance_uid) if held is not None and plane is not None else None
    coordinates: list[CoordinatesForMeasurement | CoordinatesForMeasurement3D] = []
    sources = []
    ends = np.array([axis.start_lps_mm, axis.end_lps_mm])
    if in_3d and held is not None:
        frame_of_reference = str(next(iter(held.images.values())).FrameOfReferenceUID)
        coordinates.append(
            CoordinatesForMeasurement3D("POLYLINE", ends, frame_of_reference, purpose=codes.DCM.SourceOfMeasurement)
        )
        image = None
    elif held is not None and plane is not None and image is not None:
        frames = None if plane.frame_number is None else [plane.frame_number]
        pixels = np.array([plane.lps_to_pixel(end) for end in (axis.start_lps_mm, axis.end_lps_mm)])
        if np.abs(pixels[:, 2]).max() <= held.volume.geometry.slice_distance_mm / 2:
            source = SourceImageForRegion(image.SOPClassUID, image.SOPInstanceUID, frames)
            # SCOORD counts from the corner of the first pixel (PS3.3 C.18.6.1.2), planes from its centre.
            coordinates.append(
                CoordinatesForMeasurement(
                    "POLYLINE", pixels[:, :2] + 0.5, source, purpose=codes.DCM.SourceOfMeasurement
                )
            )
        else:  # an oblique line lies on no single image
            sources.append(SourceImageForMeasurement(image.SOPClassUID, image.SOPInstanceUID, frames))
    measurement = Measurement(
        name=concept(name),
        value=axis.length_mm,
        unit=concept(_unit("mm")),
        method=concept(RECIST_1_1),
        referenced_coordinates=coordinates or None,
        referenced_images=sources or None,
    )
    return measurement, image


def _plane_of(axis: Axis, item: LesionEvaluation, held: SegmentedSeries) -> ImagePlane | None:
    """Return the image plane that was measured, or for patient coordinates alone the nearest one."""
    volume, measurement = held.volume, item.measurement
    if measurement.sop_instance_uid:
        plane = volume.plane_of(measurement.sop_instance_uid, measurement.frame_number)
        if plane is not None:
            return plane
    index = round(float(volume.geometry.lps_to_index(axis.midpoint_lps_mm)[0]))
    if not 0 <= index < len(volume.planes) or not volume.planes[index].sop_instance_uid:
        return None
    return volume.planes[index]


def _mask_numbers(biomarkers: Biomarkers) -> list[Measurement]:
    long_axis, short_axis = biomarkers.long_axis, biomarkers.short_axis
    rows: tuple[tuple[Code, float | None, str, Code | None, Code | None], ...] = (
        (VOLUME, biomarkers.voxel_volume_mm3, "mm3", VOXEL_VOLUME_METHOD, None),
        (VOLUME_OF_MESH, biomarkers.mesh_volume_mm3, "mm3", None, None),
        (LONG_AXIS, long_axis.length_mm if long_axis else None, "mm", MASK_AXIS, None),
        (SHORT_AXIS, short_axis.length_mm if short_axis else None, "mm", MASK_AXIS, None),
        (MAXIMUM_3D_DIAMETER, biomarkers.maximum_3d_diameter_mm, "mm", None, None),
        (SPHERICITY, biomarkers.sphericity, "1", None, None),
        (SURFACE_VOXEL_SHARE, biomarkers.surface_voxel_share, "1", None, None),
        (ATTENUATION, biomarkers.mean_hu, "[hnsf'U]", None, MEAN),
        (ATTENUATION, biomarkers.sd_hu, "[hnsf'U]", None, STANDARD_DEVIATION),
    )
    known = [row for row in rows if row[1] is not None]
    numbers = [
        number(name, value, unit, method=method, derivation=derivation)
        for name, value, unit, method, derivation in known
        if value is not None
    ]
    written = {(name.value, name.scheme) for name, *_ in known}
    return numbers + [
        number(feature.code, feature.value, feature.unit)
        for feature in coded_radiomics(biomarkers.radiomics)
        if feature.code is not None and feature.value is not None and _key(feature.code) not in written
    ]


def coded_radiomics(radiomics: Iterable[Biomarker]) -> tuple[Biomarker, ...]:
    """Return the features that have a value and a standard code, each code once."""
    chosen: dict[tuple[str, str], Biomarker] = {}
    for feature in radiomics:
        if feature.code is not None and feature.value is not None:
            chosen.setdefault(_key(feature.code), feature)
    return tuple(chosen.values())


def _key(code: Code) -> tuple[str, str]:
    return code.value, code.scheme


def _unit(ucum: str) -> Code:
    return Code(ucum, "UCUM", _UNIT_WORDS.get(ucum, ucum))


def _segment_number(item: LesionEvaluation, held: SegmentedSeries) -> int | None:
    segments: Sequence[Dataset] = held.segmentation.SegmentSequence if held.segmentation is not None else ()
    for segment in segments:
        if str(segment.get("TrackingUID", "")) == item.lesion.tracking_uid:
            return int(segment.SegmentNumber)
    return None


def _tracking(item: LesionEvaluation) -> TrackingIdentifier:
    return TrackingIdentifier(uid=item.lesion.tracking_uid, identifier=item.lesion.lesion_id)


def _sites(item: LesionEvaluation) -> list[FindingSite] | None:
    site = item.lesion.site or (LYMPH_NODE if item.lesion.nodal else None)
    return [FindingSite(concept(site))] if site is not None else None


def _messages(findings: Iterable[Finding]) -> list[str]:
    return list(dict.fromkeys(finding.message for finding in findings))


def _add_texts(group: Sequence[Dataset], name: Code, texts: Iterable[str]) -> None:
    for text in texts:
        group[0].ContentSequence.append(TextContentItem(concept(name), text, relationship_type="CONTAINS"))
