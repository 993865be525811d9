"""The store as the stations see it: a subject's files, what waits, what was refused."""

import json
from collections.abc import Sequence

from tumorresp.domain.errors import TumorRespError
from tumorresp.domain.identity import pseudonym
from tumorresp.ports import ResultFile
from tumorresp.service.pipeline.inputs import InputFile, WaitingItem
from tumorresp.service.store import InstanceRecord, Store
from tumorresp.service.store import WaitingItem as WaitingRecord

IMAGES = ("CT",)
_NOT_USED = {
    "SEG": "masks are made here and not read",
    "PR": "presentation states hold drawings without meaning",
    "RTDOSE": "doses are not evaluated",
    "RTPLAN": "treatment plans are not evaluated",
    "REG": "registrations are made here and not read",
    "OT": "neither CT nor measurements",
    "DOC": "documents for people are not read",
    "SC": "pictures without patient coordinates cannot be measured",
}
DOCUMENTS = ("SR", "RTSTRUCT", "KO")


class StoreIndex:
    """Gives the stations what was received for a subject; our own results that came back are left out."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def files_of_subject(self, subject_key: str) -> Sequence[InputFile]:
        """Return the subject's CT images and measurement documents."""
        own = {made.sop_instance_uid for made in self._store.current_objects(subject_key)}
        return [
            _input_file(record)
            for record in self._store.instances_of_subject(subject_key)
            if record.modality in (*IMAGES, *DOCUMENTS) and record.sop_instance_uid not in own
        ]

    def other_subject_with_images(self, patient_id: str, subject_key: str) -> bool:
        """Return whether images under a Patient ID are here as another subject's."""
        key = pseudonym(patient_id)
        return key != subject_key and any(item.modality in IMAGES for item in self._store.series_of_subject(key))

    def reports_made(self, subject_key: str, time_point_ids: Sequence[str]) -> Sequence[ResultFile]:
        """Return the structured reports that were made of time points before, the oldest first."""
        return self._store.objects_made(subject_key, time_point_ids, "SR")

    def record_waiting(self, subject_key: str, items: Sequence[WaitingItem]) -> None:
        """Replace what the subject waits for; whom it may be one person with waits beside it."""
        records = [
            WaitingRecord(subject_key, "patient-unclear", doubt_words(other, why), subject_key)
            for other, why in self._store.patient_doubts(subject_key)
        ]
        records += [WaitingRecord(subject_key, item.code, item.message, item.where) for item in items]
        records += [
            WaitingRecord(subject_key, "other-object", other_object_words(item.modality, item.instances), uid)
            for item in self._store.series_of_subject(subject_key)
            if item.modality not in (*IMAGES, *DOCUMENTS) and (uid := item.series_instance_uid)
        ]
        self._store.record_waiting(subject_key, records)

    def record_deciding(self, subject_key: str, sentences: Sequence[str]) -> None:
        """Keep with the running evaluation what was noticed that may change a response."""
        self._store.record_summary(subject_key, json.dumps({"deciding": list(sentences)}, ensure_ascii=False))

    def quarantine(self, file: InputFile, error: TumorRespError) -> None:
        """Keep a file's reason for not being used."""
        self._store.quarantine(file.path, error.code, error.message, error.where or file.name)


def other_object_words(modality: str, number: int) -> str:
    """Say of objects that are neither CT nor measurements that they are not used, and why."""
    why = _NOT_USED.get(modality, "only CT is evaluated")
    return f"{number} {modality or 'DICOM'} object(s) not used: {why}."


def doubt_words(other_subject: str, why: str) -> str:
    """Say that a subject may be the same person as another one, and was not joined with it."""
    return (
        f"This may be the same person as subject {other_subject}: they share an ID, but {why}. They stay two subjects "
        "until somebody links them (tumorresp link, or the file of patient_links)."
    )


def patient_of(patient_id: str, study_instance_uid: str) -> str:
    """Return the Patient ID, or for images without one a name for their study, so that strangers never mix."""
    return patient_id.strip() or f"study {study_instance_uid}"


def _input_file(record: InstanceRecord) -> InputFile:
    return InputFile(
        path=record.path,
        name=record.sop_instance_uid,
        is_image=record.modality in IMAGES,
        sha256=record.sha256,
        sop_instance_uid=record.sop_instance_uid,
        series_instance_uid=record.series_instance_uid,
        study_instance_uid=record.study_instance_uid,
        patient_id=record.patient_id,
        modality=record.modality,
    )
