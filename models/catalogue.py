"""Segmenters by name, made from the weights in the model folder; torch is imported only when one is made."""

from pathlib import Path

from models.registry import RegisteredWeights, weights_of
from models.segmenter_identity import sha256_of
from models.weights import check_sha256, how_to_get
from tumorresp.domain.errors import WeightsNotFound
from tumorresp.ports import SliceSegmenter

LITE_MEDSAM = "lite-medsam"
MEDSAM = "medsam"
GEODESIC_CONTOUR = "geodesic-contour"


def create_slice_segmenter(name: str, model_dir: Path) -> SliceSegmenter:
    """Load a box-prompted network.

    Parameters
    ----------
    name
        ``lite-medsam`` or ``medsam``.
    model_dir
        Folder of weights.

    Raises
    ------
    WeightsNotFound
        If its weights are not there; the message says how to get them.
    InvalidWeights
        If the file is not the one that was recorded, or is of another network.
    ValueError
        If there is no such network.
    """
    known = weights_of(name)
    if not known:
        raise ValueError(f"there is no box-prompted network named {name!r}")
    weights = _present(known, model_dir)
    if weights is None:
        raise WeightsNotFound(
            f"the segmenter {name!r} needs weights that are not in the model folder.", remedy=how_to_get(known[0])
        )
    path = model_dir / weights.file_name
    check_sha256(weights, path, sha256_of(path))
    if name == LITE_MEDSAM:
        from models.lite_medsam import LiteMedSam

        return LiteMedSam.load(path)
    from models.medsam import MedSam

    return MedSam.load(path)


def best_available(model_dir: Path) -> str:
    """Return ``lite-medsam`` when its weights are in the folder, else ``geodesic-contour``, which needs none."""
    return LITE_MEDSAM if _present(weights_of(LITE_MEDSAM), model_dir) else GEODESIC_CONTOUR


def _present(known: tuple[RegisteredWeights, ...], model_dir: Path) -> RegisteredWeights | None:
    return next((weights for weights in known if (model_dir / weights.file_name).is_file()), None)
