"""iRECIST after iUPD: limits to both sides, time windows, missing values, the conventions that a protocol chooses."""

import datetime
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from tests.response.courses import visits
from tumorresp.domain.assessment import Assessment, Category
from tumorresp.response import Visit
from tumorresp.response.irecist import assess_irecist
from tumorresp.response.irecist_parameters import (
    EarlyScan,
    ImprovementReference,
    IrecistParameters,
    LateScan,
    NonTargetState,
)

NT = "NT01=present"


def overall(*texts: str, **parameters: Any) -> str:
    return " ".join(str(item.overall) for item in assess_irecist(visits(*texts), IrecistParameters(**parameters))[1:])


def on_days(days: Sequence[int], *texts: str, **parameters: Any) -> tuple[Assessment, ...]:
    start = datetime.date(2024, 1, 1)
    seen = tuple(
        replace(visit, date=start + datetime.timedelta(days=day))
        for visit, day in zip(visits(*texts), days, strict=True)
    )
    return assess_irecist(seen, IrecistParameters(**parameters))


def categories(assessed: Sequence[Assessment]) -> str:
    return " ".join(str(item.overall) for item in assessed[1:])


def codes(assessment: Assessment) -> set[str]:
    return {item.code for item in assessment.findings}


LIMITS = [
    # targets: 5 mm over the value at iUPD, not over the last one or the smallest since
    (("T01=50", "T01=60", "T01=64.9"), "iUPD iUPD"),
    (("T01=50", "T01=60", "T01=65"), "iUPD iCPD"),
    (("T01=50", "T01=60", "T01=65.1"), "iUPD iCPD"),
    (("T01=50", "T01=60", "T01=64", "T01=66"), "iUPD iUPD iCPD"),
    (("T01=50", "T01=64", "T01=60", "T01=66"), "iUPD iUPD iUPD"),
    (("T01=50", "T01=64", "T01=60", "T01=69"), "iUPD iUPD iCPD"),
    # a sum over several targets
    (("T01=50 T02=50", "T01=60 T02=60", "T01=70 T02=54.9"), "iUPD iUPD"),
    (("T01=50 T02=50", "T01=60 T02=60", "T01=70 T02=55"), "iUPD iCPD"),
    # new-lesion targets: +4, then +2
    (("T01=50", "T01=50 NEW01=20", "T01=50 NEW01=24", "T01=50 NEW01=26"), "iUPD iUPD iCPD"),
    (("T01=50", "T01=50 NEW01=20", "T01=50 NEW01=24", "T01=50 NEW01=24.9"), "iUPD iUPD iUPD"),
    (("T01=50", "T01=50 NEW01=20", "T01=50 NEW01=20 NEW02=absent"), "iUPD iUPD"),
    # 9.9 mm is too small for a new-lesion target: any increase confirms; 10 mm is one
    (("T01=50", "T01=50 NEW01=9.9", "T01=50 NEW01=10"), "iUPD iCPD"),
    (("T01=50", "T01=50 NEW01=10", "T01=50 NEW01=14.9"), "iUPD iUPD"),
    (("T01=50", "T01=50 NEW01n=14.9", "T01=50 NEW01n=15"), "iUPD iCPD"),
    (("T01=50", "T01=50 NEW01n=15", "T01=50 NEW01n=19.9"), "iUPD iUPD"),
    (("T01=50", "T01=50 NEW01n=15", "T01=50 NEW01n=20"), "iUPD iCPD"),
    # a new lesion without a size: the reader's word
    (("T01=50", "T01=50 NEW01=present", "T01=50 NEW01=present"), "iUPD iUPD"),
    (("T01=50", "T01=50 NEW01=present", "T01=50 NEW01=pd"), "iUPD iCPD"),
    # not measured at iUPD: the first size after it is what growth is measured from
    (("T01=50", "T01=50 NEW01=present", "T01=50 NEW01=8", "T01=50 NEW01=8.1"), "iUPD iUPD iCPD"),
    (("T01=50", "T01=50 NEW01=8", "T01=50 NEW01=present", "T01=50 NEW01=8"), "iUPD iUPD iUPD"),
    (("T01=50", "T01=50 NEW01=8", "T01=50 NEW01=pd"), "iUPD iCPD"),
    # one grows while another shrinks: the sum of the targets counts
    (("T01=50", "T01=50 NEW01=20 NEW02=20", "T01=50 NEW01=26 NEW02=18"), "iUPD iUPD"),
    # a new lesion that is gone is none; another one confirms all the same
    (("T01=50", "T01=50 NEW01=20", "T01=50 NEW01=absent NEW02=6"), "iUPD iCPD"),
    # too small to measure counts 5 mm
    (("T01=50", "T01=50 NEW01=small", "T01=50 NEW01=5"), "iUPD iUPD"),
    (("T01=50", "T01=50 NEW01=small", "T01=50 NEW01=5.1"), "iUPD iCPD"),
]  # fmt: skip


