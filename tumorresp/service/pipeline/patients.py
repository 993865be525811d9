"""Whether a measurement is of the patient whose image it names, before it counts."""

from collections.abc import Callable, Sequence
from pathlib import Path

from tumorresp.domain.document_life import DocumentFacts
from tumorresp.domain.measurement import MarkedMeasurement, Measurement
from tumorresp.domain.patient_identity import (
    PatientId,
    PatientStatement,
    is_same_patient,
    names_agree,
    same_id,
)
from tumorresp.service.pipeline.inputs import InputFile

ANOTHER_PATIENT = (
    "The document is another patient's than the image that it measures: Patient ID, name and study all differ. It "
    "counts when the two Patient IDs are linked, or with the setting link_by_uid_alone."
)
TWO_IDS = (
    "The document carries another Patient ID than the images that it measures, and images under that ID are here, too: "
    "one person with two IDs, or a document of somebody else. Link the two subjects, or take the document out."
)


class PatientCheck:
    """Compares documents with the images of one subject.

    Parameters
    ----------
    images
        The subject's CT images.
    read_patient
        Reads what a DICOM file says of its patient.
    link_by_uid_alone
        Whether UIDs alone link documents and images, as trials need that gave documents and images other identities.
    """

    def __init__(
        self, images: Sequence[InputFile], read_patient: Callable[[Path], PatientStatement], *, link_by_uid_alone: bool
    ) -> None:
        self._images = {file.sop_instance_uid: file for file in images}
        self._read = read_patient
        self._by_uid_alone = link_by_uid_alone
        self._known: dict[tuple[str, str], PatientStatement] = {}
        self.other_ids: dict[str, str] = {}
        """Patient IDs of documents that were linked although the images carry another one, with the file's name."""

    def is_of_another(self, marked: MarkedMeasurement, placed: Measurement, facts: DocumentFacts, name: str) -> bool:
        """Return whether a placed measurement is of another patient, as far as document and image say.

        Parameters
        ----------
        name
            What messages call the document.
        """
        image = self._images.get(placed.sop_instance_uid)
        stated = facts.patient or PatientStatement(PatientId(marked.patient_id.strip()))
        if self._by_uid_alone or image is None or not (stated.patient_id.value or stated.name_key):
            return False
        theirs = self._statement(image)
        if is_same_patient(stated, theirs) or not (theirs.patient_id.value or theirs.name_key):
            return False
        if any(same_id(mine, known) for item in self._of_subject() for known in item.ids for mine in stated.ids):
            return False
        same_study = marked.study_instance_uid == placed.study_instance_uid
        if same_study or names_agree(stated, theirs):
            if stated.patient_id.value:
                self.other_ids.setdefault(stated.patient_id.value, name)
            return False
        return True

    def _of_subject(self) -> list[PatientStatement]:
        """Return what the subject's images say, one a Patient ID."""
        one_each = {file.patient_id: file for file in self._images.values()}
        return [self._statement(file) for file in one_each.values()]

    def _statement(self, image: InputFile) -> PatientStatement:
        key = image.series_instance_uid, image.patient_id
        if key not in self._known:
            self._known[key] = self._read(image.path)
        return self._known[key]
