import datetime
import io
import itertools
import tempfile
import time
from pathlib import Path

import highdicom
import numpy as np
import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from dicom_node.ct_volume import read_ct_volume
from reports.derived_object import ReportContext, encoded
from reports.segmentation import build_segmentation, lesion_colour
from reports.source_images import read_source_images
from tests.reports.small_ct import (
    AXIAL,
    NETWORK,
    SERIES,
    lesion_on,
    time_point_of,
    write_small_ct,
    write_small_enhanced_ct,
)
from tumorresp.domain.errors import InvalidInput
from tumorresp.domain.segmentation import SegmenterIdentity

CONTEXT = ReportContext("digest", datetime.datetime(2024, 1, 5, 10, 11, 12))  # noqa: DTZ001  as DICOM dates
AXES = [np.array(order)[:, None] == np.arange(3)[None, :] for order in itertools.permutations(range(3))]
ALL_AXES = [axes.astype(float) * signs for axes in AXES for signs in itertools.product((1, -1), repeat=3)]


def two_lesions(volume) -> list[np.ndarray]:
    """Two masks that touch nothing of each other, the second with a hole and in two parts."""
    first, second = np.zeros((2, *volume.geometry.shape), bool)
    first[1:4, 2:5, 1:3] = True
    first[2, 1, 1] = True
    second[2:5, 4:8, 4:7] = True
    second[3, 5, 5] = False
    second[0, 0, 6] = True
    return [first, second]


def built(folder, volume, paths, masks, kind="binary", **lesion):
    lesions = [lesion_on(volume, mask, f"T0{number}", **lesion) for number, mask in enumerate(masks, start=1)]
    images = read_source_images(paths, volume.series_instance_uid)
    return build_segmentation(volume, images, time_point_of(*lesions), CONTEXT, kind=kind)


def read_back(segmentation) -> highdicom.seg.Segmentation:
    return highdicom.seg.segread(io.BytesIO(encoded(segmentation)))


def voxels_of(segmentation, volume, number) -> np.ndarray:
    """Return a segment as (slice, row, column), each frame put where its own position says."""
    found = np.zeros(volume.geometry.shape, bool)
    whole = read_back(segmentation)
    labels = whole.SegmentationType == "LABELMAP"
    frames = whole.pixel_array.reshape(-1, whole.Rows, whole.Columns)
    for frame, item in zip(frames, whole.PerFrameFunctionalGroupsSequence, strict=True):
        shared = whole.SharedFunctionalGroupsSequence[0]
        holder = item if "SegmentIdentificationSequence" in item else shared
        if not labels and holder.SegmentIdentificationSequence[0].ReferencedSegmentNumber != number:
            continue
        holder = item if "PlanePositionSequence" in item else shared
        position = holder.PlanePositionSequence[0].ImagePositionPatient
        index = volume.geometry.lps_to_index([float(value) for value in position])
        assert np.abs(index - np.round(index)).max() < 1e-3
        assert np.round(index[1:]).tolist() == [0, 0]
        found[round(float(index[0]))] |= frame == number if labels else frame.astype(bool)
    return found


@pytest.mark.parametrize("kind", ["binary", "labelmap"])
def test_segments_are_the_masks_voxel_by_voxel(tmp_path, kind):
    paths = write_small_ct(tmp_path)
    volume = read_ct_volume(paths)
    masks = two_lesions(volume)
    segmentation = built(tmp_path, volume, paths, masks, kind)
    assert segmentation.SOPClassUID == "1.2.840.10008.5.1.4.1.1.66." + ("4" if kind == "binary" else "7")
    for number, mask in enumerate(masks, start=1):
        np.testing.assert_array_equal(voxels_of(segmentation, volume, number), mask)


def test_overlapping_lesions_keep_all_their_voxels_in_a_binary_seg(tmp_path):
    paths = write_small_ct(tmp_path)
    volume = read_ct_volume(paths)
    first, second = two_lesions(volume)
    second |= first
    segmentation = built(tmp_path, volume, paths, [first, second])
    np.testing.assert_array_equal(voxels_of(segmentation, volume, 1), first)
    np.testing.assert_array_equal(voxels_of(segmentation, volume, 2), second)


