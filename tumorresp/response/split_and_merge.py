"""What stands for a lesion of the baseline at a later visit: itself, its fragments, or a conglomerate.

A lesion that split counts with the sum of its fragments; lesions that can no longer be told apart count once, with the
size of the conglomerate (RECIST 1.1, section 4.3.2).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from tumorresp.domain.finding import Finding, Severity
from tumorresp.domain.measurement import LesionRole, LesionState
from tumorresp.response.observation import LesionObservation, Visit
from tumorresp.response.reasons import listing


class StandsFor(StrEnum):
    """How a lesion is seen."""

    ITSELF = "itself"
    FRAGMENTS = "fragments"
    CONGLOMERATE = "conglomerate"


@dataclass(frozen=True)
class Standing:
    """What is seen of a lesion at a visit.

    Parameters
    ----------
    observations
        The lesion, its fragments, or the conglomerate; empty where nothing is known.
    missing
        Fragments of an earlier visit that nobody mentions here.
    finding
        Why nothing can be used, where rows contradict each other.
    """

    how: StandsFor
    observations: tuple[LesionObservation, ...]
    missing: tuple[str, ...] = ()
    finding: Finding | None = None

    @property
    def is_known(self) -> bool:
        """Whether all of it was assessed without contradiction."""
        return bool(self.observations) and not self.missing and self.finding is None

    def is_gone(self, normal_node_mm: Decimal) -> bool | None:
        """Return whether all of it is gone or normal; None where that cannot be told."""
        if not self.is_known:
            return None
        gone = [item.is_gone(normal_node_mm) for item in self.observations]
        return None if None in gone else all(gone)


Fragments = Mapping[str, frozenset[str]]
"""Lesion ID -> IDs of its fragments that were seen so far."""


def fragments_until(visits: Sequence[Visit]) -> list[Fragments]:
    """Return, for every visit, which fragments of which lesion are known up to it."""
    known: dict[str, frozenset[str]] = {}
    roles: dict[str, LesionRole] = {}
    found: list[Fragments] = []
    for visit in visits:
        for parent, children in visit.children.items():
            own = {item.lesion_id for item in children if _is_fragment(item, roles.get(parent))}
            if own:
                known = {**known, parent: known.get(parent, frozenset()) | own}
        roles |= {item.lesion_id: item.role for item in visit.observations if item.lesion_id not in roles}
        found.append(known)
    return found


def _is_fragment(item: LesionObservation, role: LesionRole | None) -> bool:
    """Return whether it is part of what its parent was; a nodule in a tumour has a role of its own."""
    return len(item.parents) == 1 and item.role is role


def standing(lesion: LesionObservation, visit: Visit, fragments: Fragments) -> Standing:
    """Return what stands for a lesion of the baseline at a visit."""
    lesion_id = lesion.lesion_id
    seen = visit.of(lesion_id)
    if not visit.children and not fragments and (seen is None or seen.state is not LesionState.MERGED):
        return Standing(StandsFor.ITSELF, () if seen is None else (seen,))
    children = visit.children.get(lesion_id, ())
    merged = [item for item in children if len(item.parents) > 1 and item.role is not LesionRole.NEW]
    if merged:
        return _merged(lesion_id, seen, merged)
    own = fragments.get(lesion_id, frozenset())
    if own:
        return _split(lesion_id, seen, [item for item in children if item.lesion_id in own], own)
    if seen is not None and seen.state is LesionState.MERGED:
        words = f"{lesion_id} is called merged, but no conglomerate names it as a parent: it is not evaluable."
        return Standing(StandsFor.ITSELF, (), finding=_error("merged-without-conglomerate", words, lesion_id))
    return Standing(StandsFor.ITSELF, () if seen is None else (seen,))


def _merged(lesion_id: str, seen: LesionObservation | None, merged: Sequence[LesionObservation]) -> Standing:
    if len(merged) > 1:
        words = f"{lesion_id} is in several conglomerates ({listing([item.lesion_id for item in merged])})."
        return Standing(StandsFor.CONGLOMERATE, (), finding=_error("merged-twice", words, lesion_id))
    if seen is not None and _has_size(seen):
        words = f"{lesion_id} has a size of its own and is in the conglomerate {merged[0].lesion_id} too: which counts?"
        return Standing(StandsFor.CONGLOMERATE, (), finding=_error("merged-and-measured", words, lesion_id))
    return Standing(StandsFor.CONGLOMERATE, (merged[0],))


def _split(
    lesion_id: str, seen: LesionObservation | None, children: Sequence[LesionObservation], own: frozenset[str]
) -> Standing:
    here = {item.lesion_id: item for item in children}
    if seen is not None and (_has_size(seen) or (seen.state is LesionState.ABSENT and not here)):
        if not here:
            return Standing(StandsFor.ITSELF, (seen,))
        words = f"{lesion_id} has a size of its own and split into {listing(sorted(here))}: which counts?"
        return Standing(StandsFor.FRAGMENTS, (), finding=_error("split-and-measured", words, lesion_id))
    return Standing(StandsFor.FRAGMENTS, tuple(here[name] for name in sorted(here)), tuple(sorted(own - here.keys())))


def _has_size(seen: LesionObservation) -> bool:
    return any((seen.long_axis_mm, seen.short_axis_mm, seen.volume_mm3, seen.viable_long_axis_mm))


def _error(code: str, words: str, lesion_id: str) -> Finding:
    return Finding(code, Severity.ERROR, words, lesion_id)


def from_baseline(seen: LesionObservation, baseline: Visit, visits: Sequence[Visit]) -> bool:
    """Return whether a lesion is one of the baseline, or came from such by splitting or merging."""
    if baseline.of(seen.lesion_id) is not None:
        return True
    ancestors = set(seen.parents)
    reached: set[str] = set()
    while ancestors - reached:
        name = (ancestors - reached).pop()
        reached.add(name)
        if baseline.of(name) is not None:
            return True
        for visit in visits:
            item = visit.of(name)
            ancestors |= set(item.parents) if item is not None else set()
    return False
