"""Kaplan-Meier plot with the numbers at risk below."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from reports.figures.canvas import days_axis, empty, new_axes
from reports.figures.palette import ARMS
from tumorresp.cohort.survival import SurvivalCurve


def kaplan_meier_figure(curves: Sequence[SurvivalCurve], title: str) -> Figure:
    """Return the plot: a step a curve, its 95 % band, censorings as ticks, medians in the legend."""
    if not curves:
        return empty(title, "No subject has this end point.")
    figure, axes = new_axes(7.5, 4.4 + 0.22 * len(curves), title)
    for curve, colour in zip(curves, _colours(curves), strict=True):
        days, survival = _steps(curve, curve.survival)
        axes.step(days, survival, where="post", color=colour, lw=1.6, label=_label(curve))
        axes.fill_between(
            days, _steps(curve, curve.low)[1], _steps(curve, curve.high)[1], step="post", color=colour, alpha=0.12, lw=0
        )
        ticks = curve.censored_days
        axes.plot(ticks, [_at(curve, day) for day in ticks], marker="|", ls="none", color=colour, ms=7)
    axes.axhline(0.5, color="#BBBBBB", lw=0.7, ls=":")
    axes.set_ylim(0, 1.03)
    axes.set_xlim(left=0)
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    axes.set_ylabel("Without event")
    axes.xaxis.set_major_locator(MaxNLocator(nbins=7, integer=True))
    days_axis(axes, "Days")
    axes.legend(loc="upper right")
    _numbers_at_risk(figure, curves)
    return figure


def _numbers_at_risk(figure: Figure, curves: Sequence[SurvivalCurve]) -> None:
    axes = figure.axes[0]
    ticks = [int(tick) for tick in axes.get_xticks() if 0 <= tick <= max(curve.all_days[-1] for curve in curves)]
    axes.set_xticks(ticks)
    lines = ["At risk"]
    first = -0.21
    axes.text(0, first, lines[0], transform=axes.transAxes, fontsize=8, fontweight="bold", va="top")
    for row, (curve, colour) in enumerate(zip(curves, _colours(curves), strict=True), 1):
        y = first - 0.055 * row
        for tick in ticks:
            axes.text(
                tick,
                y,
                str(curve.at_risk(tick)),
                transform=axes.get_xaxis_transform(),
                fontsize=8,
                ha="center",
                va="top",
                color=colour,
            )
        axes.text(-0.035, y, curve.arm, transform=axes.transAxes, fontsize=8, ha="right", va="top", color=colour)


def kaplan_meier_page(curves: Sequence[SurvivalCurve], title: str) -> go.Figure:
    """Return the plot for a screen."""
    figure = go.Figure()
    for curve, colour in zip(curves, _colours(curves), strict=True):
        days, survival = _steps(curve, curve.survival)
        figure.add_scatter(
            x=days,
            y=survival,
            mode="lines",
            line={"shape": "hv", "color": colour},
            name=_label(curve),
            hovertemplate="day %{x}: %{y:.1%}<extra></extra>",
        )
        figure.add_scatter(
            x=curve.censored_days,
            y=[_at(curve, day) for day in curve.censored_days],
            mode="markers",
            marker={"symbol": "line-ns-open", "color": colour, "size": 8},
            name="censored",
            showlegend=False,
        )
    figure.update_layout(
        title=title, xaxis_title="Days", yaxis_title="Without event", yaxis_tickformat=".0%", template="plotly_white"
    )
    figure.update_yaxes(range=[0, 1.03])
    return figure


def _steps(curve: SurvivalCurve, shares: Sequence[float]) -> tuple[list[int], list[float]]:
    """Return a curve from day 0 on; where an interval is not defined it is the curve itself."""
    filled = [own if np.isnan(share) else share for share, own in zip(shares, curve.survival, strict=True)]
    return [0, *curve.days], [1.0, *filled]


def _at(curve: SurvivalCurve, day: int) -> float:
    reached = [share for when, share in zip(curve.days, curve.survival, strict=True) if when <= day]
    return reached[-1] if reached else 1.0


def _colours(curves: Sequence[SurvivalCurve]) -> list[str]:
    return [ARMS[index % len(ARMS)] for index in range(len(curves))]


def _label(curve: SurvivalCurve) -> str:
    name = curve.arm or "All subjects"
    median = "not reached" if curve.median is None else f"{curve.median} days"
    return f"{name}: {curve.events} of {curve.subjects}, median {median}"
