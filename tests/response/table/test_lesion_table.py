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
from tumorresp.response.evaluate import evaluate_course
from tumorresp.response.protocol import Protocol, protocol_from
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


def response(course: SubjectCourse, criterion: str = "recist-1.1") -> list[str]:
    (outcome,) = evaluate_course(course, [criterion], Protocol()).outcomes
    return [str(item.overall) for item in outcome.assessments]


@pytest.mark.parametrize(
    ("change", "code", "where"),
    [
        ({"long_axis_mm": "-3"}, "unreadable-cell", "row 3, long_axis_mm"),
        ({"long_axis_mm": "NaN"}, "unreadable-cell", "row 3, long_axis_mm"),
        ({"long_axis_mm": "inf"}, "unreadable-cell", "row 3, long_axis_mm"),
        ({"long_axis_mm": "2,1"}, "unreadable-cell", "row 3, long_axis_mm"),
        ({"long_axis_mm": True}, "unreadable-cell", "row 3, long_axis_mm"),
        ({"short_axis_mm": "x"}, "unreadable-cell", "row 3, short_axis_mm"),
        ({"state": "shrunk"}, "unreadable-cell", "row 3, state"),
        ({"unit": "inch"}, "unreadable-cell", "row 3, unit"),
        ({"lesion": " "}, "empty-cell", "row 3, lesion"),
    ],
)
def test_a_lesion_that_cannot_be_read_is_there_and_not_evaluable(
    change: dict[str, object], code: str, where: str
) -> None:
    (course,), findings = read(BASELINE, LATER | change)
    assert [visit.date.isoformat() for visit in course.visits] == ["2024-01-10", "2024-03-10"]
    assert codes(findings) == {code: where}
    assert (findings[0].severity, findings[0].decides) == (Severity.ERROR, True)
    assert len(course.visits[1].refused) == 1
    assert response(course) == ["BASELINE", "NE"]


@pytest.mark.parametrize(
    ("change", "code", "where"),
    [
        ({"date": "10.03.2024"}, "unreadable-cell", "row 3, date"),
        ({"date": "2024-02-30"}, "unreadable-cell", "row 3, date"),
        ({"date": "2024-03"}, "partial-date", "row 3, date"),
        ({"date": "2024"}, "partial-date", "row 3, date"),
        ({"date": ""}, "empty-cell", "row 3, date"),
    ],
)
def test_a_row_of_unknown_date_keeps_every_response_back(change: dict[str, object], code: str, where: str) -> None:
    (course,), findings = read(BASELINE, LATER | change, LATER | {"date": "2024-05-10"})
    assert [visit.date.isoformat() for visit in course.visits] == ["2024-01-10", "2024-05-10"]
    assert codes(findings) == {code: where}
    assert [item.where for item in course.refused] == ["row 3"]
    assert response(course) == ["BASELINE", "NE"]


def test_a_row_of_unknown_date_belongs_to_the_visit_that_it_names() -> None:
    (course,), _ = read(
        BASELINE | {"visit": "Screening"},
        BASELINE | {"visit": "Screening", "lesion": "T02"},
        LATER | {"visit": "Week 8"},
        LATER | {"visit": "week 8", "lesion": "T02", "date": "10/3/24"},
    )
    assert [len(visit.observations) for visit in course.visits] == [2, 2]
    assert course.refused == ()
    assert response(course) == ["BASELINE", "PR"]


@pytest.mark.parametrize(
    "change",
    [
        {"role": "primary"},
        {"nodal": "perhaps"},
        {"irradiated": "perhaps"},
        {"method": "PET"},
        {"slice_thickness_mm": "thin"},
        {"last_alive_date": "2024"},
        {"clinically_stable": "?"},
        {"volume_ml": "-1"},
        {"mean_density_hu": "?"},
    ],
)
def test_a_cell_that_the_row_does_not_need_costs_itself_alone(change: dict[str, object]) -> None:
    (course,), findings = read(BASELINE | {"nodal": "no"}, LATER | {"reference_date": "2024-01-11"} | change)
    assert [finding.severity for finding in findings] == [Severity.ERROR]
    assert course.visits[1].observations[0].long_axis_mm == 21
    assert course.dates.reference == datetime.date(2024, 1, 11)
    assert response(course) == ["BASELINE", "PR"]


