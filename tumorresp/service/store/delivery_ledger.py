"""Every object that leaves, to every destination, until that has confirmed it."""

import datetime
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from tumorresp.service.store.ledger import Ledger
from tumorresp.service.store.models import DeliveryRow, GeneratedRow
from tumorresp.service.store.records import Backoff, DeliveryRecord, DeliveryState, Failure
from tumorresp.service.store.workflow_queue import send_order


class DeliveryLedger(Ledger):
    """Deliveries and their tries; every method may be repeated without harm."""

    def delivery(self, sop_instance_uid: str, destination: str) -> DeliveryRecord:
        """Return one delivery.

        Raises
        ------
        sqlalchemy.exc.NoResultFound
            If it was never ordered.
        """
        query = select(DeliveryRow, GeneratedRow).join(
            GeneratedRow, GeneratedRow.sop_instance_uid == DeliveryRow.sop_instance_uid
        )
        query = query.where(DeliveryRow.sop_instance_uid == sop_instance_uid, DeliveryRow.destination == destination)
        with self._database.read() as session:
            return _delivery_record(*session.execute(query).one())

    def deliveries(self, *states: DeliveryState) -> tuple[DeliveryRecord, ...]:
        """Return all deliveries in the given states (all states when none is given), the first ordered first."""
        query = (
            select(DeliveryRow, GeneratedRow)
            .join(GeneratedRow, GeneratedRow.sop_instance_uid == DeliveryRow.sop_instance_uid)
            .where(DeliveryRow.state.in_(states or tuple(DeliveryState)))
            .order_by(DeliveryRow.queued_at, DeliveryRow.sop_instance_uid, DeliveryRow.destination)
        )
        with self._database.read() as session:
            return tuple(_delivery_record(*row) for row in session.execute(query).all())

    def confirm_delivery(self, sop_instance_uid: str, destination: str, n: int) -> None:
        """Record that the destination took the object at the try after ``n`` tries."""
        with self._database.write() as session:
            row = _locked(session, sop_instance_uid, destination)
            if row.state == DeliveryState.CONFIRMED:
                return
            row.state, row.confirmed_at, row.next_attempt_at = DeliveryState.CONFIRMED, self._clock(), None
            row.attempts = max(row.attempts, n + 1)

    def postpone_delivery(
        self, sop_instance_uid: str, destination: str, n: int, failure: Failure, backoff: Backoff
    ) -> None:
        """Record a failed try and order the next one after its wait; after the last one the delivery has failed."""
        with self._database.write() as session:
            row = _locked(session, sop_instance_uid, destination)
            if row.attempts != n or row.state not in (DeliveryState.QUEUED, DeliveryState.RETRYING):
                return  # recorded already
            row.attempts = n + 1
            row.error_code, row.error_message, row.error_where = failure.code, failure.message, failure.where
            delay_s = backoff.delay_s(row.attempts - row.round_start)
            if delay_s is None:
                row.state, row.next_attempt_at = DeliveryState.FAILED, None
                return
            row.state = DeliveryState.RETRYING
            row.next_attempt_at = self._clock() + datetime.timedelta(seconds=delay_s)
            self._workflows.enqueue(session, send_order(sop_instance_uid, destination, row.attempts, delay_s))

    def resume_failed_deliveries(self) -> int:
        """Try all given-up deliveries again from the first wait on, and return how many there are."""
        query = select(DeliveryRow).where(DeliveryRow.state == DeliveryState.FAILED).with_for_update()
        with self._database.write() as session:
            rows = session.scalars(query).all()
            for row in rows:
                row.state, row.round_start = DeliveryState.QUEUED, row.attempts
                self._workflows.enqueue(session, send_order(row.sop_instance_uid, row.destination, row.attempts))
        return len(rows)


def _locked(session: Session, sop_instance_uid: str, destination: str) -> DeliveryRow:
    return session.get_one(DeliveryRow, (sop_instance_uid, destination), with_for_update=True)


def _delivery_record(row: DeliveryRow, made: GeneratedRow) -> DeliveryRecord:
    last_error = None
    if row.error_code is not None:
        last_error = Failure(row.error_code, row.error_message or "", row.error_where or "")
    return DeliveryRecord(
        sop_instance_uid=row.sop_instance_uid,
        destination=row.destination,
        kind=made.kind,
        path=Path(made.path),
        subject_key=made.subject_key,
        time_point_id=made.time_point_id,
        state=DeliveryState(row.state),
        attempts=row.attempts,
        queued_at=row.queued_at,
        next_attempt_at=row.next_attempt_at,
        confirmed_at=row.confirmed_at,
        last_error=last_error,
    )
