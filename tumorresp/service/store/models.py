"""Tables of the index; all begin with ``tr_``, because DBOS keeps its own tables in the same SQLite file."""

import datetime
from typing import Any

from sqlalchemy import DateTime, Dialect, ForeignKey, Index, Text, TypeDecorator
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

TABLE_PREFIX = "tr_"


class UtcDateTime(TypeDecorator[datetime.datetime]):
    """An aware UTC datetime on every database; SQLite alone would drop the time zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime.datetime | None, _dialect: Dialect) -> datetime.datetime | None:
        """Refuse naive times and turn the others to UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("the store takes aware datetimes only")
        return value.astimezone(datetime.UTC)

    def process_result_value(self, value: Any, _dialect: Dialect) -> datetime.datetime | None:
        """Give back aware UTC times."""
        if value is None:
            return None
        read: datetime.datetime = value
        return read.replace(tzinfo=datetime.UTC) if read.tzinfo is None else read.astimezone(datetime.UTC)


class Base(DeclarativeBase):
    """Root of the tables."""

    type_annotation_map = {str: Text, datetime.datetime: UtcDateTime}  # noqa: RUF012  SQLAlchemy's own declaration


class InstanceRow(Base):
    """A received SOP instance."""

    __tablename__ = "tr_instance"

    sop_instance_uid: Mapped[str] = mapped_column(primary_key=True)
    # Deferred: whether an instance is new must be known before its series is touched.
    series_instance_uid: Mapped[str] = mapped_column(
        ForeignKey("tr_series.series_instance_uid", deferrable=True, initially="DEFERRED"), index=True
    )
    study_instance_uid: Mapped[str]
    sop_class_uid: Mapped[str]
    modality: Mapped[str]
    patient_id: Mapped[str]
    sha256: Mapped[str]
    path: Mapped[str]
    calling_ae: Mapped[str]
    received_at: Mapped[datetime.datetime]


class SeriesRow(Base):
    """A series and whether it is still being sent. ``subject_key`` may be another than its own PatientID's."""

    __tablename__ = "tr_series"

    series_instance_uid: Mapped[str] = mapped_column(primary_key=True)
    study_instance_uid: Mapped[str]
    modality: Mapped[str]
    subject_key: Mapped[str] = mapped_column(index=True)
    state: Mapped[str] = mapped_column(index=True)
    generation: Mapped[int]
    first_received_at: Mapped[datetime.datetime]
    last_received_at: Mapped[datetime.datetime]


class OtherPatientIdRow(Base):
    """Another Patient ID that a subject's images name, as a pseudonym."""

    __tablename__ = "tr_other_patient_id"

    other_key: Mapped[str] = mapped_column(primary_key=True)
    subject_key: Mapped[str] = mapped_column(primary_key=True, index=True)


class SubjectLinkRow(Base):
    """A subject that is the same person as another one."""

    __tablename__ = "tr_subject_link"

    subject_key: Mapped[str] = mapped_column(primary_key=True)
    same_as: Mapped[str]


class PatientDoubtRow(Base):
    """Two subjects that may be one person, and why they were not joined."""

    __tablename__ = "tr_patient_doubt"

    subject_key: Mapped[str] = mapped_column(primary_key=True)
    other_key: Mapped[str] = mapped_column(primary_key=True)
    why: Mapped[str]


class SubjectRow(Base):
    """A subject: the counter of its plannings, and the row that planners lock."""

    __tablename__ = "tr_subject"

    subject_key: Mapped[str] = mapped_column(primary_key=True)
    sequence: Mapped[int]


class EvaluationRow(Base):
    """An evaluation of a subject from inputs with one digest.

    ``tries`` counts runs that failed outside; ``stage_starts`` how often the present stage was begun, so that a stage
    that takes the process down with it is told from one that was merely interrupted.
    """

    __tablename__ = "tr_evaluation"

    subject_key: Mapped[str] = mapped_column(ForeignKey("tr_subject.subject_key"), primary_key=True)
    digest: Mapped[str] = mapped_column(primary_key=True)
    sequence: Mapped[int]
    run: Mapped[int]
    tries: Mapped[int]
    stage: Mapped[str]
    stage_starts: Mapped[int]
    state: Mapped[str] = mapped_column(index=True)
    planned_at: Mapped[datetime.datetime]
    finished_at: Mapped[datetime.datetime | None]
    next_attempt_at: Mapped[datetime.datetime | None]
    summary_json: Mapped[str]
    failure_code: Mapped[str | None]
    failure_message: Mapped[str | None]
    failure_where: Mapped[str | None]


class WaitingRow(Base):
    """Something of a subject that waits for other data."""

    __tablename__ = "tr_waiting"

    waiting_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    subject_key: Mapped[str] = mapped_column(index=True)
    code: Mapped[str]
    message: Mapped[str]
    place: Mapped[str]


class QuarantineRow(Base):
    """An input that could not be used; the key is derived from its content, so a repeated step adds nothing."""

    __tablename__ = "tr_quarantine"

    quarantine_id: Mapped[str] = mapped_column(primary_key=True)
    path: Mapped[str]
    code: Mapped[str]
    message: Mapped[str]
    place: Mapped[str]
    recorded_at: Mapped[datetime.datetime]


class GeneratedRow(Base):
    """An object that the pipeline made; ``sequence`` is the newest evaluation that contains it."""

    __tablename__ = "tr_generated"

    sop_instance_uid: Mapped[str] = mapped_column(primary_key=True)
    subject_key: Mapped[str] = mapped_column(index=True)
    kind: Mapped[str]
    path: Mapped[str]
    time_point_id: Mapped[str]
    sha256: Mapped[str]
    sequence: Mapped[int]
    created_at: Mapped[datetime.datetime]


class DeliveryRow(Base):
    """One object to one destination, until that has confirmed it. ``round_start``: attempts before this round."""

    __tablename__ = "tr_delivery"
    __table_args__ = (Index("ix_tr_delivery_state", "state"),)

    sop_instance_uid: Mapped[str] = mapped_column(ForeignKey("tr_generated.sop_instance_uid"), primary_key=True)
    destination: Mapped[str] = mapped_column(primary_key=True)
    state: Mapped[str]
    attempts: Mapped[int]
    round_start: Mapped[int]
    queued_at: Mapped[datetime.datetime]
    next_attempt_at: Mapped[datetime.datetime | None]
    confirmed_at: Mapped[datetime.datetime | None]
    error_code: Mapped[str | None]
    error_message: Mapped[str | None]
    error_where: Mapped[str | None]


class InstallationRow(Base):
    """The one data folder of all services of this database: its mark, and its path."""

    __tablename__ = "tr_installation"

    key: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    mark: Mapped[str]
    folder: Mapped[str]
