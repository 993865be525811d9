"""What waits keeps back what a person's decision may change, from image measurements to categories."""

import datetime
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.domain.test_repeated_measurements import NEWER, item
from tumorresp.domain.evaluation import LesionEvaluation, TimePoint
from tumorresp.domain.lesion_tracking import TrackedTimePoint, follow_lesions
from tumorresp.domain.measurement import LesionRole, LesionState, Measurement
from tumorresp.response import assess_recist_1_1
from tumorresp.response.observation import Visit
from tumorresp.service.pipeline.observations import visits_of

TARGET, NON_TARGET, NEW = LesionRole.TARGET, LesionRole.NON_TARGET, LesionRole.NEW


def stay(points: NDArray[np.float64]) -> NDArray[np.float64]:
    return points


def course(*time_points: list[Measurement], decisions: dict[str, str] | None = None) -> list[Visit]:
    tracked = [TrackedTimePoint(tuple(items), stay) for items in time_points]
    followed = follow_lesions("subject", tracked, decisions=decisions)
    points = [TimePoint(f"p{order}", datetime.date(2024, order, 1), order) for order in range(1, len(time_points) + 1)]
    lesions = [[LesionEvaluation(a.lesion, a.measurement, None, None) for a in r.assignments] for r in followed]
    return visits_of(points, lesions, followed)


def responses(*time_points: list[Measurement], decisions: dict[str, str] | None = None) -> list[str]:
    return [str(a.overall) for a in assess_recist_1_1(course(*time_points, decisions=decisions))]


def sums(*time_points: list[Measurement]) -> list[float | None]:
    return [None if a.target_sum is None else float(a.target_sum) for a in assess_recist_1_1(course(*time_points))]


def test_a_lesion_saved_twice_counts_once_with_the_newest_size() -> None:
    baseline = [item("a"), item("b", long=31, **NEWER)]
    assert sums(baseline, [item("c", long=32)]) == [31.0, 32.0]
    assert responses(baseline, [item("c", long=32)]) == ["BASELINE", "SD"]


@pytest.mark.parametrize(("long", "expected"), [(15.0, "NE"), (30.0, "NE"), (45.0, "NE")])
def test_a_baseline_that_waits_gives_no_category(long: float, expected: str) -> None:
    baseline = [item("a", label="T1"), item("b", label="T2", long=28)]
    assert responses(baseline, [item("c", long=long)]) == ["BASELINE", expected]
    decided = responses(baseline, [item("c", long=28)], decisions={"a": "T01", "b": "NONE"})
    assert decided == ["BASELINE", "SD"]


def test_a_part_that_waits_keeps_back_the_response_of_the_other() -> None:
    """A lesion of 40 mm fell into parts of 18 and 14 mm: -55 % by the first alone, -20 % in truth."""
    baseline = [item("a", long=40, tracking_uid="1", role=TARGET)]
    first = item("b", (-8, 0, 0), 18, tracking_uid="1")
    assert responses(baseline, [first]) == ["BASELINE", "PR"]
    assert responses(baseline, [first, item("c", (12, 0, 0), 14)]) == ["BASELINE", "NE"]


@pytest.mark.parametrize("others", [[], [item("d", (200, 0, 0), 20, tracking_uid="2", role=TARGET)]])
def test_what_may_be_new_keeps_back_all_but_progression(others: list[Measurement]) -> None:
    baseline = [item("a", long=20, tracking_uid="1", role=TARGET), *others]
    for long, expected in ((10.0, "NE"), (20.0, "NE"), (50.0, "PD")):
        now = [item("b", long=long, tracking_uid="1", role=TARGET), item("w", (50, 0, 0), 9, role=TARGET)]
        now += [item("e", (200, 0, 0), 20, tracking_uid="2")] if others else []
        assert responses(baseline, now)[1] == ("NE" if long < 50 else expected)


def test_a_waiting_word_that_a_lesion_is_absent_adds_nothing() -> None:
    baseline = [item("a", tracking_uid="1", role=TARGET)]
    now = [item("b", tracking_uid="1"), item("c", None, label="X", state=LesionState.ABSENT)]
    assert responses(baseline, now) == ["BASELINE", "SD"]


@pytest.mark.parametrize("order", [1, -1])
def test_two_sizes_of_one_lesion_that_wait_may_still_prove_progression(order: int) -> None:
    baseline = [item("a", long=20, label="T1")]
    two: list[Any] = [item("b", long=40, label="T1"), item("c", long=38, label="T2")][::order]
    assert responses(baseline, two) == ["BASELINE", "PD"]
    small = [item("b", long=12, label="T1"), item("c", long=11, label="T2")][::order]
    assert responses(baseline, small) == ["BASELINE", "NE"]


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ([8.1, 8.0], ["no SD"]),
        ([8.1, 11.0], ["equivocal SD"]),
        ([8.1, 13.0], ["equivocal SD"]),
        ([8.1, 13.1], ["yes PD"]),
        ([8.1, 7.0, 11.9], ["no SD", "equivocal SD"]),  # from its smallest size, as in tables
        ([8.1, 7.0, 12.0], ["no SD", "yes PD"]),
    ],
)
def test_a_normal_node_of_the_baseline_is_new_by_the_one_rule(sizes: list[float], expected: list[str]) -> None:
    def seen(number: int, short: float) -> list[Measurement]:
        node = item(f"n{number}", (60, 0, 0), short / 0.8, label="N1", nodal=True)
        return [item(f"t{number}", long=30, label="T1", tracking_uid="1", role=TARGET), node]

    assessed = assess_recist_1_1(course(*(seen(number, short) for number, short in enumerate(sizes))))
    assert [f"{a.new_lesions} {a.overall}" for a in assessed[1:]] == expected
    assert assessed[0].target_sum == 30
    assert "new-at-baseline" not in {finding.code for finding in assessed[0].findings}


