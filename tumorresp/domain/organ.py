"""From a coded site or a label to one word for the organ, as the rules count organs."""

import re

from tumorresp.domain.terminology import LYMPH_NODE, Code

LYMPH_NODE_ORGAN = "lymph node"

# The first hit counts, so nodes come before the region that they lie in, and longer names before shorter.
_WORDS: tuple[tuple[str, str], ...] = (
    (r"\b(lymph|node|nodes|nodal|lymphadenopathy)\b", LYMPH_NODE_ORGAN),
    (r"\b(lung|lungs|pulmonary|bronch\w*|lobe of (left|right) lung)\b", "lung"),
    (r"\b(pleura\w*)\b", "pleura"),
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


def organ_of(site: Code | None, label: str = "", *, nodal: bool | None = None) -> str:
    """Return the organ's word, or an empty string when neither site nor label names one.

    All lymph nodes are one organ, and so are both of a pair (RECIST 1.1; EORTC clarifications).
    """
    if nodal or (site is not None and site.same_concept(LYMPH_NODE)):
        return LYMPH_NODE_ORGAN
    for text in (site.meaning if site else "", label):
        lowered = text.lower()
        for pattern, organ in _WORDS:
            if re.search(pattern, lowered):
                return organ
    return ""
