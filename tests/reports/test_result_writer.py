import hashlib
import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pydicom
import pypdf
import pytest
from PIL import Image

from dicom_node.ct_volume import read_ct_volume
from dicom_node.phantom_series import write_series
from reports.overlay import slice_picture
from reports.report_numbers import NumberKey, read_numbers
from reports.result_writer import DicomResultWriter, OutputSwitches
from reports.secondary_capture import orientation_letters
from tests.conftest import REPOSITORY
from tests.reports.phantom_evaluation import phantom, phantom_evaluation, volumes
from tests.reports.small_ct import lesion_on, time_point_of, write_small_ct
from tumorresp.domain.evaluation import SubjectEvaluation
from tumorresp.domain.measurement import LesionState
from tumorresp.ports import ResultWriter

EVERYTHING = OutputSwitches(secondary_capture=True, encapsulated_pdf=True)


@pytest.fixture(scope="module")
def ct_paths(tmp_path_factory):
    folder = tmp_path_factory.mktemp("phantom")
    return {scan.series_instance_uid: write_series(scan, folder) for scan in phantom()[:2]}


@pytest.fixture(scope="module")
def written(ct_paths, tmp_path_factory):
    """Everything of the first follow-up."""
    evaluation = phantom_evaluation()
    folder = tmp_path_factory.mktemp("results")
    writer: ResultWriter = DicomResultWriter(EVERYTHING)
    return writer.write_time_point(evaluation, evaluation.time_points[1], ct_paths, volumes, "digest", folder)


def test_files_of_a_time_point(written):
    assert {file.path.parent.name for file in written} == {"follow-up-1"}
    names = [(file.kind, file.path.name) for file in written]
    assert names[:2] == [("SEG", "seg.dcm"), ("SR", "report.dcm")]
    assert names[-1] == ("PDF", "report-pdf.dcm")
    assert {kind for kind, _ in names[2:-1]} == {"SC"}
    for file in written:
        assert file.sha256 == hashlib.sha256(file.path.read_bytes()).hexdigest()
        assert file.sop_instance_uid == pydicom.dcmread(file.path, stop_before_pixels=True).SOPInstanceUID
        assert file.time_point_id == "time-point-2"
    assert len({file.sop_instance_uid for file in written}) == len(written)
    assert sorted(path.name for path in written[0].path.parent.iterdir()) == sorted(name for _, name in names)


def test_all_objects_are_of_the_study_and_patient_of_the_ct(written):
    scan = phantom()[1]
    for file in written:
        dataset = pydicom.dcmread(file.path, stop_before_pixels=True)
        assert dataset.StudyInstanceUID == scan.study_instance_uid
        assert dataset.PatientID == "TR-PHANTOM-1"
        assert str(dataset.PatientName) == scan.patient_name
        assert (dataset.StudyDate, dataset.ContentDate) == ("20240311", "20240311")
        assert dataset.Manufacturer == "tumorresp"
    assert len({pydicom.dcmread(file.path).SeriesInstanceUID for file in written if file.kind != "SC"}) == 3


def test_numbers_on_disk_are_those_of_the_evaluation(written):
    point = phantom_evaluation().time_points[1]
    numbers = read_numbers(pydicom.dcmread(written[1].path))
    for item in point.lesions:
        uid = item.lesion.tracking_uid
        if item.biomarkers is not None:
            assert numbers[NumberKey(uid, "118565006", "126030")] == item.biomarkers.voxel_volume_mm3
        if item.measurement.long_axis is not None:
            assert numbers[NumberKey(uid, "103339001", "126081")] == item.measurement.long_axis.length_mm
            assert numbers[NumberKey(uid, "103340004", "126081")] == item.measurement.short_axis.length_mm


