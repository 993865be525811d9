"""CSV as people and spreadsheets write it: encodings, delimiters, `sep=;`, decimal commas, rows of other lengths."""

import codecs
import csv
import datetime
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute
import pyarrow.csv

from tumorresp.domain.errors import InvalidInput
from tumorresp.domain.finding import Finding, Severity
from tumorresp.response.table.columns import TABLES, Kind
from tumorresp.response.table.headers import column_name
from tumorresp.response.table.rows import NOT_READ

ROW = "__row__"
"""Column with the number that people see of a row."""
_DELIMITERS = (",", ";", "\t")
_COMMA_DELIMITERS = (";", "\t")
_SEPARATOR_LINE = re.compile(r'"?sep=(.)"?\s*(\r\n|\r|\n|$)', re.IGNORECASE)
_NAMELESS = "__nameless_{}__"
_PLACING = ("subject", "date", "lesion", "visit", "evaluator")
_DECIMAL_COMMA = r"^\s*[+-]?\d+,\d+\s*$"
_DECIMAL_POINT = r"^\s*[+-]?\d*\.\d+\s*$"
_NUMBERS = frozenset(
    column.name
    for columns in TABLES.values()
    for column in columns
    if column.kind in (Kind.LENGTH, Kind.NUMBER, Kind.AS_REPORTED)
)


@dataclass(frozen=True)
class _Ragged:
    """A row with more or fewer cells than the header."""

    number: int
    cells: tuple[str, ...]


def read_csv(name: str, content: bytes) -> tuple[pa.Table, list[Finding]]:
    """Return a CSV file as a table of texts, its columns named as the tables name them, and ``ROW``.

    Parameters
    ----------
    name
        Of the file, for messages.

    Raises
    ------
    InvalidInput
        If it is in no known encoding, cannot be parsed, or a quotation mark swallows rows.
    """
    text, findings = _decoded(name, content)
    separator = _SEPARATOR_LINE.match(text)
    if separator:
        text = text[separator.end() :]
    header = text.split("\n", 1)[0].rstrip("\r")
    delimiter = separator[1] if separator else max(_DELIMITERS, key=header.count)
    headers = next(csv.reader([header], delimiter=delimiter), [])
    names = [column_name(item) or _NAMELESS.format(number) for number, item in enumerate(headers, 1)]
    check_quotes(text, delimiter, len(names))
    table, ragged = _parsed(name, text, names, delimiter)
    table, noticed = _with_ragged(table, ragged, names)
    table = _without_nameless(table)
    if delimiter in _COMMA_DELIMITERS:
        table, remarks = _with_points(table)
        noticed += remarks
    return table, [*findings, *noticed]


def _decoded(name: str, content: bytes) -> tuple[str, list[Finding]]:
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode("utf-16"), []
    try:
        return content.decode("utf-8-sig"), []
    except UnicodeDecodeError:
        pass
    try:
        text = content.decode("cp1252")
    except UnicodeDecodeError:
        raise InvalidInput(
            "the file is neither UTF-8 nor Windows-1252.",
            where=name,
            remedy="Save it as “CSV UTF-8” or convert it with iconv.",
        ) from None
    words = "The file is not UTF-8: it is read as Windows-1252. Names with accents may come out wrong."
    return text, [Finding("encoding-guessed", Severity.WARNING, words, "header")]


def check_quotes(text: str, delimiter: str, width: int, *, file: str = "") -> None:
    """Refuse a file of which a cell holds rows: a quotation mark is not closed, or closed by that of a later row.

    A cell with line breaks is one of words where it has fewer delimiters than the rows would have.

    Parameters
    ----------
    width
        Number of columns.
    file
        Name of the file, where the message must tell it from others.

    Raises
    ------
    InvalidInput
        If rows, with their subjects and visits, would be gone.
    """
    if '"' not in text or width < 2:
        return
    read = 0
    try:
        for cells in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
            if any(_holds_rows(cell.rstrip("\r\n"), delimiter, width) for cell in cells):
                break
            read += 1
        else:
            return
    except csv.Error:  # the cell is larger than any that people write
        pass
    raise InvalidInput(
        "a cell holds whole rows of the table: its quotation mark is not closed, or only in a later row.",
        where=f"{file} row {read + 1}".strip(),
        remedy='Close it or remove it; a quotation mark inside of a quoted cell is written twice ("").',
    )


def _holds_rows(cell: str, delimiter: str, width: int) -> bool:
    breaks = cell.count("\n")
    return breaks > 0 and cell.count(delimiter) >= breaks * (width - 1)


