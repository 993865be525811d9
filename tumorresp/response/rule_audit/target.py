"""A reported target response that does not follow: which mistake, or which two together, give it."""

from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

from tumorresp.domain.assessment import Category
from tumorresp.response.parameters import Recist11Parameters
from tumorresp.response.rule_audit.changes import ReportedSums
from tumorresp.response.rule_audit.derivation import Derivation
from tumorresp.response.rule_audit.hypotheses import Explanations, explanations
from tumorresp.response.rule_audit.numbers import millimetres
from tumorresp.response.rule_audit.reported import Explanation, Mistake
from tumorresp.response.rule_audit.target_hypotheses import target_hypotheses
from tumorresp.response.rule_audit.target_judgement import Judgement, by_sums

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


@dataclass(frozen=True)
class TargetExplanations:
    """Which mistakes make which target response of a visit.

    Parameters
    ----------
    sums
        As reported where they were, else as derived.
    """

    derivation: Derivation
    index: int
    sums: ReportedSums

    def of(self, reported: Category, *, most: int = 2) -> tuple[Explanation, ...]:
        """Return the mistakes, at most so many together, that give a reported response instead of the derived one.

        A response that follows from sums that were reported otherwise is explained by them alone.
        """
        named = sums_in_words(self.sums)
        if self._by_reported_sums(self.sums.nadir) is reported:
            words = f"It follows from the reported sums ({named}); the mistake is in a sum."
            return ((Mistake("follows-from-reported-sums", words),),)
        single = self._tried.of(reported, most=1)
        if self._by_reported_sums(self.sums.baseline) is reported:
            words = f"By the reported sums ({named}) PD was judged against the baseline instead of the nadir."
            mistake = Mistake("baseline-instead-of-nadir", words)
            known = [item.code for found in single for item in found]
            single = single if mistake.code in known else ((mistake,), *single)
        return single or self._tried.of(reported, most=most)

    def _by_reported_sums(self, nadir: Decimal | None) -> Category | None:
        """Return what the reported sums alone give with a reference of PD; None where they say nothing of their own."""
        derivation, index, sums = self.derivation, self.index, self.sums
        known = ReportedSums(derivation.sums[index], derivation.baseline_sum, derivation.nadir(index))
        if sums == known or sums.total is None or sums.baseline is None or nadir is None:
            return None
        return by_sums(sums.total, sums.baseline, nadir, derivation.rules)

    @cached_property
    def _tried(self) -> Explanations[Category]:
        return explanations(
            target_hypotheses(self.derivation, self.index),
            Judgement(self.derivation),
            lambda supposed: supposed.category(self.index),
        )


def sums_in_words(sums: ReportedSums) -> str:
    """Return the three sums that a response is made from."""
    named = (("this visit", sums.total), ("baseline", sums.baseline), ("nadir", sums.nadir))
    return ", ".join(f"{name} {millimetres(value)}" for name, value in named if value is not None)
