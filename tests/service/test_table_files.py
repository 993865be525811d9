"""Tables as people and spreadsheets write them: read where there is one reading, refused where there is none."""

import datetime
import json
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from tumorresp.domain.errors import InvalidInput, UnreadableTable
from tumorresp.response.protocol import Protocol
from tumorresp.service.respond.part import subject_outcomes
from tumorresp.service.respond.records import respond_records
from tumorresp.service.respond.table_files import TableFile, read_table_file

HEADER = "subject,date,lesion,role,site,long_axis_mm"
ROWS = ("S1,2024-01-10,T01,target,lung,30.0", "S1,2024-03-12,T01,,,20.5")
SEMICOLONS = "\n".join((HEADER, *ROWS)).replace(",", ";")


def table_of(tmp_path: Path, content: str | bytes, name: str = "table.csv") -> TableFile:
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_table_file(path)


def responses(table: TableFile) -> dict[str, list[str]]:
    """Return every subject's responses."""
    outcomes, _ = subject_outcomes(table.kind, table.rows, ["recist-1.1"], Protocol())
    return {o.course.subject_id: [str(item.overall) for item in o.outcomes[0].assessments] for o in outcomes}


def codes(table: TableFile) -> list[tuple[str, str]]:
    return [(finding.code, finding.where) for finding in table.findings]


@pytest.mark.parametrize(
    "header",
    [
        "SUBJECT,DATE,LESION,ROLE,SITE,LONG_AXIS_MM",
        "Subject ID,Date,Lesion ID,Role,Site,Long axis (mm)",
        " subject , scan date,lesion-id,role,site,Long Axis [mm]",
        '"Subject","Date","Lesion","Role","Site","long axis mm"',
    ],
)
def test_headers_as_people_write_them(tmp_path: Path, header: str) -> None:
    assert responses(table_of(tmp_path, "\n".join((header, *ROWS)))) == {"S1": ["BASELINE", "PR"]}


def test_a_header_that_does_not_fit_names_the_columns_found(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="Found are: patient_number, date, lesion"):
        table_of(tmp_path, "Patient number,Date,Lesion\n1,2024-01-10,T01\n")
    with pytest.raises(InvalidInput, match="found are: subject, date, lesion, diameter"):
        table_of(tmp_path, "Subject,Date,Lesion,Diameter\n1,2024-01-10,T01,3\n")
    with pytest.raises(InvalidInput, match="subject is there twice"):
        table_of(tmp_path, "Subject,SUBJECT ID,Date,Lesion\n1,1,2024-01-10,T01\n")


@pytest.mark.parametrize(
    "content",
    [
        pytest.param("\ufeff" + "\n".join((HEADER, *ROWS)), id="byte order mark"),
        pytest.param("\r\n".join((HEADER, *ROWS, "")), id="Windows line ends"),
        pytest.param("sep=;\r\n" + SEMICOLONS, id="Excel's separator line"),
        pytest.param("sep=,\n" + "\n".join((HEADER, *ROWS)), id="separator line with a comma"),
        pytest.param(SEMICOLONS, id="semicolons"),
        pytest.param(SEMICOLONS.replace(".", ","), id="semicolons and decimal commas"),
        pytest.param("\n".join((HEADER, *ROWS)).replace(",", "\t").replace(".", ","), id="tabs and decimal commas"),
        pytest.param("\n".join(f"{line},," for line in (HEADER, *ROWS)), id="empty columns at the end"),
        pytest.param("\n".join((HEADER, *(f"{line},,," for line in ROWS))), id="rows with empty cells at the end"),
        pytest.param("\n".join((HEADER, *ROWS, ",,,,,", "", " , , , , , ")), id="empty rows at the end"),
        pytest.param("\n".join((HEADER, *ROWS)).encode("utf-16"), id="UTF-16"),
        pytest.param("\n".join((HEADER, *ROWS)).replace("lung", "Lungenflügel").encode("cp1252"), id="Windows-1252"),
    ],
)
def test_one_table_in_many_dresses(tmp_path: Path, content: str | bytes) -> None:
    table = table_of(tmp_path, content)
    assert responses(table) == {"S1": ["BASELINE", "PR"]}
    assert table.rows["__row__"].to_pylist()[:2] == [2, 3]


