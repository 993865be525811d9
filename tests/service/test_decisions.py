"""A person's decisions from a CSV file."""

from pathlib import Path

import pytest

from tumorresp.domain.errors import InvalidInput, Missing
from tumorresp.service.decisions import read_decisions


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
