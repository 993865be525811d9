"""A reported sum of diameters that is not the sum: which lesion, which axis, or arithmetic."""

from collections.abc import Iterator
from decimal import Decimal
from itertools import combinations

from tumorresp.domain.measurement import LesionRole, LesionState
from tumorresp.response.observation import LesionObservation
from tumorresp.response.rule_audit.derivation import Derivation, Share
from tumorresp.response.rule_audit.hypotheses import singly
from tumorresp.response.rule_audit.numbers import follows, millimetres
from tumorresp.response.rule_audit.reported import Explanation, Mistake

RULE = (
    "The sum of diameters is that of all target lesions: long axis, of lymph nodes short axis; with one not assessed "
    "there is no sum (Eisenhauer 2009, section 4.3.1)."
)
_MOST_LEFT_OUT = 2


def sum_explanations(derivation: Derivation, index: int, reported: Decimal) -> tuple[Explanation, ...]:
    """Return the mistakes that give a reported sum, the most particular kind only; without any it is arithmetic."""
    if derivation.sums[index] is None:
        return singly(_of_incomplete(derivation, index, reported))
    for kind in (_one_lesion_otherwise, _lesions_left_out, _lesion_added, _taken_from_elsewhere, _miswritten):
        mistakes = tuple(kind(derivation, index, reported))
        if mistakes:
            return singly(mistakes)
    pairs = tuple(dict.fromkeys(_two_lesions_otherwise(derivation, index, reported)))
    if pairs:
        return pairs
    difference = reported - (derivation.sums[index] or Decimal(0))
    return singly(
        [Mistake("arithmetic", f"The sizes do not add up to it: it differs by {difference.normalize():+f} mm.")]
    )


def sum_in_words(derivation: Derivation, index: int) -> str:
    """Return the calculation of a visit's sum for people."""
    shares = derivation.shares(index)
    parts = " + ".join(
        f"{share.name} {'not assessed' if share.size is None else millimetres(share.size)}" for share in shares
    )
    return parts or "no target lesion with a measured size at baseline"


def _of_incomplete(derivation: Derivation, index: int, reported: Decimal) -> Iterator[Mistake]:
    missing = ", ".join(derivation.missing(index))
    if not missing:
        return
    if follows(reported, derivation.assessed(index) or Decimal(0)):
        words = f"{missing} was not assessed; the sum of the others was reported as the whole, as if it were 0."
        yield Mistake("missing-lesion-as-zero", words)
    span = range(index, index + 1)
    if follows(reported, derivation.with_missing_carried_forward(span).sums[index]):
        words = f"{missing} was not assessed; its last known size was carried forward into the sum."
        yield Mistake("missing-lesion-carried-forward", words)


def _one_lesion_otherwise(derivation: Derivation, index: int, reported: Decimal) -> Iterator[Mistake]:
    """Try other numbers for single lesions, and for all nodes together."""
    total = derivation.sums[index]
    assert total is not None, "the sum is complete"
    nodes: list[Decimal] = []
    for share, seen in _measured_alone(derivation, index):
        for mistake, size in _other_sizes(derivation, index, share, seen):
            if follows(reported, total + size - (share.size or 0)):
                yield mistake
        if seen.nodal and seen.long_axis_mm is not None:
            nodes.append(seen.long_axis_mm - (share.size or 0))
    if len(nodes) > 1 and follows(reported, total + sum(nodes)):
        yield Mistake("long-axis-of-node", "The long axes of all lymph nodes were added; their short axes count.")


def _two_lesions_otherwise(derivation: Derivation, index: int, reported: Decimal) -> Iterator[Explanation]:
    """Try other numbers for two lesions at once, one of which may be left out."""
    total = derivation.sums[index]
    assert total is not None, "the sum is complete"
    changes: list[tuple[str, Mistake, Decimal]] = []
    for share, seen in _measured_alone(derivation, index):
        size = share.size or Decimal(0)
        changes += [
            (share.name, mistake, other - size) for mistake, other in _other_sizes(derivation, index, share, seen)
        ]
    for share in derivation.shares(index):
        if share.size:
            changes.append((share.name, Mistake("lesion-left-out", _left_out_words((share,))), -share.size))
    for (first, one, change), (second, other, further) in combinations(changes, 2):
        if first != second and follows(reported, total + change + further):
            yield one, other


