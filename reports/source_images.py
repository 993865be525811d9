"""The CT instances that results are derived from, read without pixels and made safe to copy from."""

import datetime
from collections.abc import Iterable, Sequence
from pathlib import Path

import pydicom
from pydicom.dataset import Dataset
from pydicom.valuerep import format_number_as_ds

# Attributes that derived objects copy, with the longest value that their VR allows (PS3.5 section 6.2).
_SHORT_STRINGS = ("StudyID", "AccessionNumber")
_SHORT_STRING_LENGTH = 16
_DECIMALS = (
    "ImagePositionPatient",
    "ImageOrientationPatient",
    "PixelSpacing",
    "SliceThickness",
    "PatientWeight",
    "PatientSize",
)
_NOON = datetime.time(12, 0)


def read_source_images(paths: Iterable[Path], series_instance_uid: str = "") -> dict[str, Dataset]:
    """Return data sets by SOP Instance UID, of one series where one is named.

    Values that are too long for their VR are cut (SH) or written again (DS), since what is copied into a derived
    object must be valid even where the CT is not.
    """
    images: dict[str, Dataset] = {}
    for path in paths:
        image = pydicom.dcmread(path, stop_before_pixels=True)
        if series_instance_uid and str(image.SeriesInstanceUID) != series_instance_uid:
            continue
        images[str(image.SOPInstanceUID)] = _made_valid(image)
    return images


def _made_valid(image: Dataset) -> Dataset:
    for keyword in _SHORT_STRINGS:
        value = image.get(keyword)
        if isinstance(value, str) and len(value) > _SHORT_STRING_LENGTH:
            setattr(image, keyword, value[:_SHORT_STRING_LENGTH].strip())
    for keyword in _DECIMALS:
        value = image.get(keyword)
        if value is None or value == "":
            continue
        numbers = value if isinstance(value, Sequence) or hasattr(value, "__iter__") else [value]
        texts = [format_number_as_ds(float(number)) for number in numbers]
        setattr(image, keyword, texts if len(texts) > 1 else texts[0])
    return image


def study_moment(images: Iterable[Dataset]) -> datetime.datetime:
    """Return when the study was made, as results state it: their dates come from their inputs, never from a clock."""
    for image in images:
        day = str(image.get("StudyDate") or image.get("SeriesDate") or image.get("AcquisitionDate") or "")
        moment = str(image.get("StudyTime") or image.get("SeriesTime") or "")[:6]
        try:
            date = datetime.datetime.strptime(day, "%Y%m%d").date()  # noqa: DTZ007  DICOM dates carry no zone
        except ValueError:
            continue
        try:
            time = datetime.datetime.strptime(moment.ljust(6, "0"), "%H%M%S").time()  # noqa: DTZ007
        except ValueError:
            time = _NOON
        return datetime.datetime.combine(date, time)
    return datetime.datetime.combine(datetime.date(1900, 1, 1), _NOON)
