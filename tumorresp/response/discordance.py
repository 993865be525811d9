"""Where two criteria come to different responses, and why."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from tumorresp.domain.assessment import Assessment, Category
from tumorresp.domain.errors import InvalidInput
from tumorresp.response.irecist_state import I_FORM
from tumorresp.response.observation import Visit
from tumorresp.response.reasons import beside_limits, listing, percent_change

_RECIST_FORM = {formed: category for category, formed in I_FORM.items()} | {Category.ICPD: Category.PD}


@dataclass(frozen=True)
class Discordance:
    """One visit at which two criteria differ; ``why`` holds sentences in the order of their weight."""

    time_point_id: str
    visit_name: str
    criteria: tuple[str, str]
    responses: tuple[Category, Category]
    why: tuple[str, ...]


def discordances(
    first: Sequence[Assessment], second: Sequence[Assessment], visits: Sequence[Visit]
) -> tuple[Discordance, ...]:
    """Return every visit whose overall responses differ.

    iRECIST's words are compared in RECIST's form: iPR and PR are the same.

    Parameters
    ----------
    first, second
        One assessment a visit by each of two criteria.

    Raises
    ------
    InvalidInput
        If the sequences are not of the same visits.
    """
    if not len(first) == len(second) == len(visits):
        raise InvalidInput("the criteria were not applied to the same visits.", where="discordance")
    return tuple(
        Discordance(
            one.time_point_id,
            visit.name,
            (one.criterion, other.criterion),
            (one.overall, other.overall),
            tuple(_why(one, other, visits, index)),
        )
        for index, (one, other, visit) in enumerate(zip(first, second, visits, strict=True))
        if _plain(one.overall) is not _plain(other.overall)
    )


def _plain(category: Category) -> Category:
    return _RECIST_FORM.get(category, category)


def _why(one: Assessment, other: Assessment, visits: Sequence[Visit], index: int) -> Iterator[str]:
    if _plain(one.target) is not _plain(other.target):
        yield f"{_change(one)}; {_change(other)}."
    if one.unit != other.unit:
        yield from _opposite(visits[0], visits[index])
        if _equal_unit_missing(one, other):
            yield f"A size is missing by one criterion only: {_missing(one, other)}."
    if one.non_target is not other.non_target and _plain(one.non_target) is not _plain(other.non_target):
        yield f"Non-target lesions: {one.non_target} by {one.criterion}, {other.non_target} by {other.criterion}."
    if one.new_lesions is not other.new_lesions:
        yield f"New lesions: {one.new_lesions} by {one.criterion}, {other.new_lesions} by {other.criterion}."
    if _plain(one.target) is _plain(other.target) and one.new_lesions is other.new_lesions:
        yield f"By {one.criterion}: {one.reasons[-1]} By {other.criterion}: {other.reasons[-1]}"


def _change(item: Assessment) -> str:
    """Say the sum's changes by one criterion: what its target response rests on."""
    if item.complete_sum is None:
        return f"{item.criterion}: target {item.target}, no complete sum"
    changes = [
        f"{beside_limits(change, [], signed=True)} % from {name}"
        for change, name in (
            (item.change_from_baseline_percent, "baseline"),
            (item.change_from_nadir_percent, "nadir"),
        )
        if change is not None
    ]
    return f"{item.criterion}: target {item.target} ({listing(changes)})"


def _equal_unit_missing(one: Assessment, other: Assessment) -> bool:
    return (one.complete_sum is None) != (other.complete_sum is None)


def _missing(one: Assessment, other: Assessment) -> str:
    without = one if one.complete_sum is None else other
    names = [part.lesion_id for part in without.inputs if part.value is None]
    return f"{listing(names)} by {without.criterion}" if names else f"by {without.criterion}"


def _opposite(baseline: Visit, visit: Visit) -> Iterator[str]:
    """Name lesions whose diameter and volume moved in opposite directions."""
    for seen in visit.observations:
        before = baseline.of(seen.lesion_id)
        if before is None:
            continue
        length, volume = (
            _moved(before.counted_mm, seen.counted_mm),
            _moved(before.sure_volume_mm3, seen.sure_volume_mm3),
        )
        if length is not None and volume is not None and length * volume < 0:
            yield (
                f"{seen.name}: diameter {beside_limits(length, [], signed=True)} %, volume "
                f"{beside_limits(volume, [], signed=True)} % from baseline."
            )


def _moved(before: Decimal | None, now: Decimal | None) -> Decimal | None:
    if not before or now is None:
        return None
    change = percent_change(now, before)
    return Decimal(change.numerator) / Decimal(change.denominator)
