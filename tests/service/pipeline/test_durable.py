"""The line from a received instance to a confirmed delivery, within one process."""

import errno
import itertools
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import dbos._workflow_commands as engine_jobs
import pytest
import structlog

from tumorresp.domain.errors import DeliveryFailed, InvalidMeasurement, InvalidSettings, OutOfResources
from tumorresp.domain.identity import pseudonym
from tumorresp.ports import ResultFile
from tumorresp.service.pipeline import line
from tumorresp.service.pipeline.durable import DurableEngine, EngineSettings
from tumorresp.service.pipeline.line import LineSettings
from tumorresp.service.store import Backoff, DeliveryState, EvaluationState, ReceivedInstance, Store, evaluation_ledger
from tumorresp.service.store.worker_locks import DataFolderLock

MakeInstance = Callable[..., ReceivedInstance]
SUBJECT = pseudonym("SUBJECT 1")
QUICK = Backoff(first_s=0.1, factor=2.0, longest_s=5.0, attempts=3)


@pytest.fixture(autouse=True)
def _quick_delays(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look for delayed workflows more often than once a second, and try again sooner."""
    monkeypatch.setattr(engine_jobs, "_BACKGROUND_JOBS_INTERVAL_SEC", 0.05)
    monkeypatch.setattr(line, "_DEFECT_INTERVAL_S", 0.05)


class ToyStations:
    """One object per subject, named by its instances; what is called is noted, and ``trouble`` may be raised."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.calls: list[str] = []
        self.trouble: Iterator[Exception | None] = iter(())
        self.during_segment: Callable[[], object] = lambda: None

    def plan(self, subject_key: str) -> tuple[str, ...]:
        self.calls.append("plan")
        return ("one", "two")

    def segment(self, subject_key: str, unit: str) -> None:
        self.calls.append(f"segment {unit}")
        self.during_segment()
        error = next(self.trouble, None)
        if error is not None:
            raise error

    def conclude(self, subject_key: str) -> tuple[ResultFile, ...]:
        self.calls.append("conclude")
        held = "-".join(instance.sop_instance_uid for instance in self.store.instances_of_subject(subject_key))
        self.store.record_summary(subject_key, f'{{"made from": "{held}"}}')
        return (
            ResultFile("SR", Path(f"/made/{held}.dcm"), "tp1", f"sha-{held}", f"9.{held}"),
            ResultFile("HTML", Path("/made/report.html"), "tp1", "sha"),
        )


class Pacs:
    """Notes what is sent; refuses as long as ``refusals`` last."""

    def __init__(self) -> None:
        self.refusals: Iterator[Exception | None] = iter(())
        self.sent: list[str] = []
        self.times: list[float] = []

    def send(self, path: Path, destination: str) -> None:
        self.times.append(time.monotonic())
        error = next(self.refusals, None)
        if error is not None:
            raise error
        self.sent.append(f"{path.stem} to {destination}")


@pytest.fixture
def stations(store: Store) -> ToyStations:
    return ToyStations(store)


@pytest.fixture
def pacs() -> Pacs:
    return Pacs()


@pytest.fixture
def engine(store: Store, stations: ToyStations, pacs: Pacs) -> Iterator[Callable[..., DurableEngine]]:
    """Make a launched engine; it is shut down after the test."""
    made: list[DurableEngine] = []

    def launch(**options: object) -> DurableEngine:
        settings = LineSettings(
            **{"quiet_seconds": 0.3, "destinations": ("pacs",), "delivery_backoff": QUICK, "evaluation_backoff": QUICK}
            | options  # type: ignore[arg-type]
        )
        made.append(DurableEngine(EngineSettings(settings, polling_s=0.05), store, stations, pacs.send))
        made[-1].launch()
        return made[-1]

    yield launch
    for one in made:
        one.shutdown()


def wait_until(happened: Callable[[], object], patience_s: float = 15.0) -> None:
    give_up_at = time.monotonic() + patience_s
    while not happened():
        assert time.monotonic() < give_up_at, "it did not happen"
        time.sleep(0.02)


def state(store: Store, subject: str = SUBJECT) -> EvaluationState | None:
    latest = store.latest_evaluation(subject)
    return latest.state if latest else None


def confirmed(store: Store) -> int:
    return store.counts().deliveries[DeliveryState.CONFIRMED]


def test_a_series_is_evaluated_when_quiet_and_again_when_late_data_come(
    store: Store, stations: ToyStations, pacs: Pacs, engine: Callable[..., DurableEngine], instance: MakeInstance
) -> None:
    engine()
    for number in range(1, 6):  # 0.5 s in all, longer than the quiet time
        store.index_received(instance(number))
        time.sleep(0.1)
    assert stations.calls == []
    wait_until(lambda: confirmed(store) == 1)
    assert stations.calls == ["plan", "segment one", "segment two", "conclude"]
    store.index_received(instance(6))
    wait_until(lambda: confirmed(store) == 2)
    assert len(stations.calls) == 8
    everything = "-".join(f"1.2.3.{number}" for number in range(1, 7))
    assert pacs.sent[-1] == f"{everything} to pacs"
    current = store.current_evaluation(SUBJECT)
    assert current is not None
    assert (current.sequence, current.summary_json) == (2, f'{{"made from": "{everything}"}}')
    assert [made.sop_instance_uid for made in store.current_objects(SUBJECT)] == [f"9.{everything}"]


def test_data_that_come_during_an_evaluation_make_it_superfluous(
    store: Store, stations: ToyStations, pacs: Pacs, engine: Callable[..., DurableEngine], instance: MakeInstance
) -> None:
    late = iter([instance(2)])
    stations.during_segment = lambda: [store.index_received(one) for one in itertools.islice(late, 1)]
    engine()
    store.index_received(instance(1))
    wait_until(lambda: confirmed(store) == 1)
    assert stations.calls == ["plan", "segment one", "plan", "segment one", "segment two", "conclude"]
    assert pacs.sent == ["1.2.3.1-1.2.3.2 to pacs"]
    assert len(store.deliveries()) == 1


def test_evaluating_again_sends_nothing_that_was_confirmed(
    store: Store, stations: ToyStations, pacs: Pacs, engine: Callable[..., DurableEngine], instance: MakeInstance
) -> None:
    running = engine(destinations=("pacs", "archive"))
    store.index_received(instance(1))
    wait_until(lambda: confirmed(store) == 2)
    assert running.evaluate_again(SUBJECT)
    assert not running.evaluate_again(pseudonym("nobody"))
    wait_until(lambda: stations.calls.count("conclude") == 2 and state(store) == EvaluationState.DONE)
    time.sleep(0.3)
    assert sorted(pacs.sent) == ["1.2.3.1 to archive", "1.2.3.1 to pacs"]


def test_bad_input_is_shown_with_its_reason_and_the_next_subject_is_unharmed(
    store: Store, stations: ToyStations, engine: Callable[..., DurableEngine], instance: MakeInstance
) -> None:
    stations.trouble = iter([InvalidMeasurement("zero length", where="1.2.3.4", remedy="Measure again.")])
    engine()
    store.index_received(instance(1))
    wait_until(lambda: state(store) == EvaluationState.FAILED)
    store.index_received(instance(1, series="1.5", patient="SUBJECT 2"))
    wait_until(lambda: confirmed(store) == 1)
    latest = store.latest_evaluation(SUBJECT)
    assert latest is not None
    assert latest.failure is not None
    assert (latest.failure.code, latest.failure.message) == ("invalid-measurement", "zero length Measure again.")
    assert stations.calls[:2] == ["plan", "segment one"]  # tried once: trying again cannot help
    assert state(store, pseudonym("SUBJECT 2")) == EvaluationState.DONE
    assert store.workflows_in_trouble() == ()


def test_a_defect_is_tried_three_times_and_its_words_stay_out_of_records_and_logs(
    store: Store, stations: ToyStations, engine: Callable[..., DurableEngine], instance: MakeInstance
) -> None:
    stations.trouble = iter([KeyError("DOE^JANE")] * 3)
    with structlog.testing.capture_logs() as logs:
        engine()
        store.index_received(instance(1))
        wait_until(lambda: state(store) == EvaluationState.FAILED)
    latest = store.latest_evaluation(SUBJECT)
    assert latest is not None
    assert latest.failure is not None
    assert latest.failure.code == "error"
    assert "KeyError at test_durable.py:" in latest.failure.message
    assert stations.calls == ["plan", *["segment one"] * 3]
    assert any(log["event"] == "evaluation failed" for log in logs)
    assert "DOE" not in f"{latest} {logs}"
    assert "SUBJECT 1" not in f"{logs}"


def test_a_passing_defect_does_no_harm(
    store: Store, stations: ToyStations, engine: Callable[..., DurableEngine], instance: MakeInstance
) -> None:
    stations.trouble = iter([RuntimeError("flaky"), None, None])
    engine()
    store.index_received(instance(1))
    wait_until(lambda: confirmed(store) == 1)
    assert stations.calls == ["plan", "segment one", "segment one", "segment two", "conclude"]


def test_a_full_disk_is_waited_for(
    store: Store, stations: ToyStations, engine: Callable[..., DurableEngine], instance: MakeInstance
) -> None:
    stations.trouble = iter([OutOfResources("disk full"), OutOfResources("disk full")])
    engine()
    store.index_received(instance(1))
    wait_until(lambda: confirmed(store) == 1)
    current = store.current_evaluation(SUBJECT)
    assert current is not None
    assert (current.run, current.failure) == (3, None)


def test_deliveries_wait_longer_each_time_even_over_a_restart_and_are_given_up(
    store: Store, pacs: Pacs, engine: Callable[..., DurableEngine], instance: MakeInstance
) -> None:
    backoff = Backoff(first_s=0.4, factor=2.0, longest_s=60.0, attempts=4)
    pacs.refusals = iter([DeliveryFailed("refused"), OSError("no route"), *[DeliveryFailed("refused again")] * 2])
    first = engine(delivery_backoff=backoff)
    store.index_received(instance(1))
    wait_until(lambda: len(store.deliveries()) == 1 and store.deliveries()[0].attempts == 2)
    first.shutdown()
    (waiting,) = store.deliveries(DeliveryState.RETRYING)
    assert waiting.last_error is not None
    assert (waiting.last_error.code, waiting.next_attempt_at is not None) == ("delivery-failed", True)
    assert "OSError" in waiting.last_error.message
    engine(delivery_backoff=backoff)
    wait_until(lambda: store.counts().deliveries[DeliveryState.FAILED] == 1)
    waits = [later - earlier for earlier, later in itertools.pairwise(pacs.times)]
    assert len(waits) == 3
    assert all(wait >= least for wait, least in zip(waits, (0.4, 0.8, 1.6), strict=True))
    assert store.resume_failed_deliveries() == 1
    wait_until(lambda: confirmed(store) == 1)
    assert pacs.sent == ["1.2.3.1 to pacs"]


def test_a_report_under_another_patient_id_counts_for_the_subject_it_is_linked_to(
    store: Store, stations: ToyStations, pacs: Pacs, instance: MakeInstance
) -> None:
    def subjects_of_series(series_uid: str) -> tuple[str, ...]:
        if series_uid == "1.8":
            raise ValueError("cannot be read")
        if series_uid == "1.9":
            store.link_series_to_subject(series_uid, SUBJECT)
        return (SUBJECT,)

    settings = LineSettings(quiet_seconds=0.2, destinations=("pacs",))
    with DurableEngine(EngineSettings(settings, polling_s=0.05), store, stations, pacs.send, subjects_of_series):
        store.index_received(instance(1))
        wait_until(lambda: pacs.sent == ["1.2.3.1 to pacs"])
        store.index_received(instance(1, series="1.9", patient="TRIAL 7"))
        wait_until(lambda: pacs.sent[1:] == ["1.2.3.1-1.9.1 to pacs"])
        store.index_received(instance(1, series="1.8", patient="TRIAL 8"))
        wait_until(lambda: pacs.sent[2:] == ["1.8.1 to pacs"])
    (record,) = store.quarantined()
    assert (record.path, record.code) == ("series 1.8", "error")
    assert "ValueError" in record.message
    assert store.latest_evaluation(pseudonym("TRIAL 7")) is None


def test_a_second_service_on_the_same_file_is_refused(
    store: Store, engine: Callable[..., DurableEngine], instance: MakeInstance
) -> None:
    assert store.file is not None
    other = DataFolderLock(store.file)
    with pytest.raises(InvalidSettings, match="another service already uses this data folder"):
        engine()
    other.close()
    running = engine()
    with pytest.raises(InvalidSettings, match="runs already"):
        running.launch()
    with pytest.raises(InvalidSettings):
        DataFolderLock(store.file)
    running.shutdown()
    DataFolderLock(store.file).close()


@pytest.mark.parametrize("number", [errno.ENOENT, errno.EACCES, errno.ESTALE, errno.EIO, errno.ENOSPC])
def test_an_input_that_cannot_be_read_now_is_tried_again(
    store: Store, stations: ToyStations, engine: Callable[..., DurableEngine], instance: MakeInstance, number: int
) -> None:
    """A file system that is away is no fault of the subject."""
    error = OSError(number, os.strerror(number), "/data/incoming/ab.dcm")
    stations.trouble = iter([error, error, None, None])
    store.index_received(instance(1))
    engine()
    wait_until(lambda: state(store) is EvaluationState.RETRYING)
    failure = store.latest_evaluation(SUBJECT).failure
    assert failure is not None
    assert failure.code == ("out-of-resources" if number == errno.ENOSPC else "outside-failure")
    assert failure.where == "ab.dcm"
    wait_until(lambda: confirmed(store) == 1)
    assert state(store) is EvaluationState.DONE


def test_an_error_of_a_library_that_only_looks_like_the_disk_s_is_no_reason_to_wait(
    store: Store, stations: ToyStations, engine: Callable[..., DurableEngine], instance: MakeInstance
) -> None:
    stations.trouble = iter([OSError("broken data stream")] * 3)
    store.index_received(instance(1))
    engine()
    wait_until(lambda: state(store) is EvaluationState.FAILED)
    assert "unexpected failure: OSError" in store.latest_evaluation(SUBJECT).failure.message


def test_a_series_whose_subjects_cannot_be_read_now_is_looked_at_again(
    store: Store, stations: ToyStations, pacs: Pacs, instance: MakeInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evaluation_ledger, "_LOOK_AGAIN_S", 0.1)
    looks = iter([FileNotFoundError(errno.ENOENT, "no such file", "/data/ab.dcm"), None])

    def subjects(_series_uid: str) -> tuple[str, ...]:
        error = next(looks)
        if error is not None:
            raise error
        return ()

    settings = LineSettings(quiet_seconds=0.2, destinations=("pacs",), delivery_backoff=QUICK)
    store.index_received(instance(1))
    with DurableEngine(EngineSettings(settings, polling_s=0.05), store, stations, pacs.send, subjects):
        wait_until(lambda: confirmed(store) == 1)
    assert [entry.code for entry in store.quarantined()] == ["outside-failure"]
