"""The life of a document: which of the documents that measured a subject count (PS3.3 C.17.2; IHE RAD IOCM).

A document counts no more when a rejection note names it, when another one replaces it by name, or when its reader
measured the same lesions again later. Where it is not certain that the later one replaces the earlier as a whole, the
lesions that only the earlier one measured wait for a person.
"""

import datetime
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from tumorresp.domain.label import compared_label
from tumorresp.domain.measurement import Axis, Measurement
from tumorresp.domain.observers import reader_key
from tumorresp.domain.patient_identity import PatientStatement
from tumorresp.domain.terminology import Code

REJECTION_TITLES = (
    Code("113001", "DCM", "Rejected for Quality Reasons"),
    Code("113037", "DCM", "Rejected for Patient Safety Reasons"),
    Code("113038", "DCM", "Incorrect Modality Worklist Entry"),
    Code("113039", "DCM", "Data Retention Policy Expired"),
)
"""Titles of the Key Object Selection documents that are rejection notes (IHE RAD TF-2, 4.66)."""

_SAME_POINT_MM = 0.5
_EPOCH = datetime.datetime(1, 1, 1, tzinfo=datetime.UTC)
_DOUBT = (
    "A later document of the same reader measures other lesions of these images again and not this one: whether it was "
    "taken back or stands in the earlier document alone is not certain."
)


@dataclass(frozen=True)
class DocumentFacts:
    """What a document says of itself and of other instances, apart from its measurements.

    Parameters
    ----------
    document_uid
        SOP Instance UID; for files without one the document UID of their measurements.
    written_at
        Content (or Structure Set) Date and Time as UTC, None where not stated.
    is_complete
        False where Completion Flag (0040,A491) says PARTIAL.
    is_verified
        Whether Verification Flag (0040,A493) says VERIFIED.
    is_preliminary
        Whether Preliminary Flag (0040,A496) says PRELIMINARY.
    predecessors
        SOP Instance UIDs of the Predecessor Documents Sequence (0040,A360).
    identical
        SOP Instance UIDs of the Identical Documents Sequence (0040,A525): copies of this document in other studies.
    rejection
        Title of a rejection note; empty for everything else.
    selected
        SOP Instance UIDs that a Key Object Selection names.
    image_classes
        SOP Class UID by SOP Instance UID of what the document refers to.
    patient
        None for files that are not DICOM.
    template
        Template Identifier (0040,DB00) of a structured report's root, empty where not stated.
    groups
        How many Measurement Groups (125007, DCM) it has.
    time_point_id
        Clinical Trial Time Point ID (0012,0050), empty where there is none.
    """

    document_uid: str
    study_instance_uid: str = ""
    written_at: datetime.datetime | None = None
    is_complete: bool = True
    is_verified: bool = False
    is_preliminary: bool = False
    predecessors: tuple[str, ...] = ()
    identical: tuple[str, ...] = ()
    rejection: str = ""
    selected: frozenset[str] = frozenset()
    image_classes: Mapping[str, str] = field(default_factory=dict)
    patient: PatientStatement | None = None
    template: str = ""
    groups: int = 0
    time_point_id: str = ""


@dataclass(frozen=True)
class MeasuredDocument:
    """A document with its placed measurements; may have none."""

    facts: DocumentFacts
    measurements: tuple[Measurement, ...]

    @property
    def studies(self) -> frozenset[str]:
        """The studies that it measures, or for a document without measurements the one that it is stored in."""
        measured = frozenset(item.study_instance_uid for item in self.measurements)
        return measured or frozenset((self.facts.study_instance_uid,))


@dataclass(frozen=True)
class Part:
    """One reader's measurements of one study in one document."""

    facts: DocumentFacts
    reader: tuple[str, ...]
    study_instance_uid: str
    measurements: tuple[Measurement, ...]


@dataclass(frozen=True)
class Replaced:
    """A part that counts no more.

    Parameters
    ----------
    by
        Document UID of what counts in its place.
    reason
        In words.
    lost
        Its measurements of lesions that the other one does not measure: they may change a response.
    """

    part: Part
    by: str
    reason: str
    lost: tuple[Measurement, ...]


@dataclass(frozen=True)
class Standing:
    """What counts of a subject's documents.

    Parameters
    ----------
    parts
        In the documents' order.
    measured_again
        Measurement UIDs in these parts that a later document of the same reader replaces one by one.
    doubts
        Why it is not certain that a measurement counts, by measurement UID.
    """

    parts: tuple[Part, ...]
    replaced: tuple[Replaced, ...]
    measured_again: frozenset[str]
    doubts: Mapping[str, str]


@dataclass(frozen=True)
class _Comparison:
    """What a later document does to an earlier one of the same reader and study."""

    replaced: Replaced | None = None
    measured_again: frozenset[str] = frozenset()
    doubted: frozenset[str] = frozenset()


