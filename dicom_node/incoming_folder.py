"""Received instances as files: whole on disk under their final name, or not there at all.

What arrives goes to the disk piece by piece as it comes; how large it will be is not known before its end.
"""

import contextlib
import hashlib
import os
import tempfile
import time
import weakref
from pathlib import Path
from typing import BinaryIO

from dicom_node.instance_header import InstanceHeader
from tumorresp.domain.disk_failures import disk_failure

_UNFINISHED = ".part"
# An association that is still writing a file after this long has been dropped long since.
_ABANDONED_S = 3600.0
_BUFFER = 1 << 18


class IncomingFile:
    """A file that is being received; deleted with this object unless it was kept.

    Parameters
    ----------
    folder
        Where it lies until it is kept.
    """

    def __init__(self, folder: Path) -> None:
        self._failure: OSError | None = None
        self._file: BinaryIO | None = None
        try:
            descriptor, self.name = tempfile.mkstemp(suffix=_UNFINISHED, dir=folder)
        except OSError as error:
            self._failure, self.name = error, ""
            return
        self._file = os.fdopen(descriptor, "wb", buffering=_BUFFER)
        self._delete = weakref.finalize(self, _unlink, self.name)

    @property
    def path(self) -> Path:
        """Where it lies now."""
        return Path(self.name)

    def write(self, content: bytes) -> None:
        """Add bytes. A failure of the disk is told by `finish`: the rest of a message must come before its answer."""
        if self._file is not None and self._failure is None:
            try:
                self._file.write(content)
            except OSError as error:
                self._failure = error

    def finish(self) -> None:
        """Give everything to the operating system, so that it can be read.

        Raises
        ------
        OutOfResources
            If the disk or quota was full.
        OutsideFailure
            If it could not be written for another reason.
        """
        if self._failure is None and self._file is not None:
            try:
                self._file.flush()
            except OSError as error:
                self._failure = error
        if self._failure is not None:
            raise disk_failure(self._failure, "incoming") from self._failure

    def move_to(self, path: Path) -> None:
        """Put it under its final name, once it would survive a power cut there (raises `OSError`)."""
        if self._file is not None:
            os.fsync(self._file.fileno())
            self.path.replace(path)
            self._delete.detach()
        self.close()

    def close(self) -> None:
        """Close it; what was not kept is deleted."""
        if self._file is not None:
            with contextlib.suppress(OSError):  # a full disk was told by `finish`
                self._file.close()
            self._file = None
            self._delete()


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
            raise disk_failure(error, "incoming") from error

    def path_of(self, header: InstanceHeader) -> Path:
        """Return where an instance belongs, whether it is there or not."""
        study, series = (_short_hash(uid) for uid in (header.study_instance_uid, header.series_instance_uid))
        return self._folder / study / series / f"{header.sha256}.dcm"

    def begin(self) -> IncomingFile:
        """Begin to receive a file; a failure of the disk is told when it is finished."""
        return IncomingFile(self._folder)

    def keep(self, header: InstanceHeader, file: IncomingFile) -> Path:
        """Put a received Part 10 file where it belongs and return its path once it would survive a power cut.

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
                file.move_to(path)
            _fsync_folder(path.parent)
        except OSError as error:
            raise disk_failure(error, "incoming") from error
        finally:
            file.close()
        return path


def _unlink(name: str) -> None:
    with contextlib.suppress(OSError):
        Path(name).unlink()


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
