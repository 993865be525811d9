"""The PDF form of the report: the same rows, pictures and reasons as the HTML page, on A4."""

import io
import re
from xml.sax.saxutils import escape

import matplotlib
from reportlab.lib import colors
from reportlab.lib.enums import TA_CENTER
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.pdfmetrics import registerFont, registerFontFamily
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, Image, KeepTogether, Paragraph, SimpleDocTemplate, Table, TableStyle

from reports.document import ReportPictures, ambiguous_matches, png_bytes, rules_of, segmenters_of
from reports.response_rows import (
    MAY_CHANGE,
    MISSING,
    LesionRow,
    ResponseRow,
    amount,
    category_words,
    lesion_rows,
    percent,
    response_rows,
)
from tumorresp.domain.assessment import Assessment, Category
from tumorresp.domain.errors import InvalidInput
from tumorresp.domain.evaluation import SubjectEvaluation
from tumorresp.domain.evaluation_findings import all_findings

_WIDTH = A4[0] - 36 * mm
_PICTURE = 42 * mm
_CHIP = {"CR": "#bfe6c8", "PR": "#d5efc4", "SD": "#fdeebd", "PD": "#f7c6c2", "NE": "#d9dce1"}
_INK, _SOFT, _LINE = colors.HexColor("#1b1f24"), colors.HexColor("#5b636e"), colors.HexColor("#dfe3e8")


_BLANK = TableStyle(
    [("BACKGROUND", (0, 0), (-1, -1), colors.HexColor("#eef0f3")), ("VALIGN", (0, 0), (-1, -1), "MIDDLE")]
)


# Letters that DejaVu Sans lacks, and the fonts that PDF viewers have for them (PDF 32000-1, 9.7.5.2).
_EAST_ASIAN = {"japanese": "HeiseiKakuGo-W5", "korean": "HYGothic-Medium", "chinese": "STSong-Light"}
_EAST_ASIAN_RUN = re.compile(r"[\u1100-\u11ff\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef]+")
_KANA, _HANGUL = re.compile(r"[\u3040-\u30ff]"), re.compile(r"[\u1100-\u11ff\uac00-\ud7af]")


def _register_fonts() -> None:
    """Use DejaVu Sans, which comes with matplotlib: the PDF's built-in fonts lack minus signs and names' letters."""
    folder = f"{matplotlib.get_data_path()}/fonts/ttf"
    registerFont(TTFont("Report", f"{folder}/DejaVuSans.ttf"))
    registerFont(TTFont("Report-Bold", f"{folder}/DejaVuSans-Bold.ttf"))
    for name in _EAST_ASIAN.values():
        registerFont(UnicodeCIDFont(name))
    registerFontFamily("Report", normal="Report", bold="Report-Bold", italic="Report", boldItalic="Report-Bold")


_TEXT = ParagraphStyle("text", fontName="Report", fontSize=8, leading=11, textColor=_INK)
_NOTE = ParagraphStyle("note", parent=_TEXT, fontSize=7, leading=9.5, textColor=_SOFT)
_HEAD = ParagraphStyle("head", parent=_NOTE, fontName="Report-Bold")
_CENTRE = ParagraphStyle("centre", parent=_TEXT, alignment=TA_CENTER, fontName="Report-Bold")
_TITLE = ParagraphStyle("title", parent=_TEXT, fontName="Report-Bold", fontSize=16, leading=20)
_H2 = ParagraphStyle("h2", parent=_TEXT, fontName="Report-Bold", fontSize=11, leading=15, spaceBefore=12, spaceAfter=4)
_H2.keepWithNext = 1
_H3 = ParagraphStyle("h3", parent=_TEXT, fontName="Report-Bold", fontSize=8.5, leading=12, spaceBefore=6, spaceAfter=2)
_H3.keepWithNext = 1


def build_pdf(evaluation: SubjectEvaluation, pictures: ReportPictures) -> bytes:
    """Return the report as PDF, the same bytes for the same evaluation.

    Raises
    ------
    InvalidInput
        If the evaluation has no time point.
    """
    if not evaluation.time_points:
        raise InvalidInput("a report needs at least one time point", where=evaluation.subject_key)
    _register_fonts()
    stream = io.BytesIO()
    document = SimpleDocTemplate(
        stream,
        pagesize=A4,
        leftMargin=18 * mm,
        rightMargin=18 * mm,
        topMargin=16 * mm,
        bottomMargin=16 * mm,
        title="Tumour response report",
        author="tumorresp",
        invariant=1,
    )
    rows = response_rows(evaluation)
    story: list[Flowable] = [*_heading(evaluation, rows), *_waiting(evaluation), *_deciding(evaluation)]
    story += _response_table(rows)
    if len(rows) > 1:
        story += [Paragraph("Course", _H2), Image(io.BytesIO(pictures.curve_png), _WIDTH, _WIDTH * 3.1 / 8.4)]
    story += [*_lesions(evaluation, pictures), *_reasons(rows), *_findings(evaluation), *_provenance(evaluation)]
    document.build(story, onFirstPage=_footer, onLaterPages=_footer)
    return stream.getvalue()


