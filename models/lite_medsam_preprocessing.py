"""Lite MedSAM's image and box arithmetic, equal to upstream's to the last bit.

Source: bowang-lab/MedSAM, branch LiteMedSAM, commit b0fab476. All boxes are (x0, y0, x1, y1), x along columns.
"""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

INPUT_SIZE = 256
_FLAT_IMAGE = 1e-8


def resize_longest_side(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Resize (row, column[, channel]) uint8 so that the longer side is 256, by area averaging."""
    height, width = resized_shape(image.shape)
    resized: NDArray[np.uint8] = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
    return resized


def resized_shape(shape: tuple[int, ...]) -> tuple[int, int]:
    """Return (rows, columns) after resizing the longer side to 256."""
    scale = INPUT_SIZE / max(shape[0], shape[1])
    return int(shape[0] * scale + 0.5), int(shape[1] * scale + 0.5)


def pad_to_square(image: NDArray[Any]) -> NDArray[Any]:
    """Pad (row, column[, channel]) with zeros at the bottom and on the right to 256 x 256."""
    rows, columns = image.shape[:2]
    padding = [(0, INPUT_SIZE - rows), (0, INPUT_SIZE - columns)] + [(0, 0)] * (image.ndim - 2)
    return np.pad(image, padding)


def network_input(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the (256, 256, 3) float32 input of the network for a uint8 slice or RGB image.

    The order matters: resize, then scale this slice's own range to [0, 1], then pad; the padding is 0, as black as the
    darkest pixel.

    Parameters
    ----------
    image
        (row, column) or (row, column, 3), uint8.
    """
    colour = np.repeat(image[:, :, np.newaxis], 3, axis=2) if image.ndim == 2 else image
    resized = resize_longest_side(colour)
    low, high = int(resized.min()), int(resized.max())
    normalised = (resized - low) / max(high - low, _FLAT_IMAGE)
    padded: NDArray[np.float32] = pad_to_square(normalised).astype(np.float32)
    return padded


def boxes_to_input(boxes_xyxy: NDArray[Any], shape: tuple[int, ...]) -> NDArray[np.int64]:
    """Scale (N, 4) boxes from a (row, column) image to the 256 x 256 input, truncating each coordinate."""
    ratio = INPUT_SIZE / max(shape[0], shape[1])
    return np.trunc(np.asarray(boxes_xyxy, dtype=np.float64) * ratio).astype(np.int64)
