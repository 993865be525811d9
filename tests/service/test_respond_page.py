"""The page on tables names every column, as the reader knows them."""

from pathlib import Path

import pytest

from tumorresp.response.table.columns import TABLES

PAGE = Path(__file__).resolve().parents[2] / "docs" / "respond.md"


@pytest.mark.parametrize("table", list(TABLES))
def test_every_column_is_documented(table: str) -> None:
    lines = ["| column | | what |", "|---|---|---|"]
    lines += [f"| `{c.name}` | {'required' if c.required else ''} | {c.description} |" for c in TABLES[table]]
    assert "\n".join(lines) in PAGE.read_text("utf-8")
