"""The inputs of an evaluation without a service: files in folders, sorted by subject."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from tumorresp.domain.errors import TumorRespError
from tumorresp.service.pipeline.inputs import InputFile, WaitingItem


@dataclass
class FolderIndex:
    """Files by subject, with what was refused and what waits; fills as the stations run."""

    files: dict[str, list[InputFile]] = field(default_factory=dict)
    waiting: dict[str, tuple[WaitingItem, ...]] = field(default_factory=dict)
    refused: dict[tuple[str, str], tuple[InputFile, TumorRespError]] = field(default_factory=dict)

    def files_of_subject(self, subject_key: str) -> Sequence[InputFile]:
        """Return the subject's files."""
        return self.files.get(subject_key, [])

    def record_waiting(self, subject_key: str, items: Sequence[WaitingItem]) -> None:
        """Replace what the subject waits for."""
        self.waiting[subject_key] = tuple(items)

    def quarantine(self, file: InputFile, error: TumorRespError) -> None:
        """Keep a file's reason for not being used, once."""
        self.refused[file.sha256, str(error)] = (file, error)
