"""A table of lesion measurements as courses: one a subject and evaluator, with what was noticed on the way."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from tumorresp.domain.finding import Finding, Severity
from tumorresp.domain.measurement import LesionRole, LesionState
from tumorresp.response.baseline import baseline_first
from tumorresp.response.observation import LesionObservation, Visit
from tumorresp.response.subject import SubjectCourse
from tumorresp.response.table.conventions import TableConventions
from tumorresp.response.table.evaluators import rows_by_evaluator
from tumorresp.response.table.lesion_rows import LesionFacts, lesion_facts, observation
from tumorresp.response.table.rows import Row
from tumorresp.response.table.subject_dates import subject_dates

_SUSPICIOUS_MM = Decimal(6)


@dataclass(frozen=True)
class _VisitRows:
    """The rows of one time point."""

    name: str
    first_date: date
    date: date
    rows: tuple[Row, ...]


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
    by_evaluator, findings = rows_by_evaluator(rows, conventions)
    subject = str(rows[0].values["subject"])
    courses = []
    for evaluator, own in sorted(by_evaluator.items()):
        visits, noticed = _visits(own, conventions)
        course = SubjectCourse(subject, evaluator, visits, dates, (*date_findings, *noticed))
        courses.append(_named(baseline_first(course)))
    return courses, tuple(findings)


def _named(course: SubjectCourse) -> SubjectCourse:
    """Return a course whose visits all have a name: without one of the table's, the baseline is where counting starts.

    Findings about the whole course, which needs its baseline, are added.
    """
    early = [
        visit if visit.name else replace(visit, name=f"Before baseline {number}")
        for number, visit in enumerate(course.before_treatment, 1)
    ]
    visits = [
        visit if visit.name else replace(visit, name=f"Follow-up {number}" if number else "Baseline")
        for number, visit in enumerate(course.visits)
    ]
    return replace(
        course,
        visits=tuple(visits),
        before_treatment=tuple(early),
        findings=(*course.findings, *_perhaps_centimetres(visits)),
    )


def _visits(rows: Sequence[Row], conventions: TableConventions) -> tuple[tuple[Visit, ...], list[Finding]]:
    facts, findings = _facts(rows)
    grouped, noticed = _grouped(rows, conventions)
    findings += noticed
    visits: list[Visit] = []
    for group in grouped:
        observations, seen = _observations(group, facts)
        findings += seen
        visits.append(
            Visit(
                time_point_id=group.name or group.date.isoformat(),
                name=group.name,
                date=group.date,
                observations=observations,
                first_date=group.first_date if group.first_date != group.date else None,
                markers_elevated=_of_visit(group, "markers_elevated", findings),
                clinically_stable=_of_visit(group, "clinically_stable", findings),
            )
        )
    return tuple(visits), findings


def _facts(rows: Sequence[Row]) -> tuple[Mapping[str, LesionFacts], list[Finding]]:
    by_lesion: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        by_lesion[str(row.values["lesion"])].append(row)
    facts: dict[str, LesionFacts] = {}
    findings: list[Finding] = []
    for lesion_id, own in by_lesion.items():
        ordered = sorted(own, key=_date)
        if [row.number for row in ordered] != [row.number for row in own]:
            words = f"The rows of {lesion_id} are not in order of date: they were sorted."
            findings.append(Finding("rows-not-in-order", Severity.INFO, words, own[0].where))
        known, noticed = lesion_facts(ordered)
        findings += noticed
        if known is not None:
            facts[lesion_id] = known
    return facts, findings


def _grouped(rows: Sequence[Row], conventions: TableConventions) -> tuple[list[_VisitRows], list[Finding]]:
    """Return the rows by visit name, or by date where there is none, in order of date."""
    by_key: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        by_key[str(row.values.get("visit") or "") + ("" if row.values.get("visit") else str(_date(row)))].append(row)
    groups = [_group(own) for own in by_key.values()]
    groups.sort(key=lambda group: (group.date, group.rows[0].number))
    findings = [finding for group in groups for finding in _spread(group, conventions)]
    merged: list[_VisitRows] = []
    for group in groups:
        if merged and merged[-1].date == group.date:
            names = f"{merged[-1].name or 'A visit without a name'} and {group.name or 'one without a name'}"
            words = f"{names} have the same date ({group.date}): they are taken as one visit."
            findings.append(Finding("duplicate-visit", Severity.WARNING, words, group.rows[0].where))
            one = _group((*merged[-1].rows, *group.rows))
            merged[-1] = _VisitRows(merged[-1].name or group.name, one.first_date, one.date, one.rows)
        else:
            merged.append(group)
    return merged, findings


def _group(rows: Sequence[Row]) -> _VisitRows:
    dates = [_date(row) for row in rows]
    return _VisitRows(str(rows[0].values.get("visit") or ""), min(dates), max(dates), tuple(rows))


def _spread(group: _VisitRows, conventions: TableConventions) -> list[Finding]:
    days = (group.date - group.first_date).days
    if days <= conventions.visit_window_days:
        return []
    words = f"The scans of {group.name} lie {days} days apart ({group.first_date} to {group.date}): is it one visit?"
    return [Finding("visit-spread", Severity.WARNING, words, group.rows[0].where)]


def _observations(
    group: _VisitRows, facts: Mapping[str, LesionFacts]
) -> tuple[tuple[LesionObservation, ...], list[Finding]]:
    by_lesion: dict[str, list[Row]] = defaultdict(list)
    for row in group.rows:
        by_lesion[str(row.values["lesion"])].append(row)
    observations: list[LesionObservation] = []
    findings: list[Finding] = []
    for lesion_id, rows in by_lesion.items():
        known = facts.get(lesion_id)
        if known is None:
            continue
        if len(rows) > 1 and (finding := _repeated(lesion_id, rows)) is not None:
            findings.append(finding)
            if finding.severity is Severity.ERROR:
                source = ", ".join(row.where for row in rows)
                observations.append(
                    LesionObservation(
                        lesion_id, known.role, known.nodal, known.site, LesionState.NOT_EVALUABLE, source=source
                    )
                )
                continue
        seen, noticed = observation(rows[0], known)
        observations.append(seen)
        findings += noticed
    return tuple(observations), findings


def _repeated(lesion_id: str, rows: Sequence[Row]) -> Finding:
    numbers = ", ".join(str(row.number) for row in rows)
    if all(row.values == rows[0].values for row in rows[1:]):
        words = f"{lesion_id} stands in rows {numbers} with the same values: one of them is used."
        return Finding("row-twice", Severity.WARNING, words, rows[1].where)
    words = f"{lesion_id} has several measurements at one visit (rows {numbers}): none is used, it is not evaluable."
    return Finding("several-sizes", Severity.ERROR, words, rows[1].where)


def _of_visit(group: _VisitRows, name: str, findings: list[Finding]) -> bool | None:
    """Return what the rows of a visit agree on."""
    stated = {row.values[name]: row for row in group.rows if name in row.values}
    if len(stated) > 1:
        words = f"{name} is both yes and no at one visit: it is not used."
        findings.append(Finding(f"{name}-differs".replace("_", "-"), Severity.ERROR, words, group.rows[0].where))
        return None
    return bool(next(iter(stated))) if stated else None


def _perhaps_centimetres(visits: Sequence[Visit]) -> list[Finding]:
    """Point out a baseline of which every target is too small for a target: the unit may be another one."""
    if not visits:
        return []
    sizes = [
        seen.long_axis_mm
        for seen in visits[0].observations
        if seen.role is LesionRole.TARGET and seen.long_axis_mm is not None
    ]
    if not sizes or max(sizes) >= _SUSPICIOUS_MM:
        return []
    words = (
        f"No target of {visits[0].name} reaches 6 mm: are the lengths in centimetres? Then add a column unit with cm."
    )
    source = next(seen.source for seen in visits[0].observations if seen.long_axis_mm is not None)
    return [Finding("perhaps-centimetres", Severity.WARNING, words, source)]


def _date(row: Row) -> date:
    value = row.values["date"]
    assert isinstance(value, date), "the date column is required"
    return value
