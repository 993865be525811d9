"""From a subject's files to readings: measurements placed in the patient, by reader and imaging date."""

import datetime
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property
from pathlib import Path

from tumorresp.domain.errors import InvalidMeasurement, MissingImages, TumorRespError
from tumorresp.domain.finding import Finding, Severity
from tumorresp.domain.geometry import ImagePlane
from tumorresp.domain.measurement import Measurement
from tumorresp.domain.placement import place
from tumorresp.service.pipeline.documents import ReadDocument, counted_documents, read_documents, what_stands
from tumorresp.service.pipeline.inputs import DocumentRules, InputFile, WaitingItem, Workshops


@dataclass(frozen=True)
class PlacedMeasurement:
    """A measurement with the file it came from and the imaging date that it belongs to."""

    measurement: Measurement
    source: InputFile
    date: datetime.date


@dataclass(frozen=True)
class Reading:
    """All measurements of one reader (or of readers who took turns) of a subject, dates ascending.

    ``reader`` is empty when there is only one reading of the subject.
    """

    reader: str
    by_date: tuple[tuple[datetime.date, tuple[PlacedMeasurement, ...]], ...]


@dataclass(frozen=True)
class ReadingPlan:
    """What can be evaluated of a subject, what waits, and what was refused."""

    images: Mapping[str, tuple[InputFile, ...]]
    readings: tuple[Reading, ...]
    waiting: tuple[WaitingItem, ...]
    refused: tuple[tuple[InputFile, TumorRespError], ...]
    passed_over: tuple[WaitingItem, ...] = ()

    @cached_property
    def placed(self) -> Mapping[str, PlacedMeasurement]:
        """All placed measurements by measurement UID."""
        return {
            item.measurement.measurement_uid: item
            for reading in self.readings
            for _, items in reading.by_date
            for item in items
        }


def plan_readings(files: Sequence[InputFile], workshops: Workshops, rules: DocumentRules | None = None) -> ReadingPlan:
    """Read every document, place every measurement that counts, and sort them by reader and date."""
    refused: list[tuple[InputFile, TumorRespError]] = []
    waiting: list[WaitingItem] = []
    read = read_documents((file for file in files if not file.is_image), workshops, refused)
    here = {file.sop_instance_uid for file in files if file.is_image}
    rules = rules or DocumentRules()
    counted = counted_documents(read, here, rules)
    images = [file for file in files if file.is_image and file.sop_instance_uid not in counted.rejected]
    planes, series, dates = _index_planes(images, workshops.read_planes, refused)
    by_uid: dict[str, PlacedMeasurement] = {}
    documents: list[tuple[ReadDocument, tuple[Measurement, ...]]] = []
    for document in counted.documents:
        found = _place_document(document, planes, dates, rules.measurement_precision_mm, waiting, refused)
        by_uid |= {item.measurement.measurement_uid: item for item in found}
        documents.append((document, tuple(item.measurement for item in found)))
    standing, replaced = what_stands(documents)
    placed = [replace(by_uid[item.measurement_uid], measurement=item) for item in standing]
    passed_over = (*counted.passed_over, *replaced)
    if not placed and not waiting and images and not refused:
        waiting.append(_nothing_measured(images, passed_over))
    return ReadingPlan(series, _split_readers(placed), tuple(waiting), tuple(refused), passed_over)


def _nothing_measured(images: Sequence[InputFile], passed_over: Sequence[WaitingItem]) -> WaitingItem:
    words = "CT has arrived; no measurement refers to it yet."
    if any(item.code == "device-observer" for item in passed_over):
        words = "CT has arrived; only a device has measured on it, and no setting names that device as a reader."
    return WaitingItem("no-measurements", words, images[0].series_instance_uid)


