"""Headers and planes, read without pixels."""

import datetime
from pathlib import Path

import pytest

from dicom_node.instance_header import read_header, read_planes
from tests.dicom_node.ct_files import PATIENT_ID, ct_image, enhanced_ct, uid, write
from tumorresp.domain.errors import InvalidGeometry, InvalidInput, NotDicom
from tumorresp.domain.scan_times import ScanTimes
from tumorresp.domain.series_look import SeriesLook


def test_the_header_of_a_made_image(tmp_path: Path):
    (path,) = write(tmp_path, ct_image(5))
    header = read_header(path)
    assert header.sop_instance_uid == uid("one", 5)
    assert header.series_instance_uid == uid("series", "one")
    assert header.study_instance_uid == uid("study")
    assert (header.modality, header.patient_id) == ("CT", PATIENT_ID)
    assert header.study_date == datetime.date(2024, 2, 29)
    assert header.image_type == ("ORIGINAL", "PRIMARY", "AXIAL")
    assert header.transfer_syntax_uid == "1.2.840.10008.1.2.1"
    assert header.series_description == "axial"
    assert not header.is_localizer


@pytest.mark.parametrize(
    ("changes", "date"),
    [
        ({"StudyDate": None, "SeriesDate": "20240301"}, datetime.date(2024, 3, 1)),
        ({"StudyDate": "", "AcquisitionDate": "20240302"}, datetime.date(2024, 3, 2)),
        ({"StudyDate": "", "AcquisitionDateTime": "20240303101500.000000+0100"}, datetime.date(2024, 3, 3)),
        ({"StudyDate": "2024.03.04"}, datetime.date(2024, 3, 4)),
        ({"StudyDate": "20241332", "SeriesDate": "20240305"}, datetime.date(2024, 3, 5)),
        ({"StudyDate": "", "SeriesDate": ""}, None),
    ],
)
def test_the_date_falls_back(tmp_path: Path, changes, date):
    (path,) = write(tmp_path, ct_image(5, **changes))
    assert read_header(path).study_date == date
    assert read_planes(path)[0].acquired_on == date


def test_all_that_an_image_says_of_its_time_and_its_series(tmp_path: Path):
    (path,) = write(
        tmp_path,
        ct_image(
            5,
            StudyDate="19000101",
            SeriesDate="20240301",
            AcquisitionDateTime="20240302",
            ClinicalTrialTimePointID=" C1D1 ",
            LongitudinalTemporalOffsetFromEvent=-3.0,
            SeriesDescription="Portal venous",
            ContrastBolusAgent="Iodine",
        ),
    )
    (plane,) = read_planes(path)
    days = datetime.date(1900, 1, 1), datetime.date(2024, 3, 1), datetime.date(2024, 3, 2)
    assert plane.times == ScanTimes(*days, "C1D1", -3.0)
    assert plane.look == SeriesLook("Portal venous", "Iodine")


