"""Structured reports in the dialects of their writers."""

import datetime
from pathlib import Path

import pydicom
import pytest
from pydicom.dataset import Dataset

from dicom_node.ct_volume import read_ct_volume
from dicom_node.measurements.axis_concepts import LENGTH_WITHOUT_LINE, AxisKind, axis_kind
from dicom_node.measurements.reading import read_measurements
from dicom_node.phantom_reading import write_reading
from dicom_node.phantom_series import write_series
from tests.dicom_node.measurements.planes import lengths, placed, with_square_pixels
from tests.dicom_node.measurements.sr_files import (
    CODES,
    IMAGE,
    code,
    coded,
    container,
    group,
    image,
    item,
    number,
    report,
    scoord,
    scoord3d,
    text,
    uid,
    write,
)
from tumorresp.domain.errors import InvalidInput
from tumorresp.domain.measurement import LesionRole, LesionState, MarkedMeasurement, PixelPoint
from tumorresp.domain.placement import place
from tumorresp.domain.terminology import LYMPH_NODE, Code
from tumorresp.phantom.thorax_abdomen import SMALL, PhantomSubject

LONG = [10.5, 20.5, 40.5, 20.5]
SHORT = [25.5, 10.5, 25.5, 28.5]


def read(tmp_path: Path, *children: Dataset, **options) -> tuple[MarkedMeasurement, ...]:
    return read_measurements(write(tmp_path / "report.dcm", report(*children)), **options)


def line(data: list[float], **options) -> Dataset:
    return scoord(data, image(**options))


def test_a_bidirectional_measurement(tmp_path: Path):
    observer = item("PNAME", "observer", relation="HAS OBS CONTEXT")
    observer.PersonName = "READER^ONE"
    (found,) = read(
        tmp_path,
        observer,
        group(
            text("tracking", "T01"),
            uid("tracking uid", "1.2.3.44"),
            coded("finding", ("4147007", "SCT", "Mass")),
            coded("site", ("10200004", "SCT", "Liver"), "HAS CONCEPT MOD"),
            text("comment", "seg VII"),
            number("long", "21.0", line(LONG)),
            number("short", "12.6", line(SHORT)),
        ),
    )
    assert found.long_axis.pixels == (PixelPoint(10, 20), PixelPoint(40, 20))
    assert found.short_axis.pixels == (PixelPoint(25, 10), PixelPoint(25, 28))
    assert (found.long_axis.stated_length, found.long_axis.stated_unit) == (21.0, "mm")
    assert (found.sop_instance_uid, found.frame_number) == (IMAGE, None)
    assert (found.tracking_identifier, found.tracking_uid, found.tracking_uid_is_stable) == ("T01", "1.2.3.44", True)
    assert (found.finding_type.meaning, found.site.meaning) == ("Mass", "Liver")
    assert (found.label, found.comment, found.reader) == ("seg VII", "seg VII", "READER^ONE")
    assert (found.patient_id, found.study_instance_uid) == ("CANARY-4711", "1.2.3.1")
    assert (found.source.format, found.source.document_uid, found.source.writer) == (
        "dicom-sr-tid1500",
        "1.2.3.9",
        "Maker",
    )
    assert found.measured_at == datetime.datetime(2024, 2, 29, 10, 11, 12, tzinfo=datetime.UTC)


