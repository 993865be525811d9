"""ADaM: parameters, values, flags and where each record came from."""

import datetime
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest

import reports.cdisc.export as export_module
from reports.cdisc.controlled_terminology import EVALUATOR_IDS
from reports.cdisc.parameter_codes import numbered_code, parameter_code
from reports.cdisc.study_facts import BenefitDate
from reports.cdisc.subject_records import subject_records
from tests.reports.cdisc.studies import (
    BASELINE,
    CENTRAL,
    DATES,
    RESPONDER,
    SPONSOR,
    end_point,
    export,
    of_visits,
    subject,
    terms,
)
from tests.response.courses import visits
from tumorresp.domain.assessment import Category
from tumorresp.domain.eligibility import LateTarget
from tumorresp.domain.measurement import LesionRole
from tumorresp.response.best_response import BestResponseParameters, best_response
from tumorresp.response.observation import Refused
from tumorresp.response.outcome import BestResponse, CriterionOutcome, EndPointName, SubjectOutcome
from tumorresp.response.parameters import Recist11Parameters
from tumorresp.response.recist_1_1 import assess_recist_1_1
from tumorresp.response.refused import assess_with_refused
from tumorresp.response.subject import Demographics, SubjectCourse, dated_responses

DAY_2, DAY_3, DAY_4 = (BASELINE + datetime.timedelta(days=42 * number) for number in (1, 2, 3))


def of_parameter(rows: list[dict[str, object]], code: str) -> list[dict[str, object]]:
    return [row for row in rows if row["PARAMCD"] == code]


def one(rows: list[dict[str, object]], code: str) -> dict[str, object]:
    found = of_parameter(rows, code)
    assert len(found) == 1
    return found[0]


def test_adsl_has_one_record_a_subject_with_dates_and_flags() -> None:
    dates = replace(DATES, death=datetime.date(2024, 6, 1), last_alive=datetime.date(2024, 5, 30))
    rows = export([subject(*RESPONDER, evaluator=f"RADIOLOGIST {n}", dates=dates) for n in (1, 2)], CENTRAL)["ADSL"]
    assert len(rows) == 1
    row = rows[0]
    assert (row["USUBJID"], row["SUBJID"], row["TRT01P"]) == ("ST1-001", "001", "Drug A 10 mg")
    assert (row["RANDDT"], row["TRTSDT"], row["NACTDT"]) == (DATES.reference, DATES.first_treatment, None)
    assert (row["ITTFL"], row["SAFFL"], row["DTHFL"], row["DTHDT"]) == ("Y", "Y", "Y", datetime.date(2024, 6, 1))


def test_adsl_has_what_the_table_says_of_the_subject() -> None:
    known = Demographics("017", Decimal(64), "F", "White")
    row, unknown = (
        export([subject(*RESPONDER, dates=dates)], SPONSOR)["ADSL"][0]
        for dates in (replace(DATES, demographics=known), DATES)
    )
    names = ("SITEID", "AGE", "AGEU", "SEX", "RACE", "ARM", "TRT01P")
    assert [row[name] for name in names] == ["017", 64, "YEARS", "F", "WHITE", "Drug A 10 mg", "Drug A 10 mg"]
    assert [unknown[name] for name in names[:5]] == ["", None, "", "", ""]


def test_responses_are_built_once_a_subject(monkeypatch: pytest.MonkeyPatch) -> None:
    built: list[str] = []

    def counted(name: str) -> Callable[..., object]:
        original = getattr(export_module, name)

        def count(*arguments: object) -> object:
            built.append(name)
            return original(*arguments)

        return count

    for name in ("disease_response", "response_analysis", "time_to_event"):
        monkeypatch.setattr(export_module, name, counted(name))
    export([subject(*RESPONDER, subject_id=name) for name in ("001", "002")], CENTRAL)
    assert sorted(built) == ["disease_response"] * 2 + ["response_analysis"] * 2 + ["time_to_event"] * 2


def test_subject_whose_id_begins_with_the_study_keeps_it() -> None:
    row = export([subject(*RESPONDER, subject_id="ST1-007")], SPONSOR)["ADSL"][0]
    assert (row["USUBJID"], row["SUBJID"]) == ("ST1-007", "007")


