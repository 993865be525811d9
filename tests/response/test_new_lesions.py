"""New lesions: definite, equivocal, confirmed, not assessed; nodes that were normal before."""

from decimal import Decimal

import pytest

from tests.response.courses import visits
from tumorresp.response import Recist11Parameters, assess_recist_1_1
from tumorresp.response.irecist import assess_irecist

# New-lesion status and overall response of every follow-up; T01 does not change.
EXAMPLES = [
    (["NEW01=8"], ["yes PD"]),
    (["NEW01=present"], ["yes PD"]),
    (["NEW01=small"], ["yes PD"]),
    (["NEW01=pd"], ["yes PD"]),
    (["NEW01=absent"], ["no SD"]),
    (["NEW01=ne"], ["no SD"]),
    (["NEW01=equivocal"], ["equivocal SD"]),
    (["NEW01=equivocal", "NEW01=8"], ["equivocal SD", "yes PD"]),
    (["NEW01=equivocal", "NEW01=absent"], ["equivocal SD", "no SD"]),
    (["NEW01=equivocal", ""], ["equivocal SD", "equivocal SD"]),
    (["NEW01=8", ""], ["yes PD", "yes PD"]),
    (["NEW01=8", "NEW01=ne"], ["yes PD", "yes PD"]),
    (["NEW01=8", "NEW01=absent"], ["yes PD", "no SD"]),
    (["NEW01=8", "NEW01=absent", ""], ["yes PD", "no SD", "no SD"]),
    (["NEW01=equivocal NEW02=8"], ["yes PD"]),
    # nodes: under 10 mm is no lesion; a step over it must be growth
    (["NEW01n=9.9"], ["no SD"]),
    (["NEW01n=10"], ["yes PD"]),
    (["NEW01n=9", "NEW01n=11"], ["no SD", "equivocal SD"]),
    (["NEW01n=9", "NEW01n=13.9"], ["no SD", "equivocal SD"]),
    (["NEW01n=9", "NEW01n=14"], ["no SD", "yes PD"]),
    (["NEW01n=9", "NEW01n=11", "NEW01n=14"], ["no SD", "equivocal SD", "yes PD"]),
    (["NEW01n=11", "NEW01n=12"], ["yes PD", "yes PD"]),
]


@pytest.mark.parametrize(("course", "expected"), EXAMPLES)
def test_status(course: list[str], expected: list[str]) -> None:
    assessed = assess_recist_1_1(visits("T01=20", *(f"T01=20 {text}" for text in course)))
    assert [f"{item.new_lesions} {item.overall}" for item in assessed[1:]] == expected


def test_confirmation_dates_progression_back_to_the_first_appearance() -> None:
    assessed = assess_recist_1_1(
        visits("T01=20", "T01=20 NEW01=equivocal", "T01=20", "T01=20 NEW01=equivocal", "T01=20 NEW01=9", "NEW01=9")
    )
    found = [[f for f in item.findings if f.code == "progression-back-dated"] for item in assessed]
    assert [len(findings) for findings in found] == [0, 0, 0, 0, 1, 0]
    assert "progression dates from 2024-02-12" in found[4][0].message
    assert found[4][0].message in assessed[4].reasons
    assert [item.overall for item in assessed] == ["BASELINE", "SD", "SD", "SD", "PD", "PD"]


def test_a_lesion_that_was_gone_between_is_dated_from_its_return() -> None:
    assessed = assess_recist_1_1(visits("T01=20", "T01=20 NEW01=equivocal", "T01=20 NEW01=absent", "T01=20 NEW01=9"))
    assert assessed[3].overall == "PD"
    assert not [f for f in assessed[3].findings if f.code == "progression-back-dated"]


def test_equivocal_and_not_assessed_are_shown_to_a_person() -> None:
    assessed = assess_recist_1_1(visits("", "NEW01=equivocal", "", "NEW02n=9", "NEW02n=11"))
    codes = [{f.code for f in item.findings} for item in assessed]
    assert codes[1] == {"equivocal-new-lesion"}
    assert codes[2] == {"new-lesion-not-assessed"}
    assert codes[4] == {"new-lesion-not-assessed", "equivocal-new-lesion"}
    assert "was a normal node and is 11.0 mm now" in " ".join(assessed[4].reasons)
    gone = assess_recist_1_1(visits("", "NEW01=8", "NEW01=absent", ""))
    assert gone[3].findings == ()


def test_a_node_is_new_by_the_criterion_s_own_limits() -> None:
    rules = Recist11Parameters(normal_node_mm=Decimal(12))
    assert assess_recist_1_1(visits("T01=20", "T01=20 NEW01n=11"), rules)[1].new_lesions == "no"


def test_of_several_lesions_confirmed_at_once_progression_dates_from_the_earliest() -> None:
    course = visits("T01=20", "T01=20 NEW02=equivocal", "T01=20 NEW01=equivocal", "T01=20 NEW01=9 NEW02=9")
    assert assess_recist_1_1(course)[3].progression_date == course[1].date


NORMAL_AT_BASELINE = [
    # size of a node called new at baseline and later; status, whether the baseline's row is an error
    ("9.9", ["9"], "no", False),
    ("9.9", ["11"], "equivocal", False),
    ("9.9", ["14.9"], "yes", False),
    ("8", ["11", "12.9"], "equivocal", False),
    ("8", ["11", "13"], "yes", False),
    ("10", ["30"], "no", True),  # a lesion of the baseline is not new later
    ("absent", ["30"], "no", True),
]


@pytest.mark.parametrize(("first", "later", "status", "is_error"), NORMAL_AT_BASELINE)
def test_a_node_that_was_normal_at_baseline_is_new_once_it_has_grown(
    first: str, later: list[str], status: str, is_error: bool
) -> None:
    course = visits(f"T01=20 NEW01n={first}", *(f"T01=20 NEW01n={size}" for size in later))
    for assess in (assess_recist_1_1, assess_irecist):
        assessed = assess(course)
        assert assessed[0].new_lesions == "no"
        assert assessed[-1].new_lesions == status
        assert ("new-at-baseline" in {item.code for item in assessed[0].findings}) == is_error
