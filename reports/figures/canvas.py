"""What all figures share: axes without clutter, and files that come out the same every time."""

from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

LABELLED = 60
"""With more subjects their names are too small to read, and are left out."""

_STYLE = {
    "svg.hashsalt": "tumorresp",
    "svg.fonttype": "none",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "legend.frameon": False,
}


def style() -> Any:
    """Return the context in which figures are drawn and written."""
    return mpl.rc_context(_STYLE)


def new_axes(width: float, height: float, title: str) -> tuple[Figure, Axes]:
    """Return a figure (inches) with one axes."""
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.set_title(title)
    return figure, axes


def save(figure: Figure, folder: Path, name: str) -> tuple[Path, Path]:
    """Write PNG (200 dots an inch) and SVG; neither holds a date."""
    png, svg = folder / f"{name}.png", folder / f"{name}.svg"
    figure.savefig(png, dpi=200, metadata={"Software": "tumorresp"})
    figure.savefig(svg, metadata={"Date": None, "Creator": "tumorresp"})
    return png, svg


def empty(title: str, words: str) -> Figure:
    """Return a figure that says why there is nothing to show."""
    figure, axes = new_axes(6, 2.2, title)
    axes.axis("off")
    axes.text(0.5, 0.5, words, ha="center", va="center", transform=axes.transAxes, color="#555555")
    return figure


def days_axis(axes: Axes, what: str) -> None:
    """Label a horizontal axis of days."""
    axes.set_xlabel(what)
    axes.grid(axis="x", color="#EEEEEE", zorder=0)