def test_a_localizer_is_one(tmp_path: Path):
    (path,) = write(tmp_path, ct_image(5, ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"]))
    assert read_header(path).is_localizer


def test_headers_of_real_files(real_data: Path):
    report = read_header(real_data / "sr_samples" / "ohif" / "ohif_srt.dcm")
    assert (report.modality, report.sop_class_uid) == ("SR", "1.2.840.10008.5.1.4.1.1.88.22")
    assert report.image_type == ()
    assert read_header(real_data / "sts" / "STS_002" / "RTSTRUCT.dcm").modality == "RTSTRUCT"


@pytest.mark.parametrize("keyword", ["StudyInstanceUID", "SeriesInstanceUID"])
def test_a_missing_uid_is_named(tmp_path: Path, keyword):
    (path,) = write(tmp_path, ct_image(5, **{keyword: None}))
    with pytest.raises(InvalidInput, match=keyword) as caught:
        read_header(path)
    assert path.name in str(caught.value)


def test_a_file_cut_off_in_its_pixels_is_found(tmp_path: Path):
    (path,) = write(tmp_path, ct_image(5))
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(NotDicom, match=rf"{path.name}: cut off.* 10 bytes more"):
        read_header(path)


def test_the_plane_of_a_made_image(tmp_path: Path):
    (path,) = write(tmp_path, ct_image(5))
    (plane,) = read_planes(path)
    assert plane.origin_lps_mm == (-100, -90, 5)
    assert plane.column_step_lps_mm == (0.8, 0, 0)
    assert plane.row_step_lps_mm == (0, 0.7, 0)
    assert (plane.rows, plane.columns) == (24, 32)
    assert plane.pixel_to_lps(10, 20) == pytest.approx((-92, -76, 5))
    assert (plane.slice_thickness_mm, plane.modality, plane.calibrated) == (5, "CT", True)
    assert plane.frame_number is None


def test_the_planes_of_an_enhanced_image(tmp_path: Path):
    (path,) = write(tmp_path, enhanced_ct([15, 0]))
    planes = read_planes(path)
    assert [(plane.frame_number, plane.origin_lps_mm[2]) for plane in planes] == [(1, 15), (2, 0)]
    assert planes[0].pixel_spacing_mm == pytest.approx((0.7, 0.8))
    assert planes[0].slice_thickness_mm == 5


def test_an_image_without_pixel_spacing_is_uncalibrated(tmp_path: Path):
    (path,) = write(tmp_path, ct_image(5, PixelSpacing=None))
    (plane,) = read_planes(path)
    assert not plane.calibrated
    assert plane.pixel_spacing_mm == (1, 1)


def test_a_rounded_orientation_is_made_exact(tmp_path: Path):
    (path,) = write(tmp_path, ct_image(5, ImageOrientationPatient=[0.7071, 0.7071, 0, -0.7071, 0.7071, 0]))
    (plane,) = read_planes(path)
    assert plane.pixel_spacing_mm == pytest.approx((0.7, 0.8), rel=1e-12)


@pytest.mark.parametrize(
    ("changes", "tag"),
    [
        ({"ImagePositionPatient": None}, "0020,0032"),
        ({"ImagePositionPatient": [1, 2]}, "0020,0032"),
        ({"ImageOrientationPatient": None}, "0020,0037"),
        ({"ImageOrientationPatient": [1, 0, 0, 1, 0, 0]}, "0020,0037"),
        ({"ImageOrientationPatient": [0, 0, 0, 0, 0, 0]}, "0020,0037"),
    ],
)
def test_a_ct_image_without_a_place_is_refused(tmp_path: Path, changes, tag):
    (path,) = write(tmp_path, ct_image(5, **changes))
    with pytest.raises(InvalidGeometry, match=tag) as caught:
        read_planes(path)
    assert path.name in str(caught.value)


def test_what_is_no_image_of_a_slice_has_no_plane(real_data: Path, tmp_path: Path):
    assert read_planes(real_data / "sr_samples" / "ohif" / "ohif_srt.dcm") == ()
    assert read_planes(real_data / "sts" / "STS_002" / "RTSTRUCT.dcm") == ()
    assert read_planes(real_data / "sr_samples" / "dcmqi" / "liver.dcm") == ()
    for number, sop_class in enumerate(("1.2.840.10008.5.1.4.1.1.1.1", "1.2.840.10008.5.1.4.1.1.7")):  # DX, capture
        picture = ct_image(number, SOPClassUID=sop_class, ImagePositionPatient=None, ImageOrientationPatient=None)
        assert read_planes(*write(tmp_path, picture)) == ()


def test_planes_of_a_file_that_is_no_dicom(tmp_path: Path):
    (tmp_path / "a.dcm").write_text("nothing")
    with pytest.raises(NotDicom, match=r"a\.dcm"):
        read_planes(tmp_path / "a.dcm")
