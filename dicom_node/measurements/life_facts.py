"""What a document says of itself and of other instances: flags, predecessors, rejections (PS3.3 C.17.2, C.17.6.2)."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

from pydicom.dataset import Dataset

from dicom_node.character_sets import text_of
from dicom_node.measurements.document_facts import document_time, whole_document
from dicom_node.measurements.sr_content import code_of, sequence
from dicom_node.parser_errors import PARSER_ERRORS
from dicom_node.patient import patient_of_dataset
from tumorresp.domain.document_life import REJECTION_TITLES, DocumentFacts
from tumorresp.domain.errors import InvalidInput
from tumorresp.domain.identity import derived_uid
from tumorresp.domain.terminology import MEASUREMENT_GROUP

_REFERENCES = ("IMAGE", "COMPOSITE", "WAVEFORM")
_DEEPEST = 60


def read_document_facts(path: Path) -> DocumentFacts:
    """Read what a DICOM document says of itself; of another file only a UID that is derived from its content.

    Raises
    ------
    NotDicom
        If a DICOM file is cut off.
    InvalidInput
        If it cannot be understood.
    """
    with path.open("rb") as file:
        is_dicom = file.read(132)[128:] == b"DICM"
    if not is_dicom:
        return DocumentFacts(derived_uid("document", hashlib.sha256(path.read_bytes()).hexdigest()))
    document = whole_document(path)
    try:
        return _facts(document)
    except PARSER_ERRORS as error:
        raise InvalidInput(
            f"what the document says of itself cannot be understood ({type(error).__name__}).", where=path.name
        ) from error


def _facts(document: Dataset) -> DocumentFacts:
    title = code_of(document, "ConceptNameCodeSequence") if document.get("Modality") == "KO" else None
    known = next((code for code in REJECTION_TITLES if code.same_concept(title)), None)
    return DocumentFacts(
        document_uid=str(document.SOPInstanceUID).strip(),
        study_instance_uid=str(document.get("StudyInstanceUID") or "").strip(),
        written_at=document_time(document),
        is_complete=str(document.get("CompletionFlag") or "").strip().upper() != "PARTIAL",
        is_verified=str(document.get("VerificationFlag") or "").strip().upper() == "VERIFIED",
        is_preliminary=str(document.get("PreliminaryFlag") or "").strip().upper() == "PRELIMINARY",
        predecessors=tuple(_named_instances(document, "PredecessorDocumentsSequence")),
        identical=tuple(_named_instances(document, "IdenticalDocumentsSequence")),
        rejection=known.meaning if known else "",
        selected=frozenset(_selected(document)) if document.get("Modality") == "KO" else frozenset(),
        image_classes=dict(_referenced(document, 0)),
        patient=patient_of_dataset(document),
        time_point_id=text_of(document, "ClinicalTrialTimePointID"),
        template=next(
            (text_of(item, "TemplateIdentifier") for item in sequence(document, "ContentTemplateSequence")), ""
        ),
        groups=_measurement_groups(document, 0),
    )


def _named_instances(document: Dataset, keyword: str) -> Iterator[str]:
    """Give the SOP Instance UIDs of a Hierarchical SOP Instance Reference Macro (PS3.3 C.17.2.1)."""
    for study in sequence(document, keyword):
        for series in sequence(study, "ReferencedSeriesSequence"):
            for item in sequence(series, "ReferencedSOPSequence"):
                uid = str(item.get("ReferencedSOPInstanceUID") or "").strip()
                if uid:
                    yield uid


def _selected(document: Dataset) -> Iterator[str]:
    """Give the instances that a Key Object Selection names: in its content, and in the evidence that repeats it."""
    for item in sequence(document, "ContentSequence"):
        if item.get("ValueType") in _REFERENCES:
            for reference in sequence(item, "ReferencedSOPSequence"):
                uid = str(reference.get("ReferencedSOPInstanceUID") or "").strip()
                if uid:
                    yield uid
    for keyword in ("CurrentRequestedProcedureEvidenceSequence", "PertinentOtherEvidenceSequence"):
        yield from _named_instances(document, keyword)


def _measurement_groups(item: Dataset, depth: int) -> int:
    if depth > _DEEPEST:
        return 0
    own = int(MEASUREMENT_GROUP.same_concept(code_of(item, "ConceptNameCodeSequence")))
    return own + sum(_measurement_groups(child, depth + 1) for child in sequence(item, "ContentSequence"))


def _referenced(item: Dataset, depth: int) -> Iterator[tuple[str, str]]:
    """Give (SOP Instance UID, SOP Class UID) of every reference in a data set."""
    uid, of_class = item.get("ReferencedSOPInstanceUID"), item.get("ReferencedSOPClassUID")
    if uid and of_class:
        yield str(uid).strip(), str(of_class).strip()
    if depth > _DEEPEST:
        return
    for element in item:
        if element.VR == "SQ":
            for child in element.value or ():
                yield from _referenced(child, depth + 1)
