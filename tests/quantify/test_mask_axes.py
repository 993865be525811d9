"""Axes of masks: worked examples, digital discs, laws, and the IBSI tumour."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from tests.quantify.conftest import ellipsoid, straight_grid
from tumorresp.domain.ct_volume import CtVolume
from tumorresp.domain.geometry import VolumeGeometry
from tumorresp.quantify.mask_axes import mask_axes

FLAT = (1.0, 1.0, 1.0)


def _mask(*rows: str) -> NDArray[np.bool_]:
    return np.array([[character == "#" for character in row] for row in rows])[None]


@pytest.mark.parametrize(
    ("picture", "long_mm", "short_mm"),
    [
        # One pixel reaches a quarter of a pixel to either side of its centre.
        (("#",), 0.5, 0.5),
        (("#####",), 4.5, 0.5),
        # Two rows: the diagonal of 4 x 1 from centre to centre, and a quarter of a pixel at each end.
        (("#####", "#####"), np.hypot(4.5, 1.0), None),
        # A hole changes nothing.
        (("#####", "#...#", "#...#", "#...#", "#####"), np.hypot(4.5, 4.0), None),
        # Parts that do not touch are measured each on its own.
        (("####...", ".......", "....###"), 3.5, 0.5),
    ],
)
def test_worked_examples(picture: tuple[str, ...], long_mm: float, short_mm: float | None) -> None:
    voxels = _mask(*picture)
    axes = mask_axes(voxels, straight_grid(voxels.shape, FLAT))
    assert axes.long_axis.length_mm == pytest.approx(long_mm, abs=1e-5)
    if short_mm is not None:
        assert axes.short_axis.length_mm == pytest.approx(short_mm, abs=1e-5)


def test_short_axis_stays_inside_a_bent_lesion() -> None:
    # A horseshoe: the chord across must not bridge the gap between its legs.
    voxels = np.zeros((1, 30, 40), bool)
    voxels[0, 2:6, 2:38] = True
    voxels[0, 2:20, 2:6] = True
    voxels[0, 2:20, 34:38] = True
    axes = mask_axes(voxels, straight_grid(voxels.shape, FLAT))
    assert axes.long_axis.length_mm > 35
    assert axes.short_axis.length_mm < 20


def test_horizontal_bar_with_anisotropic_pixels() -> None:
    voxels = np.zeros((3, 20, 20), bool)
    voxels[1, 4:7, 2:16] = True
    geometry = straight_grid(voxels.shape, (5.0, 2.0, 0.5))
    axes = mask_axes(voxels, geometry)
    assert axes.slice_index == 1
    assert axes.long_axis.length_mm == pytest.approx(np.hypot(13 * 0.5, 2 * 2.0 + 2 * 0.5), abs=0.01)
    assert axes.long_axis.start_lps_mm[2] == axes.long_axis.end_lps_mm[2] == 5.0


@pytest.mark.parametrize("radius", [4.3, 7.0, 11.6, 20.0, 33.3])
@pytest.mark.parametrize("offset", [(0.0, 0.0), (0.5, 0.5), (0.31, -0.17)])
def test_a_disc_measures_its_diameter_within_half_a_pixel(radius: float, offset: tuple[float, float]) -> None:
    size = 2 * int(radius) + 9
    rows, columns = np.indices((size, size)) - size // 2
    voxels = (((rows - offset[0]) ** 2 + (columns - offset[1]) ** 2) <= radius**2)[None]
    axes = mask_axes(voxels, straight_grid(voxels.shape, FLAT))
    assert axes.long_axis.length_mm == pytest.approx(2 * radius, abs=0.5 if radius > 5 else 0.75)
    assert axes.short_axis.length_mm == pytest.approx(2 * radius, abs=1.0)


@settings(max_examples=60, deadline=None)
@given(st.floats(8, 25), st.floats(0.5, 1.0), st.floats(0, np.pi), st.floats(-0.5, 0.5), st.floats(0.5, 1.0))
def test_ellipses_are_right_to_about_a_pixel(
    half: float, ratio: float, turn: float, shift: float, column_mm: float
) -> None:
    rows, columns = np.indices((80, 120)) - np.array([40, 60])[:, None, None]
    y, x = rows - shift, columns * column_mm + shift
    u, v = x * np.cos(turn) + y * np.sin(turn), y * np.cos(turn) - x * np.sin(turn)
    voxels = ((u / half) ** 2 + (v / (half * ratio)) ** 2 <= 1)[None]
    axes = mask_axes(voxels, straight_grid(voxels.shape, (1.0, 1.0, column_mm)))
    # The worst case is a pointed ellipse that just misses a row: docs/numbers.md has the table.
    assert 2 * half - 1.5 <= axes.long_axis.length_mm <= 2 * half + 0.6
    # The short axis hangs on the long axis' direction, which is loose for round lesions: it is no longer than it,
    # and not much shorter than the ellipse's own.
    assert 2 * half * ratio - 1.8 <= axes.short_axis.length_mm <= axes.long_axis.length_mm + 1e-6


@settings(max_examples=40, deadline=None)
@given(arrays(bool, (2, 7, 9)))
def test_laws(voxels: NDArray[np.bool_]) -> None:
    geometry = straight_grid(voxels.shape, (3.0, 0.8, 0.8))
    axes = mask_axes(voxels, geometry)
    if not voxels.any():
        assert axes is None
        return
    length = axes.long_axis.length_mm
    assert axes.short_axis.length_mm <= length + 1e-6
    way, across = (np.subtract(a.end_lps_mm, a.start_lps_mm) for a in (axes.long_axis, axes.short_axis))
    assert np.dot(way, across) == pytest.approx(0, abs=1e-6)
    # End points lie in pixels of the mask.
    for end in (axes.long_axis.start_lps_mm, axes.long_axis.end_lps_mm):
        index = geometry.lps_to_index(end)
        assert voxels[tuple(np.rint(index).astype(int))]
    # Turned and mirrored masks have the same long axis; so has a grid of twice the size, twice as long.
    for moved in (np.rot90(voxels, axes=(1, 2)), voxels[:, ::-1], voxels[:, :, ::-1], voxels[::-1]):
        other = mask_axes(moved, straight_grid(moved.shape, (3.0, 0.8, 0.8)))
        assert other.long_axis.length_mm == pytest.approx(length, abs=1e-6)
    double = mask_axes(voxels, straight_grid(voxels.shape, (6.0, 1.6, 1.6)))
    assert double.long_axis.length_mm == pytest.approx(2 * length)


def test_oblique_and_sheared_grids_give_the_same_lengths() -> None:
    straight = straight_grid((9, 40, 40), (3.0, 0.7, 0.7))
    voxels = ellipsoid(straight, np.array([14.0, 13.5, 12.0]), np.array([9.0, 6.0, 8.0]))
    turn, _ = np.linalg.qr(np.random.default_rng(2).normal(size=(3, 3)))
    row, column = turn[:, 0] * 0.7, turn[:, 1] * 0.7
    lean = turn[:, 2] * 3.0 + 1.2 * turn[:, 0]
    sheared = VolumeGeometry((9, 40, 40), (5, 6, 7), tuple(lean), tuple(row), tuple(column))
    axes, other = mask_axes(voxels, straight), mask_axes(voxels, sheared)
    assert other.long_axis.length_mm == pytest.approx(axes.long_axis.length_mm)
    assert other.short_axis.length_mm == pytest.approx(axes.short_axis.length_mm)
    assert sheared.lps_to_index(other.long_axis.end_lps_mm)[0] == pytest.approx(axes.slice_index)


def test_the_ibsi_tumour_has_its_known_axes(ibsi_lung: tuple[CtVolume, NDArray[np.bool_]]) -> None:
    volume, voxels = ibsi_lung
    axes = mask_axes(voxels, volume.geometry)
    # 103.0 x 95.9 mm through the pixels' centres; ours reach up to half a pixel (0.49 mm) further.
    assert 103.0 <= axes.long_axis.length_mm <= 103.0 + 0.49
    assert 95.9 <= axes.short_axis.length_mm <= 95.9 + 0.49
