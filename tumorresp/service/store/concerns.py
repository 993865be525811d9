"""What a person should see to: inputs in quarantine, and what waits for other data."""

from collections.abc import Iterable
from pathlib import Path

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from tumorresp.domain.identity import derived_uuid
from tumorresp.service.store.ledger import Ledger
from tumorresp.service.store.models import QuarantineRow, SubjectLinkRow, WaitingRow
from tumorresp.service.store.records import Failure, QuarantineRecord, WaitingItem


class ConcernLedger(Ledger):
    """Quarantine and waiting list."""

    def quarantine(self, path: Path | str, code: str, message: str, where: str = "") -> None:
        """Record an input that cannot be used; the same record twice is one. The file is not moved.

        Parameters
        ----------
        path
            File, or another name of the input when it is no file.
        code
            Stable code of the reason, as in `tumorresp.domain.errors`.
        message, where
            Words and place for people; no patient data.
        """
        with self._database.write() as session:
            self._quarantine(session, path, Failure(code, message, where))

    def quarantined(self) -> tuple[QuarantineRecord, ...]:
        """Return all inputs in quarantine, the newest first."""
        query = select(QuarantineRow).order_by(QuarantineRow.recorded_at.desc(), QuarantineRow.quarantine_id)
        with self._database.read() as session:
            return tuple(
                QuarantineRecord(row.path, row.code, row.message, row.place, row.recorded_at)
                for row in session.scalars(query)
            )

    def record_waiting(self, subject_key: str, items: Iterable[WaitingItem]) -> None:
        """Replace the list of what waits for data at a subject; none when nothing waits."""
        with self._database.write() as session:
            self._replace_waiting(session, subject_key, items)

    def waiting(self) -> tuple[WaitingItem, ...]:
        """Return everything that waits for other data, by subject."""
        with self._database.read() as session:
            rows = session.scalars(select(WaitingRow).order_by(WaitingRow.subject_key, WaitingRow.waiting_id))
            return tuple(WaitingItem(row.subject_key, row.code, row.message, row.place) for row in rows)

    def _quarantine(self, session: Session, path: Path | str, failure: Failure) -> None:
        self._database.insert_if_absent(
            session,
            QuarantineRow,
            quarantine_id=str(derived_uuid("quarantine", str(path), failure.code, failure.message, failure.where)),
            path=str(path),
            code=failure.code,
            message=failure.message,
            place=failure.where,
            recorded_at=self._clock(),
        )

    def _joined_into(self, session: Session, subject_key: str) -> str:
        """Return the subject that a subject was joined into, itself where it was not; joining it waits until then."""
        self._locked_subject(session, subject_key)
        passed: set[str] = set()
        while subject_key not in passed and (link := session.get(SubjectLinkRow, subject_key)) is not None:
            passed.add(subject_key)
            subject_key = link.same_as
        return subject_key

    def _replace_waiting(self, session: Session, subject_key: str, items: Iterable[WaitingItem]) -> None:
        session.execute(delete(WaitingRow).where(WaitingRow.subject_key == subject_key))
        session.add_all(
            WaitingRow(subject_key=subject_key, code=item.code, message=item.message, place=item.where)
            for item in items
        )
