"""SIGKILL at random moments of the demo's stream: nothing is lost, nothing is sent under another UID."""

import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pydicom
import pytest

from dicom_node.phantom_reading import write_reading
from dicom_node.phantom_series import write_series
from dicom_node.sender import Destination, send
from tumorresp.domain.errors import DeliveryFailed
from tumorresp.phantom.thorax_abdomen import SMALL, PhantomSubject
from tumorresp.service.demo import AE_TITLE, start_service, wait_for_service
from tumorresp.service.stand_in_pacs import StandInPacs, free_port, stand_in_pacs, stored_objects

KILLS = 10
pytestmark = [pytest.mark.slow, pytest.mark.real_server, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def stream(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Everything that the scanner and the reader send, in their order."""
    folder = tmp_path_factory.mktemp("stream")
    files: list[Path] = []
    for scan in PhantomSubject(SMALL, reader_jitter_mm=0.3).time_points():
        images = write_series(scan, folder / f"{scan.order}" / "ct")
        files += [*images, write_reading(scan, images, folder / f"{scan.order}")]
    return files


class KilledService:
    """A service process that is killed and started again on the same data."""

    def __init__(self, data_dir: Path, pacs: StandInPacs) -> None:
        self._data_dir, self._pacs = data_dir, pacs
        self.port = free_port()
        self._lock = threading.Lock()
        self.kills = 0
        data_dir.mkdir()
        self._start()

    def _start(self) -> None:
        more = {"radiomics": "false", "quiet_seconds": "1"}
        self._process, self._log = start_service(self._data_dir, self._pacs, self.port, **more)

    def kill_and_restart(self) -> None:
        with self._lock:
            self._process.kill()
            self._process.wait()
            self.kills += 1
            self._start()

    def stop(self) -> None:
        with self._lock:
            self._process.kill()
            self._process.wait()

    def api(self) -> str:
        with self._lock:
            return wait_for_service(self._process, self._data_dir, self._log)


@contextmanager
def running(folder: Path) -> Iterator[tuple[KilledService, StandInPacs]]:
    with stand_in_pacs(folder / "pacs") as pacs:
        service = KilledService(folder / "service", pacs)
        try:
            yield service, pacs
        finally:
            service.stop()


def send_as_a_pacs_does(files: list[Path], port: int) -> None:
    """Send every file until it is answered Success, in order."""
    destination = Destination("tumorresp", AE_TITLE, "127.0.0.1", port)
    waiting = list(files)
    while waiting:
        part = waiting[:15]
        try:
            send(part, destination)
        except DeliveryFailed:
            time.sleep(0.2)
            continue
        waiting = waiting[len(part) :]


def wait_until_done(service: KilledService, objects: int) -> dict:
    deadline = time.monotonic() + 240
    state: dict = {}
    while time.monotonic() < deadline:
        state = httpx.get(f"{service.api()}/api/status", timeout=30).json()
        deliveries = state["counts"]["deliveries"]
        if deliveries["confirmed"] >= objects and not deliveries["queued"] + deliveries["retrying"]:
            return state
        time.sleep(0.3)
    pytest.fail(f"not delivered in time: {state}")


def results_in(pacs: StandInPacs) -> list[tuple[str, str]]:
    if pacs.http_port is None:
        pytest.skip("Orthanc is not installed")
    return [(modality, uid) for modality, uid, _ in stored_objects(pacs)]


def test_ten_kills_leave_what_an_undisturbed_run_leaves(stream: list[Path], tmp_path: Path):
    with running(tmp_path / "undisturbed") as (service, pacs):
        service.api()
        send_as_a_pacs_does(stream, service.port)
        wait_until_done(service, 6)
        undisturbed = results_in(pacs)
    assert Counter(modality for modality, _ in undisturbed) == {"SEG": 3, "SR": 3}

    chance = random.Random(20240115)
    with running(tmp_path / "killed") as (service, pacs):
        sender = threading.Thread(target=send_as_a_pacs_does, args=(stream, service.port))
        sender.start()
        for _ in range(KILLS):
            # Some die while starting, most while receiving, evaluating or delivering.
            if chance.random() < 0.8:
                service.api()
            time.sleep(chance.uniform(0.0, 4.0))
            service.kill_and_restart()
        sender.join(timeout=180)
        assert not sender.is_alive()
        state = wait_until_done(service, 6)
        killed = results_in(pacs)
    assert service.kills == KILLS
    assert sorted(killed) == sorted(undisturbed)
    received = {str(pydicom.dcmread(path, stop_before_pixels=True).SOPInstanceUID) for path in stream}
    assert state["counts"]["instances"] == len(received)
    assert not state["quarantined"]
