"""CSV, JSON and OHIF's export: what is read, and every mistake named with its row."""

import csv
import datetime
import io
import json
from importlib import resources
from pathlib import Path

import jsonschema
import pytest

from dicom_node.measurements.csv_table import COLUMNS
from dicom_node.measurements.reading import read_measurements
from tumorresp.domain.errors import InvalidInput
from tumorresp.domain.measurement import LesionRole, LesionState, MarkedMeasurement, PixelPoint
from tumorresp.domain.terminology import Code

PIXELS = {"long_column1": 10, "long_row1": 20, "long_column2": 50, "long_row2": 20, "pixel_origin": "centre"}
LPS = {"long_x1_mm": 1, "long_y1_mm": 2, "long_z1_mm": 3, "long_x2_mm": 31, "long_y2_mm": 2, "long_z2_mm": 3}
ROW = {"lesion": "T01", "role": "target", "study_instance_uid": "1.2.5", "sop_instance_uid": "1.2.7"} | PIXELS


def table(*rows: dict, delimiter: str = ",") -> str:
    names = list(dict.fromkeys(name for row in rows for name in row))
    out = io.StringIO()
    writer = csv.DictWriter(out, names, delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def read(tmp_path: Path, text: str | bytes, name: str = "readings.csv") -> tuple[MarkedMeasurement, ...]:
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_measurements(path)


def refused(tmp_path: Path, text: str | bytes, name: str = "readings.csv") -> str:
    with pytest.raises(InvalidInput) as caught:
        read(tmp_path, text, name)
    assert str(caught.value).startswith(f"{name}: ")
    return str(caught.value)


def test_every_column(tmp_path: Path):
    row = {
        "lesion": "T01",
        "tracking_uid": "2.25.7",
        "role": "Target",
        "state": "",
        "nodal": "yes",
        "site": "Mediastinal lymph node",
        "site_code": "281777001",
        "site_scheme": "SCT",
        "comment": "seen, and measured",
        "patient_id": "P1",
        "reader": "A",
        "measured_at": "2024-02-29T10:00:00+02:00",
        "study_instance_uid": "1.2.5",
        "series_instance_uid": "1.2.6",
        "sop_instance_uid": "1.2.7",
        "frame_number": 3,
        "frame_of_reference_uid": "1.2.8",
        "pixel_origin": "corner",
        **{name: value for name, value in PIXELS.items() if name != "pixel_origin"},
        "long_stated_mm": 21.5,
        "short_column1": 30,
        "short_row1": 10,
        "short_column2": 30,
        "short_row2": 30,
        "short_stated_mm": 12,
    }
    (found,) = read(tmp_path, "\ufeff" + table(row, dict.fromkeys(row, "")))
    assert found.long_axis.pixels == (PixelPoint(9.5, 19.5), PixelPoint(49.5, 19.5))
    assert found.short_axis.pixels == (PixelPoint(29.5, 9.5), PixelPoint(29.5, 29.5))
    assert (found.long_axis.stated_length, found.long_axis.stated_unit) == (21.5, "mm")
    assert (found.label, found.tracking_identifier, found.tracking_uid) == ("T01", "T01", "2.25.7")
    assert (found.role, found.state, found.nodal) == (LesionRole.TARGET, LesionState.MEASURED, True)
    assert found.site == Code("281777001", "SCT", "Mediastinal lymph node")
    assert (found.comment, found.patient_id, found.reader) == ("seen, and measured", "P1", "A")
    assert found.measured_at == datetime.datetime(2024, 2, 29, 8, tzinfo=datetime.UTC)
    assert (found.study_instance_uid, found.series_instance_uid, found.sop_instance_uid) == ("1.2.5", "1.2.6", "1.2.7")
    assert (found.frame_number, found.frame_of_reference_uid) == (3, "1.2.8")
    assert set(row) <= set(COLUMNS)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_patient_coordinates_and_other_delimiters(tmp_path: Path, delimiter: str):
    row = {"lesion": "T01", "frame_of_reference_uid": "1.2.8", **LPS, "site": "liver"}
    (found,) = read(tmp_path, table(row, delimiter=delimiter))
    assert found.long_axis.lps_mm == ((1, 2, 3), (31, 2, 3))
    assert (found.short_axis, found.tracking_uid_is_stable) == (None, False)
    assert found.site == Code("10200004", "SCT", "Liver")


def test_states_without_lines_and_sites_in_words(tmp_path: Path):
    # Merged lesions need the conglomerate's parents, which only the table without images has.
    states = [state for state in LesionState if state not in (LesionState.MEASURED, LesionState.MERGED)]
    rows = [
        {"lesion": f"N{n}", "state": state, "series_instance_uid": "1.2.6", "site": "left lower lobe"}
        for n, state in enumerate(states)
    ]
    found = read(tmp_path, table(*rows))
    assert [m.state for m in found] == states
    assert found[0].site == Code("left-lower-lobe", "99TUMORRESP", "left lower lobe")


def test_one_lesion_at_several_scans_and_by_several_readers(tmp_path: Path):
    rows = [
        ROW,
        ROW | {"study_instance_uid": "1.2.55"},
        ROW | {"reader": "B"},
        ROW | {"lesion": "T02"},
    ]
    found = read(tmp_path, table(*rows))
    assert len({m.measurement_uid for m in found}) == 4
    assert len({m.source.document_uid for m in found}) == 1
    assert [m.measurement_uid for m in read(tmp_path, table(*rows))] == [m.measurement_uid for m in found]


MISTAKES = [
    ({"state": "gone"}, "row 3: state must be one of measured, present"),
    ({"state": "merged"}, "row 3: state must be one of measured, present"),
    ({"role": "goal"}, "row 3: role must be one of target, non-target, new"),
    ({"nodal": "maybe"}, "row 3: nodal must be yes or no"),
    ({"long_column1": "nan"}, "row 3: long_axis has a coordinate that is not a finite number"),
    ({"long_column1": "inf"}, "row 3: long_axis has a coordinate that is not a finite number"),
    ({"long_column1": "12,5"}, "row 3: long_column1 is no number"),
    ({"long_row2": ""}, "row 3: coordinates are missing: long_row2"),
    (dict.fromkeys(PIXELS, ""), "row 3: has neither coordinates nor a state"),
    (LPS, "row 3: long_axis needs either patient coordinates or pixel coordinates"),
    ({"long_column1": 50}, "row 3: long_axis has no length"),
    ({"pixel_origin": ""}, "row 3: long_axis has pixel coordinates, which need pixel_origin"),
    ({"pixel_origin": "middle"}, "row 3: pixel_origin must be one of centre, corner"),
    ({"sop_instance_uid": ""}, "row 3: long_axis has pixel coordinates, which need sop_instance_uid"),
    ({"sop_instance_uid": "1.2.x"}, "row 3: sop_instance_uid is not written as the schema says"),
    ({"frame_number": "first"}, "row 3: frame_number"),
    ({"long_stated_mm": "-3"}, "row 3: long_axis.stated_length"),
    ({"measured_at": "yesterday"}, "row 3: measured_at"),
    ({"measured_at": "2024-13-01"}, "row 3: measured_at"),
    ({"lesion": ""}, "row 3: the row lacks 'lesion'"),
    ({"state": "absent"}, "row 3: is said to be absent, but has lines"),
    ({"lesion": "t01 "}, "row 3: has the same lesion as row 2"),
    ({"lesion": "T02", "tracking_uid": "1.7"}, "row 3: has the same tracking_uid as row 2"),
]


@pytest.mark.parametrize(("change", "expected"), MISTAKES, ids=[expected for _, expected in MISTAKES])
def test_a_mistake_is_named_with_its_row(tmp_path: Path, change: dict, expected: str):
    good = ROW | {"tracking_uid": "1.7"} if "tracking_uid" in change else ROW
    bad = ROW | {"lesion": "T02"} | change
    assert expected in refused(tmp_path, table(good, bad))


def test_a_row_that_names_no_scan(tmp_path: Path):
    assert "row 2: names no scan" in refused(tmp_path, table({"lesion": "T01", **LPS}))


def test_all_mistakes_are_listed_at_once(tmp_path: Path):
    rows = [ROW | {"lesion": f"T{n}"} | change for n, (change, _) in enumerate(MISTAKES[:11])]
    message = refused(tmp_path, table(*rows))
    assert all(f"row {number}: " in message for number in range(2, 13))
    many = [ROW | {"lesion": f"T{n}", "state": "gone"} for n in range(50)]
    assert "and 20 more" in refused(tmp_path, table(*many))


def test_no_mistake_repeats_what_stands_in_the_cells(tmp_path: Path):
    row = dict.fromkeys(COLUMNS, "Canary")
    assert "Canary" not in refused(tmp_path, table(row))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "empty"),
        ("lesion\n", "no rows"),
        ("name,length\nT01,3\n", "row 1: the column 'lesion' is missing"),
        (table(ROW | {"long_colum1": 3}), "unknown column 'long_colum1', did you mean 'long_column1'?"),
        ("lesion,lesion\nT01,T02\n", "the column 'lesion' is there twice"),
        ("lesion,state,study_instance_uid\nT01,absent,1.2,3,4\n", "row 2: has 5 cells"),
        ("lesion\n\xe9\n".encode("latin-1"), "UTF-8"),
        (b"lesion,state\n\"T01,absent", "CSV"),
        (b"lesion\n" + b"\0" * 5 + b"\n", "readings.csv"),
    ],
)  # fmt: skip
def test_what_is_no_table(tmp_path: Path, text: str | bytes, expected: str):
    assert expected in refused(tmp_path, text)


