"""The tables of an evaluation without images: responses, lesions, calculations, best responses, end points, findings.

Numbers are unrounded binary doubles here; what was compared are the decimals behind them.
"""

import datetime
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from tumorresp.domain.assessment import Assessment
from tumorresp.domain.finding import Finding
from tumorresp.quantify.growth_kinetics import GrowthRate, growth_rate, stein_fojo
from tumorresp.response.discordance import discordances
from tumorresp.response.observation import Visit
from tumorresp.response.outcome import BestResponse, CriterionOutcome, SubjectOutcome
from tumorresp.response.reliable_change import reliable_changes

Value = str | float | int | bool | datetime.date | None


class ColumnType(StrEnum):
    """What a column of a result table holds."""

    TEXT = "text"
    DATE = "date"
    NUMBER = "number"
    INTEGER = "integer"
    YES_NO = "yes-no"


@dataclass(frozen=True)
class ResultColumn:
    """One column of a result table; ``width`` is that of a sheet, in characters."""

    name: str
    type: ColumnType = ColumnType.TEXT
    width: int = 12


@dataclass(frozen=True)
class ResultTable:
    """One result table: its columns, and its rows of one subject."""

    name: str
    columns: tuple[ResultColumn, ...]
    rows: Callable[[SubjectOutcome], Iterator[tuple[Value, ...]]]


def _text(*names: str) -> tuple[ResultColumn, ...]:
    return tuple(ResultColumn(name) for name in names)


def _numbers(*names: str) -> tuple[ResultColumn, ...]:
    return tuple(ResultColumn(name, ColumnType.NUMBER) for name in names)


def _dates(*names: str) -> tuple[ResultColumn, ...]:
    return tuple(ResultColumn(name, ColumnType.DATE) for name in names)


_VOLUMETRIC = "volume-"
_GROWING = ("mm", "mm3")
_SUBJECT = _text("subject", "evaluator")
_REASONS = ResultColumn("reasons", width=80)
_PARAMETERS = ResultColumn("parameters", width=60)
_VERSION = ResultColumn("software_version")


def _responses(outcome: SubjectOutcome) -> Iterator[tuple[Value, ...]]:
    for by_criterion in outcome.outcomes:
        for visit in outcome.course.before_treatment:
            yield _before_baseline(outcome, by_criterion.criterion, visit)
        for visit, item in zip(outcome.course.visits, by_criterion.assessments, strict=True):
            yield (
                *_of(outcome),
                item.criterion,
                visit.name,
                visit.date,
                str(item.target),
                str(item.non_target),
                str(item.new_lesions),
                str(item.overall),
                _number(item.target_sum),
                item.unit,
                _number(item.baseline_sum),
                _number(item.nadir_sum),
                _number(item.change_from_baseline_percent),
                _number(item.change_from_nadir_percent),
                _number(item.change_from_nadir),
                item.progression_date,
                _secondary(item),
                "; ".join(item.refused),
                "; ".join(item.provisional),
                " ".join(item.reasons),
                outcome.software_version,
            )


BEFORE_BASELINE = "BEFORE BASELINE"
"""What stands as overall response of a scan before treatment that is not the baseline."""


def _before_baseline(outcome: SubjectOutcome, criterion: str, visit: Visit) -> tuple[Value, ...]:
    """Return the row of a scan that counts in nothing."""
    words = f"Before treatment, but not the baseline ({outcome.course.visits[0].name}): it counts in nothing."
    empty: dict[str, Value] = {column.name: None for column in RESPONSES.columns}
    known: dict[str, Value] = {
        "subject": outcome.course.subject_id,
        "evaluator": outcome.course.evaluator,
        "criterion": criterion,
        "visit": visit.name,
        "date": visit.date,
        "overall": BEFORE_BASELINE,
        "reasons": words,
        "software_version": outcome.software_version,
    }
    return tuple((empty | known).values())


def _lesions(outcome: SubjectOutcome) -> Iterator[tuple[Value, ...]]:
    for visit in (*outcome.course.before_treatment, *outcome.course.visits):
        for seen in visit.observations:
            yield (
                *_of(outcome),
                visit.name,
                seen.date or visit.date,
                seen.lesion_id,
                str(seen.role),
                seen.nodal,
                seen.organ,
                str(seen.state),
                _number(seen.long_axis_mm),
                _number(seen.short_axis_mm),
                _number(seen.volume_mm3),
                _number(seen.viable_long_axis_mm),
                _number(seen.mean_density_hu),
                "; ".join(seen.parents),
                seen.source,
            )


def _calculations(outcome: SubjectOutcome) -> Iterator[tuple[Value, ...]]:
    for by_criterion in outcome.outcomes:
        for visit, item in zip(outcome.course.visits, by_criterion.assessments, strict=True):
            for part in item.inputs:
                yield (
                    *_of(outcome),
                    item.criterion,
                    visit.name,
                    part.lesion_id,
                    part.quantity,
                    _number(part.value),
                    part.unit,
                    part.note,
                    part.source,
                )


