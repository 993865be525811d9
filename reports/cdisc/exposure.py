"""What SDTM says of a date beside the first dose: the epoch, and the last observation before exposure."""

import datetime
from collections.abc import Sequence
from itertools import groupby

from reports.cdisc.dataset import Value
from tumorresp.response.subject import SubjectDates

SCREENING, TREATMENT, FOLLOW_UP = "SCREENING", "TREATMENT", "FOLLOW-UP"
"""Terms of the codelist EPOCH."""


def epoch(day: datetime.date | None, dates: SubjectDates) -> str:
    """Return EPOCH of a scan: up to the first dose, after it, from the start of another anti-cancer therapy on.

    A scan on the day of the first dose is the baseline, taken before it. Empty where day or first dose is not known.
    """
    if day is None or dates.first_treatment is None:
        return ""
    if day <= dates.first_treatment:
        return SCREENING
    return FOLLOW_UP if dates.new_therapy is not None and day >= dates.new_therapy else TREATMENT


def flag_last_before_exposure(
    rows: Sequence[dict[str, Value]], domain: str, first_treatment: datetime.date | None, keys: Sequence[str]
) -> None:
    """Set --LOBXFL of the last result up to the first dose, of everything that the keys tell apart.

    Results that were not obtained are not flagged (SDTM 2.0, --LOBXFL: the last non-missing value).
    """
    for row in rows:
        row[f"{domain}LOBXFL"] = ""
    if first_treatment is None:
        return
    limit, date = first_treatment.isoformat(), f"{domain}DTC"
    known = [row for row in rows if row.get(f"{domain}ORRES") and row.get(date) and str(row[date]) <= limit]

    def identity(row: dict[str, Value]) -> tuple[str, ...]:
        return tuple(str(row.get(name) or "") for name in keys)

    for _, same in groupby(sorted(known, key=identity), key=identity):
        max(same, key=lambda row: (str(row[date]), float(str(row.get("VISITNUM") or 0))))[f"{domain}LOBXFL"] = "Y"
