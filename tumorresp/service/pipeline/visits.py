"""From placed measurements and the dates of all CT studies to readings: who measured what at which time point."""

import datetime
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import dropwhile

from tumorresp.domain.finding import Finding, Severity
from tumorresp.domain.lesion_matching import Seen
from tumorresp.domain.measurement import LesionRole, Measurement
from tumorresp.domain.repeated_measurements import Space
from tumorresp.domain.series_look import SeriesLook
from tumorresp.domain.time_points import StudyVisit
from tumorresp.service.pipeline.inputs import InputFile


@dataclass(frozen=True)
class PlacedMeasurement:
    """A measurement with the file it came from, and the study and day of the scan that it belongs to."""

    measurement: Measurement
    source: InputFile
    date: datetime.date
    study_instance_uid: str


@dataclass(frozen=True)
class ReadVisit:
    """One time point of a reading; without items its CT is here and was not read.

    Parameters
    ----------
    first_date, date
        Of its earliest and latest scan.
    studies
        Study Instance UIDs.
    """

    first_date: datetime.date
    date: datetime.date
    studies: tuple[str, ...]
    items: tuple[PlacedMeasurement, ...]
    findings: tuple[Finding, ...] = field(default=())

    @property
    def measurements(self) -> tuple[Measurement, ...]:
        """What was measured."""
        return tuple(item.measurement for item in self.items)

    @property
    def spaces(self) -> dict[str, Space]:
        """Patient coordinates by Series Instance UID: one frame of reference on one day."""
        return {
            item.measurement.series_instance_uid: Space(item.measurement.frame_of_reference_uid, item.date)
            for item in self.items
            if item.measurement.series_instance_uid
        }


@dataclass(frozen=True)
class Reading:
    """All measurements of one reader (or of readers who took turns) of a subject, dates ascending.

    ``reader`` is empty when there is only one reading of the subject. The first visit is read; the others may be not.
    ``looks`` says what the CT series call themselves, by Series Instance UID.
    """

    reader: str
    visits: tuple[ReadVisit, ...]
    looks: Mapping[str, SeriesLook] = field(default_factory=dict)


def readings_of(
    placed: Sequence[PlacedMeasurement],
    visits: Sequence[StudyVisit],
    looks: Mapping[str, SeriesLook] | None = None,
) -> tuple[Reading, ...]:
    """Split by reader where two readers measured one study; readers who took turns make one reading."""
    readers_of: defaultdict[str, set[str]] = defaultdict(set)
    for item in placed:
        readers_of[item.study_instance_uid].add(item.measurement.reader)
    if not placed:
        return ()
    names = {item.measurement.reader for item in placed}
    if all(len(readers) == 1 for readers in readers_of.values()):
        return (_reading("", [_flag_turns(item, len(names)) for item in placed], visits, looks or {}),)
    return tuple(
        _reading(name or "unnamed reader", [i for i in placed if i.measurement.reader == name], visits, looks or {})
        for name in sorted(names)
    )


def _reading(
    reader: str,
    items: Sequence[PlacedMeasurement],
    visits: Sequence[StudyVisit],
    looks: Mapping[str, SeriesLook],
) -> Reading:
    by_study: dict[str, list[PlacedMeasurement]] = {}
    for item in items:
        by_study.setdefault(item.study_instance_uid, []).append(item)
    read = [
        ReadVisit(
            visit.first_date,
            visit.date,
            visit.studies,
            tuple(item for uid in visit.studies for item in by_study.get(uid, ())),
            visit.findings,
        )
        for visit in visits
    ]
    return Reading(reader, _from_baseline(read), looks)


def _from_baseline(visits: Sequence[ReadVisit]) -> tuple[ReadVisit, ...]:
    """Leave out the scans before the first one that was read, and say so.

    The last of them stays where the reader calls a lesion of the first reading new: it was compared with that scan, and
    nothing was measured there.
    """
    kept = list(dropwhile(lambda visit: not visit.items, visits))
    unread = visits[: len(visits) - len(kept)]
    if not unread or not kept:
        return tuple(kept)
    if any(Seen(item).role is LesionRole.NEW for item in kept[0].measurements):
        words = (
            "No measurement refers to this CT, and the reader calls a lesion of the next time point new: it is taken "
            "as the baseline, read and without lesions. If it was not read, send its measurements."
        )
        finding = Finding("baseline-without-measurements", Severity.WARNING, words, str(unread[-1].date), decides=True)
        return (replace(unread[-1], findings=(*unread[-1].findings, finding)), *kept)
    dates = ", ".join(str(visit.date) for visit in unread)
    words = (
        f"An earlier CT ({dates}) was not read: the baseline is the first that was. If it is the baseline, or was read "
        "as free of disease, send its measurements, or call the lesions of this time point new."
    )
    finding = Finding("earlier-ct-not-read", Severity.WARNING, words, str(kept[0].date), decides=True)
    return (replace(kept[0], findings=(*kept[0].findings, finding)), *kept[1:])


def _flag_turns(item: PlacedMeasurement, reader_count: int) -> PlacedMeasurement:
    if reader_count == 1:
        return item
    finding = Finding(
        "readers-differ", Severity.WARNING, "The subject's time points were measured by different readers."
    )
    return replace(item, measurement=replace(item.measurement, findings=(*item.measurement.findings, finding)))


def by_study(placed: Sequence[PlacedMeasurement]) -> Mapping[str, list[Measurement]]:
    """Return the measurements by Study Instance UID."""
    found: dict[str, list[Measurement]] = {}
    for item in placed:
        found.setdefault(item.study_instance_uid, []).append(item.measurement)
    return found
