"""Situations that users of viewers, archives and trial tools report, from files to categories.

The inputs are small phantoms; each folder is one input of ``tumorresp evaluate``, and the right answer stands here.
"""

import csv
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import pydicom
import pytest

from reports.report_numbers import NumberKey, read_numbers
from tumorresp.service.evaluate_files import EvaluationOutcome, evaluate_files
from tumorresp.service.settings import Settings


@dataclass(frozen=True)
class Right:
    """What must come out of a case.

    Parameters
    ----------
    sums
        RECIST sum of diameters (mm) a time point, by subject in the order of their keys.
    responses
        RECIST 1.1 overall response a time point, likewise.
    says
        Words that must be among what is passed over, waits or is refused.
    """

    sums: tuple[tuple[str | None, ...], ...]
    responses: tuple[tuple[str, ...], ...]
    says: tuple[str, ...] = field(default=())


CASES = {
    "01-ohif-saved-twice": Right((("31", "32"),), (("BASELINE", "SD"),), ("measured the same images again later",)),
    "09-visit-over-two-days-pd": Right((("54", "36"),), (("BASELINE", "PR"),)),
    "07-superseded-sr": Right((("30", "30"),), (("BASELINE", "SD"),), ("the same reader measured the same images",)),
    "08-ohif-unknown-plus-ai": Right((("30", "20"),), (("BASELINE", "PR"),), ("a device measured them",)),
    "21-other-hospital-id": Right((("30", "20"),), (("BASELINE", "PR"),)),
    "22-rejection-note": Right((("30", None),), (("BASELINE", "NE"),), ("Rejected for Quality Reasons",)),
}


@pytest.fixture
def evaluate(tmp_path: Path) -> Callable[..., EvaluationOutcome]:
    """Evaluate files with the segmenter that needs no weights."""

    def run(*inputs: Path, **changes) -> EvaluationOutcome:
        settings = Settings(data_dir=tmp_path / "data", segmenter="geodesic-contour", radiomics=False, **changes)
        return evaluate_files(inputs, tmp_path / "out", settings, lambda *_: None)

    return run


@pytest.mark.parametrize("name", CASES)
def test_a_case_gives_its_right_answer(real_data: Path, evaluate: Callable[..., EvaluationOutcome], name: str):
    folder = real_data / "cases" / name
    if not folder.is_dir():
        pytest.skip("the real test data hold no such case")
    right, outcome = CASES[name], evaluate(folder)
    responses = [subject.document["responses"] for subject in outcome.subjects]
    found = tuple(tuple(rounded(point["recist_sum_mm"]) for point in points) for points in responses)
    assert found == tuple(tuple(rounded(value) for value in sums) for sums in right.sums)
    assert tuple(tuple(point["recist_overall"] for point in points) for points in responses) == right.responses
    said = "\n".join((*outcome.passed_over, *outcome.waiting, *outcome.refused))
    for words in right.says:
        assert words in said


def rounded(millimetres: str | float | None) -> float | None:
    return None if millimetres is None else round(float(millimetres), 1)


def test_a_device_that_the_settings_name_is_a_reader(real_data: Path, evaluate: Callable[..., EvaluationOutcome]):
    folder = real_data / "cases" / "08-ohif-unknown-plus-ai"
    if not folder.is_dir():
        pytest.skip("the real test data hold no such case")
    outcome = evaluate(folder, device_readers=("AI-CAD",))
    assert not any("a device measured them" in words for words in outcome.passed_over)
    assert any("no lesion" in words for words in outcome.passed_over)  # the aorta stays one


def evaluate_case(real_data: Path, name: str, out: Path, **changes) -> EvaluationOutcome:
    folder = real_data / "cases" / name
    if not folder.is_dir():
        pytest.skip("this case is not among the test data")
    settings = Settings(segmenter="geodesic-contour", radiomics=False, **changes)
    return evaluate_files([folder], out, settings, lambda *_: None)


