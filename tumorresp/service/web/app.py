"""The status API and its pages: what arrived, what waits, what came out, what was delivered."""

import dataclasses
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse, PlainTextResponse
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from prometheus_client import CollectorRegistry, Gauge, generate_latest

from tumorresp.domain.errors import Missing, TumorRespError
from tumorresp.domain.version import SOFTWARE_VERSION
from tumorresp.service.storage_watch import StorageState
from tumorresp.service.store import DeliveryState, SeriesState, Store
from tumorresp.service.store.status import SubjectStatus
from tumorresp.service.web import respond

_PAGES = Environment(
    loader=PackageLoader("tumorresp.service.web"), autoescape=select_autoescape(default=True), undefined=StrictUndefined
)
_REPORT_FILES = frozenset(
    {"report.html", "report.pdf", "evaluation.json", "responses.csv", "lesions.csv", "findings.csv"}
)


def create_app(
    store: Store,
    results_folder: Path,
    evaluate_again: Callable[[str], bool],
    storage: Callable[[], StorageState] | None = None,
) -> FastAPI:
    """Return the API.

    Parameters
    ----------
    store
        The index.
    results_folder
        Where the stations write reports: ``<subject key>/report.html`` and its neighbours.
    evaluate_again
        Orders a new evaluation of a subject; False where nothing is there to evaluate.
    storage
        Tells whether the disk takes what arrives; None: it is not shown.
    """
    app = FastAPI(title="tumorresp", version=SOFTWARE_VERSION, docs_url="/api/docs", openapi_url="/api/openapi.json")
    app.include_router(respond.router)

    @app.exception_handler(TumorRespError)
    def problem(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, TumorRespError)
        body = {"type": error.code, "title": error.message, "status": error.http_status, "instance": request.url.path}
        return JSONResponse(body, error.http_status, media_type="application/problem+json")

    @app.get("/", response_class=HTMLResponse)
    def page() -> str:
        """Show what arrived, what waits, what came out and what was delivered."""
        subjects = store.subject_statuses()
        return _PAGES.get_template("status.html.j2").render(
            version=SOFTWARE_VERSION,
            storage=storage() if storage else None,
            counts=store.counts(),
            subjects=subjects,
            reports={s.subject_key: reports_of(s.subject_key) for s in subjects},
            deciding=_deciding(subjects),
            waiting=[item for item in store.waiting() if item.waits],
            passed_over=[item for item in store.waiting() if not item.waits],
            quarantined=store.quarantined(),
            open_deliveries=[d for d in store.deliveries() if d.state != DeliveryState.CONFIRMED],
        )

    @app.get("/api/health")
    def health() -> dict[str, str]:
        """Answer while the service runs."""
        return {"status": "ok", "version": SOFTWARE_VERSION}

    @app.get("/api/status")
    def status() -> JSONResponse:
        """Give everything that ``tumorresp status`` shows."""
        return JSONResponse(service_state(store, storage() if storage else None))

    @app.post("/api/retry")
    def retry(subject: str | None = None) -> dict[str, int]:
        """Evaluate a subject again, or all whose evaluation failed, and resume deliveries that were given up."""
        failed = [s.subject_key for s in store.subject_statuses() if s.evaluation and s.evaluation.failure]
        wanted = [subject] if subject else failed
        evaluations = sum(evaluate_again(key) for key in wanted)
        return {"evaluations": evaluations, "deliveries": store.resume_failed_deliveries()}

    @app.post("/api/link")
    def link(subject: str, same_as: str) -> dict[str, Any]:
        """Say that two subjects are one person: the first one's series become the other's, which is evaluated again."""
        known = {item.subject_key for item in store.subject_statuses()}
        if not {subject, same_as} <= known or subject == same_as:
            raise Missing("there are no two such subjects.", where=f"{subject}, {same_as}")
        store.join_subject(subject, same_as)
        return {"subject": same_as, "evaluation": evaluate_again(same_as)}

    @app.get("/api/subjects/{subject_key}")
    def subject(subject_key: str) -> JSONResponse:
        """Give the evaluation of one subject: response table, lesions, reasons, what waits."""
        return JSONResponse(json.loads(report_file(subject_key, "evaluation.json").read_text("utf-8")))

    @app.get("/api/subjects/{subject_key}/{reading}")
    def subject_reading(subject_key: str, reading: str) -> JSONResponse:
        """Give one reader's evaluation, where several readers measured the same time point."""
        text = report_file(f"{subject_key}/{reading}", "evaluation.json").read_text("utf-8")
        return JSONResponse(json.loads(text))

    @app.get("/subjects/{subject_key}/{name}", response_class=FileResponse)
    def report(subject_key: str, name: str) -> Path:
        """Give one page or table of a subject's report."""
        return report_file(subject_key, name)

    @app.get("/subjects/{subject_key}/{reading}/{name}", response_class=FileResponse)
    def report_of_reading(subject_key: str, reading: str, name: str) -> Path:
        """Give one page or table of one reader's report."""
        return report_file(f"{subject_key}/{reading}", name)

    @app.get("/metrics", response_class=PlainTextResponse)
    def metrics() -> str:
        """Give counts for Prometheus; no label could name a patient."""
        return generate_latest(_registry(store, storage() if storage else None)).decode()

    def report_file(folder: str, name: str) -> Path:
        path = (results_folder / folder / name).resolve()
        if name not in _REPORT_FILES or not path.is_relative_to(results_folder.resolve()) or not path.is_file():
            raise Missing("there is no such report.", where=f"{folder}/{name}")
        return path

    def reports_of(subject_key: str) -> list[str]:
        """Return the folders that hold a subject's reports: its own, or one a reader."""
        pages = sorted((results_folder / subject_key).glob("**/report.html"))
        return [str(page.parent.relative_to(results_folder)) for page in pages]

    return app


