"""RANO by size: both sides of every limit, the nadir, what is measurable, minor response, the page's example."""

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
from tumorresp.response.rano import assess_rano
from tumorresp.response.rano_parameters import RanoParameters

PAGE = REPOSITORY / "docs" / "criteria" / "rano.md"


def last(*texts: str, **parameters: Any) -> Assessment:
    return assess_rano(visits(*texts), replace(RanoParameters(), **parameters))[-1]


TARGETS = [
    # course, category for high-grade glioma, for low-grade glioma
    (("T01=40x20", "T01=absent"), "CR", "CR"),
    (("T01=40x20", "T01=0x0"), "CR", "CR"),
    (("T01=40x20", "T01=small"), "PR", "PR"),
    (("T01=40x20", "T01=20x20"), "PR", "PR"),
    (("T01=40x20", "T01=20.1x20"), "SD", "MR"),
    (("T01=40x20", "T01=19.9x20"), "PR", "PR"),
    (("T01=40x20", "T01=30x20"), "SD", "MR"),
    (("T01=40x20", "T01=30.1x20"), "SD", "SD"),
    (("T01=40x20", "T01=29.9x20"), "SD", "MR"),
    (("T01=40x20", "T01=50x20"), "PD", "PD"),
    (("T01=40x20", "T01=49.9x20"), "SD", "SD"),
    (("T01=40x20", "T01=50.1x20"), "PD", "PD"),
    (("T01=40x20", "T01=20x50"), "PD", "PD"),  # whichever diameter is called the long one
    # from the nadir, which may lie under the baseline
    (("T01=40x20", "T01=16x10", "T01=20x10"), "PD", "PD"),
    (("T01=40x20", "T01=16x10", "T01=19.9x10"), "PR", "PR"),
    (("T01=40x20", "T01=32x20", "T01=40x20"), "PD", "PD"),
    (("T01=40x20", "T01=32x20", "T01=39.9x20"), "SD", "SD"),
    (("T01=40x20", "T01=48x20", "T01=49.9x20"), "SD", "SD"),
    # sums
    (("T01=40x20 T02=20x20", "T01=absent T02=30x20"), "PR", "PR"),
    (("T01=40x20 T02=20x20", "T01=absent T02=30.1x20"), "SD", "MR"),
    (("T01=40x20 T02=20x20", "T01=40x20 T02=35x20"), "PD", "PD"),
    (("T01=40x20 T02=20x20", "T01=40x20 T02=34.9x20"), "SD", "SD"),
    # missing lesions can only add
    (("T01=40x20 T02=20x20", "T01=75x20"), "PD", "PD"),
    (("T01=40x20 T02=20x20", "T01=74.9x20"), "NE", "NE"),
    (("T01=40x20 T02=20x20", "T01=absent"), "NE", "NE"),
    (("T01=40x20", "T01=ne"), "NE", "NE"),
    (("T01=40x20", "T01=40"), "NE", "NE"),
    (("T01=40x20", "T01=present"), "NE", "NE"),
    (("T01=40", "T01=40x20"), "NE", "NE"),
    # back
    (("T01=40x20", "T01=absent", "T01=small"), "PD", "PD"),
    (("T01=40x20 NT01=8", "T01=absent NT01=8", "T01=small NT01=8"), "PD", "PD"),
    # split and merged
    (("T01=40x20", "T1@T01=20x10 T2@T01=20x10"), "PR", "PR"),
    (("T01=40x20", "T1@T01=40x20 T2@T01=20x10"), "PD", "PD"),
    (("T01=40x20 T02=20x10", "T9@T01+T02=50x25"), "PD", "PD"),
    (("T01=40x20 T02=20x10", "T9@T01+T02=50x24.9"), "SD", "SD"),
    (("T01=40x20 T02=20x10", "T01=merged T02=20x10"), "NE", "NE"),
    (("T01=40x20 T02=20x10", "T01=40x20 T1@T01=20x20 T02=20x10"), "NE", "NE"),
]  # fmt: skip


@pytest.mark.parametrize(("course", "high_grade", "low_grade"), TARGETS)
def test_target_lesions(course: tuple[str, ...], high_grade: str, low_grade: str) -> None:
    assert last(*course).target == high_grade
    assert last(*course, with_minor_response=True).target == low_grade


