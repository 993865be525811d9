"""Structured reports made item by item, so that every writer's habits can be imitated."""

from collections.abc import Sequence
from pathlib import Path

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ComprehensiveSRStorage, CTImageStorage, ExplicitVRLittleEndian

IMAGE = "1.2.3.7"
CODES = {
    "group": ("125007", "DCM", "Measurement Group"),
    "long": ("103339001", "SCT", "Long Axis"),
    "short": ("103340004", "SCT", "Short Axis"),
    "long srt": ("G-A185", "SRT", "Long Axis"),
    "short srt": ("G-A186", "SRT", "Short Axis"),
    "length": ("410668003", "SCT", "Length"),
    "tracking": ("112039", "DCM", "Tracking Identifier"),
    "tracking uid": ("112040", "DCM", "Tracking Unique Identifier"),
    "finding": ("121071", "DCM", "Finding"),
    "site": ("363698007", "SCT", "Finding Site"),
    "site srt": ("G-C0E3", "SRT", "Finding Site"),
    "comment": ("121106", "DCM", "Comment"),
    "region": ("111030", "DCM", "Image Region"),
    "observer": ("121008", "DCM", "Person Observer Name"),
    "role": ("lesion-role", "99TUMORRESP", "Lesion Role"),
    "state": ("lesion-state", "99TUMORRESP", "Lesion State"),
    "category": ("276214006", "SCT", "Finding category"),
}


def code(value: str, scheme: str, meaning: str) -> Dataset:
    item = Dataset()
    setattr(item, "CodeValue" if len(value) <= 16 or scheme == "CST4" else "LongCodeValue", value)
    item.CodingSchemeDesignator, item.CodeMeaning = scheme, meaning
    return item


def named(name: str | tuple[str, str, str]) -> Dataset:
    return code(*(CODES[name] if isinstance(name, str) else name))


def item(
    value_type: str, name: str | tuple[str, str, str] | None, *children: Dataset, relation: str = "CONTAINS"
) -> Dataset:
    """Return a content item; ``name`` is a key of CODES or a code."""
    made = Dataset()
    made.RelationshipType, made.ValueType = relation, value_type
    if name is not None:
        made.ConceptNameCodeSequence = [named(name)]
    if value_type == "CONTAINER":
        made.ContinuityOfContent = "SEPARATE"
    if children:
        made.ContentSequence = list(children)
    return made


def container(name: str | tuple[str, str, str], *children: Dataset) -> Dataset:
    return item("CONTAINER", name, *children)


def text(name: str, value: str) -> Dataset:
    made = item("TEXT", name)
    made.TextValue = value
    return made


def uid(name: str, value: str) -> Dataset:
    made = item("UIDREF", name, relation="HAS OBS CONTEXT")
    made.UID = value
    return made


def coded(name: str | tuple[str, str, str], value: tuple[str, str, str], relation: str = "CONTAINS") -> Dataset:
    made = item("CODE", name, relation=relation)
    made.ConceptCodeSequence = [code(*value)]
    return made


def image(sop_instance_uid: str = IMAGE, frames: Sequence[int] = ()) -> Dataset:
    made = item("IMAGE", None, relation="SELECTED FROM")
    reference = Dataset()
    reference.ReferencedSOPClassUID, reference.ReferencedSOPInstanceUID = CTImageStorage, sop_instance_uid
    if frames:
        reference.ReferencedFrameNumber = list(frames)
    made.ReferencedSOPSequence = [reference]
    return made


def scoord(
    data: Sequence[float], *children: Dataset, kind: str = "POLYLINE", name: str | tuple[str, str, str] | None = None
) -> Dataset:
    made = item("SCOORD", name, *children, relation="INFERRED FROM")
    made.GraphicType, made.GraphicData = kind, list(data)
    return made


def scoord3d(data: Sequence[float], frame_of_reference: str = "1.2.3.5", *, kind: str = "POLYLINE") -> Dataset:
    made = item("SCOORD3D", None, relation="INFERRED FROM")
    made.GraphicType, made.GraphicData = kind, list(data)
    made.ReferencedFrameOfReferenceUID = frame_of_reference
    return made


def number(
    name: str | tuple[str, str, str], value: str | None, *children: Dataset, unit: tuple[str, str, str] | None = None
) -> Dataset:
    made = item("NUM", name, *children)
    measured = Dataset()
    if value is not None:
        measured.NumericValue = value
    measured.MeasurementUnitsCodeSequence = [code(*(unit or ("mm", "UCUM", "millimeter")))]
    made.MeasuredValueSequence = [measured]
    return made


def group(*children: Dataset) -> Dataset:
    return container("group", *children)


def report(*children: Dataset) -> Dataset:
    made = Dataset()
    made.SOPClassUID, made.SOPInstanceUID = ComprehensiveSRStorage, "1.2.3.9"
    made.StudyInstanceUID, made.SeriesInstanceUID = "1.2.3.1", "1.2.3.2"
    made.Modality, made.Manufacturer = "SR", "Maker"
    made.PatientID, made.PatientName = "CANARY-4711", "Canary^Yellow"
    made.ContentDate, made.ContentTime = "20240229", "101112.5"
    made.ValueType = "CONTAINER"
    made.ConceptNameCodeSequence = [code("126000", "DCM", "Imaging Measurement Report")]
    made.ContentSequence = list(children)
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made.file_meta.MediaStorageSOPClassUID = made.SOPClassUID
    made.file_meta.MediaStorageSOPInstanceUID = made.SOPInstanceUID
    return made


def write(path: Path, document: Dataset) -> Path:
    document.save_as(path, enforce_file_format=True)
    return path
