"""From a table's cell to a value, or to words that say what is wrong with it."""

import datetime
import re
import unicodedata
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from functools import cache

from tumorresp.domain.decimal_mm import to_decimal
from tumorresp.response.table.columns import NO_VALUE, Column, Kind

Cell = str | bool | Decimal | datetime.date | None
_TRUE = frozenset(("true", "yes", "y", "1"))
_FALSE = frozenset(("false", "no", "n", "0"))
_WHOLE_DATE = re.compile(r"\d{4}-\d{2}-\d{2}([T ].*)?")
_PARTIAL_DATE = re.compile(r"\d{4}(-\d{2})?")
_MOST = Decimal(10) ** 12


class BadCell(ValueError):
    """A cell that cannot be understood; the message says what was expected."""


class PartialDate(BadCell):
    """A date without day or month; ``text`` is as written."""

    def __init__(self, text: str) -> None:
        super().__init__(f"the date {text} has no day: expected YYYY-MM-DD")
        self.text = text


def cell_value(column: Column, raw: object) -> Cell:
    """Return a cell's value, None when empty.

    Raises
    ------
    BadCell
        If it is not what the column holds.
    """
    if raw is None or raw == "":
        return None
    if column.kind is not Kind.TEXT and isinstance(raw, str) and raw.strip() in NO_VALUE:
        return None
    return _PARSERS[column.kind](column, raw)


def _text(_column: Column, raw: object) -> Cell:
    if isinstance(raw, bool):
        raise BadCell(f"{raw} is no text")
    return unicodedata.normalize("NFC", str(raw)).strip() or None


def _date(_column: Column, raw: object) -> Cell:
    if isinstance(raw, datetime.datetime):
        return raw.date()
    if isinstance(raw, datetime.date):
        return raw
    text = str(raw).strip()
    if not text:
        return None
    if _PARTIAL_DATE.fullmatch(text):
        raise PartialDate(text)
    if _WHOLE_DATE.fullmatch(text):
        try:
            return datetime.date.fromisoformat(text[:10])
        except ValueError:
            pass
    raise BadCell(f"{text!r} is no date: expected YYYY-MM-DD")


def _number(column: Column, raw: object) -> Cell:
    text = str(raw).strip()
    if not text:
        return None
    if isinstance(raw, bool):
        raise BadCell(f"{text} is no number")
    try:
        value = Decimal(text if "_" not in text else "no number")
    except InvalidOperation:
        hint = " (write a point, not a comma)" if re.fullmatch(r"\d+,\d+", text) else ""
        raise BadCell(f"{text!r} is no number{hint}") from None
    if not value.is_finite():
        raise BadCell(f"{text} is no number")
    if column.positive and value < 0:
        raise BadCell(f"{text} is negative")
    if abs(value) > _MOST:
        raise BadCell(f"{text} is larger than any lesion")
    return value if column.kind is Kind.AS_REPORTED else to_decimal(value)


def _yes_no(_column: Column, raw: object) -> Cell:
    if isinstance(raw, bool):
        return raw
    text = str(raw).strip().lower()
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    raise BadCell(f"{text!r} is neither yes nor no")


def _choice(column: Column, raw: object) -> Cell:
    text = re.sub(r"[\s_]+", "-", str(raw).strip().lower())
    if not text:
        return None
    found = _known_words(column).get(text)
    if found is None:
        raise BadCell(f"{str(raw).strip()!r} is not known: expected one of {', '.join(column.choices)}")
    return found


@cache
def _known_words(column: Column) -> Mapping[str, str]:
    return {choice.lower(): choice for choice in column.choices} | dict(column.synonyms)


_PARSERS: Mapping[Kind, Callable[[Column, object], Cell]] = {
    Kind.TEXT: _text,
    Kind.DATE: _date,
    Kind.LENGTH: _number,
    Kind.NUMBER: _number,
    Kind.AS_REPORTED: _number,
    Kind.YES_NO: _yes_no,
    Kind.CHOICE: _choice,
}
