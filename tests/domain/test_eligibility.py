"""The choice of target lesions is checked against RECIST 1.1, never changed."""

from decimal import Decimal

import pytest

from tumorresp.domain.decimal_mm import to_decimal
from tumorresp.domain.eligibility import BaselineLesion, BaselineRules, TargetRules, check_target_choice, method_of
from tumorresp.domain.measurement import LesionRole, LesionState


def lesion(
    long_mm: float | None = 30.0,
    short_mm: float | None = 20.0,
    *,
    number: int = 1,
    role: LesionRole = LesionRole.TARGET,
    nodal: bool = False,
    organ: str = "",
    thickness: float | None = 5.0,
    modality: str = "CT",
    state: LesionState = LesionState.MEASURED,
) -> BaselineLesion:
    return BaselineLesion(
        f"T{number:02d}",
        role,
        nodal,
        organ,
        state,
        None if long_mm is None else to_decimal(long_mm),
        None if short_mm is None else to_decimal(short_mm),
        None if thickness is None else to_decimal(thickness),
        method_of(modality),
    )


SMALL, MISSING = ["target-too-small"], ["target-not-measured"]


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        # CT: 10 mm, at equality from both sides
        (lesion(10.0), []),
        (lesion(9.999999), SMALL),
        (lesion(sum([0.1] * 100)), []),  # 9.99999999999998 in binary floats
        # slices thicker than 5 mm: twice the thickness
        (lesion(10.0, thickness=5.0), []),
        (lesion(10.0, thickness=5.1), SMALL),
        (lesion(10.2, thickness=5.1), []),
        (lesion(15.99, thickness=8.0), SMALL),
        (lesion(16.0, thickness=8.0), []),
        (lesion(10.0, thickness=None), []),
        # nodes: short axis 15 mm, whatever the long axis and the slices
        (lesion(40.0, 15.0, nodal=True), []),
        (lesion(40.0, 14.99, nodal=True), SMALL),
        (lesion(40.0, 15.0, nodal=True, thickness=8.0), []),
        (lesion(40.0, None, nodal=True), MISSING),
        # chest X-ray: 20 mm
        (lesion(20.0, modality="DX", thickness=None), []),
        (lesion(19.9, modality="CR", thickness=None), SMALL),
        # without axes
        (lesion(None, None, state=LesionState.TOO_SMALL), MISSING),
        (lesion(None, None, state=LesionState.ABSENT), MISSING),
        (lesion(None, None, state=LesionState.NOT_EVALUABLE), MISSING),
        (lesion(30.0, state=LesionState.NOT_EVALUABLE), MISSING),
        # a normal node is no lesion, whatever its role
        (lesion(40.0, 9.99, nodal=True), [*SMALL, "node-is-normal"]),
        (lesion(40.0, 9.99, nodal=True, role=LesionRole.NON_TARGET), ["node-is-normal"]),
        (lesion(40.0, 10.0, nodal=True, role=LesionRole.NON_TARGET), []),
        # no target, no rule
        (lesion(3.0, role=LesionRole.NON_TARGET), []),
        (lesion(3.0, role=LesionRole.NEW), []),
    ],
)
def test_size(chosen, expected):
    assert [finding.code for finding in check_target_choice([chosen])] == expected


def test_the_message_says_what_was_measured_and_what_is_needed():
    (finding,) = check_target_choice([lesion(9.996)])
    assert finding.where == "T01"
    assert "9.996 mm" in finding.message  # 10.0 would not show why
    assert "10 mm or more" in finding.message
    (finding,) = check_target_choice([lesion(12.0, thickness=7.5)])
    assert "slices of 7.5 mm must have 15 mm" in finding.message
    (finding,) = check_target_choice([lesion(None, None, state=LesionState.TOO_SMALL)])
    assert "too-small" in finding.message


@pytest.mark.parametrize(
    ("organs", "expected"),
    [
        (["liver", "liver", "lung", "lung", "bone"], []),
        (["liver", "liver", "lung", "lung", "bone", "brain"], ["too-many-targets"]),
        (["liver", "liver", "liver"], ["too-many-targets-in-organ"]),
        (["left lung", "Right Lung", "lung"], ["too-many-targets-in-organ"]),
        (["left kidney", "right kidney", "lung"], []),
        (["", "", ""], []),
    ],
)
def test_counts(organs, expected):
    chosen = [lesion(organ=organ, number=number) for number, organ in enumerate(organs, start=1)]
    assert [finding.code for finding in check_target_choice(chosen)] == expected


def test_all_lymph_nodes_are_one_organ():
    nodes = [lesion(nodal=True, organ=organ, number=n) for n, organ in enumerate(["neck", "axilla", "groin"], start=1)]
    (finding,) = check_target_choice(nodes)
    assert finding.code == "too-many-targets-in-organ"
    assert finding.where == "lymph node"


def test_rules_are_parameters():
    strict = BaselineRules(TargetRules(long_axis_mm=Decimal(15), targets=1, targets_per_organ=1))
    codes = [finding.code for finding in check_target_choice([lesion(12.0), lesion(20.0, number=2)], strict)]
    assert codes == ["target-too-small", "too-many-targets"]
