"""The stations of the line for one subject: plan, segment each measurement, conclude.

Every station may run again at any time: what it makes is named by its inputs, so a repetition finds its own work.
"""

import datetime
import os
import shutil
import tempfile
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import structlog

from tumorresp.domain.ct_volume import CtVolume
from tumorresp.domain.errors import InvalidInput, MissingImages, SegmentationFailed
from tumorresp.domain.evaluation import AmbiguousMatch, SubjectEvaluation, TimePointEvaluation
from tumorresp.domain.evaluation_findings import MATCH_AMBIGUOUS, deciding_findings
from tumorresp.domain.finding import Finding
from tumorresp.domain.identity import Json, digest
from tumorresp.domain.measurement import Measurement
from tumorresp.domain.prompt import box_prompt
from tumorresp.domain.version import SOFTWARE_VERSION
from tumorresp.ports import LesionSegmenter, ResultFile
from tumorresp.quantify.lesion import quantify
from tumorresp.service.pipeline.evaluate_subject import evaluate_reading, time_point_id_of
from tumorresp.service.pipeline.inputs import (
    InputFile,
    InputIndex,
    ReadCtVolume,
    StationSettings,
    WaitingItem,
    Workshops,
)
from tumorresp.service.pipeline.lesion_results import LesionResult, LesionResultFiles
from tumorresp.service.pipeline.patients import TWO_IDS
from tumorresp.service.pipeline.reading_plan import ReadingPlan, plan_readings
from tumorresp.service.pipeline.visits import Reading, ReadVisit
from tumorresp.service.unexpected_failure import kind_and_place

_log = structlog.get_logger()
# What numerical libraries raise over one lesion; it must not take the subject's other lesions along. Failures of the
# disk or the memory are not among them: they are tried again.
_LIBRARY_ERRORS = (ValueError, RuntimeError, ArithmeticError, LookupError, TypeError, AttributeError)


@dataclass(frozen=True, eq=False)
class ConcludedReading:
    """One reading's evaluation, with the files made of it."""

    evaluation: SubjectEvaluation
    objects: tuple[ResultFile, ...]
    pages: tuple[Path, ...]