@pytest.mark.parametrize(
    ("change", "criterion", "kept"),
    [
        ({"volume_mm3": "9,5"}, "volume-recist", "NE"),
        ({"volume_mm3": "9,5"}, "recist-1.1", "PR"),
        ({"mean_density_hu": "?"}, "choi", "NE"),
        ({"mean_density_hu": "?"}, "recist-1.1", "PR"),
        ({"markers_elevated": "?"}, "recist-1.1", "PR"),
        ({"long_axis_mm": "", "state": "absent", "volume_mm3": "", "markers_elevated": "?"}, "recist-1.1", "NE"),
        ({"long_axis_mm": "", "state": "absent", "volume_mm3": "", "markers_elevated": "no"}, "recist-1.1", "CR"),
    ],
)
def test_what_one_criterion_needs_keeps_that_one_back(change: dict[str, object], criterion: str, kept: str) -> None:
    sizes = {"volume_mm3": "9000", "mean_density_hu": "50"}
    (course,), _ = read(BASELINE | sizes, LATER | {"volume_mm3": "2000", "mean_density_hu": "30"} | change)
    assert response(course, criterion) == ["BASELINE", kept]


NEW = {"subject": "S1", "date": "2024-03-10", "lesion": "NEW01", "role": "new", "site": "liver", "long_axis_mm": "14.0"}
NON_TARGET = {"subject": "S1", "date": "2024-01-10", "lesion": "NT01", "role": "non-target", "state": "present"}
WORSE = {"subject": "S1", "date": "2024-03-10", "lesion": "NT01", "state": "unequivocal-progression"}


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        pytest.param([NEW], ["PD", "PD"], id="whole"),
        pytest.param([NEW | {"long_axis_mm": "14,0"}], ["NE", "NE"], id="size of a new lesion"),
        pytest.param([NEW | {"state": "presnt"}], ["NE", "NE"], id="state of a new lesion"),
        pytest.param([NEW | {"role": "nwe"}], ["NE", "NE"], id="role of a new lesion"),
        pytest.param([NEW | {"lesion": ""}], ["NE", "NE"], id="name of a new lesion"),
        pytest.param([NEW | {"long_axis_mm": ""}], ["NE", "NE"], id="new lesion of which nothing is said"),
        pytest.param([NEW, NEW | {"long_axis_mm": "20"}], ["NE", "NE"], id="new lesion with two sizes"),
        pytest.param([NEW | {"slice_thickness_mm": "thin"}], ["PD", "PD"], id="a cell that is not needed"),
        pytest.param(
            [NEW | {"long_axis_mm": "14,0"}, NEW | {"date": "2024-05-10"}],
            ["NE", "PD"],
            id="readable at the next visit",
        ),
        pytest.param(
            [NEW | {"long_axis_mm": "14,0"}, NEW | {"date": "2024-05-10", "long_axis_mm": "", "state": "absent"}],
            ["NE", "PR"],
            id="gone at the next visit",
        ),
        pytest.param([NON_TARGET, WORSE], ["PD", "PR"], id="progression of a non-target lesion"),
        pytest.param(
            [NON_TARGET, WORSE | {"state": "unequivocal progresion"}], ["NE", "PR"], id="misspelt progression"
        ),
        pytest.param([NON_TARGET, WORSE | {"state": ""}], ["PR", "PR"], id="non-target lesion that was not assessed"),
    ],
)
def test_a_refused_row_that_may_be_progression_leaves_no_response(
    rows: list[dict[str, object]], expected: list[str]
) -> None:
    (course,), _ = read(BASELINE, LATER, LATER | {"date": "2024-05-10"}, *rows)
    assert response(course) == ["BASELINE", *expected]


def test_progression_that_is_proven_stays() -> None:
    (course,), _ = read(BASELINE, LATER | {"long_axis_mm": "45"}, NEW | {"long_axis_mm": "14,0"})
    assert response(course) == ["BASELINE", "PD"]


@pytest.mark.parametrize("state", ["measured", "present", "equivocal"])
def test_a_lesion_called_new_at_a_first_visit_without_others_is_no_absence_of_disease(state: str) -> None:
    size = {"long_axis_mm": "14"} if state == "measured" else {}
    first = {"subject": "S1", "date": "2024-03-12", "lesion": "N1", "role": "new", "site": "liver", "state": state}
    (course,), _ = read(first | size, first | size | {"date": "2024-05-12", "role": ""})
    assert response(course) == ["BASELINE", "NE"]
    (later,), _ = read(first | size, NEW | {"date": "2024-05-12", "lesion": "N2", "long_axis_mm": "14"})
    assert response(later) == ["BASELINE", "PD"]


