"""Evaluation from disk: files in, results in a folder out; no network, no service."""

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dicom_node.file_scan import scan
from reports.tables import evaluation_document
from tumorresp.domain.disk_failures import disk_failure
from tumorresp.domain.errors import TumorRespError
from tumorresp.ports import Progress
from tumorresp.service.decisions import read_patient_links
from tumorresp.service.pipeline.inputs import WaitingItem
from tumorresp.service.pipeline.stations import Stations
from tumorresp.service.settings import Settings
from tumorresp.service.subject_sorting import other_objects, sort_into_subjects
from tumorresp.service.unexpected_failure import kind_and_place
from tumorresp.service.wiring import create_workshops, station_settings


@dataclass(frozen=True)
class EvaluatedSubject:
    """One reading of one subject: its folder and the evaluation as a JSON document."""

    name: str
    folder: Path
    document: dict[str, Any]


@dataclass(frozen=True)
class EvaluationOutcome:
    """What came out, what waits, what was refused and what was passed over, in words.

    ``why_nothing`` says why there is no subject; empty where there is one.
    """

    subjects: tuple[EvaluatedSubject, ...]
    waiting: tuple[str, ...]
    refused: tuple[str, ...]
    passed_over: tuple[str, ...] = ()
    why_nothing: str = ""

    @property
    def is_complete(self) -> bool:
        """Whether everything was used and nothing that was noticed may change a response."""
        decides = any(item["decides"] == "yes" for subject in self.subjects for item in subject.document["findings"])
        return bool(self.subjects) and not (self.waiting or self.refused or decides)


def evaluate_files(inputs: Sequence[Path], out: Path, settings: Settings, progress: Progress) -> EvaluationOutcome:
    """Evaluate everything in files and folders; results go to ``out``, one folder a subject.

    Raises
    ------
    Missing
        If an input does not exist.
    WeightsNotFound, InvalidWeights
        If the network that the settings name cannot be used.
    """
    workshops = create_workshops(settings)
    workshops.segmenter()  # a network without weights is said before hours of reading
    found = scan(inputs, progress)
    index, refused = sort_into_subjects(found.files, workshops, read_patient_links(settings.patient_links))
    refused += [str(rejected.error) for rejected in found.rejected]
    subjects: list[EvaluatedSubject] = []
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="tumorresp-") as work:
        stations = Stations(index, workshops, station_settings(settings, Path(work)))
        for subject_key in sorted(index.files):
            try:
                subjects += _evaluate_one(stations, subject_key, Path(work), out, progress)
            except TumorRespError as error:
                refused.append(str(error))
            except OSError as error:
                raise disk_failure(error) from error
            except Exception as error:  # noqa: BLE001  one subject's failure must not take the others along
                refused.append(f"subject {subject_key}: unexpected failure: {kind_and_place(error)}")
    noted = [item for items in index.waiting.values() for item in items]
    refused += [str(error) for _, error in index.refused.values()]
    return EvaluationOutcome(
        tuple(subjects),
        tuple(f"{item.message} {item.where}" for item in noted if item.waits),
        tuple(refused),
        (*(f"{item.message} {item.where}" for item in noted if not item.waits), *other_objects(found.files)),
        "" if subjects else _why_nothing(noted, len(refused)),
    )


def _why_nothing(noted: Sequence[WaitingItem], refused: int) -> str:
    """Return why there is no result: the measurements' CT is absent, or other reasons, each where it is true."""
    without_ct = sum(item.code == "images-missing" for item in noted)
    without_measurements = sum(item.code == "no-measurements" for item in noted)
    others = sum(item.waits for item in noted) - without_ct - without_measurements
    passed_over = sum(not item.waits for item in noted)
    reasons = [
        words
        for number, words in (
            (without_ct, f"{without_ct} measurement(s) refer to CT that is not here"),
            (without_measurements, "CT is here that no usable measurement refers to"),
            (others, f"{others} thing(s) wait for a person or for other data"),
            (refused, f"{refused} thing(s) could not be used"),
            (passed_over, f"{passed_over} thing(s) were passed over"),
        )
        if number
    ]
    return "; ".join(reasons) or "there is neither CT nor a document with measurements"


def _evaluate_one(
    stations: Stations, subject_key: str, work: Path, out: Path, progress: Progress
) -> list[EvaluatedSubject]:
    units = stations.plan(subject_key)
    for number, unit in enumerate(units):
        progress("Segmenting lesions", number, len(units))
        stations.segment(subject_key, unit)
    progress("Writing reports", len(units), len(units))
    concluded = stations.conclude_readings(subject_key)
    results = work / "results"
    subjects = []
    for reading in concluded:
        source = reading.pages[0].parent if reading.pages else results / subject_key
        target = out / source.relative_to(results)
        shutil.copytree(source, target, dirs_exist_ok=True)
        subjects.append(
            EvaluatedSubject(str(source.relative_to(results)), target, evaluation_document(reading.evaluation))
        )
    return subjects
