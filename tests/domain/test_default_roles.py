"""Lesions of a baseline without a stated role get one by RECIST 1.1's rules of target choice."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tumorresp.domain.default_roles import default_roles
from tumorresp.domain.eligibility import BaselineLesion, check_target_choice
from tumorresp.domain.measurement import LesionRole, LesionState

TARGET, NON_TARGET = LesionRole.TARGET, LesionRole.NON_TARGET


def lesion(name: str, size: str | None, organ: str = "lung", role: LesionRole | None = None) -> BaselineLesion:
    """``size`` is the axis that counts: of an organ "node" the short one."""
    length = None if size is None else Decimal(size)
    if organ == "node":
        return BaselineLesion(name, role, True, "lymph node", short_axis_mm=length)
    return BaselineLesion(name, role, False, organ, long_axis_mm=length)


def roles(*lesions: BaselineLesion) -> dict[str, LesionRole | None]:
    return {item.lesion.lesion_id: item.role for item in default_roles(lesions)}


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (lesion("L", "10"), TARGET),
        (lesion("L", "9.999"), NON_TARGET),
        (replace(lesion("L", "15"), slice_thickness_mm=Decimal("7.5")), TARGET),
        (replace(lesion("L", "14.9"), slice_thickness_mm=Decimal("7.5")), NON_TARGET),
        (replace(lesion("L", "10"), slice_thickness_mm=Decimal(5)), TARGET),
        (replace(lesion("L", "19.9"), method="X-RAY"), NON_TARGET),
        (replace(lesion("L", "20"), method="X-RAY"), TARGET),
        (replace(lesion("L", "30"), irradiated=True), NON_TARGET),
        (lesion("L", None), NON_TARGET),
        (replace(lesion("L", None), state=LesionState.PRESENT), NON_TARGET),
        (replace(lesion("L", "12"), state=LesionState.TOO_SMALL), NON_TARGET),
        (replace(lesion("L", None), state=LesionState.NOT_EVALUABLE), NON_TARGET),
        (replace(lesion("L", None), state=LesionState.ABSENT), None),
        # nodes by their short axis: 15 mm and more target, 10 to under 15 non-target, under 10 normal
        (lesion("N", "15", "node"), TARGET),
        (lesion("N", "14.99", "node"), NON_TARGET),
        (lesion("N", "11.8", "node"), NON_TARGET),
        (lesion("N", "10", "node"), NON_TARGET),
        (lesion("N", "9.99", "node"), None),
        (replace(lesion("N", None, "node"), long_axis_mm=Decimal(40)), NON_TARGET),
        (replace(lesion("N", None, "node"), long_axis_mm=Decimal("9.9")), None),
    ],
)
def test_one_lesion(seen: BaselineLesion, expected: LesionRole | None) -> None:
    assert roles(seen) == {seen.lesion_id: expected}


def test_a_node_of_11_8_mm_is_in_no_sum() -> None:
    chosen = roles(lesion("A", "28"), lesion("B", "18", "liver"), lesion("N", "11.8", "node"))
    assert chosen == {"A": TARGET, "B": TARGET, "N": NON_TARGET}  # 46.0 mm, not 57.8


def test_at_most_five_the_largest_first() -> None:
    organs = ["lung", "liver", "bone", "adrenal", "brain", "spleen"]
    lesions = [lesion(f"L{n}", str(20 + n), organ) for n, organ in enumerate(organs)]
    assert [name for name, role in roles(*lesions).items() if role is NON_TARGET] == ["L0"]


@pytest.mark.parametrize("organs", [("liver",) * 3, ("left lung", "right lung", "lung"), ("node",) * 3])
def test_at_most_two_an_organ(organs: tuple[str, ...]) -> None:
    lesions = [lesion(f"L{n}", str(20 + n), organ) for n, organ in enumerate(organs)]
    assert roles(*lesions) == {"L0": NON_TARGET, "L1": TARGET, "L2": TARGET}


def test_stated_targets_take_places_and_keep_their_role() -> None:
    stated = [
        lesion("S1", "3", "liver", TARGET),
        lesion("S2", "11", "liver", TARGET),
        lesion("S3", "90", "liver", NON_TARGET),
    ]
    assert roles(*stated, lesion("L1", "80", "liver"), lesion("L2", "12", "lung")) == {"L1": NON_TARGET, "L2": TARGET}


def test_stated_targets_leave_fewer_of_the_five_places() -> None:
    organs = ["liver", "bone", "adrenal", "brain"]
    stated = [lesion(f"S{n}", "11", organ, TARGET) for n, organ in enumerate(organs)]
    assert roles(*stated, lesion("L1", "80", "lung"), lesion("L2", "70", "spleen")) == {"L1": TARGET, "L2": NON_TARGET}
    assert roles(*stated[1:], lesion("L1", "80", "lung"), lesion("L2", "70", "spleen")) == {"L1": TARGET, "L2": TARGET}


def test_lesions_of_one_size_are_chosen_by_name() -> None:
    lesions = [lesion(name, "20", "liver") for name in ("c", "a", "b")]
    assert roles(*lesions) == {"a": TARGET, "b": TARGET, "c": NON_TARGET}


def test_what_is_no_lesion_is_said() -> None:
    (item,) = default_roles([lesion("N", "9.9", "node")])
    assert item.finding.code == "no-lesion-at-baseline"
    assert "normal" in item.finding.message
    (item,) = default_roles([lesion("L", "9.9")])
    assert item.finding.code == "role-not-stated"
    assert "non-target" in item.finding.message
    assert "10 mm or more" in item.finding.message


_ORGANS = st.sampled_from(["lung", "left lung", "liver", "node", "", "bone", "brain", "adrenal", "spleen"])
_SIZES = st.one_of(st.none(), st.decimals(1, 60, places=1).map(str))
_MANY = st.lists(st.tuples(_SIZES, _ORGANS), max_size=9).map(
    lambda items: [lesion(f"L{n}", size, organ) for n, (size, organ) in enumerate(items)]
)


@given(_MANY, st.randoms())
def test_default_targets_break_no_rule_and_no_order_matters(lesions, random) -> None:
    chosen = roles(*lesions)
    assert chosen.keys() == {item.lesion_id for item in lesions}
    kept = [replace(item, role=role) for item in lesions if (role := chosen[item.lesion_id]) is not None]
    assert check_target_choice(kept) == ()
    shuffled = list(lesions)
    random.shuffle(shuffled)
    assert roles(*shuffled) == chosen
