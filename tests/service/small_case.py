"""Tiny CT series and reports made by code, for situations of documents and patients."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import (
    ComprehensiveSRStorage,
    CTImageStorage,
    ExplicitVRLittleEndian,
    KeyObjectSelectionDocumentStorage,
)

from tests.dicom_node.measurements.sr_files import code, group, image, item, number, scoord, text, uid

Change = Callable[[Dataset], None]
_SLICES, _SIZE = 8, 48


def unchanged(_: Dataset) -> None:
    """Change nothing."""


def write_ct(folder: Path, study: str, day: str, patient: str = "P1", change: Change = unchanged) -> list[Path]:
    """Write a series of 8 slices of 48 x 48 pixels of 2 mm, 3 mm apart, with a block of 30 x 24 mm in the middle."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for k in range(_SLICES):
        pixels = np.full((_SIZE, _SIZE), 960, np.uint16)
        if 1 <= k <= 6:
            pixels[18:30, 16:31] = 1120
        dataset = _dataset(CTImageStorage, f"{study}.1.{k + 1}", patient)
        dataset.StudyInstanceUID, dataset.SeriesInstanceUID = study, f"{study}.1"
        dataset.FrameOfReferenceUID = f"{study}.9"
        dataset.Modality, dataset.StudyDate, dataset.SeriesDate = "CT", day, day
        dataset.Rows = dataset.Columns = _SIZE
        dataset.PixelSpacing, dataset.SliceThickness = [2.0, 2.0], 3.0
        dataset.ImageOrientationPatient, dataset.ImagePositionPatient = [1, 0, 0, 0, 1, 0], [0, 0, 3.0 * k]
        dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
        dataset.BitsAllocated = dataset.BitsStored = 16
        dataset.HighBit, dataset.PixelRepresentation = 15, 0
        dataset.RescaleSlope, dataset.RescaleIntercept = 1, -1000
        dataset.PixelData = pixels.tobytes()
        change(dataset)
        paths.append(_save(dataset, folder / f"{k:02}.dcm"))
    return paths


def write_sr(
    path: Path,
    study: str,
    sop_instance_uid: str,
    lesions: Sequence[tuple[str, float]] = (("L1", 30.0),),
    patient: str = "P1",
    change: Change = unchanged,
) -> Path:
    """Write a TID 1500 report of lesions (tracking identifier, long axis in mm) on the middle slice of a study's CT."""
    dataset = _dataset(ComprehensiveSRStorage, sop_instance_uid, patient)
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID, dataset.Modality = study, f"{sop_instance_uid}.0", "SR"
    dataset.StudyDate = dataset.ContentDate = "20240310"
    dataset.ContentTime, dataset.CompletionFlag, dataset.VerificationFlag = "120000", "COMPLETE", "UNVERIFIED"
    observer = item("PNAME", "observer", relation="HAS OBS CONTEXT")
    observer.PersonName = "Reader^One"
    groups = []
    for row, (name, length_mm) in enumerate(lesions):
        half = length_mm / 4
        line = scoord([23.5 - half, 24.5 + 10 * row, 23.5 + half, 24.5 + 10 * row], image(f"{study}.1.4"))
        groups.append(
            group(
                text("tracking", name),
                uid("tracking uid", f"1.2.9.{row + 1}"),
                text("comment", f"Liver {row + 1}"),
                number("long", str(length_mm), line),
            )
        )
    dataset.ValueType, dataset.ContinuityOfContent = "CONTAINER", "SEPARATE"
    dataset.ConceptNameCodeSequence = [code("126000", "DCM", "Imaging Measurement Report")]
    dataset.ContentSequence = [observer, *groups]
    change(dataset)
    return _save(dataset, path)


def write_note(path: Path, study: str, sop_instance_uid: str, rejected: Sequence[str], title: str = "113001") -> Path:
    """Write a Key Object Selection that names instances of a study."""
    dataset = _dataset(KeyObjectSelectionDocumentStorage, sop_instance_uid, "P1")
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID, dataset.Modality = study, f"{sop_instance_uid}.0", "KO"
    dataset.StudyDate = dataset.ContentDate = "20240311"
    dataset.ContentTime = "120000"
    dataset.ValueType, dataset.ContinuityOfContent = "CONTAINER", "SEPARATE"
    dataset.ConceptNameCodeSequence = [code(title, "DCM", "Rejected")]
    dataset.ContentSequence = []
    for one in rejected:
        reference = image(one)
        reference.RelationshipType, reference.ValueType = "CONTAINS", "COMPOSITE"
        dataset.ContentSequence.append(reference)
    return _save(dataset, path)


def _dataset(sop_class: str, sop_instance_uid: str, patient: str) -> Dataset:
    dataset = Dataset()
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.SOPClassUID, dataset.SOPInstanceUID = sop_class, sop_instance_uid
    dataset.PatientID, dataset.PatientName, dataset.PatientBirthDate, dataset.PatientSex = patient, "Test^One", "", "O"
    dataset.StudyTime, dataset.StudyID, dataset.AccessionNumber, dataset.ReferringPhysicianName = "080000", "1", "", ""
    dataset.Manufacturer = "MINI"
    return dataset


def _save(dataset: Dataset, path: Path) -> Path:
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    path.parent.mkdir(parents=True, exist_ok=True)
    pydicom.dcmwrite(path, dataset, enforce_file_format=True)
    return path
