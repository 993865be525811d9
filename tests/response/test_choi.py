"""Choi and modified Choi: both sides of every threshold, missing and useless densities, the page's example."""

import datetime
from dataclasses import fields, replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conftest import REPOSITORY
from tumorresp.domain.assessment import Assessment
from tumorresp.domain.errors import InvalidInput
from tumorresp.domain.measurement import LesionRole, LesionState
from tumorresp.response import LesionObservation, Visit
from tumorresp.response.choi import assess_choi, assess_modified_choi
from tumorresp.response.choi_parameters import ChoiParameters, DensityMean, ProgressionReference

PAGE = REPOSITORY / "docs" / "criteria" / "choi.md"
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
    """``T01=50/h80``: 50 mm, 80 HU; ``T02n``: a node; ``s12``: its short axis.

    ``T1@T01`` is a fragment of T01, ``NEW01@T01`` a nodule inside it.
    """
    identity, value = text.split("=")
    identity, _, parent = identity.partition("@")
    nodal = identity.endswith("n")
    lesion_id = identity.removesuffix("n")
    sizes: dict[str, Any] = {}
    state = LesionState.MEASURED
    for part in value.split("/"):
        if part in STATES:
            state = STATES[part]
        elif part == "MRI":
            sizes["method"] = part
        elif part[0] in "hs":
            sizes["mean_density_hu" if part[0] == "h" else "short_axis_mm"] = Decimal(part[1:])
        else:
            sizes["long_axis_mm"] = Decimal(part)
    role = ROLES[lesion_id.rstrip("0123456789")]
    parents = (parent,) if parent else ()
    return LesionObservation(lesion_id, role, nodal, "node" if nodal else "liver", state, parents=parents, **sizes)


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


def both(*texts: str, **parameters: Any) -> tuple[Assessment, Assessment]:
    """Return the last visit by Choi and by modified Choi."""
    course, rules = visits(*texts), replace(ChoiParameters(), **parameters)
    return assess_choi(course, rules)[-1], assess_modified_choi(course, rules)[-1]


def codes(assessment: Assessment) -> set[str]:
    return {finding.code for finding in assessment.findings}


SIZE_AND_DENSITY = [
    # size, density: Choi, modified
    ("100/h100", "SD", "SD"),
    ("90/h100", "PR", "SD"),
    ("90.1/h100", "SD", "SD"),
    ("89.9/h100", "PR", "SD"),
    ("100/h85", "PR", "SD"),
    ("100/h85.1", "SD", "SD"),
    ("100/h84.9", "PR", "SD"),
    ("90/h85", "PR", "PR"),
    ("90.1/h85", "PR", "SD"),
    ("90/h85.1", "PR", "SD"),
    ("110/h100", "PD", "PD"),
    ("109.9/h100", "SD", "SD"),
    ("110.1/h100", "PD", "PD"),
    ("110/h85", "PR", "SD"),  # not PR by density, so not PD either
    ("110/h85.1", "PD", "PD"),
    ("90/h300", "PR", "SD"),
    ("50/h-20", "PR", "PR"),
    # density not known
    ("100", "NE", "NE"),
    ("90", "PR", "NE"),
    ("90.1", "NE", "NE"),
    ("110", "PD", "PD"),
    ("109.9", "NE", "NE"),
    ("90/h50/MRI", "PR", "NE"),
    # not evaluable
    ("ne", "NE", "NE"),
    ("90/h80/ne", "NE", "NE"),
    ("present/h80", "NE", "NE"),
    ("s12/h80", "NE", "NE"),
    ("absent/12", "NE", "NE"),
    ("absent", "CR", "CR"),
    ("0/h80", "CR", "CR"),
    ("small/h80", "PR", "PR"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "choi", "modified"), SIZE_AND_DENSITY)
def test_size_and_density(text: str, choi: str, modified: str) -> None:
    found = both("T01=100/h100", f"T01={text}")
    assert (found[0].target, found[1].target) == (choi, modified)
    assert (found[0].overall, found[1].overall) == (choi, modified)


