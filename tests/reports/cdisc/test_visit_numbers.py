"""VISIT and VISITNUM, AVISIT and AVISITN: one name one number, over all subjects and evaluators."""

import datetime
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reports.cdisc.visit_numbers import VisitPlan
from tests.reports.cdisc.studies import CENTRAL, export, of_visits, terms
from tests.response.courses import visits
from tumorresp.response.observation import Visit

DAY = datetime.date(2024, 1, 1)


def named(*names: str, days: Sequence[int] = ()) -> tuple[Visit, ...]:
    """A course with these visit names, 42 days apart where nothing else is said."""
    course = visits(*("T01=40" for _ in names))
    offsets = days or range(0, 42 * len(names), 42)
    return tuple(
        replace(visit, name=name, date=DAY + datetime.timedelta(days=offset))
        for visit, name, offset in zip(course, names, offsets, strict=True)
    )


# (visits of each subject, VISIT and VISITNUM of each)
TRIALS = [
    (
        [("Screening", "Week 6", "Week 12"), ("Screening", "Week 12")],
        [[("Screening", 1), ("Week 6", 2), ("Week 12", 3)], [("Screening", 1), ("Week 12", 3)]],
    ),
    # a visit that the first subject missed
    (
        [("Screening", "Week 12"), ("Screening", "Week 6", "Week 12")],
        [[("Screening", 1), ("Week 12", 3)], [("Screening", 1), ("Week 6", 2), ("Week 12", 3)]],
    ),
    # other spellings of one name
    (
        [("Screening", "Week 6"), ("SCREENING", "week  6"), ("Screening", "Week 6")],
        [[("Screening", 1), ("Week 6", 2)]] * 3,
    ),
    # unplanned visits have decimals after the planned one before them, and their number in their name
    (
        [("Screening", "Unscheduled", "Week 6", "UNSCHEDULED 7", "Unsched."), ("Screening", "Week 6", "Unscheduled")],
        [
            [
                ("Screening", 1),
                ("Unscheduled 1.1", 1.1),
                ("Week 6", 2),
                ("Unscheduled 2.1", 2.1),
                ("Unscheduled 2.2", 2.2),
            ],
            [("Screening", 1), ("Week 6", 2), ("Unscheduled 2.1", 2.1)],
        ],
    ),
    # a name for the second time
    (
        [("Screening", "Week 6", "Week 6", "Week 12")],
        [[("Screening", 1), ("Week 6", 2), ("Unscheduled 2.1", 2.1), ("Week 12", 3)]],
    ),
    # before any planned visit, and without a name
    (
        [("Unplanned visit", "Screening", "")],
        [[("Unscheduled 0.1", 0.1), ("Screening", 1), ("Unscheduled 1.1", 1.1)]],
    ),
    # dates are no names
    (
        [("2024-01-01", "2024-02-12"), ("2024-03-01", "2024-04-12", "12.05.2024")],
        [[("Visit 1", 1), ("Visit 2", 2)], [("Visit 1", 1), ("Visit 2", 2), ("Visit 3", 3)]],
    ),
    # numbers are
    ([("1", "2", "10"), ("1", "10")], [[("1", 1), ("2", 2), ("10", 3)], [("1", 1), ("10", 3)]]),
    # subjects that contradict one another: the median day decides, and the numbers are still the same in both
    (
        [("Screening", "A", "B"), ("Screening", "B", "A"), ("Screening", "B", "A")],
        [[("Screening", 1), ("A", 3), ("B", 2)]] + [[("Screening", 1), ("B", 2), ("A", 3)]] * 2,
    ),
]


@pytest.mark.parametrize(("names", "expected"), TRIALS)
def test_visits_of_a_trial(names: list[tuple[str, ...]], expected: list[list[tuple[str, float]]]) -> None:
    subjects = [[named(*own)] for own in names]
    plan = VisitPlan(subjects)
    numbered = [plan.numbered(own)[0] for own in subjects]
    assert [[(item.title, item.number) for item in own] for own in numbered] == expected


def test_more_than_nine_unplanned_visits_have_two_decimals() -> None:
    course = named("Screening", *["Unscheduled"] * 11)
    (numbered,) = VisitPlan([[course]]).numbered([course])
    assert [item.number for item in numbered][:3] == [1, 1.01, 1.02]
    assert (numbered[11].title, numbered[11].number) == ("Unscheduled 1.11", 1.11)


@pytest.mark.parametrize(
    ("most", "first", "last"),
    [
        (1, "1.1", "1.1"),
        (9, "1.1", "1.9"),
        (10, "1.01", "1.10"),
        (11, "1.01", "1.11"),
        (99, "1.01", "1.99"),
        (100, "1.001", "1.100"),
    ],
)
def test_decimals_of_unplanned_visits_are_those_of_the_whole_trial(most: int, first: str, last: str) -> None:
    """A subject with one unplanned visit has no number that another's tenth has under another name."""
    few, many = named("Screening", "Unscheduled"), named("Screening", *["Unscheduled"] * most, "Week 6", "Unscheduled")
    plan = VisitPlan([[few], [many]])
    (one,), (other,) = plan.numbered([few]), plan.numbered([many])
    assert (one[1].title, one[1].number) == (f"Unscheduled {first}", float(first))
    assert (other[most].title, other[most].number) == (f"Unscheduled {last}", float(last))
    pairs = {(item.title, item.number) for item in (*one, *other)}
    assert len({title for title, _ in pairs}) == len({number for _, number in pairs}) == len(pairs)


def test_order_follows_the_subjects_and_not_the_days_alone() -> None:
    """A follow-up that came early in one subject is not numbered before the one that precedes it everywhere."""
    slow, quick = (
        named("Baseline", "Follow-up 1", days=(0, 100)),
        named("Baseline", "Follow-up 1", "Follow-up 2", days=(0, 20, 40)),
    )
    plan = VisitPlan([[slow], [slow], [quick]])
    assert [item.number for item in plan.numbered([quick])[0]] == [1, 2, 3]


NAMES = ("Screening", "Week 6", "WEEK 6", "Week 12", "Unscheduled", "unsched 3", "2024-05-01", "", "Week  12")
courses = st.lists(st.sampled_from(NAMES), min_size=1, max_size=6)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(courses, courses), min_size=1, max_size=4))
def test_one_name_has_one_number_in_all_data_sets(trial: list[tuple[list[str], list[str]]]) -> None:
    facts = replace(CENTRAL, evaluators={"anna": terms("RADIOLOGIST 1"), "bert": terms("RADIOLOGIST 2")})
    outcomes = [
        of_visits(named(*own), subject_id=f"{number:03d}", evaluator=evaluator)
        for number, pair in enumerate(trial)
        for evaluator, own in zip(("anna", "bert"), pair, strict=True)
    ]
    out = export(outcomes, facts)
    pairs = {(row["VISIT"], row["VISITNUM"]) for name in ("TU", "TR") for row in out[name]}
    pairs |= {(str(row["AVISIT"]).upper(), row["AVISITN"]) for row in out["ADTR"] if row["AVISIT"]}
    assert len({name for name, _ in pairs}) == len({number for _, number in pairs}) == len(pairs)
