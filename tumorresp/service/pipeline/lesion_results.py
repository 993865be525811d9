"""Masks and biomarkers on disk, named by what they were made from, so that a repeated step finds its own work."""

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydantic import TypeAdapter

from tumorresp.domain.biomarkers import Biomarkers
from tumorresp.domain.finding import Finding
from tumorresp.domain.geometry import VolumeGeometry
from tumorresp.domain.segmentation import LesionMask, SegmenterIdentity


@dataclass(frozen=True)
class _Record:
    """What the JSON part of a lesion result holds."""

    measurement_uid: str
    start: tuple[int, int, int]
    key_slice: int
    geometry: VolumeGeometry
    segmenter: SegmenterIdentity
    findings: tuple[Finding, ...]
    biomarkers: Biomarkers | None


@dataclass(frozen=True)
class _Failure:
    """What a file holds where there is no mask."""

    words: str
    findings: tuple[Finding, ...]


@dataclass(frozen=True, eq=False)
class LesionResult:
    """What segmenting one measurement gave: a mask with biomarkers, or why there is none.

    ``findings`` are what was noticed of the CT where there is no mask to carry it.
    """

    mask: LesionMask | None
    biomarkers: Biomarkers | None
    failure: str = ""
    findings: tuple[Finding, ...] = ()


_RECORD = TypeAdapter(_Record)
_FAILURE = TypeAdapter(_Failure)


class LesionResultFiles:
    """One ``.npz`` a result in a folder; a file is there whole or not at all."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def load(self, key: str) -> LesionResult | None:
        """Return the result stored under a digest, or None."""
        path = self._folder / f"{key}.npz"
        if not path.exists():
            return None
        with np.load(path, allow_pickle=False) as stored:
            if "record" not in stored:
                failure = _FAILURE.validate_json(stored["failure"].tobytes())
                return LesionResult(None, None, failure.words, failure.findings)
            record = _RECORD.validate_json(stored["record"].tobytes())
            voxels = np.unpackbits(stored["voxels"], count=int(np.prod(stored["shape"]))).astype(bool)
            mask = LesionMask(
                record.measurement_uid,
                voxels.reshape(stored["shape"]),
                record.start,
                record.geometry,
                record.segmenter,
                record.key_slice,
                record.findings,
            )
        return LesionResult(mask, record.biomarkers)

    def save(self, key: str, result: LesionResult) -> None:
        """Store a result under a digest, atomically."""
        if result.mask is None:
            failure = _Failure(result.failure, result.findings)
            arrays = {"failure": np.frombuffer(_FAILURE.dump_json(failure), np.uint8)}
        else:
            mask = result.mask
            record = _Record(
                mask.measurement_uid,
                mask.start,
                mask.key_slice,
                mask.geometry,
                mask.segmenter,
                mask.findings,
                result.biomarkers,
            )
            arrays = {
                "record": np.frombuffer(_RECORD.dump_json(record), np.uint8),
                "voxels": np.packbits(mask.voxels),
                "shape": np.asarray(mask.voxels.shape, np.int64),
            }
        handle, name = tempfile.mkstemp(dir=self._folder, suffix=".part")
        with os.fdopen(handle, "wb") as stream:
            np.savez(stream, **arrays)  # type: ignore[arg-type]  # the stub confuses named arrays with allow_pickle
            stream.flush()
            os.fsync(stream.fileno())
        Path(name).replace(self._folder / f"{key}.npz")
