"""What iRECIST hands from visit to visit, and a visit's verdict as an assessment in iRECIST's words."""

from dataclasses import dataclass, replace
from decimal import Decimal
from types import MappingProxyType

from tumorresp.domain.assessment import Assessment, Category, SecondaryMeasure
from tumorresp.domain.finding import Finding
from tumorresp.response.irecist_confirmation import Unconfirmed
from tumorresp.response.irecist_new_lesions import NewLesionList
from tumorresp.response.reasons import displayed_percent_change

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
class State:
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
class Verdict:
    """What iRECIST makes of a visit, and what it hands on."""

    overall: Category
    reasons: tuple[str, ...]
    state: State
    findings: tuple[Finding, ...] = ()


def irecist_assessment(judged: Assessment, verdict: Verdict, pairs: tuple[tuple[str, str], ...]) -> Assessment:
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


def _new_sum(state: State) -> tuple[SecondaryMeasure, ...]:
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
