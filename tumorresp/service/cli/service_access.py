"""Settings with their errors in words, and the running service."""

import httpx

from tumorresp.domain.errors import InvalidSettings, Missing, OutsideFailure
from tumorresp.service.settings import Settings


def current_settings(**changes: object) -> Settings:
    """Return the settings.

    Raises
    ------
    InvalidSettings
        If a variable, the file or a change does not fit.
    """
    from pydantic import ValidationError

    try:
        return Settings(**changes)  # type: ignore[arg-type]  # checked by the model
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        name = ".".join(str(part) for part in first["loc"])
        raise InvalidSettings(
            f"{first['msg']}.", where=name, remedy="`tumorresp settings` lists what is known."
        ) from None


def api_address() -> str:
    """Return the address of the service that runs with these settings.

    Raises
    ------
    OutsideFailure
        If none does, or it does not answer.
    """
    file = current_settings().data_dir / "api-address"
    if not file.is_file():
        raise OutsideFailure("no service runs with this data folder.", where=str(file.parent), remedy="tumorresp serve")
    address = file.read_text("utf-8").strip()
    try:
        httpx.get(f"{address}/api/health", timeout=5).raise_for_status()
    except httpx.HTTPError as error:
        raise OutsideFailure("the service does not answer.", where=address, remedy="Is it running?") from error
    return address


def subject_of_service(subject: str) -> dict:
    """Return a subject's evaluation from the running service; ``subject`` may name one reading: KEY/READER.

    Raises
    ------
    OutsideFailure
        If no service runs.
    Missing
        If it knows no such subject.
    """
    answer = httpx.get(f"{api_address()}/api/subjects/{subject}", timeout=30)
    if answer.status_code == httpx.codes.NOT_FOUND:
        raise Missing(
            "the service has no evaluation of this subject.", where=subject, remedy="`tumorresp status` lists them."
        )
    answer.raise_for_status()
    document: dict = answer.json()
    return document
