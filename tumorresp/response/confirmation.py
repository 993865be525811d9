"""Whether a response is confirmed by a later scan (RECIST 1.1, section 4.6 and Table 3)."""

from collections.abc import Sequence
from dataclasses import dataclass

from tumorresp.domain.assessment import Category
from tumorresp.response.reasons import listing
from tumorresp.response.subject import DatedResponse


@dataclass(frozen=True)
class ConfirmationRules:
    """Least days between the two scans, NE allowed between them, and whether one SD is (of PR)."""

    min_days: int
    max_nr_ne: int
    accept_sd: bool


@dataclass(frozen=True, slots=True)
class Confirmation:
    """Which later response confirms one (None: none does), and why none does."""

    index: int | None
    obstacle: str = ""


_GOOD = {Category.CR: (Category.CR,), Category.PR: (Category.CR, Category.PR)}


def confirmation(responses: Sequence[DatedResponse], index: int, rules: ConfirmationRules) -> Confirmation:
    """Return which later response confirms the CR or PR at ``index``.

    The first one that is late enough and good enough decides; it need not be the next scan. CR is confirmed by CR, with
    CR and NE between; PR by PR or CR, with CR, PR and NE between, and one SD where that is allowed. A PR after a CR
    confirms nothing.

    Parameters
    ----------
    responses
        In order of date, one a date.
    """
    first = responses[index]
    good = _GOOD[first.overall]
    for later in range(index + 1, len(responses)):
        item = responses[later]
        if item.overall in good and (item.date - first.date).days >= rules.min_days:
            obstacle = _obstacle(first.overall, responses[index + 1 : later + 1], rules)
            return Confirmation(None if obstacle else later, obstacle)
    words = f"no {' or '.join(good)} follows at least {rules.min_days} days later"
    return Confirmation(None, words)


def _obstacle(first: Category, course: Sequence[DatedResponse], rules: ConfirmationRules) -> str:
    """Return what forbids that the last of a course confirms the response before it, empty where nothing does."""
    last, good = course[-1], _GOOD[first]
    stable_allowed = 1 if first is Category.PR and rules.accept_sd else 0
    not_evaluable, stable = 0, 0
    complete: DatedResponse | None = None
    for item in course:
        if item.overall is Category.NE:
            not_evaluable += 1
        elif item.overall in good:
            if complete is not None and item.overall is Category.PR:
                return f"{_seen(item)} comes after {_seen(complete)}, and a PR after a CR confirms nothing"
            complete = item if item.overall is Category.CR else complete
        else:
            stable += item.overall is Category.SD
            if item.overall is not Category.SD or stable > stable_allowed:
                return f"{_seen(item)} lies between it and {_seen(last)}"
    if not_evaluable > rules.max_nr_ne:
        names = listing([item.name for item in course if item.overall is Category.NE])
        return f"{not_evaluable} NE ({names}) lie between it and {_seen(last)}, at most {rules.max_nr_ne} may"
    return ""


def _seen(item: DatedResponse) -> str:
    return f"{item.overall} at {item.name} on {item.date}"
