"""The inputs of an evaluation without a service: files in folders, sorted by subject."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from tumorresp.domain.errors import TumorRespError
from tumorresp.domain.identity import pseudonym
from tumorresp.ports import ResultFile
from tumorresp.service.pipeline.inputs import InputFile, WaitingItem


@dataclass
class FolderIndex:
    """Files by subject, with what was refused and what waits; fills as the stations run.

    Parameters
    ----------
    doubts
        What waits of a subject before anything is read: who else may be the same person.
    subject_of_key
        The subject of each Patient ID's pseudonym; several IDs may be one person's.
    """

    files: dict[str, list[InputFile]] = field(default_factory=dict)
    waiting: dict[str, tuple[WaitingItem, ...]] = field(default_factory=dict)
    refused: dict[tuple[str, str], tuple[InputFile, TumorRespError]] = field(default_factory=dict)
    doubts: dict[str, list[WaitingItem]] = field(default_factory=dict)
    subject_of_key: dict[str, str] = field(default_factory=dict)

    def files_of_subject(self, subject_key: str) -> Sequence[InputFile]:
        """Return the subject's files."""
        return self.files.get(subject_key, [])

    def other_subject_with_images(self, patient_id: str, subject_key: str) -> bool:
        """Return whether images under a Patient ID are here as another subject's."""
        found = self.subject_of_key.get(pseudonym(patient_id), subject_key)
        return found != subject_key

    def reports_made(self, subject_key: str, time_point_ids: Sequence[str]) -> Sequence[ResultFile]:  # noqa: ARG002  the protocol's
        """Return nothing: no earlier evaluation is kept beside files."""
        return ()

    def record_waiting(self, subject_key: str, items: Sequence[WaitingItem]) -> None:
        """Replace what the subject waits for."""
        self.waiting[subject_key] = (*self.doubts.get(subject_key, ()), *items)

    def record_deciding(self, subject_key: str, sentences: Sequence[str]) -> None:
        """Keep nothing: the evaluation itself is at hand, and says it."""

    def quarantine(self, file: InputFile, error: TumorRespError) -> None:
        """Keep a file's reason for not being used, once."""
        self.refused[file.sha256, str(error)] = (file, error)
