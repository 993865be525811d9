"""Workflows are ordered in the same transaction as the rows that they are about."""

import datetime
from dataclasses import dataclass
from typing import Any

from dbos import DBOS, DBOSClient
from sqlalchemy.orm import Session

from tumorresp.service.store.database import Database

APPLICATION_NAME = "tumorresp"
# Pinned: DBOS would take a hash of the source, and an upgrade would strand what is under way. It is raised only when
# a workflow's steps change so that an old run cannot go on with new code.
APPLICATION_VERSION = "pipeline-1"

PIPELINE_QUEUE = "pipeline"
EVALUATION_QUEUE = "evaluation"
DELIVERY_QUEUE = "delivery"


@dataclass(frozen=True)
class WorkflowOrder:
    """A workflow to be run: by name, with an identity that makes ordering it twice harmless.

    ``arguments`` are identifiers and numbers only; ``partition`` names what only one workflow may work on at a time.
    """

    workflow_id: str
    name: str
    queue: str
    arguments: tuple[str | int, ...]
    delay_s: float = 0.0
    partition: str | None = None


def settle_order(series_uid: str, generation: int, n: int, delay_s: float = 0.0) -> WorkflowOrder:
    """Order the ``n``-th look at whether a series is quiet."""
    return WorkflowOrder(
        f"settle-{series_uid}-{generation}-{n}", "settle", PIPELINE_QUEUE, (series_uid, generation, n), delay_s
    )


def evaluate_order(subject_key: str, digest: str, run: int, delay_s: float = 0.0) -> WorkflowOrder:
    """Order the ``run``-th run (from 1) of an evaluation; one subject is evaluated once at a time."""
    suffix = "" if run == 1 else f"-{run}"
    return WorkflowOrder(
        f"evaluate-{subject_key}-{digest[:32]}{suffix}",
        "evaluate",
        EVALUATION_QUEUE,
        (subject_key, digest, run),
        delay_s,
        partition=subject_key,
    )


def send_order(sop_instance_uid: str, destination: str, n: int, delay_s: float = 0.0) -> WorkflowOrder:
    """Order the try after ``n`` tries to send an object to a destination."""
    return WorkflowOrder(
        f"send-{sop_instance_uid}-{destination}-{n}",
        "deliver",
        DELIVERY_QUEUE,
        (sop_instance_uid, destination, n),
        delay_s,
    )


@dataclass(frozen=True)
class WorkflowTrouble:
    """A workflow that has not ended as it should: its ID, name, DBOS state and since when."""

    workflow_id: str
    name: str
    state: str
    since: datetime.datetime
    executor_id: str


class WorkflowQueue:
    """The ordering side of DBOS; it runs nothing."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._client = DBOSClient(
            system_database_url=database.address,
            application_name=APPLICATION_NAME,
            lazy=True,
            # A listener must answer its peer; the peer sends again, we need not wait for the database.
            retry_connection_errors=False,
        )

    def migrate(self) -> None:
        """Make or upgrade DBOS's own tables, so that work can be ordered before any engine runs."""
        DBOS.migrate(self._database.address)

    def enqueue(self, session: Session, order: WorkflowOrder) -> None:
        """Order a workflow within the session's transaction; an order with a known ID changes nothing."""
        options: dict[str, Any] = {
            "workflow_name": order.name,
            "queue_name": order.queue,
            "workflow_id": order.workflow_id,
            "app_version": APPLICATION_VERSION,
        }
        if order.delay_s > 0:
            options["delay_seconds"] = order.delay_s
        if order.partition is not None:
            options["queue_partition_key"] = order.partition
        session.flush()
        self._client.enqueue_in_transaction(session.connection(), options, *order.arguments)  # type: ignore[arg-type]  # a TypedDict built by cases

    def in_trouble(
        self, pending_longer_than: datetime.timedelta, now: datetime.datetime
    ) -> tuple[WorkflowTrouble, ...]:
        """Return workflows that ended in an error, were given up, or have been running for too long."""
        started_before = now - pending_longer_than
        found = self._client.list_workflows(
            status=["PENDING", "ERROR", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"], load_input=False, load_output=False
        )
        troubles = []
        for workflow in found:
            began_ms = workflow.dequeued_at or workflow.created_at or 0
            since = datetime.datetime.fromtimestamp(began_ms / 1000, datetime.UTC)
            if workflow.status != "PENDING" or since < started_before:
                troubles.append(
                    WorkflowTrouble(
                        workflow.workflow_id, workflow.name, workflow.status, since, workflow.executor_id or ""
                    )
                )
        return tuple(troubles)

    def dispose(self) -> None:
        """Close the client's connections."""
        self._client.destroy()
