"""The data of a swimmer plot: every subject's time on study with response, progression and death."""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

from tumorresp.cohort.course_of_sum import best_category, by_criterion, has_several_evaluators, shown_name
from tumorresp.domain.assessment import Category
from tumorresp.response.outcome import CriterionOutcome, EndPoint, EndPointName, SubjectOutcome


@dataclass(frozen=True)
class SwimmerLane:
    """One subject, all in days since the reference date; None where it did not happen.

    Parameters
    ----------
    end
        Last known day: death, last seen, or last visit.
    response
        (start, end) of the response; the end is that of its duration.
    response_is_ongoing
        The response had not ended when last assessed.
    ongoing
        Neither progression nor death so far.
    """

    name: str
    arm: str
    best: Category
    end: int
    response: tuple[int, int] | None
    response_is_ongoing: bool
    progression: int | None
    death: int | None
    new_therapy: int | None
    ongoing: bool


def swimmer(outcomes: Sequence[SubjectOutcome], criterion: str) -> tuple[SwimmerLane, ...]:
    """Return a lane a subject with a reference date, the longest first."""
    with_evaluator = has_several_evaluators(outcomes)
    lanes = [
        _lane(outcome, item, shown_name(outcome, with_evaluator=with_evaluator))
        for outcome, item in by_criterion(outcomes, criterion)
        if outcome.course.dates.reference is not None and item.end_points
    ]
    return tuple(sorted(lanes, key=lambda lane: (-lane.end, lane.name)))


def _lane(outcome: SubjectOutcome, item: CriterionOutcome, name: str) -> SwimmerLane:
    dates = outcome.course.dates
    reference = dates.reference
    assert reference is not None, "checked by the caller"
    points = {point.name: point for point in item.end_points}
    duration = points.get(EndPointName.DOR)
    progression = _event(points.get(EndPointName.TTP))
    ends = [point.end for point in item.end_points]
    known = [day for day in (dates.death, dates.last_alive, dates.new_therapy) if day is not None]
    return SwimmerLane(
        name=name,
        arm=dates.arm,
        best=best_category(item),
        end=max((day - reference).days for day in [*ends, *known]),
        response=None if duration is None else (_days(duration.start, reference), _days(duration.end, reference)),
        response_is_ongoing=duration is not None and not duration.event,
        progression=None if progression is None else _days(progression, reference),
        death=None if dates.death is None else _days(dates.death, reference),
        new_therapy=None if dates.new_therapy is None else _days(dates.new_therapy, reference),
        ongoing=progression is None and dates.death is None,
    )


def _event(point: EndPoint | None) -> datetime.date | None:
    return point.end if point is not None and point.event else None


def _days(day: datetime.date, reference: datetime.date) -> int:
    return (day - reference).days
