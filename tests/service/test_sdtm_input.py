"""SDTM data sets as the audit reads them: every test code, every format, readers apart, bad records by their rows."""

import csv
import datetime
import json
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pyreadstat
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.cdisc.dataset_json import FileFacts
from reports.cdisc.export import FileFormat, write_cdisc
from reports.cdisc.study_facts import EvaluatorKind, ExportMode, StudyFacts
from tests.response.courses import visits
from tumorresp.domain.assessment import Category, NewLesionStatus
from tumorresp.domain.errors import InvalidInput, Missing
from tumorresp.domain.finding import Severity
from tumorresp.domain.measurement import LesionRole, LesionState
from tumorresp.response.baseline import baseline_first
from tumorresp.response.best_response import BestResponseParameters, best_response
from tumorresp.response.outcome import CriterionOutcome, SubjectOutcome
from tumorresp.response.recist_1_1 import assess_recist_1_1
from tumorresp.response.rule_audit import Reported, ReportedVisit, audit_rules
from tumorresp.response.subject import Demographics, SubjectCourse, SubjectDates, dated_responses
from tumorresp.response.table.conventions import PartialDates, TableConventions
from tumorresp.service.respond.sdtm_input import SdtmInput, SdtmReading, read_sdtm
from tumorresp.service.respond.sdtm_numbers import agree, number_text

FILE_FACTS = FileFacts("ST1", datetime.datetime(2024, 9, 1, tzinfo=datetime.UTC))
Record = dict[str, Any]
VISITS = {"SCREENING": ("1", "2024-01-01"), "WEEK 6": ("2", "2024-02-12"), "WEEK 12": ("3", "2024-03-25")}


def tu(lesion: str, role: str, site: str, **more: str) -> Record:
    return {"USUBJID": "S1", "TULNKID": lesion, "TUTESTCD": "TUMIDENT", "TUSTRESC": role, "TULOC": site} | more


def tr(lesion: str, visit: str, test: str, result: str, **more: str) -> Record:
    number, date = VISITS[visit]
    size = {"TRSTRESN": result, "TRSTRESU": "mm"} if result.replace(".", "").isdigit() else {}
    values = {"USUBJID": "S1", "TRLNKID": lesion, "TRTESTCD": test, "TRORRES": result, "TRSTRESC": result}
    return values | size | {"VISITNUM": number, "VISIT": visit, "TRDTC": date} | more


def rs(visit: str, test: str, result: str, **more: str) -> Record:
    number, date = VISITS[visit]
    values = {"USUBJID": "S1", "RSTESTCD": test, "RSCAT": "RECIST 1.1", "RSSTRESC": result}
    return values | {"VISITNUM": number, "VISIT": visit, "RSDTC": date} | more


TARGETS = [
    tu("T01", "TARGET", "LUNG", TULAT="LEFT"),
    tu("T02", "TARGET", "LYMPH NODE"),
    tu("NT01", "NON-TARGET", "LIVER"),
]
SIZES = [
    tr("T01", "SCREENING", "LDIAM", "40"),
    tr("T02", "SCREENING", "LPERP", "20"),
    tr("NT01", "SCREENING", "TUMSTATE", "PRESENT"),
    tr("T01", "WEEK 6", "LDIAM", "25.5"),
    tr("T02", "WEEK 6", "LPERP", "17"),
    tr("NT01", "WEEK 6", "TUMSTATE", "ABSENT"),
]
COLUMNS = {
    "tu": ("TUTESTCD", "TUSTRESC", "TULNKID"),
    "tr": ("TRTESTCD", "TRLNKID", "TRSTRESC"),
    "rs": ("RSTESTCD", "RSSTRESC"),
}


def folder(path: Path, **domains: Sequence[Record]) -> Path:
    for name, records in domains.items():
        columns = list(dict.fromkeys(["USUBJID", *COLUMNS.get(name, ()), *(key for item in records for key in item)]))
        with (path / f"{name}.csv").open("w", newline="", encoding="utf-8") as stream:
            writer = csv.DictWriter(stream, columns)
            writer.writeheader()
            writer.writerows(records)
    return path


def one_reading(found: SdtmInput) -> SdtmReading:
    (reading,) = found.readings
    return reading


def read(path: Path, **domains: Sequence[Record]) -> SdtmReading:
    found = read_sdtm(folder(path, **domains))
    assert [item for item in found.findings if item.severity is Severity.ERROR] == []
    return one_reading(found)


def reported(reading: SdtmReading, visit: str) -> ReportedVisit:
    return next(item for item in reading.reported.visits if item.time_point_id == visit)


