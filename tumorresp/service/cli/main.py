"""The commands. Each says what it does in its ``--help``; what it shows is in ``screen``."""

import shutil
import signal
import threading
import time
from pathlib import Path
from typing import Annotated

import httpx
import typer
from rich.markup import escape
from rich.table import Table

from tumorresp.domain.errors import InvalidSettings, Missing
from tumorresp.domain.version import SOFTWARE_VERSION
from tumorresp.service.cli import bench, models
from tumorresp.service.cli.respond import audit, criteria_app, explain, respond
from tumorresp.service.cli.screen import console, error_console, errors_shown, progress_bar, show_response_table
from tumorresp.service.cli.service_access import api_address, current_settings
from tumorresp.service.logs import silence_libraries
from tumorresp.service.store.records import PASSED_OVER

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_show_locals=False,
    help="""Tumour response evaluation: RECIST measurements in, volumetric masks and response categories out.

    - **Try it:** tumorresp demo
    - **Your files:** tumorresp evaluate CT_FOLDER MEASUREMENTS --out results
    - **A table of measurements, no images:** tumorresp respond TABLE --out results
    - **Beside your PACS:** tumorresp serve

    For research and review by a physician; not a medical device.""",
)
app.add_typer(models.app, name="models")
app.add_typer(bench.app, name="bench")
app.add_typer(criteria_app, name="criteria")
app.command()(respond)
app.command()(explain)
app.command()(audit)


def _version(wanted: bool) -> None:
    if wanted:
        console.print(f"tumorresp {SOFTWARE_VERSION}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[  # noqa: ARG001  its callback handles it
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and stop.")
    ] = False,
) -> None:
    """Hold the options of all commands."""
    silence_libraries()


@app.command()
def evaluate(
    inputs: Annotated[
        list[Path],
        typer.Argument(
            exists=True,
            help="Folders and files, in any order: CT series, SR, RTSTRUCT, AIM, CSV, JSON.",
            show_default=False,
        ),
    ],
    out: Annotated[Path, typer.Option(help="Folder for the results; made if absent.")],
    segmenter: Annotated[
        str | None, typer.Option(help="lite-medsam, medsam or geodesic-contour; default: see `tumorresp settings`.")
    ] = None,
    radiomics: Annotated[bool, typer.Option(help="Compute all radiomic features (slower).")] = True,
    decisions: Annotated[
        Path | None,
        typer.Option(help="CSV that decides what waits for a person: columns measurement_uid, lesion."),
    ] = None,
    patient_links: Annotated[
        Path | None,
        typer.Option(help="CSV of subjects that are one person: columns subject, same_as (Patient IDs or subjects)."),
    ] = None,
    treatment_starts: Annotated[
        Path | None,
        typer.Option(
            help="CSV of starts of treatment, which decide the baseline: columns subject, treatment_start (ISO date)."
        ),
    ] = None,
) -> None:
    """Evaluate studies from disk, without a network or a service.

    Images are sorted into subjects by Patient ID and into time points by date; measurements find their images by SOP
    Instance UID. For each subject OUT gets a folder with report.html, report.pdf, tables, pictures, and a DICOM SEG
    and SR for each time point.

    Exit code: 0 everything was used; 1 something waits for images or for a person, was refused, or was noticed that
    may change a response; the messages say what.
    """
    from tumorresp.service.evaluate_files import evaluate_files

    with errors_shown():
        changes = {"radiomics": radiomics, **({"segmenter": segmenter} if segmenter else {})}
        files = {"decisions": decisions, "patient_links": patient_links, "treatment_starts": treatment_starts}
        settings = current_settings(**changes, **{name: path for name, path in files.items() if path})
        with progress_bar() as progress:
            outcome = evaluate_files(inputs, out, settings, progress)
    for subject in outcome.subjects:
        show_response_table(subject.document, f"Subject {subject.name}")
        console.print(f"Report: {escape(str(subject.folder / 'report.html'))}", soft_wrap=True)
    for words in outcome.waiting:
        error_console.print(f"[yellow]Waiting[/] {escape(words)}")
    for words in outcome.refused:
        error_console.print(f"[red]Not used[/] {escape(words)}")
    for words in outcome.passed_over:
        error_console.print(f"[dim]Passed over[/] {escape(words)}")
    if outcome.why_nothing:
        error_console.print(f"[yellow]Nothing to show:[/] {outcome.why_nothing}.")
    raise typer.Exit(0 if outcome.is_complete else 1)


@app.command()
def serve() -> None:
    """Run the service: DICOM listener, workers, status page. Stops on Ctrl-C or SIGTERM.

    Settings come from TUMORRESP_* variables and the TOML file that TUMORRESP_CONFIG names; `tumorresp settings` shows
    them. Stopping or killing it loses nothing: what was under way goes on at the next start.
    """
    from tumorresp.service.logs import configure_logs
    from tumorresp.service.running import running_service

    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with errors_shown():
        settings = current_settings()
        configure_logs(settings)
        with running_service(settings):
            stop.wait()


