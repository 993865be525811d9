"""Subjects as the exports see them: the readings of one subject together, with visit numbers, link IDs and days."""

import datetime
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from reports.cdisc.controlled_terminology import EVALUATOR_IDS, PARAMETER_SUFFIXES
from reports.cdisc.study_facts import EvaluatorKind, EvaluatorTerms, StudyFacts
from reports.cdisc.visit_numbers import NumberedVisit, VisitPlan, visit_number_text
from tumorresp.domain.errors import InvalidInput
from tumorresp.response.observation import LesionObservation, Visit
from tumorresp.response.outcome import SubjectOutcome
from tumorresp.response.subject import SubjectDates


@dataclass(frozen=True, slots=True)
class Scan:
    """One visit of a reading as SDTM holds it.

    Parameters
    ----------
    index
        Of the visit among those that responses are made from; None of a scan before treatment that is not the baseline.
    """

    visit: Visit
    numbered: NumberedVisit
    index: int | None


@dataclass(frozen=True, slots=True)
class Reading:
    """One evaluator's reading of a subject.

    Parameters
    ----------
    numbered_visits
        VISIT and VISITNUM, one a visit.
    numbered_before
        The same of the scans before treatment that are not the baseline.
    lesions
        By lesion ID the observation that identified the lesion, in order of identification.
    """

    outcome: SubjectOutcome
    terms: EvaluatorTerms
    numbered_visits: tuple[NumberedVisit, ...]
    numbered_before: tuple[NumberedVisit, ...]
    lesions: Mapping[str, LesionObservation]

    @property
    def visits(self) -> tuple[Visit, ...]:
        """The visits that responses are made from, in order of date; the first is the baseline."""
        return self.outcome.course.visits

    @property
    def scans(self) -> tuple[Scan, ...]:
        """All visits in order of date: what was collected before the baseline is in SDTM as well."""
        course = self.outcome.course
        early = [Scan(*item, None) for item in zip(course.before_treatment, self.numbered_before, strict=True)]
        counted = [
            Scan(visit, numbered, index)
            for index, (visit, numbered) in enumerate(zip(course.visits, self.numbered_visits, strict=True))
        ]
        return tuple(sorted((*early, *counted), key=lambda scan: scan.visit.date))

    @property
    def visit_numbers(self) -> tuple[float, ...]:
        """VISITNUM and AVISITN, one a visit."""
        return tuple(visit.number for visit in self.numbered_visits)

    def visit_title(self, index: int) -> str:
        """Return AVISIT of a visit; VISIT is the same in capitals."""
        return self.numbered_visits[index].title

    @property
    def link_prefix(self) -> str:
        """What the evaluator's link IDs begin with: ``R1-``; nothing where the evaluator has no ID."""
        prefix = EVALUATOR_IDS[self.terms.evaluator_id]
        return f"{prefix}-" if prefix else ""

    @property
    def parameter_suffix(self) -> str:
        """What the evaluator's ADaM parameter codes end with; nothing for the investigator."""
        if self.terms.kind is EvaluatorKind.INVESTIGATOR:
            return ""
        return PARAMETER_SUFFIXES[self.terms.evaluator_id]

    @property
    def evaluator_title(self) -> str:
        """The evaluator in words for PARAM and PARCAT2."""
        title = (
            self.terms.kind.capitalize() if self.terms.kind is EvaluatorKind.INVESTIGATOR else "Independent Assessor"
        )
        return f"{title} {self.terms.evaluator_id.title()}".strip()

    def link_id(self, lesion_id: str) -> str:
        """Return --LNKID: the lesion's ID; of a conglomerate its parts' (T02/T03); the evaluator's prefix before it."""
        parents = self.lesions[lesion_id].parents
        return f"{self.link_prefix}{'/'.join(parents) if len(parents) > 1 else lesion_id}"

    def link_group(self, numbered: NumberedVisit) -> str:
        """Return --LNKGRP of a visit: A1, A2 ..."""
        return f"{self.link_prefix}A{visit_number_text(numbered.number)}"


@dataclass(frozen=True, slots=True)
class SubjectRecords:
    """All readings of one subject, in order of --EVAL and --EVALID."""

    usubjid: str
    subjid: str
    dates: SubjectDates
    readings: tuple[Reading, ...]

    @property
    def first_day(self) -> datetime.date | None:
        """The day that study days count from (RFSTDTC): first dose, or the reference date where that is not known."""
        return self.dates.first_treatment or self.dates.reference


