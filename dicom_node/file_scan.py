"""Folders and files that a user names, sorted into what they are; what cannot be used is listed with its reason."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from dicom_node.content_digest import is_same_content
from dicom_node.instance_header import InstanceHeader, read_header
from tumorresp.domain.errors import ConflictingInstance, InvalidInput, Missing, NotDicom, UnknownFormat
from tumorresp.ports import Progress

_DICOM_SUFFIXES = frozenset(("", ".dcm", ".dicom", ".ima"))
_HEAD_BYTES = 4096
_IGNORED_NAMES = frozenset(("DICOMDIR", "Thumbs.db"))


class FileKind(StrEnum):
    """What a file is to the evaluation."""

    CT = "ct"
    SR = "sr"
    RTSTRUCT = "rtstruct"
    SEG = "seg"
    KO = "ko"
    OTHER_DICOM = "other-dicom"
    AIM = "aim"
    CSV = "csv"
    JSON = "json"


_DICOM_KINDS = (FileKind.CT, FileKind.SR, FileKind.RTSTRUCT, FileKind.SEG, FileKind.KO)


@dataclass(frozen=True)
class ScannedFile:
    """A file of a known kind.

    Parameters
    ----------
    sha256
        Of the content; for DICOM the one of its header, for others of the bytes.
    header
        None for what is no DICOM.
    """

    path: Path
    kind: FileKind
    sha256: str
    header: InstanceHeader | None = None


@dataclass(frozen=True)
class RejectedFile:
    """A file that cannot be used, and why."""

    path: Path
    error: InvalidInput


@dataclass(frozen=True)
class ScanResult:
    """Everything that was found, in the order of the paths."""

    files: tuple[ScannedFile, ...]
    rejected: tuple[RejectedFile, ...]

    def of_kind(self, *kinds: FileKind) -> tuple[ScannedFile, ...]:
        """Return the files of some kinds."""
        return tuple(file for file in self.files if file.kind in kinds)

    def ct_series(self) -> dict[str, tuple[Path, ...]]:
        """Return the CT images by Series Instance UID."""
        series: dict[str, list[Path]] = {}
        for file in self.of_kind(FileKind.CT):
            if file.header is not None:
                series.setdefault(file.header.series_instance_uid, []).append(file.path)
        return {uid: tuple(paths) for uid, paths in series.items()}


def scan(paths: Sequence[Path], progress: Progress | None = None) -> ScanResult:
    """Look at files, and at folders with all that is below them.

    Hidden files and folders, ``DICOMDIR`` and links to folders are passed over. Of copies of an instance, compressed
    alike or not, the first is kept. Where files of one SOP Instance UID have different content none of them is used:
    either may be right, and the order of file names must not decide.

    Raises
    ------
    Missing
        If one of the paths does not exist.
    """
    candidates = list(dict.fromkeys(file for path in paths for file in _files_below(path)))
    files: list[ScannedFile] = []
    rejected: list[RejectedFile] = []
    for number, path in enumerate(candidates, start=1):
        if progress is not None:
            progress("Reading files", number, len(candidates))
        try:
            files.append(identify(path))
        except InvalidInput as error:
            rejected.append(RejectedFile(path, error))
        except OSError as error:
            reason = InvalidInput(f"the file cannot be read: {error.strerror}.", where=path.name)
            rejected.append(RejectedFile(path, reason))
    kept, conflicting = _one_an_instance(files)
    return ScanResult(tuple(kept), (*rejected, *conflicting))


def identify(path: Path) -> ScannedFile:
    """Say what a file is, by its content and, where that says nothing, its suffix.

    Raises
    ------
    NotDicom
        If it is an empty file, or a DICOM file that is cut off.
    InvalidInput
        If a DICOM file lacks one of the UIDs that identify it.
    UnknownFormat
        If it is of no kind that is used.
    """
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    if head[128:132] == b"DICM":
        header = read_header(path)
        return ScannedFile(path, _kind_of(header), header.sha256, header)
    suffix = path.suffix.lower()
    if not head or suffix in _DICOM_SUFFIXES or suffix[1:].isdigit():
        raise NotDicom(
            "the file is empty." if not head else "not a DICOM file: expected 'DICM' at byte 128.",
            where=path.name,
            remedy="Export or copy it again.",
        )
    kind = None
    if suffix == ".xml" and b"ImageAnnotation" in head:
        kind = FileKind.AIM
    elif suffix in (".csv", ".json"):
        kind = FileKind(suffix[1:])
    if kind is None:
        raise UnknownFormat("not a format that is read: expected DICOM, AIM (XML), CSV or JSON.", where=path.name)
    return ScannedFile(path, kind, hashlib.sha256(path.read_bytes()).hexdigest())


def _one_an_instance(files: Sequence[ScannedFile]) -> tuple[list[ScannedFile], list[RejectedFile]]:
    """Return the first of each instance's copies, and every file of an instance whose files differ."""
    different: dict[str, list[ScannedFile]] = {}
    for file in files:
        if file.header is not None:
            contents = different.setdefault(file.header.sop_instance_uid, [])
            if not any(_is_copy(held, file) for held in contents):
                contents.append(file)
    firsts = {id(contents[0]) for contents in different.values() if len(contents) == 1}
    kept = [file for file in files if file.header is None or id(file) in firsts]
    return kept, [
        _conflict(file, len(contents)) for contents in different.values() if len(contents) > 1 for file in contents
    ]


def _is_copy(held: ScannedFile, file: ScannedFile) -> bool:
    return held.sha256 == file.sha256 or is_same_content(held.path, file.path)


def _conflict(file: ScannedFile, count: int) -> RejectedFile:
    return RejectedFile(
        file.path,
        ConflictingInstance(
            f"{count} files have its SOP Instance UID and different content; none of them is used.",
            where=file.path.name,
            remedy="Remove those that are wrong.",
        ),
    )


def _kind_of(header: InstanceHeader) -> FileKind:
    try:
        kind = FileKind(header.modality.lower())
    except ValueError:
        return FileKind.OTHER_DICOM
    return kind if kind in _DICOM_KINDS else FileKind.OTHER_DICOM


def _files_below(path: Path) -> Iterator[Path]:
    """Yield a file, or the files of a folder in the order of their names."""
    if path.is_file():
        yield path
        return
    if not path.is_dir():
        raise Missing("there is no such file or folder.", where=path.name)
    for entry in sorted(path.iterdir()):
        if entry.name.startswith(".") or entry.name in _IGNORED_NAMES or (entry.is_symlink() and entry.is_dir()):
            continue
        if entry.is_dir() or entry.is_file():
            yield from _files_below(entry)
