"""Upstream's own routine from one slice to a volume, kept for parity with its published results.

It walks from the middle slice of a given z range upwards and then downwards; the box of each slice is the tight box of
the previous slice's mask, 3 pixels wider on every side at 256 x 256. Its peculiarities are kept: an empty mask falls
back to the first box, nothing stops early, and the box depends on the lesion's label number, because the mask is
shrunk with its label value in uint8. Use the project's own propagation for anything but comparison.

Source: bowang-lab/MedSAM, branch LiteMedSAM, commit b0fab476.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from models.lite_medsam import logits_at_slice_size
from models.lite_medsam_preprocessing import (
    INPUT_SIZE,
    boxes_to_input,
    network_input,
    pad_to_square,
    resize_longest_side,
)

BOX_SHIFT = 3


class InputSpaceNetwork(Protocol):
    """A network that works at 256 x 256; :class:`models.lite_medsam.LiteMedSamNetwork` is one."""

    def encode(self, image: NDArray[np.float32]) -> Any:
        """Encode one (256, 256, 3) image in [0, 1]."""
        ...

    def decode(self, embedding: Any, boxes256: NDArray[np.int64]) -> tuple[torch.Tensor, torch.Tensor]:
        """Decode (N, 4) boxes in input pixels to (N, 256, 256) logits and (N,) predicted IoU."""
        ...


@dataclass(frozen=True, eq=False)
class UpstreamSegmentation:
    """What upstream's routine returns, and the boxes that it used on the way.

    Parameters
    ----------
    labels
        (slice, row, column) uint8; box i of the input has label i + 1, later boxes lie over earlier ones.
    boxes256
        (K, 4) boxes (x0, y0, x1, y1) in input pixels, in the order of use.
    """

    labels: NDArray[np.uint8]
    boxes256: NDArray[np.int64]


def segment_volume(
    volume: NDArray[np.uint8], boxes_xyzxyz: NDArray[np.integer[Any]], network: InputSpaceNetwork
) -> UpstreamSegmentation:
    """Segment each box of a prepared volume as upstream does.

    Parameters
    ----------
    volume
        (slice, row, column) uint8 grey values, windowed and scaled by the volume's range.
    boxes_xyzxyz
        (N, 6) boxes x0, y0, z0, x1, y1, z1 in voxels, both ends included; x, y hold on the middle slice.
    network
        What encodes and decodes. Each slice is encoded once; upstream encodes it again for every box, to the same
        result.

    Raises
    ------
    ValueError
        If a box ends before it begins in z, or reaches outside the volume.
    """
    labels = np.zeros_like(volume)
    boxes256: list[NDArray[np.int64]] = []
    embeddings: dict[int, Any] = {}
    for label, box in enumerate(boxes_xyzxyz, start=1):
        x0, y0, z0, x1, y1, z1 = (int(value) for value in box)
        if not 0 <= z0 < z1 < len(volume):
            raise ValueError(f"box {label} must have 0 <= z0 < z1 < {len(volume)}, not z0 = {z0}, z1 = {z1}")
        first_box = boxes_to_input(np.array([[x0, y0, x1, y1]]), volume.shape[1:])[0]
        lesion = np.zeros_like(volume)
        for z, previous in _walk(z0, z1):
            box256 = first_box if previous is None else _next_box(lesion[previous], first_box)
            if z not in embeddings:
                embeddings[z] = network.encode(network_input(volume[z]))
            low_resolution, _ = network.decode(embeddings[z], box256[np.newaxis])
            logits = logits_at_slice_size(low_resolution, (volume.shape[1], volume.shape[2]))[0]
            lesion[z][(torch.sigmoid(logits) > 0.5).numpy()] = label
            boxes256.append(box256)
        labels[lesion > 0] = label
    return UpstreamSegmentation(labels, np.array(boxes256, dtype=np.int64).reshape(-1, 4))


def _walk(z0: int, z1: int) -> Iterator[tuple[int, int | None]]:
    """Yield each slice with the slice whose mask gives its box: the middle to z1, then down to z0."""
    middle = z0 + (z1 - z0) // 2
    yield middle, None
    for z in range(middle + 1, z1 + 1):
        yield z, z - 1
    for z in range(middle - 1, z0 - 1, -1):
        yield z, z + 1


def _next_box(labelled: NDArray[np.uint8], first_box: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the tight box of a slice's labelled mask at 256 x 256, widened; the first box if nothing is left."""
    shrunk = pad_to_square(resize_longest_side(labelled))
    rows, columns = np.nonzero(shrunk)
    if rows.size == 0:
        return first_box
    # Upstream clamps to 256, one past the last pixel.
    return np.array(
        [
            max(0, columns.min() - BOX_SHIFT),
            max(0, rows.min() - BOX_SHIFT),
            min(INPUT_SIZE, columns.max() + BOX_SHIFT),
            min(INPUT_SIZE, rows.max() + BOX_SHIFT),
        ],
        dtype=np.int64,
    )
