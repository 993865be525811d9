"""RECIST 1.1 at each time point (Eisenhauer 2009, Eur J Cancer 45:228-247), from lesion observations.

All comparisons are of exact decimals and fractions; percentages are for people only.
"""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction

from tumorresp.domain.assessment import Assessment
from tumorresp.domain.finding import Finding, Severity
from tumorresp.domain.measurement import LesionState
from tumorresp.response.observation import LesionObservation, Visit
from tumorresp.response.parameters import Recist11Parameters, as_pairs
from tumorresp.response.sum_criterion import SumCriterion, assess_sums
from tumorresp.response.words import millimetres

CRITERION = "recist-1.1"


def assess_recist_1_1(visits: Sequence[Visit], parameters: Recist11Parameters | None = None) -> tuple[Assessment, ...]:
    """Assess every visit of a subject.

    Parameters
    ----------
    visits
        In order of date; the first is the baseline.
    parameters
        Thresholds and conventions; RECIST 1.1's own by default.

    Returns
    -------
    tuple of Assessment
        One a visit. A visit's assessment depends on no later visit.
    """
    return assess_sums(visits, _Diameters(parameters or Recist11Parameters()))


class _Diameters(SumCriterion):
    """Sum of diameters: long axis, of nodes the short axis."""

    name = CRITERION
    unit = "mm"
    what = "diameters"

    def __init__(self, rules: Recist11Parameters) -> None:
        self._rules = rules
        self.parameters = as_pairs(rules)
        self.normal_node_mm = rules.normal_node_mm
        self.reappearance_after_cr_is_pd = rules.reappearance_after_cr_is_pd
        self.pr_carry_forward = rules.pr_carry_forward

    def size(self, seen: LesionObservation) -> Decimal | None:
        """Return the diameter that counts, or None where the lesion cannot be evaluated."""
        if seen.state is LesionState.ABSENT:
            return Decimal(0)
        if seen.state is LesionState.NOT_EVALUABLE:
            return None
        measured = seen.short_axis_mm if seen.nodal else seen.long_axis_mm
        if measured is None and seen.state is LesionState.TOO_SMALL:
            return self._rules.too_small_mm
        return measured

    def no_size_finding(self, seen: LesionObservation) -> Finding | None:
        """Say why a node with a long axis only has no size."""
        if seen.nodal and seen.short_axis_mm is None and seen.long_axis_mm is not None:
            words = f"{seen.name} is a node without a short axis, the one that RECIST 1.1 counts: it is not evaluable."
            return Finding("node-without-short-axis", Severity.ERROR, words, seen.lesion_id)
        return None

    def in_words(self, value: Decimal) -> str:
        """Return a sum for people."""
        return millimetres(value)

    def is_partial_response(self, total: Decimal, baseline: Decimal) -> bool:
        """At least 30 % smaller than the baseline sum."""
        return Fraction(total) <= self._rules.partial_response * Fraction(baseline)

    def is_progression(self, total: Decimal, nadir: Decimal) -> bool:
        """At least 20 % and 5 mm larger than the nadir."""
        return (
            Fraction(total) >= self._rules.progression * Fraction(nadir) and total - nadir >= self._rules.progression_mm
        )

    @property
    def partial_response_words(self) -> str:
        """Say the rule of PR."""
        return f"at most {float(self._rules.partial_response):.0%} of the baseline sum".replace("%", " %")

    @property
    def progression_words(self) -> str:
        """Say the rule of PD."""
        growth = f"{float(self._rules.progression) - 1:.0%}".replace("%", " %")
        return f"at least {growth} and {self._rules.progression_mm} mm over the nadir"
