"""Shared by all tests: where the real data lie, and reasons for skipping."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

REPOSITORY = Path(__file__).resolve().parents[1]

# Laws hold on a busy machine, too; what is slow is measured in benchmarks.
settings.register_profile("suite", deadline=None)
settings.load_profile("suite")


def real_data_folder() -> Path | None:
    """Return the folder of real test data, or None where there is none."""
    named = os.environ.get("TUMORRESP_TEST_DATA")
    folder = Path(named) if named else REPOSITORY.parent / "shared" / "data"
    return folder if folder.is_dir() else None


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder of real CT, RTSTRUCT, SR and AIM files."""
    folder = real_data_folder()
    if folder is None:
        pytest.skip("no real test data: set TUMORRESP_TEST_DATA or put them into ../shared/data")
    return folder


@pytest.fixture(scope="session")
def reference() -> Path:
    """Folder of reference files (golden files of Lite MedSAM)."""
    folder = real_data_folder()
    if folder is None or not (folder.parent / "reference").is_dir():
        pytest.skip("no reference files beside the real test data")
    return folder.parent / "reference"
