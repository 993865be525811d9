"""Lesions that split or merge, tumour markers, back-dated progression, and what an assessment was made from."""

import datetime
from dataclasses import replace
from decimal import Decimal

import pytest

from tests.response.courses import visit, visits
from tumorresp.domain.assessment import Assessment, Category, LesionInput
from tumorresp.domain.measurement import LesionRole, LesionState
from tumorresp.response import LesionObservation, Recist11Parameters, Visit, assess_recist_1_1, assess_volumetric
from tumorresp.response.choi import assess_choi


def lesion(
    name: str,
    size: str | None,
    *parents: str,
    role: LesionRole = LesionRole.TARGET,
    state: LesionState = LesionState.MEASURED,
    volume: str | None = None,
) -> LesionObservation:
    return LesionObservation(
        name,
        role,
        False,
        "liver",
        state,
        None if size is None else Decimal(size),
        volume_mm3=None if volume is None else Decimal(volume),
        parents=parents,
        source=f"row of {name}",
    )


def course(*seen: tuple[LesionObservation, ...]) -> tuple[Visit, ...]:
    start = datetime.date(2024, 1, 1)
    return tuple(
        Visit(f"v{n}", f"Visit {n}", start + datetime.timedelta(days=42 * n), items) for n, items in enumerate(seen)
    )


MERGED = LesionState.MERGED


def last(*seen: tuple[LesionObservation, ...]) -> Assessment:
    return assess_recist_1_1(course(*seen))[-1]


def codes(assessment: Assessment) -> list[str]:
    return [finding.code for finding in assessment.findings]


def test_fragments_count_with_their_sum() -> None:
    found = last((lesion("T04", "20"),), (lesion("T04.1", "6", "T04"), lesion("T04.2", "7", "T04")))
    assert (found.target_sum, found.target) == (13, Category.PR)
    assert "T04.1 liver 6.0 (fragment of T04) + T04.2 liver 7.0 (fragment of T04)" in found.reasons[0]
    assert codes(found) == []


def test_a_fragment_that_nobody_mentions_is_missing() -> None:
    first = (lesion("T04", "20"),)
    split = (lesion("T04.1", "6", "T04"), lesion("T04.2", "7", "T04"))
    found = last(first, split, (lesion("T04.1", "6", "T04"),))
    assert (found.target_sum, found.target) == (None, Category.NE)
    gone = lesion("T04.2", None, "T04", state=LesionState.ABSENT)
    assert last(first, split, (lesion("T04.1", "6", "T04"), gone)).target_sum == 6


def test_fragments_that_are_all_gone_are_a_complete_response() -> None:
    split = (lesion("T04.1", "6", "T04"), lesion("T04.2", "7", "T04"))
    gone = tuple(replace(item, state=LesionState.ABSENT, long_axis_mm=None) for item in split)
    assert last((lesion("T04", "20"),), split, gone).overall is Category.CR


def test_the_parent_may_stand_for_its_fragments_again() -> None:
    split = (lesion("T04.1", "6", "T04"), lesion("T04.2", "7", "T04"))
    assert last((lesion("T04", "20"),), split, (lesion("T04", "15"),)).target_sum == 15


def test_fragments_and_parent_both_measured_are_not_counted_twice() -> None:
    both = (lesion("T04", "13"), lesion("T04.1", "6", "T04"), lesion("T04.2", "7", "T04"))
    found = last((lesion("T04", "20"),), both)
    assert found.target is Category.NE
    assert codes(found) == ["split-and-measured"]


def test_a_conglomerate_counts_once() -> None:
    first = (lesion("T01", "30"), lesion("T02", "20"), lesion("T03", "10"))
    merged = (
        lesion("T01", "30"),
        lesion("T02", None, state=MERGED),
        lesion("T03", None, state=MERGED),
        lesion("T02/T03", "28", "T02", "T03"),
    )
    found = last(first, merged)
    assert (found.target_sum, found.target) == (58, Category.SD)
    assert "T02/T03 liver 28.0 (conglomerate of T02, T03)" in found.reasons[0]
    assert codes(found) == []
    without_parents = (merged[0], merged[3])
    assert last(first, without_parents).target_sum == 58
    assert last(first, merged, (lesion("T01", "30"),)).target is Category.NE


def test_a_conglomerate_and_its_parents_both_measured_are_not_counted_twice() -> None:
    first = (lesion("T02", "20"), lesion("T03", "10"))
    found = last(first, (lesion("T02", "20"), lesion("T02/T03", "28", "T02", "T03")))
    assert found.target is Category.NE
    assert codes(found) == ["merged-and-measured"]


