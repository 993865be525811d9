"""The measurement group of one criterion: sums, changes, categories and the reasons for them.

It stands among the lesions' groups (TID 1501) and not in the template's places for derived measurements and qualitative
evaluations at the root, since readers in use (OHIF, Slicer, dcmqi, highdicom) look into Imaging Measurements only.
"""

from collections.abc import Sequence

from highdicom.sr import (
    CodeContentItem,
    MeasurementsAndQualitativeEvaluations,
    QualitativeEvaluation,
    TextContentItem,
    TimePointContext,
    TrackingIdentifier,
)

from reports.derived_object import concept
from reports.lesion_groups import Group, number
from reports.report_concepts import (
    BASELINE_SUM,
    CHANGE_FROM_BASELINE,
    CHANGE_FROM_NADIR,
    DIFFERENCE_FROM_NADIR,
    MAY_CHANGE,
    MEASUREMENT_METHOD,
    NADIR_SUM,
    NEW_LESIONS,
    NON_TARGET_RESPONSE,
    OVERALL_RESPONSE,
    REASON,
    RULE_PARAMETER,
    TARGET_RESPONSE,
    category_code,
    criterion_code,
    new_lesions_code,
    standard_codes,
    sum_code,
)
from tumorresp.domain.assessment import Assessment
from tumorresp.domain.identity import derived_uid
from tumorresp.domain.terminology import CURRENT_RESPONSE


def response_tracking_uid(patient_id: str, criterion: str) -> str:
    """Return the UID that a criterion's groups carry in all reports of a patient."""
    return derived_uid("response", patient_id, criterion)


def response_group(
    assessment: Assessment, patient_id: str, context: TimePointContext, *, deciding: Sequence[str] = ()
) -> Group:
    """Return the TID 1501 group of a criterion.

    Target and non-target response stand as private questions with private answers, which every criterion has, and
    again as Current Response (112048, DCM) with DCM's answers, where DCM has one.

    Parameters
    ----------
    deciding
        Sentences on what may have changed the response.
    """
    method = criterion_code(assessment.criterion)
    values = (
        (sum_code(assessment.criterion), assessment.target_sum, assessment.unit),
        (BASELINE_SUM, assessment.baseline_sum, assessment.unit),
        (NADIR_SUM, assessment.nadir_sum, assessment.unit),
        (DIFFERENCE_FROM_NADIR, assessment.change_from_nadir, assessment.unit),
        (CHANGE_FROM_BASELINE, assessment.change_from_baseline_percent, "%"),
        (CHANGE_FROM_NADIR, assessment.change_from_nadir_percent, "%"),
    )
    answers = (
        *((CURRENT_RESPONSE, code) for code in standard_codes(assessment)),
        (TARGET_RESPONSE, category_code(assessment.target)),
        (NON_TARGET_RESPONSE, category_code(assessment.non_target)),
        (NEW_LESIONS, new_lesions_code(assessment.new_lesions)),
        (OVERALL_RESPONSE, category_code(assessment.overall)),
    )
    content = MeasurementsAndQualitativeEvaluations(
        tracking_identifier=TrackingIdentifier(
            uid=response_tracking_uid(patient_id, assessment.criterion), identifier=f"Response, {method.meaning}"
        ),
        time_point_context=context,
        measurements=[number(name, float(value), unit) for name, value, unit in values if value is not None] or None,
        qualitative_evaluations=[QualitativeEvaluation(concept(name), concept(value)) for name, value in answers],
    )
    items = content[0].ContentSequence
    # highdicom writes a group's method as CONTAINS; TID 1501 row 8 wants a concept modifier, before the measurements.
    items.insert(2, CodeContentItem(concept(MEASUREMENT_METHOD), concept(method), relationship_type="HAS CONCEPT MOD"))
    for name, texts in (
        (MAY_CHANGE, deciding),
        (REASON, assessment.reasons),
        (RULE_PARAMETER, tuple(f"{key} = {value}" for key, value in assessment.parameters)),
    ):
        for text in texts:
            items.append(TextContentItem(concept(name), text, relationship_type="CONTAINS"))
    return Group(content)
