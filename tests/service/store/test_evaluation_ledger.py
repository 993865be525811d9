"""Evaluations are planned once for the same inputs, the newest wins, and nothing is ordered twice."""

import datetime
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from tumorresp.domain.identity import pseudonym
from tumorresp.ports import ResultFile
from tumorresp.service.store import (
    Backoff,
    DeliveryState,
    EvaluationRun,
    EvaluationState,
    Failure,
    ReceivedInstance,
    Store,
)

MakeInstance = Callable[..., ReceivedInstance]
LONG_AGO = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
SUBJECT = pseudonym("SUBJECT 1")
SEG = ResultFile("SEG", Path("/made/seg.dcm"), "tp1", "sha-seg", "1.7.1")
REPORT = ResultFile("SR", Path("/made/sr.dcm"), "tp1", "sha-sr", "1.7.2")
PAGE = ResultFile("HTML", Path("/made/report.html"), "tp1", "sha-page")


def orders(store: Store, prefix: str) -> list[str]:
    """IDs of the workflows ordered, of one kind, sorted."""
    with store._database.read() as session:
        schema = "" if store.file else "dbos."
        ids = session.scalars(text(f"SELECT workflow_uuid FROM {schema}workflow_status"))
        return sorted(workflow for workflow in ids if workflow.startswith(prefix))


def settle(store: Store, generation: int = 0, settings: str = "", series: str = "1.2.3") -> None:
    """Let a series be quiet."""
    store.settle_series((series, generation, 0), 0.0, LONG_AGO, (), settings)


def newest_run(store: Store) -> EvaluationRun:
    """The run that is planned."""
    latest = store.latest_evaluation(SUBJECT)
    assert latest is not None
    return EvaluationRun(SUBJECT, latest.digest, latest.run)


@pytest.fixture
def planned(store: Store, instance: MakeInstance) -> EvaluationRun:
    """The run that one complete series leads to."""
    store.index_received(instance(1))
    settle(store)
    return newest_run(store)


def test_a_plan_is_named_by_its_inputs_and_made_once(store: Store, planned: EvaluationRun) -> None:
    settle(store)
    assert orders(store, "evaluate-") == [f"evaluate-{SUBJECT}-{planned.digest[:32]}"]
    assert planned.run == 1


def test_the_digest_knows_the_instances_their_content_and_the_settings(
    sqlite_url: str, tmp_path: Path, instance: MakeInstance
) -> None:
    digests = set()
    for number, (received, settings) in enumerate(
        [
            ([instance(1)], ""),
            ([instance(2)], ""),
            ([instance(1), instance(2)], ""),
            ([instance(1, sha256="other")], ""),
            ([instance(1)], "other settings"),
            ([instance(2), instance(1)], ""),  # the third again, in another order
        ]
    ):
        store = Store(f"sqlite:///{tmp_path / str(number)}.sqlite")
        store.migrate()
        for one in received:
            store.index_received(one)
        settle(store, settings=settings)
        digests.add(newest_run(store).digest)
        store.close()
    assert len(digests) == 5


def test_no_plan_while_a_series_of_the_subject_is_received(store: Store, instance: MakeInstance) -> None:
    store.index_received(instance(1))
    store.index_received(instance(1, series="1.2.4"))
    settle(store)
    assert orders(store, "evaluate-") == []
    settle(store, series="1.2.4")
    assert len(orders(store, "evaluate-")) == 1


def test_results_are_recorded_and_ordered_once(store: Store, planned: EvaluationRun) -> None:
    assert store.enter_stage(planned, "plan") == 1
    for _ in range(2):
        assert store.record_results(planned, [SEG, REPORT, PAGE], ["pacs", "archive"])
    assert orders(store, "send-") == [f"send-1.7.{n}-{to}-0" for n in (1, 2) for to in ("archive", "pacs")]
    assert {item.sop_instance_uid for item in store.deliveries()} == {"1.7.1", "1.7.2"}
    assert store.current_objects(SUBJECT) == (SEG, REPORT)
    current = store.current_evaluation(SUBJECT)
    assert current is not None
    assert current.state == EvaluationState.DONE
    assert current.finished_at is not None