@pytest.mark.parametrize(
    ("concept", "kind"),
    [
        (CODES["long"], AxisKind.LONG),
        (CODES["long srt"], AxisKind.LONG),
        (("L1", "99VENDOR", "LONG AXIS"), AxisKind.LONG),
        (("L1", "99VENDOR", "Longest diameter"), AxisKind.LONG),
        (CODES["short"], AxisKind.SHORT),
        (CODES["short srt"], AxisKind.SHORT),
        (("S1", "99VENDOR", "short axis of lesion"), AxisKind.SHORT),
        (CODES["length"], AxisKind.SINGLE),
        (("G-D7FE", "SRT", "Length"), AxisKind.SINGLE),
        (("121206", "DCM", "Distance"), AxisKind.SINGLE),
        (("81827009", "SCT", "Diameter"), AxisKind.SINGLE),
        (("G-D7FE", "SRT", "AREA"), None),
        (("118565006", "SCT", "Volume"), None),
        (("113838", "DCM", "Distance Source to Detector"), None),
        (("112031", "DCM", "Attenuation Coefficient"), None),
    ],
)
def test_which_concept_is_an_axis(concept: tuple[str, str, str], kind: AxisKind | None):
    assert axis_kind(Code(*concept)) is kind


@pytest.mark.parametrize("origin", ["dicom", "centre"])
def test_half_a_pixel(tmp_path: Path, origin: str):
    (found,) = read(tmp_path, group(number("length", "21", line([10, 20, 40, 20]))), pixel_origin=origin)
    assert found.long_axis.pixels[0] == (PixelPoint(9.5, 19.5) if origin == "dicom" else PixelPoint(10, 20))


def test_patient_coordinates_need_no_image(tmp_path: Path):
    (found,) = read(
        tmp_path,
        group(
            number("long", None, scoord3d([1, 2, 3, 31, 2, 3])),
            number("short", None, scoord3d([15, -7, 3, 15, 9, 3])),
        ),
    )
    assert found.long_axis.lps_mm == ((1, 2, 3), (31, 2, 3))
    assert found.short_axis.lps_mm == ((15, -7, 3), (15, 9, 3))
    assert (found.sop_instance_uid, found.frame_of_reference_uid) == ("", "1.2.3.5")
    assert found.long_axis.stated_length is None


def test_frame_numbers(tmp_path: Path):
    first, second = read(
        tmp_path,
        group(number("length", "21", line(LONG, frames=[7]))),
        group(number("length", "21", line(LONG, frames=[0]))),
    )
    assert (first.frame_number, second.frame_number) == (7, None)


@pytest.mark.parametrize(
    ("identifier", "stable"),
    [
        ("Cornerstone3DTools@^0.1.0:Bidirectional", False),
        ("cornerstoneTools@^4.0.0:Bidirectional", False),
        ("Cornerstone3DTools", False),
        ("Lesion 3", True),
        ("cornerstone-like lesion", True),
    ],
)
def test_a_tools_name_is_no_identity(tmp_path: Path, identifier: str, stable: bool):
    (found,) = read(
        tmp_path,
        group(text("tracking", identifier), uid("tracking uid", "2.25.5"), number("long", "21", line(LONG))),
    )
    assert (found.tracking_uid, found.tracking_uid_is_stable) == ("2.25.5", stable)
    assert found.label == (identifier if stable else "")


@pytest.mark.parametrize("free_text", ["CORNERSTONEFREETEXT", "CS3DTEXT"])
def test_a_free_text_finding_is_a_label(tmp_path: Path, free_text: str):
    (found,) = read(
        tmp_path,
        group(
            coded("finding", (free_text, "CST4", "Liver met 1")),
            coded("site srt", ("T-62000", "SRT", "Liver")),
            number("long srt", "21", line(LONG), unit=("1", "UCUM", "px")),
        ),
    )
    assert (found.label, found.finding_type, found.site.value) == ("Liver met 1", None, "T-62000")
    assert (found.long_axis.stated_length, found.long_axis.stated_unit) == (21.0, "1")


def test_where_the_text_stood_is_no_line(tmp_path: Path):
    handles = scoord([1, 1, 2, 2], image(), name=("ControlPoints", "99CS3D", "ControlPoints"))
    position = scoord([5, 5, 90, 90], image(), name=("TextPosition", "99CS3D", "TextPosition"))
    (found,) = read(tmp_path, group(number("long", "21", handles, position, line(LONG)), position, handles))
    assert found.long_axis.pixels == (PixelPoint(10, 20), PixelPoint(40, 20))


