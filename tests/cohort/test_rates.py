"""Rates with exact intervals, against published and exact figures."""

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tumorresp.cohort.rates import Rate, RateName, rate, rate_difference, rates_by_criterion
from tumorresp.domain.assessment import Category
from tumorresp.response.outcome import BestResponse, CriterionOutcome, SubjectOutcome
from tumorresp.response.subject import SubjectCourse, SubjectDates

CR, PR, SD, PD, NE, MISSING = Category.CR, Category.PR, Category.SD, Category.PD, Category.NE, Category.MISSING


@pytest.mark.parametrize(
    ("count", "subjects", "low", "high"),
    [
        (0, 10, 0.0, 0.30850),  # 1 - 0.025 ** (1 / 10)
        (10, 10, 0.69150, 1.0),
        (1, 10, 0.00253, 0.44502),
        (5, 10, 0.18709, 0.81291),
        (81, 263, 0.25271, 0.36762),  # the example of Newcombe 1998
    ],
)
def test_clopper_pearson(count: int, subjects: int, low: float, high: float) -> None:
    found = rate(RateName.ORR, [PR] * count + [PD] * (subjects - count))
    assert found.low == pytest.approx(low, abs=5e-5)
    assert found.high == pytest.approx(high, abs=5e-5)


@pytest.mark.parametrize(
    ("one", "other", "low", "high"),
    # Newcombe 1998, Table II, method 10
    [((56, 70), (48, 80), 0.0524, 0.3339), ((9, 10), (3, 10), 0.1705, 0.8090), ((5, 56), (0, 29), -0.0381, 0.1926)],
)
def test_newcombe(one: tuple[int, int], other: tuple[int, int], low: float, high: float) -> None:
    first, second = (rate(RateName.ORR, [CR] * count + [SD] * (n - count), "arm") for count, n in (one, other))
    found = rate_difference(first, second)
    assert found.low == pytest.approx(low, abs=5e-5)
    assert found.high == pytest.approx(high, abs=5e-5)


def test_which_best_responses_count() -> None:
    best = [CR, PR, SD, Category.NON_CR_NON_PD, PD, NE, MISSING, Category.NED]
    assert [rate(name, best).count for name in RateName] == [2, 3, 4]
    assert {rate(name, best).subjects for name in RateName} == {8}


def test_an_empty_set_has_no_rate() -> None:
    assert rate(RateName.ORR, []) == Rate(RateName.ORR, "", 0, 0, None, None, None)
    empty = rate(RateName.ORR, [])
    assert rate_difference(rate(RateName.ORR, [CR]), empty).difference is None


@given(st.lists(st.sampled_from([CR, PR, SD, PD, NE]), min_size=1, max_size=60))
def test_the_interval_holds_the_share(best: list[Category]) -> None:
    orr, dcr = rate(RateName.ORR, best), rate(RateName.DCR, best)
    for item in (orr, dcr):
        assert item.share is not None
        assert item.low is not None
        assert item.high is not None
        assert 0 <= item.low <= item.share <= item.high <= 1
    assert orr.count <= dcr.count


def _outcome(number: int, category: Category, confirmed: Category, arm: str, evaluator: str = "") -> SubjectOutcome:
    day = datetime.date(2024, 1, 1)
    best = [BestResponse(c, flag, day, None, (), (), ()) for c, flag in ((category, False), (confirmed, True))]
    course = SubjectCourse(f"S{number}", evaluator, (), SubjectDates(day, arm=arm))
    return SubjectOutcome(course, (CriterionOutcome("recist-1.1", (), best[0], best[1]),))


def test_rates_by_criterion_arm_and_confirmation() -> None:
    outcomes = [_outcome(1, CR, CR, "A"), _outcome(2, PR, SD, "A"), _outcome(3, PD, PD, "B"), _outcome(4, PR, PR, "B")]
    unconfirmed, confirmed = rates_by_criterion(outcomes)
    assert (unconfirmed.confirmed, confirmed.confirmed) == (False, True)
    assert [(r.arm, r.count, r.subjects) for r in unconfirmed.rates[:3]] == [("", 3, 4), ("A", 2, 2), ("B", 1, 2)]
    assert [(r.arm, r.count, r.subjects) for r in confirmed.rates[:3]] == [("", 2, 4), ("A", 1, 2), ("B", 1, 2)]
    assert confirmed.best == ((CR, 1), (PR, 1), (SD, 1), (PD, 1))
    first = unconfirmed.differences[0]
    assert (first.arm, first.reference_arm, first.difference) == ("B", "A", -0.5)


def test_evaluators_have_rates_of_their_own() -> None:
    outcomes = [_outcome(1, CR, CR, "", "R1"), _outcome(1, PD, PD, "", "R2")]
    assert [(item.criterion, item.rates[0].count) for item in rates_by_criterion(outcomes)] == [
        ("recist-1.1 (R1)", 1),
        ("recist-1.1 (R1)", 1),
        ("recist-1.1 (R2)", 0),
        ("recist-1.1 (R2)", 0),
    ]
