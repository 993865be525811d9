"""One person with two Patient IDs, two persons with one, another patient's document: from files to subjects."""

from collections.abc import Callable
from pathlib import Path

import pydicom
import pytest
from pydicom.dataset import Dataset

from dicom_node.file_scan import scan
from tests.service.small_case import write_ct, write_note, write_sr
from tumorresp.domain.identity import pseudonym
from tumorresp.service.evaluate_files import EvaluationOutcome, evaluate_files
from tumorresp.service.folder_index import FolderIndex
from tumorresp.service.pipeline.inputs import DocumentRules
from tumorresp.service.pipeline.reading_plan import ReadingPlan, plan_readings
from tumorresp.service.settings import Settings
from tumorresp.service.subject_sorting import sort_into_subjects
from tumorresp.service.wiring import create_workshops

BASE, LATER = "1.2.826.1", "1.2.826.2"
CANARY = "CANARY-4711"
WORKSHOPS = create_workshops(Settings(segmenter="geodesic-contour"))


def index_of(folder: Path, *links: tuple[str, str]) -> FolderIndex:
    index, refused = sort_into_subjects(scan([folder]).files, WORKSHOPS, links)
    assert refused == []
    return index


def plan(index: FolderIndex, subject: str, **rules) -> ReadingPlan:
    return plan_readings(index.files[subject], WORKSHOPS, DocumentRules(**rules))


def issued_by(issuer: str) -> Callable[[Dataset], None]:
    def change(dataset: Dataset) -> None:
        dataset.IssuerOfPatientID = issuer

    return change


def with_other_id(value: str, issuer: str = "", birth: str = "") -> Callable[[Dataset], None]:
    def change(dataset: Dataset) -> None:
        other = Dataset()
        other.PatientID, other.TypeOfPatientID = value, "TEXT"
        if issuer:
            other.IssuerOfPatientID = issuer
        dataset.OtherPatientIDsSequence = [other]
        dataset.PatientBirthDate = birth

    return change


def retired_other_id(dataset: Dataset) -> None:
    dataset.add_new(0x00101000, "LO", "P1")


@pytest.mark.parametrize("change", [with_other_id("P1"), retired_other_id])
def test_another_hospitals_scan_that_names_our_id_is_our_subjects(tmp_path: Path, change):
    write_ct(tmp_path / "base", BASE, "20240110")
    write_ct(tmp_path / "later", LATER, "20240310", "H2", change)
    write_sr(tmp_path / "base.dcm", BASE, "1.2.827.1")
    write_sr(tmp_path / "later.dcm", LATER, "1.2.827.2", patient="H2")
    index = index_of(tmp_path)
    assert list(index.files) == [pseudonym("P1")]
    (reading,) = plan(index, pseudonym("P1")).readings
    assert len(reading.visits) == 2


def test_a_document_may_say_whose_other_id_it_is(tmp_path: Path):
    write_ct(tmp_path / "base", BASE, "20240110")
    write_ct(tmp_path / "later", LATER, "20240310", "H2")
    write_sr(tmp_path / "later.dcm", LATER, "1.2.827.2", change=with_other_id("H2"))
    assert list(index_of(tmp_path).files) == [pseudonym("P1")]


def test_without_a_word_of_the_other_id_there_are_two_subjects_and_it_is_said(tmp_path: Path):
    write_ct(tmp_path / "base", BASE, "20240110")
    write_ct(tmp_path / "later", LATER, "20240310", "H2")
    write_sr(tmp_path / "later.dcm", LATER, "1.2.827.2", patient="P1")
    index = index_of(tmp_path)
    assert set(index.files) == {pseudonym("P1"), pseudonym("H2")}
    found = plan(index, pseudonym("H2"))
    assert found.other_patient_ids == {"P1": "1.2.827.2"}
    assert index.other_subject_with_images("P1", pseudonym("H2"))
    (measurement,) = (item.measurement for item in found.placed.values())
    assert "patient-id-differs" in {finding.code for finding in measurement.findings}


