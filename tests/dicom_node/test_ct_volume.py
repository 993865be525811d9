"""CT series become volumes: against another reader, in any order, and with everything that can be wrong."""

import random
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from dicom_node.ct_volume import read_ct_volume
from tests.dicom_node.ct_files import COLUMNS, ROWS, ct_image, enhanced_ct, stored_pixels, uid, with_meta, write
from tests.real_servers import run_tool
from tumorresp.domain.errors import InvalidGeometry, InvalidInput, MissingImages, NotDicom

PATIENTS = ("STS_002", "STS_008", "STS_014", "STS_051")


def series(folder: Path, heights, **changes) -> list[Path]:
    return write(folder, *(ct_image(z, **changes) for z in heights))


def codes(volume) -> list[str]:
    return [finding.code for finding in volume.findings]


@pytest.mark.parametrize("patient", PATIENTS)
def test_real_series_are_those_of_gdcm(real_data: Path, patient):
    folder = real_data / "sts" / patient / "CT"
    volume = read_ct_volume(list(folder.glob("*.dcm")))
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(folder)))
    image = reader.Execute()
    assert np.array_equal(volume.hu, sitk.GetArrayFromImage(image))
    assert volume.hu.dtype == np.int16
    assert volume.geometry.spacing_mm == pytest.approx(image.GetSpacing()[::-1], abs=1e-4)
    assert volume.geometry.origin_lps_mm == pytest.approx(image.GetOrigin(), abs=1e-3)
    corner = tuple(size - 1 for size in volume.geometry.shape)
    far = image.TransformIndexToPhysicalPoint(corner[::-1])
    assert volume.geometry.index_to_lps(corner) == pytest.approx(far, abs=0.01)
    assert volume.slice_thickness_mm == pytest.approx(3.27)
    assert volume.findings == ()
    for number, plane in enumerate(volume.planes):
        assert plane.origin_lps_mm == pytest.approx(volume.geometry.index_to_lps((number, 0, 0)), abs=0.01)


def test_the_order_of_files_changes_nothing(real_data: Path):
    paths = sorted((real_data / "sts" / "STS_002" / "CT").glob("*.dcm"))
    first = read_ct_volume(paths)
    random.Random(7).shuffle(paths)
    second = read_ct_volume(paths)
    assert np.array_equal(first.hu, second.hu)
    assert first.geometry == second.geometry
    assert first.planes == second.planes


def test_one_real_key_slice_is_a_volume(real_data: Path):
    volume = read_ct_volume([real_data / "ncip_aim" / "0022" / "0022Baseline.dcm"])
    assert volume.hu.shape == (1, 512, 512)
    assert volume.geometry.spacing_mm == pytest.approx((5, 0.691406, 0.691406))
    assert codes(volume) == ["single-slice"]


def test_the_instance_number_means_nothing(tmp_path: Path):
    images = [ct_image(z, InstanceNumber=number) for number, z in enumerate([10, 0, 15, 5])]
    volume = read_ct_volume(write(tmp_path, *images))
    assert [plane.origin_lps_mm[2] for plane in volume.planes] == [0, 5, 10, 15]
    for number, z in enumerate([0, 5, 10, 15]):
        assert np.array_equal(volume.hu[number], stored_pixels(z))
    assert volume.slice_of(uid("one", 10)) == 2
    assert volume.geometry.shape == (4, ROWS, COLUMNS)
    assert volume.geometry.spacing_mm == pytest.approx((5, 0.7, 0.8))


def test_an_enhanced_image_is_a_series_of_its_frames(tmp_path: Path):
    volume = read_ct_volume(write(tmp_path, enhanced_ct([15, 0, 10, 5])))
    assert volume.geometry.spacing_mm == pytest.approx((5, 0.7, 0.8))
    assert [plane.frame_number for plane in volume.planes] == [2, 4, 3, 1]
    for number, z in enumerate([0, 5, 10, 15]):
        assert np.array_equal(volume.hu[number], stored_pixels(z))
    assert volume.slice_of(uid("enhanced", 0), 3) == 2


@pytest.mark.real_server
@pytest.mark.parametrize("compress", [("dcmcjpls",), ("dcmcrle",), ("dcmcjpeg", "+e1"), ("dcmcjpeg", "+el")])
def test_lossless_compression_changes_nothing(real_data: Path, tmp_path: Path, compress):
    paths = sorted((real_data / "cancerdata" / "cancerdata_phantom_pat_4").glob("DCM_IMG*.dcm"))[:3]
    compressed = []
    for path in paths:
        target = tmp_path / path.name
        run_tool(*compress, path, target, check=True)
        compressed.append(target)
    assert np.array_equal(read_ct_volume(compressed).hu, read_ct_volume(paths).hu)


def test_missing_slices_are_interpolated_and_named(tmp_path: Path):
    volume = read_ct_volume(series(tmp_path, [z for z in range(0, 100, 5) if z not in (35, 40)]))
    assert volume.hu.shape[0] == 20
    assert codes(volume) == ["missing-slices"]
    assert "35.0, 40.0 mm" in volume.findings[0].message
    assert np.array_equal(volume.hu[7], stored_pixels(35))  # the pixels grow linearly with height
    assert np.array_equal(volume.hu[8], stored_pixels(40))
    assert [number for number, plane in enumerate(volume.planes) if not plane.sop_instance_uid] == [7, 8]
    assert volume.planes[7].origin_lps_mm == pytest.approx((-100, -90, 35))


