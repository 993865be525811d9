"""What may have changed a response category stands where people look: tables, page, PDF, console and SR."""

import csv
import io
from dataclasses import replace

import pypdf
import pytest

from reports.document import build_html, draw_pictures
from reports.pdf import build_pdf
from reports.response_rows import MAY_CHANGE, response_rows
from reports.tables import FINDING_COLUMNS, evaluation_document, finding_records, records_csv, response_records
from tests.reports.phantom_evaluation import phantom_evaluation, volumes
from tests.reports.test_document import ambiguous_measurement
from tumorresp.domain.evaluation import SubjectEvaluation
from tumorresp.domain.evaluation_findings import MATCH_AMBIGUOUS, deciding_findings
from tumorresp.domain.finding import Finding, Severity
from tumorresp.service.cli.screen import console, deciding_sentences, show_response_table

WORDS = "Only the longest of <three> lines was used."
DECIDES = Finding("lines-passed-over", Severity.WARNING, WORDS, "1.2.3", decides=True)
HARMLESS = replace(DECIDES, code="axes-derived", message="The axes were derived.", decides=False)
PLACES = ("time point", "lesion", "measurement", "mask", "biomarkers", "assessment")


def evaluation_with(finding: Finding, place: str, at: int = 1) -> SubjectEvaluation:
    """The phantom's evaluation with a finding at a place of its second time point."""
    evaluation = phantom_evaluation()
    points = list(evaluation.time_points)
    point, lesion = points[at], points[at].lesions[0]
    if place == "time point":
        point = replace(point, findings=(finding,))
    elif place == "assessment":
        recist, volumetric = point.assessments
        point = replace(point, assessments=(replace(recist, findings=(finding,)), volumetric))
    else:
        changed = {
            "lesion": lambda: replace(lesion, findings=(finding,)),
            "measurement": lambda: replace(lesion, measurement=replace(lesion.measurement, findings=(finding,))),
            "mask": lambda: replace(lesion, mask=replace(lesion.mask, findings=(finding,))),
            "biomarkers": lambda: replace(lesion, biomarkers=replace(lesion.biomarkers, findings=(finding,))),
        }[place]()
        point = replace(point, lesions=(changed, *point.lesions[1:]))
    points[at] = point
    return replace(evaluation, time_points=tuple(points))


@pytest.mark.parametrize("place", PLACES)
def test_wherever_it_was_noticed_it_is_found(place: str):
    (found,) = deciding_findings(evaluation_with(DECIDES, place))
    assert (found.time_point.order, found.finding) == (2, DECIDES)
    assert found.criterion == ("recist-1.1" if place == "assessment" else "")
    assert (found.lesion_id == "") is (place in ("time point", "assessment"))
    assert not deciding_findings(evaluation_with(HARMLESS, place))


@pytest.mark.parametrize("place", PLACES)
def test_tables_say_it_and_flag_the_responses_from_there_on(place: str):
    evaluation = evaluation_with(DECIDES, place)
    (row,) = [row for row in finding_records(evaluation) if row["decides"] == "yes"]
    assert (row["code"], row["time_point"], row["message"]) == ("lines-passed-over", "Follow-up 1", WORDS)
    flags = [row["may_change"] for row in response_records(evaluation)]
    assert flags == ["", "lines-passed-over", "lines-passed-over (Follow-up 1)"]
    assert evaluation_document(evaluation)["findings"] == finding_records(evaluation)


def test_a_table_without_findings_has_its_header():
    text = records_csv([], FINDING_COLUMNS)
    assert next(csv.reader(io.StringIO(text))) == list(FINDING_COLUMNS)
    evaluation = evaluation_with(DECIDES, "lesion")
    assert list(finding_records(evaluation)[0]) == list(FINDING_COLUMNS)


def test_a_measurement_that_waits_is_among_it():
    evaluation = phantom_evaluation()
    first, *later = evaluation.time_points
    waiting = replace(evaluation, time_points=(replace(first, ambiguous=(ambiguous_measurement(),)), *later))
    (found,) = deciding_findings(waiting)
    assert found.finding.code == MATCH_AMBIGUOUS
    assert "waits for a person: Two lesions are <equally> near." in found.sentence
    assert [bool(row["may_change"]) for row in response_records(waiting)] == [True, True, True]
    assert [row["code"] for row in finding_records(waiting) if row["decides"] == "yes"] == [MATCH_AMBIGUOUS]
    assert deciding_sentences(evaluation_document(waiting)) == []  # shown as waiting


def test_page_and_pdf_say_it_first_and_mark_the_categories():
    evaluation = evaluation_with(DECIDES, "lesion")
    pictures = draw_pictures(evaluation, volumes)
    page = build_html(evaluation, pictures)
    assert page.index("May change a response") < page.index("Response at each time point")
    assert "Only the longest of &lt;three&gt; lines was used." in page
    assert page.count(f"SD {MAY_CHANGE}") == 2
    assert page.count(WORDS.replace("<", "&lt;").replace(">", "&gt;")) == 1
    text = " ".join(
        "".join(p.extract_text() for p in pypdf.PdfReader(io.BytesIO(build_pdf(evaluation, pictures))).pages).split()
    )
    assert WORDS in text
    assert f"SD {MAY_CHANGE}" in text
    assert MAY_CHANGE not in build_html(phantom_evaluation(), pictures)


def test_of_one_criterion_the_other_is_not_marked():
    rows = response_rows(evaluation_with(DECIDES, "assessment"))
    assert [(row.mark("recist-1.1"), row.mark("volume-recist")) for row in rows] == [
        ("", ""),
        (f" {MAY_CHANGE}", ""),
        (f" {MAY_CHANGE}", ""),
    ]


def test_the_console_says_it_once_with_every_place():
    evaluation = evaluation_with(DECIDES, "lesion")
    third = evaluation.time_points[2]
    evaluation = replace(
        evaluation, time_points=(*evaluation.time_points[:2], replace(third, findings=(DECIDES, HARMLESS)))
    )
    document = evaluation_document(evaluation)
    assert deciding_sentences(document) == [f"Follow-up 1, T01; Follow-up 2: {WORDS}"]
    with console.capture() as shown:
        show_response_table(document, "Subject")
    text = " ".join(shown.get().split())
    assert f"May change a response Follow-up 1, T01; Follow-up 2: {WORDS}" in text
    assert f"SD {MAY_CHANGE}" in text