@pytest.mark.parametrize(("course", "expected"), LIMITS)
def test_limits(course: tuple[str, ...], expected: str) -> None:
    assert overall(*course) == expected


NON_TARGETS = [
    # sizes at both visits decide, whatever is called what
    ("20/pd", "20/pd", "iUPD", "iUPD"),
    ("20/pd", "20.1/pd", "iCPD", "iCPD"),
    ("20/pd", "20.1", "iCPD", "iCPD"),
    ("20/pd", "20", "iUPD", "iSD"),
    ("20/pd", "19.9", "iSD", "iSD"),
    ("20/pd", "19.9/pd", "iUPD", "iUPD"),
    ("20/pd", "present", "iUPD", "iSD"),
    ("pd", "20", "iUPD", "iSD"),
    ("20/pd", "pd", "iCPD", "iUPD"),
    # without sizes it is the reader's word, which a protocol reads as a change or as a status
    ("pd", "pd", "iCPD", "iUPD"),
    ("pd", "present", "iUPD", "iSD"),
    ("pd", "absent", "iSD", "iSD"),
    ("pd", "ne", "NE", "NE"),
]


@pytest.mark.parametrize(("at_iupd", "then", "as_change", "as_status"), NON_TARGETS)
def test_non_target_lesions(at_iupd: str, then: str, as_change: str, as_status: str) -> None:
    course = f"T01=50 {NT}", f"T01=50 NT01={at_iupd}", f"T01=50 NT01={then}"
    assert overall(*course) == f"iUPD {as_change}"
    assert overall(*course, non_target_state=NonTargetState.STATUS) == f"iUPD {as_status}"


def test_another_non_target_lesion_that_becomes_progressive_is_a_further_increase() -> None:
    course = "T01=50 NT01=present NT02=present", "T01=50 NT01=20/pd NT02=present", "T01=50 NT01=20/pd NT02=pd"
    assert overall(*course) == "iUPD iCPD"


def test_progressive_non_targets_hold_the_iupd_though_targets_respond() -> None:
    """Table 2: target iSD, iPR or iCR with non-target iUPD remains iUPD."""
    course = f"T01=50 {NT}", "T01=50 NT01=20/pd", "T01=30 NT01=20/pd"
    assert overall(*course) == "iUPD iUPD"
    assert overall(f"T01=50 {NT}", "T01=50 NT01=pd", f"T01=30 {NT}") == "iUPD iPR"


@pytest.mark.parametrize(("limit", "expected"), [("0", "iCPD"), ("0.4", "iCPD"), ("0.5", "iUPD")])
def test_measured_increase_of_a_new_non_target(limit: str, expected: str) -> None:
    course = "T01=50", "T01=50 NEW01=6", "T01=50 NEW01=6.5"
    assert overall(*course, non_target_growth_mm=Decimal(limit)) == f"iUPD {expected}"


