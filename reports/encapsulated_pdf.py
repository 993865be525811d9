"""The PDF report as a DICOM object, for a PACS that shows neither SEG nor SR (PS3.3 A.45.1)."""

from pydicom.dataset import Dataset
from pydicom.uid import EncapsulatedPDFStorage

from reports.derived_object import MANUFACTURER, MODEL, SERIAL_NUMBER, ReportContext, settle
from reports.source_images import copy_study
from tumorresp.domain.version import SOFTWARE_VERSION

KIND = "PDF"


def build_encapsulated_pdf(pdf: bytes, title: str, study_image: Dataset, context: ReportContext) -> Dataset:
    """Build an Encapsulated PDF.

    Parameters
    ----------
    pdf
        The document.
    title
        Shown by viewers; at most 1024 characters.
    study_image
        A CT instance of the same study.
    """
    document = Dataset()
    document.SOPClassUID = EncapsulatedPDFStorage
    document.SOPInstanceUID = context.instance_uid(KIND)
    copy_study(study_image, document)
    document.Modality = "DOC"
    document.ConversionType = "WSD"
    document.SeriesInstanceUID = context.series_uid(KIND)
    document.SeriesNumber = 9004
    document.SeriesDescription = context.described("Tumour response report")
    document.SeriesDate = document.SeriesTime = ""
    document.Manufacturer = MANUFACTURER
    document.ManufacturerModelName = MODEL
    document.SoftwareVersions = SOFTWARE_VERSION
    document.DeviceSerialNumber = SERIAL_NUMBER
    document.InstanceNumber = 1
    document.ContentDate = document.ContentTime = ""
    document.AcquisitionDateTime = ""
    document.BurnedInAnnotation = "YES"  # the page names the Patient ID
    document.DocumentTitle = title
    document.ConceptNameCodeSequence = []
    document.MIMETypeOfEncapsulatedDocument = "application/pdf"
    document.EncapsulatedDocumentLength = len(pdf)
    document.EncapsulatedDocument = pdf + b"\0" * (len(pdf) % 2)
    settle(document, context)
    return document
