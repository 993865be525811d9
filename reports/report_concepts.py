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


# At most 16 characters: they go into Code Value, which every reader knows; longer ones would need Long Code Value.
SUM_OF_DIAMETERS = _private("sum-of-diameters", "Sum of Diameters of Target Lesions")
TOTAL_VOLUME = _private("total-volume", "Total Volume of Target Lesions")
TARGET_SUM = _private("target-sum", "Sum of Target Lesions")
BASELINE_SUM = _private("baseline-sum", "Sum at Baseline")
NADIR_SUM = _private("nadir-sum", "Smallest Earlier Sum")
CHANGE_FROM_BASELINE = _private("change-baseline", "Change from Baseline")
CHANGE_FROM_NADIR = _private("change-nadir", "Change from Nadir")
DIFFERENCE_FROM_NADIR = _private("diff-nadir", "Difference from Nadir")
TARGET_RESPONSE = _private("resp-target", "Response of Target Lesions")
NON_TARGET_RESPONSE = _private("resp-non-target", "Response of Non-Target Lesions")
NEW_LESIONS = _private("new-lesions", "New Lesions")
OVERALL_RESPONSE = _private("resp-overall", "Overall Response")
REASON = _private("reason", "Reason")
MAY_CHANGE = _private("may-change", "May Change the Response")
RULE_PARAMETER = _private("rule-parameter", "Rule Parameter")
REMARK = _private("remark", "Remark")
VOLUMETRIC_RECIST = _private("volume-recist", "Volumetric Response")
MASK_AXIS = _private("mask-axis", "Measured on the Mask")
SURFACE_VOXEL_SHARE = _private("surface-share", "Share of Voxels on the Surface")

PROCEDURE = Code("25045-6", "LN", "CT unspecified body region")
VOXEL_VOLUME_METHOD = Code("126030", "DCM", "Sum of segmented voxel volumes")
MEASUREMENT_METHOD = Code("370129005", "SCT", "Measurement Method")
DERIVATION = Code("121401", "DCM", "Derivation")
BASELINE_TYPE = Code("C1442488", "UMLS", "Baseline")
BASELINE_EVENT = Code("121079", "DCM", "Baseline")

ROLES = {LesionRole.TARGET: ROLE_TARGET, LesionRole.NON_TARGET: ROLE_NON_TARGET, LesionRole.NEW: ROLE_NEW}
STATES = {
    LesionState.MEASURED: _private("measured", "Measured"),
    LesionState.ABSENT: ABSENT,
    LesionState.PRESENT: PRESENT,
    LesionState.TOO_SMALL: STATE_TOO_SMALL,
    LesionState.NOT_EVALUABLE: STATE_NOT_EVALUABLE,
    LesionState.UNEQUIVOCAL_PROGRESSION: STATE_UNEQUIVOCAL_PROGRESSION,
    LesionState.EQUIVOCAL: STATE_EQUIVOCAL,
    LesionState.MERGED: _private("merged", "Merged with Another Lesion"),
}
_METHODS = {"recist-1.1": RECIST_1_1, "volume-recist": VOLUMETRIC_RECIST}
_SUMS = {"recist-1.1": SUM_OF_DIAMETERS, "volume-recist": TOTAL_VOLUME}

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
    Category.MISSING: "No Response Assessment",
    Category.MR: "Minor Response",
    Category.ICR: "Immune Complete Response",
    Category.IPR: "Immune Partial Response",
    Category.ISD: "Immune Stable Disease",
    Category.NON_ICR_NON_IUPD: "Neither Immune Complete Response nor Immune Unconfirmed Progressive Disease",
    Category.IUPD: "Immune Unconfirmed Progressive Disease",
    Category.ICPD: "Immune Confirmed Progressive Disease",
    Category.BASELINE: "Baseline",
    Category.NOT_APPLICABLE: "No Such Lesions",
}


def criterion_code(criterion: str) -> Code:
    """Return the criterion as a measurement method."""
    return _METHODS.get(criterion) or _private(criterion, criterion)


def sum_code(criterion: str) -> Code:
    """Return what a criterion sums."""
    return _SUMS.get(criterion, TARGET_SUM)


def category_code(category: Category) -> Code:
    """Return the private code of a category: DCM has none for overall responses, nor for NE."""
    return _private(category.value.lower().replace("/", "-"), _WORDS[category])


def standard_codes(assessment: Assessment) -> tuple[Code, ...]:
    """Return DCM's codes of the target and the non-target response (CID 6143, 6144), where there are such.

    They are defined by RECIST's diameters, so a volumetric response never gets one.
    """
    if assessment.criterion != "recist-1.1":
        return ()
    found = _TARGET.get(assessment.target), _NON_TARGET.get(assessment.non_target)
    return tuple(code for code in found if code is not None)


def new_lesions_code(status: NewLesionStatus) -> Code:
    """Return whether there are new lesions."""
    if status is NewLesionStatus.EQUIVOCAL:
        return STATE_EQUIVOCAL
    return PRESENT if status is NewLesionStatus.YES else ABSENT
