"""The report that people read, as one HTML file and as PDF, from the same rows and pictures."""

import base64
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from PIL import Image

from reports.curves import burden_figure, figure_png, figure_svg
from reports.overlay import Picture, lesion_picture
from reports.response_rows import MAY_CHANGE, amount, category_words, lesion_rows, percent, response_rows
from tumorresp.domain.ct_volume import CtVolume
from tumorresp.domain.errors import InvalidInput, TumorRespError
from tumorresp.domain.evaluation import AmbiguousMatch, SubjectEvaluation, TimePointEvaluation
from tumorresp.domain.evaluation_findings import all_findings
from tumorresp.domain.segmentation import SegmenterIdentity

_ENVIRONMENT = Environment(
    loader=PackageLoader("reports"),
    autoescape=select_autoescape(default=True),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)

PictureKey = tuple[str, str]
"""(time point ID, lesion ID)."""


@dataclass(frozen=True, eq=False)
class ReportPictures:
    """Everything drawn for one subject; lesions without axes at a time point have no picture."""

    lesions: Mapping[PictureKey, Picture]
    curve_svg: str
    curve_png: bytes


def draw_pictures(evaluation: SubjectEvaluation, volumes: Callable[[str], CtVolume]) -> ReportPictures:
    """Draw every lesion at every time point, with one field of view a lesion so that sizes can be compared.

    Parameters
    ----------
    volumes
        Gives the CT volume of a Series Instance UID.
    """
    pictures: dict[PictureKey, Picture] = {}
    edges: dict[str, float] = {}
    for lesion_id, rows in lesion_rows(evaluation):
        axes = [row.lesion.measurement.long_axis for row in rows]
        edges[lesion_id] = max(60.0, 2.4 * max((axis.length_mm for axis in axes if axis), default=0.0))
    for point in evaluation.time_points:
        for lesion in point.lesions:
            if lesion.measurement.long_axis is None:
                continue
            try:
                volume = volumes(lesion.measurement.series_instance_uid)
            except TumorRespError:
                continue  # its diameters stand in the report without a picture
            lesion_id = lesion.lesion.lesion_id
            picture = lesion_picture(volume, lesion, field_of_view_mm=edges[lesion_id])
            if picture is not None:
                pictures[point.time_point.time_point_id, lesion_id] = picture
    figure = burden_figure(response_rows(evaluation))
    return ReportPictures(pictures, figure_svg(figure), figure_png(figure))


def png_bytes(picture: Picture) -> bytes:
    """Return an RGB picture as PNG."""
    stream = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(picture)).save(stream, format="PNG", optimize=True)
    return stream.getvalue()


def build_html(evaluation: SubjectEvaluation, pictures: ReportPictures) -> str:
    """Return the report as one self-contained HTML page.

    Raises
    ------
    InvalidInput
        If the evaluation has no time point.
    """
    if not evaluation.time_points:
        raise InvalidInput("a report needs at least one time point", where=evaluation.subject_key)
    return _ENVIRONMENT.get_template("report.html.j2").render(
        evaluation=evaluation,
        patient_id=evaluation.patient_id or "not stated",
        reader=evaluation.reader,
        rows=response_rows(evaluation),
        lesions=lesion_rows(evaluation),
        pictures={key: base64.b64encode(png_bytes(picture)).decode() for key, picture in pictures.lesions.items()},
        curve=pictures.curve_svg,
        ambiguous=ambiguous_matches(evaluation),
        findings=[item for item in all_findings(evaluation) if not item.finding.decides],
        deciding=[item for item in all_findings(evaluation) if item.finding.decides],
        segmenters=segmenters_of(evaluation),
        rules=rules_of(evaluation),
        amount=amount,
        percent=percent,
        category=category_words,
        mark=MAY_CHANGE,
    )


def ambiguous_matches(evaluation: SubjectEvaluation) -> tuple[tuple[TimePointEvaluation, AmbiguousMatch], ...]:
    """Return what waits for a person's decision, with its time point."""
    return tuple((point, item) for point in evaluation.time_points for item in point.ambiguous)


def segmenters_of(evaluation: SubjectEvaluation) -> tuple[SegmenterIdentity, ...]:
    """Return the programs that made the masks, each once."""
    found = {
        item.mask.segmenter: None for point in evaluation.time_points for item in point.lesions if item.mask is not None
    }
    return tuple(found)


def rules_of(evaluation: SubjectEvaluation) -> tuple[tuple[str, tuple[tuple[str, str], ...]], ...]:
    """Return (criterion, parameters) of the assessments, each once."""
    found = {(a.criterion, a.parameters): None for point in evaluation.time_points for a in point.assessments}
    return tuple(found)
