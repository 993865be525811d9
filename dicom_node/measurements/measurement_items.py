"""Measurements as plain items (dictionaries), checked against the schema that CSV and JSON files share.

All that is wrong with a file is said at once, with the place of each mistake.
"""

import datetime
import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from dicom_node.measurements.sites import site_of
from tumorresp.domain.errors import InvalidInput
from tumorresp.domain.geometry import Vector3
from tumorresp.domain.identity import derived_uid
from tumorresp.domain.measurement import (
    LesionRole,
    LesionState,
    MarkedAxis,
    MarkedMeasurement,
    PixelPoint,
    SourceDocument,
)
from tumorresp.domain.observers import person_name
from tumorresp.domain.terminology import Code

Item = Mapping[str, Any]

LARGEST_BYTES = 64 * 2**20
_MOST_MISTAKES = 30
_AXES = ("long_axis", "short_axis")
_SCAN_UIDS = ("study_instance_uid", "series_instance_uid", "sop_instance_uid", "frame_of_reference_uid")
_WITHOUT_LINES = frozenset({LesionState.ABSENT, LesionState.NOT_EVALUABLE})


@dataclass
class Mistakes:
    """Everything that is wrong with one file."""

    file_name: str
    lines: list[str] = field(default_factory=list)

    def add(self, place: str, message: str) -> None:
        """Note a mistake at a row or item; an empty place means the file."""
        self.lines.append(f"{place}: {message}" if place else message)

    def raise_if_any(self) -> None:
        """Raise one error that lists all.

        Raises
        ------
        InvalidInput
            If there is a mistake.
        """
        if not self.lines:
            return
        shown = self.lines[:_MOST_MISTAKES]
        more = [f"and {len(self.lines) - len(shown)} more"] if len(self.lines) > len(shown) else []
        raise InvalidInput("; ".join([*shown, *more]) + ".", where=self.file_name)


@cache
def schema() -> dict[str, Any]:
    """Return the JSON Schema of measurement files, version 1."""
    text = resources.files("dicom_node.measurements").joinpath("schema/measurements.schema.json").read_text("utf-8")
    document: dict[str, Any] = json.loads(text)
    return document


@cache
def _item_validator() -> Draft202012Validator:
    return Draft202012Validator({"$ref": "#/$defs/measurement", "$defs": schema()["$defs"]})


def check_size(path: Path) -> None:
    """Refuse a file that no person can have written.

    Raises
    ------
    InvalidInput
        If it is larger than 64 MiB.
    """
    if path.stat().st_size > LARGEST_BYTES:
        raise InvalidInput(f"the file is larger than {LARGEST_BYTES // 2**20} MiB.", where=path.name)


def marked_measurements(
    items: Sequence[tuple[str, Item]], kind: str, content: bytes, mistakes: Mistakes, *, names_identify: bool = True
) -> tuple[MarkedMeasurement, ...]:
    """Return the measurements of a file's items.

    Parameters
    ----------
    items
        (place in words, item) pairs; an item has the fields of the schema's ``measurement``.
    kind
        Format name, see `SourceDocument`.
    content
        The file's bytes; the document's UID is derived from their hash.
    mistakes
        Found so far; what is found here is added.
    names_identify
        Whether ``lesion`` must be there and stands for one lesion. False for tools in which it is a free label.

    Raises
    ------
    InvalidInput
        If there is any mistake in the file, listing them all.
    """
    for place, item in items:
        named = item if names_identify else {"lesion": "unnamed", **item}
        found = _schema_mistakes(named) or _sense_mistakes(item)
        for message in found:
            mistakes.add(place, message)
    for name in ("lesion", "tracking_uid") if names_identify else ("tracking_uid",):
        _check_identities(items, name, mistakes)
    mistakes.raise_if_any()
    source = SourceDocument(kind, derived_uid("document", hashlib.sha256(content).hexdigest()))
    return tuple(_marked(item, source, number) for number, (_, item) in enumerate(items, start=1))


def _schema_mistakes(item: Item) -> list[str]:
    messages = []
    for error in sorted(_item_validator().iter_errors(item), key=lambda error: str(list(error.absolute_path))):
        name = ".".join(str(part) for part in error.absolute_path)
        # The validator's words repeat the value, which may be a patient's name: ours name the field and the rule.
        messages.append(f"{name or 'the row'} {_rule(error.validator, error.validator_value, error.message)}")
    return messages


def _rule(validator: str, value: Any, message: str) -> str:
    if validator == "enum":
        return f"must be one of {', '.join(str(item) for item in value)}"
    if validator == "type":
        return f"must be of type {value}"
    if validator == "required":
        return f"lacks {', '.join(repr(name) for name in value if repr(name) in message)}"
    if validator == "additionalProperties":
        return "has fields that the schema does not know"
    if validator == "pattern":
        return "is not written as the schema says"
    return f"breaks the schema's rule “{validator}”" + (f" ({value})" if isinstance(value, int | float) else "")


