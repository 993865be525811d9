"""What readers call lesions, as it is compared."""

import re
import unicodedata

# Words that any lesion may be called.
_GENERIC = frozenset(
    ("lesion", "tumor", "tumour", "mass", "nodule", "node", "lymphnode", "metastasis", "target", "targetlesion",
     "non-target", "non-targetlesion", "new", "newlesion", "bidirectional", "length", "line", "measurement", "recist")
)  # fmt: skip
_OLD = re.compile(r"(?:^|[^a-z])(?:old|older|previous|prior|obsolete|superseded|outdated|backup|alt)(?:[^a-z]|$)")
# T1.1, T1-2, T1_b, T1a, Lesion 3 (b): what is before ends in a digit, since "Liver 2" is no part of "Liver".
_PART = re.compile(r"(.*\d)\s*(?:[._-]\s*(?:\d{1,2}|[a-h])|\(\s*(?:\d{1,2}|[a-h])\s*\)|[a-h])", re.IGNORECASE)
_JOINT = re.compile(r"\s*(?:[+&/,;]|\b(?:and|und|et|with)\b)\s*", re.IGNORECASE)
_MERGED = re.compile(r"\b(?:conglomerate|merged|confluent|confluence|fused|coalescent|of)\b|[():]", re.IGNORECASE)


def compared_label(label: str) -> str:
    """Return a label as it is compared: Unicode NFC, without case and blanks; empty where it could be any lesion's."""
    compared = "".join(unicodedata.normalize("NFC", unicodedata.normalize("NFC", label).casefold()).split())
    return "" if compared in _GENERIC else compared


def is_called_old(label: str) -> bool:
    """Return whether a label says that what it names was replaced: ``GTV_old``, ``Liver (previous)``."""
    return _OLD.search(label.casefold()) is not None


def whole_label(label: str) -> str:
    """Return the label of the lesion that a label calls a part of: ``T1`` of ``T1.2`` or ``T1b``; else empty."""
    matched = _PART.fullmatch(label.strip())
    return matched[1].strip() if matched else ""


def joined_labels(label: str) -> tuple[str, ...]:
    """Return the labels that a conglomerate's is made of: ``T1`` and ``T2`` of ``T1+T2`` or ``T1/2``; else none.

    Examples
    --------
    >>> joined_labels("conglomerate of T1 and T2")
    ('T1', 'T2')
    """
    names = [name for name in _JOINT.split(_MERGED.sub(" ", label).strip()) if name]
    if len(names) < 2:
        return ()
    stem = re.sub(r"\d+\s*$", "", names[0])
    return tuple(f"{stem}{name}" if name.isdigit() else name for name in names)
