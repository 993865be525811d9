"""What all DICOM results have in common: derived identity, dates from the inputs, and bytes that do not change."""

import datetime
import io
import os
import tempfile
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from highdicom.sr import CodedConcept
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filewriter import dcmwrite
from pydicom.uid import UID, ExplicitVRLittleEndian

from tumorresp.domain.identity import derived_uid
from tumorresp.domain.terminology import PRIVATE_SCHEME, Code
from tumorresp.domain.version import SOFTWARE_VERSION

MANUFACTURER = "tumorresp"
MODEL = "tumorresp"
SERIAL_NUMBER = "1"
IMPLEMENTATION_UID = derived_uid("implementation", "tumorresp")
_IMPLEMENTATION_NAME = "TUMORRESP"
_CODE_MEANING_LENGTH = 64
_DESCRIPTION_LENGTH = 64

# highdicom's warning spells out the patient's name, which must reach no log.
warnings.filterwarnings("ignore", message="The string .* is unlikely to represent the intended person name")


@dataclass(frozen=True)
class ReportContext:
    """Identity of one time point's results.

    Parameters
    ----------
    input_digest
        Names everything that they were made from; all UIDs follow from it.
    moment
        Stated as content date and time.
    reader
        Whose reading it is, where a subject has several.
    """

    input_digest: str
    moment: datetime.datetime
    reader: str = ""

    def described(self, words: str) -> str:
        """Return a description (LO, at most 64 characters) that tells the readings of a subject apart."""
        reader = self.reader.replace("\\", " ")
        return (f"{words}, {reader}" if reader else words)[:_DESCRIPTION_LENGTH].strip()

    def series_uid(self, kind: str, of: str = "") -> str:
        """Return the Series Instance UID of one kind of object."""
        return derived_uid("series", kind, of, self.input_digest)

    def instance_uid(self, kind: str, of: str = "") -> str:
        """Return the SOP Instance UID of one object."""
        return derived_uid("instance", kind, of, self.input_digest)


def concept(code: Code) -> CodedConcept:
    """Return a code as highdicom takes it."""
    return CodedConcept(code.value, code.scheme, code.meaning[:_CODE_MEANING_LENGTH])


def settle(dataset: Dataset, context: ReportContext) -> None:
    """Finish a data set in place, so that the same inputs give the same bytes.

    The inputs' date is put where the clock's stood, derived UIDs where random ones stood; private codes are declared
    and the file meta information is written.
    """
    dataset.SpecificCharacterSet = "ISO_IR 192"  # holds every name that any CT holds
    day, time = context.moment.strftime("%Y%m%d"), context.moment.strftime("%H%M%S")
    for keyword in ("ContentDate", "SeriesDate", "InstanceCreationDate", "DateOfSecondaryCapture"):
        if keyword in dataset:
            setattr(dataset, keyword, day)
    for keyword in ("ContentTime", "SeriesTime", "InstanceCreationTime", "TimeOfSecondaryCapture"):
        if keyword in dataset:
            setattr(dataset, keyword, time)
    for equipment in dataset.get("ContributingEquipmentSequence", ()):
        equipment.ContributionDateTime = day + time
    _rename_dimension_organizations(dataset)
    if any(_is_private(item) for item in _items(dataset)):
        _declare_private_scheme(dataset)
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID = UID(IMPLEMENTATION_UID)
    meta.ImplementationVersionName = _IMPLEMENTATION_NAME
    dataset.file_meta = meta


def _rename_dimension_organizations(dataset: Dataset) -> None:
    organizations = [str(item.DimensionOrganizationUID) for item in dataset.get("DimensionOrganizationSequence", ())]
    renamed = {
        uid: derived_uid("dimension organization", str(number), str(dataset.SOPInstanceUID))
        for number, uid in enumerate(organizations)
    }
    for keyword in ("DimensionOrganizationSequence", "DimensionIndexSequence"):
        for item in dataset.get(keyword, ()):
            if "DimensionOrganizationUID" in item:
                item.DimensionOrganizationUID = renamed[str(item.DimensionOrganizationUID)]


def _items(dataset: Dataset) -> Iterator[Dataset]:
    """Yield a data set and all items below it."""
    yield dataset
    for element in dataset:
        if element.VR == "SQ":
            for item in element.value:
                yield from _items(item)


def _is_private(item: Dataset) -> bool:
    return item.get("CodingSchemeDesignator") == PRIVATE_SCHEME


def _declare_private_scheme(dataset: Dataset) -> None:
    """Say whose the codes of ``99TUMORRESP`` are (PS3.3 C.12.1.1.2)."""
    scheme = Dataset()
    scheme.CodingSchemeDesignator = PRIVATE_SCHEME
    scheme.CodingSchemeName = "tumorresp private codes"
    scheme.CodingSchemeVersion = SOFTWARE_VERSION
    scheme.CodingSchemeResponsibleOrganization = "tumorresp"
    dataset.CodingSchemeIdentificationSequence = [scheme]


def encoded(dataset: Dataset) -> bytes:
    """Return a data set as a Part 10 file."""
    stream = io.BytesIO()
    dcmwrite(stream, dataset, enforce_file_format=True, overwrite=True)
    return stream.getvalue()


def write_file(content: bytes, path: Path) -> None:
    """Write a file whole or not at all, and onto the disk."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, suffix=".part")
    part = Path(name)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        part.chmod(0o644)
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
