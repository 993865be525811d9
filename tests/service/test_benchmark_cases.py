import shutil
from pathlib import Path

import numpy as np
import pytest

from tumorresp.domain.errors import InvalidInput, MissingImages
from tumorresp.service.benchmark_cases import discover_cases


def test_every_patient_s_tumour_is_found_with_its_ct(real_data: Path, tmp_path: Path):
    for patient in ("STS_008", "STS_025"):
        shutil.copytree(real_data / "sts" / patient, tmp_path / "data" / patient)
    (tmp_path / "data" / "README.md").write_text("not DICOM")
    cases = discover_cases(tmp_path / "data")
    names, volumes, masks = zip(*(case() for case in cases), strict=True)
    assert names == ("STS_008", "STS_025")
    for volume, mask, expected_ml in zip(volumes, masks, (27.6, 30.1), strict=True):
        assert mask.shape == volume.geometry.shape
        assert np.count_nonzero(mask) * volume.geometry.voxel_volume_mm3 / 1000 == pytest.approx(expected_ml, abs=0.1)


def test_ct_that_is_not_beside_its_contours_is_missed(real_data: Path, tmp_path: Path):
    shutil.copy(real_data / "sts" / "STS_008" / "RTSTRUCT.dcm", tmp_path)
    with pytest.raises(MissingImages, match="not in its folder"):
        discover_cases(tmp_path)


def test_a_folder_without_contours_is_refused(tmp_path: Path):
    (tmp_path / "notes.txt").write_text("nothing here")
    with pytest.raises(InvalidInput, match="no CT series with an RT Structure Set"):
        discover_cases(tmp_path)
