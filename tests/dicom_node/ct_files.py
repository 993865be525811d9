"""CT images made for tests: every attribute can be changed or left out."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import (
    CTImageStorage,
    EnhancedCTImageStorage,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    generate_uid,
)

ROWS, COLUMNS = 24, 32
PATIENT_NAME, PATIENT_ID = "Canary^Yellow", "CANARY-4711"


def uid(*parts: object) -> str:
    """Return the same UID for the same parts."""
    return generate_uid(entropy_srcs=[str(part) for part in parts])


def ct_image(z: float, series: str = "one", **changes: object) -> Dataset:
    """Return a CT slice at height z; keyword ``Name=None`` leaves an attribute out, another value replaces it."""
    image = Dataset()
    image.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    image.SOPClassUID = CTImageStorage
    image.SOPInstanceUID = uid(series, z)
    image.StudyDate = "20240229"
    image.Modality = "CT"
    image.SeriesDescription = "axial"
    image.PatientName, image.PatientID = PATIENT_NAME, PATIENT_ID
    image.StudyInstanceUID, image.SeriesInstanceUID = uid("study"), uid("series", series)
    image.FrameOfReferenceUID = uid("frame", series)
    image.SliceThickness = 5
    image.InstanceNumber = 1
    image.ImagePositionPatient = [-100, -90, z]
    image.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    image.SamplesPerPixel, image.PhotometricInterpretation = 1, "MONOCHROME2"
    image.Rows, image.Columns = ROWS, COLUMNS
    image.PixelSpacing = [0.7, 0.8]
    image.BitsAllocated, image.BitsStored, image.HighBit, image.PixelRepresentation = 16, 16, 15, 1
    image.RescaleSlope, image.RescaleIntercept = 1, 0
    image.PixelData = stored_pixels(z).astype("<i2").tobytes()
    for keyword, value in changes.items():
        if value is None:
            delattr(image, keyword)
        else:
            setattr(image, keyword, value)
    return with_meta(image)


def stored_pixels(z: float) -> np.ndarray:
    """(row, column) int16: a gradient that grows with z, so that slices differ and interpolate linearly."""
    return (np.arange(ROWS * COLUMNS).reshape(ROWS, COLUMNS) + round(10 * z)).astype(np.int16)


def enhanced_ct(heights: Sequence[float]) -> Dataset:
    """Return one enhanced multi-frame CT image with frames at the heights, in the given order."""
    image = ct_image(0, "enhanced")
    for keyword in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "SliceThickness"):
        delattr(image, keyword)
    del image.RescaleSlope, image.RescaleIntercept
    image.SOPClassUID = image.file_meta.MediaStorageSOPClassUID = EnhancedCTImageStorage
    image.NumberOfFrames = len(heights)
    measures, orientation, shared = Dataset(), Dataset(), Dataset()
    measures.PixelSpacing, measures.SliceThickness = [0.7, 0.8], 5
    orientation.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    shared.PixelMeasuresSequence, shared.PlaneOrientationSequence = [measures], [orientation]
    image.SharedFunctionalGroupsSequence = [shared]
    image.PerFrameFunctionalGroupsSequence = []
    for number, z in enumerate(heights):
        position, values, group = Dataset(), Dataset(), Dataset()
        position.ImagePositionPatient = [-100, -90, z]
        # Each frame has a rescale of its own, which leads to the same numbers.
        values.RescaleSlope, values.RescaleIntercept, values.RescaleType = 1, number, "HU"
        group.PlanePositionSequence, group.PixelValueTransformationSequence = [position], [values]
        image.PerFrameFunctionalGroupsSequence.append(group)
    frames = [stored_pixels(z) - number for number, z in enumerate(heights)]
    image.PixelData = np.stack(frames).astype("<i2").tobytes()
    return image


def with_meta(image: Dataset, *, implicit: bool = False) -> Dataset:
    image.file_meta = FileMetaDataset()
    image.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian
    image.file_meta.MediaStorageSOPClassUID = image.SOPClassUID
    image.file_meta.MediaStorageSOPInstanceUID = image.SOPInstanceUID
    image.file_meta.ImplementationClassUID = uid("tests")
    return image


def write(folder: Path, *images: Dataset) -> list[Path]:
    """Write images to files whose names say nothing of their order."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for image in images:
        path = folder / f"{image.SOPInstanceUID[-12:]}.dcm"
        number = 0
        while path.exists():
            number += 1
            path = folder / f"{image.SOPInstanceUID[-12:]}-{number}.dcm"
        image.save_as(path, enforce_file_format=True)
        paths.append(path)
    return paths
