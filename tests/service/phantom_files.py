"""The small phantom's scans and readings on disk, made once a test session, and copies to spoil."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import pydicom
from pydicom.dataset import Dataset

from dicom_node.phantom_reading import write_reading
from dicom_node.phantom_series import write_series
from tumorresp.phantom.thorax_abdomen import SMALL, PhantomSubject


@dataclass(frozen=True)
class ScanFiles:
    images: tuple[Path, ...]
    reading: Path


@cache
def phantom_files() -> tuple[ScanFiles, ...]:
    folder = Path(mkdtemp(prefix="phantom-"))
    files = []
    for scan in PhantomSubject(SMALL).time_points():
        images = write_series(scan, folder / str(scan.order) / "ct")
        files.append(ScanFiles(tuple(images), write_reading(scan, images, folder / str(scan.order))))
    return tuple(files)


def copy_scan(order: int, folder: Path) -> ScanFiles:
    """Copy one scan and its reading into a folder of its own."""
    source = phantom_files()[order - 1]
    (folder / "ct").mkdir(parents=True)
    images = tuple(Path(shutil.copy(path, folder / "ct" / f"{n:03}.dcm")) for n, path in enumerate(source.images))
    return ScanFiles(images, Path(shutil.copy(source.reading, folder / "reading.dcm")))


def edit(path: Path, change: Callable[[Dataset], None]) -> None:
    dataset = pydicom.dcmread(path)
    change(dataset)
    dataset.save_as(path, enforce_file_format=True)


def rename_patient(files: ScanFiles, patient_id: str, suffix: str) -> None:
    """Make a scan another patient's, with UIDs of its own."""

    def change(dataset: Dataset) -> None:
        dataset.PatientID = patient_id
        for item in dataset.iterall():
            if item.VR == "UI" and not str(item.value).startswith("1.2.840."):
                item.value = f"{item.value}.{suffix}"

    for path in (*files.images, files.reading):
        edit(path, change)
        renamed = pydicom.dcmread(path)
        renamed.file_meta.MediaStorageSOPInstanceUID = renamed.SOPInstanceUID
        renamed.save_as(path, enforce_file_format=True)
