"""`tumorresp respond`: a table of measurements or responses in, result tables, rates and figures out."""

import json
import multiprocessing
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from openpyxl import Workbook

from reports.outcome_tables import (
    DISCORDANCES,
    FINDINGS,
    GROWTH,
    OUTCOME_TABLES,
    ResultColumn,
    ResultTable,
    Value,
    finding_cells,
)
from reports.table_writers import CsvWriter, JsonWriter, ParquetWriter, TableWriter, WorkbookWriter
from tumorresp.domain.errors import InvalidInput
from tumorresp.domain.finding import Severity
from tumorresp.domain.version import SOFTWARE_VERSION
from tumorresp.ports import Progress
from tumorresp.response.outcome import SubjectOutcome
from tumorresp.response.protocol import Protocol, protocol_document
from tumorresp.service.respond.part import PartJob, PartResult, evaluate_part
from tumorresp.service.respond.subject_chunks import subject_chunks
from tumorresp.service.respond.table_files import TableFile

FILE_WRITERS: dict[str, Callable[[Path, Sequence[ResultColumn]], TableWriter]] = {
    "csv": CsvWriter,
    "parquet": ParquetWriter,
    "json": JsonWriter,
}
WORKBOOK = "results.xlsx"
_AHEAD = 2
_CONSEQUENCES = frozenset(
    (
        "waits-for-decision",
        "response-kept-back",
        "response-provisional",
        "best-response-kept-back",
        "nadir-not-read",
        "best-response-after-not-read",
        "baseline-not-read",
    )
)
"""What follows from another finding, which names the row."""


@dataclass(frozen=True)
class RespondOptions:
    """What is wanted.

    Parameters
    ----------
    formats
        Of the result tables: ``csv``, ``xlsx``, ``parquet``, ``json``.
    workers
        Processes; 1 works in this one.
    keep_observations
        The outcomes hold the lesions' observations.
    growth
        Growth rates and models too; fitting them takes longer than all the rest.
    """

    criteria: tuple[str, ...] = ("recist-1.1",)
    formats: tuple[str, ...] = ("csv", "xlsx")
    workers: int = 0
    keep_observations: bool = False
    growth: bool = False

    @property
    def tables(self) -> tuple[ResultTable, ...]:
        """The result tables that are wanted."""
        return (*OUTCOME_TABLES, GROWTH) if self.growth else OUTCOME_TABLES


@dataclass(frozen=True)
class RespondOutcome:
    """What came out, for the screen and for what is written of the whole cohort.

    Parameters
    ----------
    findings
        (severity, code, message, where) of every finding.
    discordances
        Rows of the table of that name.
    deciding
        What may have changed a response, in sentences: subject, visit, place and message.
    """

    subjects: tuple[SubjectOutcome, ...]
    errors: int
    warnings: int
    files: tuple[Path, ...]
    findings: tuple[tuple[str, str, str, str], ...] = ()
    discordances: tuple[tuple[Value, ...], ...] = ()
    deciding: tuple[str, ...] = ()


def respond(
    table: TableFile, name: str, out: Path, protocol: Protocol, options: RespondOptions, progress: Progress
) -> RespondOutcome:
    """Evaluate a table and write every result table.

    Parameters
    ----------
    name
        Of the file, for the record of what was done.
    out
        Folder; made if absent.

    Raises
    ------
    InvalidInput
        If a format is not known.
    """
    unknown = [item for item in options.formats if item not in (*FILE_WRITERS, "xlsx")]
    if unknown:
        known = ", ".join((*FILE_WRITERS, "xlsx"))
        raise InvalidInput(f"format {', '.join(unknown)} is not known.", where="format", remedy=f"Known are {known}.")
    out.mkdir(parents=True, exist_ok=True)
    subjects: list[SubjectOutcome] = []
    errors = warnings = 0
    with ExitStack() as stack:
        writers = _Writers(stack, out, options.formats, options.tables)
        header: list[tuple[Value, ...]] = [("", "", "", "", *finding_cells(finding)) for finding in table.findings]
        writers.write({FINDINGS.name: header})
        noted, differing = list(header), []
        for result in _results(table, protocol, options, progress):
            writers.write(result.tables)
            subjects += result.outcomes
            noted += result.tables[FINDINGS.name]
            differing += result.tables[DISCORDANCES.name]
            errors += result.errors
            warnings += result.warnings
    record = out / "protocol.json"
    record.write_text(json.dumps(_record(table, name, protocol, options), indent=2, ensure_ascii=False), "utf-8")
    return RespondOutcome(
        tuple(subjects),
        errors + sum(finding.severity is Severity.ERROR for finding in table.findings),
        warnings,
        (*writers.files, record),
        tuple((str(row[4]), str(row[5]), str(row[6]), str(row[7])) for row in noted),
        tuple(differing),
        tuple(_deciding(noted)),
    )


