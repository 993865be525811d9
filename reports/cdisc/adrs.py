"""ADaM ADRS: responses by visit, first progression, response and best response (after admiralonco's ADRS)."""

import datetime
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from reports.cdisc.adsl import DEATH_DATE, SUBJECT_VARIABLES, subject_variables
from reports.cdisc.adtr import sum_sequence
from reports.cdisc.dataset import (
    DatasetDefinition,
    Row,
    Value,
    ValueLevel,
    Variable,
    VariableType,
)
from reports.cdisc.disease_response import category_of, response_date
from reports.cdisc.parameter_codes import parameter
from reports.cdisc.response_marks import ResponseMarks
from reports.cdisc.study_facts import BenefitDate, StudyFacts
from reports.cdisc.subject_records import Reading, SubjectRecords, study_day
from reports.cdisc.visit_numbers import NumberedVisit
from tumorresp.domain.assessment import Assessment, Category
from tumorresp.response.best_response import SdWindowConvention
from tumorresp.response.best_response import response_date as response_began
from tumorresp.response.observation import Visit
from tumorresp.response.outcome import BestResponse, CriterionOutcome
from tumorresp.response.subject import DatedResponse, dated_responses

ADRS = DatasetDefinition(
    "ADRS",
    "Response Analysis Dataset",
    "ADaM",
    "BASIC DATA STRUCTURE",
    "One record per subject per parameter, per visit where there are visits",
    (
        *SUBJECT_VARIABLES,
        Variable("ASEQ", "Analysis Sequence Number", VariableType.INTEGER, "Derived"),
        Variable("PARAM", "Parameter", free_text=True),
        Variable("PARAMCD", "Parameter Code"),
        Variable("PARCAT1", "Parameter Category 1"),
        Variable("PARCAT2", "Parameter Category 2"),
        Variable("PARCAT3", "Parameter Category 3", free_text=True),
        Variable("AVISIT", "Analysis Visit", origin="Derived", free_text=True),
        Variable("AVISITN", "Analysis Visit (N)", VariableType.FLOAT, "Derived"),
        Variable("ADT", "Analysis Date", VariableType.DATE, "Derived"),
        Variable("ADY", "Analysis Relative Day", VariableType.INTEGER, "Derived"),
        Variable("AVAL", "Analysis Value", VariableType.FLOAT, "Derived"),
        Variable("AVALC", "Analysis Value (C)", origin="Derived"),
        Variable("ANL01FL", "Analysis Flag 01: Valid Assessment", origin="Derived", codelist="NY"),
        Variable("ANL02FL", "Analysis Flag 02: Up to First PD", origin="Derived", codelist="NY"),
        Variable("RSREFUS", "Refused Input Bearing on the Response", origin="Derived", free_text=True),
        Variable("RSPROV", "Suspicious Input Bearing on the Response", origin="Derived", free_text=True),
        Variable("SRCDOM", "Source Data", origin="Derived"),
        Variable("SRCVAR", "Source Variable", origin="Derived"),
        Variable("SRCSEQ", "Source Sequence Number", VariableType.INTEGER, "Derived"),
    ),
    ("STUDYID", "USUBJID", "PARAMCD", "AVISITN"),
    ValueLevel("PARAMCD", "PARAM", ("AVAL", "AVALC"), codelist="ONCRSR"),
)

RESPONSE_CODES: Mapping[Category, int] = {
    Category.CR: 1,
    Category.PR: 2,
    Category.SD: 3,
    Category.NON_CR_NON_PD: 4,
    Category.PD: 5,
    Category.NE: 6,
    Category.MISSING: 7,
    Category.MR: 8,
    Category.NED: 9,
}
"""AVAL of a response, as admiralonco's; its list has no code for RANO's MR and for NED, which follow at the end."""
IMMUNE_RESPONSE_CODES: Mapping[Category, int] = {
    Category.ICR: 1,
    Category.IPR: 2,
    Category.ISD: 3,
    Category.NON_ICR_NON_IUPD: 4,
    Category.IUPD: 5,
    Category.ICPD: 6,
    Category.NE: 7,
    Category.MISSING: 8,
}
"""AVAL of an iRECIST response."""