def test_what_was_guessed_is_said(tmp_path: Path) -> None:
    assert codes(table_of(tmp_path, SEMICOLONS.replace(".", ","))) == [("decimal-commas", "header")]
    latin = "\n".join((HEADER, *ROWS)).replace("lung", "Lungenflügel").encode("cp1252")
    assert codes(table_of(tmp_path, latin)) == [("encoding-guessed", "header")]
    assert codes(table_of(tmp_path, SEMICOLONS)) == []


def test_commas_beside_points_are_no_decimals(tmp_path: Path) -> None:
    table = table_of(tmp_path, SEMICOLONS.replace("20.5", "20,5"))
    assert responses(table) == {"S1": ["BASELINE", "NE"]}


def test_a_workbook_is_a_table(tmp_path: Path) -> None:
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    assert sheet is not None
    sheet.append([])
    sheet.append(["Subject ID", "Date", "Lesion", "Role", "Long axis (mm)", None])
    sheet.append([7, datetime.date(2024, 1, 10), "T01", "target", 30.0, None])
    sheet.append(["7", "2024-03-12", "T01", None, "20.5", None])
    sheet.append([None, None, None, None, None, None])
    sheet.append(["", " ", None, None, None, None])
    workbook.create_sheet("Read me", 0).append(["How to fill in this table"])
    workbook.create_sheet("Empty", 0)
    workbook.save(tmp_path / "table.xlsx")
    table = read_table_file(tmp_path / "table.xlsx")
    assert responses(table) == {"7": ["BASELINE", "PR"]}
    assert table.rows["__row__"].to_pylist() == [3, 4]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("header.csv", HEADER),
        ("header.csv", HEADER + "\n"),
        ("header.csv", "sep=,\n" + HEADER + "\r\n"),
        ("empty.json", "[]"),
        ("rows.json", '{"rows": []}'),
    ],
)
def test_a_table_without_rows_is_no_success(tmp_path: Path, name: str, content: str) -> None:
    with pytest.raises(InvalidInput, match="no row"):
        table_of(tmp_path, content, name)


def many(sizes: list[str], days: list[str] | None = None) -> str:
    days = days or ["2024-01-10"] * len(sizes)
    lines = [
        f'S{number},{day},T01,target,lung,"{size}"' for number, (size, day) in enumerate(zip(sizes, days, strict=True))
    ]
    return "\n".join((HEADER, *lines))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param(many(["14,5"] * 20), "20 of 20 sizes", id="decimal commas between commas"),
        pytest.param(many(["14,5"] * 12 + ["14"] * 8), "12 of 20 sizes", id="whole numbers among them"),
        pytest.param(many(["14 mm"] * 3), "3 of 3 sizes", id="units in a small table"),
        pytest.param(many(["14"] * 322, ["03/12/2024"] * 322), "322 of 322 dates", id="US dates, said once"),
        pytest.param(
            "subject,date,response\n" + "\n".join(f"S{n},2024-01-10,Ansprechen" for n in range(12)),
            "12 of 12 responses",
            id="responses in another language",
        ),
        pytest.param(many(["14,5"] * 20).replace('"', ""), "20 of 20 rows", id="decimal commas without quotes"),
        pytest.param(many(["14,5"] * 3).replace('"', ""), "3 of 3 rows", id="the same in a small table"),
        pytest.param(many(["14", "15"] * 10).replace(",lung", ""), "20 of 20 rows", id="a cell too few"),
    ],
)
def test_a_table_written_in_another_way_stops_the_run(tmp_path: Path, content: str, words: str) -> None:
    with pytest.raises(UnreadableTable, match=words) as caught:
        table_of(tmp_path, content)
    assert caught.value.exit_code == 79


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(many(["14,5"] * 10 + ["14"] * 10), id="one half"),
        pytest.param(many(["14,5"] * 4 + ["14"] * 2), id="few cells"),
        pytest.param(many(["14,5"] * 10 + ["14"] * 10).replace('"', ""), id="one half of the rows"),
        pytest.param(many(["-1"] * 20), id="negative, but numbers"),
        pytest.param(many(["14"] * 20, ["2024-01"] * 20), id="dates without a day"),
        pytest.param(many([""] * 20), id="nothing measured"),
    ],
)
def test_what_is_wrong_in_some_rows_is_said_of_these(tmp_path: Path, content: str) -> None:
    assert table_of(tmp_path, content).rows.num_rows in (6, 20)


