"""Which line is longest and what an outline measures is found in mm, whatever the pixels' shape."""

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from dicom_node.measurements.axis_concepts import LENGTH_WITHOUT_LINE, REGION_WITHOUT_SIZE
from dicom_node.measurements.reading import read_measurements
from tests.dicom_node.measurements.planes import lengths, placed, plane
from tests.dicom_node.measurements.sr_files import coded, group, image, number, report, scoord, write
from tests.dicom_node.measurements.test_aim import annotation, collection, markup
from tumorresp.domain.measurement import (
    LesionState,
    MarkedAxis,
    MarkedMeasurement,
    MarkedOutline,
    OutlineShape,
    PixelPoint,
    SourceDocument,
    UnnamedLine,
)
from tumorresp.domain.placement import place

ALONG_COLUMNS = [100.5, 100.5, 140.5, 100.5]  # 40 columns
ALONG_ROWS = [120.5, 70.5, 120.5, 130.5]  # 60 rows
SPACINGS = [(1.0, 1.0), (0.5, 2.0), (2.0, 0.5), (0.7, 0.9)]


def sr(tmp_path: Path, *children) -> MarkedMeasurement:
    (found,) = read_measurements(write(tmp_path / "sr.dcm", report(group(*children))))
    return found


def ring(long_mm: float, short_mm: float, angle: float, count: int = 720) -> NDArray[np.float64]:
    """Return an ellipse about (60, 60) mm as (x, y)."""
    t = np.linspace(0, 2 * np.pi, count, endpoint=False)
    points = np.column_stack([long_mm / 2 * np.cos(t), short_mm / 2 * np.sin(t)])
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    return points @ turn.T + 60


def graphic_data(points_mm: NDArray[np.float64], row_mm: float, column_mm: float) -> list[float]:
    """Return SCOORD coordinates, which count from the first pixel's corner."""
    return list((points_mm / (column_mm, row_mm) + 0.5).ravel())


@pytest.mark.parametrize(("row_mm", "column_mm"), SPACINGS)
def test_the_longest_of_unnamed_lengths(tmp_path: Path, row_mm: float, column_mm: float):
    lines = [number("length", None, scoord(data, image())) for data in (ALONG_COLUMNS, ALONG_ROWS)]
    expected = sorted((40 * column_mm, 60 * row_mm), reverse=True)
    measured = placed(sr(tmp_path, *lines), row_mm, column_mm)
    assert lengths(measured) == pytest.approx(expected)
    assert "axes-exchanged" not in [finding.code for finding in measured.findings]


@pytest.mark.parametrize(("row_mm", "column_mm"), SPACINGS)
def test_of_three_unnamed_lengths_the_longest_alone_counts(tmp_path: Path, row_mm: float, column_mm: float):
    diagonal = [100.5, 100.5, 130.5, 130.5]
    lines = [number("length", None, scoord(data, image())) for data in (diagonal, ALONG_COLUMNS, ALONG_ROWS)]
    longest = max(40 * column_mm, 60 * row_mm, math.hypot(30 * column_mm, 30 * row_mm))
    assert lengths(placed(sr(tmp_path, *lines), row_mm, column_mm)) == (pytest.approx(longest), None)


def test_lengths_on_images_of_different_spacing(tmp_path: Path):
    lines = [number("length", None, scoord([0.5, 0.5, 40.5, 0.5], image(uid))) for uid in ("1.2.1", "1.2.2")]
    found = sr(tmp_path, *lines)
    measured = place(found, {"1.2.1": [plane("1.2.1", 0.5, 0.5)], "1.2.2": [plane("1.2.2", 0.8, 0.8)]})
    assert (measured.sop_instance_uid, lengths(measured)) == ("1.2.2", (pytest.approx(32), None))
    assert "axes-on-different-images" in [finding.code for finding in measured.findings]


