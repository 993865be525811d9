"""iRECIST over time: Table 3's scenarios with every alternative, and which iUPD progression dates from."""

import datetime
from itertools import product

import pytest

from tumorresp.domain.assessment import Category
from tumorresp.response.best_response import BestResponseParameters
from tumorresp.response.irecist_over_time import irecist_best_response, irecist_progression_date, recist_form
from tumorresp.response.subject import DatedResponse, SubjectDates

START = datetime.date(2024, 1, 1)
DATES = SubjectDates(START)


def responses(*categories: str, interval: int = 42) -> tuple[DatedResponse, ...]:
    days = [START + datetime.timedelta(days=interval * number) for number in range(1, len(categories) + 1)]
    return tuple(
        DatedResponse(f"tp-{number}", f"Visit {number}", day, Category(category), day)
        for number, (category, day) in enumerate(zip(categories, days, strict=True), 1)
    )


def best(*categories: str, interval: int = 42) -> str:
    found = irecist_best_response(
        responses(*categories, interval=interval), DATES, BestResponseParameters(), confirmed=False
    )
    return str(found.category)


ANY = ("iCR", "iPR", "iSD", "iUPD", "iCPD", "NE")
TABLE_3 = {
    1: (("iCR",), ("iCR", "iPR", "iUPD", "NE"), ("iCR", "iPR", "iUPD", "NE"), ("iUPD",), ("iCPD",), "iCR"),
    2: (("iUPD",), ("iPR", "iSD", "NE"), ("iCR",), ("iCR", "iUPD", "NE"), ANY, "iCR"),
    3: (
        ("iUPD",),
        ("iPR",),
        ("iPR", "iSD", "iUPD", "NE"),
        ("iPR", "iSD", "iUPD", "NE", "iCPD"),
        ("iPR", "iSD", "iUPD", "NE", "iCPD"),
        "iPR",
    ),
    4: (
        ("iUPD",),
        ("iSD", "NE"),
        ("iPR",),
        ("iPR", "iSD", "iUPD", "NE"),
        ("iPR", "iSD", "iUPD", "iCPD", "NE"),
        "iPR",
    ),
    5: (
        ("iUPD",),
        ("iSD",),
        ("iSD", "iUPD", "NE"),
        ("iSD", "iUPD", "iCPD", "NE"),
        ("iSD", "iUPD", "iCPD", "NE"),
        "iSD",
    ),
    6: (("iUPD",), ("iCPD",), ANY, ANY, ANY, "iCPD"),
    7: (("iUPD",), ("iUPD",), ("iCPD",), ANY, ANY, "iCPD"),
    8: (("iUPD",), ("NE",), ("NE",), ("NE",), ("NE",), "iUPD"),
}


@pytest.mark.parametrize("scenario", TABLE_3)
def test_table_3(scenario: int) -> None:
    *visits, expected = TABLE_3[scenario]
    wrong = {course: found for course in product(*visits) if (found := best(*course)) != expected}
    assert not wrong


@pytest.mark.parametrize(
    ("course", "expected"),
    [
        (("iSD", "iPR", "iUPD", "iCPD"), "iPR"),
        (("iUPD", "iCPD", "iCR"), "iCPD"),  # what comes after iCPD does not count
        (("NE", "iUPD", "iUPD"), "iUPD"),
        (("NE", "NE"), "NE"),
        (("NON-iCR/NON-iUPD", "iUPD"), "NON-iCR/NON-iUPD"),
        ((), "MISSING"),
    ],
)
def test_order_of_best_response(course: tuple[str, ...], expected: str) -> None:
    assert best(*course) == expected


def test_a_progression_that_was_set_back_is_better_than_not_evaluable() -> None:
    """iSD on day 20 lasted too short to count as SD; the iUPD before it is what is left."""
    course = responses("iUPD", "iSD", "NE", interval=10)
    found = irecist_best_response(course, DATES, BestResponseParameters(), confirmed=False)
    assert (found.category, found.date) == (Category.IUPD, course[0].date)


PROGRESSION = [
    # course, number of the visit that progression dates from
    (("iSD", "iSD", "iUPD", "iPR", "iPR", "iUPD", "iCPD"), 6),
    (("iUPD", "iCPD"), 1),
    (("iUPD", "iUPD", "iCPD"), 1),
    (("iUPD", "NE", "iUPD", "NE", "iCPD"), 1),
    (("iUPD", "iSD", "iUPD", "NE", "iCPD"), 3),
    (("iUPD", "NON-iCR/NON-iUPD", "iUPD", "iCPD"), 3),
    # never confirmed, and nothing better follows: an event all the same
    (("iSD", "iUPD"), 2),
    (("iSD", "iUPD", "NE", "NE"), 2),
    (("iSD", "iUPD", "iUPD"), 2),
    # set back and never seen again
    (("iUPD", "iSD"), None),
    (("iUPD", "NE", "iCR"), None),
    (("iSD", "NE"), None),
]


@pytest.mark.parametrize(("course", "number"), PROGRESSION)
def test_progression_date(course: tuple[str, ...], number: int | None) -> None:
    seen = responses(*course)
    assert irecist_progression_date(seen) == (None if number is None else seen[number - 1].date)
    words = [str(item.overall) for item in recist_form(seen)]
    assert ("PD" in words) == (number is not None)
    assert len(words) == (len(course) if number is None else number)
