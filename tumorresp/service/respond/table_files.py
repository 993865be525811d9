"""Lesion and response tables from CSV, Excel, Parquet or JSON: cells as written, rows numbered as people see them."""

import hashlib
import json
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute
import pyarrow.parquet

from tumorresp.domain.errors import InvalidInput, Missing, UnknownFormat
from tumorresp.domain.finding import Finding
from tumorresp.response.table.headers import column_name
from tumorresp.response.table.rows import NOT_READ, table_kind
from tumorresp.service.respond.csv_table import ROW, read_csv
from tumorresp.service.respond.whole_table import check_readable, names_spelt_alike, perhaps_centimetres, with_strays
from tumorresp.service.respond.workbook_table import read_workbook


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
        If its name ends neither in .csv, .tsv, .xlsx, .parquet nor .json.
    InvalidInput
        If it cannot be read, has no row, or columns are missing or unknown.
    UnreadableTable
        If most of its sizes, dates or responses cannot be read.
    """
    if not path.is_file():
        raise Missing("there is no such file.", where=path.name, remedy="Give a CSV, XLSX, Parquet or JSON file.")
    readers = {
        ".csv": read_csv,
        ".tsv": read_csv,
        ".txt": read_csv,
        ".xlsx": lambda name, content: (read_workbook(name, content), []),
        ".parquet": _read_parquet,
        ".json": _read_json,
    }
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise UnknownFormat(
            f"tables are CSV, XLSX, Parquet or JSON, not {path.suffix or 'a file without ending'}.", where=path.name
        )
    content = path.read_bytes()
    if not content.strip():
        raise InvalidInput("the file is empty.", where=path.name, remedy="Give at least a header.")
    table, findings = reader(path.name, content)
    kind, whole, noticed = whole_table(table, path.name)
    return TableFile(kind, whole, (*findings, *noticed), hashlib.sha256(content).hexdigest())


def whole_table(table: pa.Table, name: str) -> tuple[str, pa.Table, list[Finding]]:
    """Return a table's kind, the table with its rows where they may belong, and what was noticed.

    Raises
    ------
    InvalidInput
        If it has no row, or columns are missing or unknown.
    UnreadableTable
        If most of its sizes, dates or responses cannot be read.
    """
    if table.num_rows == 0 and table.num_columns == 1:
        raise InvalidInput("the table has no row.", where=name, remedy="Give a list of objects.")
    kind = table_kind([item for item in table.column_names if item not in (ROW, NOT_READ)])
    check_readable(kind, table, name)
    formed = _with_one_form(table)
    placed, strays = with_strays(formed)
    return kind, placed, [*perhaps_centimetres(kind, table), *names_spelt_alike(formed), *strays]


def _with_one_form(table: pa.Table) -> pa.Table:
    """Return a table whose subjects are equal where they look equal (Unicode NFC)."""
    position = table.column_names.index("subject")
    if not pa.types.is_string(table["subject"].type):
        return table
    return table.set_column(position, "subject", pyarrow.compute.utf8_normalize(table["subject"], form="NFC"))


def _read_parquet(name: str, content: bytes) -> tuple[pa.Table, list[Finding]]:
    try:
        table = pa.parquet.read_table(pa.BufferReader(content))
    except pa.ArrowInvalid as error:
        raise InvalidInput("the file is no Parquet.", where=name) from error
    return _numbered(_renamed(table)), []


def _read_json(name: str, content: bytes) -> tuple[pa.Table, list[Finding]]:
    try:
        document = json.loads(content, parse_float=Decimal)
    except (ValueError, UnicodeDecodeError) as error:
        raise InvalidInput(f"the file is no JSON: {error}", where=name) from None
    rows = document.get("rows") if isinstance(document, dict) else document
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise InvalidInput(
            "expected a list of rows, each an object.", where=name, remedy='[{"subject": ...}] or {"rows": [...]}'
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
    return _numbered(_renamed(pa.table({name: pa.array(values, pa.string()) for name, values in columns.items()})))


def _renamed(table: pa.Table) -> pa.Table:
    return table.rename_columns([column_name(name) for name in table.column_names])


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
