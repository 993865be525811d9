"""The phantom is the truth that other tests lean on: its own truth is checked here against the voxels."""

import numpy as np
import pytest

from tumorresp.domain.measurement import LesionRole, LesionState
from tumorresp.phantom.lesion_shape import LobulatedEllipsoid
from tumorresp.phantom.thorax_abdomen import FULL, SMALL, PhantomSubject, PhantomTimePoint


@pytest.fixture(scope="module")
def scans() -> list[PhantomTimePoint]:
    return list(PhantomSubject(SMALL).time_points())


def _lobulated(weights: np.ndarray) -> LobulatedEllipsoid:
    random = np.random.default_rng(4)
    directions = random.normal(size=(len(weights), 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    rotation, _ = np.linalg.qr(random.normal(size=(3, 3)))
    return LobulatedEllipsoid((3.0, -2.0, 1.0), (12.0, 9.0, 7.0), rotation, directions, weights)


def test_volume_without_lobes_is_the_ellipsoids() -> None:
    assert _lobulated(np.zeros(1)).volume_mm3 == pytest.approx(4 / 3 * np.pi * 12 * 9 * 7, rel=1e-12)


def test_analytic_volume_agrees_with_counting_fine_voxels() -> None:
    body = _lobulated(np.array([0.05, 0.04, 0.03]))
    side = np.arange(-16, 16, 0.4) + 0.2
    points = np.stack(np.meshgrid(side, side, side, indexing="ij"), -1) + np.asarray(body.centre_mm)
    counted = np.count_nonzero(body.depth(points) < 0) * 0.4**3
    assert counted == pytest.approx(body.volume_mm3, rel=1e-3)


def test_sphere_outline_has_the_diameter_of_its_section() -> None:
    ball = LobulatedEllipsoid((0.0, 0.0, 0.0), (10.0, 10.0, 10.0), np.eye(3), np.eye(3)[:1], np.zeros(1))
    outline = ball.outline(6.0)
    assert outline is not None
    assert np.linalg.norm(outline, axis=1) == pytest.approx(8.0, abs=0.02)
    assert ball.outline(10.5) is None


def test_masks_have_the_known_volumes_at_full_resolution() -> None:
    scan = PhantomSubject(FULL).time_point(3)
    for lesion in scan.lesions:
        if lesion.mask is None:
            continue
        counted = lesion.mask.voxel_count * scan.geometry.voxel_volume_mm3
        # Counting voxels is exact to about 1 % from some 1500 voxels on; below that the grid shows.
        tolerance = 0.01 if lesion.mask.voxel_count > 1500 else 0.06
        assert counted == pytest.approx(lesion.volume_mm3, rel=tolerance), lesion.course.lesion_id


def test_every_lesion_has_its_story(scans: list[PhantomTimePoint]) -> None:
    by_scan = [{lesion.course.lesion_id: lesion for lesion in scan.lesions} for scan in scans]
    long_mm = {
        name: [found[name].long_axis.length_mm if found[name].long_axis else 0.0 for found in by_scan]
        for name in ("T01", "T02", "T03", "T04")
    }
    assert long_mm["T01"][0] > long_mm["T01"][1] > long_mm["T01"][2] > 0
    assert long_mm["T02"][0] < long_mm["T02"][1] < long_mm["T02"][2]
    assert by_scan[0]["T03"].short_axis.length_mm >= 15
    assert by_scan[2]["T03"].short_axis.length_mm < 10
    assert by_scan[2]["T04"].state is LesionState.ABSENT
    assert by_scan[2]["T04"].mask is None
    assert by_scan[0]["NT01"].state is LesionState.PRESENT
    assert "NEW01" not in by_scan[1]
    assert by_scan[2]["NEW01"].course.role is LesionRole.NEW
    assert by_scan[2]["NEW01"].long_axis.length_mm > 10


def test_axes_lie_on_their_slice_inside_the_lesion(scans: list[PhantomTimePoint]) -> None:
    for scan in scans:
        for lesion in scan.lesions:
            if lesion.long_axis is None:
                continue
            for axis in (lesion.long_axis, lesion.short_axis):
                index = scan.geometry.lps_to_index([axis.start_lps_mm, axis.end_lps_mm])
                assert index[:, 0] == pytest.approx(lesion.key_slice, abs=1e-9)
                middle = np.rint(index.mean(axis=0)).astype(int)
                assert lesion.mask.in_volume()[tuple(middle)]
            long_way, short_way = (
                np.subtract(axis.end_lps_mm, axis.start_lps_mm) for axis in (lesion.long_axis, lesion.short_axis)
            )
            assert np.dot(long_way, short_way) == pytest.approx(0, abs=1e-6)
            assert lesion.long_axis.length_mm >= lesion.short_axis.length_mm


def test_tissues_have_their_ct_numbers(scans: list[PhantomTimePoint]) -> None:
    scan = scans[0]

    def mean_hu(x: float, y: float, z: float) -> float:
        k, r, c = np.rint(scan.geometry.lps_to_index(scan.anatomy_to_scan[:3, 3] + [x, y, z])).astype(int)
        return float(scan.hu[k, r - 1 : r + 2, c - 1 : c + 2].mean())

    assert mean_hu(-95, 30, 60) == pytest.approx(-850, abs=45)
    assert mean_hu(-60, 20, -60) == pytest.approx(105, abs=40)
    assert mean_hu(0, -112, -30) == pytest.approx(-100, abs=45)
    assert mean_hu(27, 34, 20) == pytest.approx(150, abs=30)
    assert scan.hu[20, 3, 3] < -900
    assert scan.hu.max() > 350
    assert scan.hu.dtype == np.int16


def test_lesions_stand_out_in_their_organ(scans: list[PhantomTimePoint]) -> None:
    for scan in scans:
        for lesion in scan.lesions:
            if lesion.mask is not None and lesion.mask.voxel_count > 200:
                inside = scan.hu[lesion.mask.in_volume()]
                # The median: voxels on the rim of a lung nodule hold some air, and a tiny one is all rim.
                assert lesion.course.core_hu - 20 < np.median(inside) < lesion.course.hu + 20, lesion.course.lesion_id


def test_the_patient_moves_rigidly_between_scans(scans: list[PhantomTimePoint]) -> None:
    first, later = scans[0], scans[1]
    assert first.geometry.frame_of_reference_uid != later.geometry.frame_of_reference_uid
    points = np.array([[0.0, 0, -640], [50, 20, -600], [-80, 10, -700]])
    moved = first.map_to(later, points)
    gaps = [np.linalg.norm(p[:, None] - p[None], axis=-1) for p in (points, moved)]
    assert gaps[0] == pytest.approx(gaps[1])
    assert np.abs(moved - points).max() > 5
    assert later.map_to(first, moved) == pytest.approx(points)
    # A lesion that does not breathe much is found where the motion says, within its share of the breath.
    node = [next(les for les in scan.lesions if les.course.lesion_id == "T01") for scan in (first, later)]
    gap = np.subtract(first.map_to(later, np.array(node[0].centre_lps_mm)), node[1].centre_lps_mm)
    assert np.linalg.norm(gap) < 1.0


def test_same_seed_same_scan_other_seed_other_scan() -> None:
    once, again = (PhantomSubject(SMALL, seed=5).time_point(2) for _ in range(2))
    other = PhantomSubject(SMALL, seed=6).time_point(2)
    assert np.array_equal(once.hu, again.hu)
    assert once.sop_instance_uids == again.sop_instance_uids
    assert not np.array_equal(once.hu, other.hu)
    assert set(once.sop_instance_uids).isdisjoint(other.sop_instance_uids)


def test_reader_jitter_moves_the_ends_in_the_slice_only(scans: list[PhantomTimePoint]) -> None:
    steady = scans[0].lesions[0]
    shaky = PhantomSubject(SMALL, reader_jitter_mm=0.5).time_point(1).lesions[0]
    moved = np.subtract(shaky.long_axis.start_lps_mm, steady.long_axis.start_lps_mm)
    assert 0 < np.linalg.norm(moved) < 3
    assert moved[2] == 0


def test_ct_volume_knows_its_images(scans: list[PhantomTimePoint]) -> None:
    volume = scans[1].ct_volume
    for k in (0, len(volume.planes) - 1):
        assert volume.slice_of(scans[1].sop_instance_uids[k]) == k
        assert volume.planes[k].pixel_to_lps(4, 7) == pytest.approx(tuple(volume.geometry.index_to_lps((k, 7, 4))))


@pytest.mark.parametrize("order", [0, 4])
def test_there_are_three_time_points(order: int) -> None:
    with pytest.raises(ValueError, match="1 to 3"):
        PhantomSubject(SMALL).time_point(order)
