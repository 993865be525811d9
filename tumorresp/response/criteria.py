"""Every response criterion by its name: what it is, where it comes from, how it is computed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from tumorresp.domain.assessment import Assessment
from tumorresp.domain.errors import InvalidInput
from tumorresp.response.choi import assess_choi, assess_modified_choi
from tumorresp.response.choi_parameters import ChoiParameters
from tumorresp.response.irecist import assess_irecist
from tumorresp.response.irecist_parameters import IrecistParameters
from tumorresp.response.lugano import assess_lugano
from tumorresp.response.lugano_parameters import LuganoParameters
from tumorresp.response.mrecist import assess_mrecist
from tumorresp.response.mrecist_parameters import MRecistParameters
from tumorresp.response.observation import Visit
from tumorresp.response.parameters import Recist11Parameters, VolumetricParameters
from tumorresp.response.rano import assess_rano
from tumorresp.response.rano_parameters import RanoParameters
from tumorresp.response.recist_1_1 import assess_recist_1_1
from tumorresp.response.volume_profiles import (
    EARLY_PHASE,
    QUARTER,
    RELIABILITY,
    SPHERE_ROUNDED,
    EarlyPhaseParameters,
    QuarterParameters,
    ReliabilityParameters,
    SphereRoundedParameters,
    assess_volume_early_phase,
    assess_volume_quarter,
    assess_volume_reliability,
    assess_volume_sphere_rounded,
)
from tumorresp.response.volumetric import assess_volumetric


@dataclass(frozen=True)
class Criterion:
    """A response criterion.

    Parameters
    ----------
    name
        As on the command line: ``recist-1.1``.
    title
        As people write it: RECIST 1.1.
    source
        The publication.
    parameters
        The frozen class of its parameters; made without arguments it holds the published defaults.
    assess
        From (visits in order of date, parameters or None) to one assessment a visit.
    rscat
        CDISC's RSCAT, empty where the controlled terminology has none.
    exploratory
        No regulatory or consensus criterion.
    """

    name: str
    title: str
    source: str
    parameters: type[Any]
    assess: Callable[[Sequence[Visit], Any], tuple[Assessment, ...]]
    rscat: str = ""
    exploratory: bool = False


_ALL = (
    Criterion(
        "recist-1.1",
        "RECIST 1.1",
        "Eisenhauer et al., Eur J Cancer 45 (2009) 228-247",
        Recist11Parameters,
        assess_recist_1_1,
        rscat="RECIST 1.1",
    ),
    Criterion(
        "irecist",
        "iRECIST",
        "Seymour et al., Lancet Oncol 18 (2017) e143-e152",
        IrecistParameters,
        assess_irecist,
        rscat="iRECIST",
    ),
    Criterion(
        "mrecist",
        "mRECIST (hepatocellular carcinoma)",
        "Lencioni and Llovet, Semin Liver Dis 30 (2010) 52-60",
        MRecistParameters,
        assess_mrecist,
        rscat="MODIFIED RECIST",
    ),
    Criterion(
        "choi",
        "Choi",
        "Choi et al., J Clin Oncol 25 (2007) 1753-1759",
        ChoiParameters,
        assess_choi,
        rscat="CHOI",
    ),
    Criterion(
        "choi-modified",
        "Modified Choi",
        "Nathan et al., Cancer Biol Ther 9 (2010) 15-19",
        ChoiParameters,
        assess_modified_choi,
    ),
    Criterion(
        "lugano",
        "Lugano classification (CT)",
        "Cheson et al., J Clin Oncol 32 (2014) 3059-3068",
        LuganoParameters,
        assess_lugano,
        rscat="LUGANO CLASSIFICATION",
    ),
    Criterion(
        "rano",
        "RANO (size part)",
        "Wen et al., J Clin Oncol 28 (2010) 1963-1972",
        RanoParameters,
        assess_rano,
        rscat="RANO",
    ),
    Criterion(
        "volume-recist",
        "Volumetric (RECIST's thresholds cubed)",
        "RECIST 1.1's ratios for the volume of a sphere",
        VolumetricParameters,
        assess_volumetric,
        exploratory=True,
    ),
    Criterion(
        RELIABILITY,
        "Volumetric (limits of reliability)",
        "Beaumont et al. 2015: -35 % and +55 %",
        ReliabilityParameters,
        assess_volume_reliability,
        exploratory=True,
    ),
    Criterion(
        SPHERE_ROUNDED,
        "Volumetric (-65 % and +73 %)",
        "RECIST's thresholds for a sphere as usually printed",
        SphereRoundedParameters,
        assess_volume_sphere_rounded,
        exploratory=True,
    ),
    Criterion(
        EARLY_PHASE,
        "Volumetric (-30 % and +20 %)",
        "RECIST's percentages of the volume, in some early trials",
        EarlyPhaseParameters,
        assess_volume_early_phase,
        exploratory=True,
    ),
    Criterion(
        QUARTER,
        "Volumetric (-25 % and +25 %)",
        "in the literature; no consensus behind it",
        QuarterParameters,
        assess_volume_quarter,
        exploratory=True,
    ),
)

CRITERIA: Mapping[str, Criterion] = MappingProxyType({item.name: item for item in _ALL})


def criterion_named(name: str) -> Criterion:
    """Return a criterion.

    Raises
    ------
    InvalidInput
        If there is none of this name.
    """
    found = CRITERIA.get(name.lower())
    if found is None:
        raise InvalidInput(
            f"there is no criterion {name!r}.", where="criterion", remedy=f"Known are {', '.join(CRITERIA)}."
        )
    return found
