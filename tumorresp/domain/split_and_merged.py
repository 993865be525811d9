"""Lesions that fell into parts, or that can no longer be told apart, at one time point.

The reader says it by the label (T1.1 and T1.2, T1a and T1b; T1+T2), or it shows by the place: several measurements
inside what was one lesion, or one that holds what were several. The parts count with their sum and a conglomerate with
its own size (RECIST 1.1, section 4.3.2); the response engine does that, here they are recognised.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations

import numpy as np

from tumorresp.domain.finding import Finding, Severity
from tumorresp.domain.label import compared_label, joined_labels, whole_label
from tumorresp.domain.lesion_matching import KnownLesion, Seen, as_lesion_id, conflict, lesion_id_of
from tumorresp.domain.measurement import LesionRole, LesionState
from tumorresp.domain.time_point_matching import BY_DECISION, Doubt, Match, Matching, Parted, Verdict, Verdicts

_MOST_GROWTH = 1.5
_PART_ID = re.compile(r"(.+)\.\d+")


def parts_by_decision(matching: Matching, decisions: Mapping[str, str]) -> Verdicts:
    """Take what a person decided: ``T01.2`` for a part of T01, ``T01+T02`` for a conglomerate."""
    known = {k.lesion.lesion_id: k for k in matching.known}
    verdicts: dict[int, Verdict] = {}
    for index, seen in matching.open:
        wanted = decisions.get(seen.measurement.measurement_uid, "")
        matched = _PART_ID.fullmatch(wanted)
        names = wanted.split("+") if "+" in wanted else [matched[1]] if matched else []
        if wanted not in known and names and all(name in known for name in names):
            parents = tuple(known[name] for name in names)
            verdicts[index] = Parted(parents, BY_DECISION, lesion_id=wanted)
    return verdicts


def parts_by_label(matching: Matching) -> Verdicts:
    """Recognise parts and conglomerates by labels that name the lesions that they came from."""
    verdicts: dict[int, Verdict] = {}
    parts: dict[str, list[int]] = {}
    for index, seen in matching.open:
        label = seen.measurement.label
        if any(seen.labels & k.labels for k in matching.known):
            continue
        whole = _named(whole_label(label), matching.known)
        if whole is not None and _is_plausible(seen, [whole], matching):
            parts.setdefault(whole.lesion.lesion_id, []).append(index)
            continue
        merged = [_named(name, matching.known) for name in joined_labels(label)]
        parents = list({k.lesion.lesion_id: k for k in merged if k is not None}.values())
        if len(parents) > 1 and None not in merged and _is_plausible(seen, parents, matching):
            verdicts[index] = Parted(tuple(parents), f"label “{label.strip()}”")
    for lesion_id, indices in parts.items():
        parent = next(k for k in matching.known if k.lesion.lesion_id == lesion_id)
        rest = [i for i, seen in matching.open if i not in indices and _is_called(seen, parent)]
        if len(indices) + len(rest) == 1:
            words = f"It is called a part of {lesion_id}, and no other part is measured here."
            verdicts[indices[0]] = Doubt((lesion_id,), words)
            continue
        for index in (*indices, *rest):
            words = f"label “{matching.seen[index].measurement.label.strip()}”"
            verdicts[index] = Parted((parent,), words)
    return verdicts


def parts_by_place(matching: Matching) -> Verdicts:
    """Recognise several measurements inside one lesion that nothing else is, or one that holds several lesions."""
    free = [k for k in matching.free_sought if k.is_placed and k.lesion.role is not LesionRole.NEW]
    verdicts: dict[int, Verdict] = {}
    inside: dict[str, list[int]] = {}
    for index, seen in matching.open:
        if seen.role is LesionRole.NEW or not seen.is_placed or seen.group is not None:
            continue
        held = [k for k in free if _holds(seen, k) and not conflict(seen, k)]
        around = [k for k in free if _lies_in(seen, k) and not conflict(seen, k)]
        if len(held) > 1 and _is_as_long_as_all(seen, held):
            verdicts[index] = Parted(tuple(held), "place: it holds what were several lesions", _by_place(held, seen))
        elif len(around) == 1 and seen.long_axis_mm <= around[0].long_axis_mm:
            inside.setdefault(around[0].lesion.lesion_id, []).append(index)
    for lesion_id, indices in inside.items():
        parent = next(k for k in free if k.lesion.lesion_id == lesion_id)
        if len(indices) > 1:
            for index in indices:
                seen = matching.seen[index]
                words = "place: several measurements lie inside what was one lesion"
                verdicts[index] = Parted((parent,), words, _by_place([parent], seen))
    return verdicts


def wholes_beside_parts(matching: Matching) -> Verdicts:
    """Let a measurement that keeps the name of a lesion be one of its parts, where others are its parts here."""
    parted = [v for v in matching.verdicts.values() if isinstance(v, Parted)]
    split = {v.parents[0].lesion.lesion_id for v in parted if len(v.parents) == 1}
    return {
        index: Parted((verdict.known,), verdict.by)
        for index, verdict in matching.verdicts.items()
        if isinstance(verdict, Match)
        and verdict.known.lesion.lesion_id in split
        and matching.seen[index].measurement.state is LesionState.MEASURED
    }


def taken_up(matching: Matching) -> Verdicts:
    """Let a recognised lesion that holds another one be the conglomerate of both.

    The other one is called merged, or nobody mentions it and the measurement is as long as either was.
    """
    gone = {
        v.known.lesion.lesion_id: v.known
        for index, v in matching.verdicts.items()
        if isinstance(v, Match) and matching.seen[index].measurement.state is LesionState.MERGED
    }
    gone |= {k.lesion.lesion_id: k for k in matching.free if not k.went_into and k.lesion.role is not LesionRole.NEW}
    verdicts: dict[int, Verdict] = {}
    for index, verdict in matching.verdicts.items():
        seen = matching.seen[index]
        if not isinstance(verdict, Match) or not seen.is_placed or verdict.known.lesion.lesion_id in gone:
            continue
        own = verdict.known
        held = [k for k in gone.values() if _holds(seen, k) and not conflict(seen, k) and not _held_before(own, k)]
        parents = (own, *held)
        if held and verdict.by != BY_DECISION and _holds(seen, own) and _is_as_long_as_all(seen, parents):
            verdicts[index] = Parted(parents, verdict.by, _by_place(parents, seen))
    return verdicts


def _named(label: str, known: Iterable[KnownLesion]) -> KnownLesion | None:
    """Return the one lesion that a label or ID names."""
    if not label:
        return None
    named = as_lesion_id(label)
    wanted = lesion_id_of(*named) if named is not None else ""
    found = [k for k in known if compared_label(label) in k.labels or k.lesion.lesion_id == wanted]
    return found[0] if len(found) == 1 else None


def _is_called(seen: Seen, known: KnownLesion) -> bool:
    measured = seen.measurement.state is LesionState.MEASURED and seen.group is None
    return measured and bool(seen.labels & known.labels or seen.stable_uids & known.tracking_uids)


def _is_plausible(seen: Seen, parents: Sequence[KnownLesion], matching: Matching) -> bool:
    """Return whether nothing forbids the descent, and it lies no farther off than both reach and the gate."""
    if seen.role is LesionRole.NEW or any(conflict(seen, k) for k in parents):
        return False
    reach = [matching.rules.gate_mm + (k.long_axis_mm + seen.long_axis_mm) / 2 for k in parents]
    gaps = [k.distance_mm(seen) if k.is_placed and seen.is_placed else 0.0 for k in parents]
    return all(gap <= most for gap, most in zip(gaps, reach, strict=True))


def _is_as_long_as_all(seen: Seen, parents: Sequence[KnownLesion]) -> bool:
    """Return whether a measurement is as long as a conglomerate must be, and no longer than one can be.

    It reaches from the middle of one lesion to that of another and beyond, and is at most half as long again as all of
    them in a row.
    """
    lengths = [k.long_axis_mm for k in parents]
    gaps = [_gap_mm(one, other) for one, other in combinations(parents, 2)]
    least = max(max(lengths), max(gaps) + min(lengths) / 2)
    return least <= seen.long_axis_mm <= _MOST_GROWTH * sum(lengths)


def _gap_mm(one: KnownLesion, other: KnownLesion) -> float:
    shared = one.extents.keys() & other.extents.keys()
    gaps = (one.extents[name].midpoint - other.extents[name].midpoint for name in shared)
    return min((float(np.linalg.norm(gap)) for gap in gaps), default=0.0)


def _holds(seen: Seen, known: KnownLesion) -> bool:
    shared = seen.extents.keys() & known.extents.keys()
    return any(seen.extents[name].holds(known.extents[name].centre) for name in shared)


def _lies_in(seen: Seen, known: KnownLesion) -> bool:
    shared = seen.extents.keys() & known.extents.keys()
    return any(known.extents[name].holds(seen.extents[name].centre) for name in shared)


def _held_before(one: KnownLesion, other: KnownLesion) -> bool:
    shared = one.extents.keys() & other.extents.keys()
    return any(one.extents[name].holds(other.extents[name].centre) for name in shared)


def _by_place(parents: Sequence[KnownLesion], seen: Seen) -> tuple[Finding, ...]:
    names = " and ".join(k.lesion.lesion_id for k in parents)
    if len(parents) > 1:
        words = f"It holds the places of {names}, which nobody measures here: taken as the conglomerate of both."
    else:
        words = f"It lies with others inside what was {names}: taken as a part of it, and the parts are added up."
    where = seen.measurement.label or seen.measurement.measurement_uid
    return (Finding("descent-by-place", Severity.WARNING, words, where, decides=True),)