# --- JSON

NAN_AXIS = {"lps_mm": [[1, 2, float("nan")], [1, 2, 3]]}
AXIS = {"lps_mm": [[1, 2, 3], [31, 2, 3]], "stated_length": 3.1, "stated_unit": "cm"}
ITEM = {"lesion": "T01", "role": "target", "long_axis": AXIS}
DOCUMENT = {
    "format": "tumorresp-measurements",
    "version": 1,
    "reader": "A",
    "measured_at": "2024-02-29",
    "study_instance_uid": "1.2.5",
    "pixel_origin": "corner",
    "measurements": [
        ITEM,
        {
            "lesion": "T02",
            "reader": "B",
            "site": {"value": "10200004", "scheme": "SCT", "meaning": "Liver"},
            "sop_instance_uid": "1.2.7",
            "long_axis": {"pixels": [[10, 20], [50, 20]]},
            "short_axis": {"pixels": [[30, 10], [30, 30]]},
        },
        {"lesion": "N01", "state": "absent", "nodal": True},
    ],
}


def as_json(**changes: object) -> str:
    return json.dumps(DOCUMENT | changes)


def test_json(tmp_path: Path):
    first, second, third = read(tmp_path, as_json(), "readings.json")
    assert first.long_axis.lps_mm == ((1, 2, 3), (31, 2, 3))
    assert (first.long_axis.stated_length, first.long_axis.stated_unit) == (3.1, "cm")
    assert second.long_axis.pixels == (PixelPoint(9.5, 19.5), PixelPoint(49.5, 19.5))
    assert second.site == Code("10200004", "SCT", "Liver")
    assert [m.reader for m in (first, second, third)] == ["A", "B", "A"]
    assert {m.study_instance_uid for m in (first, second, third)} == {"1.2.5"}
    assert (third.state, third.nodal) == (LesionState.ABSENT, True)
    assert first.source.format == "json"


