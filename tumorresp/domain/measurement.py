"""What a reader measured: axes of one lesion at one time point, before and after they are placed in the patient."""

import datetime
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

import numpy as np

from tumorresp.domain.decimal_mm import to_decimal
from tumorresp.domain.finding import Finding
from tumorresp.domain.geometry import Vector3
from tumorresp.domain.terminology import Code


class LesionRole(StrEnum):
    """What a lesion counts as in RECIST 1.1."""

    TARGET = "target"
    NON_TARGET = "non-target"
    NEW = "new"


class LesionState(StrEnum):
    """What the reader says of a lesion at one time point (RECIST 1.1, section 4.3).

    ``MERGED``: it can no longer be told from another one; the conglomerate is observed under an ID of its own.
    """

    MEASURED = "measured"
    PRESENT = "present"
    TOO_SMALL = "too-small"
    ABSENT = "absent"
    NOT_EVALUABLE = "not-evaluable"
    UNEQUIVOCAL_PROGRESSION = "unequivocal-progression"
    EQUIVOCAL = "equivocal"
    MERGED = "merged"


@dataclass(frozen=True)
class PixelPoint:
    """A point on a referenced image.

    ``column`` and ``row`` are continuous with *pixel centres at integers* (0, 0 = centre of the first pixel).
    Readers of formats with the origin at the first pixel's corner (DICOM SR's SCOORD, PS3.3 C.18.6.1.1) subtract 0.5.
    """

    column: float
    row: float


@dataclass(frozen=True)
class Axis:
    """A straight line between two end points in LPS mm.

    ``recorded_mm`` is the length that counts, rounded once when the line was read; None where that is the distance of
    the end points.
    """

    start_lps_mm: Vector3
    end_lps_mm: Vector3
    recorded_mm: Decimal | None = None

    @property
    def length_mm(self) -> float:
        """The length that counts and is shown: as recorded, else the distance of the end points."""
        return self.distance_mm if self.recorded_mm is None else float(self.recorded_mm)

    @property
    def size_mm(self) -> Decimal:
        """``length_mm`` as the decimal that rules compare."""
        return to_decimal(self.distance_mm) if self.recorded_mm is None else self.recorded_mm

    @property
    def distance_mm(self) -> float:
        """Euclidean distance of the end points, unrounded."""
        return float(np.linalg.norm(np.subtract(self.end_lps_mm, self.start_lps_mm)))

    @property
    def midpoint_lps_mm(self) -> Vector3:
        """The point half way."""
        middle = np.add(self.end_lps_mm, self.start_lps_mm) / 2
        return float(middle[0]), float(middle[1]), float(middle[2])


@dataclass(frozen=True)
class MarkedAxis:
    """A line as its writer stored it: on an image's pixels, or in the patient.

    Exactly one of ``pixels`` and ``lps_mm`` is given.

    Parameters
    ----------
    stated_length
        The number that the writer put beside the line, None where there is none.
    stated_unit
        Its unit as written (UCUM where the format has it): ``mm``, ``cm``, ``1`` (uncalibrated), ``px``, empty.
    """

    pixels: tuple[PixelPoint, PixelPoint] | None = None
    lps_mm: tuple[Vector3, Vector3] | None = None
    stated_length: float | None = None
    stated_unit: str = ""


class OutlineShape(StrEnum):
    """What the points of a marked outline are (PS3.3 C.18.6.1.2)."""

    POLYGON = "polygon"
    """Corners in order; the last one joins the first, and may repeat it."""
    ELLIPSE = "ellipse"
    """Four ends of two lines through the middle."""
    CIRCLE = "circle"
    """The middle and a point on the rim."""


@dataclass(frozen=True)
class MarkedOutline:
    """A closed shape as its writer stored it; its diameters are found in mm, once it lies in the patient.

    UIDs and frame number are those of what it lies on. Exactly one of ``pixels`` and ``lps_mm`` is given.

    Parameters
    ----------
    stated_long, stated_short
        The diameters that the writer put beside it, (number, unit as written).
    """

    shape: OutlineShape
    pixels: tuple[PixelPoint, ...] | None = None
    lps_mm: tuple[Vector3, ...] | None = None
    sop_instance_uid: str = ""
    frame_number: int | None = None
    frame_of_reference_uid: str = ""
    stated_long: tuple[float | None, str] = (None, "")
    stated_short: tuple[float | None, str] = (None, "")