def rejected_instances(documents: Iterable[DocumentFacts]) -> dict[str, str]:
    """Return the SOP Instance UIDs that rejection notes name, with the note's title.

    A note that a newer one rejects rejects nothing; the order of arrival does not count.
    """
    notes = sorted(
        (item for item in documents if item.rejection),
        key=lambda item: (item.written_at is not None, item.written_at or _EPOCH, item.document_uid),
        reverse=True,
    )
    rejected: dict[str, str] = {}
    for note in notes:
        if note.document_uid not in rejected:
            for uid in note.selected - {note.document_uid}:
                rejected.setdefault(uid, note.rejection)
    return rejected


def standing(documents: Sequence[MeasuredDocument]) -> Standing:
    """Return what counts of documents that nobody rejected."""
    parts = [part for document in documents for part in parts_of(document)]
    replaced = _replaced_by_name(documents, parts)
    gone = {id(item.part) for item in replaced}
    again: set[str] = set()
    doubted: set[str] = set()
    for group in _by_reader_and_study(part for part in parts if id(part) not in gone):
        for comparison in _among_one_reader(group):
            replaced += [comparison.replaced] if comparison.replaced else []
            again |= comparison.measured_again
            doubted |= comparison.doubted
    gone = {id(item.part) for item in replaced}
    left = tuple(part for part in parts if id(part) not in gone)
    doubts = {
        item.measurement_uid: _DOUBT
        for part in left
        for item in part.measurements
        if item.measurement_uid in doubted - again
    }
    return Standing(left, tuple(replaced), frozenset(again), doubts)


def parts_of(document: MeasuredDocument) -> tuple[Part, ...]:
    """Return a document's measurements by reader and study.

    Two documents without a reader's name are one reader's only where the same tool wrote them.
    """
    groups: dict[tuple[tuple[str, ...], str], list[Measurement]] = {}
    for item in document.measurements:
        name = reader_key(item.reader) if item.reader else ""
        reader = (name,) if name else ("", item.source.format, item.source.writer, item.device)
        groups.setdefault((reader, item.study_instance_uid), []).append(item)
    return tuple(Part(document.facts, *key, tuple(items)) for key, items in groups.items())


def lies_on(one: Measurement, other: Measurement) -> bool:
    """Return whether two measurements are of one lesion by their place: the middle of one lies within the other."""
    if one.long_axis is None or other.long_axis is None:
        return compared_label(one.label) == compared_label(other.label) != ""
    frames = {one.frame_of_reference_uid, other.frame_of_reference_uid} - {""}
    if len(frames) > 1:
        return False
    reach = min(one.long_axis.length_mm, other.long_axis.length_mm) / 2
    apart = np.subtract(one.long_axis.midpoint_lps_mm, other.long_axis.midpoint_lps_mm)
    return float(np.linalg.norm(apart)) <= reach


def _replaced_by_name(documents: Sequence[MeasuredDocument], parts: Sequence[Part]) -> list[Replaced]:
    """Return what a successor names as its predecessor, in the studies that the successor measures itself.

    A predecessor is any document whose content was included (PS3.3 C.17.2): a follow-up's report may name the
    baseline's, which it does not replace.
    """
    by_uid = {document.facts.document_uid: document for document in documents}
    replaced: dict[int, Replaced] = {}
    for successor in documents:
        former = _all_predecessors(successor.facts, by_uid)
        for part in parts:
            uid = part.facts.document_uid
            if uid not in former or part.study_instance_uid not in successor.studies or id(part) in replaced:
                continue
            if part.facts.is_complete and not successor.facts.is_complete:
                continue
            replaced[id(part)] = Replaced(
                part,
                successor.facts.document_uid,
                "a document that replaces it names it as its predecessor",
                _only_in(part.measurements, successor.measurements),
            )
        for part in parts:
            copied = part.facts.document_uid in successor.facts.identical
            if copied and successor.facts.document_uid < part.facts.document_uid and id(part) not in replaced:
                words = "an identical document was read"
                replaced[id(part)] = Replaced(part, successor.facts.document_uid, words, ())
    return list(replaced.values())


def _all_predecessors(facts: DocumentFacts, by_uid: Mapping[str, MeasuredDocument]) -> set[str]:
    """Return the documents before one, over all links; of documents that name each other in a circle none is before."""
    found: set[str] = set()
    open_uids = list(facts.predecessors)
    while open_uids:
        uid = open_uids.pop()
        if uid not in found and uid in by_uid:
            found.add(uid)
            open_uids += by_uid[uid].facts.predecessors
    if facts.document_uid not in found:
        return found
    return {uid for uid in found if facts.document_uid not in _reached(uid, by_uid)}


def _reached(start: str, by_uid: Mapping[str, MeasuredDocument]) -> set[str]:
    found: set[str] = set()
    open_uids = [start]
    while open_uids:
        for uid in by_uid[open_uids.pop()].facts.predecessors:
            if uid in by_uid and uid not in found:
                found.add(uid)
                open_uids.append(uid)
    return found


