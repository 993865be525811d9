"""The phantom's DICOM objects: valid for the standard's own checkers and true to the phantom."""

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pydicom
import pytest
from highdicom.sr import srread

from dicom_node.phantom_reading import write_reading
from dicom_node.phantom_series import write_series
from tumorresp.phantom.thorax_abdomen import SMALL, PhantomSubject, PhantomTimePoint

needs_dciodvfy = pytest.mark.skipif(shutil.which("dciodvfy") is None, reason="dciodvfy (Debian: dicom3tools) is absent")


@pytest.fixture(scope="module")
def scan() -> PhantomTimePoint:
    return PhantomSubject(SMALL).time_point(3)


@pytest.fixture(scope="module")
def files(scan: PhantomTimePoint, tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Path], Path]:
    folder = tmp_path_factory.mktemp("phantom")
    images = write_series(scan, folder / "ct")
    return images, write_reading(scan, images, folder)


def test_images_hold_the_phantoms_ct_numbers(scan: PhantomTimePoint, files: tuple[list[Path], Path]) -> None:
    for k in (0, 17, SMALL.slices - 1):
        image = pydicom.dcmread(files[0][k])
        hu = image.pixel_array * float(image.RescaleSlope) + float(image.RescaleIntercept)
        assert np.array_equal(hu, scan.hu[k])
        assert [float(v) for v in image.ImagePositionPatient] == pytest.approx(
            list(scan.geometry.index_to_lps((k, 0, 0)))
        )
        assert image.SOPInstanceUID == scan.sop_instance_uids[k]


def test_rerun_writes_the_same_bytes(scan: PhantomTimePoint, files: tuple[list[Path], Path], tmp_path: Path) -> None:
    images = write_series(scan, tmp_path)
    reading = write_reading(scan, images, tmp_path)
    assert images[3].read_bytes() == files[0][3].read_bytes()
    assert reading.read_bytes() == files[1].read_bytes()


def test_reading_carries_axes_states_and_identity(scan: PhantomTimePoint, files: tuple[list[Path], Path]) -> None:
    groups = {group.tracking_identifier: group for group in srread(files[1]).content.get_image_measurement_groups()}
    assert set(groups) == {lesion.course.lesion_id for lesion in scan.lesions}
    for lesion in scan.lesions:
        group = groups[lesion.course.lesion_id]
        assert group.tracking_uid == lesion.tracking_uid
        measured = {m.name.meaning: m for m in group.get_measurements()}
        if lesion.long_axis is None:
            assert not measured
            continue
        for name, axis in (("Long Axis", lesion.long_axis), ("Short Axis", lesion.short_axis)):
            assert measured[name].value == pytest.approx(axis.length_mm, abs=0.006)
            line = measured[name].referenced_coordinates[0]
            plane = scan.ct_volume.planes[lesion.key_slice]
            assert line.ContentSequence[0].ReferencedSOPSequence[0].ReferencedSOPInstanceUID == plane.sop_instance_uid
            # The first pixel's centre is (0.5, 0.5) in an SCOORD.
            ends = [plane.pixel_to_lps(column - 0.5, row - 0.5) for column, row in line.value]
            assert ends[0] == pytest.approx(axis.start_lps_mm, abs=1e-3)
            assert ends[1] == pytest.approx(axis.end_lps_mm, abs=1e-3)
    states = {
        evaluation.value.meaning
        for evaluation in groups["T04"].get_qualitative_evaluations()
        if evaluation.name.meaning == "Lesion State"
    }
    assert states == {"Absent"}


@needs_dciodvfy
@pytest.mark.real_server
def test_objects_are_valid(files: tuple[list[Path], Path]) -> None:
    for path in (files[0][0], files[0][-1], files[1]):
        said = subprocess.run(["dciodvfy", "-new", str(path)], capture_output=True, text=True, check=False).stderr
        unexpected = [
            line for line in said.splitlines() if line.startswith(("Error", "Warning")) and "99TUMORRESP" not in line
        ]
        assert unexpected == []
