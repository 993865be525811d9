"""What a response criterion says of a time point, with the reasons."""

import datetime
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from tumorresp.domain.finding import Finding


class Category(StrEnum):
    """Response categories of all criteria, spelt as CDISC's terminology does."""

    CR = "CR"
    PR = "PR"
    SD = "SD"
    PD = "PD"
    NE = "NE"
    NON_CR_NON_PD = "NON-CR/NON-PD"
    MR = "MR"
    ICR = "iCR"
    IPR = "iPR"
    ISD = "iSD"
    NON_ICR_NON_IUPD = "NON-iCR/NON-iUPD"
    IUPD = "iUPD"
    ICPD = "iCPD"
    NED = "NED"
    MISSING = "MISSING"
    BASELINE = "BASELINE"
    NOT_APPLICABLE = "NA"


class NewLesionStatus(StrEnum):
    """Whether new lesions are seen at a time point."""

    NO = "no"
    EQUIVOCAL = "equivocal"
    YES = "yes"


@dataclass(frozen=True, slots=True)
class LesionInput:
    """What one lesion gave to an assessment.

    Parameters
    ----------
    quantity
        In words: ``long axis``, ``short axis``, ``volume``, ``viable diameter``, ``mean density``, ``product of
        diameters``.
    value
        Unrounded, in ``unit`` (mm, mm2, mm3, HU); None where the lesion could not be evaluated.
    note
        How the number came about where it is not simply measured.
    source
        Where the observation came from: a table's row, a measurement's UID.
    """

    lesion_id: str
    quantity: str
    value: Decimal | None
    unit: str
    note: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class SecondaryMeasure:
    """A number that a criterion looks at beside its sum (mean density, sum of new lesions).

    ``value`` and ``reference`` are unrounded; the reference is what it was compared with (baseline or nadir, as
    ``reference_name`` says).
    """

    name: str
    unit: str
    value: Decimal | None
    reference: Decimal | None = None
    reference_name: str = ""
    change_percent: Decimal | None = None


@dataclass(frozen=True)
class Assessment:
    """One criterion at one time point.

    Parameters
    ----------
    criterion
        Its name in ``tumorresp.response.criteria``.
    target, non_target, overall
        ``NOT_APPLICABLE`` where the subject has no lesion of that kind; ``BASELINE`` at baseline.
    unit
        Of the sums: ``mm``, ``mm2`` or ``mm3``.
    target_sum, baseline_sum, nadir_sum
        Unrounded; None when incomplete or not yet defined. The nadir is that of earlier time points, baseline included.
    sum_is_complete
        False where ``target_sum`` and the changes are those of the assessed lesions alone, shown because the protocol
        asks for it: no baseline, no nadir, and what no category but PD rests on.
    change_from_baseline_percent, change_from_nadir_percent, change_from_nadir
        Unrounded, for display; never what was compared. None where undefined (zero reference, incomplete sum).
    reasons
        Sentences in the order of the argument; together they let a reader repeat the calculation by hand.
    parameters
        (name, value) pairs of the rule's parameters.
    progression_date
        From when progression counts where that is earlier than the visit (a confirmed equivocal lesion).
    inputs, secondary
        The numbers that the category was made from, lesion by lesion, and those beside the sum.
    refused
        What was given and could not be read, here or where it bears on this visit; in words, each with its place.
    refused_targets_only
        Whether what may hide progression among it are targets of this visit alone: later visits count on, as after any
        visit at which a target was not evaluable.
    provisional
        Numbers that are perhaps wrong and may have made this response; in words, each with its place.
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
    progression_date: datetime.date | None = None
    inputs: tuple[LesionInput, ...] = field(default=())
    secondary: tuple[SecondaryMeasure, ...] = field(default=())
    refused: tuple[str, ...] = field(default=())
    provisional: tuple[str, ...] = field(default=())
    sum_is_complete: bool = True
    refused_targets_only: bool = False

    @property
    def complete_sum(self) -> Decimal | None:
        """The sum of all target lesions; None where one is missing."""
        return self.target_sum if self.sum_is_complete else None
