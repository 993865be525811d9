"""From a subject's files to readings: measurements placed in the patient, by reader and imaging date."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import dropwhile
from pathlib import Path

from tumorresp.domain.errors import InvalidMeasurement, MissingImages, TumorRespError
from tumorresp.domain.finding import Finding, Severity
from tumorresp.domain.geometry import ImagePlane
from tumorresp.domain.measurement import Measurement
from tumorresp.domain.placement import place
from tumorresp.domain.scan_times import ScanTimes
from tumorresp.domain.time_points import ScanDate, StudyVisit, scan_dates, visits_of_studies
from tumorresp.service.pipeline.documents import ReadDocument, counted_documents, read_documents, what_stands
from tumorresp.service.pipeline.inputs import DocumentRules, InputFile, WaitingItem, Workshops
from tumorresp.service.pipeline.left_out import NotPlaced, not_placed, with_left_out
from tumorresp.service.pipeline.patients import ANOTHER_PATIENT, PatientCheck
from tumorresp.service.pipeline.visits import PlacedMeasurement, Reading, by_study, readings_of


@dataclass(frozen=True)
class ReadingPlan:
    """What can be evaluated of a subject, what waits, what was refused and what was passed over.

    ``other_patient_ids``: those of documents that were linked although the images carry another one, with the file.
    """

    images: Mapping[str, tuple[InputFile, ...]]
    readings: tuple[Reading, ...]
    waiting: tuple[WaitingItem, ...]
    refused: tuple[tuple[InputFile, TumorRespError], ...]
    passed_over: tuple[WaitingItem, ...] = ()
    other_patient_ids: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def placed(self) -> Mapping[str, PlacedMeasurement]:
        """All placed measurements by measurement UID."""
        return {
            item.measurement.measurement_uid: item
            for reading in self.readings
            for visit in reading.visits
            for item in visit.items
        }


@dataclass(frozen=True, eq=False)
class _Placing:
    """What a document's measurements are placed by: planes by SOP UID, dates by study UID."""

    planes: Mapping[str, Sequence[ImagePlane]]
    dates: Mapping[str, ScanDate]
    check: PatientCheck
    rules: DocumentRules


def plan_readings(files: Sequence[InputFile], workshops: Workshops, rules: DocumentRules | None = None) -> ReadingPlan:
    """Read every document, place every measurement that counts, and sort them by reader and time point."""
    refused: list[tuple[InputFile, TumorRespError]] = []
    waiting: list[WaitingItem] = []
    missed: list[NotPlaced] = []
    read = read_documents((file for file in files if not file.is_image), workshops, refused)
    refused_documents = tuple(refused)
    here = {file.sop_instance_uid for file in files if file.is_image}
    rules = rules or DocumentRules()
    counted = counted_documents(read, here, rules)
    images = [file for file in files if file.is_image and file.sop_instance_uid not in counted.rejected]
    planes, series, times = _index_planes(images, workshops.read_planes, refused)
    dates = scan_dates(times)
    check = PatientCheck(images, workshops.read_patient, link_by_uid_alone=rules.link_by_uid_alone)
    placing = _Placing(planes, dates, check, rules)
    by_uid: dict[str, PlacedMeasurement] = {}
    documents: list[tuple[ReadDocument, tuple[Measurement, ...]]] = []
    for document in counted.documents:
        found = _place_document(document, placing, waiting, refused, missed)
        by_uid |= {item.measurement.measurement_uid: item for item in found}
        documents.append((document, tuple(item.measurement for item in found)))
    standing, replaced = what_stands(documents)
    placed = [replace(by_uid[item.measurement_uid], measurement=item) for item in standing]
    passed_over = (*counted.passed_over, *replaced)
    if not placed and not waiting and images and not refused:
        waiting.append(_nothing_measured(images, passed_over))
    visits = visits_of_studies(
        {uid: item.date for uid, item in dates.items() if item.date is not None},
        by_study(placed),
        _time_point_ids(times, documents, dates, rules.visit_window_days),
        rules.visit_window_days,
    )
    read_studies = {item.study_instance_uid for item in placed}
    visits = with_left_out(visits, passed_over, missed, refused_documents, images, read_studies)
    waiting += _not_read(visits, placed, images)
    looks = {plane.series_instance_uid: plane.look for frames in planes.values() for plane in frames}
    readings = readings_of([_with_remarks(item, dates) for item in placed], visits, looks)
    return ReadingPlan(series, readings, tuple(waiting), tuple(refused), passed_over, dict(check.other_ids))


def _time_point_ids(
    times: Mapping[str, ScanTimes],
    documents: Sequence[tuple[ReadDocument, Sequence[Measurement]]],
    dates: Mapping[str, ScanDate],
    window_days: int,
) -> dict[str, str]:
    """Return the trial's time point of each study: what its images say, else the one document that measures it.

    A document that measures studies farther apart than a visit can be is of none of their time points.
    """
    said: defaultdict[str, set[str]] = defaultdict(set)
    for document, placed in documents:
        studies = {item.study_instance_uid for item in placed}
        days = [date for uid in studies if uid in dates and (date := dates[uid].date) is not None]
        if days and (max(days) - min(days)).days <= window_days:
            for uid in studies:
                said[uid].add(document.facts.time_point_id)
    return {
        uid: item.time_point_id or (next(iter(said[uid])) if len(said[uid]) == 1 else "") for uid, item in times.items()
    }


