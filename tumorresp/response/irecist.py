"""iRECIST: RECIST 1.1 with progression that must be confirmed (Seymour et al., Lancet Oncol 18 (2017) e143-e152).

Each visit is judged by RECIST 1.1 first. Its first PD is unconfirmed (iUPD). The next visits confirm it (iCPD), leave
it as it is, or show an improvement that sets the bar back: then progression must be found and confirmed anew. The nadir
is never set back. New lesions have a list and a sum of their own.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from types import MappingProxyType

from tumorresp.domain.assessment import Assessment, Category, SecondaryMeasure
from tumorresp.domain.finding import Finding, Severity
from tumorresp.response.irecist_confirmation import (
    Further,
    Unconfirmed,
    further_progression,
    growth,
    is_better,
    left_of,
    smaller,
    still_unconfirmed,
    target_since,
    unconfirmed,
    without_new,
)
from tumorresp.response.irecist_new_lesions import NewLesionList, new_lesion_list
from tumorresp.response.irecist_parameters import EarlyScan, IrecistParameters, LateScan
from tumorresp.response.observation import Visit
from tumorresp.response.parameters import as_pairs
from tumorresp.response.reasons import displayed_percent_change, listing
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


@dataclass(frozen=True, slots=True)
class _State:
    """What earlier visits hand on.

    Parameters
    ----------
    waiting
        iUPD that waits for its confirmation, or that was confirmed.
    confirmed
        Name of the visit that confirmed it; empty before.
    old_new
        New lesions that were there when the bar was set back: alone they are no progression any more.
    smallest_new_sum
        Smallest sum of the new-lesion targets among them.
    """

    new: NewLesionList
    waiting: Unconfirmed | None = None
    confirmed: str = ""
    old_new: frozenset[str] = frozenset()
    smallest_new_sum: Decimal | None = None

    @property
    def old_targets(self) -> tuple[str, ...]:
        """IDs of the new-lesion targets from before the bar was set back."""
        return tuple(lesion_id for lesion_id in self.new.targets if lesion_id in self.old_new)


@dataclass(frozen=True, slots=True)
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
        One a visit, sums in mm as in RECIST 1.1; the sum of the new-lesion targets is a secondary measure. A visit's
        assessment depends on no later visit.

    Raises
    ------
    InvalidInput
        If the visits are not in order of date.
    """
    rules = parameters or IrecistParameters()
    recist = assess_recist_1_1(visits, rules.recist)
    if not visits:
        return ()
    pairs = as_pairs(rules)
    baseline_ids = frozenset(item.lesion_id for item in visits[0].observations)
    state = _State(NewLesionList())
    assessed = [replace(recist[0], criterion=CRITERION, parameters=pairs)]
    for visit, judged in zip(visits[1:], recist[1:], strict=True):
        state = replace(state, new=new_lesion_list(state.new, visit, baseline_ids, rules))
        verdict = _verdict(visit, judged, state, rules)
        assessed.append(_assessment(judged, verdict, pairs))
        state = verdict.state
    return tuple(assessed)


def _verdict(visit: Visit, judged: Assessment, state: _State, rules: IrecistParameters) -> _Verdict:
    if state.confirmed:
        words = f"Progression was confirmed at {state.confirmed} and stays confirmed → iCPD."
        return _Verdict(Category.ICPD, (words,), state)
    if state.waiting is not None:
        return _after_iupd(visit, judged, state, state.waiting, rules)
    return _without_iupd(visit, judged, state, rules)


def _without_iupd(visit: Visit, judged: Assessment, state: _State, rules: IrecistParameters) -> _Verdict:
    """Return the verdict where no progression waits for its confirmation."""
    causes = _causes(judged, state, rules)
    if causes:
        return _iupd(visit, judged, state, f"{_sentence(causes)}: progression by RECIST 1.1", rules)
    state = replace(
        state,
        old_new=state.old_new & frozenset(state.new.ids),
        smallest_new_sum=smaller(state.smallest_new_sum, state.new.target_sum(state.old_targets)),
    )
    overall, words = _improved(judged, judged.target, state)
    if state.old_new:
        old = f"There before the bar was set back and no worse since: {listing(sorted(state.old_new))}. "
        words = (f"{old}That is no progression by itself.", *words)
    return _Verdict(overall, words, state)


