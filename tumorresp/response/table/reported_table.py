"""A table of reported sums and responses, for the rule audit: what one evaluator reported of one subject."""

import datetime
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from tumorresp.domain.assessment import Category, NewLesionStatus
from tumorresp.domain.finding import Finding, Severity
from tumorresp.response.observation import Visit
from tumorresp.response.rule_audit import Reported, ReportedBest, ReportedEvaluation, ReportedVisit
from tumorresp.response.subject import SubjectCourse
from tumorresp.response.table.rows import Row

_NUMBERS = {
    "sum_mm": "target_sum",
    "change_from_baseline_percent": "change_from_baseline_percent",
    "change_from_nadir_percent": "change_from_nadir_percent",
    "change_from_nadir_mm": "change_from_nadir",
}
_CATEGORIES = ("target", "non_target", "overall")


def reported_evaluation(rows: Sequence[Row], course: SubjectCourse) -> tuple[ReportedEvaluation, tuple[Finding, ...]]:
    """Return what a subject's rows report beside the measurements of the same evaluator.

    Parameters
    ----------
    rows
        Of this subject and evaluator.
    course
        Its measurements: rows find their visit by name, or by date.
    """
    visits: dict[str, ReportedVisit] = {}
    best: list[ReportedBest] = []
    findings: list[Finding] = []
    progression: Reported[datetime.date] | None = None
    for row in rows:
        values = row.values
        if "best_response" in values:
            confirmed = values.get("best_confirmed")
            best.append(
                ReportedBest(
                    Category(str(values["best_response"])), None if confirmed is None else bool(confirmed), row.where
                )
            )
        if isinstance(day := values.get("progression_date"), datetime.date):
            progression = Reported(day, row.where)
        found = _reported_visit(row, course)
        if found is None:
            continue
        if any(found.time_point_id == visit.time_point_id for visit in course.before_treatment):
            words = "The row reports of a scan before treatment that is not the baseline: it is not audited."
            findings.append(Finding("reported-before-baseline", Severity.WARNING, words, row.where))
            continue
        if found.time_point_id in visits:
            words = "The visit is reported more than once; the first row is used."
            findings.append(Finding("visit-reported-twice", Severity.ERROR, words, row.where))
            continue
        visits[found.time_point_id] = found
    return ReportedEvaluation(tuple(visits.values()), tuple(best), progression), tuple(findings)


def _reported_visit(row: Row, course: SubjectCourse) -> ReportedVisit | None:
    """Return the visit's reported values, None where the row reports none."""
    values: dict[str, Any] = {}
    for column, name in _NUMBERS.items():
        if isinstance(number := row.values.get(column), Decimal):
            values[name] = Reported(number, row.where)
    for name in _CATEGORIES:
        if name in row.values:
            values[name] = Reported(Category(str(row.values[name])), row.where)
    if "new_lesions" in row.values:
        values["new_lesions"] = Reported(NewLesionStatus(str(row.values["new_lesions"])), row.where)
    if not values:
        return None
    return ReportedVisit(_time_point_id(row, (*course.before_treatment, *course.visits)), **values)


def _time_point_id(row: Row, visits: Sequence[Visit]) -> str:
    name, day = row.values.get("visit"), row.values.get("date")
    for visit in visits:
        if name is not None and str(name).casefold() in (visit.name.casefold(), visit.time_point_id.casefold()):
            return visit.time_point_id
    for visit in visits:
        if isinstance(day, datetime.date) and (visit.first_date or visit.date) <= day <= visit.date:
            return visit.time_point_id
    return str(name or day or row.where)