_IMMUNE = "irecist"
_CATEGORY = "Tumor Response"
_RESPONSES = frozenset((Category.CR, Category.PR, Category.ICR, Category.IPR))
_BENEFIT = _RESPONSES | {
    Category.SD,
    Category.NON_CR_NON_PD,
    Category.MR,
    Category.NED,
    Category.ISD,
    Category.NON_ICR_NON_IUPD,
}
_PROGRESSION = frozenset((Category.PD, Category.ICPD))
_NOT_EVALUABLE = frozenset((Category.NE, Category.MISSING))


Source = tuple[str, str, int | None]
_NO_SOURCE: Source = ("", "", None)


@dataclass(frozen=True, slots=True)
class _Course:
    """The responses of one criterion by one evaluator after the baseline, with where they came from."""

    subject: SubjectRecords
    reading: Reading
    outcome: CriterionOutcome
    visits: tuple[tuple[NumberedVisit, Visit, Assessment], ...]
    dated: tuple[DatedResponse, ...]
    sources: tuple[Source, ...]

    @property
    def is_immune(self) -> bool:
        return self.outcome.criterion == _IMMUNE

    def up_to_progression(self) -> Sequence[DatedResponse]:
        first = self.first_of(_PROGRESSION)
        return self.dated if first is None else self.dated[: first + 1]

    def first_of(self, categories: frozenset[Category]) -> int | None:
        return next((index for index, item in enumerate(self.dated) if item.overall in categories), None)

    def marks_until(self, index: int | None) -> ResponseMarks:
        """Return what may hide or have made a response or progression, up to a visit or anywhere."""
        last = len(self.dated) if index is None else index + 1
        return ResponseMarks(
            tuple(mark for item in self.dated[:last] for mark in item.refused),
            tuple(mark for _, _, item in self.visits[:last] for mark in item.provisional),
        )

    def source_on(self, date: datetime.date | None) -> Source:
        for item, source in zip(self.dated, self.sources, strict=True):
            if date in (item.date, item.progression_date):
                return source
        return _NO_SOURCE


def response_analysis(subject: SubjectRecords, facts: StudyFacts, responses: Sequence[Row]) -> list[Row]:
    """Return the records of ADRS of one subject.

    Parameters
    ----------
    responses
        The subject's records of RS: where the responses come from.
    """
    fixed = subject_variables(subject, facts)
    rows = [
        fixed | row
        for course in _courses(subject, responses)
        for row in (*_by_visit(course), *_firsts(course), *_bests(course, facts), *_others(course))
    ]
    rows.append(fixed | _death(subject))
    for number, row in enumerate(rows, start=1):
        row["ASEQ"] = number
    return list(rows)


def _courses(subject: SubjectRecords, responses: Sequence[Row]) -> Iterator[_Course]:
    in_rs = {
        (str(row["RSEVALID"]), str(row["RSEVAL"]), str(row["RSCAT"]), row["VISITNUM"]): int(str(row["RSSEQ"]))
        for row in responses
        if row["RSTESTCD"] == "OVRLRESP"
    }
    sums = sum_sequence(subject)
    for reading in subject.readings:
        for outcome in reading.outcome.outcomes:
            visits = tuple(
                (number, visit, item)
                for number, visit, item in zip(
                    reading.numbered_visits, reading.visits, outcome.assessments, strict=True
                )
                if item.overall is not Category.BASELINE
            )
            sources: list[Source] = []
            for number, _, _ in visits:
                terms = reading.terms
                key = (terms.evaluator_id, terms.kind.value, category_of(outcome.criterion), number.number)
                sum_key = (reading.evaluator_title.upper(), outcome.criterion, number.number)
                if key in in_rs:
                    sources.append(("RS", "RSSTRESC", in_rs[key]))
                elif sum_key in sums:
                    sources.append(("ADTR", "AVAL", sums[sum_key]))
                else:
                    sources.append(_NO_SOURCE)
            dated = dated_responses(reading.visits, outcome.assessments)
            yield _Course(subject, reading, outcome, visits, dated, tuple(sources))


