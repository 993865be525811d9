"""The baseline of a course against the rules of target choice (``tumorresp.domain.eligibility``)."""

from collections.abc import Sequence

from tumorresp.domain.eligibility import BaselineLesion, BaselineRules, check_baseline_age, check_target_choice
from tumorresp.domain.finding import Finding
from tumorresp.response.observation import LesionObservation, Visit
from tumorresp.response.subject import SubjectDates


def check_baseline(
    visits: Sequence[Visit], dates: SubjectDates, rules: BaselineRules | None = None
) -> tuple[Finding, ...]:
    """Check the first visit against the rules of target choice, from images and from tables alike.

    Returns
    -------
    tuple of Finding
        Those of ``check_target_choice`` and ``check_baseline_age``.
    """
    if not visits:
        return ()
    baseline = visits[0]
    scanned = baseline.first_date or baseline.date, baseline.date
    return (
        *check_target_choice([baseline_lesion(item) for item in baseline.observations if not item.pending], rules),
        *check_baseline_age(scanned, dates.reference, rules, baseline.name),
    )


def baseline_lesion(seen: LesionObservation) -> BaselineLesion:
    """Return an observation as the choice of targets sees it."""
    return BaselineLesion(
        lesion_id=seen.lesion_id,
        role=seen.role,
        nodal=seen.nodal,
        organ=seen.organ,
        state=seen.state,
        long_axis_mm=seen.long_axis_mm,
        short_axis_mm=seen.short_axis_mm,
        slice_thickness_mm=seen.slice_thickness_mm,
        method=seen.method,
        irradiated=seen.irradiated,
        source=seen.source,
    )
