"""OHIF's CSV export of bidirectional and length measurements (OHIF 3: a column of points in patient mm)."""

import math
from collections.abc import Sequence
from typing import Any

from dicom_node.measurements.measurement_items import Mistakes

_TYPE, _POINTS = "annotationtype", "points"
_LINES = {"bidirectional": 2, "length": 1}
_UIDS = {
    "studyinstanceuid": "study_instance_uid",
    "seriesinstanceuid": "series_instance_uid",
    "sopinstanceuid": "sop_instance_uid",
    "frameofreferenceuid": "frame_of_reference_uid",
    "patient id": "patient_id",
}


def is_ohif_header(header: Sequence[str]) -> bool:
    """Return whether a table's header, lower case, is that of OHIF's export with points."""
    return _TYPE in header and _POINTS in header


def ohif_items(
    header: Sequence[str], rows: Sequence[tuple[int, list[str]]], mistakes: Mistakes
) -> list[tuple[str, dict[str, Any]]]:
    """Return the (place, item) pairs of an export; annotations of other tools are passed over.

    The pairs of points come in no fixed order: the longer line is the long axis. Length is stated for the long axis,
    Width for the short one. Labels may be missing and may repeat.
    """
    items = []
    for number, row in rows:
        cells = {name: cell.strip() for name, cell in zip(header, row, strict=False) if cell.strip()}
        lines = _LINES.get(cells.get(_TYPE, "").rpartition(":")[2].lower())
        if lines is None:
            continue
        place = f"row {number}"
        points = _points(cells.get(_POINTS, ""))
        if points is None or len(points) != 2 * lines:
            mistakes.add(place, f"'points' must hold {2 * lines} points of three numbers, 'x y z;x y z'")
            continue
        items.append((place, _item(cells, points)))
    if not items:
        mistakes.add("", "the export holds no bidirectional or length measurement")
    return items


def _item(cells: dict[str, str], points: list[list[float]]) -> dict[str, Any]:
    item: dict[str, Any] = {target: cells[name] for name, target in _UIDS.items() if name in cells}
    if "label" in cells:
        item["lesion"] = cells["label"]
    pairs = [points[index : index + 2] for index in range(0, len(points), 2)]
    pairs.sort(key=lambda pair: -math.dist(*pair))
    for axis, stated_as, pair in zip(("long_axis", "short_axis"), ("length", "width"), pairs, strict=False):
        item[axis] = {"lps_mm": pair}
        stated = _number(cells.get(stated_as) or cells.get(f"{stated_as} (mm)") or "")
        unit = cells.get("unit", "mm").lower()
        if stated and unit in ("mm", "cm", "px"):
            item[axis] |= {"stated_length": stated, "stated_unit": unit}
    return item


def _points(text: str) -> list[list[float]] | None:
    points = [[_number(value) for value in point.split()] for point in text.split(";") if point.strip()]
    complete = [[value for value in point if value is not None] for point in points]
    return complete if all(len(point) == 3 for point in complete) else None


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
