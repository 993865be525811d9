"""The files: read back cell by cell, within the limits of a transport file, described by Define-XML."""

import datetime
import json
import math
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pyreadstat
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from reports.cdisc.controlled_terminology import CODELISTS, RS_TESTS, TR_TESTS, TU_TESTS
from reports.cdisc.dataset import Dataset, DatasetDefinition, Row, Variable, VariableType, as_ascii
from reports.cdisc.dataset_json import FileFacts, check_dataset_json
from reports.cdisc.define_xml import check_define_xml
from reports.cdisc.derivation_methods import METHODS
from reports.cdisc.export import DEFINITIONS, ExportResult, FileFormat, write_cdisc
from reports.cdisc.terminology_codes import DECODES, REQUIRED, TERM_CODES
from reports.cdisc.xpt import write_xpt
from tests.reports.cdisc.studies import CENTRAL, RESPONDER, datasets, end_point, subject
from tumorresp.domain.assessment import Category
from tumorresp.domain.errors import InvalidInput
from tumorresp.response.outcome import EndPointName

FILE_FACTS = FileFacts("ST1", datetime.datetime(2024, 5, 17, 8, 30, tzinfo=datetime.UTC))
DAY_3 = datetime.date(2024, 3, 25)
OUTCOMES = [
    subject(
        *RESPONDER,
        subject_id=f"{number:03d}",
        best=(Category.PR, datetime.date(2024, 2, 12)),
        end_points=[end_point(EndPointName.PFS, DAY_3, event=True, description="Disease Progression")],
    )
    for number in range(3)
]
NAMES = ["TU", "TR", "RS", "RELREC", "ADSL", "ADTR", "ADRS", "ADTTE"]


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ExportResult]:
    folder = tmp_path_factory.mktemp("cdisc")
    return folder, write_cdisc(OUTCOMES, CENTRAL, folder, FILE_FACTS, tuple(FileFormat))


def folder_of(name: str) -> str:
    return "adam" if name.startswith("AD") else "sdtm"


def expected_rows(name: str) -> tuple[Dataset, list[tuple[object, ...]]]:
    dataset = datasets(OUTCOMES, CENTRAL)[name]
    return dataset, list(dataset.rows())


def test_all_files_are_written(exported: tuple[Path, ExportResult]) -> None:
    folder, result = exported
    wanted = {f"{folder_of(name)}/{name.lower()}.{end}" for name in NAMES for end in FileFormat}
    assert {str(path.relative_to(folder)) for path in result.files} == wanted | {"sdtm/define.xml", "adam/define.xml"}
    assert all(path.is_file() for path in result.files)
    assert result.findings == ()


@pytest.mark.parametrize("name", NAMES)
def test_transport_file_has_every_cell(exported: tuple[Path, ExportResult], name: str) -> None:
    path = exported[0] / folder_of(name) / f"{name.lower()}.xpt"
    dataset, rows = expected_rows(name)
    frame, metadata = pyreadstat.read_xport(str(path))
    variables = dataset.definition.variables
    assert path.read_bytes().startswith(b"HEADER RECORD*******LIBRARY HEADER RECORD!!!!!!!")
    assert (metadata.table_name, metadata.file_label) == (name, dataset.definition.label)
    assert list(frame.columns) == [variable.name for variable in variables]
    assert metadata.column_labels == [variable.label for variable in variables]
    read = [tuple(_plain(value) for value in row) for row in frame.itertuples(index=False)]
    assert read == [
        tuple(
            "" if value is None and variable.type.is_text else value
            for value, variable in zip(row, variables, strict=True)
        )
        for row in rows
    ]
    for variable in variables:
        shown = metadata.original_variable_types[variable.name]
        assert (shown == "DATE9") == (variable.type is VariableType.DATE)


@pytest.mark.parametrize("name", ["TR", "ADSL"])
def test_pandas_reads_the_transport_file(exported: tuple[Path, ExportResult], name: str) -> None:
    dataset, rows = expected_rows(name)
    frame = pd.read_sas(exported[0] / folder_of(name) / f"{name.lower()}.xpt", encoding="ascii")
    assert frame.shape == (len(rows), len(dataset.definition.variables))
    assert list(frame["USUBJID"]) == [
        row[[v.name for v in dataset.definition.variables].index("USUBJID")] for row in rows
    ]