def test_merged_without_a_conglomerate_is_missing() -> None:
    found = last((lesion("T02", "20"), lesion("T03", "10")), (lesion("T02", "20"), lesion("T03", None, state=MERGED)))
    assert found.target is Category.NE
    assert codes(found) == ["merged-without-conglomerate"]


def test_two_conglomerates_of_one_lesion_are_refused() -> None:
    first = (lesion("T01", "20"), lesion("T02", "20"), lesion("T03", "10"))
    found = last(first, (lesion("T01/T02", "35", "T01", "T02"), lesion("T02/T03", "28", "T02", "T03")))
    assert found.target is Category.NE
    assert codes(found) == ["merged-twice"]


def test_a_lesion_that_came_from_nothing_known_is_reported() -> None:
    found = last((lesion("T01", "20"),), (lesion("T01", "20"), lesion("T09.1", "6", "T09")))
    assert codes(found) == ["lesion-without-baseline"]
    deep = last(
        (lesion("T01", "20"),),
        (lesion("T01.1", "9", "T01"), lesion("T01.2", "9", "T01")),
        (lesion("T01.1", "9", "T01"), lesion("T01.2a", "3", "T01.2")),
    )
    assert codes(deep) == []
    assert deep.target_sum == 12


def test_a_new_lesion_inside_an_old_one_is_new_when_the_reader_says_so() -> None:
    nodule = lesion("NEW01", "8", "T01", role=LesionRole.NEW)
    found = last((lesion("T01", "20"),), (lesion("T01", "20"), nodule))
    assert (found.target_sum, found.overall) == (20, Category.PD)


def test_non_target_lesions_split_and_merge_too() -> None:
    present, absent = LesionState.PRESENT, LesionState.ABSENT
    nt = LesionRole.NON_TARGET
    first = (lesion("NT01", None, role=nt, state=present), lesion("NT02", None, role=nt, state=present))
    whole = lesion("NT01/NT02", None, "NT01", "NT02", role=nt, state=present)
    assert last(first, (whole,)).non_target is Category.NON_CR_NON_PD
    assert last(first, (replace(whole, state=absent),)).non_target is Category.CR
    halves = [lesion(f"NT01.{n}", None, "NT01", role=nt, state=present) for n in (1, 2)]
    gone = lesion("NT02", None, role=nt, state=absent)
    assert last(first, (*halves, gone)).non_target is Category.NON_CR_NON_PD
    assert last(first, (*(replace(item, state=absent) for item in halves), gone)).non_target is Category.CR


def test_volumes_of_fragments_and_conglomerates() -> None:
    first = (lesion("T01", "20", volume="4000"), lesion("T02", "20", volume="4000"))
    split = (
        lesion("T01.1", "9", "T01", volume="400"),
        lesion("T01.2", "9", "T01", volume="500"),
        lesion("T02", "20", volume="4000"),
    )
    assert assess_volumetric(course(first, split))[1].target_sum == 4900
    merged = (lesion("T01/T02", "30", "T01", "T02", volume="7000"),)
    assert assess_volumetric(course(first, merged))[1].target_sum == 7000


@pytest.mark.parametrize(
    ("baseline", "later", "without", "with_markers", "non_target"),
    [
        ("T01=20 NT01=present", "T01=absent NT01=absent", "CR", "PR", "NON-CR/NON-PD"),
        ("T01=20", "T01=absent", "CR", "PR", "NA"),
        ("NT01=present", "NT01=absent", "CR", "NON-CR/NON-PD", "NON-CR/NON-PD"),
        ("T01=20", "T01=19", "SD", "SD", "NA"),
        ("T01=20 NT01=present", "T01=absent NT01=present", "PR", "PR", "NON-CR/NON-PD"),
        ("", "", "NED", "NED", "NA"),
    ],
)
def test_tumour_markers(baseline: str, later: str, without: str, with_markers: str, non_target: str) -> None:
    first, second = visits(baseline, later)
    high = replace(second, markers_elevated=True)
    assert assess_recist_1_1((first, second))[1].overall == without
    assert assess_recist_1_1((first, replace(second, markers_elevated=False)))[1].overall == without
    found = assess_recist_1_1((first, high))[1]
    assert (found.overall, found.non_target) == (with_markers, non_target)
    ignored = assess_recist_1_1((first, high), Recist11Parameters(markers_count=False))[1]
    assert ignored.overall == without


