"""Headers as people write them: `Subject ID`, `LONG AXIS (mm)`, `lesion-id`."""

import re
import unicodedata
from collections.abc import Mapping
from types import MappingProxyType

OTHER_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "subject_id": "subject",
        "lesion_id": "lesion",
        "scan_date": "date",
        "visit_name": "visit",
        "reader": "evaluator",
        "overall_response": "response",
    }
)
"""Other words for columns; anything else that is not known stays an error."""


def column_name(header: str) -> str:
    """Return a header as a column's name: lower case, with underscores for all that is neither letter nor digit.

    >>> column_name("Subject ID")
    'subject'
    >>> column_name("Long axis (mm)")
    'long_axis_mm'
    """
    plain = unicodedata.normalize("NFC", header).strip().lower()
    name = re.sub(r"[\W_]+", "_", plain).strip("_")
    return OTHER_NAMES.get(name, name)
