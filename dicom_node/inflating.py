"""Deflated data sets, inflated piece by piece and never beyond a limit (PS3.5 annex A.5, RFC 1951)."""

import contextlib
import io
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from tumorresp.domain.errors import ExceedsLimit, NotDicom

MIB = 1 << 20
_PIECE = 1 << 16
_CUT_OFF = "Send or copy the instance again."
_TOO_LARGE = "Send it in an uncompressed transfer syntax, or raise the limit if it is genuine."


@dataclass(frozen=True)
class InflateLimits:
    """How large a deflated data set may become.

    Parameters
    ----------
    size
        Bytes that it may have when it is inflated.
    ratio
        Inflated bytes for each stored one; a bomb has about a thousand. Empty masks have hundreds, so it counts only
        for what is larger than ``size_without_ratio``.
    size_without_ratio
        Bytes up to which the ratio does not matter.
    """

    size: int = 512 * MIB
    ratio: float = 100.0
    size_without_ratio: int = 32 * MIB


@contextlib.contextmanager
def inflating(stored: BinaryIO, limits: InflateLimits) -> Iterator[BinaryIO]:
    """Give a stream of the inflated bytes.

    Raises
    ------
    NotDicom
        By reading from it, if the bytes cannot be inflated or end too early.
    ExceedsLimit
        By reading from it, as soon as it becomes larger than the limits.
    """
    with io.BufferedReader(_Inflated(stored, limits), _PIECE) as stream:
        yield stream


class _Inflated(io.RawIOBase):
    def __init__(self, stored: BinaryIO, limits: InflateLimits) -> None:
        super().__init__()
        self._stored = stored
        self._limits = limits
        self._inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        self._read = 0
        self._given = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]  # any writable buffer
        while not self._inflater.eof:
            piece = self._inflater.unconsumed_tail or self._stored.read(_PIECE)
            if not piece:
                raise NotDicom("the deflated data set cannot be inflated: it is cut off.", remedy=_CUT_OFF)
            try:
                inflated = self._inflater.decompress(piece, len(buffer))
            except zlib.error:
                raise NotDicom("the deflated data set cannot be inflated.", remedy=_CUT_OFF) from None
            self._read += len(piece) - len(self._inflater.unconsumed_tail)
            if inflated:
                self._given += len(inflated)
                self._check()
                buffer[: len(inflated)] = inflated
                return len(inflated)
        return 0

    def _check(self) -> None:
        limits = self._limits
        if self._given > limits.size:
            raise ExceedsLimit(f"the data set inflates to more than {limits.size // MIB} MiB.", remedy=_TOO_LARGE)
        if self._given > limits.size_without_ratio and self._given > limits.ratio * self._read:
            raise ExceedsLimit(
                f"the data set inflates to more than {limits.ratio:g} times its size.",
                remedy=_TOO_LARGE,
            )