def test_missing_numbers_and_dates_stay_missing(exported: tuple[Path, ExportResult]) -> None:
    frame, _ = pyreadstat.read_xport(str(exported[0] / "adam" / "adsl.xpt"))
    assert frame["DTHDT"].isna().all()
    assert list(frame["RANDDT"]) == [datetime.date(2024, 1, 2)] * 3


@pytest.mark.parametrize("name", NAMES)
def test_dataset_json_has_every_cell_and_follows_the_rules(exported: tuple[Path, ExportResult], name: str) -> None:
    folder = exported[0] / folder_of(name)
    document = json.loads((folder / f"{name.lower()}.json").read_text(encoding="ascii"))
    check_dataset_json(document)
    dataset, rows = expected_rows(name)
    assert document["rows"] == [[_json(value) for value in row] for row in rows]
    assert document["records"] == len(rows)
    keys = sorted((c for c in document["columns"] if "keySequence" in c), key=lambda column: column["keySequence"])
    assert tuple(column["name"] for column in keys) == dataset.definition.keys
    first, *lines = (folder / f"{name.lower()}.ndjson").read_text(encoding="ascii").splitlines()
    assert {**json.loads(first), "rows": [json.loads(line) for line in lines]} == document


def test_dates_of_adam_say_that_they_are_numbers(exported: tuple[Path, ExportResult]) -> None:
    document = json.loads((exported[0] / "adam" / "adsl.json").read_text())
    column = next(item for item in document["columns"] if item["name"] == "RANDDT")
    assert (column["dataType"], column["targetDataType"], column["displayFormat"]) == ("date", "integer", "E8601DA.")
    assert document["datasetJSONCreationDateTime"] == "2024-05-17T08:30:00Z"


