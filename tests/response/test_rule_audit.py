"""The rule audit: of a subject reported rightly nothing is said; one injected mistake is named, and nothing else."""

import datetime
import re
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conftest import REPOSITORY
from tests.response.courses import visits
from tests.response.test_response_laws import mixed_courses
from tumorresp.domain.assessment import Category, NewLesionStatus
from tumorresp.domain.eligibility import BaselineRules, TargetRules
from tumorresp.domain.errors import InvalidInput
from tumorresp.domain.measurement import LesionRole
from tumorresp.response import Recist11Parameters
from tumorresp.response.baseline import baseline_first
from tumorresp.response.observation import Refused
from tumorresp.response.reasons import rounded
from tumorresp.response.rule_audit import (
    AuditFinding,
    AuditParameters,
    Reported,
    ReportedBest,
    ReportedEvaluation,
    ReportedVisit,
    audit_rules,
)
from tumorresp.response.rule_audit.derivation import Derivation
from tumorresp.response.rule_audit.hypotheses import Hypothesis, explanations
from tumorresp.response.rule_audit.hypotheses import codes as codes_of
from tumorresp.response.rule_audit.numbers import percent
from tumorresp.response.rule_audit.reported import Mistake
from tumorresp.response.rule_audit.target_judgement import Judgement
from tumorresp.response.subject import SubjectCourse, SubjectDates

ANY_RESPONSE = (Category.CR, Category.PR, Category.SD, Category.PD, Category.NE, Category.NON_CR_NON_PD)
PARTIAL = Reported(Category.PR)
BY_EACH_VISIT = AuditParameters(response_after_progression=True)


def course_of(*texts: str) -> SubjectCourse:
    return SubjectCourse("S01", "READER 1", visits(*texts))


def as_derived(course: SubjectCourse, places: int = 1) -> ReportedEvaluation:
    """What a reader without mistakes reports, numbers with so many decimals."""
    derivation = Derivation(course.visits, Recist11Parameters())
    reported = []
    for index, visit in enumerate(course.visits):
        derived = derivation.assessments[index]
        total, nadir = derived.target_sum, derivation.nadir(index)
        baseline = derivation.baseline_sum if index else None
        growth = None if total is None or nadir is None else total - nadir
        values: dict[str, Any] = {
            "target_sum": total,
            "change_from_baseline_percent": percent(total, baseline),
            "change_from_nadir_percent": percent(total, nadir),
            "change_from_nadir": growth,
        }
        values = {name: None if value is None else rounded(Fraction(value), places) for name, value in values.items()}
        if index:
            values |= {
                "target": derived.target,
                "non_target": derived.non_target,
                "new_lesions": derived.new_lesions,
                "overall": derived.overall,
            }
        stated = {
            name: Reported(value, f"row {10 * index + number}")
            for number, (name, value) in enumerate(values.items())
            if value is not None
        }
        reported.append(ReportedVisit(visit.time_point_id, Reported(visit.date), **stated))
    return ReportedEvaluation(tuple(reported))


def with_mistake(reported: ReportedEvaluation, index: int, **values: Any) -> ReportedEvaluation:
    """Replace values of one visit, and nothing else."""
    stated = {name: Reported(value, "row 99") for name, value in values.items()}
    changed = replace(reported.visits[index], **stated)  # type: ignore[arg-type]
    return replace(reported, visits=(*reported.visits[:index], changed, *reported.visits[index + 1 :]))


def audited_values(
    course: SubjectCourse, reported: ReportedEvaluation, parameters: AuditParameters | None = None
) -> tuple[AuditFinding, ...]:
    """The findings on reported values: these courses are not made to fit the rules of the choice of targets."""
    return tuple(item for item in audit_rules(course, reported, parameters) if item.what != "target choice")


def audited(texts: tuple[str, ...], **values: Any) -> tuple[AuditFinding, ...]:
    course = course_of(*texts)
    return audited_values(course, with_mistake(as_derived(course), len(texts) - 1, **values), BY_EACH_VISIT)


def value_of(name: str, text: str) -> Any:
    if name in ("target", "non_target", "overall"):
        return Category(text)
    return NewLesionStatus(text) if name == "new_lesions" else Decimal(text)


