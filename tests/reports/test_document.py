"""Page, PDF, pictures and tables of the phantom subject."""

import csv
import io
import json
import re
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pypdf
import pytest
from lxml import html

from reports.document import build_html, draw_pictures
from reports.overlay import LONG_AXIS_COLOUR, MASK_COLOUR, lesion_picture, slice_picture, window_grey
from reports.pdf import build_pdf
from reports.response_rows import millilitres, percent
from reports.tables import evaluation_document, evaluation_json, lesion_records, records_csv, response_records
from tests.reports.phantom_evaluation import ambiguous_measurement, phantom_evaluation, volumes
from tumorresp.domain.errors import InvalidInput
from tumorresp.domain.evaluation import SubjectEvaluation
from tumorresp.domain.evaluation_findings import all_findings


@pytest.fixture(scope="module")
def evaluation() -> SubjectEvaluation:
    return phantom_evaluation()


@pytest.fixture(scope="module")
def pictures(evaluation):
    return draw_pictures(evaluation, volumes)


def near(picture: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    return (np.abs(picture.astype(int) - colour).max(axis=2) < 60).nonzero()


def test_a_volume_in_doubt_is_marked_wherever_it_is_shown(evaluation):
    point = evaluation.time_points[0]
    item = next(item for item in point.lesions if item.biomarkers is not None)
    words = "its mask touches a slice without a usable image"
    doubted = replace(item, biomarkers=replace(item.biomarkers, volume_doubt=words))
    others = tuple(doubted if other is item else other for other in point.lesions)
    spoiled = replace(evaluation, time_points=(replace(point, lesions=others), *evaluation.time_points[1:]))
    record = next(row for row in lesion_records(spoiled) if row["lesion"] == item.lesion.lesion_id)
    assert record["volume_doubt"] == words
    pictures = draw_pictures(spoiled, volumes)
    marked = millilitres(item.biomarkers.voxel_volume_mm3) + " (in doubt)"
    assert marked in build_html(spoiled, pictures)
    text = "".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(build_pdf(spoiled, pictures))).pages)
    assert marked in " ".join(text.split())
    assert "(in doubt)" not in build_html(evaluation, pictures)


def test_window_maps_its_ends_to_black_and_white():
    grey = window_grey(np.array([-160.0, 40.0, 240.0, 3000.0]), 40, 400)
    assert grey.tolist() == [0, 128, 255, 255]


def test_outline_and_axes_have_the_lesions_size_in_the_picture(evaluation):
    lesion = evaluation.time_points[0].lesions[0]
    axis = lesion.measurement.long_axis
    picture = lesion_picture(volumes(lesion.measurement.series_instance_uid), lesion, size=400, field_of_view_mm=80)
    assert picture.shape == (400, 400, 3)
    rows, columns = near(picture, LONG_AXIS_COLOUR)
    drawn_mm = np.hypot(np.ptp(rows), np.ptp(columns)) * 80 / 400
    assert drawn_mm == pytest.approx(axis.length_mm, abs=1.5)
    outline_rows, outline_columns = near(picture, MASK_COLOUR)
    assert abs(outline_rows.mean() - 199.5) < 12
    assert abs(outline_columns.mean() - 199.5) < 12
    assert np.ptp(outline_columns) * 80 / 400 == pytest.approx(lesion.biomarkers.long_axis.length_mm, rel=0.25)


def test_whole_slice_shows_every_lesion_on_it(evaluation):
    lesion = evaluation.time_points[0].lesions[0]
    volume = volumes(lesion.measurement.series_instance_uid)
    bare = slice_picture(volume, lesion.mask.key_slice, [])
    drawn = slice_picture(volume, lesion.mask.key_slice, [lesion])
    assert bare.shape == drawn.shape == (512, 512, 3)
    assert len(near(bare, MASK_COLOUR)[0]) < 5
    assert len(near(drawn, MASK_COLOUR)[0]) > 50


def test_a_lesion_without_axes_has_no_picture(evaluation):
    vanished = [item for item in evaluation.time_points[2].lesions if item.measurement.long_axis is None]
    assert vanished
    volume = volumes(vanished[0].measurement.series_instance_uid)
    assert all(lesion_picture(volume, replace(item, mask=None)) is None for item in vanished)


