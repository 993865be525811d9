"""Lugano on CT: both sides of every limit, each lesion's own nadir, the spleen, new lesions, the page's example."""

from collections.abc import Sequence
from dataclasses import fields, replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conftest import REPOSITORY
from tests.response.perpendicular_courses import codes, visits
from tumorresp.domain.assessment import Assessment
from tumorresp.domain.errors import InvalidInput
from tumorresp.domain.measurement import LesionRole
from tumorresp.response.lugano import assess_lugano
from tumorresp.response.lugano_parameters import LuganoParameters

PAGE = REPOSITORY / "docs" / "criteria" / "lugano.md"


def last(*texts: str, **parameters: Any) -> Assessment:
    return assess_lugano(visits(*texts), replace(LuganoParameters(), **parameters))[-1]


TARGETS = [
    # CR: nodes at most 15 mm long, whatever the short axis; other lesions gone
    (("T01n=40x25", "T01n=15x14"), "CR"),
    (("T01n=40x25", "T01n=15.1x14"), "PR"),
    (("T01n=40x25", "T01n=14.9x14"), "CR"),
    (("T01n=16x10", "T01n=15x10"), "CR"),
    (("T01n=40x25", "T01n=small"), "CR"),
    (("T01n=40x25", "T01n=absent"), "CR"),
    (("T01=40x25", "T01=absent"), "CR"),
    (("T01=40x25", "T01=small"), "PR"),
    (("T01=40x25", "T01=6x5"), "PR"),
    (("T01n=40x25 T02=30x20", "T01n=12x9 T02=absent"), "CR"),
    (("T01n=40x25 T02=30x20", "T01n=12x9 T02=8x6"), "PR"),
    # PR: at least half of the sum
    (("T01n=40x25", "T01n=25x20"), "PR"),
    (("T01n=40x25", "T01n=25.1x20"), "SD"),
    (("T01n=40x25", "T01n=24.9x20"), "PR"),
    (("T01n=40x30 T02n=40x20", "T01n=40x20 T02n=20x10"), "PR"),
    (("T01n=40x30 T02n=40x20", "T01n=40x20 T02n=20.1x10"), "SD"),
    (("T01n=40x30 T02n=40x20", "T01n=25x30 T02n=absent"), "PR"),
    # PD: product half larger; 10 mm for a lesion over 20 mm
    (("T01n=40x20", "T01n=50x24"), "PD"),
    (("T01n=40x20", "T01n=50x23.9"), "SD"),
    (("T01n=40x20", "T01n=50x24.1"), "PD"),
    (("T01n=40x20", "T01n=49.9x25"), "SD"),
    (("T01n=40x20", "T01n=40x30"), "PD"),
    (("T01n=40x20", "T01n=45x29.9"), "SD"),
    (("T01n=20.1x10", "T01n=30x20"), "PD"),
    (("T01n=20.1x10", "T01n=30x19.9"), "SD"),
    (("T01n=20.1x10", "T01n=25.1x15"), "SD"),
    # 5 mm for one up to 20 mm
    (("T01n=20x10", "T01n=25x12"), "PD"),
    (("T01n=20x10", "T01n=24.9x14.9"), "SD"),
    (("T01n=20x10", "T01n=24x15"), "PD"),
    (("T01n=20x10", "T01n=25x11.9"), "SD"),
    # longer than 15 mm
    (("T01n=25x20", "T01n=10x8", "T01n=15x15"), "CR"),
    (("T01n=25x20 T02n=30x20", "T01n=10x8 T02n=30x20", "T01n=15x15 T02n=30x20"), "SD"),
    (("T01n=25x20 T02n=30x20", "T01n=10x8 T02n=30x20", "T01n=15.1x15 T02n=30x20"), "PD"),
    # one lesion is enough, though the sum falls
    (("T01n=40x40 T02n=20x10", "T01n=10x10 T02n=25x12"), "PD"),
    # each from its own nadir
    (("T01n=30x20 T02n=30x20", "T01n=20x10 T02n=30x20", "T01n=25x12 T02n=20x10"), "PD"),
    (("T01n=30x20 T02n=30x20", "T01n=20x10 T02n=30x20", "T01n=24x12 T02n=30x20"), "SD"),
    # of equal products the first is the nadir
    (("T01n=20x15", "T01n=25x12", "T01n=30x15"), "PD"),
    (("T01n=25x12", "T01n=20x15", "T01n=30x15"), "SD"),
    # called absent with a size: no nadir
    (("T01n=30x20 T02n=30x20", "T01n=absent/30x20 T02n=30x20", "T01n=16x9 T02n=30x20"), "SD"),
    # gone and back: as new ones
    (("T01n=30x20 T02n=30x20", "T01n=absent T02n=30x20", "T01n=15x15 T02n=30x20"), "SD"),
    (("T01n=30x20 T02n=30x20", "T01n=absent T02n=30x20", "T01n=15.1x9 T02n=30x20"), "PD"),
    (("T01=30x20 T02n=30x20", "T01=absent T02n=30x20", "T01=10x9 T02n=30x20"), "SD"),
    (("T01=30x20 T02n=30x20", "T01=absent T02n=30x20", "T01=10.1x9 T02n=30x20"), "PD"),
    # after a complete response any lesion outside nodes
    (("T01=30x20", "T01=absent", "T01=6x5"), "PD"),
    # not evaluable
    (("T01n=40x25", "T01n=ne"), "NE"),
    (("T01n=40x25", "T01n=40"), "NE"),
    (("T01n=40x25", "T01n=x25"), "NE"),
    (("T01n=40x25", "T01n=present"), "NE"),
    (("T01n=40x25", "T01n=absent/30x20"), "NE"),
    (("T01n=40x25 T02n=30x20", "T01n=12x9"), "NE"),
    (("T01n=40x25 T02n=30x20", "T01n=60x40"), "PD"),
    (("T01n=40", "T01n=30x20"), "NE"),
]  # fmt: skip


