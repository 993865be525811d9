"""Which documents and which of their measurements count, before lesions are followed; what is left out is said."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from tumorresp.domain.document_life import (
    DocumentFacts,
    MeasuredDocument,
    Replaced,
    Standing,
    rejected_instances,
    standing,
)
from tumorresp.domain.errors import TumorRespError
from tumorresp.domain.finding import Finding, Severity
from tumorresp.domain.measurement import LesionRole, MarkedMeasurement, Measurement
from tumorresp.domain.not_a_lesion import reason_for_no_lesion
from tumorresp.domain.observers import counts_as_reader, person_name, reader_key
from tumorresp.service.pipeline.inputs import DocumentRules, InputFile, WaitingItem, Workshops

OWN_WRITER = "tumorresp"
# SOP Classes of images that are no CT, and what people call them (PS3.4 B.5).
_OTHER_IMAGES: Mapping[str, str] = {
    "1.2.840.10008.5.1.4.1.1.4": "MR",
    "1.2.840.10008.5.1.4.1.1.4.1": "MR",
    "1.2.840.10008.5.1.4.1.1.4.3": "MR",
    "1.2.840.10008.5.1.4.1.1.4.4": "MR",
    "1.2.840.10008.5.1.4.1.1.128": "PET",
    "1.2.840.10008.5.1.4.1.1.128.1": "PET",
    "1.2.840.10008.5.1.4.1.1.130": "PET",
    "1.2.840.10008.5.1.4.1.1.20": "nuclear medicine",
    "1.2.840.10008.5.1.4.1.1.6.1": "ultrasound",
    "1.2.840.10008.5.1.4.1.1.6.2": "ultrasound",
    "1.2.840.10008.5.1.4.1.1.3.1": "ultrasound",
    "1.2.840.10008.5.1.4.1.1.1": "X-ray",
    "1.2.840.10008.5.1.4.1.1.1.1": "X-ray",
    "1.2.840.10008.5.1.4.1.1.1.2": "mammography",
    "1.2.840.10008.5.1.4.1.1.12.1": "X-ray",
    "1.2.840.10008.5.1.4.1.1.12.2": "X-ray",
    "1.2.840.10008.5.1.4.1.1.7": "secondary capture",
    "1.2.840.10008.5.1.4.1.1.77.1.4": "photograph",
}


@dataclass(frozen=True)
class ReadDocument:
    """A document that could be read, with what it says of itself and what it measures."""

    file: InputFile
    facts: DocumentFacts
    marked: tuple[MarkedMeasurement, ...]


@dataclass(frozen=True)
class CountedDocuments:
    """What counts after rejection notes, and what is passed over.

    Parameters
    ----------
    documents
        With the measurements that may be a lesion's and a reader's.
    rejected_images
        SOP Instance UIDs that rejection notes name.
    passed_over
        In words, a document each.
    """

    documents: tuple[ReadDocument, ...]
    rejected: frozenset[str]
    passed_over: tuple[WaitingItem, ...]


def read_documents(
    files: Iterable[InputFile], workshops: Workshops, refused: list[tuple[InputFile, TumorRespError]]
) -> tuple[ReadDocument, ...]:
    """Read every document; what cannot be read is noted and harms no other."""
    documents = []
    for file in sorted(files, key=lambda file: (file.name, file.sha256)):
        try:
            facts = workshops.read_document_facts(file.path)
            marked = () if facts.selected or file.modality == "KO" else tuple(workshops.read_measurements(file.path))
        except TumorRespError as error:
            refused.append((file, error))
            continue
        documents.append(ReadDocument(file, _dated(facts, marked), marked))
    return tuple(documents)


def _dated(facts: DocumentFacts, marked: Sequence[MarkedMeasurement]) -> DocumentFacts:
    """Take UID and time from the measurements where the file itself states none: AIM, CSV, JSON."""
    if facts.written_at is not None or not marked:
        return facts
    times = [item.measured_at for item in marked if item.measured_at is not None]
    written_at = max(times) if len(times) == len(marked) else None
    return replace(facts, document_uid=marked[0].source.document_uid, written_at=written_at)


def counted_documents(
    documents: Sequence[ReadDocument], images: Collection[str], rules: DocumentRules
) -> CountedDocuments:
    """Leave out what is rejected, what a device measured and what is no lesion.

    Parameters
    ----------
    images
        SOP Instance UIDs of the CT images that are here.
    """
    rejected = rejected_instances(document.facts for document in documents)
    counted: list[ReadDocument] = []
    passed_over: list[WaitingItem] = []
    for document in documents:
        facts, name = document.facts, document.file.name
        if facts.document_uid in rejected:
            words = f"A rejection note says of this document “{rejected[facts.document_uid]}”: it counts no more."
            passed_over.append(WaitingItem("document-rejected", words, name, _referred_to(document.marked)))
            continue
        if facts.rejection:
            words = f"Rejection note “{facts.rejection}”: the {len(facts.selected)} object(s) it names count no more."
            passed_over.append(WaitingItem("rejection-note", words, name))
            continue
        kept = []
        reasons: dict[tuple[str, str], list[MarkedMeasurement]] = {}
        for item in document.marked:
            reason = _left_out(item, document, rejected, images, rules)
            if reason is None:
                kept.append(replace(item, reader=person_name(item.reader)))
            else:
                reasons.setdefault(reason, []).append(item)
        passed_over += [
            WaitingItem(code, f"{len(items)} measurement(s) not used: {words}.", name, _referred_to(items))
            for (code, words), items in reasons.items()
        ]
        passed_over += [WaitingItem("nothing-measured", words, name) for words in _unread_words(document)]
        counted.append(replace(document, marked=tuple(kept)))
    return CountedDocuments(tuple(counted), frozenset(rejected), tuple(passed_over))


def _referred_to(items: Iterable[MarkedMeasurement]) -> frozenset[str]:
    """Return the most telling UID of the images that each measurement refers to."""
    uids = (item.sop_instance_uid or item.series_instance_uid or item.study_instance_uid for item in items)
    return frozenset(uid for uid in uids if uid)


def _left_out(
    item: MarkedMeasurement,
    document: ReadDocument,
    rejected: Mapping[str, str],
    images: Collection[str],
    rules: DocumentRules,
) -> tuple[str, str] | None:
    """Return code and words of why a measurement does not count, None where it does."""
    if item.source.writer == OWN_WRITER:
        return "own-result", "this product wrote them, and its results are not read again"
    if item.passed_over:
        is_new = item.role is LesionRole.NEW
        return "new-lesion-not-measurable" if is_new else "not-measurable", item.passed_over
    if item.sop_instance_uid in rejected:
        return "image-rejected", f"a rejection note says of their image “{rejected[item.sop_instance_uid]}”"
    of_class = document.facts.image_classes.get(item.sop_instance_uid, "")
    if of_class in _OTHER_IMAGES and item.sop_instance_uid not in images:
        return "not-on-ct", f"they lie on {_OTHER_IMAGES[of_class]} images, and only CT is evaluated"
    if item.device and not item.reader and not counts_as_reader(item.device, rules.device_readers):
        return "device-observer", (
            "a device measured them by itself; they are in no sum until the setting device_readers names it "
            f"(here it is called “{item.device}”)"
        )
    no_lesion = reason_for_no_lesion(item)
    return ("no-lesion", f"no lesion: {no_lesion}") if no_lesion else None


def _unread_words(document: ReadDocument) -> list[str]:
    """Say what of a document is no measurement; nothing where all is one."""
    facts, read = document.facts, len(document.marked)
    if facts.selected or document.file.modality == "KO":
        return ["Key Object Selection that is no rejection note."]
    of_template = f" (template {facts.template})" if facts.template else ""
    if not read and not facts.groups:
        return [f"The document{of_template} measures no lesion: no measurement group, and no axis or diameter drawn."]
    if facts.groups > read and not any(item.source.writer == OWN_WRITER for item in document.marked):
        return [
            f"{facts.groups - read} of the document's {facts.groups} measurement groups not used: normal anatomy, "
            "or no line, diameter or outline with coordinates (a number, a mask or a point alone is no size)."
        ]
    return []


def what_stands(
    documents: Sequence[tuple[ReadDocument, Sequence[Measurement]]],
) -> tuple[tuple[Measurement, ...], tuple[WaitingItem, ...]]:
    """Return the placed measurements that count, and which documents replaced which.

    Parameters
    ----------
    documents
        Each with its placed measurements.
    """
    found = standing([MeasuredDocument(document.facts, tuple(placed)) for document, placed in documents])
    return tuple(_counted(found)), tuple(_replacement_notes(found, documents))


def _counted(found: Standing) -> Iterator[Measurement]:
    """Give the measurements that count, with what they replaced; one reader's name is spelt in one way."""
    remarks: dict[str, list[Finding]] = {}
    for item in found.replaced:
        remarks.setdefault(item.by, []).append(_replacement(item))
    spellings: dict[str, str] = {}
    for measurement in (item for part in found.parts for item in part.measurements):
        if measurement.measurement_uid in found.measured_again:
            continue
        name = spellings.setdefault(reader_key(measurement.reader), measurement.reader) if measurement.reader else ""
        yield replace(
            measurement,
            reader=name or measurement.device,
            doubt=found.doubts.get(measurement.measurement_uid, ""),
            findings=(*measurement.findings, *remarks.pop(measurement.source.document_uid, [])),
        )


