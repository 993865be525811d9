"""Which visit is the baseline: the last complete one before treatment.

RECIST 1.1 (Eisenhauer et al., Eur J Cancer 45 (2009) 228-247), section 3.2: all baseline evaluations are performed as
close as possible to the start of treatment and never more than four weeks before it. It says nothing of the day of
treatment itself; a scan of that day counts as before, as CDISC's baseline flags do (the last value on or before it).

For tables ``baseline_first`` cuts a course; whoever makes visits of images calls ``choose_baseline``.
"""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass, replace

from tumorresp.domain.finding import Finding, Severity
from tumorresp.domain.measurement import LesionRole, LesionState
from tumorresp.response.observation import LesionObservation, Visit
from tumorresp.response.reasons import listing
from tumorresp.response.subject import SubjectCourse, SubjectDates


@dataclass(frozen=True)
class BaselineChoice:
    """Which visit is the baseline and what to say of it.

    Parameters
    ----------
    index
        Of the baseline among the visits.
    not_counted
        Indices of the other visits before treatment: shown, but in no number.
    """

    index: int
    not_counted: tuple[int, ...] = ()
    findings: tuple[Finding, ...] = ()


def treatment_start(dates: SubjectDates) -> datetime.date | None:
    """Return when treatment started: the first dose, else the reference date; None where neither is known."""
    return dates.first_treatment or dates.reference


def choose_baseline(visits: Sequence[Visit], start: datetime.date | None) -> BaselineChoice:
    """Return which of a subject's visits is the baseline.

    A visit lies before treatment when its first scan is not later than ``start``. Of those the last is taken that is
    complete: no lesion that it or one before it shows is missing. Where none is complete, the one with the most
    targets, then with the most lesions, then the latest.

    Parameters
    ----------
    visits
        In order of date, with the roles that the lesions have in the whole course; at least one.
    start
        Of treatment, None where it is not known.
    """
    if start is None:
        words = "No treatment start is known (reference_date, first_treatment_date): the first scan is the baseline."
        return BaselineChoice(0, (), (Finding("baseline-is-first-scan", Severity.INFO, words, visits[0].name),))
    before = [index for index, visit in enumerate(visits) if (visit.first_date or visit.date) <= start]
    if len(before) < 2:
        return BaselineChoice(0)
    missing = {index: _missing(visits, before, index) for index in before}
    complete = [index for index in before if not missing[index]]
    chosen = complete[-1] if complete else max(before, key=lambda index: (*_shown(visits[index]), index))
    others = tuple(index for index in before if index != chosen)
    return BaselineChoice(chosen, others, tuple(_said(visits, chosen, others, missing, start)))


def baseline_first(course: SubjectCourse) -> SubjectCourse:
    """Return a course that begins with its baseline; other visits before treatment are kept beside it, uncounted."""
    if len(course.visits) < 2 or treatment_start(course.dates) is None:
        return course
    choice = choose_baseline(course.visits, treatment_start(course.dates))
    if not choice.not_counted:
        return course
    return replace(
        course,
        visits=tuple(visit for index, visit in enumerate(course.visits) if index not in choice.not_counted),
        before_treatment=tuple(course.visits[index] for index in choice.not_counted),
        findings=(*course.findings, *choice.findings),
    )


def _missing(visits: Sequence[Visit], before: Sequence[int], index: int) -> list[str]:
    """Return the lesions that a visit or one before it shows, but that could not be evaluated at it."""
    known = {
        seen.lesion_id: seen.name
        for earlier in before
        if earlier <= index
        for seen in visits[earlier].observations
        if seen.role is not LesionRole.NEW
    }
    return [name for lesion_id, name in known.items() if not _is_shown(visits[index], lesion_id)]


def _shown(visit: Visit) -> tuple[int, int]:
    shown = [seen for seen in visit.observations if _is_evaluable(seen)]
    return sum(seen.role is LesionRole.TARGET for seen in shown), len(shown)


def _is_shown(visit: Visit, lesion_id: str) -> bool:
    seen = visit.of(lesion_id)
    return lesion_id in visit.children if seen is None else _is_evaluable(seen)


def _is_evaluable(seen: LesionObservation) -> bool:
    """Return whether a lesion could be evaluated; a target needs a size, or a word that says why it has none."""
    if seen.state is LesionState.NOT_EVALUABLE or seen.is_contradictory:
        return False
    if seen.role is not LesionRole.TARGET or seen.state in (LesionState.ABSENT, LesionState.TOO_SMALL):
        return True
    return seen.state is LesionState.MERGED or any(
        size is not None for size in (seen.long_axis_mm, seen.short_axis_mm, seen.volume_mm3, seen.viable_long_axis_mm)
    )


def _said(
    visits: Sequence[Visit],
    chosen: int,
    others: Sequence[int],
    missing: dict[int, list[str]],
    start: datetime.date,
) -> list[Finding]:
    baseline = visits[chosen]
    dates = listing([str(visits[index].date) for index in others])
    which = "the last complete one" if not missing[chosen] else "the one that shows most"
    words = (
        f"{len(others) + 1} scans lie before treatment ({start}): the baseline is that of {baseline.date}, {which}; "
        f"before baseline, counted in nothing: {dates}."
    )
    found = [Finding("baseline-before-treatment", Severity.INFO, words, str(baseline.date))]
    if len(others) + 1 == len(visits):
        words = f"Every scan lies before the start of treatment ({start}): is that date right? Nothing can be compared."
        found.append(Finding("every-scan-before-treatment", Severity.WARNING, words, str(baseline.date), decides=True))
    for index in (chosen, *(index for index in others if index > chosen)):
        if missing[index]:
            names = listing(missing[index])
            words = (
                f"The scan of {visits[index].date} before treatment is not complete: {names} could not be evaluated."
            )
            found.append(Finding("baseline-incomplete", Severity.WARNING, words, str(visits[index].date), decides=True))
    return found
