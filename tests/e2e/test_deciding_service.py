"""What may change a response, through the service: received, evaluated, on the status page, in the delivered report."""

import time
from pathlib import Path
from typing import Any

import httpx
import pydicom
import pytest
from typer.testing import CliRunner

from dicom_node.sender import send
from dicom_node.storage_scp import StorageScp
from tumorresp.service.cli.main import app
from tumorresp.service.demo import running_service_process
from tumorresp.service.stand_in_pacs import StandInPacs, free_port

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400), pytest.mark.xdist_group("bad-input")]
WORDS = "Measured more than once at this time point"


def test_two_outlines_of_one_tumour_are_said_everywhere(real_data: Path, tmp_path: Path):
    folder = real_data / "cases" / "05-two-observers-gtv"
    if not folder.is_dir():
        pytest.skip("the real test data hold no such case")
    files = sorted(path for path in folder.rglob("*.dcm"))
    pacs = StandInPacs("receives", free_port(), None, tmp_path / "pacs")
    with (
        StorageScp(tmp_path / "pacs", ae_title="PACS", port=pacs.port) as scp,
        running_service_process(tmp_path / "service", pacs, radiomics="false", quiet_seconds="1") as node,
    ):
        send(files, node.destination)
        state = _state_with_results(node.api)
        assert [item["message"].startswith("Baseline, T01: " + WORDS) for item in state["deciding"]] == [True]
        page = httpx.get(node.api, timeout=30).text
        assert "May change a response" in page
        assert WORDS in page
        shown = CliRunner().invoke(app, ["status"], env={"TUMORRESP_DATA_DIR": str(tmp_path / "service")})
        assert f"Baseline, T01: {WORDS}" in " ".join(shown.output.split())
        assert sum(scp.counts.values()) >= 2
    reports = [pydicom.dcmread(path) for path in (tmp_path / "pacs").rglob("*") if path.is_file()]
    (report,) = (item for item in reports if item.Modality == "SR")
    assert any(f"Baseline, T01: {WORDS}" in text for text in _texts(report))


def _state_with_results(api: str) -> dict[str, Any]:
    deadline = time.monotonic() + 180
    state: dict[str, Any] = {}
    while time.monotonic() < deadline:
        state = httpx.get(f"{api}/api/status", timeout=30).json()
        if state["deciding"] and state["counts"]["deliveries"]["confirmed"] >= 2:
            return state
        time.sleep(0.3)
    pytest.fail(f"not reached: {state}")


def _texts(item: pydicom.Dataset) -> list[str]:
    own = [str(item.TextValue)] if item.get("ValueType") == "TEXT" else []
    return [*own, *(text for child in item.get("ContentSequence", ()) for text in _texts(child))]
