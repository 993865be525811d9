"""Roles for the lesions of a baseline whose reader states none, by the rules of target choice (RECIST 1.1, 4.1).

Measurable lesions become targets, the largest first, at most five and two an organ, stated targets counted; the others
are non-target. A node under 10 mm of short axis is normal and no lesion. A stated role is never changed.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from tumorresp.domain.eligibility import BaselineLesion, BaselineRules, is_normal_node, why_not_a_target
from tumorresp.domain.finding import Finding, Severity
from tumorresp.domain.measurement import LesionRole, LesionState
from tumorresp.domain.organ import counted_organ


@dataclass(frozen=True, slots=True)
class DefaultRole:
    """The role that a lesion gets where none is stated.

    Parameters
    ----------
    role
        None: it is no lesion at baseline (a normal node, or called absent) and takes part in nothing.
    reason
        In words, without a full stop.
    """

    lesion: BaselineLesion
    role: LesionRole | None
    reason: str

    @property
    def finding(self) -> Finding:
        """What a person is told: code ``role-not-stated``, or ``no-lesion-at-baseline`` where there is none."""
        where = self.lesion.source or self.lesion.lesion_id
        if self.role is None:
            words = f"{self.lesion.name}: the reader states no role, and {self.reason}: it is no lesion at baseline."
            return Finding("no-lesion-at-baseline", Severity.WARNING, words, where)
        words = f"{self.lesion.name}: the reader states no role; it is taken as {self.role}: {self.reason}."
        return Finding("role-not-stated", Severity.INFO, words, where)


def default_roles(lesions: Sequence[BaselineLesion], rules: BaselineRules | None = None) -> tuple[DefaultRole, ...]:
    """Return a role for every lesion of a baseline without a stated one.

    Parameters
    ----------
    lesions
        All lesions of the baseline, those with stated roles too: their targets take places. In any order, which
        decides nothing; of two lesions of one size the first by ``lesion_id`` comes first.
    rules
        RECIST 1.1's limits when not given.

    Returns
    -------
    tuple of DefaultRole
        One a lesion without a stated role, in the order given.

    Examples
    --------
    >>> from decimal import Decimal
    >>> node = BaselineLesion("N1", None, True, "lymph node", short_axis_mm=Decimal("11.8"))
    >>> lung = BaselineLesion("L1", None, False, "lung", long_axis_mm=Decimal(46))
    >>> [str(item.role) for item in default_roles([node, lung])]
    ['non-target', 'target']
    """
    rules = rules or BaselineRules()
    unstated = [item for item in lesions if item.role is None]
    measurable = [item for item in unstated if not _no_lesion(item, rules) and not _not_measurable(item, rules)]
    stated_targets = [item for item in lesions if item.role is LesionRole.TARGET]
    chosen = _chosen(stated_targets, measurable, rules)
    return tuple(_default_role(item, chosen, rules) for item in unstated)


def _default_role(item: BaselineLesion, chosen: frozenset[str], rules: BaselineRules) -> DefaultRole:
    if why := _no_lesion(item, rules):
        return DefaultRole(item, None, why)
    if why := _not_measurable(item, rules):
        return DefaultRole(item, LesionRole.NON_TARGET, why)
    if item.lesion_id in chosen:
        return DefaultRole(item, LesionRole.TARGET, "it is measurable and among the largest")
    limits = rules.targets
    why = f"there are {limits.targets} targets, or {limits.targets_per_organ} in its organ, that are larger or stated"
    return DefaultRole(item, LesionRole.NON_TARGET, why)


def _no_lesion(item: BaselineLesion, rules: BaselineRules) -> str:
    if item.state is LesionState.ABSENT:
        return "it is called absent"
    if item.state is not LesionState.NOT_EVALUABLE and is_normal_node(item, rules):
        return f"a node under {rules.normal_node_mm.normalize():f} mm of short axis is normal"
    return ""


def _not_measurable(item: BaselineLesion, rules: BaselineRules) -> str:
    if item.irradiated:
        return "it was treated locally before, and nobody says that it has progressed since"
    if item.state is LesionState.TOO_SMALL:
        return "it is too small to measure"
    return why_not_a_target(item, rules)


def _chosen(
    stated: Iterable[BaselineLesion], measurable: Iterable[BaselineLesion], rules: BaselineRules
) -> frozenset[str]:
    """Return the IDs of the lesions that become targets: the largest, as long as there are places."""
    taken = list(stated)
    organs = Counter(_organ(item) for item in taken)
    places = rules.targets.targets - len(taken)
    chosen: list[str] = []
    for item in sorted(measurable, key=lambda item: (-(item.counted_mm or Decimal(0)), item.lesion_id)):
        organ = _organ(item)
        if len(chosen) < places and (not organ or organs[organ] < rules.targets.targets_per_organ):
            chosen.append(item.lesion_id)
            organs[organ] += 1
    return frozenset(chosen)


def _organ(item: BaselineLesion) -> str:
    return counted_organ(item.organ, nodal=item.nodal)