def test_lesions_become_a_course(tmp_path: Path) -> None:
    course = read(tmp_path, tu=TARGETS, tr=SIZES).course
    assert (course.subject_id, course.evaluator) == ("S1", "")
    assert [(item.name, item.date) for item in course.visits] == [
        ("SCREENING", datetime.date(2024, 1, 1)),
        ("WEEK 6", datetime.date(2024, 2, 12)),
    ]
    lung, node, liver = course.visits[1].observations
    assert (lung.lesion_id, lung.role, lung.nodal, lung.organ) == ("T01", LesionRole.TARGET, False, "left lung")
    assert (lung.long_axis_mm, lung.state, lung.source) == (Decimal("25.5"), LesionState.MEASURED, "TR row 5")
    assert (node.nodal, node.short_axis_mm, node.long_axis_mm) == (True, Decimal(17), None)
    assert (liver.role, liver.state) == (LesionRole.NON_TARGET, LesionState.ABSENT)
    assert [item.overall for item in assess_recist_1_1(course.visits)][1] is Category.SD


# (records of one lesion at week 6, its state, long axis, short axis)
LESIONS = [
    ([tr("T01", "WEEK 6", "LDIAM", "31")], "measured", "31", None),
    ([tr("T01", "WEEK 6", "LDIAM", "3.1", TRSTRESU="cm")], "measured", "31", None),
    ([tr("T01", "WEEK 6", "LDIAM", "3.1", TRORRESU="cm", TRSTRESC="", TRSTRESN="")], "measured", "31", None),
    ([tr("T01", "WEEK 6", "LDIAM", "3.1", TRORRESU="cm", TRSTRESC="31", TRSTRESN="31")], "measured", "31", None),
    ([tr("T01", "WEEK 6", "DIAMETER", "31"), tr("T01", "WEEK 6", "LPERP", "12")], "measured", "31", "12"),
    ([tr("T02", "WEEK 6", "DIAMETER", "12")], "measured", None, "12"),
    ([tr("T02", "WEEK 6", "LDIAM", "22"), tr("T02", "WEEK 6", "LPERP", "12")], "measured", "22", "12"),
    ([tr("T02", "WEEK 6", "LPERP", "8"), tr("T02", "WEEK 6", "LNSTATE", "NONPATHOLOGICAL")], "measured", None, "8"),
    ([tr("T02", "WEEK 6", "LNSTATE", "NONPATHOLOGICAL")], "absent", None, None),
    ([tr("T02", "WEEK 6", "LNSTATE", "NON-PATHOLOGICAL")], "absent", None, None),
    ([tr("T02", "WEEK 6", "LNSTATE", "PATHOLOGICAL")], "present", None, None),
    ([tr("T01", "WEEK 6", "LDIAM", "0"), tr("T01", "WEEK 6", "TUMSTATE", "ABSENT")], "absent", None, None),
    ([tr("T01", "WEEK 6", "LDIAM", "31"), tr("T01", "WEEK 6", "TUMSTATE", "PRESENT")], "measured", "31", None),
    (
        [tr("T01", "WEEK 6", "LDIAM", "5", TRORRES="TOO SMALL TO MEASURE")],
        "too-small",
        "5",
        None,
    ),
    ([tr("T01", "WEEK 6", "LDIAM", "TOO SMALL TO MEASURE")], "too-small", None, None),
    ([tr("T01", "WEEK 6", "LDIAM", "", TRSTAT="NOT DONE", TRREASND="SCAN NOT PERFORMED")], "not-evaluable", None, None),
    ([tr("T01", "WEEK 6", "LDIAM", "", TRSTAT="NOT DONE", TRREASND="TUMOR MERGED")], "merged", None, None),
    ([tr("NT01", "WEEK 6", "TUMSTATE", "UNEQUIVOCAL PROGRESSION")], "unequivocal-progression", None, None),
    ([tr("NT01", "WEEK 6", "TUMSTATE", "UNEQUIVOCAL")], "unequivocal-progression", None, None),
    ([tr("NEW01", "WEEK 6", "TUMSTATE", "UNEQUIVOCAL", TRGRPID="NEW")], "present", None, None),
    ([tr("NEW01", "WEEK 6", "TUMSTATE", "EQUIVOCAL", TRGRPID="NEW")], "equivocal", None, None),
]


@pytest.mark.parametrize(("records", "state", "long_axis", "short_axis"), LESIONS)
def test_results_of_one_lesion(
    tmp_path: Path, records: list[Record], state: str, long_axis: str | None, short_axis: str | None
) -> None:
    course = read(tmp_path, tu=TARGETS, tr=[*SIZES[:3], *records]).course
    (seen,) = course.visits[1].observations
    assert seen.state.value == state
    assert seen.long_axis_mm == (None if long_axis is None else Decimal(long_axis))
    assert seen.short_axis_mm == (None if short_axis is None else Decimal(short_axis))


@pytest.mark.parametrize(("unit", "mm3"), [("mm3", "1500"), ("mL", "1500000"), ("cm3", "1500000")])
def test_volumes(tmp_path: Path, unit: str, mm3: str) -> None:
    course = read(tmp_path, tu=TARGETS, tr=[tr("T01", "SCREENING", "VOLUME", "1500", TRSTRESU=unit)]).course
    assert course.visits[0].observations[0].volume_mm3 == Decimal(mm3)


