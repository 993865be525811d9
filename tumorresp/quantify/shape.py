"""Volume, surface and size of a mask in three dimensions."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_erosion
from scipy.spatial import ConvexHull
from scipy.spatial.distance import pdist
from skimage.measure import marching_cubes

from tumorresp.domain.geometry import VolumeGeometry


@dataclass(frozen=True)
class MaskShape:
    """Shape of a mask; names in brackets are the Image Biomarker Standardisation Initiative's (IBSI).

    Parameters
    ----------
    voxel_volume_mm3
        Voxels counted (YEKZ).
    mesh_volume_mm3, surface_area_mm2
        Of the mesh half way between voxel centres inside and outside (RNU0, C0JK).
    sphericity
        1 for a ball (QCFX).
    maximum_3d_diameter_mm
        Greatest distance of two points of the mesh (L0JK); it is no RECIST diameter.
    surface_voxel_share
        Share of the mask's voxels that touch a voxel outside by a face: how much of the volume hangs on the outline.
    """

    voxel_volume_mm3: float
    mesh_volume_mm3: float
    surface_area_mm2: float
    sphericity: float
    maximum_3d_diameter_mm: float
    surface_voxel_share: float


def mask_shape(voxels: NDArray[np.bool_], geometry: VolumeGeometry) -> MaskShape | None:
    """Measure a (slice, row, column) mask on its grid, sheared or not; None for an empty mask.

    References
    ----------
    Zwanenburg et al., Radiology 2020;295:328-338 (IBSI reference manual, section 3.1).
    """
    count = int(np.count_nonzero(voxels))
    if count == 0:
        return None
    padded = np.pad(voxels, 1)
    vertices, faces, _, _ = marching_cubes(padded.astype(np.float32), 0.5, allow_degenerate=False)
    # The origin does not matter, the steps do: marching cubes knows voxels only.
    corners = (vertices - vertices.mean(axis=0)).astype(np.float64) @ geometry.affine[:3, :3].T
    a, b, c = (corners[faces[:, i]] for i in range(3))
    normals = np.cross(b - a, c - a)
    volume = abs(float(np.einsum("ij,ij->", a, normals))) / 6
    area = float(np.linalg.norm(normals, axis=1).sum()) / 2
    inner = binary_erosion(padded)
    return MaskShape(
        voxel_volume_mm3=count * geometry.voxel_volume_mm3,
        mesh_volume_mm3=volume,
        surface_area_mm2=area,
        sphericity=(36 * np.pi * volume**2) ** (1 / 3) / area,
        maximum_3d_diameter_mm=float(pdist(corners[ConvexHull(corners).vertices]).max()),
        surface_voxel_share=1 - int(np.count_nonzero(inner)) / count,
    )
