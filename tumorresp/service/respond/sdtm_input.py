"""A folder of SDTM data sets as courses with the values that were reported of them, for the rule audit."""

import datetime
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tumorresp.domain.errors import Missing
from tumorresp.domain.finding import Finding, Severity
from tumorresp.response.baseline import baseline_first, treatment_start
from tumorresp.response.observation import Refused, Visit
from tumorresp.response.rule_audit import ReportedEvaluation
from tumorresp.response.subject import Demographics, SubjectCourse, SubjectDates
from tumorresp.response.table.conventions import TableConventions
from tumorresp.response.table.lesion_table import courses_of_subject
from tumorresp.service.respond.sdtm_files import SdtmRow, read_domain
from tumorresp.service.respond.sdtm_keys import ReadKey, VisitNames, read_key, record_date, visit_dates
from tumorresp.service.respond.sdtm_lesions import LesionRows, identified_lesions, lesion_rows
from tumorresp.service.respond.sdtm_numbers import stated_decimal
from tumorresp.service.respond.sdtm_responses import reported_evaluations

_DOMAINS = {
    "TU": ("USUBJID", "TULNKID", "TUSTRESC"),
    "TR": ("USUBJID", "TRTESTCD", "TRLNKID"),
    "RS": ("USUBJID", "RSTESTCD", "RSSTRESC"),
    "SUPPTU": ("USUBJID", "QNAM", "QVAL"),
    "DM": ("USUBJID",),
}
_DM_DATES = {"reference": "RFSTDTC", "first_treatment": "RFXSTDTC", "death": "DTHDTC"}


@dataclass(frozen=True)
class SdtmReading:
    """One subject by one evaluator: measurements and reported values.

    ``course`` has no visit where nothing is measured.
    """

    course: SubjectCourse
    reported: ReportedEvaluation


@dataclass(frozen=True)
class SdtmInput:
    """All readings of a folder, by subject and evaluator; findings name data set and row."""

    readings: tuple[SdtmReading, ...]
    findings: tuple[Finding, ...]


def read_sdtm(folder: Path, conventions: TableConventions | None = None) -> SdtmInput:
    """Read TU, TR and RS, and of DM and SUPPTU what there is.

    Evaluators are kept apart by --EVAL and --EVALID. Visits are those of VISIT (and VISITNUM where that is not unique).

    Parameters
    ----------
    folder
        With ``tr.xpt``, ``rs.xpt`` ...: SAS transport files, Dataset-JSON 1.1 or CSV.
    conventions
        For partial dates and the span of a visit.

    Raises
    ------
    Missing
        If there is no such folder, or neither TR nor RS in it.
    InvalidInput
        If a file cannot be read or a variable is missing.
    """
    rules = conventions or TableConventions()
    if not folder.is_dir():
        raise Missing("there is no such folder.", where=folder.name, remedy="Give the folder of the SDTM data sets.")
    findings: list[Finding] = []
    found = {name: read_domain(folder, name, findings, required) for name, required in _DOMAINS.items()}
    if found["TR"] is None and found["RS"] is None:
        raise Missing("there is neither TR nor RS in the folder.", where=folder.name, remedy="Give tr.xpt and rs.xpt.")
    rows = {name: own or [] for name, own in found.items()}
    findings += _unnamed([*rows["TU"], *rows["TR"], *rows["RS"]])
    return SdtmInput(_readings(rows, rules, findings), tuple(findings))


def _readings(
    rows: Mapping[str, list[SdtmRow]], rules: TableConventions, findings: list[Finding]
) -> tuple[SdtmReading, ...]:
    dated = [*rows["TR"], *rows["RS"]]
    names = VisitNames(dated)
    dates = visit_dates(dated, names, rules)
    lesions, identifying = identified_lesions(rows["TU"], rows["SUPPTU"])
    measured = lesion_rows(rows["TR"], lesions, names, dates, rules)
    reported, reporting = reported_evaluations(rows["TR"], rows["RS"], names, rules)
    findings += [*identifying, *measured.findings, *reporting]
    subjects = _subject_dates(rows["DM"], rules, findings)
    flagged = _before_exposure(rows["TR"], rules)
    by_reading: dict[ReadKey, dict[str, datetime.date]] = defaultdict(dict)
    for (key, name), date in dates.items():
        by_reading[key][name] = date
    readings = []
    for key in sorted({*measured.rows, *reported}):
        evaluation = reported.get(key, ReportedEvaluation())
        dates_of_subject = subjects.get(key.subject, SubjectDates())
        course = _from_baseline(_course(key, measured, rules), dates_of_subject, flagged.get(key.subject))
        course = replace(course, visits=_with_unmeasured(course, evaluation, by_reading[key]))
        readings.append(SdtmReading(course, evaluation))
    return tuple(readings)


