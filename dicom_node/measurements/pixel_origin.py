"""Where writers let pixel coordinates begin.

DICOM counts from the corner of the first pixel, so that its centre is (0.5, 0.5) (PS3.3 C.18.6.1.1); some writers count
pixel centres. `PixelPoint` has centres at integers.
"""

from typing import Literal

PixelOrigin = Literal["dicom", "centre"]
"""``dicom``: (0, 0) is the corner of the first pixel; ``centre``: its centre."""


def shift_to_centres(pixel_origin: PixelOrigin) -> float:
    """Return what is subtracted from a coordinate so that integers are pixel centres."""
    return 0.5 if pixel_origin == "dicom" else 0.0
