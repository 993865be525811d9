"""Real lesions measured twice (DLT, from DeepLesion): categories against the rules in whole numbers."""

import datetime
import json
from decimal import Decimal
from pathlib import Path

import pytest

from tumorresp.domain.measurement import LesionRole, LesionState
from tumorresp.response import LesionObservation, Visit, assess_recist_1_1


@pytest.fixture(scope="module")
def pairs(real_data: Path) -> list[tuple[Decimal, Decimal]]:
    """Long diameters in mm, earlier and later; the table has pixels, and every pair twice."""
    table = json.loads((real_data / "response_tables" / "dlt_valid.json").read_text(), parse_float=Decimal)
    forward = [row for row in table.values() if row["source"] < row["target"]]
    return [
        (
            row["source recist diameter"][0] * row["source spacing"][0],
            row["target recist diameter"][0] * row["target spacing"][0],
        )
        for row in forward
    ]


def test_every_pair(pairs: list[tuple[Decimal, Decimal]]) -> None:
    counted = {"PR": 0, "SD": 0, "PD": 0}
    for earlier, later in pairs:
        target = assess_recist_1_1(
            tuple(_visit(number, size) for number, size in enumerate((earlier, later), start=1))
        )[1].target
        before, after = int(earlier * 10**9), int(later * 10**9)
        if 5 * (after - before) >= before and after - before >= 5 * 10**9:
            expected = "PD"
        else:
            expected = "PR" if 10 * (before - after) >= 3 * before else "SD"
        assert target == expected
        counted[str(target)] += 1
    assert counted == {"PR": 13, "SD": 406, "PD": 34}


def _visit(number: int, long_axis_mm: Decimal) -> Visit:
    seen = LesionObservation("T01", LesionRole.TARGET, False, "", LesionState.MEASURED, long_axis_mm)
    return Visit(f"scan-{number}", f"Scan {number}", datetime.date(2020, number, 1), (seen,))