def test_split_and_merged_lesions_know_their_parents(tmp_path: Path) -> None:
    identified = [
        tu("T03", "TARGET", "LIVER"),
        tu("T01.1", "TARGET", "LUNG", TUTESTCD="TUSPLIT", TUGRPID="T01"),
        tu("T01.2", "TARGET", "LUNG", TUTESTCD="TUSPLIT", TUGRPID="T01"),
        tu("T02/T03", "TARGET", "LIVER", TUTESTCD="TUMERGE"),
    ]
    sizes = [
        tr("T01", "WEEK 6", "LDIAM", "", TRSTAT="NOT DONE", TRREASND="TUMOR SPLIT"),
        tr("T01.1", "WEEK 6", "LDIAM", "6"),
        tr("T01.2", "WEEK 6", "LDIAM", "7"),
        tr("T02/T03", "WEEK 6", "LDIAM", "44"),
    ]
    course = read(tmp_path, tu=[*TARGETS, *identified], tr=[*SIZES[:3], *sizes]).course
    seen = {item.lesion_id: item.parents for item in course.visits[1].observations}
    assert seen == {"T01.1": ("T01",), "T01.2": ("T01",), "T02/T03": ("T02", "T03")}


def test_method_and_earlier_irradiation(tmp_path: Path) -> None:
    identified = [tu("T01", "TARGET", "LUNG", TUSEQ="7", TUMETHOD="CT SCAN")]
    supplement = [{"USUBJID": "S1", "IDVAR": "TUSEQ", "IDVARVAL": "7", "QNAM": "TUPREISP", "QVAL": "Y"}]
    course = read(tmp_path, tu=identified, tr=SIZES[:1], supptu=supplement).course
    assert (course.visits[0].observations[0].method, course.visits[0].observations[0].irradiated) == ("CT", True)


def test_reported_values(tmp_path: Path) -> None:
    sums = [
        tr("", "WEEK 6", "SUMDIAM", "42.50", TRGRPID="TARGET"),
        tr("", "WEEK 6", "PCBSD", "-29.2", TRGRPID="TARGET", TRSTRESN="-29.2", TRSTRESU="%"),
        tr("", "WEEK 6", "PCNSD", "-29.2", TRGRPID="TARGET", TRSTRESU="%"),
        tr("", "WEEK 6", "ACNSD", "-1.75", TRGRPID="TARGET", TRSTRESU="cm"),
        tr("", "WEEK 6", "SUMDIAM", "11", TRGRPID="NEW"),
    ]
    responses = [
        rs("WEEK 6", "TRGRESP", "PR"),
        rs("WEEK 6", "NTRGRESP", "CR"),
        rs("WEEK 6", "NEWLPROG", "EQUIVOCAL"),
        rs("WEEK 6", "OVRLRESP", "PR"),
        rs("WEEK 6", "BESTRESP", "PR", RSSCAT="UNCONFIRMED"),
        rs("WEEK 6", "OVRLRESP", "iUPD", RSCAT="iRECIST"),
        rs("WEEK 12", "OVRLRESP", "", RSSTAT="NOT DONE"),
    ]
    found = read_sdtm(folder(tmp_path, tu=TARGETS, tr=[*SIZES, *sums], rs=responses))
    visit = reported(one_reading(found), "WEEK 6")
    assert visit.target_sum is not None
    assert (str(visit.target_sum.value), visit.target_sum.source) == ("42.50", "TR row 8")
    assert visit.change_from_baseline_percent is not None
    assert visit.change_from_baseline_percent.value == Decimal("-29.2")
    assert visit.change_from_nadir is not None
    assert str(visit.change_from_nadir.value) == "-17.5"
    assert visit.target is not None
    assert (visit.target.value, visit.target.source) == (Category.PR, "RS row 2")
    assert visit.non_target is not None
    assert visit.non_target.value is Category.CR
    assert visit.new_lesions is not None
    assert visit.new_lesions.value is NewLesionStatus.EQUIVOCAL
    assert visit.overall is not None
    assert visit.date is not None
    assert (visit.overall.value, visit.date.value) == (Category.PR, datetime.date(2024, 2, 12))
    (best,) = one_reading(found).reported.best
    assert (best.category, best.confirmed, best.source) == (Category.PR, False, "RS row 6")
    assert [(item.code, item.where) for item in found.findings] == [("criterion-not-audited", "RS row 7")]


def test_audit_of_data_sets_names_the_rows(tmp_path: Path) -> None:
    sums = [tr("", "WEEK 6", "SUMDIAM", "25.5", TRGRPID="TARGET")]
    reading = read(tmp_path, tu=TARGETS, tr=[*SIZES, *sums])
    (finding,) = audit_rules(reading.course, reading.reported)
    assert finding.mistakes == ("lesion-left-out",)
    assert finding.sources == ("TR row 8", "TR row 5", "TR row 6")


