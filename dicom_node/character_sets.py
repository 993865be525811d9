"""Texts of a data set whatever its Specific Character Set (0008,0005) says; an odd one harms one text at most."""

from pydicom.charset import default_encoding
from pydicom.dataset import Dataset

_UNREADABLE = (LookupError, ValueError, TypeError, AttributeError, NotImplementedError)


def text_of(dataset: Dataset, keyword: str) -> str:
    """Return an attribute's text without blanks at the ends; empty where it is absent or cannot be read at all.

    A text that its character set does not hold is read as ISO 8859-1, where every byte has a letter.
    """
    try:
        value = dataset.get(keyword)
        return str(value or "").strip()
    except _UNREADABLE:
        pass
    try:
        raw = dataset.get_item(keyword)
        content = getattr(raw, "value", b"") or b""
        return content.decode(default_encoding, errors="replace").strip("\0 ") if isinstance(content, bytes) else ""
    except _UNREADABLE:
        return ""
