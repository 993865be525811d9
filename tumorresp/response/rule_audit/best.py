"""A reported best overall response that does not follow: confirmation, windows, responses after PD."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from tumorresp.domain.assessment import Category
from tumorresp.response.best_response import BestResponseParameters, SdWindowConvention, best_response
from tumorresp.response.outcome import BestResponse
from tumorresp.response.rule_audit.hypotheses import Hypothesis, explanations
from tumorresp.response.rule_audit.reported import Explanation, Mistake, ReportedBest
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


def best_explanations(case: BestCase, stated: ReportedBest) -> tuple[Explanation, ...]:
    """Return the mistakes that give a reported best response instead of the derived one.

    One that follows from the visits' responses as reported is explained by them alone.
    """
    ways = (False, True) if stated.confirmed is None else (stated.confirmed,)
    if case.reported_responses != case.derived_responses and any(
        case.best(case.reported_responses, confirmed=way).category is stated.category for way in ways
    ):
        words = "It follows from the responses of the visits as reported; the mistake is in one of them."
        return ((Mistake("follows-from-reported-responses", words),),)
    found: list[Explanation] = []
    for way in ways:
        start = _Making(case, case.derived_responses, case.parameters, confirmed=way)
        tried = explanations(_hypotheses(case, confirmed=way), start, lambda making: making.category)
        found += tried.of(stated.category)
    if not found and len(case.derived_responses) > 1 and case.derived_responses[-1].overall is stated.category:
        return ((Mistake("last-response-taken", "It is the response of the last visit, not the best."),),)
    fewest = min(map(len, found), default=0)
    return tuple(dict.fromkeys(item for item in found if len(item) == fewest))


@dataclass(frozen=True)
class _Making:
    """How a best response is made: from which responses, by which rules, confirmed or not."""

    case: BestCase
    responses: tuple[DatedResponse, ...]
    parameters: BestResponseParameters
    confirmed: bool

    @property
    def category(self) -> Category:
        return self.case.best(self.responses, confirmed=self.confirmed, parameters=self.parameters).category


_Hypotheses = Iterator[Hypothesis[_Making]]


def _hypotheses(case: BestCase, *, confirmed: bool) -> _Hypotheses:
    yield from _of_confirmation(case, confirmed=confirmed)
    yield from _of_duration(case)
    yield from _of_end(case)


def _by_rules(family: str, mistake: Mistake, **changed: object) -> Hypothesis[_Making]:
    def change(making: _Making) -> _Making:
        return replace(making, parameters=replace(making.parameters, **changed))  # type: ignore[arg-type]  # its fields

    return Hypothesis(family, mistake, change)


def _of_confirmation(case: BestCase, *, confirmed: bool) -> _Hypotheses:
    rules = case.parameters
    if not confirmed:
        words = "It is the confirmed best response, where the unconfirmed was to be reported."
        mistake = Mistake("confirmation-asked", words)
        yield Hypothesis("confirmation", mistake, lambda making: replace(making, confirmed=True))
        return
    words = f"The response was confirmed too early: {rules.confirm_min_days} days must lie between the two scans."
    yield _by_rules("earliest confirmation", Mistake("confirmed-too-early", words), confirm_min_days=0)
    words = f"More than {rules.max_nr_ne} NE lie between the response and the scan that confirms it."
    yield _by_rules("gaps", Mistake("confirmed-across-not-evaluable", words), max_nr_ne=_MANY)
    words = "An SD between two PR was taken otherwise than the protocol says."
    yield _by_rules("SD between", Mistake("confirmed-across-sd", words), accept_sd=not rules.accept_sd)
    words = "It is the unconfirmed best response: no later scan confirms it."
    mistake = Mistake("not-confirmed", words)
    yield Hypothesis("confirmation", mistake, lambda making: replace(making, confirmed=False))


def _of_duration(case: BestCase) -> _Hypotheses:
    rules = case.parameters
    words = f"SD counts only when it lasts {rules.sd_min_days} days from {case.dates.reference}; that was passed over."
    yield _by_rules("least SD", Mistake("sd-duration-ignored", words), sd_min_days=0)
    other = next(item for item in SdWindowConvention if item is not rules.sd_window_convention)
    words = f"The {rules.sd_min_days} days of SD were counted as {other}, not as {rules.sd_window_convention}."
    yield _by_rules("days of SD", Mistake("sd-duration-counted-otherwise", words), sd_window_convention=other)
    longer = max(_LONG_SD_DAYS, rules.sd_min_days)
    words = f"A longer least duration of SD was asked ({longer} days, not {rules.sd_min_days})."
    yield _by_rules("least SD", Mistake("sd-duration-longer", words), sd_min_days=longer)


def _of_end(case: BestCase) -> _Hypotheses:
    rules = case.parameters
    beyond = tuple(item for item in case.derived_responses if item.overall is not Category.PD)
    if beyond and len(beyond) < len(case.derived_responses):
        mistake = Mistake("response-after-progression", "A response after the first PD was counted.")
        yield Hypothesis("progression", mistake, lambda making: replace(making, responses=beyond))
    if case.dates.new_therapy is not None:
        words = f"The start of another therapy ({case.dates.new_therapy}) was taken otherwise than the protocol says."
        mistake = Mistake("new-therapy-ignored", words)
        yield _by_rules("new therapy", mistake, cut_at_new_therapy=not rules.cut_at_new_therapy)
