"""A CT series read from its files into one array of CT numbers.

What is done about an imperfect series, and why:

- *Several stacks* (two reconstructions, phases of one position, an image of another size) are told apart, see
  `tumorresp.domain.image_stacks`; the stack with the images named in ``must_hold`` is used whole, else the largest.
- *Missing slices* (a few, see `tumorresp.domain.slice_grid`) are interpolated linearly from their neighbours, so that
  a lesion beside the gap can still be drawn. No image exists there: such a slice's plane has an empty SOP Instance
  UID, and the finding ``missing-slices`` names the positions. Volumes of masks that touch it are not used.
- *An image whose pixels cannot be read* is a missing slice, and so is a position with two different images that nothing
  tells apart, because either may be right. The other images are none the worse for it.
- *A changing slice spacing* divides the series; the largest even part is used, or the part with the images named in
  ``must_hold``. Nothing is resampled.
- *Localizers and screen captures* beside slices are left out; a series of nothing else is refused.
- *Identical duplicates* are dropped.
- *CT numbers of two scales* (some images lack their rescale), and pixels none of which can be read, leave a volume that
  says where its images lie and, in ``numbers_doubt``, why nothing may be measured on its numbers.
- *A tilted gantry* gives a sheared geometry; the images stay as they were acquired.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.pixels import pixel_array

from dicom_node.hounsfield import AIR_HU, FrameNumbers, to_hounsfield
from dicom_node.image_planes import frame_items
from dicom_node.parser_errors import PARSER_ERRORS
from dicom_node.series_images import (
    SeriesImage,
    left_out_finding,
    read_series_images,
    told_about,
    units_doubt,
)
from tumorresp.domain.ct_volume import CtVolume
from tumorresp.domain.disk_failures import raise_if_of_the_disk
from tumorresp.domain.errors import InvalidGeometry, InvalidInput, MissingImages
from tumorresp.domain.finding import Finding, Severity
from tumorresp.domain.geometry import ImagePlane, vector3
from tumorresp.domain.image_stacks import Stack, chosen_stack, divide_into_stacks
from tumorresp.domain.slice_grid import SliceGrid, is_held, same_position_groups, slice_grid

Numbers = NDArray[np.int16] | NDArray[np.float32]
# 4 GiB of whole CT numbers: 8,000 slices of 512 x 512. Headers can state any number of rows and columns.
_MOST_VOXELS = 2**31
# Half of an image does not change by this much to its neighbour, unless it is on another scale; an image without
# contrast shows nothing and is not compared.
_JUMP_HU = 500.0
_BLANK_HU = 20.0


def read_ct_volume(paths: Sequence[Path], *, must_hold: Collection[object] = ()) -> CtVolume:
    """Read one CT series, single-frame or enhanced multi-frame, compressed or not.

    Parameters
    ----------
    paths
        The series' files, in any order.
    must_hold
        SOP Instance UIDs, or (SOP Instance UID, frame number), that decide which stack and which part is kept.

    Returns
    -------
    CtVolume
        (slice, row, column) CT numbers in HU, int16 where that is exact, else float32. Slices are sorted by position
        along their normal. Pixel padding is air, -1000 HU. Planes of interpolated slices have no SOP Instance UID.

    Raises
    ------
    InvalidGeometry
        If the images form no volume: several series, nothing but localizers and images without place or pixel
        spacing, or more voxels than can be held.
    MissingImages
        If there is no file.
    """
    if not paths:
        raise MissingImages("no file of the CT series was given.")
    images, findings = read_series_images(sorted(paths))
    stacks = divide_into_stacks([image.stack for image in images])
    stack = chosen_stack([image.stack for image in images], stacks, must_hold)
    members = [images[index] for index in stack.members]
    others = {_key(image.plane) for image in images} - {_key(image.plane) for image in members}
    candidates, more = _one_a_position(members, must_hold)
    decoded = _decode(candidates, must_hold)
    used = [image for image in decoded.used if image is not None]
    others |= {_key(image.plane) for image in candidates} - {_key(image.plane) for image in used} - decoded.unreadable
    shown = {_key(image.plane) for image in used}
    first = used[0].plane
    doubt = decoded.doubt or units_doubt(used) or _jump(decoded.hu, decoded.used)
    return CtVolume(
        hu=decoded.hu,
        geometry=decoded.grid.geometry,
        planes=tuple(
            image.plane if image is not None else _plane_without_image(first, decoded.grid, index)
            for index, image in enumerate(decoded.used)
        ),
        series_instance_uid=first.series_instance_uid,
        study_instance_uid=first.study_instance_uid,
        patient_id=first.patient_id,
        acquired_on=first.acquired_on,
        slice_thickness_mm=first.slice_thickness_mm,
        findings=(
            *findings,
            *_other_stacks(images, stacks, stack),
            *more,
            *decoded.grid.findings,
            *decoded.findings,
            *told_about(used),
            *_doubt_finding(doubt, first),
        ),
        numbers_doubt=doubt,
        other_stacks=frozenset(others),
        planes_beside=tuple(image.plane for image in images if _key(image.plane) not in shown),
    )


def _key(plane: ImagePlane) -> tuple[str, int | None]:
    return plane.sop_instance_uid, plane.frame_number


def _doubt_finding(doubt: str, plane: ImagePlane) -> list[Finding]:
    if not doubt:
        return []
    message = f"The CT numbers of this series are not used: {doubt}. Diameters count."
    return [Finding("ct-numbers-refused", Severity.ERROR, message, plane.series_instance_uid, decides=True)]


def _other_stacks(images: Sequence[SeriesImage], stacks: Sequence[Stack], used: Stack) -> list[Finding]:
    if len(stacks) == 1:
        return []
    sizes = ", ".join(str(len(stack.members)) for stack in stacks)
    message = (
        f"The series holds {len(stacks)} stacks of {sizes} images, told apart by {used.told_apart_by}; the one with "
        f"{len(used.members)} images that were measured on, or the largest, was used."
    )
    where = images[used.members[0]].plane.sop_instance_uid
    return [Finding("several-stacks", Severity.WARNING, message, where)]


def _one_a_position(
    images: Sequence[SeriesImage], must_hold: Collection[object]
) -> tuple[list[SeriesImage], list[Finding]]:
    """Return at most one image a position: one of identical ones, none of different ones unless one was measured on."""
    kept: list[SeriesImage] = []
    dropped: list[str] = []
    conflicting: list[str] = []
    for group in same_position_groups([image.plane for image in images]):
        members = [images[index] for index in group]
        measured = [image for image in members if is_held(image.plane, must_hold)]
        if len(members) == 1 or all(_is_same_image(members[0], other) for other in members[1:]):
            chosen = (measured or members)[0]
            kept.append(chosen)
            dropped += [image.plane.sop_instance_uid for image in members if image is not chosen]
        elif len(measured) == 1:
            kept += measured
            dropped += [image.plane.sop_instance_uid for image in members if image is not measured[0]]
        else:
            conflicting += [image.plane.sop_instance_uid for image in members]
    if not kept:
        raise InvalidGeometry(
            "different images lie at each position, and nothing tells them apart.",
            where=", ".join(conflicting[:2]),
            remedy="Send each phase or reconstruction as a series of its own.",
        )
    return kept, [
        *left_out_finding(dropped, "duplicate-image", "images that repeat another one's position were left out"),
        *left_out_finding(
            conflicting,
            "conflicting-images",
            "different images lie at one position with another, either may be right, and none was used",
        ),
    ]


def _is_same_image(one: SeriesImage, other: SeriesImage) -> bool:
    """Return whether two frames at one position along the normal show the same numbers at the same place."""
    if not np.allclose(one.plane.origin_lps_mm, other.plane.origin_lps_mm, atol=0.01):
        return False
    first, second = (next(_numbers_of(image.path, [image.number]))[1] for image in (one, other))
    if isinstance(first, InvalidInput) or isinstance(second, InvalidInput):
        return False
    return np.array_equal(first.hu, second.hu)


@dataclass(frozen=True, eq=False)
class _Decoded:
    """The grid, the image of each slice (None where there is none), the numbers, and what was noticed."""

    grid: SliceGrid
    used: list[SeriesImage | None]
    hu: Numbers
    findings: list[Finding]
    unreadable: set[tuple[str, int | None]]
    doubt: str = ""


def _decode(images: Sequence[SeriesImage], must_hold: Collection[object]) -> _Decoded:
    """Lay a grid through images and decode them; those that cannot be read are left out, and the grid laid again."""
    unreadable: dict[tuple[str, int | None], InvalidInput] = {}
    readable = list(images)
    while True:
        grid = slice_grid([image.plane for image in readable], must_hold=must_hold)
        if np.prod(grid.geometry.shape, dtype=np.float64) > _MOST_VOXELS:
            raise InvalidGeometry(
                f"a volume of {' x '.join(map(str, grid.geometry.shape))} voxels is more than can be held.",
                where=images[0].path.name,
                remedy="Check Rows (0028,0010) and Columns (0028,0011).",
            )
        used = [None if index is None else readable[index] for index in grid.plane_of_slice]
        hu, notes, failures = _hounsfield_numbers(used, grid)
        if not failures:
            broken = _unreadable(unreadable)
            return _Decoded(grid, used, hu, [*notes, *broken], set(unreadable))
        unreadable |= failures
        remaining = [image for image in readable if _key(image.plane) not in failures]
        if not remaining:
            reason = next(iter(failures.values())).message.rstrip(".")
            air = np.full(grid.geometry.shape, AIR_HU, np.int16)
            return _Decoded(grid, used, air, [], set(), f"no image can be read: {reason}")
        readable = remaining


def _unreadable(failures: dict[tuple[str, int | None], InvalidInput]) -> list[Finding]:
    if not failures:
        return []
    reasons = "; ".join(sorted({error.message.rstrip(".") for error in failures.values()}))[:300]
    message = (
        f"The pixels of {len(failures)} images cannot be read ({reasons}); they are as missing slices. Diameters on "
        "them count, volumes of masks that touch them do not."
    )
    return [Finding("pixels-unreadable", Severity.WARNING, message, ", ".join(sorted(uid for uid, _ in failures)[:5]))]


def _hounsfield_numbers(
    used: Sequence[SeriesImage | None], grid: SliceGrid
) -> tuple[Numbers, list[Finding], dict[tuple[str, int | None], InvalidInput]]:
    """Decode the frames of the grid and fill its missing slices; also return which could not be decoded, and why."""
    slots: dict[Path, dict[int, int]] = {}
    for slot, image in enumerate(used):
        if image is not None:
            slots.setdefault(image.path, {})[image.number] = slot
    hu: Numbers = np.empty(grid.geometry.shape, np.int16)
    noted: dict[str, list[Finding]] = {}
    failures: dict[tuple[str, int | None], InvalidInput] = {}
    for path, by_number in slots.items():
        for number, numbers in _numbers_of(path, sorted(by_number)):
            slot = by_number[number]
            image = used[slot]
            if isinstance(numbers, FrameNumbers) and numbers.hu.shape != hu.shape[1:]:
                numbers = InvalidInput(f"the pixels are {numbers.hu.shape[0]} x {numbers.hu.shape[1]}, not as stated")
            if isinstance(numbers, InvalidInput):
                failures |= {_key(image.plane): numbers} if image is not None else {}
                continue
            if numbers.hu.dtype != np.int16 and hu.dtype == np.int16:
                hu = hu.astype(np.float32)
            hu[slot] = numbers.hu
            for finding in numbers.findings:
                noted.setdefault(finding.code, []).append(finding)
    if not failures:
        for slot, image in enumerate(used):
            if image is None:
                hu[slot] = _between(hu, used, slot)
    notes = [
        replace(found[0], message=f"{found[0].message} Images: {len(found)}.", where=found[0].where)
        for found in noted.values()
    ]
    return hu, notes, failures


def _between(hu: Numbers, used: Sequence[SeriesImage | None], slot: int) -> NDArray[np.float64]:
    """Return a missing slice, linear between the nearest slices that have an image."""
    below = next(index for index in range(slot - 1, -1, -1) if used[index] is not None)
    above = next(index for index in range(slot + 1, len(used)) if used[index] is not None)
    weight = (slot - below) / (above - below)
    values = (1 - weight) * hu[below].astype(np.float64) + weight * hu[above].astype(np.float64)
    return np.rint(values) if hu.dtype == np.int16 else values


def _jump(hu: Numbers, used: Sequence[SeriesImage | None]) -> str:
    """Return words where neighbouring images are on different scales, whatever their rescale states."""
    thin = hu[:, ::4, ::4].astype(np.float32)
    shows = [image is not None and float(part.std()) > _BLANK_HU for image, part in zip(used, thin, strict=True)]
    for index in range(1, len(thin)):
        if shows[index - 1] and shows[index]:
            step = float(np.median(thin[index] - thin[index - 1]))
            if abs(step) >= _JUMP_HU:
                return f"they jump by {abs(step):.0f} HU from one image to the next"
    return ""


def _plane_without_image(like: ImagePlane, grid: SliceGrid, slot: int) -> ImagePlane:
    return replace(
        like,
        sop_instance_uid="",
        frame_number=None,
        origin_lps_mm=vector3(grid.geometry.index_to_lps((slot, 0, 0))),
    )


def _numbers_of(path: Path, numbers: Sequence[int]) -> Iterator[tuple[int, FrameNumbers | InvalidInput]]:
    """Yield (frame number from 0, CT numbers or why there are none) of some frames of a file."""
    try:
        dataset = pydicom.dcmread(path)
        items = frame_items(dataset)
    except PARSER_ERRORS as error:
        raise_if_of_the_disk(error)
        failure = InvalidInput(f"the file cannot be read ({type(error).__name__}).", where=path.name)
        yield from ((number, failure) for number in numbers)
        return
    for number in numbers:
        try:
            stored = pixel_array(dataset, index=number, raw=True)
            yield number, to_hounsfield(stored, items[number], where=path.name)
        except InvalidInput as error:
            yield number, error
        except Exception as error:  # noqa: BLE001  decoders of many libraries raise what they like over broken pixels
            syntax = getattr(dataset, "file_meta", {}).get("TransferSyntaxUID")
            yield (
                number,
                InvalidInput(
                    f"the pixels cannot be decoded (transfer syntax {syntax}, {type(error).__name__}).",
                    where=path.name,
                    remedy="Send the image again, uncompressed.",
                ),
            )