def broken(document: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
    return {**document, **changes}


def test_broken_dataset_json_is_refused(exported: tuple[Path, ExportResult]) -> None:
    document = json.loads((exported[0] / "adam" / "adsl.json").read_text())
    columns, rows = document["columns"], document["rows"]
    cases: list[tuple[dict[str, Any], str]] = [
        ({"records": 4}, "records says 4"),
        ({"rows": [rows[0][:-1], *rows[1:]]}, "17 values"),
        ({"datasetJSONVersion": "1.0.0"}, "does not match"),
        ({"datasetJSONCreationDateTime": "yesterday"}, "does not match"),
        ({"columns": [{**columns[0], "dataType": "text"}, *columns[1:]]}, "is not one of"),
        ({"columns": [{**columns[0], "targetDataType": "integer"}, *columns[1:]]}, "is not one of"),
        ({"columns": [{**columns[0], "keySequence": 3}, *columns[1:]]}, "does not count from 1"),
        ({"columns": [{**columns[0], "length": 1}, *columns[1:]]}, "longer than 1"),
        ({"rows": [[7, *rows[0][1:]], *rows[1:]]}, "7 is no string"),
        ({"extra": 1}, "Additional properties"),
    ]
    for changes, message in cases:
        with pytest.raises(InvalidInput, match=message):
            check_dataset_json(broken(document, **changes))
    without = {key: value for key, value in document.items() if key != "itemGroupOID"}
    with pytest.raises(InvalidInput, match="'itemGroupOID' is a required property"):
        check_dataset_json(without)


@pytest.mark.parametrize("standard", ["sdtm", "adam"])
def test_define_xml_names_every_variable_with_its_key_and_file(
    exported: tuple[Path, ExportResult], standard: str
) -> None:
    path = exported[0] / standard / "define.xml"
    check_define_xml(path)
    tree = etree.parse(path)
    spaces = {"o": "http://www.cdisc.org/ns/odm/v1.3", "d": "http://www.cdisc.org/ns/def/v2.1"}
    groups = tree.findall(".//o:ItemGroupDef", spaces)
    assert {group.get("Name") for group in groups} == {name for name in NAMES if folder_of(name) == standard}
    items = {item.get("OID"): item for item in tree.findall(".//o:ItemDef", spaces)}
    for group in groups:
        definition = next(item for item in DEFINITIONS if item.name == group.get("Name"))
        references = group.findall("o:ItemRef", spaces)
        assert [items[item.get("ItemOID")].get("Name") for item in references] == [v.name for v in definition.variables]
        keys = sorted(
            (item for item in references if item.get("KeySequence")), key=lambda item: int(item.get("KeySequence", ""))
        )
        assert tuple(items[item.get("ItemOID")].get("Name") for item in keys) == definition.keys
        leaf = group.find("d:leaf", spaces)
        assert leaf is not None
        assert (path.parent / leaf.get("{http://www.w3.org/1999/xlink}href", "")).is_file()


SPACES = {"o": "http://www.cdisc.org/ns/odm/v1.3", "d": "http://www.cdisc.org/ns/def/v2.1"}
DEF = "{http://www.cdisc.org/ns/def/v2.1}"


def define_of(exported: tuple[Path, ExportResult], standard: str) -> Any:
    return etree.parse(exported[0] / standard / "define.xml")


def value_level(tree: Any, dataset: str, variable: str) -> dict[str, tuple[str, str, str, str]]:
    """Data type, length, decimals and codelist of a variable for each test or parameter."""
    items = {item.get("OID"): item for item in tree.findall(".//o:ItemDef", SPACES)}
    clauses = {
        clause.get("OID"): clause.findtext(".//o:CheckValue", namespaces=SPACES)
        for clause in tree.findall(".//d:WhereClauseDef", SPACES)
    }
    listed = items[f"IT.{dataset}.{variable}"].find("d:ValueListRef", SPACES).get("ValueListOID")
    found = {}
    for reference in tree.findall(f".//d:ValueListDef[@OID='{listed}']/o:ItemRef", SPACES):
        item = items[reference.get("ItemOID")]
        codelist = item.find("o:CodeListRef", SPACES)
        clause = reference.find("d:WhereClauseRef", SPACES).get("WhereClauseOID")
        found[clauses[clause]] = (
            item.get("DataType"),
            item.get("Length"),
            item.get("SignificantDigits", ""),
            "" if codelist is None else codelist.get("CodeListOID"),
        )
    return found


def test_define_xml_describes_results_test_by_test(exported: tuple[Path, ExportResult]) -> None:
    tree = define_of(exported, "sdtm")
    assert value_level(tree, "TR", "TRSTRESC") == {
        "ACNSD": ("integer", "3", "", ""),
        "LDIAM": ("integer", "2", "", ""),
        "LPERP": ("integer", "2", "", ""),
        "PCBSD": ("float", "10", "6", ""),
        "PCNSD": ("float", "10", "6", ""),
        "SUMDIAM": ("integer", "2", "", ""),
        "TUMSTATE": ("text", "23", "", "CL.TRPROPRS"),
    }
    # One lesion was too small to measure: these are words among numbers.
    assert value_level(tree, "TR", "TRORRES")["LDIAM"] == ("text", "20", "", "")
    assert value_level(tree, "TR", "TRSTRESN")["PCBSD"] == ("float", "8", "6", "")
    assert {codelist for *_, codelist in value_level(tree, "RS", "RSSTRESC").values()} == {"CL.ONCRSR"}


def test_define_xml_describes_results_parameter_by_parameter(exported: tuple[Path, ExportResult]) -> None:
    tree = define_of(exported, "adam")
    responses = value_level(tree, "ADRS", "AVALC")
    assert (responses["OVRB"][3], responses["PDB"][3], responses["DEATH"][3]) == ("CL.ONCRSR", "CL.NY", "CL.NY")
    assert {values[0] for values in value_level(tree, "ADRS", "AVAL").values()} == {"integer"}
    assert value_level(tree, "ADTTE", "AVAL") == {"PFSB": ("integer", "8", "", "")}
    decodes = {
        item.get("CodedValue"): item.findtext("o:Decode/o:TranslatedText", namespaces=SPACES)
        for item in tree.findall(".//o:CodeList[@OID='CL.ADRS.PARAMCD']/o:CodeListItem", SPACES)
    }
    assert decodes["OVRB"] == "Overall Response by Independent Assessor (RECIST 1.1)"
    assert set(decodes) == set(responses)


@pytest.mark.parametrize("standard", ["sdtm", "adam"])
def test_every_codelist_has_its_code_and_terms_theirs(exported: tuple[Path, ExportResult], standard: str) -> None:
    for codelist in define_of(exported, standard).findall(".//o:CodeList", SPACES):
        name = codelist.get("OID").removeprefix("CL.")
        if codelist.get(f"{DEF}IsNonStandard") == "Yes":
            assert name.endswith(".PARAMCD")
            continue
        assert codelist.find("o:Alias", SPACES).get("Name") == CODELISTS[name][1]
        for item in (*codelist.findall("o:EnumeratedItem", SPACES), *codelist.findall("o:CodeListItem", SPACES)):
            alias = item.find("o:Alias", SPACES)
            code = TERM_CODES.get(name, {}).get(item.get("CodedValue"))
            assert code == (None if alias is None else alias.get("Name"))


def test_codes_of_terms_are_of_terms_that_the_exports_know() -> None:
    for name, codes in TERM_CODES.items():
        terms = CODELISTS[name][2]
        known = set(codes) & set(terms) if terms else set(codes)
        assert known
        assert all(re.fullmatch(r"C\d{4,6}", code) for code in codes.values())
    tests = {"TUTESTCD": "TUTEST", "TRTESTCD": "TRTEST", "RSTESTCD": "RSTEST"}
    for by_code, by_name in tests.items():
        for test, words in DECODES[by_code].items():
            assert TERM_CODES[by_code].get(test) == TERM_CODES[by_name].get(words)


@pytest.mark.parametrize("standard", ["sdtm", "adam"])
def test_mandatory_is_what_the_standard_requires(exported: tuple[Path, ExportResult], standard: str) -> None:
    tree = define_of(exported, standard)
    for group in tree.findall(".//o:ItemGroupDef", SPACES):
        name = group.get("Name")
        mandatory = {
            item.get("ItemOID").split(".")[-1]
            for item in group.findall("o:ItemRef", SPACES)
            if item.get("Mandatory") == "Yes"
        }
        # What this study's tables do not say cannot be mandatory: site, age, sex and race.
        absent = {"SITEID", "AGE", "AGEU", "SEX", "RACE"} if name == "ADSL" else set()
        assert mandatory == REQUIRED[name] - absent


@pytest.mark.parametrize("standard", ["sdtm", "adam"])
def test_numbers_with_decimals_say_how_many(exported: tuple[Path, ExportResult], standard: str) -> None:
    for item in define_of(exported, standard).findall(".//o:ItemDef", SPACES):
        assert (item.get("DataType") == "float") == (item.get("SignificantDigits") is not None)


def test_define_xml_that_breaks_the_schema_is_refused(exported: tuple[Path, ExportResult], tmp_path: Path) -> None:
    text = (exported[0] / "adam" / "define.xml").read_text(encoding="utf-8")
    path = tmp_path / "define.xml"
    path.write_text(text.replace('DataType="float"', 'DataType="double-precision"'), encoding="utf-8")
    with pytest.raises(InvalidInput, match="breaks the schema"):
        check_define_xml(path)


def test_terms_outside_a_codelist_are_called_extended(tmp_path: Path) -> None:
    outcome = OUTCOMES[0]
    first = outcome.course.visits[0]
    heart = replace(first.observations[0], organ="heart")
    visits = (replace(first, observations=(heart, *first.observations[1:])), *outcome.course.visits[1:])
    write_cdisc([replace(outcome, course=replace(outcome.course, visits=visits))], CENTRAL, tmp_path, FILE_FACTS)
    text = (tmp_path / "sdtm" / "define.xml").read_text(encoding="utf-8")
    item = next(line for line in text.replace("<EnumeratedItem", "\n<EnumeratedItem").splitlines() if '"HEART"' in line)
    assert "ExtendedValue" in item


@pytest.mark.parametrize("definition", DEFINITIONS, ids=lambda item: item.name)
def test_names_and_labels_fit_a_transport_file(definition: DatasetDefinition) -> None:
    assert len(definition.label) <= 40
    for variable in definition.variables:
        assert 1 <= len(variable.name) <= 8
        assert variable.name.isupper()
        assert len(variable.label) <= 40
        assert variable.label.isascii()
        assert not variable.codelist or variable.codelist in CODELISTS
        assert variable.origin != "Derived" or variable.name in METHODS
    assert definition.name == "RELREC" or set(definition.keys) >= {"STUDYID", "USUBJID"}


def test_test_names_fit_a_transport_file() -> None:
    for tests in (TU_TESTS, TR_TESTS, RS_TESTS):
        assert all(len(code) <= 8 and len(name) <= 40 for code, name in tests.items())
    assert not {"SAXIS", "SNMDIAM"} & set(TR_TESTS)


SMALL = DatasetDefinition(
    "XX",
    "Small",
    "SDTM",
    "FINDINGS",
    "One record",
    (
        Variable("USUBJID", "Unique Subject Identifier"),
        Variable("VISIT", "Visit Name", free_text=True),
        Variable("AVAL", "Analysis Value", VariableType.FLOAT),
    ),
    ("USUBJID", "AVAL"),
)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"USUBJID": "Müller", "AVAL": 1}, "not ASCII"),
        ({"USUBJID": "x" * 201, "AVAL": 1}, "longer than 200"),
        ({"USUBJID": "1", "AVALU": "mm"}, "AVALU is no variable"),
    ],
)
def test_what_does_not_fit_is_refused(row: Row, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        Dataset(SMALL).add_subject([row])


def test_two_records_of_one_key_are_refused() -> None:
    with pytest.raises(InvalidInput, match="two records have the same key: USUBJID 1, AVAL 2"):
        Dataset(SMALL).add_subject([{"USUBJID": "1", "AVAL": 2}, {"USUBJID": "1", "AVAL": 2, "VISIT": "other"}])


@settings(max_examples=20, deadline=None)
@given(st.lists(st.decimals(-(10**7), 10**7, places=6), min_size=1, max_size=50, unique=True))
def test_six_decimals_survive_a_transport_file(tmp_path_factory: pytest.TempPathFactory, values: list[Decimal]) -> None:
    dataset = Dataset(SMALL)
    dataset.add_subject([{"USUBJID": "1", "AVAL": float(value)} for value in values])
    path = tmp_path_factory.mktemp("numbers") / "xx.xpt"
    write_xpt(dataset, path)
    assert list(pyreadstat.read_xport(str(path))[0]["AVAL"]) == [float(value) for value in values]


@pytest.mark.parametrize(
    ("name", "label"),
    [("TOOLONGNAME", "x"), ("aval", "x"), ("1A", "x"), ("AVAL", "x" * 41), ("AVAL", "é"), ("AVAL", "")],
)
def test_variable_that_no_transport_file_can_hold_is_refused(name: str, label: str) -> None:
    with pytest.raises(InvalidInput):
        Variable(name, label)


def test_free_text_is_changed_and_said_once() -> None:
    dataset = Dataset(SMALL)
    dataset.add_subject([{"USUBJID": "1", "VISIT": "Größe – 6", "AVAL": n} for n in (1, 2)])
    dataset.add_subject([{"USUBJID": "2", "VISIT": "x" * 300, "AVAL": 1}])
    assert [row[1] for row in dataset.rows()] == ["Grosse - 6", "Grosse - 6", "x" * 200]
    assert [finding.code for finding in dataset.findings] == ["text-changed", "text-changed"]
    assert "'Größe – 6'" in dataset.findings[0].message
    assert dataset.length(SMALL.variables[1]) == 200


@pytest.mark.parametrize(("text", "expected"), [("naïve", "naive"), ("a−b", "a-b"), ("肺", "?"), ("10 × 5", "10 x 5")])
def test_ascii(text: str, expected: str) -> None:
    assert as_ascii(text) == expected


def test_records_are_in_order_of_subject_and_the_same_every_time(tmp_path: Path) -> None:
    shuffled = [OUTCOMES[2], OUTCOMES[0], OUTCOMES[1]]
    for name, outcomes in (("one", OUTCOMES), ("two", shuffled)):
        write_cdisc(outcomes, CENTRAL, tmp_path / name, FILE_FACTS, (FileFormat.JSON,))
    for path in sorted((tmp_path / "one").rglob("*.*")):
        assert path.read_bytes() == (tmp_path / "two" / path.relative_to(tmp_path / "one")).read_bytes()


def test_empty_study_writes_nothing(tmp_path: Path) -> None:
    assert write_cdisc([], CENTRAL, tmp_path, FILE_FACTS).files == ()


@pytest.mark.skipif(shutil.which("libreoffice") is None, reason="LibreOffice is not installed")
def test_libreoffice_opens_the_values(exported: tuple[Path, ExportResult], tmp_path: Path) -> None:
    frame, _ = pyreadstat.read_xport(str(exported[0] / "sdtm" / "tr.xpt"))
    frame.to_csv(tmp_path / "tr.csv", index=False)
    command = ["libreoffice", "--headless", "--convert-to", "xlsx", "--outdir", str(tmp_path), str(tmp_path / "tr.csv")]
    subprocess.run(command, check=True, timeout=60)
    assert len(pd.read_excel(tmp_path / "tr.xlsx")) == len(frame)


def _plain(value: object) -> object:
    return None if isinstance(value, float) and math.isnan(value) else value


def _json(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime.date) else value
