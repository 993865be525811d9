"""Readings of a subject: visits of several days, readers, and time points that nobody read."""

import datetime
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.domain.test_lesion_tracking import NEW, TARGET, measured
from tests.domain.test_time_points import day
from tumorresp.domain.time_points import visits_of_studies
from tumorresp.service.pipeline.inputs import InputFile
from tumorresp.service.pipeline.visits import PlacedMeasurement, Reading, by_study, readings_of

FILE = InputFile(Path("sr.dcm"), "sr", is_image=False, sha256="0")


def placed(uid: str, study: str, number: int, **more: Any) -> PlacedMeasurement:
    item = replace(measured(uid, more.pop("at", (0, 0, 0)), **more), study_instance_uid=study)
    return PlacedMeasurement(item, FILE, day(number), study)


def read(items: list[PlacedMeasurement], others: dict[str, int] | None = None) -> tuple[Reading, ...]:
    """Return the readings of measurements and of further CT studies that nobody measured on."""
    dates: dict[str, datetime.date] = {item.study_instance_uid: item.date for item in items}
    dates |= {uid: day(number) for uid, number in (others or {}).items()}
    return readings_of(items, visits_of_studies(dates, by_study(items)))


def shown(reading: Reading) -> list[str]:
    return [" ".join(sorted(item.measurement.measurement_uid for item in visit.items)) for visit in reading.visits]


def codes(reading: Reading) -> list[list[str]]:
    return [[finding.code for finding in visit.findings] for visit in reading.visits]


def test_chest_and_liver_on_two_days_are_one_time_point() -> None:
    (reading,) = read(
        [
            placed("c0", "c0", 0, tracking_uid="1"),
            placed("l0", "l0", 1, tracking_uid="2"),
            placed("c1", "c1", 60, tracking_uid="1"),
            placed("l1", "l1", 61, tracking_uid="2"),
        ]
    )
    assert shown(reading) == ["c0 l0", "c1 l1"]
    assert [(visit.first_date, visit.date) for visit in reading.visits] == [(day(0), day(1)), (day(60), day(61))]


@pytest.mark.parametrize("second_day", [0, 1])
def test_two_readers_of_one_study_are_two_readings_and_of_two_studies_one(second_day: int) -> None:
    items = [placed("a", "s", 0, reader="A"), placed("b", "s", 0, reader="B")]
    assert [reading.reader for reading in read(items)] == ["A", "B"]
    items = [placed("a", "s", 0, reader="A"), placed("b", "t", second_day, reader="B")]
    (reading,) = read(items)
    assert shown(reading) == ["a b"]
    assert {f.code for item in reading.visits[0].items for f in item.measurement.findings} == {"readers-differ"}


def test_a_time_point_that_nobody_read_is_one() -> None:
    (reading,) = read([placed("a", "s0", 0), placed("b", "s2", 120)], {"s1": 60, "s3": 180})
    assert shown(reading) == ["a", "", "b", ""]
    assert codes(reading) == [[], [], [], []]


def test_an_unread_scan_before_the_first_reading_shifts_the_baseline_only_with_a_word() -> None:
    (reading,) = read([placed("a", "s1", 60, role=TARGET)], {"s0": 0})
    assert shown(reading) == ["a"]
    assert codes(reading) == [["earlier-ct-not-read"]]
    assert reading.visits[0].findings[0].decides


@pytest.mark.parametrize("new", [{"role": NEW}, {"label": "NEW01"}])
def test_what_is_called_new_makes_the_unread_scan_before_it_the_baseline(new: dict[str, Any]) -> None:
    (reading,) = read([placed("a", "s1", 60, **new)], {"s0": 0, "s-1": -60})
    assert shown(reading) == ["", "a"]
    assert reading.visits[0].date == day(0)
    assert codes(reading) == [["baseline-without-measurements"], []]
    assert reading.visits[0].findings[0].decides


def test_what_is_called_new_with_no_scan_before_it_stays_at_the_first_time_point() -> None:
    (reading,) = read([placed("a", "s1", 60, role=NEW)])
    assert shown(reading) == ["a"]


def test_a_reader_who_did_not_read_a_scan_has_an_unread_time_point() -> None:
    items = [placed("a", "s", 0, reader="A"), placed("b", "s", 0, reader="B"), placed("c", "t", 60, reader="B")]
    assert {reading.reader: shown(reading) for reading in read(items)} == {"A": ["a", ""], "B": ["b", "c"]}
