"""Volumes are compared over slices of one kind, or with a remark, or not at all."""

import numpy as np
import pytest

from tests.quantify.conftest import straight_grid
from tumorresp.domain.evaluation import Lesion, LesionEvaluation
from tumorresp.domain.measurement import LesionRole, LesionState, Measurement, SourceDocument
from tumorresp.domain.segmentation import LesionMask, SegmenterIdentity
from tumorresp.domain.slice_comparison import slice_change_doubt, slice_change_findings, slices_differ


def mask(slice_mm: float, slices: int) -> LesionMask:
    geometry = straight_grid((20, 10, 10), (slice_mm, 1.0, 1.0))
    voxels = np.zeros(geometry.shape, bool)
    voxels[5 : 5 + slices, 3:7, 3:7] = True
    return LesionMask.from_volume(
        voxels, geometry, measurement_uid="1.9", segmenter=SegmenterIdentity("test", "0"), key_slice=5
    )


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (3.0, 3.0, False),
        (3.0, 6.0, True),
        (1.0, 1.5, False),  # half a millimetre
        (1.0, 1.51, True),
        (5.0, 5.5, False),
        (6.0, 6.6, False),  # a tenth
        (6.0, 6.61, True),
        (0.625, 1.25, True),
        (0.625, 0.7, False),
    ],
)
def test_slices_differ_beyond_a_tenth_and_half_a_millimetre(one: float, other: float, expected: bool) -> None:
    assert slices_differ(mask(one, 5), mask(other, 5)) is expected
    assert slices_differ(mask(other, 5), mask(one, 5)) is expected


@pytest.mark.parametrize(
    ("now", "before", "doubted"),
    [
        ((6.0, 3), (3.0, 6), False),
        ((6.0, 2), (3.0, 6), True),
        ((3.0, 6), (6.0, 2), True),
        ((6.0, 1), (3.0, 6), True),
        ((3.0, 2), (3.0, 6), False),
        ((6.0, 0), (3.0, 6), False),
    ],
)
def test_few_slices_of_another_kind_are_not_compared(
    now: tuple[float, int], before: tuple[float, int], doubted: bool
) -> None:
    assert bool(slice_change_doubt(mask(*now), mask(*before))) is doubted


def evaluated(lesion_mask: LesionMask | None, role: LesionRole, lesion_id: str = "T01") -> LesionEvaluation:
    lesion = Lesion(lesion_id, "1.2", role, nodal=False, organ="liver")
    measurement = Measurement(
        "1.9", SourceDocument("1.8", "test", ""), "1", "2", "3", None, None, None, LesionState.MEASURED
    )
    return LesionEvaluation(lesion, measurement, lesion_mask, None)


def test_the_remark_names_targets_with_masks_on_other_slices() -> None:
    baseline = {name: evaluated(mask(3.0, 6), LesionRole.TARGET, name) for name in ("T01", "T02", "T03")}
    baseline["NT01"] = evaluated(mask(3.0, 6), LesionRole.NON_TARGET, "NT01")
    now = [
        evaluated(mask(6.0, 3), LesionRole.TARGET, "T01"),
        evaluated(mask(3.2, 6), LesionRole.TARGET, "T02"),
        evaluated(None, LesionRole.TARGET, "T03"),
        evaluated(mask(6.0, 3), LesionRole.NON_TARGET, "NT01"),
        evaluated(mask(6.0, 3), LesionRole.TARGET, "T04"),
    ]
    (finding,) = slice_change_findings(now, baseline)
    assert finding.decides
    assert finding.message.startswith("T01: the slices are 6.00 mm apart, at baseline they are 3.00 mm apart")