def _replacement_notes(
    found: Standing, documents: Sequence[tuple[ReadDocument, Sequence[Measurement]]]
) -> Iterator[WaitingItem]:
    """Say which documents and which single measurements count no more, and why."""
    names = {document.facts.document_uid: document.file.name for document, _ in documents}
    by_document = {document.facts.document_uid: placed for document, placed in documents}
    for item in found.replaced:
        words = (
            f"{len(item.part.measurements)} measurement(s) of this document count no more: {item.reason} "
            f"({names.get(item.by, item.by)})."
        )
        studies = _studies(item) if _says_something_else(item, by_document.get(item.by, ())) else frozenset()
        uid = item.part.facts.document_uid
        yield WaitingItem("document-replaced", words, names.get(uid, uid), studies)
    words = "A measurement of this document counts no more: the same reader measured its lesion again later."
    for one in (one for part in found.parts for one in part.measurements):
        if one.measurement_uid in found.measured_again:
            uid = one.source.document_uid
            yield WaitingItem("document-replaced", words, names.get(uid, uid), frozenset((one.study_instance_uid,)))


def _studies(item: Replaced) -> frozenset[str]:
    return frozenset(one.study_instance_uid for one in item.part.measurements if one.study_instance_uid)


def _says_something_else(item: Replaced, by: Sequence[Measurement]) -> bool:
    """Return whether the replaced measurements have other sizes or states than those that count in their place."""
    return not Counter(map(_size, item.part.measurements)) <= Counter(map(_size, by))


def _size(item: Measurement) -> tuple[Decimal | None, Decimal | None, str]:
    long, short = (None if axis is None else axis.size_mm for axis in (item.long_axis, item.short_axis))
    return long, short, str(item.state)


def _replacement(item: Replaced) -> Finding:
    words = f"Replaces an earlier document: {item.reason}."
    if item.lost:
        words += f" {len(item.lost)} lesion(s) that only the earlier one measured count no more."
    severity = Severity.WARNING if item.lost else Severity.INFO
    return Finding("document-replaced", severity, words, item.part.facts.document_uid, decides=bool(item.lost))
