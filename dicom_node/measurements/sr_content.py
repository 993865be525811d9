"""The content tree of a DICOM structured report as plain values (PS3.3 C.17.3)."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pydicom.dataset import Dataset

from tumorresp.domain.errors import InvalidInput
from tumorresp.domain.terminology import Code

_DEEPEST = 60
_MOST_ITEMS = 100_000


@dataclass(frozen=True, eq=False)
class ContentItem:
    """One item; ``children`` include by-reference relationships, resolved.

    ``dataset`` holds the value: Measured Value Sequence, Graphic Data, Referenced SOP Sequence and so on.
    """

    value_type: str
    relationship: str
    name: Code | None
    dataset: Dataset
    children: tuple["ContentItem", ...]

    @property
    def meaning(self) -> str:
        """Meaning of the concept name, lower case."""
        return self.name.meaning.strip().lower() if self.name else ""

    def is_named(self, *codes: Code) -> bool:
        """Return whether the concept name is one of these codes."""
        return self.name is not None and any(self.name.same_concept(code) for code in codes)

    def walk(self) -> Iterator["ContentItem"]:
        """Give this item and all below it, parents first."""
        yield self
        for child in self.children:
            yield from child.walk()

    def below(self, *value_types: str) -> Iterator["ContentItem"]:
        """Give the items of some value types below this one."""
        return (item for item in self.walk() if item is not self and item.value_type in value_types)

    def text(self) -> str:
        """Return the text of a TEXT, UIDREF, PNAME or CODE item; empty for others."""
        if self.value_type == "CODE":
            code = self.code()
            return code.meaning if code else ""
        for keyword in ("TextValue", "UID", "PersonName"):
            if keyword in self.dataset:
                return str(self.dataset[keyword].value or "").strip()
        return ""

    def code(self) -> Code | None:
        """Return the value of a CODE item."""
        return code_of(self.dataset, "ConceptCodeSequence")


def read_content(document: Dataset, where: str) -> ContentItem:
    """Return the root container of a report.

    Raises
    ------
    InvalidInput
        If it has no content, or is nested or long beyond all sense.
    """
    if "ContentSequence" not in document:
        raise InvalidInput("the structured report has no content (0040,A730).", where=where)
    return _Tree(document, where).root()


class _Tree:
    """Builds the tree, counting items so that a hostile file ends in an error and not in exhaustion."""

    def __init__(self, document: Dataset, where: str) -> None:
        self._document = document
        self._where = where
        self._items = 0

    def root(self) -> ContentItem:
        return self._item(self._document, 0)

    def _item(self, dataset: Dataset, depth: int) -> ContentItem:
        self._items += 1
        if depth > _DEEPEST or self._items > _MOST_ITEMS:
            raise InvalidInput(
                f"the structured report is nested deeper than {_DEEPEST} or has more than {_MOST_ITEMS} items.",
                where=self._where,
            )
        children = tuple(self._child(child, depth) for child in sequence(dataset, "ContentSequence"))
        return ContentItem(
            str(dataset.get("ValueType") or ""),
            str(dataset.get("RelationshipType") or ""),
            code_of(dataset, "ConceptNameCodeSequence"),
            dataset,
            children,
        )

    def _child(self, dataset: Dataset, depth: int) -> ContentItem:
        path = dataset.get("ReferencedContentItemIdentifier")
        if path is None:
            return self._item(dataset, depth + 1)
        target = self._referenced(path)
        return self._item(target, depth + 1)

    def _referenced(self, path: Any) -> Dataset:
        """Return the item of a by-reference relationship: child numbers from 1, beginning with the root's."""
        numbers = [int(number) for number in (path if hasattr(path, "__iter__") else [path])]
        found = self._document
        for number in numbers[1:]:
            children = sequence(found, "ContentSequence")
            if not 1 <= number <= len(children):
                raise InvalidInput(
                    f"a reference within the report names item {number}, which is not there.", where=self._where
                )
            found = children[number - 1]
        return found


def sequence(dataset: Dataset, keyword: str) -> list[Dataset]:
    """Return the items of a sequence; an absent or empty one has none, a bare data set counts as one."""
    value = dataset.get(keyword)
    if value is None:
        return []
    return [value] if isinstance(value, Dataset) else list(value)


def code_of(dataset: Dataset, keyword: str) -> Code | None:
    """Return the first code of a code sequence, or None."""
    items = sequence(dataset, keyword)
    if not items:
        return None
    item = items[0]
    value = item.get("CodeValue") or item.get("LongCodeValue") or item.get("URNCodeValue") or ""
    return Code(
        str(value).strip(),
        str(item.get("CodingSchemeDesignator") or "").strip(),
        str(item.get("CodeMeaning") or "").strip(),
    )


def measured_value(number: ContentItem) -> tuple[float | None, str]:
    """Return value and unit code of a NUM item; None where it states no finite number."""
    for item in sequence(number.dataset, "MeasuredValueSequence"):
        unit = code_of(item, "MeasurementUnitsCodeSequence")
        written = item.get("NumericValue")
        value = None if written is None or str(written).strip() == "" else float(written)
        return (value if value is not None and math.isfinite(value) else None), unit.value if unit else ""
    return None, ""