def _by_reader_and_study(parts: Iterable[Part]) -> list[list[Part]]:
    groups: dict[tuple[tuple[str, ...], str], list[Part]] = {}
    for part in parts:
        groups.setdefault((part.reader, part.study_instance_uid), []).append(part)
    return list(groups.values())


def _among_one_reader(parts: Sequence[Part]) -> list[_Comparison]:
    """Return what one reader's later documents on one study do to the earlier ones."""
    found = [_Comparison(item) for item in _partial_beside_complete(parts)]
    gone = {id(item.replaced.part) for item in found if item.replaced}
    for later in sorted((part for part in parts if id(part) not in gone), key=_age, reverse=True):
        for earlier in parts:
            if id(later) in gone:
                break
            if id(earlier) in gone or not _is_before(earlier, later):
                continue
            comparison = _compared(earlier, later)
            found.append(comparison)
            if comparison.replaced is not None:
                gone.add(id(comparison.replaced.part))
    return found


def _partial_beside_complete(parts: Sequence[Part]) -> list[Replaced]:
    """Return the partial documents where there is a complete one."""
    complete = [part for part in parts if part.facts.is_complete]
    if not complete:
        return []
    newest = max(complete, key=_age)
    everything = tuple(item for part in complete for item in part.measurements)
    words = "its content is partial, and a complete document of the same reader was read"
    return [
        Replaced(part, newest.facts.document_uid, words, _only_in(part.measurements, everything))
        for part in parts
        if not part.facts.is_complete
    ]


def _compared(earlier: Part, later: Part) -> _Comparison:
    """Return which of two documents of one reader on one study counts no more, or which measurements are in doubt."""
    pairs = [(one, other) for one in earlier.measurements for other in later.measurements if lies_on(one, other)]
    if not pairs:
        return _Comparison()  # one document a measurement, as some viewers write: both count
    if _is_less_final(later.facts, earlier.facts):
        words = (
            "an earlier document of the same reader that measures the same is verified or final, and this one is not"
        )
        lost = _only_in(later.measurements, earlier.measurements)
        return _Comparison(Replaced(later, earlier.facts.document_uid, words, lost))
    lost = _only_in(earlier.measurements, later.measurements)
    if not lost or _is_whole_reading(earlier, later, pairs, lost):
        words = "the same reader measured the same images again later"
        return _Comparison(Replaced(earlier, later.facts.document_uid, words, lost))
    again = frozenset(one.measurement_uid for one, _ in pairs)
    return _Comparison(measured_again=again, doubted=frozenset(item.measurement_uid for item in lost))


def _is_less_final(one: DocumentFacts, other: DocumentFacts) -> bool:
    is_unverified = other.is_verified and not one.is_verified
    return is_unverified or (one.is_preliminary and not other.is_preliminary and not one.is_verified)


def _is_whole_reading(
    earlier: Part, later: Part, pairs: Sequence[tuple[Measurement, Measurement]], lost: Sequence[Measurement]
) -> bool:
    """Return whether a later document that leaves lesions out is a new reading, and no correction of some alone.

    Nobody who only corrects one lesion writes down another again unchanged. And a tool that wrote several lesions into
    one document writes the next reading whole, too; that it leaves out more than it measures again is no such reading.
    """
    if any(_is_same_line(one, other) for one, other in pairs):
        return True
    again = {one.measurement_uid for one, _ in pairs}
    return _tools(earlier) == _tools(later) and len(lost) <= len(again)


def _tools(part: Part) -> set[tuple[str, str]]:
    return {(item.source.format, item.source.writer) for item in part.measurements}


def _only_in(measurements: Sequence[Measurement], others: Sequence[Measurement]) -> tuple[Measurement, ...]:
    return tuple(item for item in measurements if not any(lies_on(item, other) for other in others))


def _is_same_line(one: Measurement, other: Measurement) -> bool:
    """Return whether both have the same long axis, whichever end comes first."""
    if one.long_axis is None or other.long_axis is None:
        return False
    return _ends_differ_mm(one.long_axis, other.long_axis) <= _SAME_POINT_MM


def _ends_differ_mm(one: Axis, other: Axis) -> float:
    ends = np.array([one.start_lps_mm, one.end_lps_mm])
    theirs = np.array([other.start_lps_mm, other.end_lps_mm])
    return min(float(np.linalg.norm(ends - order, axis=1).max()) for order in (theirs, theirs[::-1]))


def _is_before(one: Part, other: Part) -> bool:
    first, second = one.facts.written_at, other.facts.written_at
    return first is not None and second is not None and first < second


def _age(part: Part) -> tuple[datetime.datetime, str]:
    return part.facts.written_at or _EPOCH, part.facts.document_uid
