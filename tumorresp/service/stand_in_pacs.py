"""A PACS for the demo and for trying things out: Orthanc where it is installed, else our own storage SCP."""

import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from dicom_node.storage_scp import StorageScp
from tumorresp.domain.errors import OutsideFailure

AE_TITLE = "PACS"


@dataclass(frozen=True)
class StandInPacs:
    """A running PACS; ``http_port`` is None for our own storage SCP, which has no web interface."""

    name: str
    port: int
    http_port: int | None
    folder: Path


def free_port() -> int:
    """Return a TCP port of this machine that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def stand_in_pacs(folder: Path) -> Iterator[StandInPacs]:
    """Run a PACS on free ports of this machine until the context ends.

    Raises
    ------
    OutsideFailure
        If Orthanc is installed but does not start.
    """
    folder.mkdir(parents=True, exist_ok=True)
    orthanc = shutil.which("Orthanc") or shutil.which("Orthanc", path="/usr/sbin:/usr/local/sbin")
    if orthanc is None:
        port = free_port()
        with StorageScp(folder, ae_title=AE_TITLE, port=port):
            yield StandInPacs("storage SCP of tumorresp", port, None, folder)
        return
    with _orthanc(orthanc, folder) as pacs:
        yield pacs


@contextmanager
def _orthanc(program: str, folder: Path) -> Iterator[StandInPacs]:
    dicom_port, http_port = free_port(), free_port()
    configuration = {
        "Name": "tumorresp demo",
        "StorageDirectory": str(folder / "storage"),
        "IndexDirectory": str(folder / "index"),
        "DicomAet": AE_TITLE,
        "DicomPort": dicom_port,
        "HttpPort": http_port,
        "RemoteAccessAllowed": False,
        "AuthenticationEnabled": False,
        "DicomAlwaysAllowStore": True,
        "DicomAlwaysAllowEcho": True,
        "UnknownSopClassAccepted": True,
        "OverwriteInstances": True,
        "Plugins": [],
    }
    path = folder / "orthanc.json"
    path.write_text(json.dumps(configuration), "utf-8")
    log = (folder / "orthanc.log").open("wb")
    # Without TCP_NODELAY each image waits 40 ms for an acknowledgement.
    process = subprocess.Popen(  # noqa: S603  the program was found on the system path
        [program, str(path)], stdout=log, stderr=log, env={**os.environ, "TCP_NODELAY": "1"}
    )
    try:
        _wait_for(f"http://127.0.0.1:{http_port}/system", process, folder / "orthanc.log")
        yield StandInPacs("Orthanc", dicom_port, http_port, folder)
    finally:
        process.terminate()
        process.wait(timeout=20)
        log.close()


def _wait_for(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(200):
        if process.poll() is not None:
            break
        try:
            if httpx.get(address, timeout=2).status_code == httpx.codes.OK:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.1)
    raise OutsideFailure("Orthanc did not start; its log says why.", where=log.name)


def stored_objects(pacs: StandInPacs) -> list[tuple[str, str, str]]:
    """Return (modality, SOP Instance UID, series description) of everything that the PACS holds.

    Raises
    ------
    OutsideFailure
        If the PACS cannot be asked because it has no web interface.
    """
    if pacs.http_port is None:
        raise OutsideFailure("this storage SCP cannot be queried.", where=pacs.name)
    base = f"http://127.0.0.1:{pacs.http_port}"
    found = []
    for instance in httpx.get(f"{base}/instances?expand", timeout=30).json():
        series = httpx.get(f"{base}/series/{instance['ParentSeries']}", timeout=30).json()["MainDicomTags"]
        uid = instance["MainDicomTags"]["SOPInstanceUID"]
        found.append((series.get("Modality", ""), uid, series.get("SeriesDescription", "")))
    return sorted(found)
