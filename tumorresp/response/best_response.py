"""Best overall response of one subject (RECIST 1.1, section 4.5 and Table 3), unconfirmed and confirmed."""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from tumorresp.domain.assessment import Category
from tumorresp.domain.errors import InvalidSettings
from tumorresp.domain.finding import Finding, Severity
from tumorresp.response.confirmation import ConfirmationRules, confirmation
from tumorresp.response.counted_responses import CountedUntil, CountingRules, what_counts
from tumorresp.response.outcome import BestResponse
from tumorresp.response.parameters import as_pairs
from tumorresp.response.subject import DatedResponse, SubjectDates


class SdWindowConvention(StrEnum):
    """How the minimum duration of stable disease is counted."""

    DIFFERENCE = "difference"
    STUDY_DAY = "study_day"


class DiseaseAfterCr(StrEnum):
    """What disease short of PD means that is seen after a CR.

    ``as-reported``: it counts as it stands, with a finding (admiralonco). ``progression``: it is PD there, so that a CR
    that came too early for SD is PD (RECIST 1.1, Table 3, footnote a).
    """

    AS_REPORTED = "as-reported"
    PROGRESSION = "progression"


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
    counted_until
        Which progression ends what counts: ``first-pd``, ``stated`` or ``all``.
    before_reference_counts
        Assessments before the reference date count, as in admiralonco; they are too early for SD all the same.
    disease_after_cr
        What disease short of PD means that is seen after a CR.
    """

    confirm_min_days: int = 28
    max_nr_ne: int = 1
    accept_sd: bool = False
    sd_min_days: int = 42
    sd_window_convention: SdWindowConvention = SdWindowConvention.DIFFERENCE
    missing_as_ne: bool = False
    pd_inclusive: bool = True
    cut_at_new_therapy: bool = True
    counted_until: CountedUntil = CountedUntil.FIRST_PD
    before_reference_counts: bool = False
    disease_after_cr: DiseaseAfterCr = DiseaseAfterCr.AS_REPORTED

    @property
    def counting(self) -> CountingRules:
        """Which assessments count."""
        return CountingRules(
            self.counted_until, self.pd_inclusive, self.cut_at_new_therapy, self.before_reference_counts
        )

    def __post_init__(self) -> None:
        for name in ("confirm_min_days", "max_nr_ne", "sd_min_days"):
            if getattr(self, name) < 0:
                raise InvalidSettings(f"{getattr(self, name)} is below 0.", where=f"best_response.{name}")


_RESPONSES = (Category.CR, Category.PR)
_STABLE_OR_BETTER = (Category.SD, Category.MR, Category.PR, Category.CR)
_OF_TARGETS = (Category.SD, Category.MR, Category.PR)
_DISEASE = (*_OF_TARGETS, Category.NON_CR_NON_PD)
_BENEFIT = (Category.CR, *_DISEASE)


@dataclass(frozen=True, slots=True)
class _Found:
    """The decision: at which counted response, from which to which it rests on, and the sentence."""

    category: Category
    index: int
    first: int
    last: int
    words: str
    confirming: int | None = None


def best_response(
    responses: Sequence[DatedResponse], dates: SubjectDates, parameters: BestResponseParameters, *, confirmed: bool
) -> BestResponse:
    """Return the best overall response.

    ``component_dates`` are, of CR and PR, those from the first visit of the response to the last that the decision
    needs (a PR before the CR included, for the response began with it); of PD and NE those of all visits that count, as
    none of them was better; of what must last, that of the visit that lasted.

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
        If the reference date is not known or another date contradicts it, or a response is none that this rule knows
        (iRECIST has a rule of its own: ``irecist_best_response``).
    """
    kept = what_counts(responses, dates, parameters.counting)
    counted = _with_progression_after_cr(kept.responses, parameters)
    reference = dates.reference
    assert reference is not None, "what_counts refuses it"
    if not counted:
        category = Category.NE if parameters.missing_as_ne else Category.MISSING
        words = (*kept.left_out, f"No response assessment from {reference} on counts: {category}.")
        return BestResponse(category, confirmed, None, None, (), words, as_pairs(parameters))
    obstacles: list[str] = []
    found = _best(counted, reference, parameters, obstacles, confirmed=confirmed)
    at = counted[found.index]
    listed = ", ".join([f"{item.name} {item.date} {item.overall}" for item in counted])
    return BestResponse(
        category=found.category,
        confirmed=confirmed,
        date=at.progression_date if found.category is Category.PD else at.date,
        confirming_date=None if found.confirming is None else counted[found.confirming].date,
        component_dates=tuple([item.date for item in counted[found.first : found.last + 1]]),
        reasons=(f"Counted: {listed}.", *kept.left_out, *obstacles, found.words),
        parameters=as_pairs(parameters),
        findings=_disease_after_cr(kept.responses),
        benefit_date=_benefit_date(counted, found, reference, parameters),
    )


def counted_responses(
    responses: Sequence[DatedResponse], dates: SubjectDates, parameters: BestResponseParameters
) -> tuple[DatedResponse, ...]:
    """Return the responses that count, by date: from the reference on, the worst of a day, up to the first PD.

    Raises
    ------
    InvalidInput
        As ``best_response``.
    """
    return what_counts(responses, dates, parameters.counting).responses


def response_date(best: BestResponse) -> datetime.date | None:
    """Return when the response began: the first CR or PR, of confirmed ones the first of a pair; None without.

    Before the date of the best category where a PR became a CR (RECIST 1.1, section 4.7: from the first of CR or PR).
    """
    if best.category not in (Category.CR, Category.PR, Category.ICR, Category.IPR):
        return None
    return min((*best.component_dates, best.date), default=None) if best.date is not None else None


def _best(
    counted: Sequence[DatedResponse],
    reference: datetime.date,
    parameters: BestResponseParameters,
    obstacles: list[str],
    *,
    confirmed: bool,
) -> _Found:
    """Return the decision; what stood against something better is added to ``obstacles``."""
    for response in _RESPONSES:
        found = _confirmed(counted, response, parameters, obstacles) if confirmed else _first_seen(counted, response)
        if found is not None:
            return found
    for category, members in _lasting_categories(counted):
        found = _lasting(counted, category, members, reference, parameters)
        if found is not None:
            return found
    obstacles += _too_early(counted, reference, parameters)
    last = len(counted) - 1
    progression = next((index for index, item in enumerate(counted) if item.overall is Category.PD), None)
    if progression is not None:
        item = counted[progression]
        words = f"Best is PD at {item.name}, dated {item.progression_date}."
        return _Found(Category.PD, progression, 0, progression, words)
    return _Found(Category.NE, 0, 0, last, "Best is NE: no assessment that counts shows a response that it can be.")


def _with_progression_after_cr(
    counted: Sequence[DatedResponse], parameters: BestResponseParameters
) -> tuple[DatedResponse, ...]:
    """Return the responses with the first disease after a CR as PD, which ends them, where the protocol says so."""
    if parameters.disease_after_cr is DiseaseAfterCr.AS_REPORTED:
        return tuple(counted)
    was_complete = False
    for index, item in enumerate(counted):
        if was_complete and item.overall in _DISEASE:
            return (*counted[:index], replace(item, overall=Category.PD))
        was_complete = was_complete or item.overall is Category.CR
    return tuple(counted)


def _benefit_date(
    counted: Sequence[DatedResponse], found: _Found, reference: datetime.date, parameters: BestResponseParameters
) -> datetime.date | None:
    """Return when clinical benefit was first seen: the response's first visit, or the first that lasted long enough."""
    if found.category not in _BENEFIT:
        return None
    lasted = (
        item.date
        for item in counted
        if item.overall in _BENEFIT and _day(item.date, reference, parameters) >= parameters.sd_min_days
    )
    return min([counted[found.first].date, *lasted])


