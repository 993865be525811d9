"""The numbers and conventions of the Lugano criteria on CT."""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction


@dataclass(frozen=True)
class LuganoParameters:
    """Lugano classification, CT-based response (Cheson 2014, J Clin Oncol 32:3059, Table 3).

    Parameters
    ----------
    partial_response
        Sum of products over that of the baseline at or under which it is PR (at least 50 % smaller).
    lesion_progression
        Product of one lesion over its own nadir at or above which it may be PD (50 % larger).
    normal_node_mm
        A node with no longer diameter is normal; a longer one is abnormal, whether followed or new.
    new_extranodal_mm
        A new lesion outside nodes counts by itself when an axis is longer; a smaller one takes the reader's word.
    small_lesion_mm
        Longest diameter at the nadir up to which a lesion is small.
    small_growth_mm, large_growth_mm
        Least growth of either diameter for PD, of a small lesion and of a larger one.
    too_small_mm
        Both diameters of a target that is seen but too small to measure.
    most_targets
        More targets at baseline are reported; they count all the same.
    reappearance_after_cr_is_pd
        A target outside nodes that is back after an overall CR is PD whatever its size.
    normal_spleen_mm
        A spleen with no greater vertical length is normal.
    spleen_change
        Part of the excess length at baseline: a loss of more is a response, a gain of more is PD.
    spleen_growth_mm
        Least growth to an enlarged spleen, where it was normal before, for PD.
    least_spleen_mm
        A shorter lone axis in the spleen is a lesion's, not the organ's.
    """

    partial_response: Fraction = Fraction(1, 2)
    lesion_progression: Fraction = Fraction(3, 2)
    normal_node_mm: Decimal = Decimal(15)
    new_extranodal_mm: Decimal = Decimal(10)
    small_lesion_mm: Decimal = Decimal(20)
    small_growth_mm: Decimal = Decimal(5)
    large_growth_mm: Decimal = Decimal(10)
    too_small_mm: Decimal = Decimal(5)
    most_targets: int = 6
    reappearance_after_cr_is_pd: bool = True
    normal_spleen_mm: Decimal = Decimal(130)
    spleen_change: Fraction = Fraction(1, 2)
    spleen_growth_mm: Decimal = Decimal(20)
    least_spleen_mm: Decimal = Decimal(60)