def test_sum_of_diameters_with_baseline_nadir_and_changes() -> None:
    outcome = subject("T01=40 T02n=20", "T01=25 T02n=17", "T01=20", "T01=30 T02n=18")
    rows = of_parameter(export([outcome], SPONSOR)["ADTR"], "SDIAM")
    names = ("AVAL", "BASE", "CHG", "PCHG", "ABLFL", "NADIR", "CHGNAD", "PCHGNAD", "LSEXP", "LSASS")
    assert [tuple(row[name] for name in names) for row in rows] == [
        (60, 60, None, None, "Y", None, None, None, "T01, T02", "T01, T02"),
        (42, 60, -18, -30, "", 60, -18, -30, "T01, T02", "T01, T02"),
        (None, 60, None, None, "", 42, None, None, "T01, T02", "T01"),
        (48, 60, -12, -20, "", 42, 6, pytest.approx(100 / 7), "T01, T02", "T01, T02"),
    ]


def test_flags_of_sums() -> None:
    outcome = subject("T01=40", "T01=20", "T01=ne", "T01=30", "T01=10", "T01=absent")
    rows = of_parameter(export([outcome], SPONSOR)["ADTR"], "SDIAM")
    flags = ("ANL01FL", "ANL02FL", "ANL03FL", "ANL04FL", "CRFL", "PDFL")
    assert [tuple(row[name] for name in flags) for row in rows] == [
        ("", "", "", "", "", ""),
        ("Y", "Y", "Y", "Y", "", ""),
        ("", "", "Y", "", "", ""),
        ("Y", "", "", "Y", "", "Y"),
        ("Y", "", "", "Y", "", ""),
        ("Y", "", "", "Y", "Y", ""),
    ]


def test_earliest_of_equal_sums_is_the_best() -> None:
    rows = of_parameter(export([subject("T01=40", "T01=20", "T01=20")], SPONSOR)["ADTR"], "SDIAM")
    assert [row["ANL02FL"] for row in rows] == ["", "Y", ""]


def test_lesions_have_a_parameter_each() -> None:
    outcome = subject("T01=40/v900 T02n=20", "T01=absent T02n=9.9", "T01=small T02n=10", volumes=True)
    rows = export([outcome], SPONSOR)["ADTR"]
    assert [(row["AVAL"], row["CRFL"], row["CRNFL"]) for row in of_parameter(rows, "LDIAM1")] == [
        (40, "", ""),
        (0, "Y", ""),
        (5, "", ""),
    ]
    nodes = of_parameter(rows, "NLDIAM2")
    assert [(row["AVAL"], row["CRFL"], row["CRNFL"]) for row in nodes] == [(20, "", ""), (9.9, "", "Y"), (10, "", "")]
    assert {(row["TULOCGR1"], row["TRLNKID"]) for row in nodes} == {("NODAL", "T02")}
    assert [row["AVAL"] for row in of_parameter(rows, "VOL1")] == [900, 0, None]
    assert [row["NADIR"] for row in of_parameter(rows, "LDIAM1")] == [None, 40, 0]
    assert [row["PCHGNAD"] for row in of_parameter(rows, "LDIAM1")] == [None, -100, None]


def test_nadir_of_a_lesion_that_falls_and_rises_twice() -> None:
    """The nadir is the smallest earlier size, not the last: 40, 20, 30, 25, 35, 10, 12 mm."""
    sizes = (40, 20, 30, 25, 35, 10, 12)
    rows = export([subject(*(f"T01={size}" for size in sizes))], SPONSOR)["ADTR"]
    for code in ("LDIAM1", "SDIAM"):
        of_code = of_parameter(rows, code)
        assert [row["NADIR"] for row in of_code] == [None, 40, 20, 20, 20, 20, 10]
        assert [row["CHGNAD"] for row in of_code] == [None, -20, 10, 5, 15, -10, 2]


def test_absent_lesions_without_any_volume_have_no_volume_parameter() -> None:
    rows = export([subject("T01=40 T02=30/v900", "T01=absent T02=absent")], SPONSOR)["ADTR"]
    assert {str(row["PARAMCD"]) for row in rows} == {"SDIAM", "LDIAM1", "LDIAM2", "VOL2"}


def test_total_volume_stands_beside_the_sum_of_diameters() -> None:
    outcome = subject("T01=40/v900 T02=20/v100", "T01=25/v300 T02=17/v40", volumes=True)
    rows = export([outcome], SPONSOR)["ADTR"]
    assert [row["AVAL"] for row in of_parameter(rows, "TTVVR")] == [1000, 340]
    assert [row["PCHG"] for row in of_parameter(rows, "TTVVR")] == [None, -66]


