"""Reported values of the whole subject: responses after PD, best response, progression date, target choice."""

import datetime
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from tumorresp.domain.assessment import Category
from tumorresp.response.rule_audit import best, overall
from tumorresp.response.rule_audit.derivation import Derivation
from tumorresp.response.rule_audit.hypotheses import codes, in_words, singly
from tumorresp.response.rule_audit.reported import (
    AuditFinding,
    AuditParameters,
    Mistake,
    Reported,
    ReportedBest,
    ReportedEvaluation,
    ReportedVisit,
)
from tumorresp.response.subject import DatedResponse, SubjectCourse, SubjectDates, dated_responses
from tumorresp.response.target_choice import check_baseline

_VISIT_RULE = "A response is made from the measurements of its visit (Eisenhauer 2009, section 4.3)."
_DATE_RULE = (
    "Progression dates from the first visit with overall PD: from its earliest scan, or from the first appearance of a "
    "lesion that was confirmed later (Eisenhauer 2009, sections 4.3.5 and 4.6)."
)
_CHOICE_RULE = (
    "Targets: measurable (long axis 10 mm, lymph node 15 mm of short axis, twice the slices), at most five and "
    "two an organ, baseline at most four weeks before treatment (Eisenhauer 2009, sections 3.1, 3.2 and 4.1)."
)
_AFTER = frozenset((Category.CR, Category.PR, Category.SD, Category.NON_CR_NON_PD, Category.NED))
_RESPONSES = _AFTER | {Category.PD, Category.NE}


@dataclass(frozen=True)
class AuditedSubject:
    """A subject with all that its findings need."""

    course: SubjectCourse
    derivation: Derivation
    reported: ReportedEvaluation
    parameters: AuditParameters

    @cached_property
    def derived_responses(self) -> tuple[DatedResponse, ...]:
        """What follows from the measurements, in order of date; what was reported where there are none at all."""
        if not self.course.visits:
            return self.reported_responses
        return dated_responses(self.course.visits, self.derivation.assessments)

    @cached_property
    def reported_responses(self) -> tuple[DatedResponse, ...]:
        """The overall responses as reported, in order of date; visits without one are left out."""
        stated = {item.time_point_id: item.overall for item in self.reported.visits if item.overall is not None}
        if not self.course.visits:
            return self._without_visits()
        return tuple(
            replace(item, overall=stated[item.time_point_id].value, source=stated[item.time_point_id].source)
            for item in self.derived_responses
            if item.time_point_id in stated
        )

    @property
    def dates(self) -> SubjectDates:
        """Those of the subject; windows count from the baseline where no reference date is known."""
        dates = self.course.dates
        if dates.reference is not None or not self.course.visits:
            return dates
        return replace(dates, reference=self.course.visits[0].date)

    def first_scan(self, response: DatedResponse) -> datetime.date:
        """Return the earliest scan of a response's visit."""
        scans = (visit.first_date for visit in self.course.visits if visit.time_point_id == response.time_point_id)
        return next(scans, None) or response.date

    def finding(
        self,
        what: str,
        shown: tuple[str, str],
        rule: str,
        diagnosis: str,
        explained: Sequence[tuple[str, ...]] = (),
        sources: Sequence[str] = (),
        time_point: tuple[str, str] = ("", ""),
    ) -> AuditFinding:
        """Return a finding.

        Parameters
        ----------
        shown
            The reported and the derived value, in words.
        explained
            The explanations: each one code, or two together.
        time_point
            ID and name of the visit, if it concerns one.
        """
        return AuditFinding(
            self.course.subject_id,
            self.course.evaluator,
            *time_point,
            what,
            *shown,
            rule,
            diagnosis,
            tuple(explained),
            tuple(dict.fromkeys(filter(None, sources))),
        )

    def _without_visits(self) -> tuple[DatedResponse, ...]:
        responses = [
            DatedResponse(
                item.time_point_id,
                item.time_point_id,
                item.date.value,
                item.overall.value,
                item.date.value,
                source=item.overall.source,
            )
            for item in self.reported.visits
            if item.overall is not None and item.date is not None and item.overall.value is not Category.BASELINE
        ]
        return tuple(sorted(responses, key=_date))


def subject_findings(audited: AuditedSubject) -> Iterator[AuditFinding]:
    """Give the findings about responses after PD, best response, progression date and target choice."""
    if not audited.parameters.response_after_progression:
        yield from _after_progression(audited)
    for stated in audited.reported.best:
        yield from _best(audited, stated)
    yield from _progression_date(audited)
    yield from _target_choice(audited)


def unmeasured_findings(audited: AuditedSubject) -> Iterator[AuditFinding]:
    """Give the findings about visits that were reported, but not measured: only their parts can be compared."""
    course = audited.course
    measured = {visit.time_point_id for visit in (*course.before_treatment, *course.visits)}
    for item in audited.reported.visits:
        if item.time_point_id in measured:
            continue
        place = (item.time_point_id, item.time_point_id)
        if measured:
            words = "Values are reported of a visit without any measurement: nothing can be derived."
            yield audited.finding(
                "visit",
                ("reported", "no measurement"),
                _VISIT_RULE,
                words,
                [("visit-not-measured",)],
                _rows(item),
                place,
            )
        derived = overall.overall_of_reported(item)
        if derived is None or item.overall is None or item.overall.value is derived:
            continue
        shown = (str(item.overall.value), str(derived))
        words = "The reported parts give another overall response."
        yield audited.finding(
            "overall response", shown, overall.RULE, words, [("parts-give-another-overall",)], _rows(item), place
        )


