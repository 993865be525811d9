"""A reported target response that does not follow: which mistake gives it."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

from tumorresp.domain.assessment import Category
from tumorresp.response.observation import LesionObservation
from tumorresp.response.parameters import Recist11Parameters
from tumorresp.response.rule_audit.changes import ReportedSums, incomplete_nadir
from tumorresp.response.rule_audit.derivation import Derivation
from tumorresp.response.rule_audit.numbers import millimetres, percent
from tumorresp.response.rule_audit.reported import Mistake

RULES = {
    Category.CR: "CR: all targets gone, target nodes under {node} mm of short axis (Eisenhauer 2009, section 4.3.1).",
    Category.PR: "PR: the sum is at least {pr} smaller than at baseline (Eisenhauer 2009, section 4.3.1).",
    Category.PD: (
        "PD: the sum is at least {pd} and {growth} mm over the nadir, or a target is back after an overall CR "
        "(Eisenhauer 2009, section 4.3.1; EORTC clarifications)."
    ),
    Category.SD: "SD: neither PR against the baseline nor PD against the nadir (Eisenhauer 2009, section 4.3.1).",
    Category.NE: (
        "NE: a target was not assessed and the others alone are no PD (Eisenhauer 2009, section 4.4.2 and Table 1)."
    ),
}
_NO_NODE_IS_NORMAL = Decimal("0.000001")


def target_rule(derived: Category, rules: Recist11Parameters) -> str:
    """Return the rule of a derived target response."""
    words = RULES.get(
        derived, "Without target lesions at baseline there is no target response (Eisenhauer 2009, Table 2)."
    )
    return words.format(
        node=rules.normal_node_mm,
        pr=f"{float((1 - rules.partial_response) * 100):g} %",
        pd=f"{float((rules.progression - 1) * 100):g} %",
        growth=rules.progression_mm,
    )


def target_mistakes(derivation: Derivation, index: int, reported: Category, sums: ReportedSums) -> tuple[Mistake, ...]:
    """Return the mistakes that give a reported target response instead of the derived one.

    A response that follows from sums that were reported otherwise is explained by them alone.
    """
    derived = derivation.assessments[index].target
    from_sums = tuple(item for item, category in _of_reported_sums(derivation, index, sums) if category is reported)
    if from_sums:
        return from_sums
    kinds = (
        _of_missing_lesions(derivation, index),
        _of_reference(derivation, index),
        _of_limits(derivation, index),
        _of_rounding(derivation, index),
        _of_conventions(derivation, index),
    )
    tried = (item for kind in kinds for item in kind)
    return tuple(mistake for mistake, category in tried if category is reported and category is not derived)


_Trial = tuple[Mistake, Category]


def _of_missing_lesions(derivation: Derivation, index: int) -> Iterator[_Trial]:
    missing = derivation.missing(index)
    if not missing:
        return
    named, here = ", ".join(missing), range(index, index + 1)
    taken = derivation.with_missing_as_absent(here).assessments[index].target
    yield Mistake("missing-lesion-as-zero", f"{named} was not assessed, but was counted as 0 (gone)."), taken
    carried = derivation.with_missing_carried_forward(here).assessments[index].target
    words = f"{named} was not assessed; its last known size was carried forward."
    yield Mistake("missing-lesion-carried-forward", words), carried
    left = derivation.without(missing)
    if left.baseline_sum is not None:
        words = f"{named} was not assessed; the response was made from the other targets alone."
        yield Mistake("missing-lesion-left-out", words), left.assessments[index].target
    if derivation.assessments[index].target is Category.PD:
        words = f"{named} was not assessed, which was taken as NE, though the other targets alone are PD."
        yield Mistake("missing-lesion-hides-progression", words), Category.NE


def _of_reported_sums(derivation: Derivation, index: int, sums: ReportedSums) -> Iterator[_Trial]:
    known = ReportedSums(derivation.sums[index], derivation.baseline_sum, derivation.nadir(index))
    if sums == known or sums.total is None or sums.baseline is None or sums.nadir is None:
        return
    words = (
        f"It follows from the reported sums (this visit {millimetres(sums.total)}, baseline "
        f"{millimetres(sums.baseline)}, nadir {millimetres(sums.nadir)}); the mistake is in a sum."
    )
    category = by_sums(sums.total, sums.baseline, sums.nadir, derivation.rules)
    yield Mistake("follows-from-reported-sums", words), category


def _of_reference(derivation: Derivation, index: int) -> Iterator[_Trial]:
    total, baseline, nadir = derivation.sums[index], derivation.baseline_sum, derivation.nadir(index)
    previous, incomplete = derivation.previous(index), incomplete_nadir(derivation, index)
    if total is None or baseline is None or nadir is None or derivation.assessments[index].target is Category.CR:
        return
    rules = derivation.rules
    words = f"PD was judged against {{}} ({{}}) instead of the nadir ({millimetres(nadir)})."
    if baseline != nadir:
        mistake = Mistake("baseline-instead-of-nadir", words.format("the baseline", millimetres(baseline)))
        yield mistake, by_sums(total, baseline, baseline, rules)
    if previous is not None and previous != nadir:
        mistake = Mistake("previous-visit-instead-of-nadir", words.format("the previous visit", millimetres(previous)))
        yield mistake, by_sums(total, baseline, previous, rules)
    if incomplete is not None:
        named = "the incomplete sum of a visit that is NE"
        mistake = Mistake("incomplete-sum-as-nadir", words.format(named, millimetres(incomplete)))
        yield mistake, by_sums(total, baseline, incomplete, rules)
    against = f"PR was judged against {{}} ({{}}) instead of the baseline ({millimetres(baseline)})."
    if nadir != baseline:
        mistake = Mistake("nadir-instead-of-baseline", against.format("the nadir", millimetres(nadir)))
        yield mistake, by_sums(total, nadir, nadir, rules)
    if previous is not None and previous not in (baseline, nadir):
        mistake = Mistake(
            "previous-visit-instead-of-baseline", against.format("the previous visit", millimetres(previous))
        )
        yield mistake, by_sums(total, previous, nadir, rules)
    if by_sums(total, baseline, nadir, rules) is Category.PD and _is_response(total, baseline, rules):
        mistake = Mistake("response-before-progression", "PR was called although PD against the nadir comes before PR.")
        yield mistake, Category.PR


def _of_limits(derivation: Derivation, index: int) -> Iterator[_Trial]:
    """Try the rules with a limit left out or misread."""
    rules = derivation.rules

    def by(code: str, words: str, **changed: object) -> _Trial:
        supposed = derivation.supposing(rules=replace(rules, **changed))  # type: ignore[arg-type]  # fields of the class
        return Mistake(code, words), supposed.assessments[index].target

    yield by(
        "absolute-growth-ignored",
        f"PD was called by the percentage alone; the sum must also be {rules.progression_mm} mm over the nadir.",
        progression_mm=Decimal(0),
    )
    yield by(
        "relative-growth-ignored",
        f"PD was called by {rules.progression_mm} mm of growth alone; the percentage is needed too.",
        progression=Fraction(1),
    )
    yield by(
        "node-must-be-zero",
        f"CR was denied because a node is still seen; under {rules.normal_node_mm} mm of short axis it is normal.",
        normal_node_mm=_NO_NODE_IS_NORMAL,
    )
    yield by(
        "node-size-ignored-in-complete-response",
        f"CR was called although a target node has {rules.normal_node_mm} mm of short axis or more.",
        normal_node_mm=Decimal(10) ** 6,
    )
    total, baseline, nadir = derivation.sums[index], derivation.baseline_sum, derivation.nadir(index)
    if total is None or baseline is None or nadir is None or derivation.assessments[index].target is Category.CR:
        return
    least = Decimal("0.000001")
    for shifted, name, limit in (
        (total - least, "PD", rules.progression),
        (total + least, "PR", rules.partial_response),
    ):
        beside = by_sums(shifted, baseline, nadir, rules)
        if beside is not by_sums(total, baseline, nadir, rules):
            words = f"The sum lies exactly at the limit of {name}, which counts as {name} ({float(limit):g} times)."
            yield Mistake("limit-not-included", words), beside


def _of_rounding(derivation: Derivation, index: int) -> Iterator[_Trial]:
    whole = derivation.supposing(lambda visit, _: [_in_whole_mm(item) for item in visit.observations])
    yield (
        Mistake("sizes-rounded", "The sizes were rounded to whole mm before the rules."),
        whole.assessments[index].target,
    )
    total, baseline, nadir = derivation.sums[index], derivation.baseline_sum, derivation.nadir(index)
    if total is None or not baseline or not nadir or derivation.assessments[index].target is Category.CR:
        return
    rules = derivation.rules
    yield (
        Mistake("sums-rounded", "The sums were rounded to whole mm before the rules."),
        by_sums(_rounded(total), _rounded(baseline), _rounded(nadir), rules),
    )
    for places, named in ((0, "whole percent"), (1, "one decimal")):
        yield (
            Mistake("percentages-rounded", f"The percentages were rounded to {named} before the rules."),
            _by_rounded_percentages(total, baseline, nadir, rules, places),
        )


def _of_conventions(derivation: Derivation, index: int) -> Iterator[_Trial]:
    rules = derivation.rules
    other = derivation.supposing(rules=replace(rules, pr_carry_forward=not rules.pr_carry_forward))
    words = (
        "PR was ended by this visit's own numbers; by the protocol it lasts until progression."
        if rules.pr_carry_forward
        else "PR was kept until progression; by the protocol each visit is judged by its own numbers."
    )
    yield Mistake("partial-response-carried-forward", words), other.assessments[index].target
    other = derivation.supposing(
        rules=replace(rules, reappearance_after_cr_is_pd=not rules.reappearance_after_cr_is_pd)
    )
    yield (
        Mistake(
            "reappearance-after-complete-response", "A target that is back after an overall CR was judged by the sum."
        ),
        other.assessments[index].target,
    )
    total, nadir = derivation.sums[index], derivation.nadir(index)
    if total is not None and total > 0 and nadir == 0:
        words = "A target that is back was called PD though no overall CR had been assigned; the sum decides."
        yield Mistake("reappearance-without-complete-response", words), Category.PD


def by_sums(total: Decimal, baseline: Decimal, nadir: Decimal, rules: Recist11Parameters) -> Category:
    """Return PD, PR or SD as sums alone give it."""
    grown = Fraction(total) >= rules.progression * Fraction(nadir) and total - nadir >= rules.progression_mm
    if grown:
        return Category.PD
    return Category.PR if _is_response(total, baseline, rules) else Category.SD


def _is_response(total: Decimal, baseline: Decimal, rules: Recist11Parameters) -> bool:
    return Fraction(total) <= rules.partial_response * Fraction(baseline)


def _by_rounded_percentages(
    total: Decimal, baseline: Decimal, nadir: Decimal, rules: Recist11Parameters, places: int
) -> Category:
    since_baseline, since_nadir = percent(total, baseline), percent(total, nadir)
    assert since_baseline is not None, "the baseline is not 0"
    assert since_nadir is not None, "the nadir is not 0"
    if round(since_nadir, places) >= 100 * (rules.progression - 1) and total - nadir >= rules.progression_mm:
        return Category.PD
    return Category.PR if round(since_baseline, places) <= 100 * (rules.partial_response - 1) else Category.SD


def _in_whole_mm(seen: LesionObservation) -> LesionObservation:
    return replace(
        seen,
        long_axis_mm=None if seen.long_axis_mm is None else _rounded(seen.long_axis_mm),
        short_axis_mm=None if seen.short_axis_mm is None else _rounded(seen.short_axis_mm),
    )


def _rounded(value: Decimal) -> Decimal:
    return value.quantize(Decimal(1), rounding=ROUND_HALF_UP)
