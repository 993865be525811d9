"""Rows with their cells understood; what could not be understood is a finding with the row's number."""

import datetime
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from tumorresp.domain.decimal_mm import recorded_length
from tumorresp.domain.errors import InvalidInput
from tumorresp.domain.finding import Finding, Severity
from tumorresp.response.table.cells import BadCell, Cell, PartialDate, cell_value
from tumorresp.response.table.columns import TABLES, Column, Kind, Loss
from tumorresp.response.table.conventions import TableConventions, imputed_date

_CENTIMETRES = "_cm"
NOT_READ = "__not_read__"
"""Cell that says of a row why it could not be told apart into cells: only what places it is in the others."""
NO_SUBJECT = "__no_subject__"
"""Cell that says of a row why it is perhaps not of its subject, but of one beside it."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its number as people count it, and its values by column.

    Parameters
    ----------
    refused
        What is wrong with the cells that could not be read, by column, without a full stop; they are in no ``values``.
    """

    number: int
    values: Mapping[str, Cell]
    refused: Mapping[str, str] = field(default_factory=dict)

    @property
    def where(self) -> str:
        """How findings name it."""
        return f"row {self.number}"


def table_kind(names: Sequence[str]) -> str:
    """Return which table these columns are: ``lesions``, ``responses`` or ``reported``.

    Raises
    ------
    InvalidInput
        If columns are missing, unknown, or there twice.
    """
    kind = _kind(names)
    columns = {column.name: column for column in TABLES[kind]}
    missing = [name for name, column in columns.items() if column.required and name not in names]
    if missing:
        raise InvalidInput(
            f"column {', '.join(missing)} is missing.",
            where="header",
            remedy=(
                "A lesion table needs subject, date, lesion; a response table subject, date, response. "
                f"Found are: {', '.join(names) or 'none'}."
            ),
        )
    twice = sorted({name for name in names if list(names).count(name) > 1})
    if twice:
        raise InvalidInput(f"column {', '.join(twice)} is there twice.", where="header", remedy="Remove one.")
    unknown = [name for name in names if name not in columns]
    if unknown:
        raise InvalidInput(
            _unknown_words(unknown),
            where="header",
            remedy=f"Known are: {', '.join(columns)}; found are: {', '.join(names)}.",
        )
    return kind


def _kind(names: Sequence[str]) -> str:
    if "lesion" in names:
        return "lesions"
    if "response" in names:
        return "responses"
    return "reported" if any(name in names for name in ("overall", "sum_mm", "best_response")) else "lesions"


def _unknown_words(unknown: Sequence[str]) -> str:
    words = f"column {', '.join(unknown)} is not known."
    if any(name.endswith(_CENTIMETRES) for name in unknown):
        words += " For lengths in centimetres keep the columns in _mm and add a column unit with cm."
    return words


def understood_rows(
    kind: str,
    numbered: Iterable[tuple[int, Mapping[str, object]]],
    conventions: TableConventions,
    today: datetime.date | None = None,
) -> tuple[list[Row], list[Finding]]:
    """Return the rows whose subject can be read, with what can be read of them, and a finding a cell that cannot.

    Parameters
    ----------
    numbered
        (number of the row, raw cells by column); a row of empty cells is passed over. Of a row with a cell under
        ``NOT_READ`` or ``NO_SUBJECT`` everything else was said before.
    today
        Later dates are pointed out; None: none is.
    """
    main = "response" if kind == "responses" else "state"
    columns = {column.name: column for column in TABLES[kind]}
    required = [column.name for column in TABLES[kind] if column.required]
    rows: list[Row] = []
    findings: list[Finding] = []
    for number, raw in numbered:
        filled = [name for name, cell in raw.items() if cell not in (None, "")]
        if not filled:
            continue
        values: dict[str, Cell] = {}
        refused: dict[str, str] = {}
        noticed: list[Finding] = []
        for column in [columns[name] for name in dict.fromkeys((*required, *filled)) if name in columns]:
            read = _cell(column, raw.get(column.name), number, conventions)
            if isinstance(read, _Refused):
                noticed.append(read.finding)
                refused[column.name] = read.words
                continue
            if isinstance(read, _Imputed):
                noticed.append(read.finding)
                read = read.value
            if read is not None:
                values[column.name] = read
                if column.kind is Kind.DATE:
                    noticed += _unlikely_date(column, read, number, today)
        for flag, name in ((NOT_READ, main), (NO_SUBJECT, "subject")):
            if raw.get(flag):
                refused[name] = str(raw[flag])
                noticed = []
        findings += noticed
        if "subject" in values:
            rows.append(Row(number, _recorded(values, conventions.precision_mm), refused))
    return rows, findings


def _recorded(values: dict[str, Cell], precision_mm: Decimal | None) -> dict[str, Cell]:
    """Return a row's values with its lengths rounded once, in the unit that they are written in."""
    if precision_mm is None:
        return values
    step = precision_mm / 10 if values.get("unit") == "cm" else precision_mm
    lengths = {name: value for name in _LENGTHS if isinstance(value := values.get(name), Decimal)}
    return values | {name: recorded_length(value, step) for name, value in lengths.items()}


def _unlikely_date(column: Column, value: Cell, number: int, today: datetime.date | None) -> list[Finding]:
    """Point out a date before there were such scans, or in the future; it is used all the same."""
    if not isinstance(value, datetime.date) or (value >= _EARLIEST and (today is None or value <= today)):
        return []
    side = f"before {_EARLIEST}" if value < _EARLIEST else "in the future"
    words = f"The date {value} is {side}: is the year right? It is used as it stands."
    where = f"row {number}, {column.name}"
    return [Finding("date-unlikely", Severity.WARNING, words, where, decides=column.loss is not Loss.ITSELF)]


_LENGTHS = tuple(column.name for column in TABLES["lesions"] if column.kind is Kind.LENGTH)
_EARLIEST = datetime.date(1990, 1, 1)
"""RECIST is of 2000; subjects of the 1990s were evaluated by it afterwards."""


@dataclass(frozen=True, slots=True)
class _Refused:
    """What is wrong with a cell."""

    words: str
    finding: Finding


@dataclass(frozen=True, slots=True)
class _Imputed:
    """A date that was completed."""

    value: datetime.date
    finding: Finding


def _cell(column: Column, raw: object, number: int, conventions: TableConventions) -> Cell | _Refused | _Imputed:
    """Return a cell's value, None when empty; or what is wrong with it."""
    if raw is None:
        return _empty(column, number) if column.required else None
    try:
        value = cell_value(column, raw)
    except PartialDate as error:
        taken = imputed_date(error.text, conventions.partial_dates)
        if taken is None:
            return _refused(column, number, "partial-date", str(error))
        words = f"The date {error.text} has no day: {taken} is taken ({conventions.partial_dates} day)."
        where = f"row {number}, {column.name}"
        return _Imputed(taken, Finding("partial-date-imputed", Severity.WARNING, words, where))
    except BadCell as error:
        return _refused(column, number, "unreadable-cell", str(error))
    return _empty(column, number) if value is None and column.required else value


def _empty(column: Column, number: int) -> _Refused:
    return _refused(column, number, "empty-cell", f"{column.name} is empty")


def _refused(column: Column, number: int, code: str, why: str) -> _Refused:
    """Return a cell that cannot be read; it decides unless nothing else is lost with it."""
    decides = column.loss is not Loss.ITSELF
    words = f"{why}; {column.loss}."
    finding = Finding(code, Severity.ERROR, words, f"row {number}, {column.name}", decides=decides)
    return _Refused(why, finding)
