"""The line as workflows: when a series settles, how a subject is evaluated, how an object is delivered.

Each workflow is a list of steps; DBOS keeps what a finished step returned and goes on from there after a crash. Steps
run at least once. Their arguments and results are plain values, since the database outlives this code.
"""

import datetime
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import structlog
from dbos import DBOS, StepOptions
from dbos import error as dbos_error

from tumorresp.domain.disk_failures import disk_failure, is_of_the_disk
from tumorresp.domain.errors import OutsideFailure, TumorRespError
from tumorresp.ports import ResultFile
from tumorresp.service.store.records import Backoff, DeliveryState, EvaluationRun, Failure
from tumorresp.service.store.store import Store
from tumorresp.service.unexpected_failure import kind_and_place

_log = structlog.get_logger()

Send = Callable[[Path, str], None]
"""Sends a DICOM file to the destination of that name; raises ``DeliveryFailed`` when it was not taken."""

SubjectsOfSeries = Callable[[str], Sequence[str]]
"""Links a complete series to its subjects where its PatientID does not say it; returns all keys to evaluate."""


class Stations(Protocol):
    """The work that is done for a subject; every method may run again at any time and finds its own work then.

    Each raises a `TumorRespError` when the subject cannot be evaluated; what concerns one input only is recorded by
    the stations themselves (quarantine, waiting), and the rest goes on.
    """

    def plan(self, subject_key: str) -> tuple[str, ...]:
        """Read the subject's inputs and return the units of work (opaque words)."""
        ...

    def segment(self, subject_key: str, unit: str) -> None:
        """Do one unit of work and keep its result on disk."""
        ...

    def conclude(self, subject_key: str) -> tuple[ResultFile, ...]:
        """Assess the subject and write all results; the same inputs give the same UIDs."""
        ...


@dataclass(frozen=True)
class LineSettings:
    """How the line behaves.

    Parameters
    ----------
    quiet_seconds
        A series without news for this long is complete.
    settings_digest
        Digest of all settings that change results; part of every evaluation's identity.
    destinations
        Names of where results go.
    delivery_backoff, evaluation_backoff
        Waits between tries of a delivery, and of an evaluation that failed for want of something outside.
    crash_limit
        A stage that took the process down this often is given up, and the subject shown as failed. Each restart in
        the middle of a stage counts, so a machine that is often restarted wants a higher number.
    """

    quiet_seconds: float = 30.0
    settings_digest: str = ""
    destinations: tuple[str, ...] = ()
    delivery_backoff: Backoff = field(default_factory=Backoff)
    evaluation_backoff: Backoff = field(default_factory=lambda: Backoff(first_s=30.0, attempts=10))
    crash_limit: int = 12


class UnexpectedFailure(Exception):
    """A defect or a failure that nobody foresaw: kind and place only, since its words may hold patient data."""


PlainFailure: TypeAlias = tuple[str, str, str, bool]
"""Code, message, place, and whether trying again may help."""

_SUPERSEDED: PlainFailure = ("superseded", "", "", False)
# The database was away or full: the work is kept and waits for it.
_PATIENT_ATTEMPTS = 10_000
_PATIENT_INTERVAL_S = 5.0
# First wait before work that failed unexpectedly is tried again; the second is twice as long.
_DEFECT_INTERVAL_S = 1.0


