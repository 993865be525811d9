"""The faces by which the pipeline knows its workshops; ``tumorresp.service.wiring`` hands the real ones in."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from tumorresp.domain.ct_volume import CtVolume
from tumorresp.domain.evaluation import SubjectEvaluation, TimePointEvaluation
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


@dataclass(frozen=True)
class ResultFile:
    """A file that came out for one time point; ``sop_instance_uid`` is empty for what is no DICOM object."""

    kind: str
    path: Path
    time_point_id: str
    sha256: str
    sop_instance_uid: str = ""


class ResultWriter(Protocol):
    """Writes the objects and pages of an evaluation."""

    def write_time_point(
        self,
        evaluation: SubjectEvaluation,
        time_point: TimePointEvaluation,
        ct_paths: Mapping[str, Sequence[Path]],
        volumes: Callable[[str], CtVolume],
        input_digest: str,
        folder: Path,
        former_reports: Sequence[ResultFile] = (),
    ) -> tuple[ResultFile, ...]:
        """Write SEG, SR and what else is set for one time point.

        Parameters
        ----------
        ct_paths
            Image files by Series Instance UID.
        volumes
            Gives the CT volume of a Series Instance UID.
        input_digest
            Names all inputs up to and including this time point; UIDs are derived from it.
        former_reports
            Structured reports that were made of this time point before, the oldest first; the report names the last one
            before it as its predecessor.
        """
        ...

    def write_subject(
        self, evaluation: SubjectEvaluation, volumes: Callable[[str], CtVolume], folder: Path
    ) -> tuple[Path, ...]:
        """Write tables, pictures and the HTML and PDF report of the whole subject."""
        ...


Progress = Callable[[str, int, int], None]
"""Called with (what is being done, steps done, steps in all)."""
