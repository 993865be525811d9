"""Which lesions of a baseline RECIST 1.1 would choose as targets: the one rule, for images and for tables.

The reader's choice is reported, never changed; a lesion without a stated role gets one by the same rule
(``default_roles``).

Sources: Eisenhauer et al., Eur J Cancer 45 (2009) 228-247, sections 3.1 (measurable), 3.2 (baseline at most four weeks
before treatment) and 4.1 (choice of targets); the EORTC RECIST Working Group's answer on paired organs.
"""

import datetime
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from tumorresp.domain.counted_axis import counted_axis, counted_axis_mm
from tumorresp.domain.finding import Finding, Severity
from tumorresp.domain.measurement import LesionRole, LesionState
from tumorresp.domain.organ import counted_organ

CT, MRI, CHEST_RADIOGRAPH, CALIPER = "CT", "MRI", "X-RAY", "CALIPER"
_METHODS = {"CT": CT, "MR": MRI, "CR": CHEST_RADIOGRAPH, "DX": CHEST_RADIOGRAPH}
_NOT_SEEN = (LesionState.ABSENT, LesionState.NOT_EVALUABLE, LesionState.MERGED)
_MOST_PLACES = 6


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


class LateTarget(StrEnum):
    """What a target or non-target lesion is that is first seen at a follow-up.

    ``not-evaluable``: a person must say whether its baseline is missing or it is new; until then the visit has no
    response better than PD. ``new-lesion``: it is new (RECIST 1.1, section 4.3.5: so is a lesion found where the
    baseline was not scanned).
    """

    NEW_LESION = "new-lesion"
    NOT_EVALUABLE = "not-evaluable"


@dataclass(frozen=True)
class BaselineRules:
    """Limits of the baseline beside those of target size and number.

    Parameters
    ----------
    targets
        Size and number of targets.
    node_double_slice_rule
        The short axis of a node must be twice the thickness of thick slices, too; RECIST 1.1 says so of other lesions.
    normal_node_mm
        A node under this short axis is normal and no lesion.
    caliper_mm
        Least length by caliper.
    irradiated_with_progression
        A lesion that was treated locally is measurable where it has progressed since; False: it never is.
    oldest_days
        The baseline scan lies at most so many days before the reference date.
    late_target
        What a target or non-target lesion is that the baseline does not have.
    """

    targets: TargetRules = field(default=TargetRules())
    node_double_slice_rule: bool = False
    normal_node_mm: Decimal = Decimal(10)
    caliper_mm: Decimal = Decimal(10)
    irradiated_with_progression: bool = True
    oldest_days: int = 28
    late_target: LateTarget = LateTarget.NOT_EVALUABLE


@dataclass(frozen=True, slots=True)
class BaselineLesion:
    """One lesion of the baseline as the choice of targets sees it.

    Parameters
    ----------
    lesion_id
        Names it in messages, and decides between lesions of one size; no two lesions have the same.
    role
        As stated; None where it is not.
    long_axis_mm, short_axis_mm, slice_thickness_mm
        None where not measured or not known.
    method
        ``CT``, ``MRI``, ``X-RAY``, ``CALIPER``; empty when not stated.
    source
        Where it came from: a table's row, a measurement's UID.
    """

    lesion_id: str
    role: LesionRole | None
    nodal: bool
    organ: str
    state: LesionState = LesionState.MEASURED
    long_axis_mm: Decimal | None = None
    short_axis_mm: Decimal | None = None
    slice_thickness_mm: Decimal | None = None
    method: str = ""
    irradiated: bool = False
    source: str = ""

    @property
    def name(self) -> str:
        """What messages call it."""
        return f"{self.lesion_id} {self.organ}".strip()

    @property
    def counted_mm(self) -> Decimal | None:
        """Length of the axis that counts; None where it was not measured, or the reader does not see the lesion."""
        measured = counted_axis_mm(self.long_axis_mm, self.short_axis_mm, nodal=self.nodal)
        return None if self.state in _NOT_SEEN else measured


def method_of(modality: str) -> str:
    """Return the method of measurement that a DICOM modality means; empty where it is none of RECIST 1.1's."""
    return _METHODS.get(modality.upper(), "")


def check_target_choice(lesions: Sequence[BaselineLesion], rules: BaselineRules | None = None) -> tuple[Finding, ...]:
    """Check the baseline's target lesions against the rules of their choice.

    Lengths are compared as decimals, not rounded before: 9.99 mm is less than 10 mm.

    Parameters
    ----------
    lesions
        All lesions of the baseline; those that are no targets are looked at for normal nodes alone.
    rules
        RECIST 1.1's limits when not given.

    Returns
    -------
    tuple of Finding
        Codes ``target-too-small``, ``target-not-measured``, ``target-irradiated``, ``too-many-targets``,
        ``too-many-targets-in-organ``, ``node-is-normal``.
    """
    rules = rules or BaselineRules()
    targets = [item for item in lesions if item.role is LesionRole.TARGET]
    return (
        *(finding for item in targets for finding in _target(item, rules)),
        *_number(targets, rules.targets),
        *(finding for item in lesions for finding in _normal_node(item, rules)),
    )


