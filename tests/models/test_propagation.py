import numpy as np
import pytest

from models.mask_cleaning import fill_holes, marked_component
from models.propagation import Propagation, PropagationParameters, interpolated
from tests.models.synthetic_ct import SyntheticLesion, ct_volume, dice, prompt_at, synthetic_lesion
from tumorresp.domain.errors import SegmentationFailed
from tumorresp.domain.segmentation import SegmenterIdentity
from tumorresp.ports import LesionSegmenter


class Threshold:
    """A slice segmenter by rule: what is brighter than a level, inside the box."""

    def __init__(self, level_hu: float = 120.0, predicted_iou: float = 0.9) -> None:
        self.level_hu, self.predicted_iou = level_hu, predicted_iou
        self.encoded: list[int] = []
        self.boxes: list[tuple[float, ...]] = []

    @property
    def identity(self) -> SegmenterIdentity:
        return SegmenterIdentity("threshold", "1", None, (("level_hu", f"{self.level_hu:g}"),))

    def encode(self, slice_hu):
        self.encoded.append(int(slice_hu[0, 0]))
        return slice_hu

    def decode(self, embedding, boxes_xyxy):
        (x0, y0, x1, y1) = boxes_xyxy[0]
        self.boxes.append((x0, y0, x1, y1))
        logits = np.full((1, *embedding.shape), -4.0, np.float32)
        window = (0, slice(int(np.ceil(y0)), int(y1) + 1), slice(int(np.ceil(x0)), int(x1) + 1))
        logits[window] = np.where(embedding[window[1:]] >= self.level_hu, 4.0, -4.0)
        return logits, np.array([self.predicted_iou], np.float32)


def bright(slice_mm: float, **more) -> SyntheticLesion:
    return synthetic_lesion(slice_mm, contrast_hu=200, noise_hu=0, **more)


def numbered(hu: np.ndarray) -> np.ndarray:
    """The first pixel of each slice holds its index, so that a segmenter can say which slice it saw."""
    hu = hu.copy()
    hu[:, 0, 0] = np.arange(len(hu))
    return hu


def codes(mask) -> list[str]:
    return [finding.code for finding in mask.findings]


def painted(spacing_mm, radius_mm_of_slice, shift_mm=lambda z: 0.0, slices=41, size=91):
    """A volume of discs of HU 200 on 0: the radius and shift along columns are functions of the slice index."""
    rows, columns = np.meshgrid(*(np.arange(size) - size // 2,) * 2, indexing="ij")
    truth = np.stack(
        [
            np.hypot(rows * spacing_mm[1], columns * spacing_mm[2] - shift_mm(k)) <= radius_mm_of_slice(k)
            for k in range(slices)
        ]
    )
    return ct_volume((200 * truth).astype(np.int16), spacing_mm), truth


@pytest.mark.parametrize("slice_mm", [1.0, 1.25, 2.5, 5.0])
@pytest.mark.parametrize("half_mm", [(16.0, 12.0, 9.0), (16.0, 12.0, 24.0)])
def test_finds_the_range_by_itself(slice_mm, half_mm):
    lesion = bright(slice_mm, half_mm=half_mm)
    mask = Propagation(Threshold()).segment(lesion.volume, lesion.prompt)
    assert dice(mask.in_volume(), lesion.truth) >= 0.94
    assert codes(mask) == ["propagation-mask-lost"] * 2


def test_thin_and_thick_slices_give_one_volume():
    volumes = []
    for slice_mm in (1.0, 5.0):
        lesion = bright(slice_mm, half_mm=(18.0, 15.0, 20.0))
        mask = Propagation(Threshold()).segment(lesion.volume, lesion.prompt)
        volumes.append(mask.voxel_count * lesion.volume.geometry.voxel_volume_mm3)
    assert volumes[0] == pytest.approx(volumes[1], rel=0.08)


def test_each_slice_is_encoded_once_and_thin_ones_are_skipped():
    lesion = bright(1.0)
    network = Threshold()
    volume = ct_volume(numbered(lesion.volume.hu), (1.0, 1.0, 1.0))
    segmenter = Propagation(network)
    first = segmenter.segment(volume, lesion.prompt)
    assert len(network.encoded) == len(set(network.encoded)) < first.voxels.shape[0]
    seen = len(network.encoded)
    again = segmenter.segment(volume, lesion.prompt)
    assert len(network.encoded) == seen
    assert np.array_equal(first.voxels, again.voxels)


def test_next_box_is_the_last_mask_and_a_margin_in_millimetres():
    spacing = (5.0, 0.5, 1.0)
    volume, truth = painted(spacing, lambda k: 12.0 if 15 <= k <= 25 else 0.0)
    network = Threshold()
    prompt = prompt_at((20, 45, 45), (12.0, 12.0), spacing)
    Propagation(network, PropagationParameters(margin_mm=2.0)).segment(volume, prompt)
    rows, columns = np.nonzero(truth[20])
    assert network.boxes[0] == prompt.box_xyxy
    assert network.boxes[1] == (columns.min() - 2, rows.min() - 4, columns.max() + 2, rows.max() + 4)


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (5.0, 1.0, 1.0)])
def test_stops_where_the_mask_leaks(spacing):
    """Above the lesion everything in the box is as bright as the lesion."""
    slices = 61 if spacing[0] == 1 else 21
    key = slices // 2
    volume, truth = painted(spacing, lambda k: 40.0 if k > key + 10 / spacing[0] else 12.0, slices=slices)
    truth[key + int(10 / spacing[0]) + 1 :] = False
    prompt = prompt_at((key, 45, 45), (12.0, 12.0), spacing)
    parameters = PropagationParameters(margin_mm=6.0, largest_reach=5.0)
    mask = Propagation(Threshold(), parameters).segment(volume, prompt)
    assert codes(mask) == ["propagation-lesion-at-scan-edge", "propagation-mask-leaked"]
    assert dice(mask.in_volume(), truth) >= 0.97


