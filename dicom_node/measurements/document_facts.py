"""What every DICOM document of measurements says of itself: patient, study, writer and time."""

import datetime
from pathlib import Path

import pydicom
from pydicom.dataset import Dataset
from pydicom.filereader import read_partial
from pydicom.tag import BaseTag, Tag

from dicom_node.character_sets import text_of
from dicom_node.parser_errors import PARSER_ERRORS
from dicom_node.part10 import content_sha256, read_encoded
from tumorresp.domain.disk_failures import raise_if_of_the_disk
from tumorresp.domain.errors import InvalidInput, NotDicom
from tumorresp.domain.measurement import MarkedMeasurement, SourceDocument

_MODALITY = Tag("Modality")
_LARGEST_BYTES = 512 * 2**20


def has_modality(path: Path, modality: str) -> bool:
    """Return whether a file is a DICOM object of a modality, by its first tags; False for what cannot be read."""
    try:
        with path.open("rb") as file:
            if file.read(132)[128:] != b"DICM":
                return False
            file.seek(0)
            header = read_partial(file, stop_when=_is_behind_modality)
        return str(header.get("Modality") or "").strip() == modality
    except PARSER_ERRORS as error:
        raise_if_of_the_disk(error)
        return False


def _is_behind_modality(tag: BaseTag, _vr: str | None, _length: int) -> bool:
    return tag > _MODALITY


def whole_document(path: Path) -> Dataset:
    """Read a DICOM file that has no pixels, and check that it is there to its end.

    Raises
    ------
    NotDicom
        If it is no DICOM file, or cut off.
    InvalidInput
        If it is far larger than any document, or has no SOP Instance UID.
    """
    if path.stat().st_size > _LARGEST_BYTES:
        raise InvalidInput(f"the document is larger than {_LARGEST_BYTES // 2**20} MiB.", where=path.name)
    try:
        content_sha256(read_encoded(path))
        document = pydicom.dcmread(path, stop_before_pixels=True)
    except NotDicom as error:
        raise NotDicom(error.message, where=path.name, remedy=error.remedy) from None
    except PARSER_ERRORS as error:
        raise_if_of_the_disk(error)
        raise NotDicom(
            f"the data set cannot be read ({type(error).__name__}).", where=path.name, remedy="Export it again."
        ) from error
    if not document.get("SOPInstanceUID"):
        raise InvalidInput("SOP Instance UID (0008,0018) is missing or empty.", where=path.name)
    return document


def dicom_document(document: Dataset, kind: str) -> MarkedMeasurement:
    """Return what all measurements of a DICOM document share.

    Parameters
    ----------
    kind
        Format name, see `SourceDocument`.
    """
    return MarkedMeasurement(
        measurement_uid="",
        source=SourceDocument(kind, str(document.SOPInstanceUID).strip(), text_of(document, "Manufacturer")),
        patient_id=text_of(document, "PatientID"),
        study_instance_uid=str(document.get("StudyInstanceUID") or "").strip(),
        measured_at=document_time(document),
    )


def utc_time(text: str, offset: str = "") -> datetime.datetime | None:
    """Return a DICOM date-time (``YYYYMMDDHHMMSS``, fractions and offset allowed) as UTC, None when it is none.

    Without an offset in the text or beside it the time is taken as UTC.
    """
    digits, sign, zone = text.strip(), "", ""
    for mark in "+-":
        if mark in digits:
            digits, _, zone = digits.partition(mark)
            sign = mark
    digits = digits.partition(".")[0]
    if len(digits) < 8 or not digits.isdigit():
        return None
    stated = sign + zone if zone else offset.strip() or "+0000"
    try:
        moment = datetime.datetime.strptime(digits[:14].ljust(14, "0") + stated, "%Y%m%d%H%M%S%z")
    except ValueError:
        return None
    return moment.astimezone(datetime.UTC)


def document_time(document: Dataset) -> datetime.datetime | None:
    """Return when a document was written, as UTC: Structure Set, Content, Instance Creation or Series Date and Time."""
    offset = str(document.get("TimezoneOffsetFromUTC") or "")
    for kind in ("StructureSet", "Content", "InstanceCreation", "Series"):
        if document.get(f"{kind}Date"):
            return utc_time(text_of(document, f"{kind}Date") + text_of(document, f"{kind}Time"), offset)
    return None
