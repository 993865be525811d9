"""Where a place in one CT lies in another: rigid or affine registration of two scans of a patient."""

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import SimpleITK
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import binary_dilation, binary_fill_holes, binary_opening, label, map_coordinates

from tumorresp.domain.ct_volume import CtVolume
from tumorresp.domain.errors import InvalidInput
from tumorresp.domain.finding import Finding, Severity
from tumorresp.domain.geometry import VolumeGeometry, vector3

Kind = Literal["rigid", "affine"]

_GRID_MM = 4.0
_AIR_HU, _CEILING_HU, _BODY_HU = -1000.0, 400.0, -300.0
_THINNEST_MM = 8 * _GRID_MM
_SEED = 20240101
# Below these the two scans hardly show the same part of a body, or the images disagree.
_MINIMUM_COVERAGE = 0.3
_MINIMUM_OVERLAP = 0.8
_MINIMUM_CORRELATION = 0.7


@dataclass(frozen=True, eq=False)
class Registration:
    """A map from points of a moving scan to points of a fixed one, both LPS mm.

    Parameters
    ----------
    kind
        ``rigid``, ``affine``, or ``identity`` where the images could not be registered.
    matrix
        4 x 4, moving to fixed.
    overlap
        Dice coefficient of the two bodies where both scans have image; None when not registered.
    correlation
        Pearson's correlation of the clipped HU inside both bodies; None when not registered.
    findings
        Why the map is not to be trusted; empty when it is.
    """

    kind: str
    matrix: NDArray[np.float64]
    overlap: float | None
    correlation: float | None
    findings: tuple[Finding, ...] = field(default=())

    @property
    def is_reliable(self) -> bool:
        """Whether nothing speaks against the map."""
        return not self.findings

    def map_points(self, points_lps_mm: ArrayLike) -> NDArray[np.float64]:
        """Map (..., 3) LPS mm of the moving scan to LPS mm of the fixed scan."""
        return np.asarray(points_lps_mm, dtype=np.float64) @ self.matrix[:3, :3].T + self.matrix[:3, 3]


@dataclass(frozen=True, eq=False)
class _Scan:
    """A scan on a straight grid of about 4 mm: clipped HU with everything but the body set to air, and the body."""

    hu: NDArray[np.float32]
    body: NDArray[np.bool_]
    geometry: VolumeGeometry

    @property
    def image(self) -> Any:
        return _to_image(self.hu, self.geometry)

    @property
    def middle_lps_mm(self) -> NDArray[np.float64]:
        """Centre of the body; of the grid when there is no body."""
        where = self.body if self.body.any() else np.ones_like(self.body)
        return self.geometry.index_to_lps(np.argwhere(where).mean(axis=0))

    @property
    def extent_mm(self) -> NDArray[np.float64]:
        return np.asarray(self.geometry.spacing_mm) * self.geometry.shape


def register(fixed: CtVolume, moving: CtVolume, *, kind: Kind = "rigid") -> Registration:
    """Register two CTs of one patient on body outline, lungs, bones and organs.

    Both are sampled at about 4 mm with HU clipped to -1000..400 and the couch removed. The start is the bodies'
    middles in the slices and the best of the offsets across them; then mean squares are minimised in three
    resolutions over the body's voxels (all, half, a seventh; regularly sampled, fixed seed) on one thread, so that a
    rerun gives the same map.

    Parameters
    ----------
    fixed, moving
        Their frames of reference may differ; the patient must lie the same way (both supine, for example).
    kind
        ``affine`` refines the rigid result.

    Returns
    -------
    Registration
        With a finding, and ``is_reliable`` False, when the scans hardly overlap, disagree, show no body, are thinner
        than 32 mm, or cannot be compared (three slices, say). In the last three cases nothing is optimised: the map is
        the identity for scans of one frame of reference, else it brings the bodies' middles together.

    Raises
    ------
    InvalidInput
        If the numbers of a scan are no CT numbers (`CtVolume.numbers_doubt`).
    """
    for volume in (fixed, moving):
        if volume.numbers_doubt:
            raise InvalidInput(
                f"the scans cannot be registered, the CT numbers of one are not used: {volume.numbers_doubt}.",
                where=volume.series_instance_uid,
            )
    target, source = _scan(fixed), _scan(moving)
    if min(target.extent_mm.min(), source.extent_mm.min()) < _THINNEST_MM:
        return _unregistered(fixed, moving, target, source, f"a scan is thinner than {_THINNEST_MM:.0f} mm")
    if not (target.body.any() and source.body.any()):
        return _unregistered(fixed, moving, target, source, "no body was found in a scan")
    try:
        transform = _registered(target, source, kind)
        coverage, overlap, correlation = _quality(target, source, transform)
    except RuntimeError:  # SimpleITK's, over scans of few slices or without a common part
        return _unregistered(fixed, moving, target, source, "the images cannot be compared")
    findings: tuple[Finding, ...] = ()
    if not agree(coverage, overlap, correlation):
        message = (
            f"The scans agree poorly after registration (common part {coverage:.2f}, overlap of the bodies "
            f"{overlap:.2f}, correlation {correlation:.2f}): check every match by position."
        )
        findings = (Finding("registration-poor", Severity.WARNING, message, moving.series_instance_uid),)
    # SimpleITK's transform takes fixed points to moving ones.
    return Registration(kind, np.asarray(np.linalg.inv(_matrix(transform))), overlap, correlation, findings)


