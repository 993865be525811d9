"""What every segmenter does to a raw mask: keep the part that is meant, close what is enclosed."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Mask = NDArray[np.bool_]


def marked_component(mask: Mask, marked: Mask) -> Mask:
    """Return the connected part of a mask that shares most voxels with what was marked.

    Parameters
    ----------
    mask, marked
        Bool arrays of one shape, of two or three dimensions. Voxels are connected by faces.

    Returns
    -------
    The part, of the same shape; empty when no part touches what was marked.
    """
    labels, count = ndimage.label(mask)
    if count == 0:
        return np.zeros_like(mask)
    shared = np.bincount(labels[marked], minlength=count + 1)
    shared[0] = 0
    part: Mask = (labels == int(shared.argmax())) if shared.any() else np.zeros_like(mask)
    return part


def fill_holes(mask: Mask) -> Mask:
    """Return a (slice, row, column) mask with the holes of every slice filled: what its outline encloses counts."""
    filled = mask.copy()
    for index in np.flatnonzero(mask.any(axis=(1, 2))):
        filled[index] = ndimage.binary_fill_holes(mask[index])
    return filled
