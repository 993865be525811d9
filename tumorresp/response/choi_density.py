"""Mean density of the target lesions and its change (Choi 2007): CT numbers of whole lesions, portal venous phase."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext
from fractions import Fraction

from tumorresp.domain.assessment import SecondaryMeasure
from tumorresp.domain.finding import Finding, Severity
from tumorresp.response.choi_parameters import ChoiParameters, DensityMean
from tumorresp.response.observation import LesionObservation
from tumorresp.response.reasons import beside_limits, listing, rounded
from tumorresp.response.target_sum import TargetPart, TargetSum

_DIGITS = 28
_MOST_PLACES = 12


@dataclass(frozen=True)
class Density:
    """The mean density of a visit beside the baseline's.

    Parameters
    ----------
    value, reference
        HU, exact; the reference is the mean at baseline of the same lesions. None where not known.
    change_percent
        Exact; None where either is not known or the reference allows no percentage.
    reason
        How it was computed, or why it was not.
    """

    value: Fraction | None
    reference: Fraction | None
    change_percent: Fraction | None
    reason: str
    findings: tuple[Finding, ...] = ()

    def is_decreased(self, rules: ChoiParameters) -> bool | None:
        """Return whether the density is low enough for PR; None where its change is not known."""
        return None if self.change_percent is None else self.change_percent <= -rules.density_decrease_percent

    def measure(self) -> SecondaryMeasure:
        """Return the density as a result carries it."""
        return SecondaryMeasure(
            "mean density",
            "HU",
            _as_decimal(self.value),
            _as_decimal(self.reference),
            "" if self.reference is None else "baseline",
            _as_decimal(self.change_percent),
        )


@dataclass(frozen=True)
class _Mean:
    """A mean density; ``words`` are the calculation up to the result, or why there is none."""

    value: Fraction | None
    words: str
    findings: tuple[Finding, ...] = ()


def baseline_density(total: TargetSum, rules: ChoiParameters) -> Density:
    """Return the mean density at baseline, with what will keep it from being compared."""
    if not total.parts:
        return Density(None, None, None, "")
    mean = _mean(total.parts, rules)
    if mean.value is None:
        return Density(None, None, None, mean.words, mean.findings)
    findings = () if _allows_percentage(mean.value, rules) else (_no_percentage(mean.value, rules),)
    return Density(mean.value, None, None, f"{mean.words}{_shown(mean.value)} HU.", findings)


def density_at(total: TargetSum, baseline: Mapping[str, TargetPart], rules: ChoiParameters) -> Density:
    """Return the mean density of a follow-up visit and its change from baseline.

    A lesion that is gone has no density: it is left out, here and at baseline.

    Parameters
    ----------
    baseline
        The targets at baseline by the lesion's ID.
    """
    if total.missing:
        return Density(None, None, None, f"Mean density not known: {listing(total.missing)} not assessed.")
    seen = tuple(part for part in total.parts if _has_density(part, rules))
    if not seen or not baseline:
        return Density(None, None, None, "")
    before = _same_lesions(seen, baseline)
    mean, reference = _mean(seen, rules), _mean(before, rules).value
    if mean.value is None:
        return Density(None, reference, None, mean.words, mean.findings)
    if reference is None:
        words = f"{mean.words}{_shown(mean.value)} HU; the baseline's is not known."
        return Density(mean.value, None, None, words)
    if not _allows_percentage(reference, rules):
        finding = _no_percentage(reference, rules)
        words = f"{mean.words}{_shown(mean.value)} HU. {finding.message}"
        return Density(mean.value, reference, None, words, (finding,))
    change = _percent_change(mean.value, reference)
    whose = "" if len(before) == len(baseline) else " of the same lesions"
    places = _repeatable_places(mean.value, reference, rules)
    words = (
        f"{mean.words}{_shown(mean.value, places)} HU, {_change_words(change, rules)} than the baseline's "
        f"{_shown(reference, places)} HU{whose}."
    )
    return Density(mean.value, reference, change, words)


def density_of(seen: LesionObservation) -> Decimal | None:
    """Return the CT number of a lesion; None where there is none or it does not come from a CT."""
    return seen.mean_density_hu if seen.method in ("", "CT") else None


def _has_density(part: TargetPart, rules: ChoiParameters) -> bool:
    return not part.seen.is_gone(rules.normal_node_mm) and part.value > 0


def _same_lesions(seen: Sequence[TargetPart], baseline: Mapping[str, TargetPart]) -> tuple[TargetPart, ...]:
    """Return the baseline's parts that lesions come from; of a fragment or conglomerate, those of its parents."""
    wanted = {lesion_id for part in seen for lesion_id in (part.seen.lesion_id, *part.seen.parents)}
    found = tuple(part for lesion_id, part in baseline.items() if lesion_id in wanted)
    return found or tuple(baseline.values())


