"""Time-to-event end points of one subject: PFS, TTP, OS, duration of response and of stable disease, time to response.

RECIST 1.1, sections 4.7 and 4.8; censoring as regulators describe it (FDA, Clinical Trial Endpoints for the Approval of
Cancer Drugs and Biologics, 2018), every convention a parameter.
"""

import datetime
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from tumorresp.domain.assessment import Category
from tumorresp.domain.errors import InvalidInput
from tumorresp.domain.finding import Finding, Severity
from tumorresp.response.best_response import response_date
from tumorresp.response.outcome import BestResponse, EndPoint, EndPointName
from tumorresp.response.parameters import as_pairs
from tumorresp.response.subject import DatedResponse, SubjectDates


class TtpDeath(StrEnum):
    """Where TTP is censored when a subject dies without progression."""

    LAST_ASSESSMENT = "last_assessment"
    DEATH = "death"


class ProgressionFrom(StrEnum):
    """Where the date of progression comes from.

    ``responses``: the first PD among them. ``stated``: the subject's date that is stated outside of them; none where it
    is not. ``earliest``: whichever of both is first.
    """

    RESPONSES = "responses"
    STATED = "stated"
    EARLIEST = "earliest"


@dataclass(frozen=True)
class EndPointParameters:
    """Conventions of the end points.

    Parameters
    ----------
    progression_at_first_scan
        PD dates from the earliest scan of its visit that shows it; False: from the visit's date.
    censor_at_new_therapy
        Progression and death after the start of another therapy do not count: censored at the last adequate assessment
        before it. False: they do (treatment policy).
    visit_interval_days
        Planned distance of the assessments; None switches the rule of missed visits off.
    missed_visits
        An event after so many missed visits in a row is censored at the last adequate assessment before them.
    visit_window_days
        An assessment may be so late without counting as missed.
    ttp_death
        Where TTP is censored at death without progression.
    response_confirmed
        Duration of response, of stable disease and time to response go by the confirmed best response; False: by the
        unconfirmed one.
    progression_from
        Where the date of progression comes from: ``responses``, ``stated`` or ``earliest``.
    before_reference_counts
        Responses before the reference date count; an event before it is dated there.
    """

    progression_at_first_scan: bool = True
    censor_at_new_therapy: bool = True
    visit_interval_days: int | None = None
    missed_visits: int = 2
    visit_window_days: int = 7
    ttp_death: TtpDeath = TtpDeath.LAST_ASSESSMENT
    response_confirmed: bool = True
    progression_from: ProgressionFrom = ProgressionFrom.RESPONSES
    before_reference_counts: bool = False


_STABLE = (Category.SD, Category.NON_CR_NON_PD, Category.ISD, Category.NON_ICR_NON_IUPD)
_INADEQUATE = (Category.NE, Category.MISSING)


@dataclass(frozen=True)
class _End:
    """Where an end point ends."""

    date: datetime.date
    event: bool
    description: str
    reasons: tuple[str, ...]


def with_reference(dates: SubjectDates, baseline: datetime.date | None) -> tuple[SubjectDates, tuple[Finding, ...]]:
    """Return dates that can be counted from.

    Where the reference date is not known, the first treatment or the baseline scan stands in, with a finding. A death
    or another therapy that lies before it cannot be, and is not used.
    """
    reference, findings = dates.reference, list[Finding]()
    if reference is None:
        reference = dates.first_treatment or baseline
        which = "the first treatment" if dates.first_treatment is not None else "the baseline scan"
        if reference is not None:
            words = f"No reference date is given: end points count from {which} ({reference})."
            findings.append(Finding("reference-date-not-given", Severity.WARNING, words))
    if reference is None:
        return dates, ()
    for words, day in (
        ("Death", dates.death),
        ("The start of another therapy", dates.new_therapy),
        ("The stated progression", dates.progression),
    ):
        if day is not None and day < reference:
            text = f"{words} on {day} lies before the reference date {reference}: it is not used."
            findings.append(Finding("date-before-reference", Severity.ERROR, text, decides=True))
    kept = replace(
        dates,
        reference=reference,
        death=_from(dates.death, reference),
        new_therapy=_from(dates.new_therapy, reference),
        progression=_from(dates.progression, reference),
    )
    return kept, tuple(findings)


