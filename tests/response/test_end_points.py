"""End points: events, censoring, missed visits, new therapy, death."""

import datetime
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tumorresp.domain.assessment import Category
from tumorresp.domain.errors import InvalidInput
from tumorresp.response.best_response import BestResponseParameters, best_response
from tumorresp.response.end_points import (
    EndPointParameters,
    ProgressionFrom,
    TtpDeath,
    end_points,
    with_reference,
)
from tumorresp.response.outcome import EndPoint, EndPointName
from tumorresp.response.subject import DatedResponse, SubjectDates

REFERENCE = datetime.date(2024, 1, 1)
PUBLISHED = EndPointParameters()


def day(days: int) -> datetime.date:
    return REFERENCE + datetime.timedelta(days=days)


def course(*seen: tuple[str, int]) -> list[DatedResponse]:
    return [
        DatedResponse(f"v{number}", f"Visit {number}", day(days), Category(category), day(days))
        for number, (category, days) in enumerate(seen, 1)
    ]


def points(
    responses: list[DatedResponse], parameters: EndPointParameters = PUBLISHED, **dates: int
) -> dict[EndPointName, EndPoint]:
    known = SubjectDates(REFERENCE, **{name: day(days) for name, days in dates.items()})
    best = best_response(responses, known, BestResponseParameters(), confirmed=True)
    return {item.name: item for item in end_points(responses, known, parameters, best)}


@pytest.mark.parametrize(
    ("seen", "dates", "days", "event"),
    [
        ([("SD", 56), ("PD", 112)], {}, 113, True),
        ([("SD", 56), ("PD", 112)], {"death": 150}, 113, True),
        ([("SD", 56)], {"death": 80}, 81, True),
        ([("SD", 56), ("PD", 112)], {"death": 100}, 101, True),  # a visit after death counts for nothing
        ([("SD", 56), ("SD", 112)], {}, 113, False),
        ([("SD", 56), ("NE", 112)], {}, 57, False),
        ([("NE", 56)], {}, 1, False),
        ([], {}, 1, False),
        ([], {"death": 30}, 31, True),
        ([("PD", 0)], {}, 1, True),
        ([("SD", 56), ("PD", 112)], {"new_therapy": 80}, 57, False),
        ([("SD", 56), ("PD", 112)], {"new_therapy": 112}, 113, True),
        ([("SD", 56)], {"new_therapy": 40}, 1, False),
        ([("SD", 56), ("SD", 112)], {"new_therapy": 56}, 57, False),
    ],
)
def test_progression_free_survival(seen: list, dates: dict, days: int, event: bool) -> None:
    found = points(course(*seen), **dates)[EndPointName.PFS]
    assert (found.days, found.event) == (days, event)
    assert found.start == REFERENCE
    assert found.end == day(days - 1)


def test_new_therapy_can_be_left_to_the_treatment_policy() -> None:
    policy = replace(PUBLISHED, censor_at_new_therapy=False)
    found = points(course(("SD", 56), ("PD", 112)), policy, new_therapy=80)
    assert (found[EndPointName.PFS].days, found[EndPointName.PFS].event) == (113, True)


@pytest.mark.parametrize(("event_day", "event", "days"), [(175, True, 176), (176, False, 57)])
def test_events_after_two_missed_visits_are_censored(event_day: int, event: bool, days: int) -> None:
    """Two visits of 56 days and a week's window after day 56: 56 + 112 + 7 = 175 is the last day that counts."""
    rule = replace(PUBLISHED, visit_interval_days=56)
    found = points(course(("SD", 56), ("PD", event_day)), rule)[EndPointName.PFS]
    assert (found.event, found.days) == (event, days)
    died = points(course(("SD", 56)), rule, death=event_day)[EndPointName.PFS]
    assert (died.event, died.days) == (event, days)


def test_time_to_progression_censors_death() -> None:
    found = points(course(("SD", 56)), death=80)
    assert (found[EndPointName.TTP].days, found[EndPointName.TTP].event) == (57, False)
    assert (found[EndPointName.OS].days, found[EndPointName.OS].event) == (81, True)
    at_death = points(course(("SD", 56)), replace(PUBLISHED, ttp_death=TtpDeath.DEATH), death=80)
    assert (at_death[EndPointName.TTP].days, at_death[EndPointName.TTP].event) == (81, False)


@pytest.mark.parametrize(("therapy", "days"), [(79, 57), (80, 81), (81, 81)])
def test_a_death_on_the_day_of_another_therapy_came_before_it(therapy: int, days: int) -> None:
    rules = replace(PUBLISHED, ttp_death=TtpDeath.DEATH)
    found = points(course(("SD", 56)), rules, death=80, new_therapy=therapy)
    assert (found[EndPointName.TTP].days, found[EndPointName.TTP].event) == (days, False)


def test_survival_is_censored_when_last_seen() -> None:
    alive = points(course(("SD", 56)))[EndPointName.OS]
    assert (alive.end, alive.event) == (day(56), False)
    assert points(course(("SD", 56)), last_alive=90)[EndPointName.OS].end == day(90)


