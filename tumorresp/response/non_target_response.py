"""Non-target response (RECIST 1.1, section 4.3.3)."""

from collections.abc import Sequence
from decimal import Decimal

from tumorresp.domain.assessment import Category
from tumorresp.domain.measurement import LesionState
from tumorresp.response.observation import LesionObservation, Visit
from tumorresp.response.reasons import listing
from tumorresp.response.split_and_merge import NONE_SPLIT, Fragments, standing


def non_target_response(
    baseline: Sequence[LesionObservation],
    visit: Visit,
    normal_node_mm: Decimal,
    fragments: Fragments = NONE_SPLIT,
) -> tuple[Category, str]:
    """Return the non-target response with its reason.

    Progression is the reader's word, never computed. Tumour markers count in the overall response.

    Parameters
    ----------
    baseline
        The non-target lesions of the baseline.
    fragments
        Of lesions that split or merged, up to this visit.
    """
    if not baseline:
        return Category.NOT_APPLICABLE, ""
    progressive, missing, persisting = [], [], []
    for lesion in baseline:
        stands = standing(lesion, visit, fragments)
        # What the reader says of the lesion counts beside what is said of its fragments or conglomerate.
        said = (visit.of(lesion.lesion_id), *stands.observations)
        if any(seen is not None and seen.state is LesionState.UNEQUIVOCAL_PROGRESSION for seen in said):
            progressive.append(lesion.name)
        elif (gone := stands.is_gone(normal_node_mm)) is None:
            missing.append(lesion.name)
        elif not gone:
            persisting.append(lesion.name)
    if progressive:
        return Category.PD, f"The reader saw unequivocal progression of {listing(progressive)} → non-target PD."
    if missing:
        return Category.NE, f"Non-target lesions not assessed: {listing(missing)} → non-target NE."
    if persisting:
        words = f"Non-target lesions still there, without unequivocal progression: {listing(persisting)}"
        return Category.NON_CR_NON_PD, f"{words} → NON-CR/NON-PD."
    words = "All non-target lesions are gone"
    if any(lesion.nodal for lesion in baseline):
        words += f", nodes under {normal_node_mm} mm"
    return Category.CR, f"{words} → non-target CR."
