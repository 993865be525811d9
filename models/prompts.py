"""What every box-prompted network here checks of its input."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def checked_slice(slice_hu: NDArray[Any]) -> None:
    """Raise ValueError unless the array is a (row, column) slice with at least one pixel."""
    if slice_hu.ndim != 2 or slice_hu.size == 0:
        raise ValueError(f"a slice must be (row, column) and not empty, not of shape {slice_hu.shape}")


def checked_boxes(boxes_xyxy: NDArray[Any]) -> NDArray[np.float64]:
    """Return boxes as (N, 4) float64.

    Raises
    ------
    ValueError
        If they have another shape or are not finite.
    """
    boxes = np.asarray(boxes_xyxy, dtype=np.float64)
    if boxes.ndim != 2 or boxes.shape[1] != 4:
        raise ValueError(f"boxes must be (N, 4), not {boxes.shape}")
    if not np.isfinite(boxes).all():
        raise ValueError("box coordinates must be finite")
    return boxes