@pytest.mark.parametrize(("row_mm", "column_mm"), SPACINGS)
def test_lines_of_an_annotation(tmp_path: Path, row_mm: float, column_mm: float):
    path = tmp_path / "aim.xml"
    lines = (((10.5, 10.5), (30.5, 30.5)), ((10.5, 20.5), (50.5, 20.5)), ((30.5, 0.5), (30.5, 60.5)))
    path.write_text(collection(annotation("".join(markup(f"2.25.{n}", line) for n, line in enumerate(lines)))))
    (found,) = read_measurements(path)
    of_lines = [math.dist((a * column_mm, b * row_mm), (c * column_mm, d * row_mm)) for (a, b), (c, d) in lines]
    assert lengths(placed(found, row_mm, column_mm)) == pytest.approx(sorted(of_lines, reverse=True)[:2])


@pytest.mark.parametrize("angle", [0.0, 0.3, 0.8, 1.2, math.pi / 2])
@pytest.mark.parametrize(("row_mm", "column_mm"), SPACINGS)
def test_a_closed_outline(tmp_path: Path, angle: float, row_mm: float, column_mm: float):
    points = ring(32, 16, angle)
    region = scoord(graphic_data(np.vstack([points, points[:1]]), row_mm, column_mm), image(), name="region")
    found = sr(tmp_path, region, number("long", "32"), number("short", "16"))
    assert lengths(placed(found, row_mm, column_mm)) == pytest.approx((32, 16), abs=0.01)


@pytest.mark.parametrize(("gap", "is_closed"), [(0.0, True), (0.0009, True), (0.01, False), (3.0, False)])
def test_an_outline_is_closed_where_its_ends_are_one_point(tmp_path: Path, gap: float, is_closed: bool):
    region = scoord([10, 10, 40, 10, 40, 50, 10, 50, 10, 10 + gap], image(), name="region")
    found = read_measurements(write(tmp_path / "sr.dcm", report(group(region, number("long", "50")))))
    assert [len(item.outlines) for item in found] == [int(is_closed)]
    assert found[0].passed_over == ("" if is_closed else LENGTH_WITHOUT_LINE)


@pytest.mark.parametrize("holder", ["group", "length"])
@pytest.mark.parametrize("angle", [0.0, 0.4, 1.1])
@pytest.mark.parametrize(("row_mm", "column_mm"), SPACINGS)
def test_an_ellipse(tmp_path: Path, angle: float, row_mm: float, column_mm: float, holder: str):
    """Ends of axes that are at right angles in mm, and of axes that are so in pixels: one ellipse."""
    points = ring(32, 16, angle, count=4)[[0, 2, 1, 3]]
    region = scoord(graphic_data(points, row_mm, column_mm), image(), kind="ELLIPSE", name="region")
    children = [region, number("long", "32")] if holder == "group" else [number("long", "32", region)]
    measured = placed(sr(tmp_path, *children), row_mm, column_mm)
    assert lengths(measured) == pytest.approx((32, 16), abs=1e-3)
    assert not {"axes-not-perpendicular", "axes-exchanged"} & {finding.code for finding in measured.findings}


