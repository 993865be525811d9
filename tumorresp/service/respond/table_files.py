"""Lesion and response tables from CSV, Parquet or JSON: cells as written, rows with the number that people see."""

import hashlib
import json
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from tumorresp.domain.errors import InvalidInput, Missing, UnknownFormat
from tumorresp.domain.finding import Finding, Severity
from tumorresp.response.table.rows import table_kind

ROW = "__row__"
_DELIMITERS = (",", ";", "\t")


@dataclass(frozen=True)
class TableFile:
    """A table as read.

    Parameters
    ----------
    kind
        ``lesions`` or ``responses``.
    rows
        Columns as in the file, and ``ROW``: of CSV the record's number with the header as 1, else counted from 1.
    findings
        Rows that are no rows.
    sha256
        Of the file.
    """

    kind: str
    rows: pa.Table
    findings: tuple[Finding, ...]
    sha256: str


def read_table_file(path: Path) -> TableFile:
    """Read a table.

    Raises
    ------
    Missing
        If there is no such file.
    UnknownFormat
        If its name ends neither in .csv, .tsv, .parquet nor .json.
    InvalidInput
        If it cannot be read, or columns are missing or unknown.
    """
    if not path.is_file():
        raise Missing("there is no such file.", where=path.name, remedy="Give a CSV, Parquet or JSON file.")
    readers = {".csv": _read_csv, ".tsv": _read_csv, ".txt": _read_csv, ".parquet": _read_parquet, ".json": _read_json}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise UnknownFormat(
            f"tables are CSV, Parquet or JSON, not {path.suffix or 'a file without ending'}.", where=path.name
        )
    content = path.read_bytes()
    if not content.strip():
        raise InvalidInput("the file is empty.", where=path.name, remedy="Give at least a header.")
    table, findings = reader(path, content)
    names = [name for name in table.column_names if name != ROW]
    return TableFile(table_kind(names), table, tuple(findings), hashlib.sha256(content).hexdigest())


def _read_csv(path: Path, content: bytes) -> tuple[pa.Table, list[Finding]]:
    try:
        header = content.decode("utf-8-sig").splitlines()[0]
    except UnicodeDecodeError:
        raise InvalidInput(
            "the file is not UTF-8.", where=path.name, remedy="Save it as “CSV UTF-8” or convert it with iconv."
        ) from None
    delimiter = max(_DELIMITERS, key=header.count)
    names = [name.strip().strip('"').strip() for name in header.split(delimiter)]
    findings: list[Finding] = []

    def skip(row: Any) -> str:
        words = f"The row has {row.actual_columns} cells, the header {row.expected_columns}: it is not used."
        findings.append(Finding("cells-do-not-fit-header", Severity.ERROR, words, f"row {row.number}"))
        return "skip"

    try:
        table = pa.csv.read_csv(
            pa.BufferReader(content),
            read_options=pa.csv.ReadOptions(column_names=names, skip_rows=1, use_threads=False),
            parse_options=pa.csv.ParseOptions(
                delimiter=delimiter, newlines_in_values=True, invalid_row_handler=skip, ignore_empty_lines=False
            ),
            convert_options=pa.csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False
            ),
        )
    except pa.ArrowInvalid as error:
        raise InvalidInput(f"the table cannot be read: {error}", where=path.name) from error
    skipped = {int(finding.where.removeprefix("row ")) for finding in findings}
    last = table.num_rows + len(skipped) + 1
    numbers = [number for number in range(2, last + 1) if number not in skipped]
    return table.append_column(ROW, pa.array(numbers, pa.int64())), findings


def _read_parquet(path: Path, content: bytes) -> tuple[pa.Table, list[Finding]]:
    try:
        table = pa.parquet.read_table(pa.BufferReader(content))
    except pa.ArrowInvalid as error:
        raise InvalidInput("the file is no Parquet.", where=path.name) from error
    return _numbered(table), []


def _read_json(path: Path, content: bytes) -> tuple[pa.Table, list[Finding]]:
    try:
        document = json.loads(content, parse_float=Decimal)
    except (ValueError, UnicodeDecodeError) as error:
        raise InvalidInput(f"the file is no JSON: {error}", where=path.name) from None
    rows = document.get("rows") if isinstance(document, dict) else document
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise InvalidInput(
            "expected a list of rows, each an object.", where=path.name, remedy='[{"subject": ...}] or {"rows": [...]}'
        )
    return table_of_records(rows), []


def table_of_records(rows: list[dict[str, Any]]) -> pa.Table:
    """Return records as a table of texts, numbered from 1; true and false become yes and no.

    Raises
    ------
    InvalidInput
        If a cell is neither text, number, true, false nor null.
    """
    names = list(dict.fromkeys(name for row in rows for name in row))
    columns = {name: [_text(row.get(name), number, name) for number, row in enumerate(rows, 1)] for name in names}
    return _numbered(pa.table({name: pa.array(values, pa.string()) for name, values in columns.items()}))


def _text(value: Any, number: int, name: str) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float | Decimal):
        return str(value)
    raise InvalidInput("a cell must be text, a number, true, false or null.", where=f"row {number}, {name}")


def _numbered(table: pa.Table) -> pa.Table:
    return table.append_column(ROW, pa.array(range(1, table.num_rows + 1), pa.int64()))
