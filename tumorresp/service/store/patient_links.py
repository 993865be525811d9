"""Which subjects are one person: IDs that their images name, what a person decided, what is in doubt."""

from collections.abc import Iterable, Sequence

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from tumorresp.service.store.concerns import ConcernLedger
from tumorresp.service.store.models import (
    EvaluationRow,
    OtherPatientIdRow,
    PatientDoubtRow,
    SeriesRow,
    SubjectLinkRow,
)
from tumorresp.service.store.records import EvaluationState


class PatientLinks(ConcernLedger):
    """Joins subjects; every method may be repeated without harm. Patient IDs are kept as pseudonyms only."""

    def record_other_ids(self, subject_key: str, other_keys: Iterable[str]) -> None:
        """Keep the pseudonyms of the other Patient IDs that a subject's images name."""
        with self._database.write() as session:
            for key in sorted(set(other_keys)):
                self._database.insert_if_absent(session, OtherPatientIdRow, other_key=key, subject_key=subject_key)

    def subjects_naming(self, keys: Iterable[str]) -> tuple[str, ...]:
        """Return the subjects whose images name one of these (pseudonyms of) Patient IDs as another ID of theirs."""
        query = select(OtherPatientIdRow.subject_key).where(OtherPatientIdRow.other_key.in_(sorted(set(keys))))
        with self._database.read() as session:
            return tuple(sorted(set(session.scalars(query))))

    def subjects_by_arrival(self, keys: Iterable[str], modalities: Sequence[str] = ("CT",)) -> tuple[str, ...]:
        """Return those of some subjects that have images, the first received first."""
        query = (
            select(SeriesRow.subject_key)
            .where(SeriesRow.subject_key.in_(sorted(set(keys))), SeriesRow.modality.in_(modalities))
            .group_by(SeriesRow.subject_key)
            .order_by(func.min(SeriesRow.first_received_at), SeriesRow.subject_key)
        )
        with self._database.read() as session:
            return tuple(session.scalars(query))

    def decided_links(self) -> tuple[tuple[str, str], ...]:
        """Return pairs of subjects that are one person, as somebody decided or as was found before."""
        with self._database.read() as session:
            rows = session.scalars(select(SubjectLinkRow).order_by(SubjectLinkRow.subject_key))
            return tuple((row.subject_key, row.same_as) for row in rows)

    def join_subject(self, subject_key: str, into: str) -> None:
        """Make one subject's series another's, now and for what comes later; its results count no more."""
        if subject_key == into:
            return
        with self._database.write() as session:
            self._locked_subject(session, subject_key)  # who links to it meanwhile comes before or after
            self._database.insert_if_absent(session, SubjectLinkRow, subject_key=subject_key, same_as=into)
            session.get_one(SubjectLinkRow, subject_key).same_as = into
            session.execute(update(SeriesRow).where(SeriesRow.subject_key == subject_key).values(subject_key=into))
            self._move_other_ids(session, subject_key, into)
            for column in (PatientDoubtRow.subject_key, PatientDoubtRow.other_key):
                session.execute(delete(PatientDoubtRow).where(column == subject_key))
            self._replace_waiting(session, subject_key, ())
            self._withdraw(session, subject_key)

    def record_patient_doubt(self, subject_key: str, other_key: str, why: str) -> None:
        """Keep that two subjects may be one person, and why they were not joined (no patient data)."""
        with self._database.write() as session:
            for one, other in ((subject_key, other_key), (other_key, subject_key)):
                self._database.insert_if_absent(session, PatientDoubtRow, subject_key=one, other_key=other, why=why)

    def patient_doubts(self, subject_key: str) -> tuple[tuple[str, str], ...]:
        """Return the subjects that may be the same person as one, each with why it was not joined."""
        query = select(PatientDoubtRow).where(PatientDoubtRow.subject_key == subject_key)
        with self._database.read() as session:
            rows = session.scalars(query.order_by(PatientDoubtRow.other_key))
            return tuple((row.other_key, row.why) for row in rows)

    def _move_other_ids(self, session: Session, subject_key: str, into: str) -> None:
        held = session.scalars(
            select(OtherPatientIdRow.other_key).where(OtherPatientIdRow.subject_key == subject_key)
        ).all()
        for key in held:
            self._database.insert_if_absent(session, OtherPatientIdRow, other_key=key, subject_key=into)
        session.execute(delete(OtherPatientIdRow).where(OtherPatientIdRow.subject_key == subject_key))

    def _withdraw(self, session: Session, subject_key: str) -> None:
        """Let no evaluation of a subject go on or count."""
        self._locked_subject(session, subject_key).sequence += 1
        session.execute(
            update(EvaluationRow)
            .where(EvaluationRow.subject_key == subject_key)
            .values(state=EvaluationState.SUPERSEDED, next_attempt_at=None)
        )
