"""Identifiers that are derived from their inputs, so that a rerun makes the same ones."""

import hashlib
import json
import uuid
from collections.abc import Mapping, Sequence
from typing import TypeAlias, Union

# Never change: every UID that has ever left the product hangs on it.
_NAMESPACE = uuid.UUID("6f1d3b52-8a4e-5c0a-9f5e-2d7b7a1c4e90")

Json: TypeAlias = Union[bool, int, float, str, Sequence["Json"], Mapping[str, "Json"], None]


def derived_uuid(*parts: str) -> uuid.UUID:
    """Return the UUIDv5 (RFC 9562) of a list of strings; ``("a", "b")`` and ``("ab",)`` differ."""
    return uuid.uuid5(_NAMESPACE, json.dumps(parts, ensure_ascii=False, separators=(",", ":")))


def derived_uid(*parts: str) -> str:
    """Return a DICOM UID under ``2.25.`` (PS3.5 annex B.2) made from a list of strings."""
    return f"2.25.{derived_uuid(*parts).int}"


def digest(value: Json) -> str:
    """Return the SHA-256 (hex) of a value's canonical JSON: sorted keys, no blanks, UTF-8."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def pseudonym(patient_id: str) -> str:
    """Return the 12 hex digits by which logs, file names and metrics name a patient."""
    return hashlib.sha256(f"tumorresp:{patient_id}".encode()).hexdigest()[:12]
