"""The data of a spider plot: every subject's change of the sum from baseline through time."""

from collections.abc import Sequence
from dataclasses import dataclass

from tumorresp.cohort.course_of_sum import (
    SumPoint,
    best_category,
    by_criterion,
    has_several_evaluators,
    shown_name,
    sum_points,
)
from tumorresp.domain.assessment import Category
from tumorresp.response.outcome import SubjectOutcome


@dataclass(frozen=True)
class SpiderLine:
    """One subject; the baseline (day of its scan, 0 %) is not among the points but in ``baseline_day``."""

    name: str
    arm: str
    best: Category
    baseline_day: int
    points: tuple[SumPoint, ...]


def spider(outcomes: Sequence[SubjectOutcome], criterion: str) -> tuple[SpiderLine, ...]:
    """Return a line a subject with at least one complete sum after the baseline."""
    with_evaluator = has_several_evaluators(outcomes)
    lines = []
    for outcome, item in by_criterion(outcomes, criterion):
        points = sum_points(outcome, item, until_progression=False)
        if points:
            baseline = outcome.course.visits[0].date
            reference = outcome.course.dates.reference or baseline
            name = shown_name(outcome, with_evaluator=with_evaluator)
            arm = outcome.course.dates.arm
            lines.append(SpiderLine(name, arm, best_category(item), (baseline - reference).days, points))
    return tuple(lines)
