"""A CT series read from its files into one array of CT numbers.

What is done about an imperfect series, and why:

- *Missing slices* (a few, see `tumorresp.domain.slice_grid`) are interpolated linearly from their neighbours, so that
  a lesion beside the gap can still be measured. No image exists there: such a slice's plane has an empty SOP Instance
  UID, and the finding ``missing-slices`` names the positions.
- *A changing slice spacing* divides the series; the largest even part is used, or the part with the images named in
  ``must_hold``. Nothing is resampled.
- *Localizers and screen captures* beside slices are left out; a series of nothing else is refused.
- *Identical duplicates* are dropped; two different images at one position are refused, because either may be right.
- *A tilted gantry* gives a sheared geometry; the images stay as they were acquired.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.pixels import pixel_array

from dicom_node.hounsfield import FrameNumbers, to_hounsfield
from dicom_node.image_planes import first_value, frame_items, image_type_of, planes_of
from dicom_node.instance_header import read_without_pixels
from tumorresp.domain.ct_volume import CtVolume
from tumorresp.domain.errors import InvalidGeometry, InvalidInput, MissingImages
from tumorresp.domain.finding import Finding, Severity
from tumorresp.domain.geometry import ImagePlane, vector3
from tumorresp.domain.slice_grid import SliceGrid, same_position_groups, slice_grid


@dataclass(frozen=True)
class _Frame:
    """One frame of one file; ``number`` counts from 0."""

    path: Path
    number: int
    plane: ImagePlane


def read_ct_volume(paths: Sequence[Path], *, must_hold: Collection[str] = ()) -> CtVolume:
    """Read one CT series, single-frame or enhanced multi-frame, compressed or not.

    Parameters
    ----------
    paths
        The series' files, in any order.
    must_hold
        SOP Instance UIDs that decide which part is kept where the slice spacing changes.

    Returns
    -------
    CtVolume
        (slice, row, column) CT numbers in HU, int16 where that is exact, else float32. Slices are sorted by position
        along their normal. Pixel padding is air, -1000 HU. Planes of interpolated slices have no SOP Instance UID.

    Raises
    ------
    NotDicom
        If a file is no DICOM file.
    InvalidGeometry
        If the images form no volume: several series, no pixel spacing, only localizers, different images at one
        position, mixed orientations or sizes.
    InvalidInput
        If pixels cannot be decoded or turned into CT numbers.
    MissingImages
        If there is no file.
    """
    if not paths:
        raise MissingImages("no file of the CT series was given.")
    frames, findings = _frames(sorted(paths))
    frames, more = _without_duplicates(frames)
    grid = slice_grid([frame.plane for frame in frames], must_hold=must_hold)
    used = [None if index is None else frames[index] for index in grid.plane_of_slice]
    hu, notes = _hounsfield_numbers(used, grid)
    first = next(frame.plane for frame in used if frame is not None)
    return CtVolume(
        hu=hu,
        geometry=grid.geometry,
        planes=tuple(
            frame.plane if frame is not None else _plane_without_image(first, grid, index)
            for index, frame in enumerate(used)
        ),
        series_instance_uid=first.series_instance_uid,
        study_instance_uid=first.study_instance_uid,
        patient_id=first.patient_id,
        acquired_on=first.acquired_on,
        slice_thickness_mm=first.slice_thickness_mm,
        findings=(*findings, *more, *grid.findings, *notes),
    )


def _frames(paths: Sequence[Path]) -> tuple[list[_Frame], list[Finding]]:
    """Return every frame that is a slice, and what was left out."""
    frames: list[_Frame] = []
    localizers: list[str] = []
    captures: list[str] = []
    series: dict[str, str] = {}
    for path in paths:
        dataset = read_without_pixels(path)
        if dataset.get("Modality") != "CT":
            raise InvalidGeometry(
                "expected a CT image (Modality (0008,0060)).", where=path.name, remedy="Leave it out of the series."
            )
        series.setdefault(str(dataset.get("SeriesInstanceUID") or ""), path.name)
        planes = planes_of(dataset, where=path.name)
        if not planes:
            captures.append(str(dataset.get("SOPInstanceUID") or ""))
        for number, (plane, items) in enumerate(zip(planes, frame_items(dataset), strict=False)):
            if _is_localizer(items):
                localizers.append(plane.sop_instance_uid)
            elif plane.calibrated:
                frames.append(_Frame(path, number, plane))
            else:
                raise InvalidGeometry(
                    "Pixel Spacing (0028,0030) is missing or not positive.",
                    where=path.name,
                    remedy="Export the original axial series again.",
                )
    if len(series) > 1:
        raise InvalidGeometry(
            f"images of {len(series)} series were given as one.", where=", ".join(list(series.values())[:2])
        )
    if not frames:
        raise InvalidGeometry(
            "the series holds no slices, only localizers (Image Type (0008,0008)) or screen captures.",
            where=paths[0].name,
            remedy="Send the axial series that the lesions were measured on.",
        )
    return frames, [
        *_left_out(localizers, "localizer-left-out", "planning images (localizers) were left out of the volume"),
        *_left_out(captures, "capture-left-out", "images without a place in the patient were left out of the volume"),
    ]


def _is_localizer(items: Sequence[Dataset]) -> bool:
    frame_type = first_value(list(items), "FrameType")
    parts = [frame_type] if isinstance(frame_type, str) else list(frame_type or ())  # type: ignore[call-overload]
    return "LOCALIZER" in {*image_type_of(items[-1]), *(str(part).upper() for part in parts)}


def _left_out(uids: Sequence[str], code: str, what: str) -> list[Finding]:
    if not uids:
        return []
    return [Finding(code, Severity.WARNING, f"{len(uids)} {what}.", ", ".join(sorted(set(uids))[:5]))]


def _without_duplicates(frames: Sequence[_Frame]) -> tuple[list[_Frame], list[Finding]]:
    """Keep one of several identical images at a position.

    Raises
    ------
    InvalidGeometry
        If images at one position differ.
    """
    kept: list[_Frame] = []
    dropped: list[str] = []
    for group in same_position_groups([frame.plane for frame in frames]):
        kept.append(frames[group[0]])
        for other in group[1:]:
            if not _is_same_image(frames[group[0]], frames[other]):
                raise InvalidGeometry(
                    "two different images lie at one position.",
                    where=f"{frames[group[0]].plane.sop_instance_uid}, {frames[other].plane.sop_instance_uid}",
                    remedy="Send each phase or reconstruction as a series of its own.",
                )
            dropped.append(frames[other].plane.sop_instance_uid)
    return kept, _left_out(dropped, "duplicate-image", "images that repeat another one at its position were left out")


def _is_same_image(one: _Frame, other: _Frame) -> bool:
    """Return whether two frames at one position along the normal show the same numbers at the same place."""
    if not np.allclose(one.plane.origin_lps_mm, other.plane.origin_lps_mm, atol=0.01):
        return False
    first, second = (next(_decoded(frame.path, [frame.number]))[1] for frame in (one, other))
    return np.array_equal(first.hu, second.hu)


def _hounsfield_numbers(
    used: Sequence[_Frame | None], grid: SliceGrid
) -> tuple[NDArray[np.int16] | NDArray[np.float32], list[Finding]]:
    """Decode the frames of the grid and fill its missing slices."""
    slots: dict[Path, dict[int, int]] = {}
    for slot, frame in enumerate(used):
        if frame is not None:
            slots.setdefault(frame.path, {})[frame.number] = slot
    hu: NDArray[np.int16] | NDArray[np.float32] = np.empty(grid.geometry.shape, np.int16)
    noted: dict[str, list[str]] = {}
    severities: dict[str, Finding] = {}
    for path, by_number in slots.items():
        for number, frame_numbers in _decoded(path, sorted(by_number)):
            if frame_numbers.hu.dtype != np.int16 and hu.dtype == np.int16:
                hu = hu.astype(np.float32)
            hu[by_number[number]] = frame_numbers.hu
            for finding in frame_numbers.findings:
                severities.setdefault(finding.code, finding)
                noted.setdefault(finding.code, []).append(finding.where)
    for slot, frame in enumerate(used):
        if frame is None:
            hu[slot] = _between(hu, used, slot)
    notes = [
        replace(finding, message=f"{finding.message} Images: {len(noted[code])}.", where=noted[code][0])
        for code, finding in severities.items()
    ]
    return hu, notes


def _between(
    hu: NDArray[np.int16] | NDArray[np.float32], used: Sequence[_Frame | None], slot: int
) -> NDArray[np.float64]:
    """Return a missing slice, linear between the nearest slices that have an image."""
    below = next(index for index in range(slot - 1, -1, -1) if used[index] is not None)
    above = next(index for index in range(slot + 1, len(used)) if used[index] is not None)
    weight = (slot - below) / (above - below)
    values = (1 - weight) * hu[below].astype(np.float64) + weight * hu[above].astype(np.float64)
    return np.rint(values) if hu.dtype == np.int16 else values


def _plane_without_image(like: ImagePlane, grid: SliceGrid, slot: int) -> ImagePlane:
    return replace(
        like,
        sop_instance_uid="",
        frame_number=None,
        origin_lps_mm=vector3(grid.geometry.index_to_lps((slot, 0, 0))),
    )


def _decoded(path: Path, numbers: Sequence[int]) -> Iterator[tuple[int, FrameNumbers]]:
    """Yield (frame number from 0, CT numbers) of some frames of a file.

    Raises
    ------
    InvalidInput
        If the pixels cannot be decoded.
    """
    dataset = pydicom.dcmread(path)
    items = frame_items(dataset)
    for number in numbers:
        try:
            stored = pixel_array(dataset, index=number, raw=True)
        except (ValueError, RuntimeError, AttributeError, NotImplementedError, KeyError) as error:
            syntax = dataset.file_meta.get("TransferSyntaxUID")
            raise InvalidInput(
                f"the pixels cannot be decoded (transfer syntax {syntax}, {type(error).__name__}).",
                where=path.name,
                remedy="Send the image again, uncompressed.",
            ) from error
        yield number, to_hounsfield(stored, items[number], where=path.name)
