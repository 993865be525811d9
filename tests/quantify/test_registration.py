"""Registration: known motions of the phantom and of real CT, and scans that cannot be registered."""

import dataclasses
import itertools

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.quantify.conftest import ct_volume, straight_grid
from tumorresp.domain.ct_volume import CtVolume
from tumorresp.domain.geometry import VolumeGeometry, vector3
from tumorresp.phantom.thorax_abdomen import SMALL, PhantomSubject, PhantomTimePoint
from tumorresp.quantify.registration import Kind, agree, register


@pytest.fixture(scope="module")
def scans() -> list[PhantomTimePoint]:
    subject = PhantomSubject(SMALL)
    return [subject.time_point(1), subject.time_point(3)]


@pytest.fixture(scope="module")
def still() -> list[PhantomTimePoint]:
    """The patient moves as a whole between these and holds the breath alike."""
    subject = PhantomSubject(SMALL, breathing=0)
    return [subject.time_point(1), subject.time_point(3)]


@pytest.mark.parametrize("kind", ["rigid", "affine"])
def test_a_rigid_motion_is_found_within_a_millimetre_and_again(kind: Kind, still: list[PhantomTimePoint]) -> None:
    baseline, later = still
    found, again = (register(later.ct_volume, baseline.ct_volume, kind=kind) for _ in range(2))
    body = list(itertools.product((-100, 0, 100), (-60, 0, 60), (-60, 0, 60)))
    points = baseline.anatomy_to_scan[:3, 3] + np.array(body)
    assert np.linalg.norm(baseline.map_to(later, points) - points, axis=1).min() > 5
    gap = found.map_points(points) - baseline.map_to(later, points)
    assert np.linalg.norm(gap, axis=1).max() < 1.0
    assert found.is_reliable
    assert found.kind == kind
    assert np.array_equal(found.matrix, again.matrix)


def test_lesions_are_found_again_when_the_patient_breathes(scans: list[PhantomTimePoint]) -> None:
    baseline, later = scans
    found = register(later.ct_volume, baseline.ct_volume)
    there = {lesion.course.lesion_id: lesion.centre_lps_mm for lesion in later.lesions}
    for lesion in baseline.lesions:
        target = there[lesion.course.lesion_id]
        if target is not None:
            # The diaphragm moves 3.5 mm against the bones; a rigid map settles in between.
            gap = np.linalg.norm(found.map_points(lesion.centre_lps_mm) - np.array(target))
            assert gap < 3.5, lesion.course.lesion_id


def test_real_ct_on_oblique_and_tilted_grids(ibsi_lung: tuple[CtVolume, NDArray[np.bool_]]) -> None:
    volume = ibsi_lung[0]
    angle = np.deg2rad(4)
    turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    motion = np.eye(4)
    motion[:3, :3], motion[:3, 3] = turn, (25.0, -14.0, 310.0)
    grid = volume.geometry
    moved = VolumeGeometry(
        grid.shape,
        vector3(motion[:3, :3] @ grid.origin_lps_mm + motion[:3, 3]),
        *(vector3(turn @ step) for step in (grid.slice_step_lps_mm, grid.row_step_lps_mm, grid.column_step_lps_mm)),
        "1.2.4",
    )
    found = register(dataclasses.replace(volume, geometry=moved), volume)
    corners = grid.index_to_lps(list(itertools.product(*((0, size - 1) for size in grid.shape))))
    truth = corners @ turn.T + motion[:3, 3]
    assert found.is_reliable
    assert np.linalg.norm(found.map_points(corners) - truth, axis=1).max() < 1.0


def test_a_gantry_tilt_is_no_motion(scans: list[PhantomTimePoint]) -> None:
    # The same patient scanned straight and with slices sheared by 0.2 mm a millimetre.
    scan = scans[0]
    grid = scan.geometry
    sheared = dataclasses.replace(grid, slice_step_lps_mm=(0.0, 0.9, 4.5))
    rows = np.arange(grid.shape[1])
    hu = np.stack(
        [
            np.stack([np.interp(rows + 0.9 * k / 2.0, rows, column) for column in section.T], axis=1)
            for k, section in enumerate(scan.hu.astype(float))
        ]
    )
    tilted = ct_volume(np.rint(hu).astype(np.int16), sheared)
    found = register(tilted, scan.ct_volume)
    points = grid.index_to_lps(list(itertools.product((5, 30), (60, 130), (50, 140))))
    assert np.linalg.norm(found.map_points(points) - points, axis=1).max() < 1.5


def test_single_images_are_not_registered_but_flagged(scans: list[PhantomTimePoint]) -> None:
    def image(scan: PhantomTimePoint, k: int) -> CtVolume:
        geometry = scan.geometry.crop((k, 0, 0), (1, *scan.geometry.shape[1:]))
        return ct_volume(scan.hu[k : k + 1], geometry)

    first, later = image(scans[0], 20), image(scans[1], 22)
    found = register(later, first)
    assert (found.kind, found.overlap, found.is_reliable) == ("identity", None, False)
    assert [finding.code for finding in found.findings] == ["registration-impossible"]
    # Other frame of reference: the bodies' middles are brought together.
    body = scans[0].anatomy_to_scan[:3, 3]
    gap = found.map_points(body) - scans[1].anatomy_to_scan[:3, 3]
    assert np.linalg.norm(gap[:2]) < 10
    # One frame of reference: nothing moves.
    same = register(image(scans[0], 20), image(scans[0], 22))
    assert np.array_equal(same.matrix, np.eye(4))


def test_scans_of_other_things_are_flagged(scans: list[PhantomTimePoint]) -> None:
    grid = straight_grid((40, 96, 96), (4.0, 4.0, 4.0))
    points = grid.index_to_lps(np.moveaxis(np.indices(grid.shape), 0, -1))
    rod = np.hypot(points[..., 0] - 190, points[..., 1] - 190) < 60
    other = ct_volume(np.where(rod, 40, -1000).astype(np.int16), grid)
    found = register(scans[0].ct_volume, other)
    assert [finding.code for finding in found.findings] == ["registration-poor"]
    nothing = ct_volume(np.full(grid.shape, -1000, np.int16), grid)
    empty = register(scans[0].ct_volume, nothing)
    assert [finding.code for finding in empty.findings] == ["registration-impossible"]


@pytest.mark.parametrize("slices", [1, 2, 3])
def test_a_scan_of_few_thick_slices_is_flagged_and_raises_nothing(slices: int, scans: list[PhantomTimePoint]) -> None:
    grid = straight_grid((slices, 64, 64), (40.0, 4.0, 4.0))
    hu = np.full(grid.shape, -1000, np.int16)
    hu[:, 8:56, 8:56] = 40
    few = ct_volume(hu, grid)
    for fixed, moving in ((scans[0].ct_volume, few), (few, scans[0].ct_volume), (few, few)):
        found = register(fixed, moving)
        assert not found.is_reliable
        assert np.isfinite(found.map_points(np.zeros((1, 3)))).all()


@pytest.mark.parametrize(
    ("coverage", "overlap", "correlation", "expected"),
    [
        (0.3, 0.8, 0.7, True),
        (1.0, 1.0, 1.0, True),
        (0.29, 1.0, 1.0, False),
        (1.0, 0.79, 1.0, False),
        (1.0, 1.0, 0.69, False),
        (1.0, 1.0, float("nan"), False),
    ],
)
def test_each_measure_alone_makes_a_registration_doubtful(
    coverage: float, overlap: float, correlation: float, expected: bool
) -> None:
    assert agree(coverage, overlap, correlation) is expected
