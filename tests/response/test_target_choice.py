"""The baseline against the rules of target choice, every limit from both sides."""

import datetime
from dataclasses import replace
from decimal import Decimal

import pytest

from tumorresp.domain.eligibility import BaselineRules
from tumorresp.domain.measurement import LesionRole, LesionState
from tumorresp.response import LesionObservation, Visit
from tumorresp.response.subject import SubjectDates
from tumorresp.response.target_choice import check_baseline

DAY = datetime.date(2024, 1, 1)


def target(size: str, *, nodal: bool = False, organ: str = "lung", name: str = "T01") -> LesionObservation:
    long_axis, short_axis = (None, Decimal(size)) if nodal else (Decimal(size), None)
    return LesionObservation(name, LesionRole.TARGET, nodal, organ, LesionState.MEASURED, long_axis, short_axis)


def found(*seen: LesionObservation, rules: BaselineRules | None = None, reference: int | None = None) -> list[str]:
    dates = SubjectDates(None if reference is None else DAY + datetime.timedelta(days=reference))
    return [item.code for item in check_baseline((Visit("v", "Baseline", DAY, seen),), dates, rules)]


@pytest.mark.parametrize(
    ("seen", "is_small"),
    [
        (target("10"), False),
        (target("9.999999"), True),
        (replace(target("10"), slice_thickness_mm=Decimal(5)), False),
        (replace(target("14.9"), slice_thickness_mm=Decimal("7.5")), True),
        (replace(target("15"), slice_thickness_mm=Decimal("7.5")), False),
        (replace(target("10"), slice_thickness_mm=Decimal("5.1")), True),
        (replace(target("10.2"), slice_thickness_mm=Decimal("5.1")), False),
        (replace(target("19.9"), method="X-RAY"), True),
        (replace(target("20"), method="X-RAY"), False),
        (replace(target("9.9"), method="CALIPER"), True),
        (replace(target("10"), method="CALIPER", slice_thickness_mm=Decimal(8)), False),
        (replace(target("9.9"), method="MRI"), True),
        (target("15", nodal=True), False),
        (target("14.9", nodal=True), True),
        (replace(target("15", nodal=True), slice_thickness_mm=Decimal(8)), False),
    ],
)
def test_least_size(seen: LesionObservation, is_small: bool) -> None:
    assert found(seen) == (["target-too-small"] if is_small else [])


def test_thick_slices_count_for_nodes_where_the_protocol_says_so() -> None:
    node = replace(target("15.9", nodal=True), slice_thickness_mm=Decimal(8))
    rules = BaselineRules(node_double_slice_rule=True)
    assert found(node, rules=rules) == ["target-too-small"]
    assert found(replace(node, short_axis_mm=Decimal(16)), rules=rules) == []


def test_a_normal_node_is_no_lesion() -> None:
    node = replace(target("9.9", nodal=True), role=LesionRole.NON_TARGET)
    assert found(node) == ["node-is-normal"]
    assert found(replace(node, short_axis_mm=Decimal(10))) == []


def test_number_of_targets() -> None:
    organs = ["lung", "liver", "bone", "adrenal", "brain", "spleen"]
    chosen = [target("20", organ=organ, name=f"T{n}") for n, organ in enumerate(organs)]
    assert found(*chosen[:5]) == []
    assert found(*chosen) == ["too-many-targets"]


@pytest.mark.parametrize(
    ("organs", "nodal", "expected"),
    [
        (("liver", "liver"), False, []),
        (("liver", "liver", "liver"), False, ["too-many-targets-in-organ"]),
        (("left lung", "right lung", "lung"), False, ["too-many-targets-in-organ"]),
        (("left kidney", "right kidney"), False, []),
        (("neck", "axilla", "groin"), True, ["too-many-targets-in-organ"]),
        (("", "", ""), False, []),
    ],
)
def test_targets_in_one_organ(organs: tuple[str, ...], nodal: bool, expected: list[str]) -> None:
    chosen = [target("20", organ=organ, nodal=nodal, name=f"T{n}") for n, organ in enumerate(organs)]
    assert found(*chosen) == expected


@pytest.mark.parametrize(
    ("reference", "expected"),
    [(28, []), (29, ["baseline-too-old"]), (0, []), (-1, ["baseline-after-reference"]), (None, [])],
)
def test_age_of_the_baseline(reference: int | None, expected: list[str]) -> None:
    assert found(target("20"), reference=reference) == expected


def test_the_first_scan_of_the_baseline_counts() -> None:
    visit = Visit("v", "Baseline", DAY, (target("20"),), first_date=DAY - datetime.timedelta(days=3))
    dates = SubjectDates(DAY + datetime.timedelta(days=26))
    assert [item.code for item in check_baseline((visit,), dates)] == ["baseline-too-old"]


def test_irradiated_targets() -> None:
    assert found(replace(target("20"), irradiated=True)) == ["target-irradiated"]


def test_follow_ups_are_not_checked() -> None:
    later = Visit("w", "Follow-up", DAY + datetime.timedelta(days=50), (target("4"),))
    assert check_baseline((Visit("v", "Baseline", DAY, (target("20"),)), later), SubjectDates()) == ()
    assert check_baseline((), SubjectDates()) == ()


@pytest.mark.parametrize(
    "seen",
    [
        replace(target("20", nodal=True), short_axis_mm=None, long_axis_mm=Decimal(30)),
        replace(target("20"), long_axis_mm=None, state=LesionState.ABSENT),
        replace(target("20"), long_axis_mm=None, state=LesionState.TOO_SMALL),
        replace(target("20"), long_axis_mm=None, state=LesionState.NOT_EVALUABLE),
    ],
)
def test_a_target_without_the_axis_that_counts_is_said(seen: LesionObservation) -> None:
    assert found(seen) == ["target-not-measured"]
