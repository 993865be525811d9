"""Writes the phantom's scans as DICOM CT Image Storage instances."""

from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

from tumorresp.domain.identity import derived_uid
from tumorresp.phantom.thorax_abdomen import PhantomTimePoint

MANUFACTURER = "tumorresp phantom"
MODEL = "CT phantom"
# Stored values are HU + 1024, unsigned, as most scanners store them.
_INTERCEPT = -1024


def write_series(time_point: PhantomTimePoint, folder: Path) -> list[Path]:
    """Write one scan, one file a slice, in slice order.

    Parameters
    ----------
    folder
        Made when absent; files are named ``ct-<order>-<slice>.dcm``.

    Returns
    -------
    list of Path
        From the lowest slice to the highest.
    """
    folder.mkdir(parents=True, exist_ok=True)
    common = _common(time_point)
    paths = []
    for index, uid in enumerate(time_point.sop_instance_uids):
        path = folder / f"ct-{time_point.order}-{index + 1:04d}.dcm"
        _image(time_point, common, index, uid).save_as(path, enforce_file_format=True)
        paths.append(path)
    return paths


def _common(time_point: PhantomTimePoint) -> Dataset:
    """Return what all images of a scan say alike."""
    day = time_point.date.strftime("%Y%m%d")
    _, rows, columns = time_point.geometry.shape
    row_mm, column_mm = time_point.geometry.spacing_mm[1:]
    image = Dataset()
    image.SpecificCharacterSet = "ISO_IR 192"
    image.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    image.SOPClassUID = CTImageStorage
    image.StudyDate = image.SeriesDate = image.AcquisitionDate = image.ContentDate = day
    image.StudyTime, image.SeriesTime = "101500", "101730"
    image.AcquisitionTime = image.ContentTime = "101800"
    image.AccessionNumber = ""
    image.Modality = "CT"
    image.Manufacturer, image.ManufacturerModelName = MANUFACTURER, MODEL
    image.DeviceSerialNumber, image.SoftwareVersions = "1", "1"
    image.ReferringPhysicianName = ""
    image.StudyDescription = "CT chest and upper abdomen (phantom)"
    image.SeriesDescription = "Portal venous, axial"
    image.PatientName, image.PatientID = time_point.patient_name, time_point.patient_id
    image.PatientBirthDate, image.PatientSex = "", "O"
    image.BodyPartExamined = "CHESTABDOMEN"
    image.SliceThickness = _decimal(time_point.slice_thickness_mm)
    image.KVP = "120"
    image.PatientPosition = "HFS"
    image.StudyInstanceUID = time_point.study_instance_uid
    image.SeriesInstanceUID = time_point.series_instance_uid
    image.StudyID, image.SeriesNumber, image.AcquisitionNumber = f"PHANTOM{time_point.order}", 2, 1
    image.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    image.FrameOfReferenceUID = time_point.geometry.frame_of_reference_uid
    image.PositionReferenceIndicator = ""
    image.SamplesPerPixel, image.PhotometricInterpretation = 1, "MONOCHROME2"
    image.Rows, image.Columns = rows, columns
    image.PixelSpacing = [_decimal(row_mm), _decimal(column_mm)]
    image.BitsAllocated, image.BitsStored, image.HighBit, image.PixelRepresentation = 16, 12, 11, 0
    image.WindowCenter, image.WindowWidth = ["40", "-600"], ["400", "1500"]
    image.RescaleIntercept, image.RescaleSlope, image.RescaleType = str(_INTERCEPT), "1", "HU"
    image.LossyImageCompression = "00"
    return image


def _image(time_point: PhantomTimePoint, common: Dataset, index: int, sop_instance_uid: str) -> Dataset:
    image = Dataset()
    image.update(common)
    image.SOPInstanceUID = sop_instance_uid
    # Scanners count from the head; readers must sort by position.
    image.InstanceNumber = len(time_point.sop_instance_uids) - index
    origin = time_point.geometry.index_to_lps((index, 0, 0))
    image.ImagePositionPatient = [_decimal(value) for value in origin]
    image.SliceLocation = _decimal(origin[2])
    stored = np.clip(time_point.hu[index].astype(np.int32) - _INTERCEPT, 0, 4095).astype("<u2")
    image.PixelData = stored.tobytes()
    image.file_meta = FileMetaDataset()
    image.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    image.file_meta.MediaStorageSOPClassUID = CTImageStorage
    image.file_meta.MediaStorageSOPInstanceUID = sop_instance_uid
    image.file_meta.ImplementationClassUID = derived_uid("phantom", "implementation")
    return image


def _decimal(value: float) -> str:
    """Return a Decimal String (at most 16 characters) to a millionth."""
    return f"{float(value):.6f}".rstrip("0").rstrip(".")
