"""A calculation as a reader would do it on paper: the measurements, the sums, the argument, the rule's numbers."""

from collections.abc import Iterator, Sequence
from decimal import Decimal

from tumorresp.domain.assessment import Assessment, Category, LesionInput
from tumorresp.domain.errors import Missing
from tumorresp.response.criteria import criterion_named
from tumorresp.response.observation import Visit
from tumorresp.response.outcome import BestResponse, CriterionOutcome, EndPoint, SubjectOutcome


def explanation(outcome: SubjectOutcome, time_point: str = "") -> str:
    """Return the explanation of a subject, or of one of its time points, as Markdown.

    Parameters
    ----------
    time_point
        Name, ID or date of a visit; empty for all of them and what was made from them.

    Raises
    ------
    Missing
        If the subject has no such time point.
    """
    lines: list[str] = []
    for by_criterion in outcome.outcomes:
        lines += _criterion(outcome, by_criterion, time_point)
    return "\n".join(lines) + "\n"


def _criterion(outcome: SubjectOutcome, by_criterion: CriterionOutcome, time_point: str) -> Iterator[str]:
    visits = outcome.course.visits
    criterion = criterion_named(by_criterion.criterion)
    evaluator = f", evaluator {outcome.course.evaluator}" if outcome.course.evaluator else ""
    yield f"# Subject {outcome.course.subject_id}{evaluator}: {criterion.title}"
    yield ""
    yield f"Source: {criterion.source}." + (" Exploratory: no consensus criterion." if criterion.exploratory else "")
    yield ""
    if not time_point and outcome.course.before_treatment:
        early = ", ".join(f"{visit.name}, {visit.date}" for visit in outcome.course.before_treatment)
        yield f"Before baseline, counted in nothing: {early}."
        yield ""
    for index in _chosen(visits, time_point):
        yield from _visit(visits[index], by_criterion.assessments[index])
    if not time_point:
        yield from _over_time(by_criterion)
    parameters = by_criterion.assessments[0].parameters if by_criterion.assessments else ()
    yield "## Parameters"
    yield ""
    yield from (f"- {name}: {value}" for name, value in parameters)
    yield f"- software: tumorresp {outcome.software_version}"
    yield ""


def _chosen(visits: Sequence[Visit], time_point: str) -> list[int]:
    if not time_point:
        return list(range(len(visits)))
    wanted = time_point.strip().lower()
    for index, visit in enumerate(visits):
        if wanted in (visit.name.lower(), visit.time_point_id.lower(), visit.date.isoformat()):
            return [index]
    known = ", ".join(f"{visit.name} ({visit.date})" for visit in visits)
    raise Missing("the subject has no such time point.", where=time_point, remedy=f"There are: {known}.")


def _visit(visit: Visit, assessment: Assessment) -> Iterator[str]:
    yield f"## {visit.name}, {visit.date}: {_verdict(assessment)}"
    yield ""
    if assessment.inputs:
        yield "| lesion | what | value | how | from |"
        yield "|---|---|---:|---|---|"
        yield from (_input_line(item) for item in assessment.inputs)
        yield ""
    yield from (f"{number}. {reason}" for number, reason in enumerate(assessment.reasons, 1))
    yield ""
    if assessment.refused:
        yield f"Could not be read: {'; '.join(assessment.refused)}."
        yield ""
    if assessment.provisional:
        yield f"Provisional: {'; '.join(assessment.provisional)}."
        yield ""
    for finding in assessment.findings:
        yield f"- {finding.severity}: {finding.message}" + (f" ({finding.where})" if finding.where else "")
    if assessment.findings:
        yield ""


def _verdict(assessment: Assessment) -> str:
    return "baseline" if assessment.overall is Category.BASELINE else str(assessment.overall)


def _input_line(item: LesionInput) -> str:
    value = "not evaluable" if item.value is None else f"{_plain(item.value)} {item.unit}"
    return f"| {item.lesion_id} | {item.quantity} | {value} | {item.note} | {item.source} |"


def _over_time(by_criterion: CriterionOutcome) -> Iterator[str]:
    for title, best in (
        ("Best overall response", by_criterion.best_response),
        ("Best overall response, confirmed", by_criterion.confirmed_response),
    ):
        if best is not None:
            yield from _best(title, best)
    for item in by_criterion.end_points:
        yield from _end_point(item)


def _best(title: str, best: BestResponse) -> Iterator[str]:
    yield f"## {title}: {best.category}" + (f", {best.date}" if best.date else "")
    yield ""
    yield from (f"{number}. {reason}" for number, reason in enumerate(best.reasons, 1))
    yield from (f"- {finding.severity}: {finding.message}" for finding in best.findings)
    yield f"- parameters: {', '.join(f'{name} {value}' for name, value in best.parameters)}"
    yield ""


def _end_point(item: EndPoint) -> Iterator[str]:
    verdict = "event" if item.event else "censored"
    yield f"## {item.name}: {item.days} days, {verdict} ({item.description})"
    yield ""
    yield f"{item.start} to {item.end}: {item.end} − {item.start} + 1 = {item.days} days."
    yield ""
    yield from (f"{number}. {reason}" for number, reason in enumerate(item.reasons, 1))
    yield ""


def _plain(value: Decimal) -> str:
    return f"{value.normalize():f}"
