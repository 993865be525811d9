"""Volumetric response: exact cubes of RECIST's ratios, the 5 mm of sphere diameter, the measurement error."""

import datetime
import math
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest

from tests.response.courses import visits
from tumorresp.domain.assessment import Assessment
from tumorresp.domain.finding import Severity
from tumorresp.domain.measurement import LesionRole, LesionState
from tumorresp.response import LesionObservation, Visit, VolumetricParameters, assess_volumetric
from tumorresp.response.parameters import VolumeFrom
from tumorresp.response.reliable_change import reliable_change_percent
from tumorresp.response.volumetric import sphere_diameter_mm, sphere_volume_mm3

TARGET_EXAMPLES = [
    ("T01=v10000", "T01=v3430", "PR"),
    ("T01=v10000", "T01=v3430.000001", "SD"),
    ("T01=v20000", "T01=v34560", "PD"),
    ("T01=v20000", "T01=v34559.999999", "SD"),
    ("T01=v20000", "T01=v10000", "T01=v17280", "PD"),
    ("T01=v20000", "T01=v10000", "T01=v17279.999999", "SD"),
    # a sphere of 20 mm (4188.79 mm3) must become one of 25 mm (8181.23 mm3): 1.728 times is not enough
    ("T01=v4188.790205", "T01=v7238.3", "SD"),
    ("T01=v4188.790205", "T01=v8181.230868", "SD"),
    ("T01=v4188.790204", "T01=v8181.230869", "PD"),
    ("T01=v30000 T02=v5000", "T01=v10000 T02=v2000", "PR"),
    ("T01=v30000 T02=v5000", "T01=v10000", "NE"),
    ("T01=v30000 T02=v5000", "T01=v60480", "PD"),
    ("T01=v30000 T02=v5000", "T01=v60479.999999", "NE"),
    ("T01=v30000", "T01=25", "NE"),  # no mask
    ("T01=v30000", "T01=v30000/ne", "NE"),
    ("T01=v30000", "T01=absent", "CR"),
    ("T01=v30000", "T01=v0", "CR"),
    ("T01=v30000", "T01=absent", "T01=v1", "PD"),  # back after CR
    ("T01=v30000 NT01=present", "T01=absent NT01=present", "T01=v65 NT01=present", "PR"),
    ("T01=v30000 NT01=present", "T01=absent NT01=present", "T01=small NT01=present", "PD"),  # 5 mm from nothing
    ("T01=v30000", "T01=small", "PR"),
    ("T01=v30000 T02n=20/v4000", "T01=absent T02n=9/v700", "CR"),
    ("T01=v30000 T02n=20/v4000", "T01=absent T02n=10/v700", "PR"),
    ("T01=v30000 T02n=20/v4000", "T01=absent T02n=v700", "PR"),
    ("T01=v30000", "T01=v100/absent", "NE"),
]  # fmt: skip


@pytest.mark.parametrize("example", TARGET_EXAMPLES, ids=" | ".join)
def test_target_response(example: tuple[str, ...]) -> None:
    *course, expected = example
    assert assess_volumetric(visits(*course))[-1].target == expected


def test_assessment_is_in_cubic_millimetres_under_its_own_name() -> None:
    first, second = assess_volumetric(visits("T01=v10000.5 T02=40", "T01=v3430"))
    assert (first.criterion, first.unit) == ("volume-recist", "mm3")
    assert first.target_sum == Decimal("10000.5")
    assert "target-without-baseline" in {f.code for f in first.findings}
    assert second.overall == "PR"
    assert dict(second.parameters)["progression"] == "216/125"


def test_non_target_and_new_lesions_count_as_in_recist() -> None:
    assert assess_volumetric(visits("T01=v900 NT01=present", "T01=v300 NT01=pd"))[1].overall == "PD"
    assert assess_volumetric(visits("T01=v900", "T01=v300 NEW01=v50"))[1].overall == "PD"
    assert assess_volumetric(visits("T01=v900 NT01=present", "T01=absent NT01=present"))[1].overall == "PR"


@pytest.mark.parametrize("diameter", ["0.001", "1", "5", "12.345678", "300"])
def test_sphere_diameter_is_the_cube_root_to_many_digits(diameter: str) -> None:
    volume = sphere_volume_mm3(Decimal(diameter))
    assert float(volume) == pytest.approx(math.pi / 6 * float(diameter) ** 3, abs=1e-6)
    assert sphere_diameter_mm(volume) >= Decimal(diameter)
    root = sphere_diameter_mm(Decimal(8) * volume) - 2 * sphere_diameter_mm(volume)
    assert abs(root) < Decimal("1e-24")


def test_sphere_of_nothing() -> None:
    assert sphere_diameter_mm(Decimal(0)) == 0


@pytest.mark.parametrize(
    ("long_axis", "limit"),
    [("9.9", None), ("10", 39), ("34.9", 39), ("35", 29), ("49.9", 29), ("50", 24), ("100", 24), ("100.1", None)],
)
def test_reliable_change_by_long_axis(long_axis: str, limit: int | None) -> None:
    assert reliable_change_percent(Decimal(long_axis)) == limit


