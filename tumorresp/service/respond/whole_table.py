"""What only the whole table can tell: that it is written in another way, who may be one, whose a stray row may be."""

import datetime
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import pyarrow as pa
import pyarrow.compute

from tumorresp.domain.errors import InvalidInput, UnreadableTable
from tumorresp.domain.finding import Finding, Severity
from tumorresp.response.table.cells import BadCell, PartialDate, cell_value
from tumorresp.response.table.columns import NO_VALUE, TABLES, Column
from tumorresp.response.table.rows import NO_SUBJECT, NOT_READ
from tumorresp.service.respond.csv_table import ROW

_SIZES = ("long_axis_mm", "short_axis_mm", "viable_long_axis_mm", "volume_mm3", "volume_ml", "sum_mm")
_MANY = 10
_MEASURABLE_MM = Decimal(10)
"""Least long axis of a target (RECIST 1.1, section 3.1.1)."""
_REMEDIES: Mapping[str, str] = MappingProxyType(
    {
        "sizes": "Write numbers with a point, not a comma, and without units.",
        "dates": "Write dates as YYYY-MM-DD: 03/04/2024 may be of March or of April.",
        "responses": "The words are CR, PR, SD, NON-CR/NON-PD, PD, NE and those of the JSON Schema.",
    }
)


def check_readable(kind: str, table: pa.Table, name: str) -> None:
    """Refuse a table of which most rows, sizes, dates or responses cannot be read: more than half, and ten or all.

    Raises
    ------
    InvalidInput
        If there is no row.
    UnreadableTable
        If most cells of a sort cannot be read, or most rows have more or fewer cells than the header.
    """
    if table.num_rows == 0:
        raise InvalidInput("the table has a header, but no row.", where=name, remedy="Give rows.")
    unfit = sum(count for _, count in _counts(table[NOT_READ])) if NOT_READ in table.column_names else 0
    if _are_most(unfit, table.num_rows):
        raise UnreadableTable(
            f"{unfit} of {table.num_rows} rows have more or fewer cells than the header.",
            where=name,
            remedy="Write numbers with a point, not a comma, and quotes around a cell with a comma.",
        )
    columns = {column.name: column for column in TABLES[kind] if column.name in table.column_names}
    for sort, names in (("sizes", _SIZES), ("dates", ("date",)), ("responses", ("response",))):
        filled, unread, example = 0, 0, ""
        for column in (columns[item] for item in names if item in columns):
            for cell, count in _counts(table[column.name]):
                filled += count
                if not _can_be_read(column, cell):
                    unread += count
                    example = example or f"{column.name} {cell!r}"
        if _are_most(unread, filled):
            raise UnreadableTable(
                f"{unread} of {filled} {sort} cannot be read, for example {example}.",
                where=name,
                remedy=_REMEDIES[sort],
            )


def _are_most(unread: int, of: int) -> bool:
    return 2 * unread > of and (unread >= _MANY or unread == of)


def _counts(column: pa.ChunkedArray) -> Iterator[tuple[Any, int]]:
    """Give every different cell that is not empty with its number of rows."""
    for item in pyarrow.compute.value_counts(column.combine_chunks()).to_pylist():
        cell = item["values"]
        if cell is not None and str(cell).strip() and str(cell).strip() not in NO_VALUE:
            yield cell, item["counts"]


def _can_be_read(column: Column, cell: Any) -> bool:
    try:
        cell_value(column, cell)
    except PartialDate:
        return True
    except BadCell as error:
        return bool(re.search(r"is (negative|larger)", str(error)))
    return True


