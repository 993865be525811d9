"""A full disk: said to the sender, shown on the page, over as soon as there is room again."""

import errno
import json
import os
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from tests.dicom_node.ct_files import ct_image, write
from tests.real_servers import free_port, run_tool
from tumorresp.domain.disk_failures import disk_failure
from tumorresp.domain.errors import OutsideFailure
from tumorresp.service.storage_watch import StorageState, StorageWatch
from tumorresp.service.store import Store
from tumorresp.service.web.app import create_app

FULL = disk_failure(OSError(errno.ENOSPC, "No space left on device"), "incoming")


def room(monkeypatch: pytest.MonkeyPatch, free_mib: int) -> None:
    usage = shutil._ntuple_diskusage(100_000 << 20, 0, free_mib << 20)  # type: ignore[attr-defined]
    monkeypatch.setattr("tumorresp.service.storage_watch.shutil.disk_usage", lambda _: usage)


@pytest.mark.parametrize(
    ("free_mib", "is_full", "words"),
    [
        (0, True, "is full"),
        (15, True, "is full"),
        (16, False, "nearly full"),
        (1023, False, "nearly"),
        (1024, False, ""),
    ],
)
def test_the_room_decides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free_mib: int, is_full: bool, words: str):
    room(monkeypatch, free_mib)
    state = StorageWatch(tmp_path).state()
    assert (state.free_mib, state.is_full) == (free_mib, is_full)
    assert words in state.message
    assert bool(words) is bool(state.message)


def test_what_was_turned_away_counts_until_something_is_stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A quota is full while the disk is not."""
    room(monkeypatch, 50_000)
    watch = StorageWatch(tmp_path)
    watch.turned_away(FULL)
    first = watch.state()
    watch.turned_away(FULL)
    state = watch.state()
    assert (state.is_full, state.turned_away, state.since) == (True, 2, first.since)
    watch.stored()
    assert watch.state() == StorageState(50_000, 100_000, False, 0, "", None)


def test_a_failure_that_is_not_for_want_of_room_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    room(monkeypatch, 50_000)
    watch = StorageWatch(tmp_path)
    watch.turned_away(OutsideFailure("the database is away."))
    assert not watch.state().is_full
    assert "the database is away." in watch.state().message


def test_a_folder_that_is_gone_is_said(tmp_path: Path):
    state = StorageWatch(tmp_path / "gone").state()
    assert state.free_mib is None
    assert "cannot be reached" in state.message


def test_the_page_the_api_and_the_metrics_show_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    store = Store(f"sqlite:///{tmp_path / 'index.sqlite'}")
    store.migrate()
    watch = StorageWatch(tmp_path)
    client = TestClient(create_app(store, tmp_path, lambda _: False, watch.state))
    room(monkeypatch, 50_000)
    assert "Storage" not in client.get("/").text
    watch.turned_away(FULL)
    page = client.get("/").text
    assert "The disk is full" in page
    assert "1 instances were turned away" in page
    state = client.get("/api/status").json()["storage"]
    assert (state["is_full"], state["turned_away"], state["free_mib"]) == (True, 1, 50_000)
    assert "tumorresp_disk_free_mib 50000.0" in client.get("/metrics").text
    assert "tumorresp_turned_away 1.0" in client.get("/metrics").text
    store.close()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "small"
    folder.mkdir()
    mount = shutil.which("mount")
    if mount is None or subprocess.run([mount, "-t", "tmpfs", "-o", "size=40m", "tmpfs", folder]).returncode != 0:
        pytest.skip("cannot mount a small file system here (needs root)")
    yield folder
    subprocess.run([shutil.which("umount"), "-l", folder], check=True)


@pytest.mark.real_server
def test_the_running_service_on_a_full_disk(small_disk: Path, tmp_path: Path):
    port, api = free_port(), free_port()
    environment = {
        **os.environ,
        "TUMORRESP_DATA_DIR": str(small_disk),
        "TUMORRESP_LISTEN_PORT": str(port),
        "TUMORRESP_API_PORT": str(api),
        "TUMORRESP_SEGMENTER": "geodesic-contour",
        "TUMORRESP_QUIET_SECONDS": "600",
    }
    images = write(tmp_path / "sent", *(ct_image(z, ImageComments="x" * 10_000) for z in (0, 5)))
    with (tmp_path / "log.txt").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "tumorresp.service.cli", "serve"], env=environment, stdout=log, stderr=log
        )
    try:
        while not (small_disk / "api-address").exists():
            assert process.poll() is None, (tmp_path / "log.txt").read_text()
            time.sleep(0.1)
        ballast = small_disk / "ballast"
        with ballast.open("wb", buffering=0) as file:
            while True:
                try:
                    file.write(bytes(4096))
                except OSError:
                    break
        refused = run_tool("storescu", "-v", "127.0.0.1", port, images[0])
        assert "Refused: OutOfResources" in refused.stderr + refused.stdout
        state = _storage(api)
        assert (state["is_full"], state["turned_away"]) == (True, 1)
        ballast.unlink()
        assert run_tool("storescu", "127.0.0.1", port, *images).returncode == 0
        state = _storage(api)
        assert (state["is_full"], state["turned_away"]) == (False, 0)
    finally:
        process.terminate()
        assert process.wait(timeout=30) == 0


def _storage(api: int) -> dict[str, object]:
    with urllib.request.urlopen(f"http://127.0.0.1:{api}/api/status", timeout=10) as response:
        found: dict[str, object] = json.load(response)["storage"]
    return found