def test_responses_by_visit_with_codes_flags_and_sources() -> None:
    out = export([subject(*RESPONDER, "T01=small T02n=8 NT01=pd NEW01=12")], SPONSOR)
    rows = of_parameter(out["ADRS"], "OVR")
    names = ("AVISITN", "AVALC", "AVAL", "ADT", "ADY", "ANL01FL", "ANL02FL", "SRCDOM", "SRCVAR")
    assert [tuple(row[name] for name in names) for row in rows] == [
        (2, "PR", 2, DAY_2, 41, "Y", "Y", "ADTR", "AVAL"),
        (3, "PD", 5, DAY_3, 83, "Y", "Y", "ADTR", "AVAL"),
        (4, "PD", 5, DAY_4, 125, "Y", "", "ADTR", "AVAL"),
    ]
    for row in rows:
        source = next(item for item in out["ADTR"] if item["ASEQ"] == row["SRCSEQ"])
        assert (source["PARAMCD"], source["AVISITN"]) == ("SDIAM", row["AVISITN"])


def test_source_of_a_central_read_is_rs() -> None:
    out = export([subject(*RESPONDER, subject_id=name) for name in ("001", "002")], CENTRAL)
    for row in of_parameter(out["ADRS"], "OVRB"):
        source = next(r for r in out["RS"] if (r["USUBJID"], r["RSSEQ"]) == (row["USUBJID"], row["SRCSEQ"]))
        assert (row["SRCDOM"], source["RSTESTCD"], source["RSSTRESC"]) == ("RS", "OVRLRESP", row["AVALC"])
        assert source["VISITNUM"] == row["AVISITN"]


@pytest.mark.parametrize(
    ("new_therapy", "expected"),
    [(None, ["Y", "Y"]), (DAY_3 + datetime.timedelta(1), ["Y", "Y"]), (DAY_3, ["Y", ""]), (DAY_2, ["", ""])],
)
def test_assessment_is_valid_before_new_therapy(new_therapy: datetime.date | None, expected: list[str]) -> None:
    out = export([subject(*RESPONDER, dates=replace(DATES, new_therapy=new_therapy))], SPONSOR)
    assert [row["ANL01FL"] for row in of_parameter(out["ADRS"], "OVR")] == expected


def test_first_progression_and_response() -> None:
    rows = export([subject(*RESPONDER)], SPONSOR)["ADRS"]
    assert [(one(rows, code)["AVALC"], one(rows, code)["ADT"]) for code in ("PD", "RSP")] == [
        ("Y", DAY_3),
        ("Y", DAY_2),
    ]
    stable = export([subject("T01=40", "T01=39")], SPONSOR)["ADRS"]
    assert [(one(stable, code)["AVALC"], one(stable, code)["AVAL"]) for code in ("PD", "RSP")] == [("N", 0), ("N", 0)]
    assert one(stable, "PD")["ADT"] is None


def test_response_after_progression_is_none() -> None:
    rows = export([subject("T01=40", "T01=60", "T01=20")], SPONSOR)["ADRS"]
    assert one(rows, "RSP")["AVALC"] == "N"


def test_progression_dates_from_the_earliest_scan_and_response_from_the_latest() -> None:
    course = visits("T01=40", "T01=20", "T01=60")
    early = tuple(replace(visit, first_date=visit.date - datetime.timedelta(3)) for visit in course[1:])
    rows = export([of_visits((course[0], *early))], SPONSOR)["ADRS"]
    assert [row["ADT"] for row in of_parameter(rows, "OVR")] == [DAY_2, DAY_3 - datetime.timedelta(3)]
    assert one(rows, "PD")["ADT"] == DAY_3 - datetime.timedelta(3)


def test_best_responses_and_what_follows_from_them() -> None:
    rows = export([subject(*RESPONDER, best=(Category.PR, DAY_2))], SPONSOR)["ADRS"]
    expected = {
        "BOR": ("PR", 2),
        "CB": ("Y", 1),
        "BCP": ("Y", 1),
        "CBOR": ("SD", 3),
        "CCB": ("Y", 1),
        "CBCP": ("N", 0),
        "CRSP": ("N", 0),
    }
    assert {code: (one(rows, code)["AVALC"], one(rows, code)["AVAL"]) for code in expected} == expected
    assert (one(rows, "BOR")["ADT"], one(rows, "CRSP")["ADT"]) == (DAY_2, None)
    assert one(rows, "BOR")["SRCSEQ"] == of_parameter(rows, "OVR")[0]["SRCSEQ"]


