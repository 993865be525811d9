"""A lesion called target or non-target that the baseline lacks: said at its visit, never a silent SD."""

from dataclasses import replace

import pytest

from tests.response.courses import visits
from tumorresp.domain.eligibility import LateTarget
from tumorresp.domain.measurement import LesionState
from tumorresp.response.evaluate import evaluate_course
from tumorresp.response.protocol import Protocol, protocol_from
from tumorresp.response.subject import SubjectCourse

NEW, OPEN = LateTarget.NEW_LESION, LateTarget.NOT_EVALUABLE


def overall(texts: tuple[str, ...], rule: LateTarget, criterion: str = "recist-1.1") -> list[str]:
    protocol = protocol_from({"baseline": {"late_target": str(rule)}})
    (outcome,) = evaluate_course(SubjectCourse("S", "", visits(*texts)), [criterion], protocol).outcomes
    return [str(item.overall) for item in outcome.assessments[1:]]


@pytest.mark.parametrize(
    ("texts", "as_new", "as_open"),
    [
        (("T01=30", "T01=30 T02=20"), ["PD"], ["NE"]),
        (("T01=30", "T01=15 NT01=present"), ["PD"], ["NE"]),
        (("T01=30", "T01=45 T02=20"), ["PD"], ["PD"]),
        (("T01=30", "T01=30 T02=absent"), ["SD"], ["SD"]),
        (("T01=30", "T01=30 T02=ne"), ["SD"], ["SD"]),
        (("T01=30", "T01=30 T02=20", "T01=30"), ["PD", "PD"], ["NE", "NE"]),
        (("T01=30", "T01=30 T02=20", "T01=30 T02=absent"), ["PD", "SD"], ["NE", "SD"]),
        (("T01=30 T02=20", "T01=30 T02=20"), ["SD"], ["SD"]),
        (("NT01=present", "NT01=present T01=20"), ["PD"], ["NE"]),
    ],
)
def test_a_late_lesion_counts_as_the_protocol_says(
    texts: tuple[str, ...], as_new: list[str], as_open: list[str]
) -> None:
    assert overall(texts, NEW) == as_new
    assert overall(texts, OPEN) == as_open


@pytest.mark.parametrize("criterion", ["irecist", "mrecist", "choi", "lugano", "rano", "volume-recist"])
def test_every_criterion_obeys(criterion: str) -> None:
    assert overall(("T01=40/v40000", "T01=40/v40000 T02=30/v9000"), OPEN, criterion) == ["NE"]


def test_the_visit_says_it() -> None:
    course = SubjectCourse("S", "", visits("T01=30", "T01=30 T02=20"))
    (outcome,) = evaluate_course(course, ["recist-1.1"], Protocol()).outcomes
    item = outcome.assessments[1]
    words = "T02 lung: it is called target, but was not seen at the baseline: its baseline is missing, or it is new"
    assert [(f.decides, f.message.startswith(words)) for f in item.findings if f.code == "late-lesion"] == [
        (True, True)
    ]
    assert words in " ".join(item.reasons)
    assert item.refused == (f"T02: {words}",)


@pytest.mark.parametrize("rule", [NEW, OPEN])
def test_a_lesion_seen_before_treatment_is_never_new(rule: LateTarget) -> None:
    early, *counted = visits("T01=30 T02=20 NEW01=10", "T01=30", "T01=30 T02=20", "T01=30 NEW01=10")
    course = SubjectCourse("S", "", tuple(counted), before_treatment=(early,))
    protocol = protocol_from({"baseline": {"late_target": str(rule)}})
    (outcome,) = evaluate_course(course, ["recist-1.1"], protocol).outcomes
    assert [str(item.overall) for item in outcome.assessments] == ["BASELINE", "NE", "NE"]
    assert "seen before treatment (2024-01-01)" in " ".join(outcome.assessments[1].reasons)


def test_fragments_of_the_baseline_are_not_late() -> None:
    baseline, later = visits("T01=40", "T02=20 T03=15")
    parts = tuple(replace(item, parents=("T01",)) for item in later.observations)
    course = SubjectCourse("S", "", (baseline, replace(later, observations=parts)))
    (outcome,) = evaluate_course(course, ["recist-1.1"], Protocol()).outcomes
    assert str(outcome.assessments[1].overall) == "SD"
    assert outcome.assessments[1].refused == ()


@pytest.mark.parametrize("rule", [NEW, OPEN])
def test_a_conglomerate_without_parents_is_not_late(rule: LateTarget) -> None:
    merged = LesionState.MERGED
    course = list(visits("T01=30 T02=20", "T01=30 T02=20 T09=46", "T09=40"))
    course[1] = replace(
        course[1],
        observations=tuple(
            seen if seen.lesion_id == "T09" else replace(seen, state=merged, long_axis_mm=None)
            for seen in course[1].observations
        ),
    )
    protocol = protocol_from({"baseline": {"late_target": str(rule)}})
    (outcome,) = evaluate_course(SubjectCourse("S", "", tuple(course)), ["recist-1.1"], protocol).outcomes
    assert [item.target_sum for item in outcome.assessments] == [50, 46, 40]
    assert [str(item.overall) for item in outcome.assessments[1:]] == ["SD", "SD"]
