"""Overall response of a time point (RECIST 1.1, Tables 1 and 2)."""

from collections.abc import Sequence

from tumorresp.domain.assessment import Category, NewLesionStatus

_SURE = (Category.PD, Category.NE)
_CALLED = {Category.NOT_APPLICABLE: "none"}


def overall_response(target: Category, non_target: Category, new: NewLesionStatus) -> tuple[Category, str]:
    """Return the overall response and why.

    ``NOT_APPLICABLE`` stands for "no lesions of this kind at baseline"; with neither kind it is no evidence of disease
    (NED). An equivocal new lesion does not count until it is confirmed.
    """
    if new is NewLesionStatus.YES:
        return Category.PD, "a new lesion is PD, whatever the others do."
    if Category.PD in (target, non_target):
        which = "target" if target is Category.PD else "non-target"
        return Category.PD, f"progression of the {which} lesions is PD, whatever the others do."
    if target is Category.NOT_APPLICABLE:
        if non_target is Category.NOT_APPLICABLE:
            return Category.NED, "no disease at baseline and no unequivocal new lesion."
        return non_target, "without target lesions the non-target response counts, no unequivocal new lesion."
    if target is Category.CR and non_target not in (Category.CR, Category.NOT_APPLICABLE):
        return Category.PR, f"target CR, but non-target {non_target}; no unequivocal new lesion."
    return target, f"target {target}, non-target {_CALLED.get(non_target, non_target)}, no unequivocal new lesion."


def withheld(overall: Category, words: str, waits: Sequence[str]) -> tuple[Category, str]:
    """Return an overall response that holds whatever is decided of what waits, and why: PD and NE; the others are NE.

    Parameters
    ----------
    waits
        What may still turn out to be progression, in words without a full stop.
    """
    if not waits or overall in _SURE:
        return overall, words
    return Category.NE, f"by what is decided {overall} ({words.removesuffix('.')}), but {'; '.join(waits)}."
