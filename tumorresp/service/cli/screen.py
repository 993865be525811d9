"""What the commands show on a terminal: tables, progress, errors."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn

import typer
from rich.console import Console
from rich.markup import escape
from rich.panel import Panel
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from reports.response_rows import amount, percent, response_rows
from tumorresp.domain.assessment import Assessment
from tumorresp.domain.errors import TumorRespError
from tumorresp.domain.evaluation import SubjectEvaluation

console = Console()
error_console = Console(stderr=True)

_COLOURS = {"CR": "bold green", "PR": "green", "SD": "yellow", "PD": "bold red", "NE": "dim", "BASELINE": "dim"}


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
def progress_bar() -> Iterator[Callable[[str, int, int], None]]:
    """Give a callable (description, done, total) that moves one bar; silent where there is no terminal."""
    with Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=error_console,
        transient=True,
        disable=not sys.stderr.isatty(),
    ) as progress:
        task = progress.add_task("", total=None)

        def move(description: str, done: int, total: int) -> None:
            progress.update(task, description=description, completed=done, total=total or None)

        yield move


def show_response_table(evaluation: SubjectEvaluation, title: str) -> None:
    """Print RECIST 1.1 beside the volumetric response, then the reasons."""
    table = Table(title=title, title_justify="left", title_style="bold", header_style="bold")
    for name in ("Time point", "Date"):
        table.add_column(name, no_wrap=True)
    for name, justify in (
        ("Sum", "right"), ("vs baseline", "right"), ("vs nadir", "right"), ("RECIST 1.1", "center"),
        ("Volume", "right"), ("vs baseline", "right"), ("vs nadir", "right"), ("Volumetric", "center"),
    ):  # fmt: skip
        table.add_column(name, justify=justify, no_wrap=True)  # type: ignore[arg-type]  # a literal by construction
    for row in response_rows(evaluation):
        point = row.time_point.time_point
        table.add_row(point.name, str(point.date), *_cells(row.recist), *_cells(row.volumetric))
    console.print(table)
    for row in response_rows(evaluation):
        point = row.time_point.time_point
        lines = []
        for name, assessment in (("RECIST 1.1", row.recist), ("Volumetric", row.volumetric)):
            if assessment is not None:
                lines.append(f"[bold]{name}[/] {_category(assessment)}")
                lines += [f"  • {escape(reason)}" for reason in assessment.reasons]
        for item in row.time_point.ambiguous:
            lines.append(f"[bold yellow]Waits for a person:[/] {escape(item.reason)}")
        console.print(
            Panel("\n".join(lines), title=f"{point.name}, {point.date}", title_align="left", border_style="dim")
        )


def _cells(assessment: Assessment | None) -> tuple[str, str, str, str]:
    if assessment is None:
        return "–", "–", "–", "–"
    return (
        amount(assessment.target_sum, assessment.unit),
        percent(assessment.change_from_baseline_percent),
        percent(assessment.change_from_nadir_percent),
        _category(assessment),
    )


def _category(assessment: Assessment) -> str:
    colour = _COLOURS.get(assessment.overall, "")
    return f"[{colour}]{assessment.overall}[/]" if colour else str(assessment.overall)
