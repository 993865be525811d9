"""What a data set states is bounded before memory is taken: depth, inflated size, lengths, identifiers."""

import io
import resource
import struct
import sys
import tracemalloc
import zlib

import pytest
from pydicom.dataset import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset
from pydicom.sequence import Sequence
from pydicom.tag import Tag
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from dicom_node.inflating import MIB, InflateLimits, inflating
from dicom_node.instance_header import header_of, read_header, read_without_pixels
from dicom_node.part10 import MAXIMUM_NESTING, EncodedInstance, content_sha256, encoded_instance, summarised
from tests.dicom_node.ct_files import ct_image, write
from tumorresp.domain.errors import ExceedsLimit, InvalidInput, NotDicom

SYNTAXES = (ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian)


def nested_content(depth: int, *, undefined: bool, private: bool) -> Dataset:
    """Return a data set with so many sequences within one another."""
    inner = Dataset()
    inner.CodeValue = "x"
    for _ in range(depth):
        outer = Dataset()
        tag = (0x0099, 0x1001) if private else (0x0040, 0xA730)
        outer.add_new(tag, "SQ", Sequence([inner]))
        outer[tag].is_undefined_length = undefined
        inner.is_undefined_length_sequence_item = undefined
        inner = outer
    return inner


def in_file_bytes(dataset: Dataset, syntax: str) -> memoryview:
    stream = DicomBytesIO()
    stream.is_implicit_VR, stream.is_little_endian = syntax == ImplicitVRLittleEndian, syntax != ExplicitVRBigEndian
    write_dataset(stream, dataset)
    content = stream.getvalue()
    if syntax == DeflatedExplicitVRLittleEndian:
        packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
        content = packer.compress(content) + packer.flush()
    return memoryview(content)


@pytest.mark.parametrize("syntax", SYNTAXES, ids=lambda syntax: syntax.name)
@pytest.mark.parametrize("undefined", [False, True], ids=["stated lengths", "undefined lengths"])
@pytest.mark.parametrize("private", [False, True], ids=["public", "private"])
@pytest.mark.parametrize("depth", [1, MAXIMUM_NESTING, MAXIMUM_NESTING + 1, 100])
def test_nesting_is_refused_above_the_limit_however_it_is_written(syntax, undefined, private, depth):
    instance = EncodedInstance(
        syntax, in_file_bytes(nested_content(depth, undefined=undefined, private=private), syntax)
    )
    # In implicit VR a private sequence of stated length is bytes: neither we nor any reader can see into it.
    opaque = syntax == ImplicitVRLittleEndian and private and not undefined
    if depth <= MAXIMUM_NESTING or opaque:
        assert len(content_sha256(instance)) == 64
        return
    with pytest.raises(ExceedsLimit, match="too deep"):
        content_sha256(instance)


@pytest.mark.parametrize("vr", [b"SQ", b"UN"])
@pytest.mark.parametrize("depth", [300, 1000, 20000])
def test_deep_nesting_made_by_hand_is_refused(vr, depth):
    """Written byte for byte, as no library writes it; a UN of undefined length is an implicit sequence."""
    begin = b"\x40\x00\x30\xa7" + vr + b"\0\0\xff\xff\xff\xff"
    inner = b"\x40\x00\x30\xa7\xff\xff\xff\xff" if vr == b"UN" else begin
    item = b"\xfe\xff\x00\xe0\xff\xff\xff\xff"
    content = begin + item + (inner + item) * (depth - 1)
    with pytest.raises(ExceedsLimit, match="too deep"):
        content_sha256(EncodedInstance(ExplicitVRLittleEndian, memoryview(content)))


@pytest.mark.parametrize("undefined", [False, True])
def test_what_is_within_the_limit_is_read_to_its_bottom(tmp_path, undefined):
    image = ct_image(0)
    image.ContentSequence = nested_content(MAXIMUM_NESTING, undefined=undefined, private=False).ContentSequence
    (path,) = write(tmp_path, image)
    assert read_header(path).sop_instance_uid == image.SOPInstanceUID
    elements = list(read_without_pixels(path).iterall())
    assert [element.value for element in elements if element.keyword == "CodeValue"] == ["x"]


