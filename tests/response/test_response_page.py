"""What docs/response.md says is what the code does."""

import re
from dataclasses import fields

import pytest

from tests.conftest import REPOSITORY
from tests.response.courses import visits
from tumorresp.domain.lesion_tracking import TrackingParameters
from tumorresp.response import Recist11Parameters, VolumetricParameters, assess_recist_1_1

PAGE = (REPOSITORY / "docs" / "response.md").read_text(encoding="utf-8")
EXAMPLE = visits(
    "T01=40.0 T02n=20.0 NT01=present",
    "T01=25.0 T02n=17.0 NT01=present",
    "T01=34.0 T02n=16.4 NT01=present NEW01=equivocal",
    "T01=70.0 NT01=absent NEW01=9",
)


def row(name: str) -> list[str]:
    line = next(line for line in PAGE.splitlines() if line.startswith(f"| {name} |"))
    return [cell.strip() for cell in line.split("|")[2:-1]]


def test_worked_example() -> None:
    assessed = assess_recist_1_1(EXAMPLE)
    assert row("T01, mm") == [str(visit.of("T01").long_axis_mm) for visit in EXAMPLE]
    assert row("sum, mm") == ["–" if a.target_sum is None else f"{a.target_sum:.1f}" for a in assessed]
    assert row("nadir before, mm") == ["–" if a.nadir_sum is None else f"{a.nadir_sum:.1f}" for a in assessed]
    assert row("target") == [a.target.lower() if a.target == "BASELINE" else a.target for a in assessed]
    assert row("overall") == [a.overall.lower() if a.overall == "BASELINE" else a.overall for a in assessed]


def test_quoted_reasons() -> None:
    quoted = [line.removeprefix("> - ") for line in PAGE.splitlines() if line.startswith("> ")]
    assert tuple(quoted) == assess_recist_1_1(EXAMPLE)[1].reasons


@pytest.mark.parametrize("parameters", [Recist11Parameters(), VolumetricParameters(), TrackingParameters()])
def test_every_parameter_stands_with_its_default(parameters: object) -> None:
    shown = {True: "yes", False: "no"}
    for field in fields(parameters):
        lines = [line for line in PAGE.splitlines() if line.startswith("|") and f"`{field.name}`" in line]
        value = getattr(parameters, field.name)
        text = shown[value] if isinstance(value, bool) else re.sub(r"\.0$", "", str(value))
        assert any(re.search(rf"(?<![\d.]){re.escape(text)}(?![\d/])", line) for line in lines), (field.name, text)
