"""Of several measurements of one lesion one counts, or all wait; nothing is added up twice and nothing is lost."""

import datetime
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.domain.test_lesion_tracking import LIVER, LUNG
from tests.domain.test_same_lesion import crossed
from tumorresp.domain.measurement import LesionRole, LesionState, Measurement, SourceDocument
from tumorresp.domain.repeated_measurements import Folded, Space, fold_repeated

Point = tuple[float, float, float]
EIGHT, TEN = (datetime.datetime(2024, 1, 10, hour, tzinfo=datetime.UTC) for hour in (8, 10))


def item(
    uid: str,
    at: Point | None = (0, 0, 0),
    long: float = 30.0,
    *,
    document: str = "d1",
    when: datetime.datetime | None = EIGHT,
    **more: Any,
) -> Measurement:
    """Return a measurement of a lesion 0.8 times as wide as long, without a place a statement."""
    made = crossed(at or (0, 0, 0), long, 0.8 * long)
    lines = {} if at is not None else {"long_axis": None, "short_axis": None, "state": LesionState.PRESENT}
    changes: dict[str, Any] = {
        "measurement_uid": uid,
        "source": SourceDocument("test", document),
        "measured_at": when,
        **lines,
        **more,
    }
    return replace(made, **changes)


def counting(folded: Folded) -> dict[str, float]:
    """Return the long axes that count, by measurement UID."""
    return {m.measurement_uid: m.long_axis.length_mm if m.long_axis else 0.0 for m in folded.counting}


def waiting(folded: Folded) -> list[set[str]]:
    return [{m.measurement_uid for m in group.measurements} for group in folded.undecided]


NEWER = {"document": "d2", "when": TEN}


@pytest.mark.parametrize(
    ("what", "items", "expected"),
    [
        ("saved twice by the viewer", [item("a"), item("b", long=31, **NEWER)], {"b": 31.0}),
        ("saved again, smaller", [item("a", long=31), item("b", long=30, **NEWER)], {"b": 30.0}),
        ("two labels in two saves", [item("a", label="T1"), item("b", label="T2", long=31, **NEWER)], {"b": 31.0}),
        ("one save without a time", [item("a"), item("b", long=29, document="d0", when=None), item("c")], None),
        ("two slices, one document", [item("a"), item("b", (0, 0, 3), 29.4)], {"a": 30.0}),
        (
            "thin and thick series",
            [item("a"), item("b", (0.5, 0, 1.5), 29.97, series_instance_uid="9", **NEWER)],
            {"b": 29.97},
        ),
        ("an old outline beside it", [item("a", label="GTV"), item("b", long=28, label="GTV_old")], {"a": 30.0}),
        ("two names in one document", [item("a", label="T1"), item("b", label="T2", long=28)], None),
        ("the same lines under two names", [item("a", label="T1"), item("b", label="T2")], None),
        (
            "two identities in one document",
            [item("a", tracking_uid="1"), item("b", long=29, tracking_uid="2")],
            None,
        ),
        (
            "one identity twice in one document",
            [item("a", tracking_uid="1"), item("b", long=29, tracking_uid="1")],
            {"a": 30.0},
        ),
        (
            "one label, two identities in one document",
            [item("a", tracking_uid="1", label="L1"), item("b", long=29, tracking_uid="2", label="l 1")],
            {"a": 30.0},
        ),
        (
            "target and non-target of one place",
            [item("a", role=LesionRole.TARGET), item("b", long=29, role=LesionRole.NON_TARGET)],
            None,
        ),
        ("a nodule inside", [item("a"), item("b", long=8, **NEWER)], None),
        ("two documents of one time", [item("a"), item("b", long=31, document="d2")], None),
        ("two documents of no time", [item("a", when=None), item("b", long=31, document="d2", when=None)], None),
        ("copies of one document", [item("a"), item("b", document="d2")], {"a": 30.0}),
        ("two named readers", [item("a", reader="A"), item("b", long=31, reader="B", **NEWER)], None),
        ("side by side", [item("a"), item("b", (0, 25, 0))], {"a": 30.0, "b": 30.0}),
        ("in another study", [item("a"), item("b", study_instance_uid="7", **NEWER)], {"a": 30.0, "b": 30.0}),
        (
            "under one name in another study",
            [item("a", label="L1"), item("b", label="L1", study_instance_uid="7", **NEWER)],
            None,
        ),
        (
            "under one name in another organ of another study",
            [item("a", label="L1", site=LUNG), item("b", label="L1", site=LIVER, study_instance_uid="7", **NEWER)],
            {"a": 30.0, "b": 30.0},
        ),
        (
            "in another frame of reference of one study, much larger",
            [item("a", frame_of_reference_uid="1"), item("b", long=40, frame_of_reference_uid="2", **NEWER)],
            None,
        ),
        (
            "in another frame of reference of one study, as large",
            [item("a", frame_of_reference_uid="1"), item("b", long=31, frame_of_reference_uid="2", **NEWER)],
            {"b": 31.0},
        ),
        (
            "measured, and later said to be absent",
            [item("a", label="L1"), item("b", None, label="L1", state=LesionState.ABSENT, **NEWER)],
            {"b": 0.0},
        ),
        (
            "measured and absent in one document",
            [item("a", label="L1"), item("b", None, label="L1", state=LesionState.ABSENT)],
            {"a": 30.0, "b": 0.0},
        ),
    ],
)  # fmt: skip
def test_one_measurement_counts_or_all_wait(
    what: str, items: list[Measurement], expected: dict[str, float] | None
) -> None:
    folded = fold_repeated(items, {})
    if expected is None:
        assert waiting(folded) == [{m.measurement_uid for m in items}], what
        assert folded.counting == folded.superseded == ()
    else:
        assert counting(folded) == pytest.approx(expected), what
        assert not folded.undecided