def test_response_that_contradicts_the_reported_sum(tmp_path: Path) -> None:
    """Sizes of 60, 40 and 45 mm, sums of 60, 40 and 52 mm, PR and SD: the last sum is wrong, and SD contradicts it."""
    sizes = zip(VISITS, ("60", "40", "45"), ("60", "40", "52"), strict=True)
    results = [
        record
        for visit, size, total in sizes
        for record in (tr("T01", visit, "LDIAM", size), tr("", visit, "SUMDIAM", total, TRGRPID="TARGET"))
    ]
    responses = [rs("WEEK 6", "OVRLRESP", "PR"), rs("WEEK 12", "OVRLRESP", "SD")]
    reading = read(tmp_path, tu=TARGETS[:1], tr=results, rs=responses)
    found = [item for item in audit_rules(reading.course, reading.reported) if item.what != "target choice"]
    assert [(item.visit, item.what, item.reported, item.derived) for item in found] == [
        ("WEEK 12", "sum of diameters", "52 mm", "45 mm"),
        ("WEEK 12", "overall response", "SD", "PD by the reported sums"),
    ]
    assert found[1].explanations == (("contradicts-reported-sums",), ("baseline-instead-of-nadir",))


REFUSED = [
    (tr("NEW01", "WEEK 6", "LDIAM", "14,0", TRGRPID="NEW"), "NEW01: long_axis_mm: '14,0' is no number"),
    (tr("NEW01", "WEEK 6", "TUMSTATE", "PERHAPS", TRGRPID="NEW"), "NEW01: state: the state 'PERHAPS' is not known"),
    (tr("", "WEEK 6", "LDIAM", "14"), "TRLNKID is empty"),
    (tr("X01", "WEEK 6", "LDIAM", "14"), "the role of X01 is not known"),
    (tr("NEW01", "WEEK 6", "LDIAM", "14", TRGRPID="NEW", TRSTRESU="inch"), "the unit 'inch' is not known"),
]


def test_own_export_with_a_scan_before_the_baseline_audits_clean(tmp_path: Path) -> None:
    """Without DM the flags of TR say which scan is the baseline."""
    dates = SubjectDates(reference=datetime.date(2024, 2, 20), first_treatment=datetime.date(2024, 2, 20))
    course = SubjectCourse("001", "", visits("T01=70", "T01=60", "T01=40", "T01=42"), dates)
    course = baseline_first(course)
    outcome = SubjectOutcome(course, (CriterionOutcome("recist-1.1", assess_recist_1_1(course.visits)),))
    facts = StudyFacts("ST1", ExportMode.CENTRAL_READ, EvaluatorKind.INDEPENDENT_ASSESSOR, reader_signed=True)
    write_cdisc([outcome], facts, tmp_path, FILE_FACTS, (FileFormat.XPT,))
    reading = one_reading(read_sdtm(tmp_path / "sdtm"))
    assert [visit.name for visit in reading.course.visits] == ["FOLLOW-UP 1", "FOLLOW-UP 2", "FOLLOW-UP 3"]
    assert [visit.name for visit in reading.course.before_treatment] == ["BASELINE"]
    found = [item for item in audit_rules(reading.course, reading.reported) if item.what != "target choice"]
    assert found == []


@pytest.mark.parametrize(("record", "words"), REFUSED)
def test_record_that_cannot_be_read_keeps_back_its_visit(tmp_path: Path, record: Record, words: str) -> None:
    """What was refused may be a new lesion: PD, which the reader reported, is not called wrong."""
    responses = [rs("WEEK 6", "OVRLRESP", "PD"), rs("WEEK 6", "TRGRESP", "SD")]
    found = read_sdtm(folder(tmp_path, tu=TARGETS, tr=[*SIZES, record], rs=responses))
    reading = one_reading(found)
    (refused,) = reading.course.visits[1].refused
    assert words in refused.words
    assert refused.where == "TR row 8"
    audited = [item for item in audit_rules(reading.course, reading.reported) if item.what != "target choice"]
    assert [(item.what, item.mistakes) for item in audited] == [("visit", ("input-not-read",))]


def test_record_without_any_date_may_belong_to_any_visit(tmp_path: Path) -> None:
    record = tr("NEW01", "WEEK 12", "LDIAM", "14", TRGRPID="NEW", TRDTC="")
    reading = one_reading(read_sdtm(folder(tmp_path, tu=TARGETS, tr=[*SIZES, record])))
    assert [item.where for item in reading.course.refused] == ["TR row 8"]


