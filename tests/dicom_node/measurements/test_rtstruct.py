"""Axes of regions: real structure sets, shapes whose diameters are known, and which regions are lesions."""

from itertools import combinations
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, RTStructureSetStorage

from dicom_node.ct_volume import read_ct_volume
from dicom_node.instance_header import read_planes
from dicom_node.measurements.reading import read_measurements
from dicom_node.rtstruct_mask import read_rois, roi_mask
from tumorresp.domain.errors import InvalidInput
from tumorresp.domain.geometry import VolumeGeometry
from tumorresp.domain.measurement import Axis, MarkedMeasurement
from tumorresp.domain.placement import place
from tumorresp.quantify.mask_axes import mask_axes

STS = [
    ("STS_002", 56.22, 38.84),
    ("STS_008", 39.86, 29.90),
    ("STS_024", 52.59, 41.32),
    ("STS_025", 46.32, 27.79),
    ("STS_042", 48.56, 27.07),
]


@pytest.mark.parametrize(("patient", "long", "short"), STS)
def test_sarcomas(real_data: Path, patient: str, long: float, short: float):
    folder = real_data / "sts" / patient
    (found,) = read_measurements(folder / "RTSTRUCT.dcm")
    planes = {p.sop_instance_uid: [p] for path in sorted((folder / "CT").iterdir()) for p in read_planes(path)}
    placed = place(found, planes)
    assert placed.long_axis.distance_mm == pytest.approx(long, abs=0.005)
    assert placed.short_axis.distance_mm == pytest.approx(short, abs=0.005)
    assert (found.label, found.source.format) == ("GTV_Mass_CT", "rtstruct")
    assert {finding.code for finding in placed.findings} <= {"axes-derived", "placed-by-coordinates"}
    # The axes lie on one slice, that of the image that is named with them.
    plane = planes[placed.sop_instance_uid][0]
    for axis in (placed.long_axis, placed.short_axis):
        assert max(abs(plane.lps_to_pixel(end)[2]) for end in (axis.start_lps_mm, axis.end_lps_mm)) < 0.01
    # No two points of any contour are farther apart than the long axis.
    contours = [
        np.reshape(np.asarray(contour.ContourData, float), (-1, 3))
        for contour in pydicom.dcmread(folder / "RTSTRUCT.dcm").ROIContourSequence[0].ContourSequence
    ]
    spans = [np.linalg.norm(c[:, None] - c[None], axis=-1).max() for c in contours]
    assert placed.long_axis.distance_mm == pytest.approx(max(spans), rel=1e-9)


def test_lung_tumour_without_image_references(real_data: Path):
    """Its contours name no images; they run around the mask that is 77.8 x 54.6 mm through pixel centres."""
    folder = real_data / "cancerdata/cancerdata_phantom_pat_4"
    (path,) = folder.glob("DCM_RS_*")
    (found,) = read_measurements(path)
    assert found.sop_instance_uid == ""
    volume = read_ct_volume(sorted(folder.glob("DCM_IMG_*")))
    placed = place(found, {plane.sop_instance_uid: [plane] for plane in volume.planes})
    assert placed.long_axis.distance_mm == pytest.approx(79.20, abs=0.005)
    assert placed.short_axis.distance_mm == pytest.approx(55.50, abs=0.005)
    (roi,) = read_rois(path)
    of_mask = mask_axes(roi_mask(roi, volume.geometry), volume.geometry)
    assert placed.long_axis.length_mm == pytest.approx(of_mask.long_axis.length_mm, abs=2)
    assert placed.short_axis.length_mm == pytest.approx(of_mask.short_axis.length_mm, abs=2)
    assert volume.planes[of_mask.slice_index].sop_instance_uid == placed.sop_instance_uid


