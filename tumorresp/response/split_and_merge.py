"""What stands for a lesion of the baseline at a later visit: itself, its fragments, or a conglomerate.

A lesion that split counts with the sum of its fragments; lesions that can no longer be told apart count once, with the
size of the conglomerate (RECIST 1.1, section 4.3.2). Fragments may split or merge again, and conglomerates come apart.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from tumorresp.domain.finding import Finding, Severity
from tumorresp.domain.measurement import LesionRole, LesionState
from tumorresp.response.merged_lesions import MergedByState, merged_by_state
from tumorresp.response.observation import LesionObservation, Visit
from tumorresp.response.reasons import listing

_NOT_SEEN = frozenset((LesionState.ABSENT, LesionState.NOT_EVALUABLE, LesionState.MERGED))


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


@dataclass(frozen=True)
class Fragments:
    """How lesions split and merged, as far as it is known at a visit.

    A fragment or conglomerate keeps the parents that it had when it was first seen.

    Parameters
    ----------
    parents
        ID of a fragment or conglomerate -> IDs of what it came from.
    fragments, conglomerates
        Lesion ID -> IDs of its fragments, and of the conglomerates that it went into.
    hosts
        Lesion ID -> ID of the lesion under whose name its conglomerate is measured (``merged_lesions``).
    merged
        What was concluded at the visit itself from lesions that are called merged.
    """

    parents: Mapping[str, tuple[str, ...]]
    fragments: Mapping[str, tuple[str, ...]]
    conglomerates: Mapping[str, tuple[str, ...]]
    hosts: Mapping[str, str] = field(default_factory=dict)
    merged: MergedByState = field(default=MergedByState())

    def origin(self, lesion_id: str) -> str:
        """Say what a fragment or conglomerate came from; empty for a lesion of its own."""
        parents = self.parents.get(lesion_id, ())
        if not parents:
            return ""
        return f"fragment of {parents[0]}" if len(parents) == 1 else f"conglomerate of {listing(parents)}"


NONE_SPLIT = Fragments({}, {}, {})


def fragments_until(visits: Sequence[Visit]) -> list[Fragments]:
    """Return, for every visit, what split and merged up to it.

    A new lesion is no part of an older one, though it may lie inside: the reader calls it new. Nor is a lesion that the
    baseline already has.
    """
    if not any(visit.children or _has_merged(visit) for visit in visits):
        return [NONE_SPLIT] * len(visits)
    known = NONE_SPLIT
    roles: dict[str, LesionRole] = {}
    found: list[Fragments] = []
    for visit in visits:
        parted = _parted(visits[0], visit, known, roles)
        known = _with_merged(_with(known, parted) if parted else known, visits[0], visit)
        for item in visit.observations:
            roles.setdefault(item.lesion_id, item.role)
        found.append(known)
    return found


def _has_merged(visit: Visit) -> bool:
    return any(item.state is LesionState.MERGED for item in visit.observations)


def _with_merged(known: Fragments, baseline: Visit, visit: Visit) -> Fragments:
    """Return what is known with what the lesions that are called merged at a visit went into."""
    if visit is baseline or not _has_merged(visit):
        return known if known.merged == MergedByState() else replace(known, merged=MergedByState())
    explained = {*known.parents, *known.conglomerates, *known.fragments}
    merged = merged_by_state(baseline, visit, explained)
    conglomerates = {name: (whole,) for whole, names in merged.conglomerates.items() for name in names}
    return replace(
        known,
        parents={**known.parents, **merged.conglomerates},
        conglomerates={**known.conglomerates, **conglomerates},
        hosts={**known.hosts, **merged.hosts},
        merged=merged,
    )


def _parted(
    baseline: Visit, visit: Visit, known: Fragments, roles: Mapping[str, LesionRole]
) -> list[LesionObservation]:
    """Return what is first seen at a visit as part of older lesions, or as part of such a part."""
    waiting = [
        item
        for item in visit.observations
        if item.parents and item.lesion_id not in known.parents and baseline.of(item.lesion_id) is None
    ]
    found: list[LesionObservation] = []
    older = dict(roles)
    while parts := [item for item in waiting if _is_part(item, older)]:
        found += parts
        waiting = [item for item in waiting if item not in parts]
        for item in parts:
            older.setdefault(item.lesion_id, item.role)
    return found


def _is_part(item: LesionObservation, roles: Mapping[str, LesionRole]) -> bool:
    """Return whether it is part of what its parents were; a nodule in a tumour has a role of its own."""
    known = {roles[parent] for parent in item.parents if parent in roles}
    if len(item.parents) == 1:
        return item.role in known
    return bool(known) and (item.role is not LesionRole.NEW or known == {LesionRole.NEW})


def _with(known: Fragments, parted: Sequence[LesionObservation]) -> Fragments:
    fragments, conglomerates = dict(known.fragments), dict(known.conglomerates)
    for item in parted:
        kind = fragments if len(item.parents) == 1 else conglomerates
        for parent in item.parents:
            kind[parent] = (*kind.get(parent, ()), item.lesion_id)
    parents = {**known.parents, **{item.lesion_id: item.parents for item in parted}}
    return replace(known, parents=parents, fragments=fragments, conglomerates=conglomerates)


def standing(lesion: LesionObservation, visit: Visit, fragments: Fragments = NONE_SPLIT) -> Standing:
    """Return what stands for a lesion of the baseline at a visit."""
    seen = visit.of(lesion.lesion_id)
    if fragments is NONE_SPLIT and (seen is None or seen.state is not LesionState.MERGED):
        return Standing(() if seen is None else (seen,))
    return _standing(lesion.lesion_id, visit, fragments, frozenset())


def _standing(lesion_id: str, visit: Visit, known: Fragments, above: frozenset[str]) -> Standing:
    """Return what stands for a lesion; ``above`` it are those that it came from."""
    if lesion_id in above:
        words = f"{lesion_id} is said to have come from itself."
        return Standing((), finding=_error("parents-in-circle", words, lesion_id))
    above = above | {lesion_id}
    seen = visit.of(lesion_id)
    wholes = _wholes(lesion_id, visit, known, above)
    if wholes and not (_is_seen(seen) and all(_is_absent(stands) for _, stands in wholes)):
        return _merged(lesion_id, seen, wholes)
    if lesion_id in known.fragments:
        parts = {name: _standing(name, visit, known, above) for name in known.fragments[lesion_id]}
        if any(stands.observations or stands.finding for stands in parts.values()):
            if not (_is_seen(seen) and all(_is_absent(stands) for stands in parts.values())):
                return _split(lesion_id, seen, parts)
        elif seen is None or seen.state is LesionState.MERGED:
            return Standing((), tuple(sorted(parts)))
    if seen is None or seen.state is LesionState.MERGED:
        host = known.hosts.get(lesion_id)
        if host is not None and visit.of(host) is not None:
            return _standing(host, visit, known, above)
    if seen is not None and seen.state is LesionState.MERGED:
        if lesion_id in known.conglomerates:
            return Standing((), known.conglomerates[lesion_id])
        if lesion_id in known.merged.contradictory:
            words = f"{lesion_id} and others are called merged, each with a size of its own: which is the conglomerate?"
            return Standing((), finding=_error("merged-with-several-sizes", words, lesion_id))
        if seen.has_size:
            return Standing((_as_whole(seen, visit, known),))
        words = f"{lesion_id} is called merged, but no conglomerate names it as a parent: it is not evaluable."
        return Standing((), finding=_error("merged-without-conglomerate", words, lesion_id))
    return Standing(() if seen is None else (_as_whole(seen, visit, known),))


def _as_whole(seen: LesionObservation, visit: Visit, known: Fragments) -> LesionObservation:
    """Return an observation with the lesions in it as its parents, where it is a conglomerate that does not say so."""
    if seen.parents or not (known.hosts or seen.lesion_id in known.parents):
        return seen
    guests = [name for name, host in known.hosts.items() if host == seen.lesion_id]
    inside = [name for name in guests if (item := visit.of(name)) is None or item.state is LesionState.MERGED]
    parents = (seen.lesion_id, *inside) if inside else known.parents.get(seen.lesion_id, ())
    return replace(seen, parents=parents) if parents else seen


def _wholes(lesion_id: str, visit: Visit, known: Fragments, above: frozenset[str]) -> list[tuple[str, Standing]]:
    """Return the conglomerates of a lesion that are seen, without those that a larger one took up."""
    names = known.conglomerates.get(lesion_id, ())
    if len(names) > 1:
        taken_up = [name for name in names if (whole := visit.of(name)) and whole.state is LesionState.MERGED]
        names = tuple(name for name in names if name not in taken_up or name in known.conglomerates)
    found = [(name, _standing(name, visit, known, above)) for name in names]
    return [(name, stands) for name, stands in found if stands.observations or stands.finding]


def _merged(lesion_id: str, seen: LesionObservation | None, wholes: Sequence[tuple[str, Standing]]) -> Standing:
    name, whole = wholes[0]
    if len({tuple(item.lesion_id for item in stands.observations) for _, stands in wholes}) > 1:
        words = f"{lesion_id} is in several conglomerates ({listing([name for name, _ in wholes])})."
        return Standing((), finding=_error("merged-twice", words, lesion_id))
    if seen is not None and seen.has_size:
        words = f"{lesion_id} has a size of its own and is in the conglomerate {name} too: which counts?"
        return Standing((), finding=_error("merged-and-measured", words, lesion_id))
    return whole


def _split(lesion_id: str, seen: LesionObservation | None, parts: Mapping[str, Standing]) -> Standing:
    here = sorted(name for name, stands in parts.items() if stands.observations)
    if seen is not None and seen.has_size:
        words = f"{lesion_id} has a size of its own and split into {listing(here)}: which counts?"
        return Standing((), finding=_error("split-and-measured", words, lesion_id))
    contradiction = next((stands.finding for stands in parts.values() if stands.finding is not None), None)
    if contradiction is not None:
        return Standing((), finding=contradiction)
    # Fragments that merged again are one observation.
    observations = {item.lesion_id: item for name in here for item in parts[name].observations}
    missing = {lost for name, stands in parts.items() for lost in (stands.missing if name in here else (name,))}
    return Standing(tuple(observations.values()), tuple(sorted(missing)))


def _is_seen(seen: LesionObservation | None) -> bool:
    return seen is not None and seen.state not in _NOT_SEEN


def _is_absent(stands: Standing) -> bool:
    """Return whether nothing of it adds anything: what is said to be gone, or is not mentioned."""
    return stands.finding is None and all(item.state is LesionState.ABSENT for item in stands.observations)


def _error(code: str, words: str, lesion_id: str) -> Finding:
    return Finding(code, Severity.ERROR, words, lesion_id, decides=True)


def twice_at_baseline(lesion: LesionObservation, baseline: Visit) -> Finding | None:
    """Return why a lesion of the baseline would count twice: its fragments or its conglomerate are measured there too.

    The latter are lesions of the baseline as any other; the one that they came from is not used.
    """
    came_of_it = [
        item.lesion_id
        for item in baseline.children.get(lesion.lesion_id, ())
        if item.role is lesion.role and item.has_size
    ]
    if not came_of_it or not lesion.has_size:
        return None
    parts = listing(came_of_it)
    words = (
        f"{lesion.name} and {parts}, which came from it, are both measured at baseline: {lesion.lesion_id} is not used."
    )
    return _error("measured-with-its-parts", words, lesion.lesion_id)


def descent_findings(
    baseline: Visit, visit: Visit, fragments: Fragments, non_targets: Sequence[LesionObservation]
) -> Iterator[Finding]:
    """Report what is said of split and merged lesions and does not go together, beside what concerns targets alone."""
    if not visit.children and not any(seen.state is LesionState.MERGED for seen in visit.observations):
        return
    yield from _merged_findings(visit, fragments)
    for lesion in non_targets:
        finding = standing(lesion, visit, fragments).finding
        if finding is not None:
            yield finding
    for seen in visit.observations:
        parents = [item for name in seen.parents if (item := baseline.of(name)) is not None]
        if seen.role is LesionRole.NEW or baseline.of(seen.lesion_id) is not None or not parents:
            continue
        roles = {item.role for item in parents}
        names = listing([item.name for item in parents if item.role is not seen.role])
        if seen.lesion_id not in fragments.parents:
            words = f"{seen.name} is called {seen.role}, but came from {names}, which is not: it is not used."
            yield _error("role-unlike-its-parent", words, seen.lesion_id)
        elif LesionRole.TARGET in roles and len(roles) > 1:
            words = f"{seen.name} holds target and non-target lesions; its whole size counts in the sum of the targets."
            yield Finding("target-merged-with-non-target", Severity.WARNING, words, seen.lesion_id, decides=True)


def _merged_findings(visit: Visit, fragments: Fragments) -> Iterator[Finding]:
    """Say what was concluded from lesions that are called merged, and which conglomerates nobody explains."""
    merged = fragments.merged
    for name, host in merged.hosts.items():
        said = "is called merged" if visit.of(name) is not None else "is not mentioned"
        words = f"{name} {said}: it counts with {host}, the only one like it that is called merged and has a size."
        yield Finding("conglomerate-under-one-name", Severity.WARNING, words, host, decides=True)
    for whole, names in merged.conglomerates.items():
        words = f"{listing(names)} are called merged: {whole}, which comes from no known lesion, is their conglomerate."
        yield Finding("conglomerate-without-parents", Severity.WARNING, words, whole, decides=True)
    for seen in visit.observations:
        alone = seen.lesion_id not in {*merged.hosts.values(), *merged.hosts, *fragments.hosts.values()}
        is_sized = seen.state is LesionState.MERGED and seen.has_size and seen.role is not LesionRole.NEW
        if is_sized and alone and seen.lesion_id not in {*merged.contradictory, *fragments.conglomerates}:
            words = f"{seen.name} is called merged, but nothing says with what: its size counts as it is."
            yield Finding("merged-with-unknown", Severity.WARNING, words, seen.lesion_id, decides=True)


def from_baseline(
    seen: LesionObservation, baseline: Visit, visits: Sequence[Visit], fragments: Fragments = NONE_SPLIT
) -> bool:
    """Return whether a lesion is one of the baseline, or came from such by splitting or merging."""
    if baseline.of(seen.lesion_id) is not None:
        return True
    reached: set[str] = set()
    waiting = {seen.lesion_id, *seen.parents, *fragments.parents.get(seen.lesion_id, ())}
    while waiting:
        name = waiting.pop()
        if baseline.of(name) is not None:
            return True
        reached.add(name)
        waiting |= set(_parents_of(name, visits)) - reached
    return False


def _parents_of(lesion_id: str, visits: Sequence[Visit]) -> Iterator[str]:
    for visit in visits:
        item = visit.of(lesion_id)
        if item is not None:
            yield from item.parents
