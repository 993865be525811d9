"""`tumorresp respond`, `explain`, `audit` and POST /api/respond: a table through everything, as users call it."""

import csv
import json
import re
from collections import Counter
from decimal import Decimal
from pathlib import Path

import lxml.html
import openpyxl
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pyreadstat
import pytest
from fastapi import FastAPI
from fastapi.responses import JSONResponse
from fastapi.testclient import TestClient
from typer.testing import CliRunner, Result

from tumorresp.domain.errors import TumorRespError
from tumorresp.service.cli.main import app
from tumorresp.service.respond.subject_chunks import subject_chunks
from tumorresp.service.web.respond import router

LESIONS = """\
subject,date,lesion,role,site,long_axis_mm,short_axis_mm,volume_mm3,state,reference_date,death_date,arm
007,2024-01-10,T01,target,lung,30.0,21.0,9000,,2024-01-15,2025-01-01,A
007,2024-01-10,T02,target,lymph node,24.0,18.0,4000,,,,
007,2024-01-10,NT01,non-target,liver,,,,present,,,
007,2024-03-12,T01,,,21.0,15.2,3000,,,,
007,2024-03-12,T02,,,14.0,12.6,1500,,,,
007,2024-03-12,NT01,,,,,,present,,,
007,2024-05-14,T01,,,20.0,15.2,2900,,,,
007,2024-05-14,T02,,,14.0,12.6,1500,,,,
007,2024-05-14,NT01,,,,,,present,,,
008,2024-01-10,T01,target,liver,40.0,30.0,30000,,2024-01-12,,B
008,2024-03-10,T01,,,50.0,-1,60000,,,,
008,2024-05-10,T01,,,50.0,30.0,60000,,,,
"""


@pytest.fixture
def lesions(tmp_path: Path) -> Path:
    path = tmp_path / "lesions.csv"
    path.write_text(LESIONS, "utf-8")
    return path


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(item) for item in arguments], env={"COLUMNS": "200"})