@pytest.mark.parametrize(("course", "category"), TARGETS)
def test_target_lesions(course: tuple[str, ...], category: str) -> None:
    found = last(*course)
    assert (found.target, found.overall) == (category, category)


SPLIT_AND_MERGED = [
    (("T01n=40x20 T02n=30x20", "T1n@T01=30x20 T2n@T01=30x20 T02n=30x20"), "PD"),  # 1200 after 800
    (("T01n=40x20 T02n=30x20", "T1n@T01=30x20 T2n@T01=30x19.9 T02n=30x20"), "SD"),
    # then part by part
    (
        (
            "T01n=40x20 T02n=30x20",
            "T1n@T01=20x10 T2n@T01=20x10 T02n=30x20",
            "T1n@T01=25x12 T2n@T01=20x10 T02n=30x20",
        ),
        "PD",
    ),
    (
        (
            "T01n=40x20 T02n=30x20",
            "T1n@T01=20x10 T2n@T01=20x10 T02n=30x20",
            "T1n@T01=25x11.9 T2n@T01=20x10 T02n=30x20",
        ),
        "SD",
    ),
    # a conglomerate: products alone, here 1500 after 600 + 400
    (("T01n=30x20 T02n=40x10", "T9n@T01+T02=50x30"), "PD"),
    (("T01n=30x20 T02n=40x10", "T9n@T01+T02=50x29.9"), "SD"),
    (("T01n=20x20 T02n=20x10", "T9n@T01+T02=30x30"), "PD"),  # 900 after 600
    (("T01n=20x20 T02n=20x10", "T9n@T01+T02=31x29"), "SD"),  # 899
    (("T01n=30x20 T02n=40x10", "T9n@T01+T02=30x20", "T9n@T01+T02=40x22.5"), "PD"),
    (("T01n=30x20 T02n=40x10", "T9n@T01+T02=30x20", "T9n@T01+T02=40x22.4"), "SD"),
    (("T01n=30x20 T02=40x10 T03=60x40", "T01n=absent T02=absent T03=60x40", "T9n@T01+T02=15.1x9 T03=60x40"), "PD"),
    (("T01n=30x20 T02=40x10 T03=60x40", "T01n=absent T02=absent T03=60x40", "T9n@T01+T02=15x9 T03=60x40"), "SD"),
    # under the name of one of its lesions, or under a new one that does not say what it holds: 1500 after 600 + 400
    (("T01n=30x20 T02n=40x10", "T01n=50x29.9/merged T02n=merged"), "SD"),
    (("T01n=30x20 T02n=40x10", "T01n=50x30/merged T02n=merged"), "PD"),
    (("T01n=30x20 T02n=40x10", "T01n=40x20/merged T02n=merged", "T01n=50x30"), "PD"),
    (("T01n=30x20 T02n=40x10", "T01n=40x20/merged T02n=merged", "T01n=50x29.9"), "SD"),
    (("T01n=30x20 T02n=40x10", "T01n=merged T02n=merged T09n=50x30"), "PD"),
    (("T01n=30x20 T02n=40x10", "T01n=merged T02n=merged T09n=50x29.9"), "SD"),
    (("T01n=30x20 T02n=40x10", "T01n=merged T02n=merged T09n=30x20", "T09n=40x22.5"), "PD"),
    (("T01n=30x20 T02n=40x10", "T01n=merged T02n=40x10"), "NE"),
]  # fmt: skip