NODES = "T01=40 T02n=20/L31", "T01=25 T02n=17/L27"
# (visits, the value of the last visit that is reported wrongly, what, code of the mistake, words in the diagnosis)
MISTAKES = [
    # sums
    (NODES, "target_sum=25.0", "sum of diameters", "lesion-left-out", "T02 (17 mm) left out"),
    (NODES, "target_sum=17.0", "sum of diameters", "lesion-left-out", "T01 (25 mm) left out"),
    (NODES, "target_sum=52.0", "sum of diameters", "long-axis-of-node", "long axis of the lymph node T02 (27 mm)"),
    (NODES, "target_sum=59.0", "sum of diameters", "lesion-counted-twice", "T02 (17 mm) was added twice"),
    (NODES, "target_sum=60.0", "sum of diameters", "sum-of-another-visit", "Baseline"),
    (NODES, "target_sum=4.2", "sum of diameters", "unit", "another unit"),
    (NODES, "target_sum=24", "sum of diameters", "digits-transposed", "another order"),
    (
        NODES,
        "target_sum=57.0",
        "sum of diameters",
        "lesion-size-of-previous-visit",
        "T01 was added with its size of Baseline",
    ),
    (NODES, "target_sum=43.1", "sum of diameters", "arithmetic", "T01 25 mm + T02 17 mm = 42 mm"),
    (
        ("T01n=20/L31 T02n=18/L25", "T01n=17/L27 T02n=15/L22"),
        "target_sum=49.0",
        "sum of diameters",
        "long-axis-of-node",
        "all lymph nodes",
    ),
    (("T01=40 NT01=13", "T01=30 NT01=11"), "target_sum=41.0", "sum of diameters", "lesion-added", "NT01 (11 mm)"),
    (("T01=40 T02n=16", "T01=30 T02n=9"), "target_sum=30.0", "sum of diameters", "normal-node-as-zero", "T02"),
    (("T01=40 T02=16", "T01=30 T02=small"), "target_sum=30.0", "sum of diameters", "too-small-as-zero", "T02"),
    (("T01=40 T02=16", "T01=30 T02=3/small"), "target_sum=35.0", "sum of diameters", "too-small-as-default", "T02"),
    (("T01=40 T02=16", "T01=30 T02=absent"), "target_sum=35.0", "sum of diameters", "absent-as-too-small", "T02"),
    (
        ("T01=40 T02=16", "T01=30"),
        "target_sum=30.0",
        "sum of diameters",
        "missing-lesion-as-zero",
        "T02 was not assessed",
    ),
    (("T01=40 T02=16", "T01=30"), "target_sum=46.0", "sum of diameters", "missing-lesion-carried-forward", "T02"),
    (
        ("T01=40 T02=16 T03=23", "T01=35 T02=12 T03=21"),
        "target_sum=35.0",
        "sum of diameters",
        "lesion-left-out",
        "T02 (12 mm) and T03 (21 mm)",
    ),
    # changes
    (NODES, "change_from_baseline_percent=30.0", "change from baseline", "sign", "wrong sign"),
    (NODES, "change_from_baseline_percent=70.0", "change from baseline", "share-instead-of-change", "sum in percent"),
    (NODES, "change_from_baseline_percent=-0.30", "change from baseline", "fraction-instead-of-percent", "fraction"),
    (NODES, "change_from_baseline_percent=-42.9", "change from baseline", "divided-by-current-sum", "divided"),
    (
        ("T01=60", "T01=41"),
        "change_from_baseline_percent=-31.6",
        "change from baseline",
        "cut-instead-of-rounded",
        "cut",
    ),
    (
        ("T01=50", "T01=30", "T01=33"),
        "change_from_baseline_percent=10.0",
        "change from baseline",
        "nadir-instead-of-baseline",
        "the nadir (30 mm)",
    ),
    (
        ("T01=50", "T01=30", "T01=33"),
        "change_from_nadir_percent=-34.0",
        "change from nadir (%)",
        "baseline-instead-of-nadir",
        "the baseline (50 mm)",
    ),
    (
        ("T01=50", "T01=30", "T01=33", "T01=34"),
        "change_from_nadir=1.0",
        "change from nadir (mm)",
        "previous-visit-instead-of-nadir",
        "the previous visit (33 mm)",
    ),
    (
        ("T01=50", "T01=30"),
        "change_from_nadir_percent=0.0",
        "change from nadir (%)",
        "nadir-includes-this-visit",
        "includes this visit",
    ),
    (
        ("T01=50 T02=20", "T01=30", "T01=33 T02=18"),
        "change_from_nadir=21.0",
        "change from nadir (mm)",
        "incomplete-sum-as-nadir",
        "incomplete sum of an earlier visit (30 mm)",
    ),
    (
        ("T01=50 T02=20", "T01=30"),
        "change_from_baseline_percent=-57.1",
        "change from baseline",
        "missing-lesion-as-zero",
        "T02 was not assessed",
    ),
    # target response
    (("T01=100", "T01=60", "T01=73"), "target=SD", "target response", "baseline-instead-of-nadir", "the nadir (60 mm)"),
    (
        ("T01=50", "T01=45", "T01=53", "T01=61"),
        "target=SD",
        "target response",
        "previous-visit-instead-of-nadir",
        "the previous visit (53 mm)",
    ),
    (
        ("T01=50 T02=20", "T01=30", "T01=32 T02=18"),
        "target=PD",
        "target response",
        "incomplete-sum-as-nadir",
        "the incomplete sum of a visit that is NE (30 mm)",
    ),
    (
        ("T01=60", "T01=70", "T01=48"),
        "target=PR",
        "target response",
        "previous-visit-instead-of-baseline",
        "the previous visit (70 mm)",
    ),
    (("T01=20", "T01=24.4"), "target=PD", "target response", "absolute-growth-ignored", "must also be 5 mm"),
    (("T01=100", "T01=106"), "target=PD", "target response", "relative-growth-ignored", "the percentage is needed too"),
    (("T01=20 T02n=16", "T01=absent T02n=8"), "target=PR", "target response", "node-must-be-zero", "under 10 mm"),
    (
        ("T01=20 T02n=16", "T01=absent T02n=12"),
        "target=CR",
        "target response",
        "node-size-ignored-in-complete-response",
        "10 mm of short axis or more",
    ),
    (("T01=60", "T01=42"), "target=SD", "target response", "limit-not-included", "exactly at the limit of PR"),
    (("T01=25", "T01=30"), "target=SD", "target response", "limit-not-included", "exactly at the limit of PD"),
    (
        ("T01=20 T02=20 T03=20", "T01=14.4 T02=14.4 T03=14.4"),
        "target=PR",
        "target response",
        "sizes-rounded",
        "sizes were rounded",
    ),
    (("T01=55", "T01=38.52"), "target=PR", "target response", "percentages-rounded", "percentages were rounded"),
    (("T01=60", "T01=42.4"), "target=PR", "target response", "sizes-rounded sums-rounded", "sums were rounded"),
    (("T01=40 T02=16", "T01=30"), "target=PR", "target response", "missing-lesion-as-zero", "T02 was not assessed"),
    (("T01=40 T02=16", "T01=26"), "target=SD", "target response", "missing-lesion-carried-forward", "last known size"),
    (
        ("T01=40 T02=16", "T01=absent T02=ne"),
        "target=CR",
        "target response",
        "missing-lesion-as-zero missing-lesion-left-out",
        "T02 was not assessed",
    ),
    (("T01=40 T02=16", "T01=70"), "target=NE", "target response", "missing-lesion-hides-progression", "alone are PD"),
    (
        ("T01=20", "T01=absent", "T01=3"),
        "target=PR",
        "target response",
        "reappearance-after-complete-response",
        "back after an overall CR",
    ),
    (
        ("T01=20 NT01=present", "T01=absent NT01=present", "T01=4.4 NT01=present"),
        "target=PD",
        "target response",
        "reappearance-without-complete-response absolute-growth-ignored",
        "no overall CR had been assigned",
    ),
    (("T01=100", "T01=70", "T01=80"), "target=PR", "target response", "partial-response-carried-forward", "kept until"),
    (
        ("T01=100", "T01=40", "T01=50"),
        "target=PR",
        "target response",
        "response-before-progression baseline-instead-of-nadir",
        "comes before PR",
    ),
    (("T01=40", "T01=40"), "target=CR", "target response", "", "Sum of diameters 40.0 mm"),
    # non-target response
    (
        ("T01=40 NT01=present NT02=present", "T01=40 NT01=absent"),
        "non_target=CR",
        "non-target response",
        "missing-lesion-left-out missing-lesion-as-absent",
        "NT02 was not assessed",
    ),
    (
        ("T01=40 NT01=present", "T01=40 NT01=pd"),
        "non_target=NON-CR/NON-PD",
        "non-target response",
        "progression-ignored",
        "unequivocal progression of NT01",
    ),
    (
        ("T01=40 NT01=present", "T01=40 NT01=present"),
        "non_target=PD",
        "non-target response",
        "progression-not-recorded",
        "unequivocally progressive",
    ),
    (
        ("T01=40 NT01n=12", "T01=40 NT01n=8"),
        "non_target=NON-CR/NON-PD",
        "non-target response",
        "node-must-be-zero",
        "under 10 mm",
    ),
    # new lesions
    (("T01=40", "T01=40 NEW01=9"), "new_lesions=no", "new lesions", "new-lesion-ignored", "NEW01"),
    (("T01=40", "T01=40"), "new_lesions=yes", "new lesions", "new-lesion-not-recorded", "No new lesion"),
    (
        ("T01=40", "T01=40 NEW01=equivocal"),
        "new_lesions=yes",
        "new lesions",
        "equivocal-lesion-counted",
        "none is unequivocal",
    ),
    (("T01=40", "T01=40 NEW01=equivocal"), "new_lesions=no", "new lesions", "equivocal-lesion-ignored", "NEW01"),
    (
        ("T01=40", "T01=40 NEW01=9"),
        "new_lesions=equivocal",
        "new lesions",
        "unequivocal-lesion-called-equivocal",
        "NEW01 (first at Follow-up 1)",
    ),
    # overall response, Tables 1 and 2
    (
        ("T01=40", "T01=40 NEW01=9"),
        "overall=SD",
        "overall response",
        "new-lesion-ignored",
        "new lesion was passed over",
    ),
    (("T01=40", "T01=40 NEW01=equivocal"), "overall=PD", "overall response", "equivocal-lesion-counted", "equivocal"),
    (
        ("T01=40 NT01=present", "T01=20 NT01=pd"),
        "overall=PR",
        "overall response",
        "non-target-progression-ignored",
        "non-target lesions was passed over",
    ),
    (
        ("T01=40 NT01=present", "T01=50 NT01=absent"),
        "overall=CR",
        "overall response",
        "target-progression-ignored",
        "target lesions was passed over",
    ),
    (
        ("T01=40 NT01=present", "T01=absent NT01=present"),
        "overall=CR",
        "overall response",
        "non-target-ignored",
        "non-target NON-CR/NON-PD with target CR is PR",
    ),
    (
        ("T01=40 NT01=present", "T01=absent NT01=present"),
        "overall=NON-CR/NON-PD",
        "overall response",
        "non-target-taken-as-overall",
        "taken as the whole",
    ),
    (
        ("T01=40 NT01=present", "T01=20"),
        "overall=NE",
        "overall response",
        "non-target-taken-as-overall",
        "with target PR it is PR",
    ),
    (
        ("T01=40 NT01=present", "NT01=present"),
        "overall=SD",
        "overall response",
        "target-not-evaluable-ignored",
        "called SD",
    ),
    (
        ("NT01=present", "NT01=present"),
        "overall=SD",
        "overall response",
        "stable-disease-without-targets",
        "NON-CR/NON-PD",
    ),
    (("T01=40", "T01=40"), "overall=PR", "overall response", "", "target SD, non-target NA, new lesions no: SD"),
]


