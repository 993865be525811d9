"""RECIST 1.1 by worked examples: the paper's rules, the EORTC's clarifications, and equality at every threshold."""

from decimal import Decimal
from fractions import Fraction

import pytest

from tests.response.courses import visits
from tumorresp.domain.assessment import Category, NewLesionStatus
from tumorresp.domain.errors import InvalidInput
from tumorresp.domain.finding import Severity
from tumorresp.response import Recist11Parameters, Visit, assess_recist_1_1
from tumorresp.response.subject import dated_responses

# Target response of the last visit.
TARGET_EXAMPLES = [
    # PR at exactly -30 %, not above it.
    ("T01=14.0", "T01=9.8", "PR"),
    ("T01=14.0", "T01=9.800001", "SD"),
    ("T01=60", "T01=42", "PR"),
    ("T01=60", "T01=42.000001", "SD"),
    ("T01=40 T02n=20", "T01=25 T02n=17", "PR"),
    # PD at exactly +20 % and 5 mm, not below either.
    ("T01=27", "T01=32.4", "PD"),
    ("T01=27", "T01=32.399999", "SD"),
    ("T01=25", "T01=30", "PD"),
    ("T01=24.9", "T01=29.9", "PD"),
    ("T01=24", "T01=28.8", "SD"),
    ("T01=20", "T01=24.999999", "SD"),
    ("T01=100", "T01=119.999999", "SD"),
    ("T01=100", "T01=105", "SD"),
    # against the nadir, not the baseline
    ("T01=50", "T01=30", "T01=36", "PD"),
    ("T01=20", "T01=3.2", "T01=8.2", "PD"),
    ("T01=20", "T01=3.2", "T01=8.199999", "PR"),
    ("T01=10", "T01=9", "T01=13.9", "SD"),
    ("T01=50", "T01=60", "T01=60", "PD"),
    ("T01=100", "T01=70", "T01=84", "PD"),
    ("T01=100", "T01=40", "T01=48", "PD"),  # PD beats PR
    ("T01=100", "T01=40", "T01=47.9", "PR"),
    # too small to measure counts 5 mm; a number beside it counts instead
    ("T01=20", "T01=small", "PR"),
    ("T01=7", "T01=small", "SD"),
    ("T01=7", "T01=4/small", "PR"),
    ("T01=10 T02=20", "T01=absent T02=20", "T01=small T02=20", "PD"),
    ("T01=10 T02=20", "T01=absent T02=20", "T01=4.9/small T02=20", "SD"),
    # CR: everything gone, nodes under 10 mm though the sum is not 0
    ("T01=20", "T01=absent", "CR"),
    ("T01=20 T02n=16", "T01=absent T02n=9.999999", "CR"),
    ("T01=20 T02n=16", "T01=absent T02n=10", "PR"),
    ("T01=20 T02n=16", "T01=absent T02n=absent", "CR"),
    ("T01=20 T02n=16", "T01=absent T02n=small", "CR"),
    ("T01=20 T02n=16", "T01=small T02n=9", "PR"),
    ("T01n=16", "T01n=3", "T01n=9", "CR"),  # 6 mm more, but a node under 10 mm is normal
    ("T01n=16", "T01n=3", "T01n=10", "PD"),
    # a missing lesion
    ("T01=20 T02=20", "T01=20", "NE"),
    ("T01=20 T02=20", "T01=1", "NE"),
    ("T01=20 T02=20", "T01=20 T02=ne", "NE"),
    ("T01=20 T02=20", "T01=20 T02=present", "NE"),
    ("T01=20 T02=20", "", "NE"),
    ("T01=20 T02=20", "T01=absent", "NE"),
    ("T01=20 T02=20", "T01=48", "PD"),
    ("T01=20 T02=20", "T01=47.999999", "NE"),
    ("T01=20 T02=20", "T01=10 T02=5", "T01=19.9", "NE"),
    ("T01=20 T02=20", "T01=10 T02=5", "T01=20", "PD"),
    ("T01n=16 T02n=16", "T01n=2 T02n=absent", "T01n=9", "NE"),  # could be CR
    # the sum of an incomplete visit is no nadir
    ("T01=20 T02=20", "T01=5", "T01=20 T02=20", "SD"),
    # reappearance after zero
    ("T01=20", "T01=absent", "T01=3", "PD"),
    ("T01=20", "T01=absent", "T01=small", "PD"),
    ("T01=20 NT01=present", "T01=absent NT01=present", "T01=4.9 NT01=present", "PR"),  # no overall CR before
    ("T01=20 NT01=present", "T01=absent NT01=present", "T01=5 NT01=present", "PD"),
    ("T01=20 T02=15", "T01=absent T02=absent", "T01=3", "PD"),  # and the other is missing
    ("T01n=20", "T01n=8", "T01n=11", "PR"),  # a node is judged by the sum
    ("T01=20", "T01=absent", "T01=absent", "CR"),
    # a node without a short axis, and a lesion that is called absent and measured
    ("T01=20 T02n=20", "T01=20 T02n=L20", "NE"),
    ("T01=20", "T01=12/absent", "NE"),
    ("T01=20", "T01=0/absent", "CR"),
]  # fmt: skip


