"""The demo: a phantom's three CT scans and a reader's reports through the real line, to a real PACS and back."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from rich.table import Table

from dicom_node.phantom_reading import write_reading
from dicom_node.phantom_series import write_series
from dicom_node.sender import Destination, send
from tumorresp.domain.errors import OutsideFailure
from tumorresp.domain.identity import pseudonym
from tumorresp.phantom.thorax_abdomen import FULL, PATIENT_ID, SMALL, PhantomSubject
from tumorresp.service.stand_in_pacs import AE_TITLE as PACS_AE_TITLE
from tumorresp.service.stand_in_pacs import StandInPacs, free_port, stand_in_pacs, stored_objects

AE_TITLE = "TUMORRESP"
OBJECTS_A_TIME_POINT = 2
_PATIENCE_S = 600.0


@dataclass(frozen=True)
class DemoOutcome:
    """What the demo shows at its end."""

    subject_key: str
    document: dict[str, Any]
    pacs_table: Table


def run_demo(out: Path, small: bool, progress: Callable[[str, int, int], None]) -> DemoOutcome:
    """Run the demo into an empty folder.

    Raises
    ------
    OutsideFailure
        If a part of it does not start, or the results do not arrive within ten minutes.
    """
    out.mkdir(parents=True)
    (out / "tumorresp-demo").write_text("Made by `tumorresp demo`; emptied by the next one.\n", "utf-8")
    with stand_in_pacs(out / "pacs") as pacs, running_service_process(out / "service", pacs) as node:
        sent = _send_subject(out / "sent", small, node.destination, progress)
        node.wait_until_delivered(sent * OBJECTS_A_TIME_POINT, progress)
        subject_key = pseudonym(PATIENT_ID)
        document = httpx.get(f"{node.api}/api/subjects/{subject_key}", timeout=30).json()
        table = _pacs_table(pacs, httpx.get(f"{node.api}/api/status", timeout=30).json())
    results = out / "service" / "work" / "results" / subject_key
    shutil.copytree(results, out, dirs_exist_ok=True)
    return DemoOutcome(subject_key, document, table)


@dataclass(frozen=True)
class ServiceProcess:
    """A service in a process of its own: where its listener and its API are."""

    destination: Destination
    api: str

    def wait_until_delivered(self, objects: int, progress: Callable[[str, int, int], None]) -> None:
        """Wait until that many results have been delivered and nothing is under way.

        Raises
        ------
        OutsideFailure
            If an evaluation or a delivery failed, or it takes more than ten minutes.
        """
        deadline = time.monotonic() + _PATIENCE_S
        while time.monotonic() < deadline:
            state = httpx.get(f"{self.api}/api/status", timeout=30).json()
            failures = [s["evaluation"]["failure"] for s in state["subjects"] if (s["evaluation"] or {}).get("failure")]
            if failures:
                raise OutsideFailure(failures[0]["message"], where="evaluation")
            confirmed = state["counts"]["deliveries"]["confirmed"]
            progress("Evaluating and delivering", confirmed, objects)
            if confirmed >= objects and not state["counts"]["series"]["receiving"]:
                return
            time.sleep(0.3)
        raise OutsideFailure("the results did not arrive within ten minutes.", where="demo")


@contextmanager
def running_service_process(
    data_dir: Path, pacs: StandInPacs, *, listen_port: int | None = None, **more: str
) -> Iterator[ServiceProcess]:
    """Run ``tumorresp serve`` with a data folder and a PACS as destination until the context ends.

    Parameters
    ----------
    more
        Further settings by name, as text.

    Raises
    ------
    OutsideFailure
        If the service does not start within a minute; its log is beside the data folder.
    """
    data_dir.mkdir(parents=True, exist_ok=True)
    port = listen_port or free_port()
    process, log = start_service(data_dir, pacs, port, **more)
    try:
        api = wait_for_service(process, data_dir, log)
        yield ServiceProcess(Destination("tumorresp", AE_TITLE, "127.0.0.1", port), api)
    finally:
        process.terminate()
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()


def start_service(data_dir: Path, pacs: StandInPacs, port: int, **more: str) -> tuple[subprocess.Popen[bytes], Path]:
    """Start ``tumorresp serve`` and return the process and its log file."""
    destinations = [{"name": "pacs", "ae_title": PACS_AE_TITLE, "host": "127.0.0.1", "port": pacs.port}]
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("TUMORRESP_")},
        "TUMORRESP_DATA_DIR": str(data_dir),
        "TUMORRESP_AE_TITLE": AE_TITLE,
        "TUMORRESP_LISTEN_HOST": "127.0.0.1",
        "TUMORRESP_LISTEN_PORT": str(port),
        "TUMORRESP_API_PORT": "0",
        "TUMORRESP_QUIET_SECONDS": "2",
        "TUMORRESP_DESTINATIONS": json.dumps(destinations),
        "TUMORRESP_DELIVERY_FIRST_DELAY_S": "1",
        **{f"TUMORRESP_{name.upper()}": value for name, value in more.items()},
    }
    if "TUMORRESP_MODEL_DIR" in os.environ:
        environment.setdefault("TUMORRESP_MODEL_DIR", os.environ["TUMORRESP_MODEL_DIR"])
    log = data_dir / "service.log"
    (data_dir / "api-address").unlink(missing_ok=True)
    with log.open("ab") as stream:
        process = subprocess.Popen(
            [sys.executable, "-m", "tumorresp.service.cli", "serve"], stdout=stream, stderr=stream, env=environment
        )
    return process, log


def wait_for_service(process: subprocess.Popen[bytes], data_dir: Path, log: Path) -> str:
    """Return the API's address once it answers.

    Raises
    ------
    OutsideFailure
        If the process ends or a minute passes first.
    """
    deadline = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < deadline:
        try:
            address = (data_dir / "api-address").read_text("utf-8").strip()
            httpx.get(f"{address}/api/health", timeout=5).raise_for_status()
        except (OSError, httpx.HTTPError, httpx.InvalidURL):
            time.sleep(0.1)
            continue
        return address
    raise OutsideFailure("the service did not start; its log says why.", where=str(log))


def _send_subject(
    folder: Path, small: bool, destination: Destination, progress: Callable[[str, int, int], None]
) -> int:
    """Make and send each time point, CT first; return how many there are."""
    points = 0
    for scan in PhantomSubject(SMALL if small else FULL, reader_jitter_mm=0.3).time_points():
        points += 1
        progress("Making and sending CT scans", points, 3)
        images = write_series(scan, folder / f"{scan.order}" / "ct")
        reading = write_reading(scan, images, folder / f"{scan.order}")
        send(images, destination)
        send([reading], destination)
    return points


def _pacs_table(pacs: StandInPacs, state: dict[str, Any]) -> Table:
    table = Table(title=f"In the PACS ({pacs.name})", title_justify="left", title_style="bold", header_style="bold")
    for column in ("Object", "Description", "SOP Instance UID"):
        table.add_column(column, overflow="fold")
    if pacs.http_port is not None:
        for modality, uid, description in stored_objects(pacs):
            table.add_row(modality, description, uid)
    else:
        for item in state["deliveries"]:
            table.add_row(item["kind"], "confirmed by the storage SCP", item["sop_instance_uid"])
    return table
