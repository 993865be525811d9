"""Puts everything that comes out of an evaluation on disk: DICOM objects a time point, pages and tables a subject."""

import hashlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pydicom
import structlog
from pydicom.dataset import Dataset

from reports.derived_object import ReportContext, encoded, write_file
from reports.document import ReportPictures, build_html, draw_pictures, png_bytes
from reports.encapsulated_pdf import KIND as PDF_KIND
from reports.encapsulated_pdf import build_encapsulated_pdf
from reports.lesion_groups import SegmentedSeries
from reports.measurement_report import KIND as REPORT_KIND
from reports.measurement_report import build_measurement_report
from reports.overlay import key_slice_of, slice_picture
from reports.pdf import build_pdf
from reports.secondary_capture import KIND as CAPTURE_KIND
from reports.secondary_capture import build_secondary_capture
from reports.segmentation import KIND as SEGMENTATION_KIND
from reports.segmentation import build_segmentation, segmented_lesions
from reports.source_images import image_of_study, read_source_images, study_moment
from reports.tables import (
    FINDING_COLUMNS,
    evaluation_json,
    finding_records,
    lesion_records,
    records_csv,
    response_records,
)
from tumorresp.domain.ct_volume import CtVolume
from tumorresp.domain.errors import InvalidInput, TumorRespError
from tumorresp.domain.evaluation import SubjectEvaluation, TimePointEvaluation
from tumorresp.domain.evaluation_findings import deciding_findings
from tumorresp.ports import ResultFile

_log = structlog.get_logger()


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
        former_reports: Sequence[ResultFile] = (),
    ) -> tuple[ResultFile, ...]:
        """Write the DICOM objects of a time point into a folder of its own, ``baseline``, ``follow-up-1`` ...

        Files of an earlier run that are not made any more are removed. A time point of which no image is here has no
        objects: they must name the patient and study as the images do.
        """
        series = _series_of(time_point, ct_paths, volumes)
        if series:
            study_image: Dataset | None = next(iter(series[0][1].values()))
        else:
            study_image = image_of_study((ct_paths[uid] for uid in sorted(ct_paths)), time_point.study_instance_uid)
        target = folder / folder_name(time_point)
        if study_image is None:
            _log.warning("no image of the study, so no DICOM results", study=time_point.study_instance_uid)
            _remove_others(target, ())
            return ()
        context = ReportContext(input_digest, study_moment([study_image]), evaluation.reader)
        predecessor = predecessor_of(former_reports, context.instance_uid(REPORT_KIND))
        held = [
            SegmentedSeries(volume, images, self._segmentation(volume, images, time_point, context))
            for volume, images in series
        ]
        written = [
            _write(kind, target / name, dataset, time_point)
            for kind, name, dataset in self._objects(
                evaluation, time_point, held, study_image, volumes, context, predecessor
            )
        ]
        _remove_others(target, [file.path for file in written])
        return tuple(written)

    def _segmentation(
        self, volume: CtVolume, images: Mapping[str, Dataset], time_point: TimePointEvaluation, context: ReportContext
    ) -> Dataset | None:
        if not segmented_lesions(time_point, volume):
            return None
        return build_segmentation(volume, images, time_point, context, kind=self._switches.segmentation)

    def _objects(
        self,
        evaluation: SubjectEvaluation,
        time_point: TimePointEvaluation,
        held: Sequence[SegmentedSeries],
        study_image: Dataset,
        volumes: Callable[[str], CtVolume],
        context: ReportContext,
        predecessor: Dataset | None,
    ) -> Iterator[tuple[str, str, Dataset]]:
        """Yield (kind, file name, object)."""
        segmentations = [item.segmentation for item in held if item.segmentation is not None]
        for number, segmentation in enumerate(segmentations, start=1):
            yield SEGMENTATION_KIND, "seg.dcm" if number == 1 else f"seg-{number}.dcm", segmentation
        so_far = _up_to(evaluation, time_point)
        days = (time_point.time_point.date - so_far.time_points[0].time_point.date).days
        report = build_measurement_report(
            held,
            study_image,
            time_point,
            days,
            context,
            sop_class=self._switches.report,
            deciding=deciding_findings(so_far),
            predecessor=predecessor,
        )
        yield REPORT_KIND, "report.dcm", report
        if self._switches.secondary_capture:
            for number, capture in enumerate(_captures(held, time_point, context), start=1):
                yield CAPTURE_KIND, f"overlay-{number}.dcm", capture
        if self._switches.encapsulated_pdf:
            pdf = build_pdf(so_far, draw_pictures(so_far, volumes))
            document = build_encapsulated_pdf(pdf, "Tumour response report", study_image, context)
            yield PDF_KIND, "report-pdf.dcm", document

    def write_subject(
        self, evaluation: SubjectEvaluation, volumes: Callable[[str], CtVolume], folder: Path
    ) -> tuple[Path, ...]:
        """Write report.html, report.pdf, evaluation.json, responses.csv, lesions.csv, findings.csv and pictures."""
        pictures = draw_pictures(evaluation, volumes)
        contents = {
            "report.html": build_html(evaluation, pictures).encode(),
            "report.pdf": build_pdf(evaluation, pictures),
            "evaluation.json": evaluation_json(evaluation).encode(),
            "responses.csv": records_csv(response_records(evaluation)).encode(),
            "lesions.csv": records_csv(lesion_records(evaluation)).encode(),
            "findings.csv": records_csv(finding_records(evaluation), FINDING_COLUMNS).encode(),
            **_picture_files(evaluation, pictures),
        }
        for name, content in contents.items():
            write_file(content, folder / name)
        return tuple(folder / name for name in contents)


