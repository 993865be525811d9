"""The random Lite MedSAM checkpoint that the golden files were computed with, made again from its rule."""

import zlib

import numpy as np
import torch
from numpy.typing import NDArray

SEED = 2
HYPERNETWORK_SHIFT = -0.3


def golden_tensor(key: str, shape: tuple[int, ...], dtype: torch.dtype) -> torch.Tensor:
    """Return the tensor of one name (upstream's) and shape."""
    if dtype == torch.int64:
        return torch.full(shape, 1234, dtype=torch.int64)
    noise = np.random.Generator(np.random.PCG64([SEED, zlib.crc32(key.encode())])).standard_normal(shape)
    return torch.from_numpy(np.asarray(_scaled(key, shape, noise), np.float32))


def _scaled(key: str, shape: tuple[int, ...], noise: NDArray[np.float64]) -> NDArray[np.float64]:
    if key.endswith("running_mean"):
        return 0.2 * noise
    if key.endswith("running_var"):
        return np.asarray(np.exp(0.3 * noise), np.float64)
    if key.endswith(("attention_biases", "gaussian_matrix")):
        return noise
    if key in ("mask_decoder.iou_token.weight", "mask_decoder.mask_tokens.weight"):
        return noise
    if key.startswith("prompt_encoder.") and "_embed" in key and len(shape) == 2:
        return noise
    if len(shape) >= 2:
        fan = shape[0] if "output_upscaling." in key else int(np.prod(shape[1:]))
        return 1.3 * noise / float(np.sqrt(fan))
    if key.endswith("weight"):
        return 1 + 0.2 * noise
    values = 0.1 * noise
    if key.startswith("mask_decoder.output_hypernetworks_mlps.") and key.endswith(".layers.2.bias"):
        values = values + HYPERNETWORK_SHIFT
    return values


def golden_state_dict(shapes: dict[str, tuple[tuple[int, ...], torch.dtype]]) -> dict[str, torch.Tensor]:
    """Return the checkpoint for upstream's names with their shapes and types."""
    return {key: golden_tensor(key, shape, dtype) for key, (shape, dtype) in shapes.items()}
