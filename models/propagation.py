"""From one slice to a volume: a box-prompted 2-D network is led from the key slice outwards, both ways.

The lesion's range across the slices is found, not given. Steps are in millimetres, so that thin and thick slices are
treated alike: on thin slices the network sees every few millimetres and the slices between are interpolated.
"""

import weakref
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, fields
from enum import StrEnum
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from models.lesion_frame import LesionFrame, VoxelBox, lesion_frame
from models.mask_cleaning import fill_holes, marked_component
from tumorresp.domain.ct_volume import CtVolume
from tumorresp.domain.errors import SegmentationFailed
from tumorresp.domain.finding import Finding, Severity
from tumorresp.domain.segmentation import BoxPrompt, LesionMask, SegmenterIdentity
from tumorresp.ports import SliceSegmenter

Mask = NDArray[np.bool_]
Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class PropagationParameters:
    """Parameters of `Propagation`.

    Parameters
    ----------
    step_mm
        Longest distance between slices that the network sees; slices thicker than this are all seen.
    margin_mm
        The next box is the tight box of the last mask, this much wider on every side.
    largest_reach
        The mask ends at this many long axes from the key slice at the latest.
    smallest_area_mm2, smallest_share
        A mask is lost when it is smaller than this area, or than this share of the key slice's mask.
    largest_growth
        A mask leaks when its area is more than this many times that of the key slice's or the last mask, if smaller.
    largest_extent
        A mask leaks when it is longer, along the long axis or across it, than this many long axes.
    smallest_overlap
        A mask jumps when less than this share of the smaller of it and the last mask lies in both.
    largest_shift
        A mask jumps when its centre moves by more than this many long axes.
    smallest_predicted_iou
        A mask is distrusted when the network itself predicts a lower overlap with the truth.
    """

    step_mm: float = 4.0
    margin_mm: float = 3.0
    largest_reach: float = 1.5
    smallest_area_mm2: float = 4.0
    smallest_share: float = 0.02
    largest_growth: float = 1.6
    largest_extent: float = 1.4
    smallest_overlap: float = 0.5
    largest_shift: float = 0.25
    smallest_predicted_iou: float = 0.4

    def as_pairs(self) -> tuple[tuple[str, str], ...]:
        """Return every parameter as (name, value), in fixed order."""
        return tuple((field.name, f"{getattr(self, field.name):g}") for field in fields(self))


class Stop(StrEnum):
    """Why propagation ended on one side."""

    LOST = "mask-lost"
    LEAK = "mask-leaked"
    JUMP = "mask-jumped"
    DISTRUST = "mask-distrusted"
    REACH = "reach-limited"
    SCAN_EDGE = "lesion-at-scan-edge"


_REASONS = {
    Stop.LOST: "the mask came to its end",
    Stop.LEAK: "the next mask grew out of the lesion",
    Stop.JUMP: "the next mask lay elsewhere",
    Stop.DISTRUST: "the network distrusted its next mask",
    Stop.REACH: "the lesion reached farther than its long axis allows",
    Stop.SCAN_EDGE: "the scan ends",
}


