"""Real DICOM peers for tests: Orthanc and dcmtk's storescp, on free ports of this machine.

Use the fixtures from a ``conftest.py``: ``from tests.real_servers import orthanc, storescp`` with both in ``__all__``.
"""

import json
import os
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pydicom
import pytest

_START_S = 20.0
_DICOMWEB_PLUGIN = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")
# Without it dcmtk and Orthanc wait 40 ms for an acknowledgement at each image.
_ENVIRONMENT = {**os.environ, "TCP_NODELAY": "1"}


def tool(name: str) -> str:
    """Return a Debian tool's path, or skip the test."""
    path = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
    if path is None:
        pytest.skip(f"{name} is not installed (see the Debian packages in CONTRIBUTING.md)")
    return path


def run_tool(name: str, *arguments: object, check: bool = False) -> subprocess.CompletedProcess[str]:
    """Run a Debian tool and return its exit code and what it printed."""
    command = [tool(name), *(str(argument) for argument in arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=check, env=_ENVIRONMENT)


def free_port() -> int:
    """Return a TCP port that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True)
class OrthancServer:
    """A running Orthanc; its REST API needs no password."""

    ae_title: str
    host: str
    dicom_port: int
    http_port: int

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.http_port}"

    @property
    def dicomweb_url(self) -> str | None:
        """Root of DICOMweb, None without the plug-in."""
        return f"{self.url}/dicom-web" if _DICOMWEB_PLUGIN.exists() else None

    def request(self, path: str, body: object = None, method: str = "") -> bytes:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}{path}", data=data, method=method or ("POST" if data else "GET"))
        with urllib.request.urlopen(request, timeout=60) as response:
            return bytes(response.read())

    def get(self, path: str) -> Any:
        return json.loads(self.request(path))

    def sop_instance_uids(self) -> dict[str, str]:
        """Return Orthanc's identifier of each SOP Instance UID that it holds."""
        instances = self.get("/instances?expand")
        return {instance["MainDicomTags"]["SOPInstanceUID"]: instance["ID"] for instance in instances}

    def dicom_file(self, sop_instance_uid: str) -> bytes:
        return self.request(f"/instances/{self.sop_instance_uids()[sop_instance_uid]}/file")

    def add_modality(self, name: str, ae_title: str, port: int) -> None:
        """Make a DICOM node known, so that Orthanc can send to it."""
        self.request(f"/modalities/{name}", {"AET": ae_title, "Host": "127.0.0.1", "Port": port}, "PUT")

    def send(self, modality: str, sop_instance_uids: list[str]) -> Any:
        """C-STORE instances to a modality and return Orthanc's job summary."""
        known = self.sop_instance_uids()
        body = {"Resources": [known[uid] for uid in sop_instance_uids], "Synchronous": True}
        return json.loads(self.request(f"/modalities/{modality}/store", body))

    def clear(self) -> None:
        """Delete everything that it holds."""
        for patient in self.get("/patients"):
            self.request(f"/patients/{patient}", method="DELETE")


@contextmanager
def running_orthanc(folder: Path, ae_title: str = "ORTHANC", **settings: object) -> Iterator[OrthancServer]:
    """Run Orthanc with its storage in ``folder`` until the context ends; ``settings`` go into its configuration."""
    program = tool("Orthanc")
    server = OrthancServer(ae_title, "127.0.0.1", free_port(), free_port())
    folder.mkdir(parents=True, exist_ok=True)
    configuration = {
        "Name": "test",
        "StorageDirectory": str(folder / "storage"),
        "IndexDirectory": str(folder / "index"),
        "DicomAet": ae_title,
        "DicomPort": server.dicom_port,
        "HttpPort": server.http_port,
        "RemoteAccessAllowed": False,
        "AuthenticationEnabled": False,
        "DicomAlwaysAllowEcho": True,
        "DicomAlwaysAllowStore": True,
        "DicomAlwaysAllowFind": True,
        "DicomAlwaysAllowGet": True,
        "DicomAlwaysAllowMove": True,
        "UnknownSopClassAccepted": True,
        "OverwriteInstances": True,
        "StableAge": 1,
        "Plugins": [str(_DICOMWEB_PLUGIN)] if _DICOMWEB_PLUGIN.exists() else [],
        **settings,
    }
    path = folder / "orthanc.json"
    path.write_text(json.dumps(configuration), "utf-8")
    with _running([program, str(path)], folder / "orthanc.log", server.dicom_port, server.http_port):
        yield server


@dataclass(frozen=True)
class StoreScp:
    """A running storescp of dcmtk."""

    ae_title: str
    host: str
    port: int
    folder: Path

    def sop_instance_uids(self) -> list[str]:
        """Return the UID of each file that it wrote, sorted."""
        files = (path for path in self.folder.iterdir() if path.is_file())
        return sorted(str(pydicom.dcmread(path, stop_before_pixels=True).SOPInstanceUID) for path in files)


@contextmanager
def running_storescp(folder: Path, *options: str, ae_title: str = "STORESCP") -> Iterator[StoreScp]:
    """Run storescp with its files in ``folder`` until the context ends; it keeps transfer syntaxes as they come."""
    received = folder / "received"
    received.mkdir(parents=True, exist_ok=True)
    port = free_port()
    syntaxes = () if any(option.startswith(("+x", "-x")) for option in options) else ("+xa",)
    command = [tool("storescp"), *syntaxes, "+uf", "-aet", ae_title, *options, "-od", str(received), str(port)]
    with _running(command, folder / "storescp.log", port):
        yield StoreScp(ae_title, "127.0.0.1", port, received)


@pytest.fixture(scope="session")
def orthanc(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OrthancServer]:
    """One Orthanc for the session; tests that count what it holds call ``clear()`` first."""
    with running_orthanc(tmp_path_factory.mktemp("orthanc")) as server:
        yield server


@pytest.fixture
def storescp(tmp_path: Path) -> Iterator[StoreScp]:
    """A storescp that accepts everything."""
    with running_storescp(tmp_path / "storescp") as server:
        yield server


@contextmanager
def _running(command: list[str], log: Path, *ports: int) -> Iterator[None]:
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, env=_ENVIRONMENT)
        try:
            for port in ports:
                _wait_for(port, process, log)
            yield
        finally:
            process.terminate()
            process.wait(timeout=20)


def _wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError(f"server did not start: {log.read_text('utf-8', 'replace')[-2000:]}")