@settings(max_examples=24, deadline=None)
@given(
    axes=st.sampled_from(ALL_AXES),
    angles=st.one_of(st.just((0.0, 0.0, 0.0)), st.tuples(*[st.floats(-40, 40, allow_nan=False) for _ in range(3)])),
    shear=st.floats(-0.6, 0.6),
    seed=st.integers(0, 2**16),
    kind=st.sampled_from(["binary", "labelmap"]),
)
def test_round_trip_in_every_orientation(axes, angles, shear, seed, kind):
    directions = Rotation.from_euler("xyz", angles, degrees=True).as_matrix() @ axes
    step = directions[:, 2] * 2.5 + directions[:, 1] * shear
    random = np.random.default_rng(seed)
    with tempfile.TemporaryDirectory() as name:
        paths = write_small_ct(Path(name), (4, 5, 6), directions, slice_step=step)
        volume = read_ct_volume([paths[index] for index in random.permutation(len(paths))])
        mask = random.random(volume.geometry.shape) < 0.3
        mask[1, 2, 3] = True
        segmentation = built(None, volume, paths, [mask], kind)
    np.testing.assert_array_equal(voxels_of(segmentation, volume, 1), mask)


def test_highdicom_finds_the_masks_on_the_source_images(tmp_path):
    paths = write_small_ct(tmp_path)
    volume = read_ct_volume(paths)
    masks = two_lesions(volume)
    read = read_back(built(tmp_path, volume, paths, masks))
    pixels = read.get_pixels_by_source_instance(
        [plane.sop_instance_uid for plane in volume.planes],
        segment_numbers=[1, 2],
        ignore_spatial_locations=True,
        assert_missing_frames_are_empty=True,
    )
    np.testing.assert_array_equal(pixels, np.stack(masks, axis=-1))


def test_a_segment_names_its_lesion_and_what_drew_it(tmp_path):
    paths = write_small_ct(tmp_path)
    volume = read_ct_volume(paths)
    segmentation = built(tmp_path, volume, paths, two_lesions(volume), nodal=True)
    first, second = segmentation.SegmentSequence
    assert (first.TrackingID, second.TrackingID) == ("T01", "T02")
    assert first.TrackingUID == lesion_on(volume, two_lesions(volume)[0]).lesion.tracking_uid
    assert first.SegmentLabel == "T01 lymph node"
    assert first.SegmentAlgorithmType == "SEMIAUTOMATIC"
    assert first.SegmentedPropertyCategoryCodeSequence[0].CodeValue == "49755003"
    assert first.SegmentedPropertyTypeCodeSequence[0].CodeValue == "108369006"
    assert first.AnatomicRegionSequence[0].CodeValue == "59441001"
    algorithm = first.SegmentationAlgorithmIdentificationSequence[0]
    assert (algorithm.AlgorithmName, algorithm.AlgorithmVersion) == (NETWORK.name, NETWORK.version)
    assert algorithm.AlgorithmFamilyCodeSequence[0].CodeValue == "123110"
    assert NETWORK.weights_sha256 in algorithm.AlgorithmParameters
    assert "margin_mm=3" in algorithm.AlgorithmParameters
    assert "CodingSchemeIdentificationSequence" not in segmentation


def test_a_segmenter_without_weights_is_no_artificial_intelligence(tmp_path):
    paths = write_small_ct(tmp_path)
    volume = read_ct_volume(paths)
    contour = SegmenterIdentity("contour", "1")
    segmentation = built(tmp_path, volume, paths, two_lesions(volume), segmenter=contour)
    algorithm = segmentation.SegmentSequence[0].SegmentationAlgorithmIdentificationSequence[0]
    assert algorithm.AlgorithmFamilyCodeSequence[0].CodeValue == "123111"


def test_frames_are_made_for_slices_with_an_image_and_content_only(tmp_path):
    paths = write_small_ct(tmp_path, (11, 9, 7))
    volume = read_ct_volume([path for index, path in enumerate(paths) if index != 5])
    assert volume.planes[5].sop_instance_uid == ""
    mask = np.zeros(volume.geometry.shape, bool)
    mask[3:7, 2:5, 2:5] = True
    segmentation = built(tmp_path, volume, paths, [mask])
    assert segmentation.NumberOfFrames == 3
    expected = mask.copy()
    expected[5] = False
    np.testing.assert_array_equal(voxels_of(segmentation, volume, 1), expected)


def test_a_lesion_on_interpolated_slices_alone_has_no_segment(tmp_path):
    paths = write_small_ct(tmp_path, (11, 9, 7))
    volume = read_ct_volume([path for index, path in enumerate(paths) if index != 5])
    mask = np.zeros(volume.geometry.shape, bool)
    mask[5, 2:5, 2:5] = True
    with pytest.raises(InvalidInput, match="no mask on this series"):
        built(tmp_path, volume, paths, [mask])


