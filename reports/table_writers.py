"""Result tables to files, part by part: CSV, Parquet, JSON, and one workbook with a sheet a table."""

import csv
import json
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.parquet
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter

from reports.outcome_tables import ColumnType, ResultColumn, Value

FORMATS = ("csv", "parquet", "json", "xlsx")
SHEET_ROWS = 100_000
"""A sheet holds 1,048,576 rows at most, and is of no use to people long before."""

_ARROW = {
    ColumnType.TEXT: pa.string(),
    ColumnType.DATE: pa.date32(),
    ColumnType.NUMBER: pa.float64(),
    ColumnType.INTEGER: pa.int64(),
    ColumnType.YES_NO: pa.bool_(),
}
_HEADER = Font(bold=True, color="FFFFFF")
_HEADER_FILL = PatternFill("solid", fgColor="1F4E79")
_FORMULA = ("=", "+", "-", "@")


class TableWriter(Protocol):
    """Writes one table; closing it completes the file."""

    def write(self, rows: Sequence[tuple[Value, ...]]) -> None:
        """Append rows."""
        ...

    def close(self) -> None:
        """Complete the file."""
        ...


class CsvWriter:
    """RFC 4180 with a header, UTF-8; no value is an empty field, dates are ISO, yes-no is true or false."""

    def __init__(self, path: Path, columns: Sequence[ResultColumn]) -> None:
        self._file = path.open("w", encoding="utf-8", newline="")
        self._writer = csv.writer(self._file, lineterminator="\r\n")
        self._writer.writerow([column.name for column in columns])
        self._flags = [number for number, column in enumerate(columns) if column.type is ColumnType.YES_NO]

    def write(self, rows: Sequence[tuple[Value, ...]]) -> None:
        """Append rows."""
        self._writer.writerows(map(self._plain, rows))

    def close(self) -> None:
        """Complete the file."""
        self._file.close()

    def _plain(self, row: tuple[Value, ...]) -> Iterable[Value]:
        if not self._flags:
            return row
        cells = list(row)
        for number in self._flags:
            if cells[number] is not None:
                cells[number] = "true" if cells[number] else "false"
        return cells


class ParquetWriter:
    """One row group a part."""

    def __init__(self, path: Path, columns: Sequence[ResultColumn]) -> None:
        self._schema = pa.schema([(column.name, _ARROW[column.type]) for column in columns])
        self._writer = pa.parquet.ParquetWriter(path, self._schema, compression="zstd")

    def write(self, rows: Sequence[tuple[Value, ...]]) -> None:
        """Append rows."""
        if not rows:
            return
        columns = zip(*rows, strict=True)
        arrays = [pa.array(values, field.type) for values, field in zip(columns, self._schema, strict=True)]
        self._writer.write_table(pa.Table.from_arrays(arrays, schema=self._schema))

    def close(self) -> None:
        """Complete the file."""
        self._writer.close()


class JsonWriter:
    """A list of objects."""

    def __init__(self, path: Path, columns: Sequence[ResultColumn]) -> None:
        self._file = path.open("w", encoding="utf-8")
        self._names = [column.name for column in columns]
        self._separator = "[\n"

    def write(self, rows: Sequence[tuple[Value, ...]]) -> None:
        """Append rows."""
        for row in rows:
            record = dict(zip(self._names, row, strict=True))
            self._file.write(self._separator + json.dumps(record, ensure_ascii=False, default=_iso, allow_nan=False))
            self._separator = ",\n"

    def close(self) -> None:
        """Complete the file."""
        self._file.write("[]\n" if self._separator == "[\n" else "\n]\n")
        self._file.close()


class WorkbookWriter:
    """One sheet of a workbook: frozen, filtered, bold header; dates and numbers as such; written as it goes."""

    def __init__(self, workbook: Workbook, name: str, columns: Sequence[ResultColumn]) -> None:
        self._sheet: Any = workbook.create_sheet(name)
        self._sheet.freeze_panes = "A2"
        self._last_column = get_column_letter(len(columns))
        self._rows = 1
        for number, column in enumerate(columns, 1):
            width = max(column.width, len(column.name) + 4)
            self._sheet.column_dimensions[get_column_letter(number)].width = width
        self._sheet.append([self._header(column.name) for column in columns])
        self._left = SHEET_ROWS

    def write(self, rows: Sequence[tuple[Value, ...]]) -> None:
        """Append rows; beyond ``SHEET_ROWS`` the last row says that the rest is in the other files."""
        for row in rows[: self._left]:
            self._sheet.append([self._cell(value) for value in row])
        if self._left and len(rows) > self._left:
            self._sheet.append([f"The sheet ends after {SHEET_ROWS} rows; the CSV or Parquet file has them all."])
        self._rows += min(self._left, len(rows))
        self._left = max(0, self._left - len(rows))
        self._sheet.auto_filter.ref = f"A1:{self._last_column}{self._rows}"

    def close(self) -> None:
        """Do nothing: the workbook completes the file."""

    def _header(self, text: str) -> WriteOnlyCell:
        cell = WriteOnlyCell(self._sheet, text.replace("_", " "))
        cell.font, cell.fill, cell.alignment = _HEADER, _HEADER_FILL, Alignment(vertical="top", wrap_text=True)
        return cell

    def _cell(self, value: Value) -> object:
        """Return a cell; a text that looks like a formula stays a text."""
        if isinstance(value, str) and value.startswith(_FORMULA):
            cell = WriteOnlyCell(self._sheet, value)
            cell.data_type = "s"
            return cell
        if isinstance(value, date):
            cell = WriteOnlyCell(self._sheet, value)
            cell.number_format = "yyyy-mm-dd"
            return cell
        return value


def _iso(value: object) -> str:
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(type(value).__name__)