@pytest.mark.parametrize(
    ("long_axis", "volume", "words"),
    [
        ("20", "1390", "+39.0 % from baseline: within the measurement error (39 % at a baseline long axis of 20.0 mm"),
        ("20", "1390.01", "+39.001 % from baseline: more than the measurement error (39 %"),
        ("40", "710", "−29.0 % from baseline: within the measurement error (29 %"),
        ("60", "750", "−25.0 % from baseline: more than the measurement error (24 %"),
        ("120", "750", "no limit of reliable change for a baseline long axis of 120.0 mm"),
    ],
)
def test_change_beside_the_measurement_error(long_axis: str, volume: str, words: str) -> None:
    reasons = assess_volumetric(visits(f"T01={long_axis}/v1000", f"T01={long_axis}/v{volume}"))[1].reasons
    assert any(f"T01 lung volume {words}" in reason or words in reason for reason in reasons), reasons


def test_total_tumour_volume_counts_every_segmented_lesion() -> None:
    assessed = assess_volumetric(visits("T01=v1000 NT01=v500", "T01=v1000 NT01=v500 NEW01=v2500"))
    assert "Total tumour volume, all that is segmented: 1.50 ml (2 lesions)." in assessed[0].reasons
    assert "Total tumour volume, all that is segmented: 4.00 ml (3 lesions)." in assessed[1].reasons
    assert assessed[1].target_sum == 1000


@pytest.mark.parametrize(
    ("volumes", "suggested"),
    [
        (("1000", "1727.9"), False),
        (("1000", "1728"), True),
        (("1000", "500", "864"), True),
        (("1000", "500", "863"), False),
        (("1000", "2000/pd"), False),  # the reader has decided
    ],
)
def test_growth_of_a_non_target_lesion_is_suggested_never_counted(volumes: tuple[str, ...], suggested: bool) -> None:
    last = assess_volumetric(visits(*(f"T01=v900 NT01=v{volume}" for volume in volumes)))[-1]
    found = [f for f in last.findings if f.code == "non-target-progression-suggested"]
    assert len(found) == suggested
    if suggested:
        assert found[0].severity is Severity.WARNING
        assert found[0].message.startswith("Suggested, not counted")
        assert last.non_target == "NON-CR/NON-PD"


def test_other_thresholds() -> None:
    rules = VolumetricParameters(partial_response=Fraction(65, 100), progression=Fraction(155, 100))
    for volume, expected in (("65000", "PR"), ("65001", "SD"), ("154999", "SD"), ("155000", "PD")):
        assert assess_volumetric(visits("T01=v100000", f"T01=v{volume}"), rules)[1].target == expected


ELLIPSOID = VolumetricParameters(volume_from=VolumeFrom.ELLIPSOID)


def ellipsoid(*diameters: str | None, state: LesionState = LesionState.MEASURED) -> LesionObservation:
    long_axis, short_axis, third_axis = (None if item is None else Decimal(item) for item in diameters)
    return LesionObservation(
        "T01", LesionRole.TARGET, False, "lung", state, long_axis, short_axis, Decimal(1), third_axis_mm=third_axis
    )


def ellipsoids(*seen: LesionObservation) -> tuple[Assessment, ...]:
    start = datetime.date(2024, 1, 1)
    course = [Visit(f"v{n}", f"v{n}", start + datetime.timedelta(42 * n), (item,)) for n, item in enumerate(seen)]
    return assess_volumetric(course, ELLIPSOID)


@pytest.mark.parametrize("diameters", [("40", "30", "20"), ("20", "40", "30"), ("30.5", "30.5", "30.5")])
def test_volume_of_an_ellipsoid(diameters: tuple[str, str, str]) -> None:
    (found,) = ellipsoids(ellipsoid(*diameters))
    one, other, third = (float(item) for item in diameters)
    assert float(found.target_sum or 0) == pytest.approx(math.pi / 6 * one * other * third, rel=1e-12)


def test_ellipsoids_respond_as_volumes_do() -> None:
    """A sphere of 40 mm shrinks to 28 mm (0.343 of its volume, PR) and grows again, at both limits of PD."""
    for sizes, expected in (
        (("40", "28", "33.6"), "PR PD"),
        (("40", "28.000001", "33.6"), "SD SD"),  # 1.2 times 28.000001 is more than 33.6
        (("40", "25", "30"), "PR PD"),  # exactly 5 mm wider, exactly 1.2 times
        (("40", "25", "29.999999"), "PR SD"),
        (("40", "24", "29"), "PR PD"),
        (("40", "24", "28.999999"), "PR SD"),
    ):
        found = ellipsoids(*(ellipsoid(size, size, size) for size in sizes))
        assert " ".join(item.overall for item in found[1:]) == expected


@pytest.mark.parametrize("diameters", [("40", "30", None), ("40", None, "20"), (None, "30", "20"), ("40", None, None)])
def test_two_diameters_make_no_ellipsoid(diameters: tuple[str | None, ...]) -> None:
    found = ellipsoids(ellipsoid("40", "30", "20"), ellipsoid(*diameters))[1]
    assert (found.target_sum, found.overall) == (None, "NE")
    assert "no-third-diameter" in {item.code for item in found.findings if item.decides}


def test_absent_and_too_small_ellipsoids() -> None:
    nothing = ellipsoid(None, None, None, state=LesionState.ABSENT)
    gone = ellipsoids(ellipsoid("40", "30", "20"), replace(nothing, volume_mm3=None))[1]
    assert (gone.target_sum, gone.overall) == (0, "CR")
    small = ellipsoids(ellipsoid("40", "30", "20"), ellipsoid(None, None, None, state=LesionState.TOO_SMALL))[1]
    assert float(small.target_sum or 0) == pytest.approx(math.pi / 6 * 5**3)
