"""The worked example of docs/response.md is what the rules say."""

import re

from tests.conftest import REPOSITORY
from tests.response.courses import visits
from tumorresp.domain.assessment import Category, NewLesionStatus
from tumorresp.response import assess_recist_1_1
from tumorresp.response.overall_response import overall_response

COURSE = visits(
    "T01=42 T02n=18 NT01=present",
    "T01=26 T02n=16 NT01=present",
    "T01=27 T02n=9.96 NT01=present NEW01=equivocal",
    "T01=29.1 T02n=15.3 NT01=present NEW01=7",
)


def test_reasons_in_the_documentation() -> None:
    page = (REPOSITORY / "docs" / "response.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```text\n(.*?)```", page, re.DOTALL)
    lines = []
    for visit, assessment in zip(COURSE, assess_recist_1_1(COURSE), strict=True):
        lines += [visit.name, *(f"  {reason}" for reason in assessment.reasons)]
    assert example.splitlines() == lines


def test_overall_table_in_the_documentation() -> None:
    page = (REPOSITORY / "docs" / "response.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (CR|PR|SD|NE|PD) \| (.+) \| (.+) \| (.+) \| (.+) \|$", page, re.MULTILINE)
    assert len(rows) == 5
    for target, *cells in rows:
        for non_target, cell in zip(("CR", "NON-CR/NON-PD", "NE", "PD"), cells, strict=True):
            category, _ = overall_response(Category(target), Category(non_target), NewLesionStatus.NO)
            assert category == cell
