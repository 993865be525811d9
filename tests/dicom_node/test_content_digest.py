"""One image in several encodings is one image; anything else that differs is another."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    RLELossless,
)

from dicom_node.content_digest import is_same_content, pixels_sha256
from dicom_node.ct_volume import read_ct_volume
from dicom_node.file_scan import scan
from dicom_node.instance_header import read_header
from dicom_node.listener import IndexOutcome, ReceivedInstance
from tests.dicom_node.ct_files import COLUMNS, ROWS, ct_image, stored_pixels, uid, write
from tests.real_servers import run_tool
from tumorresp.domain.errors import InvalidInput
from tumorresp.service.listener_index import ListenerIndex
from tumorresp.service.store import Store

SYNTAXES = {
    "RLE": RLELossless,
    "JPEG-LS": JPEGLSLossless,
    "JPEG 2000": JPEG2000Lossless,
    "implicit VR": ImplicitVRLittleEndian,
    "deflated": DeflatedExplicitVRLittleEndian,
}
TOOLS = {
    "dcmcjpls": ("dcmcjpls", "--uid-never"),
    "dcmcrle": ("dcmcrle",),
    "dcmcjpeg lossless": ("dcmcjpeg", "+e1"),
    "dcmcjpeg process 14": ("dcmcjpeg", "+el"),
}


def encoded(path: Path, target: Path, syntax: str) -> Path:
    """Write a file again in another transfer syntax."""
    target.parent.mkdir(parents=True, exist_ok=True)
    dataset = pydicom.dcmread(path)
    if pydicom.uid.UID(syntax).is_compressed and syntax != DeflatedExplicitVRLittleEndian:
        dataset.compress(syntax, generate_instance_uid=False)
    else:
        dataset.file_meta.TransferSyntaxUID = syntax
    dataset.save_as(target, enforce_file_format=True)
    return target


def one(folder: Path, **changes: object) -> Path:
    (path,) = write(folder, ct_image(5, **changes))
    return path


SIDE = 64
LARGE = (np.arange(SIDE * SIDE).reshape(SIDE, SIDE) * 7 % 1500 - 700).astype(np.int16)
"""JPEG 2000 divides an image five times, for which the small one is too small."""


@pytest.mark.parametrize("syntax", SYNTAXES.values(), ids=SYNTAXES.keys())
@pytest.mark.parametrize(
    "changes",
    [
        {"PixelData": LARGE.astype("<i2").tobytes()},
        {"BitsStored": 12, "HighBit": 11, "PixelData": LARGE.astype("<i2").tobytes()},
        {"PixelRepresentation": 0, "PixelData": np.abs(LARGE).astype("<u2").tobytes()},
    ],
    ids=["16 bits", "12 bits", "unsigned"],
)
def test_an_image_is_the_same_in_every_lossless_encoding(tmp_path: Path, syntax: str, changes: dict[str, object]):
    plain = one(tmp_path / "a", Rows=SIDE, Columns=SIDE, **changes)
    other = encoded(plain, tmp_path / "b" / "other.dcm", syntax)
    assert is_same_content(plain, other)
    assert is_same_content(other, plain)


@pytest.mark.real_server
@pytest.mark.parametrize("tool", TOOLS.values(), ids=TOOLS.keys())
def test_an_image_that_an_archive_s_tools_compressed_is_the_same(tmp_path: Path, tool: tuple[str, ...]):
    plain = one(tmp_path)
    other = tmp_path / "other.dcm"
    run_tool(*tool, plain, other, check=True)
    assert is_same_content(plain, other)


def change_a_pixel(dataset: Dataset) -> None:
    pixels = np.frombuffer(dataset.PixelData, "<i2").copy()
    pixels[7] += 1
    dataset.PixelData = pixels.tobytes()


OTHER = {
    "one pixel": change_a_pixel,
    "rows and columns exchanged": lambda d: d.update({"Rows": COLUMNS, "Columns": ROWS}),
    "rescale": lambda d: setattr(d, "RescaleIntercept", -1024),
    "spacing": lambda d: setattr(d, "PixelSpacing", [0.7, 0.9]),
    "position": lambda d: setattr(d, "ImagePositionPatient", [-100, -90, 6]),
    "patient": lambda d: setattr(d, "PatientID", "ANOTHER"),
    "a date": lambda d: setattr(d, "StudyDate", "20240301"),
    "sign": lambda d: setattr(d, "PixelRepresentation", 0),
    "photometric": lambda d: setattr(d, "PhotometricInterpretation", "MONOCHROME1"),
    "no pixels": lambda d: d.__delitem__("PixelData"),
}


@pytest.mark.parametrize("change", OTHER.values(), ids=OTHER.keys())
@pytest.mark.parametrize("syntax", [None, RLELossless])
def test_anything_else_makes_another_image(tmp_path: Path, change: Callable[[Dataset], None], syntax: str | None):
    plain = one(tmp_path / "a")
    changed = tmp_path / "b.dcm"
    dataset = pydicom.dcmread(plain)
    change(dataset)
    dataset.save_as(changed, enforce_file_format=True)
    if syntax and "PixelData" in dataset:
        changed = encoded(changed, tmp_path / "c.dcm", syntax)
    assert not is_same_content(plain, changed)


def test_what_goes_with_an_encoding_makes_no_difference(tmp_path: Path):
    plain = one(tmp_path / "a")
    assert is_same_content(plain, one(tmp_path / "b", LossyImageCompression="00", DataSetTrailingPadding=b"\0" * 8))


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 65535), st.integers(0, ROWS * COLUMNS - 1))
def test_two_values_are_never_taken_for_one(tmp_path_factory: pytest.TempPathFactory, value: int, place: int):
    folder = tmp_path_factory.mktemp("values")
    pixels = stored_pixels(5).astype("<u2").ravel()
    changed = pixels.copy()
    changed[place] = value
    paths = [one(folder / name, PixelData=data.tobytes()) for name, data in (("a", pixels), ("b", changed))]
    assert is_same_content(*paths) == np.array_equal(pixels, changed)


def test_pixels_that_cannot_be_decoded_are_the_same_as_nothing(tmp_path: Path):
    broken = one(tmp_path / "a", PixelData=b"\0" * 10)
    assert not is_same_content(broken, one(tmp_path / "b", PixelData=b"\0" * 10))
    with pytest.raises(InvalidInput):
        pixels_sha256(broken)


def test_what_is_away_may_come_back(tmp_path: Path):
    """A held file that cannot be read now says nothing of the content: the sender is to try again."""
    with pytest.raises(FileNotFoundError):
        is_same_content(one(tmp_path / "a"), tmp_path / "absent.dcm")


def test_frames_that_state_gigabytes_are_not_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("dicom_node.content_digest.iter_pixels", lambda *_, **__: pytest.fail("decoded"))
    huge = [one(tmp_path / name, Rows=60_000, Columns=60_000) for name in "ab"]
    assert not is_same_content(*huge)
    with pytest.raises(InvalidInput, match="6866 MiB"):
        pixels_sha256(huge[0])


def test_a_folder_with_a_series_twice_holds_it_once(tmp_path: Path):
    paths = write(tmp_path / "a", *(ct_image(z) for z in (0, 5, 10)))
    for path in paths:
        encoded(path, tmp_path / "b" / path.name, JPEGLSLossless)
    found = scan([tmp_path])
    assert found.rejected == ()
    assert sorted(file.path for file in found.files) == sorted(paths)
    assert np.array_equal(read_ct_volume(paths).hu, read_ct_volume([tmp_path / "b" / path.name for path in paths]).hu)


@pytest.mark.parametrize("names", [("a", "b"), ("b", "a"), ("a", "b", "c")])
def test_of_files_of_one_uid_with_different_content_none_is_used(tmp_path: Path, names: tuple[str, ...]):
    write(tmp_path / "ct", *(ct_image(z) for z in (0, 10)))
    for number, name in enumerate(names):
        one(tmp_path / name, StudyID=str(number))
    found = scan([tmp_path])
    assert len(found.files) == 2
    assert sorted(item.path.parent.name for item in found.rejected) == sorted(names)
    assert all(item.error.code == "conflicting-instance" for item in found.rejected)
    assert f"{len(names)} files have its SOP Instance UID" in found.rejected[0].error.message


def test_a_transcoded_image_is_held_once_and_answered_success(tmp_path: Path):
    store = Store(f"sqlite:///{tmp_path / 'index.sqlite'}")
    store.migrate()
    index = ListenerIndex(store)
    plain = one(tmp_path / "a")
    copy = encoded(plain, tmp_path / "b" / "copy.dcm", JPEGLSLossless)
    changed = one(tmp_path / "c", RescaleIntercept=-1024)

    def received(path: Path) -> IndexOutcome:
        return index.index(ReceivedInstance(path, read_header(path), "ARCHIVE"))

    assert received(plain) is IndexOutcome.NEW
    kept = shutil.copy(copy, tmp_path / "kept.dcm")
    assert received(copy) is IndexOutcome.SAME
    assert not copy.exists()
    assert plain.exists()
    assert received(Path(kept)) is IndexOutcome.SAME
    assert received(changed) is IndexOutcome.CONFLICT
    assert changed.exists()  # a person may want to look at it
    assert received(plain) is IndexOutcome.SAME
    assert plain.exists()
    assert read_header(plain).sop_instance_uid == uid("one", 5)
