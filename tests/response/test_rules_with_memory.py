"""Rules that look back over earlier visits, held against their definition over courses of many visits."""

import datetime
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.response import perpendicular_courses
from tests.response.courses import visits
from tests.response.test_mrecist import visits as hcc_visits
from tumorresp.domain.assessment import Category
from tumorresp.domain.measurement import LesionRole, LesionState
from tumorresp.response import LesionObservation, Visit, assess_recist_1_1
from tumorresp.response.choi import assess_choi
from tumorresp.response.choi_parameters import ChoiParameters, ProgressionReference
from tumorresp.response.criteria import CRITERIA
from tumorresp.response.irecist import assess_irecist
from tumorresp.response.irecist_parameters import EarlyScan, IrecistParameters
from tumorresp.response.lugano import assess_lugano
from tumorresp.response.mrecist import assess_mrecist

MANY = settings(max_examples=150, deadline=None)
PD = Category.PD


# --- the nadir of a sum: the smallest complete sum so far, the baseline's included, named by its first visit


@MANY
@given(
    st.lists(st.one_of(st.integers(5, 60), st.none()), min_size=3, max_size=7),
    st.sampled_from(sorted(name for name in CRITERIA if not name.startswith("choi") and name != "irecist")),
)
def test_the_nadir_is_the_smallest_complete_sum(sizes: list[int | None], criterion: str) -> None:
    texts = ["T01=30", *(f"T01={'ne' if size is None else size}" for size in sizes)]
    course = tuple(
        replace(visit, observations=tuple(_with_all_sizes(seen) for seen in visit.observations))
        for visit in visits(*texts)
    )
    assessed = CRITERIA[criterion].assess(course, None)
    for index, item in enumerate(assessed):
        sums = [before.target_sum for before in assessed[:index] if before.target_sum is not None]
        assert item.nadir_sum == min(sums, default=None)
        if index and item.target_sum is not None:
            named = [reason for reason in item.reasons if "the nadir of" in reason]
            first = course[[before.target_sum for before in assessed].index(item.nadir_sum)].name
            assert all(f"({first})" in reason for reason in named)


def _with_all_sizes(seen: LesionObservation) -> LesionObservation:
    if seen.long_axis_mm is None:
        return seen
    return replace(
        seen,
        short_axis_mm=seen.long_axis_mm,
        viable_long_axis_mm=seen.long_axis_mm,
        volume_mm3=seen.long_axis_mm**3,
    )


# --- back after a complete response, and a response that goes on


@pytest.mark.parametrize(
    ("course", "expected"),
    [
        (["T01=absent", "T01=4"], "CR PD"),
        (["T01=absent", "T01=ne", "T01=4"], "CR NE PD"),
        (["T01=absent", "T01=absent", "T01=ne", "T01=absent", "T01=3"], "CR CR NE CR PD"),
        (["T01=3", "T01=absent", "T01=3"], "PR CR PD"),
        # with a non-target lesion left it was no complete response
        (["T01=absent NT01=present", "T01=4 NT01=present"], "PR PR"),
        (["T01=absent NT01=present", "T01=absent NT01=absent", "T01=4 NT01=absent"], "PR CR PD"),
    ],
)
def test_back_after_a_complete_response_however_long_ago(course: list[str], expected: str) -> None:
    first = "T01=40 NT01=present" if "NT01" in course[0] else "T01=40"
    assert " ".join(item.overall for item in assess_recist_1_1(visits(first, *course))[1:]) == expected


@pytest.mark.parametrize("criterion", sorted(CRITERIA))
@pytest.mark.parametrize("between", [(), ("T01=ne",), ("T01=absent", "T01=ne", "T01=absent")])
def test_every_criterion_remembers_a_complete_response(criterion: str, between: tuple[str, ...]) -> None:
    course = tuple(
        replace(visit, observations=tuple(_with_all_sizes(seen) for seen in visit.observations))
        for visit in visits("T01=40", "T01=absent", *between, "T01=6")
    )
    found = CRITERIA[criterion].assess(course, None)
    assert found[1].overall in (Category.CR, Category.ICR)
    assert found[-1].overall in (PD, Category.IUPD)
    assert found[-1].target in (PD, Category.IUPD)


@MANY
@given(st.lists(st.integers(10, 60), min_size=3, max_size=7))
def test_choi_from_the_nadir_where_the_protocol_says_so(sizes: list[int]) -> None:
    course = tuple(
        replace(visit, observations=tuple(replace(seen, mean_density_hu=Decimal(80)) for seen in visit.observations))
        for visit in visits("T01=30", *(f"T01={size}" for size in sizes))
    )
    rules = ChoiParameters(progression_reference=ProgressionReference.NADIR)
    for index, item in enumerate(assess_choi(course, rules)[1:]):
        now, nadir = sizes[index], min([30, *sizes[:index]])
        is_grown, is_smaller = 10 * now >= 11 * nadir, 10 * now <= 9 * 30
        assert item.target is (PD if is_grown else Category.PR if is_smaller else Category.SD)


