"""SDTM: what stands in TU, TR, RS, RELREC and SUPPTU, and what must not."""

import datetime
from dataclasses import replace
from decimal import Decimal

import pytest

from reports.cdisc.dataset import Value
from reports.cdisc.exposure import flag_last_before_exposure
from reports.cdisc.study_facts import EvaluatorKind, EvaluatorTerms, ExportMode, StudyFacts
from reports.cdisc.subject_records import study_day
from tests.reports.cdisc.studies import (
    BASELINE,
    CENTRAL,
    DATES,
    RESPONDER,
    SPONSOR,
    changed,
    export,
    of_visits,
    subject,
    terms,
)
from tests.response.courses import visits
from tumorresp.domain.assessment import Category, NewLesionStatus
from tumorresp.domain.eligibility import LateTarget
from tumorresp.domain.errors import InvalidInput, InvalidSettings
from tumorresp.domain.measurement import LesionRole, LesionState
from tumorresp.response.observation import LesionObservation, Refused
from tumorresp.response.outcome import CriterionOutcome, SubjectOutcome
from tumorresp.response.recist_1_1 import assess_recist_1_1
from tumorresp.response.refused import assess_with_refused
from tumorresp.response.subject import SubjectCourse

DERIVED_TESTS = {"SUMDIAM", "PCBSD", "PCNSD", "ACNSD"}


def results(rows: list[dict[str, object]], link: str, visit: int) -> dict[object, tuple[object, ...]]:
    return {
        row["TRTESTCD"]: (
            row["TRORRES"],
            row["TRSTRESC"],
            row["TRSTRESN"],
            row["TRSTRESU"],
            row["TRSTAT"],
            row["TRREASND"],
        )
        for row in rows
        if row["TRLNKID"] == link and row["VISITNUM"] == visit
    }


def test_sponsor_sdtm_holds_no_derived_result_and_no_rs() -> None:
    out = export([subject(*RESPONDER, volumes=True)], SPONSOR)
    assert {row["TRTESTCD"] for row in out["TR"]} == {"LDIAM", "LPERP", "TUMSTATE"}
    assert "RS" not in out
    assert {row["RDOMAIN"] for row in out["RELREC"]} == {"TU", "TR"}
    assert {row["TREVAL"] for row in out["TR"]} == {"INVESTIGATOR"}
    assert {row["TRNAM"] for row in out["TR"]} == {""}


def test_central_read_holds_the_signed_sums_and_responses() -> None:
    out = export([subject(*RESPONDER)], CENTRAL)
    sums = {(row["TRTESTCD"], row["VISITNUM"]): row["TRSTRESN"] for row in out["TR"] if row["TRLNKID"] == ""}
    assert sums == {
        ("SUMDIAM", 1): 60,
        ("SUMDIAM", 2): 42,
        ("PCBSD", 2): -30,
        ("PCNSD", 2): -30,
        ("ACNSD", 2): -18,
        ("SUMDIAM", 3): 13,
        ("PCBSD", 3): -78.333333,
        ("PCNSD", 3): -69.047619,
        ("ACNSD", 3): -29,
    }
    responses = {(row["RSTESTCD"], row["VISITNUM"]): row["RSSTRESC"] for row in out["RS"]}
    assert responses == {
        ("TRGRESP", 2): "PR",
        ("NTRGRESP", 2): "CR",
        ("OVRLRESP", 2): "PR",
        ("TRGRESP", 3): "PR",
        ("NTRGRESP", 3): "PD",
        ("NEWLPROG", 3): "UNEQUIVOCAL",
        ("OVRLRESP", 3): "PD",
    }
    for row in out["RS"]:
        assert (row["RSEVAL"], row["RSNAM"], row["RSCAT"]) == ("INDEPENDENT ASSESSOR", "Imaging Lab", "RECIST 1.1")