def _best_responses(outcome: SubjectOutcome) -> Iterator[tuple[Value, ...]]:
    for by_criterion in outcome.outcomes:
        for best in (by_criterion.best_response, by_criterion.confirmed_response):
            if best is not None:
                yield (*_of(outcome), by_criterion.criterion, *_best(best), outcome.software_version)


def _best(best: BestResponse) -> tuple[Value, ...]:
    return (
        best.confirmed,
        str(best.category),
        best.date,
        best.confirming_date,
        ", ".join(day.isoformat() for day in best.component_dates),
        " ".join(best.reasons),
        _pairs(best.parameters),
    )


def _end_points(outcome: SubjectOutcome) -> Iterator[tuple[Value, ...]]:
    for by_criterion in outcome.outcomes:
        for item in by_criterion.end_points:
            yield (
                *_of(outcome),
                outcome.course.dates.arm,
                by_criterion.criterion,
                str(item.name),
                item.start,
                item.end,
                item.days,
                item.event,
                item.description,
                " ".join(item.reasons),
                _pairs(item.parameters),
                outcome.software_version,
            )


def _findings(outcome: SubjectOutcome) -> Iterator[tuple[Value, ...]]:
    seen: dict[tuple[str, str, Finding], None] = {}
    for finding in (*outcome.course.findings, *outcome.findings):
        seen.setdefault(("", "", finding))
    for by_criterion in outcome.outcomes:
        for visit, item in zip(outcome.course.visits, by_criterion.assessments, strict=True):
            for finding in item.findings:
                seen.setdefault((by_criterion.criterion, visit.name, finding))
        for finding in _best_findings(by_criterion):
            seen.setdefault((by_criterion.criterion, "", finding))
    for criterion, visit_name, finding in seen:
        yield (*_of(outcome), criterion, visit_name, *finding_cells(finding))


def finding_cells(finding: Finding) -> tuple[str, str, str, str, bool]:
    """Return a finding's own cells of the table: severity, code, message, place, and whether it decides."""
    return str(finding.severity), finding.code, finding.message, finding.where, finding.decides


def _discordances(outcome: SubjectOutcome) -> Iterator[tuple[Value, ...]]:
    """Give every visit at which a criterion differs from the first one."""
    if not outcome.outcomes:
        return
    first, *others = outcome.outcomes
    for other in others:
        for item in discordances(first.assessments, other.assessments, outcome.course.visits):
            yield (
                *_of(outcome),
                item.visit_name,
                *(value for pair in zip(item.criteria, map(str, item.responses), strict=True) for value in pair),
                " ".join(item.why),
            )


def _reliable_changes(outcome: SubjectOutcome) -> Iterator[tuple[Value, ...]]:
    """Give the change of every target's volume beside what is measurement error; for volumetric criteria only."""
    if not any(item.criterion.startswith(_VOLUMETRIC) for item in outcome.outcomes):
        return
    for index, visit in enumerate(outcome.course.visits):
        for item in reliable_changes(outcome.course.visits, index):
            low, high = item.interval_mm3 or (None, None)
            yield (
                *_of(outcome),
                visit.name,
                item.lesion_id,
                _number(item.change_percent),
                None if item.limit_percent is None else float(item.limit_percent),
                item.is_reliable,
                low,
                high,
            )


def _growth(outcome: SubjectOutcome) -> Iterator[tuple[Value, ...]]:
    """Give the growth of every sum in mm or mm3: rates of the first and the last interval, and the fitted model."""
    for item in outcome.outcomes:
        known = [
            ((visit.date - outcome.course.visits[0].date).days, float(assessment.complete_sum))
            for visit, assessment in zip(outcome.course.visits, item.assessments, strict=True)
            if assessment.complete_sum is not None
        ]
        if not known or item.assessments[0].unit not in _GROWING:
            continue
        diameters = item.assessments[0].unit == "mm"
        first, last = (_rate(known[:2], diameters=diameters), _rate(known[-2:], diameters=diameters))
        model = stein_fojo([day for day, _ in known], [size for _, size in known])
        yield (
            *_of(outcome),
            item.criterion,
            first.percent_per_month,
            last.percent_per_month,
            last.specific_per_day,
            last.doubling_days,
            None if model.model is None else str(model.model),
            model.growth_per_day,
            model.decay_per_day,
            model.phi,
            model.points,
            "; ".join(dict.fromkeys(filter(None, (first.reason, last.reason, model.reason)))),
        )


def _rate(pair: Sequence[tuple[int, float]], *, diameters: bool) -> GrowthRate:
    if len(pair) < 2:
        return GrowthRate(None, None, "one size only")
    (day, size), (later, grown) = pair
    return growth_rate(size, grown, later - day, diameters=diameters)