def test_baseline_of_data_sets_is_the_last_scan_before_the_first_dose(tmp_path: Path) -> None:
    sizes = [tr("T01", visit, "LDIAM", size) for visit, size in zip(VISITS, ("70", "50", "45"), strict=True)]
    sums = [
        tr("", visit, "SUMDIAM", size, TRGRPID="TARGET") for visit, size in zip(VISITS, ("70", "50", "45"), strict=True)
    ]
    dm = [{"USUBJID": "S1", "RFSTDTC": "2024-02-12", "RFXSTDTC": "2024-02-12"}]
    reading = one_reading(
        read_sdtm(folder(tmp_path, tu=TARGETS[:1], tr=[*sizes, *sums], rs=[rs("WEEK 12", "OVRLRESP", "SD")], dm=dm))
    )
    assert [visit.name for visit in reading.course.visits] == ["WEEK 6", "WEEK 12"]
    assert [visit.name for visit in reading.course.before_treatment] == ["SCREENING"]
    found = [item for item in audit_rules(reading.course, reading.reported) if item.what != "target choice"]
    assert found == []


def test_evaluators_are_kept_apart(tmp_path: Path) -> None:
    by = [{"TREVAL": "INDEPENDENT ASSESSOR", "TREVALID": f"RADIOLOGIST {number}"} for number in (1, 2)]
    sizes = [item | by[0] for item in SIZES] + [item | by[1] for item in SIZES[:5]]
    sizes += [item | {"TREVAL": "INVESTIGATOR"} for item in SIZES[:2]]
    responses = [rs("WEEK 6", "OVRLRESP", "SD", RSEVAL="INDEPENDENT ASSESSOR", RSEVALID="RADIOLOGIST 2")]
    found = read_sdtm(folder(tmp_path, tu=TARGETS, tr=sizes, rs=responses))
    assert [(item.course.evaluator, len(item.course.visits), len(item.reported.visits)) for item in found.readings] == [
        ("INDEPENDENT ASSESSOR (RADIOLOGIST 1)", 2, 0),
        ("INDEPENDENT ASSESSOR (RADIOLOGIST 2)", 2, 1),
        ("INVESTIGATOR", 1, 0),
    ]
    assert [len(item.course.visits[-1].observations) for item in found.readings] == [3, 2, 2]


def test_visit_with_a_response_and_no_measurement_is_not_evaluable(tmp_path: Path) -> None:
    reading = read(tmp_path, tu=TARGETS, tr=SIZES, rs=[rs("WEEK 12", "OVRLRESP", "SD")])
    assert [item.name for item in reading.course.visits] == ["SCREENING", "WEEK 6", "WEEK 12"]
    (finding,) = audit_rules(reading.course, reading.reported)
    assert (finding.visit, finding.reported, finding.derived) == ("WEEK 12", "SD", "NE")


def test_responses_without_measurements(tmp_path: Path) -> None:
    reading = read(tmp_path, rs=[rs("WEEK 6", "OVRLRESP", "SD")])
    assert reading.course.visits == ()
    assert reported(reading, "WEEK 6").overall is not None


def test_visits_of_one_name_are_told_apart_by_number(tmp_path: Path) -> None:
    unscheduled = [
        tr("T01", "WEEK 6", "LDIAM", "30", VISIT="UNSCHEDULED", VISITNUM="2.1"),
        tr("T01", "WEEK 12", "LDIAM", "31", VISIT="UNSCHEDULED", VISITNUM="2.2"),
        tr("T01", "WEEK 12", "LDIAM", "31", VISIT="", VISITNUM="4", TRDTC="2024-05-01"),
        tr("T01", "WEEK 12", "LDIAM", "31", VISIT="", VISITNUM="", TRDTC="2024-06-01"),
    ]
    course = read(tmp_path, tu=TARGETS, tr=[*SIZES[:3], *unscheduled]).course
    assert [item.name for item in course.visits] == [
        "SCREENING",
        "UNSCHEDULED (2.1)",
        "UNSCHEDULED (2.2)",
        "VISITNUM 4",
        "2024-06-01",
    ]


def test_dates_of_the_subject_from_dm(tmp_path: Path) -> None:
    dm = [{"USUBJID": "S1", "RFSTDTC": "2024-01-03T08:30", "RFXSTDTC": "2024-01-04", "DTHDTC": "2025", "ARM": "A"}]
    dm[0] |= {"SITEID": "017", "AGE": "63.999999999999996", "AGEU": "YEARS", "SEX": "M", "RACE": "WHITE"}
    found = read_sdtm(folder(tmp_path, tu=TARGETS, tr=SIZES, dm=dm))
    known = Demographics("017", Decimal(64), "M", "WHITE")
    expected = SubjectDates(datetime.date(2024, 1, 3), datetime.date(2024, 1, 4), arm="A", demographics=known)
    assert one_reading(found).course.dates == expected
    assert [(item.code, item.where) for item in found.findings] == [("partial-date", "DM row 2, DTHDTC")]


def test_record_without_date_has_that_of_its_visit(tmp_path: Path) -> None:
    course = read(tmp_path, tu=TARGETS, tr=[*SIZES[:4], SIZES[4] | {"TRDTC": ""}]).course
    assert [item.date for item in course.visits[1].observations] == [datetime.date(2024, 2, 12)] * 2


