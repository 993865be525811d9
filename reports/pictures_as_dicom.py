"""For a PACS that shows neither SEG nor SR: overlays as Secondary Capture, the PDF as Encapsulated PDF."""

from collections.abc import Mapping

from highdicom.sc import SCImage
from pydicom.dataset import Dataset
from pydicom.uid import EncapsulatedPDFStorage

from reports.derived_object import MANUFACTURER, MODEL, ReportContext, settle
from reports.overlay import Picture
from tumorresp.domain.version import SOFTWARE_VERSION

CAPTURE_KIND = "SC"
PDF_KIND = "PDF"
_STUDY_ATTRIBUTES = (
    "PatientID",
    "PatientName",
    "PatientBirthDate",
    "PatientSex",
    "StudyInstanceUID",
    "StudyDate",
    "StudyTime",
    "StudyID",
    "AccessionNumber",
    "ReferringPhysicianName",
)


def build_overlay_capture(picture: Picture, number: int, words: str, like: Dataset, context: ReportContext) -> Dataset:
    """Build a Secondary Capture of an overlay picture.

    Parameters
    ----------
    picture
        (row, column, 3) RGB.
    number
        Instance number, from 1.
    words
        What the picture shows; becomes the image comment.
    like
        A CT instance of the same study.
    """
    capture = SCImage(
        pixel_array=picture,
        photometric_interpretation="RGB",
        bits_allocated=8,
        coordinate_system="PATIENT",
        study_instance_uid=str(like.StudyInstanceUID),
        series_instance_uid=context.series_uid(CAPTURE_KIND),
        series_number=9003,
        sop_instance_uid=context.instance_uid(CAPTURE_KIND, str(number)),
        instance_number=number,
        manufacturer=MANUFACTURER,
        patient_id=str(like.get("PatientID") or ""),
        patient_name=like.get("PatientName"),
        patient_orientation=("L", "P"),
        series_description="Lesion overlays",
    )
    _copy_study(like, capture)
    capture.ManufacturerModelName = MODEL
    capture.SoftwareVersions = SOFTWARE_VERSION
    capture.ImageComments = words
    settle(capture, context)
    return capture


def build_encapsulated_pdf(pdf: bytes, title: str, like: Dataset, context: ReportContext) -> Dataset:
    """Build an Encapsulated PDF (PS3.3 A.45.1) of a report.

    Parameters
    ----------
    pdf
        The document.
    like
        A CT instance of the same study.
    """
    document = Dataset()
    document.SOPClassUID = EncapsulatedPDFStorage
    document.SOPInstanceUID = context.instance_uid(PDF_KIND)
    document.SpecificCharacterSet = "ISO_IR 192"
    _copy_study(like, document)
    document.Modality = "DOC"
    document.ConversionType = "WSD"
    document.SeriesInstanceUID = context.series_uid(PDF_KIND)
    document.SeriesNumber = 9004
    document.SeriesDescription = "Tumour response report"
    document.SeriesDate = document.SeriesTime = ""
    document.Manufacturer = MANUFACTURER
    document.ManufacturerModelName = MODEL
    document.SoftwareVersions = SOFTWARE_VERSION
    document.DeviceSerialNumber = "1"
    document.InstanceNumber = 1
    document.ContentDate = document.ContentTime = ""
    document.AcquisitionDateTime = ""
    document.BurnedInAnnotation = "YES"
    document.DocumentTitle = title
    document.ConceptNameCodeSequence = []
    document.MIMETypeOfEncapsulatedDocument = "application/pdf"
    document.EncapsulatedDocumentLength = len(pdf)
    document.EncapsulatedDocument = pdf + b"\0" * (len(pdf) % 2)
    settle(document, context)
    return document


def _copy_study(like: Dataset, into: Dataset) -> None:
    attributes: Mapping[str, object] = {keyword: like.get(keyword, "") for keyword in _STUDY_ATTRIBUTES}
    for keyword, value in attributes.items():
        setattr(into, keyword, value if value is not None else "")
