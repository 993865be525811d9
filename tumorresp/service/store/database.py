"""The engine, its transactions and what their failures mean; SQLite and PostgreSQL alike."""

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, literal, make_url
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from tumorresp.domain.errors import InvalidSettings, OutOfResources, OutsideFailure, TumorRespError
from tumorresp.service.store.models import Base

# PostgreSQL SQLSTATE class 53 is "insufficient resources": disk full, out of memory, too many connections.
_OUT_OF_RESOURCES_STATES = ("53",)
_SQLITE_OUT_OF_RESOURCES = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_READONLY)


class Database:
    """One database by its SQLAlchemy URL: ``sqlite:////path/file`` or ``postgresql://...``.

    Raises
    ------
    InvalidSettings
        If the URL is of another kind, or an SQLite URL names no file.
    """

    def __init__(self, database_url: str) -> None:
        self.url = _checked_url(database_url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        # Parameters hold patient IDs: hidden, so that no exception text or log can carry them.
        options: dict[str, Any] = {"hide_parameters": True, "pool_size": 10, "pool_pre_ping": not self.is_sqlite}
        self._engine = create_engine(self.url, **options)
        self._reading = self._engine.execution_options(tr_read_only=True)
        if self.is_sqlite:
            _prepare_sqlite(self._engine)

    @property
    def address(self) -> str:
        """The URL with its password, as drivers want it."""
        return self.url.render_as_string(hide_password=False)

    @property
    def file(self) -> Path | None:
        """The SQLite file, or None on a server."""
        return Path(str(self.url.database)) if self.is_sqlite else None

    @contextlib.contextmanager
    def write(self) -> Iterator[Session]:
        """Open a transaction that may write; it commits at the end of the block or leaves nothing behind.

        Raises
        ------
        OutOfResources
            If the disk or the database cannot take more.
        OutsideFailure
            If the database cannot be reached or stays locked.
        """
        with _named_failures(), Session(self._engine, expire_on_commit=False) as session, session.begin():
            yield session

    @contextlib.contextmanager
    def read(self) -> Iterator[Session]:
        """Open a transaction that sees one state of the database and writes nothing (errors as in `write`)."""
        with _named_failures(), Session(self._reading, expire_on_commit=False) as session, session.begin():
            yield session

    @contextlib.contextmanager
    def connection(self) -> Iterator[Connection]:
        """Open a writing transaction without the ORM, for migrations (errors as in `write`)."""
        with _named_failures(), self._engine.begin() as connection:
            yield connection

    def insert_if_absent(self, session: Session, table: type[Base], **values: Any) -> bool:
        """Insert a row unless its key is taken, in one statement that is safe beside other writers; tell if it was."""
        build = sqlite_insert if self.is_sqlite else postgresql_insert
        statement = build(table).values(**values).on_conflict_do_nothing().returning(literal(1))
        return session.scalar(statement) is not None

    def dispose(self) -> None:
        """Close the pool's connections."""
        self._engine.dispose()


def _checked_url(database_url: str) -> URL:
    try:
        url = make_url(database_url)
    except Exception as error:  # noqa: BLE001  SQLAlchemy raises several kinds for a malformed URL
        # The URL itself may hold a password, so it is not repeated.
        raise InvalidSettings(
            f"not a database URL ({type(error).__name__})",
            where="database_url",
            remedy="Give sqlite:////path/to/file or postgresql://user@host/database.",
        ) from None
    if url.get_backend_name() == "postgresql":
        return url.set(drivername="postgresql+psycopg")
    if url.get_backend_name() == "sqlite" and url.database and url.database != ":memory:":
        return url.set(drivername="sqlite")
    raise InvalidSettings(
        f"databases of the kind {url.get_backend_name()!r} (or SQLite without a file) are not supported",
        where="database_url",
        remedy="Give sqlite:////path/to/file or postgresql://user@host/database.",
    )


def _prepare_sqlite(engine: Engine) -> None:
    """Make every connection durable (WAL, synchronous=FULL) and every writer take its lock at once.

    A transaction that reads first and writes later would otherwise fail when another one wrote in between.
    """

    @event.listens_for(engine, "connect")
    def configure(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # we begin transactions ourselves, below
        for pragma in ("busy_timeout=30000", "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        read_only = connection.get_execution_options().get("tr_read_only", False)
        connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")


@contextlib.contextmanager
def _named_failures() -> Iterator[None]:
    try:
        yield
    except (OperationalError, InterfaceError, PoolTimeout) as error:
        if getattr(getattr(error, "orig", None), "sqlite_errorcode", None) == sqlite3.SQLITE_ERROR:
            raise  # a wrong statement: a defect of ours, and no waiting will mend it
        raise _named(error) from error


def _named(error: OperationalError | InterfaceError | PoolTimeout) -> TumorRespError:
    original = error.orig if isinstance(error, DBAPIError) else None
    primary_code = getattr(original, "sqlite_errorcode", 0) & 0xFF
    state = getattr(original, "sqlstate", None) or ""
    if primary_code in _SQLITE_OUT_OF_RESOURCES or state.startswith(_OUT_OF_RESOURCES_STATES):
        return OutOfResources(
            "the database cannot take more; nothing was stored",
            where="database",
            remedy="Free disk space on the volume of the data folder, then send again.",
        )
    reason = getattr(original, "sqlite_errorname", None) or state or type(error).__name__
    return OutsideFailure(
        f"the database did not answer as expected ({reason}); nothing was stored",
        where="database",
        remedy="See that the database runs and can be reached.",
    )