def test_overlays_are_the_pictures(written):
    point, scan = phantom_evaluation().time_points[1], phantom()[1]
    captures = [pydicom.dcmread(file.path) for file in written if file.kind == "SC"]
    slices = sorted({item.mask.key_slice for item in point.lesions if item.mask is not None})
    assert len(captures) == len(slices)
    for capture, index in zip(captures, slices, strict=True):
        here = [item for item in point.lesions if item.mask is not None and item.mask.key_slice == index]
        np.testing.assert_array_equal(capture.pixel_array, slice_picture(scan.ct_volume, index, here))
        assert capture.SourceImageSequence[0].ReferencedSOPInstanceUID == scan.sop_instance_uids[index]
        assert capture.ImageComments == ", ".join(item.lesion.lesion_id for item in here)
        assert list(capture.PatientOrientation) == ["L", "P"]


@pytest.mark.parametrize(
    ("direction", "letters"),
    [((1, 0, 0), "L"), ((0, -1, 0), "A"), ((0, 0, -0.5), "F"), ((0.8, 0.6, 0), "LP"), ((-0.5, 0.1, 0.86), "HR")],
)
def test_orientation_letters(direction, letters):
    assert orientation_letters(direction) == letters


def test_the_encapsulated_pdf_knows_nothing_of_later_time_points(written, tmp_path):
    dataset = pydicom.dcmread(written[-1].path)
    path = tmp_path / "report.pdf"
    path.write_bytes(dataset.EncapsulatedDocument[: dataset.EncapsulatedDocumentLength])
    text = "".join(page.extract_text() for page in pypdf.PdfReader(path).pages)
    assert "Follow-up 1" in text
    assert "Follow-up 2" not in text


def test_a_time_point_does_not_depend_on_later_ones_nor_on_the_folder(written, ct_paths, tmp_path):
    evaluation = phantom_evaluation()
    so_far = replace(evaluation, time_points=evaluation.time_points[:2])
    again = DicomResultWriter(EVERYTHING).write_time_point(
        so_far, so_far.time_points[1], ct_paths, volumes, "digest", tmp_path
    )
    assert [file.sha256 for file in again] == [file.sha256 for file in written]


def test_other_inputs_make_other_objects(ct_paths, tmp_path):
    evaluation = phantom_evaluation()
    uids = [
        {
            file.sop_instance_uid
            for file in DicomResultWriter().write_time_point(
                evaluation, evaluation.time_points[0], ct_paths, volumes, digest, tmp_path
            )
        }
        for digest in ("one", "other")
    ]
    assert len(uids[0]) == len(uids[1]) == 2
    assert not uids[0] & uids[1]


def small_subject(volume, *masks, state=LesionState.PRESENT):
    lesions = [lesion_on(volume, mask, f"T0{n}", state=state) for n, mask in enumerate(masks, start=1)]
    point = time_point_of(*lesions)
    return SubjectEvaluation("0123456789ab", "P1", (point,), "0"), point


def test_one_seg_a_series_and_files_of_an_earlier_run_go(tmp_path):
    paths = {uid: write_small_ct(tmp_path / uid, series=uid) for uid in ("2.25.11", "2.25.12")}
    held = {uid: read_ct_volume(files) for uid, files in paths.items()}
    mask = np.zeros(held["2.25.11"].geometry.shape, bool)
    mask[1:3, 2:5, 2:5] = True
    lesions = [lesion_on(volume, mask, f"T0{n}") for n, volume in enumerate(held.values(), start=1)]
    point = time_point_of(*lesions)
    subject = SubjectEvaluation("0123456789ab", "P1", (point,), "0")
    writer, folder = DicomResultWriter(), tmp_path / "out"
    files = writer.write_time_point(subject, point, paths, held.__getitem__, "d", folder)
    assert [file.path.name for file in files] == ["seg.dcm", "seg-2.dcm", "report.dcm"]
    segmented = [pydicom.dcmread(file.path).ReferencedSeriesSequence[0].SeriesInstanceUID for file in files[:2]]
    assert segmented == ["2.25.11", "2.25.12"]
    fewer = replace(point, lesions=point.lesions[:1])
    subject = replace(subject, time_points=(fewer,))
    files = writer.write_time_point(subject, fewer, paths, held.__getitem__, "e", folder)
    assert sorted(path.name for path in (folder / "baseline").iterdir()) == ["report.dcm", "seg.dcm"]
    assert len(files) == 2


