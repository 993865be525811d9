"""The situations of documents and patients through C-STORE: what arrives later changes what counts."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pydicom
import pytest
from pydicom.dataset import Dataset

from dicom_node.sender import send
from tests.service.small_case import unchanged, write_ct, write_note, write_sr
from tests.service.test_patients import with_other_id
from tumorresp.domain.identity import pseudonym
from tumorresp.service.demo import ServiceProcess, running_service_process
from tumorresp.service.stand_in_pacs import StandInPacs, free_port

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400), pytest.mark.xdist_group("bad-input")]
BASE, LATER = "1.2.826.1", "1.2.826.2"


@pytest.fixture
def node(tmp_path: Path) -> Iterator[ServiceProcess]:
    """Run a service whose PACS is away."""
    pacs = StandInPacs("absent", free_port(), None, tmp_path / "pacs")
    with running_service_process(
        tmp_path / "service", pacs, radiomics="false", quiet_seconds="0.5", segmenter="geodesic-contour"
    ) as running:
        yield running


def responses_when(
    node: ServiceProcess, subject: str, reached: Callable[[list[str]], bool], seconds: float = 90
) -> list[str]:
    deadline = time.monotonic() + seconds
    found: list[str] = []
    while time.monotonic() < deadline:
        answer = httpx.get(f"{node.api}/api/subjects/{subject}", timeout=30)
        if answer.is_success:
            found = [row["recist_overall"] for row in answer.json()["responses"]]
            if reached(found):
                return found
        time.sleep(0.3)
    pytest.fail(f"not reached: {found}")


def state(node: ServiceProcess) -> dict[str, Any]:
    found: dict[str, Any] = httpx.get(f"{node.api}/api/status", timeout=30).json()
    return found


def test_a_rejection_note_takes_back_a_progression(tmp_path: Path, node: ServiceProcess):
    def japanese(dataset: Dataset) -> None:
        dataset.SpecificCharacterSet = ["", "ISO 2022 IR 87"]
        dataset.PatientName = "Test^One=山田^太郎"

    files = write_ct(tmp_path / "base", BASE, "20240110", change=japanese)
    files += write_ct(tmp_path / "later", LATER, "20240310", change=japanese)
    files.append(write_sr(tmp_path / "base.dcm", BASE, "1.2.827.1"))
    files.append(write_sr(tmp_path / "bad.dcm", LATER, "1.2.827.2", (("L1", 40.0),)))
    send(files, node.destination)
    responses_when(node, pseudonym("P1"), lambda found: found == ["BASELINE", "PD"])
    send([write_note(tmp_path / "note.dcm", LATER, "1.2.827.3", ["1.2.827.2"])], node.destination)
    responses_when(node, pseudonym("P1"), lambda found: found == ["BASELINE", "NE"])
    assert {item["code"] for item in state(node)["waiting"]} >= {"document-rejected", "rejection-note"}
    made = [pydicom.dcmread(path) for path in (tmp_path / "service" / "work" / "objects").glob("*.dcm")]
    later = [item for item in made if item.Modality == "SR" and item.StudyInstanceUID == LATER]
    named = [
        reference.ReferencedSOPInstanceUID
        for item in later
        for study in item.get("PredecessorDocumentsSequence", ())
        for series in study.ReferencedSeriesSequence
        for reference in series.ReferencedSOPSequence
    ]
    assert len(later) == 2
    assert named == [item.SOPInstanceUID for item in later if "PredecessorDocumentsSequence" not in item]


@pytest.mark.parametrize(("first", "says_it"), [("P1", "scan"), ("H2", "scan"), ("P1", "report")])
def test_the_other_hospitals_scan_joins_the_subject_that_is_here(
    tmp_path: Path, node: ServiceProcess, first: str, says_it: str
):
    base = [*write_ct(tmp_path / "base", BASE, "20240110"), write_sr(tmp_path / "base.dcm", BASE, "1.2.827.1")]
    scan = with_other_id("P1") if says_it == "scan" else unchanged
    report = with_other_id("H2") if says_it == "report" else unchanged
    later = write_ct(tmp_path / "later", LATER, "20240310", "H2", scan)
    later.append(write_sr(tmp_path / "later.dcm", LATER, "1.2.827.2", (("L1", 20.0),), change=report))
    for files in (base, later) if first == "P1" else (later, base):
        send(files, node.destination)
        subject = pseudonym(first)
        responses_when(node, subject, lambda found: bool(found))
    responses_when(node, subject, lambda found: found == ["BASELINE", "PR"])
    assert [item["subject_key"] for item in state(node)["subjects"]] == [subject]


def test_two_subjects_wait_until_somebody_links_them(tmp_path: Path, node: ServiceProcess):
    base = [*write_ct(tmp_path / "base", BASE, "20240110"), write_sr(tmp_path / "base.dcm", BASE, "1.2.827.1")]
    later = [*write_ct(tmp_path / "later", LATER, "20240310", "H2")]
    later.append(write_sr(tmp_path / "later.dcm", LATER, "1.2.827.2", (("L1", 20.0),)))
    for files, patient in ((base, "P1"), (later, "H2")):
        send(files, node.destination)
        responses_when(node, pseudonym(patient), lambda found: found == ["BASELINE"])
    assert "patient-unclear" in {item["code"] for item in state(node)["waiting"]}
    pair = {"subject": pseudonym("H2"), "same_as": pseudonym("P1")}
    answer = httpx.post(f"{node.api}/api/link", params=pair, timeout=30)
    assert answer.json() == {"subject": pseudonym("P1"), "evaluation": True}
    responses_when(node, pseudonym("P1"), lambda found: found == ["BASELINE", "PR"])
    assert "patient-unclear" not in {item["code"] for item in state(node)["waiting"]}
    assert httpx.post(f"{node.api}/api/link", params=pair, timeout=30).status_code == 404


def test_a_series_of_two_patients_is_not_mixed(tmp_path: Path, node: ServiceProcess):
    def own_instances(dataset: Dataset) -> None:
        dataset.SOPInstanceUID = f"{dataset.SOPInstanceUID}.77"

    send(write_ct(tmp_path / "a", BASE, "20240110"), node.destination)
    with pytest.raises(Exception, match=r"C004|conflict|another Patient"):
        send(write_ct(tmp_path / "b", BASE, "20240110", "P2", own_instances), node.destination)
    found = state(node)
    assert [item["subject_key"] for item in found["subjects"]] == [pseudonym("P1")]
    assert any("another Patient ID" in item["message"] for item in found["quarantined"])


SERVED_CASES = {
    "01-ohif-saved-twice": (["31.0", "32.0"], ["BASELINE", "SD"]),
    "05-two-observers-gtv": (["30.0"], ["BASELINE"]),
    "07-superseded-sr": (["30.0", "30.0"], ["BASELINE", "SD"]),
    "08-ohif-unknown-plus-ai": (["30.0", "20.0"], ["BASELINE", "PR"]),
    "09-visit-over-two-days-pd": (["54.0", "36.0"], ["BASELINE", "PR"]),
    "10-oblique-outline-nonsquare": (["32.0"], ["BASELINE"]),
    "15-rescale-per-slice": (["30.0"], ["BASELINE"]),
    "21-other-hospital-id": (["30.0", "20.0"], ["BASELINE", "PR"]),
    "22-rejection-note": (["30.0", None], ["BASELINE", "NE"]),
}


@pytest.mark.parametrize("name", SERVED_CASES)
def test_a_case_gives_its_right_answer_through_c_store(real_data: Path, node: ServiceProcess, name: str):
    folder = real_data / "cases" / name
    if not folder.is_dir():
        pytest.skip("the real test data hold no such case")
    sums, responses = SERVED_CASES[name]
    send(sorted(folder.rglob("*.dcm")), node.destination)
    deadline = time.monotonic() + 120
    rows: list[dict[str, Any]] = []
    while time.monotonic() < deadline:
        for subject in state(node)["subjects"]:
            answer = httpx.get(f"{node.api}/api/subjects/{subject['subject_key']}", timeout=30)
            rows = answer.json()["responses"] if answer.is_success else []
        if [row["recist_overall"] for row in rows] == responses:
            break
        time.sleep(0.3)
    assert [row["recist_overall"] for row in rows] == responses
    assert [row["recist_sum_mm"] and str(float(row["recist_sum_mm"])) for row in rows] == sums
    assert len(state(node)["subjects"]) == 1
