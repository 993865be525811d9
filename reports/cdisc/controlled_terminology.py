"""The words of CDISC's controlled terminology that the exports use, and how this product's words become theirs.

Source: SDTMIG 3.4 (TU, TR, RS), the RECIST 1.1 disease-response supplement, NCI-EVS SDTM terminology. Codelists named
in ``EXTENSIBLE`` may hold further terms; where this product has no term for an input, the input's own word in capitals
is used there and nowhere else.
"""

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType

from tumorresp.domain.measurement import LesionRole
from tumorresp.domain.organ import counted_organ, organ_of

TU_TESTS: Mapping[str, str] = MappingProxyType(
    {"TUMIDENT": "Tumor Identification", "TUSPLIT": "Tumor Split", "TUMERGE": "Tumor Merged"}
)
TR_LESION_TESTS: Mapping[str, str] = MappingProxyType(
    {
        "LDIAM": "Longest Diameter",
        "LPERP": "Longest Perpendicular",
        "VOLUME": "Volume",
        "TUMSTATE": "Tumor State",
        "LNSTATE": "Lymph Node State",
    }
)
TR_GROUP_TESTS: Mapping[str, str] = MappingProxyType(
    {
        "SUMDIAM": "Sum of Diameter",
        "PCBSD": "Percent Change Baseline in Sum of Diam",
        "PCNSD": "Percent Change Nadir in Sum of Diam",
        "ACNSD": "Absolute Change Nadir in Sum of Diam",
    }
)
"""Sums and their changes: an assessor's only, never a sponsor's."""

TR_TESTS: Mapping[str, str] = MappingProxyType({**TR_LESION_TESTS, **TR_GROUP_TESTS})

RS_TESTS: Mapping[str, str] = MappingProxyType(
    {
        "TRGRESP": "Target Response",
        "NTRGRESP": "Non-target Response",
        "NEWLPROG": "New Lesion Progression",
        "NEWLIND": "New Lesion Indicator",
        "OVRLRESP": "Overall Response",
        "BESTRESP": "Best Response",
    }
)

ROLE_TERMS: Mapping[LesionRole, str] = MappingProxyType(
    {LesionRole.TARGET: "TARGET", LesionRole.NON_TARGET: "NON-TARGET", LesionRole.NEW: "NEW"}
)

EVALUATOR_IDS: Mapping[str, str] = MappingProxyType(
    {
        "": "",
        "RADIOLOGIST": "R",
        "RADIOLOGIST 1": "R1",
        "RADIOLOGIST 2": "R2",
        "RADIOLOGIST 3": "R3",
        "RADIOLOGIST 4": "R4",
        "ONCOLOGIST": "O",
        "ONCOLOGIST 1": "O1",
        "ONCOLOGIST 2": "O2",
        "READER 1": "RD1",
        "READER 2": "RD2",
        "ADJUDICATOR": "ADJ",
        "ADJUDICATOR 1": "ADJ1",
        "ADJUDICATOR 2": "ADJ2",
    }
)
"""Terms of MEDEVAL and what link IDs of that evaluator begin with."""

PARAMETER_SUFFIXES: Mapping[str, str] = MappingProxyType(dict(zip(EVALUATOR_IDS, "BRSTUVOPQXYAGH", strict=True)))
"""One letter at the end of an ADaM parameter code for an independent assessor: B alone, as in BICR."""

_LOCATIONS: Mapping[str, str] = MappingProxyType(
    {
        "lymph node": "LYMPH NODE",
        "lung": "LUNG",
        "pleura": "PLEURA",
        "liver": "LIVER",
        "adrenal": "ADRENAL GLAND",
        "kidney": "KIDNEY",
        "spleen": "SPLEEN",
        "pancreas": "PANCREAS",
        "brain": "BRAIN",
        "bone": "BONE",
        "soft tissue": "SOFT TISSUE",
        "breast": "BREAST",
        "ovary": "OVARY",
        "uterus": "UTERUS",
        "prostate": "PROSTATE GLAND",
        "bladder": "BLADDER",
        "bowel": "INTESTINE",
        "stomach": "STOMACH",
        "oesophagus": "ESOPHAGUS",
        "thyroid": "THYROID GLAND",
        "skin": "SKIN",
        "peritoneum": "PERITONEUM",
        "mediastinum": "MEDIASTINUM",
    }
)
_METHODS: Mapping[str, str] = MappingProxyType(
    {
        "CT": "CT SCAN",
        "MRI": "MRI",
        "MR": "MRI",
        "X-RAY": "X-RAY",
        "CALIPER": "CALIPER MEASUREMENT METHOD",
        "ULTRASOUND": "ULTRASOUND",
    }
)