@pytest.mark.parametrize(("course", "category"), SPLIT_AND_MERGED)
def test_split_and_merged_lesions(course: tuple[str, ...], category: str) -> None:
    assert last(*course).target == category


OTHERS = [
    # non-target nodes are normal by their longest diameter
    (("T01n=40x25 NT01n=20x14", "T01n=12x9 NT01n=15x9"), "CR", "CR"),
    (("T01n=40x25 NT01n=20x14", "T01n=12x9 NT01n=15.1x5"), "NON-CR/NON-PD", "PR"),
    (("T01n=40x25 NT01n=20x14", "T01n=12x9 NT01n=x9"), "NE", "PR"),
    (("T01n=40x25 NT01n=20x14", "T01n=12x9 NT01n=small"), "CR", "CR"),
    (("T01n=40x25 NT01n=20x14", "T01n=12x9 NT01n=present"), "NON-CR/NON-PD", "PR"),
    (("T01n=40x25 NT01n=20x14", "T01n=12x9"), "NE", "PR"),
    # what the reader says goes before the size
    (("T01n=40x25 NT01n=20x14", "T01n=12x9 NT01n=12x9/ne"), "NE", "PR"),
    (("T01n=40x25 NT01n=20x14", "T01n=12x9 NT01n=12x9/absent"), "NE", "PR"),
    (("T01n=40x25 NT01n=20x14", "T01n=12x9 NT01n=12x9/pd"), "PD", "PD"),
    (("T01n=40x25 NT01=9", "T01n=12x9 NT01=9"), "NON-CR/NON-PD", "PR"),
    (("T01n=40x25 NT01=9", "T01n=12x9 NT01=9/pd"), "PD", "PD"),
    (("NT01=present", "NT01=absent"), "CR", "CR"),
    (("", ""), "NA", "NED"),
    # the spleen: 150 mm are 20 mm too long, so more than 160 mm is progression and less than 140 mm a response
    (("T01n=40x25 S1=150", "T01n=12x9 S1=130"), "CR", "CR"),
    (("T01n=40x25 S1=150", "T01n=12x9 S1=130.1"), "NON-CR/NON-PD", "PR"),
    (("T01n=40x25 S1=150", "T01n=12x9 S1=139.9"), "NON-CR/NON-PD", "PR"),
    (("T01n=40x25 S1=150", "T01n=12x9 S1=140"), "NON-CR/NON-PD", "SD"),
    (("T01n=40x25 S1=150", "T01n=12x9 S1=140.1"), "NON-CR/NON-PD", "SD"),
    (("T01n=40x25 S1=150", "T01n=25x20 S1=139.9"), "NON-CR/NON-PD", "PR"),
    (("T01n=40x25 S1=150", "T01n=25x20 S1=140"), "NON-CR/NON-PD", "SD"),
    (("T01n=40x25 S1=150", "T01n=12x9 S1=160"), "NON-CR/NON-PD", "SD"),
    (("T01n=40x25 S1=150", "T01n=12x9 S1=160.1"), "PD", "PD"),
    (("T01n=40x25 S1=150", "T01n=12x9 S1=ne"), "NE", "NE"),
    (("T01n=40x25 S1=150", "T01n=12x9"), "NE", "NE"),
    (("T01n=40x25 S1=150", "T01n=40x25"), "NE", "SD"),
    (("T01n=40x25 S1=150", "T01n=12x9 S1=130/pd"), "PD", "PD"),
    (("T01n=40x25 S1=150 NT01=9", "T01n=12x9 S1=120 NT01=9"), "NON-CR/NON-PD", "PR"),
    (("S1=150", "S1=130"), "CR", "CR"),
    (("S1=150", "S1=150"), "NON-CR/NON-PD", "NON-CR/NON-PD"),
    # normal at baseline: 20 mm more, and enlarged
    (("T01n=40x25 S1=120", "T01n=12x9 S1=139.9"), "NA", "CR"),
    (("T01n=40x25 S1=120", "T01n=12x9 S1=140"), "PD", "PD"),
    (("T01n=40x25 S1=110", "T01n=12x9 S1=130"), "NA", "CR"),
    (("T01n=40x25 S1=110", "T01n=12x9 S1=130.1"), "PD", "PD"),
    (("T01n=40x25 S1=130", "T01n=12x9 S1=150"), "PD", "PD"),
    (("T01n=40x25 S1=130", "T01n=12x9 S1=149.9"), "NA", "CR"),
    (("T01n=40x25 S1=120", "T01n=12x9"), "NA", "CR"),
    (("T01n=40x25 S1=120", "T01n=40x25 S1=100", "T01n=40x25 S1=135"), "NA", "SD"),
    # recurrent: from the smallest normal length
    (("T01n=40x25 S1=150", "T01n=40x25 S1=125", "T01n=40x25 S1=145"), "PD", "PD"),
    (("T01n=40x25 S1=150", "T01n=40x25 S1=125", "T01n=40x25 S1=144.9"), "NON-CR/NON-PD", "SD"),
    (("T01n=40x25 S1=150", "T01n=40x25 S1=120", "T01n=40x25 S1=128", "T01n=40x25 S1=140"), "PD", "PD"),
    # a lone axis shorter than any spleen is a lesion's
    (("T01n=40x25 S1=59.9", "T01n=12x9 S1=40"), "NON-CR/NON-PD", "PR"),
    (("T01n=40x25 S1=60", "T01n=12x9 S1=60"), "NA", "CR"),
    (("T01n=40x25 S1=150x60", "T01n=12x9 S1=150x60"), "NON-CR/NON-PD", "PR"),
]  # fmt: skip