def test_best_response_is_the_one_that_the_protocol_asks_for() -> None:
    outcome = subject(*RESPONDER, best=(Category.PR, datetime.date(2024, 2, 12)))

    def best(facts: StudyFacts) -> list[tuple[object, ...]]:
        rows = export([outcome], facts)["RS"]
        return [(r["RSSTRESC"], r["RSDTC"], r["VISITNUM"]) for r in rows if r["RSTESTCD"] == "BESTRESP"]

    assert best(CENTRAL) == [("PR", "2024-02-12", None)]
    assert best(replace(CENTRAL, confirmed_best_response=True)) == [("SD", "2024-02-12", None)]


def test_criterion_without_a_term_stays_out_of_rs() -> None:
    out = export([subject("T01=40/v900", "T01=20/v100", volumes=True)], CENTRAL)
    assert {row["RSCAT"] for row in out["RS"]} == {"RECIST 1.1"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("T01=22.5", {"LDIAM": ("22.5", "22.5", 22.5, "mm", "", "")}),
        ("T01=small", {"LDIAM": ("TOO SMALL TO MEASURE", "5", 5.0, "mm", "", "")}),
        ("T01=4/small", {"LDIAM": ("4", "4", 4.0, "mm", "", "")}),
        ("T01=absent", {"LDIAM": ("0", "0", 0.0, "mm", "", ""), "TUMSTATE": ("ABSENT", "ABSENT", None, "", "", "")}),
        ("T01=ne", {"LDIAM": ("", "", None, "", "NOT DONE", "NOT EVALUABLE")}),
        ("NT01=present", {"LDIAM": ("", "", None, "", "NOT DONE", "NOT ASSESSED")}),
    ],
)
def test_state_of_a_target(text: str, expected: dict[str, tuple[object, ...]]) -> None:
    rows = export([subject("T01=40 NT01=present", text)], SPONSOR)["TR"]
    assert results(rows, "T01", 2) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("T02n=12/L18", {"LPERP": 12.0, "LDIAM": 18.0}),
        ("T02n=8", {"LPERP": 8.0}),
        ("T02n=small", {"LPERP": 5.0}),
        ("T02n=absent", {"LPERP": 0.0, "LNSTATE": None}),
        ("T02n=L18", {"LDIAM": 18.0, "LPERP": None}),
    ],
)
def test_node_is_measured_by_its_short_axis(text: str, expected: dict[str, float | None]) -> None:
    rows = export([subject("T02n=20", text)], SPONSOR)["TR"]
    assert {test: values[2] for test, values in results(rows, "T02", 2).items()} == expected


# What a reader says of a lesion, and the records of it: (test, result).
STATES = [
    ("NT01=present", [("TUMSTATE", "PRESENT")]),
    ("NT01=absent", [("TUMSTATE", "ABSENT")]),
    ("NT01=pd", [("TUMSTATE", "UNEQUIVOCAL PROGRESSION")]),
    ("NT01=equivocal", [("TUMSTATE", "EQUIVOCAL")]),
    ("NT01n=present", [("LNSTATE", "PATHOLOGICAL")]),
    ("NT01n=absent", [("LNSTATE", "NONPATHOLOGICAL")]),
    ("NT01n=small", [("LNSTATE", "NONPATHOLOGICAL")]),
    ("NT01n=pd", [("LNSTATE", "PATHOLOGICAL"), ("TUMSTATE", "UNEQUIVOCAL PROGRESSION")]),
    ("NT01n=equivocal", [("TUMSTATE", "EQUIVOCAL")]),
    ("T01n=present", [("LNSTATE", "PATHOLOGICAL")]),
    ("T01n=absent", [("LNSTATE", "NONPATHOLOGICAL")]),
    ("T01n=pd", [("LNSTATE", "PATHOLOGICAL"), ("TUMSTATE", "UNEQUIVOCAL PROGRESSION")]),
    ("T01n=equivocal", [("TUMSTATE", "EQUIVOCAL")]),
    ("T01=present", [("TUMSTATE", "PRESENT")]),
    ("T01=absent", [("TUMSTATE", "ABSENT")]),
    ("T01=pd", [("TUMSTATE", "UNEQUIVOCAL PROGRESSION")]),
    ("T01=equivocal", [("TUMSTATE", "EQUIVOCAL")]),
    ("NEW01=present", [("TUMSTATE", "UNEQUIVOCAL")]),
    ("NEW01=equivocal", [("TUMSTATE", "EQUIVOCAL")]),
    ("NEW01n=present", [("TUMSTATE", "UNEQUIVOCAL")]),
]


