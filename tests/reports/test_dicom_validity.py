"""Other people's tools on everything that we write: nothing beyond the floor that ``docs/dicom-results.md`` tells."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import SimpleITK

from dicom_node.ct_volume import read_ct_volume
from dicom_node.phantom_series import write_series
from reports.result_writer import DicomResultWriter, OutputSwitches
from tests.real_servers import run_tool, tool
from tests.reports.phantom_evaluation import phantom, phantom_evaluation, volumes
from tests.reports.small_ct import axis_on_slice, lesion_on, time_point_of, write_small_ct
from tumorresp.domain.evaluation import SubjectEvaluation
from tumorresp.domain.finding import Finding, Severity
from tumorresp.domain.measurement import LesionState
from tumorresp.domain.terminology import Code
from tumorresp.quantify.lesion import quantify

pytestmark = pytest.mark.real_server

EVERYTHING = OutputSwitches(secondary_capture=True, encapsulated_pdf=True)
_PRIVATE = "Unrecognized defined term = <99TUMORRESP>"
_NAME = "Retired Person Name form"  # a patient's name stays as the CT has it
_LATERALITY = "is only permitted to be empty when actually unknown"


def complaints(path: Path) -> list[str]:
    """Return what dciodvfy says beyond the name of the object and the floor."""
    lines = run_tool("dciodvfy", "-new", path).stderr.splitlines()
    said = [line for line in lines if line.startswith(("Error", "Warning"))]
    return [line for line in said if not any(floor in line for floor in (_PRIVATE, _LATERALITY, _NAME))]


def venv_tool(name: str) -> str:
    path = shutil.which(name, path=str(Path(sys.executable).parent)) or shutil.which(name)
    if path is None:
        pytest.skip(f"{name} of dcmqi is not installed")
    return path


@pytest.fixture(scope="module")
def scan_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ct")
    return write_series(phantom()[1], folder)


@pytest.fixture(scope="module")
def results(scan_folder, tmp_path_factory):
    evaluation, scan = phantom_evaluation(), phantom()[1]
    files = DicomResultWriter(EVERYTHING).write_time_point(
        evaluation,
        evaluation.time_points[1],
        {scan.series_instance_uid: scan_folder},
        volumes,
        "digest",
        tmp_path_factory.mktemp("results"),
    )
    return {file.path.name: file.path for file in files}


def ellipsoid(volume) -> np.ndarray:
    """An ellipsoid in the middle of the volume, a third of it wide."""
    shape = np.array(volume.geometry.shape)
    index = np.moveaxis(np.indices(volume.geometry.shape), 0, -1)
    return (((index - (shape - 1) / 2) / (shape / 6)) ** 2).sum(axis=-1) <= 1


def subject_on(volume, with_radiomics=False, **measured):
    """A subject with one measured lesion, quantified for real."""
    mask = ellipsoid(volume)
    key, rows, columns = (length // 2 for length in volume.geometry.shape)
    axes = {
        "long_axis": axis_on_slice(volume, key, (rows, columns - 4), (rows, columns + 4)),
        "short_axis": axis_on_slice(volume, key, (rows - 2, columns), (rows + 2, columns)),
    }
    item = lesion_on(
        volume,
        mask,
        study_instance_uid=volume.study_instance_uid,
        sop_instance_uid=volume.planes[key].sop_instance_uid,
        state=LesionState.MEASURED,
        reader="Reader Two",
        **axes,
        **measured,
    )
    site = Code("39607008", "SCT", "Lung structure")
    biomarkers = quantify(volume, item.mask, with_radiomics=with_radiomics)
    item = replace(item, lesion=replace(item.lesion, site=site), biomarkers=biomarkers)
    gone = replace(lesion_on(volume, np.zeros_like(mask), "T02", state=LesionState.ABSENT), mask=None)
    point = time_point_of(item, gone, study=volume.study_instance_uid)
    point = replace(point, assessments=phantom_evaluation().time_points[2].assessments)
    return SubjectEvaluation("0123456789ab", volume.patient_id, (point,), "0")


def written(volume, paths, folder, switches=EVERYTHING, **options):
    subject = subject_on(volume, **options)
    return DicomResultWriter(switches).write_time_point(
        subject, subject.time_points[0], {volume.series_instance_uid: paths}, lambda _: volume, "digest", folder
    )


def test_a_report_with_what_may_change_a_response_is_valid(scan_folder, tmp_path):
    evaluation, scan = phantom_evaluation(), phantom()[1]
    first, second, third = evaluation.time_points
    second = replace(second, findings=(Finding("lines-passed-over", Severity.WARNING, "Three lines.", decides=True),))
    evaluation = replace(evaluation, time_points=(first, second, third))
    files = DicomResultWriter(EVERYTHING).write_time_point(
        evaluation, second, {scan.series_instance_uid: scan_folder}, volumes, "digest", tmp_path
    )
    (report,) = (file.path for file in files if file.kind == "SR")
    assert complaints(report) == []
    assert run_tool("dsrdump", report).stdout.count("Follow-up 1: Three lines.") == 2  # with both criteria


def test_dciodvfy_has_nothing_to_say(results):
    assert {name: complaints(path) for name, path in results.items()} == {name: [] for name in results}


@pytest.mark.parametrize("report", ["comprehensive-3d", "enhanced"])
def test_dciodvfy_on_the_other_report_classes(tmp_path, report):
    noise = np.random.default_rng(7).normal(40, 25, (30, 40)).astype("<i2").tobytes()
    paths = write_small_ct(tmp_path / "ct", (6, 30, 40), PixelData=noise)
    volume = read_ct_volume(paths)
    for file in written(volume, paths, tmp_path / "out", OutputSwitches(report=report), with_radiomics=True):
        assert complaints(file.path) == []


@pytest.mark.parametrize("patient", ["STS_002", "STS_008"])
def test_results_on_real_ct_are_valid(real_data, tmp_path, patient):
    paths = sorted((real_data / "sts" / patient / "CT").glob("*.dcm"))
    volume = read_ct_volume(paths)
    files = written(volume, paths, tmp_path)
    assert [file.kind for file in files] == ["SEG", "SR", "SC", "PDF"]
    assert {file.path.name: complaints(file.path) for file in files} == {file.path.name: [] for file in files}


@pytest.mark.parametrize("shear", [0.0, 0.4])
def test_results_on_an_oblique_or_tilted_scan_are_valid(tmp_path, shear):
    angle = 0.3
    directions = np.array([[1, 0, 0], [0, np.cos(angle), -np.sin(angle)], [0, np.sin(angle), np.cos(angle)]])
    step = directions[:, 2] * 2.5 + directions[:, 1] * shear
    paths = write_small_ct(
        tmp_path / "ct", (6, 30, 40), directions, slice_step=step, StudyID="1234567890.123456", PatientSex=None
    )
    volume = read_ct_volume(paths)
    for file in written(volume, paths, tmp_path / "out"):
        assert complaints(file.path) == []


def test_dcentvfy_sees_one_study(results, scan_folder):
    said = run_tool("dcentvfy", *scan_folder, results["seg.dcm"], results["report.dcm"])
    lines = [line for line in (said.stderr + said.stdout).splitlines() if line.startswith(("Error", "Warning"))]
    assert [line for line in lines if "<AccessionNumber> IE <Series> versus <Study>" not in line] == []


def test_dsrdump_reads_the_report(results):
    said = run_tool("dsrdump", results["report.dcm"])
    assert said.returncode == 0
    assert "Error" not in said.stderr
    for words in ("Tracking Unique Identifier", "Sum of Diameters of Target Lesions", "RECIST 1.1", "Overall Response"):
        assert words in said.stdout


def test_dcmqi_reads_the_report(results, tmp_path):
    out = tmp_path / "report.json"
    command = [venv_tool("tid1500reader"), "--inputDICOM", results["report.dcm"], "--outputMetadata", out]
    subprocess.run([str(part) for part in command], check=True, capture_output=True, timeout=60)
    text = out.read_text("utf-8")
    for item in phantom_evaluation().time_points[1].lesions:
        assert item.lesion.tracking_uid in text
        if item.biomarkers is not None:
            assert re.search(rf'"value" : "{item.biomarkers.voxel_volume_mm3:.3f}', text)


@pytest.mark.parametrize("kind", ["binary", "labelmap"])
def test_dcmqi_reads_the_masks(tmp_path, kind):
    paths = write_small_ct(tmp_path / "ct", (6, 30, 40))
    volume = read_ct_volume(paths)
    (seg, *_) = written(volume, paths, tmp_path / "out", OutputSwitches(segmentation=kind))
    command = [venv_tool("segimage2itkimage"), "--inputDICOM", seg.path, "--outputDirectory", tmp_path, "--prefix", "s"]
    subprocess.run([str(part) for part in command], check=True, capture_output=True, timeout=60)
    image = SimpleITK.ReadImage(str(tmp_path / "s-1.nrrd"))
    indices = np.argwhere(SimpleITK.GetArrayFromImage(image) > 0)
    mask = np.argwhere(ellipsoid(volume))
    assert len(indices) == len(mask)
    points = [image.TransformIndexToPhysicalPoint([int(value) for value in index[::-1]]) for index in indices]
    expected = volume.geometry.index_to_lps(mask)
    found, wanted = (np.array(sorted(map(tuple, np.round(one, 3)))) for one in (points, expected))
    np.testing.assert_allclose(found, wanted, atol=2e-3)


@pytest.mark.slow
def test_pixelmed_knows_the_templates(tmp_path):
    """Known to be false: one complaint a time point number, three a TID 1501 group beside a TID 1411 group."""
    tool("DicomSRValidator")
    paths = write_small_ct(tmp_path / "ct", (6, 30, 40))
    volume = read_ct_volume(paths)
    _, report = written(volume, paths, tmp_path / "out", OutputSwitches())
    limits = " ".join(f"-Djdk.xml.xpath{name}=0" for name in ("ExprGrpLimit", "ExprOpLimit", "TotalOpLimit"))
    said = subprocess.run(
        [tool("DicomSRValidator"), str(report.path)],
        capture_output=True,
        text=True,
        timeout=200,
        env={**os.environ, "JAVA_TOOL_OPTIONS": limits},
        check=False,
    )
    lines = (said.stdout + said.stderr).splitlines()
    assert "Root Template Validation Complete" in lines
    errors = [line for line in lines if line.startswith("Error")]
    context = [line for line in errors if re.search(r"NUM \((126073|128740),DCM", line) and "HAS OBS CONTEXT" in line]
    ambiguous = [line for line in errors if "Missing conditional content item" in line and "Template 1411" in line]
    groups_of_1501, groups_of_1411 = 4, 1
    assert len(context) == 2 * (groups_of_1501 + groups_of_1411)
    assert len(ambiguous) == 3 * groups_of_1501
    assert set(errors) == {*context, *ambiguous}
