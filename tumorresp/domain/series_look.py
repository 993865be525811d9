"""What a CT series calls itself, and which contrast phase it shows."""

import re
from dataclasses import dataclass

NATIVE, ENHANCED = "without contrast", "with contrast"
# The first hit counts.
_PHASES = (
    (NATIVE, re.compile(r"\b(?:non?[\s-]?(?:contrast|enhanced|ce)|un-?enhanced|without (?:contrast|iv)|nativ\w*|plain"
                        r"|pre[\s-]?contrast|nect|ncct|w/?o)\b")),
    ("arterial", re.compile(r"\b(?:\w*arterial|arteri\w*|art)\b")),
    ("delayed", re.compile(r"\b(?:delay\w*|late|equilibrium|excret\w*|nephrogr\w*)\b")),
    ("portal venous", re.compile(r"\b(?:portal\w*|porto\w*|portovenous|venous|ven(?:en\w*)?|pvp?)\b")),
    (ENHANCED, re.compile(r"\b(?:contrast|enhanced|cect|post|iv|km|ce)\b")),
)  # fmt: skip


@dataclass(frozen=True)
class SeriesLook:
    """Series Description (0008,103E) and Contrast/Bolus Agent (0018,0010) of a series, empty where not stated."""

    description: str = ""
    agent: str = ""

    @property
    def phase(self) -> str:
        """The contrast phase in words, empty where nothing says it.

        Examples
        --------
        >>> SeriesLook("Abdomen portal venous 5 mm").phase
        'portal venous'
        """
        lowered = self.description.lower().replace("_", " ")
        named = next((phase for phase, words in _PHASES if words.search(lowered)), "")
        agent = self.agent.strip().lower()
        if named in ("", ENHANCED) and agent:
            return NATIVE if agent in ("none", "no", "without") else ENHANCED
        return named

    def is_other_phase(self, other: "SeriesLook") -> bool:
        """Return whether both say their phase, and not the same; “with contrast” may be any enhanced one."""
        one, two = self.phase, other.phase
        if not one or not two or one == two:
            return False
        return ENHANCED not in (one, two) or NATIVE in (one, two)
