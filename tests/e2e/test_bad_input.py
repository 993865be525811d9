"""Bad input through `tumorresp evaluate`: said in words, nothing else harmed, a good study beside it evaluated."""

import re
from collections.abc import Callable
from pathlib import Path

import pydicom
import pytest
from pydicom.dataset import Dataset
from typer.testing import CliRunner, Result

from tests.service.phantom_files import ScanFiles, copy_scan, edit, rename_patient
from tumorresp.domain.identity import pseudonym
from tumorresp.service.cli.main import app
from tumorresp.service.evaluate_files import evaluate_files
from tumorresp.service.settings import Settings

GOOD, BAD = "GOOD-1", "BAD-1"
SETTINGS = Settings(segmenter="geodesic-contour", radiomics=False)
pytestmark = [pytest.mark.timeout(300), pytest.mark.xdist_group("bad-input")]


def evaluate(folder: Path, out: Path, *more: str) -> Result:
    return CliRunner(env={"COLUMNS": "400"}).invoke(
        app, ["evaluate", str(folder), "--out", str(out), "--no-radiomics", *more]
    )


def words(result: Result) -> str:
    return re.sub(r"\s+", " ", result.output)


def first_group_coordinates(reading: Dataset) -> list[Dataset]:
    """Return the SCOORD items of the first measured lesion."""
    found: list[Dataset] = []

    def walk(item: Dataset) -> None:
        for child in item.get("ContentSequence", ()):
            if child.get("ValueType") == "SCOORD":
                found.append(child)
            walk(child)

    walk(reading)
    return found[:2]


def _groups(item: Dataset) -> list[Dataset]:
    found = []
    for child in item.get("ContentSequence", ()):
        if child.get("ConceptNameCodeSequence") and child.ConceptNameCodeSequence[0].CodeValue == "125007":
            found.append(child)
        found += _groups(child)
    return found


def drop_spacing(files: ScanFiles) -> None:
    for path in files.images:
        edit(path, lambda d: d.__delitem__("PixelSpacing"))


def mix_orientations(files: ScanFiles) -> None:
    for path in files.images[::2]:
        edit(path, lambda d: setattr(d, "ImageOrientationPatient", [1, 0, 0, 0, 0, -1]))


def double_a_position(files: ScanFiles) -> None:
    def move(dataset: Dataset) -> None:
        dataset.ImagePositionPatient = pydicom.dcmread(files.images[9]).ImagePositionPatient

    edit(files.images[10], move)


def make_localizers(files: ScanFiles) -> None:
    for path in files.images:
        edit(path, lambda d: setattr(d, "ImageType", ["ORIGINAL", "PRIMARY", "LOCALIZER"]))


def remove_images(files: ScanFiles) -> None:
    for path in files.images:
        path.unlink()


def point_outside(files: ScanFiles) -> None:
    def change(reading: Dataset) -> None:
        first_group_coordinates(reading)[0].GraphicData = [10.0, 10.0, 4000.0, 10.0]

    edit(files.reading, change)


def shrink_to_a_point(files: ScanFiles) -> None:
    def change(reading: Dataset) -> None:
        first_group_coordinates(reading)[0].GraphicData = [50.0, 50.0, 50.0, 50.0]

    edit(files.reading, change)


