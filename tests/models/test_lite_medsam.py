import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from models.ct_window import LUNG, CtWindow
from models.lite_medsam import LiteMedSam, LiteMedSamEmbedding, LiteMedSamNetwork, logits_at_slice_size, upstream_key
from models.lite_medsam_preprocessing import boxes_to_input, network_input, resize_longest_side
from models.upstream_sequence import segment_volume
from tumorresp.domain.errors import InvalidWeights, WeightsNotFound
from tumorresp.ports import SliceSegmenter

EMBEDDING_TOLERANCE = 1e-4
LOGIT_TOLERANCE = 2e-4
MASK_PIXELS = 2
IMAGES = range(4)


@pytest.fixture(scope="module")
def golden_2d(reference: Path) -> dict[str, np.ndarray]:
    with np.load(reference / "lite_medsam_golden" / "golden_2d.npz") as file:
        return dict(file)


def as_hu(grey: np.ndarray, window: tuple[float, float] = (40, 400)) -> np.ndarray:
    """CT numbers that a window truncates to the given grey values."""
    level, width = window
    return np.asarray(level - width / 2 + (grey + 0.5) / 255 * width)


def test_the_golden_checkpoint_is_made_again_from_its_rule(
    reference: Path, golden_state: dict[str, torch.Tensor]
) -> None:
    expected = json.loads((reference / "lite_medsam_golden" / "meta.json").read_text())["state_dict_sha256"]
    digest = hashlib.sha256()
    for part in ("image_encoder.", "mask_decoder.", "prompt_encoder."):
        for key in (key for key in golden_state if key.startswith(part)):
            digest.update(key.encode())
            digest.update(golden_state[key].numpy().tobytes())
    assert digest.hexdigest() == expected


def test_the_network_has_upstreams_size_and_names() -> None:
    network = LiteMedSamNetwork()
    sizes = [
        sum(parameter.numel() for parameter in part.parameters())
        for part in (network.image_encoder, network.prompt_encoder, network.mask_decoder)
    ]
    assert sizes == [5_726_740, 6_220, 4_058_340]
    names = [upstream_key(key) for key in network.state_dict()]
    assert len(set(names)) == 435
    assert sum(name.startswith("image_encoder.") for name in names) == 298
    assert {
        "image_encoder.patch_embed.seq.0.c.weight",
        "image_encoder.patch_embed.seq.2.bn.running_var",
        "image_encoder.layers.0.blocks.1.conv3.c.weight",
        "image_encoder.layers.0.downsample.conv1.c.weight",
        "image_encoder.layers.2.downsample.conv2.bn.bias",
        "image_encoder.layers.3.blocks.1.attn.attention_biases",
        "image_encoder.layers.1.blocks.0.local_conv.c.weight",
        "image_encoder.neck.3.weight",
        "prompt_encoder.pe_layer.positional_encoding_gaussian_matrix",
        "mask_decoder.output_hypernetworks_mlps.3.layers.2.bias",
    } <= set(names)


@pytest.mark.parametrize("image", IMAGES)
def test_preprocessing_equals_upstream_to_the_last_bit(golden_2d: dict[str, np.ndarray], image: int) -> None:
    grey = golden_2d[f"{image}_image"]
    np.testing.assert_array_equal(resize_longest_side(grey), golden_2d[f"{image}_resized_u8"])
    expected = golden_2d[f"{image}_input256"]
    actual = network_input(grey)
    np.testing.assert_array_equal(actual if expected.ndim == 3 else actual[..., 0], expected)
    np.testing.assert_array_equal(
        boxes_to_input(golden_2d[f"{image}_boxes"], grey.shape), golden_2d[f"{image}_boxes256"]
    )


@pytest.mark.parametrize("image", IMAGES)
def test_the_network_equals_upstream(
    golden_2d: dict[str, np.ndarray], golden_segmenter: LiteMedSam, image: int
) -> None:
    grey, boxes = golden_2d[f"{image}_image"], golden_2d[f"{image}_boxes"].astype(float)
    network = golden_segmenter._network
    if grey.ndim == 2:
        embedding = golden_segmenter.encode(as_hu(grey))
    else:
        embedding = LiteMedSamEmbedding(network.encode(network_input(grey)), grey.shape[:2])
    encoded = embedding.tensor[0].numpy()
    np.testing.assert_allclose(
        encoded[::8, ::4, ::4], golden_2d[f"{image}_embedding_sub"], rtol=0, atol=EMBEDDING_TOLERANCE
    )
    np.testing.assert_allclose(
        [encoded.mean(dtype=np.float64), encoded.std(dtype=np.float64), np.abs(encoded).max()],
        golden_2d[f"{image}_embedding_stats"],
        rtol=0,
        atol=EMBEDDING_TOLERANCE,
    )
    low_resolution, _ = network.decode(embedding.tensor, golden_2d[f"{image}_boxes256"])
    np.testing.assert_allclose(low_resolution.numpy(), golden_2d[f"{image}_lowres"], rtol=0, atol=LOGIT_TOLERANCE)

    logits, iou = golden_segmenter.decode(embedding, boxes)

    np.testing.assert_allclose(iou, golden_2d[f"{image}_iou"], rtol=0, atol=LOGIT_TOLERANCE)
    masks = np.unpackbits(golden_2d[f"{image}_mask"], axis=-1, count=grey.shape[1]).astype(bool)
    assert logits.shape == masks.shape
    assert logits.dtype == np.float32
    assert np.count_nonzero((logits > 0) != masks) <= MASK_PIXELS


