"""The course of the tumour burden as a picture: sum of diameters and volume, with the criteria's thresholds."""

import io
from collections.abc import Sequence

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from reports.response_rows import ResponseRow
from tumorresp.domain.assessment import Assessment, Category

RECIST_COLOUR = "#0b6fa4"
VOLUME_COLOUR = "#c2571a"
_FONT = {"font.family": "DejaVu Sans", "font.size": 9, "svg.hashsalt": "tumorresp", "svg.fonttype": "path"}


def burden_figure(rows: Sequence[ResponseRow]) -> Figure:
    """Return two panels: change from baseline in % of the sum of diameters and of the total volume.

    Each panel carries its criterion's thresholds: -30 % from baseline and +20 % from the nadir for diameters,
    x 0.343 and x 1.728 for volumes. Incomplete sums leave a gap.
    """
    with mpl.rc_context(_FONT):
        figure = Figure(figsize=(8.4, 3.1), layout="constrained")
        left, right = figure.subplots(1, 2)
        _panel(left, rows, [row.recist for row in rows], "Sum of diameters", RECIST_COLOUR, -30.0, 1.2)
        _panel(right, rows, [row.volumetric for row in rows], "Total volume", VOLUME_COLOUR, -65.7, 1.728)
        return figure


def figure_svg(figure: Figure) -> str:
    """Return a figure as SVG text, the same bytes for the same figure."""
    with mpl.rc_context(_FONT):
        stream = io.StringIO()
        figure.savefig(stream, format="svg", metadata={"Date": None, "Creator": "tumorresp"})
    return stream.getvalue()[stream.getvalue().index("<svg") :]


def figure_png(figure: Figure, *, dpi: int = 160) -> bytes:
    """Return a figure as PNG bytes."""
    with mpl.rc_context(_FONT):
        stream = io.BytesIO()
        figure.savefig(stream, format="png", dpi=dpi, metadata={"Software": "tumorresp"})
    return stream.getvalue()


def _panel(
    axes: Axes,
    rows: Sequence[ResponseRow],
    assessments: Sequence[Assessment | None],
    title: str,
    colour: str,
    partial_response_percent: float,
    progression_factor: float,
) -> None:
    days = [(row.time_point.time_point.date - rows[0].time_point.time_point.date).days for row in rows]
    changes = [_change(assessment) for assessment in assessments]
    known = [change for change in changes if change is not None]
    axes.axhline(0, color="#8a8f98", linewidth=0.8)
    axes.axhline(partial_response_percent, color="#2b7d3c", linewidth=1, linestyle="--")
    axes.text(
        0.01,
        partial_response_percent,
        "PR",
        transform=axes.get_yaxis_transform(),
        color="#2b7d3c",
        ha="left",
        va="bottom",
    )
    _progression_line(axes, days, assessments, progression_factor)
    axes.plot(days, [float("nan") if c is None else c for c in changes], color=colour, marker="o", linewidth=2)
    for day, change, assessment in zip(days, changes, assessments, strict=True):
        if change is not None and assessment is not None and day > 0:
            axes.annotate(
                f"{change:+.0f} %  {assessment.overall}".replace("-", "−"),
                (day, change),
                textcoords="offset points",
                xytext=(0, -14),
                ha="center",
                fontsize=8,
                color=colour,
                fontweight="bold",
            )
    axes.set_title(title, loc="left", fontsize=10, fontweight="bold")
    axes.set_xlabel("days since baseline")
    axes.set_ylabel("change from baseline (%)")
    axes.set_ylim(min([-100.0, *known]) - 14, max([40.0, *known]) + 22)
    axes.set_xlim(-0.06 * max(days, default=1) - 1, 1.16 * max(days, default=1) + 1)
    axes.spines[["top", "right"]].set_visible(False)


def _change(assessment: Assessment | None) -> float | None:
    if assessment is None or assessment.target_sum is None:
        return None
    if assessment.overall is Category.BASELINE:
        return 0.0
    if not assessment.baseline_sum:
        return None
    return float(100 * (assessment.target_sum - assessment.baseline_sum) / assessment.baseline_sum)


def _progression_line(axes: Axes, days: Sequence[int], assessments: Sequence[Assessment | None], factor: float) -> None:
    """Draw, at each follow-up, how large the sum must be for progression against its nadir."""
    points = [
        (day, float(100 * (factor * float(a.nadir_sum) / float(a.baseline_sum) - 1)))
        for day, a in zip(days, assessments, strict=True)
        if a is not None and a.nadir_sum and a.baseline_sum
    ]
    if not points:
        return
    axes.plot(*zip(*points, strict=True), color="#b3261e", linewidth=0, marker="_", markersize=22, markeredgewidth=1.6)
    axes.annotate("PD", points[-1], textcoords="offset points", xytext=(14, -3), color="#b3261e")
