"""CT series become volumes: against another reader, in any order, and with everything that can be wrong."""

import random
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate

from dicom_node.ct_volume import read_ct_volume
from tests.dicom_node.ct_files import COLUMNS, ROWS, ct_image, enhanced_ct, stored_pixels, uid, with_meta, write
from tests.real_servers import run_tool
from tumorresp.domain.errors import InvalidGeometry, MissingImages

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


ODD_IMAGES = {
    "other content at one position": (
        ct_image(20, SOPInstanceUID=uid("x"), PixelData=b"\1\0" * ROWS * COLUMNS),
        "conflicting-images",
    ),
    "another orientation": (ct_image(5, SOPInstanceUID=uid("y"), ImageOrientationPatient=[1, 0, 0, 0, 0, -1]), "stack"),
    "another size": (ct_image(100, Rows=12, PixelData=b"\0\0" * 12 * COLUMNS), "stack"),
    "no rows": (ct_image(100, Rows=0, PixelData=b""), "stack"),
    "rows that no memory holds": (ct_image(100, Rows=65535, Columns=65535), "stack"),
    "another pixel spacing": (ct_image(100, PixelSpacing=[0.7, 0.9]), "stack"),
    "another frame of reference": (ct_image(100, FrameOfReferenceUID=uid("other")), "stack"),
    "no spacing": (ct_image(100, PixelSpacing=None), "image-left-out"),
    "spacing of zero": (ct_image(100, PixelSpacing=[0, 0.8]), "image-left-out"),
    "no position": (ct_image(100, ImagePositionPatient=None), "image-left-out"),
    "no orientation": (ct_image(100, ImageOrientationPatient=None), "image-left-out"),
    "skew orientation": (ct_image(100, ImageOrientationPatient=[1, 0, 0, 0.3, 1, 0]), "image-left-out"),
}


@pytest.mark.parametrize(("odd", "code"), ODD_IMAGES.values(), ids=ODD_IMAGES.keys())
def test_an_odd_image_is_left_out_and_harms_no_other(tmp_path: Path, odd, code):
    heights = [5.0 * number for number in range(12)]
    volume = read_ct_volume(write(tmp_path, *(ct_image(z) for z in heights), odd))
    assert any(code in name for name in codes(volume)), codes(volume)
    for number, z in enumerate(heights):
        if not (code == "conflicting-images" and z == 20):
            assert np.array_equal(volume.hu[number], stored_pixels(z))
    assert volume.slices_without_image == ((4,) if code == "conflicting-images" else ())
    assert volume.numbers_doubt == ""
    words = " ".join(f"{finding.message} {finding.where}" for finding in volume.findings)
    assert odd.SOPInstanceUID in words or odd.SOPInstanceUID[-12:] in words or code == "stack"
    assert "CANARY" not in words.upper()


def test_of_two_images_at_one_position_the_measured_one_counts(tmp_path: Path):
    other = ct_image(20, SOPInstanceUID=uid("x"), PixelData=b"\1\0" * ROWS * COLUMNS)
    paths = write(tmp_path, *(ct_image(5.0 * number) for number in range(12)), other)
    for chosen, stored in ((uid("x"), np.ones((ROWS, COLUMNS))), (uid("one", 20.0), stored_pixels(20))):
        volume = read_ct_volume(paths, must_hold=[chosen])
        assert volume.planes[4].sop_instance_uid == chosen
        assert np.array_equal(volume.hu[4], stored)


@pytest.mark.parametrize(
    ("extra", "words"), [(ct_image(20, "two"), "2 series"), (ct_image(20, Modality="MR"), "expected a CT image")]
)
def test_what_is_no_ct_series_is_refused_with_its_place(tmp_path: Path, extra, words):
    paths = write(tmp_path, *(ct_image(z) for z in (0, 5, 10, 15)), extra)
    with pytest.raises(InvalidGeometry, match=words) as caught:
        read_ct_volume(paths)
    assert extra.SOPInstanceUID[-12:] in caught.value.where
    assert "CANARY" not in str(caught.value).upper()


@pytest.mark.parametrize("changes", [{"PixelSpacing": None}, {"ImagePositionPatient": None}])
def test_a_series_of_nothing_but_odd_images_is_refused_with_its_reason(tmp_path: Path, changes):
    with pytest.raises(InvalidGeometry, match=r"\((0028,0030|0020,0032)\)"):
        read_ct_volume(series(tmp_path, (0, 5, 10), **changes))


def test_more_voxels_than_can_be_held_are_refused_before_memory_is_taken(tmp_path: Path):
    with pytest.raises(InvalidGeometry, match=r"\(0028,0010\)"):
        read_ct_volume(series(tmp_path, (0, 5, 10), Rows=65535, Columns=65535))


