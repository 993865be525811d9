"""Responses that rest on a suspicious number: given, and marked as provisional until a person has looked."""

from collections.abc import Callable
from dataclasses import replace

from tumorresp.domain.assessment import Assessment
from tumorresp.domain.finding import Finding, Severity
from tumorresp.domain.measurement import LesionState
from tumorresp.response.observation import LesionObservation, Refused, Visit
from tumorresp.response.subject import SubjectCourse


def with_provisional(
    course: SubjectCourse, assessed: tuple[Assessment, ...], assess: Callable[[SubjectCourse], tuple[Assessment, ...]]
) -> tuple[Assessment, ...]:
    """Return assessments marked where a suspicious number is in them, or has changed their response.

    A visit with a suspicious number is provisional, and so is a later one that would have another response without it
    (a nadir that is a tenth of what it was makes progression of a stable course).

    Parameters
    ----------
    assess
        As the assessments were made, from a course.

    Raises
    ------
    InvalidInput
        As ``assess``.
    """
    if not any(visit.suspicious for visit in course.visits):
        return assessed
    without = assess(replace(course, visits=tuple(_without_suspicious(visit) for visit in course.visits)))
    made, so_far = [], tuple[Refused, ...]()
    for visit, item, other in zip(course.visits, assessed, without, strict=True):
        so_far += visit.suspicious
        marks = visit.suspicious or (so_far if item.overall is not other.overall else ())
        made.append(_marked(visit, item, marks))
    return tuple(made)


def _without_suspicious(visit: Visit) -> Visit:
    lesions = {item.lesion_id for item in visit.suspicious}
    if not lesions:
        return visit
    return replace(
        visit,
        observations=tuple(_unknown(seen) if seen.lesion_id in lesions else seen for seen in visit.observations),
    )


def _unknown(seen: LesionObservation) -> LesionObservation:
    return replace(
        seen,
        state=LesionState.NOT_EVALUABLE,
        long_axis_mm=None,
        short_axis_mm=None,
        volume_mm3=None,
        viable_long_axis_mm=None,
    )


def _marked(visit: Visit, item: Assessment, marks: tuple[Refused, ...]) -> Assessment:
    if not marks:
        return item
    words = "Provisional: " + "; ".join(f"{mark.words} ({mark.where})" for mark in marks) + "."
    finding = Finding("response-provisional", Severity.WARNING, f"{visit.name}: {words}", visit.name, decides=True)
    return replace(
        item,
        reasons=(*item.reasons, words),
        findings=(*item.findings, finding),
        provisional=tuple(f"{mark.where}: {mark.words}" for mark in marks),
    )
