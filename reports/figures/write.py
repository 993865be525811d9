"""All figures of a criterion into a folder."""

from collections.abc import Sequence
from pathlib import Path

import plotly.graph_objects as go
import plotly.offline
from matplotlib.figure import Figure

from reports.figures.canvas import save, style
from reports.figures.kaplan_meier import kaplan_meier_figure, kaplan_meier_page
from reports.figures.spider import spider_figure, spider_page
from reports.figures.swimmer import swimmer_figure, swimmer_page
from reports.figures.waterfall import waterfall_figure, waterfall_page
from tumorresp.cohort.spider import spider
from tumorresp.cohort.survival import survival_curves
from tumorresp.cohort.swimmer import swimmer
from tumorresp.cohort.waterfall import waterfall
from tumorresp.response.outcome import EndPointName, SubjectOutcome

_SCRIPT = "plotly.min.js"
_SURVIVAL = ((EndPointName.PFS, "progression-free survival"), (EndPointName.OS, "overall survival"))


def write_figures(
    outcomes: Sequence[SubjectOutcome], criterion: str, title: str, limits: Sequence[float], folder: Path
) -> tuple[Path, ...]:
    """Write waterfall, spider, swimmer and Kaplan-Meier plots (PFS, OS) as PNG, SVG and HTML.

    Parameters
    ----------
    title
        The criterion's, in the headings.
    limits
        Changes from baseline (%) that are drawn as lines.
    folder
        Made if absent; the HTML files share ``plotly.min.js`` in it and need no network.
    """
    folder.mkdir(parents=True, exist_ok=True)
    script = folder / _SCRIPT
    script.write_text(plotly.offline.get_plotlyjs(), "utf-8")
    fall, lines, lanes = waterfall(outcomes, criterion), spider(outcomes, criterion), swimmer(outcomes, criterion)
    files: list[Path] = [script]
    with style():
        drawn: list[tuple[str, Figure, go.Figure]] = [
            ("waterfall", waterfall_figure(fall, title, limits), waterfall_page(fall, title, limits)),
            ("spider", spider_figure(lines, title, limits), spider_page(lines, title, limits)),
            ("swimmer", swimmer_figure(lanes, title), swimmer_page(lanes, title)),
        ]
        for end_point, words in _SURVIVAL:
            curves = survival_curves(outcomes, criterion, end_point)
            heading = f"{title}: {words}"
            name = f"survival-{end_point.lower()}"
            drawn.append((name, kaplan_meier_figure(curves, heading), kaplan_meier_page(curves, heading)))
        for name, figure, page in drawn:
            files += save(figure, folder, f"{criterion}-{name}")
            path = folder / f"{criterion}-{name}.html"
            page.write_html(path, include_plotlyjs="directory", div_id=name, full_html=True)
            files.append(path)
    return tuple(files)
