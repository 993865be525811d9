"""A reported best overall response that does not follow: confirmation, windows, responses after PD."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from tumorresp.domain.assessment import Category
from tumorresp.response.best_response import BestResponseParameters, SdWindowConvention, best_response
from tumorresp.response.outcome import BestResponse
from tumorresp.response.rule_audit.reported import Mistake, ReportedBest
from tumorresp.response.subject import DatedResponse, SubjectDates

RULE = (
    "Best overall response: the best from start to first PD; SD lasts the protocol's minimum; where responses are "
    "confirmed, CR and PR need a second scan (Eisenhauer 2009, sections 4.4 and 4.5, Table 3)."
)
_MANY = 10_000
_LONG_SD_DAYS = 56


@dataclass(frozen=True)
class BestCase:
    """What a best response is made from: as derived and as reported, both in order of date."""

    derived_responses: tuple[DatedResponse, ...]
    reported_responses: tuple[DatedResponse, ...]
    dates: SubjectDates
    parameters: BestResponseParameters

    def derived(self, confirmed: bool | None) -> tuple[BestResponse, ...]:
        """Return the best response; both of them where it was not said which was reported."""
        ways = (False, True) if confirmed is None else (confirmed,)
        return tuple(self.best(self.derived_responses, confirmed=way) for way in ways)

    def best(
        self,
        responses: tuple[DatedResponse, ...],
        *,
        confirmed: bool,
        parameters: BestResponseParameters | None = None,
        dates: SubjectDates | None = None,
    ) -> BestResponse:
        """Return the best of some responses, by other rules or dates where they are given."""
        return best_response(responses, dates or self.dates, parameters or self.parameters, confirmed=confirmed)


def best_mistakes(case: BestCase, stated: ReportedBest) -> tuple[Mistake, ...]:
    """Return the mistakes that give a reported best response instead of the derived one.

    One that follows from the visits' responses as reported is explained by them alone.
    """
    ways = (False, True) if stated.confirmed is None else (stated.confirmed,)
    if case.reported_responses != case.derived_responses and any(
        case.best(case.reported_responses, confirmed=way).category is stated.category for way in ways
    ):
        words = "It follows from the responses of the visits as reported; the mistake is in one of them."
        return (Mistake("follows-from-reported-responses", words),)
    tried = (item for way in ways for item in _trials(case, confirmed=way))
    hits = [mistake for mistake, category in tried if category is stated.category]
    if not hits and len(case.derived_responses) > 1 and case.derived_responses[-1].overall is stated.category:
        hits = [Mistake("last-response-taken", "It is the response of the last visit, not the best.")]
    return tuple(dict.fromkeys(hits))


_Trial = tuple[Mistake, Category]


def _trials(case: BestCase, *, confirmed: bool) -> Iterator[_Trial]:
    yield from _of_confirmation(case, confirmed=confirmed)
    yield from _of_duration(case, confirmed=confirmed)
    yield from _of_end(case, confirmed=confirmed)


def _of_confirmation(case: BestCase, *, confirmed: bool) -> Iterator[_Trial]:
    responses, rules = case.derived_responses, case.parameters
    if not confirmed:
        words = "It is the confirmed best response, where the unconfirmed was to be reported."
        yield Mistake("confirmation-asked", words), case.best(responses, confirmed=True).category
        return
    early = replace(rules, confirm_min_days=0)
    words = f"The response was confirmed too early: {rules.confirm_min_days} days must lie between the two scans."
    yield (
        Mistake("confirmed-too-early", words),
        case.best(responses, confirmed=True, parameters=early).category,
    )
    with_gaps = replace(rules, max_nr_ne=_MANY)
    words = f"More than {rules.max_nr_ne} NE lie between the response and the scan that confirms it."
    yield (
        Mistake("confirmed-across-not-evaluable", words),
        case.best(responses, confirmed=True, parameters=with_gaps).category,
    )
    across_sd = replace(rules, accept_sd=not rules.accept_sd)
    words = "An SD between two PR was taken otherwise than the protocol says."
    yield Mistake("confirmed-across-sd", words), case.best(responses, confirmed=True, parameters=across_sd).category
    words = "It is the unconfirmed best response: no later scan confirms it."
    yield Mistake("not-confirmed", words), case.best(responses, confirmed=False).category


def _of_duration(case: BestCase, *, confirmed: bool) -> Iterator[_Trial]:
    rules = case.parameters

    def by(parameters: BestResponseParameters) -> Category:
        return case.best(case.derived_responses, confirmed=confirmed, parameters=parameters).category

    words = f"SD counts only when it lasts {rules.sd_min_days} days from {case.dates.reference}; that was passed over."
    yield Mistake("sd-duration-ignored", words), by(replace(rules, sd_min_days=0))
    other = next(item for item in SdWindowConvention if item is not rules.sd_window_convention)
    words = f"The {rules.sd_min_days} days of SD were counted as {other}, not as {rules.sd_window_convention}."
    yield Mistake("sd-duration-counted-otherwise", words), by(replace(rules, sd_window_convention=other))
    longer = max(_LONG_SD_DAYS, rules.sd_min_days)
    words = f"A longer least duration of SD was asked ({longer} days, not {rules.sd_min_days})."
    yield Mistake("sd-duration-longer", words), by(replace(rules, sd_min_days=longer))


def _of_end(case: BestCase, *, confirmed: bool) -> Iterator[_Trial]:
    rules = case.parameters
    beyond = tuple(item for item in case.derived_responses if item.overall is not Category.PD)
    if beyond and len(beyond) < len(case.derived_responses):
        words = "A response after the first PD was counted."
        yield Mistake("response-after-progression", words), case.best(beyond, confirmed=confirmed).category
    if case.dates.new_therapy is not None:
        words = f"The start of another therapy ({case.dates.new_therapy}) was taken otherwise than the protocol says."
        later = replace(rules, cut_at_new_therapy=not rules.cut_at_new_therapy)
        yield (
            Mistake("new-therapy-ignored", words),
            case.best(case.derived_responses, confirmed=confirmed, parameters=later).category,
        )
