"""Response table and lesion listing as CSV and JSON, as rules compare them, with the units in the column names."""

import csv
import io
import json
from collections.abc import Iterable, Sequence
from typing import Any

from reports.response_rows import RECIST, VOLUMETRIC, assessment_of, deciding_until
from tumorresp.domain.assessment import Assessment
from tumorresp.domain.decimal_mm import to_decimal
from tumorresp.domain.evaluation import LesionEvaluation, SubjectEvaluation, TimePointEvaluation
from tumorresp.domain.evaluation_findings import MATCH_AMBIGUOUS, PlacedFinding, all_findings, deciding_findings
from tumorresp.domain.measurement import Axis

TABLE_SCHEMA_VERSION = "1"
FINDING_COLUMNS = (
    "subject",
    "reader",
    "time_point",
    "date",
    "lesion",
    "criterion",
    "code",
    "severity",
    "decides",
    "message",
    "where",
)


def response_records(evaluation: SubjectEvaluation) -> list[dict[str, Any]]:
    """Return one flat record a time point: RECIST 1.1 beside the volumetric response; ``may_change`` flags doubts."""
    deciding = deciding_findings(evaluation)
    return [_response_record(evaluation, point, deciding) for point in evaluation.time_points]


def lesion_records(evaluation: SubjectEvaluation) -> list[dict[str, Any]]:
    """Return one flat record a lesion and time point."""
    return [_lesion_record(evaluation, point, lesion) for point in evaluation.time_points for lesion in point.lesions]


def finding_records(evaluation: SubjectEvaluation) -> list[dict[str, Any]]:
    """Return one flat record a finding; ``decides`` is yes where it may have changed a response category."""
    found = [*all_findings(evaluation), *(item for item in deciding_findings(evaluation) if _is_waiting(item))]
    return [
        {
            "subject": evaluation.subject_key,
            "reader": evaluation.reader,
            "time_point": item.time_point.name,
            "date": item.time_point.date.isoformat(),
            "lesion": item.lesion_id,
            "criterion": item.criterion,
            "code": item.finding.code,
            "severity": str(item.finding.severity),
            "decides": "yes" if item.finding.decides else "no",
            "message": item.finding.message,
            "where": item.finding.where,
        }
        for item in sorted(found, key=lambda item: item.time_point.order)
    ]


def _is_waiting(item: PlacedFinding) -> bool:
    return item.finding.code == MATCH_AMBIGUOUS


