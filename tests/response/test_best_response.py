"""Best overall response: RECIST 1.1's Table 3, the confirmation rule, the minimum duration, and laws."""

import datetime
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tumorresp.domain.assessment import Category
from tumorresp.domain.errors import InvalidInput
from tumorresp.response.best_response import (
    BestResponseParameters,
    DiseaseAfterCr,
    SdWindowConvention,
    best_response,
    response_date,
)
from tumorresp.response.counted_responses import CountedUntil
from tumorresp.response.outcome import BestResponse
from tumorresp.response.subject import DatedResponse, SubjectDates

REFERENCE = datetime.date(2024, 1, 1)
PUBLISHED = BestResponseParameters()
RANK = ["CR", "PR", "SD", "NON-CR/NON-PD", "PD", "NE", "MISSING"]


def course(*seen: tuple[str, int]) -> list[DatedResponse]:
    """Return responses from (category, days after the reference)."""
    made = []
    for number, (category, days) in enumerate(seen, 1):
        date = REFERENCE + datetime.timedelta(days=days)
        made.append(DatedResponse(f"v{number}", f"Visit {number}", date, Category(category), date))
    return made


def best(
    responses: list[DatedResponse],
    parameters: BestResponseParameters = PUBLISHED,
    *,
    confirmed: bool = True,
    new_therapy: int | None = None,
) -> BestResponse:
    therapy = None if new_therapy is None else REFERENCE + datetime.timedelta(days=new_therapy)
    return best_response(responses, SubjectDates(REFERENCE, new_therapy=therapy), parameters, confirmed=confirmed)


@pytest.mark.parametrize(
    ("first", "second", "when_early", "when_late"),
    [
        # first visit on day 30 (early: before six weeks) or 56 (late), second 56 days later
        ("CR", "CR", "CR", "CR"),
        ("CR", "SD", "SD", "SD"),
        ("CR", "PD", "PD", "SD"),
        ("CR", "NE", "NE", "SD"),
        ("PR", "CR", "PR", "PR"),
        ("PR", "PR", "PR", "PR"),
        ("PR", "SD", "SD", "SD"),
        ("PR", "PD", "PD", "SD"),
        ("PR", "NE", "NE", "SD"),
        ("NE", "NE", "NE", "NE"),
        ("SD", "PD", "PD", "SD"),
        ("SD", "NE", "NE", "SD"),
        ("PD", "PD", "PD", "PD"),
        ("NON-CR/NON-PD", "PD", "PD", "NON-CR/NON-PD"),
    ],
)
def test_table_3(first: str, second: str, when_early: str, when_late: str) -> None:
    assert best(course((first, 30), (second, 86))).category == when_early
    assert best(course((first, 56), (second, 112))).category == when_late


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        ([("PR", 56), ("PR", 84)], "PR"),  # 28 days exactly
        ([("PR", 56), ("PR", 83)], "SD"),
        ([("CR", 56), ("CR", 84)], "CR"),
        ([("CR", 56), ("CR", 83)], "SD"),
        ([("PR", 56), ("PR", 70), ("PR", 84)], "PR"),  # the next scan is early, the one after confirms
        ([("PR", 56), ("NE", 84), ("PR", 112)], "PR"),
        ([("PR", 56), ("NE", 84), ("NE", 98), ("PR", 112)], "SD"),
        ([("CR", 56), ("NE", 84), ("CR", 112)], "CR"),
        ([("CR", 56), ("NE", 84), ("NE", 98), ("CR", 112)], "SD"),
        ([("CR", 56), ("PR", 70), ("CR", 112)], "PR"),
        ([("PR", 56), ("SD", 84), ("PR", 112)], "SD"),
        ([("PR", 56), ("CR", 70), ("PR", 84)], "SD"),  # a PR after a CR confirms nothing
        ([("PR", 56), ("CR", 84), ("CR", 112)], "CR"),
        ([("PR", 56), ("SD", 84), ("PR", 112), ("PR", 140)], "PR"),  # the second PR is confirmed
        ([("SD", 56), ("PR", 84), ("PD", 112)], "SD"),
    ],
)
def test_confirmation(seen: list[tuple[str, int]], expected: str) -> None:
    assert best(course(*seen)).category == expected


def test_one_sd_between_two_pr_where_the_protocol_allows_it() -> None:
    lenient = replace(PUBLISHED, accept_sd=True)
    assert best(course(("PR", 56), ("SD", 84), ("PR", 112)), lenient).category is Category.PR
    assert best(course(("PR", 56), ("SD", 70), ("SD", 84), ("PR", 112)), lenient).category is Category.SD