class Propagation:
    """Makes a lesion segmenter of a slice segmenter."""

    def __init__(self, slice_segmenter: SliceSegmenter, parameters: PropagationParameters | None = None) -> None:
        self._network = slice_segmenter
        self._parameters = parameters or PropagationParameters()
        self._embeddings = _Embeddings(slice_segmenter)

    @property
    def identity(self) -> SegmenterIdentity:
        """The network's name, version and weights; its parameters, then those of the propagation."""
        network = self._network.identity
        own = tuple((f"propagation_{name}", value) for name, value in self._parameters.as_pairs())
        return SegmenterIdentity(network.name, network.version, network.weights_sha256, (*network.parameters, *own))

    def segment(self, volume: CtVolume, prompt: BoxPrompt) -> LesionMask:
        """Segment the lesion whose axes the prompt holds.

        Raises
        ------
        SegmentationFailed
            If the network finds nothing on the key slice that touches the axes.
        """
        frame = lesion_frame(prompt, volume.geometry)
        key = self._key_mask(volume, prompt, frame)
        masks, findings = {prompt.slice_index: key}, []
        walk = _Walk(volume, frame, key, self._parameters, self._look)
        for direction in (-1, 1):
            side = walk.side(direction)
            masks.update(side.masks)
            findings.append(_stop_finding(side, direction, prompt.measurement_uid))
        first = min(masks)
        stack = np.stack([masks[index] for index in range(first, max(masks) + 1)])
        key_only = np.zeros_like(stack)
        key_only[prompt.slice_index - first] = key
        box = VoxelBox((first, 0, 0), (stack.shape[0], stack.shape[1], stack.shape[2]))
        return LesionMask.from_volume(
            box.in_volume(marked_component(stack, key_only), volume.geometry.shape),
            volume.geometry,
            measurement_uid=prompt.measurement_uid,
            segmenter=self.identity,
            key_slice=prompt.slice_index,
            findings=tuple(findings),
        )

    def _look(self, volume: CtVolume, index: int, box: Box) -> tuple[Mask, float]:
        """Return the network's (row, column) mask and predicted IoU for one box on one slice."""
        logits, predicted_iou = self._network.decode(self._embeddings.of(volume, index), np.array([box]))
        return logits[0] > 0, float(predicted_iou[0])

    def _key_mask(self, volume: CtVolume, prompt: BoxPrompt, frame: LesionFrame) -> Mask:
        raw, _ = self._look(volume, prompt.slice_index, prompt.box_xyxy)
        slice_box = VoxelBox((prompt.slice_index, 0, 0), (1, *raw.shape))
        mask = fill_holes(marked_component(raw[None], frame.ellipse(slice_box)))[0]
        if not mask.any():
            raise SegmentationFailed(
                "the network found nothing at the axes on their own slice.",
                where=prompt.measurement_uid,
                remedy="Check the measurement, or use another segmenter.",
            )
        return mask


class _Embeddings:
    """Each slice of a volume is encoded once, for all lesions on it, as long as the volume lives."""

    _CAPACITY = 96

    def __init__(self, network: SliceSegmenter) -> None:
        self._network = network
        self._lock = Lock()
        self._kept: weakref.WeakKeyDictionary[CtVolume, OrderedDict[int, Any]] = weakref.WeakKeyDictionary()

    def of(self, volume: CtVolume, index: int) -> Any:
        with self._lock:
            kept = self._kept.setdefault(volume, OrderedDict())
            if index not in kept:
                kept[index] = self._network.encode(volume.hu[index])
                if len(kept) > self._CAPACITY:
                    kept.popitem(last=False)
            return kept[index]


@dataclass(frozen=True, eq=False)
class _Side:
    """Masks by slice index on one side of the key slice, the outermost slice, and why it is the outermost."""

    masks: dict[int, Mask]
    last: int
    stop: Stop


