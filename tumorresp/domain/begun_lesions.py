"""IDs, roles and tracking UIDs of the lesions that begin at a time point, the parts of older ones among them."""

from collections import Counter
from collections.abc import Iterator
from itertools import count

from tumorresp.domain.evaluation import Lesion
from tumorresp.domain.identity import derived_uid
from tumorresp.domain.lesion_matching import Seen, lesion_id_of
from tumorresp.domain.measurement import LesionRole
from tumorresp.domain.time_point_matching import Beginning, Matching, Parted


def begun_lesions(subject_key: str, matching: Matching) -> dict[int, Lesion]:
    """Return the lesions that begin at a time point, by the place of their measurement.

    A lesion takes the label as its ID where that has the form of one, else the role's next free number; a part is
    called T01.1, a conglomerate T01+T02.

    Parameters
    ----------
    subject_key
        Goes into the tracking UIDs.
    """
    lesion_ids = _lesion_ids(matching)
    uids = {k.lesion.tracking_uid for k in matching.known}
    identities = Counter(seen.stable_uid for seen in matching.seen)
    lesions = {}
    for index, lesion_id in sorted(lesion_ids.items()):
        seen, verdict = matching.seen[index], matching.verdicts[index]
        identity = "" if isinstance(verdict, Parted) or identities[seen.stable_uid] > 1 else seen.stable_uid
        tracking_uid = derived_uid("lesion", subject_key, identity or seen.measurement.measurement_uid)
        if tracking_uid in uids:
            tracking_uid = derived_uid("lesion", subject_key, seen.measurement.measurement_uid)
        uids.add(tracking_uid)
        if isinstance(verdict, Parted):
            lesions[index] = _parted(verdict, seen, lesion_id, tracking_uid)
        elif isinstance(verdict, Beginning):
            label, site = seen.measurement.label, seen.measurement.site
            lesions[index] = Lesion(lesion_id, tracking_uid, verdict.role, seen.nodal, seen.organ, label, site)
    return lesions


def _parted(verdict: Parted, seen: Seen, lesion_id: str, tracking_uid: str) -> Lesion:
    """Return a part or conglomerate: target if any parent is, node if all are."""
    parents = [k.lesion for k in verdict.parents]
    role = LesionRole.TARGET if any(p.role is LesionRole.TARGET for p in parents) else parents[0].role
    return Lesion(
        lesion_id,
        tracking_uid,
        role,
        all(parent.nodal for parent in parents),
        parents[0].organ,
        seen.measurement.label,
        seen.measurement.site,
        tuple(parent.lesion_id for parent in parents),
    )


def _lesion_ids(matching: Matching) -> dict[int, str]:
    """Return the ID of each lesion that begins: what a person said, a label that is an ID, else the next free one."""
    used = {k.lesion.lesion_id for k in matching.known}
    begun = {i: v for i, v in sorted(matching.verdicts.items()) if isinstance(v, Beginning | Parted)}
    found: dict[int, str] = {}

    def take(index: int, lesion_id: str) -> None:
        if lesion_id not in used and index not in found:
            found[index] = lesion_id
            used.add(lesion_id)

    for index, verdict in begun.items():
        if verdict.lesion_id:
            take(index, verdict.lesion_id)
    for index, verdict in begun.items():
        named = matching.seen[index].labelled_id
        if isinstance(verdict, Beginning) and named is not None and named[0] is verdict.role:
            take(index, lesion_id_of(*named))
    for index, verdict in begun.items():
        if index not in found:
            take(index, next(name for name in _free_names(verdict) if name not in used))
    return found


def _free_names(verdict: Beginning | Parted) -> Iterator[str]:
    if isinstance(verdict, Beginning):
        return (lesion_id_of(verdict.role, number) for number in count(1))
    names = [k.lesion.lesion_id for k in verdict.parents]
    if len(names) == 1:
        return (f"{names[0]}.{number}" for number in count(1))
    whole = "+".join(sorted(names))
    return (whole if number == 1 else f"{whole}.{number}" for number in count(1))
