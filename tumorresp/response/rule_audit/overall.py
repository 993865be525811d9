"""A reported overall response that does not follow from target, non-target and new lesions."""

from collections.abc import Iterator

from tumorresp.domain.assessment import Assessment, Category, NewLesionStatus
from tumorresp.response.overall_response import overall_response
from tumorresp.response.rule_audit.changes import ReportedSums
from tumorresp.response.rule_audit.derivation import Derivation
from tumorresp.response.rule_audit.non_target import non_target_explanations
from tumorresp.response.rule_audit.reported import Explanation, Mistake, ReportedVisit
from tumorresp.response.rule_audit.target import TargetExplanations

RULE = "Overall response from target, non-target and new lesions (Eisenhauer 2009, Tables 1 and 2)."
AFTER_PROGRESSION_RULE = (
    "RECIST 1.1 ends with the first PD: no response comes after it; treatment beyond progression is judged by iRECIST "
    "(Eisenhauer 2009, section 4.4; Seymour 2017)."
)
_NEW_LESION_IGNORED = Mistake("new-lesion-ignored", "The new lesion was passed over.")


def overall_explanations(
    derivation: Derivation, index: int, visit: ReportedVisit, reported: Category, sums: ReportedSums
) -> tuple[Explanation, ...]:
    """Return the mistakes that give a reported overall response instead of the derived one.

    A part that was not reported may have been made wrongly without being seen: its mistakes are tried as well.
    """
    assessment = derivation.assessments[index]
    tried = list(_trials(assessment, visit))
    if derivation.visits[index].markers_elevated:
        words = "Tumour markers above normal were passed over; they prevent CR."
        tried.append((Mistake("markers-ignored", words), derivation.without_markers().assessments[index].overall))
    found: list[Explanation] = [
        (mistake,) for mistake, category in tried if category is reported and category is not assessment.overall
    ]
    behind = TargetExplanations(derivation, index, sums)
    found += _of_unreported_parts(derivation, index, visit, reported, behind, most=1)
    if not found:
        found += _of_unreported_parts(derivation, index, visit, reported, behind, most=2)
    return tuple(dict.fromkeys(found))


def overall_of_reported(visit: ReportedVisit) -> Category | None:
    """Return the overall response that the reported parts have by the tables; None where parts are not reported."""
    if visit.target is None and visit.non_target is None:
        return None
    return _table(
        visit.target.value if visit.target else Category.NOT_APPLICABLE,
        visit.non_target.value if visit.non_target else Category.NOT_APPLICABLE,
        visit.new_lesions.value if visit.new_lesions else NewLesionStatus.NO,
    )


_Part = tuple[Category, tuple[Explanation, ...]]


def _of_unreported_parts(
    derivation: Derivation, index: int, visit: ReportedVisit, reported: Category, behind: TargetExplanations, most: int
) -> Iterator[Explanation]:
    """Give the mistakes in parts that were not reported which make the overall response, at most so many together."""
    new = derivation.assessments[index].new_lesions
    statuses: list[tuple[NewLesionStatus, Explanation]] = [(visit.new_lesions.value if visit.new_lesions else new, ())]
    if new is NewLesionStatus.YES and visit.new_lesions is None:
        statuses.append((NewLesionStatus.NO, (_NEW_LESION_IGNORED,)))
    targets = list(_targets(derivation, index, visit, behind, most))
    non_targets = list(_non_targets(derivation, index, visit, most))
    for target, of_target in targets:
        for non_target, of_non_target in non_targets:
            for status, of_new in statuses:
                if _table(target, non_target, status) is not reported:
                    continue
                for one in of_target:
                    for other in of_non_target:
                        together = (*one, *other, *of_new)
                        if 0 < len(together) <= most:
                            yield together


def _targets(
    derivation: Derivation, index: int, visit: ReportedVisit, behind: TargetExplanations, most: int
) -> Iterator[_Part]:
    derived = derivation.assessments[index].target
    if visit.target is not None:
        yield visit.target.value, ((),)
        return
    yield derived, ((),)
    if derived is Category.NOT_APPLICABLE:
        return
    for other in (Category.CR, Category.PR, Category.SD, Category.PD, Category.NE):
        if other is not derived:
            yield other, behind.of(other, most=most)


def _non_targets(derivation: Derivation, index: int, visit: ReportedVisit, most: int) -> Iterator[_Part]:
    derived = derivation.assessments[index].non_target
    if visit.non_target is not None:
        yield visit.non_target.value, ((),)
        return
    yield derived, ((),)
    if derived is Category.NOT_APPLICABLE:
        return
    for other in (Category.CR, Category.NON_CR_NON_PD, Category.PD, Category.NE):
        if other is not derived:
            yield other, non_target_explanations(derivation, index, other, most=most)


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
        yield _NEW_LESION_IGNORED, _table(target, non_target, NewLesionStatus.NO)
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
