"""What TU, TR and RS have in common: who assessed, which visit, when."""

import datetime
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tumorresp.domain.finding import Finding, Severity
from tumorresp.response.table.cells import BadCell, PartialDate, cell_value
from tumorresp.response.table.columns import Column, Kind
from tumorresp.response.table.conventions import TableConventions, imputed_date
from tumorresp.service.respond.sdtm_files import SdtmRow

_DATE = Column("--DTC", Kind.DATE, "")


@dataclass(frozen=True, slots=True, order=True)
class ReadKey:
    """One subject by one evaluator."""

    subject: str
    evaluator: str


def read_key(row: SdtmRow) -> ReadKey:
    """Return whose record it is; the evaluator is --EVAL with --EVALID in parentheses."""
    evaluator, identifier = row.get("--EVAL"), row.get("--EVALID")
    return ReadKey(row.get("USUBJID"), f"{evaluator} ({identifier})".strip() if identifier else evaluator)


class VisitNames:
    """The name of a record's visit: VISIT, where that is not unique with VISITNUM, else VISITNUM, else the date."""

    def __init__(self, rows: Iterable[SdtmRow]) -> None:
        numbers: dict[tuple[str, str], set[str]] = defaultdict(set)
        for row in rows:
            if row.get("VISITNUM"):
                numbers[row.get("USUBJID"), row.get("VISIT")].add(row.get("VISITNUM"))
        self._several = {key for key, own in numbers.items() if len(own) > 1 and key[1]}

    def name(self, row: SdtmRow) -> str:
        """Return the name; empty where the record tells neither visit nor date."""
        visit, number = row.get("VISIT"), row.get("VISITNUM")
        if visit:
            several = (row.get("USUBJID"), visit) in self._several and number
            return f"{visit} ({number})" if several else visit
        return f"VISITNUM {number}" if number else row.get("--DTC")[:10]


def record_date(
    row: SdtmRow, conventions: TableConventions, findings: list[Finding], variable: str = "--DTC"
) -> datetime.date | None:
    """Return a date of a record; None where it has none that can be used, with a finding if it is written wrongly."""
    raw, where = row.get(variable), f"{row.where}, {variable.replace('--', row.domain)}"
    try:
        value = cell_value(_DATE, raw)
    except PartialDate as error:
        taken = imputed_date(error.text, conventions.partial_dates)
        if taken is None:
            findings.append(Finding("partial-date", Severity.ERROR, f"{error}; the date is not used.", where))
        else:
            words = f"The date {error.text} has no day: {taken} is taken ({conventions.partial_dates} day)."
            findings.append(Finding("partial-date-imputed", Severity.WARNING, words, where))
        return taken
    except BadCell as error:
        findings.append(Finding("unreadable-cell", Severity.ERROR, f"{error}; the date is not used.", where))
        return None
    return value if isinstance(value, datetime.date) else None


def visit_dates(
    rows: Iterable[SdtmRow], names: VisitNames, conventions: TableConventions
) -> Mapping[tuple[ReadKey, str], datetime.date]:
    """Return the latest date of every visit, for records of it that have none."""
    dates: dict[tuple[ReadKey, str], datetime.date] = {}
    for row in rows:
        date = record_date(row, conventions, [])
        key = read_key(row), names.name(row)
        if date is not None:
            dates[key] = max(date, dates.get(key, date))
    return dates