WORDED = "subject,date,lesion,role,site,long_axis_mm,label"
SIX = [f"S{subject},{day},T01,target,lung,30,near" for subject in (1, 2, 3) for day in ("2024-01-10", "2024-03-10")]


@pytest.mark.parametrize(
    ("opened", "closed"),
    [
        pytest.param(2, None, id="never closed"),
        pytest.param(0, None, id="never closed from the first row on"),
        pytest.param(4, None, id="never closed, one row is swallowed"),
        pytest.param(2, 3, id="closed in the next row"),
        pytest.param(1, 4, id="closed some rows later"),
    ],
)
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
@pytest.mark.parametrize("delimiter", [",", ";"])
def test_a_quotation_mark_never_swallows_rows(
    tmp_path: Path, opened: int, closed: int | None, line_end: str, delimiter: str
) -> None:
    rows = list(SIX)
    rows[opened] = rows[opened].replace("near", '"near')
    if closed is not None:
        rows[closed] = rows[closed].replace("near", 'near"')
    content = line_end.join((WORDED, *rows)).replace(",", delimiter)
    with pytest.raises(InvalidInput, match="a cell holds whole rows of the table") as caught:
        table_of(tmp_path, content)
    assert caught.value.where == f"row {opened + 2}"


@pytest.mark.parametrize("title", ["Lesions,of the trial,,,,", "Lesions,,,,,"])
def test_a_title_above_the_header_is_said(tmp_path: Path, title: str) -> None:
    lines = (title, HEADER, *ROWS)
    with pytest.raises(InvalidInput, match="is there a title above the header"):
        table_of(tmp_path, "\n".join(lines))
    workbook = openpyxl.Workbook()
    for line in lines:
        workbook.worksheets[0].append([cell or None for cell in line.split(",")])
    workbook.save(tmp_path / "table.xlsx")
    with pytest.raises(InvalidInput, match="is there a title above the header"):
        read_table_file(tmp_path / "table.xlsx")


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [("S1", "s1", True), ("S 1", "S1", True), ("007", "7", True), ("S1", "S2", False), ("S1", " S1 ", False)],
)
@pytest.mark.parametrize("column", ["subject", "evaluator"])
def test_names_that_may_be_one_are_asked_for(tmp_path: Path, column: str, one: str, other: str, alike: bool) -> None:
    subjects = (one, other) if column == "subject" else ("S", "S")
    readers = (one, other) if column == "evaluator" else ("anna", "anna")
    lines = [f"{subjects[n]}{ROWS[n].removeprefix('S1')},{readers[n]}" for n in (0, 1)]
    table = table_of(tmp_path, "\n".join((f"{HEADER},evaluator", *lines)))
    assert codes(table) == ([(f"{column}-spelt-differently", f"row 3, {column}")] if alike else [])
    assert all(finding.decides for finding in table.findings)


@pytest.mark.parametrize("words", ['"near\nthe heart"', '"near, and\nbeside"', '"5"" wide"', '5" wide', '"near"'])
def test_words_with_line_breaks_and_quotation_marks_are_words(tmp_path: Path, words: str) -> None:
    content = "\n".join((WORDED, *(row.replace("near", words) for row in SIX)))
    assert table_of(tmp_path, content).rows.num_rows == len(SIX)


