"""A reported best overall response that does not follow: confirmation, windows, responses after PD."""

from collections.abc import Iterator
from dataclasses import dataclass

from tumorresp.domain.assessment import Category
from tumorresp.response.best_response import BestResponseParameters, best_response
from tumorresp.response.outcome import BestResponse
from tumorresp.response.rule_audit.reported import Mistake, ReportedBest
from tumorresp.response.subject import DatedResponse, SubjectDates

RULE = (
    "Best overall response: the best from start to first PD; SD lasts the protocol's minimum; where responses are "
    "confirmed, CR and PR need a second scan (Eisenhauer 2009, sections 4.4 and 4.5, Table 3)."
)
_MANY = 10_000


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
    return tuple(dict.fromkeys(hits))


def _trials(case: BestCase, *, confirmed: bool) -> Iterator[tuple[Mistake, Category]]:
    responses = [item.overall for item in case.derived_responses]
    if len(responses) > 1:
        yield Mistake("last-response-taken", "It is the response of the last visit, not the best."), responses[-1]
