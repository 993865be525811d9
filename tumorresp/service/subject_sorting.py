"""Files from folders sorted into subjects: images by Patient ID, documents by the images that they refer to."""

import datetime
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from dicom_node.file_scan import FileKind, ScannedFile
from dicom_node.instance_header import InstanceHeader
from tumorresp.domain.errors import InvalidMeasurement, TumorRespError
from tumorresp.domain.identity import pseudonym
from tumorresp.domain.patient_identity import LinkDecisions, PatientId, PatientStatement, Persons, persons
from tumorresp.service.folder_index import FolderIndex
from tumorresp.service.pipeline.inputs import InputFile, WaitingItem, Workshops
from tumorresp.service.store_index import doubt_words, other_object_words, patient_of
from tumorresp.service.unexpected_failure import kind_and_place

DOCUMENTS = (FileKind.SR, FileKind.RTSTRUCT, FileKind.KO, FileKind.AIM, FileKind.CSV, FileKind.JSON)


@dataclass
class _Images:
    """CT images by subject, and which subjects a UID belongs to."""

    files: dict[str, list[ScannedFile]] = field(default_factory=dict)
    subjects_of_uid: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))


def sort_into_subjects(
    files: Sequence[ScannedFile], workshops: Workshops, links: Iterable[tuple[str, str]] = ()
) -> tuple[FolderIndex, list[str]]:
    """Return the files by subject, and why some could not be sorted.

    Parameters
    ----------
    links
        A person's decisions: pairs of subject keys or Patient IDs that are one person.
    """
    patients = _patients(files, workshops)
    keyed = _by_patient_id(files, patients)
    order = sorted(keyed, key=lambda key: (_first_date(keyed[key]), key))
    statements = {key: [patients[_series_of(file)] for file in keyed[key]] for key in order}
    _add_documents(statements, files, workshops)
    found = persons(
        {key: tuple(dict.fromkeys(said)) for key, said in statements.items()},
        LinkDecisions(tuple((_key(a, keyed), _key(b, keyed)) for a, b in links)),
    )
    subject = _subjects(order, found)
    index = FolderIndex(subject_of_key={**subject, **_by_plain_id(keyed, subject)})
    images = _Images()
    for key in order:
        images.files.setdefault(subject[key], []).extend(keyed[key])
    for key, held in images.files.items():
        index.files[key] = [input_file(file) for file in held]
        for header in (file.header for file in held if file.header is not None):
            for uid in (header.sop_instance_uid, header.series_instance_uid, header.study_instance_uid):
                images.subjects_of_uid[uid].add(key)
    for doubt in found.doubts:
        for one, other in (doubt.subjects, doubt.subjects[::-1]):
            item = WaitingItem("patient-unclear", doubt_words(subject[other], doubt.why), subject[one])
            index.doubts.setdefault(subject[one], []).append(item)
    return index, _sort_documents(files, workshops, images, index)


def _sort_documents(
    files: Sequence[ScannedFile], workshops: Workshops, images: _Images, index: FolderIndex
) -> list[str]:
    """Put documents to the subjects that they measure; return why some could not be sorted."""
    refused: list[str] = []
    # Key Object Selections last: what they name may be a document.
    for file in sorted((one for one in files if one.kind in DOCUMENTS), key=lambda one: one.kind is FileKind.KO):
        try:
            key = _subject_of_document(file, workshops, images, index)
        except TumorRespError as error:
            refused.append(str(error))
            continue
        except Exception as error:  # noqa: BLE001  one file must not keep the others from being read
            refused.append(f"{file.path.name}: unexpected failure: {kind_and_place(error)}")
            continue
        index.files.setdefault(key, []).append(input_file(file))
        if file.header is not None:
            images.subjects_of_uid[file.header.sop_instance_uid].add(key)
    return refused


def _series_of(file: ScannedFile) -> tuple[str, str]:
    """Return series and Patient ID of an image: what says the same of its patient."""
    return ("", "") if file.header is None else (file.header.series_instance_uid, file.header.patient_id)


def _patients(files: Sequence[ScannedFile], workshops: Workshops) -> dict[tuple[str, str], PatientStatement]:
    """Return what each CT series says of its patient; of one that cannot be read, its Patient ID."""
    found: dict[tuple[str, str], PatientStatement] = {}
    for file in files:
        if file.kind is FileKind.CT and file.header is not None and _series_of(file) not in found:
            try:
                found[_series_of(file)] = workshops.read_patient(file.path)
            except TumorRespError:
                found[_series_of(file)] = PatientStatement(PatientId(file.header.patient_id))
    return found


def _add_documents(
    statements: Mapping[str, list[PatientStatement]], files: Sequence[ScannedFile], workshops: Workshops
) -> None:
    """Add what documents say of other Patient IDs to the subject of theirs."""
    for file in files:
        if file.kind not in DOCUMENTS or file.header is None:
            continue
        try:
            stated = workshops.read_patient(file.path)
        except TumorRespError:
            continue
        keys = [pseudonym(item.value) for item in stated.ids]
        key = next((key for key in keys if key in statements), None)
        if stated.others and key is not None:
            statements[key].append(stated)


