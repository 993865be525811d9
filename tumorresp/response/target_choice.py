"""Whether the targets of a baseline are ones that RECIST 1.1 would have chosen; reported, never changed.

Eisenhauer et al., Eur J Cancer 45 (2009) 228-247, sections 3.1 (measurable), 3.2 (baseline at most four weeks before
treatment) and 4.1 (choice of targets).
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from tumorresp.domain.eligibility import TargetRules
from tumorresp.domain.finding import Finding, Severity
from tumorresp.domain.measurement import LesionRole, LesionState
from tumorresp.domain.organ import counted_organ
from tumorresp.response.observation import LesionObservation, Visit
from tumorresp.response.reasons import beside_limits
from tumorresp.response.subject import SubjectDates


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
    """

    targets: TargetRules = field(default=TargetRules())
    node_double_slice_rule: bool = False
    normal_node_mm: Decimal = Decimal(10)
    caliper_mm: Decimal = Decimal(10)
    irradiated_with_progression: bool = True
    oldest_days: int = 28


_CHEST_RADIOGRAPH = "X-RAY"
_CALIPER = "CALIPER"


def check_baseline(
    visits: Sequence[Visit], dates: SubjectDates, rules: BaselineRules | None = None
) -> tuple[Finding, ...]:
    """Check the first visit against the rules of target choice.

    Returns
    -------
    tuple of Finding
        Codes ``target-too-small``, ``too-many-targets``, ``too-many-targets-in-organ``, ``target-irradiated``,
        ``node-is-normal``, ``baseline-too-old``, ``baseline-after-reference``.
    """
    if not visits:
        return ()
    chosen = rules or BaselineRules()
    baseline = visits[0]
    targets = [item for item in baseline.observations if item.role is LesionRole.TARGET]
    return (
        *(finding for item in targets for finding in _target(item, chosen)),
        *_number(targets, chosen.targets),
        *(finding for item in baseline.observations for finding in _normal_node(item, chosen)),
        *_age(baseline, dates, chosen),
    )


def least_target_mm(seen: LesionObservation, rules: BaselineRules) -> tuple[Decimal, str]:
    """Return how long a target must be (a node: its short axis) and why."""
    limits = rules.targets
    thickness = seen.slice_thickness_mm
    is_thick = thickness is not None and thickness > limits.thick_slice_mm
    doubled = limits.thick_slice_factor * thickness if thickness is not None and is_thick else Decimal(0)
    on_slices = f" on slices of {_plain(thickness)} mm" if thickness is not None and is_thick else ""
    if seen.nodal:
        if rules.node_double_slice_rule:
            return max(limits.node_short_axis_mm, doubled), f"a lymph node{on_slices}"
        return limits.node_short_axis_mm, "a lymph node"
    if seen.method == _CHEST_RADIOGRAPH:
        return limits.radiograph_long_axis_mm, "a lesion on a chest X-ray"
    if seen.method == _CALIPER:
        return rules.caliper_mm, "a lesion measured by caliper"
    return max(limits.long_axis_mm, doubled), f"a lesion on {seen.method or 'CT'}{on_slices}"


def _target(seen: LesionObservation, rules: BaselineRules) -> Iterator[Finding]:
    where = seen.source or seen.lesion_id
    if seen.irradiated:
        but = " unless it has progressed since" if rules.irradiated_with_progression else ""
        words = f"Target {seen.name} was treated locally before: it is not measurable{but}."
        yield Finding("target-irradiated", Severity.WARNING, words, where)
    length = seen.short_axis_mm if seen.nodal else seen.long_axis_mm
    if length is None or seen.state in (LesionState.ABSENT, LesionState.NOT_EVALUABLE):
        return  # a target without a size is reported where its sum is made
    least, why = least_target_mm(seen, rules)
    if length < least:
        axis = "short" if seen.nodal else "long"
        words = (
            f"Target {seen.name} is too small: the {axis} axis is {beside_limits(length, [least])} mm, {why} must have "
            f"{_plain(least)} mm or more."
        )
        yield Finding("target-too-small", Severity.WARNING, words, where)


def _number(targets: Sequence[LesionObservation], limits: TargetRules) -> Iterator[Finding]:
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


def _normal_node(seen: LesionObservation, rules: BaselineRules) -> Iterator[Finding]:
    if not seen.nodal or seen.short_axis_mm is None or seen.role is LesionRole.NEW:
        return
    if seen.short_axis_mm < rules.normal_node_mm:
        size = beside_limits(seen.short_axis_mm, [rules.normal_node_mm])
        words = f"{seen.name} has a short axis of {size} mm: under {_plain(rules.normal_node_mm)} mm a node is normal."
        yield Finding("node-is-normal", Severity.WARNING, words, seen.source or seen.lesion_id)


def _age(baseline: Visit, dates: SubjectDates, rules: BaselineRules) -> Iterator[Finding]:
    if dates.reference is None:
        return
    days = (dates.reference - (baseline.first_date or baseline.date)).days
    if days > rules.oldest_days:
        words = (
            f"The baseline scan is {days} days older than the reference date, RECIST 1.1 allows {rules.oldest_days}."
        )
        yield Finding("baseline-too-old", Severity.WARNING, words, baseline.name)
    if baseline.date > dates.reference:
        late = (baseline.date - dates.reference).days
        words = f"The baseline scan is {late} days after the reference date: it should lie before."
        yield Finding("baseline-after-reference", Severity.WARNING, words, baseline.name)


def _plain(value: Decimal) -> str:
    return f"{value.normalize():f}"