@pytest.mark.parametrize(
    ("sizes", "continuing"),
    [
        (["28", "30"], True),
        (["28", "ne", "30"], True),
        (["28", "30", "31"], True),
        (["30", "31"], False),
        (["28", "40", "33"], False),  # progression ends it
        (["28", "40", "27", "30"], True),
    ],
)
def test_a_response_goes_on_until_progression(sizes: list[str], continuing: bool) -> None:
    last = assess_recist_1_1(visits("T01=40", *(f"T01={size}" for size in sizes)))[-1]
    assert last.target is Category.SD
    assert ("continuing-response" in {item.code for item in last.findings}) == continuing


# --- new nodes and equivocal lesions

NODE_SIZES = st.integers(5, 20)


@MANY
@given(st.lists(NODE_SIZES, min_size=3, max_size=7))
def test_a_node_counts_by_its_growth_from_the_smallest(sizes: list[int]) -> None:
    course = visits("T01=40", *(f"T01=40 NEW01n={size}" for size in sizes))
    for index, item in enumerate(assess_recist_1_1(course)[1:]):
        now, before = sizes[index], sizes[:index]
        smallest = min(before, default=None)
        if now < 10:
            expected = "no"
        elif smallest is None or smallest >= 10 or now - smallest >= 5:
            expected = "yes"
        else:
            expected = "equivocal"
        assert item.new_lesions == expected


@MANY
@given(st.lists(st.sampled_from(["equivocal", "absent", "ne", "", "8"]), min_size=2, max_size=7))
def test_progression_dates_from_the_first_of_a_row_of_equivocal_visits(states: list[str]) -> None:
    course = visits("T01=40", *(f"T01=40 {f'NEW01={state}' if state else ''}" for state in states))
    found = next((n for n, item in enumerate(assess_recist_1_1(course)) if item.overall is PD), None)
    assert found == next((n for n, state in enumerate(states, start=1) if state == "8"), None)
    if found is None:
        return
    row: int | None = None
    for number, state in enumerate(states[: found - 1], start=1):
        if state == "absent":
            row = None
        elif state == "equivocal" and row is None:
            row = number
    expected = None if row is None else course[row].date
    assert assess_recist_1_1(course)[found].progression_date == expected


@pytest.mark.parametrize("names", [("NEW01", "NEW02"), ("NEW02", "NEW01")])
@pytest.mark.parametrize("criterion", sorted(CRITERIA))
def test_merged_equivocal_lesions_date_from_the_earliest(names: tuple[str, str], criterion: str) -> None:
    early, late = names
    course = visits(
        "T01=40",
        f"T01=40 {early}=equivocal",
        f"T01=40 {early}=equivocal {late}=equivocal",
        "T01=40 NEW03=30",
    )
    merged = tuple(
        replace(seen, parents=("NEW01", "NEW02")) if seen.lesion_id == "NEW03" else seen
        for seen in course[3].observations
    )
    assessed = CRITERIA[criterion].assess((*course[:3], replace(course[3], observations=merged)), None)
    assert assessed[3].new_lesions == "yes"
    assert assessed[3].overall in (PD, Category.IUPD)
    assert assessed[3].progression_date == course[1].date


# --- mRECIST: a nodule counts by its growth from the smallest size, and goes on counting

NODULES = st.lists(st.integers(2, 30).map(Decimal), min_size=3, max_size=7)


@MANY
@given(NODULES)
def test_a_liver_nodule_counts_by_its_growth_from_the_smallest(sizes: list[Decimal]) -> None:
    course = hcc_visits("T01=40", *(f"T01=40 NEW01=0/L{size}" for size in sizes))
    counts = False
    for index, item in enumerate(assess_mrecist(course)[1:]):
        smallest = min(sizes[:index], default=None)
        counts = counts or (smallest is not None and sizes[index] - smallest >= 10)
        assert item.new_lesions == ("yes" if counts else "equivocal")


def test_a_nodule_of_8_6_9_and_16_5_mm_is_progression() -> None:
    assessed = assess_mrecist(hcc_visits("T01=40", *(f"T01=40 NEW01=0/L{size}" for size in ("8", "6", "9", "16.5"))))
    assert [item.overall for item in assessed[1:]] == [Category.SD, Category.SD, Category.SD, PD]


# --- Lugano: each lesion from its own nadir, the spleen from its smallest normal length


@MANY
@given(st.lists(st.integers(10, 60), min_size=3, max_size=7))
def test_a_lesion_of_lymphoma_grows_from_its_own_nadir(sizes: list[int]) -> None:
    # The second lesion shrinks all the time, so that the sum's nadir is another visit's.
    texts = [f"T01={size}x{size} T02={90 - 5 * n}x{90 - 5 * n}" for n, size in enumerate([30, *sizes])]
    for index, item in enumerate(assess_lugano(perpendicular_courses.visits(*texts))[1:], start=1):
        before = [30, *sizes][:index]
        nadir, now = min(before), sizes[index - 1]
        least = 5 if nadir <= 20 else 10
        expected = 2 * now * now >= 3 * nadir * nadir and now > 15 and now - nadir >= least
        assert (item.target is PD) == expected


