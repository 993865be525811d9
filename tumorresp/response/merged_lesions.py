"""What lesions that are called merged went into, where no conglomerate names them as its parents.

Readers often measure the conglomerate under the name of one of the lesions in it, or under a new name without saying
which lesions it holds. Only what leaves no other reading is taken so, and it is said.
"""

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from tumorresp.domain.measurement import LesionRole, LesionState
from tumorresp.domain.organ import counted_organ
from tumorresp.response.observation import LesionObservation, Visit


@dataclass(frozen=True)
class MergedByState:
    """What is found at one visit.

    Parameters
    ----------
    hosts
        Lesion ID -> ID of the lesion under whose name the conglomerate is measured.
    conglomerates
        ID of a lesion that is a conglomerate -> IDs of the lesions in it.
    contradictory
        IDs of lesions that are called merged with different sizes of their own.
    """

    hosts: Mapping[str, str] = field(default_factory=dict)
    conglomerates: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    contradictory: frozenset[str] = frozenset()


def merged_by_state(baseline: Visit, visit: Visit, explained: AbstractSet[str]) -> MergedByState:
    """Return what the lesions of the baseline that are called merged at a visit went into.

    Of the lesions of one role and organ that are called merged, the one with a size is the conglomerate, and the others
    are in it; where no other is called merged, it is the only one that nobody mentions. Where none of them has a size,
    a measured lesion of that role and organ that is no lesion of the baseline is the conglomerate, if it is the only
    one.

    Parameters
    ----------
    explained
        IDs of the lesions of which a conglomerate is known, and of conglomerates and fragments.
    """
    hosts: dict[str, str] = {}
    conglomerates: dict[str, tuple[str, ...]] = {}
    contradictory: set[str] = set()
    for group in _groups(item for item in visit.observations if _is_unexplained(item, baseline, explained)):
        names = [item.lesion_id for item in group]
        sized = [item for item in group if item.has_size]
        if len({_sizes(item) for item in sized}) > 1:
            contradictory.update(item.lesion_id for item in sized)
        elif sized:
            host = sized[0].lesion_id
            partners = [name for name in names if name != host] or _unmentioned(group[0], baseline, visit, explained)
            hosts |= dict.fromkeys(partners, host)
        elif (whole := _stray(group[0], baseline, visit, explained)) is not None and len(names) > 1:
            conglomerates[whole.lesion_id] = tuple(names)
    return MergedByState(hosts, conglomerates, frozenset(contradictory))


def _is_unexplained(item: LesionObservation, baseline: Visit, explained: AbstractSet[str]) -> bool:
    return (
        item.state is LesionState.MERGED
        and item.role is not LesionRole.NEW
        and item.lesion_id not in explained
        and baseline.of(item.lesion_id) is not None
    )


def _groups(items: Iterable[LesionObservation]) -> Sequence[Sequence[LesionObservation]]:
    grouped: dict[tuple[LesionRole, str], list[LesionObservation]] = {}
    for item in sorted(items, key=lambda item: item.lesion_id):
        grouped.setdefault(_kind(item), []).append(item)
    return list(grouped.values())


def _kind(item: LesionObservation) -> tuple[LesionRole, str]:
    return item.role, counted_organ(item.organ, nodal=item.nodal)


def _sizes(item: LesionObservation) -> tuple[object, ...]:
    return item.long_axis_mm, item.short_axis_mm, item.viable_long_axis_mm, item.volume_mm3


def _unmentioned(
    merged: LesionObservation, baseline: Visit, visit: Visit, explained: AbstractSet[str]
) -> tuple[str, ...]:
    """Return the one lesion like this that nobody mentions, if it is one."""
    found = [
        item.lesion_id
        for item in baseline.observations
        if _kind(item) == _kind(merged) and visit.of(item.lesion_id) is None and item.lesion_id not in explained
    ]
    return tuple(found) if len(found) == 1 else ()


def _stray(
    merged: LesionObservation, baseline: Visit, visit: Visit, explained: AbstractSet[str]
) -> LesionObservation | None:
    """Return the one measured lesion like this that came from nothing known, if it is one."""
    found = [
        item
        for item in visit.observations
        if _kind(item) == _kind(merged)
        and not item.parents
        and item.has_size
        and item.lesion_id not in explained
        and baseline.of(item.lesion_id) is None
    ]
    return found[0] if len(found) == 1 else None
