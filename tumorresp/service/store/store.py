"""The store: the index of everything received, made and sent, on SQLite or PostgreSQL."""

from pathlib import Path

from alembic import command
from alembic.config import Config

from tumorresp.service.store.database import Database
from tumorresp.service.store.delivery_ledger import DeliveryLedger
from tumorresp.service.store.evaluation_ledger import EvaluationLedger
from tumorresp.service.store.image_index import ImageIndex
from tumorresp.service.store.installation import Installation
from tumorresp.service.store.ledger import Clock, utc_now
from tumorresp.service.store.patient_links import PatientLinks
from tumorresp.service.store.status import StatusQueries
from tumorresp.service.store.workflow_queue import WorkflowQueue


class Store(ImageIndex, EvaluationLedger, DeliveryLedger, PatientLinks, StatusQueries, Installation):
    """One installation's index; safe to use from many threads, and on PostgreSQL from many hosts.

    Parameters
    ----------
    database_url
        ``sqlite:////path/to/file`` (its folder must exist) or ``postgresql://...``.
    clock
        Gives the present time; tests may give another.

    Raises
    ------
    InvalidSettings
        If the URL is of another kind of database.

    Examples
    --------
    >>> store = Store("sqlite:////tmp/tumorresp.sqlite")  # doctest: +SKIP
    >>> store.migrate()  # doctest: +SKIP
    >>> store.subjects()  # doctest: +SKIP
    ()
    """

    def __init__(self, database_url: str, clock: Clock = utc_now) -> None:
        database = Database(database_url)
        super().__init__(database, WorkflowQueue(database), clock)

    @property
    def address(self) -> str:
        """The database's URL with its password, for the workflow engine."""
        return self._database.address

    @property
    def file(self) -> Path | None:
        """The SQLite file, or None when the database is a server."""
        return self._database.file

    def migrate(self) -> None:
        """Make or upgrade all tables; several processes may do it at once.

        Raises
        ------
        OutOfResources, OutsideFailure
            As for every transaction.
        """
        config = Config()
        config.set_main_option("script_location", "tumorresp.service.store:migrations")
        with self._database.connection() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
        self._workflows.migrate()

    def close(self) -> None:
        """Close all connections to the database."""
        self._workflows.dispose()
        self._database.dispose()