WAYS = [
    # cause of the iUPD, what comes later, words of the reason
    ("T01=60 NT01=present", "T01=65 NT01=present", "the sum of the targets (60.0 → 65.0 mm, +5.0 mm)"),
    ("T01=50 NT01=pd", "T01=50 NT01=pd", "a further increase of non-target NT01"),
    ("T01=50 NT01=20/pd", "T01=50 NT01=22", "an increase of non-target NT01 (20.0 → 22.0 mm, +2.0 mm)"),
    ("T01=50 NT01=present NEW01=12", "T01=50 NT01=present NEW01=17", "the sum of the new-lesion targets (12.0 →"),
    ("T01=50 NT01=present NEW01=6", "T01=50 NT01=present NEW01=7", "an increase of new NEW01 (6.0 → 7.0 mm"),
    ("T01=50 NT01=present NEW01=6", "T01=50 NT01=present NEW01=6 NEW02=6", "another new lesion, NEW02"),
    ("T01=60 NT01=present", "T01=60 NT01=present NEW01=6", "a new lesion, NEW01"),
    ("T01=60 NT01=present", "T01=60 NT01=pd", "progression of the non-target lesions, which were no cause of it"),
    ("T01=50 NT01=pd", "T01=60 NT01=present", "progression of the target lesions, which were no cause of it"),
    ("T01=50 NT01=present NEW01=6", "T01=60 NT01=present NEW01=6", "progression of the target lesions"),
    ("T01=50 NT01=present NEW01=6", "T01=50 NT01=pd NEW01=6", "progression of the non-target lesions"),
]  # fmt: skip


@pytest.mark.parametrize(("cause", "then", "words"), WAYS)
def test_every_way_to_confirm_says_what_it_was(cause: str, then: str, words: str) -> None:
    found = assess_irecist(visits("T01=50 NT01=present", cause, then))
    assert categories(found) == "iUPD iCPD"
    assert f"iUPD of Follow-up 1 is confirmed after 42 days by {words}" in found[2].reasons[-1]


# (days after iUPD, what is seen) by convention
EARLY = [
    ("T01=70", EarlyScan.WAITS, "iUPD", "early-confirmation"),
    ("T01=70", EarlyScan.NEW_LESION_CONFIRMS, "iUPD", "early-confirmation"),
    ("T01=70", EarlyScan.DISREGARDED, "iUPD", "early-scan-disregarded"),
    ("T01=70", EarlyScan.CONFIRMS, "iCPD", ""),
    ("T01=60 NEW01=6", EarlyScan.WAITS, "iUPD", "early-confirmation"),
    ("T01=60 NEW01=6", EarlyScan.NEW_LESION_CONFIRMS, "iCPD", ""),
    ("T01=60 NEW01=6", EarlyScan.DISREGARDED, "iUPD", "early-scan-disregarded"),
    ("T01=60 NEW01=6", EarlyScan.CONFIRMS, "iCPD", ""),
    ("T01=30", EarlyScan.WAITS, "iPR", ""),
    ("T01=30", EarlyScan.NEW_LESION_CONFIRMS, "iPR", ""),
    ("T01=30", EarlyScan.DISREGARDED, "iUPD", "early-scan-disregarded"),
    ("T01=30", EarlyScan.CONFIRMS, "iPR", ""),
    ("T01=60", EarlyScan.WAITS, "iUPD", ""),
]


@pytest.mark.parametrize(("then", "early", "expected", "code"), EARLY)
def test_early_scan(then: str, early: EarlyScan, expected: str, code: str) -> None:
    last = on_days((0, 50, 77), "T01=50", "T01=60", then, early_scan=early)[2]
    assert (last.overall, codes(last)) == (expected, {code} - {""})
    due = on_days((0, 50, 78), "T01=50", "T01=60", then, early_scan=early)[2]
    assert due.overall == {"T01=70": "iCPD", "T01=60 NEW01=6": "iCPD", "T01=30": "iPR", "T01=60": "iUPD"}[then]


def test_days_to_the_confirmation_count_from_the_first_iupd() -> None:
    found = on_days((0, 50, 64, 78), "T01=50", "T01=60", "T01=60", "T01=65")
    assert categories(found) == "iUPD iUPD iCPD"
    assert found[3].reasons[-1].startswith("iUPD of Follow-up 1 is confirmed after 28 days by the sum of the targets")


