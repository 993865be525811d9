from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from models.benchmark.comparison import compare
from models.ellipsoid import Ellipsoid
from models.geodesic_contour import (
    ContourEnergy,
    GeodesicContour,
    GeodesicContourParameters,
    HeatKernel,
    edge_indicator,
    evolve,
)
from models.lesion_evidence import EvidenceParameters
from models.lesion_frame import VoxelBox
from tests.models.synthetic_ct import ct_volume, dice, prompt_at, synthetic_lesion
from tumorresp.domain.errors import SegmentationFailed
from tumorresp.ports import LesionSegmenter
from tumorresp.service.benchmark_cases import discover_cases

SHAPES = st.tuples(st.integers(1, 5), st.integers(2, 9), st.integers(2, 9))
SPACINGS = st.tuples(st.floats(0.5, 6), st.floats(0.4, 1.5), st.floats(0.4, 1.5))


@settings(max_examples=60, deadline=None)
@given(st.data(), SHAPES, SPACINGS, st.floats(0, 10), st.floats(-2, 2), st.floats(0.05, 20))
def test_energy_never_rises(data, shape, spacing, length_weight, balloon, time):
    image = data.draw(arrays(np.float64, shape, elements=st.floats(-1000, 1000, width=32)))
    region = data.draw(arrays(np.float64, shape, elements=st.floats(-5, 5, width=32)))
    begin = data.draw(arrays(np.bool_, shape))
    energy = ContourEnergy(
        edge_indicator(image, spacing, 1.0, 20.0),
        region,
        spacing,
        length_weight_mm=length_weight,
        balloon=balloon,
        time_mm2=time,
    )
    energies = evolve(energy, begin, 30).energies
    scale = 1 + max(abs(value) for value in energies)
    assert all(after <= before + 1e-9 * scale for before, after in pairwise(energies))


def test_energy_is_the_sum_it_says():
    random = np.random.default_rng(3)
    shape, spacing = (3, 5, 4), (3.0, 1.0, 0.8)
    g, region, inside = random.uniform(0.1, 1, shape), random.normal(size=shape), random.random(shape) < 0.5
    energy = ContourEnergy(g, region, spacing, length_weight_mm=2.0, balloon=0.3, time_mm2=1.7)
    u = inside.astype(float)
    heat = HeatKernel(shape, spacing, 1.7)
    by_hand = 2 * np.sqrt(np.pi / 1.7) * np.sum(np.sqrt(g) * u * heat(np.sqrt(g) * (1 - u))) + np.sum(
        (0.3 * g + region) * u
    )
    assert energy.value_and_slope(inside)[0] == pytest.approx(by_hand)


def test_slope_is_the_derivative_of_the_energy():
    random = np.random.default_rng(4)
    shape, spacing = (2, 4, 4), (2.0, 1.0, 1.0)
    g, region, inside = random.uniform(0.1, 1, shape), random.normal(size=shape), random.random(shape) < 0.5
    energy = ContourEnergy(g, region, spacing, length_weight_mm=1.5, balloon=-0.2, time_mm2=0.9)
    _, slope = energy.value_and_slope(inside)
    heat, root = HeatKernel(shape, spacing, 0.9), np.sqrt(g)

    def relaxed(u):
        return 1.5 * np.sqrt(np.pi / 0.9) * np.sum(root * u * heat(root * (1 - u))) + np.sum((-0.2 * g + region) * u)

    for index in [(0, 0, 0), (1, 2, 3), (0, 3, 1)]:
        step = np.zeros(shape)
        step[index] = 1e-5
        numeric = (relaxed(inside + step) - relaxed(inside - step)) / 2e-5
        assert slope[index] == pytest.approx(numeric, rel=1e-6)


@settings(max_examples=40, deadline=None)
@given(st.data(), SHAPES, SPACINGS, st.floats(0.05, 20))
def test_heat_keeps_the_sum_is_symmetric_and_positive(data, shape, spacing, time):
    heat = HeatKernel(shape, spacing, time)
    first = data.draw(arrays(np.float64, shape, elements=st.floats(-1, 1, width=32)))
    second = data.draw(arrays(np.float64, shape, elements=st.floats(-1, 1, width=32)))
    assert heat(first).sum() == pytest.approx(first.sum(), abs=1e-9)
    assert np.vdot(heat(first), second) == pytest.approx(np.vdot(first, heat(second)), abs=1e-9)
    assert np.vdot(heat(first), first) >= -1e-12


