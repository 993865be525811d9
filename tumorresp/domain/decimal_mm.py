"""The one place where a float length or volume becomes a decimal that rules compare, and where a length is rounded.

A length that comes from end points has as many digits as its arithmetic; a caliper has one. It is rounded once, when it
is read (`recorded_length`), and that number is everywhere: in rules, sums, reasons, tables, pages and objects.

Binary floats misclassify exact -30 % and +20 % changes; ``docs/numbers.md`` has the figures. Volumes, and lengths that
were not recorded, are converted at 1e-6 mm: far below any measurement, far above the noise of double arithmetic.
"""

from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal

_QUANTUM = Decimal("0.000001")

DEFAULT_PRECISION_MM = Decimal("0.1")
"""To what lengths that come from images are rounded: a tenth of a millimetre, as viewers show them."""


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


def recorded_length(length_mm: float | Decimal, precision_mm: Decimal) -> Decimal:
    """Return a length as it is recorded: the nearest multiple of a precision, half a step up, as people round.

    Noise of double arithmetic is taken away first, so that 31.249999999 mm counts as the 31.25 mm that it is.

    Parameters
    ----------
    precision_mm
        0 records the length as computed, to six places.

    Raises
    ------
    ValueError
        If the length is not finite.

    Examples
    --------
    >>> recorded_length(31.25, Decimal("0.1")), recorded_length(31.3, Decimal("0.5"))
    (Decimal('31.3'), Decimal('31.5'))
    """
    computed = to_decimal(length_mm)
    if not precision_mm:
        return computed
    return (computed / precision_mm).quantize(Decimal(1), rounding=ROUND_HALF_UP) * precision_mm
