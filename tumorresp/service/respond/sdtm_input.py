"""A folder of SDTM data sets as courses with the values that were reported of them, for the rule audit."""

import datetime
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tumorresp.domain.errors import Missing
from tumorresp.domain.finding import Finding, Severity
from tumorresp.response.observation import Visit
from tumorresp.response.rule_audit import ReportedEvaluation
from tumorresp.response.subject import SubjectCourse, SubjectDates
from tumorresp.response.table.conventions import TableConventions
from tumorresp.response.table.lesion_table import courses_of_subject
from tumorresp.service.respond.sdtm_files import SdtmRow, read_domain
from tumorresp.service.respond.sdtm_keys import ReadKey, VisitNames, read_key, record_date, visit_dates
from tumorresp.service.respond.sdtm_lesions import LesionRows, identified_lesions, lesion_rows
from tumorresp.service.respond.sdtm_responses import reported_evaluations

_TU = ("USUBJID", "TULNKID", "TUSTRESC")
_TR = ("USUBJID", "TRTESTCD", "TRLNKID")
_RS = ("USUBJID", "RSTESTCD", "RSSTRESC")
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
    tu, tr, rs = (read_domain(folder, name, required) for name, required in (("TU", _TU), ("TR", _TR), ("RS", _RS)))
    if tr is None and rs is None:
        raise Missing("there is neither TR nor RS in the folder.", where=folder.name, remedy="Give tr.xpt and rs.xpt.")
    return _readings(folder, tu or [], tr or [], rs or [], rules)


def _readings(
    folder: Path, tu: list[SdtmRow], tr: list[SdtmRow], rs: list[SdtmRow], rules: TableConventions
) -> SdtmInput:
    names = VisitNames([*tr, *rs])
    dates = visit_dates([*tr, *rs], names, rules)
    lesions, findings = identified_lesions(tu, read_domain(folder, "SUPPTU") or [])
    measured = lesion_rows(tr, lesions, names, dates, rules)
    reported, noticed = reported_evaluations(tr, rs, names, rules)
    findings += [*measured.findings, *noticed, *_unnamed([*tu, *tr, *rs])]
    subjects, date_findings = _subject_dates(read_domain(folder, "DM") or [], rules)
    findings += date_findings
    by_reading: dict[ReadKey, dict[str, datetime.date]] = defaultdict(dict)
    for (key, name), date in dates.items():
        by_reading[key][name] = date
    readings = []
    for key in sorted({*measured.rows, *reported}):
        course = _course(key, measured, rules)
        evaluation = reported.get(key, ReportedEvaluation())
        course = replace(
            course,
            visits=_with_unmeasured(course.visits, evaluation, by_reading[key]),
            dates=subjects.get(key.subject, SubjectDates()),
        )
        readings.append(SdtmReading(course, evaluation))
    return SdtmInput(tuple(readings), tuple(findings))


def _course(key: ReadKey, measured: LesionRows, rules: TableConventions) -> SubjectCourse:
    rows = measured.rows.get(key)
    if not rows:
        return SubjectCourse(key.subject, key.evaluator, ())
    (course,), findings = courses_of_subject(rows, replace(rules, evaluator=""))
    visits = tuple(
        replace(
            visit,
            observations=tuple(
                replace(item, source=_records(item.source, measured.records)) for item in visit.observations
            ),
        )
        for visit in course.visits
    )
    noticed = tuple(
        replace(item, where=_records(item.where, measured.records)) for item in (*course.findings, *findings)
    )
    return replace(course, visits=visits, findings=noticed)


def _records(where: str, records: Mapping[int, str]) -> str:
    """Return the place of a finding in words of the data set: a table's row as the records that it was made from."""
    return re.sub(r"\brow (\d+)", lambda match: records[int(match[1])], where)


def _with_unmeasured(
    visits: tuple[Visit, ...], reported: ReportedEvaluation, dates: Mapping[str, datetime.date]
) -> tuple[Visit, ...]:
    """Return the visits with those that were reported without any measurement: nothing was assessed there.

    Not before the baseline, and not where another visit has the date: these remain without measurements.
    """
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


def _subject_dates(dm: Sequence[SdtmRow], rules: TableConventions) -> tuple[Mapping[str, SubjectDates], list[Finding]]:
    findings: list[Finding] = []
    subjects = {}
    for row in dm:
        known = {
            name: record_date(SdtmRow("DM", row.number, {"DMDTC": row.get(variable)}), rules, findings)
            for name, variable in _DM_DATES.items()
        }
        subjects[row.get("USUBJID")] = SubjectDates(**known, arm=row.get("ARM"))
    return subjects, findings