@pytest.mark.parametrize(("text", "expected"), STATES)
def test_state_of_a_lesion_or_node(text: str, expected: list[tuple[str, str]]) -> None:
    link, nodal = text.split("=")[0].removesuffix("n"), text.split("=")[0].endswith("n")
    baseline = "T09=40" if link == "NEW01" else f"T09=40 {link}{'n' if nodal else ''}=30"
    rows = export([subject(baseline, f"T09=40 {text}")], SPONSOR)["TR"]
    states = {test: values for test, values in results(rows, link, 2).items() if str(test).endswith("STATE")}
    assert states == {test: (word, word, None, "", "", "") for test, word in expected}
    assert {row["TRSTRESC"] for row in rows if row["TRTESTCD"] == "LNSTATE"} <= {"PATHOLOGICAL", "NONPATHOLOGICAL"}


def test_volumes_are_in_sdtm_only_where_a_reader_signed() -> None:
    outcome = subject("T01=40/v900", "T01=20/v100")
    assert "VOLUME" not in {row["TRTESTCD"] for row in export([outcome], SPONSOR)["TR"]}
    signed = export([outcome], replace(SPONSOR, reader_signed=True))["TR"]
    assert [row["TRSTRESN"] for row in signed if row["TRTESTCD"] == "VOLUME"] == [900, 100]


def test_split_lesion_is_followed_under_its_fragments() -> None:
    course = visits("T01=30 T04=25", "T01=30", "T01=30")
    parts = [
        LesionObservation(
            name, LesionRole.TARGET, False, "liver", LesionState.MEASURED, Decimal(size), parents=("T04",)
        )
        for name, size in (("T04.1", 6), ("T04.2", 7))
    ]
    # Later visits need not say again what the fragments came from.
    later = [replace(part, parents=()) for part in parts]
    out = export([of_visits(changed(changed(course, 1, *parts), 2, *later))], SPONSOR)
    split = [row for row in out["TU"] if row["TUTESTCD"] == "TUSPLIT"]
    assert [(row["TULNKID"], row["TUGRPID"], row["TUSTRESC"], row["VISITNUM"]) for row in split] == [
        ("T04.1", "T04", "TARGET", 2),
        ("T04.2", "T04", "TARGET", 2),
    ]
    assert [row["TRSTRESN"] for row in out["TR"] if str(row["TRLNKID"]).startswith("T04.")] == [6, 6, 7, 7]
    assert results(out["TR"], "T04", 2) == {}


def test_merged_lesions_are_one_conglomerate() -> None:
    course = visits("T02=15 T03=14", "T02=30 T03=30", "T02=30")
    whole = LesionObservation(
        "T06", LesionRole.TARGET, False, "lung", LesionState.MEASURED, Decimal(33), parents=("T02", "T03")
    )
    merged = changed(course, 1, whole, T02=LesionState.MERGED, T03=LesionState.MERGED)
    only_whole = replace(merged[2], observations=(replace(whole, parents=()),))
    out = export([of_visits((*merged[:2], only_whole))], SPONSOR)
    record = next(row for row in out["TU"] if row["TUTESTCD"] == "TUMERGE")
    assert (record["TULNKID"], record["TUGRPID"], record["TUSPID"]) == ("T02/T03", "T02/T03", "T06")
    not_done = ("", "", None, "", "NOT DONE", "TUMOR MERGED")
    for visit in (2, 3):
        assert results(out["TR"], "T02/T03", visit)["LDIAM"][2] == 33
        assert results(out["TR"], "T02", visit) == results(out["TR"], "T03", visit) == {"LDIAM": not_done}