def test_of_two_unnamed_lengths_the_longer_is_the_long_axis(tmp_path: Path):
    (found,) = read(tmp_path, group(number("length", "12", line(SHORT)), number("length", "21", line(LONG))))
    found = with_square_pixels(found)
    assert found.long_axis.stated_length == 21
    assert found.short_axis.stated_length == 12
    assert [finding.code for finding in found.findings] == ["axes-by-length"]


def test_axes_on_different_images_do_not_belong_together(tmp_path: Path):
    short = number("short", "12", line(SHORT, sop_instance_uid="1.2.3.8"))
    (found,) = read(tmp_path, group(number("long", "21", line(LONG)), short))
    assert found.short_axis is None
    assert [finding.code for finding in found.findings] == ["axes-on-different-images"]


def test_a_short_axis_alone_stays_one(tmp_path: Path):
    (found,) = read(
        tmp_path, group(coded("site", ("59441001", "SCT", "Lymph node")), number("short", "12", line(SHORT)))
    )
    assert (found.long_axis, found.short_axis.stated_length, found.sop_instance_uid) == (None, 12, IMAGE)
    assert found.site.same_concept(LYMPH_NODE)


@pytest.mark.parametrize(
    ("kind", "data", "long", "short"),
    [
        ("ELLIPSE", [10, 20, 50, 20, 30, 10, 30, 30], 40, 20),
        ("CIRCLE", [30, 20, 30, 35], 30, 30),
        ("POLYLINE", [10, 20, 50, 20], 40, None),
        ("POLYLINE", [10, 10, 40, 10, 40, 50, 10, 50, 10, 10], 50, 48),  # 3-4-5: across a diagonal 2 * 30 * 40 / 50
    ],
)
def test_lengths_of_an_image_region(tmp_path: Path, kind: str, data: list[float], long: float, short: float | None):
    """TID 1410 measures its region: the lengths have no lines of their own."""
    region = scoord(data, image(), kind=kind, name="region")
    (found,) = read(tmp_path, group(region, number("long", "33.3"), number("short", "22.2")))
    measured = placed(found)
    # A rectangle's longest chord across its diagonal runs from corner to side: 30 / 0.8.
    across = 37.5 if short == 48 else short
    assert lengths(measured) == (pytest.approx(long, rel=1e-4), across and pytest.approx(across, rel=1e-4))
    assert measured.sop_instance_uid == IMAGE
    assert (measured.stated_long_mm, measured.stated_short_mm) == (33.3, None if short is None else 22.2)
    assert "axes-derived" in [finding.code for finding in found.findings]


def segment() -> Dataset:
    made = image("1.2.3.77")
    made.ConceptNameCodeSequence = [code("121191", "DCM", "Referenced Segment")]
    return made


@pytest.mark.parametrize("name", ["long", "short", "length", ("131190003", "SCT", "Radius")])
@pytest.mark.parametrize("drawn", [[], [scoord([3, 4], image(), kind="POINT")]], ids=["nothing drawn", "a point"])
def test_a_length_without_a_line_is_named_and_counts_nowhere(tmp_path: Path, name, drawn: list[Dataset]):
    (found,) = read(tmp_path, group(number(name, "21", *drawn), image()))
    assert (found.passed_over, found.long_axis, found.short_axis) == (LENGTH_WITHOUT_LINE, None, None)
    assert found.sop_instance_uid == IMAGE