@MANY
@given(st.sampled_from([120, 150]), st.lists(st.integers(100, 170), min_size=3, max_size=7))
def test_the_spleen_grows_from_its_smallest_normal_length(first: int, lengths: list[int]) -> None:
    texts = ["T01=40x40 S1=" + str(length) for length in (first, *lengths)]
    for index, item in enumerate(assess_lugano(perpendicular_courses.visits(*texts))[1:]):
        normal = [length for length in lengths[:index] if length <= 130]
        now = lengths[index]
        if first <= 130:
            expected = now > 130 and now - first >= 20
        elif normal:
            expected = now > 130 and now - min(normal) >= 20
        else:
            expected = 2 * (now - first) > first - 130
        assert (item.non_target is PD) == expected


def test_a_spleen_of_150_129_112_and_133_mm_is_progression() -> None:
    texts = [f"T01=40x40 S1={length}" for length in (150, 129, 112, 133)]
    assert [item.overall for item in assess_lugano(perpendicular_courses.visits(*texts))[1:]] == ["SD", "SD", PD]


# --- volumes of non-target lesions: growth from the smallest


@MANY
@given(st.lists(st.integers(1, 20), min_size=3, max_size=7))
def test_growth_of_a_non_target_volume_is_from_its_smallest(volumes: list[int]) -> None:
    texts = [f"T01=40/v900 NT01=present/v{volume}" for volume in volumes]
    for index, item in enumerate(CRITERIA["volume-recist"].assess(visits(*texts), None)):
        said = "non-target-progression-suggested" in {finding.code for finding in item.findings}
        expected = index > 0 and 1000 * volumes[index] >= 1728 * min(volumes[:index])
        assert said == expected


# --- iRECIST: an early scan that is disregarded feeds nothing


def on_days(days: Sequence[int], *texts: str) -> tuple[Visit, ...]:
    start = datetime.date(2024, 1, 1)
    return tuple(
        replace(visit, date=start + datetime.timedelta(days=day))
        for day, visit in zip(days, visits(*texts), strict=True)
    )


DISREGARDED = IrecistParameters(early_scan=EarlyScan.DISREGARDED)


@pytest.mark.parametrize(
    "early",
    ["T01=50", "T01=absent", "T01=100 NEW02=30", "T01=100 NEW01=40", "T01=100 NEW01=absent", "T01=130", "T01=ne"],
)
@pytest.mark.parametrize("then", ["T01=60", "T01=60 NEW01=12", "T01=100 NEW01=16", "T01=100 NEW02=14", "T01=125"])
def test_a_disregarded_scan_feeds_nothing(early: str, then: str) -> None:
    course = on_days((0, 31, 45, 66, 108), "T01=100", "T01=100 NEW01=12", early, then, "T01=110 NEW01=12")
    found = assess_irecist(course, DISREGARDED)
    assert [item.code for item in found[2].findings if "early" in item.code] == ["early-scan-disregarded"]
    assert (found[2].overall, found[2].target_sum) == (Category.IUPD, None)
    without = assess_irecist((*course[:2], *course[3:]), DISREGARDED)
    assert (*found[:2], *found[3:]) == without


def test_the_nadir_is_not_that_of_a_disregarded_scan() -> None:
    course = on_days((0, 31, 45, 66), "T01=100", "T01=100 NEW01=12", "T01=50", "T01=60")
    last = assess_irecist(course, DISREGARDED)[3]
    assert (last.nadir_sum, last.overall) == (100, Category.IPR)


# --- one new-lesion rule


def test_a_node_that_was_recorded_as_normal_is_equivocal_by_both() -> None:
    course = list(visits("T01=30", "T01=30", "T01=30"))
    for index, role, size in ((1, LesionRole.NON_TARGET, 8), (2, LesionRole.NEW, 11)):
        node = LesionObservation("N1", role, True, "lymph node", LesionState.MEASURED, None, Decimal(size))
        course[index] = replace(course[index], observations=(*course[index].observations, node))
    recist, immune = assess_recist_1_1(course)[2], assess_irecist(course)[2]
    assert (recist.new_lesions, recist.overall) == ("equivocal", Category.SD)
    assert (immune.new_lesions, immune.overall) == ("equivocal", Category.ISD)


def test_new_lesions_whose_conglomerate_is_gone_are_gone_by_both() -> None:
    course = visits("T01=40", "T01=40 NEW01=12 NEW02=12", "T01=40 NEW03=24", "T01=40 NEW03=absent")
    merged = [
        replace(
            visit,
            observations=tuple(
                replace(seen, parents=("NEW01", "NEW02")) if seen.lesion_id == "NEW03" else seen
                for seen in visit.observations
            ),
        )
        for visit in course
    ]
    assert assess_recist_1_1(merged)[3].new_lesions == "no"
    assert [item.overall for item in assess_irecist(merged)[2:]] == [Category.IUPD, Category.ISD]
