"""The spleen by its vertical length (Lugano classification, CT; Cheson 2014, J Clin Oncol 32:3059, Table 3).

What counts is the excess over the normal length: a spleen of 150 mm exceeds 130 mm by 20 mm and has progressed when it
is longer than 160 mm.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from tumorresp.domain.assessment import Category, LesionInput, SecondaryMeasure
from tumorresp.domain.finding import Finding, Severity
from tumorresp.domain.measurement import LesionRole, LesionState
from tumorresp.domain.organ import counted_organ
from tumorresp.response.lugano_parameters import LuganoParameters
from tumorresp.response.observation import LesionObservation, Visit
from tumorresp.response.perpendicular_diameters import plain
from tumorresp.response.reasons import displayed_percent_change, ratio_as_percent

_SPLEEN = "spleen"


@dataclass(frozen=True)
class Spleen:
    """The spleen at one visit.

    Parameters
    ----------
    category
        ``BASELINE``; CR normal, PR, SD and PD by its length; NE not assessed though it was enlarged;
        ``NOT_APPLICABLE`` where it was not enlarged and is not now.
    """

    category: Category
    reason: str
    inputs: tuple[LesionInput, ...] = ()
    secondary: tuple[SecondaryMeasure, ...] = ()


def spleen_of(baseline: Visit, rules: LuganoParameters) -> tuple[LesionObservation | None, tuple[Finding, ...]]:
    """Return the observation that carries the spleen's length at baseline, or None.

    It is the longest one in the spleen with one axis alone, no shorter than a spleen is.
    """
    found = [
        seen
        for seen in baseline.observations
        if seen.role is not LesionRole.NEW
        and not seen.nodal
        and seen.short_axis_mm is None
        and seen.long_axis_mm is not None
        and seen.long_axis_mm >= rules.least_spleen_mm
        and not seen.is_contradictory
        and seen.state is not LesionState.NOT_EVALUABLE
        and counted_organ(seen.organ, nodal=False) == _SPLEEN
    ]
    if not found:
        return None, ()
    spleen = max(found, key=lambda seen: (seen.long_axis_mm, seen.lesion_id))
    words = f"is in the spleen with one axis, as is {spleen.name}, which is taken for the organ's length."
    return spleen, tuple(
        Finding("spleen-measured-twice", Severity.WARNING, f"{seen.name} {words}", seen.lesion_id, decides=True)
        for seen in found
        if seen is not spleen
    )


def spleen_course(visits: Sequence[Visit], spleen: LesionObservation, rules: LuganoParameters) -> tuple[Spleen, ...]:
    """Return the spleen at every visit; a visit's depends on no later one."""
    first = spleen.long_axis_mm
    assert first is not None, "chosen by its length"
    normal = rules.normal_spleen_mm
    # Once it was normal, a spleen that is too long again is new or recurrent splenomegaly.
    lowest_normal = first if first <= normal else None
    course = [_baseline(spleen, first, rules)]
    for visit in visits[1:]:
        seen = visit.of(spleen.lesion_id)
        length = None if seen is None else _length(seen)
        inputs = (LesionInput(spleen.lesion_id, "long axis", length, "mm", "length of the spleen", _source(seen)),)
        secondary = (_measure(length, first),)
        if seen is not None and seen.state is LesionState.UNEQUIVOCAL_PROGRESSION:
            category, reason = Category.PD, "The reader saw unequivocal progression of the spleen → PD."
        elif length is None and first <= normal:
            category, reason = Category.NOT_APPLICABLE, "Spleen not assessed; it was normal at baseline."
        elif length is None:
            category, reason = Category.NE, "Spleen not assessed; it was enlarged at baseline → NE."
        elif lowest_normal is not None:
            category, reason = _since_normal(length, first, lowest_normal, rules)
        else:
            category, reason = _since_enlarged(length, first, rules)
        course.append(Spleen(category, reason, inputs, secondary))
        if length is not None and length <= normal:
            lowest_normal = length if lowest_normal is None else min(length, lowest_normal)
    return tuple(course)


def _baseline(spleen: LesionObservation, first: Decimal, rules: LuganoParameters) -> Spleen:
    normal = plain(rules.normal_spleen_mm)
    if first <= rules.normal_spleen_mm:
        words = f"Spleen {plain(first)} mm long, not over {normal} mm: normal."
    else:
        excess = plain(first - rules.normal_spleen_mm)
        words = f"Spleen {plain(first)} mm long, {excess} mm over {normal} mm: enlarged."
    item = LesionInput(spleen.lesion_id, "long axis", first, "mm", "length of the spleen", spleen.source)
    return Spleen(Category.BASELINE, words, (item,), (SecondaryMeasure("spleen length", "mm", first),))


def _since_enlarged(length: Decimal, first: Decimal, rules: LuganoParameters) -> tuple[Category, str]:
    normal, part = rules.normal_spleen_mm, rules.spleen_change
    said = f"Spleen {plain(length)} mm"
    if length <= normal:
        return Category.CR, f"{said}, not over {plain(normal)} mm: back to normal."
    excess, before = length - normal, first - normal
    change, unit = (excess - before) * part.denominator, before * part.numerator
    said += f", {plain(excess)} mm over {plain(normal)} mm after {plain(before)} mm at baseline"
    least = ratio_as_percent(1 + part)
    if change > unit:
        return Category.PD, f"{said}: the excess grew by more than {least} → PD."
    if -change > unit:
        return Category.PR, f"{said}: the excess fell by more than {least}."
    return Category.SD, f"{said}: the excess neither fell nor grew by more than {least}."


def _since_normal(
    length: Decimal, first: Decimal, lowest_normal: Decimal, rules: LuganoParameters
) -> tuple[Category, str]:
    """Judge a spleen that was normal: from the baseline, or, after splenomegaly, from the smallest since."""
    normal = rules.normal_spleen_mm
    was_enlarged = first > normal
    reference = lowest_normal if was_enlarged else first
    known = Category.CR if was_enlarged else Category.NOT_APPLICABLE
    growth, least = length - reference, plain(rules.spleen_growth_mm)
    since = f"{plain(reference)} mm {'at its smallest' if was_enlarged else 'at baseline'}"
    if length <= normal:
        return known, f"Spleen {plain(length)} mm, not over {plain(normal)} mm: normal."
    if growth >= rules.spleen_growth_mm:
        kind = "recurrent" if was_enlarged else "new"
        return (
            Category.PD,
            f"Spleen {plain(length)} mm, at least {least} mm more than {since}: {kind} splenomegaly → PD.",
        )
    known = Category.SD if was_enlarged else Category.NOT_APPLICABLE
    return known, f"Spleen {plain(length)} mm, less than {least} mm more than {since}: no progression."


def _length(seen: LesionObservation) -> Decimal | None:
    if seen.pending or seen.state in (LesionState.NOT_EVALUABLE, LesionState.ABSENT):
        return None
    return seen.long_axis_mm


def _source(seen: LesionObservation | None) -> str:
    return "" if seen is None else seen.source


def _measure(length: Decimal | None, first: Decimal) -> SecondaryMeasure:
    return SecondaryMeasure("spleen length", "mm", length, first, "baseline", displayed_percent_change(length, first))
