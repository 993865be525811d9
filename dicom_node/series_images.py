"""The images of a CT series, frame by frame: where they lie, and what tells one stack and one unit from another."""

import re
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydicom.dataset import Dataset

from dicom_node.hounsfield import states_rescale
from dicom_node.image_planes import first_value, frame_items, image_type_of, planes_of
from dicom_node.instance_header import read_without_pixels
from dicom_node.parser_errors import PARSER_ERRORS
from tumorresp.domain.disk_failures import raise_if_of_the_disk
from tumorresp.domain.errors import InvalidGeometry, InvalidInput
from tumorresp.domain.finding import Finding, Severity
from tumorresp.domain.geometry import ImagePlane
from tumorresp.domain.image_stacks import StackImage

# What may tell stacks apart, in the order in which it is tried (PS3.3 C.7.6, C.8.2, C.8.15): what was acquired when,
# then how it was reconstructed, then what only accompanies it.
_TELLING = (
    "TemporalPositionIdentifier",
    "TemporalPositionIndex",
    "AcquisitionNumber",
    "StackID",
    "ImageType",
    "NominalPercentageOfCardiacPhase",
    "EchoNumbers",
    "KVP",
    "ContrastBolusAgent",
    "ConvolutionKernel",
    "SliceThickness",
    "ReconstructionDiameter",
    "ReconstructionAlgorithm",
    "FilterType",
    "AcquisitionUID",
    "IrradiationEventUID",
    "AcquisitionDateTime",
    "AcquisitionTime",
    "TriggerTime",
    "ProtocolName",
    "DerivationDescription",
    "ImageComments",
    "RescaleType",
    "WindowCenter",
    "ContentTime",
)
_UNUSABLE: tuple[type[Exception], ...] = (*PARSER_ERRORS, InvalidInput)
_RECONSTRUCTION = ("KVP", "ConvolutionKernel", "ContrastBolusAgent", "SliceThickness")
_PROJECTION = re.compile(r"\b(MIP|MINIP|MAXIP|(MAX|MIN)(IMUM)? (INTENSITY )?(IP|PROJECTION))\b")


@dataclass(frozen=True)
class SeriesImage:
    """One frame of one file that is a slice.

    Parameters
    ----------
    number
        Of the frame, from 0.
    stack
        Its plane, and what may tell its stack from another.
    rescale_stated
        Whether it states a Rescale Slope and Intercept.
    units
        Rescale Type (0028,1054), ``HU`` where none is stated.
    photometric
        Photometric Interpretation (0028,0004).
    image_type
        Image Type (0008,0008) and Frame Type (0008,9007), upper case.
    """

    path: Path
    number: int
    stack: StackImage
    rescale_stated: bool
    units: str
    photometric: str
    image_type: frozenset[str]

    @property
    def plane(self) -> ImagePlane:
        """Where it lies."""
        return self.stack.plane

    @property
    def is_projection(self) -> bool:
        """Whether it shows the greatest or least CT numbers of a slab, which are those of no place in it."""
        return any(_PROJECTION.search(value.replace("_", " ")) for value in self.image_type)

    @property
    def is_derived(self) -> bool:
        """Whether it was made from other images."""
        return "DERIVED" in self.image_type


def read_series_images(paths: Sequence[Path]) -> tuple[list[SeriesImage], list[Finding]]:
    """Return every frame of a series that is a slice, and what was left out, an image at a time.

    Raises
    ------
    InvalidGeometry
        If several series are mixed, an image is no CT, or nothing is left that could be a slice.
    """
    images: list[SeriesImage] = []
    left_out = _LeftOut()
    series: dict[str, str] = {}
    for path in paths:
        try:
            dataset = read_without_pixels(path)
            modality, uid = str(dataset.get("Modality") or ""), str(dataset.get("SeriesInstanceUID") or "")
        except _UNUSABLE as error:
            raise_if_of_the_disk(error)
            left_out.unusable(path.name, error)
            continue
        if modality != "CT":
            raise InvalidGeometry(
                "expected a CT image (Modality (0008,0060)).", where=path.name, remedy="Leave it out of the series."
            )
        series.setdefault(uid, path.name)
        try:
            images += _slices_of(dataset, path, left_out)
        except _UNUSABLE as error:
            raise_if_of_the_disk(error)
            left_out.unusable(path.name, error)
    if len(series) > 1:
        raise InvalidGeometry(
            f"images of {len(series)} series were given as one.", where=", ".join(list(series.values())[:2])
        )
    if not images:
        raise InvalidGeometry(
            f"the series holds no slices{left_out.words()}.",
            where=paths[0].name,
            remedy="Send the axial series that the lesions were measured on.",
        )
    return images, left_out.findings()


