"""What docs/criteria/irecist.md says is what the code does."""

from dataclasses import fields

from tests.conftest import REPOSITORY
from tests.response.courses import visits
from tumorresp.response import assess_recist_1_1
from tumorresp.response.best_response import BestResponseParameters
from tumorresp.response.irecist import assess_irecist
from tumorresp.response.irecist_over_time import irecist_best_response, irecist_progression_date
from tumorresp.response.irecist_parameters import IrecistParameters
from tumorresp.response.subject import SubjectDates, dated_responses

PAGE = (REPOSITORY / "docs" / "criteria" / "irecist.md").read_text(encoding="utf-8")
EXAMPLE = PAGE.split("## A worked example")[1].split("## Parameters")[0]


def row(name: str) -> list[str]:
    line = next(line for line in EXAMPLE.splitlines() if line.startswith(f"| {name} |"))
    return [cell.strip() for cell in line.split("|")[2:-1]]


SIZES = {name: row(name) for name in ("T01", "T02", "NEW01")}
COURSE = visits(
    *(
        " ".join(
            ["NT01=present", *(f"{name}={sizes[number]}" for name, sizes in SIZES.items() if sizes[number] != "–")]
        )
        for number in range(7)
    )
)


def test_worked_example() -> None:
    assessed = assess_irecist(COURSE)
    assert row("sum") == [str(item.target_sum) for item in assessed]
    assert row("nadir before") == ["–" if item.nadir_sum is None else str(item.nadir_sum) for item in assessed]
    assert row("iRECIST")[1:] == [str(item.overall) for item in assessed[1:]]
    assert row("RECIST 1.1")[1:] == [str(item.overall) for item in assess_recist_1_1(COURSE)[1:]]
    quoted = tuple(line.removeprefix("> ") for line in EXAMPLE.splitlines() if line.startswith("> "))
    assert quoted == assessed[5].reasons[-len(quoted) :]


def test_worked_example_over_time() -> None:
    responses = dated_responses(COURSE, assess_irecist(COURSE))
    assert "Progression dates from Follow-up 4; the best response is iPR." in EXAMPLE
    assert irecist_progression_date(responses) == COURSE[4].date
    dates = SubjectDates(COURSE[0].date)
    assert irecist_best_response(responses, dates, BestResponseParameters(), confirmed=False).category == "iPR"


def test_every_parameter_stands_with_its_default() -> None:
    shown = {True: "yes", False: "no"}
    for field in fields(IrecistParameters):
        line = next(line for line in PAGE.splitlines() if line.startswith(f"| `{field.name}` |"))
        value = getattr(IrecistParameters(), field.name)
        assert line.split("|")[2].strip() == (shown[value] if isinstance(value, bool) else str(value)), field.name
