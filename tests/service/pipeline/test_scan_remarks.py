"""How a time point was scanned beside the ones before: contrast phase and one shift of all lesions."""

from dataclasses import replace
from typing import Any

import pytest

from tests.domain.test_lesion_tracking import measured, stay
from tumorresp.domain.finding import Finding
from tumorresp.domain.lesion_tracking import TrackedTimePoint, follow_lesions
from tumorresp.domain.measurement import Measurement
from tumorresp.domain.series_look import SeriesLook
from tumorresp.service.pipeline.scan_remarks import scan_remarks


@pytest.mark.parametrize(
    ("description", "agent", "phase"),
    [
        ("Abdomen portal venous 5 mm", "", "portal venous"), ("ABD_ARTERIAL_1.0", "", "arterial"),
        ("Late arterial", "", "arterial"), ("Delayed 5 min", "", "delayed"), ("Venenphase", "", "portal venous"),
        ("Abdomen non-contrast", "", "without contrast"), ("Nativ 5.0", "", "without contrast"),
        ("Thorax w/o", "", "without contrast"), ("CT with contrast", "", "with contrast"),
        ("Thorax 5.0", "Iomeron", "with contrast"), ("Thorax 5.0", "NONE", "without contrast"), ("Thorax 5.0", "", ""),
        ("Portal", "Iomeron", "portal venous"),
    ],
)  # fmt: skip
def test_the_contrast_phase_by_name_and_agent(description: str, agent: str, phase: str) -> None:
    assert SeriesLook(description, agent).phase == phase


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("arterial", "portal venous", True), ("native", "portal venous", True), ("native", "with contrast", True),
        ("with contrast", "portal venous", False), ("portal venous", "venous", False), ("arterial", "Thorax", False),
    ],
)  # fmt: skip
def test_phases_that_differ(one: str, other: str, expected: bool) -> None:
    assert SeriesLook(one).is_other_phase(SeriesLook(other)) is expected
    assert SeriesLook(other).is_other_phase(SeriesLook(one)) is expected


def lesion(uid: str, x: float, series: str, tracking_uid: str, **more: Any) -> Measurement:
    return replace(measured(uid, (x, 0, 0), tracking_uid=tracking_uid, **more), series_instance_uid=series)


def remarks(
    *time_points: list[Measurement], looks: dict[str, SeriesLook] | None = None, registered: bool = True
) -> list[list[Finding]]:
    points = [
        TrackedTimePoint(tuple(items), stay if registered or not order else None)
        for order, items in enumerate(time_points)
    ]
    return [list(found) for found in scan_remarks(points, follow_lesions("s", points), looks or {})]


def test_another_contrast_phase_is_said_with_the_names_of_the_series() -> None:
    looks = {"p": SeriesLook("Portal venous"), "a": SeriesLook("Arterial"), "q": SeriesLook("PV 5.0")}
    before = [lesion("a", 0, "p", "1"), lesion("b", 100, "p", "2")]
    after = [lesion("c", 0, "a", "1"), lesion("d", 100, "a", "2")]
    first, second, third = remarks(before, after, [lesion("e", 0, "q", "1")], looks=looks)
    assert first == third == []
    (finding,) = second
    assert finding.code == "contrast-phase-differs"
    assert finding.message.startswith("T01, T02: measured on “Arterial” (arterial) here and on “Portal venous”")


@pytest.mark.parametrize(
    ("shifts", "expected"),
    [((40, 40), True), ((10, 10), True), ((9.9, 9.9), False), ((40, 52), False), ((40,), False), ((-40, 40), False)],
)
@pytest.mark.parametrize("registered", [True, False])
def test_one_shift_of_all_lesions_is_said(shifts: tuple[float, ...], expected: bool, registered: bool) -> None:
    before = [lesion(f"a{n}", 200.0 * n, "p", str(n + 1)) for n in range(len(shifts))]
    after = [lesion(f"b{n}", 200.0 * n + shift, "q", str(n + 1)) for n, shift in enumerate(shifts)]
    _, found = remarks(before, after, looks={"q": SeriesLook("Thorax 2")}, registered=registered)
    assert [finding.code for finding in found] == (["common-shift"] if expected else [])
    assert all("“Thorax 2”" in finding.message for finding in found)
