"""Who is alive: a lock that a process holds for as long as it lives, on PostgreSQL or on a file."""

import contextlib
import fcntl
import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO

import psycopg

from tumorresp.domain.errors import InvalidSettings, OutsideFailure

# A dead peer's TCP connection, and with it its locks, is gone after at most 5 + 3 x 2 s.
_CONNECTION: Mapping[str, int] = {
    "connect_timeout": 5,
    "keepalives": 1,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
}


class WorkerLocks:
    """Session advisory locks of PostgreSQL on executor IDs, on a connection of their own.

    Raises
    ------
    OutsideFailure
        By every method, when the database is away. All locks are lost then, and a new object is needed.
    """

    def __init__(self, address: str) -> None:
        conninfo = address.replace("postgresql+psycopg://", "postgresql://", 1)
        with _named_failures():
            self._connection = psycopg.connect(conninfo, autocommit=True, **_CONNECTION)  # type: ignore[arg-type]  # libpq's own parameters

    def take(self, executor_id: str) -> bool:
        """Take the lock on an executor ID if nobody holds it, and tell whether it was taken."""
        with _named_failures():
            row = self._connection.execute("SELECT pg_try_advisory_lock(%s)", (_key(executor_id),)).fetchone()
        return bool(row and row[0])

    def release(self, executor_id: str) -> None:
        """Release a lock that was taken."""
        with _named_failures():
            self._connection.execute("SELECT pg_advisory_unlock(%s)", (_key(executor_id),))

    def executors_with_pending(self, application_version: str) -> frozenset[str]:
        """Return the IDs of all executors that have workflows under way."""
        with _named_failures():
            rows = self._connection.execute(
                "SELECT DISTINCT executor_id FROM dbos.workflow_status"
                " WHERE status = 'PENDING' AND application_version = %s AND executor_id IS NOT NULL",
                (application_version,),
            ).fetchall()
        return frozenset(row[0] for row in rows)

    def close(self) -> None:
        """Give up all locks."""
        with contextlib.suppress(psycopg.Error):
            self._connection.close()


class DataFolderLock:
    """Keeps a second service from using the same SQLite file; the lock dies with the process (not for NFS).

    Raises
    ------
    InvalidSettings
        If another service holds it.
    """

    def __init__(self, database_file: Path) -> None:
        self._file: IO[str] = database_file.with_name(f"{database_file.name}.lock").open("a")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._file.close()
            raise InvalidSettings(
                "another service already uses this data folder",
                where=database_file.name,
                remedy="Stop it, name another TUMORRESP_DATA_DIR, or give both a PostgreSQL TUMORRESP_DATABASE_URL.",
            ) from None

    def close(self) -> None:
        """Release the lock."""
        self._file.close()


@contextlib.contextmanager
def _named_failures() -> Iterator[None]:
    try:
        yield
    except psycopg.Error as error:
        raise OutsideFailure(
            f"PostgreSQL did not answer as expected ({type(error).__name__})",
            where="database",
            remedy="See that the database runs and can be reached.",
        ) from error


def _key(executor_id: str) -> int:
    return int.from_bytes(hashlib.sha256(f"tumorresp:{executor_id}".encode()).digest()[:8], "big", signed=True)
