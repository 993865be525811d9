"""The whole of `tumorresp respond`: read, evaluate, tables, rates, figures, CDISC."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from reports.rate_table import RATE_COLUMNS, rate_rows
from tumorresp.cohort.rates import CriterionRates, rates_by_criterion
from tumorresp.domain.errors import InvalidInput
from tumorresp.ports import Progress
from tumorresp.response.criteria import criterion_named
from tumorresp.response.outcome import SubjectOutcome
from tumorresp.response.protocol import Protocol
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
    growth: bool = False


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
    options = RespondOptions(
        criteria, request.formats, request.workers, keep_observations=facts is not None, growth=request.growth
    )
    outcome = respond(table, request.table.name, request.out, protocol, options, progress)
    rates = rates_by_criterion(outcome.subjects)
    files = [*outcome.files, *_write_rates(rates, request)]
    warnings = outcome.warnings
    if facts is not None:
        progress("Writing CDISC data sets", 0, 0)
        written, findings = export_cdisc(outcome.subjects, facts, request.out / "cdisc")
        files += written
        warnings += len(findings)
    if request.figures:
        files += _write_figures(outcome.subjects, criteria, protocol, request.out / "figures", progress)
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


def _write_figures(
    outcomes: Sequence[SubjectOutcome], criteria: Sequence[str], protocol: Protocol, folder: Path, progress: Progress
) -> Iterator[Path]:
    from reports.figures.write import write_figures

    shown = [name for name in criteria if any(item.criterion == name for o in outcomes for item in o.outcomes)]
    for number, name in enumerate(shown):
        progress("Drawing figures", number, len(shown))
        limits = shown_limits(protocol.criteria[name])
        yield from write_figures(outcomes, name, criterion_named(name).title, limits, folder)


def shown_limits(parameters: object) -> tuple[float, ...]:
    """Return the changes of the sum (%) at which a criterion's category changes, where it has such."""
    response, progression = getattr(parameters, "partial_response", None), getattr(parameters, "progression", None)
    if isinstance(response, Fraction) and isinstance(progression, Fraction):
        return float(100 * (response - 1)), float(100 * (progression - 1))
    fall, growth = (
        getattr(parameters, "size_decrease_percent", None),
        getattr(parameters, "size_increase_percent", None),
    )
    return () if fall is None or growth is None else (-float(fall), float(growth))
