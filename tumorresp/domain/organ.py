"""From a coded site or a label to one word for the organ, as the rules count organs."""

import re

from tumorresp.domain.terminology import LYMPH_NODE, Code

LYMPH_NODE_ORGAN = "lymph node"
# Where a node lies: readers name it by the region as well.
_REGIONS_OF_NODES = frozenset(("mediastinum", "peritoneum", "soft tissue"))

# The first hit counts, so nodes come before the region that they lie in, and longer names before shorter.
_WORDS: tuple[tuple[str, str], ...] = (
    (r"\b(lymph|ln|node|nodes|nodal|\w*adenopathy)\b", LYMPH_NODE_ORGAN),
    (r"\b(lung|lungs|pulmonary|bronch\w*)\b", "lung"),
    (r"\b(pleura\w*)\b", "pleura"),
    (r"\b(hepatic|splenic) flexure\b", "bowel"),
    (r"\b(liver|hepatic)\b", "liver"),
    (r"\b(suprarenal|adrenal\w*)\b", "adrenal"),
    (r"\b(kidney|kidneys|renal)\b", "kidney"),
    (r"\b(spleen|splenic)\b", "spleen"),
    (r"\b(pancrea\w*)\b", "pancreas"),
    (r"\b(brain|cerebr\w*|cerebell\w*)\b", "brain"),
    (r"\b(bone|bony|vertebra\w*|rib|ribs|femur|pelvi[sc] bone|sacrum|skeletal)\b", "bone"),
    (r"\b(muscle|soft tissue|subcutaneous|sarcoma)\b", "soft tissue"),
    (r"\b(breast|mammary)\b", "breast"),
    (r"\b(ovary|ovaries|ovarian)\b", "ovary"),
    (r"\b(uterus|uterine|cervix)\b", "uterus"),
    (r"\b(prostate|prostatic)\b", "prostate"),
    (r"\b(bladder)\b", "bladder"),
    (r"\b(colon|colonic|rectum|rectal|bowel|intestin\w*)\b", "bowel"),
    (r"\b(stomach|gastric)\b", "stomach"),
    (r"\b(oesophag\w*|esophag\w*)\b", "oesophagus"),
    (r"\b(thyroid)\b", "thyroid"),
    (r"\b(skin|cutaneous)\b", "skin"),
    (r"\b(peritone\w*|omentum|omental|mesenter\w*)\b", "peritoneum"),
    (r"\b(mediastin\w*)\b", "mediastinum"),
)


_SIDES = frozenset(("left", "right", "both", "bilateral", "l", "r"))


def organ_of(site: Code | None, label: str = "", *, nodal: bool | None = None) -> str:
    """Return the organ's word, or an empty string when neither site nor label names one.

    All lymph nodes are one organ, and so are both of a pair (RECIST 1.1; EORTC clarifications).

    Parameters
    ----------
    nodal
        What the reader said; False outweighs a site or label that speaks of nodes.
    """
    if nodal or (nodal is None and site is not None and site.same_concept(LYMPH_NODE)):
        return LYMPH_NODE_ORGAN
    for text in (site.meaning if site else "", label):
        organ = _named_in(text, with_nodes=nodal is None)
        if organ:
            return organ
    return ""


def counted_organ(organ: str, *, nodal: bool) -> str:
    """Return the organ as RECIST 1.1 counts it; empty when unknown.

    An organ that has no word here counts under its own name, without the side.
    """
    if nodal:
        return LYMPH_NODE_ORGAN
    words = [word for word in organ.lower().replace(",", " ").split() if word not in _SIDES]
    return _named_in(organ, with_nodes=True) or " ".join(words)


def organs_conflict(one: str, other: str) -> bool:
    """Return whether two words of organs cannot be said of the same lesion.

    An unknown organ conflicts with none, nor does a lymph node with the region that it may lie in.
    """
    if not one or not other or one == other:
        return False
    if LYMPH_NODE_ORGAN in (one, other):
        return not _REGIONS_OF_NODES & {one, other}
    return True


def side_of(site: Code | None) -> str:
    """Return ``left`` or ``right`` where a coded site names one side alone, else an empty string."""
    words = set(re.findall(r"[a-z]+", site.meaning.lower())) if site else set()
    sides = words & {"left", "right"}
    return sides.pop() if len(sides) == 1 else ""


def _named_in(text: str, *, with_nodes: bool) -> str:
    lowered = text.lower()
    return next(
        (
            organ
            for pattern, organ in _WORDS
            if (with_nodes or organ != LYMPH_NODE_ORGAN) and re.search(pattern, lowered)
        ),
        "",
    )