@pytest.mark.parametrize("example", TARGET_EXAMPLES, ids=" | ".join)
def test_target_response(example: tuple[str, ...]) -> None:
    *course, expected = example
    assert assess_recist_1_1(visits(*course))[-1].target == expected


def test_every_exact_threshold_of_whole_numbers() -> None:
    """The 291 baselines that shrink by exactly 30 %, the 551 nadirs that grow by exactly 20 %, and their neighbours."""
    step = Decimal("0.000001")
    for baseline in range(10, 301):
        exact = Decimal(baseline) * 7 / 10
        for size, expected in ((exact, "PR"), (exact + step, "SD")):
            assert assess_recist_1_1(visits(f"T01={baseline}", f"T01={size}"))[1].target == expected
    for half_millimetres in range(50, 601):
        nadir = Decimal(half_millimetres) / 2
        exact = nadir * 6 / 5
        for size, expected in ((exact, "PD"), (exact - step, "SD")):
            assert assess_recist_1_1(visits(f"T01={nadir}", f"T01={size}"))[1].target == expected


@pytest.mark.parametrize(
    ("carry_forward", "expected"),
    [
        (False, ["BASELINE", "PR", "PR", "SD", "SD", "NE", "PR", "PD", "PD", "SD"]),
        (True, ["BASELINE", "PR", "PR", "PR", "PR", "NE", "PR", "PD", "PD", "SD"]),
    ],
)
def test_partial_response_by_both_published_readings(carry_forward: bool, expected: list[str]) -> None:
    course = visits(*(f"T01={size}" for size in ("100", "70", "70", "80", "80")), "T01=ne", "T01=70", "T01=84",
                    "T01=90", "T01=80")  # fmt: skip
    assessed = assess_recist_1_1(course, Recist11Parameters(pr_carry_forward=carry_forward))
    assert [item.target for item in assessed] == expected
    continuing = [any(f.code == "continuing-response" for f in item.findings) for item in assessed]
    assert continuing == [not carry_forward and number in (3, 4) for number in range(10)]


def test_reappearance_rule_can_be_switched_off() -> None:
    course = visits("T01=20", "T01=absent", "T01=3")
    assert assess_recist_1_1(course, Recist11Parameters(reappearance_after_cr_is_pd=False))[2].target == "PR"


def test_other_thresholds() -> None:
    rules = Recist11Parameters(partial_response=Fraction(1, 2), progression=Fraction(3, 2), progression_mm=Decimal(10))
    for size, expected in (("50", "PR"), ("50.1", "SD"), ("149.9", "SD"), ("150", "PD")):
        assert assess_recist_1_1(visits("T01=100", f"T01={size}"), rules)[1].target == expected
    assert dict(assess_recist_1_1(visits("T01=100"), rules)[0].parameters)["partial_response"] == "1/2"


