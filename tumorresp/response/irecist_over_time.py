"""iRECIST over time: which iUPD counts, and best response and end points by the rules that RECIST 1.1 has.

Progression dates from the first iUPD of a block that was confirmed, or that nothing better and no confirmation followed
(Seymour et al., Lancet Oncol 18 (2017) e143-e152). A block that was set back counts for nothing.
"""

import datetime
from collections.abc import Sequence
from dataclasses import replace

from tumorresp.domain.assessment import Category
from tumorresp.response.best_response import BestResponseParameters, best_response, counted_responses
from tumorresp.response.irecist_state import I_FORM
from tumorresp.response.outcome import BestResponse
from tumorresp.response.subject import DatedResponse, SubjectDates

_RECIST_FORM = {formed: category for category, formed in I_FORM.items()}
_IMPROVED = (Category.ICR, Category.IPR, Category.ISD, Category.NON_ICR_NON_IUPD)


def counting_iupd(responses: Sequence[DatedResponse]) -> int | None:
    """Return the index of the iUPD that progression dates from, None where there is none.

    Parameters
    ----------
    responses
        iRECIST responses in order of date.
    """
    first: int | None = None
    for index, item in enumerate(responses):
        if item.overall is Category.ICPD:
            return index if first is None else first
        if item.overall is Category.IUPD:
            first = index if first is None else first
        elif item.overall in _IMPROVED:
            first = None
    return first


def irecist_progression_date(responses: Sequence[DatedResponse]) -> datetime.date | None:
    """Return the date of progression for iPFS."""
    found = counting_iupd(responses)
    return None if found is None else responses[found].progression_date


def recist_form(responses: Sequence[DatedResponse]) -> tuple[DatedResponse, ...]:
    """Return iRECIST responses in RECIST 1.1's words, up to the progression that counts.

    An iUPD that was set back becomes NE: it is neither progression nor anything better.
    """
    ordered = sorted(responses, key=lambda item: item.date)
    end = counting_iupd(ordered)
    counted = ordered if end is None else ordered[: end + 1]
    return tuple(
        replace(item, overall=Category.PD) if index == end else replace(item, overall=_plain(item.overall))
        for index, item in enumerate(counted)
    )


def _plain(category: Category) -> Category:
    if category is Category.IUPD:
        return Category.NE
    return _RECIST_FORM.get(category, category)


def irecist_best_response(
    responses: Sequence[DatedResponse],
    dates: SubjectDates,
    parameters: BestResponseParameters,
    *,
    confirmed: bool,
) -> BestResponse:
    """Return the best response by iRECIST (iBOR), in iRECIST's words.

    Progression as best response is iCPD where it was confirmed, else iUPD; one that was set back is iUPD where nothing
    better than NE lasted long enough. Best is iCR, then iPR, iSD, iCPD, iUPD, NE (Seymour 2017, Table 3).

    Raises
    ------
    InvalidInput
        If the reference date is not known.
    """
    formed = recist_form(responses)
    best = best_response(formed, dates, parameters, confirmed=confirmed)
    if best.category is Category.PD:
        if any(item.overall is Category.ICPD for item in responses):
            return _named(best, Category.ICPD, "iCPD: the progression was confirmed.")
        return _named(best, Category.IUPD, "iUPD: the progression was not confirmed, and nothing better followed.")
    if best.category is Category.NE:
        dated = {item.date: item for item in responses if item.overall is Category.IUPD}
        for item in counted_responses(formed, dates, parameters):
            if item.date in dated:
                words = f"iUPD of {item.name}: it was set back, but nothing better lasted long enough."
                return replace(_named(best, Category.IUPD, words), date=item.progression_date)
    category = I_FORM.get(best.category, best.category)
    return _named(best, category, f"In iRECIST's words: {category}.")


def _named(best: BestResponse, category: Category, words: str) -> BestResponse:
    return replace(best, category=category, reasons=(*best.reasons, words))
