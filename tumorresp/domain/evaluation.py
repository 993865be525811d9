"""A subject's lesions through time, and everything that a report says about them."""

import datetime
from dataclasses import dataclass, field

from tumorresp.domain.assessment import Assessment
from tumorresp.domain.biomarkers import Biomarkers
from tumorresp.domain.finding import Finding
from tumorresp.domain.measurement import LesionRole, Measurement
from tumorresp.domain.segmentation import LesionMask
from tumorresp.domain.terminology import Code


@dataclass(frozen=True)
class Lesion:
    """A lesion followed through time points.

    ``lesion_id`` is short and shown to people (T01, NT01, NEW01); ``tracking_uid`` is the UID that our SEG and SR
    carry for it at every time point. ``organ`` is a lower-case word ("lung", "lymph node"), empty when unknown.
    ``parents`` are the lesions that it came from: one of a part (T01.1), several of a conglomerate (T01+T02).
    """

    lesion_id: str
    tracking_uid: str
    role: LesionRole
    nodal: bool
    organ: str
    label: str = ""
    site: Code | None = None
    parents: tuple[str, ...] = ()


@dataclass(frozen=True)
class TimePoint:
    """One visit of a subject; ``order`` counts from 1 = baseline.

    Scans before treatment that are not the baseline count in nothing and have orders below 1, the first the least.

    ``date`` is that of its latest scan, ``first_date`` of its earliest where that is another day. ``is_read`` is False
    where its images are here and nobody measured on them. ``new_lesion_missed`` says why a lesion that the reader calls
    new is not among the lesions: its measurement waits or was refused.
    """

    time_point_id: str
    date: datetime.date
    order: int
    first_date: datetime.date | None = None
    is_read: bool = True
    new_lesion_missed: str = ""

    @property
    def dates(self) -> str:
        """What people read: the day, or from the first day to the last."""
        if self.first_date is None or self.first_date == self.date:
            return self.date.isoformat()
        return f"{self.first_date.isoformat()} to {self.date.isoformat()}"

    @property
    def name(self) -> str:
        """What people read: Baseline, Follow-up 1 ..., or Before baseline 1, which is the nearest to it."""
        if self.order < 1:
            return f"Before baseline {1 - self.order}"
        return "Baseline" if self.order == 1 else f"Follow-up {self.order - 1}"

    @property
    def is_counted(self) -> bool:
        """Whether it is the baseline or a follow-up."""
        return self.order > 0


@dataclass(frozen=True)
class AmbiguousMatch:
    """A measurement that may be one of several lesions (or none): a person must decide; it is used nowhere."""

    measurement: Measurement
    candidate_lesion_ids: tuple[str, ...]
    reason: str


@dataclass(frozen=True, eq=False)
class LesionEvaluation:
    """One lesion at one time point; ``matched_by`` says how it was recognised, in words."""

    lesion: Lesion
    measurement: Measurement
    mask: LesionMask | None
    biomarkers: Biomarkers | None
    matched_by: str = ""
    findings: tuple[Finding, ...] = field(default=())


@dataclass(frozen=True, eq=False)
class TimePointEvaluation:
    """One time point, complete: what SEG, SR, pages and tables are written from.

    ``discordance`` says why RECIST 1.1 and the volumetric response differ; empty where they do not.
    """

    time_point: TimePoint
    study_instance_uid: str
    lesions: tuple[LesionEvaluation, ...]
    ambiguous: tuple[AmbiguousMatch, ...]
    assessments: tuple[Assessment, ...]
    findings: tuple[Finding, ...] = field(default=())
    discordance: tuple[str, ...] = field(default=())


@dataclass(frozen=True, eq=False)
class SubjectEvaluation:
    """All time points of a subject in order. ``subject_key`` is a pseudonym, safe for logs and file names.

    ``reader`` names whose reading this is where the subject has several: a person's name, for reports and objects.
    """

    subject_key: str
    patient_id: str
    time_points: tuple[TimePointEvaluation, ...]
    software_version: str
    reader: str = ""
