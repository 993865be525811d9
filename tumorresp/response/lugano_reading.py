"""What the Lugano classification makes of non-measured and new lesions before they count.

Nodes are judged by their longest diameter, not by the short axis as in RECIST 1.1: a node of normal size is read as
gone. A small new lesion outside nodes waits for the reader's word that it is lymphoma (Cheson 2014, Table 3).
"""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from tumorresp.domain.finding import Finding, Severity
from tumorresp.domain.measurement import LesionRole, LesionState
from tumorresp.response.lugano_parameters import LuganoParameters
from tumorresp.response.observation import LesionObservation, Visit
from tumorresp.response.perpendicular_diameters import diameters_of, plain
from tumorresp.response.product_assessment import Reading
from tumorresp.response.reasons import listing

_SETTLED = (
    LesionState.ABSENT,
    LesionState.NOT_EVALUABLE,
    LesionState.MERGED,
    LesionState.UNEQUIVOCAL_PROGRESSION,
)
_Read = tuple[LesionObservation, str]


def read_as_lymphoma(visits: Sequence[Visit], spleen_id: str, rules: LuganoParameters) -> tuple[Reading, ...]:
    """Return the visits as the Lugano classification reads them, without the spleen's length.

    Parameters
    ----------
    spleen_id
        Of the observation with the length of the spleen; empty where there is none.
    """
    counted: set[str] = set()
    first = Reading(_first(visits[0], spleen_id), (), _checked_baseline(visits[0], spleen_id, rules))
    roles = {seen.lesion_id: seen.role for seen in visits[0].observations}
    return (first, *(_follow_up(visit, spleen_id, roles, counted, rules) for visit in visits[1:]))


def _first(visit: Visit, spleen_id: str) -> Visit:
    """Return the baseline; RECIST's limit of nodes must not decide on non-target ones."""
    kept = tuple(
        replace(seen, nodal=False) if seen.nodal and seen.role is LesionRole.NON_TARGET else seen
        for seen in visit.observations
        if seen.lesion_id != spleen_id
    )
    return visit if kept == visit.observations else replace(visit, observations=kept)


def _follow_up(
    visit: Visit, spleen_id: str, roles: dict[str, LesionRole], counted: set[str], rules: LuganoParameters
) -> Reading:
    read = [
        _read(seen, roles.get(seen.lesion_id, seen.role), seen.lesion_id in roles, counted, rules)
        for seen in visit.observations
        if seen.lesion_id != spleen_id
    ]
    seen_as = tuple(seen for seen, _ in read)
    changed = visit if seen_as == visit.observations else replace(visit, observations=seen_as)
    return Reading(changed, tuple(reason for _, reason in read if reason))


def _read(
    seen: LesionObservation, role: LesionRole, from_baseline: bool, counted: set[str], rules: LuganoParameters
) -> _Read:
    if role is LesionRole.NEW and seen.state is LesionState.UNEQUIVOCAL_PROGRESSION:
        counted.add(seen.lesion_id)
    if role is LesionRole.TARGET or seen.state in _SETTLED or seen.is_contradictory or seen.pending:
        return seen, ""
    if role is LesionRole.NON_TARGET:
        return _non_target_node(seen, rules) if seen.nodal else (seen, "")
    return (seen, "") if from_baseline else _new(seen, counted, rules)


def _non_target_node(seen: LesionObservation, rules: LuganoParameters) -> _Read:
    longest = _longest_axis(seen)
    if longest is not None and longest > rules.normal_node_mm:
        return replace(seen, nodal=False), ""
    if longest is not None and seen.long_axis_mm is None:
        words = f"{seen.name} has a short axis only; its longest diameter is not known: it is not evaluable."
        return replace(seen, state=LesionState.NOT_EVALUABLE), words
    if longest is not None:
        return _gone(
            seen
        ), f"{seen.name} is {plain(longest)} mm long, at most {plain(rules.normal_node_mm)} mm: normal."
    if seen.state is LesionState.TOO_SMALL:
        return _gone(seen), f"{seen.name} is too small to measure: normal."
    return replace(seen, nodal=False), ""


def _new(seen: LesionObservation, counted: set[str], rules: LuganoParameters) -> _Read:
    """Return a new lesion: a node of normal size as none, a small one elsewhere as equivocal."""
    least = rules.normal_node_mm if seen.nodal else rules.new_extranodal_mm
    longest = _longest_axis(seen)
    seen_as = replace(seen, nodal=False) if seen.nodal else seen
    if seen.lesion_id in counted:
        return seen_as, ""
    is_small = seen.state is LesionState.TOO_SMALL if longest is None else longest <= least
    if not is_small:
        if seen.state is not LesionState.EQUIVOCAL:
            counted.add(seen.lesion_id)
        return seen_as, ""
    size = "too small to measure" if longest is None else f"{plain(longest)} mm in its longest axis"
    words = f"{seen.name} is {size}, not over {plain(least)} mm"
    if seen.nodal:
        return _gone(seen), f"{words}: no new lesion."
    return replace(seen_as, state=LesionState.EQUIVOCAL), f"{words}: it counts once a reader calls it unequivocal."


def _gone(seen: LesionObservation) -> LesionObservation:
    return replace(
        seen,
        nodal=False,
        state=LesionState.ABSENT,
        long_axis_mm=None,
        short_axis_mm=None,
        volume_mm3=None,
        viable_long_axis_mm=None,
    )


def _longest_axis(seen: LesionObservation) -> Decimal | None:
    return max((axis for axis in (seen.long_axis_mm, seen.short_axis_mm) if axis is not None), default=None)


def _checked_baseline(visit: Visit, spleen_id: str, rules: LuganoParameters) -> tuple[Finding, ...]:
    """Return what speaks against the lesions chosen; they are followed all the same."""
    targets = [seen for seen in visit.observations if seen.role is LesionRole.TARGET and seen.lesion_id != spleen_id]
    findings = []
    if len(targets) > rules.most_targets:
        words = f"{len(targets)} targets at baseline ({listing([seen.lesion_id for seen in targets])})"
        words += f"; the Lugano classification follows {rules.most_targets} at most."
        findings.append(Finding("too-many-targets", Severity.WARNING, words))
    for seen in targets:
        size = diameters_of(seen, rules.too_small_mm)
        least = rules.normal_node_mm if seen.nodal else rules.new_extranodal_mm
        if size is not None and 0 < size.long_mm <= least:
            words = f"Target {seen.name} is {size} at baseline; it is measurable when longer than {plain(least)} mm."
            findings.append(Finding("target-too-small", Severity.WARNING, words, seen.lesion_id))
    return tuple(findings)
