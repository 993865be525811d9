"""Waterfall plot: one bar a subject, the best change of the sum from baseline."""

from collections.abc import Sequence

import plotly.graph_objects as go
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from reports.figures.canvas import LABELLED, empty, new_axes
from reports.figures.palette import category_colour, in_order
from tumorresp.cohort.waterfall import Waterfall

_HOVER = "%{customdata[0]} %{customdata[1]}<br>%{y:+.1f} %, %{customdata[2]}<extra>%{fullData.name}</extra>"
_MOST_SHOWN = 100.0
"""Bars beyond +100 % are cut and marked, so that the others can be read."""


def waterfall_figure(data: Waterfall, title: str, limits: Sequence[float]) -> Figure:
    """Return the plot; ``limits`` (%) are drawn as lines."""
    heading = f"{title}: best change of the sum from baseline"
    if not data.bars:
        return empty(heading, "No subject has a complete sum after the baseline.")
    figure, axes = new_axes(max(6.0, min(14.0, 0.14 * len(data.bars) + 3)), 4.2, heading)
    changes = [float(bar.change_percent) for bar in data.bars]
    shown = [min(change, _MOST_SHOWN) for change in changes]
    positions = range(len(changes))
    axes.bar(positions, shown, color=[category_colour(bar.best) for bar in data.bars], width=0.85, zorder=2)
    for position, change in enumerate(changes):
        if change > _MOST_SHOWN:
            axes.text(position, _MOST_SHOWN + 2, f"{change:+.0f}", ha="center", va="bottom", fontsize=6, rotation=90)
        elif change == 0:
            axes.plot([position - 0.4, position + 0.4], [0, 0], color=category_colour(data.bars[position].best), lw=2)
    axes.axhline(0, color="#222222", lw=0.8)
    for limit in limits:
        axes.axhline(limit, color="#777777", lw=0.8, ls="--", zorder=1)
        axes.text(
            len(changes) - 0.4, limit, f" {limit:+.0f} %".replace("-", "−"), va="center", fontsize=8, color="#555555"
        )
    axes.set_ylabel("Change from baseline, %")
    axes.set_xlim(-0.8, len(changes) - 0.2)
    if len(changes) <= LABELLED:
        axes.set_xticks(list(positions), [bar.name for bar in data.bars], rotation=90, fontsize=7)
    else:
        axes.set_xticks([])
        axes.set_xlabel(f"{len(changes)} subjects")
    categories = in_order([bar.best for bar in data.bars])
    axes.legend(
        handles=[Patch(color=category_colour(category), label=str(category)) for category in categories],
        title="Best response",
        loc="upper left",
        bbox_to_anchor=(1.06, 1.0),
    )
    if data.without:
        figure.supxlabel(f"Not shown: {len(data.without)} without a complete sum.", fontsize=8, color="#555555", x=0.3)
    return figure


def waterfall_page(data: Waterfall, title: str, limits: Sequence[float]) -> go.Figure:
    """Return the plot for a screen: names and numbers under the pointer."""
    figure = go.Figure()
    for category in in_order([bar.best for bar in data.bars]):
        own = [(index, bar) for index, bar in enumerate(data.bars) if bar.best is category]
        figure.add_bar(
            x=[index for index, _ in own],
            y=[float(bar.change_percent) for _, bar in own],
            name=str(category),
            marker_color=category_colour(category),
            customdata=[[bar.name, bar.arm, bar.date.isoformat()] for _, bar in own],
            hovertemplate=_HOVER,
        )
    for limit in limits:
        figure.add_hline(y=limit, line_dash="dash", line_color="#777777")
    figure.update_layout(
        title=f"{title}: best change of the sum from baseline",
        yaxis_title="Change from baseline, %",
        xaxis={"showticklabels": len(data.bars) <= LABELLED, "title": "Subjects"},
        legend_title="Best response",
        template="plotly_white",
        barmode="overlay",
    )
    if len(data.bars) <= LABELLED:
        figure.update_xaxes(tickvals=list(range(len(data.bars))), ticktext=[bar.name for bar in data.bars])
    return figure
