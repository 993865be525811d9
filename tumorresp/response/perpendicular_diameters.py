"""Lesions by the product of two perpendicular diameters, as criteria with a sum of products (SPD) count them."""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from tumorresp.domain.finding import Finding, Severity
from tumorresp.domain.measurement import LesionState
from tumorresp.response.observation import LesionObservation
from tumorresp.response.sum_criterion import Remarks, SumCriterion, TargetSize


@dataclass(frozen=True, slots=True)
class Diameters:
    """The longest diameter (LDi) and the one perpendicular to it (SDi), in mm."""

    long_mm: Decimal
    short_mm: Decimal

    @property
    def product_mm2(self) -> Decimal:
        """Product of both (PPD)."""
        return self.long_mm * self.short_mm

    def __str__(self) -> str:
        return f"{plain(self.long_mm)} × {plain(self.short_mm)} mm"


def plain(value: Decimal) -> str:
    """Return all digits of a number, without zeros at the end."""
    return f"{value.normalize():f}"


def diameters_of(seen: LesionObservation, too_small_mm: Decimal) -> Diameters | None:
    """Return both diameters: 0 when absent, the default when too small to measure, None when they are not known."""
    if seen.state is LesionState.NOT_EVALUABLE or seen.is_contradictory:
        return None
    if seen.state is LesionState.ABSENT:
        return Diameters(Decimal(0), Decimal(0))
    one, other = seen.long_axis_mm, seen.short_axis_mm
    if one is not None and other is not None:
        return Diameters(max(one, other), min(one, other))
    if seen.state is LesionState.TOO_SMALL:
        return Diameters(too_small_mm, too_small_mm)
    return None


def product_criterion(
    name: str,
    *,
    parameters: tuple[tuple[str, str], ...],
    partial_response: Fraction,
    progression: Fraction,
    too_small_mm: Decimal,
    reappearance_after_cr_is_pd: bool,
) -> SumCriterion:
    """Return a criterion with the sum of products of perpendicular diameters, in mm2."""

    def size(seen: LesionObservation) -> TargetSize:
        return _product(seen, too_small_mm)

    return SumCriterion(
        name=name,
        unit="mm2",
        sum_name="sum of products of diameters",
        size_name="product of diameters",
        shown_unit="mm²",
        shown_exponent=0,
        shown_places=1,
        partial_response=partial_response,
        progression=progression,
        progression_mm=Decimal(0),
        growth_name="",
        normal_node_mm=Decimal(0),
        reappearance_after_cr_is_pd=reappearance_after_cr_is_pd,
        pr_carry_forward=False,
        parameters=parameters,
        size=size,
        growth_mm=_growth,
        remarks=_no_remarks,
        markers_count=False,
    )


def _product(seen: LesionObservation, too_small_mm: Decimal) -> TargetSize:
    diameters = diameters_of(seen, too_small_mm)
    if diameters is None:
        return TargetSize(None, finding=_one_diameter_only(seen))
    if seen.state is LesionState.ABSENT:
        return TargetSize(Decimal(0), "absent")
    is_measured = seen.long_axis_mm is not None and seen.short_axis_mm is not None
    note = str(diameters) if is_measured else f"too small to measure, {diameters}"
    return TargetSize(diameters.product_mm2, note)


def _one_diameter_only(seen: LesionObservation) -> Finding | None:
    if seen.state is LesionState.NOT_EVALUABLE or (seen.long_axis_mm is None and seen.short_axis_mm is None):
        return None
    words = f"{seen.name} has one diameter only; the product takes two perpendicular ones: it is not evaluable."
    return Finding("one-diameter-only", Severity.ERROR, words, seen.lesion_id, decides=True)


def _growth(reference: Decimal, total: Decimal) -> Decimal:
    return total - reference


def _no_remarks(_visits: object, _index: int) -> Remarks:
    return (), ()
