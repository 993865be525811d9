"""iRECIST: RECIST 1.1 with progression that must be confirmed (Seymour et al., Lancet Oncol 18 (2017) e143-e152).

Each visit is judged by RECIST 1.1 first. Its first PD is unconfirmed (iUPD). The next visits confirm it (iCPD), leave
it as it is, or show an improvement that sets the bar back: then progression must be found and confirmed anew. The nadir
is never set back. New lesions have a list and a sum of their own.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from tumorresp.domain.assessment import Assessment, Category
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
from tumorresp.response.irecist_state import CRITERION, I_FORM, State, Verdict, irecist_assessment
from tumorresp.response.new_lesions import NewLesions, new_lesions_by_visit
from tumorresp.response.observation import Visit
from tumorresp.response.parameters import as_pairs
from tumorresp.response.reasons import listing
from tumorresp.response.recist_1_1 import assess_recist_1_1


@dataclass(frozen=True, slots=True)
class _Judged:
    """A visit by RECIST 1.1, among the visits that are not disregarded."""

    judged: Assessment
    new: NewLesions


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
    if not visits:
        return ()
    pairs = as_pairs(rules)
    kept, state = list(visits), State(NewLesionList())
    course = _judged_course(kept, rules)
    assessed = [replace(course[0].judged, criterion=CRITERION, parameters=pairs)]
    for visit in visits[1:]:
        index = len(kept) - len(visits) + len(assessed)
        now = course[index]
        if (days := _days_too_early(visit, state, rules)) is not None:
            assessed.append(_disregarded(visit, now.judged, days, state, pairs))
            del kept[index]
            course = _judged_course(kept, rules)
            continue
        before = state
        state = replace(state, new=new_lesion_list(state.new, visit, now.new, rules))
        verdict = _withheld(_verdict(visit, now.judged, state, rules), now, before)
        assessed.append(irecist_assessment(now.judged, verdict, pairs))
        state = verdict.state
    return tuple(assessed)


def _judged_course(visits: Sequence[Visit], rules: IrecistParameters) -> list[_Judged]:
    """Return every visit as RECIST 1.1 judges it."""
    new = new_lesions_by_visit(visits, rules.normal_node_mm, rules.progression_mm)
    judged = assess_recist_1_1(visits, rules.recist)
    return [_Judged(*item) for item in zip(judged, new, strict=True)]


def _days_too_early(visit: Visit, state: State, rules: IrecistParameters) -> int | None:
    """Return how many days after iUPD a scan was made that is disregarded; None where it counts."""
    if rules.early_scan is not EarlyScan.DISREGARDED or state.waiting is None or state.confirmed:
        return None
    days = (visit.date - state.waiting.first_date).days
    return days if days < rules.confirm_min_days else None


def _disregarded(
    visit: Visit, judged: Assessment, days: int, state: State, pairs: tuple[tuple[str, str], ...]
) -> Assessment:
    """Return the assessment of a scan that feeds nothing: no sum, no nadir, no list of new lesions, no confirmation.

    What was measured stands in its reasons and inputs.
    """
    assert state.waiting is not None, "only a scan after iUPD is disregarded"
    words = f"The scan is only {days} days after the iUPD of {state.waiting.visit_name} and is disregarded → iUPD."
    finding = Finding("early-scan-disregarded", Severity.WARNING, words, visit.name)
    verdict = Verdict(Category.IUPD, (words,), replace(state, new=NewLesionList()), (finding,))
    return replace(
        irecist_assessment(judged, verdict, pairs),
        target_sum=None,
        change_from_baseline_percent=None,
        change_from_nadir_percent=None,
        change_from_nadir=None,
        secondary=(),
    )


def _withheld(verdict: Verdict, now: _Judged, before: State) -> Verdict:
    """Return a verdict that holds whatever is decided of what waits: with anything better nothing is known yet."""
    waits = now.new.waits
    if not waits or verdict.overall in (Category.IUPD, Category.ICPD):
        return verdict
    words = f"Nothing but progression is given, and no bar is set back, while it waits for a decision: {listing(waits)}"
    return Verdict(Category.NE, (f"{words} → NE.",), replace(before, new=verdict.state.new), verdict.findings)


def _verdict(visit: Visit, judged: Assessment, state: State, rules: IrecistParameters) -> Verdict:
    if state.confirmed:
        words = f"Progression was confirmed at {state.confirmed} and stays confirmed → iCPD."
        return Verdict(Category.ICPD, (words,), state)
    if state.waiting is not None:
        return _after_iupd(visit, judged, state, state.waiting, rules)
    return _without_iupd(visit, judged, state, rules)


def _without_iupd(visit: Visit, judged: Assessment, state: State, rules: IrecistParameters) -> Verdict:
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
    return Verdict(overall, words, state)


def _iupd(visit: Visit, judged: Assessment, state: State, cause: str, rules: IrecistParameters) -> Verdict:
    """Return the verdict that opens a row of iUPD."""
    waiting = unconfirmed(visit, judged, state.new, rules)
    fresh = [lesion_id for lesion_id in waiting.new_targets if lesion_id not in state.old_new]
    if not fresh:
        waiting = replace(waiting, smallest_new_sum=smaller(waiting.smallest_new_sum, state.smallest_new_sum))
    words = f"{cause}, to be confirmed after {rules.confirm_min_days} to {rules.confirm_max_days} days → iUPD."
    return Verdict(Category.IUPD, (words,), replace(state, waiting=waiting), _instability(visit, rules))


def _causes(judged: Assessment, state: State, rules: IrecistParameters) -> list[str]:
    """Return what is progression by RECIST 1.1 here; new lesions of before the bar was set back must grow anew."""
    if judged.overall is not Category.PD:
        return []
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
    visit: Visit, judged: Assessment, state: State, waiting: Unconfirmed, rules: IrecistParameters
) -> Verdict:
    """Return the verdict where progression waits: confirmed, not known, unchanged, or set back."""
    found = further_progression(waiting, visit, judged, state.new, rules)
    days = (visit.date - waiting.first_date).days
    is_early = days < rules.confirm_min_days
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
    state: State,
    waiting: Unconfirmed,
    found: Sequence[Further],
    rules: IrecistParameters,
) -> Verdict:
    what = listing([item.words for item in found])
    since_last = (visit.date - waiting.last_date).days
    if since_last > rules.confirm_max_days and rules.late_scan is LateScan.NEW_IUPD:
        cause = f"{_sentence([what])}, but {since_last} days after the last iUPD: a progression of its own"
        verdict = _iupd(visit, judged, state, cause, rules)
        return replace(verdict, findings=(*verdict.findings, _late(since_last, rules)))
    days = (visit.date - waiting.first_date).days
    words = f"iUPD of {waiting.visit_name} is confirmed after {days} days by {what} → iCPD."
    findings = (_late(since_last, rules),) if since_last > rules.confirm_max_days else ()
    return Verdict(Category.ICPD, (words,), replace(state, confirmed=visit.name), findings)


def _late(days: int, rules: IrecistParameters) -> Finding:
    words = f"The scan came {days} days after the last iUPD; its confirmation was due within {rules.confirm_max_days}."
    return Finding("late-confirmation", Severity.WARNING, words)


def _waits(
    visit: Visit,
    judged: Assessment,
    state: State,
    waiting: Unconfirmed,
    words: tuple[str, ...],
    code: str = "",
) -> Verdict:
    """Return the verdict where an iUPD stays one; the last sentence explains the finding, where there is a code."""
    kept = replace(state, waiting=still_unconfirmed(waiting, visit, judged, state.new, is_iupd=True))
    findings = (Finding(code, Severity.WARNING, words[-1], visit.name),) if code else ()
    return Verdict(Category.IUPD, words, kept, findings)


def _unchanged_or_set_back(
    visit: Visit, judged: Assessment, state: State, waiting: Unconfirmed, rules: IrecistParameters
) -> Verdict:
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


def _not_evaluable(visit: Visit, judged: Assessment, state: State, waiting: Unconfirmed) -> Verdict:
    """Return the verdict of a visit that says too little; the iUPD goes on waiting."""
    words = f"Too little was assessed to confirm the iUPD of {waiting.visit_name} or to set it back → NE."
    kept = replace(state, waiting=still_unconfirmed(waiting, visit, judged, state.new, is_iupd=False))
    return Verdict(Category.NE, (words,), kept)


def _since_iupd(judged: Assessment, state: State, waiting: Unconfirmed, rules: IrecistParameters) -> tuple[str, ...]:
    """Say how the sums stand to their values at iUPD, where these are what progression was or may be seen by."""
    sums = []
    if waiting.target is Category.PD and waiting.target_sum is not None and judged.target_sum is not None:
        sums.append(("Sum of the targets", waiting.target_sum, judged.target_sum))
    before, now = waiting.new_sum, state.new.target_sum(waiting.new_targets)
    if before is not None and now is not None:
        sums.append(("Sum of the new-lesion targets", before, now))
    limit = rules.further_growth_mm
    return tuple(f"{growth(what, start, end, limit)}: less than {limit} mm more." for what, start, end in sums)


def _set_back(judged: Assessment, target: Category, state: State, waiting: Unconfirmed) -> Verdict:
    reset = replace(state, waiting=None, old_new=frozenset(state.new.ids))
    now = state.new.target_sum(waiting.new_targets)
    reset = replace(reset, smallest_new_sum=smaller(waiting.smallest_new_sum, now) if reset.old_targets else None)
    overall, words = _improved(judged, target, reset)
    first = f"The iUPD of {waiting.visit_name} was not confirmed; the bar is set back, the nadir is not."
    return Verdict(overall, (first, *words), reset)


def _improved(judged: Assessment, target: Category, state: State) -> tuple[Category, tuple[str, ...]]:
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
