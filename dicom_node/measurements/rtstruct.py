"""RT Structure Sets: the axes of a region are its outline's, on the slice where it is longest (PS3.3 C.8.8.5, C.8.8.6).

A region is taken as a lesion when its RT ROI Interpreted Type is GTV, or when it has no type and its name speaks of a
lesion, or when it is the only region of the file and has no type. Everything else (organs, the patient's outline,
target volumes with margins) is passed over; the log says how many.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import structlog
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.errors import InvalidDicomError

from dicom_node.measurements.document_facts import dicom_document, has_modality, whole_document
from dicom_node.rtstruct_mask import RT_STRUCTURE_SET_STORAGE
from tumorresp.domain.errors import InvalidInput
from tumorresp.domain.finding import Finding, Severity
from tumorresp.domain.geometry import vector3
from tumorresp.domain.identity import derived_uid
from tumorresp.domain.measurement import MarkedAxis, MarkedMeasurement
from tumorresp.domain.observers import person_name
from tumorresp.domain.outline_axes import planar_diameters

_log = structlog.get_logger()

_LESION_NAME = re.compile(r"gtv|tumou?r|lesion|mass|nodule|metasta|\bmet\b|\bmets\b|recist|target", re.IGNORECASE)
_NO_LESION_NAME = re.compile(r"ctv|ptv|itv|external|body|skin|margin|ring|minus|avoid", re.IGNORECASE)
_OPEN = frozenset({"OPEN_PLANAR", "OPEN_NONPLANAR"})


@dataclass(frozen=True, eq=False)
class _Contour:
    kind: str
    points_lps_mm: NDArray[np.float64]
    sop_instance_uid: str


@dataclass(frozen=True, eq=False)
class _Region:
    number: int
    name: str
    interpreted_type: str
    interpreter: str
    algorithm: str
    frame_of_reference_uid: str
    contours: tuple[_Contour, ...]


@dataclass(frozen=True, eq=False)
class _Axes:
    """(2, 3) end points in LPS mm; no short axis for a single line."""

    long: NDArray[np.float64]
    short: NDArray[np.float64] | None
    sop_instance_uid: str

    @property
    def length_mm(self) -> float:
        return float(np.linalg.norm(self.long[1] - self.long[0]))


class StructureSetReader:
    """Reads lesions' axes from the contours of an RT Structure Set."""

    def can_read(self, path: Path) -> bool:
        """Return whether the file is an RT Structure Set."""
        return has_modality(path, "RTSTRUCT")

    def read(self, path: Path) -> tuple[MarkedMeasurement, ...]:
        """Return one measurement for each lesion's region, in the order of ROI Number.

        The axes are those of the closed outline with the greatest diameter in its plane; where a region has none, its
        two-point lines are taken as diameters.

        Raises
        ------
        NotDicom
            If the file is cut off.
        InvalidInput
            If it is no structure set, a contour makes no sense, or no region is that of a lesion.
        """
        document = whole_document(path)
        if document.get("SOPClassUID") != RT_STRUCTURE_SET_STORAGE:
            raise InvalidInput("expected an RT Structure Set in SOP Class UID (0008,0016).", where=path.name)
        try:
            regions = sorted(_regions(document, path.name), key=lambda region: region.number)
        except (InvalidDicomError, ValueError, TypeError, LookupError, AttributeError) as error:
            raise InvalidInput(
                f"the structure set's regions cannot be understood ({type(error).__name__}).", where=path.name
            ) from error
        lesions = _lesions(regions)
        if len(lesions) < len(regions):
            _log.info("regions passed over", document=document.SOPInstanceUID, regions=len(regions) - len(lesions))
        if not lesions:
            raise InvalidInput(
                f"none of the {len(regions)} regions with contours is that of a lesion.",
                where=path.name,
                remedy="Give it the RT ROI Interpreted Type (3006,00A4) GTV, or a ROI Name that begins with GTV.",
            )
        base = replace(dicom_document(document, "rtstruct"), series_instance_uid=_referenced_series(document))
        tool = str(document.get("ManufacturerModelName") or document.get("Manufacturer") or "").strip()
        return tuple(_measurement(base, region, tool, path.name) for region in lesions)


def _regions(document: Dataset, file_name: str) -> Iterator[_Region]:
    contours = {
        int(item.ReferencedROINumber): tuple(
            _contour(contour, file_name) for contour in item.get("ContourSequence") or ()
        )
        for item in document.get("ROIContourSequence") or ()
    }
    observations = {int(item.ReferencedROINumber): item for item in document.get("RTROIObservationsSequence") or ()}
    for roi in document.get("StructureSetROISequence") or ():
        number = int(roi.ROINumber)
        observation = observations.get(number, Dataset())
        if contours.get(number):
            yield _Region(
                number,
                str(roi.get("ROIName") or "").strip(),
                str(observation.get("RTROIInterpretedType") or "").strip().upper(),
                person_name(str(observation.get("ROIInterpreter") or "")),
                str(roi.get("ROIGenerationAlgorithm") or "").strip().upper(),
                str(roi.get("ReferencedFrameOfReferenceUID") or ""),
                contours[number],
            )