@pytest.mark.parametrize(("texts", "reported", "what", "codes", "words"), MISTAKES)
def test_injected_mistake_is_named(texts: tuple[str, ...], reported: str, what: str, codes: str, words: str) -> None:
    name, text = reported.split("=")
    finding, *further = audited(texts, **{name: value_of(name, text)})
    # Responses that follow from the sizes may contradict a sum that does not.
    assert all("contradicts-reported-sums" in item.mistakes for item in further)
    assert not further or name == "target_sum"
    assert finding.what == what
    assert set(finding.mistakes) == set(codes.split())
    assert words in finding.diagnosis
    assert finding.reported.startswith(text)
    assert not finding.derived.startswith(text + " ")
    assert (finding.subject_id, finding.evaluator) == ("S01", "READER 1")
    assert finding.visit == f"Follow-up {len(texts) - 1}"
    assert finding.sources[0] == "row 99"
    assert "Eisenhauer 2009" in finding.rule


@pytest.mark.parametrize("texts", [texts for texts, *_ in MISTAKES])
def test_without_the_mistake_nothing_is_said(texts: tuple[str, ...]) -> None:
    course = course_of(*texts)
    assert audited_values(course, as_derived(course), BY_EACH_VISIT) == ()


@settings(max_examples=60, deadline=None)
@given(mixed_courses())
def test_table_derived_by_the_rules_is_clean(texts: list[str]) -> None:
    course = course_of(*texts)
    for places in (0, 1, 3):
        assert audited_values(course, as_derived(course, places), BY_EACH_VISIT) == ()


@settings(max_examples=40, deadline=None)
@given(mixed_courses(), st.data())
def test_a_wrong_sum_or_response_is_one_finding_at_its_visit(texts: list[str], data: st.DataObject) -> None:
    course = course_of(*texts)
    reported = as_derived(course)
    index = data.draw(st.integers(1, len(texts) - 1))
    visit = reported.visits[index]
    sum_before = visit.target_sum.value if visit.target_sum else Decimal(0)
    wrong_sum = sum_before + data.draw(st.integers(2, 900)) / Decimal(10)
    found, *further = audited_values(course, with_mistake(reported, index, target_sum=wrong_sum), BY_EACH_VISIT)
    assert {item.what for item in further} <= {"target response", "overall response"}
    assert all(item.mistakes[0] == "contradicts-reported-sums" for item in further)
    assert (found.what, found.time_point_id, found.reported) == (
        "sum of diameters",
        f"visit-{index}",
        f"{wrong_sum} mm",
    )
    assert visit.overall is not None
    wrong = data.draw(st.sampled_from([item for item in ANY_RESPONSE if item is not visit.overall.value]))
    (found,) = audited_values(course, with_mistake(reported, index, overall=wrong), BY_EACH_VISIT)
    assert (found.what, found.time_point_id) == ("overall response", f"visit-{index}")
    assert (found.reported, found.derived) == (wrong.value, visit.overall.value.value)


def test_sum_without_targets() -> None:
    texts = "NT01=present", "NT01=present"
    (found,) = audited(texts, target_sum=Decimal("12.0"))
    assert found.derived == "no sum: no target has a measured size at baseline"
    assert audited(texts, target_sum=Decimal(0)) == ()


# Visits are 42 days apart; the reference date is the baseline's where none is known.
RESPONDING = ("T01=100", "T01=60", "T01=55", "T01=100")
ONE_RESPONSE = ("T01=100", "T01=60", "T01=90")
BESTS = [
    # (visits, best as reported, whether confirmed, derived, code, words)
    (ONE_RESPONSE, "PR", True, "SD", "not-confirmed", "no later scan confirms it"),
    (RESPONDING, "SD", False, "PR", "", "None of the usual mistakes"),
    (ONE_RESPONSE, "SD", False, "PR", "confirmation-asked", "confirmed best response"),
    (("T01=100", "T01=60", "T01=100", "T01=50"), "SD", False, "PR", "confirmation-asked", ""),
    (("T01=100", "T01=60", "", "", "T01=60"), "PR", True, "SD", "confirmed-across-not-evaluable not-confirmed", ""),
    (
        ("T01=100", "T01=130", "T01=60", "T01=50"),
        "PR",
        True,
        "PD",
        "response-after-progression",
        "after the first PD was counted",
    ),
    (("T01=100", "T01=90", "T01=130"), "PD", False, "SD", "sd-duration-longer", "56 days, not 42"),
]


