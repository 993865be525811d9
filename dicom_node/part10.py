"""Encoded DICOM instances: where the data set begins, whether it is whole, and what names its content.

A file or message that was cut off often still parses, because readers stop at the end of what they are given. Here
every element's length is checked against the bytes that are there (PS3.5 section 7, PS3.10 section 7), without
decoding a value. The bytes are read in pieces, so that neither a stated length nor a small data set that inflates
to a huge one (PS3.5 annex A.5) takes memory.
"""

import contextlib
import hashlib
import io
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import BinaryIO

from pydicom.datadict import dictionary_VR
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, ImplicitVRLittleEndian

from dicom_node.inflating import InflateLimits, inflating
from tumorresp.domain.errors import ExceedsLimit, NotDicom

MAXIMUM_NESTING = 64
"""Sequences within sequences; SR and functional groups need about ten, and readers recurse some frames a level."""

MAXIMUM_ELEMENTS = 2_000_000
"""Data elements of one data set, those of its sequences too: a reader makes an object of half a kilobyte of each."""

_LONG_FORM = frozenset((b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"))
_SHORT_FORM = frozenset(
    (b"AE", b"AS", b"AT", b"CS", b"DA", b"DS", b"DT", b"FL", b"FD", b"IS", b"LO", b"LT", b"PN", b"SH", b"SL", b"SS")
) | frozenset((b"ST", b"TM", b"UI", b"UL", b"US"))
_UNDEFINED = 0xFFFFFFFF
_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
_PIXEL_DATA, _TRANSFER_SYNTAX_UID = 0x7FE00010, 0x00020010
_PREAMBLE = 132
_PIECE = 1 << 20
_LONGEST_KEPT_VALUE = 1 << 16
_REMEDY = "Send or copy the instance again."


@dataclass(frozen=True)
class FileSection:
    """A file from some byte on to its end, ``size`` bytes long."""

    path: Path
    offset: int
    size: int


@dataclass(frozen=True, eq=False)
class EncodedInstance:
    """One instance as it is stored or was received.

    Parameters
    ----------
    data_set
        The encoded data set, without preamble and File Meta Information.
    """

    transfer_syntax_uid: str
    data_set: memoryview | FileSection


@dataclass(frozen=True)
class ContentSummary:
    """What one pass over a data set tells.

    Parameters
    ----------
    sha256
        Name of the content, see `content_sha256`.
    kept
        The wanted elements of the data set itself (not of its sequences), encoded as they were, one after another.
    """

    sha256: str
    kept: bytes


def read_encoded(path: Path) -> EncodedInstance:
    """Read where the data set of a Part 10 file begins, and how it is encoded.

    Raises
    ------
    NotDicom
        If it is no Part 10 file.
    """
    with path.open("rb") as file:
        size = path.stat().st_size
        try:
            transfer_syntax_uid, offset = _file_meta(file, size)
        except NotDicom as error:
            raise type(error)(error.message, where=path.name, remedy=error.remedy) from None
    return EncodedInstance(transfer_syntax_uid, FileSection(path, offset, size - offset))


def encoded_instance(content: bytes) -> EncodedInstance:
    """Divide the bytes of a Part 10 file.

    Raises
    ------
    NotDicom
        If they are not those of a Part 10 file.
    """
    transfer_syntax_uid, offset = _file_meta(io.BytesIO(content), len(content))
    return EncodedInstance(transfer_syntax_uid, memoryview(content)[offset:])


def content_sha256(instance: EncodedInstance) -> str:
    """Check that every element of a data set is there to its end, and name the content.

    The name is the SHA-256 (hex) of all tags and values. It does not depend on what may differ between two copies of
    one instance that came by different ways: implicit or explicit VR, defined or undefined lengths of sequences and
    items, group lengths, the File Meta Information. Pixels compressed in another way are other content.

    Raises
    ------
    NotDicom
        If the data set is empty, cut off, or no sequence of data elements.
    ExceedsLimit
        If sequences are nested deeper than `MAXIMUM_NESTING`, or it inflates to more than the limits.
    """
    return summarised(instance).sha256


def summarised(
    instance: EncodedInstance,
    wanted: frozenset[int] = frozenset(),
    limits: InflateLimits | None = None,
    *,
    apart_from: frozenset[int] = frozenset(),
) -> ContentSummary:
    """Pass once over a data set: check it, name its content and keep the wanted elements (errors as there).

    Parameters
    ----------
    wanted
        Tags as numbers, ``group << 16 | element``.
    apart_from
        Tags of the data set itself that the name does not depend on.
    """
    size = instance.data_set.size if isinstance(instance.data_set, FileSection) else len(instance.data_set)
    deflated = instance.transfer_syntax_uid == DeflatedExplicitVRLittleEndian
    with _opened(instance) as stored, contextlib.ExitStack() as stack:
        stream = stack.enter_context(inflating(stored, limits or InflateLimits())) if deflated else stored
        walk = _Walk(
            stream,
            None if deflated else size,
            explicit=instance.transfer_syntax_uid != ImplicitVRLittleEndian,
            order=">" if instance.transfer_syntax_uid == ExplicitVRBigEndian else "<",
            wanted=wanted,
            apart_from=apart_from,
        )
        while (head := walk.head()) is not None:
            walk.element(head)
        if walk.position == 0:
            raise NotDicom("the data set is empty.", remedy=_REMEDY)
    return ContentSummary(walk.hexdigest(), walk.kept())


@contextlib.contextmanager
def _opened(instance: EncodedInstance) -> Iterator[BinaryIO]:
    if not isinstance(instance.data_set, FileSection):
        yield io.BytesIO(instance.data_set)
        return
    with instance.data_set.path.open("rb") as file:
        file.seek(instance.data_set.offset)
        yield file


def _file_meta(file: BinaryIO, size: int) -> tuple[str, int]:
    """Return the Transfer Syntax UID of a Part 10 file, and where its data set begins."""
    if file.read(_PREAMBLE)[-4:] != b"DICM" or size < _PREAMBLE:
        raise NotDicom("not a DICOM file: expected 'DICM' at byte 128.")
    # The File Meta Information is always explicit VR little endian.
    walk = _Walk(file, size, explicit=True, order="<", wanted=frozenset((_TRANSFER_SYNTAX_UID,)), position=_PREAMBLE)
    begin = _PREAMBLE
    while (head := walk.head()) is not None and walk.tag(head) >> 16 == 0x0002:
        walk.element(head)
        begin = walk.position
    transfer_syntax_uid = walk.kept()[8:].rstrip(b"\0 ").decode("ascii", "replace")
    if not transfer_syntax_uid:
        raise NotDicom("no Transfer Syntax UID (0002,0010) in the File Meta Information.", remedy=_REMEDY)
    return transfer_syntax_uid, begin


@cache
def _is_sequence(tag: int) -> bool:
    """Return whether the data dictionary knows a tag as a sequence; implicit VR does not say it."""
    try:
        return dictionary_VR(tag) == "SQ"
    except KeyError:
        return False


class _Walk:
    """Steps from element to element of an encoded data set, hashing what it passes.

    Parameters
    ----------
    size
        Where the stream ends, counted as `position` is; None when that is not known beforehand.
    """

    def __init__(
        self,
        stream: BinaryIO,
        size: int | None,
        *,
        explicit: bool,
        order: str,
        wanted: frozenset[int] = frozenset(),
        apart_from: frozenset[int] = frozenset(),
        position: int = 0,
    ) -> None:
        self._stream = stream
        self._size = size
        self._explicit = explicit
        self._tag = struct.Struct(f"{order}HH")
        self._short = struct.Struct(f"{order}H")
        self._long = struct.Struct(f"{order}L")
        self._hash = hashlib.sha256()
        self._wanted = wanted
        self._apart_from = apart_from
        self._kept: list[bytes] = []
        self._depth = 0
        self._count = 0
        self.position = position

    def hexdigest(self) -> str:
        return self._hash.hexdigest()

    def kept(self) -> bytes:
        return b"".join(self._kept)

    def tag(self, head: bytes) -> int:
        group, element = self._tag.unpack_from(head)
        return int(group) << 16 | int(element)

    def head(self) -> bytes | None:
        """Return the first eight bytes of the next element or item; None at the end of the stream."""
        head = self._stream.read(8)
        self.position += len(head)
        if not head:
            return None
        if len(head) < 8:
            raise NotDicom("cut off in the middle of a data element's header.", remedy=_REMEDY)
        return head

    def element(self, head: bytes) -> None:
        """Hash the element that begins with ``head``, unless it is one that the name does not depend on."""
        if self._depth == 0 and self.tag(head) in self._apart_from:
            named, self._hash = self._hash, hashlib.sha256()
            self._hashed_element(head)
            self._hash = named
        else:
            self._hashed_element(head)

    def _hashed_element(self, head: bytes) -> None:
        self._count += 1
        if self._count > MAXIMUM_ELEMENTS:
            raise ExceedsLimit(
                f"the data set has more than {MAXIMUM_ELEMENTS} elements.", remedy="Export it in several parts."
            )
        begin, tag = self.position - 8, self.tag(head)
        vr, length, head = self._element_header(head, begin)
        if length != _UNDEFINED:
            self._within(self.position + length, begin)
        if tag & 0xFFFF == 0:  # a group length says how the group was encoded, not what it holds
            self._pass(length, begin)
            return
        self._hash.update(struct.pack(">L", tag))
        if tag == _PIXEL_DATA and length == _UNDEFINED:
            self._fragments()
        elif vr == b"SQ" or length == _UNDEFINED or (vr in (b"", b"UN") and _is_sequence(tag)):
            self._sequence(length, implicit=vr == b"UN")
        else:
            self._hash.update(struct.pack(">L", length))
            if self._depth == 0 and tag in self._wanted:
                self._keep(head, length, begin)
            else:
                self._pass(length, begin, hashed=True)

    def _element_header(self, head: bytes, begin: int) -> tuple[bytes, int, bytes]:
        """Return the VR (empty in implicit VR), the length of the value, and all bytes before the value."""
        if not self._explicit:
            return b"", self._long.unpack_from(head, 4)[0], head
        vr = head[4:6]
        if vr in _SHORT_FORM:
            return vr, self._short.unpack_from(head, 6)[0], head
        if vr in _LONG_FORM:
            head += self._take(4, begin)
            return vr, self._long.unpack_from(head, 8)[0], head
        raise NotDicom(f"no data element at byte {begin} of the data set: garbage, or cut off.", remedy=_REMEDY)

    def _sequence(self, length: int, *, implicit: bool) -> None:
        if self._depth == MAXIMUM_NESTING:
            raise ExceedsLimit(
                f"sequences are nested too deep: more than {MAXIMUM_NESTING} within one another.",
                remedy="Export the instance without the innermost ones.",
            )
        self._depth += 1
        # PS3.5 section 6.2.2, note 4: a sequence written as UN is in implicit VR.
        explicit, self._explicit = self._explicit, self._explicit and not implicit
        end = None if length == _UNDEFINED else self.position + length
        self._hash.update(b"sequence")
        while end is None or self.position < end:
            tag, item_length = self._item_header()
            if tag == _SEQUENCE_END:
                break
            self._hash.update(b"item")
            self._item(item_length)
        self._hash.update(b"end")
        self._explicit = explicit
        self._depth -= 1

    def _item(self, length: int) -> None:
        end = None if length == _UNDEFINED else self._within(self.position + length, self.position)
        while end is None or self.position < end:
            head = self._required_head()
            if end is None and self.tag(head) == _ITEM_END:
                return
            self.element(head)

    def _fragments(self) -> None:
        """Pass compressed pixels: an offset table and fragments, each an item of bytes (PS3.5 annex A.4)."""
        while True:
            tag, length = self._item_header()
            if tag == _SEQUENCE_END:
                return
            begin = self.position
            self._within(begin + length, begin)
            self._hash.update(struct.pack(">L", length))
            self._pass(length, begin, hashed=True)

    def _item_header(self) -> tuple[int, int]:
        begin, head = self.position, self._required_head()
        tag = self.tag(head)
        if tag not in (_ITEM, _SEQUENCE_END):
            raise NotDicom(f"expected a sequence item at byte {begin} of the data set.", remedy=_REMEDY)
        return tag, self._long.unpack_from(head, 4)[0]

    def _required_head(self) -> bytes:
        head = self.head()
        if head is None:
            raise NotDicom("cut off in the middle of a sequence.", remedy=_REMEDY)
        return head

    def _keep(self, head: bytes, length: int, begin: int) -> None:
        if length > _LONGEST_KEPT_VALUE:
            raise ExceedsLimit(
                f"the element at byte {begin} of the data set is {length} bytes long: too long for an identifier.",
                remedy=_REMEDY,
            )
        value = self._take(length, begin)
        self._hash.update(value)
        self._kept.append(head + value)

    def _pass(self, length: int, begin: int, *, hashed: bool = False) -> None:
        while length > 0:
            piece = self._take(min(length, _PIECE), begin)
            length -= len(piece)
            if hashed:
                self._hash.update(piece)

    def _take(self, count: int, begin: int) -> bytes:
        piece = self._stream.read(count)
        self.position += len(piece)
        if len(piece) < count:
            raise NotDicom(f"cut off: the element at byte {begin} of the data set is not whole.", remedy=_REMEDY)
        return piece

    def _within(self, end: int, begin: int) -> int:
        if self._size is not None and end > self._size:
            raise NotDicom(
                f"cut off: the element at byte {begin} of the data set needs {end - self._size} bytes more.",
                remedy=_REMEDY,
            )
        return end