def _first_seen(counted: Sequence[DatedResponse], category: Category) -> _Found | None:
    """Return the first visit with a response, which began with the first of CR and PR."""
    began = None
    for index, item in enumerate(counted):
        if item.overall in _RESPONSES and began is None:
            began = index
        elif item.overall is Category.PD:
            began = None  # what comes after it is another response
        if item.overall is category and began is not None:
            return _Found(category, index, began, index, f"Best is {category}, first at {item.name} on {item.date}.")
    return None


def _confirmed(
    counted: Sequence[DatedResponse], category: Category, parameters: BestResponseParameters, obstacles: list[str]
) -> _Found | None:
    """Return the first visit whose response is confirmed; the response began with the first confirmed CR or PR."""
    rules = ConfirmationRules(parameters.confirm_min_days, parameters.max_nr_ne, accept_sd=parameters.accept_sd)
    for index, item in enumerate(counted):
        if item.overall is not category:
            continue
        decided = confirmation(counted, index, rules)
        if decided.index is None:
            obstacles.append(f"{category} at {item.name} on {item.date} is not confirmed: {decided.obstacle}.")
            continue
        other = counted[decided.index]
        words = (
            f"Best is {category}: {item.name} on {item.date}, confirmed by {other.overall} at {other.name} on "
            f"{other.date}, {(other.date - item.date).days} days later (at least {parameters.confirm_min_days})."
        )
        return _Found(category, index, _began(counted, index, rules), decided.index, words, decided.index)
    return None


