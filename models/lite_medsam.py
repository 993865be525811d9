"""Lite MedSAM: a TinyViT image encoder with SAM's prompt encoder and mask decoder, for 256 x 256 images.

Built from timm and segment-anything with the four changes that make timm's TinyViT upstream's
(bowang-lab/MedSAM, branch LiteMedSAM, commit b0fab476; TinyViT: Wu et al., ECCV 2022, arXiv:2207.10666).
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from models.checkpoint import load_weights, read_state_dict
from models.ct_window import SOFT_TISSUE, CtWindow, window_to_uint8
from models.lite_medsam_preprocessing import INPUT_SIZE, boxes_to_input, network_input, resized_shape
from models.prompts import checked_boxes, checked_slice
from models.segmenter_identity import segmenter_identity
from models.torchvision_guard import import_torchvision
from tumorresp.domain.segmentation import SegmenterIdentity

NAME = "lite-medsam"
_EMBEDDING_CHANNELS = 256
_EMBEDDING_SIZE = 64


class LiteMedSamNetwork(nn.Module):
    """The network with random weights; parameter names are timm's and segment-anything's."""

    def __init__(self) -> None:
        super().__init__()
        import_torchvision()
        from segment_anything.modeling import MaskDecoder, PromptEncoder, TwoWayTransformer

        self.image_encoder = TinyVitEncoder()
        self.prompt_encoder = PromptEncoder(
            embed_dim=_EMBEDDING_CHANNELS,
            image_embedding_size=(_EMBEDDING_SIZE, _EMBEDDING_SIZE),
            input_image_size=(INPUT_SIZE, INPUT_SIZE),
            mask_in_chans=16,
        )
        self.mask_decoder = MaskDecoder(
            num_multimask_outputs=3,
            transformer=TwoWayTransformer(depth=2, embedding_dim=_EMBEDDING_CHANNELS, mlp_dim=2048, num_heads=8),
            transformer_dim=_EMBEDDING_CHANNELS,
            iou_head_depth=3,
            iou_head_hidden_dim=256,
        )

    @torch.inference_mode()
    def encode(self, image: NDArray[np.float32]) -> torch.Tensor:
        """Encode one (256, 256, 3) image in [0, 1] to its (1, 256, 64, 64) embedding."""
        return self.image_encoder(torch.from_numpy(image).permute(2, 0, 1).unsqueeze(0))

    @torch.inference_mode()
    def decode(self, embedding: torch.Tensor, boxes256: NDArray[np.int64]) -> tuple[torch.Tensor, torch.Tensor]:
        """Decode (N, 4) boxes in input pixels to (N, 256, 256) logits and (N,) predicted IoU."""
        sparse, dense = self.prompt_encoder(
            points=None, boxes=torch.as_tensor(boxes256, dtype=torch.float32)[:, None, :], masks=None
        )
        logits, iou = self.mask_decoder(
            image_embeddings=embedding,
            image_pe=self.prompt_encoder.get_dense_pe(),
            sparse_prompt_embeddings=sparse,
            dense_prompt_embeddings=dense,
            multimask_output=False,
        )
        return logits[:, 0], iou[:, 0]


class TinyVitEncoder(nn.Module):
    """TinyViT that keeps 256 x 256 in its first stage and 64 x 64 in its last two, with SAM's neck."""

    def __init__(self) -> None:
        super().__init__()
        import_torchvision()
        from segment_anything.modeling.common import LayerNorm2d
        from timm.models.tiny_vit import ConvNorm, TinyVit

        backbone = TinyVit(
            num_classes=0,
            embed_dims=(64, 128, 160, 320),
            depths=(2, 2, 6, 2),
            num_heads=(2, 4, 5, 10),
            window_sizes=(7, 7, 14, 7),
            mlp_ratio=4.0,
            mbconv_expand_ratio=4.0,
            local_conv_size=3,
            drop_path_rate=0.0,
        )
        self.patch_embed = backbone.patch_embed
        self.patch_embed.conv1 = ConvNorm(3, 32, ks=1)
        self.patch_embed.conv2 = ConvNorm(32, 64, ks=1)
        self.stages = backbone.stages
        self.stages[3].downsample.conv2 = ConvNorm(320, 320, ks=3, stride=1, pad=1, groups=320)
        self.neck = nn.Sequential(
            nn.Conv2d(320, _EMBEDDING_CHANNELS, 1, bias=False),
            LayerNorm2d(_EMBEDDING_CHANNELS),
            nn.Conv2d(_EMBEDDING_CHANNELS, _EMBEDDING_CHANNELS, 3, padding=1, bias=False),
            LayerNorm2d(_EMBEDDING_CHANNELS),
        )

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Encode (N, 3, 256, 256) images in [0, 1] to (N, 256, 64, 64) embeddings."""
        embedding: torch.Tensor = self.neck(self.stages(self.patch_embed(images)))
        return embedding


def upstream_key(key: str) -> str:
    """Return upstream's name of a tensor of :class:`LiteMedSamNetwork`, as lite_medsam.pth has it."""
    if not key.startswith("image_encoder."):
        return key
    key = key.replace(".patch_embed.conv1.", ".patch_embed.seq.0.").replace(
        ".patch_embed.conv2.", ".patch_embed.seq.2."
    )
    # timm counts a downsampling to the stage that begins with it, upstream to the one that ends with it.
    key = re.sub(r"\.stages\.(\d)\.downsample\.", lambda found: f".layers.{int(found[1]) - 1}.downsample.", key)
    return key.replace(".stages.", ".layers.").replace(".conv.weight", ".c.weight")