def lesion_rows(outcome: EvaluationOutcome) -> list[dict[str, str]]:
    (subject,) = outcome.subjects
    with (subject.folder / "lesions.csv").open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def test_an_oblique_outline_on_pixels_that_are_not_square(real_data: Path, tmp_path: Path):
    """A lesion of 32 x 16 mm at an angle, pixels of 2.0 x 0.5 mm."""
    outcome = evaluate_case(real_data, "10-oblique-outline-nonsquare", tmp_path)
    (row,) = lesion_rows(outcome)
    assert (row["reader_long_axis_mm"], row["reader_short_axis_mm"]) == ("32.0", "16.0")
    assert (outcome.waiting, outcome.refused) == ((), ())


@pytest.mark.parametrize(
    ("precision", "long", "short", "shown"),
    [
        ("0.1", 32.0, 16.0, "32.0 × 16.0 mm"),
        ("5", 30.0, 15.0, "30.0 × 15.0 mm"),
        ("0", 31.999996, 16.000003, "32.0 × 16.0"),
    ],
)
def test_a_length_is_the_same_number_everywhere(
    real_data: Path, tmp_path: Path, precision: str, long: float, short: float, shown: str
):
    outcome = evaluate_case(
        real_data, "10-oblique-outline-nonsquare", tmp_path, measurement_precision_mm=Decimal(precision)
    )
    (subject,) = outcome.subjects
    (row,) = lesion_rows(outcome)
    exact = pytest.approx((long, short), abs=1e-9 if precision != "0" else 2e-6)
    assert (float(row["reader_long_axis_mm"]), float(row["reader_short_axis_mm"])) == exact
    (lesion,) = subject.document["lesions"]
    assert (lesion["reader_long_axis_mm"], lesion["reader_short_axis_mm"]) == exact
    assert float(subject.document["responses"][0]["recist_sum_mm"]) == pytest.approx(long, abs=2e-6)
    assert shown in (subject.folder / "report.html").read_text("utf-8")
    assert f"{long:.1f}" in subject.document["reasons"][0]["reasons"][0]
    numbers = read_numbers(pydicom.dcmread(subject.folder / "baseline" / "report.dcm"))
    by_axis = [numbers[NumberKey(lesion["tracking_uid"], code, "126081")] for code in ("103339001", "103340004")]
    assert tuple(by_axis) == exact


def sums_and_responses(outcome: EvaluationOutcome) -> list[tuple[float | None, str]]:
    """Return sum of diameters (mm) and overall response by RECIST 1.1 of each time point."""
    (subject,) = outcome.subjects
    rows = subject.document["responses"]
    return [
        (None if row["recist_sum_mm"] is None else round(float(row["recist_sum_mm"]), 1), row["recist_overall"])
        for row in rows
    ]


def test_the_old_outline_of_a_tumour_is_not_added(real_data: Path, tmp_path: Path):
    outcome = evaluate_case(real_data, "05-two-observers-gtv", tmp_path)
    assert sums_and_responses(outcome) == [(30.0, "BASELINE")]
    assert [row["lesion"] for row in lesion_rows(outcome)] == ["T01"]


def test_images_that_lack_the_rescale_of_the_others_give_no_ct_numbers(real_data: Path, tmp_path: Path):
    """Half of the slices lack Rescale Slope and Intercept: the diameter counts, no mean of 594 HU is shown."""
    outcome = evaluate_case(real_data, "15-rescale-per-slice", tmp_path)
    assert sums_and_responses(outcome) == [(30.0, "BASELINE")]
    (row,) = lesion_rows(outcome)
    assert (row["mean_hu"], row["mask_volume_mm3"]) == ("", "")
    (subject,) = outcome.subjects
    report = (subject.folder / "report.html").read_text("utf-8")
    assert "12 of 24 images lack Rescale Slope (0028,1053) or Intercept (0028,1052), which the others state" in report


def content_items(item: pydicom.Dataset) -> list[pydicom.Dataset]:
    return [item, *(below for child in item.get("ContentSequence", ()) for below in content_items(child))]


