"""mRECIST: viable diameters, exact thresholds, and what cirrhosis alone can cause."""

import datetime
import re
from dataclasses import fields, replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conftest import REPOSITORY
from tumorresp.domain.assessment import Assessment
from tumorresp.domain.errors import InvalidInput
from tumorresp.domain.measurement import LesionRole, LesionState
from tumorresp.response import LesionObservation, Visit
from tumorresp.response.mrecist import assess_mrecist
from tumorresp.response.mrecist_parameters import MRecistParameters

PAGE = REPOSITORY / "docs" / "criteria" / "mrecist.md"
ROLES = {"T": LesionRole.TARGET, "NT": LesionRole.NON_TARGET, "NEW": LesionRole.NEW}
STATES = {
    "present": LesionState.PRESENT,
    "absent": LesionState.ABSENT,
    "small": LesionState.TOO_SMALL,
    "ne": LesionState.NOT_EVALUABLE,
    "pd": LesionState.UNEQUIVOCAL_PROGRESSION,
    "equivocal": LesionState.EQUIVOCAL,
}


def lesion(text: str) -> LesionObservation:
    """``T01=28/L50``: viable 28 mm, longest 50 mm, liver; ``NEW01@lung``: elsewhere; ``T02n=16``: node, short axis.

    A site may carry a label after a colon; blanks are underscores.
    """
    identity, value = text.split("=")
    identity, _, where = identity.partition("@")
    organ, _, label = where.replace("_", " ").partition(":")
    nodal = identity.endswith("n")
    lesion_id = identity.removesuffix("n")
    sizes: dict[str, Any] = {}
    state = LesionState.MEASURED
    for part in value.split("/"):
        if part in STATES:
            state = STATES[part]
        elif part.startswith("L"):
            sizes["long_axis_mm"] = Decimal(part[1:])
        else:
            sizes["short_axis_mm" if nodal else "viable_long_axis_mm"] = Decimal(part)
    role = ROLES[lesion_id.rstrip("0123456789")]
    return LesionObservation(
        lesion_id, role, nodal, organ or ("lymph node" if nodal else "liver"), state, label=label, **sizes
    )


def visits(*texts: str) -> tuple[Visit, ...]:
    start = datetime.date(2024, 1, 1)
    return tuple(
        Visit(
            f"visit-{number}",
            f"Follow-up {number}" if number else "Baseline",
            start + datetime.timedelta(days=56 * number),
            tuple(lesion(item) for item in text.split()),
        )
        for number, text in enumerate(texts)
    )


def last(*texts: str, **parameters: Any) -> Assessment:
    return assess_mrecist(visits(*texts), replace(MRecistParameters(), **parameters))[-1]


def codes(assessment: Assessment) -> set[str]:
    return {finding.code for finding in assessment.findings}


TARGET_EXAMPLES = [
    ("T01=40", "T01=28", "PR"),
    ("T01=40", "T01=28.1", "SD"),
    ("T01=40", "T01=27.9", "PR"),
    ("T01=14.0", "T01=9.8", "PR"),
    ("T01=27", "T01=32.4", "PD"),
    ("T01=27", "T01=32.3", "SD"),
    ("T01=27", "T01=32.5", "PD"),
    ("T01=40", "T01=20", "T01=24", "PD"),  # from the nadir; 4 mm are enough
    ("T01=40", "T01=20", "T01=23.9", "PR"),
    ("T01=40", "T01=36", "T01=40", "SD"),
    ("T01=10", "T01=12", "PD"),  # no 5 mm
    # the whole lesion does not count: the viable part does
    ("T01=40/L50", "T01=20/L60", "PR"),
    ("T01=40/L50", "T01=50/L50", "PD"),
    ("T01=40/L50", "T01=0/L60", "CR"),
    ("T01=40/L50", "T01=0.1/L60", "PR"),
    ("T01=40 T02=30", "T01=0/L40 T02=absent", "CR"),
    ("T01=40 T02=30", "T01=0/L40 T02=1", "PR"),
    ("T01=40/L50", "T01=L50", "NE"),
    ("T01=40/L50", "T01=present", "NE"),
    ("T01=40/L50", "T01=30/ne", "NE"),
    ("T01=40/L50", "T01=absent/12", "NE"),
    ("T01=40/L50", "T01=absent/L12", "NE"),
    ("T01=40/L50", "T01=small", "PR"),
    ("T01=40", "", "NE"),
    ("T01=40 T02=20", "T01=72", "PD"),  # T02 can only add
    ("T01=40 T02=20", "T01=71.9", "NE"),
    # nodes as in RECIST 1.1
    ("T01=40 T02n=20", "T01=0/L40 T02n=9.9", "CR"),
    ("T01=40 T02n=20", "T01=0/L40 T02n=10", "PR"),
    ("T01=40 T02n=20", "T01=40 T02n=L22", "NE"),
    ("T01=40 T02n=20", "T01=25 T02n=17", "PR"),
    # enhancement is back
    ("T01=40", "T01=0/L40", "T01=1/L40", "PD"),
    ("T01=40 NT01=present", "T01=0/L40 NT01=present", "T01=1/L40 NT01=present", "PD"),
]  # fmt: skip


