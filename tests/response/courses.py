"""Courses of disease as short texts: ``visits("T01=40 T02n=20 NT01=present", "T01=25 T02n=17 NT01=absent")``.

``n`` after the ID is a lymph node, whose number is the short axis (``L18`` its long axis); ``v900`` is a volume in mm3;
``/`` joins several; words are states. What is not named was not assessed.
"""

import datetime
from decimal import Decimal

from tumorresp.domain.measurement import LesionRole, LesionState
from tumorresp.response import LesionObservation, Visit

_ROLES = {"T": LesionRole.TARGET, "NT": LesionRole.NON_TARGET, "NEW": LesionRole.NEW}
_STATES = {
    "present": LesionState.PRESENT,
    "absent": LesionState.ABSENT,
    "small": LesionState.TOO_SMALL,
    "ne": LesionState.NOT_EVALUABLE,
    "pd": LesionState.UNEQUIVOCAL_PROGRESSION,
    "equivocal": LesionState.EQUIVOCAL,
}


def visits(*texts: str) -> tuple[Visit, ...]:
    return tuple(visit(number, text) for number, text in enumerate(texts))


def visit(number: int, text: str) -> Visit:
    name = "Baseline" if number == 0 else f"Follow-up {number}"
    date = datetime.date(2024, 1, 1) + datetime.timedelta(days=42 * number)
    return Visit(f"visit-{number}", name, date, tuple(observation(item) for item in text.split()))


def observation(text: str) -> LesionObservation:
    identity, value = text.split("=")
    nodal = identity.endswith("n")
    lesion_id = identity.removesuffix("n")
    long_axis = short_axis = volume = None
    state = LesionState.MEASURED
    for part in value.split("/"):
        if part in _STATES:
            state = _STATES[part]
        elif part.startswith("v"):
            volume = Decimal(part[1:])
        elif part.startswith("L"):
            long_axis = Decimal(part[1:])
        elif nodal:
            short_axis = Decimal(part)
        else:
            long_axis = Decimal(part)
    role = _ROLES[lesion_id.rstrip("0123456789")]
    organ = "lymph node" if nodal else "lung"
    return LesionObservation(lesion_id, role, nodal, organ, state, long_axis, short_axis, volume)
