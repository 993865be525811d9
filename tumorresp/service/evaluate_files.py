"""Evaluation from disk: files in, results in a folder out; no network, no service."""

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dicom_node.file_scan import FileKind, ScannedFile, scan
from reports.tables import evaluation_document
from tumorresp.domain.errors import InvalidMeasurement, TumorRespError
from tumorresp.domain.identity import pseudonym
from tumorresp.ports import Progress
from tumorresp.service.folder_index import FolderIndex
from tumorresp.service.pipeline.inputs import InputFile, Workshops
from tumorresp.service.pipeline.stations import Stations
from tumorresp.service.settings import Settings
from tumorresp.service.store_index import patient_of
from tumorresp.service.wiring import create_workshops, station_settings

_DOCUMENTS = (FileKind.SR, FileKind.RTSTRUCT, FileKind.KO, FileKind.AIM, FileKind.CSV, FileKind.JSON)


@dataclass(frozen=True)
class EvaluatedSubject:
    """One reading of one subject: its folder and the evaluation as a JSON document."""

    name: str
    folder: Path
    document: dict[str, Any]


@dataclass(frozen=True)
class EvaluationOutcome:
    """What came out, what waits, what was refused and what was passed over, in words."""

    subjects: tuple[EvaluatedSubject, ...]
    waiting: tuple[str, ...]
    refused: tuple[str, ...]
    passed_over: tuple[str, ...] = ()


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
    index, refused = _sorted_into_subjects(found.files, workshops)
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
    noted = [item for items in index.waiting.values() for item in items]
    refused += [str(error) for _, error in index.refused.values()]
    return EvaluationOutcome(
        tuple(subjects),
        tuple(f"{item.message} {item.where}" for item in noted if item.waits),
        tuple(refused),
        tuple(f"{item.message} {item.where}" for item in noted if not item.waits),
    )


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


def _sorted_into_subjects(files: Sequence[ScannedFile], workshops: Workshops) -> tuple[FolderIndex, list[str]]:
    """Sort files into subjects: images by Patient ID, documents by the images that they refer to."""
    index = FolderIndex()
    refused: list[str] = []
    subject_of_image: dict[str, str] = {}
    for file in files:
        if file.kind is FileKind.CT and file.header is not None:
            key = pseudonym(patient_of(file.header.patient_id, file.header.study_instance_uid))
            subject_of_image[file.header.sop_instance_uid] = key
            subject_of_image[file.header.series_instance_uid] = key
            subject_of_image[file.header.study_instance_uid] = key
            index.files.setdefault(key, []).append(_input_file(file))
    image_subjects = sorted(index.files)
    for file in files:
        if file.kind not in _DOCUMENTS:
            continue
        try:
            key = _subject_of_document(file, workshops, subject_of_image, image_subjects)
        except TumorRespError as error:
            refused.append(str(error))
            continue
        index.files.setdefault(key, []).append(_input_file(file))
    return index, refused


def _subject_of_document(
    file: ScannedFile, workshops: Workshops, subject_of_image: dict[str, str], image_subjects: Sequence[str]
) -> str:
    selected = workshops.read_document_facts(file.path).selected if file.kind is FileKind.KO else ()
    keys = {subject_of_image[uid] for uid in selected if uid in subject_of_image}
    if len(keys) == 1:
        return keys.pop()
    marked = () if file.kind is FileKind.KO else workshops.read_measurements(file.path)
    for name in ("sop_instance_uid", "series_instance_uid", "study_instance_uid"):
        keys = {subject_of_image[uid] for item in marked if (uid := getattr(item, name)) in subject_of_image}
        if len(keys) == 1:
            return keys.pop()
        if keys:
            raise InvalidMeasurement(
                "the file's measurements are of several patients.", where=file.path.name, remedy="Split it by patient."
            )
    if file.header is not None:
        return pseudonym(patient_of(file.header.patient_id, file.header.study_instance_uid))
    if len(image_subjects) == 1:
        return image_subjects[0]
    raise InvalidMeasurement(
        "nothing in the file says which patient it is about, and there is not exactly one.",
        where=file.path.name,
        remedy="Give SOP Instance UIDs, or evaluate one patient at a time.",
    )


def _input_file(file: ScannedFile) -> InputFile:
    header = file.header
    if header is None:
        return InputFile(file.path, file.path.name, is_image=False, sha256=file.sha256)
    return InputFile(
        path=file.path,
        name=header.sop_instance_uid,
        is_image=file.kind is FileKind.CT,
        sha256=file.sha256,
        sop_instance_uid=header.sop_instance_uid,
        series_instance_uid=header.series_instance_uid,
        study_instance_uid=header.study_instance_uid,
        patient_id=patient_of(header.patient_id, header.study_instance_uid),
        modality=header.modality,
    )