def test_slow_growth_is_a_leak_too():
    """Each mask is only a little larger than the last, but the lesion ends up larger than its axes allow."""
    spacing = (3.0, 1.0, 1.0)
    volume, _ = painted(spacing, lambda k: 12.0 + 1.0 * max(0, k - 20), size=121)
    prompt = prompt_at((20, 60, 60), (12.0, 12.0), spacing)
    parameters = PropagationParameters(largest_reach=9.0)
    mask = Propagation(Threshold(), parameters).segment(volume, prompt)
    assert "propagation-mask-leaked" in codes(mask)
    areas = mask.in_volume().sum(axis=(1, 2))
    assert areas.max() <= 1.6 * areas[20]


@pytest.mark.parametrize("slice_mm", [1.0, 5.0])
def test_stops_where_the_mask_jumps(slice_mm):
    """A vessel beside the lesion's end catches the mask."""
    spacing = (slice_mm, 1.0, 1.0)
    slices = int(100 / slice_mm) | 1
    key = slices // 2

    def height(k):
        return (k - key) * slice_mm

    volume, truth = painted(
        spacing,
        lambda k: 12.0 if abs(height(k)) <= 15 else (7.0 if height(k) > 0 else 0.0),
        lambda k: 12.0 if height(k) > 15 else 0.0,
        slices,
    )
    lesion = np.array([abs(height(k)) <= 15 for k in range(slices)])
    mask = Propagation(Threshold()).segment(volume, prompt_at((key, 45, 45), (12.0, 12.0), spacing))
    assert codes(mask) == ["propagation-mask-lost", "propagation-mask-jumped"]
    assert dice(mask.in_volume(), truth & lesion[:, None, None]) >= 0.97


def test_reach_is_bounded_by_the_long_axis():
    spacing = (2.5, 1.0, 1.0)
    volume, _ = painted(spacing, lambda k: 12.0, slices=61)
    mask = Propagation(Threshold(), PropagationParameters(largest_reach=1.0)).segment(
        volume, prompt_at((30, 45, 45), (12.0, 12.0), spacing)
    )
    assert codes(mask) == ["propagation-reach-limited"] * 2
    occupied = np.flatnonzero(mask.in_volume().any(axis=(1, 2)))
    assert (occupied[0], occupied[-1]) == (30 - 9, 30 + 9)


