"""Lesions that split or merge, recognised by label or place, and what they give in the sum."""

from typing import Any

import pytest

from tests.domain.test_lesion_tracking import LIVER, LUNG, NEW, TARGET, follow, ids, measured
from tests.service.pipeline.test_observations import responses, sums
from tumorresp.domain.evaluation import Lesion
from tumorresp.domain.label import joined_labels, whole_label
from tumorresp.domain.lesion_tracking import TrackingResult
from tumorresp.domain.measurement import LesionState, Measurement


def target(name: str, x: float, size: float, **more: Any) -> Measurement:
    return measured(name, (x, 0, 0), size, **{"role": TARGET, **more})


def lesions(result: TrackingResult) -> dict[str, Lesion]:
    return {item.lesion.lesion_id: item.lesion for item in result.assignments}


@pytest.mark.parametrize(
    ("label", "whole"),
    [
        ("T1.1", "T1"), ("T1-2", "T1"), ("T1_b", "T1"), ("T1a", "T1"), ("Lesion 3 (b)", "Lesion 3"), ("L3 A", "L3"),
        ("T1", ""), ("T10", ""), ("Liver 2", ""), ("Liver-2", ""), ("lesion", ""), ("a", ""), ("", ""),
    ],
)  # fmt: skip
def test_labels_of_parts(label: str, whole: str) -> None:
    assert whole_label(label) == whole


@pytest.mark.parametrize(
    ("label", "names"),
    [
        ("T1+T2", ("T1", "T2")), ("T1/2", ("T1", "T2")), ("T1 & T2", ("T1", "T2")),
        ("T1, T2 and T3", ("T1", "T2", "T3")),
        ("conglomerate of T1 and T2", ("T1", "T2")), ("T1+T2 (merged)", ("T1", "T2")),
        ("T1", ()), ("", ()), ("land", ()),
    ],
)  # fmt: skip
def test_labels_of_conglomerates(label: str, names: tuple[str, ...]) -> None:
    assert joined_labels(label) == names


WHOLE = [target("a", 0, 40, label="T1", tracking_uid="1")]


@pytest.mark.parametrize(
    ("what", "parts"),
    [
        ("both are labelled", [target("b", -11, 18, label="T1.1"), target("c", 11, 14, label="T1.2")]),
        ("by letters", [target("b", -11, 18, label="T1a"), target("c", 11, 14, label="T1b")]),
        ("one keeps the name", [target("b", -11, 18, label="T1"), target("c", 11, 14, label="T1b")]),
        ("one keeps the identity", [target("b", -11, 18, tracking_uid="1"), target("c", 11, 14, label="T1.2")]),
        ("both have the identity", [target("b", -11, 18, label="T1.1", tracking_uid="1"),
                                    target("c", 11, 14, label="T1.2", tracking_uid="1")]),
        ("nobody says so", [measured("b", (-11, 0, 0), 18.0), measured("c", (11, 0, 0), 14.0)]),
    ],
)  # fmt: skip
def test_the_parts_of_a_target_count_with_their_sum(what: str, parts: list[Measurement]) -> None:
    """40 mm fell into 18 and 14 mm: 32 mm, -20 %."""
    for order in (1, -1):
        result = follow(WHOLE, parts[::order])[1]
        assert {lesion.parents for lesion in lesions(result).values()} == {("T01",)}, what
        assert set(lesions(result)) == {"T01.1", "T01.2"}
        assert sums(WHOLE, parts[::order]) == [40.0, 32.0]
        assert responses(WHOLE, parts[::order]) == ["BASELINE", "SD"]


def test_parts_are_followed_and_the_whole_is_not_missed() -> None:
    parts = [target("b", -11, 18, label="T1.1"), target("c", 11, 14, label="T1.2")]
    *_, last = follow(WHOLE, parts, [measured("d", (-11, 0, 0), 10.0), target("e", 11, 8, label="T1.2")])
    assert ids(last) == {"d": "T01.1", "e": "T01.2"}
    *_, last = follow(WHOLE, parts, [target("d", 0, 35, label="T1", tracking_uid="1")])
    assert ids(last) == {"d": "T01"}


