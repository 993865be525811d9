"""What goes into the store and what comes out of it: frozen values that know no database."""

import datetime
import json
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

PASSED_OVER = frozenset(
    (
        "document-rejected",
        "rejection-note",
        "document-replaced",
        "own-result",
        "image-rejected",
        "not-on-ct",
        "device-observer",
        "no-lesion",
        "nothing-measured",
        "not-measurable",
        "new-lesion-not-measurable",
        "other-object",
    )
)
"""Codes of what is said and waits for nothing."""


class ReceivedOutcome(StrEnum):
    """What became of a received instance."""

    NEW = "new"
    SAME = "same"
    CONFLICT = "conflict"


class SeriesState(StrEnum):
    """Whether a series is still being sent."""

    RECEIVING = "receiving"
    COMPLETE = "complete"


class EvaluationState(StrEnum):
    """How far an evaluation of a subject has come."""

    PLANNED = "planned"
    RUNNING = "running"
    RETRYING = "retrying"
    DONE = "done"
    FAILED = "failed"
    SUPERSEDED = "superseded"


class DeliveryState(StrEnum):
    """How far a delivery has come."""

    QUEUED = "queued"
    RETRYING = "retrying"
    CONFIRMED = "confirmed"
    FAILED = "failed"


@dataclass(frozen=True)
class ReceivedInstance:
    """A DICOM instance whose file is safely on disk (fsynced) and waits to be indexed."""

    sop_instance_uid: str
    sha256: str
    path: Path
    sop_class_uid: str
    modality: str
    study_instance_uid: str
    series_instance_uid: str
    patient_id: str
    calling_ae: str


@dataclass(frozen=True)
class InstanceRecord:
    """An indexed instance. ``subject_key`` is the subject its series is linked to."""

    sop_instance_uid: str
    sha256: str
    path: Path
    sop_class_uid: str
    modality: str
    study_instance_uid: str
    series_instance_uid: str
    patient_id: str
    subject_key: str
    calling_ae: str
    received_at: datetime.datetime


@dataclass(frozen=True)
class SeriesRecord:
    """An indexed series; ``generation`` counts how often data came after it was quiet (0 = never)."""

    series_instance_uid: str
    study_instance_uid: str
    modality: str
    subject_key: str
    state: SeriesState
    generation: int
    first_received_at: datetime.datetime
    last_received_at: datetime.datetime
    instances: int


@dataclass(frozen=True)
class EvaluationRun:
    """One run of one evaluation: the subject, the digest of its inputs and the run's number (from 1)."""

    subject_key: str
    digest: str
    run: int


@dataclass(frozen=True)
class Failure:
    """Why something failed, as told to people: stable code, words and place, never patient data."""

    code: str
    message: str
    where: str = ""


@dataclass(frozen=True)
class EvaluationRecord:
    """An evaluation of a subject; ``sequence`` grows with every planning, the highest is the newest.

    ``stage`` says in words how far a running one is.
    """

    subject_key: str
    digest: str
    sequence: int
    run: int
    state: EvaluationState
    planned_at: datetime.datetime
    finished_at: datetime.datetime | None
    next_attempt_at: datetime.datetime | None
    stage: str
    summary_json: str
    failure: Failure | None

    @property
    def deciding(self) -> tuple[str, ...]:
        """What was noticed that may have changed a response category, in sentences."""
        return tuple(json.loads(self.summary_json).get("deciding", ()))


@dataclass(frozen=True)
class WaitingItem:
    """Something of a subject that waits for other data, such as a measurement without its CT, or was passed over."""

    subject_key: str
    code: str
    message: str
    where: str = ""

    @property
    def waits(self) -> bool:
        """Whether something must come before this is settled."""
        return self.code not in PASSED_OVER


@dataclass(frozen=True)
class QuarantineRecord:
    """An input that could not be used, with the reason; the file stays where ``path`` says."""

    path: str
    code: str
    message: str
    where: str
    recorded_at: datetime.datetime


@dataclass(frozen=True)
class DeliveryRecord:
    """One object to one destination; ``attempts`` counts the tries made."""

    sop_instance_uid: str
    destination: str
    kind: str
    path: Path
    subject_key: str
    time_point_id: str
    state: DeliveryState
    attempts: int
    queued_at: datetime.datetime
    next_attempt_at: datetime.datetime | None
    confirmed_at: datetime.datetime | None
    last_error: Failure | None


@dataclass(frozen=True)
class Backoff:
    """Exponential back-off in seconds: ``first_s``, then ``factor`` times longer each time, at most ``longest_s``."""

    first_s: float = 10.0
    factor: float = 2.0
    longest_s: float = 3600.0
    attempts: int = 20

    def delay_s(self, tries: int) -> float | None:
        """Return the wait (s) after the ``tries``-th failed try (from 1), or None when that was the last."""
        if tries >= self.attempts:
            return None
        # A float power overflows long before an int does; past 64 doublings only the cap matters.
        return min(self.longest_s, self.first_s * self.factor ** min(tries - 1, 64))
