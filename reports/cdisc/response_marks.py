"""What an analysed response carries of the input that it is made from: what was refused, and what is suspicious."""

from collections.abc import Iterable
from dataclasses import dataclass

from reports.cdisc.dataset import TEXT_LENGTH


@dataclass(frozen=True, slots=True)
class ResponseMarks:
    """Marks of the input of a response, in words, each with its place.

    Parameters
    ----------
    refused
        What could not be read and may hide another response.
    provisional
        Numbers that are perhaps wrong; they count.
    """

    refused: tuple[str, ...] = ()
    provisional: tuple[str, ...] = ()

    def variables(self) -> dict[str, str]:
        """Return the variables of ADRS."""
        return {"RSREFUS": _in_one_text(self.refused), "RSPROV": _in_one_text(self.provisional)}


def _in_one_text(marks: Iterable[str]) -> str:
    """Return marks in one text, each once, as long as a text may be."""
    text = "; ".join(dict.fromkeys(marks))
    return text if len(text) <= TEXT_LENGTH else f"{text[: TEXT_LENGTH - 4]} ..."