@pytest.mark.parametrize("example", TARGET_EXAMPLES, ids=" | ".join)
def test_target_response(example: tuple[str, ...]) -> None:
    *course, expected = example
    assert last(*course).target == expected


OVERALL_EXAMPLES = [
    ("T01=40 NT01=present", "T01=0 NT01=absent", "CR"),
    ("T01=40 NT01=12", "T01=0 NT01=0/L14", "CR"),  # no enhancement in the non-target lesion either
    ("T01=40 NT01=12", "T01=0 NT01=1/L14", "PR"),
    ("T01=40 NT01=present", "T01=0 NT01=present", "PR"),
    ("T01=40 NT01=present", "T01=0", "PR"),
    ("T01=40 NT01=present", "T01=28 NT01=present", "PR"),
    ("T01=40 NT01=present", "T01=40 NT01=ne", "SD"),
    ("T01=40 NT01=present", "T01=ne NT01=present", "NE"),
    ("T01=40 NT01=present", "T01=20 NT01=pd", "PD"),
    ("NT01=present", "NT01=present", "NON-CR/NON-PD"),
    ("NT01=12", "NT01=0/L12", "CR"),
    ("T01=40", "T01=20 NEW01=10/L10", "PD"),
    ("", "", "NED"),
    ("", "NEW01=10/L12", "PD"),
]  # fmt: skip


@pytest.mark.parametrize("example", OVERALL_EXAMPLES, ids=" | ".join)
def test_overall_response(example: tuple[str, ...]) -> None:
    *course, expected = example
    assert last(*course).overall == expected