def test_prompt_embeddings_equal_upstream(golden_2d: dict[str, np.ndarray], golden_segmenter: LiteMedSam) -> None:
    encoder = golden_segmenter._network.prompt_encoder
    with torch.inference_mode():
        sparse, _ = encoder(None, torch.as_tensor(golden_2d["0_boxes256"], dtype=torch.float32)[:, None], None)
        dense = encoder.get_dense_pe()[0]
    np.testing.assert_allclose(sparse.numpy(), golden_2d["0_sparse"], rtol=0, atol=1e-5)
    np.testing.assert_allclose(dense[:, ::8, ::8].numpy(), golden_2d["dense_pe_sub"], rtol=0, atol=1e-5)


@pytest.mark.slow
def test_upstreams_sequence_with_the_network(reference: Path, golden_segmenter: LiteMedSam) -> None:
    with np.load(reference / "lite_medsam_golden" / "golden_3d.npz") as golden:
        result = segment_volume(golden["imgs"], golden["boxes"], golden_segmenter._network)
        np.testing.assert_array_equal(result.boxes256, golden["boxes256_net"])
        assert np.count_nonzero(result.labels != golden["seg_net"]) <= MASK_PIXELS


def test_it_is_a_slice_segmenter_that_names_its_weights_and_window(golden_file: Path) -> None:
    segmenter = LiteMedSam.load(golden_file, window=LUNG)
    assert isinstance(segmenter, SliceSegmenter)
    assert segmenter.identity.name == "lite-medsam"
    assert segmenter.identity.weights_sha256 == hashlib.sha256(golden_file.read_bytes()).hexdigest()
    assert segmenter.identity.parameters == (("window_level_hu", "-600"), ("window_width_hu", "1500"))
    assert LiteMedSam.load(golden_file, window=(40, 80)).identity.parameters[1] == ("window_width_hu", "80")


def test_no_boxes_give_no_masks(golden_segmenter: LiteMedSam) -> None:
    embedding = LiteMedSamEmbedding(torch.zeros(1, 256, 64, 64), (30, 40))
    logits, iou = golden_segmenter.decode(embedding, np.zeros((0, 4)))
    assert logits.shape == (0, 30, 40)
    assert iou.shape == (0,)


def test_boxes_together_equal_boxes_one_by_one(golden_segmenter: LiteMedSam) -> None:
    embedding = LiteMedSamEmbedding(torch.randn(1, 256, 64, 64, generator=torch.Generator().manual_seed(1)), (100, 80))
    boxes = np.array([[10.0, 12, 40, 50], [3, 4, 70, 90], [60, 60, 70, 75]])
    together, iou = golden_segmenter.decode(embedding, boxes)
    for index, box in enumerate(boxes):
        alone, alone_iou = golden_segmenter.decode(embedding, box[np.newaxis])
        np.testing.assert_allclose(together[index], alone[0], atol=1e-4)
        assert iou[index] == pytest.approx(alone_iou[0], abs=1e-4)


def test_the_padding_is_cut_off_before_interpolation() -> None:
    low_resolution = torch.full((1, 256, 256), -9.0)
    low_resolution[:, :128, :] = 5.0  # a 50 x 100 slice fills the upper half
    logits = logits_at_slice_size(low_resolution, (50, 100))
    assert logits.shape == (1, 50, 100)
    assert bool((logits == 5.0).all())


@pytest.mark.parametrize("boxes", [np.zeros(4), np.zeros((2, 3)), np.array([[0, 0, np.nan, 4]])])
def test_boxes_of_another_form_are_refused(golden_segmenter: LiteMedSam, boxes: np.ndarray) -> None:
    with pytest.raises(ValueError, match="box"):
        golden_segmenter.decode(LiteMedSamEmbedding(torch.zeros(1, 256, 64, 64), (30, 40)), boxes)


@pytest.mark.parametrize("slice_hu", [np.zeros((3, 4, 5)), np.zeros((0, 4)), np.full((4, 4), np.inf)])
def test_slices_of_another_form_are_refused(golden_segmenter: LiteMedSam, slice_hu: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"slice|finite"):
        golden_segmenter.encode(slice_hu)


def test_a_window_without_width_is_refused(golden_file: Path) -> None:
    with pytest.raises(ValueError, match="width"):
        LiteMedSam.load(golden_file, window=CtWindow(40, 0)).encode(np.zeros((8, 8)))


def test_absent_and_foreign_weights(tmp_path: Path, golden_state: dict[str, torch.Tensor]) -> None:
    with pytest.raises(WeightsNotFound, match=r"gone\.pth"):
        LiteMedSam.load(tmp_path / "gone.pth")
    vit = tmp_path / "vit.pth"
    torch.save({"image_encoder.pos_embed": torch.zeros(1, 64, 64, 768)}, vit)
    with pytest.raises(InvalidWeights, match=r"vit\.pth.*'image_encoder\.patch_embed\.seq\.0\.c\.weight'"):
        LiteMedSam.load(vit)
    tall = tmp_path / "tall.pth"
    key = "image_encoder.layers.1.downsample.conv2.c.weight"
    torch.save({**golden_state, key: torch.zeros(160, 1, 5, 5)}, tall)
    with pytest.raises(InvalidWeights) as refusal:
        LiteMedSam.load(tall)
    assert key in str(refusal.value)
    assert "(160, 1, 5, 5)" in str(refusal.value)
    assert "(160, 1, 3, 3)" in str(refusal.value)