def perhaps_centimetres(kind: str, table: pa.Table) -> list[Finding]:
    """Point out a table of which no lesion reaches 10 mm, where no row says the unit: no target would be measurable."""
    if kind != "lesions" or "long_axis_mm" not in table.column_names or _has_unit(table):
        return []
    column = next(item for item in TABLES[kind] if item.name == "long_axis_mm")
    sizes = [size for size in (_size(column, cell) for cell, _ in _counts(table["long_axis_mm"])) if size is not None]
    if not sizes or not 0 < max(sizes) < _MEASURABLE_MM:
        return []
    words = (
        f"No lesion of the table reaches {_MEASURABLE_MM} mm: are the lengths in centimetres? Then add a column unit "
        "with cm. In millimetres a growth of less than 5 mm is no progression."
    )
    return [Finding("perhaps-centimetres", Severity.WARNING, words, "long_axis_mm", decides=True)]


def _has_unit(table: pa.Table) -> bool:
    return "unit" in table.column_names and any(True for _ in _counts(table["unit"]))


def _size(column: Column, cell: Any) -> Decimal | None:
    try:
        value = cell_value(column, cell)
    except BadCell:
        return None
    return value if isinstance(value, Decimal) else None


def names_spelt_alike(table: pa.Table) -> list[Finding]:
    """Point out subjects and evaluators whose names differ in case, blanks or leading zeros alone.

    They are not joined, for they may be two; where they are one, it has lost visits and counts twice.
    """
    return [finding for column in ("subject", "evaluator") for finding in _spelt_alike(table, column)]


def _spelt_alike(table: pa.Table, column: str) -> Iterator[Finding]:
    if column not in table.column_names:
        return
    first: dict[str, str] = {}
    for cell in pyarrow.compute.unique(table[column].combine_chunks()).to_pylist():
        name = str(cell if cell is not None else "").strip()
        if not name:
            continue
        other = first.setdefault("".join(name.split()).casefold().lstrip("0") or "0", name)
        if other == name:
            continue
        index = pyarrow.compute.index(table[column], cell).as_py()
        words = (
            f"{column} {name} and {other} differ in case, blanks or leading zeros alone: are they one? Then write one."
        )
        where = f"row {table[ROW][index].as_py()}, {column}"
        yield Finding(f"{column}-spelt-differently", Severity.WARNING, words, where, decides=True)


def with_strays(table: pa.Table) -> tuple[pa.Table, list[Finding]]:
    """Return the table with every row without a subject among those of the subject above it and of the one below.

    It may be of either, so something of both could not be read.
    """
    if "subject" not in table.column_names:
        return table, []
    subjects = [str(item if item is not None else "").strip() for item in table["subject"].to_pylist()]
    others = [name for name in table.column_names if name not in ("subject", ROW)]
    if all(subjects) or not any(subjects):
        return table, []
    strays = [index for index, subject in enumerate(subjects) if not subject and _has_cells(table, index, others)]
    if not strays:
        return table, []
    findings, records = [], []
    for index in strays:
        number = table[ROW][index].as_py()
        words = "subject is empty; the row may be of the subject above or of the one below: both miss something."
        findings.append(Finding("empty-cell", Severity.ERROR, words, f"row {number}, subject", decides=True))
        above = next((subjects[i] for i in range(index - 1, -1, -1) if subjects[i]), "")
        below = next((subjects[i] for i in range(index + 1, len(subjects)) if subjects[i]), "")
        record = {name: table[name][index].as_py() for name in table.column_names}
        records += [
            record | {"subject": subject, NO_SUBJECT: "it names no subject"}
            for subject in dict.fromkeys(filter(None, (above, below)))
        ]
    kept = table.filter(pa.array([index not in set(strays) for index in range(table.num_rows)]))
    kept = kept.append_column(NO_SUBJECT, pa.array([""] * kept.num_rows, pa.string()))
    more = pa.Table.from_pylist(records, schema=kept.schema)
    return pa.concat_tables([kept, more]).sort_by(ROW).combine_chunks(), findings


def _has_cells(table: pa.Table, index: int, names: list[str]) -> bool:
    cells = (table[name][index].as_py() for name in names)
    return any(cell is not None and (isinstance(cell, datetime.date) or str(cell).strip()) for cell in cells)
