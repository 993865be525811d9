"""From the image planes of a series, in any order, to a regular grid of slices."""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tumorresp.domain.errors import InvalidGeometry
from tumorresp.domain.finding import Finding, Severity
from tumorresp.domain.geometry import ImagePlane, VolumeGeometry, vector3

# Scanners round positions to 0.1 mm or finer; larger deviations are real.
_ROUNDING_MM = 0.1
_STEP_TOLERANCE = 0.1
_SAME_POSITION_MM = 0.01
_ORIENTATION_COSINE = math.cos(math.radians(0.5))
_SPACING_TOLERANCE = 1e-3
_TILT_DEGREES = 0.5
_LONGEST_GAP_SLICES = 2
_MISSING_SHARE = 0.1


@dataclass(frozen=True)
class SliceGrid:
    """Which plane fills which slice of a regular grid.

    Parameters
    ----------
    geometry
        Slices towards growing position along the planes' normal; sheared when the gantry was tilted.
    plane_of_slice
        For each slice the index of its plane in the given sequence; None for a missing slice.
    findings
        Gantry tilt, uneven spacing, missing and left-out slices.
    """

    geometry: VolumeGeometry
    plane_of_slice: tuple[int | None, ...]
    findings: tuple[Finding, ...]


def same_position_groups(planes: Sequence[ImagePlane]) -> tuple[tuple[int, ...], ...]:
    """Group planes that lie at one position along the normal (within 0.01 mm).

    Returns
    -------
    tuple of tuple of int
        Indices into ``planes``, the groups sorted by position, ties by SOP Instance UID and frame.

    Raises
    ------
    InvalidGeometry
        If the planes differ in orientation, size or pixel spacing.
    """
    _require_same_shape(planes)
    return unlike_positions(planes)


def unlike_positions(planes: Sequence[ImagePlane]) -> tuple[tuple[int, ...], ...]:
    """Group planes of one orientation as `same_position_groups` does, whatever else they differ in."""
    positions = heights(planes)
    order = sorted(
        range(len(planes)), key=lambda i: (positions[i], planes[i].sop_instance_uid, planes[i].frame_number or 0)
    )
    groups: list[list[int]] = []
    for index in order:
        if groups and positions[index] - positions[groups[-1][0]] <= _SAME_POSITION_MM:
            groups[-1].append(index)
        else:
            groups.append([index])
    return tuple(tuple(group) for group in groups)


def slice_grid(planes: Sequence[ImagePlane], *, must_hold: Collection[object] = ()) -> SliceGrid:
    """Sort planes along their normal and lay a regular grid through them.

    Missing slices (a gap of two or three steps, and not more than a tenth of all slices or one slice) stay in the
    grid as slices without a plane. At longer gaps, and where the spacing changes, the series is divided: the part
    with the most slices is kept, or the one that holds the ``must_hold`` images, and what is left out is named.

    Parameters
    ----------
    planes
        In any order, no two at one position (see `same_position_groups`).
    must_hold
        Images that the kept part should hold, as many as possible: SOP Instance UIDs, or (SOP Instance UID, frame
        number).

    Returns
    -------
    SliceGrid
        The same for every order of ``planes``.

    Raises
    ------
    InvalidGeometry
        If there is no plane; orientations, sizes, spacings or frames of reference are mixed; positions repeat; or
        the slices are not stacked along one line.
    """
    if not planes:
        raise InvalidGeometry("no image plane to make a volume from.")
    groups = same_position_groups(planes)
    for group in groups:
        if len(group) > 1:
            raise InvalidGeometry(
                "two images lie at one position.",
                where=", ".join(planes[i].sop_instance_uid for i in group[:2]),
                remedy="Send each phase or reconstruction as a series of its own.",
            )
    order = [group[0] for group in groups]
    if len(order) == 1:
        return _single_slice(planes[order[0]])
    positions = heights(planes)[order]
    wanted = np.array([is_held(planes[i], must_hold) for i in order])
    first, slots = _kept_part(positions, wanted)
    kept = order[first : first + len(slots)]
    geometry, shift_mm = _fitted_geometry([planes[i] for i in kept], slots)
    plane_of_slice: list[int | None] = [None] * geometry.shape[0]
    for slot, index in zip(slots, kept, strict=True):
        plane_of_slice[slot] = index
    findings = (
        *_left_out(positions, first, len(slots)),
        *_missing(positions[first], geometry.slice_distance_mm, plane_of_slice),
        *_uneven(shift_mm),
        *_tilt(geometry),
    )
    return SliceGrid(geometry, tuple(plane_of_slice), findings)


