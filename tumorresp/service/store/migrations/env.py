"""Run by Alembic within the connection that `Store.migrate` hands over."""

from typing import Any

from alembic import context
from sqlalchemy import text

from tumorresp.service.store.models import TABLE_PREFIX, Base

# Any number will do, as long as it stays: it keeps two starting processes from migrating at once.
_MIGRATION_LOCK = 7021943308157
_VERSION_TABLE = f"{TABLE_PREFIX}alembic_version"


def _include_name(name: str | None, kind: str, _parents: Any) -> bool:
    """See our own tables only: DBOS's lie in the same SQLite file and must never be dropped."""
    return kind != "table" or (name is not None and name.startswith(TABLE_PREFIX))


def _migrate() -> None:
    connection = context.config.attributes["connection"]
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        include_name=_include_name,
        render_as_batch=True,
        version_table=_VERSION_TABLE,
    )
    with context.begin_transaction():
        context.run_migrations()


_migrate()