class Stations:
    """Runs the stations for subjects of one index with one set of workshops and settings."""

    def __init__(self, index: InputIndex, workshops: Workshops, settings: StationSettings) -> None:
        self._index = index
        self._workshops = workshops
        self._settings = settings
        self._results = LesionResultFiles(settings.work_folder / "lesions")
        self._recent = _RecentVolumes(workshops.read_ct_volume)
        self._plans: dict[tuple[str, str], ReadingPlan] = {}
        self._lock = threading.Lock()

    def plan(self, subject_key: str) -> tuple[str, ...]:
        """Read and place the subject's measurements; return the UIDs of those that need a mask."""
        plan = self._plan(subject_key)
        for file, error in plan.refused:
            self._index.quarantine(file, error)
        self._index.record_waiting(subject_key, self._concerns(subject_key, plan))
        return tuple(uid for uid, placed in plan.placed.items() if placed.measurement.long_axis is not None)

    def segment(self, subject_key: str, measurement_uid: str) -> None:
        """Segment and quantify one measurement; a lesion that cannot be segmented is recorded as such."""
        plan = self._plan(subject_key)
        placed = plan.placed.get(measurement_uid)
        if placed is None:
            return
        key = self._result_key(plan, placed.measurement)
        if self._results.load(key) is None:
            self._results.save(key, self._segment(plan, placed.measurement))

    def conclude(self, subject_key: str) -> tuple[ResultFile, ...]:
        """Assess the subject and write every result; return the DICOM objects to deliver.

        Each is kept under its UID, too: what waits for a destination is never replaced by a later evaluation's object
        of the same name.
        """
        made = [item for reading in self.conclude_readings(subject_key) for item in reading.objects]
        return tuple(self._kept(item) for item in made)

    def _kept(self, item: ResultFile) -> ResultFile:
        folder = self._settings.work_folder / "objects"
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{item.sop_instance_uid}.dcm"
        if not path.exists():
            with tempfile.TemporaryDirectory(dir=folder) as draft:
                copy = Path(draft) / path.name
                shutil.copyfile(item.path, copy)
                with copy.open("rb") as stream:
                    os.fsync(stream.fileno())
                copy.replace(path)
        return replace(item, path=path)

    def conclude_readings(self, subject_key: str) -> tuple[ConcludedReading, ...]:
        """As ``conclude``, with evaluations and pages, one entry a reading."""
        plan = self._plan(subject_key)
        concluded = tuple(self._conclude(subject_key, plan, reading) for reading in plan.readings)
        undecided = [
            _undecided(point, item)
            for reading in concluded
            for point in reading.evaluation.time_points
            for item in point.ambiguous
        ]
        self._index.record_waiting(subject_key, self._concerns(subject_key, plan, undecided))
        self._index.record_deciding(subject_key, _deciding(concluded))
        return concluded

    def _concerns(
        self, subject_key: str, plan: ReadingPlan, undecided: Sequence[WaitingItem] = ()
    ) -> tuple[WaitingItem, ...]:
        """Return everything that a person should see to at a subject, and what was passed over."""
        two_ids = [
            WaitingItem("patient-unclear", TWO_IDS, name)
            for patient_id, name in plan.other_patient_ids.items()
            if self._index.other_subject_with_images(patient_id, subject_key)
        ]
        return (*two_ids, *plan.waiting, *undecided, *plan.passed_over)

    def _plan(self, subject_key: str) -> ReadingPlan:
        files = sorted(self._index.files_of_subject(subject_key), key=lambda file: (file.name, file.sha256))
        key = subject_key, digest([file.sha256 for file in files])
        with self._lock:
            if key not in self._plans:
                if len(self._plans) >= 4:
                    self._plans.pop(next(iter(self._plans)))
                self._plans[key] = plan_readings(files, self._workshops, self._settings.documents)
            return self._plans[key]

    def _volume(self, plan: ReadingPlan, series_instance_uid: str) -> CtVolume:
        files = plan.images.get(series_instance_uid)
        if not files:
            raise MissingImages("the CT series of a measurement is not here.", where=series_instance_uid)
        measured = {
            (item.measurement.sop_instance_uid, item.measurement.frame_number)
            for item in plan.placed.values()
            if item.measurement.series_instance_uid == series_instance_uid
        }
        return self._recent.get(series_instance_uid, files, frozenset(measured))

    @cached_property
    def _segmenter(self) -> LesionSegmenter:
        return self._workshops.segmenter()

    def _result_key(self, plan: ReadingPlan, measurement: Measurement) -> str:
        images = sorted(file.sha256 for file in plan.images.get(measurement.series_instance_uid, ()))
        axes = [
            [*axis.start_lps_mm, *axis.end_lps_mm] if axis else None
            for axis in (measurement.long_axis, measurement.short_axis)
        ]
        return digest(
            {
                "axes": axes,
                "measurement": measurement.measurement_uid,
                "images": images,
                "segmenter": [list(pair) for pair in self._segmenter.identity.as_pairs()],
                "settings": [list(pair) for pair in self._settings.parameters],
                "software": SOFTWARE_VERSION,
            }
        )

    def _segment(self, plan: ReadingPlan, measurement: Measurement) -> LesionResult:
        settings = self._settings
        noticed: tuple[Finding, ...] = ()
        try:
            volume = self._volume(plan, measurement.series_instance_uid)
            noticed = volume.findings
            _check_usable(volume, measurement)
            prompt = box_prompt(
                measurement,
                volume.geometry,
                margin_mm=settings.box_margin_mm,
                short_to_long_ratio=settings.short_to_long_ratio,
            )
            mask = self._segmenter.segment(volume, prompt)
            mask = replace(mask, findings=(*prompt.findings, *mask.findings, *volume.findings))
            return LesionResult(mask, quantify(volume, mask, with_radiomics=settings.radiomics))
        except (SegmentationFailed, InvalidInput) as error:
            _log.warning("lesion not segmented", measurement=measurement.measurement_uid, reason=error.code)
            words = " ".join(part for part in (error.message, error.remedy) if part)
            return LesionResult(None, None, words, noticed)
        except _LIBRARY_ERRORS as error:
            kind = kind_and_place(error)
            _log.error("lesion not segmented", measurement=measurement.measurement_uid, reason=kind)
            return LesionResult(None, None, f"the segmenter or a measure failed ({kind}).", noticed)

    def _conclude(self, subject_key: str, plan: ReadingPlan, reading: Reading) -> ConcludedReading:
        def result_of(measurement: Measurement) -> LesionResult | None:
            if measurement.long_axis is None:
                return None
            return self._results.load(self._result_key(plan, measurement))

        def volume_of(series_instance_uid: str) -> CtVolume:
            return self._volume(plan, series_instance_uid)

        patient_id = next((f.patient_id for files in plan.images.values() for f in files), "")
        decisions = self._settings.decisions()
        patients = {f.patient_id for files in plan.images.values() for f in files}
        start = self._settings.treatment_start(subject_key, patients)
        evaluation = evaluate_reading(subject_key, patient_id, reading, result_of, volume_of, decisions, start)
        folder = self._settings.work_folder / "results" / subject_key
        if reading.reader:
            folder = folder / digest(reading.reader)[:8]
        ct_paths = {uid: [file.path for file in files] for uid, files in plan.images.items()}
        objects: list[ResultFile] = []
        for number, point in enumerate(evaluation.time_points, start=1):
            former = self._former_reports(subject_key, reading, reading.visits[number - 1])
            if not reading.visits[number - 1].items and not former:
                continue  # nobody measured there, now or before: there is nothing to say of its images
            input_digest = self._input_digest(plan, reading, number, decisions, start)
            objects += self._workshops.results.write_time_point(
                evaluation, point, ct_paths, volume_of, input_digest, folder, former
            )
        pages = self._workshops.results.write_subject(evaluation, volume_of, folder)
        return ConcludedReading(evaluation, tuple(objects), pages)

    def _former_reports(self, subject_key: str, reading: Reading, visit: ReadVisit) -> tuple[ResultFile, ...]:
        """Return the reports that were made of a time point before, the oldest first.

        A reading has a name of its own only since a second reader's arrived: both ways of naming it are looked for.
        """
        readers = {"", reading.reader, *(item.measurement.reader for item in visit.items)}
        ids = sorted(time_point_id_of(subject_key, reader, visit) for reader in readers)
        return tuple(self._index.reports_made(subject_key, ids))

    def _input_digest(
        self,
        plan: ReadingPlan,
        reading: Reading,
        time_points: int,
        decisions: Mapping[str, str],
        start: datetime.date | None,
    ) -> str:
        """Name everything that the first ``time_points`` time points are made from."""
        used: set[str] = set()
        decided: list[Json] = []
        visits = reading.visits[:time_points]
        for visit in visits:
            for item in visit.items:
                used.add(item.source.sha256)
                uid = item.measurement.measurement_uid
                decided += [[uid, decisions[uid]]] if uid in decisions else []
                used.update(file.sha256 for file in plan.images.get(item.measurement.series_instance_uid, ()))
        return digest(
            {
                "files": sorted(used),
                "reader": reading.reader,
                "decisions": decided,
                "noticed": [[item.code, item.where] for visit in visits for item in visit.findings if item.decides],
                "time_point": time_points,
                **({} if start is None else {"treatment_start": start.isoformat()}),
                "segmenter": [list(pair) for pair in self._segmenter.identity.as_pairs()],
                "settings": [list(pair) for pair in self._settings.parameters],
                "software": SOFTWARE_VERSION,
            }
        )


