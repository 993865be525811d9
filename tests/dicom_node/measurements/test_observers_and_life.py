"""Who measured and what a document says of itself, as files state it."""

import datetime
from pathlib import Path

import pydicom
import pytest
from pydicom.dataset import Dataset

from dicom_node.measurements.life_facts import read_document_facts
from dicom_node.measurements.reading import read_measurements
from tests.dicom_node.measurements.sr_files import coded, group, image, item, number, report, scoord, text, uid, write

LINE = [10.5, 20.5, 40.5, 20.5]
PERSON, DEVICE = ("121006", "DCM", "Person"), ("121007", "DCM", "Device")


def observer_type(code: tuple[str, str, str]) -> Dataset:
    return _named(coded("finding", code, "HAS OBS CONTEXT"), "121005", "Observer Type")


def person(name: str) -> Dataset:
    found = item("PNAME", "observer", relation="HAS OBS CONTEXT")
    found.PersonName = name
    return found


def device(name: str = "AI-CAD") -> list[Dataset]:
    return [
        observer_type(DEVICE),
        _named(uid("tracking uid", "2.25.77"), "121012", "Device Observer UID"),
        *([_named(text("comment", name), "121013", "Device Observer Name")] if name else []),
    ]


def _named(content: Dataset, value: str, meaning: str) -> Dataset:
    name = content.ConceptNameCodeSequence[0]
    name.CodeValue, name.CodingSchemeDesignator, name.CodeMeaning = value, "DCM", meaning
    content.RelationshipType = "HAS OBS CONTEXT"
    return content


def lesion(*context: Dataset) -> Dataset:
    return group(*context, number("long", "30", scoord(LINE, image())))


@pytest.mark.parametrize(
    ("context", "expected"),
    [
        ([], ("", "")),
        ([observer_type(PERSON), person("Reader^One")], ("Reader^One", "")),
        ([person("Reader^One")], ("Reader^One", "")),
        ([observer_type(PERSON), person("unknown^unknown")], ("", "")),
        (device(), ("", "AI-CAD")),
        (device(""), ("", "2.25.77")),
        ([observer_type(DEVICE)], ("", "unnamed device")),
        ([observer_type(PERSON), person("Reader^One"), *device()], ("Reader^One", "")),
        ([*device(), observer_type(PERSON), person("Reader^One")], ("Reader^One", "")),
        ([observer_type(PERSON), person("unknown^unknown"), *device()], ("", "AI-CAD")),
    ],
)
def test_the_observer_of_a_report_and_of_a_group(tmp_path: Path, context: list[Dataset], expected: tuple[str, str]):
    (found,) = read_measurements(write(tmp_path / "document.dcm", report(*context, lesion())))
    assert (found.reader, found.device) == expected
    (found,) = read_measurements(write(tmp_path / "group.dcm", report(lesion(*context))))
    assert (found.reader, found.device) == expected


def test_a_groups_own_observer_outweighs_the_documents(tmp_path: Path):
    path = write(tmp_path / "report.dcm", report(person("Reader^One"), lesion(), lesion(*device())))
    assert [(m.reader, m.device) for m in read_measurements(path)] == [("Reader^One", ""), ("", "AI-CAD")]


def test_a_report_of_computer_aided_detection_is_a_devices(tmp_path: Path):
    document = report(lesion())
    document.SOPClassUID = document.file_meta.MediaStorageSOPClassUID = pydicom.uid.ChestCADSRStorage
    (found,) = read_measurements(write(tmp_path / "report.dcm", document))
    assert (found.reader, found.device) == ("", "unnamed device")


def instances(*uids: str) -> list[Dataset]:
    study, series = Dataset(), Dataset()
    series.SeriesInstanceUID = study.StudyInstanceUID = "1.2.3"
    series.ReferencedSOPSequence = []
    for one in uids:
        reference = Dataset()
        reference.ReferencedSOPInstanceUID, reference.ReferencedSOPClassUID = one, "1.2.840.10008.5.1.4.1.1.88.33"
        series.ReferencedSOPSequence.append(reference)
    study.ReferencedSeriesSequence = [series]
    return [study]


def test_flags_and_links_of_a_report(tmp_path: Path):
    document = report(lesion())
    document.ContentDate, document.ContentTime = "20240310", "081500"
    document.TimezoneOffsetFromUTC = "+0200"
    document.CompletionFlag, document.VerificationFlag = "PARTIAL", "VERIFIED"
    document.PredecessorDocumentsSequence = instances("1.2.3.1", "1.2.3.2")
    document.IdenticalDocumentsSequence = instances("1.2.3.3")
    document.ClinicalTrialTimePointID = "C1D1"
    facts = read_document_facts(write(tmp_path / "report.dcm", document))
    assert facts.time_point_id == "C1D1"
    assert (facts.is_complete, facts.is_verified, facts.rejection) == (False, True, "")
    assert (facts.predecessors, facts.identical) == (("1.2.3.1", "1.2.3.2"), ("1.2.3.3",))
    assert facts.written_at == datetime.datetime(2024, 3, 10, 6, 15, tzinfo=datetime.UTC)


@pytest.mark.parametrize(
    ("title", "words"),
    [
        ("113001", "Rejected for Quality Reasons"),
        ("113037", "Rejected for Patient Safety Reasons"),
        ("113038", "Incorrect Modality Worklist Entry"),
        ("113039", "Data Retention Policy Expired"),
        ("113000", ""),
    ],
)
def test_key_object_selections(tmp_path: Path, title: str, words: str):
    reference = image()
    reference.RelationshipType = "CONTAINS"
    document = report(reference)
    document.Modality = "KO"
    document.SOPClassUID = document.file_meta.MediaStorageSOPClassUID = pydicom.uid.KeyObjectSelectionDocumentStorage
    name = Dataset()
    name.CodeValue, name.CodingSchemeDesignator, name.CodeMeaning = title, "DCM", "whatever the writer calls it"
    document.ConceptNameCodeSequence = [name]
    document.CurrentRequestedProcedureEvidenceSequence = instances("1.2.3.9")
    facts = read_document_facts(write(tmp_path / "note.dcm", document))
    assert facts.rejection == words
    assert facts.selected == {reference.ReferencedSOPSequence[0].ReferencedSOPInstanceUID, "1.2.3.9"}
