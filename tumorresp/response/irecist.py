"""iRECIST: RECIST 1.1 with progression that must be confirmed (Seymour et al., Lancet Oncol 18 (2017) e143-e152).

Each visit is judged by RECIST 1.1 first. Its first PD is unconfirmed (iUPD). The next visits confirm it (iCPD), leave
it as it is, or show an improvement that sets the bar back: then progression must be found and confirmed anew. The nadir
is never set back. New lesions have a list and a sum of their own.
"""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from types import MappingProxyType

from tumorresp.domain.assessment import Assessment, Category, NewLesionStatus, SecondaryMeasure
from tumorresp.domain.finding import Finding, Severity
from tumorresp.response.irecist_new_lesions import NewLesionList, new_lesion_list
from tumorresp.response.irecist_parameters import EarlyScan, IrecistParameters
from tumorresp.response.observation import Visit
from tumorresp.response.overall_response import overall_response
from tumorresp.response.parameters import as_pairs
from tumorresp.response.reasons import beside_limits, displayed_percent_change, listing
from tumorresp.response.recist_1_1 import assess_recist_1_1

CRITERION = "irecist"
I_FORM = MappingProxyType(
    {
        Category.CR: Category.ICR,
        Category.PR: Category.IPR,
        Category.SD: Category.ISD,
        Category.NON_CR_NON_PD: Category.NON_ICR_NON_IUPD,
        Category.PD: Category.IUPD,
    }
)
_BEST_FIRST = (Category.CR, Category.PR, Category.SD, Category.PD)


@dataclass(frozen=True)
class _Pending:
    """An iUPD that waits for its confirmation: what it was made of."""

    visit_name: str
    date: datetime.date
    target: Category
    target_sum: Decimal | None
    non_target: bool
    new: tuple[str, ...]
    new_targets: tuple[str, ...]
    new_sum: Decimal | None


@dataclass(frozen=True)
class _State:
    """What earlier visits hand on.

    Parameters
    ----------
    old_new
        New lesions from before the bar was set back: alone they are no progression any more.
    smallest_new_sum
        Of their targets, since then.
    """

    new: NewLesionList
    pending: _Pending | None = None
    confirmed: str = ""
    old_new: frozenset[str] = frozenset()
    smallest_new_sum: Decimal | None = None


@dataclass(frozen=True)
class _Verdict:
    overall: Category
    reasons: tuple[str, ...]
    state: _State
    findings: tuple[Finding, ...] = ()


def assess_irecist(visits: Sequence[Visit], parameters: IrecistParameters | None = None) -> tuple[Assessment, ...]:
    """Assess every visit of a subject by iRECIST.

    Parameters
    ----------
    visits
        In order of date; the first is the baseline.
    parameters
        Thresholds and conventions; the publication's by default.

    Returns
    -------
    tuple of Assessment
        One a visit, sums in mm as in RECIST 1.1; the sum of the new-lesion targets is a secondary measure.

    Raises
    ------
    InvalidInput
        If the visits are not in order of date.
    """
    rules = parameters or IrecistParameters()
    recist = assess_recist_1_1(visits, rules.recist)
    if not visits:
        return ()
    baseline_ids = frozenset(item.lesion_id for item in visits[0].observations)
    state = _State(NewLesionList())
    assessed: list[Assessment] = []
    for index, (visit, judged) in enumerate(zip(visits, recist, strict=True)):
        if index == 0:
            assessed.append(replace(judged, criterion=CRITERION, parameters=as_pairs(rules)))
            continue
        state = replace(state, new=new_lesion_list(state.new, visit, baseline_ids, rules))
        verdict = _verdict(visit, judged, state, rules)
        assessed.append(_assessment(judged, verdict, rules))
        state = verdict.state
    return tuple(assessed)


def _verdict(visit: Visit, judged: Assessment, state: _State, rules: IrecistParameters) -> _Verdict:
    if state.confirmed:
        words = f"Progression was confirmed at {state.confirmed} and stays confirmed → iCPD."
        return _Verdict(Category.ICPD, (words,), state)
    if state.pending is not None:
        return _after_iupd(visit, judged, state, state.pending, rules)
    return _without_iupd(visit, judged, state, rules)


def _without_iupd(visit: Visit, judged: Assessment, state: _State, rules: IrecistParameters) -> _Verdict:
    """Return the verdict where no progression waits for its confirmation."""
    causes = _causes(judged, state, rules)
    if causes:
        pending = _pending(visit, judged, state)
        words = f"{_sentence(causes)}: progression by RECIST 1.1, to be confirmed after "
        words += f"{rules.confirm_min_days} to {rules.confirm_max_days} days → iUPD."
        return _Verdict(Category.IUPD, (words,), replace(state, pending=pending), _instability(visit))
    overall, words = _improved(visit, judged, state)
    smallest = _smaller(state.smallest_new_sum, state.new.target_sum(_old_targets(state)))
    return _Verdict(overall, (words,), replace(state, smallest_new_sum=smallest))


