"""Progression by iRECIST that waits for its confirmation: what it was made of, what confirms it, what is left of it.

Seymour et al., Lancet Oncol 18 (2017) e143-e152, Table 2; EORTC's questions and answers on iRECIST.
"""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from tumorresp.domain.assessment import Assessment, Category, NewLesionStatus
from tumorresp.domain.measurement import LesionRole, LesionState
from tumorresp.response.irecist_new_lesions import NewLesionList, size_of
from tumorresp.response.irecist_parameters import ImprovementReference, IrecistParameters, NonTargetState
from tumorresp.response.observation import Visit
from tumorresp.response.overall_response import overall_response
from tumorresp.response.reasons import listing, rounded

_MOST_PLACES = 6
_BEST_FIRST = (
    (Category.CR,),
    (Category.PR,),
    (Category.SD, Category.NON_CR_NON_PD, Category.NED),
    (Category.PD,),
)


@dataclass(frozen=True, slots=True)
class Unconfirmed:
    """A row of iUPD that waits for its confirmation; all values are those of its first visit.

    A value that was not known there is that of the first later visit of the row that has it.

    Parameters
    ----------
    first_date, last_date
        Of the first and of the latest iUPD of the row.
    target
        Target response by RECIST 1.1.
    without_new
        Overall response as it would have been without new lesions and without progression of non-target lesions.
    non_target
        Non-target lesions were progressive.
    target_sum
        mm; None where incomplete.
    non_targets
        Progressive non-target lesions: ID -> size (mm), None where not measured.
    new_sizes
        New lesions: ID -> size (mm), None where not measured.
    new_targets
        IDs of those among them that are measured.
    smallest_new_sum
        Smallest sum of these within the row.
    is_final
        No later improvement sets it back.
    """

    visit_name: str
    first_date: datetime.date
    last_date: datetime.date
    target: Category
    without_new: Category
    non_target: bool
    target_sum: Decimal | None
    non_targets: Mapping[str, Decimal | None]
    new_sizes: Mapping[str, Decimal | None]
    new_targets: tuple[str, ...]
    smallest_new_sum: Decimal | None = None
    is_final: bool = False

    @property
    def new_sum(self) -> Decimal | None:
        """Sum of the new-lesion targets (mm); None where one has no size, or there is none."""
        sizes = [self.new_sizes[lesion_id] for lesion_id in self.new_targets]
        return sum((size for size in sizes if size is not None), Decimal(0)) if sizes and None not in sizes else None


@dataclass(frozen=True, slots=True)
class Further:
    """One thing that confirms progression, in words."""

    words: str
    is_new_lesion: bool = False


def unconfirmed(visit: Visit, judged: Assessment, new: NewLesionList, rules: IrecistParameters) -> Unconfirmed:
    """Return the iUPD of a visit."""
    present = new.ids
    targets = tuple(lesion_id for lesion_id in new.targets if lesion_id in present)
    progressive = judged.non_target is Category.PD
    return Unconfirmed(
        visit_name=visit.name,
        first_date=visit.date,
        last_date=visit.date,
        target=judged.target,
        without_new=without_new(judged.target, judged.non_target),
        non_target=progressive,
        target_sum=judged.target_sum,
        non_targets={
            item.lesion_id: size_of(item, rules)
            for item in visit.observations
            if progressive and item.role is LesionRole.NON_TARGET and item.state is LesionState.UNEQUIVOCAL_PROGRESSION
        },
        new_sizes={lesion_id: new.lesions[lesion_id].size_mm for lesion_id in present},
        new_targets=targets,
        smallest_new_sum=new.target_sum(targets),
        is_final=rules.unstable_is_final and visit.clinically_stable is False,
    )


