"""What an object says of its patient: IDs with their issuers, name, birth date (PS3.3 C.7.1.1)."""

from pathlib import Path

import pydicom
from pydicom.dataset import Dataset
from pydicom.tag import Tag

from dicom_node.character_sets import text_of
from dicom_node.parser_errors import PARSER_ERRORS
from tumorresp.domain.disk_failures import raise_if_of_the_disk
from tumorresp.domain.errors import NotDicom
from tumorresp.domain.patient_identity import PatientId, PatientStatement

PATIENT_TAGS = [
    Tag(keyword)
    for keyword in (
        "SpecificCharacterSet",
        "PatientName",
        "PatientID",
        "IssuerOfPatientID",
        "IssuerOfPatientIDQualifiersSequence",
        "PatientBirthDate",
        "OtherPatientIDs",
        "OtherPatientIDsSequence",
    )
]


def read_patient(path: Path) -> PatientStatement:
    """Read what a Part 10 file says of its patient.

    Raises
    ------
    NotDicom
        If the file is no DICOM file.
    """
    try:
        return patient_of_dataset(pydicom.dcmread(path, stop_before_pixels=True, specific_tags=PATIENT_TAGS))
    except PARSER_ERRORS as error:
        raise_if_of_the_disk(error)
        raise NotDicom(
            "not a DICOM file, or cut off.", where=path.name, remedy="Send or copy the instance again."
        ) from error


def patient_of_dataset(dataset: Dataset) -> PatientStatement:
    """Return what a data set says of its patient."""
    others = [_id_of(item) for item in dataset.get("OtherPatientIDsSequence") or ()]
    plain = dataset.get("OtherPatientIDs") or ()
    values = [plain] if isinstance(plain, str) else list(plain)
    others += [PatientId(str(value).strip()) for value in values]
    return PatientStatement(
        patient_id=_id_of(dataset),
        others=tuple(dict.fromkeys(item for item in others if item.value)),
        name=text_of(dataset, "PatientName"),
        birth_date=text_of(dataset, "PatientBirthDate"),
    )


def _id_of(item: Dataset) -> PatientId:
    """Return an ID with its issuer; the universal entity ID names the issuer where no local word does."""
    issuer = text_of(item, "IssuerOfPatientID")
    if not issuer:
        issuer = next(
            (text_of(entity, "UniversalEntityID") for entity in item.get("IssuerOfPatientIDQualifiersSequence") or ()),
            "",
        )
    return PatientId(text_of(item, "PatientID"), issuer)
