"""Whether the reader's target lesions are ones that RECIST 1.1 would have chosen; reported, never changed.

Sources: Eisenhauer et al., Eur J Cancer 45 (2009) 228-247, sections 3.1 (measurable), 3.2 and 4.1 (choice of targets);
the EORTC RECIST Working Group's answer on paired organs.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from tumorresp.domain.decimal_mm import to_decimal
from tumorresp.domain.evaluation import Lesion, LesionEvaluation
from tumorresp.domain.finding import Finding, Severity
from tumorresp.domain.measurement import LesionRole, LesionState, Measurement
from tumorresp.domain.organ import counted_organ

_RADIOGRAPHY = frozenset(("CR", "DX"))


@dataclass(frozen=True)
class TargetRules:
    """Limits for target lesions at baseline; RECIST 1.1's by default, lengths in mm."""

    long_axis_mm: Decimal = Decimal(10)
    thick_slice_mm: Decimal = Decimal(5)
    thick_slice_factor: Decimal = Decimal(2)
    node_short_axis_mm: Decimal = Decimal(15)
    radiograph_long_axis_mm: Decimal = Decimal(20)
    targets: int = 5
    targets_per_organ: int = 2


def check_target_choice(lesions: Sequence[LesionEvaluation], rules: TargetRules | None = None) -> tuple[Finding, ...]:
    """Check the baseline's target lesions against the rules of their choice.

    Lengths are compared as decimals, not rounded before: 9.99 mm is less than 10 mm.

    Parameters
    ----------
    lesions
        All lesions of the baseline time point; those that are no targets are passed over.
    rules
        RECIST 1.1's limits when not given.

    Returns
    -------
    tuple of Finding
        Codes ``target-too-small``, ``target-not-measured``, ``too-many-targets``, ``too-many-targets-in-organ``.
    """
    rules = rules or TargetRules()
    targets = [item for item in lesions if item.lesion.role is LesionRole.TARGET]
    findings = [finding for item in targets for finding in _check_size(item.lesion, item.measurement, rules)]
    if len(targets) > rules.targets:
        message = f"{len(targets)} target lesions were chosen, RECIST 1.1 allows {rules.targets}."
        findings.append(Finding("too-many-targets", Severity.WARNING, message))
    organs = Counter(organ for item in targets if (organ := counted_organ(item.lesion.organ, nodal=item.lesion.nodal)))
    for organ, count in sorted(organs.items()):
        if count > rules.targets_per_organ:
            message = (
                f"{count} target lesions were chosen in one organ ({organ}), RECIST 1.1 allows "
                f"{rules.targets_per_organ}; paired organs, and all lymph nodes together, count as one."
            )
            findings.append(Finding("too-many-targets-in-organ", Severity.WARNING, message, organ))
    return tuple(findings)


def least_size(lesion: Lesion, measurement: Measurement, rules: TargetRules) -> tuple[str, Decimal, str]:
    """Return which axis must be how long for a target, and why.

    Returns
    -------
    axis
        ``long`` or ``short``.
    least
        mm.
    reason
        In words.
    """
    if lesion.nodal:
        return "short", rules.node_short_axis_mm, "a lymph node"
    if measurement.modality in _RADIOGRAPHY:
        return "long", rules.radiograph_long_axis_mm, "a lesion on a chest X-ray"
    thickness = measurement.slice_thickness_mm
    thickness_mm = None if thickness is None else to_decimal(thickness)
    if thickness_mm is not None and thickness_mm > rules.thick_slice_mm:
        return (
            "long",
            max(rules.long_axis_mm, rules.thick_slice_factor * thickness_mm),
            (f"a lesion on slices of {thickness_mm.normalize():f} mm"),
        )
    return "long", rules.long_axis_mm, "a lesion on CT"


def _check_size(lesion: Lesion, measurement: Measurement, rules: TargetRules) -> list[Finding]:
    name, least, why = least_size(lesion, measurement, rules)
    axis = measurement.short_axis if name == "short" else measurement.long_axis
    if axis is None:
        state = "" if measurement.state is LesionState.MEASURED else f" (it is marked {measurement.state.value})"
        message = f"Target {lesion.lesion_id} has no {name} axis{state}; {why} must have one of {least} mm or more."
        return [Finding("target-not-measured", Severity.WARNING, message, lesion.lesion_id)]
    length = to_decimal(axis.length_mm)
    if length >= least:
        return []
    message = (
        f"Target {lesion.lesion_id} is too small: the {name} axis is {_shown(length, least)} mm, {why} must have "
        f"{least.normalize():f} mm or more."
    )
    return [Finding("target-too-small", Severity.WARNING, message, lesion.lesion_id)]


def _shown(length: Decimal, least: Decimal) -> str:
    """Return a length with as many places as show that it is less."""
    places = next(places for places in range(1, 7) if round(length, places) < least)
    return f"{length:.{places}f}"
