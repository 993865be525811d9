"""MedSAM ViT-B: SAM's base network with MedSAM's weights and MedSAM's own processing, at 1024 x 1024.

Source: Ma et al., Segment anything in medical images, Nature Communications 15:654 (2024); bowang-lab/MedSAM.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import skimage.transform
import torch
from numpy.typing import NDArray
from torch.nn import functional

from models.checkpoint import StateDict, load_weights, read_state_dict
from models.ct_window import SOFT_TISSUE, CtWindow, window_to_uint8
from models.prompts import checked_boxes, checked_slice
from models.segmenter_identity import segmenter_identity
from models.torchvision_guard import import_torchvision
from tumorresp.domain.segmentation import SegmenterIdentity

NAME = "medsam"
INPUT_SIZE = 1024
_FLAT_IMAGE = 1e-8
_PROBABILITY_FLOOR = 1e-6

_HF_MARK = "vision_encoder."
_HF_POSITIONS = "shared_image_embedding.positional_embedding"
_HF_POSITIONS_TIED = "prompt_encoder.shared_embedding.positional_embedding"
_HF_PARTS = (
    ("image_encoder.", "vision_encoder."),
    (".blocks.", ".layers."),
    (".patch_embed.proj.", ".patch_embed.projection."),
    (".neck.0.", ".neck.conv1."),
    (".neck.1.", ".neck.layer_norm1."),
    (".neck.2.", ".neck.conv2."),
    (".neck.3.", ".neck.layer_norm2."),
    (".norm", ".layer_norm"),
    (".point_embeddings.", ".point_embed."),
    (".mask_downscaling.0.", ".mask_embed.conv1."),
    (".mask_downscaling.1.", ".mask_embed.layer_norm1."),
    (".mask_downscaling.3.", ".mask_embed.conv2."),
    (".mask_downscaling.4.", ".mask_embed.layer_norm2."),
    (".mask_downscaling.6.", ".mask_embed.conv3."),
    (".output_upscaling.0.", ".upscale_conv1."),
    (".output_upscaling.1.", ".upscale_layer_norm."),
    (".output_upscaling.3.", ".upscale_conv2."),
)
_HF_HEAD_LAYERS = {"0": "proj_in", "1": "layers.0", "2": "proj_out"}


def new_network() -> torch.nn.Module:
    """Return segment-anything's ViT-B network with random weights."""
    import_torchvision()
    from segment_anything import sam_model_registry

    network: torch.nn.Module = sam_model_registry["vit_b"]()
    return network


def hugging_face_key(key: str) -> str:
    """Return the name that transformers' ``SamModel`` gives a tensor, for segment-anything's name of it."""
    if key == "prompt_encoder.pe_layer.positional_encoding_gaussian_matrix":
        return _HF_POSITIONS
    for own, theirs in _HF_PARTS:
        key = key.replace(own, theirs)
    return re.sub(
        r"(iou_prediction_head|output_hypernetworks_mlps\.\d+)\.layers\.(\d)\.",
        lambda found: f"{found[1]}.{_HF_HEAD_LAYERS[found[2]]}.",
        key,
    )


def load_medsam_weights(network: torch.nn.Module, state: StateDict, where: str) -> None:
    """Copy weights in segment-anything's or in Hugging Face's names into a network of :func:`new_network`.

    Raises
    ------
    InvalidWeights
        If they are of another network; names the first bad key.
    """
    if not any(key.startswith(_HF_MARK) for key in state):
        load_weights(network, state, file_key=str, network_name="MedSAM ViT-B", where=where)
        return
    state = dict(state)
    # transformers ties these two, and a file holds either or both.
    tied = state.pop(_HF_POSITIONS_TIED, None)
    if tied is not None:
        state.setdefault(_HF_POSITIONS, tied)
    load_weights(network, state, file_key=hugging_face_key, network_name="MedSAM ViT-B", where=where)


