"""Swimmer plot: one lane a subject, with response, progression, death and new therapy."""

from collections.abc import Sequence

import plotly.graph_objects as go
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from reports.figures.canvas import LABELLED, days_axis, empty, new_axes
from reports.figures.palette import DEATH, LANE, OTHER, PROGRESSION, RESPONSE
from tumorresp.cohort.swimmer import SwimmerLane

_HEADING = "time on study"
_MARKS = (
    ("progression", "Progression", "X", "x", PROGRESSION),
    ("new_therapy", "New therapy", "d", "diamond", OTHER),
    ("death", "Death", "s", "square", DEATH),
)


def swimmer_figure(lanes: Sequence[SwimmerLane], title: str) -> Figure:
    """Return the plot, the longest lane on top."""
    if not lanes:
        return empty(f"{title}: {_HEADING}", "No subject has a reference date.")
    height = max(2.6, min(14.0, 0.17 * len(lanes) + 1.4))
    figure, axes = new_axes(8.0, height, f"{title}: {_HEADING}")
    for row, lane in enumerate(lanes):
        axes.barh(row, max(lane.end, 1), color=LANE, height=0.72, zorder=2)
        if lane.response is not None:
            start, end = lane.response
            axes.barh(row, max(end - start, 1), left=start, color=RESPONSE, height=0.72, zorder=3)
        _marks(axes, row, lane)
    axes.invert_yaxis()
    axes.set_ylim(len(lanes) - 0.4, -0.6)
    if len(lanes) <= LABELLED:
        axes.set_yticks(range(len(lanes)), [lane.name for lane in lanes], fontsize=7)
    else:
        axes.set_yticks([])
        axes.set_ylabel(f"{len(lanes)} subjects")
    days_axis(axes, "Days since the reference date")
    axes.legend(handles=_handles(lanes), loc="lower right")
    return figure


def _marks(axes: Axes, row: int, lane: SwimmerLane) -> None:
    for field, _, marker, _, colour in _MARKS:
        day = getattr(lane, field)
        if day is not None:
            axes.plot(day, row, marker=marker, color=colour, ms=5, mec="white", mew=0.5, zorder=5, ls="none")
    if lane.ongoing:
        axes.plot(lane.end, row, marker=">", color="#555555", ms=5, zorder=5, ls="none", clip_on=False)


def _handles(lanes: Sequence[SwimmerLane]) -> list[Patch | Line2D]:
    handles: list[Patch | Line2D] = [Patch(color=LANE, label="On study")]
    if any(lane.response is not None for lane in lanes):
        handles.append(Patch(color=RESPONSE, label="Response (CR or PR)"))
    for field, words, marker, _, colour in _MARKS:
        if any(getattr(lane, field) is not None for lane in lanes):
            handles.append(Line2D([], [], marker=marker, color=colour, ls="none", ms=6, mec="white", label=words))
    if any(lane.ongoing for lane in lanes):
        handles.append(Line2D([], [], marker=">", color="#555555", ls="none", ms=6, label="Ongoing"))
    return handles


def swimmer_page(lanes: Sequence[SwimmerLane], title: str) -> go.Figure:
    """Return the plot for a screen."""
    figure = go.Figure()
    rows = list(range(len(lanes)))
    figure.add_bar(
        y=rows,
        x=[lane.end for lane in lanes],
        orientation="h",
        marker_color=LANE,
        name="On study",
        customdata=[[lane.name, lane.arm, str(lane.best)] for lane in lanes],
        hovertemplate="%{customdata[0]} %{customdata[1]}<br>%{customdata[2]}, %{x} days<extra></extra>",
    )
    responding = [(row, lane) for row, lane in enumerate(lanes) if lane.response is not None]
    figure.add_bar(
        y=[row for row, _ in responding],
        x=[lane.response[1] - lane.response[0] for _, lane in responding if lane.response],
        base=[lane.response[0] for _, lane in responding if lane.response],
        orientation="h",
        marker_color=RESPONSE,
        name="Response (CR or PR)",
    )
    for field, words, _, symbol, colour in _MARKS:
        seen = [(row, getattr(lane, field)) for row, lane in enumerate(lanes) if getattr(lane, field) is not None]
        figure.add_scatter(
            y=[row for row, _ in seen],
            x=[day for _, day in seen],
            mode="markers",
            marker={"symbol": symbol, "color": colour, "size": 9},
            name=words,
        )
    figure.update_layout(
        title=f"{title}: {_HEADING}",
        xaxis_title="Days since the reference date",
        barmode="overlay",
        template="plotly_white",
        height=max(360, 16 * len(lanes) + 160),
    )
    figure.update_yaxes(autorange="reversed", tickvals=rows, ticktext=[lane.name for lane in lanes])
    return figure
