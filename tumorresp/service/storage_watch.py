"""Whether the disk takes what arrives: how much room there is, and what was turned away since it last did."""

import datetime
import shutil
import threading
from dataclasses import dataclass
from pathlib import Path

from tumorresp.domain.errors import OutOfResources, OutsideFailure

_MIB = 1 << 20
_FULL_MIB = 16
_LOW_MIB = 1024


@dataclass(frozen=True)
class StorageState:
    """Room in the data folder.

    Parameters
    ----------
    free_mib, total_mib
        Of its file system; None when it cannot be asked.
    is_full
        Whether nothing can be stored: hardly any room, or the last instance was turned away for want of it.
    turned_away
        Instances since the last one that was stored; their senders keep them.
    message
        What is wrong, in words; empty when nothing is.
    since
        When the first of them was turned away, in UTC.
    """

    free_mib: int | None
    total_mib: int | None
    is_full: bool
    turned_away: int
    message: str
    since: datetime.datetime | None


class StorageWatch:
    """Follows what becomes of received instances in one process; used from several threads.

    Parameters
    ----------
    folder
        The data folder.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._turned_away = 0
        self._last: OutsideFailure | None = None
        self._since: datetime.datetime | None = None

    def turned_away(self, failure: OutsideFailure) -> None:
        """Take note of an instance that could not be stored."""
        with self._lock:
            self._turned_away += 1
            self._last = failure
            self._since = self._since or datetime.datetime.now(datetime.UTC)

    def stored(self) -> None:
        """Take note of one that was stored: what failed before is over."""
        if self._last is not None:
            with self._lock:
                self._turned_away, self._last, self._since = 0, None, None

    def state(self) -> StorageState:
        """Return the state of now."""
        with self._lock:
            turned_away, last, since = self._turned_away, self._last, self._since
        try:
            usage = shutil.disk_usage(self._folder)
        except OSError as error:
            message = f"the data folder cannot be reached: {error.strerror or type(error).__name__}."
            return StorageState(None, None, False, turned_away, message, since)
        free_mib = usage.free // _MIB
        is_full = free_mib < _FULL_MIB or isinstance(last, OutOfResources)
        return StorageState(free_mib, usage.total // _MIB, is_full, turned_away, _words(free_mib, is_full, last), since)


def _words(free_mib: int, is_full: bool, last: OutsideFailure | None) -> str:
    if is_full:
        return "The disk is full: nothing can be stored. Free space on the file system of the data folder."
    if last is not None:
        return f"Instances cannot be stored: {last.message}"
    if free_mib < _LOW_MIB:
        return f"The disk is nearly full: {free_mib} MiB are free."
    return ""
