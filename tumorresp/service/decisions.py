"""A person's decisions on measurements that could not be matched to a lesion with certainty."""

import csv
import io
from collections.abc import Mapping
from pathlib import Path

from tumorresp.domain.errors import InvalidInput, Missing

_COLUMNS = ("measurement_uid", "lesion")


def read_decisions(path: Path | None) -> Mapping[str, str]:
    """Return measurement UID -> lesion ID (or ``T``, ``NT``, ``NEW`` for a lesion of its own) from a CSV file.

    Raises
    ------
    Missing
        If the file is not there.
    InvalidInput
        If a column is missing, a field is empty, or a measurement is decided twice; names the row.
    """
    if path is None:
        return {}
    if not path.is_file():
        raise Missing("the file of decisions is not there.", where=path.name)
    rows = csv.DictReader(io.StringIO(path.read_text("utf-8-sig")))
    if not set(_COLUMNS) <= set(rows.fieldnames or ()):
        raise InvalidInput(f"expected the columns {' and '.join(_COLUMNS)}.", where=path.name)
    decisions: dict[str, str] = {}
    for number, row in enumerate(rows, start=2):
        uid, lesion = ((row[column] or "").strip() for column in _COLUMNS)
        if not uid or not lesion:
            raise InvalidInput("a field is empty.", where=f"{path.name} row {number}")
        if uid in decisions:
            raise InvalidInput("this measurement is decided twice.", where=f"{path.name} row {number}")
        decisions[uid] = lesion
    return decisions
