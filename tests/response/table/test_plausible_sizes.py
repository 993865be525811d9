"""Slips of the unit and of the year are said at their row, and a response that may rest on one is provisional."""

import datetime
from decimal import Decimal

import pytest

from tumorresp.domain.errors import InvalidSettings
from tumorresp.domain.finding import Finding
from tumorresp.response.evaluate import evaluate_course
from tumorresp.response.outcome import SubjectOutcome
from tumorresp.response.protocol import Protocol
from tumorresp.response.table.conventions import TableConventions
from tumorresp.response.table.lesion_table import courses_of_subject
from tumorresp.response.table.rows import understood_rows

DAYS = ("2024-01-10", "2024-03-10", "2024-05-10", "2024-07-10")
CODES = ("perhaps-other-unit", "size-over-500-mm", "perhaps-centimetres", "date-unlikely")


def evaluated(
    rows: list[dict[str, object]], conventions: TableConventions | None = None, today: datetime.date | None = None
) -> tuple[SubjectOutcome, list[Finding]]:
    chosen = conventions or TableConventions()
    understood, findings = understood_rows("lesions", enumerate(rows, start=2), chosen, today)
    (course,), _ = courses_of_subject(understood, chosen)
    outcome = evaluate_course(course, ["recist-1.1", "volume-recist"], Protocol())
    return outcome, [f for f in (*findings, *course.findings) if f.code in CODES]


def course_of(sizes: list[str], column: str = "long_axis_mm", **more: str) -> list[dict[str, object]]:
    rows = [
        {"subject": "S", "date": day, "lesion": "T01", "role": "target", "site": "lung", column: size} | more
        for day, size in zip(DAYS, sizes, strict=False)
    ]
    return [dict(row) for row in rows]


@pytest.mark.parametrize(
    ("sizes", "where"),
    [
        pytest.param(["30", "2.1"], ["row 3"], id="centimetres at a follow-up"),
        pytest.param(["30", "2.1", "2.0"], ["row 3", "row 4"], id="centimetres from then on"),
        pytest.param(["30", "2.1", "22"], ["row 3"], id="centimetres once"),
        pytest.param(["3.0", "21"], ["row 3"], id="centimetres at the baseline"),
        pytest.param(["30", "21"], [], id="a response"),
        pytest.param(["30", "10", "3.3"], [], id="a deep response in steps"),
        pytest.param(["30", "200"], ["row 3"], id="a factor of 6.67 is near ten"),
        pytest.param(["30", "199"], [], id="a factor under 6.67 is not"),
        pytest.param(["30", "450"], ["row 3"], id="a factor of 15 is near ten"),
        pytest.param(["30", "451"], [], id="a factor over 15 is not"),
        pytest.param(["30", "500"], [], id="500 mm"),
        pytest.param(["30", "500.1"], ["row 3"], id="over 500 mm"),
    ],
)
def test_a_size_that_is_perhaps_in_another_unit(sizes: list[str], where: list[str]) -> None:
    _, findings = evaluated(course_of(sizes))
    noticed = [f for f in findings if f.code != "perhaps-centimetres"]
    assert [f.where for f in noticed] == where
    assert all(f.decides for f in noticed)


@pytest.mark.parametrize(
    ("sizes", "is_said"),
    [(["3.0", "2.1"], False), (["3.0", "3.5"], False), (["3.0", "3.6"], True), (["3.0", "8"], False)],
)
def test_small_targets_are_questioned_and_where_growth_depends_on_the_unit(sizes: list[str], is_said: bool) -> None:
    _, findings = evaluated(course_of(sizes))
    assert [(f.code, "in centimetres they progress" in f.message) for f in findings] == [
        ("perhaps-centimetres", is_said)
    ]


def test_the_short_axis_of_a_node_and_volumes_are_looked_at_too() -> None:
    node = [row | {"long_axis_mm": "40"} for row in course_of(["20", "1.5"], "short_axis_mm", nodal="yes")]
    assert [f.code for f in evaluated(node)[1]] == ["perhaps-other-unit"]
    volumes = course_of(["14000", "12"], "volume_mm3")
    assert [f.message.count("millilitres") for f in evaluated(volumes)[1]] == [1]
    assert evaluated(course_of(["14000", "2000"], "volume_mm3"))[1] == []


def test_sizes_in_the_unit_that_the_row_says_are_not_suspicious() -> None:
    rows = course_of(["30", "2.1"])
    rows[1] |= {"unit": "cm"}
    assert evaluated(rows)[1] == []


@pytest.mark.parametrize(
    ("sizes", "responses", "provisional"),
    [
        (["30", "2.1"], ["BASELINE", "PR"], [False, True]),
        (["30", "2.1", "22"], ["BASELINE", "PR", "PD"], [False, True, True]),
        (["30", "29", "290", "28"], ["BASELINE", "SD", "PD", "SD"], [False, False, True, False]),
        (["30", "21", "20"], ["BASELINE", "PR", "PR"], [False, False, False]),
        (["600", "590"], ["BASELINE", "SD"], [True, True]),
    ],
)
def test_a_response_that_may_rest_on_a_slip_is_provisional(
    sizes: list[str], responses: list[str], provisional: list[bool]
) -> None:
    outcome, _ = evaluated(course_of(sizes))
    assessments = outcome.outcomes[0].assessments
    assert [str(item.overall) for item in assessments] == responses
    assert [bool(item.provisional) for item in assessments] == provisional
    for item in assessments:
        assert bool(item.provisional) == any(f.code == "response-provisional" and f.decides for f in item.findings)
        assert bool(item.provisional) == any(reason.startswith("Provisional: ") for reason in item.reasons)


@pytest.mark.parametrize(
    ("column", "value", "is_said"),
    [
        ("date", "1989-12-31", True),
        ("date", "1990-01-01", False),
        ("date", "2024-06-01", False),
        ("date", "2024-06-02", True),
        ("reference_date", "1900-01-01", True),
        ("death_date", "2042-01-01", True),
    ],
)
def test_dates_before_1990_or_in_the_future(column: str, value: str, is_said: bool) -> None:
    rows = course_of(["30"])
    rows[0][column] = value
    _, findings = evaluated(rows, today=datetime.date(2024, 6, 1))
    assert [(f.where, f.decides) for f in findings] == ([(f"row 2, {column}", True)] if is_said else [])


def test_lengths_are_as_recorded_unless_the_protocol_has_a_precision() -> None:
    rows = course_of(["30.26", "20.25"])
    for conventions, sums in (
        (TableConventions(), ["30.26", "20.25"]),
        (TableConventions(precision_mm=Decimal("0.1")), ["30.3", "20.3"]),
        (TableConventions(precision_mm=Decimal(1)), ["30", "20"]),
    ):
        outcome, _ = evaluated(rows, conventions)
        assert [item.target_sum for item in outcome.outcomes[0].assessments] == [Decimal(text) for text in sums]
        for item in outcome.outcomes[0].assessments:
            assert sum(part.value or 0 for part in item.inputs) == item.target_sum
    centimetres = course_of(["3.026"], unit="cm")
    outcome, _ = evaluated(centimetres, TableConventions(precision_mm=Decimal("0.1")))
    assert outcome.outcomes[0].assessments[0].target_sum == Decimal("30.3")
    with pytest.raises(InvalidSettings, match="precision_mm"):
        TableConventions(precision_mm=Decimal(0))
