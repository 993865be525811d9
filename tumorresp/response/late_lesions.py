"""A target or non-target lesion that is first seen at a follow-up: said at its visit, and counted as the protocol says.

It is in no sum, for it has no baseline. Either its baseline was forgotten or it is a new lesion, which RECIST 1.1
(Eisenhauer et al., Eur J Cancer 45 (2009) 228-247, section 4.3.5) makes progression, even where the baseline was not
scanned there; "no new lesion" is right in neither case.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from tumorresp.domain.eligibility import LateTarget
from tumorresp.domain.finding import Finding, Severity
from tumorresp.domain.measurement import LesionRole, LesionState
from tumorresp.response.observation import LesionObservation, Refused, Visit
from tumorresp.response.split_and_merge import fragments_until, from_baseline

_NOT_THERE = (LesionState.ABSENT, LesionState.NOT_EVALUABLE, LesionState.MERGED)


@dataclass(frozen=True)
class LateLesions:
    """The visits as the criteria are to see them.

    Parameters
    ----------
    visits
        With late lesions as new ones; where the protocol wants a decision, as such that wait for it.
    at_worst
        With late lesions as new ones that count.
    findings
        By the index of the visit.
    undecided
        By the index of the visit.
    """

    visits: tuple[Visit, ...]
    at_worst: tuple[Visit, ...]
    findings: Mapping[int, tuple[Finding, ...]]
    undecided: Mapping[int, tuple[Refused, ...]]


def late_lesions(visits: Sequence[Visit], before_treatment: Sequence[Visit], rule: LateTarget) -> LateLesions:
    """Return the visits with every lesion that the baseline lacks as the protocol counts it.

    A lesion of the baseline, its fragments and conglomerates are not late. One that was seen before treatment but not
    at the baseline is not new: it waits for a decision, whatever it is called and whatever the protocol says.

    Parameters
    ----------
    visits
        In order of date, the baseline first.
    before_treatment
        Scans before treatment that are not the baseline.
    """
    earlier = {seen.lesion_id: visit for visit in before_treatment for seen in visit.observations}
    counted, at_worst = list(visits[:1]), list(visits[:1])
    fragments = fragments_until(visits)
    findings: dict[int, tuple[Finding, ...]] = {}
    undecided: dict[int, tuple[Refused, ...]] = {}
    for index, visit in enumerate(visits[1:], start=1):
        late = {
            seen.lesion_id: _why(seen, earlier)
            for seen in visit.observations
            if (seen.role is not LesionRole.NEW or seen.lesion_id in earlier)
            and not from_baseline(seen, visits[0], visits[1 : index + 1], fragments[index])
        }
        if not late:
            counted.append(visit)
            at_worst.append(visit)
            continue
        waiting = {name for name in late if rule is LateTarget.NOT_EVALUABLE or name in earlier}
        counted.append(_changed(visit, {name: why if name in waiting else "" for name, why in late.items()}))
        at_worst.append(_changed(visit, dict.fromkeys(late, "")))
        shown = [seen for seen in visit.observations if seen.lesion_id in late and seen.state not in _NOT_THERE]
        findings[index] = tuple(_finding(seen, late, waiting) for seen in shown)
        undecided[index] = tuple(
            Refused(
                f"{seen.name}: {late[seen.lesion_id]}", seen.source or seen.lesion_id, seen.lesion_id, LesionRole.NEW
            )
            for seen in shown
            if seen.lesion_id in waiting
        )
    return LateLesions(tuple(counted), tuple(at_worst), findings, undecided)


def _why(seen: LesionObservation, earlier: Mapping[str, Visit]) -> str:
    before = earlier.get(seen.lesion_id)
    if before is not None:
        return f"it was seen before treatment ({before.date}), but not at the baseline"
    return f"it is called {seen.role}, but was not seen at the baseline: its baseline is missing, or it is new"


def _changed(visit: Visit, pending: Mapping[str, str]) -> Visit:
    return replace(
        visit,
        observations=tuple(
            _as_new(seen, pending[seen.lesion_id]) if seen.lesion_id in pending else seen for seen in visit.observations
        ),
    )


def _as_new(seen: LesionObservation, pending: str) -> LesionObservation:
    if not pending or seen.state in _NOT_THERE:
        return replace(seen, role=LesionRole.NEW)
    return replace(
        seen,
        role=LesionRole.NEW,
        state=LesionState.NOT_EVALUABLE,
        long_axis_mm=None,
        short_axis_mm=None,
        volume_mm3=None,
        viable_long_axis_mm=None,
        mean_density_hu=None,
        pending=pending,
    )


def _finding(seen: LesionObservation, late: Mapping[str, str], waiting: set[str]) -> Finding:
    words = f"{seen.name}: {late[seen.lesion_id]}."
    if seen.lesion_id in waiting:
        words += " Until that is decided this visit has no response but PD or NE."
    else:
        words += " By the protocol it counts as a new lesion."
    return Finding("late-lesion", Severity.ERROR, words, seen.source or seen.lesion_id, decides=True)
