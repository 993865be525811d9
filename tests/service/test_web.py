"""Status page and API over a store: numbers right, strangers kept out, no patient data."""

import datetime
import json
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from tumorresp.domain.identity import pseudonym
from tumorresp.service.store import EvaluationRun, ReceivedInstance, Store, WaitingItem
from tumorresp.service.store_index import StoreIndex
from tumorresp.service.web.app import create_app

PATIENT = "CANARY^PATIENT-0815"
KEY = pseudonym(PATIENT)
LONG_AGO = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)


@pytest.fixture
def results(tmp_path: Path) -> Path:
    folder = tmp_path / "results"
    for path in (folder / KEY, folder / "other" / "one", folder / "other" / "two"):
        path.mkdir(parents=True)
        (path / "report.html").write_text("<p>report</p>", "utf-8")
        (path / "evaluation.json").write_text(json.dumps({"subject": path.name}), "utf-8")
    (tmp_path / "secret.txt").write_text("secret", "utf-8")
    (folder / KEY / "baseline").mkdir()
    (folder / KEY / "baseline" / "seg.dcm").write_bytes(b"DICM")
    return folder


@pytest.fixture
def client(tmp_path: Path, results: Path):
    store = Store(f"sqlite:///{tmp_path / 'index.sqlite'}")
    store.migrate()
    for number in (1, 2):
        store.index_received(
            ReceivedInstance(
                f"1.2.3.{number}",
                f"{number:064}",
                tmp_path / f"{number}.dcm",
                "1.2.840.10008.5.1.4.1.1.2",
                "CT",
                "1.2",
                "1.2.3",
                PATIENT,
                "SCANNER",
            )
        )
    store.record_waiting(KEY, [WaitingItem(KEY, "images-missing", "The image has not arrived.", "1.9.9")])
    store.quarantine(tmp_path / "x.dcm", "not-dicom", "The file is cut off.", "1.2.9")
    yield TestClient(create_app(store, results, lambda subject: subject == KEY), raise_server_exceptions=False)
    store.close()


def test_health(client: TestClient):
    assert client.get("/api/health").json()["status"] == "ok"


def test_status_counts_what_is_there(client: TestClient):
    state = client.get("/api/status").json()
    assert state["counts"]["instances"] == 2
    assert state["counts"]["series"] == {"receiving": 1, "complete": 0}
    assert [item["message"] for item in state["waiting"]] == ["The image has not arrived."]
    assert [item["where"] for item in state["quarantined"]] == ["1.2.9"]


def test_page_shows_subject_waiting_and_quarantine(client: TestClient):
    page = client.get("/").text
    assert KEY in page
    assert "The image has not arrived." in page
    assert "The file is cut off." in page
    assert f"/subjects/{KEY}/report.html" in page


def test_reports_of_one_and_of_several_readers(client: TestClient):
    assert client.get(f"/subjects/{KEY}/report.html").text == "<p>report</p>"
    assert client.get(f"/api/subjects/{KEY}").json() == {"subject": KEY}
    assert client.get("/subjects/other/two/report.html").status_code == 200
    assert client.get("/api/subjects/other/two").json() == {"subject": "two"}


@pytest.mark.parametrize(
    "address",
    [
        "/subjects/nobody/report.html",
        f"/subjects/{KEY}/baseline",
        f"/subjects/{KEY}/baseline/seg.dcm",
        "/subjects/..%2f..%2fsecret.txt/report.html",
        "/subjects/%2e%2e/secret.txt",
        f"/subjects/{KEY}/%2e%2e/secret.txt",
        f"/subjects/{KEY}/..%2f..%2f..%2fsecret.txt",
    ],
)
def test_nothing_but_reports_is_given_out(client: TestClient, address: str):
    answer = client.get(address)
    assert answer.status_code == 404
    assert "secret" not in answer.text.replace("secret.txt", "")


def test_an_absent_report_is_a_problem_document(client: TestClient):
    answer = client.get("/subjects/nobody/report.html")
    assert answer.headers["content-type"].startswith("application/problem+json")
    assert answer.json()["type"] == "missing"
    assert answer.json()["status"] == 404


@pytest.mark.parametrize("address", ["/", "/api/status", "/metrics"])
def test_no_patient_id_anywhere(client: TestClient, address: str):
    assert "CANARY" not in client.get(address).text


def test_metrics_are_prometheus_text(client: TestClient):
    text = client.get("/metrics").text
    assert "tumorresp_instances 2.0" in text
    assert 'tumorresp_deliveries{state="confirmed"} 0.0' in text


def test_retry_orders_what_can_be_ordered(client: TestClient):
    assert client.post("/api/retry", params={"subject": KEY}).json() == {"evaluations": 1, "deliveries": 0}
    assert client.post("/api/retry", params={"subject": "nobody"}).json() == {"evaluations": 0, "deliveries": 0}
    assert client.post("/api/retry").json() == {"evaluations": 0, "deliveries": 0}


def test_what_may_change_a_response_stands_on_page_status_and_metrics(client: TestClient, tmp_path: Path):
    """It is kept with the evaluation that was running when it was noticed."""
    store = Store(f"sqlite:///{tmp_path / 'index.sqlite'}")
    assert client.get("/api/status").json()["deciding"] == []
    store.settle_series(("1.2.3", 0, 0), 0.0, LONG_AGO, (), "settings")
    latest = store.latest_evaluation(KEY)
    store.enter_stage(EvaluationRun(KEY, latest.digest, latest.run), "conclude")
    sentence = "Follow-up 1, NEW01: nobody called this “lesion” <new>; it was taken as new."
    StoreIndex(store).record_deciding(KEY, [sentence])
    state = client.get("/api/status").json()
    assert state["deciding"] == [{"subject_key": KEY, "message": sentence}]
    page = client.get("/").text
    assert "May change a response" in page
    assert "Follow-up 1, NEW01: nobody called this “lesion” &lt;new&gt;" in page
    assert "tumorresp_deciding 1.0" in client.get("/metrics").text
    StoreIndex(store).record_deciding(KEY, [])
    assert "May change a response" not in client.get("/").text
    store.close()
