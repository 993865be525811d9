from pathlib import Path

import numpy as np
import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dicom_node.ct_volume import read_ct_volume
from dicom_node.rtstruct_mask import contours_mask, read_rois, referenced_series, roi_mask
from tumorresp.domain.errors import InvalidGeometry, InvalidInput, NotDicom
from tumorresp.domain.geometry import VolumeGeometry
from tumorresp.quantify.mask_axes import mask_axes

AXIAL = VolumeGeometry((5, 40, 50), (-20.0, 10.0, 100.0), (0.0, 0.0, 3.0), (0.0, 1.0, 0.0), (0.5, 0.0, 0.0), "1.2")


def contour(slice_index: float, corners_row_column: list[tuple[float, float]], geometry=AXIAL) -> np.ndarray:
    index = [(slice_index, row, column) for row, column in corners_row_column]
    return geometry.index_to_lps(index)


def square(slice_index: float, low: float, high: float, geometry=AXIAL) -> np.ndarray:
    return contour(slice_index, [(low, low), (low, high), (high, high), (high, low)], geometry)


def test_square_holds_the_centres_inside_it():
    mask = contours_mask([square(2, 9.5, 19.5)], AXIAL)
    expected = np.zeros(AXIAL.shape, bool)
    expected[2, 10:20, 10:20] = True
    assert np.array_equal(mask, expected)


@pytest.mark.parametrize("turn", [1, -1])
def test_a_contour_in_a_contour_is_a_hole_and_a_third_an_island(turn):
    contours = [square(1, 4.5, 30.5), square(1, 9.5, 24.5)[::turn], square(1, 14.5, 19.5)]
    mask = contours_mask(contours, AXIAL)[1]
    assert (mask[6, 20], mask[12, 17], mask[17, 17]) == (True, False, True)
    assert np.count_nonzero(mask) == 26**2 - 15**2 + 5**2


def test_two_parts_of_one_slice_both_count():
    mask = contours_mask([square(0, 1.5, 5.5), square(0, 20.5, 30.5)], AXIAL)
    assert np.count_nonzero(mask) == 16 + 100
    assert not mask[1:].any()


def test_neighbours_that_share_an_edge_through_pixel_centres_share_no_pixel():
    left = contour(0, [(0, 5), (0, 10), (20, 10), (20, 5)])
    right = contour(0, [(0, 10), (0, 15), (20, 15), (20, 10)])
    one, other, both = (contours_mask(contours, AXIAL) for contours in ([left], [right], [left, right]))
    assert not (one & other).any()
    assert np.array_equal(both, one | other)
    assert np.count_nonzero(both) == 10 * 20


def test_area_of_a_slanted_ellipse():
    angle = np.linspace(0, 2 * np.pi, 200, endpoint=False)
    rows, columns = 12 * np.cos(angle) + 3 * np.sin(angle), 15 * np.sin(angle)
    mask = contours_mask([contour(3, list(zip(20 + rows, 25 + columns, strict=True)))], AXIAL)
    assert np.count_nonzero(mask) == pytest.approx(np.pi * 12 * 15, rel=0.01)
    assert mask.any(axis=(1, 2)).tolist() == [False, False, False, True, False]


def test_what_reaches_beyond_the_image_is_cut_off():
    mask = contours_mask([square(4, -30.5, 9.5), square(4, 34.5, 90.5)], AXIAL)
    assert np.count_nonzero(mask[4]) == 10 * 10 + 5 * 15


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 47), st.floats(-0.4, 0.4), st.integers(0, 4))
def test_orientation_of_the_volume_changes_nothing(orientation, tilt, slice_index):
    directions = [
        np.roll(np.eye(3), orientation % 3, axis=0)[k] * (1 if orientation >> k & 1 else -1) for k in range(3)
    ]
    slice_step = 3 * directions[0] + tilt * directions[1]
    turned = VolumeGeometry(
        AXIAL.shape, (5.0, 6.0, 7.0), tuple(slice_step), tuple(directions[1]), tuple(0.5 * directions[2])
    )
    corners = [(4.3, 5.2), (8.7, 30.1), (33.4, 22.8), (20.2, 8.9)]
    expected = contours_mask([contour(slice_index, corners)], AXIAL)
    assert np.array_equal(contours_mask([contour(slice_index, corners, turned)], turned), expected)


