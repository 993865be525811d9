"""CT series with reference contours (RT Structure Sets) in a folder, as cases of the segmentation benchmark."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dicom_node.ct_volume import read_ct_volume
from dicom_node.instance_header import InstanceHeader, read_header
from dicom_node.rtstruct_mask import Roi, read_rois, referenced_series, roi_mask
from tumorresp.domain.ct_volume import CtVolume
from tumorresp.domain.errors import InvalidInput, MissingImages, NotDicom

Case = tuple[str, CtVolume, NDArray[np.bool_]]
_TUMOUR_PREFIXES = ("gtv", "tumor", "tumour", "lesion")


def discover_cases(folder: Path) -> tuple[Callable[[], Case], ...]:
    """Find every reference lesion below a folder.

    A lesion is a region of an RT Structure Set whose name begins with GTV, tumour or lesion, or its only region; its
    CT is the series that the structure set refers to, searched in the same folder and below. Files that are not DICOM
    are passed over.

    Parameters
    ----------
    folder
        Usually one sub-folder a patient, each with a CT series and an RT Structure Set.

    Returns
    -------
    One callable a lesion; it reads the CT and gives (name, CT, (slice, row, column) mask). The name is the folder's,
    with the region's name behind it where a folder has several.

    Raises
    ------
    InvalidInput
        If there is no lesion.
    MissingImages
        If a structure set's CT is not beside it.
    """
    headers = {path: header for path in sorted(folder.rglob("*")) if (header := _header(path)) is not None}
    cases: list[Callable[[], Case]] = []
    for path in (path for path, header in headers.items() if header.modality == "RTSTRUCT"):
        images = _images_of(path, headers)
        rois = _lesions(read_rois(path))
        for roi in rois:
            name = path.parent.name if len(rois) == 1 else f"{path.parent.name} {roi.name}"
            cases.append(partial(_read_case, name, images, roi))
    if not cases:
        raise InvalidInput(
            "no CT series with an RT Structure Set was found",
            where=folder.name,
            remedy="Put each patient's CT files and RTSTRUCT file into a folder of its own below it.",
        )
    return tuple(cases)


def _read_case(name: str, images: tuple[Path, ...], roi: Roi) -> Case:
    volume = read_ct_volume(images)
    return name, volume, roi_mask(roi, volume.geometry)


def _header(path: Path) -> InstanceHeader | None:
    try:
        return read_header(path) if path.is_file() else None
    except NotDicom:
        return None


def _images_of(structure_set: Path, headers: dict[Path, InstanceHeader]) -> tuple[Path, ...]:
    series = referenced_series(structure_set)
    images = tuple(
        path
        for path, header in headers.items()
        if header.modality == "CT"
        and header.series_instance_uid in series
        and path.is_relative_to(structure_set.parent)
    )
    if not images:
        raise MissingImages(
            "the CT series that the RT Structure Set refers to is not in its folder", where=structure_set.name
        )
    return images


def _lesions(rois: tuple[Roi, ...]) -> tuple[Roi, ...]:
    if len(rois) == 1:
        return rois
    return tuple(roi for roi in rois if roi.name.casefold().startswith(_TUMOUR_PREFIXES))