@pytest.mark.parametrize(("course", "non_target", "overall"), OTHERS)
def test_non_target_lesions_and_spleen(course: tuple[str, ...], non_target: str, overall: str) -> None:
    found = last(*course)
    assert (found.non_target, found.overall) == (non_target, overall)


NEW = [
    ("NEW01n=15x15", "no", "PR"),
    ("NEW01n=15.1x5", "yes", "PD"),
    ("NEW01n=small", "no", "PR"),
    ("NEW01n=present", "yes", "PD"),
    ("NEW01n=20x12/equivocal", "equivocal", "PR"),
    ("NEW01=10x9", "equivocal", "PR"),
    ("NEW01=10.1x3", "yes", "PD"),
    ("NEW01=4x3/pd", "yes", "PD"),
    ("NEW01=small", "equivocal", "PR"),
    ("NEW01=present", "yes", "PD"),
    ("NEW01=ne", "no", "PR"),
    ("NEW01=20x9/ne", "no", "PR"),
    ("NEW01n=12x9/pd", "yes", "PD"),
]


@pytest.mark.parametrize(("text", "status", "overall"), NEW)
def test_new_lesions(text: str, status: str, overall: str) -> None:
    found = last("T01n=40x25", f"T01n=25x20 {text}")
    assert (found.new_lesions, found.overall) == (status, overall)


def test_new_lesion_that_counted_goes_on_counting() -> None:
    for first, then in (("NEW01n=20x10", "NEW01n=12x8"), ("NEW01=4x3/pd", "NEW01=4x3"), ("NEW01=12x8", "NEW01=9x8")):
        found = assess_lugano(visits("T01n=40x25", f"T01n=25x20 {first}", f"T01n=25x20 {then}"))
        assert [item.overall for item in found[1:]] == ["PD", "PD"]
    assert last("T01n=40x25", "T01n=25x20 NEW01n=20x10", "T01n=25x20 NEW01n=absent").overall == "PR"


