"""The numbers and conventions of the RANO criteria, as far as size goes."""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction


@dataclass(frozen=True)
class RanoParameters:
    """RANO (Wen 2010, J Clin Oncol 28:1963; for low-grade glioma van den Bent 2011, Lancet Oncol 12:583), size only.

    Parameters
    ----------
    partial_response
        Sum of products over that of the baseline at or under which it is PR (at least 50 % smaller).
    progression
        Sum over nadir, baseline included, at or above which it is PD (25 % larger).
    minor_response
        Sum over baseline at or under which it is MR (25 % smaller), where ``with_minor_response``.
    with_minor_response
        Low-grade glioma: there is a minor response between SD and PR.
    least_diameter_mm
        Least of both diameters at baseline; a lesion under it is not measurable and is followed as non-target.
    most_targets
        More targets at baseline are reported; they count all the same.
    too_small_mm
        Both diameters of a target that is seen but too small to measure; RANO names no value, RECIST 1.1 has 5 mm.
    reappearance_after_cr_is_pd
        A target that is back after an overall CR is PD whatever its size.
    non_measurable_alone_is_stable
        Without measurable disease at baseline the best response is SD.
    """

    partial_response: Fraction = Fraction(1, 2)
    progression: Fraction = Fraction(5, 4)
    minor_response: Fraction = Fraction(3, 4)
    with_minor_response: bool = False
    least_diameter_mm: Decimal = Decimal(10)
    most_targets: int = 5
    too_small_mm: Decimal = Decimal(5)
    reappearance_after_cr_is_pd: bool = True
    non_measurable_alone_is_stable: bool = True
