"""Two readers' results can be told apart wherever they go, and a report names the one that it replaces."""

import csv
import json
import shutil
from pathlib import Path

import pydicom
import pytest
from pydicom.dataset import Dataset

from reports.result_writer import predecessor_of
from tests.real_servers import run_tool
from tests.service.small_case import write_ct, write_sr
from tumorresp.ports import ResultFile
from tumorresp.service.evaluate_files import evaluate_files
from tumorresp.service.settings import Settings

STUDY = "1.2.826.1"
NAMES = ("Reader^One", "Reader^Two")


def by(name: str):
    def change(dataset: Dataset) -> None:
        dataset.ContentSequence[0].PersonName = name

    return change


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The result folders of two readers of one time point, by reader."""
    folder = tmp_path_factory.mktemp("readings")
    write_ct(folder / "in" / "ct", STUDY, "20240110")
    for number, name in enumerate(NAMES, start=1):
        path = folder / "in" / f"{number}.dcm"
        write_sr(path, STUDY, f"1.2.827.{number}", (("L1", 28.0 + number),), change=by(name))
    settings = Settings(segmenter="geodesic-contour", radiomics=False, secondary_capture=True, encapsulated_pdf=True)
    outcome = evaluate_files([folder / "in"], folder / "out", settings, lambda *_: None)
    return {subject.document["reader"]: subject.folder for subject in outcome.subjects}


def test_each_reader_has_a_reading(folders: dict[str, Path]):
    assert set(folders) == set(NAMES)
    assert not any(word in str(folder) for folder in folders.values() for word in ("Reader^", "One", "Two"))


def test_tables_and_pages_name_the_reader(folders: dict[str, Path]):
    for name, folder in folders.items():
        for table in ("responses.csv", "lesions.csv"):
            with (folder / table).open(newline="", encoding="utf-8") as stream:
                assert {row["reader"] for row in csv.DictReader(stream)} == {name}
        assert json.loads((folder / "evaluation.json").read_text("utf-8"))["reader"] == name
        assert f"reading of {name}" in (folder / "report.html").read_text("utf-8")


@pytest.mark.parametrize("file", ["report.dcm", "seg.dcm", "overlay-1.dcm", "report-pdf.dcm"])
def test_a_viewer_shows_whose_series_it_is(folders: dict[str, Path], file: str):
    for name, folder in folders.items():
        (path,) = folder.rglob(file)
        assert pydicom.dcmread(path).SeriesDescription.endswith(f", {name}")


def made(path: Path, uid: str) -> ResultFile:
    return ResultFile("SR", path, "time point", "sha", uid)


@pytest.mark.parametrize(
    ("former", "own", "expected"),
    [
        ((), "c", None),
        (("a",), "c", "a"),
        (("a", "b"), "c", "b"),
        (("a", "b", "c"), "c", "b"),
        (("a", "b", "c"), "a", None),
        (("a",), "a", None),
    ],
)
def test_the_report_before_is_the_predecessor_and_a_rerun_finds_the_same(
    tmp_path: Path, former: tuple[str, ...], own: str, expected: str | None
):
    uids = {letter: f"1.2.827.{number}" for number, letter in enumerate("abc", start=1)}
    files = [made(write_sr(tmp_path / f"{letter}.dcm", STUDY, uids[letter]), uids[letter]) for letter in former]
    found = predecessor_of(files, uids[own])
    assert (found.SOPInstanceUID if found is not None else None) == (uids[expected] if expected else None)


def test_a_report_that_is_not_on_disk_any_more_is_passed_by(tmp_path: Path):
    kept = made(write_sr(tmp_path / "a.dcm", STUDY, "1.2.827.1"), "1.2.827.1")
    found = predecessor_of([kept, made(tmp_path / "gone.dcm", "1.2.827.2")], "1.2.827.3")
    assert found is not None
    assert found.SOPInstanceUID == "1.2.827.1"


def test_the_objects_of_two_readers_are_valid(folders: dict[str, Path]):
    if not shutil.which("dciodvfy"):
        pytest.skip("dciodvfy is not installed (Debian package dicom3tools)")
    for folder in folders.values():
        for path in folder.rglob("*.dcm"):
            said = run_tool("dciodvfy", "-new", path).stderr.splitlines()
            assert [line for line in said if line.startswith("Error") and "Description" in line] == []
