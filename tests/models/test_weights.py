import hashlib
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import platformdirs
import pytest
import safetensors.torch
import torch

from models.catalogue import best_available, create_slice_segmenter
from models.lite_medsam import LiteMedSam
from models.registry import REGISTRY, registered, weights_of
from models.weights import (
    WeightsState,
    add,
    default_model_dir,
    list_weights,
    status,
    verify,
    verify_weights,
)
from tumorresp.domain.errors import InvalidWeights, OutOfResources, WeightsNotFound

LITE = registered("lite-medsam")


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def test_every_entry_of_the_registry_says_what_a_person_needs() -> None:
    assert len({entry.name for entry in REGISTRY}) == len({entry.file_name for entry in REGISTRY}) == len(REGISTRY)
    for entry in REGISTRY:
        assert entry.segmenter in ("lite-medsam", "medsam")
        assert entry.page.startswith("https://")
        assert entry.address is None or entry.address.startswith("https://")
        assert entry.sha256 is None or (len(entry.sha256) == 64 and entry.sha256 == entry.sha256.lower())
        assert entry.licence in ("Apache-2.0", "CC-BY-4.0")
        assert entry.citation
        assert entry.purpose
        assert "/" not in entry.file_name


def test_an_unknown_name_is_answered_with_the_known_ones() -> None:
    with pytest.raises(WeightsNotFound, match=r"'sam'.*lite-medsam, medsam, medsam-hf"):
        registered("sam")


