"""What all DICOM results have in common: derived identity, dates from the inputs, and bytes that do not change."""

import datetime
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filewriter import dcmwrite
from pydicom.uid import UID, ExplicitVRLittleEndian

from tumorresp.domain.identity import derived_uid
from tumorresp.domain.terminology import PRIVATE_SCHEME
from tumorresp.domain.version import SOFTWARE_VERSION

MANUFACTURER = "tumorresp"
MODEL = "tumorresp"
SERIAL_NUMBER = "1"
IMPLEMENTATION_UID = derived_uid("implementation", "tumorresp")
_IMPLEMENTATION_NAME = "TUMORRESP"


@dataclass(frozen=True)
class ReportContext:
    """Identity of one time point's results.

    Parameters
    ----------
    input_digest
        Names everything that they were made from; all UIDs follow from it.
    moment
        Stated as content date and time.
    """

    input_digest: str
    moment: datetime.datetime

    def series_uid(self, kind: str, of: str = "") -> str:
        """Return the Series Instance UID of one kind of object."""
        return derived_uid("series", kind, of, self.input_digest)

    def instance_uid(self, kind: str, of: str = "") -> str:
        """Return the SOP Instance UID of one object."""
        return derived_uid("instance", kind, of, self.input_digest)


def settle(dataset: Dataset, context: ReportContext) -> None:
    """Put the inputs' date where the clock's stood, and derived UIDs where random ones stood, in place.

    Raises
    ------
    KeyError
        Never; attributes that are absent stay absent.
    """
    day, time = context.moment.strftime("%Y%m%d"), context.moment.strftime("%H%M%S")
    for keyword in ("ContentDate", "SeriesDate", "InstanceCreationDate"):
        if keyword in dataset:
            setattr(dataset, keyword, day)
    for keyword in ("ContentTime", "SeriesTime", "InstanceCreationTime"):
        if keyword in dataset:
            setattr(dataset, keyword, time)
    for equipment in dataset.get("ContributingEquipmentSequence", ()):
        equipment.ContributionDateTime = day + time
    organizations = {str(item.DimensionOrganizationUID) for item in dataset.get("DimensionOrganizationSequence", ())}
    renamed = {
        uid: derived_uid("dimension organization", str(number), str(dataset.SOPInstanceUID))
        for number, uid in enumerate(sorted(organizations))
    }
    _rename(dataset, renamed)
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID = UID(IMPLEMENTATION_UID)
    meta.ImplementationVersionName = _IMPLEMENTATION_NAME
    dataset.file_meta = meta


def _rename(dataset: Dataset, renamed: dict[str, str]) -> None:
    for item in dataset.get("DimensionOrganizationSequence", ()):
        item.DimensionOrganizationUID = renamed[str(item.DimensionOrganizationUID)]
    for item in dataset.get("DimensionIndexSequence", ()):
        if "DimensionOrganizationUID" in item:
            item.DimensionOrganizationUID = renamed[str(item.DimensionOrganizationUID)]


def declare_private_scheme(dataset: Dataset) -> None:
    """Say whose the codes of ``99TUMORRESP`` are (PS3.3 C.12.1.1.12)."""
    scheme = Dataset()
    scheme.CodingSchemeDesignator = PRIVATE_SCHEME
    scheme.CodingSchemeName = "tumorresp private codes"
    scheme.CodingSchemeVersion = SOFTWARE_VERSION
    scheme.CodingSchemeResponsibleOrganization = "tumorresp"
    dataset.CodingSchemeIdentificationSequence = [scheme]


def write_file(content: bytes, path: Path) -> None:
    """Write a file whole or not at all, and onto the disk."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, suffix=".part")
    with os.fdopen(handle, "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    Path(name).chmod(0o644)
    Path(name).replace(path)


def encoded(dataset: Dataset) -> bytes:
    """Return a data set as a Part 10 file."""
    from io import BytesIO

    stream = BytesIO()
    dcmwrite(stream, dataset, enforce_file_format=True, overwrite=True)
    return stream.getvalue()
