"""Tables 1 and 2 of RECIST 1.1, every combination, against a table written out by hand."""

import pytest

from tumorresp.domain.assessment import Category, NewLesionStatus
from tumorresp.response.overall_response import overall_response

NON_TARGET = ("CR", "NON-CR/NON-PD", "NE", "PD", "NA")
NO_NEW_LESION = {
    # target: overall by non-target in the order above
    "CR": ("CR", "PR", "PR", "PD", "CR"),
    "PR": ("PR", "PR", "PR", "PD", "PR"),
    "SD": ("SD", "SD", "SD", "PD", "SD"),
    "NE": ("NE", "NE", "NE", "PD", "NE"),
    "PD": ("PD", "PD", "PD", "PD", "PD"),
    "NA": ("CR", "NON-CR/NON-PD", "NE", "PD", "NED"),
}
CELLS = [
    (target, non_target, overall)
    for target, row in NO_NEW_LESION.items()
    for non_target, overall in zip(NON_TARGET, row, strict=True)
]


@pytest.mark.parametrize(("target", "non_target", "overall"), CELLS)
def test_tables(target: str, non_target: str, overall: str) -> None:
    pair = Category(target), Category(non_target)
    for new, expected in (("no", overall), ("equivocal", overall), ("yes", "PD")):
        category, words = overall_response(*pair, NewLesionStatus(new))
        assert category == expected
        assert words
