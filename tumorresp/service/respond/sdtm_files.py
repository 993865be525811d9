"""SDTM data sets from a folder: XPT, Dataset-JSON 1.1 or CSV, as rows of texts with the number that people see."""

import csv
import io
import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyreadstat

from tumorresp.domain.errors import InvalidInput
from tumorresp.domain.finding import Finding, Severity
from tumorresp.service.respond.csv_table import check_quotes
from tumorresp.service.respond.sdtm_numbers import is_numeric, number_text, stated_decimal


@dataclass(frozen=True, slots=True)
class SdtmRow:
    """One record.

    Parameters
    ----------
    number
        Of the record; in CSV the header is row 1, elsewhere records count from 1.
    values
        Texts by variable, blank ones left out.
    """

    domain: str
    number: int
    values: Mapping[str, str]

    @property
    def where(self) -> str:
        """How findings name it."""
        return f"{self.domain} row {self.number}"

    def get(self, name: str) -> str:
        """Return a variable's text; empty where it is blank. ``--`` stands for the domain."""
        return self.values.get(name.replace("--", self.domain), "")


def read_domain(
    folder: Path, domain: str, findings: list[Finding], required: Sequence[str] = ()
) -> list[SdtmRow] | None:
    """Return the records of a data set, or None where the folder has none.

    Parameters
    ----------
    domain
        ``TU``, ``TR``: the file is ``tu.xpt``, ``tu.json``, ``tu.ndjson`` or ``tu.csv``, in any case of letters. Of
        several the first of these is read.
    findings
        Takes what is to be said of the files.
    required
        Variables that it must have.

    Raises
    ------
    InvalidInput
        If it cannot be read, or a variable is missing.
    """
    files = sorted(
        (item for item in folder.iterdir() if item.stem.upper() == domain and item.suffix.lower() in _READERS),
        key=_preference,
    )
    if not files:
        return None
    if len(files) > 1:
        others = ", ".join(item.name for item in files[1:])
        words = f"{domain} is there several times: {files[0].name} is read, {others} not."
        findings.append(Finding("several-files", Severity.INFO, words, files[0].name))
    path = files[0]
    names, records, first = _READERS[path.suffix.lower()](path)
    present = [name.upper() for name in names]
    missing = [name for name in required if name not in present]
    if missing:
        raise InvalidInput(
            f"variable {', '.join(missing)} is missing.",
            where=path.name,
            remedy=f"{domain} needs {', '.join(required)}.",
        )
    return [
        SdtmRow(
            domain,
            number,
            {name: text for name, raw in zip(present, record, strict=True) if (text := _text(name, raw))},
        )
        for number, record in enumerate(_whole(records, len(present), path.name, first), start=first)
    ]


def _preference(path: Path) -> int:
    return list(_READERS).index(path.suffix.lower())


def _whole(records: Iterable[Sequence[Any]], columns: int, name: str, first: int) -> Iterator[Sequence[Any]]:
    for number, record in enumerate(records, start=first):
        if len(record) != columns:
            raise InvalidInput(
                f"the row has {len(record)} cells, expected {columns}.",
                where=f"{name} row {number}",
                remedy="Correct it.",
            )
        yield record


def _text(variable: str, raw: object) -> str:
    """Return a cell as text; a number as the decimal that it states, in its shortest form."""
    if raw is None or (isinstance(raw, float) and math.isnan(raw)):
        return ""
    if isinstance(raw, float | Decimal):
        return number_text(raw)
    text = str(raw).strip()
    number = stated_decimal(text) if is_numeric(variable) else None
    return text if number is None else number_text(number)


_Table = tuple[list[str], Iterable[Sequence[Any]], int]


def _read_xpt(path: Path) -> _Table:
    try:
        frame, _ = pyreadstat.read_xport(str(path))
    except Exception as error:  # the library raises classes of its own that it does not export
        raise InvalidInput(f"the file is no SAS transport file: {error}", where=path.name) from error
    return list(frame.columns), frame.itertuples(index=False, name=None), 1


def _read_csv(path: Path) -> _Table:
    try:
        text = path.read_text("utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidInput("the file is not UTF-8.", where=path.name, remedy="Save it as “CSV UTF-8”.") from None
    check_quotes(text, ",", text.split("\n", 1)[0].count(",") + 1, file=path.name)
    rows = list(csv.reader(io.StringIO(text, newline="")))
    while rows and not rows[-1]:
        rows.pop()
    if not rows:
        raise InvalidInput("the file is empty.", where=path.name, remedy="Give at least a header.")
    return [name.strip() for name in rows[0]], rows[1:], 2


def _read_dataset_json(path: Path) -> _Table:
    try:
        document = json.loads(path.read_text("utf-8"), parse_float=Decimal)
    except (ValueError, UnicodeDecodeError) as error:
        raise InvalidInput(f"the file is no JSON: {error}", where=path.name) from None
    rows = document.get("rows", []) if isinstance(document, dict) else None
    return _columns(document, path), _checked_rows(rows, path), 1


def _read_dataset_ndjson(path: Path) -> _Table:
    try:
        lines = [line for line in path.read_text("utf-8").splitlines() if line.strip()]
        document, *rows = (json.loads(line, parse_float=Decimal) for line in lines)
    except (ValueError, UnicodeDecodeError) as error:
        raise InvalidInput(f"the file is no Dataset-NDJSON: {error}", where=path.name) from None
    return _columns(document, path), _checked_rows(rows, path), 1


def _columns(document: Any, path: Path) -> list[str]:
    columns = document.get("columns") if isinstance(document, dict) else None
    if not isinstance(columns, list) or not all(isinstance(item, dict) and "name" in item for item in columns):
        raise InvalidInput("the file has no columns with names.", where=path.name, remedy="Give Dataset-JSON 1.1.")
    return [str(item["name"]) for item in columns]


def _checked_rows(rows: Any, path: Path) -> list[Sequence[Any]]:
    if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
        raise InvalidInput("rows must be a list of lists.", where=path.name, remedy="Give Dataset-JSON 1.1.")
    return rows


_READERS = {
    ".xpt": _read_xpt,
    ".json": _read_dataset_json,
    ".ndjson": _read_dataset_ndjson,
    ".csv": _read_csv,
}