def structure_set(*regions: tuple[str, str, list[tuple[str, np.ndarray]]]) -> Dataset:
    """Return a structure set of (name, interpreted type, [(geometric type, points)]) regions."""
    made = Dataset()
    made.SOPClassUID, made.SOPInstanceUID = RTStructureSetStorage, "1.2.3.9"
    made.StudyInstanceUID, made.SeriesInstanceUID = "1.2.3.1", "1.2.3.2"
    made.Modality, made.PatientID, made.StructureSetDate = "RTSTRUCT", "P", "20240229"
    made.StructureSetROISequence, made.ROIContourSequence, made.RTROIObservationsSequence = [], [], []
    for number, (name, kind, contours) in enumerate(regions, start=1):
        roi, drawn, observed = Dataset(), Dataset(), Dataset()
        roi.ROINumber, roi.ROIName, roi.ReferencedFrameOfReferenceUID = number, name, "1.2.3.5"
        drawn.ReferencedROINumber, drawn.ContourSequence = number, []
        observed.ReferencedROINumber, observed.RTROIInterpretedType = number, kind
        observed.ROIInterpreter = "READER^ONE"
        for geometric_type, points in contours:
            contour, reference = Dataset(), Dataset()
            contour.ContourGeometricType = geometric_type
            contour.ContourData = [f"{value:.4f}" for value in np.ravel(points)]
            reference.ReferencedSOPInstanceUID = f"1.2.4.{round(float(np.atleast_2d(points)[0, 2])) + 100}"
            contour.ContourImageSequence = [reference]
            drawn.ContourSequence.append(contour)
        made.StructureSetROISequence.append(roi)
        made.ROIContourSequence.append(drawn)
        made.RTROIObservationsSequence.append(observed)
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made.file_meta.MediaStorageSOPClassUID = made.SOPClassUID
    made.file_meta.MediaStorageSOPInstanceUID = made.SOPInstanceUID
    return made


def read(tmp_path: Path, *regions, change=None) -> tuple[MarkedMeasurement, ...]:
    document = structure_set(*regions)
    if change is not None:
        change(document)
    document.save_as(tmp_path / "rt.dcm", enforce_file_format=True)
    return read_measurements(tmp_path / "rt.dcm")


def ellipse(z: float, half_long: float, half_short: float, centre=(10.0, -20.0), points: int = 360) -> np.ndarray:
    angle = np.linspace(0, 2 * np.pi, points, endpoint=False)
    return np.column_stack(
        [centre[0] + half_long * np.cos(angle), centre[1] + half_short * np.sin(angle), np.full(points, z)]
    )


def closed(points: np.ndarray) -> tuple[str, np.ndarray]:
    return "CLOSED_PLANAR", points


def lengths(found: MarkedMeasurement) -> tuple[float, float | None]:
    short = found.short_axis
    return Axis(*found.long_axis.lps_mm).length_mm, None if short is None else Axis(*short.lps_mm).length_mm


def test_the_slice_with_the_longest_diameter_counts(tmp_path: Path):
    contours = [closed(ellipse(z, a, b)) for z, a, b in ((0, 10, 9), (3, 20, 8), (6, 15, 14))]
    (found,) = read(tmp_path, ("GTV", "GTV", contours))
    assert lengths(found) == pytest.approx((40, 16), rel=1e-3)
    assert (found.sop_instance_uid, found.frame_of_reference_uid) == ("1.2.4.103", "1.2.3.5")
    assert (found.label, found.reader, found.measured_at.day) == ("GTV", "READER^ONE", 29)
    ends = np.array([*found.long_axis.lps_mm, *found.short_axis.lps_mm])
    assert np.allclose(ends[:, 2], 3)
    assert np.allclose(ends[:2, 1], -20, atol=1e-3)


def test_parts_that_do_not_touch_are_measured_each_on_its_own(tmp_path: Path):
    parts = [closed(ellipse(0, 10, 8, (0, 0))), closed(ellipse(0, 12, 5, (100, 0)))]
    (found,) = read(tmp_path, ("GTV", "GTV", parts))
    assert lengths(found) == pytest.approx((24, 10), rel=1e-3)


@pytest.mark.parametrize("seed", range(5))
def test_any_plane(tmp_path: Path, seed: int):
    rotation, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))
    (found,) = read(tmp_path, ("GTV", "GTV", [closed(ellipse(0, 18, 7) @ rotation.T)]))
    assert lengths(found) == pytest.approx((36, 14), rel=1e-3)