def shape_difference(one: ImagePlane, other: ImagePlane) -> str:
    """Return in what two planes differ so that they cannot be slices of one grid; empty where they can be."""
    cosines = [
        float(np.dot(_unit(mine), _unit(theirs)))
        for mine, theirs in (
            (one.row_step_lps_mm, other.row_step_lps_mm),
            (one.column_step_lps_mm, other.column_step_lps_mm),
        )
    ]
    if min(cosines) < _ORIENTATION_COSINE:
        return "orientations"
    if (other.rows, other.columns) != (one.rows, one.columns):
        return "sizes"
    if not np.allclose(other.pixel_spacing_mm, one.pixel_spacing_mm, rtol=_SPACING_TOLERANCE):
        return "pixel spacings"
    return "" if other.frame_of_reference_uid == one.frame_of_reference_uid else "frames of reference"


def is_held(plane: ImagePlane, must_hold: Collection[object]) -> bool:
    """Return whether a plane is one of some images: SOP Instance UIDs, or (SOP Instance UID, frame number)."""
    return plane.sop_instance_uid in must_hold or (plane.sop_instance_uid, plane.frame_number) in must_hold


def heights(planes: Sequence[ImagePlane]) -> NDArray[np.float64]:
    """Return each plane's distance from the patient origin along the normal, mm."""
    # The normal of one fixed plane, whatever the order of the planes.
    normal = min(planes, key=lambda plane: (plane.sop_instance_uid, plane.frame_number or 0)).normal
    return np.array([np.dot(normal, plane.origin_lps_mm) for plane in planes])


def even_part_size(positions: NDArray[np.float64]) -> int:
    """Return how many images at some heights (mm, ascending) the largest even part takes in.

    Of images at one position none is taken in.
    """
    close = np.diff(positions) <= _SAME_POSITION_MM
    alone = positions[~(np.append(close, False) | np.insert(close, 0, False))]
    if len(alone) < 2:
        return len(alone)
    return len(_kept_part(alone, np.zeros(len(alone), bool))[1])


def _require_same_shape(planes: Sequence[ImagePlane]) -> None:
    """Refuse planes that cannot be slices of one grid."""
    first = planes[0]
    for plane in planes[1:]:
        difference = shape_difference(first, plane)
        if difference:
            raise InvalidGeometry(
                f"images of different {difference} are mixed in one series.",
                where=f"{first.sop_instance_uid}, {plane.sop_instance_uid}",
                remedy="Send each stack of slices as a series of its own.",
            )


def _unit(vector: Sequence[float]) -> NDArray[np.float64]:
    return np.asarray(vector, dtype=np.float64) / np.linalg.norm(vector)


def _kept_part(positions: NDArray[np.float64], wanted: NDArray[np.bool_]) -> tuple[int, list[int]]:
    """Return the index of the first kept position and the slot of each kept one on the grid, counted from 0."""
    parts = [_grown(positions, first, last) for first, last in _even_runs(positions)]
    return max(parts, key=lambda part: (int(wanted[part[0] : part[0] + len(part[1])].sum()), len(part[1]), -part[0]))


def _even_runs(positions: NDArray[np.float64]) -> list[tuple[int, int]]:
    """Divide sorted positions into runs of one spacing; (first, last) indices, neighbours share a slice."""
    runs: list[tuple[int, int]] = []
    first = 0
    for index in range(1, len(positions)):
        last_of_all = index == len(positions) - 1
        step = (positions[index] - positions[first]) / (index - first)
        if last_of_all or not _is_close(positions[index + 1] - positions[index], step):
            runs.append((first, index))
            first = index
    return runs


def _is_close(distance: float, step: float) -> bool:
    return abs(distance - step) <= min(max(_STEP_TOLERANCE * step, _ROUNDING_MM), step / 4)


def _grown(positions: NDArray[np.float64], first: int, last: int) -> tuple[int, list[int]]:
    """Extend an even run over neighbours that lie on its grid with few slices missing between."""
    step = float(positions[last] - positions[first]) / (last - first)
    count = last - first + 1
    above = _gaps(positions[last:], step, count, 0)
    below = _gaps(-positions[first::-1], step, count + len(above), sum(above) - len(above))
    slots = [0, *np.cumsum([*reversed(below), *[1] * (count - 1), *above]).tolist()]
    return first - len(below), slots


def _gaps(positions: NDArray[np.float64], step: float, count: int, missing: int) -> list[int]:
    """Return the steps to each next position that the grid may take in, from the first position on.

    Parameters
    ----------
    positions
        Ascending, the first is the edge of the run.
    count, missing
        Images and missing slices of the run so far.
    """
    gaps: list[int] = []
    accepted = 0
    for distance in np.diff(positions):
        steps = round(float(distance) / step)
        if not 1 <= steps <= _LONGEST_GAP_SLICES + 1 or not _is_close(float(distance) / steps, step):
            break
        gaps.append(steps)
        missing += steps - 1
        if missing <= max(1.0, _MISSING_SHARE * (count + len(gaps) + missing)):
            accepted = len(gaps)
    gaps = gaps[:accepted]
    # Behind a gap the spacing must go on as before; one last image alone is taken in, too.
    reaches_end = len(gaps) == len(positions) - 1 and gaps[-2:-1] in ([], [1])
    while gaps and gaps[-1] > 1 and not reaches_end:
        gaps.pop()
    return gaps


