"""Measurements in JSON, as ``schema/measurements.schema.json`` describes them."""

import json
from pathlib import Path
from typing import Any, NoReturn

from dicom_node.measurements.aim_document import is_aim
from dicom_node.measurements.measurement_items import Mistakes, check_size, marked_measurements, schema
from tumorresp.domain.errors import InvalidInput
from tumorresp.domain.measurement import MarkedMeasurement

_FORMAT = "tumorresp-measurements"
_VERSION = 1
_DEFAULTS = (
    "patient_id",
    "reader",
    "device",
    "measured_at",
    "study_instance_uid",
    "series_instance_uid",
    "frame_of_reference_uid",
    "pixel_origin",
)


class JsonReader:
    """Reads JSON files of measurements."""

    def can_read(self, path: Path) -> bool:
        """Return whether the file is called JSON and is no AIM."""
        return path.suffix.lower() == ".json" and not is_aim(path)

    def read(self, path: Path) -> tuple[MarkedMeasurement, ...]:
        """Read every measurement, in the file's order.

        Raises
        ------
        InvalidInput
            If the file is no JSON, of another format or version, or any item is wrong; all mistakes are listed.
        """
        check_size(path)
        content = path.read_bytes()
        document = _parsed(content, path.name)
        mistakes = Mistakes(path.name)
        for name in sorted(set(document) - set(schema()["properties"])):
            mistakes.add("", f"the schema does not know the field {name!r}")
        items = document.get("measurements")
        if not isinstance(items, list) or not items:
            raise InvalidInput("'measurements' must be a list with at least one item.", where=path.name)
        defaults = {name: document[name] for name in _DEFAULTS if name in document}
        placed = [
            (f"measurement {number}", {**defaults, **item} if isinstance(item, dict) else item)
            for number, item in enumerate(items, start=1)
        ]
        for place, item in placed:
            if not isinstance(item, dict):
                mistakes.add(place, "must be an object")
        return marked_measurements(
            [(place, item) for place, item in placed if isinstance(item, dict)], "json", content, mistakes
        )


def _parsed(content: bytes, file_name: str) -> dict[str, Any]:
    try:
        document = json.loads(content.decode("utf-8-sig"), parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise InvalidInput(
            f"the file is no JSON (line {error.lineno}, column {error.colno}).", where=file_name
        ) from None
    except (ValueError, RecursionError) as error:
        raise InvalidInput(
            f"the file cannot be read as JSON: {error if isinstance(error, _NoNumber) else type(error).__name__}.",
            where=file_name,
        ) from None
    if not isinstance(document, dict) or document.get("format") != _FORMAT or document.get("version") != _VERSION:
        raise InvalidInput(
            f'expected a JSON object with "format": "{_FORMAT}" and "version": {_VERSION}.',
            where=file_name,
            remedy="docs/measurement-formats.md shows one.",
        )
    return document


class _NoNumber(ValueError):
    pass


def _refuse_constant(name: str) -> NoReturn:
    raise _NoNumber(f"{name} is no number")