def test_progression_dates_from_the_first_sight_of_a_small_lesion() -> None:
    course = visits("T01n=40x25", "T01n=25x20 NEW01=8x6", "T01n=25x20 NEW01=12x9")
    found = assess_lugano(course)
    assert [item.overall for item in found[1:]] == ["PR", "PD"]
    assert [item.progression_date for item in found] == [None, None, course[1].date]


PARAMETERS = [
    (("T01n=40x25", "T01n=24x25"), {"partial_response": Fraction(3, 5)}, "PR"),
    (("T01n=40x20", "T01n=50x20"), {"lesion_progression": Fraction(5, 4)}, "PD"),
    (("T01n=40x20", "T01n=18x10"), {"normal_node_mm": Decimal(18)}, "CR"),
    (("T01n=40x20", "T01n=30x20 NEW01=12x5"), {"new_extranodal_mm": Decimal(12)}, "SD"),
    (("T01n=25x12", "T01n=30x15"), {"small_lesion_mm": Decimal(25)}, "PD"),
    (("T01n=20x10", "T01n=25x14"), {"small_growth_mm": Decimal(6)}, "SD"),
    (("T01n=40x20", "T01n=49x30"), {"large_growth_mm": Decimal(11)}, "SD"),
    (("T01=8x8", "T01=small"), {"too_small_mm": Decimal(8)}, "SD"),
    (("T01=30x20", "T01=absent", "T01=6x5"), {"reappearance_after_cr_is_pd": False}, "PR"),
    (("S1=150", "S1=140"), {"normal_spleen_mm": Decimal(140)}, "CR"),
    (("T01n=40x25 S1=150", "T01n=25x20 S1=155.1"), {"spleen_change": Fraction(1, 4)}, "PD"),
    (("T01n=40x25 S1=120", "T01n=25x20 S1=140"), {"spleen_growth_mm": Decimal("20.1")}, "PR"),
    (("T01n=40x25 S1=150", "T01n=12x9 S1=120"), {"least_spleen_mm": Decimal(151)}, "PR"),
]  # fmt: skip


@pytest.mark.parametrize(("course", "parameters", "overall"), PARAMETERS)
def test_parameters(course: tuple[str, ...], parameters: dict[str, Any], overall: str) -> None:
    found = last(*course, **parameters)
    assert found.overall == overall
    assert all(dict(found.parameters)[name] == str(value) for name, value in parameters.items())
    assert last(*course).overall != overall


@pytest.mark.parametrize(
    ("course", "parameters"),
    [
        (("T01n=40x25", "T01n=24.1x25"), {"partial_response": Fraction(3, 5)}),
        (("T01n=40x20", "T01n=50x19.9"), {"lesion_progression": Fraction(5, 4)}),
        (("T01n=40x25 S1=150", "T01n=30x20 S1=155"), {"spleen_change": Fraction(1, 4)}),
    ],
)
def test_one_step_beside_a_changed_limit(course: tuple[str, ...], parameters: dict[str, Any]) -> None:
    assert last(*course, **parameters).overall == "SD"


@pytest.mark.parametrize(
    ("course", "code"),
    [
        (("T01n=40x25", "T01n=40"), "one-diameter-only"),
        (("T01n=present",), "target-without-baseline"),
        (("T01n=15x12",), "target-too-small"),
        (("T01n=15.1x12",), ""),
        (("T01=10x9",), "target-too-small"),
        (("T01=10.1x9",), ""),
        (("T01=20x9 T02=20x9 T03=20x9 T04=20x9 T05=20x9 T06=20x9",), ""),
        (("T01=20x9 T02=20x9 T03=20x9 T04=20x9 T05=20x9 T06=20x9 T07=20x9",), "too-many-targets"),
        (("T01n=40x25 NEW01=20x9",), "new-at-baseline"),
        (("T01n=40x25", "T01n=40x25 T02n=20x9"), "lesion-without-baseline"),
        (("T01n=40x25", "T01n=25x20", "T01n=30x20"), "continuing-response"),
        (("S1=150 S2=149",), "spleen-measured-twice"),
        (("S1=150", "S1=150"), ""),
    ],
)
def test_findings(course: tuple[str, ...], code: str) -> None:
    found = codes(last(*course))
    assert found == ({code} if code else set())


