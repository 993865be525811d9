"""Colours of categories and arms, told apart by people with any colour vision (Okabe and Ito 2008)."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from tumorresp.domain.assessment import Category
from tumorresp.response.irecist_state import I_FORM

_GREEN, _BLUE, _ORANGE, _RED, _GREY, _SKY, _PINK, _BLACK = (
    "#009E73",
    "#0072B2",
    "#E69F00",
    "#D55E00",
    "#999999",
    "#56B4E9",
    "#CC79A7",
    "#222222",
)
_CATEGORIES: Mapping[Category, str] = MappingProxyType(
    {
        Category.CR: _GREEN,
        Category.PR: _BLUE,
        Category.MR: _SKY,
        Category.SD: _ORANGE,
        Category.NON_CR_NON_PD: _PINK,
        Category.PD: _RED,
        Category.NED: _SKY,
    }
)
_RECIST_FORM = {formed: category for category, formed in I_FORM.items()} | {Category.ICPD: Category.PD}
ARMS = (_BLUE, _RED, _GREEN, _ORANGE, _PINK, _SKY, _BLACK)
DEATH, PROGRESSION, RESPONSE, LANE, OTHER = _BLACK, _RED, _GREEN, "#D9D9D9", _GREY


def category_colour(category: Category) -> str:
    """Return the colour of a best response; iRECIST's words have those of what they are forms of."""
    return _CATEGORIES.get(_RECIST_FORM.get(category, category), OTHER)


def in_order(categories: Sequence[Category]) -> list[Category]:
    """Return the categories that occur, best first, each once."""
    return [category for category in Category if category in set(categories)]
