"""A volume that is cut or unsure is no volume: follow-up scans spoiled in the ways that scans come, from files on.

The diameters give the response that they give on the whole scan; the volumetric response is not evaluable, or the right
one where the scan can be used whole.
"""

import copy
from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset

from tests.service.phantom_files import ScanFiles, copy_scan, edit
from tumorresp.service.evaluate_files import EvaluationOutcome, evaluate_files
from tumorresp.service.settings import Settings

SETTINGS = Settings(segmenter="geodesic-contour", radiomics=False)
pytestmark = [pytest.mark.timeout(300)]


def evaluate(folder: Path) -> EvaluationOutcome:
    return evaluate_files([folder / "in"], folder / "out", SETTINGS, lambda *_: None)


def spoiled(folder: Path, spoil: Callable[[ScanFiles], None]) -> EvaluationOutcome:
    copy_scan(1, folder / "in" / "baseline")
    spoil(copy_scan(2, folder / "in" / "follow-up"))
    return evaluate(folder)


@cache
def whole() -> EvaluationOutcome:
    return spoiled(Path(mkdtemp(prefix="whole-")), lambda _: None)


def responses(outcome: EvaluationOutcome) -> list[dict[str, str]]:
    (subject,) = outcome.subjects
    return subject.document["responses"]


def volumes(outcome: EvaluationOutcome) -> dict[str, tuple[float | None, str]]:
    """Return volume and doubt by lesion at the follow-up."""
    (subject,) = outcome.subjects
    rows = [row for row in subject.document["lesions"] if row["time_point"] == "Follow-up 1"]
    return {row["lesion"]: (row["mask_volume_mm3"], row["volume_doubt"]) for row in rows}


def by_height(files: ScanFiles) -> list[Path]:
    return sorted(files.images, key=lambda path: float(pydicom.dcmread(path).ImagePositionPatient[2]))


def measured(files: ScanFiles) -> list[Path]:
    """Return the images that the reading refers to, by height."""
    named = {
        str(item.value)
        for item in pydicom.dcmread(files.reading).iterall()
        if item.keyword == "ReferencedSOPInstanceUID"
    }
    return [path for path in by_height(files) if str(pydicom.dcmread(path).SOPInstanceUID) in named]


def three_slices_missing_beside_each_measured_one(files: ScanFiles) -> None:
    paths = by_height(files)
    kept = set(measured(files))
    for image in kept:
        place = paths.index(image)
        for path in paths[place + 1 : place + 4]:
            if path not in kept:
                path.unlink(missing_ok=True)


def one_image_of_unknown_thickness(files: ScanFiles) -> None:
    (first, *_) = measured(files)
    for path in set(files.images) - {first}:
        path.unlink()
    edit(first, lambda d: d.pop("SliceThickness", None))


def every_other_slice_on_one_side(files: ScanFiles) -> None:
    paths = by_height(files)
    kept = set(measured(files))
    for path in paths[paths.index(measured(files)[0]) + 1 :: 2]:
        if path not in kept:
            path.unlink()


def pixels_short_beside_each_measured_slice(files: ScanFiles) -> None:
    paths = by_height(files)
    kept = set(measured(files))
    for image in kept:
        path = paths[paths.index(image) + 1]
        if path not in kept:
            edit(path, lambda d: setattr(d, "PixelData", d.PixelData[:100]))


CUT = [
    three_slices_missing_beside_each_measured_one,
    one_image_of_unknown_thickness,
    every_other_slice_on_one_side,
    pixels_short_beside_each_measured_slice,
]


@pytest.mark.parametrize("spoil", CUT, ids=lambda value: value.__name__)
def test_a_cut_volume_is_not_evaluable_and_diameters_count(spoil: Callable[[ScanFiles], None], tmp_path: Path):
    outcome = spoiled(tmp_path, spoil)
    right, found = responses(whole()), responses(outcome)
    if spoil is not one_image_of_unknown_thickness:  # which leaves one measurement
        assert [row["recist_overall"] for row in found] == [row["recist_overall"] for row in right]
        assert [row["recist_sum_mm"] for row in found] == [row["recist_sum_mm"] for row in right]
    assert found[1]["volume_overall"] == "NE"
    assert any(doubt for _, doubt in volumes(outcome).values())
    assert not outcome.is_complete


def again(files: ScanFiles, change: Callable[[Dataset, int], None], shift_mm: float) -> None:
    """Add a second stack of images to the series, in other images of their own."""
    for number, path in enumerate(by_height(files)):
        image = copy.deepcopy(pydicom.dcmread(path))
        image.SOPInstanceUID = image.file_meta.MediaStorageSOPInstanceUID = f"{image.SOPInstanceUID}.7"
        x, y, z = (float(value) for value in image.ImagePositionPatient)
        image.ImagePositionPatient = [x, y, round(z + shift_mm, 3)]
        image.PixelData = np.zeros(image.Rows * image.Columns, "<i2").tobytes()
        change(image, number)
        image.save_as(path.with_name(f"second-{number:03}.dcm"), enforce_file_format=True)


def two_kernels(files: ScanFiles) -> None:
    again(files, lambda image, _: setattr(image, "ConvolutionKernel", "B70f"), 1.0)


def four_dimensions(files: ScanFiles) -> None:
    for path in files.images:
        edit(path, lambda image: setattr(image, "TemporalPositionIdentifier", 1))
    again(files, lambda image, _: setattr(image, "TemporalPositionIdentifier", 2), 0.0)


@pytest.mark.parametrize("spoil", [two_kernels, four_dimensions], ids=lambda value: value.__name__)
def test_the_stack_that_was_measured_on_gives_its_volumes(spoil: Callable[[ScanFiles], None], tmp_path: Path):
    outcome = spoiled(tmp_path, spoil)
    assert responses(outcome) == responses(whole())
    assert volumes(outcome) == volumes(whole())
