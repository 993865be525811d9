"""A reported overall response that does not follow from target, non-target and new lesions."""

from collections.abc import Iterator

from tumorresp.domain.assessment import Assessment, Category, NewLesionStatus
from tumorresp.response.overall_response import overall_response
from tumorresp.response.rule_audit.derivation import Derivation
from tumorresp.response.rule_audit.reported import Mistake, ReportedVisit

RULE = "Overall response from target, non-target and new lesions (Eisenhauer 2009, Tables 1 and 2)."
AFTER_PROGRESSION_RULE = (
    "RECIST 1.1 ends with the first PD: no response comes after it; treatment beyond progression is judged by iRECIST "
    "(Eisenhauer 2009, section 4.4; Seymour 2017)."
)


def overall_mistakes(
    derivation: Derivation, index: int, visit: ReportedVisit, reported: Category
) -> tuple[Mistake, ...]:
    """Return the mistakes that give a reported overall response instead of the derived one."""
    assessment = derivation.assessments[index]
    tried = list(_trials(assessment, visit))
    if derivation.visits[index].markers_elevated:
        words = "Tumour markers above normal were passed over; they prevent CR."
        tried.append((Mistake("markers-ignored", words), derivation.without_markers().assessments[index].overall))
    return tuple(mistake for mistake, category in tried if category is reported and category is not assessment.overall)


def overall_of_reported(visit: ReportedVisit) -> Category | None:
    """Return the overall response that the reported parts have by the tables; None where parts are not reported."""
    if visit.target is None and visit.non_target is None:
        return None
    return _table(
        visit.target.value if visit.target else Category.NOT_APPLICABLE,
        visit.non_target.value if visit.non_target else Category.NOT_APPLICABLE,
        visit.new_lesions.value if visit.new_lesions else NewLesionStatus.NO,
    )


def _trials(assessment: Assessment, visit: ReportedVisit) -> Iterator[tuple[Mistake, Category]]:
    target, non_target, new = assessment.target, assessment.non_target, assessment.new_lesions
    stated = (
        visit.target.value if visit.target else target,
        visit.non_target.value if visit.non_target else non_target,
        visit.new_lesions.value if visit.new_lesions else new,
    )
    if stated != (target, non_target, new):
        words = (
            f"It follows from the reported parts (target {stated[0]}, non-target {stated[1]}, new lesions {stated[2]})"
        )
        yield Mistake("follows-from-reported-parts", f"{words}; the mistake is in one of them."), _table(*stated)
    if new is NewLesionStatus.YES:
        yield (
            Mistake("new-lesion-ignored", "The new lesion was passed over."),
            _table(target, non_target, NewLesionStatus.NO),
        )
    if new is NewLesionStatus.EQUIVOCAL:
        words = "An equivocal new lesion was counted as PD; it counts when it is confirmed."
        yield Mistake("equivocal-lesion-counted", words), Category.PD
    if non_target is Category.PD:
        words = "The progression of the non-target lesions was passed over."
        yield Mistake("non-target-progression-ignored", words), _table(target, Category.NON_CR_NON_PD, new)
    if target is Category.PD:
        words = "The progression of the target lesions was passed over: the non-target response was taken."
        yield Mistake("target-progression-ignored", words), _table(Category.NOT_APPLICABLE, non_target, new)
    if target is Category.CR and non_target not in (Category.CR, Category.NOT_APPLICABLE):
        words = f"The target response was taken, but non-target {non_target} with target CR is PR."
        yield Mistake("non-target-ignored", words), Category.CR
        words = f"Non-target {non_target} was taken as the whole; with target CR it is PR."
        yield Mistake("non-target-taken-as-overall", words), non_target
    if non_target is Category.NE and target is not Category.NE:
        words = f"Non-target NE was taken as the whole; with target {target} it is {assessment.overall}."
        yield Mistake("non-target-taken-as-overall", words), Category.NE
    if target is Category.NE:
        words = "The targets were not evaluable; the non-target response was taken."
        yield Mistake("target-not-evaluable-ignored", words), non_target
        words = "The targets were not evaluable; the visit was called SD."
        yield Mistake("target-not-evaluable-ignored", words), Category.SD
    if target is Category.NOT_APPLICABLE and non_target is Category.NON_CR_NON_PD:
        words = "Without target lesions the word is NON-CR/NON-PD, not SD (Table 2)."
        yield Mistake("stable-disease-without-targets", words), Category.SD


def _table(target: Category, non_target: Category, new: NewLesionStatus) -> Category:
    return overall_response(target, non_target, new)[0]
