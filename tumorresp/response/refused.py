"""Refused input is not absent input: what could not be read keeps back every response that it may have changed.

At a visit of which something could not be read nothing is left but PD, where something else proves it, and NE. A later
visit is assessed twice more with the refused input at its worst: a target is gone, which makes the nadir as small as it
can be, or has grown, which is progression that iRECIST may confirm later; a new lesion is there, a non-target one
progressive. Where a new or non-target lesion changes the response of a later visit, it is kept back. Where a target
changes it, it stays and is marked: a target that was not evaluable makes its visit NE and is no nadir, whatever the
cause (RECIST 1.1, Eisenhauer et al., Eur J Cancer 45 (2009) 228-247, section 4.4). One rule for all criteria.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from tumorresp.domain.assessment import Assessment, Category, NewLesionStatus
from tumorresp.domain.eligibility import LateTarget
from tumorresp.domain.finding import Finding, Severity
from tumorresp.domain.measurement import LesionRole, LesionState
from tumorresp.response.late_lesions import LateLesions, late_lesions
from tumorresp.response.observation import Hides, LesionObservation, Refused, Visit
from tumorresp.response.subject import SubjectCourse

Assess = Callable[[Sequence[Visit]], tuple[Assessment, ...]]
PROGRESSION = frozenset((Category.PD, Category.IUPD, Category.ICPD))
_COMPLETE = frozenset((Category.CR, Category.ICR))
_LARGE_MM = Decimal(10000)
"""A new lesion of this size is one by every criterion, and a target has grown."""
_NORMAL_NODE_MM = Decimal(10)
"""Short axis under which a node is normal (RECIST 1.1, section 4.3.1)."""
NADIR_NOT_READ = "nadir-not-read"
"""The code of the finding that a response rests on earlier visits of which a target could not be read."""
_LESIONS_BESIDE_TARGETS = (LesionRole.NEW, LesionRole.NON_TARGET)
_SILENT = frozenset((Category.NE, Category.NOT_APPLICABLE, Category.BASELINE, Category.MISSING))


def assess_with_refused(
    course: SubjectCourse, name: str, assess: Assess, late_rule: LateTarget
) -> tuple[Assessment, ...]:
    """Assess every visit of a course by a criterion, and keep back what refused input may have changed.

    Parameters
    ----------
    name
        Of the criterion.
    assess
        The criterion, from visits to one assessment each.

    Raises
    ------
    InvalidInput
        As ``assess``.
    """
    if not course.visits:
        return ()
    late = late_lesions(course.visits, course.before_treatment, late_rule)
    plain = assess(late.visits)
    bearing = _bearing(course, late, name)
    if not any(item.all for item in bearing) and not late.findings:
        return plain
    without_targets = _all_at_worst(late.at_worst, name, assess, _LESIONS_BESIDE_TARGETS)
    with_targets = _all_at_worst(late.at_worst, name, assess, (*_LESIONS_BESIDE_TARGETS, LesionRole.TARGET))
    made = [_at_baseline(course.visits[0], plain[0], bearing[0].own)]
    for index in range(1, len(plain)):
        before = [item for earlier in bearing[1:index] for item in earlier.all]
        kept = _kept_back(
            course.visits[index],
            plain[: index + 1],
            [items[index] for items in without_targets],
            bearing[index],
            before,
        )
        kept = _marked_by_targets(
            course.visits[index], plain[index], [items[index] for items in with_targets], kept, before
        )
        made.append(_with_findings(kept, late.findings.get(index, ())))
    return tuple(_marked_before(made, plain, bearing))


def _marked_before(
    made: Sequence[Assessment], plain: Sequence[Assessment], bearing: Sequence["_Bearing"]
) -> list[Assessment]:
    """Return assessments with those marked at which a lesion was equivocal that a later visit may have confirmed.

    Progression would date from there, and take their responses away.
    """
    marked = list(made)
    for index, bears in enumerate(bearing):
        hidden = [item for item in bears.own if item.role in (LesionRole.NEW, None) and item.hides is Hides.ANYTHING]
        before = index - 1
        while hidden and before > 0 and plain[before].new_lesions is NewLesionStatus.EQUIVOCAL:
            marks = tuple(dict.fromkeys((*marked[before].refused, *_marks(hidden))))
            marked[before] = replace(marked[before], refused=marks, refused_targets_only=False)
            before -= 1
    return marked


@dataclass(frozen=True)
class _Bearing:
    """What bears on a visit.

    Parameters
    ----------
    own
        Of this visit.
    everywhere
        Of the baseline's sum, or of no known visit: the targets that can be read prove nothing then.
    unknown
        Of earlier visits, about lesions of which it is not known what they are: they may be new ones.
    """

    own: tuple[Refused, ...]
    everywhere: tuple[Refused, ...] = ()
    unknown: tuple[Refused, ...] = ()

    @property
    def all(self) -> tuple[Refused, ...]:
        """Return everything once."""
        return tuple(dict.fromkeys((*self.everywhere, *self.unknown, *self.own)))

    @property
    def is_targets_only(self) -> bool:
        """Whether nothing but targets of this visit is hidden: it is NE as with any target that was not assessed."""
        elsewhere = bool(self.everywhere or self.unknown)
        return not elsewhere and all(item.role is LesionRole.TARGET for item in _hiding_anything(self.own))


def _bearing(course: SubjectCourse, late: LateLesions, name: str) -> list[_Bearing]:
    own = [_concerning(visit.refused, name) for visit in course.visits]
    own[0] += _new_without_baseline(course.visits[0])
    in_sum = [
        item
        for item in own[0]
        if item.role not in (LesionRole.NON_TARGET, LesionRole.NEW) and item.hides is Hides.ANYTHING
    ]
    everywhere = (*course.refused, *in_sum)
    found = [_Bearing((*course.refused, *own[0]))]
    unknown: tuple[Refused, ...] = ()
    for index in range(1, len(own)):
        found.append(_Bearing((*own[index], *late.undecided.get(index, ())), everywhere, unknown))
        unknown += tuple(item for item in own[index] if item.role is None and item.hides is Hides.ANYTHING)
    return found


def _new_without_baseline(first: Visit) -> tuple[Refused, ...]:
    """Return the lesions that are called new at a first visit without any other: the baseline before it is missing.

    They are disease, so the subject is not free of it, and what they are at this visit is not known.
    """
    if any(seen.role is not LesionRole.NEW for seen in first.observations):
        return ()
    return tuple(
        Refused(
            f"{seen.name}: it is called new at the first visit, the baseline before it is missing",
            seen.source or seen.lesion_id,
            seen.lesion_id,
        )
        for seen in first.observations
        if seen.state not in (LesionState.ABSENT, LesionState.NOT_EVALUABLE)
        and seen.is_gone(_NORMAL_NODE_MM) is not True
    )


def _concerning(refused: Sequence[Refused], name: str) -> tuple[Refused, ...]:
    return tuple(item for item in refused if name.startswith(item.criteria))


def _hiding_anything(refused: Sequence[Refused]) -> tuple[Refused, ...]:
    return tuple(item for item in refused if item.hides is Hides.ANYTHING)


def _all_at_worst(
    visits: Sequence[Visit], name: str, assess: Assess, roles: Sequence[LesionRole]
) -> list[tuple[Assessment, ...]]:
    """Return the assessments with the refused lesions in these roles at their worst, in both ways."""
    return [
        assess((visits[0], *(_at_worst(visit, name, roles, is_gone=is_gone) for visit in visits[1:])))
        for is_gone in (True, False)
    ]


def _at_worst(visit: Visit, name: str, roles: Sequence[LesionRole], *, is_gone: bool) -> Visit:
    """Return a visit with what could not be read of lesions in these roles as it would harm most later on.

    Parameters
    ----------
    is_gone
        Targets are gone; else they have grown beyond all measure.
    """
    refused = {item.lesion_id for item in _concerning(visit.refused, name) if item.lesion_id}
    if not refused:
        return visit
    return replace(
        visit,
        observations=tuple(
            _worst(seen, is_gone=is_gone) if seen.lesion_id in refused and seen.role in roles else seen
            for seen in visit.observations
        ),
    )


def _worst(seen: LesionObservation, *, is_gone: bool) -> LesionObservation:
    if seen.role is LesionRole.NON_TARGET:
        return seen if is_gone else replace(seen, state=LesionState.UNEQUIVOCAL_PROGRESSION, pending="")
    is_absent = is_gone and seen.role is LesionRole.TARGET
    length = None if is_absent else _LARGE_MM
    return replace(
        seen,
        state=LesionState.ABSENT if is_absent else LesionState.MEASURED,
        long_axis_mm=length,
        short_axis_mm=length,
        third_axis_mm=length,
        volume_mm3=None if length is None else length**3,
        viable_long_axis_mm=length,
        mean_density_hu=None,
        pending="",
        volume_doubt="",
    )


def _at_baseline(visit: Visit, item: Assessment, refused: Sequence[Refused]) -> Assessment:
    if not refused:
        return item
    words = f"Of the baseline something could not be read: {_listed(refused)}."
    finding = Finding("baseline-not-read", Severity.WARNING, words, visit.name, decides=True)
    return replace(item, reasons=(*item.reasons, words), refused=_marks(refused), findings=(*item.findings, finding))


def _kept_back(
    visit: Visit,
    items: Sequence[Assessment],
    others: Sequence[Assessment],
    bearing: _Bearing,
    before: Sequence[Refused],
) -> Assessment:
    """Return the last of a course's assessments up to a visit, without what refused input may have changed."""
    item = items[-1]
    marked = replace(item, refused=_marks(bearing.all), refused_targets_only=bearing.is_targets_only)
    if item.overall in PROGRESSION and (not bearing.everywhere or _is_proven(items)):
        return marked
    hiding = [one for one in bearing.all if one.hides is Hides.ANYTHING or item.overall in _COMPLETE]
    if hiding:
        return _not_evaluable(visit, marked, hiding, _listed(hiding))
    worst = next((other for other in others if other.overall is not item.overall), None)
    if worst is None or item.overall in _SILENT:
        return marked
    beside_targets = [one for one in before if one.role is not LesionRole.TARGET]
    words = f"with what could not be read before it may be {worst.overall}: {_listed(beside_targets)}"
    marks = _marks((*bearing.all, *beside_targets))
    held = _not_evaluable(visit, replace(marked, refused=marks, refused_targets_only=False), (), words)
    return replace(
        held,
        target=_unless_same(item.target, worst.target),
        non_target=_unless_same(item.non_target, worst.non_target),
        new_lesions=item.new_lesions if item.new_lesions is worst.new_lesions else NewLesionStatus.EQUIVOCAL,
    )