def test_response_and_its_duration() -> None:
    found = points(course(("SD", 56), ("PR", 112), ("PR", 168), ("SD", 224), ("PD", 280)))
    assert found[EndPointName.TTR].days == 113
    duration = found[EndPointName.DOR]
    assert (duration.start, duration.end, duration.days, duration.event) == (day(112), day(280), 169, True)
    assert EndPointName.DOSD not in found
    ongoing = points(course(("PR", 56), ("CR", 112)))[EndPointName.DOR]
    assert (ongoing.days, ongoing.event) == (57, False)


def test_a_response_that_becomes_complete_began_with_its_first_scan() -> None:
    found = points(course(("PR", 56), ("PR", 112), ("CR", 168), ("CR", 224), ("PD", 280)))
    assert (found[EndPointName.DOR].start, found[EndPointName.DOR].days) == (day(56), 225)
    assert found[EndPointName.TTR].days == 57


def test_stable_disease_lasts_until_progression_not_until_death() -> None:
    found = points(course(("SD", 56)), death=80, first_treatment=0)
    assert (found[EndPointName.DOSD].days, found[EndPointName.DOSD].event) == (57, False)


def test_duration_of_stable_disease_starts_with_the_treatment() -> None:
    found = points(course(("SD", 56), ("PD", 112)), first_treatment=3)
    duration = found[EndPointName.DOSD]
    assert (duration.start, duration.days, duration.event) == (day(3), 110, True)
    assert EndPointName.DOR not in found


def test_progression_dates_from_the_earliest_scan() -> None:
    early = [replace(course(("PD", 112))[0], progression_date=day(105))]
    assert points(early)[EndPointName.PFS].days == 106
    assert points(early, replace(PUBLISHED, progression_at_first_scan=False))[EndPointName.PFS].days == 113


def test_dates_that_cannot_be() -> None:
    with pytest.raises(InvalidInput, match="death"):
        points(course(("SD", 56)), death=-1)
    kept, findings = with_reference(SubjectDates(REFERENCE, death=day(-1), new_therapy=day(-1)), None)
    assert (kept.death, kept.new_therapy) == (None, None)
    assert [item.code for item in findings] == ["date-before-reference"] * 2
    with pytest.raises(InvalidInput, match="reference"):
        end_points([], SubjectDates(), PUBLISHED)


def test_the_reference_stands_in_and_says_so() -> None:
    known, findings = with_reference(SubjectDates(first_treatment=day(2)), day(-5))
    assert known.reference == day(2)
    assert [item.code for item in findings] == ["reference-date-not-given"]
    known, findings = with_reference(SubjectDates(), day(-5))
    assert (known.reference, len(findings)) == (day(-5), 1)
    assert with_reference(SubjectDates(), None) == (SubjectDates(), ())
    assert with_reference(SubjectDates(REFERENCE), None) == (SubjectDates(REFERENCE), ())


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(["CR", "PR", "SD", "PD", "NE"]), st.integers(0, 400)), max_size=6),
    st.one_of(st.none(), st.integers(0, 500)),
    st.one_of(st.none(), st.integers(0, 500)),
)
def test_laws(seen: list[tuple[str, int]], death: int | None, therapy: int | None) -> None:
    dates = {name: value for name, value in (("death", death), ("new_therapy", therapy)) if value is not None}
    found = points(course(*seen), **dates)
    for item in found.values():
        assert item.days >= 1
        assert item.days == (item.end - item.start).days + 1
        assert item.start >= REFERENCE
        assert item.reasons
    if found[EndPointName.TTP].event:
        assert found[EndPointName.PFS].event
        assert found[EndPointName.PFS].end <= found[EndPointName.TTP].end
    if EndPointName.DOR in found:
        assert found[EndPointName.DOR].end == found[EndPointName.PFS].end


@pytest.mark.parametrize(
    ("source", "stated", "days", "event"),
    [
        (ProgressionFrom.RESPONSES, 84, 169, True),
        (ProgressionFrom.STATED, 84, 85, True),
        (ProgressionFrom.EARLIEST, 84, 85, True),
        (ProgressionFrom.EARLIEST, 200, 169, True),
        (ProgressionFrom.STATED, 200, 201, True),
        (ProgressionFrom.STATED, None, 169, False),  # the PD among the responses is an assessment as any other
        (ProgressionFrom.EARLIEST, None, 169, True),
    ],
)
def test_progression_from_outside_the_responses(
    source: ProgressionFrom, stated: int | None, days: int, event: bool
) -> None:
    dates = {} if stated is None else {"progression": stated}
    found = points(course(("PR", 56), ("PR", 112), ("PD", 168)), replace(PUBLISHED, progression_from=source), **dates)
    for name in (EndPointName.PFS, EndPointName.TTP):
        assert (found[name].days, found[name].event) == (days, event)
    assert found[EndPointName.DOR].days == days - 56


def test_a_stated_progression_before_the_reference_cannot_be() -> None:
    known, findings = with_reference(SubjectDates(REFERENCE, progression=day(-1)), None)
    assert (known.progression, [item.code for item in findings]) == (None, ["date-before-reference"])


@pytest.mark.parametrize(("counts", "event"), [(False, False), (True, True)])
def test_responses_before_the_reference_date(counts: bool, event: bool) -> None:
    found = points(course(("PD", -5), ("SD", 56)), replace(PUBLISHED, before_reference_counts=counts))
    assert (found[EndPointName.PFS].days, found[EndPointName.PFS].event) == (1 if counts else 57, event)
