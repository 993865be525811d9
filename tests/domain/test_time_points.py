"""Which studies are one visit, and which of several dates is the scan's."""

import datetime
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.domain.test_lesion_tracking import LIVER, LUNG, measured
from tumorresp.domain.measurement import Measurement
from tumorresp.domain.scan_times import ScanTimes
from tumorresp.domain.time_points import measure_one_lesion, scan_dates, visits_of_studies


def day(number: int) -> datetime.date:
    return datetime.date(2024, 1, 1) + datetime.timedelta(days=number)


def grouped(
    days: dict[str, int],
    measurements: dict[str, list[Measurement]] | None = None,
    names: dict[str, str] | None = None,
    window: int = 7,
) -> list[str]:
    """Return the visits, each as its studies in order."""
    dates = {uid: day(number) for uid, number in days.items()}
    return ["".join(v.studies) for v in visits_of_studies(dates, measurements or {}, names, window)]


def lesion(uid: str, **more: Any) -> list[Measurement]:
    return [measured("m", (0, 0, 0), tracking_uid=uid, **more)]


# --- visits


@pytest.mark.parametrize(
    ("what", "days", "measurements", "expected"),
    [
        ("chest and liver on two days", {"a": 0, "b": 1}, {"a": lesion("1"), "b": lesion("2")}, ["ab"]),
        ("one lesion on two days", {"a": 0, "b": 1}, {"a": lesion("1"), "b": lesion("1")}, ["a", "b"]),
        ("a CT that nobody read", {"a": 0, "b": 1}, {"a": lesion("1")}, ["ab"]),
        ("the last day of the window", {"a": 0, "b": 7}, {"a": lesion("1"), "b": lesion("2")}, ["ab"]),
        ("the day after the window", {"a": 0, "b": 8}, {"a": lesion("1"), "b": lesion("2")}, ["a", "b"]),
        ("the window counts from the first day", {"a": 0, "b": 5, "c": 10}, {}, ["ab", "c"]),
        ("one day, one lesion", {"a": 0, "b": 0}, {"a": lesion("1"), "b": lesion("1")}, ["ab"]),
        (
            "two visits of two days",
            {"a": 0, "b": 1, "c": 60, "d": 61},
            {"a": lesion("1"), "b": lesion("2"), "c": lesion("1"), "d": lesion("2")},
            ["ab", "cd"],
        ),
        (
            "an early second scan within the window",
            {"a": 0, "b": 1, "c": 5, "d": 6},
            {"a": lesion("1"), "b": lesion("2"), "c": lesion("1"), "d": lesion("2")},
            ["ab", "cd"],
        ),
    ],
)
def test_studies_of_one_visit(
    what: str, days: dict[str, int], measurements: dict[str, list[Measurement]], expected: list[str]
) -> None:
    assert grouped(days, measurements) == expected, what


def test_the_trials_time_point_comes_before_dates_and_lesions() -> None:
    both = {"a": lesion("1"), "b": lesion("1")}
    assert grouped({"a": 0, "b": 30}, both, {"a": "V1", "b": "V1"}) == ["ab"]
    assert grouped({"a": 0, "b": 1}, {}, {"a": "V1", "b": "V2"}) == ["a", "b"]
    assert grouped({"a": 0, "b": 1, "c": 2}, {}, {"a": "V1", "c": "V2"}) == ["ab", "c"]


def test_two_time_points_of_one_day_are_one_and_it_is_said() -> None:
    (visit,) = visits_of_studies({"a": day(0), "b": day(0)}, {}, {"a": "V1", "b": "V2"})
    assert visit.studies == ("a", "b")
    assert [(f.code, f.decides) for f in visit.findings] == [("time-points-of-one-day", True)]


def test_two_scans_of_one_lesion_on_one_day_are_said() -> None:
    (visit,) = visits_of_studies({"a": day(0), "b": day(0)}, {"a": lesion("1"), "b": lesion("1")})
    assert [(f.code, f.decides) for f in visit.findings] == [("scanned-twice", True)]
    (visit,) = visits_of_studies({"a": day(0), "b": day(0)}, {"a": lesion("1"), "b": lesion("2")})
    assert visit.findings == ()


def test_first_and_last_day_of_a_visit() -> None:
    (visit,) = visits_of_studies({"a": day(3), "b": day(1)}, {})
    assert (visit.first_date, visit.date, visit.studies) == (day(1), day(3), ("b", "a"))


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (lesion("1"), lesion("1"), True),
        (lesion("1"), lesion("2"), False),
        (lesion("", label="L1"), lesion("", label="l 1"), True),
        (lesion("", label="L1", site=LUNG), lesion("", label="L1", site=LIVER), False),
        (lesion("", label="lesion"), lesion("", label="lesion"), False),
        (lesion("1", reader="A"), lesion("1", reader="B"), False),
        (lesion("1", tracking_uid_is_stable=False), lesion("1", tracking_uid_is_stable=False), False),
        (lesion("", frame_of_reference_uid="f"), lesion("", frame_of_reference_uid="f"), True),
        (lesion("", frame_of_reference_uid="f"), lesion("", frame_of_reference_uid="g"), False),
        ([], lesion("1"), False),
    ],
)
def test_what_is_known_to_be_one_lesion(one: list[Measurement], other: list[Measurement], expected: bool) -> None:
    assert measure_one_lesion(one, other) is expected
    assert measure_one_lesion(other, one) is expected


