"""``tumorresp respond``, ``explain``, ``criteria``: response criteria on tables, without images."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.markdown import Markdown
from rich.markup import escape
from rich.table import Table

from tumorresp.service.cli.rates_screen import show_rates
from tumorresp.service.cli.screen import console, error_console, errors_shown, progress_bar
from tumorresp.service.cli.service_access import subject_of_service

criteria_app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="Response criteria: what there is, their parameters, the tables that they read.",
)
_SHOWN = 20
"""Findings on the screen."""
_CRITERION = typer.Option("--criterion", "-c", help="Name of a criterion; repeat for several.")
_PROTOCOL = typer.Option(help="TOML with the trial's parameters; `tumorresp criteria protocol` prints the defaults.")


def respond(
    table: Annotated[
        Path,
        typer.Argument(
            help="CSV, Excel, Parquet or JSON: a row a lesion and time point, or a row a reported response."
        ),
    ],
    out: Annotated[Path, typer.Option(help="Folder for the results; made if absent.")],
    criterion: Annotated[list[str] | None, _CRITERION] = None,
    protocol: Annotated[Path | None, _PROTOCOL] = None,
    formats: Annotated[
        list[str] | None, typer.Option("--format", "-f", help="Of the tables: csv, xlsx, parquet, json; repeat.")
    ] = None,
    figures: Annotated[bool, typer.Option(help="Draw waterfall, spider, swimmer and survival figures.")] = True,
    cdisc: Annotated[
        str | None, typer.Option(help="Write SDTM and ADaM too: sponsor or central-read; see docs/cdisc.md.")
    ] = None,
    study: Annotated[str, typer.Option(help="STUDYID of the CDISC data sets.")] = "STUDY",
    growth: Annotated[bool, typer.Option(help="Growth rates and the Stein-Fojo model too (slower).")] = False,
    workers: Annotated[int, typer.Option(help="Processes; 0: one a core.")] = 0,
) -> None:
    """Evaluate a table of lesion measurements, or of reported responses, without images.

    Writes responses with reasons, best responses (unconfirmed and confirmed), end points, rates with exact intervals,
    calculations lesion by lesion, and everything that was noticed. What the table may hold: `tumorresp criteria schema
    lesions`.

    Exit code: 0 every row was used; 1 some were not, contradict each other or are suspicious: see the findings; 65 the
    table cannot be read; 79 most of its sizes, dates or responses cannot.
    """
    from tumorresp.service.respond.command import PAGE, RespondRequest, run_respond

    with errors_shown():
        request = RespondRequest(
            table=table,
            out=out,
            criteria=tuple(criterion or ["recist-1.1"]),
            protocol=protocol,
            formats=tuple(formats or ["csv", "xlsx"]),
            figures=figures,
            cdisc=cdisc,
            study=study,
            workers=workers,
            growth=growth,
        )
        with progress_bar() as progress:
            result = run_respond(request, progress)
    show_rates(result.rates, result.subjects)
    if result.errors or result.warnings:
        error_console.print(
            f"[yellow]{result.errors} error(s), {result.warnings} warning(s)[/] about the table: see the findings.",
            soft_wrap=True,
        )
    for sentence in result.deciding[:_SHOWN]:
        error_console.print(f"[bold yellow]May change a response:[/] {escape(sentence)}", soft_wrap=True)
    if len(result.deciding) > _SHOWN:
        error_console.print(f"... and {len(result.deciding) - _SHOWN} more (column decides of the findings)")
    console.print(f"Results: {escape(str(out))}, best seen in [bold]{escape(str(out / PAGE))}[/]", soft_wrap=True)
    raise typer.Exit(1 if result.errors or result.deciding else 0)


def explain(
    subject: Annotated[str, typer.Argument(help="Subject: as in the table, or as `tumorresp status` shows it.")],
    time_point: Annotated[str, typer.Argument(help="Name or date of a time point; all if left out.")] = "",
    table: Annotated[
        Path | None,
        typer.Option(help="Table of measurements that the subject is in; else the running service is asked."),
    ] = None,
    results: Annotated[
        Path | None, typer.Option(help="Or: folder of results of `tumorresp evaluate` that the subject's folder is in.")
    ] = None,
    criterion: Annotated[list[str] | None, _CRITERION] = None,
    protocol: Annotated[Path | None, _PROTOCOL] = None,
) -> None:
    """Show a subject's calculation as a reader would do it on paper: numbers, sums, argument, parameters."""
    from tumorresp.service.respond.explain import explain_document, explain_from_folder, explain_from_table
    from tumorresp.service.respond.protocol_file import read_protocol
    from tumorresp.service.respond.table_files import read_table_file

    with errors_shown():
        if table is not None:
            chosen = tuple(criterion or ["recist-1.1"])
            text = explain_from_table(read_table_file(table), subject, time_point, chosen, read_protocol(protocol))
        elif results is not None:
            text = explain_from_folder(results / subject, time_point)
        else:
            text = explain_document(subject_of_service(subject), time_point)
    if console.is_terminal:
        console.print(Markdown(text))
    else:
        console.print(text, markup=False, highlight=False, soft_wrap=True)


