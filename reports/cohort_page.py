"""One page about a whole cohort: best responses and rates, figures, where criteria differ, what needs a look."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from reports.outcome_tables import Value
from tumorresp.cohort.rates import CriterionRates, Rate, RateName
from tumorresp.domain.assessment import Category
from tumorresp.domain.version import SOFTWARE_VERSION

_ENVIRONMENT = Environment(
    loader=PackageLoader("reports"), autoescape=select_autoescape(default=True), undefined=StrictUndefined
)
SHOWN_DISCORDANCES = 50
_SEVERITIES = ("error", "warning", "info")


@dataclass(frozen=True)
class CriterionFigures:
    """A criterion's figures: (name, picture, page), paths from the page's own folder."""

    title: str
    figures: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True)
class CohortPage:
    """What the page shows.

    Parameters
    ----------
    findings
        (severity, code, message, where) of every finding.
    discordances
        Rows of the table ``discordances``: subject, evaluator, visit, criterion, response, criterion, response, why.
    """

    table_name: str
    protocol_name: str
    subjects: int
    rates: tuple[CriterionRates, ...]
    figures: tuple[CriterionFigures, ...]
    findings: tuple[tuple[str, str, str, str], ...]
    discordances: tuple[tuple[Value, ...], ...]


def cohort_html(page: CohortPage) -> str:
    """Return the page."""
    categories = [c for c in Category if any(c in dict(item.best) for item in page.rates)]
    shown = page.discordances[:SHOWN_DISCORDANCES]
    return _ENVIRONMENT.get_template("cohort.html.j2").render(
        table_name=page.table_name,
        protocol_name=page.protocol_name,
        version=SOFTWARE_VERSION,
        subjects=page.subjects,
        categories=[str(category) for category in categories],
        best=[_best(item, categories) for item in page.rates],
        figures=[
            {
                "title": item.title,
                "figures": [{"name": name, "picture": picture, "page": own} for name, picture, own in item.figures],
            }
            for item in page.figures
        ],
        findings=_counted(page.findings),
        discordances=[(_subject(row), *row[2:]) for row in shown],
        more_discordances=len(page.discordances) - len(shown),
    )


def _best(item: CriterionRates, categories: Sequence[Category]) -> dict[str, object]:
    counts = dict(item.best)
    whole = {rate.name: rate for rate in item.rates if not rate.arm}
    return {
        "criterion": item.criterion,
        "confirmed": item.confirmed,
        "counts": [counts.get(category, 0) for category in categories],
        "orr": rate_in_words(whole[RateName.ORR]),
        "dcr": rate_in_words(whole[RateName.DCR]),
    }


def rate_in_words(rate: Rate) -> str:
    """Return a rate for people: percent with its interval."""
    if rate.share is None or rate.low is None or rate.high is None:
        return "–"
    return f"{100 * rate.share:.1f} % ({100 * rate.low:.1f}–{100 * rate.high:.1f})"


def _counted(findings: Sequence[tuple[str, str, str, str]]) -> list[dict[str, object]]:
    """Return the findings by code, the gravest and most frequent first, each with its first example."""
    counts = Counter((severity, code) for severity, code, _, _ in findings)
    first = {(severity, code): (message, where) for severity, code, message, where in reversed(findings)}
    ordered = sorted(counts, key=lambda key: (_SEVERITIES.index(key[0]), -counts[key], key[1]))
    return [
        {
            "severity": key[0],
            "code": key[1],
            "count": counts[key],
            "message": first[key][0],
            "where": first[key][1],
        }
        for key in ordered
        if key[0] != "info"
    ]


def _subject(row: Sequence[Value]) -> str:
    return f"{row[0]} ({row[1]})" if row[1] else str(row[0])
