"""What the service has done and what it is doing, for `tumorresp status` and the pages."""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from tumorresp.service.store.evaluation_ledger import evaluation_record
from tumorresp.service.store.ledger import Ledger
from tumorresp.service.store.models import (
    DeliveryRow,
    EvaluationRow,
    GeneratedRow,
    InstanceRow,
    QuarantineRow,
    SeriesRow,
    WaitingRow,
)
from tumorresp.service.store.records import PASSED_OVER, DeliveryState, EvaluationRecord, SeriesState
from tumorresp.service.store.workflow_queue import WorkflowTrouble


@dataclass(frozen=True)
class Counts:
    """How much there is of everything; states without any are 0."""

    instances: int
    series: Mapping[SeriesState, int]
    deliveries: Mapping[DeliveryState, int]
    waiting: int
    quarantined: int


@dataclass(frozen=True)
class SubjectStatus:
    """One subject: what was received, its newest evaluation, and the time points that it has results for."""

    subject_key: str
    series: int
    instances: int
    receiving: int
    evaluation: EvaluationRecord | None
    time_point_ids: tuple[str, ...]


class StatusQueries(Ledger):
    """Reads only."""

    def counts(self) -> Counts:
        """Return the counts of everything, from one state of the database."""
        with self._database.read() as session:
            series = _by_state(session, SeriesRow.state)
            deliveries = _by_state(session, DeliveryRow.state)
            return Counts(
                instances=_count(session, InstanceRow),
                series={state: series.get(state, 0) for state in SeriesState},
                deliveries={state: deliveries.get(state, 0) for state in DeliveryState},
                waiting=session.scalar(
                    select(func.count()).select_from(WaitingRow).where(WaitingRow.code.not_in(sorted(PASSED_OVER)))
                )
                or 0,
                quarantined=_count(session, QuarantineRow),
            )

    def subject_statuses(self) -> tuple[SubjectStatus, ...]:
        """Return every subject's state, sorted by subject key."""
        with self._database.read() as session:
            instances = dict(
                session.execute(
                    select(SeriesRow.subject_key, func.count())
                    .join(InstanceRow, InstanceRow.series_instance_uid == SeriesRow.series_instance_uid)
                    .group_by(SeriesRow.subject_key)
                ).all()
            )
            series: dict[str, list[str]] = {}
            for key, state in session.execute(select(SeriesRow.subject_key, SeriesRow.state)):
                series.setdefault(key, []).append(state)
            # Later sequences replace earlier ones in the dictionary.
            newest = {
                row.subject_key: row for row in session.scalars(select(EvaluationRow).order_by(EvaluationRow.sequence))
            }
            points: dict[str, set[str]] = {}
            for key, point in session.execute(select(GeneratedRow.subject_key, GeneratedRow.time_point_id).distinct()):
                points.setdefault(key, set()).add(point)
        return tuple(
            SubjectStatus(
                subject_key=key,
                series=len(states),
                instances=instances.get(key, 0),
                receiving=states.count(SeriesState.RECEIVING),
                evaluation=evaluation_record(newest[key]) if key in newest else None,
                time_point_ids=tuple(sorted(points.get(key, ()))),
            )
            for key, states in sorted(series.items())
        )

    def workflows_in_trouble(
        self, pending_longer_than: datetime.timedelta = datetime.timedelta(hours=1)
    ) -> tuple[WorkflowTrouble, ...]:
        """Return workflows that ended in an error, were given up after too many crashes, or run for too long."""
        return self._workflows.in_trouble(pending_longer_than, self._clock())


def _count(session: Session, table: type[Any]) -> int:
    return session.scalar(select(func.count()).select_from(table)) or 0


def _by_state(session: Session, column: InstrumentedAttribute[str]) -> dict[str, int]:
    return dict(session.execute(select(column, func.count()).group_by(column)).tuples().all())
