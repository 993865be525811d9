"""Small CT series in any position, for tests of what is written about them."""

import datetime
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, EnhancedCTImageStorage, ExplicitVRLittleEndian

from tumorresp.domain.ct_volume import CtVolume
from tumorresp.domain.evaluation import Lesion, LesionEvaluation, TimePoint, TimePointEvaluation
from tumorresp.domain.identity import derived_uid
from tumorresp.domain.measurement import Axis, LesionRole, LesionState, Measurement, SourceDocument
from tumorresp.domain.segmentation import LesionMask, SegmenterIdentity

AXIAL = np.eye(3)
"""Columns: direction of growing column, of growing row, and of growing slice, LPS."""

STUDY = "2.25.101"
SERIES = "2.25.102"
NETWORK = SegmenterIdentity("test-network", "2.1", "ab" * 32, (("margin_mm", "3"), ("threshold", "0.5")))


def write_small_ct(
    folder: Path,
    shape: tuple[int, int, int] = (5, 9, 7),
    directions: np.ndarray = AXIAL,
    spacing: tuple[float, float, float] = (2.5, 0.8, 0.7),
    *,
    slice_step: np.ndarray | None = None,
    series: str = SERIES,
    **attributes: object,
) -> list[Path]:
    """Write slices in slice order; ``slice_step`` (mm, LPS) shears the volume, None attributes are left out."""
    folder.mkdir(parents=True, exist_ok=True)
    step = directions[:, 2] * spacing[0] if slice_step is None else slice_step
    paths = []
    for index in range(shape[0]):
        image = _image(shape, directions, spacing, series)
        image.SOPInstanceUID = derived_uid("small ct", series, str(index))
        image.InstanceNumber = shape[0] - index
        image.ImagePositionPatient = [f"{v:.6f}"[:16] for v in np.array([-31.0, 12.0, 250.0]) + index * step]
        for keyword, value in attributes.items():
            if value is None:
                delattr(image, keyword)
            else:
                setattr(image, keyword, value)
        paths.append(_save(image, CTImageStorage, folder / f"{index:03}.dcm"))
    return paths


def write_small_enhanced_ct(folder: Path, shape: tuple[int, int, int] = (4, 9, 7)) -> Path:
    """Write one multi-frame instance whose frames run against the slices."""
    folder.mkdir(parents=True, exist_ok=True)
    image = _image(shape, AXIAL, (2.5, 0.8, 0.7), SERIES)
    for keyword in ("ImageOrientationPatient", "PixelSpacing", "RescaleIntercept", "RescaleSlope"):
        delattr(image, keyword)
    image.SOPInstanceUID = derived_uid("small enhanced ct")
    image.InstanceNumber = 1
    image.NumberOfFrames = shape[0]
    image.PixelData = np.zeros(shape, "<i2").tobytes()
    shared, orientation, measures, values = Dataset(), Dataset(), Dataset(), Dataset()
    orientation.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    measures.PixelSpacing, measures.SliceThickness = ["0.8", "0.7"], "2.5"
    values.RescaleIntercept, values.RescaleSlope, values.RescaleType = "0", "1", "HU"
    shared.PlaneOrientationSequence = [orientation]
    shared.PixelMeasuresSequence = [measures]
    shared.PixelValueTransformationSequence = [values]
    image.SharedFunctionalGroupsSequence = [shared]
    frames = []
    for number in range(shape[0]):
        frame, position = Dataset(), Dataset()
        position.ImagePositionPatient = [0, 0, f"{2.5 * (shape[0] - number)}"]
        frame.PlanePositionSequence = [position]
        frames.append(frame)
    image.PerFrameFunctionalGroupsSequence = frames
    return _save(image, EnhancedCTImageStorage, folder / "enhanced.dcm")


def lesion_on(
    volume: CtVolume,
    voxels: np.ndarray,
    name: str = "T01",
    *,
    nodal: bool = False,
    segmenter: SegmenterIdentity = NETWORK,
    **measured: object,
) -> LesionEvaluation:
    """Return a target lesion with a mask of the whole volume's shape and no numbers."""
    uid = derived_uid("measurement", name)
    lesion = Lesion(name, derived_uid("lesion", name), LesionRole.TARGET, nodal, "lymph node" if nodal else "lung")
    values: dict = {
        "measurement_uid": uid,
        "source": SourceDocument("test", "2.25.1"),
        "study_instance_uid": STUDY,
        "series_instance_uid": volume.series_instance_uid,
        "sop_instance_uid": volume.planes[0].sop_instance_uid,
        "frame_number": None,
        "long_axis": None,
        "short_axis": None,
        "state": LesionState.PRESENT,
    }
    key = int(np.argmax(voxels.any(axis=(1, 2))))
    mask = LesionMask.from_volume(voxels, volume.geometry, measurement_uid=uid, segmenter=segmenter, key_slice=key)
    return LesionEvaluation(lesion, Measurement(**(values | measured)), mask, None)


def axis_on_slice(volume: CtVolume, slice_index: int, first: tuple[float, float], last: tuple[float, float]) -> Axis:
    """Return a line between two (row, column) positions of a slice."""
    ends = [tuple(volume.geometry.index_to_lps((slice_index, *point)).tolist()) for point in (first, last)]
    return Axis(ends[0], ends[1])


def time_point_of(*lesions: LesionEvaluation, order: int = 1, study: str = STUDY) -> TimePointEvaluation:
    """Return a time point without assessments."""
    point = TimePoint(f"tp-{order}", datetime.date(2024, 1, order), order)
    return TimePointEvaluation(point, study, lesions, (), ())


def _image(shape: tuple[int, int, int], directions: np.ndarray, spacing: tuple[float, float, float], series: str):
    image = Dataset()
    image.SpecificCharacterSet = "ISO_IR 192"
    image.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    image.StudyDate, image.StudyTime, image.AccessionNumber, image.StudyID = "20240105", "101112", "", "S1"
    image.Modality, image.Manufacturer, image.ReferringPhysicianName = "CT", "test", ""
    image.PatientName, image.PatientID, image.PatientBirthDate, image.PatientSex = "Testa^Ünal", "P1", "", "O"
    image.StudyInstanceUID, image.SeriesInstanceUID = STUDY, series
    image.FrameOfReferenceUID, image.PositionReferenceIndicator = "2.25.103", ""
    image.SeriesNumber = 1
    image.SliceThickness = "2.5"
    image.ImageOrientationPatient = [f"{value:.10f}"[:16] for value in directions[:, :2].T.reshape(-1)]
    image.PixelSpacing = [f"{spacing[1]:g}", f"{spacing[2]:g}"]
    image.Rows, image.Columns = shape[1:]
    image.SamplesPerPixel, image.PhotometricInterpretation = 1, "MONOCHROME2"
    image.BitsAllocated, image.BitsStored, image.HighBit, image.PixelRepresentation = 16, 16, 15, 1
    image.RescaleIntercept, image.RescaleSlope = "0", "1"
    image.PixelData = np.zeros(shape[1:], "<i2").tobytes()
    return image


def _save(image: Dataset, sop_class: str, path: Path) -> Path:
    image.SOPClassUID = sop_class
    image.file_meta = FileMetaDataset()
    image.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    image.file_meta.MediaStorageSOPClassUID = sop_class
    image.file_meta.MediaStorageSOPInstanceUID = image.SOPInstanceUID
    image.save_as(path, enforce_file_format=True)
    return path
