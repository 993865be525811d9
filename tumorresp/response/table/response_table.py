"""A table of reported time-point responses as dated responses: one course a subject and evaluator."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from tumorresp.domain.assessment import Category
from tumorresp.domain.finding import Finding, Severity
from tumorresp.response.subject import DatedResponse, SubjectDates
from tumorresp.response.table.conventions import TableConventions
from tumorresp.response.table.evaluators import rows_by_evaluator
from tumorresp.response.table.rows import Row
from tumorresp.response.table.subject_dates import subject_dates


@dataclass(frozen=True)
class ReportedCourse:
    """The responses that one evaluator reported of one subject, in order of date, the baseline left out.

    ``baseline_date`` is that of a row called BASELINE, None where there is none.
    """

    subject_id: str
    evaluator: str
    responses: tuple[DatedResponse, ...]
    dates: SubjectDates
    baseline_date: date | None
    findings: tuple[Finding, ...]


def reported_courses(
    rows: Sequence[Row], conventions: TableConventions
) -> tuple[list[ReportedCourse], tuple[Finding, ...]]:
    """Return one subject's reported courses, and findings about rows that are in none."""
    dates, date_findings = subject_dates(rows)
    by_evaluator, findings = rows_by_evaluator(rows, conventions)
    courses = []
    for evaluator, own in sorted(by_evaluator.items()):
        responses, noticed = _responses(own)
        baseline = next((item.date for item in responses if item.overall is Category.BASELINE), None)
        courses.append(
            ReportedCourse(
                str(rows[0].values["subject"]),
                evaluator,
                tuple(item for item in responses if item.overall is not Category.BASELINE),
                dates,
                baseline,
                (*date_findings, *noticed),
            )
        )
    return courses, tuple(findings)


def _responses(rows: Sequence[Row]) -> tuple[list[DatedResponse], list[Finding]]:
    by_date: dict[date, list[Row]] = {}
    for row in rows:
        by_date.setdefault(_date(row), []).append(row)
    responses: list[DatedResponse] = []
    findings: list[Finding] = []
    for day, own in sorted(by_date.items()):
        stated = {str(row.values["response"]) for row in own}
        if len(own) > 1:
            numbers = ", ".join(str(row.number) for row in own)
            severity = Severity.WARNING if len(stated) == 1 else Severity.ERROR
            used = "one of them is used" if len(stated) == 1 else "none is used, the response is NE"
            words = f"Rows {numbers} have the same date ({', '.join(sorted(stated))}): {used}."
            findings.append(Finding("duplicate-visit", severity, words, own[1].where))
        category = Category(stated.pop()) if len(stated) == 1 else Category.NE
        responses.append(_dated(own[0], day, category))
    return responses, findings


def _dated(row: Row, day: date, category: Category) -> DatedResponse:
    name = str(row.values.get("visit") or day)
    progression = row.values.get("progression_date")
    return DatedResponse(
        time_point_id=name,
        name=name,
        date=day,
        overall=category,
        progression_date=progression if isinstance(progression, date) else day,
        source=row.where,
    )


def _date(row: Row) -> date:
    value = row.values["date"]
    assert isinstance(value, date), "the date column is required"
    return value
