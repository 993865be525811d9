"""Best overall response of one subject (RECIST 1.1, section 4.5 and Table 3), unconfirmed and confirmed."""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from tumorresp.domain.assessment import Category
from tumorresp.domain.errors import InvalidInput
from tumorresp.domain.finding import Finding, Severity
from tumorresp.response.confirmation import ConfirmationRules, confirming_index
from tumorresp.response.outcome import BestResponse
from tumorresp.response.parameters import as_pairs
from tumorresp.response.subject import DatedResponse, SubjectDates


class SdWindowConvention(StrEnum):
    """How the minimum duration of stable disease is counted."""

    DIFFERENCE = "difference"
    STUDY_DAY = "study_day"


@dataclass(frozen=True)
class BestResponseParameters:
    """Conventions of the best overall response.

    Parameters
    ----------
    confirm_min_days
        Least difference of dates between a response and the scan that confirms it (RECIST 1.1, 4.6: four weeks).
    max_nr_ne
        So many NE may lie between the two.
    accept_sd
        One SD may lie between two PR.
    sd_min_days
        Stable disease counts from so many days after the reference date (protocols have 28 to 56; six weeks is usual).
    sd_window_convention
        ``difference``: date - reference >= sd_min_days. ``study_day``: the study day, which is 1 on the reference date,
        is at least sd_min_days.
    missing_as_ne
        A subject without any assessment after the baseline is NE, not MISSING.
    pd_inclusive
        Assessments count up to and with the first PD. False: to the last before it.
    cut_at_new_therapy
        Assessments after the start of another anti-cancer therapy do not count.
    """

    confirm_min_days: int = 28
    max_nr_ne: int = 1
    accept_sd: bool = False
    sd_min_days: int = 42
    sd_window_convention: SdWindowConvention = SdWindowConvention.DIFFERENCE
    missing_as_ne: bool = False
    pd_inclusive: bool = True
    cut_at_new_therapy: bool = True


_PROGRESSION = (Category.PD, Category.ICPD)
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
_STABLE_OR_BETTER = (Category.SD, Category.MR, Category.PR, Category.CR)
_ALLOWED = frozenset(_WORST_FIRST)


@dataclass(frozen=True)
class _Found:
    category: Category
    index: int
    confirming: int | None
    words: str


def best_response(
    responses: Sequence[DatedResponse], dates: SubjectDates, parameters: BestResponseParameters, *, confirmed: bool
) -> BestResponse:
    """Return the best overall response.

    Parameters
    ----------
    responses
        Overall responses after the baseline, in any order.
    dates
        ``reference`` must be known: the minimum duration of stable disease counts from it.
    confirmed
        CR and PR need a later scan that confirms them.

    Raises
    ------
    InvalidInput
        If the reference date is not known, or a response is none that this rule knows (iRECIST has a rule of its own).
    """
    if dates.reference is None:
        raise InvalidInput("the reference date is not known.", where="best response", remedy="Give reference_date.")
    unknown = [item for item in responses if item.overall not in _ALLOWED]
    if unknown:
        raise InvalidInput(
            f"{unknown[0].overall} has no place in the best response of RECIST 1.1.", where=unknown[0].name
        )
    counted = counted_responses(responses, dates, parameters)
    findings = _cr_followed_by_pr(counted)
    if not counted:
        category = Category.NE if parameters.missing_as_ne else Category.MISSING
        words = (f"No response assessment from {dates.reference} on: {category}.",)
        return BestResponse(category, confirmed, None, None, (), words, as_pairs(parameters), findings)
    found = _best(counted, dates.reference, parameters, confirmed=confirmed)
    at = counted[found.index]
    confirming = None if found.confirming is None else counted[found.confirming].date
    last = found.index if found.confirming is None else found.confirming
    listed = ", ".join(f"{item.name} {item.date} {item.overall}" for item in counted)
    return BestResponse(
        category=found.category,
        confirmed=confirmed,
        date=at.progression_date if found.category is Category.PD else at.date,
        confirming_date=confirming,
        component_dates=tuple(item.date for item in counted[found.index : last + 1]),
        reasons=(f"Counted: {listed}.", found.words),
        parameters=as_pairs(parameters),
        findings=findings,
    )


