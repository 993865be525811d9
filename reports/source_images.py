"""The CT instances that results are derived from, read without pixels and made safe to copy from.

Real CTs hold values that are not valid (a Study ID of 17 characters, decimals of more than 16) or lack what they must
have (a Frame of Reference, the patient's sex). What is copied into a derived object must be valid all the same, so such
values are mended here, in memory.
"""

import datetime
from collections.abc import Iterable, Iterator
from pathlib import Path

import pydicom
from pydicom.charset import decode_element
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.tag import BaseTag
from pydicom.valuerep import format_number_as_ds

from tumorresp.domain.identity import derived_uid

# What derived objects copy; the longest values of a VR are in PS3.5 section 6.2.
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
_STUDY_ATTRIBUTES = (
    "PatientID",
    "PatientName",
    "PatientBirthDate",
    "PatientSex",
    "StudyInstanceUID",
    "StudyDate",
    "StudyTime",
    "StudyID",
    "AccessionNumber",
    "ReferringPhysicianName",
)
# Character sets that cannot be read, or that highdicom does not know, keep nothing from being made.
_UNREADABLE = (LookupError, ValueError, TypeError, AttributeError, NotImplementedError)
_NOON = datetime.time(12, 0)
_EARLIEST = datetime.date(1900, 1, 1)


def read_source_images(paths: Iterable[Path], series_instance_uid: str = "") -> dict[str, Dataset]:
    """Return data sets by SOP Instance UID, of one series where one is named.

    Values that are too long for their VR are cut (SH) or written again (DS). A series without a Frame of Reference
    gets one that is derived from its UID, since SEG must have one.
    """
    images: dict[str, Dataset] = {}
    for path in paths:
        image = pydicom.dcmread(path, stop_before_pixels=True)
        if series_instance_uid and str(image.SeriesInstanceUID) != series_instance_uid:
            continue
        images[str(image.SOPInstanceUID)] = _made_valid(image)
    return images


def image_of_study(paths_of_series: Iterable[Iterable[Path]], study_instance_uid: str) -> Dataset | None:
    """Return one image of a study, None when there is none."""
    for paths in paths_of_series:
        for path in paths:
            image = pydicom.dcmread(path, stop_before_pixels=True)
            if str(image.StudyInstanceUID) == study_instance_uid:
                return _made_valid(image)
            break  # all images of a series are of one study
    return None


def copy_study(source: Dataset, into: Dataset) -> None:
    """Copy what identifies patient and study (all of type 2 or 1) in place."""
    for keyword in _STUDY_ATTRIBUTES:
        value = source.get(keyword)
        setattr(into, keyword, "" if value is None else value)


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
    return datetime.datetime.combine(_EARLIEST, _NOON)


def _made_valid(image: Dataset) -> Dataset:
    _state_unicode(image)
    for keyword in _SHORT_STRINGS:
        value = image.get(keyword)
        if isinstance(value, str) and len(value) > _SHORT_STRING_LENGTH:
            setattr(image, keyword, value[:_SHORT_STRING_LENGTH].strip())
    for keyword in _DECIMALS:
        _write_decimals_again(image, keyword)
    if "SliceThickness" not in image and "PerFrameFunctionalGroupsSequence" not in image:
        image.SliceThickness = None  # type 2: may be empty, not absent
    for keyword in _STUDY_ATTRIBUTES:
        if keyword not in image:  # type 2: may be empty, not absent
            setattr(image, keyword, "")
    if not image.get("FrameOfReferenceUID"):
        image.FrameOfReferenceUID = derived_uid("frame of reference", str(image.SeriesInstanceUID))
    return image


def _write_decimals_again(image: Dataset, keyword: str) -> None:
    """Write numbers in at most 16 characters; what is no number is left out."""
    try:
        value = image.get(keyword)
        if value is None or value == "":
            return
        if isinstance(value, MultiValue):
            setattr(image, keyword, [format_number_as_ds(float(number)) for number in value])
        else:
            setattr(image, keyword, format_number_as_ds(float(value)))
    except (ValueError, TypeError):
        del image[keyword]


def _state_unicode(image: Dataset) -> None:
    """Decode every text by the image's own character sets and state UTF-8, which holds them all (PS3.3 C.12.1.1.2)."""
    try:
        image.decode()
    except _UNREADABLE:
        for element in image.elements():
            _decode_alone(image, element.tag)
    for item in _items_below(image):
        item.pop("SpecificCharacterSet", None)
    image.SpecificCharacterSet = "ISO_IR 192"


def _decode_alone(image: Dataset, tag: BaseTag) -> None:
    """Decode one element; what cannot be read at all is left out, since no derived object could copy it."""
    try:
        decode_element(image[tag], image.get("SpecificCharacterSet"))
    except _UNREADABLE:
        del image[tag]


def _items_below(image: Dataset) -> Iterator[Dataset]:
    for element in image:
        if element.VR == "SQ":
            for item in element.value or ():
                yield item
                yield from _items_below(item)
