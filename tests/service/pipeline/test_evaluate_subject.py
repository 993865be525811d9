"""Readings assessed: which scan is the baseline, and time points that nobody read."""

import datetime
from dataclasses import replace
from typing import Any

import pytest

from tests.domain.test_lesion_tracking import NEW, TARGET
from tests.domain.test_time_points import day
from tests.service.pipeline.test_visits import placed, read
from tumorresp.domain.ct_volume import CtVolume
from tumorresp.domain.errors import MissingImages
from tumorresp.domain.evaluation import SubjectEvaluation
from tumorresp.domain.finding import Finding, Severity
from tumorresp.service.pipeline.evaluate_subject import evaluate_reading
from tumorresp.service.pipeline.visits import PlacedMeasurement

ASIDE = (200.0, 0.0, 0.0)


def no_volume(series_instance_uid: str) -> CtVolume:
    raise MissingImages("no images in this test.", where=series_instance_uid)


def evaluated(
    items: list[PlacedMeasurement],
    others: dict[str, int] | None = None,
    start: datetime.date | None = None,
    decisions: dict[str, str] | None = None,
) -> SubjectEvaluation:
    (reading,) = read(items, others)
    return evaluate_reading("subject", "P", reading, lambda _: None, no_volume, decisions or {}, start)


def shown(evaluation: SubjectEvaluation) -> list[tuple[str, str, float | None]]:
    """Return name, RECIST response and sum (mm) of each time point; an empty response where it counts in nothing."""
    found = []
    for point in evaluation.time_points:
        first = point.assessments[0] if point.assessments else None
        total = None if first is None or first.target_sum is None else float(first.target_sum)
        found.append((point.time_point.name, str(first.overall) if first else "", total))
    return found


def codes(evaluation: SubjectEvaluation, number: int) -> set[str]:
    return {finding.code for finding in evaluation.time_points[number].findings}


def target(uid: str, number: int, size: float, tracking_uid: str = "1", **more: Any) -> PlacedMeasurement:
    return placed(uid, f"s{number}", number, size=size, tracking_uid=tracking_uid, **{"role": TARGET, **more})


def test_without_a_start_of_treatment_the_first_scan_is_the_baseline_and_it_is_said() -> None:
    evaluation = evaluated([target("a", 0, 70), target("b", 30, 50), target("c", 90, 34)])
    assert shown(evaluation) == [("Baseline", "BASELINE", 70), ("Follow-up 1", "SD", 50), ("Follow-up 2", "PR", 34)]
    assert "baseline-is-first-scan" in codes(evaluation, 0)


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        (day(-1), [("Baseline", "BASELINE", 70), ("Follow-up 1", "SD", 50), ("Follow-up 2", "PR", 45)]),
        (day(29), [("Baseline", "BASELINE", 70), ("Follow-up 1", "SD", 50), ("Follow-up 2", "PR", 45)]),
        (day(30), [("Before baseline 1", "", None), ("Baseline", "BASELINE", 50), ("Follow-up 1", "SD", 45)]),
        (day(31), [("Before baseline 1", "", None), ("Baseline", "BASELINE", 50), ("Follow-up 1", "SD", 45)]),
    ],
)
def test_the_baseline_is_the_last_scan_before_treatment(
    start: datetime.date, expected: list[tuple[str, str, float | None]]
) -> None:
    evaluation = evaluated([target("a", 0, 70), target("b", 30, 50), target("c", 90, 45)], start=start)
    assert shown(evaluation) == expected
    assert "baseline-is-first-scan" not in codes(evaluation, 0)


def test_two_scans_before_the_baseline_are_named_by_their_distance() -> None:
    items = [target("a", 0, 70), target("b", 30, 60), target("c", 60, 50), target("d", 120, 34)]
    evaluation = evaluated(items, start=day(70))
    names = [name for name, *_ in shown(evaluation)]
    assert names == ["Before baseline 2", "Before baseline 1", "Baseline", "Follow-up 1"]
    assert "before-baseline" in codes(evaluation, 0)
    assert "baseline-before-treatment" in codes(evaluation, 2)


def test_a_lesion_first_seen_before_treatment_is_no_new_one() -> None:
    items = [target("a", 0, 70), target("b", 30, 50), placed("n", "s30", 30, tracking_uid="2", size=12.0, at=ASIDE)]
    items += [target("c", 90, 45), placed("o", "s90", 90, tracking_uid="2", size=11.0, at=ASIDE)]
    evaluation = evaluated(items, start=day(35))
    assert shown(evaluation) == [
        ("Before baseline 1", "", None), ("Baseline", "BASELINE", 62), ("Follow-up 1", "SD", 56),
    ]  # fmt: skip
    assert [item.lesion.role for item in evaluation.time_points[1].lesions] == [TARGET, TARGET]
    assert shown(evaluated(items))[1][1] == "NE"  # without the start it may be new: the scans could not be registered


