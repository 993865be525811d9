"""What is no measurement of a lesion by a reader on CT is passed over, with words, and waits for nothing."""

from collections.abc import Callable
from pathlib import Path

import pydicom
import pytest
from pydicom.dataset import Dataset

from dicom_node.file_scan import scan
from tests.dicom_node.measurements.sr_files import coded, group, image, number, scoord, text
from tests.service.small_case import write_ct, write_note, write_sr
from tumorresp.service.pipeline.inputs import DocumentRules
from tumorresp.service.pipeline.reading_plan import ReadingPlan, plan_readings
from tumorresp.service.settings import Settings
from tumorresp.service.subject_sorting import other_objects, sort_into_subjects
from tumorresp.service.wiring import create_workshops

STUDY = "1.2.826.1"
MR = "1.2.840.10008.5.1.4.1.1.4"
WORKSHOPS = create_workshops(Settings(segmenter="geodesic-contour"))
LINE = [16.0, 24.5, 31.0, 24.5]


def plan(folder: Path, **rules) -> ReadingPlan:
    index, refused = sort_into_subjects(scan([folder]).files, WORKSHOPS)
    assert refused == []
    (files,) = index.files.values()
    return plan_readings(files, WORKSHOPS, DocumentRules(**rules))


def on_mr(dataset: Dataset) -> None:
    for item in dataset.iterall():
        if item.keyword == "ReferencedSOPClassUID":
            item.value = MR
        if item.keyword == "ReferencedSOPInstanceUID":
            item.value = "1.2.826.1.77"


def a_number_alone(dataset: Dataset) -> None:
    dataset.ContentSequence[1:] = [group(text("tracking", "L1"), number("long", "30"))]


def a_dose_report(dataset: Dataset) -> None:
    dataset.ContentSequence = [text("comment", "dose")]
    template = Dataset()
    template.MappingResource, template.TemplateIdentifier = "DCMR", "10011"
    dataset.ContentTemplateSequence = [template]


def the_aorta(dataset: Dataset) -> None:
    aorta = coded("site", ("15825003", "SCT", "Aorta"), "HAS CONCEPT MOD")
    drawn = number("long", "30", scoord(LINE, image(f"{STUDY}.1.4")))
    dataset.ContentSequence[1:] = [group(text("tracking", "A1"), aorta, drawn)]


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        (on_mr, "not-on-ct", "MR images"),
        (a_number_alone, "not-measurable", "a length without a line"),
        (a_dose_report, "nothing-measured", "template 10011"),
        (the_aorta, "no-lesion", "Aorta"),
    ],
)
def test_a_document_without_a_lesion_is_passed_over(
    tmp_path: Path, change: Callable[[Dataset], None], code: str, words: str
):
    write_ct(tmp_path / "ct", STUDY, "20240110")
    write_sr(tmp_path / "sr.dcm", STUDY, "1.2.827.1", change=change)
    found = plan(tmp_path)
    (item,) = found.passed_over
    assert (item.code, item.where, item.waits) == (code, "1.2.827.1", False)
    assert words in item.message
    assert {waiting.code for waiting in found.waiting} == {"no-measurements"}


def test_where_only_a_device_measured_that_waits_for_a_person(tmp_path: Path):
    def by_a_device(dataset: Dataset) -> None:
        observer_type = coded("finding", ("121007", "DCM", "Device"), "HAS OBS CONTEXT")
        name = observer_type.ConceptNameCodeSequence[0]
        name.CodeValue, name.CodeMeaning = "121005", "Observer Type"
        dataset.ContentSequence[0] = observer_type

    write_ct(tmp_path / "ct", STUDY, "20240110")
    write_sr(tmp_path / "sr.dcm", STUDY, "1.2.827.1", change=by_a_device)
    found = plan(tmp_path)
    assert (len(found.placed), [item.code for item in found.passed_over]) == (0, ["device-observer"])
    (waiting,) = found.waiting
    assert "only a device has measured" in waiting.message
    named = plan(tmp_path, device_readers=("unnamed device",))
    assert [item.measurement.reader for item in named.placed.values()] == ["unnamed device"]


def test_a_key_object_selection_that_rejects_nothing_is_passed_over(tmp_path: Path):
    write_ct(tmp_path / "ct", STUDY, "20240110")
    write_sr(tmp_path / "sr.dcm", STUDY, "1.2.827.1")
    write_note(tmp_path / "ko.dcm", STUDY, "1.2.827.2", ["1.2.827.1"], "113000")
    found = plan(tmp_path)
    assert (len(found.placed), [item.code for item in found.passed_over]) == (1, ["nothing-measured"])


def test_other_objects_are_named_by_series(tmp_path: Path):
    def presentation_state(dataset: Dataset) -> None:
        dataset.Modality = "PR"

    write_ct(tmp_path / "ct", STUDY, "20240110")
    write_sr(tmp_path / "pr.dcm", STUDY, "1.2.827.5", change=presentation_state)
    write_ct(tmp_path / "mr", "1.2.826.4", "20240110", change=lambda dataset: setattr(dataset, "Modality", "MR"))
    assert other_objects(scan([tmp_path]).files) == [
        "8 MR object(s) not used: only CT is evaluated. 1.2.826.4.1",
        "1 PR object(s) not used: presentation states hold drawings without meaning. 1.2.827.5.0",
    ]


@pytest.mark.parametrize(
    ("algorithm", "interpreter", "device"),
    [
        ("AUTOMATIC", "", "AutoSegmenter"),
        ("AUTOMATIC", "Reader^One", ""),
        ("SEMIAUTOMATIC", "", ""),
        ("MANUAL", "", ""),
        ("", "", ""),
    ],
)
def test_who_outlined_a_region(tmp_path: Path, real_data: Path, algorithm: str, interpreter: str, device: str):
    source = real_data / "cases" / "05-two-observers-gtv" / "rt.dcm"
    if not source.is_file():
        pytest.skip("the real test data hold no such case")
    document = pydicom.dcmread(source)
    document.ManufacturerModelName = "AutoSegmenter"
    for region in document.StructureSetROISequence:
        region.ROIGenerationAlgorithm = algorithm
    for observation in document.RTROIObservationsSequence:
        observation.ROIInterpreter = interpreter
    document.save_as(tmp_path / "rt.dcm")
    for item in WORKSHOPS.read_measurements(tmp_path / "rt.dcm"):
        assert (item.device, item.reader) == (device, interpreter)