def test_a_reader_called_without_a_check_names_the_depth(tmp_path):
    image = ct_image(0)
    image.ContentSequence = nested_content(200, undefined=True, private=False).ContentSequence
    image["ContentSequence"].is_undefined_length = True
    image.ContentSequence[0].is_undefined_length_sequence_item = True
    (path,) = write(tmp_path, image)
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(250)
    try:
        with pytest.raises(NotDicom):
            read_without_pixels(path)
    finally:
        sys.setrecursionlimit(limit)


@pytest.mark.parametrize(("count", "refused"), [(9, False), (10, False), (11, True)])
@pytest.mark.parametrize("nested", [False, True])
def test_the_number_of_elements_is_limited(monkeypatch, count, refused, nested):
    """Those of sequences count, too."""
    monkeypatch.setattr("dicom_node.part10.MAXIMUM_ELEMENTS", 10)
    small = b"\x09\x00\x10\x10\0\0\0\0"
    content = small * count
    if nested:
        item = struct.pack("<HHL", 0xFFFE, 0xE000, 8 * (count - 1)) + small * (count - 1)
        content = struct.pack("<HHL", 0x0040, 0xA730, len(item)) + item
    instance = EncodedInstance(ImplicitVRLittleEndian, memoryview(content))
    if refused:
        with pytest.raises(ExceedsLimit, match="more than 10 elements"):
            content_sha256(instance)
    else:
        assert content_sha256(instance)


# ---------------------------------------------------------------- deflated


def deflated(content: bytes) -> bytes:
    packer = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    return packer.compress(content) + packer.flush()


def inflated_size(content: bytes, limits: InflateLimits) -> int:
    with inflating(io.BytesIO(deflated(content)), limits) as stream:
        return sum(len(piece) for piece in iter(lambda: stream.read(1000), b""))


@pytest.mark.parametrize(("size", "refused"), [(MIB - 1, False), (MIB, False), (MIB + 1, True), (2 * MIB, True)])
def test_the_inflated_size_is_limited(size, refused):
    limits = InflateLimits(size=MIB, ratio=1e9)
    if refused:
        with pytest.raises(ExceedsLimit, match="more than 1 MiB"):
            inflated_size(bytes(size), limits)
    else:
        assert inflated_size(bytes(size), limits) == size


@pytest.mark.parametrize(
    ("ratio", "without_ratio", "refused"),
    [(2000, 0, False), (100, 0, True), (100, MIB, False), (100, MIB - 1, True)],
)
def test_the_ratio_counts_for_what_is_large(ratio, without_ratio, refused):
    """A mebibyte of zeros is stored in about a thousandth."""
    limits = InflateLimits(ratio=ratio, size_without_ratio=without_ratio)
    if refused:
        with pytest.raises(ExceedsLimit, match="times its size"):
            inflated_size(bytes(MIB), limits)
    else:
        assert inflated_size(bytes(MIB), limits) == MIB


def test_a_bomb_is_refused_without_taking_memory():
    element = b"\xe0\x7f\x10\x00OB\0\0" + struct.pack("<L", 1 << 30)
    packer = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    bomb = b"".join((packer.compress(element), *(packer.compress(bytes(MIB)) for _ in range(64)), packer.flush()))
    assert len(bomb) < 100_000
    tracemalloc.start()
    try:
        with pytest.raises(ExceedsLimit):
            content_sha256(EncodedInstance(DeflatedExplicitVRLittleEndian, memoryview(bomb)))
        assert tracemalloc.get_traced_memory()[1] < 8 * MIB
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("missing", [1, 5, 40])
def test_a_deflated_data_set_that_is_cut_off(missing):
    content = deflated(bytes(in_file_bytes(ct_image(0), ExplicitVRLittleEndian)))
    with pytest.raises(NotDicom, match=r"inflated|cut off"):
        content_sha256(EncodedInstance(DeflatedExplicitVRLittleEndian, memoryview(content[:-missing])))


# ---------------------------------------------------------------- lengths and identifiers


