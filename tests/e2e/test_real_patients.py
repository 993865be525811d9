"""Real patients through the line: C-STORE to the listener, SEG and SR back to Orthanc, and out of it again."""

import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import highdicom as hd
import httpx
import numpy as np
import pydicom
import pytest

from dicom_node.ct_volume import read_ct_volume
from dicom_node.rtstruct_mask import read_rois, roi_mask
from dicom_node.sender import send
from tests.conftest import real_data_folder
from tumorresp.domain.identity import pseudonym
from tumorresp.service.demo import running_service_process
from tumorresp.service.stand_in_pacs import stand_in_pacs

SARCOMAS = ("STS_002", "STS_008", "STS_014", "STS_040")
TWO_READERS = ("0022", "0025")
# One time point each; and two readers of two time points each.
OBJECTS = 2 * len(SARCOMAS) + 2 * 2 * 2 * len(TWO_READERS)
pytestmark = [
    pytest.mark.slow,
    pytest.mark.real_server,
    pytest.mark.timeout(600),
    pytest.mark.xdist_group("real-patients"),
]


@dataclass(frozen=True)
class Returned:
    """One object that Orthanc gave back, and its bytes."""

    dataset: pydicom.Dataset
    content: bytes


@dataclass(frozen=True)
class Outcome:
    """Everything after the run."""

    state: dict[str, Any]
    documents: dict[str, dict[str, Any]]
    returned: list[Returned]
    results: Path

    def of(self, patient_id: str, modality: str) -> list[Returned]:
        return [r for r in self.returned if r.dataset.PatientID == patient_id and r.dataset.Modality == modality]


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outcome]:
    folder = real_data_folder()
    if folder is None:
        pytest.skip("no real test data: set TUMORRESP_TEST_DATA or put them into ../shared/data")
    if shutil.which("Orthanc") is None:
        pytest.skip("Orthanc is not installed")
    work = tmp_path_factory.mktemp("real")
    with (
        stand_in_pacs(work / "pacs") as pacs,
        running_service_process(work / "service", pacs, radiomics="false") as node,
    ):
        for name in SARCOMAS:
            send(sorted((folder / "sts" / name / "CT").glob("*.dcm")), node.destination)
            send([folder / "sts" / name / "RTSTRUCT.dcm"], node.destination)
        for name in TWO_READERS:
            send(sorted((folder / "ncip_aim" / name).glob("*.dcm")), node.destination)
        node.wait_until_delivered(OBJECTS, lambda *_: None)
        state = httpx.get(f"{node.api}/api/status", timeout=30).json()
        documents = {}
        for subject in state["subjects"]:
            answer = httpx.get(f"{node.api}/api/subjects/{subject['subject_key']}", timeout=30)
            if answer.status_code == httpx.codes.OK:
                documents[subject["subject_key"]] = answer.json()
        base = f"http://127.0.0.1:{pacs.http_port}"
        contents = [
            httpx.get(f"{base}/instances/{uid}/file", timeout=60).content
            for uid in httpx.get(f"{base}/instances", timeout=30).json()
        ]
        returned = [Returned(pydicom.dcmread(BytesIO(content)), content) for content in contents]
        yield Outcome(state, documents, returned, work / "service" / "work")


def test_every_time_point_and_reader_has_one_seg_and_one_sr(outcome: Outcome):
    assert Counter(r.dataset.Modality for r in outcome.returned) == {"SEG": OBJECTS // 2, "SR": OBJECTS // 2}
    assert len({r.dataset.SOPInstanceUID for r in outcome.returned}) == OBJECTS
    studies = Counter((r.dataset.StudyInstanceUID, r.dataset.Modality) for r in outcome.returned)
    assert set(studies.values()) == {1, 2}  # two where two readers measured


def test_nothing_is_in_quarantine(outcome: Outcome):
    assert outcome.state["quarantined"] == []


def test_orthanc_gives_back_what_was_sent(outcome: Outcome):
    for item in outcome.returned:
        sent = pydicom.dcmread(outcome.results / "objects" / f"{item.dataset.SOPInstanceUID}.dcm")
        assert sent == item.dataset


@pytest.mark.parametrize("name", SARCOMAS)
def test_masks_of_sarcomas_resemble_what_people_drew(outcome: Outcome, real_data: Path, name: str):
    volume = read_ct_volume(sorted((real_data / "sts" / name / "CT").glob("*.dcm")))
    roi = next(roi for roi in read_rois(real_data / "sts" / name / "RTSTRUCT.dcm") if roi.name.startswith("GTV_Mass"))
    reference = roi_mask(roi, volume.geometry)
    (item,) = outcome.of(volume.patient_id, "SEG")
    segmentation = hd.seg.Segmentation.from_dataset(item.dataset)
    assert segmentation.number_of_segments == 1
    uids = [plane.sop_instance_uid for plane in volume.planes]
    pixels = segmentation.get_pixels_by_source_instance(
        uids, segment_numbers=[1], assert_missing_frames_are_empty=True, ignore_spatial_locations=True
    )
    mask = pixels[..., 0].astype(bool)
    dice = 2 * np.count_nonzero(mask & reference) / (np.count_nonzero(mask) + np.count_nonzero(reference))
    assert dice > 0.7
    document = outcome.documents[pseudonym(volume.patient_id)]
    voxels = np.count_nonzero(mask) * volume.geometry.voxel_volume_mm3
    assert document["lesions"][0]["mask_volume_mm3"] == pytest.approx(voxels, rel=1e-9)


@pytest.mark.parametrize("name", TWO_READERS)
def test_two_readers_are_two_readings_linked_by_image_and_flagged(outcome: Outcome, real_data: Path, name: str):
    patient_id = pydicom.dcmread(real_data / "ncip_aim" / name / f"{name}Baseline.dcm").PatientID
    assert len(outcome.of(patient_id, "SR")) == 4
    readings = sorted((outcome.results / "results" / pseudonym(patient_id)).glob("*/evaluation.json"))
    assert len(readings) == 2
    assert len({path.read_text("utf-8") for path in readings}) == 2
    pages = [(path.parent / "report.html").read_text("utf-8") for path in readings]
    assert all("Patient ID differs" in page for page in pages)
    assert any("its end points and the image" in page for page in pages)


def test_results_are_valid(outcome: Outcome, tmp_path: Path):
    if shutil.which("dciodvfy") is None:
        pytest.skip("dciodvfy (Debian package dicom3tools) is not installed")
    for number, item in enumerate(outcome.returned):
        path = tmp_path / f"{number}.dcm"
        path.write_bytes(item.content)
        found = subprocess.run(["dciodvfy", "-new", str(path)], capture_output=True, text=True, check=False)
        errors = [line for line in found.stderr.splitlines() if line.startswith("Error")]
        warnings = [
            line
            for line in found.stderr.splitlines()
            # The private codes, and the one-word names of persons that the CT came with.
            if line.startswith("Warning") and "99TUMORRESP" not in line and "Retired Person Name form" not in line
        ]
        assert errors == [], path
        assert warnings == [], path