def _registered(target: _Scan, source: _Scan, kind: Kind) -> Any:
    transform = _optimise(target, source, _best_start(target, source))
    if kind == "affine":
        affine = SimpleITK.AffineTransform(3)
        affine.SetCenter(transform.GetCenter())
        affine.SetMatrix(transform.GetMatrix())
        affine.SetTranslation(transform.GetTranslation())
        transform = _optimise(target, source, affine)
    return transform


def agree(coverage: float, overlap: float, correlation: float) -> bool:
    """Return whether two registered scans show the same part of the same body; each of the three must say so.

    Parameters
    ----------
    coverage
        Common part of the smaller body, 0 to 1.
    overlap
        Dice coefficient of the bodies in the common field of view.
    correlation
        Pearson's correlation of the clipped HU inside both bodies; NaN, where all are one number, agrees with nothing.
    """
    return coverage >= _MINIMUM_COVERAGE and overlap >= _MINIMUM_OVERLAP and correlation >= _MINIMUM_CORRELATION


def _unregistered(fixed: CtVolume, moving: CtVolume, target: _Scan, source: _Scan, reason: str) -> Registration:
    matrix = np.eye(4)
    frame = fixed.geometry.frame_of_reference_uid
    if not frame or frame != moving.geometry.frame_of_reference_uid:
        matrix[:3, 3] = target.middle_lps_mm - source.middle_lps_mm
    message = f"The scans could not be registered ({reason}): check every match by position."
    finding = Finding("registration-impossible", Severity.WARNING, message, moving.series_instance_uid)
    return Registration("identity", matrix, None, None, (finding,))


def _scan(volume: CtVolume) -> _Scan:
    hu, geometry = _straightened(*_coarsened(volume.hu, volume.geometry))
    hu = np.clip(hu, _AIR_HU, _CEILING_HU).astype(np.float32)
    body = _body(hu)
    return _Scan(np.where(body, hu, np.float32(_AIR_HU)), body, geometry)


