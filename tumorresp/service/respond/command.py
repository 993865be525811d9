"""The whole of `tumorresp respond`: read, evaluate, tables, rates, figures, CDISC."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from reports.cohort_page import CohortPage, CriterionFigures, cohort_html
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

PAGE = "report.html"
_FIGURES = "figures"


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
    deciding: tuple[str, ...] = ()
    """What may have changed a response, in sentences."""


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
    drawn: list[CriterionFigures] = []
    if request.figures:
        drawn = _write_figures(outcome.subjects, criteria, protocol, request.out / _FIGURES, progress)
    page = request.out / PAGE
    page.write_text(
        cohort_html(
            CohortPage(
                request.table.name,
                protocol.name,
                len(outcome.subjects),
                rates,
                tuple(drawn),
                outcome.findings,
                outcome.discordances,
            )
        ),
        "utf-8",
    )
    return RespondResult(rates, len(outcome.subjects), outcome.errors, warnings, tuple(files), outcome.deciding)


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
) -> list[CriterionFigures]:
    from reports.figures.write import write_figures

    present = {item.criterion for outcome in outcomes for item in outcome.outcomes}
    shown = [name for name in criteria if name in present]
    drawn = []
    for number, name in enumerate(shown):
        progress("Drawing figures", number, len(shown))
        title = criterion_named(name).title
        files = write_figures(outcomes, name, title, shown_limits(protocol.criteria[name]), folder)
        pictures = [path for path in files if path.suffix == ".png"]
        drawn.append(
            CriterionFigures(
                title,
                tuple((p.stem, f"{_FIGURES}/{p.name}", f"{_FIGURES}/{p.with_suffix('.html').name}") for p in pictures),
            )
        )
    return drawn


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
