"""Growth of each target from its own nadir (Lugano classification, CT; Cheson 2014, J Clin Oncol 32:3059, Table 3).

A lesion that split is compared as a whole when it is first seen in parts, and part by part from then on. A conglomerate
is compared with the sum of the products of the lesions in it, without their diameters.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from tumorresp.domain.measurement import LesionRole
from tumorresp.response.lugano_parameters import LuganoParameters
from tumorresp.response.observation import LesionObservation, Visit
from tumorresp.response.perpendicular_diameters import Diameters, diameters_of, plain
from tumorresp.response.reasons import beside_limits, percent_change, ratio_as_percent
from tumorresp.response.target_sum import TargetPart


@dataclass(frozen=True, slots=True)
class Nadir:
    """A lesion where its product was smallest, for the first time."""

    size: Diameters
    visit: str


Nadirs = Mapping[str, Nadir]
"""Lesion ID -> its nadir so far."""


@dataclass(frozen=True)
class Growth:
    """Whether a lesion is progressive, and the numbers in words."""

    is_progression: bool
    words: str


def nadirs_before(visits: Sequence[Visit], rules: LuganoParameters) -> list[Nadirs]:
    """Return, for every visit, the nadirs of the targets at the visits before it."""
    targets = {seen.lesion_id for seen in visits[0].observations if seen.role is LesionRole.TARGET} if visits else ()
    known: dict[str, Nadir] = {}
    found: list[Nadirs] = []
    for visit in visits:
        found.append(known)
        known = dict(known)
        for seen in visit.observations:
            if seen.pending or (seen.role is not LesionRole.TARGET and seen.lesion_id not in targets):
                continue
            size = diameters_of(seen, rules.too_small_mm)
            before = known.get(seen.lesion_id)
            if size is not None and (before is None or size.product_mm2 < before.size.product_mm2):
                known[seen.lesion_id] = Nadir(size, visit.name)
    return found


def lesion_growths(parts: Sequence[TargetPart], nadirs: Nadirs, rules: LuganoParameters) -> Iterator[Growth]:
    """Return how every target, fragment or conglomerate has grown since its nadir."""
    first_seen: dict[str, list[LesionObservation]] = {}
    for part in parts:
        seen = part.seen
        nadir = nadirs.get(seen.lesion_id)
        if len(seen.parents) > 1:
            yield _conglomerate(seen, nadir, nadirs, rules)
        elif nadir is not None:
            yield _lesion(seen, nadir, rules)
        elif seen.parents:
            first_seen.setdefault(seen.parents[0], []).append(seen)
    for parent, fragments in first_seen.items():
        if parent in nadirs:
            yield _whole(f"{parent} in parts", fragments, nadirs[parent].size.product_mm2, rules)


def _lesion(seen: LesionObservation, nadir: Nadir, rules: LuganoParameters) -> Growth:
    size = _size(seen, rules)
    if nadir.size.product_mm2 == 0:
        return _regrowth(seen, size, nadir, rules)
    least = rules.small_growth_mm if nadir.size.long_mm <= rules.small_lesion_mm else rules.large_growth_mm
    by_product = _has_grown(size.product_mm2, nadir.size.product_mm2, rules)
    is_abnormal = size.long_mm > rules.normal_node_mm
    long_growth, short_growth = size.long_mm - nadir.size.long_mm, size.short_mm - nadir.size.short_mm
    by_diameter = max(long_growth, short_growth) >= least
    change = _shown_change(size.product_mm2, nadir.size.product_mm2, rules)
    words = f"{seen.name} {change} from {nadir.size} ({nadir.visit})"
    if not by_product:
        return Growth(False, words)
    if not is_abnormal:
        return Growth(False, f"{words}, but {_not_abnormal(size, rules)}")
    if not by_diameter:
        return Growth(False, f"{words}, but neither diameter is {plain(least)} mm longer")
    which, growth = ("longest", long_growth) if long_growth >= least else ("shorter", short_growth)
    reasons = (
        f"at least {ratio_as_percent(rules.lesion_progression)} larger",
        f"longer than {plain(rules.normal_node_mm)} mm",
        f"{which} diameter +{plain(growth)} mm, at least {plain(least)} mm",
    )
    return Growth(True, f"{words}: {', '.join(reasons)}")


def _regrowth(seen: LesionObservation, size: Diameters, nadir: Nadir, rules: LuganoParameters) -> Growth:
    """Judge a lesion that had gone: back, it counts from the size from which a new one counts."""
    if size.long_mm == 0:
        return Growth(False, f"{seen.name} still gone")
    least = rules.normal_node_mm if seen.nodal else rules.new_extranodal_mm
    words = f"{seen.name} is back, {size}, after it was gone ({nadir.visit})"
    if size.long_mm > least:
        return Growth(True, f"{words}: longer than {plain(least)} mm")
    return Growth(False, f"{words}, not longer than {plain(least)} mm")


def _conglomerate(seen: LesionObservation, own: Nadir | None, nadirs: Nadirs, rules: LuganoParameters) -> Growth:
    parents = [nadirs[name].size.product_mm2 for name in seen.parents if name in nadirs]
    reference = sum(parents, Decimal(0))
    if own is not None and seen.lesion_id not in seen.parents:
        reference = min(reference, own.size.product_mm2)
    return _whole(f"{seen.name} (conglomerate)", [seen], reference, rules)


def _whole(name: str, seen: Sequence[LesionObservation], reference: Decimal, rules: LuganoParameters) -> Growth:
    """Compare the products alone: those of the parts, or of a conglomerate, with what they come from."""
    sizes = [_size(item, rules) for item in seen]
    product = sum((size.product_mm2 for size in sizes), Decimal(0))
    longest = max(sizes, key=lambda size: size.long_mm)
    is_abnormal = longest.long_mm > rules.normal_node_mm
    if reference == 0:
        return Growth(is_abnormal, f"{name} {plain(product)} mm² after 0")
    by_product = _has_grown(product, reference, rules)
    words = f"{name} {_shown_change(product, reference, rules)} from {plain(reference)} mm²"
    if by_product and not is_abnormal:
        return Growth(False, f"{words}, but {_not_abnormal(longest, rules)}")
    if by_product:
        return Growth(True, f"{words}: at least {ratio_as_percent(rules.lesion_progression)} larger")
    return Growth(False, words)


def _size(seen: LesionObservation, rules: LuganoParameters) -> Diameters:
    size = diameters_of(seen, rules.too_small_mm)
    assert size is not None, "only lesions with a product are in the sum"
    return size


def _has_grown(product: Decimal, reference: Decimal, rules: LuganoParameters) -> bool:
    ratio = rules.lesion_progression
    return product * ratio.denominator >= reference * ratio.numerator


def _not_abnormal(size: Diameters, rules: LuganoParameters) -> str:
    return f"{plain(size.long_mm)} mm are not longer than {plain(rules.normal_node_mm)} mm"


def _shown_change(product: Decimal, reference: Decimal, rules: LuganoParameters) -> str:
    change = percent_change(product, reference)
    return f"{beside_limits(change, [100 * (rules.lesion_progression - 1)], signed=True)} %"