def _with_remarks(item: PlacedMeasurement, dates: Mapping[str, ScanDate]) -> PlacedMeasurement:
    """Say at a measurement how the day of its scan was found, where that is no matter of course."""
    note = dates[item.study_instance_uid].note
    if not note:
        return item
    words = f"The day of the scan is {item.date}: {note}."
    finding = Finding("scan-date-made-up", Severity.WARNING, words, item.study_instance_uid, decides=True)
    return replace(item, measurement=replace(item.measurement, findings=(*item.measurement.findings, finding)))


def _not_read(
    visits: Sequence[StudyVisit], placed: Sequence[PlacedMeasurement], images: Sequence[InputFile]
) -> list[WaitingItem]:
    """Return the time points after the first reading that no measurement refers to."""
    read = {item.study_instance_uid for item in placed}
    series = {file.study_instance_uid: file.series_instance_uid for file in images}
    later = list(dropwhile(lambda visit: not read & set(visit.studies), visits))
    words = "CT of a later time point has arrived; no measurement refers to it yet."
    return [
        WaitingItem("not-read", words, series.get(visit.studies[0], visit.studies[0]))
        for visit in later
        if not read & set(visit.studies)
    ]


def _nothing_measured(images: Sequence[InputFile], passed_over: Sequence[WaitingItem]) -> WaitingItem:
    words = "CT has arrived; no measurement refers to it yet."
    if any(item.code == "device-observer" for item in passed_over):
        words = "CT has arrived; only a device has measured on it, and no setting names that device as a reader."
    return WaitingItem("no-measurements", words, images[0].series_instance_uid)


def _index_planes(
    images: Sequence[InputFile],
    read_planes: Callable[[Path], Sequence[ImagePlane]],
    refused: list[tuple[InputFile, TumorRespError]],
) -> tuple[dict[str, list[ImagePlane]], dict[str, tuple[InputFile, ...]], dict[str, ScanTimes]]:
    """Return planes by SOP UID, files by series UID and what the images say of their dates by study UID."""
    planes: dict[str, list[ImagePlane]] = {}
    series: defaultdict[str, list[InputFile]] = defaultdict(list)
    times: dict[str, ScanTimes] = {}
    for file in images:
        try:
            found = list(read_planes(file.path))
        except TumorRespError as error:
            refused.append((file, error))
            continue
        planes[file.sop_instance_uid] = found
        series[file.series_instance_uid].append(file)
        for plane in found:
            times[plane.study_instance_uid] = plane.times.earliest(times.get(plane.study_instance_uid, ScanTimes()))
    return planes, {uid: tuple(files) for uid, files in series.items()}, times


def _place_document(
    document: ReadDocument,
    placing: _Placing,
    waiting: list[WaitingItem],
    refused: list[tuple[InputFile, TumorRespError]],
    missed: list[NotPlaced],
) -> list[PlacedMeasurement]:
    """Place one document's measurements; each that fails is noted and harms none of the others."""
    file = document.file
    placed: list[PlacedMeasurement] = []
    without_image: list[Measurement] = []
    for item in document.marked:
        try:
            measurement = place(item, placing.planes, precision_mm=placing.rules.measurement_precision_mm)
        except MissingImages as error:
            waiting.append(WaitingItem("images-missing", str(error), file.name))
            missed.append(not_placed(item, document, str(error), waits=True))
            continue
        except TumorRespError as error:
            refused.append((file, error))
            missed.append(not_placed(item, document, str(error), waits=False))
            continue
        if placing.check.is_of_another(item, measurement, document.facts, file.name):
            waiting.append(WaitingItem("patient-differs", ANOTHER_PATIENT, file.name))
            continue
        scanned = placing.dates.get(measurement.study_instance_uid, ScanDate(None))
        if scanned.date is not None:
            placed.append(PlacedMeasurement(measurement, file, scanned.date, measurement.study_instance_uid))
        elif measurement.long_axis is None:
            without_image.append(measurement)
        elif scanned.doubt:
            words = f"The time point of a measurement is not known: of its study it is said that {scanned.doubt}."
            waiting.append(WaitingItem("time-point-unknown", words, file.name))
            missed.append(not_placed(item, document, words, waits=True))
        else:
            words = "the referenced images state no date (Study, Series or Acquisition Date): unknown time point."
            refused.append((file, InvalidMeasurement(words, where=file.name)))
            missed.append(not_placed(item, document, words, waits=False))
    if without_image:
        placed += _date_statements(file, without_image, placed, waiting, placing.rules.visit_window_days)
    return placed


def _date_statements(
    file: InputFile,
    statements: Sequence[Measurement],
    placed: Sequence[PlacedMeasurement],
    waiting: list[WaitingItem],
    window_days: int,
) -> list[PlacedMeasurement]:
    """Give statements without an image (absent, not evaluable) the study of their document's measurements.

    Where these are of several studies, the statements go with the first of them: all must be of one time point.
    """
    studies = sorted({(item.date, item.study_instance_uid) for item in placed})
    if studies and (studies[-1][0] - studies[0][0]).days <= window_days:
        date, study = studies[0]
        return [PlacedMeasurement(statement, file, date, study) for statement in statements]
    waiting.append(
        WaitingItem(
            "time-point-unknown",
            f"{len(statements)} statement(s) without an image name no study, so their time point is unknown.",
            file.name,
        )
    )
    return []