def test_the_registry_and_the_list_need_no_torch(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from models.weights import list_weights; import models.weight_download;"
        f"import models.catalogue; models.catalogue.best_available(Path({str(tmp_path)!r}));"
        f"list_weights(Path({str(tmp_path)!r})); print('torch' in sys.modules)"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert ended.stdout.strip() == "False"


def test_the_model_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TUMORRESP_MODEL_DIR", str(tmp_path))
    assert default_model_dir() == tmp_path
    monkeypatch.delenv("TUMORRESP_MODEL_DIR")
    assert default_model_dir() == Path(platformdirs.user_data_dir("tumorresp")) / "models"


def test_an_empty_or_absent_folder_lists_all_as_absent(tmp_path: Path) -> None:
    listed = list_weights(tmp_path / "none")
    assert [one.weights for one in listed] == list(REGISTRY)
    assert {one.state for one in listed} == {WeightsState.ABSENT}
    assert listed[0].path == tmp_path / "none" / "lite_medsam.pth"
    assert not (tmp_path / "none").exists()


def test_a_part_and_a_file_put_there_by_hand_are_told_apart(tmp_path: Path) -> None:
    (tmp_path / "lite_medsam.pth.part").write_bytes(b"abc")
    (tmp_path / "medsam_vit_b.pth").write_bytes(b"abcde")
    by_name = {one.weights.name: one for one in list_weights(tmp_path)}
    assert by_name["lite-medsam"].state == WeightsState.PARTIAL
    assert by_name["lite-medsam"].size_bytes == 3
    assert by_name["medsam"].state == WeightsState.UNRECORDED
    assert by_name["medsam"].size_bytes == 5
    assert by_name["medsam"].sha256 is None


def test_adding_a_file_keeps_a_copy_with_its_hash(golden_file: Path, tmp_path: Path) -> None:
    folder = tmp_path / "models"
    added = add(golden_file, "lite-medsam", folder)
    expected = sha256(golden_file.read_bytes())
    assert added.state == WeightsState.RECORDED
    assert added.sha256 == expected
    assert sorted(path.name for path in folder.iterdir()) == ["lite_medsam.pth", "lite_medsam.pth.json"]
    assert json.loads((folder / "lite_medsam.pth.json").read_text())["sha256"] == expected
    assert status(LITE, folder) == added
    assert verify("lite-medsam", folder) == added
    segmenter = create_slice_segmenter("lite-medsam", folder)
    assert isinstance(segmenter, LiteMedSam)
    assert segmenter.identity.weights_sha256 == expected


def test_adding_tells_the_network_by_its_tensors(golden_state: dict[str, torch.Tensor], tmp_path: Path) -> None:
    file = tmp_path / "mine.safetensors"
    safetensors.torch.save_file({f"module.{key}": value for key, value in golden_state.items()}, file)
    added = add(file, None, tmp_path / "models")
    assert added.weights == LITE
    assert LiteMedSam.load(added.path).identity.weights_sha256 == added.sha256


def test_adding_replaces_an_earlier_file_and_its_record(
    golden_file: Path, golden_state: dict[str, torch.Tensor], tmp_path: Path
) -> None:
    folder = tmp_path / "models"
    first = add(golden_file, None, folder)
    other = tmp_path / "other.pth"
    torch.save({"model": golden_state, "epoch": 1}, other)
    second = add(other, None, folder)
    assert second.sha256 != first.sha256
    assert verify("lite-medsam", folder).sha256 == sha256(other.read_bytes())


def test_weights_of_another_network_are_not_added(golden_file: Path, tmp_path: Path) -> None:
    folder = tmp_path / "models"
    with pytest.raises(InvalidWeights, match=r"lite_medsam\.pth: .*'image_encoder\.pos_embed'"):
        add(golden_file, "medsam", folder)
    unknown = tmp_path / "unknown.pth"
    torch.save({"encoder.stem.weight": torch.zeros(1)}, unknown)
    with pytest.raises(InvalidWeights, match=r"unknown\.pth: .*'encoder\.stem\.weight'"):
        add(unknown, None, folder)
    with pytest.raises(WeightsNotFound, match=r"none\.pth"):
        add(tmp_path / "none.pth", "lite-medsam", folder)
    with pytest.raises(WeightsNotFound, match="'sam'"):
        add(golden_file, "sam", folder)
    assert not folder.exists()


def test_a_folder_that_cannot_be_written_is_said(golden_file: Path, tmp_path: Path) -> None:
    (tmp_path / "models").write_text("a file where the folder should be")
    with pytest.raises(OutOfResources, match="TUMORRESP_MODEL_DIR"):
        add(golden_file, "lite-medsam", tmp_path / "models")


def test_a_file_that_changed_since_it_came_is_refused_everywhere(golden_file: Path, tmp_path: Path) -> None:
    added = add(golden_file, "lite-medsam", tmp_path)
    content = bytearray(added.path.read_bytes())
    content[len(content) // 2] ^= 1
    added.path.write_bytes(content)
    with pytest.raises(InvalidWeights, match=f"{sha256(bytes(content))}, expected {added.sha256} .recorded"):
        verify("lite-medsam", tmp_path)
    with pytest.raises(InvalidWeights, match="expected"):
        create_slice_segmenter("lite-medsam", tmp_path)


def test_a_file_put_there_by_hand_is_compared_with_the_published_hash(tmp_path: Path) -> None:
    content = b"the official file"
    (tmp_path / LITE.file_name).write_bytes(content)
    with pytest.raises(InvalidWeights, match="as published"):
        verify("lite-medsam", tmp_path)
    official = replace(LITE, sha256=sha256(content))
    assert verify_weights(official, tmp_path).state == WeightsState.OFFICIAL
    assert status(official, tmp_path).state == WeightsState.OFFICIAL, "the check is remembered"
    unknown = replace(LITE, sha256=None, file_name="other.pth")
    (tmp_path / "other.pth").write_bytes(content)
    verified = verify_weights(unknown, tmp_path)
    assert (verified.state, verified.sha256) == (WeightsState.UNRECORDED, sha256(content))


def test_verifying_absent_weights_says_how_to_get_them(tmp_path: Path) -> None:
    with pytest.raises(WeightsNotFound, match=r"tumorresp models pull lite-medsam.*tumorresp models add FILE"):
        verify("lite-medsam", tmp_path)


@pytest.mark.parametrize("content", ["", "[]", '{"name": "lite-medsam"}', "{"])
def test_a_damaged_record_is_named(content: str, tmp_path: Path) -> None:
    (tmp_path / "lite_medsam.pth").write_bytes(b"x")
    (tmp_path / "lite_medsam.pth.json").write_text(content)
    with pytest.raises(InvalidWeights, match=r"lite_medsam\.pth\.json"):
        verify("lite-medsam", tmp_path)


@pytest.mark.parametrize("name", ["lite-medsam", "medsam"])
def test_a_segmenter_without_its_weights_says_how_to_get_them(name: str, tmp_path: Path) -> None:
    with pytest.raises(WeightsNotFound, match=f"tumorresp models pull {name}"):
        create_slice_segmenter(name, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_network_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="geodesic-contour"):
        create_slice_segmenter("geodesic-contour", tmp_path)


def test_the_best_segmenter_follows_the_weights(tmp_path: Path) -> None:
    assert best_available(tmp_path) == "geodesic-contour"
    (tmp_path / "medsam_vit_b.pth").write_bytes(b"x")
    (tmp_path / "lite_medsam.pth.part").write_bytes(b"x")
    assert best_available(tmp_path) == "geodesic-contour"
    (tmp_path / "lite_medsam.pth").write_bytes(b"x")
    assert best_available(tmp_path) == "lite-medsam"


def test_medsam_takes_either_layout_the_official_file_first() -> None:
    assert [entry.name for entry in weights_of("medsam")] == ["medsam", "medsam-hf"]
    assert weights_of("geodesic-contour") == ()