def test_a_whole_life_on_each_database(any_store: Store, instance: MakeInstance) -> None:
    store = any_store
    store.index_received(instance(1))
    settle(store)
    first = newest_run(store)
    assert store.enter_stage(first, "plan") == 1
    store.retry_evaluation(first, Failure("out-of-resources", "disk full"), Backoff())
    second = newest_run(store)
    store.enter_stage(second, "plan")
    assert store.record_results(second, [SEG], ["pacs"])
    store.postpone_delivery("1.7.1", "pacs", 0, Failure("delivery-failed", "refused"), Backoff(attempts=1))
    assert store.resume_failed_deliveries() == 1
    store.confirm_delivery("1.7.1", "pacs", 1)
    (delivered,) = store.deliveries(DeliveryState.CONFIRMED)
    assert delivered.confirmed_at is not None
    assert delivered.confirmed_at.utcoffset() == datetime.timedelta(0)
    assert orders(store, "") == [
        f"evaluate-{SUBJECT}-{first.digest[:32]}",
        f"evaluate-{SUBJECT}-{first.digest[:32]}-2",
        "send-1.7.1-pacs-0",
        "send-1.7.1-pacs-1",
        "settle-1.2.3-0-0",
    ]
    assert store.workflows_in_trouble() == ()
    assert store.subject_statuses()[0].instances == 1


def test_another_evaluation_with_the_same_objects_sends_nothing_again(store: Store, planned: EvaluationRun) -> None:
    store.record_results(planned, [SEG], ["pacs"])
    store.confirm_delivery("1.7.1", "pacs", 0)
    assert store.plan_again(SUBJECT, "")
    again = newest_run(store)
    assert again == EvaluationRun(SUBJECT, planned.digest, 2)
    assert orders(store, "evaluate-")[-1].endswith(f"{planned.digest[:32]}-2")
    store.record_results(again, [SEG, REPORT], ["pacs"])
    assert orders(store, "send-") == ["send-1.7.1-pacs-0", "send-1.7.2-pacs-0"]
    assert store.delivery("1.7.1", "pacs").state == DeliveryState.CONFIRMED


def test_new_data_supersede_what_is_under_way(store: Store, planned: EvaluationRun, instance: MakeInstance) -> None:
    assert store.enter_stage(planned, "plan") == 1
    store.index_received(instance(2))
    assert store.enter_stage(planned, "conclude") is None
    assert not store.record_results(planned, [SEG], ["pacs"])
    assert store.deliveries() == ()
    settle(store, generation=1)
    later = newest_run(store)
    assert later.digest != planned.digest
    assert store.record_results(later, [REPORT], ["pacs"])
    current = store.current_evaluation(SUBJECT)
    assert current is not None
    assert (current.digest, current.sequence) == (later.digest, 2)
    assert store.current_objects(SUBJECT) == (REPORT,)


def test_an_older_run_that_ends_late_does_not_win(store: Store, planned: EvaluationRun, instance: MakeInstance) -> None:
    store.index_received(instance(2))
    settle(store, generation=1)
    later = newest_run(store)
    assert store.record_results(later, [REPORT], ["pacs"])
    assert not store.record_results(planned, [SEG], ["pacs"])
    assert store.current_objects(SUBJECT) == (REPORT,)


def test_a_superseded_plan_with_the_same_inputs_runs_again(
    store: Store, planned: EvaluationRun, instance: MakeInstance
) -> None:
    # A report under another PatientID comes, interrupts, and turns out to be about another subject.
    store.index_received(instance(1, series="1.9"))
    assert store.enter_stage(planned, "plan") is None
    store.link_series_to_subject("1.9", pseudonym("SUBJECT 2"))
    settle(store, series="1.9")
    assert newest_run(store) == EvaluationRun(SUBJECT, planned.digest, 2)


def test_stages_are_counted_until_the_next_one_begins(store: Store, planned: EvaluationRun) -> None:
    assert [store.enter_stage(planned, stage) for stage in ("plan", "plan", "segment 1", "plan")] == [1, 2, 1, 1]
    latest = store.latest_evaluation(SUBJECT)
    assert latest is not None
    assert (latest.state, latest.stage) == (EvaluationState.RUNNING, "plan")


def test_a_failure_is_kept_with_its_reason(store: Store, planned: EvaluationRun) -> None:
    failure = Failure("missing-images", "no CT", "1.2.3.4")
    store.fail_evaluation(planned, failure)
    (status,) = store.subject_statuses()
    assert status.evaluation is not None
    assert (status.evaluation.state, status.evaluation.failure) == (EvaluationState.FAILED, failure)
    assert store.current_evaluation(SUBJECT) is None
    settle(store)
    assert len(orders(store, "evaluate-")) == 1


