import importlib
import subprocess
import sys
from types import ModuleType
from typing import Any

import pytest
import torch.library

from models import torchvision_guard

MISMATCH = "operator torchvision::nms does not exist"


def test_a_torchvision_that_imports_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = ModuleType("torchvision")
    monkeypatch.setattr(importlib, "import_module", lambda name: whole)
    monkeypatch.setattr(torch.library, "Library", refuse)
    assert torchvision_guard.import_torchvision() is whole


def test_missing_operators_are_declared_and_the_import_is_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    declared: list[str] = []
    imports: list[bool] = []

    class Recorder:
        def __init__(self, namespace: str, kind: str) -> None:
            assert (namespace, kind) == ("torchvision", "FRAGMENT")

        def define(self, schema: str) -> None:
            declared.append(schema)

    def import_module(name: str) -> ModuleType:
        imports.append("torchvision.extension" in sys.modules)
        if len(imports) == 1:
            monkeypatch.setitem(sys.modules, "torchvision.extension", ModuleType("half imported"))
            raise RuntimeError(MISMATCH)
        return ModuleType(name)

    for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(importlib, "import_module", import_module)
    monkeypatch.setattr(torch.library, "Library", Recorder)
    monkeypatch.setattr(torchvision_guard, "_declared", [])
    assert torchvision_guard.import_torchvision().__name__ == "torchvision"
    assert imports == [False, False], "the half imported modules must be gone before the second import"
    assert [schema.split("(")[0] for schema in declared] == ["nms", "qnms"]


@pytest.mark.parametrize("failure", [RuntimeError("CUDA driver"), ImportError("No module named 'torchvision'")])
def test_other_failures_are_not_hidden(monkeypatch: pytest.MonkeyPatch, failure: Exception) -> None:
    def import_module(name: str) -> ModuleType:
        raise failure

    monkeypatch.setattr(importlib, "import_module", import_module)
    monkeypatch.setattr(torch.library, "Library", refuse)
    with pytest.raises(type(failure)) as raised:
        torchvision_guard.import_torchvision()
    assert raised.value is failure


def refuse(*arguments: Any) -> None:
    raise AssertionError("nothing may be declared")


def test_in_a_fresh_process_timm_and_segment_anything_import_and_nms_fails_clearly_or_works() -> None:
    program = """
import torch
from models.torchvision_guard import import_torchvision
first = import_torchvision()
assert import_torchvision() is first
import timm.models.tiny_vit, segment_anything
try:
    kept = first.ops.nms(torch.tensor([[0.0, 0, 1, 1]]), torch.tensor([1.0]), 0.5)
    print("works", kept.tolist())
except RuntimeError as error:
    print("refuses", "custom C++ ops" in str(error))
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.splitlines()[-1] in ("works [0]", "refuses True")
