"""Reported changes of the sum that do not follow: another reference, another sign, another sum."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from tumorresp.response.rule_audit.derivation import Derivation
from tumorresp.response.rule_audit.hypotheses import singly
from tumorresp.response.rule_audit.numbers import follows, millimetres, percent
from tumorresp.response.rule_audit.reported import Explanation, Mistake

BASELINE_RULE = "Change from baseline = 100 (sum − baseline sum) / baseline sum (Eisenhauer 2009, section 4.3.1)."
NADIR_RULE = (
    "Change from nadir is from the smallest complete sum of the visits before this one, the baseline included; there "
    "is no percentage of 0 (Eisenhauer 2009, section 4.3.1)."
)

_Change = Callable[[Decimal | None, Decimal | None], Fraction | None]


@dataclass(frozen=True)
class ReportedSums:
    """The sums that a change was perhaps made from: as reported, where they were, else as derived."""

    total: Decimal | None
    baseline: Decimal | None
    nadir: Decimal | None


@dataclass(frozen=True)
class _Reference:
    code: str
    words: str
    value: Decimal | None

    def mistake(self, right: str) -> Mistake:
        """Return the mistake of taking it instead of the right one."""
        shown = "" if self.value is None else millimetres(self.value)
        return Mistake(self.code, f"The sum was compared with {self.words} ({shown}) instead of {right}.")


def difference(value: Decimal | None, reference: Decimal | None) -> Fraction | None:
    """Return the exact growth in mm; None where one is not known."""
    return None if value is None or reference is None else Fraction(value) - Fraction(reference)


def change_from_baseline(derivation: Derivation, index: int) -> Fraction | None:
    """Return the exact change from baseline in percent."""
    return percent(derivation.sums[index], derivation.baseline_sum)


def baseline_explanations(
    derivation: Derivation, index: int, reported: Decimal, sums: ReportedSums
) -> tuple[Explanation, ...]:
    """Return the mistakes that give a reported change from baseline."""
    nadir = _Reference("nadir-instead-of-baseline", "the nadir", derivation.nadir(index))
    previous = _Reference("previous-visit-instead-of-baseline", "the previous visit", derivation.previous(index))
    right = _Right("the baseline", derivation.baseline_sum, sums.total, sums.baseline)
    return _explanations(derivation, index, reported, percent, right, [nadir, previous])


def nadir_explanations(
    derivation: Derivation, index: int, reported: Decimal, sums: ReportedSums, change: _Change
) -> tuple[Explanation, ...]:
    """Return the mistakes that give a reported change from nadir.

    Parameters
    ----------
    change
        ``percent`` or ``difference``.
    """
    total, nadir = derivation.sums[index], derivation.nadir(index)
    with_this = _Reference(
        "nadir-includes-this-visit",
        "a nadir that includes this visit",
        None if total is None or nadir is None else min(total, nadir),
    )
    references = [
        _Reference("baseline-instead-of-nadir", "the baseline", derivation.baseline_sum),
        _Reference("previous-visit-instead-of-nadir", "the previous visit", derivation.previous(index)),
        _Reference(
            "incomplete-sum-as-nadir", "the incomplete sum of an earlier visit", incomplete_nadir(derivation, index)
        ),
        with_this,
    ]
    right = _Right("the nadir", nadir, sums.total, sums.nadir)
    return _explanations(derivation, index, reported, change, right, references)


@dataclass(frozen=True)
class _Right:
    """What a change is rightly made from: its reference in words and as derived, and both sums as reported."""

    words: str
    reference: Decimal | None
    reported_total: Decimal | None
    reported_reference: Decimal | None


def _explanations(
    derivation: Derivation,
    index: int,
    reported: Decimal,
    change: _Change,
    right: _Right,
    references: list[_Reference],
) -> tuple[Explanation, ...]:
    """Return the most particular kind of single mistake; only where there is none, two mistakes together."""
    total = derivation.sums[index]
    single = _first_kind(
        _from_sums(reported, change, right.reported_total, right.reported_reference),
        _other_references(total, reported, change, right.words, references),
        _other_arithmetic(reported, total, right.reference) if change is percent else iter(()),
        _incomplete(derivation, index, reported, change, right.reference),
    )
    if single:
        return singly(single)
    pairs: list[Explanation] = []
    for reference in references:
        if reference.value is None:
            continue
        mistake = reference.mistake(right.words)
        others = [*_incomplete(derivation, index, reported, change, reference.value)]
        if right.reported_total is not None and right.reported_total != total:
            others += _from_sums(reported, change, right.reported_total, reference.value)
        if change is percent:
            others += _other_arithmetic(reported, total, reference.value)
        pairs += [(mistake, other) for other in others]
    return tuple(dict.fromkeys(pairs))


def incomplete_nadir(derivation: Derivation, index: int) -> Decimal | None:
    """Return the smallest sum before a visit if incomplete ones counted; None where there is none that is smaller."""
    assessed = [total for number in range(1, index) if (total := derivation.assessed(number)) is not None]
    nadir = derivation.nadir(index)
    return min(assessed) if assessed and nadir is not None and min(assessed) < nadir else None


def _first_kind(*kinds: Iterator[Mistake]) -> tuple[Mistake, ...]:
    return next((mistakes for kind in kinds if (mistakes := tuple(kind))), ())


def _from_sums(
    reported: Decimal, change: _Change, total: Decimal | None, reference: Decimal | None
) -> Iterator[Mistake]:
    if total is not None and reference is not None and follows(reported, change(total, reference)):
        words = f"It follows from the reported sums, {millimetres(total)} against {millimetres(reference)}"
        yield Mistake("follows-from-reported-sums", f"{words}; the mistake is in a sum.")


def _other_references(
    total: Decimal | None, reported: Decimal, change: _Change, right: str, references: list[_Reference]
) -> Iterator[Mistake]:
    tried: set[Decimal] = set()
    for reference in references:
        if reference.value is None or reference.value in tried:
            continue
        tried.add(reference.value)
        if follows(reported, change(total, reference.value)):
            yield reference.mistake(right)


def _other_arithmetic(reported: Decimal, total: Decimal | None, reference: Decimal | None) -> Iterator[Mistake]:
    right = percent(total, reference)
    if total is None or reference is None or right is None:
        return
    if follows(reported, -right):
        yield Mistake("sign", "It has the wrong sign: growth is positive.")
    backwards = percent(reference, total)
    if backwards is not None and follows(reported, -backwards):
        yield Mistake(
            "divided-by-current-sum", "The change was divided by the sum of this visit, not by its reference."
        )
    if follows(reported, right + 100):
        yield Mistake("share-instead-of-change", "It is the sum in percent of its reference, not the change.")
    if follows(reported, right / 100):
        yield Mistake("fraction-instead-of-percent", "It is a fraction, not a percentage.")
    if _is_cut(reported, right):
        yield Mistake("cut-instead-of-rounded", "Its decimals were cut off, not rounded.")


def _is_cut(reported: Decimal, right: Fraction) -> bool:
    exponent = reported.as_tuple().exponent
    assert isinstance(exponent, int), "reported numbers are finite"
    return int(abs(right) / Fraction(10) ** exponent) == int(abs(Fraction(reported)) / Fraction(10) ** exponent) and (
        (reported < 0) == (right < 0) or reported == 0
    )


def _incomplete(
    derivation: Derivation, index: int, reported: Decimal, change: _Change, reference: Decimal | None
) -> Iterator[Mistake]:
    if derivation.sums[index] is None and follows(reported, change(derivation.assessed(index), reference)):
        missing = ", ".join(derivation.missing(index))
        words = f"{missing} was not assessed; the sum of the others was taken as the whole, as if it were 0."
        yield Mistake("missing-lesion-as-zero", words)