def _by_visit(course: _Course) -> Iterator[dict[str, Value]]:
    subject = course.subject
    of_parameter = _parameter(course, "OVR", "Overall Response")
    progression = course.first_of(_PROGRESSION)
    for index, (number, visit, item) in enumerate(course.visits):
        date = response_date(visit, item)
        valid = item.overall is not Category.MISSING and _in_analysis(date, subject)
        in_course = valid and (progression is None or index <= progression)
        yield {
            **of_parameter,
            "AVISIT": number.title,
            "AVISITN": number.number,
            **_response(course, item.overall, date),
            "ANL01FL": "Y" if valid else "",
            "ANL02FL": "Y" if in_course else "",
            **ResponseMarks(item.refused, item.provisional).variables(),
            **_source(course.sources[index]),
        }


def _in_analysis(date: datetime.date, subject: SubjectRecords) -> bool:
    dates = subject.dates
    return (dates.reference is None or date >= dates.reference) and (
        dates.new_therapy is None or date < dates.new_therapy
    )


def _firsts(course: _Course) -> Iterator[dict[str, Value]]:
    """Yield first progression and first response, Y with the date or N without; neither where no visit is known.

    Where something could not be read that may hide it, there is neither Y nor N.
    """
    if not course.outcome.assessments:
        return
    if course.is_immune:
        yield _first(course, "UPD", "Unconfirmed Progressive Disease", course.first_of(frozenset((Category.IUPD,))))
        yield _first(course, "CPD", "Confirmed Progressive Disease", course.first_of(frozenset((Category.ICPD,))))
    else:
        yield _first(course, "PD", "Disease Progression", course.first_of(_PROGRESSION))
    responded = next((i for i, item in enumerate(course.up_to_progression()) if item.overall in _RESPONSES), None)
    yield _first(course, "RSP", "Response", responded)


def _first(course: _Course, base: str, words: str, index: int | None) -> dict[str, Value]:
    marks = course.marks_until(index)
    if index is None:
        return _parameter(course, base, words) | _yes_no(course, happened=False, date=None, marks=marks)
    item = course.dated[index]
    date = item.date if item.overall in _RESPONSES else item.progression_date
    return _parameter(course, base, words) | _yes_no(course, happened=True, date=date, marks=marks)


def _bests(course: _Course, facts: StudyFacts) -> Iterator[dict[str, Value]]:
    """Yield best response and what follows from it, unconfirmed and confirmed."""
    yield from _best(course, course.outcome.best_response, ("BOR", "CB", "BCP", ""), "", facts)
    yield from _best(course, course.outcome.confirmed_response, ("CBOR", "CCB", "CBCP", "CRSP"), "Confirmed ", facts)


def _best(
    course: _Course,
    best: BestResponse | None,
    bases: tuple[str, str, str, str],
    confirmed: str,
    facts: StudyFacts,
) -> Iterator[dict[str, Value]]:
    if best is None:
        return
    overall, benefit, best_of_two, response = bases
    marks = course.marks_until(None)
    yield {
        **_parameter(course, overall, f"{confirmed}Best Overall Response"),
        **_response(course, best.category, best.date),
        **_source(course.source_on(best.date)),
        **marks.variables(),
    }
    responded = best.category in _RESPONSES
    began = response_began(best) or best.date
    has_benefit = best.category in _BENEFIT
    dated = _benefit_date(course, best, began, facts) if has_benefit else None
    for base, words, happened, date in (
        (benefit, f"{confirmed}Clinical Benefit", has_benefit, dated),
        (best_of_two, f"Best {confirmed}Overall Response of CR/PR", responded, best.date),
        (response, f"{confirmed}Response", responded, began),
    ):
        if base:
            yield _parameter(course, base, words) | _yes_no(course, happened=happened, date=date, marks=marks)