def refusing(*texts: str, at: int, role: LesionRole | None = LesionRole.NEW, **dates: object) -> SubjectOutcome:
    """A subject of whom something could not be read at one visit."""
    course = visits(*texts)
    refused = Refused("NEW01: long_axis_mm: '14,0' is no number", "row 7", "NEW01", role)
    course = (*course[:at], replace(course[at], refused=(refused,)), *course[at + 1 :])
    known = SubjectCourse("001", "", course, replace(DATES, **dates))  # type: ignore[arg-type]  # fields of the class
    assessments = assess_with_refused(known, "recist-1.1", assess_recist_1_1, LateTarget.NOT_EVALUABLE)
    best = BestResponse(assessments[-1].overall, False, DAY_2, None, (), (), ())
    return SubjectOutcome(known, (CriterionOutcome("recist-1.1", assessments, best, best),))


def test_refused_new_lesion_gives_no_claim_that_there_was_no_progression() -> None:
    rows = export([refusing("T01=40", "T01=20 NEW01=ne", "T01=18", at=1)], SPONSOR)["ADRS"]
    first, second = of_parameter(rows, "OVR")
    assert (first["AVALC"], second["AVALC"]) == ("NE", "NE")
    assert "'14,0' is no number" in str(first["RSREFUS"])
    for code in ("PD", "RSP", "BCP", "CB", "CRSP"):
        row = one(rows, code)
        assert (row["AVALC"], row["AVAL"], row["ADT"]) == ("", None, None)
        assert "'14,0' is no number" in str(row["RSREFUS"])


def test_progression_after_refused_input_is_progression_with_the_remark() -> None:
    rows = export([refusing("T01=40", "T01=20", "T01=60", at=1)], SPONSOR)["ADRS"]
    row = one(rows, "PD")
    assert (row["AVALC"], row["ADT"]) == ("Y", DAY_3)
    assert "row 7" in str(row["RSREFUS"])
    earlier = export([refusing("T01=40", "T01=60", "T01=20", at=2)], SPONSOR)["ADRS"]
    assert (one(earlier, "PD")["AVALC"], one(earlier, "PD")["RSREFUS"]) == ("Y", "")


def test_without_refused_input_there_is_nothing_in_refused() -> None:
    rows = export([subject(*RESPONDER, best=(Category.PR, DAY_2))], SPONSOR)["ADRS"]
    assert {row["RSREFUS"] for row in rows} == {""}
    assert {row["AVALC"] for row in rows} >= {"Y", "N"}


@pytest.mark.parametrize(
    ("refused", "death", "alive", "flags"),
    [
        ((), None, "N", ("Y", "Y", "N")),
        (("death_date",), None, "", ("Y", "Y", "")),
        (("reference_date", "first_treatment_date"), None, "N", ("", "", "N")),
        ((), DAY_4, "Y", ("Y", "Y", "Y")),
    ],
)
def test_dates_that_could_not_be_read_give_neither_yes_nor_no(
    refused: tuple[str, ...], death: datetime.date | None, alive: str, flags: tuple[str, str, str]
) -> None:
    dates = replace(DATES, refused=refused, death=death)
    if "reference_date" in refused:
        dates = replace(dates, reference=None, first_treatment=None)
    out = export([subject(*RESPONDER, dates=dates)], SPONSOR)
    assert one(out["ADRS"], "DEATH")["AVALC"] == alive
    row = out["ADSL"][0]
    assert (row["ITTFL"], row["SAFFL"], row["DTHFL"]) == flags


# (responses of the follow-ups 42 days apart, days of SD, date of CB from the best response and from the first visit)
BENEFIT = [
    ("40 39 20", 41, DAY_3, DAY_2),
    ("40 39 20", 42, DAY_3, DAY_3),
    ("40 20 39", 42, DAY_2, DAY_2),
    ("40 39 38", 41, DAY_2, DAY_2),
    ("40 39 38", 42, DAY_3, DAY_3),
    ("40 60 20", 41, None, None),
]