def test_no_sd_between_two_cr_even_where_one_may_lie_between_two_pr() -> None:
    for rules in (PUBLISHED, replace(PUBLISHED, accept_sd=True)):
        assert best(course(("CR", 56), ("SD", 84), ("CR", 112)), rules).category is Category.SD
        assert best(
            course(("CR", 56), ("SD", 84), ("CR", 112), ("CR", 140)), rules
        ).date == REFERENCE + datetime.timedelta(112)


def test_more_ne_where_the_protocol_allows_them() -> None:
    lenient = replace(PUBLISHED, max_nr_ne=2)
    assert best(course(("PR", 56), ("NE", 84), ("NE", 98), ("PR", 112)), lenient).category is Category.PR


def test_dates_of_a_confirmed_response() -> None:
    found = best(course(("SD", 42), ("PR", 84), ("NE", 112), ("CR", 140), ("PD", 200)))
    assert found.category is Category.PR
    assert found.date == REFERENCE + datetime.timedelta(days=84)
    assert found.confirming_date == REFERENCE + datetime.timedelta(days=140)
    assert [(day - REFERENCE).days for day in found.component_dates] == [84, 112, 140]
    assert found.reasons[1:] == (
        "CR at Visit 4 on 2024-05-20 is not confirmed: no CR follows at least 28 days later.",
        "Best is PR: Visit 2 on 2024-03-25, confirmed by CR at Visit 4 on 2024-05-20, 56 days later (at least 28).",
    )


@pytest.mark.parametrize(
    ("convention", "days", "expected"),
    [
        (SdWindowConvention.DIFFERENCE, 41, "NE"),
        (SdWindowConvention.DIFFERENCE, 42, "SD"),
        (SdWindowConvention.STUDY_DAY, 40, "NE"),
        (SdWindowConvention.STUDY_DAY, 41, "SD"),
    ],
)
def test_minimum_duration_of_stable_disease(convention: SdWindowConvention, days: int, expected: str) -> None:
    parameters = replace(PUBLISHED, sd_window_convention=convention)
    assert best(course(("SD", days)), parameters).category == expected
    assert best(course(("SD", days)), parameters, confirmed=False).category == expected


def test_unconfirmed_responses_count_at_any_time() -> None:
    found = best(course(("PR", 10), ("PD", 50)), confirmed=False)
    assert (found.category, found.date) == (Category.PR, REFERENCE + datetime.timedelta(days=10))
    assert best(course(("SD", 56), ("PR", 112), ("CR", 168)), confirmed=False).category is Category.CR


def test_progression_dates_from_its_first_scan() -> None:
    (visit,) = course(("PD", 56))
    early = replace(visit, progression_date=REFERENCE + datetime.timedelta(days=51))
    assert best([early]).date == REFERENCE + datetime.timedelta(days=51)


def test_nothing_after_progression_or_new_therapy_counts() -> None:
    assert best(course(("SD", 56), ("PD", 84), ("CR", 112), ("CR", 168))).category is Category.SD
    assert best(course(("SD", 56), ("PR", 84), ("PR", 140)), new_therapy=100).category is Category.SD
    assert best(course(("SD", 56), ("PR", 84), ("PR", 140)), new_therapy=140).category is Category.PR
    kept = replace(PUBLISHED, cut_at_new_therapy=False)
    assert best(course(("SD", 56), ("PR", 84), ("PR", 140)), kept, new_therapy=100).category is Category.PR


def test_progression_can_be_left_out() -> None:
    assert best(course(("SD", 20), ("PD", 84)), replace(PUBLISHED, pd_inclusive=False)).category is Category.NE


def test_the_worst_of_one_day_counts() -> None:
    assert best(course(("PR", 56), ("PD", 56)), confirmed=False).category is Category.PD
    assert best(course(("SD", 56), ("NE", 56))).category is Category.SD


@pytest.mark.parametrize("seen", [(("PR", 56), ("SD", 56)), (("SD", 56), ("PR", 56)), (("NE", 56), ("SD", 56))])
def test_the_worst_of_one_day_counts_in_any_order(seen: tuple[tuple[str, int], ...]) -> None:
    found = best_response(course(*seen), SubjectDates(REFERENCE), PUBLISHED, confirmed=False)
    assert found.category is Category.SD


@pytest.mark.parametrize(("death", "expected"), [(56, "PR"), (55, "MISSING")])
def test_an_assessment_on_the_day_of_death_counts(death: int, expected: str) -> None:
    dates = SubjectDates(REFERENCE, death=REFERENCE + datetime.timedelta(days=death))
    assert best_response(course(("PR", 56)), dates, PUBLISHED, confirmed=False).category == expected


def test_without_assessment() -> None:
    assert best([]).category is Category.MISSING
    assert best([], replace(PUBLISHED, missing_as_ne=True)).category is Category.NE
    assert best(course(("PR", -3))).category is Category.MISSING


