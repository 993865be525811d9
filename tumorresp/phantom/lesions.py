"""The phantom subject's lesions and what becomes of them."""

from dataclasses import dataclass

import numpy as np

from tumorresp.domain.geometry import Vector3
from tumorresp.domain.measurement import LesionRole, LesionState
from tumorresp.domain.terminology import Code
from tumorresp.phantom.lesion_shape import LobulatedEllipsoid

LUNG = Code("39607008", "SCT", "Lung")
LIVER = Code("10200004", "SCT", "Liver")
LYMPH_NODE = Code("59441001", "SCT", "Lymph node")


@dataclass(frozen=True)
class LesionCourse:
    """One lesion through the phantom's time points.

    Parameters
    ----------
    centre_mm
        In the anatomy's frame, at rest.
    half_axes_mm
        At size 1.
    sizes
        One factor a time point; 0 where the lesion is not there.
    states
        What the reader says of it; None where nobody mentions it.
    breath_share
        How much of the diaphragm's movement it follows.
    hu, core_hu
        CT number of the lesion and of its middle.
    """

    lesion_id: str
    label: str
    role: LesionRole
    organ: str
    site: Code
    centre_mm: Vector3
    half_axes_mm: Vector3
    sizes: tuple[float, ...]
    states: tuple[LesionState | None, ...]
    breath_share: float
    hu: float
    core_hu: float

    @property
    def nodal(self) -> bool:
        """Whether it is a lymph node."""
        return self.site == LYMPH_NODE

    def shape(self, time_point: int, seed: int, breath_mm: float) -> LobulatedEllipsoid | None:
        """Return the lesion's body in the anatomy's frame at a time point (from 0); None where it is not there."""
        size = self.sizes[time_point]
        if size == 0:
            return None
        random = np.random.default_rng([seed, 5, *self.lesion_id.encode()])
        rotation, _ = np.linalg.qr(random.normal(size=(3, 3)))
        if np.linalg.det(rotation) < 0:
            rotation[:, 0] *= -1
        directions = random.normal(size=(5, 3))
        directions /= np.linalg.norm(directions, axis=1, keepdims=True)
        weights = random.uniform(0.02, 0.05, size=5)
        x, y, z = self.centre_mm
        a, b, c = self.half_axes_mm
        return LobulatedEllipsoid(
            (x, y, z + self.breath_share * breath_mm),
            (a * size, b * size, c * size),
            rotation,
            directions,
            weights,
        )


_M, _A, _P = LesionState.MEASURED, LesionState.ABSENT, LesionState.PRESENT

COURSES = (
    LesionCourse(
        "T01", "Right lung nodule", LesionRole.TARGET, "lung", LUNG, (-92, -8, 48), (19, 15, 16),
        (1.0, 0.48, 0.40), (_M, _M, _M), 0.2, 42.0, 32.0,
    ),
    LesionCourse(
        "T02", "Liver metastasis", LesionRole.TARGET, "liver", LIVER, (-92, 14, -42), (13, 11, 12),
        (1.0, 1.10, 1.42), (_M, _M, _M), 1.0, 58.0, 38.0,
    ),
    LesionCourse(
        "T03", "Retroperitoneal lymph node", LesionRole.TARGET, "lymph node", LYMPH_NODE, (35, 14, -40),
        (15, 10.5, 12), (1.0, 0.58, 0.40), (_M, _M, _M), 0.3, 78.0, 62.0,
    ),
    LesionCourse(
        "T04", "Left lung nodule", LesionRole.TARGET, "lung", LUNG, (92, 16, 42), (11, 9, 10),
        (1.0, 0.55, 0.0), (_M, _M, _A), 0.2, 40.0, 34.0,
    ),
    LesionCourse(
        "NT01", "Small right lung nodule", LesionRole.NON_TARGET, "lung", LUNG, (-58, 46, 56), (3.8, 3.4, 3.6),
        (1.0, 0.95, 0.9), (_P, _P, _P), 0.1, 45.0, 45.0,
    ),
    LesionCourse(
        "NEW01", "New liver lesion", LesionRole.NEW, "liver", LIVER, (-52, -22, -16), (9, 8, 8.5),
        (0.0, 0.0, 1.0), (None, None, _M), 1.0, 55.0, 40.0,
    ),
)  # fmt: skip
