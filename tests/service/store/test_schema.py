"""The tables are what the models say, ours alone are touched, and SQLite writes are durable."""

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text

from tumorresp.service.store import Store
from tumorresp.service.store.models import TABLE_PREFIX, Base


def test_migrations_make_what_the_models_say_and_leave_the_engine_s_tables_alone(any_store: Store) -> None:
    store = any_store
    store.migrate()  # again, with the tables of both there
    with store._database.connection() as connection:
        seen = set(inspect(connection).get_table_names())
        context = MigrationContext.configure(
            connection,
            opts={"include_name": lambda name, kind, _: kind != "table" or name.startswith(TABLE_PREFIX)},
        )
        differences = compare_metadata(context, Base.metadata)
    assert [item for item in differences if "tr_alembic_version" not in str(item)] == []
    ours = {name for name in seen if name.startswith(TABLE_PREFIX)}
    assert ours == {*Base.metadata.tables, "tr_alembic_version"}
    assert all(name.startswith(TABLE_PREFIX) for name in Base.metadata.tables)
    if store.file is not None:
        assert "workflow_status" in seen


def test_sqlite_writes_are_durable(sqlite_url: str) -> None:
    store = Store(sqlite_url)
    with store._database.read() as session:
        assert session.scalar(text("PRAGMA journal_mode")) == "wal"
        assert session.scalar(text("PRAGMA synchronous")) == 2  # FULL
        assert session.scalar(text("PRAGMA foreign_keys")) == 1
    store.close()
