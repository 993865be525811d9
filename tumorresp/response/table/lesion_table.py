"""A table of lesion measurements as courses: one a subject and evaluator, with what was noticed on the way."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date

from tumorresp.domain.finding import Finding, Severity
from tumorresp.domain.measurement import LesionRole
from tumorresp.response.baseline import baseline_first, treatment_start
from tumorresp.response.observation import Hides, LesionObservation, Refused, Visit
from tumorresp.response.subject import SubjectCourse
from tumorresp.response.table.conventions import TableConventions
from tumorresp.response.table.evaluators import rows_by_evaluator
from tumorresp.response.table.lesion_rows import LesionFacts, ReadLesion, lesion_facts, not_evaluable, observation
from tumorresp.response.table.plausible_sizes import with_suspicions
from tumorresp.response.table.rows import Row
from tumorresp.response.table.spelling import with_one_spelling
from tumorresp.response.table.subject_dates import refused_start, subject_dates
from tumorresp.response.table.unstated_roles import roles_by_default
from tumorresp.response.table.visit_rows import VisitRows, rows_by_visit

_OF_VISIT = ("markers_elevated", "clinically_stable")


def courses_of_subject(
    rows: Sequence[Row], conventions: TableConventions
) -> tuple[list[SubjectCourse], tuple[Finding, ...]]:
    """Return the courses of one subject, one an evaluator.

    Parameters
    ----------
    rows
        All rows of the subject, in the table's order.

    Returns
    -------
    courses
        With findings of their own.
    findings
        About rows that are in no course.
    """
    dates, date_findings = subject_dates(rows)
    spelt, spelling = with_one_spelling(rows)
    by_evaluator, findings = rows_by_evaluator(spelt, conventions)
    subject = str(rows[0].values["subject"])
    courses = []
    for evaluator, own in sorted(by_evaluator.items()):
        course = _course(SubjectCourse(subject, evaluator, (), dates), own, conventions)
        courses.append(replace(course, findings=(*date_findings, *spelling, *course.findings)))
    return courses, tuple(findings)


def _course(empty: SubjectCourse, rows: Sequence[Row], conventions: TableConventions) -> SubjectCourse:
    ordered, findings = _by_lesion(rows)
    start = treatment_start(empty.dates)
    new = {str(row.values["lesion"]) for own in ordered.values() for row in own if row.values.get("role") == "new"}
    grouped = rows_by_visit(rows, conventions, new, start)
    default = roles_by_default(ordered, grouped.visits, start)
    facts, noticed = _facts(ordered, default.roles)
    findings += [*noticed, *default.findings, *grouped.findings]
    visits = []
    for group in grouped.visits:
        visit, noticed = _visit(group, facts)
        visits.append(visit)
        findings += noticed
    undated = tuple(_unplaced(row, "its date is not known") for row in grouped.undated)
    course = replace(
        empty, visits=tuple(visits), findings=tuple(findings), refused=(*undated, *refused_start(empty.dates))
    )
    named = _named(baseline_first(course))
    marked, suspicions = with_suspicions(named.visits)
    return replace(named, visits=marked, findings=(*named.findings, *suspicions))


def _named(course: SubjectCourse) -> SubjectCourse:
    """Return a course whose visits all have a name; where the table gives none, counted from the baseline."""
    early = [
        visit if visit.name else replace(visit, name=f"Before baseline {number}")
        for number, visit in enumerate(course.before_treatment, 1)
    ]
    visits = [
        visit if visit.name else replace(visit, name=f"Follow-up {number}" if number else "Baseline")
        for number, visit in enumerate(course.visits)
    ]
    return replace(course, visits=tuple(visits), before_treatment=tuple(early))


def _by_lesion(rows: Sequence[Row]) -> tuple[Mapping[str, Sequence[Row]], list[Finding]]:
    """Return the rows of each lesion, in order of date."""
    by_lesion: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        if _names_lesion(row):
            by_lesion[str(row.values["lesion"])].append(row)
    findings: list[Finding] = []
    for lesion_id, own in by_lesion.items():
        ordered = sorted(own, key=_date)
        if _numbers_of_dated(ordered) != _numbers_of_dated(own):
            words = f"The rows of {lesion_id} are not in order of date: they were sorted."
            findings.append(Finding("rows-not-in-order", Severity.INFO, words, own[0].where))
        by_lesion[lesion_id] = ordered
    return by_lesion, findings


def _facts(
    by_lesion: Mapping[str, Sequence[Row]], default: Mapping[str, LesionRole]
) -> tuple[Mapping[str, LesionFacts], list[Finding]]:
    facts: dict[str, LesionFacts] = {}
    findings: list[Finding] = []
    for lesion_id, own in by_lesion.items():
        known, noticed = lesion_facts(own, default.get(lesion_id))
        findings += noticed
        if known is not None:
            facts[lesion_id] = known
    return facts, findings


def _names_lesion(row: Row) -> bool:
    """Return whether it is known which lesion, of which evaluator, a row is about."""
    return "lesion" in row.values and not any(name in row.refused for name in ("evaluator", "subject"))


def _visit(group: VisitRows, facts: Mapping[str, LesionFacts]) -> tuple[Visit, list[Finding]]:
    read, refused, findings = _lesions(group, facts)
    stated: dict[str, bool | None] = {}
    for name in _OF_VISIT:
        stated[name], open_cells = _of_visit(group, name, findings)
        refused += open_cells if name == "markers_elevated" else []
    visit = Visit(
        time_point_id=group.name or group.date.isoformat(),
        name=group.name,
        date=group.date,
        observations=read,
        first_date=group.first_date if group.first_date != group.date else None,
        markers_elevated=stated["markers_elevated"],
        clinically_stable=stated["clinically_stable"],
        refused=tuple(refused),
    )
    return visit, findings


def _lesions(
    group: VisitRows, facts: Mapping[str, LesionFacts]
) -> tuple[tuple[LesionObservation, ...], list[Refused], list[Finding]]:
    by_lesion: dict[str, list[Row]] = defaultdict(list)
    refused: list[Refused] = []
    for row in group.rows:
        if _names_lesion(row):
            by_lesion[str(row.values["lesion"])].append(row)
        else:
            refused.append(_unplaced(row, "; ".join(row.refused[name] for name in _PLACES if name in row.refused)))
    observations: list[LesionObservation] = []
    findings: list[Finding] = []
    for lesion_id, rows in by_lesion.items():
        known = facts.get(lesion_id)
        if known is None:
            refused += [_unplaced(row, f"the role of {lesion_id} is not known") for row in rows]
            continue
        read = _of_rows(rows, known)
        observations.append(read.seen)
        refused += read.refused
        findings += read.findings
    return tuple(observations), refused, findings


_PLACES = ("lesion", "evaluator", "subject")


def _of_rows(rows: Sequence[Row], facts: LesionFacts) -> ReadLesion:
    """Return a lesion at one visit from its rows there."""
    if len(rows) == 1:
        return observation(rows[0], facts)
    finding = _repeated(facts.lesion_id, rows)
    if finding.severity is Severity.ERROR:
        source = ", ".join(row.where for row in rows)
        read = not_evaluable(facts, "it has several measurements at one visit", source)
    else:
        read = observation(rows[0], facts)
    return replace(read, findings=(finding, *read.findings))


def _repeated(lesion_id: str, rows: Sequence[Row]) -> Finding:
    numbers = ", ".join(str(row.number) for row in rows)
    if all((row.values, row.refused) == (rows[0].values, rows[0].refused) for row in rows[1:]):
        words = f"{lesion_id} stands in rows {numbers} with the same values: one of them is used."
        return Finding("row-twice", Severity.WARNING, words, rows[1].where)
    words = f"{lesion_id} has several measurements at one visit (rows {numbers}): none is used, it is not evaluable."
    return Finding("several-sizes", Severity.ERROR, words, rows[1].where, decides=True)


def _unplaced(row: Row, why: str) -> Refused:
    lesion = f"{row.values['lesion']}" if "lesion" in row.values else "A lesion"
    return Refused(f"{lesion} of {row.where}: {why}", row.where)


def _of_visit(group: VisitRows, name: str, findings: list[Finding]) -> tuple[bool | None, list[Refused]]:
    """Return what the rows of a visit agree on, and what is open where none can be read or they differ."""
    stated = {row.values[name]: row for row in group.rows if name in row.values}
    unread = [row for row in group.rows if name in row.refused]
    if len(stated) > 1:
        words = f"{name} is both yes and no at one visit: it is not used."
        code = f"{name}-differs".replace("_", "-")
        findings.append(Finding(code, Severity.ERROR, words, group.rows[0].where, decides=True))
        return None, [Refused(f"{name} is both yes and no", group.rows[0].where, hides=Hides.NOT_COMPLETE)]
    if stated:
        return bool(next(iter(stated))), []
    return None, [Refused(f"{name}: {row.refused[name]}", row.where, hides=Hides.NOT_COMPLETE) for row in unread[:1]]


def _numbers_of_dated(rows: Sequence[Row]) -> list[int]:
    return [row.number for row in rows if "date" in row.values]


def _date(row: Row) -> date:
    value = row.values.get("date")
    return value if isinstance(value, date) else date.max
