"""The images of one series, divided into the stacks of slices that they were acquired or reconstructed as.

Most series are one stack. Others hold two reconstructions, several phases of one position, a few bolus-tracking images
or one image of another size: laid on one grid they would mix what does not belong together, and most of them would be
left out. Here they are told apart by what their images state; by the order of their numbers only where nothing else
tells them apart, and where every stack that comes out is a whole one.
"""

from collections import defaultdict
from collections.abc import Collection, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations, pairwise

import numpy as np
from numpy.typing import NDArray

from tumorresp.domain.geometry import ImagePlane
from tumorresp.domain.slice_grid import even_part_size, heights, is_held, shape_difference, unlike_positions

Labels = NDArray[np.int64]
# Attributes divide a series into stacks of at least this many images, on average.
_FEWEST_OF_A_STACK = 3
# Numbers alone divide a series into stacks of at least this many images; fewer are odd images, not a stack.
_SMALLEST_NUMBERED_STACK = 3
_MOST_INTERLEAVED = 4


@dataclass(frozen=True)
class StackImage:
    """One image (or frame), and what may tell its stack from another.

    Parameters
    ----------
    attributes
        Attribute name -> value, in the order in which they are tried; the same names for every image of a series.
    number
        Instance Number (0020,0013), of a frame its place in the image; None when not stated.
    """

    plane: ImagePlane
    attributes: Mapping[str, Hashable] = field(default_factory=dict)
    number: int | None = None


@dataclass(frozen=True)
class Stack:
    """Images that belong together: indices into the given sequence, ascending.

    ``told_apart_by`` names what tells the series' stacks apart; empty for a series that is one stack.
    """

    members: tuple[int, ...]
    told_apart_by: str = ""


def divide_into_stacks(images: Sequence[StackImage]) -> tuple[Stack, ...]:
    """Divide a series into stacks.

    Images of another orientation, size, pixel spacing or frame of reference are other stacks. The rest is divided only
    where it is no single stack (positions repeat or the spacing changes) and the largest stack gains by it, or where
    an attribute changes to and fro along it. Then that attribute, or pair of attributes, counts under which most
    images come to lie in even stacks of several images; of equally good ones that with the fewest stacks, then the
    first. Where no attribute helps, the order of the images does if it divides them into even stacks without a rest.

    Returns
    -------
    tuple of Stack
        The largest first, ties by the lowest position; the same for every order of ``images``.
    """
    found: list[Stack] = []
    for members, shape_words in _by_shape(images):
        labels, words = _best_labels([images[index] for index in members])
        parts: defaultdict[int, list[int]] = defaultdict(list)
        for index, label in zip(members, labels.tolist(), strict=True):
            parts[label].append(index)
        name = ", ".join(part for part in (shape_words, words) if part)
        found += [Stack(tuple(sorted(part)), name) for part in parts.values()]
    return tuple(sorted(found, key=lambda stack: _rank(images, stack)))


def chosen_stack(images: Sequence[StackImage], stacks: Sequence[Stack], must_hold: Collection[object]) -> Stack:
    """Return the stack that holds most of the images that matter; of equals the first.

    Parameters
    ----------
    must_hold
        SOP Instance UIDs, or (SOP Instance UID, frame number).
    """
    held = [sum(is_held(images[index].plane, must_hold) for index in stack.members) for stack in stacks]
    return stacks[held.index(max(held))]


def _rank(images: Sequence[StackImage], stack: Stack) -> tuple[int, float, str, int]:
    planes = [images[index].plane for index in stack.members]
    first = min(planes, key=lambda plane: (plane.sop_instance_uid, plane.frame_number or 0))
    return -len(planes), float(heights(planes).min()), first.sop_instance_uid, first.frame_number or 0


def _by_shape(images: Sequence[StackImage]) -> list[tuple[list[int], str]]:
    """Group images that may be slices of one grid; with more than one group, name what differs from the first."""
    order = sorted(
        range(len(images)), key=lambda i: (images[i].plane.sop_instance_uid, images[i].plane.frame_number or 0)
    )
    groups: list[list[int]] = []
    differences: list[str] = []
    for index in order:
        plane = images[index].plane
        compared = [shape_difference(images[group[0]].plane, plane) for group in groups]
        if "" in compared:
            groups[compared.index("")].append(index)
        else:
            groups.append([index])
            differences += [word for word in compared if word]
    words = ", ".join(dict.fromkeys(differences))
    return [(group, words) for group in groups]


def _best_labels(images: Sequence[StackImage]) -> tuple[Labels, str]:
    """Return a label for each image that divides them best, and what it is called; empty where they are one stack."""
    positions = heights([image.plane for image in images])
    best: Labels = np.zeros(len(images), np.int64)
    called, fewest = "", _misfits(positions, best)
    usable = len(images) - fewest
    for name, labels in _by_attributes(images, pairs=fewest > 0):
        interleaved = _is_interleaved(positions, labels)
        if not interleaved and _largest(labels) <= usable:
            continue
        misfits = _misfits(positions, labels)
        equal = labels.max() < best.max() if called else interleaved
        if misfits < fewest or (misfits == fewest and equal):
            best, called, fewest = labels, name, misfits
    if called or fewest == 0:
        return best, called
    for name, numbered in _by_numbers(images, positions):
        if _largest(numbered) > usable and _misfits(positions, numbered) == 0:
            return numbered, name
    return best, called