COURSES = [
    # growth is measured from baseline, not from the nadir
    (("T01=100/h100", "T01=60/h100", "T01=90.1/h100"), "SD", "SD"),
    (("T01=100/h100", "T01=60/h100", "T01=70/h100"), "PR", "SD"),
    # several targets: the sum, and the plain mean of the densities
    (("T01=60/h100 T02=40/h60", "T01=50/h100 T02=40/h60"), "PR", "SD"),
    (("T01=60/h100 T02=40/h60", "T01=60/h80 T02=40/h56"), "PR", "SD"),
    (("T01=60/h100 T02=40/h60", "T01=60/h80 T02=40/h56.1"), "SD", "SD"),
    (("T01=60/h100 T02=40/h60", "T01=60/h30 T02=40"), "NE", "NE"),
    # a lesion that is gone has no density: the others are compared with themselves
    (("T01=10/h100 T02=90/h60", "T01=absent T02=90/h51"), "PR", "PR"),
    (("T01=10/h100 T02=90/h60", "T01=absent T02=90/h51.1"), "PR", "SD"),
    (("T01=10/h100 T02=90/h60", "T01=0 T02=90/h51"), "PR", "PR"),
    # missing lesions: they can only add
    (("T01=60/h100 T02=40/h60", "T01=110/h100"), "PD", "PD"),
    (("T01=60/h100 T02=40/h60", "T01=109.9/h100"), "NE", "NE"),
    (("T01=60/h100 T02=40/h60", "T01=20/h10"), "NE", "NE"),
    (("T01=60/h100 T02=40/h60", "T01=absent"), "NE", "NE"),
    # nodes
    (("T01=60/h90 T02n=20/h90/s15", "T01=absent T02n=14/h90/s9.9"), "CR", "CR"),
    (("T01=60/h90 T02n=20/h90/s15", "T01=absent T02n=14/h90/s10"), "PR", "SD"),
    # back after CR
    (("T01=60/h90", "T01=absent", "T01=5/h20"), "PD", "PD"),
    (("T01=60/h90 NT01=present", "T01=absent NT01=present", "T01=5/h20 NT01=present"), "PR", "PR"),
    (("T01=60/h90 T02n=30/h90/s16", "T01=absent T02n=14/h90/s9", "T01=absent T02n=14/h90/s12"), "PR", "SD"),
    # non-target lesions
    (("T01=60/h90 NT01=present", "T01=absent NT01=present"), "PR", "PR"),
    (("T01=60/h90 NT01=present", "T01=absent NT01=absent"), "CR", "CR"),
    (("T01=60/h90 NT01=present", "T01=30/h40 NT01=pd"), "PD", "PD"),
    (("T01=60/h90 NT01=present", "T01=30/h40"), "PR", "PR"),
    (("NT01=present", "NT01=present"), "NON-CR/NON-PD", "NON-CR/NON-PD"),
    (("", "NEW01=5"), "PD", "PD"),
    (("", ""), "NED", "NED"),
    # new lesions come before everything
    (("T01=60/h90", "T01=30/h40 NEW01=5"), "PD", "PD"),
    (("T01=60/h90", "T01=absent NEW01=5"), "PD", "PD"),
    (("T01=60/h90", "T01=ne NEW01=5"), "PD", "PD"),
    (("T01=60/h90", "T01=30/h40 NEW01@T01=5/h70"), "PD", "PD"),
    (("T01=60/h90", "T01=30/h40 NEW01=5/equivocal"), "PR", "PR"),
    # a nodule inside a tumour that was there at baseline and grows
    (("T01=60/h90 NT01=8", "T01=30/h40 NT01=14/pd"), "PD", "PD"),
]  # fmt: skip


@pytest.mark.parametrize(("course", "choi", "modified"), COURSES)
def test_courses(course: tuple[str, ...], choi: str, modified: str) -> None:
    found = both(*course)
    assert (found[0].overall, found[1].overall) == (choi, modified)


@pytest.mark.parametrize(
    ("baseline", "is_defined"),
    [("h10", True), ("h9.9", False), ("h0", False), ("h-5", False), ("h-100", False), ("h10/MRI", False)],
)
def test_density_at_baseline_that_allows_no_percentage(baseline: str, is_defined: bool) -> None:
    first = assess_choi(visits(f"T01=100/{baseline}"))[0]
    wanted = set() if is_defined else {"density-missing" if "MRI" in baseline else "density-percent-undefined"}
    assert codes(first) == wanted
    found = both(f"T01=100/{baseline}", "T01=95/h-500")
    assert [a.target for a in found] == (["PR", "SD"] if is_defined else ["NE", "NE"])
    assert (found[0].secondary[0].change_percent is None) is not is_defined
    assert both(f"T01=100/{baseline}", "T01=90/h-500")[0].target == "PR"


def test_zero_reference_stays_undefined_whatever_the_parameter() -> None:
    for least in (Decimal(0), Decimal(-50)):
        found = both("T01=100/h0", "T01=100/h-10", least_baseline_hu=least)
        assert found[0].target == "NE"
        assert "density-percent-undefined" in codes(found[0])


