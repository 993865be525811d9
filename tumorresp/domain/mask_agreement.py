"""Whether a mask is of the lesion that the reader measured: both have a long axis."""

from dataclasses import replace
from decimal import Decimal

from tumorresp.domain.biomarkers import Biomarkers
from tumorresp.domain.finding import Finding, Severity
from tumorresp.domain.measurement import Axis, Measurement

MASK_DISAGREES = "mask-disagrees-with-axes"
# Half as long again is more than three times the volume; of the reference tumours of docs/benchmarks.md no mask is.
_MOST_TIMES_LONGER = Decimal("1.5")
# Of small lesions the outline's step alone makes such differences.
_LEAST_DIFFERENCE_MM = Decimal(5)


def axes_disagree(reader: Axis, mask: Axis) -> bool:
    """Return whether one long axis is more than 1.5 times the other and more than 5 mm longer."""
    shorter, longer = sorted((reader.size_mm, mask.size_mm))
    return longer > _MOST_TIMES_LONGER * shorter and longer - shorter > _LEAST_DIFFERENCE_MM


def held_against_reader(biomarkers: Biomarkers, measurement: Measurement) -> Biomarkers:
    """Return what was measured on a mask, its volume called doubtful where the mask disagrees with the reader's axes.

    A measurement of the short axis alone says nothing of the long one.
    """
    reader, mask = measurement.long_axis, biomarkers.long_axis
    short_only = any(finding.code == "short-axis-only" for finding in measurement.findings)
    if reader is None or mask is None or short_only or not axes_disagree(reader, mask):
        return biomarkers
    words = f"its mask is {mask.size_mm:.1f} mm long where the reader measured {reader.size_mm:.1f} mm"
    finding = Finding(
        MASK_DISAGREES, Severity.WARNING, f"The volume is not used: {words}.", measurement.measurement_uid
    )
    doubts = "; ".join(text for text in (biomarkers.volume_doubt, words) if text)
    return replace(biomarkers, volume_doubt=doubts, findings=(*biomarkers.findings, finding))
