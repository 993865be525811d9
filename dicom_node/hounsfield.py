"""From stored pixel values to CT numbers: sign, padding, rescale (PS3.3 C.7.6.16.2.9, C.7.5.1.1.2, C.8.2.1)."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from dicom_node.image_planes import first_value
from tumorresp.domain.errors import InvalidInput
from tumorresp.domain.finding import Finding, Severity

AIR_HU = -1000
# Padding is written far below air or far above bone; a stated padding value between is a CT number that tissue has.
_TISSUE_HU = (-900, 3071)


@dataclass(frozen=True, eq=False)
class FrameNumbers:
    """(row, column) CT numbers of one frame, int16 when exact, else float32, and what was noticed."""

    hu: NDArray[np.int16] | NDArray[np.float32]
    findings: tuple[Finding, ...] = field(default=())


def to_hounsfield(stored: NDArray[np.integer[Any]], items: Sequence[Dataset], *, where: str) -> FrameNumbers:
    """Return CT numbers of one frame's stored values.

    Padding that is written as a CT number between -900 and 3071 HU is kept as it is and reported, because soft
    tissue would be punched out where the statement is wrong.

    Parameters
    ----------
    stored
        (row, column) values as decoded, with the sign of Pixel Representation (0028,0103).
    items
        Where the frame's attributes may stand, nearest first.
    where
        What an error calls the image.

    Raises
    ------
    InvalidInput
        If the image is in colour, its values are no whole numbers, or the rescale is no linear one.
    """
    places = list(items)
    if stored.ndim != 2:
        raise InvalidInput("expected one sample per pixel (0028,0002) in a CT image.", where=where)
    photometric = str(first_value(places, "PhotometricInterpretation") or "MONOCHROME2").strip().upper()
    if not photometric.startswith("MONOCHROME"):
        raise InvalidInput(
            f"expected MONOCHROME2 in Photometric Interpretation (0028,0004) of a CT image, not {photometric}.",
            where=where,
        )
    if stored.dtype.kind not in "iu":
        raise InvalidInput("expected whole numbers in Pixel Data (7FE0,0010) of a CT image.", where=where)
    if first_value(places, "ModalityLUTSequence") is not None:
        raise InvalidInput(
            "a Modality LUT Sequence (0028,3000) is used where CT has Rescale Slope and Intercept.", where=where
        )
    findings = []
    slope, intercept = _rescale(places)
    if slope is None or intercept is None:
        message = "Rescale Slope or Intercept is missing; stored values are taken as CT numbers."
        findings.append(Finding("no-rescale", Severity.WARNING, message, where))
        slope, intercept = 1.0, 0.0
    kind = str(first_value(places, "RescaleType") or "HU").strip().upper()
    if kind not in ("HU", "HU_MOD"):
        message = f"Rescale Type (0028,1054) is '{kind}', not HU; the values may not be CT numbers."
        findings.append(Finding("not-hounsfield", Severity.WARNING, message, where))
    if str(first_value(places, "LossyImageCompression") or "") == "01":
        message = "The image was compressed with loss; CT numbers and texture are changed."
        findings.append(Finding("lossy-compression", Severity.WARNING, message, where))
    hu = _rescaled(stored, slope, intercept)
    padding = _padding_range(places)
    if padding is not None:
        low, high = sorted(value * slope + intercept for value in padding)
        if low > _TISSUE_HU[0] and high <= _TISSUE_HU[1]:
            message = f"Pixel Padding Value (0028,0120) means {low:g} HU, a number that tissue has; it was kept."
            findings.append(Finding("padding-not-replaced", Severity.INFO, message, where))
        else:
            hu[(stored >= padding[0]) & (stored <= padding[1])] = AIR_HU
    return FrameNumbers(hu, tuple(findings))


def states_rescale(items: Sequence[Dataset]) -> bool:
    """Return whether an image states a Rescale Slope and Intercept that can be used."""
    return None not in _rescale(list(items))


def _rescale(items: list[Dataset]) -> tuple[float | None, float | None]:
    """Return slope and intercept; None for what is missing, no finite number, or a slope of 0."""
    slope, intercept = _number(items, "RescaleSlope"), _number(items, "RescaleIntercept")
    return slope or None, intercept


def _number(items: list[Dataset], keyword: str) -> float | None:
    value = first_value(items, keyword)
    try:
        number = None if value is None else float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None
    return number if number is None or np.isfinite(number) else None


def _rescaled(stored: NDArray[np.integer[Any]], slope: float, intercept: float) -> Any:
    """Return a new array, int16 when every value is a whole number in range."""
    ends = (int(stored.min()) * slope + intercept, int(stored.max()) * slope + intercept)
    whole = float(slope).is_integer() and float(intercept).is_integer()
    limits = np.iinfo(np.int16)
    if whole and limits.min <= min(ends) and max(ends) <= limits.max:
        return (stored.astype(np.int32) * int(slope) + int(intercept)).astype(np.int16)
    return (stored.astype(np.float64) * slope + intercept).astype(np.float32)


def _padding_range(items: list[Dataset]) -> tuple[int, int] | None:
    """Return the lowest and highest stored value that mean 'no pixel', in the image's own sign; None without them."""
    value = first_value(items, "PixelPaddingValue")
    if value is None:
        return None
    limit = first_value(items, "PixelPaddingRangeLimit")
    dataset = items[-1]
    bits, signed = int(dataset.BitsStored), bool(dataset.PixelRepresentation)
    ends = sorted(_in_sign_of_image(int(end), bits, signed) for end in (value, value if limit is None else limit))  # type: ignore[call-overload]
    return ends[0], ends[1]


def _in_sign_of_image(value: int, bits: int, signed: bool) -> int:
    """Return a stored value that was written under the other sign (63536 for -2000)."""
    if signed and value >= 1 << (bits - 1):
        return value - (1 << 16 if value >= 1 << 15 else 1 << bits)
    return value % (1 << bits) if not signed and value < 0 else value
