"""How every derived variable comes about, in the words that Define-XML carries."""

from collections.abc import Mapping
from types import MappingProxyType

_STUDY_DAY = "Date minus first day, plus 1 on and after it; the first day is first dose, or RANDDT where it is unknown."
_BEFORE_EXPOSURE = "Y on the last result of a lesion and test on or before the first dose."
_LESION_LIST = "IDs of the target lesions {}, joined by commas."

METHODS: Mapping[str, str] = MappingProxyType(
    {
        "TUDY": _STUDY_DAY,
        "TRDY": _STUDY_DAY,
        "RSDY": _STUDY_DAY,
        "ADY": _STUDY_DAY,
        "TULOBXFL": _BEFORE_EXPOSURE,
        "TRLOBXFL": _BEFORE_EXPOSURE,
        "RSLOBXFL": "Y on the last response of a test on or before the first dose.",
        "EPOCH": "SCREENING up to the first dose, TREATMENT after it, FOLLOW-UP from the start of another therapy on.",
        "ASEQ": "Number of the record within the subject.",
        "ITTFL": "Y where RANDDT is known, missing where it could not be read.",
        "SAFFL": "Y where TRTSDT is known, missing where it could not be read.",
        "DTHFL": "Y where DTHDT is known, missing where it could not be read.",
        "RANDDT": "Date of randomization, or of first dose in a trial without.",
        "TRTSDT": "Date of first dose.",
        "NACTDT": "Date on which another anti-cancer therapy began.",
        "DTHDT": "Date of death.",
        "LSTALVDT": "Last date on which the subject was known to be alive.",
        "AVISIT": "Name of the visit.",
        "AVISITN": "Number of the visit in the trial, the same for the same name; decimals for unplanned visits.",
        "ADT": "Scan date; of progression the earliest, of other responses the latest of the visit; else the event's.",
        "AVAL": "Sum or size; code of the response (CR 1, PR 2, SD 3, ...); 1 for Y, 0 for N; days of a time to event.",
        "AVALC": "Response category, or Y or N; missing where RSREFUS may hide what would be Y.",
        "BASE": "AVAL of the first visit.",
        "CHG": "AVAL - BASE.",
        "PCHG": "100 * CHG / BASE; missing where BASE is 0.",
        "ABLFL": "Y on the record of the first visit where AVAL is known.",
        "NADIR": "Smallest AVAL of the visits before this one, baseline included; incomplete sums do not count.",
        "CHGNAD": "AVAL - NADIR.",
        "PCHGNAD": "100 * CHGNAD / NADIR; missing where NADIR is 0.",
        "LSEXP": _LESION_LIST.format("of the baseline"),
        "LSASS": _LESION_LIST.format("of the baseline that have a value at the visit"),
        "ANL01FL": "ADTR: sum complete, after baseline. ADRS: response given, from RANDDT on and before new therapy.",
        "RSREFUS": "What was given of the visit, or of one that bears on it, and could not be read.",
        "RSPROV": "Sizes of the visit, or of one that bears on it, that are perhaps wrong; they count.",
        "ANL02FL": "ADTR: smallest complete sum up to first progression. ADRS: ANL01FL up to first progression.",
        "ANL03FL": "Visit after baseline and before the first overall progression.",
        "ANL04FL": "Sum complete after baseline, or target response PD.",
        "CRFL": "Sums: target response CR. Lesions other than nodes: AVAL is 0.",
        "CRNFL": "Node with AVAL under 10 mm.",
        "PDFL": "Target response PD.",
        "TULOCGR1": "NODAL for a lymph node, else NON-NODAL.",
        "STARTDT": "Randomization, first dose or first response, as the parameter counts from.",
        "CNSR": "0 where the event happened, 1 where it is censored.",
        "EVNTDESC": "The event.",
        "CNSDTDSC": "Why the date is that of censoring.",
        "SRCDOM": "Data set with the date or response that the record rests on.",
        "SRCVAR": "Its variable.",
        "SRCSEQ": "Sequence number of its record.",
    }
)
