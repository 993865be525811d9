"""Who made a mask: the name of a segmenter, the software's version and the hash of its weights."""

import hashlib
from pathlib import Path

from models.ct_window import CtWindow
from tumorresp.domain.segmentation import SegmenterIdentity
from tumorresp.domain.version import SOFTWARE_VERSION


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file's content, in lower-case hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def segmenter_identity(name: str, weights: Path, window: CtWindow) -> SegmenterIdentity:
    """Return the identity of a network that sees CT through a window."""
    return SegmenterIdentity(
        name=name,
        version=SOFTWARE_VERSION,
        weights_sha256=sha256_of(weights),
        parameters=(("window_level_hu", f"{window.level:g}"), ("window_width_hu", f"{window.width:g}")),
    )
