"""Encoded DICOM instances as bytes: where the data set begins, whether it is whole, and what names its content.

A file or message that was cut off often still parses, because readers stop at the end of what they are given. Here
every element's length is checked against the bytes that are there (PS3.5 section 7, PS3.10 section 7), without
decoding a value.
"""

import hashlib
import struct
import zlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pydicom.datadict import dictionary_VR
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, ImplicitVRLittleEndian

from tumorresp.domain.errors import NotDicom

_LONG_FORM = frozenset((b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"))
_SHORT_FORM = frozenset(
    (b"AE", b"AS", b"AT", b"CS", b"DA", b"DS", b"DT", b"FL", b"FD", b"IS", b"LO", b"LT", b"PN", b"SH", b"SL", b"SS")
) | frozenset((b"ST", b"TM", b"UI", b"UL", b"US"))
_UNDEFINED = 0xFFFFFFFF
_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
_PIXEL_DATA, _TRANSFER_SYNTAX_UID = 0x7FE00010, 0x00020010
_PREAMBLE = 132
_REMEDY = "Send or copy the instance again."


@dataclass(frozen=True, eq=False)
class EncodedInstance:
    """One instance as it is stored or was received.

    Parameters
    ----------
    data_set
        The encoded data set, without preamble and File Meta Information.
    """

    transfer_syntax_uid: str
    data_set: memoryview


def read_encoded(path: Path) -> EncodedInstance:
    """Read a Part 10 file.

    Raises
    ------
    NotDicom
        If it is no Part 10 file.
    """
    try:
        return encoded_instance(path.read_bytes())
    except NotDicom as error:
        raise NotDicom(error.message, where=path.name, remedy=error.remedy) from None


def encoded_instance(content: bytes) -> EncodedInstance:
    """Divide the bytes of a Part 10 file.

    Raises
    ------
    NotDicom
        If they are not those of a Part 10 file.
    """
    if content[_PREAMBLE - 4 : _PREAMBLE] != b"DICM":
        raise NotDicom("not a DICOM file: expected 'DICM' at byte 128.")
    view = memoryview(content)
    # The File Meta Information is always explicit VR little endian.
    walk = _Walk(view, explicit=True, order="<")
    position, transfer_syntax_uid = _PREAMBLE, ""
    while position < len(content):
        tag = walk.tag(position)
        if tag >> 16 != 0x0002:
            break
        end = walk.after_element(position)
        if tag == _TRANSFER_SYNTAX_UID:
            transfer_syntax_uid = content[position + 8 : end].rstrip(b"\0 ").decode("ascii", "replace")
        position = end
    if not transfer_syntax_uid:
        raise NotDicom("no Transfer Syntax UID (0002,0010) in the File Meta Information.", remedy=_REMEDY)
    return EncodedInstance(transfer_syntax_uid, view[position:])


def content_sha256(instance: EncodedInstance) -> str:
    """Check that every element of a data set is there to its end, and name the content.

    The name is the SHA-256 (hex) of all tags and values. It does not depend on what may differ between two copies of
    one instance that came by different ways: implicit or explicit VR, defined or undefined lengths of sequences and
    items, group lengths, the File Meta Information. Pixels compressed in another way are other content.

    Raises
    ------
    NotDicom
        If the data set is empty, cut off, or no sequence of data elements.
    """
    content = inflated(instance)
    if len(content) == 0:
        raise NotDicom("the data set is empty.", remedy=_REMEDY)
    walk = _Walk(
        content,
        explicit=instance.transfer_syntax_uid != ImplicitVRLittleEndian,
        order=">" if instance.transfer_syntax_uid == ExplicitVRBigEndian else "<",
    )
    position = 0
    try:
        while position < len(content):
            position = walk.after_element(position)
    except RecursionError:
        raise NotDicom("sequences are nested too deep.") from None
    return walk.hexdigest()


def inflated(instance: EncodedInstance) -> memoryview:
    """Return the encoded data set, decompressed if its transfer syntax is the deflated one.

    Raises
    ------
    NotDicom
        If it cannot be inflated.
    """
    if instance.transfer_syntax_uid != DeflatedExplicitVRLittleEndian:
        return instance.data_set
    try:
        return memoryview(zlib.decompress(instance.data_set, -zlib.MAX_WBITS))
    except zlib.error:
        raise NotDicom("the deflated data set cannot be inflated.", remedy=_REMEDY) from None


@cache
def _is_sequence(tag: int) -> bool:
    """Return whether the data dictionary knows a tag as a sequence; implicit VR does not say it."""
    try:
        return dictionary_VR(tag) == "SQ"
    except KeyError:
        return False


class _Walk:
    """Steps from element to element of an encoded data set, hashing what it passes."""

    def __init__(self, content: memoryview, *, explicit: bool, order: str) -> None:
        self._content = content
        self._explicit = explicit
        self._tag = struct.Struct(f"{order}HH")
        self._short = struct.Struct(f"{order}H")
        self._long = struct.Struct(f"{order}L")
        self._hash = hashlib.sha256()

    def hexdigest(self) -> str:
        return self._hash.hexdigest()

    def tag(self, position: int) -> int:
        group, element = self._unpack(self._tag, position)
        return group << 16 | element

    def after_element(self, position: int) -> int:
        """Hash the element that begins at ``position`` and return the offset behind it."""
        tag = self.tag(position)
        vr, length, begin = self._element_header(position)
        if length != _UNDEFINED:
            self._within(begin + length, position)
        if tag & 0xFFFF == 0:  # a group length says how the group was encoded, not what it holds
            return begin + length
        self._hash.update(struct.pack(">L", tag))
        if tag == _PIXEL_DATA and length == _UNDEFINED:
            return self._after_fragments(begin)
        if vr == b"SQ" or length == _UNDEFINED or (vr in (b"", b"UN") and _is_sequence(tag)):
            return self._after_sequence(begin, length, implicit=vr == b"UN")
        self._hash.update(struct.pack(">L", length))
        self._hash.update(self._content[begin : begin + length])
        return begin + length

    def _element_header(self, position: int) -> tuple[bytes, int, int]:
        """Return the VR (empty in implicit VR), the length and the offset of the value."""
        if not self._explicit:
            return b"", self._unpack(self._long, position + 4)[0], position + 8
        vr = bytes(self._content[position + 4 : position + 6])
        if vr in _SHORT_FORM:
            return vr, self._unpack(self._short, position + 6)[0], position + 8
        if vr in _LONG_FORM:
            return vr, self._unpack(self._long, position + 8)[0], position + 12
        raise NotDicom(f"no data element at byte {position} of the data set: garbage, or cut off.", remedy=_REMEDY)

    def _after_sequence(self, begin: int, length: int, *, implicit: bool) -> int:
        # PS3.5 section 6.2.2, note 4: a sequence written as UN is in implicit VR.
        explicit, self._explicit = self._explicit, self._explicit and not implicit
        end = None if length == _UNDEFINED else begin + length
        position = begin
        self._hash.update(b"sequence")
        while end is None or position < end:
            tag, item_length = self._item_header(position)
            position += 8
            if tag == _SEQUENCE_END:
                break
            self._hash.update(b"item")
            position = self._after_item(position, item_length)
        self._hash.update(b"end")
        self._explicit = explicit
        return position

    def _after_item(self, position: int, length: int) -> int:
        if length != _UNDEFINED:
            end = self._within(position + length, position)
            while position < end:
                position = self.after_element(position)
            return position
        while self.tag(position) != _ITEM_END:
            position = self.after_element(position)
        return position + 8

    def _after_fragments(self, position: int) -> int:
        """Pass compressed pixels: an offset table and fragments, each an item of bytes (PS3.5 annex A.4)."""
        while True:
            tag, length = self._item_header(position)
            position += 8
            if tag == _SEQUENCE_END:
                return position
            end = self._within(position + length, position)
            self._hash.update(struct.pack(">L", length))
            self._hash.update(self._content[position:end])
            position = end

    def _item_header(self, position: int) -> tuple[int, int]:
        tag = self.tag(position)
        if tag not in (_ITEM, _SEQUENCE_END):
            raise NotDicom(f"expected a sequence item at byte {position} of the data set.", remedy=_REMEDY)
        return tag, self._unpack(self._long, position + 4)[0]

    def _within(self, end: int, position: int) -> int:
        if end > len(self._content):
            raise NotDicom(
                f"cut off: the element at byte {position} of the data set needs {end - len(self._content)} bytes more.",
                remedy=_REMEDY,
            )
        return end

    def _unpack(self, form: struct.Struct, position: int) -> tuple[int, ...]:
        try:
            return form.unpack_from(self._content, position)
        except struct.error:
            raise NotDicom("cut off in the middle of a data element's header.", remedy=_REMEDY) from None
