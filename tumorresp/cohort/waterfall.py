"""The data of a waterfall plot: every subject's best change of the sum from baseline."""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from tumorresp.cohort.course_of_sum import best_category, by_criterion, has_several_evaluators, shown_name, sum_points
from tumorresp.domain.assessment import Category
from tumorresp.response.outcome import SubjectOutcome


@dataclass(frozen=True)
class WaterfallBar:
    """One subject: smallest change (%) up to and with the first PD, when it was reached, and its best response."""

    name: str
    arm: str
    best: Category
    change_percent: Decimal
    date: datetime.date


@dataclass(frozen=True)
class Waterfall:
    """Bars from the largest growth to the largest shrinkage, and who has none, with why."""

    bars: tuple[WaterfallBar, ...]
    without: tuple[tuple[str, str], ...]


def waterfall(outcomes: Sequence[SubjectOutcome], criterion: str) -> Waterfall:
    """Return the waterfall of a criterion; of equal changes the earliest counts."""
    with_evaluator = has_several_evaluators(outcomes)
    bars: list[WaterfallBar] = []
    without: list[tuple[str, str]] = []
    for outcome, item in by_criterion(outcomes, criterion):
        name = shown_name(outcome, with_evaluator=with_evaluator)
        points = sum_points(outcome, item, until_progression=True)
        if not points:
            without.append((name, _why(item.assessments[0].target_sum if item.assessments else None)))
            continue
        best = min(points, key=lambda point: (point.change_percent, point.date))
        bars.append(WaterfallBar(name, outcome.course.dates.arm, best_category(item), best.change_percent, best.date))
    return Waterfall(tuple(sorted(bars, key=lambda bar: (-bar.change_percent, bar.name))), tuple(without))


def _why(baseline: Decimal | None) -> str:
    return "no complete sum after the baseline" if baseline else "no complete sum at baseline"