def test_a_new_lesion_that_is_saved_twice_is_one_and_progression() -> None:
    baseline = [item("a", long=20, tracking_uid="1", role=TARGET)]
    stays = item("b", long=20, tracking_uid="1")
    far = (300, 0, 0)
    once = [stays, item("n", far, 12, role=NEW), item("m", far, 13, role=NEW, **NEWER)]
    assert responses(baseline, once) == ["BASELINE", "PD"]
    waits = [stays, item("n", far, 12, role=NEW, label="L8"), item("m", far, 13, role=NEW, label="L9")]
    assert responses(baseline, waits) == ["BASELINE", "PD"]
    nodes = [stays, *(replace(n, nodal=True) for n in waits[1:])]
    assert responses(baseline, nodes)[1] == "NE"


def test_that_a_non_target_lesion_is_there_is_sure_whatever_its_size() -> None:
    baseline = [item("a", long=20, tracking_uid="1", role=TARGET)]
    far = (300, 0, 0)
    twice = [item(uid, far, 12 + n, role=NON_TARGET, label=f"L{n}") for n, uid in enumerate("xy")]
    later = [item("b", long=10, tracking_uid="1"), item("z", far, 12, label="L0")]
    assert responses([*baseline, *twice], later) == ["BASELINE", "PR"]


# --- laws


@st.composite
def two_time_points(draw: st.DrawFn) -> tuple[list[Measurement], list[Measurement]]:
    """Return two targets far apart with stable identities, at baseline and later."""
    sizes = [draw(st.sampled_from([8.0, 14.0, 20.0, 26.0, 40.0])) for _ in range(4)]
    baseline = [item(f"a{n}", (200.0 * n, 0, 0), sizes[n] + 10, tracking_uid=str(n), role=TARGET) for n in (0, 1)]
    later = [item(f"b{n}", (200.0 * n, 0, 0), sizes[2 + n], tracking_uid=str(n)) for n in (0, 1)]
    return baseline, later


@st.composite
def waiting_measurements(draw: st.DrawFn) -> Measurement:
    """Return one more measurement of the later time point, near or far, named or not."""
    place = draw(st.sampled_from([(0, 0, 0), (12, 0, 0), (40, 0, 0), (100, 0, 0), (200, 20, 0), (500, 0, 0)]))
    more: dict[str, Any] = draw(st.sampled_from([{}, {"role": TARGET}, {"label": "T1.2"}, {"tracking_uid": "0"}]))
    return item("w", place, draw(st.sampled_from([6.0, 18.0])), **more)


@given(two_time_points(), waiting_measurements())
@settings(max_examples=60, deadline=None)
def test_what_waits_leaves_nothing_but_ne_and_a_progression_that_the_rest_proves(
    points: tuple[list[Measurement], list[Measurement]], extra: Measurement
) -> None:
    baseline, later = points
    tracked = [TrackedTimePoint(tuple(items), stay) for items in (baseline, [*later, extra])]
    if all(w.measurement.measurement_uid != "w" for w in follow_lesions("subject", tracked)[1].ambiguous):
        return
    before, after = responses(baseline, later)[1], responses(baseline, [*later, extra])[1]
    assert after == "NE" or (after == before == "PD")


@given(two_time_points(), st.sampled_from([0, 1]), st.booleans())
@settings(max_examples=60, deadline=None)
def test_a_document_that_comes_twice_changes_no_sum(
    points: tuple[list[Measurement], list[Measurement]], which: int, renamed: bool
) -> None:
    copies = [
        replace(m, measurement_uid=f"{m.measurement_uid}c", source=replace(m.source, document_uid="copy"))
        if renamed
        else m
        for m in points[which]
    ]
    doubled = [points[0], points[1]]
    doubled[which] = [*points[which], *copies]
    assert sums(*doubled) == sums(*points)
    assert responses(*doubled) == responses(*points)


@given(two_time_points(), st.permutations([0, 1]), st.permutations([0, 1]))
@settings(max_examples=40, deadline=None)
def test_the_order_of_measurements_changes_nothing(
    points: tuple[list[Measurement], list[Measurement]], first: list[int], second: list[int]
) -> None:
    turned = [points[0][i] for i in first], [points[1][i] for i in second]
    assert sums(*turned) == sums(*points)
    assert responses(*turned) == responses(*points)