def _contour(contour: Dataset, file_name: str) -> _Contour:
    written = contour.get("ContourData") or ()
    # More than 64 kB do not fit a DS in explicit VR; writers then store the same text as UN (PS3.5 6.2.2).
    values = written.decode("ascii").strip("\0 ").split("\\") if isinstance(written, bytes) else written
    numbers = np.asarray(values, dtype=np.float64)
    if numbers.size == 0 or numbers.size % 3 or not np.isfinite(numbers).all():
        raise InvalidInput(
            f"Contour Data (3006,0050) holds {numbers.size} values; expected triplets of finite numbers.",
            where=file_name,
        )
    images = contour.get("ContourImageSequence") or ()
    uid = str(images[0].get("ReferencedSOPInstanceUID") or "") if images else ""
    return _Contour(str(contour.get("ContourGeometricType") or ""), numbers.reshape(-1, 3), uid)


def _lesions(regions: Sequence[_Region]) -> list[_Region]:
    def is_lesion(region: _Region) -> bool:
        if region.interpreted_type:
            return region.interpreted_type == "GTV"
        if _NO_LESION_NAME.search(region.name):
            return False
        return len(regions) == 1 or bool(_LESION_NAME.search(region.name))

    return [region for region in regions if is_lesion(region)]


def _referenced_series(document: Dataset) -> str:
    """Return the Series Instance UID of the images, empty when none or several are named."""
    found = {
        str(series.get("SeriesInstanceUID") or "")
        for frame in document.get("ReferencedFrameOfReferenceSequence") or ()
        for study in frame.get("RTReferencedStudySequence") or ()
        for series in study.get("RTReferencedSeriesSequence") or ()
    }
    return found.pop() if len(found) == 1 else ""


def _measurement(base: MarkedMeasurement, region: _Region, tool: str, file_name: str) -> MarkedMeasurement:
    axes = _region_axes(region)
    if axes is None:
        raise InvalidInput(
            "a lesion's region has neither a closed outline nor a line of two points.",
            where=f"{file_name}, ROI {region.number}",
        )
    words = "The axes were derived from the region's contours: the longest diameter in one slice, and across it."
    # What a program outlined by itself is its own until a person has put a name to it (PS3.3 C.8.8.5, C.8.8.8).
    device = (tool or "unnamed device") if region.algorithm == "AUTOMATIC" and not region.interpreter else ""
    return replace(
        base,
        measurement_uid=derived_uid("measurement", base.source.document_uid, str(region.number)),
        sop_instance_uid=axes.sop_instance_uid,
        frame_of_reference_uid=region.frame_of_reference_uid,
        long_axis=_marked(axes.long),
        short_axis=None if axes.short is None else _marked(axes.short),
        label=region.name,
        reader=region.interpreter,
        device=device,
        findings=(Finding("axes-derived", Severity.INFO, words, region.name),),
    )


def _marked(ends: NDArray[np.float64]) -> MarkedAxis:
    return MarkedAxis(lps_mm=(vector3(ends[0]), vector3(ends[1])))


def _region_axes(region: _Region) -> _Axes | None:
    """Return the axes on the slice with the greatest diameter; of equal ones the first."""
    outlines = [
        axes
        for contour in region.contours
        if contour.kind == "CLOSED_PLANAR" and (axes := _outline_axes(contour)) is not None
    ]
    if outlines:
        return max(outlines, key=lambda axes: axes.length_mm)
    return _drawn_lines(region.contours)


def _outline_axes(contour: _Contour) -> _Axes | None:
    """Return the diameters of a closed outline; None for one that has no extent."""
    found = planar_diameters(contour.points_lps_mm)
    return None if found is None else _Axes(found.long, found.short, contour.sop_instance_uid)


def _drawn_lines(contours: Sequence[_Contour]) -> _Axes | None:
    """Return two-point contours, or two single points, as diameters; the longest and the next on the same image."""
    lines = [
        _Axes(contour.points_lps_mm, None, contour.sop_instance_uid)
        for contour in contours
        if contour.kind in _OPEN and len(contour.points_lps_mm) == 2
    ]
    points = [contour for contour in contours if contour.kind == "POINT" and len(contour.points_lps_mm) == 1]
    if not lines and len(points) == 2:
        ends = np.concatenate([point.points_lps_mm for point in points])
        lines = [_Axes(ends, None, points[0].sop_instance_uid)]
    if not lines:
        return None
    lines.sort(key=lambda line: -line.length_mm)
    across = next((line for line in lines[1:] if line.sop_instance_uid == lines[0].sop_instance_uid), None)
    return replace(lines[0], short=None if across is None else across.long)
