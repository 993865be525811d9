"""A protocol file in TOML."""

import tomllib
from pathlib import Path

from tumorresp.domain.errors import InvalidSettings, Missing
from tumorresp.response.protocol import Protocol, protocol_from


def read_protocol(path: Path | None) -> Protocol:
    """Return the protocol of a file; without one the published defaults.

    Raises
    ------
    Missing
        If there is no such file.
    InvalidSettings
        If it is no TOML, or a name or value is not known.
    """
    if path is None:
        return Protocol()
    if not path.is_file():
        raise Missing("there is no such file.", where=path.name, remedy="Give a protocol in TOML.")
    try:
        document = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidSettings(f"the file is no TOML: {error}", where=path.name) from None
    document.pop("cdisc", None)  # the study's facts for the export, which ``cdisc_export`` reads
    return protocol_from(document)
