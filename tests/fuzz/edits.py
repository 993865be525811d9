"""Changes of encoded documents: at random, but where it hurts, and small enough to be read by a person."""

import random
import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass

# A short-form element of explicit VR little endian: its VR, its length and (by that) its value.
_ELEMENT = re.compile(rb"(?:AE|AS|CS|DA|DS|DT|IS|LO|LT|PN|SH|ST|TM|UI)([\x01-\xff][\0-\x07])", re.DOTALL)
_QUOTED = re.compile(rb'"([^"<>]*)"')
_TOKENS = (
    *(b"", b"0", b"-1", b"1", b"nan", b"inf", b"-inf", b"1e308", b"-1e308", b"1e-320", b"9" * 40, b"0x10", b"1_0"),
    *(b"\\", b"\\\\\\", b"1\\2", b"1\\2\\3\\4\\5", b"\xff\xfe", b"\0\0", b"  ", b"CT", b"SR", b"POINT", b"POLYLINE"),
    *(b"CIRCLE", b"mm", b"cm", b"19000101", b"99999999", b"1.2.3", b"..", b"\xc3\xa9", b"ISO 2022 IR 87", b"null"),
)
_LENGTHS = (0, 1, 2, 4, 0xFF, 0xFFFE, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF)

KINDS = ("flip", "write", "length", "cut", "delete", "repeat", "swap", "value", "quoted", "nest")


@dataclass(frozen=True)
class Edit:
    """One change.

    Parameters
    ----------
    kind
        One of `KINDS`.
    at
        Where: a part of the document's length, 0 to 1.
    choice
        Which token, length or byte.
    size
        Over how many bytes.
    """

    kind: str
    at: float
    choice: int
    size: int


def random_edits(source: random.Random) -> list[Edit]:
    """Return one to six changes."""
    return [
        Edit(source.choice(KINDS), source.random(), source.randrange(1 << 16), 1 << source.randrange(11))
        for _ in range(source.randint(1, 6))
    ]


def edited(content: bytes, edits: Sequence[Edit]) -> bytes:
    """Return a document with its changes made one after another."""
    for edit in edits:
        content = _edited(content, edit)
    return content


def _edited(content: bytes, edit: Edit) -> bytes:
    at = int(edit.at * max(len(content) - 1, 0))
    token = _TOKENS[edit.choice % len(_TOKENS)]
    match edit.kind:
        case "flip":
            flipped = bytes(byte ^ (1 << edit.choice % 8) for byte in content[at : at + 1])
            return content[:at] + flipped + content[at + 1 :]
        case "write":
            return content[:at] + token + content[at + len(token) :]
        case "length":
            length = struct.pack("<L", _LENGTHS[edit.choice % len(_LENGTHS)])
            return content[:at] + length + content[at + 4 :]
        case "cut":
            return content[:at]
        case "delete":
            return content[:at] + content[at + edit.size :]
        case "repeat":
            return content[:at] + content[at : at + edit.size] * (2 + edit.choice % 30) + content[at + edit.size :]
        case "swap":
            return content[:at] + content[at : at + 2 * edit.size][::-1] + content[at + 2 * edit.size :]
        case "value":
            return _with_value(content, edit.at, token)
        case "quoted":
            return _with_quoted(content, edit.at, token)
        case _:
            return content[:at] + _sequences(edit.choice % 400, explicit=edit.size % 2 == 0) + content[at:]


def _with_value(content: bytes, where: float, token: bytes) -> bytes:
    """Replace the value of a short DICOM element; its length stays, so that what follows is read as before."""
    found = [match for match in _ELEMENT.finditer(content) if match.end() + _size(match) <= len(content)]
    if not found:
        return content
    match = found[int(where * (len(found) - 1))]
    size = _size(match)
    return content[: match.end()] + token.ljust(size, b" ")[:size] + content[match.end() + size :]


def _size(match: re.Match[bytes]) -> int:
    return int.from_bytes(match.group(1), "little")


def _with_quoted(content: bytes, where: float, token: bytes) -> bytes:
    """Replace a quoted value of an XML or JSON document."""
    found = list(_QUOTED.finditer(content))
    if not found:
        return content
    match = found[int(where * (len(found) - 1))]
    return content[: match.start(1)] + token + content[match.end(1) :]


def _sequences(depth: int, *, explicit: bool) -> bytes:
    """Begin so many sequences within one another."""
    element = b"\x40\x00\x30\xa7" + (b"SQ\0\0" if explicit else b"") + b"\xff" * 4
    return (element + b"\xfe\xff\x00\xe0" + b"\xff" * 4) * depth
