"""Segmenters side by side on lesions with reference masks.

A segmenter sees the CT and four points: the end points of the reference mask's long and short axis. Beside it always
stands the ellipsoid of those axes, which looks at no image: what does not beat it is worth nothing.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.benchmark.scores import dice, surface_dice, volume_ratio
from models.ellipsoid import Ellipsoid
from tumorresp.domain.ct_volume import CtVolume
from tumorresp.domain.errors import InvalidInput, SegmentationFailed
from tumorresp.domain.measurement import LesionState, Measurement, SourceDocument
from tumorresp.domain.prompt import box_prompt
from tumorresp.domain.segmentation import BoxPrompt
from tumorresp.ports import LesionSegmenter, Progress
from tumorresp.quantify.mask_axes import mask_axes

SURFACE_TOLERANCE_MM = 2.0
_MARGIN_MM = 3.0

Case = tuple[str, CtVolume, NDArray[np.bool_]]
"""Name, CT and (slice, row, column) reference mask of one lesion."""


@dataclass(frozen=True)
class LesionScore:
    """One segmenter on one lesion.

    Parameters
    ----------
    case, segmenter
        Names.
    reference_long_axis_mm, reference_volume_mm3
        Of the reference mask.
    dice, surface_dice
        Dice coefficient, and surface Dice at `SURFACE_TOLERANCE_MM`.
    volume_ratio
        Mask over reference.
    long_axis_error_mm
        Long axis measured on the mask minus the reference's; None when there is no mask.
    seconds
        Wall time of the segmentation.
    failure
        Why there is no mask (scores are 0 then); empty when there is one.
    """

    case: str
    segmenter: str
    reference_long_axis_mm: float
    reference_volume_mm3: float
    dice: float
    surface_dice: float
    volume_ratio: float
    long_axis_error_mm: float | None
    seconds: float
    failure: str = ""


def prompt_of_mask(volume: CtVolume, reference: NDArray[np.bool_], name: str) -> BoxPrompt:
    """Return the prompt of a reference mask: its longest axis in any slice, and the one across it.

    Raises
    ------
    InvalidInput
        If the mask is empty or has another shape than the CT.
    """
    if reference.shape != volume.geometry.shape:
        raise InvalidInput(f"the mask's shape {reference.shape} is not the CT's {volume.geometry.shape}", where=name)
    axes = mask_axes(reference, volume.geometry)
    if axes is None:
        raise InvalidInput("the reference mask is empty", where=name)
    measurement = Measurement(
        measurement_uid=name,
        source=SourceDocument("reference-mask", ""),
        study_instance_uid=volume.study_instance_uid,
        series_instance_uid=volume.series_instance_uid,
        sop_instance_uid="",
        frame_number=None,
        long_axis=axes.long_axis,
        short_axis=axes.short_axis,
        state=LesionState.MEASURED,
    )
    return box_prompt(measurement, volume.geometry, margin_mm=_MARGIN_MM, short_to_long_ratio=1.0)


def score_case(case: Case, segmenter: LesionSegmenter) -> LesionScore:
    """Run one segmenter on one lesion and score it; a segmenter that finds no lesion scores 0.

    Raises
    ------
    InvalidInput
        If the reference mask is empty or of another shape than the CT.
    """
    name, volume, reference = case
    prompt = prompt_of_mask(volume, reference, name)
    failure = ""
    mask = np.zeros(volume.geometry.shape, bool)
    begin = time.perf_counter()
    try:
        found = segmenter.segment(volume, prompt)
    except SegmentationFailed as error:
        failure = error.message
    seconds = time.perf_counter() - begin
    if not failure:
        mask = found.in_volume()
    axes = mask_axes(mask, volume.geometry)
    thick, high, wide = volume.geometry.spacing_mm
    return LesionScore(
        case=name,
        segmenter=segmenter.identity.name,
        reference_long_axis_mm=prompt.long_axis_mm,
        reference_volume_mm3=int(np.count_nonzero(reference)) * volume.geometry.voxel_volume_mm3,
        dice=dice(reference, mask),
        surface_dice=surface_dice(reference, mask, (thick, high, wide), SURFACE_TOLERANCE_MM),
        volume_ratio=volume_ratio(reference, mask),
        long_axis_error_mm=None if axes is None else axes.long_axis.length_mm - prompt.long_axis_mm,
        seconds=seconds,
        failure=failure,
    )


def compare(
    cases: Sequence[Callable[[], Case]], segmenters: Sequence[LesionSegmenter], progress: Progress | None = None
) -> tuple[LesionScore, ...]:
    """Score segmenters, and the ellipsoid first, on every case; cases are read one after the other.

    Parameters
    ----------
    cases
        Each gives one case when called.
    segmenters
        `Ellipsoid` is added where it is missing.
    progress
        Told of every (case, segmenter) when it is done.

    Returns
    -------
    Scores in the order of cases, then of segmenters.
    """
    baseline = Ellipsoid()
    others = [one for one in segmenters if one.identity.name != baseline.identity.name]
    runs: list[LesionSegmenter] = [baseline, *others]
    scores = []
    for source in cases:
        case = source()
        for segmenter in runs:
            scores.append(score_case(case, segmenter))
            if progress is not None:
                progress(f"{case[0]}: {segmenter.identity.name}", len(scores), len(cases) * len(runs))
    return tuple(scores)
