"""Volume and shape against bodies whose values are known, and IBSI's consensus."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from tests.quantify.conftest import ellipsoid, straight_grid
from tumorresp.domain.ct_volume import CtVolume
from tumorresp.domain.geometry import VolumeGeometry
from tumorresp.quantify.intensity import mask_intensity
from tumorresp.quantify.shape import mask_shape


def test_ibsi_digital_phantom_has_the_consensus_values(
    ibsi_digital: tuple[NDArray[np.float32], NDArray[np.bool_], VolumeGeometry],
) -> None:
    values, voxels, geometry = ibsi_digital
    shape = mask_shape(voxels, geometry)
    # Consensus and tolerance: IBSI reference manual, section 5.1 (3-D).
    assert shape.voxel_volume_mm3 == pytest.approx(592)
    assert shape.mesh_volume_mm3 == pytest.approx(556, abs=4)
    assert shape.surface_area_mm2 == pytest.approx(388, abs=3)
    assert shape.sphericity == pytest.approx(0.843, abs=0.005)
    assert shape.maximum_3d_diameter_mm == pytest.approx(13.1, abs=0.1)
    intensity = mask_intensity(values, voxels)
    assert intensity.mean_hu == pytest.approx(2.15, abs=0.005)
    assert intensity.sd_hu**2 == pytest.approx(3.05, abs=0.005)


def test_ibsi_tumour_has_the_consensus_values(ibsi_lung: tuple[CtVolume, NDArray[np.bool_]]) -> None:
    volume, voxels = ibsi_lung
    assert int(voxels.sum()) == 125256
    shape = mask_shape(voxels, volume.geometry)
    # Consensus and tolerance of configuration A, which takes the mask as it is.
    assert shape.voxel_volume_mm3 == pytest.approx(358_681, abs=1)
    assert shape.mesh_volume_mm3 == pytest.approx(358_000, abs=5_000)
    assert shape.surface_area_mm2 == pytest.approx(35_700, abs=300)
    assert shape.sphericity == pytest.approx(0.683, abs=0.001)
    assert shape.maximum_3d_diameter_mm == pytest.approx(125, abs=1)


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (2.5, 0.75, 0.75)])
def test_a_ball(spacing: tuple[float, float, float]) -> None:
    geometry = straight_grid(tuple(int(50 / step) for step in spacing), spacing)
    voxels = ellipsoid(geometry, np.array([24.6, 24.8, 24.9]), np.array([20.0, 20.0, 20.0]))
    shape = mask_shape(voxels, geometry)
    truth = 4 / 3 * np.pi * 20**3
    assert shape.voxel_volume_mm3 == pytest.approx(truth, rel=0.01)
    assert shape.mesh_volume_mm3 == pytest.approx(truth, rel=0.015)
    assert shape.maximum_3d_diameter_mm == pytest.approx(40, abs=max(spacing))
    # A mesh on voxels is stepped: its surface is 5 to 15 % too large, whatever the voxel size.
    assert 0.85 < shape.sphericity < 0.97


def test_an_ellipsoid_is_less_spherical_than_a_ball() -> None:
    geometry = straight_grid((60, 60, 60), (1.0, 1.0, 1.0))
    middle = np.array([30.0, 30.0, 30.0])
    ball = mask_shape(ellipsoid(geometry, middle, np.array([14.0, 14.0, 14.0])), geometry)
    long = mask_shape(ellipsoid(geometry, middle, np.array([28.0, 9.9, 9.9])), geometry)
    assert long.voxel_volume_mm3 == pytest.approx(ball.voxel_volume_mm3, rel=0.02)
    assert long.sphericity < ball.sphericity - 0.08


def test_surface_share_of_a_cube() -> None:
    voxels = np.zeros((8, 8, 8), bool)
    voxels[2:6, 2:6, 2:6] = True
    shape = mask_shape(voxels, straight_grid(voxels.shape, (1.0, 1.0, 1.0)))
    assert shape.surface_voxel_share == pytest.approx(56 / 64)
    # A mask that fills its array has its surface on the array's faces.
    assert mask_shape(voxels[2:6, 2:6, 2:6], straight_grid((4, 4, 4), (1.0, 1.0, 1.0))) == shape


@settings(max_examples=50, deadline=None)
@given(arrays(bool, (4, 5, 5)))
def test_surface_voxels_are_those_that_touch_the_outside_by_a_face(voxels: NDArray[np.bool_]) -> None:
    """A voxel whose six faces are covered is inside, whatever lies beyond its edges and corners."""
    shape = mask_shape(voxels, straight_grid(voxels.shape, (2.0, 0.7, 0.9)))
    if shape is None:
        assert not voxels.any()
        return
    padded = np.pad(voxels, 1)
    faces = ((0, 1), (0, -1), (1, 1), (1, -1), (2, 1), (2, -1))
    covered = padded & np.logical_and.reduce([np.roll(padded, step, axis) for axis, step in faces])
    assert shape.surface_voxel_share == pytest.approx(1 - covered.sum() / voxels.sum())


def test_a_plus_of_seven_voxels_has_one_inside() -> None:
    voxels = np.zeros((3, 3, 3), bool)
    voxels[1, 1, :] = voxels[1, :, 1] = voxels[:, 1, 1] = True
    assert mask_shape(voxels, straight_grid((3, 3, 3), (1.0, 1.0, 1.0))).surface_voxel_share == pytest.approx(6 / 7)


@settings(max_examples=30, deadline=None)
@given(arrays(bool, (4, 5, 5)), st.floats(0.3, 4.0))
def test_spacing_times_k_scales_volume_by_k_cubed(voxels: NDArray[np.bool_], k: float) -> None:
    small = mask_shape(voxels, straight_grid(voxels.shape, (2.0, 0.7, 0.9)))
    large = mask_shape(voxels, straight_grid(voxels.shape, (2.0 * k, 0.7 * k, 0.9 * k)))
    if small is None:
        assert large is None
        return
    assert large.voxel_volume_mm3 == pytest.approx(small.voxel_volume_mm3 * k**3)
    assert large.mesh_volume_mm3 == pytest.approx(small.mesh_volume_mm3 * k**3, rel=1e-5)
    assert large.surface_area_mm2 == pytest.approx(small.surface_area_mm2 * k**2, rel=1e-5)
    assert large.sphericity == pytest.approx(small.sphericity, rel=1e-5)
    assert large.maximum_3d_diameter_mm == pytest.approx(small.maximum_3d_diameter_mm * k, rel=1e-5)


def test_shear_does_not_change_the_volume() -> None:
    straight = straight_grid((20, 30, 30), (3.0, 1.0, 1.0))
    voxels = ellipsoid(straight, np.array([15.0, 15.0, 30.0]), np.array([10.0, 8.0, 20.0]))
    sheared = VolumeGeometry(straight.shape, (0, 0, 0), (0, 1.5, 3.0), (0, 1, 0), (1, 0, 0))
    one, other = mask_shape(voxels, straight), mask_shape(voxels, sheared)
    assert other.voxel_volume_mm3 == pytest.approx(one.voxel_volume_mm3)
    assert other.mesh_volume_mm3 == pytest.approx(one.mesh_volume_mm3)
    assert other.maximum_3d_diameter_mm > one.maximum_3d_diameter_mm


def test_an_empty_mask_has_no_shape() -> None:
    voxels = np.zeros((2, 3, 3), bool)
    assert mask_shape(voxels, straight_grid(voxels.shape, (1.0, 1.0, 1.0))) is None
    assert mask_intensity(np.zeros((2, 3, 3)), voxels) is None
