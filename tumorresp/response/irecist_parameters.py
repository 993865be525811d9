"""The numbers and conventions of iRECIST."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from tumorresp.domain.eligibility import BaselineRules, TargetRules
from tumorresp.response.parameters import Recist11Parameters


class EarlyScan(StrEnum):
    """What a scan earlier than the least time after iUPD can do.

    ``waits``: it confirms nothing; an improvement counts. ``new-lesion-confirms``: of all that confirms only a further
    new lesion counts, as on a scan for new symptoms. ``disregarded``: it changes nothing, not even by an improvement.
    ``confirms``: it counts as any other.
    """

    WAITS = "waits"
    NEW_LESION_CONFIRMS = "new-lesion-confirms"
    DISREGARDED = "disregarded"
    CONFIRMS = "confirms"


class LateScan(StrEnum):
    """What further progression means that is seen later than the longest time after the last iUPD.

    ``confirms``: iCPD, with a remark. ``new-iupd``: it is an iUPD of its own, to be confirmed in its turn.
    """

    CONFIRMS = "confirms"
    NEW_IUPD = "new-iupd"


class NonTargetState(StrEnum):
    """What a reader's "unequivocal progression" says at a visit after iUPD.

    ``change``: it has grown further; "present" says that it has not. ``status``: it is as bad as at iUPD; "present"
    says that it no longer is.
    """

    CHANGE = "change"
    STATUS = "status"


class ImprovementReference(StrEnum):
    """When targets that were iUPD have improved.

    ``recist``: when they are no PD by RECIST 1.1, which asks the nadir first. ``baseline``: also when they have shrunk
    since iUPD and are no PD beside the baseline.
    """

    RECIST = "recist"
    BASELINE = "baseline"


@dataclass(frozen=True)
class IrecistParameters:
    """iRECIST (Seymour 2017, Lancet Oncol 18:e143; EORTC's questions and answers on iRECIST).

    Parameters
    ----------
    confirm_min_days, confirm_max_days
        Progression is to be confirmed by a scan so many days after iUPD (four to eight weeks). The first counts from
        the first iUPD of a row of them, the second from the last.
    early_scan, late_scan
        What a scan outside of these days can do.
    further_growth_mm
        Growth of the sum, of targets or of new-lesion targets, over its value at iUPD that confirms; cumulative.
    non_target_growth_mm
        A measured non-target lesion that was progressive, or a measured new-lesion non-target, has increased when it
        is more than so many mm larger than at iUPD ("any increase").
    new_targets, new_targets_per_organ
        How many new lesions are measured as new-lesion targets; the others are new-lesion non-targets.
    new_long_axis_mm, new_node_short_axis_mm
        Least size of a new-lesion target; on slices of more than 5 mm twice their thickness (RECIST 1.1, 3.1.1).
    new_progression, new_progression_mm
        After a response the new lesions of before make a new iUPD when their sum is at least this ratio and this
        many mm over its smallest value.
    non_target_state
        How a repeated "unequivocal progression" is read where no size tells more.
    improvement_reference
        When targets have improved after iUPD.
    unstable_is_final
        Progression of a subject who is not clinically stable is never set back by a later improvement.
    normal_node_mm, too_small_mm, partial_response, progression, progression_mm, reappearance_after_cr_is_pd,
    pr_carry_forward, markers_count
        RECIST 1.1's, by which each category is judged before it is confirmed.
    """

    confirm_min_days: int = 28
    confirm_max_days: int = 56
    early_scan: EarlyScan = EarlyScan.WAITS
    late_scan: LateScan = LateScan.CONFIRMS
    further_growth_mm: Decimal = Decimal(5)
    non_target_growth_mm: Decimal = Decimal(0)
    new_targets: int = 5
    new_targets_per_organ: int = 2
    new_long_axis_mm: Decimal = Decimal(10)
    new_node_short_axis_mm: Decimal = Decimal(15)
    new_progression: Fraction = Fraction(6, 5)
    new_progression_mm: Decimal = Decimal(5)
    non_target_state: NonTargetState = NonTargetState.CHANGE
    improvement_reference: ImprovementReference = ImprovementReference.RECIST
    unstable_is_final: bool = False
    normal_node_mm: Decimal = Decimal(10)
    too_small_mm: Decimal = Decimal(5)
    partial_response: Fraction = Fraction(7, 10)
    progression: Fraction = Fraction(6, 5)
    progression_mm: Decimal = Decimal(5)
    reappearance_after_cr_is_pd: bool = True
    pr_carry_forward: bool = False
    markers_count: bool = True

    @property
    def recist(self) -> Recist11Parameters:
        """The RECIST 1.1 parameters by which visits are judged first."""
        return Recist11Parameters(
            partial_response=self.partial_response,
            progression=self.progression,
            progression_mm=self.progression_mm,
            normal_node_mm=self.normal_node_mm,
            too_small_mm=self.too_small_mm,
            reappearance_after_cr_is_pd=self.reappearance_after_cr_is_pd,
            pr_carry_forward=self.pr_carry_forward,
            markers_count=self.markers_count,
        )

    @property
    def new_target_sizes(self) -> BaselineRules:
        """The least sizes of new-lesion targets, in the form of those of the baseline."""
        sizes = TargetRules(long_axis_mm=self.new_long_axis_mm, node_short_axis_mm=self.new_node_short_axis_mm)
        return BaselineRules(targets=sizes, normal_node_mm=self.normal_node_mm)