def _began(counted: Sequence[DatedResponse], confirmed: int, rules: ConfirmationRules) -> int:
    """Return the index of the first response that is confirmed, a PR before a confirmed CR included."""
    progressed = [index for index in range(confirmed) if counted[index].overall is Category.PD]
    for index in range(progressed[-1] + 1 if progressed else 0, confirmed):
        if counted[index].overall in _RESPONSES and confirmation(counted, index, rules).index is not None:
            return index
    return confirmed


def _lasting_categories(counted: Sequence[DatedResponse]) -> tuple[tuple[Category, Sequence[Category]], ...]:
    """Return what must last, best first, with the responses that show it.

    A response that is not confirmed is at least stable disease: NON-CR/NON-PD where the visits show that the subject
    has no target lesions.
    """
    seen = {item.overall for item in counted}
    if Category.NON_CR_NON_PD in seen and seen.isdisjoint(_OF_TARGETS):
        return ((Category.NON_CR_NON_PD, (Category.NON_CR_NON_PD, Category.CR)),)
    return (
        (Category.MR, (Category.MR,)),
        (Category.SD, _STABLE_OR_BETTER),
        (Category.NON_CR_NON_PD, (Category.NON_CR_NON_PD,)),
        (Category.NED, (Category.NED,)),
    )


def _lasting(
    counted: Sequence[DatedResponse],
    category: Category,
    members: Sequence[Category],
    reference: datetime.date,
    parameters: BestResponseParameters,
) -> _Found | None:
    """Return the first visit with one of the categories that is late enough."""
    for index, item in enumerate(counted):
        if item.overall in members and _day(item.date, reference, parameters) >= parameters.sd_min_days:
            seen = "" if item.overall is category else f" (seen as {item.overall}, not confirmed)"
            shown = _shown_day(item.date, reference, parameters)
            words = (
                f"Best is {category}: {item.name} on {item.date}{seen}, {shown} (at least {parameters.sd_min_days})."
            )
            return _Found(category, index, index, index, words)
    return None


def _too_early(
    counted: Sequence[DatedResponse], reference: datetime.date, parameters: BestResponseParameters
) -> list[str]:
    """Say of the last visit that was neither PD nor NE that it was too early; all of them were."""
    early = [item for item in counted if item.overall not in (Category.PD, Category.NE)]
    if not early:
        return []
    last = early[-1]
    shown = _shown_day(last.date, reference, parameters)
    return [
        f"{last.overall} at {last.name} on {last.date} is {shown}: too early to count as stable disease (at least "
        f"{parameters.sd_min_days})."
    ]


def _day(date: datetime.date, reference: datetime.date, parameters: BestResponseParameters) -> int:
    """Return the day of the convention: the difference, or the study day."""
    return (date - reference).days + (parameters.sd_window_convention is SdWindowConvention.STUDY_DAY)


def _shown_day(date: datetime.date, reference: datetime.date, parameters: BestResponseParameters) -> str:
    day = _day(date, reference, parameters)
    by_study_day = parameters.sd_window_convention is SdWindowConvention.STUDY_DAY
    return f"study day {day} from {reference}" if by_study_day else f"{day} days after {reference}"


def _disease_after_cr(counted: Sequence[DatedResponse]) -> tuple[Finding, ...]:
    """Point out disease short of PD after a CR: after a true CR it is PD, so one of the two may be wrong."""
    complete = next((item for item in counted if item.overall is Category.CR), None)
    if complete is None:
        return ()
    later = [item for item in counted if item.date > complete.date and item.overall in _DISEASE]
    if not later:
        return ()
    item = next((item for item in later if item.overall is Category.PR), later[0])
    code = "cr-followed-by-pr" if item.overall is Category.PR else "cr-followed-by-disease"
    words = (
        f"CR at {complete.name} ({complete.date}) is followed by {item.overall} at {item.name} ({item.date}): disease "
        "that is back after a complete response is PD, or the CR was none. A reader must decide."
    )
    return (Finding(code, Severity.WARNING, words, item.source or item.name, decides=True),)
