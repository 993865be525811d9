"""A table of reported time-point responses as dated responses: one course a subject and evaluator."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from tumorresp.domain.assessment import Category
from tumorresp.domain.finding import Finding, Severity
from tumorresp.response.observation import Refused
from tumorresp.response.subject import DatedResponse, SubjectDates
from tumorresp.response.table.conventions import TableConventions
from tumorresp.response.table.evaluators import rows_by_evaluator
from tumorresp.response.table.rows import Row
from tumorresp.response.table.subject_dates import subject_dates


@dataclass(frozen=True)
class ReportedCourse:
    """The responses that one evaluator reported of one subject, in order of date, the baseline left out.

    Parameters
    ----------
    baseline_date
        Of a row called BASELINE, None where there is none.
    refused
        What could not be read and may belong to any date.
    """

    subject_id: str
    evaluator: str
    responses: tuple[DatedResponse, ...]
    dates: SubjectDates
    baseline_date: date | None
    findings: tuple[Finding, ...]
    refused: tuple[Refused, ...] = ()


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
        undated = [row for row in own if not isinstance(row.values.get("date"), date)]
        courses.append(
            ReportedCourse(
                str(rows[0].values["subject"]),
                evaluator,
                tuple(item for item in responses if item.overall is not Category.BASELINE),
                dates,
                baseline,
                (*date_findings, *noticed),
                (
                    *(Refused(f"the response of {row.where}: its date is not known", row.where) for row in undated),
                    *(item for row in own for item in _progression_refused(row)),
                ),
            )
        )
    return courses, tuple(findings)


def _progression_refused(row: Row) -> list[Refused]:
    """Return what is open where a progression dates from a day that cannot be read: it may take any response away."""
    if "progression_date" not in row.refused or row.values.get("response") not in _PROGRESSION:
        return []
    return [Refused(f"progression_date: {row.refused['progression_date']}", row.where)]


_PROGRESSION = frozenset(category.value for category in (Category.PD, Category.IUPD, Category.ICPD))


def _responses(rows: Sequence[Row]) -> tuple[list[DatedResponse], list[Finding]]:
    by_date: dict[date, list[Row]] = {}
    for row in rows:
        if isinstance(day := row.values.get("date"), date):
            by_date.setdefault(day, []).append(row)
    responses: list[DatedResponse] = []
    findings: list[Finding] = []
    for day, own in sorted(by_date.items()):
        refused = [f"{row.where}: {_refused_words(row)}" for row in own if _refused_words(row)]
        stated = {str(row.values["response"]) for row in own if "response" in row.values}
        if len(own) > 1:
            finding = _several(own, stated, day_is_open=bool(refused))
            findings.append(finding)
            if len(stated) > 1:
                refused.append(f"{own[1].where}: {finding.message.removesuffix('.')}")
        category = Category(stated.pop()) if len(stated) == 1 and not refused else Category.NE
        responses.append(_dated(own[0], day, category, tuple(refused)))
    return [_with_hidden_progression(item, responses) for item in responses], findings


def _with_hidden_progression(response: DatedResponse, responses: Sequence[DatedResponse]) -> DatedResponse:
    """Return a response marked where a later one that could not be read may be progression dated from before it."""
    hidden = [
        words
        for later in responses
        if later.refused and later.progression_date <= response.date < later.date
        for words in later.refused
    ]
    return replace(response, refused=tuple(dict.fromkeys((*response.refused, *hidden)))) if hidden else response


def _refused_words(row: Row) -> str:
    """Return why a row does not say how its evaluator saw its day, empty where it does."""
    return "; ".join(row.refused[name] for name in ("response", "evaluator", "subject") if name in row.refused)


def _several(rows: Sequence[Row], stated: set[str], *, day_is_open: bool) -> Finding:
    numbers = ", ".join(str(row.number) for row in rows)
    agree = len(stated) == 1 and not day_is_open
    used = "one of them is used" if agree else "none is used, the response is NE"
    words = f"Rows {numbers} have the same date ({', '.join(sorted(stated)) or 'no response'}): {used}."
    severity = Severity.WARNING if agree else Severity.ERROR
    return Finding("duplicate-visit", severity, words, rows[1].where, decides=not agree)


def _dated(row: Row, day: date, category: Category, refused: tuple[str, ...]) -> DatedResponse:
    name = str(row.values.get("visit") or day)
    progression = row.values.get("progression_date")
    return DatedResponse(
        time_point_id=name,
        name=name,
        date=day,
        overall=category,
        progression_date=progression if isinstance(progression, date) else day,
        source=row.where,
        refused=refused,
    )