def _footer(canvas: Canvas, document: SimpleDocTemplate) -> None:
    canvas.setFont("Report", 7)
    canvas.setFillColor(_SOFT)
    canvas.drawString(18 * mm, 9 * mm, "tumorresp · for research and review by a physician; not a medical device")
    canvas.drawRightString(A4[0] - 18 * mm, 9 * mm, f"page {document.page}")


def _paragraph(text: object, style: ParagraphStyle = _TEXT) -> Paragraph:
    return Paragraph(markup(str(text)), style)


def markup(text: str) -> str:
    """Return text as markup in which East Asian letters have a font that holds them."""
    script = "japanese" if _KANA.search(text) else "korean" if _HANGUL.search(text) else "chinese"
    return _EAST_ASIAN_RUN.sub(lambda run: f'<font name="{_EAST_ASIAN[script]}">{run.group()}</font>', escape(text))


def _heading(evaluation: SubjectEvaluation, rows: tuple[ResponseRow, ...]) -> list[Flowable]:
    first, last = rows[0].time_point.time_point.date, rows[-1].time_point.time_point.date
    patient = evaluation.patient_id or "not stated"
    reading = f" · reading of {evaluation.reader}" if evaluation.reader else ""
    return [
        Paragraph("Tumour response report", _TITLE),
        _paragraph(f"Patient ID {patient}{reading} · {len(rows)} time point(s), {first} to {last}", _NOTE),
    ]


def _waiting(evaluation: SubjectEvaluation) -> list[Flowable]:
    waiting = ambiguous_matches(evaluation)
    if not waiting:
        return []
    lines = [
        _paragraph(f"{point.time_point.name}, “{item.measurement.label or 'no label'}”: {item.reason}")
        for point, item in waiting
    ]
    return [Paragraph("Waiting for a person", _H2), *lines, _paragraph("In no sum until decided.", _NOTE)]


def _deciding(evaluation: SubjectEvaluation) -> list[Flowable]:
    found = [item for item in all_findings(evaluation) if item.finding.decides]
    if not found:
        return []
    words = f"Responses at these time points and later ones are marked with {MAY_CHANGE}."
    return [
        Paragraph("May change a response", _H2),
        *(_paragraph(item.sentence) for item in found),
        _paragraph(words, _NOTE),
    ]


def _response_table(rows: tuple[ResponseRow, ...]) -> list[Flowable]:
    header = [
        "Time point",
        "Sum",
        "vs base",
        "vs nadir",
        "T / NT / new",
        "RECIST",
        "Volume",
        "vs base",
        "vs nadir",
        "Vol.",
    ]
    cells: list[list[Flowable]] = [[Paragraph(text, _HEAD) for text in header]]
    style = [
        ("LINEBELOW", (0, 0), (-1, -1), 0.5, _LINE),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LEFTPADDING", (0, 0), (-1, -1), 3),
        ("RIGHTPADDING", (0, 0), (-1, -1), 3),
    ]
    for number, row in enumerate(rows, start=1):
        point = row.time_point.time_point
        cells.append(
            [
                Paragraph(f"{point.name}<br/>{point.dates}", _TEXT),
                *_sums(row.recist),
                _paragraph(_parts(row.recist)),
                _paragraph(_category(row, row.recist), _CENTRE),
                *_sums(row.volumetric),
                _paragraph(_category(row, row.volumetric), _CENTRE),
            ]
        )
        for column, assessment in ((5, row.recist), (9, row.volumetric)):
            if assessment is not None:
                chip = colors.HexColor(_CHIP.get(assessment.overall, "#e7eaee"))
                style.append(("BACKGROUND", (column, number), (column, number), chip))
    widths = [24, 19, 18, 18, 31, 15, 18, 18, 18, 13]
    unit = _WIDTH / sum(widths)
    table = Table(cells, colWidths=[unit * width for width in widths], repeatRows=1, style=TableStyle(style))
    return [Paragraph("Response at each time point", _H2), table]


