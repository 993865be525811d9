"""The store as the stations see it: a subject's files, what waits, what was refused."""

from collections.abc import Callable, Sequence
from pathlib import Path

from tumorresp.domain.errors import TumorRespError
from tumorresp.domain.measurement import MarkedMeasurement
from tumorresp.service.pipeline.inputs import InputFile, WaitingItem
from tumorresp.service.store import InstanceRecord, Store
from tumorresp.service.store import WaitingItem as WaitingRecord

_IMAGES = ("CT",)
_DOCUMENTS = ("SR", "RTSTRUCT", "KO")


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
            if record.modality in (*_IMAGES, *_DOCUMENTS) and record.sop_instance_uid not in own
        ]

    def record_waiting(self, subject_key: str, items: Sequence[WaitingItem]) -> None:
        """Replace what the subject waits for."""
        records = [WaitingRecord(subject_key, item.code, item.message, item.where) for item in items]
        self._store.record_waiting(subject_key, records)

    def quarantine(self, file: InputFile, error: TumorRespError) -> None:
        """Keep a file's reason for not being used."""
        self._store.quarantine(file.path, error.code, error.message, error.where or file.name)


class SeriesLinks:
    """Links documents to the subject whose images they refer to, whatever Patient ID they carry."""

    def __init__(self, store: Store, read_measurements: Callable[[Path], Sequence[MarkedMeasurement]]) -> None:
        self._store = store
        self._read = read_measurements

    def subjects_of_series(self, series_instance_uid: str) -> Sequence[str]:
        """Return the subjects that a complete series is about, linking it or what waited for it.

        A series of documents is linked by the SOP Instance UIDs that they refer to. A series of images makes the
        documents that arrived before it, under another Patient ID, be looked at again.
        """
        instances = self._store.instances_of_series(series_instance_uid)
        if not instances:
            return ()
        if instances[0].modality in _DOCUMENTS:
            self._link(series_instance_uid, instances)
            return (self._store.instances_of_series(series_instance_uid)[0].subject_key,)
        if instances[0].modality not in _IMAGES:
            return ()
        images = {record.sop_instance_uid for record in instances}
        for other in {item.subject_key for item in self._store.waiting()} - {instances[0].subject_key}:
            for record in self._store.instances_of_subject(other):
                if record.modality in _DOCUMENTS and images & self._references(record):
                    self._link(record.series_instance_uid, [record])
        return (instances[0].subject_key,)

    def _link(self, series_instance_uid: str, documents: Sequence[InstanceRecord]) -> None:
        for document in documents:
            for uid in sorted(self._references(document)):
                image = self._store.find_instance(uid)
                if image is not None and image.subject_key != document.subject_key:
                    self._store.link_series_to_subject(series_instance_uid, image.subject_key)
                    return

    def _references(self, document: InstanceRecord) -> set[str]:
        try:
            marked = self._read(document.path)
        except TumorRespError:
            return set()  # the stations record why it cannot be read
        return {item.sop_instance_uid for item in marked if item.sop_instance_uid}


def patient_of(patient_id: str, study_instance_uid: str) -> str:
    """Return the Patient ID, or for images without one a name for their study, so that strangers never mix."""
    return patient_id.strip() or f"study {study_instance_uid}"


def _input_file(record: InstanceRecord) -> InputFile:
    return InputFile(
        path=record.path,
        name=record.sop_instance_uid,
        is_image=record.modality in _IMAGES,
        sha256=record.sha256,
        sop_instance_uid=record.sop_instance_uid,
        series_instance_uid=record.series_instance_uid,
        study_instance_uid=record.study_instance_uid,
        patient_id=record.patient_id,
        modality=record.modality,
    )