def _iupd(visit: Visit, judged: Assessment, state: _State, cause: str, rules: IrecistParameters) -> _Verdict:
    """Return the verdict that opens a row of iUPD."""
    waiting = unconfirmed(visit, judged, state.new, rules)
    fresh = [lesion_id for lesion_id in waiting.new_targets if lesion_id not in state.old_new]
    if not fresh:
        waiting = replace(waiting, smallest_new_sum=smaller(waiting.smallest_new_sum, state.smallest_new_sum))
    words = f"{cause}, to be confirmed after {rules.confirm_min_days} to {rules.confirm_max_days} days → iUPD."
    return _Verdict(Category.IUPD, (words,), replace(state, waiting=waiting), _instability(visit, rules))


def _causes(judged: Assessment, state: _State, rules: IrecistParameters) -> list[str]:
    """Return what is progression by RECIST 1.1 here; new lesions of before the bar was set back must grow anew."""
    causes = []
    if judged.target is Category.PD:
        causes.append("the target lesions")
    if judged.non_target is Category.PD:
        causes.append("the non-target lesions")
    if fresh := [lesion_id for lesion_id in state.new.ids if lesion_id not in state.old_new]:
        causes.append(f"new lesion {listing(fresh)}")
    now, smallest = state.new.assessed_sum(state.old_targets), state.smallest_new_sum
    if smallest is not None and _has_grown(now, smallest, rules):
        causes.append(growth("the sum of the earlier new lesions", smallest, now, rules.new_progression_mm))
    if old := [lesion_id for lesion_id in state.new.worse if lesion_id in state.old_new]:
        causes.append(f"unequivocal progression of {listing(old)}")
    return causes


def _has_grown(now: Decimal, smallest: Decimal, rules: IrecistParameters) -> bool:
    ratio = rules.new_progression
    return now * ratio.denominator >= smallest * ratio.numerator and now - smallest >= rules.new_progression_mm


def _after_iupd(
    visit: Visit, judged: Assessment, state: _State, waiting: Unconfirmed, rules: IrecistParameters
) -> _Verdict:
    """Return the verdict where progression waits: confirmed, not known, unchanged, or set back."""
    found = further_progression(waiting, visit, judged, state.new, rules)
    days = (visit.date - waiting.first_date).days
    is_early = days < rules.confirm_min_days
    if is_early and rules.early_scan is EarlyScan.DISREGARDED:
        words = f"The scan is only {days} days after the iUPD of {waiting.visit_name} and is disregarded → iUPD."
        return _waits(visit, judged, state, waiting, (words,), "early-scan-disregarded")
    counted = [item for item in found if not is_early or _counts_early(item, rules)]
    if counted:
        return _confirmed(visit, judged, state, waiting, counted, rules)
    if found:
        words = f"{_sentence([item.words for item in found])}, but only {days} days after the iUPD of "
        words += f"{waiting.visit_name}: a confirmation takes at least {rules.confirm_min_days} → iUPD."
        return _waits(visit, judged, state, waiting, (words,), "early-confirmation")
    return _unchanged_or_set_back(visit, judged, state, waiting, rules)


def _counts_early(found: Further, rules: IrecistParameters) -> bool:
    if rules.early_scan is EarlyScan.NEW_LESION_CONFIRMS:
        return found.is_new_lesion
    return rules.early_scan is EarlyScan.CONFIRMS


