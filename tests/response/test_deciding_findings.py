"""What keeps a lesion or a visit from being judged is a finding that decides, in every module of the rules."""

import ast
from pathlib import Path

import pytest

from tests.response.courses import visits
from tumorresp.response import assess_recist_1_1

RULES = Path(__file__).resolve().parents[2] / "tumorresp" / "response"


def errors(path: Path) -> list[tuple[int, bool]]:
    """Return the line of every finding with severity ERROR, and whether it says that it decides."""
    found = []
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        is_call = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Finding"
        if is_call and ast.unparse(node.args[1]) == "Severity.ERROR":
            found.append((node.lineno, any(word.arg == "decides" for word in node.keywords)))
    return found


@pytest.mark.parametrize("path", sorted(RULES.glob("*.py")), ids=lambda path: path.stem)
def test_an_error_means_that_something_was_not_used_and_decides(path: Path) -> None:
    assert [line for line, decides in errors(path) if not decides] == []


def test_there_are_errors_to_look_at() -> None:
    assert sum(len(errors(path)) for path in RULES.glob("*.py")) > 10


@pytest.mark.parametrize(("later", "decides"), [("NEW01=equivocal", False), ("NEW01n=11", True)])
def test_an_equivocal_lesion_decides_where_the_rule_says_so_against_the_reader(later: str, decides: bool) -> None:
    middle = "T01=20 NEW01n=9" if "n=" in later else "T01=20"
    last = assess_recist_1_1(visits("T01=20", middle, f"T01=20 {later}"))[2]
    assert [item.decides for item in last.findings if item.code == "equivocal-new-lesion"] == [decides]
