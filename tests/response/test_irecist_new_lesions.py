"""iRECIST's list of new lesions: which are measured, which are there, what splits and merges."""

import datetime
from dataclasses import replace
from decimal import Decimal

import pytest

from tests.response.courses import visits
from tumorresp.domain.measurement import LesionRole, LesionState
from tumorresp.response import Visit, assess_recist_1_1
from tumorresp.response.irecist import assess_irecist
from tumorresp.response.irecist_new_lesions import NewLesionList, new_lesion_list
from tumorresp.response.irecist_parameters import IrecistParameters
from tumorresp.response.new_lesions import new_lesions_by_visit


def listed(*texts: str, rules: IrecistParameters | None = None) -> NewLesionList:
    return of_visits(visits(*texts), rules)


def of_visits(seen: tuple[Visit, ...], rules: IrecistParameters | None = None) -> NewLesionList:
    chosen, found = rules or IrecistParameters(), NewLesionList()
    before = Visit("before", "Baseline", seen[0].date - datetime.timedelta(days=42), ())
    new = new_lesions_by_visit((before, *seen), chosen.normal_node_mm, chosen.progression_mm)
    for visit, judged in zip(seen, new[1:], strict=True):
        found = new_lesion_list(found, visit, judged, chosen)
    return found


def changed(seen: tuple[Visit, ...], number: int, lesion_id: str, **fields: object) -> tuple[Visit, ...]:
    observations = tuple(
        replace(item, **fields) if item.lesion_id == lesion_id else item  # type: ignore[arg-type]
        for item in seen[number].observations
    )
    return (*seen[:number], replace(seen[number], observations=observations), *seen[number + 1 :])


@pytest.mark.parametrize(
    ("text", "measured"),
    [
        ("NEW01=10", True),
        ("NEW01=9.9", False),
        ("NEW01n=15", True),
        ("NEW01n=14.9", False),
        ("NEW01n=14.9/L40", False),
        ("NEW01=present", False),
        ("NEW01=12/equivocal", False),
    ],
)
def test_size_of_a_new_lesion_target(text: str, measured: bool) -> None:
    assert bool(listed(text).targets) == measured


@pytest.mark.parametrize(("thickness", "measured"), [("5", True), ("6", True), ("6.1", False)])
def test_thick_slices_ask_for_twice_their_thickness(thickness: str, measured: bool) -> None:
    seen = changed(visits("NEW01=12"), 0, "NEW01", slice_thickness_mm=Decimal(thickness))
    assert bool(of_visits(seen).targets) == measured


def test_largest_first_whatever_the_order_of_rows() -> None:
    text = "NEW01=11 NEW02=30 NEW03=20 NEW04n=16 NEW05n=18 NEW06n=17"
    (visit,) = visits(text)
    for turned in (visit, replace(visit, observations=visit.observations[::-1])):
        assert of_visits((turned,)).targets == ("NEW02", "NEW03", "NEW05", "NEW06")


def test_five_in_all() -> None:
    (visit,) = visits(" ".join(f"NEW0{number}=2{number}" for number in range(1, 8)))
    organs = ["liver", "liver", "bone", "spleen", "brain", "kidney left", "kidney right"]
    observations = tuple(replace(item, organ=organ) for item, organ in zip(visit.observations, organs, strict=True))
    found = of_visits((replace(visit, observations=observations),))
    assert found.targets == ("NEW03", "NEW04", "NEW05", "NEW06", "NEW07")
    later = of_visits((replace(visit, observations=observations[2:]), replace(visit, observations=observations)))
    assert later.targets == ("NEW03", "NEW04", "NEW05", "NEW06", "NEW07")
    fewer = of_visits(
        (replace(visit, observations=observations),), IrecistParameters(new_targets=3, new_targets_per_organ=1)
    )
    assert fewer.targets == ("NEW04", "NEW05", "NEW07")  # both kidneys are one organ


def test_places_are_given_once_and_later_lesions_take_what_is_left() -> None:
    assert listed("NEW01=12", "NEW01=12 NEW02=20 NEW03=30").targets == ("NEW01", "NEW03")
    # a lesion that appeared too small is not measured later, one that is gone keeps its place
    assert listed("NEW01=6", "NEW01=40").targets == ()
    assert listed("NEW01=12 NEW02=12", "NEW01=absent NEW02=12 NEW03=12").targets == ("NEW01", "NEW02")


def test_an_equivocal_lesion_appears_when_it_is_confirmed() -> None:
    found = listed("NEW01=6/equivocal", "NEW01=12")
    assert (found.ids, found.targets) == (("NEW01",), ("NEW01",))


def test_sums() -> None:
    found = listed("NEW01=12 NEW02n=20 NEW03=6", "NEW01=absent NEW02n=9 NEW03=8")
    assert found.targets == ("NEW01", "NEW02")
    assert found.target_sum(found.targets) == 9  # a normal node keeps its size, what is absent has 0
    assert found.ids == ("NEW03",)
    missing = listed("NEW01=12 NEW02n=20", "NEW01=14")
    assert missing.target_sum(missing.targets) is None
    assert missing.assessed_sum(missing.targets) == 14
    assert missing.ids == ("NEW01", "NEW02")
    assert missing.target_sum(()) is None


