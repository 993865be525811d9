"""The sum of one subject through time, by one criterion: what waterfall and spider plots show."""

import datetime
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from tumorresp.domain.assessment import Category
from tumorresp.response.outcome import CriterionOutcome, SubjectOutcome

_PROGRESSION = (Category.PD, Category.ICPD)


@dataclass(frozen=True)
class SumPoint:
    """One complete sum: date, days since the reference date, change from baseline in %."""

    date: datetime.date
    days: int
    change_percent: Decimal


def by_criterion(
    outcomes: Sequence[SubjectOutcome], criterion: str
) -> Iterator[tuple[SubjectOutcome, CriterionOutcome]]:
    """Give every subject's outcome by one criterion."""
    for outcome in outcomes:
        for item in outcome.outcomes:
            if item.criterion == criterion:
                yield outcome, item


def sum_points(outcome: SubjectOutcome, item: CriterionOutcome, *, until_progression: bool) -> tuple[SumPoint, ...]:
    """Return the changes of the complete sums after the baseline.

    Parameters
    ----------
    until_progression
        End with the first PD (iRECIST: iCPD), its visit included.
    """
    visits = outcome.course.visits
    if not visits:
        return ()
    reference = outcome.course.dates.reference or visits[0].date
    points: list[SumPoint] = []
    for visit, assessment in list(zip(visits, item.assessments, strict=True))[1:]:
        if assessment.sum_is_complete and assessment.change_from_baseline_percent is not None:
            days = (visit.date - reference).days
            points.append(SumPoint(visit.date, days, assessment.change_from_baseline_percent))
        if until_progression and assessment.overall in _PROGRESSION:
            break
    return tuple(points)


def best_category(item: CriterionOutcome) -> Category:
    """Return the confirmed best response, MISSING where there is none."""
    best = item.confirmed_response or item.best_response
    return Category.MISSING if best is None else best.category


def shown_name(outcome: SubjectOutcome, *, with_evaluator: bool) -> str:
    """Return how a figure names a subject."""
    course = outcome.course
    return f"{course.subject_id} ({course.evaluator})" if with_evaluator and course.evaluator else course.subject_id


def has_several_evaluators(outcomes: Sequence[SubjectOutcome]) -> bool:
    """Return whether names need the evaluator."""
    return len({outcome.course.evaluator for outcome in outcomes}) > 1