PARAMETERS = [
    (("T01=100/h100", "T01=80/h100"), {"size_decrease_percent": Decimal(20)}, "PR", "SD"),
    (("T01=100/h100", "T01=80.1/h100"), {"size_decrease_percent": Decimal(20)}, "SD", "SD"),
    (("T01=100/h100", "T01=100/h70"), {"density_decrease_percent": Decimal(30)}, "PR", "SD"),
    (("T01=100/h100", "T01=100/h70.1"), {"density_decrease_percent": Decimal(30)}, "SD", "SD"),
    (("T01=100/h100", "T01=112.5/h100"), {"size_increase_percent": Decimal("12.5")}, "PD", "PD"),
    (("T01=100/h100", "T01=112.4/h100"), {"size_increase_percent": Decimal("12.5")}, "SD", "SD"),
    # from the nadir: growth is PD though the sum is still below the baseline's, unless the density excuses it
    (
        ("T01=100/h100", "T01=60/h100", "T01=66/h100"),
        {"progression_reference": ProgressionReference.NADIR},
        "PD",
        "PD",
    ),
    (
        ("T01=100/h100", "T01=60/h100", "T01=65.9/h100"),
        {"progression_reference": ProgressionReference.NADIR},
        "PR",
        "SD",
    ),
    (("T01=100/h100", "T01=60/h100", "T01=66/h85"), {"progression_reference": ProgressionReference.NADIR}, "PR", "PR"),
    (
        ("T01=60/h90 NT01=present", "T01=absent NT01=present", "T01=5/h90 NT01=present"),
        {"progression_reference": ProgressionReference.NADIR},
        "PD",
        "PD",
    ),
    # weighted by diameter 90 HU at baseline, of which 85 % are 76.5; the plain mean is 75
    (
        ("T01=80/h100 T02=20/h50", "T01=80/h83.125 T02=20/h50"),
        {"density_mean": DensityMean.BY_DIAMETER},
        "PR",
        "SD",
    ),
    (("T01=80/h100 T02=20/h50", "T01=80/h83.125 T02=20/h50"), {}, "SD", "SD"),
    (("T01=80/h100 T02=20/h50", "T01=80/h83.126 T02=20/h50"), {"density_mean": DensityMean.BY_DIAMETER}, "SD", "SD"),
    (("T01=100/h10", "T01=100/h5"), {"least_baseline_hu": Decimal(20)}, "NE", "NE"),
    (("T01=100/h9", "T01=100/h5"), {"least_baseline_hu": Decimal(9)}, "PR", "SD"),
    (("T01=100/h100", "T01=120"), {"growth_alone_is_progression": False}, "NE", "NE"),
    (("T01=100/h100", "T01=120/h100"), {"growth_alone_is_progression": False}, "PD", "PD"),
    (("T01n=30/h50/s15", "T01n=30/h50/s11"), {"normal_node_mm": Decimal(12)}, "CR", "CR"),
    (("T01=10/h50", "T01=small/h50"), {"too_small_mm": Decimal(11)}, "PD", "PD"),
    (("T01=60/h90", "T01=absent", "T01=5/h90"), {"reappearance_after_cr_is_pd": False}, "PR", "SD"),
]  # fmt: skip


@pytest.mark.parametrize(("course", "parameters", "choi", "modified"), PARAMETERS)
def test_parameters(course: tuple[str, ...], parameters: dict[str, Any], choi: str, modified: str) -> None:
    found = both(*course, **parameters)
    assert (found[0].overall, found[1].overall) == (choi, modified)
    assert all(dict(found[0].parameters)[name] == str(value) for name, value in parameters.items())


@pytest.mark.parametrize(
    ("course", "code"),
    [
        (("T01=100/h100", "T01=120"), "progression-without-density"),
        (("T01=100/h100", "T01=100"), "density-missing"),
        (("T01=100/h100", "T01=100/h90/MRI"), "density-missing"),
        (("T01=100", "T01=100/h90"), ""),
        (("T01=100",), "density-missing"),
        (("T01=100/h100", "T01=s12/h90"), "no-long-axis"),
        (("T01=s20/h100",), "target-without-baseline"),
        (("T01=100/h100 NEW01=5",), "new-at-baseline"),
        (("T01=100/h100", "T01=100/h100 T02=80/h20"), "lesion-without-baseline"),
        (("T01=100/h100", "T01=absent/50"), "absent-with-size"),
    ],
)
def test_findings(course: tuple[str, ...], code: str) -> None:
    found = codes(both(*course)[0])
    assert code in found if code else not found


