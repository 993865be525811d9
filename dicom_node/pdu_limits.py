"""What a peer states in a protocol data unit, held against limits before the unit is read or decoded (PS3.8 9.3).

A decoder makes an object of each item, so that a few bytes of the peer's can cost us hundreds: the number of items is
bounded here, too, and not their lengths only.
"""

import struct
from dataclasses import dataclass

MIB = 1 << 20

ASSOCIATE_RQ, ASSOCIATE_AC, ASSOCIATE_RJ, P_DATA, RELEASE_RQ, RELEASE_RP, ABORT = range(1, 8)

HEADER = struct.Struct(">BxL")
"""Type and length of a protocol data unit."""

_ASSOCIATE_FIXED = 74
_MOST_CONTEXTS = 128  # identifiers are odd and at most 255
_MOST_TRANSFER_SYNTAXES = 128
_MOST_USER_ITEMS = 512  # role selection and extended negotiation: one of each for every context
_MOST_VALUES = 1024  # in one P-DATA; usual are one or two
_UID_LENGTH = 64
_APPLICATION_CONTEXT, _PRESENTATION_CONTEXTS, _USER_INFORMATION = 0x10, (0x20, 0x21), 0x50
_SYNTAXES = (0x30, 0x40)
_ITEM = struct.Struct(">BxH")


class RefusedPdu(Exception):
    """A protocol data unit that is not read further; its words name what the peer stated."""


@dataclass(frozen=True)
class PduLimits:
    """Longest protocol data units (bytes) that are read.

    Parameters
    ----------
    data
        P-DATA. Peers are told less, but some do not heed what they are told.
    association
        A-ASSOCIATE; the longest genuine ones, with 128 contexts of 40 transfer syntaxes, have 150 kB.
    other
        Release, abort and rejection, which have four bytes.
    """

    data: int = 16 * MIB
    association: int = MIB
    other: int = 64

    def check_header(self, kind: int, length: int) -> None:
        """Hold a stated length against the limits.

        Raises
        ------
        RefusedPdu
            If there is no such kind, or it is too long.
        """
        if not ASSOCIATE_RQ <= kind <= ABORT:
            raise RefusedPdu(f"there is no protocol data unit of type {kind}")
        longest = {ASSOCIATE_RQ: self.association, ASSOCIATE_AC: self.association, P_DATA: self.data}.get(
            kind, self.other
        )
        if length > longest:
            raise RefusedPdu(f"a protocol data unit of type {kind} states {length} bytes: at most {longest} are read")


def check_content(pdu: bytes | bytearray) -> None:
    """Hold the items of a whole protocol data unit against the limits, without decoding them.

    Raises
    ------
    RefusedPdu
        If items are cut off, too many, or have UIDs that are too long.
    """
    if pdu[0] in (ASSOCIATE_RQ, ASSOCIATE_AC):
        _check_association(memoryview(pdu))
    elif pdu[0] == P_DATA:
        _check_values(memoryview(pdu))


def _check_association(pdu: memoryview) -> None:
    if len(pdu) < _ASSOCIATE_FIXED:
        raise RefusedPdu("the association request is cut off")
    contexts = 0
    for kind, content in _items(pdu[_ASSOCIATE_FIXED:], _MOST_CONTEXTS + 16, "items"):
        if kind == _APPLICATION_CONTEXT:
            _check_uid(content)
        elif kind in _PRESENTATION_CONTEXTS:
            contexts += 1
            if contexts > _MOST_CONTEXTS:
                raise RefusedPdu(f"more than {_MOST_CONTEXTS} presentation contexts")
            for sub_kind, syntax in _items(content[4:], _MOST_TRANSFER_SYNTAXES + 1, "syntaxes in one context"):
                if sub_kind in _SYNTAXES:
                    _check_uid(syntax)
        elif kind == _USER_INFORMATION:
            for _ in _items(content, _MOST_USER_ITEMS, "items of user information"):
                pass


def _items(content: memoryview, most: int, name: str) -> list[tuple[int, memoryview]]:
    """Return type and content of the items that follow one another."""
    found: list[tuple[int, memoryview]] = []
    position = 0
    while position < len(content):
        if position + _ITEM.size > len(content):
            raise RefusedPdu("the association request is cut off within an item")
        kind, length = _ITEM.unpack_from(content, position)
        position += _ITEM.size
        if position + length > len(content):
            raise RefusedPdu("an item of the association request is longer than the request")
        found.append((kind, content[position : position + length]))
        if len(found) > most:
            raise RefusedPdu(f"more than {most} {name}")
        position += length
    return found


def _check_uid(content: memoryview) -> None:
    if len(bytes(content).rstrip(b"\0 ")) > _UID_LENGTH:
        raise RefusedPdu(f"a UID of more than {_UID_LENGTH} characters")


def _check_values(pdu: memoryview) -> None:
    position, count = HEADER.size, 0
    while position < len(pdu):
        if position + 4 > len(pdu):
            raise RefusedPdu("P-DATA is cut off")
        (length,) = struct.unpack_from(">L", pdu, position)
        position += 4 + length
        count += 1
        # The context's identifier and the control header are always there.
        if length < 2 or position > len(pdu) or count > _MOST_VALUES:
            raise RefusedPdu("P-DATA with values that are empty, cut off or too many")
