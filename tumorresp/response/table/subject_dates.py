"""The dates of a subject, which stand in every row of it and must be the same in all."""

import datetime
from collections.abc import Sequence
from decimal import Decimal

from tumorresp.domain.finding import Finding, Severity
from tumorresp.response.observation import Refused
from tumorresp.response.subject import Demographics, SubjectDates
from tumorresp.response.table.columns import SUBJECT_COLUMNS
from tumorresp.response.table.rows import Row

_START = ("reference_date", "first_treatment_date")


def subject_dates(rows: Sequence[Row]) -> tuple[SubjectDates, tuple[Finding, ...]]:
    """Return the dates that a subject's rows agree on.

    Where they do not, none is taken and a finding says it; such a date, and one that no row gives in a readable way,
    is among the refused ones.
    """
    taken: dict[str, object] = {}
    refused: list[str] = []
    findings: list[Finding] = []
    for name in SUBJECT_COLUMNS:
        is_date = name.endswith("_date")
        stated = {row.values[name]: row for row in reversed(rows) if name in row.values}
        if len(stated) == 1:
            taken[name] = next(iter(stated))
        elif stated:
            values = ", ".join(sorted(str(value) for value in stated))
            words = f"{name} differs between the rows of the subject ({values}): none of them is used."
            where = min(stated.values(), key=_number).where
            findings.append(Finding("subject-date-differs", Severity.ERROR, words, where, decides=is_date))
            refused += [name] if is_date else []
        elif is_date and any(name in row.refused for row in rows):
            refused.append(name)
    dates = SubjectDates(
        reference=_date(taken.get("reference_date")),
        first_treatment=_date(taken.get("first_treatment_date")),
        new_therapy=_date(taken.get("new_therapy_date")),
        death=_date(taken.get("death_date")),
        last_alive=_date(taken.get("last_alive_date")),
        arm=str(taken.get("arm", "")),
        progression=_date(taken.get("stated_progression_date")),
        demographics=Demographics(
            study_site=str(taken.get("study_site", "")),
            age_years=_number_of(taken.get("age")),
            sex=str(taken.get("sex", "")),
            race=str(taken.get("race", "")),
        ),
        refused=tuple(refused),
    )
    return dates, tuple(findings)


def _number_of(value: object) -> Decimal | None:
    return value if isinstance(value, Decimal) else None


def refused_start(dates: SubjectDates) -> tuple[Refused, ...]:
    """Return what is open where it was said when treatment started, but cannot be read: where the course begins."""
    return tuple(
        Refused(f"{name} could not be read, it is not known where the course begins", name)
        for name in _START
        if name in dates.refused
    )


def _number(row: Row) -> int:
    return row.number


def _date(value: object) -> datetime.date | None:
    return value if isinstance(value, datetime.date) else None
