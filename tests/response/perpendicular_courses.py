"""Visits with lesions of two perpendicular diameters, written in a line."""

import datetime
from decimal import Decimal
from typing import Any

from tumorresp.domain.assessment import Assessment
from tumorresp.domain.measurement import LesionRole, LesionState
from tumorresp.response import LesionObservation, Visit

ROLES = {"T": LesionRole.TARGET, "NT": LesionRole.NON_TARGET, "NEW": LesionRole.NEW, "S": LesionRole.NON_TARGET}
STATES = {
    "present": LesionState.PRESENT,
    "absent": LesionState.ABSENT,
    "small": LesionState.TOO_SMALL,
    "ne": LesionState.NOT_EVALUABLE,
    "pd": LesionState.UNEQUIVOCAL_PROGRESSION,
    "equivocal": LesionState.EQUIVOCAL,
    "merged": LesionState.MERGED,
}


def lesion(text: str) -> LesionObservation:
    """``T01=40x25``: 40 by 25 mm; ``T02n``: a node; ``x12``: its short axis alone; ``S1=150``: length of the spleen.

    ``T1@T01`` is a fragment of T01, ``T9@T01+T02`` a conglomerate.
    """
    identity, value = text.split("=")
    identity, _, parents = identity.partition("@")
    nodal = identity.endswith("n")
    lesion_id = identity.removesuffix("n")
    sizes: dict[str, Any] = {}
    state = LesionState.MEASURED
    for part in value.split("/"):
        if part in STATES:
            state = STATES[part]
            continue
        long_axis, _, short_axis = part.partition("x")
        if long_axis:
            sizes["long_axis_mm"] = Decimal(long_axis)
        if short_axis:
            sizes["short_axis_mm"] = Decimal(short_axis)
    prefix = lesion_id.rstrip("0123456789")
    organ = "lymph node" if nodal else "spleen" if prefix == "S" else "liver"
    named = tuple(parents.split("+")) if parents else ()
    return LesionObservation(lesion_id, ROLES[prefix], nodal, organ, state, parents=named, **sizes)


def visits(*texts: str) -> tuple[Visit, ...]:
    """Return one visit a text, eight weeks apart."""
    start = datetime.date(2024, 1, 1)
    return tuple(
        Visit(
            f"visit-{number}",
            f"Follow-up {number}" if number else "Baseline",
            start + datetime.timedelta(days=56 * number),
            tuple(lesion(item) for item in text.split()),
        )
        for number, text in enumerate(texts)
    )


def codes(assessment: Assessment) -> set[str]:
    """Return the codes of an assessment's findings."""
    return {finding.code for finding in assessment.findings}