def test_partial_dates_by_convention(tmp_path: Path) -> None:
    path = folder(tmp_path, tu=TARGETS, tr=[*SIZES[:3], SIZES[3] | {"TRDTC": "2024-02"}])
    refused = read_sdtm(path)
    assert [item.code for item in refused.findings] == ["partial-date", "no-date"]
    taken = read_sdtm(path, TableConventions(PartialDates.MIDDLE))
    assert one_reading(taken).course.visits[1].date == datetime.date(2024, 2, 15)
    assert [item.code for item in taken.findings] == ["partial-date-imputed"]


BAD = [
    (
        "tr",
        tr("T01", "WEEK 6", "LDIAM", "31", TRSTRESU="inch"),
        "unreadable-cell",
        "TR row 8, LDIAM",
        "'inch' is not",
    ),
    ("tr", tr("T01", "WEEK 6", "LDIAM", "-3", TRSTRESN="-3"), "unreadable-cell", "TR row 8, LDIAM", "-3 is negative"),
    ("tr", tr("T01", "WEEK 6", "LDIAM", "31", TRSTRESN="13"), "unreadable-cell", "TR row 8, LDIAM", "TRSTRESC 31 and"),
    ("tr", tr("T01", "WEEK 6", "LDIAM", "thirty"), "unreadable-cell", "TR row 8, LDIAM", "'thirty' is no number"),
    ("tr", tr("T01", "WEEK 12", "TUMSTATE", "LOOKS FINE"), "unknown-state", "TR row 8", "'LOOKS FINE' is not known"),
    ("tr", tr("", "WEEK 6", "LDIAM", "31"), "lesion-not-named", "TR row 8", "TRLNKID is empty"),
    ("tr", tr("", "WEEK 6", "SUMDIAM", "many"), "unreadable-cell", "TR row 8, SUMDIAM", "'many' is no number"),
    ("tr", tr("", "WEEK 6", "SUMDIAM", "5", TRSTRESU="ft"), "unknown-unit", "TR row 8, TRSTRESU", "expected mm or cm"),
    ("tr", tr("T01", "WEEK 12", "LDIAM", "31", TRDTC="12/03/2024"), "unreadable-cell", "TR row 8, TRDTC", "is no date"),
    ("tu", tu("T09", "PERHAPS", "LUNG"), "lesion-not-identified", "TU row 5", "'PERHAPS' is no role"),
    ("tu", tu("", "TARGET", "LUNG"), "lesion-not-identified", "TU row 5", "TULNKID is empty"),
    (
        "rs",
        rs("WEEK 6", "OVRLRESP", "BETTER"),
        "unreadable-cell",
        "RS row 2, RSSTRESC",
        "'BETTER' is no value of",
    ),
    ("rs", rs("WEEK 6", "NEWLPROG", "PR"), "unreadable-cell", "RS row 2, RSSTRESC", "'PR' is no value of NEWLPROG"),
]


@pytest.mark.parametrize(("domain", "record", "code", "where", "words"), BAD)
def test_bad_record_is_named_and_the_rest_is_used(
    tmp_path: Path, domain: str, record: Record, code: str, where: str, words: str
) -> None:
    domains = {"tu": list(TARGETS), "tr": list(SIZES), "rs": []}
    domains[domain].append(record)
    found = read_sdtm(folder(tmp_path, **domains))
    finding = found.findings[0]
    assert (finding.code, finding.where, finding.severity) == (code, where, Severity.ERROR)
    assert words in finding.message
    assert len(one_reading(found).course.visits) >= 2


def test_two_results_of_one_lesion_make_it_not_evaluable(tmp_path: Path) -> None:
    reading = read(tmp_path, tu=TARGETS, tr=[*SIZES, tr("T01", "WEEK 6", "LDIAM", "26")])
    seen = reading.course.visits[1].of("T01")
    assert seen is not None
    assert (seen.state, seen.source) == (LesionState.NOT_EVALUABLE, "TR row 5, TR row 8")
    assert ("several-sizes", "TR row 8") in [(item.code, item.where) for item in reading.course.findings]


def test_value_reported_twice_is_audited_only_where_both_agree(tmp_path: Path) -> None:
    responses = [rs("WEEK 6", "OVRLRESP", "SD"), rs("WEEK 6", "OVRLRESP", "SD"), rs("WEEK 6", "TRGRESP", "PR")]
    found = read_sdtm(folder(tmp_path, tu=TARGETS, tr=SIZES, rs=[*responses, rs("WEEK 6", "TRGRESP", "SD")]))
    visit = reported(one_reading(found), "WEEK 6")
    assert visit.overall is not None
    assert visit.target is None
    (finding,) = found.findings
    assert (finding.code, finding.where) == ("reported-twice", "RS row 5")
    assert "PR (RS row 4) and SD" in finding.message


