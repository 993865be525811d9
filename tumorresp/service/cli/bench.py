"""``tumorresp bench``: how good a segmenter is on data with reference masks."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from models.benchmark.comparison import compare
from models.benchmark.table import HEADER, markdown, table_rows, verdicts
from tumorresp.domain.errors import Missing
from tumorresp.service.benchmark_cases import discover_cases
from tumorresp.service.cli.screen import console, errors_shown, progress_bar
from tumorresp.service.settings import Settings

app = typer.Typer(no_args_is_help=True, rich_markup_mode="markdown", help="Benchmarks on your own data.")


@app.callback()
def root() -> None:
    """Hold the benchmarks."""


@app.command()
def segmentation(
    data_dir: Annotated[
        Path, typer.Argument(exists=True, file_okay=False, help="A folder a patient: CT series and RT Structure Set.")
    ],
    segmenter: Annotated[
        list[str] | None, typer.Option(help="geodesic-contour, lite-medsam or medsam; may be given several times.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Also write the table as Markdown to this file.")] = None,
) -> None:
    """Score segmenters against reference masks, from the four end points of the axes alone.

    The axes come from each reference mask: the largest in-plane long axis and the short axis across it. Beside
    every segmenter stands the ellipsoid that the axes span; a segmenter below it is worth nothing.
    """
    from tumorresp.service.wiring import create_segmenter

    with errors_shown():
        cases = discover_cases(data_dir)
        if not cases:
            raise Missing("no CT with an RT Structure Set was found.", where=str(data_dir))
        names = segmenter or ["auto"]
        segmenters = [create_segmenter(Settings.model_validate({"segmenter": name})) for name in names]
        with progress_bar() as progress:
            scores = compare(cases, segmenters, progress)
    table = Table(header_style="bold")
    for column in HEADER:
        table.add_column(column, justify="left" if column in ("lesion", "segmenter") else "right")
    for row in table_rows(scores):
        table.add_row(*row)
    console.print(table)
    for line in verdicts(scores):
        console.print(line)
    if out is not None:
        out.write_text(markdown(scores) + "\n", "utf-8")