LATE = [
    # days of iUPD and of later scans, course, by "confirms", by "new-iupd"
    ((0, 50, 106), ("T01=60", "T01=65"), "iUPD iCPD", "iUPD iCPD"),
    ((0, 50, 107), ("T01=60", "T01=65"), "iUPD iCPD", "iUPD iUPD"),
    ((0, 50, 107, 149), ("T01=60", "T01=65", "T01=69.9"), "iUPD iCPD iCPD", "iUPD iUPD iUPD"),
    ((0, 50, 107, 149), ("T01=60", "T01=65", "T01=70"), "iUPD iCPD iCPD", "iUPD iUPD iCPD"),
    # every iUPD starts the time anew, NE does not
    ((0, 50, 106, 162), ("T01=60", "T01=60", "T01=65"), "iUPD iUPD iCPD", "iUPD iUPD iCPD"),
    ((0, 50, 92, 134), ("T01=60", "T01=ne", "T01=65"), "iUPD NE iCPD", "iUPD NE iUPD"),
    ((0, 50, 100, 130, 156), ("T01=60", "T01=60", "T01=ne", "T01=65"), "iUPD iUPD NE iCPD", "iUPD iUPD NE iCPD"),
    # nothing further: nothing to be late for
    ((0, 50, 200), ("T01=60", "T01=60"), "iUPD iUPD", "iUPD iUPD"),
    ((0, 50, 200), ("T01=60", "T01=30"), "iUPD iPR", "iUPD iPR"),
]


@pytest.mark.parametrize(("days", "course", "confirms", "new"), LATE)
def test_late_scan(days: tuple[int, ...], course: tuple[str, ...], confirms: str, new: str) -> None:
    found = on_days(days, "T01=50", *course)
    assert categories(found) == confirms
    renewed = on_days(days, "T01=50", *course, late_scan=LateScan.NEW_IUPD)
    assert categories(renewed) == new
    late = [index for index, item in enumerate(found) if "late-confirmation" in codes(item)]
    assert late == [index for index, item in enumerate(renewed) if "late-confirmation" in codes(item)]
    assert bool(late) == (confirms != new)


NOT_EVALUABLE = [
    (("T01=50", "T01=60", "T01=ne"), "iUPD NE"),
    (("T01=50", "T01=60", "", "", "T01=65"), "iUPD NE NE iCPD"),
    (("T01=50", "T01=60", "", "T01=30"), "iUPD NE iPR"),
    # a missing target can only add: the others alone are 5 mm over the value at iUPD
    (("T01=50 T02=50", "T01=70 T02=50", "T01=125 T02=ne"), "iUPD iCPD"),
    (("T01=50 T02=50", "T01=70 T02=50", "T01=124.9 T02=ne"), "iUPD iUPD"),
    (("T01=50 T02=50", "T01=70 T02=50", "T01=110 T02=ne"), "iUPD NE"),
    # incomplete at iUPD: the first complete sum is what further growth is measured from
    (("T01=50 T02=50", "T01=130 T02=ne", "T01=130 T02=10", "T01=130 T02=14.9"), "iUPD iUPD iUPD"),
    (("T01=50 T02=50", "T01=130 T02=ne", "T01=130 T02=10", "T01=130 T02=15"), "iUPD iUPD iCPD"),
    # what made the iUPD is seen still, though other lesions are not
    (("T01=50", "T01=50 NEW01=12", "T01=ne NEW01=12"), "iUPD iUPD"),
    (("T01=50", "T01=50 NEW01=12", "NEW01=17"), "iUPD iCPD"),
    (("T01=50", "T01=50 NEW01=12", ""), "iUPD NE"),
    # not assessed, a new lesion counts as it did; its size is not known
    (("T01=50", "T01=50 NEW01=12", "T01=50"), "iUPD iUPD"),
    (("T01=50", "T01=50 NEW01=12", "T01=50 NEW01=ne", "T01=50 NEW01=17"), "iUPD iUPD iCPD"),
    (("T01=50", "T01=50 NEW01=12 NEW02=12", "T01=50 NEW01=29"), "iUPD iCPD"),
    (("T01=50", "T01=50 NEW01=12 NEW02=12", "T01=50 NEW01=28.9"), "iUPD iUPD"),
    # progressive targets hold it, though the non-targets were not assessed
    ((f"T01=50 {NT}", "T01=60 NT01=pd", "T01=60"), "iUPD iUPD"),
    # non-targets not assessed: the targets' improvement counts, unless non-targets were the cause
    ((f"T01=50 {NT}", f"T01=60 {NT}", "T01=50"), "iUPD iSD"),
    ((f"T01=50 {NT}", "T01=50 NT01=pd", "T01=30"), "iUPD NE"),
    ((f"T01=50 {NT}", "T01=50 NT01=pd", "T01=30", "T01=30 NT01=absent"), "iUPD NE iPR"),
]  # fmt: skip


