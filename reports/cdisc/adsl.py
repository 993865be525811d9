"""ADaM ADSL, the least that the other analysis data sets need: one record a subject."""

import datetime

from reports.cdisc.dataset import DatasetDefinition, Row, Value, Variable, VariableType
from reports.cdisc.study_facts import StudyFacts
from reports.cdisc.subject_records import SubjectRecords
from tumorresp.response.subject import SubjectDates

_IDENTIFIERS = (
    Variable("STUDYID", "Study Identifier", origin="Predecessor"),
    Variable("USUBJID", "Unique Subject Identifier", origin="Predecessor"),
    Variable("SUBJID", "Subject Identifier for the Study", origin="Predecessor"),
)
SUBJECT_VARIABLES = (
    *_IDENTIFIERS,
    Variable("TRT01P", "Planned Treatment for Period 01", origin="Predecessor", free_text=True),
    Variable("ITTFL", "Intent-To-Treat Population Flag", origin="Derived", codelist="NY"),
    Variable("SAFFL", "Safety Population Flag", origin="Derived", codelist="NY"),
    Variable("RANDDT", "Date of Randomization", VariableType.DATE, "Derived"),
    Variable("TRTSDT", "Date of First Exposure to Treatment", VariableType.DATE, "Derived"),
)
"""Variables of ADSL that every analysis data set repeats."""

ADSL = DatasetDefinition(
    "ADSL",
    "Subject-Level Analysis Dataset",
    "ADaM",
    "SUBJECT LEVEL ANALYSIS DATASET",
    "One record per subject",
    (
        *_IDENTIFIERS,
        Variable("SITEID", "Study Site Identifier", origin="Predecessor", free_text=True),
        Variable("AGE", "Age", VariableType.FLOAT, "Predecessor"),
        Variable("AGEU", "Age Units", origin="Predecessor", codelist="AGEU"),
        Variable("SEX", "Sex", origin="Predecessor", codelist="SEX"),
        Variable("RACE", "Race", origin="Predecessor", free_text=True),
        Variable("ARM", "Description of Planned Arm", origin="Predecessor", free_text=True),
        *SUBJECT_VARIABLES[len(_IDENTIFIERS) :],
        Variable("NACTDT", "Date of New Anti-Cancer Therapy", VariableType.DATE, "Derived"),
        Variable("DTHDT", "Date of Death", VariableType.DATE, "Derived"),
        Variable("DTHFL", "Subject Death Flag", origin="Derived", codelist="NY"),
        Variable("LSTALVDT", "Date Last Known Alive", VariableType.DATE, "Derived"),
    ),
    ("STUDYID", "USUBJID"),
)


DEATH_DATE, _REFERENCE_DATE, _FIRST_DOSE = "death_date", "reference_date", "first_treatment_date"
"""Columns whose dates ADSL shows."""


def subject_variables(subject: SubjectRecords, facts: StudyFacts) -> dict[str, Value]:
    """Return the values of ``SUBJECT_VARIABLES``."""
    dates = subject.dates
    return {
        "STUDYID": facts.study_id,
        "USUBJID": subject.usubjid,
        "SUBJID": subject.subjid,
        "TRT01P": dates.arm,
        "ITTFL": _is_known(dates, dates.reference, _REFERENCE_DATE),
        "SAFFL": _is_known(dates, dates.first_treatment, _FIRST_DOSE),
        "RANDDT": dates.reference,
        "TRTSDT": dates.first_treatment,
    }


def subject_level(subject: SubjectRecords, facts: StudyFacts) -> list[Row]:
    """Return the record of ADSL of one subject."""
    dates, known = subject.dates, subject.dates.demographics
    return [
        subject_variables(subject, facts)
        | {
            "SITEID": known.study_site,
            "AGE": None if known.age_years is None else float(known.age_years),
            "AGEU": "" if known.age_years is None else "YEARS",
            "SEX": known.sex,
            "RACE": known.race.upper(),
            "ARM": dates.arm,
            "NACTDT": dates.new_therapy,
            "DTHDT": dates.death,
            "DTHFL": _is_known(dates, dates.death, DEATH_DATE),
            "LSTALVDT": dates.last_alive,
        }
    ]


def _is_known(dates: SubjectDates, date: datetime.date | None, column: str) -> str:
    """Return Y where a date is known, else N; neither where it was given and could not be read."""
    if date is not None:
        return "Y"
    return "" if column in dates.refused else "N"
