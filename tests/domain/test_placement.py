"""Placing in the patient: worked examples, laws, and everything that must be refused or flagged."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tumorresp.domain.errors import InvalidMeasurement, MissingImages
from tumorresp.domain.geometry import ImagePlane
from tumorresp.domain.measurement import (
    LesionState,
    MarkedAxis,
    MarkedMeasurement,
    Measurement,
    PixelPoint,
    SourceDocument,
)
from tumorresp.domain.placement import check_identities, place
from tumorresp.domain.series_look import SeriesLook
from tumorresp.domain.terminology import LYMPH_NODE, Code

PLANE = ImagePlane(
    sop_instance_uid="1.2.1",
    frame_number=None,
    series_instance_uid="1.2.10",
    study_instance_uid="1.2.100",
    frame_of_reference_uid="1.2.1000",
    patient_id="P",
    origin_lps_mm=(-100.0, -80.0, 40.0),
    column_step_lps_mm=(0.5, 0.0, 0.0),
    row_step_lps_mm=(0.0, 0.8, 0.0),
    rows=200,
    columns=300,
    slice_thickness_mm=5.0,
)
PLANES = {"1.2.1": [PLANE]}


def line(*pixels: tuple[float, float], stated: float | None = None, unit: str = "") -> MarkedAxis:
    first, last = (PixelPoint(*pixel) for pixel in pixels)
    return MarkedAxis(pixels=(first, last), stated_length=stated, stated_unit=unit)


def lps(*ends: tuple[float, float, float]) -> MarkedAxis:
    return MarkedAxis(lps_mm=(ends[0], ends[1]))


def marked(long_axis: MarkedAxis | None, short_axis: MarkedAxis | None = None, **changes: object) -> MarkedMeasurement:
    return replace(
        MarkedMeasurement(
            "2.25.1",
            SourceDocument("test", "2.25.2"),
            patient_id="P",
            study_instance_uid="1.2.100",
            sop_instance_uid="1.2.1",
            long_axis=long_axis,
            short_axis=short_axis,
            label="T01",
        ),
        **changes,
    )


def codes(measurement: Measurement) -> set[str]:
    return {finding.code for finding in measurement.findings}


LONG = line((100, 50), (160, 50))  # 30 mm along the columns
SHORT = line((130, 40), (130, 60))  # 16 mm along the rows


def test_end_points_lie_where_the_images_spacing_puts_them():
    placed = place(marked(LONG, SHORT), PLANES)
    assert placed.long_axis.start_lps_mm == pytest.approx((-50, -40, 40))
    assert placed.long_axis.end_lps_mm == pytest.approx((-20, -40, 40))
    assert (placed.long_axis.length_mm, placed.short_axis.length_mm) == pytest.approx((30, 16))
    assert (placed.series_instance_uid, placed.slice_thickness_mm, placed.modality) == ("1.2.10", 5.0, "CT")
    assert placed.findings == ()


@given(st.floats(-0.5, 299.5), st.floats(-0.5, 199.5), st.floats(-0.5, 299.5), st.floats(-0.5, 199.5))
def test_pixels_come_back_from_the_patient(column1: float, row1: float, column2: float, row2: float):
    if math.hypot(0.5 * (column2 - column1), 0.8 * (row2 - row1)) < 0.1:
        return
    placed = place(marked(line((column1, row1), (column2, row2))), PLANES)
    assert PLANE.lps_to_pixel(placed.long_axis.start_lps_mm) == pytest.approx((column1, row1, 0), abs=1e-9)
    # The same ends, given in the patient, give the same measurement.
    again = place(marked(lps(placed.long_axis.start_lps_mm, placed.long_axis.end_lps_mm)), PLANES)
    assert again.long_axis == placed.long_axis


@pytest.mark.parametrize(
    ("stated", "unit", "expected", "code"),
    [
        (30.0, "mm", None, None),
        (30.6, "mm", None, None),  # 2 % exactly
        (30.61, "mm", 30.61, "stated-length-differs"),
        (29.4, "mm", None, None),
        (29.39, "mm", 29.39, "stated-length-differs"),
        (3.0, "cm", None, None),
        (3.1, "cm", 31.0, "stated-length-differs"),
        (30.0, "", None, None),
        (60.0, "1", None, "uncalibrated"),
        (30.0, "px", None, "uncalibrated"),
        (3.0, "linear", None, "uncalibrated"),
        (30.0, "furlong", None, "uncalibrated"),
    ],
)
def test_stated_lengths(stated: float, unit: str, expected: float | None, code: str | None):
    placed = place(marked(replace(LONG, stated_length=stated, stated_unit=unit)), PLANES)
    assert placed.stated_long_mm == (None if expected is None else pytest.approx(expected))
    assert codes(placed) == ({code} if code else set())
    assert placed.long_axis.length_mm == pytest.approx(30)


@pytest.mark.parametrize(("stated", "differs"), [(101.0, False), (101.01, True), (98.99, True), (99.0, False)])
def test_beyond_50_mm_one_millimetre_counts(stated: float, differs: bool):
    placed = place(marked(line((50, 50), (250, 50), stated=stated, unit="mm")), PLANES)
    assert ("stated-length-differs" in codes(placed)) is differs


def test_the_longer_line_becomes_the_long_axis_with_its_own_stated_length():
    placed = place(
        marked(replace(SHORT, stated_length=20, stated_unit="mm"), replace(LONG, stated_length=40, stated_unit="mm")),
        PLANES,
    )
    assert (placed.long_axis.length_mm, placed.short_axis.length_mm) == pytest.approx((30, 16))
    assert (placed.stated_long_mm, placed.stated_short_mm) == (40, 20)
    assert "axes-exchanged" in codes(placed)


@pytest.mark.parametrize(
    ("short", "code"),
    [
        (line((130, 40), (130, 60)), None),
        (line((100, 50), (100, 70)), None),  # touches an end
        (line((130, 53), (130, 70)), "axes-do-not-cross"),  # begins 2.4 mm beside
        (line((200, 40), (200, 60)), "axes-do-not-cross"),
        # 16 degrees off in mm; 15 are allowed
        (line((130 - 16 * math.tan(math.radians(16)), 40), (130 + 16 * math.tan(math.radians(16)), 60)),
         "axes-not-perpendicular"),
        (line((130 - 16 * math.tan(math.radians(14)), 40), (130 + 16 * math.tan(math.radians(14)), 60)), None),
    ],
)  # fmt: skip
def test_lines_that_are_no_cross(short: MarkedAxis, code: str | None):
    assert codes(place(marked(LONG, short), PLANES)) == ({code} if code else set())


@pytest.mark.parametrize(
    "axis",
    [
        line((100, 50), (100, 50)),
        line((100, 50), (100.1, 50)),  # 0.05 mm
        line((100, 50), (302, 50)),
        line((-3, 50), (100, 50)),
        line((100, 50), (100, 203)),
        line((100, 50), (math.nan, 50)),
        line((100, 50), (math.inf, 50)),
        MarkedAxis(),
        lps((-50, -40, 40), (-50, -40, 40)),
        lps((-50, -40, 40), (math.nan, -40, 40)),
        lps((-50, -40, 40), (500, -40, 40)),
    ],
)
@pytest.mark.parametrize("name", ["long_axis", "short_axis"])
def test_lines_that_cannot_be(axis: MarkedAxis, name: str):
    lines = {"long_axis": LONG, "short_axis": SHORT} | {name: axis}
    with pytest.raises(InvalidMeasurement, match="T01"):
        place(marked(**lines), PLANES)


def test_coordinates_beside_every_image():
    beside = lps((-35, -48, 80), (-35, -32, 80))
    with pytest.raises(InvalidMeasurement, match=r"40\.0 mm beside"):
        place(marked(beside), PLANES)
    on_it = lps((-50, -40, 40), (-20, -40, 40))
    assert codes(place(marked(on_it, beside), PLANES)) == {"axes-do-not-cross"}


def test_an_end_on_the_images_edge_is_on_the_image():
    placed = place(marked(line((-0.5, -0.5), (299.5, 199.5))), PLANES)
    assert placed.long_axis.distance_mm == pytest.approx(math.hypot(150, 160))


def test_without_pixel_spacing_there_are_no_millimetres():
    plane = replace(PLANE, calibrated=False)
    with pytest.raises(InvalidMeasurement, match=r"Pixel Spacing"):
        place(marked(LONG), {"1.2.1": [plane]})


def test_absent_image():
    with pytest.raises(MissingImages, match=r"9\.9"):
        place(marked(LONG, sop_instance_uid="9.9"), PLANES)


def test_pixels_without_an_image():
    with pytest.raises(InvalidMeasurement, match="image"):
        place(marked(LONG, sop_instance_uid=""), PLANES)


def test_another_patient_or_study_is_flagged_without_saying_whose():
    placed = place(marked(LONG, patient_id="CANARY-4711", study_instance_uid="1.2.999"), PLANES)
    assert codes(placed) == {"patient-id-differs", "study-differs"}
    assert placed.study_instance_uid == "1.2.100"
    assert not any("CANARY" in str(finding) for finding in placed.findings)


def frames(count: int = 3) -> dict[str, list[ImagePlane]]:
    return {
        "1.2.1": [
            replace(PLANE, frame_number=n, origin_lps_mm=(-100.0, -80.0, 40.0 + 5 * (n - 1)))
            for n in range(1, count + 1)
        ]
    }


def test_frames():
    assert place(marked(LONG, frame_number=2), frames()).long_axis.start_lps_mm[2] == 45
    assert place(marked(LONG, frame_number=2), frames()).frame_number == 2
    with pytest.raises(InvalidMeasurement, match="frame 4"):
        place(marked(LONG, frame_number=4), frames())
    with pytest.raises(InvalidMeasurement, match="3 frames"):
        place(marked(LONG), frames())
    # Patient coordinates find their frame themselves.
    assert place(marked(lps((-50, -40, 51), (-20, -40, 51))), frames()).frame_number == 3
    # Frame 1 of an image that has no frames.
    assert place(marked(LONG, frame_number=1), PLANES).frame_number is None


def stack() -> dict[str, list[ImagePlane]]:
    thick = [replace(PLANE, sop_instance_uid=f"1.3.{n}", origin_lps_mm=(-100.0, -80.0, 5.0 * n)) for n in range(10)]
    thin = [
        replace(
            PLANE,
            sop_instance_uid=f"1.4.{n}",
            series_instance_uid="1.2.11",
            origin_lps_mm=(-100.0, -80.0, 1.0 * n),
            slice_thickness_mm=1.0,
        )
        for n in range(50)
    ]
    return {plane.sop_instance_uid: [plane] for plane in (*thick, *thin)}


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"frame_of_reference_uid": "1.2.1000"}, "1.4.22"),
        ({"frame_of_reference_uid": "1.2.1000", "series_instance_uid": "1.2.10"}, "1.3.4"),
        ({"series_instance_uid": "1.2.10"}, "1.3.4"),
        ({"study_instance_uid": "1.2.100"}, "1.4.22"),
        # The report is kept in a study of its own: the frame of reference is what counts.
        ({"frame_of_reference_uid": "1.2.1000", "study_instance_uid": "1.2.777"}, "1.4.22"),
    ],
)
def test_patient_coordinates_find_their_slice(facts: dict[str, str], expected: str):
    blank = {"sop_instance_uid": "", "study_instance_uid": "", "patient_id": ""}
    item = marked(lps((-50, -40, 22.2), (-20, -40, 22.2)), **(blank | facts))
    planes = stack()
    assert place(item, planes).sop_instance_uid == expected
    assert place(item, dict(reversed(planes.items()))).sop_instance_uid == expected


def test_of_equally_near_slices_the_thinner_counts():
    item = marked(lps((-50, -40, 20), (-20, -40, 20)), sop_instance_uid="", frame_of_reference_uid="1.2.1000")
    assert place(item, stack()).sop_instance_uid == "1.4.20"


@pytest.mark.parametrize(
    "facts",
    [
        {"frame_of_reference_uid": "1.2.5"},
        {},
        {"frame_of_reference_uid": "1.2.1000", "long_axis": lps((-50, -40, 90), (-20, -40, 90))},
        {"frame_of_reference_uid": "1.2.1000", "long_axis": lps((-500, -40, 20), (-470, -40, 20))},
    ],
)
def test_patient_coordinates_that_no_image_holds_wait(facts: dict[str, object]):
    item = marked(lps((-50, -40, 20), (-20, -40, 20)), sop_instance_uid="", study_instance_uid="")
    with pytest.raises(MissingImages):
        place(replace(item, **facts), stack())


def test_coordinates_beside_their_image_are_placed_where_they_lie_and_flagged():
    item = marked(lps((-50, -40, 22), (-20, -40, 22)), sop_instance_uid="1.3.9")
    placed = place(item, stack())
    assert placed.sop_instance_uid == "1.4.22"
    assert codes(placed) == {"placed-by-coordinates"}


def test_coordinates_of_another_frame_of_reference_than_their_image():
    item = marked(lps((-50, -40, 40), (-20, -40, 40)), frame_of_reference_uid="1.2.5")
    with pytest.raises(InvalidMeasurement, match="frame of reference"):
        place(item, PLANES)


@pytest.mark.parametrize(
    ("facts", "nodal", "deduced"),
    [
        ({}, None, False),
        ({"site": LYMPH_NODE}, True, True),
        ({"finding_type": LYMPH_NODE}, True, True),
        ({"site": Code("x", "y", "Mediastinal lymph node")}, True, True),
        ({"label": "axillary node left"}, True, True),
        ({"label": "GTV_node"}, True, True),
        ({"label": "nodule in the lung"}, None, False),
        ({"nodal": False, "label": "axillary node left"}, False, False),
        ({"nodal": True}, True, False),
    ],
)
def test_lymph_nodes_are_recognised_and_said_so(facts: dict[str, object], nodal: bool | None, deduced: bool):
    placed = place(marked(LONG, **facts), PLANES)
    assert placed.nodal is nodal
    assert ("nodal-deduced" in codes(placed)) is deduced


def test_of_a_node_measured_across_only_the_short_axis_is_known():
    node = place(marked(None, SHORT, nodal=True), PLANES)
    assert node.short_axis == node.long_axis
    assert node.short_axis.length_mm == pytest.approx(16)
    assert codes(node) == {"short-axis-only"}
    other = place(marked(None, SHORT), PLANES)
    assert (other.long_axis.length_mm, other.short_axis) == (pytest.approx(16), None)
    assert codes(other) == {"short-axis-only"}


@pytest.mark.parametrize("state", [s for s in LesionState if s is not LesionState.MEASURED])
def test_statements_need_no_images(state: LesionState):
    placed = place(marked(None, state=state, sop_instance_uid=""), {})
    assert (placed.state, placed.long_axis, placed.study_instance_uid) == (state, None, "1.2.100")


def test_a_statement_finds_its_study_by_image_or_series():
    by_image = marked(None, state=LesionState.ABSENT, study_instance_uid="", patient_id="Q")
    placed = place(by_image, PLANES)
    assert placed.study_instance_uid == "1.2.100"
    assert codes(placed) == {"patient-id-differs"}
    by_series = replace(by_image, sop_instance_uid="", series_instance_uid="1.2.10")
    assert place(by_series, PLANES).study_instance_uid == "1.2.100"


def test_a_measured_lesion_needs_a_line():
    with pytest.raises(InvalidMeasurement, match="T01"):
        place(marked(None), PLANES)


def test_two_measurements_with_one_identity():
    one = place(marked(LONG, tracking_uid="1.5"), PLANES)
    same = replace(one, measurement_uid="2.25.7")
    others = (
        replace(same, measurement_uid="2.25.8", tracking_uid="1.6"),
        replace(same, measurement_uid="2.25.9", reader="B"),
        replace(same, measurement_uid="2.25.10", tracking_uid_is_stable=False),
        replace(same, measurement_uid="2.25.11", tracking_uid=""),
    )
    assert check_identities([one, *others]) == ()
    assert check_identities([one, one]) == ()
    assert [(f.code, f.where) for f in check_identities([same, *others, one])] == [
        ("identity-repeated", "2.25.1"),
        ("identity-repeated", "2.25.7"),
    ]


def test_an_oblique_image():
    normal = np.array([1, 1, 1]) / math.sqrt(3)
    row_direction = np.array([1, -1, 0]) / math.sqrt(2)
    column_direction = np.cross(normal, row_direction)
    oblique = replace(
        PLANE,
        column_step_lps_mm=tuple(0.7 * row_direction),
        row_step_lps_mm=tuple(0.7 * column_direction),
    )
    placed = place(marked(line((10, 10), (40, 50))), {"1.2.1": [oblique]})
    assert placed.long_axis.length_mm == pytest.approx(0.7 * 50)


def test_the_series_that_is_taken_of_several_is_named():
    thin = replace(PLANE, sop_instance_uid="thin", series_instance_uid="s1", slice_thickness_mm=1.0)
    thick = replace(PLANE, sop_instance_uid="thick", series_instance_uid="s2", slice_thickness_mm=5.0)
    planes = {
        "thin": [replace(thin, look=SeriesLook("Thorax 1.0"))],
        "thick": [replace(thick, look=SeriesLook("Thorax 5.0"))],
    }
    axis = MarkedAxis(lps_mm=(PLANE.pixel_to_lps(10, 10), PLANE.pixel_to_lps(20, 10)))
    free = MarkedMeasurement(
        "m", SourceDocument("rtstruct", "d"), frame_of_reference_uid=PLANE.frame_of_reference_uid, long_axis=axis
    )
    placed = place(free, planes)
    (finding,) = [f for f in placed.findings if f.code == "series-chosen"]
    assert "“Thorax 1.0” is taken" in finding.message
    assert "beside “Thorax 5.0”" in finding.message
    named = replace(free, sop_instance_uid="thick")
    assert not any(f.code == "series-chosen" for f in place(named, planes).findings)
    assert not any(f.code == "series-chosen" for f in place(free, {"thin": planes["thin"]}).findings)
