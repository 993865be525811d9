"""One subject through every criterion: responses, best response, end points; the whole of it pure."""

import datetime
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from tumorresp.domain.assessment import Assessment, Category
from tumorresp.domain.finding import Finding, Severity
from tumorresp.response.baseline import choose_baseline, treatment_start
from tumorresp.response.best_response import best_response
from tumorresp.response.criteria import criterion_named
from tumorresp.response.end_points import end_points, with_reference
from tumorresp.response.irecist_over_time import irecist_best_response, recist_form
from tumorresp.response.irecist_state import CRITERION as IRECIST
from tumorresp.response.irecist_state import I_FORM
from tumorresp.response.outcome import BestResponse, CriterionOutcome, SubjectOutcome
from tumorresp.response.protocol import Protocol
from tumorresp.response.provisional import with_provisional
from tumorresp.response.refused import assess_with_refused
from tumorresp.response.refused_over_time import best_with_refused, with_refused_dates
from tumorresp.response.subject import DatedResponse, SubjectCourse, SubjectDates, dated_responses
from tumorresp.response.table.response_table import ReportedCourse
from tumorresp.response.table.subject_dates import refused_start
from tumorresp.response.target_choice import check_baseline

REPORTED = "reported"
"""The criterion's name where responses were reported, not computed."""


def evaluate_course(course: SubjectCourse, criteria: Sequence[str], protocol: Protocol) -> SubjectOutcome:
    """Evaluate a subject's lesion measurements by criteria.

    Raises
    ------
    InvalidInput
        If a criterion is not known, the visits are not in order of date, or the subject's dates contradict each other.
    """
    baseline = course.visits[0].date if course.visits else None
    dates, findings = with_reference(course.dates, baseline)
    if len(course.visits) < 2:
        visits = "one visit only" if course.visits else "no visit whose date can be read"
        words = f"There is {visits}: without a follow-up nothing can be said of the response."
        findings = (*findings, Finding("no-follow-up", Severity.WARNING, words))
    known = replace(course, dates=dates)
    if course.visits and treatment_start(course.dates) is None:
        findings = (*findings, *choose_baseline(course.visits, None).findings)
    findings = (*findings, *_after_death(dates, [visit.date for visit in course.visits]))
    findings = (*findings, *check_baseline(course.visits, course.dates, protocol.baseline))
    return SubjectOutcome(known, tuple(_by_criterion(known, name, protocol) for name in criteria), findings)


def evaluate_reported(course: ReportedCourse, protocol: Protocol) -> SubjectOutcome:
    """Return best response and end points of reported responses; nothing is assessed again.

    Raises
    ------
    InvalidInput
        If the subject's dates contradict each other.
    """
    first = course.baseline_date or min((item.date for item in course.responses), default=None)
    dates, findings = with_reference(course.dates, first)
    open_words = tuple(f"{item.where}: {item.words}" for item in (*course.refused, *refused_start(course.dates)))
    responses = tuple(replace(item, refused=(*item.refused, *open_words)) for item in course.responses)
    if any(item.overall in _IMMUNE for item in responses):
        responses = tuple(replace(item, overall=_immune(item.overall)) for item in responses)
    outcome = _over_time(REPORTED, (), responses, dates, protocol)
    if course.baseline_date is None and dates.reference == first and treatment_start(course.dates) is None:
        findings = (*findings, *_start_not_known(outcome, responses))
    findings = (*findings, *_after_death(dates, [item.date for item in course.responses]))
    shown = SubjectCourse(course.subject_id, course.evaluator, (), dates, course.findings)
    return SubjectOutcome(shown, (outcome,), findings)


def _start_not_known(outcome: CriterionOutcome, responses: Sequence[DatedResponse]) -> tuple[Finding, ...]:
    """Point out best responses that are NE for want of a start: the least duration of SD is counted from there."""
    best = (outcome.best_response, outcome.confirmed_response)
    is_open = any(item is not None and item.category is Category.NE for item in best)
    if not is_open or all(item.overall in (Category.NE, Category.MISSING) for item in responses):
        return ()
    words = (
        "Neither reference_date nor first_treatment_date nor a row BASELINE is given: durations count from the first "
        "response, and the best response may be NE for that reason alone."
    )
    return (Finding("start-not-known", Severity.WARNING, words, decides=True),)


_IMMUNE = frozenset((*I_FORM.values(), Category.IUPD, Category.ICPD))


def _immune(category: Category) -> Category:
    """Return a response in iRECIST's words: beside an iUPD people write SD or PD of the visits before it.

    A PD is one that is not confirmed: what follows says whether it was.
    """
    return Category.IUPD if category is Category.PD else I_FORM.get(category, category)


def not_evaluated(course: SubjectCourse, criteria: Sequence[str]) -> SubjectOutcome:
    """Return the outcome of a subject that could not be evaluated: without any result, but in every denominator."""
    return SubjectOutcome(course, tuple(_without_visits(name) for name in criteria))


def _without_visits(name: str) -> CriterionOutcome:
    """Return the outcome where no visit is known: the best response is missing."""
    words = ("No visit of the subject could be evaluated: MISSING.",)
    best, confirmed = (BestResponse(Category.MISSING, wanted, None, None, (), words, ()) for wanted in (False, True))
    return CriterionOutcome(name, (), best, confirmed)


def _by_criterion(course: SubjectCourse, name: str, protocol: Protocol) -> CriterionOutcome:
    criterion = criterion_named(name)
    parameters = protocol.criteria[criterion.name]
    late_rule = protocol.baseline.late_target

    def assess(one: SubjectCourse) -> tuple[Assessment, ...]:
        return assess_with_refused(one, criterion.name, lambda visits: criterion.assess(visits, parameters), late_rule)

    assessments = with_provisional(course, assess(course), assess)
    responses = dated_responses(course.visits, assessments)
    return _over_time(criterion.name, assessments, responses, course.dates, protocol)


def _over_time(
    name: str,
    assessments: tuple[Assessment, ...],
    responses: Sequence[DatedResponse],
    dates: SubjectDates,
    protocol: Protocol,
) -> CriterionOutcome:
    if dates.reference is None:
        return _without_visits(name)
    is_immune = name == IRECIST or any(item.overall in _IMMUNE for item in responses)
    rule = irecist_best_response if is_immune else best_response
    best, confirmed = (
        best_with_refused(responses, dates, protocol.best_response, partial(_best, rule, dates, protocol, wanted))
        for wanted in (False, True)
    )
    if is_immune:
        responses = recist_form(responses)
    counted = confirmed if protocol.end_points.response_confirmed else best
    points = end_points(responses, dates, protocol.end_points, counted)
    return CriterionOutcome(name, assessments, best, confirmed, with_refused_dates(points, responses, dates))


def _best(
    rule: Callable[..., BestResponse],
    dates: SubjectDates,
    protocol: Protocol,
    confirmed: bool,
    responses: Sequence[DatedResponse],
) -> BestResponse:
    return rule(responses, dates, protocol.best_response, confirmed=confirmed)


def _after_death(dates: SubjectDates, visits: Sequence[datetime.date]) -> tuple[Finding, ...]:
    late = [day for day in visits if dates.death is not None and day > dates.death]
    if not late:
        return ()
    words = f"A visit on {late[0]} lies after the death on {dates.death}: it counts in no best response or end point."
    return (Finding("visit-after-death", Severity.ERROR, words, decides=True),)
