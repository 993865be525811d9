"""Which subjects a complete series is about: by what it refers to, and by who is the same person."""

import re
from collections.abc import Callable, Iterable, Sequence

from tumorresp.domain.errors import TumorRespError
from tumorresp.domain.identity import pseudonym
from tumorresp.domain.patient_identity import LinkDecisions, PatientId, PatientStatement, issuers_conflict, persons
from tumorresp.service.pipeline.inputs import Workshops
from tumorresp.service.store import InstanceRecord, Store
from tumorresp.service.store_index import DOCUMENTS, IMAGES

_KEY = re.compile(r"[0-9a-f]{12}")


class SeriesLinks:
    """Links series to subjects where their Patient ID does not say it.

    Parameters
    ----------
    links
        A person's decisions in the settings: pairs of subject keys or Patient IDs that are one person.
    """

    def __init__(
        self, store: Store, workshops: Workshops, links: Callable[[], Iterable[tuple[str, str]]] = lambda: ()
    ) -> None:
        self._store = store
        self._workshops = workshops
        self._links = links

    def subjects_of_series(self, series_instance_uid: str) -> Sequence[str]:
        """Return the subjects that a complete series is about, linking it or what waited for it.

        A series of documents is linked by the SOP Instance UIDs that they refer to. A series of images is joined with
        the subjects that are the same person, and makes the documents that arrived before it, under another Patient ID,
        be looked at again.
        """
        instances = self._store.instances_of_series(series_instance_uid)
        if not instances:
            return ()
        if instances[0].modality in DOCUMENTS:
            self._link(series_instance_uid, instances)
            document = self._store.instances_of_series(series_instance_uid)[0]
            names_others = any(record.modality in DOCUMENTS and self._read(record).others for record in instances)
            return (self._joined(document.subject_key, document) if names_others else document.subject_key,)
        if instances[0].modality not in IMAGES:
            return ()
        subject_key = self._joined(self._of_its_issuer(instances[0]), instances[0])
        images = {record.sop_instance_uid for record in instances}
        for other in {item.subject_key for item in self._store.waiting()} - {subject_key}:
            for record in self._store.instances_of_subject(other):
                if record.modality in DOCUMENTS and images & self._references(record):
                    self._link(record.series_instance_uid, [record])
        return (subject_key,)

    def _of_its_issuer(self, image: InstanceRecord) -> str:
        """Return the subject of an image, one of its own where another issuer gave the same Patient ID before."""
        own = self._read(image)
        first = next(iter(self._statements(image.subject_key, image.series_instance_uid)), None)
        if first is None or not issuers_conflict(own.patient_id, first.patient_id):
            return image.subject_key
        if own.patient_id.value != first.patient_id.value:  # two IDs of a person who was linked
            return image.subject_key
        subject_key = pseudonym(f"{image.patient_id}\n{own.patient_id.issuer.casefold()}")
        self._store.link_series_to_subject(image.series_instance_uid, subject_key)
        return subject_key

    def _joined(self, subject_key: str, image: InstanceRecord) -> str:
        """Join a subject with those that are the same person; return the one that was there first."""
        own = self._read(image)
        named = {pseudonym(item.value) for item in own.others}
        self._store.record_other_ids(subject_key, named)
        decided = [(_key(one), _key(other)) for one, other in self._links()] + list(self._store.decided_links())
        ids = {pseudonym(item.value) for item in own.ids}
        keys = {subject_key, *ids, *self._store.subjects_naming(ids)}
        keys |= {key for pair in decided if subject_key in pair for key in pair}
        order = self._store.subjects_by_arrival(keys)
        found = persons({key: self._statements(key) for key in order}, LinkDecisions(tuple(decided)))
        for doubt in found.doubts:
            self._store.record_patient_doubt(*doubt.subjects, doubt.why)
        group = next((group for group in found.joined if subject_key in group), (subject_key,))
        for other in group[1:]:
            self._store.join_subject(other, group[0])
        return group[0]

    def _statements(self, subject_key: str, besides_series: str = "") -> list[PatientStatement]:
        """Return what a subject's images say of their patient, one a Patient ID, and its documents of other IDs."""
        one_each: dict[str, InstanceRecord] = {}
        documents = []
        for record in sorted(self._store.instances_of_subject(subject_key), key=lambda item: item.received_at):
            if record.modality in IMAGES and record.series_instance_uid != besides_series:
                one_each.setdefault(record.patient_id, record)
            elif record.modality in DOCUMENTS and not besides_series:
                documents.append(self._read(record))
        said = [self._read(record) for record in one_each.values()]
        return said + [item.seen_from(said) for item in documents if item.others]

    def _read(self, record: InstanceRecord) -> PatientStatement:
        try:
            return self._workshops.read_patient(record.path)
        except TumorRespError:
            return PatientStatement(PatientId(record.patient_id))

    def _link(self, series_instance_uid: str, documents: Sequence[InstanceRecord]) -> None:
        for document in documents:
            for uid in sorted(self._references(document)):
                instance = self._store.find_instance(uid)
                if instance is not None and instance.subject_key != document.subject_key:
                    self._store.link_series_to_subject(series_instance_uid, instance.subject_key)
                    return

    def _references(self, document: InstanceRecord) -> set[str]:
        try:
            if document.modality == "KO":
                return set(self._workshops.read_document_facts(document.path).selected)
            marked = self._workshops.read_measurements(document.path)
        except TumorRespError:
            return set()  # the stations record why it cannot be read
        return {item.sop_instance_uid for item in marked if item.sop_instance_uid}


def _key(named: str) -> str:
    """Return the subject that a decision names by its key, or else by a Patient ID."""
    return named if _KEY.fullmatch(named) else pseudonym(named)