@pytest.mark.parametrize(
    ("organ", "nodal", "location", "side"),
    [
        ("Left lung, upper lobe", False, "LUNG", "LEFT"),
        ("adrenal right", False, "ADRENAL GLAND", "RIGHT"),
        ("mediastinum", True, "LYMPH NODE", ""),
        ("oesophagus", False, "ESOPHAGUS", ""),
        ("heart", False, "HEART", ""),
    ],
)
def test_location_has_its_term(organ: str, nodal: bool, location: str, side: str) -> None:
    course = visits("T01=40", "T01=30")
    seen = replace(course[0].observations[0], organ=organ, nodal=nodal, method="CT", irradiated=True)
    out = export([of_visits((replace(course[0], observations=(seen,)), course[1]))], SPONSOR)
    row = out["TU"][0]
    assert (row["TULOC"], row["TULAT"], row["TUMETHOD"]) == (location, side, "CT SCAN")
    assert [(s["QNAM"], s["QVAL"], s["IDVARVAL"]) for s in out["SUPPTU"]] == [("TUPREISP", "Y", str(row["TUSEQ"]))]


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (datetime.date(2024, 1, 3), 1),
        (datetime.date(2024, 1, 2), -1),
        (datetime.date(2024, 1, 4), 2),
        ("2024-01-10", 8),
        ("2024-01", None),
        ("", None),
        (None, None),
    ],
)
def test_study_day_knows_no_day_0_and_no_partial_date(day: datetime.date | str | None, expected: int | None) -> None:
    assert study_day(day, datetime.date(2024, 1, 3)) == expected
    assert study_day(day, None) is None


def test_days_and_last_observation_before_exposure() -> None:
    out = export([subject(*RESPONDER)], CENTRAL)
    days = {row["VISITNUM"]: row["TRDY"] for row in out["TR"] if row["TRDTC"]}
    assert days == {1: -2, 2: 41, 3: 83}
    assert {row["VISITNUM"] for row in out["TR"] if row["TRLOBXFL"] == "Y"} == {1}
    unknown = export([subject(*RESPONDER, dates=replace(DATES, first_treatment=None))], CENTRAL)
    assert {row["TRLOBXFL"] for row in unknown["TR"]} == {""}
    assert {row["TRDY"] for row in unknown["TR"] if row["VISITNUM"] == 1 and row["TRDTC"]} == {-1}


def test_derived_sums_have_the_date_of_their_visit() -> None:
    rows = [row for row in export([subject(*RESPONDER)], CENTRAL)["TR"] if row["TRLNKID"] == ""]
    assert {(row["VISITNUM"], row["TRDTC"], row["TRDY"], row["EPOCH"]) for row in rows} == {
        (1, "2024-01-01", -2, "SCREENING"),
        (2, "2024-02-12", 41, "TREATMENT"),
        (3, "2024-03-25", 83, "TREATMENT"),
    }
    assert {row["VISITNUM"] for row in rows if row["TRLOBXFL"]} == {1}


@pytest.mark.parametrize(
    ("first_treatment", "new_therapy", "expected"),
    [
        (datetime.date(2023, 12, 31), None, ["TREATMENT", "TREATMENT", "TREATMENT"]),
        (datetime.date(2024, 1, 1), None, ["SCREENING", "TREATMENT", "TREATMENT"]),
        (datetime.date(2024, 2, 12), None, ["SCREENING", "SCREENING", "TREATMENT"]),
        (datetime.date(2024, 1, 3), datetime.date(2024, 3, 25), ["SCREENING", "TREATMENT", "FOLLOW-UP"]),
        (datetime.date(2024, 1, 3), datetime.date(2024, 3, 26), ["SCREENING", "TREATMENT", "TREATMENT"]),
        (None, datetime.date(2024, 3, 25), ["", "", ""]),
    ],
)
def test_epoch_by_first_dose_and_next_therapy(
    first_treatment: datetime.date | None, new_therapy: datetime.date | None, expected: list[str]
) -> None:
    dates = replace(DATES, first_treatment=first_treatment, new_therapy=new_therapy)
    out = export([subject("T01=40", "T01=30", "T01=20", dates=dates)], CENTRAL)
    assert [row["EPOCH"] for row in out["TR"] if row["TRTESTCD"] == "LDIAM"] == expected
    assert [row["EPOCH"] for row in out["RS"] if row["RSTESTCD"] == "OVRLRESP"] == expected[1:]