OVERALL = [
    (("T01=40x20", "T01=20x20"), "NA", "PR"),
    (("T01=40x20 NT01=8", "T01=absent NT01=absent"), "CR", "CR"),
    (("T01=40x20 NT01=8", "T01=absent NT01=8"), "NON-CR/NON-PD", "PR"),
    (("T01=40x20 NT01=8", "T01=absent"), "NE", "PR"),
    (("T01=40x20 NT01=8", "T01=20x20 NT01=8/pd"), "PD", "PD"),
    (("T01=40x20", "T01=20x20 NEW01=5x5"), "NA", "PD"),
    (("T01=40x20", "T01=20x20 NEW01=5x5/equivocal"), "NA", "PR"),
    (("T01=40x20", "T01=20x20 NEW01n=5x5"), "NA", "PD"),
    (("", "NEW01=present"), "NA", "PD"),
    (("", ""), "NA", "NED"),
    # without measurable disease SD is the best
    (("NT01=8", "NT01=8"), "NON-CR/NON-PD", "SD"),
    (("NT01=8", "NT01=absent"), "CR", "SD"),
    (("NT01=8", "NT01=8/pd"), "PD", "PD"),
    (("NT01=8", "NT01=ne"), "NE", "NE"),
    # measurable from 10 mm in both diameters
    (("T01=40x10", "T01=20x10"), "NA", "PR"),
    (("T01=40x9.9", "T01=20x9.9"), "NON-CR/NON-PD", "SD"),
    (("T01=40x9.9", "T01=60x20"), "NON-CR/NON-PD", "SD"),
    (("T01=40x20 T02=30x9.9", "T01=20x20 T02=90x30"), "NON-CR/NON-PD", "PR"),
    (("T01=40x20 T02=30x9.9", "T01=absent T02=absent"), "CR", "CR"),
    (("T01=40x20 T02=30x9.9", "T01=20x20 T02=90x30/pd"), "PD", "PD"),
    (("T01=40x20 T02=30x9.9", "T01=absent T1@T02=absent T2@T02=5x5"), "NON-CR/NON-PD", "PR"),
    # RECIST's limit of nodes does not count
    (("T01n=40x20 NT01n=20x12", "T01n=9x8 NT01n=9x8"), "NON-CR/NON-PD", "PR"),
]  # fmt: skip


@pytest.mark.parametrize(("course", "non_target", "overall"), OVERALL)
def test_overall_response(course: tuple[str, ...], non_target: str, overall: str) -> None:
    found = last(*course)
    assert (found.non_target, found.overall) == (non_target, overall)


PARAMETERS = [
    (("T01=40x20", "T01=28x20"), {"partial_response": Fraction(7, 10)}, "PR"),
    (("T01=40x20", "T01=48x20"), {"progression": Fraction(6, 5)}, "PD"),
    (("T01=40x20", "T01=32x20"), {"minor_response": Fraction(4, 5), "with_minor_response": True}, "MR"),
    (("T01=40x20", "T01=30x20"), {"with_minor_response": True}, "MR"),
    (("T01=40x8", "T01=20x8"), {"least_diameter_mm": Decimal(8)}, "PR"),
    (("T01=40x20", "T01=small"), {"too_small_mm": Decimal(30)}, "SD"),
    (("NT01=8", "NT01=absent"), {"non_measurable_alone_is_stable": False}, "CR"),
]  # fmt: skip


@pytest.mark.parametrize(("course", "parameters", "overall"), PARAMETERS)
def test_parameters(course: tuple[str, ...], parameters: dict[str, Any], overall: str) -> None:
    found = last(*course, **parameters)
    assert found.overall == overall
    assert all(dict(found.parameters)[name] == str(value) for name, value in parameters.items())
    assert last(*course).overall != overall


def test_reappearance_after_complete_response_has_its_reason() -> None:
    course = ("T01=40x20", "T01=absent", "T01=small")
    assert last(*course).reasons[1] == "T01 liver: back after a complete response → PD."
    without = last(*course, reappearance_after_cr_is_pd=False)
    assert without.reasons[1] == "Back from the nadir of 0.0 mm² (Follow-up 1) → PD."


@pytest.mark.parametrize(
    ("course", "code"),
    [
        (("T01=40x20", "T01=40"), "one-diameter-only"),
        (("T01=present",), "target-without-baseline"),
        (("T01=40x9.9",), "target-not-measurable"),
        (("T01=40x10",), ""),
        (("T01=20x11 T02=20x11 T03=20x11 T04=20x11 T05=20x11",), ""),
        (("T01=20x11 T02=20x11 T03=20x11 T04=20x11 T05=20x11 T06=20x11",), "too-many-targets"),
        (("T01=40x20", "T01=40x20 T02=20x20"), "lesion-without-baseline"),
        (("T01=40x20 NEW01=20x20",), "new-at-baseline"),
        (("T01=40x20", "T01=20x20", "T01=20.1x20"), "continuing-response"),
    ],
)
def test_findings(course: tuple[str, ...], code: str) -> None:
    assert codes(last(*course)) == ({code} if code else set())


def test_most_targets_is_a_parameter() -> None:
    assert "too-many-targets" in codes(last("T01=20x11 T02=20x11", most_targets=1))


def test_numbers_of_an_assessment() -> None:
    first, second = assess_rano(visits("T01=40x25 T02=30x20", "T01=30x20 T02=small"))
    assert (first.criterion, first.unit, first.overall) == ("rano", "mm2", "BASELINE")
    assert first.target_sum == second.baseline_sum == second.nadir_sum == 1600
    assert second.target_sum == 625
    assert second.change_from_baseline_percent == Decimal("-60.9375")
    assert [(i.lesion_id, i.quantity, str(i.value), i.unit, i.note) for i in second.inputs] == [
        ("T01", "product of diameters", "600", "mm2", "30 × 20 mm"),
        ("T02", "product of diameters", "25", "mm2", "too small to measure, 5 × 5 mm"),
    ]