@pytest.mark.parametrize(
    ("what", "parts", "expected"),
    [
        ("one part alone", [target("b", 0, 18, label="T1.1")], {"?T01"}),
        ("a part of what is far away", [target("b", 0, 18, label="T1"), target("c", 90, 14, label="T1b")],
         {"T01", "?"}),
        ("a part that the reader calls new", [target("b", -11, 18, label="T1"),
                                              target("c", 11, 14, label="T1b", role=NEW)], {"T01", "NEW01"}),
        ("a part in another organ", [target("b", -11, 18, label="T1", site=LUNG),
                                     target("c", 11, 14, label="T1b", site=LIVER)], None),
    ],
)  # fmt: skip
def test_what_is_no_part(what: str, parts: list[Measurement], expected: set[str] | None) -> None:
    whole = [target("a", 0, 40, label="T1", site=LUNG if expected is None else None)]
    found = ids(follow(whole, parts)[1])
    assert not any("." in name for name in found.values()), what
    if expected is not None:
        assert set(found.values()) == expected, what


TWO = [target("a", 0, 30, label="T1", tracking_uid="1"), target("b", 28, 20, label="T2", tracking_uid="2")]


@pytest.mark.parametrize(
    ("what", "now"),
    [
        ("by the label", [target("c", 12, 46, label="T1+T2")]),
        ("by the label in short", [target("c", 12, 46, label="T1/2")]),
        ("one keeps its name, nobody mentions the other", [target("c", 12, 46, label="T1")]),
        ("one keeps its identity, the other is called merged",
         [target("c", 12, 46, tracking_uid="1"), measured("d", label="T2", role=TARGET, state=LesionState.MERGED)]),
        ("nobody says so", [measured("c", (12, 0, 0), 46.0)]),
    ],
)  # fmt: skip
def test_the_size_of_a_conglomerate_counts(what: str, now: list[Measurement]) -> None:
    for order in (1, -1):
        result = follow(TWO, now[::order])[1]
        assert lesions(result)["T01+T02"].parents in (("T01", "T02"), ("T02", "T01")), what
        assert sums(TWO, now[::order]) == [50.0, 46.0]
        assert responses(TWO, now[::order]) == ["BASELINE", "SD"]


def test_a_conglomerate_is_followed_and_may_come_apart_again() -> None:
    whole = [target("c", 12, 46, label="T1+T2")]
    *_, last = follow(TWO, whole, [target("d", 12, 40, label="T1 + T2")])
    assert ids(last) == {"d": "T01+T02"}
    *_, last = follow(TWO, whole, [measured("d", (12, 0, 0), 40.0)])
    assert ids(last) == {"d": "T01+T02"}
    apart = [target("d", 0, 10, tracking_uid="1"), target("e", 28, 8, tracking_uid="2")]
    *_, last = follow(TWO, whole, apart)
    assert ids(last) == {"d": "T01", "e": "T02"}
    assert sums(TWO, whole, apart)[-1] == 18.0


@pytest.mark.parametrize(
    ("what", "now"),
    [
        ("too short to reach both", [target("c", 12, 24, label="T1")]),
        ("far longer than both", [target("c", 12, 90, label="T1")]),
        ("the other is called absent", [target("c", 12, 46, label="T1"),
                                        measured("d", label="T2", state=LesionState.ABSENT)]),
        ("the other is measured", [target("c", 0, 30, label="T1"), target("d", 28, 20, label="T2")]),
    ],
)  # fmt: skip
def test_what_is_no_conglomerate(what: str, now: list[Measurement]) -> None:
    assert not any("+" in name for name in ids(follow(TWO, now)[1]).values()), what


def test_what_is_taken_by_its_place_alone_is_said_and_decides() -> None:
    for baseline, now in (
        (WHOLE, [measured("b", (-11, 0, 0), 18.0), measured("c", (11, 0, 0), 14.0)]),
        (TWO, [measured("c", (12, 0, 0), 46.0)]),
    ):
        for item in follow(baseline, now)[1].assignments:
            assert [(f.code, f.decides) for f in item.findings] == [("descent-by-place", True)]


def test_a_person_decides_what_is_a_part_and_what_a_conglomerate() -> None:
    parts = [target("b", -11, 18, tracking_uid="1"), target("c", 60, 14)]
    assert ids(follow(WHOLE, parts)[1])["c"].startswith("?")
    assert ids(follow(WHOLE, parts, decisions={"c": "T01.2"})[1]) == {"b": "T01.1", "c": "T01.2"}
    whole = [target("c", 60, 46)]
    assert ids(follow(TWO, whole, decisions={"c": "T01+T02"})[1]) == {"c": "T01+T02"}
    assert ids(follow(TWO, whole, decisions={"c": "T01+T09"})[1]) == {"c": "?"}