def _from(day: datetime.date | None, reference: datetime.date) -> datetime.date | None:
    return None if day is not None and day < reference else day


def progression(responses: Sequence[DatedResponse], parameters: EndPointParameters) -> DatedResponse | None:
    """Return the first PD, None where there is none."""
    found = [item for item in responses if item.overall is Category.PD]
    return min(found, key=lambda item: progression_date(item, parameters), default=None)


def progression_date(response: DatedResponse, parameters: EndPointParameters) -> datetime.date:
    """Return what a PD dates from."""
    return response.progression_date if parameters.progression_at_first_scan else response.date


def end_points(
    responses: Sequence[DatedResponse],
    dates: SubjectDates,
    parameters: EndPointParameters,
    best: BestResponse | None = None,
) -> tuple[EndPoint, ...]:
    """Return the end points that a subject has.

    Parameters
    ----------
    responses
        Overall responses after the baseline; those before the reference date or after death do not count.
    dates
        ``reference`` must be known.
    best
        Best response: DOR and TTR are of subjects whose best is CR or PR, DOSD of those whose best is SD.

    Raises
    ------
    InvalidInput
        If the reference date is not known, or death lies before it.
    """
    reference = dates.reference
    if reference is None:
        raise InvalidInput("the reference date is not known.", where="end points", remedy="Give reference_date.")
    if dates.death is not None and dates.death < reference:
        raise InvalidInput(f"death on {dates.death} lies before the reference date {reference}.", where="death_date")
    ordered = sorted(
        (
            item
            for item in responses
            if (parameters.before_reference_counts or reference <= item.date)
            and (dates.death is None or item.date <= dates.death)
        ),
        key=lambda item: item.date,
    )
    survival = _progression_or_death(ordered, dates, reference, parameters)
    until_progression = _time_to_progression(ordered, dates, reference, parameters)
    found = [
        _end_point(EndPointName.PFS, reference, survival, parameters),
        _end_point(EndPointName.TTP, reference, until_progression, parameters),
        _end_point(EndPointName.OS, reference, _death(ordered, dates, reference), parameters),
    ]
    began = None if best is None else response_date(best)
    if best is not None and began is not None:
        words = (
            f"The response that became {best.category} began on {began}{' (confirmed)' if best.confirmed else ''}.",
        )
        found.append(_end_point(EndPointName.TTR, reference, _End(began, True, "Response", words), parameters))
        found.append(_end_point(EndPointName.DOR, began, survival, parameters))
    if best is not None and best.category in _STABLE:
        start = dates.first_treatment or reference
        found.append(_end_point(EndPointName.DOSD, min(start, until_progression.date), until_progression, parameters))
    return tuple(found)


def _end_point(name: EndPointName, start: datetime.date, end: _End, parameters: EndPointParameters) -> EndPoint:
    return EndPoint(
        name=name,
        start=start,
        end=max(start, end.date),
        days=max(0, (end.date - start).days) + 1,
        event=end.event,
        description=end.description,
        reasons=end.reasons,
        parameters=as_pairs(parameters),
    )


def _progression_or_death(
    ordered: Sequence[DatedResponse], dates: SubjectDates, reference: datetime.date, parameters: EndPointParameters
) -> _End:
    event = _first_event(ordered, dates, parameters)
    return _censored_or(event, ordered, dates, reference, parameters)


def _first_event(ordered: Sequence[DatedResponse], dates: SubjectDates, parameters: EndPointParameters) -> _End | None:
    progressed = [
        item for item in _progressions(ordered, dates, parameters) if dates.death is None or item.date <= dates.death
    ]
    if progressed:
        return min(progressed, key=lambda item: item.date)
    if dates.death is not None:
        return _End(dates.death, True, "Death", (f"Death on {dates.death} without progression before.",))
    return None


