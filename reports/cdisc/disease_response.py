"""SDTM RS: the responses that an independent assessor signed (SDTMIG 3.4, RS). A sponsor's export has none."""

import datetime
from collections.abc import Iterator

from reports.cdisc.controlled_terminology import RS_TESTS
from reports.cdisc.dataset import DatasetDefinition, Row, Value, ValueLevel, Variable, VariableType
from reports.cdisc.exposure import epoch, flag_last_before_exposure
from reports.cdisc.study_facts import ExportMode, StudyFacts
from reports.cdisc.subject_records import Reading, SubjectRecords, study_day
from tumorresp.domain.assessment import Assessment, Category, NewLesionStatus
from tumorresp.domain.measurement import LesionRole, LesionState
from tumorresp.response.criteria import CRITERIA
from tumorresp.response.observation import Visit
from tumorresp.response.outcome import CriterionOutcome

RS = DatasetDefinition(
    "RS",
    "Disease Response and Clin Classification",
    "SDTM",
    "FINDINGS",
    "One record per response assessment per visit per assessor",
    (
        Variable("STUDYID", "Study Identifier", origin="Protocol"),
        Variable("DOMAIN", "Domain Abbreviation"),
        Variable("USUBJID", "Unique Subject Identifier"),
        Variable("RSSEQ", "Sequence Number", VariableType.INTEGER),
        Variable("RSLNKGRP", "Link Group ID"),
        Variable("RSTESTCD", "Assessment Short Name", codelist="RSTESTCD"),
        Variable("RSTEST", "Assessment Name", codelist="RSTEST"),
        Variable("RSCAT", "Category for Assessment", codelist="ONCRSCAT"),
        Variable("RSORRES", "Result or Finding in Original Units", origin="Collected"),
        Variable("RSSTRESC", "Character Result/Finding in Std Format"),
        Variable("RSNAM", "Vendor Name", free_text=True),
        Variable("RSLOBXFL", "Last Observation Before Exposure Flag", origin="Derived", codelist="NY"),
        Variable("RSEVAL", "Evaluator", codelist="EVAL"),
        Variable("RSEVALID", "Evaluator Identifier", codelist="MEDEVAL"),
        Variable("VISITNUM", "Visit Number", VariableType.FLOAT),
        Variable("VISIT", "Visit Name", origin="Collected", free_text=True),
        Variable("EPOCH", "Epoch", origin="Derived", codelist="EPOCH"),
        Variable("RSDTC", "Date/Time of Assessment", VariableType.ISO_DATE, "Collected"),
        Variable("RSDY", "Study Day of Assessment", VariableType.INTEGER, "Derived"),
    ),
    ("STUDYID", "USUBJID", "RSCAT", "RSTESTCD", "RSEVAL", "RSEVALID", "VISITNUM"),
    ValueLevel("RSTESTCD", "RSTEST", ("RSORRES", "RSSTRESC"), codelist="ONCRSR"),
)

_NEW_LESIONS = {NewLesionStatus.YES: "UNEQUIVOCAL", NewLesionStatus.EQUIVOCAL: "EQUIVOCAL"}
_NO_RESPONSE = frozenset((Category.BASELINE, Category.NOT_APPLICABLE, Category.MISSING))


def disease_response(subject: SubjectRecords, facts: StudyFacts) -> list[Row]:
    """Return the records of RS of one subject: none in a sponsor's export, none of a criterion without RSCAT."""
    if facts.mode is not ExportMode.CENTRAL_READ:
        return []
    rows = [
        row
        for reading in subject.readings
        for outcome in reading.outcome.outcomes
        if category_of(outcome.criterion)
        for row in _of_criterion(subject, reading, outcome, facts)
    ]
    flag_last_before_exposure(
        [row for row in rows if row["RSTESTCD"] != "BESTRESP"],
        "RS",
        subject.dates.first_treatment,
        ("RSCAT", "RSTESTCD", "RSEVAL", "RSEVALID"),
    )
    rows.sort(key=lambda row: (row["RSCAT"], row["RSTESTCD"], row["RSEVAL"], row["RSEVALID"], row.get("VISITNUM") or 0))
    for number, row in enumerate(rows, start=1):
        row["RSSEQ"] = number
    return list(rows)


def category_of(criterion: str) -> str:
    """Return RSCAT of a criterion; empty where the controlled terminology has none."""
    known = CRITERIA.get(criterion)
    return known.rscat if known is not None else ""


def _of_criterion(
    subject: SubjectRecords, reading: Reading, outcome: CriterionOutcome, facts: StudyFacts
) -> Iterator[dict[str, Value]]:
    fixed: dict[str, Value] = {
        "STUDYID": facts.study_id,
        "DOMAIN": "RS",
        "USUBJID": subject.usubjid,
        "RSCAT": category_of(outcome.criterion),
        "RSNAM": facts.vendor_name,
        "RSEVAL": reading.terms.kind.value,
        "RSEVALID": reading.terms.evaluator_id,
    }
    for index, (visit, assessment) in enumerate(zip(reading.visits, outcome.assessments, strict=True)):
        date = response_date(visit, assessment)
        of_visit = fixed | {
            "RSLNKGRP": reading.link_group(reading.numbered_visits[index]),
            "VISITNUM": reading.visit_numbers[index],
            "VISIT": reading.visit_title(index).upper(),
            "EPOCH": epoch(date, subject.dates),
            "RSDTC": date.isoformat(),
            "RSDY": study_day(date, subject.first_day),
        }
        for test, result in _results(assessment, visit):
            yield of_visit | _result(test, result)
    best = outcome.confirmed_response if facts.confirmed_best_response else outcome.best_response
    if best is not None and best.date is not None and best.category not in _NO_RESPONSE:
        yield fixed | {
            **_result("BESTRESP", best.category),
            "EPOCH": epoch(best.date, subject.dates),
            "RSDTC": best.date.isoformat(),
            "RSDY": study_day(best.date, subject.first_day),
        }


def _results(assessment: Assessment, visit: Visit) -> Iterator[tuple[str, str]]:
    if assessment.overall is Category.BASELINE:
        return
    if assessment.target not in _NO_RESPONSE:
        yield "TRGRESP", assessment.target
    if assessment.non_target not in _NO_RESPONSE:
        yield "NTRGRESP", assessment.non_target
    new = assessment.new_lesions
    if not _is_known(assessment, visit):
        pass
    elif assessment.criterion == "irecist":
        yield "NEWLIND", "N" if new is NewLesionStatus.NO else "Y"
    elif new in _NEW_LESIONS:
        yield "NEWLPROG", _NEW_LESIONS[new]
    if assessment.overall not in _NO_RESPONSE:
        yield "OVRLRESP", assessment.overall


def _is_known(assessment: Assessment, visit: Visit) -> bool:
    """Return whether a reader said what is assessed of new lesions; refused input alone makes them equivocal, too."""
    return (
        not assessment.refused
        or assessment.new_lesions is NewLesionStatus.YES
        or any(item.role is LesionRole.NEW and item.state is LesionState.EQUIVOCAL for item in visit.observations)
    )


def _result(test: str, result: str) -> dict[str, Value]:
    return {"RSTESTCD": test, "RSTEST": RS_TESTS[test], "RSORRES": str(result), "RSSTRESC": str(result)}


def response_date(visit: Visit, assessment: Assessment) -> datetime.date:
    """Return the scan date that a response dates from: of PD the visit's earliest scan, else its latest."""
    progressed = assessment.overall in (Category.PD, Category.IUPD, Category.ICPD)
    return visit.first_date if progressed and visit.first_date is not None else visit.date
