"""iRECIST: every way to confirm, to stay and to set the bar back; best response and date of progression; laws."""

import datetime
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.response.courses import visits
from tests.response.test_irecist_new_lesions import listed
from tumorresp.domain.assessment import Category
from tumorresp.response import Visit
from tumorresp.response.best_response import BestResponseParameters
from tumorresp.response.irecist import assess_irecist
from tumorresp.response.irecist_over_time import irecist_best_response, irecist_progression_date, recist_form
from tumorresp.response.irecist_parameters import EarlyScan, IrecistParameters
from tumorresp.response.subject import SubjectDates, dated_responses


def overall(*texts: str, parameters: IrecistParameters | None = None) -> list[str]:
    return [str(item.overall) for item in assess_irecist(visits(*texts), parameters)[1:]]


def at_days(seen: tuple[Visit, ...], *days: int) -> tuple[Visit, ...]:
    start = datetime.date(2024, 1, 1)
    return tuple(replace(v, date=start + datetime.timedelta(days=d)) for v, d in zip(seen, days, strict=True))


COURSES = [
    # without progression: the i-form of RECIST 1.1
    (("T01=9 NT01=present", "T01=6 NT01=present", "T01=absent NT01=present", "T01=absent NT01=absent"), "iPR iPR iCR"),
    (("NT01=present", "NT01=present", "NT01=absent"), "NON-iCR/NON-iUPD iCR"),
    (("T01=100", "T01=90", "T01=ne"), "iSD NE"),
    # (a) targets: +5 mm over iUPD, cumulative
    (("T01=100", "T01=120", "T01=125"), "iUPD iCPD"),
    (("T01=100", "T01=120", "T01=124.9"), "iUPD iUPD"),
    (("T01=100", "T01=120", "T01=123", "T01=125"), "iUPD iUPD iCPD"),
    (("T01=100", "T01=120", "T01=120", "T01=120"), "iUPD iUPD iUPD"),
    # (b) non-target lesions: any further increase
    (("T01=100 NT01=present", "T01=100 NT01=pd", "T01=100 NT01=pd"), "iUPD iCPD"),
    (("T01=100 NT01=present", "T01=100 NT01=pd", "T01=100 NT01=present"), "iUPD iUPD"),
    # (c) new lesions: sum of the measured ones +5 mm, cumulative; any increase of the others
    (("T01=100", "T01=100 NEW01=12", "T01=100 NEW01=16", "T01=100 NEW01=18"), "iUPD iUPD iCPD"),
    (("T01=100", "T01=100 NEW01=12", "T01=100 NEW01=17"), "iUPD iCPD"),
    (("T01=100", "T01=100 NEW01=12", "T01=100 NEW01=16.9"), "iUPD iUPD"),
    (("T01=100", "T01=100 NEW01=12 NEW02=11", "T01=100 NEW01=15 NEW02=13"), "iUPD iCPD"),
    (("T01=100", "T01=100 NEW01=6", "T01=100 NEW01=6.1"), "iUPD iCPD"),
    (("T01=100", "T01=100 NEW01=6", "T01=100 NEW01=6"), "iUPD iUPD"),
    (("T01=100", "T01=100 NEW01=6", "T01=100 NEW01=8/pd"), "iUPD iCPD"),
    # (d) another new lesion
    (("T01=100", "T01=100 NEW01=6", "T01=100 NEW01=6 NEW02=6"), "iUPD iCPD"),
    (("T01=100", "T01=120", "T01=120 NEW01=6"), "iUPD iCPD"),
    (("T01=100", "T01=100 NEW01=6", "T01=100 NEW01=6 NEW02=6/equivocal"), "iUPD iUPD"),
    # (e) another kind of lesions becomes progressive
    (("T01=100", "T01=100 NEW01=6", "T01=120 NEW01=6"), "iUPD iCPD"),
    (("T01=100 NT01=present", "T01=120 NT01=present", "T01=120 NT01=pd"), "iUPD iCPD"),
    # the bar is set back by an improvement, against baseline; the nadir stays
    (("T01=100", "T01=120", "T01=70", "T01=84"), "iUPD iPR iUPD"),
    (("T01=100", "T01=120", "T01=110", "T01=120", "T01=125"), "iUPD iSD iUPD iCPD"),
    (("T01=100", "T01=120", "T01=absent"), "iUPD iCR"),
    (("T01=100", "T01=100 NEW01=12", "T01=100 NEW01=absent"), "iUPD iSD"),
    (("T01=100 NT01=present", "T01=100 NT01=pd", "T01=100 NT01=absent"), "iUPD iSD"),
    # a new lesion is left, but the targets shrink
    (("T01=100", "T01=100 NEW01=12", "T01=70 NEW01=12"), "iUPD iPR"),
    (("T01=100", "T01=120 NEW01=12", "T01=110 NEW01=12"), "iUPD iSD"),
    # the targets responded before: a new lesion that stays as it is stays iUPD
    (("T01=100", "T01=70", "T01=70 NEW01=12", "T01=70 NEW01=12"), "iPR iUPD iUPD"),
    # CR needs all new lesions gone
    (("T01=100", "T01=100 NEW01=12", "T01=absent NEW01=12", "T01=absent NEW01=absent"), "iUPD iPR iCR"),
    # after the bar was set back: the old new lesions must grow by 20 % and 5 mm, or a new one must come
    (("T01=100", "T01=100 NEW01=25", "T01=70 NEW01=25", "T01=70 NEW01=29.9"), "iUPD iPR iPR"),
    (("T01=100", "T01=100 NEW01=25", "T01=70 NEW01=25", "T01=70 NEW01=30"), "iUPD iPR iUPD"),
    (("T01=100", "T01=100 NEW01=40", "T01=70 NEW01=40", "T01=70 NEW01=45"), "iUPD iPR iPR"),
    (("T01=100", "T01=100 NEW01=25", "T01=70 NEW01=20", "T01=70 NEW01=25"), "iUPD iPR iUPD"),
    (("T01=100", "T01=100 NEW01=25", "T01=70 NEW01=25", "T01=70 NEW01=25 NEW02=6"), "iUPD iPR iUPD"),
    (("T01=100", "T01=100 NEW01=6", "T01=70 NEW01=6", "T01=70 NEW01=7/pd"), "iUPD iPR iUPD"),
    # NE leaves it pending
    (("T01=100", "T01=120", "T01=ne", "T01=125"), "iUPD NE iCPD"),
    (("T01=100", "T01=120", "T01=ne", "T01=120"), "iUPD NE iUPD"),
    # confirmed is confirmed
    (("T01=100", "T01=120", "T01=130", "T01=50"), "iUPD iCPD iCPD"),
    # disease-free at baseline
    (("", "NEW01=12", "NEW01=20"), "iUPD iCPD"),
]  # fmt: skip