def _by_patient_id(
    files: Sequence[ScannedFile], patients: Mapping[tuple[str, str], PatientStatement]
) -> dict[str, list[ScannedFile]]:
    """Return CT files by the key of their Patient ID; an ID that two issuers gave is two persons'."""
    issuers: defaultdict[str, set[str]] = defaultdict(set)
    for statement in patients.values():
        issuer = statement.patient_id.issuer.casefold()
        issuers[statement.patient_id.value] |= {issuer} if issuer else set()
    keyed: dict[str, list[ScannedFile]] = {}
    for file in files:
        if file.kind is FileKind.CT and file.header is not None:
            patient_id = patients[_series_of(file)].patient_id
            several = len(issuers[patient_id.value]) > 1
            issuer = patient_id.issuer.casefold() if several else ""
            keyed.setdefault(subject_key_of(file.header, issuer), []).append(file)
    return keyed


def subject_key_of(header: InstanceHeader, issuer: str = "") -> str:
    """Return the subject that an instance's Patient ID names; with an issuer, that issuer's."""
    name = patient_of(header.patient_id, header.study_instance_uid)
    return pseudonym(f"{name}\n{issuer}" if issuer and header.patient_id else name)


def _first_date(files: Sequence[ScannedFile]) -> datetime.date:
    dates = [file.header.study_date for file in files if file.header is not None]
    return min((date for date in dates if date is not None), default=datetime.date.max)


def _key(named: str, keyed: Mapping[str, object]) -> str:
    return named if named in keyed else pseudonym(named)


def _subjects(order: Sequence[str], found: Persons) -> dict[str, str]:
    """Return the subject of each key; one person's is the key of the first scan."""
    subject = {key: key for key in order}
    for group in found.joined:
        subject |= dict.fromkeys(group, group[0])
    return subject


def _by_plain_id(keyed: Mapping[str, Sequence[ScannedFile]], subject: Mapping[str, str]) -> dict[str, str]:
    """Return the subject of each Patient ID that only one subject has, without its issuer."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for key, files in keyed.items():
        for header in (file.header for file in files if file.header is not None):
            found[subject_key_of(header)].add(subject[key])
    return {key: keys.pop() for key, keys in found.items() if len(keys) == 1}


def _subject_of_document(file: ScannedFile, workshops: Workshops, images: _Images, index: FolderIndex) -> str:
    own = index.subject_of_key.get(subject_key_of(file.header), "") if file.header is not None else ""
    for uids in _referenced(file, workshops):
        keys: set[str] = set().union(*(images.subjects_of_uid.get(uid, ()) for uid in uids))
        if len(keys) == 1:
            return keys.pop()
        if own in keys:
            return own
        if keys:
            raise InvalidMeasurement(
                "the file's measurements are of several patients.", where=file.path.name, remedy="Split it by patient."
            )
    if file.header is not None:
        return own or subject_key_of(file.header)
    if len(images.files) == 1:
        return next(iter(images.files))
    raise InvalidMeasurement(
        "nothing in the file says which patient it is about, and there is not exactly one.",
        where=file.path.name,
        remedy="Give SOP Instance UIDs, or evaluate one patient at a time.",
    )


def _referenced(file: ScannedFile, workshops: Workshops) -> Iterable[set[str]]:
    """Give what a document refers to: images, then series, then studies."""
    if file.kind is FileKind.KO:
        yield set(workshops.read_document_facts(file.path).selected)
        return
    marked = workshops.read_measurements(file.path)
    for name in ("sop_instance_uid", "series_instance_uid", "study_instance_uid"):
        yield {getattr(item, name) for item in marked} - {""}


def other_objects(files: Sequence[ScannedFile]) -> list[str]:
    """Say which DICOM objects are neither CT nor measurements, a series each."""
    series: defaultdict[tuple[str, str], list[ScannedFile]] = defaultdict(list)
    for file in files:
        if file.kind in (FileKind.SEG, FileKind.OTHER_DICOM) and file.header is not None:
            series[file.header.modality, file.header.series_instance_uid].append(file)
    return [f"{other_object_words(modality, len(held))} {uid}" for (modality, uid), held in sorted(series.items())]


def input_file(file: ScannedFile) -> InputFile:
    """Return a file as the stations take it."""
    header = file.header
    if header is None:
        return InputFile(file.path, file.path.name, is_image=False, sha256=file.sha256)
    return InputFile(
        path=file.path,
        name=header.sop_instance_uid,
        is_image=file.kind is FileKind.CT,
        sha256=file.sha256,
        sop_instance_uid=header.sop_instance_uid,
        series_instance_uid=header.series_instance_uid,
        study_instance_uid=header.study_instance_uid,
        patient_id=patient_of(header.patient_id, header.study_instance_uid),
        modality=header.modality,
    )
