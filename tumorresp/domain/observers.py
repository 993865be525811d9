"""Who measured: whether a name is a person's, when two names are one reader's, and which devices count as readers."""

import re
import unicodedata
from collections.abc import Collection

# What viewers and de-identification write where they know no name (dcmjs and OHIF: "unknown^unknown").
_NO_NAMES = frozenset(
    ("", "unknown", "unnamed", "anonymous", "anonymised", "anonymized", "anon", "none", "null", "undefined", "nil",
     "n/a", "na", "n.a.", "nobody", "unspecified", "not", "available", "specified", "stated", "known", "removed",
     "deidentified", "de-identified", "withheld", "xx", "xxx", "xxxx", "-", "--", "?", "??", "*",
     "observer", "person", "user", "reader", "default", "no", "name")
)  # fmt: skip
_SEPARATORS = re.compile(r"[\s^=_,;]+")


def person_name(text: str) -> str:
    """Return a person's name as written, or an empty string where the words name nobody.

    >>> person_name("unknown^unknown"), person_name("Reader^One")
    ('', 'Reader^One')
    """
    words = _SEPARATORS.split(unicodedata.normalize("NFKC", text).casefold())
    return "" if all(word in _NO_NAMES for word in words) else text.strip()


def reader_key(name: str) -> str:
    """Return what two writings of one reader's name have in common.

    DICOM's ``Family^Given`` (PS3.5 6.2) and ``Family, Given`` are the same as ``Given Family``; case, accents' encoding
    and blanks do not count. Of a name in several scripts the first group that is filled counts.

    >>> reader_key("Reader^One^^^") == reader_key("READER, One") == reader_key("One Reader")
    True
    """
    written = unicodedata.normalize("NFKC", name)
    group = next((part for part in written.split("=") if part.strip("^ ")), "")
    parts = [part.strip() for part in re.split(r"\^|,", group)]
    given_first = [*parts[1:3], parts[0], *parts[3:]]
    return " ".join(" ".join(given_first).split()).casefold().translate(_IGNORED_MARKS) if parts else ""


_IGNORED_MARKS = str.maketrans("", "", ".'’")


def counts_as_reader(device: str, device_readers: Collection[str]) -> bool:
    """Return whether a device's measurements count, because the settings name it (its name or its UID)."""
    return device.strip().casefold() in {name.strip().casefold() for name in device_readers}