def rgb(z: float):
    return ct_image(
        z, SamplesPerPixel=3, PhotometricInterpretation="RGB", PlanarConfiguration=0, BitsAllocated=8, BitsStored=8,
        HighBit=7, PixelRepresentation=0, PixelData=b"\7" * ROWS * COLUMNS * 3,
    )  # fmt: skip


def with_syntax(image, syntax: str):
    image.file_meta.TransferSyntaxUID = syntax
    return image


def compressed_nonsense(z: float, syntax: str):
    image = with_syntax(ct_image(z), syntax)
    image.PixelData = encapsulate([b"\xff\xd8 no such picture"])
    image["PixelData"].is_undefined_length = True
    return image


def floats(z: float):
    image = ct_image(z, PixelData=None, BitsAllocated=32, BitsStored=None, HighBit=None, PixelRepresentation=None)
    image.FloatPixelData = np.full((ROWS, COLUMNS), 40.5, "<f4").tobytes()
    return image


BROKEN_PIXELS = {
    "short": lambda z: ct_image(z, PixelData=b"\0" * 100),
    "empty": lambda z: ct_image(z, PixelData=b""),
    "absent": lambda z: ct_image(z, PixelData=None),
    "no bits stored": lambda z: ct_image(z, BitsStored=None),
    "odd bits": lambda z: ct_image(z, BitsAllocated=12),
    "colour": rgb,
    "palette": lambda z: ct_image(z, PhotometricInterpretation="PALETTE COLOR"),
    "floats": floats,
    "jpeg": lambda z: compressed_nonsense(z, "1.2.840.10008.1.2.4.70"),
    "jpeg-ls": lambda z: compressed_nonsense(z, "1.2.840.10008.1.2.4.80"),
    "jpeg 2000": lambda z: compressed_nonsense(z, "1.2.840.10008.1.2.4.90"),
    "rle": lambda z: compressed_nonsense(z, "1.2.840.10008.1.2.5"),
    "lookup table": lambda z: ct_image(z, ModalityLUTSequence=[Dataset()]),
}


@pytest.mark.parametrize("broken", BROKEN_PIXELS.values(), ids=BROKEN_PIXELS.keys())
@pytest.mark.parametrize("place", [0, 5, 11])
def test_an_image_that_cannot_be_read_is_a_missing_slice(tmp_path: Path, broken, place):
    heights = [5.0 * number for number in range(12)]
    paths = write(tmp_path, *(broken(z) if number == place else ct_image(z) for number, z in enumerate(heights)))
    volume = read_ct_volume(paths, must_hold=[(uid("one", heights[place]), None)])
    assert "pixels-unreadable" in codes(volume)
    kept = [z for number, z in enumerate(heights) if number != place or place == 5]
    assert volume.hu.shape[0] == len(kept)
    assert volume.slices_without_image == ((5,) if place == 5 else ())
    for number, z in enumerate(kept):
        assert np.array_equal(volume.hu[number], stored_pixels(z))  # the missing one is between its neighbours
    # Where the reader drew on it is still known.
    assert volume.plane_of(uid("one", heights[place])).origin_lps_mm[2] == heights[place]
    assert volume.other_stacks == frozenset()


@pytest.mark.parametrize("broken", BROKEN_PIXELS.values(), ids=BROKEN_PIXELS.keys())
def test_a_series_without_a_readable_image_says_where_it_lies_and_gives_no_numbers(tmp_path: Path, broken):
    volume = read_ct_volume(write(tmp_path, *(broken(5.0 * number) for number in range(4))))
    assert volume.geometry.shape == (4, ROWS, COLUMNS)
    assert "no image can be read" in volume.numbers_doubt
    refused = next(finding for finding in volume.findings if finding.code == "ct-numbers-refused")
    assert refused.decides
    assert [plane.sop_instance_uid for plane in volume.planes] == [uid("one", 5.0 * number) for number in range(4)]


def test_big_endian_images_are_read(tmp_path: Path):
    images = []
    for z in (0, 5, 10):
        image = with_syntax(ct_image(z), "1.2.840.10008.1.2.2")
        image.PixelData = stored_pixels(z).astype(">i2").tobytes()
        images.append(image)
    volume = read_ct_volume(write(tmp_path, *images))
    assert np.array_equal(volume.hu, np.stack([stored_pixels(z) for z in (0, 5, 10)]))