def _sense_mistakes(item: Item) -> list[str]:
    """Return what is wrong with an item that has the right fields."""
    messages = []
    state = LesionState(item.get("state", LesionState.MEASURED))
    axes = {name: item[name] for name in _AXES if name in item}
    if state is LesionState.MEASURED and not axes:
        messages.append("has neither coordinates nor a state such as absent or too-small")
    if state in _WITHOUT_LINES and axes:
        messages.append(f"is said to be {state.value}, but has lines")
    for name, axis in axes.items():
        messages += [f"{name} {words}" for words in _axis_mistakes(axis, item)]
    if not any(item.get(name) for name in _SCAN_UIDS):
        messages.append(f"names no scan: give one of {', '.join(_SCAN_UIDS)}")
    if item.get("measured_at") and _time(item["measured_at"]) is None:
        messages.append("measured_at is no date or time")
    return messages


def _axis_mistakes(axis: Item, item: Item) -> list[str]:
    if ("lps_mm" in axis) == ("pixels" in axis):
        return ["needs either patient coordinates or pixel coordinates"]
    points: Sequence[Sequence[float]] = axis["lps_mm"] if "lps_mm" in axis else axis["pixels"]
    if not all(math.isfinite(value) for point in points for value in point):
        return ["has a coordinate that is not a finite number"]
    messages = []
    if points[0] == points[1]:
        messages.append("has no length: both end points are the same")
    if "pixels" in axis and not item.get("sop_instance_uid"):
        messages.append("has pixel coordinates, which need sop_instance_uid")
    if "pixels" in axis and not item.get("pixel_origin"):
        messages.append("has pixel coordinates, which need pixel_origin (centre or corner)")
    return messages


def _check_identities(items: Sequence[tuple[str, Item]], field_name: str, mistakes: Mistakes) -> None:
    """Note items that are about one lesion at one scan by one reader."""
    seen: dict[tuple[str, ...], str] = {}
    for place, item in items:
        scan = next((str(item[name]) for name in _SCAN_UIDS if item.get(name)), "")
        identity = str(item.get(field_name) or "").strip().lower()
        if not identity or not scan:
            continue
        observer = f"{item.get('reader') or ''}\n{item.get('device') or ''}"
        first = seen.setdefault((identity, scan, observer), place)
        if first != place:
            mistakes.add(place, f"has the same {field_name} as {first}, at the same scan by the same reader")


def _marked(item: Item, source: SourceDocument, number: int) -> MarkedMeasurement:
    lesion = str(item.get("lesion", "")).strip()
    return MarkedMeasurement(
        measurement_uid=derived_uid("measurement", source.document_uid, str(number)),
        source=source,
        patient_id=item.get("patient_id", ""),
        study_instance_uid=item.get("study_instance_uid", ""),
        series_instance_uid=item.get("series_instance_uid", ""),
        sop_instance_uid=item.get("sop_instance_uid", ""),
        frame_number=item.get("frame_number"),
        frame_of_reference_uid=item.get("frame_of_reference_uid", ""),
        long_axis=_axis(item.get("long_axis"), item),
        short_axis=_axis(item.get("short_axis"), item),
        label=lesion,
        tracking_identifier=lesion,
        tracking_uid=item.get("tracking_uid", ""),
        tracking_uid_is_stable="tracking_uid" in item,
        site=_site(item.get("site")),
        nodal=item.get("nodal"),
        role=LesionRole(item["role"]) if "role" in item else None,
        state=LesionState(item.get("state", LesionState.MEASURED)),
        comment=item.get("comment", ""),
        reader=person_name(item.get("reader", "")),
        device=item.get("device", ""),
        measured_at=_time(item.get("measured_at", "")),
    )


def _axis(axis: Item | None, item: Item) -> MarkedAxis | None:
    if axis is None:
        return None
    stated, unit = axis.get("stated_length"), axis.get("stated_unit", "mm" if "stated_length" in axis else "")
    if "lps_mm" in axis:
        return MarkedAxis(lps_mm=_lps(axis["lps_mm"]), stated_length=stated, stated_unit=unit)
    shift = 0.5 if item["pixel_origin"] == "corner" else 0.0
    first, last = (PixelPoint(column - shift, row - shift) for column, row in axis["pixels"])
    return MarkedAxis(pixels=(first, last), stated_length=stated, stated_unit=unit)


def _lps(points: Sequence[Sequence[float]]) -> tuple[Vector3, Vector3]:
    first, last = ((float(x), float(y), float(z)) for x, y, z in points)
    return first, last


def _site(site: str | Item | None) -> Code | None:
    if site is None:
        return None
    return site_of(site) if isinstance(site, str) else Code(site["value"], site["scheme"], site["meaning"])


def _time(text: str) -> datetime.datetime | None:
    try:
        moment = datetime.datetime.fromisoformat(text)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)).astimezone(datetime.UTC)