@dataclass(frozen=True, eq=False)
class _Walk:
    """Walks from the key slice's mask outwards."""

    volume: CtVolume
    frame: LesionFrame
    key: Mask
    parameters: PropagationParameters
    look: Callable[[CtVolume, int, Box], tuple[Mask, float]]

    def side(self, direction: int) -> _Side:
        """Walk towards growing (1) or falling (-1) slice indices until the lesion ends."""
        masks: dict[int, Mask] = {}
        last, mask = self.frame.key_slice, self.key
        end = self.volume.geometry.shape[0] - 1 if direction > 0 else 0
        reach = int(self.parameters.largest_reach * 2 * self.frame.half_long_mm / self.frame.spacing_mm[0])
        stride = max(1, int(self.parameters.step_mm / self.frame.spacing_mm[0]))
        while True:
            if last == end:
                return _Side(masks, last, Stop.SCAN_EDGE)
            if abs(last - self.frame.key_slice) >= reach:
                return _Side(masks, last, Stop.REACH)
            step = min(stride, abs(end - last), reach - abs(last - self.frame.key_slice))
            found = self._next(mask, last, direction * step)
            if isinstance(found, Stop):
                if step == 1:
                    return _Side(masks, last, found)
                # A long step failed, so the end is near: from here it is sought slice by slice.
                stride = 1
                continue
            between = interpolated(mask, found, step - 1, self.frame.spacing_mm[1:])
            masks.update((last + direction * (n + 1), one) for n, one in enumerate((*between, found)))
            last, mask = last + direction * step, found

    def _next(self, previous: Mask, index: int, step: int) -> Mask | Stop:
        """Return the mask ``step`` slices on from a mask on slice ``index``, or why there is none to be trusted."""
        height, width = previous.shape
        # Where a tilted gantry displaces the next slice's grid, the last mask stands on other pixels of it.
        moved = [
            -round(step * mm / spacing)
            for mm, spacing in zip(self.frame.drift_mm, self.frame.spacing_mm[1:], strict=True)
        ]
        expected = ndimage.shift(previous, moved, order=0, prefilter=False) if any(moved) else previous
        if not expected.any():
            return Stop.LOST
        rows, columns = np.nonzero(expected)
        margins = [self.parameters.margin_mm / spacing for spacing in self.frame.spacing_mm[1:]]
        box = (
            max(float(columns.min()) - margins[1], 0.0),
            max(float(rows.min()) - margins[0], 0.0),
            min(float(columns.max()) + margins[1], width - 1.0),
            min(float(rows.max()) + margins[0], height - 1.0),
        )
        raw, predicted_iou = self.look(self.volume, index + step, box)
        mask = fill_holes(marked_component(raw, expected)[None])[0]
        stop = self._fault(mask, expected, predicted_iou)
        return mask if stop is None else stop

    def _fault(self, mask: Mask, expected: Mask, predicted_iou: float) -> Stop | None:
        limits = self.parameters
        area, last_area, key_area = (int(np.count_nonzero(one)) for one in (mask, expected, self.key))
        pixel_mm2 = self.frame.spacing_mm[1] * self.frame.spacing_mm[2]
        if area * pixel_mm2 < limits.smallest_area_mm2 or area < limits.smallest_share * key_area:
            return Stop.LOST
        if (
            area > limits.largest_growth * min(last_area, key_area)
            or self._extent_mm(mask) > limits.largest_extent * self._long_mm
        ):
            return Stop.LEAK
        overlap = int(np.count_nonzero(mask & expected)) / min(area, last_area)
        if overlap < limits.smallest_overlap or self._shift_mm(mask, expected) > limits.largest_shift * self._long_mm:
            return Stop.JUMP
        return Stop.DISTRUST if predicted_iou < limits.smallest_predicted_iou else None

    @property
    def _long_mm(self) -> float:
        return 2 * self.frame.half_long_mm

    def _extent_mm(self, mask: Mask) -> float:
        positions = np.argwhere(mask) * self.frame.spacing_mm[1:]
        row, column = self.frame.long_direction
        return float(np.ptp(positions @ np.array([[row, -column], [column, row]]), axis=0).max())

    def _shift_mm(self, mask: Mask, expected: Mask) -> float:
        middles = [np.argwhere(one).mean(axis=0) for one in (mask, expected)]
        return float(np.linalg.norm((middles[0] - middles[1]) * self.frame.spacing_mm[1:]))


def interpolated(first: Mask, second: Mask, count: int, spacing_mm: tuple[float, ...]) -> tuple[Mask, ...]:
    """Return ``count`` masks evenly between two (row, column) masks, by their signed distances (mm) to the outline."""
    if count == 0:
        return ()
    near, far = (_signed_distance(mask, spacing_mm) for mask in (first, second))
    shares = np.arange(1, count + 1) / (count + 1)
    return tuple((1 - share) * near + share * far < 0 for share in shares)


def _signed_distance(mask: Mask, spacing_mm: tuple[float, ...]) -> NDArray[np.float64]:
    outside = ndimage.distance_transform_edt(~mask, sampling=spacing_mm)
    inside = ndimage.distance_transform_edt(mask, sampling=spacing_mm)
    return np.asarray(outside - inside, dtype=np.float64)


def _stop_finding(side: _Side, direction: int, measurement_uid: str) -> Finding:
    end = "growing" if direction > 0 else "falling"
    severity = Severity.INFO if side.stop is Stop.LOST else Severity.WARNING
    message = f"Towards {end} slice index the mask ends at index {side.last}: {_REASONS[side.stop]}."
    return Finding(f"propagation-{side.stop}", severity, message, measurement_uid)
