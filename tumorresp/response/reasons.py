"""Numbers in reasons: short, but never so short that a reader who repeats the comparison comes to another result."""

from collections.abc import Sequence
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from fractions import Fraction
from functools import cache

_MOST_PLACES = 12
_CONTEXT_DIGITS = 27
_POWERS = tuple(10**places for places in range(_MOST_PLACES + 1))


def rounded(value: Fraction | Decimal, places: int) -> Decimal:
    """Return a number rounded half to even; ``places`` may be negative (-1: tens)."""
    if isinstance(value, Decimal) and value.adjusted() + places < _CONTEXT_DIGITS:
        return value.quantize(_unit(places), rounding=ROUND_HALF_EVEN)
    return Decimal(rounded_units(*value.as_integer_ratio(), places)).scaleb(-places)


@cache
def _unit(places: int) -> Decimal:
    return Decimal(1).scaleb(-places)


def rounded_units(numerator: int, denominator: int, places: int) -> int:
    """Return numerator / denominator in units of the last place, rounded half to even; exact, in whole numbers."""
    if places >= 0:
        numerator *= 10**places
    else:
        denominator *= 10**-places
    whole, rest = divmod(numerator, denominator)
    return whole + (2 * rest > denominator or (2 * rest == denominator and whole % 2 == 1))


def beside_limits(
    value: Fraction | Decimal, limits: Sequence[Fraction | Decimal | int], *, signed: bool = False
) -> str:
    """Return a number with one place, or as many as it takes to lie on the same side of every limit as it does.

    A change of -29.97 % is never written as -30.0 %.
    """
    return _ratio_beside_limits(*value.as_integer_ratio(), limits, signed=signed)


def change_beside_limits(value: Decimal, reference: Decimal, limits: Sequence[Fraction | Decimal | int]) -> str:
    """Return ``percent_change`` in words, signed; see ``beside_limits``. The reference is more than 0."""
    over, under = value.as_integer_ratio()
    reference_over, reference_under = reference.as_integer_ratio()
    numerator = 100 * (over * reference_under - reference_over * under)
    return _ratio_beside_limits(numerator, under * reference_over, limits, signed=True)


def _ratio_beside_limits(
    numerator: int, denominator: int, limits: Sequence[Fraction | Decimal | int], *, signed: bool
) -> str:
    for places in range(1, _MOST_PLACES):
        units, unit = rounded_units(numerator, denominator, places), _POWERS[places]
        for limit in limits:
            over, under = limit.as_integer_ratio()
            if _side(units * under, over * unit) != _side(numerator * under, over * denominator):
                break
        else:
            return _written(units, places, negative=numerator < 0, signed=signed)
    units = rounded_units(numerator, denominator, _MOST_PLACES)
    return _written(units, _MOST_PLACES, negative=numerator < 0, signed=signed)


def _written(units: int, places: int, *, negative: bool, signed: bool) -> str:
    digits = f"{abs(units):0{places + 1}d}"
    sign = ("−" if negative else "+") if signed else ("-" if negative else "")
    return f"{sign}{digits[:-places]}.{digits[-places:]}"


def percent_change(value: Decimal, reference: Decimal) -> Fraction:
    """Return 100 (value - reference) / reference, exactly; the reference is not 0."""
    over, under = value.as_integer_ratio()
    reference_over, reference_under = reference.as_integer_ratio()
    return Fraction(100 * (over * reference_under - reference_over * under), under * reference_over)


def displayed_percent_change(value: Decimal | None, reference: Decimal | None) -> Decimal | None:
    """Return the percent change for display, or None where the value is absent or the reference absent or 0."""
    if value is None or reference is None or reference == 0:
        return None
    with localcontext() as context:
        context.prec = 28
        return 100 * (value - reference) / reference


@cache
def ratio_as_percent(ratio: Fraction) -> str:
    """Return how much a ratio is more or less than 1: 7/10 as 30 %, 216/125 as 72.8 %."""
    return f"{float(abs(ratio - 1) * 100):.4g} %"


def listing(names: Sequence[str]) -> str:
    """Return names in a row."""
    return ", ".join(names)


def _side(value: int, limit: int) -> int:
    return (value > limit) - (value < limit)
