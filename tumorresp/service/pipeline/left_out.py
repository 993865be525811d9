"""What of a subject's measurements is in no result although it may be of its lesions, noted at the time points."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from tumorresp.domain.errors import TumorRespError
from tumorresp.domain.finding import Finding, Severity
from tumorresp.domain.measurement import LesionRole, MarkedMeasurement
from tumorresp.domain.time_points import StudyVisit
from tumorresp.service.pipeline.documents import ReadDocument
from tumorresp.service.pipeline.inputs import LEFT_OUT_DECIDES, InputFile, WaitingItem

_NEW_LESION_MISSED = ("new-lesion-waits", "new-lesion-refused", "new-lesion-not-measurable")


@dataclass(frozen=True)
class NotPlaced:
    """A measurement that waits or was refused when it was placed, and the words for it.

    Parameters
    ----------
    waits
        False where it was refused.
    is_new
        Whether its reader calls the lesion new.
    refers_to
        UIDs of the images that it is about, its study's among them.
    """

    waits: bool
    is_new: bool
    words: str
    document: str
    refers_to: frozenset[str]


def not_placed(item: MarkedMeasurement, document: ReadDocument, words: str, *, waits: bool) -> NotPlaced:
    """Note what could not be placed with every UID that tells its study."""
    study = item.study_instance_uid or document.facts.study_instance_uid or document.file.study_instance_uid
    uids = (item.sop_instance_uid, item.series_instance_uid, study)
    return NotPlaced(
        waits, item.role is LesionRole.NEW, words, document.file.name, frozenset(uid for uid in uids if uid)
    )


def with_left_out(
    visits: Sequence[StudyVisit],
    passed_over: Sequence[WaitingItem],
    missed: Sequence[NotPlaced],
    refused: Iterable[tuple[InputFile, TumorRespError]],
    images: Sequence[InputFile],
    read: Iterable[str],
) -> tuple[StudyVisit, ...]:
    """Note at each time point what was measured on its images and is not in its lesions.

    What belongs to a scan that is no time point here may be the baseline's or the nadir's: it is noted at the first
    time point that was read, from which on responses may be wrong.

    Parameters
    ----------
    refused
        Documents that could not be read at all.
    read
        Study Instance UIDs that something was measured on.
    """
    notes = [
        (item.refers_to, _finding(item.code, item.message, item.where))
        for item in passed_over
        if item.code in LEFT_OUT_DECIDES
    ]
    notes += [(frozenset((file.study_instance_uid,)), _document_refused(file, error)) for file, error in refused]
    own = [_uids(visit, images) for visit in visits]
    here = frozenset().union(*own)
    by_place = _by_document_and_study(missed, frozenset(uid for visit in visits for uid in visit.studies))
    notes += [(items[0].refers_to, _missed_finding(items)) for items in by_place if items[0].refers_to & here]
    studies = set(read)
    first = next((n for n, visit in enumerate(visits) if studies & set(visit.studies)), None)
    elsewhere = tuple(_elsewhere_finding(items) for items in by_place if not items[0].refers_to & here)
    return tuple(
        replace(
            visit,
            findings=(
                *visit.findings,
                *(finding for refers_to, finding in notes if refers_to & uids),
                *(elsewhere if n == first else ()),
            ),
        )
        for n, (visit, uids) in enumerate(zip(visits, own, strict=True))
    )


def _uids(visit: StudyVisit, images: Sequence[InputFile]) -> frozenset[str]:
    studies = frozenset(visit.studies)
    return studies | {
        uid
        for file in images
        if file.study_instance_uid in studies
        for uid in (file.sop_instance_uid, file.series_instance_uid)
    }


def _by_document_and_study(missed: Sequence[NotPlaced], studies: frozenset[str]) -> list[list[NotPlaced]]:
    groups: dict[tuple[str, str, frozenset[str]], list[NotPlaced]] = {}
    for item in missed:
        groups.setdefault((item.document, _code(item), item.refers_to & studies), []).append(item)
    return list(groups.values())


def _finding(code: str, message: str, where: str) -> Finding:
    words = message.replace("this document", f"document {where}")
    return Finding(code, Severity.WARNING, words, where, decides=True)


def _missed_finding(items: Sequence[NotPlaced]) -> Finding:
    count, verb = _counted(items)
    are = "is" if len(items) == 1 else "are"
    words = f"{count} of this document {verb} and {are} in no sum: {items[0].words}"
    return _finding(_code(items[0]), words, items[0].document)


def _elsewhere_finding(items: Sequence[NotPlaced]) -> Finding:
    count, verb = _counted(items)
    words = (
        f"{count} of this document, on a scan that is no time point here, {verb}: {items[0].words} "
        "That scan may be the baseline, or have the smallest sum."
    )
    return _finding(_code(items[0]), words, items[0].document)


def _counted(items: Sequence[NotPlaced]) -> tuple[str, str]:
    """Return how many measurements, and what is the matter with them."""
    if len(items) == 1:
        return "1 measurement", "waits" if items[0].waits else "was refused"
    return f"{len(items)} measurements", "wait" if items[0].waits else "were refused"


def _code(item: NotPlaced) -> str:
    return f"{'new-lesion' if item.is_new else 'measurement'}-{'waits' if item.waits else 'refused'}"


def new_lesion_missed(findings: Iterable[Finding]) -> str:
    """Return in words that a lesion called new is not among a time point's lesions; empty where all are."""
    if any(finding.code in _NEW_LESION_MISSED for finding in findings):
        return "a lesion that is called new waits for its images, was refused or has no size"
    return ""


def _document_refused(file: InputFile, error: TumorRespError) -> Finding:
    words = f"Document {file.name} cannot be read, and what it measures is in no sum: {error}"
    return Finding("document-refused", Severity.WARNING, words, file.name, decides=True)