def test_series_of_two_studies_are_compared_where_they_share_a_space() -> None:
    items = [item("a", series_instance_uid="s1"), item("b", study_instance_uid="7", series_instance_uid="s2", **NEWER)]
    days = EIGHT.date(), EIGHT.date() + datetime.timedelta(days=1)
    assert counting(fold_repeated(items, {}, {"s1": Space("f", days[0]), "s2": Space("f", days[0])})) == {"b": 30.0}
    assert len(fold_repeated(items, {}, {"s1": Space("f", days[0]), "s2": Space("f", days[1])}).counting) == 2


@pytest.mark.parametrize(
    ("what", "first", "second", "later", "waits"),
    [
        ("at one place on one day, nobody names them", {}, {}, 0, True),
        ("on two days", {}, {}, 1, False),
        ("both have lesion IDs", {"label": "T1"}, {"label": "T2"}, 0, False),
        ("both have stable identities", {"tracking_uid": "1"}, {"tracking_uid": "2"}, 0, False),
        ("both are labelled otherwise", {"label": "Liver 1"}, {"label": "Liver 1 (seg 6)"}, 0, True),
        ("one is named", {"label": "T1"}, {}, 0, True),
        ("in two organs", {"site": LUNG}, {"site": LIVER}, 0, False),
    ],
)
def test_what_two_studies_may_have_scanned_twice(
    what: str, first: dict[str, Any], second: dict[str, Any], later: int, waits: bool
) -> None:
    items = [
        item("a", series_instance_uid="s1", **first),
        item("b", series_instance_uid="s2", study_instance_uid="7", **NEWER, **second),
    ]
    days = EIGHT.date(), EIGHT.date() + datetime.timedelta(days=later)
    folded = fold_repeated(items, {}, {"s1": Space("f", days[0]), "s2": Space("g", days[1])})
    assert waiting(folded) == ([{"a", "b"}] if waits else []), what


def test_what_is_replaced_is_said_with_both_names_and_decides() -> None:
    folded = fold_repeated([item("a", label="Liver 1"), item("b", label="Liver 1 (seg 6)", long=31, **NEWER)], {})
    (finding,) = folded.counting[0].findings
    assert finding.code == "measured-twice"
    assert finding.decides
    assert "“Liver 1 (seg 6)” 31.0 mm of 2024-01-10 10:00 (b) counts (the newest document)" in finding.message
    assert "“Liver 1” 30.0 mm of 2024-01-10 08:00 (a) does not" in finding.message
    assert [(s.measurement.measurement_uid, s.by_uid) for s in folded.superseded] == [("a", "b")]