NON_TARGET_EXAMPLES = [
    ("NT01=present", "NT01=present", "NON-CR/NON-PD"),
    ("NT01=present", "NT01=absent", "CR"),
    ("NT01=present", "NT01=small", "NON-CR/NON-PD"),
    ("NT01=present", "NT01=equivocal", "NON-CR/NON-PD"),
    ("NT01=present", "NT01=pd", "PD"),
    ("NT01=present", "NT01=ne", "NE"),
    ("NT01=present", "", "NE"),
    ("NT01=present NT02=present", "NT01=absent", "NE"),
    ("NT01=present NT02=present", "NT01=pd", "PD"),
    ("NT01=present NT02=present", "NT01=absent NT02=present", "NON-CR/NON-PD"),
    ("NT01=8", "NT01=30", "NON-CR/NON-PD"),  # growth is progression only when the reader says so
    ("NT01n=12", "NT01n=9.9", "CR"),
    ("NT01n=12", "NT01n=10", "NON-CR/NON-PD"),
    ("NT01n=12", "NT01n=small", "CR"),
    ("NT01n=12", "NT01n=L9", "CR"),  # its short axis is shorter still
    ("NT01n=12", "NT01n=L12", "NE"),
    ("NT01n=12", "NT01n=present", "NON-CR/NON-PD"),
]


@pytest.mark.parametrize("example", NON_TARGET_EXAMPLES, ids=" | ".join)
def test_non_target_response(example: tuple[str, str, str]) -> None:
    baseline, later, expected = example
    assessment = assess_recist_1_1(visits(baseline, later))[1]
    assert assessment.non_target == expected
    assert assessment.target == "NA"
    assert assessment.overall == expected  # Table 2


OVERALL_EXAMPLES = [
    ("T01=20 NT01=present", "T01=absent NT01=present", "PR"),
    ("T01=20 NT01=present", "T01=absent", "PR"),
    ("T01=20 NT01=present", "T01=absent NT01=absent", "CR"),
    ("T01=20", "T01=absent", "CR"),
    ("T01=20 NT01=present", "T01=14 NT01=absent", "PR"),
    ("T01=20 NT01=present", "T01=14", "PR"),
    ("T01=20 NT01=present", "T01=20", "SD"),
    ("T01=20 NT01=present", "NT01=absent", "NE"),
    ("T01=20 NT01=present", "NT01=pd", "PD"),
    ("T01=20 NT01=present", "T01=14 NT01=pd", "PD"),
    ("T01=20 NT01=present", "T01=14 NT01=present NEW01=8", "PD"),
    ("T01=20 NT01=present", "T01=14 NT01=present NEW01=equivocal", "PR"),
    ("", "", "NED"),
    ("", "NEW01=present", "PD"),
    ("", "NEW01=equivocal", "NED"),
]


@pytest.mark.parametrize("example", OVERALL_EXAMPLES, ids=" | ".join)
def test_overall_response(example: tuple[str, str, str]) -> None:
    baseline, later, expected = example
    first, second = assess_recist_1_1(visits(baseline, later))
    assert first.overall == "BASELINE"
    assert second.overall == expected


def test_numbers_of_an_assessment() -> None:
    assessed = assess_recist_1_1(visits("T01=40 T02n=20", "T01=25 T02n=17", "T01=33", "T01=29.5 T02n=17"))
    assert [item.target_sum for item in assessed] == [Decimal(60), Decimal(42), None, Decimal("46.5")]
    assert [item.baseline_sum for item in assessed] == [None, Decimal(60), Decimal(60), Decimal(60)]
    assert [item.nadir_sum for item in assessed] == [None, Decimal(60), Decimal(42), Decimal(42)]
    assert [item.change_from_baseline_percent for item in assessed] == [None, Decimal(-30), None, Decimal("-22.5")]
    assert assessed[3].change_from_nadir == Decimal("4.5")
    assert assessed[3].change_from_nadir_percent == pytest.approx(Decimal(100 * 4.5 / 42))
    assert {item.unit for item in assessed} == {"mm"}
    assert {item.criterion for item in assessed} == {"recist-1.1"}
    assert [item.time_point_id for item in assessed] == ["visit-0", "visit-1", "visit-2", "visit-3"]
    assert all(item.software_version for item in assessed)


def test_change_from_a_nadir_of_zero_has_no_percentage() -> None:
    assessment = assess_recist_1_1(visits("T01=20 NT01=present", "T01=absent NT01=ne", "T01=4 NT01=ne"))[2]
    assert assessment.change_from_nadir_percent is None
    assert assessment.change_from_nadir == 4
    assert "no percentage of 0" in " ".join(assessment.reasons)


