"""What RECIST 1.1 and its volumetric analogue share: non-target, new lesions, and the overall tables."""

from collections.abc import Sequence
from decimal import Decimal

from tumorresp.domain.assessment import Category, NewLesionStatus
from tumorresp.domain.finding import Finding, Severity
from tumorresp.domain.measurement import LesionRole, LesionState
from tumorresp.response.observation import LesionObservation, Visit


def baseline_lesions(visits: Sequence[Visit], role: LesionRole) -> tuple[LesionObservation, ...]:
    """Return the lesions that have a role at the first visit."""
    return tuple(item for item in visits[0].observations if item.role is role)


def non_target_response(
    baseline: Sequence[LesionObservation], visit: Visit, normal_node_mm: Decimal
) -> tuple[Category, tuple[str, ...]]:
    """Return the non-target response (RECIST 1.1, section 4.3.3) with its reasons.

    Progression is the reader's word, never computed. Tumour markers are not known here.
    """
    if not baseline:
        return Category.NOT_APPLICABLE, ()
    progressive, missing, persisting = [], [], []
    for lesion in baseline:
        seen = visit.of(lesion.lesion_id)
        if seen is None or seen.state is LesionState.NOT_EVALUABLE:
            missing.append(lesion.name)
        elif seen.state is LesionState.UNEQUIVOCAL_PROGRESSION:
            progressive.append(lesion.name)
        elif not _is_gone(seen, normal_node_mm):
            persisting.append(lesion.name)
    if progressive:
        return Category.PD, (f"The reader saw unequivocal progression of {_list(progressive)} → non-target PD.",)
    if missing:
        return Category.NE, (f"Not assessed: {_list(missing)} → non-target NE.",)
    if persisting:
        return Category.NON_CR_NON_PD, (f"Still there, without progression: {_list(persisting)} → NON-CR/NON-PD.",)
    return Category.CR, ("All non-target lesions are gone (nodes under 10 mm) → non-target CR.",)


def _is_gone(seen: LesionObservation, normal_node_mm: Decimal) -> bool:
    if seen.state is LesionState.ABSENT:
        return True
    return seen.nodal and seen.short_axis_mm is not None and seen.short_axis_mm < normal_node_mm


def new_lesion_status(
    visits: Sequence[Visit], index: int
) -> tuple[NewLesionStatus, tuple[str, ...], tuple[Finding, ...]]:
    """Return whether new lesions are seen at a visit (section 4.3.5), with reasons and findings.

    An equivocal lesion does not count until a later visit confirms it; progression then dates from its first
    appearance, which the finding says.
    """
    visit = visits[index]
    seen = [item for item in visit.observations if item.role is LesionRole.NEW and item.state is not LesionState.ABSENT]
    definite = [item for item in seen if item.state not in (LesionState.EQUIVOCAL, LesionState.NOT_EVALUABLE)]
    equivocal = [item for item in seen if item.state is LesionState.EQUIVOCAL]
    findings = tuple(
        Finding(
            "progression-back-dated",
            Severity.WARNING,
            f"{item.name} was equivocal at {first.name} ({first.date}) and is confirmed: progression dates from then.",
            item.lesion_id,
        )
        for item in definite
        if (first := _first_equivocal(visits[:index], item.lesion_id)) is not None
    )
    if definite:
        return NewLesionStatus.YES, (f"New lesion: {_list([item.name for item in definite])}.",), findings
    if equivocal:
        words = (
            f"Equivocal new lesion: {_list([item.name for item in equivocal])}; treatment goes on until it is clear."
        )
        return NewLesionStatus.EQUIVOCAL, (words,), findings
    return NewLesionStatus.NO, (), findings


def _first_equivocal(earlier: Sequence[Visit], lesion_id: str) -> Visit | None:
    for visit in earlier:
        seen = visit.of(lesion_id)
        if seen is not None:
            return visit if seen.state is LesionState.EQUIVOCAL else None
    return None


def overall_response(target: Category, non_target: Category, new: NewLesionStatus) -> tuple[Category, str]:
    """Return the overall response of a time point and why (RECIST 1.1, Tables 1 and 2).

    ``NOT_APPLICABLE`` stands for "no lesions of this kind at baseline". No disease at all at baseline is NED.
    """
    if new is NewLesionStatus.YES:
        return Category.PD, "A new lesion is PD whatever the others do."
    if Category.PD in (target, non_target):
        which = "target" if target is Category.PD else "non-target"
        return Category.PD, f"Progression of {which} lesions is PD."
    if target is Category.NOT_APPLICABLE:
        if non_target is Category.NOT_APPLICABLE:
            return Category.NED, "No disease at baseline and none now: no evidence of disease."
        return non_target, f"Without target lesions the non-target response counts: {non_target}."
    if target is Category.CR:
        if non_target in (Category.CR, Category.NOT_APPLICABLE):
            return Category.CR, "Target CR and no non-target lesion left → CR."
        return Category.PR, f"Target CR with non-target {non_target} → PR."
    return target, f"Target {target}, non-target {_words(non_target)}, no new lesion → {target}."


def _words(category: Category) -> str:
    return "none" if category is Category.NOT_APPLICABLE else str(category)


def _list(names: Sequence[str]) -> str:
    return ", ".join(names)