def cut_reading(files: ScanFiles) -> None:
    content = files.reading.read_bytes()
    files.reading.write_bytes(content[: len(content) // 2])


def cut_an_image(files: ScanFiles) -> None:
    content = files.images[3].read_bytes()
    files.images[3].write_bytes(content[: len(content) // 2])


def add_a_stranger(files: ScanFiles) -> None:
    (files.reading.parent / "notes.dcm").write_bytes(b"this is no DICOM file")


@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        (drop_spacing, r"spacing"),
        (remove_images, r"has not arrived"),
        (point_outside, r"outside its image"),
        (shrink_to_a_point, r"no length"),
        (cut_reading, r"cut off|cannot be read"),
        (cut_an_image, r"cut off"),
        (add_a_stranger, r"no (whole )?DICOM|not DICOM|DICOM"),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_bad_input_is_named_and_harms_nobody(spoil: Callable[[ScanFiles], None], expected: str, tmp_path: Path):
    good, bad = copy_scan(1, tmp_path / "in" / "good"), copy_scan(1, tmp_path / "in" / "bad")
    rename_patient(good, GOOD, "1")
    rename_patient(bad, BAD, "2")
    spoil(bad)
    result = evaluate(tmp_path / "in", tmp_path / "out")
    assert result.exit_code == 1, result.output
    assert re.search(expected, words(result), re.IGNORECASE), words(result)
    assert BAD not in result.output
    assert (tmp_path / "out" / pseudonym(GOOD) / "report.html").is_file()
    assert (tmp_path / "out" / pseudonym(GOOD) / "baseline" / "seg.dcm").is_file()


def shorten_pixels(files: ScanFiles) -> None:
    edit(files.images[0], lambda d: setattr(d, "PixelData", d.PixelData[:100]))


def spoil_all_pixels(files: ScanFiles) -> None:
    for path in files.images:
        edit(path, lambda d: setattr(d, "PixelData", d.PixelData[:100]))


def drop_some_rescales(files: ScanFiles) -> None:
    for path in files.images[::3]:
        edit(path, lambda d: d.__delitem__("RescaleIntercept"))


@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        (mix_orientations, r"No mask: different images lie at each position"),
        (double_a_position, r"1 images that repeat another one.{1,6}s position"),
        (make_localizers, r"No mask: the series holds no slices, only localizers"),
        (shorten_pixels, r"pixels of 1 images cannot be read"),
        (spoil_all_pixels, r"CT numbers of this series are not used: no image can be read"),
        (drop_some_rescales, r"CT numbers of this series are not used: \d+ of \d+ images lack Rescale Slope"),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_diameters_count_whatever_the_pixels_are_and_the_report_says_what_is_wrong(
    spoil: Callable[[ScanFiles], None], expected: str, tmp_path: Path
):
    copy_scan(2, tmp_path / "in" / "later")
    spoil(copy_scan(1, tmp_path / "in" / "bad"))
    outcome = evaluate_files([tmp_path / "in"], tmp_path / "out", SETTINGS, lambda *_: None)
    (subject,) = outcome.subjects
    baseline, follow_up = subject.document["responses"]
    assert float(baseline["recist_sum_mm"]) == pytest.approx(101.163, abs=0.5)
    assert follow_up["recist_overall"] in {"PR", "SD", "PD", "CR"}
    report = re.sub(r"<[^>]+>|\s+", " ", (subject.folder / "report.html").read_text("utf-8"))
    assert re.search(expected, re.sub(r"\s+", " ", report)), report[-3000:]
    assert (subject.folder / "baseline" / "report.dcm").is_file()
    assert (subject.folder / "follow-up-1" / "seg.dcm").is_file()


def test_a_good_subject_ends_with_exit_code_0_and_the_same_objects_every_time(tmp_path: Path):
    for order in (1, 2):
        copy_scan(order, tmp_path / "in" / str(order))
    first, second = tmp_path / "first", tmp_path / "second"
    for out in (first, second):
        result = evaluate(tmp_path / "in", out)
        assert result.exit_code == 0, result.output
    objects = sorted(path.relative_to(first) for path in first.rglob("*.dcm"))
    assert [path.name for path in objects] == ["report.dcm", "seg.dcm"] * 2
    assert all((first / path).read_bytes() == (second / path).read_bytes() for path in objects)


def test_a_follow_up_leaves_the_baselines_objects_as_they_were(tmp_path: Path):
    copy_scan(1, tmp_path / "in" / "1")
    evaluate(tmp_path / "in", tmp_path / "before")
    copy_scan(2, tmp_path / "in" / "2")
    evaluate(tmp_path / "in", tmp_path / "after")
    for path in (tmp_path / "before").rglob("baseline/*.dcm"):
        after = tmp_path / "after" / path.relative_to(tmp_path / "before")
        assert after.read_bytes() == path.read_bytes()


def test_missing_slices_are_said_and_the_lesions_still_measured(tmp_path: Path):
    files = copy_scan(1, tmp_path / "in")
    files.images[2].unlink()
    result = evaluate(tmp_path / "in", tmp_path / "out")
    page = next((tmp_path / "out").rglob("report.html")).read_text("utf-8")
    assert result.exit_code == 0, result.output
    assert re.search(r"missing|interpolated", page)


def test_a_short_axis_longer_than_the_long_one_is_exchanged_and_said(tmp_path: Path):
    files = copy_scan(1, tmp_path / "in")

    def change(reading: Dataset) -> None:
        long_line, short_line = first_group_coordinates(reading)
        long_line.GraphicData, short_line.GraphicData = list(short_line.GraphicData), list(long_line.GraphicData)

    edit(files.reading, change)
    evaluate(tmp_path / "in", tmp_path / "out")
    page = next((tmp_path / "out").rglob("report.html")).read_text("utf-8")
    assert "exchanged" in page


def test_two_measurements_with_one_identity_wait_for_a_person(tmp_path: Path):
    files = copy_scan(1, tmp_path / "in")

    def change(reading: Dataset) -> None:
        uids = [item for item in reading.iterall() if item.keyword == "UID"]
        uids[1].value = uids[0].value

    edit(files.reading, change)
    result = evaluate(tmp_path / "in", tmp_path / "out")
    assert result.exit_code == 1
    assert "Several measurements of this time point carry this tracking UID" in words(result)


def test_what_waits_for_a_person_can_be_decided(tmp_path: Path):
    for order in (1, 2):
        copy_scan(order, tmp_path / "in" / str(order))

    def strip(reading: Dataset) -> None:
        """Leave the second reading's first lesion without identity, role and name."""
        group = next(item for item in _groups(reading))
        group.ContentSequence = [
            item
            for item in group.ContentSequence
            if item.ConceptNameCodeSequence[0].CodeValue not in ("112039", "112040", "lesion-role")
        ]
        for item in group.ContentSequence:
            if item.get("ValueType") == "NUM":
                line = item.ContentSequence[0]
                line.GraphicData = [value + 12 for value in line.GraphicData]

    edit(tmp_path / "in" / "2" / "reading.dcm", strip)
    result = evaluate(tmp_path / "in", tmp_path / "out")
    assert result.exit_code == 1
    uid = re.search(r"measurement (2\.25\.\d+)", words(result))
    assert uid, words(result)
    decisions = tmp_path / "decisions.csv"
    decisions.write_text(f"measurement_uid,lesion\n{uid[1]},T01\n", "utf-8")
    decided = evaluate(tmp_path / "in", tmp_path / "decided", "--decisions", str(decisions))
    assert decided.exit_code == 0, decided.output
    assert "decision" in next((tmp_path / "decided").rglob("report.html")).read_text("utf-8")


def test_studies_without_patient_id_are_kept_apart(tmp_path: Path):
    for number in (1, 2):
        files = copy_scan(1, tmp_path / "in" / str(number))
        rename_patient(files, "", str(number))
    result = evaluate(tmp_path / "in", tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert len(list((tmp_path / "out").glob("*/report.html"))) == 2


def test_weights_of_another_network_are_refused_by_name_of_the_key(tmp_path: Path):
    import numpy as np
    from safetensors.numpy import save_file

    wrong = tmp_path / "wrong.safetensors"
    save_file({"conv.weight": np.zeros((3, 3), np.float32)}, wrong)
    runner = CliRunner(env={"COLUMNS": "400", "TUMORRESP_MODEL_DIR": str(tmp_path / "models")})
    result = runner.invoke(app, ["models", "add", str(wrong), "--name", "lite-medsam"])
    assert result.exit_code == 65
    assert "wrong.safetensors" in words(result)
    assert not list((tmp_path / "models").glob("*.pth"))


def test_a_network_without_weights_is_refused_with_what_to_do(tmp_path: Path):
    copy_scan(1, tmp_path / "in")
    runner = CliRunner(env={"COLUMNS": "400", "TUMORRESP_MODEL_DIR": str(tmp_path / "none")})
    result = runner.invoke(
        app, ["evaluate", str(tmp_path / "in"), "--out", str(tmp_path / "out"), "--segmenter", "lite-medsam"]
    )
    assert result.exit_code == 66
    assert "tumorresp models" in words(result)
