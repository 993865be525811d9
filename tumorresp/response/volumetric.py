"""The volumetric response: RECIST's thresholds for the volume of a sphere, on the total volume of the targets.

Published thresholds are -65 % and +73 %; here they are exactly 0.7 cubed and 1.2 cubed. Exploratory: no regulatory
criterion uses them. Beside each target stands whether its change is larger than the measurement error (QIBA CT volume
profile: 39 %, 29 % and 24 % for long diameters of 10 to 34, 35 to 49 and 50 to 100 mm).
"""

from collections.abc import Sequence
from decimal import Decimal, localcontext
from fractions import Fraction

from tumorresp.domain.assessment import Assessment
from tumorresp.domain.finding import Finding
from tumorresp.domain.measurement import LesionRole, LesionState
from tumorresp.response.observation import LesionObservation, Visit
from tumorresp.response.parameters import VolumetricParameters, as_pairs
from tumorresp.response.sum_criterion import SumCriterion, assess_sums
from tumorresp.response.words import change_percent, millilitres, percent

CRITERION = "volume-recist"
_PI = Decimal("3.14159265358979323846264338327950288419716939937510")
_RELIABLE_CHANGE = ((Decimal(10), Decimal(39)), (Decimal(35), Decimal(29)), (Decimal(50), Decimal(24)))
_LARGEST_MM = Decimal(100)


def assess_volumetric(
    visits: Sequence[Visit], parameters: VolumetricParameters | None = None
) -> tuple[Assessment, ...]:
    """Assess every visit of a subject by the total volume of its target lesions, in mm3.

    Parameters
    ----------
    visits
        In order of date; the first is the baseline.
    parameters
        Thresholds and conventions.

    Returns
    -------
    tuple of Assessment
        One a visit. Non-target and new lesions count as in RECIST 1.1.
    """
    return assess_sums(visits, _Volumes(parameters or VolumetricParameters()))


def sphere_diameter_mm(volume_mm3: Decimal) -> Decimal:
    """Return the diameter of the sphere of a volume, to 30 digits."""
    if volume_mm3 == 0:
        return Decimal(0)
    with localcontext() as context:
        context.prec = 50
        root = ((6 * volume_mm3 / _PI).ln() / 3).exp()
        context.prec = 30
        return +root


class _Volumes(SumCriterion):
    """Total volume of the target lesions."""

    name = CRITERION
    unit = "mm3"
    what = "volumes"

    def __init__(self, rules: VolumetricParameters) -> None:
        self._rules = rules
        self.parameters = as_pairs(rules)
        self.normal_node_mm = rules.normal_node_mm
        self.reappearance_after_cr_is_pd = rules.reappearance_after_cr_is_pd

    def size(self, seen: LesionObservation) -> Decimal | None:
        """Return the mask's volume; without a mask it is 0 for a lesion that is gone and else not known."""
        if seen.state is LesionState.ABSENT:
            return Decimal(0)
        if seen.state is LesionState.NOT_EVALUABLE:
            return None
        if seen.volume_mm3 is None and seen.state is LesionState.TOO_SMALL:
            return _PI / 6 * self._rules.too_small_mm**3
        return seen.volume_mm3

    def in_words(self, value: Decimal) -> str:
        """Return a volume for people."""
        return millilitres(value)

    def is_partial_response(self, total: Decimal, baseline: Decimal) -> bool:
        """At most 0.343 of the baseline volume."""
        return Fraction(total) <= self._rules.partial_response * Fraction(baseline)

    def is_progression(self, total: Decimal, nadir: Decimal) -> bool:
        """At least 1.728 of the nadir, the sphere of that volume 5 mm wider."""
        if Fraction(total) < self._rules.progression * Fraction(nadir):
            return False
        growth = sphere_diameter_mm(total) - sphere_diameter_mm(nadir)
        # The cube roots are exact to 30 digits: equality to 20 is equality.
        return growth.quantize(Decimal("1e-20")) >= self._rules.progression_sphere_mm

    @property
    def partial_response_words(self) -> str:
        """Say the rule of PR."""
        return f"at most {float(self._rules.partial_response):.3f} of the baseline volume"

    @property
    def progression_words(self) -> str:
        """Say the rule of PD."""
        sphere = f"its sphere at least {self._rules.progression_sphere_mm} mm wider"
        return f"at least {float(self._rules.progression):.3f} times, {sphere} than, the nadir"

    def remarks(self, visits: Sequence[Visit], index: int) -> tuple[tuple[str, ...], tuple[Finding, ...]]:
        """Say the volume of all segmented lesions, and which targets changed beyond the measurement error."""
        volumes = [item.volume_mm3 for item in visits[index].observations if item.volume_mm3 is not None]
        words = [f"All segmented lesions together: {millilitres(sum(volumes, Decimal(0)))}."] if volumes else []
        if index > 0:
            words += [_reliability(seen, visits[0].of(seen.lesion_id)) for seen in _targets(visits[index])]
        return tuple(word for word in words if word), ()


def _targets(visit: Visit) -> list[LesionObservation]:
    return [item for item in visit.observations if item.role is LesionRole.TARGET]


def _reliability(seen: LesionObservation, baseline: LesionObservation | None) -> str:
    """Say whether a target's change from baseline is real with 95 % confidence; empty where that is not known."""
    if baseline is None or baseline.volume_mm3 is None or seen.volume_mm3 is None or baseline.long_axis_mm is None:
        return ""
    change = change_percent(seen.volume_mm3, baseline.volume_mm3)
    limit = reliable_change_percent(baseline.long_axis_mm)
    if change is None or limit is None:
        return ""
    verdict = "a real change" if abs(change) > limit else "within the measurement error"
    return (
        f"{seen.name} {percent(change)} from baseline: {verdict} (limit {limit} % at {baseline.long_axis_mm:.0f} mm)."
    )


def reliable_change_percent(long_axis_mm: Decimal) -> Decimal | None:
    """Return the change of volume (%) beyond which it is real with 95 % confidence, None outside 10 to 100 mm."""
    if not _RELIABLE_CHANGE[0][0] <= long_axis_mm <= _LARGEST_MM:
        return None
    return next(limit for least, limit in reversed(_RELIABLE_CHANGE) if long_axis_mm >= least)