def _coarsened(hu: NDArray[Any], geometry: VolumeGeometry) -> tuple[NDArray[Any], VolumeGeometry]:
    """Average blocks of voxels so that steps are about 4 mm; what does not fill a block is cut off."""
    factors = [
        min(size, max(1, round(_GRID_MM / step))) for size, step in zip(hu.shape, geometry.spacing_mm, strict=True)
    ]
    counts = [size // factor for size, factor in zip(hu.shape, factors, strict=True)]
    cut = hu[tuple(slice(0, count * factor) for count, factor in zip(counts, factors, strict=True))]
    blocks = cut.reshape([n for pair in zip(counts, factors, strict=True) for n in pair])
    steps = geometry.affine[:3, :3] * factors
    origin = geometry.index_to_lps([(factor - 1) / 2 for factor in factors])
    coarse = VolumeGeometry(
        (counts[0], counts[1], counts[2]),
        vector3(origin),
        vector3(steps[:, 0]),
        vector3(steps[:, 1]),
        vector3(steps[:, 2]),
    )
    return blocks.mean(axis=(1, 3, 5), dtype=np.float32), coarse


def _straightened(hu: NDArray[Any], geometry: VolumeGeometry) -> tuple[NDArray[Any], VolumeGeometry]:
    """Resample a sheared grid (gantry tilt) to one whose slices are stacked along their normal."""
    upright = np.asarray(geometry.normal) * geometry.slice_distance_mm
    if np.allclose(upright, geometry.slice_step_lps_mm, atol=1e-3):
        return hu, geometry
    straight = VolumeGeometry(
        geometry.shape,
        geometry.origin_lps_mm,
        vector3(upright),
        geometry.row_step_lps_mm,
        geometry.column_step_lps_mm,
    )
    index = geometry.lps_to_index(straight.index_to_lps(np.moveaxis(np.indices(geometry.shape), 0, -1)))
    return map_coordinates(hu, np.moveaxis(index, -1, 0), order=1, cval=_AIR_HU), straight


def _body(hu: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Return the patient, lungs included, without the couch: the largest thick piece, filled slice by slice."""
    thick = binary_opening(hu > _BODY_HU, np.ones((1, 3, 3), bool))
    parts, count = label(thick)
    if count == 0:
        return np.zeros(hu.shape, bool)
    largest = int(np.argmax(np.bincount(parts.ravel())[1:])) + 1
    return np.stack([binary_fill_holes(section) for section in parts == largest])


def _to_image(array: NDArray[Any], geometry: VolumeGeometry) -> Any:
    image = SimpleITK.GetImageFromArray(array)
    steps = geometry.affine[:3, [2, 1, 0]]
    lengths = np.linalg.norm(steps, axis=0)
    image.SetSpacing(lengths.tolist())
    image.SetDirection((steps / lengths).ravel().tolist())
    image.SetOrigin(geometry.origin_lps_mm)
    return image


def _best_start(target: _Scan, source: _Scan) -> Any:
    """Return the translation (as Euler transform) under which the scans agree best, in steps across the slices."""
    normal = np.asarray(target.geometry.normal)
    shift = source.middle_lps_mm - target.middle_lps_mm
    across = shift - (shift @ normal) * normal
    ranges = [
        (scan.geometry.index_to_lps([[0, 0, 0], [scan.geometry.shape[0] - 1, 0, 0]]) @ normal)
        for scan in (target, source)
    ]
    (low_t, high_t), (low_s, high_s) = (sorted(ends) for ends in ranges)
    # At least half of the shorter scan must have a partner.
    shared = min(high_t - low_t, high_s - low_s) / 2
    offsets = np.arange(low_s - high_t + shared, high_s - low_t - shared + 1e-6, 2 * _GRID_MM)
    starts = [_euler(target.middle_lps_mm, across + offset * normal) for offset in offsets]
    measure = _method(target, shrink=(2,), smooth=(1,))
    fixed, moving = _halved(target), _halved(source)
    costs = []
    for start in starts:
        measure.SetInitialTransform(start, inPlace=True)
        costs.append(measure.MetricEvaluate(fixed, moving))
    return starts[int(np.argmin(costs))]


def _halved(scan: _Scan) -> Any:
    return SimpleITK.BinShrink(scan.image, [2, 2, 1])


def _euler(centre: NDArray[np.float64], translation: NDArray[np.float64]) -> Any:
    transform = SimpleITK.Euler3DTransform()
    transform.SetCenter(centre.tolist())
    transform.SetTranslation(translation.tolist())
    return transform


def _method(target: _Scan, shrink: tuple[int, ...], smooth: tuple[int, ...]) -> Any:
    method = SimpleITK.ImageRegistrationMethod()
    method.SetNumberOfThreads(1)
    method.SetMetricAsMeanSquares()
    around = binary_dilation(target.body, iterations=2).astype(np.uint8)
    method.SetMetricFixedMask(_to_image(around, target.geometry))
    method.SetMetricSamplingStrategy(method.NONE)
    method.SetInterpolator(SimpleITK.sitkLinear)
    method.SetShrinkFactorsPerLevel(shrink)
    method.SetSmoothingSigmasPerLevel(smooth)
    method.SmoothingSigmasAreSpecifiedInPhysicalUnitsOff()
    return method


def _optimise(target: _Scan, source: _Scan, start: Any) -> Any:
    method = _method(target, shrink=(4, 2, 1), smooth=(2, 1, 0))
    method.SetMetricSamplingStrategy(method.REGULAR)
    method.SetMetricSamplingPercentagePerLevel([1.0, 0.5, 0.15], _SEED)
    method.SetOptimizerAsRegularStepGradientDescent(
        learningRate=2.0, minStep=0.01, numberOfIterations=200, relaxationFactor=0.7, gradientMagnitudeTolerance=1e-8
    )
    method.SetOptimizerScalesFromJacobian()
    method.SetInitialTransform(start, inPlace=True)
    method.Execute(target.image, source.image)
    return start


def _quality(target: _Scan, source: _Scan, transform: Any) -> tuple[float, float, float]:
    """Return (common part of the smaller body, Dice of the bodies there, correlation of HU there)."""

    def on_target(array: NDArray[Any], interpolator: int) -> NDArray[Any]:
        moved = SimpleITK.Resample(
            _to_image(array, source.geometry), target.image, transform, interpolator, 0.0, SimpleITK.sitkFloat32
        )
        return SimpleITK.GetArrayFromImage(moved)

    seen = on_target(np.ones(source.hu.shape, np.uint8), SimpleITK.sitkNearestNeighbor) > 0
    body = on_target(source.body.astype(np.uint8), SimpleITK.sitkNearestNeighbor) > 0
    hu = on_target(source.hu - np.float32(_AIR_HU), SimpleITK.sitkLinear)
    mine = target.body & seen
    either = (mine | body) & seen
    if not (mine.any() and body.any()):
        return 0.0, 0.0, 0.0
    sizes = [int(scan.body.sum()) * scan.geometry.voxel_volume_mm3 for scan in (target, source)]
    coverage = int(mine.sum()) * target.geometry.voxel_volume_mm3 / min(sizes)
    overlap = 2 * int((mine & body).sum()) / (int(mine.sum()) + int(body.sum()))
    return coverage, overlap, float(np.corrcoef(target.hu[either], hu[either])[0, 1])


def _matrix(transform: Any) -> NDArray[np.float64]:
    """Return the 4 x 4 matrix of a SimpleITK transform with a centre."""
    linear = np.asarray(transform.GetMatrix()).reshape(3, 3)
    centre = np.asarray(transform.GetCenter())
    matrix = np.eye(4)
    matrix[:3, :3] = linear
    matrix[:3, 3] = centre + transform.GetTranslation() - linear @ centre
    return matrix