def _causes(judged: Assessment, state: _State, rules: IrecistParameters) -> list[str]:
    """Return what is progression by RECIST 1.1 here; new lesions of before the bar was set back must grow anew."""
    causes = []
    if judged.target is Category.PD:
        causes.append("the target lesions")
    if judged.non_target is Category.PD:
        causes.append("the non-target lesions")
    if judged.new_lesions is not NewLesionStatus.YES:
        return causes
    fresh = [lesion_id for lesion_id in state.new.ids if lesion_id not in state.old_new]
    if fresh:
        causes.append(f"new lesion {listing(fresh)}")
    now, smallest = state.new.target_sum(_old_targets(state)), state.smallest_new_sum
    if now is not None and smallest is not None and _has_grown(now, smallest, rules):
        causes.append(f"new lesions of before, whose sum grew from {_mm(smallest)} to {_mm(now)}")
    if old := [lesion_id for lesion_id in state.new.worse if lesion_id in state.old_new]:
        causes.append(f"unequivocal progression of {listing(old)}")
    return causes


def _has_grown(now: Decimal, smallest: Decimal, rules: IrecistParameters) -> bool:
    ratio = rules.new_progression
    return now * ratio.denominator >= smallest * ratio.numerator and now - smallest >= rules.new_progression_mm


def _after_iupd(
    visit: Visit, judged: Assessment, state: _State, pending: _Pending, rules: IrecistParameters
) -> _Verdict:
    """Return the verdict where progression waits: confirmed, unchanged, or set back."""
    further = _further(judged, state, pending, rules)
    days = (visit.date - pending.date).days
    if further and (days >= rules.confirm_min_days or rules.early_scan is EarlyScan.CONFIRMS):
        words = f"iUPD of {pending.visit_name} is confirmed after {days} days by {listing(further)} → iCPD."
        state = replace(state, confirmed=visit.name)
        return _Verdict(Category.ICPD, (words,), state, _late(days, rules))
    if further:
        words = f"{_sentence(further)}, but only {days} days after the iUPD of {pending.visit_name}: "
        words += f"a confirmation takes at least {rules.confirm_min_days} → iUPD."
        finding = Finding("early-confirmation", Severity.WARNING, words, visit.name)
        return _Verdict(Category.IUPD, (words,), state, (finding,))
    if judged.target is Category.NE or judged.non_target is Category.NE:
        return _not_evaluable(judged, state, pending)
    return _unchanged_or_reset(visit, judged, state, pending)


def _further(judged: Assessment, state: _State, pending: _Pending, rules: IrecistParameters) -> list[str]:
    """Return what confirms an iUPD, in words."""
    found = []
    now, before = judged.target_sum, pending.target_sum
    if pending.target is Category.PD and now is not None and before is not None:
        if now - before >= rules.further_growth_mm:
            found.append(_growth("the sum of the targets", before, now))
    elif judged.target is Category.PD and pending.target is not Category.PD:
        found.append("progression of the target lesions, which were none of its causes")
    if judged.non_target is Category.PD:
        found.append(
            "a further increase of the non-target lesions"
            if pending.non_target
            else "progression of the non-target lesions, which were none of its causes"
        )
    if more := [lesion_id for lesion_id in state.new.ids if lesion_id not in pending.new]:
        found.append(f"{'another' if pending.new else 'a'} new lesion, {listing(more)}")
    new_now = state.new.target_sum(pending.new_targets)
    if new_now is not None and pending.new_sum is not None and new_now - pending.new_sum >= rules.further_growth_mm:
        found.append(_growth("the sum of the new-lesion targets", pending.new_sum, new_now))
    if worse := [lesion_id for lesion_id in state.new.worse if lesion_id not in pending.new_targets]:
        found.append(f"an increase of {listing(worse)}")
    return found


def _unchanged_or_reset(visit: Visit, judged: Assessment, state: _State, pending: _Pending) -> _Verdict:
    better = _rank(judged.target) < _rank(pending.target)
    new_left = bool(state.new.ids)
    non_target_left = pending.non_target and judged.non_target is not Category.CR
    stands = judged.target is Category.PD or new_left or non_target_left
    if stands and not (better and judged.target is not Category.PD):
        left = [
            *(["the target lesions"] if judged.target is Category.PD else []),
            *(["the non-target lesions"] if non_target_left else []),
            *([f"new lesion {listing(state.new.ids)}"] if new_left else []),
        ]
        words = f"The iUPD of {pending.visit_name} is neither confirmed nor gone ({listing(left)}) → iUPD."
        return _Verdict(Category.IUPD, (words,), state)
    reset = replace(state, pending=None, old_new=frozenset(state.new.ids))
    reset = replace(reset, smallest_new_sum=state.new.target_sum(_old_targets(reset)))
    overall, words = _improved(visit, judged, reset, non_target_left=non_target_left)
    return _Verdict(
        overall, (f"The iUPD of {pending.visit_name} was not confirmed; the bar is set back.", words), reset
    )


