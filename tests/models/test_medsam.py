import hashlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from models import medsam
from models.ct_window import SOFT_TISSUE
from models.medsam import MedSam, MedSamEmbedding, boxes_to_input, load_medsam_weights, logits_at_slice_size
from tumorresp.domain.errors import InvalidWeights
from tumorresp.domain.segmentation import SegmenterIdentity
from tumorresp.ports import SliceSegmenter

WEIGHT_BIAS = ("weight", "bias")
POSITIONS = "shared_image_embedding.positional_embedding"
TIED_POSITIONS = "prompt_encoder.shared_embedding.positional_embedding"


def pairs() -> Iterator[tuple[str, str]]:
    """Every tensor of ViT-B: segment-anything's name and the name in transformers' SamModel, written out."""
    yield "prompt_encoder.pe_layer.positional_encoding_gaussian_matrix", POSITIONS
    yield "image_encoder.pos_embed", "vision_encoder.pos_embed"
    for kind in WEIGHT_BIAS:
        yield f"image_encoder.patch_embed.proj.{kind}", f"vision_encoder.patch_embed.projection.{kind}"
    yield "image_encoder.neck.0.weight", "vision_encoder.neck.conv1.weight"
    yield "image_encoder.neck.2.weight", "vision_encoder.neck.conv2.weight"
    for kind in WEIGHT_BIAS:
        yield f"image_encoder.neck.1.{kind}", f"vision_encoder.neck.layer_norm1.{kind}"
        yield f"image_encoder.neck.3.{kind}", f"vision_encoder.neck.layer_norm2.{kind}"
    for block in range(12):
        own, theirs = f"image_encoder.blocks.{block}", f"vision_encoder.layers.{block}"
        for kind in WEIGHT_BIAS:
            yield f"{own}.norm1.{kind}", f"{theirs}.layer_norm1.{kind}"
            yield f"{own}.norm2.{kind}", f"{theirs}.layer_norm2.{kind}"
            for part in ("attn.qkv", "attn.proj", "mlp.lin1", "mlp.lin2"):
                yield f"{own}.{part}.{kind}", f"{theirs}.{part}.{kind}"
        for part in ("attn.rel_pos_h", "attn.rel_pos_w"):
            yield f"{own}.{part}", f"{theirs}.{part}"
    for point in range(4):
        yield f"prompt_encoder.point_embeddings.{point}.weight", f"prompt_encoder.point_embed.{point}.weight"
    for part in ("not_a_point_embed", "no_mask_embed"):
        yield f"prompt_encoder.{part}.weight", f"prompt_encoder.{part}.weight"
    for index, part in ((0, "conv1"), (1, "layer_norm1"), (3, "conv2"), (4, "layer_norm2"), (6, "conv3")):
        for kind in WEIGHT_BIAS:
            yield f"prompt_encoder.mask_downscaling.{index}.{kind}", f"prompt_encoder.mask_embed.{part}.{kind}"
    yield from decoder_pairs()


def decoder_pairs() -> Iterator[tuple[str, str]]:
    attentions = ("self_attn", "cross_attn_token_to_image", "cross_attn_image_to_token")
    for part in ("iou_token", "mask_tokens"):
        yield f"mask_decoder.{part}.weight", f"mask_decoder.{part}.weight"
    transformer = "mask_decoder.transformer"
    for kind in WEIGHT_BIAS:
        for projection in ("q_proj", "k_proj", "v_proj", "out_proj"):
            final = f"{transformer}.final_attn_token_to_image.{projection}.{kind}"
            yield final, final
            for layer in range(2):
                for attention in attentions:
                    same = f"{transformer}.layers.{layer}.{attention}.{projection}.{kind}"
                    yield same, same
        yield f"{transformer}.norm_final_attn.{kind}", f"{transformer}.layer_norm_final_attn.{kind}"
        for layer in range(2):
            for number in range(1, 5):
                own, theirs = f"norm{number}", f"layer_norm{number}"
                yield f"{transformer}.layers.{layer}.{own}.{kind}", f"{transformer}.layers.{layer}.{theirs}.{kind}"
            for part in ("mlp.lin1", "mlp.lin2"):
                same = f"{transformer}.layers.{layer}.{part}.{kind}"
                yield same, same
        for index, part in ((0, "upscale_conv1"), (1, "upscale_layer_norm"), (3, "upscale_conv2")):
            yield f"mask_decoder.output_upscaling.{index}.{kind}", f"mask_decoder.{part}.{kind}"
        heads = ["iou_prediction_head", *(f"output_hypernetworks_mlps.{head}" for head in range(4))]
        for head in heads:
            for index, part in enumerate(("proj_in", "layers.0", "proj_out")):
                yield f"mask_decoder.{head}.layers.{index}.{kind}", f"mask_decoder.{head}.{part}.{kind}"


