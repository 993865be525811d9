"""What is received is held once, and nothing is answered that is not safely indexed."""

import datetime
import itertools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import OperationalError, ProgrammingError

from tumorresp.domain.errors import InvalidSettings, OutOfResources, OutsideFailure
from tumorresp.domain.identity import pseudonym
from tumorresp.service.store import ReceivedInstance, ReceivedOutcome, SeriesState, Store, WaitingItem

MakeInstance = Callable[..., ReceivedInstance]
NOW = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
SUBJECT = pseudonym("SUBJECT 1")
SECOND = datetime.timedelta(seconds=1)


def ordered_workflows(store: Store) -> list[str]:
    """IDs of all workflows ever ordered, sorted."""
    with store._database.read() as session:
        schema = "" if store.file else "dbos."
        return sorted(session.scalars(text(f"SELECT workflow_uuid FROM {schema}workflow_status")))


def settle(store: Store, series: str, generation: int, *subjects: str, settings: str = "") -> None:
    """Let a series be quiet."""
    store.settle_series((series, generation, 0), 0.0, NOW - datetime.timedelta(days=365), subjects, settings)


def test_an_instance_is_new_then_the_same_then_a_conflict(any_store: Store, instance: MakeInstance) -> None:
    store = any_store
    assert store.index_received(instance(1)) == ReceivedOutcome.NEW
    assert store.index_received(instance(1)) == ReceivedOutcome.SAME
    assert store.index_received(instance(1, sha256="other")) == ReceivedOutcome.CONFLICT
    assert store.index_received(instance(1, sha256="other")) == ReceivedOutcome.CONFLICT
    held = store.find_instance("1.2.3.1")
    assert held is not None
    assert (held.sha256, held.subject_key, held.calling_ae) == ("sha-1.2.3.1", SUBJECT, "SCANNER")
    assert held.received_at.tzinfo is not None
    (refused,) = store.quarantined()
    assert refused.code == "conflicting-instance"
    assert "1.2.3.1" in refused.where
    assert ordered_workflows(store) == ["settle-1.2.3-0-0"]


def test_a_series_is_received_again_only_for_new_content(any_store: Store, instance: MakeInstance) -> None:
    store = any_store
    store.index_received(instance(1))
    settle(store, "1.2.3", 0)
    assert store.series_of_subject(SUBJECT)[0].state == SeriesState.COMPLETE
    store.index_received(instance(1))
    assert store.series_of_subject(SUBJECT)[0].state == SeriesState.COMPLETE
    store.index_received(instance(1, sha256="other"))
    assert store.series_of_subject(SUBJECT)[0].state == SeriesState.COMPLETE
    store.index_received(instance(2))
    (series,) = store.series_of_subject(SUBJECT)
    assert (series.state, series.generation, series.instances) == (SeriesState.RECEIVING, 1, 2)
    assert "settle-1.2.3-1-0" in ordered_workflows(store)


def test_a_resent_instance_shows_that_the_sender_is_still_at_it(sqlite_url: str, instance: MakeInstance) -> None:
    times = itertools.count()
    store = Store(sqlite_url, clock=lambda: NOW + next(times) * 10 * SECOND)
    store.migrate()
    store.index_received(instance(1))  # at 0 s
    store.index_received(instance(1))  # at 10 s; the look below is at 20 s
    assert store.seconds_until_quiet("1.2.3", 0, 30.0, NOW) == 20.0
    # Nobody listened before 25 s: that was no silence. The look is at 30 s.
    assert store.seconds_until_quiet("1.2.3", 0, 30.0, NOW + 25 * SECOND) == 25.0
    store.close()


def test_a_series_that_is_not_quiet_is_looked_at_again(store: Store, instance: MakeInstance) -> None:
    store.index_received(instance(1))
    store.settle_series(("1.2.3", 0, 4), 30.0, NOW, (), "")
    assert ordered_workflows(store) == ["settle-1.2.3-0-0", "settle-1.2.3-0-5"]
    assert store.series_of_subject(SUBJECT)[0].state == SeriesState.RECEIVING


def test_nothing_is_indexed_when_the_work_cannot_be_ordered(any_store: Store, instance: MakeInstance) -> None:
    store = any_store
    with store._database.write() as session:
        schema = "" if store.file else "dbos."
        session.execute(text(f"ALTER TABLE {schema}workflow_status RENAME TO gone"))
    with pytest.raises((OperationalError, ProgrammingError), match="workflow_status"):
        store.index_received(instance(1))
    assert store.find_instance("1.2.3.1") is None
    assert store.subjects() == ()