def test_last_observation_before_exposure_is_that_of_each_lesion_and_test() -> None:
    """A lesion that the last visit before the first dose did not measure has its flag at the visit before."""
    dates = replace(DATES, first_treatment=datetime.date(2024, 2, 12))
    out = export([subject("T01=40 T02=30", "T01=38 T02=ne", "T01=20 T02=15 NEW01=9", dates=dates)], CENTRAL)
    flagged = [(row["TRTESTCD"], row["TRLNKID"], row["VISITNUM"]) for row in out["TR"] if row["TRLOBXFL"] == "Y"]
    assert flagged == [("SUMDIAM", "", 1), ("LDIAM", "T01", 2), ("LDIAM", "T02", 1)]
    assert [(row["RSTESTCD"], row["VISITNUM"]) for row in out["RS"] if row["RSLOBXFL"] == "Y"] == [
        ("OVRLRESP", 2),
        ("TRGRESP", 2),
    ]
    assert [(row["TULNKID"], row["TULOBXFL"]) for row in out["TU"]] == [("NEW01", ""), ("T01", "Y"), ("T02", "Y")]


@pytest.mark.parametrize(("numbers", "flagged"), [((1, 1.1), 1.1), ((1.1, 1), 1.1), ((2, 10), 10), ((10, 2), 10)])
def test_of_two_visits_on_the_last_day_before_exposure_the_later_number_is_flagged(
    numbers: tuple[float, float], flagged: float
) -> None:
    rows: list[dict[str, Value]] = [
        {"TRTESTCD": "LDIAM", "TRORRES": "40", "TRDTC": "2024-01-01", "VISITNUM": number} for number in numbers
    ]
    flag_last_before_exposure(rows, "TR", datetime.date(2024, 1, 1), ("TRTESTCD",))
    assert [row["VISITNUM"] for row in rows if row["TRLOBXFL"]] == [flagged]


def test_scans_before_the_baseline_are_in_sdtm_and_in_nothing_derived() -> None:
    course = SubjectCourse("001", "", visits("T01=70 T02=9", "T01=60", "T01=30"), DATES)
    dates = replace(DATES, first_treatment=datetime.date(2024, 2, 13), reference=datetime.date(2024, 2, 13))
    named = [replace(visit, name=name) for visit, name in zip(course.visits, ("A", "B", "C"), strict=True)]
    early = replace(course, visits=tuple(named[1:]), before_treatment=(named[0],), dates=dates)
    assessments = assess_recist_1_1(early.visits)
    out = export([SubjectOutcome(early, (CriterionOutcome("recist-1.1", assessments),))], CENTRAL)
    sizes = [(row["TRLNKID"], row["VISIT"], row["VISITNUM"], row["TRLNKGRP"], row["TRSTRESN"]) for row in out["TR"]]
    assert ("T01", "A", 1, "A1", 70) in sizes
    assert ("T02", "A", 1, "A1", 9) in sizes
    sums = {row["VISIT"]: row["TRSTRESN"] for row in out["TR"] if row["TRTESTCD"] == "SUMDIAM"}
    assert sums == {"B": 60, "C": 30}
    assert {(row["TULNKID"], row["VISIT"]) for row in out["TU"]} == {("T01", "A"), ("T02", "A")}
    assert {row["VISIT"] for row in out["TR"] if row["TRLOBXFL"] == "Y" and row["TRLNKID"] == "T01"} == {"B"}
    assert {(row["AVISIT"], row["AVISITN"]) for row in out["ADTR"]} == {("B", 2), ("C", 3)}
    assert {row["VISITNUM"] for row in out["RS"]} == {3}


