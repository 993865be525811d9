import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from models.benchmark.comparison import LesionScore, compare, prompt_of_mask, score_case
from models.benchmark.scores import dice, surface_dice, volume_ratio
from models.benchmark.table import HEADER, markdown, summaries, table_rows, verdicts
from models.ellipsoid import Ellipsoid
from tests.models.synthetic_ct import ct_volume, synthetic_lesion
from tumorresp.domain.errors import InvalidInput, SegmentationFailed
from tumorresp.domain.segmentation import LesionMask, SegmenterIdentity

SPACINGS = st.tuples(st.floats(0.5, 5), st.floats(0.5, 2), st.floats(0.5, 2))
MASKS = st.tuples(st.integers(1, 5), st.integers(1, 6), st.integers(1, 6)).flatmap(
    lambda shape: st.tuples(arrays(np.bool_, shape), arrays(np.bool_, shape))
)


def block(begin: tuple[int, int, int], end: tuple[int, int, int], shape=(20, 40, 40)) -> np.ndarray:
    mask = np.zeros(shape, bool)
    mask[tuple(slice(a, b) for a, b in zip(begin, end, strict=True))] = True
    return mask


def ball(radius_mm: float, spacing_mm: tuple[float, float, float], half_mm: float = 30.0) -> np.ndarray:
    axes = [np.arange(-int(half_mm / step), int(half_mm / step) + 1) * step for step in spacing_mm]
    z, y, x = np.meshgrid(*axes, indexing="ij")
    return z**2 + y**2 + x**2 <= radius_mm**2


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (block((0, 0, 0), (2, 2, 2)), block((0, 0, 0), (2, 2, 2)), 1.0),
        (block((0, 0, 0), (2, 2, 2)), block((0, 0, 0), (2, 2, 1)), 2 * 4 / 12),
        (block((0, 0, 0), (2, 2, 2)), block((5, 5, 5), (6, 6, 6)), 0.0),
        (block((0, 0, 0), (0, 0, 0)), block((0, 0, 0), (0, 0, 0)), 1.0),
        (block((0, 0, 0), (2, 2, 2)), block((0, 0, 0), (0, 0, 0)), 0.0),
    ],
)
def test_dice(first, second, expected):
    assert dice(first, second) == pytest.approx(expected)


def test_volume_ratio():
    assert volume_ratio(block((0, 0, 0), (2, 2, 2)), block((0, 0, 0), (3, 2, 2))) == 1.5


@pytest.mark.parametrize("spacing_mm", [(1.0, 1.0, 1.0), (2.5, 0.7, 0.7), (1.0, 1.2, 0.6)])
def test_surface_dice_of_concentric_balls_turns_at_the_tolerance(spacing_mm):
    reference = ball(20, spacing_mm)
    assert surface_dice(reference, ball(20, spacing_mm), spacing_mm, 0.0) == 1
    assert surface_dice(reference, ball(20.8, spacing_mm), spacing_mm, 2.0) > 0.97
    assert surface_dice(reference, ball(25, spacing_mm), spacing_mm, 2.0) < 0.03


def test_surface_dice_weighs_surfaces_by_their_area():
    """A long bar is lengthened by 10 mm at one end: its long sides agree, the moved end does not."""
    spacing = (1.0, 1.0, 1.0)
    reference, longer = block((5, 10, 5), (15, 20, 25)), block((5, 10, 5), (15, 20, 35))
    sides, end = 4 * 10 * 20, 10 * 10
    # The reference's far end lies inside the other mask: only its rim of 2 mm is near a surface. Of the other mask the
    # new sides are apart but for 2 mm, and so is the new end.
    rim = end - 6 * 6
    agree = (sides + end + rim) + (sides + end + 4 * 10 * 2)
    total = (sides + 2 * end) + (sides + 4 * 10 * 10 + 2 * end)
    assert surface_dice(reference, longer, spacing, 2.0) == pytest.approx(agree / total, abs=0.04)


def test_surface_dice_measures_in_millimetres_along_every_axis():
    """Moved by one slice of 5 mm or by one of 1 mm."""
    reference, moved = block((5, 10, 10), (15, 30, 30)), block((6, 10, 10), (16, 30, 30))
    thin, thick = ((slice_mm, 1.0, 1.0) for slice_mm in (1.0, 5.0))
    assert surface_dice(reference, moved, thin, 2.0) == 1
    assert surface_dice(reference, moved, thick, 2.0) < 0.9


@settings(max_examples=60, deadline=None)
@given(MASKS, SPACINGS, st.floats(0, 5))
def test_surface_dice_is_symmetric_and_a_share(masks, spacing_mm, tolerance_mm):
    first, second = masks
    value = surface_dice(first, second, spacing_mm, tolerance_mm)
    assert 0 <= value <= 1
    assert value == pytest.approx(surface_dice(second, first, spacing_mm, tolerance_mm))
    assert surface_dice(first, first, spacing_mm, 0.0) == 1
    assert surface_dice(first, second, spacing_mm, tolerance_mm + 1) >= value - 1e-12


class Perfect:
    """Gives the reference itself: what the scores of a perfect segmenter are."""

    def __init__(self, truth: np.ndarray) -> None:
        self.truth = truth
        self.prompts = []

    identity = SegmenterIdentity("perfect", "1")

    def segment(self, volume, prompt):
        self.prompts.append(prompt)
        return LesionMask.from_volume(
            self.truth, volume.geometry, measurement_uid="", segmenter=self.identity, key_slice=prompt.slice_index
        )