@app.command()
def status() -> None:
    """Show what the service received, what waits, what is in quarantine and what was delivered."""
    with errors_shown():
        state = httpx.get(f"{api_address()}/api/status", timeout=30).json()
    counts = state["counts"]
    series = counts["series"]
    console.print(
        f"[bold]{counts['instances']}[/] instances received, {series['receiving']} series still arriving, "
        f"{series['complete']} complete"
    )
    storage = state.get("storage") or {}
    if storage.get("message"):
        console.print(f"[bold red]Storage[/] {escape(storage['message'])}")
    subjects = Table(title="Subjects", title_justify="left", header_style="bold")
    for column in ("Subject", "Instances", "Time points", "Evaluation"):
        subjects.add_column(column)
    for subject in state["subjects"]:
        evaluation = subject["evaluation"] or {}
        failure = (evaluation.get("failure") or {}).get("message", "")
        subjects.add_row(
            subject["subject_key"],
            str(subject["instances"]),
            str(len(subject["time_point_ids"])),
            f"{evaluation.get('state', '–')} {escape(failure)}",
        )
    console.print(subjects)
    if state["deliveries"]:
        console.print(_delivery_table(state["deliveries"]))
    for item in state["deciding"]:
        console.print(f"[bold yellow]May change a response[/] {item['subject_key']}: {escape(item['message'])}")
    for item in state["waiting"]:
        label = "[dim]Passed over[/]" if item["code"] in PASSED_OVER else "[yellow]Waiting[/]"
        console.print(f"{label} {item['subject_key']}: {escape(item['message'])} [dim]{item['where']}[/]")
    for item in state["quarantined"]:
        console.print(f"[red]Quarantine[/] {escape(item['where'] or item['path'])}: {escape(item['message'])}")
    for item in state["workflows_in_trouble"]:
        console.print(f"[red]Workflow in trouble[/] {escape(str(item))}")


def _delivery_table(deliveries: list[dict]) -> Table:
    table = Table(title="Deliveries", title_justify="left", header_style="bold")
    for column in ("Object", "SOP Instance UID", "To", "State", "Tries", "Last error"):
        table.add_column(column, overflow="fold")
    for item in deliveries:
        error = (item["last_error"] or {}).get("message", "")
        row = (item["kind"], item["sop_instance_uid"], item["destination"], item["state"], str(item["attempts"]))
        table.add_row(*row, escape(error))
    return table


@app.command()
def retry(
    subject: Annotated[
        str | None, typer.Argument(help="Subject as `tumorresp status` shows it; all failed if left out.")
    ] = None,
) -> None:
    """Try again: evaluate a subject anew (after a decision, say), and resume deliveries that were given up."""
    with errors_shown():
        address = f"{api_address()}/api/retry"
        answer = httpx.post(address, params={"subject": subject} if subject else {}, timeout=60).json()
    console.print(f"{answer['evaluations']} evaluation(s) and {answer['deliveries']} delivery(ies) ordered again.")


@app.command()
def link(
    subject: Annotated[str, typer.Argument(help="Subject as `tumorresp status` shows it.")],
    same_as: Annotated[str, typer.Argument(help="The subject that is the same person, whose name is kept.")],
) -> None:
    """Say that two subjects are one person with two Patient IDs; the second one is evaluated with both ones' data."""
    with errors_shown():
        answer = httpx.post(f"{api_address()}/api/link", params={"subject": subject, "same_as": same_as}, timeout=60)
        if answer.is_error:
            raise Missing(answer.json()["title"], where=f"{subject}, {same_as}")
    console.print(f"{subject} is {same_as} from now on; its evaluation is ordered.")


@app.command()
def settings() -> None:
    """Show every setting, what it is now, and what it does."""
    from tumorresp.service.settings import Settings as SettingsModel

    with errors_shown():
        current = current_settings()
    table = Table(header_style="bold")
    for column in ("Variable", "Now", "What it does"):
        table.add_column(column, overflow="fold")
    for name, field in SettingsModel.model_fields.items():
        value = getattr(current, name)
        table.add_row(
            f"TUMORRESP_{name.upper()}",
            escape(str(value)) if value not in ("", None, ()) else "[dim]empty[/]",
            field.description,
        )
    console.print(table)


@app.command()
def send(
    inputs: Annotated[list[Path], typer.Argument(exists=True, help="DICOM files or folders of them.")],
    to: Annotated[str | None, typer.Option(help="Name of a destination in the settings.")] = None,
    host: Annotated[str | None, typer.Option(help="Or: host of any DICOM node ...")] = None,
    port: Annotated[int, typer.Option(help="... its port ...")] = 104,
    ae_title: Annotated[str, typer.Option(help="... and its AE title.")] = "ANY-SCP",
) -> None:
    """Send DICOM files to a destination by C-STORE."""
    from tumorresp.service.send_files import send_files

    with errors_shown():
        with progress_bar() as progress:
            sent = send_files(inputs, current_settings(), to, host, port, ae_title, progress)
        console.print(f"{sent} instances sent.")


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="Folder for everything the demo makes; emptied first.")] = Path(
        "demo-output"
    ),
    small: Annotated[bool, typer.Option(help="Coarse CT: faster, less pretty.")] = False,
) -> None:
    """Send a phantom's three CT scans and a reader's reports through the whole line, and show what comes back."""
    from tumorresp.service.demo import run_demo

    with errors_shown():
        if out.exists():
            if not (out / "tumorresp-demo").exists() and any(out.iterdir()):
                raise InvalidSettings("the folder is not empty and not a demo's.", where=str(out))
            shutil.rmtree(out)
        started = time.monotonic()
        with progress_bar() as progress:
            shown = run_demo(out, small, progress)
    console.print(shown.pacs_table)
    show_response_table(shown.document, f"Response of subject {shown.subject_key}")
    console.print(f"Pictures and report: [bold]{escape(str(out / 'report.html'))}[/]", soft_wrap=True)
    console.print(f"{time.monotonic() - started:.0f} s in all. Not a medical device; the patient is a phantom.")