def test_groups_that_measure_no_lesion(tmp_path: Path):
    found = read(
        tmp_path,
        group(number(("118565006", "SCT", "Volume"), "1200")),
        group(segment(), number("long", "21")),  # a mask's axis, without a line
        group(number("long", None)),
        group(scoord(LONG, image(), name="region")),
        group(number(("111010", "DCM", "Center"), None, scoord([3, 4], image(), kind="POINT"))),
        group(coded("category", ("91723000", "SCT", "Anatomical Structure")), number("length", "20", line(LONG))),
    )
    assert found == ()


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (("2667000", "SCT", "Absent"), LesionState.ABSENT),
        (("52101004", "SCT", "Present"), LesionState.PRESENT),
        (("too-small", "99TUMORRESP", "Too Small To Measure"), LesionState.TOO_SMALL),
        (("not-evaluable", "99TUMORRESP", "Not Evaluable"), LesionState.NOT_EVALUABLE),
        (("unequivocal-progression", "99TUMORRESP", "x"), LesionState.UNEQUIVOCAL_PROGRESSION),
        (("equivocal", "99TUMORRESP", "x"), LesionState.EQUIVOCAL),
    ],
)
@pytest.mark.parametrize(("role", "expected_role"), [("non-target", LesionRole.NON_TARGET), ("new", LesionRole.NEW)])
def test_statements_without_lines(tmp_path: Path, state, expected: LesionState, role: str, expected_role: LesionRole):
    (found,) = read(
        tmp_path,
        group(
            text("tracking", "NT2"),
            uid("tracking uid", "1.2.3.45"),
            coded("role", (role, "99TUMORRESP", "x")),
            coded("state", state),
            image("1.2.3.8"),
        ),
    )
    assert (found.state, found.role, found.tracking_uid) == (expected, expected_role, "1.2.3.45")
    assert (found.long_axis, found.short_axis, found.sop_instance_uid) == (None, None, "1.2.3.8")


def test_a_response_code_on_a_lesion_is_text_and_no_state(tmp_path: Path):
    complete = coded(("112048", "DCM", "Current Response"), ("112041", "DCM", "Target Lesion Complete Response"))
    (found,) = read(tmp_path, group(complete, number("long", "21", line(LONG))))
    assert (found.state, found.comment) == (LesionState.MEASURED, "Target Lesion Complete Response")
    assert read(tmp_path, group(complete)) == ()


def test_a_vendors_tree(tmp_path: Path):
    """No measurement group: lengths with coordinates, grouped by the container that holds them."""
    lesion = ("V1", "99VENDOR", "Lesion")
    found = read(
        tmp_path,
        container(
            ("V0", "99VENDOR", "Findings"),
            container(
                lesion,
                text("comment", "left upper lobe"),
                number(("V2", "99VENDOR", "Long axis diameter"), "21", line(LONG)),
                number(("V3", "99VENDOR", "Perpendicular diameter"), "12", line(SHORT)),
                number(("V4", "99VENDOR", "Area"), "99", scoord([1, 1, 2, 2], image())),
            ),
            container(lesion, number(("V5", "99VENDOR", "Diameter"), "9", scoord3d([0, 0, 0, 9, 0, 0]))),
            container(lesion, number(("V5", "99VENDOR", "Diameter"), "9")),
        ),
    )
    assert [(m.label, m.source.format) for m in found] == [("left upper lobe", "dicom-sr"), ("", "dicom-sr")]
    assert (found[0].long_axis.stated_length, found[0].short_axis.stated_length) == (21, 12)
    assert found[1].long_axis.lps_mm == ((0, 0, 0), (9, 0, 0))


def test_one_item_sequences_and_missing_values(tmp_path: Path):
    bare = number("long", "21", line(LONG))
    del bare.MeasuredValueSequence
    empty = number("short", "", line(SHORT))
    (found,) = read(tmp_path, group(bare, empty))
    assert (found.long_axis.stated_length, found.short_axis.stated_length) == (None, None)


def test_by_reference_relationships(tmp_path: Path):
    """Coordinates that stand elsewhere in the report and are referred to by their place."""
    target = line(LONG)
    pointer = Dataset()
    pointer.RelationshipType, pointer.ReferencedContentItemIdentifier = "INFERRED FROM", [1, 1]
    (found,) = read(tmp_path, target, group(number("long", "21", pointer)))
    assert found.long_axis.pixels == (PixelPoint(10, 20), PixelPoint(40, 20))


