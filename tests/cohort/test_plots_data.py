"""Waterfall, spider, swimmer and survival data from evaluated subjects, and survival against published figures."""

import datetime
from dataclasses import replace

import pytest

from tests.response.courses import visits
from tumorresp.cohort.spider import spider
from tumorresp.cohort.survival import kaplan_meier, survival_curves
from tumorresp.cohort.swimmer import swimmer
from tumorresp.cohort.waterfall import waterfall
from tumorresp.domain.assessment import Category
from tumorresp.response import Protocol, SubjectCourse, SubjectDates, SubjectOutcome, evaluate_course
from tumorresp.response.outcome import EndPointName

START = datetime.date(2024, 1, 1)


def outcome(name: str, *texts: str, evaluator: str = "", **dates: object) -> SubjectOutcome:
    known = replace(SubjectDates(START), **dates)
    return evaluate_course(SubjectCourse(name, evaluator, visits(*texts), known), ["recist-1.1"], Protocol())


def day(days: int) -> datetime.date:
    return START + datetime.timedelta(days=days)


SHRINKS = outcome("S1", "T01=100", "T01=60", "T01=60", "T01=50", "T01=50")
GROWS = outcome("S2", "T01=100", "T01=110", "T01=140", "T01=20")
LOST = outcome("S3", "T01=100", "T01=ne")
NO_TARGET = outcome("S4", "NT01=present", "NT01=present")


def test_waterfall_is_the_best_change_up_to_progression() -> None:
    found = waterfall([SHRINKS, GROWS, LOST, NO_TARGET], "recist-1.1")
    assert [(bar.name, bar.change_percent, bar.best) for bar in found.bars] == [
        ("S2", 10, Category.SD),
        ("S1", -50, Category.PR),
    ]
    assert found.bars[1].date == day(42 * 3)  # the first of two equal ones
    assert found.without == (("S3", "no complete sum after the baseline"), ("S4", "no complete sum at baseline"))


def test_waterfall_names_evaluators_where_there_are_several() -> None:
    two = [outcome("S1", "T01=10", "T01=9", evaluator="R1"), outcome("S1", "T01=10", "T01=8", evaluator="R2")]
    assert [bar.name for bar in waterfall(two, "recist-1.1").bars] == ["S1 (R1)", "S1 (R2)"]
    assert waterfall(two, "choi").bars == ()


def test_spider_goes_on_after_progression() -> None:
    (line,) = spider([GROWS, LOST], "recist-1.1")
    assert line.baseline_day == 0
    assert [(point.days, point.change_percent) for point in line.points] == [(42, 10), (84, 40), (126, -80)]


def test_swimmer_lanes() -> None:
    late = outcome("S5", "T01=100", "T01=60", "T01=60", death=day(300), last_alive=day(300))
    lanes = {lane.name: lane for lane in swimmer([SHRINKS, GROWS, late], "recist-1.1")}
    assert list(lanes) == ["S5", "S1", "S2"]
    shrinks, grows, died = lanes["S1"], lanes["S2"], lanes["S5"]
    assert (shrinks.response, shrinks.response_is_ongoing, shrinks.ongoing) == ((42, 168), True, True)
    assert (grows.response, grows.progression, grows.ongoing, grows.end) == (None, 84, False, 126)
    assert (died.death, died.end, died.response) == (300, 300, (42, 300))


def test_survival_of_arms() -> None:
    subjects = [
        outcome("A1", "T01=100", "T01=140", arm="A"),
        outcome("A2", "T01=100", "T01=100", arm="A"),
        outcome("B1", "T01=100", "T01=100", "T01=130", arm="B"),
    ]
    first, second = survival_curves(subjects, "recist-1.1", EndPointName.PFS)
    assert (first.arm, first.subjects, first.events, first.all_days) == ("A", 2, 1, (43, 43))
    assert (second.arm, second.median) == ("B", 85)
    assert survival_curves(subjects, "recist-1.1", EndPointName.DOR) == ()


def test_remission_under_6_mp() -> None:
    """Freireich 1963 (Blood 21:699), weeks in remission: estimates, median 23 with 13 to not reached."""
    weeks = [6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35]
    ended = [1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0]
    curve = kaplan_meier(weeks, [bool(item) for item in ended])
    assert curve is not None
    shares = dict(zip(curve.days, curve.survival, strict=True))
    for week, share in ((6, 0.857), (7, 0.807), (10, 0.753), (13, 0.690), (16, 0.627), (22, 0.538), (23, 0.448)):
        assert shares[week] == pytest.approx(share, abs=5e-4)
    assert (curve.median, curve.median_low, curve.median_high) == (23, 13, None)
    assert [curve.at_risk(week) for week in (6, 7, 10, 13, 16, 22, 23)] == [21, 17, 15, 12, 11, 7, 6]
    low = dict(zip(curve.days, curve.low, strict=True))
    assert low[6] == pytest.approx(0.620, abs=5e-4)


def test_remission_under_placebo() -> None:
    """The other arm: everybody relapsed, median 8 weeks."""
    weeks = [1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23]
    curve = kaplan_meier(weeks, [True] * 21)
    assert curve is not None
    assert (curve.median, curve.survival[-1]) == (8, 0)


def test_curves_without_subjects_or_events() -> None:
    assert kaplan_meier([], []) is None
    alive = kaplan_meier([10, 20], [False, False])
    assert alive is not None
    assert (alive.median, alive.events, set(alive.survival)) == (None, 0, {1.0})