def _improved(
    visit: Visit, judged: Assessment, state: _State, *, non_target_left: bool = False
) -> tuple[Category, str]:
    """Return the overall response where nothing is progression; CR only when all new lesions are gone."""
    non_target = Category.NON_CR_NON_PD if non_target_left else judged.non_target
    overall, words = overall_response(judged.target, non_target, NewLesionStatus.NO)
    left = f"new lesion {listing(state.new.ids)} is still there" if state.new.ids else ""
    if not left and visit.markers_elevated:
        left = "tumour markers are not normal"
    if overall is Category.CR and left:
        has_targets = judged.target is not Category.NOT_APPLICABLE
        formed = Category.IPR if has_targets else Category.NON_ICR_NON_IUPD
        return formed, f"Overall {formed}: the lesions of the baseline are gone, but {left}."
    formed = I_FORM.get(overall, overall)
    return formed, f"Overall {formed}: {words}"


def _not_evaluable(judged: Assessment, state: _State, pending: _Pending) -> _Verdict:
    missing = "target" if judged.target is Category.NE else "non-target"
    words = f"The {missing} lesions are NE: the iUPD of {pending.visit_name} stays unconfirmed → NE."
    return _Verdict(Category.NE, (words,), state)


def _pending(visit: Visit, judged: Assessment, state: _State) -> _Pending:
    targets = tuple(lesion_id for lesion_id in state.new.targets if lesion_id in state.new.ids)
    return _Pending(
        visit_name=visit.name,
        date=visit.date,
        target=judged.target,
        target_sum=judged.target_sum,
        non_target=judged.non_target is Category.PD,
        new=state.new.ids,
        new_targets=targets,
        new_sum=state.new.target_sum(targets),
    )


def _old_targets(state: _State) -> tuple[str, ...]:
    return tuple(lesion_id for lesion_id in state.new.targets if lesion_id in state.old_new)


def _smaller(one: Decimal | None, other: Decimal | None) -> Decimal | None:
    known = [value for value in (one, other) if value is not None]
    return min(known, default=None)


def _rank(category: Category) -> int:
    """Return how good a target response is, 0 the best; one that is not known is never better."""
    return _BEST_FIRST.index(category) if category in _BEST_FIRST else len(_BEST_FIRST)


def _instability(visit: Visit) -> tuple[Finding, ...]:
    if visit.clinically_stable is not False:
        return ()
    words = f"The subject was not clinically stable at {visit.name}: iRECIST asks to stop rather than to wait."
    return (Finding("not-clinically-stable", Severity.WARNING, words, visit.name),)


def _late(days: int, rules: IrecistParameters) -> tuple[Finding, ...]:
    if days <= rules.confirm_max_days:
        return ()
    words = f"The confirming scan came {days} days after iUPD; it was due within {rules.confirm_max_days}."
    return (Finding("late-confirmation", Severity.INFO, words),)


def _growth(what: str, before: Decimal, now: Decimal) -> str:
    return f"{what}, {_mm(now)} after {_mm(before)} at iUPD"


def _mm(value: Decimal) -> str:
    return f"{beside_limits(value, [])} mm"


def _sentence(parts: Sequence[str]) -> str:
    words = listing(parts)
    return words[0].upper() + words[1:]


def _assessment(judged: Assessment, verdict: _Verdict, rules: IrecistParameters) -> Assessment:
    state = verdict.state
    recist_reasons = judged.reasons[:-1]
    return replace(
        judged,
        criterion=CRITERION,
        target=I_FORM.get(judged.target, judged.target),
        non_target=I_FORM.get(judged.non_target, judged.non_target),
        overall=verdict.overall,
        reasons=(*recist_reasons, *verdict.reasons),
        parameters=as_pairs(rules),
        findings=(*judged.findings, *verdict.findings),
        secondary=_new_sum(state),
    )


def _new_sum(state: _State) -> tuple[SecondaryMeasure, ...]:
    """Return the sum of the new-lesion targets beside what it is compared with."""
    if not state.new.targets:
        return ()
    if state.pending is not None and state.pending.new_targets:
        now, reference = state.new.target_sum(state.pending.new_targets), state.pending.new_sum
        change = displayed_percent_change(now, reference)
        return (SecondaryMeasure("sum of new-lesion targets", "mm", now, reference, "at iUPD", change),)
    return (SecondaryMeasure("sum of new-lesion targets", "mm", state.new.target_sum(state.new.targets)),)