def test_a_first_visit_without_disease_and_a_new_lesion_later_is_progression() -> None:
    empty = {"subject": "S1", "date": "2024-01-10", "lesion": "NT1", "role": "non-target", "site": "liver"}
    (course,), _ = read(empty | {"state": "absent"}, NEW | {"long_axis_mm": "14"})
    assert response(course) == ["BASELINE", "PD"]


def test_an_unreadable_baseline_leaves_the_target_response_open() -> None:
    (course,), _ = read(BASELINE | {"long_axis_mm": "30,0"}, LATER, LATER | {"date": "2024-05-10"} | NEW)
    (outcome,) = evaluate_course(course, ["recist-1.1"], Protocol()).outcomes
    assert [(str(item.target), str(item.overall)) for item in outcome.assessments] == [
        ("BASELINE", "BASELINE"),
        ("NE", "PD"),
    ]
    two, _ = read(BASELINE, BASELINE | {"lesion": "T02", "long_axis_mm": "30,0"}, LATER)
    assert response(two[0]) == ["BASELINE", "NE"]  # never by the other target alone


def marked(*sizes: str, **other: str) -> tuple[list[str], list[bool], list[str]]:
    """Return responses, marks of the nadir, and best responses (unconfirmed, confirmed) of one target every 60 days."""
    days = ("2024-01-10", "2024-03-10", "2024-05-10", "2024-07-10", "2024-09-10")
    sized = [LATER | {"date": day, "long_axis_mm": size} for day, size in zip(days, sizes, strict=False)]
    (course,), _ = read(
        BASELINE | {"long_axis_mm": sizes[0], "reference_date": "2024-01-11"}, *sized[1:], *_more(other)
    )
    (outcome,) = evaluate_course(course, ["recist-1.1"], Protocol()).outcomes
    words = [str(item.overall) for item in outcome.assessments[1:]]
    marks = [
        any(f.code == "nadir-not-read" and f.decides for f in item.findings) and bool(item.refused)
        for item in outcome.assessments[1:]
    ]
    best = [item.category for item in (outcome.best_response, outcome.confirmed_response) if item is not None]
    return words, marks, [str(item) for item in best]


def _more(other: dict[str, str]) -> list[dict[str, object]]:
    return [NEW | {"date": "2024-05-10", "long_axis_mm": other["new"]}] if "new" in other else []


@pytest.mark.parametrize(
    ("sizes", "words", "marks", "best"),
    [
        pytest.param(["60", "40", "4o", "40"], ["PR", "NE", "PR"], [0, 0, 1], ["PR", "PR"], id="nadir before it"),
        pytest.param(["60", "4o", "40", "40"], ["NE", "PR", "PR"], [0, 1, 1], ["PR", "PR"], id="first follow-up"),
        pytest.param(["60", "4o", "55", "56"], ["NE", "SD", "SD"], [0, 1, 1], ["SD", "SD"], id="stable"),
        pytest.param(["60", "40", "4o", "50"], ["PR", "NE", "PD"], [0, 0, 0], ["PR", "SD"], id="progression is sure"),
        pytest.param(["60", "40", "4o", "0"], ["PR", "NE", "CR"], [0, 0, 0], ["CR", "PR"], id="gone is gone"),
        pytest.param(
            ["60", "40", "4o", "x", "40"], ["PR", "NE", "NE", "PR"], [0, 0, 0, 1], ["PR", "SD"], id="two NE between"
        ),
        pytest.param(["6o", "40", "40"], ["NE", "NE"], [0, 0], ["NE", "NE"], id="baseline"),
    ],
)
def test_a_refused_size_of_a_target_costs_its_visit_and_marks_later_ones(
    sizes: list[str], words: list[str], marks: list[int], best: list[str]
) -> None:
    assert marked(*sizes) == (words, [bool(mark) for mark in marks], best)


def test_a_refused_new_lesion_beside_a_refused_target_keeps_later_responses_back() -> None:
    words, _, best = marked("60", "40", "4o", "40", new="1o")
    assert (words, best) == (["PR", "NE", "NE"], ["PR", "SD"])


