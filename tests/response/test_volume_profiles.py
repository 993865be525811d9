"""Volumetric profiles at their thresholds, the reliable-change flag, and where volume and diameter disagree."""

import datetime
from decimal import Decimal

import pytest

from tests.response.courses import visits
from tumorresp.domain.assessment import Assessment, Category
from tumorresp.domain.errors import InvalidInput
from tumorresp.domain.measurement import LesionRole, LesionState
from tumorresp.response import LesionObservation, Visit, assess_recist_1_1, assess_volumetric
from tumorresp.response.criteria import CRITERIA
from tumorresp.response.discordance import discordances
from tumorresp.response.irecist import assess_irecist
from tumorresp.response.reliable_change import QIBA_CLASSES, reliable_changes


def last(name: str, *volumes: str) -> Assessment:
    texts = [f"T01=60/v{volume}" for volume in volumes]
    return CRITERIA[name].assess(visits(*texts), None)[-1]


@pytest.mark.parametrize(
    ("name", "volumes", "expected"),
    [
        ("volume-recist", ("100000", "34300"), "PR"),
        ("volume-recist", ("100000", "34300.1"), "SD"),
        ("volume-recist", ("100000", "172800"), "PD"),
        ("volume-recist", ("100000", "172799.9"), "SD"),
        ("volume-65-73", ("100000", "35000"), "PR"),
        ("volume-65-73", ("100000", "35000.1"), "SD"),
        ("volume-65-73", ("100000", "173000"), "PD"),
        ("volume-65-73", ("100000", "172999.9"), "SD"),
        ("volume-65-73", ("1000", "1730"), "SD"),  # the sphere is 2.5 mm wider only
        ("volume-reliability", ("100000", "65000"), "PR"),
        ("volume-reliability", ("100000", "65000.1"), "SD"),
        ("volume-reliability", ("100000", "155000"), "PD"),
        ("volume-reliability", ("100000", "154999.9"), "SD"),
        ("volume-reliability", ("1000", "1550"), "PD"),
        ("volume-30-20", ("100000", "70000"), "PR"),
        ("volume-30-20", ("100000", "70000.1"), "SD"),
        ("volume-30-20", ("100000", "120000"), "PD"),
        ("volume-30-20", ("100000", "119999.9"), "SD"),
        ("volume-25-25", ("100000", "75000"), "PR"),
        ("volume-25-25", ("100000", "75000.1"), "SD"),
        ("volume-25-25", ("100000", "125000"), "PD"),
        ("volume-25-25", ("100000", "124999.9"), "SD"),
        ("volume-25-25", ("100000", "60000", "75000"), "PD"),  # against the nadir
    ],
)
def test_thresholds(name: str, volumes: tuple[str, ...], expected: str) -> None:
    found = last(name, *volumes)
    assert (found.criterion, found.target, found.overall) == (name, expected, expected)


def test_every_profile_is_called_exploratory() -> None:
    assert {name for name, item in CRITERIA.items() if item.exploratory} == {
        name for name in CRITERIA if name.startswith("volume-")
    }


def test_every_criterion_carries_its_name_and_inputs() -> None:
    texts = ("T01=30/L30/v9000 T02n=20/L30/v4000", "T01=25/v7000 T02n=18/L30/v4000")
    for name, item in CRITERIA.items():
        found = item.assess(visits(*texts), None)
        assert [a.criterion for a in found] == [name, name]
        assert all(a.inputs for a in found), name
        assert item.assess((), None) == ()


def seen(long_axis: str, volume: str | None, *, role: LesionRole = LesionRole.TARGET) -> LesionObservation:
    return LesionObservation(
        "T01",
        role,
        False,
        "lung",
        LesionState.MEASURED,
        Decimal(long_axis),
        volume_mm3=None if volume is None else Decimal(volume),
    )