@dataclass(frozen=True)
class UnnamedLine:
    """A line of which the writer does not say which axis it is, and the image that it lies on.

    ``as_long`` and ``as_short`` are the same line with the number stated for either axis.
    """

    as_long: MarkedAxis
    as_short: MarkedAxis
    sop_instance_uid: str
    frame_number: int | None = None
    frame_of_reference_uid: str = ""


@dataclass(frozen=True)
class SourceDocument:
    """Where measurements came from.

    Parameters
    ----------
    format
        ``dicom-sr-tid1500``, ``dicom-sr``, ``aim-v3``, ``aim-v4``, ``rtstruct``, ``csv``, ``json``.
    document_uid
        SOP Instance UID, AIM unique identifier, or for files without one a UID derived from the content's hash.
    writer
        Manufacturer or tool, as stated.
    """

    format: str
    document_uid: str
    writer: str = ""


@dataclass(frozen=True)
class MarkedMeasurement:
    """One lesion's measurement as read from a document, not yet placed in the patient.

    Parameters
    ----------
    measurement_uid
        Derived from the document and the measurement's place in it; stable over re-reading the same document.
    sop_instance_uid, frame_number
        The referenced image; empty when the document gives patient coordinates only.
    frame_of_reference_uid
        Of patient coordinates, where stated.
    patient_id
        As the document states it; may differ from the CT's.
    tracking_identifier, tracking_uid
        As written. ``tracking_uid_is_stable`` is False for writers that make a new one at every save.
    label
        What a person called the lesion (comment, free-text finding, name), or empty.
    long_axis, short_axis
        Lines in any order of length; None for statements without a line (absent, too small ...), and where outlines
        or unnamed lines give the axis.
    outlines
        Of one lesion, on one or several slices; the axes are the diameters of the one with the greatest.
    unnamed_lines
        The longest one is the long axis where none is named: which one that is shows in mm only.
    second_is_short
        Whether the longest of the other unnamed lines is the short axis where none is named.
    passed_over
        Why this is nothing that could be measured, in words without a full stop: it is named, and counts nowhere.
    reader, device
        Who measured: the person's name, empty where none is stated; the device's, where it measured by itself.
    """

    measurement_uid: str
    source: SourceDocument
    patient_id: str = ""
    study_instance_uid: str = ""
    series_instance_uid: str = ""
    sop_instance_uid: str = ""
    frame_number: int | None = None
    frame_of_reference_uid: str = ""
    long_axis: MarkedAxis | None = None
    short_axis: MarkedAxis | None = None
    outlines: tuple[MarkedOutline, ...] = ()
    unnamed_lines: tuple[UnnamedLine, ...] = ()
    second_is_short: bool = False
    passed_over: str = ""
    label: str = ""
    tracking_identifier: str = ""
    tracking_uid: str = ""
    tracking_uid_is_stable: bool = True
    finding_type: Code | None = None
    site: Code | None = None
    nodal: bool | None = None
    role: LesionRole | None = None
    state: LesionState = LesionState.MEASURED
    comment: str = ""
    reader: str = ""
    device: str = ""
    measured_at: datetime.datetime | None = None
    findings: tuple[Finding, ...] = field(default=())


@dataclass(frozen=True)
class Measurement:
    """One lesion at one time point by one reader, end points in LPS mm.

    ``long_axis`` is the longer line. Both axes are None when ``state`` needs none. ``stated_*_mm`` are kept beside
    the recomputed lengths only where they differ beyond tolerance or could not be compared. ``frame_of_reference_uid``
    and ``slice_normal_lps`` (unit vector) are those of the image that the axes lie on, empty and None where unknown.
    ``doubt`` says why it is not certain that the measurement counts; a person decides then.
    """

    measurement_uid: str
    source: SourceDocument
    study_instance_uid: str
    series_instance_uid: str
    sop_instance_uid: str
    frame_number: int | None
    long_axis: Axis | None
    short_axis: Axis | None
    state: LesionState
    label: str = ""
    tracking_identifier: str = ""
    tracking_uid: str = ""
    tracking_uid_is_stable: bool = True
    finding_type: Code | None = None
    site: Code | None = None
    nodal: bool | None = None
    role: LesionRole | None = None
    comment: str = ""
    reader: str = ""
    device: str = ""
    measured_at: datetime.datetime | None = None
    frame_of_reference_uid: str = ""
    slice_normal_lps: Vector3 | None = None
    slice_thickness_mm: float | None = None
    modality: str = "CT"
    stated_long_mm: float | None = None
    stated_short_mm: float | None = None
    doubt: str = ""
    findings: tuple[Finding, ...] = field(default=())
