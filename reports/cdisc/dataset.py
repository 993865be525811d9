"""A data set: variables with labels, types and keys, and its values column by column.

The limits are those of the SAS V5 transport format, which every other format keeps as well: names of 8 and labels of
40 characters, texts of 200 bytes, ASCII.
"""

import datetime
import math
import re
import unicodedata
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from tumorresp.domain.errors import InvalidInput
from tumorresp.domain.finding import Finding, Severity

NAME_LENGTH = 8
LABEL_LENGTH = 40
TEXT_LENGTH = 200
SAS_EPOCH = datetime.date(1960, 1, 1)

Value = str | int | float | datetime.date | None
Row = Mapping[str, Value]

_NAME = re.compile(rf"[A-Z][A-Z0-9]{{0,{NAME_LENGTH - 1}}}")
# What NFKD does not take apart into ASCII.
_REPLACEMENTS = str.maketrans(
    {"–": "-", "—": "-", "−": "-", "’": "'", "‘": "'", "“": '"', "”": '"', "×": "x", "ß": "ss", "ø": "o", "Ø": "O"}
)


class VariableType(StrEnum):
    """What a variable holds.

    ``ISO_DATE``: text such as 2024-05-17 (SDTM). ``DATE``: a numeric SAS date, shown as DATE9 (ADaM).
    """

    TEXT = "text"
    INTEGER = "integer"
    FLOAT = "float"
    ISO_DATE = "iso-date"
    DATE = "date"

    @property
    def is_text(self) -> bool:
        """Whether it is a character variable."""
        return self in (VariableType.TEXT, VariableType.ISO_DATE)


@dataclass(frozen=True, slots=True)
class Variable:
    """One variable.

    Parameters
    ----------
    origin
        As in Define-XML 2.1: ``Collected``, ``Derived``, ``Assigned``, ``Protocol``.
    codelist
        Of ``controlled_terminology.CODELISTS``; empty where there is none.
    free_text
        The text is a person's own: what is not ASCII or too long is changed, and the change reported. Any other text
        that does not fit is an error.

    Raises
    ------
    InvalidInput
        If the name or label does not fit a transport file.
    """

    name: str
    label: str
    type: VariableType = VariableType.TEXT
    origin: str = "Assigned"
    codelist: str = ""
    free_text: bool = False

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise InvalidInput(
                f"the variable name {self.name!r} is not of 1 to 8 capitals and digits.", where=self.name
            )
        if not self.label or len(self.label) > LABEL_LENGTH or not self.label.isascii():
            raise InvalidInput(f"the label {self.label!r} is not of 1 to 40 ASCII characters.", where=self.name)


@dataclass(frozen=True)
class ValueLevel:
    """Which variables hold something else for each test or parameter.

    Parameters
    ----------
    by
        The variable that decides: TRTESTCD, PARAMCD.
    decoded_by
        The variable that says what its values mean: TRTEST, PARAM.
    codelists, codelist
        Of texts that are terms, by value; of every other value.
    """

    by: str
    decoded_by: str
    variables: tuple[str, ...]
    codelists: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    codelist: str = ""


@dataclass(frozen=True)
class DatasetDefinition:
    """What a data set is made of.

    Parameters
    ----------
    standard
        ``SDTM`` or ``ADaM``.
    dataset_class
        As in Define-XML 2.1: FINDINGS, RELATIONSHIP, SUBJECT LEVEL ANALYSIS DATASET, BASIC DATA STRUCTURE.
    structure
        One record per ...
    keys
        Names of the variables that identify a record, in order of sorting.
    value_level
        Variables that Define-XML describes value by value; None where there are none.
    """

    name: str
    label: str
    standard: str
    dataset_class: str
    structure: str
    variables: tuple[Variable, ...]
    keys: tuple[str, ...]
    value_level: ValueLevel | None = None

    def __post_init__(self) -> None:
        Variable(self.name, self.label)  # the same limits
        names = [variable.name for variable in self.variables]
        if len(set(names)) < len(names) or not set(self.keys) <= set(names):
            raise InvalidInput("a variable is named twice, or a key is no variable.", where=self.name)