def test_numbers_of_an_assessment() -> None:
    first, second = assess_lugano(visits("T01n=40x25 T02=30x20 S1=150", "T01n=30x20 T02=small S1=138"))
    assert (first.criterion, first.unit, first.overall) == ("lugano", "mm2", "BASELINE")
    assert first.target_sum == second.baseline_sum == second.nadir_sum == 1600
    assert second.target_sum == 625
    assert second.change_from_baseline_percent == Decimal("-60.9375")
    assert [(i.lesion_id, i.quantity, str(i.value), i.unit, i.note) for i in second.inputs] == [
        ("T01", "product of diameters", "600", "mm2", "30 × 20 mm"),
        ("T02", "product of diameters", "25", "mm2", "too small to measure, 5 × 5 mm"),
        ("S1", "long axis", "138", "mm", "length of the spleen"),
    ]
    (length,) = second.secondary
    assert (length.name, length.unit, length.reference_name) == ("spleen length", "mm", "baseline")
    assert (length.value, length.reference, length.change_percent) == (Decimal(138), Decimal(150), Decimal(-8))


def test_the_longest_of_two_spleens_is_the_organ_and_the_other_is_named() -> None:
    first = assess_lugano(visits("T01=40x40 S1=140 S2=150"))[0]
    (finding,) = [item for item in first.findings if item.code == "spleen-measured-twice"]
    assert (finding.where, "S2" in finding.message) == ("S1", True)


def test_only_targets_are_checked_as_targets() -> None:
    others = " ".join(f"NT0{number}=9x8" for number in range(1, 9))
    assert codes(assess_lugano(visits(f"T01=40x40 {others} S1=150"))[0]) == set()


def test_role_of_the_baseline_counts() -> None:
    first, second, third = visits("T01n=40x25", "T01n=14x10", "T01n=20x15")
    called = tuple(
        replace(visit, observations=(replace(visit.observations[0], role=role),))
        for visit, role in ((second, LesionRole.NON_TARGET), (third, LesionRole.NEW))
    )
    found = assess_lugano((first, *called))
    assert [str(item.target_sum) for item in found] == ["1000", "140", "300"]
    assert [item.overall for item in found] == ["BASELINE", "CR", "PD"]


def test_node_at_the_spleen_is_no_spleen() -> None:
    first, second = visits("T01n=40x25 S1=150", "T01n=12x9 S1=150")
    of_node = tuple(
        replace(visit, observations=(visit.observations[0], replace(visit.observations[1], nodal=True)))
        for visit in (first, second)
    )
    found = assess_lugano(of_node)[-1]
    assert (found.secondary, found.non_target, found.overall) == ((), "NON-CR/NON-PD", "PR")


def test_near_misses_are_explained() -> None:
    one = last("T01n=40x20 T02n=20x10", "T01n=49.9x25 T02n=20x14.9").reasons[1]
    assert one == (
        "Each lesion from its own nadir: T01 lymph node +55.9 % from 40 × 20 mm (Baseline), but neither diameter is "
        "10 mm longer; T02 lymph node +49.0 % from 20 × 10 mm (Baseline): no PD."
    )
    other = last("T01n=20x20 T02n=30x20", "T01n=10x8 T02n=30x20", "T01n=15x15 T02n=30x20").reasons[1]
    assert "T01 lymph node +181.2 % from 10 × 8 mm (Follow-up 1), but 15 mm are not longer than 15 mm" in other


def test_visits_out_of_order_are_refused() -> None:
    first, second = visits("T01n=40x25", "T01n=30x20")
    with pytest.raises(InvalidInput, match="not later than"):
        assess_lugano((second, first))
    assert assess_lugano(()) == ()


TENTHS = st.integers(1, 600).map(lambda tenths: Decimal(tenths) / 10)
COURSES = st.lists(
    st.tuples(TENTHS, TENTHS, TENTHS, TENTHS, st.integers(800, 2000).map(lambda tenths: Decimal(tenths) / 10)),
    min_size=2,
    max_size=4,
)
Sizes = tuple[Decimal, Decimal, Decimal, Decimal, Decimal]


