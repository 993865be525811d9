"""Radiomics: IBSI's consensus on its digital phantom, equality with pyradiomics itself, and lesions too small."""

import numpy as np
import pydicom.sr._concepts_dict as dicom_codes
import pytest
import radiomics
import SimpleITK
from numpy.typing import NDArray
from radiomics.featureextractor import RadiomicsFeatureExtractor

from tests.quantify.conftest import ellipsoid, straight_grid
from tumorresp.domain.biomarkers import Biomarker
from tumorresp.domain.geometry import VolumeGeometry
from tumorresp.quantify import radiomics as subject
from tumorresp.quantify.radiomics_codes import ibsi_code, unit

# IBSI reference manual, section 5.1, three-dimensional aggregation (GLCM and GLRLM: average over directions).
CONSENSUS = {
    "shape_Elongation": (0.816, 0.005), "shape_Flatness": (0.749, 0.005), "shape_SurfaceVolumeRatio": (0.698, 0.004),
    "shape_Sphericity": (0.843, 0.005), "shape_MeshVolume": (556, 4), "shape_VoxelVolume": (592, 4),
    "shape_SurfaceArea": (388, 3), "shape_Maximum3DDiameter": (13.1, 0.1),
    "firstorder_Mean": (2.15, 0.005), "firstorder_Variance": (3.05, 0.005), "firstorder_Skewness": (1.08, 0.005),
    "firstorder_Median": (1, 0), "firstorder_Minimum": (1, 0), "firstorder_10Percentile": (1, 0),
    "firstorder_90Percentile": (4, 0), "firstorder_Maximum": (6, 0), "firstorder_InterquartileRange": (3, 0),
    "firstorder_Range": (5, 0), "firstorder_MeanAbsoluteDeviation": (1.55, 0.005),
    "firstorder_RobustMeanAbsoluteDeviation": (1.11, 0.005), "firstorder_Energy": (567, 0),
    "firstorder_RootMeanSquared": (2.77, 0.005), "firstorder_Entropy": (1.27, 0.005),
    "firstorder_Uniformity": (0.512, 0.0005),
    "glcm_MaximumProbability": (0.503, 0.0005), "glcm_JointAverage": (2.14, 0.005), "glcm_SumSquares": (3.1, 0.005),
    "glcm_JointEntropy": (2.4, 0.005), "glcm_DifferenceAverage": (1.43, 0.005), "glcm_Contrast": (5.32, 0.005),
    "glcm_JointEnergy": (0.303, 0.0005), "glcm_Correlation": (0.157, 0.0005), "glcm_Imc1": (-0.157, 0.0005),
    "glrlm_LongRunEmphasis": (3.06, 0.005), "glrlm_RunEntropy": (2.43, 0.005), "glrlm_RunPercentage": (0.68, 0.005),
    "glszm_SmallAreaEmphasis": (0.255, 0.0005), "glszm_LargeAreaEmphasis": (550, 0),
    "glszm_ZoneVariance": (331, 0.5), "glszm_ZoneEntropy": (2.32, 0.005), "glszm_ZonePercentage": (0.0676, 0.00005),
    "gldm_SmallDependenceEmphasis": (0.045, 0.0005), "gldm_LargeDependenceEmphasis": (109, 0.5),
    "gldm_LargeDependenceHighGrayLevelEmphasis": (235, 0.5), "gldm_DependenceEntropy": (4.4, 0.005),
    "gldm_DependenceNonUniformity": (4.86, 0.005), "gldm_DependenceVariance": (22.1, 0.05),
    "ngtdm_Coarseness": (0.0296, 0.00005), "ngtdm_Contrast": (0.584, 0.0005), "ngtdm_Busyness": (6.54, 0.005),
    "ngtdm_Complexity": (13.5, 0.05), "ngtdm_Strength": (0.763, 0.0006),
}  # fmt: skip


def _values(found: tuple[Biomarker, ...]) -> dict[str, float | None]:
    return {biomarker.name: biomarker.value for biomarker in found}


