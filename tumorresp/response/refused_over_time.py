"""What refused input leaves of a best response and of end points.

A visit of which something could not be read may have been progression: nothing after it makes a best response better,
and none confirms it. Where that is the size of a target alone, the visit is NE as with any target that was not
assessed: what follows counts, and a best response that rests on it says so.
"""

import datetime
from collections.abc import Callable, Sequence
from dataclasses import replace

from tumorresp.domain.assessment import Category
from tumorresp.domain.finding import Finding, Severity
from tumorresp.response.best_response import BestResponseParameters
from tumorresp.response.counted_responses import CountedUntil
from tumorresp.response.outcome import BestResponse, EndPoint, EndPointName
from tumorresp.response.reasons import listing
from tumorresp.response.refused import PROGRESSION
from tumorresp.response.subject import DatedResponse, SubjectDates

_NOTHING_BETTER = PROGRESSION | {Category.NE, Category.MISSING}
_NEW_THERAPY, _STATED_PROGRESSION, _DEATH = "new_therapy_date", "stated_progression_date", "death_date"


def best_with_refused(
    responses: Sequence[DatedResponse],
    dates: SubjectDates,
    parameters: BestResponseParameters,
    best_of: Callable[[Sequence[DatedResponse]], BestResponse],
) -> BestResponse:
    """Return the best response that is certain: of the visits up to the first that refused input keeps back.

    Parameters
    ----------
    best_of
        The rule, from responses to the best one.

    Raises
    ------
    InvalidInput
        As ``best_of``.
    """
    best = best_of(responses)
    if best.category in _NOTHING_BETTER:
        return best
    ordered = sorted(responses, key=_date_of)
    first = next((index for index, item in enumerate(ordered) if item.refused and not item.refused_targets_only), None)
    ends = _ends(dates, parameters)
    if ends:
        certain, why = best_of(()), f"{listing(ends)} could not be read, it is not known which visits count"
    elif first is None:
        return _marked(best, ordered, best_of)
    else:
        certain = _marked(best_of(_until(ordered, first)), ordered[: first + 1], best_of)
        why = f"At {ordered[first].name} something could not be read, it may be progression"
    if certain == best:
        return best
    words = f"{why}: later visits make the best response no better (with them it would be {best.category})."
    finding = Finding("best-response-kept-back", Severity.WARNING, words, decides=True)
    if certain.category is Category.MISSING:
        certain = replace(certain, category=Category.NE)
    return replace(certain, reasons=(*certain.reasons, words), findings=(*certain.findings, finding))


def _until(ordered: Sequence[DatedResponse], index: int) -> tuple[DatedResponse, ...]:
    """Return the responses up to one that is not known."""
    return (*ordered[:index], replace(ordered[index], overall=Category.NE))


def _marked(
    best: BestResponse, ordered: Sequence[DatedResponse], best_of: Callable[[Sequence[DatedResponse]], BestResponse]
) -> BestResponse:
    """Return a best response that says where it rests on visits after one whose target size could not be read."""
    first = next((index for index, item in enumerate(ordered) if item.refused and item.refused_targets_only), None)
    if first is None:
        return best
    without = best_of(_until(ordered, first))
    if without.category is best.category:
        return best
    words = (
        f"At {ordered[first].name} the size of a target could not be read; it counts as NE. "
        f"By the visits up to it alone the best response would be {without.category}."
    )
    finding = Finding("best-response-after-not-read", Severity.WARNING, words, decides=True)
    return replace(best, reasons=(*best.reasons, words), findings=(*best.findings, finding))


def _ends(dates: SubjectDates, parameters: BestResponseParameters) -> list[str]:
    """Return the dates after which nothing counts, as the protocol has it, that could not be read."""
    ends = [_NEW_THERAPY] if parameters.cut_at_new_therapy else []
    ends += [_STATED_PROGRESSION] if parameters.counted_until is CountedUntil.STATED else []
    return [name for name in ends if name in dates.refused]


def with_refused_dates(
    points: Sequence[EndPoint], responses: Sequence[DatedResponse], dates: SubjectDates
) -> tuple[EndPoint, ...]:
    """Return end points that say what could not be read and bears on them."""
    open_visits = [
        f"At {item.name} something could not be read: progression may be earlier." for item in responses if item.refused
    ]
    open_dates = [f"{name} could not be read: it is taken as not known." for name in dates.refused]
    if not open_visits and not open_dates:
        return tuple(points)
    return tuple(_with_words(point, open_visits, open_dates, dates) for point in points)


def _with_words(
    point: EndPoint, open_visits: Sequence[str], open_dates: Sequence[str], dates: SubjectDates
) -> EndPoint:
    description = point.description
    if not point.event and _DEATH in dates.refused and point.name is not EndPointName.TTR:
        description = f"{description} ({_DEATH} could not be read)"
    visits = () if point.name is EndPointName.OS else open_visits
    return replace(point, description=description, reasons=(*point.reasons, *visits, *open_dates))


def _date_of(item: DatedResponse) -> datetime.date:
    return item.date
