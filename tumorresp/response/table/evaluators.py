"""Rows by evaluator: readings of different people are never mixed."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

from tumorresp.domain.finding import Finding, Severity
from tumorresp.response.table.conventions import TableConventions
from tumorresp.response.table.rows import Row


def rows_by_evaluator(
    rows: Sequence[Row], conventions: TableConventions
) -> tuple[Mapping[str, list[Row]], list[Finding]]:
    """Return a subject's rows by evaluator.

    A row that names none beside others that do may be anybody's: it is with the rows of each, its evaluator among the
    cells that could not be read.
    """
    by_evaluator: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        by_evaluator[str(row.values.get("evaluator", ""))].append(row)
    named = sorted(name for name in by_evaluator if name)
    unnamed = by_evaluator.pop("", []) if named else []
    strays = [replace(row, refused={**row.refused, "evaluator": "it names no evaluator"}) for row in unnamed]
    wanted = [conventions.evaluator] if conventions.evaluator else sorted(by_evaluator)
    kept = {
        name: sorted((*by_evaluator[name], *strays), key=_number) if name else by_evaluator[name]
        for name in wanted
        if name in by_evaluator
    }
    words = f"The row names no evaluator, others of the subject do ({', '.join(named)}): it may be of any of them."
    findings = [Finding("evaluators-mixed", Severity.ERROR, words, row.where, decides=True) for row in unnamed]
    return kept, findings


def _number(row: Row) -> int:
    return row.number