def _target_choice(audited: AuditedSubject) -> Iterator[AuditFinding]:
    course = audited.course
    rows = {item.source for visit in course.visits[:1] for item in visit.observations}
    for finding in check_baseline(course.visits, course.dates, audited.parameters.baseline):
        yield audited.finding(
            "target choice",
            ("as chosen", "not as RECIST 1.1 chooses"),
            _CHOICE_RULE,
            finding.message,
            [(finding.code,)],
            [finding.where] if finding.where in rows else [],
        )


def _after_progression(audited: AuditedSubject) -> Iterator[AuditFinding]:
    progression: DatedResponse | None = None
    for item in audited.reported_responses:
        if progression is None:
            progression = item if item.overall is Category.PD else None
        elif item.overall in _AFTER:
            words = f"PD was reported at {progression.name}; {item.overall} at {item.name} comes after it."
            yield audited.finding(
                "overall response",
                (str(item.overall), f"none after PD ({progression.name})"),
                overall.AFTER_PROGRESSION_RULE,
                words,
                [("response-after-progression",)],
                [item.source, progression.source],
                (item.time_point_id, item.name),
            )


def _best(audited: AuditedSubject, stated: ReportedBest) -> Iterator[AuditFinding]:
    if audited.dates.reference is None:
        words = "Neither a reference date nor a baseline is known: the windows of the best response cannot be counted."
        shown = (str(stated.category), "not derived")
        yield audited.finding(
            "best overall response", shown, best.RULE, words, [("reference-date-unknown",)], [stated.source]
        )
        return
    case = best.BestCase(
        _judged(audited.derived_responses),
        _judged(audited.reported_responses),
        audited.dates,
        audited.parameters.best_response,
    )
    derived = case.derived(stated.confirmed)
    if stated.category in [item.category for item in derived]:
        return
    found = best.best_explanations(case, stated)
    words = in_words(found) or "None of the usual mistakes gives the reported value."
    yield audited.finding(
        "best overall response",
        (str(stated.category), " or ".join(dict.fromkeys(str(item.category) for item in derived))),
        best.RULE,
        f"{words} Derived: {' '.join(derived[0].reasons)}",
        codes(found),
        [stated.source],
    )


def _judged(responses: Sequence[DatedResponse]) -> tuple[DatedResponse, ...]:
    """Return the responses that RECIST 1.1 knows; others that were reported have findings of their own."""
    return tuple(item for item in responses if item.overall in _RESPONSES)


def _progression_date(audited: AuditedSubject) -> Iterator[AuditFinding]:
    stated = audited.reported.progression_date
    if stated is None:
        return
    first = next((item for item in audited.derived_responses if item.overall is Category.PD), None)
    if first is not None and first.progression_date == stated.value:
        return
    found = singly(_date_mistakes(audited, stated, first))
    words = in_words(found) or "It is the date of no visit's progression."
    yield audited.finding(
        "progression date",
        (str(stated.value), "no progression" if first is None else f"{first.progression_date} ({first.name})"),
        _DATE_RULE,
        words,
        codes(found),
        [stated.source],
    )


def _date_mistakes(
    audited: AuditedSubject, stated: Reported[datetime.date], first: DatedResponse | None
) -> Iterator[Mistake]:
    if first is not None and stated.value in (first.date, audited.first_scan(first)):
        if first.progression_date < audited.first_scan(first):
            words = f"It is {first.name}, where a new lesion was confirmed; it appeared on {first.progression_date}."
            yield Mistake("date-of-confirmation", words)
        else:
            words = f"It is the last scan of {first.name}; progression dates from {first.progression_date}."
            yield Mistake("date-of-last-scan", words)
    as_reported = next((item for item in audited.reported_responses if item.overall is Category.PD), None)
    is_first = as_reported is not None and first is not None and as_reported.time_point_id == first.time_point_id
    if as_reported is not None and not is_first and stated.value in (as_reported.date, as_reported.progression_date):
        words = f"It is the first PD as reported ({as_reported.name}); the mistake is in a response."
        yield Mistake("follows-from-reported-responses", words)
    later = [item for item in audited.derived_responses if item.overall is Category.PD][1:]
    if any(stated.value in (item.date, item.progression_date) for item in later):
        yield Mistake("later-progression", "It is the date of a later visit with PD, not of the first.")
    same_day = next((item for item in audited.derived_responses if stated.value == item.date), None)
    if same_day is not None and same_day.overall is not Category.PD:
        yield Mistake("date-without-progression", f"It is the date of {same_day.name}, which is {same_day.overall}.")


def _rows(item: ReportedVisit) -> list[str]:
    values = (item.overall, item.target, item.non_target, item.new_lesions, item.target_sum)
    return [value.source for value in values if value is not None]


def _date(item: DatedResponse) -> datetime.date:
    return item.date
