"""Puts everything that comes out of an evaluation on disk: DICOM objects a time point, pages and tables a subject."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pydicom.dataset import Dataset

from reports.derived_object import ReportContext, encoded, write_file
from reports.document import ReportPictures, build_html, draw_pictures, png_bytes
from reports.measurement_report import KIND as REPORT_KIND
from reports.measurement_report import SegmentedSeries, build_measurement_report
from reports.overlay import key_slice_of, slice_picture
from reports.pdf import build_pdf
from reports.pictures_as_dicom import CAPTURE_KIND, PDF_KIND, build_encapsulated_pdf, build_overlay_capture
from reports.segmentation import KIND as SEGMENTATION_KIND
from reports.segmentation import build_segmentation, segmented_lesions
from reports.source_images import read_source_images, study_moment
from reports.tables import evaluation_json, lesion_records, records_csv, response_records
from tumorresp.domain.ct_volume import CtVolume
from tumorresp.domain.errors import InvalidInput
from tumorresp.domain.evaluation import SubjectEvaluation, TimePointEvaluation
from tumorresp.ports import ResultFile


@dataclass(frozen=True)
class OutputSwitches:
    """What kinds of objects are written.

    Parameters
    ----------
    segmentation
        ``binary`` or ``labelmap``.
    report
        ``comprehensive``, ``comprehensive-3d`` or ``enhanced``.
    secondary_capture, encapsulated_pdf
        Whether overlays and the PDF are written as DICOM, too.
    """

    segmentation: str = "binary"
    report: str = "comprehensive"
    secondary_capture: bool = False
    encapsulated_pdf: bool = False


class DicomResultWriter:
    """Writes results; the same inputs give the same files."""

    def __init__(self, switches: OutputSwitches | None = None) -> None:
        self._switches = switches or OutputSwitches()

    def write_time_point(
        self,
        evaluation: SubjectEvaluation,
        time_point: TimePointEvaluation,
        ct_paths: Mapping[str, Sequence[Path]],
        volumes: Callable[[str], CtVolume],
        input_digest: str,
        folder: Path,
    ) -> tuple[ResultFile, ...]:
        """Write the DICOM objects of a time point into a folder of its own.

        A time point whose measurements refer to no image at all (statements only) gets no objects.
        """
        held = self._series(time_point, ct_paths, volumes, input_digest)
        if not held:
            return ()
        context = ReportContext(input_digest, study_moment(held[0].images.values()))
        target = folder / time_point.time_point.name.lower().replace(" ", "-")
        written: list[ResultFile] = []

        def write(kind: str, name: str, dataset: Dataset) -> None:
            written.append(_write(kind, target / name, dataset, time_point))

        masked = [item for item in held if item.segmentation is not None]
        for number, item in enumerate(masked, start=1):
            assert item.segmentation is not None
            write(SEGMENTATION_KIND, "seg.dcm" if number == 1 else f"seg-{number}.dcm", item.segmentation)
        first = evaluation.time_points[0].time_point.date
        days = (time_point.time_point.date - first).days
        report = build_measurement_report(held, time_point, days, context, sop_class=self._switches.report)
        write(REPORT_KIND, "report.dcm", report)
        like = next(iter(held[0].images.values()))
        if self._switches.secondary_capture:
            for number, capture in enumerate(_captures(held, time_point, context), start=1):
                write(CAPTURE_KIND, f"overlay-{number}.dcm", capture)
        if self._switches.encapsulated_pdf:
            so_far = _up_to(evaluation, time_point)
            pdf = build_pdf(so_far, draw_pictures(so_far, volumes))
            write(PDF_KIND, "report-pdf.dcm", build_encapsulated_pdf(pdf, "Tumour response report", like, context))
        return tuple(written)

    def write_subject(
        self, evaluation: SubjectEvaluation, volumes: Callable[[str], CtVolume], folder: Path
    ) -> tuple[Path, ...]:
        """Write report.html, report.pdf, evaluation.json, responses.csv, lesions.csv and the pictures."""
        pictures = draw_pictures(evaluation, volumes)
        contents = {
            "report.html": build_html(evaluation, pictures).encode(),
            "report.pdf": build_pdf(evaluation, pictures),
            "evaluation.json": evaluation_json(evaluation).encode(),
            "responses.csv": records_csv(response_records(evaluation)).encode(),
            "lesions.csv": records_csv(lesion_records(evaluation)).encode(),
            **_picture_files(evaluation, pictures),
        }
        for name, content in contents.items():
            write_file(content, folder / name)
        return tuple(folder / name for name in contents)

    def _series(
        self,
        time_point: TimePointEvaluation,
        ct_paths: Mapping[str, Sequence[Path]],
        volumes: Callable[[str], CtVolume],
        input_digest: str,
    ) -> list[SegmentedSeries]:
        """Return every series that the time point's measurements lie on, with its SEG."""
        uids = dict.fromkeys(item.measurement.series_instance_uid for item in time_point.lesions)
        held = []
        for uid in uids:
            if uid not in ct_paths:
                continue
            volume, images = volumes(uid), read_source_images(ct_paths[uid], uid)
            context = ReportContext(input_digest, study_moment(images.values()))
            segmentation = None
            if segmented_lesions(time_point, volume):
                segmentation = build_segmentation(volume, images, time_point, context, kind=self._switches.segmentation)
            held.append(SegmentedSeries(volume, images, segmentation))
        return held


def _write(kind: str, path: Path, dataset: Dataset, time_point: TimePointEvaluation) -> ResultFile:
    content = encoded(dataset)
    write_file(content, path)
    return ResultFile(
        kind=kind,
        path=path,
        time_point_id=time_point.time_point.time_point_id,
        sha256=hashlib.sha256(content).hexdigest(),
        sop_instance_uid=str(dataset.SOPInstanceUID),
    )


def _captures(
    held: Sequence[SegmentedSeries], time_point: TimePointEvaluation, context: ReportContext
) -> list[Dataset]:
    """Return one overlay a slice that a lesion was measured on."""
    captures: list[Dataset] = []
    for item in held:
        lesions = [
            one for one in time_point.lesions if one.measurement.series_instance_uid == item.volume.series_instance_uid
        ]
        slices = [(key_slice_of(item.volume, lesion), lesion) for lesion in lesions]
        for index in sorted({number for number, _ in slices if number is not None}):
            here = [lesion for number, lesion in slices if number == index]
            picture = slice_picture(item.volume, index, here)
            words = ", ".join(lesion.lesion.lesion_id for lesion in here)
            like = next(iter(item.images.values()))
            captures.append(build_overlay_capture(picture, len(captures) + 1, words, like, context))
    return captures


def _up_to(evaluation: SubjectEvaluation, time_point: TimePointEvaluation) -> SubjectEvaluation:
    """Return the evaluation as it was at a time point: no result depends on a later one."""
    order = time_point.time_point.order
    points = tuple(point for point in evaluation.time_points if point.time_point.order <= order)
    if not points:
        raise InvalidInput("the time point is not of this evaluation.", where=time_point.time_point.time_point_id)
    return replace(evaluation, time_points=points)


def _picture_files(evaluation: SubjectEvaluation, pictures: ReportPictures) -> dict[str, bytes]:
    names = {point.time_point.time_point_id: point.time_point.name for point in evaluation.time_points}
    return {
        f"pictures/{lesion_id}-{names[point_id].lower().replace(' ', '-')}.png": png_bytes(picture)
        for (point_id, lesion_id), picture in pictures.lesions.items()
    }
