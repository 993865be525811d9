"""The private concepts of our structured reports, and which coded concept stands for which word of the ground floor.

Codes of DICOM (PS3.16) are used where they exist. Those of CID 6143 and 6144 are defined by diameters, so they answer
for RECIST 1.1 only; other criteria, overall categories, sums and reasons have codes of ``99TUMORRESP``.
"""

from tumorresp.domain.assessment import Category, NewLesionStatus
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


RECIST = "recist-1.1"

# CID 100 has no plain "CT"; of LOINC's CT procedures this one names no body region.
PROCEDURE = Code("25045-6", "LN", "CT unspecified body region")
SUM_OF_SEGMENTED_VOXELS = Code("126030", "DCM", "Sum of segmented voxel volumes")
MEASUREMENT_METHOD = Code("370129005", "SCT", "Measurement Method")
DERIVATION = Code("121401", "DCM", "Derivation")
BASELINE_TYPE = Code("C1442488", "UMLS", "Baseline")
BASELINE_EVENT = Code("121079", "DCM", "Baseline")

MASK_FERET = _private("mask-feret", "Feret diameter and greatest perpendicular of the mask")
SURFACE_VOXEL_SHARE = _private("surface-share", "Share of voxels on the surface of the mask")

OVERALL_RESPONSE = _private("overall-response", "Overall Response at Time Point")
NEW_LESIONS = _private("new-lesions", "New Lesions")
TARGET_SUM = _private("target-sum", "Sum of Target Lesions")
BASELINE_SUM = _private("baseline-sum", "Sum of Target Lesions at Baseline")
NADIR_SUM = _private("nadir-sum", "Smallest Sum of Target Lesions Before")
CHANGE_FROM_BASELINE = _private("change-baseline", "Relative Change of Sum from Baseline")
CHANGE_FROM_NADIR = _private("change-nadir", "Relative Change of Sum from Nadir")
DIFFERENCE_FROM_NADIR = _private("diff-nadir", "Absolute Change of Sum from Nadir")
REASON = _private("reason", "Reason")
RULE_PARAMETER = _private("rule-parameter", "Rule Parameter")
REMARK = _private("remark", "Remark")

CRITERIA = {
    RECIST: RECIST_1_1,
    "volume-recist": _private("volume-recist", "Volumetric response, limits of RECIST 1.1 cubed"),
}
ROLES = {LesionRole.TARGET: ROLE_TARGET, LesionRole.NON_TARGET: ROLE_NON_TARGET, LesionRole.NEW: ROLE_NEW}
STATES = {
    LesionState.MEASURED: _private("measured", "Measured"),
    LesionState.PRESENT: PRESENT,
    LesionState.TOO_SMALL: STATE_TOO_SMALL,
    LesionState.ABSENT: ABSENT,
    LesionState.NOT_EVALUABLE: STATE_NOT_EVALUABLE,
    LesionState.UNEQUIVOCAL_PROGRESSION: STATE_UNEQUIVOCAL_PROGRESSION,
    LesionState.EQUIVOCAL: STATE_EQUIVOCAL,
}
NEW_LESION_ANSWERS = {
    NewLesionStatus.NO: _private("new-no", "No new lesion"),
    NewLesionStatus.EQUIVOCAL: _private("new-equivocal", "Equivocal new lesion"),
    NewLesionStatus.YES: _private("new-yes", "New lesion"),
}

_CATEGORY_WORDS = {
    Category.CR: "Complete Response",
    Category.PR: "Partial Response",
    Category.SD: "Stable Disease",
    Category.PD: "Progressive Disease",
    Category.NE: "Not Evaluable",
    Category.NON_CR_NON_PD: "Neither Complete Response nor Progressive Disease",
    Category.NED: "No Evidence of Disease",
    Category.BASELINE: "Baseline, no response yet",
}
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


def criterion_code(criterion: str) -> Code:
    """Return the method by which a response was found."""
    return CRITERIA.get(criterion) or _private(criterion, criterion)


def target_answer(criterion: str, category: Category) -> Code:
    """Return the coded response of target lesions."""
    standard = _TARGET.get(category) if criterion == RECIST else None
    return standard or _answer("target", "Target Lesions", category)


def non_target_answer(criterion: str, category: Category) -> Code:
    """Return the coded response of non-target lesions."""
    standard = _NON_TARGET.get(category) if criterion == RECIST else None
    return standard or _answer("non-target", "Non-Target Lesions", category)


def overall_answer(category: Category) -> Code:
    """Return the coded overall response; DICOM has no code for any."""
    return _answer("overall", "Overall", category)


def _answer(of: str, words: str, category: Category) -> Code:
    return _private(f"{of}-{category.lower().replace('/', '-')}", f"{words}: {_CATEGORY_WORDS[category]}")
