"""Which studies are registered to which region of the baseline; the registration itself is tested where it lives."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.domain.test_lesion_tracking import LIVER, LUNG, measured
from tests.domain.test_time_points import day
from tests.service.pipeline.test_evaluate_subject import no_volume
from tests.service.pipeline.test_visits import FILE
from tumorresp.domain.finding import Finding, Severity
from tumorresp.service.pipeline import alignment
from tumorresp.service.pipeline.visits import PlacedMeasurement, ReadVisit


def on(series: str, number: int, study: str = "", **more: Any) -> PlacedMeasurement:
    """Return a measurement on a series of a study of its own, unless one is named."""
    study = study or f"study {series}"
    item = replace(measured(series, (0, 0, 0), **more), series_instance_uid=series, study_instance_uid=study)
    return PlacedMeasurement(item, FILE, day(number), study)


def visit(*items: PlacedMeasurement) -> ReadVisit:
    days = [item.date for item in items]
    return ReadVisit(min(days), max(days), tuple(item.study_instance_uid for item in items), items)


@pytest.fixture
def tried(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """Let every pair of series register by a shift, unless one is called alien; note which pairs were tried."""
    pairs: list[tuple[str, str]] = []

    def shifted(points: NDArray[np.float64]) -> NDArray[np.float64]:
        return points + np.array([0.0, 0.0, 1.0])

    def between(baseline: str, series: str, volume_of: alignment.VolumeOf) -> tuple[Any, tuple[Finding, ...]]:
        pairs.append((baseline, series))
        if "alien" in series:
            return None, (Finding("registration-poor", Severity.WARNING, "poor", series),)
        return shifted, ()

    monkeypatch.setattr(alignment, "_map_between", between)
    return pairs


def regions(*visits: ReadVisit) -> list[dict[str, list[str]]]:
    tracked, _ = alignment.tracked_time_points(visits, no_volume)
    return [{uid: sorted(maps) for uid, maps in (point.regions or {}).items()} for point in tracked]


def test_one_region_is_registered_once_a_time_point(tried: list[tuple[str, str]]) -> None:
    found = regions(visit(on("a", 0)), visit(on("b", 60)), visit(on("c", 120)))
    assert found == [{"a": ["a"]}, {"b": ["a"]}, {"c": ["a"]}]
    assert tried == [("a", "b"), ("a", "c")]


@pytest.mark.parametrize(
    ("chest", "liver"),
    [
        ({"tracking_uid": "1"}, {"tracking_uid": "2"}),
        ({"label": "L1"}, {"label": "L2"}),
        ({"site": LUNG}, {"site": LIVER}),
    ],
)
def test_each_study_goes_to_the_region_that_shows_what_it_measures(
    tried: list[tuple[str, str]], chest: dict[str, Any], liver: dict[str, Any]
) -> None:
    found = regions(
        visit(on("c0", 0, **chest), on("l0", 1, **liver)), visit(on("l1", 60, **liver), on("c1", 61, **chest))
    )
    assert found[1] == {"c1": ["c0"], "l1": ["l0"]}
    assert sorted(tried) == [("c0", "c1"), ("l0", "l1")]


def test_a_study_that_nothing_tells_apart_is_tried_with_every_region(tried: list[tuple[str, str]]) -> None:
    found = regions(visit(on("c0", 0), on("l0", 1)), visit(on("x", 60)))
    assert found[1] == {"x": ["c0", "l0"]}
    assert len(tried) == 2


def test_series_of_one_study_share_a_registration(tried: list[tuple[str, str]]) -> None:
    found = regions(visit(on("a", 0)), visit(on("thin", 60, "s"), on("thick", 60, "s")))
    assert found[1] == {"thick": ["a"], "thin": ["a"]}
    assert len(tried) == 1


def test_what_cannot_be_registered_is_said(tried: list[tuple[str, str]]) -> None:
    tracked, notes = alignment.tracked_time_points([visit(on("a", 0)), visit(on("alien", 60))], no_volume)
    assert tracked[1].regions == {"alien": {}}
    assert [finding.code for finding in notes[1]] == ["registration-poor"]


@pytest.mark.parametrize(("days", "expected"), [(0, ["a", "b"]), (1, ["b"])])
def test_two_studies_of_one_day_are_registered_to_each_other(
    tried: list[tuple[str, str]], days: int, expected: list[str]
) -> None:
    found = regions(visit(on("a", 0), on("b", days)))
    assert found[0] == {"a": ["a"], "b": expected}


def test_a_time_point_without_lines_leaves_the_coordinates_to_the_next(tried: list[tuple[str, str]]) -> None:
    empty = ReadVisit(day(0), day(0), ("s0",), ())
    assert regions(empty, visit(on("b", 60)), visit(on("c", 120))) == [{}, {"b": ["b"]}, {"c": ["b"]}]
    assert tried == [("b", "c")]