def test_the_part_with_the_images_that_matter_is_kept(tmp_path: Path):
    paths = series(tmp_path, [*range(0, 50, 5), *range(100, 130, 5)])
    assert read_ct_volume(paths).planes[0].origin_lps_mm[2] == 0
    volume = read_ct_volume(paths, must_hold=[uid("one", 110)])
    assert volume.planes[0].origin_lps_mm[2] == 100
    assert codes(volume) == ["uneven-spacing"]


def test_a_repeated_image_is_dropped(tmp_path: Path):
    copy = ct_image(5, SOPInstanceUID=uid("copy"))
    volume = read_ct_volume(write(tmp_path, *(ct_image(z) for z in (0, 5, 10)), copy))
    assert volume.hu.shape[0] == 3
    assert codes(volume) == ["duplicate-image"]


def test_localizers_beside_slices_are_left_out(tmp_path: Path):
    scout = ct_image(
        50,
        ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"],
        SOPInstanceUID=uid("scout"),
        ImageOrientationPatient=[1, 0, 0, 0, 0, -1],
    )
    volume = read_ct_volume(write(tmp_path, *(ct_image(z) for z in (0, 5, 10)), scout))
    assert volume.hu.shape[0] == 3
    assert codes(volume) == ["localizer-left-out"]
    assert volume.findings[0].where == uid("scout")


def test_a_screen_capture_in_the_series_is_left_out(tmp_path: Path):
    """Dose reports are stored as Secondary Capture with the CT's modality, sometimes in its series."""
    capture = with_meta(
        ct_image(
            0,
            SOPClassUID="1.2.840.10008.5.1.4.1.1.7",
            SOPInstanceUID=uid("dose"),
            ImagePositionPatient=None,
            ImageOrientationPatient=None,
        )
    )
    volume = read_ct_volume(write(tmp_path, *(ct_image(z) for z in (0, 5, 10)), capture))
    assert volume.hu.shape[0] == 3
    assert codes(volume) == ["capture-left-out"]


BAD_SERIES = {
    "other content at one position": (
        [ct_image(5, SOPInstanceUID=uid("x"), PixelData=b"\1\0" * ROWS * COLUMNS)],
        "one position",
    ),
    "mixed orientations": ([ct_image(5, ImageOrientationPatient=[1, 0, 0, 0, 0, -1])], "orientations"),
    "mixed sizes": ([ct_image(20, Rows=12, PixelData=b"\0\0" * 12 * COLUMNS)], "sizes"),
    "no spacing": ([ct_image(20, PixelSpacing=None)], r"Pixel Spacing \(0028,0030\)"),
    "spacing of zero": ([ct_image(20, PixelSpacing=[0, 0.8])], r"Pixel Spacing \(0028,0030\)"),
    "no position": ([ct_image(20, ImagePositionPatient=None)], r"\(0020,0032\)"),
    "no orientation": ([ct_image(20, ImageOrientationPatient=None)], r"\(0020,0037\)"),
    "skew orientation": ([ct_image(20, ImageOrientationPatient=[1, 0, 0, 0.3, 1, 0])], r"\(0020,0037\)"),
    "another series": ([ct_image(20, "two")], "2 series"),
    "no CT": ([ct_image(20, Modality="MR")], "expected a CT image"),
}


@pytest.mark.parametrize("extra", BAD_SERIES.values(), ids=BAD_SERIES.keys())
def test_what_forms_no_volume_is_refused_with_its_place(tmp_path: Path, extra):
    images, words = extra
    paths = write(tmp_path, *(ct_image(z) for z in (0, 5, 10, 15)), *images)
    with pytest.raises(InvalidGeometry, match=words) as caught:
        read_ct_volume(paths)
    assert images[0].SOPInstanceUID in caught.value.where or images[0].SOPInstanceUID[-12:] in caught.value.where
    assert "CANARY" not in str(caught.value).upper()


def test_localizers_alone_are_no_volume(tmp_path: Path):
    with pytest.raises(InvalidGeometry, match="only localizers"):
        read_ct_volume(series(tmp_path, (0, 5), ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"]))


def test_no_file(tmp_path: Path):
    with pytest.raises(MissingImages):
        read_ct_volume([])


def test_a_file_that_is_no_dicom(tmp_path: Path):
    (tmp_path / "a.dcm").write_bytes(b"nothing")
    with pytest.raises(NotDicom, match=r"a\.dcm"):
        read_ct_volume([tmp_path / "a.dcm"])


def test_pixels_that_are_cut_off(tmp_path: Path):
    with pytest.raises(InvalidInput, match="cannot be decoded"):
        read_ct_volume(write(tmp_path, ct_image(0, PixelData=b"\0" * 100)))


def test_pixels_of_an_unknown_compression(tmp_path: Path):
    image = ct_image(0)
    (path,) = write(tmp_path, image)
    path.write_bytes(path.read_bytes().replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.9\0"))
    with pytest.raises((InvalidInput, NotDicom), match=path.name):
        read_ct_volume([path])


def test_a_rescale_with_fractions_keeps_them(tmp_path: Path):
    volume = read_ct_volume(series(tmp_path, (0, 5), RescaleSlope=0.25, RescaleIntercept=-10.5))
    assert volume.hu.dtype == np.float32
    assert np.array_equal(volume.hu[1], stored_pixels(5) * 0.25 - 10.5)
    mixed = read_ct_volume(write(tmp_path / "b", ct_image(0), ct_image(5, RescaleSlope=0.5)))
    assert mixed.hu.dtype == np.float32
    assert np.array_equal(mixed.hu[0], stored_pixels(0))
    assert np.array_equal(mixed.hu[1], stored_pixels(5) * 0.5)
