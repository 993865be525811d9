"""The pages of the criteria say what the code does."""

import datetime
import re
from dataclasses import fields
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest

from tests.response.courses import visits
from tumorresp.domain.assessment import Category
from tumorresp.domain.measurement import LesionRole, LesionState
from tumorresp.response import LesionObservation, Recist11Parameters, Visit, assess_recist_1_1
from tumorresp.response.best_response import BestResponseParameters, best_response
from tumorresp.response.criteria import CRITERIA
from tumorresp.response.end_points import EndPointParameters, end_points
from tumorresp.response.outcome import EndPointName
from tumorresp.response.subject import DatedResponse, SubjectDates

PAGES = Path(__file__).resolve().parents[2] / "docs" / "criteria"


def table_rows(page: str, first_cell: str) -> list[str]:
    """Return the other cells of the row that begins with a cell."""
    lines = (PAGES / page).read_text("utf-8").splitlines()
    line = next(line for line in lines if line.startswith(f"| {first_cell} |"))
    return [cell.strip() for cell in line.split("|")[2:-1]]


def test_every_criterion_has_its_page() -> None:
    index = (PAGES / "README.md").read_text("utf-8")
    for name in CRITERIA:
        assert f"`{name}`" in index or name.startswith("volume-") or name == "irecist"
    for page in re.findall(r"\(([a-z0-9.-]+\.md)\)", index):
        assert (PAGES / page).is_file(), page


def _lesion(name: str, size: str | None, *parents: str) -> LesionObservation:
    state = LesionState.MEASURED if size else LesionState.MERGED
    long_axis = Decimal(size) if size else None
    return LesionObservation(name, LesionRole.TARGET, False, "liver", state, long_axis, parents=parents)


def test_recist_example() -> None:
    seen = (
        (_lesion("T02", "20"), _lesion("T03", "10"), _lesion("T04", "20")),
        (
            _lesion("T02", "16"),
            _lesion("T03", "9"),
            _lesion("T04.1", "6", "T04"),
            _lesion("T04.2", "7", "T04"),
        ),
        (
            _lesion("T02", None),
            _lesion("T03", None),
            _lesion("T02/T03", "28", "T02", "T03"),
            _lesion("T04.1", "6", "T04"),
            _lesion("T04.2", "4", "T04"),
        ),
    )
    names = ("Baseline", "Follow-up 1", "Follow-up 2")
    start = datetime.date(2024, 1, 1)
    course = [
        Visit(name, name, start + datetime.timedelta(days=56 * n), items)
        for n, (name, items) in enumerate(zip(names, seen, strict=True))
    ]
    found = assess_recist_1_1(course)
    assert table_rows("recist-1.1.md", "sum, mm") == [f"{item.target_sum:.1f}" for item in found]
    assert table_rows("recist-1.1.md", "response") == ["baseline", *(str(item.overall) for item in found[1:])]
    page = (PAGES / "recist-1.1.md").read_text("utf-8")
    quoted = tuple(line.removeprefix("> - ") for line in page.splitlines() if line.startswith("> - "))
    assert quoted == found[2].reasons


@pytest.mark.parametrize(
    ("page", "parameters"),
    [
        ("recist-1.1.md", Recist11Parameters()),
        ("best-response.md", BestResponseParameters()),
    ],
)
def test_parameters_stand_with_their_defaults(page: str, parameters: object) -> None:
    for field in fields(parameters):  # type: ignore[arg-type]  # a dataclass
        value = getattr(parameters, field.name)
        text = str(value).lower() if isinstance(value, bool) else str(value)
        assert table_rows(page, f"`{field.name}`")[0] == text, field.name


def test_every_end_point_parameter_is_named() -> None:
    page = (PAGES / "end-points.md").read_text("utf-8")
    for field in fields(EndPointParameters):
        assert f"`{field.name}" in page, field.name


@pytest.mark.parametrize("name", [name for name in CRITERIA if name.startswith("volume-")])
def test_volumetric_thresholds_and_example(name: str) -> None:
    lines = (PAGES / "volumetric.md").read_text("utf-8").splitlines()
    thresholds, example = (
        [c.strip() for c in line.split("|")[2:-1]] for line in lines if line.startswith(f"| `{name}` |")
    )
    parameters = CRITERIA[name].parameters()
    assert (Fraction(thresholds[0]), Fraction(thresholds[1])) == (parameters.partial_response, parameters.progression)
    assert thresholds[2].startswith("5 mm" if parameters.progression_sphere_mm else "none")
    volumes = table_rows("volumetric.md", "volume, mm³")
    course = visits(*(f"T01=60/v{volume}" for volume in volumes))
    assert example == ["baseline", *(str(item.overall) for item in CRITERIA[name].assess(course, None)[1:])]


def _responses(page: str) -> list[DatedResponse]:
    found = []
    for line in (PAGES / page).read_text("utf-8").splitlines():
        cells = [cell.strip() for cell in line.split("|")[1:-1]]
        if len(cells) == 3 and re.fullmatch(r"\d{4}-\d{2}-\d{2}", cells[1]):
            date = datetime.date.fromisoformat(cells[1])
            found.append(DatedResponse(cells[0], cells[0], date, Category(cells[2]), date))
    return found


REFERENCE = SubjectDates(datetime.date(2024, 1, 1))


def test_best_response_example() -> None:
    responses = _responses("best-response.md")
    found = best_response(responses, REFERENCE, BestResponseParameters(), confirmed=True)
    assert (found.category, str(found.date), str(found.confirming_date)) == (Category.PR, "2024-02-12", "2024-05-06")
    strict = best_response(responses, REFERENCE, BestResponseParameters(max_nr_ne=0), confirmed=True)
    assert strict.category is Category.SD


def test_end_point_example() -> None:
    responses = _responses("end-points.md")
    best = best_response(responses, REFERENCE, BestResponseParameters(), confirmed=True)
    plain = {item.name: item for item in end_points(responses, REFERENCE, EndPointParameters(), best)}
    assert (plain[EndPointName.PFS].days, plain[EndPointName.PFS].event) == (281, True)
    assert plain[EndPointName.DOR].days == 225
    rule = EndPointParameters(visit_interval_days=56)
    missed = {item.name: item for item in end_points(responses, REFERENCE, rule, best)}
    assert (missed[EndPointName.PFS].days, missed[EndPointName.PFS].event) == (113, False)