@pytest.mark.parametrize(("texts", "reported", "confirmed", "derived", "codes", "words"), BESTS)
def test_best_response_that_does_not_follow(
    texts: tuple[str, ...], reported: str, confirmed: bool, derived: str, codes: str, words: str
) -> None:
    course = course_of(*texts)
    stated = replace(as_derived(course), best=(ReportedBest(Category(reported), confirmed, "row 99"),))
    (finding,) = audited_values(course, stated, BY_EACH_VISIT)
    assert (finding.what, finding.reported, finding.derived) == ("best overall response", reported, derived)
    assert set(finding.mistakes) >= set(codes.split())
    assert words in finding.diagnosis
    assert finding.sources == ("row 99",)
    right = replace(as_derived(course), best=(ReportedBest(Category(derived), confirmed),))
    assert audited_values(course, right, BY_EACH_VISIT) == ()


def on_days(course: SubjectCourse, *days: int) -> SubjectCourse:
    """The course with its visits on days after 1 January 2024."""
    first = datetime.date(2024, 1, 1)
    moved = [
        replace(visit, date=first + datetime.timedelta(days=day))
        for visit, day in zip(course.visits, days, strict=True)
    ]
    return replace(course, visits=tuple(moved))


def findings_of(course: SubjectCourse, reported: ReportedEvaluation) -> list[tuple[str, str, str, tuple[str, ...]]]:
    found = audited_values(course, reported, BY_EACH_VISIT)
    return [(item.what, item.reported, item.derived, item.mistakes) for item in found]


def with_best(course: SubjectCourse, category: str, confirmed: bool | None) -> ReportedEvaluation:
    return replace(as_derived(course), best=(ReportedBest(Category(category), confirmed),))


@pytest.mark.parametrize(
    ("days", "reported", "expected"),
    [
        (27, "PR", [("best overall response", "PR", "SD", ("confirmed-too-early", "not-confirmed"))]),
        (28, "PR", []),
        (28, "SD", [("best overall response", "SD", "PR", ())]),
    ],
)
def test_confirmation_takes_28_days(days: int, reported: str, expected: list[object]) -> None:
    course = on_days(course_of("T01=100", "T01=60", "T01=60"), 0, 42, 42 + days)
    assert findings_of(course, with_best(course, reported, confirmed=True)) == expected


@pytest.mark.parametrize(
    ("day", "reported", "expected"),
    [
        (
            41,
            "SD",
            [
                (
                    "best overall response",
                    "SD",
                    "NE",
                    ("sd-duration-ignored", "sd-duration-counted-otherwise"),
                )
            ],
        ),
        (40, "SD", [("best overall response", "SD", "NE", ("sd-duration-ignored",))]),
        (42, "SD", []),
        (41, "NE", []),
    ],
)
def test_stable_disease_must_last(day: int, reported: str, expected: list[object]) -> None:
    course = on_days(course_of("T01=100", "T01=100", "T01=100"), 0, 20, day)
    assert findings_of(course, with_best(course, reported, confirmed=False)) == expected


def test_best_response_of_either_kind_where_none_is_named() -> None:
    course = course_of(*ONE_RESPONSE)
    assert findings_of(course, with_best(course, "PR", None)) == []
    assert findings_of(course, with_best(course, "SD", None)) == []
    (found,) = findings_of(course, with_best(course, "CR", None))
    assert found == ("best overall response", "CR", "PR or SD", ())


def test_best_response_after_start_of_another_therapy() -> None:
    course = on_days(course_of("T01=100", "T01=100", "T01=60"), 0, 42, 84)
    dates = SubjectDates(reference=course.visits[0].date, new_therapy=course.visits[1].date)
    course = replace(course, dates=dates)
    (found,) = findings_of(course, with_best(course, "PR", confirmed=False))
    assert found == ("best overall response", "PR", "SD", ("new-therapy-ignored",))


def test_what_follows_from_a_wrong_sum_is_explained_by_it() -> None:
    """One sum is wrong; change, target, overall and best were made from it: each says so."""
    course = course_of(*NODES)
    reported = with_mistake(
        as_derived(course),
        1,
        target_sum=Decimal("25.0"),
        change_from_baseline_percent=Decimal("-58.3"),
        change_from_nadir_percent=Decimal("-58.3"),
        change_from_nadir=Decimal("-35.0"),
    )
    assert [item[3] for item in findings_of(course, reported)] == [("lesion-left-out",)] + [
        ("follows-from-reported-sums",)
    ] * 3
    small = course_of("T01=40 T02n=20", "T01=30 T02n=17")
    reported = with_mistake(as_derived(small), 1, target_sum=Decimal("30.0"), target=Category.PR, overall=Category.PR)
    reported = replace(reported, best=(ReportedBest(Category.PR, confirmed=False),))
    assert findings_of(small, reported) == [
        ("sum of diameters", "30.0 mm", "47 mm", ("lesion-left-out",)),
        ("target response", "PR", "SD", ("follows-from-reported-sums",)),
        ("overall response", "PR", "SD", ("follows-from-reported-parts",)),
        ("best overall response", "PR", "SD", ("follows-from-reported-responses",)),
    ]


def test_wrong_nadir_of_an_earlier_wrong_sum() -> None:
    course = course_of("T01=50", "T01=30", "T01=40")
    reported = with_mistake(as_derived(course), 1, target_sum=Decimal("40.0"))
    reported = with_mistake(reported, 2, change_from_nadir=Decimal("0.0"), target=Category.SD)
    what = [(item[0], item[3]) for item in findings_of(course, reported)]
    assert what == [
        ("sum of diameters", ("sum-of-another-visit",)),
        ("target response", ("contradicts-reported-sums",)),
        ("overall response", ("contradicts-reported-sums",)),
        ("change from nadir (mm)", ("follows-from-reported-sums",)),
        ("target response", ("follows-from-reported-sums",)),
        ("overall response", ("contradicts-reported-sums",)),
    ]


