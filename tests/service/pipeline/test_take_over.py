"""Two workers never share a name, and only the dead are robbed."""

import time

import pytest
import structlog

from tumorresp.domain.errors import InvalidSettings, OutsideFailure
from tumorresp.service.pipeline import take_over
from tumorresp.service.store.worker_locks import WorkerLocks

pytestmark = pytest.mark.real_server


def watch(url: str, executor_id: str, recovered: list[str], grace_s: float = 0.3) -> take_over.TakeOver:
    """Claim a name on a database."""
    return take_over.TakeOver(lambda: WorkerLocks(url), executor_id, "pipeline-1", grace_s, recovered.append)


def pretend_pending(locks: WorkerLocks, executor_id: str) -> None:
    """Leave a workflow under way at an executor."""
    locks._connection.execute(
        "INSERT INTO dbos.workflow_status (workflow_uuid, status, name, executor_id, application_version)"
        " VALUES (%s, 'PENDING', 'settle', %s, 'pipeline-1')",
        (f"settle-{executor_id}", executor_id),
    )


def test_a_name_that_is_in_use_is_refused(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(take_over, "_START_PATIENCE_S", 0.5)
    first = watch(postgres_url, "one", [])
    with (
        structlog.testing.capture_logs() as logs,
        pytest.raises(InvalidSettings, match="another worker with this executor ID is alive"),
    ):
        watch(postgres_url, "one", [], grace_s=0.1)
    (line,) = logs  # said at once, not for every look
    assert "waiting for its end" in line["event"]
    assert (line["executor"], line["at_most_s"]) == ("one", 0.5)
    first.stop()
    watch(postgres_url, "one", []).stop()


def test_the_dead_are_recovered_once_their_grace_is_over_and_the_living_never(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(take_over, "_LOOK_EVERY_S", 0.05)
    living = WorkerLocks(postgres_url)
    assert living.take("living")
    for executor_id in ("living", "dead", "watcher"):
        pretend_pending(living, executor_id)
    recovered: list[str] = []
    watcher = watch(postgres_url, "watcher", recovered, grace_s=0.5)
    began = time.monotonic()
    watcher.start()
    while not recovered:
        assert time.monotonic() - began < 10
        time.sleep(0.01)
    assert time.monotonic() - began >= 0.5
    assert set(recovered) == {"dead"}
    assert living.take("dead")  # nobody keeps a dead one's name from its next life
    watcher.stop()
    living.close()


def test_a_database_that_is_away_is_named() -> None:
    with pytest.raises(OutsideFailure, match="PostgreSQL did not answer"):
        WorkerLocks("postgresql://nobody@127.0.0.1:1/nothing")
