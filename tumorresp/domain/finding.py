"""What was noticed about an input or a result and must be shown to a person."""

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How much a finding matters."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, order=True)
class Finding:
    """One remark, with a stable code to filter by and a sentence to read.

    Parameters
    ----------
    code
        Stable, lower case, hyphenated, for example ``stated-length-differs``.
    severity
        ``ERROR`` means that the thing concerned was not used.
    message
        A sentence for a radiologist or a trial manager. No patient data.
    where
        UID, label or row that the sentence is about.
    decides
        True where it may have changed a response category, or keeps one from being given: such a finding stands on
        the console, in the exit code, on the status page and in the SR, not in the report alone.
    """

    code: str
    severity: Severity
    message: str
    where: str = ""
    decides: bool = False