def test_a_copy_changes_nothing_and_decides_nothing() -> None:
    (kept,) = fold_repeated([item("a"), item("a")], {}).counting
    assert not any(finding.decides for finding in kept.findings)
    (kept,) = fold_repeated([item("a"), item("b", document="d2")], {}).counting
    assert [finding.decides for finding in kept.findings] == [False]


def test_a_chain_of_saves_whose_ends_are_apart_waits() -> None:
    chain = [item(name, (x, 0, 0), document=name) for name, x in (("a", 0.0), ("b", 14.0), ("c", 28.0))]
    assert waiting(fold_repeated(chain, {})) == [{"a", "b", "c"}]


@pytest.mark.parametrize(
    ("decisions", "counted", "open_groups"),
    [
        ({"a": "T01"}, {"a"}, []),
        ({"a": "NONE"}, {"b"}, []),
        ({"a": "T01", "b": "T02"}, {"a", "b"}, []),
        ({"a": "T01", "b": "NONE"}, {"a"}, []),
        ({"a": "NONE", "b": "NONE"}, set(), []),
    ],
)
def test_a_person_decides_which_counts(
    decisions: dict[str, str], counted: set[str], open_groups: list[set[str]]
) -> None:
    items = [item("a", label="T1"), item("b", label="T2", long=28)]
    folded = fold_repeated(items, decisions)
    assert set(counting(folded)) == counted
    assert waiting(folded) == open_groups


def test_a_decision_on_one_leaves_what_reaches_into_it_waiting() -> None:
    folded = fold_repeated([item("a"), item("b", long=8)], {"a": "T01"})
    assert set(counting(folded)) == {"a"}
    assert waiting(folded) == [{"b"}]


@st.composite
def time_points(draw: st.DrawFn) -> list[Measurement]:
    """Measurements at few places, in few documents, with few names, so that they meet often."""
    return [
        item(
            f"m{number}",
            draw(st.sampled_from([None, (0, 0, 0), (1, 0, 0), (0, 0, 3), (14, 0, 0), (30, 0, 0), (90, 0, 0)])),
            draw(st.sampled_from([8.0, 28.0, 30.0])),
            document=draw(st.sampled_from(["d1", "d2", "d3"])),
            when=draw(st.sampled_from([EIGHT, TEN, None])),
            label=draw(st.sampled_from(["", "T1", "T2", "Liver"])),
            tracking_uid=draw(st.sampled_from(["", "1", "2"])),
            role=draw(st.sampled_from([None, LesionRole.TARGET, LesionRole.NEW])),
        )
        for number in range(draw(st.integers(0, 6)))
    ]


@given(time_points(), st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_nothing_is_lost_and_order_and_copies_decide_nothing(items: list[Measurement], random: Any) -> None:
    folded = fold_repeated(items, {})
    ends = [m.measurement_uid for m in folded.counting]
    ends += [s.measurement.measurement_uid for s in folded.superseded]
    ends += [m.measurement_uid for group in folded.undecided for m in group.measurements]
    assert sorted(ends) == sorted(m.measurement_uid for m in items)
    for other in (random.sample(items, len(items)), [*items, *random.sample(items, len(items) // 2)]):
        again = fold_repeated(other, {})
        assert counting(again) == counting(folded)
        assert sorted(map(sorted, waiting(again))) == sorted(map(sorted, waiting(folded)))


@given(time_points(), st.sampled_from(["d1", "d2", "d3"]))
@settings(max_examples=60, deadline=None)
def test_a_document_that_is_copied_under_another_uid_adds_nothing(items: list[Measurement], document: str) -> None:
    """The sum of what counts never grows; what has its copy beside it may wait."""
    copies = [
        replace(m, measurement_uid=f"{m.measurement_uid}c", source=SourceDocument("test", f"{document}c"))
        for m in items
        if m.source.document_uid == document
    ]
    before, after = fold_repeated(items, {}), fold_repeated([*items, *copies], {})
    measured = [m for m in before.counting if m.long_axis is not None]
    assert sum(counting(after).values()) <= sum(m.long_axis.length_mm for m in measured if m.long_axis) + 1e-9