def _confirmed(
    visit: Visit,
    judged: Assessment,
    state: _State,
    waiting: Unconfirmed,
    found: Sequence[Further],
    rules: IrecistParameters,
) -> _Verdict:
    what = listing([item.words for item in found])
    since_last = (visit.date - waiting.last_date).days
    if since_last > rules.confirm_max_days and rules.late_scan is LateScan.NEW_IUPD:
        cause = f"{_sentence([what])}, but {since_last} days after the last iUPD: a progression of its own"
        verdict = _iupd(visit, judged, state, cause, rules)
        return replace(verdict, findings=(*verdict.findings, _late(since_last, rules)))
    days = (visit.date - waiting.first_date).days
    words = f"iUPD of {waiting.visit_name} is confirmed after {days} days by {what} → iCPD."
    findings = (_late(since_last, rules),) if since_last > rules.confirm_max_days else ()
    return _Verdict(Category.ICPD, (words,), replace(state, confirmed=visit.name), findings)


def _late(days: int, rules: IrecistParameters) -> Finding:
    words = f"The scan came {days} days after the last iUPD; its confirmation was due within {rules.confirm_max_days}."
    return Finding("late-confirmation", Severity.WARNING, words)


def _waits(
    visit: Visit,
    judged: Assessment,
    state: _State,
    waiting: Unconfirmed,
    words: tuple[str, ...],
    code: str = "",
) -> _Verdict:
    """Return the verdict where an iUPD stays one; the last sentence explains the finding, where there is a code."""
    kept = replace(state, waiting=still_unconfirmed(waiting, visit, judged, state.new, is_iupd=True))
    findings = (Finding(code, Severity.WARNING, words[-1], visit.name),) if code else ()
    return _Verdict(Category.IUPD, words, kept, findings)


def _unchanged_or_set_back(
    visit: Visit, judged: Assessment, state: _State, waiting: Unconfirmed, rules: IrecistParameters
) -> _Verdict:
    """Return the verdict where nothing confirms an iUPD."""
    target = target_since(waiting, judged, rules)
    now = without_new(target, judged.non_target)
    left = left_of(waiting, visit, judged, state.new, rules)
    is_known = now is not Category.NE and not (waiting.non_target and judged.non_target is Category.NE)
    holds = bool(left.firm) or (bool(left.soft) and not (is_known and is_better(now, waiting.without_new)))
    if not is_known and not (holds and left.is_seen):
        return _not_evaluable(visit, judged, state, waiting)
    if holds:
        what = listing((*left.firm, *left.soft))
        words = f"The iUPD of {waiting.visit_name} is neither confirmed nor gone ({what}) → iUPD."
        return _waits(visit, judged, state, waiting, (*_since_iupd(judged, state, waiting, rules), words))
    if waiting.is_final:
        words = f"The lesions are better than at the iUPD of {waiting.visit_name}, but the subject was not clinically "
        words += "stable there: by the protocol that is final → iUPD."
        return _waits(visit, judged, state, waiting, (words,), "improvement-after-final-progression")
    return _set_back(judged, target, state, waiting)


def _not_evaluable(visit: Visit, judged: Assessment, state: _State, waiting: Unconfirmed) -> _Verdict:
    """Return the verdict of a visit that says too little; the iUPD goes on waiting."""
    words = f"Too little was assessed to confirm the iUPD of {waiting.visit_name} or to set it back → NE."
    kept = replace(state, waiting=still_unconfirmed(waiting, visit, judged, state.new, is_iupd=False))
    return _Verdict(Category.NE, (words,), kept)


def _since_iupd(judged: Assessment, state: _State, waiting: Unconfirmed, rules: IrecistParameters) -> tuple[str, ...]:
    """Say how the sums stand to their values at iUPD, where these are what progression was or may be seen by."""
    sums = []
    if waiting.target is Category.PD and waiting.target_sum is not None and judged.target_sum is not None:
        sums.append(("Sum of the targets", waiting.target_sum, judged.target_sum))
    before, now = waiting.new_sum, state.new.target_sum(waiting.new_targets)
    if before is not None and now is not None:
        sums.append(("Sum of the new-lesion targets", before, now))
    limit = rules.further_growth_mm
    return tuple(f"{growth(what, start, end, limit)}: less than {limit} mm more." for what, start, end in sums)