def test_a_full_database_is_out_of_resources_and_stores_nothing(sqlite_url: str, instance: MakeInstance) -> None:
    store = Store(sqlite_url)
    store.migrate()
    with store._database.read() as session:
        pages = session.scalar(text("PRAGMA page_count"))
    store._database.dispose()
    event.listen(
        store._database._engine, "connect", lambda connection, _: connection.execute(f"PRAGMA max_page_count={pages}")
    )

    def fill() -> None:
        for number in range(1000):
            numbers.append(number)
            store.index_received(instance(number, patient="DOE^JANE" * 40))

    numbers: list[int] = []
    with pytest.raises(OutOfResources) as caught:
        fill()
    assert caught.value.dimse_status == 0xA700
    assert "DOE" not in f"{caught.value} {caught.value.__cause__}"
    assert store.find_instance(f"1.2.3.{numbers[-1]}") is None
    assert store.counts().instances == numbers[-1]
    store.close()


def test_a_database_that_is_away_is_an_outside_failure(instance: MakeInstance) -> None:
    store = Store("postgresql://nobody@127.0.0.1:1/nothing")
    with pytest.raises(OutsideFailure, match="can be reached"):
        store.index_received(instance(1))
    store.close()


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "mysql://u:secret@h/d", "secret"])
def test_other_databases_are_refused_without_repeating_the_address(url: str) -> None:
    with pytest.raises(InvalidSettings) as caught:
        Store(url)
    assert "secret" not in str(caught.value)


def test_many_associations_at_once_index_each_instance_once(any_store: Store, instance: MakeInstance) -> None:
    store = any_store
    received = [instance(number, series=f"1.2.{number % 3}") for number in range(30)] * 3
    with ThreadPoolExecutor(8) as threads:
        outcomes = list(threads.map(store.index_received, received))
    assert outcomes.count(ReceivedOutcome.NEW) == 30
    assert outcomes.count(ReceivedOutcome.SAME) == 60
    assert [series.instances for series in store.series_of_subject(SUBJECT)] == [10, 10, 10]
    assert ordered_workflows(store) == [f"settle-1.2.{number}-0-0" for number in range(3)]


def test_series_that_settle_at_once_leave_exactly_one_newest_plan(any_store: Store, instance: MakeInstance) -> None:
    store = any_store
    for attempt in range(5):
        series = [f"1.2.{attempt}.{number}" for number in range(4)]
        for uid in series:
            store.index_received(instance(1, series=uid))
        with ThreadPoolExecutor(4) as threads:
            list(threads.map(lambda uid: settle(store, uid, 0), series))
        planned = [workflow for workflow in ordered_workflows(store) if workflow.startswith("evaluate-")]
        assert len(planned) == attempt + 1


def test_a_linked_series_counts_for_its_new_subject(store: Store, instance: MakeInstance) -> None:
    store.index_received(instance(1))
    store.index_received(instance(1, series="1.9", patient="TRIAL 7"))
    other = pseudonym("TRIAL 7")
    store.record_waiting(other, [WaitingItem(other, "missing-images", "no CT yet", "1.9.1")])
    assert [item.code for item in store.waiting()] == ["missing-images"]
    store.link_series_to_subject("1.9", SUBJECT)
    assert store.subjects() == (SUBJECT,)
    assert store.waiting() == ()
    assert [held.sop_instance_uid for held in store.instances_of_subject(SUBJECT)] == ["1.2.3.1", "1.9.1"]
    assert [held.patient_id for held in store.instances_of_series("1.9")] == ["TRIAL 7"]


def test_waiting_items_are_replaced_and_quarantine_grows(store: Store, instance: MakeInstance) -> None:
    store.record_waiting(SUBJECT, [WaitingItem(SUBJECT, "a", "first"), WaitingItem(SUBJECT, "b", "second")])
    store.record_waiting(SUBJECT, [WaitingItem(SUBJECT, "c", "third")])
    assert [item.message for item in store.waiting()] == ["third"]
    for _ in range(2):
        store.quarantine("/received/x.dcm", "not-dicom", "cut off", "byte 12")
    store.quarantine("/received/x.dcm", "not-dicom", "cut off", "byte 13")
    assert sorted(record.where for record in store.quarantined()) == ["byte 12", "byte 13"]
    counts = store.counts()
    assert (counts.waiting, counts.quarantined, counts.instances) == (1, 2, 0)