@pytest.mark.parametrize(("sizes", "least", "from_best", "from_first"), BENEFIT)
def test_clinical_benefit_dates_from_the_best_response_or_the_first_visit_that_shows_it(
    sizes: str, least: int, from_best: datetime.date | None, from_first: datetime.date | None
) -> None:
    course = visits(*(f"T01={size}" for size in sizes.split()))
    assessments = assess_recist_1_1(course)
    rules = BestResponseParameters(sd_min_days=least)
    best = best_response(dated_responses(course, assessments), DATES, rules, confirmed=False)
    outcome = SubjectOutcome(
        SubjectCourse("001", "", course, DATES), (CriterionOutcome("recist-1.1", assessments, best),)
    )
    for facts, expected in (
        (SPONSOR, from_best),
        (replace(SPONSOR, clinical_benefit_date=BenefitDate.FIRST_QUALIFYING), from_first),
    ):
        row = one(export([outcome], facts)["ADRS"], "CB")
        assert (row["AVALC"], row["ADT"]) == ("N" if expected is None else "Y", expected)


@pytest.mark.parametrize(
    ("category", "code"),
    [
        (Category.CR, 1),
        (Category.SD, 3),
        (Category.NON_CR_NON_PD, 4),
        (Category.PD, 5),
        (Category.NE, 6),
        (Category.MISSING, 7),
    ],
)
def test_code_of_a_best_response(category: Category, code: int) -> None:
    date = None if category is Category.MISSING else DAY_2
    assert one(export([subject(*RESPONDER, best=(category, date))], SPONSOR)["ADRS"], "BOR")["AVAL"] == code


def test_last_assessment_measurable_disease_and_death() -> None:
    died = replace(DATES, death=datetime.date(2024, 6, 1))
    rows = export([subject("NT01=present", "NT01=present", "NT01=ne", dates=died)], SPONSOR)["ADRS"]
    assert (one(rows, "LSTA")["AVALC"], one(rows, "LSTA")["ADT"]) == ("NON-CR/NON-PD", DAY_2)
    assert one(rows, "MDIS")["AVALC"] == "N"
    assert (one(rows, "DEATH")["AVALC"], one(rows, "DEATH")["ADT"], one(rows, "DEATH")["SRCVAR"]) == (
        "Y",
        died.death,
        "DTHDT",
    )


def test_immune_criterion_has_parameters_and_codes_of_its_own() -> None:
    recist = subject(*RESPONDER).outcomes[0]
    immune = {Category.PR: Category.IPR, Category.PD: Category.IUPD}
    assessments = tuple(
        replace(item, criterion="irecist", overall=immune.get(item.overall, item.overall))
        for item in recist.assessments
    )
    outcome = subject(*RESPONDER)
    outcome = replace(outcome, outcomes=(recist, CriterionOutcome("irecist", assessments)))
    rows = export([outcome], SPONSOR)["ADRS"]
    assert [(row["AVALC"], row["AVAL"]) for row in of_parameter(rows, "IOVR")] == [("iPR", 2), ("iUPD", 5)]
    assert [one(rows, code)["AVALC"] for code in ("IUPD", "ICPD", "IRSP")] == ["Y", "N", "Y"]
    assert not of_parameter(rows, "IPD")
    assert one(rows, "IUPD")["ADT"] == DAY_3


def test_reported_responses_have_best_response_and_end_points_alone() -> None:
    points = (end_point(EndPointName.PFS, DAY_3, event=True, description="Disease Progression"),)
    best = BestResponse(Category.PR, False, DAY_2, None, (), (), ())
    reported = CriterionOutcome("reported", (), best, None, points)
    out = export([SubjectOutcome(SubjectCourse("001", "", (), DATES), (reported,))], SPONSOR)
    assert set(out) == {"ADSL", "ADRS", "ADTTE"}
    assert {row["PARAMCD"]: row["AVALC"] for row in out["ADRS"]} == {
        "BORRP": "PR",
        "CBRP": "Y",
        "BCPRP": "Y",
        "DEATH": "N",
    }
    assert [(row["PARAMCD"], row["ADT"], row["SRCDOM"]) for row in out["ADTTE"]] == [("PFSRP", DAY_3, "")]


