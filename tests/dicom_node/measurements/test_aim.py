"""AIM 4 in XML and JSON, made after the description of ePAD's files; AIM 3 beyond the real samples; hostile files."""

import datetime
import json
from pathlib import Path
from xml.sax.saxutils import quoteattr

import pytest

from dicom_node.measurements.axis_concepts import REGION_WITHOUT_SIZE
from dicom_node.measurements.reading import read_measurements
from tests.dicom_node.measurements.planes import lengths, placed, with_square_pixels
from tumorresp.domain.errors import InvalidInput
from tumorresp.domain.measurement import LesionRole, LesionState, MarkedMeasurement, PixelPoint

LONG = ((10.5, 20.5), (50.5, 20.5))
SHORT = ((30.5, 10.5), (30.5, 35.5))


def display(value: str) -> str:
    return f'<iso:displayName xmlns:iso="uri:iso.org:21090" value={quoteattr(value)}/>'


def type_code(value: str, scheme: str, meaning: str) -> str:
    return f'<typeCode code="{value}" codeSystemName="{scheme}">{display(meaning)}</typeCode>'


def markup(uid: str, points, image: str = "1.2.7", frame: int = 1, kind: str = "TwoDimensionMultiPoint") -> str:
    # Written last point first: the coordinate's index counts.
    coordinates = "".join(
        f'<TwoDimensionSpatialCoordinate><coordinateIndex value="{index}"/><x value="{x}"/><y value="{y}"/>'
        "</TwoDimensionSpatialCoordinate>"
        for index, (x, y) in reversed(list(enumerate(points)))
    )
    return (
        f'<MarkupEntity xsi:type="{kind}"><uniqueIdentifier root="{uid}"/><imageReferenceUid root="{image}"/>'
        f'<referencedFrameNumber value="{frame}"/><twoDimensionSpatialCoordinateCollection>{coordinates}'
        "</twoDimensionSpatialCoordinateCollection></MarkupEntity>"
    )


def calculation(uid: str, code: tuple[str, str, str], value: object, unit: str, *, compact: bool = True) -> str:
    data = (
        f'<value value="{value}"/>'
        if compact
        else f'<calculationDataCollection><CalculationData><value value="{value}"/></CalculationData>'
        "</calculationDataCollection>"
    )
    kind = "CompactCalculationResult" if compact else "ExtendedCalculationResult"
    return (
        f'<CalculationEntity><uniqueIdentifier root="{uid}"/>{type_code(*code)}<calculationResultCollection>'
        f'<CalculationResult xsi:type="{kind}" type="Scalar"><unitOfMeasure value="{unit}"/>{data}'
        "</CalculationResult></calculationResultCollection></CalculationEntity>"
    )


def statement(calculated: str, drawn: str) -> str:
    return (
        '<ImageAnnotationStatement xsi:type="CalculationEntityReferencesMarkupEntityStatement">'
        f'<subjectUniqueIdentifier root="{calculated}"/><objectUniqueIdentifier root="{drawn}"/>'
        "</ImageAnnotationStatement>"
    )


LONG_AXIS = ("G-A185", "SRT", "LongAxis")
SHORT_AXIS = ("G-A186", "SRT", "ShortAxis")
LENGTH = ("G-D7FE", "SRT", "Length")


def annotation(
    markups: str,
    calculations: str = "",
    statements: str = "",
    *,
    uid: str = "2.25.31",
    tracking: str = "",
    name: str = "Lesion3~sp1~-",
    lesion_type: str = "target",
    comment: str = "CT / ABD 5X5 / 18 / 4~~segment VII",
) -> str:
    tracking_uid = f'<trackingUniqueIdentifier root="{tracking}"/>' if tracking else ""
    return f"""<ImageAnnotation><uniqueIdentifier root="{uid}"/>{tracking_uid}
      {type_code("RECIST", "99EPAD", "Tumor assessment")}
      <dateTime value="20200714010412"/><name value="{name}"/><comment value="{comment}"/>
      <imagingPhysicalEntityCollection>
        <ImagingPhysicalEntity>{type_code("S83", "99EPAD", "tracked")}</ImagingPhysicalEntity>
        <ImagingPhysicalEntity>{type_code("RID58", "RadLex", "liver")}</ImagingPhysicalEntity>
      </imagingPhysicalEntityCollection>
      <calculationEntityCollection>{calculations}</calculationEntityCollection>
      <imagingObservationEntityCollection><ImagingObservationEntity>
        <imagingObservationCharacteristicCollection><ImagingObservationCharacteristic>
          {type_code("S71", "99EPAD", lesion_type)}
        </ImagingObservationCharacteristic></imagingObservationCharacteristicCollection>
      </ImagingObservationEntity></imagingObservationEntityCollection>
      <markupEntityCollection>{markups}</markupEntityCollection>
      <imageAnnotationStatementCollection>{statements}</imageAnnotationStatementCollection>
      <imageReferenceEntityCollection><ImageReferenceEntity xsi:type="DicomImageReferenceEntity">
        <imageStudy><instanceUid root="1.2.5"/><imageSeries><instanceUid root="1.2.6"/><imageCollection>
        <Image><sopInstanceUid root="1.2.7"/></Image></imageCollection></imageSeries></imageStudy>
      </ImageReferenceEntity></imageReferenceEntityCollection></ImageAnnotation>"""