def _is_interleaved(positions: NDArray[np.float64], labels: Labels) -> bool:
    """Return whether most images of a division lie among those of another part of it, not beside them."""
    low, high = np.full(labels.max() + 1, np.inf), np.full(labels.max() + 1, -np.inf)
    np.minimum.at(low, labels, positions)
    np.maximum.at(high, labels, positions)
    # How many parts' ranges an image lies within, its own left out.
    within = np.searchsorted(np.sort(low), positions) - np.searchsorted(np.sort(high), positions, side="right")
    own = (low[labels] < positions) & (positions < high[labels])
    return 2 * int(np.count_nonzero(within - own > 0)) > len(positions)


def _largest(labels: Labels) -> int:
    return int(np.bincount(labels).max())


def _by_attributes(images: Sequence[StackImage], *, pairs: bool) -> Iterator[tuple[str, Labels]]:
    """Yield divisions of images by what they state: one attribute, then, if asked for, two.

    What differs nearly from image to image (a time, say) tells no stacks apart, and is left out.
    """
    columns: dict[str, Labels] = {}
    for name in images[0].attributes:
        labels = _coded([image.attributes.get(name) for image in images])
        if 0 < labels.max() < max(2, len(images) / _FEWEST_OF_A_STACK):
            columns[name] = labels
            yield name, labels
    for one, other in combinations(columns, 2) if pairs else ():
        labels = _coded(list(zip(columns[one].tolist(), columns[other].tolist(), strict=True)))
        if labels.max() < len(images) / _FEWEST_OF_A_STACK:
            yield f"{one} and {other}", labels


def _coded(values: Sequence[Hashable]) -> Labels:
    """Return values as numbers from 0, in the order in which they come first."""
    codes: dict[Hashable, int] = {}
    return np.array([codes.setdefault(value, len(codes)) for value in values], np.int64)


def _by_numbers(images: Sequence[StackImage], positions: NDArray[np.float64]) -> Iterator[tuple[str, Labels]]:
    """Yield divisions by the order of the images, the surest first."""
    divisions = (
        ("runs of Instance Number", _runs_of_numbers(images, positions)),
        ("order of Instance Number at each position", _rank_at_position(images)),
        *(
            (f"positions, {count} interleaved", _interleaved(images, count))
            for count in range(2, _MOST_INTERLEAVED + 1)
        ),
    )
    for name, labels in divisions:
        if labels is not None and np.bincount(labels).min() >= _SMALLEST_NUMBERED_STACK:
            yield name, labels


def _misfits(positions: NDArray[np.float64], labels: Labels) -> int:
    """Return how many images a division leaves alone, on each other, or beside the even part of their stack."""
    order = np.lexsort((positions, labels))
    parts = np.split(positions[order], np.cumsum(np.bincount(labels))[:-1])
    alone = len(parts) > 1
    return sum(len(part) if alone and len(part) == 1 else len(part) - even_part_size(part) for part in parts)


def _runs_of_numbers(images: Sequence[StackImage], positions: NDArray[np.float64]) -> Labels | None:
    """Return in which run through the body an image lies, where Instance Numbers go through it more than once."""
    numbers = [image.number for image in images]
    if None in numbers or len(set(numbers)) < len(numbers):
        return None
    order = sorted(range(len(images)), key=lambda index: numbers[index] or 0)
    labels = np.zeros(len(images), np.int64)
    run, direction = 0, 0.0
    for before, now in pairwise(order):
        step = float(np.sign(positions[now] - positions[before]))
        if direction and step != direction:
            run, direction = run + 1, 0.0
        else:
            direction = step
        labels[now] = run
    return labels


def _rank_at_position(images: Sequence[StackImage]) -> Labels | None:
    """Return the how manieth an image is at its position, by Instance Number; None where positions are not all full."""
    numbers = [image.number for image in images]
    groups = unlike_positions([image.plane for image in images])
    if None in numbers or len(set(numbers)) < len(numbers) or len({len(group) for group in groups}) != 1:
        return None
    labels = np.zeros(len(images), np.int64)
    for group in groups:
        for rank, index in enumerate(sorted(group, key=lambda i: numbers[i] or 0)):
            labels[index] = rank
    return labels


def _interleaved(images: Sequence[StackImage], stacks: int) -> Labels | None:
    """Return every ``stacks``-th image along the normal as a stack of its own; None where positions repeat."""
    groups = unlike_positions([image.plane for image in images])
    if len(groups) < len(images):
        return None
    labels = np.zeros(len(images), np.int64)
    for place, (index,) in enumerate(groups):
        labels[index] = place % stacks
    return labels