def _best_findings(by_criterion: CriterionOutcome) -> Iterator[Finding]:
    for best in (by_criterion.best_response, by_criterion.confirmed_response):
        if best is not None:
            yield from best.findings


def _of(outcome: SubjectOutcome) -> tuple[Value, Value]:
    return outcome.course.subject_id, outcome.course.evaluator


def _secondary(item: Assessment) -> str:
    """Return the numbers beside the sum in words: mean density 41 HU (baseline 50 HU, -18 %)."""
    return "; ".join(
        f"{part.name} {_shown(part.value)} {part.unit}"
        + (f" ({part.reference_name} {_shown(part.reference)} {part.unit})" if part.reference is not None else "")
        for part in item.secondary
    )


def _shown(value: Decimal | None) -> str:
    return "–" if value is None else f"{value.normalize():f}"


def _pairs(parameters: Sequence[tuple[str, str]]) -> str:
    return "; ".join(f"{name}={value}" for name, value in parameters)


def _number(value: Decimal | None) -> float | None:
    return None if value is None else float(value)


RESPONSES = ResultTable(
    "responses",
    (
        *_SUBJECT,
        *_text("criterion", "visit"),
        *_dates("date"),
        *_text("target", "non_target", "new_lesions", "overall"),
        *_numbers("sum"),
        *_text("unit"),
        *_numbers(
            "baseline_sum",
            "nadir_sum",
            "change_from_baseline_percent",
            "change_from_nadir_percent",
            "change_from_nadir",
        ),
        *_dates("progression_date"),
        ResultColumn("secondary", width=30),
        ResultColumn("refused", width=40),
        ResultColumn("provisional", width=40),
        _REASONS,
        _VERSION,
    ),
    _responses,
)
LESIONS = ResultTable(
    "lesions",
    (
        *_SUBJECT,
        *_text("visit"),
        *_dates("date"),
        *_text("lesion", "role"),
        ResultColumn("nodal", ColumnType.YES_NO),
        *_text("site", "state"),
        *_numbers("long_axis_mm", "short_axis_mm", "volume_mm3", "viable_long_axis_mm", "mean_density_hu"),
        *_text("parents", "source"),
    ),
    _lesions,
)
CALCULATIONS = ResultTable(
    "calculations",
    (
        *_SUBJECT,
        *_text("criterion", "visit", "lesion", "quantity"),
        *_numbers("value"),
        *_text("unit", "note", "source"),
    ),
    _calculations,
)
BEST_RESPONSES = ResultTable(
    "best_responses",
    (
        *_SUBJECT,
        *_text("criterion"),
        ResultColumn("confirmed", ColumnType.YES_NO),
        *_text("best_response"),
        *_dates("date", "confirming_date"),
        *_text("component_dates"),
        _REASONS,
        _PARAMETERS,
        _VERSION,
    ),
    _best_responses,
)
END_POINTS = ResultTable(
    "end_points",
    (
        *_SUBJECT,
        *_text("arm", "criterion", "end_point"),
        *_dates("start", "end"),
        ResultColumn("days", ColumnType.INTEGER),
        ResultColumn("event", ColumnType.YES_NO),
        ResultColumn("description", width=30),
        _REASONS,
        _PARAMETERS,
        _VERSION,
    ),
    _end_points,
)
FINDINGS = ResultTable(
    "findings",
    (
        *_SUBJECT,
        *_text("criterion", "visit", "severity", "code"),
        ResultColumn("message", width=80),
        *_text("where"),
        ResultColumn("decides", ColumnType.YES_NO),
    ),
    _findings,
)
DISCORDANCES = ResultTable(
    "discordances",
    (
        *_SUBJECT,
        *_text("visit", "criterion", "response", "other_criterion", "other_response"),
        ResultColumn("why", width=80),
    ),
    _discordances,
)
RELIABLE_CHANGES = ResultTable(
    "reliable_changes",
    (
        *_SUBJECT,
        *_text("visit", "lesion"),
        *_numbers("volume_change_percent", "limit_percent"),
        ResultColumn("reliable", ColumnType.YES_NO),
        *_numbers("low_change_mm3", "high_change_mm3"),
    ),
    _reliable_changes,
)

GROWTH = ResultTable(
    "growth",
    (
        *_SUBJECT,
        *_text("criterion"),
        *_numbers("first_tgr_percent_per_month", "last_tgr_percent_per_month", "last_sgr_per_day"),
        *_numbers("last_doubling_days"),
        *_text("model"),
        *_numbers("growth_per_day", "decay_per_day", "phi"),
        ResultColumn("points", ColumnType.INTEGER),
        ResultColumn("remark", width=40),
    ),
    _growth,
)

OUTCOME_TABLES = (
    RESPONSES,
    DISCORDANCES,
    BEST_RESPONSES,
    END_POINTS,
    LESIONS,
    RELIABLE_CHANGES,
    CALCULATIONS,
    FINDINGS,
)
