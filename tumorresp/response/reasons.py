"""Numbers in reasons: short, but never so short that a reader who repeats the comparison comes to another result."""

from collections.abc import Sequence
from decimal import Decimal, localcontext
from fractions import Fraction

_MOST_PLACES = 12
_DIGITS = 50


def rounded(value: Fraction | Decimal, places: int) -> Decimal:
    """Return a number rounded half to even; ``places`` may be negative (-1: tens)."""
    with localcontext() as context:
        context.prec = _DIGITS
        exact = Fraction(value)
        quotient = Decimal(exact.numerator) / Decimal(exact.denominator)
        return quotient.quantize(Decimal(1).scaleb(-places))


def beside_limits(
    value: Fraction | Decimal, limits: Sequence[Fraction | Decimal | int], *, signed: bool = False
) -> str:
    """Return a number with one place, or as many as it takes to lie on the same side of every limit as it does.

    A change of -29.97 % is never written as -30.0 %.
    """
    exact = Fraction(value)
    text = rounded(value, _MOST_PLACES)
    for places in range(1, _MOST_PLACES):
        text = rounded(value, places)
        if all(_side(Fraction(text), Fraction(limit)) == _side(exact, Fraction(limit)) for limit in limits):
            break
    return f"{text:+f}".replace("-", "−") if signed else f"{text:f}"


def percent_change(value: Decimal, reference: Decimal) -> Fraction:
    """Return 100 (value - reference) / reference, exactly; the reference is not 0."""
    return 100 * (Fraction(value) / Fraction(reference) - 1)


def displayed_percent_change(value: Decimal | None, reference: Decimal | None) -> Decimal | None:
    """Return the percent change for display, or None where the value is absent or the reference absent or 0."""
    if value is None or reference is None or reference == 0:
        return None
    with localcontext() as context:
        context.prec = 28
        return 100 * (value - reference) / reference


def ratio_as_percent(ratio: Fraction) -> str:
    """Return how much a ratio is more or less than 1: 7/10 as 30 %, 216/125 as 72.8 %."""
    return f"{float(abs(ratio - 1) * 100):.4g} %"


def listing(names: Sequence[str]) -> str:
    """Return names in a row."""
    return ", ".join(names)


def _side(value: Fraction, limit: Fraction) -> int:
    return (value > limit) - (value < limit)
