"""A person's decisions from a CSV file."""

import datetime
from pathlib import Path

import pytest

from tumorresp.domain.errors import InvalidInput, Missing
from tumorresp.domain.identity import pseudonym
from tumorresp.service.decisions import read_decisions, read_treatment_starts, treatment_start_of


def write(folder: Path, text: str) -> Path:
    path = folder / "decisions.csv"
    path.write_text(text, "utf-8")
    return path


def test_decisions_are_read_with_or_without_byte_order_mark_and_other_columns(tmp_path: Path):
    path = write(tmp_path, "\ufeffmeasurement_uid,lesion,why\n2.25.1, T01 ,seen on coronal\n2.25.2,NEW,\n")
    assert read_decisions(path) == {"2.25.1": "T01", "2.25.2": "NEW"}


def test_no_file_named_is_no_decision():
    assert read_decisions(None) == {}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("measurement,lesion\n2.25.1,T01\n", "expected the columns measurement_uid and lesion"),
        ("measurement_uid,lesion\n2.25.1,\n", "decisions.csv row 2: a field is empty"),
        ("measurement_uid,lesion\n2.25.1,T01\n2.25.1,T02\n", "decisions.csv row 3: this measurement is decided twice"),
    ],
)
def test_bad_rows_are_named(tmp_path: Path, text: str, expected: str):
    with pytest.raises(InvalidInput, match=expected):
        read_decisions(write(tmp_path, text))


def test_an_absent_file_is_an_error(tmp_path: Path):
    with pytest.raises(Missing, match="not there"):
        read_decisions(tmp_path / "decisions.csv")


def starts(folder: Path, text: str) -> Path:
    path = folder / "starts.csv"
    path.write_text(f"subject,treatment_start\n{text}", "utf-8")
    return path


def test_a_start_of_treatment_is_found_by_subject_or_patient_id(tmp_path: Path):
    path = starts(tmp_path, f"P1,2024-01-31\n{pseudonym('P2')},2024-02-01\n")
    assert treatment_start_of(path, pseudonym("P1"), {"P1"}) == datetime.date(2024, 1, 31)
    assert treatment_start_of(path, pseudonym("P2"), {"P2"}) == datetime.date(2024, 2, 1)
    assert treatment_start_of(path, pseudonym("P3"), {"P3"}) is None
    assert treatment_start_of(None, pseudonym("P1"), {"P1"}) is None


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ("P1,31.01.2024\n", "starts.csv row 2: treatment_start is no date such as 2024-01-31"),
        ("P1,2024-01-31\nP1,2024-02-01\n", "starts.csv row 3: this subject has two starts"),
        ("P1,\n", "starts.csv row 2: a field is empty"),
    ],
)
def test_bad_starts_are_named_by_row_and_not_by_patient(tmp_path: Path, rows: str, expected: str):
    with pytest.raises(InvalidInput, match=expected) as caught:
        read_treatment_starts(starts(tmp_path, rows))
    assert "P1" not in str(caught.value)


def test_two_names_of_one_subject_with_two_starts_are_refused(tmp_path: Path):
    with pytest.raises(InvalidInput, match="several starts"):
        treatment_start_of(starts(tmp_path, "P1,2024-01-31\nP2,2024-02-01\n"), "key", {"P1", "P2"})
