"""AIM files as a plain tree: the XML of AIM v3 and v4, and the JSON in which ePAD keeps the same structure."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, ParseError

from defusedxml import ElementTree
from defusedxml.common import DefusedXmlException

from tumorresp.domain.errors import InvalidInput

_LARGEST_BYTES = 64 * 2**20
_DEEPEST = 60
_HEAD_BYTES = 4096
_ROOTS = (b"ImageAnnotationCollection", b"ImageAnnotation")


@dataclass(frozen=True, eq=False)
class AimNode:
    """An element with its attributes and children; names are without namespace prefix."""

    name: str
    attributes: dict[str, str]
    nodes: tuple["AimNode", ...]

    def children(self, *names: str) -> tuple["AimNode", ...]:
        """Return the children of some names, in document order."""
        return tuple(node for node in self.nodes if node.name in names)

    def first(self, *path: str) -> "AimNode":
        """Return the first node of a path of names below this one; an empty node where there is none."""
        node = self
        for name in path:
            node = next(iter(node.children(name)), _NOTHING)
        return node

    def text(self, *path: str) -> str:
        """Return an attribute: the last name of a path is the attribute's; empty where it is absent."""
        return self.first(*path[:-1]).attributes.get(path[-1], "").strip()

    def below(self, name: str) -> Iterator["AimNode"]:
        """Give all nodes of a name anywhere below this one, in document order."""
        for node in self.nodes:
            if node.name == name:
                yield node
            yield from node.below(name)


_NOTHING = AimNode("", {}, ())


def is_aim(path: Path) -> bool:
    """Return whether a file begins like an AIM annotation in XML or JSON."""
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES).lstrip(b"\xef\xbb\xbf \t\r\n")
    if head.startswith(b"<"):
        return any(b"<" + root in head or b":" + root in head for root in _ROOTS)
    return head.startswith(b"{") and b'"ImageAnnotationCollection"' in head[:200]


def read_aim(path: Path) -> AimNode:
    """Read an AIM file.

    Returns
    -------
    AimNode
        Named ``ImageAnnotation`` (v3) or ``ImageAnnotationCollection`` (v4).

    Raises
    ------
    InvalidInput
        If it is not well-formed, holds entity declarations, or is large or nested beyond all sense.
    """
    if path.stat().st_size > _LARGEST_BYTES:
        raise InvalidInput(f"the AIM file is larger than {_LARGEST_BYTES // 2**20} MiB.", where=path.name)
    content = path.read_bytes()
    try:
        if content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
            document = json.loads(content.decode("utf-8-sig"))
            return _from_json("ImageAnnotationCollection", document["ImageAnnotationCollection"], path.name, 0)
        return _from_xml(ElementTree.fromstring(content), path.name, 0)
    except DefusedXmlException as error:
        raise InvalidInput(
            f"the AIM file declares entities or a document type ({type(error).__name__}), which no AIM writer needs.",
            where=path.name,
        ) from None
    except ParseError as error:
        line, column = error.position
        raise InvalidInput(
            f"the AIM file is no well-formed XML (line {line}, column {column}).",
            where=path.name,
            remedy="Export it again.",
        ) from None
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
        raise InvalidInput(f"the AIM file cannot be understood ({type(error).__name__}).", where=path.name) from error


def _from_xml(element: Element, where: str, depth: int) -> AimNode:
    _check_depth(depth, where)
    return AimNode(
        _local(element.tag),
        {_local(name): value for name, value in element.attrib.items()},
        tuple(_from_xml(child, where, depth + 1) for child in element if isinstance(child.tag, str)),
    )


def _from_json(name: str, value: dict[str, Any], where: str, depth: int) -> AimNode:
    _check_depth(depth, where)
    attributes: dict[str, str] = {}
    nodes: list[AimNode] = []
    for key, item in value.items():
        if isinstance(item, dict | list):
            items = item if isinstance(item, list) else [item]
            nodes += [_from_json(_local(key), child, where, depth + 1) for child in items if isinstance(child, dict)]
        else:
            attributes[_local(key)] = "" if item is None else str(item)
    return AimNode(name, attributes, tuple(nodes))


def _check_depth(depth: int, where: str) -> None:
    if depth > _DEEPEST:
        raise InvalidInput(f"the AIM file is nested deeper than {_DEEPEST} levels.", where=where)


def _local(name: str) -> str:
    return name.rpartition("}")[2].rpartition(":")[2]
