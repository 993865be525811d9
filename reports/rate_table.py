"""The table of rates: what a whole cohort comes to."""

from collections.abc import Iterator, Sequence

from reports.outcome_tables import ColumnType, ResultColumn, Value
from tumorresp.cohort.rates import LEVEL, CriterionRates

_NUMBER, _INTEGER, _YES_NO = ColumnType.NUMBER, ColumnType.INTEGER, ColumnType.YES_NO

RATE_COLUMNS = (
    ResultColumn("criterion"),
    ResultColumn("confirmed", _YES_NO),
    ResultColumn("rate"),
    ResultColumn("arm"),
    ResultColumn("reference_arm"),
    ResultColumn("count", _INTEGER),
    ResultColumn("subjects", _INTEGER),
    ResultColumn("percent", _NUMBER),
    ResultColumn("low_percent", _NUMBER),
    ResultColumn("high_percent", _NUMBER),
    ResultColumn("interval", width=34),
)


def rate_rows(found: Sequence[CriterionRates]) -> Iterator[tuple[Value, ...]]:
    """Give a row a rate, and a row a difference of arms (percentage points, with its reference arm)."""
    for item in found:
        for rate in item.rates:
            yield (
                item.criterion,
                item.confirmed,
                str(rate.name),
                rate.arm,
                "",
                rate.count,
                rate.subjects,
                *_percents(rate.share, rate.low, rate.high),
                f"Clopper-Pearson, {LEVEL:.0%}",
            )
        for difference in item.differences:
            yield (
                item.criterion,
                item.confirmed,
                str(difference.name),
                difference.arm,
                difference.reference_arm,
                None,
                None,
                *_percents(difference.difference, difference.low, difference.high),
                f"difference, Newcombe 10, {LEVEL:.0%}",
            )


def _percents(*shares: float | None) -> tuple[Value, ...]:
    return tuple(None if share is None else 100 * share for share in shares)