def _other_sizes(
    derivation: Derivation, index: int, share: Share, seen: LesionObservation
) -> Iterator[tuple[Mistake, Decimal]]:
    """Give the numbers that could have been taken for one lesion instead of its own."""
    size, name = share.size, share.name
    limit = derivation.rules.normal_node_mm
    if seen.nodal and seen.long_axis_mm is not None and seen.long_axis_mm != size:
        words = f"The long axis of the lymph node {name} ({millimetres(seen.long_axis_mm)}) was added"
        yield Mistake("long-axis-of-node", f"{words}; its short axis counts."), seen.long_axis_mm
    if not seen.nodal and seen.short_axis_mm is not None and seen.short_axis_mm != size:
        words = f"The short axis of {name} ({millimetres(seen.short_axis_mm)}) was added; its long axis counts."
        yield Mistake("short-axis-of-lesion", words), seen.short_axis_mm
    if seen.nodal and size and size < limit:
        words = f"The lymph node {name} was counted as 0 because it is normal; its short axis stays in the sum."
        yield Mistake("normal-node-as-zero", words), Decimal(0)
    if seen.state is LesionState.TOO_SMALL and size:
        words = f"{name}, too small to measure, was counted as 0; it counts {millimetres(size)}."
        yield Mistake("too-small-as-zero", words), Decimal(0)
    if seen.state is LesionState.TOO_SMALL and size != derivation.rules.too_small_mm and size is not None:
        words = (
            f"{name} was counted as {millimetres(derivation.rules.too_small_mm)}; the size that was measured counts."
        )
        yield Mistake("too-small-as-default", words), derivation.rules.too_small_mm
    if seen.state is LesionState.ABSENT:
        words = f"{name}, absent, was counted as {millimetres(derivation.rules.too_small_mm)}; it counts 0."
        yield Mistake("absent-as-too-small", words), derivation.rules.too_small_mm
    before = derivation.visits[index - 1].name if index else ""
    last = next((item.size for item in derivation.shares(index - 1) if item.lesions == share.lesions), None)
    if index and last is not None and last != size:
        words = f"{name} was added with its size of {before} ({millimetres(last)})."
        yield Mistake("lesion-size-of-previous-visit", words), last


def _measured_alone(derivation: Derivation, index: int) -> Iterator[tuple[Share, LesionObservation]]:
    """Give the targets that are one lesion at a visit, neither split nor merged."""
    visit = derivation.visits[index]
    for share in derivation.shares(index):
        if len(share.lesions) != 1 or any(set(share.lesions) & set(item.parents) for item in visit.observations):
            continue
        seen = visit.of(share.lesions[0])
        if seen is not None:
            yield share, seen


def _lesions_left_out(derivation: Derivation, index: int, reported: Decimal) -> Iterator[Mistake]:
    total = derivation.sums[index]
    assert total is not None, "the sum is complete"
    shares = [share for share in derivation.shares(index) if share.size]
    for count in range(1, min(_MOST_LEFT_OUT, len(shares)) + 1):
        mistakes = [
            Mistake("lesion-left-out", _left_out_words(left))
            for left in combinations(shares, count)
            if follows(reported, total - sum((share.size or Decimal(0) for share in left), Decimal(0)))
        ]
        if mistakes:
            yield from mistakes
            return


def _left_out_words(left: tuple[Share, ...]) -> str:
    named = " and ".join(f"{share.name} ({millimetres(share.size or Decimal(0))})" for share in left)
    return f"{named} left out of the sum."


def _lesion_added(derivation: Derivation, index: int, reported: Decimal) -> Iterator[Mistake]:
    total = derivation.sums[index]
    assert total is not None, "the sum is complete"
    for share in derivation.shares(index):
        if share.size and follows(reported, total + share.size):
            yield Mistake("lesion-counted-twice", f"{share.name} ({millimetres(share.size)}) was added twice.")
    for seen in derivation.visits[index].observations:
        if seen.role is LesionRole.TARGET:
            continue
        size = seen.counted_mm
        if size and follows(reported, total + size):
            words = f"{seen.lesion_id} ({millimetres(size)}) was added, which is a {seen.role} lesion."
            yield Mistake("lesion-added", words)


def _taken_from_elsewhere(derivation: Derivation, index: int, reported: Decimal) -> Iterator[Mistake]:
    for number, total in enumerate(derivation.sums):
        if number != index and total is not None and follows(reported, total):
            words = f"It is the sum of another visit, {derivation.visits[number].name}."
            yield Mistake("sum-of-another-visit", words)


def _miswritten(derivation: Derivation, index: int, reported: Decimal) -> Iterator[Mistake]:
    total = derivation.sums[index]
    assert total is not None, "the sum is complete"
    if total and (reported * 10 == total or reported == total * 10):
        yield Mistake("unit", "It is the sum in another unit: centimetres and millimetres were confused.")
    exponent = reported.as_tuple().exponent
    assert isinstance(exponent, int), "reported numbers are finite"
    if exponent <= 0 and sorted(_digits(reported, exponent)) == sorted(_digits(total, exponent)):
        yield Mistake("digits-transposed", "It has the digits of the sum in another order.")


def _digits(value: Decimal, exponent: int) -> str:
    return str(value.quantize(Decimal(1).scaleb(exponent))).replace(".", "")
