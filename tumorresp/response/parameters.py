"""The criteria's numbers and conventions, as frozen values that every result carries."""

from dataclasses import dataclass, fields
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


@dataclass(frozen=True)
class Recist11Parameters:
    """RECIST 1.1 (Eisenhauer 2009, Eur J Cancer 45:228) with the EORTC's clarifications.

    Parameters
    ----------
    partial_response
        Sum over baseline sum at or under which it is PR (section 4.3.1: at least 30 % smaller).
    progression
        Sum over nadir at or above which it is PD, provided the absolute growth (20 % larger).
    progression_mm
        Least absolute growth of the sum for PD.
    normal_node_mm
        A node under this short axis is normal (section 4.3.1).
    too_small_mm
        Value of a target that is seen but too small to measure (section 4.3.2).
    reappearance_after_cr_is_pd
        A non-nodal target that is back after an overall CR is PD whatever its size (EORTC clarification).
    pr_carry_forward
        False: each visit by its own numbers. True: PR persists until PD (the other published reading).
    markers_count
        Where tumour markers are known to be above the upper limit of normal there is no CR (section 4.3.3).
    incomplete_sum_shown
        Where a target was not assessed, the sum and the changes of the others are shown all the same, as admiralonco's
        SDIAM does; they make no category and no nadir.
    """

    partial_response: Fraction = Fraction(7, 10)
    progression: Fraction = Fraction(6, 5)
    progression_mm: Decimal = Decimal(5)
    normal_node_mm: Decimal = Decimal(10)
    too_small_mm: Decimal = Decimal(5)
    reappearance_after_cr_is_pd: bool = True
    pr_carry_forward: bool = False
    markers_count: bool = True
    incomplete_sum_shown: bool = False


class VolumeFrom(StrEnum):
    """Where a lesion's volume comes from.

    ``mask``: the measured or stated volume. ``ellipsoid``: pi/6 times its three perpendicular diameters, whether there
    is a volume or not, so that the volumes of one course are alike.
    """

    MASK = "mask"
    ELLIPSOID = "ellipsoid"


@dataclass(frozen=True)
class VolumetricParameters:
    """RECIST's thresholds for the volume of a sphere; exploratory.

    Parameters
    ----------
    partial_response, progression
        Total volume over baseline and over nadir: 0.7 and 1.2 cubed.
    progression_sphere_mm
        Least growth of the diameter of the sphere with the total volume: RECIST's 5 mm.
    normal_node_mm
        A node under this short axis is normal, as in RECIST 1.1, though its volume is not 0.
    too_small_mm
        Diameter of the sphere taken for a target that is seen but too small to measure and has no mask.
    reappearance_after_cr_is_pd, pr_carry_forward, markers_count
        As in RECIST 1.1.
    non_target_growth
        A non-target lesion's volume over its smallest so far at or above which progression is suggested to the reader
        (RECIST 1.1, section 4.3.4, likens it to 20 % of diameter); it never counts by itself.
    incomplete_sum_shown
        As in RECIST 1.1.
    volume_from
        Where a target's volume comes from.
    """

    partial_response: Fraction = Fraction(343, 1000)
    progression: Fraction = Fraction(1728, 1000)
    progression_sphere_mm: Decimal = Decimal(5)
    normal_node_mm: Decimal = Decimal(10)
    too_small_mm: Decimal = Decimal(5)
    reappearance_after_cr_is_pd: bool = True
    pr_carry_forward: bool = False
    markers_count: bool = True
    non_target_growth: Fraction = Fraction(1728, 1000)
    incomplete_sum_shown: bool = False
    volume_from: VolumeFrom = VolumeFrom.MASK


@cache
def as_pairs(parameters: "DataclassInstance") -> tuple[tuple[str, str], ...]:
    """Return every field of a parameter object as (name, text), in order."""
    return tuple((field.name, str(getattr(parameters, field.name))) for field in fields(parameters))