class _LeftOut:
    """What of a series is no slice, by kind."""

    def __init__(self) -> None:
        self.localizers: list[str] = []
        self.captures: list[str] = []
        self._unusable: dict[str, str] = {}

    def unusable(self, name: str, error: Exception) -> None:
        self._unusable[name] = error.message if isinstance(error, InvalidInput) else type(error).__name__

    def words(self) -> str:
        if self._unusable:
            return f": {next(iter(self._unusable.values())).rstrip('.')}"
        return ", only localizers (Image Type (0008,0008)) or screen captures"

    def findings(self) -> list[Finding]:
        unusable = [
            f"images could not be placed ({'; '.join(sorted(set(self._unusable.values())))[:300]}) and were left out"
        ]
        return [
            *left_out_finding(
                self.localizers, "localizer-left-out", "planning images (localizers) were left out of the volume"
            ),
            *left_out_finding(
                self.captures, "capture-left-out", "images without a place in the patient were left out of the volume"
            ),
            *left_out_finding(list(self._unusable), "image-left-out", unusable[0]),
        ]


def left_out_finding(names: Sequence[str], code: str, what: str) -> list[Finding]:
    """Return a finding on images that are not in the volume, none where there are none."""
    if not names:
        return []
    return [Finding(code, Severity.WARNING, f"{len(names)} {what}.", ", ".join(sorted(set(names))[:5]))]


def _slices_of(dataset: Dataset, path: Path, left_out: _LeftOut) -> list[SeriesImage]:
    planes = planes_of(dataset, where=path.name)
    if not planes:
        left_out.captures.append(str(dataset.get("SOPInstanceUID") or ""))
    images = []
    for number, (plane, items) in enumerate(zip(planes, frame_items(dataset), strict=False)):
        image_type = frozenset((*image_type_of(dataset), *_texts(items, "FrameType")))
        if "LOCALIZER" in image_type:
            left_out.localizers.append(plane.sop_instance_uid)
            continue
        if not plane.calibrated:
            raise InvalidGeometry("Pixel Spacing (0028,0030) is missing or not positive.", where=path.name)
        images.append(
            SeriesImage(
                path=path,
                number=number,
                stack=StackImage(
                    plane, {name: _value(items, name) for name in _TELLING}, _number_of(dataset, number, len(planes))
                ),
                rescale_stated=states_rescale(items),
                units=str(first_value(items, "RescaleType") or "HU").strip().upper(),
                photometric=str(first_value(items, "PhotometricInterpretation") or "").strip().upper(),
                image_type=image_type,
            )
        )
    return images


def _texts(items: Sequence[Dataset], keyword: str) -> tuple[str, ...]:
    value = first_value(list(items), keyword)
    parts = [value] if isinstance(value, str) else list(value or ())  # type: ignore[call-overload]
    return tuple(str(part).strip().upper() for part in parts)


def _value(items: list[Dataset], keyword: str) -> Hashable:
    value = first_value(items, keyword)
    return None if value is None else str(value).strip()


def _number_of(dataset: Dataset, number: int, frames: int) -> int | None:
    if frames > 1:
        return number
    try:
        return int(dataset.InstanceNumber)
    except PARSER_ERRORS:
        return None


def told_about(images: Sequence[SeriesImage]) -> list[Finding]:
    """Return what a reader should know of the images that were used: plane, derivation, mixed reconstruction."""
    findings = []
    normal = [abs(part) for part in images[0].plane.normal]
    if max(normal) != normal[2]:
        name = "sagittal" if max(normal) == normal[0] else "coronal"
        message = f"The images are {name}, not axial: diameters are those of their plane."
        findings.append(Finding("plane-not-axial", Severity.INFO, message))
    if any(image.is_derived for image in images):
        message = "The images are derived (Image Type (0008,0008)), reformatted or averaged from others."
        findings.append(Finding("images-derived", Severity.INFO, message))
    mixed = [name for name in _RECONSTRUCTION if len({image.stack.attributes[name] for image in images}) > 1]
    if mixed:
        message = f"{', '.join(mixed)} differ within the series; CT numbers and texture may differ with them."
        findings.append(Finding("mixed-reconstruction", Severity.WARNING, message))
    return findings


def units_doubt(images: Sequence[SeriesImage]) -> str:
    """Return why stored values of these images cannot be one scale of CT numbers; empty where they can.

    A missing Rescale Slope or Intercept means CT numbers as they are stored only where no image of the series says
    otherwise: a default applied to some of them shifts these by what the others state. Different values that every
    image states are legal (PS3.3 C.11.1).
    """
    stated = sum(image.rescale_stated for image in images)
    if 0 < stated < len(images):
        return (
            f"{len(images) - stated} of {len(images)} images lack Rescale Slope (0028,1053) or Intercept (0028,1052), "
            "which the others state"
        )
    if len({image.units for image in images}) > 1:
        return f"Rescale Type (0028,1054) differs within the series ({', '.join(sorted({i.units for i in images}))})"
    if len({image.photometric for image in images} & {"MONOCHROME1", "MONOCHROME2"}) > 1:
        return "Photometric Interpretation (0028,0004) differs within the series: some values may be inverted"
    if any(image.is_projection for image in images):
        return "the images are projections of the greatest or least CT numbers of a slab (Image Type (0008,0008))"
    return ""
