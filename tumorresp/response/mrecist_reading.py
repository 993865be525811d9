"""What mRECIST makes of a reading before it sums and compares (Lencioni and Llovet, Semin Liver Dis 30 (2010) 52-60).

A new liver nodule, a new node or an effusion that is not malignant by mRECIST's measure becomes equivocal: it does not
count, and once a later visit settles it, progression dates from its first appearance, as the publication asks. A
non-target lesion without arterial enhancement is gone.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import lru_cache

from tumorresp.domain.finding import Finding, Severity
from tumorresp.domain.measurement import LesionRole, LesionState
from tumorresp.domain.organ import counted_organ
from tumorresp.response.mrecist_parameters import MRecistParameters
from tumorresp.response.new_lesions import is_normal_new
from tumorresp.response.observation import LesionObservation, Visit
from tumorresp.response.reasons import beside_limits

LIVER = "liver"
_SETTLED = (LesionState.ABSENT, LesionState.NOT_EVALUABLE, LesionState.MERGED, LesionState.UNEQUIVOCAL_PROGRESSION)
_SEEN = (LesionState.MEASURED, LesionState.PRESENT, LesionState.TOO_SMALL)
_EFFUSION = re.compile(r"\b(ascit\w*|effusions?)\b")
_ILL_DEFINED = re.compile(r"\b(pvt|thromb\w*|infiltrat\w*|diffuse)\b")
_CYTOLOGY = re.compile(r"\b(cytolog\w*|malignant cells)\b")
_POSITIVE = re.compile(r"\b(positive|confirmed|proven|malignant)\b")
_NEGATIVE = re.compile(r"\b(negative|no|not|non|without|pending|unconfirmed|unproven|suspected)\b")


@dataclass(frozen=True)
class Reading:
    """A visit as mRECIST reads it, and what a person is told of the difference."""

    visit: Visit
    reasons: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class _Read:
    """One observation as mRECIST reads it."""

    seen: LesionObservation
    reason: str = ""
    finding: Finding | None = None


@dataclass
class _NewLesionsSoFar:
    """What earlier visits said of new lesions: the smallest size of each, and those that already count."""

    smallest: dict[str, Decimal]
    counted: set[str]


def read_as_hcc(visits: Sequence[Visit], rules: MRecistParameters) -> tuple[Reading, ...]:
    """Return the visits as mRECIST reads them; the baseline is only checked, never changed."""
    if not visits:
        return ()
    normal = rules.normal_node_mm
    roles = {item.lesion_id: item.role for item in visits[0].observations if not is_normal_new(item, normal)}
    so_far = _NewLesionsSoFar({}, set())
    readings = [Reading(visits[0], (), _checked_baseline(visits[0], rules))]
    readings += [_follow_up(visit, roles, so_far, rules) for visit in visits[1:]]
    return tuple(readings)


def _follow_up(
    visit: Visit, roles: dict[str, LesionRole], so_far: _NewLesionsSoFar, rules: MRecistParameters
) -> Reading:
    for seen in visit.observations:
        _inherit_role(seen, roles)
    read = [_read(seen, roles.get(seen.lesion_id), so_far, rules) for seen in visit.observations]
    if all(item.seen is seen for item, seen in zip(read, visit.observations, strict=True)):
        changed = visit
    else:
        changed = replace(visit, observations=tuple(item.seen for item in read))
    return Reading(
        changed,
        tuple(item.reason for item in read if item.reason),
        tuple(item.finding for item in read if item.finding is not None),
    )


def _inherit_role(seen: LesionObservation, roles: dict[str, LesionRole]) -> None:
    """Note that a fragment or conglomerate of lesions of the baseline is no new lesion."""
    if seen.role is not LesionRole.NEW and seen.lesion_id not in roles and not roles.keys().isdisjoint(seen.parents):
        roles[seen.lesion_id] = seen.role


def _read(
    seen: LesionObservation, role: LesionRole | None, so_far: _NewLesionsSoFar, rules: MRecistParameters
) -> _Read:
    if role is LesionRole.NON_TARGET:
        return _non_target(seen, rules)
    if role is None and seen.role is LesionRole.NEW:
        return _new(seen, so_far, rules)
    return _Read(seen)


def _non_target(seen: LesionObservation, rules: MRecistParameters) -> _Read:
    if not seen.nodal and seen.viable_long_axis_mm == 0 and seen.state in _SEEN:
        gone = replace(seen, state=LesionState.ABSENT, long_axis_mm=None, short_axis_mm=None, volume_mm3=None)
        return _Read(gone, f"{seen.name} has no arterial enhancement left: it counts as gone.")
    if seen.state is LesionState.UNEQUIVOCAL_PROGRESSION and _lacks_cytology(seen, rules):
        words = f"{seen.name} is worse, but no positive cytology is stated: by mRECIST that is no progression."
        finding = Finding("effusion-without-cytology", Severity.WARNING, words, seen.lesion_id, decides=True)
        return _Read(replace(seen, state=LesionState.PRESENT), words, finding)
    return _Read(seen)


def _new(seen: LesionObservation, so_far: _NewLesionsSoFar, rules: MRecistParameters) -> _Read:
    """Return a new lesion: as it stands where it is malignant by mRECIST, else as equivocal."""
    if seen.state in _SETTLED or seen.is_contradictory or seen.pending:
        return _Read(seen)
    if seen.lesion_id in so_far.counted:
        return _Read(_definite(seen))
    read = _judged_new(seen, so_far.smallest.get(seen.lesion_id), rules)
    if read.seen.state is not LesionState.EQUIVOCAL:
        so_far.counted.add(seen.lesion_id)
    size = _nodule_mm(seen)
    if size is not None:
        so_far.smallest[seen.lesion_id] = min(size, so_far.smallest.get(seen.lesion_id, size))
    return read


def _judged_new(seen: LesionObservation, smallest: Decimal | None, rules: MRecistParameters) -> _Read:
    if _lacks_cytology(seen, rules):
        return _equivocal(seen, "effusion-without-cytology", "no positive cytology is stated")
    if seen.nodal:
        return _new_node(seen, rules)
    if counted_organ(seen.organ, nodal=False) == LIVER:
        return _new_nodule(seen, smallest, rules)
    return _Read(seen)


def _new_node(seen: LesionObservation, rules: MRecistParameters) -> _Read:
    at_porta = _is_at_porta_hepatis(seen.organ, seen.label, rules.porta_hepatis_words)
    least = rules.porta_hepatis_node_mm if at_porta else rules.malignant_node_mm
    short_axis = seen.short_axis_mm
    # A node under the normal size is no lesion at all; one that was not measured stays the reader's word.
    if short_axis is None or not rules.normal_node_mm <= short_axis < least:
        return _Read(seen)
    where = " at the porta hepatis" if at_porta else ""
    words = f"its short axis of {beside_limits(short_axis, [least])} mm is under the {least} mm of a malignant node"
    return _equivocal(seen, "new-node-too-small", words + where)


def _new_nodule(seen: LesionObservation, smallest: Decimal | None, rules: MRecistParameters) -> _Read:
    size = _nodule_mm(seen)
    if size is None:
        if seen.state is LesionState.EQUIVOCAL:
            return _Read(seen)
        return _equivocal(seen, "new-nodule-unmeasured", "it has no size")
    if smallest is not None and size - smallest >= rules.new_nodule_growth_mm:
        growth = beside_limits(size - smallest, [rules.new_nodule_growth_mm], signed=True)
        words = f"{seen.name} has grown by {growth} mm, at least {rules.new_nodule_growth_mm} mm: it counts as new."
        return _Read(_definite(seen), words)
    if seen.state is LesionState.EQUIVOCAL:
        return _Read(seen)
    if size < rules.new_nodule_mm:
        words = f"its {beside_limits(size, [rules.new_nodule_mm])} mm are under {rules.new_nodule_mm} mm"
        return _equivocal(seen, "new-nodule-too-small", words)
    if seen.viable_long_axis_mm is None:
        words = (
            f"{seen.name}: no viable diameter is stated; the nodule counts as a typical one because it is called new."
        )
        return _Read(seen, words, Finding("new-nodule-pattern-not-stated", Severity.WARNING, words, seen.lesion_id))
    if seen.viable_long_axis_mm == 0:
        return _equivocal(seen, "new-nodule-not-typical", "it has no arterial enhancement")
    return _Read(seen)


def _equivocal(seen: LesionObservation, code: str, why: str) -> _Read:
    words = f"{seen.name} is new, but {why}: equivocal by mRECIST."
    finding = Finding(code, Severity.WARNING, words, seen.lesion_id, decides=True)
    return _Read(replace(seen, state=LesionState.EQUIVOCAL), words, finding)


def _definite(seen: LesionObservation) -> LesionObservation:
    return replace(seen, state=LesionState.MEASURED) if seen.state is LesionState.EQUIVOCAL else seen


def _nodule_mm(seen: LesionObservation) -> Decimal | None:
    return seen.long_axis_mm if seen.long_axis_mm is not None else seen.viable_long_axis_mm


def _checked_baseline(visit: Visit, rules: MRecistParameters) -> tuple[Finding, ...]:
    """Return what speaks against the lesions chosen; they are followed all the same."""
    findings: list[Finding] = []
    for seen in visit.observations:
        if seen.role is LesionRole.TARGET:
            findings += _target_node(seen, rules) if seen.nodal else _target(seen, rules)
        elif seen.role is LesionRole.NON_TARGET and seen.nodal:
            findings += _non_target_node(seen, rules)
    return tuple(findings)


def _target(seen: LesionObservation, rules: MRecistParameters) -> list[Finding]:
    findings = []
    viable = seen.viable_long_axis_mm
    if viable == 0:
        words = f"Target {seen.name} has no arterial enhancement: nothing viable can be followed."
        findings.append(Finding("target-not-viable", Severity.ERROR, words, seen.lesion_id, decides=True))
    elif viable is not None and viable < rules.least_target_mm:
        size = beside_limits(viable, [rules.least_target_mm])
        words = f"Target {seen.name} has {size} mm of viable diameter, less than {rules.least_target_mm} mm."
        findings.append(Finding("target-too-small", Severity.WARNING, words, seen.lesion_id))
    if seen.irradiated and viable:
        words = f"Target {seen.name} was treated locally before; it is eligible by its viable part only."
        findings.append(Finding("target-treated-before", Severity.INFO, words, seen.lesion_id))
    elif seen.irradiated:
        words = f"Target {seen.name} was treated locally before and shows no viable part: it is no target."
        findings.append(Finding("target-treated-before", Severity.ERROR, words, seen.lesion_id, decides=True))
    if _matches(_ILL_DEFINED, seen.organ, seen.label):
        words = f"Target {seen.name}: portal vein thrombus and infiltrative growth are non-target by mRECIST."
        findings.append(Finding("target-not-measurable", Severity.WARNING, words, seen.lesion_id))
    return findings


def _target_node(seen: LesionObservation, rules: MRecistParameters) -> list[Finding]:
    at_porta = _is_at_porta_hepatis(seen.organ, seen.label, rules.porta_hepatis_words)
    least = rules.porta_hepatis_node_mm if at_porta else rules.malignant_node_mm
    if seen.short_axis_mm is None or seen.short_axis_mm >= least:
        return []
    where = " at the porta hepatis" if at_porta else ""
    size = beside_limits(seen.short_axis_mm, [least])
    words = f"Target {seen.name} has a short axis of {size} mm; a node{where} is malignant from {least} mm."
    return [Finding("target-node-too-small", Severity.WARNING, words, seen.lesion_id)]


def _non_target_node(seen: LesionObservation, rules: MRecistParameters) -> list[Finding]:
    """Report a node that cirrhosis alone may explain, for it keeps the subject from CR."""
    least, short_axis = rules.porta_hepatis_node_mm, seen.short_axis_mm
    at_porta = _is_at_porta_hepatis(seen.organ, seen.label, rules.porta_hepatis_words)
    if not at_porta or short_axis is None or short_axis >= least:
        return []
    size = beside_limits(short_axis, [least])
    words = (
        f"Non-target {seen.name} has {size} mm of short axis; a node at the porta hepatis is malignant from {least} mm."
    )
    return [Finding("non-target-node-too-small", Severity.WARNING, words, seen.lesion_id)]


def _lacks_cytology(seen: LesionObservation, rules: MRecistParameters) -> bool:
    """Return whether a lesion is an effusion of which no positive cytology is stated, where that is needed."""
    if not rules.effusion_needs_cytology or not _matches(_EFFUSION, seen.organ, seen.label):
        return False
    stated = _matches(_CYTOLOGY, seen.label, "") and _matches(_POSITIVE, seen.label, "")
    return not stated or _matches(_NEGATIVE, seen.label, "")


@lru_cache(maxsize=4096)
def _is_at_porta_hepatis(organ: str, label: str, words: str) -> bool:
    text = f"{organ} {label}".lower()
    return any(word in text for word in (part.strip().lower() for part in words.split(",")) if word)


@lru_cache(maxsize=4096)
def _matches(pattern: re.Pattern[str], text: str, more: str) -> bool:
    return pattern.search(f"{text} {more}".lower()) is not None