@pytest.mark.parametrize("link", [("H2", "P1"), (pseudonym("H2"), pseudonym("P1")), ("P1", pseudonym("H2"))])
def test_a_persons_decision_joins_two_subjects(tmp_path: Path, link: tuple[str, str]):
    write_ct(tmp_path / "base", BASE, "20240110")
    write_ct(tmp_path / "later", LATER, "20240310", "H2", lambda d: setattr(d, "PatientName", "Married^Eva"))
    assert list(index_of(tmp_path, link).files) == [pseudonym("P1")]


def test_an_id_of_two_issuers_is_two_persons(tmp_path: Path):
    write_ct(tmp_path / "a", BASE, "20240110", "1", issued_by("A"))
    write_ct(tmp_path / "b", LATER, "20240310", "1", issued_by("B"))
    write_sr(tmp_path / "a.dcm", BASE, "1.2.827.1", patient="1", change=issued_by("A"))
    write_sr(tmp_path / "b.dcm", LATER, "1.2.827.2", patient="1", change=issued_by("B"))
    index = index_of(tmp_path)
    assert len(index.files) == 2
    assert all(len(plan(index, key).placed) == 1 for key in index.files)


def test_what_speaks_against_one_person_waits(tmp_path: Path):
    write_ct(tmp_path / "base", BASE, "20240110", change=lambda d: setattr(d, "PatientBirthDate", "19500101"))
    write_ct(tmp_path / "later", LATER, "20240310", "H2", with_other_id("P1", birth="19600101"))
    index = index_of(tmp_path)
    assert set(index.files) == set(index.doubts) == {pseudonym("P1"), pseudonym("H2")}
    (item,) = index.doubts[pseudonym("H2")]
    assert item.waits
    assert "birth dates differ" in item.message
    assert "P1" not in item.message


# Patient ID, name and study of a document that measures P1's image, and whether it counts.
DOCUMENTS = {
    "same patient, same study": ("P1", "Test^One", BASE, True),
    "same patient, a study of its own": ("P1", "Test^One", "1.2.826.7", True),
    "same ID, another name": ("P1", "Other^Name", "1.2.826.7", True),
    "other ID, same name and study": (CANARY, "Test^One", BASE, True),
    "other ID, same name": (CANARY, "TEST^One^^", "1.2.826.7", True),
    "other ID and name, same study": (CANARY, "Canary^Yellow", BASE, True),
    "all differ": (CANARY, "Canary^Yellow", "1.2.826.7", False),
    "all differ, nobody is named": (CANARY, "", "1.2.826.7", False),
    "all differ, anonymous": (CANARY, "Anonymous", "1.2.826.7", False),
    "no ID, another name": ("", "Canary^Yellow", "1.2.826.7", False),
    "no ID and no name": ("", "", "1.2.826.7", True),
}


@pytest.mark.parametrize("situation", DOCUMENTS)
def test_whose_document_counts(tmp_path: Path, situation: str):
    patient, name, study, counts = DOCUMENTS[situation]

    def change(dataset: Dataset) -> None:
        dataset.PatientName, dataset.StudyInstanceUID = name, study

    write_ct(tmp_path / "base", BASE, "20240110")
    write_sr(tmp_path / "other.dcm", BASE, "1.2.827.1", patient=patient, change=change)
    index = index_of(tmp_path)
    found = plan(index, pseudonym("P1"))
    assert len(found.placed) == int(counts)
    assert [item.code for item in found.waiting] == ([] if counts else ["patient-differs"])
    said = " ".join(item.message for item in found.waiting)
    assert not any(secret in said for secret in (CANARY, "Canary", "Test"))
    assert len(plan(index, pseudonym("P1"), link_by_uid_alone=True).placed) == 1


