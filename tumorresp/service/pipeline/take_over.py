"""A live worker takes over what a dead one was doing (PostgreSQL only; DBOS leaves this to us).

Each worker holds an advisory lock on its executor ID for as long as it lives. An executor that has workflows under
way while its lock is free at every look during the whole grace period is dead. Any trouble with the database clears
all suspicions: after a restart of the server everybody's locks are gone for a moment.
"""

import threading
import time
from collections.abc import Callable

import structlog

from tumorresp.domain.errors import InvalidSettings
from tumorresp.service.store.worker_locks import WorkerLocks

_log = structlog.get_logger()
_LOOK_EVERY_S = 1.0
_START_PATIENCE_S = 30.0


class TakeOver:
    """Watches the other executors of one database.

    Parameters
    ----------
    connect
        Opens a new set of locks.
    executor_id
        Of this worker; locked from construction on.
    application_version
        Whose workflows count.
    grace_s
        How long (s) a lock must be free before its owner counts as dead.
    recover
        Called with the ID of a dead executor, while its lock is held here.

    Raises
    ------
    InvalidSettings
        If a live worker has the same executor ID.
    OutsideFailure
        If the database cannot be reached.
    """

    def __init__(
        self,
        connect: Callable[[], WorkerLocks],
        executor_id: str,
        application_version: str,
        grace_s: float,
        recover: Callable[[str], None],
    ) -> None:
        self._connect = connect
        self._executor_id = executor_id
        self._version = application_version
        self._grace_s = grace_s
        self._recover = recover
        self._suspected_since: dict[str, float] = {}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="take-over", daemon=True)
        self._locks: WorkerLocks | None = self._locked_at_start()

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def stop(self) -> None:
        """Stop watching and give up this worker's lock."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(timeout=10)
        self._disconnect()

    def _locked_at_start(self) -> WorkerLocks:
        locks = self._connect()
        patience_s = max(_START_PATIENCE_S, 3 * self._grace_s)
        give_up_at = time.monotonic() + patience_s
        # A former life of this worker may not be noticed as dead yet, or is being taken over right now.
        said = False
        while not locks.take(self._executor_id):
            if not said:
                said = True
                _log.warning(
                    "another worker with this executor ID is alive: waiting for its end",
                    executor=self._executor_id,
                    at_most_s=patience_s,
                )
            if time.monotonic() > give_up_at:
                locks.close()
                raise InvalidSettings(
                    "another worker with this executor ID is alive",
                    where=f"executor {self._executor_id}",
                    remedy="Give every worker of one database an ID of its own.",
                )
            time.sleep(0.2)
        return locks

    def _watch(self) -> None:
        while not self._stopping.wait(_LOOK_EVERY_S):
            try:
                if self._locks is None:
                    self._reconnect()
                if self._locks is not None:
                    self._look(self._locks)
            except Exception as error:  # noqa: BLE001  whatever went wrong with one look, the next ones must come
                _log.warning("take-over lost the database", error=type(error).__name__)
                self._suspected_since.clear()
                self._disconnect()

    def _reconnect(self) -> None:
        """Take this worker's own lock again; without it nobody else's work is touched."""
        locks = self._connect()
        if locks.take(self._executor_id):
            self._locks = locks
        else:
            locks.close()

    def _look(self, locks: WorkerLocks) -> None:
        now = time.monotonic()
        busy = locks.executors_with_pending(self._version) - {self._executor_id}
        for executor_id in [known for known in self._suspected_since if known not in busy]:
            del self._suspected_since[executor_id]
        for executor_id in busy:
            if not locks.take(executor_id):
                self._suspected_since.pop(executor_id, None)
                continue
            try:
                since = self._suspected_since.setdefault(executor_id, now)
                if now - since >= self._grace_s:
                    _log.warning("taking over the work of a dead worker", executor=executor_id)
                    self._recover(executor_id)
                    del self._suspected_since[executor_id]
            finally:
                locks.release(executor_id)

    def _disconnect(self) -> None:
        if self._locks is not None:
            self._locks.close()
            self._locks = None
