"""Why nothing is compared in binary floats, with the figures that docs/numbers.md gives; and tenths of a millimetre."""

from collections.abc import Callable
from decimal import Decimal

import pytest

from tests.response.courses import visits
from tumorresp.response import assess_recist_1_1

SHRUNK = [(float(b), float(Decimal(b) * 7 / 10)) for b in range(10, 301)]
GROWN = [(float(Decimal(n) / 2), float(Decimal(n) * 3 / 5)) for n in range(50, 601)]


@pytest.mark.parametrize(
    ("rule", "pairs", "missed"),
    [
        (lambda b, s: (s - b) / b <= -0.3, SHRUNK, 43),
        (lambda b, s: 1 - s / b >= 0.3, SHRUNK, 119),
        (lambda b, s: s <= 0.7 * b, SHRUNK, 125),
        (lambda n, s: (s - n) / n >= 0.2, GROWN, 220),
        (lambda n, s: s / n - 1 >= 0.2, GROWN, 473),
    ],
)
def test_rules_in_floats_miss_exact_thresholds(
    rule: Callable[[float, float], bool], pairs: list[tuple[float, float]], missed: int
) -> None:
    assert (len(SHRUNK), len(GROWN)) == (291, 551)
    assert sum(not rule(reference, size) for reference, size in pairs) == missed


def test_tenths_of_a_millimetre_around_every_threshold() -> None:
    """Baselines of 10.0 to 40.0 mm with the three follow-ups about each limit, against rules in whole tenths."""
    for baseline in range(100, 401):
        limits = {baseline * 7 // 10, -(-baseline * 6 // 5), baseline + 50}
        for size in sorted(limit + step for limit in limits for step in (-1, 0, 1)):
            if 5 * (size - baseline) >= baseline and size - baseline >= 50:
                expected = "PD"
            else:
                expected = "PR" if 10 * (baseline - size) >= 3 * baseline else "SD"
            course = visits(f"T01={Decimal(baseline) / 10}", f"T01={Decimal(size) / 10}")
            assert assess_recist_1_1(course)[1].target == expected, (baseline, size)
