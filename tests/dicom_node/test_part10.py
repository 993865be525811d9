"""Encoded instances: a cut anywhere is found, and the content's name does not depend on the encoding."""

import io
from pathlib import Path

import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from dicom_node.part10 import EncodedInstance, content_sha256, encoded_instance, read_encoded
from tests.dicom_node.ct_files import ct_image, enhanced_ct
from tests.real_servers import run_tool
from tumorresp.domain.errors import NotDicom


def encoded(image: pydicom.Dataset, syntax: str = ExplicitVRLittleEndian) -> bytes:
    image.file_meta.TransferSyntaxUID = syntax
    buffer = io.BytesIO()
    image.save_as(
        buffer,
        enforce_file_format=True,
        implicit_vr=syntax == ImplicitVRLittleEndian,
        little_endian=syntax != ExplicitVRBigEndian,
    )
    return buffer.getvalue()


WHOLE = encoded(enhanced_ct([0, 5]))


@given(st.integers(0, len(WHOLE) - 1))
@settings(max_examples=300)
def test_a_cut_anywhere_is_found_or_ends_between_elements(length: int):
    """A cut between two elements leaves a shorter but well-formed data set: then the content has another name."""
    try:
        name = content_sha256(encoded_instance(WHOLE[:length]))
    except NotDicom:
        return
    assert name != content_sha256(encoded_instance(WHOLE))


def test_every_cut_within_the_pixels_is_found():
    pixels = len(pydicom.dcmread(io.BytesIO(WHOLE)).PixelData)
    for missing in (1, 2, 100, pixels - 1, pixels):
        with pytest.raises(NotDicom, match=f"needs {missing} bytes more"):
            content_sha256(encoded_instance(WHOLE[:-missing]))


@pytest.mark.parametrize("image", [ct_image(0), enhanced_ct([0, 5, 10])], ids=["single", "enhanced"])
def test_the_encoding_does_not_change_the_name(image):
    names = {
        content_sha256(encoded_instance(encoded(image, syntax)))
        for syntax in (ExplicitVRLittleEndian, ImplicitVRLittleEndian, DeflatedExplicitVRLittleEndian)
    }
    assert len(names) == 1


def test_lengths_of_sequences_do_not_change_the_name():
    image = enhanced_ct([0, 5])
    defined = content_sha256(encoded_instance(encoded(image)))
    for element in image.iterall():
        if element.VR == "SQ":
            element.is_undefined_length = True
            for item in element.value:
                item.is_undefined_length_sequence_item = True
    undefined = encoded(image)
    assert undefined != WHOLE
    assert content_sha256(encoded_instance(undefined)) == defined


@pytest.mark.parametrize(
    ("keyword", "value"),
    [("PatientName", "Other"), ("PixelSpacing", [0.7, 0.9]), ("PixelData", ct_image(1).PixelData), ("StudyID", "1")],
)
def test_any_other_content_changes_the_name(keyword, value):
    changed = content_sha256(encoded_instance(encoded(ct_image(0, **{keyword: value}))))
    assert changed != content_sha256(encoded_instance(encoded(ct_image(0))))


def test_a_value_nested_in_a_sequence_counts():
    other = enhanced_ct([0, 5])
    other.PerFrameFunctionalGroupsSequence[1].PlanePositionSequence[0].ImagePositionPatient = [0, 0, 6]
    assert content_sha256(encoded_instance(encoded(other))) != content_sha256(encoded_instance(WHOLE))


def test_big_endian_is_read():
    image = ct_image(0, PixelData=None)
    assert content_sha256(encoded_instance(encoded(image, ExplicitVRBigEndian)))


@pytest.mark.real_server
@pytest.mark.parametrize("options", [("+ti",), ("+te",), ("+te", "-e"), ("+te", "+g"), ("+ti", "-e", "+g")])
def test_dcmtk_writing_it_anew_changes_nothing(real_data: Path, tmp_path: Path, options):
    for path in (
        real_data / "sts" / "STS_002" / "RTSTRUCT.dcm",
        real_data / "sr_samples" / "ohif" / "ohif_srt.dcm",
        real_data / "ncip_aim" / "0022" / "0022Baseline.dcm",
    ):
        again = tmp_path / path.name
        run_tool("dcmconv", *options, path, again, check=True)
        assert content_sha256(read_encoded(again)) == content_sha256(read_encoded(path)), path.name


@pytest.mark.parametrize(
    "content",
    [b"", b"text", b"\0" * 128 + b"DICM", b"\0" * 128 + b"DICM" + b"rubbish" * 20, WHOLE[:140], WHOLE[:200]],
)
def test_what_is_no_dicom_is_refused(tmp_path: Path, content: bytes):
    (tmp_path / "file.dcm").write_bytes(content)
    with pytest.raises(NotDicom):
        content_sha256(read_encoded(tmp_path / "file.dcm"))


@given(st.binary(max_size=300), st.sampled_from([ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian]))
def test_garbage_never_does_more_than_be_refused(content: bytes, syntax: str):
    try:
        name = content_sha256(EncodedInstance(syntax, memoryview(content)))
    except NotDicom:
        return
    assert len(name) == 64


def test_a_bottomless_sequence_is_refused():
    nested = bytes.fromhex("08001511fffffffffeff00e0ffffffff") * 20000
    with pytest.raises(NotDicom, match="too deep"):
        content_sha256(EncodedInstance(ImplicitVRLittleEndian, memoryview(nested)))


def test_garbage_that_should_be_inflated_is_refused():
    with pytest.raises(NotDicom, match="inflated"):
        content_sha256(EncodedInstance(DeflatedExplicitVRLittleEndian, memoryview(b"nothing")))
