"""Encoded DICOM instances as bytes: where the data set begins, and whether it is whole.

A file or message that was cut off often still parses, because readers stop at the end of what they are given. Here
every element's length is checked against the bytes that are there (PS3.5 section 7, PS3.10 section 7), without
decoding a value.
"""

import hashlib
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, ImplicitVRLittleEndian

from tumorresp.domain.errors import NotDicom

_LONG_FORM = frozenset((b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"))
_SHORT_FORM = frozenset(
    (b"AE", b"AS", b"AT", b"CS", b"DA", b"DS", b"DT", b"FL", b"FD", b"IS", b"LO", b"LT", b"PN", b"SH", b"SL", b"SS")
) | frozenset((b"ST", b"TM", b"UI", b"UL", b"US"))
_UNDEFINED = 0xFFFFFFFF
_ITEM_GROUP, _ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFE, 0xE000, 0xE00D, 0xE0DD
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

    @property
    def sha256(self) -> str:
        """SHA-256 (hex) of the encoded data set: the same for a file and for the message that it came in."""
        return hashlib.sha256(self.data_set).hexdigest()


def read_encoded(path: Path) -> EncodedInstance:
    """Read a Part 10 file and check that it is whole.

    Raises
    ------
    NotDicom
        If it is no Part 10 file, or cut off.
    """
    content = memoryview(path.read_bytes())
    if bytes(content[_PREAMBLE - 4 : _PREAMBLE]) != b"DICM":
        raise NotDicom("not a DICOM file: expected 'DICM' at byte 128.", where=path.name)
    try:
        end, transfer_syntax_uid = _file_meta(content)
        instance = EncodedInstance(transfer_syntax_uid, content[end:])
        check_whole(instance)
    except NotDicom as error:
        raise NotDicom(error.message, where=path.name, remedy=error.remedy) from None
    return instance


def check_whole(instance: EncodedInstance) -> None:
    """Check that every element of a data set is there to its end.

    Raises
    ------
    NotDicom
        If the data set is empty, cut off, or no sequence of data elements.
    """
    content = inflated(instance)
    walk = _Walk(
        content,
        explicit=instance.transfer_syntax_uid != ImplicitVRLittleEndian,
        order=">" if instance.transfer_syntax_uid == ExplicitVRBigEndian else "<",
    )
    if len(content) == 0:
        raise NotDicom("the data set is empty.", remedy=_REMEDY)
    position = 0
    while position < len(content):
        position = walk.after_element(position)


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


def _file_meta(content: memoryview) -> tuple[int, str]:
    """Return the offset of the data set and the transfer syntax; group 2 is always explicit little endian."""
    walk = _Walk(content, explicit=True, order="<")
    position, transfer_syntax_uid = _PREAMBLE, ""
    while position < len(content) and walk.tag(position)[0] == 0x0002:
        end = walk.after_element(position)
        if walk.tag(position) == (0x0002, 0x0010):
            transfer_syntax_uid = bytes(content[position + 8 : end]).rstrip(b"\0 ").decode("ascii", "replace")
        position = end
    if not transfer_syntax_uid:
        raise NotDicom("no Transfer Syntax UID (0002,0010) in the File Meta Information.", remedy=_REMEDY)
    return position, transfer_syntax_uid


class _Walk:
    """Steps from element to element of an encoded data set."""

    def __init__(self, content: memoryview, *, explicit: bool, order: str) -> None:
        self._content = content
        self._explicit = explicit
        self._order = order
        self._tag = struct.Struct(f"{order}HH")
        self._short = struct.Struct(f"{order}H")
        self._long = struct.Struct(f"{order}L")

    def tag(self, position: int) -> tuple[int, int]:
        group, element = self._unpack(self._tag, position)
        return group, element

    def after_element(self, position: int) -> int:
        """Return the offset behind the element that begins at ``position``."""
        value_representation, length, begin = self._element_header(position)
        if length != _UNDEFINED:
            return self._within(begin + length, position)
        if value_representation == b"UN" and self._explicit:
            # PS3.5 section 6.2.2, note 4: a UN of undefined length is a sequence in implicit VR little endian.
            return _Walk(self._content, explicit=False, order="<").after_items(begin)
        return self.after_items(begin)

    def _element_header(self, position: int) -> tuple[bytes, int, int]:
        """Return the VR (empty in implicit VR), the length and the offset of the value."""
        if not self._explicit:
            return b"", self._unpack(self._long, position + 4)[0], position + 8
        value_representation = bytes(self._content[position + 4 : position + 6])
        if value_representation in _SHORT_FORM:
            return value_representation, self._unpack(self._short, position + 6)[0], position + 8
        if value_representation in _LONG_FORM:
            return value_representation, self._unpack(self._long, position + 8)[0], position + 12
        raise NotDicom(f"no data element at byte {position} of the data set: garbage, or cut off.", remedy=_REMEDY)

    def after_items(self, position: int) -> int:
        """Return the offset behind the Sequence Delimitation Item, which ends both sequences and pixel fragments."""
        while True:
            group, element = self.tag(position)
            length = self._unpack(self._long, position + 4)[0]
            if (group, element) == (_ITEM_GROUP, _SEQUENCE_END):
                return position + 8
            if (group, element) != (_ITEM_GROUP, _ITEM):
                raise NotDicom(f"expected a sequence item at byte {position} of the data set.", remedy=_REMEDY)
            if length == _UNDEFINED:
                position = self._after_open_item(position + 8)
            else:
                position = self._within(position + 8 + length, position)

    def _after_open_item(self, position: int) -> int:
        while self.tag(position) != (_ITEM_GROUP, _ITEM_END):
            position = self.after_element(position)
        return position + 8

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