def _marked_by_targets(
    visit: Visit, plain: Assessment, others: Sequence[Assessment], kept: Assessment, before: Sequence[Refused]
) -> Assessment:
    """Return an assessment marked where targets of earlier visits that could not be read may have changed it."""
    targets = [one for one in before if one.role is LesionRole.TARGET and one.hides is Hides.ANYTHING]
    worst = next((other for other in others if other.overall is not plain.overall), None)
    is_given = kept.overall is plain.overall and plain.overall not in PROGRESSION | _SILENT
    if not targets or not is_given or worst is None:
        return kept
    how = "smaller than the nadir" if worst is others[0] else "larger"
    words = (
        f"{plain.overall} by what is known of earlier visits. A target of an earlier visit could not be read: "
        f"{_listed(targets)}. If that visit's sum was {how}, this visit may be {worst.overall}."
    )
    finding = Finding(NADIR_NOT_READ, Severity.WARNING, f"{visit.name}: {words}", visit.name, decides=True)
    return replace(
        kept,
        refused=tuple(dict.fromkeys((*kept.refused, *_marks(targets)))),
        reasons=(*kept.reasons, words),
        findings=(*kept.findings, finding),
    )


def _is_proven(items: Sequence[Assessment]) -> bool:
    """Return whether progression follows without the targets; one that was confirmed, from any visit up to it."""
    looked_at = items if items[-1].overall is Category.ICPD else items[-1:]
    return any(item.non_target in PROGRESSION or item.new_lesions is NewLesionStatus.YES for item in looked_at)


