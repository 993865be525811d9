"""What the stations are given: received files, and the faces of the index and the workshops."""

import datetime
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Protocol

from tumorresp.domain.ct_volume import CtVolume
from tumorresp.domain.decimal_mm import DEFAULT_PRECISION_MM
from tumorresp.domain.document_life import DocumentFacts
from tumorresp.domain.errors import TumorRespError
from tumorresp.domain.geometry import ImagePlane
from tumorresp.domain.measurement import MarkedMeasurement
from tumorresp.domain.patient_identity import PatientStatement
from tumorresp.ports import LesionSegmenter, ResultFile, ResultWriter
from tumorresp.service.store.records import PASSED_OVER


@dataclass(frozen=True)
class InputFile:
    """One file that belongs to a subject.

    Parameters
    ----------
    name
        What messages call the file: its SOP Instance UID, or for files without one its base name.
    is_image
        True for CT images; everything else may hold measurements.
    sop_instance_uid, series_instance_uid, study_instance_uid
        Empty for files that are not DICOM.
    sha256
        Of the content; names the input in every digest.
    modality
        Of a DICOM file; empty for others.
    """

    path: Path
    name: str
    is_image: bool
    sha256: str
    sop_instance_uid: str = ""
    series_instance_uid: str = ""
    study_instance_uid: str = ""
    patient_id: str = ""
    modality: str = ""


LEFT_OUT_DECIDES = frozenset(
    (
        "document-rejected",
        "image-rejected",
        "document-replaced",
        "device-observer",
        "not-measurable",
        "new-lesion-not-measurable",
    )
)
"""Codes of what was passed over and would have changed sums or lesions: it is noted at its time point, too."""


@dataclass(frozen=True)
class WaitingItem:
    """Something that waits, for images or for a person, and why; or that was passed over, see `PASSED_OVER`.

    ``refers_to`` are UIDs (SOP instance, series or study) of the images that it is about, as far as they are known.
    """

    code: str
    message: str
    where: str
    refers_to: frozenset[str] = frozenset()

    @property
    def waits(self) -> bool:
        """Whether something must come before this is settled."""
        return self.code not in PASSED_OVER


@dataclass(frozen=True)
class DocumentRules:
    """Which measurements count, beyond what the documents say, and to what their lengths are rounded.

    Parameters
    ----------
    device_readers
        Names or UIDs of devices that are readers; every other device's measurements are in no sum.
    link_by_uid_alone
        Whether a measurement counts for the image that it names even where nothing else says that both are one
        patient's.
    measurement_precision_mm
        Lengths are rounded to multiples of it, once, when they are read; 0 leaves them as computed.
    visit_window_days
        Studies at most so many days apart that measure different lesions are one time point.
    """

    device_readers: tuple[str, ...] = ()
    link_by_uid_alone: bool = False
    measurement_precision_mm: Decimal = DEFAULT_PRECISION_MM
    visit_window_days: int = 7


class InputIndex(Protocol):
    """Knows which files a subject has, and keeps what must be shown."""

    def files_of_subject(self, subject_key: str) -> Sequence[InputFile]:
        """Return the subject's files; results that this product made are not among them."""
        ...

    def other_subject_with_images(self, patient_id: str, subject_key: str) -> bool:
        """Return whether images under a Patient ID are here as another subject's."""
        ...

    def reports_made(self, subject_key: str, time_point_ids: Sequence[str]) -> Sequence[ResultFile]:
        """Return the structured reports that were made of time points before, the oldest first."""
        ...

    def record_waiting(self, subject_key: str, items: Sequence[WaitingItem]) -> None:
        """Replace what the subject waits for."""
        ...

    def record_deciding(self, subject_key: str, sentences: Sequence[str]) -> None:
        """Replace what was noticed in the subject's running evaluation that may change a response."""
        ...

    def quarantine(self, file: InputFile, error: TumorRespError) -> None:
        """Keep a file's reason for not being used; recording the same reason twice keeps one."""
        ...


class ReadCtVolume(Protocol):
    """Reads one CT series."""

    def __call__(self, paths: Sequence[Path], *, must_hold: Collection[object] = ()) -> CtVolume:
        """Read files into a volume that holds these images, where not all can be held.

        ``must_hold`` are SOP Instance UIDs or (SOP Instance UID, frame number).
        """
        ...


@dataclass(frozen=True)
class Workshops:
    """The workshops' faces, handed in by wiring."""

    read_planes: Callable[[Path], Sequence[ImagePlane]]
    read_ct_volume: ReadCtVolume
    read_measurements: Callable[[Path], Sequence[MarkedMeasurement]]
    read_document_facts: Callable[[Path], DocumentFacts]
    read_patient: Callable[[Path], PatientStatement]
    segmenter: Callable[[], LesionSegmenter]
    results: ResultWriter


def no_decisions() -> Mapping[str, str]:
    """Return that nobody has decided anything."""
    return {}


def no_treatment_start(subject_key: str, patient_ids: Collection[str]) -> datetime.date | None:  # noqa: ARG001  a face
    """Return that nobody said when treatment started."""
    return None


@dataclass(frozen=True)
class StationSettings:
    """What the stations take from the settings.

    ``parameters`` are (name, value) pairs of every setting that can change a result; they go into every input digest.
    ``decisions`` gives a person's decisions at the time of an evaluation: measurement UID -> lesion ID, or ``T``,
    ``NT`` or ``NEW`` for a lesion of its own. ``treatment_start`` gives when treatment started, by subject key and its
    Patient IDs.
    """

    work_folder: Path
    parameters: tuple[tuple[str, str], ...]
    decisions: Callable[[], Mapping[str, str]] = no_decisions
    treatment_start: Callable[[str, Collection[str]], datetime.date | None] = no_treatment_start
    box_margin_mm: float = 3.0
    short_to_long_ratio: float = 0.75
    radiomics: bool = True
    documents: DocumentRules = DocumentRules()
