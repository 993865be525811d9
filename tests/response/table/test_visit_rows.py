"""Which rows are one visit: names first, then dates; close dates join where they measure different lesions."""

import datetime

import pytest

from tumorresp.response.table.conventions import TableConventions
from tumorresp.response.table.rows import Row
from tumorresp.response.table.visit_rows import rows_by_visit

START = datetime.date(2024, 1, 10)


def rows(text: str) -> list[Row]:
    """Return rows from "0 T01 T02 | 1 T03 | 60:Week 8 T01": the day, a name, and the lesions that have a row."""
    made: list[Row] = []
    for part in text.split("|"):
        when, *lesions = part.replace("eek ", "eek_").split()
        day, _, name = when.partition(":")
        for lesion in lesions:
            values: dict[str, object] = {"subject": "S", "lesion": lesion}
            if day != "?":
                values["date"] = START + datetime.timedelta(days=int(day))
            if name:
                values["visit"] = name.replace("_", " ")
            made.append(Row(len(made) + 2, values))  # type: ignore[arg-type]  # cells as read
    return made


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("0 T01 | 1 T02", [(0, 1)], id="chest and abdomen on two days"),
        pytest.param("0 T01 | 7 T02", [(0, 7)], id="the last day of the window"),
        pytest.param("0 T01 | 8 T02", [(0, 0), (8, 8)], id="the day after the window"),
        pytest.param("0 T01 | 4 T02 | 8 T03", [(0, 4), (8, 8)], id="the window counts from the first scan"),
        pytest.param("0 T01 T02 | 1 T02 T03", [(0, 0), (1, 1)], id="one lesion in both"),
        pytest.param("0 T01 | 7 T01 | 14 T01 | 21 T01", [(0, 0), (7, 7), (14, 14), (21, 21)], id="a weekly schedule"),
        pytest.param("0 T01 | 1 T02 | 60 T01 | 61 T02", [(0, 1), (60, 61)], id="every visit on two days"),
        pytest.param("0 T01 | 3 NEW01", [(0, 0), (3, 3)], id="a new lesion never joins the baseline"),
        pytest.param("0 T01 | 60 T01 | 63 NEW01", [(0, 0), (60, 63)], id="a new lesion joins a follow-up"),
        pytest.param("0:Week 1 T01 | 1:Week 2 T02", [(0, 0), (1, 1)], id="names keep apart"),
        pytest.param("0:Week 1 T01 | 40:Week 1 T02", [(0, 40)], id="a name holds together"),
        pytest.param("0:Week 1 T01 | 3:week 1 T02", [(0, 3)], id="a name in other case"),
        pytest.param("0:Week 1 T01 | 1 T02", [(0, 1)], id="no name beside a name"),
        pytest.param("0:Week 1 T01 | ?:Week 1 T02", [(0, 0)], id="no date, but a name"),
    ],
)
def test_rows_of_one_visit(text: str, expected: list[tuple[int, int]]) -> None:
    grouped = rows_by_visit(rows(text), TableConventions(), {"NEW01"}, None)
    assert [((g.first_date - START).days, (g.date - START).days) for g in grouped.visits] == expected
    assert grouped.undated == ()


def test_joining_is_said_and_can_be_switched_off() -> None:
    grouped = rows_by_visit(rows("0 T01 | 1 T02"), TableConventions(), (), None)
    assert [(f.code, f.where) for f in grouped.findings] == [("scans-joined", "row 3")]
    assert len(rows_by_visit(rows("0 T01 | 1 T02"), TableConventions(same_visit_days=0), (), None).visits) == 2


def test_a_known_treatment_start_says_which_visits_may_be_the_baseline() -> None:
    text = "0 T01 | 30 T01 | 33 NEW01"
    after = rows_by_visit(rows(text), TableConventions(), {"NEW01"}, START + datetime.timedelta(days=5))
    before = rows_by_visit(rows(text), TableConventions(), {"NEW01"}, START + datetime.timedelta(days=31))
    assert (len(after.visits), len(before.visits)) == (2, 3)


def test_rows_without_a_date_or_a_dated_visit_are_undated() -> None:
    grouped = rows_by_visit(rows("0 T01 | ? T02 | ?:Week 9 T03"), TableConventions(), (), None)
    assert [row.number for row in grouped.undated] == [3, 4]
