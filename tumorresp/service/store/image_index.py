"""The index of received instances, and which series are still being sent."""

import datetime
from pathlib import Path

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from tumorresp.domain.identity import pseudonym
from tumorresp.service.store.concerns import ConcernLedger
from tumorresp.service.store.models import InstanceRow, SeriesRow
from tumorresp.service.store.records import (
    Failure,
    InstanceRecord,
    ReceivedInstance,
    ReceivedOutcome,
    SeriesRecord,
    SeriesState,
)
from tumorresp.service.store.workflow_queue import settle_order


class ImageIndex(ConcernLedger):
    """Instances, series and the subjects that they are linked to."""

    def index_received(self, instance: ReceivedInstance) -> ReceivedOutcome:
        """Index an instance and order the wait for its series to be quiet, in one transaction.

        The file must be fsynced before; when this returns NEW or SAME the peer may be answered Success.

        Returns
        -------
        NEW
            It is indexed now.
        SAME
            It was held already, byte for byte.
        CONFLICT
            The UID is held with other content, or its series is another patient's; this file is recorded in quarantine,
            what was held stays valid.

        Raises
        ------
        OutOfResources
            If the database is full; nothing is indexed and the sender must keep its copy.
        OutsideFailure
            If the database cannot be reached; nothing is indexed.
        """
        now = self._clock()
        with self._database.write() as session:
            if self._is_of_another_patient(session, instance):
                self._record_foreign(session, instance)
                return ReceivedOutcome.CONFLICT
            if not self._insert_instance(session, instance, now):
                held = session.get_one(InstanceRow, instance.sop_instance_uid)
                if held.sha256 != instance.sha256:
                    self._record_conflict(session, held, instance)
                    return ReceivedOutcome.CONFLICT
                series = _locked_series(session, held.series_instance_uid)
                if series.state == SeriesState.RECEIVING:
                    series.last_received_at = now  # the sender is still at it
                return ReceivedOutcome.SAME
            self._touch_series(session, instance, now)
        return ReceivedOutcome.NEW

    def find_instance(self, sop_instance_uid: str) -> InstanceRecord | None:
        """Return an instance by its UID, or None."""
        with self._database.read() as session:
            found = session.execute(_instances().where(InstanceRow.sop_instance_uid == sop_instance_uid)).one_or_none()
        return None if found is None else _instance_record(*found)

    def instances_of_subject(self, subject_key: str) -> tuple[InstanceRecord, ...]:
        """Return all instances of the series linked to a subject, in the order of their UIDs."""
        with self._database.read() as session:
            rows = session.execute(_instances().where(SeriesRow.subject_key == subject_key)).all()
        return tuple(_instance_record(*row) for row in rows)

    def instances_of_series(self, series_instance_uid: str) -> tuple[InstanceRecord, ...]:
        """Return the instances of a series in the order of their UIDs."""
        with self._database.read() as session:
            rows = session.execute(_instances().where(SeriesRow.series_instance_uid == series_instance_uid)).all()
        return tuple(_instance_record(*row) for row in rows)

    def series_of_subject(self, subject_key: str) -> tuple[SeriesRecord, ...]:
        """Return the series linked to a subject, the first received first."""
        counted = select(func.count()).where(InstanceRow.series_instance_uid == SeriesRow.series_instance_uid)
        query = (
            select(SeriesRow, counted.scalar_subquery())
            .where(SeriesRow.subject_key == subject_key)
            .order_by(SeriesRow.first_received_at, SeriesRow.series_instance_uid)
        )
        with self._database.read() as session:
            return tuple(_series_record(*row) for row in session.execute(query).all())

    def subjects(self) -> tuple[str, ...]:
        """Return the keys of all subjects that have images or reports, sorted."""
        with self._database.read() as session:
            return tuple(session.scalars(select(SeriesRow.subject_key).distinct().order_by(SeriesRow.subject_key)))

    def link_series_to_subject(self, series_instance_uid: str, subject_key: str) -> None:
        """Count a series (an SR under another PatientID, say) as one of a subject's; linking twice is harmless.

        A subject that has been joined with another meanwhile stands for that one. What the former subject was waiting
        for is forgotten when no series is left to it.
        """
        with self._database.write() as session:
            series = _locked_series(session, series_instance_uid)
            former, series.subject_key = series.subject_key, self._joined_into(session, subject_key)
            session.flush()
            if not session.scalar(select(func.count()).where(SeriesRow.subject_key == former)):
                self._replace_waiting(session, former, ())

    def _insert_instance(self, session: Session, instance: ReceivedInstance, now: datetime.datetime) -> bool:
        return self._database.insert_if_absent(
            session,
            InstanceRow,
            sop_instance_uid=instance.sop_instance_uid,
            series_instance_uid=instance.series_instance_uid,
            study_instance_uid=instance.study_instance_uid,
            sop_class_uid=instance.sop_class_uid,
            modality=instance.modality,
            patient_id=instance.patient_id,
            sha256=instance.sha256,
            path=str(instance.path),
            calling_ae=instance.calling_ae,
            received_at=now,
        )

    def _touch_series(self, session: Session, instance: ReceivedInstance, now: datetime.datetime) -> None:
        uid = instance.series_instance_uid
        is_new = self._database.insert_if_absent(
            session,
            SeriesRow,
            series_instance_uid=uid,
            study_instance_uid=instance.study_instance_uid,
            modality=instance.modality,
            subject_key=pseudonym(instance.patient_id),
            state=SeriesState.RECEIVING,
            generation=0,
            first_received_at=now,
            last_received_at=now,
        )
        series = _locked_series(session, uid)
        series.last_received_at = max(now, series.last_received_at)
        if series.state != SeriesState.RECEIVING:
            series.state = SeriesState.RECEIVING
            series.generation += 1
            is_new = True
        if is_new:
            self._workflows.enqueue(session, settle_order(uid, series.generation, 0))

    def _is_of_another_patient(self, session: Session, instance: ReceivedInstance) -> bool:
        """Return whether a new instance's series holds another Patient ID's instances already."""
        query = select(InstanceRow.patient_id).where(
            InstanceRow.series_instance_uid == instance.series_instance_uid,
            InstanceRow.sop_instance_uid != instance.sop_instance_uid,
        )
        held = session.scalar(query.limit(1))
        is_known = session.get(InstanceRow, instance.sop_instance_uid) is not None
        return held is not None and held != instance.patient_id and not is_known

    def _record_foreign(self, session: Session, received: ReceivedInstance) -> None:
        words = (
            f"received from {received.calling_ae or 'an unnamed peer'} under another Patient ID than the rest of its "
            "series: two patients share one Series Instance UID, or the ID was changed while the series was sent"
        )
        failure = Failure("conflicting-instance", words, f"SOP Instance UID {received.sop_instance_uid}")
        self._quarantine(session, received.path, failure)

    def _record_conflict(self, session: Session, held: InstanceRow, received: ReceivedInstance) -> None:
        failure = Failure(
            "conflicting-instance",
            f"received again from {received.calling_ae or 'an unnamed peer'} with other content (SHA-256 "
            f"{received.sha256[:16]}, held {held.sha256[:16]}); the content that came first stays valid",
            f"SOP Instance UID {received.sop_instance_uid}",
        )
        self._quarantine(session, received.path, failure)