def test_the_schema_is_valid_and_agrees_with_the_reader(tmp_path: Path):
    text = resources.files("dicom_node.measurements").joinpath("schema/measurements.schema.json").read_text()
    schema = json.loads(text)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    assert list(validator.iter_errors(DOCUMENT)) == []
    for bad in (
        {"measurements": [ITEM | {"state": "gone"}]},
        {"measurements": [ITEM | {"lenght": 3}]},
        {"version": 2},
        {"measurements": []},
        {"reder": "A"},
        {"study_instance_uid": "x"},
        {"measurements": [ITEM | {"long_axis": {"lps_mm": [[1, 2], [3, 4]]}}]},
    ):
        assert list(validator.iter_errors(DOCUMENT | bad)) != []
        refused(tmp_path, as_json(**bad), "readings.json")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{", "line 1, column 2"),
        ("[]", '"format": "tumorresp-measurements"'),
        (as_json(version=2), '"version": 1'),
        (as_json(measurements={}), "'measurements' must be a list"),
        (as_json(measurements=["x"]), "measurement 1: must be an object"),
        (as_json(measurements=[ITEM, ITEM | {"state": "gone"}]), "measurement 2: state must be one of"),
        (as_json(measurements=[ITEM, ITEM]), "measurement 2: has the same lesion as measurement 1"),
        (as_json(measurements=[ITEM | {"long_axis": NAN_AXIS}]), "NaN is no number"),
        (as_json(measurements=[ITEM | {"extra": 1}]), "measurement 1: the row has fields that the schema"),
        (as_json(extra=1), "does not know the field 'extra'"),
        ("[" * 100_000, "cannot be read as JSON"),
        (b"\xff\xfe{}", "cannot be read as JSON"),
    ],
)  # fmt: skip
def test_what_is_no_such_json(tmp_path: Path, text: str | bytes, expected: str):
    assert expected in refused(tmp_path, text, "readings.json")