@pytest.mark.parametrize(("course", "expected"), NOT_EVALUABLE)
def test_not_evaluable(course: tuple[str, ...], expected: str) -> None:
    assert overall(*course) == expected


SET_BACK = [
    # set back from the targets: by RECIST 1.1's own order
    (("T01=50", "T01=60", "T01=59.9"), "iUPD iSD"),
    (("T01=50", "T01=60", "T01=35"), "iUPD iPR"),
    (("T01=50", "T01=60", "T01=35.1"), "iUPD iSD"),
    # the nadir is not set back: 35, so 42 is a new iUPD, confirmed only in its turn
    (("T01=50", "T01=60", "T01=35", "T01=41.9"), "iUPD iPR iSD"),
    (("T01=50", "T01=60", "T01=35", "T01=42", "T01=46.9"), "iUPD iPR iUPD iUPD"),
    (("T01=50", "T01=60", "T01=35", "T01=42", "T01=47"), "iUPD iPR iUPD iCPD"),
    (("T01=50", "T01=60", "T01=50", "T01=60", "T01=50", "T01=60", "T01=65"), "iUPD iSD iUPD iSD iUPD iCPD"),
    # scenario B: iPR and iSD with new lesions that stay
    (("T01=50", "T01=50 NEW01=12", "T01=35 NEW01=12", "T01=35 NEW01=12"), "iUPD iPR iPR"),
    (("T01=50", "T01=60 NEW01=12", "T01=50 NEW01=12", "T01=35 NEW01=12"), "iUPD iSD iPR"),
    # scenario F: the response came first
    (("T01=50", "T01=35", "T01=35 NEW01=12", "T01=35 NEW01=12", "T01=30 NEW01=12"), "iPR iUPD iUPD iUPD"),
    # one of two new lesions gone is no improvement yet
    (("T01=50", "T01=50 NEW01=6 NEW02=6", "T01=50 NEW01=6 NEW02=absent"), "iUPD iUPD"),
    # iCR: all new lesions gone; back after it, they are new progression
    (("T01=50", "T01=50 NEW01=12", "T01=absent NEW01=12"), "iUPD iPR"),
    (("NT01=present", "NT01=present NEW01=12", "NT01=absent NEW01=12"), "iUPD NON-iCR/NON-iUPD"),
    (("T01=50", "T01=50 NEW01=12", "T01=absent NEW01=absent", "T01=absent NEW01=6"), "iUPD iCR iUPD"),
    (("T01=50", "T01=50 NEW01=12", "T01=absent NEW01=absent", "T01=5 NEW01=absent"), "iUPD iCR iUPD"),
    # after it: +20 % and 5 mm over the smallest sum, of the row of iUPD too
    (("T01=50", "T01=50 NEW01=30", "T01=35 NEW01=25", "T01=35 NEW01=29.9"), "iUPD iPR iPR"),
    (("T01=50", "T01=50 NEW01=30", "T01=35 NEW01=25", "T01=35 NEW01=30"), "iUPD iPR iUPD"),
    (("T01=50", "T01=50 NEW01=30", "T01=50 NEW01=20", "T01=35 NEW01=24", "T01=35 NEW01=25"), "iUPD iUPD iPR iUPD"),
    (("T01=50", "T01=50 NEW01=12", "T01=35 NEW01=12", "T01=35 NEW01=16.9"), "iUPD iPR iPR"),
    (("T01=50", "T01=50 NEW01=12", "T01=35 NEW01=12", "T01=35 NEW01=17"), "iUPD iPR iUPD"),
    (("T01=50", "T01=50 NEW01=20", "T01=35 NEW01=20", "T01=35 NEW01=15", "T01=35 NEW01=17", "T01=35 NEW01=20"),
     "iUPD iPR iPR iPR iUPD"),
    # the smallest sum outlasts a row of iUPD, whether it lies in it or before it
    (("T01=50", "T01=50 NEW01=30", "T01=50 NEW01=20", "T01=50 NEW01=24", "T01=35 NEW01=24", "T01=35 NEW01=25"),
     "iUPD iUPD iUPD iPR iUPD"),
    (("T01=50", "T01=50 NEW01=20", "T01=35 NEW01=15", "T01=42 NEW01=17", "T01=36 NEW01=17", "T01=36 NEW01=20"),
     "iUPD iPR iUPD iSD iUPD"),
    # one that was not assessed can only add
    (("T01=50", "T01=50 NEW01=12 NEW02=12", "T01=35 NEW01=12 NEW02=12", "T01=35 NEW01=28.9"), "iUPD iPR iPR"),
    (("T01=50", "T01=50 NEW01=12 NEW02=12", "T01=35 NEW01=12 NEW02=12", "T01=35 NEW01=29"), "iUPD iPR iUPD"),
    # a new-lesion non-target by the reader's word only, a further lesion always
    (("T01=50", "T01=50 NEW01=6", "T01=35 NEW01=6", "T01=35 NEW01=9"), "iUPD iPR iPR"),
    (("T01=50", "T01=50 NEW01=6", "T01=35 NEW01=6", "T01=35 NEW01=pd"), "iUPD iPR iUPD"),
    (("T01=50", "T01=50 NEW01=6", "T01=35 NEW01=6", "T01=35 NEW01=6 NEW02=6"), "iUPD iPR iUPD"),
    # and that iUPD is confirmed as the first one would have been
    (("T01=50", "T01=50 NEW01=12", "T01=35 NEW01=12", "T01=35 NEW01=17", "T01=35 NEW01=22"), "iUPD iPR iUPD iCPD"),
    (("T01=50", "T01=50 NEW01=12", "T01=35 NEW01=12", "T01=35 NEW01=17", "T01=35 NEW01=21.9"), "iUPD iPR iUPD iUPD"),
]  # fmt: skip


