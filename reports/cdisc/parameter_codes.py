"""PARAMCD and PARAM of the analysis data sets: one code for each quantity, criterion and evaluator.

A PARAM belongs to one PARCAT2 (evaluator) and one PARCAT3 (criterion), so both are in the code: RECIST 1.1 by the
investigator keeps the usual codes (OVR, BOR ...), iRECIST's begin with I, those of other criteria have two letters
more, and those of an independent assessor end with one letter (B alone: OVRB).
"""

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from reports.cdisc.dataset import NAME_LENGTH, Value
from reports.cdisc.subject_records import Reading
from tumorresp.domain.errors import InvalidInput
from tumorresp.response.criteria import CRITERIA

_PREFIXES: Mapping[str, str] = MappingProxyType({"irecist": "I"})
_MARKS: Mapping[str, str] = MappingProxyType(
    {
        "recist-1.1": "",
        "irecist": "",
        "mrecist": "MR",
        "choi": "CH",
        "choi-modified": "MC",
        "lugano": "LU",
        "rano": "RA",
        "volume-recist": "VR",
        "reported": "RP",
    }
)


def parameter_code(base: str, criterion: str, reading: Reading) -> str:
    """Return PARAMCD.

    Raises
    ------
    InvalidInput
        If it has more than eight characters.
    """
    code = f"{_PREFIXES.get(criterion, '')}{base}{_mark(criterion)}{reading.parameter_suffix}"
    if len(code) > NAME_LENGTH:
        raise InvalidInput(f"the parameter code {code} is longer than {NAME_LENGTH} characters.", where=criterion)
    return code


def numbered_code(base: str, number: int, reading: Reading) -> str:
    """Return PARAMCD of a lesion: LDIAM1; the name is cut where number and evaluator leave less room."""
    end = f"{number}{reading.parameter_suffix}"
    return base[: NAME_LENGTH - len(end)] + end


def parameter(base: str, words: str, criterion: str, reading: Reading, category: str) -> dict[str, Value]:
    """Return PARAMCD, PARAM and PARCAT1 to 3 of a quantity of a criterion."""
    title = criterion_title(criterion)
    return {
        "PARAMCD": parameter_code(base, criterion, reading),
        "PARAM": f"{words} by {reading.evaluator_title} ({title})",
        "PARCAT1": category,
        "PARCAT2": reading.evaluator_title.upper(),
        "PARCAT3": title,
    }


def criterion_title(criterion: str) -> str:
    """Return a criterion as people write it."""
    known = CRITERIA.get(criterion)
    return known.title if known is not None else criterion


@cache
def _mark(criterion: str) -> str:
    if criterion in _MARKS:
        return _MARKS[criterion]
    others = [name for name in CRITERIA if name not in _MARKS]
    return f"X{others.index(criterion) + 1}" if criterion in others else "X0"
