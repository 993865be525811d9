"""The faces by which the pipeline knows its workshops; ``tumorresp.service.wiring`` hands the real ones in."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from tumorresp.domain.ct_volume import CtVolume
from tumorresp.domain.measurement import MarkedMeasurement
from tumorresp.domain.segmentation import BoxPrompt, LesionMask, SegmenterIdentity


@runtime_checkable
class SliceSegmenter(Protocol):
    """A box-prompted 2-D network; encoding a slice is separate from decoding boxes on it."""

    @property
    def identity(self) -> SegmenterIdentity:
        """Name, version and weights."""
        ...

    def encode(self, slice_hu: NDArray[np.floating[Any]]) -> Any:
        """Encode one (row, column) slice of CT numbers (HU); the result is opaque and reusable."""
        ...

    def decode(
        self, embedding: Any, boxes_xyxy: NDArray[np.floating[Any]]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Decode (N, 4) boxes (x0, y0, x1, y1 in pixels) to (N, row, column) logits and (N,) predicted IoU."""
        ...


@runtime_checkable
class LesionSegmenter(Protocol):
    """Prompt and CT volume in, lesion mask out."""

    @property
    def identity(self) -> SegmenterIdentity:
        """Name, version, weights and parameters."""
        ...

    def segment(self, volume: CtVolume, prompt: BoxPrompt) -> LesionMask:
        """Segment the lesion that the prompt marks.

        Raises
        ------
        SegmentationFailed
            If there is no lesion to be found at the prompt.
        """
        ...


class MeasurementReader(Protocol):
    """Reads one format of measurements."""

    def can_read(self, path: Path) -> bool:
        """Return whether this reader knows the file, without decoding all of it."""
        ...

    def read(self, path: Path) -> Sequence[MarkedMeasurement]:
        """Read every measurement of a file, in the file's order.

        Raises
        ------
        InvalidInput
            If the file is of this format but cannot be understood.
        """
        ...


Progress = Callable[[str, int, int], None]
"""Called with (what is being done, steps done, steps in all)."""