@pytest.mark.parametrize(("course", "expected"), SET_BACK)
def test_set_back(course: tuple[str, ...], expected: str) -> None:
    assert overall(*course) == expected


@pytest.mark.parametrize(
    ("then", "by_recist", "by_baseline"),
    [
        ("65", "iUPD", "iUPD"),  # unchanged
        ("64.9", "iUPD", "iPR"),
        ("60", "iUPD", "iPR"),
        ("59.9", "iPR", "iPR"),
        ("70", "iCPD", "iCPD"),
    ],
)
def test_improvement_beside_the_baseline_alone(then: str, by_recist: str, by_baseline: str) -> None:
    """Nadir 50, so 60 mm is PD by RECIST 1.1, though 40 % less than the baseline."""
    course = "T01=100", "T01=50", "T01=65", f"T01={then}"
    assert overall(*course) == f"iPR iUPD {by_recist}"
    assert overall(*course, improvement_reference=ImprovementReference.BASELINE) == f"iPR iUPD {by_baseline}"


@pytest.mark.parametrize(
    ("course", "expected"),
    [
        (("T01=100", "T01=140", "T01=130"), "iUPD iUPD"),
        (("T01=100", "T01=80", "T01=130", "T01=120"), "iSD iUPD iUPD"),
        (("T01=100", "T01=80", "T01=130", "T01=119.9"), "iSD iUPD iSD"),
        (("T01=20", "T01=10", "T01=30", "T01=25"), "iPR iUPD iUPD"),
        (("T01=20", "T01=10", "T01=30", "T01=24.9"), "iPR iUPD iSD"),
        # without complete sums it is RECIST 1.1's own order
        (("T01=50 T02=50", "T01=20 T02=20", "T01=60 T02=20", "T01=55 T02=ne"), "iPR iUPD iUPD"),
        (("T01=50 T02=50", "T01=20 T02=20", "T01=60 T02=ne", "T01=30 T02=20"), "iPR iUPD iUPD"),
    ],
)
def test_improvement_beside_the_baseline_never_hides_growth_over_it(course: tuple[str, ...], expected: str) -> None:
    assert overall(*course, improvement_reference=ImprovementReference.BASELINE) == expected