def test_evaluator_id_needs_an_evaluator(tmp_path: Path) -> None:
    found = read_sdtm(folder(tmp_path, tr=SIZES[:1], rs=[rs("WEEK 6", "OVRLRESP", "SD", RSEVALID="RADIOLOGIST 1")]))
    assert ("evaluator-not-named", "RS row 2") in [(item.code, item.where) for item in found.findings]


def columns_of(records: Sequence[Record]) -> list[str]:
    return list(dict.fromkeys(key for item in records for key in item))


def write_format(path: Path, name: str, records: Sequence[Record], kind: str) -> None:
    columns = columns_of(records)
    rows = [[item.get(column, "") for column in columns] for item in records]
    if kind == "xpt":
        frame = pd.DataFrame(rows, columns=columns)
        for column in [item for item in columns if item.endswith(("STRESN", "VISITNUM"))]:
            frame[column] = pd.to_numeric(frame[column].replace("", None))
        pyreadstat.write_xport(frame, str(path / f"{name}.xpt"), table_name=name.upper(), file_format_version=5)
        return
    header = {"datasetJSONVersion": "1.1.0", "columns": [{"name": column} for column in columns]}
    if kind == "json":
        (path / f"{name}.json").write_text(json.dumps(header | {"rows": rows}), "utf-8")
    else:
        (path / f"{name}.ndjson").write_text("\n".join(json.dumps(item) for item in [header, *rows]), "utf-8")


def sizes_of(reading: SdtmReading) -> list[list[object]]:
    return [
        [(item.lesion_id, item.long_axis_mm, item.short_axis_mm, item.state) for item in visit.observations]
        for visit in reading.course.visits
    ]


@pytest.mark.parametrize("kind", ["xpt", "json", "ndjson"])
def test_formats_say_the_same(tmp_path: Path, kind: str) -> None:
    records = {"tu": TARGETS, "tr": SIZES, "rs": [rs("WEEK 6", "OVRLRESP", "SD")]}
    for name, own in records.items():
        write_format(tmp_path, name, own, kind)
    reading = one_reading(read_sdtm(tmp_path))
    (tmp_path / "csv").mkdir()
    expected = read(folder(tmp_path / "csv", **records))
    assert sizes_of(reading) == sizes_of(expected)
    # Records count from 1 where there is no header.
    assert reading.course.visits[0].observations[0].source == "TR row 1"
    assert reported(reading, "WEEK 6").overall is not None


NOISY = [11.700000000000001, 0.1 + 0.2, 35.300000000000004, 100.10000000000001, 19.999999999999996, 1234.5600000000002]


@pytest.mark.parametrize("value", NOISY)
@pytest.mark.parametrize("kind", ["xpt", "json", "ndjson", "csv"])
def test_noise_of_doubles_is_no_difference(tmp_path: Path, value: float, kind: str) -> None:
    """A double that stands for a decimal is this decimal, as size, as sum, as change and as visit number."""
    stated = f"{value:.15g}"
    size = tr("T01", "SCREENING", "LDIAM", stated, TRGRPID="TARGET") | {"TRSTRESN": value, "VISITNUM": 1 + 2e-16}
    total = tr("", "SCREENING", "SUMDIAM", stated, TRGRPID="TARGET") | {"TRSTRESN": value}
    change = tr("", "WEEK 6", "PCBSD", "", TRGRPID="TARGET") | {"TRSTRESN": value, "TRSTRESU": "%"}
    if kind == "csv":
        folder(tmp_path, tr=[size, total, change])
    else:
        write_format(tmp_path, "tr", [size, total, change], kind)
    found = read_sdtm(tmp_path)
    assert found.findings == ()
    reading = one_reading(found)
    (seen,) = reading.course.visits[0].observations
    assert (seen.long_axis_mm, seen.state) == (Decimal(stated), LesionState.MEASURED)
    assert reported(reading, "SCREENING").target_sum == Reported(Decimal(stated), f"TR row {3 if kind == 'csv' else 2}")
    percent = reported(reading, "WEEK 6").change_from_baseline_percent
    assert percent is not None
    assert percent.value == Decimal(stated)


@given(st.decimals(0, 500, places=2), st.lists(st.decimals(0, 60, places=1), min_size=1, max_size=10))
def test_number_carried_by_a_double_is_what_was_stated(size: Decimal, sizes: list[Decimal]) -> None:
    assert Decimal(number_text(float(size))) == size
    assert agree(str(size), repr(float(size)))
    added = sum(float(item) for item in sizes)
    assert Decimal(number_text(added)) == sum(sizes)