def collection(*annotations: str) -> str:
    return f"""<?xml version="1.0" encoding="UTF-8"?>
    <ImageAnnotationCollection xmlns="gme://caCORE.caCORE/4.4/edu.northwestern.radiology.AIM"
      xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" aimVersion="AIMv4_0">
      <uniqueIdentifier root="2.25.30"/><dateTime value="20161127153234"/>
      <user><name value="reader one"/><loginName value="one"/></user>
      <equipment><manufacturerName value="Maker"/></equipment>
      <person><name value="Canary^Yellow"/><id value="CANARY-4711"/></person>
      <imageAnnotations>{"".join(annotations)}</imageAnnotations></ImageAnnotationCollection>"""


def read(tmp_path: Path, text: str, name: str = "aim.xml", **options) -> tuple[MarkedMeasurement, ...]:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return read_measurements(path, **options)


def test_two_lines_are_long_and_short_axis(tmp_path: Path):
    text = collection(
        annotation(
            markup("2.25.1", SHORT) + markup("2.25.2", LONG),
            calculation("2.25.3", LONG_AXIS, 28.27, "mm") + calculation("2.25.4", SHORT_AXIS, 1.9, "cm", compact=False),
            statement("2.25.3", "2.25.2") + statement("2.25.4", "2.25.1"),
            tracking="2.25.99",
        )
    )
    (found,) = read(tmp_path, text)
    assert found.long_axis.pixels == (PixelPoint(10, 20), PixelPoint(50, 20))
    assert found.short_axis.pixels == (PixelPoint(30, 10), PixelPoint(30, 35))
    assert (found.long_axis.stated_length, found.long_axis.stated_unit) == (28.27, "mm")
    assert (found.short_axis.stated_length, found.short_axis.stated_unit) == (1.9, "cm")
    assert (found.sop_instance_uid, found.frame_number) == ("1.2.7", 1)
    assert (found.study_instance_uid, found.series_instance_uid) == ("1.2.5", "1.2.6")
    assert (found.label, found.comment) == ("Lesion3", "segment VII; Tumor assessment")
    assert (found.site.value, found.site.scheme, found.site.meaning) == ("RID58", "RADLEX", "liver")
    assert (found.tracking_uid, found.tracking_uid_is_stable) == ("2.25.99", True)
    assert (found.reader, found.patient_id, found.role) == ("reader one", "CANARY-4711", LesionRole.TARGET)
    assert found.measured_at == datetime.datetime(2020, 7, 14, 1, 4, 12, tzinfo=datetime.UTC)
    assert (found.source.format, found.source.document_uid, found.source.writer) == ("aim-v4", "2.25.30", "Maker")


def test_old_files_without_identifiers(tmp_path: Path):
    """Every calculation is called "0", centimetres go under the unit "linear": lengths are linked by size."""
    text = collection(
        annotation(
            markup("2.25.1", SHORT) + markup("2.25.2", LONG),
            calculation("0", SHORT_AXIS, 1.9, "linear") + calculation("0", LONG_AXIS, 3.2, "linear"),
            statement("0", "2.25.1") + statement("0", "2.25.2"),
            comment="CT / ABD 5X5 / 18",
        )
    )
    (found,) = read(tmp_path, text)
    found = with_square_pixels(found)
    assert (found.long_axis.stated_length, found.long_axis.stated_unit) == (3.2, "linear")
    assert found.short_axis.stated_length == 1.9
    assert (found.tracking_uid, found.tracking_uid_is_stable) == ("", False)
    assert found.comment == "Tumor assessment"


def test_what_the_writer_called_long_axis_stays_so(tmp_path: Path):
    """It is placing that exchanges axes, and says so."""
    text = collection(
        annotation(
            markup("2.25.1", SHORT) + markup("2.25.2", LONG),
            calculation("2.25.3", LONG_AXIS, 19, "mm") + calculation("2.25.4", SHORT_AXIS, 28, "mm"),
            statement("2.25.3", "2.25.1") + statement("2.25.4", "2.25.2"),
        )
    )
    (found,) = read(tmp_path, text)
    assert found.long_axis.pixels[0] == PixelPoint(30, 10)
    assert found.long_axis.stated_length == 19