@pytest.mark.parametrize(("course", "expected"), COURSES)
def test_courses(course: tuple[str, ...], expected: str) -> None:
    assert overall(*course) == expected.split()


def test_new_lesions_are_never_in_the_sum() -> None:
    found = assess_irecist(visits("T01=100", "T01=100 NEW01=12", "T01=100 NEW01=30"))
    assert [item.target_sum for item in found] == [100, 100, 100]
    assert [(str(item.value), str(item.reference)) for item in found[2].secondary] == [("30", "12")]
    assert found[2].secondary[0].reference_name == "at iUPD"


def test_at_most_five_new_targets_and_two_an_organ() -> None:
    found = listed("NEW01=12 NEW02=12 NEW03=12 NEW04n=15 NEW05n=14.9 NEW06n=20 NEW07n=20")
    assert found.targets == ("NEW01", "NEW02", "NEW06", "NEW07")
    assert found.target_sum(found.targets) == 64
    assert len(found.ids) == 7


@pytest.mark.parametrize(
    ("days", "early", "expected"),
    [
        (27, EarlyScan.WAITS, "iUPD"),
        (28, EarlyScan.WAITS, "iCPD"),
        (27, EarlyScan.CONFIRMS, "iCPD"),
        (56, EarlyScan.WAITS, "iCPD"),
        (57, EarlyScan.WAITS, "iCPD"),
    ],
)
def test_window_of_the_confirmation(days: int, early: EarlyScan, expected: str) -> None:
    seen = at_days(visits("T01=100", "T01=120", "T01=130"), 0, 50, 50 + days)
    last = assess_irecist(seen, IrecistParameters(early_scan=early))[2]
    assert last.overall == expected
    remarks = {27: {"early-confirmation"} if early is EarlyScan.WAITS else set(), 57: {"late-confirmation"}}
    assert {item.code for item in last.findings} == remarks.get(days, set())