NEW_LESION_EXAMPLES = [
    # liver nodules: 10 mm with arterial enhancement
    (("NEW01=10/L10",), "yes", ""),
    (("NEW01=9.9/L9.9",), "equivocal", "new-nodule-too-small"),
    (("NEW01=6/L10",), "yes", ""),  # the longest diameter counts
    (("NEW01=10.1",), "yes", ""),
    (("NEW01=0/L15",), "equivocal", "new-nodule-not-typical"),
    (("NEW01=L15",), "yes", "new-nodule-pattern-not-stated"),
    (("NEW01=present",), "equivocal", "new-nodule-unmeasured"),
    (("NEW01=small",), "equivocal", "new-nodule-unmeasured"),
    (("NEW01=pd",), "yes", ""),
    (("NEW01=absent",), "no", ""),
    (("NEW01=15/equivocal",), "equivocal", "equivocal-new-lesion"),
    # or 10 mm of growth, whatever the enhancement
    (("NEW01=0/L12", "NEW01=0/L21.9"), "equivocal", "new-nodule-not-typical"),
    (("NEW01=0/L12", "NEW01=0/L22"), "yes", "progression-back-dated"),
    (("NEW01=0/L12/equivocal", "NEW01=0/L22/equivocal"), "yes", "progression-back-dated"),
    (("NEW01=0/L12", "NEW01=0/L11", "NEW01=0/L21"), "yes", "progression-back-dated"),
    (("NEW01=8", "NEW01=10"), "yes", "progression-back-dated"),
    # what counts once counts until it is gone
    (("NEW01=12/L12", "NEW01=5/L5"), "yes", ""),
    (("NEW01=12/L12", "NEW01=absent"), "no", ""),
    # elsewhere as in RECIST 1.1
    (("NEW01@lung=L6",), "yes", ""),
    (("NEW01@lung=present",), "yes", ""),
    # nodes
    (("NEW01n=15",), "yes", ""),
    (("NEW01n=14.9",), "equivocal", "new-node-too-small"),
    (("NEW01n=9.9",), "no", ""),
    (("NEW01n@porta_hepatis=20",), "yes", ""),
    (("NEW01n@porta_hepatis=19.9",), "equivocal", "new-node-too-small"),
    (("NEW01n@lymph_node:Periportal=16",), "equivocal", "new-node-too-small"),
    (("NEW01n@porta_hepatis=16", "NEW01n@porta_hepatis=20"), "yes", "progression-back-dated"),
    # effusions
    (("NEW01@ascites=present",), "equivocal", "effusion-without-cytology"),
    (("NEW01@pleura:effusion=present",), "equivocal", "effusion-without-cytology"),
    (("NEW01@ascites:cytology_positive=present",), "yes", ""),
    (("NEW01@ascites:malignant_cells_confirmed=present",), "yes", ""),
    (("NEW01@ascites:cytology_not_positive=present",), "equivocal", "effusion-without-cytology"),
    (("NEW01@ascites:cytology_pending=present",), "equivocal", "effusion-without-cytology"),
    (("NEW01@ascites=present", "NEW01@ascites:cytology_positive=present"), "yes", "progression-back-dated"),
]  # fmt: skip


@pytest.mark.parametrize(("course", "status", "code"), NEW_LESION_EXAMPLES)
def test_new_lesions(course: tuple[str, ...], status: str, code: str) -> None:
    found = last("T01=40", *(f"T01=40 {text}" for text in course))
    assert found.new_lesions == status
    assert found.overall == ("PD" if status == "yes" else "SD")
    assert not code or code in codes(found)


def test_what_mrecist_overrules_is_told() -> None:
    found = last("T01=40", "T01=40 NEW01=9.96/L9.96")
    words = "NEW01 liver is new, but its 9.96 mm are under 10 mm: equivocal by mRECIST."
    assert found.reasons[0] == words
    assert words in [finding.message for finding in found.findings]


@pytest.mark.parametrize(
    ("label", "expected"),
    [("", "NON-CR/NON-PD"), (":cytology_positive", "PD"), (":cytology_negative", "NON-CR/NON-PD")],
)
def test_worse_effusion_needs_cytology(label: str, expected: str) -> None:
    found = last("T01=40 NT01@ascites=present", f"T01=40 NT01@ascites{label}=pd")
    assert found.non_target == expected
    assert ("effusion-without-cytology" in codes(found)) == (expected != "PD")


def test_node_without_enhancement_is_measured_all_the_same() -> None:
    first, second = visits("T01=40 NT01n=16", "T01=40 NT01n=16")
    target, node = second.observations
    unenhanced = replace(second, observations=(target, replace(node, viable_long_axis_mm=Decimal(0))))
    assert assess_mrecist((first, unenhanced))[1].non_target == "NON-CR/NON-PD"


def test_lesion_of_the_baseline_that_is_later_called_new_is_no_new_lesion() -> None:
    first, second = visits("T01=40", "T01=8")
    called_new = replace(second, observations=(replace(second.observations[0], role=LesionRole.NEW),))
    found = assess_mrecist((first, called_new))[1]
    assert (found.overall, found.new_lesions, codes(found)) == ("PR", "no", set())