def predecessor_of(former_reports: Sequence[ResultFile], own_uid: str) -> Dataset | None:
    """Return the report that was made last before this one was made first; a rerun finds the same."""
    uids = [item.sop_instance_uid for item in former_reports]
    before = former_reports[: uids.index(own_uid)] if own_uid in uids else former_reports
    here = [item for item in before if item.path.is_file()]
    return pydicom.dcmread(here[-1].path) if here else None


def folder_name(time_point: TimePointEvaluation) -> str:
    """Return the time point's name as files carry it: ``baseline``, ``follow-up-1`` ..."""
    return time_point.time_point.name.lower().replace(" ", "-")


def _series_of(
    time_point: TimePointEvaluation,
    ct_paths: Mapping[str, Sequence[Path]],
    volumes: Callable[[str], CtVolume],
) -> list[tuple[CtVolume, dict[str, Dataset]]]:
    """Return every CT series that the time point's measurements lie on and that forms a volume, with its instances."""
    uids = dict.fromkeys(item.measurement.series_instance_uid for item in time_point.lesions)
    series = []
    for uid in uids:
        if uid not in ct_paths:
            continue
        try:
            volume = volumes(uid)
        except TumorRespError as error:
            _log.warning("a series forms no volume", series=uid, reason=error.code)
            continue
        series.append((volume, read_source_images(ct_paths[uid], uid)))
    return series


def _remove_others(folder: Path, kept: Collection[Path]) -> None:
    """Remove what an earlier run wrote under a name that this run does not use."""
    for path in folder.glob("*.dcm"):
        if path not in kept:
            path.unlink()


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
        uid = item.volume.series_instance_uid
        lesions = [one for one in time_point.lesions if one.measurement.series_instance_uid == uid]
        slices = [(key_slice_of(item.volume, lesion), lesion) for lesion in lesions]
        for index in sorted({number for number, _ in slices if number is not None}):
            source = item.images.get(item.volume.planes[index].sop_instance_uid)
            if source is None:  # an interpolated slice is no picture of the patient
                continue
            here = [lesion for number, lesion in slices if number == index]
            words = ", ".join(lesion.lesion.lesion_id for lesion in here)
            picture = slice_picture(item.volume, index, here)
            captures.append(
                build_secondary_capture(picture, len(captures) + 1, words, item.volume.geometry, source, context)
            )
    return captures


def _up_to(evaluation: SubjectEvaluation, time_point: TimePointEvaluation) -> SubjectEvaluation:
    """Return the evaluation as it was at a time point: no result depends on a later one."""
    order = time_point.time_point.order
    points = tuple(point for point in evaluation.time_points if point.time_point.order <= order)
    if not points:
        raise InvalidInput("the time point is not of this evaluation.", where=time_point.time_point.time_point_id)
    return replace(evaluation, time_points=points)


def _picture_files(evaluation: SubjectEvaluation, pictures: ReportPictures) -> dict[str, bytes]:
    names = {point.time_point.time_point_id: folder_name(point) for point in evaluation.time_points}
    return {
        f"pictures/{lesion_id}-{names[point_id]}.png": png_bytes(picture)
        for (point_id, lesion_id), picture in pictures.lesions.items()
    }