def test_mean_density_stands_beside_the_sum() -> None:
    first, second = assess_choi(visits("T01=60/h100 T02=40/h60", "T01=50/h90 T02=30/h58"))
    assert (first.criterion, first.unit, first.target_sum, first.overall) == ("choi", "mm", Decimal(100), "BASELINE")
    assert (first.secondary[0].value, first.secondary[0].reference) == (Decimal(80), None)
    density = second.secondary[0]
    assert (density.name, density.unit, density.value, density.reference) == (
        "mean density",
        "HU",
        Decimal(74),
        Decimal(80),
    )
    assert (density.reference_name, density.change_percent) == ("baseline", Decimal("-7.5"))
    assert (second.baseline_sum, second.nadir_sum, second.target_sum) == (Decimal(100), Decimal(100), Decimal(80))
    assert {(i.lesion_id, i.quantity, i.value, i.unit) for i in second.inputs} == {
        ("T01", "long axis", Decimal(50), "mm"),
        ("T01", "mean density", Decimal(90), "HU"),
        ("T02", "long axis", Decimal(30), "mm"),
        ("T02", "mean density", Decimal(58), "HU"),
    }
    assert assess_modified_choi(visits("T01=60/h100"))[0].criterion == "choi-modified"


def test_density_without_its_change_is_still_shown() -> None:
    found = both("T01=100", "T01=100/h90")[0]
    assert found.secondary[0].value == 90
    assert found.secondary[0].change_percent is None
    assert "Mean density 90.0 HU; the baseline's is not known." in found.reasons


def test_shown_means_give_the_change_again() -> None:
    # 68.04 and 80.04 rounded to one place would be −15.0 % exactly; the change is −14.99 %: no PR
    found = both("T01=100/h80.04", "T01=100/h68.04")[0]
    assert found.target == "SD"
    assert "Mean density 68.04 HU, −14.99 %: less than 15 % lower than the baseline's 80.04 HU." in found.reasons


def test_nodule_inside_a_tumour_is_named() -> None:
    found = both("T01=60/h90", "T01=50/h40 NEW01@T01=5/h90 NEW02=4")[0]
    assert [reason for reason in found.reasons if "inside" in reason] == [
        "NEW01 liver is a nodule inside T01: it counts as a new lesion."
    ]


def test_fragments_are_compared_with_their_parent() -> None:
    found = both("T01=60/h100 T02=40/h50", "T1@T01=30/h90 T2@T01=20/h80 T02=absent")[0]
    density = found.secondary[0]
    assert found.target_sum == 50
    assert (density.value, density.reference, density.change_percent) == (Decimal(85), Decimal(100), Decimal(-15))
    assert not codes(found)


def test_conglomerate_is_compared_with_all_its_parents() -> None:
    first, second = visits("T01=60/h100 T02=40/h60 T03=20/h10", "T9=90/h68 T03=absent")
    conglomerate = replace(second.observations[0], parents=("T01", "T02"))
    merged = replace(second, observations=(conglomerate, *second.observations[1:]))
    found = assess_choi((first, merged))[1]
    assert (found.target_sum, found.target) == (Decimal(90), "PR")
    assert not codes(found)
    assert (found.secondary[0].value, found.secondary[0].reference) == (Decimal(68), Decimal(80))


def test_split_lesion_with_a_size_of_its_own_is_not_evaluable() -> None:
    found = both("T01=60/h100 T02=40/h50", "T01=60/h100 T1@T01=60/h90 T02=400/h50")[0]
    assert found.target == "NE"
    assert "split-and-measured" in codes(found)


def test_progression_dates_from_the_first_sight_of_a_lesion_confirmed_later() -> None:
    course = visits("T01=60/h90", "T01=60/h90 NEW01=5/equivocal", "T01=60/h90 NEW01=9")
    assert [a.progression_date for a in assess_choi(course)] == [None, None, course[1].date]


def test_missing_target_is_named_as_the_reason() -> None:
    found = both("T01=60/h100 T02=40/h60", "T01=20/h10")[0]
    assert "Mean density not known: T02 liver not assessed." in found.reasons
    assert "The assessed lesions alone are no progression; the sum is not known → NE." in found.reasons


def test_visits_out_of_order_are_refused() -> None:
    first, second = visits("T01=40/h90", "T01=30/h90")
    with pytest.raises(InvalidInput, match="not later than"):
        assess_choi((second, first))
    assert assess_choi(()) == assess_modified_choi(()) == ()


