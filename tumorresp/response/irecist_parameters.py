"""The numbers and conventions of iRECIST."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from tumorresp.response.parameters import Recist11Parameters


class EarlyScan(StrEnum):
    """What a scan earlier than the least time after iUPD can do."""

    WAITS = "waits"
    CONFIRMS = "confirms"


@dataclass(frozen=True)
class IrecistParameters:
    """iRECIST (Seymour 2017, Lancet Oncol 18:e143).

    Parameters
    ----------
    confirm_min_days, confirm_max_days
        Progression is to be confirmed by a scan so many days after iUPD (four to eight weeks).
    early_scan
        ``waits``: a scan before that leaves iUPD as it is, with a remark. ``confirms``: it counts as any other.
    further_growth_mm
        Growth of the sum, of targets or of new-lesion targets, over its value at iUPD that confirms; cumulative.
    new_targets, new_targets_per_organ
        How many new lesions are measured as new-lesion targets; the others are new-lesion non-targets.
    new_long_axis_mm, new_node_short_axis_mm
        Least size of a new-lesion target.
    new_progression, new_progression_mm
        After a response the new lesions of before make a new iUPD when their sum is at least this ratio and this
        many mm over its smallest value.
    normal_node_mm, too_small_mm, partial_response, progression, progression_mm
        RECIST 1.1's, by which each category is judged before it is confirmed.
    """

    confirm_min_days: int = 28
    confirm_max_days: int = 56
    early_scan: EarlyScan = EarlyScan.WAITS
    further_growth_mm: Decimal = Decimal(5)
    new_targets: int = 5
    new_targets_per_organ: int = 2
    new_long_axis_mm: Decimal = Decimal(10)
    new_node_short_axis_mm: Decimal = Decimal(15)
    new_progression: Fraction = Fraction(6, 5)
    new_progression_mm: Decimal = Decimal(5)
    normal_node_mm: Decimal = Decimal(10)
    too_small_mm: Decimal = Decimal(5)
    partial_response: Fraction = Fraction(7, 10)
    progression: Fraction = Fraction(6, 5)
    progression_mm: Decimal = Decimal(5)

    @property
    def recist(self) -> Recist11Parameters:
        """The RECIST 1.1 parameters by which visits are judged first."""
        return Recist11Parameters(
            partial_response=self.partial_response,
            progression=self.progression,
            progression_mm=self.progression_mm,
            normal_node_mm=self.normal_node_mm,
            too_small_mm=self.too_small_mm,
        )