# (visits, reported sums, reported targets of the follow-ups, codes of every target finding by visit)
AGAINST_SUMS = [
    # one lesion of 60, 40, 45 mm, the last sum reported as 52: SD follows from the size, PD from the sum
    ("60 40 45", "60 40 52", "PR SD", {2: "contradicts-reported-sums baseline-instead-of-nadir"}),
    # both sides of both limits of PD over the nadir, and of PR
    ("60 40 45", "60 40 48", "PR SD", {2: "contradicts-reported-sums baseline-instead-of-nadir"}),
    ("60 40 45", "60 40 47.9", "PR SD", {}),
    ("40 20 23", "40 20 25", "PR PR", {2: "contradicts-reported-sums baseline-instead-of-nadir"}),
    ("40 20 23", "40 20 24.9", "PR PR", {}),
    ("60 42", "60 42", "PR", {}),
    ("60 42", "60 42.1", "PR", {1: "contradicts-reported-sums"}),
    ("60 42.1", "60 42.0", "SD", {1: "contradicts-reported-sums"}),
    ("60 42.1", "60 42", "SD", {}),
    # a wrong sum moves the nadir of later visits
    ("60 40 45", "60 36 45", "PR SD", {2: "contradicts-reported-sums baseline-instead-of-nadir"}),
    ("60 50 40 46", "60 50 38 46", "SD PR SD", {3: "contradicts-reported-sums baseline-instead-of-nadir"}),
    (
        "60 40 41 47",
        "60 40 41 48",
        "PR PR SD",
        {3: "contradicts-reported-sums baseline-instead-of-nadir previous-visit-instead-of-nadir"},
    ),
    # a wrong baseline moves PR
    ("60 42", "50 42", "PR", {1: "contradicts-reported-sums"}),
    # complete response
    ("60 absent", "60 4", "CR", {1: "contradicts-reported-sums"}),
    ("60 5", "60 0", "PR", {1: "contradicts-reported-sums"}),
    # a response that follows from neither is one finding, by the sizes
    ("60 40 52", "60 40 45", "PR PD", {2: "contradicts-reported-sums"}),
    ("60 40 52", "60 40 45", "PR SD", {2: "follows-from-reported-sums"}),
    ("60 40 52", "60 40 52", "PR SD", {2: "baseline-instead-of-nadir"}),
    # from the reported sums, and these against the baseline: PR by the size, PD by the sum, SD was reported
    ("25 14 13", "25 14 22", "PR SD", {2: "baseline-instead-of-nadir nadir-instead-of-baseline"}),
]


@pytest.mark.parametrize(("sizes", "sums", "targets", "expected"), AGAINST_SUMS)
@pytest.mark.parametrize("what", ["target", "overall"])
def test_responses_are_held_against_the_reported_sums(
    sizes: str, sums: str, targets: str, expected: dict[int, str], what: str
) -> None:
    """Both sides of every limit; the same of target responses and of overall responses reported without them."""
    course = course_of(*(f"T01={size}" for size in sizes.split()))
    visits_ = []
    for index, total in enumerate(sums.split()):
        response = {what: Reported(Category(targets.split()[index - 1]))} if index else {}
        visits_.append(ReportedVisit(f"visit-{index}", target_sum=Reported(Decimal(total)), **response))
    found = audited_values(course, ReportedEvaluation(tuple(visits_)), BY_EACH_VISIT)
    responses = {
        int(item.time_point_id.removeprefix("visit-")): item.mistakes for item in found if item.what.startswith(what)
    }
    assert set(responses) == set(expected)
    for index, codes in expected.items():
        assert set(responses[index]) == set(codes.split())


def test_sum_of_an_incomplete_visit_contradicts_nothing() -> None:
    """A sum reported of the assessed lesions alone is a finding; it is no nadir for the visits after it."""
    course = course_of("T01=40 T02=30", "T01=38", "T01=39 T02=29")
    visits_ = (
        ReportedVisit("visit-1", target_sum=Reported(Decimal(38)), target=Reported(Category.NE)),
        ReportedVisit("visit-2", target_sum=Reported(Decimal(68)), target=Reported(Category.SD)),
    )
    found = findings_of(course, ReportedEvaluation(visits_))
    assert [(what, codes) for what, *_, codes in found] == [("sum of diameters", ("missing-lesion-as-zero",))]


# (visits, what the reader of an incomplete sum reports of the last visit, what is then found)
INCOMPLETE = ("T01=60 T02=40", "T01=30 T02=30", "T01=40 T02=ne")
OF_INCOMPLETE = [
    ({"target_sum": Decimal(40)}, {}),
    ({"change_from_baseline_percent": Decimal("-60.0")}, {}),
    ({"change_from_nadir_percent": Decimal("-33.3"), "change_from_nadir": Decimal(-20)}, {}),
    ({"target_sum": Decimal(70)}, {"sum of diameters": {"missing-lesion-carried-forward"}}),
    ({"target_sum": Decimal(45)}, {"sum of diameters": set()}),
    ({"change_from_baseline_percent": Decimal("-30.0")}, {"change from baseline": set()}),
    ({"target": Category.SD}, {"target response": {"missing-lesion-carried-forward"}}),
]


@pytest.mark.parametrize(("values", "expected"), OF_INCOMPLETE)
def test_incomplete_sum_that_the_protocol_shows(values: dict[str, Any], expected: dict[str, set[str]]) -> None:
    """It may be reported and is no mistake; nothing is made from it."""
    shown = replace(BY_EACH_VISIT, recist=Recist11Parameters(incomplete_sum_shown=True))
    course = course_of(*INCOMPLETE)
    reported = with_mistake(as_derived(course), 2, **values)
    found = {item.what: item for item in audited_values(course, reported, shown)}
    assert set(found) == set(expected)
    for what, codes in expected.items():
        assert codes <= set(found[what].mistakes)
        assert bool(codes) == bool(found[what].mistakes)


@pytest.mark.parametrize("last", ["T01=60 T02=15", "T01=70 T02=15", "T01=71 T02=15", "T01=72 T02=16"])
def test_incomplete_sum_is_no_nadir_where_the_protocol_shows_it(last: str) -> None:
    course = course_of("T01=60 T02=40", "T01=20 T02=ne", last)
    reported = as_derived(course)
    for is_shown in (False, True):
        parameters = replace(BY_EACH_VISIT, recist=Recist11Parameters(incomplete_sum_shown=is_shown))
        assert audited_values(course, reported, parameters) == ()
        (wrong, *_) = audited_values(course, with_mistake(reported, 2, target=Category.PD), parameters)
        assert "incomplete-sum-as-nadir" in wrong.mistakes


def test_sum_in_whole_millimetres_stands_for_all_that_round_to_it() -> None:
    """A sum of 43 mm, where the sizes say 41.7, may be 42.5, and 42.7 of 61 is PR; 44 cannot."""
    course = course_of("T01=30.5 T02=30.5", "T01=21.4 T02=20.3")
    for total, contradicts in ((42, False), (43, False), (44, True)):
        stated = ReportedVisit("visit-1", target_sum=Reported(Decimal(total)), target=Reported(Category.PR))
        found = findings_of(course, ReportedEvaluation((stated,)))
        assert [what for what, *_ in found if what == "target response"] == ["target response"] * contradicts