@pytest.mark.parametrize(
    ("second", "code"),
    [("T02=present", None), ("T02=ne", None), ("T02=small", None), ("T02n=L18", "node-without-short-axis"),
     ("T02=12/absent", "absent-with-size"), ("T02=absent", None)],
)  # fmt: skip
def test_target_without_a_baseline_is_left_out_and_reported(second: str, code: str | None) -> None:
    first, last = assess_recist_1_1(visits(f"T01=20 {second}", "T01=14 T02=100"))
    assert first.target_sum == 20
    assert last.target == "PR"
    error = next(f for f in first.findings if f.code == "target-without-baseline")
    assert error.severity is Severity.ERROR
    assert error.where == "T02"
    assert code is None or code in {f.code for f in first.findings}


def test_only_targets_without_a_baseline_is_not_evaluable_and_no_table_two() -> None:
    first, last = assess_recist_1_1(visits("T01=present NT01=present", "T01=14 NT01=absent"))
    assert (first.target, first.overall) == ("BASELINE", "BASELINE")
    assert (last.target, last.non_target, last.overall) == ("NE", "CR", "NE")


def test_no_targets_have_no_sum() -> None:
    assert [item.target_sum for item in assess_recist_1_1(visits("NT01=present", "NT01=absent"))] == [None, None]


def test_lesions_that_the_baseline_does_not_have_are_reported() -> None:
    assessment = assess_recist_1_1(visits("T01=20", "T01=14 T02=30 NT01=pd"))[1]
    assert assessment.overall == "PR"
    assert [f.where for f in assessment.findings if f.code == "lesion-without-baseline"] == ["T02", "NT01"]


def test_words_on_a_target_do_not_replace_its_size() -> None:
    assessment = assess_recist_1_1(visits("T01=20 T02=20", "T01=14/pd T02=14/equivocal"))[1]
    assert assessment.target == "PR"
    assert {f.code for f in assessment.findings} == {"progression-of-target-stated", "equivocal-target"}


def test_a_lesion_twice_at_one_visit_is_refused() -> None:
    with pytest.raises(InvalidInput, match="T01 is observed more than once at Baseline"):
        visits("T01=20 T01=21")


def test_visits_out_of_order_are_refused() -> None:
    first, second = visits("T01=20", "T01=14")
    with pytest.raises(InvalidInput, match="not later than Follow-up 1"):
        assess_recist_1_1((second, first))
    with pytest.raises(InvalidInput, match="not later"):
        assess_recist_1_1((first, Visit("again", "Again", first.date, ())))


def test_no_visits_give_no_assessments() -> None:
    assert assess_recist_1_1(()) == ()


def test_baseline_has_no_new_lesions() -> None:
    first, later = assess_recist_1_1(visits("T01=20 NEW01=8", "T01=20 NEW01=8"))
    assert "new-at-baseline" in {f.code for f in first.findings}
    assert (later.new_lesions, later.overall) == (NewLesionStatus.NO, Category.SD)


def test_the_sum_of_what_was_assessed_is_shown_where_asked_for_and_makes_no_nadir() -> None:
    """A sum of 60, then 25 of 36 with a lesion missing, then 40: the nadir is 60, and 40 is no progression."""
    course = visits("T01=40 T02=20", "T01=25 T02=ne", "T01=25 T02=15", "T01=90 T02=ne")
    shown = assess_recist_1_1(course, Recist11Parameters(incomplete_sum_shown=True))
    hidden = assess_recist_1_1(course)
    assert [item.target_sum for item in shown] == [60, 25, 40, 90]
    assert [item.complete_sum for item in shown] == [60, None, 40, None]
    assert [item.target_sum for item in hidden] == [item.complete_sum for item in hidden] == [60, None, 40, None]
    assert [item.nadir_sum for item in shown] == [item.nadir_sum for item in hidden] == [None, 60, 60, 40]
    assert [item.overall for item in shown] == [item.overall for item in hidden] == ["BASELINE", "NE", "PR", "PD"]
    assert shown[1].change_from_baseline_percent == pytest.approx(Decimal("-58.333333"), abs=Decimal("0.001"))
    assert shown[3].change_from_nadir == 50
    assert [item.target_sum for item in dated_responses(course, shown)] == [None, 40, None]
