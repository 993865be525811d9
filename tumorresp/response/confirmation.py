"""Whether a response is confirmed by a later scan (RECIST 1.1, section 4.6 and Table 3)."""

from collections.abc import Sequence
from dataclasses import dataclass

from tumorresp.domain.assessment import Category
from tumorresp.response.subject import DatedResponse


@dataclass(frozen=True)
class ConfirmationRules:
    """Least days between the two scans, NE allowed between them, and whether one SD is (of PR)."""

    min_days: int
    max_nr_ne: int
    accept_sd: bool


def confirming_index(responses: Sequence[DatedResponse], index: int, rules: ConfirmationRules) -> int | None:
    """Return which later response confirms that at ``index``, None where none does.

    The first one that is late enough and good enough decides; it need not be the next scan. CR is confirmed by CR, with
    CR and NE between; PR by PR or CR, with CR, PR and NE between, and one SD where that is allowed. A PR after a CR
    confirms nothing.

    Parameters
    ----------
    responses
        In order of date, one a date.
    """
    first = responses[index]
    confirming = (Category.CR,) if first.overall is Category.CR else (Category.CR, Category.PR)
    for later in range(index + 1, len(responses)):
        item = responses[later]
        if item.overall in confirming and (item.date - first.date).days >= rules.min_days:
            between = [other.overall for other in responses[index + 1 : later]]
            return later if _allowed(first.overall, between, item.overall, rules) else None
    return None


def _allowed(first: Category, between: Sequence[Category], last: Category, rules: ConfirmationRules) -> bool:
    good = {Category.CR} if first is Category.CR else {Category.CR, Category.PR}
    tolerated = {Category.NE} | ({Category.SD} if first is Category.PR and rules.accept_sd else set())
    if any(item not in good | tolerated for item in between):
        return False
    if between.count(Category.NE) > rules.max_nr_ne or between.count(Category.SD) > 1:
        return False
    course = [*between, last]
    if Category.CR not in course:
        return True
    return Category.PR not in course[course.index(Category.CR) :]
