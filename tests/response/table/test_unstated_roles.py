"""Tables without roles: the rules of target choice give them, from what the baseline shows."""

from decimal import Decimal

import pytest

from tests.response.table.test_lesion_table import codes, read
from tumorresp.domain.finding import Finding
from tumorresp.response.evaluate import evaluate_course
from tumorresp.response.protocol import Protocol
from tumorresp.response.subject import SubjectCourse

Rows = list[dict[str, object]]


def rows(date: str, **sizes: str) -> Rows:
    """``L=28``: a lung lesion; ``N=11.8``: the short axis of a node; words are states."""
    made: Rows = []
    for name, size in sizes.items():
        site = "lymph node" if name.startswith("N") else {"L": "lung", "B": "bone", "M": "liver"}[name[0]]
        row: dict[str, object] = {"subject": "S1", "date": date, "lesion": name, "site": site}
        column = "short_axis_mm" if name.startswith("N") else "long_axis_mm"
        row["state" if size.isalpha() else column] = size
        made.append(row)
    return made


def evaluated(*given: Rows, **more: object) -> tuple[SubjectCourse, list[Decimal | None], list[str], list[Finding]]:
    (course,), findings = read(*(row | more for visit in given for row in visit))
    (outcome,) = evaluate_course(course, ["recist-1.1"], Protocol()).outcomes
    sums = [item.target_sum for item in outcome.assessments]
    return course, sums, [str(item.overall) for item in outcome.assessments[1:]], findings


def roles(course: SubjectCourse) -> dict[str, str]:
    return {seen.lesion_id: str(seen.role) for visit in course.visits for seen in visit.observations}


def test_a_node_of_11_8_mm_is_no_target() -> None:
    first, later = rows("2024-01-10", L1="28", M1="18", N1="11.8"), rows("2024-03-10", L1="20", M1="12", N1="11")
    course, sums, overall, findings = evaluated(first, later)
    assert roles(course) == {"L1": "target", "M1": "target", "N1": "non-target"}
    assert (sums, overall) == ([46, 32], ["PR"])  # 57.8 mm with the node
    assert {item.code for item in findings} >= {"role-not-stated"}
    assert all(item.decides for item in findings if item.code == "role-not-stated")


def test_at_most_five_and_two_an_organ() -> None:
    sizes = {"L1": "20", "L2": "21", "L3": "22", "M1": "30", "M2": "31", "B1": "12", "B2": "11"}
    course, sums, _, _ = evaluated(rows("2024-01-10", **sizes), rows("2024-03-10", **sizes))
    targets = {name for name, role in roles(course).items() if role == "target"}
    assert targets == {"L2", "L3", "M1", "M2", "B1"}
    assert sums == [116, 116]


def test_stated_roles_stay_and_take_their_places() -> None:
    first = rows("2024-01-10", M1="12", M2="13", M3="60", L1="15")
    for row in first[:2]:
        row["role"] = "target"
    course, sums, _, _ = evaluated(first, rows("2024-03-10", M1="12", M2="13", M3="60", L1="15"))
    assert roles(course) == {"M1": "target", "M2": "target", "M3": "non-target", "L1": "target"}
    assert sums == [40, 40]


@pytest.mark.parametrize(
    ("later", "overall"),
    [
        ("9.5", "SD"),  # still normal
        ("11", "SD"),  # too little growth to be sure
        ("14.9", "PD"),  # from 9.9, 5 mm: a new lesion
        ("absent", "SD"),
    ],
)
def test_a_normal_node_is_no_lesion_and_new_once_it_has_grown(later: str, overall: str) -> None:
    first, second = rows("2024-01-10", L1="30", N1="9.9"), rows("2024-03-10", L1="30", N1=later)
    _, sums, found, findings = evaluated(first, second)
    assert (sums, found) == ([30, 30], [overall])
    assert "no-lesion-at-baseline" in codes(findings)
    assert "new-at-baseline" not in codes(findings)


def test_a_lesion_first_seen_later_may_be_new_and_only_a_reader_knows() -> None:
    _, _, overall, findings = evaluated(rows("2024-01-10", L1="30"), rows("2024-03-10", L1="30", M1="14"))
    assert overall == ["NE"]
    assert codes(findings)["role-not-given"] == "row 4"


def test_the_baseline_is_the_last_scan_before_treatment() -> None:
    first, second = rows("2024-01-03", L1="9", M1="40"), rows("2024-01-10", L1="12", M1="40")
    course, sums, overall, _ = evaluated(
        first, second, rows("2024-03-10", L1="12", M1="20"), first_treatment_date="2024-01-11"
    )
    assert roles(course) == {"L1": "target", "M1": "target"}  # of 12 mm at the baseline, not 9
    assert (sums, overall) == ([52, 32], ["PR"])


def test_centimetres_are_understood() -> None:
    course, _, _, _ = evaluated(rows("2024-01-10", L1="1.2"), rows("2024-03-10", L1="1.2"), unit="cm")
    assert roles(course) == {"L1": "target"}
