"""Small inputs that went wrong once, each through the command line's evaluation with the right answer."""

import csv
from pathlib import Path

import pytest

from tumorresp.service.evaluate_files import EvaluationOutcome, evaluate_files
from tumorresp.service.settings import Settings


def evaluate_case(real_data: Path, name: str, out: Path) -> EvaluationOutcome:
    folder = real_data / "cases" / name
    if not folder.is_dir():
        pytest.skip("this case is not among the test data")
    settings = Settings(segmenter="geodesic-contour", radiomics=False)
    return evaluate_files([folder], out, settings, lambda *_: None)


def lesion_rows(outcome: EvaluationOutcome) -> list[dict[str, str]]:
    (subject,) = outcome.subjects
    with (subject.folder / "lesions.csv").open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def test_an_oblique_outline_on_pixels_that_are_not_square(real_data: Path, tmp_path: Path):
    """A lesion of 32 x 16 mm at an angle, pixels of 2.0 x 0.5 mm."""
    outcome = evaluate_case(real_data, "10-oblique-outline-nonsquare", tmp_path)
    (row,) = lesion_rows(outcome)
    assert float(row["reader_long_axis_mm"]) == pytest.approx(32.0, abs=0.05)
    assert float(row["reader_short_axis_mm"]) == pytest.approx(16.0, abs=0.05)
    assert (outcome.waiting, outcome.refused) == ((), ())
