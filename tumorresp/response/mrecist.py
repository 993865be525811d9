"""Modified RECIST for hepatocellular carcinoma (Lencioni and Llovet, Semin Liver Dis 30 (2010) 52-60).

Tumour is what enhances in the arterial phase. RECIST 1.1's argument is kept, but the diameter is that of the viable
part, and what cirrhosis alone can cause (small nodes at the porta hepatis, effusions, small nodules) is no progression
by itself. ``docs/criteria/mrecist.md`` has the rules in a table.
"""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from functools import partial

from tumorresp.domain.assessment import Assessment
from tumorresp.domain.finding import Finding, Severity
from tumorresp.domain.measurement import LesionState
from tumorresp.domain.organ import counted_organ
from tumorresp.response.mrecist_parameters import MRecistParameters
from tumorresp.response.mrecist_reading import LIVER, Reading, read_as_hcc
from tumorresp.response.observation import LesionObservation, Visit
from tumorresp.response.parameters import as_pairs
from tumorresp.response.sum_criterion import Remarks, SumCriterion, TargetSize
from tumorresp.response.visit_assessment import assess_visits

CRITERION = "mrecist"


def assess_mrecist(visits: Sequence[Visit], parameters: MRecistParameters | None = None) -> tuple[Assessment, ...]:
    """Assess every visit of a subject by mRECIST.

    Parameters
    ----------
    visits
        In order of date; the first is the baseline.
    parameters
        Thresholds and conventions; the publication's own by default.

    Returns
    -------
    tuple of Assessment
        One a visit, sums of viable diameters in mm. A visit's assessment depends on no later visit.

    Raises
    ------
    InvalidInput
        If the visits are not in order of date.
    """
    rules = parameters or MRecistParameters()
    readings = read_as_hcc(visits, rules)
    criterion = SumCriterion(
        name=CRITERION,
        unit="mm",
        sum_name="sum of viable diameters",
        size_name="viable diameter",
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
        parameters=as_pairs(rules),
        size=partial(_viable_diameter, rules),
        growth_mm=_growth,
        remarks=partial(_remarks, readings),
    )
    assessed = assess_visits([reading.visit for reading in readings], criterion)
    return tuple(_with_reading(item, reading) for item, reading in zip(assessed, readings, strict=True))


def _viable_diameter(rules: MRecistParameters, seen: LesionObservation) -> TargetSize:
    """Return the longest diameter of the enhancing part, of a node the short axis; 0 when nothing enhances."""
    if seen.state is LesionState.NOT_EVALUABLE:
        return TargetSize(None)
    if seen.nodal:
        return _node(rules, seen)
    viable = seen.viable_long_axis_mm
    if seen.state is LesionState.ABSENT:
        if viable:
            words = (
                f"{seen.name} is called absent, but has a viable diameter: it is not evaluable until one is corrected."
            )
            return _not_evaluable("absent-with-size", words, seen)
        return TargetSize(Decimal(0), "absent")
    if viable is not None:
        return TargetSize(viable, "" if viable else "no arterial enhancement", _impossible(seen, viable))
    if seen.long_axis_mm is None:
        return TargetSize(rules.too_small_mm, "too small to measure") if _is_too_small(seen) else TargetSize(None)
    if rules.long_axis_outside_liver and counted_organ(seen.organ, nodal=False) not in ("", LIVER):
        return TargetSize(seen.long_axis_mm, "longest diameter, outside the liver", quantity="long axis")
    words = f"{seen.name} has a longest diameter, but no viable one, which mRECIST counts: it is not evaluable."
    return _not_evaluable("no-viable-diameter", words, seen)


def _node(rules: MRecistParameters, seen: LesionObservation) -> TargetSize:
    """Return the short axis: nodes are measured as in RECIST 1.1."""
    if seen.state is LesionState.ABSENT:
        return TargetSize(Decimal(0), "absent")
    if seen.short_axis_mm is not None:
        return TargetSize(seen.short_axis_mm, "short axis", quantity="short axis")
    if _is_too_small(seen):
        return TargetSize(rules.too_small_mm, "too small to measure")
    if seen.long_axis_mm is not None or seen.viable_long_axis_mm is not None:
        words = f"{seen.name} is a node without a short axis, the one that mRECIST counts: it is not evaluable."
        return _not_evaluable("node-without-short-axis", words, seen)
    return TargetSize(None)


def _is_too_small(seen: LesionObservation) -> bool:
    return seen.state is LesionState.TOO_SMALL


def _not_evaluable(code: str, words: str, seen: LesionObservation) -> TargetSize:
    return TargetSize(None, finding=Finding(code, Severity.ERROR, words, seen.lesion_id, decides=True))


def _impossible(seen: LesionObservation, viable: Decimal) -> Finding | None:
    if seen.long_axis_mm is None or viable <= seen.long_axis_mm:
        return None
    words = f"The viable diameter of {seen.name}, {viable} mm, is longer than the lesion's {seen.long_axis_mm} mm."
    return Finding("viable-longer-than-lesion", Severity.WARNING, words, seen.lesion_id)


def _growth(nadir: Decimal, total: Decimal) -> Decimal:
    return total - nadir


def _remarks(readings: Sequence[Reading], _visits: Sequence[Visit], index: int) -> Remarks:
    return (), readings[index].findings


def _with_reading(assessment: Assessment, reading: Reading) -> Assessment:
    """Return an assessment that says first what mRECIST made of the reading."""
    if not reading.reasons:
        return assessment
    return replace(assessment, reasons=(*reading.reasons, *assessment.reasons))
