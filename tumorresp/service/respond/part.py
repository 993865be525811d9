"""One part of a table, evaluated in a process of its own: rows in, rows of the result tables out."""

import datetime
import gc
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa

from reports.outcome_tables import FINDINGS, ResultTable, Value, finding_cells
from tumorresp.domain.assessment import Assessment
from tumorresp.domain.errors import TumorRespError
from tumorresp.domain.finding import Finding, Severity
from tumorresp.response.evaluate import REPORTED, evaluate_course, evaluate_reported, not_evaluated
from tumorresp.response.outcome import SubjectOutcome
from tumorresp.response.protocol import Protocol, protocol_from
from tumorresp.response.subject import SubjectCourse
from tumorresp.response.table.lesion_table import courses_of_subject
from tumorresp.response.table.response_table import reported_courses
from tumorresp.response.table.rows import Row, understood_rows
from tumorresp.response.table.subject_dates import subject_dates
from tumorresp.service.respond.csv_table import ROW

TableRows = dict[str, list[tuple[Value, ...]]]


@dataclass(frozen=True)
class PartJob:
    """What a worker is given; ``protocol`` as ``protocol_document`` writes it."""

    kind: str
    rows: pa.Table
    criteria: tuple[str, ...]
    protocol: Mapping[str, Any]
    keep_observations: bool = False
    """Give the lesions' observations back too: the CDISC export needs them."""


@dataclass(frozen=True)
class PartResult:
    """What a worker gives back.

    Parameters
    ----------
    tables
        Rows of every result table by its name.
    outcomes
        Of the part's subjects, without reasons and inputs: what rates and figures need.
    errors, warnings
        How many findings of that severity.
    """

    tables: TableRows
    outcomes: tuple[SubjectOutcome, ...]
    errors: int
    warnings: int


def evaluate_part(job: PartJob, tables: Sequence[ResultTable]) -> PartResult:
    """Evaluate the subjects of a part; one that cannot be evaluated becomes a finding."""
    with _no_collection():
        return _evaluated(job, tables)


@contextmanager
def _no_collection() -> Iterator[None]:
    """Spare the garbage collector: a part makes a million objects, none in a cycle, and every pass looks at all."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _evaluated(job: PartJob, tables: Sequence[ResultTable]) -> PartResult:
    protocol = protocol_from(job.protocol)
    outcomes, loose = subject_outcomes(job.kind, job.rows, job.criteria, protocol)
    made = {table.name: [row for outcome in outcomes for row in table.rows(outcome)] for table in tables}
    findings: list[tuple[Value, ...]] = [(subject, "", "", "", *finding_cells(finding)) for subject, finding in loose]
    made[FINDINGS.name] = [*findings, *made[FINDINGS.name]]
    severities = [row[4] for row in made[FINDINGS.name]]
    return PartResult(
        made,
        tuple(_slim(outcome, keep_observations=job.keep_observations) for outcome in outcomes),
        severities.count(Severity.ERROR.value),
        severities.count(Severity.WARNING.value),
    )


def subject_outcomes(
    kind: str, table: pa.Table, criteria: Sequence[str], protocol: Protocol
) -> tuple[list[SubjectOutcome], list[tuple[str, Finding]]]:
    """Return the outcome of every course of a table, and findings that belong to none, with their subjects."""
    numbered = _numbered_records(table)
    subject_of_row = {f"row {number}": str(record.get("subject") or "").strip() for number, record in numbered}
    rows, findings = understood_rows(kind, numbered, protocol.table, latest_day())
    loose = [(subject_of_row.get(finding.where.split(",")[0], ""), finding) for finding in findings]
    outcomes: list[SubjectOutcome] = []
    for subject, own in _by_subject(rows):
        try:
            made, unused = _outcomes(kind, own, criteria, protocol)
        except TumorRespError as error:
            words = f"{error} The subject is not evaluated."
            loose.append((subject, Finding("subject-not-evaluated", Severity.ERROR, words, own[0].where, decides=True)))
            made, unused = _not_evaluated(kind, own, criteria), ()
        outcomes += made
        loose += [(subject, finding) for finding in unused]
    return outcomes, loose


def latest_day() -> datetime.date:
    """Return the latest date that anybody can have now, wherever on earth."""
    return datetime.datetime.now(datetime.UTC).date() + datetime.timedelta(days=1)


def _numbered_records(table: pa.Table) -> list[tuple[int, dict[str, Any]]]:
    """Return (row number, cells by column); texts by way of NumPy, which takes a third of the time."""
    names = [name for name in table.column_names if name != ROW]
    columns = [
        table[name].to_numpy().tolist() if pa.types.is_string(table[name].type) else table[name].to_pylist()
        for name in names
    ]
    cells = zip(*columns, strict=True)
    return [
        (number, dict(zip(names, row, strict=True))) for number, row in zip(table[ROW].to_pylist(), cells, strict=True)
    ]


def _outcomes(
    kind: str, rows: Sequence[Row], criteria: Sequence[str], protocol: Protocol
) -> tuple[list[SubjectOutcome], Sequence[Finding]]:
    if kind == "responses":
        reported, unused = reported_courses(rows, protocol.table)
        return [evaluate_reported(course, protocol) for course in reported], unused
    courses, unused = courses_of_subject(rows, protocol.table)
    return [evaluate_course(course, criteria, protocol) for course in courses], unused


def _not_evaluated(kind: str, rows: Sequence[Row], criteria: Sequence[str]) -> list[SubjectOutcome]:
    """Return outcomes without results, one an evaluator: the subject stays in the denominator of every rate."""
    subject, dates = str(rows[0].values["subject"]), subject_dates(rows)[0]
    names = [REPORTED] if kind == "responses" else criteria
    evaluators = sorted({str(row.values["evaluator"]) for row in rows if "evaluator" in row.values}) or [""]
    return [not_evaluated(SubjectCourse(subject, name, (), dates), names) for name in evaluators]


def _by_subject(rows: Sequence[Row]) -> Iterator[tuple[str, list[Row]]]:
    by_subject: dict[str, list[Row]] = {}
    for row in rows:
        by_subject.setdefault(str(row.values["subject"]), []).append(row)
    yield from by_subject.items()


def _slim(outcome: SubjectOutcome, *, keep_observations: bool) -> SubjectOutcome:
    """Return an outcome without what only a reader of one subject needs: it travels between processes."""
    course = replace(outcome.course, findings=(), before_treatment=())
    if not keep_observations:
        course = replace(course, visits=tuple(replace(visit, observations=()) for visit in course.visits))
    return replace(
        outcome,
        course=course,
        outcomes=tuple(
            replace(item, assessments=tuple(_slim_assessment(a) for a in item.assessments)) for item in outcome.outcomes
        ),
        findings=(),
    )


def _slim_assessment(assessment: Assessment) -> Assessment:
    return replace(assessment, reasons=(), parameters=(), findings=(), inputs=(), secondary=())
