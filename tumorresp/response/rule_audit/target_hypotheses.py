"""The mistakes that may have made a target response, as changes of how it is derived."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

from tumorresp.response.observation import LesionObservation
from tumorresp.response.rule_audit.changes import incomplete_nadir
from tumorresp.response.rule_audit.derivation import Derivation
from tumorresp.response.rule_audit.hypotheses import Hypothesis
from tumorresp.response.rule_audit.numbers import millimetres
from tumorresp.response.rule_audit.reported import Mistake
from tumorresp.response.rule_audit.target_judgement import Judgement, Reference, in_whole_mm

_NO_NODE_IS_NORMAL = Decimal("0.000001")

_Hypotheses = Iterator[Hypothesis[Judgement]]


def target_hypotheses(derivation: Derivation, index: int) -> _Hypotheses:
    """Give the mistakes that can be supposed of a visit, the most usual kinds first."""
    yield from _of_missing_lesions(derivation, index)
    yield from _of_progression_reference(derivation, index)
    yield from _of_response_reference(derivation, index)
    yield from _of_limits(derivation)
    yield from _of_nodes(derivation, index)
    yield from _of_rounding(derivation)
    yield from _of_conventions(derivation)


def _of_missing_lesions(derivation: Derivation, index: int) -> _Hypotheses:
    missing = derivation.missing(index)
    if not missing:
        return
    named, here = ", ".join(missing), range(index, index + 1)

    def supposing(mistake: Mistake, derived: Derivation) -> Hypothesis[Judgement]:
        return Hypothesis("missing", mistake, lambda judged: replace(judged, derivation=derived))

    words = f"{named} was not assessed, but was counted as 0 (gone)."
    yield supposing(Mistake("missing-lesion-as-zero", words), derivation.with_missing_as_absent(here))
    words = f"{named} was not assessed; its last known size was carried forward."
    yield supposing(Mistake("missing-lesion-carried-forward", words), derivation.with_missing_carried_forward(here))
    left = derivation.without(missing)
    if left.baseline_sum is not None:
        words = f"{named} was not assessed; the response was made from the other targets alone."
        yield supposing(Mistake("missing-lesion-left-out", words), left)
    words = f"{named} was not assessed, which was taken as NE, though the other targets alone are PD."
    yield Hypothesis(
        "missing",
        Mistake("missing-lesion-hides-progression", words),
        lambda judged: replace(judged, missing_is_not_evaluable=True),
    )


def _of_progression_reference(derivation: Derivation, index: int) -> _Hypotheses:
    nadir = derivation.nadir(index)
    if nadir is None:
        return

    def words(named: str, value: Decimal | None) -> str:
        shown = "" if value is None else millimetres(value)
        return f"PD was judged against {named} ({shown}) instead of the nadir ({millimetres(nadir)})."

    baseline, previous = derivation.baseline_sum, derivation.previous(index)
    incomplete = incomplete_nadir(derivation, index)
    for mistake, reference, value in (
        (Mistake("baseline-instead-of-nadir", words("the baseline", baseline)), Reference.BASELINE, baseline),
        (
            Mistake("previous-visit-instead-of-nadir", words("the previous visit", previous)),
            Reference.PREVIOUS_VISIT,
            previous,
        ),
        (
            Mistake("incomplete-sum-as-nadir", words("the incomplete sum of a visit that is NE", incomplete)),
            Reference.INCOMPLETE_NADIR,
            incomplete,
        ),
    ):
        if value is not None and value != nadir:
            yield Hypothesis("progression reference", mistake, _against(reference))


def _against(reference: Reference) -> Callable[[Judgement], Judgement]:
    return lambda judged: replace(judged, progression_reference=reference)


def _of_response_reference(derivation: Derivation, index: int) -> _Hypotheses:
    baseline, nadir, previous = derivation.baseline_sum, derivation.nadir(index), derivation.previous(index)
    if baseline is None or nadir is None:
        return
    words = f"PR was judged against {{}} ({{}}) instead of the baseline ({millimetres(baseline)})."
    family = "response reference"
    if nadir != baseline:
        yield Hypothesis(
            family,
            Mistake("nadir-instead-of-baseline", words.format("the nadir", millimetres(nadir))),
            lambda judged: replace(judged, response_reference=Reference.NADIR),
        )
    if previous is not None and previous not in (baseline, nadir):
        yield Hypothesis(
            family,
            Mistake("previous-visit-instead-of-baseline", words.format("the previous visit", millimetres(previous))),
            lambda judged: replace(judged, response_reference=Reference.PREVIOUS_VISIT),
        )
    words = "PR was called although PD against the nadir comes before PR."
    yield Hypothesis(
        "order",
        Mistake("response-before-progression", words),
        lambda judged: replace(judged, response_first=True),
    )


def _by_rules(family: str, mistake: Mistake, **changed: object) -> Hypothesis[Judgement]:
    def change(judged: Judgement) -> Judgement:
        rules = replace(judged.derivation.rules, **changed)  # type: ignore[arg-type]  # fields of the class
        return replace(judged, derivation=judged.derivation.supposing(rules=rules))

    return Hypothesis(family, mistake, change)


def _of_limits(derivation: Derivation) -> _Hypotheses:
    rules = derivation.rules
    words = f"PD was called by the percentage alone; the sum must also be {rules.progression_mm} mm over the nadir."
    yield _by_rules("growth", Mistake("absolute-growth-ignored", words), progression_mm=Decimal(0))
    words = f"PD was called by {rules.progression_mm} mm of growth alone; the percentage is needed too."
    yield _by_rules("growth", Mistake("relative-growth-ignored", words), progression=Fraction(1))
    words = "The sum lies exactly at the limit of {0}, which counts as {0} ({1:g} times)."
    yield Hypothesis(
        "limit of PD",
        Mistake("limit-not-included", words.format("PD", float(rules.progression))),
        lambda judged: replace(judged, progression_limit_excluded=True),
    )
    yield Hypothesis(
        "limit of PR",
        Mistake("limit-not-included", words.format("PR", float(rules.partial_response))),
        lambda judged: replace(judged, response_limit_excluded=True),
    )


def _of_nodes(derivation: Derivation, index: int) -> _Hypotheses:
    if not any(item.nodal for item in derivation.visits[index].observations):
        return
    limit = derivation.rules.normal_node_mm
    words = f"CR was denied because a node is still seen; under {limit} mm of short axis it is normal."
    yield _by_rules("nodes", Mistake("node-must-be-zero", words), normal_node_mm=_NO_NODE_IS_NORMAL)
    words = f"CR was called although a target node has {limit} mm of short axis or more."
    mistake = Mistake("node-size-ignored-in-complete-response", words)
    yield _by_rules("nodes", mistake, normal_node_mm=Decimal(10) ** 6)


def _of_rounding(derivation: Derivation) -> _Hypotheses:
    if any(_is_fraction(item) for visit in derivation.visits for item in visit.observations):
        yield Hypothesis(
            "rounding",
            Mistake("sizes-rounded", "The sizes were rounded to whole mm before the rules."),
            lambda judged: replace(
                judged,
                derivation=judged.derivation.supposing(
                    lambda visit, _: [_in_whole_mm(item) for item in visit.observations]
                ),
            ),
        )
        yield Hypothesis(
            "rounding",
            Mistake("sums-rounded", "The sums were rounded to whole mm before the rules."),
            lambda judged: replace(judged, sums_in_whole_mm=True),
        )
    for places, named in ((0, "whole percent"), (1, "one decimal")):
        mistake = Mistake("percentages-rounded", f"The percentages were rounded to {named} before the rules.")
        yield Hypothesis("rounding", mistake, _rounding_percentages(places))


def _rounding_percentages(places: int) -> Callable[[Judgement], Judgement]:
    return lambda judged: replace(judged, percentage_places=places)


def _of_conventions(derivation: Derivation) -> _Hypotheses:
    rules = derivation.rules
    words = (
        "PR was ended by this visit's own numbers; by the protocol it lasts until progression."
        if rules.pr_carry_forward
        else "PR was kept until progression; by the protocol each visit is judged by its own numbers."
    )
    mistake = Mistake("partial-response-carried-forward", words)
    yield _by_rules("continued response", mistake, pr_carry_forward=not rules.pr_carry_forward)
    words = (
        "A target that is back after an overall CR was judged by the sum."
        if rules.reappearance_after_cr_is_pd
        else "A target that is back after an overall CR was called PD; by the protocol the sum decides."
    )
    mistake = Mistake("reappearance-after-complete-response", words)
    yield _by_rules("return", mistake, reappearance_after_cr_is_pd=not rules.reappearance_after_cr_is_pd)
    words = "A target that is back was called PD though no overall CR had been assigned; the sum decides."
    yield Hypothesis(
        "return",
        Mistake("reappearance-without-complete-response", words),
        lambda judged: replace(judged, return_is_progression=True),
    )


def _is_fraction(seen: LesionObservation) -> bool:
    return any(axis is not None and axis % 1 for axis in (seen.long_axis_mm, seen.short_axis_mm))


def _in_whole_mm(seen: LesionObservation) -> LesionObservation:
    return replace(
        seen,
        long_axis_mm=None if seen.long_axis_mm is None else in_whole_mm(seen.long_axis_mm),
        short_axis_mm=None if seen.short_axis_mm is None else in_whole_mm(seen.short_axis_mm),
    )