def test_fragments_are_no_new_lesions() -> None:
    first, second = visits("T01=40 NT01=20", "T1=8/L8 T2=9/L9 NT1=0/L9")
    parents = {"T1": "T01", "T2": "T01", "NT1": "NT01"}
    fragments = tuple(replace(item, parents=(parents[item.lesion_id],)) for item in second.observations)
    found = assess_mrecist((first, replace(second, observations=fragments)))[1]
    assert found.target_sum == 17
    assert (found.target, found.non_target, found.new_lesions) == ("PR", "CR", "no")
    assert not codes(found)


def test_nodule_inside_a_tumour_is_new_and_measured_as_such() -> None:
    first, second = visits("T01=40", "T01=40 NEW01=8/L8")
    target, nodule = second.observations
    course = (first, replace(second, observations=(target, replace(nodule, parents=("T01",)))))
    found = assess_mrecist(course)[1]
    assert (found.target, found.new_lesions) == ("SD", "equivocal")
    assert "new-nodule-too-small" in codes(found)


def test_progression_dates_from_the_first_sight_of_a_nodule_confirmed_later() -> None:
    course = visits("T01=40", "T01=40 NEW01=8", "T01=40 NEW01=12")
    assert [a.progression_date for a in assess_mrecist(course)] == [None, None, course[1].date]


@pytest.mark.parametrize(("counted", "expected"), [(False, "CR"), (True, "PR")])
def test_tumour_markers_count_only_when_asked(counted: bool, expected: str) -> None:
    first, second = visits("T01=40", "T01=0")
    course = (first, replace(second, markers_elevated=True))
    assert assess_mrecist(course, MRecistParameters(markers_count=counted))[1].overall == expected


def test_inputs_say_what_was_measured() -> None:
    found = last("T01=40 T02n=20", "T01=30/L50 T02n=18")
    assert [(i.lesion_id, i.quantity, i.value, i.unit) for i in found.inputs] == [
        ("T01", "viable diameter", Decimal(30), "mm"),
        ("T02", "short axis", Decimal(18), "mm"),
    ]


ELIGIBILITY_EXAMPLES = [
    ("T01=10", set()),
    ("T01=9.9", {"target-too-small"}),
    ("T01=0/L30", {"target-not-viable", "target-without-baseline"}),
    ("T01=L30", {"no-viable-diameter", "target-without-baseline"}),
    ("T01=30/L20", {"viable-longer-than-lesion"}),
    ("T01@liver:portal_vein_thrombus=30", {"target-not-measurable"}),
    ("T01@liver:infiltrative=30", {"target-not-measurable"}),
    ("NT01@liver:infiltrative=present T01=30", set()),
    ("T01n=15", set()),
    ("T01n=14.9", {"target-node-too-small"}),
    ("T01n@porta_hepatis=20", set()),
    ("T01n@porta_hepatis=19.9", {"target-node-too-small"}),
    ("T01=30 NT01n@porta_hepatis=20", set()),
    ("T01=30 NT01n@porta_hepatis=19.9", {"non-target-node-too-small"}),
    ("T01=30 NT01n@mediastinum=12", set()),
    ("T01=30 NEW01=12", {"new-at-baseline"}),
]  # fmt: skip


@pytest.mark.parametrize(("baseline", "expected"), ELIGIBILITY_EXAMPLES)
def test_eligibility_is_reported_at_baseline(baseline: str, expected: set[str]) -> None:
    assert codes(last(baseline)) == expected


@pytest.mark.parametrize(("text", "severity"), [("T01=30", "info"), ("T01=0/L30", "error"), ("T01=L30", "error")])
def test_target_that_was_treated_locally_before(text: str, severity: str) -> None:
    visit = visits(text)[0]
    treated = replace(visit, observations=(replace(visit.observations[0], irradiated=True),))
    found = [f for f in assess_mrecist([treated])[0].findings if f.code == "target-treated-before"]
    assert [f.severity for f in found] == [severity]


def test_small_target_stays_in_the_sum() -> None:
    assert assess_mrecist(visits("T01=9 T02=20"))[0].target_sum == 29