def records(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_a_table_becomes_responses_with_reasons(lesions: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = run("respond", lesions, "--out", out, "-c", "recist-1.1", "-c", "volume-recist", "--no-figures")
    assert result.exit_code == 1, result.output  # one row has a negative size
    found = {(r["subject"], r["criterion"], r["visit"]): r for r in records(out / "responses.csv")}
    assert {key[1:]: row["overall"] for key, row in found.items() if key[0] == "007"} == {
        ("recist-1.1", "Baseline"): "BASELINE",
        ("recist-1.1", "Follow-up 1"): "PR",
        ("recist-1.1", "Follow-up 2"): "PR",
        ("volume-recist", "Baseline"): "BASELINE",
        ("volume-recist", "Follow-up 1"): "SD",
        ("volume-recist", "Follow-up 2"): "PR",
    }
    row = found["007", "recist-1.1", "Follow-up 1"]
    assert (row["sum"], row["baseline_sum"], row["change_from_baseline_percent"]) == ("33.6", "48.0", "-30.0")
    assert "→ PR." in row["reasons"]
    best = {(r["subject"], r["criterion"], r["confirmed"]): r for r in records(out / "best_responses.csv")}
    assert best["007", "recist-1.1", "true"]["best_response"] == "PR"
    assert best["007", "recist-1.1", "true"]["confirming_date"] == "2024-05-14"
    points = {(r["subject"], r["criterion"], r["end_point"]): r for r in records(out / "end_points.csv")}
    assert points["007", "recist-1.1", "OS"]["days"] == "353"
    assert points["008", "recist-1.1", "PFS"]["event"] == "true"
    (bad,) = [r for r in records(out / "findings.csv") if r["severity"] == "error"]
    assert (bad["subject"], bad["code"], bad["where"]) == ("008", "unreadable-cell", "row 12, short_axis_mm")
    rates = {(r["criterion"], r["confirmed"], r["rate"], r["arm"]): r for r in records(out / "rates.csv")}
    assert rates["recist-1.1", "true", "ORR", ""]["count"] == "1"
    assert rates["recist-1.1", "true", "ORR", "A"]["percent"] == "100.0"
    calculated = [r for r in records(out / "calculations.csv") if r["subject"] == "007" and r["visit"] == "Follow-up 1"]
    assert [(r["lesion"], r["quantity"], r["value"], r["source"]) for r in calculated[:2]] == [
        ("T01", "long axis", "21.0", "row 5"),
        ("T02", "short axis", "12.6", "row 6"),
    ]


def test_criteria_that_differ_are_listed_with_why(lesions: Path, tmp_path: Path) -> None:
    run("respond", lesions, "--out", tmp_path / "out", "-c", "recist-1.1", "-c", "volume-recist", "--no-figures")
    found = records(tmp_path / "out" / "discordances.csv")
    assert [(r["subject"], r["visit"], r["response"], r["other_response"]) for r in found] == [
        ("007", "Follow-up 1", "PR", "SD")
    ]
    assert "volume-recist: target SD (−65.4 % from baseline" in found[0]["why"]
    reliable = records(tmp_path / "out" / "reliable_changes.csv")
    assert {(r["subject"], r["lesion"], r["reliable"]) for r in reliable} == {
        ("007", "T01", "true"),
        ("007", "T02", "true"),
        ("008", "T01", "true"),
        ("008", "T01", ""),  # the visit with a negative size
    }


def test_the_baseline_is_the_last_scan_before_treatment(tmp_path: Path) -> None:
    path = tmp_path / "two.csv"
    rows = ["A,2023-11-01,100", "A,2024-01-03,70", "A,2024-02-21,69"]
    rows += ["B,2023-11-01,30", "B,2024-01-03,50", "B,2024-02-21,45", "B,2024-04-21,34"]
    lines = [f"{subject},{day},T01,target,liver,{mm},2024-01-10" for subject, day, mm in (r.split(",") for r in rows)]
    path.write_text("\n".join(["subject,date,lesion,role,site,long_axis_mm,reference_date", *lines]), "utf-8")
    result = run("respond", path, "--out", tmp_path / "out", "--no-figures", "-f", "csv", "--growth")
    assert result.exit_code == 0, result.output
    found = [(r["subject"], r["visit"], r["overall"]) for r in records(tmp_path / "out" / "responses.csv")]
    assert found == [
        ("A", "Before baseline 1", "BEFORE BASELINE"),
        ("A", "Baseline", "BASELINE"),
        ("A", "Follow-up 1", "SD"),
        ("B", "Before baseline 1", "BEFORE BASELINE"),
        ("B", "Baseline", "BASELINE"),
        ("B", "Follow-up 1", "SD"),
        ("B", "Follow-up 2", "PR"),
    ]
    assert [r["points"] for r in records(tmp_path / "out" / "growth.csv")] == ["2", "3"]
    shown = [(r["subject"], r["visit"]) for r in records(tmp_path / "out" / "lesions.csv")]
    assert ("A", "Before baseline 1") in shown
    text = run("explain", "A", "--table", path).stdout
    assert "Before baseline, counted in nothing: Before baseline 1, 2023-11-01." in text
    codes = [r["code"] for r in records(tmp_path / "out" / "findings.csv")]
    assert codes.count("baseline-before-treatment") == 2


def _orr(folder: Path) -> tuple[str, str]:
    (rate,) = [
        r for r in records(folder / "rates.csv") if (r["rate"], r["confirmed"], r["arm"]) == ("ORR", "false", "")
    ]
    return rate["count"], rate["subjects"]


def test_every_subject_of_the_file_stays_in_every_rate(tmp_path: Path) -> None:
    header = "subject,date,lesion,role,site,long_axis_mm,state,reference_date"
    good = ["A,2024-01-10,T01,target,lung,30,,2024-01-11", "A,2024-03-12,T01,,,15,,"]
    sizes = ['B,2024-01-10,T01,target,lung,"30,0",,2024-01-11', 'B,2024-03-12,T01,,,"15,0",,']
    dates = ["C,10 Jan,T01,target,lung,30,,", "C,12 Mar,T01,,,15,,"]
    path = tmp_path / "table.csv"
    path.write_text("\n".join([header, *good, *sizes, *dates]), "utf-8")
    result = run("respond", path, "--out", tmp_path / "out", "--no-figures", "-f", "csv", "--cdisc", "sponsor")
    assert result.exit_code == 1
    assert _orr(tmp_path / "out") == ("1", "3")
    found = [(r["subject"], r["visit"], r["overall"]) for r in records(tmp_path / "out" / "responses.csv")]
    assert found == [
        ("A", "Baseline", "BASELINE"),
        ("A", "Follow-up 1", "PR"),
        ("B", "Baseline", "BASELINE"),
        ("B", "Follow-up 1", "NE"),
    ]
    best = {(r["subject"], r["best_response"]) for r in records(tmp_path / "out" / "best_responses.csv")}
    assert best == {("A", "PR"), ("A", "SD"), ("B", "NE"), ("C", "MISSING")}


def test_reported_responses_that_cannot_be_read_stay_in_every_rate(tmp_path: Path) -> None:
    path = tmp_path / "responses.csv"
    rows = ["A,2024-03-01,PR,2024-01-02", "A,2024-05-01,PR,", "B,2024-03-01,partial,2024-01-02", "B,2024-05-01,PR,"]
    rows += ["C,1 March,PR,2024-01-02", "D,2024-03-01,PR,2024-01-02", "D,2024-05-01,P R,", "D,2024-07-01,PR,"]
    path.write_text("\n".join(["subject,date,response,reference_date", *rows]), "utf-8")
    assert run("respond", path, "--out", tmp_path / "out", "--no-figures", "-f", "csv").exit_code == 1
    assert _orr(tmp_path / "out") == ("2", "4")
    best = {
        (r["subject"], r["confirmed"]): r["best_response"] for r in records(tmp_path / "out" / "best_responses.csv")
    }
    assert {key: word for key, word in best.items() if key[1] == "true"} == {
        ("A", "true"): "PR",
        ("B", "true"): "NE",
        ("C", "true"): "MISSING",
        ("D", "true"): "SD",  # not confirmed across what cannot be read
    }
    starts = {r["subject"]: r["start"] for r in records(tmp_path / "out" / "end_points.csv") if r["end_point"] == "PFS"}
    assert set(starts.values()) == {"2024-01-02"}


def test_a_mark_stands_where_the_response_is_kept_back(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text(
        "subject,date,lesion,role,site,long_axis_mm\nS,2024-01-10,T01,target,lung,30\nS,2024-03-12,T01,,,15\n"
        'S,2024-03-12,NEW01,new,liver,"14,0"\n',
        "utf-8",
    )
    result = run("respond", path, "--out", tmp_path / "out", "--no-figures", "-f", "csv", "--cdisc", "sponsor")
    assert result.exit_code == 1
    assert "May change a response: S, row 4, long_axis_mm: '14,0' is no number" in result.stderr
    row = records(tmp_path / "out" / "responses.csv")[1]
    assert "No new lesion" not in row["reasons"]
    assert (row["target"], row["new_lesions"], row["overall"]) == ("PR", "equivocal", "NE")
    assert row["refused"] == "row 4: NEW01 liver: long_axis_mm: '14,0' is no number (write a point, not a comma)"
    assert "By what could be read NE, but" not in row["reasons"]
    assert "NEW01 liver: long_axis_mm" in row["reasons"]
    text = run("explain", "S", "--table", path).stdout
    assert "Could not be read: row 4: NEW01 liver" in text
    frame, _ = pyreadstat.read_xport(tmp_path / "out" / "cdisc" / "adam" / "adrs.xpt")
    kept = {row.PARAMCD[:2]: (row.AVALC, row.RSREFUS.startswith("row 4: NEW01")) for row in frame.itertuples()}
    assert (kept["OV"], kept["PD"]) == (("NE", True), ("", True))
    assert "response-kept-back" in {r["code"] for r in records(tmp_path / "out" / "findings.csv")}


def test_every_format_holds_the_same(lesions: Path, tmp_path: Path) -> None:
    formats = ("csv", "xlsx", "parquet", "json")
    run("respond", lesions, "--out", tmp_path, "--no-figures", *(part for name in formats for part in ("-f", name)))
    plain = records(tmp_path / "responses.csv")
    loaded = json.loads((tmp_path / "responses.json").read_text("utf-8"))
    parquet = pa.parquet.read_table(tmp_path / "responses.parquet").to_pylist()
    workbook = openpyxl.load_workbook(tmp_path / "results.xlsx")
    rows = list(workbook["responses"].iter_rows(values_only=True))
    assert len(plain) == len(loaded) == len(parquet) == len(rows) - 1 == 6
    for index, name in enumerate(plain[0]):
        texts = [row[name] for row in plain]
        assert [_text(row[name]) for row in loaded] == texts
        assert [_text(row[name]) for row in parquet] == texts
        assert [_rounded(_text(row[index])) for row in rows[1:]] == [_rounded(text) for text in texts]
    assert workbook.sheetnames[0] == "responses"


def _rounded(text: str) -> str:
    """Return a number with the 15 digits that a workbook keeps."""
    try:
        return f"{float(text):.15g}"
    except ValueError:
        return text


def _text(value: object) -> str:
    if value is None:
        return ""
    if hasattr(value, "isoformat"):
        return value.isoformat()[:10]
    return str(float(value)) if isinstance(value, int) and not isinstance(value, bool) else str(value)


@pytest.mark.parametrize("kind", ["parquet", "json", "semicolons"])
def test_other_table_formats_give_the_same(lesions: Path, tmp_path: Path, kind: str) -> None:
    rows = records(lesions)
    if kind == "parquet":
        path = tmp_path / "lesions.parquet"
        pa.parquet.write_table(pa.csv.read_csv(lesions), path)
    elif kind == "json":
        path = tmp_path / "lesions.json"
        path.write_text(json.dumps({"rows": rows}), "utf-8")
    else:
        path = tmp_path / "semicolons.csv"
        path.write_text(LESIONS.replace(",", ";"), "utf-8-sig")
    run("respond", lesions, "--out", tmp_path / "one", "--no-figures")
    run("respond", path, "--out", tmp_path / "two", "--no-figures")
    one, two = (
        [(r["date"], r["overall"], r["sum"]) for r in records(tmp_path / n / "responses.csv")] for n in ("one", "two")
    )
    assert one == two


def test_workers_and_chunks_change_nothing(lesions: Path, tmp_path: Path) -> None:
    many = tmp_path / "many.csv"
    header, *rows = LESIONS.splitlines()
    copies = [row.replace("007,", f"{n:03}A,", 1).replace("008,", f"{n:03}B,", 1) for n in range(120) for row in rows]
    many.write_text("\n".join([header, *copies]) + "\n", "utf-8")
    one = run("respond", many, "--out", tmp_path / "one", "--no-figures", "-f", "csv", "--workers", "1")
    two = run("respond", many, "--out", tmp_path / "two", "--no-figures", "-f", "csv", "--workers", "2")
    assert one.exit_code == two.exit_code == 1
    for name in ("responses", "best_responses", "end_points", "findings", "rates"):
        assert (tmp_path / "one" / f"{name}.csv").read_text() == (tmp_path / "two" / f"{name}.csv").read_text()
    assert len(records(tmp_path / "one" / "responses.csv")) == 120 * 6


def test_chunks_hold_whole_subjects() -> None:
    table = pa.table({"subject": ["b", "a", "b ", "c", "a"], "number": [1, 2, 3, 4, 5]})
    parts = [part["number"].to_pylist() for part in subject_chunks(table, subjects=2)]
    assert parts == [[1, 3, 2, 5], [4]]
    assert list(subject_chunks(table.slice(0, 0))) == []


def test_real_lesion_pairs(real_data: Path, tmp_path: Path) -> None:
    """The forward pairs of DLT in mm: what the rules in whole numbers give (see test_real_lesion_pairs)."""
    table = json.loads((real_data / "response_tables" / "dlt_valid.json").read_text(), parse_float=Decimal)
    path = tmp_path / "pairs.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["subject", "date", "lesion", "role", "long_axis_mm", "short_axis_mm"])
        for name, pair in table.items():
            if pair["source"] < pair["target"]:
                for day, side in (("2020-01-01", "source"), ("2020-03-01", "target")):
                    long_axis, short_axis = pair[f"{side} recist diameter"]
                    spacing = pair[f"{side} spacing"][0]
                    writer.writerow([name, day, "T01", "target", long_axis * spacing, short_axis * spacing])
    result = run("respond", path, "--out", tmp_path / "out", "--no-figures", "-f", "csv")
    assert result.exit_code == 0
    found = records(tmp_path / "out" / "responses.csv")
    assert Counter(row["overall"] for row in found) == {"BASELINE": 453, "PR": 13, "SD": 406, "PD": 34}
    assert all(row["reasons"] for row in found)


def test_reported_responses_give_best_response_and_end_points(tmp_path: Path) -> None:
    path = tmp_path / "responses.csv"
    path.write_text(
        "subject,date,response,evaluator\nS1,2024-01-01,BASELINE,R1\nS1,2024-03-01,PR,R1\nS1,2024-05-01,pr,R1\n"
        "S1,2024-07-01,PD,R1\nS1,2024-03-01,SD,R2\nS1,2024-03-01,PD,R2\n",
        "utf-8",
    )
    result = run("respond", path, "--out", tmp_path / "out", "--no-figures", "-f", "csv")
    assert result.exit_code == 1  # R2 has two responses on one date
    best = records(tmp_path / "out" / "best_responses.csv")
    assert [(r["evaluator"], r["confirmed"], r["best_response"]) for r in best] == [
        ("R1", "false", "PR"),
        ("R1", "true", "PR"),
        ("R2", "false", "NE"),
        ("R2", "true", "NE"),
    ]
    points = {(r["evaluator"], r["end_point"]): r["days"] for r in records(tmp_path / "out" / "end_points.csv")}
    assert points["R1", "DOR"] == "123"
    assert "duplicate-visit" in {r["code"] for r in records(tmp_path / "out" / "findings.csv")}


def test_a_protocol_changes_the_rules_and_is_recorded(lesions: Path, tmp_path: Path) -> None:
    protocol = tmp_path / "protocol.toml"
    protocol.write_text(
        'name = "ABC"\n[criteria."recist-1.1"]\npartial_response = "6/10"\n[best_response]\nsd_min_days = 70\n', "utf-8"
    )
    run("respond", lesions, "--out", tmp_path / "out", "--protocol", protocol, "--no-figures", "-f", "csv")
    found = [r for r in records(tmp_path / "out" / "responses.csv") if r["subject"] == "007"]
    assert [r["overall"] for r in found] == ["BASELINE", "SD", "SD"]
    record = json.loads((tmp_path / "out" / "protocol.json").read_text("utf-8"))
    assert record["protocol"]["name"] == "ABC"
    assert record["protocol"]["criteria"]["recist-1.1"]["partial_response"] == "3/5"
    assert record["table"]["sha256"]
    assert record["software_version"]


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ('[criteria."recist-2"]\na = 1\n', "recist-2"),
        ('[criteria."recist-1.1"]\nprogresion = 1\n', "progresion"),
        ('[criteria."recist-1.1"]\nprogression = "much"\n', "much"),
        ("[best_response]\nconfirm_min_days = 28.5\n", "28.5"),
        ("[best_response]\nsd_window_convention = 'weeks'\n", "weeks"),
        ("[table]\npartial_dates = 'guess'\n", "guess"),
        ("[baseline.targets]\nnode = 3\n", "node"),
        ("best_response = 3\n", "best_response"),
        ("[[", "TOML"),
    ],
)
def test_protocols_that_do_not_fit(lesions: Path, tmp_path: Path, text: str, word: str) -> None:
    protocol = tmp_path / "protocol.toml"
    protocol.write_text(text, "utf-8")
    result = run("respond", lesions, "--out", tmp_path / "out", "--protocol", protocol)
    assert result.exit_code == 78
    assert word in result.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("name", "content", "code", "word"),
    [
        ("none.csv", None, 66, "no such file"),
        ("empty.csv", "", 65, "empty"),
        ("table.doc", "x", 65, "CSV"),
        ("bytes.csv", b"subject,date,lesion\nM\x81ller,2024-01-01,T01\n", 65, "UTF-8"),
        ("commas.csv", 'subject,date,lesion,long_axis_mm\n1,2024-01-01,T01,"1,5"\n', 79, "1 of 1 sizes"),
        ("header.csv", "subject,date,lesion,size\n", 65, "size"),
        ("broken.parquet", "PAR1", 65, "Parquet"),
        ("broken.json", "{", 65, "JSON"),
        ("flat.json", "[1, 2]", 65, "object"),
        ("nested.json", '[{"subject": "1", "date": "2024-01-01", "lesion": ["T01"]}]', 65, "row 1, lesion"),
        ("reported.csv", "subject,visit,overall\n1,V1,PR\n", 65, "audit"),
    ],
)
def test_tables_that_cannot_be_read(
    tmp_path: Path, name: str, content: str | bytes | None, code: int, word: str
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    result = run("respond", path, "--out", tmp_path / "out")
    assert result.exit_code == code, result.output
    assert word in result.stderr


def test_unknown_criterion_and_format(lesions: Path, tmp_path: Path) -> None:
    assert "recist-1.1" in run("respond", lesions, "--out", tmp_path, "-c", "recist").stderr
    assert "parquet" in run("respond", lesions, "--out", tmp_path, "-f", "sas").stderr


def test_rows_with_too_few_cells_are_findings(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text(
        "subject,date,lesion,role,long_axis_mm\nS1,2024-01-01,T01,target,20\nS1,2024\n\nS1,2024-03-01,T01,,10\n"
    )
    result = run("respond", path, "--out", tmp_path / "out", "--no-figures", "-f", "csv")
    assert result.exit_code == 1
    found = [(r["code"], r["where"]) for r in records(tmp_path / "out" / "findings.csv") if r["severity"] == "error"]
    assert found == [("cells-do-not-fit-header", "row 3")]
    # The row may have been of any visit, and may have said anything.
    assert [r["overall"] for r in records(tmp_path / "out" / "responses.csv")] == ["BASELINE", "NE"]


def test_cdisc_data_sets_are_written_beside(lesions: Path, tmp_path: Path) -> None:
    result = run(
        "respond", lesions, "--out", tmp_path, "--no-figures", "--cdisc", "sponsor", "--study", "ABC123", "-f", "csv"
    )
    assert result.exit_code == 1
    frame, _ = pyreadstat.read_xport(tmp_path / "cdisc" / "sdtm" / "tr.xpt")
    assert set(frame["STUDYID"]) == {"ABC123"}
    assert {"LDIAM", "LPERP"} <= set(frame["TRTESTCD"])
    assert (tmp_path / "cdisc" / "adam" / "define.xml").is_file()
    assert run("respond", lesions, "--out", tmp_path, "--cdisc", "vendor").exit_code == 78


def test_growth_is_a_table_where_it_is_asked_for(lesions: Path, tmp_path: Path) -> None:
    run("respond", lesions, "--out", tmp_path, "--no-figures", "-f", "csv", "--growth", "-c", "volume-recist")
    found = {r["subject"]: r for r in records(tmp_path / "growth.csv")}
    assert float(found["007"]["first_tgr_percent_per_month"]) == pytest.approx(
        100 * ((4500 / 13000) ** (30.4375 / 62) - 1)
    )
    assert float(found["008"]["last_sgr_per_day"]) > 0
    assert found["007"]["points"] == "3"


def test_figures_of_every_criterion(lesions: Path, tmp_path: Path) -> None:
    run("respond", lesions, "--out", tmp_path, "-f", "csv", "-c", "recist-1.1", "-c", "irecist")
    names = {path.name for path in (tmp_path / "figures").iterdir()}
    assert {"recist-1.1-waterfall.png", "irecist-swimmer.svg", "recist-1.1-survival-pfs.html", "plotly.min.js"} <= names
    shown = (tmp_path / "figures" / "recist-1.1-waterfall.svg").read_text("utf-8")
    assert "007" in shown
    assert "−30 %" in shown


def test_the_page_shows_rates_figures_discordances_and_findings(lesions: Path, tmp_path: Path) -> None:
    lesions.write_text(lesions.read_text("utf-8").replace("007,", "<b>7,"), "utf-8")
    run("respond", lesions, "--out", tmp_path, "-f", "csv", "-c", "recist-1.1", "-c", "volume-recist")
    page = lxml.html.parse(tmp_path / "report.html")
    text = page.getroot().text_content()
    assert "50.0 % (1.3–98.7)" in text
    assert "volume-recist: target SD (−65.4 % from baseline" in text
    assert "unreadable-cell" in text
    assert "<b>7" in text  # a subject's name is text, never markup
    linked = [*page.xpath("//img/@src"), *page.xpath("//a/@href")]
    assert len(linked) == 20
    assert all((tmp_path / name).is_file() for name in linked)


def test_explain_repeats_the_calculation(lesions: Path, tmp_path: Path) -> None:
    text = run("explain", "007", "2024-03-12", "--table", lesions).stdout
    assert "## Follow-up 1, 2024-03-12: PR" in text
    assert "| T02 | short axis | 12.6 mm | short axis | row 6 |" in text
    assert "Change from baseline −30.0 %: at least 30 % smaller than the baseline's 48.0 mm → PR." in text
    assert "Follow-up 2" not in text
    whole = run("explain", "007", "--table", lesions).stdout
    assert "## Best overall response, confirmed: PR, 2024-03-12" in whole
    assert "2024-01-15" in whole
    assert "partial_response: 7/10" in whole
    assert run("explain", "009", "--table", lesions).exit_code == 66
    missing = run("explain", "007", "Week 99", "--table", lesions)
    assert missing.exit_code == 66
    assert "Follow-up 2 (2024-05-14)" in missing.stderr


def test_explain_shows_what_was_evaluated_with_images(tmp_path: Path) -> None:
    folder = tmp_path / "results" / "abc"
    folder.mkdir(parents=True)
    document = {
        "subject": "abc",
        "software_version": "1",
        "responses": [{"time_point": "Baseline", "date": "2024-01-01"}],
        "lesions": [
            {
                "time_point": "Baseline",
                "lesion": "T01",
                "organ": "lung",
                "role": "target",
                "state": "measured",
                "reader_long_axis_mm": 20.123,
                "reader_short_axis_mm": None,
                "mask_volume_mm3": 1234.5,
                "matched_by": "first seen",
            }
        ],
        "reasons": [
            {
                "time_point": "Baseline",
                "criterion": "recist-1.1",
                "overall": "BASELINE",
                "reasons": ["Baseline. Sum 20.1 mm."],
                "parameters": {"progression_mm": "5"},
            }
        ],
    }
    (folder / "evaluation.json").write_text(json.dumps(document), "utf-8")
    text = run("explain", "abc", "--results", tmp_path / "results").stdout
    assert "| T01 lung | target | measured | 20.12 | 1.234 | first seen |" in text
    assert "### RECIST 1.1: baseline" in text
    assert "1. Baseline. Sum 20.1 mm." in text
    assert run("explain", "xyz", "--results", tmp_path / "results").exit_code == 66


def test_audit_of_a_table(lesions: Path, tmp_path: Path) -> None:
    reported = tmp_path / "reported.csv"
    reported.write_text(
        "subject,date,sum_mm,overall,best_response\n007,2024-01-10,48.0,,\n007,2024-03-12,35.0,PR,PR\n"
        "007,2024-05-14,32.6,SD,\n099,2024-01-01,10,,\n",
        "utf-8",
    )
    result = run("audit", lesions, "--reported", reported, "--out", tmp_path / "out")
    assert result.exit_code == 1
    found = records(tmp_path / "out" / "audit.csv")
    assert {(r["visit"], r["what"], r["reported"], r["derived"][:4]) for r in found if r["subject"] == "007"} >= {
        ("Follow-up 1", "sum of diameters", "35.0 mm", "33.6"),
        ("Follow-up 2", "overall response", "SD", "PR"),
    }
    assert "reported-not-measured" in {r["code"] for r in records(tmp_path / "out" / "findings.csv")}


def test_audit_of_what_follows_is_clean(tmp_path: Path) -> None:
    table = tmp_path / "lesions.csv"
    table.write_text("\n".join(LESIONS.splitlines()[:10]) + "\n", "utf-8")
    reported = tmp_path / "reported.csv"
    reported.write_text(
        "subject,visit,sum_mm,change_from_baseline_percent,overall,best_response,best_confirmed\n"
        "007,Follow-up 1,33.6,-30.0,PR,PR,yes\n007,Follow-up 2,32.6,-32.1,PR,,\n",
        "utf-8",
    )
    result = run("audit", table, "--reported", reported)
    assert result.exit_code == 0, result.output
    assert "0 finding(s) in 1 reading(s)" in result.stdout
    assert run("audit", table).exit_code == 65


def test_audit_of_our_own_central_read(lesions: Path, tmp_path: Path) -> None:
    protocol = tmp_path / "protocol.toml"
    protocol.write_text('[cdisc]\nreader_signed = true\nvendor_name = "LAB"\nevaluator_kind = "INDEPENDENT ASSESSOR"\n')
    run(
        "respond",
        lesions,
        "--out",
        tmp_path,
        "--no-figures",
        "--cdisc",
        "central-read",
        "--protocol",
        protocol,
        "-f",
        "csv",
    )
    result = run("audit", tmp_path / "cdisc" / "sdtm", "--out", tmp_path / "audit")
    assert "0 finding(s)" in result.stdout, result.output


@pytest.fixture
def client() -> TestClient:
    api = FastAPI()
    api.include_router(router)

    @api.exception_handler(TumorRespError)
    def problem(_request: object, error: TumorRespError) -> JSONResponse:
        return JSONResponse({"title": error.message}, error.http_status)

    return TestClient(api, raise_server_exceptions=False)


def test_rest_gives_the_same_tables(client: TestClient, lesions: Path, tmp_path: Path) -> None:
    run("respond", lesions, "--out", tmp_path, "--no-figures", "-f", "json")
    answer = client.post("/api/respond", json={"rows": records(lesions)})
    assert answer.status_code == 200
    body = answer.json()
    for name in ("responses", "best_responses", "end_points"):
        # A file's rows are counted with its header, records without.
        text = re.sub(r"row (\d+)", lambda m: f"row {int(m[1]) - 1}", (tmp_path / f"{name}.json").read_text("utf-8"))
        assert body[name] == json.loads(text)
    assert body["protocol"]["best_response"]["sd_min_days"] == 42


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"rows": []}, 422),
        ({"rows": [{"subject": "1"}]}, 422),
        ({"rows": [{"subject": "1", "date": "2024-01-01", "lesion": "T01"}], "criteria": ["x"]}, 422),
        ({"rows": [{"subject": "1", "date": "2024-01-01", "lesion": "T01"}], "protocol": {"x": 1}}, 422),
        ({}, 422),
        ({"rows": [], "more": 1}, 422),
    ],
)
def test_rest_refuses_what_it_does_not_understand(client: TestClient, body: dict, status: int) -> None:
    assert client.post("/api/respond", json=body).status_code == status


