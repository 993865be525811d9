"""One lesion's failure is that lesion's: the subject's other lesions and every diameter are none the worse for it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dicom_node.file_scan import scan
from models.geodesic_contour import GeodesicContour
from tests.quantify.conftest import ct_volume, straight_grid
from tests.service.phantom_files import copy_scan
from tumorresp.domain.ct_volume import CtVolume
from tumorresp.domain.errors import InvalidInput
from tumorresp.domain.measurement import LesionState, Measurement, SourceDocument
from tumorresp.domain.segmentation import BoxPrompt, LesionMask, SegmenterIdentity
from tumorresp.service.pipeline.stations import Stations, _check_usable
from tumorresp.service.settings import Settings
from tumorresp.service.subject_sorting import sort_into_subjects
from tumorresp.service.wiring import create_workshops, station_settings


class FailsOnce:
    """A segmenter whose library fails over the first lesion that it is given."""

    def __init__(self, error: Exception) -> None:
        self._error: Exception | None = error
        self._segmenter = GeodesicContour()

    @property
    def identity(self) -> SegmenterIdentity:
        return self._segmenter.identity

    def segment(self, volume: CtVolume, prompt: BoxPrompt) -> LesionMask:
        if self._error is not None:
            error, self._error = self._error, None
            raise error
        return self._segmenter.segment(volume, prompt)


def stations(folder: Path, error: Exception) -> tuple[Stations, str]:
    settings = Settings(data_dir=folder / "data", segmenter="geodesic-contour", radiomics=False)
    segmenter = FailsOnce(error)
    workshops = replace(create_workshops(settings), segmenter=lambda: segmenter)
    copy_scan(1, folder / "in")
    index, _ = sort_into_subjects(scan([folder / "in"]).files, workshops, ())
    (subject_key,) = index.files
    return Stations(index, workshops, station_settings(settings, folder / "work")), subject_key


@pytest.mark.parametrize("error", [RuntimeError("secret words"), ValueError("secret words"), ZeroDivisionError()])
def test_a_library_s_failure_over_one_lesion_is_named_and_harms_no_other(tmp_path: Path, error: Exception):
    line, subject_key = stations(tmp_path, error)
    units = line.plan(subject_key)
    for unit in units:
        line.segment(subject_key, unit)
    (reading,) = line.conclude_readings(subject_key)
    (point,) = reading.evaluation.time_points
    measured = [item for item in point.lesions if item.measurement.long_axis is not None]
    without = [item for item in measured if item.mask is None]
    assert (len(measured), len(without)) == (len(units), 1)
    (finding,) = [finding for finding in without[0].findings if finding.code == "not-segmented"]
    assert type(error).__name__ in finding.message
    assert "secret" not in finding.message
    assert float(point.assessments[0].target_sum) == pytest.approx(101.2, abs=0.2)


@pytest.mark.parametrize("error", [MemoryError(), OSError(28, "no space")])
def test_what_may_pass_is_not_held_against_the_lesion(tmp_path: Path, error: Exception):
    line, subject_key = stations(tmp_path, error)
    (first, *_) = line.plan(subject_key)
    with pytest.raises(type(error)):
        line.segment(subject_key, first)
    line.segment(subject_key, first)


def test_a_measurement_on_another_stack_or_on_no_ct_numbers_gets_no_mask_and_its_reason():
    grid = straight_grid((4, 5, 5), (2.0, 1.0, 1.0))
    volume = replace(
        ct_volume(np.zeros(grid.shape, np.int16), grid), other_stacks=frozenset((("1.9", None), ("1.8", 3)))
    )

    def on(sop_instance_uid: str, frame: int | None = None) -> Measurement:
        source = SourceDocument("csv", "1.5", "")
        return Measurement("1.6", source, "1.1", "1.2", sop_instance_uid, frame, None, None, LesionState.MEASURED)

    for used in (on("1.2.3.1"), on("1.8", 2), on("")):
        _check_usable(volume, used)
    for other in (on("1.9"), on("1.8", 3)):
        with pytest.raises(InvalidInput, match="another stack"):
            _check_usable(volume, other)
    with pytest.raises(InvalidInput, match="not used: half of them lack their rescale"):
        _check_usable(replace(volume, numbers_doubt="half of them lack their rescale"), on("1.2.3.1"))
