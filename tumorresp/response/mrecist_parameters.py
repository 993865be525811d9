"""The numbers and conventions of mRECIST."""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction


@dataclass(frozen=True)
class MRecistParameters:
    """mRECIST (Lencioni and Llovet 2010), with RECIST 1.1's numbers where it names none.

    Parameters
    ----------
    partial_response
        Sum of viable diameters over that of the baseline at or under which it is PR (at least 30 % smaller).
    progression
        Sum over nadir at or above which it is PD (20 % larger).
    progression_mm
        Least absolute growth of the sum for PD; the publication has none, RECIST 1.1 has 5 mm.
    least_target_mm
        Viable diameter that a target should have at baseline.
    new_nodule_mm
        Longest diameter from which a new liver nodule with arterial enhancement counts.
    new_nodule_growth_mm
        Growth by which a new liver nodule counts whatever its enhancement.
    malignant_node_mm, porta_hepatis_node_mm
        Short axis from which a node is malignant: elsewhere, and at the porta hepatis.
    porta_hepatis_words
        What site or label calls the porta hepatis, separated by commas.
    normal_node_mm
        A node under this short axis is normal (RECIST 1.1, section 4.3.1).
    too_small_mm
        Value of a target that is seen but too small to measure (RECIST 1.1, section 4.3.2).
    effusion_needs_cytology
        Ascites and effusions that are new or worse count only when a label says that cytology is positive.
    long_axis_outside_liver
        A target outside the liver without a viable diameter counts with its longest diameter, as in RECIST 1.1.
    reappearance_after_cr_is_pd, pr_carry_forward
        As in RECIST 1.1.
    markers_count
        Elevated tumour markers stand against CR, as in RECIST 1.1; mRECIST goes by enhancement alone.
    """

    partial_response: Fraction = Fraction(7, 10)
    progression: Fraction = Fraction(6, 5)
    progression_mm: Decimal = Decimal(0)
    least_target_mm: Decimal = Decimal(10)
    new_nodule_mm: Decimal = Decimal(10)
    new_nodule_growth_mm: Decimal = Decimal(10)
    malignant_node_mm: Decimal = Decimal(15)
    porta_hepatis_node_mm: Decimal = Decimal(20)
    porta_hepatis_words: str = "porta hepatis, portal node, periportal, portocaval, hepatic hilum, hepatoduodenal"
    normal_node_mm: Decimal = Decimal(10)
    too_small_mm: Decimal = Decimal(5)
    effusion_needs_cytology: bool = True
    long_axis_outside_liver: bool = False
    reappearance_after_cr_is_pd: bool = True
    pr_carry_forward: bool = False
    markers_count: bool = False