def test_progression_dates_from_the_first_appearance() -> None:
    seen = visits("T01=20", "T01=20 NEW01=8/equivocal", "T01=20 NEW01=8/equivocal", "T01=20 NEW01=12")
    assert [item.progression_date for item in assess_recist_1_1(seen)] == [None, None, None, seen[1].date]
    early = replace(seen[1], first_date=datetime.date(2024, 2, 9))
    assert assess_recist_1_1((seen[0], early, *seen[2:]))[3].progression_date == datetime.date(2024, 2, 9)


def test_every_number_has_its_source() -> None:
    first = (lesion("T01", "30"), lesion("T02", "20"))
    found = last(first, (lesion("T01", "30"), lesion("T02", None, state=LesionState.TOO_SMALL)))
    assert found.inputs == (
        LesionInput("T01", "long axis", Decimal(30), "mm", "", "row of T01"),
        LesionInput("T02", "diameter", Decimal(5), "mm", "too small to measure", "row of T02"),
    )
    assert sum(item.value or 0 for item in found.inputs) == found.target_sum
    missing = last(first, (lesion("T01", "30"),))
    assert [(item.lesion_id, item.value) for item in missing.inputs] == [("T01", 30), ("T02", None)]


def test_nodes_give_their_short_axis() -> None:
    found = assess_recist_1_1((visit(0, "T01n=18"), visit(1, "T01n=12")))[1]
    assert [(item.quantity, item.value) for item in found.inputs] == [("short axis", 12)]


def test_fragments_that_merge_again_count_once() -> None:
    first = (lesion("T01", "30"),)
    split = (lesion("T01.1", "12", "T01"), lesion("T01.2", "10", "T01"))
    whole = (lesion("T01.3", "20", "T01.1", "T01.2"),)
    found = last(first, split, whole)
    assert (found.target_sum, found.target) == (20, Category.PR)
    assert "T01.3 liver 20.0 (conglomerate of T01.1, T01.2)" in found.reasons[0]
    assert codes(found) == []


def test_a_fragment_that_splits_is_replaced_by_its_parts_and_they_are_missed_later() -> None:
    first = (lesion("T01", "30"),)
    split = (lesion("T01.1", "12", "T01"), lesion("T01.2", "10", "T01"))
    deeper = (lesion("T01.1", "12", "T01"), lesion("T01.2a", "4", "T01.2"), lesion("T01.2b", "3", "T01.2"))
    assert last(first, split, deeper).target_sum == 19
    lost = last(first, split, deeper, deeper[:2])
    assert (lost.target_sum, lost.target) == (None, Category.NE)
    assert any("T01.2b" in reason for reason in lost.reasons)


def test_a_conglomerate_comes_apart() -> None:
    first = (lesion("T02", "20"), lesion("T03", "10"))
    merged = (lesion("T02/T03", "28", "T02", "T03"),)
    assert last(first, merged, (lesion("T02", "15"), lesion("T03", "9"))).target_sum == 24
    parts = (lesion("P1", "14", "T02/T03"), lesion("P2", "8", "T02/T03"))
    found = last(first, merged, parts)
    assert (found.target_sum, codes(found)) == (22, [])


def test_a_conglomerate_that_a_larger_one_took_up() -> None:
    first = (lesion("T01", "20"), lesion("T02", "20"), lesion("T03", "10"))
    merged = (lesion("T01", "20"), lesion("M1", "28", "T02", "T03"))
    larger = (lesion("M1", None, state=MERGED), lesion("M2", "45", "T01", "M1"))
    found = last(first, merged, larger)
    assert (found.target_sum, codes(found)) == (45, [])


def test_lesions_that_came_from_each_other_are_contradictory() -> None:
    found = last(
        (lesion("T01", "20"),), (lesion("A", None, "T01", "B", state=MERGED), lesion("B", None, "A", state=MERGED))
    )
    assert (found.target, codes(found)) == (Category.NE, ["parents-in-circle"])


def test_a_lesion_is_not_measured_with_its_parts_at_baseline() -> None:
    first = (lesion("T01", "30"), lesion("T01.1", "18", "T01"), lesion("T02", "10"))
    found = assess_recist_1_1(course(first))[0]
    assert (found.target_sum, codes(found)) == (28, ["measured-with-its-parts"])


def test_targets_and_non_targets_that_merge_count_with_their_whole_size() -> None:
    first = (lesion("T01", "20"), lesion("NT01", None, role=LesionRole.NON_TARGET, state=LesionState.PRESENT))
    found = last(first, (lesion("M", "26", "T01", "NT01"),))
    assert (found.target_sum, found.target) == (26, Category.PD)
    assert codes(found) == ["target-merged-with-non-target"]


