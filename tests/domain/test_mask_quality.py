"""A volume counts where the mask is the whole lesion: each reason against it, from both sides of its limit."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.quantify.conftest import ct_volume, straight_grid
from tumorresp.domain.ct_volume import CtVolume
from tumorresp.domain.finding import Finding, Severity
from tumorresp.domain.mask_quality import REACH_LIMITED_CODES, volume_doubts
from tumorresp.domain.segmentation import LesionMask, SegmenterIdentity
from tumorresp.quantify.lesion import quantify

SHAPE = (12, 10, 10)


def scan(
    *, step_mm: float = 2.0, thickness_mm: float | None = 2.0, without_image: tuple[int, ...] = (), slices: int = 12
) -> CtVolume:
    volume = ct_volume(
        np.full((slices, *SHAPE[1:]), 40, np.int16), straight_grid((slices, *SHAPE[1:]), (step_mm, 1.0, 1.0))
    )
    planes = [
        replace(plane, sop_instance_uid="") if k in without_image else plane for k, plane in enumerate(volume.planes)
    ]
    return replace(volume, planes=tuple(planes), slice_thickness_mm=thickness_mm)


def mask(volume: CtVolume, first: int, last: int, rows: slice = slice(3, 7), *codes: str) -> LesionMask:
    voxels = np.zeros(volume.geometry.shape, bool)
    voxels[first : last + 1, rows, 3:7] = True
    made = LesionMask.from_volume(
        voxels, volume.geometry, measurement_uid="1.9", segmenter=SegmenterIdentity("test", "0"), key_slice=first
    )
    return replace(made, findings=tuple(Finding(code, Severity.WARNING, "") for code in codes))


def codes(volume: CtVolume, lesion: LesionMask) -> list[str]:
    found = [doubt.code for doubt in volume_doubts(lesion, volume)]
    measured = quantify(volume, lesion, with_radiomics=False)
    # What is doubted reaches the numbers, in words, and nothing else does.
    assert [finding.code for finding in measured.findings] == found
    assert bool(measured.volume_doubt) == bool(found)
    return found


@given(st.integers(0, 11), st.integers(0, 11), st.sets(st.integers(1, 10), max_size=3))
def test_a_mask_counts_only_where_images_go_on_on_both_sides(one: int, other: int, gaps: set[int]) -> None:
    first, last = min(one, other), max(one, other)
    volume = scan(without_image=tuple(gaps))
    found = {doubt.code for doubt in volume_doubts(mask(volume, first, last), volume)}
    seen = {k for k in range(12) if k not in gaps}
    assert ("mask-touches-scan-edge" in found) == (first == 0 or last == 11)
    assert ("mask-touches-gap" in found) == any(k not in seen for k in range(max(0, first - 1), min(11, last + 1) + 1))
    assert ("mask-of-one-slice" in found) == (first == last)
    assert found <= {"mask-touches-scan-edge", "mask-touches-gap", "mask-of-one-slice"}


@pytest.mark.parametrize(
    ("rows", "expected"),
    [(slice(0, 4), ["mask-touches-scan-edge"]), (slice(6, 10), ["mask-touches-scan-edge"]), (slice(1, 9), [])],
)
def test_the_edge_of_the_image_cuts_a_lesion_as_the_scans_end_does(rows: slice, expected: list[str]) -> None:
    volume = scan()
    assert codes(volume, mask(volume, 4, 7, rows)) == expected


@pytest.mark.parametrize(("thickness", "words"), [(5.0, "5 mm thick"), (None, "unknown thickness")])
def test_one_image_is_no_volume(thickness: float | None, words: str) -> None:
    volume = scan(slices=1, thickness_mm=thickness)
    doubts = volume_doubts(mask(volume, 0, 0), volume)
    assert [doubt.code for doubt in doubts] == ["mask-touches-scan-edge", "mask-of-one-slice"]
    assert words in doubts[1].words


@pytest.mark.parametrize("code", sorted(REACH_LIMITED_CODES))
def test_a_mask_that_its_segmenter_stopped(code: str) -> None:
    volume = scan()
    lesion = mask(volume, 4, 7, slice(3, 7), code, "propagation-mask-leaked")
    assert [doubt.code for doubt in volume_doubts(lesion, volume)] == ["mask-reach-limited"]
    other = mask(volume, 4, 7, slice(3, 7), "propagation-mask-lost", "contour-not-at-rest")
    assert volume_doubts(other, volume) == ()


@pytest.mark.parametrize(
    ("shift_mm", "moved", "doubted"),
    [(0.2, 5, False), (0.21, 5, True), (-0.2, 5, False), (-0.21, 5, True), (0.3, 1, False), (0.3, 11, False)],
)
def test_slices_that_lie_off_their_grid(shift_mm: float, moved: int, doubted: bool) -> None:
    """The distance of 2 mm may vary by a tenth of it, and elsewhere than at the lesion by anything."""
    volume = scan()
    x, y, z = volume.planes[moved].origin_lps_mm
    planes = list(volume.planes)
    planes[moved] = replace(planes[moved], origin_lps_mm=(x, y, z + shift_mm))
    uneven = replace(volume, planes=tuple(planes))
    assert codes(uneven, mask(uneven, 4, 7)) == (["mask-slices-uneven"] if doubted else [])


def test_thin_slices_that_were_rounded_to_a_tenth_are_even() -> None:
    volume = scan(step_mm=0.625, thickness_mm=0.625)
    planes = tuple(
        replace(plane, origin_lps_mm=(0.0, 0.0, round(plane.origin_lps_mm[2], 1))) for plane in volume.planes
    )
    assert codes(replace(volume, planes=planes), mask(volume, 4, 7)) == []


@pytest.mark.parametrize(
    ("step_mm", "thickness_mm", "doubted"),
    [(10.0, 1.0, True), (2.0, 1.0, True), (1.99, 1.0, False), (3.0, 5.0, False), (10.0, None, False)],
)
def test_thin_images_far_apart_leave_most_of_a_lesion_unseen(
    step_mm: float, thickness_mm: float | None, doubted: bool
) -> None:
    volume = scan(step_mm=step_mm, thickness_mm=thickness_mm)
    assert codes(volume, mask(volume, 4, 7)) == (["mask-slices-apart"] if doubted else [])


def test_an_empty_mask_has_no_volume_to_doubt() -> None:
    volume = scan()
    assert volume_doubts(mask(volume, 4, 7, slice(3, 3)), volume) == ()


def test_axes_and_ct_numbers_come_from_acquired_slices() -> None:
    """The widest slice of the mask is an interpolated one: no reader could have measured it."""
    volume = scan(without_image=(5,))
    volume.hu[5] = 400
    voxels = np.zeros(volume.geometry.shape, bool)
    voxels[4:7, 4:6, 4:6] = True
    voxels[5, 2:8, 2:8] = True
    lesion = replace(mask(volume, 4, 6), voxels=voxels, start=(0, 0, 0))
    found = quantify(volume, lesion, with_radiomics=False)
    assert found.axes_slice in (4, 6)
    assert found.axes_sop_instance_uid
    assert found.long_axis is not None
    assert found.long_axis.length_mm < 4
    assert found.mean_hu == 40
    assert found.voxel_volume_mm3 == (4 + 36 + 4) * 2.0
    assert "without a usable image" in found.volume_doubt
