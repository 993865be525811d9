"""Sizes and dates that are perhaps a slip of the unit or of the year: said at their row; nothing is changed."""

from collections.abc import Iterator, Sequence
from decimal import Decimal

from tumorresp.domain.finding import Finding, Severity
from tumorresp.domain.measurement import LesionRole
from tumorresp.response.observation import Visit

_SUSPICIOUS_MM = Decimal(6)


def size_findings(visits: Sequence[Visit]) -> tuple[Finding, ...]:
    """Return what is suspicious of a course."""
    return tuple(_perhaps_centimetres(visits))


def _perhaps_centimetres(visits: Sequence[Visit]) -> Iterator[Finding]:
    """Point out a baseline of which every target is too small for a target: the unit may be another one."""
    if not visits:
        return
    sizes = [
        seen.long_axis_mm
        for seen in visits[0].observations
        if seen.role is LesionRole.TARGET and seen.long_axis_mm is not None
    ]
    if not sizes or max(sizes) >= _SUSPICIOUS_MM:
        return
    words = (
        f"No target of {visits[0].name} reaches 6 mm: are the lengths in centimetres? Then add a column unit with cm."
    )
    source = next(seen.source for seen in visits[0].observations if seen.long_axis_mm is not None)
    yield Finding("perhaps-centimetres", Severity.WARNING, words, source)