def test_a_target_that_came_from_a_non_target_is_not_used() -> None:
    first = (lesion("T01", "20"), lesion("NT01", None, role=LesionRole.NON_TARGET, state=LesionState.PRESENT))
    stray = (lesion("T01", "20"), lesion("T09", "26", "NT01"), first[1])
    found = last(first, stray)
    assert (found.target_sum, found.target) == (20, Category.SD)
    assert codes(found) == ["role-unlike-its-parent"]


def test_progression_of_a_target_that_nobody_measured_is_not_evaluable() -> None:
    first = (lesion("T01", "20"),)
    stated = lesion("T01", None, state=LesionState.UNEQUIVOCAL_PROGRESSION)
    found = last(first, (stated,))
    assert (found.target, codes(found)) == (Category.NE, ["progression-of-target-stated"])
    assert "measure it" in found.findings[0].message
    sized = last(first, (replace(stated, long_axis_mm=Decimal(21)),))
    assert (sized.target, codes(sized)) == (Category.SD, ["progression-of-target-stated"])


def test_what_is_said_of_a_non_target_counts_beside_its_fragments() -> None:
    nt, present = LesionRole.NON_TARGET, LesionState.PRESENT
    first = (lesion("NT01", None, role=nt, state=present),)
    half = lesion("NT01.1", None, "NT01", role=nt, state=present)
    worse = lesion("NT01", None, role=nt, state=LesionState.UNEQUIVOCAL_PROGRESSION)
    assert last(first, (half, worse)).non_target is Category.PD


def new(name: str, size: str | None, *parents: str, state: LesionState = LesionState.MEASURED) -> LesionObservation:
    return lesion(name, size, *parents, role=LesionRole.NEW, state=state)


def test_a_new_lesion_is_followed_through_its_parts() -> None:
    old = lesion("T01", "20")
    seen = ((old,), (old, new("N1", "12")), (old, new("N1.1", "6", "N1"), new("N1.2", "5", "N1")))
    found = last(*seen)
    assert (found.overall, codes(found)) == (Category.PD, [])
    gone = tuple(new(name, None, "N1", state=LesionState.ABSENT) for name in ("N1.1", "N1.2"))
    assert last(*seen, (old, *gone)).overall is Category.SD


def test_an_equivocal_new_lesion_that_split_is_confirmed_from_its_first_day() -> None:
    old, doubt = lesion("T01", "20"), LesionState.EQUIVOCAL
    seen = course((old,), (old, new("N1", "6", state=doubt)), (old, new("N1.1", "9", "N1")))
    assert assess_recist_1_1(seen)[2].progression_date == seen[1].date


def test_markers_that_were_normal_at_baseline_do_not_stand_against_a_complete_response() -> None:
    first, second = visits("T01=20", "T01=absent")
    rose = replace(second, markers_elevated=True)
    found = assess_recist_1_1((replace(first, markers_elevated=False), rose))[1]
    assert (found.overall, codes(found)) == (Category.CR, ["markers-rose"])
    assert assess_recist_1_1((replace(first, markers_elevated=True), rose))[1].overall is Category.PR


def merged(name: str, size: str | None = None, **changes: object) -> LesionObservation:
    return replace(lesion(name, size, state=MERGED), **changes)  # type: ignore[arg-type]


MERGED_BY_STATE = [
    # follow-up, sum, codes: one lesion called merged with a size is the conglomerate of the others
    ((merged("T01", "46"), merged("T02")), 46, ["conglomerate-under-one-name"]),
    ((merged("T02", "46"), merged("T01")), 46, ["conglomerate-under-one-name"]),
    ((merged("T01", "46"), merged("T02", "46")), 46, ["conglomerate-under-one-name"]),
    ((merged("T01", "46"),), 46, ["conglomerate-under-one-name"]),
    ((merged("T01", "46"), lesion("T02", "20")), 66, ["merged-with-unknown"]),
    # two sizes for one conglomerate, or no size at all
    ((merged("T01", "46"), merged("T02", "40")), None, ["merged-with-several-sizes"] * 2),
    ((merged("T01"), merged("T02")), None, ["merged-without-conglomerate"] * 2),
    # lesions of different organs are no conglomerate
    ((merged("T01", "46"), merged("T02", organ="lung")), None, ["merged-without-conglomerate", "merged-with-unknown"]),
    # a conglomerate under a name of its own that does not say what it holds
    ((merged("T01"), merged("T02"), lesion("T09", "46")), 46, ["conglomerate-without-parents"]),
    (
        (merged("T01"), merged("T02"), lesion("T09", "46"), lesion("T08", "20")),
        None,
        ["lesion-without-baseline"] * 2 + ["merged-without-conglomerate"] * 2,
    ),
    (
        (merged("T01"), lesion("T02", "20"), lesion("T09", "46")),
        None,
        ["lesion-without-baseline", "merged-without-conglomerate"],
    ),
    # what is said with parents goes first
    ((merged("T01"), merged("T02"), lesion("T09", "46", "T01", "T02")), 46, []),
    ((merged("T01", "46"), merged("T02"), lesion("T09", "46", "T01", "T02")), None, ["merged-and-measured"]),
]