def test_a_failure_outside_is_tried_again_and_then_given_up(store: Store, planned: EvaluationRun) -> None:
    backoff = Backoff(first_s=60.0, factor=2.0, longest_s=90.0, attempts=3)
    failure = Failure("out-of-resources", "disk full")
    waits = []
    for run in (1, 2):
        this = EvaluationRun(SUBJECT, planned.digest, run)
        for _ in range(2):  # repeating the step changes nothing
            store.retry_evaluation(this, failure, backoff)
        latest = store.latest_evaluation(SUBJECT)
        assert latest is not None
        assert (latest.run, latest.state) == (run + 1, EvaluationState.RETRYING)
        assert latest.next_attempt_at is not None
        waits.append((latest.next_attempt_at - datetime.datetime.now(datetime.UTC)).total_seconds())
    assert waits == [pytest.approx(60, abs=5), pytest.approx(90, abs=5)]
    store.retry_evaluation(EvaluationRun(SUBJECT, planned.digest, 3), failure, backoff)
    latest = store.latest_evaluation(SUBJECT)
    assert latest is not None
    assert (latest.run, latest.state, latest.failure) == (3, EvaluationState.FAILED, failure)


def test_a_summary_belongs_to_the_running_evaluation(store: Store, planned: EvaluationRun) -> None:
    store.record_summary(SUBJECT, '{"too": "early"}')
    store.enter_stage(planned, "conclude")
    store.record_summary(SUBJECT, '{"response": "PR"}')
    store.record_results(planned, [SEG], [])
    store.record_summary(SUBJECT, '{"too": "late"}')
    current = store.current_evaluation(SUBJECT)
    assert current is not None
    assert current.summary_json == '{"response": "PR"}'
    assert store.subject_statuses()[0].time_point_ids == ("tp1",)


def test_a_delivery_waits_longer_each_time_and_is_given_up(store: Store, planned: EvaluationRun) -> None:
    store.record_results(planned, [SEG], ["pacs"])
    backoff = Backoff(first_s=100.0, factor=3.0, longest_s=500.0, attempts=4)
    waits = []
    for n in range(3):
        for _ in range(2):  # repeating the step changes nothing
            store.postpone_delivery("1.7.1", "pacs", n, Failure("delivery-failed", f"refused {n}"), backoff)
        row = store.delivery("1.7.1", "pacs")
        assert (row.state, row.attempts) == (DeliveryState.RETRYING, n + 1)
        assert row.next_attempt_at is not None
        waits.append((row.next_attempt_at - datetime.datetime.now(datetime.UTC)).total_seconds())
    assert waits == [pytest.approx(wait, abs=5) for wait in (100, 300, 500)]
    store.postpone_delivery("1.7.1", "pacs", 3, Failure("delivery-failed", "refused 3"), backoff)
    (row,) = store.deliveries(DeliveryState.FAILED)
    assert (row.attempts, row.next_attempt_at, row.last_error) == (4, None, Failure("delivery-failed", "refused 3"))
    assert orders(store, "send-") == [f"send-1.7.1-pacs-{n}" for n in range(4)]
    assert store.resume_failed_deliveries() == 1
    assert orders(store, "send-")[-1] == "send-1.7.1-pacs-4"
    store.postpone_delivery("1.7.1", "pacs", 4, Failure("delivery-failed", "refused 4"), backoff)
    row = store.delivery("1.7.1", "pacs")
    assert (row.state, row.attempts) == (DeliveryState.RETRYING, 5)
    store.confirm_delivery("1.7.1", "pacs", 5)
    store.postpone_delivery("1.7.1", "pacs", 5, Failure("delivery-failed", "too late"), backoff)
    assert store.delivery("1.7.1", "pacs").state == DeliveryState.CONFIRMED
    assert store.counts().deliveries[DeliveryState.CONFIRMED] == 1


@given(st.floats(0.01, 1e3), st.floats(1, 10), st.floats(0.01, 1e5), st.integers(1, 5000))
def test_backoff_never_shrinks_and_ends(first_s: float, factor: float, longest_s: float, attempts: int) -> None:
    backoff = Backoff(first_s, factor, longest_s, attempts)
    waits = [backoff.delay_s(tries) for tries in range(1, attempts)]
    assert backoff.delay_s(attempts) is None
    assert all(wait is not None and wait <= longest_s for wait in waits)
    assert waits == sorted(waits)  # type: ignore[type-var]
    if waits:
        assert waits[0] == min(first_s, longest_s)