def _lesion(shape: tuple[int, int, int] = (24, 44, 44)) -> tuple[NDArray[np.int16], NDArray[np.bool_], VolumeGeometry]:
    geometry = straight_grid(shape, (2.5, 0.8, 0.8))
    middle = geometry.index_to_lps((np.array(shape) - 1) / 2)
    voxels = ellipsoid(geometry, middle, np.array([6.0, 5.0, 8.0]))
    random = np.random.default_rng(3)
    hu = np.where(voxels, 50, -100) + random.normal(0, 20, size=shape)
    return np.rint(hu).astype(np.int16), voxels, geometry


def test_digital_phantom_has_the_consensus_values(
    ibsi_digital: tuple[NDArray[np.float32], NDArray[np.bool_], VolumeGeometry], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(subject._extractor().settings, "binWidth", 1)
    found = _values(subject.extract(*ibsi_digital))
    for name, (value, tolerance) in CONSENSUS.items():
        assert found[f"original_{name}"] == pytest.approx(value, abs=tolerance + 1e-9), name
        assert ibsi_code(f"original_{name}") is not None, name


def test_values_are_pyradiomics_own() -> None:
    hu, voxels, geometry = _lesion()
    found = _values(subject.extract(hu, voxels, geometry))
    images = []
    for array in (hu.astype(np.float32), voxels.astype(np.uint8)):
        image = SimpleITK.GetImageFromArray(array)
        image.SetSpacing((0.8, 0.8, 2.5))
        images.append(image)
    extractor = RadiomicsFeatureExtractor(
        binWidth=25, preCrop=True, padDistance=12, geometryTolerance=1e-4, additionalInfo=False
    )
    extractor.enableImageTypes(Original={}, LoG={"sigma": [3.0]}, Wavelet={"wavelet": "coif1", "level": 1})
    direct = {name: float(value) for name, value in extractor.execute(*images).items()}
    assert len(found) == 944
    assert set(found) == set(direct)
    assert all(found[name] == pytest.approx(direct[name], rel=1e-9, nan_ok=True) for name in direct)


def test_a_crop_gives_what_the_whole_ct_gives() -> None:
    hu, voxels, geometry = _lesion((40, 70, 70))
    pad = subject.PAD_VOXELS
    box = tuple(
        slice(
            max(0, int(np.flatnonzero(voxels.any(axis=o))[0]) - pad),
            int(np.flatnonzero(voxels.any(axis=o))[-1]) + 1 + pad,
        )
        for o in ((1, 2), (0, 2), (0, 1))
    )
    whole = _values(subject.extract(hu, voxels, geometry))
    crop = _values(subject.extract(hu[box], voxels[box], geometry))
    for name, value in whole.items():
        if not name.startswith("wavelet"):  # periodic at the crop's border
            assert crop[name] == pytest.approx(value, rel=1e-6), name


def test_a_lesion_that_pyradiomics_fails_on_has_notes_and_no_numbers() -> None:
    hu, voxels, geometry = _lesion()
    broken = hu.astype(np.float32)
    broken[voxels] = np.where(np.arange(np.count_nonzero(voxels)) % 2, np.inf, 0)
    found = subject.extract(broken, voxels, geometry)
    assert [biomarker.name for biomarker in found] == list(subject.feature_names())
    assert {biomarker.value for biomarker in found} == {None}
    assert all("pyradiomics refused this lesion" in biomarker.note for biomarker in found)


@pytest.mark.parametrize("half_mm", [(6.0, 5.0, 12.0), (6.0, 12.0, 5.0)])
@pytest.mark.parametrize("pixel_mm", [(0.5, 2.0), (2.0, 0.5), (1.0, 1.0)])
def test_rows_and_columns_have_their_own_spacing(
    half_mm: tuple[float, float, float], pixel_mm: tuple[float, float]
) -> None:
    """One lesion in the patient has one shape, whatever the pixels that it is seen in."""
    spacing = (2.0, *pixel_mm)
    size_mm = (24.0, 36.0, 36.0)
    geometry = straight_grid(tuple(round(size / step) for size, step in zip(size_mm, spacing, strict=True)), spacing)
    depth, height, width = half_mm
    middle = geometry.index_to_lps((np.array(geometry.shape) - 1) / 2)
    voxels = ellipsoid(geometry, middle, np.array([width, height, depth]))
    random = np.random.default_rng(5)
    found = _values(subject.extract(random.normal(40, 20, geometry.shape), voxels, geometry))
    # Principal axis lengths are 4 standard deviations: 4 / sqrt(5) half axes of an ellipsoid.
    assert found["original_shape_MajorAxisLength"] == pytest.approx(12 * 4 / 5**0.5, rel=0.05)
    assert found["original_shape_MinorAxisLength"] == pytest.approx(6 * 4 / 5**0.5, rel=0.05)
    assert found["original_shape_Maximum2DDiameterSlice"] == pytest.approx(24, rel=0.1)


@pytest.mark.parametrize(
    ("half_voxels", "why"),
    [((1, 1, 2), "too small"), ((0, 8, 8), "too flat"), ((6, 8, 0), "too flat"), ((0, 1, 1), "too small")],
)
def test_small_lesions_say_so(half_voxels: tuple[int, int, int], why: str) -> None:
    hu, _, geometry = _lesion()
    voxels = np.zeros(hu.shape, bool)
    voxels[tuple(slice(20 - h, 21 + h) if h or i else slice(12, 13) for i, h in enumerate(half_voxels))] = True
    voxels[:, 30:] = False
    found = subject.extract(hu, voxels, geometry)
    assert tuple(b.name for b in found) == subject.feature_names()
    for biomarker in found:
        if biomarker.name.startswith(("original_shape", "original_firstorder")):
            continue
        assert biomarker.value is None
        assert biomarker.note.startswith(why)
    values = _values(found)
    assert values["original_firstorder_Mean"] == pytest.approx(hu[voxels].mean())
    assert values["original_shape_VoxelVolume"] == pytest.approx(voxels.sum() * geometry.voxel_volume_mm3)


def test_what_is_not_defined_is_none_with_a_note() -> None:
    hu, voxels, geometry = _lesion()
    found = {b.name: b for b in subject.extract(np.full_like(hu, 40), voxels, geometry)}
    assert all(b.value is None or np.isfinite(b.value) for b in found.values())
    assert all(b.note for b in found.values() if b.value is None)
    assert found["original_firstorder_Variance"].value == 0


@pytest.mark.parametrize("count", [0, 1])
def test_nothing_and_a_single_voxel_have_no_features(count: int) -> None:
    hu, voxels, geometry = _lesion()
    voxels = np.zeros_like(voxels)
    voxels[12, 20, 20] = bool(count)
    found = subject.extract(hu, voxels, geometry)
    assert [b.value for b in found] == [None] * 944
    assert all(b.note.startswith(f"too small for texture: {count} voxels") for b in found)


def test_codes_are_those_of_dicom() -> None:
    dicom = {value: meaning for entry in dicom_codes.concepts["IBSI"].values() for value, (meaning, _) in entry.items()}
    coded = {name: code for name in subject.feature_names() if (code := ibsi_code(name))}
    assert len({code.value for code in coded.values()}) == len(coded)
    for name, code in coded.items():
        if "_firstorder_" in name and code.value not in dicom:
            continue  # intensity statistics: IBSI codes that DICOM does not list
        assert dicom[code.value] == code.meaning, name
    families = {name.split("_")[1] for name in subject.feature_names()}
    assert families == {"shape", "firstorder", "glcm", "glrlm", "glszm", "gldm", "ngtdm"}
    assert ibsi_code("original_firstorder_Kurtosis") is None
    assert ibsi_code("wavelet-LLH_glcm_JointEntropy") is None


@pytest.mark.parametrize(
    ("feature", "expected"),
    [
        ("original_shape_MeshVolume", "mm3"),
        ("original_shape_Maximum3DDiameter", "mm"),
        ("original_shape_Sphericity", "1"),
        ("original_firstorder_Mean", "[hnsf'U]"),
        ("original_firstorder_Variance", "[hnsf'U]2"),
        ("original_firstorder_Skewness", "1"),
        ("wavelet-HHH_firstorder_Mean", "1"),
        ("original_glcm_Contrast", "1"),
    ],
)
def test_units(feature: str, expected: str) -> None:
    assert unit(feature) == expected


def test_pyradiomics_writes_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    subject.extract(*_lesion())
    radiomics.logger.warning("a warning of pyradiomics")
    captured = capfd.readouterr()
    assert (captured.out, captured.err) == ("", "")
