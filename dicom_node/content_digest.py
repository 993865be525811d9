"""Whether two instances hold the same, however their pixels are compressed.

Archives transcode: an image that was stored uncompressed comes back as JPEG-LS, JPEG 2000 or RLE under the same SOP
Instance UID, which is right as long as nothing is lost (PS3.4 annex B.4.1, PS3.5 annex A.4). The bytes differ, the
image does not. So pixels are compared as they decode, and all else as it is written, apart from what goes with an
encoding.
"""

import hashlib
from pathlib import Path

import numpy as np
import pydicom
from pydicom.pixels import iter_pixels

from dicom_node.part10 import read_encoded, summarised
from tumorresp.domain.disk_failures import raise_if_of_the_disk
from tumorresp.domain.errors import InvalidInput, NotDicom

_OF_THE_ENCODING = frozenset(
    (
        *(0x7FE00010, 0x7FE00001, 0x7FE00002, 0x7FE00003),  # Pixel Data, its offset tables and lengths
        *(0x00280006, 0xFFFCFFFC),  # Planar Configuration, Data Set Trailing Padding
        *(0x00282110, 0x00282112, 0x00282114),  # Lossy Image Compression, its ratio and method
        *(0x00082111, 0x00089215, 0x0018A001),  # how it was derived and what took part, which compressors add
    )
)
# A peer may send two small files that state gigabytes of pixels; the largest genuine frames have some ten MiB.
_LARGEST_FRAME = 64 << 20
_DEFERRED_BYTES = 1 << 20
_PIXEL_DATA = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")


def is_same_content(one: Path, other: Path) -> bool:
    """Return whether two Part 10 files hold the same elements and, decoded, the same pixels.

    What cannot be read or decoded is not the same as anything else.
    """
    try:
        return without_encoding_sha256(one) == without_encoding_sha256(other) and pixels_sha256(one) == pixels_sha256(
            other
        )
    except (InvalidInput, OSError) as error:
        raise_if_of_the_disk(error)
        return False


def without_encoding_sha256(path: Path) -> str:
    """Return the SHA-256 (hex) of all tags and values of a Part 10 file that do not go with the pixels' encoding.

    Raises
    ------
    NotDicom
        If it is no Part 10 file, or cut off.
    """
    return summarised(read_encoded(path), apart_from=_OF_THE_ENCODING).sha256


def pixels_sha256(path: Path) -> str:
    """Return the SHA-256 (hex) of the decoded pixels of a Part 10 file, frame by frame; of nothing without pixels.

    Stored values are compared: neither rescale nor padding nor display is applied.

    Raises
    ------
    NotDicom
        If it is no Part 10 file.
    InvalidInput
        If the pixels cannot be decoded, or a frame is too large to be decoded for a comparison.
    """
    digest = hashlib.sha256()
    try:
        dataset = pydicom.dcmread(path, defer_size=_DEFERRED_BYTES)
        if any(keyword in dataset for keyword in _PIXEL_DATA):
            _check_frame(dataset, path.name)
            # From the path a frame at a time is read; pydicom cannot do that within a deflated data set.
            for frame in iter_pixels(dataset if _is_deflated(dataset) else path, raw=True):
                wide = frame.astype("<f8" if frame.dtype.kind == "f" else "<i8")
                digest.update(f"{wide.shape}{wide.dtype}".encode())
                digest.update(np.ascontiguousarray(wide).tobytes())
    except pydicom.errors.InvalidDicomError as error:
        raise NotDicom("not a DICOM file.", where=path.name) from error
    except InvalidInput:
        raise
    except Exception as error:
        raise_if_of_the_disk(error)
        raise InvalidInput(f"the pixels cannot be decoded ({type(error).__name__}).", where=path.name) from error
    return digest.hexdigest()


def _is_deflated(dataset: pydicom.Dataset) -> bool:
    return bool(dataset.file_meta.TransferSyntaxUID.is_deflated)


def _check_frame(dataset: pydicom.Dataset, where: str) -> None:
    values = int(dataset.Rows) * int(dataset.Columns) * int(dataset.get("SamplesPerPixel") or 1)
    size = values * -(-int(dataset.get("BitsAllocated") or 16) // 8)
    if size > _LARGEST_FRAME:
        raise InvalidInput(f"a frame of {size >> 20} MiB is not decoded for a comparison.", where=where)
