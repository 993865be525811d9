"""One lesion, all numbers: against the phantom's truth, and the remarks that go with them."""

import dataclasses

import numpy as np
import pytest

from tests.quantify.conftest import ct_volume, straight_grid
from tumorresp.domain.errors import InvalidGeometry
from tumorresp.domain.geometry import VolumeGeometry
from tumorresp.domain.measurement import LesionState
from tumorresp.domain.segmentation import LesionMask, SegmenterIdentity
from tumorresp.phantom.thorax_abdomen import SMALL, PhantomSubject, PhantomTimePoint, ScanGrid
from tumorresp.quantify.lesion import quantify

NOBODY = SegmenterIdentity("test", "0")


@pytest.fixture(scope="module")
def scan() -> PhantomTimePoint:
    return PhantomSubject(ScanGrid(320, 320, 72, 1.2, 2.5)).time_point(1)


def _mask(voxels: np.ndarray, geometry: VolumeGeometry) -> LesionMask:
    return LesionMask.from_volume(voxels, geometry, measurement_uid="1.9", segmenter=NOBODY, key_slice=0)


def test_the_phantoms_lesions_have_their_known_numbers(scan: PhantomTimePoint) -> None:
    for lesion in scan.lesions:
        found = quantify(scan.ct_volume, lesion.mask, with_radiomics=False)
        large = lesion.mask.voxel_count > 800
        assert found.voxel_volume_mm3 == pytest.approx(lesion.volume_mm3, rel=0.01 if large else 0.12)
        assert found.mesh_volume_mm3 == pytest.approx(lesion.volume_mm3, rel=0.03 if large else 0.3)
        if lesion.state is LesionState.MEASURED:
            assert found.long_axis.length_mm == pytest.approx(lesion.long_axis.length_mm, abs=0.6)
            assert found.short_axis.length_mm == pytest.approx(lesion.short_axis.length_mm, abs=1.6)
            assert abs(found.axes_slice - lesion.key_slice) <= 1
        assert found.axes_sop_instance_uid == scan.sop_instance_uids[found.axes_slice]
        assert found.mean_hu == pytest.approx(scan.hu[lesion.mask.in_volume()].mean())
        assert found.radiomics == ()


def test_radiomics_agrees_with_our_own_shape(scan: PhantomTimePoint) -> None:
    lesion = scan.lesions[1]
    found = quantify(scan.ct_volume, lesion.mask)
    radiomics = {b.name: b.value for b in found.radiomics}
    assert len(radiomics) == 944
    assert radiomics["original_shape_VoxelVolume"] == pytest.approx(found.voxel_volume_mm3)
    assert radiomics["original_shape_MeshVolume"] == pytest.approx(found.mesh_volume_mm3, rel=1e-3)
    assert radiomics["original_shape_Sphericity"] == pytest.approx(found.sphericity, rel=5e-3)
    assert radiomics["original_shape_Maximum3DDiameter"] == pytest.approx(found.maximum_3d_diameter_mm, rel=1e-4)
    assert radiomics["original_firstorder_Mean"] == pytest.approx(found.mean_hu)
    assert radiomics["original_firstorder_Variance"] == pytest.approx(found.sd_hu**2)
    assert found.findings == ()


def test_a_small_lesion_says_so() -> None:
    scan = PhantomSubject(SMALL).time_point(1)
    lesion = next(lesion for lesion in scan.lesions if lesion.course.lesion_id == "NT01")
    found = quantify(scan.ct_volume, lesion.mask)
    assert [finding.code for finding in found.findings] == ["mask-of-one-slice", "too-small-for-texture"]
    assert "12 voxels" in found.findings[1].message
    assert found.volume_doubt == "its mask lies in one slice only"
    assert {b.name: b.value for b in found.radiomics}["original_glcm_JointEntropy"] is None
    plain = quantify(scan.ct_volume, lesion.mask, with_radiomics=False)
    assert [finding.code for finding in plain.findings] == ["mask-of-one-slice"]


@pytest.mark.parametrize("corner", [(0, 4, 4), (4, 0, 4), (4, 4, 0), (7, 4, 4), (4, 7, 4), (4, 4, 7)])
def test_a_mask_at_the_edge_of_the_scan_is_pointed_out(corner: tuple[int, int, int]) -> None:
    geometry = straight_grid((10, 10, 10), (2.0, 1.0, 1.0))
    voxels = np.zeros(geometry.shape, bool)
    voxels[tuple(slice(c, c + 3) for c in corner)] = True
    volume = ct_volume(np.zeros(geometry.shape, np.int16), geometry)
    found = quantify(volume, _mask(voxels, geometry), with_radiomics=False)
    assert [finding.code for finding in found.findings] == ["mask-touches-scan-edge"]
    inside = quantify(
        volume, _mask(np.roll(voxels, [5 - c for c in corner], (0, 1, 2)), geometry), with_radiomics=False
    )
    assert inside.findings == ()
    assert inside.voxel_volume_mm3 == pytest.approx(54)


def test_an_empty_mask_is_nothing_not_zero() -> None:
    geometry = straight_grid((4, 5, 5), (1.0, 1.0, 1.0))
    found = quantify(
        ct_volume(np.zeros(geometry.shape, np.int16), geometry), _mask(np.zeros((4, 5, 5), bool), geometry)
    )
    assert found.voxel_volume_mm3 == 0
    rest = dataclasses.asdict(found)
    for name in ("mesh_volume_mm3", "long_axis", "short_axis", "axes_slice", "mean_hu", "sd_hu", "sphericity"):
        assert rest[name] is None, name
    assert [finding.code for finding in found.findings] == ["empty-mask"]


def test_a_sheared_grid_is_pointed_out_for_radiomics() -> None:
    geometry = VolumeGeometry((10, 20, 20), (0, 0, 0), (0, 0.8, 2.0), (0, 1, 0), (1, 0, 0))
    voxels = np.zeros(geometry.shape, bool)
    voxels[3:7, 6:14, 6:14] = True
    random = np.random.default_rng(1)
    volume = ct_volume(random.integers(0, 100, geometry.shape).astype(np.int16), geometry)
    found = quantify(volume, _mask(voxels, geometry))
    assert [finding.code for finding in found.findings] == ["radiomics-sheared-grid"]
    assert found.voxel_volume_mm3 == pytest.approx(4 * 8 * 8 * 2.0)


def test_a_mask_of_another_grid_is_refused() -> None:
    geometry = straight_grid((4, 5, 5), (1.0, 1.0, 1.0))
    other = straight_grid((5, 5, 5), (1.0, 1.0, 1.0))
    with pytest.raises(InvalidGeometry, match=r"\(5, 5, 5\)"):
        quantify(ct_volume(np.zeros((4, 5, 5), np.int16), geometry), _mask(np.ones((5, 5, 5), bool), other))
