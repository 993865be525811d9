"""The durable engine: runs the line's workflows with DBOS on the store's own database."""

import contextlib
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from dbos import DBOS, DBOSConfig

from tumorresp.domain.errors import InvalidSettings
from tumorresp.service.pipeline.engine_log import quieten_engine_log
from tumorresp.service.pipeline.line import Line, LineSettings, Send, Stations, SubjectsOfSeries
from tumorresp.service.pipeline.take_over import TakeOver
from tumorresp.service.store.ledger import utc_now
from tumorresp.service.store.store import Store
from tumorresp.service.store.worker_locks import DataFolderLock, WorkerLocks
from tumorresp.service.store.workflow_queue import (
    APPLICATION_NAME,
    APPLICATION_VERSION,
    DELIVERY_QUEUE,
    EVALUATION_QUEUE,
    PIPELINE_QUEUE,
)

# A backstop far above the line's own crash limit, which counts crashes by stage and not by workflow: an evaluation that
# goes on after every restart is no poison.
_MAX_RECOVERY_ATTEMPTS = 100
_EMBEDDED_EXECUTOR = "embedded"


@dataclass(frozen=True)
class EngineSettings:
    """How the engine runs.

    Parameters
    ----------
    line
        How the line behaves.
    executor_id
        Name of this worker, unique among the live workers of one database and the same after a restart. Empty: the
        host's name. On SQLite there is one worker, and the name does not matter.
    workers
        Subjects evaluated at the same time in this process.
    senders
        Deliveries at the same time in this process.
    polling_s
        How often (s) the queues are looked at.
    grace_s
        How long (s) another worker must be silent before its work is taken over (PostgreSQL).
    data_folder
        Where received files lie; with PostgreSQL it must be the same for all workers. None: not checked.
    """

    line: LineSettings = field(default_factory=LineSettings)
    executor_id: str = ""
    workers: int = 1
    senders: int = 4
    polling_s: float = 0.15
    grace_s: float = 5.0
    data_folder: Path | None = None


class DurableEngine:
    """Runs the workflows of one store in this process; one engine a process.

    Parameters
    ----------
    settings
        How it runs.
    store
        The index; `launch` migrates it.
    stations
        What is done for a subject.
    send
        Sends an object to a destination.
    subjects_of_series
        Tells which subjects a complete series is about, beside the one of its PatientID.

    Examples
    --------
    >>> with DurableEngine(EngineSettings(), store, stations, send):  # doctest: +SKIP
    ...     serve_until_stopped()
    """

    def __init__(
        self,
        settings: EngineSettings,
        store: Store,
        stations: Stations,
        send: Send,
        subjects_of_series: SubjectsOfSeries = lambda _series_uid: (),
    ) -> None:
        self._settings = settings
        self._store = store
        self._stations = stations
        self._send = send
        self._subjects_of_series: Callable[[str], Sequence[str]] = subjects_of_series
        self._running: contextlib.ExitStack | None = None

    def __enter__(self) -> "DurableEngine":
        self.launch()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()

    def launch(self) -> None:
        """Migrate the database, go on with what a former life left, and begin to work.

        Raises
        ------
        InvalidSettings
            If another service uses the same SQLite file or executor ID, or the database's data folder is another.
        OutOfResources, OutsideFailure
            If the database is full or cannot be reached.
        """
        if self._running is not None:
            raise InvalidSettings("the engine runs already", where="engine")
        with contextlib.ExitStack() as stack:
            if self._store.file is not None:
                stack.callback(DataFolderLock(self._store.file).close)
            self._store.migrate()
            if self._store.file is None and self._settings.data_folder is not None:
                self._store.join_installation(self._settings.data_folder)
            take_over = self._claim_executor_id()
            if take_over is not None:
                stack.callback(take_over.stop)
            self._start_workflows()
            stack.callback(DBOS.destroy, destroy_registry=True)
            self._register_queues()
            if take_over is not None:
                take_over.start()
            self._running = stack.pop_all()

    def shutdown(self) -> None:
        """Stop working; what is under way goes on at the next launch, here or at another worker."""
        if self._running is not None:
            running, self._running = self._running, None
            running.close()

    def evaluate_again(self, subject_key: str) -> bool:
        """Evaluate a subject again from the same data; False while series are being received or none are there."""
        return self._store.plan_again(subject_key, self._settings.line.settings_digest)

    @property
    def _executor_id(self) -> str:
        if self._store.file is not None:
            return _EMBEDDED_EXECUTOR
        return self._settings.executor_id or socket.gethostname()

    def _claim_executor_id(self) -> TakeOver | None:
        if self._store.file is not None:
            return None
        return TakeOver(
            lambda: WorkerLocks(self._store.address),
            self._executor_id,
            APPLICATION_VERSION,
            self._settings.grace_s,
            _recover,
        )

    def _start_workflows(self) -> None:
        quieten_engine_log()
        config: DBOSConfig = {
            "name": APPLICATION_NAME,
            "system_database_url": self._store.address,
            "application_version": APPLICATION_VERSION,
            "executor_id": self._executor_id,
            "log_level": "WARNING",
            "run_migrations": False,  # done by Store.migrate
        }
        DBOS(config=config)
        line = Line(self._settings.line, self._store, self._stations, self._send, self._subjects_of_series, utc_now())
        _register(line)
        DBOS.listen_queues([PIPELINE_QUEUE, EVALUATION_QUEUE, DELIVERY_QUEUE])
        try:
            DBOS.launch()
        except BaseException:
            DBOS.destroy(destroy_registry=True)
            raise

    def _register_queues(self) -> None:
        polling_s = self._settings.polling_s
        DBOS.register_queue(PIPELINE_QUEUE, worker_concurrency=4, polling_interval_sec=polling_s)
        DBOS.register_queue(
            EVALUATION_QUEUE,
            worker_concurrency=self._settings.workers,
            partition_concurrency=1,
            polling_interval_sec=polling_s,
        )
        DBOS.register_queue(DELIVERY_QUEUE, worker_concurrency=self._settings.senders, polling_interval_sec=polling_s)


def _register(line: Line) -> None:
    """Make the line's methods known to DBOS under the names by which the store orders them."""

    @DBOS.workflow(name="settle", max_recovery_attempts=_MAX_RECOVERY_ATTEMPTS)
    def settle(series_uid: str, generation: int, n: int) -> None:
        line.settle(series_uid, generation, n)

    @DBOS.workflow(name="evaluate", max_recovery_attempts=_MAX_RECOVERY_ATTEMPTS)
    def evaluate(subject_key: str, digest: str, run: int) -> str:
        return line.evaluate(subject_key, digest, run)

    @DBOS.workflow(name="deliver", max_recovery_attempts=_MAX_RECOVERY_ATTEMPTS)
    def deliver(sop_instance_uid: str, destination: str, n: int) -> None:
        line.deliver(sop_instance_uid, destination, n)


def _recover(dead_executor_id: str) -> None:
    # Private, but the public way resets the count of attempts; the kill tests watch over it.
    DBOS._recover_pending_workflows([dead_executor_id])  # noqa: SLF001