class Dataset:
    """The values of a data set, added subject by subject and kept column by column.

    Texts are kept once a value and counted by numbers of four bytes a cell; numbers are doubles (NaN: missing), dates
    SAS days.
    """

    def __init__(self, definition: DatasetDefinition) -> None:
        self.definition = definition
        self.findings: list[Finding] = []
        self.records = 0
        self._codes: dict[str, array[int]] = {}
        self._texts: dict[str, list[str]] = {}  # by code; 0 is the missing text
        self._known: dict[str, dict[str, int]] = {}
        self._numbers: dict[str, array[float]] = {}
        for variable in definition.variables:
            if variable.type.is_text:
                self._codes[variable.name] = array("i")
                self._texts[variable.name] = [""]
                self._known[variable.name] = {"": 0}
            else:
                self._numbers[variable.name] = array("d")
        self._free = frozenset(variable.name for variable in definition.variables if variable.free_text)
        self._names = frozenset(variable.name for variable in definition.variables)

    def add_subject(self, rows: Sequence[Row]) -> None:
        """Add all records of one subject; what a row does not name is missing.

        Raises
        ------
        InvalidInput
            If two records have the same key, a text does not fit, or a row names an unknown variable.
        """
        self._check_keys(rows)
        for row in rows:
            if not row.keys() <= self._names:
                unknown = ", ".join(sorted(row.keys() - self._names))
                raise InvalidInput(f"{unknown} is no variable.", where=self.definition.name)
        for name, codes in self._codes.items():
            known = self._known[name]
            for row in rows:
                value = row.get(name) or ""
                code = known.get(value)  # type: ignore[arg-type]  # a text column holds texts
                codes.append(self._new_code(name, str(value)) if code is None else code)
        for name, numbers in self._numbers.items():
            numbers.extend([_as_double(row.get(name)) for row in rows])
        self.records += len(rows)

    def text_column(self, name: str) -> tuple[Sequence[str], "array[int]"]:
        """Return the distinct texts of a character variable (the first is empty) and each record's place in them."""
        return self._texts[name], self._codes[name]

    def number_column(self, name: str) -> "array[float]":
        """Return the numbers of a numeric variable; NaN is missing, a date is in SAS days."""
        return self._numbers[name]

    def length(self, variable: Variable) -> int:
        """Return the length in bytes: of a text the longest value's (1 at least), of a number 8."""
        if not variable.type.is_text:
            return 8
        return max(1, max(map(len, self._texts[variable.name])))

    def rows(self) -> Iterator[tuple[Value, ...]]:
        """Yield every record: texts, integers, floats, dates; None where missing (an empty text for TEXT)."""
        return zip(*(self._values(variable) for variable in self.definition.variables), strict=True)

    def _values(self, variable: Variable) -> Iterator[Value]:
        name = variable.name
        if variable.type.is_text:
            texts: list[str | None] = [*self._texts[name]]
            if variable.type is VariableType.ISO_DATE:
                texts[0] = None
            return map(texts.__getitem__, self._codes[name])
        numbers = self._numbers[name]
        if variable.type is VariableType.FLOAT:
            return (None if math.isnan(number) else number for number in numbers)
        if variable.type is VariableType.INTEGER:
            return (None if math.isnan(number) else int(number) for number in numbers)
        return (None if math.isnan(number) else date_of_sas_days(number) for number in numbers)

    def _check_keys(self, rows: Sequence[Row]) -> None:
        keys = self.definition.keys
        seen: set[tuple[Value, ...]] = set()
        for row in rows:
            key = tuple([row.get(name) for name in keys])
            if key in seen:
                words = ", ".join(f"{name} {value}" for name, value in zip(keys, key, strict=True))
                raise InvalidInput(
                    f"two records have the same key: {words}.",
                    where=self.definition.name,
                    remedy="Name evaluators, visits and lesions so that they can be told apart.",
                )
            seen.add(key)

    def _new_code(self, name: str, value: str) -> int:
        """Return the number of a text that was not seen before, made to fit where it is a person's own."""
        text = value
        if not text.isascii() or len(text) > TEXT_LENGTH:
            if name not in self._free:
                raise InvalidInput(
                    f"{name} {text[:40]!r} is longer than {TEXT_LENGTH} characters or not ASCII.",
                    where=self.definition.name,
                    remedy="Give an identifier of plain letters and digits.",
                )
            text = as_ascii(text)[:TEXT_LENGTH]
            message = f"{name} {value!r} does not fit a transport file and was written as {text!r}."
            self.findings.append(Finding("text-changed", Severity.WARNING, message, f"{self.definition.name}.{name}"))
        texts = self._texts[name]
        self._known[name][value] = len(texts)
        texts.append(text)
        return len(texts) - 1


def as_ascii(text: str) -> str:
    """Return a text in ASCII: accents dropped, dashes and quotes plain, what is left a question mark."""
    plain = unicodedata.normalize("NFKD", text.translate(_REPLACEMENTS))
    return "".join(char for char in plain if not unicodedata.combining(char)).encode("ascii", "replace").decode()


def sas_days(date: datetime.date) -> int:
    """Return the days since 1 January 1960."""
    return (date - SAS_EPOCH).days


def date_of_sas_days(days: float) -> datetime.date:
    """Return the date that a number of SAS days stands for."""
    return SAS_EPOCH + datetime.timedelta(days=int(days))


def _as_double(value: Value) -> float:
    if value is None:
        return math.nan
    if isinstance(value, datetime.date):
        return float(sas_days(value))
    return float(value)