def test_two_patients_who_share_uids_are_not_mixed(tmp_path: Path):
    write_ct(tmp_path / "a", BASE, "20240110", "P1")
    for path in write_ct(tmp_path / "b", BASE, "20240110", "P2", lambda d: setattr(d, "PatientName", "Test^Two")):
        if int(path.stem) < 4:  # these share their SOP Instance UIDs, too; the others only those of series and study
            continue
        path.rename(path.with_suffix(".kept"))
    scanned = scan([tmp_path / "a", tmp_path / "b"])
    index, _ = sort_into_subjects(scanned.files, WORKSHOPS)
    for key, files in index.files.items():
        assert {pseudonym(file.patient_id) for file in files} == {key}
    assert len(scanned.rejected) >= 4


def test_a_document_without_an_image_of_its_own_goes_to_its_patient(tmp_path: Path):
    shared = "1.2.826.5"

    def own_instances(dataset: Dataset) -> None:
        dataset.SOPInstanceUID = f"{dataset.SOPInstanceUID}.77"
        dataset.PatientName = "Test^Two"

    write_ct(tmp_path / "a", shared, "20240110", "P1")
    write_ct(tmp_path / "b", shared, "20240110", "P2", own_instances)
    write_sr(tmp_path / "doc.dcm", shared, "1.2.827.1", patient="P2")
    index = index_of(tmp_path)
    assert set(index.files) == {pseudonym("P1"), pseudonym("P2")}


@pytest.fixture
def evaluate(tmp_path: Path) -> Callable[..., EvaluationOutcome]:
    def run(folder: Path, **changes) -> EvaluationOutcome:
        settings = Settings(segmenter="geodesic-contour", radiomics=False, **changes)
        return evaluate_files([folder], tmp_path / "out", settings, lambda *_: None)

    return run


def test_a_rejected_image_takes_its_measurements_along(tmp_path: Path, evaluate: Callable[..., EvaluationOutcome]):
    folder = tmp_path / "in"
    write_ct(folder / "base", BASE, "20240110")
    write_ct(folder / "later", LATER, "20240310")
    write_sr(folder / "base.dcm", BASE, "1.2.827.1")
    write_sr(folder / "later.dcm", LATER, "1.2.827.2", (("L1", 40.0),))
    write_note(folder / "note.dcm", LATER, "1.2.827.3", [f"{LATER}.1.4"], "113037")
    outcome = evaluate(folder)
    (subject,) = outcome.subjects
    assert [row["recist_overall"] for row in subject.document["responses"]] == ["BASELINE", "NE"]
    assert any("Rejected for Patient Safety Reasons" in words for words in outcome.passed_over)


def test_a_note_under_another_patient_id_goes_where_the_document_is(tmp_path: Path):
    write_ct(tmp_path / "ct", BASE, "20240110")
    write_sr(tmp_path / "sr.dcm", BASE, "1.2.827.1")
    note = write_note(tmp_path / "a-note.dcm", BASE, "1.2.827.3", ["1.2.827.1"])
    dataset = pydicom.dcmread(note)
    dataset.PatientID = "WRONG"
    dataset.save_as(note)
    index = index_of(tmp_path)
    assert list(index.files) == [pseudonym("P1")]
    assert plan(index, pseudonym("P1")).readings == ()


def test_patient_links_come_from_a_file(tmp_path: Path, evaluate: Callable[..., EvaluationOutcome]):
    folder = tmp_path / "in"
    write_ct(folder / "base", BASE, "20240110")
    write_ct(folder / "later", LATER, "20240310", "H2", lambda d: setattr(d, "PatientName", "Other^Name"))
    write_sr(folder / "base.dcm", BASE, "1.2.827.1")
    write_sr(folder / "later.dcm", LATER, "1.2.827.2", (("L1", 20.0),), "H2")
    assert len(evaluate(folder).subjects) == 2
    links = tmp_path / "links.csv"
    links.write_text(f"subject,same_as\nH2,{pseudonym('P1')}\n", "utf-8")
    (subject,) = evaluate(folder, patient_links=links).subjects
    assert [row["recist_overall"] for row in subject.document["responses"]] == ["BASELINE", "PR"]