@pytest.mark.parametrize("slice_mm", [1.0, 5.0])
def test_never_leaves_the_scan(slice_mm):
    lesion = bright(slice_mm, half_mm=(16.0, 12.0, 20.0))
    begin = lesion.prompt.slice_index
    cut = ct_volume(lesion.volume.hu[begin:], (slice_mm, 1.0, 1.0))
    prompt = prompt_at((0, 40, 40), (16.0, 12.0), (slice_mm, 1.0, 1.0))
    mask = Propagation(Threshold()).segment(cut, prompt)
    assert dice(mask.in_volume(), lesion.truth[begin:]) >= 0.94
    assert codes(mask) == ["propagation-lesion-at-scan-edge", "propagation-mask-lost"]


def test_stops_where_the_network_distrusts_itself():
    lesion = bright(5.0)
    mask = Propagation(Threshold(predicted_iou=0.2)).segment(lesion.volume, lesion.prompt)
    assert codes(mask) == ["propagation-mask-distrusted"] * 2
    assert mask.voxels.shape[0] == 1


def test_keeps_the_part_that_holds_the_axes_and_fills_holes():
    lesion = bright(5.0)
    hu = lesion.volume.hu.copy()
    k, r, c = lesion.prompt.slice_index, 40, 40
    hu[:, r - 16 : r - 14, c - 16 : c - 14] = 300  # a bright vessel in the box's corner
    hu[k - 1 : k + 2, r - 2 : r + 3, c - 2 : c + 3] = -50  # a necrotic middle
    mask = Propagation(Threshold()).segment(ct_volume(hu, (5.0, 1.0, 1.0)), lesion.prompt).in_volume()
    assert mask[k, r, c]
    assert not mask[:, r - 16 : r - 14, c - 16 : c - 14].any()
    assert dice(mask, lesion.truth) >= 0.94


def test_follows_a_tilted_gantry():
    lesion = bright(5.0, drift_mm=(3.0, 0.0), half_mm=(12.0, 8.0, 20.0))
    mask = Propagation(Threshold(), PropagationParameters(margin_mm=1.0)).segment(lesion.volume, lesion.prompt)
    assert dice(mask.in_volume(), lesion.truth) >= 0.9


def test_nothing_on_the_key_slice_fails_with_its_reason():
    lesion = bright(5.0)
    with pytest.raises(SegmentationFailed, match="found nothing at the axes"):
        Propagation(Threshold(level_hu=900)).segment(lesion.volume, lesion.prompt)


def test_identity_is_the_network_s_with_the_propagation_s_parameters():
    identity = Propagation(Threshold(), PropagationParameters(step_mm=2.5)).identity
    assert (identity.name, identity.version) == ("threshold", "1")
    assert identity.parameters[0] == ("level_hu", "120")
    assert dict(identity.parameters)["propagation_step_mm"] == "2.5"
    assert isinstance(Propagation(Threshold()), LesionSegmenter)


def test_interpolation_is_even_between_concentric_discs():
    rows, columns = np.meshgrid(*(np.arange(61) - 30,) * 2, indexing="ij")
    distance = np.hypot(rows, columns)
    radii = [
        np.sqrt(np.count_nonzero(mask) / np.pi) for mask in interpolated(distance <= 20, distance <= 8, 3, (1.0, 1.0))
    ]
    assert radii == pytest.approx([17, 14, 11], abs=0.5)
    assert interpolated(distance <= 20, distance <= 8, 0, (1.0, 1.0)) == ()


def test_leads_the_real_network(golden_segmenter):
    """Random weights find no lesion, but what the network draws on the key slice is what the mask holds there."""
    lesion = bright(5.0, size_mm=60)
    key = lesion.prompt.slice_index
    logits, _ = golden_segmenter.decode(
        golden_segmenter.encode(lesion.volume.hu[key]), np.array([lesion.prompt.box_xyxy])
    )
    trusting = PropagationParameters(smallest_predicted_iou=-np.inf, largest_reach=0.2)
    mask = Propagation(golden_segmenter, trusting).segment(lesion.volume, lesion.prompt)
    drawn = marked_component((logits > 0), lesion.truth[key : key + 1])
    assert drawn.any()
    assert np.array_equal(mask.in_volume()[key], fill_holes(drawn)[0])
    assert mask.segmenter.weights_sha256 == golden_segmenter.identity.weights_sha256
    occupied = np.flatnonzero(mask.in_volume().any(axis=(1, 2)))
    assert key - 1 <= occupied[0] <= key <= occupied[-1] <= key + 1
