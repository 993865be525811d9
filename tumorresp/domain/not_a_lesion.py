"""What is measured and is no lesion: vessels, the heart, a normal organ, a reference length.

Readers and programs measure them in the same reports. A coded finding that is a lesion, a stated role or a label that
speaks of a lesion always outweighs the site: a node beside the aorta is a node, a thrombus in a vein a tumour.
"""

import re

from tumorresp.domain.measurement import MarkedMeasurement
from tumorresp.domain.terminology import LESION, LYMPH_NODE, MORPHOLOGICALLY_ABNORMAL, NEOPLASM, Code

_LESION_CODES = (LESION, NEOPLASM, MORPHOLOGICALLY_ABNORMAL, LYMPH_NODE)
_LESION_WORDS = re.compile(
    r"lesion|neoplas|tumou?r|\bmass\b|masses|nodul|metasta|\bmets?\b|cancer|carcino|sarcom|lymphom|melanom|malignan"
    r"|\bnodes?\b|lymph|\blns?\b|adenopath|thromb|recist|target|\bgtv|\bitv|recurren|infiltrat|deposit|implant"
    r"|\b(nt|t|new)[\s_-]*\d",
    re.IGNORECASE,
)
_VESSEL_WORDS = re.compile(
    r"(?<![\w-])(aorta|aortic|arter(y|ies|ial)|vein|veins|vena cava|venous|ventric(le|ular)|atri(um|al)|heart|cardiac"
    r"|myocardi\w*|valve|pulmonary trunk|trachea\w*|carina|main bronchus|common bile duct|bile duct|ureter|aneurysm)\b",
    re.IGNORECASE,
)
_REFERENCE_WORDS = re.compile(
    r"(?<![\w-])(normal|reference (length|line|measurement|diameter|organ)|calibration|calibrat\w*|scale|ruler"
    r"|(spleen|splenic|liver|hepatic|kidney|renal|prostate|uterus|uterine|bladder|thyroid|heart) "
    r"(length|span|size|height|width|diameter|dimension)|wall thickness|bone (length|density))\b",
    re.IGNORECASE,
)
_ORGAN_NAMES = re.compile(
    r"^(entire |whole |left |right |both )*(liver|spleen|kidneys?|lungs?|heart|brain|pancreas|stomach|bladder|prostate"
    r"|uterus|thyroid( gland)?|gallbladder|breasts?|vertebra\w*|spine|muscle|skin|body|thorax|abdomen|pelvis)"
    r"( structure)?$",
    re.IGNORECASE,
)


def reason_for_no_lesion(marked: MarkedMeasurement) -> str:
    """Return in words why a measurement is not a lesion's; empty where it may be one.

    Parameters
    ----------
    marked
        As its document gives it: role, coded finding, label and coded site are looked at, in this order.
    """
    if marked.role is not None:
        return ""
    finding, site = marked.finding_type, marked.site
    if _is_lesion(finding):
        return ""
    if finding is not None and not _LESION_WORDS.search(finding.meaning):
        if _VESSEL_WORDS.search(finding.meaning) or _REFERENCE_WORDS.search(finding.meaning):
            return f"its finding is “{finding.meaning}”"
        if _ORGAN_NAMES.match(finding.meaning.strip()):
            return f"its finding is “{finding.meaning}”, a normal organ"
    label = marked.label or marked.tracking_identifier
    if _LESION_WORDS.search(label):
        return ""
    if site is not None and _VESSEL_WORDS.search(site.meaning) and not _LESION_WORDS.search(site.meaning):
        return f"its site is “{site.meaning}” and nothing calls it a lesion"
    if marked.label and (_VESSEL_WORDS.search(marked.label) or _REFERENCE_WORDS.search(marked.label)):
        return "its label is that of a vessel, a normal organ or a reference length"
    return ""


def _is_lesion(finding: Code | None) -> bool:
    if finding is None:
        return False
    return any(finding.same_concept(code) for code in _LESION_CODES) or bool(_LESION_WORDS.search(finding.meaning))
