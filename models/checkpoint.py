"""Weights files to state dicts, and state dicts into networks; a wrong file is refused by its first bad key."""

import pickle
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch

from tumorresp.domain.errors import InvalidWeights, WeightsNotFound

StateDict = dict[str, torch.Tensor]

_WRAPPERS = ("model", "state_dict")
_PARALLEL_PREFIX = "module."


def read_state_dict(path: Path) -> StateDict:
    """Read tensors by name from a PyTorch checkpoint or a safetensors file.

    A checkpoint may be a bare state dict or a training checkpoint that holds one as ``model`` or ``state_dict``,
    with or without the ``module.`` that data-parallel training puts before every name. No Python object is unpickled.

    Raises
    ------
    WeightsNotFound
        If there is no such file.
    InvalidWeights
        If the file is cut off, no checkpoint at all, or holds anything but named tensors.
    """
    if not path.is_file():
        raise WeightsNotFound("there is no such weights file.", where=path.name)
    with path.open("rb") as file:
        head = file.read(64)
    if head.lstrip()[:1] == b"<":
        raise InvalidWeights(
            "this is a web page, not a weights file.", where=path.name, remedy="Download the file itself again."
        )
    content = _read_safetensors(path) if head[8:9] == b"{" else _read_torch(path)
    return _named_tensors(content, path.name)


def _read_safetensors(path: Path) -> Any:
    try:
        return safetensors.torch.load_file(path)
    except (safetensors.SafetensorError, ValueError) as failure:
        raise InvalidWeights(
            f"the safetensors file cannot be read ({failure}); it may be cut off.",
            where=path.name,
            remedy="Download it again.",
        ) from failure


def _read_torch(path: Path) -> Any:
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as failure:
        raise InvalidWeights(
            "the file is no PyTorch checkpoint, or it holds other Python objects than tensors and plain values.",
            where=path.name,
            remedy="Save the network's state dict alone and use that file.",
        ) from failure
    except (RuntimeError, EOFError, ValueError, KeyError, AttributeError, zipfile.BadZipFile) as failure:
        raise InvalidWeights(
            "the checkpoint cannot be read; it may be cut off.", where=path.name, remedy="Download it again."
        ) from failure


def _named_tensors(content: Any, where: str) -> StateDict:
    if isinstance(content, Mapping):
        content = next((content[key] for key in _WRAPPERS if isinstance(content.get(key), Mapping)), content)
    if not isinstance(content, Mapping) or not content:
        raise InvalidWeights("the checkpoint holds no tensors by name.", where=where)
    for key, value in content.items():
        if not isinstance(key, str) or not isinstance(value, torch.Tensor):
            raise InvalidWeights(f"the checkpoint's entry {str(key)!r} is no tensor.", where=where)
    if all(key.startswith(_PARALLEL_PREFIX) for key in content):
        return {key.removeprefix(_PARALLEL_PREFIX): value for key, value in content.items()}
    return dict(content)


def load_weights(
    network: torch.nn.Module, state: StateDict, *, file_key: Callable[[str], str], network_name: str, where: str
) -> None:
    """Copy a state dict into a network, every tensor and no other, and put the network into evaluation mode.

    Parameters
    ----------
    state
        Tensors by the file's names.
    file_key
        The file's name of a tensor, given the network's name of it.
    network_name
        Of the network, for the error.
    where
        Name of the file, for the error.

    Raises
    ------
    InvalidWeights
        If a tensor is missing, is not of the network's shape, or is unknown to the network; names the first one.
    """
    own = network.state_dict()
    file_keys = {key: file_key(key) for key in own}
    remedy = f"Use weights of {network_name}."
    for key, tensor in own.items():
        name = file_keys[key]
        if name not in state:
            raise InvalidWeights(f"the weights lack {name!r}, which {network_name} needs.", where=where, remedy=remedy)
        if state[name].shape != tensor.shape:
            raise InvalidWeights(
                f"{name!r} has shape {tuple(state[name].shape)}; {network_name} needs {tuple(tensor.shape)}.",
                where=where,
                remedy=remedy,
            )
    expected = set(file_keys.values())
    for name in state:
        if name not in expected:
            raise InvalidWeights(f"{network_name} has no {name!r}.", where=where, remedy=remedy)
    network.load_state_dict({key: state[file_keys[key]] for key in own}, strict=True)
    # timm caches attention biases in evaluation mode; entering it after loading empties the cache.
    network.train()
    network.eval()