def test_an_incomplete_scan_before_treatment_is_no_baseline() -> None:
    items = [target("a", 0, 30), target("x", 0, 20, "2", at=ASIDE), target("b", 20, 28), target("c", 90, 30)]
    items.append(target("y", 90, 20, "2", at=ASIDE))
    evaluation = evaluated(items, start=day(25))
    assert shown(evaluation)[0] == ("Baseline", "BASELINE", 50)
    assert shown(evaluation)[2] == ("Follow-up 1", "SD", 50)
    assert shown(evaluation)[1][1:] == ("", None)


def test_a_time_point_that_nobody_read_is_not_evaluable() -> None:
    evaluation = evaluated([target("a", 0, 50), target("c", 120, 30)], {"u": 60, "v": 180})
    assert [response for _, response, _ in shown(evaluation)] == ["BASELINE", "NE", "PR", "NE"]
    assert [point.time_point.is_read for point in evaluation.time_points] == [True, False, True, False]
    assert ["not-read" in codes(evaluation, number) for number in range(4)] == [False, True, False, True]


def test_a_lesion_that_is_called_new_after_a_ct_without_lesions_is_progression() -> None:
    evaluation = evaluated([placed("a", "s60", 60, role=NEW)], {"s0": 0})
    assert [(name, response) for name, response, _ in shown(evaluation)] == [
        ("Baseline", "BASELINE"), ("Follow-up 1", "PD"),
    ]  # fmt: skip
    assert "baseline-without-measurements" in codes(evaluation, 0)


def test_a_lesion_without_a_role_after_an_unread_ct_is_of_the_baseline_with_a_word_that_decides() -> None:
    evaluation = evaluated([placed("a", "s60", 60)], {"s0": 0})
    assert [name for name, *_ in shown(evaluation)] == ["Baseline"]
    assert any(f.code == "earlier-ct-not-read" and f.decides for f in evaluation.time_points[0].findings)


def test_a_target_first_seen_at_a_follow_up_is_said_and_gives_nothing_but_ne() -> None:
    items = [target("a", 0, 50), target("b", 60, 50), target("n", 60, 20, "9", at=ASIDE)]
    evaluation = evaluated(items)
    assert shown(evaluation)[1][1] == "NE"
    assert evaluation.time_points[1].ambiguous[0].reason.startswith("The reader calls it target")
    decided = evaluated(items, decisions={"n": "NEW"})
    assert shown(decided)[1][1] == "PD"
    forgotten = evaluated(items, decisions={"n": "T"})
    assert shown(forgotten)[1][1] == "NE"
    assert any(finding.code == "late-lesion" for finding in forgotten.time_points[1].assessments[0].findings)


@pytest.mark.parametrize("days", [0, 1, 7])
def test_scanning_a_visit_on_two_days_changes_no_response(days: int) -> None:
    items = [target("c0", 0, 24, "1"), placed("l0", "l0", days, size=30.0, tracking_uid="2", role=TARGET)]
    items += [target("c1", 60, 16, "1"), placed("l1", "l1", 60 + days, size=20.0, tracking_uid="2")]
    assert shown(evaluated(items)) == [("Baseline", "BASELINE", 54), ("Follow-up 1", "PR", 36)]
    dates = [point.time_point.dates for point in evaluated(items).time_points]
    assert dates[0] == (f"{day(0)} to {day(days)}" if days else f"{day(0)}")


@pytest.mark.parametrize(
    "code",
    ["new-lesion-waits", "new-lesion-refused", "new-lesion-not-measurable", "measurement-refused", "not-measurable"],
)
@pytest.mark.parametrize(("size", "response"), [(30, "PR"), (50, "SD"), (70, "PD")])
@pytest.mark.parametrize("reader", ["", "One of two"])
def test_a_new_lesion_that_is_missed_keeps_back_all_but_progression(
    code: str, size: float, response: str, reader: str
) -> None:
    """It counts at its own time point alone, and in no other reader's reading."""
    (reading,) = read([target("a", 0, 50), target("b", 60, size), target("c", 120, size)])
    missed = Finding(code, Severity.WARNING, "it is outside its image", "sr", decides=True)
    visits = (*(replace(visit, findings=(missed,)) for visit in reading.visits[:2]), reading.visits[2])
    reading = replace(reading, visits=visits, reader=reader)
    evaluation = evaluate_reading("subject", "P", reading, lambda _: None, no_volume, {}, None)
    blocked = code.startswith("new-lesion") and not reader and response != "PD"
    assert [found for _, found, _ in shown(evaluation)] == ["BASELINE", "NE" if blocked else response, response]
