"""What distinguishes one criterion by the sum of target lesions from another; the argument is the same."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from tumorresp.domain.finding import Finding
from tumorresp.response.observation import LesionObservation, Visit
from tumorresp.response.reasons import rounded


@dataclass(frozen=True)
class TargetSize:
    """What one target adds to the sum.

    Parameters
    ----------
    value
        mm or mm3; None where the lesion cannot be evaluated.
    note
        How the number came about where it is not simply measured.
    finding
        What must be shown to a person about it.
    quantity
        What was measured, where it is not the criterion's ``size_name``.
    doubt
        Why a lesion that is there has no size that counts: without it no sum of the baseline is known.
    """

    value: Decimal | None
    note: str = ""
    finding: Finding | None = None
    quantity: str = ""
    doubt: str = ""


Remarks = tuple[tuple[str, ...], tuple[Finding, ...]]
"""Further reasons and findings of a visit."""


@dataclass(frozen=True)
class SumCriterion:
    """A response criterion that compares the sum of target sizes with baseline and nadir.

    Parameters
    ----------
    name, unit
        As in ``Assessment``.
    sum_name, size_name
        What is summed, in words: the whole, and that of one lesion.
    shown_unit, shown_exponent, shown_places
        People see value x 10 ** -exponent in this unit, with at least so many places.
    partial_response, progression
        Ratios to baseline and nadir.
    progression_mm
        Least growth since the nadir for PD, as ``growth_mm`` gives it.
    growth_name
        What grows by ``growth_mm``, in words; empty for the sum itself.
    size
        What a lesion adds.
    growth_mm
        Growth from (nadir, sum).
    remarks
        Of (visits, index of the visit).
    markers_count
        Elevated tumour markers stand against CR.
    incomplete_sum_shown
        Where a lesion is missing, the sum and the changes of the others are shown.
    """

    name: str
    unit: str
    sum_name: str
    size_name: str
    shown_unit: str
    shown_exponent: int
    shown_places: int
    partial_response: Fraction
    progression: Fraction
    progression_mm: Decimal
    growth_name: str
    normal_node_mm: Decimal
    reappearance_after_cr_is_pd: bool
    pr_carry_forward: bool
    parameters: tuple[tuple[str, str], ...]
    size: Callable[[LesionObservation], TargetSize]
    growth_mm: Callable[[Decimal, Decimal], Decimal]
    remarks: Callable[[Sequence[Visit], int], Remarks]
    markers_count: bool = True
    incomplete_sum_shown: bool = False

    def is_partial_response(self, total: Decimal, baseline: Decimal) -> bool:
        """Return whether a sum is small enough for PR."""
        return compared(total, self.partial_response, baseline) <= 0

    def is_progression(self, total: Decimal, nadir: Decimal) -> bool:
        """Return whether a sum is PD: by ratio and by absolute growth."""
        return compared(total, self.progression, nadir) >= 0 and self.growth_mm(nadir, total) >= self.progression_mm

    def shown_value(self, value: Decimal, places: int) -> Decimal:
        """Return a sum or size as shown, still in the criterion's own unit."""
        return rounded(value, places - self.shown_exponent)

    def shown(self, value: Decimal, places: int) -> str:
        """Return a sum or size for people, without its unit."""
        return f"{rounded(value.scaleb(-self.shown_exponent), places):f}"


def compared(total: Decimal, ratio: Fraction, reference: Decimal) -> int:
    """Return the sign of total - ratio x reference, exactly, in whole numbers."""
    over, under = total.as_integer_ratio()
    reference_over, reference_under = reference.as_integer_ratio()
    one = over * ratio.denominator * reference_under
    other = ratio.numerator * reference_over * under
    return (one > other) - (one < other)
