"""What a response criterion says of a time point, with the reasons."""

from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from tumorresp.domain.finding import Finding


class Category(StrEnum):
    """Response categories of RECIST 1.1 and its volumetric analogue."""

    CR = "CR"
    PR = "PR"
    SD = "SD"
    PD = "PD"
    NE = "NE"
    NON_CR_NON_PD = "NON-CR/NON-PD"
    NED = "NED"
    BASELINE = "BASELINE"
    NOT_APPLICABLE = "NA"


class NewLesionStatus(StrEnum):
    """Whether new lesions are seen at a time point."""

    NO = "no"
    EQUIVOCAL = "equivocal"
    YES = "yes"


@dataclass(frozen=True)
class Assessment:
    """One criterion at one time point.

    Parameters
    ----------
    criterion
        ``recist-1.1`` or ``volume-recist``.
    target, non_target, overall
        ``NOT_APPLICABLE`` where the subject has no lesion of that kind; ``BASELINE`` at baseline.
    unit
        Of the sums: ``mm`` or ``mm3``.
    target_sum, baseline_sum, nadir_sum
        Unrounded; None when incomplete or not yet defined. The nadir is that of earlier time points, baseline included.
    change_from_baseline_percent, change_from_nadir_percent, change_from_nadir
        Unrounded, for display; never what was compared. None where undefined (zero reference, incomplete sum).
    reasons
        Sentences in the order of the argument; together they let a reader repeat the calculation by hand.
    parameters
        (name, value) pairs of the rule's parameters.
    """

    criterion: str
    time_point_id: str
    target: Category
    non_target: Category
    new_lesions: NewLesionStatus
    overall: Category
    unit: str
    target_sum: Decimal | None
    baseline_sum: Decimal | None
    nadir_sum: Decimal | None
    change_from_baseline_percent: Decimal | None
    change_from_nadir_percent: Decimal | None
    change_from_nadir: Decimal | None
    reasons: tuple[str, ...]
    parameters: tuple[tuple[str, str], ...]
    software_version: str
    findings: tuple[Finding, ...] = field(default=())