def unstable(*texts: str) -> tuple[Visit, ...]:
    return tuple(
        replace(visit, clinically_stable=False) if index == 1 else visit for index, visit in enumerate(visits(*texts))
    )


def test_clinical_instability() -> None:
    course = unstable("T01=50", "T01=60", "T01=30")
    found = assess_irecist(course)
    assert categories(found) == "iUPD iPR"
    assert codes(found[1]) == {"not-clinically-stable"}
    final = assess_irecist(course, IrecistParameters(unstable_is_final=True))
    assert categories(final) == "iUPD iUPD"
    assert codes(final[2]) == {"improvement-after-final-progression"}
    growing = assess_irecist(unstable("T01=50", "T01=60", "T01=65"), IrecistParameters(unstable_is_final=True))
    assert categories(growing) == "iUPD iCPD"
    stable = assess_irecist(visits("T01=50", "T01=60", "T01=30"), IrecistParameters(unstable_is_final=True))
    assert categories(stable) == "iUPD iPR"


def test_confirmed_equivocal_lesion_dates_progression_back() -> None:
    course = visits("T01=50", "T01=50 NEW01=equivocal", "T01=50 NEW01=12", "T01=30 NEW01=12")
    found = assess_irecist(course)
    assert categories(found) == "iSD iUPD iPR"
    assert [item.progression_date for item in found] == [None, None, course[1].date, None]


def test_reasons_of_an_unchanged_iupd_give_the_numbers() -> None:
    found = assess_irecist(visits("T01=50", "T01=60 NEW01=12", "T01=64.96 NEW01=16"))[2]
    assert found.reasons[-4:] == (
        "By RECIST 1.1 alone: PD.",
        "Sum of the targets (60.00 → 64.96 mm, +4.96 mm): less than 5 mm more.",
        "Sum of the new-lesion targets (12.0 → 16.0 mm, +4.0 mm): less than 5 mm more.",
        "The iUPD of Follow-up 1 is neither confirmed nor gone (the target lesions, new lesion NEW01) → iUPD.",
    )


def test_no_growth_reads_as_none() -> None:
    found = assess_irecist(visits("T01=50", "T01=60 NEW01=12", "T01=60 NEW01=11.5"))[2]
    assert found.reasons[-3:-1] == (
        "Sum of the targets (60.0 → 60.0 mm, +0.0 mm): less than 5 mm more.",
        "Sum of the new-lesion targets (12.0 → 11.5 mm, −0.5 mm): less than 5 mm more.",
    )


def test_new_lesions_are_inputs_and_a_sum_of_their_own() -> None:
    found = assess_irecist(visits("T01=50", "T01=50 NEW01=12 NEW02=6", "T01=35 NEW01=14 NEW02=6"))
    assert [(item.lesion_id, str(item.value), item.note) for item in found[1].inputs] == [
        ("T01", "50", ""),
        ("NEW01", "12", "new lesion, measured"),
        ("NEW02", "6", "new lesion, not in a sum"),
    ]
    sums = [[f"{item.value} {item.reference} {item.reference_name}" for item in one.secondary] for one in found]
    assert sums == [[], ["12 12 at iUPD"], ["14 12 smallest so far"]]


def test_elevated_markers_and_no_targets() -> None:
    assert overall("", "", "NEW01=6", "NEW01=absent") == "NED iUPD NED"
    assert assess_irecist(visits("", ""))[1].reasons[-1] == "Overall NED: no disease at baseline, no new lesion."
    assert overall("NT01=present", "NT01=pd", "NT01=pd") == "iUPD iCPD"
    seen = visits("T01=50 NT01=present", "T01=absent NT01=absent")
    marked = assess_irecist((seen[0], replace(seen[1], markers_elevated=True)))[1]
    assert (marked.overall, marked.non_target) == (Category.IPR, Category.NON_ICR_NON_IUPD)
    ignored = assess_irecist((seen[0], replace(seen[1], markers_elevated=True)), IrecistParameters(markers_count=False))
    assert ignored[1].overall is Category.ICR
