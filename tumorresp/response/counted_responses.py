"""Which of a subject's responses count: one a day, from the reference date to the first progression.

Cut at the start of another therapy and at death (RECIST 1.1, section 4.5: from the start of treatment to progression).
"""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from tumorresp.domain.assessment import Category
from tumorresp.domain.errors import InvalidInput
from tumorresp.response.subject import DatedResponse, SubjectDates

_WORST_FIRST = (
    Category.PD,
    Category.NON_CR_NON_PD,
    Category.SD,
    Category.MR,
    Category.PR,
    Category.CR,
    Category.NED,
    Category.NE,
)
_RANK = {category: rank for rank, category in enumerate(_WORST_FIRST)}


@dataclass(frozen=True, slots=True)
class CountedResponses:
    """The responses that count, by date, and a sentence for each that does not; those after the first PD have none."""

    responses: tuple[DatedResponse, ...]
    left_out: tuple[str, ...] = ()


class CountedUntil(StrEnum):
    """Which progression ends what counts.

    ``first-pd``: the first PD among the responses. ``stated``: the subject's date of progression that is stated outside
    of the responses (adjudicated, clinical; admiralonco's ``source_pd``); a PD among the responses ends nothing, nor
    does anything where no date is stated. ``all``: nothing, assessments after PD count.
    """

    FIRST_PD = "first-pd"
    STATED = "stated"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class CountingRules:
    """What counts.

    Parameters
    ----------
    until
        Which progression ends it.
    progression_included
        The first PD, or an assessment on the stated date, counts itself.
    cut_at_new_therapy
        Nothing after the start of another therapy counts.
    before_reference
        Assessments before the reference date count.
    """

    until: CountedUntil = CountedUntil.FIRST_PD
    progression_included: bool = True
    cut_at_new_therapy: bool = True
    before_reference: bool = False


def known_reference(dates: SubjectDates) -> datetime.date:
    """Return the reference date.

    Raises
    ------
    InvalidInput
        If it is not known, or death or another therapy lies before it.
    """
    reference = dates.reference
    if reference is None:
        raise InvalidInput(
            "the reference date is not known.", where="reference_date", remedy="Give it for the subject."
        )
    for name, day, words in (
        ("death_date", dates.death, "death"),
        ("new_therapy_date", dates.new_therapy, "the start of another anti-cancer therapy"),
    ):
        if day is not None and day < reference:
            raise InvalidInput(
                f"{words} on {day} lies before the reference date {reference}.", where=name, remedy="Correct one."
            )
    return reference


def one_a_day(responses: Sequence[DatedResponse]) -> list[DatedResponse]:
    """Return the worst response of every day, by date; NE only where there is nothing else on that day.

    What is MISSING is no assessment and left out. The order of the input does not matter.

    Raises
    ------
    InvalidInput
        If a response is none of RECIST 1.1's, nor MR or NED. iRECIST's have rules of their own
        (``tumorresp.response.irecist_over_time``): an iUPD is progression or none by what follows.
    """
    shown = [item for item in responses if item.overall is not Category.MISSING]
    unknown = next((item for item in shown if item.overall not in _RANK), None)
    if unknown is not None:
        raise InvalidInput(
            f"{unknown.overall} on {unknown.date} is none of {', '.join(_RANK)}.",
            where=unknown.source or unknown.name,
            remedy="iRECIST's responses are evaluated by the criterion irecist.",
        )
    if all(one.date < other.date for one, other in pairwise(shown)):
        return shown
    kept: list[DatedResponse] = []
    for item in sorted(shown, key=_order):
        if not kept or kept[-1].date != item.date:
            kept.append(item)
    return kept


def what_counts(responses: Sequence[DatedResponse], dates: SubjectDates, rules: CountingRules) -> CountedResponses:
    """Return the responses that count.

    The first PD that dates from an earlier scan (an equivocal lesion that is confirmed later) takes away the responses
    from that day on: the lesion was there.

    Raises
    ------
    InvalidInput
        As ``known_reference`` and ``one_a_day`` say.
    """
    known_reference(dates)
    kept = one_a_day(responses)
    counted: list[DatedResponse] = []
    left_out: list[str] = []
    progression: DatedResponse | None = None
    for item in kept:
        why = _outside(item, dates, rules)
        if why:
            left_out.append(_not_counted(item, why))
        elif item.overall is Category.PD and rules.until is CountedUntil.FIRST_PD:
            progression = item
            break
        else:
            counted.append(item)
    if len(kept) < len(responses):
        left_out += _worse_that_day(responses, [*counted, progression] if progression is not None else counted)
    if progression is not None:
        since = progression.progression_date
        while counted and counted[-1].date >= since:
            last = counted.pop()
            left_out.append(_not_counted(last, f"the progression seen at {progression.name} dates from {since}"))
        if rules.progression_included:
            counted.append(progression)
    return CountedResponses(tuple(counted), tuple(left_out))


def _worse_that_day(responses: Sequence[DatedResponse], kept: Sequence[DatedResponse]) -> list[str]:
    """Say which responses give way to another of the same day."""
    winners = {item.date: item for item in kept}
    return [
        _not_counted(item, f"{winners[item.date].name} of the same day is {winners[item.date].overall}")
        for item in sorted((item for item in responses if item.overall is not Category.MISSING), key=_order)
        if item.date in winners and winners[item.date] != item
    ]


def _outside(item: DatedResponse, dates: SubjectDates, rules: CountingRules) -> str:
    """Return why a day lies outside of what counts, empty where it does not."""
    if dates.reference is not None and item.date < dates.reference and not rules.before_reference:
        return f"before the reference date {dates.reference}"
    if rules.cut_at_new_therapy and dates.new_therapy is not None and item.date > dates.new_therapy:
        return f"after the start of another anti-cancer therapy on {dates.new_therapy}"
    if dates.death is not None and item.date > dates.death:
        return f"after death on {dates.death}"
    stated = dates.progression if rules.until is CountedUntil.STATED else None
    if stated is not None and item.date > stated:
        return f"after the progression stated on {stated}"
    if stated is not None and item.date == stated and not rules.progression_included:
        return f"on the day of the progression stated on {stated}"
    return ""


def _not_counted(item: DatedResponse, why: str) -> str:
    return f"Not counted: {item.overall} at {item.name} on {item.date}, {why}."


def _order(item: DatedResponse) -> tuple[datetime.date, int, datetime.date, str, str]:
    return item.date, _RANK[item.overall], item.progression_date, item.name, item.time_point_id