def _mean(parts: Sequence[TargetPart], rules: ChoiParameters) -> _Mean:
    """Return the mean density of lesions; there is none unless all of them have one."""
    unknown = [part.seen for part in parts if density_of(part.seen) is None]
    if unknown:
        words = f"Mean density not known: no density of {listing([seen.name for seen in unknown])}."
        return _Mean(None, words, tuple(_no_density(seen) for seen in unknown))
    known = [(part.value, density_of(part.seen) or Decimal(0)) for part in parts]
    if rules.density_mean is DensityMean.BY_DIAMETER:
        weight = sum((size for size, _ in known), Decimal(0))
        mean = Fraction(sum((size * density for size, density in known), Decimal(0))) / Fraction(weight)
        terms = " + ".join(f"{_plain(size)} × {_plain(density)}" for size, density in known)
        divisor = _plain(weight)
    else:
        mean = Fraction(sum((density for _, density in known), Decimal(0))) / len(known)
        terms = " + ".join(_plain(density) for _, density in known)
        divisor = str(len(known))
    return _Mean(mean, f"Mean density ({terms}) / {divisor} = " if len(known) > 1 else "Mean density ")


def _no_density(seen: LesionObservation) -> Finding:
    why = "has no mean density" if seen.mean_density_hu is None else f"has a density, but was measured by {seen.method}"
    words = f"{seen.name} {why}: the mean density of the visit is not known."
    return Finding("density-missing", Severity.WARNING, words, seen.lesion_id, decides=True)


def _allows_percentage(reference: Fraction, rules: ChoiParameters) -> bool:
    return reference > 0 and reference >= rules.least_baseline_hu


def _no_percentage(reference: Fraction, rules: ChoiParameters) -> Finding:
    least = max(rules.least_baseline_hu, Decimal(0))
    words = f"A baseline density of {beside_limits(reference, [least])} HU allows no percentage (least {least} HU)."
    return Finding("density-percent-undefined", Severity.WARNING, words, decides=True)


def _change_words(change: Fraction, rules: ChoiParameters) -> str:
    least = rules.density_decrease_percent
    enough = "at least" if change <= -least else "less than"
    return f"{beside_limits(change, [-least], signed=True)} %: {enough} {least} % lower"


def _repeatable_places(mean: Fraction, reference: Fraction, rules: ChoiParameters) -> int:
    """Return how many places to show, so that the change computed from the shown numbers comes out the same."""
    if mean == rounded(mean, 1) and reference == rounded(reference, 1):
        return 1
    limit = -rules.density_decrease_percent
    wanted = beside_limits(_percent_change(mean, reference), [limit], signed=True)
    for places in range(1, _MOST_PLACES):
        shown = Fraction(rounded(mean, places)), Fraction(rounded(reference, places))
        if shown[1] and beside_limits(_percent_change(*shown), [limit], signed=True) == wanted:
            return places
    return _MOST_PLACES


def _percent_change(value: Fraction, reference: Fraction) -> Fraction:
    return 100 * (value / reference - 1)


def _shown(value: Fraction, places: int = 1) -> str:
    return f"{rounded(value, places):f}"


def _plain(value: Decimal) -> str:
    return f"{value.normalize():f}"


def _as_decimal(value: Fraction | None) -> Decimal | None:
    if value is None:
        return None
    with localcontext() as context:
        context.prec = _DIGITS
        return Decimal(value.numerator) / Decimal(value.denominator)