def still_unconfirmed(
    waiting: Unconfirmed, visit: Visit, judged: Assessment, new: NewLesionList, *, is_iupd: bool
) -> Unconfirmed:
    """Return the row after a visit that neither confirmed it nor set it back."""
    total = new.target_sum(waiting.new_targets)
    sizes = {
        lesion_id: new.lesions[lesion_id].size_mm if size is None else size
        for lesion_id, size in waiting.new_sizes.items()
    }
    return replace(
        waiting,
        last_date=visit.date if is_iupd else waiting.last_date,
        target_sum=judged.target_sum if waiting.target_sum is None and is_iupd else waiting.target_sum,
        new_sizes=sizes,
        smallest_new_sum=smaller(waiting.smallest_new_sum, total),
    )


def further_progression(
    waiting: Unconfirmed, visit: Visit, judged: Assessment, new: NewLesionList, rules: IrecistParameters
) -> tuple[Further, ...]:
    """Return everything at a visit that confirms an iUPD, if the scan is not too early."""
    return (
        *_targets(waiting, judged, rules),
        *_non_targets(waiting, visit, judged, rules),
        *_new_lesions(waiting, new, rules),
    )


def _targets(waiting: Unconfirmed, judged: Assessment, rules: IrecistParameters) -> list[Further]:
    if waiting.target is not Category.PD:
        if judged.target is Category.PD:
            return [Further("progression of the target lesions, which were no cause of it")]
        return []
    if judged.target is not Category.PD or waiting.target_sum is None:
        return []
    # Targets that were not assessed can only add to the sum.
    now = sum((item.value for item in judged.inputs if item.value is not None), Decimal(0))
    if now - waiting.target_sum < rules.further_growth_mm:
        return []
    return [Further(growth("the sum of the targets", waiting.target_sum, now, rules.further_growth_mm))]


def _non_targets(waiting: Unconfirmed, visit: Visit, judged: Assessment, rules: IrecistParameters) -> list[Further]:
    if not waiting.non_target:
        if judged.non_target is Category.PD:
            return [Further("progression of the non-target lesions, which were no cause of it")]
        return []
    found = []
    limit = rules.non_target_growth_mm
    for lesion_id, before in sorted(waiting.non_targets.items()):
        seen = visit.of(lesion_id)
        now = None if seen is None or seen.state is LesionState.NOT_EVALUABLE else size_of(seen, rules)
        if now is not None and before is not None:
            if now - before > limit:
                found.append(Further(growth(f"an increase of non-target {lesion_id}", before, now, limit)))
        elif (
            seen is not None
            and seen.state is LesionState.UNEQUIVOCAL_PROGRESSION
            and rules.non_target_state is NonTargetState.CHANGE
        ):
            found.append(Further(f"a further increase of non-target {lesion_id}"))
    found += [
        Further(f"progression of non-target {item.lesion_id} as well")
        for item in visit.observations
        if judged.non_target is Category.PD
        and item.role is LesionRole.NON_TARGET
        and item.state is LesionState.UNEQUIVOCAL_PROGRESSION
        and item.lesion_id not in waiting.non_targets
    ]
    return found


def _new_lesions(waiting: Unconfirmed, new: NewLesionList, rules: IrecistParameters) -> list[Further]:
    found = []
    more = [lesion_id for lesion_id in new.ids if lesion_id not in waiting.new_sizes]
    if more:
        words = f"{'another' if waiting.new_sizes else 'a'} new lesion, {listing(more)}"
        found.append(Further(words, is_new_lesion=True))
    limit = rules.non_target_growth_mm
    before, now = waiting.new_sum, new.assessed_sum(waiting.new_targets)
    if before is not None and now - before >= rules.further_growth_mm:
        found.append(Further(growth("the sum of the new-lesion targets", before, now, rules.further_growth_mm)))
    for lesion_id, size in waiting.new_sizes.items():
        lesion = new.lesions[lesion_id]
        if lesion_id in waiting.new_targets or not lesion.is_present:
            continue
        if size is not None and lesion.size_mm is not None:
            if lesion.size_mm - size > limit:
                found.append(Further(growth(f"an increase of new {lesion_id}", size, lesion.size_mm, limit)))
        elif lesion.is_progressive:
            found.append(Further(f"an increase of new {lesion_id}"))
    return found


