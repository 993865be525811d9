"""RT Structure Sets: the axes of a region are its outline's, on the slice where it is longest (PS3.3 C.8.8.5, C.8.8.6).

A region is taken as a lesion when its RT ROI Interpreted Type is GTV, or when it has no type and its name speaks of a
lesion, or when it is the only region of the file and has no type. Everything else (organs, the patient's outline,
target volumes with margins) is passed over; the log says how many.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import structlog
from numpy.typing import NDArray

from dicom_node.measurements.document_facts import dicom_document, has_modality
from dicom_node.structure_set import Contour, Region, StructureSet, read_structure_set
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
# Noise of the last digits must not decide between slices.
_SAME_MM = 1e-6


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
        structures = read_structure_set(path)
        document, regions = structures.document, structures.regions
        lesions = _lesions(regions)
        if len(lesions) < len(regions):
            _log.info("regions passed over", document=document.SOPInstanceUID, regions=len(regions) - len(lesions))
        if not lesions:
            raise InvalidInput(
                f"none of the {len(regions)} regions with contours is that of a lesion.",
                where=path.name,
                remedy="Give it the RT ROI Interpreted Type (3006,00A4) GTV, or a ROI Name that begins with GTV.",
            )
        base = replace(dicom_document(document, "rtstruct"), series_instance_uid=_referenced_series(structures))
        tool = str(document.get("ManufacturerModelName") or document.get("Manufacturer") or "").strip()
        return tuple(_measurement(base, region, tool, path.name) for region in lesions)


def _lesions(regions: Sequence[Region]) -> list[Region]:
    def is_lesion(region: Region) -> bool:
        if region.interpreted_type:
            return region.interpreted_type == "GTV"
        if _NO_LESION_NAME.search(region.name):
            return False
        return len(regions) == 1 or bool(_LESION_NAME.search(region.name))

    return [region for region in regions if is_lesion(region)]


def _referenced_series(structures: StructureSet) -> str:
    """Return the Series Instance UID of the images, empty when none or several are named."""
    found = structures.referenced_series
    return next(iter(found)) if len(found) == 1 else ""


def _measurement(base: MarkedMeasurement, region: Region, tool: str, file_name: str) -> MarkedMeasurement:
    axes = _region_axes(region)
    if axes is None:
        raise InvalidInput(
            "a lesion's region has neither a closed outline nor a line of two points.",
            where=f"{file_name}, ROI {region.number}",
        )
    words = "The axes were derived from the region's contours: the longest diameter in one slice, and across it."
    # What a program outlined by itself is its own until a person has put a name to it (PS3.3 C.8.8.5, C.8.8.8).
    reader = person_name(region.interpreter)
    device = (tool or "unnamed device") if region.algorithm == "AUTOMATIC" and not reader else ""
    return replace(
        base,
        measurement_uid=derived_uid("measurement", base.source.document_uid, str(region.number)),
        sop_instance_uid=axes.sop_instance_uid,
        frame_of_reference_uid=region.frame_of_reference_uid,
        long_axis=_marked(axes.long),
        short_axis=None if axes.short is None else _marked(axes.short),
        label=region.name,
        reader=reader,
        device=device,
        findings=(Finding("axes-derived", Severity.INFO, words, region.name),),
    )


def _marked(ends: NDArray[np.float64]) -> MarkedAxis:
    return MarkedAxis(lps_mm=(vector3(ends[0]), vector3(ends[1])))


def _region_axes(region: Region) -> _Axes | None:
    """Return the axes on the slice with the greatest diameter; of equal ones the first."""
    longest: _Axes | None = None
    for contour in region.contours:
        axes = _outline_axes(contour) if contour.is_outline else None
        if axes is not None and (longest is None or axes.length_mm > longest.length_mm + _SAME_MM):
            longest = axes
    return longest or _drawn_lines(region.contours)


def _outline_axes(contour: Contour) -> _Axes | None:
    """Return the diameters of a closed outline; None for one that has no extent."""
    found = planar_diameters(contour.points_lps_mm)
    return None if found is None else _Axes(found.long, found.short, contour.sop_instance_uid)


def _drawn_lines(contours: Sequence[Contour]) -> _Axes | None:
    """Return two-point contours, or two single points, as diameters; the longest and the next on the same image."""
    lines = [_Axes(contour.points_lps_mm, None, contour.sop_instance_uid) for contour in contours if contour.is_line]
    points = [contour for contour in contours if contour.kind == "POINT" and len(contour.points_lps_mm) == 1]
    if not lines and len(points) == 2:
        ends = np.concatenate([point.points_lps_mm for point in points])
        lines = [_Axes(ends, None, points[0].sop_instance_uid)]
    if not lines:
        return None
    lines.sort(key=lambda line: -line.length_mm)
    across = next((line for line in lines[1:] if line.sop_instance_uid == lines[0].sop_instance_uid), None)
    return replace(lines[0], short=None if across is None else across.long)
