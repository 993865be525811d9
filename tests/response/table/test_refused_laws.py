"""Laws of refused input: damage to one cell never makes a response better, and takes no visit or subject away.

The size of a target at a follow-up is the exception for later visits: it is not evaluable, and costs what that costs.
"""

import datetime
from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from tumorresp.response.criteria import CRITERIA
from tumorresp.response.evaluate import evaluate_course, evaluate_reported
from tumorresp.response.protocol import Protocol
from tumorresp.response.table.conventions import TableConventions
from tumorresp.response.table.lesion_table import courses_of_subject
from tumorresp.response.table.response_table import reported_courses
from tumorresp.response.table.rows import understood_rows

DAYS = ("2024-01-10", "2024-03-10", "2024-05-12", "2024-07-10")
RANKS = {
    "PD": 0, "iUPD": 0, "iCPD": 0, "SD": 1, "iSD": 1, "NON-CR/NON-PD": 1, "NON-iCR/NON-iUPD": 1,
    "MR": 2, "PR": 3, "iPR": 3, "CR": 4, "iCR": 4, "NED": 4,
}  # fmt: skip
LESIONS = (("T01", "target", "lung"), ("T02", "target", "lymph node"), ("NT01", "non-target", "liver"))
SIZES = ("long_axis_mm", "short_axis_mm", "volume_mm3", "viable_long_axis_mm", "mean_density_hu")
Row = dict[str, object]


@dataclass(frozen=True)
class Result:
    """Responses by criterion and date, and best responses by criterion and confirmation."""

    responses: dict[tuple[str, datetime.date], str]
    best: dict[tuple[str, bool], str]


def evaluated(rows: list[Row]) -> Result:
    conventions = TableConventions()
    understood, _ = understood_rows("lesions", enumerate(rows, start=2), conventions)
    (course,), _ = courses_of_subject(understood, conventions)
    responses: dict[tuple[str, datetime.date], str] = {}
    best: dict[tuple[str, bool], str] = {}
    for outcome in evaluate_course(course, list(CRITERIA), Protocol()).outcomes:
        for visit, item in zip(course.visits, outcome.assessments, strict=True):
            responses[outcome.criterion, visit.date] = str(item.overall)
        for found in (outcome.best_response, outcome.confirmed_response):
            assert found is not None
            best[outcome.criterion, found.confirmed] = str(found.category)
    return Result(responses, best)


