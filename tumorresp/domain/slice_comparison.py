"""Whether the volumes of one lesion on two scans were taken through slices of one kind.

A slice counts whole or not at all at the two ends of a lesion, and averages over its thickness. On equal slices that
error is much the same at both time points and takes no part in the change; on other slices it does. For a ball whose
slices are averaged and cut at half their contrast (``docs/numbers.md`` has the table) it is at most 7 % of the volume
with three slices across, 20 % with two, and grows to 65 % with one. Zhao et al. (Transl Oncol 2014;7:88-93) found
volumes on slices of 1.25 and of 5 mm not to be interchangeable.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from tumorresp.domain.evaluation import LesionEvaluation
from tumorresp.domain.finding import Finding, Severity
from tumorresp.domain.measurement import LesionRole
from tumorresp.domain.segmentation import LesionMask

# Slices differ where both limits are passed: scanners round their distances.
_LEAST_DIFFERENCE_MM = 0.5
_LEAST_RELATIVE = 0.1
_FEWEST_SLICES = 3
_NOISE_MM = 1e-6


def slices_differ(now: LesionMask, before: LesionMask) -> bool:
    """Return whether two masks' slices lie differently far apart: by more than a tenth, and more than 0.5 mm."""
    first, second = now.geometry.slice_distance_mm, before.geometry.slice_distance_mm
    difference = abs(first - second)
    return difference > _LEAST_DIFFERENCE_MM + _NOISE_MM and difference > _LEAST_RELATIVE * min(first, second)


def slice_change_doubt(now: LesionMask, baseline: LesionMask) -> str:
    """Return why two volumes must not be compared, without a full stop; empty where they may be.

    That is where the slices differ and one of the masks lies in fewer than three of them.
    """
    fewest = min(_slices(now), _slices(baseline))
    if not slices_differ(now, baseline) or fewest >= _FEWEST_SLICES or fewest == 0:
        return ""
    return f"{_distances(now, baseline)}, and it lies in {fewest} slice{'s' if fewest > 1 else ''} of one of the scans"


def slice_change_findings(
    lesions: Sequence[LesionEvaluation], baseline: Mapping[str, LesionEvaluation]
) -> tuple[Finding, ...]:
    """Say which targets' volumes were taken through other slices than at baseline, one finding a distance.

    Parameters
    ----------
    lesions
        Of a follow-up.
    baseline
        Lesions of the baseline by their ID.
    """
    named: dict[str, list[str]] = {}
    for item in lesions:
        before = baseline.get(item.lesion.lesion_id)
        if item.lesion.role is not LesionRole.TARGET or before is None or item.mask is None or before.mask is None:
            continue
        if slices_differ(item.mask, before.mask) and _slices(item.mask) and _slices(before.mask):
            named.setdefault(_distances(item.mask, before.mask), []).append(item.lesion.lesion_id)
    return tuple(
        Finding(
            "slice-distance-differs",
            Severity.WARNING,
            f"{', '.join(lesion_ids)}: {words}. Part of the change of volume may be theirs; compare scans of "
            "one protocol. Diameters count.",
            decides=True,
        )
        for words, lesion_ids in named.items()
    )


def _slices(mask: LesionMask) -> int:
    return int(np.count_nonzero(mask.voxels.any(axis=(1, 2))))


def _distances(now: LesionMask, before: LesionMask) -> str:
    first, second = (mask.geometry.slice_distance_mm for mask in (now, before))
    return f"the slices are {first:.2f} mm apart, at baseline they are {second:.2f} mm apart"