def test_a_refused_size_marks_only_where_it_matters() -> None:
    baseline = [BASELINE, BASELINE | {"lesion": "T02", "long_axis_mm": "60"}]
    refused = [LATER | {"long_axis_mm": "2,1"}, LATER | {"lesion": "T02", "long_axis_mm": "50"}]
    last = [LATER | {"date": "2024-05-10"}, LATER | {"date": "2024-05-10", "lesion": "T02"}]
    for first, second, expected in (
        ("21", "30", ("PR", False)),  # 51 mm: under any nadir that 50 mm and more can make
        ("25", "36", ("PR", True)),  # 61 mm: PD if T01 was gone (50 mm)
    ):
        (course,), _ = read(*baseline, *refused, last[0] | {"long_axis_mm": first}, last[1] | {"long_axis_mm": second})
        (outcome,) = evaluate_course(course, ["recist-1.1"], Protocol()).outcomes
        item = outcome.assessments[2]
        assert (str(item.overall), bool(item.refused)) == expected


def test_a_later_response_does_not_confirm_across_a_refused_visit() -> None:
    rows = [LATER | {"date": day} for day in ("2024-03-10", "2024-05-10", "2024-07-10")]
    more = {"reference_date": "2024-01-11"}
    (course,), _ = read(BASELINE | more, rows[0], rows[1], NEW | {"date": "2024-05-10", "long_axis_mm": "x"}, rows[2])
    (outcome,) = evaluate_course(course, ["recist-1.1"], Protocol()).outcomes
    assert outcome.best_response is not None
    assert outcome.confirmed_response is not None
    assert (str(outcome.best_response.category), str(outcome.confirmed_response.category)) == ("PR", "SD")
    assert [f.code for f in outcome.confirmed_response.findings] == ["best-response-kept-back"]


@pytest.mark.parametrize("name", ["reference_date", "first_treatment_date"])
def test_a_treatment_start_that_cannot_be_read_leaves_the_baseline_open(name: str) -> None:
    (course,), _ = read(BASELINE | {name: "01/11/2024"}, LATER)
    assert course.dates.refused == (name,)
    assert response(course) == ["BASELINE", "NE"]
    (course,), _ = read(BASELINE | {name: "01/11/2024"}, LATER | {name: "2024-01-11"})
    assert response(course) == ["BASELINE", "PR"]


def test_another_therapy_of_unknown_date_keeps_the_best_response_back() -> None:
    (course,), _ = read(BASELINE | {"reference_date": "2024-01-11"}, LATER | {"new_therapy_date": "soon"})
    (outcome,) = evaluate_course(course, ["recist-1.1"], Protocol()).outcomes
    assert outcome.best_response is not None
    assert str(outcome.best_response.category) == "NE"
    assert "new_therapy_date could not be read" in outcome.best_response.reasons[-1]


def test_a_stated_progression_of_unknown_date_matters_where_the_protocol_cuts_there() -> None:
    rows = (BASELINE | {"reference_date": "2024-01-11"}, LATER | {"stated_progression_date": "soon"})
    (course,), _ = read(*rows)
    for until, expected in (("stated", "NE"), ("first-pd", "PR")):
        protocol = protocol_from({"best_response": {"counted_until": until}})
        (outcome,) = evaluate_course(course, ["recist-1.1"], protocol).outcomes
        assert outcome.best_response is not None
        assert str(outcome.best_response.category) == expected


def test_a_death_of_unknown_date_is_said_at_the_end_points() -> None:
    (course,), _ = read(BASELINE | {"reference_date": "2024-01-11"}, LATER | {"death_date": "2024-13-01"})
    (outcome,) = evaluate_course(course, ["recist-1.1"], Protocol()).outcomes
    survival = next(item for item in outcome.end_points if item.name == "OS")
    assert survival.description == "Alive: last known alive (death_date could not be read)"


def test_whether_a_lesion_is_a_node_decides_which_axis_counts() -> None:
    (course,), _ = read(BASELINE | {"nodal": "perhaps"}, LATER)
    assert response(course) == ["BASELINE", "NE"]
    (course,), _ = read(BASELINE | {"nodal": "perhaps"}, LATER | {"nodal": "no"})
    assert response(course) == ["BASELINE", "PR"]


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
    (course,), findings = read(BASELINE | {"date": "2024-13"}, conventions=TableConventions(PartialDates.FIRST))
    assert course.visits == ()
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


def test_rows_without_evaluator_beside_others_may_be_of_any_of_them() -> None:
    courses, findings = read(BASELINE | {"evaluator": "R1"}, BASELINE | {"evaluator": "R2"}, LATER)
    assert [(c.evaluator, len(c.visits)) for c in courses] == [("R1", 2), ("R2", 2)]
    assert [response(course) for course in courses] == [["BASELINE", "NE"]] * 2
    assert codes(findings) == {"evaluators-mixed": "row 4"}


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
            "-",
            "n/a",
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
