"""The volumetric response: RECIST's thresholds for the volume of a sphere, on the total volume of the targets.

Published thresholds are -65 % and +73 %; here they are exactly 0.7 cubed and 1.2 cubed. Exploratory: no regulatory
criterion uses them. Beside each target stands whether its change is larger than the measurement error (QIBA CT volume
profile for advanced disease: 39 %, 29 % and 24 % for long diameters of 10 to 34, 35 to 49 and 50 to 100 mm).
"""

from collections.abc import Sequence
from decimal import ROUND_CEILING, Decimal, localcontext
from functools import lru_cache, partial

from tumorresp.domain.assessment import Assessment
from tumorresp.domain.finding import Finding, Severity
from tumorresp.domain.measurement import LesionRole, LesionState
from tumorresp.response.observation import LesionObservation, Visit
from tumorresp.response.parameters import VolumeFrom, VolumetricParameters, as_pairs
from tumorresp.response.reasons import beside_limits, change_beside_limits, ratio_as_percent, rounded
from tumorresp.response.reliable_change import reliable_change_percent
from tumorresp.response.sum_criterion import Remarks, SumCriterion, TargetSize, compared
from tumorresp.response.visit_assessment import assess_visits

CRITERION = "volume-recist"
_PI = Decimal("3.14159265358979323846264338327950288419716939937510582097494459")
_DIGITS = 50
_NEAR_MM = 1e-6
_SIXTH_OF_PI = Decimal("0.52359877559829887308")
_GROWTH_QUANTUM = Decimal("1e-12")
"""mm; finer than volumes of six places tell apart, coarser than the 20 digits of pi/6."""
_QUICK_QUANTUM = Decimal("1e-9")


def assess_volumetric(
    visits: Sequence[Visit], parameters: VolumetricParameters | None = None
) -> tuple[Assessment, ...]:
    """Assess every visit of a subject by the total volume of its target lesions.

    Parameters
    ----------
    visits
        In order of date; the first is the baseline.
    parameters
        Thresholds and conventions.

    Returns
    -------
    tuple of Assessment
        One a visit, sums in mm3. Non-target and new lesions count as in RECIST 1.1.

    Raises
    ------
    InvalidInput
        If the visits are not in order of date.
    """
    return assess_volumes(visits, parameters or VolumetricParameters(), CRITERION)


def assess_volumes(visits: Sequence[Visit], rules: VolumetricParameters, name: str) -> tuple[Assessment, ...]:
    """Assess by the total volume under a profile's name; see ``assess_volumetric``.

    Raises
    ------
    InvalidInput
        If the visits are not in order of date.
    """
    criterion = SumCriterion(
        name=name,
        unit="mm3",
        sum_name="total volume",
        size_name="volume",
        shown_unit="ml",
        shown_exponent=3,
        shown_places=2,
        partial_response=rules.partial_response,
        progression=rules.progression,
        progression_mm=rules.progression_sphere_mm,
        growth_name="sphere diameter",
        normal_node_mm=rules.normal_node_mm,
        reappearance_after_cr_is_pd=rules.reappearance_after_cr_is_pd,
        pr_carry_forward=rules.pr_carry_forward,
        markers_count=rules.markers_count,
        incomplete_sum_shown=rules.incomplete_sum_shown,
        parameters=as_pairs(rules),
        size=partial(_volume, rules),
        growth_mm=partial(_sphere_growth, rules),
        remarks=partial(_remarks, rules),
    )
    return assess_visits(visits, criterion)


def sphere_diameter_mm(volume_mm3: Decimal) -> Decimal:
    """Return the diameter of the sphere of a volume, to 50 digits.

    Two such diameters of rational volumes never differ by exactly 5 mm (pi would be algebraic), so 50 digits decide
    every comparison of volumes given to a few places.
    """
    with localcontext() as context:
        context.prec = _DIGITS + 10
        root = (6 * volume_mm3 / _PI) ** (Decimal(1) / Decimal(3)) if volume_mm3 else Decimal(0)
        context.prec = _DIGITS
        return +root


def sphere_volume_mm3(diameter_mm: Decimal) -> Decimal:
    """Return the volume of a sphere, rounded up to 1e-6 mm3: its sphere is not less wide than the given diameter."""
    with localcontext() as context:
        context.prec = _DIGITS
        return (_PI / 6 * diameter_mm**3).quantize(Decimal("0.000001"), rounding=ROUND_CEILING)


def _volume(rules: VolumetricParameters, seen: LesionObservation) -> TargetSize:
    """Return the mask's volume; without a mask 0 when absent, a small sphere when too small, else not known."""
    if seen.state is LesionState.NOT_EVALUABLE:
        return TargetSize(None)
    if rules.volume_from is VolumeFrom.ELLIPSOID:
        return _ellipsoid(rules, seen)
    if seen.volume_doubt:
        words = f"The volume of {seen.name} is not evaluable: {seen.volume_doubt}. Its diameters count on."
        finding = Finding("volume-in-doubt", Severity.WARNING, words, seen.lesion_id, decides=True)
        return TargetSize(None, finding=finding, doubt=seen.volume_doubt)
    if seen.state is LesionState.ABSENT:
        return TargetSize(Decimal(0), "absent")
    if seen.volume_mm3 is not None:
        return TargetSize(seen.volume_mm3)
    if seen.state is LesionState.TOO_SMALL:
        note = f"too small to measure, a sphere of {rules.too_small_mm} mm"
        return TargetSize(sphere_volume_mm3(rules.too_small_mm), note)
    return TargetSize(None)


