"""What must be known of an instance to store, index and sort it, read without its pixels."""

import datetime
import re
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import pydicom
from pydicom.dataset import Dataset
from pydicom.filereader import read_dataset
from pydicom.tag import Tag
from pydicom.uid import ExplicitVRBigEndian, ImplicitVRLittleEndian

from dicom_node.character_sets import text_of
from dicom_node.image_planes import image_type_of, planes_of, study_date_of
from dicom_node.inflating import InflateLimits
from dicom_node.parser_errors import PARSER_ERRORS
from dicom_node.part10 import EncodedInstance, read_encoded, summarised
from tumorresp.domain.disk_failures import raise_if_of_the_disk
from tumorresp.domain.errors import InvalidInput, NotDicom
from tumorresp.domain.geometry import ImagePlane

_IDENTIFIERS = (
    ("SOPInstanceUID", "(0008,0018)"),
    ("SOPClassUID", "(0008,0016)"),
    ("SeriesInstanceUID", "(0020,000E)"),
    ("StudyInstanceUID", "(0020,000D)"),
)
_TAGS = [
    Tag(keyword)
    for keyword in (
        "SpecificCharacterSet",
        "ImageType",
        "SOPClassUID",
        "SOPInstanceUID",
        "StudyDate",
        "SeriesDate",
        "AcquisitionDate",
        "AcquisitionDateTime",
        "Modality",
        "SeriesDescription",
        "PatientID",
        "StudyInstanceUID",
        "SeriesInstanceUID",
    )
]
_WANTED = frozenset(int(tag) for tag in _TAGS)
# PS3.5 section 6.2 and 9.1. Components that begin with 0 are against the standard, but harmless and common.
_UID = re.compile(r"[0-9.]{1,64}")


@dataclass(frozen=True)
class InstanceHeader:
    """Identity and kind of one instance.

    Parameters
    ----------
    patient_id
        As stated; empty when absent. Never for logs or file names.
    study_date
        Study Date, else Series or Acquisition Date; None when none can be read.
    image_type
        Values of Image Type (0008,0008), upper case; empty for what is no image.
    sha256
        Names the content: SHA-256 (hex) of all tags and values, whatever their encoding (`content_sha256`).
    """

    sop_instance_uid: str
    sop_class_uid: str
    modality: str
    series_instance_uid: str
    study_instance_uid: str
    patient_id: str
    study_date: datetime.date | None
    series_description: str
    transfer_syntax_uid: str
    image_type: tuple[str, ...]
    sha256: str

    @property
    def is_localizer(self) -> bool:
        """Whether this is a planning image (scout), which shows no slice of the patient."""
        return "LOCALIZER" in self.image_type


def read_header(path: Path) -> InstanceHeader:
    """Read the header of a Part 10 file; the whole file is read, its pixels are not decoded.

    Raises
    ------
    NotDicom
        If the file is no Part 10 file, or cut off anywhere, in the pixels too.
    InvalidInput
        If one of the UIDs that identify the instance is missing.
    """
    return header_of(read_encoded(path), where=path.name)


def header_of(instance: EncodedInstance, *, where: str, limits: InflateLimits | None = None) -> InstanceHeader:
    """Return the header of an encoded instance.

    Parameters
    ----------
    where
        What an error calls the instance: file name or UID.
    limits
        How large a deflated data set may become; None: the usual ones.

    Raises
    ------
    NotDicom
        If the data set is cut off or cannot be read.
    InvalidInput
        If one of the UIDs that identify the instance is missing or no UID.
    ExceedsLimit
        If it is nested too deep or inflates to too much.
    """
    try:
        summary = summarised(instance, _WANTED, limits)
        dataset = _identity(summary.kept, instance.transfer_syntax_uid)
        identifiers = _identifiers(dataset, where)
        return InstanceHeader(
            sop_instance_uid=identifiers["SOPInstanceUID"],
            sop_class_uid=identifiers["SOPClassUID"],
            modality=text_of(dataset, "Modality"),
            series_instance_uid=identifiers["SeriesInstanceUID"],
            study_instance_uid=identifiers["StudyInstanceUID"],
            patient_id=text_of(dataset, "PatientID"),
            study_date=study_date_of(dataset),
            series_description=text_of(dataset, "SeriesDescription"),
            transfer_syntax_uid=instance.transfer_syntax_uid,
            image_type=image_type_of(dataset),
            sha256=summary.sha256,
        )
    except NotDicom as error:
        raise type(error)(error.message, where=where, remedy=error.remedy) from None
    except PARSER_ERRORS as error:
        raise_if_of_the_disk(error)
        raise NotDicom(
            f"the data set cannot be read ({type(error).__name__}).", where=where, remedy="Export the instance again."
        ) from error


def read_planes(path: Path) -> tuple[ImagePlane, ...]:
    """Read where an image lies in the patient: one plane, or one a frame for an enhanced multi-frame image.

    Returns
    -------
    tuple of ImagePlane
        Empty for what is no image of a slice (reports, segmentations, projection radiographs).

    Raises
    ------
    NotDicom
        If the file is no DICOM file.
    InvalidGeometry
        If a CT image states no usable position or orientation.
    """
    return planes_of(read_without_pixels(path), where=path.name)


def read_without_pixels(path: Path) -> Dataset:
    """Return the data set of a Part 10 file up to its pixels.

    Raises
    ------
    NotDicom
        If the file is no DICOM file.
    """
    try:
        return pydicom.dcmread(path, stop_before_pixels=True)
    except PARSER_ERRORS as error:
        raise_if_of_the_disk(error)
        raise NotDicom(
            "not a DICOM file, or cut off.", where=path.name, remedy="Send or copy the instance again."
        ) from error


def _identity(encoded: bytes, transfer_syntax_uid: str) -> Dataset:
    return read_dataset(
        BytesIO(encoded),
        is_implicit_VR=transfer_syntax_uid == ImplicitVRLittleEndian,
        is_little_endian=transfer_syntax_uid != ExplicitVRBigEndian,
        specific_tags=_TAGS,
    )


def _identifiers(dataset: Dataset, where: str) -> dict[str, str]:
    """Return the UIDs that identify an instance, each of at most 64 figures and dots."""
    identifiers = {keyword: str(dataset.get(keyword) or "").strip() for keyword, _ in _IDENTIFIERS}
    for keyword, tag in _IDENTIFIERS:
        if not identifiers[keyword]:
            raise InvalidInput(
                f"{keyword} {tag} is missing or empty.", where=where, remedy="Export the instance again."
            )
        if not _UID.fullmatch(identifiers[keyword]):
            raise InvalidInput(
                f"{keyword} {tag} is no UID: expected at most 64 figures and dots.",
                where=where,
                remedy="Export the instance again.",
            )
    return identifiers
