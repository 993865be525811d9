"""Best responses and rates on a terminal."""

from collections import Counter
from collections.abc import Sequence

from rich.markup import escape
from rich.table import Table

from reports.cohort_page import rate_in_words
from tumorresp.cohort.rates import CriterionRates, RateName
from tumorresp.domain.assessment import Category
from tumorresp.response.irecist_state import I_FORM
from tumorresp.service.cli.screen import console

_FIRST = (Category.CR, Category.PR, Category.SD, Category.PD, Category.NE)
_I_FORMS = {formed: category for category, formed in I_FORM.items()} | {Category.ICPD: Category.PD}
_WIDE = 100
_SHORT = 8


def show_rates(found: Sequence[CriterionRates], subjects: int) -> None:
    """Print a line a criterion and arm: best responses, and objective response and disease control with intervals."""
    table = Table(
        title=f"Best response of {subjects} course(s)", title_justify="left", title_style="bold", header_style="bold"
    )
    columns = [*_FIRST, *sorted({_shown_as(c) for item in found for c, _ in item.best} - set(_FIRST), key=_order)]
    table.add_column("Criterion", no_wrap=True)
    for category in columns:
        table.add_column(str(category), justify="right", no_wrap=len(str(category)) < _SHORT)
    table.add_column("ORR (95 %)", no_wrap=True, justify="right")
    if console.width >= _WIDE:
        table.add_column("DCR (95 %)", no_wrap=True, justify="right")
    for item in found:
        counts: Counter[Category] = Counter()
        for category, count in item.best:
            counts[_shown_as(category)] += count
        shown = {rate.name: rate for rate in item.rates if not rate.arm}
        table.add_row(
            f"{escape(item.criterion)}\n[dim]{'confirmed' if item.confirmed else 'unconfirmed'}[/]",
            *(str(counts.get(category, 0)) for category in columns),
            *(rate_in_words(shown[name]) for name in (RateName.ORR, RateName.DCR)[: 1 + (console.width >= _WIDE)]),
        )
    console.print(table)


def _shown_as(category: Category) -> Category:
    """Return the column of a category: iRECIST's forms stand with what they are forms of."""
    return _I_FORMS.get(category, category)


def _order(category: Category) -> int:
    return list(Category).index(category)