def test_all_lesions_gone_and_no_image_named_still_gives_a_report(tmp_path):
    paths = write_small_ct(tmp_path / "ct")
    volume = read_ct_volume(paths)
    subject, point = small_subject(volume, np.zeros(volume.geometry.shape, bool), state=LesionState.ABSENT)
    lesion = point.lesions[0]
    nowhere = replace(lesion.measurement, series_instance_uid="", sop_instance_uid="")
    point = replace(point, lesions=(replace(lesion, measurement=nowhere, mask=None),))
    subject = replace(subject, time_points=(point,))
    (file,) = DicomResultWriter().write_time_point(
        subject, point, {volume.series_instance_uid: paths}, lambda _: volume, "d", tmp_path / "out"
    )
    assert file.kind == "SR"
    assert pydicom.dcmread(file.path).StudyInstanceUID == point.study_instance_uid
    assert DicomResultWriter().write_time_point(subject, point, {}, lambda _: volume, "d", tmp_path / "other") == ()


def test_no_warning_spells_the_name_of_the_patient(tmp_path):
    """In a process of its own, as pytest sets the warning filters anew."""
    program = f"""
from pathlib import Path
import numpy as np
from dicom_node.ct_volume import read_ct_volume
from reports.result_writer import DicomResultWriter, OutputSwitches
from tests.reports.small_ct import write_small_ct
from tests.reports.test_result_writer import small_subject
paths = write_small_ct(Path({str(tmp_path)!r}) / "ct", PatientName="CANARYNAME", PatientID="CANARYNUMBER")
volume = read_ct_volume(paths)
mask = np.zeros(volume.geometry.shape, bool)
mask[1:3, 2:5, 2:5] = True
subject, point = small_subject(volume, mask)
files = DicomResultWriter(OutputSwitches(secondary_capture=True, encapsulated_pdf=True)).write_time_point(
    subject, point, {{volume.series_instance_uid: paths}}, lambda _: volume, "d", Path({str(tmp_path)!r}) / "out")
print(len(files))
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=REPOSITORY, timeout=100
    )
    assert int(done.stdout) >= 3
    assert "CANARY" not in done.stdout + done.stderr
    assert not [path for path in tmp_path.rglob("*") if "CANARY" in path.name]


def test_a_write_that_fails_leaves_the_old_file_and_no_rest(tmp_path, monkeypatch):
    paths = write_small_ct(tmp_path / "ct")
    volume = read_ct_volume(paths)
    mask = np.zeros(volume.geometry.shape, bool)
    mask[1:3, 2:5, 2:5] = True
    subject, point = small_subject(volume, mask)
    series = {volume.series_instance_uid: paths}
    out = tmp_path / "out"
    (seg, _) = DicomResultWriter().write_time_point(subject, point, series, lambda _: volume, "one", out)

    def full_disk(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full_disk)
    with pytest.raises(OSError, match="No space"):
        DicomResultWriter().write_time_point(subject, point, series, lambda _: volume, "two", out)
    assert hashlib.sha256(seg.path.read_bytes()).hexdigest() == seg.sha256
    assert sorted(path.name for path in seg.path.parent.iterdir()) == ["report.dcm", "seg.dcm"]


def test_files_of_a_subject(tmp_path):
    evaluation = phantom_evaluation()
    files = DicomResultWriter().write_subject(evaluation, volumes, tmp_path)
    names = {str(path.relative_to(tmp_path)) for path in files}
    assert {"report.html", "report.pdf", "evaluation.json", "responses.csv", "lesions.csv"} <= names
    pictured = {
        f"pictures/{item.lesion.lesion_id}-{point.time_point.name.lower().replace(' ', '-')}.png"
        for point in evaluation.time_points
        for item in point.lesions
        if item.measurement.long_axis is not None
    }
    tables = {"evaluation.json", "responses.csv", "lesions.csv", "findings.csv"}
    assert names - pictured == {"report.html", "report.pdf"} | tables
    assert pictured <= names
    assert json.loads((tmp_path / "evaluation.json").read_text("utf-8"))["subject"] == "0123456789ab"
    with Image.open(tmp_path / min(pictured)) as picture:
        assert picture.mode == "RGB"