@pytest.mark.parametrize("stated", [1 << 31, (1 << 32) - 2])
@pytest.mark.parametrize("syntax", SYNTAXES, ids=lambda syntax: syntax.name)
def test_a_stated_length_takes_no_memory(syntax, stated):
    order = ">" if syntax == ExplicitVRBigEndian else "<"
    vr = b"" if syntax == ImplicitVRLittleEndian else b"OB\0\0"
    content = struct.pack(f"{order}HH", 0x7FE0, 0x0010) + vr + struct.pack(f"{order}L", stated) + bytes(100)
    content = deflated(content) if syntax == DeflatedExplicitVRLittleEndian else content
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(NotDicom, match="cut off"):
        content_sha256(EncodedInstance(syntax, memoryview(content)))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 32 * 1024  # KiB


def padded(value: str) -> bytes:
    """Return the length and the value of a UID, made even."""
    encoded = value.encode() + b"\0" * (len(value.encode()) % 2)
    return struct.pack("<H", len(encoded)) + encoded


@pytest.mark.filterwarnings("ignore::UserWarning")  # pydicom says it, too
@pytest.mark.parametrize(
    ("value", "good"),
    [
        ("1." + "2" * 62, True),
        ("1." + "2" * 63, False),
        ("1.02.3", True),
        ("1.2.x", False),
        ("1.2.3; DROP", False),
        ("../../etc/passwd", False),
        ("1.2.\u0663", False),
    ],
)
@pytest.mark.parametrize("keyword", ["SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID"])
def test_identifiers_are_at_most_64_figures_and_dots(keyword, value, good):
    content = bytes(in_file_bytes(ct_image(0), ExplicitVRLittleEndian))
    tag = Tag(keyword)
    head = struct.pack("<HH", tag.group, tag.element) + b"UI"
    changed = content.replace(head + padded(ct_image(0)[keyword].value), head + padded(value))
    assert changed != content
    instance = EncodedInstance(ExplicitVRLittleEndian, memoryview(changed))
    if good:
        assert value in vars(header_of(instance, where="it")).values()
        return
    with pytest.raises(InvalidInput, match=f"{keyword}.*no UID"):
        header_of(instance, where="it")


def test_an_identifier_of_a_megabyte_is_refused():
    image = b"\x08\x00\x18\x00" + struct.pack("<L", MIB) + b"1" * MIB
    with pytest.raises(ExceedsLimit, match="too long"):
        summarised(EncodedInstance(ImplicitVRLittleEndian, memoryview(image)), frozenset((0x00080018,)))


def test_only_wanted_elements_of_the_data_set_itself_are_kept():
    image = ct_image(0)
    image.ReferencedImageSequence = [Dataset()]
    image.ReferencedImageSequence[0].Modality = "PT"
    content = in_file_bytes(image, ExplicitVRLittleEndian)
    kept = summarised(EncodedInstance(ExplicitVRLittleEndian, content), frozenset((0x00080060,))).kept
    assert kept == b"\x08\x00\x60\x00CS\x02\x00CT"


def test_one_pass_inflates_once(monkeypatch):
    made = []
    real = zlib.decompressobj
    monkeypatch.setattr("dicom_node.inflating.zlib.decompressobj", lambda *a: made.append(a) or real(*a))
    image = ct_image(0)
    instance = EncodedInstance(DeflatedExplicitVRLittleEndian, in_file_bytes(image, DeflatedExplicitVRLittleEndian))
    assert header_of(instance, where="it").sop_instance_uid == image.SOPInstanceUID
    assert len(made) == 1


def test_the_limits_reach_the_header():
    image = ct_image(0, ImageComments="x" * 10000)
    content = in_file_bytes(image, DeflatedExplicitVRLittleEndian)
    instance = EncodedInstance(DeflatedExplicitVRLittleEndian, content)
    with pytest.raises(ExceedsLimit) as caught:
        header_of(instance, where="the instance", limits=InflateLimits(size=5000))
    assert caught.value.where == "the instance"
    assert caught.value.dimse_status == 0xC006


def test_the_file_meta_information_cannot_be_nested_deep_either():
    nested = b"\x02\x00\x02\x01SQ\0\0\xff\xff\xff\xff" + b"\xfe\xff\x00\xe0\xff\xff\xff\xff"
    with pytest.raises(ExceedsLimit):
        encoded_instance(bytes(128) + b"DICM" + nested * 1000)