def _benefit_date(
    course: _Course, best: BestResponse, began: datetime.date | None, facts: StudyFacts
) -> datetime.date | None:
    """Return when clinical benefit began: with the best response, or at the first visit that shows it.

    The first visit that shows it is the first response, or the first visit with SD or better that has lasted as long as
    SD must, before progression and another therapy; whichever is earlier (admiralonco, derive_param_clinbenefit).
    """
    reference = course.subject.dates.reference
    rules = dict(best.parameters)
    if facts.clinical_benefit_date is BenefitDate.BEST_RESPONSE or reference is None or "sd_min_days" not in rules:
        return began
    first_day = 1 if rules.get("sd_window_convention") == SdWindowConvention.STUDY_DAY else 0
    lasting = next(
        (
            item.date
            for item in course.up_to_progression()
            if item.overall in _BENEFIT
            and _in_analysis(item.date, course.subject)
            and (item.date - reference).days + first_day >= int(rules["sd_min_days"])
        ),
        None,
    )
    return min((date for date in (began, lasting) if date is not None), default=None)


def _others(course: _Course) -> Iterator[dict[str, Value]]:
    if not course.outcome.assessments:
        return
    evaluable = [
        (item, assessment)
        for item, (_, _, assessment) in zip(course.dated, course.visits, strict=True)
        if item.overall not in _NOT_EVALUABLE
    ]
    if evaluable:
        last, assessment = evaluable[-1]
        yield {
            **_parameter(course, "LSTA", "Last Disease Assessment"),
            **_response(course, last.overall, last.date),
            **ResponseMarks(assessment.refused, assessment.provisional).variables(),
            **_source(course.source_on(last.date)),
        }
    baseline = course.outcome.assessments[0]
    yield _parameter(course, "MDIS", "Measurable Disease at Baseline") | _yes_no(
        course,
        happened=baseline.target is Category.BASELINE,
        date=course.reading.visits[0].date,
        marks=ResponseMarks(baseline.refused, baseline.provisional),
    )


def _death(subject: SubjectRecords) -> dict[str, Value]:
    death = subject.dates.death
    unknown = death is None and DEATH_DATE in subject.dates.refused
    return {
        "PARAMCD": "DEATH",
        "PARAM": "Death",
        "PARCAT1": _CATEGORY,
        "AVALC": "" if unknown else ("N" if death is None else "Y"),
        "AVAL": None if unknown else int(death is not None),
        **ResponseMarks(refused=(DEATH_DATE,) if unknown else ()).variables(),
        "ADT": death,
        "ADY": study_day(death, subject.first_day),
        "SRCDOM": "" if death is None else "ADSL",
        "SRCVAR": "" if death is None else "DTHDT",
    }


def _parameter(course: _Course, base: str, words: str) -> dict[str, Value]:
    return parameter(base, words, course.outcome.criterion, course.reading, _CATEGORY)


def _response(course: _Course, category: Category, date: datetime.date | None) -> dict[str, Value]:
    codes = IMMUNE_RESPONSE_CODES if course.is_immune else RESPONSE_CODES
    return {
        "AVALC": category.value,
        "AVAL": codes.get(category),
        "ADT": date,
        "ADY": study_day(date, course.subject.first_day),
    }


def _yes_no(course: _Course, *, happened: bool, date: datetime.date | None, marks: ResponseMarks) -> dict[str, Value]:
    """Return Y with its date, or N; neither where something could not be read that may hide it."""
    shown = date if happened else None
    unknown = bool(marks.refused) and not happened
    return {
        "AVALC": "" if unknown else ("Y" if happened else "N"),
        "AVAL": None if unknown else int(happened),
        "ADT": shown,
        "ADY": study_day(shown, course.subject.first_day),
        **marks.variables(),
        **(_source(course.source_on(shown)) if shown is not None else {}),
    }


def _source(source: Source) -> dict[str, Value]:
    return {"SRCDOM": source[0], "SRCVAR": source[1], "SRCSEQ": source[2]}
