"""Words for a finding site as coded concepts, for formats in which people write words (PS3.16 CID 4031)."""

import re

from tumorresp.domain.terminology import LYMPH_NODE, PRIVATE_SCHEME, Code

_SITES = (
    LYMPH_NODE,
    Code("23451007", "SCT", "Adrenal gland"),
    Code("89837001", "SCT", "Bladder"),
    Code("272673000", "SCT", "Bone"),
    Code("12738006", "SCT", "Brain"),
    Code("76752008", "SCT", "Breast"),
    Code("71854001", "SCT", "Colon"),
    Code("32849002", "SCT", "Esophagus"),
    Code("64033007", "SCT", "Kidney"),
    Code("10200004", "SCT", "Liver"),
    Code("39607008", "SCT", "Lung"),
    Code("72410000", "SCT", "Mediastinum"),
    Code("15497006", "SCT", "Ovary"),
    Code("15776009", "SCT", "Pancreas"),
    Code("3120008", "SCT", "Pleura"),
    Code("41216001", "SCT", "Prostate"),
    Code("39937001", "SCT", "Skin"),
    Code("87784001", "SCT", "Soft tissue"),
    Code("78961009", "SCT", "Spleen"),
    Code("69695003", "SCT", "Stomach"),
    Code("69748006", "SCT", "Thyroid"),
    Code("35039007", "SCT", "Uterus"),
)
_SYNONYMS = {"adrenal": "adrenal gland", "oesophagus": "esophagus", "lymph nodes": "lymph node", "node": "lymph node"}
_BY_MEANING = {code.meaning.lower(): code for code in _SITES}
_LONGEST_CODE = 16  # SH


def site_of(words: str) -> Code:
    """Return the SNOMED CT concept of a site's plain name, else a private one that keeps the words."""
    name = " ".join(words.lower().split())
    known = _BY_MEANING.get(_SYNONYMS.get(name, name))
    if known is not None:
        return known
    slug = re.sub(r"[^a-z0-9]+", "-", name).strip("-") or "site"
    return Code(slug[:_LONGEST_CODE], PRIVATE_SCHEME, words.strip())
