"""New lesions as iRECIST keeps them: a list of their own, up to five of them measured, never in the baseline's sum."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from tumorresp.domain.measurement import LesionRole, LesionState
from tumorresp.domain.organ import counted_organ
from tumorresp.response.irecist_parameters import IrecistParameters
from tumorresp.response.observation import LesionObservation, Visit


@dataclass(frozen=True)
class NewLesionList:
    """The new lesions up to a visit.

    Parameters
    ----------
    present
        As last seen, in order of first appearance; those that are gone are not in it.
    targets
        IDs of those that are measured (new-lesion targets), gone ones included.
    appeared
        IDs seen for the first time at this visit.
    worse
        IDs of non-targets among them that the reader calls progressive at this visit.
    assessed
        IDs of those that this visit says something about.
    """

    present: tuple[LesionObservation, ...] = ()
    targets: tuple[str, ...] = ()
    appeared: tuple[str, ...] = ()
    worse: tuple[str, ...] = ()
    assessed: frozenset[str] = field(default=frozenset())
    seen: frozenset[str] = field(default=frozenset())

    @property
    def ids(self) -> tuple[str, ...]:
        """IDs of what is there."""
        return tuple(item.lesion_id for item in self.present)

    def target_sum(self, among: Sequence[str]) -> Decimal | None:
        """Return the sum (mm) of some of the new-lesion targets; None where one of them was not assessed."""
        total = Decimal(0)
        by_id = {item.lesion_id: item for item in self.present}
        for lesion_id in among:
            if lesion_id not in self.assessed:
                return None
            if lesion_id in by_id:
                size = size_mm(by_id[lesion_id])
                if size is None:
                    return None
                total += size
        return total


def size_mm(seen: LesionObservation) -> Decimal | None:
    """Return what counts of a new lesion: the long axis, of a node the short one."""
    return seen.short_axis_mm if seen.nodal else seen.long_axis_mm


def new_lesion_list(
    before: NewLesionList, visit: Visit, baseline_ids: frozenset[str], rules: IrecistParameters
) -> NewLesionList:
    """Return the list after one more visit; equivocal lesions are not in it."""
    known = {item.lesion_id: item for item in before.present}
    targets = list(before.targets)
    organs = Counter(_organ(item) for item in before.present if item.lesion_id in before.targets)
    appeared: list[str] = []
    assessed: set[str] = set()
    worse: list[str] = []
    for item in visit.observations:
        if item.role is not LesionRole.NEW or item.lesion_id in baseline_ids:
            continue
        gone = item.is_gone(rules.normal_node_mm)
        if gone is None or item.state is LesionState.EQUIVOCAL:
            continue
        assessed.add(item.lesion_id)
        if gone:
            known.pop(item.lesion_id, None)
            continue
        if item.lesion_id not in before.seen:
            appeared.append(item.lesion_id)
            if _is_measurable(item, rules) and len(targets) < rules.new_targets:
                organ = _organ(item)
                if not organ or organs[organ] < rules.new_targets_per_organ:
                    targets.append(item.lesion_id)
                    organs[organ] += 1
        known[item.lesion_id] = item
        if item.state is LesionState.UNEQUIVOCAL_PROGRESSION and item.lesion_id not in appeared:
            worse.append(item.lesion_id)
    return NewLesionList(
        tuple(known.values()),
        tuple(targets),
        tuple(appeared),
        tuple(worse),
        frozenset(assessed),
        before.seen | set(appeared),
    )


def _organ(item: LesionObservation) -> str:
    return counted_organ(item.organ, nodal=item.nodal)


def _is_measurable(item: LesionObservation, rules: IrecistParameters) -> bool:
    size = size_mm(item)
    least = rules.new_node_short_axis_mm if item.nodal else rules.new_long_axis_mm
    return size is not None and size >= least
