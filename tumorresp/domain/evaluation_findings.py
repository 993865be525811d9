"""Everything that was noticed in an evaluation, and of it what may have changed a response category."""

from collections.abc import Iterator
from dataclasses import dataclass

from tumorresp.domain.evaluation import AmbiguousMatch, SubjectEvaluation, TimePoint, TimePointEvaluation
from tumorresp.domain.finding import Finding, Severity

MATCH_AMBIGUOUS = "match-ambiguous"
"""Code of a measurement that waits for a person's decision on whose it is."""


@dataclass(frozen=True)
class PlacedFinding:
    """A finding with its time point; lesion ID and criterion are empty where it is about all of them."""

    time_point: TimePoint
    lesion_id: str
    criterion: str
    finding: Finding

    @property
    def sentence(self) -> str:
        """What people read where time points and lesions stand in no columns of their own."""
        where = ", ".join(text for text in (self.time_point.name, self.lesion_id) if text)
        return f"{where}: {self.finding.message}"


def all_findings(evaluation: SubjectEvaluation) -> tuple[PlacedFinding, ...]:
    """Return everything that a person should see, by time point, without repeats."""
    seen: dict[tuple[int, str, Finding], PlacedFinding] = {}
    for point in evaluation.time_points:
        for lesion_id, criterion, finding in _findings_at(point):
            placed = PlacedFinding(point.time_point, lesion_id, criterion, finding)
            seen.setdefault((point.time_point.order, lesion_id, finding), placed)
    return tuple(seen.values())


def deciding_findings(evaluation: SubjectEvaluation) -> tuple[PlacedFinding, ...]:
    """Return what may have changed a response category, or keeps one from being given; what waits is among it.

    A response hangs on all time points before it: what decides at one of them is to be shown at the later ones, too.
    """
    noticed = [item for item in all_findings(evaluation) if item.finding.decides]
    waiting = [
        PlacedFinding(point.time_point, "", "", _waits(item))
        for point in evaluation.time_points
        for item in point.ambiguous
    ]
    return tuple(sorted((*noticed, *waiting), key=lambda item: item.time_point.order))


def _findings_at(point: TimePointEvaluation) -> Iterator[tuple[str, str, Finding]]:
    """Give (lesion ID, criterion, finding)."""
    for finding in point.findings:
        yield "", "", finding
    for item in point.lesions:
        of_mask = (*(item.mask.findings if item.mask else ()), *(item.biomarkers.findings if item.biomarkers else ()))
        for finding in (*item.findings, *item.measurement.findings, *of_mask):
            yield item.lesion.lesion_id, "", finding
    for assessment in point.assessments:
        for finding in assessment.findings:
            yield "", assessment.criterion, finding


def _waits(item: AmbiguousMatch) -> Finding:
    label = item.measurement.label.strip()
    words = f"{f'“{label}”' if label else 'A measurement'} waits for a person: {item.reason}"
    return Finding(MATCH_AMBIGUOUS, Severity.WARNING, words, item.measurement.measurement_uid, decides=True)
