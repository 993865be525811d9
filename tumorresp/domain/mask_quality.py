"""Whether the voxels of a mask are the whole lesion: the one place that calls a volume doubtful, and says why.

A volume is the sum of what lies in every slice. Where the mask ends because images end, and not because the lesion
does, or where the distance that a slice stands for is not known, the number is one of some part of the lesion: smaller
or larger by an amount that nobody can tell. The rules that compare volumes call such a lesion not evaluable; the
reader's diameters, which need one image, count on.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tumorresp.domain.ct_volume import CtVolume
from tumorresp.domain.segmentation import LesionMask

REACH_LIMITED_CODES = frozenset(("propagation-reach-limited", "contour-reach-limited"))
"""Codes with which a segmenter says that its mask was stopped by a limit of its own."""

# Scanners round positions to 0.1 mm; a tenth of the distance is what a series may vary without being divided.
_ROUNDING_MM = 0.1
_STEP_TOLERANCE = 0.1
# From here on more of the lesion lies between the images than on them.
_SPARSE = 2.0


@dataclass(frozen=True)
class VolumeDoubt:
    """One reason why a mask's volume is not that of its lesion: a stable code, and words without a full stop."""

    code: str
    words: str


def volume_doubts(mask: LesionMask, volume: CtVolume) -> tuple[VolumeDoubt, ...]:
    """Return why the volume of a mask is not that of its lesion; empty where nothing speaks against it.

    Parameters
    ----------
    mask
        On the grid of ``volume``. An empty mask has no volume to doubt.
    volume
        The CT; without planes nothing is known of missing images, and only the grid is judged.
    """
    if mask.is_empty:
        return ()
    slices = np.flatnonzero(mask.voxels.any(axis=(1, 2))) + mask.start[0]
    reasons = (
        ("mask-touches-gap", _gap(slices, volume)),
        ("mask-touches-scan-edge", _scan_edge(slices, mask)),
        ("mask-of-one-slice", _one_slice(slices, volume)),
        ("mask-reach-limited", _reach(mask)),
        ("mask-slices-uneven", _uneven(slices, volume)),
        ("mask-slices-apart", _apart(volume)),
    )
    return tuple(VolumeDoubt(code, words) for code, words in reasons if words)


def _gap(slices: NDArray[np.int64], volume: CtVolume) -> str:
    """Return words where a slice of the mask, or one beside it, has no image."""
    beside = range(int(slices[0]) - 1, int(slices[-1]) + 2)
    missing = [index for index in volume.slices_without_image if index in beside]
    if not missing:
        return ""
    count = "a slice" if len(missing) == 1 else f"{len(missing)} slices"
    return f"its mask touches {count} without a usable image"


def _scan_edge(slices: NDArray[np.int64], mask: LesionMask) -> str:
    """Return words where the mask reaches an outer slice, row or column."""
    begin, end = np.asarray(mask.start), np.asarray(mask.start) + mask.voxels.shape
    size = np.asarray(mask.geometry.shape)
    at_end = slices[0] == 0 or slices[-1] == size[0] - 1
    if not at_end and not (begin[1:] == 0).any() and not (end[1:] == size[1:]).any():
        return ""
    return "its mask touches the edge of the images that were used, and the lesion may go on outside"


def _one_slice(slices: NDArray[np.int64], volume: CtVolume) -> str:
    if len(slices) > 1:
        return ""
    if volume.geometry.shape[0] > 1:
        return "its mask lies in one slice only"
    if volume.slice_thickness_mm is None:
        return "there is one image of it only, of unknown thickness"
    return f"there is one image of it only, {volume.slice_thickness_mm:g} mm thick"


def _reach(mask: LesionMask) -> str:
    if not any(finding.code in REACH_LIMITED_CODES for finding in mask.findings):
        return ""
    return "its mask ends where the segmenter's reach ends, and the lesion may go on"


def _uneven(slices: NDArray[np.int64], volume: CtVolume) -> str:
    """Return words where neighbouring slices of the mask lie closer or farther than the grid says."""
    if not volume.planes:
        return ""
    normal = np.asarray(volume.geometry.normal)
    step = volume.geometry.slice_distance_mm
    reach = range(max(0, int(slices[0]) - 1), min(len(volume.planes), int(slices[-1]) + 2))
    positions = np.array([np.dot(normal, volume.planes[index].origin_lps_mm) for index in reach])
    distances = np.diff(positions)
    off = np.abs(distances - step)
    if not off.size or off.max() <= max(_STEP_TOLERANCE * step, _ROUNDING_MM) + 1e-6:
        return ""
    return f"the distance of its slices changes, {distances.min():.1f} to {distances.max():.1f} mm"


def _apart(volume: CtVolume) -> str:
    thickness = volume.slice_thickness_mm
    step = volume.geometry.slice_distance_mm
    if thickness is None or volume.geometry.shape[0] == 1 or step < _SPARSE * thickness - 1e-6:
        return ""
    share = math.floor(100 * (1 - thickness / step))
    return f"its images are {thickness:g} mm thick and {step:.1f} mm apart, so that {share} % of it was not seen"
