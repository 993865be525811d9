"""Folders are sorted into kinds; what cannot be used is listed with its reason."""

from pathlib import Path

import pytest

from dicom_node.file_scan import FileKind, identify, scan
from tests.dicom_node.ct_files import ct_image, uid, write
from tests.dicom_node.hostile_peer import EXPLICIT, nested_bytes
from tumorresp.domain.errors import ExceedsLimit, Missing, UnknownFormat


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path / "a" / "deep", *(ct_image(z) for z in (0, 5)))
    write(tmp_path / "b", ct_image(0, "two"))
    (tmp_path / "DICOMDIR").write_bytes(b"\0" * 200)
    (tmp_path / ".hidden").mkdir()
    write(tmp_path / ".hidden", ct_image(50))
    (tmp_path / "axes.csv").write_text("x\n1\n")
    (tmp_path / "axes.JSON").write_text("{}")
    (tmp_path / "aim.xml").write_text('<?xml version="1.0"?><ImageAnnotationCollection/>')
    return tmp_path


def test_kinds_and_series(folder: Path):
    result = scan([folder])
    assert sorted(file.kind.value for file in result.files) == ["aim", "csv", "ct", "ct", "ct", "json"]
    assert result.rejected == ()
    series = result.ct_series()
    assert {key: len(paths) for key, paths in series.items()} == {uid("series", "one"): 2, uid("series", "two"): 1}


def test_rejected_files_say_why(folder: Path):
    (folder / "notes.txt").write_text("hello")
    (folder / "page.xml").write_text("<html/>")
    (folder / "cut.dcm").write_bytes(next((folder / "b").iterdir()).read_bytes()[:-5])
    (folder / "empty.csv").write_bytes(b"")
    (folder / "IM0001").write_bytes(b"no preamble here")
    result = scan([folder])
    assert {item.path.name: item.error.code for item in result.rejected} == {
        "notes.txt": "unknown-format",
        "page.xml": "unknown-format",
        "cut.dcm": "not-dicom",
        "empty.csv": "not-dicom",
        "IM0001": "not-dicom",
    }
    assert all(item.path.name in str(item.error) for item in result.rejected)
    assert len(result.files) == 6


def test_a_copy_is_left_out(tmp_path: Path):
    write(tmp_path / "1", ct_image(0))
    write(tmp_path / "2", ct_image(0))
    result = scan([tmp_path])
    assert [file.path.parent.name for file in result.files] == ["1"]
    assert result.rejected == ()


def test_of_other_content_under_one_uid_nothing_is_used(tmp_path: Path):
    write(tmp_path / "1", ct_image(0))
    write(tmp_path / "2", ct_image(0))
    write(tmp_path / "3", ct_image(0, StudyID="changed"))
    result = scan([tmp_path])
    assert result.files == ()
    assert [(item.path.parent.name, item.error.code) for item in result.rejected] == [
        ("1", "conflicting-instance"),
        ("3", "conflicting-instance"),
    ]


def test_a_file_named_twice_is_one(folder: Path):
    assert len(scan([folder / "axes.csv", folder, folder / "axes.csv"]).of_kind(FileKind.CSV)) == 1


def test_the_content_names_other_files(tmp_path: Path):
    for name, text in (("a.csv", "x"), ("b.csv", "x"), ("c.csv", "y")):
        (tmp_path / name).write_text(text)
    one, same, other = (identify(tmp_path / name).sha256 for name in ("a.csv", "b.csv", "c.csv"))
    assert one == same != other


def test_progress_is_told(folder: Path):
    steps = []
    scan([folder], lambda what, done, of: steps.append((done, of)))
    assert steps == [(number, 6) for number in range(1, 7)]


def test_a_path_that_is_not_there(tmp_path: Path):
    with pytest.raises(Missing, match="nowhere"):
        scan([tmp_path / "nowhere"])


def test_an_image_file_is_of_no_kind(tmp_path: Path):
    (tmp_path / "a.png").write_bytes(b"\x89PNG")
    with pytest.raises(UnknownFormat):
        identify(tmp_path / "a.png")


def test_real_folders(real_data: Path):
    result = scan([real_data / "ncip_aim"])
    kinds = [file.kind for file in result.files]
    assert {kind: kinds.count(kind) for kind in set(kinds)} == {FileKind.CT: 4, FileKind.SR: 8, FileKind.AIM: 8}


@pytest.mark.parametrize("depth", [300, 5000])
@pytest.mark.parametrize("undefined", [False, True])
def test_nesting_without_sense_is_rejected_and_harms_no_other_file(folder: Path, depth: int, undefined: bool):
    nested = nested_bytes(depth, EXPLICIT, undefined=undefined, private=False)
    deep = write(folder / "deep", ct_image(0, "deep", PixelData=None))[0]
    deep.write_bytes(deep.read_bytes() + nested)
    result = scan([folder])
    assert len(result.files) == 6
    (rejected,) = result.rejected
    assert rejected.path == deep
    assert isinstance(rejected.error, ExceedsLimit)
    assert "nested too deep" in rejected.error.message