HUGGING_FACE = dict(pairs())


@pytest.fixture(scope="module")
def network() -> torch.nn.Module:
    """ViT-B where no two tensors are alike: fresh ones hold many zeros, which would hide a swap."""
    made = medsam.new_network()
    generator = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for value in made.state_dict().values():
            value.normal_(std=0.02, generator=generator)
    return made


def blank(network: torch.nn.Module) -> torch.nn.Module:
    """A second network to load into."""
    made = medsam.new_network()
    with torch.no_grad():
        for value in made.state_dict().values():
            value.zero_()
    return made


def test_the_table_of_names_covers_the_network(network: torch.nn.Module) -> None:
    assert HUGGING_FACE.keys() == network.state_dict().keys()
    assert len(set(HUGGING_FACE.values())) == len(HUGGING_FACE)


@pytest.mark.parametrize("layout", ["official", "hugging-face", "hugging-face-both-tied", "hugging-face-other-tied"])
def test_both_layouts_of_the_same_weights_load_alike(network: torch.nn.Module, layout: str) -> None:
    own = network.state_dict()
    state = dict(own) if layout == "official" else {HUGGING_FACE[key]: value for key, value in own.items()}
    if layout == "hugging-face-both-tied":
        state[TIED_POSITIONS] = state[POSITIONS]
    elif layout == "hugging-face-other-tied":
        state[TIED_POSITIONS] = state.pop(POSITIONS)
    loaded = blank(network)
    load_medsam_weights(loaded, state, "weights.bin")
    for key, value in loaded.state_dict().items():
        assert torch.equal(value, own[key]), key


@pytest.mark.parametrize(
    ("state", "key"),
    [
        ({"image_encoder.layers.0.blocks.0.conv1.c.weight": torch.zeros(1)}, "image_encoder.pos_embed"),
        ({"vision_encoder.pos_embed": torch.zeros(1, 64, 64, 1280)}, "vision_encoder.pos_embed"),
        ({"vision_encoder.pos_embed": torch.zeros(1, 64, 64, 768)}, "vision_encoder.patch_embed.projection.weight"),
    ],
    ids=["lite", "vit-h", "cut"],
)
def test_other_weights_are_refused_by_their_first_bad_key(
    network: torch.nn.Module, state: dict[str, torch.Tensor], key: str
) -> None:
    with pytest.raises(InvalidWeights, match=rf"weights\.bin: .*'{key}'"):
        load_medsam_weights(network, state, "weights.bin")


def test_the_input_fills_the_square_whatever_the_aspect() -> None:
    grey = np.full((40, 80), 10, np.uint8)
    grey[20:30, 20:40] = 210
    image = medsam.network_input(grey)
    assert image.shape == (1024, 1024, 3)
    assert image.dtype == np.float32
    assert (image.min(), image.max()) == (0, 1)
    rows, columns = np.nonzero(image[..., 0] > 0.5)
    assert (rows.min(), rows.max()) == pytest.approx((512, 767), abs=1)
    assert (columns.min(), columns.max()) == pytest.approx((256, 511), abs=1)
    np.testing.assert_array_equal(image[..., 0], image[..., 2])