class Blind:
    identity = SegmenterIdentity("blind", "1")

    def segment(self, volume, prompt):
        raise SegmentationFailed("nothing there")


def test_prompt_holds_the_reference_s_axes():
    lesion = synthetic_lesion(2.5, half_mm=(18.0, 12.0, 15.0))
    prompt = prompt_of_mask(lesion.volume, lesion.truth, "case")
    assert prompt.slice_index == lesion.prompt.slice_index
    assert prompt.long_axis_mm == pytest.approx(36, abs=1)
    assert prompt.short_axis_mm == pytest.approx(24, abs=1)
    assert np.abs(np.diff(np.asarray(prompt.long_axis_index), axis=0)[0, 1]) < 1


def test_perfect_and_failed_segmenters_score_as_they_must():
    lesion = synthetic_lesion(2.5)
    case = ("case", lesion.volume, lesion.truth)
    perfect = score_case(case, Perfect(lesion.truth))
    assert (perfect.dice, perfect.surface_dice, perfect.volume_ratio, perfect.failure) == (1, 1, 1, "")
    assert perfect.long_axis_error_mm == pytest.approx(0)
    assert perfect.reference_volume_mm3 == pytest.approx(4 / 3 * np.pi * 14**3, rel=0.02)
    failed = score_case(case, Blind())
    assert (failed.dice, failed.surface_dice, failed.volume_ratio) == (0, 0, 0)
    assert (failed.long_axis_error_mm, failed.failure) == (None, "nothing there")


def test_bad_references_are_refused():
    lesion = synthetic_lesion(2.5)
    with pytest.raises(InvalidInput, match="empty"):
        prompt_of_mask(lesion.volume, np.zeros_like(lesion.truth), "case")
    with pytest.raises(InvalidInput, match="shape"):
        prompt_of_mask(lesion.volume, lesion.truth[1:], "case")


def test_the_ellipsoid_always_stands_beside():
    lesion = synthetic_lesion(5.0)
    seen = []
    scores = compare(
        [lambda: ("a", lesion.volume, lesion.truth), lambda: ("b", lesion.volume, lesion.truth)],
        [Perfect(lesion.truth)],
        lambda what, done, total: seen.append((what, done, total)),
    )
    assert [(score.case, score.segmenter) for score in scores] == [
        ("a", "ellipsoid"),
        ("a", "perfect"),
        ("b", "ellipsoid"),
        ("b", "perfect"),
    ]
    assert seen[-1] == ("b: perfect", 4, 4)
    assert len(compare([lambda: ("a", lesion.volume, lesion.truth)], [Ellipsoid()])) == 1


SCORES = (
    LesionScore("a", "ellipsoid", 30.0, 1e4, 0.8, 0.5, 1.2, 1.0, 0.1),
    LesionScore("a", "snake", 30.0, 1e4, 0.9, 0.7, 1.1, -2.0, 2.0),
    LesionScore("b", "ellipsoid", 20.0, 4e3, 0.6, 0.4, 0.8, 0.0, 0.1),
    LesionScore("b", "snake", 20.0, 4e3, 0.0, 0.0, 0.0, None, 4.0, "nothing there"),
)


def test_means_count_failures_as_zero_and_errors_without_sign():
    ellipsoid, snake = summaries(SCORES)
    assert (ellipsoid.dice, ellipsoid.failures, ellipsoid.long_axis_error_mm) == (pytest.approx(0.7), 0, 0.5)
    assert (snake.dice, snake.failures, snake.long_axis_error_mm, snake.seconds) == (0.45, 1, 2.0, 3.0)


def test_table_says_what_was_scored():
    rows = table_rows(SCORES)
    assert all(len(row) == len(HEADER) for row in rows)
    assert rows[1] == ("a", "snake", "30.0", "0.900", "0.700", "1.10", "-2.0", "2.00")
    assert rows[3] == ("b", "snake (no mask)", "20.0", "0.000", "0.000", "0.00", "-", "4.00")
    assert rows[-1] == ("mean of 2", "snake", "", "0.450", "0.350", "0.55", "2.0", "3.00")
    assert markdown(SCORES).splitlines()[3] == "| a | snake | 30.0 | 0.900 | 0.700 | 1.10 | -2.0 | 2.00 |"


def test_verdict_is_plain_either_way():
    assert verdicts(SCORES) == (
        "snake does not beat the ellipsoid of the axes: mean DSC 0.450 against 0.700, better on 1 of 2 lesions."
        " On these data it is worth nothing.",
    )
    assert verdicts(SCORES[:2]) == (
        "snake beats the ellipsoid of the axes: mean DSC 0.900 against 0.800, better on 1 of 1 lesions.",
    )


def test_volume_of_uneven_spacing_is_scored():
    volume = ct_volume(np.zeros((20, 40, 40), np.int16), (4.0, 0.6, 0.9))
    truth = block((5, 10, 10), (15, 30, 30))
    score = score_case(("case", volume, truth), Perfect(truth))
    assert score.reference_volume_mm3 == pytest.approx(10 * 20 * 20 * 4 * 0.6 * 0.9)
    assert score.reference_long_axis_mm == pytest.approx(np.hypot(20 * 0.6, 20 * 0.9), abs=1.5)