# --- OHIF's export

OHIF = {
    "Patient ID": "P1",
    "Patient Name": "Canary^Yellow",
    "StudyInstanceUID": "1.2.5",
    "SeriesInstanceUID": "1.2.6",
    "SOPInstanceUID": "1.2.7",
    "Label": "Liver met",
    "AnnotationType": "Cornerstone:Bidirectional",
    "Length": 40.5,
    "Width": 12.25,
    "Unit": "mm",
    "FrameOfReferenceUID": "1.2.8",
    "points": "15 -6 5;15 6.25 5;0 0 5;40 0 5",
}


def test_ohif_export(tmp_path: Path):
    rows = [
        OHIF,
        OHIF | {"AnnotationType": "Cornerstone:EllipticalROI", "points": "1 2 3"},
        OHIF | {"AnnotationType": "Cornerstone:Length", "points": "0 0 5;0 7 5", "Label": "", "Width": ""},
    ]
    first, second = read(tmp_path, table(*rows))
    assert first.long_axis.lps_mm == ((0, 0, 5), (40, 0, 5))
    assert first.short_axis.lps_mm == ((15, -6, 5), (15, 6.25, 5))
    assert (first.long_axis.stated_length, first.short_axis.stated_length) == (40.5, 12.25)
    assert (first.label, first.patient_id, first.frame_of_reference_uid) == ("Liver met", "P1", "1.2.8")
    # What has no label is called nothing: an invented name would link time points.
    assert (second.label, second.short_axis, second.tracking_uid_is_stable) == ("", None, False)


def test_older_ohif_export_names_the_unit_in_the_header(tmp_path: Path):
    row = {name: value for name, value in OHIF.items() if name not in ("Length", "Width", "Unit")}
    (found,) = read(tmp_path, table(row | {"Length (mm)": 40.5, "Width (mm)": 12.25}))
    assert (found.long_axis.stated_length, found.long_axis.stated_unit) == (40.5, "mm")


def test_ohif_labels_may_repeat(tmp_path: Path):
    assert len(read(tmp_path, table(OHIF, OHIF | {"points": "0 0 9;40 0 9;15 -6 9;15 6 9"}))) == 2


@pytest.mark.parametrize("points", ["", "1 2 3;4 5 6", "1 2;3 4;5 6;7 8", "a b c;1 2 3;1 2 3;1 2 3"])
def test_ohif_points_that_are_none(tmp_path: Path, points: str):
    assert "row 2: 'points' must hold 4 points" in refused(tmp_path, table(OHIF | {"points": points}))