@pytest.mark.parametrize(
    ("words", "role", "state"),
    [
        ("target", LesionRole.TARGET, LesionState.MEASURED),
        ("Target Lesion", LesionRole.TARGET, LesionState.MEASURED),
        ("non-target", LesionRole.NON_TARGET, LesionState.MEASURED),
        ("Nontarget lesion", LesionRole.NON_TARGET, LesionState.MEASURED),
        ("new lesion", LesionRole.NEW, LesionState.MEASURED),
        ("resolved lesion", None, LesionState.ABSENT),
        ("Target Lesion Complete Response", None, LesionState.MEASURED),
    ],
)
def test_lesion_types(tmp_path: Path, words: str, role: LesionRole | None, state: LesionState):
    (found,) = read(tmp_path, collection(annotation(markup("2.25.1", LONG), lesion_type=words)))
    assert (found.role, found.state) == (role, state)
    assert (found.long_axis is None) is (state is LesionState.ABSENT)


def test_a_resolved_lesion_needs_no_line_and_others_do(tmp_path: Path):
    resolved = annotation("", uid="2.25.32", lesion_type="resolved lesion")
    nothing = annotation("", uid="2.25.33")
    (found,) = read(tmp_path, collection(nothing, resolved))
    assert (found.state, found.sop_instance_uid) == (LesionState.ABSENT, "1.2.7")


def test_circles_and_outlines_are_passed_over(tmp_path: Path):
    outline = markup("2.25.1", (*LONG, *SHORT, LONG[0]), kind="TwoDimensionPolyline")
    circle = markup("2.25.2", LONG, kind="TwoDimensionCircle")
    (found,) = read(tmp_path, collection(annotation(outline + circle)))
    assert (found.passed_over, found.outlines, found.sop_instance_uid) == (REGION_WITHOUT_SIZE, (), "1.2.7")


RADIUS = ("131190003", "SCT", "Radius")
ELLIPSE = ((10.5, 20.5), (50.5, 20.5), (30.5, 10.5), (30.5, 30.5))
SQUARE = ((10.5, 10.5), (40.5, 10.5), (40.5, 40.5), (10.5, 40.5), (10.5, 10.5))


@pytest.mark.parametrize(
    ("kind", "points", "concept", "stated", "expected"),
    [
        ("TwoDimensionCircle", ((30.5, 20.5), (39.5, 32.5)), RADIUS, 15, (30, 30)),
        ("TwoDimensionCircle", ((30.5, 20.5), (39.5, 32.5)), LONG_AXIS, 30, (30, 30)),
        ("TwoDimensionEllipse", ELLIPSE, LONG_AXIS, 40, (40, 20)),
        ("TwoDimensionPolyline", SQUARE, LONG_AXIS, 42.4264, (42.4264, 42.4264)),
    ],
)
def test_an_outline_with_a_size_is_measured(tmp_path: Path, kind, points, concept, stated, expected):
    text = collection(annotation(markup("2.25.1", points, kind=kind), calculation("2.25.3", concept, stated, "mm")))
    (found,) = read(tmp_path, text)
    measured = placed(found)
    assert lengths(measured) == pytest.approx(expected, abs=1e-3)
    assert measured.stated_long_mm is None  # what is stated agrees
    assert [finding.code for finding in found.findings] == ["axes-derived"]


@pytest.mark.parametrize(
    ("kind", "points"),
    [
        ("TwoDimensionCircle", ((1, 1),)),
        ("TwoDimensionEllipse", ELLIPSE[:3]),
        ("TwoDimensionPolyline", SQUARE[:4]),  # open
        ("TwoDimensionPoint", ((1, 1),)),
        ("TwoDimensionSpline", SQUARE),
    ],
)
def test_markups_that_go_round_nothing_are_nothing(tmp_path: Path, kind, points):
    text = collection(annotation(markup("2.25.1", points, kind=kind), calculation("2.25.3", LONG_AXIS, 30, "mm")))
    assert read(tmp_path, text) == ()


def test_two_calculations_of_one_line_leave_the_other_line_short(tmp_path: Path):
    text = collection(
        annotation(
            markup("2.25.1", SHORT) + markup("2.25.2", LONG),
            calculation("2.25.3", LONG_AXIS, 40, "mm") + calculation("2.25.4", SHORT_AXIS, 40, "mm"),
            statement("2.25.3", "2.25.2") + statement("2.25.4", "2.25.2"),
        )
    )
    (found,) = read(tmp_path, text)
    assert lengths(placed(found)) == pytest.approx((40, 25))


