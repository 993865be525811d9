"""Volumetric profiles: the same argument as ``volume-recist`` with other thresholds. None is a regulatory criterion."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from tumorresp.domain.assessment import Assessment
from tumorresp.response.observation import Visit
from tumorresp.response.parameters import VolumetricParameters
from tumorresp.response.volumetric import assess_volumes

RELIABILITY = "volume-reliability"
SPHERE_ROUNDED = "volume-65-73"
EARLY_PHASE = "volume-30-20"
QUARTER = "volume-25-25"


@dataclass(frozen=True)
class ReliabilityParameters(VolumetricParameters):
    """Thresholds at the limits of measurement reliability (Beaumont 2015): -35 % and +55 %.

    Parameters
    ----------
    partial_response, progression
        Total volume over baseline and over nadir.
    progression_sphere_mm
        0: no least growth; the thresholds are limits of reliability already.
    """

    partial_response: Fraction = Fraction(65, 100)
    progression: Fraction = Fraction(155, 100)
    progression_sphere_mm: Decimal = Decimal(0)


@dataclass(frozen=True)
class SphereRoundedParameters(VolumetricParameters):
    """The spherical equivalents of RECIST's thresholds as they are usually printed: -65 % and +73 %."""

    partial_response: Fraction = Fraction(35, 100)
    progression: Fraction = Fraction(173, 100)


@dataclass(frozen=True)
class EarlyPhaseParameters(VolumetricParameters):
    """RECIST's percentages taken of the volume, as some early trials report: -30 % and +20 %."""

    partial_response: Fraction = Fraction(70, 100)
    progression: Fraction = Fraction(120, 100)
    progression_sphere_mm: Decimal = Decimal(0)


@dataclass(frozen=True)
class QuarterParameters(VolumetricParameters):
    """A quarter either way: -25 % and +25 %."""

    partial_response: Fraction = Fraction(75, 100)
    progression: Fraction = Fraction(125, 100)
    progression_sphere_mm: Decimal = Decimal(0)


def assess_volume_reliability(
    visits: Sequence[Visit], parameters: ReliabilityParameters | None = None
) -> tuple[Assessment, ...]:
    """Assess every visit by ``volume-reliability``; see ``assess_volumetric``."""
    return assess_volumes(visits, parameters or ReliabilityParameters(), RELIABILITY)


def assess_volume_sphere_rounded(
    visits: Sequence[Visit], parameters: SphereRoundedParameters | None = None
) -> tuple[Assessment, ...]:
    """Assess every visit by ``volume-65-73``; see ``assess_volumetric``."""
    return assess_volumes(visits, parameters or SphereRoundedParameters(), SPHERE_ROUNDED)


def assess_volume_early_phase(
    visits: Sequence[Visit], parameters: EarlyPhaseParameters | None = None
) -> tuple[Assessment, ...]:
    """Assess every visit by ``volume-30-20``; see ``assess_volumetric``."""
    return assess_volumes(visits, parameters or EarlyPhaseParameters(), EARLY_PHASE)


def assess_volume_quarter(
    visits: Sequence[Visit], parameters: QuarterParameters | None = None
) -> tuple[Assessment, ...]:
    """Assess every visit by ``volume-25-25``; see ``assess_volumetric``."""
    return assess_volumes(visits, parameters or QuarterParameters(), QUARTER)
