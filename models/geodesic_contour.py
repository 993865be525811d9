"""Geodesic active contours by iterative convolution-thresholding: a lesion segmenter that needs no weights.

The contour minimises a length measured in a metric that is cheap on edges, plus what the CT numbers and the reader's
axes say of each voxel. Lengths are written with the heat kernel, so that each iteration is one convolution and one
threshold and the energy never rises.

References
----------
Ma, Wang, Wang, Zhang: Fast and accurate geodesic active contours by iterative convolution-thresholding, SIAM J. Imaging
Sci. 2021. Esedoglu, Otto: Threshold dynamics for networks with arbitrary surface tensions, CPAM 2015.
"""

from dataclasses import dataclass, field, fields

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage

from models.lesion_evidence import EvidenceParameters, LesionEvidence, evidence_reach_mm, lesion_evidence
from models.lesion_frame import box_around, lesion_frame
from models.mask_cleaning import fill_holes, marked_component
from models.working_grid import working_grid
from tumorresp.domain.ct_volume import CtVolume
from tumorresp.domain.errors import SegmentationFailed
from tumorresp.domain.finding import Finding, Severity
from tumorresp.domain.segmentation import BoxPrompt, LesionMask, SegmenterIdentity
from tumorresp.domain.version import SOFTWARE_VERSION

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


def edge_indicator(image: Floats, spacing_mm: tuple[float, ...], sigma_mm: float, scale_hu_per_mm: float) -> Floats:
    """Return g = 1 / (1 + |grad(G * I)|^2), near 0 on edges and 1 where the image is flat.

    Parameters
    ----------
    image
        CT numbers (HU), any number of dimensions.
    spacing_mm
        Voxel spacing along each dimension.
    sigma_mm
        Standard deviation of the Gaussian G.
    scale_hu_per_mm
        Unit of the gradient: an edge this steep has g = 1/2.
    """
    smooth = ndimage.gaussian_filter(image, [sigma_mm / step for step in spacing_mm], mode="nearest")
    squared = np.zeros_like(smooth)
    for axis, step in enumerate(spacing_mm):
        if image.shape[axis] > 1:
            squared += np.gradient(smooth, step, axis=axis) ** 2
    return 1 / (1 + squared / scale_hu_per_mm**2)


class HeatKernel:
    """Heat flow for a given time on a grid with insulated borders.

    It is the exact exponential of the grid's second differences, so it is symmetric and positive definite whatever the
    spacing, which the energy's descent rests on; a sampled and cut-off Gaussian is not. The discrete cosine transform
    diagonalises it.

    Parameters
    ----------
    shape, spacing_mm
        Of the grid.
    time_mm2
        Time of the flow: the kernel's variance along each dimension is twice this.
    """

    def __init__(self, shape: tuple[int, ...], spacing_mm: tuple[float, ...], time_mm2: float) -> None:
        decay: Floats = np.zeros((1,) * len(shape))
        for axis, (size, step) in enumerate(zip(shape, spacing_mm, strict=True)):
            eigenvalues = (2 - 2 * np.cos(np.pi * np.arange(size) / size)) / step**2
            decay = decay + eigenvalues.reshape([-1 if other == axis else 1 for other in range(len(shape))])
        self._gain = np.exp(-time_mm2 * decay)

    def __call__(self, values: Floats) -> Floats:
        """Return the values after the flow."""
        flowed: Floats = fft.idctn(self._gain * fft.dctn(values, norm="ortho"), norm="ortho")
        return flowed


class ContourEnergy:
    """E(u) = w sqrt(pi / tau) <sqrt(g) u, G (sqrt(g) (1 - u))> + <balloon g + region, u> for binary u.

    Sums are over voxels, so the energy is in units of the voxel volume.

    Parameters
    ----------
    edges
        The edge indicator g.
    region
        Cost of a voxel's belonging to the lesion; negative where it should belong.
    spacing_mm
        Voxel spacing along each dimension.
    length_weight_mm
        w: cost of boundary, against region costs per volume.
    balloon
        Lambda; positive shrinks, negative inflates.
    time_mm2
        Tau, the time of the heat kernel G.
    """

    def __init__(
        self,
        edges: Floats,
        region: Floats,
        spacing_mm: tuple[float, ...],
        *,
        length_weight_mm: float,
        balloon: float,
        time_mm2: float,
    ) -> None:
        self._root = np.sqrt(edges)
        self._linear = balloon * edges + region
        self._scale = length_weight_mm * np.sqrt(np.pi / time_mm2)
        self._heat = HeatKernel(edges.shape, spacing_mm, time_mm2)
        self._heated_root = self._heat(self._root)

    def value_and_slope(self, inside: Mask) -> tuple[float, Floats]:
        """Return E(u) and its derivative with respect to u at each voxel; one convolution gives both."""
        heated = self._heat(self._root * inside)
        value = self._scale * float(np.sum((self._root * (self._heated_root - heated))[inside]))
        value += float(np.sum(self._linear[inside]))
        return value, self._scale * self._root * (self._heated_root - 2 * heated) + self._linear


@dataclass(frozen=True, eq=False)
class Evolution:
    """A contour that rests or was stopped: mask, slope of the energy there, energies of all iterates."""

    inside: Mask
    slope: Floats
    energies: tuple[float, ...]
    converged: bool