def test_lesion_without_baseline_is_not_used() -> None:
    found = last("T01=40", "T01=40 T02=80")
    assert found.target == "SD"
    assert "lesion-without-baseline" in codes(found)


PARAMETER_EXAMPLES = [
    (("T01=40", "T01=20", "T01=24"), {"progression_mm": Decimal(5)}, "PR"),
    (("T01=40", "T01=20", "T01=25"), {"progression_mm": Decimal(5)}, "PD"),
    (("T01=40", "T01=20"), {"partial_response": Fraction(1, 2)}, "PR"),
    (("T01=40", "T01=20.1"), {"partial_response": Fraction(1, 2)}, "SD"),
    (("T01=40", "T01=50"), {"progression": Fraction(5, 4)}, "PD"),
    (("T01=40", "T01=49.9"), {"progression": Fraction(5, 4)}, "SD"),
    (("T01=40", "T01=small"), {"too_small_mm": Decimal(30)}, "SD"),
    (("T01=40", "T01=40 NEW01=12"), {"new_nodule_mm": Decimal("12.1")}, "SD"),
    (("T01=40", "T01=40 NEW01=0/L8", "T01=40 NEW01=0/L13"), {"new_nodule_growth_mm": Decimal(5)}, "PD"),
    (("T01=40", "T01=40 NEW01n=12"), {"malignant_node_mm": Decimal(10)}, "PD"),
    (("T01=40", "T01=40 NEW01n@porta_hepatis=16"), {"porta_hepatis_node_mm": Decimal(15)}, "PD"),
    (("T01=40", "T01=40 NEW01n@hilum=16"), {"porta_hepatis_words": "hilum, gate"}, "SD"),
    (("T01=40", "T01=40 NEW01n@hilum=16"), {}, "PD"),
    (("T01=40 T02n=20", "T01=0 T02n=11"), {"normal_node_mm": Decimal(12)}, "CR"),
    (("T01=40", "T01=40 NEW01@ascites=present"), {"effusion_needs_cytology": False}, "PD"),
    (("T01@lung=L40", "T01@lung=L28"), {"long_axis_outside_liver": True}, "PR"),
    (("T01@lung=40/L50", "T01@lung=28/L50"), {"long_axis_outside_liver": True}, "PR"),
    (("T01=40", "T01=L28"), {"long_axis_outside_liver": True}, "NE"),
    (("T01=40", "T01=0", "T01=8"), {"reappearance_after_cr_is_pd": False, "progression_mm": Decimal(9)}, "PR"),
    (("T01=40", "T01=25", "T01=28.5"), {"pr_carry_forward": True}, "PR"),
    (("T01=40", "T01=25", "T01=28.5"), {}, "SD"),
]  # fmt: skip


@pytest.mark.parametrize(("course", "parameters", "expected"), PARAMETER_EXAMPLES)
def test_parameters(course: tuple[str, ...], parameters: dict[str, Any], expected: str) -> None:
    found = last(*course, **parameters)
    assert found.overall == expected
    assert all(dict(found.parameters)[name] == str(value) for name, value in parameters.items())


def test_visits_out_of_order_are_refused() -> None:
    first, second = visits("T01=40", "T01=30")
    with pytest.raises(InvalidInput, match="not later than"):
        assess_mrecist((second, first))
    assert assess_mrecist(()) == ()


def test_result_is_of_viable_diameters() -> None:
    first, second = assess_mrecist(visits("T01=40.5/L60 T02=10", "T01=30.5/L60 T02=10"))
    assert (first.criterion, first.unit, first.target_sum, first.overall) == (
        "mrecist",
        "mm",
        Decimal("50.5"),
        "BASELINE",
    )
    assert (second.baseline_sum, second.nadir_sum, second.change_from_nadir) == (
        Decimal("50.5"),
        Decimal("50.5"),
        Decimal(-10),
    )
    assert second.reasons[0] == "Sum of viable diameters 40.5 mm: T01 liver 30.5 + T02 liver 10.0."