def test_a_row_of_another_length_keeps_back_what_it_may_say(tmp_path: Path) -> None:
    rows = (*ROWS, "S1,2024-03-12,NEW01,new,liver,14,0", *(line.replace("S1", "S2") for line in ROWS))
    table = table_of(tmp_path, "\n".join((HEADER, *rows)))
    assert codes(table) == [("cells-do-not-fit-header", "row 4")]
    assert table.findings[0].decides
    assert responses(table) == {"S1": ["BASELINE", "NE"], "S2": ["BASELINE", "PR"]}
    shifted = (*ROWS, "S1, the second,2024-03-12,NEW01,new,liver,14")
    table = table_of(tmp_path, "\n".join((HEADER, *shifted)))
    assert responses(table) == {"S1": ["BASELINE", "NE"]}  # whose it is cannot be told: it may be of the one above


def test_a_row_without_a_subject_may_be_of_its_neighbours(tmp_path: Path) -> None:
    subjects = [line.replace("S1", name) for name in ("S1", "S2", "S3") for line in ROWS]
    rows = [*subjects[:2], ",2024-03-12,NEW01,new,liver,14", *subjects[2:]]
    table = table_of(tmp_path, "\n".join((HEADER, *rows)))
    assert codes(table) == [("empty-cell", "row 4, subject")]
    assert responses(table) == {"S1": ["BASELINE", "NE"], "S2": ["BASELINE", "NE"], "S3": ["BASELINE", "PR"]}


def test_lesions_and_subjects_are_equal_where_they_look_equal(tmp_path: Path) -> None:
    composed, decomposed = "Lu\u0308bke", "L\u00fcbke"
    rows = (
        f"{composed},2024-01-10,Leber\u00e41,target,liver,30",
        f"{decomposed},2024-03-12,leber\u0061\u03081,,,20",
    )
    table = table_of(tmp_path, "\n".join((HEADER, *rows)))
    outcomes, _ = subject_outcomes(table.kind, table.rows, ["recist-1.1"], Protocol())
    (outcome,) = outcomes
    assert [str(item.overall) for item in outcome.outcomes[0].assessments] == ["BASELINE", "PR"]
    (finding,) = [f for f in outcome.course.findings if f.code == "lesion-spelt-differently"]
    assert "leber\u00e41 is taken as Leber\u00e41" in finding.message


def test_one_lesion_in_two_spellings_is_named(tmp_path: Path) -> None:
    table = table_of(tmp_path, "\n".join((HEADER, ROWS[0], ROWS[1].replace("T01", "t01"))))
    outcomes, _ = subject_outcomes(table.kind, table.rows, ["recist-1.1"], Protocol())
    assert [str(item.overall) for item in outcomes[0].outcomes[0].assessments] == ["BASELINE", "PR"]
    assert [(f.code, f.where) for f in outcomes[0].course.findings] == [("lesion-spelt-differently", "row 3")]
    assert "t01 is taken as T01" in outcomes[0].course.findings[0].message


def test_records_are_read_by_the_same_rules() -> None:
    rows: list[dict[str, Any]] = [
        {"Subject ID": "S1", "Date": "2024-01-10", "Lesion": "T01", "Role": "target", "Long axis (mm)": 30},
        {"Subject ID": "S1", "Date": "2024-03-12", "Lesion": "t01", "Long axis (mm)": 20},
        {"Subject ID": None, "Date": "2024-03-12", "Lesion": "NEW01", "Role": "new"},
    ]
    made = respond_records(rows[:2], ["recist-1.1"], {})
    assert [row["overall"] for row in made["responses"]] == ["BASELINE", "PR"]
    made = respond_records(rows, ["recist-1.1"], {})
    assert [row["overall"] for row in made["responses"]] == ["BASELINE", "NE"]
    assert "empty-cell" in {row["code"] for row in made["findings"]}
    with pytest.raises(UnreadableTable):
        respond_records([row | {"Long axis (mm)": "14,5"} for row in rows[:2]], ["recist-1.1"], {})
    json.dumps(made)


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("Partial Response", "PR"),
        ("COMPLETE RESPONSE", "CR"),
        ("stable disease", "SD"),
        ("Progressive Disease", "PD"),
        ("Non-CR/Non-PD", "NON-CR/NON-PD"),
        ("ND", "NE"),
        ("NOT DONE", "NE"),
        ("not evaluable", "NE"),
        ("No evidence of disease", "NED"),
    ],
)
def test_response_words(tmp_path: Path, word: str, expected: str) -> None:
    table = table_of(tmp_path, f"subject,date,response\nS,2024-01-10,BASELINE\nS,2024-05-10,{word}\n")
    outcomes, loose = subject_outcomes(table.kind, table.rows, [], Protocol())
    best = outcomes[0].outcomes[0].best_response
    assert loose == []
    assert best is not None
    assert str(best.category) == expected


