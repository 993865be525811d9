"""The regions of an RT Structure Set with their contours, to measure and to fill (PS3.3 C.8.8.5 to C.8.8.8)."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from dicom_node.measurements.document_facts import whole_document
from dicom_node.parser_errors import PARSER_ERRORS
from tumorresp.domain.errors import InvalidInput

RT_STRUCTURE_SET_STORAGE = "1.2.840.10008.5.1.4.1.1.481.3"
_CLOSED = frozenset({"CLOSED_PLANAR", "CLOSEDPLANAR_XOR"})
_OPEN = frozenset({"OPEN_PLANAR", "OPEN_NONPLANAR"})


@dataclass(frozen=True, eq=False)
class Contour:
    """One contour.

    Parameters
    ----------
    kind
        Contour Geometric Type (3006,0042).
    points_lps_mm
        (N, 3) points, N at least 1.
    sop_instance_uid
        Of the image that it was drawn on; empty where none is named.
    """

    kind: str
    points_lps_mm: NDArray[np.float64]
    sop_instance_uid: str

    @property
    def is_outline(self) -> bool:
        """Whether it goes round something; with fewer than three points it goes round nothing."""
        return self.kind in _CLOSED and len(self.points_lps_mm) > 2

    @property
    def is_line(self) -> bool:
        """Whether it is an open line of two points."""
        return self.kind in _OPEN and len(self.points_lps_mm) == 2


@dataclass(frozen=True, eq=False)
class Region:
    """A region of interest that has contours.

    Parameters
    ----------
    number, name
        ROI Number (3006,0022) and ROI Name (3006,0026).
    interpreted_type, interpreter
        RT ROI Interpreted Type (3006,00A4), upper case, and ROI Interpreter (3006,00A6) as written.
    algorithm
        ROI Generation Algorithm (3006,0036), upper case.
    frame_of_reference_uid
        Of the points; empty when the file states none.
    """

    number: int
    name: str
    interpreted_type: str
    interpreter: str
    algorithm: str
    frame_of_reference_uid: str
    contours: tuple[Contour, ...]


@dataclass(frozen=True, eq=False)
class StructureSet:
    """A structure set's regions in the order of ROI Number, and the Series Instance UIDs of its images."""

    document: Dataset
    regions: tuple[Region, ...]
    referenced_series: frozenset[str]


def read_structure_set(path: Path) -> StructureSet:
    """Read an RT Structure Set.

    Raises
    ------
    NotDicom
        If the file is no DICOM file, or is cut off.
    InvalidInput
        If it is no structure set, or its regions or a contour's points cannot be understood.
    """
    document = whole_document(path)
    if document.get("SOPClassUID") != RT_STRUCTURE_SET_STORAGE:
        raise InvalidInput("expected an RT Structure Set in SOP Class UID (0008,0016).", where=path.name)
    try:
        regions = sorted(_regions(document, path.name), key=lambda region: region.number)
        series = frozenset(_referenced_series(document))
    except PARSER_ERRORS as error:
        raise InvalidInput(
            f"the structure set's regions cannot be understood ({type(error).__name__}).", where=path.name
        ) from error
    return StructureSet(document, tuple(regions), series)


def _regions(document: Dataset, file_name: str) -> Iterator[Region]:
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
            yield Region(
                number,
                str(roi.get("ROIName") or "").strip(),
                str(observation.get("RTROIInterpretedType") or "").strip().upper(),
                str(observation.get("ROIInterpreter") or ""),
                str(roi.get("ROIGenerationAlgorithm") or "").strip().upper(),
                str(roi.get("ReferencedFrameOfReferenceUID") or ""),
                contours[number],
            )


def _contour(contour: Dataset, file_name: str) -> Contour:
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
    return Contour(str(contour.get("ContourGeometricType") or "").strip(), numbers.reshape(-1, 3), uid)


def _referenced_series(document: Dataset) -> Iterator[str]:
    for frame in document.get("ReferencedFrameOfReferenceSequence") or ():
        for study in frame.get("RTReferencedStudySequence") or ():
            for series in study.get("RTReferencedSeriesSequence") or ():
                yield str(series.get("SeriesInstanceUID") or "")