TENTHS = st.integers(1, 900).map(lambda tenths: Decimal(tenths) / 10)
COURSES = st.lists(st.tuples(TENTHS, TENTHS), min_size=2, max_size=5)


@settings(max_examples=60, deadline=None)
@given(COURSES, st.integers(2, 30))
def test_scaling_all_sizes_changes_no_category(course: list[tuple[Decimal, Decimal]], factor: int) -> None:
    plain = assess_mrecist(visits(*(f"T01={a} T02={b}" for a, b in course)))
    scaled = assess_mrecist(visits(*(f"T01={a * factor} T02={b * factor}" for a, b in course)))
    assert [a.overall for a in plain] == [a.overall for a in scaled]


@settings(max_examples=60, deadline=None)
@given(COURSES)
def test_order_of_lesions_and_later_visits_change_nothing(course: list[tuple[Decimal, Decimal]]) -> None:
    forward = visits(*(f"T01={a} T02={b} NEW01=0/L{b}" for a, b in course))
    backward = tuple(replace(visit, observations=visit.observations[::-1]) for visit in forward)
    whole = assess_mrecist(forward)
    assert [a.overall for a in assess_mrecist(backward)] == [a.overall for a in whole]
    assert assess_mrecist(forward[:-1]) == whole[:-1]


@settings(max_examples=60, deadline=None)
@given(COURSES, st.sampled_from(["NEW01=12", "NEW01=3", "NEW01n=16", "NEW01@ascites=present", "NEW01@bone=present"]))
def test_a_new_lesion_never_improves_a_response(course: list[tuple[Decimal, Decimal]], new: str) -> None:
    without = [f"T01={a} T02={b}" for a, b in course]
    before = last(*without).overall
    after = last(*without[:-1], f"{without[-1]} {new}").overall
    assert after in (before, "PD")


def test_worked_example_of_the_page() -> None:
    example = PAGE.read_text(encoding="utf-8").split("## A worked example")[1]
    course = visits(
        "T01=42/L60 T02=18/L25 NT01n@porta_hepatis=14",
        "T01=24/L58 T02=18/L25 NT01n@porta_hepatis=14",
        "T01=0/L55 T02=16/L25 NT01n@porta_hepatis=14 NEW01=8/L8",
        "T01=0/L55 T02=19.2/L25 NT01n@porta_hepatis=14 NEW01=13/L13",
    )
    assessed = assess_mrecist(course)

    def row(name: str) -> list[str]:
        line = next(line for line in example.splitlines() if line.startswith(f"| {name} |"))
        return [cell.strip() for cell in line.split("|")[2:-1]]

    for number in ("T01", "T02"):
        seen = [visit.of(number) for visit in course]
        assert row(f"{number}, viable (whole), mm") == [
            f"{o.viable_long_axis_mm} ({o.long_axis_mm})" for o in seen if o
        ]
    assert row("sum of viable diameters, mm") == [f"{a.target_sum:.1f}" for a in assessed]
    assert row("nadir before, mm") == ["–" if a.nadir_sum is None else f"{a.nadir_sum:.1f}" for a in assessed]
    assert row("target")[1:] == [a.target for a in assessed[1:]]
    assert row("new lesion")[1:] == [a.new_lesions for a in assessed[1:]]
    assert row("overall")[1:] == [a.overall for a in assessed[1:]]
    quoted = [line.removeprefix("> ") for line in example.splitlines() if line.startswith("> ")]
    assert tuple(quoted) == assessed[2].reasons


def test_every_parameter_stands_on_the_page_with_its_default() -> None:
    page = PAGE.read_text(encoding="utf-8")
    shown = {True: "yes", False: "no"}
    for field in fields(MRecistParameters):
        line = next(line for line in page.splitlines() if line.startswith(f"| `{field.name}` |"))
        value = getattr(MRecistParameters(), field.name)
        assert re.sub(r"\s", "", line.split("|")[2]) == re.sub(
            r"\s", "", shown[value] if isinstance(value, bool) else str(value)
        )
