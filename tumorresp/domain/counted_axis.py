"""The axis that counts: of a lymph node the short one, of every other lesion the long one (RECIST 1.1, section 4.2)."""

from decimal import Decimal

LONG_AXIS = "long axis"
SHORT_AXIS = "short axis"


def counted_axis(*, nodal: bool) -> str:
    """Return which axis counts, in words."""
    return SHORT_AXIS if nodal else LONG_AXIS


def counted_axis_mm(long_axis_mm: Decimal | None, short_axis_mm: Decimal | None, *, nodal: bool) -> Decimal | None:
    """Return the length of the axis that counts, None where it was not measured; mm."""
    return short_axis_mm if nodal else long_axis_mm
