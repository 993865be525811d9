"""One word for an organ, from codes, labels and free text."""

import pytest

from tumorresp.domain.organ import counted_organ, organ_of, organs_conflict, side_of
from tumorresp.domain.terminology import LYMPH_NODE, Code


def site(meaning: str) -> Code:
    return Code("1", "SCT", meaning)


@pytest.mark.parametrize(
    ("meaning", "organ"),
    [
        ("Lung", "lung"),
        ("Upper lobe of left lung", "lung"),
        ("Pleural membrane structure", "pleura"),
        ("Liver", "liver"),
        ("Hepatic flexure of colon", "bowel"),
        ("Adrenal gland", "adrenal"),
        ("Suprarenal gland", "adrenal"),
        ("Both kidneys", "kidney"),
        ("Mediastinal lymph node", "lymph node"),
        ("Mediastinum", "mediastinum"),
        ("Axillary lymphadenopathy", "lymph node"),
        ("Pulmonary nodule", "lung"),
        ("Entire body", ""),
    ],
)
def test_site(meaning: str, organ: str) -> None:
    assert organ_of(site(meaning)) == organ
    assert organ_of(None, meaning.upper()) == organ


def test_site_comes_before_label() -> None:
    assert organ_of(site("Liver"), "lung 2") == "liver"
    assert organ_of(site("Entire body"), "lung 2") == "lung"
    assert organ_of(None) == ""


def test_nodes() -> None:
    assert organ_of(LYMPH_NODE.with_meaning("Knoten")) == "lymph node"
    assert organ_of(site("Neck"), nodal=True) == "lymph node"
    assert organ_of(None, "LN 7") == "lymph node"


def test_the_reader_s_no_to_a_node_outweighs_words() -> None:
    assert organ_of(site("Mediastinal lymph node"), nodal=False) == "mediastinum"
    assert organ_of(LYMPH_NODE, "lung node", nodal=False) == "lung"


@pytest.mark.parametrize(
    ("organ", "counted_as"),
    [
        ("Left lung", "lung"),
        ("lung, right", "lung"),
        ("kidneys", "kidney"),
        ("bilateral adrenal glands", "adrenal"),
        ("lymph nodes", "lymph node"),
        ("left parotid", "parotid"),
        ("Parotid, right", "parotid"),
        ("", ""),
    ],
)
def test_pairs_and_nodes_count_once(organ: str, counted_as: str) -> None:
    assert counted_organ(organ, nodal=False) == counted_as
    assert counted_organ(organ, nodal=True) == "lymph node"


@pytest.mark.parametrize(
    ("one", "other", "conflict"),
    [
        ("lung", "lung", False),
        ("lung", "liver", True),
        ("", "liver", False),
        ("", "", False),
        ("lymph node", "mediastinum", False),
        ("lymph node", "peritoneum", False),
        ("lymph node", "lung", True),
        ("mediastinum", "lung", True),
    ],
)
def test_conflict_is_mutual(one: str, other: str, conflict: bool) -> None:
    assert organs_conflict(one, other) is conflict
    assert organs_conflict(other, one) is conflict


@pytest.mark.parametrize(
    ("meaning", "side"),
    [
        ("Upper lobe of left lung", "left"),
        ("Right kidney", "right"),
        ("Liver", ""),
        ("Right and left atrium", ""),
        ("Brightness", ""),
    ],
)
def test_side(meaning: str, side: str) -> None:
    assert side_of(site(meaning)) == side


def test_no_site_has_no_side() -> None:
    assert side_of(None) == ""