def test_small_nodes_may_be_a_complete_response_whatever_their_sum() -> None:
    course = course_of("T01n=20 T02n=18", "T01n=8 T02n=9")
    for total, contradicts in (("19", False), ("20", True)):
        stated = ReportedVisit("visit-1", target_sum=Reported(Decimal(total)), target=Reported(Category.CR))
        found = findings_of(course, ReportedEvaluation((stated,)))
        assert [what for what, *_ in found if what == "target response"] == ["target response"] * contradicts


def with_refused(course: SubjectCourse, index: int, **about: Any) -> SubjectCourse:
    """The course with something of a visit that could not be read."""
    refused = Refused("NEW01: long_axis_mm: '14,0' is no number", "row 7", **about)
    changed = replace(course.visits[index], refused=(refused,))
    return replace(course, visits=(*course.visits[:index], changed, *course.visits[index + 1 :]))


def test_nothing_is_held_against_the_reader_where_input_could_not_be_read() -> None:
    """A new lesion of "14,0" mm was refused; the reader saw it and reported PD, and the visit after it too."""
    course = course_of("T01=40", "T01=20", "T01=21")
    stated = with_mistake(as_derived(course), 1, new_lesions=NewLesionStatus.YES, overall=Category.PD)
    stated = with_mistake(stated, 2, new_lesions=NewLesionStatus.YES, overall=Category.PD)
    accused = audited_values(course, stated, BY_EACH_VISIT)
    assert [item.what for item in accused] == ["new lesions", "overall response"] * 2
    refused = with_refused(course, 1, lesion_id="NEW01", role=LesionRole.NEW)
    found = audited_values(refused, stated, BY_EACH_VISIT)
    assert (found[0].what, found[0].visit, found[0].mistakes) == ("visit", "Follow-up 1", ("input-not-read",))
    assert "overall response PD" in found[0].reported
    assert "'14,0' is no number" in found[0].diagnosis
    assert found[0].sources[0] == "row 99"
    # What follows all the same is no finding, whatever could not be read.
    assert audited_values(with_refused(course, 1, lesion_id="NEW01", role=LesionRole.NEW), as_derived(course)) == ()


def test_nadir_of_a_target_that_could_not_be_read() -> None:
    """The size of visit 2 was refused: the reader's change from a smaller nadir is not called wrong."""
    course = course_of("T01=40", "T01=ne", "T01=30")
    stated = with_mistake(as_derived(course), 2, change_from_nadir=Decimal("10.0"))
    assert [item.what for item in audited_values(course, stated, BY_EACH_VISIT)] == ["change from nadir (mm)"]
    refused = with_refused(course, 1, lesion_id="T01", role=LesionRole.TARGET)
    (found,) = audited_values(refused, stated, BY_EACH_VISIT)
    assert found.mistakes == ("input-not-read",)


def test_scans_before_the_baseline_need_no_derivation() -> None:
    course = course_of("T01=70", "T01=50", "T01=45")
    dates = SubjectDates(first_treatment=course.visits[1].date)
    reported = as_derived(course_of("T01=50", "T01=45"))
    early = ReportedVisit("visit-0", target_sum=Reported(Decimal(70)))
    own = [replace(item, time_point_id=f"visit-{number}") for number, item in enumerate(reported.visits, start=1)]
    own = [replace(item, date=None) for item in own]
    cut = baseline_first(replace(course, dates=dates))
    assert audited_values(cut, ReportedEvaluation((early, *own)), BY_EACH_VISIT) == ()


# (visits, reported, what, the two mistakes that give it only together)
TWO_MISTAKES = [
    (
        ("T01=60", "T01=absent", "T01=20"),
        "target=PR",
        "target response",
        "baseline-instead-of-nadir reappearance-after-complete-response",
    ),
    (
        ("T01=60 T02=40", "T01=30 T02=30", "T01=60 T02=ne"),
        "target=SD",
        "target response",
        "missing-lesion-carried-forward baseline-instead-of-nadir",
    ),
    (
        ("T01=100", "T01=60", "T01=70.4"),
        "change_from_nadir_percent=29.6",
        "change from nadir (%)",
        "baseline-instead-of-nadir sign",
    ),
    (
        ("T01=40 T02n=20/L31 T03=30", "T01=35 T02n=17/L27 T03=25.5"),
        "target_sum=62.0",
        "sum of diameters",
        "long-axis-of-node lesion-left-out",
    ),
    (
        ("T01=20 NT01n=14 NT02=present", "T01=20 NT01n=9"),
        "non_target=NON-CR/NON-PD",
        "non-target response",
        "missing-lesion-as-absent node-must-be-zero",
    ),
]


@pytest.mark.parametrize(("texts", "reported", "what", "codes"), TWO_MISTAKES)
def test_two_mistakes_together_are_named(texts: tuple[str, ...], reported: str, what: str, codes: str) -> None:
    name, text = reported.split("=")
    found = [item for item in audited(texts, **{name: value_of(name, text)}) if item.what == what]
    assert set(codes.split()) in [set(item) for item in found[0].explanations]
    assert all(len(item) == 2 for item in found[0].explanations)
    assert "Two mistakes together: " in found[0].diagnosis


def test_parts_that_were_not_reported_are_supposed_as_well() -> None:
    """Only the overall response is known: the mistakes in the target response behind it are named."""
    plain = course_of("T01=100", "T01=60", "T01=73")
    with_new = course_of("T01=100", "T01=60", "T01=73 NEW01=9")
    for course, expected in (
        (plain, [("baseline-instead-of-nadir",)]),
        (with_new, [("baseline-instead-of-nadir", "new-lesion-ignored")]),
    ):
        stated = ReportedEvaluation((ReportedVisit("visit-2", overall=Reported(Category.SD)),))
        (found,) = audited_values(course, stated, BY_EACH_VISIT)
        assert list(found.explanations) == expected


@settings(max_examples=60, deadline=None)
@given(mixed_courses())
def test_judgement_without_a_mistake_is_the_criterion(texts: list[str]) -> None:
    """What mistakes are tried on gives the criterion's own responses as long as nothing is supposed."""
    course = course_of(*texts)
    for rules in (
        Recist11Parameters(),
        Recist11Parameters(pr_carry_forward=True),
        Recist11Parameters(reappearance_after_cr_is_pd=False),
    ):
        derivation = Derivation(course.visits, rules)
        # Rounding to so many places changes nothing, but leads through the whole judgement.
        judgement = Judgement(derivation, percentage_places=30)
        for index in range(1, len(texts)):
            assert judgement.category(index) is derivation.assessments[index].target


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ((100, 60, 71), Category.PR),
        ((100, 60, 60, 71), Category.PR),
        ((100, 60, 80, 71), Category.SD),
        ((100, 60, 80, 70, 71), Category.PR),
        ((100, 75, 80), Category.SD),
    ],
)
def test_response_carried_forward_lasts_until_progression(sizes: tuple[int, ...], expected: Category) -> None:
    derivation = Derivation(
        course_of(*(f"T01={size}" for size in sizes)).visits, Recist11Parameters(pr_carry_forward=True)
    )
    last = len(sizes) - 1
    assert derivation.assessments[last].target is expected
    assert Judgement(derivation, percentage_places=30).category(last) is expected


