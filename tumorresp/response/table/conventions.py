"""How a table is read where the table itself does not say."""

import calendar
import datetime
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from tumorresp.domain.errors import InvalidSettings


class PartialDates(StrEnum):
    """What to do with a date without its day or month."""

    REFUSE = "refuse"
    FIRST = "first"
    MIDDLE = "middle"
    LAST = "last"


@dataclass(frozen=True)
class TableConventions:
    """How tables are read.

    Parameters
    ----------
    partial_dates
        ``refuse``: such a row is an error. Otherwise the first, the middle (15th, 1 July) or the last day that the text
        allows is taken, and a finding says so.
    evaluator
        Read this evaluator's rows only; empty: every evaluator is a course of its own.
    visit_window_days
        Rows of one visit that lie further apart are a finding.
    same_visit_days
        Scans without a visit's name that lie so many days apart at most and measure different lesions are one visit
        (chest on one day, abdomen on the next); 0: every date is one.
    precision_mm
        To which multiple lengths are rounded when they are read (half a step up); None: they are as recorded.
    """

    partial_dates: PartialDates = PartialDates.REFUSE
    evaluator: str = ""
    visit_window_days: int = 28
    same_visit_days: int = 7
    precision_mm: Decimal | None = None

    def __post_init__(self) -> None:
        if self.precision_mm is not None and self.precision_mm <= 0:
            raise InvalidSettings(f"{self.precision_mm} is not above 0.", where="table.precision_mm")


def imputed_date(text: str, convention: PartialDates) -> datetime.date | None:
    """Return the date that a convention takes for YYYY or YYYY-MM; None where it refuses or there is no such month."""
    year, month = int(text[:4]), int(text[5:7]) if len(text) > 4 else None
    if convention is PartialDates.REFUSE or year < 1 or (month is not None and not 1 <= month <= 12):
        return None
    if convention is PartialDates.FIRST:
        return datetime.date(year, month or 1, 1)
    if convention is PartialDates.MIDDLE:
        return datetime.date(year, month, 15) if month else datetime.date(year, 7, 1)
    last = month or 12
    return datetime.date(year, last, calendar.monthrange(year, last)[1])