def test_heat_has_the_variance_of_its_time_in_millimetres():
    point = np.zeros((41, 61, 61))
    point[20, 30, 30] = 1
    flowed = HeatKernel(point.shape, (2.0, 1.0, 0.5), 4.0)(point)
    for axis, step in enumerate((2.0, 1.0, 0.5)):
        profile = flowed.sum(axis=tuple(other for other in range(3) if other != axis))
        position = (np.arange(profile.size) - profile.size // 2) * step
        assert np.sum(profile * position**2) == pytest.approx(8.0, rel=1e-3)


def test_length_term_measures_area():
    """Far from corners the heat content of a plate is its area: a slab of two faces, whatever the spacing."""
    inside = np.zeros((1, 40, 200), bool)
    inside[:, :, 60:140] = True
    flat = np.ones(inside.shape)
    for step in (0.5, 1.0):
        energy = ContourEnergy(
            flat, np.zeros(inside.shape), (1.0, 1.0, step), length_weight_mm=1.0, balloon=0.0, time_mm2=9.0
        )
        value, _ = energy.value_and_slope(inside)
        assert value * step == pytest.approx(2 * 40, rel=0.02)


def test_edge_indicator_is_low_on_an_edge_and_one_on_flat_ground():
    image = np.zeros((1, 20, 40))
    image[:, :, 20:] = 200
    g = edge_indicator(image, (5.0, 1.0, 1.0), 1.0, 20.0)
    assert g[0, 10, 19] < 0.1
    assert g[0, 10, 2] == pytest.approx(1)


@pytest.mark.parametrize("slice_mm", [1.0, 3.0, 5.0])
@pytest.mark.parametrize("contrast_hu", [60.0, -60.0, 500.0])
@pytest.mark.parametrize("half_mm", [(14.0, 14.0, 14.0), (18.0, 12.0, 15.0)])
def test_finds_a_noisy_ellipsoid(slice_mm, contrast_hu, half_mm):
    lesion = synthetic_lesion(slice_mm, contrast_hu=contrast_hu, half_mm=half_mm)
    found = GeodesicContour().segment(lesion.volume, lesion.prompt)
    assert dice(found.in_volume(), lesion.truth) >= 0.9


@pytest.mark.parametrize("slice_mm", [1.0, 2.5, 5.0])
def test_finds_a_small_nodule_in_lung(slice_mm):
    lesion = synthetic_lesion(slice_mm, pixel_mm=0.7, half_mm=(5.0, 5.0, 5.0), size_mm=40, contrast_hu=800, noise_hu=20)
    found = GeodesicContour().segment(lesion.volume, lesion.prompt).in_volume()
    assert dice(found, lesion.truth) >= 0.8


@pytest.mark.parametrize("height_mm", [8.0, 26.0])
def test_finds_how_far_a_lesion_reaches_across_the_slices(height_mm):
    """Flat and tall lesions with one and the same ellipse on the key slice; the ellipsoid cannot tell them apart."""
    lesion = synthetic_lesion(2.5, half_mm=(14.0, 12.0, height_mm))
    found = GeodesicContour().segment(lesion.volume, lesion.prompt).in_volume()
    blind = Ellipsoid().segment(lesion.volume, lesion.prompt).in_volume()
    assert dice(found, lesion.truth) >= 0.85
    assert dice(found, lesion.truth) > dice(blind, lesion.truth) + 0.1


def test_stays_near_the_ellipsoid_where_there_is_nothing_to_see():
    lesion = synthetic_lesion(2.5, contrast_hu=0)
    found = GeodesicContour().segment(lesion.volume, lesion.prompt).in_volume()
    assert dice(found, lesion.truth) > 0.7


def test_a_tilted_gantry_changes_nothing():
    lesion = synthetic_lesion(3.0, drift_mm=(1.2, 0.0))
    found = GeodesicContour().segment(lesion.volume, lesion.prompt).in_volume()
    assert dice(found, lesion.truth) >= 0.9


def test_coarser_grid_of_a_large_lesion_keeps_its_outline():
    lesion = synthetic_lesion(2.0, half_mm=(32.0, 28.0, 30.0), size_mm=130)
    coarse = GeodesicContour(GeodesicContourParameters(grid_steps_across=24)).segment(lesion.volume, lesion.prompt)
    assert dice(coarse.in_volume(), lesion.truth) >= 0.93


def test_same_input_gives_same_voxels():
    lesion = synthetic_lesion(3.0)
    first, second = (GeodesicContour().segment(lesion.volume, lesion.prompt) for _ in range(2))
    assert np.array_equal(first.voxels, second.voxels)
    assert first.start == second.start


def test_mask_at_the_scan_s_end_says_so():
    lesion = synthetic_lesion(3.0)
    middle = lesion.prompt.slice_index
    cut = ct_volume(lesion.volume.hu[: middle + 2], (3.0, 1.0, 1.0))
    found = GeodesicContour().segment(cut, lesion.prompt)
    assert dice(found.in_volume(), lesion.truth[: middle + 2]) >= 0.88
    assert "lesion-at-scan-edge" in {finding.code for finding in found.findings}


def test_a_mask_at_the_end_of_the_box_that_was_searched_says_so():
    whole = np.zeros((20, 20, 20), bool)
    box = VoxelBox((5, 5, 0), (10, 10, 20))
    for begin, end, expected in (((6, 6, 6), (13, 13, 13), False), ((5, 6, 6), (13, 13, 13), True)):
        mask = whole.copy()
        mask[tuple(slice(a, b) for a, b in zip(begin, end, strict=True))] = True
        assert box.limits(mask) is expected
    for begin, end, expected in (
        ((6, 6, 6), (15, 13, 13), True),
        ((6, 5, 6), (13, 13, 13), True),
        ((6, 6, 6), (13, 15, 13), True),
        ((6, 6, 0), (13, 13, 20), False),  # the volume ends here, too: another remark's business
    ):
        mask = whole.copy()
        mask[tuple(slice(a, b) for a, b in zip(begin, end, strict=True))] = True
        assert box.limits(mask) is expected


def test_a_long_rod_ends_where_the_search_ends():
    hu = np.full((80, 48, 48), -100, np.int16)
    hu[4:76, 18:30, 18:30] = 60
    volume = ct_volume(hu, (3.0, 1.0, 1.0))
    free = EvidenceParameters(stretch_weight=0.0)
    prompt = prompt_at((40, 23.5, 23.5), (6.0, 6.0), (3.0, 1.0, 1.0))
    found = GeodesicContour(GeodesicContourParameters(evidence=free)).segment(volume, prompt)
    assert "contour-reach-limited" in {finding.code for finding in found.findings}
    ordinary = synthetic_lesion(3.0)
    assert not GeodesicContour().segment(ordinary.volume, ordinary.prompt).findings


def test_a_lesion_far_outside_the_slice_fails_with_its_reason():
    lesion = synthetic_lesion(3.0, size_mm=60)
    outside = prompt_at((lesion.prompt.slice_index, -40.0, -40.0), (3.0, 3.0), (3.0, 1.0, 1.0))
    with pytest.raises(SegmentationFailed, match="nothing at the axes"):
        GeodesicContour().segment(lesion.volume, outside)


def test_identity_names_every_parameter():
    parameters = GeodesicContourParameters(length_weight_mm=1.25)
    identity = GeodesicContour(parameters).identity
    assert identity.name == "geodesic-contour"
    assert identity.weights_sha256 is None
    assert dict(identity.parameters)["length_weight_mm"] == "1.25"
    assert {"edge_sigma_mm", "tissue_weight", "usual_reach"} <= set(dict(identity.parameters))
    assert isinstance(GeodesicContour(), LesionSegmenter)


@pytest.mark.parametrize(("patient", "least"), [("STS_036", 0.82), ("STS_051", 0.90)])
def test_beats_the_ellipsoid_on_real_tumours(real_data, patient, least):
    (case,) = discover_cases(real_data / "sts" / patient)
    ellipsoid, contour = compare([case], [GeodesicContour()])
    assert contour.dice >= least
    assert contour.dice > ellipsoid.dice + 0.05
