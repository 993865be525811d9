"""Which mistakes, one or two together, would have made a reported value: each is supposed and tried."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import Generic, TypeVar

from tumorresp.response.rule_audit.reported import Explanation, Mistake

_Supposed = TypeVar("_Supposed")
_Outcome = TypeVar("_Outcome")


@dataclass(frozen=True)
class Hypothesis(Generic[_Supposed]):
    """A mistake that may have been made.

    Parameters
    ----------
    family
        Of two mistakes of one family only one can have been made: a sum has one nadir.
    mistake
        Its code and words.
    change
        From what is supposed so far to what is supposed with the mistake.
    """

    family: str
    mistake: Mistake
    change: Callable[[_Supposed], _Supposed]


def explanations(
    hypotheses: Iterable[Hypothesis[_Supposed]], start: _Supposed, outcome: Callable[[_Supposed], _Outcome]
) -> "Explanations[_Outcome]":
    """Return what every single mistake makes of a value, and what every two of different families do.

    Parameters
    ----------
    start
        What is supposed without any mistake.
    outcome
        The value under what is supposed.
    """
    tried = list(hypotheses)
    single: list[tuple[Explanation, _Outcome]] = []
    supposed = []
    for item in tried:
        changed = item.change(start)
        supposed.append(changed)
        single.append(((item.mistake,), outcome(changed)))

    def pairs() -> Iterator[tuple[Explanation, _Outcome]]:
        for (first, changed), (second, _) in combinations(zip(tried, supposed, strict=True), 2):
            if first.family != second.family:
                yield (first.mistake, second.mistake), outcome(second.change(changed))

    return Explanations(tuple(single), pairs)


@dataclass(frozen=True)
class Explanations(Generic[_Outcome]):
    """What mistakes make of a value: single ones, and pairs, which are tried only when they are asked for."""

    single: tuple[tuple[Explanation, _Outcome], ...]
    _pairs: Callable[[], Iterator[tuple[Explanation, _Outcome]]]

    @cached_property
    def pairs(self) -> tuple[tuple[Explanation, _Outcome], ...]:
        """What every two mistakes of different families make of it."""
        return tuple(self._pairs())

    def of(self, reported: _Outcome, *, most: int = 2) -> tuple[Explanation, ...]:
        """Return every single mistake that gives a value; only where there is none, every two that do together."""
        found = [item for item, value in self.single if value == reported]
        if not found and most > 1:
            found = [item for item, value in self.pairs if value == reported]
        return tuple(dict.fromkeys(found))


def in_words(found: Sequence[Explanation]) -> str:
    """Return explanations as sentences; empty where there is none."""
    return " Or: ".join(
        " ".join(mistake.words for mistake in item)
        if len(item) == 1
        else "Two mistakes together: " + " And: ".join(mistake.words for mistake in item)
        for item in found
    )


def codes(found: Sequence[Explanation]) -> tuple[tuple[str, ...], ...]:
    """Return explanations as codes."""
    return tuple(dict.fromkeys(tuple(mistake.code for mistake in item) for item in found))


def singly(mistakes: Iterable[Mistake]) -> tuple[Explanation, ...]:
    """Return mistakes each of which explains the value alone."""
    return tuple((mistake,) for mistake in dict.fromkeys(mistakes))
