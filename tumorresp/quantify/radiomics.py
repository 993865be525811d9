"""All feature classes of pyradiomics on one lesion."""

import logging
from collections.abc import Mapping
from functools import cache
from importlib.resources import as_file, files
from typing import Any

import numpy as np
import radiomics
import SimpleITK
from numpy.typing import NDArray
from radiomics.featureextractor import RadiomicsFeatureExtractor

from tumorresp.domain.biomarkers import Biomarker
from tumorresp.domain.geometry import VolumeGeometry
from tumorresp.quantify.radiomics_codes import ibsi_code, unit

PAD_VOXELS = 14
"""How much of the CT around a mask the filters need; ``extract`` is given the mask with this margin."""

# Texture matrices of fewer voxels are mostly empty: LIFEx (Nioche et al., Cancer Res 2018;78:4786) has the same limit.
MINIMUM_TEXTURE_VOXELS = 64
_UNDEFINED = "not defined for this lesion (a division by zero, as in a lesion of one CT number)"


def extract(hu: NDArray[Any], voxels: NDArray[np.bool_], geometry: VolumeGeometry) -> tuple[Biomarker, ...]:
    """Compute every pyradiomics feature of ``radiomics_settings.yaml``, always the same names in the same order.

    Parameters
    ----------
    hu, voxels
        (slice, row, column) CT numbers and mask of the same shape: the lesion's box with ``PAD_VOXELS`` around it,
        never a whole CT.
    geometry
        Of any grid with the same steps. Only step lengths matter; a sheared grid is treated as a straight one.

    Returns
    -------
    tuple of Biomarker
        Values are None, with a note, where the lesion is too small (``too_small_for_texture``) or where a feature is
        not defined. An empty mask, a single voxel, or a lesion that pyradiomics fails on gives None everywhere.
    """
    small = too_small_for_texture(voxels)
    wanted = [name for name in feature_names() if not small or _needs_no_neighbours(name)]
    # pyradiomics refuses a single voxel.
    measured = set(wanted) if np.count_nonzero(voxels) > 1 else set()
    try:
        found = _execute(hu, voxels, geometry, shape_and_histogram_only=bool(small)) if measured else {}
    except (ValueError, RuntimeError, ArithmeticError, LookupError) as error:
        # The lesion's other numbers are none the worse for it.
        found, measured, small = {}, set(), f"pyradiomics refused this lesion ({type(error).__name__})"
    return tuple(_biomarker(name, found.get(name), small if name not in measured else "") for name in feature_names())


def too_small_for_texture(voxels: NDArray[np.bool_]) -> str:
    """Return why a mask is too small for texture features and filters; empty when it is not.

    Texture asks for neighbours in all three directions: at least 64 voxels, 2 slices, 3 rows and 3 columns.
    """
    count = int(np.count_nonzero(voxels))
    if count < MINIMUM_TEXTURE_VOXELS:
        return f"too small for texture: {count} voxels, {MINIMUM_TEXTURE_VOXELS} are needed"
    extent = [int(np.count_nonzero(voxels.any(axis=other))) for other in ((1, 2), (0, 2), (0, 1))]
    if extent[0] < 2 or min(extent[1:]) < 3:
        return f"too flat for texture: {extent[0]} slices x {extent[1]} rows x {extent[2]} columns"
    return ""


@cache
def feature_names() -> tuple[str, ...]:
    """Return the names of all features that the settings ask for, in the order of ``extract``."""
    extractor = _extractor()
    images = ["original"]
    images += [
        f"log-sigma-{sigma:.1f}-mm-3D".replace(".", "-") for sigma in extractor.enabledImagetypes["LoG"]["sigma"]
    ]
    images += [f"wavelet-{bands}" for bands in ("LLH", "LHL", "LHH", "HLL", "HLH", "HHL", "HHH", "LLL")]
    classes = radiomics.getFeatureClasses()
    return tuple(
        f"{image}_{family}_{name}"
        for image in images
        for family in extractor.enabledFeatures
        for name, deprecated in sorted(classes[family].getFeatureNames().items())
        if not deprecated and (family != "shape" or image == "original")
    )


@cache
def _extractor() -> Any:
    # It tells every step; what matters is in the notes.
    radiomics.logger.setLevel(logging.CRITICAL + 1)
    with as_file(files("tumorresp.quantify") / "radiomics_settings.yaml") as path:
        return RadiomicsFeatureExtractor(str(path))


@cache
def _small_extractor() -> Any:
    extractor = RadiomicsFeatureExtractor(**_extractor().settings)
    extractor.disableAllImageTypes()
    extractor.enableImageTypeByName("Original")
    extractor.disableAllFeatures()
    for family in ("shape", "firstorder"):
        extractor.enableFeatureClassByName(family)
    return extractor


def _execute(
    hu: NDArray[Any], voxels: NDArray[np.bool_], geometry: VolumeGeometry, *, shape_and_histogram_only: bool
) -> Mapping[str, Any]:
    extractor = _small_extractor() if shape_and_histogram_only else _extractor()
    _, row_mm, column_mm = geometry.spacing_mm
    images = []
    for array in (hu.astype(np.float32), voxels.astype(np.uint8)):
        image = SimpleITK.GetImageFromArray(array)
        image.SetSpacing((column_mm, row_mm, geometry.slice_distance_mm))
        images.append(image)
    with np.errstate(all="ignore"):
        return dict(extractor.execute(*images))


def _needs_no_neighbours(feature: str) -> bool:
    return feature.startswith(("original_shape_", "original_firstorder_"))


def _biomarker(name: str, value: Any, note: str) -> Biomarker:
    number = float(value) if value is not None and not note else None
    if number is not None and not np.isfinite(number):
        number = None
    return Biomarker(name, number, unit(name), ibsi_code(name), "" if number is not None else note or _UNDEFINED)