def test_shown_change_stays_on_its_side_of_minor_response() -> None:
    # 75.004 of 100: rounded to one place it would be 75.0, a minor response when repeated by hand
    found = last("T01=10x10", "T01=9.3755x8", with_minor_response=True)
    assert found.target == "SD"
    assert found.reasons[0].startswith("Sum of products of diameters 75.004 mm²")
    assert found.reasons[2] == "Change from baseline −24.996 %: less than 25 % smaller → SD."


def test_visits_out_of_order_are_refused() -> None:
    first, second = visits("T01=40x25", "T01=30x20")
    with pytest.raises(InvalidInput, match="not later than"):
        assess_rano((second, first))
    assert assess_rano(()) == ()


TENTHS = st.integers(100, 900).map(lambda tenths: Decimal(tenths) / 10)
COURSES = st.lists(st.tuples(TENTHS, TENTHS, TENTHS, TENTHS), min_size=2, max_size=4)
Sizes = tuple[Decimal, Decimal, Decimal, Decimal]


def texts(course: Sequence[Sizes], factor: int = 1) -> list[str]:
    return [f"T01={a * factor}x{b * factor} T02={c * factor}x{d * factor}" for a, b, c, d in course]


@settings(max_examples=80, deadline=None)
@given(COURSES)
def test_category_by_hand(course: list[Sizes]) -> None:
    """Compute the last category again, from whole tenths alone."""
    sums = [int(10 * a) * int(10 * b) + int(10 * c) * int(10 * d) for a, b, c, d in course]
    now, nadir = sums[-1], min(sums[:-1])
    wanted = "PD" if 4 * now >= 5 * nadir else "PR" if 2 * now <= sums[0] else "MR" if 4 * now <= 3 * sums[0] else "SD"
    assert last(*texts(course), with_minor_response=True).overall == wanted
    assert last(*texts(course)).overall == ("SD" if wanted == "MR" else wanted)


@settings(max_examples=60, deadline=None)
@given(COURSES, st.integers(2, 20))
def test_scaling_changes_no_category(course: list[Sizes], factor: int) -> None:
    assert last(*texts(course)).overall == last(*texts(course, factor)).overall


@settings(max_examples=60, deadline=None)
@given(COURSES)
def test_order_of_lesions_and_later_visits_change_nothing(course: list[Sizes]) -> None:
    forward = visits(*texts(course))
    backward = tuple(replace(visit, observations=visit.observations[::-1]) for visit in forward)
    whole = assess_rano(forward)
    assert [item.overall for item in assess_rano(backward)] == [item.overall for item in whole]
    assert assess_rano(forward[:-1]) == whole[:-1]


@settings(max_examples=60, deadline=None)
@given(COURSES, TENTHS)
def test_a_larger_lesion_never_undoes_progression(course: list[Sizes], more: Decimal) -> None:
    *earlier, (a, b, c, d) = course
    before = last(*texts(course))
    after = last(*texts([*earlier, (a + more, b, c, d)]))
    assert before.overall != "PD" or after.overall == "PD"


def test_worked_example_of_the_page() -> None:
    example = PAGE.read_text(encoding="utf-8").split("## A worked example")[1]
    course = visits("T01=40x30 T02=20x20", "T01=30x30 T02=15x20", "T01=25x20 T02=15x20", "T01=35x20 T02=15x20")
    found, low_grade = assess_rano(course), assess_rano(course, RanoParameters(with_minor_response=True))

    def row(name: str) -> list[str]:
        line = next(line for line in example.splitlines() if line.startswith(f"| {name} |"))
        return [cell.strip() for cell in line.split("|")[2:-1]]

    for name in ("T01", "T02"):
        assert row(f"{name}, mm") == [
            f"{seen.long_axis_mm} × {seen.short_axis_mm}" for visit in course if (seen := visit.of(name))
        ]
    assert row("sum, mm²")[0] == str(found[0].target_sum)
    assert row("sum, mm²")[1:] == [
        f"{item.target_sum} ({item.change_from_baseline_percent:+.1f} %)".replace("-", "−") for item in found[1:]
    ]
    assert row("since nadir")[1:] == [
        f"{item.change_from_nadir_percent:+.1f} %".replace("-", "−") for item in found[1:]
    ]
    assert row("high-grade")[1:] == [item.overall for item in found[1:]]
    assert row("low-grade")[1:] == [item.overall for item in low_grade[1:]]
    quoted = [line.removeprefix("> ") for line in example.splitlines() if line.startswith("> ")]
    assert tuple(quoted) == low_grade[1].reasons


def test_every_parameter_stands_on_the_page_with_its_default() -> None:
    page = PAGE.read_text(encoding="utf-8")
    for field in fields(RanoParameters):
        line = next(line for line in page.splitlines() if line.startswith(f"| `{field.name}` |"))
        value = getattr(RanoParameters(), field.name)
        shown = ("no", "yes")[value] if isinstance(value, bool) else str(value)
        assert line.split("|")[2].strip() == shown