def _before_exposure(records: Sequence[SdtmRow], rules: TableConventions) -> Mapping[str, datetime.date]:
    """Return by subject the latest date of records that are flagged as the last before exposure, or as baseline."""
    dates: dict[str, datetime.date] = {}
    for row in records:
        date = record_date(row, rules, []) if "Y" in (row.get("--LOBXFL"), row.get("--BLFL")) else None
        if date is not None:
            subject = row.get("USUBJID")
            dates[subject] = max(date, dates.get(subject, date))
    return dates


def _from_baseline(course: SubjectCourse, dates: SubjectDates, flagged: datetime.date | None) -> SubjectCourse:
    """Return a course that begins with its baseline: by DM's dates, where it has none by the flags of TR."""
    known = dates if treatment_start(dates) is not None else replace(dates, first_treatment=flagged)
    return replace(baseline_first(replace(course, dates=known)), dates=dates)


def _course(key: ReadKey, measured: LesionRows, rules: TableConventions) -> SubjectCourse:
    rows = measured.rows.get(key)
    if not rows:
        return SubjectCourse(key.subject, key.evaluator, ())
    (course,), findings = courses_of_subject(rows, replace(rules, evaluator=""))
    visits = tuple(_of_records(visit, measured.records) for visit in course.visits)
    noticed = tuple(
        replace(item, where=_records(item.where, measured.records)) for item in (*course.findings, *findings)
    )
    refused = tuple(_refused_records(item, measured.records) for item in course.refused)
    return replace(course, visits=visits, findings=noticed, refused=refused)


def _of_records(visit: Visit, records: Mapping[int, str]) -> Visit:
    """Return a visit whose places are records."""
    return replace(
        visit,
        observations=tuple(replace(item, source=_records(item.source, records)) for item in visit.observations),
        refused=tuple(_refused_records(item, records) for item in visit.refused),
    )


def _refused_records(item: Refused, records: Mapping[int, str]) -> Refused:
    return replace(item, words=_records(item.words, records), where=_records(item.where, records))


def _records(where: str, records: Mapping[int, str]) -> str:
    """Return the place of a finding in words of the data set: a table's row as the records that it was made from."""
    return re.sub(r"\brow (\d+)", lambda match: records.get(int(match[1]), match[0]), where)


def _with_unmeasured(
    course: SubjectCourse, reported: ReportedEvaluation, dates: Mapping[str, datetime.date]
) -> tuple[Visit, ...]:
    """Return the visits with those that were reported without any measurement: nothing was assessed there.

    Not before the baseline, and not where another visit has the date: these remain without measurements.
    """
    visits = course.visits
    if not visits:
        return ()
    known, taken = {visit.time_point_id for visit in visits}, {visit.date for visit in visits}
    added = []
    for item in reported.visits:
        date = dates.get(item.time_point_id)
        if item.time_point_id in known or date is None or date in taken or date < visits[0].date:
            continue
        taken.add(date)
        added.append(Visit(item.time_point_id, item.time_point_id, date, ()))
    return tuple(sorted((*visits, *added), key=_date_of))


def _date_of(visit: Visit) -> datetime.date:
    return visit.date


def _unnamed(rows: Sequence[SdtmRow]) -> list[Finding]:
    """Report records that name an evaluator's identifier without the evaluator, or no subject."""
    findings = []
    for row in rows:
        if not read_key(row).subject:
            findings.append(Finding("no-subject", Severity.ERROR, "USUBJID is empty.", row.where))
        if row.get("--EVALID") and not row.get("--EVAL"):
            words = f"{row.domain}EVALID is given without {row.domain}EVAL."
            findings.append(Finding("evaluator-not-named", Severity.WARNING, words, row.where))
    return findings


def _subject_dates(
    dm: Sequence[SdtmRow], rules: TableConventions, findings: list[Finding]
) -> Mapping[str, SubjectDates]:
    subjects = {}
    for row in dm:
        known: dict[str, Any] = {
            name: record_date(row, rules, findings, variable) for name, variable in _DM_DATES.items()
        }
        subjects[row.get("USUBJID")] = SubjectDates(**known, arm=row.get("ARM"), demographics=_demographics(row))
    return subjects


def _demographics(row: SdtmRow) -> Demographics:
    in_years = row.get("AGEU") in ("", "YEARS")
    return Demographics(
        study_site=row.get("SITEID"),
        age_years=stated_decimal(row.get("AGE")) if in_years else None,
        sex=row.get("SEX"),
        race=row.get("RACE"),
    )