def counted_responses(
    responses: Sequence[DatedResponse], dates: SubjectDates, parameters: BestResponseParameters
) -> tuple[DatedResponse, ...]:
    """Return the responses that count, by date: from the reference on, the worst of a day, up to the first PD.

    Of several on one day the worst counts, NE only where there is nothing else. What is dated after death never counts.
    """
    by_date: dict[datetime.date, DatedResponse] = {}
    new_therapy = dates.new_therapy if parameters.cut_at_new_therapy else None
    limits = [limit for limit in (new_therapy, dates.death) if limit is not None]
    for item in responses:
        if dates.reference is not None and item.date < dates.reference:
            continue
        if limits and item.date > min(limits):
            continue
        known = by_date.get(item.date)
        if known is None or _worse(item.overall, known.overall):
            by_date[item.date] = item
    ordered = [by_date[date] for date in sorted(by_date)]
    for index, item in enumerate(ordered):
        if item.overall in _PROGRESSION:
            return tuple(ordered[: index + parameters.pd_inclusive])
    return tuple(ordered)


def _worse(one: Category, other: Category) -> bool:
    return _WORST_FIRST.index(one) < _WORST_FIRST.index(other)


def _best(
    counted: Sequence[DatedResponse], reference: datetime.date, parameters: BestResponseParameters, *, confirmed: bool
) -> _Found:
    for category in (Category.CR, Category.PR):
        found = _response(counted, category, parameters, confirmed=confirmed)
        if found is not None:
            return found
    for category, members in (
        (Category.MR, (Category.MR,)),
        (Category.SD, _STABLE_OR_BETTER),
        (Category.NON_CR_NON_PD, (Category.NON_CR_NON_PD,)),
        (Category.NED, (Category.NED,)),
    ):
        found = _lasting(counted, category, members, reference, parameters)
        if found is not None:
            return found
    for index, item in enumerate(counted):
        if item.overall is Category.PD:
            words = f"Best is PD at {item.name}, dated {item.progression_date}: nothing better lasted long enough."
            return _Found(Category.PD, index, None, words)
    return _Found(Category.NE, 0, None, _not_evaluable_words(counted, reference, parameters))


def _response(
    counted: Sequence[DatedResponse], category: Category, parameters: BestResponseParameters, *, confirmed: bool
) -> _Found | None:
    rules = ConfirmationRules(parameters.confirm_min_days, parameters.max_nr_ne, accept_sd=parameters.accept_sd)
    for index, item in enumerate(counted):
        if item.overall is not category:
            continue
        if not confirmed:
            return _Found(category, index, None, f"Best is {category}, first at {item.name} on {item.date}.")
        other = confirming_index(counted, index, rules)
        if other is not None:
            days = (counted[other].date - item.date).days
            words = (
                f"Best is {category}: {item.name} on {item.date}, confirmed by {counted[other].overall} at "
                f"{counted[other].name} on {counted[other].date}, {days} days later (at least "
                f"{parameters.confirm_min_days})."
            )
            return _Found(category, index, other, words)
    return None


def _lasting(
    counted: Sequence[DatedResponse],
    category: Category,
    members: Sequence[Category],
    reference: datetime.date,
    parameters: BestResponseParameters,
) -> _Found | None:
    """Return the first visit with one of the categories that is late enough."""
    for index, item in enumerate(counted):
        if item.overall not in members:
            continue
        day = (item.date - reference).days + (parameters.sd_window_convention is SdWindowConvention.STUDY_DAY)
        if day >= parameters.sd_min_days:
            seen = "" if item.overall is category else f" (seen as {item.overall}, not confirmed)"
            by_study_day = parameters.sd_window_convention is SdWindowConvention.STUDY_DAY
            shown = f"study day {day}" if by_study_day else f"{day} days after {reference}"
            words = (
                f"Best is {category}: {item.name} on {item.date}{seen}, {shown} (at least {parameters.sd_min_days})."
            )
            return _Found(category, index, None, words)
    return None


def _not_evaluable_words(
    counted: Sequence[DatedResponse], reference: datetime.date, parameters: BestResponseParameters
) -> str:
    early = [item for item in counted if item.overall is not Category.NE]
    if not early:
        return "Best is NE: no assessment could be evaluated."
    last = early[-1]
    return (
        f"Best is NE: {last.overall} at {last.name} is {(last.date - reference).days} days after {reference}, too "
        f"early for stable disease ({parameters.sd_min_days} days, {parameters.sd_window_convention})."
    )


def _cr_followed_by_pr(counted: Sequence[DatedResponse]) -> tuple[Finding, ...]:
    """Point out a PR after a CR: disease that is back after a true CR is PD, so one of the two may be wrong."""
    complete = next((item for item in counted if item.overall is Category.CR), None)
    if complete is None:
        return ()
    later = next((item for item in counted if item.date > complete.date and item.overall is Category.PR), None)
    if later is None:
        return ()
    words = (
        f"CR at {complete.name} ({complete.date}) is followed by PR at {later.name} ({later.date}): disease that is "
        "back after a complete response is PD, or the CR was none. A reader must decide."
    )
    return (Finding("cr-followed-by-pr", Severity.WARNING, words, later.source or later.name),)
