"""Weights files in the model folder: which are there, and whether they are what they were.

Beside every file lies ``<file>.json`` with the hash that the file had when it came. Nothing here downloads;
:mod:`models.weight_download` does, when asked.
"""

import json
import os
import shutil
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

import platformdirs
import structlog

from models.registry import REGISTRY, RegisteredWeights, registered
from models.segmenter_identity import sha256_of
from tumorresp.domain.errors import InvalidWeights, OutOfResources, WeightsNotFound


class WeightsState(StrEnum):
    """What is known of a file in the model folder."""

    ABSENT = "absent"
    PARTIAL = "partly downloaded"
    UNRECORDED = "there, hash not recorded"
    RECORDED = "there, hash recorded when it came"
    OFFICIAL = "there, hash as published"


@dataclass(frozen=True)
class WeightsStatus:
    """One registered weights file and its copy in the model folder.

    Parameters
    ----------
    path
        Where the file is or would be.
    size_bytes
        Of the copy, or of its downloaded part; None when absent.
    sha256
        The copy's hash: the recorded one in a list, computed when verified. None when not known.
    """

    weights: RegisteredWeights
    state: WeightsState
    path: Path
    size_bytes: int | None
    sha256: str | None


def default_model_dir() -> Path:
    """Return the model folder: ``TUMORRESP_MODEL_DIR``, or ``models`` in the user's data folder."""
    named = os.environ.get("TUMORRESP_MODEL_DIR")
    return Path(named) if named else Path(platformdirs.user_data_dir("tumorresp")) / "models"


def list_weights(model_dir: Path) -> tuple[WeightsStatus, ...]:
    """Return the state of all registered weights, without reading the files themselves."""
    return tuple(status(entry, model_dir) for entry in REGISTRY)


def status(weights: RegisteredWeights, model_dir: Path) -> WeightsStatus:
    """Return the state of one weights file, without reading the file itself."""
    path = model_dir / weights.file_name
    part = part_path(path)
    if path.is_file():
        recorded = recorded_sha256(path)
        return WeightsStatus(weights, _state(weights, recorded), path, path.stat().st_size, recorded)
    if part.is_file():
        return WeightsStatus(weights, WeightsState.PARTIAL, path, part.stat().st_size, None)
    return WeightsStatus(weights, WeightsState.ABSENT, path, None, None)


def _state(weights: RegisteredWeights, recorded: str | None) -> WeightsState:
    if recorded is None:
        return WeightsState.UNRECORDED
    return WeightsState.OFFICIAL if recorded == weights.sha256 else WeightsState.RECORDED


def part_path(path: Path) -> Path:
    """Return where the downloaded part of a file is kept."""
    return path.with_name(path.name + ".part")


def record_path(path: Path) -> Path:
    """Return where the hash of a weights file is kept."""
    return path.with_name(path.name + ".json")


def recorded_sha256(path: Path) -> str | None:
    """Return the hash that was recorded when a file came, or None when there is no record.

    Raises
    ------
    InvalidWeights
        If the record cannot be read.
    """
    record = record_path(path)
    try:
        recorded = json.loads(record.read_text(encoding="utf-8"))["sha256"]
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as failure:
        raise InvalidWeights(
            "the record of the weights' hash cannot be read.",
            where=record.name,
            remedy="Delete it and add the weights file again with `tumorresp models add`.",
        ) from failure
    return str(recorded)


def write_record(path: Path, name: str, sha256: str, source: str) -> None:
    """Record the hash of a weights file and where the file came from."""
    record = record_path(path)
    draft = record.with_name(record.name + ".new")
    content = {"name": name, "sha256": sha256, "size_bytes": path.stat().st_size, "source": source}
    draft.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    draft.replace(record)


def verify(name: str, model_dir: Path) -> WeightsStatus:
    """Hash a weights file and compare it with its record, or with the published hash where there is no record.

    Raises
    ------
    WeightsNotFound
        If the name is unknown or the file is not in the folder.
    InvalidWeights
        If the hash is another.
    """
    return verify_weights(registered(name), model_dir)


def verify_weights(weights: RegisteredWeights, model_dir: Path) -> WeightsStatus:
    """Verify one entry of a registry; see :func:`verify`."""
    path = model_dir / weights.file_name
    if not path.is_file():
        raise WeightsNotFound(f"the weights {weights.name!r} are not in the model folder.", remedy=how_to_get(weights))
    actual = sha256_of(path)
    check_sha256(weights, path, actual)
    if recorded_sha256(path) is None and actual == weights.sha256:
        write_record(path, weights.name, actual, "put there by hand")
    return replace(status(weights, model_dir), sha256=actual)


def check_sha256(weights: RegisteredWeights, path: Path, actual: str) -> None:
    """Raise InvalidWeights unless a file's hash is the recorded one (without a record: the published one, if any)."""
    recorded = recorded_sha256(path)
    expected = recorded if recorded is not None else weights.sha256
    if expected is not None and actual != expected:
        raise InvalidWeights(
            f"the file's SHA-256 is {actual}, expected {expected} "
            f"({'as published' if recorded is None else 'recorded when it came'}).",
            where=path.name,
            remedy="If you replaced it on purpose, add it with `tumorresp models add`; else get it again.",
        )


def add(file: Path, name: str | None, model_dir: Path) -> WeightsStatus:
    """Copy a weights file into the model folder, after checking that its tensors fit the network.

    Parameters
    ----------
    file
        Checkpoint or safetensors file: an official one, or one's own training of the same network.
    name
        Of the registered weights that it stands for; None to tell by its tensors.

    Raises
    ------
    WeightsNotFound
        If there is no such file, or the name is unknown.
    InvalidWeights
        If the file is of another network; names the first bad key.
    OutOfResources
        If the folder cannot be written.
    """
    from models.weights_check import check_tensors

    weights = check_tensors(file, name)
    path = model_dir / weights.file_name
    draft = path.with_name(path.name + ".new")
    actual = sha256_of(file)
    try:
        model_dir.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, draft)
        if sha256_of(draft) != actual:
            raise InvalidWeights("the file changed while it was copied.", where=file.name, remedy="Add it again.")
        store(draft, path, weights, actual, "added by hand")
    except OSError as failure:
        raise OutOfResources(
            f"the model folder cannot be written ({failure.strerror}).",
            where=path.name,
            remedy="Free some space, or name another folder with TUMORRESP_MODEL_DIR.",
        ) from failure
    finally:
        # What cannot be removed could not be written either, and that is reported.
        with suppress(OSError):
            draft.unlink(missing_ok=True)
    return status(weights, model_dir)


def store(draft: Path, path: Path, weights: RegisteredWeights, sha256: str, source: str) -> None:
    """Put a checked file in its place, durably, and record its hash."""
    with draft.open("rb+") as file:
        os.fsync(file.fileno())
    # Between the two steps no record may speak of another file.
    record_path(path).unlink(missing_ok=True)
    draft.replace(path)
    write_record(path, weights.name, sha256, source)
    structlog.get_logger().info(
        "weights_stored", weights=weights.name, sha256=sha256, official=sha256 == weights.sha256, source=source
    )


def how_to_get(weights: RegisteredWeights) -> str:
    """Return in a sentence how a person gets the weights."""
    by_hand = f"get {weights.file_name} at {weights.page} and run `tumorresp models add FILE`"
    if weights.address is None:
        return f"{by_hand[0].upper()}{by_hand[1:]}."
    return f"Run `tumorresp models pull {weights.name}`, or {by_hand}."