@pytest.mark.parametrize(
    ("name", "time_point", "code"),
    [
        ("01-ohif-saved-twice", "baseline", "document-replaced"),
        ("05-two-observers-gtv", "baseline", "measured-twice"),
        ("07-superseded-sr", "follow-up-1", "document-replaced"),
        ("08-ohif-unknown-plus-ai", "baseline", "device-observer"),
        ("15-rescale-per-slice", "baseline", "ct-numbers-refused"),
    ],
)
def test_what_decides_stands_in_tables_and_report(
    real_data: Path, evaluate: Callable[..., EvaluationOutcome], name: str, time_point: str, code: str
):
    """What was left out, or told in two ways, is said where people look, and the evaluation is not called complete."""
    folder = real_data / "cases" / name
    if not folder.is_dir():
        pytest.skip("the real test data hold no such case")
    outcome = evaluate(folder)
    (subject,) = outcome.subjects
    assert not outcome.is_complete
    words = [
        item["message"] for item in subject.document["findings"] if (item["code"], item["decides"]) == (code, "yes")
    ]
    assert words
    assert code in subject.document["responses"][-1]["may_change"]
    report = pydicom.dcmread(subject.folder / time_point / "report.dcm")
    said = [item.TextValue for item in content_items(report) if item.get("ValueType") == "TEXT"]
    assert any(text.endswith(words[0]) and text.startswith(("Baseline", "Follow-up")) for text in said)


def redated(source: Path, target: Path, change: Callable[[pydicom.Dataset], None]) -> Path:
    """Copy a case with its images' dates changed."""
    for path in sorted(source.rglob("*.dcm")):
        copy = target / path.relative_to(source)
        copy.parent.mkdir(parents=True, exist_ok=True)
        dataset = pydicom.dcmread(path)
        if dataset.Modality == "CT":
            change(dataset)
        dataset.save_as(copy)
    return target


def one_made_up_day(image: pydicom.Dataset) -> None:
    for keyword in ("SeriesDate", "AcquisitionDate", "ContentDate", "AcquisitionDateTime"):
        image.pop(keyword, None)
    image.StudyDate = "20200101"


def made_up_study_date(image: pydicom.Dataset) -> None:
    image.AcquisitionDateTime = f"{image.StudyDate}101500"
    for keyword in ("SeriesDate", "AcquisitionDate"):
        image.pop(keyword, None)
    image.StudyDate = "19000101"


def recist(outcome: EvaluationOutcome) -> list[tuple[float | None, str]]:
    (subject,) = outcome.subjects
    return [(rounded(row["recist_sum_mm"]), row["recist_overall"]) for row in subject.document["responses"]]


def test_two_scans_of_one_made_up_day_are_no_sum(
    real_data: Path, tmp_path: Path, evaluate: Callable[..., EvaluationOutcome]
):
    """Baseline and follow-up under one date: which measurement is which waits, and 31 and 32 mm are never 63."""
    folder = real_data / "cases" / "01-ohif-saved-twice"
    if not folder.is_dir():
        pytest.skip("the real test data hold no such case")
    outcome = evaluate(redated(folder, tmp_path / "in", one_made_up_day))
    assert recist(outcome) == [(None, "BASELINE")]
    assert any("where the dates are made up" in words for words in outcome.waiting)


def test_the_acquisition_dates_a_scan_whose_study_date_is_made_up(
    real_data: Path, tmp_path: Path, evaluate: Callable[..., EvaluationOutcome]
):
    folder = real_data / "cases" / "01-ohif-saved-twice"
    if not folder.is_dir():
        pytest.skip("the real test data hold no such case")
    outcome = evaluate(redated(folder, tmp_path / "in", made_up_study_date))
    assert recist(outcome) == [(31.0, "BASELINE"), (32.0, "SD")]


def test_a_scan_before_treatment_that_is_not_the_baseline_is_shown_and_counts_in_nothing(
    real_data: Path, tmp_path: Path, evaluate: Callable[..., EvaluationOutcome]
):
    folder = real_data / "cases" / "01-ohif-saved-twice"
    if not folder.is_dir():
        pytest.skip("the real test data hold no such case")
    starts = tmp_path / "starts.csv"
    starts.write_text("subject,treatment_start\nP1,2024-03-11\n", "utf-8")
    outcome = evaluate(folder, treatment_starts=starts)
    assert recist(outcome) == [(None, None), (32.0, "BASELINE")]
    assert [row["time_point"] for row in outcome.subjects[0].document["responses"]] == ["Before baseline 1", "Baseline"]
