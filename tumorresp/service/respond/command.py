"""The whole of `tumorresp respond`: read, evaluate, tables, rates, figures, CDISC."""

from dataclasses import dataclass
from pathlib import Path

from reports.rate_table import RATE_COLUMNS, rate_rows
from tumorresp.cohort.rates import CriterionRates, rates_by_criterion
from tumorresp.domain.errors import InvalidInput
from tumorresp.ports import Progress
from tumorresp.response.criteria import criterion_named
from tumorresp.service.respond.cdisc_export import export_cdisc, study_facts
from tumorresp.service.respond.protocol_file import read_protocol
from tumorresp.service.respond.respond import FILE_WRITERS, RespondOptions, respond
from tumorresp.service.respond.table_files import read_table_file


@dataclass(frozen=True)
class RespondRequest:
    """What the command line asks for."""

    table: Path
    out: Path
    criteria: tuple[str, ...] = ("recist-1.1",)
    protocol: Path | None = None
    formats: tuple[str, ...] = ("csv", "xlsx")
    figures: bool = True
    cdisc: str | None = None
    study: str = "STUDY"
    workers: int = 0


@dataclass(frozen=True)
class RespondResult:
    """What the command line shows."""

    rates: tuple[CriterionRates, ...]
    subjects: int
    errors: int
    warnings: int
    files: tuple[Path, ...]


def run_respond(request: RespondRequest, progress: Progress) -> RespondResult:
    """Do all that is asked for.

    Raises
    ------
    Missing, InvalidInput, UnknownFormat, InvalidSettings
        If the table, the protocol or an option cannot be used.
    """
    facts = None if request.cdisc is None else study_facts(request.protocol, request.cdisc, request.study)
    criteria = tuple(dict.fromkeys(criterion_named(name).name for name in request.criteria))
    protocol = read_protocol(request.protocol)
    progress("Reading the table", 0, 0)
    table = read_table_file(request.table)
    if table.kind == "reported":
        raise InvalidInput(
            "this is a table of reported values; there is nothing to evaluate.",
            where=request.table.name,
            remedy="`tumorresp audit LESIONS --reported TABLE` holds it against measurements.",
        )
    options = RespondOptions(criteria, request.formats, request.workers, keep_observations=facts is not None)
    outcome = respond(table, request.table.name, request.out, protocol, options, progress)
    rates = rates_by_criterion(outcome.subjects)
    files = [*outcome.files, *_write_rates(rates, request)]
    warnings = outcome.warnings
    if facts is not None:
        progress("Writing CDISC data sets", 0, 0)
        written, findings = export_cdisc(outcome.subjects, facts, request.out / "cdisc")
        files += written
        warnings += len(findings)
    return RespondResult(rates, len(outcome.subjects), outcome.errors, warnings, tuple(files))


def _write_rates(rates: tuple[CriterionRates, ...], request: RespondRequest) -> list[Path]:
    files = []
    for kind in [name for name in request.formats if name in FILE_WRITERS] or ["csv"]:
        path = request.out / f"rates.{kind}"
        writer = FILE_WRITERS[kind](path, RATE_COLUMNS)
        writer.write(list(rate_rows(rates)))
        writer.close()
        files.append(path)
    return files