@st.composite
def target_cells(draw: st.DrawFn, first: bool) -> Row:
    length = draw(st.sampled_from([20, 30, 40] if first else [8, 10, 15, 20, 25, 30, 40, 50]))
    if not first and draw(st.integers(0, 6)) == 0:
        return {"state": draw(st.sampled_from(["absent", "not-evaluable", "too-small"]))}
    shorter = max(5, length - draw(st.sampled_from([2, 5])))
    return {
        "long_axis_mm": str(length),
        "short_axis_mm": str(max(shorter, 15) if first else shorter),
        "volume_mm3": str(length**3 // 2),
        "viable_long_axis_mm": str(length - 1),
        "mean_density_hu": str(draw(st.sampled_from([40, 50, 60]))),
    }


@st.composite
def tables(draw: st.DrawFn) -> list[Row]:
    days = DAYS[: draw(st.integers(2, 4))]
    lesions = LESIONS[: draw(st.integers(1, 3))]
    new_at = draw(st.sampled_from([None, 1, 2, 3]))
    rows: list[Row] = []
    for index, day in enumerate(days):
        common: Row = {"subject": "S", "date": day, "reference_date": "2024-01-12"}
        for name, role, site in lesions:
            row = common | {"lesion": name} | ({} if index else {"role": role, "site": site})
            if role == "target":
                row |= draw(target_cells(first=index == 0))
            else:
                words = ["present", "absent", "unequivocal-progression"] if index else ["present"]
                row |= {"state": draw(st.sampled_from(words))}
            row |= draw(st.sampled_from([{}, {}, {"markers_elevated": "yes"}, {"markers_elevated": "no"}]))
            rows.append(row)
        if new_at is not None and (index == new_at or (index > new_at and draw(st.booleans()))):
            state = draw(st.sampled_from(["present", "equivocal", "measured"]))
            known = {"lesion": "NEW01", "site": "liver", "state": state, "long_axis_mm": "14"}
            rows.append(common | known | ({"role": "new"} if index == new_at else {}))
    return rows


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_damage_to_a_cell_never_makes_a_response_better(data: st.DataObject) -> None:
    rows = data.draw(tables())
    number = data.draw(st.integers(0, len(rows) - 1))
    column = data.draw(st.sampled_from([name for name in rows[number] if name not in ("subject", "site")]))
    damaged = [dict(row) for row in rows]
    damaged[number][column] = "" if column == "lesion" else "§"
    whole, left = evaluated(rows), evaluated(damaged)
    counts_on = is_target_at_follow_up(rows[number]) and column in (*SIZES, "state")
    for (criterion, day), response in whole.responses.items():
        now = left.responses.get((criterion, day))
        if counts_on and str(day) > str(rows[number]["date"]):
            continue
        if now is None:
            assert column == "date", "a visit is gone"
        elif response in RANKS and now in RANKS:
            assert RANKS[now] <= RANKS[response], (criterion, day, column)
    if counts_on:
        return
    for key, category in whole.best.items():
        if category in RANKS and left.best[key] in RANKS:
            assert RANKS[left.best[key]] <= RANKS[category], (key, column)


def is_target_at_follow_up(row: Row) -> bool:
    return str(row["lesion"]).startswith("T") and row["date"] != DAYS[0]


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_damaged_target_costs_what_one_costs_that_was_not_evaluable(data: st.DataObject) -> None:
    rows = data.draw(tables())
    number = data.draw(st.sampled_from([n for n, row in enumerate(rows) if is_target_at_follow_up(row)]))
    bare = {name: value for name, value in rows[number].items() if name not in (*SIZES, "state")}
    damaged, missing = list(rows), list(rows)
    damaged[number] = bare | {"long_axis_mm": "1o", "short_axis_mm": "1o"}
    missing[number] = bare | {"state": "not-evaluable"}
    left, right = evaluated(damaged), evaluated(missing)
    for criterion in ("recist-1.1", "irecist", "rano"):
        assert {k: v for k, v in left.responses.items() if k[0] == criterion} == {
            k: v for k, v in right.responses.items() if k[0] == criterion
        }
        assert {k: v for k, v in left.best.items() if k[0] == criterion} == {
            k: v for k, v in right.best.items() if k[0] == criterion
        }


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_damaged_size_never_takes_a_visit_away(data: st.DataObject) -> None:
    rows = data.draw(tables())
    number = data.draw(st.integers(0, len(rows) - 1))
    damaged = [dict(row) for row in rows]
    damaged[number] |= {"long_axis_mm": "14,0", "state": "shrunk"}
    assert {day for _, day in evaluated(damaged).responses} == {day for _, day in evaluated(rows).responses}


def best_of_reported(rows: list[Row]) -> dict[bool, str]:
    """Return the best responses of one subject by confirmation."""
    conventions = TableConventions()
    understood, _ = understood_rows("responses", enumerate(rows, start=2), conventions)
    (course,), _ = reported_courses(understood, conventions)
    (outcome,) = evaluate_reported(course, Protocol()).outcomes
    found = (outcome.best_response, outcome.confirmed_response)
    return {item.confirmed: str(item.category) for item in found if item is not None}


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_damage_to_a_reported_response_never_makes_the_best_one_better(data: st.DataObject) -> None:
    plain = st.sampled_from(["CR", "PR", "SD", "NON-CR/NON-PD", "PD", "NE"])
    immune = st.sampled_from(["iCR", "iPR", "iSD", "iUPD", "iCPD", "NE"])
    words = data.draw(st.lists(data.draw(st.sampled_from([plain, immune])), min_size=1, max_size=5))
    rows: list[Row] = []
    for index, word in enumerate(words):
        day = datetime.date(2024, 3, 1) + datetime.timedelta(days=50 * index)
        more: Row = {"progression_date": str(day - datetime.timedelta(days=60))} if word == "PD" and index else {}
        rows.append({"subject": "S", "date": str(day), "response": word, "reference_date": "2024-01-02"} | more)
    if data.draw(st.booleans()):
        rows[0]["new_therapy_date"] = data.draw(st.sampled_from(["2024-04-01", "2024-06-01"]))
    number = data.draw(st.integers(0, len(rows) - 1))
    column = data.draw(st.sampled_from([name for name in rows[number] if name != "subject"]))
    damaged = [dict(row) for row in rows]
    damaged[number][column] = data.draw(st.sampled_from(["§", "2024-13-45"]))
    whole, left = best_of_reported(rows), best_of_reported(damaged)
    assert left.keys() == whole.keys()
    for confirmed, category in whole.items():
        if category in RANKS and left[confirmed] in RANKS:
            assert RANKS[left[confirmed]] <= RANKS[category], (confirmed, column)
