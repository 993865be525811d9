"""Picks the reader that knows a file."""

from pathlib import Path

from dicom_node.measurements.aim import AimReader
from dicom_node.measurements.csv_table import CsvReader
from dicom_node.measurements.json_document import JsonReader
from dicom_node.measurements.pixel_origin import PixelOrigin
from dicom_node.measurements.rtstruct import StructureSetReader
from dicom_node.measurements.structured_report import StructuredReportReader
from tumorresp.domain.errors import UnknownFormat
from tumorresp.domain.measurement import MarkedMeasurement
from tumorresp.ports import MeasurementReader


def readers(pixel_origin: PixelOrigin = "dicom") -> tuple[MeasurementReader, ...]:
    """Return all readers, in the order in which they are asked."""
    return (
        StructuredReportReader(pixel_origin),
        StructureSetReader(),
        AimReader(pixel_origin),
        JsonReader(),
        CsvReader(),
    )


def read_measurements(path: Path, *, pixel_origin: PixelOrigin = "dicom") -> tuple[MarkedMeasurement, ...]:
    """Read every measurement of a file of any known format.

    Parameters
    ----------
    pixel_origin
        Where pixel coordinates of structured reports and AIM begin; CSV and JSON say it themselves.

    Raises
    ------
    UnknownFormat
        If no reader knows the file.
    InvalidInput
        If it is of a known format but cannot be understood.
    """
    for reader in readers(pixel_origin):
        if reader.can_read(path):
            return tuple(reader.read(path))
    raise UnknownFormat(
        "no reader knows this file; expected a DICOM SR or RTSTRUCT, AIM XML, or CSV or JSON of measurements.",
        where=path.name,
    )