def texts(course: Sequence[Sizes]) -> list[str]:
    return [f"T01n={a}x{b} T02={c}x{d} S1={s}" for a, b, c, d, s in course]


@settings(max_examples=80, deadline=None)
@given(COURSES)
def test_order_of_lesions_and_later_visits_change_nothing(course: list[Sizes]) -> None:
    forward = visits(*texts(course))
    backward = tuple(replace(visit, observations=visit.observations[::-1]) for visit in forward)
    whole = assess_lugano(forward)
    assert [item.overall for item in assess_lugano(backward)] == [item.overall for item in whole]
    assert assess_lugano(forward[:-1]) == whole[:-1]


@settings(max_examples=80, deadline=None)
@given(COURSES, TENTHS, TENTHS)
def test_a_larger_lesion_never_undoes_progression(course: list[Sizes], more: Decimal, wider: Decimal) -> None:
    *earlier, (a, b, c, d, spleen) = course
    a, b = max(a, b), min(a, b)
    before = last(*texts([*earlier, (a, b, c, d, spleen)]))
    after = last(*texts([*earlier, (a + more + wider, b + wider, c, d, spleen + more)]))
    assert before.overall != "PD" or after.overall == "PD"


@settings(max_examples=80, deadline=None)
@given(COURSES)
def test_target_category_by_hand(course: list[Sizes]) -> None:
    """Compute the last target category again, from whole tenths alone."""
    found = last(*[text.split(" S1")[0] for text in texts(course)])
    tenths = [[sorted((int(10 * p), int(10 * q))) for p, q in ((a, b), (c, d))] for a, b, c, d, _ in course]
    *earlier, now = tenths
    is_progression = False
    for number, (short, long) in enumerate(now):
        nadir = min((visit[number] for visit in earlier), key=lambda size: size[0] * size[1])
        least = 50 if nadir[1] <= 200 else 100
        grown = max(long - nadir[1], short - nadir[0]) >= least
        is_progression |= long > 150 and 2 * short * long >= 3 * nadir[0] * nadir[1] and grown
    sums = [sum(short * long for short, long in visit) for visit in (tenths[0], now)]
    assert found.target == ("PD" if is_progression else "PR" if 2 * sums[1] <= sums[0] else "SD")


def test_worked_example_of_the_page() -> None:
    example = PAGE.read_text(encoding="utf-8").split("## A worked example")[1]
    course = visits(
        "T01n=40x25 T02=20x20 S1=150",
        "T01n=30x20 T02=10x10 S1=138",
        "T01n=15x12 T02=absent S1=128",
        "T01n=20x15 T02=absent S1=128",
    )
    found = assess_lugano(course)

    def row(name: str) -> list[str]:
        line = next(line for line in example.splitlines() if line.startswith(f"| {name} |"))
        return [cell.strip() for cell in line.split("|")[2:-1]]

    for name in ("T01", "T02"):
        seen = [visit.of(name) for visit in course]
        shown = [f"{o.long_axis_mm} × {o.short_axis_mm}" if o and o.long_axis_mm else "absent" for o in seen]
        assert row(f"{name}, mm") == shown
    assert row("spleen, mm") == [str(item.secondary[0].value) for item in found]
    assert row("sum, mm²")[0] == str(found[0].target_sum)
    assert row("sum, mm²")[1:] == [
        f"{item.target_sum} ({item.change_from_baseline_percent:+.1f} %)".replace("-", "−") for item in found[1:]
    ]
    assert row("target")[1:] == [item.target for item in found[1:]]
    assert row("overall")[1:] == [item.overall for item in found[1:]]
    quoted = [line.removeprefix("> ") for line in example.splitlines() if line.startswith("> ")]
    assert tuple(quoted) == found[3].reasons


def test_every_parameter_stands_on_the_page_with_its_default() -> None:
    page = PAGE.read_text(encoding="utf-8")
    for field in fields(LuganoParameters):
        line = next(line for line in page.splitlines() if line.startswith(f"| `{field.name}` |"))
        value = getattr(LuganoParameters(), field.name)
        assert line.split("|")[2].strip() == (
            {True: "yes", False: "no"}[value] if value in (True, False) else str(value)
        )
