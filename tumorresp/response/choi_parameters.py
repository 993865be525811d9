"""The numbers and conventions of the Choi criteria."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum


class ProgressionReference(StrEnum):
    """What growth is measured from."""

    BASELINE = "baseline"
    NADIR = "nadir"


class DensityMean(StrEnum):
    """How the densities of several targets become one number."""

    UNWEIGHTED = "mean"
    BY_DIAMETER = "diameter-weighted"


@dataclass(frozen=True)
class ChoiParameters:
    """Choi criteria, original (Choi 2007, J Clin Oncol 25:1753) and modified (Nathan 2010, Cancer Biol Ther 9:15).

    Parameters
    ----------
    size_decrease_percent
        Least decrease of the sum of longest diameters from baseline for PR.
    density_decrease_percent
        Least decrease of the mean density from baseline for PR.
    size_increase_percent
        Least increase of the sum for PD.
    progression_reference
        What that increase is measured from; baseline in the original.
    density_mean
        Every target counts alike, or by its diameter at the same time point.
    least_baseline_hu
        A baseline density under it allows no percentage: noise of a few HU would decide.
    growth_alone_is_progression
        Growth is PD although no density is known that could have made it PR; False: NE.
    normal_node_mm
        A node under this short axis is gone (RECIST 1.1, section 4.3.1; Choi names no limit).
    too_small_mm
        Value of a target that is seen but too small to measure (RECIST 1.1, section 4.3.2).
    reappearance_after_cr_is_pd
        A target that is back after an overall CR is PD whatever its size (RECIST 1.1, EORTC clarification).
    """

    size_decrease_percent: Decimal = Decimal(10)
    density_decrease_percent: Decimal = Decimal(15)
    size_increase_percent: Decimal = Decimal(10)
    progression_reference: ProgressionReference = ProgressionReference.BASELINE
    density_mean: DensityMean = DensityMean.UNWEIGHTED
    least_baseline_hu: Decimal = Decimal(10)
    growth_alone_is_progression: bool = True
    normal_node_mm: Decimal = Decimal(10)
    too_small_mm: Decimal = Decimal(5)
    reappearance_after_cr_is_pd: bool = True
