"""Subjects that are one person in the store: joined, kept joined, doubted."""

import datetime
from collections.abc import Callable

import pytest

from tests.service.conftest import MakeInstance
from tumorresp.domain.identity import pseudonym
from tumorresp.service.store import ReceivedOutcome, Store, WaitingItem

LISTENING_SINCE = datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC)
P1, P2 = pseudonym("P1"), pseudonym("P2")


@pytest.fixture
def receive(any_store: Store, instance: MakeInstance) -> Callable[..., ReceivedOutcome]:
    def run(number: int, series: str, patient: str) -> ReceivedOutcome:
        return any_store.index_received(instance(number, series=series, patient=patient))

    return run


def test_joining_moves_every_series_and_forgets_what_waited(any_store: Store, receive: Callable[..., ReceivedOutcome]):
    receive(1, "1.2.1", "P1")
    receive(1, "1.2.2", "P2")
    receive(1, "1.2.3", "P2")
    any_store.record_waiting(P2, [WaitingItem(P2, "images-missing", "waits")])
    any_store.record_other_ids(P2, [P1, pseudonym("P9")])
    any_store.record_patient_doubt(P1, P2, "their birth dates differ")
    for _ in range(2):
        any_store.join_subject(P2, P1)
        assert {item.series_instance_uid for item in any_store.series_of_subject(P1)} == {"1.2.1", "1.2.2", "1.2.3"}
        assert any_store.series_of_subject(P2) == any_store.waiting() == any_store.patient_doubts(P1) == ()
        assert any_store.decided_links() == ((P2, P1),)
        assert any_store.subjects_naming([pseudonym("P9")]) == (P1,)


def test_what_is_linked_to_a_joined_subject_goes_where_it_went(
    any_store: Store, receive: Callable[..., ReceivedOutcome]
):
    receive(1, "1.2.1", "P1")
    receive(1, "1.2.2", "P2")
    receive(1, "1.2.9", "P9")
    any_store.join_subject(pseudonym("P3"), P2)  # nothing of P3 is here
    any_store.join_subject(P2, P1)
    any_store.link_series_to_subject("1.2.9", pseudonym("P3"))  # found out before it was joined
    assert {item.series_instance_uid for item in any_store.series_of_subject(P1)} == {"1.2.1", "1.2.2", "1.2.9"}


def test_a_joined_subjects_evaluation_is_planned_no_more(any_store: Store, receive: Callable[..., ReceivedOutcome]):
    receive(1, "1.2.1", "P1")
    receive(1, "1.2.2", "P2")
    for series in ("1.2.1", "1.2.2"):
        any_store.settle_series((series, 0, 0), 0.0, LISTENING_SINCE, (), "settings")
    assert any_store.plan_again(P2, "settings")
    any_store.join_subject(P2, P1)
    evaluation = any_store.latest_evaluation(P2)
    assert evaluation is not None
    assert evaluation.state == "superseded"
    assert not any_store.plan_again(P2, "settings")
    assert any_store.plan_again(P1, "settings")


def test_the_first_received_subject_comes_first(any_store: Store, receive: Callable[..., ReceivedOutcome]):
    receive(1, "1.2.2", "P2")
    receive(1, "1.2.1", "P1")
    assert any_store.subjects_by_arrival([P1, P2, "nobody"]) == (P2, P1)


def test_a_doubt_is_kept_once_for_both(any_store: Store):
    for _ in range(2):
        any_store.record_patient_doubt(P1, P2, "their birth dates differ")
    assert any_store.patient_doubts(P1) == ((P2, "their birth dates differ"),)
    assert any_store.patient_doubts(P2) == ((P1, "their birth dates differ"),)


def test_an_instance_of_another_patient_does_not_enter_a_series(
    any_store: Store, receive: Callable[..., ReceivedOutcome]
):
    assert receive(1, "1.2.1", "P1") is ReceivedOutcome.NEW
    assert receive(2, "1.2.1", "P2") is ReceivedOutcome.CONFLICT
    assert receive(1, "1.2.1", "P1") is ReceivedOutcome.SAME
    assert receive(3, "1.2.1", "P1") is ReceivedOutcome.NEW
    assert [item.patient_id for item in any_store.instances_of_series("1.2.1")] == ["P1", "P1"]
    (quarantined,) = any_store.quarantined()
    assert "P1" not in quarantined.message + quarantined.where
    assert "P2" not in quarantined.message + quarantined.where
