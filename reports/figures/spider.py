"""Spider plot: one line a subject, the change of the sum from baseline through time."""

from collections.abc import Sequence

import plotly.graph_objects as go
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from reports.figures.canvas import days_axis, empty, new_axes
from reports.figures.palette import category_colour, in_order
from tumorresp.cohort.spider import SpiderLine

_FEW = 12
_HEADING = "change of the sum from baseline through time"


def spider_figure(lines: Sequence[SpiderLine], title: str, limits: Sequence[float]) -> Figure:
    """Return the plot; ``limits`` (%) are drawn as lines."""
    if not lines:
        return empty(f"{title}: {_HEADING}", "No subject has a complete sum after the baseline.")
    figure, axes = new_axes(7.5, 4.6, f"{title}: {_HEADING}")
    alpha = 0.9 if len(lines) <= 30 else 0.55
    for line in lines:
        days, changes = _series(line)
        axes.plot(days, changes, color=category_colour(line.best), lw=1.2, alpha=alpha, marker="o", ms=2.5, zorder=2)
        if len(lines) <= _FEW:
            axes.annotate(
                line.name, (days[-1], changes[-1]), xytext=(4, 0), textcoords="offset points", fontsize=7, va="center"
            )
    axes.axhline(0, color="#222222", lw=0.8)
    for limit in limits:
        axes.axhline(limit, color="#777777", lw=0.8, ls="--", zorder=1)
    axes.set_ylabel("Change from baseline, %")
    days_axis(axes, "Days since the reference date")
    axes.legend(
        handles=[
            Line2D([], [], color=category_colour(category), marker="o", ms=3, label=str(category))
            for category in in_order([line.best for line in lines])
        ],
        title="Best response",
        loc="upper left",
        bbox_to_anchor=(1.0, 1.0),
    )
    return figure


def spider_page(lines: Sequence[SpiderLine], title: str, limits: Sequence[float]) -> go.Figure:
    """Return the plot for a screen."""
    figure = go.Figure()
    named: set[str] = set()
    for line in lines:
        days, changes = _series(line)
        category = str(line.best)
        figure.add_scatter(
            x=days,
            y=changes,
            mode="lines+markers",
            line_color=category_colour(line.best),
            name=category,
            legendgroup=category,
            showlegend=category not in named,
            hovertemplate=f"{line.name}<br>day %{{x}}: %{{y:+.1f}} %<extra>{category}</extra>",
        )
        named.add(category)
    for limit in limits:
        figure.add_hline(y=limit, line_dash="dash", line_color="#777777")
    figure.update_layout(
        title=f"{title}: {_HEADING}",
        xaxis_title="Days since the reference date",
        yaxis_title="Change from baseline, %",
        legend_title="Best response",
        template="plotly_white",
    )
    return figure


def _series(line: SpiderLine) -> tuple[list[int], list[float]]:
    days = [line.baseline_day, *(point.days for point in line.points)]
    return days, [0.0, *(float(point.change_percent) for point in line.points)]
