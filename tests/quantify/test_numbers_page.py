"""The figures in docs/numbers.md are what the formulas give."""

from decimal import Decimal
from pathlib import Path

import pytest

from tumorresp.domain.decimal_mm import to_decimal
from tumorresp.quantify.radiomics import feature_names

PAGE = (Path(__file__).parents[2] / "docs" / "numbers.md").read_text(encoding="utf-8")
SHRUNK = [(float(b), float(Decimal(b) * 7 / 10)) for b in range(10, 301)]
GROWN = [(half / 2, float(Decimal(half) * 6 / 10)) for half in range(50, 601)]


@pytest.mark.parametrize(
    ("formula", "misses"),
    [
        ("`(s - b) / b <= -0.3` misses {}", sum(not (s - b) / b <= -0.3 for b, s in SHRUNK)),
        ("`1 - s / b >= 0.3` misses {}", sum(not 1 - s / b >= 0.3 for b, s in SHRUNK)),
        ("`s <= 0.7 * b` misses {}", sum(not s <= 0.7 * b for b, s in SHRUNK)),
        ("`(s - n) / n >= 0.2` misses {}", sum(not (s - n) / n >= 0.2 for n, s in GROWN)),
        ("`s / n - 1 >= 0.2` misses {}", sum(not s / n - 1 >= 0.2 for n, s in GROWN)),
    ],
)
def test_how_often_floats_miss(formula: str, misses: int) -> None:
    assert formula.format(misses) in PAGE


def test_decimals_miss_none() -> None:
    assert f"{len(SHRUNK)} whole baselines" in PAGE
    assert f"{len(GROWN)} nadirs" in PAGE
    assert all(10 * (to_decimal(b) - to_decimal(s)) >= 3 * to_decimal(b) for b, s in SHRUNK)
    assert all(5 * (to_decimal(s) - to_decimal(n)) >= to_decimal(n) for n, s in GROWN)


def test_the_number_of_features() -> None:
    assert f"{len(feature_names())} numbers a lesion" in PAGE