def pair(before: LesionObservation, now: LesionObservation) -> tuple[Visit, ...]:
    return (
        Visit("a", "Baseline", datetime.date(2024, 1, 1), (before,)),
        Visit("b", "Follow-up 1", datetime.date(2024, 3, 1), (now,)),
    )


@pytest.mark.parametrize(
    ("long_axis", "change", "limit", "reliable"),
    [
        ("34.9", 39, 39, False),
        ("34.9", -40, 39, True),
        ("35", 29, 29, False),
        ("35", 30, 29, True),
        ("50", 24, 24, False),
        ("100", -25, 24, True),
        ("100.1", -90, None, None),
        ("9.9", 90, None, None),
    ],
)
def test_reliable_change(long_axis: str, change: int, limit: int | None, reliable: bool | None) -> None:
    (found,) = reliable_changes(pair(seen(long_axis, "10000"), seen("20", str(10000 + 100 * change))), 1)
    assert (found.change_percent, found.limit_percent, found.is_reliable) == (change, limit, reliable)


def test_interval_of_a_change() -> None:
    (found,) = reliable_changes(pair(seen("60", "10000"), seen("60", "15000")), 1)
    half = 1.96 * ((10000 * 0.085) ** 2 + (15000 * 0.085) ** 2) ** 0.5
    assert found.interval_mm3 == pytest.approx((5000 - half, 5000 + half))


def test_the_limits_follow_from_the_variations() -> None:
    """The profile's limits are 1.96 x sqrt(2) x wCV, rounded up."""
    for item in QIBA_CLASSES:
        assert 100 * 1.96 * 2**0.5 * item.variation == pytest.approx(item.change_percent, abs=0.6)


def test_changes_without_volumes_and_of_other_lesions() -> None:
    assert reliable_changes(pair(seen("60", None), seen("60", "1")), 1)[0].is_reliable is None
    other = LesionRole.NON_TARGET
    assert reliable_changes(pair(seen("60", "10", role=other), seen("60", "10", role=other)), 1) == ()
    assert reliable_changes(pair(seen("60", "10"), seen("60", "10")), 0) == ()


def both(*texts: str) -> list[tuple[str, str, str]]:
    course = visits(*texts)
    found = discordances(assess_recist_1_1(course), assess_volumetric(course), course)
    return [(item.visit_name, "/".join(item.responses), " ".join(item.why)) for item in found]


def test_where_diameter_and_volume_disagree() -> None:
    (found,) = both("T01=100/v100000", "T01=65/v60000")
    assert found[:2] == ("Follow-up 1", "PR/SD")
    assert "recist-1.1: target PR (−35.0 % from baseline, −35.0 % from nadir)" in found[2]
    assert "volume-recist: target SD (−40.0 % from baseline, −40.0 % from nadir)" in found[2]


def test_opposite_directions_are_named() -> None:
    (found,) = both("T01=100/v100000", "T01=125/v90000")
    assert "T01 lung: diameter +25.0 %, volume −10.0 % from baseline." in found[2]


def test_a_missing_mask_is_named() -> None:
    (found,) = both("T01=100/v100000 T02=50/v3000", "T01=70/v30000 T02=30")
    assert found[1] == "PR/NE"
    assert "A size is missing by one criterion only: T02 by volume-recist." in found[2]


def test_agreement_is_no_discordance() -> None:
    assert both("T01=100/v100000", "T01=60/v30000", "T01=60/v30000 NEW01=10") == []


def test_i_forms_agree_with_what_they_are_forms_of() -> None:
    course = visits("T01=100", "T01=100 NEW01=12", "T01=70 NEW01=12")
    (found,) = discordances(assess_recist_1_1(course), assess_irecist(course), course)
    assert (found.visit_name, found.responses) == ("Follow-up 2", (Category.PD, Category.IPR))
    assert "iPR" in found.why[0]
    with pytest.raises(InvalidInput, match="same visits"):
        discordances(assess_recist_1_1(course)[1:], assess_irecist(course), course)