def _set_back(judged: Assessment, target: Category, state: _State, waiting: Unconfirmed) -> _Verdict:
    reset = replace(state, waiting=None, old_new=frozenset(state.new.ids))
    now = state.new.target_sum(waiting.new_targets)
    reset = replace(reset, smallest_new_sum=smaller(waiting.smallest_new_sum, now) if reset.old_targets else None)
    overall, words = _improved(judged, target, reset)
    first = f"The iUPD of {waiting.visit_name} was not confirmed; the bar is set back, the nadir is not."
    return _Verdict(overall, (first, *words), reset)


def _improved(judged: Assessment, target: Category, state: _State) -> tuple[Category, tuple[str, ...]]:
    """Return the overall response where nothing is progression; CR only when all new lesions are gone."""
    there = state.new.ids
    if not there and target is judged.target:
        formed = I_FORM.get(judged.overall, judged.overall)
        return formed, (f"Overall {formed}: {_components(judged, target)}.",)
    overall = without_new(target, judged.non_target)
    if overall in (Category.CR, Category.NED):
        has_targets = judged.target is not Category.NOT_APPLICABLE
        formed = Category.IPR if has_targets else Category.NON_ICR_NON_IUPD
        return formed, (
            f"Overall {formed}: the lesions of the baseline are gone, but not new lesion {listing(there)}.",
        )
    formed = I_FORM.get(overall, overall)
    return formed, (f"Overall {formed}: {_components(judged, target)}, without the new lesions.",)


def _components(judged: Assessment, target: Category) -> str:
    named = {"target": target, "non-target": judged.non_target}
    words = [f"{what} {I_FORM.get(item, item)}" for what, item in named.items() if item is not Category.NOT_APPLICABLE]
    return listing(words) or "no disease at baseline, no new lesion"


def _instability(visit: Visit, rules: IrecistParameters) -> tuple[Finding, ...]:
    if visit.clinically_stable is not False:
        return ()
    words = f"The subject was not clinically stable at {visit.name}: iRECIST asks to stop rather than to wait."
    if rules.unstable_is_final:
        words += " By the protocol no later improvement sets this progression back."
    return (Finding("not-clinically-stable", Severity.WARNING, words, visit.name),)


def _sentence(parts: Sequence[str]) -> str:
    words = listing(parts)
    return words[:1].upper() + words[1:]


def _assessment(judged: Assessment, verdict: _Verdict, pairs: tuple[tuple[str, str], ...]) -> Assessment:
    """Return RECIST 1.1's assessment in iRECIST's words, with the verdict in place of its last sentence."""
    state, is_progression = verdict.state, verdict.overall in (Category.IUPD, Category.ICPD)
    return replace(
        judged,
        criterion=CRITERION,
        target=I_FORM.get(judged.target, judged.target),
        non_target=I_FORM.get(judged.non_target, judged.non_target),
        overall=verdict.overall,
        reasons=(*judged.reasons[:-1], f"By RECIST 1.1 alone: {judged.overall}.", *verdict.reasons),
        parameters=pairs,
        findings=(*judged.findings, *verdict.findings),
        progression_date=judged.progression_date if is_progression else None,
        inputs=(*judged.inputs, *state.new.inputs()),
        secondary=_new_sum(state),
    )


def _new_sum(state: _State) -> tuple[SecondaryMeasure, ...]:
    """Return the sum of the new-lesion targets beside what it is compared with."""
    if not state.new.targets:
        return ()
    name = "sum of new-lesion targets"
    if state.waiting is not None and state.waiting.new_targets:
        now, reference = state.new.target_sum(state.waiting.new_targets), state.waiting.new_sum
        return (SecondaryMeasure(name, "mm", now, reference, "at iUPD", displayed_percent_change(now, reference)),)
    if state.old_targets:
        now, reference = state.new.target_sum(state.old_targets), state.smallest_new_sum
        change = displayed_percent_change(now, reference)
        return (SecondaryMeasure(name, "mm", now, reference, "smallest so far", change),)
    return (SecondaryMeasure(name, "mm", state.new.target_sum(state.new.targets)),)
