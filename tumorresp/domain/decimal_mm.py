"""The one place where a float length or volume becomes a decimal that rules compare.

Binary floats misclassify exact -30 % and +20 % changes; ``docs/numbers.md`` has the figures. Lengths from end points
and masks are converted at 1e-6 mm: far below any measurement, far above the noise of double arithmetic.
"""

from decimal import ROUND_HALF_EVEN, Decimal

_QUANTUM = Decimal("0.000001")


def to_decimal(value: float | int | str | Decimal) -> Decimal:
    """Return a finite number as a decimal with six places.

    Raises
    ------
    ValueError
        If the value is not finite.
    """
    exact = Decimal(repr(float(value))) if isinstance(value, float) else Decimal(value)
    if not exact.is_finite():
        raise ValueError("a length or volume must be a finite number")
    return exact.quantize(_QUANTUM, rounding=ROUND_HALF_EVEN)
