"""New lesions as iRECIST keeps them: a list of their own, up to five of them measured, never in the baseline's sum.

Whether a lesion is there is RECIST 1.1's to say (section 4.3.5; ``tumorresp.response.new_lesions``); here it only gets
its size and, when it appears, its place among the targets.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from types import MappingProxyType

from tumorresp.domain.assessment import LesionInput, NewLesionStatus
from tumorresp.domain.counted_axis import counted_axis
from tumorresp.domain.eligibility import least_target_mm
from tumorresp.domain.measurement import LesionState
from tumorresp.domain.organ import counted_organ
from tumorresp.response.irecist_parameters import IrecistParameters
from tumorresp.response.new_lesions import NewLesions
from tumorresp.response.observation import LesionObservation, Visit
from tumorresp.response.target_choice import baseline_lesion


@dataclass(frozen=True, slots=True)
class NewLesion:
    """One new lesion up to a visit; what split from it, or merged with it, counts for it.

    Parameters
    ----------
    status
        By RECIST 1.1, as last seen.
    has_appeared
        It was seen beyond doubt at some visit up to this one.
    is_target
        It is measured (new-lesion target); decided when it appeared.
    size_mm
        At this visit: the long axis, of a node the short one, 0 when absent; None when not assessed or not measured.
    is_assessed, is_progressive
        At this visit the reader says something of it, or calls it unequivocally progressive.
    source
        Of this visit's observation.
    """

    lesion_id: str
    nodal: bool
    organ: str
    status: NewLesionStatus = NewLesionStatus.NO
    has_appeared: bool = False
    is_target: bool = False
    size_mm: Decimal | None = None
    is_assessed: bool = False
    is_progressive: bool = False
    source: str = ""

    @property
    def is_present(self) -> bool:
        """Whether it is there, as last seen."""
        return self.status is NewLesionStatus.YES


@dataclass(frozen=True, slots=True)
class NewLesionList:
    """The new lesions up to a visit, by ID in order of appearance; those that are gone stay in the list.

    Parameters
    ----------
    origins
        ID of a fragment or conglomerate -> ID of the lesion that it counts for.
    """

    lesions: Mapping[str, NewLesion] = field(default_factory=lambda: MappingProxyType({}))
    origins: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def ids(self) -> tuple[str, ...]:
        """IDs of what is there."""
        return tuple(item.lesion_id for item in self.lesions.values() if item.is_present)

    @property
    def targets(self) -> tuple[str, ...]:
        """IDs of the new-lesion targets, gone ones included."""
        return tuple(item.lesion_id for item in self.lesions.values() if item.is_target)

    @property
    def worse(self) -> tuple[str, ...]:
        """IDs of new-lesion non-targets that the reader calls progressive at this visit."""
        return tuple(
            item.lesion_id
            for item in self.lesions.values()
            if item.is_present and item.is_progressive and not item.is_target
        )

    def target_sum(self, among: Sequence[str]) -> Decimal | None:
        """Return the sum (mm) of some of the lesions; None where one was not assessed, or there is none."""
        sizes = [self.lesions[lesion_id].size_mm for lesion_id in among]
        return sum((size for size in sizes if size is not None), Decimal(0)) if sizes and None not in sizes else None

    def assessed_sum(self, among: Sequence[str]) -> Decimal:
        """Return the sum (mm) of those that were assessed, to which the others can only add."""
        sizes = (self.lesions[lesion_id].size_mm for lesion_id in among)
        return sum((size for size in sizes if size is not None), Decimal(0))

    def inputs(self) -> tuple[LesionInput, ...]:
        """Return the measured new lesions of this visit as inputs of its assessment."""
        return tuple(
            LesionInput(
                item.lesion_id,
                counted_axis(nodal=item.nodal),
                item.size_mm,
                "mm",
                f"new lesion, {'measured' if item.is_target else 'not in a sum'}",
                item.source,
            )
            for item in self.lesions.values()
            if item.has_appeared and (item.is_target or item.size_mm is not None)
        )


def new_lesion_list(before: NewLesionList, visit: Visit, new: NewLesions, rules: IrecistParameters) -> NewLesionList:
    """Return the list after one more visit.

    Parameters
    ----------
    new
        What RECIST 1.1 says of the new lesions at this visit.
    """
    known = before.origins
    seen = [item for item in visit.observations if item.lesion_id in new.lesions]
    if not seen and not before.lesions:
        return before
    origins = dict(known) | {item.lesion_id: _origin(item, known) for item in seen}
    groups: dict[str, list[LesionObservation]] = {}
    for item in sorted(seen, key=lambda item: item.lesion_id):
        groups.setdefault(origins[item.lesion_id], []).append(item)
    merged = {
        known[parent]
        for item in seen
        if len(item.parents) > 1
        for parent in item.parents
        if parent in known and known[parent] != origins[item.lesion_id]
    }
    lesions: dict[str, NewLesion] = {}
    for lesion_id in (*before.lesions, *(name for name in groups if name not in before.lesions)):
        lesion, group = before.lesions.get(lesion_id), groups.get(lesion_id, [])
        lesion = _unassessed(lesion) if lesion else NewLesion(lesion_id, group[0].nodal, group[0].organ)
        lesion = _inside(lesion) if lesion_id in merged else _seen(lesion, group, rules)
        members = [name for name, origin in origins.items() if lesion_id in (name, origin)]
        status = max((new.lesions[name].status for name in members), key=list(NewLesionStatus).index)
        has_appeared = lesion.has_appeared or status is NewLesionStatus.YES
        lesions[lesion_id] = replace(lesion, status=status, has_appeared=has_appeared)
    for chosen in _chosen(before, lesions, groups, rules):
        lesions[chosen.lesion_id] = replace(chosen, is_target=True)
    return NewLesionList(lesions, origins)


def size_of(seen: LesionObservation, rules: IrecistParameters) -> Decimal | None:
    """Return what counts of a lesion beside its sum: the long axis, of a node the short one; mm."""
    if seen.state is LesionState.ABSENT:
        return Decimal(0)
    return rules.too_small_mm if seen.counted_mm is None and seen.state is LesionState.TOO_SMALL else seen.counted_mm


def _origin(item: LesionObservation, known: Mapping[str, str]) -> str:
    """Return the ID of the new lesion that an observation counts for: its own, or that of the first parent."""
    if item.lesion_id in known:
        return known[item.lesion_id]
    return next((known[parent] for parent in sorted(item.parents) if parent in known), item.lesion_id)


def _unassessed(lesion: NewLesion) -> NewLesion:
    return replace(lesion, size_mm=None, is_assessed=False, is_progressive=False, source="")


def _inside(lesion: NewLesion) -> NewLesion:
    """Return a lesion that lies in a conglomerate, which counts for another one."""
    return replace(lesion, size_mm=Decimal(0), is_assessed=True)


def _seen(lesion: NewLesion, group: Iterable[LesionObservation], rules: IrecistParameters) -> NewLesion:
    """Return a lesion with what a visit says of it, or of its fragments."""
    parts = [item for item in group if item.state is not LesionState.NOT_EVALUABLE]
    parts = [item for item in parts if not (item.is_contradictory or item.pending)]
    parts = [item for item in parts if item.state is not LesionState.MERGED] or parts
    if not parts:
        return lesion
    sizes = [size_of(item, rules) for item in parts]
    size = sum((part for part in sizes if part is not None), Decimal(0)) if None not in sizes else None
    return replace(
        lesion,
        size_mm=size,
        is_assessed=True,
        is_progressive=any(item.state is LesionState.UNEQUIVOCAL_PROGRESSION for item in parts),
        source=", ".join(item.source for item in parts if item.source),
    )


def _chosen(
    before: NewLesionList,
    lesions: Mapping[str, NewLesion],
    groups: Mapping[str, Sequence[LesionObservation]],
    rules: IrecistParameters,
) -> list[NewLesion]:
    """Return which of the lesions that appear at this visit are measured: the largest, as long as there are places."""
    places = rules.new_targets - len(before.targets)
    organs = Counter(_organ(item) for item in before.lesions.values() if item.is_target)
    appearing = [
        item
        for item in lesions.values()
        if item.has_appeared and not (item.lesion_id in before.lesions and before.lesions[item.lesion_id].has_appeared)
    ]
    large = [
        item
        for item in appearing
        if item.size_mm is not None
        and item.lesion_id in groups
        and item.size_mm >= least_target_mm(baseline_lesion(groups[item.lesion_id][0]), rules.new_target_sizes)[0]
    ]
    chosen: list[NewLesion] = []
    for item in sorted(large, key=lambda item: (-(item.size_mm or 0), item.lesion_id)):
        organ = _organ(item)
        if len(chosen) < places and (not organ or organs[organ] < rules.new_targets_per_organ):
            chosen.append(item)
            organs[organ] += 1
    return chosen


def _organ(item: NewLesion) -> str:
    return counted_organ(item.organ, nodal=item.nodal)
