import pickle
from pathlib import Path

import pytest
import safetensors.torch
import torch

from models.checkpoint import load_weights, read_state_dict
from models.lite_medsam import TinyVitEncoder
from tumorresp.domain.errors import InvalidWeights, WeightsNotFound

STATE = {"first.weight": torch.arange(6.0).reshape(2, 3), "second.bias": torch.tensor([7.0])}


def saved(content: object, path: Path) -> Path:
    torch.save(content, path)
    return path


@pytest.mark.parametrize(
    "content",
    [
        STATE,
        {"model": STATE, "epoch": 3, "optimizer": {"lr": 5e-5}, "loss": 0.25},
        {"state_dict": STATE},
        {f"module.{key}": value for key, value in STATE.items()},
        {"model": {f"module.{key}": value for key, value in STATE.items()}, "epoch": 3},
    ],
    ids=["bare", "model", "state_dict", "module", "model-module"],
)
def test_every_form_of_a_checkpoint_gives_the_same_tensors(content: object, tmp_path: Path) -> None:
    assert_same(read_state_dict(saved(content, tmp_path / "weights.pth")))


@pytest.mark.parametrize("name", ["weights.safetensors", "weights.pth"])
def test_safetensors_are_known_by_content(name: str, tmp_path: Path) -> None:
    safetensors.torch.save_file({f"module.{key}": value for key, value in STATE.items()}, tmp_path / name)
    assert_same(read_state_dict(tmp_path / name))


def test_the_old_checkpoint_format_is_read(tmp_path: Path) -> None:
    torch.save(STATE, tmp_path / "old.pth", _use_new_zipfile_serialization=False)
    assert_same(read_state_dict(tmp_path / "old.pth"))


def assert_same(state: dict[str, torch.Tensor]) -> None:
    assert state.keys() == STATE.keys()
    for key, value in STATE.items():
        assert torch.equal(state[key], value)


class Dangerous:
    """Would write a file if it were unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[Path]]:
        return Path.touch, (self.path,)


def test_python_objects_are_not_unpickled(tmp_path: Path) -> None:
    trap = tmp_path / "sprung"
    for path in (saved({"model": Dangerous(trap)}, tmp_path / "zip.pth"), tmp_path / "plain.pth"):
        if not path.exists():
            path.write_bytes(pickle.dumps(Dangerous(trap), protocol=2))
        with pytest.raises(InvalidWeights, match=rf"{path.name}.*Python objects"):
            read_state_dict(path)
    assert not trap.exists()


@pytest.mark.parametrize("kept", [0, 5, 300, 2000])
@pytest.mark.parametrize("form", ["torch", "safetensors"])
def test_a_cut_file_is_refused(form: str, kept: int, tmp_path: Path) -> None:
    state = {"weight": torch.zeros(1000)}
    whole, cut = tmp_path / "whole", tmp_path / "cut.pth"
    if form == "torch":
        torch.save(state, whole)
    else:
        safetensors.torch.save_file(state, whole)
    cut.write_bytes(whole.read_bytes()[:kept])
    with pytest.raises(InvalidWeights, match=r"cut\.pth"):
        read_state_dict(cut)


def test_a_web_page_saved_in_place_of_the_file_is_named_as_such(tmp_path: Path) -> None:
    (tmp_path / "lite.pth").write_text("\n<!DOCTYPE html><html>Virus scan warning</html>")
    with pytest.raises(InvalidWeights, match=r"lite\.pth: this is a web page"):
        read_state_dict(tmp_path / "lite.pth")


@pytest.mark.parametrize("content", [{}, [1, 2], {"model": {"weight": 3}}, {"weight": torch.zeros(1), "epoch": 5}])
def test_what_holds_no_named_tensors_is_refused(content: object, tmp_path: Path) -> None:
    with pytest.raises(InvalidWeights, match="tensor"):
        read_state_dict(saved(content, tmp_path / "weights.pth"))


def test_an_absent_file(tmp_path: Path) -> None:
    with pytest.raises(WeightsNotFound, match=r"none\.pth"):
        read_state_dict(tmp_path / "none.pth")


def small_network() -> torch.nn.Module:
    return torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.Linear(2, 1))


def load(network: torch.nn.Module, state: dict[str, torch.Tensor]) -> None:
    load_weights(network, state, file_key=lambda key: f"net.{key}", network_name="Small", where="small.pth")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"net.1.weight": None, "net.1.bias": None}, "lack 'net.1.weight'"),
        ({"net.0.bias": torch.zeros(5)}, r"'net.0.bias' has shape \(5,\); Small needs \(2,\)"),
        ({"net.2.weight": torch.zeros(1), "net.3.weight": torch.zeros(1)}, "no 'net.2.weight'"),
    ],
)
def test_the_first_bad_key_is_named_as_the_file_names_it(change: dict[str, torch.Tensor | None], message: str) -> None:
    network = small_network()
    before = {key: value.clone() for key, value in network.state_dict().items()}
    state = {f"net.{key}": torch.ones_like(value) for key, value in before.items()} | change
    with pytest.raises(InvalidWeights, match=message) as refusal:
        load(network, {key: value for key, value in state.items() if value is not None})
    assert refusal.value.where == "small.pth"
    for key, value in network.state_dict().items():
        assert torch.equal(value, before[key])


def test_half_precision_weights_are_widened() -> None:
    network = small_network()
    load(network, {f"net.{key}": torch.full_like(value, 0.5).half() for key, value in network.state_dict().items()})
    assert all(bool((value == 0.5).all()) and value.dtype == torch.float32 for value in network.state_dict().values())
    assert not network.training


def test_weights_loaded_into_a_used_network_take_effect() -> None:
    """Timm keeps the attention biases of the last run in evaluation mode."""
    network = TinyVitEncoder().eval()
    attention = network.stages[1].blocks[0].attn
    tokens = torch.randn(1, 49, 128, generator=torch.Generator().manual_seed(3))
    with torch.inference_mode():
        before = attention(tokens)
    state = {key: value.clone() for key, value in network.state_dict().items()}
    state["stages.1.blocks.0.attn.attention_biases"].normal_(std=3)
    load_weights(network, state, file_key=str, network_name="TinyViT", where="")
    with torch.inference_mode():
        assert not torch.allclose(attention(tokens), before, atol=1e-3)
