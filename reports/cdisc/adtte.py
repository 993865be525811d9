"""ADaM ADTTE: time-to-event end points, with where each date came from (ADaM BDS for time-to-event, 1.0)."""

import datetime
from collections.abc import Iterator, Mapping, Sequence

from reports.cdisc.adsl import SUBJECT_VARIABLES, subject_variables
from reports.cdisc.dataset import DatasetDefinition, Row, Value, ValueLevel, Variable, VariableType
from reports.cdisc.parameter_codes import parameter, parameter_code
from reports.cdisc.study_facts import StudyFacts
from reports.cdisc.subject_records import Reading, SubjectRecords, study_day
from tumorresp.response.outcome import EndPoint, EndPointName

ADTTE = DatasetDefinition(
    "ADTTE",
    "Time-to-Event Analysis Dataset",
    "ADaM",
    "BASIC DATA STRUCTURE",
    "One record per subject per parameter",
    (
        *SUBJECT_VARIABLES,
        Variable("ASEQ", "Analysis Sequence Number", VariableType.INTEGER, "Derived"),
        Variable("PARAM", "Parameter", free_text=True),
        Variable("PARAMCD", "Parameter Code"),
        Variable("PARCAT1", "Parameter Category 1"),
        Variable("PARCAT2", "Parameter Category 2"),
        Variable("PARCAT3", "Parameter Category 3", free_text=True),
        Variable("STARTDT", "Time-to-Event Origin Date for Subject", VariableType.DATE, "Derived"),
        Variable("ADT", "Analysis Date", VariableType.DATE, "Derived"),
        Variable("ADY", "Analysis Relative Day", VariableType.INTEGER, "Derived"),
        Variable("AVAL", "Analysis Value", VariableType.FLOAT, "Derived"),
        Variable("AVALU", "Analysis Value Unit"),
        Variable("CNSR", "Censor", VariableType.INTEGER, "Derived"),
        Variable("EVNTDESC", "Event or Censoring Description", origin="Derived", free_text=True),
        Variable("CNSDTDSC", "Censor Date Description", origin="Derived", free_text=True),
        Variable("SRCDOM", "Source Data", origin="Derived"),
        Variable("SRCVAR", "Source Variable", origin="Derived"),
        Variable("SRCSEQ", "Source Sequence Number", VariableType.INTEGER, "Derived"),
    ),
    ("STUDYID", "USUBJID", "PARAMCD"),
    ValueLevel("PARAMCD", "PARAM", ("AVAL",)),
)

_PARAMETERS: Mapping[EndPointName, tuple[str, str]] = {
    EndPointName.PFS: ("PFS", "Progression Free Survival"),
    EndPointName.TTP: ("TTP", "Time to Progression"),
    EndPointName.OS: ("OS", "Overall Survival"),
    EndPointName.DOR: ("RSD", "Duration of Response"),
    EndPointName.DOSD: ("SDD", "Duration of Stable Disease"),
    EndPointName.TTR: ("TTR", "Time to Response"),
}
_CATEGORY = "Time to Event"
_EVENTS = frozenset(("Y", "PD", "iUPD", "iCPD", "CR", "PR", "iCR", "iPR"))


def time_to_event(subject: SubjectRecords, facts: StudyFacts, responses: Sequence[Row]) -> list[Row]:
    """Return the records of ADTTE of one subject; overall survival, which no reading changes, once.

    Parameters
    ----------
    responses
        The subject's records of ADRS: where dates come from.
    """
    fixed = subject_variables(subject, facts)
    rows = [fixed | row for row in _rows(subject, responses)]
    for number, row in enumerate(rows, start=1):
        row["ASEQ"] = number
    return list(rows)


def _rows(subject: SubjectRecords, responses: Sequence[Row]) -> Iterator[dict[str, Value]]:
    has_survival = False
    for reading in subject.readings:
        for outcome in reading.outcome.outcomes:
            visits = _dated_records(responses, outcome.criterion, reading)
            for item in outcome.end_points:
                if item.name is EndPointName.OS:
                    if not has_survival:
                        yield _survival() | _record(item, subject, visits)
                    has_survival = True
                else:
                    yield _parameter(item.name, outcome.criterion, reading) | _record(item, subject, visits)


def _parameter(name: EndPointName, criterion: str, reading: Reading) -> dict[str, Value]:
    base, words = _PARAMETERS[name]
    return parameter(base, f"{words} (days)", criterion, reading, _CATEGORY)


def _survival() -> dict[str, Value]:
    base, words = _PARAMETERS[EndPointName.OS]
    return {"PARAMCD": base, "PARAM": f"{words} (days)", "PARCAT1": _CATEGORY}


def _dated_records(responses: Sequence[Row], criterion: str, reading: Reading) -> dict[Value, Row]:
    """Return the responses of ADRS by analysis date, and progression where it dates from before its visit."""
    progressions = {parameter_code(base, criterion, reading) for base in ("PD", "CPD", "UPD")}
    visit = parameter_code("OVR", criterion, reading)
    found = {row["ADT"]: row for row in responses if row["PARAMCD"] in progressions and row["AVALC"] == "Y"}
    return found | {row["ADT"]: row for row in responses if row["PARAMCD"] == visit}


def _record(item: EndPoint, subject: SubjectRecords, visits: Mapping[Value, Row]) -> dict[str, Value]:
    domain, variable, sequence = _source(item, subject, visits)
    return {
        "STARTDT": item.start,
        "ADT": item.end,
        "ADY": study_day(item.end, subject.first_day),
        "AVAL": item.days,
        "AVALU": "DAYS",
        "CNSR": 0 if item.event else 1,
        "EVNTDESC": item.description if item.event else "",
        "CNSDTDSC": "" if item.event else item.description,
        "SRCDOM": domain,
        "SRCVAR": variable,
        "SRCSEQ": sequence,
    }


def _source(item: EndPoint, subject: SubjectRecords, visits: Mapping[Value, Row]) -> tuple[str, str, Value]:
    """Return where the end date stands: the response of that day, else the date of the subject that it is.

    A death on the day of a scan that shows no progression is the event.
    """
    dates = subject.dates
    response = visits.get(item.end)
    died = item.event and item.end == dates.death
    if died and item.name is EndPointName.OS:
        response = None
    if response is not None and not (died and response["AVALC"] not in _EVENTS):
        return "ADRS", "ADT", response["ASEQ"]
    candidates: tuple[tuple[datetime.date | None, str], ...] = (
        (dates.death if item.event else None, "DTHDT"),
        (dates.reference, "RANDDT"),
        (dates.first_treatment, "TRTSDT"),
        (dates.last_alive, "LSTALVDT"),
        (dates.new_therapy, "NACTDT"),
    )
    return next((("ADSL", variable, None) for date, variable in candidates if date == item.end), ("", "", None))
