"""Lesions whose identifiers differ in case or in blanks alone are one lesion."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from tumorresp.domain.finding import Finding, Severity
from tumorresp.response.table.rows import Row


def with_one_spelling(rows: Sequence[Row]) -> tuple[list[Row], list[Finding]]:
    """Return a subject's rows with every lesion spelt as it is most often (of equals, as first)."""
    spelt = Counter(str(row.values["lesion"]) for row in rows if "lesion" in row.values)
    if len({_key(name) for name in spelt}) == len(spelt):
        return list(rows), []
    chosen: dict[str, str] = {}
    for spelling, _ in spelt.most_common():
        chosen.setdefault(_key(spelling), spelling)
    changed, findings = [], []
    for row in rows:
        name = row.values.get("lesion")
        wanted = chosen.get(_key(str(name)))
        if name is not None and wanted is not None and name != wanted:
            words = f"{name} is taken as {wanted}: the identifiers differ in case or blanks alone."
            findings.append(Finding("lesion-spelt-differently", Severity.WARNING, words, row.where))
            changed.append(replace(row, values={**row.values, "lesion": wanted, **_parents(row, chosen)}))
        else:
            changed.append(replace(row, values={**row.values, **_parents(row, chosen)}))
    return changed, findings


def _key(name: str) -> str:
    return "".join(name.split()).casefold()


def _parents(row: Row, chosen: Mapping[str, str]) -> dict[str, str]:
    stated = row.values.get("parents")
    if stated is None:
        return {}
    names = [part.strip() for part in str(stated).split(";") if part.strip()]
    return {"parents": ";".join(chosen.get(_key(name), name) for name in names)}