def ellipsoid_volume_mm3(one_mm: Decimal, other_mm: Decimal, third_mm: Decimal) -> Decimal:
    """Return the volume of an ellipsoid with three perpendicular diameters: pi/6, to 20 digits, times their product.

    The product is not rounded, so that volumes stand in the same ratio as the products of their diameters.
    """
    with localcontext() as context:
        context.prec = 2 * _DIGITS
        return _SIXTH_OF_PI * one_mm * other_mm * third_mm


def _ellipsoid(rules: VolumetricParameters, seen: LesionObservation) -> TargetSize:
    """Return the volume from three diameters; 0 when absent, a small sphere when too small."""
    if seen.state is LesionState.ABSENT:
        return TargetSize(Decimal(0), "absent")
    diameters = [seen.long_axis_mm, seen.short_axis_mm, seen.third_axis_mm]
    known = [diameter for diameter in diameters if diameter is not None]
    if len(known) == len(diameters):
        words = " × ".join(f"{diameter.normalize():f}" for diameter in known)
        return TargetSize(ellipsoid_volume_mm3(*known), f"ellipsoid of {words} mm")
    if seen.state is LesionState.TOO_SMALL:
        note = f"too small to measure, a sphere of {rules.too_small_mm} mm"
        return TargetSize(sphere_volume_mm3(rules.too_small_mm), note)
    if not known:
        return TargetSize(None)
    words = f"{seen.name} has {len(known)} of the three diameters of an ellipsoid: its volume is not evaluable."
    return TargetSize(None, finding=Finding("no-third-diameter", Severity.ERROR, words, seen.lesion_id, decides=True))


def _sphere_growth(rules: VolumetricParameters, nadir: Decimal, total: Decimal) -> Decimal:
    """Return how much wider the sphere became; only near the limit with all 50 digits, which take 200 times longer."""
    growth = float(6 * total / _PI) ** (1 / 3) - float(6 * nadir / _PI) ** (1 / 3)
    if abs(growth - float(rules.progression_sphere_mm)) > _NEAR_MM:
        return Decimal(growth).quantize(_QUICK_QUANTUM)
    with localcontext() as context:
        context.prec = _DIGITS
        return (sphere_diameter_mm(total) - sphere_diameter_mm(nadir)).quantize(_GROWTH_QUANTUM)


def _remarks(rules: VolumetricParameters, visits: Sequence[Visit], index: int) -> Remarks:
    """Say the volume of all segmented lesions, and what changed beyond the measurement error."""
    seen_now = visits[index].observations
    words = []
    volumes = [item.sure_volume_mm3 for item in seen_now if item.sure_volume_mm3 is not None]
    if volumes:
        total = rounded(sum(volumes, Decimal(0)) / 1000, 2)
        lesions = "1 lesion" if len(volumes) == 1 else f"{len(volumes)} lesions"
        words.append(f"Total tumour volume, all that is segmented: {total} ml ({lesions}).")
    if index == 0:
        return tuple(words), ()
    for seen in seen_now:
        if seen.role is LesionRole.TARGET:
            words += _reliability(seen, visits[0].of(seen.lesion_id))
    return tuple(words), _suggestions(rules, visits, index)


def _reliability(seen: LesionObservation, baseline: LesionObservation | None) -> list[str]:
    """Say whether a target's change from baseline is real with 95 % confidence; nothing where a volume is absent."""
    now, before = seen.sure_volume_mm3, None if baseline is None else baseline.sure_volume_mm3
    if baseline is None or not before or now is None or baseline.long_axis_mm is None:
        return []
    limit = reliable_change_percent(baseline.long_axis_mm)
    long_axis = _baseline_axis(baseline.long_axis_mm)
    if limit is None:
        shown = change_beside_limits(now, before, ())
        return [f"{seen.name} volume {shown} % from baseline; no limit of reliable change for {long_axis}."]
    shown = change_beside_limits(now, before, (limit, -limit))
    is_real = abs(now - before) * 100 > limit * before
    verdict = "more than the measurement error" if is_real else "within the measurement error"
    return [f"{seen.name} volume {shown} % from baseline: {verdict} ({limit} % at {long_axis}; QIBA, 95 %)."]


@lru_cache(maxsize=1024)
def _baseline_axis(long_axis_mm: Decimal) -> str:
    """Return the words for a baseline's long axis: the same at every visit of a lesion."""
    return f"a baseline long axis of {beside_limits(long_axis_mm, [10, 35, 50, 100])} mm"


def _suggestions(rules: VolumetricParameters, visits: Sequence[Visit], index: int) -> tuple[Finding, ...]:
    """Point out non-target lesions that grew as much as would be PD of a target; the reader decides."""
    findings = []
    for seen in visits[index].observations:
        decided = seen.state is LesionState.UNEQUIVOCAL_PROGRESSION
        now = seen.sure_volume_mm3
        if seen.role is not LesionRole.NON_TARGET or now is None or decided:
            continue
        earlier = [
            (before.sure_volume_mm3, visit.name)
            for visit in visits[:index]
            if (before := visit.of(seen.lesion_id)) is not None and before.sure_volume_mm3
        ]
        if not earlier:
            continue
        smallest, name = min(earlier, key=lambda item: item[0])
        if compared(now, rules.non_target_growth, smallest) < 0:
            continue
        change = change_beside_limits(now, smallest, ())
        message = (
            f"Suggested, not counted: the volume of {seen.name} is {change} % since {name}, at least "
            f"{ratio_as_percent(rules.non_target_growth)}. Whether it is unequivocal progression is the reader's call."
        )
        findings.append(Finding("non-target-progression-suggested", Severity.WARNING, message, seen.lesion_id))
    return tuple(findings)