def test_dense_outlines_stay_cheap(tmp_path: Path):
    """So many points are stored as UN, since they exceed what a DS in explicit VR can hold."""
    (found,) = read(tmp_path, ("GTV", "GTV", [closed(ellipse(0, 18, 7, points=20_000))]))
    assert lengths(found) == pytest.approx((36, 14), rel=1e-3)


def test_two_point_lines_are_diameters(tmp_path: Path):
    long, short = np.array([[0, 0, 5], [30, 0, 5]]), np.array([[15, -6, 5], [15, 6, 5]])
    both = [("OPEN_PLANAR", short), ("OPEN_PLANAR", long)]
    (found,) = read(tmp_path, ("RECIST 1", "", both))
    assert lengths(found) == pytest.approx((30, 12))
    (found,) = read(tmp_path, ("Lesion", "", [("OPEN_NONPLANAR", long)]))
    assert lengths(found) == (pytest.approx(30), None)
    (found,) = read(tmp_path, ("Lesion", "", [("POINT", long[:1]), ("POINT", long[1:])]))
    assert lengths(found) == (pytest.approx(30), None)
    # On another image there is no short axis to this long one.
    (found,) = read(tmp_path, ("RECIST 1", "", [("OPEN_PLANAR", long), ("OPEN_PLANAR", short + np.array([0, 0, 5]))]))
    assert lengths(found) == (pytest.approx(30), None)


REGION = [closed(ellipse(0, 10, 8))]
NAMES = {
    "GTV-1": ("GTV", True),
    "anything at all": ("GTV", True),
    "Primary tumour": ("", True),
    "gtv_node": ("", True),
    "Lesion 2": ("", True),
    "Lung_L": ("ORGAN", False),
    "Heart": ("", False),
    "External": ("EXTERNAL", False),
    "BODY": ("", False),
    "PTV_60": ("PTV", False),
    "ITV lesion": ("", False),
    "GTV+margin": ("", False),
    "CTV tumor": ("CTV", False),
}


def test_which_regions_are_lesions(tmp_path: Path):
    found = read(tmp_path, *((name, kind, REGION) for name, (kind, _) in NAMES.items()))
    assert [m.label for m in found] == [name for name, (_, is_lesion) in NAMES.items() if is_lesion]
    assert len({m.measurement_uid for m in found}) == len(found)


def test_the_only_region_of_a_file_needs_no_telling_name(tmp_path: Path):
    (found,) = read(tmp_path, ("R1", "", REGION))
    assert found.label == "R1"


def test_regions_that_cannot_be_lesions(tmp_path: Path):
    with pytest.raises(InvalidInput, match=r"none of the 2 regions.*GTV"):
        read(tmp_path, ("Heart", "", REGION), ("Lung", "", REGION))


def test_a_region_without_extent(tmp_path: Path):
    dot = np.zeros((4, 3))
    with pytest.raises(InvalidInput, match="ROI 1"):
        read(tmp_path, ("GTV", "GTV", [closed(dot)]))


@pytest.mark.parametrize("data", [["1", "2"], ["1", "2", "3", "4"], []], ids=["two values", "four values", "none"])
def test_contours_that_are_no_points(tmp_path: Path, data: list[str]):
    def change(document: Dataset) -> None:
        document.ROIContourSequence[0].ContourSequence[0].ContourData = data

    with pytest.raises(InvalidInput, match=r"rt\.dcm.*3006,0050"):
        read(tmp_path, ("GTV", "GTV", REGION), change=change)


def test_another_object_that_calls_itself_rtstruct(tmp_path: Path):
    def change(document: Dataset) -> None:
        document.SOPClassUID = "1.2.840.10008.5.1.4.1.1.481.5"

    with pytest.raises(InvalidInput, match="0008,0016"):
        read(tmp_path, ("GTV", "GTV", REGION), change=change)


def test_lesions_of_one_file_have_uids_of_their_own(tmp_path: Path):
    found = read(tmp_path, *((f"GTV{n}", "GTV", REGION) for n in range(3)))
    assert all(a.measurement_uid != b.measurement_uid for a, b in combinations(found, 2))