def network_input(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the (1024, 1024, 3) float32 input for a (row, column) uint8 slice, whatever its aspect.

    Bicubic, cut to uint8 again and then scaled to this slice's own range, as upstream. The three equal channels are
    resized together, not one: the spline's rounding differs, and cutting to uint8 makes a grey level of it.
    """
    colour = np.repeat(image[:, :, np.newaxis], 3, axis=2)
    resized = skimage.transform.resize(
        colour, (INPUT_SIZE, INPUT_SIZE), order=3, preserve_range=True, anti_aliasing=True
    ).astype(np.uint8)
    low, high = int(resized.min()), int(resized.max())
    normalised: NDArray[np.float32] = ((resized - low) / max(high - low, _FLAT_IMAGE)).astype(np.float32)
    return normalised


def boxes_to_input(boxes_xyxy: NDArray[np.float64], shape: tuple[int, int]) -> NDArray[np.float64]:
    """Scale (N, 4) boxes from a (row, column) slice to the 1024 x 1024 input; each axis by its own factor."""
    rows, columns = shape
    return boxes_xyxy / np.array([columns, rows, columns, rows]) * INPUT_SIZE


@torch.inference_mode()
def logits_at_slice_size(low_resolution: torch.Tensor, slice_shape: tuple[int, int]) -> torch.Tensor:
    """Interpolate (N, 256, 256) logits to (N, row, column) as probabilities, as upstream, and return their logits."""
    probability = functional.interpolate(
        torch.sigmoid(low_resolution)[:, None], size=slice_shape, mode="bilinear", align_corners=False
    )[:, 0]
    return torch.logit(probability, eps=_PROBABILITY_FLOOR)


@dataclass(frozen=True, eq=False)
class MedSamEmbedding:
    """An encoded slice: (1, 256, 64, 64) tensor and the (rows, columns) of the slice."""

    tensor: torch.Tensor
    slice_shape: tuple[int, int]


class MedSam:
    """MedSAM ViT-B as a :class:`tumorresp.ports.SliceSegmenter`.

    Parameters
    ----------
    network
        Of :func:`new_network`, with its weights, in evaluation mode.
    window
        CT window that the CT numbers are seen through.
    identity
        Name, version, weights and parameters.
    """

    def __init__(self, network: Any, window: CtWindow, identity: SegmenterIdentity) -> None:
        self._network = network
        self._window = window
        self._identity = identity

    @classmethod
    def load(cls, path: Path, *, window: tuple[float, float] = SOFT_TISSUE) -> "MedSam":
        """Load ``medsam_vit_b.pth``, or weights of the same network in Hugging Face's layout.

        Parameters
        ----------
        path
            Checkpoint or safetensors file.
        window
            Level and width in HU.

        Raises
        ------
        WeightsNotFound
            If there is no such file.
        InvalidWeights
            If the file is of another network or cannot be read.
        """
        state = read_state_dict(path)
        network = new_network()
        load_medsam_weights(network, state, path.name)
        ct_window = CtWindow(*window)
        return cls(network, ct_window, segmenter_identity(NAME, path, ct_window))

    @property
    def identity(self) -> SegmenterIdentity:
        """Name, version, SHA-256 of the weights file, CT window."""
        return self._identity

    @torch.inference_mode()
    def encode(self, slice_hu: NDArray[np.floating[Any]]) -> MedSamEmbedding:
        """Encode one (row, column) slice of CT numbers (HU): some 12 s on two CPU cores.

        Raises
        ------
        ValueError
            If the array is not two-dimensional, is empty or holds values that are not finite.
        """
        checked_slice(slice_hu)
        grey = window_to_uint8(slice_hu, self._window)
        image = torch.from_numpy(network_input(grey)).permute(2, 0, 1).unsqueeze(0)
        return MedSamEmbedding(self._network.image_encoder(image), (grey.shape[0], grey.shape[1]))

    @torch.inference_mode()
    def decode(
        self, embedding: MedSamEmbedding, boxes_xyxy: NDArray[np.floating[Any]]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Decode boxes on an encoded slice.

        Parameters
        ----------
        embedding
            What :meth:`encode` returned.
        boxes_xyxy
            (N, 4) boxes (x0, y0, x1, y1) in pixels of the slice, pixel centres at integers.

        Returns
        -------
        logits
            (N, row, column) float32 at the slice's size; the lesion is where they exceed 0. Interpolated as
            probabilities, so that they stay within +-13.8.
        iou
            (N,) float32, the network's own guess of the overlap.

        Raises
        ------
        ValueError
            If the boxes are not (N, 4) or not finite.
        """
        boxes = boxes_to_input(checked_boxes(boxes_xyxy), embedding.slice_shape)
        if len(boxes) == 0:
            return np.zeros((0, *embedding.slice_shape), np.float32), np.zeros(0, np.float32)
        sparse, dense = self._network.prompt_encoder(
            points=None, boxes=torch.as_tensor(boxes, dtype=torch.float32)[:, None, :], masks=None
        )
        low_resolution, iou = self._network.mask_decoder(
            image_embeddings=embedding.tensor,
            image_pe=self._network.prompt_encoder.get_dense_pe(),
            sparse_prompt_embeddings=sparse,
            dense_prompt_embeddings=dense,
            multimask_output=False,
        )
        return logits_at_slice_size(low_resolution[:, 0], embedding.slice_shape).numpy(), iou[:, 0].numpy()
