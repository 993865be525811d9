"""From a data set's attributes to image planes: single-frame images and enhanced multi-frame ones."""

import datetime
import math

import numpy as np
from pydicom.dataset import Dataset
from pydicom.uid import CTImageStorage, EnhancedCTImageStorage, LegacyConvertedEnhancedCTImageStorage

from dicom_node.parser_errors import PARSER_ERRORS
from tumorresp.domain.errors import InvalidGeometry
from tumorresp.domain.geometry import ImagePlane, Vector3, vector3
from tumorresp.domain.scan_times import ScanTimes
from tumorresp.domain.series_look import SeriesLook

# Unit vectors are written with a few decimals; beyond this the orientation is wrong, not rounded.
_ORIENTATION_TOLERANCE = 0.01
# Their pixels are not an image of a slice, though they may state a position.
_NOT_SLICES = frozenset(("SEG", "RTDOSE"))
_CT_IMAGES = frozenset((CTImageStorage, EnhancedCTImageStorage, LegacyConvertedEnhancedCTImageStorage))
_ACQUISITION_DATES = ("AcquisitionDate", "AcquisitionDateTime", "FrameAcquisitionDateTime")
_REMEDY = "Export the original axial series again."


def planes_of(dataset: Dataset, *, where: str) -> tuple[ImagePlane, ...]:
    """Return the plane of an image, or one plane a frame (PS3.3 C.7.6.2 and C.7.6.16.2).

    Parameters
    ----------
    where
        What an error calls the image: its file name.

    Returns
    -------
    tuple of ImagePlane
        In frame order; empty for what is no image of a slice.

    Raises
    ------
    InvalidGeometry
        If a CT image states no usable position or orientation.
    """
    try:
        is_multi_frame = bool(dataset.get("PerFrameFunctionalGroupsSequence"))
        if not _is_of_slices(dataset, is_multi_frame=is_multi_frame):
            return ()
        return tuple(
            _plane(dataset, items, number if is_multi_frame else None, where)
            for number, items in enumerate(frame_items(dataset), start=1)
        )
    except PARSER_ERRORS as error:
        raise InvalidGeometry(
            f"a number that places the image cannot be read ({type(error).__name__}).", where=where, remedy=_REMEDY
        ) from error


def _is_of_slices(dataset: Dataset, *, is_multi_frame: bool) -> bool:
    if "Rows" not in dataset or "Columns" not in dataset or str(dataset.get("Modality")) in _NOT_SLICES:
        return False
    return is_multi_frame or "ImagePositionPatient" in dataset or str(dataset.get("SOPClassUID")) in _CT_IMAGES


def frame_items(dataset: Dataset) -> list[list[Dataset]]:
    """Return for each frame where its attributes may stand: its own functional groups, the shared ones, the data set.

    A single-frame image gives one list that holds the data set.
    """
    per_frame = dataset.get("PerFrameFunctionalGroupsSequence")
    if not per_frame:
        return [[dataset]]
    shared = [item for group in dataset.get("SharedFunctionalGroupsSequence") or () for item in _macros(group)]
    return [[*_macros(group), *shared, dataset] for group in per_frame]


def first_value(items: list[Dataset], keyword: str) -> object | None:
    """Return the first value of an attribute that is present and not empty, or None."""
    for item in items:
        value = item.get(keyword)
        if value is not None and value != "":
            return value
    return None


def image_type_of(dataset: Dataset) -> tuple[str, ...]:
    """Return the values of Image Type (0008,0008) in upper case; empty when absent."""
    value = dataset.get("ImageType")
    values = [value] if isinstance(value, str) else list(value or ())
    return tuple(str(part).strip().upper() for part in values)


def study_date_of(dataset: Dataset) -> datetime.date | None:
    """Return the Study Date, else the Series or the Acquisition Date; None when none can be read."""
    times = scan_times_of(dataset, [dataset])
    return times.study or times.series or times.acquisition


def scan_times_of(dataset: Dataset, items: list[Dataset]) -> ScanTimes:
    """Return what an image says of when it was made.

    The acquisition's date is Acquisition Date (0008,0022), else that of Acquisition DateTime (0008,002A) or Frame
    Acquisition DateTime (0018,9074).

    Parameters
    ----------
    items
        Where attributes of a frame may stand; see ``frame_items``.
    """
    acquired = (_date(first_value(items, name)) for name in _ACQUISITION_DATES)
    return ScanTimes(
        study=_date(dataset.get("StudyDate")),
        series=_date(dataset.get("SeriesDate")),
        acquisition=next((date for date in acquired if date is not None), None),
        time_point_id=str(dataset.get("ClinicalTrialTimePointID") or "").strip(),
        offset_days=_number(dataset.get("LongitudinalTemporalOffsetFromEvent")),
    )


