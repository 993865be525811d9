"""Lesion tables: every kind of bad row is found by its number, and the rest is used."""

import datetime
from decimal import Decimal

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tumorresp.domain.errors import InvalidInput
from tumorresp.domain.finding import Finding, Severity
from tumorresp.domain.measurement import LesionRole, LesionState
from tumorresp.response.subject import Demographics, SubjectCourse
from tumorresp.response.table.columns import LESION_COLUMNS, RESPONSE_COLUMNS, json_schema
from tumorresp.response.table.conventions import PartialDates, TableConventions
from tumorresp.response.table.lesion_table import courses_of_subject
from tumorresp.response.table.rows import table_kind, understood_rows

BASELINE = {
    "subject": "S1",
    "date": "2024-01-10",
    "lesion": "T01",
    "role": "target",
    "site": "lung",
    "long_axis_mm": "30.0",
}
LATER = {"subject": "S1", "date": "2024-03-10", "lesion": "T01", "long_axis_mm": "21.0"}


def read(
    *rows: dict[str, object], conventions: TableConventions | None = None
) -> tuple[list[SubjectCourse], list[Finding]]:
    chosen = conventions or TableConventions()
    understood, findings = understood_rows("lesions", enumerate(rows, start=2), chosen)
    if not understood:
        return [], findings
    courses, more = courses_of_subject(understood, chosen)
    return courses, [*findings, *more, *(finding for course in courses for finding in course.findings)]


def codes(findings: list[Finding]) -> dict[str, str]:
    return {finding.code: finding.where for finding in findings}


def test_rows_become_visits_in_order_of_date() -> None:
    (course,), findings = read(BASELINE, LATER)
    assert [(v.name, v.date) for v in course.visits] == [
        ("Baseline", datetime.date(2024, 1, 10)),
        ("Follow-up 1", datetime.date(2024, 3, 10)),
    ]
    assert [v.observations[0].long_axis_mm for v in course.visits] == [Decimal(30), Decimal(21)]
    assert course.visits[1].observations[0].role is LesionRole.TARGET
    assert course.visits[1].observations[0].organ == "lung"
    assert [v.observations[0].source for v in course.visits] == ["row 2", "row 3"]
    assert findings == []


def test_unsorted_rows_are_sorted_and_it_is_said() -> None:
    (course,), findings = read(LATER | {"role": "target"}, BASELINE)
    assert [v.date.month for v in course.visits] == [1, 3]
    assert codes(findings) == {"rows-not-in-order": "row 2"}


@pytest.mark.parametrize(
    ("change", "code", "where"),
    [
        ({"long_axis_mm": "-3"}, "unreadable-cell", "row 3, long_axis_mm"),
        ({"long_axis_mm": "NaN"}, "unreadable-cell", "row 3, long_axis_mm"),
        ({"long_axis_mm": "inf"}, "unreadable-cell", "row 3, long_axis_mm"),
        ({"long_axis_mm": "2,1"}, "unreadable-cell", "row 3, long_axis_mm"),
        ({"long_axis_mm": True}, "unreadable-cell", "row 3, long_axis_mm"),
        ({"date": "10.03.2024"}, "unreadable-cell", "row 3, date"),
        ({"date": "2024-02-30"}, "unreadable-cell", "row 3, date"),
        ({"date": "2024-03"}, "partial-date", "row 3, date"),
        ({"date": "2024"}, "partial-date", "row 3, date"),
        ({"date": ""}, "empty-cell", "row 3, date"),
        ({"lesion": " "}, "empty-cell", "row 3, lesion"),
        ({"state": "shrunk"}, "unreadable-cell", "row 3, state"),
        ({"role": "primary"}, "unreadable-cell", "row 3, role"),
        ({"nodal": "perhaps"}, "unreadable-cell", "row 3, nodal"),
        ({"unit": "inch"}, "unreadable-cell", "row 3, unit"),
    ],
)
def test_a_bad_cell_costs_its_row_alone(change: dict[str, object], code: str, where: str) -> None:
    (course,), findings = read(BASELINE, LATER | change)
    assert len(course.visits) == 1
    assert codes(findings) == {code: where}
    assert findings[0].severity is Severity.ERROR


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"short_axis_mm": "25"}, "sizes-contradict"),
        ({"volume_mm3": "1000", "volume_ml": "1"}, "sizes-contradict"),
        ({"long_axis_mm": "", "state": "measured"}, "sizes-contradict"),
        ({"long_axis_mm": ""}, "neither-size-nor-state"),
    ],
)
def test_a_row_that_contradicts_itself_is_not_evaluable(change: dict[str, object], code: str) -> None:
    (course,), findings = read(BASELINE, LATER | change)
    assert course.visits[1].observations[0].state is LesionState.NOT_EVALUABLE
    assert codes(findings) == {code: "row 3"}
    assert findings[0].severity is Severity.ERROR


