"""Sizes that are perhaps a slip of the unit: said at their row and marked at their visit; nothing is changed."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from tumorresp.domain.finding import Finding, Severity
from tumorresp.domain.measurement import LesionRole
from tumorresp.response.observation import LesionObservation, Refused, Visit

_SUSPICIOUS_MM = Decimal(6)
LARGEST_MM = Decimal(500)
"""No lesion is longer: half a metre is the field of view of a CT."""
_LEAST_GROWTH_MM = Decimal(5)
_CENTIMETRE_MM = Decimal(10)
_MILLILITRE_MM3 = Decimal(1000)
_REAL_CHANGE = Decimal("1.5")
"""By how much a lesion may have grown or shrunk beside the slip of the unit; the cube of it for volumes."""


def with_suspicions(visits: Sequence[Visit]) -> tuple[tuple[Visit, ...], tuple[Finding, ...]]:
    """Return a course's visits, marked where a size is suspicious, and what is to be said of it.

    Suspicious is a length over 500 mm, and a target that changes since its last size by a factor near ten (30 mm, then
    2.1, which are 21 mm in centimetres), its volume near a thousand (ml for mm3).

    Parameters
    ----------
    visits
        In order of date, the baseline first.
    """
    found: dict[int, list[tuple[LesionObservation, Finding]]] = defaultdict(list)
    last: dict[tuple[str, str], tuple[Decimal, LesionObservation]] = {}
    for index, visit in enumerate(visits):
        for seen in visit.observations:
            found[index] += [(seen, finding) for finding in _of_lesion(seen, last)]
    marked = tuple(_marked(visit, found[index]) for index, visit in enumerate(visits))
    findings = [finding for items in found.values() for _, finding in items]
    return marked, (*findings, *_perhaps_centimetres(visits))


def _of_lesion(
    seen: LesionObservation, last: dict[tuple[str, str], tuple[Decimal, LesionObservation]]
) -> Iterator[Finding]:
    """Give what is suspicious of a lesion at a visit, and remember its sizes where nothing is."""
    lengths = [size for size in (seen.long_axis_mm, seen.short_axis_mm, seen.viable_long_axis_mm) if size is not None]
    if lengths and max(lengths) > LARGEST_MM:
        words = f"{seen.name} has {_plain(max(lengths))} mm, more than {LARGEST_MM} mm: is the unit right?"
        yield _finding("size-over-500-mm", words, seen)
        return
    if seen.role is not LesionRole.TARGET:
        return
    quantities = (
        ("mm", seen.counted_mm, _CENTIMETRE_MM, _REAL_CHANGE, "centimetres"),
        ("mm3", seen.volume_mm3, _MILLILITRE_MM3, _REAL_CHANGE**3, "millilitres"),
    )
    for unit, size, factor, margin, other in quantities:
        if not size:
            continue
        before = last.get((seen.lesion_id, unit))
        if before is not None and _is_other_unit(size, before[0], factor, margin):
            words = (
                f"{seen.name} goes from {_plain(before[0])} {unit} ({before[1].source}) to {_plain(size)} {unit}, a "
                f"factor near {factor}: is one of the two in {other}?"
            )
            yield _finding("perhaps-other-unit", words, seen)
        else:
            last[seen.lesion_id, unit] = size, seen


def _is_other_unit(size: Decimal, before: Decimal, factor: Decimal, margin: Decimal) -> bool:
    ratio = max(size, before) / min(size, before)
    return factor / margin <= ratio <= factor * margin


def _finding(code: str, words: str, seen: LesionObservation) -> Finding:
    return Finding(code, Severity.WARNING, words, seen.source or seen.lesion_id, decides=True)


def _marked(visit: Visit, found: Sequence[tuple[LesionObservation, Finding]]) -> Visit:
    if not found:
        return visit
    marks = (
        Refused(finding.message.removesuffix("?"), finding.where, seen.lesion_id, seen.role) for seen, finding in found
    )
    return replace(visit, suspicious=tuple(marks))


def _perhaps_centimetres(visits: Sequence[Visit]) -> Iterator[Finding]:
    """Point out a baseline of which every target is too small for a target: the unit may be another one."""
    if not visits:
        return
    sizes: Mapping[str, Decimal] = {
        seen.source: seen.long_axis_mm
        for seen in visits[0].observations
        if seen.role is LesionRole.TARGET and seen.long_axis_mm is not None
    }
    if not sizes or max(sizes.values()) >= _SUSPICIOUS_MM:
        return
    words = (
        f"No target of {visits[0].name} reaches 6 mm: are the lengths in centimetres? Then add a column unit with cm."
    )
    if _grows_by_little(visits):
        words += " In millimetres they grow by less than 5 mm, which is no progression; in centimetres they progress."
    yield Finding("perhaps-centimetres", Severity.WARNING, words, next(iter(sizes)))


def _grows_by_little(visits: Sequence[Visit]) -> bool:
    """Return whether the targets grow by a fifth, but not by 5 mm: progression in centimetres alone (RECIST 1.1)."""
    smallest: Decimal | None = None
    for visit in visits:
        sizes = [seen.counted_mm for seen in visit.observations if seen.role is LesionRole.TARGET]
        total = sum((size for size in sizes if size is not None), Decimal(0))
        if smallest is not None and total * 5 >= smallest * 6 and total - smallest < _LEAST_GROWTH_MM:
            return True
        smallest = total if smallest is None else min(smallest, total)
    return False


def _plain(value: Decimal) -> str:
    return f"{value.normalize():f}"