@given(st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 30), min_size=1), st.integers(0, 10))
def test_every_study_is_in_one_visit_and_visits_are_in_order(days: dict[str, int], window: int) -> None:
    dates = {uid: day(number) for uid, number in days.items()}
    visits = visits_of_studies(dates, {}, None, window)
    assert sorted(uid for visit in visits for uid in visit.studies) == sorted(days)
    assert all(earlier.date < later.first_date for earlier, later in pairwise(visits))
    assert all((visit.date - visit.first_date).days <= window for visit in visits)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=4))
def test_splitting_the_studies_of_a_visit_over_days_changes_no_visit(splits: list[tuple[int, int]]) -> None:
    """Two studies a visit that measure different lesions: whatever days within the window, they stay together."""
    days: dict[str, int] = {}
    what: dict[str, list[Measurement]] = {}
    for number, (first, second) in enumerate(splits):
        for part, shift in (("a", first), ("b", second)):
            uid = f"{number}{part}"
            days[uid] = 40 * number + shift
            what[uid] = lesion(part)
    visits = visits_of_studies({uid: day(number) for uid, number in days.items()}, what)
    assert [sorted(visit.studies) for visit in visits] == [[f"{n}a", f"{n}b"] for n in range(len(splits))]


# --- dates

MADE_UP, ONE_DAY = datetime.date(1900, 1, 1), day(0)


@pytest.mark.parametrize(
    ("what", "times", "expected"),
    [
        ("the study's date", {"a": ScanTimes(day(0), day(1), day(2))}, {"a": day(0)}),
        ("else the series'", {"a": ScanTimes(None, day(1), day(2))}, {"a": day(1)}),
        ("else the acquisition's", {"a": ScanTimes(None, None, day(2))}, {"a": day(2)}),
        ("none", {"a": ScanTimes()}, {"a": None}),
        (
            "one date for all, acquisitions weeks apart",
            {"a": ScanTimes(ONE_DAY, None, day(10)), "b": ScanTimes(ONE_DAY, None, day(70))},
            {"a": day(10), "b": day(70)},
        ),
        (
            "one date for all, series weeks apart",
            {"a": ScanTimes(ONE_DAY, day(0)), "b": ScanTimes(ONE_DAY, day(70))},
            {"a": day(0), "b": day(70)},
        ),
        (
            "one date, acquired before and after midnight",
            {"a": ScanTimes(ONE_DAY, None, day(0)), "b": ScanTimes(ONE_DAY, None, day(1))},
            {"a": day(0), "b": day(0)},
        ),
        (
            "older than CT, acquisitions known",
            {"a": ScanTimes(MADE_UP, None, day(10)), "b": ScanTimes(MADE_UP, None, day(70))},
            {"a": day(10), "b": day(70)},
        ),
        ("older than CT, acquisition known, alone", {"a": ScanTimes(MADE_UP, None, day(10))}, {"a": day(10)}),
        ("older than CT and nothing else, alone", {"a": ScanTimes(MADE_UP)}, {"a": MADE_UP}),
        (
            "older than CT and nothing else",
            {"a": ScanTimes(MADE_UP), "b": ScanTimes(MADE_UP, MADE_UP, MADE_UP)},
            {"a": None, "b": None},
        ),
        (
            "older than CT beside one with a date",
            {"a": ScanTimes(MADE_UP), "b": ScanTimes(day(3))},
            {"a": None, "b": day(3)},
        ),
        (
            "older than CT, with offsets from the trial's event",
            {"a": ScanTimes(MADE_UP, offset_days=-3.0), "b": ScanTimes(MADE_UP, offset_days=53.0)},
            {"a": MADE_UP, "b": MADE_UP + datetime.timedelta(days=56)},
        ),
    ],
)
def test_the_day_of_a_scan(what: str, times: dict[str, ScanTimes], expected: dict[str, datetime.date | None]) -> None:
    found = scan_dates(times)
    assert {uid: item.date for uid, item in found.items()} == expected, what
    stated = {uid: item.study or item.series or item.acquisition for uid, item in times.items()}
    assert all(bool(item.doubt) is (stated[uid] is not None) for uid, item in found.items() if item.date is None)
    assert all(item.note for uid, item in found.items() if item.date is not None and item.date != stated[uid])