@pytest.mark.parametrize(("seen", "total", "said"), MERGED_BY_STATE)
def test_lesions_called_merged(seen: tuple[LesionObservation, ...], total: int | None, said: list[str]) -> None:
    organ = {item.lesion_id: item.organ for item in seen}
    first = tuple(lesion(name, size) for name, size in (("T01", "30"), ("T02", "20")))
    first = tuple(replace(item, organ=organ.get(item.lesion_id, "liver")) for item in first)
    found = last(first, seen)
    assert (found.target_sum, sorted(codes(found))) == (total, sorted(said))
    assert found.target is (Category.NE if total is None else Category.PD if total == 66 else Category.SD)
    assert all(item.decides for item in found.findings if item.code.startswith("conglomerate-"))


@pytest.mark.parametrize(
    ("later", "total"),
    [
        ((lesion("T01", "44"),), 44),  # the conglomerate, which nobody calls merged any more
        ((lesion("T01", "44"), merged("T02")), 44),
        ((lesion("T01", "24"), lesion("T02", "15")), 39),  # apart again
        ((merged("T02"),), None),
        ((), None),
    ],
)
def test_a_conglomerate_under_one_name_is_followed(later: tuple[LesionObservation, ...], total: int | None) -> None:
    first = (lesion("T01", "30"), lesion("T02", "20"))
    assert last(first, (merged("T01", "46"), merged("T02")), later).target_sum == total


def test_a_conglomerate_without_parents_is_followed() -> None:
    first = (lesion("T01", "30"), lesion("T02", "20"))
    found = last(first, (merged("T01"), merged("T02"), lesion("T09", "46")), (lesion("T09", "40"),))
    assert (found.target_sum, codes(found)) == (40, [])


def test_conglomerates_of_two_organs() -> None:
    first = tuple(lesion(f"T0{n}", "20") for n in range(1, 5))
    in_lung = ("T03", "T04")
    first = tuple(replace(item, organ="lung") if item.lesion_id in in_lung else item for item in first)
    seen = (merged("T01", "38"), merged("T02"), merged("T03", organ="lung"), merged("T04", "36", organ="lung"))
    assert last(first, seen).target_sum == 74


def test_what_waits_at_baseline_may_be_a_target() -> None:
    first = (lesion("T01", "30"), replace(lesion("?1", None, state=LesionState.NOT_EVALUABLE), pending="it waits"))
    for size in ("10", "30", "60"):
        assert last(first, (lesion("T01", size),)).target is Category.NE


@pytest.mark.parametrize(
    "seen",
    [
        (merged("T01", "46", mean_density_hu=Decimal(60)), merged("T02")),
        (merged("T01"), merged("T02"), replace(lesion("T09", "46"), mean_density_hu=Decimal(60))),
        (replace(lesion("T09", "46", "T01", "T02"), mean_density_hu=Decimal(60)),),
    ],
)
def test_density_of_a_conglomerate_is_compared_with_that_of_the_lesions_in_it(
    seen: tuple[LesionObservation, ...],
) -> None:
    """60 HU after 60 and 100 HU of the two lesions in it, without the third of 20 HU that is gone: -25 %."""
    sizes = {"T01": ("30", 60), "T02": ("20", 100), "T03": ("10", 20)}
    first = tuple(
        replace(lesion(name, size), mean_density_hu=Decimal(density)) for name, (size, density) in sizes.items()
    )
    gone = lesion("T03", None, state=LesionState.ABSENT)
    found = assess_choi(course(first, (*seen, gone)))[1]
    assert found.secondary[0].change_percent == pytest.approx(-25)
    assert found.target is Category.PR