def _date(value: object) -> datetime.date | None:
    """Return the day of a DA or DT value, also in the old form with full stops; None when it cannot be read."""
    text = str(value or "").strip()
    digits = text.replace(".", "") if text[4:5] == "." else text
    try:
        return datetime.date(int(digits[:4]), int(digits[4:6]), int(digits[6:8]))
    except ValueError:
        return None


def _text(value: object) -> str:
    return str(value or "").strip()


def _number(value: object) -> float | None:
    try:
        number = float(str(value))
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _macros(group: Dataset) -> list[Dataset]:
    """Return the first item of each sequence of a functional group."""
    return [element.value[0] for element in group if element.VR == "SQ" and element.value]


def _plane(dataset: Dataset, items: list[Dataset], frame_number: int | None, where: str) -> ImagePlane:
    position = _numbers(items, "ImagePositionPatient", 3)
    orientation = _numbers(items, "ImageOrientationPatient", 6)
    if position is None or orientation is None:
        absent = "Image Position (Patient) (0020,0032)" if position is None else "Image Orientation (0020,0037)"
        raise InvalidGeometry(f"{absent} is missing or has no finite numbers.", where=where, remedy=_REMEDY)
    along_row, along_column = _directions(orientation, where)
    spacing = _numbers(items, "PixelSpacing", 2)
    calibrated = spacing is not None and min(spacing) > 0
    row_mm, column_mm = spacing if calibrated and spacing else (1.0, 1.0)
    thickness = _numbers(items, "SliceThickness", 1)
    return ImagePlane(
        sop_instance_uid=str(dataset.get("SOPInstanceUID") or ""),
        frame_number=frame_number,
        series_instance_uid=str(dataset.get("SeriesInstanceUID") or ""),
        study_instance_uid=str(dataset.get("StudyInstanceUID") or ""),
        frame_of_reference_uid=str(dataset.get("FrameOfReferenceUID") or ""),
        patient_id=str(dataset.get("PatientID") or "").strip(),
        origin_lps_mm=vector3(position),
        column_step_lps_mm=vector3(np.multiply(along_row, column_mm)),
        row_step_lps_mm=vector3(np.multiply(along_column, row_mm)),
        rows=int(dataset.Rows),
        columns=int(dataset.Columns),
        slice_thickness_mm=thickness[0] if thickness and thickness[0] > 0 else None,
        modality=str(dataset.get("Modality") or "").strip(),
        calibrated=calibrated,
        acquired_on=study_date_of(dataset),
        times=scan_times_of(dataset, items),
        look=SeriesLook(_text(dataset.get("SeriesDescription")), _text(dataset.get("ContrastBolusAgent"))),
    )


def _directions(orientation: tuple[float, ...], where: str) -> tuple[Vector3, Vector3]:
    """Return the exact unit vectors of Image Orientation (Patient)."""
    along_row, along_column = np.asarray(orientation[:3]), np.asarray(orientation[3:])
    lengths = float(np.linalg.norm(along_row)), float(np.linalg.norm(along_column))
    skew = abs(float(np.dot(along_row, along_column)))
    if max(abs(lengths[0] - 1), abs(lengths[1] - 1), skew) > _ORIENTATION_TOLERANCE:
        raise InvalidGeometry(
            "Image Orientation (Patient) (0020,0037) must hold two perpendicular unit vectors.",
            where=where,
            remedy=_REMEDY,
        )
    return vector3(along_row / lengths[0]), vector3(along_column / lengths[1])


def _numbers(items: list[Dataset], keyword: str, count: int) -> tuple[float, ...] | None:
    """Return the finite numbers of an attribute; None when absent or of another count."""
    value = first_value(items, keyword)
    if value is None:
        return None
    parts = [value] if isinstance(value, str | float | int) else list(value)  # type: ignore[call-overload]
    numbers = tuple(float(part) for part in parts)
    return numbers if len(numbers) == count and all(math.isfinite(number) for number in numbers) else None
