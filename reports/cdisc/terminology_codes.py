"""NCI codes of the controlled terms that the exports use, and which variables the standards require.

Sources of the codes: CDISC's biomedical concepts (SDTM dataset specializations of TU, TR and RS for RECIST 1.1, Lugano
and RANO, 2024-06-27) and the Define-XML 2.1 example of CDISC's Metadata Submission Guidelines 2.0. A term whose code
stands in neither has none here: a missing code is better than a guessed one.
Sources of the required variables: SDTMIG 3.4 (core "Req" of TU, TR, RS, SUPPQUAL and RELREC) and ADaMIG 1.3.
"""

from collections.abc import Mapping
from types import MappingProxyType

from reports.cdisc.controlled_terminology import RS_TESTS, TR_TESTS, TU_TESTS

_TEST_CODES: Mapping[str, str] = {
    "TUMIDENT": "C94523",
    "TUSPLIT": "C96642",
    "TUMERGE": "C94525",
    "LDIAM": "C96684",
    "LPERP": "C96685",
    "TUMSTATE": "C96643",
    "LNSTATE": "C124448",
    "TRGRESP": "C94534",
    "NTRGRESP": "C94535",
    "NEWLPROG": "C103420",
    "NEWLIND": "C142362",
    "OVRLRESP": "C96613",
    "BESTRESP": "C94536",
}
_TEST_NAMES = {**TU_TESTS, **TR_TESTS, **RS_TESTS}
_NAME_CODES = {_TEST_NAMES[test]: code for test, code in _TEST_CODES.items()}

TERM_CODES: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "TUTESTCD": _TEST_CODES,
        "TRTESTCD": _TEST_CODES,
        "RSTESTCD": _TEST_CODES,
        "TUTEST": _NAME_CODES,
        "TRTEST": _NAME_CODES,
        "RSTEST": _NAME_CODES,
        "TUIDRS": {"TARGET": "C94520"},
        "ONCRSCAT": {"RECIST 1.1": "C124415", "LUGANO CLASSIFICATION": "C126025", "RANO": "C114879"},
        "EVAL": {"INVESTIGATOR": "C25936"},
        "LAT": {"LEFT": "C25229", "RIGHT": "C25228"},
        "UNIT": {"mm": "C28251"},
        "EPOCH": {"SCREENING": "C48262", "TREATMENT": "C101526"},
        "ND": {"NOT DONE": "C49484"},
        "NY": {"N": "C49487", "Y": "C49488"},
        "SEX": {"F": "C16576", "M": "C20197", "U": "C17998"},
        "RELTYPE": {"ONE": "C66832", "MANY": "C78728"},
    }
)
"""Codelist to term to code."""

DECODES: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {"TUTESTCD": TU_TESTS, "TRTESTCD": TR_TESTS, "RSTESTCD": RS_TESTS, "NY": {"N": "No", "Y": "Yes"}}
)
"""Codelist to term to what it means, where the term is a code."""

_FINDING = ("STUDYID", "DOMAIN", "USUBJID", "--SEQ", "--TESTCD", "--TEST")
_PARAMETER = ("STUDYID", "USUBJID", "PARAM", "PARAMCD")
REQUIRED: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        **{name: frozenset(item.replace("--", name) for item in _FINDING) for name in ("TU", "TR", "RS")},
        "SUPPTU": frozenset(("STUDYID", "RDOMAIN", "USUBJID", "QNAM", "QLABEL", "QVAL", "QORIG")),
        "RELREC": frozenset(("STUDYID", "RDOMAIN", "IDVAR", "RELID")),
        "ADSL": frozenset(("STUDYID", "USUBJID", "SUBJID", "SITEID", "AGE", "AGEU", "SEX", "RACE", "ARM", "TRT01P")),
        "ADTR": frozenset(_PARAMETER),
        "ADRS": frozenset(_PARAMETER),
        "ADTTE": frozenset((*_PARAMETER, "CNSR")),
    }
)
"""Variables of a data set without which a record is none."""