def test_what_was_seen_too_early_confirms_when_it_is_still_there() -> None:
    seen = at_days(visits("T01=100", "T01=120", "T01=120 NEW01=6", "T01=120 NEW01=6"), 0, 50, 70, 98)
    assert [str(item.overall) for item in assess_irecist(seen)[1:]] == ["iUPD", "iUPD", "iCPD"]


def test_instability_is_pointed_out() -> None:
    seen = visits("T01=100", "T01=120")
    unstable = assess_irecist((seen[0], replace(seen[1], clinically_stable=False)))[1]
    assert (unstable.overall, [item.code for item in unstable.findings]) == (Category.IUPD, ["not-clinically-stable"])


def test_markers_stand_against_complete_response() -> None:
    seen = visits("T01=100", "T01=absent")
    assert assess_irecist((seen[0], replace(seen[1], markers_elevated=True)))[1].overall is Category.IPR


def test_components_have_their_i_form() -> None:
    found = assess_irecist(visits("T01=100 NT01=present", "T01=120 NT01=pd"))[1]
    assert (found.target, found.non_target) == (Category.IUPD, Category.IUPD)
    assert found.criterion == "irecist"
    assert ("further_growth_mm", "5") in found.parameters


def over_time(*texts: str) -> tuple[str, datetime.date | None, tuple[Visit, ...]]:
    seen = visits(*texts)
    responses = dated_responses(seen, assess_irecist(seen))
    best = irecist_best_response(responses, SubjectDates(seen[0].date), BestResponseParameters(), confirmed=False)
    return str(best.category), irecist_progression_date(responses), seen


TABLE_3 = [
    # course, best response, index of the visit that progression dates from
    (("T01=100", "T01=absent", "T01=absent", "T01=20", "T01=absent"), "iCR", None),
    (("T01=100", "T01=120", "T01=70", "T01=70"), "iPR", None),
    (("T01=100", "T01=120", "T01=110", "T01=110"), "iSD", None),
    (("T01=100", "T01=70", "T01=84", "T01=90"), "iPR", 2),
    (("T01=100", "T01=100", "T01=120", "T01=130"), "iSD", 2),
    (("T01=100", "T01=120", "T01=130", "T01=50"), "iCPD", 1),
    (("T01=100", "T01=120", "T01=ne", "T01=ne"), "iUPD", 1),
    (("T01=100", "T01=ne", "T01=ne"), "NE", None),
    # two blocks: progression dates from the one that was confirmed
    (("T01=100", "T01=100", "T01=100", "T01=120", "T01=70", "T01=70", "T01=84", "T01=90"), "iPR", 6),
    # never confirmed, nothing better follows
    (("T01=100", "T01=100", "T01=120", "T01=120"), "iSD", 2),
]


@pytest.mark.parametrize(("course", "expected", "progression"), TABLE_3)
def test_best_response_and_progression(course: tuple[str, ...], expected: str, progression: int | None) -> None:
    best, date, seen = over_time(*course)
    assert best == expected
    assert date == (None if progression is None else seen[progression].date)


def test_recist_words_end_with_the_progression_that_counts() -> None:
    seen = visits("T01=100", "T01=120", "T01=70", "T01=84", "T01=90")
    found = recist_form(dated_responses(seen, assess_irecist(seen)))
    assert [str(item.overall) for item in found] == ["NE", "PR", "PD"]


@given(st.decimals(1, 9, places=1))
def test_scale_of_the_further_growth(limit: Decimal) -> None:
    rules = IrecistParameters(further_growth_mm=limit)
    assert overall("T01=100", "T01=120", f"T01={120 + limit}", parameters=rules)[-1] == "iCPD"
    assert overall("T01=100", "T01=120", f"T01={120 + limit - Decimal('0.1')}", parameters=rules)[-1] == "iUPD"