def test_images_of_other_series_are_left_out(tmp_path):
    paths = write_small_ct(tmp_path / "a")
    others = write_small_ct(tmp_path / "b", series="2.25.999")
    volume = read_ct_volume(paths)
    segmentation = built(tmp_path, volume, [*others, *paths], two_lesions(volume))
    (series,) = segmentation.ReferencedSeriesSequence
    assert series.SeriesInstanceUID == SERIES


def test_enhanced_multi_frame_ct(tmp_path):
    path = write_small_enhanced_ct(tmp_path)
    volume = read_ct_volume([path])
    mask = np.zeros(volume.geometry.shape, bool)
    mask[1, 2:5, 2:4] = True
    mask[2, 3:6, 2:4] = True
    segmentation = built(tmp_path, volume, [path], [mask])
    np.testing.assert_array_equal(voxels_of(segmentation, volume, 1), mask)
    derived = [
        item.DerivationImageSequence[0].SourceImageSequence[0].ReferencedFrameNumber
        for item in segmentation.PerFrameFunctionalGroupsSequence
    ]
    assert [volume.planes[index].frame_number for index in (1, 2)] == derived or sorted(derived) == sorted(
        volume.planes[index].frame_number for index in (1, 2)
    )


def test_values_that_are_not_valid_in_the_ct_are_mended_in_the_seg(tmp_path):
    paths = write_small_ct(tmp_path, StudyID="12345678901234567", FrameOfReferenceUID=None, PatientSex=None)
    volume = read_ct_volume(paths)
    segmentation = built(tmp_path, volume, paths, two_lesions(volume))
    assert segmentation.StudyID == "1234567890123456"
    assert segmentation.FrameOfReferenceUID.startswith("2.25.")


@pytest.mark.parametrize(
    ("character_set", "name"), [("ISO_IR 100", "Møller^Åse"), ("ISO_IR 144", "Иванова^Анна"), ("ISO_IR 192", "Λάμδα^Ü")]
)
def test_names_are_kept_whatever_their_characters(tmp_path, character_set, name):
    paths = write_small_ct(tmp_path, SpecificCharacterSet=character_set, PatientName=name)
    volume = read_ct_volume(paths)
    read = pydicom.dcmread(io.BytesIO(encoded(built(tmp_path, volume, paths, two_lesions(volume)))))
    assert read.SpecificCharacterSet == "ISO_IR 192"
    assert str(read.PatientName) == name


@pytest.mark.parametrize("kind", ["binary", "labelmap"])
def test_a_rerun_gives_the_same_bytes(tmp_path, kind):
    paths = write_small_ct(tmp_path)
    volume = read_ct_volume(paths)
    first = encoded(built(tmp_path, volume, paths, two_lesions(volume), kind))
    time.sleep(1.05)  # the clock's second must not show
    assert encoded(built(tmp_path, volume, paths, two_lesions(volume), kind)) == first
    read = pydicom.dcmread(io.BytesIO(first))
    assert (read.ContentDate, read.ContentTime) == ("20240105", "101112")


def test_no_mask_no_seg(tmp_path):
    paths = write_small_ct(tmp_path)
    volume = read_ct_volume(paths)
    with pytest.raises(InvalidInput, match="no mask"):
        built(tmp_path, volume, paths, [np.zeros(volume.geometry.shape, bool)])


def test_a_lesion_keeps_its_colour(tmp_path):
    paths = write_small_ct(tmp_path)
    volume = read_ct_volume(paths)
    one = built(tmp_path, volume, paths, two_lesions(volume))
    other = built(tmp_path, volume, paths, two_lesions(volume)[:1])
    assert (
        one.SegmentSequence[0].RecommendedDisplayCIELabValue == other.SegmentSequence[0].RecommendedDisplayCIELabValue
    )
    assert len({lesion_colour(f"2.25.{n}") for n in range(30)}) > 3


def test_the_identity_follows_from_digest_and_series_alone(tmp_path):
    paths = write_small_ct(tmp_path)
    volume = read_ct_volume(paths)
    masks = two_lesions(volume)
    assert (
        built(tmp_path, volume, paths, masks).SOPInstanceUID == built(tmp_path, volume, paths, masks[:1]).SOPInstanceUID
    )
    assert ReportContext("other", CONTEXT.moment).instance_uid("SEG", SERIES) != CONTEXT.instance_uid("SEG", SERIES)
    assert AXIAL.shape == (3, 3)