def _instances() -> Select[InstanceRow, str]:
    return (
        select(InstanceRow, SeriesRow.subject_key)
        .join(SeriesRow, SeriesRow.series_instance_uid == InstanceRow.series_instance_uid)
        .order_by(InstanceRow.sop_instance_uid)
    )


def _locked_series(session: Session, series_instance_uid: str) -> SeriesRow:
    return session.get_one(SeriesRow, series_instance_uid, with_for_update=True)


def _instance_record(row: InstanceRow, subject_key: str) -> InstanceRecord:
    return InstanceRecord(
        sop_instance_uid=row.sop_instance_uid,
        sha256=row.sha256,
        path=Path(row.path),
        sop_class_uid=row.sop_class_uid,
        modality=row.modality,
        study_instance_uid=row.study_instance_uid,
        series_instance_uid=row.series_instance_uid,
        patient_id=row.patient_id,
        subject_key=subject_key,
        calling_ae=row.calling_ae,
        received_at=row.received_at,
    )


def _series_record(row: SeriesRow, instances: int) -> SeriesRecord:
    return SeriesRecord(
        series_instance_uid=row.series_instance_uid,
        study_instance_uid=row.study_instance_uid,
        modality=row.modality,
        subject_key=row.subject_key,
        state=SeriesState(row.state),
        generation=row.generation,
        first_received_at=row.first_received_at,
        last_received_at=row.last_received_at,
        instances=instances,
    )
