"""What the commands show on a terminal: tables, progress, errors."""

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from typing import Any, NoReturn

import typer
from rich.console import Console
from rich.markup import escape
from rich.panel import Panel
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table

from reports.response_rows import MAY_CHANGE, MISSING, RECIST, amount, percent
from tumorresp.domain.errors import TumorRespError
from tumorresp.domain.evaluation_findings import MATCH_AMBIGUOUS

console = Console()
error_console = Console(stderr=True)

_COLOURS = {"CR": "bold green", "PR": "green", "SD": "yellow", "PD": "bold red", "NE": "dim"}
_WIDE = 112


def fail(error: TumorRespError) -> NoReturn:
    """Show an error and end with its exit code."""
    error_console.print(f"[bold red]Error[/] [dim]({error.code})[/] {escape(str(error))}")
    raise typer.Exit(error.exit_code)


@contextmanager
def errors_shown() -> Iterator[None]:
    """Turn our errors into a message and an exit code; others are bugs and keep their traceback."""
    try:
        yield
    except TumorRespError as error:
        fail(error)


@contextmanager
def progress_bar(*, download: bool = False) -> Iterator[Callable[[str, int, int], None]]:
    """Give a callable (description, done, total) that moves one bar; silent where there is no terminal."""
    with Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn() if download else MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=error_console,
        transient=True,
        disable=not sys.stderr.isatty(),
    ) as progress:
        task = progress.add_task("", total=None)

        def move(description: str, done: int, total: int) -> None:
            progress.update(task, description=description, completed=done, total=total or None)

        yield move


def show_response_table(document: Mapping[str, Any], title: str) -> None:
    """Print RECIST 1.1 beside the volumetric response, then the reasons.

    Parameters
    ----------
    document
        An evaluation as ``reports.tables.evaluation_document`` gives it.
    """
    wide = console.width >= _WIDE
    changes = ("vs baseline", "vs nadir") if wide else ("change",)
    table = Table(title=title, title_justify="left", title_style="bold", header_style="bold")
    table.add_column("Time point", no_wrap=True)
    for what, verdict in (("Sum", "RECIST"), ("Volume", "by volume")):
        for name in (what, *changes):
            table.add_column(name, justify="right", no_wrap=True)
        table.add_column(verdict, justify="center", no_wrap=True)
    for row in document["responses"]:
        cells = (*_cells(row, "recist", "mm", wide), *_cells(row, "volume", "mm3", wide))
        table.add_row(f"{row['time_point']}\n[dim]{row['date']}[/]", *cells)
    console.print(table)
    for sentence in deciding_sentences(document):
        console.print(f"[bold yellow]{MAY_CHANGE} May change a response[/] {escape(sentence)}")
    for row in document["responses"]:
        lines = [
            line for item in document["reasons"] if item["time_point"] == row["time_point"] for line in _argument(item)
        ]
        lines += [
            f"[bold yellow]Waits for a person:[/] {escape(item['reason'])}"
            for item in document["waiting"]
            if item["time_point"] == row["time_point"]
        ]
        title = f"{row['time_point']}, {row['date']}"
        console.print(Panel("\n".join(lines), title=title, title_align="left", border_style="dim"))


def deciding_sentences(document: Mapping[str, Any]) -> list[str]:
    """Return what may have changed a response category, each once, with where it was noticed.

    What waits for a person is not among it: it is shown as waiting.
    """
    places: dict[str, list[str]] = {}
    for item in document["findings"]:
        if item["decides"] == "yes" and item["code"] != MATCH_AMBIGUOUS:
            place = ", ".join(text for text in (item["time_point"], item["lesion"]) if text)
            known = places.setdefault(item["message"], [])
            known += [] if place in known else [place]
    return [f"{'; '.join(found)}: {message}" for message, found in places.items()]


def _argument(item: Mapping[str, Any]) -> list[str]:
    name = "RECIST 1.1" if item["criterion"] == RECIST else "Volumetric"
    return [f"[bold]{name}[/] {_category(item['overall'])}", *(f"  • {escape(reason)}" for reason in item["reasons"])]


def _cells(row: Mapping[str, Any], prefix: str, unit: str, wide: bool) -> tuple[str, ...]:
    overall = row[f"{prefix}_overall"]
    mark = f" {MAY_CHANGE}" if row["may_change"] else ""
    total = amount(_decimal(row[f"{prefix}_sum_{unit}"]), unit)
    changes = [
        percent(_decimal(row[f"{prefix}_change_from_{name}_percent"]))
        for name in (("baseline", "nadir") if wide else ("baseline",))
    ]
    return total, *changes, (MISSING if overall is None else _category(overall)) + mark


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def _category(overall: str) -> str:
    if overall == "BASELINE":
        return MISSING
    colour = _COLOURS.get(overall, "")
    return f"[{colour}]{overall}[/]" if colour else overall
