"""The rows that tables, pages and the terminal show, made once from an evaluation.

Numbers stay unrounded here; ``millimetres`` and its neighbours turn them into words for people.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from tumorresp.domain.assessment import Assessment, Category
from tumorresp.domain.decimal_mm import to_decimal
from tumorresp.domain.evaluation import LesionEvaluation, SubjectEvaluation, TimePointEvaluation
from tumorresp.domain.evaluation_findings import PlacedFinding, deciding_findings
from tumorresp.domain.measurement import Axis, LesionState

RECIST = "recist-1.1"
VOLUMETRIC = "volume-recist"
MISSING = "–"
MAY_CHANGE = "(!)"
"""Stands behind a category that something noticed may change."""


def millimetres(value: float | Decimal | None) -> str:
    """Return a length for people: one decimal, two where it is recorded with two; mm."""
    return MISSING if value is None else f"{_digits(value)} mm"


def _digits(length_mm: float | Decimal) -> str:
    """Return a length with the digits that it is recorded with; what has more was computed and gets one."""
    exact = Decimal(repr(length_mm)) if isinstance(length_mm, float) else length_mm
    places = -int(exact.normalize().as_tuple().exponent)
    return f"{exact:.{2 if places == 2 else 1}f}"


def millilitres(volume_mm3: float | Decimal | None) -> str:
    """Return a volume for people: 0.01 ml, as in the reasons, so that parts and sums can be compared."""
    return MISSING if volume_mm3 is None else f"{to_decimal(volume_mm3) / 1000:.2f} ml"


def _size(long_axis: Axis, short_axis: Axis | None) -> str:
    """Return both axes for people: as recorded, a mask's (which nobody recorded) to one decimal."""
    axes = [axis for axis in (long_axis, short_axis) if axis is not None]
    return " × ".join(_digits(axis.size_mm) for axis in axes) + " mm"


def percent(value: float | Decimal | None) -> str:
    """Return a change for people: signed, one decimal."""
    return MISSING if value is None else f"{value:+.1f} %".replace("-", "−")


def amount(value: Decimal | None, unit: str) -> str:
    """Return a sum for people in its unit."""
    return millilitres(value) if unit == "mm3" else millimetres(value)


def category_words(category: Category) -> str:
    """Return a category as people write it; a baseline has none."""
    if category in (Category.BASELINE, Category.NOT_APPLICABLE):
        return MISSING
    return str(category)


@dataclass(frozen=True)
class ResponseRow:
    """One time point: RECIST 1.1 beside the volumetric response, and what may change either, here or before."""

    time_point: TimePointEvaluation
    recist: Assessment | None
    volumetric: Assessment | None
    deciding: tuple[PlacedFinding, ...] = ()

    @property
    def agree(self) -> bool | None:
        """Whether both overall categories are the same; None at baseline or where one is absent."""
        if self.recist is None or self.volumetric is None or self.recist.overall is Category.BASELINE:
            return None
        return self.recist.overall == self.volumetric.overall

    def mark(self, criterion: str) -> str:
        """Return a sign to put behind a category that something noticed may change; empty where nothing may."""
        return f" {MAY_CHANGE}" if any(item.criterion in ("", criterion) for item in self.deciding) else ""


@dataclass(frozen=True)
class LesionRow:
    """One lesion at one time point."""

    time_point: TimePointEvaluation
    lesion: LesionEvaluation

    @property
    def size(self) -> str:
        """What the reader measured, or what they said instead."""
        measurement = self.lesion.measurement
        if measurement.long_axis is None:
            return STATE_WORDS[measurement.state]
        return _size(measurement.long_axis, measurement.short_axis)

    @property
    def mask_size(self) -> str:
        """Axes measured again on the mask."""
        biomarkers = self.lesion.biomarkers
        if biomarkers is None or biomarkers.long_axis is None:
            return MISSING
        return _size(biomarkers.long_axis, biomarkers.short_axis)

    @property
    def volume(self) -> str:
        """Volume of the mask, marked where it is in doubt and no rule uses it."""
        if self.lesion.measurement.state is LesionState.ABSENT:
            return "0 ml"
        biomarkers = self.lesion.biomarkers
        if biomarkers is None:
            return MISSING
        return millilitres(biomarkers.voxel_volume_mm3) + (" (in doubt)" if biomarkers.volume_doubt else "")


STATE_WORDS = {
    LesionState.MEASURED: "measured",
    LesionState.PRESENT: "present",
    LesionState.TOO_SMALL: "too small to measure",
    LesionState.ABSENT: "absent",
    LesionState.NOT_EVALUABLE: "not evaluable",
    LesionState.UNEQUIVOCAL_PROGRESSION: "unequivocal progression",
    LesionState.EQUIVOCAL: "equivocal",
    LesionState.MERGED: "merged with another lesion",
}


def assessment_of(time_point: TimePointEvaluation, criterion: str) -> Assessment | None:
    """Return a time point's assessment by one criterion."""
    return next((a for a in time_point.assessments if a.criterion == criterion), None)


def response_rows(evaluation: SubjectEvaluation) -> tuple[ResponseRow, ...]:
    """Return one row a time point, in order."""
    deciding = deciding_findings(evaluation)
    return tuple(
        ResponseRow(
            point, assessment_of(point, RECIST), assessment_of(point, VOLUMETRIC), deciding_until(deciding, point)
        )
        for point in evaluation.time_points
    )


def deciding_until(deciding: Iterable[PlacedFinding], point: TimePointEvaluation) -> tuple[PlacedFinding, ...]:
    """Return what may change the responses of a time point: what was noticed at it and before."""
    return tuple(item for item in deciding if item.time_point.order <= point.time_point.order)


def lesion_rows(evaluation: SubjectEvaluation) -> tuple[tuple[str, tuple[LesionRow, ...]], ...]:
    """Return (lesion ID, its rows through time), lesions in order of first appearance."""
    rows: dict[str, list[LesionRow]] = {}
    for point in evaluation.time_points:
        for lesion in point.lesions:
            rows.setdefault(lesion.lesion.lesion_id, []).append(LesionRow(point, lesion))
    return tuple((lesion_id, tuple(items)) for lesion_id, items in rows.items())