@pytest.mark.parametrize(
    ("points", "message"),
    [
        (square(1.5, 4, 9), "lies on no slice"),
        (square(7, 4, 9), "beyond the CT volume's slices"),
        (AXIAL.index_to_lps([(0, 4, 4), (0, 4, 20), (2, 20, 20)]), "lies on no slice"),
    ],
)
def test_contours_that_lie_on_no_slice_are_refused(points, message):
    with pytest.raises(InvalidGeometry, match=message):
        contours_mask([points], AXIAL)


def test_real_region_has_its_known_volume_and_axes(real_data: Path):
    folder = real_data / "cancerdata" / "cancerdata_phantom_pat_4"
    volume = read_ct_volume(sorted(folder.glob("DCM_IMG_*.dcm")))
    (roi,) = [roi for roi in read_rois(folder / "DCM_RS_00056.dcm") if roi.name == "GTV-1"]
    mask = roi_mask(roi, volume.geometry)
    assert np.count_nonzero(mask) * volume.geometry.voxel_volume_mm3 / 1000 == pytest.approx(123.4, abs=0.3)
    axes = mask_axes(mask, volume.geometry)
    assert axes.long_axis.length_mm == pytest.approx(77.8, abs=1)
    assert axes.short_axis.length_mm == pytest.approx(54.6, abs=1)
    assert -100 < volume.hu[mask].mean() < 100


@pytest.mark.parametrize("patient", ["STS_002", "STS_008"])
def test_real_tumour_lies_in_soft_tissue_on_as_many_slices_as_it_has_contours(real_data: Path, patient: str):
    folder = real_data / "sts" / patient
    volume = read_ct_volume(sorted((folder / "CT").glob("*.dcm")))
    (roi,) = read_rois(folder / "RTSTRUCT.dcm")
    mask = roi_mask(roi, volume.geometry)
    heights = {round(float(points[0, 2]), 2) for points in roi.contours_lps_mm}
    assert np.count_nonzero(mask.any(axis=(1, 2))) == len(heights)
    assert 0 < np.median(volume.hu[mask]) < 80
    assert referenced_series(folder / "RTSTRUCT.dcm") == {volume.series_instance_uid}


def test_other_frame_of_reference_is_refused(real_data: Path):
    (roi,) = read_rois(real_data / "sts" / "STS_008" / "RTSTRUCT.dcm")
    with pytest.raises(InvalidGeometry, match="different frames of reference"):
        roi_mask(roi, AXIAL)


def test_files_of_another_kind_are_refused(real_data: Path, tmp_path: Path):
    ct = next((real_data / "sts" / "STS_008" / "CT").glob("*.dcm"))
    with pytest.raises(InvalidInput, match="RT Structure Set"):
        read_rois(ct)
    text = tmp_path / "notes.txt"
    text.write_text("no DICOM")
    with pytest.raises(NotDicom, match="DICOM file"):
        read_rois(text)


def test_contour_data_without_whole_points_are_refused(real_data: Path, tmp_path: Path):
    dataset = pydicom.dcmread(real_data / "sts" / "STS_008" / "RTSTRUCT.dcm")
    contour_item = dataset.ROIContourSequence[0].ContourSequence[0]
    contour_item.ContourData = list(contour_item.ContourData)[:-1]
    broken = tmp_path / "broken.dcm"
    dataset.save_as(broken)
    with pytest.raises(InvalidInput, match="triplets of finite numbers"):
        read_rois(broken)
