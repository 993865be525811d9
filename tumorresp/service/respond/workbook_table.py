"""A sheet of an Excel workbook as a table of texts: the first that has a column for the subject."""

import datetime
import io
import zipfile

import openpyxl
import pyarrow as pa
from openpyxl.chartsheet import Chartsheet
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.worksheet.worksheet import Worksheet

from tumorresp.domain.errors import InvalidInput
from tumorresp.response.table.headers import column_name
from tumorresp.service.respond.csv_table import ROW, title_above_header

_SUBJECT = "subject"


def read_workbook(name: str, content: bytes) -> pa.Table:
    """Return the first sheet with a column ``subject``; its first row that is not empty is the header.

    Rows are numbered as the sheet does. Dates become YYYY-MM-DD, whole numbers lose their ``.0``; empty rows, and
    columns without name and cell, are passed over.

    Raises
    ------
    InvalidInput
        If the file is no workbook, a column with cells has no name, or the first row is a title and no header.
    """
    try:
        workbook = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
    except (InvalidFileException, zipfile.BadZipFile, KeyError, ValueError, OSError) as error:
        raise InvalidInput("the file is no Excel workbook.", where=name) from error
    sheets = [filled for sheet in workbook.worksheets if (filled := _filled_rows(sheet))]
    if not sheets:
        raise InvalidInput("every sheet is empty.", where=name, remedy="Give at least a header.")
    filled = next((rows for rows in sheets if _SUBJECT in map(column_name, rows[0][1])), sheets[0])
    (_, header), *data = filled
    width = max(len(cells) for _, cells in filled)
    columns: dict[str, list[str]] = {}
    for position in range(width):
        cells = [row[position] if position < len(row) else "" for _, row in data]
        title = column_name(header[position]) if position < len(header) else ""
        if not title and not any(cells):
            continue
        if not title or title in columns:
            if not title and _SUBJECT not in map(column_name, header):
                raise title_above_header()
            words = f"column {position + 1} has cells, but no name." if not title else f"column {title} is there twice."
            raise InvalidInput(words, where="header", remedy="Name or remove it.")
        columns[title] = cells
    table = pa.table({title: pa.array(cells, pa.string()) for title, cells in columns.items()})
    return table.append_column(ROW, pa.array([number for number, _ in data], pa.int64()))


def _filled_rows(sheet: Worksheet | Chartsheet) -> list[tuple[int, list[str]]]:
    """Return the rows of a sheet that have a cell, numbered as the sheet does."""
    if isinstance(sheet, Chartsheet):
        return []
    rows = enumerate(sheet.iter_rows(values_only=True), start=1)
    texts = ((number, [_text(cell) for cell in row]) for number, row in rows)
    return [(number, cells) for number, cells in texts if any(cells)]


def _text(cell: object) -> str:
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, datetime.datetime):
        return cell.date().isoformat()
    if isinstance(cell, datetime.date):
        return cell.isoformat()
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell).strip()