def test_two_sizes_on_one_date_are_neither_used() -> None:
    (course,), findings = read(BASELINE, LATER, LATER | {"long_axis_mm": "35"})
    seen = course.visits[1].observations
    assert [(item.state, item.long_axis_mm) for item in seen] == [(LesionState.NOT_EVALUABLE, None)]
    assert codes(findings) == {"several-sizes": "row 4"}
    assert "rows 3, 4" in findings[0].message


def test_a_repeated_row_is_used_once_and_said() -> None:
    (course,), findings = read(BASELINE, LATER, LATER)
    assert course.visits[1].observations[0].long_axis_mm == 21
    assert [(f.code, f.severity) for f in findings] == [("row-twice", Severity.WARNING)]


@pytest.mark.parametrize(
    ("convention", "text", "expected"),
    [
        (PartialDates.FIRST, "2024-02", "2024-02-01"),
        (PartialDates.MIDDLE, "2024-02", "2024-02-15"),
        (PartialDates.LAST, "2024-02", "2024-02-29"),
        (PartialDates.FIRST, "2024", "2024-01-01"),
        (PartialDates.MIDDLE, "2024", "2024-07-01"),
        (PartialDates.LAST, "2024", "2024-12-31"),
    ],
)
def test_partial_dates_are_imputed_where_the_protocol_says_so(
    convention: PartialDates, text: str, expected: str
) -> None:
    early = BASELINE | {"date": "2023-12-01"}
    (course,), findings = read(early, LATER | {"date": text}, conventions=TableConventions(partial_dates=convention))
    assert course.visits[1].date.isoformat() == expected
    assert codes(findings) == {"partial-date-imputed": "row 3, date"}


def test_a_month_that_is_none_is_never_imputed() -> None:
    courses, findings = read(LATER | {"date": "2024-13"}, conventions=TableConventions(PartialDates.FIRST))
    assert courses == []
    assert codes(findings) == {"partial-date": "row 2, date"}


def test_centimetres_are_converted_where_the_row_says_so() -> None:
    (course,), findings = read(
        BASELINE | {"long_axis_mm": "3.0", "short_axis_mm": "2.2", "unit": "CM"}, LATER | {"volume_ml": "4.5"}
    )
    first, second = (visit.observations[0] for visit in course.visits)
    assert (first.long_axis_mm, first.short_axis_mm) == (30, 22)
    assert second.volume_mm3 == 4500
    assert findings == []


def test_a_table_that_looks_like_centimetres_is_questioned() -> None:
    (_,), findings = read(BASELINE | {"long_axis_mm": "3.0"}, LATER | {"long_axis_mm": "2.1"})
    assert codes(findings) == {"perhaps-centimetres": "row 2"}


def test_evaluators_are_courses_of_their_own() -> None:
    courses, findings = read(
        BASELINE | {"evaluator": "R1"},
        BASELINE | {"evaluator": "R2", "long_axis_mm": "33"},
        LATER | {"evaluator": "R1"},
    )
    assert [(c.evaluator, len(c.visits)) for c in courses] == [("R1", 2), ("R2", 1)]
    assert findings == []


def test_rows_without_evaluator_beside_others_are_not_used() -> None:
    courses, findings = read(BASELINE | {"evaluator": "R1"}, LATER)
    assert [(c.evaluator, len(c.visits)) for c in courses] == [("R1", 1)]
    assert codes(findings) == {"evaluators-mixed": "row 3"}


def test_one_evaluator_can_be_asked_for() -> None:
    rows = (BASELINE | {"evaluator": "R1"}, BASELINE | {"evaluator": "R2"})
    courses, _ = read(*rows, conventions=TableConventions(evaluator="R2"))
    assert [c.evaluator for c in courses] == ["R2"]


def test_scans_of_one_visit_on_two_days() -> None:
    (course,), findings = read(
        BASELINE,
        LATER | {"visit": "Week 8"},
        LATER | {"visit": "Week 8", "lesion": "T02", "role": "target", "date": "2024-03-14"},
    )
    visit = course.visits[1]
    assert (visit.name, visit.first_date, visit.date) == (
        "Week 8",
        datetime.date(2024, 3, 10),
        datetime.date(2024, 3, 14),
    )
    assert findings == []


def test_a_visit_spread_over_months_is_questioned() -> None:
    (_,), findings = read(BASELINE | {"visit": "Scan"}, LATER | {"visit": "Scan", "lesion": "T02", "role": "target"})
    assert codes(findings) == {"visit-spread": "row 2"}


def test_two_visits_on_one_date_are_one() -> None:
    (course,), findings = read(
        BASELINE,
        LATER | {"visit": "A"},
        LATER | {"visit": "B", "lesion": "NT01", "role": "non-target", "state": "present", "long_axis_mm": ""},
    )
    assert [item.lesion_id for item in course.visits[1].observations] == ["T01", "NT01"]
    assert codes(findings) == {"duplicate-visit": "row 4"}


