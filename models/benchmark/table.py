"""The benchmark's scores as a table of words: for the terminal and for Markdown."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.benchmark.comparison import LesionScore
from models.ellipsoid import Ellipsoid

HEADER = ("lesion", "segmenter", "long axis mm", "DSC", "surface DSC 2 mm", "volume ratio", "long-axis error mm", "s")


@dataclass(frozen=True)
class SegmenterSummary:
    """Means over lesions of one segmenter.

    Parameters
    ----------
    long_axis_error_mm
        Mean of the absolute errors, over lesions that have a mask; None when none has.
    failures
        Lesions without a mask; they count with score 0.
    """

    segmenter: str
    lesions: int
    dice: float
    surface_dice: float
    volume_ratio: float
    long_axis_error_mm: float | None
    seconds: float
    failures: int


def summaries(scores: Sequence[LesionScore]) -> tuple[SegmenterSummary, ...]:
    """Return one summary a segmenter, in order of first appearance."""
    return tuple(
        _summary(name, [score for score in scores if score.segmenter == name])
        for name in dict.fromkeys(score.segmenter for score in scores)
    )


def _summary(name: str, scores: Sequence[LesionScore]) -> SegmenterSummary:
    errors = [abs(score.long_axis_error_mm) for score in scores if score.long_axis_error_mm is not None]
    return SegmenterSummary(
        segmenter=name,
        lesions=len(scores),
        dice=float(np.mean([score.dice for score in scores])),
        surface_dice=float(np.mean([score.surface_dice for score in scores])),
        volume_ratio=float(np.mean([score.volume_ratio for score in scores])),
        long_axis_error_mm=float(np.mean(errors)) if errors else None,
        seconds=float(np.mean([score.seconds for score in scores])),
        failures=sum(bool(score.failure) for score in scores),
    )


def table_rows(scores: Sequence[LesionScore]) -> tuple[tuple[str, ...], ...]:
    """Return the table's rows under `HEADER`: one a score, then the means of every segmenter."""
    rows = [
        (
            score.case,
            score.segmenter + (" (no mask)" if score.failure else ""),
            f"{score.reference_long_axis_mm:.1f}",
            *_numbers(score.dice, score.surface_dice, score.volume_ratio, score.long_axis_error_mm, score.seconds),
        )
        for score in scores
    ]
    means = [
        (
            f"mean of {mean.lesions}",
            mean.segmenter,
            "",
            *_numbers(mean.dice, mean.surface_dice, mean.volume_ratio, mean.long_axis_error_mm, mean.seconds, sign=""),
        )
        for mean in summaries(scores)
    ]
    return (*rows, *means)


def _numbers(
    dice: float, surface: float, ratio: float, error_mm: float | None, seconds: float, sign: str = "+"
) -> tuple[str, ...]:
    error = "-" if error_mm is None else f"{error_mm:{sign}.1f}"
    return f"{dice:.3f}", f"{surface:.3f}", f"{ratio:.2f}", error, f"{seconds:.2f}"


def markdown(scores: Sequence[LesionScore]) -> str:
    """Return the table in Markdown."""
    rule = tuple("---" if column < 2 else "---:" for column in range(len(HEADER)))
    return "\n".join(f"| {' | '.join(row)} |" for row in (HEADER, rule, *table_rows(scores)))


def verdicts(scores: Sequence[LesionScore]) -> tuple[str, ...]:
    """Return one sentence a segmenter: whether it beats the ellipsoid of the axes on average."""
    by_name = {mean.segmenter: mean for mean in summaries(scores)}
    baseline = by_name.pop(Ellipsoid().identity.name)
    dice_of = {(score.case, score.segmenter): score.dice for score in scores}
    cases = list(dict.fromkeys(score.case for score in scores))
    sentences = []
    for name, mean in by_name.items():
        better = sum(dice_of[case, name] > dice_of[case, baseline.segmenter] for case in cases)
        word = "beats" if mean.dice > baseline.dice else "does not beat"
        sentences.append(
            f"{name} {word} the ellipsoid of the axes: mean DSC {mean.dice:.3f} against {baseline.dice:.3f}, "
            f"better on {better} of {len(cases)} lesions."
            + ("" if mean.dice > baseline.dice else " On these data it is worth nothing.")
        )
    return tuple(sentences)