def test_two_mistakes_are_tried_where_one_is_not_enough() -> None:
    """Mistakes that add 1, 2 (of one family) and 10 to a number: what gives 12, and what is tried at all."""

    def adding(family: str, number: int) -> Hypothesis[int]:
        return Hypothesis(family, Mistake(f"adds-{number}", ""), lambda supposed: supposed + number)

    tried: list[int] = []

    def outcome(supposed: int) -> int:
        tried.append(supposed)
        return supposed

    found = explanations([adding("a", 1), adding("a", 2), adding("b", 10)], 0, outcome)
    assert [codes_of([item]) for item in found.of(10)] == [(("adds-10",),)]
    assert found.of(12, most=1) == ()
    assert tried == [1, 2, 10]
    assert codes_of(found.of(12)) == (("adds-2", "adds-10"),)
    assert codes_of(found.of(11)) == (("adds-1", "adds-10"),)
    assert found.of(3) == ()
    assert tried == [1, 2, 10, 11, 12]


def test_response_after_progression() -> None:
    course = course_of("T01=100", "T01=130", "T01=100")
    reported = as_derived(course)
    (found,) = audited_values(course, reported)
    assert (found.what, found.reported, found.mistakes) == ("overall response", "SD", ("response-after-progression",))
    assert found.visit == "Follow-up 2"
    assert "PD was reported at Follow-up 1" in found.diagnosis
    assert "iRECIST" in found.rule
    assert audited_values(course, reported, BY_EACH_VISIT) == ()
    until_progression = replace(reported, visits=reported.visits[:2])
    assert audited_values(course, until_progression) == ()


def test_percentage_of_a_nadir_of_zero() -> None:
    course = course_of("T01=20", "T01=absent", "T01=8")
    reported = with_mistake(as_derived(course), 2, change_from_nadir_percent=Decimal(100))
    (found,) = audited_values(course, reported, BY_EACH_VISIT)
    assert found.what == "change from nadir (%)"
    assert "reference is 0" in found.derived


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("42", True),
        ("42.3", True),
        ("42.2", True),
        ("42.4", False),
        ("42.25", True),
        ("42.24", False),
        ("42.250", True),
    ],
)
def test_numbers_are_compared_to_the_decimals_reported(text: str, clean: bool) -> None:
    course = course_of("T01=60", "T01=42.25")
    found = audited_values(course, with_mistake(as_derived(course, 2), 1, target_sum=Decimal(text)), BY_EACH_VISIT)
    assert (found == ()) is clean


def test_baseline_has_no_response() -> None:
    course = course_of("T01=40 NT01=present", "T01=40 NT01=present")
    reported = with_mistake(as_derived(course), 0, target=Category.SD, new_lesions=NewLesionStatus.YES)
    assert findings_of(course, reported) == [
        ("target response", "SD", "baseline", ("response-at-baseline",)),
        ("new lesions", "yes", "no", ("new-at-baseline",)),
    ]
    zero = with_mistake(as_derived(course), 0, change_from_baseline_percent=Decimal("0.0"), target=Category.BASELINE)
    assert audited_values(course, zero, BY_EACH_VISIT) == ()


def test_date_of_a_response_is_that_of_a_scan() -> None:
    course = course_of("T01=40", "T01=40")
    visit = course.visits[1]
    spread = replace(visit, first_date=visit.date - datetime.timedelta(days=3))
    course = replace(course, visits=(course.visits[0], spread))
    for days, clean in ((-4, False), (-3, True), (0, True), (1, False)):
        stated = with_mistake(as_derived(course), 1, date=visit.date + datetime.timedelta(days=days))
        found = findings_of(course, stated)
        assert (found == []) is clean
        if days == 1:
            assert found[0][0::3] == ("response date", ("date-after-scan",))


def test_progression_date() -> None:
    course = course_of("T01=40", "T01=60", "T01=80")
    visit = course.visits[1]
    first = visit.date - datetime.timedelta(days=3)
    course = replace(course, visits=(course.visits[0], replace(visit, first_date=first), course.visits[2]))

    def codes(date: datetime.date) -> list[tuple[str, ...]]:
        stated = replace(as_derived(course), progression_date=Reported(date))
        return [item[3] for item in findings_of(course, stated)]

    assert codes(first) == []
    assert codes(visit.date) == [("date-of-last-scan",)]
    assert codes(course.visits[2].date) == [("later-progression",)]
    assert codes(datetime.date(2030, 1, 1)) == [()]
    stable = course_of("T01=40", "T01=40")
    stated = replace(as_derived(stable), progression_date=Reported(stable.visits[1].date))
    assert findings_of(stable, stated) == [
        ("progression date", "2024-02-12", "no progression", ("date-without-progression",))
    ]


def test_progression_dates_from_the_first_appearance_of_a_confirmed_lesion() -> None:
    course = course_of("T01=40", "T01=40 NEW01=equivocal", "T01=40 NEW01=9")
    for index, expected in ((1, []), (2, [("date-of-confirmation",)])):
        stated = replace(as_derived(course), progression_date=Reported(course.visits[index].date))
        assert [item[3] for item in findings_of(course, stated)] == expected


def test_tumour_markers_that_were_passed_over() -> None:
    course = course_of("T01=40 NT01=present", "T01=absent NT01=absent")
    marked = replace(course, visits=(course.visits[0], replace(course.visits[1], markers_elevated=True)))
    assert findings_of(marked, as_derived(marked)) == []
    found = findings_of(marked, as_derived(course))
    assert [(what, stated, derived) for what, stated, derived, _ in found] == [
        ("non-target response", "CR", "NON-CR/NON-PD"),
        ("overall response", "CR", "PR"),
    ]
    assert all("markers-ignored" in codes for *_, codes in found)


def test_share_of_a_lesion_that_split_and_of_two_that_merged() -> None:
    """Fragments add up to their parent's share, a conglomerate is one share; what was left out bears their names."""
    course = course_of("T01=20 T02=30 T03=15", "T04=6 T05=7 T06=41")
    children = {"T04": ("T01",), "T05": ("T01",), "T06": ("T02", "T03")}
    seen = tuple(replace(item, parents=children[item.lesion_id]) for item in course.visits[1].observations)
    course = replace(course, visits=(course.visits[0], replace(course.visits[1], observations=seen)))
    assert findings_of(course, as_derived(course)) == []
    reported = as_derived(course)
    assert reported.visits[1].target_sum is not None
    assert reported.visits[1].target_sum.value == Decimal("54.0")
    for total, words in (("41.0", "T01 (13 mm) left out"), ("13.0", "T02/T03 (41 mm) left out")):
        found, *further = audited_values(course, with_mistake(reported, 1, target_sum=Decimal(total)))
        assert words in found.diagnosis
        assert all(item.mistakes == ("contradicts-reported-sums",) for item in further)