def _unless_same(one: Category, other: Category) -> Category:
    return one if one is other else Category.NE


def _not_evaluable(visit: Visit, item: Assessment, refused: Sequence[Refused], why: str) -> Assessment:
    """Return an assessment without the response that refused input may have changed."""
    roles = {one.role for one in _hiding_anything(refused)}
    unknown = None in roles
    words = (
        f"By what could be read {item.overall}, but {why}."
        if item.overall is not Category.NE
        else f"Not evaluable: {why}."
    )
    finding = Finding("response-kept-back", Severity.WARNING, f"{visit.name}: {words}", visit.name, decides=True)
    return replace(
        item,
        target=Category.NE if (unknown or LesionRole.TARGET in roles) and item.target not in _SILENT else item.target,
        non_target=_open(item.non_target) if unknown or LesionRole.NON_TARGET in roles else item.non_target,
        new_lesions=_perhaps(item.new_lesions) if unknown or LesionRole.NEW in roles else item.new_lesions,
        overall=Category.NE,
        reasons=(*item.reasons, f"{words} Overall NE."),
        findings=(*item.findings, finding),
    )


def _open(category: Category) -> Category:
    return category if category in PROGRESSION or category in _SILENT else Category.NE


def _perhaps(status: NewLesionStatus) -> NewLesionStatus:
    return NewLesionStatus.EQUIVOCAL if status is NewLesionStatus.NO else status


def _with_findings(item: Assessment, findings: Sequence[Finding]) -> Assessment:
    if not findings:
        return item
    return replace(
        item, findings=(*item.findings, *findings), reasons=(*item.reasons, *(finding.message for finding in findings))
    )


def _marks(refused: Sequence[Refused]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(f"{item.where}: {item.words}" for item in refused))


def _listed(refused: Sequence[Refused]) -> str:
    return "; ".join(dict.fromkeys(f"{item.words} ({item.where})" for item in refused))
