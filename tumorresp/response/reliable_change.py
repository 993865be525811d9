"""Whether a change of volume is more than measurement error (QIBA CT Volumetry Profile for advanced disease).

The profile claims a real change with 95 % confidence beyond 39 %, 29 % and 24 % for long axes of 10 to 34, 35 to 49 and
50 to 100 mm; the within-tumour coefficients of variation behind it are 14.1 %, 10.3 % and 8.5 %.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import sqrt

from tumorresp.domain.measurement import LesionRole
from tumorresp.response.observation import LesionObservation, Visit
from tumorresp.response.reasons import percent_change

_LARGEST_MM = Decimal(100)
_Z = 1.96


@dataclass(frozen=True)
class QibaClass:
    """A range of long axes: its least length, the change (%) that is real, and the coefficient of variation."""

    least_mm: Decimal
    change_percent: int
    variation: float


QIBA_CLASSES = (
    QibaClass(Decimal(50), 24, 0.085),
    QibaClass(Decimal(35), 29, 0.103),
    QibaClass(Decimal(10), 39, 0.141),
)


@dataclass(frozen=True)
class ReliableChange:
    """The change of one lesion's volume from baseline.

    Parameters
    ----------
    change_percent
        Unrounded; None where a volume is missing or the baseline's is 0.
    limit_percent
        Beyond which the change is real; None where the profile has no class for the lesion's size.
    is_reliable
        None where either is not known.
    interval_mm3
        95 % interval of the change in mm3: (Y2 - Y1) +- 1.96 sqrt((Y1 w)^2 + (Y2 w)^2).
    """

    lesion_id: str
    change_percent: Decimal | None
    limit_percent: int | None
    is_reliable: bool | None
    interval_mm3: tuple[float, float] | None


def qiba_class(long_axis_mm: Decimal) -> QibaClass | None:
    """Return the class of a long axis, None outside 10 to 100 mm."""
    if long_axis_mm > _LARGEST_MM:
        return None
    return next((item for item in QIBA_CLASSES if long_axis_mm >= item.least_mm), None)


def reliable_change_percent(long_axis_mm: Decimal) -> int | None:
    """Return the change of volume (%) beyond which it is real with 95 % confidence, None outside 10 to 100 mm."""
    found = qiba_class(long_axis_mm)
    return None if found is None else found.change_percent


def reliable_changes(visits: Sequence[Visit], index: int) -> tuple[ReliableChange, ...]:
    """Return the change from baseline of every target with a volume at a visit."""
    if index == 0:
        return ()
    return tuple(
        _change(seen, visits[0].of(seen.lesion_id))
        for seen in visits[index].observations
        if seen.role is LesionRole.TARGET and visits[0].of(seen.lesion_id) is not None
    )


def _change(seen: LesionObservation, before: LesionObservation | None) -> ReliableChange:
    now = seen.sure_volume_mm3
    if before is None or not before.sure_volume_mm3 or now is None:
        return ReliableChange(seen.lesion_id, None, None, None, None)
    change = percent_change(now, before.sure_volume_mm3)
    exact = Decimal(change.numerator) / Decimal(change.denominator)
    found = None if before.long_axis_mm is None else qiba_class(before.long_axis_mm)
    if found is None:
        return ReliableChange(seen.lesion_id, exact, None, None, None)
    one, other = float(before.sure_volume_mm3), float(now)
    half = _Z * sqrt((one * found.variation) ** 2 + (other * found.variation) ** 2)
    return ReliableChange(
        seen.lesion_id,
        exact,
        found.change_percent,
        abs(change) > found.change_percent,
        (other - one - half, other - one + half),
    )
