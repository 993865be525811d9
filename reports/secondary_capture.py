"""Overlay pictures as Secondary Capture, for a PACS that shows neither SEG nor SR (PS3.3 A.8.1)."""

import numpy as np
from highdicom.sc import SCImage
from pydicom.dataset import Dataset

from reports.derived_object import MANUFACTURER, MODEL, ReportContext, settle
from reports.overlay import Picture
from reports.source_images import copy_study
from tumorresp.domain.geometry import Vector3, VolumeGeometry
from tumorresp.domain.version import SOFTWARE_VERSION

KIND = "SC"
# Toward growing L, P and S, and the other way (PS3.3 C.7.6.1.1.1).
_LETTERS = (("L", "R"), ("P", "A"), ("H", "F"))
_OBLIQUE = 0.35


def build_secondary_capture(
    picture: Picture, number: int, words: str, geometry: VolumeGeometry, source: Dataset, context: ReportContext
) -> Dataset:
    """Build a Secondary Capture of a whole slice with its overlays.

    Parameters
    ----------
    picture
        (row, column, 3) RGB, drawn along the rows and columns of the CT.
    number
        Instance number, from 1.
    words
        What the picture shows; becomes the image comment.
    geometry
        Of the CT volume: says which way the rows and columns run.
    source
        The CT instance that the picture was drawn from.
    """
    series = str(source.SeriesInstanceUID)
    capture = SCImage(
        pixel_array=picture,
        photometric_interpretation="RGB",
        bits_allocated=8,
        coordinate_system="PATIENT",
        study_instance_uid=str(source.StudyInstanceUID),
        series_instance_uid=context.series_uid(KIND),
        series_number=9003,
        sop_instance_uid=context.instance_uid(KIND, f"{series} {number}"),
        instance_number=number,
        manufacturer=MANUFACTURER,
        patient_id=str(source.get("PatientID") or ""),
        patient_name=source.get("PatientName"),
        patient_orientation=(
            orientation_letters(geometry.column_step_lps_mm),
            orientation_letters(geometry.row_step_lps_mm),
        ),
        series_description=context.described("Lesion overlays"),
    )
    copy_study(source, capture)
    capture.ManufacturerModelName = MODEL
    capture.SoftwareVersions = SOFTWARE_VERSION
    capture.Laterality = ""
    capture.ImageComments = words
    capture.BurnedInAnnotation = "NO"  # lesion IDs only, nothing that names the patient
    reference = Dataset()
    reference.ReferencedSOPClassUID = source.SOPClassUID
    reference.ReferencedSOPInstanceUID = source.SOPInstanceUID
    capture.SourceImageSequence = [reference]
    settle(capture, context)
    return capture


def orientation_letters(direction_lps: Vector3) -> str:
    """Return Patient Orientation's letters of a direction, the strongest first."""
    unit = np.asarray(direction_lps) / np.linalg.norm(direction_lps)
    order = sorted(range(3), key=lambda axis: -abs(unit[axis]))
    named = [axis for axis in order if abs(unit[axis]) >= _OBLIQUE] or order[:1]
    return "".join(_LETTERS[axis][0 if unit[axis] > 0 else 1] for axis in named)