def test_pr_after_cr_is_pointed_out() -> None:
    found = best(course(("CR", 56), ("CR", 84), ("PR", 112)))
    assert [item.code for item in found.findings] == ["cr-followed-by-pr"]
    assert best(course(("PR", 56), ("CR", 84), ("PD", 112), ("PR", 140))).findings == ()


def test_what_cannot_be_judged_is_refused() -> None:
    with pytest.raises(InvalidInput, match="reference"):
        best_response([], SubjectDates(), PUBLISHED, confirmed=True)
    with pytest.raises(InvalidInput, match="iUPD"):
        best(course(("iUPD", 56)))


_COURSES = st.lists(
    st.tuples(st.sampled_from(["CR", "PR", "SD", "PD", "NE", "NON-CR/NON-PD"]), st.integers(0, 400)), max_size=7
)


@settings(max_examples=100, deadline=None)
@given(_COURSES)
def test_the_unconfirmed_response_is_never_worse(seen: list[tuple[str, int]]) -> None:
    responses = course(*seen)
    unconfirmed, confirmed = (best(responses, confirmed=wanted).category for wanted in (False, True))
    assert RANK.index(unconfirmed) <= RANK.index(confirmed)


@settings(max_examples=100, deadline=None)
@given(_COURSES, st.permutations(range(7)), st.booleans())
def test_the_order_of_the_input_does_not_matter(seen: list[tuple[str, int]], order: list[int], confirmed: bool) -> None:
    unique = list({days: (category, days) for category, days in seen}.values())
    responses = course(*unique)
    shuffled = [responses[index] for index in order if index < len(responses)]
    assert best(shuffled, confirmed=confirmed) == best(responses, confirmed=confirmed)


@settings(max_examples=100, deadline=None)
@given(_COURSES, st.sampled_from(["CR", "PR", "SD", "PD", "NE"]), st.booleans())
def test_a_visit_after_progression_changes_nothing(seen: list[tuple[str, int]], later: str, confirmed: bool) -> None:
    responses = course(*seen, ("PD", 401))
    assert best([*responses, *course((later, 500))], confirmed=confirmed) == best(responses, confirmed=confirmed)


# The example of admiralonco's derive_param_confirmed_bor: start of treatment, progression stated, responses.
ADMIRALONCO = {
    "1": ("2020-01-01", "", "2020-01-01 PR, 2020-02-01 CR, 2020-02-16 NE, 2020-03-01 CR, 2020-04-01 SD"),
    "2": ("2019-12-12", "", "2020-01-01 SD, 2020-02-01 PR, 2020-03-01 SD, 2020-03-13 CR"),
    "3": ("2019-11-11", "", "2019-11-12 CR, 2019-12-02 CR, 2020-01-01 SD"),
    "4": ("2019-12-30", "", "2020-01-01 PR, 2020-03-01 SD, 2020-04-01 SD, 2020-05-01 PR, 2020-05-15 NON-CR/NON-PD"),
    "5": ("2020-01-01", "", "2020-01-01 PR, 2020-01-10 SD, 2020-01-20 PR, 2020-05-15 NON-CR/NON-PD"),
    "6": (
        "2020-02-02",
        "2020-04-12",
        "2020-02-06 PR, 2020-02-16 CR, 2020-03-30 PR, 2020-04-12 PD, 2020-05-01 CR, 2020-06-01 CR",
    ),
    "7": ("2020-02-02", "", "2020-02-06 PR, 2020-02-16 CR, 2020-04-01 NE"),
    "8": ("2020-04-01", "", ""),
    "9": ("2020-03-01", "", "2020-03-16 CR, 2020-04-01 NE, 2020-04-16 NE, 2020-05-01 CR"),
}
STATED = BestResponseParameters(sd_min_days=28, counted_until=CountedUntil.STATED)


def of_example(subject: str, parameters: BestResponseParameters, *, confirmed: bool = True) -> BestResponse:
    start, progression, texts = ADMIRALONCO[subject]
    made = []
    for text in filter(None, texts.split(", ")):
        day, category = text.split()
        date = datetime.date.fromisoformat(day)
        made.append(DatedResponse(day, day, date, Category(category), date))
    dates = SubjectDates(
        datetime.date.fromisoformat(start),
        progression=datetime.date.fromisoformat(progression) if progression else None,
    )
    return best_response(made, dates, parameters, confirmed=confirmed)


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        (STATED, "CR SD SD SD NON-CR/NON-PD SD NE MISSING SD"),
        (replace(STATED, max_nr_ne=2, accept_sd=True, missing_as_ne=True), "CR PR SD SD NON-CR/NON-PD SD NE NE CR"),
        # where no progression ends the assessments
        (replace(STATED, counted_until=CountedUntil.ALL), "CR SD SD SD NON-CR/NON-PD CR NE MISSING SD"),
        # and where disease after a CR is progression
        (replace(STATED, disease_after_cr=DiseaseAfterCr.PROGRESSION), "CR SD PD SD NON-CR/NON-PD PD NE MISSING SD"),
    ],
)
def test_published_example(parameters: BestResponseParameters, expected: str) -> None:
    found = [str(of_example(subject, parameters).category) for subject in ADMIRALONCO]
    assert found == expected.split()


