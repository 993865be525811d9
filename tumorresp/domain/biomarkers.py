"""Numbers measured on a lesion mask."""

from dataclasses import dataclass, field

from tumorresp.domain.finding import Finding
from tumorresp.domain.measurement import Axis
from tumorresp.domain.terminology import Code


@dataclass(frozen=True)
class Biomarker:
    """One number on one mask.

    Parameters
    ----------
    name
        Stable identifier, for radiomics pyradiomics' name (``original_glcm_JointEntropy``).
    value
        None when it could not be computed; ``note`` says why.
    unit
        UCUM: ``mm``, ``mm2``, ``mm3``, ``[hnsf'U]``, ``1``.
    code
        IBSI, SCT or DCM concept where there is one.
    """

    name: str
    value: float | None
    unit: str
    code: Code | None = None
    note: str = ""


@dataclass(frozen=True)
class Biomarkers:
    """Everything measured on one lesion mask.

    Lengths mm, volumes mm3, CT numbers HU. The axes lie in one slice (Feret diameter and the greatest
    perpendicular to it in the same slice); ``axes_slice`` is that slice's index in the volume and
    ``axes_sop_instance_uid`` the image. ``maximum_3d_diameter_mm`` is never a RECIST diameter.
    An empty mask has volume 0, no axes and None elsewhere. ``volume_doubt`` says why the voxels are not known to be the
    whole lesion (`tumorresp.domain.mask_quality`): no rule uses the volume then, and every number here is one of the
    part that was seen. Axes and CT numbers are taken from acquired slices alone.
    """

    measurement_uid: str
    voxel_volume_mm3: float
    mesh_volume_mm3: float | None
    long_axis: Axis | None
    short_axis: Axis | None
    axes_slice: int | None
    axes_sop_instance_uid: str
    maximum_3d_diameter_mm: float | None
    mean_hu: float | None
    sd_hu: float | None
    sphericity: float | None
    surface_voxel_share: float | None
    radiomics: tuple[Biomarker, ...] = field(default=())
    findings: tuple[Finding, ...] = field(default=())
    volume_doubt: str = ""
