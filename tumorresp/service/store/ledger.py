"""What every part of the store has at hand."""

import datetime
from collections.abc import Callable

from sqlalchemy.orm import Session

from tumorresp.service.store.database import Database
from tumorresp.service.store.models import SubjectRow
from tumorresp.service.store.workflow_queue import WorkflowQueue

Clock = Callable[[], datetime.datetime]
"""Gives the present time, aware."""


def utc_now() -> datetime.datetime:
    """Return the present time in UTC."""
    return datetime.datetime.now(datetime.UTC)


class Ledger:
    """A part of the store: a database, the queue of workflows and a clock."""

    def __init__(self, database: Database, workflows: WorkflowQueue, clock: Clock = utc_now) -> None:
        self._database = database
        self._workflows = workflows
        self._clock = clock

    def _locked_subject(self, session: Session, subject_key: str) -> SubjectRow:
        """Return the subject's row, made when absent; only one transaction at a time holds it."""
        self._database.insert_if_absent(session, SubjectRow, subject_key=subject_key, sequence=0)
        return session.get_one(SubjectRow, subject_key, with_for_update=True)
