"""Which rows are one visit: by its name, else by date; dates close together with different lesions are one."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

from tumorresp.domain.finding import Finding, Severity
from tumorresp.response.table.conventions import TableConventions
from tumorresp.response.table.rows import Row


@dataclass(frozen=True)
class VisitRows:
    """The rows of one time point; ``name`` is empty where the table gives none."""

    name: str
    first_date: date
    date: date
    rows: tuple[Row, ...]

    @property
    def lesions(self) -> frozenset[str]:
        """IDs of the lesions that have a row."""
        return frozenset(str(row.values["lesion"]) for row in self.rows if "lesion" in row.values)


@dataclass(frozen=True)
class GroupedRows:
    """Rows by visit in order of date, no two of one date; and those whose date is not known in any way."""

    visits: tuple[VisitRows, ...]
    undated: tuple[Row, ...]
    findings: tuple[Finding, ...]


def rows_by_visit(
    rows: Sequence[Row], conventions: TableConventions, new_lesions: Collection[str], start: date | None
) -> GroupedRows:
    """Return the rows of one course by visit.

    A row without a readable date belongs to the visit that it names, if other rows of that visit have one.

    Parameters
    ----------
    new_lesions
        IDs of lesions that are called new: the baseline has none, a scan that shows one never joins it.
    start
        Of treatment, None where not known: the first visit is the baseline then.
    """
    by_key: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        by_key[_key(row)].append(row)
    undated = tuple(row for own in by_key.values() if not _dates(own) for row in own)
    groups = [_group(own) for own in by_key.values() if _dates(own)]
    groups.sort(key=lambda group: (group.date, group.rows[0].number))
    findings = [finding for group in groups for finding in _spread(group, conventions)]
    merged: list[VisitRows] = []
    for group in groups:
        if merged and merged[-1].date == group.date:
            findings.append(_same_date(merged[-1], group))
            merged[-1] = _together(merged[-1], group)
            continue
        is_baseline = bool(merged) and (len(merged) == 1 if start is None else merged[-1].first_date <= start)
        shows_new = not group.lesions.isdisjoint(new_lesions)
        if merged and not (is_baseline and shows_new) and _is_one_visit(merged[-1], group, conventions):
            findings.append(_joined(merged[-1], group))
            merged[-1] = _together(merged[-1], group)
            continue
        merged.append(group)
    return GroupedRows(tuple(merged), undated, tuple(findings))


def _key(row: Row) -> str:
    name = row.values.get("visit")
    return f"visit {str(name).casefold()}" if name else f"date {row.values.get('date', '')}"


def _dates(rows: Sequence[Row]) -> list[date]:
    return [day for row in rows if isinstance(day := row.values.get("date"), date)]


def _group(rows: Sequence[Row], name: str = "") -> VisitRows:
    dates = _dates(rows)
    return VisitRows(name or str(rows[0].values.get("visit") or ""), min(dates), max(dates), tuple(rows))


def _together(one: VisitRows, other: VisitRows) -> VisitRows:
    return _group((*one.rows, *other.rows), one.name or other.name)


def _is_one_visit(one: VisitRows, other: VisitRows, conventions: TableConventions) -> bool:
    """Return whether two groups, at most one of them named, are one visit: close together, with no lesion in both."""
    if one.name and other.name:
        return False
    is_close = (other.date - one.first_date).days <= conventions.same_visit_days
    return is_close and bool(one.lesions and other.lesions) and one.lesions.isdisjoint(other.lesions)


def _joined(one: VisitRows, other: VisitRows) -> Finding:
    words = (
        f"The scans of {one.first_date} and {other.date} measure different lesions and lie "
        f"{(other.date - one.first_date).days} days apart: they are taken as one visit."
    )
    return Finding("scans-joined", Severity.INFO, words, other.rows[0].where)


def _same_date(one: VisitRows, other: VisitRows) -> Finding:
    names = f"{one.name or 'A visit without a name'} and {other.name or 'one without a name'}"
    words = f"{names} have the same date ({other.date}): they are taken as one visit."
    return Finding("duplicate-visit", Severity.WARNING, words, other.rows[0].where)


def _spread(group: VisitRows, conventions: TableConventions) -> list[Finding]:
    days = (group.date - group.first_date).days
    if days <= conventions.visit_window_days:
        return []
    words = f"The scans of {group.name} lie {days} days apart ({group.first_date} to {group.date}): is it one visit?"
    return [Finding("visit-spread", Severity.WARNING, words, group.rows[0].where)]