def records_csv(records: list[dict[str, Any]], columns: Sequence[str] = ()) -> str:
    """Return records as CSV (RFC 4180) with a header; no value is an empty field.

    Parameters
    ----------
    columns
        The header where there is no record.
    """
    stream = io.StringIO()
    writer = csv.DictWriter(stream, list(records[0]) if records else list(columns), lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(records)
    return stream.getvalue()


def evaluation_document(evaluation: SubjectEvaluation) -> dict[str, Any]:
    """Return the tables, reasons and what waits as one JSON-ready document."""
    return {
        "schema": f"tumorresp-evaluation-{TABLE_SCHEMA_VERSION}",
        "software_version": evaluation.software_version,
        "subject": evaluation.subject_key,
        "reader": evaluation.reader,
        "responses": response_records(evaluation),
        "lesions": lesion_records(evaluation),
        "findings": finding_records(evaluation),
        "reasons": [
            {
                "time_point": point.time_point.name,
                "criterion": a.criterion,
                "overall": str(a.overall),
                "reasons": list(a.reasons),
                "parameters": dict(a.parameters),
            }
            for point in evaluation.time_points
            for a in point.assessments
        ],
        "discordances": [
            {"time_point": point.time_point.name, "why": list(point.discordance)}
            for point in evaluation.time_points
            if point.discordance
        ],
        "waiting": [
            {"time_point": point.time_point.name, "label": item.measurement.label, "reason": item.reason}
            for point in evaluation.time_points
            for item in point.ambiguous
        ],
    }


def evaluation_json(evaluation: SubjectEvaluation) -> str:
    """Return ``evaluation_document`` as JSON text."""
    return json.dumps(evaluation_document(evaluation), indent=2, ensure_ascii=False)


def _response_record(
    evaluation: SubjectEvaluation, point: TimePointEvaluation, deciding: Sequence[PlacedFinding]
) -> dict[str, Any]:
    record: dict[str, Any] = {
        "subject": evaluation.subject_key,
        "reader": _readers(evaluation, point),
        "time_point": point.time_point.name,
        "order": point.time_point.order,
        "date": point.time_point.date.isoformat(),
    }
    for prefix, criterion, unit in (("recist", RECIST, "mm"), ("volume", VOLUMETRIC, "mm3")):
        record |= _assessment_columns(prefix, unit, assessment_of(point, criterion))
    return record | {"may_change": "; ".join(_flags(deciding, point))}


def _flags(deciding: Iterable[PlacedFinding], point: TimePointEvaluation) -> list[str]:
    """Return the codes of what may change a time point's responses, each once; earlier ones with their time point."""
    codes = (
        item.finding.code if item.time_point == point.time_point else f"{item.finding.code} ({item.time_point.name})"
        for item in deciding_until(deciding, point)
    )
    return list(dict.fromkeys(codes))


def _assessment_columns(prefix: str, unit: str, assessment: Assessment | None) -> dict[str, Any]:
    values: dict[str, Any] = {
        f"{prefix}_sum_{unit}": None,
        f"{prefix}_baseline_{unit}": None,
        f"{prefix}_nadir_{unit}": None,
        f"{prefix}_change_from_baseline_percent": None,
        f"{prefix}_change_from_nadir_percent": None,
        f"{prefix}_target": None,
        f"{prefix}_non_target": None,
        f"{prefix}_new_lesions": None,
        f"{prefix}_overall": None,
    }
    if assessment is None:
        return values
    found = (
        assessment.target_sum,
        assessment.baseline_sum,
        assessment.nadir_sum,
        assessment.change_from_baseline_percent,
        assessment.change_from_nadir_percent,
        assessment.target,
        assessment.non_target,
        assessment.new_lesions,
        assessment.overall,
    )
    return dict(zip(values, (None if value is None else str(value) for value in found), strict=True))


def _readers(evaluation: SubjectEvaluation, point: TimePointEvaluation) -> str:
    """Return whose reading this is, or for a subject's only reading who measured the time point."""
    names = {item.measurement.reader for item in point.lesions} - {""}
    return evaluation.reader or "; ".join(sorted(names))


def _lesion_record(evaluation: SubjectEvaluation, point: TimePointEvaluation, item: LesionEvaluation) -> dict[str, Any]:
    measurement, biomarkers = item.measurement, item.biomarkers
    return {
        "subject": evaluation.subject_key,
        "reader": measurement.reader or evaluation.reader,
        "time_point": point.time_point.name,
        "date": point.time_point.date.isoformat(),
        "lesion": item.lesion.lesion_id,
        "tracking_uid": item.lesion.tracking_uid,
        "role": str(item.lesion.role),
        "nodal": item.lesion.nodal,
        "organ": item.lesion.organ,
        "label": item.lesion.label,
        "state": str(measurement.state),
        "reader_long_axis_mm": _length(measurement.long_axis),
        "reader_short_axis_mm": _length(measurement.short_axis),
        "mask_long_axis_mm": _length(biomarkers.long_axis) if biomarkers else None,
        "mask_short_axis_mm": _length(biomarkers.short_axis) if biomarkers else None,
        "mask_volume_mm3": _volume(biomarkers.voxel_volume_mm3) if biomarkers else None,
        "volume_doubt": biomarkers.volume_doubt if biomarkers else None,
        "mask_mesh_volume_mm3": _volume(biomarkers.mesh_volume_mm3) if biomarkers else None,
        "maximum_3d_diameter_mm": biomarkers.maximum_3d_diameter_mm if biomarkers else None,
        "mean_hu": biomarkers.mean_hu if biomarkers else None,
        "sd_hu": biomarkers.sd_hu if biomarkers else None,
        "sphericity": biomarkers.sphericity if biomarkers else None,
        "segmenter": item.mask.segmenter.name if item.mask else None,
        "weights_sha256": item.mask.segmenter.weights_sha256 if item.mask else None,
        "matched_by": item.matched_by,
        "measurement_uid": measurement.measurement_uid,
        "source_document_uid": measurement.source.document_uid,
        "sop_instance_uid": measurement.sop_instance_uid,
    }


def _length(axis: Axis | None) -> float | None:
    return None if axis is None else float(axis.size_mm)


def _volume(volume_mm3: float | None) -> float | None:
    """Return a volume as rules compare it, without the noise of binary arithmetic."""
    return None if volume_mm3 is None else float(to_decimal(volume_mm3))
