"""What the command line says of an evaluation, and how it ends."""

import shutil
from pathlib import Path

import pydicom
import pytest
from typer.testing import CliRunner

from tumorresp.service.cli.main import app

STATED = "May change a response"


@pytest.fixture
def case(real_data: Path, tmp_path: Path) -> Path:
    folder = real_data / "cases" / "10-oblique-outline-nonsquare"
    if not folder.is_dir():
        pytest.skip("this case is not among the test data")
    return Path(shutil.copytree(folder, tmp_path / "in"))


def evaluate(*inputs: Path, out: Path) -> tuple[int, str]:
    """Return exit code and everything that was printed, on one line."""
    arguments = ["evaluate", *map(str, inputs), "--out", str(out), "--segmenter", "geodesic-contour", "--no-radiomics"]
    result = CliRunner().invoke(app, arguments)
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result.exit_code, " ".join(result.output.split())


def state_another_length(path: Path) -> None:
    """Let the document state 40 mm beside an outline of 32 mm."""
    document = pydicom.dcmread(path)
    for item in _items(document):
        if item.get("ValueType") == "NUM" and item.ConceptNameCodeSequence[0].CodeMeaning == "Long Axis":
            item.MeasuredValueSequence[0].NumericValue = "40"
    document.save_as(path)


def _items(item: pydicom.Dataset) -> list[pydicom.Dataset]:
    return [item, *(below for child in item.get("ContentSequence", ()) for below in _items(child))]


def test_nothing_to_say_is_exit_code_0(case: Path, tmp_path: Path):
    code, text = evaluate(case, out=tmp_path / "out")
    assert (code, STATED in text) == (0, False)


def test_what_may_change_a_response_is_printed_and_is_exit_code_1(case: Path, tmp_path: Path):
    state_another_length(case / "sr.dcm")
    code, text = evaluate(case, out=tmp_path / "out")
    assert code == 1
    assert f"{STATED} Baseline, T01: The stated long axis is 40.00 mm" in text
    assert "32.0 mm, which is used" in text


def test_a_region_without_a_size_is_named(case: Path, tmp_path: Path):
    document = pydicom.dcmread(case / "sr.dcm")
    for item in _items(document):
        children = item.get("ContentSequence", ())
        item.ContentSequence = [child for child in children if child.ValueType != "NUM"]
    document.save_as(case / "sr.dcm")
    code, text = evaluate(case, out=tmp_path / "out")
    assert code == 1
    assert "Passed over 1 measurement(s) not used: a region without a size: no length, diameter or radius" in text
    assert "Nothing to show: CT is here that no usable measurement refers to; 1 thing(s) were passed over." in text


@pytest.mark.parametrize("kept", ["measurements", "CT", "nothing", "a broken document"])
def test_nothing_to_show_says_why(case: Path, tmp_path: Path, kept: str):
    shutil.rmtree(case / "base") if kept in ("measurements", "nothing", "a broken document") else None
    if kept in ("CT", "nothing"):
        (case / "sr.dcm").unlink()
    if kept == "a broken document":
        document = pydicom.dcmread(case / "sr.dcm")
        for item in _items(document):
            if item.get("ValueType") == "SCOORD":
                item.GraphicData = list(item.GraphicData)[:-1]
        document.save_as(case / "sr.dcm")
    why = {
        "measurements": "1 measurement(s) refer to CT that is not here.",
        "CT": "CT is here that no usable measurement refers to.",
        "nothing": "there is neither CT nor a document with measurements.",
        "a broken document": "1 thing(s) could not be used.",
    }
    code, text = evaluate(case, out=tmp_path / "out")
    assert (code, f"Nothing to show: {why[kept]}" in text) == (1, True), text
