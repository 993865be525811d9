"""Reads the numbers of one of our structured reports back, for checks and for other programs."""

from collections.abc import Iterator
from typing import NamedTuple

from pydicom.dataset import Dataset

from reports.report_concepts import DERIVATION, MEASUREMENT_METHOD
from tumorresp.domain.errors import InvalidInput
from tumorresp.domain.terminology import TRACKING_UNIQUE_IDENTIFIER, Code

_GROUP = Code("125007", "DCM", "Measurement Group")


class NumberKey(NamedTuple):
    """Which number: whose, what, and how it was found.

    ``modifier`` is the code value of the measurement method or derivation, empty where there is none: it tells the
    reader's axes (126081) from those of the mask (mask-axis), and mean from standard deviation.
    """

    tracking_uid: str
    concept: str
    modifier: str = ""


def read_numbers(report: Dataset) -> dict[NumberKey, float]:
    """Return every measured number of a TID 1500 report, unrounded where the report has it unrounded.

    Raises
    ------
    InvalidInput
        If two numbers have the same key.
    """
    numbers: dict[NumberKey, float] = {}
    for group in _groups(report):
        tracking_uid = next((str(i.UID) for i in _children(group) if _is(i, TRACKING_UNIQUE_IDENTIFIER)), "")
        for item in _children(group):
            # Numbers of the time point's context have another relationship.
            if item.get("ValueType") != "NUM" or item.RelationshipType != "CONTAINS":
                continue
            key = NumberKey(tracking_uid, _value(item.ConceptNameCodeSequence[0]), _modifier(item))
            if key in numbers:
                raise InvalidInput("two numbers of the report mean the same.", where=" ".join(key))
            measured = item.MeasuredValueSequence[0]
            exact = measured.get("FloatingPointValue")
            numbers[key] = float(measured.NumericValue if exact is None else exact)
    return numbers


def _groups(item: Dataset) -> Iterator[Dataset]:
    for child in _children(item):
        if _is(child, _GROUP):
            yield child
        else:
            yield from _groups(child)


def _children(item: Dataset) -> list[Dataset]:
    return list(item.get("ContentSequence", ()))


def _modifier(item: Dataset) -> str:
    for child in _children(item):
        if _is(child, MEASUREMENT_METHOD) or _is(child, DERIVATION):
            return _value(child.ConceptCodeSequence[0])
    return ""


def _is(item: Dataset, code: Code) -> bool:
    names = item.get("ConceptNameCodeSequence")
    if not names:
        return False
    return (_value(names[0]), str(names[0].CodingSchemeDesignator)) == (code.value, code.scheme)


def _value(code: Dataset) -> str:
    return str(code.get("CodeValue") or code.get("LongCodeValue") or code.get("URNCodeValue") or "")