def keyhole(outer: np.ndarray, hole: np.ndarray) -> np.ndarray:
    """Return an outline that goes round the outside, in to the hole, round it the other way, and back."""
    return np.vstack([outer, outer[:1], hole[::-1][-1:], hole[::-1], outer[:1]])


@pytest.mark.parametrize("kind", ["CLOSED_PLANAR", "CLOSEDPLANAR_XOR"])
@pytest.mark.parametrize("way", ["one contour, cut open", "two contours"])
def test_a_ring_measures_as_its_outer_border(tmp_path: Path, kind: str, way: str):
    outer, hole = ellipse(0, 15, 15), ellipse(0, 8, 8)
    contours = [keyhole(outer, hole)] if way == "one contour, cut open" else [outer, hole]
    (found,) = read(tmp_path, ("GTV", "GTV", [(kind, points) for points in contours]))
    assert lengths(found) == pytest.approx((30, 30), abs=0.01)
    grid = VolumeGeometry((1, 100, 100), (-15.0, -45.0, 0.0), (0.0, 0.0, 5.0), (0.0, 0.5, 0.0), (0.5, 0.0, 0.0))
    (roi,) = read_rois(tmp_path / "rt.dcm")
    filled = np.count_nonzero(roi_mask(roi, grid)) * 0.25
    assert filled == pytest.approx(np.pi * (15**2 - 8**2), rel=0.01)


@pytest.mark.parametrize("points", [20, 30_000], ids=["as DS", "as UN, beyond 64 kB"])
def test_contours_of_any_length_are_one_region_for_measuring_and_filling(tmp_path: Path, points: int):
    (found,) = read(tmp_path, ("GTV", "GTV", [closed(ellipse(0, 20, 8, points=points))]))
    assert lengths(found) == pytest.approx((40, 16), abs=0.2)
    (roi,) = read_rois(tmp_path / "rt.dcm")
    assert len(roi.contours_lps_mm[0]) == points
    grid = VolumeGeometry((1, 100, 100), (-15.0, -45.0, 0.0), (0.0, 0.0, 5.0), (0.0, 0.5, 0.0), (0.5, 0.0, 0.0))
    assert np.count_nonzero(roi_mask(roi, grid)) * 0.25 == pytest.approx(np.pi * 20 * 8, rel=0.03)


def test_contours_that_go_round_nothing_harm_no_reader(tmp_path: Path):
    whole, dot, pair = ellipse(0, 20, 8), np.zeros((1, 3)), np.array([[0.0, 0, 3], [1, 0, 3]])
    (found,) = read(tmp_path, ("GTV", "GTV", [closed(dot), closed(pair), closed(whole)]))
    assert lengths(found) == pytest.approx((40, 16), abs=0.01)
    (roi,) = read_rois(tmp_path / "rt.dcm")
    assert len(roi.contours_lps_mm) == 1


@pytest.mark.parametrize("last", [b"x", b"\xff\xfe", b"nan", b""])
@pytest.mark.parametrize("reader", [read_measurements, read_rois])
def test_contour_text_that_is_no_number_is_refused_with_its_file(tmp_path: Path, last: bytes, reader):
    read(tmp_path, ("GTV", "GTV", [closed(ellipse(0, 20, 8, points=9000))]))
    content = (tmp_path / "rt.dcm").read_bytes()
    end = content.index(b"\\0.0000", len(content) - 2000) + 1
    (tmp_path / "rt.dcm").write_bytes(content[:end] + last.ljust(6) + content[end + 6 :])
    with pytest.raises(InvalidInput, match=r"rt\.dcm"):
        reader(tmp_path / "rt.dcm")


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_of_slices_with_one_outline_the_first_counts(tmp_path: Path, order: tuple[int, int]):
    """Noise of the last digits does not decide."""
    heights = [(0, 3)[number] for number in order]
    (found,) = read(tmp_path, ("GTV", "GTV", [closed(ellipse(z, 20 + 1e-8 * z, 8)) for z in heights]))
    assert found.sop_instance_uid == f"1.2.4.{heights[0] + 100}"