def test_a_flat_slice_becomes_zeros() -> None:
    assert not medsam.network_input(np.full((30, 30), 77, np.uint8)).any()


def test_boxes_are_scaled_by_axis_and_not_rounded() -> None:
    boxes = boxes_to_input(np.array([[20.0, 20, 39.5, 29]]), (40, 80))
    np.testing.assert_allclose(boxes, [[256, 512, 505.6, 742.4]])


def test_probabilities_are_interpolated_and_not_logits() -> None:
    """A quarter of the way from logit -1.2 (p = 0.23) to logit 10 the probability is 0.42, the logit would be 1.6."""
    low_resolution = torch.tensor([[[10.0, -1.2], [10.0, -1.2]]])
    logits = logits_at_slice_size(low_resolution, (2, 4))[0]
    expected = 0.25 * torch.sigmoid(torch.tensor(10.0)) + 0.75 * torch.sigmoid(torch.tensor(-1.2))
    assert torch.sigmoid(logits[0, 2]).item() == pytest.approx(expected.item(), abs=1e-6)
    assert logits[0].sign().tolist() == [1, 1, -1, -1]


def test_logits_stay_finite_where_the_network_is_certain() -> None:
    logits = logits_at_slice_size(torch.tensor([[[80.0, -80.0]]]), (1, 2))
    assert bool(torch.isfinite(logits).all())
    assert logits[0, 0].sign().tolist() == [1, -1]


@pytest.fixture
def segmenter(network: torch.nn.Module) -> MedSam:
    return MedSam(network.eval(), SOFT_TISSUE, SegmenterIdentity("medsam", "0"))


def test_decoding_boxes_of_an_encoded_slice(segmenter: MedSam) -> None:
    embedding = MedSamEmbedding(torch.randn(1, 256, 64, 64, generator=torch.Generator().manual_seed(1)), (40, 80))
    boxes = np.array([[10.0, 12, 40, 30], [3, 4, 70, 39]])
    logits, iou = segmenter.decode(embedding, boxes)
    assert logits.shape == (2, 40, 80)
    assert iou.shape == (2,)
    for index, box in enumerate(boxes):
        np.testing.assert_allclose(segmenter.decode(embedding, box[np.newaxis])[0][0], logits[index], atol=1e-4)
    assert segmenter.decode(embedding, np.zeros((0, 4)))[0].shape == (0, 40, 80)
    with pytest.raises(ValueError, match="box"):
        segmenter.decode(embedding, np.zeros((1, 5)))


@pytest.mark.slow
def test_from_a_file_to_a_mask(network: torch.nn.Module, tmp_path: Path) -> None:
    """The one run of the whole ViT-B: from a checkpoint and CT numbers to logits."""
    path = tmp_path / "medsam_vit_b.pth"
    torch.save({f"module.{key}": value for key, value in network.state_dict().items()}, path)
    segmenter = MedSam.load(path)
    assert isinstance(segmenter, SliceSegmenter)
    assert segmenter.identity.name == "medsam"
    with path.open("rb") as file:
        assert segmenter.identity.weights_sha256 == hashlib.file_digest(file, "sha256").hexdigest()
    seen: list[torch.Tensor] = []
    segmenter._network.image_encoder.register_forward_pre_hook(lambda _, arguments: seen.append(arguments[0]))
    slice_hu = np.full((48, 64), -1000.0)
    slice_hu[10:30, 20:44] = 60

    embedding = segmenter.encode(slice_hu)

    assert embedding.tensor.shape == (1, 256, 64, 64)
    assert embedding.slice_shape == (48, 64)
    assert seen[0].shape == (1, 3, 1024, 1024)
    assert seen[0][0, 0, 20 * 1024 // 48, 30 * 1024 // 64].item() == pytest.approx(1, abs=0.02)
    logits, _ = segmenter.decode(embedding, np.array([[18.0, 8, 46, 32]]))
    assert logits.shape == (1, 48, 64)
    assert np.isfinite(logits).all()