def _fitted_geometry(planes: Sequence[ImagePlane], slots: Sequence[int]) -> tuple[VolumeGeometry, float]:
    """Return the grid of sorted planes and how far the worst slice lies from it along the normal, mm."""
    origins = np.array([plane.origin_lps_mm for plane in planes])
    indices = np.asarray(slots, dtype=np.float64)
    centred = indices - indices.mean()
    step = centred @ (origins - origins.mean(axis=0)) / (centred @ centred)
    origin = origins.mean(axis=0) - indices.mean() * step
    residual = origins - (origin + indices[:, None] * step)
    normal = np.asarray(planes[0].normal)
    along = residual @ normal
    across = np.linalg.norm(residual - along[:, None] * normal, axis=1)
    worst = int(across.argmax())
    if across[worst] > max(1.0, min(planes[0].pixel_spacing_mm)):
        raise InvalidGeometry(
            f"the slices are not stacked along one line: an image lies {across[worst]:.1f} mm beside the others.",
            where=planes[worst].sop_instance_uid,
            remedy="Send each stack of slices as a series of its own.",
        )
    if float(np.abs(residual).max()) < 1e-3:  # rounding of the positions: keep the first as it is written
        origin = origins[0]
    geometry = VolumeGeometry(
        (int(slots[-1]) + 1, planes[0].rows, planes[0].columns),
        vector3(origin),
        vector3(step),
        planes[0].row_step_lps_mm,
        planes[0].column_step_lps_mm,
        planes[0].frame_of_reference_uid,
    )
    return geometry, float(np.abs(along).max())


def _single_slice(plane: ImagePlane) -> SliceGrid:
    """Return the grid of one image; its slice step is its thickness, 1 mm when unknown."""
    thickness = plane.slice_thickness_mm or 1.0
    stated = "its stated thickness" if plane.slice_thickness_mm else "an assumed thickness"
    geometry = VolumeGeometry(
        (1, plane.rows, plane.columns),
        plane.origin_lps_mm,
        vector3(np.multiply(plane.normal, thickness)),
        plane.row_step_lps_mm,
        plane.column_step_lps_mm,
        plane.frame_of_reference_uid,
    )
    finding = Finding(
        "single-slice",
        Severity.WARNING,
        f"The series has one image only: volumes are those of one slice of {stated}, {thickness:g} mm.",
        plane.sop_instance_uid,
    )
    return SliceGrid(geometry, (0,), (finding,))


def _left_out(positions: NDArray[np.float64], first: int, count: int) -> list[Finding]:
    left_out = [*positions[:first], *positions[first + count :]]
    if not left_out:
        return []
    return [
        Finding(
            "uneven-spacing",
            Severity.WARNING,
            f"The slice spacing changes within the series: {len(left_out)} of {len(positions)} images were left out, "
            f"between {min(left_out):.1f} and {max(left_out):.1f} mm along the normal. "
            f"Used: {positions[first]:.1f} to {positions[first + count - 1]:.1f} mm.",
        )
    ]


def _missing(first_mm: float, step_mm: float, plane_of_slice: Sequence[int | None]) -> list[Finding]:
    slots = [slot for slot, plane in enumerate(plane_of_slice) if plane is None]
    if not slots:
        return []
    places = ", ".join(f"{first_mm + slot * step_mm:.1f}" for slot in slots)
    return [
        Finding(
            "missing-slices",
            Severity.WARNING,
            f"{len(slots)} of {len(plane_of_slice)} slices are missing and were interpolated from their neighbours, "
            f"at {places} mm along the normal.",
        )
    ]


def _uneven(shift_mm: float) -> list[Finding]:
    if shift_mm <= _ROUNDING_MM:
        return []
    message = f"The slice spacing is uneven: slices lie up to {shift_mm:.2f} mm beside a regular grid."
    return [Finding("uneven-spacing", Severity.WARNING, message)]


def _tilt(geometry: VolumeGeometry) -> list[Finding]:
    sine = np.linalg.norm(np.cross(geometry.normal, _unit(geometry.slice_step_lps_mm)))
    degrees = math.degrees(math.asin(min(1.0, float(sine))))
    if degrees < _TILT_DEGREES:
        return []
    message = f"The gantry was tilted by {degrees:.1f} degrees; the slices form a sheared volume, used as it is."
    return [Finding("gantry-tilt", Severity.INFO, message)]
