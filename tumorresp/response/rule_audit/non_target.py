"""Reported non-target responses and new lesions that do not follow from what was recorded of the lesions."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

from tumorresp.domain.assessment import Category, NewLesionStatus
from tumorresp.domain.measurement import LesionRole, LesionState
from tumorresp.response.observation import LesionObservation, Visit
from tumorresp.response.rule_audit.derivation import Derivation
from tumorresp.response.rule_audit.hypotheses import Hypothesis, explanations
from tumorresp.response.rule_audit.reported import Explanation, Mistake

NON_TARGET_RULE = (
    "Non-target: PD by the reader's unequivocal progression; else NE when one was not assessed; CR when all are gone "
    "(nodes under 10 mm, markers normal); else NON-CR/NON-PD (Eisenhauer 2009, section 4.3.3)."
)
NEW_LESION_RULE = (
    "A new lesion counts from the visit at which it is unequivocal, until a reader says that it is gone "
    "(Eisenhauer 2009, section 4.3.5)."
)


def non_target_explanations(
    derivation: Derivation, index: int, reported: Category, *, most: int = 2
) -> tuple[Explanation, ...]:
    """Return the mistakes, at most so many together, that give a reported response instead of the derived one."""
    if reported is Category.PD:
        words = (
            "No non-target lesion is recorded as unequivocally progressive: the record of the lesions is incomplete."
        )
        return ((Mistake("progression-not-recorded", words),),)
    tried = explanations(
        _hypotheses(derivation, index), derivation, lambda supposed: supposed.assessments[index].non_target
    )
    return tried.of(reported, most=most)


def _hypotheses(derivation: Derivation, index: int) -> Iterator[Hypothesis[Derivation]]:
    visit = derivation.visits[index]
    baseline = [item for item in derivation.visits[0].observations if item.role is LesionRole.NON_TARGET]
    here = {item.lesion_id: item for item in visit.observations}
    gaps = [
        item.lesion_id
        for item in baseline
        if item.lesion_id not in here or here[item.lesion_id].state is LesionState.NOT_EVALUABLE
    ]
    if gaps:
        words = f"{', '.join(gaps)} was not assessed; the response was made from the other non-target lesions."
        yield Hypothesis("missing", Mistake("missing-lesion-left-out", words), lambda made: made.without(gaps))
        words = f"{', '.join(gaps)} was not assessed, but was taken as gone."
        mistake = Mistake("missing-lesion-as-absent", words)
        yield Hypothesis("missing", mistake, lambda made: _with_gone(made, index, gaps))
    progressive = [
        item.lesion_id for item in baseline if _state(here, item.lesion_id) is LesionState.UNEQUIVOCAL_PROGRESSION
    ]
    if progressive:
        words = f"The reader recorded unequivocal progression of {', '.join(progressive)}, which was passed over."
        yield Hypothesis("progression", Mistake("progression-ignored", words), _without_progression)
    if visit.markers_elevated:
        words = "Tumour markers above normal were passed over; they prevent CR."
        yield Hypothesis("markers", Mistake("markers-ignored", words), Derivation.without_markers)
    words = f"CR was denied because a node is still seen; under {derivation.rules.normal_node_mm} mm it is normal."
    yield Hypothesis("nodes", Mistake("node-must-be-zero", words), _with_no_normal_node)


def _state(here: dict[str, LesionObservation], lesion_id: str) -> LesionState | None:
    return here[lesion_id].state if lesion_id in here else None


def _with_no_normal_node(derivation: Derivation) -> Derivation:
    return derivation.supposing(rules=replace(derivation.rules, normal_node_mm=Decimal("0.000001")))


def _with_gone(derivation: Derivation, index: int, gaps: list[str]) -> Derivation:
    gone = [
        replace(item, state=LesionState.ABSENT, long_axis_mm=None, short_axis_mm=None, volume_mm3=None)
        for item in derivation.visits[0].observations
        if item.lesion_id in gaps
    ]

    def change(visit: Visit, number: int) -> list[LesionObservation]:
        if number != index:
            return list(visit.observations)
        return [item for item in visit.observations if item.lesion_id not in gaps] + gone

    return derivation.supposing(change)


def _without_progression(derivation: Derivation) -> Derivation:
    def change(visit: Visit, _: int) -> list[LesionObservation]:
        return [
            replace(item, state=LesionState.PRESENT)
            if item.role is LesionRole.NON_TARGET and item.state is LesionState.UNEQUIVOCAL_PROGRESSION
            else item
            for item in visit.observations
        ]

    return derivation.supposing(change)


def new_lesion_mistakes(derivation: Derivation, index: int, reported: NewLesionStatus) -> tuple[Mistake, ...]:
    """Return what is known of a reported status of new lesions that does not follow."""
    derived = derivation.assessments[index].new_lesions
    baseline = {item.lesion_id for item in derivation.visits[0].observations}
    first_seen: dict[str, int] = {}
    for number, visit in enumerate(derivation.visits[1 : index + 1], start=1):
        for item in visit.observations:
            if item.role is LesionRole.NEW and item.lesion_id not in baseline:
                first_seen.setdefault(item.lesion_id, number)
    named = ", ".join(f"{lesion} (first at {derivation.visits[number].name})" for lesion, number in first_seen.items())
    if derived is NewLesionStatus.NO:
        words = (
            f"{named} is recorded as new, but not as a new lesion that is there now."
            if named
            else "No new lesion is recorded."
        )
        return (Mistake("new-lesion-not-recorded", words),)
    if derived is NewLesionStatus.YES and reported is NewLesionStatus.NO:
        return (Mistake("new-lesion-ignored", f"New lesions are recorded: {named}."),)
    if reported is NewLesionStatus.NO:
        return (Mistake("equivocal-lesion-ignored", f"Equivocal new lesions are recorded: {named}."),)
    if reported is NewLesionStatus.YES:
        words = f"Of the new lesions recorded ({named}) none is unequivocal."
        return (Mistake("equivocal-lesion-counted", words),)
    return (Mistake("unequivocal-lesion-called-equivocal", f"A new lesion is recorded as unequivocal: {named}."),)
