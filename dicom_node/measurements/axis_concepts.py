"""Which concept names an axis, by code or by wording, as the writers in use have them."""

from enum import StrEnum

from tumorresp.domain.terminology import (
    DIAMETER,
    DISTANCE,
    LENGTH,
    LENGTH_SRT,
    LONG_AXIS,
    LONG_AXIS_SRT,
    SHORT_AXIS,
    SHORT_AXIS_SRT,
    Code,
)

REGION_WITHOUT_SIZE = "a region without a size: no length, diameter or radius stands with it"
"""Why a marked region is nothing that could be measured, in words."""

LENGTH_WITHOUT_LINE = "a length without a line or a closed region on an image"
"""Why a stated length is nothing that could be placed in the patient, in words."""


class AxisKind(StrEnum):
    """What a length is of a lesion."""

    LONG = "long"
    SHORT = "short"
    SINGLE = "single"
    RADIUS = "radius"


_LONG = (LONG_AXIS, LONG_AXIS_SRT)
_SHORT = (SHORT_AXIS, SHORT_AXIS_SRT)
_SINGLE = (
    LENGTH,
    LENGTH_SRT,
    DISTANCE,
    DIAMETER,
    Code("G-A22A", "SRT", "Length"),
    Code("M-02550", "SRT", "Diameter"),
)
_LONG_WORDS = ("long axis", "longaxis", "longest diameter", "long diameter", "major axis", "greatest diameter")
_SHORT_WORDS = ("short axis", "shortaxis", "shortest diameter", "short diameter", "minor axis", "perpendicular")
_SINGLE_WORDS = ("length", "diameter", "distance", "axis")
_RADIUS_WORDS = ("radius",)
_OTHER_WORDS = ("area", "volume", "circumference", "focal spot", "source to", "table", "path length", "scanning length")


def axis_kind(concept: Code | None) -> AxisKind | None:
    """Return what kind of axis a concept names, or None when it names none."""
    if concept is None:
        return None
    words = concept.meaning.strip().lower()
    if any(word in words for word in _OTHER_WORDS):  # first: old dcmjs codes an area as a length
        return None
    for kind, codes in ((AxisKind.LONG, _LONG), (AxisKind.SHORT, _SHORT), (AxisKind.SINGLE, _SINGLE)):
        if any(concept.same_concept(code) for code in codes):
            return kind
    for kind, wordings in (
        (AxisKind.RADIUS, _RADIUS_WORDS),
        (AxisKind.LONG, _LONG_WORDS),
        (AxisKind.SHORT, _SHORT_WORDS),
        (AxisKind.SINGLE, _SINGLE_WORDS),
    ):
        if any(word in words for word in wordings):
            return kind
    return None
