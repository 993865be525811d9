"""The same rows from every file format."""

import csv
import datetime
import json
from pathlib import Path

import openpyxl
import pandas as pd
import pyarrow.parquet
import pytest

from reports import table_writers
from reports.outcome_tables import ColumnType, ResultColumn, Value
from reports.table_writers import CsvWriter, JsonWriter, ParquetWriter, WorkbookWriter

COLUMNS = (
    ResultColumn("subject"),
    ResultColumn("date", ColumnType.DATE),
    ResultColumn("sum", ColumnType.NUMBER),
    ResultColumn("days", ColumnType.INTEGER),
    ResultColumn("nodal", ColumnType.YES_NO),
    ResultColumn("reasons", width=80),
)
DAY = datetime.date(2024, 2, 29)
ROWS: list[tuple[Value, ...]] = [
    ("007", DAY, 60.3, 42, True, "Sum 60.3 mm, “T01”\nnext line"),
    ("=1+1", None, None, None, None, "−30 %; 5 > 4"),
    ("008", DAY, 0.1 + 0.2, 0, False, ""),
]


def test_csv(tmp_path: Path) -> None:
    writer = CsvWriter(tmp_path / "t.csv", COLUMNS)
    writer.write(ROWS[:1])
    writer.write(ROWS[1:])
    writer.close()
    with (tmp_path / "t.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    assert rows == [
        ["subject", "date", "sum", "days", "nodal", "reasons"],
        ["007", "2024-02-29", "60.3", "42", "true", "Sum 60.3 mm, “T01”\nnext line"],
        ["=1+1", "", "", "", "", "−30 %; 5 > 4"],
        ["008", "2024-02-29", "0.30000000000000004", "0", "false", ""],
    ]


def test_parquet(tmp_path: Path) -> None:
    writer = ParquetWriter(tmp_path / "t.parquet", COLUMNS)
    writer.write(ROWS[:1])
    writer.write([])
    writer.write(ROWS[1:])
    writer.close()
    table = pyarrow.parquet.read_table(tmp_path / "t.parquet")
    assert [tuple(row.values()) for row in table.to_pylist()] == ROWS
    frame = pd.read_parquet(tmp_path / "t.parquet")
    assert frame["sum"].dtype == "float64"
    assert frame["sum"].isna().tolist() == [False, True, False]


def test_json(tmp_path: Path) -> None:
    writer = JsonWriter(tmp_path / "t.json", COLUMNS)
    writer.write(ROWS[:2])
    writer.write(ROWS[2:])
    writer.close()
    records = json.loads((tmp_path / "t.json").read_text("utf-8"))
    names = [column.name for column in COLUMNS]
    expected = [dict(zip(names, row, strict=True)) for row in ROWS]
    assert records == [record | {"date": record["date"] and "2024-02-29"} for record in expected]


def test_json_without_rows_is_an_empty_list(tmp_path: Path) -> None:
    JsonWriter(tmp_path / "t.json", COLUMNS).close()
    assert json.loads((tmp_path / "t.json").read_text("utf-8")) == []


def test_workbook(tmp_path: Path) -> None:
    workbook = openpyxl.Workbook(write_only=True)
    writer = WorkbookWriter(workbook, "best responses", COLUMNS)
    writer.write(ROWS)
    workbook.save(tmp_path / "t.xlsx")
    sheet = openpyxl.load_workbook(tmp_path / "t.xlsx")["best responses"]
    rows = list(sheet.iter_rows(values_only=True))
    assert rows[0] == ("subject", "date", "sum", "days", "nodal", "reasons")
    assert rows[1][1].date() == DAY
    assert (rows[1][0], *rows[1][2:]) == ("007", 60.3, 42, True, ROWS[0][5])
    assert sheet["A3"].value == "=1+1"
    assert sheet["A3"].data_type == "s"
    assert sheet.freeze_panes == "A2"
    assert sheet["A1"].font.bold
    assert sheet["B2"].number_format == "yyyy-mm-dd"
    assert sheet.column_dimensions["F"].width == 80
    assert sheet.auto_filter.ref == "A1:F4"


def test_a_sheet_that_is_full_says_where_the_rest_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_writers, "SHEET_ROWS", 2)
    workbook = openpyxl.Workbook(write_only=True)
    writer = WorkbookWriter(workbook, "lesions", COLUMNS)
    writer.write(ROWS)
    writer.write(ROWS)
    workbook.save(tmp_path / "t.xlsx")
    rows = list(openpyxl.load_workbook(tmp_path / "t.xlsx")["lesions"].iter_rows(values_only=True))
    assert len(rows) == 4
    assert "CSV or Parquet" in str(rows[3][0])