@pytest.mark.parametrize(
    ("text", "number", "same"),
    [
        ("11.7", "11.700000000000001", True),
        ("11.70", "11.7", True),
        ("33.333333333", "33.333333333333336", True),
        ("-33.3", "-33.333333333333336", True),
        ("11.65", "11.649999999999999", True),
        ("11.6", "11.65", True),
        ("11.7", "11.65", True),
        ("11.7", "11.6499", False),
        ("11.7", "11.8", False),
        ("31", "13", False),
        ("1.17E1", "11.7", True),
        ("TOO SMALL TO MEASURE", "5", True),
        ("", "5", True),
    ],
)
def test_text_and_number_of_a_result(tmp_path: Path, text: str, number: str, same: bool) -> None:
    size = tr("T01", "SCREENING", "LDIAM", text, TRSTRESN=number, TRSTRESU="mm")
    total = tr("", "SCREENING", "SUMDIAM", text, TRSTRESN=number, TRSTRESU="mm")
    found = read_sdtm(folder(tmp_path, tr=[size, total] if text[:1].isdigit() else [size]))
    differing = [item for item in found.findings if "differ" in item.message]
    assert [item.where for item in differing] == ([] if same else ["TR row 2, LDIAM", "TR row 3, SUMDIAM"])


def test_supplemental_qualifier_points_at_a_sequence_number(tmp_path: Path) -> None:
    lesions = [item | {"TUSEQ": f"{number}.0"} for number, item in enumerate(TARGETS, start=1)]
    qualifier = {"USUBJID": "S1", "IDVAR": "TUSEQ", "IDVARVAL": "2.0", "QNAM": "TUPREISP", "QVAL": "Y"}
    reading = read(tmp_path, tu=lesions, tr=SIZES, supptu=[qualifier])
    assert [item.irradiated for item in reading.course.visits[0].observations] == [False, True, False]


def test_transport_file_comes_before_others(tmp_path: Path) -> None:
    write_format(tmp_path, "tr", SIZES, "xpt")
    found = read_sdtm(folder(tmp_path, tu=TARGETS, tr=SIZES[:1]))
    assert len(one_reading(found).course.visits) == 2
    assert [(item.code, item.where) for item in found.findings] == [("several-files", "tr.xpt")]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("tr.csv", "USUBJID,TRTESTCD\nS1,LDIAM\n", "variable TRLNKID is missing"),
        ("tr.csv", "USUBJID,TRTESTCD,TRLNKID\nS1,LDIAM\n", "row has 2 cells, expected 3"),
        (
            "tr.csv",
            'USUBJID,TRTESTCD,TRLNKID\nS1,LDIAM,"T01\nS2,LDIAM,T01\nS3,LDIAM,T01"\n',
            "a cell holds whole rows",
        ),
        ("tr.csv", "", "the file is empty"),
        ("tr.xpt", "no transport file", "no SAS transport file"),
        ("tr.json", "{", "the file is no JSON"),
        ("tr.json", "{}", "no columns with names"),
        ("tr.json", '{"columns": [{"name": "USUBJID"}], "rows": {}}', "list of lists"),
        ("tr.ndjson", "", "no Dataset-NDJSON"),
    ],
)
def test_files_that_cannot_be_read(tmp_path: Path, name: str, content: str, words: str) -> None:
    (tmp_path / name).write_text(content, "utf-8")
    with pytest.raises(InvalidInput, match=words) as caught:
        read_sdtm(tmp_path)
    assert caught.value.where.startswith(name)


def test_folder_without_results_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Missing, match="neither TR nor RS"):
        read_sdtm(folder(tmp_path, tu=TARGETS))
    with pytest.raises(Missing, match="no such folder"):
        read_sdtm(tmp_path / "absent")


def test_own_export_of_a_central_read_audits_clean(tmp_path: Path) -> None:
    """What the product writes as collected by a central reader follows from itself when it is read back."""
    course = SubjectCourse(
        "001",
        "",
        visits(
            "T01=40 T02n=20 NT01=present",
            "T01=25 T02n=17 NT01=absent",
            "T01=small T02n=9 NT01=absent",
            "T01=30.3 NT01=pd NEW01=12",
        ),
        SubjectDates(reference=datetime.date(2024, 1, 2)),
    )
    assessments = assess_recist_1_1(course.visits)
    responses = dated_responses(course.visits, assessments)
    best = best_response(responses, course.dates, BestResponseParameters(), confirmed=False)
    confirmed = best_response(responses, course.dates, BestResponseParameters(), confirmed=True)
    outcome = SubjectOutcome(course, (CriterionOutcome("recist-1.1", assessments, best, confirmed),))
    facts = StudyFacts(
        "ST1", ExportMode.CENTRAL_READ, EvaluatorKind.INDEPENDENT_ASSESSOR, reader_signed=True, vendor_name="Lab"
    )
    write_cdisc([outcome], facts, tmp_path, FILE_FACTS, (FileFormat.XPT,))
    reading = one_reading(read_sdtm(tmp_path / "sdtm"))
    assert [item.overall.value for item in reading.reported.visits if item.overall] == ["PR", "PR", "PD"]
    assert len([item for item in reading.reported.visits if item.target_sum]) == 3
    assert len(reading.reported.best) == 1
    dates = SubjectDates(reference=datetime.date(2024, 1, 2))
    found = audit_rules(replace(reading.course, dates=dates), reading.reported)
    assert found == ()