def evolve(energy: ContourEnergy, inside: Mask, iterations: int) -> Evolution:
    """Move a contour by convolution and threshold until it stands still.

    The energy is concave in u, so the minimiser of its linearisation (u = 1 where the slope is negative) never has a
    higher energy.
    """
    value, slope = energy.value_and_slope(inside)
    energies = [value]
    for _ in range(iterations):
        moved = slope < 0
        if np.array_equal(moved, inside):
            return Evolution(inside, slope, tuple(energies), True)
        inside = moved
        value, slope = energy.value_and_slope(inside)
        energies.append(value)
    return Evolution(inside, slope, tuple(energies), False)


@dataclass(frozen=True)
class GeodesicContourParameters:
    """Parameters of `GeodesicContour`.

    Parameters
    ----------
    edge_sigma_mm
        Smoothing before the gradient of the edge indicator.
    edge_scale_hu_per_mm
        Gradient at which the edge indicator is 1/2.
    length_weight_mm
        Cost of boundary in log odds x mm.
    balloon
        Log odds by which flat regions are held back (positive) or taken in (negative).
    kernel_steps
        Width (standard deviation) of the heat kernel in working-grid steps; below about 1 the contour sticks.
    grid_steps_across
        The working grid is made coarser by whole factors until the long axis spans about this many steps.
    iterations
        Upper bound of iterations.
    evidence
        How CT numbers and axes become the region term.
    """

    edge_sigma_mm: float = 1.0
    edge_scale_hu_per_mm: float = 40.0
    length_weight_mm: float = 2.0
    balloon: float = 0.5
    kernel_steps: float = 1.5
    grid_steps_across: int = 48
    iterations: int = 100
    evidence: EvidenceParameters = field(default_factory=EvidenceParameters)

    def as_pairs(self) -> tuple[tuple[str, str], ...]:
        """Return every parameter as (name, value), in fixed order."""
        own = [(f.name, f"{getattr(self, f.name):g}") for f in fields(self) if f.name != "evidence"]
        return (*own, *((f.name, f"{getattr(self.evidence, f.name):g}") for f in fields(self.evidence)))


class GeodesicContour:
    """Segments a lesion from its axes by a geodesic active contour in 3-D around the key slice."""

    def __init__(self, parameters: GeodesicContourParameters | None = None) -> None:
        self._parameters = parameters or GeodesicContourParameters()

    @property
    def identity(self) -> SegmenterIdentity:
        """Name, version and every parameter; there are no weights."""
        return SegmenterIdentity("geodesic-contour", SOFTWARE_VERSION, None, self._parameters.as_pairs())

    def segment(self, volume: CtVolume, prompt: BoxPrompt) -> LesionMask:
        """Segment the lesion whose axes the prompt holds.

        Raises
        ------
        SegmentationFailed
            If the contour vanishes.
        """
        parameters = self._parameters
        frame = lesion_frame(prompt, volume.geometry)
        grid = working_grid(
            box_around(frame, volume.geometry.shape, *evidence_reach_mm(frame)),
            frame.spacing_mm,
            2 * frame.half_long_mm / parameters.grid_steps_across,
        )
        image = grid.shrink(volume.hu)
        evidence = lesion_evidence(
            image, frame.coordinates(*grid.indices()), grid.spacing_mm, frame, parameters.evidence
        )
        evolution = self._evolve(image, evidence, grid.spacing_mm)
        inside = marked_component(grid.negative(evolution.slope), frame.ellipse(grid.box))
        if not inside.any():
            raise SegmentationFailed("the contour vanished: nothing at the axes differs from what surrounds them")
        whole = grid.box.in_volume(fill_holes(inside), volume.geometry.shape)
        return LesionMask.from_volume(
            whole,
            volume.geometry,
            measurement_uid=prompt.measurement_uid,
            segmenter=self.identity,
            key_slice=prompt.slice_index,
            findings=_findings(whole, evidence.reach_limited or grid.box.limits(whole), evolution),
        )

    def _evolve(self, image: Floats, evidence: LesionEvidence, spacing_mm: tuple[float, float, float]) -> Evolution:
        parameters = self._parameters
        energy = ContourEnergy(
            edge_indicator(image, spacing_mm, parameters.edge_sigma_mm, parameters.edge_scale_hu_per_mm),
            -evidence.log_odds,
            spacing_mm,
            length_weight_mm=parameters.length_weight_mm,
            balloon=parameters.balloon,
            time_mm2=(parameters.kernel_steps * min(spacing_mm[1:])) ** 2 / 2,
        )
        return evolve(energy, evidence.shape <= 1, parameters.iterations)


def _findings(whole: Mask, reach_limited: bool, evolution: Evolution) -> tuple[Finding, ...]:
    findings = []
    if reach_limited:
        message = "The lesion reaches as far as was searched: it goes farther than its axes let expect."
        findings.append(Finding("contour-reach-limited", Severity.WARNING, message))
    if whole[0].any() or whole[-1].any():
        findings.append(
            Finding("lesion-at-scan-edge", Severity.WARNING, "The lesion reaches the first or last slice of the scan.")
        )
    if not evolution.converged:
        findings.append(
            Finding("contour-not-at-rest", Severity.WARNING, "The contour was still moving when it was stopped.")
        )
    return tuple(findings)
