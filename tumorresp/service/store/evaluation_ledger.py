"""When a series is complete, which evaluation of a subject is the newest, and what came of it."""

import datetime
from collections.abc import Iterable, Sequence
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tumorresp.domain.identity import digest, pseudonym
from tumorresp.ports import ResultFile
from tumorresp.service.store.ledger import Ledger
from tumorresp.service.store.models import DeliveryRow, EvaluationRow, GeneratedRow, InstanceRow, SeriesRow
from tumorresp.service.store.records import (
    Backoff,
    DeliveryState,
    EvaluationRecord,
    EvaluationRun,
    EvaluationState,
    Failure,
    SeriesState,
)
from tumorresp.service.store.workflow_queue import evaluate_order, send_order, settle_order

_UNDER_WAY = (EvaluationState.PLANNED, EvaluationState.RUNNING, EvaluationState.RETRYING)
# How soon (s) to look again at a series that could not be read.
_LOOK_AGAIN_S = 5.0


class EvaluationLedger(Ledger):
    """Plans evaluations and keeps their results; every method may be repeated without harm."""

    def seconds_until_quiet(
        self, series_uid: str, generation: int, quiet_seconds: float, listening_since: datetime.datetime
    ) -> float | None:
        """Return how long (s) a series must stay without news to be complete; 0 now; None if it is settled already.

        Time in which nobody listened (before ``listening_since``, aware) is no silence of the sender.
        """
        with self._database.read() as session:
            series = session.get_one(SeriesRow, series_uid)
            if series.state != SeriesState.RECEIVING or series.generation != generation:
                return None
            return self._silence_still_due_s(series, quiet_seconds, listening_since)

    def settle_series(
        self,
        look: tuple[str, int, int],
        quiet_seconds: float,
        listening_since: datetime.datetime,
        subject_keys: Iterable[str] | None,
        settings_digest: str,
    ) -> None:
        """Mark a quiet series complete and plan its subjects, or order the next look, in one transaction.

        Parameters
        ----------
        look
            Series Instance UID, generation and number of this look.
        quiet_seconds, listening_since
            As in `seconds_until_quiet`.
        subject_keys
            Subjects that the series is about; the one of its own PatientID is always looked at, too. None when that
            has not been found out, as the series was not quiet yet or could not be read: then there is another look
            in any case.
        settings_digest
            Digest of all settings that change results.
        """
        series_uid, generation, n = look
        with self._database.write() as session:
            series = session.get_one(SeriesRow, series_uid, with_for_update=True)
            if series.state != SeriesState.RECEIVING or series.generation != generation:
                return
            due_s = self._silence_still_due_s(series, quiet_seconds, listening_since)
            if due_s > 0 or subject_keys is None:
                self._workflows.enqueue(session, settle_order(series_uid, generation, n + 1, due_s or _LOOK_AGAIN_S))
                return
            series.state = SeriesState.COMPLETE
            session.flush()
            patients = session.scalars(
                select(InstanceRow.patient_id).where(InstanceRow.series_instance_uid == series_uid).distinct()
            )
            # Sorted, so that two planners never wait for each other.
            for key in sorted({series.subject_key, *subject_keys, *(pseudonym(patient) for patient in patients)}):
                self._plan(session, key, settings_digest, again=False)

    def plan_again(self, subject_key: str, settings_digest: str) -> bool:
        """Evaluate a subject again although its data are the same; False when series are incomplete or absent."""
        with self._database.write() as session:
            return self._plan(session, subject_key, settings_digest, again=True)

    def enter_stage(self, run: EvaluationRun, stage: str) -> int | None:
        """Record that a run begins a stage.

        Returns
        -------
        int or None
            How often the run began this stage, this time included; None when the run is no longer wanted because
            a newer one is planned or a series of the subject is being received.
        """
        with self._database.write() as session:
            row = self._current(session, run)
            if row is None:
                return None
            row.stage_starts = row.stage_starts + 1 if row.stage == stage else 1
            row.state, row.stage = EvaluationState.RUNNING, stage
            return row.stage_starts

    def record_summary(self, subject_key: str, summary_json: str) -> None:
        """Keep a summary (JSON) of the results of the subject's running evaluation, for status and pages."""
        query = (
            select(EvaluationRow)
            .where(EvaluationRow.subject_key == subject_key, EvaluationRow.state == EvaluationState.RUNNING)
            .order_by(EvaluationRow.sequence.desc())
            .limit(1)
        )
        with self._database.write() as session:
            row = session.scalar(query)
            if row is not None:
                row.summary_json = summary_json

    def record_results(self, run: EvaluationRun, results: Sequence[ResultFile], destinations: Sequence[str]) -> bool:
        """Record a run's objects and order the delivery of each to each destination, in one transaction.

        What is recorded already is not ordered again; files that are no DICOM objects are left out. Returns False,
        recording nothing, when the run is superseded.
        """
        now = self._clock()
        with self._database.write() as session:
            row = self._current(session, run, repeated=True)
            if row is None:
                return False
            if row.state == EvaluationState.DONE:
                return True
            for made in results:
                if not made.sop_instance_uid:
                    continue
                self._record_object(session, row, made, now)
                for destination in destinations:
                    self._order_delivery(session, made.sop_instance_uid, destination, now)
            row.state, row.finished_at, row.next_attempt_at, row.stage = EvaluationState.DONE, now, None, ""
            _set_failure(row, None)
        return True

    def fail_evaluation(self, run: EvaluationRun, failure: Failure) -> None:
        """Record why a run failed for good."""
        with self._database.write() as session:
            row = self._current(session, run)
            if row is not None:
                self._give_up(row, failure)

    def retry_evaluation(self, run: EvaluationRun, failure: Failure, backoff: Backoff) -> None:
        """Order another, delayed run after a failure outside; after the last try the evaluation has failed."""
        with self._database.write() as session:
            row = self._current(session, run)
            if row is None:
                return
            row.tries += 1
            delay_s = backoff.delay_s(row.tries)
            if delay_s is None:
                self._give_up(row, failure)
                return
            row.run += 1
            row.state, row.stage_starts = EvaluationState.RETRYING, 0
            row.next_attempt_at = self._clock() + datetime.timedelta(seconds=delay_s)
            _set_failure(row, failure)
            self._workflows.enqueue(session, evaluate_order(row.subject_key, row.digest, row.run, delay_s))

    def current_evaluation(self, subject_key: str) -> EvaluationRecord | None:
        """Return the newest finished evaluation of a subject, or None."""
        return self._newest(subject_key, (EvaluationState.DONE,))

    def latest_evaluation(self, subject_key: str) -> EvaluationRecord | None:
        """Return the newest evaluation of a subject in whatever state, or None."""
        return self._newest(subject_key, tuple(EvaluationState))

    def current_objects(self, subject_key: str) -> tuple[ResultFile, ...]:
        """Return the objects of the newest finished evaluation of a subject, by time point and kind."""
        current = self.current_evaluation(subject_key)
        if current is None:
            return ()
        query = (
            select(GeneratedRow)
            .where(GeneratedRow.subject_key == subject_key, GeneratedRow.sequence == current.sequence)
            .order_by(GeneratedRow.time_point_id, GeneratedRow.kind, GeneratedRow.sop_instance_uid)
        )
        with self._database.read() as session:
            return tuple(_result_file(row) for row in session.scalars(query))

    def objects_made(self, subject_key: str, time_point_ids: Sequence[str], kind: str) -> tuple[ResultFile, ...]:
        """Return the objects of one kind that were ever made of time points, the oldest first."""
        query = (
            select(GeneratedRow)
            .where(
                GeneratedRow.subject_key == subject_key,
                GeneratedRow.time_point_id.in_(time_point_ids),
                GeneratedRow.kind == kind,
            )
            .order_by(GeneratedRow.created_at, GeneratedRow.sop_instance_uid)
        )
        with self._database.read() as session:
            return tuple(_result_file(row) for row in session.scalars(query))

    def _silence_still_due_s(
        self, series: SeriesRow, quiet_seconds: float, listening_since: datetime.datetime
    ) -> float:
        silent_since = max(series.last_received_at, listening_since)
        return max(0.0, quiet_seconds - (self._clock() - silent_since).total_seconds())

    def _plan(self, session: Session, subject_key: str, settings_digest: str, *, again: bool) -> bool:
        subject = self._locked_subject(session, subject_key)
        if _is_receiving(session, subject_key):
            return False
        contents = session.execute(
            select(InstanceRow.sop_instance_uid, InstanceRow.sha256)
            .join(SeriesRow, SeriesRow.series_instance_uid == InstanceRow.series_instance_uid)
            .where(SeriesRow.subject_key == subject_key)
        ).all()
        if not contents:
            return False
        of_inputs = digest({"settings": settings_digest, "instances": sorted([uid, sha] for uid, sha in contents)})
        row = session.get(EvaluationRow, (subject_key, of_inputs))
        is_newest = row is not None and row.sequence == subject.sequence
        if row is not None and is_newest and row.state != EvaluationState.SUPERSEDED and not again:
            return False
        subject.sequence += 1
        if row is None:
            row = EvaluationRow(subject_key=subject_key, digest=of_inputs, run=0, summary_json="{}")
            session.add(row)
        row.sequence, row.run, row.tries, row.stage, row.stage_starts = subject.sequence, row.run + 1, 0, "", 0
        row.state, row.planned_at = EvaluationState.PLANNED, self._clock()
        row.finished_at = row.next_attempt_at = None
        _set_failure(row, None)
        self._workflows.enqueue(session, evaluate_order(subject_key, of_inputs, row.run))
        return True

    def _current(self, session: Session, run: EvaluationRun, *, repeated: bool = False) -> EvaluationRow | None:
        """Return the run's row if it is still wanted; else mark it superseded when it was under way."""
        subject = self._locked_subject(session, run.subject_key)
        row = session.get_one(EvaluationRow, (run.subject_key, run.digest))
        if row.run != run.run or not (row.state in _UNDER_WAY or (repeated and row.state == EvaluationState.DONE)):
            return None
        if row.state == EvaluationState.DONE:
            return row
        if row.sequence != subject.sequence or _is_receiving(session, run.subject_key):
            row.state, row.finished_at = EvaluationState.SUPERSEDED, self._clock()
            return None
        return row

    def _give_up(self, row: EvaluationRow, failure: Failure) -> None:
        row.state, row.finished_at, row.next_attempt_at = EvaluationState.FAILED, self._clock(), None
        _set_failure(row, failure)

    def _record_object(
        self, session: Session, evaluation: EvaluationRow, made: ResultFile, now: datetime.datetime
    ) -> None:
        self._database.insert_if_absent(
            session,
            GeneratedRow,
            sop_instance_uid=made.sop_instance_uid,
            subject_key=evaluation.subject_key,
            kind=made.kind,
            path=str(made.path),
            time_point_id=made.time_point_id,
            sha256=made.sha256,
            sequence=evaluation.sequence,
            created_at=now,
        )
        row = session.get_one(GeneratedRow, made.sop_instance_uid)
        row.path, row.sha256, row.sequence = str(made.path), made.sha256, evaluation.sequence

    def _order_delivery(self, session: Session, uid: str, destination: str, now: datetime.datetime) -> None:
        is_new = self._database.insert_if_absent(
            session,
            DeliveryRow,
            sop_instance_uid=uid,
            destination=destination,
            state=DeliveryState.QUEUED,
            attempts=0,
            round_start=0,
            queued_at=now,
        )
        if is_new:
            self._workflows.enqueue(session, send_order(uid, destination, 0))

    def _newest(self, subject_key: str, states: Sequence[EvaluationState]) -> EvaluationRecord | None:
        query = (
            select(EvaluationRow)
            .where(EvaluationRow.subject_key == subject_key, EvaluationRow.state.in_(states))
            .order_by(EvaluationRow.sequence.desc())
            .limit(1)
        )
        with self._database.read() as session:
            row = session.scalar(query)
        return None if row is None else evaluation_record(row)


def _is_receiving(session: Session, subject_key: str) -> bool:
    receiving = select(func.count()).where(
        SeriesRow.subject_key == subject_key, SeriesRow.state == SeriesState.RECEIVING
    )
    return bool(session.scalar(receiving))


def _set_failure(row: EvaluationRow, failure: Failure | None) -> None:
    row.failure_code = failure.code if failure else None
    row.failure_message = failure.message if failure else None
    row.failure_where = failure.where if failure else None


def _result_file(row: GeneratedRow) -> ResultFile:
    return ResultFile(row.kind, Path(row.path), row.time_point_id, row.sha256, row.sop_instance_uid)


def evaluation_record(row: EvaluationRow) -> EvaluationRecord:
    """Return what a row says, apart from the database."""
    failure = None
    if row.failure_code is not None:
        failure = Failure(row.failure_code, row.failure_message or "", row.failure_where or "")
    return EvaluationRecord(
        subject_key=row.subject_key,
        digest=row.digest,
        sequence=row.sequence,
        run=row.run,
        state=EvaluationState(row.state),
        planned_at=row.planned_at,
        finished_at=row.finished_at,
        next_attempt_at=row.next_attempt_at,
        stage=row.stage,
        summary_json=row.summary_json,
        failure=failure,
    )
