"""Grids, digital bodies and the IBSI scans that the quantify tests share."""

from pathlib import Path

import numpy as np
import pytest
import SimpleITK
from numpy.typing import NDArray

from tumorresp.domain.ct_volume import CtVolume
from tumorresp.domain.geometry import ImagePlane, VolumeGeometry, vector3


def straight_grid(shape: tuple[int, int, int], spacing_mm: tuple[float, float, float]) -> VolumeGeometry:
    """Axial grid at the origin; spacing (slice, row, column)."""
    slice_mm, row_mm, column_mm = spacing_mm
    return VolumeGeometry(shape, (0, 0, 0), (0, 0, slice_mm), (0, row_mm, 0), (column_mm, 0, 0), "1.2.3")


def ct_volume(hu: NDArray[np.int16], geometry: VolumeGeometry) -> CtVolume:
    """A CT as a reader would give it."""
    planes = tuple(
        ImagePlane(
            f"1.2.3.{k + 1}",
            None,
            "1.2",
            "1.1",
            geometry.frame_of_reference_uid,
            "",
            vector3(geometry.index_to_lps((k, 0, 0))),
            geometry.column_step_lps_mm,
            geometry.row_step_lps_mm,
            geometry.shape[1],
            geometry.shape[2],
        )
        for k in range(geometry.shape[0])
    )
    return CtVolume(hu, geometry, planes, "1.2", "1.1", "", None, geometry.slice_distance_mm)


def ellipsoid(
    geometry: VolumeGeometry, centre_mm: NDArray[np.float64], half_mm: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Voxels (slice, row, column) whose centres lie in an upright ellipsoid; centre and half axes in LPS mm."""
    points = geometry.index_to_lps(np.moveaxis(np.indices(geometry.shape), 0, -1))
    return (((points - centre_mm) / half_mm) ** 2).sum(axis=-1) <= 1


@pytest.fixture(scope="session")
def ibsi_lung(real_data: Path) -> tuple[CtVolume, NDArray[np.bool_]]:
    """The lung cancer CT for which IBSI publishes consensus values, and its tumour mask."""
    folder = real_data / "ibsi_1_phantom"
    image = SimpleITK.ReadImage(str(folder / "image" / "phantom.nii.gz"))
    mask = SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(folder / "mask" / "mask.nii.gz"))) > 0
    column_mm, row_mm, slice_mm = image.GetSpacing()
    geometry = straight_grid(mask.shape, (slice_mm, row_mm, column_mm))
    return ct_volume(np.rint(SimpleITK.GetArrayFromImage(image)).astype(np.int16), geometry), mask


@pytest.fixture(scope="session")
def ibsi_digital() -> tuple[NDArray[np.float32], NDArray[np.bool_], VolumeGeometry]:
    """IBSI's digital phantom (reference manual, section 5.1): 74 voxels of 2 mm with values 1 to 6."""
    outside = 0
    values = np.array(
        [
            [[1, 4, 4, 1, 1], [1, 4, 6, 1, 1], [4, 1, 6, 4, 1], [4, 4, 6, 4, 1]],
            [[1, 4, 4, 1, 1], [1, 1, 6, 1, 1], [outside, 1, 3, 1, 1], [4, 4, 6, 1, 1]],
            [[1, 4, 4, outside, outside], [1, 1, 1, 1, 1], [1, 1, outside, 1, 1], [1, 1, 6, 1, 1]],
            [[1, 4, 4, outside, outside], [1, 1, 1, 1, 1], [1, 1, 1, 1, 1], [1, 1, 6, 1, 1]],
        ],
        np.float32,
    )
    padded = np.pad(values, 2)
    return padded, padded > 0, straight_grid(padded.shape, (2.0, 2.0, 2.0))