CODELISTS: Mapping[str, tuple[str, str, tuple[str, ...]]] = MappingProxyType(
    {
        "TUTESTCD": ("Tumor or Lesion Identification Test Code", "C96784", tuple(TU_TESTS)),
        "TUTEST": ("Tumor or Lesion Identification Test Name", "C96783", tuple(TU_TESTS.values())),
        "TRPROPRS": (
            "Tumor and Lesion Properties Test Result",
            "C124309",
            ("PRESENT", "ABSENT", "EQUIVOCAL", "UNEQUIVOCAL", "PATHOLOGICAL", "NONPATHOLOGICAL"),
        ),
        "RELTYPE": ("Relationship Type", "C78737", ("ONE", "MANY")),
        "TUIDRS": ("Tumor or Lesion Identification Test Results", "C123650", tuple(ROLE_TERMS.values())),
        "TRTESTCD": ("Tumor or Lesion Properties Test Code", "C96779", tuple(TR_TESTS)),
        "TRTEST": ("Tumor or Lesion Properties Test Name", "C96778", tuple(TR_TESTS.values())),
        "RSTESTCD": ("Oncology Response Assessment Test Code", "C96782", tuple(RS_TESTS)),
        "RSTEST": ("Oncology Response Assessment Test Name", "C96781", tuple(RS_TESTS.values())),
        "ONCRSCAT": ("Category of Oncology Response Assessment", "C124298", ()),
        "ONCRSR": ("Oncology Response Assessment Result", "C96785", ()),
        "EVAL": ("Evaluator", "C78735", ("INVESTIGATOR", "INDEPENDENT ASSESSOR")),
        "MEDEVAL": ("Medical Evaluator Identifier", "C96777", tuple(filter(None, EVALUATOR_IDS))),
        "LOC": ("Anatomical Location", "C74456", tuple(sorted(set(_LOCATIONS.values())))),
        "LAT": ("Laterality", "C99073", ("LEFT", "RIGHT")),
        "METHOD": ("Method", "C85492", tuple(dict.fromkeys(_METHODS.values()))),
        "UNIT": ("Unit", "C71620", ("mm", "mm3", "%")),
        "EPOCH": ("Epoch", "C99079", ("SCREENING", "TREATMENT", "FOLLOW-UP")),
        "ND": ("Not Done", "C66789", ("NOT DONE",)),
        "AGEU": ("Age Unit", "C66781", ("YEARS",)),
        "SEX": ("Sex", "C66731", ("F", "M", "U", "INTERSEX")),
        "NY": ("No Yes Response", "C66742", ("N", "Y")),
    }
)
"""Codelist to (name, NCI code, the terms that the exports can hold; empty where they come from the criteria)."""

EXTENSIBLE = frozenset(("LOC", "METHOD", "MEDEVAL", "ONCRSCAT", "ONCRSR", "TRPROPRS", "UNIT"))


@lru_cache(maxsize=4096)
def location_term(organ: str, *, nodal: bool) -> str:
    """Return the term of LOC, or the organ's own word in capitals where this product knows no term."""
    word = organ_of(None, organ) or counted_organ(organ, nodal=nodal)
    if nodal:
        return _LOCATIONS["lymph node"]
    return _LOCATIONS.get(word, word.upper())


def laterality_term(organ: str) -> str:
    """Return LEFT or RIGHT where an organ's words name one side alone, else an empty text."""
    words = set(organ.lower().replace(",", " ").split())
    sides = words & {"left", "right"}
    return sides.pop().upper() if len(sides) == 1 else ""


def method_term(method: str) -> str:
    """Return the term of METHOD; empty where no method is stated."""
    return _METHODS.get(method.upper(), method.upper())