def test_a_lesion_without_role_is_not_used() -> None:
    (course,), findings = read(BASELINE, LATER | {"lesion": "X1"})
    assert course.visits[1].observations == ()
    assert codes(findings) == {"role-not-given": "row 3"}


def test_role_site_and_nodal_that_change_are_reported() -> None:
    (course,), findings = read(
        BASELINE | {"nodal": "no"}, LATER | {"role": "non-target", "site": "liver", "nodal": "yes"}
    )
    seen = course.visits[1].observations[0]
    assert (seen.role, seen.organ, seen.nodal) == (LesionRole.TARGET, "lung", False)
    assert codes(findings) == dict.fromkeys(("role-changes", "site-changes", "nodal-changes"), "row 3")


def test_nodes_are_recognised_by_their_site() -> None:
    (course,), findings = read(BASELINE | {"site": "mediastinal lymph node", "short_axis_mm": "18"})
    assert course.visits[0].observations[0].nodal
    assert codes(findings) == {"node-by-site": "row 2"}
    (course,), findings = read(BASELINE | {"site": "lymph node", "nodal": "no"})
    assert not course.visits[0].observations[0].nodal
    assert codes(findings) == {"node-denied": "row 2"}


def test_size_zero_is_absent_and_said() -> None:
    (course,), findings = read(BASELINE, LATER | {"long_axis_mm": "0"})
    seen = course.visits[1].observations[0]
    assert (seen.state, seen.long_axis_mm) == (LesionState.ABSENT, None)
    assert codes(findings) == {"zero-size-is-absent": "row 3"}


def test_dates_of_a_subject_that_differ_are_not_used() -> None:
    (course,), findings = read(
        BASELINE | {"reference_date": "2024-01-15", "arm": "A"}, LATER | {"reference_date": "2024-01-16"}
    )
    assert course.dates.reference is None
    assert course.dates.arm == "A"
    assert codes(findings) == {"subject-date-differs": "row 2"}


@pytest.mark.parametrize(
    ("word", "sex"), [("F", "F"), ("female", "F"), ("m", "M"), ("Unknown", "U"), ("INTERSEX", "INTERSEX")]
)
def test_site_age_sex_and_race_of_a_subject(word: str, sex: str) -> None:
    said = {"study_site": "017", "age": "64", "sex": word, "race": "Asian"}
    (course,), findings = read(BASELINE | said, dict(LATER))
    assert findings == []
    assert course.dates.demographics == Demographics("017", Decimal(64), sex, "Asian")


def test_parents_of_fragments() -> None:
    (course,), _ = read(BASELINE, LATER | {"lesion": "T02/T03", "role": "target", "parents": "T02; T03"})
    assert course.visits[1].observations[0].parents == ("T02", "T03")


@pytest.mark.parametrize(
    ("names", "word"),
    [
        (["subject", "date", "lesion", "long_axis_cm"], "unit"),
        (["subject", "date", "lesion", "diameter"], "diameter"),
        (["subject", "lesion"], "date"),
        (["subject", "date", "lesion", "role", "role"], "twice"),
        ([], "subject"),
    ],
)
def test_headers_that_do_not_fit(names: list[str], word: str) -> None:
    with pytest.raises(InvalidInput, match=word):
        table_kind(names)


def test_tables_are_told_apart() -> None:
    assert table_kind(["subject", "date", "response"]) == "responses"
    assert table_kind(["subject", "date", "lesion"]) == "lesions"


_CELLS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-50, 200),
    st.sampled_from(
        [
            "",
            "S1",
            "2024-01-10",
            "target",
            "Too small",
            "yes",
            "cm",
            "CT",
            "x-ray",
            "12.5",
            "NE",
            "merged",
            "TRUE",
            "non_target",
        ]
    ),
)


@settings(max_examples=100, deadline=None)
@given(st.fixed_dictionaries({}, optional={column.name: _CELLS for column in LESION_COLUMNS}))
def test_the_schema_accepts_what_the_reader_accepts(cells: dict[str, object]) -> None:
    row = {"subject": "S1", "date": "2024-01-10", "lesion": "T01"} | cells
    _, findings = understood_rows("lesions", [(1, row)], TableConventions())
    validator = jsonschema.Draft202012Validator(json_schema("lesions"))
    assert validator.is_valid([row]) == (not findings), (row, findings)


@pytest.mark.parametrize("table", ["lesions", "responses"])
def test_schemas_are_schemas(table: str) -> None:
    jsonschema.Draft202012Validator.check_schema(json_schema(table))
    columns = {"lesions": LESION_COLUMNS, "responses": RESPONSE_COLUMNS}[table]
    assert list(json_schema(table)["items"]["properties"]) == [column.name for column in columns]