@pytest.mark.parametrize(("text", "expected"), [("T01=30", []), ("T01=30 NEW01=equivocal", ["EQUIVOCAL"])])
def test_refused_input_is_no_equivocal_new_lesion_of_the_reader(text: str, expected: list[str]) -> None:
    course = visits("T01=40", text)
    refused = Refused("row 5 could not be read", "row 5")
    subject_course = SubjectCourse("001", "", (course[0], replace(course[1], refused=(refused,))), DATES)
    made = assess_with_refused(subject_course, "recist-1.1", assess_recist_1_1, LateTarget.NOT_EVALUABLE)
    assert made[1].new_lesions is NewLesionStatus.EQUIVOCAL
    rows = export([SubjectOutcome(subject_course, (CriterionOutcome("recist-1.1", made),))], CENTRAL)["RS"]
    assert [row["RSSTRESC"] for row in rows if row["RSTESTCD"] == "NEWLPROG"] == expected
    assert [row["RSSTRESC"] for row in rows if row["RSTESTCD"] == "OVRLRESP"] == ["NE"]


def test_scan_date_is_the_lesions_own() -> None:
    course = visits("T01=40", "T01=30")
    own = replace(course[1].observations[0], date=datetime.date(2024, 2, 10))
    out = export([of_visits((course[0], replace(course[1], observations=(own,))))], SPONSOR)
    assert [row["TRDTC"] for row in out["TR"]] == [BASELINE.isoformat(), "2024-02-10"]


def test_three_evaluators_have_keys_and_links_of_their_own() -> None:
    facts = replace(CENTRAL, evaluators={"anna": terms("RADIOLOGIST 1"), "bert": terms("RADIOLOGIST 2")})
    outcomes = [subject(*RESPONDER, evaluator=name) for name in ("bert", "anna", "ADJUDICATOR")]
    out = export(outcomes, facts)
    assert {row["TULNKID"] for row in out["TU"] if row["TUSPID"] == "T01"} == {"R1-T01", "R2-T01", "ADJ-T01"}
    assert {(row["RSEVALID"], row["RSLNKGRP"]) for row in out["RS"] if row["VISITNUM"] == 2} == {
        ("RADIOLOGIST 1", "R1-A2"),
        ("RADIOLOGIST 2", "R2-A2"),
        ("ADJUDICATOR", "ADJ-A2"),
    }
    for domain in ("TU", "TR", "RS"):
        numbers = [row[f"{domain}SEQ"] for row in out[domain]]
        assert numbers == list(range(1, len(numbers) + 1))


def test_visits_are_numbered_alike_for_all_evaluators() -> None:
    facts = replace(CENTRAL, evaluators={"anna": terms("RADIOLOGIST 1"), "bert": terms("RADIOLOGIST 2")})
    course = visits("T01=40", "T01=30", "T01=20")
    outcomes = [of_visits(course, evaluator="anna"), of_visits((course[0], course[2]), evaluator="bert")]
    out = export(outcomes, facts)
    assert {(row["VISIT"], row["VISITNUM"]) for row in out["TR"]} == {
        ("BASELINE", 1),
        ("FOLLOW-UP 1", 2),
        ("FOLLOW-UP 2", 3),
    }


