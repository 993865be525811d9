"""A reading before its CT, under another Patient ID; a PACS that is away and then refuses: all of it ends well."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pydicom
import pytest
from pydicom.dataset import Dataset

from dicom_node.sender import send
from dicom_node.storage_scp import StorageScp
from tests.service.phantom_files import copy_scan, edit
from tumorresp.domain.identity import pseudonym
from tumorresp.phantom.thorax_abdomen import PATIENT_ID
from tumorresp.service.demo import ServiceProcess, running_service_process
from tumorresp.service.stand_in_pacs import StandInPacs, free_port

CANARY = "CANARY-TRIAL-ID-0815"
pytestmark = [pytest.mark.slow, pytest.mark.timeout(400), pytest.mark.xdist_group("bad-input")]


def state_when(node: ServiceProcess, reached: Callable[[dict[str, Any]], bool], seconds: float = 120) -> dict[str, Any]:
    deadline = time.monotonic() + seconds
    state: dict[str, Any] = {}
    while time.monotonic() < deadline:
        state = httpx.get(f"{node.api}/api/status", timeout=30).json()
        if reached(state):
            return state
        time.sleep(0.3)
    pytest.fail(f"not reached: {state}")


def give_another_patient_id(reading: Dataset) -> None:
    reading.PatientID = CANARY


def test_a_reading_waits_for_its_ct_and_results_wait_for_the_pacs(tmp_path: Path):
    files = copy_scan(1, tmp_path / "in")
    edit(files.reading, give_another_patient_id)
    pacs = StandInPacs("absent at first", free_port(), None, tmp_path / "pacs")
    data = tmp_path / "service"
    with running_service_process(data, pacs, radiomics="false", quiet_seconds="1") as node:
        send([files.reading], node.destination)
        waiting = state_when(node, lambda s: bool(s["waiting"]))
        assert "has not arrived" in waiting["waiting"][0]["message"]
        assert waiting["counts"]["deliveries"]["queued"] == 0

        send(list(files.images), node.destination)
        refused = state_when(node, lambda s: s["counts"]["deliveries"]["retrying"] == 2)
        assert "does not answer" in refused["deliveries"][0]["last_error"]["message"]
        subject = httpx.get(f"{node.api}/api/subjects/{pseudonym(PATIENT_ID)}", timeout=30).json()
        assert subject["responses"][0]["recist_overall"] == "BASELINE"
        assert len(subject["lesions"]) == 5

        with StorageScp(tmp_path / "pacs", ae_title="PACS", port=pacs.port) as scp:
            state_when(node, lambda s: s["counts"]["deliveries"]["confirmed"] == 2)
            assert sorted(scp.counts.values()) == [1, 1]
            kinds = {pydicom.dcmread(scp.path_of(uid)).Modality for uid in scp.counts}
        assert kinds == {"SEG", "SR"}

        state = httpx.get(f"{node.api}/api/status", timeout=30).json()
        shown = f"{state} {httpx.get(f'{node.api}/metrics', timeout=30).text} {httpx.get(node.api, timeout=30).text}"
    log = (data / "service.log").read_text("utf-8")
    names = " ".join(str(path.relative_to(tmp_path)) for path in data.rglob("*"))
    for secret in (CANARY, PATIENT_ID, "PHANTOM^TUMORRESP"):
        assert secret not in log
        assert secret not in names
        assert secret not in shown