def _progressions(
    ordered: Sequence[DatedResponse], dates: SubjectDates, parameters: EndPointParameters
) -> Iterator[_End]:
    """Give the progressions that count: the first PD, and the one that is stated outside of the responses."""
    found = progression(ordered, parameters)
    if found is not None and parameters.progression_from is not ProgressionFrom.STATED:
        day = progression_date(found, parameters)
        yield _End(day, True, "Disease progression", (f"PD at {found.name}, dated {day}.",))
    if dates.progression is not None and parameters.progression_from is not ProgressionFrom.RESPONSES:
        words = f"Progression on {dates.progression}, stated outside of the responses."
        yield _End(dates.progression, True, "Disease progression", (words,))


def _censored_or(
    event: _End | None,
    ordered: Sequence[DatedResponse],
    dates: SubjectDates,
    reference: datetime.date,
    parameters: EndPointParameters,
) -> _End:
    """Return the event, or where and why it is censored."""
    limit = event.date if event is not None else None
    therapy = dates.new_therapy if parameters.censor_at_new_therapy else None
    if therapy is not None and (limit is None or therapy < limit):
        last = _last_adequate(ordered, therapy, parameters)
        return _censored(last, reference, f"New anti-cancer therapy on {therapy}")
    if event is None:
        return _censored(_last_adequate(ordered, None, parameters), reference, "No progression and no death")
    last = _last_adequate(ordered, limit, parameters, inclusive=False)
    since = last.date if last is not None else reference
    allowed = _allowed_gap(parameters)
    if allowed is not None and (event.date - since).days > allowed:
        words = f"{event.description} {(event.date - since).days} days after the last adequate assessment"
        return _censored(last, reference, f"{words}: {parameters.missed_visits} or more missed visits")
    return event


def _allowed_gap(parameters: EndPointParameters) -> int | None:
    """Return the days without assessment beyond which visits were missed."""
    if parameters.visit_interval_days is None:
        return None
    return parameters.missed_visits * parameters.visit_interval_days + parameters.visit_window_days


def _last_adequate(
    ordered: Sequence[DatedResponse],
    limit: datetime.date | None,
    parameters: EndPointParameters,
    *,
    inclusive: bool = True,
) -> DatedResponse | None:
    """Return the last assessment that could be evaluated, up to a date; that of the progression itself is none."""
    progressive = () if parameters.progression_from is ProgressionFrom.STATED else (Category.PD,)
    found = [
        item
        for item in ordered
        if item.overall not in _INADEQUATE
        and item.overall not in progressive
        and (limit is None or item.date < limit or (inclusive and item.date == limit))
    ]
    return found[-1] if found else None


def _censored(last: DatedResponse | None, reference: datetime.date, why: str) -> _End:
    if last is None:
        words = f"{why}; no adequate assessment after the reference date: censored there, 1 day."
        return _End(reference, False, f"{why}: no post-baseline assessment", (words,))
    words = f"{why}; censored at the last adequate assessment, {last.name} on {last.date} ({last.overall})."
    return _End(last.date, False, f"{why}: last adequate assessment", (words,))


def _time_to_progression(
    ordered: Sequence[DatedResponse], dates: SubjectDates, reference: datetime.date, parameters: EndPointParameters
) -> _End:
    alive = replace(dates, death=None)
    end = _progression_or_death(ordered, alive, reference, parameters)
    cut = dates.new_therapy if parameters.censor_at_new_therapy else None
    died_first = dates.death is not None and (cut is None or dates.death <= cut)
    if end.event or not died_first or parameters.ttp_death is TtpDeath.LAST_ASSESSMENT:
        return end
    assert dates.death is not None, "it came first"
    return _End(dates.death, False, "Death without progression", (f"Death on {dates.death} without progression.",))


def _death(ordered: Sequence[DatedResponse], dates: SubjectDates, reference: datetime.date) -> _End:
    if dates.death is not None:
        return _End(dates.death, True, "Death", (f"Death on {dates.death}.",))
    known = [item.date for item in ordered] + ([dates.last_alive] if dates.last_alive is not None else [])
    last = max(known, default=reference)
    return _End(last, False, "Alive: last known alive", (f"Not known to have died; last seen on {last}.",))
