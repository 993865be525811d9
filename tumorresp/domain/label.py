"""What readers call lesions, as it is compared."""

import re
import unicodedata

# Words that any lesion may be called.
_GENERIC = frozenset(
    ("lesion", "tumor", "tumour", "mass", "nodule", "node", "lymphnode", "metastasis", "target", "targetlesion",
     "non-target", "non-targetlesion", "new", "newlesion", "bidirectional", "length", "line", "measurement", "recist")
)  # fmt: skip
_OLD = re.compile(r"(?:^|[^a-z])(?:old|older|previous|prior|obsolete|superseded|outdated|backup|alt)(?:[^a-z]|$)")


def compared_label(label: str) -> str:
    """Return a label as it is compared: Unicode NFC, without case and blanks; empty where it could be any lesion's."""
    compared = "".join(unicodedata.normalize("NFC", unicodedata.normalize("NFC", label).casefold()).split())
    return "" if compared in _GENERIC else compared


def is_called_old(label: str) -> bool:
    """Return whether a label says that what it names was replaced: ``GTV_old``, ``Liver (previous)``."""
    return _OLD.search(label.casefold()) is not None
