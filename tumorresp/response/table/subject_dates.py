"""The dates of a subject, which stand in every row of it and must be the same in all."""

import datetime
from collections.abc import Sequence
from decimal import Decimal

from tumorresp.domain.finding import Finding, Severity
from tumorresp.response.subject import Demographics, SubjectDates
from tumorresp.response.table.columns import SUBJECT_COLUMNS
from tumorresp.response.table.rows import Row


def subject_dates(rows: Sequence[Row]) -> tuple[SubjectDates, tuple[Finding, ...]]:
    """Return the dates that a subject's rows agree on; where they do not, none is taken and a finding says it."""
    taken: dict[str, object] = {}
    findings: list[Finding] = []
    for name in SUBJECT_COLUMNS:
        stated = {row.values[name]: row for row in reversed(rows) if name in row.values}
        if len(stated) == 1:
            taken[name] = next(iter(stated))
        elif stated:
            values = ", ".join(sorted(str(value) for value in stated))
            words = f"{name} differs between the rows of the subject ({values}): none of them is used."
            findings.append(
                Finding("subject-date-differs", Severity.ERROR, words, min(stated.values(), key=_number).where)
            )
    dates = SubjectDates(
        reference=_date(taken.get("reference_date")),
        first_treatment=_date(taken.get("first_treatment_date")),
        new_therapy=_date(taken.get("new_therapy_date")),
        death=_date(taken.get("death_date")),
        last_alive=_date(taken.get("last_alive_date")),
        arm=str(taken.get("arm", "")),
        demographics=Demographics(
            study_site=str(taken.get("study_site", "")),
            age_years=_number_of(taken.get("age")),
            sex=str(taken.get("sex", "")),
            race=str(taken.get("race", "")),
        ),
    )
    return dates, tuple(findings)


def _number_of(value: object) -> Decimal | None:
    return value if isinstance(value, Decimal) else None


def _number(row: Row) -> int:
    return row.number


def _date(value: object) -> datetime.date | None:
    return value if isinstance(value, datetime.date) else None