@dataclass(frozen=True, slots=True)
class Left:
    """What is left of an iUPD at a visit without further progression, in words.

    Parameters
    ----------
    firm
        What holds the iUPD whatever else improves: target or non-target lesions that are still progressive.
    soft
        What holds it only until the other lesions improve: new lesions, and non-target lesions of which the reader
        says no more than that they are there (EORTC's scenarios B and F).
    is_seen
        Some of it was assessed at this visit.
    """

    firm: tuple[str, ...]
    soft: tuple[str, ...]
    is_seen: bool


def left_of(
    waiting: Unconfirmed, visit: Visit, judged: Assessment, new: NewLesionList, rules: IrecistParameters
) -> Left:
    """Return what is left of an iUPD at a visit."""
    firm = []
    if target_since(waiting, judged, rules) is Category.PD:
        firm.append("the target lesions")
    if judged.non_target is Category.PD:
        firm.append("the non-target lesions")
    soft = []
    if rules.non_target_state is NonTargetState.CHANGE and judged.non_target is not Category.PD:
        unchanged = [name for name in sorted(waiting.non_targets) if _is_unchanged(name, waiting, visit, rules)]
        soft = [f"non-target {name}" for name in unchanged]
    is_seen = bool(firm or soft or any(new.lesions[name].is_assessed for name in new.ids))
    if new.ids:
        soft.append(f"new lesion {listing(new.ids)}")
    return Left(tuple(firm), tuple(soft), is_seen)


def _is_unchanged(lesion_id: str, waiting: Unconfirmed, visit: Visit, rules: IrecistParameters) -> bool:
    """Return whether a non-target lesion that was progressive is seen, neither gone nor smaller."""
    seen = visit.of(lesion_id)
    if seen is None or seen.state is LesionState.NOT_EVALUABLE or seen.is_gone(rules.normal_node_mm):
        return False
    before, now = waiting.non_targets[lesion_id], size_of(seen, rules)
    return before is None or now is None or now >= before


def target_since(waiting: Unconfirmed, judged: Assessment, rules: IrecistParameters) -> Category:
    """Return the target response at a visit after iUPD: RECIST 1.1's, or that beside the baseline where it counts."""
    now, before, baseline = judged.target_sum, waiting.target_sum, judged.baseline_sum
    if judged.target is not Category.PD or rules.improvement_reference is ImprovementReference.RECIST:
        return judged.target
    if now is None or before is None or baseline is None or now >= before:
        return judged.target
    partial, progression = rules.partial_response, rules.progression
    if now * partial.denominator <= baseline * partial.numerator:
        return Category.PR
    grown = now * progression.denominator >= baseline * progression.numerator
    return Category.PD if grown and now - baseline >= rules.progression_mm else Category.SD


def without_new(target: Category, non_target: Category) -> Category:
    """Return the overall response of the baseline's lesions; progressive non-target lesions count as still there."""
    kept = Category.NON_CR_NON_PD if non_target is Category.PD else non_target
    return overall_response(target, kept, NewLesionStatus.NO)[0]


def is_better(category: Category, than: Category) -> bool:
    """Return whether an overall response is better than another; one that is not known never is."""
    return _rank(category) < _rank(than)


def _rank(category: Category) -> int:
    return next((rank for rank, same in enumerate(_BEST_FIRST) if category in same), len(_BEST_FIRST))


def smaller(one: Decimal | None, other: Decimal | None) -> Decimal | None:
    """Return the smaller of what is known."""
    return min((value for value in (one, other) if value is not None), default=None)


def growth(what: str, before: Decimal, now: Decimal, limit: Decimal) -> str:
    """Return a growth in words, with as many places as keep it on its side of the limit."""
    for places in range(1, _MOST_PLACES + 1):
        shown_before, shown_now = rounded(before, places), rounded(now, places)
        shown = shown_now - shown_before
        if (shown >= limit) == (now - before >= limit) and (shown > limit) == (now - before > limit):
            break
    sign = "+" if shown >= 0 else "−"
    return f"{what} ({shown_before} → {shown_now} mm, {sign}{abs(shown)} mm)"