@pytest.mark.parametrize(
    ("words", "best", "progression"),
    [
        pytest.param(["iSD", "iUPD", "iCPD"], "iSD", "2024-07-10", id="confirmed"),
        pytest.param(["iUPD", "iSD", "iPR"], "iPR", "", id="set back"),
        pytest.param(["SD", "iUPD", "iCPD"], "iSD", "2024-07-10", id="RECIST's words before the first iUPD"),
        pytest.param(["PR", "PD", "iCPD"], "iPR", "2024-07-10", id="PD for iUPD"),
        pytest.param(["iUPD", "NE", "NE"], "iUPD", "2024-05-10", id="never confirmed"),
        pytest.param(["NON-iCR/NON-iUPD", "icpd", "ICPD"], "NON-iCR/NON-iUPD", "2024-07-10", id="in any case"),
    ],
)
def test_reported_responses_in_the_words_of_irecist(
    tmp_path: Path, words: list[str], best: str, progression: str
) -> None:
    days = ("2024-05-10", "2024-07-10", "2024-09-10")
    rows = [f"S,{day},{word}" for day, word in zip(days, words, strict=True)]
    table = table_of(tmp_path, "\n".join(("subject,date,response", "S,2024-01-10,BASELINE", *rows)))
    outcomes, loose = subject_outcomes(table.kind, table.rows, [], Protocol())
    assert loose == []
    (outcome,) = outcomes[0].outcomes
    assert outcome.best_response is not None
    assert str(outcome.best_response.category) == best
    (survival,) = [item for item in outcome.end_points if item.name == "PFS"]
    assert (survival.end.isoformat() if survival.event else "") == progression


@pytest.mark.parametrize(
    ("sizes", "is_said"),
    [(["3.0", "3.9"], True), (["9.99", "5"], True), (["10", "5"], False), (["", ""], False), (["0", "0"], False)],
)
def test_a_table_of_which_no_lesion_is_measurable_is_questioned(
    tmp_path: Path, sizes: list[str], is_said: bool
) -> None:
    table = table_of(tmp_path, many(sizes))
    assert [(f.code, f.decides) for f in table.findings] == ([("perhaps-centimetres", True)] if is_said else [])
    header, *lines = many(sizes).split("\n")
    in_centimetres = "\n".join((f"{header},unit", *(f"{line},cm" for line in lines)))
    assert table_of(tmp_path, in_centimetres).findings == ()


@pytest.mark.parametrize(
    ("start", "words", "is_said"),
    [
        pytest.param("", ["SD", "SD"], True, id="no start: the first SD has no duration"),
        pytest.param("", ["CR", "SD"], True, id="the CR is not confirmed, and without a start no SD"),
        pytest.param("", ["NE", "NE"], False, id="nothing to count"),
        pytest.param("", ["PR", "PR"], False, id="confirmed whatever the start"),
        pytest.param("2024-01-10,BASELINE,", ["SD", "SD"], False, id="a row BASELINE"),
        pytest.param("2024-01-10,NE,2024-01-11", ["SD", "SD"], False, id="a reference date"),
    ],
)
def test_a_best_response_without_a_start_is_said(tmp_path: Path, start: str, words: list[str], is_said: bool) -> None:
    days = ("2024-03-10", "2024-04-10")
    rows = [f"S,{start}"] if start else []
    rows += [f"S,{day},{word}," for day, word in zip(days, words, strict=True)]
    table = table_of(tmp_path, "\n".join(("subject,date,response,reference_date", *rows)))
    (outcome,), _ = subject_outcomes(table.kind, table.rows, [], Protocol())
    assert any(item.code == "start-not-known" and item.decides for item in outcome.findings) is is_said