def visit_plan(outcomes: Sequence[SubjectOutcome], facts: StudyFacts) -> VisitPlan:
    """Return the visits of the trial."""

    def subject(outcome: SubjectOutcome) -> str:
        return facts.unique_subject_id(outcome.course.subject_id)

    return VisitPlan(
        [_all_visits(outcome) for outcome in own] for _, own in groupby(sorted(outcomes, key=subject), key=subject)
    )


def subject_records(
    outcomes: Sequence[SubjectOutcome], facts: StudyFacts, plan: VisitPlan | None = None
) -> Iterator[SubjectRecords]:
    """Yield the subjects in order of USUBJID.

    Parameters
    ----------
    plan
        Of ``visit_plan``, where it is known already.

    Raises
    ------
    InvalidInput
        If an evaluator has no term, two readings of a subject are by the same evaluator, or its dates contradict one
        another.
    """
    visits = plan or visit_plan(outcomes, facts)
    names = {outcome.course.evaluator for outcome in outcomes}
    terms = {name: facts.evaluator_terms(name, is_only_one=len(names) == 1) for name in sorted(names)}

    def order(outcome: SubjectOutcome) -> tuple[str, str, str]:
        own = terms[outcome.course.evaluator]
        return facts.unique_subject_id(outcome.course.subject_id), own.kind, own.evaluator_id

    for usubjid, group in groupby(
        sorted(outcomes, key=order), key=lambda item: facts.unique_subject_id(item.course.subject_id)
    ):
        own = list(group)
        _check(usubjid, own, terms)
        numbers = visits.numbered([_all_visits(outcome) for outcome in own])
        yield SubjectRecords(
            usubjid,
            own[0].course.subject_id.removeprefix(f"{facts.study_id}-"),
            own[0].course.dates,
            tuple(
                _reading(outcome, terms[outcome.course.evaluator], numbered)
                for outcome, numbered in zip(own, numbers, strict=True)
            ),
        )


def _all_visits(outcome: SubjectOutcome) -> tuple[Visit, ...]:
    course = outcome.course
    return tuple(sorted((*course.before_treatment, *course.visits), key=lambda visit: visit.date))


def _reading(outcome: SubjectOutcome, terms: EvaluatorTerms, numbered: Sequence[NumberedVisit]) -> Reading:
    visits = _all_visits(outcome)
    by_visit = {id(visit): number for visit, number in zip(visits, numbered, strict=True)}
    course = outcome.course
    return Reading(
        outcome,
        terms,
        tuple(by_visit[id(visit)] for visit in course.visits),
        tuple(by_visit[id(visit)] for visit in course.before_treatment),
        _identified(visits),
    )


def study_day(day: datetime.date | str | None, first_day: datetime.date | None) -> int | None:
    """Return --DY: 1 on the first day, -1 on the day before, never 0.

    None where either is not known, or where an ISO text is no complete date.
    """
    if isinstance(day, str):
        try:
            day = datetime.date.fromisoformat(day)
        except ValueError:
            return None
    if day is None or first_day is None:
        return None
    difference = (day - first_day).days
    return difference + 1 if difference >= 0 else difference


def _identified(visits: Sequence[Visit]) -> dict[str, LesionObservation]:
    first: dict[str, LesionObservation] = {}
    for visit in visits:
        for lesion in visit.observations:
            first.setdefault(lesion.lesion_id, lesion)
    return first


def _check(usubjid: str, own: Sequence[SubjectOutcome], terms: dict[str, EvaluatorTerms]) -> None:
    evaluators = [terms[outcome.course.evaluator] for outcome in own]
    if len(set(evaluators)) < len(evaluators):
        raise InvalidInput(
            "two readings of the subject are by the same evaluator.",
            where=usubjid,
            remedy="Give every evaluator an ID of its own in the study's facts.",
        )
    if any(outcome.course.dates != own[0].course.dates for outcome in own):
        raise InvalidInput(
            "the subject's dates or arm differ from one evaluator to the next.",
            where=usubjid,
            remedy="Give the same dates in all rows of the subject.",
        )
