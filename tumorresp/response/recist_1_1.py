"""RECIST 1.1 at each time point (Eisenhauer 2009, Eur J Cancer 45:228-247), from lesion observations.

All comparisons are of exact decimals and fractions; percentages are for people only.
"""

from collections.abc import Sequence
from decimal import Decimal
from functools import partial

from tumorresp.domain.assessment import Assessment
from tumorresp.domain.counted_axis import counted_axis
from tumorresp.domain.finding import Finding, Severity
from tumorresp.domain.measurement import LesionState
from tumorresp.response.observation import LesionObservation, Visit
from tumorresp.response.parameters import Recist11Parameters, as_pairs
from tumorresp.response.sum_criterion import Remarks, SumCriterion, TargetSize
from tumorresp.response.visit_assessment import assess_visits

CRITERION = "recist-1.1"


def assess_recist_1_1(visits: Sequence[Visit], parameters: Recist11Parameters | None = None) -> tuple[Assessment, ...]:
    """Assess every visit of a subject by RECIST 1.1.

    Parameters
    ----------
    visits
        In order of date; the first is the baseline.
    parameters
        Thresholds and conventions; RECIST 1.1's own by default.

    Returns
    -------
    tuple of Assessment
        One a visit, sums in mm. A visit's assessment depends on no later visit.

    Raises
    ------
    InvalidInput
        If the visits are not in order of date.
    """
    rules = parameters or Recist11Parameters()
    criterion = SumCriterion(
        name=CRITERION,
        unit="mm",
        sum_name="sum of diameters",
        size_name="diameter",
        shown_unit="mm",
        shown_exponent=0,
        shown_places=1,
        partial_response=rules.partial_response,
        progression=rules.progression,
        progression_mm=rules.progression_mm,
        growth_name="",
        normal_node_mm=rules.normal_node_mm,
        reappearance_after_cr_is_pd=rules.reappearance_after_cr_is_pd,
        pr_carry_forward=rules.pr_carry_forward,
        markers_count=rules.markers_count,
        incomplete_sum_shown=rules.incomplete_sum_shown,
        parameters=as_pairs(rules),
        size=partial(_diameter, rules),
        growth_mm=_growth,
        remarks=_no_remarks,
    )
    return assess_visits(visits, criterion)


def _diameter(rules: Recist11Parameters, seen: LesionObservation) -> TargetSize:
    """Return the long axis, of a node the short one (section 4.3.1); 0 when absent; 5 mm when too small to measure."""
    if seen.state is LesionState.NOT_EVALUABLE:
        return TargetSize(None)
    if seen.state is LesionState.ABSENT:
        return TargetSize(Decimal(0), "absent")
    if seen.counted_mm is not None:
        axis = counted_axis(nodal=seen.nodal)
        return TargetSize(seen.counted_mm, axis if seen.nodal else "", quantity=axis)
    if seen.state is LesionState.TOO_SMALL:
        return TargetSize(rules.too_small_mm, "too small to measure")
    if seen.nodal and seen.long_axis_mm is not None:
        words = f"{seen.name} is a node without a short axis, the one that RECIST 1.1 counts: it is not evaluable."
        return TargetSize(
            None, finding=Finding("node-without-short-axis", Severity.ERROR, words, seen.lesion_id, decides=True)
        )
    return TargetSize(None)


def _growth(nadir: Decimal, total: Decimal) -> Decimal:
    return total - nadir


def _no_remarks(_visits: Sequence[Visit], _index: int) -> Remarks:
    return (), ()
