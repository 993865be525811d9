"""Numbers of SDTM data sets as the decimals that they state, without the noise of the doubles that carried them.

XPT keeps numbers as IBM doubles and Dataset-JSON as decimal texts of IEEE doubles: 11.7 mm may arrive as
11.700000000000001. A double holds 15 significant decimal digits; what stands beyond is no statement of anybody.
"""

from decimal import Context, Decimal, InvalidOperation
from fractions import Fraction

_DIGITS = Context(prec=15)
_NUMERIC_ENDINGS = ("STRESN", "VISITNUM", "SEQ", "AGE")


def number_text(value: float | Decimal) -> str:
    """Return a number as text: no noise of binary arithmetic, no exponent, no trailing zeros.

    Examples
    --------
    >>> number_text(11.700000000000001), number_text(0.1 + 0.2), number_text(3.0)
    ('11.7', '0.3', '3')
    """
    exact = Decimal(repr(value)) if isinstance(value, float) else value
    return f"{_DIGITS.plus(exact).normalize():f}"


def is_numeric(variable: str) -> bool:
    """Return whether a variable is numeric in SDTM, so that its text in a CSV file is a number's."""
    return variable.endswith(_NUMERIC_ENDINGS)


def stated_decimal(text: str) -> Decimal | None:
    """Return the decimal that a text states, with its trailing zeros; None where it is no finite number."""
    try:
        value = Decimal(text.strip())
    except InvalidOperation:
        return None
    if not value.is_finite():
        return None
    return value if len(value.as_tuple().digits) <= _DIGITS.prec else Decimal(number_text(value))


def agree(text: str, number: str) -> bool:
    """Return whether a character result is its numeric one, to the digits that the character result states.

    A number half way between two may have been rounded either way. A text that is no number has nothing to agree with.

    Examples
    --------
    >>> agree("11.7", "11.700000000000001"), agree("33.3", "33.333333"), agree("31", "13")
    (True, True, False)
    """
    stated, exact = stated_decimal(text), stated_decimal(number)
    if stated is None or exact is None:
        return True
    exponent = stated.as_tuple().exponent
    assert isinstance(exponent, int), "stated numbers are finite"
    half_a_unit = Fraction(1, 2 * 10 ** max(-exponent, 0))
    return abs(Fraction(stated) - Fraction(exact)) <= half_a_unit
