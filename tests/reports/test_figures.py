"""Figures of a cohort: files that open, numbers that are drawn, the same bytes every time."""

import hashlib
import random
from pathlib import Path

import pytest
from lxml import etree
from PIL import Image

from reports.figures.canvas import style
from reports.figures.kaplan_meier import kaplan_meier_figure
from reports.figures.palette import category_colour
from reports.figures.spider import spider_figure
from reports.figures.swimmer import swimmer_figure
from reports.figures.waterfall import waterfall_figure, waterfall_page
from reports.figures.write import write_figures
from tests.response.courses import visits
from tumorresp.cohort.spider import spider
from tumorresp.cohort.survival import survival_curves
from tumorresp.cohort.swimmer import swimmer
from tumorresp.cohort.waterfall import waterfall
from tumorresp.domain.assessment import Category
from tumorresp.response import Protocol, SubjectCourse, SubjectDates, SubjectOutcome, evaluate_course
from tumorresp.response.outcome import EndPointName

NAMES = ("waterfall", "spider", "swimmer", "survival-pfs", "survival-os")


def cohort(subjects: int) -> list[SubjectOutcome]:
    drawn = random.Random(11)
    outcomes = []
    for number in range(subjects):
        size, texts = 80.0, ["T01=80.0"]
        trend = drawn.gauss(0.95, 0.2)
        for _ in range(drawn.randint(1, 6)):
            size *= max(0.1, trend * drawn.gauss(1, 0.08))
            texts.append(f"T01={size:.1f}")
        course = visits(*texts)
        dates = SubjectDates(course[0].date, arm="AB"[number % 2])
        outcomes.append(evaluate_course(SubjectCourse(f"S{number:03}", "", course, dates), ["recist-1.1"], Protocol()))
    return outcomes


@pytest.fixture(scope="module")
def forty() -> list[SubjectOutcome]:
    return cohort(40)


@pytest.fixture(scope="module")
def written(forty: list[SubjectOutcome], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("figures")
    write_figures(forty, "recist-1.1", "RECIST 1.1", (-30, 20), folder)
    return folder


@pytest.mark.parametrize("name", NAMES)
def test_every_figure_in_every_format(written: Path, name: str) -> None:
    with Image.open(written / f"recist-1.1-{name}.png") as image:
        assert image.width > 1000
        assert len(image.convert("L").getcolors(256) or []) > 20  # something is drawn
    root = etree.parse(written / f"recist-1.1-{name}.svg").getroot()
    assert root.tag.endswith("svg")
    page = (written / f"recist-1.1-{name}.html").read_text("utf-8")
    assert 'src="plotly.min.js"' in page
    assert "https://cdn" not in page
    assert (written / "plotly.min.js").stat().st_size > 1_000_000


def test_a_rerun_makes_the_same_svg(written: Path, forty: list[SubjectOutcome], tmp_path: Path) -> None:
    write_figures(forty, "recist-1.1", "RECIST 1.1", (-30, 20), tmp_path)
    for name in NAMES:
        one, two = (hashlib.sha256((folder / f"recist-1.1-{name}.svg").read_bytes()) for folder in (written, tmp_path))
        assert one.hexdigest() == two.hexdigest(), name


def test_bars_are_as_high_as_the_changes(forty: list[SubjectOutcome]) -> None:
    data = waterfall(forty, "recist-1.1")
    with style():
        axes = waterfall_figure(data, "RECIST 1.1", (-30, 20)).axes[0]
    heights = [bar.get_height() for bar in axes.patches]
    assert heights == [min(100.0, float(bar.change_percent)) for bar in data.bars]
    assert [text.get_text() for text in axes.get_xticklabels()] == [bar.name for bar in data.bars]
    assert axes.get_ylabel() == "Change from baseline, %"
    page = waterfall_page(data, "RECIST 1.1", (-30, 20))
    assert sorted(value for trace in page.data for value in trace.y) == sorted(
        float(b.change_percent) for b in data.bars
    )


def test_many_subjects_have_no_names() -> None:
    data = waterfall(cohort(100), "recist-1.1")
    with style():
        axes = waterfall_figure(data, "RECIST 1.1", ()).axes[0]
    assert axes.get_xticklabels() == []
    assert axes.get_xlabel() == "100 subjects"


def test_lines_lanes_and_steps(forty: list[SubjectOutcome]) -> None:
    lines, lanes = spider(forty, "recist-1.1"), swimmer(forty, "recist-1.1")
    curves = survival_curves(forty, "recist-1.1", EndPointName.PFS)
    with style():
        drawn = spider_figure(lines, "t", (-30,)).axes[0].lines[: len(lines)]
        assert [line.get_ydata()[-1] for line in drawn] == [float(line.points[-1].change_percent) for line in lines]
        axes = swimmer_figure(lanes, "t").axes[0]
        assert [label.get_text() for label in axes.get_yticklabels()] == [lane.name for lane in lanes]
        steps = kaplan_meier_figure(curves, "t").axes[0]
    assert [text.get_text() for text in steps.get_legend().get_texts()] == [
        f"{c.arm}: {c.events} of {c.subjects}, median {f'{c.median} days' if c.median else 'not reached'}"
        for c in curves
    ]


def test_nothing_to_show_is_said(tmp_path: Path) -> None:
    files = write_figures([], "recist-1.1", "RECIST 1.1", (), tmp_path)
    assert all(path.is_file() for path in files)
    assert "No subject has" in (tmp_path / "recist-1.1-waterfall.svg").read_text("utf-8")


def test_i_forms_have_the_colours_of_their_forms() -> None:
    assert category_colour(Category.IPR) == category_colour(Category.PR)
    assert category_colour(Category.ICPD) == category_colour(Category.PD) == category_colour(Category.IUPD)
    assert len({category_colour(c) for c in (Category.CR, Category.PR, Category.SD, Category.PD, Category.NE)}) == 5