def _deciding(concluded: Sequence[ConcludedReading]) -> list[str]:
    """Return what may change a response, each once, but for what waits, which is recorded as waiting."""
    sentences = []
    for number, reading in enumerate(concluded, start=1):
        which = f"Reading {number}, " if len(concluded) > 1 else ""
        sentences += [
            f"{which}{item.sentence}"
            for item in deciding_findings(reading.evaluation)
            if item.finding.code != MATCH_AMBIGUOUS
        ]
    return list(dict.fromkeys(sentences))


def _undecided(point: TimePointEvaluation, item: AmbiguousMatch) -> WaitingItem:
    where = f"{point.time_point.name} {item.measurement.label}".strip()
    return WaitingItem("match-ambiguous", item.reason, f"{where}, measurement {item.measurement.measurement_uid}")


def _check_usable(volume: CtVolume, measurement: Measurement) -> None:
    """Refuse to segment on numbers that are no CT numbers, or on another stack than the one that was measured.

    Raises
    ------
    InvalidInput
        With the reason; the measurement itself counts on.
    """
    if volume.numbers_doubt:
        raise InvalidInput(
            f"the CT numbers of the series are not used: {volume.numbers_doubt}.", where=volume.series_instance_uid
        )
    if (measurement.sop_instance_uid, measurement.frame_number) in volume.other_stacks:
        raise InvalidInput(
            "the image that it was measured on is of another stack of its series than most measurements are on.",
            where=measurement.sop_instance_uid,
            remedy="Send each stack as a series of its own.",
        )


class _RecentVolumes:
    """The last few CT volumes, since all lesions of a series follow one another."""

    def __init__(self, read: ReadCtVolume, keep: int = 3) -> None:
        self._read = read
        self._keep = keep
        self._volumes: dict[tuple[str, str], CtVolume] = {}
        self._lock = threading.Lock()

    def get(
        self, series_instance_uid: str, files: Sequence[InputFile], measured: frozenset[tuple[str, int | None]]
    ) -> CtVolume:
        held: list[Json] = [[uid, frame] for uid, frame in sorted(measured, key=str)]
        key = series_instance_uid, digest([sorted(file.sha256 for file in files), held])
        with self._lock:
            if key not in self._volumes:
                while len(self._volumes) >= self._keep:
                    self._volumes.pop(next(iter(self._volumes)))
                self._volumes[key] = self._read([file.path for file in files], must_hold=measured)
            return self._volumes[key]
