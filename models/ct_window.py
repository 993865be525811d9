"""CT numbers to the grey values that the networks were trained on."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray


class CtWindow(NamedTuple):
    """A display window: level (centre) and width in HU."""

    level: float
    width: float

    @property
    def bounds(self) -> tuple[float, float]:
        """Lowest and highest CT number (HU) that are told apart."""
        return self.level - self.width / 2, self.level + self.width / 2


SOFT_TISSUE = CtWindow(40, 400)
LUNG = CtWindow(-600, 1500)
BRAIN = CtWindow(40, 80)


def window_to_uint8(hu: NDArray[np.floating[Any]] | NDArray[np.integer[Any]], window: CtWindow) -> NDArray[np.uint8]:
    """Clip CT numbers to a window and scale the window to 0..255, truncated, as MedSAM's training data were.

    Parameters
    ----------
    hu
        CT numbers of any shape, HU.
    window
        Level and width, HU. Upstream scales by the smallest and greatest value of the whole clipped volume; a volume
        that holds air and bone reaches both bounds, so the bounds themselves give the same grey values there, and a
        slice's grey values do not depend on which other slices were loaded.

    Returns
    -------
    array
        uint8, of the same shape.

    Raises
    ------
    ValueError
        If the width is not positive or a CT number is not finite.

    Examples
    --------
    >>> window_to_uint8(np.array([-1000.0, -160.0, 40.0, 240.0, 3000.0]), SOFT_TISSUE).tolist()
    [0, 0, 127, 255, 255]
    """
    if not window.width > 0:
        raise ValueError(f"a CT window must have a positive width, not {window.width}")
    values = np.asarray(hu, dtype=np.float64)
    if not np.isfinite(values).all():
        raise ValueError("CT numbers must be finite")
    low, high = window.bounds
    return ((np.clip(values, low, high) - low) / (high - low) * 255.0).astype(np.uint8)