PRESENCE = [
    ("NEW01=12", "NEW01=absent", "NEW01=6"),
    ("NEW01=12", "NEW01=equivocal", "NEW01=12"),
    ("NEW01=12", "", "NEW01=ne"),
    ("NEW01=12", "NEW01=absent/6", ""),
    ("NEW01n=12", "NEW01n=9.9", "NEW01n=14.8"),
    ("NEW01n=9", "NEW01n=13.9", "NEW01n=14"),
    ("NEW01n=9.9", "NEW01n=10", "NEW01n=14.9"),
    ("NEW01n=10", "NEW01n=12", "NEW01n=9"),
    ("NEW01n=L20", "NEW01n=L8", "NEW01n=L12"),
    ("NEW01n=small", "NEW01n=16", "NEW01n=present"),
    ("NEW01=small", "NEW01=0", "NEW01=pd"),
    ("NEW01=equivocal NEW02=6", "NEW01=6", "NEW02=absent"),
]


@pytest.mark.parametrize("course", PRESENCE)
def test_what_is_there_is_what_recist_counts(course: tuple[str, ...]) -> None:
    seen = visits("T01=50", *(f"T01=50 {text}" for text in course))
    recist = [item.new_lesions == "yes" for item in assess_recist_1_1(seen)]
    assert recist == [bool(of_visits(seen[: index + 1]).ids) for index in range(len(seen))]


def test_a_fragment_of_a_new_lesion_is_no_further_one_and_counts_for_it() -> None:
    seen = visits("T01=50", "T01=50 NEW01=20", "T01=50 NEW02=14 NEW03=10.9", "T01=50 NEW02=14 NEW03=11")
    for number in (2, 3):
        for lesion_id in ("NEW02", "NEW03"):
            seen = changed(seen, number, lesion_id, parents=("NEW01",))
    assert [str(item.overall) for item in assess_irecist(seen)[1:]] == ["iUPD", "iUPD", "iCPD"]
    found = of_visits(seen[1:])
    assert (found.ids, found.target_sum(found.targets)) == (("NEW01",), Decimal(25))


def test_new_lesions_that_merge_count_once() -> None:
    seen = visits("T01=50", "T01=50 NEW01=20 NEW02=12", "T01=50 NEW03=36.9", "T01=50 NEW03=37")
    for number in (2, 3):
        seen = changed(seen, number, "NEW03", parents=("NEW01", "NEW02"))
    assert [str(item.overall) for item in assess_irecist(seen)[1:]] == ["iUPD", "iUPD", "iCPD"]
    found = of_visits(seen[1:])
    assert (found.ids, found.target_sum(found.targets)) == (("NEW01", "NEW02"), Decimal(37))


def test_a_lesion_called_merged_counts_with_its_conglomerate() -> None:
    seen = visits("T01=50", "T01=50 NEW01=20 NEW02=12", "T01=50 NEW01=present NEW02=present NEW03=37")
    for lesion_id in ("NEW01", "NEW02"):
        seen = changed(seen, 2, lesion_id, state=LesionState.MERGED)
    alone = of_visits(seen[1:])
    assert alone.ids == ("NEW01", "NEW02", "NEW03")
    assert alone.target_sum(("NEW01",)) is None
    seen = changed(seen, 2, "NEW03", parents=("NEW01", "NEW02"))
    found = of_visits(seen[1:])
    assert (found.ids, found.target_sum(found.targets)) == (("NEW01", "NEW02"), Decimal(37))
    assert [str(item.overall) for item in assess_irecist(seen)[1:]] == ["iUPD", "iCPD"]


def test_a_lesion_of_the_baseline_is_never_new() -> None:
    seen = visits("T01=50 NT01=present", "T01=50 NT01=12")
    seen = changed(seen, 1, "NT01", role=LesionRole.NEW)
    assert assess_irecist(seen)[1].overall == "iSD"


def test_the_list_follows_the_lesion_whatever_it_is_called_later() -> None:
    seen = visits("T01=50", "T01=50 NEW01=12", "T01=50 NEW01=17")
    seen = changed(seen, 2, "NEW01", role=LesionRole.NON_TARGET)
    assert [str(item.overall) for item in assess_irecist(seen)[1:]] == ["iUPD", "iCPD"]


def test_sources_stand_with_the_sizes() -> None:
    (item,) = of_visits(changed(visits("NEW01=12"), 0, "NEW01", source="row 7")).inputs()
    assert (item.lesion_id, item.value, item.unit) == ("NEW01", Decimal(12), "mm")
    assert listed("NEW01=12/equivocal").inputs() == ()
    assert (item.quantity, item.source) == ("long axis", "row 7")
