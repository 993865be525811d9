"""A person's decisions: which lesion a measurement is, which subjects are one person, when treatment started."""

import csv
import datetime
import io
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from tumorresp.domain.errors import InvalidInput, Missing
from tumorresp.domain.identity import pseudonym

_COLUMNS = ("measurement_uid", "lesion")
_LINK_COLUMNS = ("subject", "same_as")
_START_COLUMNS = ("subject", "treatment_start")


def read_decisions(path: Path | None) -> Mapping[str, str]:
    """Return measurement UID -> lesion ID (or ``T``, ``NT``, ``NEW`` for a lesion of its own) from a CSV file.

    Raises
    ------
    Missing
        If the file is not there.
    InvalidInput
        If a column is missing, a field is empty, or a measurement is decided twice; names the row.
    """
    decisions: dict[str, str] = {}
    for number, (uid, lesion) in _pairs(path, _COLUMNS):
        if uid in decisions:
            raise InvalidInput("this measurement is decided twice.", where=f"{_name(path)} row {number}")
        decisions[uid] = lesion
    return decisions


def read_patient_links(path: Path | None) -> tuple[tuple[str, str], ...]:
    """Return pairs of subjects that are one person, from a CSV file with the columns ``subject`` and ``same_as``.

    Each is a subject as `tumorresp status` and the result folders name it, or a Patient ID.

    Raises
    ------
    Missing
        If the file is not there.
    InvalidInput
        If a column is missing or a field is empty; names the row.
    """
    return tuple(pair for _, pair in _pairs(path, _LINK_COLUMNS))


def read_treatment_starts(path: Path | None) -> Mapping[str, datetime.date]:
    """Return subject -> start of treatment, from a CSV file with the columns ``subject`` and ``treatment_start``.

    A subject is named as `tumorresp status` and the result folders do, or by its Patient ID; dates are ISO 8601.

    Raises
    ------
    Missing
        If the file is not there.
    InvalidInput
        If a column is missing, a field is empty, a date cannot be read, or a subject has two; names the row.
    """
    starts: dict[str, datetime.date] = {}
    for number, (subject, text) in _pairs(path, _START_COLUMNS):
        where = f"{_name(path)} row {number}"
        try:
            date = datetime.date.fromisoformat(text)
        except ValueError:
            raise InvalidInput("treatment_start is no date such as 2024-01-31.", where=where) from None
        if starts.setdefault(subject, date) != date:
            raise InvalidInput("this subject has two starts of treatment.", where=where)
    return starts


def treatment_start_of(path: Path | None, subject_key: str, patient_ids: Collection[str]) -> datetime.date | None:
    """Return when a subject's treatment started, None where the file does not say it.

    Raises
    ------
    Missing, InvalidInput
        As ``read_treatment_starts``; also if its names have different starts.
    """
    starts = read_treatment_starts(path)
    keys = {name for patient_id in patient_ids for name in (patient_id, pseudonym(patient_id))}
    found = {starts[name] for name in (subject_key, *keys) if name in starts}
    if len(found) > 1:
        raise InvalidInput("one subject has several starts of treatment under its names.", where=_name(path))
    return found.pop() if found else None


def _pairs(path: Path | None, columns: tuple[str, str]) -> Iterator[tuple[int, tuple[str, str]]]:
    """Give row number and both fields of each row of a CSV file; nothing where no file is named."""
    if path is None:
        return
    if not path.is_file():
        raise Missing("the file of decisions is not there.", where=path.name)
    rows = csv.DictReader(io.StringIO(path.read_text("utf-8-sig")))
    if not set(columns) <= set(rows.fieldnames or ()):
        raise InvalidInput(f"expected the columns {' and '.join(columns)}.", where=path.name)
    for number, row in enumerate(rows, start=2):
        first, second = ((row[column] or "").strip() for column in columns)
        if not first or not second:
            raise InvalidInput("a field is empty.", where=f"{path.name} row {number}")
        yield number, (first, second)


def _name(path: Path | None) -> str:
    return path.name if path else ""
