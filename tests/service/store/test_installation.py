"""All services of one database have one data folder, or say so before they begin."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.real_servers import free_port
from tumorresp.domain.errors import InvalidSettings, OutsideFailure
from tumorresp.service.pipeline.durable import DurableEngine, EngineSettings
from tumorresp.service.store import Store
from tumorresp.service.store.installation import MARK_FILE

pytestmark = pytest.mark.real_server


@pytest.fixture
def service(postgres_url: str) -> Iterator[Callable[[], Store]]:
    """Open the database as another service does."""
    opened: list[Store] = []

    def open_store() -> Store:
        opened.append(Store(postgres_url))
        return opened[-1]

    yield open_store
    for store in opened:
        store.close()


def folder(path: Path) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    return path


def test_one_folder_is_joined_by_any_number_of_services(service: Callable[[], Store], tmp_path: Path) -> None:
    for _ in range(3):
        service().join_installation(folder(tmp_path / "data"))
    assert len((tmp_path / "data" / MARK_FILE).read_text().strip()) == 36
    assert [path.name for path in (tmp_path / "data").iterdir()] == [MARK_FILE]


def test_services_that_start_at_once_agree(service: Callable[[], Store], tmp_path: Path) -> None:
    failures: list[Exception] = []

    def join(store: Store) -> None:
        try:
            store.join_installation(folder(tmp_path / "data"))
        except Exception as error:  # noqa: BLE001  told by the thread that started it
            failures.append(error)

    threads = [threading.Thread(target=join, args=(service(),)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def own_folder(tmp_path: Path) -> Path:
    return folder(tmp_path / "other")


def folder_of_another_database(tmp_path: Path) -> Path:
    (folder(tmp_path / "other") / MARK_FILE).write_text("1f0c8f0e-0000-4000-8000-000000000000")
    return tmp_path / "other"


def emptied_folder(tmp_path: Path) -> Path:
    """The file system that was mounted there is away."""
    (tmp_path / "data" / MARK_FILE).unlink()
    return tmp_path / "data"


def other_path(tmp_path: Path) -> Path:
    (tmp_path / "link").symlink_to(tmp_path / "data")
    return tmp_path / "link"


@pytest.mark.parametrize("second", [own_folder, folder_of_another_database, emptied_folder, other_path])
def test_another_folder_is_refused(
    service: Callable[[], Store], tmp_path: Path, second: Callable[[Path], Path]
) -> None:
    service().join_installation(folder(tmp_path / "data"))
    place = second(tmp_path)
    engine = DurableEngine(EngineSettings(data_folder=place), service(), None, None)  # type: ignore[arg-type]
    with pytest.raises(InvalidSettings, match=r"data folder.*TUMORRESP_DATA_DIR") as caught:
        engine.launch()
    assert caught.value.exit_code == 78
    if second is own_folder:
        assert not (place / MARK_FILE).exists()  # nothing was made that would be taken for a right one later


def test_a_folder_that_cannot_be_marked_is_said(service: Callable[[], Store], tmp_path: Path) -> None:
    with pytest.raises(OutsideFailure, match="not there"):
        service().join_installation(tmp_path / "nowhere")


def test_serve_ends_with_its_words_and_exit_code(
    service: Callable[[], Store], postgres_url: str, tmp_path: Path
) -> None:
    service().join_installation(folder(tmp_path / "data"))
    environment = {
        **os.environ,
        "TUMORRESP_DATA_DIR": str(tmp_path / "second"),
        "TUMORRESP_DATABASE_URL": postgres_url,
        "TUMORRESP_LISTEN_PORT": str(free_port()),
        "TUMORRESP_SEGMENTER": "geodesic-contour",
        "COLUMNS": "300",
    }
    ended = subprocess.run(
        [sys.executable, "-m", "tumorresp.service.cli", "serve"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 78
    assert "the data folder is not that of the other services of this database" in ended.stderr + ended.stdout
    assert "Traceback" not in ended.stderr
