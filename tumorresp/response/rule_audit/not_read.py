"""What the audit does not say: where input could not be read, a value that does not follow may yet be right."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from tumorresp.domain.assessment import Assessment
from tumorresp.domain.measurement import LesionRole
from tumorresp.response.observation import Hides
from tumorresp.response.recist_1_1 import CRITERION, assess_recist_1_1
from tumorresp.response.refused import NADIR_NOT_READ, assess_with_refused
from tumorresp.response.rule_audit.derivation import Derivation
from tumorresp.response.rule_audit.reported import AuditFinding, AuditParameters
from tumorresp.response.subject import SubjectCourse

_DATE = "response date"
_FROM_NADIR = "change from nadir"
_OF_COURSE = ("best overall response", "progression date")
_CODE = "input-not-read"
_RULE = "What could not be read is not absent: nothing is derived that it may have changed."


@dataclass(frozen=True)
class OpenVisits:
    """Where something could not be read.

    Parameters
    ----------
    marks
        By visit: what bears on it, in words; nothing where the derivation stands all the same.
    nadir
        By visit: whether a target of an earlier visit could not be read, which may have been smaller.
    """

    marks: tuple[tuple[str, ...], ...]
    nadir: tuple[bool, ...]

    def visit_findings(self, index: int, found: Iterable[AuditFinding]) -> Iterator[AuditFinding]:
        """Give the findings of a visit; those that may be wrong as one that says why nothing is derived."""
        doubtful: list[AuditFinding] = []
        for item in found:
            if item.what == _DATE:
                yield item
            elif self.marks[index] or (self.nadir[index] and item.what.startswith(_FROM_NADIR)):
                doubtful.append(item)
            else:
                yield item
        if doubtful:
            yield _not_derived(doubtful, self.marks[index])

    def course_findings(self, found: Iterable[AuditFinding]) -> Iterator[AuditFinding]:
        """Give the findings of the whole course; of those that may be wrong it is said first."""
        marks = [mark for marks in self.marks for mark in marks]
        for item in found:
            if not marks or item.what not in _OF_COURSE:
                yield item
                continue
            words = f"Something could not be read, which may explain it ({marks[0]}). Or: {item.diagnosis}"
            yield replace(item, diagnosis=words, explanations=((_CODE,), *item.explanations))


def open_visits(course: SubjectCourse, derivation: Derivation, parameters: AuditParameters) -> OpenVisits:
    """Return where something of a course could not be read and may have changed what is derived."""
    certain = assess_with_refused(
        course,
        CRITERION,
        lambda visits: assess_recist_1_1(visits, parameters.recist),
        parameters.baseline.late_target,
    )
    marks = tuple(
        item.refused
        if course.refused or visit.refused or item.overall is not plain.overall or _rests_on_unread_nadir(item)
        else ()
        for item, plain, visit in zip(certain, derivation.assessments, course.visits, strict=True)
    )
    unread = [
        any(item.role in (LesionRole.TARGET, None) and item.hides is Hides.ANYTHING for item in visit.refused)
        for visit in course.visits
    ]
    return OpenVisits(marks, tuple(any(unread[:index]) for index in range(len(unread))))


def _rests_on_unread_nadir(item: Assessment) -> bool:
    return any(finding.code == NADIR_NOT_READ for finding in item.findings)


def _not_derived(doubtful: Sequence[AuditFinding], marks: Sequence[str]) -> AuditFinding:
    first = doubtful[0]
    values = ", ".join(f"{item.what} {item.reported}" for item in doubtful)
    why = "; ".join(marks) or "a target of an earlier visit, which may have been the nadir"
    return replace(
        first,
        what="visit",
        reported=values,
        derived="not derived: something could not be read",
        rule=_RULE,
        diagnosis=f"By what could be read this does not follow, but something could not be read: {why}.",
        explanations=((_CODE,),),
        sources=tuple(dict.fromkeys(source for item in doubtful for source in item.sources)),
    )
