"""Rows by evaluator: readings of different people are never mixed."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from tumorresp.domain.finding import Finding, Severity
from tumorresp.response.table.conventions import TableConventions
from tumorresp.response.table.rows import Row


def rows_by_evaluator(
    rows: Sequence[Row], conventions: TableConventions
) -> tuple[Mapping[str, list[Row]], list[Finding]]:
    """Return a subject's rows by evaluator; rows that name none beside others that do are used nowhere."""
    by_evaluator: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        by_evaluator[str(row.values.get("evaluator", ""))].append(row)
    if conventions.evaluator:
        return {name: own for name, own in by_evaluator.items() if name == conventions.evaluator}, []
    if len(by_evaluator) == 1 or "" not in by_evaluator:
        return by_evaluator, []
    unnamed = by_evaluator.pop("")
    named = ", ".join(sorted(by_evaluator))
    return by_evaluator, [
        Finding(
            "evaluators-mixed",
            Severity.ERROR,
            f"The row names no evaluator, others of the subject do ({named}); the row is not used.",
            row.where,
        )
        for row in unnamed
    ]