def _category(row: ResponseRow, assessment: Assessment | None) -> str:
    return MISSING if assessment is None else category_words(assessment.overall) + row.mark(assessment.criterion)


def _parts(assessment: Assessment | None) -> str:
    """Return target / non-target / new lesions in one cell."""
    if assessment is None or assessment.overall is Category.BASELINE:
        return MISSING
    parts = category_words(assessment.target), category_words(assessment.non_target), str(assessment.new_lesions)
    return " / ".join(parts)


def _sums(assessment: Assessment | None) -> list[Flowable]:
    if assessment is None:
        return [_paragraph(MISSING)] * 3
    return [
        _paragraph(amount(assessment.target_sum, assessment.unit)),
        _paragraph(percent(assessment.change_from_baseline_percent)),
        _paragraph(percent(assessment.change_from_nadir_percent)),
    ]


def _lesions(evaluation: SubjectEvaluation, pictures: ReportPictures) -> list[Flowable]:
    story: list[Flowable] = [
        Paragraph("Lesions", _H2),
        _paragraph("Blue: long axis, pink: short axis (reader). Orange: outline of the mask.", _NOTE),
    ]
    for lesion_id, rows in lesion_rows(evaluation):
        lesion = rows[0].lesion.lesion
        kind = f"{lesion.role}{', lymph node' if lesion.nodal else ''}"
        named = f" · {lesion.label}" if lesion.label not in ("", lesion_id) else ""
        title = _paragraph(f"{lesion_id} · {lesion.organ or 'site not stated'}{named} ({kind})", _H3)
        cells = [_lesion_cell(lesion_id, row, pictures) for row in rows]
        per_line = max(1, int(_WIDTH // (_PICTURE + 2 * mm)))
        lines = [cells[start : start + per_line] for start in range(0, len(cells), per_line)]
        for number, line in enumerate(lines):
            table = Table([line], colWidths=[_PICTURE + 2 * mm] * len(line), hAlign="LEFT")
            table.setStyle(TableStyle([("VALIGN", (0, 0), (-1, -1), "TOP"), ("LEFTPADDING", (0, 0), (-1, -1), 0)]))
            story.append(KeepTogether([title, table]) if number == 0 else table)
    return story


def _lesion_cell(lesion_id: str, row: LesionRow, pictures: ReportPictures) -> list[Flowable]:
    point = row.time_point.time_point
    picture = pictures.lesions.get((point.time_point_id, lesion_id))
    shown: Flowable = Table([[_paragraph(row.size, _NOTE)]], _PICTURE, _PICTURE, style=_BLANK)
    if picture is not None:
        shown = Image(io.BytesIO(png_bytes(picture)), _PICTURE, _PICTURE)
    words = f"<b>{point.name}</b>: {escape(row.size)}<br/>mask {escape(row.mask_size)}, {escape(row.volume)}"
    return [shown, Paragraph(words, _NOTE)]


def _reasons(rows: tuple[ResponseRow, ...]) -> list[Flowable]:
    story: list[Flowable] = [Paragraph("Reasons", _H2)]
    for row in rows:
        story.append(_paragraph(f"{row.time_point.time_point.name}, {row.time_point.time_point.dates}", _H3))
        for name, assessment in (("RECIST 1.1", row.recist), ("Volumetric", row.volumetric)):
            if assessment is not None:
                text = "<br/>".join(markup(reason) for reason in assessment.reasons)
                story.append(Paragraph(f"<b>{name}:</b> {text}", _TEXT))
    return story


def _findings(evaluation: SubjectEvaluation) -> list[Flowable]:
    findings = [item for item in all_findings(evaluation) if not item.finding.decides]
    if not findings:
        return []
    lines = [
        _paragraph(
            f"{item.time_point.name}{', ' + item.lesion_id if item.lesion_id else ''} "
            f"({item.finding.severity}): {item.finding.message}"
        )
        for item in findings
    ]
    return [Paragraph("What to check", _H2), *lines]


def _provenance(evaluation: SubjectEvaluation) -> list[Flowable]:
    masks = [
        f"Masks: {s.name} {s.version}" + (f", weights SHA-256 {s.weights_sha256}" if s.weights_sha256 else "")
        for s in segmenters_of(evaluation)
    ]
    rules = [f"{name}: " + ", ".join(f"{k} {v}" for k, v in parameters) for name, parameters in rules_of(evaluation)]
    text = ". ".join([f"tumorresp {evaluation.software_version}", *masks, *rules])
    return [Paragraph("How this was made", _H2), _paragraph(text, _NOTE)]
