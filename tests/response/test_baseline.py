"""Which visit is the baseline: the last complete scan before treatment; every other one before it counts in nothing."""

import datetime
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.response.courses import visits
from tumorresp.response.baseline import baseline_first, choose_baseline, treatment_start
from tumorresp.response.evaluate import evaluate_course
from tumorresp.response.observation import Visit
from tumorresp.response.protocol import Protocol
from tumorresp.response.subject import SubjectCourse, SubjectDates


def day(number: int) -> datetime.date:
    return datetime.date(2024, 1, 1) + datetime.timedelta(days=number)


def of(dates: SubjectDates, *texts: str) -> SubjectCourse:
    return baseline_first(SubjectCourse("S", "", visits(*texts), dates))


ONE = "T01=30"


@pytest.mark.parametrize(
    ("start", "texts", "index", "others"),
    [
        pytest.param(None, (ONE, ONE), 0, (), id="start not known: the first"),
        pytest.param(-1, (ONE, ONE), 0, (), id="all scans after treatment: the first"),
        pytest.param(0, (ONE, ONE), 0, (), id="on the day of treatment"),
        pytest.param(41, (ONE, ONE, ONE), 0, (), id="the day before the second scan"),
        pytest.param(42, (ONE, ONE, ONE), 1, (0,), id="the second scan on the day of treatment"),
        pytest.param(50, (ONE, ONE, ONE), 1, (0,), id="two before"),
        pytest.param(90, (ONE, ONE, ONE), 2, (0, 1), id="all before"),
        pytest.param(50, (ONE, "T01=ne", ONE), 0, (1,), id="the last is not evaluable"),
        pytest.param(50, ("T01=30 T02=20", ONE, ONE), 0, (1,), id="the last lacks a target"),
        pytest.param(50, ("T01=30 NT01=present", "T01=30 NT01=ne", ONE), 0, (1,), id="the last lacks a non-target"),
        pytest.param(50, (ONE, "T01=30 T02=20", ONE), 1, (0,), id="the last shows more"),
        pytest.param(50, ("T01=30 T02=ne", "T01=ne T02=20", ONE), 1, (0,), id="none complete: the latest of equals"),
        pytest.param(90, ("T01=30 T02=20", "T01=30 T02=ne", "T02=ne"), 0, (1, 2), id="none after it is complete"),
        pytest.param(
            50, ("T01=30 T02=20", "T01=30 T03=20", ONE), 0, (1,), id="a new one does not replace a missing one"
        ),
        pytest.param(50, (ONE, "T01=absent", ONE), 1, (0,), id="absent is evaluated"),
    ],
)
def test_the_last_complete_scan_before_treatment(
    start: int | None, texts: tuple[str, ...], index: int, others: tuple[int, ...]
) -> None:
    choice = choose_baseline(visits(*texts), None if start is None else day(start))
    assert (choice.index, choice.not_counted) == (index, others)


def test_the_choice_is_said() -> None:
    assert [f.code for f in choose_baseline(visits(ONE, ONE), None).findings] == ["baseline-is-first-scan"]
    assert choose_baseline(visits(ONE, ONE), day(1)).findings == ()
    found = choose_baseline(visits(ONE, "T01=ne", ONE), day(50)).findings
    assert [(f.code, f.decides) for f in found] == [
        ("baseline-before-treatment", False),
        ("baseline-incomplete", True),
    ]
    assert "T01" in found[1].message


def test_a_start_after_every_scan_is_questioned() -> None:
    (choice, other) = (choose_baseline(visits(ONE, ONE), day(number)) for number in (400, 20))
    assert [(f.code, f.decides) for f in choice.findings][1:] == [("every-scan-before-treatment", True)]
    assert other.findings == ()


def test_a_visit_of_several_days_lies_before_where_its_first_scan_does() -> None:
    first, second, third = visits(ONE, ONE, ONE)
    spread = replace(second, first_date=second.date - datetime.timedelta(days=3))
    assert choose_baseline((first, spread, third), second.date - datetime.timedelta(days=1)).index == 1


def test_the_first_dose_is_the_start_where_it_is_known() -> None:
    assert treatment_start(SubjectDates(reference=day(1), first_treatment=day(5))) == day(5)
    assert treatment_start(SubjectDates(reference=day(1))) == day(1)
    assert treatment_start(SubjectDates()) is None


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (("T01=100", "T01=70", "T01=69"), ["BASELINE", "SD"]),
        (("T01=30", "T01=50", "T01=45", "T01=34"), ["BASELINE", "SD", "PR"]),
        (("T01=30", "T01=50 T02=10", "T01=45 T02=10"), ["BASELINE", "SD"]),
    ],
)
def test_sums_and_changes_begin_at_the_baseline(texts: tuple[str, ...], expected: list[str]) -> None:
    course = of(SubjectDates(reference=day(50)), *texts)
    (outcome,) = evaluate_course(course, ["recist-1.1"], Protocol()).outcomes
    assert [str(item.overall) for item in outcome.assessments] == expected
    assert [visit.date for visit in course.before_treatment] == [day(0)]


@given(
    st.lists(st.sampled_from([ONE, "T01=ne", "T01=20 T02=15", "T02=15"]), min_size=1, max_size=6), st.integers(-5, 300)
)
def test_laws_of_the_choice(texts: list[str], start: int) -> None:
    made: tuple[Visit, ...] = visits(*texts)
    choice = choose_baseline(made, day(start))
    before = [index for index, visit in enumerate(made) if visit.date <= day(start)]
    assert choice.index in (before or [0])
    assert set(choice.not_counted) == set(before) - {choice.index}
    course = baseline_first(SubjectCourse("S", "", made, SubjectDates(reference=day(start))))
    assert baseline_first(course) == course  # choosing again changes nothing
    assert sorted((*course.visits, *course.before_treatment), key=lambda visit: visit.date) == list(made)
