"""What waits or was refused when it was placed is noted at its time point as something that may change a response."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from dicom_node.file_scan import scan
from tests.dicom_node.measurements.sr_files import coded
from tests.service.small_case import write_ct, write_sr
from tumorresp.domain.errors import InvalidMeasurement, TumorRespError
from tumorresp.service.pipeline.left_out import new_lesion_missed
from tumorresp.service.pipeline.reading_plan import ReadingPlan, plan_readings
from tumorresp.service.settings import Settings
from tumorresp.service.subject_sorting import sort_into_subjects
from tumorresp.service.wiring import create_workshops

WORKSHOPS = create_workshops(Settings(segmenter="geodesic-contour"))
STUDIES = {"1.2.826.1": "20240110", "1.2.826.2": "20240310", "1.2.826.3": "20240510"}
CODES = (
    "measurement-waits",
    "measurement-refused",
    "new-lesion-waits",
    "new-lesion-refused",
    "new-lesion-not-measurable",
    "document-refused",
)


def plan(folder: Path, unreadable: str = "") -> ReadingPlan:
    """Plan what a folder holds; one document, by its UID, cannot be read."""

    def read(path: Path):
        found = WORKSHOPS.read_measurements(path)
        if unreadable and found[0].source.document_uid == unreadable:
            raise InvalidMeasurement("its tree is broken.", where=unreadable)
        return found

    index, refused = sort_into_subjects(scan([folder]).files, WORKSHOPS)
    assert refused == []
    (files,) = index.files.values()
    return plan_readings(files, replace(WORKSHOPS, read_measurements=read))


def notes(found: ReadingPlan) -> list[list[str]]:
    (reading,) = found.readings
    return [[f.code for f in visit.findings if f.code in CODES and f.decides] for visit in reading.visits]


def write_all(folder: Path, *, without_ct: str = "", second: Callable[[Path], object] = lambda _: None) -> None:
    """Write three studies with a report each; ``second`` writes what else the second study has."""
    for number, (study, day) in enumerate(STUDIES.items(), 1):
        if study != without_ct:
            write_ct(folder / study, study, day)
        write_sr(folder / f"{number}.dcm", study, f"1.2.827.{number}")
    second(folder)


def on_images_that_are_not_here(folder: Path) -> None:
    def other_series(dataset) -> None:
        for item in dataset.iterall():
            if item.keyword == "ReferencedSOPInstanceUID":
                item.value = "1.2.826.2.7.4"

    write_sr(folder / "more.dcm", "1.2.826.2", "1.2.827.9", (("N1", 20.0), ("N2", 22.0)), change=other_series)


def outside_the_image(folder: Path) -> None:
    write_sr(folder / "more.dcm", "1.2.826.2", "1.2.827.9", (("N1", 300.0), ("N2", 400.0)))


def a_new_lesion(folder: Path, image: str, length_mm: float) -> None:
    def new(dataset) -> None:
        for item in dataset.iterall():
            if item.keyword == "ReferencedSOPInstanceUID":
                item.value = image
        role = coded("role", ("new", "99TUMORRESP", "new"))
        dataset.ContentSequence[1].ContentSequence.append(role)
        if not length_mm:  # one point is no line
            for item in dataset.iterall():
                if item.keyword == "GraphicData":
                    item.value = [20.0, 20.0]

    write_sr(folder / "more.dcm", "1.2.826.2", "1.2.827.9", (("N1", length_mm),), change=new)


@pytest.mark.parametrize(
    ("image", "length_mm", "code"),
    [
        ("1.2.826.2.1.4", 300.0, "new-lesion-refused"),
        ("1.2.826.2.7.4", 20.0, "new-lesion-waits"),
        ("1.2.826.2.1.4", 0.0, "new-lesion-not-measurable"),
    ],
)
def test_a_new_lesion_that_waits_or_was_refused_says_so_at_its_time_point(
    tmp_path: Path, image: str, length_mm: float, code: str
):
    write_all(tmp_path, second=lambda folder: a_new_lesion(folder, image, length_mm))
    found = plan(tmp_path)
    assert notes(found) == [[], [code], []]
    (reading,) = found.readings
    assert [bool(new_lesion_missed(visit.findings)) for visit in reading.visits] == [False, True, False]


@pytest.mark.parametrize(
    ("without_ct", "second", "expected"),
    [
        ("", lambda _: None, [[], [], []]),
        ("", on_images_that_are_not_here, [[], ["measurement-waits"], []]),
        ("", outside_the_image, [[], ["measurement-refused"], []]),
        # A scan that is not here may be the baseline, or hold the nadir: all that is here may be judged wrongly.
        ("1.2.826.1", lambda _: None, [["measurement-waits"], []]),
        ("1.2.826.2", lambda _: None, [["measurement-waits"], []]),
    ],
)
def test_what_is_in_no_sum_is_noted_once_a_document_where_it_may_change_a_response(
    tmp_path: Path, without_ct: str, second: Callable[[Path], object], expected: list[list[str]]
):
    write_all(tmp_path, without_ct=without_ct, second=second)
    assert notes(plan(tmp_path)) == expected


def test_the_words_count_the_measurements_and_name_document_and_reason(tmp_path: Path):
    write_all(tmp_path, second=outside_the_image)
    (reading,) = plan(tmp_path).readings
    (finding,) = (f for f in reading.visits[1].findings if f.code == "measurement-refused")
    assert finding.where == "1.2.827.9"
    assert finding.message.startswith("2 measurements of document 1.2.827.9 were refused and are in no sum: ")
    assert "lies outside its image" in finding.message


def test_a_document_that_cannot_be_read_is_noted_at_its_study(tmp_path: Path):
    write_all(tmp_path, second=lambda folder: write_sr(folder / "more.dcm", "1.2.826.2", "1.2.827.9"))
    found = plan(tmp_path, unreadable="1.2.827.9")
    assert notes(found) == [[], ["document-refused"], []]
    (error,) = (error for _, error in found.refused)
    assert isinstance(error, TumorRespError)