@pytest.mark.parametrize(
    ("stated", "included", "expected"),
    [
        (None, True, "PR"),  # nothing ends what counts
        (60, True, "SD"),
        (84, True, "PR"),  # the assessment of the day counts
        (84, False, "SD"),
    ],
)
def test_the_stated_progression_ends_what_counts(stated: int | None, included: bool, expected: str) -> None:
    rules = replace(PUBLISHED, counted_until=CountedUntil.STATED, pd_inclusive=included)
    progression = None if stated is None else REFERENCE + datetime.timedelta(days=stated)
    seen = course(("PR", 56), ("PR", 84), ("PD", 140), ("PR", 168), ("PR", 196))
    found = best_response(seen, SubjectDates(REFERENCE, progression=progression), rules, confirmed=True)
    assert found.category == expected


def test_what_comes_after_progression_is_another_response() -> None:
    rules = replace(PUBLISHED, counted_until=CountedUntil.ALL)
    seen = course(("PR", 56), ("PR", 84), ("PD", 112), ("CR", 140), ("CR", 168))
    for confirmed in (True, False):
        found = best_response(seen, SubjectDates(REFERENCE), rules, confirmed=confirmed)
        assert (found.category, response_date(found)) == (Category.CR, REFERENCE + datetime.timedelta(days=140))
    later = course(("PR", 56), ("PR", 84), ("PD", 112), ("PR", 140), ("CR", 168), ("CR", 196))
    found = best_response(later, SubjectDates(REFERENCE), rules, confirmed=True)
    assert (found.category, response_date(found)) == (Category.CR, REFERENCE + datetime.timedelta(days=140))
    worst = best_response(course(("NE", 20), ("PD", 56), ("NE", 84)), SubjectDates(REFERENCE), rules, confirmed=True)
    assert (worst.category, worst.date) == (Category.PD, REFERENCE + datetime.timedelta(days=56))


@pytest.mark.parametrize(("counts", "expected"), [(False, "SD"), (True, "PR")])
def test_assessments_before_the_reference_date(counts: bool, expected: str) -> None:
    rules = replace(PUBLISHED, before_reference_counts=counts)
    assert best(course(("PR", -3), ("PR", 56), ("SD", 70)), rules).category == expected
    assert best(course(("SD", -50)), rules).category in ("NE", "MISSING")  # never late enough for SD


# Table 3 of RECIST 1.1 where disease after a CR is PD: first visit on day 30 (early) or 56, second 56 days later.
@pytest.mark.parametrize(
    ("second", "when_early", "when_late"),
    [
        ("CR", "CR", "CR"),
        ("PR", "PD", "SD"),
        ("SD", "PD", "SD"),
        ("NON-CR/NON-PD", "PD", "SD"),
        ("PD", "PD", "SD"),
        ("NE", "NE", "SD"),
    ],
)
def test_table_3_after_a_cr(second: str, when_early: str, when_late: str) -> None:
    rules = replace(PUBLISHED, disease_after_cr=DiseaseAfterCr.PROGRESSION)
    assert best(course(("CR", 30), (second, 86)), rules).category == when_early
    assert best(course(("CR", 56), (second, 112)), rules).category == when_late
    again = best(course(("CR", 30), (second, 86), ("PR", 114), ("PR", 142)), rules)
    assert again.category == ("PD" if second == "NE" else when_early)


@pytest.mark.parametrize(
    ("seen", "days"),
    [
        ((("SD", 50), ("PR", 106), ("PR", 162)), 50),  # the first assessment that lasted
        ((("SD", 30), ("PR", 106), ("PR", 162)), 106),
        ((("PR", 30), ("PR", 58), ("SD", 106)), 30),  # the response, though too early for SD
        ((("SD", 30), ("SD", 42), ("PD", 84)), 42),
        ((("SD", 41), ("PD", 84)), None),
        ((("PR", 56), ("SD", 84), ("PD", 112)), 56),  # not confirmed
        ((("NON-CR/NON-PD", 56), ("CR", 84)), 56),
        ((("NE", 56),), None),
        ((("PD", 56), ("SD", 84)), None),
        ((), None),
    ],
)
def test_clinical_benefit_dates_from_its_first_sign(seen: tuple[tuple[str, int], ...], days: int | None) -> None:
    expected = None if days is None else REFERENCE + datetime.timedelta(days=days)
    assert best(course(*seen)).benefit_date == expected
