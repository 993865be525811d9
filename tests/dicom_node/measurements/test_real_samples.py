"""Every real report and annotation, with the numbers that stand in it and those that its end points give."""

import shutil
from pathlib import Path

import pytest

from dicom_node.instance_header import read_planes
from dicom_node.measurements.axis_concepts import REGION_WITHOUT_SIZE
from dicom_node.measurements.reading import read_measurements
from tests.dicom_node.measurements.planes import lengths
from tests.dicom_node.measurements.planes import placed as on_pixels_of
from tumorresp.domain.errors import MissingImages, UnknownFormat
from tumorresp.domain.measurement import Measurement, PixelPoint
from tumorresp.domain.placement import place

# File, length in mm from end points and the image's spacing, length as stated (39.58 and 34.98 agree).
NCIP = [
    ("0022/0022BaselineA", 39.5796, 39.5796),
    ("0022/0022BaselineB", 34.9827, 34.9827),
    ("0022/0022FollowupA", 46.2366, 42.2212),
    ("0022/0022FollowupB", 40.7596, 37.2199),
    ("0025/0025BaselineA", 80.3319, 76.8581),
    ("0025/0025BaselineB", 78.2607, 74.8764),
    ("0025/0025FollowupA", 76.7412, 67.5868),
    ("0025/0025FollowupB", 81.1664, 71.4841),
]


def test_ohif_sample_in_pixels_without_calibration(real_data: Path):
    (found,) = read_measurements(real_data / "sr_samples/dcmjs/sample-sr.dcm")
    assert found.long_axis.stated_length == pytest.approx(64.45, abs=0.005)
    assert found.short_axis.stated_length == pytest.approx(42.97, abs=0.005)
    assert found.long_axis.stated_unit == found.short_axis.stated_unit == "1"
    assert found.long_axis.pixels[0] == PixelPoint(pytest.approx(580.2192), pytest.approx(1090.3358))
    assert not found.tracking_uid_is_stable
    assert found.sop_instance_uid.endswith("016250")
    with pytest.raises(MissingImages):
        place(found, {})


def test_cornerstone_sample_with_other_tools(real_data: Path):
    found = read_measurements(real_data / "sr_samples/dcmjs/structured_report.dcm")
    ellipses = [m for m in found if m.passed_over]
    assert [m.passed_over for m in ellipses] == [REGION_WITHOUT_SIZE] * 2
    bidirectional, *lengths = (m for m in found if not m.passed_over)
    assert (bidirectional.long_axis.stated_length, bidirectional.short_axis.stated_length) == (93.9, 47.0)
    assert bidirectional.long_axis.stated_unit == "mm"
    # The arrow, the two ellipses and their areas (coded as lengths) are no measurements.
    assert [round(m.long_axis.stated_length, 2) for m in lengths] == [39.37, 133.99]
    assert all(m.short_axis is None for m in lengths)
    assert lengths[0].sop_instance_uid == bidirectional.sop_instance_uid != lengths[1].sop_instance_uid


def test_ohif_save(real_data: Path):
    (found,) = read_measurements(real_data / "sr_samples/ohif/ohif_srt.dcm")
    assert (found.label, found.site.meaning, found.site.scheme) == ("Liver met 1", "Liver", "SCT")
    assert (found.long_axis.stated_length, found.long_axis.stated_unit) == (23.8, "1")
    assert found.long_axis.pixels[1].column - found.long_axis.pixels[0].column == pytest.approx(34)
    assert not found.tracking_uid_is_stable
    assert found.finding_type is None


def test_highdicom_samples(real_data: Path):
    folder = real_data / "sr_samples/highdicom"
    (region,) = read_measurements(folder / "sr_document.dcm")
    assert region.passed_over == REGION_WITHOUT_SIZE
    # A circle around a nodule counts; the aorta's diameter and a vertebra's volume do not.
    (nodule,) = read_measurements(folder / "sr_document_with_multiple_groups.dcm")
    assert (nodule.label, nodule.site.meaning, nodule.reader) == ("LungNodule0001", "Lung", "Doe^John")
    (circle,) = nodule.outlines
    assert circle.pixels == (PixelPoint(44.5, 54.5), PixelPoint(44.5, 64.5))
    assert circle.stated_long[0] == 10
    assert lengths(on_pixels_of(nodule, row_mm=0.5, column_mm=2.0)) == (10, 10)
    assert nodule.tracking_uid_is_stable


def test_dcmqi_report_of_masks_alone_is_passed_over(real_data: Path):
    assert read_measurements(real_data / "sr_samples/dcmqi/sr-example/sr.dcm") == ()


@pytest.mark.parametrize(
    "name",
    [
        "sr_samples/dcmqi/liver.dcm",
        "sr_samples/dcmqi/sparse-labelmap-ppv5.dcm",
        "sr_samples/dcmqi/sr-example/rwvm.dcm",
        "sr_samples/highdicom/ct_image.dcm",
        "sr_samples/dcmqi/LICENSE.txt",
        "response_tables/dlt_LICENSE",
    ],
)
def test_what_holds_no_measurements(real_data: Path, name: str):
    with pytest.raises(UnknownFormat, match=Path(name).name):
        read_measurements(real_data / name)


@pytest.fixture(scope="module")
def planes(real_data: Path) -> dict:
    paths = [p for p in sorted(real_data.glob("ncip_aim/*/*.dcm")) if p.stem.endswith(("line", "up"))]
    return {plane.sop_instance_uid: [plane] for path in paths for plane in read_planes(path)}


def placed(path: Path, planes: dict) -> Measurement:
    (found,) = read_measurements(path)
    return place(found, planes)


@pytest.mark.parametrize(("name", "length", "stated"), NCIP)
def test_aim_annotations_as_xml_and_as_sr(real_data: Path, planes: dict, name: str, length: float, stated: float):
    from_xml = placed(real_data / f"ncip_aim/{name}.xml", planes)
    from_sr = placed(real_data / f"ncip_aim/{name}.dcm", planes)
    for found in (from_xml, from_sr):
        assert found.long_axis.distance_mm == pytest.approx(length, abs=5e-5)
        assert found.short_axis is None
        codes = {finding.code for finding in found.findings}
        if length == stated:
            assert (found.stated_long_mm, codes) == (None, {"patient-id-differs"})
        else:
            assert found.stated_long_mm == pytest.approx(stated, abs=5e-5)
            assert codes == {"patient-id-differs", "stated-length-differs"}
        assert (found.label, found.reader) == (name[:4], name[-1])
        assert found.site.meaning == "LUNG"
        assert (found.state.value, found.role) == ("measured", None)
        assert found.comment == "Target Lesion Complete Response"
        assert not found.tracking_uid_is_stable
    # One annotation, two files: whoever gets both can see that they are one.
    assert from_xml.measurement_uid == from_sr.measurement_uid
    assert from_xml.long_axis == from_sr.long_axis
    assert from_xml.measured_at == from_sr.measured_at


def test_aim_sr_found_by_content_not_by_name(real_data: Path, tmp_path: Path):
    copy = tmp_path / "no-suffix"
    shutil.copy(real_data / "ncip_aim/0022/0022BaselineA.dcm", copy)
    assert len(read_measurements(copy)) == 1
    copy_xml = tmp_path / "annotation"
    shutil.copy(real_data / "ncip_aim/0022/0022BaselineA.xml", copy_xml)
    assert len(read_measurements(copy_xml)) == 1