def test_progression_date_of_a_response_reported_wrongly() -> None:
    course = course_of("T01=40", "T01=40", "T01=60")
    stated = with_mistake(as_derived(course), 1, overall=Category.PD)
    stated = replace(stated, progression_date=Reported(course.visits[1].date))
    assert [item[3] for item in findings_of(course, stated)] == [
        (),
        ("follows-from-reported-responses", "date-without-progression"),
    ]


def test_reported_visit_without_measurements() -> None:
    course = course_of("T01=40", "T01=40")
    extra = ReportedVisit("visit-9", target=Reported(Category.SD), overall=Reported(Category.PD, "row 5"))
    reported = as_derived(course)
    reported = replace(reported, visits=(*reported.visits, extra))
    found = audited_values(course, reported, BY_EACH_VISIT)
    assert [(item.what, item.visit, item.mistakes, item.sources) for item in found] == [
        ("visit", "visit-9", ("visit-not-measured",), ("row 5",)),
        ("overall response", "visit-9", ("parts-give-another-overall",), ("row 5",)),
    ]


def test_responses_without_any_measurement_are_held_against_each_other() -> None:
    days = [datetime.date(2024, 2, 12), datetime.date(2024, 3, 25)]
    parts = [(Category.CR, Category.NE), (Category.PR, Category.CR)]
    stated = [
        ReportedVisit(str(day), Reported(day), target=Reported(one), non_target=Reported(other), overall=PARTIAL)
        for day, (one, other) in zip(days, parts, strict=True)
    ]
    course = SubjectCourse("S01", "READER 1", (), SubjectDates(reference=datetime.date(2024, 1, 1)))
    right = ReportedEvaluation(tuple(stated), (ReportedBest(Category.PR, confirmed=True),))
    assert audited_values(course, right) == ()
    wrong = replace(right, best=(ReportedBest(Category.CR, confirmed=True),))
    assert findings_of(course, wrong) == [("best overall response", "CR", "PR", ())]
    unknown = audited_values(replace(course, dates=SubjectDates()), right)
    assert [item.mistakes for item in unknown] == [("reference-date-unknown",)]


def test_visit_reported_twice_is_refused() -> None:
    with pytest.raises(InvalidInput, match="V2 is reported more than once"):
        ReportedEvaluation((ReportedVisit("V2"), ReportedVisit("V2")))


PAGE = (REPOSITORY / "docs" / "rule-audit.md").read_text(encoding="utf-8")
CODES_IN_CODE = re.compile(r'(?:Mistake\(|_Reference\(|_CODE = )\s*"([a-z-]+)"|\[\("([a-z-]+)",\)\]')


def test_worked_example_of_the_page() -> None:
    course = course_of("T01=40 T02n=20", "T01=25 T02n=17", "T01=24", "T01=34 T02n=20")
    reported = with_mistake(as_derived(course), 2, target_sum=Decimal("24.0"), target=Category.PR, overall=Category.PR)
    reported = with_mistake(reported, 3, target=Category.SD, overall=Category.SD)
    reported = replace(reported, best=(ReportedBest(Category.PR, confirmed=True),))
    found = audited_values(course, reported)
    rows = [
        f"| {f'{item.visit} ' if item.visit else ''}| {item.what} | {item.reported} | {item.derived} | "
        + ", ".join(f"`{code}`" for code in item.mistakes)
        + " |"
        for item in found
    ]
    assert len(rows) == 6
    start = PAGE.index(rows[0])
    assert PAGE[start:].splitlines()[: len(rows)] == rows
    quoted = next(line.removeprefix("> ") for line in PAGE.splitlines() if line.startswith("> "))
    assert found[3].diagnosis.startswith(quoted)
    sums = [item.target_sum.value if item.target_sum else None for item in reported.visits]
    assert f"| reported sum, mm | {' | '.join(str(item) for item in sums)} |" in PAGE


def test_every_code_stands_on_the_page() -> None:
    package = REPOSITORY / "tumorresp" / "response" / "rule_audit"
    text = "".join(path.read_text(encoding="utf-8") for path in sorted(package.glob("*.py")))
    codes = {one or other for one, other in CODES_IN_CODE.findall(text)}
    assert len(codes) > 50
    assert [code for code in sorted(codes) if f"`{code}`" not in PAGE] == []
    cells = [line.split("|")[1] for line in PAGE.splitlines() if line.startswith("| `")]
    named = set(re.findall(r"`([a-z]+(?:-[a-z]+)*)`", " ".join(cells))) - {"recist", "baseline"}
    assert sorted(named - codes) == []


def test_choice_of_targets() -> None:
    """Ineligible targets are findings of the audit, with the rows of the lesions; eligible ones are not."""
    course = course_of("T01=8 T02=30", "T01=8 T02=30")
    small, large = course.visits[0].observations
    first = replace(course.visits[0], observations=(replace(small, source="row 2"), replace(large, source="row 3")))
    course = replace(course, visits=(first, course.visits[1]))
    (found,) = audit_rules(course, as_derived(course))
    assert (found.what, found.mistakes, found.sources) == ("target choice", ("target-too-small",), ("row 2",))
    assert "8.0 mm" in found.diagnosis
    assert "two an organ" in found.rule
    lenient = AuditParameters(baseline=BaselineRules(TargetRules(long_axis_mm=Decimal(8))))
    assert audit_rules(course, as_derived(course), lenient) == ()


@pytest.mark.parametrize(
    ("texts", "codes"),
    [
        ("T01=10 T02n=15", set()),
        ("T01=9.9", {"target-too-small"}),
        ("T01n=14.9", {"target-too-small"}),
        ("T01=30 T02=30 T03=30", {"too-many-targets-in-organ"}),
        ("T01=30 T02=30 T03n=30 T04n=30 T05=30 T06=30", {"too-many-targets", "too-many-targets-in-organ"}),
    ],
)
def test_size_and_number_of_targets(texts: str, codes: set[str]) -> None:
    course = course_of(texts, texts)
    assert {code for item in audit_rules(course, as_derived(course)) for code in item.mistakes} == codes


def test_age_of_the_baseline() -> None:
    course = course_of("T01=30", "T01=30")
    for days, clean in ((28, True), (29, False)):
        start = course.visits[0].date + datetime.timedelta(days=days)
        dates = SubjectDates(reference=start, first_treatment=start)
        found = audit_rules(replace(course, dates=dates), as_derived(course))
        assert [item.mistakes for item in found] == ([] if clean else [("baseline-too-old",)])