def service_state(store: Store, storage: StorageState | None = None) -> dict[str, Any]:
    """Return the state of the service as plain JSON values: pseudonyms and UIDs only."""
    subjects = store.subject_statuses()
    state = {
        "counts": store.counts(),
        "storage": storage,
        "subjects": subjects,
        "deciding": _deciding(subjects),
        "waiting": store.waiting(),
        "quarantined": store.quarantined(),
        "deliveries": store.deliveries(),
        "workflows_in_trouble": store.workflows_in_trouble(),
    }
    plain: dict[str, Any] = json.loads(json.dumps(state, default=_plain))
    return plain


def _deciding(subjects: Sequence[SubjectStatus]) -> list[dict[str, str]]:
    """Return what may change a response, by subject."""
    return [
        {"subject_key": subject.subject_key, "message": sentence}
        for subject in subjects
        if subject.evaluation is not None
        for sentence in subject.evaluation.deciding
    ]


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    return str(value)


def _registry(store: Store, storage: StorageState | None) -> CollectorRegistry:
    counts, subjects = store.counts(), store.subject_statuses()
    registry = CollectorRegistry()
    for name, words, value in (
        ("tumorresp_instances", "DICOM instances received", counts.instances),
        ("tumorresp_series_receiving", "Series still arriving", counts.series[SeriesState.RECEIVING]),
        ("tumorresp_subjects", "Subjects known", len(store.subjects())),
        ("tumorresp_waiting", "Things that wait for images or for a person", counts.waiting),
        ("tumorresp_deciding", "Things noticed that may change a response", len(_deciding(subjects))),
        ("tumorresp_quarantined", "Files that could not be used", counts.quarantined),
    ):
        Gauge(name, words, registry=registry).set(value)
    if storage is not None and storage.free_mib is not None:
        Gauge("tumorresp_disk_free_mib", "Room in the data folder", registry=registry).set(storage.free_mib)
        Gauge("tumorresp_turned_away", "Instances that could not be stored", registry=registry).set(storage.turned_away)
    deliveries = Gauge("tumorresp_deliveries", "Deliveries by state", ["state"], registry=registry)
    for state, count in counts.deliveries.items():
        deliveries.labels(state).set(count)
    return registry
