"""A service with toy stations, in processes of their own so that tests can kill them.

Started once, it imports everything and then forks a service for every line that it reads: FOLDER DATABASE_URL
EXECUTOR_ID LISTEN; it answers with the process ID. That saves each of many restarts the seconds of importing.

A service receives three subjects' series (LISTEN = 1; again at every start, as a sender does that got no answer),
evaluates them, and delivers each object to a file that stands for the PACS, which refuses every object once. The
subject POISON takes the process down in the middle of its work.
"""

import hashlib
import os
import signal
import sys
import time
from pathlib import Path

import dbos._workflow_commands as engine_jobs

from tumorresp.domain.errors import DeliveryFailed
from tumorresp.domain.identity import derived_uid, pseudonym
from tumorresp.ports import ResultFile
from tumorresp.service.pipeline.durable import DurableEngine, EngineSettings
from tumorresp.service.pipeline.line import LineSettings
from tumorresp.service.store import Backoff, ReceivedInstance, Store

engine_jobs._BACKGROUND_JOBS_INTERVAL_SEC = 0.1  # delayed workflows are looked for once a second otherwise

PATIENTS = ("A", "B", "C")
POISON = "POISON"
UNITS = 6


def append(log: Path, line: str) -> None:
    """Add a line to a log in one durable write."""
    file = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(file, f"{line}\n".encode())
    os.fsync(file)
    os.close(file)


class ToyStations:
    """Units are files named by their subject; objects are named by the inputs."""

    def __init__(self, store: Store, folder: Path) -> None:
        self._store = store
        self._folder = folder

    def plan(self, subject_key: str) -> tuple[str, ...]:
        return tuple(f"unit-{number}" for number in range(UNITS))

    def segment(self, subject_key: str, unit: str) -> None:
        append(self._folder / "units.txt", f"{subject_key} {unit}")
        if subject_key == pseudonym(POISON):
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(0.05)
        (self._folder / f"{subject_key}-{unit}").write_text(unit)

    def conclude(self, subject_key: str) -> tuple[ResultFile, ...]:
        inputs = [instance.sha256 for instance in self._store.instances_of_subject(subject_key)]
        masks = [(self._folder / f"{subject_key}-unit-{number}").read_text() for number in range(UNITS)]
        content = hashlib.sha256(repr((inputs, masks)).encode()).hexdigest()
        results = []
        for kind in ("SEG", "SR"):
            uid = derived_uid(kind, content)
            path = self._folder / f"{uid}.dcm"
            path.write_text(f"{kind} {content}")
            results.append(ResultFile(kind, path, "tp1", hashlib.sha256(path.read_bytes()).hexdigest(), uid))
        return tuple(results)


def send(path: Path, destination: str) -> None:
    """Refuse an object once, then take it."""
    refused = path.with_suffix(".refused")
    if not refused.exists():
        refused.touch()
        raise DeliveryFailed("not now", where=destination)
    append(path.with_name("pacs.txt"), f"{path.stem} {hashlib.sha256(path.read_bytes()).hexdigest()}")


def instances(patient: str) -> list[ReceivedInstance]:
    """One series of a patient."""
    return [
        ReceivedInstance(
            f"1.2.{ord(patient[0])}.{number}",
            f"sha-{patient}-{number}",
            Path("/received"),
            "1.2.840.10008.5.1.4.1.1.2",
            "CT",
            f"1.2.{ord(patient[0])}",
            f"1.2.{ord(patient[0])}.0",
            patient,
            "SCANNER",
        )
        for number in range(1, 6)
    ]


def serve(folder: Path, url: str, executor_id: str, listen: bool) -> None:
    """Serve until killed."""
    store = Store(url)
    # Kills by the test are no poison: enough of them are allowed, except where the poison is tested.
    with_poison = (folder / "poison").exists()
    line = LineSettings(
        quiet_seconds=0.4,
        destinations=("pacs",),
        delivery_backoff=Backoff(0.2, 2.0, 1.0),
        evaluation_backoff=Backoff(0.2, 2.0, 1.0),
        crash_limit=2 if with_poison else 12,
    )
    settings = EngineSettings(line, executor_id=executor_id, workers=2, polling_s=0.05, grace_s=1.0)
    DurableEngine(settings, store, ToyStations(store, folder), send).launch()
    append(folder / "ready.txt", executor_id)
    if listen:
        for patient in (POISON, *PATIENTS) if with_poison else PATIENTS:
            for instance in instances(patient):
                store.index_received(instance)
    while True:
        time.sleep(60)


def main() -> None:
    """Fork a service for every line of standard input."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the killed
    for line in sys.stdin:
        folder, url, executor_id, listen = line.split()
        child = os.fork()
        if child == 0:
            log = os.open(Path(folder) / "log.txt", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
            os.dup2(log, 1)
            os.dup2(log, 2)
            serve(Path(folder), url, executor_id, listen == "1")
        print(child, flush=True)  # noqa: T201  the answer to the test


if __name__ == "__main__":
    main()
