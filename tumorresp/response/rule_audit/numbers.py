"""Reported numbers beside exact ones."""

from decimal import Decimal
from fractions import Fraction

_MOST_PLACES = 6
"""Beyond these a reported number has the noise of binary arithmetic, not decimals of its own."""


def follows(reported: Decimal, exact: Fraction | Decimal | None) -> bool:
    """Return whether a reported number is the exact one, rounded to the decimals that it was reported with.

    A number half way between two may have been rounded either way.
    """
    if exact is None:
        return False
    exponent = reported.as_tuple().exponent
    assert isinstance(exponent, int), "reported numbers are finite"
    half_a_unit = Fraction(1, 2 * 10 ** min(max(-exponent, 0), _MOST_PLACES))
    return abs(Fraction(reported) - Fraction(exact)) <= half_a_unit


def percent(value: Decimal | None, reference: Decimal | None) -> Fraction | None:
    """Return the exact change in percent; None where one is not known or the reference is 0."""
    if value is None or not reference:
        return None
    return 100 * (Fraction(value) / Fraction(reference) - 1)


def millimetres(value: Decimal) -> str:
    """Return a length for people, unrounded."""
    return f"{value.normalize():f} mm"
