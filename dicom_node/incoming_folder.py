"""Received instances as files: whole on disk under their final name, or not there at all."""

import contextlib
import errno
import hashlib
import os
import tempfile
import time
from pathlib import Path

from dicom_node.instance_header import InstanceHeader
from tumorresp.domain.errors import OutOfResources, OutsideFailure

_FULL = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EFBIG))
_UNFINISHED = ".part"
# An association that is still writing a file after this long has been dropped long since.
_ABANDONED_S = 3600.0


class IncomingFolder:
    """Content-addressed files, ``<study>/<series>/<sha256>.dcm``; names are hashes of UIDs and hold no patient data.

    Parameters
    ----------
    folder
        Made when absent. Several processes may write into one folder.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def prepare(self) -> None:
        """Make the folder and delete what a process left unfinished when it was killed.

        Raises
        ------
        OutsideFailure
            If the folder cannot be made.
        """
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            for unfinished in self._folder.glob(f"*{_UNFINISHED}"):
                with contextlib.suppress(FileNotFoundError):
                    if time.time() - unfinished.stat().st_mtime > _ABANDONED_S:
                        unfinished.unlink()
        except OSError as error:
            raise _failure(error) from error

    def path_of(self, header: InstanceHeader) -> Path:
        """Return where an instance belongs, whether it is there or not."""
        study, series = (_short_hash(uid) for uid in (header.study_instance_uid, header.series_instance_uid))
        return self._folder / study / series / f"{header.sha256}.dcm"

    def write(self, header: InstanceHeader, content: bytes) -> Path:
        """Write a Part 10 file and return its path once it would survive a power cut.

        A file of the same content that is there already is left as it is.

        Raises
        ------
        OutOfResources
            If the disk or quota is full; nothing is left behind.
        OutsideFailure
            If the file cannot be written for another reason.
        """
        path = self.path_of(header)
        try:
            _make_folder(path.parent)
            if not path.exists():
                self._write_whole(path, content)
            _fsync_folder(path.parent)
        except OSError as error:
            raise _failure(error) from error
        return path

    def _write_whole(self, path: Path, content: bytes) -> None:
        descriptor, name = tempfile.mkstemp(suffix=_UNFINISHED, dir=self._folder)
        unfinished = Path(name)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            unfinished.replace(path)
        except BaseException:
            unfinished.unlink(missing_ok=True)
            raise


def _failure(error: OSError) -> OutsideFailure:
    if error.errno in _FULL:
        return OutOfResources("the disk is full.", where="incoming", remedy="Free space; the sender tries again.")
    reason = os.strerror(error.errno) if error.errno else type(error).__name__
    return OutsideFailure(f"a received file cannot be written: {reason}.", where="incoming")


def _make_folder(folder: Path) -> None:
    """Make a folder so that it, too, survives a power cut."""
    if folder.is_dir():
        return
    _make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    _fsync_folder(folder.parent)


def _fsync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _short_hash(uid: str) -> str:
    return hashlib.sha256(uid.encode()).hexdigest()[:16]