def _deciding(rows: Sequence[tuple[Value, ...]]) -> Iterator[str]:
    """Give what may have changed a response, once a subject and sentence whatever the criteria that say it."""
    told: set[tuple[Value, ...]] = set()
    for subject, evaluator, _criterion, visit, _severity, code, message, where, decides in rows:
        if decides and code not in _CONSEQUENCES and (subject, evaluator, message) not in told:
            told.add((subject, evaluator, message))
            place = ", ".join(str(part) for part in (subject, evaluator, where or visit) if part)
            yield f"{place}: {message}"


def _results(table: TableFile, protocol: Protocol, options: RespondOptions, progress: Progress) -> Iterator[PartResult]:
    """Give the results of the parts in order, working on a few of them at a time."""
    chunks = list(subject_chunks(table.rows))
    document = protocol_document(protocol)
    jobs = (PartJob(table.kind, rows, options.criteria, document, options.keep_observations) for rows in chunks)
    workers = min(options.workers or os.cpu_count() or 1, len(chunks))
    if workers <= 1:
        for number, job in enumerate(jobs):
            progress("Evaluating subjects", number, len(chunks))
            yield evaluate_part(job, options.tables)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        waiting: list[Future[PartResult]] = []
        done = 0
        for job in jobs:
            waiting.append(pool.submit(_evaluate, job, growth=options.growth))
            if len(waiting) >= workers * _AHEAD:
                progress("Evaluating subjects", done, len(chunks))
                yield waiting.pop(0).result()
                done += 1
        for future in waiting:
            progress("Evaluating subjects", done, len(chunks))
            yield future.result()
            done += 1


def _evaluate(job: PartJob, *, growth: bool) -> PartResult:
    """Work in another process, where tables go by their names: their functions do not travel."""
    return evaluate_part(job, RespondOptions(growth=growth).tables)


class _Writers:
    """Every table in every format; files appear under their names when they are whole."""

    def __init__(self, stack: ExitStack, out: Path, formats: Sequence[str], tables: Sequence[ResultTable]) -> None:
        self.files: list[Path] = []
        self._writers: dict[str, list[TableWriter]] = {table.name: [] for table in tables}
        for kind in formats:
            if kind == "xlsx":
                self._open_workbook(stack, out / WORKBOOK, tables)
                continue
            for table in tables:
                path = out / f"{table.name}.{kind}"
                partial = path.with_name(f".{path.name}.partial")
                writer = FILE_WRITERS[kind](partial, table.columns)
                self._keep(stack, table.name, writer, partial, path)

    def write(self, rows: dict[str, list[tuple[Value, ...]]]) -> None:
        """Append the rows of a part to every format."""
        for name, own in rows.items():
            for writer in self._writers[name]:
                writer.write(own)

    def _keep(self, stack: ExitStack, name: str, writer: TableWriter, partial: Path, path: Path) -> None:
        self._writers[name].append(writer)
        self.files.append(path)

        def complete(failed: type[BaseException] | None, *_: Any) -> None:
            writer.close()
            if failed is None:
                partial.replace(path)
            else:
                partial.unlink(missing_ok=True)

        stack.push(complete)

    def _open_workbook(self, stack: ExitStack, path: Path, tables: Sequence[ResultTable]) -> None:
        workbook = Workbook(write_only=True)
        for table in tables:
            self._writers[table.name].append(WorkbookWriter(workbook, table.name.replace("_", " "), table.columns))
        self.files.append(path)

        def save(failed: type[BaseException] | None, *_: Any) -> None:
            if failed is None:
                partial = path.with_name(f".{path.name}.partial")
                workbook.save(partial)
                shutil.move(partial, path)

        stack.push(save)


def _record(table: TableFile, name: str, protocol: Protocol, options: RespondOptions) -> dict[str, Any]:
    """Return what was done with what: enough to repeat it."""
    return {
        "software_version": SOFTWARE_VERSION,
        "table": {"file": name, "sha256": table.sha256, "kind": table.kind, "rows": table.rows.num_rows},
        "criteria": list(options.criteria),
        "protocol": protocol_document(protocol),
    }