@pytest.mark.parametrize("shift", [0.1, 0.7, 1.3, 2.9])
def test_any_conjugate_diameters_of_an_ellipse_give_its_axes(tmp_path: Path, shift: float):
    count = 720
    points = ring(32, 16, 0.5, count)
    first = int(shift / (2 * math.pi) * count)
    ends = points[[(first + quarter * count // 4) % count for quarter in (0, 2, 1, 3)]]
    region = scoord(graphic_data(ends, 1, 1), image(), kind="ELLIPSE", name="region")
    measured = placed(sr(tmp_path, region, number("long", "32")))
    assert lengths(measured) == pytest.approx((32, 16), abs=1e-3)


@pytest.mark.parametrize("angle", [0.0, 0.4, 1.1])
def test_a_round_ellipse_keeps_the_line_that_was_drawn(tmp_path: Path, angle: float):
    """It has no long axis of its own: of its equal diameters the first one is one that its writer drew."""
    ends = ring(20, 20, angle, count=4)[[0, 2, 1, 3]]
    region = scoord(graphic_data(ends, 1, 1), image(), kind="ELLIPSE", name="region")
    measured = placed(sr(tmp_path, region, number("long", "20")))
    drawn = {measured.long_axis.start_lps_mm[:2], measured.long_axis.end_lps_mm[:2]}
    assert sorted(drawn) == pytest.approx(np.array(sorted(map(tuple, ends[:2]))), abs=1e-4)


def test_a_radius_that_is_drawn_is_no_diameter(tmp_path: Path):
    line = scoord([60.5, 60.5, 69.5, 72.5], image())
    circle = scoord([60.5, 60.5, 69.5, 72.5], image(), kind="CIRCLE", name="region")
    radius = number(("131190003", "SCT", "Radius"), "15", line)
    assert lengths(placed(sr(tmp_path, radius, circle))) == pytest.approx((30, 30))
    (alone,) = read_measurements(write(tmp_path / "line.dcm", report(group(radius))))
    assert alone.passed_over == LENGTH_WITHOUT_LINE


@pytest.mark.parametrize("angle", [0.0, 0.3, 0.8, 1.2, math.pi / 2])
@pytest.mark.parametrize(("row_mm", "column_mm"), SPACINGS)
def test_a_circle(tmp_path: Path, angle: float, row_mm: float, column_mm: float):
    rim = 60 + 12 * np.array([math.cos(angle), math.sin(angle)])
    region = scoord(graphic_data(np.array([[60, 60], rim]), row_mm, column_mm), image(), kind="CIRCLE", name="region")
    measured = placed(sr(tmp_path, region, number("length", "24")), row_mm, column_mm)
    assert lengths(measured) == pytest.approx((24, 24), abs=1e-3)
    assert measured.stated_long_mm is None
    long, short = measured.long_axis, measured.short_axis
    assert long.midpoint_lps_mm == pytest.approx((60, 60, 0), abs=1e-3)
    assert short.midpoint_lps_mm == pytest.approx((60, 60, 0), abs=1e-3)
    ways = [np.subtract(axis.end_lps_mm, axis.start_lps_mm) for axis in (long, short)]
    assert np.dot(*ways) == pytest.approx(0, abs=1e-3)
    assert not {"axes-not-perpendicular", "axes-do-not-cross"} & {finding.code for finding in measured.findings}


@pytest.mark.parametrize("name", [("131190003", "SCT", "Radius"), ("1", "99VENDOR", "Radius of circle")])
@pytest.mark.parametrize("below", [True, False])
def test_of_a_circle_with_only_a_radius_the_diameter_is_read(tmp_path: Path, name: tuple[str, str, str], below: bool):
    circle = scoord([60.5, 60.5, 69.5, 72.5], image(), kind="CIRCLE", name="region")
    children = [number(name, "15", circle)] if below else [circle, number(name, "15")]
    measured = placed(sr(tmp_path, *children))
    assert lengths(measured) == pytest.approx((30, 30))
    assert (measured.stated_long_mm, "stated-length-differs" in [f.code for f in measured.findings]) == (None, False)


def test_of_several_contours_the_one_with_the_greatest_diameter_in_mm_counts(tmp_path: Path):
    wide, tall = ring(30, 10, 0.0), ring(24, 10, math.pi / 2)
    regions = [
        scoord(list(np.vstack([points, points[:1]]).ravel()), image(uid), name="region")
        for points, uid in ((wide, "1.2.1"), (tall, "1.2.2"))
    ]
    found = sr(tmp_path, *regions, number("long", None))
    planes = {uid: [plane(uid, row_mm=2.0)] for uid in ("1.2.1", "1.2.2")}
    measured = place(found, planes)
    assert (measured.sop_instance_uid, lengths(measured)[0]) == ("1.2.2", pytest.approx(48, abs=0.01))


REGIONS = [
    ("CIRCLE", [60.5, 60.5, 69.5, 72.5]),
    ("ELLIPSE", [10, 20, 50, 20, 30, 10, 30, 30]),
    ("POLYLINE", [10, 10, 40, 10, 40, 50, 10, 50, 10, 10]),
]
AREA = ("42798000", "SCT", "Area")


@pytest.mark.parametrize(("kind", "data"), REGIONS)
@pytest.mark.parametrize("way", ["region alone", "with an area", "below an area"])
def test_a_region_without_a_size_is_named_and_counts_nowhere(tmp_path: Path, kind: str, data: list[float], way: str):
    region = scoord(data, image(), kind=kind, name="region")
    children = {
        "region alone": [region],
        "with an area": [region, number(AREA, "700")],
        "below an area": [number(AREA, "700", region)],
    }[way]
    found = sr(tmp_path, *children)
    assert found.passed_over == REGION_WITHOUT_SIZE
    assert (found.long_axis, found.outlines, found.unnamed_lines) == (None, (), ())


@pytest.mark.parametrize(("kind", "data"), REGIONS)
def test_a_region_with_a_statement_is_a_statement(tmp_path: Path, kind: str, data: list[float]):
    region = scoord(data, image(), kind=kind, name="region")
    found = sr(tmp_path, region, coded("state", ("2667000", "SCT", "Absent")))
    assert (found.passed_over, found.state) == ("", LesionState.ABSENT)


MILLIMETRES = st.floats(20, 120)
FACTOR = st.floats(0.2, 5)
RADII = st.lists(st.floats(5, 60), min_size=5, max_size=20)


@given(radii=RADII, shape=st.sampled_from(OutlineShape), turn=st.floats(0, 3), row=FACTOR, column=FACTOR)
def test_pixel_spacing_changes_no_outline(radii, shape: OutlineShape, turn: float, row: float, column: float):
    """Other pixels under the same points in the patient: the same lengths."""
    t = turn + np.linspace(0, 2 * np.pi, len(radii), endpoint=False)
    points = 100 + np.array(radii)[:, None] * np.column_stack([np.cos(t), np.sin(t)])
    if shape is OutlineShape.ELLIPSE:
        way, across = radii[0] * np.array([math.cos(turn), math.sin(turn)]), radii[1] * np.array([-1, 0.3])
        points = 100 + np.stack([way, -way, across, -across])
        if np.linalg.svd([way, across])[1][1] < 1:
            return
    if shape is OutlineShape.CIRCLE:
        points = np.stack([np.full(2, 100.0), points[0]])

    def measure(row_mm: float, column_mm: float) -> tuple[float | None, float | None]:
        pixels = tuple(PixelPoint(x / column_mm, y / row_mm) for x, y in points)
        return lengths(placed(_marked(outlines=(MarkedOutline(shape, pixels, None, "1.2.7"),)), row_mm, column_mm))

    assert measure(row, column) == pytest.approx(measure(1, 1), abs=1e-3)


@given(lines=st.lists(st.tuples(*[MILLIMETRES] * 4), min_size=1, max_size=5), row=FACTOR, column=FACTOR)
def test_pixel_spacing_changes_no_choice(lines, row: float, column: float):
    of_lines = sorted((math.dist(line[:2], line[2:]) for line in lines), reverse=True)
    if of_lines[min(1, len(of_lines) - 1)] < 1:
        return
    marks = []
    for x1, y1, x2, y2 in lines:
        axis = MarkedAxis(pixels=(PixelPoint(x1 / column, y1 / row), PixelPoint(x2 / column, y2 / row)))
        marks.append(UnnamedLine(axis, axis, "1.2.7"))
    found = lengths(placed(_marked(unnamed_lines=tuple(marks), second_is_short=True), row, column))
    assert found == pytest.approx([*of_lines, None][:2])


def _marked(**changes: object) -> MarkedMeasurement:
    return MarkedMeasurement("2.25.1", SourceDocument("test", "2.25.2"), sop_instance_uid="1.2.7", **changes)
