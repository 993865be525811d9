"""What Define-XML must know of a data set's values, once the values themselves are written and forgotten."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
import numpy.typing as npt

from reports.cdisc.dataset import Dataset, DatasetDefinition, Variable, VariableType

_NUMBER = re.compile(r"-?\d+(\.\d+)?")
_NUMBER_LENGTH = 8


@dataclass(frozen=True, slots=True)
class Values:
    """The values of a variable, in all records or in those of one test or parameter.

    Parameters
    ----------
    texts
        Distinct texts that occur, the missing one left out, sorted; none of a numeric variable.
    data_type
        As in Define-XML: ``text``, ``integer``, ``float``, ``date``.
    length
        In characters; 8 of a numeric variable.
    decimals
        Most decimals of a number; 0 where none has any.
    is_complete
        No record lacks a value.
    """

    texts: tuple[str, ...]
    data_type: str
    length: int
    decimals: int
    is_complete: bool


@dataclass(frozen=True)
class DatasetSummary:
    """A data set without its records.

    Parameters
    ----------
    values
        By variable.
    by_value
        By variable and by value of the one that decides what it holds: TRSTRESC of LDIAM.
    decodes
        What values of that one mean: PARAM of a PARAMCD, TRTEST of a TRTESTCD.
    """

    definition: DatasetDefinition
    values: Mapping[str, Values]
    by_value: Mapping[tuple[str, str], Values]
    decodes: Mapping[str, str]


def summary(dataset: Dataset) -> DatasetSummary:
    """Return what Define-XML must know of a data set."""
    definition = dataset.definition
    level = definition.value_level
    variables = {variable.name: variable for variable in definition.variables}
    by_value: dict[tuple[str, str], Values] = {}
    decodes: dict[str, str] = {}
    if level is not None:
        kinds, codes = _coded(dataset, level.by)
        words, word_codes = _coded(dataset, level.decoded_by)
        for code, first in zip(*np.unique(codes, return_index=True), strict=True):
            if not kinds[code]:
                continue
            decodes[kinds[code]] = words[word_codes[first]]
            own = codes == code
            for name in level.variables:
                values = _values(dataset, variables[name], own)
                if values is not None:
                    by_value[name, kinds[code]] = values
    return DatasetSummary(
        definition,
        {name: _values(dataset, variable) or _nothing(variable) for name, variable in variables.items()},
        by_value,
        decodes,
    )


def _coded(dataset: Dataset, name: str) -> tuple[Sequence[str], npt.NDArray[np.intc]]:
    texts, codes = dataset.text_column(name)
    return texts, np.frombuffer(codes, dtype=np.intc)


def _values(dataset: Dataset, variable: Variable, rows: npt.NDArray[np.bool_] | None = None) -> Values | None:
    """Return the values of a variable in some records, or in all; None where it has none there.

    Parameters
    ----------
    rows
        Those of one test or parameter, where numbers written as texts are numbers.
    """
    if variable.type.is_text:
        texts, codes = _coded(dataset, variable.name)
        found = np.unique(codes if rows is None else codes[rows])
        known = tuple(sorted({texts[code] for code in found} - {""}))
        return _of_texts(variable, known, is_complete=0 not in found, is_one_test=rows is not None) if known else None
    numbers = np.frombuffer(dataset.number_column(variable.name), dtype=float)
    distinct = np.unique(numbers if rows is None else numbers[rows])
    is_complete = not bool(np.isnan(distinct).any())
    present = distinct[~np.isnan(distinct)]
    if not present.size:
        return None
    if variable.type is not VariableType.FLOAT:
        return Values((), "integer", _NUMBER_LENGTH, 0, is_complete)
    decimals = _most_decimals(f"{Decimal(repr(float(item))):f}" for item in present)
    kind = "integer" if rows is not None and not decimals else "float"
    return Values((), kind, _NUMBER_LENGTH, decimals, is_complete)


def _of_texts(variable: Variable, texts: tuple[str, ...], *, is_complete: bool, is_one_test: bool) -> Values:
    numeric = is_one_test and variable.type is VariableType.TEXT and all(map(_NUMBER.fullmatch, texts))
    decimals = _most_decimals(texts) if numeric else 0
    kind = ("float" if decimals else "integer") if numeric else _TEXT_TYPES[variable.type]
    return Values(texts, kind, max(map(len, texts)), decimals, is_complete)


def _nothing(variable: Variable) -> Values:
    if variable.type.is_text:
        return Values((), _TEXT_TYPES[variable.type], 1, 0, is_complete=False)
    kind = "float" if variable.type is VariableType.FLOAT else "integer"
    return Values((), kind, _NUMBER_LENGTH, 0, is_complete=False)


_TEXT_TYPES = {VariableType.TEXT: "text", VariableType.ISO_DATE: "date"}


def _most_decimals(texts: Iterable[str]) -> int:
    return max((len(text.rstrip("0").partition(".")[2]) if "." in text else 0 for text in texts), default=0)
