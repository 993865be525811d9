"""CT numbers of a lesion."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class MaskIntensity:
    """Mean (IBSI Q4LE) and standard deviation (root of IBSI ECT3, of all voxels) in HU."""

    mean_hu: float
    sd_hu: float


def mask_intensity(hu: NDArray[Any], voxels: NDArray[np.bool_]) -> MaskIntensity | None:
    """Measure the CT numbers (slice, row, column) inside a mask of the same shape; None for an empty mask."""
    inside = hu[voxels].astype(np.float64)
    if inside.size == 0:
        return None
    return MaskIntensity(float(inside.mean()), float(inside.std()))
