"""A file that cannot be opened is not taken for one of an unknown format: whoever asked may try again."""

import os
from pathlib import Path

import pytest

from dicom_node.ct_volume import read_ct_volume
from dicom_node.instance_header import read_header, read_planes
from dicom_node.measurements.reading import read_measurements


@pytest.mark.parametrize("name", ["a.dcm", "a", "a.xml", "a.json", "a.csv"])
@pytest.mark.parametrize(
    "read",
    [read_measurements, read_header, read_planes, lambda path: read_ct_volume([path])],
    ids=["measurements", "header", "planes", "volume"],
)
def test_an_absent_file_is_said_as_such(tmp_path: Path, name: str, read) -> None:
    with pytest.raises(FileNotFoundError):
        read(tmp_path / name)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_forbidden_file_is_said_as_such(tmp_path: Path) -> None:
    path = tmp_path / "a.dcm"
    path.write_bytes(bytes(200))
    path.chmod(0)
    with pytest.raises(PermissionError):
        read_measurements(path)


def test_a_folder_is_said_as_such(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError):
        read_measurements(tmp_path)
