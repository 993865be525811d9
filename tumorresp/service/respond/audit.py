"""`tumorresp audit`: reported sums and responses held against the measurements, from SDTM or from tables."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from reports.outcome_tables import ResultColumn, Value
from tumorresp.domain.errors import InvalidInput
from tumorresp.domain.finding import Finding, Severity
from tumorresp.response.protocol import Protocol
from tumorresp.response.rule_audit import AuditFinding, AuditParameters, ReportedEvaluation, audit_rules
from tumorresp.response.subject import SubjectCourse
from tumorresp.response.table.lesion_table import courses_of_subject
from tumorresp.response.table.reported_table import reported_evaluation
from tumorresp.response.table.rows import Row, understood_rows
from tumorresp.service.respond.csv_table import ROW
from tumorresp.service.respond.part import latest_day
from tumorresp.service.respond.respond import FILE_WRITERS
from tumorresp.service.respond.sdtm_input import read_sdtm
from tumorresp.service.respond.table_files import TableFile, read_table_file

AUDIT_COLUMNS = (
    *(ResultColumn(name) for name in ("subject", "evaluator", "visit", "what", "reported", "derived")),
    ResultColumn("mistakes", width=30),
    ResultColumn("diagnosis", width=80),
    ResultColumn("rule", width=60),
    ResultColumn("sources", width=30),
)
FINDING_COLUMNS = (
    ResultColumn("severity"),
    ResultColumn("code"),
    ResultColumn("message", width=80),
    ResultColumn("where"),
)


@dataclass(frozen=True)
class AuditResult:
    """What the audit found, and what of the input could not be used."""

    subjects: int
    found: tuple[AuditFinding, ...]
    findings: tuple[Finding, ...]
    files: tuple[Path, ...]


def run_audit(
    source: Path, reported: Path | None, protocol: Protocol, out: Path | None, formats: Sequence[str]
) -> AuditResult:
    """Audit an SDTM folder, or a lesion table beside a table of reported values.

    Raises
    ------
    Missing, InvalidInput, UnknownFormat
        If an input cannot be read.
    """
    readings, findings = _sdtm(source, protocol) if source.is_dir() else _tables(source, reported, protocol)
    parameters = AuditParameters(
        recist=protocol.criteria["recist-1.1"],
        best_response=protocol.best_response,
        baseline=protocol.baseline,
        response_after_progression=protocol.response_after_progression,
    )
    found = tuple(item for course, values in readings for item in audit_rules(course, values, parameters))
    files = tuple(_write(found, findings, out, formats)) if out is not None else ()
    return AuditResult(len(readings), found, tuple(findings), files)


def _sdtm(folder: Path, protocol: Protocol) -> tuple[list[tuple[SubjectCourse, ReportedEvaluation]], list[Finding]]:
    read = read_sdtm(folder, protocol.table)
    return [(item.course, item.reported) for item in read.readings], list(read.findings)


def _tables(
    measurements: Path, reported: Path | None, protocol: Protocol
) -> tuple[list[tuple[SubjectCourse, ReportedEvaluation]], list[Finding]]:
    if reported is None:
        raise InvalidInput(
            "there are no reported values to audit.",
            where=measurements.name,
            remedy="Give an SDTM folder, or a lesion table and --reported TABLE.",
        )
    findings: list[Finding] = []
    lesions = _rows(read_table_file(measurements), "lesions", protocol, findings)
    values = _rows(read_table_file(reported), "reported", protocol, findings)
    by_key: dict[tuple[str, str], list[Row]] = {}
    for row in values:
        key = str(row.values["subject"]), str(row.values.get("evaluator", ""))
        by_key.setdefault(key, []).append(row)
    readings = []
    for course in _courses(lesions, protocol, findings):
        own = by_key.pop((course.subject_id, course.evaluator), [])
        evaluation, noticed = reported_evaluation(own, course)
        findings += [*course.findings, *noticed]
        readings.append((course, evaluation))
    for rows in by_key.values():
        words = "Nothing was measured of this subject by this evaluator: the reported values cannot be audited."
        findings.append(Finding("reported-not-measured", Severity.ERROR, words, f"{reported.name}, {rows[0].where}"))
    return readings, findings


def _rows(table: TableFile, kind: str, protocol: Protocol, findings: list[Finding]) -> list[Row]:
    if table.kind != kind:
        raise InvalidInput(
            f"expected a table of {kind}, this is one of {table.kind}.",
            where="header",
            remedy=f"`tumorresp criteria schema {kind}` shows its columns.",
        )
    records = table.rows.to_pylist()
    rows, noticed = understood_rows(
        kind, [(record.pop(ROW), record) for record in records], protocol.table, latest_day()
    )
    findings += [*table.findings, *noticed]
    return rows


def _courses(rows: Sequence[Row], protocol: Protocol, findings: list[Finding]) -> Iterator[SubjectCourse]:
    by_subject: dict[str, list[Row]] = {}
    for row in rows:
        by_subject.setdefault(str(row.values["subject"]), []).append(row)
    for own in by_subject.values():
        courses, unused = courses_of_subject(own, protocol.table)
        findings += unused
        yield from courses


def _write(
    found: Sequence[AuditFinding], findings: Sequence[Finding], out: Path, formats: Sequence[str]
) -> Iterator[Path]:
    out.mkdir(parents=True, exist_ok=True)
    for kind in formats:
        if kind not in FILE_WRITERS:
            raise InvalidInput(f"format {kind} is not known.", where="format", remedy=", ".join(FILE_WRITERS))
        for name, columns, rows in (
            ("audit", AUDIT_COLUMNS, [_row(item) for item in found]),
            ("findings", FINDING_COLUMNS, [(str(f.severity), f.code, f.message, f.where) for f in findings]),
        ):
            path = out / f"{name}.{kind}"
            writer = FILE_WRITERS[kind](path, columns)
            writer.write(list[tuple[Value, ...]](rows))
            writer.close()
            yield path


def _row(item: AuditFinding) -> tuple[Value, ...]:
    return (
        item.subject_id,
        item.evaluator,
        item.visit,
        item.what,
        item.reported,
        item.derived,
        ", ".join(" + ".join(codes) for codes in item.explanations),
        item.diagnosis,
        item.rule,
        ", ".join(item.sources),
    )