def test_every_parameter_code_has_one_name_evaluator_and_criterion() -> None:
    facts = replace(CENTRAL, evaluators={"anna": terms("RADIOLOGIST 1"), "bert": terms("RADIOLOGIST 2")})
    points = [end_point(EndPointName.PFS, DAY_3, event=True, description="Disease Progression")]
    outcomes = [
        subject(
            "T01=40/v900 T02n=20/v9",
            "T01=20/v90",
            evaluator=name,
            best=(Category.PR, DAY_2),
            end_points=points,
            volumes=True,
        )
        for name in ("anna", "bert", "INVESTIGATOR")
    ]
    out = export(outcomes, facts)
    for name in ("ADTR", "ADRS", "ADTTE"):
        named = {(row["PARAMCD"], row["PARAM"], row["PARCAT2"], row["PARCAT3"]) for row in out[name]}
        assert len({item[0] for item in named}) == len({item[1] for item in named}) == len(named)
        assert len({item[2] for item in named if item[2]}) == 3


def test_no_two_quantities_share_a_code() -> None:
    criteria = [
        "recist-1.1",
        "irecist",
        "mrecist",
        "choi",
        "choi-modified",
        "lugano",
        "rano",
        "volume-recist",
        "reported",
    ]
    bases = [
        "OVR",
        "PD",
        "RSP",
        "CB",
        "BOR",
        "BCP",
        "CBOR",
        "CCB",
        "CBCP",
        "CRSP",
        "LSTA",
        "MDIS",
        "SDIAM",
        "SPD",
        "TTV",
    ]
    bases += ["UPD", "CPD", "PFS", "TTP", "RSD", "SDD", "TTR"]
    evaluators = ["INVESTIGATOR", *filter(None, EVALUATOR_IDS)]
    outcomes = [subject(*RESPONDER, evaluator=name) for name in evaluators]
    readings = next(subject_records(outcomes, CENTRAL)).readings
    codes = [parameter_code(base, name, reading) for base in bases for name in criteria for reading in readings]
    assert len(set(codes)) == len(codes)


@pytest.mark.parametrize(
    ("base", "number", "expected"), [("LDIAM", 1, "LDIAM1B"), ("NLDIAM", 1, "NLDIAM1B"), ("NLDIAM", 12, "NLDIA12B")]
)
def test_number_of_a_lesion_fits_its_code(base: str, number: int, expected: str) -> None:
    reading = next(subject_records([subject(*RESPONDER)], CENTRAL)).readings[0]
    assert numbered_code(base, number, reading) == expected


def time_to_event(outcome: SubjectOutcome) -> tuple[list[dict[str, object]], list[dict[str, object]]]:
    out = export([outcome], SPONSOR)
    return out["ADTTE"], out["ADRS"]


def test_event_has_its_source_in_the_response_of_that_day() -> None:
    points = [end_point(EndPointName.PFS, DAY_3, event=True, description="Disease Progression")]
    rows, responses = time_to_event(subject(*RESPONDER, end_points=points))
    row = one(rows, "PFS")
    assert (row["STARTDT"], row["ADT"], row["AVAL"], row["AVALU"], row["CNSR"]) == (BASELINE, DAY_3, 85, "DAYS", 0)
    assert (row["EVNTDESC"], row["CNSDTDSC"], row["SRCDOM"], row["SRCVAR"]) == (
        "Disease Progression",
        "",
        "ADRS",
        "ADT",
    )
    source = next(item for item in responses if item["ASEQ"] == row["SRCSEQ"])
    assert (source["PARAMCD"], source["AVALC"]) == ("OVR", "PD")


@pytest.mark.parametrize(
    ("end", "event", "expected"),
    [
        (datetime.date(2024, 6, 1), True, ("ADSL", "DTHDT")),
        (DAY_2, False, ("ADRS", "ADT")),
        (datetime.date(2024, 1, 2), False, ("ADSL", "RANDDT")),
        (datetime.date(2024, 5, 30), False, ("ADSL", "LSTALVDT")),
        (datetime.date(2023, 5, 30), False, ("", "")),
    ],
)
def test_source_of_an_end_date(end: datetime.date, event: bool, expected: tuple[str, str]) -> None:
    dates = replace(DATES, death=datetime.date(2024, 6, 1), last_alive=datetime.date(2024, 5, 30))
    points = [end_point(EndPointName.TTP, end, event=event, description="Why")]
    row = one(time_to_event(subject(*RESPONDER, dates=dates, end_points=points))[0], "TTP")
    assert (row["SRCDOM"], row["SRCVAR"]) == expected
    assert (row["CNSR"], row["EVNTDESC"], row["CNSDTDSC"]) == ((0, "Why", "") if event else (1, "", "Why"))