def test_measurement_uids_name_document_and_place(tmp_path: Path):
    groups = [group(number("long", "21", line(LONG))) for _ in range(3)]
    first = [m.measurement_uid for m in read(tmp_path, *groups)]
    assert len(set(first)) == 3
    assert [m.measurement_uid for m in read(tmp_path, *groups)] == first


@pytest.mark.parametrize(
    "broken",
    [
        lambda: number("long", "21", scoord([1, 2, 3], image())),
        lambda: number("long", "21", scoord3d([1, 2, 3, 4])),
    ],
)
def test_coordinates_that_are_no_points(tmp_path: Path, broken):
    with pytest.raises(InvalidInput, match=r"report\.dcm.*Graphic Data"):
        read(tmp_path, group(broken()))


def test_a_reference_to_nowhere(tmp_path: Path):
    pointer = Dataset()
    pointer.RelationshipType, pointer.ReferencedContentItemIdentifier = "INFERRED FROM", [1, 9]
    with pytest.raises(InvalidInput, match="item 9"):
        read(tmp_path, group(number("long", "21", pointer)))


def test_a_reference_to_what_holds_it(tmp_path: Path):
    pointer = Dataset()
    pointer.RelationshipType, pointer.ReferencedContentItemIdentifier = "INFERRED FROM", [1]
    with pytest.raises(InvalidInput, match="nested"):
        read(tmp_path, group(number("long", "21", pointer)))


@pytest.mark.parametrize("levels", [61, 200, 250, 300, 50_000])
def test_a_tree_that_has_no_end(tmp_path: Path, levels: int):
    document = report()
    del document.ContentSequence
    path = write(tmp_path / "deep.dcm", document)
    opened = b"\x40\x00\x30\xa7SQ\0\0\xff\xff\xff\xff" + b"\xfe\xff\x00\xe0\xff\xff\xff\xff"
    closed = b"\xfe\xff\x0d\xe0\0\0\0\0" + b"\xfe\xff\xdd\xe0\0\0\0\0"
    path.write_bytes(path.read_bytes() + opened * levels + closed * levels)
    with pytest.raises(InvalidInput, match="deep"):
        read_measurements(path)


def test_a_report_without_content(tmp_path: Path):
    document = report()
    del document.ContentSequence
    with pytest.raises(InvalidInput, match=r"0040,A730"):
        read_measurements(write(tmp_path / "empty.dcm", document))


def test_the_phantoms_reading_comes_back_in_the_patient(tmp_path: Path):
    scan = PhantomSubject(SMALL).time_point(3)
    images = write_series(scan, tmp_path / "ct")
    planes = {plane.sop_instance_uid: [plane] for plane in read_ct_volume(images).planes}
    found = {m.tracking_identifier: m for m in read_measurements(write_reading(scan, images, tmp_path))}
    assert set(found) == {lesion.course.lesion_id for lesion in scan.lesions}
    for lesion in scan.lesions:
        placed = place(found[lesion.course.lesion_id], planes)
        assert (placed.role, placed.tracking_uid) == (lesion.course.role, lesion.tracking_uid)
        assert placed.reader == "READER^ONE"
        assert placed.state is lesion.state
        if lesion.long_axis is None:
            assert placed.long_axis is None
            continue
        for axis, truth in ((placed.long_axis, lesion.long_axis), (placed.short_axis, lesion.short_axis)):
            assert axis.start_lps_mm == pytest.approx(truth.start_lps_mm, abs=1e-3)
            assert axis.end_lps_mm == pytest.approx(truth.end_lps_mm, abs=1e-3)
        assert not [finding for finding in placed.findings if finding.code != "nodal-deduced"]


def test_pydicom_reads_what_the_tests_write(tmp_path: Path):
    path = write(tmp_path / "report.dcm", report(group(number("long", "21", line(LONG)))))
    assert pydicom.dcmread(path).ContentSequence[0].ContentSequence[0].ValueType == "NUM"
