"""Databases to test the store and the line on: a fresh SQLite file, and a PostgreSQL cluster of the test's own."""

import getpass
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from tumorresp.service.store import ReceivedInstance, Store

_TEMPLATE = "migrated"
MakeInstance = Callable[..., ReceivedInstance]


@dataclass(frozen=True)
class PostgresServer:
    """A running PostgreSQL: its address without a database name, and a way to crash and restart it."""

    address: str
    crash_and_restart: Callable[[], None]


@pytest.fixture(scope="session")
def postgres_cluster() -> Iterator[PostgresServer]:
    """Run a PostgreSQL cluster of the tests' own on loopback."""
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not programs:
        pytest.skip("PostgreSQL's server programs are not installed (Debian package postgresql)")
    program_folder = programs[-1].parent
    prefix: list[str] = []
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        if not shutil.which("runuser"):
            pytest.skip("runuser is not installed, and PostgreSQL refuses to run as root")
        prefix = ["runuser", "-u", "postgres", "--"]
    user = "postgres" if prefix else getpass.getuser()
    # pytest's own folders cannot be entered by another user.
    folder = Path(tempfile.mkdtemp(prefix="tumorresp-postgres-"))
    if prefix:
        shutil.chown(folder, user="postgres")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    cluster = folder / "cluster"

    def call(*command: str) -> None:
        # Output goes to a file: the server inherits it, and a pipe would never end.
        with (folder / "server.txt").open("a") as output:
            subprocess.run([*prefix, *command], check=True, cwd="/", stdout=output, stderr=output, timeout=60)

    try:
        call(str(program_folder / "initdb"), "-D", str(cluster), "-U", user, "--auth=trust", "--no-sync")
        options = f"-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories={folder} -c fsync=off"
        control = str(program_folder / "pg_ctl")
        call(control, "-D", str(cluster), "-o", options, "-w", "start")
        try:
            server = f"postgresql://{user}@127.0.0.1:{port}/"
            _make_template(server)
            yield PostgresServer(server, lambda: call(control, "-D", str(cluster), "-m", "immediate", "-w", "restart"))
        finally:
            call(control, "-D", str(cluster), "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_server(postgres_cluster: PostgresServer) -> str:
    """Address of a running PostgreSQL without a database name, ending in a slash."""
    return postgres_cluster.address


@pytest.fixture
def crash_postgres(postgres_cluster: PostgresServer) -> Callable[[], None]:
    """Crash the server and start it again; it is back when this returns."""
    return postgres_cluster.crash_and_restart


def _make_template(server: str) -> None:
    """Migrate one database that the tests' own are copied from, which is quicker."""
    with psycopg.connect(f"{server}postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {_TEMPLATE}")
    template = Store(f"{server}{_TEMPLATE}")
    template.migrate()
    template.close()


@pytest.fixture
def postgres_url(postgres_server: str, request: pytest.FixtureRequest) -> str:
    """Address of a fresh PostgreSQL database."""
    name = f"test_{abs(hash(request.node.nodeid)):x}"
    with psycopg.connect(f"{postgres_server}postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {_TEMPLATE}")
    return f"{postgres_server}{name}"


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """Address of a fresh SQLite file."""
    return f"sqlite:///{tmp_path / 'index.sqlite'}"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.real_server)])
def database_url(request: pytest.FixtureRequest) -> str:
    """Address of a fresh database of each kind."""
    return str(request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url"))


@pytest.fixture
def store(sqlite_url: str) -> Iterator[Store]:
    """A migrated store on SQLite."""
    made = Store(sqlite_url)
    made.migrate()
    yield made
    made.close()


@pytest.fixture
def any_store(database_url: str) -> Iterator[Store]:
    """A migrated store of each kind, for what databases may see differently."""
    made = Store(database_url)
    made.migrate()
    yield made
    made.close()


@pytest.fixture
def instance() -> MakeInstance:
    """Make a received instance: ``instance(number, series=..., patient=..., sha256=...)``."""

    def make(number: int, *, series: str = "1.2.3", patient: str = "SUBJECT 1", sha256: str = "") -> ReceivedInstance:
        return ReceivedInstance(
            sop_instance_uid=f"{series}.{number}",
            sha256=sha256 or f"sha-{series}.{number}",
            path=Path(f"/received/{series}.{number}.dcm"),
            sop_class_uid="1.2.840.10008.5.1.4.1.1.2",
            modality="CT",
            study_instance_uid="1.2",
            series_instance_uid=series,
            patient_id=patient,
            calling_ae="SCANNER",
        )

    return make