def test_death_on_the_day_of_a_scan_without_progression_is_the_event() -> None:
    points = [end_point(EndPointName.PFS, DAY_2, event=True, description="Death")]
    rows, _ = time_to_event(subject("T01=40", "T01=40", dates=replace(DATES, death=DAY_2), end_points=points))
    assert one(rows, "PFS")["SRCVAR"] == "DTHDT"


def test_death_is_the_event_of_survival_even_on_the_day_of_progression() -> None:
    points = [end_point(name, DAY_3, event=True, description="Event") for name in (EndPointName.PFS, EndPointName.OS)]
    rows, _ = time_to_event(subject(*RESPONDER, dates=replace(DATES, death=DAY_3), end_points=points))
    assert [(one(rows, code)["SRCDOM"], one(rows, code)["SRCVAR"]) for code in ("PFS", "OS")] == [
        ("ADRS", "ADT"),
        ("ADSL", "DTHDT"),
    ]


def test_progression_dated_back_has_its_source_in_the_first_progression() -> None:
    back = DAY_2 + datetime.timedelta(5)
    outcome = subject(*RESPONDER, end_points=[end_point(EndPointName.PFS, back, event=True, description="PD")])
    recist = outcome.outcomes[0]
    last = replace(recist.assessments[2], progression_date=back)
    outcome = replace(outcome, outcomes=(replace(recist, assessments=(*recist.assessments[:2], last)),))
    rows, responses = time_to_event(outcome)
    source = next(item for item in responses if item["ASEQ"] == one(rows, "PFS")["SRCSEQ"])
    assert (source["PARAMCD"], source["ADT"]) == ("PD", back)


def test_survival_is_there_once_and_durations_have_their_codes() -> None:
    points = [end_point(name, DAY_3, event=False, description="Last") for name in EndPointName]
    outcome = subject(*RESPONDER, end_points=points, volumes=True)
    doubled = replace(outcome.outcomes[1], end_points=tuple(points))
    rows, _ = time_to_event(replace(outcome, outcomes=(outcome.outcomes[0], doubled)))
    assert len(of_parameter(rows, "OS")) == 1
    assert {row["PARAMCD"] for row in rows} >= {"PFS", "TTP", "RSD", "SDD", "TTR", "PFSVR", "RSDVR"}


def test_numbers_that_are_perhaps_wrong_are_carried_by_what_they_may_have_made() -> None:
    made = subject("T01=40", "T01=20", "T01=19", best=(Category.PR, DAY_2))
    (outcome,) = made.outcomes
    first, second, third = outcome.assessments
    words = "row 4: perhaps in centimetres"
    marked = replace(outcome, assessments=(first, second, replace(third, provisional=(words,))))
    rows = export([replace(made, outcomes=(marked,))], SPONSOR)["ADRS"]
    assert [row["RSPROV"] for row in of_parameter(rows, "OVR")] == ["", words]
    # They count: the answer is given, and says what it rests on.
    assert {
        code: (one(rows, code)["AVALC"], one(rows, code)["RSPROV"]) for code in ("PD", "RSP", "BOR", "LSTA", "MDIS")
    } == {
        "PD": ("N", words),
        "RSP": ("Y", ""),
        "BOR": ("PR", words),
        "LSTA": ("PR", words),
        "MDIS": ("Y", ""),
    }
    assert {row["RSREFUS"] for row in rows} == {""}


@pytest.mark.parametrize("is_shown", [False, True])
def test_incomplete_sum_is_no_sum_of_the_data_sets(is_shown: bool) -> None:
    """Where the protocol shows it, ADTR has it without its flag; SUMDIAM and the nadir are of complete sums alone."""
    course = SubjectCourse("001", "", visits("T01=60 T02=40", "T01=20 T02=ne", "T01=60 T02=15"), DATES)
    assessments = assess_recist_1_1(course.visits, Recist11Parameters(incomplete_sum_shown=is_shown))
    written = export([SubjectOutcome(course, (CriterionOutcome("recist-1.1", assessments),))], CENTRAL)
    sums = [row for row in written["ADTR"] if row.get("LSEXP")]
    assert [row["AVAL"] for row in sums] == [100, 20 if is_shown else None, 75]
    assert [row["ANL01FL"] for row in sums] == ["", "", "Y"]
    assert sums[2]["NADIR"] == 100
    assert [row["TRSTRESN"] for row in written["TR"] if row["TRTESTCD"] == "SUMDIAM"] == [100, 75]
    assert [row["TRSTRESN"] for row in written["TR"] if row["TRTESTCD"] == "PCNSD"] == [-25]
