"""A service that is killed at any moment loses nothing and doubles nothing."""

import collections
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

import pytest

from tumorresp.domain.identity import pseudonym
from tumorresp.service.store import DeliveryState, EvaluationState, Store

SERVICE = Path(__file__).with_name("toy_service.py")
OBJECTS = 6


class Service:
    """One running service."""

    def __init__(self, pid: int) -> None:
        self._pid = pid

    def kill(self) -> None:
        """Kill it, if it lives, and wait until it is gone."""
        with suppress(ProcessLookupError):
            os.kill(self._pid, signal.SIGKILL)
        while self.is_alive():
            time.sleep(0.01)

    def is_alive(self) -> bool:
        """Return whether it still runs."""
        try:
            os.kill(self._pid, 0)
        except ProcessLookupError:
            return False
        return True


Start = Callable[..., AbstractContextManager[Service]]


@pytest.fixture(scope="module")
def service() -> Iterator[Start]:
    """Start a service; whatever happens it is dead after the block."""
    with subprocess.Popen(
        [sys.executable, str(SERVICE)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as forking:
        assert forking.stdin is not None
        assert forking.stdout is not None
        orders, answers = forking.stdin, forking.stdout

        @contextmanager
        def start(folder: Path, url: str, executor_id: str = "one", *, listen: bool = True) -> Iterator[Service]:
            orders.write(f"{folder} {url} {executor_id} {int(listen)}\n")
            orders.flush()
            started = Service(int(answers.readline()))
            try:
                yield started
            finally:
                started.kill()

        yield start
        orders.close()


def lines(folder: Path, name: str) -> list[str]:
    """Lines of one of the service's logs."""
    return (folder / name).read_text().splitlines() if (folder / name).exists() else []


def wait_until(folder: Path, happened: object, patience_s: float = 40.0) -> None:
    """Wait for something, and show the service's log if it does not happen."""
    assert callable(happened)
    give_up_at = time.monotonic() + patience_s
    while not happened():
        if time.monotonic() > give_up_at:
            pytest.fail("the service did not get there:\n" + "\n".join(lines(folder, "log.txt")[-40:]))
        time.sleep(0.05)


def confirmed(store: Store) -> int:
    """How many deliveries are confirmed."""
    return store.counts().deliveries[DeliveryState.CONFIRMED]


def in_pacs(folder: Path) -> set[str]:
    """UIDs and contents that the PACS holds."""
    return set(lines(folder, "pacs.txt"))


@pytest.fixture(scope="module")
def undisturbed(service: Start, tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """What the PACS holds after a run that nobody disturbs."""
    folder = tmp_path_factory.mktemp("undisturbed")
    store = migrated(f"sqlite:///{folder / 'index.sqlite'}")
    with service(folder, store.address):
        wait_until(folder, lambda: confirmed(store) == OBJECTS)
    store.close()
    assert len(lines(folder, "pacs.txt")) == OBJECTS
    return in_pacs(folder)


def migrated(url: str) -> Store:
    """A store with its tables."""
    store = Store(url)
    store.migrate()
    return store


def test_ten_kills_change_nothing_in_the_pacs(
    service: Start, tmp_path: Path, sqlite_url: str, undisturbed: set[str]
) -> None:
    kill_and_compare(service, tmp_path, sqlite_url, 10, undisturbed)


@pytest.mark.real_server
def test_a_lone_worker_on_postgresql_goes_on_after_kills(
    service: Start, tmp_path: Path, postgres_url: str, undisturbed: set[str]
) -> None:
    kill_and_compare(service, tmp_path, postgres_url, 3, undisturbed)


def kill_and_compare(service: Start, tmp_path: Path, url: str, kills: int, undisturbed: set[str]) -> None:
    """Kill and restart one worker, let it finish, and compare what the PACS holds."""
    store = migrated(url)
    moments = random.Random(20261123)
    for number in range(kills):
        with service(tmp_path, url):
            wait_until(tmp_path, lambda: len(lines(tmp_path, "ready.txt")) > number)  # noqa: B023  called at once
            time.sleep(moments.uniform(0.0, 1.5))
    with service(tmp_path, url):
        wait_until(tmp_path, lambda: confirmed(store) == OBJECTS)
        sent = lines(tmp_path, "pacs.txt")
        time.sleep(1.0)
        assert lines(tmp_path, "pacs.txt") == sent  # nothing leaves after its confirmation
    assert in_pacs(tmp_path) == undisturbed
    # A kill between the PACS's answer and our note of it sends the same object once more, under the same UID.
    assert len(sent) <= OBJECTS + kills
    assert store.workflows_in_trouble() == ()
    assert len(store.deliveries()) == OBJECTS
    store.close()


def test_a_study_that_kills_the_process_is_given_up_and_the_others_are_done(
    service: Start, tmp_path: Path, sqlite_url: str, undisturbed: set[str]
) -> None:
    (tmp_path / "poison").touch()
    store = migrated(sqlite_url)
    for _ in range(2):
        with service(tmp_path, sqlite_url) as doomed:
            wait_until(tmp_path, lambda: not doomed.is_alive())
    with service(tmp_path, sqlite_url):
        wait_until(tmp_path, lambda: confirmed(store) == OBJECTS)
        wait_until(tmp_path, lambda: latest_state(store, "POISON") == EvaluationState.FAILED)
    poisoned = store.latest_evaluation(pseudonym("POISON"))
    assert poisoned is not None
    assert poisoned.failure is not None
    assert (poisoned.failure.code, poisoned.failure.where) == ("crashed", "segment 1 of 6")
    assert in_pacs(tmp_path) == undisturbed
    store.close()


def latest_state(store: Store, patient: str) -> EvaluationState | None:
    """State of a subject's newest evaluation."""
    latest = store.latest_evaluation(pseudonym(patient))
    return latest.state if latest else None


@pytest.mark.real_server
def test_a_live_worker_takes_over_from_a_dead_one(
    service: Start, tmp_path: Path, postgres_url: str, undisturbed: set[str]
) -> None:
    store = migrated(postgres_url)
    with service(tmp_path, postgres_url, "first") as first:
        wait_until(tmp_path, lambda: len(lines(tmp_path, "units.txt")) >= 2)
        with service(tmp_path, postgres_url, "second", listen=False):
            first.kill()
            wait_until(tmp_path, lambda: confirmed(store) == OBJECTS)
    store.close()
    assert in_pacs(tmp_path) == undisturbed
    taken = [line for line in lines(tmp_path, "log.txt") if "taking over" in line]
    assert len(taken) == 1
    assert "first" in taken[0]
    repeated = [unit for unit, times in collections.Counter(lines(tmp_path, "units.txt")).items() if times > 1]
    assert len(repeated) <= 2  # at most what each of its two evaluations was doing


@pytest.mark.real_server
def test_live_workers_do_not_rob_each_other(
    service: Start, tmp_path: Path, postgres_url: str, undisturbed: set[str]
) -> None:
    store = migrated(postgres_url)
    with service(tmp_path, postgres_url, "first"), service(tmp_path, postgres_url, "second", listen=False):
        wait_until(tmp_path, lambda: confirmed(store) == OBJECTS)
    store.close()
    assert in_pacs(tmp_path) == undisturbed
    assert not [line for line in lines(tmp_path, "log.txt") if "taking over" in line]
    assert set(collections.Counter(lines(tmp_path, "units.txt")).values()) == {1}


@pytest.mark.real_server
def test_a_crash_of_the_database_server_makes_nobody_dead(
    service: Start, tmp_path: Path, postgres_url: str, crash_postgres: Callable[[], None], undisturbed: set[str]
) -> None:
    store = migrated(postgres_url)
    with service(tmp_path, postgres_url, "first"), service(tmp_path, postgres_url, "second", listen=False):
        wait_until(tmp_path, lambda: len(lines(tmp_path, "units.txt")) >= 2)
        store.close()
        crash_postgres()
        wait_until(tmp_path, lambda: confirmed(store) == OBJECTS)
    store.close()
    assert in_pacs(tmp_path) == undisturbed
    assert not [line for line in lines(tmp_path, "log.txt") if "taking over" in line]