def _parsed(name: str, text: str, names: Sequence[str], delimiter: str) -> tuple[pa.Table, list[_Ragged]]:
    ragged: list[_Ragged] = []
    if len(set(names)) < len(names):
        twice = sorted({item for item in names if list(names).count(item) > 1})
        raise InvalidInput(f"column {', '.join(twice)} is there twice.", where="header", remedy="Remove one.")

    def skip(row: Any) -> str:
        cells = next(csv.reader([row.text.rstrip("\r\n")], delimiter=delimiter), [])
        ragged.append(_Ragged(row.number, tuple(cells)))
        return "skip"

    try:
        table = pa.csv.read_csv(
            pa.BufferReader((text if "\n" in text else f"{text}\n").encode("utf-8")),
            read_options=pa.csv.ReadOptions(column_names=list(names), skip_rows=1, use_threads=False),
            parse_options=pa.csv.ParseOptions(
                delimiter=delimiter, newlines_in_values=True, invalid_row_handler=skip, ignore_empty_lines=False
            ),
            convert_options=pa.csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False
            ),
        )
    except pa.ArrowInvalid as error:
        if "Empty CSV" in str(error):
            raise InvalidInput("the table has a header, but no row.", where=name, remedy="Give rows.") from None
        raise InvalidInput(f"the table cannot be read: {error}", where=name) from error
    skipped = {item.number for item in ragged}
    last = table.num_rows + len(skipped) + 1
    numbers = [number for number in range(2, last + 1) if number not in skipped]
    return table.append_column(ROW, pa.array(numbers, pa.int64())), ragged


def _with_ragged(table: pa.Table, ragged: Sequence[_Ragged], names: Sequence[str]) -> tuple[pa.Table, list[Finding]]:
    """Return the table with what is sure of the rows that do not fit the header: whose they are, and when.

    Further cells that are empty are no cells: spreadsheets write them.
    """
    findings: list[Finding] = []
    records: list[dict[str, Any]] = []
    for item in ragged:
        if not any(cell.strip() for cell in item.cells):
            continue
        if not any(cell.strip() for cell in item.cells[len(names) :]) and len(item.cells) > len(names):
            records.append(dict(zip(names, item.cells, strict=False)) | {ROW: item.number})
            continue
        words = f"The row has {len(item.cells)} cells, the header {len(names)}"
        advice = " (a comma inside a cell needs quotes around the cell)" if len(item.cells) > len(names) else ""
        finding = Finding(
            "cells-do-not-fit-header",
            Severity.ERROR,
            f"{words}{advice}: what it says of the subject is not known.",
            f"row {item.number}",
            decides=True,
        )
        findings.append(finding)
        records.append(_placed(item.cells, names) | {ROW: item.number, NOT_READ: words[:1].lower() + words[1:]})
    if not records:
        return table, findings
    columns = [*table.column_names, *([NOT_READ] if any(NOT_READ in record for record in records) else [])]
    if NOT_READ in columns:
        table = table.append_column(NOT_READ, pa.array([""] * table.num_rows, pa.string()))
    more = pa.table({column: [record.get(column, "") for record in records] for column in columns}, schema=table.schema)
    return pa.concat_tables([table, more]).sort_by(ROW).combine_chunks(), findings


def _placed(cells: Sequence[str], names: Sequence[str]) -> dict[str, str]:
    """Return the cells of a row that tell whose it is and of when, where they can be trusted.

    A row with too many cells is shifted from somewhere on: before a date that is one it is not.
    """
    found = {name: cell.strip() for name, cell in zip(names, cells, strict=False) if name in _PLACING}
    if len(cells) < len(names) or _is_date(found.get("date", "")):
        return found
    return {}


def _is_date(text: str) -> bool:
    try:
        datetime.date.fromisoformat(text[:10])
    except ValueError:
        return False
    return True


def _without_nameless(table: pa.Table) -> pa.Table:
    """Return the table without columns that have neither name nor cell.

    Raises
    ------
    InvalidInput
        If a column without a name has cells: it must be named, or the first row is a title and no header.
    """
    for position, name in enumerate(list(table.column_names), start=1):
        if not name.startswith("__nameless_"):
            continue
        if any(str(cell).strip() for cell in table[name].to_pylist()):
            if "subject" not in table.column_names:
                raise title_above_header()
            raise InvalidInput(
                f"column {position} has cells, but no name.", where="header", remedy="Name or remove it."
            )
        table = table.drop_columns([name])
    return table


def title_above_header() -> InvalidInput:
    """Return the refusal of a table whose first row names neither the subject nor every column."""
    return InvalidInput(
        "columns with cells have no name, and none is named subject: is there a title above the header?",
        where="header",
        remedy="Remove the rows above the header.",
    )


def _with_points(table: pa.Table) -> tuple[pa.Table, list[Finding]]:
    """Return a table with points for decimal commas, where its numbers have commas and none a point."""
    numbers = [name for name in table.column_names if name in _NUMBERS]
    commas = [name for name in numbers if _any_matches(table[name], _DECIMAL_COMMA)]
    if not commas or any(_any_matches(table[name], _DECIMAL_POINT) for name in numbers):
        return table, []
    for name in commas:
        column = table[name]
        is_comma = pyarrow.compute.match_substring_regex(column, _DECIMAL_COMMA)
        changed = pyarrow.compute.replace_substring(column, ",", ".")
        table = table.set_column(
            table.column_names.index(name), name, pyarrow.compute.if_else(is_comma, changed, column)
        )
    words = f"The numbers have decimal commas ({', '.join(commas)}): they are read as decimals."
    return table, [Finding("decimal-commas", Severity.INFO, words, "header")]


def _any_matches(column: pa.ChunkedArray, pattern: str) -> bool:
    return bool(pyarrow.compute.any(pyarrow.compute.match_substring_regex(column, pattern)).as_py())