def test_rest_lists_criteria_and_schemas(client: TestClient) -> None:
    names = [item["name"] for item in client.get("/api/criteria").json()]
    assert names[0] == "recist-1.1"
    assert client.get("/api/respond/schema/lesions").json()["title"].startswith("tumorresp lesions")


def test_criteria_commands() -> None:
    assert "Eisenhauer" in run("criteria", "list").stdout
    text = run("criteria", "protocol").stdout
    assert 'partial_response = "7/10"' in text
    assert json.loads(run("criteria", "schema", "responses").stdout)["type"] == "array"
    assert run("criteria", "schema", "x").exit_code == 65


def test_the_printed_protocol_is_the_published_one(lesions: Path, tmp_path: Path) -> None:
    protocol = tmp_path / "protocol.toml"
    protocol.write_text(run("criteria", "protocol").stdout, "utf-8")
    run("respond", lesions, "--out", tmp_path / "one", "--no-figures", "-f", "json")
    run("respond", lesions, "--out", tmp_path / "two", "--no-figures", "-f", "json", "--protocol", protocol)
    one, two = (json.loads((tmp_path / name / "protocol.json").read_text("utf-8")) for name in ("one", "two"))
    assert one == two


def test_the_audit_leaves_scans_before_the_baseline_out(tmp_path: Path) -> None:
    lesions = tmp_path / "lesions.csv"
    lesions.write_text(
        "subject,date,lesion,role,long_axis_mm,reference_date\nA,2023-11-01,T01,target,100,2024-01-10\n"
        "A,2024-01-03,T01,,70,2024-01-10\nA,2024-02-21,T01,,69,2024-01-10\n",
        "utf-8",
    )
    reported = tmp_path / "reported.csv"
    reported.write_text("subject,date,sum_mm,overall\nA,2023-11-01,100,\nA,2024-02-21,69,PR\n", "utf-8")
    result = run("audit", lesions, "--reported", reported, "--out", tmp_path / "out")
    assert result.exit_code == 1
    assert [(r["visit"], r["reported"], r["derived"]) for r in records(tmp_path / "out" / "audit.csv")] == [
        ("Follow-up 1", "PR", "SD")
    ]
    assert "reported-before-baseline" in {r["code"] for r in records(tmp_path / "out" / "findings.csv")}


def test_a_suspicious_number_is_used_but_not_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text(
        "subject,date,lesion,role,site,long_axis_mm\nS,2024-01-10,T01,target,lung,30\nS,2024-03-12,T01,,,2.1\n", "utf-8"
    )
    result = run("respond", path, "--out", tmp_path / "out", "--no-figures", "-f", "csv")
    assert result.exit_code == 1
    assert "a factor near 10: is one of the two in centimetres?" in result.stderr
    row = records(tmp_path / "out" / "responses.csv")[1]
    assert (row["overall"], row["refused"]) == ("PR", "")
    assert row["provisional"].startswith("row 3: T01 lung goes from 30 mm (row 2) to 2.1 mm")
    assert "Provisional: row 3" in run("explain", "S", "--table", path).stdout
    decides = {r["code"]: r["decides"] for r in records(tmp_path / "out" / "findings.csv")}
    assert (decides["perhaps-other-unit"], decides["baseline-is-first-scan"]) == ("true", "false")
