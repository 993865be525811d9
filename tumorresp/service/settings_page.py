"""The settings as a page: ``docs/settings.md`` is this function's output, and a test compares them."""

from collections.abc import Iterator
from typing import Any, get_args, get_origin

from pydantic_core import PydanticUndefined

from tumorresp.service.settings import DestinationSettings, Settings

_HEAD = """# Settings

Every setting is a variable `TUMORRESP_<NAME>` (upper case) and a key of the TOML file that `TUMORRESP_CONFIG` names.
Variables win over the file. `tumorresp settings` shows what is in force now.

| setting | default | what it does |
|---|---|---|
"""

_DESTINATIONS = """
## Destinations

Where results go: one `[[destinations]]` table each in the TOML file, or one JSON list in `TUMORRESP_DESTINATIONS`.

| key | what it is |
|---|---|
"""


def settings_page() -> str:
    """Return the page in Markdown."""
    return (
        _HEAD
        + "".join(f"| `{name}` | {default} | {words} |\n" for name, default, words in _rows())
        + _DESTINATIONS
        + "".join(f"| `{name}` | {field.description} |\n" for name, field in DestinationSettings.model_fields.items())
    )


def _rows() -> Iterator[tuple[str, str, str]]:
    for name, field in Settings.model_fields.items():
        words = field.description or ""
        choices = get_args(field.annotation) if get_origin(field.annotation) is not None else ()
        names = [f"`{choice}`" for choice in choices if isinstance(choice, str)]
        if names:
            words += f" (one of {', '.join(names)})"
        yield name, _default(name, field.default), words


def _default(name: str, value: Any) -> str:
    if name == "data_dir":
        return "the user's data folder"
    if value is None or value in ("", ()) or value is PydanticUndefined:
        return "empty"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"