def _index_planes(
    images: Sequence[InputFile],
    read_planes: Callable[[Path], Sequence[ImagePlane]],
    refused: list[tuple[InputFile, TumorRespError]],
) -> tuple[dict[str, list[ImagePlane]], dict[str, tuple[InputFile, ...]], dict[str, datetime.date]]:
    """Return planes by SOP UID, files by series UID and dates by study UID."""
    planes: dict[str, list[ImagePlane]] = {}
    series: defaultdict[str, list[InputFile]] = defaultdict(list)
    dates: dict[str, datetime.date] = {}
    for file in images:
        try:
            found = list(read_planes(file.path))
        except TumorRespError as error:
            refused.append((file, error))
            continue
        planes[file.sop_instance_uid] = found
        series[file.series_instance_uid].append(file)
        for plane in found:
            if plane.acquired_on is not None:
                earliest = dates.get(plane.study_instance_uid)
                dates[plane.study_instance_uid] = min(earliest or plane.acquired_on, plane.acquired_on)
    return planes, {uid: tuple(files) for uid, files in series.items()}, dates


def _place_document(
    document: ReadDocument,
    planes: Mapping[str, Sequence[ImagePlane]],
    dates: Mapping[str, datetime.date],
    precision_mm: Decimal,
    waiting: list[WaitingItem],
    refused: list[tuple[InputFile, TumorRespError]],
) -> list[PlacedMeasurement]:
    """Place one document's measurements; each that fails is noted and harms none of the others."""
    file = document.file
    placed: list[PlacedMeasurement] = []
    without_image: list[Measurement] = []
    for item in document.marked:
        try:
            measurement = place(item, planes, precision_mm=precision_mm)
        except MissingImages as error:
            waiting.append(WaitingItem("images-missing", str(error), file.name))
            continue
        except TumorRespError as error:
            refused.append((file, error))
            continue
        date = dates.get(measurement.study_instance_uid)
        if date is not None:
            placed.append(PlacedMeasurement(measurement, file, date))
        elif measurement.long_axis is None:
            without_image.append(measurement)
        else:
            refused.append(
                (
                    file,
                    InvalidMeasurement(
                        "the referenced images state no date (Study, Series or Acquisition Date): unknown time point.",
                        where=file.name,
                    ),
                )
            )
    if without_image:
        placed += _date_statements(file, without_image, placed, waiting)
    return placed


def _date_statements(
    file: InputFile,
    statements: Sequence[Measurement],
    placed: Sequence[PlacedMeasurement],
    waiting: list[WaitingItem],
) -> list[PlacedMeasurement]:
    """Give statements without an image (absent, not evaluable) the date of their document's measurements."""
    document_dates = {item.date for item in placed}
    if len(document_dates) == 1:
        date = document_dates.pop()
        return [PlacedMeasurement(statement, file, date) for statement in statements]
    waiting.append(
        WaitingItem(
            "time-point-unknown",
            f"{len(statements)} statement(s) without an image name no study, so their time point is unknown.",
            file.name,
        )
    )
    return []


def _split_readers(placed: Sequence[PlacedMeasurement]) -> tuple[Reading, ...]:
    """Split by reader where two readers measured at one date; readers who took turns make one reading."""
    readers_at: defaultdict[datetime.date, set[str]] = defaultdict(set)
    for item in placed:
        readers_at[item.date].add(item.measurement.reader)
    if not placed:
        return ()
    if all(len(readers) == 1 for readers in readers_at.values()):
        names = {item.measurement.reader for item in placed}
        items = [_flag_turns(item, len(names)) for item in placed]
        return (Reading("", _by_date(items)),)
    names = {item.measurement.reader for item in placed}
    return tuple(
        Reading(name or "unnamed reader", _by_date([i for i in placed if i.measurement.reader == name]))
        for name in sorted(names)
    )


def _flag_turns(item: PlacedMeasurement, reader_count: int) -> PlacedMeasurement:
    if reader_count == 1:
        return item
    finding = Finding(
        "readers-differ", Severity.WARNING, "The subject's time points were measured by different readers."
    )
    return replace(item, measurement=replace(item.measurement, findings=(*item.measurement.findings, finding)))


def _by_date(
    items: Sequence[PlacedMeasurement],
) -> tuple[tuple[datetime.date, tuple[PlacedMeasurement, ...]], ...]:
    dates = sorted({item.date for item in items})
    return tuple((date, tuple(item for item in items if item.date == date)) for date in dates)