def test_localizers_alone_are_no_volume(tmp_path: Path):
    with pytest.raises(InvalidGeometry, match="only localizers"):
        read_ct_volume(series(tmp_path, (0, 5), ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"]))


def test_no_file(tmp_path: Path):
    with pytest.raises(MissingImages):
        read_ct_volume([])


def test_a_file_that_is_no_dicom(tmp_path: Path):
    (tmp_path / "a.dcm").write_bytes(b"nothing")
    with pytest.raises(InvalidGeometry, match=r"a\.dcm.*not a DICOM file"):
        read_ct_volume([tmp_path / "a.dcm"])
    volume = read_ct_volume([tmp_path / "a.dcm", *series(tmp_path / "ct", (0, 5, 10))])
    assert volume.hu.shape[0] == 3
    assert codes(volume) == ["image-left-out"]
    assert volume.findings[0].where == "a.dcm"


def test_a_rescale_with_fractions_keeps_them(tmp_path: Path):
    volume = read_ct_volume(series(tmp_path, (0, 5), RescaleSlope=0.25, RescaleIntercept=-10.5))
    assert volume.hu.dtype == np.float32
    assert np.array_equal(volume.hu[1], stored_pixels(5) * 0.25 - 10.5)
    mixed = read_ct_volume(write(tmp_path / "b", ct_image(0), ct_image(5, RescaleSlope=0.5)))
    assert mixed.hu.dtype == np.float32
    assert np.array_equal(mixed.hu[0], stored_pixels(0))
    assert np.array_equal(mixed.hu[1], stored_pixels(5) * 0.5)


def phase(z: float, name: str, value: float, **changes):
    return ct_image(
        z,
        SOPInstanceUID=uid(name, z),
        PixelData=np.full((ROWS, COLUMNS), value).astype("<i2").tobytes(),
        **changes,
    )


STACKS = {
    "two reconstructions": (
        {"ConvolutionKernel": "B30f"},
        {"ConvolutionKernel": "B70f"},
        [5.0 * k for k in range(12)],
    ),
    "two reconstructions, interleaved": ({"SliceThickness": 5}, {"SliceThickness": 2}, [2 * k for k in range(24)]),
    "arterial and venous": ({"AcquisitionNumber": 1}, {"AcquisitionNumber": 2}, [5.0 * k for k in range(12)]),
    "a 4-D series": (
        {"TemporalPositionIdentifier": 1},
        {"TemporalPositionIdentifier": 2},
        [5.0 * k for k in range(12)],
    ),
    "a series of maxima within": (
        {"ImageType": ["ORIGINAL", "PRIMARY", "AXIAL"]},
        {"ImageType": ["DERIVED", "SECONDARY", "AXIAL", "AVERAGE"]},
        [5.0 * k for k in range(12)],
    ),
}


@pytest.mark.parametrize(("one", "other", "heights"), STACKS.values(), ids=STACKS.keys())
def test_the_stack_that_was_measured_on_is_used_whole(tmp_path: Path, one, other, heights):
    images = [phase(5.0 * k, "a", 40, **one) for k in range(12)] + [phase(z, "b", 90, **other) for z in heights]
    paths = write(tmp_path, *images)
    for name, hu, count in (("a", 40, 12), ("b", 90, len(heights))):
        measured = uid(name, 20.0 if name == "a" else heights[4])
        volume = read_ct_volume(paths, must_hold=[(measured, None)])
        assert volume.geometry.shape[0] == count
        assert np.unique(volume.hu).tolist() == [hu]
        assert volume.slice_of(measured) == 4
        assert "several-stacks" in codes(volume)
        assert len(volume.other_stacks) == len(images) - count
        beside = uid("b" if name == "a" else "a", heights[4] if name == "a" else 20.0)
        assert volume.plane_of(beside) is not None
        assert volume.slice_of(beside) is None


def test_frames_of_several_phases_in_one_image_come_apart(tmp_path: Path):
    image = enhanced_ct([0, 5, 10, 15, 0, 5, 10, 15])
    for number, group in enumerate(image.PerFrameFunctionalGroupsSequence):
        content = Dataset()
        content.TemporalPositionIndex = 1 + number // 4
        group.FrameContentSequence = [content]
    (path,) = write(tmp_path, image)
    for frame, expected in ((2, [1, 2, 3, 4]), (6, [5, 6, 7, 8])):
        volume = read_ct_volume([path], must_hold=[(uid("enhanced", 0), frame)])
        assert [plane.frame_number for plane in volume.planes] == expected
        assert "TemporalPositionIndex" in volume.findings[0].message


RESCALES = {
    "all the same": ([{}] * 6, False),
    "none states one": ([{"RescaleSlope": None, "RescaleIntercept": None}] * 6, False),
    "each its own, all stated": ([{"RescaleIntercept": -number} for number in range(6)], False),
    "each its own slope": ([{"RescaleSlope": 1 + number / 100} for number in range(6)], False),
    "half lack both": ([{}, {"RescaleSlope": None, "RescaleIntercept": None}] * 3, True),
    "one lacks the intercept": ([{}] * 5 + [{"RescaleIntercept": None}], True),
    "one lacks the slope": ([{"RescaleSlope": None}] + [{}] * 5, True),
    "one has a slope of zero": ([{}] * 5 + [{"RescaleSlope": 0}], True),
    "one has an empty intercept": ([{}] * 5 + [{"RescaleIntercept": ""}], True),
    "one is in other units": ([{}] * 5 + [{"RescaleType": "US"}], True),
    "all are in other units": ([{"RescaleType": "US"}] * 6, False),
    "one states the usual unit": ([{}] * 5 + [{"RescaleType": "HU"}], False),
    "one is inverted": ([{}] * 5 + [{"PhotometricInterpretation": "MONOCHROME1"}], True),
    "all are inverted for display": ([{"PhotometricInterpretation": "MONOCHROME1"}] * 6, False),
    "one is on another scale, whatever it states": ([{}] * 5 + [{"RescaleIntercept": -1024}], True),
    "other bits and sign, the same numbers": (
        [{}] * 5 + [{"BitsStored": 15, "HighBit": 14, "PixelRepresentation": 0}],
        False,
    ),
    "other padding": ([{}] * 5 + [{"PixelPaddingValue": -2000}], False),
    "all are greatest values": ([{"ImageType": ["DERIVED", "SECONDARY", "AXIAL", "CT_SOM5 MIP"]}] * 6, True),
    "all are averages": ([{"ImageType": ["DERIVED", "SECONDARY", "AXIAL", "MEAN"]}] * 6, False),
}


@pytest.mark.parametrize(("changes", "refused"), RESCALES.values(), ids=RESCALES.keys())
def test_ct_numbers_of_one_series_are_on_one_scale_or_refused(tmp_path: Path, changes, refused):
    volume = read_ct_volume(write(tmp_path, *(ct_image(5 * n, **change) for n, change in enumerate(changes))))
    assert volume.geometry.shape[0] == 6
    assert bool(volume.numbers_doubt) == refused
    assert any(finding.decides for finding in volume.findings) == refused
    assert all(plane.sop_instance_uid for plane in volume.planes)


@pytest.mark.parametrize(("step", "refused"), [(499, False), (500, True), (1024, True), (-500, True), (-499, False)])
def test_a_jump_of_every_number_between_neighbours_is_another_scale(tmp_path: Path, step, refused):
    first = ct_image(0)
    second = ct_image(5, PixelData=(stored_pixels(0) + step).astype("<i2").tobytes())
    assert bool(read_ct_volume(write(tmp_path, first, second)).numbers_doubt) == refused


def test_a_blank_image_is_no_jump(tmp_path: Path):
    blank = ct_image(5, PixelData=np.full((ROWS, COLUMNS), -1000).astype("<i2").tobytes())
    bright = ct_image(0, PixelData=(stored_pixels(0) + 300).astype("<i2").tobytes())
    assert read_ct_volume(write(tmp_path, bright, blank)).numbers_doubt == ""


PLANES = {
    "axial": ([1, 0, 0, 0, 1, 0], []),
    "tilted by 30 degrees": ([1, 0, 0, 0, 0.866025, 0.5], []),
    "coronal": ([1, 0, 0, 0, 0, -1], ["plane-not-axial"]),
    "sagittal": ([0, 1, 0, 0, 0, -1], ["plane-not-axial"]),
}


@pytest.mark.parametrize(("orientation", "expected"), PLANES.values(), ids=PLANES.keys())
def test_other_planes_than_axial_ones_are_allowed_and_said(tmp_path: Path, orientation, expected):
    normal = np.cross(orientation[:3], orientation[3:])
    images = [
        ct_image(n, ImageOrientationPatient=orientation, ImagePositionPatient=[round(v, 4) for v in 5.0 * n * normal])
        for n in range(4)
    ]
    volume = read_ct_volume(write(tmp_path, *images))
    assert volume.geometry.shape[0] == 4
    assert codes(volume) == expected


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"ImageType": ["DERIVED", "SECONDARY", "AXIAL"]}, "images-derived"),
        ({"KVP": 80}, "mixed-reconstruction"),
        ({"ConvolutionKernel": "B70f"}, "mixed-reconstruction"),
    ],
)
def test_images_made_in_another_way_within_one_stack_are_said(tmp_path: Path, change, code):
    plain = {"KVP": 120, "ConvolutionKernel": "B30f"}
    images = [ct_image(5 * n, **{**plain, **(change if n > 2 else {})}) for n in range(5)]
    assert codes(read_ct_volume(write(tmp_path, *images))) == [code]