@dataclass(frozen=True, eq=False)
class LiteMedSamEmbedding:
    """An encoded slice: (1, 256, 64, 64) tensor and the (rows, columns) of the slice."""

    tensor: torch.Tensor
    slice_shape: tuple[int, int]


class LiteMedSam:
    """Lite MedSAM as a :class:`tumorresp.ports.SliceSegmenter`.

    Parameters
    ----------
    network
        With its weights, in evaluation mode.
    window
        CT window that the CT numbers are seen through.
    identity
        Name, version, weights and parameters.
    """

    def __init__(self, network: LiteMedSamNetwork, window: CtWindow, identity: SegmenterIdentity) -> None:
        self._network = network
        self._window = window
        self._identity = identity

    @classmethod
    def load(cls, path: Path, *, window: tuple[float, float] = SOFT_TISSUE) -> "LiteMedSam":
        """Load a checkpoint in upstream's names.

        Parameters
        ----------
        path
            ``lite_medsam.pth`` or another checkpoint or safetensors file of the same network.
        window
            Level and width in HU.

        Raises
        ------
        WeightsNotFound
            If there is no such file.
        InvalidWeights
            If the file is of another network or cannot be read.
        """
        network = LiteMedSamNetwork()
        load_weights(network, read_state_dict(path), file_key=upstream_key, network_name="Lite MedSAM", where=path.name)
        ct_window = CtWindow(*window)
        return cls(network, ct_window, segmenter_identity(NAME, path, ct_window))

    @property
    def identity(self) -> SegmenterIdentity:
        """Name, version, SHA-256 of the weights file, CT window."""
        return self._identity

    def encode(self, slice_hu: NDArray[np.floating[Any]]) -> LiteMedSamEmbedding:
        """Encode one (row, column) slice of CT numbers (HU); do it once for all lesions of the slice.

        Raises
        ------
        ValueError
            If the array is not two-dimensional, is empty or holds values that are not finite.
        """
        checked_slice(slice_hu)
        grey = window_to_uint8(slice_hu, self._window)
        return LiteMedSamEmbedding(self._network.encode(network_input(grey)), (grey.shape[0], grey.shape[1]))

    def decode(
        self, embedding: LiteMedSamEmbedding, boxes_xyxy: NDArray[np.floating[Any]]
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
            (N, row, column) float32 at the slice's size; the lesion is where they exceed 0.
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
        low_resolution, iou = self._network.decode(embedding.tensor, boxes)
        return logits_at_slice_size(low_resolution, embedding.slice_shape).numpy(), iou.numpy()


@torch.inference_mode()
def logits_at_slice_size(low_resolution: torch.Tensor, slice_shape: tuple[int, int]) -> torch.Tensor:
    """Crop (N, 256, 256) logits to the unpadded part and interpolate them to (N, row, column)."""
    rows, columns = resized_shape(slice_shape)
    cropped = low_resolution[:, None, :rows, :columns]
    return functional.interpolate(cropped, size=slice_shape, mode="bilinear", align_corners=False)[:, 0]