def check_baseline_age(
    scanned: tuple[datetime.date, datetime.date],
    reference: datetime.date | None,
    rules: BaselineRules | None = None,
    where: str = "",
) -> tuple[Finding, ...]:
    """Check when the baseline was scanned against the reference date (first treatment or randomisation).

    Parameters
    ----------
    scanned
        Earliest and latest scan of the baseline.
    where
        What the findings are about: the visit's name.

    Returns
    -------
    tuple of Finding
        Codes ``baseline-too-old``, ``baseline-after-reference``; none where the reference date is not known.
    """
    if reference is None:
        return ()
    rules = rules or BaselineRules()
    first, last = scanned
    findings = []
    days = (reference - first).days
    if days > rules.oldest_days:
        words = (
            f"The baseline scan is {days} days older than the reference date, RECIST 1.1 allows {rules.oldest_days}."
        )
        findings.append(Finding("baseline-too-old", Severity.WARNING, words, where))
    if last > reference:
        words = f"The baseline scan is {(last - reference).days} days after the reference date: it should lie before."
        findings.append(Finding("baseline-after-reference", Severity.WARNING, words, where))
    return tuple(findings)


def least_target_mm(lesion: BaselineLesion, rules: BaselineRules) -> tuple[Decimal, str]:
    """Return how long the axis that counts must be for a target (mm), and why, in words."""
    limits = rules.targets
    thickness = lesion.slice_thickness_mm
    is_thick = thickness is not None and thickness > limits.thick_slice_mm
    doubled = limits.thick_slice_factor * thickness if thickness is not None and is_thick else Decimal(0)
    on_slices = f" on slices of {_plain(thickness)} mm" if thickness is not None and is_thick else ""
    if lesion.nodal:
        if rules.node_double_slice_rule:
            return max(limits.node_short_axis_mm, doubled), f"a lymph node{on_slices}"
        return limits.node_short_axis_mm, "a lymph node"
    if lesion.method == CHEST_RADIOGRAPH:
        return limits.radiograph_long_axis_mm, "a lesion on a chest X-ray"
    if lesion.method == CALIPER:
        return rules.caliper_mm, "a lesion measured by caliper"
    return max(limits.long_axis_mm, doubled), f"a lesion on {lesion.method or CT}{on_slices}"


def is_normal_node(lesion: BaselineLesion, rules: BaselineRules) -> bool:
    """Return whether it is a node under the size of disease (RECIST 1.1, section 3.1.1): no lesion."""
    if not lesion.nodal:
        return False
    if lesion.short_axis_mm is not None:
        return lesion.short_axis_mm < rules.normal_node_mm
    return lesion.long_axis_mm is not None and lesion.long_axis_mm < rules.normal_node_mm


def why_not_a_target(lesion: BaselineLesion, rules: BaselineRules) -> str:
    """Return why a lesion is not measurable by its size, in words; empty where it is."""
    axis = counted_axis(nodal=lesion.nodal)
    least, why = least_target_mm(lesion, rules)
    length = lesion.counted_mm
    if length is None:
        state = "" if lesion.state is LesionState.MEASURED else f" (it is marked {lesion.state.value})"
        return f"it has no measured {axis}{state}; {why} must have one of {_plain(least)} mm or more"
    if length < least:
        return f"the {axis} is {_shown(length, least)} mm, {why} must have {_plain(least)} mm or more"
    return ""


def _target(lesion: BaselineLesion, rules: BaselineRules) -> Iterator[Finding]:
    where = lesion.source or lesion.lesion_id
    if lesion.irradiated:
        but = " unless it has progressed since" if rules.irradiated_with_progression else ""
        words = f"Target {lesion.name} was treated locally before: it is not measurable{but}."
        yield Finding("target-irradiated", Severity.WARNING, words, where)
    why = why_not_a_target(lesion, rules)
    if why and lesion.counted_mm is None:
        yield Finding("target-not-measured", Severity.WARNING, f"Target {lesion.name}: {why}.", where)
    elif why:
        words = f"Target {lesion.name} is too small: {why}."
        yield Finding("target-too-small", Severity.WARNING, words, where)


def _number(targets: Sequence[BaselineLesion], limits: TargetRules) -> Iterator[Finding]:
    if len(targets) > limits.targets:
        words = f"{len(targets)} target lesions were chosen, RECIST 1.1 allows {limits.targets}."
        yield Finding("too-many-targets", Severity.WARNING, words)
    organs = Counter(organ for item in targets if (organ := counted_organ(item.organ, nodal=item.nodal)))
    for organ, count in sorted(organs.items()):
        if count > limits.targets_per_organ:
            words = (
                f"{count} target lesions were chosen in one organ ({organ}), RECIST 1.1 allows "
                f"{limits.targets_per_organ}; paired organs, and all lymph nodes together, count as one."
            )
            yield Finding("too-many-targets-in-organ", Severity.WARNING, words, organ)


def _normal_node(lesion: BaselineLesion, rules: BaselineRules) -> Iterator[Finding]:
    if lesion.role is LesionRole.NEW or lesion.short_axis_mm is None or not is_normal_node(lesion, rules):
        return
    size = _shown(lesion.short_axis_mm, rules.normal_node_mm)
    words = f"{lesion.name} has a short axis of {size} mm: under {_plain(rules.normal_node_mm)} mm a node is normal."
    yield Finding("node-is-normal", Severity.WARNING, words, lesion.source or lesion.lesion_id)


def _shown(length: Decimal, least: Decimal) -> str:
    """Return a length under a limit with as many places as show that it is."""
    places = next((places for places in range(1, _MOST_PLACES) if round(length, places) < least), _MOST_PLACES)
    return f"{length:.{places}f}"


def _plain(value: Decimal) -> str:
    return f"{value.normalize():f}"
