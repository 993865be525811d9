"""Which image plane a marked line lies on: the one that its document names, or the one that holds its coordinates."""

from collections.abc import Mapping, Sequence

import numpy as np

from tumorresp.domain.errors import InvalidMeasurement, MissingImages
from tumorresp.domain.geometry import ImagePlane, Vector3
from tumorresp.domain.measurement import Axis, MarkedAxis, MarkedMeasurement

# Slices can be farther apart than they are thick.
_LEAST_REACH_MM = 5.0


def plane_of(marked: MarkedMeasurement, axis: MarkedAxis, planes: Mapping[str, Sequence[ImagePlane]]) -> ImagePlane:
    """Return the plane that a line lies on: the referenced one, or for patient coordinates the one that holds them.

    Raises
    ------
    MissingImages
        If it is not here.
    InvalidMeasurement
        If what the document names cannot be the plane.
    """
    frames = planes.get(marked.sop_instance_uid, ())
    if axis.lps_mm is None:
        return referenced_plane(marked, frames)
    middle = Axis(*axis.lps_mm).midpoint_lps_mm
    if not np.isfinite(middle).all():
        raise InvalidMeasurement("an end point is not a number.", where=name_of(marked))
    named = [plane for plane in frames if marked.frame_number in (None, plane.frame_number) or len(frames) == 1]
    if not named:  # no image is named, or one that nobody has: structure sets are copied along with re-written CTs
        return _nearest_plane(marked, middle, planes)
    nearest = min(named, key=lambda plane: abs(plane.lps_to_pixel(middle)[2]))
    distance = abs(nearest.lps_to_pixel(middle)[2])
    stated = {marked.frame_of_reference_uid, nearest.frame_of_reference_uid} - {""}
    if len(stated) > 1:
        raise InvalidMeasurement(
            "the coordinates are of another frame of reference than the image that they refer to.",
            where=name_of(marked),
        )
    if distance <= _reach_mm(nearest):
        return nearest
    try:
        return _nearest_plane(marked, middle, planes)
    except MissingImages:
        raise InvalidMeasurement(
            f"the coordinates lie {distance:.1f} mm beside the image that they refer to, and on no other.",
            where=name_of(marked),
        ) from None


def referenced_plane(marked: MarkedMeasurement, frames: Sequence[ImagePlane]) -> ImagePlane:
    """Return the one of an image's frames that a measurement in pixels names.

    Raises
    ------
    MissingImages
        If the image is not here.
    InvalidMeasurement
        If the measurement names no image, or no frame that the image has.
    """
    if not marked.sop_instance_uid:
        raise InvalidMeasurement("pixel coordinates need a referenced image.", where=name_of(marked))
    if not frames:
        raise MissingImages(
            "the image that a measurement refers to has not arrived.",
            where=marked.sop_instance_uid,
            remedy="Send its CT series.",
        )
    if len(frames) == 1:  # writers give frame 1 for images that have no frames
        return frames[0]
    if marked.frame_number is None:
        raise InvalidMeasurement(
            f"the measurement does not say which of the image's {len(frames)} frames it is on.",
            where=marked.sop_instance_uid,
        )
    for plane in frames:
        if plane.frame_number == marked.frame_number:
            return plane
    raise InvalidMeasurement(
        f"the measurement refers to frame {marked.frame_number}, which the image does not have.",
        where=marked.sop_instance_uid,
    )


def _nearest_plane(
    marked: MarkedMeasurement, point_lps_mm: Vector3, planes: Mapping[str, Sequence[ImagePlane]]
) -> ImagePlane:
    """Return the plane nearest to a point; of equally near ones the thinner, then in the order of UIDs."""
    best: tuple[tuple[float, float, str, str, int], ImagePlane] | None = None
    for plane in _candidates(marked, planes):
        column, row, distance = plane.lps_to_pixel(point_lps_mm)
        if not plane.contains_pixel(column, row) or abs(distance) > _reach_mm(plane):
            continue
        rank = (
            round(abs(distance), 3),
            plane.slice_thickness_mm or np.inf,
            plane.series_instance_uid,
            plane.sop_instance_uid,
            plane.frame_number or 0,
        )
        if best is None or rank < best[0]:
            best = rank, plane
    if best is None:
        raise MissingImages(
            "no image of the measurement's frame of reference holds its coordinates.",
            where=marked.frame_of_reference_uid or name_of(marked),
            remedy="Send its CT series.",
        )
    return best[1]


def other_series_there(
    marked: MarkedMeasurement, axis: MarkedAxis, plane: ImagePlane, planes: Mapping[str, Sequence[ImagePlane]]
) -> tuple[ImagePlane, ...]:
    """Return a plane of each other series of the study that holds a line's middle, too, where no image is named.

    Parameters
    ----------
    plane
        The one that was taken.
    """
    if axis.lps_mm is None or marked.sop_instance_uid in planes:
        return ()
    middle = Axis(*axis.lps_mm).midpoint_lps_mm
    found: dict[str, ImagePlane] = {}
    for other in _candidates(marked, planes):
        if (
            other.series_instance_uid == plane.series_instance_uid
            or other.study_instance_uid != plane.study_instance_uid
        ):
            continue
        column, row, distance = other.lps_to_pixel(middle)
        if other.contains_pixel(column, row) and abs(distance) <= _reach_mm(other):
            found.setdefault(other.series_instance_uid, other)
    return tuple(found[uid] for uid in sorted(found))


def _candidates(marked: MarkedMeasurement, planes: Mapping[str, Sequence[ImagePlane]]) -> list[ImagePlane]:
    """Return the planes that patient coordinates can lie on.

    Those of the frame of reference, of the series and of the study that are stated. A stated series or study that is
    not here narrows nothing where the frame of reference is stated: reports may be kept in a study of their own.
    """
    every = [plane for frames in planes.values() for plane in frames]
    by_frame = [p for p in every if marked.frame_of_reference_uid in ("", p.frame_of_reference_uid)]
    for wanted, name in (
        (marked.series_instance_uid, "series_instance_uid"),
        (marked.study_instance_uid, "study_instance_uid"),
    ):
        same = [plane for plane in by_frame if wanted and getattr(plane, name) == wanted]
        if same:
            return same
    return by_frame if marked.frame_of_reference_uid else []


def _reach_mm(plane: ImagePlane) -> float:
    return max(plane.slice_thickness_mm or 0.0, _LEAST_REACH_MM)


def name_of(marked: MarkedMeasurement) -> str:
    """Return what messages call a measurement."""
    return marked.label or marked.tracking_identifier or marked.sop_instance_uid or marked.measurement_uid
