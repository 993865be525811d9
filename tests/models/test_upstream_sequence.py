from pathlib import Path

import numpy as np
import pytest
import torch

from models.upstream_sequence import segment_volume


class BrightInBox:
    """A rule in a network's place: lesion where the normalised image is at least 0.85 inside the box."""

    def __init__(self) -> None:
        self.encoded = 0

    def encode(self, image: np.ndarray) -> np.ndarray:
        self.encoded += 1
        return image

    def decode(self, embedding: np.ndarray, boxes256: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
        rows, columns = np.mgrid[:256, :256]
        masks = [
            (embedding[..., 0] >= 0.85) & (rows >= y0) & (rows <= y1) & (columns >= x0) & (columns <= x1)
            for x0, y0, x1, y1 in boxes256
        ]
        logits = torch.from_numpy(np.where(masks, 4, -4).astype(np.float32))
        return logits, torch.zeros(len(boxes256))


def test_the_golden_sequence(reference: Path) -> None:
    with np.load(reference / "lite_medsam_golden" / "golden_3d.npz") as golden:
        result = segment_volume(golden["imgs"], golden["boxes"], BrightInBox())
        np.testing.assert_array_equal(result.boxes256, golden["boxes256_rule"])
        np.testing.assert_array_equal(result.labels, golden["seg_rule"])


def volume_with_column(shape: tuple[int, int, int], slices: slice, rows: slice, columns: slice) -> np.ndarray:
    volume = np.zeros(shape, np.uint8)
    volume[slices, rows, columns] = 250
    return volume


def test_the_walk_goes_up_and_then_down_and_each_box_is_three_pixels_wider() -> None:
    volume = volume_with_column((9, 256, 256), slice(2, 7), slice(100, 121), slice(60, 91))
    network = BrightInBox()
    result = segment_volume(volume, np.array([[55, 95, 2, 95, 125, 6]]), network)
    assert result.boxes256.tolist() == [[55, 95, 95, 125]] + 4 * [[57, 97, 93, 123]]
    np.testing.assert_array_equal(result.labels > 0, volume > 0)
    assert network.encoded == 5


def test_an_empty_mask_falls_back_to_the_first_box_and_nothing_stops() -> None:
    volume = volume_with_column((9, 256, 256), slice(0, 9), slice(100, 121), slice(60, 91))
    volume[5] = 0
    volume[5, 0, 0] = 255
    result = segment_volume(volume, np.array([[55, 95, 0, 95, 125, 8]]), BrightInBox())
    assert result.boxes256[2].tolist() == [55, 95, 95, 125]
    assert result.labels.any(axis=(1, 2)).tolist() == [True] * 5 + [False] + [True] * 3


def test_the_box_depends_on_the_label_number_as_upstreams_does() -> None:
    # At 256 the lesion covers 0.24 of column 106: of label 1 that rounds to 0, of label 3 (0.72) to 1.
    volume = volume_with_column((3, 400, 400), slice(0, 3), slice(100, 110), slice(156, 166))
    box, elsewhere = [140, 90, 0, 190, 120, 2], [0, 0, 0, 4, 4, 1]
    first = segment_volume(volume, np.array([box]), BrightInBox()).boxes256
    third = segment_volume(volume, np.array([elsewhere, elsewhere, box]), BrightInBox()).boxes256
    assert first[1].tolist() == [97, 61, 108, 72]
    assert third[5].tolist() == [97, 61, 109, 72]


def test_a_box_at_the_edge_is_clamped_to_256() -> None:
    volume = volume_with_column((3, 256, 256), slice(0, 3), slice(250, 256), slice(0, 5))
    result = segment_volume(volume, np.array([[0, 245, 0, 10, 255, 2]]), BrightInBox())
    assert result.boxes256[1].tolist() == [0, 247, 7, 256]


@pytest.mark.parametrize(("z0", "z1"), [(2, 2), (3, 1), (-1, 2), (1, 4)])
def test_a_z_range_outside_the_volume_is_refused(z0: int, z1: int) -> None:
    with pytest.raises(ValueError, match="z0"):
        segment_volume(np.zeros((4, 20, 20), np.uint8), np.array([[2, 2, z0, 8, 8, z1]]), BrightInBox())
