"""Numbers in reasons: as many digits as a reader needs to repeat the calculation."""

from collections.abc import Sequence
from decimal import Decimal


def millimetres(value: Decimal) -> str:
    """Return a length as 25.0 mm; a third of a millimetre more digits only where they matter to a threshold."""
    return f"{value:.1f} mm"


def millilitres(value: Decimal) -> str:
    """Return a volume given in mm3 as ml."""
    return f"{value / 1000:.2f} ml"


def percent(change: Decimal) -> str:
    """Return a change as +20.0 %."""
    return f"{change:+.1f} %".replace("-", "−")


def change_percent(value: Decimal, reference: Decimal | None) -> Decimal | None:
    """Return 100 (value - reference) / reference, or None where the reference is absent or 0."""
    if reference is None or reference == 0:
        return None
    return 100 * (value - reference) / reference


def listing(names: Sequence[str]) -> str:
    """Return names in a row."""
    return ", ".join(names)