def audit(
    source: Annotated[
        Path, typer.Argument(help="Folder with SDTM (TU, TR, RS: XPT, Dataset-JSON or CSV), or a lesion table.")
    ],
    reported: Annotated[
        Path | None, typer.Option(help="Beside a lesion table: the table of reported sums and responses.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for the findings as tables.")] = None,
    protocol: Annotated[Path | None, _PROTOCOL] = None,
    formats: Annotated[list[str] | None, typer.Option("--format", "-f", help="csv, parquet, json; repeat.")] = None,
) -> None:
    """Check reported sums and RECIST 1.1 responses against the measurements.

    Lists every reported value that does not follow, with both values, the rule and the likely mistake. Nothing is
    corrected.

    Exit code: 0 everything follows; 1 something does not, or rows could not be used; 65 the input cannot be read.
    """
    from tumorresp.domain.finding import Severity
    from tumorresp.service.respond.audit import run_audit
    from tumorresp.service.respond.protocol_file import read_protocol

    with errors_shown():
        result = run_audit(source, reported, read_protocol(protocol), out, formats or ["csv"])
    shown = Table(header_style="bold", show_lines=True)
    for column in ("Subject", "Visit", "What", "Reported", "Derived", "Why"):
        shown.add_column(column, overflow="fold")
    for item in result.found:
        who = f"{item.subject_id} ({item.evaluator})" if item.evaluator else item.subject_id
        cells = (who, item.visit, item.what, item.reported, item.derived, item.diagnosis)
        shown.add_row(*(escape(cell) for cell in cells))
    if result.found:
        console.print(shown)
    used_not = [finding for finding in result.findings if finding.severity is Severity.ERROR]
    for finding in used_not:
        error_console.print(f"[red]Not used[/] {escape(finding.where)}: {escape(finding.message)}", soft_wrap=True)
    console.print(f"[bold]{len(result.found)}[/] finding(s) in {result.subjects} reading(s).")
    raise typer.Exit(1 if result.found or used_not else 0)


@criteria_app.command("list")
def list_criteria() -> None:
    """Show every criterion with its source."""
    from tumorresp.response.criteria import CRITERIA

    shown = Table(header_style="bold")
    for column in ("Name", "Criterion", "Source"):
        shown.add_column(column, overflow="fold")
    for item in CRITERIA.values():
        title = f"{item.title} [dim](exploratory)[/]" if item.exploratory else item.title
        shown.add_row(item.name, title, escape(item.source))
    console.print(shown)


@criteria_app.command("protocol")
def print_protocol() -> None:
    """Print every parameter with its published value as TOML: keep the lines that your trial changes."""
    import tomli_w

    from tumorresp.response.protocol import Protocol, protocol_document

    console.print(tomli_w.dumps(protocol_document(Protocol())), markup=False, highlight=False, soft_wrap=True)


@criteria_app.command("schema")
def print_schema(table: Annotated[str, typer.Argument(help="lesions, responses or reported")] = "lesions") -> None:
    """Print the JSON Schema of a table."""
    from tumorresp.domain.errors import InvalidInput
    from tumorresp.response.table.columns import TABLES, json_schema

    with errors_shown():
        if table not in TABLES:
            raise InvalidInput(f"there is no table {table!r}.", where="table", remedy=f"Known are {', '.join(TABLES)}.")
        console.print_json(json.dumps(json_schema(table)))
