"""Measurements in CSV: one row a lesion and scan, columns as ``docs/measurement-formats.md`` lists them."""

import csv
import difflib
import io
import math
from pathlib import Path
from typing import Any

from dicom_node.measurements.measurement_items import Mistakes, check_size, marked_measurements
from dicom_node.measurements.ohif_csv import is_ohif_header, ohif_items
from tumorresp.domain.errors import InvalidInput
from tumorresp.domain.measurement import MarkedMeasurement

_TEXTS = (
    "lesion",
    "tracking_uid",
    "role",
    "state",
    "comment",
    "patient_id",
    "reader",
    "device",
    "measured_at",
    "study_instance_uid",
    "series_instance_uid",
    "sop_instance_uid",
    "frame_of_reference_uid",
    "pixel_origin",
)
_LOWER_CASE = frozenset({"role", "state", "pixel_origin"})
_SITE = ("site", "site_code", "site_scheme")
_LPS = ("x1_mm", "y1_mm", "z1_mm", "x2_mm", "y2_mm", "z2_mm")
_PIXELS = ("column1", "row1", "column2", "row2")
_STATED = "stated_mm"
_YES_NO = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}
COLUMNS = (
    *_TEXTS,
    *_SITE,
    "nodal",
    "frame_number",
    *(f"{axis}_{part}" for axis in ("long", "short") for part in (*_LPS, *_PIXELS, _STATED)),
)
"""Every column that a table may have; only ``lesion`` must be there."""


class CsvReader:
    """Reads tables of measurements: our own columns, or OHIF's export."""

    def can_read(self, path: Path) -> bool:
        """Return whether the file is called CSV."""
        return path.suffix.lower() == ".csv"

    def read(self, path: Path) -> tuple[MarkedMeasurement, ...]:
        """Read every row.

        Raises
        ------
        InvalidInput
            If the file is no table, a column is unknown, or any row is wrong; all mistakes are listed with their rows.
        """
        check_size(path)
        content = path.read_bytes()
        header, rows = _table(content, path.name)
        mistakes = Mistakes(path.name)
        if is_ohif_header(header):
            items = ohif_items(header, rows, mistakes)
            return marked_measurements(items, "csv", content, mistakes, names_identify=False)
        _check_header(header, mistakes)
        items = []
        for number, row in rows:
            place = f"row {number}"
            if len(row) > len(header):
                mistakes.add(place, f"has {len(row)} cells, the header has {len(header)}")
                continue
            cells = {name: cell.strip() for name, cell in zip(header, row, strict=False) if cell.strip()}
            known_mistakes = len(mistakes.lines)
            item = _item(cells, place, mistakes)
            if len(mistakes.lines) == known_mistakes:
                items.append((place, item))
        if not rows:
            mistakes.add("", "the table has a header and no rows")
        return marked_measurements(items, "csv", content, mistakes)


def _table(content: bytes, file_name: str) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Return the header, lower case, and (row number, cells) of the rows that are not empty; the header is row 1."""
    try:
        text = content.decode("utf-8-sig")
        first = text.partition("\n")[0]
        delimiter = max(",;\t", key=first.count)
        table = list(enumerate(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True), start=1))
    except UnicodeDecodeError:
        raise InvalidInput("the table is not in UTF-8.", where=file_name, remedy="Save it as CSV UTF-8.") from None
    except csv.Error as error:
        raise InvalidInput(f"the table cannot be read as CSV: {error}.", where=file_name) from None
    filled = [(number, row) for number, row in table if any(cell.strip() for cell in row)]
    if not filled:
        raise InvalidInput("the table is empty.", where=file_name)
    return [cell.strip().lower() for cell in filled[0][1]], filled[1:]


def _check_header(header: list[str], mistakes: Mistakes) -> None:
    if "lesion" not in header:
        mistakes.add("row 1", "the column 'lesion' is missing")
    for name in sorted({name for name in header if name and header.count(name) > 1}):
        mistakes.add("row 1", f"the column {name!r} is there twice")
    for name in header:
        if name and name not in COLUMNS:
            near = difflib.get_close_matches(name, COLUMNS, 1)
            mistakes.add("row 1", f"unknown column {name[:40]!r}" + (f", did you mean {near[0]!r}?" if near else ""))
    mistakes.raise_if_any()


def _item(cells: dict[str, str], place: str, mistakes: Mistakes) -> dict[str, Any]:
    item: dict[str, Any] = {
        name: cells[name].lower() if name in _LOWER_CASE else cells[name] for name in _TEXTS if name in cells
    }
    if "nodal" in cells:
        item["nodal"] = _YES_NO.get(cells["nodal"].lower())
        if item["nodal"] is None:
            mistakes.add(place, "nodal must be yes or no")
    if "frame_number" in cells:
        item["frame_number"] = int(cells["frame_number"]) if cells["frame_number"].isdecimal() else 0
    if "site_code" in cells:
        item["site"] = {
            "value": cells["site_code"],
            "scheme": cells.get("site_scheme", "SCT"),
            "meaning": cells.get("site", cells["site_code"]),
        }
    elif "site" in cells:
        item["site"] = cells["site"]
    for axis in ("long", "short"):
        found = _axis(cells, axis, place, mistakes)
        if found:
            item[f"{axis}_axis"] = found
    return item


def _axis(cells: dict[str, str], axis: str, place: str, mistakes: Mistakes) -> dict[str, Any] | None:
    lps = [cells.get(f"{axis}_{part}", "") for part in _LPS]
    pixels = [cells.get(f"{axis}_{part}", "") for part in _PIXELS]
    found: dict[str, Any] = {}
    for key, texts, size, parts in (("lps_mm", lps, 3, _LPS), ("pixels", pixels, 2, _PIXELS)):
        if not any(texts):
            continue
        missing = [f"{axis}_{part}" for part, text in zip(parts, texts, strict=True) if not text]
        if missing:
            mistakes.add(place, f"coordinates are missing: {', '.join(missing)}")
            return None
        numbers = [_number(text, f"{axis}_{part}", place, mistakes) for part, text in zip(parts, texts, strict=True)]
        found[key] = [numbers[:size], numbers[size:]]
    if found and cells.get(f"{axis}_{_STATED}"):
        found["stated_length"] = _number(cells[f"{axis}_{_STATED}"], f"{axis}_{_STATED}", place, mistakes)
        found["stated_unit"] = "mm"
    return found or None


def _number(text: str, column: str, place: str, mistakes: Mistakes) -> float:
    try:
        return float(text)
    except ValueError:
        mistakes.add(place, f"{column} is no number; write it like 23.4, with a point")
        return math.nan