def test_page_shows_categories_numbers_reasons_and_one_picture_a_measured_lesion(evaluation, pictures):
    page = html.fromstring(build_html(evaluation, pictures))
    table = page.xpath("//table[@class='response']")[0]
    rows = [[" ".join(cell.text_content().split()) for cell in row.xpath("td")] for row in table.xpath("tbody/tr")]
    assert [row[0] for row in rows] == ["Baseline", "Follow-up 1", "Follow-up 2"]
    first = evaluation.time_points[0].assessments[0].target_sum
    assert rows[0][2] == f"{first:.1f} mm"
    assert rows[1][7] == "SD"
    assert rows[2][7].startswith("PD")
    assert rows[1][11] == "PR"
    text = page.text_content()
    assert "The two criteria differ" in text
    assert all(reason in text for p in evaluation.time_points for a in p.assessments for reason in a.reasons)
    measured = sum(item.measurement.long_axis is not None for p in evaluation.time_points for item in p.lesions)
    assert len(page.xpath("//img")) == measured == len(pictures.lesions)
    assert not re.search(r"(src|href)=.https?:", build_html(evaluation, pictures))


def test_why_the_criteria_differ_stands_on_the_page_and_in_the_document(evaluation, pictures):
    first, second, third = evaluation.time_points
    why = ("recist-1.1: target SD; volume-recist: target PR.",)
    differing = replace(evaluation, time_points=(first, replace(second, discordance=why), third))
    page = " ".join(html.fromstring(build_html(differing, pictures)).text_content().split())
    assert "The two criteria differ. recist-1.1: target SD; volume-recist: target PR." in page
    assert evaluation_document(differing)["discordances"] == [{"time_point": "Follow-up 1", "why": list(why)}]


def test_page_and_pdf_are_the_same_bytes_when_made_again(evaluation, pictures):
    again = draw_pictures(evaluation, volumes)
    assert build_html(evaluation, again) == build_html(evaluation, pictures)
    assert build_pdf(evaluation, again) == build_pdf(evaluation, pictures)


def test_what_waits_for_a_person_stands_on_page_and_pdf_and_is_escaped(evaluation, pictures):
    first, second, third = evaluation.time_points
    waiting = replace(evaluation, time_points=(first, replace(second, ambiguous=(ambiguous_measurement(),)), third))
    page = build_html(waiting, pictures)
    assert "Two lesions are &lt;equally&gt; near." in page
    text = "".join(p.extract_text() for p in pypdf.PdfReader(io.BytesIO(build_pdf(waiting, pictures))).pages)
    assert "Two lesions are <equally> near." in text
    assert evaluation_document(waiting)["waiting"][0]["reason"] == "Two lesions are <equally> near."


def test_pdf_holds_the_table_and_the_reasons(evaluation, pictures):
    reader = pypdf.PdfReader(io.BytesIO(build_pdf(evaluation, pictures)))
    text = " ".join("".join(page.extract_text() for page in reader.pages).split())
    assert f"{evaluation.time_points[1].assessments[0].target_sum:.1f} mm" in text
    assert all(reason in text for p in evaluation.time_points for a in p.assessments for reason in a.reasons)
    assert "not a medical device" in text


def test_a_report_without_time_points_is_refused(evaluation, pictures):
    empty = replace(evaluation, time_points=())
    for build in (build_html, build_pdf):
        with pytest.raises(InvalidInput, match="at least one time point"):
            build(empty, pictures)


def test_tables_give_unrounded_numbers_back(evaluation):
    rows = list(csv.DictReader(io.StringIO(records_csv(response_records(evaluation)))))
    assert [row["recist_sum_mm"] for row in rows] == [str(p.assessments[0].target_sum) for p in evaluation.time_points]
    assert rows[0]["recist_change_from_baseline_percent"] == ""
    lesions = list(csv.DictReader(io.StringIO(records_csv(lesion_records(evaluation)))))
    axis = evaluation.time_points[0].lesions[0].measurement.long_axis
    assert float(lesions[0]["reader_long_axis_mm"]) == float(axis.size_mm)
    assert json.loads(evaluation_json(evaluation)) == evaluation_document(evaluation)
    assert "TR-PHANTOM-1" not in evaluation_json(evaluation)


def test_findings_are_listed_once_a_lesion_and_time_point(evaluation):
    found = all_findings(evaluation)
    assert [(item.time_point.order, item.lesion_id) for item in found] == [(1, "T02"), (2, "T02"), (3, "T02")]


@pytest.mark.parametrize(
    ("mm3", "words"),
    [(None, "–"), (0, "0.00 ml"), (9_994, "9.99 ml"), (19_140.2, "19.14 ml"), (Decimal("1234567.8"), "1234.57 ml")],
)
def test_volumes_in_words(mm3, words):
    assert millilitres(mm3) == words


def test_changes_carry_a_true_minus_sign():
    assert percent(-34.06) == "−34.1 %"
    assert percent(None) == "–"
