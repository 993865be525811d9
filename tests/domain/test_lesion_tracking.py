"""Lesions followed by identity, label and position; what contradicts waits for a person."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tumorresp.domain.lesion_tracking import TrackedTimePoint, TrackingResult, follow_lesions
from tumorresp.domain.measurement import Axis, LesionRole, LesionState, Measurement, SourceDocument
from tumorresp.domain.terminology import LESION, LYMPH_NODE, Code

LUNG = Code("39607008", "SCT", "Lung")
LEFT_LUNG = Code("44029006", "SCT", "Left lung")
RIGHT_LUNG = Code("3341006", "SCT", "Right lung")
LIVER = Code("10200004", "SCT", "Liver")
MEDIASTINUM = Code("72410000", "SCT", "Mediastinum")
CYST = Code("441457006", "SCT", "Cyst")
METASTASIS = Code("14799000", "SCT", "Metastasis")
TARGET, NON_TARGET, NEW = LesionRole.TARGET, LesionRole.NON_TARGET, LesionRole.NEW
Point = tuple[float, float, float]


def measured(name: str, at: Point | None = None, size: float = 20.0, **more: Any) -> Measurement:
    """Return a measurement; its midpoint and long axis (along x) in mm, without them a statement."""
    axis = None if at is None else Axis((at[0] - size / 2, at[1], at[2]), (at[0] + size / 2, at[1], at[2]))
    uids = {key: more.pop(key, "") for key in ("label", "tracking_uid")}
    state = more.pop("state", LesionState.MEASURED if axis else LesionState.PRESENT)
    return Measurement(
        name, SourceDocument("test", "2.25.1"), "2.25.2", "2.25.3", "2.25.4", None, axis, None, state, **uids, **more
    )


def stay(points: NDArray[np.float64]) -> NDArray[np.float64]:
    return points


def follow(
    *time_points: list[Measurement], decisions: Mapping[str, str] | None = None, registered: bool = True
) -> tuple[TrackingResult, ...]:
    points = [
        TrackedTimePoint(tuple(items), stay if registered or order == 0 else None)
        for order, items in enumerate(time_points)
    ]
    return follow_lesions("subject", points, decisions=decisions)


def ids(result: TrackingResult) -> dict[str, str]:
    """Return lesion IDs by measurement; of what waits its candidates behind a question mark."""
    found = {item.measurement.measurement_uid: item.lesion.lesion_id for item in result.assignments}
    return found | {
        item.measurement.measurement_uid: f"?{','.join(item.candidate_lesion_ids)}" for item in result.ambiguous
    }


def reason(result: TrackingResult, name: str) -> str:
    return next(item.reason for item in result.ambiguous if item.measurement.measurement_uid == name)


def how(result: TrackingResult, name: str) -> str:
    return next(item.matched_by for item in result.assignments if item.measurement.measurement_uid == name)


def codes(result: TrackingResult, name: str) -> set[str]:
    item = next(item for item in result.assignments if item.measurement.measurement_uid == name)
    return {finding.code for finding in item.findings}


# --- the baseline


def test_baseline_lesions_are_numbered_by_role() -> None:
    (result,) = follow(
        [
            measured("a", (0, 0, 0), role=TARGET, site=LUNG),
            measured("b", (100, 0, 0), role=NON_TARGET),
            measured("c", (0, 100, 0), role=TARGET, site=LYMPH_NODE),
            measured("d", role=NON_TARGET),
        ]
    )
    assert ids(result) == {"a": "T01", "b": "NT01", "c": "T02", "d": "NT02"}
    assert [(i.lesion.organ, i.lesion.nodal) for i in result.assignments] == [
        ("lung", False), ("", False), ("lymph node", True), ("", False),
    ]  # fmt: skip
    assert how(result, "a") == "first seen here"
    assert codes(result, "a") == set()


def test_role_that_nobody_states_is_target_when_measured_else_non_target() -> None:
    (result,) = follow([measured("a", (0, 0, 0)), measured("b")])
    assert ids(result) == {"a": "T01", "b": "NT01"}
    assert codes(result, "a") == codes(result, "b") == {"role-not-stated"}


def crossed(name: str, number: int, long: float, short: float | None = None, **more: Any) -> Measurement:
    """Return a measurement with both axes, 100 mm from the next."""
    at = (100.0 * number, 0.0, 0.0)
    across = None if short is None else Axis((at[0], -short / 2, 0.0), (at[0], short / 2, 0.0))
    return replace(measured(name, at, long, **more), short_axis=across)


def test_roles_given_by_default_keep_the_rules_of_target_choice() -> None:
    """At most five and two an organ, the largest; nodes by the short axis from 15 mm; stated roles stay."""
    (result,) = follow(
        [
            crossed("lung 30", 0, 30, 20, site=LUNG),
            crossed("lung 28", 1, 28, 20, site=LUNG),
            crossed("lung 26", 2, 26, 20, site=LUNG),
            crossed("liver 9.9", 3, 9.9, 8, site=LIVER),
            crossed("liver 12", 4, 12, 8, site=LIVER),
            crossed("node 11.8", 5, 30, 11.8, nodal=True),
            crossed("node 15", 6, 18, 15, nodal=True),
            crossed("node 9.9", 7, 18, 9.9, nodal=True),
            crossed("stated", 8, 6, 5, site=LIVER, role=TARGET),
            crossed("a", 9, 40, 30),
            crossed("b", 10, 40, 30),
        ]
    )
    chosen = {i.measurement.measurement_uid for i in result.assignments if i.lesion.role is TARGET}
    assert chosen == {"lung 30", "lung 28", "a", "b", "stated"}
    others = {i.measurement.measurement_uid for i in result.assignments if i.lesion.role is NON_TARGET}
    assert others == {"lung 26", "liver 9.9", "liver 12", "node 11.8", "node 15"}
    assert [(s.measurement.measurement_uid, s.by_uid) for s in result.superseded] == [("node 9.9", "")]


def test_a_node_that_was_normal_at_first_is_no_lesion_there_and_known_later() -> None:
    first = [crossed("n", 0, 12, 8.1, nodal=True, label="N1"), crossed("t", 1, 30, 20)]
    before, result = follow(first, [crossed("m", 0, 18, 13.1, nodal=True, label="N1"), crossed("u", 1, 30, 20)])
    assert ids(before) == {"t": "T01"}
    assert [(item.lesion.lesion_id, item.measurement.measurement_uid) for item in before.normal] == [("NEW01", "n")]
    assert ids(result) == {"m": "NEW01", "u": "T01"}
    assert result.normal == ()


def test_labels_in_the_form_of_lesion_ids_are_kept() -> None:
    (result,) = follow(
        [
            measured("a", (0, 0, 0), label="T3"),
            measured("b", (100, 0, 0), label="Liver, large", role=TARGET),
            measured("c", (0, 100, 0), label="nt-02"),
            measured("d", (0, 0, 100), label="T01"),
            measured("e", (0, 0, 200), label="T01", role=TARGET),
            measured("f", (0, 0, 300), label="NT07", role=TARGET),
        ]
    )
    assert ids(result) == {"a": "T03", "b": "T02", "c": "NT02", "d": "T01", "e": "T04", "f": "T05"}


@pytest.mark.parametrize("more", [{"role": NEW}, {"state": LesionState.ABSENT}, {"label": "NEW01"}])
def test_a_new_or_absent_lesion_at_baseline_waits(more: dict[str, Any]) -> None:
    (result,) = follow([measured("a", **more)])
    assert ids(result) == {"a": "?"}
    assert "no earlier time point" in reason(result, "a")


def test_tracking_uid_is_derived_from_subject_and_first_identity() -> None:
    stable = [measured("a", (0, 0, 0), tracking_uid="1.2.3")]
    again = [measured("z", (5, 0, 0), tracking_uid="1.2.3")]
    first = follow(stable)[0].assignments[0].lesion
    assert follow(again)[0].assignments[0].lesion.tracking_uid == first.tracking_uid
    assert follow(stable, again)[1].assignments[0].lesion == first
    other = follow_lesions("other", [TrackedTimePoint(tuple(stable), stay)])[0].assignments[0].lesion
    assert other.tracking_uid != first.tracking_uid
    unstable = follow([measured("a", (0, 0, 0), tracking_uid="1.2.3", tracking_uid_is_stable=False)])
    assert unstable[0].assignments[0].lesion.tracking_uid != first.tracking_uid


# --- by identity


def test_tracking_uid_comes_before_label_and_position() -> None:
    _, result = follow(
        [measured("a", (0, 0, 0), 10.0, tracking_uid="1"), measured("b", (12, 0, 0), 10.0, tracking_uid="2")],
        [measured("c", (12, 0, 0), 10.0, tracking_uid="1"), measured("d", (0, 0, 0), 10.0, tracking_uid="2")],
    )
    assert ids(result) == {"c": "T01", "d": "T02"}
    assert how(result, "c") == "tracking UID"


def test_statement_without_axes_is_recognised_by_tracking_uid_or_label() -> None:
    _, result = follow(
        [measured("a", (0, 0, 0), tracking_uid="1"), measured("b", (90, 0, 0), label="Lesion 2")],
        [
            measured("c", tracking_uid="1", state=LesionState.ABSENT),
            measured("d", label="lesion2", state=LesionState.TOO_SMALL),
            measured("e", label="Lesion 9", state=LesionState.ABSENT),
            measured("f", state=LesionState.PRESENT),
        ],
    )
    assert ids(result) == {"c": "T01", "d": "T02", "e": "?", "f": "?"}
    assert "absent" in reason(result, "e")
    assert "no axes" in reason(result, "f")


def test_unstable_tracking_uid_is_no_evidence() -> None:
    _, result = follow(
        [measured("a", (0, 0, 0), tracking_uid="1", tracking_uid_is_stable=False)],
        [measured("b", (200, 0, 0), tracking_uid="1", tracking_uid_is_stable=False)],
    )
    assert ids(result) == {"b": "NEW01"}


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        ({"site": LUNG}, {"site": LIVER}, "another organ (liver, before: lung)"),
        ({"site": LEFT_LUNG}, {"site": RIGHT_LUNG}, "the other side (right, before: left)"),
        ({}, {"at": (81.0, 0.0, 0.0)}, "81 mm from where the lesion was"),
        ({}, {"role": NEW}, "the reader calls it new"),
    ],
)
@pytest.mark.parametrize("identity", [{"tracking_uid": "1"}, {"label": "Lesion 3"}])
def test_contradicted_identity_waits(
    identity: dict[str, str], first: dict[str, Any], second: dict[str, Any], words: str
) -> None:
    _, result = follow(
        [measured("a", **{"at": (0, 0, 0), **identity, **first})],
        [measured("b", **{"at": (0, 0, 0), **identity, **second})],
    )
    assert ids(result) == {"b": "?T01"}
    assert words in reason(result, "b")


def test_identity_holds_over_distance_within_the_limit_or_without_registration() -> None:
    baseline = [measured("a", (0, 0, 0), tracking_uid="1")]
    assert ids(follow(baseline, [measured("b", (80, 0, 0), tracking_uid="1")])[1]) == {"b": "T01"}
    far = [measured("b", (300, 0, 0), tracking_uid="1")]
    assert ids(follow(baseline, far, registered=False)[1]) == {"b": "T01"}
    large = [measured("a", (0, 0, 0), 150.0, tracking_uid="1")]
    assert ids(follow(large, [measured("b", (120, 0, 0), tracking_uid="1")])[1]) == {"b": "T01"}


def test_a_node_may_be_named_by_its_region() -> None:
    _, result = follow(
        [measured("a", (0, 0, 0), tracking_uid="1", site=LYMPH_NODE, role=TARGET)],
        [measured("b", (0, 0, 0), tracking_uid="1", site=MEDIASTINUM)],
    )
    assert ids(result) == {"b": "T01"}


def test_identity_of_one_and_label_of_another_waits() -> None:
    _, result = follow(
        [measured("a", tracking_uid="1", label="Lesion 1"), measured("b", tracking_uid="2", label="Lesion 2")],
        [measured("c", tracking_uid="1", label="Lesion 2")],
    )
    assert ids(result) == {"c": "?NT01"}
    assert "its label is that of NT02" in reason(result, "c")


def test_two_measurements_with_one_identity_both_wait() -> None:
    first, second = follow(
        [measured("a", (0, 0, 0), tracking_uid="1"), measured("b", (90, 0, 0), tracking_uid="2")],
        [
            measured("c", (0, 0, 0), tracking_uid="1"),
            measured("d", (31, 0, 0), tracking_uid="1"),
            measured("e", (90, 0, 0), tracking_uid="2"),
        ],
    )
    assert ids(first) == {"a": "T01", "b": "T02"}
    assert ids(second) == {"c": "?T01", "d": "?T01", "e": "T02"}


def test_the_same_measurement_twice_is_one_unless_the_contents_differ() -> None:
    (result,) = follow([measured("a", (0, 0, 0)), measured("a", (0, 0, 0))])
    assert ids(result) == {"a": "T01"}
    assert [item.by_uid for item in result.superseded] == ["a"]
    (result,) = follow([measured("a", (0, 0, 0)), measured("a", (0, 0, 0), 21.0)])
    assert len(result.ambiguous) == 2
    assert result.assignments == ()
    assert "with other content" in reason(result, "a")


# --- by label


def test_label_is_compared_without_case_and_blanks() -> None:
    _, result = follow([measured("a", label="Lesion 3")], [measured("b", label=" LESION3 ")])
    assert ids(result) == {"b": "NT01"}
    assert how(result, "b") == "label “LESION3”"


@pytest.mark.parametrize("registered", [True, False])
def test_label_used_twice_decides_nothing(registered: bool) -> None:
    baseline = [measured("a", (0, 0, 0), label="X1"), measured("b", (90, 0, 0), label="X1")]
    _, result = follow(baseline, [measured("c", (1, 0, 0), label="X1")], registered=registered)
    assert ids(result) == {"c": "T01" if registered else "?T01,T02"}
    later = [measured("c", (1, 0, 0), label="Y1"), measured("d", (91, 0, 0), label="Y1")]
    _, result = follow([measured("a", (0, 0, 0), label="Y1")], later, registered=registered)
    assert ids(result) == ({"c": "T01", "d": "NEW01"} if registered else {"c": "?T01", "d": "?T01"})


@pytest.mark.parametrize("label", ["Lesion", "tumor", "Bidirectional", "Target lesion"])
def test_label_that_names_nothing_decides_nothing(label: str) -> None:
    _, result = follow([measured("a", (0, 0, 0), label=label)], [measured("b", (90, 0, 0), label=label)])
    assert ids(result) == {"b": "NEW01"}


def test_other_finding_leaves_the_decision_to_position() -> None:
    baseline = [measured("a", (0, 0, 0), label="L1", finding_type=METASTASIS)]
    same = measured("b", (2, 0, 0), label="L1", finding_type=CYST)
    assert how(follow(baseline, [same])[1], "b").startswith("position, 2 mm")
    assert ids(follow(baseline, [same], registered=False)[1]) == {"b": "?T01"}
    generic = measured("b", (2, 0, 0), label="L1", finding_type=LESION)
    assert how(follow(baseline, [generic], registered=False)[1], "b") == "label “L1”"


def test_labels_given_anew_in_another_order_wait() -> None:
    """Numbers that a tool gives in the order of measuring would exchange the lesions."""
    _, result = follow(
        [measured("a", (0, 0, 0), label="Lesion 1"), measured("b", (60, 0, 0), label="Lesion 2")],
        [measured("c", (60, 0, 0), label="Lesion 1"), measured("d", (0, 0, 0), label="Lesion 2")],
    )
    assert ids(result) == {"c": "?T01", "d": "?T02"}
    assert "0 mm from T02 and 60 mm from T01" in reason(result, "c")


def test_a_lesion_claimed_by_identity_and_by_label_keeps_the_identity() -> None:
    _, result = follow(
        [measured("a", (0, 0, 0), tracking_uid="1", label="L1")],
        [measured("b", (0, 0, 0), tracking_uid="1"), measured("c", (70, 0, 0), label="L1")],
    )
    assert ids(result) == {"b": "T01", "c": "?T01"}


def test_identities_and_labels_of_all_earlier_time_points_count() -> None:
    *_, last = follow(
        [measured("a", (0, 0, 0), tracking_uid="1", label="L1")],
        [measured("b", (2, 0, 0), tracking_uid="9", label="L one")],
        [measured("c", tracking_uid="9")],
        [measured("d", label="L1")],
        [measured("e", label="L one")],
        [measured("f", tracking_uid="1")],
    )
    assert ids(last) == {"f": "T01"}


def test_two_identities_of_one_lesion_at_one_time_point_wait_even_if_one_is_contradicted() -> None:
    *_, last = follow(
        [measured("a", (0, 0, 0), tracking_uid="1", label="L1", site=LUNG)],
        [measured("b", (0, 0, 0), tracking_uid="9", label="L1")],
        [measured("c", (0, 0, 0), tracking_uid="1", site=LIVER), measured("d", (21, 0, 0), tracking_uid="9")],
    )
    assert ids(last) == {"c": "?T01", "d": "?T01"}


def test_a_label_holds_within_the_gate_though_another_lesion_is_nearer() -> None:
    _, result = follow(
        [measured("a", (0, 0, 0), label="L1"), measured("b", (14, 0, 0), label="L2")],
        [measured("c", (10, 0, 0), label="L1")],
    )
    assert ids(result) == {"c": "T01"}


# --- by position


def test_nearest_after_registration() -> None:
    def shift(points: NDArray[np.float64]) -> NDArray[np.float64]:
        return points - np.array([0.0, 0.0, 400.0])

    points = [
        TrackedTimePoint((measured("a", (0, 0, 0)), measured("b", (40, 0, 0))), stay),
        TrackedTimePoint((measured("c", (41, 3, 404)), measured("d", (2, 0, 396))), shift),
    ]
    result = follow_lesions("subject", points)[1]
    assert ids(result) == {"c": "T02", "d": "T01"}
    assert how(result, "c") == "position, 5 mm from where it was after registration"


@pytest.mark.parametrize(
    ("offset", "size", "expected"),
    [(15.0, 20.0, "T01"), (15.1, 20.0, "?T01"), (30.0, 60.0, "T01"), (30.1, 60.0, "?T01")],
)
def test_gate_is_15_mm_or_half_the_long_axis(offset: float, size: float, expected: str) -> None:
    before, now = [measured("a", (0, 0, 0), size)], [measured("b", (offset, 0, 0), 20.0)]
    assert ids(follow(before, now)[1]) == {"b": expected}
    before, now = [measured("a", (0, 0, 0), 20.0)], [measured("b", (offset, 0, 0), size)]
    assert ids(follow(before, now)[1]) == {"b": expected}


@pytest.mark.parametrize(
    ("place", "expected"),
    [(6.0, "T01"), (6.7, "?T01,T02"), (10.0, "?T01,T02"), (14.0, "T02")],
)
def test_second_nearest_must_be_twice_as_far(place: float, expected: str) -> None:
    baseline = [measured("a", (0, 0, 0), 15.0), measured("b", (20, 0, 0), 15.0)]
    _, result = follow(baseline, [measured("c", (place, 0, 0))])
    assert ids(result) == {"c": expected}


def test_a_rival_just_beyond_the_gate_is_a_rival() -> None:
    _, result = follow([measured("a", (0, 0, 0)), measured("b", (28, 0, 0))], [measured("c", (12, 0, 0))])
    assert ids(result) == {"c": "?T01"}


def test_under_a_millimetre_nearer_is_noise() -> None:
    small = [measured("a", (0, 0, 0), 1.0, role=TARGET), measured("b", (1.5, 0, 0), 1.0, role=TARGET)]
    _, result = follow(small, [measured("c", (0, 0, 0))])
    assert ids(result) == {"c": "?T01,T02"}
    small[1] = measured("b", (2.0, 0, 0), 1.0, role=TARGET)
    _, result = follow(small, [measured("c", (0, 0, 0))])
    assert ids(result) == {"c": "T01"}


def test_two_measurements_near_one_lesion_wait_unless_one_is_clearly_nearer() -> None:
    baseline = [measured("a", (0, 0, 0))]
    _, result = follow(baseline, [measured("b", (0, 9, 0), 5.0), measured("c", (0, -10, 0), 5.0)])
    assert ids(result) == {"b": "?T01", "c": "?T01"}
    _, result = follow(baseline, [measured("b", (1, 0, 0), 5.0), measured("c", (0, -10, 0), 5.0)])
    assert ids(result) == {"b": "T01", "c": "?T01"}


def test_position_is_that_of_the_last_time_point_seen() -> None:
    *_, last = follow([measured("a", (0, 0, 0))], [measured("b", (12, 0, 0))], [], [measured("c", (24, 0, 0))])
    assert ids(last) == {"c": "T01"}


def test_without_registration_nothing_is_guessed() -> None:
    _, result = follow([measured("a", (0, 0, 0))], [measured("b", (0, 0, 0))], registered=False)
    assert ids(result) == {"b": "?T01"}
    assert "could not be registered" in reason(result, "b")


def test_place_of_a_lesion_in_another_organ_waits() -> None:
    _, result = follow([measured("a", (0, 0, 0), site=LUNG)], [measured("b", (3, 0, 0), site=LIVER)])
    assert ids(result) == {"b": "?T01"}
    assert "another organ" in reason(result, "b")


# --- new lesions


def test_unmatched_and_unstated_is_taken_as_new_with_a_finding() -> None:
    _, result = follow([measured("a", (0, 0, 0))], [measured("b", (0, 0, 0)), measured("c", (90, 0, 0))])
    assert ids(result) == {"b": "T01", "c": "NEW01"}
    finding = next(i for i in result.assignments if i.lesion.lesion_id == "NEW01").findings[0]
    assert finding.code == "taken-as-new"
    assert "within 15 mm" in finding.message


@pytest.mark.parametrize(
    ("at", "more", "expected"),
    [
        ((40, 0, 0), {}, "?T01"),
        ((80, 0, 0), {}, "?T01"),
        ((80.1, 0, 0), {}, "NEW01"),
        ((40, 0, 0), {"site": LIVER}, "NEW01"),
        ((40, 0, 0), {"role": NEW}, "NEW01"),
    ],
)
def test_unstated_is_not_new_where_an_unmentioned_lesion_may_have_moved(
    at: Point, more: dict[str, Any], expected: str
) -> None:
    """A breath of 20 mm must not make a target missing and a new lesion, which would be progression."""
    baseline = [measured("a", (0, 0, 0), site=LUNG)]
    _, result = follow(baseline, [measured("b", at, **more)])
    assert ids(result) == {"b": expected}
    assert "?" not in expected or "too far to be the same for sure" in reason(result, "b")


def test_of_lesions_that_may_have_moved_the_nearest_is_named() -> None:
    baseline = [measured("a", (0, 0, 0)), measured("b", (60, 0, 0))]
    _, result = follow(baseline, [measured("c", (35, 0, 0))])
    assert ids(result) == {"c": "?T02,T01"}
    assert reason(result, "c").startswith("It lies 25 mm from where T02 was")


def test_a_lesion_in_doubt_is_given_to_nobody_else() -> None:
    _, result = follow(
        [measured("a", (0, 0, 0), tracking_uid="1", site=LUNG)],
        [measured("b", (0, 0, 0), 10.0, tracking_uid="1", site=LIVER), measured("c", (11, 0, 0), 10.0)],
    )
    assert ids(result) == {"b": "?T01", "c": "?T01"}
    assert "in doubt" in reason(result, "c")


def test_called_new_is_new_without_a_finding_and_followed_from_then() -> None:
    _, second, third = follow(
        [measured("a", (0, 0, 0))],
        [measured("b", (90, 0, 0), role=NEW), measured("c", role=NEW)],
        [measured("d", (92, 0, 0), role=NEW), measured("e", (90, 90, 0), role=NEW)],
    )
    assert ids(second) == {"b": "NEW01", "c": "NEW02"}
    assert codes(second, "b") == set()
    assert ids(third) == {"d": "NEW01", "e": "NEW03"}


def test_called_target_but_unmatched_waits() -> None:
    _, result = follow([measured("a", (0, 0, 0))], [measured("b", (90, 0, 0), role=TARGET), measured("c", label="T04")])
    assert ids(result) == {"b": "?T01", "c": "?T01"}
    assert "calls it target" in reason(result, "b")


def test_called_new_where_an_unmentioned_lesion_was_waits() -> None:
    baseline = [measured("a", (0, 0, 0), tracking_uid="1")]
    new = measured("b", (13, 0, 0), 5.0, role=NEW)
    assert ids(follow(baseline, [new])[1]) == {"b": "?T01"}
    mentioned = measured("c", (0, 0, 0), tracking_uid="1")
    assert ids(follow(baseline, [new, mentioned])[1]) == {"b": "NEW01", "c": "T01"}


def test_unstated_beside_a_lesion_that_is_measured_already_waits() -> None:
    _, result = follow(
        [measured("a", (0, 0, 0), tracking_uid="1")],
        [measured("b", (0, 0, 0), 10.0, tracking_uid="1"), measured("c", (9, 0, 0), 5.0)],
    )
    assert ids(result) == {"b": "T01", "c": "?T01"}
    assert "measured already" in reason(result, "c")


def test_unstated_is_not_new_while_a_lesion_without_a_place_is_unmentioned() -> None:
    baseline = [measured("a", (0, 0, 0)), measured("b", label="NT01", site=LIVER)]
    here = measured("c", (0, 0, 0))
    assert ids(follow(baseline, [here, measured("d", (90, 0, 0))])[1]) == {"c": "T01", "d": "?NT01"}
    assert ids(follow(baseline, [here, measured("d", (90, 0, 0), site=LUNG)])[1]) == {"c": "T01", "d": "NEW01"}
    mentioned = measured("e", label="NT01")
    assert ids(follow(baseline, [here, measured("d", (90, 0, 0)), mentioned])[1])["d"] == "NEW01"


# --- what differs is shown


def test_role_and_kind_are_those_of_the_first_time_point() -> None:
    _, result = follow(
        [measured("a", (0, 0, 0), tracking_uid="1", role=TARGET)],
        [measured("b", (0, 0, 0), tracking_uid="1", role=NON_TARGET, nodal=True)],
    )
    assert ids(result) == {"b": "T01"}
    assert codes(result, "b") == {"role-differs", "nodal-differs"}
    assert result.assignments[0].lesion.role is TARGET
    assert not result.assignments[0].lesion.nodal


# --- a person's decisions


def test_a_decision_comes_before_all_evidence() -> None:
    baseline = [measured("a", (0, 0, 0), tracking_uid="1"), measured("b", (90, 0, 0), tracking_uid="2", site=LUNG)]
    later = [measured("c", (0, 0, 0), tracking_uid="1", site=LIVER), measured("d", (90, 0, 0))]
    _, result = follow(baseline, later, decisions={"c": "T02"})
    assert ids(result) == {"c": "T02", "d": "?T02"}
    assert how(result, "c") == "a person's decision"


def test_a_decision_settles_repeated_identities_and_new_lesions() -> None:
    baseline = [measured("a", (0, 0, 0), tracking_uid="1")]
    later = [measured("b", (0, 0, 0), tracking_uid="1"), measured("c", (3, 0, 0), tracking_uid="1")]
    _, result = follow(baseline, later, decisions={"b": "T01", "c": "NEW"})
    assert ids(result) == {"b": "T01", "c": "NEW01"}
    uids = {item.lesion.tracking_uid for item in result.assignments}
    assert len(uids) == 2
    (result,) = follow(later, decisions={"b": "T", "c": "NT"})
    assert ids(result) == {"b": "T01", "c": "NT01"}
    assert len({item.lesion.tracking_uid for item in result.assignments}) == 2
    (turned,) = follow(later[::-1], decisions={"b": "T", "c": "NT"})
    assert {item.lesion for item in turned.assignments} == {item.lesion for item in result.assignments}


def test_a_lesion_of_its_own_by_decision_gets_a_tracking_uid_of_its_own() -> None:
    first, second = follow(
        [measured("a", (0, 0, 0), tracking_uid="1")], [measured("b", tracking_uid="1")], decisions={"b": "NEW"}
    )
    assert first.assignments[0].lesion.tracking_uid != second.assignments[0].lesion.tracking_uid


def test_an_identity_that_a_decision_gave_to_two_lesions_waits_later() -> None:
    baseline = [measured("a", tracking_uid="1"), measured("b", tracking_uid="2")]
    later = [measured("c", tracking_uid="1")]
    *_, last = follow(baseline, later, [measured("d", tracking_uid="1")], decisions={"c": "NT02"})
    assert ids(last) == {"d": "?NT01,NT02"}


def test_decisions_that_cannot_be_followed_wait() -> None:
    baseline = [measured("a", (0, 0, 0)), measured("b", (90, 0, 0))]
    later = [measured("c", (0, 0, 0)), measured("d", (90, 0, 0)), measured("e", (0, 90, 0))]
    _, result = follow(baseline, later, decisions={"c": "T02", "d": "T02", "e": "T09"})
    assert ids(result) == {"c": "?T02", "d": "?T02", "e": "?"}
    assert "T09" in reason(result, "e")


# --- laws


@st.composite
def subjects(draw: st.DrawFn) -> list[list[Measurement]]:
    """Time points with few places, labels and identities, so that they meet and contradict often."""
    points = []
    for order in range(draw(st.integers(1, 4))):
        items = []
        for number in range(draw(st.integers(0, 5))):
            at = draw(st.sampled_from([None, (0, 0, 0), (6, 0, 0), (14, 0, 0), (40, 0, 0), (120, 0, 0)]))
            items.append(
                measured(
                    f"m{order}.{number}",
                    at,
                    draw(st.sampled_from([10.0, 60.0])),
                    tracking_uid=draw(st.sampled_from(["", "", "1", "2", "3"])),
                    label=draw(st.sampled_from(["", "", "L1", "L2", "T02", "lesion"])),
                    role=draw(st.sampled_from([None, None, TARGET, NON_TARGET, NEW])),
                    site=draw(st.sampled_from([None, None, LUNG, LIVER])),
                    state=draw(st.sampled_from([LesionState.PRESENT, LesionState.ABSENT]))
                    if at is None
                    else LesionState.MEASURED,
                )
            )
        points.append(items)
    return points


@given(subjects())
@settings(max_examples=150, deadline=None)
def test_a_later_time_point_changes_nothing_before(time_points: list[list[Measurement]]) -> None:
    whole = follow(*time_points)
    for length in range(1, len(time_points)):
        assert follow(*time_points[:length]) == whole[:length]


@given(subjects())
@settings(max_examples=150, deadline=None)
def test_every_measurement_ends_once_and_every_lesion_is_one(time_points: list[list[Measurement]]) -> None:
    results = follow(*time_points)
    lesions = {}
    for items, result in zip(time_points, results, strict=True):
        ends = [i.measurement.measurement_uid for i in (*result.assignments, *result.ambiguous, *result.superseded)]
        assert sorted(ends) == sorted(item.measurement_uid for item in items)
        at_once = [i.lesion.lesion_id for i in (*result.assignments, *result.pending)]
        assert len(at_once) == len(set(at_once))
        for item in (*result.assignments, *result.pending):
            assert lesions.setdefault(item.lesion.lesion_id, item.lesion) == item.lesion
        assert all(candidate in lesions for item in result.ambiguous for candidate in item.candidate_lesion_ids)
    assert len({lesion.tracking_uid for lesion in lesions.values()}) == len(lesions)


@given(subjects(), st.randoms(use_true_random=False))
@settings(max_examples=150, deadline=None)
def test_order_within_a_follow_up_decides_nothing(time_points: list[list[Measurement]], random: Any) -> None:
    """Whether a measurement is recognised, and as which lesion; only numbers of new lesions follow the order."""
    shuffled = [time_points[0], *(random.sample(items, len(items)) for items in time_points[1:2])]
    plain, mixed = follow(*time_points[:2]), follow(*shuffled)

    def ends(result: TrackingResult) -> dict[str, str]:
        return {name: "new" if end.startswith("NEW") else end for name, end in ids(result).items()}

    assert [ends(result) for result in mixed] == [ends(result) for result in plain]


@given(st.floats(0.0, 6.9), st.floats(-np.pi, np.pi))
def test_far_lesions_that_move_a_little_are_always_found_again(distance: float, angle: float) -> None:
    moved = (distance * float(np.cos(angle)), distance * float(np.sin(angle)), 0.0)
    _, result = follow(
        [measured("a", (0, 0, 0)), measured("b", (22, 0, 0))],
        [measured("c", moved), measured("d", (22 + moved[0], moved[1], 0.0))],
    )
    assert ids(result) == {"c": "T01", "d": "T02"}