@pytest.mark.parametrize("mode", list(ExportMode))
def test_conformance_of_a_mixed_study(mode: ExportMode) -> None:
    """The checks that a reviewer's software makes between data sets."""
    base = CENTRAL if mode is ExportMode.CENTRAL_READ else replace(SPONSOR, reader_signed=True)
    facts = replace(base, evaluators={"anna": terms("RADIOLOGIST 1"), "bert": terms("RADIOLOGIST 2")})
    outcomes = [
        subject(*texts, subject_id=f"{number:03d}", evaluator=name)
        for number, texts in enumerate(
            (RESPONDER, ("T01=30 NT01n=present", "NEW01=9/equivocal", "T01=absent NT01n=ne"))
        )
        for name in ("anna", "bert")
    ]
    out = export(outcomes, facts)
    lesions = {(row["USUBJID"], row["TULNKID"]) for row in out["TU"]}
    groups = {(row["USUBJID"], row["TRLNKGRP"]) for row in out["TR"]}
    for row in out["TR"]:
        assert bool(row["TREVAL"]) or not row["TREVALID"]
        assert not row["TRSTAT"] or (row["TRORRES"], row["TRSTRESC"], row["TRSTRESN"]) == ("", "", None)
        assert bool(row["TRSTAT"]) == bool(row["TRREASND"])
        assert not row["TRLNKID"] or (row["USUBJID"], row["TRLNKID"]) in lesions
        assert row["TRDY"] != 0
        assert bool(row["TRDY"]) == bool(row["TRDTC"])
        assert mode is ExportMode.CENTRAL_READ or row["TRTESTCD"] not in DERIVED_TESTS
    for row in out.get("RS", []):
        assert row["RSTESTCD"] == "BESTRESP" or (row["USUBJID"], row["RSLNKGRP"]) in groups
    for row in out["RELREC"]:
        assert row["IDVAR"] in out[str(row["RDOMAIN"])][0]
    assert len({row["RELID"] for row in out["RELREC"]}) * 2 == len(out["RELREC"])


def test_software_alone_is_no_independent_assessor() -> None:
    with pytest.raises(InvalidSettings, match="no reader signed"):
        StudyFacts("ST1", ExportMode.CENTRAL_READ, EvaluatorKind.INDEPENDENT_ASSESSOR)
    with pytest.raises(InvalidSettings, match="no reader signed"):
        StudyFacts("ST1", evaluators={"anna": terms("RADIOLOGIST 1")})
    with pytest.raises(InvalidSettings, match="independent assessor's"):
        StudyFacts("ST1", ExportMode.CENTRAL_READ, reader_signed=True)
    with pytest.raises(InvalidSettings, match="no evaluator's ID"):
        terms("DR SMITH")
    with pytest.raises(InvalidSettings, match="investigator has no ID"):
        EvaluatorTerms(EvaluatorKind.INVESTIGATOR, "RADIOLOGIST 1")


def test_evaluators_that_cannot_be_told_apart_are_refused() -> None:
    pair = [subject(*RESPONDER, evaluator=name) for name in ("anna", "bert")]
    with pytest.raises(InvalidInput, match="'anna' is one of several"):
        export(pair, CENTRAL)
    same = replace(CENTRAL, evaluators={"anna": terms("RADIOLOGIST 1"), "bert": terms("RADIOLOGIST 1")})
    with pytest.raises(InvalidInput, match="same evaluator"):
        export(pair, same)


def test_contradicting_dates_of_a_subject_are_refused() -> None:
    other = replace(DATES, arm="Drug B")
    pair = [
        subject(*RESPONDER, evaluator="RADIOLOGIST 1"),
        subject(*RESPONDER, evaluator="RADIOLOGIST 2", dates=other),
    ]
    with pytest.raises(InvalidInput, match=r"ST1-001: the subject's dates or arm differ"):
        export(pair, CENTRAL)


def test_lesions_that_get_the_same_link_id_are_refused() -> None:
    course = visits("T02=15 T03=14", "T02=30 T03=30")
    twins = [
        LesionObservation(
            name, LesionRole.TARGET, False, "lung", LesionState.MEASURED, Decimal(9), parents=("T02", "T03")
        )
        for name in ("C1", "C2")
    ]
    with pytest.raises(InvalidInput, match="two records have the same key"):
        export([of_visits(changed(course, 1, *twins))], SPONSOR)