def test_lines_on_two_images_and_too_many_lines(tmp_path: Path):
    apart = annotation(markup("2.25.1", LONG) + markup("2.25.2", SHORT, "1.2.8"))
    many = annotation(markup("1", LONG) + markup("2", SHORT) + markup("3", ((0, 0), (3, 4))), uid="2.25.32")
    first, second = (with_square_pixels(found) for found in read(tmp_path, collection(apart, many)))
    assert (first.short_axis, [f.code for f in first.findings]) == (None, ["axes-on-different-images"])
    assert (second.short_axis.pixels[0], [f.code for f in second.findings]) == (
        PixelPoint(30, 10),
        ["lines-passed-over"],
    )


@pytest.mark.parametrize(("written", "frame"), [(0, None), (-1, None), (1, 1), (2, 2)])
def test_frames_count_from_one_and_zero_is_none(tmp_path: Path, written: int, frame: int | None):
    (found,) = read(tmp_path, collection(annotation(markup("2.25.1", LONG, frame=written))))
    assert found.frame_number == frame


def test_pixel_origin(tmp_path: Path):
    (found,) = read(tmp_path, collection(annotation(markup("2.25.1", LONG))), pixel_origin="centre")
    assert found.long_axis.pixels[0] == PixelPoint(10.5, 20.5)


def test_the_json_of_epad_says_the_same(tmp_path: Path):
    def code(value: str, scheme: str, meaning: str) -> list:
        return [{"code": value, "codeSystemName": scheme, "iso:displayName": {"value": meaning}}]

    def coordinates(points) -> dict:
        return {
            "TwoDimensionSpatialCoordinate": [
                {"coordinateIndex": {"value": n}, "x": {"value": x}, "y": {"value": y}}
                for n, (x, y) in enumerate(points)
            ]
        }

    document = {
        "ImageAnnotationCollection": {
            "aimVersion": "AIMv4_2",
            "uniqueIdentifier": {"root": "2.25.30"},
            "user": {"name": {"value": "reader one"}},
            "person": {"id": {"value": "7"}},
            "imageAnnotations": {
                "ImageAnnotation": [
                    {
                        "uniqueIdentifier": {"root": "2.25.31"},
                        "trackingUniqueIdentifier": {"root": "2.25.99"},
                        "typeCode": code("RECIST", "99EPAD", "Tumor assessment"),
                        "name": {"value": "Lesion7"},
                        "calculationEntityCollection": {
                            "CalculationEntity": [
                                {
                                    "uniqueIdentifier": {"root": "2.25.3"},
                                    "typeCode": code(*LENGTH),
                                    "calculationResultCollection": {
                                        "CalculationResult": [
                                            {"unitOfMeasure": {"value": "mm"}, "value": {"value": "28.5"}}
                                        ]
                                    },
                                }
                            ]
                        },
                        "markupEntityCollection": {
                            "MarkupEntity": [
                                {
                                    "xsi:type": "TwoDimensionMultiPoint",
                                    "uniqueIdentifier": {"root": "2.25.2"},
                                    "imageReferenceUid": {"root": "1.2.7"},
                                    "referencedFrameNumber": {"value": 1},
                                    "twoDimensionSpatialCoordinateCollection": coordinates(LONG),
                                }
                            ]
                        },
                    }
                ]
            },
        }
    }
    (found,) = read(tmp_path, json.dumps(document), "aim.json")
    assert found.long_axis.pixels == (PixelPoint(10, 20), PixelPoint(50, 20))
    assert (found.long_axis.stated_length, found.tracking_uid, found.label) == (28.5, "2.25.99", "Lesion7")


BOMB = """<?xml version="1.0"?><!DOCTYPE b [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>
<ImageAnnotation name="&b;"/>"""
OUTSIDE = """<?xml version="1.0"?><!DOCTYPE b [<!ENTITY a SYSTEM "file:///etc/hostname">]>
<ImageAnnotation name="x">&a;</ImageAnnotation>"""


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (BOMB, "entities"),
        (OUTSIDE, "entities"),
        (collection(annotation(markup("2.25.1", LONG)))[:-40], "well-formed"),
        ("<ImageAnnotation>" + "<a>" * 500 + "</a>" * 500 + "</ImageAnnotation>", "nested deeper"),
        (collection(annotation(markup("2.25.1", (("left", 2), (3, 4))))), "number"),
        (collection(annotation(markup("2.25.1", LONG), calculation("1", LENGTH, "long", "mm"))), "number"),
    ],
)
def test_hostile_and_broken_files(tmp_path: Path, text: str, words: str):
    with pytest.raises(InvalidInput, match=rf"aim\.xml.*{words}"):
        read(tmp_path, text)
