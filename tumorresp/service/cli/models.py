"""``tumorresp models``: which networks' weights are here, and how to get them."""

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from models.weight_download import pull as pull_weights
from models.weights import WeightsStatus, list_weights
from models.weights import add as add_weights
from models.weights import verify as verify_weights
from tumorresp.service.cli.screen import console, errors_shown, progress_bar
from tumorresp.service.settings import Settings

app = typer.Typer(
    no_args_is_help=True, rich_markup_mode="markdown", help="Weights of the networks: what is here; get, check, add."
)

Name = Annotated[str, typer.Argument(help="Name as `tumorresp models list` shows it, e.g. lite-medsam.")]


@app.command("list")
def list_command() -> None:
    """Show every known network, whether its weights are here, and its licence."""
    folder = Settings().models_folder
    table = Table(title=f"Weights in {folder}", title_justify="left", header_style="bold")
    for column in ("Name", "State", "Size", "Licence", "For"):
        table.add_column(column)
    for status in list_weights(folder):
        table.add_row(
            status.weights.name, str(status.state), _size(status), status.weights.licence, status.weights.purpose
        )
    console.print(table)


@app.command()
def pull(name: Name) -> None:
    """Download the weights of a network; an interrupted download goes on where it stopped."""
    with errors_shown():
        with progress_bar(download=True) as progress:
            status = pull_weights(name, Settings().models_folder, progress=progress)
        _show(status)


@app.command()
def verify(name: Name) -> None:
    """Compute the SHA-256 of the weights again and compare it with what is known."""
    with errors_shown():
        _show(verify_weights(name, Settings().models_folder))


@app.command()
def add(
    file: Annotated[Path, typer.Argument(help="Checkpoint (.pth, .pt, .bin) or safetensors file.")],
    name: Annotated[
        str | None, typer.Option(help="Which registered weights it stands for; told by its tensors if left out.")
    ] = None,
) -> None:
    """Take a weights file that you have into the model folder, after checking that it fits the network."""
    with errors_shown():
        _show(add_weights(file, name, Settings().models_folder))


def _size(status: WeightsStatus) -> str:
    if status.size_bytes is None:
        return f"(about {status.weights.approximate_megabytes} MB)"
    return f"{status.size_bytes / 1e6:.1f} MB"


def _show(status: WeightsStatus) -> None:
    console.print(f"[bold]{status.weights.name}[/] {status.state}: {escape(str(status.path))} ({_size(status)})")
    if status.sha256:
        console.print(f"SHA-256 {status.sha256}", soft_wrap=True)