class Line:
    """The bodies of the workflows, for one process."""

    def __init__(
        self,
        settings: LineSettings,
        store: Store,
        stations: Stations,
        send: Send,
        subjects_of_series: SubjectsOfSeries,
        listening_since: datetime.datetime,
    ) -> None:
        self._settings = settings
        self._store = store
        self._stations = stations
        self._send = send
        self._subjects_of_series = subjects_of_series
        self._listening_since = listening_since

    def settle(self, series_uid: str, generation: int, n: int) -> None:
        """Look for the ``n``-th time whether a series is quiet; if so plan its subjects, else look again later."""
        settings = self._settings
        due_s = self._stored(
            self._store.seconds_until_quiet, series_uid, generation, settings.quiet_seconds, self._listening_since
        )
        if due_s is None:
            return
        subjects: list[str] | None = None
        if due_s == 0:
            subjects, failure = self._worked("subjects", lambda: list(self._subjects_of_series(series_uid)), [])
            if failure is not None:
                self._stored(self._store.quarantine, f"series {series_uid}", *failure[:3])
                if failure[3]:  # something outside failed: look again
                    subjects = None
        self._stored(
            self._store.settle_series,
            (series_uid, generation, n),
            settings.quiet_seconds,
            self._listening_since,
            subjects,
            settings.settings_digest,
        )

    def evaluate(self, subject_key: str, digest: str, run: int) -> str:
        """Evaluate a subject: plan, segment each unit, conclude, order the deliveries; return how it ended."""
        this = EvaluationRun(subject_key, digest, run)
        units, failure = self._stage(this, "plan", lambda: list(self._stations.plan(subject_key)), [])
        for number, unit in enumerate(units, start=1):
            if failure is not None:
                break
            _, failure = self._stage(
                this, f"segment {number} of {len(units)}", _bound(self._stations.segment, subject_key, unit), None
            )
        results: list[dict[str, str]] = []
        if failure is None:
            results, failure = self._stage(
                this, "conclude", lambda: [_plain(result) for result in self._stations.conclude(subject_key)], []
            )
        if failure is not None:
            return self._end_without_results(this, failure)
        recorded = self._stored(
            self._store.record_results, this, [_result_file(plain) for plain in results], self._settings.destinations
        )
        return "done" if recorded else "superseded"

    def deliver(self, sop_instance_uid: str, destination: str, n: int) -> None:
        """Try to send an object after ``n`` tries; when it is not taken, the next try is a workflow of its own."""
        delivery = self._stored(self._pending_delivery, sop_instance_uid, destination)
        if delivery is None:
            return
        _, failure = self._worked(
            "send", lambda: self._send(Path(delivery), destination), None, attempts=1, code="delivery-failed"
        )
        if failure is None:
            self._stored(self._store.confirm_delivery, sop_instance_uid, destination, n)
            _log.info("delivered", sop_instance_uid=sop_instance_uid, destination=destination, attempt=n + 1)
            return
        _log.warning("not delivered", sop_instance_uid=sop_instance_uid, destination=destination, reason=failure[0])
        self._stored(
            self._store.postpone_delivery,
            sop_instance_uid,
            destination,
            n,
            Failure(*failure[:3]),
            self._settings.delivery_backoff,
        )

    def _pending_delivery(self, sop_instance_uid: str, destination: str) -> str | None:
        delivery = self._store.delivery(sop_instance_uid, destination)
        return None if delivery.state == DeliveryState.CONFIRMED else str(delivery.path)

    def _end_without_results(self, run: EvaluationRun, failure: PlainFailure) -> str:
        if failure == _SUPERSEDED:
            return "superseded"
        _log.warning("evaluation failed", subject=run.subject_key, reason=failure[0], where=failure[2])
        *words, again = failure
        if again:
            self._stored(self._store.retry_evaluation, run, Failure(*words), self._settings.evaluation_backoff)
            return "retrying"
        self._stored(self._store.fail_evaluation, run, Failure(*words))
        return "failed"

    def _stage(
        self, run: EvaluationRun, stage: str, work: Callable[[], Any], nothing: Any
    ) -> tuple[Any, PlainFailure | None]:
        """Do a stage of an evaluation as one step, unless a newer evaluation made it superfluous."""

        def enter_and_work() -> Any:
            # Only the first attempt of a step counts: the others follow an exception, not a crash.
            if not DBOS.step_status or not DBOS.step_status.current_attempt:
                starts = self._store.enter_stage(run, stage)
                if starts is None:
                    return _Refusal(_SUPERSEDED)
                if starts > self._settings.crash_limit:
                    message = f"the process ended {self._settings.crash_limit} times in the middle of this stage"
                    return _Refusal(("crashed", message, stage, False))
            return work()

        return self._worked(stage, enter_and_work, nothing)

    def _worked(
        self, name: str, work: Callable[[], Any], nothing: Any, *, attempts: int = 3, code: str = TumorRespError.code
    ) -> tuple[Any, PlainFailure | None]:
        """Do work as one step, and return its (plain) result and why it failed, if it did.

        An error that we raise on purpose is a result, and so is a failure of the disk, a missing input among them; any
        other is tried again and then recorded under ``code``.
        """

        def guarded() -> tuple[Any, PlainFailure | None]:
            try:
                result = work()
            except TumorRespError as error:
                return nothing, _plain_failure(error)
            except OSError as error:
                if not is_of_the_disk(error):
                    raise UnexpectedFailure(kind_and_place(error)) from None
                return nothing, _plain_failure(disk_failure(error))
            except Exception as error:  # noqa: BLE001  one bad study must not stop the next
                # Only kind and place leave this block: the words may hold patient data.
                raise UnexpectedFailure(kind_and_place(error)) from None
            return (nothing, result.failure) if isinstance(result, _Refusal) else (result, None)

        options: StepOptions = {
            "name": name,
            "retries_allowed": attempts > 1,
            "max_attempts": attempts,
            "interval_seconds": _DEFECT_INTERVAL_S,
        }
        try:
            return DBOS.run_step(options, guarded)
        except dbos_error.DBOSMaxStepRetriesExceeded as error:
            return nothing, (code, f"unexpected failure: {error.errors[-1]}", name, False)
        except UnexpectedFailure as error:
            return nothing, (code, f"unexpected failure: {error}", name, False)

    def _stored(self, call: Callable[..., Any], *arguments: Any) -> Any:
        """Do a transaction as one step; while the database is away or full the step waits for it."""
        options: StepOptions = {
            "name": call.__name__,
            "retries_allowed": True,
            "max_attempts": _PATIENT_ATTEMPTS,
            "interval_seconds": _PATIENT_INTERVAL_S,
            "backoff_rate": 1.0,
            "should_retry": _is_outside,
        }
        return DBOS.run_step(options, call, *arguments)


@dataclass(frozen=True)
class _Refusal:
    """Instead of a result: why a stage was not begun."""

    failure: PlainFailure


def _bound(work: Callable[[str, str], None], subject_key: str, unit: str) -> Callable[[], None]:
    return lambda: work(subject_key, unit)


def _is_outside(error: BaseException) -> bool:
    return isinstance(error, OutsideFailure)


def _plain_failure(error: TumorRespError) -> PlainFailure:
    message = f"{error.message} {error.remedy}".strip()
    return error.code, message, error.where, isinstance(error, OutsideFailure)


def _plain(result: ResultFile) -> dict[str, str]:
    return {
        "kind": result.kind,
        "path": str(result.path),
        "time_point_id": result.time_point_id,
        "sha256": result.sha256,
        "sop_instance_uid": result.sop_instance_uid,
    }


def _result_file(plain: dict[str, str]) -> ResultFile:
    return ResultFile(**{**plain, "path": Path(plain["path"])})  # type: ignore[arg-type]  # path is a Path by now
