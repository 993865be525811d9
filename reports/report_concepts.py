"""The concepts of the structured report that no standard scheme has, and those of responses that DCM has."""

from tumorresp.domain.assessment import Assessment, Category, NewLesionStatus
from tumorresp.domain.measurement import LesionRole, LesionState
from tumorresp.domain.terminology import (
    ABSENT,
    NON_TARGET_CR,
    NON_TARGET_PD,
    NON_TARGET_SD,
    PRESENT,
    PRIVATE_SCHEME,
    RECIST_1_1,
    ROLE_NEW,
    ROLE_NON_TARGET,
    ROLE_TARGET,
    STATE_EQUIVOCAL,
    STATE_NOT_EVALUABLE,
    STATE_TOO_SMALL,
    STATE_UNEQUIVOCAL_PROGRESSION,
    TARGET_CR,
    TARGET_PD,
    TARGET_PR,
    TARGET_SD,
    Code,
)


def _private(value: str, meaning: str) -> Code:
    return Code(value, PRIVATE_SCHEME, meaning)


SUM_OF_DIAMETERS = _private("sum-of-diameters", "Sum of Diameters of Target Lesions")
TOTAL_VOLUME = _private("total-volume", "Total Volume of Target Lesions")
BASELINE_SUM = _private("baseline-sum", "Sum at Baseline")
NADIR_SUM = _private("nadir-sum", "Smallest Earlier Sum")
CHANGE_FROM_BASELINE = _private("change-from-baseline", "Change from Baseline")
CHANGE_FROM_NADIR = _private("change-from-nadir", "Change from Nadir")
TARGET_RESPONSE = _private("target-response", "Response of Target Lesions")
NON_TARGET_RESPONSE = _private("non-target-response", "Response of Non-Target Lesions")
NEW_LESIONS = _private("new-lesions", "New Lesions")
OVERALL_RESPONSE = _private("overall-response", "Overall Response")
REASON = _private("reason", "Reason")
VOLUMETRIC_RECIST = _private("volume-recist", "Volumetric Response")
RADIOLOGIST_AXIS = _private("reader-axis", "Measured by the Reader")
MASK_AXIS = _private("mask-axis", "Measured on the Mask")

ROLES = {LesionRole.TARGET: ROLE_TARGET, LesionRole.NON_TARGET: ROLE_NON_TARGET, LesionRole.NEW: ROLE_NEW}
STATES = {
    LesionState.ABSENT: ABSENT,
    LesionState.PRESENT: PRESENT,
    LesionState.TOO_SMALL: STATE_TOO_SMALL,
    LesionState.NOT_EVALUABLE: STATE_NOT_EVALUABLE,
    LesionState.UNEQUIVOCAL_PROGRESSION: STATE_UNEQUIVOCAL_PROGRESSION,
    LesionState.EQUIVOCAL: STATE_EQUIVOCAL,
}
METHODS = {"recist-1.1": RECIST_1_1, "volume-recist": VOLUMETRIC_RECIST}
SUMS = {"recist-1.1": SUM_OF_DIAMETERS, "volume-recist": TOTAL_VOLUME}

_TARGET = {
    Category.CR: TARGET_CR,
    Category.PR: TARGET_PR,
    Category.SD: TARGET_SD,
    Category.PD: TARGET_PD,
}
_NON_TARGET = {
    Category.CR: NON_TARGET_CR,
    Category.NON_CR_NON_PD: NON_TARGET_SD,
    Category.PD: NON_TARGET_PD,
}
_WORDS = {
    Category.CR: "Complete Response",
    Category.PR: "Partial Response",
    Category.SD: "Stable Disease",
    Category.PD: "Progressive Disease",
    Category.NE: "Not Evaluable",
    Category.NON_CR_NON_PD: "Neither Complete Response nor Progressive Disease",
    Category.NED: "No Evidence of Disease",
    Category.BASELINE: "Baseline",
    Category.NOT_APPLICABLE: "No Such Lesions",
}


def category_code(category: Category) -> Code:
    """Return the private code of a category: DCM has none for overall responses, nor for NE."""
    return _private(category.value.lower().replace("/", "-"), _WORDS[category])


def target_code(assessment: Assessment) -> Code:
    """Return DCM's code of a target response, private where DCM has none.

    DCM's codes are defined for RECIST's diameters, so a volumetric response never gets one.
    """
    if assessment.criterion != "recist-1.1":
        return category_code(assessment.target)
    return _TARGET.get(assessment.target, category_code(assessment.target))


def non_target_code(assessment: Assessment) -> Code:
    """Return DCM's code of a non-target response, private where DCM has none."""
    return _NON_TARGET.get(assessment.non_target, category_code(assessment.non_target))


def new_lesions_code(status: NewLesionStatus) -> Code:
    """Return whether there are new lesions."""
    if status is NewLesionStatus.EQUIVOCAL:
        return STATE_EQUIVOCAL
    return PRESENT if status is NewLesionStatus.YES else ABSENT