TENTHS = st.integers(1, 900).map(lambda tenths: Decimal(tenths) / 10)
DENSITIES = st.none() | st.integers(-300, 2000).map(lambda tenths: Decimal(tenths) / 10)
TWO_LESIONS = st.lists(st.tuples(TENTHS, DENSITIES, TENTHS, DENSITIES), min_size=2, max_size=4)
RANK = {"CR": 0, "PR": 1, "SD": 2, "PD": 3}


def texts(course: list[tuple[Any, ...]], factor: int = 1) -> list[str]:
    def one(name: str, size: Decimal, density: Decimal | None) -> str:
        return f"{name}={size * factor}" + ("" if density is None else f"/h{density}")

    return [f"{one('T01', a, h)} {one('T02', b, k)}" for a, h, b, k in course]


@settings(max_examples=80, deadline=None)
@given(TWO_LESIONS, st.sampled_from(list(ProgressionReference)), st.sampled_from(list(DensityMean)))
def test_modified_choi_is_never_better_than_choi(
    course: list[tuple[Any, ...]], reference: ProgressionReference, mean: DensityMean
) -> None:
    choi, modified = both(*texts(course), progression_reference=reference, density_mean=mean)
    if modified.overall == "NE":
        assert choi.overall in ("NE", "PR")
    else:
        assert RANK[choi.overall] <= RANK[modified.overall]


@settings(max_examples=60, deadline=None)
@given(TWO_LESIONS, st.integers(2, 20))
def test_scaling_all_sizes_changes_no_category(course: list[tuple[Any, ...]], factor: int) -> None:
    assert [a.overall for a in both(*texts(course))] == [a.overall for a in both(*texts(course, factor))]


@settings(max_examples=60, deadline=None)
@given(TWO_LESIONS)
def test_order_of_lesions_and_later_visits_change_nothing(course: list[tuple[Any, ...]]) -> None:
    forward = visits(*texts(course))
    backward = tuple(replace(visit, observations=visit.observations[::-1]) for visit in forward)
    for assess in (assess_choi, assess_modified_choi):
        whole = assess(forward)
        assert [a.overall for a in assess(backward)] == [a.overall for a in whole]
        assert assess(forward[:-1]) == whole[:-1]


@settings(max_examples=60, deadline=None)
@given(TWO_LESIONS, TENTHS)
def test_a_larger_lesion_never_makes_progression_better(course: list[tuple[Any, ...]], more: Decimal) -> None:
    *earlier, (a, h, b, k) = course
    smaller = both(*texts(course))
    larger = both(*texts([*earlier, (a + more, h, b, k)]))
    for before, after in zip(smaller, larger, strict=True):
        assert before.overall != "PD" or after.overall == "PD"


def test_worked_example_of_the_page() -> None:
    example = PAGE.read_text(encoding="utf-8").split("## A worked example")[1]
    course = visits(
        "T01=60/h90 T02=40/h70",
        "T01=58/h76 T02=38/h60",
        "T01=52/h75 T02=36/h59",
        "T01=66/h72 T02=44/h60",
        "T01=66/h90 T02=44/h60",
    )
    choi, modified = assess_choi(course), assess_modified_choi(course)

    def row(name: str) -> list[str]:
        line = next(line for line in example.splitlines() if line.startswith(f"| {name} |"))
        return [cell.strip() for cell in line.split("|")[2:-1]]

    for name in ("T01", "T02"):
        seen = [visit.of(name) for visit in course]
        assert row(f"{name}, mm and HU") == [f"{o.long_axis_mm}, {o.mean_density_hu}" for o in seen if o]
    assert row("sum, mm")[1:] == [
        f"{a.target_sum} ({a.change_from_baseline_percent:+.1f} %)".replace("-", "−") for a in choi[1:]
    ]
    densities = [a.secondary[0] for a in choi[1:]]
    assert row("mean density, HU")[1:] == [
        f"{d.value} ({d.change_percent:+.1f} %)".replace("-", "−") for d in densities
    ]
    assert row("Choi")[1:] == [a.overall for a in choi[1:]]
    assert row("modified Choi")[1:] == [a.overall for a in modified[1:]]
    quoted = [line.removeprefix("> ") for line in example.splitlines() if line.startswith("> ")]
    assert tuple(quoted) == modified[1].reasons


def test_every_parameter_stands_on_the_page_with_its_default() -> None:
    page = PAGE.read_text(encoding="utf-8")
    shown = {True: "yes", False: "no"}
    for field in fields(ChoiParameters):
        line = next(line for line in page.splitlines() if line.startswith(f"| `{field.name}` |"))
        value = getattr(ChoiParameters(), field.name)
        assert line.split("|")[2].strip() == (shown[value] if isinstance(value, bool) else str(value))
